"""Fields of a native patient, each read from whatever JSON or YAML holds in its place.

Every reader answers the field's value or raises :class:`BadField`, which says what is wrong and what
to write instead, and never repeats the value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, get_args

from ..errors import did_you_mean
from ..model.patient import Coding, Entry, Outcome, Quantity, ReferenceRange, Sex
from ..model.time import When
from . import written
from .raw import Tree

_SEX = {"f": "female", "m": "male", "woman": "female", "man": "male", "u": "unknown", "o": "other"}
STATUS = {"current": "active", "ongoing": "active", "done": "completed", "error": "entered-in-error"}
INTERPRETATION = {
    "h": "high",
    "hh": "high",
    "l": "low",
    "ll": "low",
    "n": "normal",
    "a": "abnormal",
    "pos": "positive",
    "neg": "negative",
    "ind": "indeterminate",
}
_YES = {"true": True, "yes": True, "false": False, "no": False}

_DATE_FORM = "write it as 2024-05-17, 2024-05 or 2024"


class BadField(Exception):
    """A field that cannot be read: what is wrong, a stable code, and what to write instead."""

    def __init__(self, code: str, message: str, instead: str | None = None) -> None:
        self.code, self.message, self.instead = code, message, instead
        super().__init__(message)


def choices_of(model: type[Entry], name: str) -> tuple[str, ...]:
    annotation = model.model_fields[name].annotation
    words: list[str] = []
    for part in (annotation, *get_args(annotation)):
        words.extend(word for word in get_args(part) if isinstance(word, str))
    return tuple(dict.fromkeys(words))


def text_of(value: Tree) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise BadField("wrong-type", "a text belongs here")
    text = written.clean(value if isinstance(value, str) else f"{value:g}" if isinstance(value, float) else str(value)[:40])
    if not text:
        raise BadField("wrong-type", "the text is empty", "leave the field out")
    return text


def choice_of(value: Tree, allowed: Sequence[str], aliases: dict[str, str]) -> str:
    word = re.sub(r"[\s_]+", "-", text_of(value).lower())
    word = aliases.get(word, word)
    if word not in allowed:
        raise BadField(
            "bad-choice", "this word is not one of those read here", did_you_mean(word, allowed) or f"one of {', '.join(allowed)}"
        )
    return word


def when_of(value: Tree) -> When:
    if isinstance(value, int) and not isinstance(value, bool) and 1800 <= value <= 2200:
        value = str(value)
    if not isinstance(value, str):
        raise BadField("bad-date", "a date is text", _DATE_FORM)
    try:
        return When.parse(written.clean(value))
    except ValueError as error:
        raise BadField("bad-date", str(error), _DATE_FORM) from None


def number_of(value: Tree) -> float:
    try:
        if isinstance(value, str):
            return written.number(written.clean(value))
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return written.number(repr(float(value)))
    except (ValueError, OverflowError):
        raise BadField("bad-number", "this is no number that can be measured", "write digits, such as 12.5") from None
    raise BadField("wrong-type", "a number belongs here")


def per_day_of(value: Tree) -> float:
    if isinstance(value, str):
        often = written.per_day(written.clean(value))
        if often is not None:
            return often
    return number_of(value)


def flag_of(value: Tree) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in _YES:
        return _YES[value.strip().lower()]
    raise BadField("wrong-type", "true or false belongs here")


def codes_of(value: Tree) -> tuple[Coding, ...]:
    return tuple(code_of(item) for item in (value if isinstance(value, list) else [value]))


def code_of(value: Tree) -> Coding:
    if isinstance(value, str):
        try:
            return written.coding(written.clean(value))
        except ValueError as error:
            raise BadField("bad-code", str(error)) from None
    if not isinstance(value, dict) or set(value) - {"system", "code", "display"} or not value:
        raise BadField("bad-code", "a code is text such as icd10cm|G35.A, or an object with system, code and display")
    return Coding(**{key: text_of(part) for key, part in value.items() if part is not None})


def quantity_of(value: dict[str, Any]) -> Quantity:
    unknown = set(value) - {"value", "unit", "comparator"}
    if unknown or "value" not in value:
        raise BadField("bad-value", "a quantity has value, unit and comparator")
    fields: dict[str, Any] = {"value": number_of(value["value"])}
    if value.get("unit") is not None:
        fields["unit"] = text_of(value["unit"])
    if value.get("comparator") is not None:
        sign = written.COMPARATORS.get(text_of(value["comparator"]))
        if sign is None:
            raise BadField("bad-value", "the comparator is one of < <= > >=")
        fields["comparator"] = sign
    return Quantity(**fields)


def value_of(value: Tree) -> float | bool | Quantity | str:
    if isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        return number_of(value)
    if isinstance(value, dict):
        return quantity_of(value)
    text = text_of(value)
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    try:
        return written.measured(text)
    except ValueError as error:
        raise BadField("bad-number", str(error), "write digits, such as 12.5") from None


def dose_of(value: Tree) -> tuple[Quantity, float | None]:
    if isinstance(value, dict):
        return quantity_of(value), None
    if not isinstance(value, str):
        raise BadField("bad-dose", "a dose has a unit", "write it as 10 mg/day, or 5 mg twice daily")
    try:
        return written.dose(written.clean(value))
    except ValueError as error:
        raise BadField("bad-dose", str(error)) from None


def range_of(value: Tree) -> ReferenceRange:
    if isinstance(value, dict):
        if set(value) - {"low", "high", "unit", "text"}:
            raise BadField("bad-range", "a range has low, high, unit and text")
        return ReferenceRange(
            **{key: number_of(part) if key in ("low", "high") else text_of(part) for key, part in value.items() if part is not None}
        )
    read = written.reference_range(text_of(value))
    if read.low is None and read.high is None:
        raise BadField("bad-range", "this range is not understood", "write it as 3.5-5.0 mmol/L, or <0.5")
    return read


def items_of(value: Tree) -> dict[str, float]:
    if not isinstance(value, dict):
        raise BadField("wrong-type", "items are names with numbers", "write {alopecia: 2, fever: 1}")
    return {text_of(key): number_of(points) for key, points in value.items()}


def outcome_of(value: Tree) -> tuple[str, ...]:
    return tuple(choice_of(item, get_args(Outcome), {}) for item in (value if isinstance(value, list) else [value]))


def names_of(value: Tree) -> tuple[str, ...]:
    return tuple(text_of(item) for item in (value if isinstance(value, list) else [value]))


def sex_of(value: Tree) -> tuple[str, ...]:
    return tuple(choice_of(item, get_args(Sex), _SEX) for item in (value if isinstance(value, list) else [value]))


def dates_of(value: Tree) -> tuple[When, ...]:
    return tuple(when_of(item) for item in (value if isinstance(value, list) else [value]))


def deceased_of(value: Tree) -> When | bool | None:
    if isinstance(value, bool):
        return value
    word = written.clean(value).lower() if isinstance(value, str) else ""
    if word in written.DEATH_WORDS:
        return written.DEATH_WORDS[word]
    try:
        return when_of(value)
    except BadField as error:
        raise BadField(error.code, "this is neither a date of death nor yes or no", f"{_DATE_FORM}, or yes or no") from None


PATIENT_FIELDS: dict[str, Callable[[Tree], Any]] = {
    "id": text_of,
    "birth_date": dates_of,
    "sex": sex_of,
    "deceased": deceased_of,
    "written": when_of,
}
ENTRY_FIELDS: dict[str, Callable[[Tree], Any]] = {
    **dict.fromkeys(("concept", "text", "event", "source", "grade", "severity", "route", "reason_stopped", "unit"), text_of),
    **dict.fromkeys(("start", "end", "recorded"), when_of),
    "supply": number_of,
    "per_day": per_day_of,
    "planned": flag_of,
    "codes": codes_of,
    "value": value_of,
    "range": range_of,
    "items": items_of,
    "outcome": outcome_of,
    "misread": names_of,
}
