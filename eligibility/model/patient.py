"""The patient: what a chart says, as it says it.

Frozen, strict about types, forgiving about gaps: everything but the patient's id may be missing.
Field names are the field's own words (FHIR R4). Nothing here knows a criterion or a code list;
what a code means is the vocabulary's affair, what a record proves is the engine's.

A patient typed by hand is short, with concept names of ``rules/concepts/`` in place of codes::

    id: p1
    birth_date: 1977-03
    sex: female
    written: 2026-11-01
    conditions:
      - {concept: ms-secondary-progressive, start: 2019, status: active}
    observations:
      - {concept: edss, date: 2026-10-20, value: 5.5}
      - {concept: hemoglobin, date: 2026-10-20, value: 12.1, unit: g/dL}
    medications:
      - {concept: ocrelizumab, start: 2021-04-01, end: 2025-12-10, status: stopped}
    absences:
      - {family: allergy, kind: none-known, as_of: 2026-10-20}
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, Strict, StringConstraints

from .time import When

Family = Literal["condition", "observation", "medication", "procedure", "immunization", "allergy"]
FAMILIES: tuple[Family, ...] = ("condition", "observation", "medication", "procedure", "immunization", "allergy")

Text = Annotated[str, Strict(), StringConstraints(max_length=20_000)]
Number = Annotated[float, Strict(), Field(allow_inf_nan=False)]
Flag = Annotated[bool, Strict()]

CONCEPT_SYSTEM = "urn:eligibility:concept"
"""The project's own code system, read in every source: the code is a concept's name."""

Sex = Literal["female", "male", "other", "unknown"]
Verification = Literal["confirmed", "provisional", "differential", "unconfirmed", "presumed", "refuted", "entered-in-error"]
Outcome = Literal["response", "inadequate-response", "loss-of-response", "intolerance"]


class Frozen(BaseModel):
    """Base of the model: frozen, unknown fields refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Coding(Frozen):
    """A code with the system it is from; ``system`` is a URI, an OID or a short name (``icd10cm``)."""

    system: Text | None = None
    code: Text | None = None
    display: Text | None = None


class Quantity(Frozen):
    """A number with its unit as the source wrote it, and the comparator of a bounded result."""

    value: Number
    unit: Text | None = None
    comparator: Literal["<", "<=", ">", ">="] | None = None


class ReferenceRange(Frozen):
    """The laboratory's own limits, reported with a result, in the result's unit unless they say their own."""

    low: Number | None = None
    high: Number | None = None
    unit: Text | None = None
    text: Text | None = None


class Entry(Frozen):
    """What every entry of a chart has: what it is about, when, how sure, and where it stands.

    ``start`` and ``end`` are intervals; a point event has a start alone. ``recorded`` is the day of
    writing it down, which bounds the start from above. ``event`` numbers the event where the source
    does: same number, same event. ``misread`` names fields that were there and could not be read.
    """

    concept: Text | None = None
    codes: tuple[Coding, ...] = ()
    text: Text | None = None
    start: When | None = None
    end: When | None = None
    recorded: When | None = None
    event: Text | None = None
    source: Text | None = None
    misread: tuple[Text, ...] = ()


class Condition(Entry):
    """A problem, diagnosis or event. ``status`` is the clinical status, ``verification`` how sure."""

    status: Literal["active", "recurrence", "relapse", "inactive", "remission", "resolved", "unknown"] | None = None
    verification: Verification | None = None
    grade: Text | None = None
    severity: Text | None = None


class Observation(Entry):
    """A result: laboratory, score, scan count, sign.

    ``value`` is a number (with ``unit``), a quantity, or text as reported (``positive``, ``1:80``,
    ``<0.5``, ``IIIb``). ``items`` are the parts of a score by name.
    """

    value: Number | Flag | Quantity | Text | None = None
    unit: Text | None = None
    range: ReferenceRange | None = None
    interpretation: Literal["high", "low", "normal", "abnormal", "positive", "negative", "indeterminate"] | None = None
    items: dict[Text, Number] = {}
    status: Literal["registered", "preliminary", "final", "amended", "corrected", "cancelled", "entered-in-error", "unknown"] | None = None


class Medication(Entry):
    """A course, order, dispense or administration of a drug.

    ``dose`` is per day (``mg/day``, ``mg/kg/day``) or per intake together with ``per_day`` intakes;
    ``supply`` is days of stock from the start, for orders and dispenses that name no end.
    """

    status: (
        Literal["active", "completed", "on-hold", "stopped", "not-taken", "unknown", "draft", "cancelled", "intended", "entered-in-error"]
        | None
    ) = None
    kind: Literal["statement", "order", "dispense", "administration"] = "statement"
    dose: Quantity | None = None
    per_day: Number | None = None
    route: Text | None = None
    outcome: tuple[Outcome, ...] = ()
    reason_stopped: Text | None = None
    supply: Number | None = None
    planned: Flag = False


class Procedure(Entry):
    """Something done to the patient."""

    status: Literal["completed", "in-progress", "stopped", "not-done", "preparation", "on-hold", "unknown", "entered-in-error"] | None = (
        None
    )
    planned: Flag = False


class Immunization(Entry):
    """A vaccine given, or planned."""

    status: Literal["completed", "not-done", "unknown", "entered-in-error"] | None = None
    planned: Flag = False


class Allergy(Entry):
    """An allergy or intolerance."""

    status: Literal["active", "inactive", "resolved", "unknown"] | None = None
    verification: Verification | None = None
    grade: Text | None = None


class StatedAbsence(Frozen):
    """The chart says that something is not there: it is silence that counts (MEANING 5).

    ``none-known`` ("no known allergies", of one concept or a whole family), ``complete`` (a section
    stated to list everything), ``coverage`` (a site's declaration). It holds from ``since`` (birth if
    not said) to ``as_of`` (the day the record was written if not said) and no later.
    """

    family: Family
    kind: Literal["none-known", "complete", "coverage"] = "none-known"
    concept: Text | None = None
    since: When | None = None
    as_of: When | None = None
    text: Text | None = None
    source: Text | None = None


DEATH_UNREAD = When.parse("1800/")
"""A death that may be: a word on it stands in the record and could not be read. It may lie anywhere, ahead too."""


class SetAside(Frozen):
    """An entry no rule may read, and why."""

    source: Text
    why: Text


class Misread(Frozen):
    """An entry that could not be understood at all; it may stand for anything of its family.

    ``family`` None means that not even the family could be told.
    """

    source: Text
    family: Family | None = None
    text: Text | None = None
    why: Text


class Patient(Frozen):
    """One person's record.

    ``birth_date`` and ``sex`` may be several where sources differ; the engine then reads them as a
    set of alternatives. ``deceased`` is a date, or True where only the fact is known; ``1800/``
    (at some time, or not yet) is a word on death that could not be read. ``written`` is when the
    record was written. ``entries`` counts what came in, for the ledger.
    """

    id: Text
    birth_date: tuple[When, ...] = ()
    sex: tuple[Sex, ...] = ()
    deceased: When | Flag | None = None
    written: When | None = None
    conditions: tuple[Condition, ...] = ()
    observations: tuple[Observation, ...] = ()
    medications: tuple[Medication, ...] = ()
    procedures: tuple[Procedure, ...] = ()
    immunizations: tuple[Immunization, ...] = ()
    allergies: tuple[Allergy, ...] = ()
    absences: tuple[StatedAbsence, ...] = ()
    set_aside: tuple[SetAside, ...] = ()
    misread: tuple[Misread, ...] = ()

    def family(self, family: Family) -> tuple[Any, ...]:
        """The entries of one family."""
        return getattr(self, _PLURAL[family])  # type: ignore[no-any-return]


_PLURAL: dict[Family, str] = {
    "condition": "conditions",
    "observation": "observations",
    "medication": "medications",
    "procedure": "procedures",
    "immunization": "immunizations",
    "allergy": "allergies",
}
