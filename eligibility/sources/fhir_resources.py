"""One reader per kind of FHIR resource: what of it is a fact, what a statement, what is set aside.

Statuses follow MEANING 4. A status that FHIR requires and the entry lacks is *unknown*, so that a
blank can never make a fact more certain than the word it replaces. A modifier extension or a focus
on someone else can turn an entry's meaning round; the first makes it possible, the second sets it aside.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import did_you_mean
from ..model.patient import Coding, Family
from . import written
from .fhir_absence import read_absence_code, read_composition, read_list
from .fhir_chart import Chart, Item, contained, text_of
from .fhir_medications import read_administration, read_dispense, read_request, read_statement
from .fhir_results import answer, read_text, result
from .fhir_values import Resource
from .raw import Tree

Reader = Callable[[Item, Resource, Chart], None]

_CLINICAL = ("active", "recurrence", "relapse", "inactive", "remission", "resolved", "unknown")
_VERIFICATION = ("confirmed", "provisional", "differential", "unconfirmed", "refuted", "presumed", "entered-in-error")
_OBSERVATION = ("registered", "preliminary", "final", "amended", "corrected", "cancelled", "entered-in-error", "unknown")
_PROCEDURE = ("completed", "in-progress", "stopped", "not-done", "preparation", "on-hold", "unknown", "entered-in-error")
_IMMUNIZATION = ("completed", "not-done", "entered-in-error")


def status_of(resource: Resource, name: str, allowed: tuple[str, ...], blank: str | None, coded: bool = False) -> str | None:
    """A status word; ``blank`` where there is none, or none that is known."""
    word = resource.raw.get(name)
    if type(word) is str and word in allowed:
        return word
    word = resource.coded_word(name) if coded else resource.word(name)
    if word is None:
        return blank
    if word not in allowed:
        near = did_you_mean(word, allowed)
        resource.fail(name, "this status is not one of those FHIR R4 has" + (f"; {near}" if near else ""), "bad-choice")
        return blank
    return word


def verification_of(resource: Resource) -> str | None:
    """How sure an entry is. Absent is as good as confirmed; there and blank, or unreadable, is not."""
    word = status_of(resource, "verificationStatus", _VERIFICATION, None, coded=True)
    if word is None and resource.raw.get("verificationStatus") is not None:
        return "unconfirmed"
    return word


def put(fields: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Fields with those of ``more`` that have something in them."""
    for name, value in more.items():
        if value is not None and value != ():
            fields[name] = value
    return fields


# conditions and allergies


def read_condition(item: Item, resource: Resource, chart: Chart) -> None:
    verification = verification_of(resource)
    if verification == "entered-in-error":
        chart.set_aside(item, "entered in error")
        return
    codes, text = resource.concept("code")
    recorded = resource.moment("recordedDate")
    if verification != "refuted" and read_absence_code(codes, "condition", recorded, item, chart):
        return
    status = status_of(resource, "clinicalStatus", _CLINICAL, None, coded=True)
    _, start = resource.somewhen("onset", chart.birth)
    ended, end = resource.somewhen("abatement", chart.birth)
    if not ended and resource.raw.get("abatementBoolean") is True:
        ended = True
    if ended and status is None:
        status = "resolved"
    severity = text_of(*resource.concept("severity")) if "severity" in resource.raw else None
    fields = put(
        {}, codes=codes, text=text, start=start, end=end, recorded=recorded, status=status, verification=verification, severity=severity
    )
    chart.add("condition", fields, item, resource)


_REACTIONS = ("mild", "moderate", "severe")


def read_allergy(item: Item, resource: Resource, chart: Chart) -> None:
    verification = verification_of(resource)
    if verification == "entered-in-error":
        chart.set_aside(item, "entered in error")
        return
    codes, text = resource.concept("code")
    recorded = resource.moment("recordedDate")
    if verification != "refuted" and read_absence_code(codes, "allergy", recorded, item, chart):
        return
    status = status_of(resource, "clinicalStatus", ("active", "inactive", "resolved", "unknown"), None, coded=True)
    _, start = resource.somewhen("onset", chart.birth)
    grades = []
    for reaction in resource.objects("reaction"):
        if reaction.get("severity") in _REACTIONS:
            grades.append(_REACTIONS.index(reaction["severity"]))
        if not codes and text is None:
            codes, text = resource.concept_in(reaction.get("substance"), "reaction.substance")
    grade = _REACTIONS[max(grades)] if grades else None
    fields = put({}, codes=codes, text=text, start=start, recorded=recorded, status=status, verification=verification, grade=grade)
    chart.add("allergy", fields, item, resource)


# observations


def read_observation(item: Item, resource: Resource, chart: Chart, part: str = "") -> None:
    raw = resource.raw
    status = status_of(resource, "status", _OBSERVATION, "unknown")
    if status in ("entered-in-error", "cancelled"):
        chart.set_aside(item, "entered in error" if status == "entered-in-error" else "cancelled", part)
        return
    if raw.get("focus"):
        chart.set_aside(item, "about someone or something else than the patient (focus)", part)
        return
    codes, text = resource.concept("code")
    recorded = resource.moment("issued")
    dated, start = resource.somewhen("effective", chart.birth)
    if not dated and "effectiveTiming" in raw:
        start = _timing(resource)
    # written out where `put` would do: this is most of any chart
    common: dict[str, Any] = {"status": status}
    if start is not None:
        common["start"] = start
    if recorded is not None:
        common["recorded"] = recorded
    fields = {**common, **result(resource)}
    if codes:
        fields["codes"] = codes
    if text is not None:
        fields["text"] = text
    components = resource.objects("component") if "component" in raw else []
    if components:
        if "value" in fields:
            items = _score_items(components)
            if items:
                fields["items"] = items
        for index, component in enumerate(components):
            inner = Resource(component)
            inner_codes, inner_text = inner.concept("code")
            piece = put({**common, **result(inner)}, codes=inner_codes, text=inner_text)
            if "value" in fields and isinstance(piece.get("value"), float) and piece.get("unit") in (None, "1", "{score}", "{points}"):
                # beside a score a bare number is an item's points, kept in ``items``: 4 for proteinuria is no measured proteinuria
                continue
            chart.add("observation", piece, item, inner, f"{part}#component[{index}]" if not part else f"{part}.component[{index}]")
    panel = "value" not in fields and not resource.bad
    if panel and components:
        return  # a panel has no result of its own
    if panel and _members_known(resource, item, chart):
        chart.set_aside(item, "a panel: its results are entries of their own", part)
        return
    chart.add("observation", fields, item, resource, part)


def _members_known(resource: Resource, item: Item, chart: Chart) -> bool:
    members = resource.raw.get("hasMember")
    if not isinstance(members, list) or not members:
        return False
    return all(isinstance(one, dict) and isinstance(one.get("reference"), str) and chart.known(item, one["reference"]) for one in members)


def _timing(resource: Resource) -> Any:
    timing = resource.object("effectiveTiming")
    events = timing.get("event")
    days = [resource.moment_in(one, "effectiveTiming.event") for one in (events if isinstance(events, list) else [])]
    known = [day for day in days if day is not None]
    if not known or len(known) != len(days):
        resource.fail("effectiveTiming", "a schedule is no date of a result", "bad-date")
        return None
    first, last = min(known, key=lambda day: day.lo), max(known, key=lambda day: day.hi)
    return first if first == last else resource.span(first, last, "effectiveTiming")


def _score_items(components: list[dict[str, Any]]) -> dict[str, float]:
    """The parts of a score by name, where each component has a number of points."""
    items: dict[str, float] = {}
    for component in components:
        inner = Resource(component)
        codes, text = inner.concept("code")
        name = text_of(codes, text)
        points = result(inner).get("value")
        if name and isinstance(points, float):
            items["-".join(name.lower().split())[:200]] = points
    return items


def read_report(item: Item, resource: Resource, chart: Chart) -> None:
    """A DiagnosticReport: results of its own (contained), a conclusion where there are none, else an envelope."""
    raw = resource.raw
    status = status_of(resource, "status", (*_OBSERVATION, "partial", "appended"), "unknown")
    if status in ("entered-in-error", "cancelled"):
        chart.set_aside(item, "entered in error" if status == "entered-in-error" else "cancelled")
        return
    kept = 0
    elsewhere = 0
    missing = 0
    results = raw.get("result")
    for index, one in enumerate(results if isinstance(results, list) else []):
        reference = one.get("reference") if isinstance(one, dict) else None
        if not isinstance(reference, str):
            missing += 1
        elif reference.startswith("#"):
            held = contained(raw, reference[1:])
            if held is not None and held.get("resourceType") == "Observation":
                read_observation(item, Resource(held), chart, f"#result[{index}]")
                kept += 1
            else:
                missing += 1
        elif chart.known(item, reference):
            elsewhere += 1
        else:
            missing += 1
    if kept or (elsewhere and not missing):
        if not kept:
            chart.set_aside(item, "a report: its results are entries of their own")
        return
    if missing and not elsewhere:
        chart.complain(
            item, "result", "reference-to-nobody", "the report's results are not in the input", "give the file that holds them too"
        )
    codes, text = resource.concept("code")
    _, start = resource.somewhen("effective", chart.birth)
    fields = put({}, codes=codes, text=text, start=start, recorded=resource.moment("issued"))
    fields["status"] = {"partial": "preliminary", "appended": "amended"}.get(status or "", status)
    conclusion = raw.get("conclusion")
    words = written.clean(conclusion) if isinstance(conclusion, str) else ""
    if words:
        read_text(resource, "conclusion", words, fields)
    else:
        for coded in resource.objects("conclusionCode"):
            coded_words = answer(resource, coded, "conclusionCode")
            if isinstance(coded_words, str):
                read_text(resource, "conclusionCode", coded_words, fields)
                break
    chart.add("observation", fields, item, resource)


def read_questionnaire(item: Item, resource: Resource, chart: Chart) -> None:
    """A QuestionnaireResponse: every answered item is an observation, by its link, its text and its code."""
    status = status_of(resource, "status", ("in-progress", "completed", "amended", "entered-in-error", "stopped"), "unknown")
    if status == "entered-in-error":
        chart.set_aside(item, "entered in error")
        return
    state = {"completed": "final", "amended": "amended", "in-progress": "preliminary"}.get(status or "", "unknown")
    start = resource.moment("authored")
    form = resource.raw.get("questionnaire")
    system = written.clean(form).partition("|")[0] or None if isinstance(form, str) else None
    open_items: list[tuple[str, Tree]] = [(f"item[{index}]", one) for index, one in enumerate(resource.objects("item"))]
    answered = 0
    while open_items:
        place, one = open_items.pop(0)
        inner = one.get("item")
        if isinstance(inner, list):
            open_items[:0] = [(f"{place}.item[{index}]", sub) for index, sub in enumerate(inner) if isinstance(sub, dict)]
        answers = one.get("answer")
        for number, given in enumerate(answers if isinstance(answers, list) else [answers]):
            if not isinstance(given, dict):
                continue
            deeper = given.get("item")
            if isinstance(deeper, list):
                open_items[:0] = [
                    (f"{place}.answer[{number}].item[{index}]", sub) for index, sub in enumerate(deeper) if isinstance(sub, dict)
                ]
            piece = Resource({name: value for name, value in given.items() if name.startswith("value")})
            read = result(piece)
            if "value" not in read and not piece.bad:
                continue
            words = one.get("text")
            fields = put(
                {**read, "status": state},
                start=start,
                codes=_link(one.get("linkId"), system),
                text=written.clean(words) or None if isinstance(words, str) else None,
            )
            chart.add("observation", fields, item, piece, f"#{place}" if len(answers or ()) == 1 else f"#{place}.answer[{number}]")
            answered += 1
    if not answered:
        chart.set_aside(item, "a questionnaire without answers")


def _link(link: Tree, system: str | None) -> tuple[Coding, ...]:
    """An item's link as codes: the form's own, and LOINC where the link is a LOINC code, as LOINC's forms write it."""
    name = written.clean(link) if isinstance(link, str) else ""
    if not name:
        return ()
    last = name.rsplit("/", 1)[-1]
    own = (Coding(system=system, code=name),)
    stem, dash, check = last.partition("-")
    if dash and stem.isdigit() and 3 <= len(stem) <= 5 and len(check) == 1 and check.isdigit():
        return (Coding(system="http://loinc.org", code=last), *own)
    return own


# procedures and immunizations


def read_procedure(item: Item, resource: Resource, chart: Chart) -> None:
    status = status_of(resource, "status", _PROCEDURE, "unknown")
    if status == "entered-in-error":
        chart.set_aside(item, "entered in error")
        return
    codes, text = resource.concept("code")
    start = end = None
    if "performedPeriod" in resource.raw:
        start, end = resource.period("performedPeriod")
        if start is None and end is not None:
            start = resource.span(None, end, "performedPeriod")
    else:
        _, start = resource.somewhen("performed", chart.birth)
    if read_absence_code(codes, "procedure", start, item, chart):
        return
    fields = put({}, codes=codes, text=text, start=start, end=end, status=status)
    if status == "preparation":
        fields["planned"] = True
    chart.add("procedure", fields, item, resource)


def read_immunization(item: Item, resource: Resource, chart: Chart) -> None:
    status = status_of(resource, "status", _IMMUNIZATION, "unknown")
    if status == "entered-in-error":
        chart.set_aside(item, "entered in error")
        return
    codes, text = resource.concept("vaccineCode")
    _, start = resource.somewhen("occurrence", chart.birth)
    recorded = resource.moment("recorded")
    if read_absence_code(codes, "immunization", start or recorded, item, chart):
        return
    chart.add("immunization", put({}, codes=codes, text=text, start=start, recorded=recorded, status=status), item, resource)


READERS: dict[str, tuple[Family | None, Reader]] = {
    "Condition": ("condition", read_condition),
    "AllergyIntolerance": ("allergy", read_allergy),
    "Observation": ("observation", read_observation),
    "DiagnosticReport": ("observation", read_report),
    "QuestionnaireResponse": ("observation", read_questionnaire),
    "MedicationStatement": ("medication", read_statement),
    "MedicationRequest": ("medication", read_request),
    "MedicationAdministration": ("medication", read_administration),
    "MedicationDispense": ("medication", read_dispense),
    "Procedure": ("procedure", read_procedure),
    "Immunization": ("immunization", read_immunization),
    "List": (None, read_list),
    "Composition": (None, read_composition),
}
"""Kinds that are read, with the family their entries belong to."""

UNREAD: dict[str, str] = {
    "Encounter": "a visit: its diagnoses and procedures are entries of their own",
    "FamilyMemberHistory": "about a relative, not the patient",
    "ServiceRequest": "an order for a service; its result or procedure is an entry of its own",
    "Patient": "the patient: birth date, sex and death are read from it",
    "Medication": "describes a drug; whether it was taken is said elsewhere",
}
"""Why some kinds are set aside; of all others, no rule reads the kind."""


def foreign_version(raw: dict[str, Any], kind: str) -> str | None:
    """The FHIR version whose shape an entry has, where it is certainly not R4's.

    >>> foreign_version({'medication': {'concept': {}}}, 'MedicationRequest')
    'R5'
    """
    if kind == "Observation":  # most of any chart, and of one shape in every version
        return None
    if kind in ("MedicationOrder", "DeviceUseRequest"):
        return "DSTU2"
    if kind.startswith("Medication") and kind != "Medication":
        if isinstance(raw.get("medication"), dict):
            return "R5"
        if kind == "MedicationStatement" and "taken" in raw:
            return "STU3"
        if "wasNotTaken" in raw or "wasNotGiven" in raw:
            return "DSTU2"
        if "notGiven" in raw:
            return "STU3"
    if kind == "Procedure":
        if any(name.startswith("occurrence") for name in raw):
            return "R5"
        if "notDone" in raw or "notPerformed" in raw:
            return "STU3"
    if kind == "Immunization" and ("notGiven" in raw or "wasNotGiven" in raw):
        return "STU3"
    if kind in ("Condition", "AllergyIntolerance") and ("assertedDate" in raw or "dateRecorded" in raw):
        return "STU3"
    return None


FOREIGN_FAMILY: dict[str, Family | None] = {"MedicationOrder": "medication", "DeviceUseRequest": None}
"""Kinds that only other versions have, with the family their entries would belong to."""


def read_item(item: Item, chart: Chart) -> None:
    """Read one resource into the chart."""
    family, reader = READERS[item.kind]
    resource = Resource(item.body)
    if item.doubtful:
        resource.fail("id", "different entries have this id, and which of them holds cannot be told", "duplicate-id")
    if resource.raw.get("modifierExtension"):
        resource.fail("modifierExtension", "an extension may change what this entry means, and is not read", "modifier")
    if resource.raw.get("implicitRules"):
        resource.fail("implicitRules", "rules outside the file may change what this entry means", "modifier")
    try:
        reader(item, resource, chart)
    except (TypeError, ValueError, AttributeError, KeyError, IndexError, OverflowError, RecursionError):
        # readers are written not to raise; should one, its entry must not cost the rest of the record
        chart.complain(item, "", "misread", "this entry could not be read", "please report it, without the patient's data")
        chart.lost(item, family, "could not be read")
