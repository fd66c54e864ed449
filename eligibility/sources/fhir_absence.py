"""Statements of absence in FHIR: "no known ..." codes, and the reasons lists give for being empty.

Only what is stated counts. "No information", "not asked" and "withheld" are no absence. What a chart
says of *now* (no current problems, no current medicines) holds on its own day and says nothing of
the past; an undated one therefore says nothing at all.

Codes: the code system ``absent-unknown-uv-ips`` and its SNOMED CT map, International Patient Summary
Implementation Guide 1.0.0 and 2.0.0 (hl7.org/fhir/uv/ips); HL7 FHIR R4 examples ``nka``, ``nkda``,
``nkla``; reasons of ``list-empty-reason`` and sections by LOINC code, FHIR R4 and IPS.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..model.patient import Coding, Family, StatedAbsence
from ..model.time import When
from . import written
from .fhir_chart import Chart, Item
from .fhir_values import Resource
from .raw import Tree

_IPS = "http://hl7.org/fhir/uv/ips/CodeSystem/absent-unknown-uv-ips"
_SNOMED = "http://snomed.info/sct"


@dataclass(frozen=True, slots=True)
class Statement:
    """What a code says is not there. ``whole`` is False for a part of the family, ``lasting`` for the past too."""

    family: Family
    whole: bool
    lasting: bool


_ALLERGY = Statement("allergy", whole=True, lasting=True)
_SOME_ALLERGIES = Statement("allergy", whole=False, lasting=True)
_MEDICATION = Statement("medication", whole=True, lasting=False)
_PROBLEM = Statement("condition", whole=True, lasting=False)
_PROCEDURE = Statement("procedure", whole=True, lasting=True)
_VACCINE = Statement("immunization", whole=True, lasting=True)

_NONE_KNOWN: dict[tuple[str, str], Statement] = {
    (_IPS, "no-known-allergies"): _ALLERGY,
    (_IPS, "no-known-medication-allergies"): _SOME_ALLERGIES,
    (_IPS, "no-known-environmental-allergies"): _SOME_ALLERGIES,
    (_IPS, "no-known-food-allergies"): _SOME_ALLERGIES,
    (_IPS, "no-known-medications"): _MEDICATION,
    (_IPS, "no-known-problems"): _PROBLEM,
    (_IPS, "no-known-procedures"): _PROCEDURE,
    (_IPS, "no-known-immunizations"): _VACCINE,
    (_SNOMED, "716186003"): _ALLERGY,
    (_SNOMED, "409137002"): _SOME_ALLERGIES,
    (_SNOMED, "428607008"): _SOME_ALLERGIES,
    (_SNOMED, "429625007"): _SOME_ALLERGIES,
    (_SNOMED, "716184000"): _SOME_ALLERGIES,
    (_SNOMED, "787481004"): _MEDICATION,
    (_SNOMED, "160245001"): _PROBLEM,
    (_SNOMED, "787480003"): _PROCEDURE,
}
_NO_INFORMATION = {
    (_IPS, "no-allergy-info"),
    (_IPS, "no-medication-info"),
    (_IPS, "no-problem-info"),
    (_IPS, "no-procedure-info"),
    (_IPS, "no-immunization-info"),
    (_IPS, "no-device-info"),
    (_SNOMED, "1287211007"),
}
_SECTIONS: dict[str, Statement] = {
    "48765-2": _ALLERGY,
    "10160-0": _MEDICATION,
    "11450-4": _PROBLEM,
    "47519-4": _PROCEDURE,
    "11369-6": _VACCINE,
    # FHIR's own list-example-codes
    "allergies": _ALLERGY,
    "medications": _MEDICATION,
    "problems": _PROBLEM,
}
_SNOMED_OIDS = ("urn:oid:2.16.840.1.113883.6.96", "2.16.840.1.113883.6.96")


def read_absence_code(codes: tuple[Coding, ...], family: Family, dated: When | None, item: Item, chart: Chart) -> bool:
    """Whether an entry's code says that nothing is known; then it is kept as a statement or set aside, and no fact."""
    for coding in codes:
        pair = (_SNOMED if coding.system in _SNOMED_OIDS else coding.system or "", coding.code or "")
        if pair in _NO_INFORMATION:
            chart.set_aside(item, "says that there is no information")
            return True
        statement = _NONE_KNOWN.get(pair)
        if statement is not None and statement.family == family:
            state(statement, dated, coding.display, item, chart)
            return True
    return False


def state(statement: Statement, dated: When | None, text: str | None, item: Item, chart: Chart, part: str = "") -> None:
    """Keep a statement of absence as far as it reaches."""
    if not statement.whole:
        # of one kind of allergy only; taking it for all would be wrong, and no rule asks for the kind
        chart.set_aside(item, "states absence of one kind only", part)
        return
    if dated is None and not statement.lasting:
        chart.set_aside(item, "states absence at a time it does not name", part)
        return
    chart.absences.append(
        StatedAbsence(
            family=statement.family,
            kind="none-known",
            since=None if statement.lasting else dated,
            as_of=dated,
            text=text,
            source=item.pointer + part,
        )
    )


def read_list(item: Item, resource: Resource, chart: Chart) -> None:
    """A List: empty because nothing is known, or else nothing of its own."""
    status = resource.word("status")
    if status == "entered-in-error":
        chart.set_aside(item, "entered in error")
        return
    statement = _section(resource, resource.raw.get("code"))
    if (
        status == "current"
        and statement is not None
        and _nil_known(resource, resource.raw.get("emptyReason"))
        and not resource.raw.get("entry")
    ):
        state(statement, resource.moment("date"), _reason_text(resource.raw.get("emptyReason")), item, chart)
    else:
        chart.set_aside(item, "a list: what it names are entries of their own")


def read_composition(item: Item, resource: Resource, chart: Chart) -> None:
    """A Composition: its date is when the record was written; its sections may state absence."""
    status = resource.word("status")
    if status == "entered-in-error":
        chart.set_aside(item, "entered in error")
        return
    dated = resource.moment("date")
    if dated is not None and (chart.written is None or dated.hi > chart.written.hi):
        chart.written = dated
    stated = False
    sections: list[tuple[str, Tree]] = [(f"section[{index}]", one) for index, one in enumerate(resource.objects("section"))]
    while sections:
        place, section = sections.pop(0)
        inner = section.get("section")
        if isinstance(inner, list):
            sections.extend((f"{place}.section[{index}]", one) for index, one in enumerate(inner) if isinstance(one, dict))
        if status not in ("final", "amended") or section.get("entry") or not _nil_known(resource, section.get("emptyReason")):
            continue
        statement = _section(resource, section.get("code"))
        if statement is not None and (dated is not None or statement.lasting):
            state(statement, dated, _reason_text(section.get("emptyReason")), item, chart, f"#{place}")
            stated = True
    if not stated:
        chart.set_aside(item, "a document's outline: its sections' entries are entries of their own")


def _section(resource: Resource, code: Tree) -> Statement | None:
    codes, _ = resource.concept_in(code, "code")
    for coding in codes:
        if coding.code in _SECTIONS and (coding.system in (None, "http://loinc.org") or not coding.code[0].isdigit()):
            return _SECTIONS[coding.code]
    return None


def _nil_known(resource: Resource, reason: Tree) -> bool:
    if reason is None:
        return False
    codes, _ = resource.concept_in(reason, "emptyReason")
    return any(coding.code == "nilknown" for coding in codes)


def _reason_text(reason: Tree) -> str | None:
    text = reason.get("text") if isinstance(reason, dict) else None
    return written.clean(text)[:500] or None if isinstance(text, str) else None
