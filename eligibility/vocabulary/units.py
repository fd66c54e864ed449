"""Units: one spelling for each, and exact factors between those of one dimension (MEANING 4).

The table is ``rules/units.yaml``. A unit is read as the chart spelt it, folded, and looked up; what
is not in the table is no unit, and no unit is ever inferred from a number.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..model.quantity import Interval, nine

_SUPERSCRIPT = str.maketrans({digit: f"^{number}" for number, digit in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")})
_POWER = re.compile(r"x?10(?:\^|\*\*?|e\+?|exp)0?(\d{1,2})(?!\d)")
_PER_DAY = re.compile(r"(?:/|per)(?:\(?24\.?h(?:r|rs|our|ours)?\)?|days?)$")
_SURFACE = re.compile(r"(?:/|per)\(?1[.,]73(?:m\^?2|sqm|m\*2|msq)?\)?$")
_LITRE = re.compile(r"(?:(?<=/)|(?<=/[mdu]))(?:liters?|litres?)$")
_ANNOTATION = re.compile(r"\{([^}]*)\}")
_PLAIN = frozenset(
    {"cells", "cell", "score", "scores", "points", "inr", "titer", "titre", "ratio", "index", "creat", "creatinine"}
    | {"count", "lesions", "number", "n", "#", "rbc", "wbc", "total", "hb"}
)


def fold_unit(text: str) -> str:
    """A unit's spelling as it is looked up.

    >>> fold_unit("x10E9 / L"), fold_unit("10⁹/l"), fold_unit("mcg/dL"), fold_unit("mL/min/{1.73_m2}")
    ('10^9/l', '10^9/l', 'ug/dl', 'ml/min/1.73m2')
    """
    spelt = unicodedata.normalize("NFKC", text.translate(_SUPERSCRIPT)).casefold()
    spelt = "".join(c for c in spelt if not c.isspace() and unicodedata.category(c) != "Cf")
    spelt = spelt.replace("μ", "u").replace("×", "x").replace("·", "*").replace("[", "").replace("]", "")
    if re.fullmatch(r"\{[^}]*\}", spelt):
        return "1"
    spelt = spelt.replace("{1.73_m2}", "1.73m2")
    # an annotation that only says what is counted changes nothing; any other may (log, FEU) and stays
    spelt = _ANNOTATION.sub(lambda found: "" if found[1] in _PLAIN else found[1], spelt)
    spelt = re.sub(r"mc(?=[lg])", "u", spelt)
    spelt = re.sub(r"(?<![a-z])gm(?=[/%]|$)", "g", spelt)
    spelt = _POWER.sub(r"10^\1", spelt)
    spelt = _SURFACE.sub("/1.73m2", spelt)
    spelt = _LITRE.sub("l", spelt)
    return _PER_DAY.sub("/d", spelt)


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit: its UCUM name, dimension, and how many of the dimension's base unit it is."""

    name: str
    dimension: str
    factor: float
    offset: float = 0.0


@dataclass(frozen=True, slots=True)
class UnitProblem:
    """A value that cannot be compared for want of a known unit: reason ``unit``. Holds no value."""

    detail: str
    reason: str = "unit"


class Units:
    """The table of units. Immutable; ``KeyError`` never escapes: what is unknown is None."""

    __slots__ = ("_by_name", "_spelt")

    def __init__(self, units: Iterable[Unit], spellings: Mapping[str, str]) -> None:
        self._by_name = {unit.name: unit for unit in units}
        self._spelt = {spelling: self._by_name[name] for spelling, name in spellings.items()}

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def names(self) -> tuple[str, ...]:
        """UCUM names in the table's order."""
        return tuple(self._by_name)

    def get(self, text: str | None) -> Unit | None:
        """The unit of a spelling, or None where the table has none like it."""
        if text is None:
            return None
        return self._by_name.get(text) or self._spelt.get(fold_unit(text))

    def convert(self, value: Interval, source: Unit, target: Unit) -> Interval | None:
        """A value in another unit of the same dimension, to 9 significant digits; None across dimensions."""
        if source.dimension != target.dimension:
            return None
        if source.offset or target.offset:
            return Interval(_affine(value.lo, source, target), _affine(value.hi, source, target), value.lo_open, value.hi_open)
        return value.scale(source.factor / target.factor)


def _affine(end: float, source: Unit, target: Unit) -> float:
    return nine((end * source.factor + source.offset - target.offset) / target.factor)


def molar(value: Interval, source: Unit, target: Unit, low: float, high: float) -> Interval | None:
    """Between mass and moles of a substance of ``low`` to ``high`` g/mol; None for other dimensions."""
    match source.dimension, target.dimension:
        case "molar concentration", "mass concentration":
            ratio = source.factor / target.factor
            ends = (value.lo * ratio * (low if value.lo >= 0 else high), value.hi * ratio * (high if value.hi >= 0 else low))
        case "mass concentration", "molar concentration":
            ratio = source.factor / target.factor
            ends = (value.lo * ratio / (high if value.lo >= 0 else low), value.hi * ratio / (low if value.hi >= 0 else high))
        case _:
            return None
    return Interval(nine(ends[0]), nine(ends[1]), value.lo_open, value.hi_open)
