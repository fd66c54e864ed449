"""FHIR's data types, read tolerantly: codes, dates, ages, quantities, results.

A :class:`Resource` wraps the raw object. Its methods return None where a field is absent and note in
``bad`` every field that is there and cannot be read, so that the entry says so instead of looking as
if nothing had been written. No method raises for anything JSON can hold.
"""

from __future__ import annotations

import re
from functools import lru_cache
from math import floor, isfinite
from typing import Any

from ..model.patient import Coding, Quantity
from ..model.time import Duration, When, date_of
from . import written
from .raw import Tree

UCUM = "http://unitsofmeasure.org"
Bad = tuple[str, str, str]
"""A field that could not be read: its path, a stable code, and what is wrong with it."""


class Resource:
    """One FHIR object being read, with what could not be read in it."""

    __slots__ = ("bad", "raw")

    def __init__(self, raw: dict[str, Any], bad: list[Bad] | None = None) -> None:
        self.raw = raw
        self.bad: list[Bad] = [] if bad is None else bad

    def fail(self, name: str, message: str, code: str = "wrong-type") -> None:
        self.bad.append((name, code, message))

    def objects(self, name: str, where: str | None = None) -> list[dict[str, Any]]:
        """The objects of a list field; a single object is taken for a list of one."""
        value = self.raw.get(name)
        if value is None:
            return []
        if isinstance(value, dict):
            return [value]
        if not isinstance(value, list):
            self.fail(where or name, "a list of objects belongs here")
            return []
        good = [item for item in value if isinstance(item, dict)]
        if len(good) != len(value) and any(item is not None and not isinstance(item, dict) for item in value):
            self.fail(where or name, "an object belongs here")
        return good

    def object(self, name: str) -> dict[str, Any]:
        """An object field; empty where absent."""
        value = self.raw.get(name)
        if value is None:
            return {}
        if isinstance(value, dict):
            return value
        if isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict):
            return value[0]
        self.fail(name, "an object belongs here")
        return {}

    def word(self, name: str) -> str | None:
        """A code field such as a status: lower case; None where absent or blank."""
        value = self.raw.get(name)
        if value is None:
            return None
        if isinstance(value, str):
            return written.clean(value).lower() or None
        self.fail(name, "a word belongs here")
        return None

    def coded_word(self, name: str) -> str | None:
        """A status that is a CodeableConcept (R4) or a bare code (before R4): the word."""
        value = self.raw.get(name)
        if value is None or isinstance(value, str):
            return self.word(name)
        codes, text = self.concept(name)
        for coding in codes:
            if coding.code:
                return coding.code.lower()
        return text.lower() if text else None

    def flag(self, name: str) -> bool | None:
        value = self.raw.get(name)
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str) and value.strip().lower() in ("true", "false"):
            return value.strip().lower() == "true"
        self.fail(name, "true or false belongs here")
        return None

    def concept(self, name: str) -> tuple[tuple[Coding, ...], str | None]:
        """A CodeableConcept: its codings and its text."""
        return self.concept_in(self.raw.get(name), name)

    def concept_in(self, value: Tree, name: str) -> tuple[tuple[Coding, ...], str | None]:
        """The codings and the text of what stands where a CodeableConcept belongs."""
        if value is None:
            return (), None
        if type(value) is dict:
            known = _known_concept(value)
            if known is not None:
                return known
        return self._concept_at_length(value, name)

    def _concept_at_length(self, value: Tree, name: str) -> tuple[tuple[Coding, ...], str | None]:
        if isinstance(value, str):
            return (), written.clean(value) or None
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        if not isinstance(value, dict):
            self.fail(name, "a coded concept belongs here")
            return (), None
        codings = value.get("coding")
        text = value.get("text")
        if text is not None and not isinstance(text, str):
            self.fail(f"{name}.text", "a text belongs here")
        if text is not None:
            text = (written.clean(text) or None) if isinstance(text, str) else None
        if codings is None:
            if "code" in value or "display" in value:  # a Coding where a CodeableConcept belongs
                codings = [value]
            else:
                return (), text
        if isinstance(codings, dict):
            codings = [codings]
        if not isinstance(codings, list):
            self.fail(f"{name}.coding", "a list of codes belongs here")
            return (), text
        found = []
        for item in codings:
            if not isinstance(item, dict):
                self.fail(f"{name}.coding", "a code with its system belongs here")
                continue
            system, code, display = item.get("system"), item.get("code"), item.get("display")
            if isinstance(code, (int, float)) and not isinstance(code, bool):
                code = str(code)  # a number in place of its text loses nothing of a whole code
            if (
                (system is not None and not isinstance(system, str))
                or (code is not None and not isinstance(code, str))
                or (display is not None and not isinstance(display, str))
            ):
                self.fail(f"{name}.coding", "system, code and display are texts")
                system, code, display = (part if isinstance(part, str) else None for part in (system, code, display))
            coding = _coding(system, code, display)
            if coding is not None:
                found.append(coding)
        return tuple(found), text

    # dates

    def moment(self, name: str) -> When | None:
        """A date, dateTime or instant."""
        value = self.raw.get(name)
        if value is None:
            return None
        read = _moment(value) if type(value) is str else ""
        return self.moment_in(value, name) if isinstance(read, str) else read

    def moment_in(self, value: Tree, name: str) -> When | None:
        if isinstance(value, str):
            read = _moment(value)
            if not isinstance(read, str):
                return read
            self.fail(name, read, "bad-date")
        else:
            self.fail(name, "a date is text, such as 2024-05-17", "bad-date")
        return None

    def period(self, name: str) -> tuple[When | None, When | None]:
        value = self.raw.get(name)
        return (None, None) if value is None else self.period_in(value, name)

    def period_in(self, value: Tree, name: str) -> tuple[When | None, When | None]:
        """The two ends of a Period."""
        if not isinstance(value, dict):
            self.fail(name, "a period has start and end", "bad-date")
            return None, None
        start, end = value.get("start"), value.get("end")
        return (
            None if start is None else self.moment_in(start, f"{name}.start"),
            None if end is None else self.moment_in(end, f"{name}.end"),
        )

    def somewhen(self, stem: str, birth: When | None) -> tuple[bool, When | None]:
        """A date with a choice of types (``onset[x]``): whether it is there, and the interval it leaves.

        A period is read as "at some time within": the interval from its start to its end. An age needs
        the birth date. Words that name no date leave it unknown.
        """
        raw = self.raw
        for kind in ("DateTime", "Date", "Instant"):
            if stem + kind in raw:
                return True, self.moment(stem + kind)
        name = stem + "Period"
        if name in raw:
            return True, self.span(*self.period(name), name)
        name = stem + "Age"
        if name in raw:
            return True, self._at_age(raw[name], raw[name], birth, name)
        name = stem + "Range"
        if name in raw:
            ages = raw[name]
            if not isinstance(ages, dict):
                self.fail(name, "a range of ages has low and high", "bad-date")
                return True, None
            return True, self._at_age(ages.get("low"), ages.get("high"), birth, name)
        name = stem + "String"
        if name in raw:
            text = raw[name]
            if not isinstance(text, str):
                self.fail(name, "a text belongs here")
                return True, None
            return True, date_in_words(written.clean(text))
        return False, None

    def span(self, first: When | None, last: When | None, name: str) -> When | None:
        """At some time from ``first`` to ``last``; an end that is not given is open."""
        if first is None and last is None:
            return None
        lo = "" if first is None else first.text
        hi = "" if last is None else last.text
        if first is not None and last is not None and first.lo > last.hi:
            self.fail(name, "the period ends before it begins", "bad-date")
            return None
        return When.parse(f"{lo}/{hi}")

    def _at_age(self, low: Tree, high: Tree, birth: When | None, name: str) -> When | None:
        bounds = [None if part is None else age(part) for part in (low, high)]
        if (low is not None and bounds[0] is None) or (high is not None and bounds[1] is None):
            self.fail(name, "an age is a number of years, months, weeks or days", "bad-date")
            return None
        if birth is None:
            return None  # the age says nothing of the calendar without a birth date
        try:
            first, last = birth.days()
            lo, hi = first, None
            if bounds[0] is not None:
                count, unit, comparator = bounds[0]
                if comparator not in ("<", "<="):
                    lo = Duration(floor(count), unit).on(first)  # type: ignore[arg-type]
            if bounds[1] is not None:
                count, unit, comparator = bounds[1]
                if comparator not in (">", ">="):
                    hi = Duration(floor(count) + 1, unit).on(last) - 1  # type: ignore[arg-type]
            return When.parse(f"{date_of(lo).isoformat()}/{date_of(hi).isoformat() if hi is not None else ''}")
        except (ValueError, OverflowError):
            self.fail(name, "the age names no time of the calendar", "bad-date")
            return None


def _known_concept(value: dict[str, Any]) -> tuple[tuple[Coding, ...], str | None] | None:
    """The short way for a concept of one well-formed code, which nearly all are; None for any other."""
    codings = value.get("coding")
    if type(codings) is not list or len(codings) != 1 or type(codings[0]) is not dict:
        return None
    first = codings[0]
    system, code, display, text = first.get("system"), first.get("code"), first.get("display"), value.get("text")
    if (
        (type(system) is str or system is None)
        and (type(code) is str or code is None)
        and (type(display) is str or display is None)
        and (type(text) is str or text is None)
    ):
        return _one_code(system, code, display, text)
    return None


@lru_cache(maxsize=65536)
def _one_code(system: str | None, code: str | None, display: str | None, text: str | None) -> tuple[tuple[Coding, ...], str | None]:
    coding = _coding(system, code, display)
    return () if coding is None else (coding,), (written.clean(text) or None) if text is not None else None


@lru_cache(maxsize=65536)
def _coding(system: str | None, code: str | None, display: str | None) -> Coding | None:
    # the same few hundred codes make up most of any chart
    system, code, display = (written.clean(part) or None if part else None for part in (system, code, display))
    return None if code is None and display is None else Coding(system=system, code=code, display=display)


@lru_cache(maxsize=65536)
def _moment(value: str) -> When | str | None:
    """The date a text is, None for a blank, or what is wrong with it."""
    text = written.clean(value)
    if not text:
        return None
    if "/" in text:
        return "a date is one day or moment, such as 2024-05-17"
    try:
        return When.parse(text)
    except ValueError as error:
        return str(error)


_AGE_UNITS = {
    "a": "year",
    "yr": "year",
    "yrs": "year",
    "y": "year",
    "year": "year",
    "years": "year",
    "mo": "month",
    "month": "month",
    "months": "month",
    "wk": "week",
    "week": "week",
    "weeks": "week",
    "d": "day",
    "day": "day",
    "days": "day",
}


_LONGEST = {"year": 150, "month": 1800, "week": 7900, "day": 55_000}


def age(value: Tree) -> tuple[float, str, str | None] | None:
    """Number, unit and comparator of an Age, or None where it is none."""
    if not isinstance(value, dict):
        return None
    count = decimal(value.get("value"))
    unit = _AGE_UNITS.get(str(value.get("code") or value.get("unit") or "").strip().lower())
    comparator = value.get("comparator")
    if count is None or unit is None or not 0 <= count <= _LONGEST[unit]:
        return None
    if comparator is not None and comparator not in ("<", "<=", ">", ">="):
        return None
    return count, unit, comparator


_MONTHS = {
    name: index + 1 for index, name in enumerate(["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"])
}
_MONTH_YEAR = re.compile(r"(?P<month>[A-Za-z]{3,9})\.?,? (?P<year>[12]\d{3})")
_DAY_MONTH_YEAR = re.compile(
    r"(?P<day>\d{1,2})\.? (?P<month>[A-Za-z]{3,9})\.?,? (?P<year>[12]\d{3})"
    r"|(?P<month2>[A-Za-z]{3,9}) (?P<day2>\d{1,2}), (?P<year2>[12]\d{3})"
)


def date_in_words(text: str) -> When | None:
    """The date some words name exactly, or None: "approximately November 2012" names none.

    >>> date_in_words('November 2012').text
    '2012-11'
    """
    try:
        return When.parse(text)
    except ValueError:
        pass
    match = _MONTH_YEAR.fullmatch(text)
    day = None
    if match:
        month, year = match["month"], match["year"]
    else:
        match = _DAY_MONTH_YEAR.fullmatch(text)
        if not match:
            return None
        month, year = match["month"] or match["month2"], match["year"] or match["year2"]
        day = int(match["day"] or match["day2"])
    number = _MONTHS.get(month[:3].lower())
    if number is None:
        return None
    try:
        return When.parse(f"{year}-{number:02}" + (f"-{day:02}" if day is not None else ""))
    except ValueError:
        return None


def decimal(value: Tree) -> float | None:
    """A finite number, also where it was sent as text; None for anything else."""
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, int) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            return None
    if isinstance(value, str):
        try:
            return written.number(written.clean(value))
        except ValueError:
            return None
    return None


def unit_of(quantity: dict[str, Any]) -> str | None:
    """The unit: the UCUM code where there is one, else as printed; both, which no table knows, where they are two units."""
    names = ("code", "unit") if quantity.get("system") == UCUM else ("unit", "code")
    code, printed = quantity.get("code"), quantity.get("unit")
    if isinstance(code, str) and isinstance(printed, str) and code != printed and _two_units(code, printed):
        return written.clean(f"{printed} or {code}")
    for name in names:
        part = quantity.get(name)
        if isinstance(part, str) and (text := written.clean(part)):
            return text
    return None


@lru_cache(maxsize=1024)
def _two_units(code: str, printed: str) -> bool:
    """Whether a code and what is printed beside it are two different units of the table."""
    from ..vocabulary.loader import shipped  # only where the two are spelt differently

    names = [shipped().unit_name(written.clean(one)) for one in (code, printed)]
    return None not in names and names[0] != names[1]


_SIGNS = {"<": "<", "<=": "<=", ">": ">", ">=": ">=", "ad": ">="}


def quantity(value: Tree) -> Quantity | None:
    """A Quantity; None where it has no readable number or an unknown comparator."""
    if not isinstance(value, dict):
        return None
    amount = decimal(value.get("value"))
    if amount is None:
        return None
    comparator = value.get("comparator")
    if comparator is None or comparator == "":
        return Quantity(value=amount, unit=unit_of(value))
    sign: Any = _SIGNS.get(comparator) if isinstance(comparator, str) else None
    return None if sign is None else Quantity(value=amount, unit=unit_of(value), comparator=sign)
