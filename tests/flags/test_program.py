"""Programs of flags: order, strata, circles, parts, and what the five truths make of them."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from eligibility.flags.plain_chainer import PlainChainer, chain_columns
from eligibility.flags.program import Circle, Program, Rule, Step, parts
from eligibility.model.flag import find_circle
from eligibility.model.truth import FALSE, PRESUMED_FALSE, PRESUMED_TRUE, TRUE, UNKNOWN, Truth, all_of, any_of, none_of


def generated(draw: random.Random, heads: int = 14) -> Program:
    """A program without circles over a handful of inputs, in no particular order."""
    inputs = [f"c{i}" for i in range(draw.randint(1, 8))]
    names = [f"h{i}" for i in range(draw.randint(1, heads))]
    rules = []
    for i, head in enumerate(names):
        pool = [*inputs, *names[:i]]

        def some(count: int, pool: list[str] = pool) -> tuple[str, ...]:
            return tuple(draw.choice(pool) for _ in range(count))

        every, one, none = some(draw.choice([0, 0, 1, 2, 3])), some(draw.choice([0, 0, 0, 2, 3])), some(draw.choice([0, 0, 1, 2]))
        rules.append(Rule(head, every if every or one or none else some(1), one, none))
    draw.shuffle(rules)
    return Program(tuple(rules))


def facts_for(program: Program, draw: random.Random) -> dict[str, Truth]:
    return {name: draw.choice(list(Truth)) for name in sorted(program.inputs)}


@pytest.mark.parametrize("a", list(Truth))
@pytest.mark.parametrize("b", list(Truth))
def test_a_head_is_what_the_connectives_say(a: Truth, b: Truth) -> None:
    program = Program((Rule("every", all=("a", "b")), Rule("one", any=("a", "b")), Rule("none", none=("a", "b"))))
    truths = dict(PlainChainer(program).chain({"a": a, "b": b}).truths)
    assert truths == {"every": all_of([a, b]), "one": any_of([a, b]), "none": none_of([a, b])}


def test_none_of_an_unknown_name_is_unknown_and_of_a_presumed_one_presumed() -> None:
    chainer = PlainChainer(Program((Rule("h", all=("a",), none=("b",)),)))
    expected = {FALSE: TRUE, PRESUMED_FALSE: PRESUMED_TRUE, UNKNOWN: UNKNOWN, PRESUMED_TRUE: PRESUMED_FALSE, TRUE: FALSE}
    for b, head in expected.items():
        assert dict(chainer.chain({"a": TRUE, "b": b}).truths)["h"] is head


def test_steps_name_what_holds_and_what_does_not() -> None:
    program = Program((Rule("top", all=("low",), any=("a", "b", "c"), none=("d",)), Rule("low", all=("a",))))
    chain = PlainChainer(program).chain({"a": TRUE, "b": UNKNOWN, "c": TRUE, "d": FALSE})
    assert chain.steps == (Step("low", (("a", True),)), Step("top", (("low", True), ("a", True), ("c", True), ("d", False))))


def test_rules_come_after_what_they_rest_on_and_strata_count_negations() -> None:
    program = Program((Rule("c", all=("b",), none=("a",)), Rule("b", none=("a",)), Rule("a", all=("x",)), Rule("d", none=("c",))))
    assert program.heads == ("a", "b", "c", "d")
    assert program.strata == {"a": 0, "b": 1, "c": 1, "d": 2}
    assert program.depths == {"a": 1, "b": 2, "c": 3, "d": 4}
    assert program.inputs == {"x"}


@pytest.mark.parametrize(
    ("rules", "way", "negated"),
    [
        ((Rule("a", all=("b",)), Rule("b", all=("a",))), ("a", "b", "a"), False),
        ((Rule("a", all=("b",)), Rule("b", none=("c",)), Rule("c", any=("b", "x"))), ("b", "c", "b"), True),
        ((Rule("a", none=("a",)),), ("a", "a"), True),
    ],
)
def test_a_circle_is_refused_with_its_way(rules: tuple[Rule, ...], way: tuple[str, ...], negated: bool) -> None:
    with pytest.raises(Circle) as found:
        Program(rules)
    assert found.value.way == way
    assert found.value.negated is negated


def test_a_long_chain_is_no_recursion() -> None:
    rests_on = {f"f{i}": [(f"f{i + 1}", False)] for i in range(20_000)}
    assert find_circle(rests_on) is None
    assert find_circle({**rests_on, "f20000": [("f0", True)]}) is not None


@pytest.mark.parametrize("rules", [(Rule("a", all=("x",)), Rule("a", all=("y",))), (Rule("a"),)])
def test_two_rules_of_one_head_and_a_rule_that_asks_nothing_are_refused(rules: tuple[Rule, ...]) -> None:
    with pytest.raises(ValueError, match=r"two rules|asks nothing"):
        Program(rules)


def draws() -> Iterator[random.Random]:
    for seed in range(300):
        yield random.Random(seed)


def test_parts_share_no_head_and_say_together_what_the_whole_says() -> None:
    several = 0
    for draw in draws():
        whole = generated(draw)
        facts = facts_for(whole, draw)
        pieces = parts(whole.rules)
        several += len(pieces) > 1
        assert sorted(head for piece in pieces for head in piece.heads) == sorted(whole.heads)
        found: dict[str, Truth] = {}
        for piece in pieces:
            assert piece.inputs <= whole.inputs
            found |= dict(PlainChainer(piece).chain(facts).truths)
        assert found == dict(PlainChainer(whole).chain(facts).truths)
    assert several > 50


def test_columns_say_what_single_values_say() -> None:
    numpy = pytest.importorskip("numpy")
    for draw in draws():
        program = generated(draw)
        rows = [facts_for(program, draw) for _ in range(7)]
        columns = {name: numpy.array([int(row[name]) for row in rows], dtype=numpy.int8) for name in program.inputs}
        found = chain_columns(program, columns, numpy.minimum, numpy.maximum)
        for i, row in enumerate(rows):
            assert {head: Truth(int(column[i])) for head, column in found.items()} == dict(PlainChainer(program).chain(row).truths)
        assert all(column.dtype == numpy.int8 for column in found.values())
