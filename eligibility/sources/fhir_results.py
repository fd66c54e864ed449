"""Results of FHIR observations: value, unit, range and interpretation, in the words of our model.

A number keeps its unit, a comparator stays with its number, coded answers become their words (or
their score, where the code carries one). Two values, or two interpretations that contradict each
other, are no result: none is picked.
"""

from __future__ import annotations

import re
from math import isfinite
from typing import Any

from ..model.patient import Quantity, ReferenceRange
from . import written
from .fhir_values import Resource, decimal, quantity, unit_of
from .raw import Tree

_ORDINAL = ("http://hl7.org/fhir/StructureDefinition/ordinalValue", "http://hl7.org/fhir/StructureDefinition/itemWeight")
_TAG = re.compile(r" \((?:qualifier value|finding|situation|disorder)\)$")
_STANDARD = ("http://snomed.info/sct", "http://loinc.org")


def answer(resource: Resource, value: Tree, name: str) -> float | str | None:
    """A coded result: its score where the code carries one, else its words, else the bare code."""
    if isinstance(value, dict):
        codings = value.get("coding") if "coding" in value else [value]
        for item in codings if isinstance(codings, list) else []:
            for extension in item.get("extension", ()) if isinstance(item, dict) and isinstance(item.get("extension"), list) else ():
                if isinstance(extension, dict) and extension.get("url") in _ORDINAL:
                    score = decimal(extension.get("valueDecimal"))
                    if score is not None:
                        return score
    codes, text = resource.concept_in(value, name)
    standard = [coding for coding in codes if coding.system in _STANDARD and coding.display]
    for coding in (*standard, *codes):
        if coding.display:
            return _TAG.sub("", coding.display)
    if text:
        return text
    bare = next((coding.code for coding in codes if coding.code), None)
    # digits of a code are no number: 10828004 without its words must not be read as a result of ten million
    return f"code {bare}" if bare is not None and bare[:1].isdigit() else bare


_INTERPRETATION: dict[str, str] = {
    **dict.fromkeys(("h", "hh", "hu", ">", "hx", "high", "critical high"), "high"),
    **dict.fromkeys(("l", "ll", "lu", "<", "lx", "low", "critical low"), "low"),
    **dict.fromkeys(("n", "normal"), "normal"),
    **dict.fromkeys(("a", "aa", "abnormal"), "abnormal"),
    **dict.fromkeys(("pos", "positive", "det", "detected", "rr", "reactive", "wr"), "positive"),
    **dict.fromkeys(("neg", "negative", "nd", "not detected", "nr", "non-reactive"), "negative"),
    **dict.fromkeys(("ind", "indeterminate", "e", "equivocal"), "indeterminate"),
}


def result(resource: Resource) -> dict[str, Any]:
    """Value, unit, range and interpretation of an Observation or a component, as far as given."""
    raw = resource.raw
    out: dict[str, Any] = {}
    keys = "".join(raw)
    if keys.count("value") == 1 and "valueQuantity" in raw:  # nearly every result, told without a look at each key
        names = [] if raw["valueQuantity"] is None else ["valueQuantity"]
    else:
        names = [name for name in raw if name.startswith("value") and raw[name] is not None]
    if len(names) > 1:
        resource.fail("value[x]", "there are two values of different kinds", "bad-value")
    elif names:
        _value(resource, names[0], raw[names[0]], out)
    if "interpretation" in raw:
        words = set()
        for item in resource.objects("interpretation"):
            codes, text = resource.concept_in(item, "interpretation")
            for word in (*(part for coding in codes for part in (coding.code, coding.display)), text):
                found = _INTERPRETATION.get(word.lower()) if word else None
                if found:
                    words.add(found)
                    break
        if len(words) > 1:
            words -= {"abnormal"}  # says less than the other
        if len(words) == 1:
            out["interpretation"] = words.pop()
        elif words:
            resource.fail("interpretation", "the interpretations contradict each other", "bad-value")
    if "referenceRange" in raw:
        found_range = _range(resource)
        if found_range is not None:
            out["range"] = found_range
    if "value" in out and raw.get("dataAbsentReason"):
        del out["value"]
        resource.fail("value[x]", "a value and a reason for there being none stand side by side", "bad-value")
    return out


def _value(resource: Resource, name: str, value: Tree, out: dict[str, Any]) -> None:
    if name == "valueQuantity":
        if isinstance(value, dict) and "comparator" not in value and isinstance(value.get("value"), float) and isfinite(value["value"]):
            out["value"] = value["value"]  # nearly every result
            unit = unit_of(value)
            if unit is not None:
                out["unit"] = unit
            return
        read = quantity(value)
        if read is not None:
            _measure(read, out)
        elif not isinstance(value, dict) or value.get("value") is not None:
            resource.fail(name, "this is no quantity that can be read", "bad-value")
    elif name in ("valueCodeableConcept", "valueCoding"):
        coded = answer(resource, value, name)
        if isinstance(coded, str):
            read_text(resource, name, coded, out)
        elif coded is not None:
            out["value"] = coded
    elif name in ("valueString", "valueMarkdown"):
        if not isinstance(value, str):
            resource.fail(name, "a text belongs here", "bad-value")
            return
        text = written.clean(value)
        if text:
            read_text(resource, name, text, out)
    elif name == "valueBoolean":
        if isinstance(value, bool):
            out["value"] = value
        else:
            resource.fail(name, "true or false belongs here", "bad-value")
    elif name in ("valueInteger", "valueDecimal"):
        amount = decimal(value)
        if amount is None:
            resource.fail(name, "a number belongs here", "bad-value")
        else:
            out["value"] = amount
    elif name == "valueRange":
        _value_range(resource, name, value, out)
    elif name == "valueRatio":
        _value_ratio(resource, name, value, out)
    elif name in ("valueDateTime", "valueDate", "valueTime", "valueInstant"):
        if isinstance(value, str) and value.strip():
            out["value"] = written.clean(value)
        else:
            resource.fail(name, "a date or time is text", "bad-value")
    elif name == "valuePeriod":
        span = resource.span(*resource.period_in(value, name), name)
        if span is not None:
            out["value"] = span.text
    else:
        resource.fail(name, "values of this kind are not read", "bad-value")


def read_text(resource: Resource, name: str, text: str, out: dict[str, Any]) -> None:
    """A result in words into ``value`` (and ``unit``): a number where the words are one."""
    try:
        read = written.measured(text)
    except ValueError as error:
        resource.fail(name, str(error), "bad-value")
        return
    if isinstance(read, Quantity):
        _measure(read, out)
    else:
        out["value"] = read


def _measure(read: Quantity, out: dict[str, Any]) -> None:
    if read.comparator is None:
        out["value"] = read.value
        if read.unit is not None:
            out["unit"] = read.unit
    else:
        out["value"] = read


def _value_range(resource: Resource, name: str, value: Tree, out: dict[str, Any]) -> None:
    low, high = (quantity(value.get(part)) for part in ("low", "high")) if isinstance(value, dict) else (None, None)
    if low is not None and high is not None:
        out["value"] = f"{low.value:.9g}-{high.value:.9g}"  # an interval stays text: the vocabulary reads its two ends
        unit = low.unit or high.unit
        if unit:
            out["unit"] = unit
    elif low is not None:
        out["value"] = Quantity(value=low.value, unit=low.unit, comparator=">=")
    elif high is not None:
        out["value"] = Quantity(value=high.value, unit=high.unit, comparator="<=")
    else:
        resource.fail(name, "a range has low and high", "bad-value")


def _value_ratio(resource: Resource, name: str, value: Tree, out: dict[str, Any]) -> None:
    top, bottom = (quantity(value.get(part)) for part in ("numerator", "denominator")) if isinstance(value, dict) else (None, None)
    if top is None or bottom is None or bottom.comparator is not None:
        resource.fail(name, "a ratio has numerator and denominator", "bad-value")
        return
    sign = top.comparator or ""
    if top.unit in (None, "1") and bottom.unit in (None, "1"):
        out["value"] = f"{sign}{top.value:.9g}:{bottom.value:.9g}"  # a titre
        return
    per = bottom.unit or "1"
    unit = f"{top.unit or '1'}/{per}" if bottom.value == 1 else f"{top.unit or '1'}/({bottom.value:g}.{per})"
    _measure(Quantity(value=top.value, unit=unit, comparator=top.comparator), out)


def _range(resource: Resource) -> ReferenceRange | None:
    """The one range that applies, or a range without ends where several differ: none may be picked."""
    found: list[ReferenceRange] = []
    for item in resource.objects("referenceRange"):
        codes, text = resource.concept_in(item.get("type"), "referenceRange.type")
        kind = ({(coding.code or "").lower() for coding in codes} | {(text or "").lower()}) - {""}
        if kind and not kind & {"normal", "normal range", "reference"}:
            continue  # therapeutic, recommended, critical: no range of health
        if item.get("appliesTo") or item.get("age"):
            found.append(ReferenceRange(text="a range for some people"))  # whether for this one is not read
            continue
        low, high = quantity(item.get("low")), quantity(item.get("high"))
        if low is not None and high is not None and low.unit == high.unit and low.value > high.value:
            found.append(ReferenceRange(text="a range with its ends the wrong way round"))
            continue
        words = item.get("text")
        words = written.clean(words) if isinstance(words, str) else None
        if low is not None or high is not None:
            found.append(
                ReferenceRange(
                    low=low.value if low else None,
                    high=high.value if high else None,
                    unit=(low and low.unit) or (high and high.unit) or None,
                    text=words or None,
                )
            )
        elif words:
            found.append(written.reference_range(words))
    if not found:
        return None
    if all((one.low, one.high, one.unit) == (found[0].low, found[0].high, found[0].unit) for one in found):
        return found[0]
    return ReferenceRange(text="several ranges, for different people or uses")
