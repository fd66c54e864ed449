"""Five truth values, and the connectives written out.

The five values are the pair (strict, presumed) of three-valued readings (MEANING 2): *strict* holds
in every world that agrees with the record, *presumed* only in those in which silence is absence.

==================  ======== =========
value               strict   presumed
==================  ======== =========
``TRUE``            true     true
``PRESUMED_TRUE``   unknown  true
``UNKNOWN``         unknown  unknown
``PRESUMED_FALSE``  unknown  false
``FALSE``           false    false
==================  ======== =========

Because silence only ever adds knowledge, those five are all the pairs there are, and they are a
chain: *and* is the minimum of it, *or* the maximum, *not* the mirror. The tables below say so cell
by cell; a value outside the type is a ``KeyError``, never an answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import Literal


class Truth(IntEnum):
    """Truth of a statement about a patient; the number is what columns store as int8."""

    FALSE = -2
    PRESUMED_FALSE = -1
    UNKNOWN = 0
    PRESUMED_TRUE = 1
    TRUE = 2

    __hash__ = int.__hash__  # an Enum hashes its name, in Python; the tables below are looked up all the time


FALSE, PRESUMED_FALSE, UNKNOWN, PRESUMED_TRUE, TRUE = sorted(Truth)
_ORDER = (FALSE, PRESUMED_FALSE, UNKNOWN, PRESUMED_TRUE, TRUE)

Reading = Literal["true", "false", "unknown"]


def _table(rows: Sequence[Sequence[Truth]]) -> dict[tuple[Truth, Truth], Truth]:
    return {(a, b): rows[i][j] for i, a in enumerate(_ORDER) for j, b in enumerate(_ORDER)}


_F, _f, _u, _t, _T = _ORDER

# rows: left operand F F' U T' T; columns: right operand in the same order
AND = _table(
    (
        (_F, _F, _F, _F, _F),
        (_F, _f, _f, _f, _f),
        (_F, _f, _u, _u, _u),
        (_F, _f, _u, _t, _t),
        (_F, _f, _u, _t, _T),
    )
)
OR = _table(
    (
        (_F, _f, _u, _t, _T),
        (_f, _f, _u, _t, _T),
        (_u, _u, _u, _t, _T),
        (_t, _t, _t, _t, _T),
        (_T, _T, _T, _T, _T),
    )
)
# readings: in each reading of the pair the answer on which both agree, else unknown
AGREE = _table(
    (
        (_F, _f, _u, _u, _u),
        (_f, _f, _u, _u, _u),
        (_u, _u, _u, _u, _u),
        (_u, _u, _u, _t, _t),
        (_u, _u, _u, _t, _T),
    )
)
NOT = {_F: _T, _f: _t, _u: _u, _t: _f, _T: _F}

STRICT: dict[Truth, Reading] = {_F: "false", _f: "unknown", _u: "unknown", _t: "unknown", _T: "true"}
PRESUMED: dict[Truth, Reading] = {_F: "false", _f: "false", _u: "unknown", _t: "true", _T: "true"}
_PAIRS = {(STRICT[value], PRESUMED[value]): value for value in _ORDER}


def all_of(operands: Iterable[Truth]) -> Truth:
    """Conjunction: the least of the operands.

    >>> all_of([Truth.TRUE, Truth.PRESUMED_FALSE])
    <Truth.PRESUMED_FALSE: -1>
    """
    result = TRUE
    for operand in operands:
        result = AND[result, operand]
    return result


def any_of(operands: Iterable[Truth]) -> Truth:
    """Disjunction: the greatest of the operands."""
    result = FALSE
    for operand in operands:
        result = OR[result, operand]
    return result


def none_of(operands: Iterable[Truth]) -> Truth:
    """Not any of them."""
    return NOT[any_of(operands)]


def at_least(k: int, operands: Sequence[Truth]) -> Truth:
    """True if at least ``k`` operands are: the k-th largest of them.

    Raises ``ValueError`` if k is not between 1 and the number of operands; such a rule is vacuous
    and refused when the file is read.
    """
    if not 1 <= k <= len(operands):
        raise ValueError(f"at least {k} of {len(operands)} is no question")
    return sorted(operands, reverse=True)[k - 1]


def readings(operands: Iterable[Truth]) -> Truth:
    """What all readings of an ambiguous source agree on, per reading of the pair."""
    first, *rest = operands
    for operand in rest:
        first = AGREE[first, operand]
    return first


def from_readings(strict: Reading, presumed: Reading) -> Truth:
    """The value of a pair; ``ValueError`` for a pair in which silence takes knowledge away."""
    value = _PAIRS.get((strict, presumed))
    if value is None:
        raise ValueError(f"no truth value is {strict} strictly and {presumed} if silence is absence")
    return value
