"""A patient's chart being put together from FHIR resources, and how resources name each other.

:class:`Scope` resolves references inside one file, :class:`Item` is one resource with its place,
:class:`Chart` collects what the readers of ``fhir_resources.py`` make of the items.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from ..errors import Problem
from ..model.patient import Coding, Entry, Family, Misread, Patient, SetAside, Sex, StatedAbsence
from ..model.time import NEVER, When
from . import written
from .arrival import FIELD_OF, MODELS, build
from .fhir_values import Resource
from .raw import Tree

Key = tuple[str, str]
"""Kind and id of a resource."""


class Scope:
    """One file's own addresses: full URLs, business identifiers of patients, and who is in it."""

    __slots__ = ("file", "identifiers", "people", "urls", "written")

    def __init__(self, file: str) -> None:
        self.file = file
        self.urls: dict[str, Key] = {}
        self.identifiers: dict[tuple[str, str], str] = {}
        self.people: dict[str, None] = {}
        self.written: When | None = None

    def target(self, reference: str) -> Key:
        """Kind and id a reference names; the kind is empty for a URN that is not in this file.

        Versions (``/_history/3``) and servers' addresses are dropped.
        """
        found = self.urls.get(reference)
        return found if found is not None else _key_of(reference)

    def person(self, value: Tree, body: dict[str, Any]) -> tuple[str | None, str | None]:
        """Whom a ``subject`` or ``patient`` names: the patient's key, or why it is no patient.

        Both are None where nobody is named.
        """
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        if not isinstance(value, dict):
            return None, None
        reference = value.get("reference")
        if isinstance(reference, str) and reference.strip():
            reference = reference.strip()
            if reference.startswith("#"):
                held = contained(body, reference[1:])
                if held is None:
                    return None, None
                kind = held.get("resourceType")
                return (reference, None) if kind == "Patient" else (None, f"about a {str(kind).lower()}, not a patient")
            kind, name = self.target(reference)
            if kind in ("Patient", ""):
                return name, None
            return None, f"about a {kind.lower()}, not a patient"
        identifier = value.get("identifier")
        if isinstance(identifier, dict):
            pair = (identifier.get("system"), identifier.get("value"))
            if pair in self.identifiers:
                return self.identifiers[pair], None
            if isinstance(pair[1], str) and pair[1].strip():
                return plain_id(pair[1]), None
        return None, None


def plain_id(name: str) -> str | None:
    """An id as a pointer can hold it: no ``#``, which marks a part, and of bearable length; None where blank.

    >>> plain_id(' a#b ')
    'a%23b'
    """
    if _ID.fullmatch(name):
        return name
    return written.clean(name).replace("#", "%23")[:200] or None


_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")  # what FHIR calls an id; sources write others, too


@lru_cache(maxsize=65536)
def _key_of(reference: str) -> Key:
    text = reference.strip().partition("|")[0].partition("/_history/")[0].rstrip("/")
    if text.startswith("urn:"):
        return "", plain_id(text.removeprefix("urn:uuid:").removeprefix("urn:oid:")) or "?"
    parts = text.split("/")
    name = plain_id(parts[-1]) or "?"
    return (parts[-2][:80], name) if len(parts) >= 2 and parts[-2][:1].isupper() else ("", name)


def contained(body: dict[str, Any], name: str) -> dict[str, Any] | None:
    """The contained resource of this id."""
    inside = body.get("contained")
    for one in inside if isinstance(inside, list) else [inside]:
        if isinstance(one, dict) and one.get("id") in (name, "#" + name):
            return one
    return None


@dataclass(slots=True)
class Item:
    """One resource as it came in: its kind, its content or bytes, its place; doubtful where another has its id."""

    kind: str
    body: Any
    scope: Scope
    where: str
    line: int | None
    pointer: str
    doubtful: bool = False

    def place(self, path: str = "") -> str:
        """Where it is: the place in the file, and the pointer, with a path into it."""
        pointer = f"{self.pointer}.{path}" if path else self.pointer
        return f"{self.where} ({pointer})" if self.where else pointer


@dataclass(frozen=True, slots=True)
class Drug:
    """What a medication reference leads to: codes, words, the strength of one unit of it, and how many ingredients."""

    codes: tuple[Coding, ...]
    text: str | None
    strength: tuple[float, str] | None = None
    ingredients: int = 0


_MODEL_FIELD = (
    ("value", "value"),
    ("onset", "start"),
    ("effective", "start"),
    ("performed", "start"),
    ("occurrence", "start"),
    ("authoredOn", "start"),
    ("abatement", "end"),
    ("verificationStatus", "verification"),
    ("clinicalStatus", "status"),
    ("status", "status"),
    ("issued", "recorded"),
    ("recorded", "recorded"),
    ("dateAsserted", "recorded"),
    ("conclusion", "value"),
    ("referenceRange", "range"),
    ("dosage", "dose"),
    ("code", "codes"),
    ("medication", "codes"),
    ("vaccineCode", "codes"),
)


@lru_cache(maxsize=4096)
def _model_field(path: str) -> str:
    """The name our model has for a FHIR path that could not be read."""
    for start, name in _MODEL_FIELD:
        if path.startswith(start):
            return name
    return path.partition(".")[0]


@dataclass(slots=True)
class Chart:
    """What has been read of one patient so far."""

    key: str
    drug: Callable[[Tree, Item, Resource], Drug]
    known: Callable[[Item, str], bool]
    file: str = ""
    birth: When | None = None
    families: dict[Family, list[Entry]] = field(default_factory=lambda: {family: [] for family in MODELS})
    absences: list[StatedAbsence] = field(default_factory=list)
    aside: list[SetAside] = field(default_factory=list)
    misread: list[Misread] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    identifiers: dict[Family, list[tuple[int, list[tuple[str, str]]]]] = field(default_factory=dict)
    births: dict[str, When] = field(default_factory=dict)
    sexes: dict[Sex, None] = field(default_factory=dict)
    deceased: When | bool | None = None
    written: When | None = None

    def complain(self, item: Item, path: str, code: str, message: str, instead: str | None = None) -> None:
        self.problems.append(Problem(code, message, file=item.scope.file, line=item.line, where=item.place(path), instead=instead))

    def set_aside(self, item: Item, why: str, part: str = "") -> None:
        self.aside.append(SetAside(source=item.pointer + part, why=why))

    def lost(self, item: Item, family: Family | None, why: str, text: str | None = None) -> None:
        """An entry that cannot be read and may be anything of its family."""
        self.misread.append(Misread(source=item.pointer, family=family, text=text, why=why))

    def add(self, family: Family, fields: dict[str, Any], item: Item, resource: Resource, part: str = "") -> None:
        """Keep an entry; what could not be read is named in it and told."""
        fields["source"] = item.pointer + part
        if family == "observation":
            fields.setdefault("items", {})  # the model would copy its own empty one, at a tenth of the whole cost
        misread: list[str] = []
        if resource.bad:
            prefix = part.removeprefix("#") + ("." if part else "")
            for path, code, message in resource.bad:
                misread.append(_model_field(path))
                self.complain(item, prefix + path, code, message)
        entry, refused = build(MODELS[family], fields, misread)
        for name in refused:
            self.complain(item, name, "wrong-type", "this is not what belongs here")
        entries = self.families[family]
        if "identifier" in resource.raw and (not part or part.startswith("#result")):
            pairs = identifiers_of(resource.raw)
            if pairs:
                self.identifiers.setdefault(family, []).append((len(entries), pairs))
        entries.append(entry)

    def patient(self) -> Patient:
        """The finished patient."""
        self._number_events()
        if self.written is not None and self.written.hi < self._latest():
            self.written = None  # facts later than the record was written: the date is of something else
        sexes: tuple[Sex, ...] = tuple(self.sexes)
        fields: dict[str, Any] = {FIELD_OF[family]: tuple(entries) for family, entries in self.families.items()}
        return Patient(
            id=self.key,
            birth_date=tuple(self.births.values()),
            sex=sexes,
            deceased=self.deceased,
            written=self.written,
            absences=tuple(self.absences),
            set_aside=tuple(self.aside),
            misread=tuple(self.misread),
            **fields,
        )

    def _latest(self) -> int:
        latest = NEVER
        for entries in self.families.values():
            for entry in entries:
                if getattr(entry, "planned", False):
                    continue
                for when in (entry.start, entry.recorded):
                    if when is not None:
                        latest = max(latest, when.lo)
        return latest

    def _number_events(self) -> None:
        """Give entries the number their source gave the event.

        Numbers of different systems cannot be told apart or told the same, so one system counts in a
        family: the one most entries have. Entries that share a number of another system with one that
        has it are the same event.
        """
        for family, numbered in self.identifiers.items():
            counts: dict[str, int] = {}
            for _, pairs in numbered:
                for system in {system for system, _ in pairs}:
                    counts[system] = counts.get(system, 0) + 1
            chosen = min(counts, key=lambda system: (-counts[system], system))
            numbers: dict[tuple[str, str], set[str]] = {}
            for _, pairs in numbered:
                own = {value for system, value in pairs if system == chosen}
                for pair in pairs:
                    numbers.setdefault(pair, set()).update(own)
            entries = self.families[family]
            for index, pairs in numbered:
                reached = set().union(*(numbers[pair] for pair in pairs))
                if len(reached) == 1:  # two numbers for one event: which of them is not said
                    entries[index] = entries[index].model_copy(update={"event": f"{chosen}|{reached.pop()}"})


# numbers of an order or of a group of results: every result of the panel bears them
_GROUP_NUMBERS = {"PLAC", "FILL", "PGN", "FGN", "ACSN"}


def identifiers_of(raw: dict[str, Any]) -> list[tuple[str, str]]:
    """System and value of the identifiers that number one event."""
    value = raw.get("identifier")
    if value is None:
        return []
    pairs = []
    for one in value if isinstance(value, list) else [value]:
        if not isinstance(one, dict):
            continue
        system, number = one.get("system"), one.get("value")
        if not (isinstance(system, str) and isinstance(number, str) and system.strip() and number.strip()):
            continue
        kind = one.get("type")
        codings = kind.get("coding") if isinstance(kind, dict) else None
        if any(
            isinstance(coding, dict) and coding.get("code") in _GROUP_NUMBERS for coding in (codings if isinstance(codings, list) else [])
        ):
            continue
        pairs.append((written.clean(system)[:200], written.clean(number)[:200]))
    return pairs


def text_of(codes: Sequence[Coding], text: str | None) -> str | None:
    """A few words for an entry that cannot be read: its text or its first display."""
    return text or next((coding.display for coding in codes if coding.display), None)
