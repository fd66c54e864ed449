"""Results that are no numbers: named results, ordered classes, titres, as charts spell them.

Every reader here answers None for what it does not know; none guesses.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from math import inf

from ..model.quantity import Interval

_ROMAN = {"1": "i", "2": "ii", "3": "iii", "4": "iv", "5": "v", "6": "vi"}
_ARABIC = {roman: digit for digit, roman in _ROMAN.items()}
_PREFIX = re.compile(r"^(?:class|grade|stage|category|type|level|klasse|grad|stadium)\s*[:=]?\s*", re.IGNORECASE)
_AFTER = re.compile(r"(?:^|\s)(?:class|grade|stage|category|type)\s*[:=]?\s*(\S.*)$", re.IGNORECASE)
_CLASS = re.compile(r"(?P<head>vi|iv|v|i{1,3}|\d)(?P<tail>[a-z]?)")
_TITRE = re.compile(
    r"(?P<sign><=|>=|≤|≥|<|>)?\s*(?<![\d.,/:])1\s*(?::|/|in|to)\s*(?P<sign2><=|>=|≤|≥|<|>)?\s*"
    r"(?P<number>\d{1,3}(?:[ ,]\d{3})+|\d+)(?![\d.,/:]*\d)"
)
_SIGNS = {"<": "<", "<=": "<=", "≤": "<=", ">": ">", ">=": ">=", "≥": ">="}


@lru_cache(maxsize=65536)
def tight(text: str) -> str:
    """A result's spelling without case, spaces, hyphens and zero-width characters.

    >>> tight("III + V"), tight(" Not  detected")
    ('iii+v', 'notdetected')
    """
    plain = unicodedata.normalize("NFKC", text).casefold()
    plain = plain.replace("−", "-").replace("–", "-")
    return "".join(c for c in plain if not c.isspace() and c not in "-_." and unicodedata.category(c) != "Cf") or plain.strip()


class ResultWords:
    """Spellings of negative, borderline and positive, from ``rules/units.yaml``."""

    __slots__ = ("_group",)

    def __init__(self, groups: Mapping[str, Iterable[str]]) -> None:
        self._group = {tight(word): group for group, words in groups.items() for word in words}

    def group(self, text: str) -> str | None:
        """``negative``, ``borderline`` or ``positive`` where the text is a spelling of one of them."""
        return self._group.get(tight(text))

    def read(self, text: str, results: Sequence[str]) -> str | None:
        """The one of a concept's ``results`` that the text spells, or None.

        A result of the concept's own list wins; else a general word is read as the concept's word
        for it (``non-reactive`` as ``negative``, or as ``not-detected``).
        """
        for spelt in (tight(text), tight(_unprefixed(text))):
            for result in results:
                if spelt == tight(result):
                    return result
            joined = re.sub(r"(?<=[iv])(?:/|&|and)(?=[iv])", "+", spelt)
            for result in results:
                if joined == tight(result):
                    return result
        group = self.group(text)
        if group is None:
            return None
        same = [result for result in results if self.group(result) == group]
        return same[0] if len(same) == 1 else None


def _unprefixed(text: str) -> str:
    """A text without what stands up to the word *class*: ``ISN/RPS class III`` is ``III``."""
    found = _AFTER.search(text)
    return found[1] if found else text


def class_range(text: str, classes: Sequence[str], spans: Mapping[str, Sequence[str]], names: Iterable[str] = ()) -> tuple[int, int] | None:
    """First and last index in ``classes`` of a class or of a span of classes.

    Tolerates case, the words *class* and *grade*, the scale's own name, and arabic for roman
    numbers and back.

    >>> scale = ["I", "IIa", "IIb", "IIIa", "IIIb"]
    >>> class_range("Class IIIb", scale, {}), class_range("grade 2", scale, {"II": ["IIa", "IIb"]})
    ((4, 4), (1, 2))
    """
    table: dict[str, tuple[int, int]] = {tight(name): (place, place) for place, name in enumerate(classes)}
    for span, members in spans.items():
        places = [classes.index(member) for member in members]
        table[tight(span)] = (min(places), max(places))
    bare = text.strip()
    for name in sorted(names, key=len, reverse=True):
        if bare.casefold().startswith(name.casefold()):
            bare = bare[len(name) :].strip(" :=-")
            break
    for _ in range(3):
        bare = _PREFIX.sub("", bare).strip()
    spelt = tight(bare)
    if spelt in table:
        return table[spelt]
    match = _CLASS.fullmatch(spelt)
    if match is None:
        return None
    head = match["head"]
    other = _ROMAN.get(head) or _ARABIC.get(head)
    return table.get(f"{other}{match['tail']}") if other else None


def titre(text: str) -> Interval | None:
    """A dilution as the interval of its denominator; None where the text is none, or holds more than one.

    >>> titre("1:80"), titre("ANA > 1/1,280 homogeneous")
    (Interval(lo=80.0, hi=80.0, lo_open=False, hi_open=False), Interval(lo=1280.0, hi=inf, lo_open=True, hi_open=False))
    """
    found = list(_TITRE.finditer(text))
    if len(found) != 1:
        return None
    match = found[0]
    number = float(re.sub(r"[ ,]", "", match["number"]))
    sign = match["sign"] or match["sign2"]
    if number <= 0 or (match["sign"] and match["sign2"]):
        return None
    if sign is None:
        return Interval(number, number)
    result = Interval.parse_comparator(_SIGNS[sign], number)
    return result if result.lo > -inf or result.hi > 0 else None
