"""FHIR R4 into patients: bundles of any type, single resources, NDJSON, very large bundles.

:class:`Collector` takes resources in, then sorts them by patient and reads them. Reading is tolerant
(plain dictionaries, no FHIR library); ``docs/sources/fhir.md`` says what each kind becomes. Every
resource ends in exactly one place of exactly one patient, or is told in a problem where it can be
nobody's.
"""

from __future__ import annotations

import gc
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any, BinaryIO

import orjson

from ..errors import Problem, did_you_mean
from ..model.patient import Family, Misread
from ..model.time import When
from ..yaml_tree import Mapping, Sequence
from . import written
from .arrival import PatientInput
from .fhir_chart import Chart, Drug, Item, Key, Scope, contained, plain_id, text_of
from .fhir_identity import identity, older
from .fhir_kinds import R4_KINDS
from .fhir_look import PATIENT_REFERENCE, People
from .fhir_medications import described
from .fhir_parts import failed
from .fhir_resources import FOREIGN_FAMILY, READERS, UNREAD, foreign_version, read_item
from .fhir_values import Resource
from .raw import Tree, Unreadable, doubled_keys, elements, parse_json

_KIND = re.compile(r"[A-Z][A-Za-z]{2,60}")
_STATED_TIME = ("document", "collection", "searchset")


class Collector:
    """Resources of one or several files that belong together, on their way to patients."""

    def __init__(self, strict: bool = False) -> None:
        self.strict = strict
        self.items: list[Item] = []
        self.subjects: list[Tree] = []
        self.people: dict[str, list[Item]] = {}
        self.drugs: dict[Key, Item] = {}
        self.keys: set[Key] = set()
        self.deleted: set[Key] = set()
        self.scopes: list[Scope] = []
        self.problems: list[Problem] = []
        self.written: When | None = None
        self.missing: list[tuple[str, Family | None, str]] = []  # files that should be here: what they may hold, and why they are not
        self.pack = False
        self._same_subject: dict[str, Tree] = {}

    # taking in

    def add(self, tree: Tree, file: str) -> None:
        """A parsed file: a bundle, one resource, or a list of resources."""
        scope = self._scope(file)
        doubled = isinstance(tree, (Mapping, Sequence))
        if isinstance(tree, list):
            for index, one in enumerate(tree):
                self._resource(one, f"[{index}]", None, scope, None, doubled)
        elif isinstance(tree, dict) and tree.get("resourceType") == "Bundle":
            self._bundle(tree, "", None, scope, doubled)
        else:
            self._resource(tree, "", None, scope, None, doubled)

    def add_lines(self, data: bytes, file: str) -> None:
        """NDJSON: one resource a line."""
        scope = self._scope(file)
        self.pack = len(data) > PACKED
        with _no_collection():
            for number, line in enumerate(data.split(b"\n"), start=1):
                if line.strip():
                    self._part(line, f"line {number}", number, scope, entry=False)
        self.pack = False

    def add_stream(self, stream: BinaryIO, file: str) -> None:
        """A very large bundle, entry by entry."""
        scope = self._scope(file)
        before = len(self.items), len(self.problems)
        self.pack = True
        index = -1
        held: bytes | None = None
        try:
            for part in elements(stream, "entry", file):
                if held is not None:
                    self._part(held, f"entry[{index}]", None, scope, entry=True)
                held = part
                index += 1
        except (Unreadable, EOFError, OSError, zlib.error):
            # a chart cut short would look as if the rest had never been: none of it is kept
            self._forget(scope, *before)
            raise
        finally:
            self.pack = False
        if held is not None:  # the last part is the bundle without its entries
            tree = parse_json(held, file)
            if isinstance(tree, dict):
                self._bundle({**tree, "entry": []}, "", None, scope, isinstance(tree, Mapping))

    def _forget(self, scope: Scope, items: int, problems: int) -> None:
        del self.items[items:], self.subjects[items:], self.problems[problems:]
        self.people = {name: those for name, those in self.people.items() if any(item.scope is not scope for item in those)}
        self.drugs = {key: item for key, item in self.drugs.items() if item.scope is not scope}

    def _scope(self, file: str) -> Scope:
        scope = Scope(file)
        self.scopes.append(scope)
        return scope

    def _part(self, data: bytes, where: str, line: int | None, scope: Scope, entry: bool) -> None:
        try:
            tree = parse_json(data, scope.file, None if line is not None else where, first_line=line or 1)
        except Unreadable as error:
            problem = error.problem
            if line is None:  # lines are counted inside the entry, not in the file
                problem = Problem(problem.code, problem.message, file=problem.file, where=where, instead=problem.instead)
            self.problems.append(problem)
            found = PATIENT_REFERENCE.search(data)
            subject = {"reference": f"Patient/{found[1].decode()}"} if found else None
            self._bad(where, line, scope, problem.message, subject)
            return
        doubled = isinstance(tree, (Mapping, Sequence))
        if entry:
            self._entry(tree, where, line, scope, doubled)
        elif isinstance(tree, dict) and tree.get("resourceType") == "Bundle":
            self._bundle(tree, f"{where}, ", line, scope, doubled)
        else:
            self._resource(tree, where, line, scope, None, doubled)

    def _bundle(self, tree: dict[str, Any], prefix: str, line: int | None, scope: Scope, doubled: bool) -> None:
        version = tree.get("fhirVersion")
        if isinstance(version, str) and not version.startswith("4."):
            raise Unreadable(
                Problem(
                    "fhir-version",
                    "the bundle says it is of another FHIR version than R4",
                    file=scope.file,
                    instead="export it as R4 (4.0.1)",
                )
            )
        if tree.get("type") in _STATED_TIME and tree.get("timestamp") is not None:
            stated = Resource(tree).moment("timestamp")
            if stated is not None and (scope.written is None or stated.hi > scope.written.hi):
                scope.written = stated
        if doubled and isinstance(tree, Mapping) and tree.twice:
            where = f"{prefix}bundle".strip()
            self._complain("duplicate-key", "a key of the bundle is written twice; only the last is read", where, line, scope)
            self._bad(where, line, scope, "a key of the bundle is written twice", None)
        entries = tree.get("entry")
        if isinstance(entries, dict):
            entries = [entries]
        if entries is not None and not isinstance(entries, list):
            self._complain("wrong-type", "a bundle's `entry` is a list", f"{prefix}entry", line, scope)
            self._bad(f"{prefix}entry", line, scope, "not a list of entries", None)
            entries = []
        for index, entry in enumerate(entries or ()):
            self._entry(entry, f"{prefix}entry[{index}]", line, scope, doubled)

    def _entry(self, entry: Tree, where: str, line: int | None, scope: Scope, doubled: bool) -> None:
        if not isinstance(entry, dict):
            self._complain("wrong-type", "an entry is an object with a resource", where, line, scope)
            self._bad(where, line, scope, "not an object", None)
            return
        full_url = entry.get("fullUrl")
        full_url = full_url if isinstance(full_url, str) and full_url.strip() else None
        body = entry.get("resource")
        if body is None:
            request = entry.get("request")
            if isinstance(request, dict) and request.get("method") == "DELETE" and isinstance(request.get("url"), str):
                self.deleted.add(scope.target(request["url"]))
                self._put(Item("", None, scope, where, line, f"Bundle@{where}"), None, "an entry without a resource")
            elif "request" in entry or "response" in entry:
                self._put(Item("", None, scope, where, line, f"Bundle@{where}"), None, "an entry without a resource")
            else:
                self._complain("no-resource", "an entry of the bundle has no resource: what belongs here is not told", where, line, scope)
                self._bad(where, line, scope, "an entry without a resource", None)
            return
        if isinstance(body, dict) and body.get("resourceType") == "Bundle":
            self._bundle(body, f"{where}, ", line, scope, doubled)
            return
        self._resource(body, where, line, scope, full_url, doubled)

    def _resource(self, body: Tree, where: str, line: int | None, scope: Scope, full_url: str | None, doubled: bool) -> None:
        if not isinstance(body, dict):
            self._complain("wrong-type", "a resource is an object", where, line, scope)
            self._bad(where, line, scope, "not an object", None)
            return
        subject = body.get("subject") or body.get("patient") or body.get("beneficiary") or body.get("for") or body.get("individual")
        kind = body.get("resourceType")
        if not isinstance(kind, str) or (kind not in READERS and _KIND.fullmatch(kind) is None):
            self._complain("no-kind", "there is no `resourceType`, so it cannot be told what this is", where, line, scope)
            self._bad(where, line, scope, "it cannot be told what it is", subject)
            return
        if kind == "OperationOutcome" and failed(body):
            self._complain("not-whole", "the server says that something went wrong: its answer may not be whole", where, line, scope)
            self.missing.append((PurePosixPath(scope.file).name or "input", None, "the server says that its answer is not whole"))
            return
        if kind not in R4_KINDS and kind not in FOREIGN_FAMILY:
            near = did_you_mean(kind, R4_KINDS)
            self._complain(
                "no-kind", "FHIR R4 has no resource of this kind, so it cannot be told what this is", where, line, scope, instead=near
            )
            self._bad(where, line, scope, "of a kind that FHIR R4 does not have", subject)
            return
        name = body.get("id")
        name = plain_id(name) if isinstance(name, str) else None
        key_name = name or (scope.target(full_url)[1] if full_url is not None else None)
        pointer = f"{kind}/{name}" if name else f"{kind}@{where or PurePosixPath(scope.file).name or 'input'}"
        if doubled:
            twice = doubled_keys(body)
            if twice:
                self._complain(
                    "duplicate-key", "a key is written twice in this entry; which of the two holds cannot be told", where, line, scope
                )
                self._bad(where, line, scope, "a key is written twice", subject, pointer)
                return
        item = Item(kind, body, scope, where, line, pointer)
        if key_name is not None:
            key = (kind, key_name)
            self.keys.add(key)
            if full_url is not None:
                scope.urls[full_url] = key
            if kind == "Medication":
                self.drugs.setdefault(key, item)
        if self.strict:
            from .fhir_strict import violations

            self.problems.extend(violations(body, kind, scope.file, f"{where} ({pointer})" if where else pointer, line))
        if kind == "Patient":
            person = key_name or pointer
            self.people.setdefault(person, []).append(item)
            scope.people[person] = None
            for one in Resource(body).objects("identifier"):
                if isinstance(one.get("system"), str) and isinstance(one.get("value"), str):
                    scope.identifiers[one["system"], one["value"]] = person
            self._put(item, {"reference": f"Patient/{person}"}, None)
            return
        if self.pack and kind != "Medication":
            # a very large file: keep what will be read, packed, and of the rest only that it was there
            # (copied, because orjson's bytes hold room for more)
            item.body = bytes(memoryview(orjson.dumps(body))) if kind in READERS else None
            reference = subject.get("reference") if isinstance(subject, dict) and len(subject) == 1 else None
            if isinstance(reference, str):
                subject = self._same_subject.setdefault(reference, subject)
        self.items.append(item)
        self.subjects.append(subject)

    def _put(self, item: Item, subject: Tree, bad: str | None) -> None:
        if bad is not None:
            item.body = bad
        self.items.append(item)
        self.subjects.append(subject)

    def _bad(self, where: str, line: int | None, scope: Scope, why: str, subject: Tree, pointer: str | None = None) -> None:
        self._put(Item("?", why, scope, where, line, pointer or f"unreadable@{where or 'input'}"), subject, why)

    def _complain(self, code: str, message: str, where: str, line: int | None, scope: Scope, instead: str | None = None) -> None:
        self.problems.append(Problem(code, message, file=scope.file, line=line, where=where or None, instead=instead))

    # sorting by patient

    def everyone(self) -> list[str]:
        """The patients these resources speak of, in the order met."""
        return list(dict.fromkeys((*self.people, *(person for person in self._persons() if person is not None))))

    def _persons(self) -> Iterator[str | None]:
        return (person for person, _ in self._named())

    def _named(self) -> Iterator[tuple[str | None, str | None]]:
        """For each item whose it is, or why it is nobody's. A reference means the same wherever it stands in a file."""
        same: dict[tuple[Scope, str], tuple[str | None, str | None]] = {}
        for item, subject in zip(self.items, self.subjects, strict=True):
            reference = subject.get("reference") if type(subject) is dict else None
            if type(reference) is not str:
                yield self._person(item, subject)
                continue
            key = item.scope, reference
            if (found := same.get(key)) is None:
                found = self._person(item, subject)
                if "#" not in reference and reference.strip():
                    same[key] = found
            yield found

    def _person(self, item: Item, subject: Tree) -> tuple[str | None, str | None]:
        body = item.body if isinstance(item.body, dict) else {}
        if isinstance(item.body, bytes) and isinstance(subject, dict) and str(subject.get("reference")).startswith("#"):
            body = orjson.loads(item.body)
        person, why = item.scope.person(subject, body)
        if person is not None and person.startswith("#"):
            person = item.pointer + person
        return person, why

    def patients(self, wanted: frozenset[str] | None = None, alone: bool = True) -> Iterator[PatientInput | Problem]:
        """Every patient with what is theirs, then the problems that are nobody's.

        ``alone`` says that these files are all there is: then it is an error that they hold no patient.
        """
        charts: dict[str, list[Item]] = {}
        aside: dict[str, list[tuple[Item, str]]] = {}
        nobody: dict[str, dict[str, int]] = {}
        named = list(self._named())
        referred: dict[Scope, set[str]] | None = None
        everyone = [person for person in dict.fromkeys((*self.people, *(person for person, _ in named))) if person is not None]
        for item, (person, why) in zip(self.items, named, strict=True):
            if person is not None and person in self.people:
                charts.setdefault(person, []).append(item)
                continue
            scope = item.scope
            if referred is None:  # wanted only where an entry names nobody, or nobody who is here
                referred = self._referred(named)
            sole = self._sole(scope, referred, everyone)
            if person is not None and len(scope.people) == 1 and "#" not in person:
                # the file is one patient's and this entry names another, who is not here
                owner = next(iter(scope.people))
                aside.setdefault(owner, []).append((item, "another patient's"))
                if item.kind in READERS:
                    self._complain(
                        "another-patient",
                        "this entry names a patient who is not in the input",
                        item.place(),
                        item.line,
                        scope,
                    )
            elif person is not None:
                charts.setdefault(person, []).append(item)
            elif why is not None and sole is not None:
                aside.setdefault(sole, []).append((item, why))
            elif sole is not None:
                charts.setdefault(sole, []).append(item)
            else:
                counts = nobody.setdefault(scope.file, {})
                counts[item.kind] = counts.get(item.kind, 0) + 1
                if item.kind in READERS and why is None:
                    self._complain("no-subject", "this entry names no patient; it is nobody's", item.place(), item.line, scope)
        for person in dict.fromkeys((*(one for one in everyone if one in charts), *aside)):
            if wanted is None or person in wanted:
                yield self._read(person, charts.get(person, []), aside.get(person, []))
        yield from self.problems
        for file, counts in nobody.items():
            lonely = alone and not charts
            what = ", ".join(
                f"{count} {kind if kind not in ('', '?') else 'unreadable or empty'}" for kind, count in sorted(counts.items())
            )
            message = f"there is no patient in it ({what})" if lonely else f"entries that are no patient's: {what}"
            yield Problem("no-patient", message, file=file, severity="error" if lonely else "note")
        if alone and not charts and not nobody and not self.problems:
            yield Problem("no-patient", "there is no patient in it", file=self.scopes[0].file if self.scopes else None)

    def _referred(self, named: list[tuple[str | None, str | None]]) -> dict[Scope, set[str]]:
        """Whom the entries of each file name."""
        referred: dict[Scope, set[str]] = {}
        for item, (person, _) in zip(self.items, named, strict=True):
            if person is not None:
                referred.setdefault(item.scope, set()).add(person)
        return referred

    def _sole(self, scope: Scope, referred: dict[Scope, set[str]], everyone: list[str]) -> str | None:
        """The one patient a file is about, if it is about one."""
        if scope.people:
            return next(iter(scope.people)) if len(scope.people) == 1 else None
        mentioned = referred.get(scope, ())
        if len(mentioned) == 1:
            return next(iter(mentioned))
        return everyone[0] if len(everyone) == 1 else None

    # reading one patient

    def _read(self, person: str, items: list[Item], aside: list[tuple[Item, str]]) -> PatientInput:
        chart = Chart(person, self._drug, self._known)
        those = [*(item for item in items if item.kind == "Patient"), *items, *(item for item, _ in aside)]
        files = list(dict.fromkeys(item.scope.file for item in those))
        chart.file = files[0] if len(files) == 1 else f"{files[0]} and {len(files) - 1} more"
        for written_on in (self.written, *(item.scope.written for item in items[:1])):
            if written_on is not None and (chart.written is None or written_on.hi > chart.written.hi):
                chart.written = written_on
        kept = self._once(items, aside, chart)
        identity(person, [item for item in kept if item.kind == "Patient"], items, chart)
        foreign: dict[tuple[str, str], list[Item]] = {}
        with _no_collection():
            for item in kept:
                self._one(item, chart, foreign)
        for item, why in aside:
            chart.set_aside(item, why)
        chart.misread += [Misread(source=name, family=family, why=why) for name, family, why in self.missing]
        for (file, version), those in foreign.items():
            count = f"{len(those)} entries have" if len(those) > 1 else "an entry has"
            chart.problems.append(
                Problem(
                    "fhir-version",
                    f"{count} the shape of FHIR {version}, not of R4",
                    file=file,
                    where=those[0].place(),
                    line=those[0].line,
                    instead="export as R4 (4.0.1)",
                )
            )
        return PatientInput(chart.patient(), chart.file, tuple(chart.problems))

    def _one(self, item: Item, chart: Chart, foreign: dict[tuple[str, str], list[Item]]) -> None:
        body = item.body
        if isinstance(body, str):
            if item.kind == "?":
                chart.lost(item, None, body)
            else:
                chart.set_aside(item, body)
            return
        if isinstance(body, bytes):
            packed = item
            item = replace(packed, body=orjson.loads(body))
            packed.body = None
            body = item.body
        version = foreign_version(body, item.kind) if body is not None else None
        if version is not None:
            foreign.setdefault((item.scope.file, version), []).append(item)
            family = READERS[item.kind][0] if item.kind in READERS else FOREIGN_FAMILY.get(item.kind)
            words = text_of(*Resource(body).concept("code"))
            chart.lost(item, family, f"of FHIR {version}, not R4", words)
        elif item.kind in READERS:
            read_item(item, chart)
        else:
            chart.set_aside(item, UNREAD.get(item.kind, f"a kind of entry that no rule reads ({item.kind})"))

    def _once(self, items: list[Item], aside: list[tuple[Item, str]], chart: Chart) -> list[Item]:
        """The items to read. Of those with one id, copies and older versions are set aside; where it
        cannot be told which holds, all are kept as doubtful. The second ``Observation/1`` is then
        ``Observation/1~2``, so that every pointer is of one entry.
        """
        first: dict[str, Item] = {}
        again: dict[str, list[Item]] = {}
        for item in items:
            earlier = first.setdefault(item.pointer, item)
            if earlier is not item:
                again.setdefault(item.pointer, [earlier]).append(item)
        drop: dict[int, str] = {}
        for pointer, those in again.items():
            if "@" not in pointer:
                drop.update(older(those))
            number = 1
            for item in those[1:]:
                while item.pointer in first:
                    number += 1
                    item.pointer = f"{pointer}~{number}"
                first[item.pointer] = item
        if self.deleted:
            for pointer in first:
                kind, _, name = pointer.partition("/")
                if (kind, name) in self.deleted:
                    drop.update((id(item), "deleted by the source") for item in again.get(pointer, [first[pointer]]))
        for item, _ in aside:
            count = 1
            pointer = item.pointer
            while item.pointer in first:
                count += 1
                item.pointer = f"{pointer}~{count}"
            first[item.pointer] = item
        if not drop:
            return items
        for item in items:
            if id(item) in drop:
                chart.set_aside(item, drop[id(item)])
        return [item for item in items if id(item) not in drop]

    def _known(self, item: Item, reference: str) -> bool:
        if reference.startswith("#"):
            body = item.body if isinstance(item.body, dict) else {}
            return contained(body, reference[1:]) is not None
        return item.scope.target(reference) in self.keys

    def _drug(self, value: Tree, item: Item, resource: Resource) -> Drug:
        if not isinstance(value, dict):
            if value is not None:
                resource.fail("medicationReference", "a reference to a drug belongs here")
            return Drug((), None)
        display = value.get("display")
        words = written.clean(display) or None if isinstance(display, str) else None
        reference = value.get("reference")
        found: Tree = None
        if isinstance(reference, str) and reference.strip():
            if reference.startswith("#"):
                found = contained(item.body, reference[1:])
            else:
                held = self.drugs.get(item.scope.target(reference.strip()))
                found = held.body if held is not None else None
            if not isinstance(found, dict) and words is None:
                resource.fail("medicationReference", "the drug it refers to is not in the input", "reference-to-nobody")
        if not isinstance(found, dict):
            return Drug((), words)
        drug = described(found, resource)
        return drug if drug.codes or drug.text else Drug(drug.codes, words, drug.strength, drug.ingredients)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Without the collector of cyclic garbage: there is none here, and searching for it takes half the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            if gc.get_freeze_count() == 0:
                # what was made here lives on and holds no cycle: it is old now, and not to be searched as new
                gc.freeze()
                gc.unfreeze()
            gc.enable()


PACKED = 32 << 20
"""Bytes of NDJSON from which resources wait packed, not as trees."""


def people_of(tree: Tree) -> People:
    """Whom a FHIR tree speaks of."""
    collector = Collector()
    try:
        collector.add(tree, "")
    except Unreadable:
        return People(frozenset(), shared=False)
    return People(frozenset(collector.everyone()), bool(collector.drugs))
