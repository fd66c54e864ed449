"""Numbers as intervals with open or closed ends, and how a limit compares with them (MEANING 4).

A result ``<5`` is the interval from minus infinity to 5, the 5 not included. Comparison answers
True, False, or None where some numbers of the interval meet the limit and some do not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import inf, isfinite
from typing import Literal

Comparison = Literal["at_least", "above", "at_most", "below"]

TWO_NUMBERS = re.compile(r"[+-]?[1-9]\d{0,2},(?!000)\d{3}")
"""One comma before three digits: decimal, or between thousands. Before 000 it is between thousands: no fraction is nothing."""


@dataclass(frozen=True, slots=True)
class Interval:
    """All numbers between two ends; an infinite end is never included.

    Raises ``ValueError`` for NaN, for ends the wrong way round and for an empty interval.

    >>> Interval.exactly(3.0).compare("at_least", Interval.exactly(3.0))
    True
    >>> Interval.parse_comparator("<", 5.0).compare("below", Interval.exactly(5.0))
    True
    """

    lo: float
    hi: float
    lo_open: bool = False
    hi_open: bool = False

    def __post_init__(self) -> None:
        if self.lo != self.lo or self.hi != self.hi:
            raise ValueError("not a number")
        if self.lo > self.hi or (self.lo == self.hi and (self.lo_open or self.hi_open)):
            raise ValueError("the interval is empty")

    @classmethod
    def exactly(cls, value: float) -> Interval:
        """One number."""
        return cls(value, value)

    @classmethod
    def parse_comparator(cls, comparator: str | None, value: float) -> Interval:
        """What ``<``, ``<=``, ``>``, ``>=`` (FHIR's comparators, ``ad`` included) leave possible."""
        match comparator:
            case None | "" | "=":
                return cls(value, value)
            case "<":
                return cls(-inf, value, hi_open=True)
            case "<=":
                return cls(-inf, value)
            case ">":
                return cls(value, inf, lo_open=True)
            case ">=" | "ad":
                return cls(value, inf)
        raise ValueError("the comparator is one of < <= > >=")

    @property
    def exact(self) -> bool:
        """Whether it is one number."""
        return self.lo == self.hi and isfinite(self.lo)

    def compare(self, how: Comparison, limit: Interval) -> bool | None:
        """Whether every number here meets every number of ``limit``, none does, or some do."""
        match how:
            case "at_least":
                if self.lo >= limit.hi:
                    return True
                if self.hi < limit.lo or (self.hi == limit.lo and (self.hi_open or limit.lo_open)):
                    return False
                return None
            case "above":
                if self.lo > limit.hi or (self.lo == limit.hi and (self.lo_open or limit.hi_open)):
                    return True
                return False if self.hi <= limit.lo else None
            case "at_most":
                met = self.compare("above", limit)
            case "below":
                met = self.compare("at_least", limit)
        return None if met is None else not met

    def scale(self, factor: float) -> Interval:
        """Multiplied by a positive number, rounded to 9 significant digits at each end."""
        if factor == 1.0:
            return Interval(nine(self.lo), nine(self.hi), self.lo_open, self.hi_open)
        return Interval(nine(self.lo * factor), nine(self.hi * factor), self.lo_open, self.hi_open)

    def __add__(self, other: Interval) -> Interval:
        return Interval(self.lo + other.lo, self.hi + other.hi, self.lo_open or other.lo_open, self.hi_open or other.hi_open)

    def __sub__(self, other: Interval) -> Interval:
        return Interval(self.lo - other.hi, self.hi - other.lo, self.lo_open or other.hi_open, self.hi_open or other.lo_open)

    def within(self, outer: Interval) -> bool:
        """Whether some number of it lies in ``outer``."""
        if self.hi < outer.lo or (self.hi == outer.lo and (self.hi_open or outer.lo_open)):
            return False
        return not (self.lo > outer.hi or (self.lo == outer.hi and (self.lo_open or outer.hi_open)))


ANYTHING = Interval(-inf, inf)


def nine(value: float) -> float:
    """Rounded to 9 significant digits, so that a limit and a value converted alike compare equal.

    >>> nine(0.1 + 0.2)
    0.3
    """
    return value if value == 0 or not isfinite(value) else float(f"{value:.9g}")


def say(value: float) -> str:
    """A number as a person would write it.

    >>> say(6.0), say(0.25)
    ('6', '0.25')
    """
    return f"{value:.9g}" if abs(value) < 1e15 else f"{value:.3g}"
