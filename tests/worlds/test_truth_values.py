"""The five values are the pair (strict, presumed) of three-valued readings, for every connective (MEANING 2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import product
from typing import Any

import pytest

from eligibility.model.truth import PRESUMED, STRICT, Truth, all_of, any_of, at_least, from_readings, none_of, readings

THREE = {"false": 0, "unknown": 1, "true": 2}
NAMES = {number: name for name, number in THREE.items()}


def kleene(op: str, values: Sequence[int], k: int = 0) -> int:
    match op:
        case "all_of":
            return min(values)
        case "any_of":
            return max(values)
        case "none_of":
            return 2 - max(values)
        case "readings":
            return values[0] if len(set(values)) == 1 else 1
    yes, maybe = values.count(2), len(values) - values.count(0)
    return 2 if yes >= k else 0 if maybe < k else 1


CONNECTIVES: list[tuple[str, int, Callable[[Any], Truth]]] = [
    ("all_of", 0, all_of),
    ("any_of", 0, any_of),
    ("none_of", 0, none_of),
    ("readings", 0, readings),
    *(("at_least", k, partial(at_least, k)) for k in (1, 2, 3, 4)),
]


@pytest.mark.parametrize(("op", "k", "connective"), CONNECTIVES, ids=lambda value: value if isinstance(value, str) else "")
@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_a_connective_is_its_two_readings(op: str, k: int, connective: Callable[[Any], Truth], n: int) -> None:
    if k > n:
        with pytest.raises(ValueError, match="no question"):
            connective([Truth.TRUE] * n)
        return
    for operands in product(Truth, repeat=n):
        whole = connective(list(operands))
        for table in (STRICT, PRESUMED):
            assert THREE[table[whole]] == kleene(op, [THREE[table[one]] for one in operands], k), (op, operands)


def test_the_five_are_all_the_pairs_in_which_silence_adds_knowledge() -> None:
    pairs = {(strict, presumed) for strict in THREE for presumed in THREE if strict in ("unknown", presumed)}
    assert {(STRICT[value], PRESUMED[value]) for value in Truth} == pairs
    for strict, presumed in pairs:
        value = from_readings(strict, presumed)  # type: ignore[arg-type]
        assert (STRICT[value], PRESUMED[value]) == (strict, presumed)


@pytest.mark.parametrize("pair", [("true", "false"), ("false", "true"), ("true", "unknown"), ("false", "unknown")])
def test_silence_takes_no_knowledge_away(pair: Any) -> None:
    with pytest.raises(ValueError, match="no truth value"):
        from_readings(*pair)


def test_the_values_are_a_chain_that_not_mirrors() -> None:
    assert [none_of([value]) for value in sorted(Truth)] == sorted(Truth, reverse=True)
    assert NAMES == {0: "false", 1: "unknown", 2: "true"}
