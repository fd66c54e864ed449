"""The project's own patient files: JSON, JSON lines and YAML, comfortable to type by hand.

The shape is :class:`eligibility.model.patient.Patient`; ``docs/sources/native.md`` shows it. Beyond
the model's own names it takes ``date`` or ``onset`` for ``start``, ``12.1 g/dL`` as a value, ``F``
for a sex, ``icd10cm|G35.A`` for a code, and other short forms. Every entry is read on its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from ..errors import Problem, did_you_mean
from ..model.patient import (
    DEATH_UNREAD,
    Entry,
    Family,
    Misread,
    Patient,
    Quantity,
    SetAside,
    StatedAbsence,
)
from ..yaml_tree import Mapping, Sequence
from . import written
from .arrival import FIELD_OF, MODELS, PLURALS, PatientInput, build, not_there
from .native_fields import ENTRY_FIELDS, INTERPRETATION, PATIENT_FIELDS, STATUS, BadField, choice_of, choices_of, dose_of, text_of, when_of
from .raw import Tree, doubled_keys

FAMILY_WORDS: dict[str, Family] = {**PLURALS, **{family: family for family in FIELD_OF}}

_ALIASES = {
    "date": "start",
    "onset": "start",
    "started": "start",
    "from": "start",
    "abatement": "end",
    "ended": "end",
    "until": "end",
    "code": "codes",
    "flag": "interpretation",
    "reference_range": "range",
    "name": "text",
    "stop_reason": "reason_stopped",
    "times_per_day": "per_day",
    "frequency": "per_day",
}
_PATIENT_ALIASES = {
    "birthdate": "birth_date",
    "born": "birth_date",
    "date_of_birth": "birth_date",
    "dob": "birth_date",
    "gender": "sex",
    "died": "deceased",
    "dead": "deceased",
    "death": "deceased",
    "patient": "id",
    "patient_id": "id",
}


def looks_native(tree: Tree) -> bool:
    """Whether a tree is a patient of ours, a list of them, or ``{patients: [...]}``."""
    if isinstance(tree, list):
        return bool(tree) and all(looks_native(item) for item in tree[:3])
    if not isinstance(tree, dict) or "resourceType" in tree:
        return False
    if isinstance(tree.get("patients"), list):
        return True
    names = {_fold(key) for key in tree}
    return "id" in names or bool(names & (set(PLURALS) | {"birth_date"} | set(_PATIENT_ALIASES)))


def read_native(tree: Tree, file: str, fallback_id: str, line: int | None = None) -> Iterator[PatientInput | Problem]:
    """The patients of a native tree. ``line`` is the line of a JSON-lines file, ``fallback_id`` names a patient without id."""
    if isinstance(tree, dict) and isinstance(tree.get("patients"), list):
        others = [key for key in tree if key != "patients"]
        if others:
            yield Problem(
                "unknown-field",
                f"beside `patients` nothing else is read: {len(others)} other fields",
                file=file,
                line=line,
                where="patients",
            )
        patients, prefix = tree["patients"], "patients"
    elif isinstance(tree, list):
        patients, prefix = tree, ""
    else:
        yield _Reader(file, line, "").patient(tree, fallback_id)
        return
    if not patients:
        yield Problem("not-a-patient", "the list of patients is empty", file=file, line=line)
    for index, one in enumerate(patients):
        where = f"{prefix}[{index}]"
        at = _line(patients, index) or line
        if isinstance(one, dict):
            yield _Reader(file, line, f"{where}.").patient(one, f"{fallback_id}-{index + 1}")
        else:
            yield Problem("wrong-type", "a patient is an object with named fields", file=file, line=at, where=where)


class _Reader:
    """Reads one patient; collects problems."""

    def __init__(self, file: str, line: int | None, prefix: str) -> None:
        self.file, self.line, self.prefix = file, line, prefix
        self.problems: list[Problem] = []
        self.aside: list[SetAside] = []
        self.bad: list[Misread] = []

    def complain(self, code: str, message: str, where: str, line: int | None = None, instead: str | None = None) -> None:
        self.problems.append(Problem(code, message, file=self.file, line=line or self.line, where=self.prefix + where, instead=instead))

    # the patient

    def patient(self, tree: dict[str, Any], fallback_id: str) -> PatientInput:
        fields: dict[str, Any] = {}
        for key, value in tree.items():
            line = _line(tree, key)
            name = _PATIENT_ALIASES.get(_fold(key), _fold(key))
            if isinstance(tree, Mapping) and key in tree.twice:
                self._doubled(tree, key, name)
            if name in fields and name in PLURALS:
                self.complain("said-twice", "this is said twice, under two spellings; only the first is read", name, line)
                self.bad.append(Misread(source=self.prefix + name, family=PLURALS[name], why="the list is written twice in the file"))
            elif name in PLURALS and value is not None:
                fields[name] = self._entries(PLURALS[name], value, name, line)
            elif value is None and (name in PLURALS or name in PATIENT_FIELDS or name in ("absences", "set_aside", "misread")):
                continue
            elif name == "absences":
                fields["absences"] = self._absences(value, line)
            elif name in ("set_aside", "misread"):
                self._kept(name, value, line)
            elif name in PATIENT_FIELDS:
                if name in fields:
                    self.complain("said-twice", "this is said twice, under two names", name, line)
                    continue
                try:
                    fields[name] = PATIENT_FIELDS[name](value)
                except BadField as error:
                    self.complain(error.code, error.message, name, line, error.instead)
                    if name == "deceased" and written.may_tell_of_death(value):
                        fields["deceased"] = DEATH_UNREAD
            else:
                self._unknown(key, value, line)
        if not fields.get("id"):
            fields["id"] = fallback_id
            self.complain(
                "no-id", "the patient has no `id`; the name of the file stands for it", "id", instead="write `id: ` with any name"
            )
        return PatientInput(
            Patient.model_validate({**fields, "set_aside": tuple(self.aside), "misread": tuple(self.bad)}), self.file, tuple(self.problems)
        )

    def _doubled(self, tree: Mapping, key: str, name: str) -> None:
        self.complain("duplicate-key", f"this key is written twice{_lines(tree.twice[key])}; only the last is read", name)
        if name in PLURALS:
            # entries of the first list are gone: the family may hold anything
            self.bad.append(Misread(source=self.prefix + name, family=PLURALS[name], why="the list is written twice in the file"))

    def _unknown(self, key: str, value: Tree, line: int | None) -> None:
        names = [*PLURALS, *PATIENT_FIELDS, "absences"]
        near = did_you_mean(_fold(key), names)
        shown = _shown(key)
        self.complain("unknown-field", f"a patient has no field `{shown}`", shown, line, near or f"the fields are {', '.join(names)}")
        if isinstance(value, (list, dict)) and value:
            # entries under an unknown name are not silence: they may be anything
            family = next((PLURALS[name] for name in PLURALS if near and near == f"did you mean {name}?"), None)
            self.bad.append(Misread(source=self.prefix + shown, family=family, why="the field's name is not known"))

    def _kept(self, name: str, value: Tree, line: int | None) -> None:
        # what an earlier reading set aside or misread, written by `convert --to native`
        for index, item in enumerate(value if isinstance(value, list) else [value]):
            where = f"{name}[{index}]"
            try:
                if name == "set_aside":
                    self.aside.append(SetAside.model_validate(dict(item)))
                else:
                    self.bad.append(Misread.model_validate(dict(item)))
            except (ValidationError, TypeError, ValueError):
                self.complain("wrong-type", "this is not readable as it stands", where, line, "an object with `source` and `why`")
                self.bad.append(Misread(source=self.prefix + where, why="could not be read"))

    # entries

    def _entries(self, family: Family, value: Tree, name: str, line: int | None) -> tuple[Entry, ...]:
        if isinstance(value, (dict, str)):
            value = [value]
        if not isinstance(value, list):
            self.complain("wrong-type", "a list of entries belongs here", name, line)
            self.bad.append(Misread(source=self.prefix + name, family=family, why="not a list of entries"))
            return ()
        entries = []
        for index, item in enumerate(value):
            at = _line(value, index) or line
            entry = self._entry(family, item, f"{name}[{index}]", at)
            if entry is not None:
                entries.append(entry)
        return tuple(entries)

    def _entry(self, family: Family, item: Tree, where: str, line: int | None) -> Entry | None:
        if isinstance(item, str) and item.strip():
            item = {"concept": item}  # a bare name: {conditions: [multiple-sclerosis]}
        if not isinstance(item, dict):
            self.complain("wrong-type", "an entry is an object with named fields, or the name of a concept", where, line)
            self.bad.append(Misread(source=self.prefix + where, family=family, why="not an object with named fields"))
            return None
        twice = doubled_keys(item)
        if twice:
            lines = _lines(item.twice[twice[0]]) if isinstance(item, Mapping) and twice[0] in item.twice else ""
            self.complain("duplicate-key", f"a key is written twice in one entry{lines}", where, line, "keep one of the two")
            self.bad.append(Misread(source=self.prefix + where, family=family, why="a key is written twice"))
            return None
        fields: dict[str, Any] = {}
        misread: list[str] = []
        model = MODELS[family]
        for key, value in item.items():
            name = _ALIASES.get(_fold(key), _fold(key))
            if value is None and name in model.model_fields:
                continue
            at = _line(item, key)
            if name not in model.model_fields:
                shown = _shown(key)
                near = did_you_mean(name, [*model.model_fields, *_ALIASES])
                if value is None:
                    # {text: lupus, or so it seems}: the rest of a text became a key, and may not be shown
                    shown, near = "?", "a text with a comma inside braces needs quotes"
                self.complain(
                    "unknown-field",
                    f"{'an' if family[0] in 'aio' else 'a'} {family} has no field `{shown}`",
                    f"{where}.{shown}",
                    at or line,
                    near or _fields(model),
                )
                misread.append(shown)
                continue
            if name in fields:
                self.complain("said-twice", "this is said twice, under two names", f"{where}.{name}", at or line, "keep one of the two")
                misread.append(name)
                continue
            try:
                self._field(family, name, value, fields)
            except BadField as error:
                self.complain(error.code, error.message, f"{where}.{name}", at or line, error.instead)
                misread.append(name)
        if family == "observation":
            self._unit(fields, misread, where, line)
        often = fields.pop("_often", None)
        if often is not None and fields.setdefault("per_day", often) != often:
            self.complain("said-twice", "the dose names one frequency and `per_day` another", f"{where}.per_day", line, "write it once")
            misread.append("per_day")
        misread.extend(fields.pop("misread", ()))
        fields.setdefault("source", self.prefix + where)
        aside = not_there(family, fields.get("status"), fields.get("verification"))
        if aside:
            self.aside.append(SetAside(source=fields["source"], why=aside))
            return None
        entry, refused = build(model, fields, misread)
        for name in refused:
            self.complain("wrong-type", "this is not what belongs here", f"{where}.{name}", _line(item, name) or line)
        return entry

    def _field(self, family: Family, name: str, value: Tree, fields: dict[str, Any]) -> None:
        if name in ("status", "verification", "interpretation", "kind"):
            aliases = {"status": STATUS, "interpretation": INTERPRETATION}.get(name, {})
            fields[name] = choice_of(value, choices_of(MODELS[family], name), aliases)
        elif name == "dose":
            quantity, often = dose_of(value)
            fields["dose"] = quantity
            if often is not None:
                fields["_often"] = often
        else:
            fields[name] = ENTRY_FIELDS[name](value)

    def _unit(self, fields: dict[str, Any], misread: list[str], where: str, line: int | None) -> None:
        value, unit = fields.get("value"), fields.get("unit")
        if not isinstance(value, Quantity) or unit is None:
            return
        del fields["unit"]
        if value.unit is None:
            fields["value"] = value.model_copy(update={"unit": unit})
        elif value.unit != unit:
            self.complain("two-units", "the value names one unit and `unit` another", f"{where}.unit", line, "write the unit once")
            misread.append("unit")

    # statements of absence

    def _absences(self, value: Tree, line: int | None) -> tuple[StatedAbsence, ...]:
        if isinstance(value, dict):
            # the short form, a family and what is said of it
            items: list[tuple[str, Tree, int | None]] = [
                (f"absences.{key}", f"{key} {said}", _line(value, key)) for key, said in value.items()
            ]
        else:
            listed = value if isinstance(value, list) else [value]
            items = [(f"absences[{index}]", item, _line(listed, index) or line) for index, item in enumerate(listed)]
        absences = []
        for where, item, at in items:
            try:
                absences.append(_absence(item, self.prefix + where))
            except BadField as error:
                self.complain(error.code, error.message, where, at, error.instead)
                # a lost statement of absence leaves more open, never less: it may be set aside
                self.aside.append(SetAside(source=self.prefix + where, why="a statement of absence that could not be read"))
        return tuple(absences)


def _fold(key: str) -> str:
    return key.strip().lower().replace(" ", "_").replace("-", "_")


def _shown(key: str) -> str:
    """A field's name as an error may show it: words of a chart that became a key are not shown."""
    return key if len(key) <= 30 and key.isascii() and key.replace("_", "a").isalpha() else "?"


def _line(tree: Tree, part: str | int) -> int | None:
    """The line of a key or of an item, where the text told lines."""
    mark = None
    if isinstance(tree, Mapping):
        mark = tree.keys_at.get(str(part))
    elif isinstance(tree, Sequence) and isinstance(part, int) and tree.items_at:
        mark = tree.items_at[part]
    return None if mark is None else mark.line + 1


def _lines(marks: list[Any]) -> str:
    return f" (lines {' and '.join(str(mark.line + 1) for mark in marks)})" if marks else ""


def _fields(model: type[Entry]) -> str:
    return f"the fields are {', '.join(name for name in model.model_fields if name != 'misread')}"


def _absence(item: Tree, source: str) -> StatedAbsence:
    example = "write {family: allergy, kind: none-known, as_of: 2026-10-20}"
    if isinstance(item, str):
        words = item.replace("none known", "none-known").replace(" as of ", " ").split()
        fields: dict[str, Tree] = {}
        for word in words:
            folded = word.lower().strip(":,")
            if folded in FAMILY_WORDS:
                fields["family"] = folded
            elif folded in ("none-known", "complete", "coverage"):
                fields["kind"] = folded
            elif word[:1].isdigit():
                fields["as_of"] = word
            else:
                raise BadField("bad-absence", "this statement of absence is not understood", example)
        item = fields
    if not isinstance(item, dict):
        raise BadField("wrong-type", "a statement of absence is an object or a short text", example)
    if doubled_keys(item):
        raise BadField("duplicate-key", "a key is written twice in one statement", "keep one of the two")
    out: dict[str, Any] = {"source": source}
    for key, value in item.items():
        name = _fold(key)
        if value is None:
            continue
        if name == "family":
            out["family"] = FAMILY_WORDS.get(text_of(value).lower()) or choice_of(value, tuple(FIELD_OF), {})
        elif name == "kind":
            out["kind"] = choice_of(value, ("none-known", "complete", "coverage"), {})
        elif name in ("since", "as_of", "date"):
            out["as_of" if name == "date" else name] = when_of(value)
        elif name in ("concept", "text", "source"):
            out[name] = text_of(value)
        else:
            raise BadField("unknown-field", "a statement of absence has no such field", did_you_mean(name, StatedAbsence.model_fields))
    if "family" not in out:
        raise BadField("bad-absence", "a statement of absence names its family", example)
    return StatedAbsence.model_validate(out)


def patient_to_native(patient: Patient) -> dict[str, Any]:
    """The patient as a native file holds it, pointers to the sources included; reading it back gives the same patient.

    >>> patient_to_native(Patient(id='p1', sex=('female',)))
    {'id': 'p1', 'sex': 'female'}
    """
    tree = patient.model_dump(mode="json", exclude_defaults=True)
    for name in ("birth_date", "sex"):
        if len(tree.get(name, ())) == 1:
            tree[name] = tree[name][0]
    return tree
