"""The four medication resources: which drug, when, how much a day, and on whose word.

A dose is given only where the instruction fixes one; a range, "as needed" or a tapering scheme has
no single daily dose and leaves it unknown. ``completed`` of a dispense speaks of the handing over
and not of the course, so it is no end.
"""

from __future__ import annotations

from math import ceil
from typing import Any, get_args

from ..errors import did_you_mean
from ..model.patient import Coding, Outcome, Quantity
from ..model.time import Duration, When, date_of
from . import written
from .fhir_absence import read_absence_code
from .fhir_chart import Chart, Drug, Item, text_of
from .fhir_values import Resource, age, decimal, quantity, unit_of
from .raw import Tree

_STATEMENT = {
    "active": "active",
    "completed": "completed",
    "intended": "intended",
    "stopped": "stopped",
    "on-hold": "on-hold",
    "unknown": "unknown",
    "not-taken": "not-taken",
}
_REQUEST = {
    "active": "active",
    "completed": "completed",
    "stopped": "stopped",
    "on-hold": "on-hold",
    "unknown": "unknown",
}
_ADMINISTRATION = {
    "in-progress": "active",
    "completed": "completed",
    "stopped": "stopped",
    "on-hold": "on-hold",
    "not-done": "not-taken",
    "unknown": "unknown",
}
_DISPENSE = {
    "in-progress": "active",
    "completed": None,
    "stopped": "stopped",
    "on-hold": "on-hold",
    "unknown": "unknown",
    "preparation": None,
}
_GONE = {
    "entered-in-error": "entered in error",
    "draft": "a draft",
    "cancelled": "cancelled",
    "declined": "declined: it was not dispensed",
}


def _status(item: Item, resource: Resource, chart: Chart, known: dict[str, Any]) -> tuple[bool, str | None]:
    """Whether the entry is there at all, and its status as our model has it."""
    word = resource.word("status")
    if word is None:
        return True, "unknown"
    gone = _GONE.get(word)
    if gone is not None:
        chart.set_aside(item, gone)
        return False, None
    if word not in known:
        near = did_you_mean(word, known)
        resource.fail("status", "this status is not one of those FHIR R4 has" + (f"; {near}" if near else ""), "bad-choice")
        return True, "unknown"
    return True, known[word]


def _drug(item: Item, resource: Resource, chart: Chart) -> Drug:
    if "medicationCodeableConcept" in resource.raw:
        codes, text = resource.concept("medicationCodeableConcept")
        return Drug(codes, text)
    return chart.drug(resource.raw.get("medicationReference"), item, resource)


def described(body: dict[str, Any], resource: Resource) -> Drug:
    """The drug a Medication resource describes; what cannot be read in it is noted on the resource that refers to it."""
    inner = Resource(body, resource.bad)
    if inner.word("status") == "entered-in-error":
        resource.fail("medicationReference", "the drug it refers to was entered in error")
        return Drug((), None)
    before = len(resource.bad)
    codes, text = inner.concept("code")
    ingredients = inner.objects("ingredient")
    listed: list[Coding] = list(codes)
    names: list[str] = []
    for one in ingredients:
        more, words = inner.concept_in(one.get("itemCodeableConcept"), "ingredient.itemCodeableConcept")
        listed.extend(coding for coding in more if coding not in listed)
        if words or (not more and not words):
            names.append(words or "")
    if text is None and not codes and any(names):
        text = "; ".join(name for name in names if name)
    strength = None
    if len(ingredients) == 1:
        ratio = ingredients[0].get("strength")
        if isinstance(ratio, dict):
            top, bottom = quantity(ratio.get("numerator")), quantity(ratio.get("denominator"))
            if top is not None and top.unit and bottom is not None and bottom.value == 1 and top.comparator is bottom.comparator is None:
                strength = (top.value, top.unit)
    resource.bad[before:] = [(f"medicationReference.{path}", code, message) for path, code, message in resource.bad[before:]]
    return Drug(tuple(listed), text, strength, len(ingredients))


def _finish(item: Item, resource: Resource, chart: Chart, drug: Drug, fields: dict[str, Any], dosages: str | list[dict[str, Any]]) -> None:
    listed = resource.objects(dosages) if isinstance(dosages, str) else dosages
    name = dosages if isinstance(dosages, str) else "dosage"
    amount, often, route, first, last = instruction(resource, listed, name, drug, fields.get("start"))
    more: dict[str, Any] = {"codes": drug.codes, "text": drug.text, "dose": amount, "per_day": often, "route": route}
    if first is not None and (fields.get("start") is None or fields.get("kind") == "order"):
        more["start"] = first
    if last is not None and fields.get("end") is None:
        more["end"] = last
    more["outcome"] = _outcome(resource)
    for key, value in more.items():
        if value is not None and value != ():
            fields[key] = value
    chart.add("medication", {key: value for key, value in fields.items() if value is not None}, item, resource)


def _reason(resource: Resource) -> str | None:
    for name in ("statusReason", "reasonNotGiven"):
        value = resource.raw.get(name)
        if value is None:
            continue
        for one in value if isinstance(value, list) else [value]:
            words = text_of(*resource.concept_in(one, name))
            if words:
                return words
    return text_of(*resource.concept("statusReasonCodeableConcept"))


OUTCOME_SYSTEM = "urn:eligibility:outcome"
"""The project's own codes for how a treatment ended, read in every reason for a status."""


def _outcome(resource: Resource) -> tuple[Outcome, ...]:
    found: dict[Outcome, None] = {}
    for name in ("statusReason", "statusReasonCodeableConcept"):
        value = resource.raw.get(name)
        if value is None:
            continue
        for one in value if isinstance(value, list) else [value]:
            for coding in resource.concept_in(one, name)[0]:
                if coding.system == OUTCOME_SYSTEM and coding.code in get_args(Outcome):
                    found[coding.code] = None  # type: ignore[index]
    return tuple(found)


def _course(resource: Resource, stem: str) -> tuple[When | None, When | None]:
    """Start and end of a course given as one date or a period."""
    if stem + "Period" in resource.raw:
        start, end = resource.period(stem + "Period")
        if start is None and end is not None:
            start = resource.span(None, end, stem + "Period")
        return start, end
    for kind in ("DateTime", "Date", "Instant"):
        if stem + kind in resource.raw:
            return resource.moment(stem + kind), None
    return None, None


def read_statement(item: Item, resource: Resource, chart: Chart) -> None:
    there, status = _status(item, resource, chart, _STATEMENT)
    if not there:
        return
    drug = _drug(item, resource, chart)
    start, end = _course(resource, "effective")
    recorded = resource.moment("dateAsserted")
    if read_absence_code(drug.codes, "medication", recorded or start, item, chart):
        return
    fields: dict[str, Any] = {"kind": "statement", "status": status, "start": start, "end": end, "recorded": recorded}
    if status == "intended":
        fields["planned"] = True
    fields["reason_stopped"] = _reason(resource)
    _finish(item, resource, chart, drug, fields, "dosage")


def read_request(item: Item, resource: Resource, chart: Chart) -> None:
    there, status = _status(item, resource, chart, _REQUEST)
    if not there:
        return
    drug = _drug(item, resource, chart)
    authored = resource.moment("authoredOn")
    if read_absence_code(drug.codes, "medication", authored, item, chart):
        return
    fields: dict[str, Any] = {"kind": "order", "status": status, "start": authored, "recorded": None}
    intent = resource.word("intent")
    if intent in ("proposal", "plan", "option"):
        fields["planned"] = True
        fields["recorded"], fields["start"] = authored, None  # the day of writing is not the day planned for
    elif intent is not None and intent not in ("order", "original-order", "reflex-order", "filler-order", "instance-order"):
        resource.fail("intent", "no intent that FHIR R4 has for a request for a medication")
    if resource.flag("doNotPerform"):
        fields["status"] = "not-taken"
        fields.pop("planned", None)
        fields["start"] = authored
    fields["reason_stopped"] = _reason(resource)
    fields["supply"] = _supply(resource)
    _finish(item, resource, chart, drug, fields, "dosageInstruction")


def read_administration(item: Item, resource: Resource, chart: Chart) -> None:
    there, status = _status(item, resource, chart, _ADMINISTRATION)
    if not there:
        return
    drug = _drug(item, resource, chart)
    start, end = _course(resource, "effective")
    fields: dict[str, Any] = {"kind": "administration", "status": status, "start": start, "end": end}
    fields["reason_stopped"] = _reason(resource)
    given = resource.object("dosage")
    if given:
        # an administration holds one dose, where an instruction holds dose and rate
        given = {"route": given.get("route"), "doseAndRate": [{"doseQuantity": given.get("dose")}]}
    _finish(item, resource, chart, drug, fields, [given] if given else [])


def read_dispense(item: Item, resource: Resource, chart: Chart) -> None:
    there, status = _status(item, resource, chart, _DISPENSE)
    if not there:
        return
    drug = _drug(item, resource, chart)
    handed = resource.moment("whenHandedOver")
    prepared = resource.moment("whenPrepared")
    fields: dict[str, Any] = {"kind": "dispense", "status": status, "start": handed or prepared}
    if resource.word("status") == "preparation" and handed is None:
        fields["planned"], fields["start"] = True, None
    fields["reason_stopped"] = _reason(resource)
    fields["supply"] = _days(resource.raw.get("daysSupply"))
    _finish(item, resource, chart, drug, fields, "dosageInstruction")


def _supply(resource: Resource) -> float | None:
    """Days an order provides for; with repeats it is not said how many were fetched."""
    request = resource.object("dispenseRequest")
    if decimal(request.get("numberOfRepeatsAllowed")) not in (None, 0.0):
        return None
    return _days(request.get("expectedSupplyDuration"))


def _days(duration: Tree) -> float | None:
    """A duration in days, where it is days or weeks."""
    read = age(duration)
    if read is None:
        # days are often counted bare: {"value": 30, "unit": "Day"} or {"value": 30}
        count = decimal(duration.get("value")) if isinstance(duration, dict) else None
        return count if count is not None and count > 0 and unit_of(duration) in (None, "1", "Day", "Days", "{day}") else None
    count, unit, comparator = read
    if comparator is not None or count <= 0 or unit not in ("day", "week"):
        return None
    return count * (7 if unit == "week" else 1)


# dosage

_TIMING_CODES = {
    "QD": 1.0,
    "AM": 1.0,
    "PM": 1.0,
    "BED": 1.0,
    "BID": 2.0,
    "TID": 3.0,
    "QID": 4.0,
    "QOD": 0.5,
    "Q1H": 24.0,
    "Q2H": 12.0,
    "Q3H": 8.0,
    "Q4H": 6.0,
    "Q6H": 4.0,
    "Q8H": 3.0,
    "Q12H": 2.0,
    "WK": 1 / 7,
}
_VARYING = frozenset(("frequencyMax", "periodMax", "count", "countMax"))
_PERIODS = {"min": 1440.0, "h": 24.0, "d": 1.0, "wk": 1 / 7}

Instruction = tuple[Quantity | None, float | None, str | None, When | None, When | None]


def instruction(resource: Resource, dosages: list[dict[str, Any]], name: str, drug: Drug, start: When | None) -> Instruction:
    """Dose, intakes a day, route, and the bounds of the course that begins at ``start``, as far as the dosages fix them."""
    if not dosages:
        return None, None, None, None, None
    routes = {text_of(*resource.concept_in(one.get("route"), f"{name}.route")) for one in dosages}
    route = routes.pop() if len(routes) == 1 else None
    first = last = None
    if len(dosages) == 1:
        first, last = _bounds(resource, dosages[0], name, start)
        amount, often = _one(resource, dosages[0], drug, name)
        return amount, often, route, first, last
    if len({_sequence(one) for one in dosages}) != 1 or _sequence(dosages[0]) is None:
        return None, None, route, None, None  # one after the other, or not said: no single dose
    parts = [_one(resource, one, drug, name) for one in dosages]
    total = 0.0
    unit = None
    for amount, often in parts:
        if amount is None or often is None or amount.comparator is not None or (unit is not None and amount.unit != unit):
            return None, None, route, None, None
        unit = amount.unit
        total += amount.value * often
    return Quantity(value=total, unit=f"{unit}/day" if unit else None), None, route, None, None


def _sequence(dosage: dict[str, Any]) -> float | None:
    return decimal(dosage.get("sequence"))


def _one(resource: Resource, dosage: dict[str, Any], drug: Drug, name: str) -> tuple[Quantity | None, float | None]:
    rates = dosage.get("doseAndRate")
    rates = [rates] if isinstance(rates, dict) else rates if isinstance(rates, list) else []
    if "doseQuantity" in dosage and not rates:
        rates = [dosage]  # before R4 the dose stood here
    amount = None
    if len(rates) == 1 and isinstance(rates[0], dict):
        raw = rates[0].get("doseQuantity")
        if raw is not None:
            amount = quantity(raw)
            if amount is None and (not isinstance(raw, dict) or raw.get("value") is not None):
                resource.fail(f"{name}.doseAndRate", "this is no dose that can be read", "bad-dose")
    often = _frequency(dosage)
    text = dosage.get("text") if dosage.get("asNeededBoolean") is not True and _regular(dosage.get("timing")) else None
    if amount is None and not rates and often is None and isinstance(text, str):
        try:
            return written.dose(written.clean(text))
        except ValueError:
            return None, None  # free text that fixes no dose
    if amount is not None and drug.ingredients > 1:
        return None, often  # of which ingredient?
    if amount is not None and drug.strength is not None and _counts_units(amount.unit):
        strength, unit = drug.strength
        amount = Quantity(value=amount.value * strength, unit=unit, comparator=amount.comparator)
    return amount, often


def _counts_units(unit: str | None) -> bool:
    word = (unit or "1").lower().strip("{}[]s()")
    return word in ("1", "tab", "tablet", "tbl", "cap", "capsule", "vial", "ampoule", "amp", "film-coated tablet", "dose")


def _frequency(dosage: dict[str, Any]) -> float | None:
    if dosage.get("asNeededBoolean") is True or dosage.get("asNeededCodeableConcept"):
        return None
    timing = dosage.get("timing")
    if not _regular(timing) or not isinstance(timing, dict):
        return None
    repeat = timing.get("repeat")
    if isinstance(repeat, dict):
        if not _VARYING.isdisjoint(repeat):
            return None
        period = decimal(repeat.get("period", 1))
        unit = repeat.get("periodUnit", "d" if "timeOfDay" in repeat or "when" in repeat else None)
        per = _PERIODS.get(unit) if isinstance(unit, str) else None
        for name, count in (("timeOfDay", None), ("when", None), ("dayOfWeek", 1 / 7)):
            listed = repeat.get(name)
            if isinstance(listed, list) and listed and "frequency" not in repeat:
                return len(listed) * count if count else len(listed) / period * per if per and period else None
        times = decimal(repeat.get("frequency", 1 if "period" in repeat else None))
        if times is not None and period and per is not None and times > 0 and period > 0:
            return times / period * per
    code = timing.get("code")
    if isinstance(code, dict):
        codings = code.get("coding")
        for coding in codings if isinstance(codings, list) else []:
            word = coding.get("code") if isinstance(coding, dict) else None
            if isinstance(word, str) and word.upper() in _TIMING_CODES:
                return _TIMING_CODES[word.upper()]
        text = code.get("text")
        if isinstance(text, str):
            return written.per_day(written.clean(text))
    return None


_ANY_MEAL = {"AC", "C", "PC"}


def _regular(timing: Tree) -> bool:
    """Whether what is said of times leaves a frequency its plain meaning.

    It does not where there are dates, certain days of the week beside another count than one a week for
    each, clock times that do not add up to the frequency, or intakes that last for days.
    """
    if isinstance(timing, dict) and timing.get("event"):
        return False
    repeat = timing.get("repeat") if isinstance(timing, dict) else None
    if not isinstance(repeat, dict):
        return True
    days, times, meals = (_listed(repeat.get(name)) for name in ("dayOfWeek", "timeOfDay", "when"))
    count, period, unit = decimal(repeat.get("frequency")), decimal(repeat.get("period", 1)), repeat.get("periodUnit")
    if days and len(days) < 7:
        weekly = unit == "wk" or (unit is None and "period" not in repeat)
        if times or meals or not weekly or (count != len(days) if "frequency" in repeat else period != 1):
            return False
    if times and count is not None and unit == "d" and (count != len(times) or period != 1):
        return False
    if "frequency" not in repeat and _ANY_MEAL & meals:
        return False  # at how many meals?
    return repeat.get("durationUnit") not in ("d", "wk", "mo", "a")


def _listed(value: Tree) -> set[str]:
    return {one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)}


def _bounds(resource: Resource, dosage: dict[str, Any], name: str, start: When | None) -> tuple[When | None, When | None]:
    timing = dosage.get("timing")
    repeat = timing.get("repeat") if isinstance(timing, dict) else None
    if not isinstance(repeat, dict):
        return None, None
    place = f"{name}.timing.repeat."
    if "boundsPeriod" in repeat:
        return resource.period_in(repeat["boundsPeriod"], place + "boundsPeriod")
    for kind in ("boundsDuration", "boundsRange"):
        said = repeat.get(kind)
        if said is not None:
            least, most = (said.get("low"), said.get("high")) if kind == "boundsRange" and isinstance(said, dict) else (said, said)
            return None, _after(resource, start, least, most, place + kind)
    return None, None


def _after(resource: Resource, start: When | None, least: Tree, most: Tree, place: str) -> When | None:
    """The end of a course of so long: ten days from the 1st end on the 10th, or on the 11th if counted by the hour."""
    low, high = (None if one is None else _length(one) for one in (least, most))
    if (low is None and least is not None) or (high is None and most is not None) or least is most is None:
        resource.fail(place, "a course is as long as a number of years, months, weeks, days or hours", "bad-date")
        return None
    if start is None:
        return None
    first, last = start.days()
    try:
        lo = first if low is None or low[1] in ("<", "<=") else max(first, low[0].on(first) - 1)
        hi = None if high is None or high[1] in (">", ">=") else high[0].on(last)
        return When.parse(f"{date_of(lo).isoformat()}/{date_of(hi).isoformat() if hi is not None else ''}")
    except (ValueError, OverflowError):
        return None  # a start without one of its ends, or a course beyond the calendar


def _length(value: Tree) -> tuple[Duration, str | None] | None:
    """How long a course lasts, with its comparator; hours and less as the days that they touch."""
    read = age(value)
    if read is not None:
        count, unit, comparator = read
        return Duration(ceil(count), unit), comparator  # type: ignore[arg-type]
    count_of = decimal(value.get("value")) if isinstance(value, dict) else None
    part = _PARTS_OF_DAY.get(unit_of(value) or "") if isinstance(value, dict) else None
    if count_of is None or part is None or not 0 <= count_of <= 1e6 or value.get("comparator") is not None:
        return None
    return Duration(ceil(count_of / part), "day"), None


_PARTS_OF_DAY = {"h": 24, "min": 1440, "s": 86400}
