"""Numbers, quantities, doses, ranges and codes as people and laboratories write them.

Everything here is read one way or not at all: ``12.1 g/dL`` is a quantity, ``300,000`` is three
hundred thousand, ``1:80`` and ``IIIb`` stay text for the vocabulary. Nothing is guessed from the
size of a number. ``ValueError`` says what is wrong without repeating it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from math import isfinite
from typing import Any

from ..model.patient import Coding, Quantity, ReferenceRange
from ..model.quantity import TWO_NUMBERS

# zero-width spaces and joiners, word joiner, byte order mark, soft hyphen: nothing a reader can see
_UNSEEN = re.compile("[\u200b-\u200f\u2060\ufeff\u00ad]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_SPACES = re.compile(r"\s+")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")

LONGEST = 20_000
"""Characters of a text kept, as the model allows."""


@lru_cache(maxsize=65536)
def clean(text: str) -> str:
    """Text without what cannot be seen: zero-width characters, odd spaces, control characters, half surrogates.

    >>> clean(' Acute\\u200b bronchitis\\u00a0 ')
    'Acute bronchitis'
    """
    if text.isascii():
        if text.isprintable() and "  " not in text:  # nearly every text: of all that is sought below it can only hold outer spaces
            return text.strip(" ")[:LONGEST]
    else:
        text = _SURROGATE.sub("\ufffd", _UNSEEN.sub("", text))
    return _SPACES.sub(" ", _CONTROL.sub(" ", text)).strip()[:LONGEST]


DEATH_WORDS = {
    **dict.fromkeys(("yes", "y", "true", "dead", "died", "deceased"), True),
    **dict.fromkeys(("no", "n", "false", "0", "alive", "living", "not dead", "not deceased"), False),
    **dict.fromkeys(("unknown", "not known"), None),
}
"""Words in the place of a date of death: whether they tell of one, None where they tell nothing."""


def may_tell_of_death(value: Any) -> bool:
    """Whether what stands in the place of a death, and could not be read there, may tell of one.

    >>> may_tell_of_death('2026-13-45'), may_tell_of_death('last winter'), may_tell_of_death('N'), may_tell_of_death(0)
    (True, True, False, False)
    """
    if isinstance(value, str):
        word = clean(value).lower()
        return bool(word) and DEATH_WORDS.get(word, True) is True
    return bool(value)


_PLAIN = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?")
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?")
_COMMA = re.compile(r"[+-]?\d+,\d+")
_NUMBER = r"[+-]?(?:\d[\d.,]*|\.\d+)(?:[eE][+-]?\d{1,3})?"


def number(text: str) -> float:
    """A number, with a decimal point or comma, or commas between thousands.

    One comma before three digits may be either (``1,250``), and then it is no number; before ``000`` it stands between
    thousands, since nobody writes a fraction of nothing.

    >>> number('300,000'), number('12,5'), number('1e3')
    (300000.0, 12.5, 1000.0)
    """
    text = text.strip()
    if TWO_NUMBERS.fullmatch(text):
        raise ValueError("a comma before three digits may be decimal or between thousands: write 12.5, or 12500")
    if _PLAIN.fullmatch(text):
        value = float(text)
    elif _THOUSANDS.fullmatch(text):
        value = float(text.replace(",", ""))
    elif _COMMA.fullmatch(text):
        value = float(text.replace(",", "."))
    else:
        raise ValueError("a number is written in digits, such as 12.5")
    if not isfinite(value):
        raise ValueError("the number is too large for any measurement")
    return value


COMPARATORS = {
    "<": "<",
    ">": ">",
    "<=": "<=",
    ">=": ">=",
    "=<": "<=",
    "=>": ">=",
    "≤": "<=",
    "≥": ">=",
    "less than": "<",
    "greater than": ">",
    "more than": ">",
}
_MEASURE = re.compile(
    rf"(?P<comparator><=|>=|=<|=>|<|>|≤|≥|(?:less|greater|more) than)?\s*(?P<number>{_NUMBER})"
    r"(?:\s*(?P<unit>[A-Za-zµμ%°{\[*][^\s<>=;,]*(?: ?[^\s<>=;,\d][^\s<>=;,]*)?|10[*^]\S+|x ?10[*^eE]\S+|/\s?\S+))?",
    re.IGNORECASE,
)
_NOT_NUMBERS = {"nan", ".nan", "inf", ".inf", "-inf", "-.inf", "+.inf", "+inf", "infinity", "-infinity"}


def measured(text: str) -> float | Quantity | str:
    """A result as written: a number, a quantity where a unit or a comparator stands with it, else the text itself.

    ``ValueError`` for what is a number in form and none in fact (``NaN``, ``1e999``).

    >>> measured('5.5'), measured('<0.5'), measured('1:80')
    (5.5, Quantity(value=0.5, unit=None, comparator='<'), '1:80')
    """
    if text.lower() in _NOT_NUMBERS:
        raise ValueError("there is no such number")
    match = _MEASURE.fullmatch(text)
    if match is None:
        return text
    comparator, unit = match["comparator"], match["unit"]
    try:
        value = number(match["number"])
    except ValueError:
        if _PLAIN.fullmatch(match["number"]):
            raise  # too large
        return text  # digits and dots that are no number: a section or version, 3.1.2
    if comparator is None and unit is None:
        return value
    sign: Any = COMPARATORS[comparator.lower()] if comparator else None
    return Quantity(value=value, unit=unit, comparator=sign)


_TIMES = {
    "": 1.0,
    "once": 1.0,
    "one time": 1.0,
    "twice": 2.0,
    "two times": 2.0,
    "thrice": 3.0,
    "three times": 3.0,
    "four times": 4.0,
    "1x": 1.0,
    "2x": 2.0,
    "3x": 3.0,
    "4x": 4.0,
}
_OFTEN = {
    "bid": 2.0,
    "b.i.d.": 2.0,
    "tid": 3.0,
    "t.i.d.": 3.0,
    "qid": 4.0,
    "q.i.d.": 4.0,
    "qd": 1.0,
    "od": 1.0,
    "q24h": 1.0,
    "q12h": 2.0,
    "q8h": 3.0,
    "q6h": 4.0,
    "qod": 0.5,
    "every other day": 0.5,
    "on alternate days": 0.5,
    "every morning": 1.0,
    "every night": 1.0,
    "at bedtime": 1.0,
}
_ENDINGS = (
    ("weekly", 7),
    ("a week", 7),
    ("per week", 7),
    ("/week", 7),
    ("daily", 1),
    ("a day", 1),
    ("per day", 1),
    ("/day", 1),
    ("/d", 1),
)
_EVERY = re.compile(r"every (?P<count>\d{1,2}) (?P<unit>hour|day|week)s?")
_DOSE = re.compile(
    rf"(?P<number>{_NUMBER})\s*(?P<unit>[A-Za-zµμ%]+(?:/(?:kg|m2|m²))?)\s*(?P<rest>.*)",
    re.IGNORECASE,
)


def per_day(text: str) -> float | None:
    """Intakes a day of a frequency in words, or None where it says no fixed one.

    >>> per_day('twice daily'), per_day('every 8 hours'), per_day('weekly')
    (2.0, 3.0, 0.14285714285714285)
    """
    text = text.strip().lower().removeprefix("orally ").removeprefix("po ").removeprefix("by mouth ").strip()
    if text in _OFTEN:
        return _OFTEN[text]
    match = _EVERY.fullmatch(text)
    if match:
        count = int(match["count"])
        if count == 0:
            return None
        return {"hour": 24.0, "day": 1.0, "week": 1 / 7}[match["unit"]] / count
    for ending, days in _ENDINGS:
        if text.endswith(ending):
            times = _TIMES.get(text[: -len(ending)].strip())
            return None if times is None else times / days
    return None


def dose(text: str) -> tuple[Quantity, float | None]:
    """A dose in words: the quantity, and intakes a day where the text tells them.

    ``10 mg/day`` is a daily dose; ``5 mg twice daily`` is an intake and its frequency. ``ValueError``
    for anything else, so that nothing is half read.

    >>> dose('10 mg/day')
    (Quantity(value=10.0, unit='mg/day', comparator=None), None)
    >>> dose('5 mg twice daily')
    (Quantity(value=5.0, unit='mg', comparator=None), 2.0)
    """
    match = _DOSE.fullmatch(text.strip())
    if match is None:
        raise ValueError("a dose is a number and its unit, such as 10 mg/day or 5 mg twice daily")
    unit, rest = match["unit"], match["rest"].strip()
    value = number(match["number"])
    if not rest:
        return Quantity(value=value, unit=unit), None
    if rest.lower() in ("/day", "/d", "daily", "a day", "per day", "/ day"):
        return Quantity(value=value, unit=f"{unit}/day"), None
    often = per_day(rest)
    if often is None:
        raise ValueError("the words after the dose name no fixed frequency; write 10 mg/day or 5 mg twice daily")
    return Quantity(value=value, unit=unit), often


_RANGE = re.compile(rf"(?P<low>{_NUMBER})\s*(?:-|–|—|to)\s*(?P<high>{_NUMBER})\s*(?P<unit>[^\d\s].*)?", re.IGNORECASE)
_BOUND = re.compile(rf"(?P<sign><=|>=|<|>|≤|≥)\s*(?P<limit>{_NUMBER})\s*(?P<unit>[^\d\s].*)?")


def reference_range(text: str) -> ReferenceRange:
    """A laboratory's range in words; where it cannot be read, the text alone is kept.

    >>> reference_range('3.5-5.0 mmol/L').high
    5.0
    >>> reference_range('<0.5').low is None
    True
    """
    match = _RANGE.fullmatch(text)
    try:
        if match:
            low, high = number(match["low"]), number(match["high"])
            if low <= high:
                return ReferenceRange(low=low, high=high, unit=match["unit"], text=text)
        match = _BOUND.fullmatch(text)
        if match:
            limit = number(match["limit"])
            if match["sign"] in ("<", "<=", "≤"):
                return ReferenceRange(high=limit, unit=match["unit"], text=text)
            return ReferenceRange(low=limit, unit=match["unit"], text=text)
    except ValueError:
        pass
    return ReferenceRange(text=text)


def coding(text: str) -> Coding:
    """A code written as ``system|code``, with its display behind a second bar if it has one.

    >>> coding('icd10cm|G35.A').code
    'G35.A'
    """
    parts = [part.strip() for part in text.split("|", 2)]
    if len(parts) < 2 or not parts[1]:
        raise ValueError("a code is written with its system, such as icd10cm|G35.A")
    return Coding(system=parts[0] or None, code=parts[1], display=parts[2] if len(parts) == 3 and parts[2] else None)
