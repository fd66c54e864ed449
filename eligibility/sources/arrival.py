"""What comes out of every source: a patient, and what went wrong on the way.

One rule for all sources: *nothing is lost*. An entry that came in is a fact of its family, or
``set_aside`` with the reason, or ``misread``. A field that cannot be read costs that field: the
entry is kept, names the field in its own ``misread`` and is then possible, never certain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import ValidationError

from ..errors import Problem
from ..model.patient import (
    FAMILIES,
    Allergy,
    Condition,
    Entry,
    Family,
    Immunization,
    Medication,
    Observation,
    Patient,
    Procedure,
)

MODELS: dict[Family, type[Entry]] = {
    "condition": Condition,
    "observation": Observation,
    "medication": Medication,
    "procedure": Procedure,
    "immunization": Immunization,
    "allergy": Allergy,
}
PLURALS: dict[str, Family] = {
    "conditions": "condition",
    "observations": "observation",
    "medications": "medication",
    "procedures": "procedure",
    "immunizations": "immunization",
    "allergies": "allergy",
}
FIELD_OF: dict[Family, str] = {family: plural for plural, family in PLURALS.items()}


@dataclass(frozen=True, slots=True)
class PatientInput:
    """One patient as read, the file (the first of several) and the problems met in reading it."""

    patient: Patient
    file: str
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Intake:
    """Counts of the entries a patient's record came from: ``entries`` is the sum of the other three.

    ``read`` are those in a family or a statement of absence, whether or not a concept claims them
    (that is the vocabulary's answer); ``misread`` those of which nothing could be read.
    """

    entries: int
    read: int
    misread: int
    set_aside: int


def intake(patient: Patient) -> Intake:
    """Count the entries behind a patient, each once.

    What one entry gave several facts (the components of a blood pressure) counts once: a pointer is
    the entry's own up to its ``#``. An entry with anything read is read; else, with anything
    misread, misread; else set aside.
    """
    read: set[str] = set()
    unnumbered = 0
    for family in FAMILIES:
        for fact in patient.family(family):
            if fact.source is None:
                unnumbered += 1
            else:
                read.add(entry_of(fact.source))
    read.update(entry_of(absence.source) for absence in patient.absences if absence.source is not None)
    unnumbered += sum(absence.source is None for absence in patient.absences)
    misread = {entry_of(bad.source) for bad in patient.misread} - read
    aside = {entry_of(one.source) for one in patient.set_aside} - read - misread
    count = len(read) + unnumbered
    return Intake(count + len(misread) + len(aside), count, len(misread), len(aside))


def entry_of(source: str) -> str:
    """The entry a pointer points into.

    >>> entry_of('Observation/1#component[0]')
    'Observation/1'
    """
    return source.partition("#")[0]


_GIVEN: dict[tuple[str, ...], set[str]] = {}
AnyEntry = TypeVar("AnyEntry", bound=Entry)


def build(model: type[AnyEntry], fields: dict[str, Any], misread: Sequence[str] = ()) -> tuple[AnyEntry, list[str]]:
    """An entry from its fields; those the model refuses are dropped, named in ``misread`` and returned.

    >>> entry, refused = build(Condition, {'text': 'lupus', 'status': 'sometimes'})
    >>> entry.misread, refused
    (('status',), ['status'])
    """
    refused: list[str] = []
    if misread:
        fields["misread"] = tuple(dict.fromkeys(misread))
    while True:
        try:
            entry = model.__pydantic_validator__.validate_python(fields)  # model_validate less its options
            # pydantic gives every entry a set of its own with the names it was given: a third of its memory,
            # and the same few sets in every chart. Entries are frozen, so they may share.
            names = tuple(fields)
            given = _GIVEN.get(names)
            if given is not None:
                object.__setattr__(entry, "__pydantic_fields_set__", given)
            elif len(_GIVEN) < 1000:  # a hand may write the names in any order
                _GIVEN[names] = entry.__pydantic_fields_set__
            return entry, refused
        except ValidationError as error:
            bad = [
                str(part["loc"][0]) for part in error.errors(include_url=False, include_context=False, include_input=False) if part["loc"]
            ]
            bad = [name for name in dict.fromkeys(bad) if name in fields]
            if not bad:
                raise
            for name in bad:
                del fields[name]
            refused.extend(bad)
            fields["misread"] = tuple(dict.fromkeys((*misread, *refused)))


def not_there(family: Family, status: str | None, verification: str | None = None) -> str | None:
    """Why an entry of this status is no entry at all (MEANING 4), or None.

    >>> not_there('medication', 'draft')
    'a draft'
    """
    if "entered-in-error" in (status, verification):
        return "entered in error"
    if status == "cancelled" and family in ("observation", "medication"):
        return "cancelled"
    if status == "draft" and family == "medication":
        return "a draft"
    return None
