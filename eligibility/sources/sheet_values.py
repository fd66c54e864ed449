"""What one cell of an abstraction sheet says: a date, a result, a dose, one of some words.

Read one way or not at all. A date in any other order than year, month, day, and a comma in a number,
have two readings, and are refused where they stand.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import get_args

from ..errors import did_you_mean
from ..model.patient import Outcome, Quantity, ReferenceRange
from ..model.quantity import Interval
from ..model.time import When
from ..vocabulary.concept import Concept
from ..vocabulary.vocabulary import UnitProblem, Vocabulary
from . import written
from .sheet_cells import Cell

OUTCOMES: tuple[str, ...] = get_args(Outcome)
"""The outcomes of a treatment that are read."""

_DATE_FORM = "write it year first, 2026-10-20, 2026-10 or 2026, or as a real date of the spreadsheet"
_COMMA = re.compile(r"\d,\d|^,\d|\d,$")


class BadCell(Exception):
    """A cell that cannot be read: a stable code, what is wrong, what to write instead; never what stands there."""

    def __init__(self, code: str, message: str, instead: str | None = None) -> None:
        self.code, self.message, self.instead = code, message, instead
        super().__init__(message)


def units_of(concept: Concept, vocabulary: Vocabulary) -> tuple[str, ...]:
    """Units that a concept's results may be written in, its own first; none for scores and counts."""
    if concept.unit in (None, "1"):
        return ()
    assert concept.unit is not None
    names = [concept.unit, *concept.units]
    one = Interval.exactly(1.0)
    names += [name for name in vocabulary.units.names() if not isinstance(vocabulary.quantity(concept.id, one, name), UnitProblem)]
    return tuple(dict.fromkeys(names))


def word_of(cell: Cell) -> str:
    """The text of a cell as answers are compared: small letters, no hyphens."""
    return " ".join(cell.text.lower().replace("-", " ").split())


def choice_of(cell: Cell, allowed: tuple[str, ...], also: dict[str, str] | None = None) -> str:
    """One of the allowed words, or what else is read as one."""
    word = word_of(cell)
    word = (also or {}).get(word, word)
    if word not in allowed:
        near = did_you_mean(word, allowed) or f"one of {', '.join(allowed)}"
        raise BadCell("bad-answer", "this is not one of the answers of this row", near)
    return word


def when_of(cell: Cell) -> When:
    """A date: of the spreadsheet, a year, or text with the year first."""
    value = cell.value
    if isinstance(value, dt.datetime):
        whole = (value.hour, value.minute, value.second) == (0, 0, 0)
        return When.parse(value.date().isoformat() if whole else value.isoformat(timespec="minutes"))
    if isinstance(value, dt.date):
        return When.parse(value.isoformat())
    if isinstance(value, int | float) and not isinstance(value, bool) and float(value).is_integer() and 1800 <= value <= 2200:
        return When.parse(str(int(value)))
    if not isinstance(value, str):
        raise BadCell("bad-date", "a number or a time of day is no date", _DATE_FORM)
    try:
        return When.parse(written.clean(value))
    except ValueError as error:
        raise BadCell("bad-date", str(error), _DATE_FORM) from None


def no_comma(text: str) -> str:
    """The text, unless it has a comma in a number."""
    if _COMMA.search(text):
        raise BadCell("comma", "a comma in a number may be its decimal point or a separator of thousands", "write 12.5, or 12500")
    return text


def result_of(cell: Cell) -> float | Quantity | str:
    """A result: a number, a quantity where unit or comparator stand with it, else the text itself."""
    value = cell.value
    if isinstance(value, bool):
        return "positive" if value else "negative"
    if isinstance(value, dt.date | dt.time):
        raise BadCell(
            "not-a-result", "the spreadsheet has turned the result into a date or time", "set the cell to text and write it again"
        )
    if isinstance(value, int | float):
        return float(value)
    text = no_comma(written.clean(str(value)))
    try:
        read = written.measured(text)
    except ValueError as error:
        raise BadCell("bad-number", str(error), "write digits, such as 12.5") from None
    return float(read) if isinstance(read, int) else read


def plain(value: float | Quantity) -> str:
    """A number as text, for scales whose classes are numbers."""
    return f"{value:g}" if isinstance(value, float) else f"{value.comparator or ''}{value.value:g}"


def dose_of(cell: Cell) -> tuple[Quantity, float | None]:
    """A dose, with intakes a day where the text tells them."""
    if not isinstance(cell.value, str):
        raise BadCell("bad-dose", "a dose has a unit", "write it as 10 mg/day, or 5 mg twice daily")
    try:
        return written.dose(no_comma(written.clean(cell.value)))
    except ValueError as error:
        raise BadCell("bad-dose", str(error), "write it as 10 mg/day, or 5 mg twice daily") from None


def range_of(cell: Cell) -> ReferenceRange:
    """A reference range as the laboratory reports it."""
    if not isinstance(cell.value, str):
        raise BadCell("bad-range", "a reference range has two ends, or one with a sign", "write it as 3.5-5.0, or <40")
    read = written.reference_range(no_comma(written.clean(cell.value)))
    if read.low is None and read.high is None:
        raise BadCell("bad-range", "this range is not understood", "write it as 3.5-5.0, or <40")
    return read
