"""Dates as intervals, durations as calendar steps (MEANING 3).

Everything is an integer: a *day* counts from 1 January 1970, a *minute* is ``day * 1440 + minute of
the day``, in the local clock of the source (an offset such as ``+02:00`` is read and dropped: the
order within a chart and the calendar day are what criteria speak of). ``FOREVER`` and ``NEVER`` are
the two ends of time. A date that is known to the month is the interval from its first minute to its
last; nothing is ever rounded to a point.
"""

from __future__ import annotations

import datetime as dt
import re
from calendar import monthrange
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

MINUTES = 1440
_EPOCH = dt.date(1970, 1, 1).toordinal()
FOREVER = 2_000_000_000
NEVER = -2_000_000_000
FOREVER_DAY = FOREVER // MINUTES
NEVER_DAY = NEVER // MINUTES

Unit = Literal["hour", "day", "week", "month", "year", "half-life"]


def day_of(date: dt.date) -> int:
    """The day number of a date; 1 January 1970 is 0."""
    return date.toordinal() - _EPOCH


def date_of(day: int) -> dt.date:
    """The date of a day number."""
    return dt.date.fromordinal(day + _EPOCH)


def start_of(day: int) -> int:
    """First minute of a day; the ends of time stay the ends of time."""
    return NEVER if day <= NEVER_DAY else FOREVER if day >= FOREVER_DAY else day * MINUTES


def end_of(day: int) -> int:
    """Last minute of a day; the ends of time stay the ends of time."""
    return NEVER if day <= NEVER_DAY else FOREVER if day >= FOREVER_DAY else day * MINUTES + MINUTES - 1


_DATE = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d{2})(?:-(?P<day>\d{2})"
    r"(?:[T ](?P<hour>\d{2}):(?P<minute>\d{2})(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?)?)?"
)


@dataclass(frozen=True, slots=True)
class When:
    """A date as it was written: an interval of minutes, both ends included, and its text.

    Written as ISO 8601 to the year, month, day or minute, or as two of them with a slash for a
    stated range. Either end of a range may be empty.

    >>> When.parse("2024-02").days()
    (19754, 19782)
    >>> When.parse("2023/2024-06-30").text
    '2023/2024-06-30'
    """

    lo: int
    hi: int
    text: str

    @classmethod
    def parse(cls, text: str) -> When:
        """Read a date; ``ValueError`` says what is wrong with it without repeating it."""
        return _parse_when(text)

    @classmethod
    def on(cls, day: int) -> When:
        """The whole of one day."""
        return cls(start_of(day), end_of(day), date_of(day).isoformat())

    def days(self) -> tuple[int, int]:
        """First and last day it may be."""
        return self.lo // MINUTES, self.hi // MINUTES

    def __str__(self) -> str:
        return self.text

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls._validate,
            serialization=core_schema.plain_serializer_function_ser_schema(str, return_schema=core_schema.str_schema()),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: CoreSchema, _handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {
            "type": "string",
            "description": "A date to the year, month, day or minute (2024, 2024-05, 2024-05-17, "
            "2024-05-17T09:30), or two with a slash for a range.",
            "examples": ["2024-05-17", "2024-05", "2024", "2023-11/2024-02"],
        }

    @classmethod
    def _validate(cls, value: object) -> When:
        if isinstance(value, When):
            return value
        if isinstance(value, dt.datetime):
            return cls.parse(value.isoformat(timespec="minutes"))
        if isinstance(value, dt.date):
            return cls.on(day_of(value))
        if isinstance(value, int) and not isinstance(value, bool) and 1800 <= value <= 2200:
            return cls.parse(str(value))  # a YAML or JSON author's bare year
        if not isinstance(value, str):
            raise ValueError("a date is written as text, such as 2024-05-17, 2024-05 or 2024")
        return cls.parse(value)


@lru_cache(maxsize=65536)
def _parse_when(text: str) -> When:
    stripped = text.strip()
    if "/" in stripped:
        first, _, last = stripped.partition("/")
        if not first and not last:
            raise ValueError("a range of dates has at least one end")
        lo = _parse_point(first)[0] if first else NEVER
        hi = _parse_point(last)[1] if last else FOREVER
        if lo > hi:
            raise ValueError("the range of dates ends before it begins")
        return When(lo, hi, stripped)
    lo, hi = _parse_point(stripped)
    return When(lo, hi, stripped)


def _parse_point(text: str) -> tuple[int, int]:
    match = _DATE.fullmatch(text)
    if match is None:
        raise ValueError("a date is written year-month-day, such as 2024-05-17, 2024-05 or 2024")
    years, months, days, hours, minutes = match.groups()
    year = int(years)
    if year < 1:
        raise ValueError("there is no year 0")
    if months is None:
        return start_of(day_of(dt.date(year, 1, 1))), end_of(day_of(dt.date(year, 12, 31)))
    month = int(months)
    if not 1 <= month <= 12:
        raise ValueError("there is no such month")
    if days is None:
        last = monthrange(year, month)[1]
        return start_of(day_of(dt.date(year, month, 1))), end_of(day_of(dt.date(year, month, last)))
    try:
        number = day_of(dt.date(year, month, int(days)))
    except ValueError:
        raise ValueError("there is no such day in that month") from None
    if hours is None:
        return start_of(number), end_of(number)
    hour, minute = int(hours), int(minutes)
    if hour > 23 or minute > 59:
        if (hour, minute) == (24, 0):
            return end_of(number), end_of(number)
        raise ValueError("there is no such time of day")
    at = start_of(number) + hour * 60 + minute
    return at, at


_DURATION = re.compile(r"(?P<count>\d+(?:\.\d+)?)\s*(?P<unit>[a-z-]+?)s?", re.IGNORECASE)
_UNITS: dict[str, Unit] = {
    "hour": "hour",
    "day": "day",
    "week": "week",
    "month": "month",
    "year": "year",
    "half-live": "half-life",
    "half-life": "half-life",
}


@dataclass(frozen=True, slots=True)
class Duration:
    """A number of days, weeks, calendar months or years, hours, or half-lives of a drug.

    >>> Duration.parse("6 months")
    Duration(count=6, unit='month')
    """

    count: float
    unit: Unit

    @classmethod
    def parse(cls, text: str) -> Duration:
        """Read a duration; ``ValueError`` for a unit that is none or a fraction of a calendar step."""
        match = _DURATION.fullmatch(text.strip())
        unit = _UNITS.get(match["unit"].lower()) if match else None
        if match is None or unit is None:
            raise ValueError("a duration is a number and days, weeks, months, years, hours or half-lives, such as 6 months")
        count = float(match["count"])
        if not count.is_integer():
            if unit != "half-life":
                raise ValueError(f"write whole {unit}s (1.5 years is 18 months)")
            return cls(count, unit)
        return cls(int(count), unit)

    def __str__(self) -> str:
        unit: str = "half-lives" if self.unit == "half-life" and self.count != 1 else self.unit
        if self.count != 1 and self.unit != "half-life":
            unit += "s"
        return f"{self.count:g} {unit}"

    def back(self, day: int) -> int:
        """The day this long before ``day``: months and years by the calendar, clamped to a month's end."""
        return self._step(day, -1)

    def on(self, day: int) -> int:
        """The day this long after ``day``."""
        return self._step(day, 1)

    def _step(self, day: int, sign: int) -> int:
        if day >= FOREVER_DAY or day <= NEVER_DAY:
            return day
        count = int(self.count)
        match self.unit:
            case "day":
                return day + sign * count
            case "week":
                return day + sign * count * 7
            case "month":
                return add_months(day, sign * count)
            case "year":
                return add_months(day, sign * count * 12)
            case "hour":
                # windows are in days: hours widen to the days they touch
                return day + sign * -(-count // 24)
            case "half-life":
                raise ValueError("a half-life is a length only for a given drug")

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls._validate,
            serialization=core_schema.plain_serializer_function_ser_schema(str, return_schema=core_schema.str_schema()),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: CoreSchema, _handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {
            "type": "string",
            "pattern": r"^\d+(\.\d+)? (hour|day|week|month|year|half-li[fv]e)s?$",
            "examples": ["6 months", "28 days"],
        }

    @classmethod
    def _validate(cls, value: object) -> Duration:
        if isinstance(value, Duration):
            return value
        if not isinstance(value, str):
            raise ValueError("a duration is written as text, such as 6 months")
        return cls.parse(value)


@lru_cache(maxsize=65536)
def add_months(day: int, months: int) -> int:
    """The day ``months`` calendar months later (earlier if negative), clamped to the month's end.

    >>> date_of(add_months(day_of(dt.date(2024, 1, 31)), 1)).isoformat()
    '2024-02-29'
    """
    date = date_of(day)
    index = date.year * 12 + date.month - 1 + months
    year, month = divmod(index, 12)
    month += 1
    if year < 1:
        return NEVER_DAY
    if year > 9999:
        return FOREVER_DAY
    return day_of(dt.date(year, month, min(date.day, monthrange(year, month)[1])))


def completed_years(birth: int, day: int) -> int:
    """Completed years on ``day`` of a person born on day ``birth``; a 29 February ages on 1 March.

    >>> completed_years(day_of(dt.date(2000, 2, 29)), day_of(dt.date(2018, 2, 28)))
    17
    """
    born, now = date_of(birth), date_of(day)
    return now.year - born.year - ((now.month, now.day) < (born.month, born.day))


def completed_months(birth: int, day: int) -> int:
    """Completed calendar months on ``day``: the most n with ``day - n months >= birth``."""
    born, now = date_of(birth), date_of(day)
    return (now.year - born.year) * 12 + now.month - born.month - (now.day < born.day)
