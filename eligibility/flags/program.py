"""Flags that rest on flags as a program of names: ``all``, ``any``, ``none``, in strata.

A rule's head is at least as sure as the least sure of what it asks: its truth is the five-valued
minimum over ``all``, the maximum over ``any``, and the mirror of what stands under ``none``
(:mod:`eligibility.model.truth`). So ``none`` of an unknown name is unknown, and a head that rests on
silence is presumed, never true.

A program has no circle: every name is settled before a rule that asks for it. The number of negations
below a head is its *stratum*.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ..model.flag import find_circle
from ..model.truth import Truth

Facts = Mapping[str, Truth]
"""The truth of every name that no rule derives."""


@dataclass(frozen=True, slots=True)
class Rule:
    """``head`` holds if every name of ``all`` and one of ``any`` does, and no name of ``none``.

    A word left empty asks nothing; one of the three asks something.
    """

    head: str
    all: tuple[str, ...] = ()
    any: tuple[str, ...] = ()
    none: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Every name it asks for, once each, in its own order."""
        return tuple(dict.fromkeys((*self.all, *self.any, *self.none)))


@dataclass(frozen=True, slots=True)
class Step:
    """A head that is true, with the names that make it so: those that hold, and those that do not.

    >>> Step("frail", (("old", True), ("fit", False)))
    Step(flag='frail', because=(('old', True), ('fit', False)))
    """

    flag: str
    because: tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True)
class Chain:
    """What a chainer found: the truth of every head, and the steps by which those that are true came about.

    Both are in the order of :attr:`Program.rules`, so that every chainer gives the same bytes.
    """

    truths: tuple[tuple[str, Truth], ...]
    steps: tuple[Step, ...]


class Circle(ValueError):
    """Names that rest on each other; ``way`` leads from the first back to itself."""

    def __init__(self, way: tuple[str, ...], negated: bool) -> None:
        self.way, self.negated = way, negated
        super().__init__(" -> ".join(way))


@dataclass(frozen=True)
class Program:
    """Rules in an order in which each comes after those it rests on; equal depth keeps the order given.

    ``inputs`` are the names that no rule derives; ``strata`` counts the negations below each head and
    ``depths`` the longest way down to an input. Raises :class:`Circle` for names that rest on each
    other and ``ValueError`` for two rules of one head or a rule that asks nothing.
    """

    rules: tuple[Rule, ...]
    inputs: frozenset[str] = field(init=False)
    strata: Mapping[str, int] = field(init=False)
    depths: Mapping[str, int] = field(init=False)

    def __post_init__(self) -> None:
        by_head = {rule.head: rule for rule in self.rules}
        if len(by_head) < len(self.rules):
            raise ValueError("two rules derive one name")
        if any(not rule.names for rule in self.rules):
            raise ValueError("a rule that asks nothing derives nothing")
        circle = find_circle({rule.head: [(name, name in rule.none) for name in rule.names] for rule in self.rules})
        if circle is not None:
            raise Circle(*circle)
        strata: dict[str, int] = {}
        depths: dict[str, int] = {}
        ordered: list[Rule] = []

        def settle(head: str) -> None:
            rule = by_head[head]
            below = [name for name in rule.names if name in by_head]
            for name in below:
                if name not in depths:
                    settle(name)
            depths[head] = 1 + max((depths[name] for name in below), default=0)
            strata[head] = max([strata[name] + (name in rule.none) for name in below] + [int(bool(rule.none))])

        for rule in self.rules:
            if rule.head not in depths:
                settle(rule.head)
        place = {rule.head: i for i, rule in enumerate(self.rules)}
        ordered = sorted(self.rules, key=lambda rule: (depths[rule.head], place[rule.head]))
        object.__setattr__(self, "rules", tuple(ordered))
        object.__setattr__(self, "inputs", frozenset(name for rule in ordered for name in rule.names if name not in by_head))
        object.__setattr__(self, "strata", strata)
        object.__setattr__(self, "depths", depths)

    @property
    def heads(self) -> tuple[str, ...]:
        """The names it derives, in order."""
        return tuple(rule.head for rule in self.rules)


def parts(rules: Iterable[Rule]) -> tuple[Program, ...]:
    """The rules as programs that share no head, each as small as can be, in the order of their first rules.

    What bears on one part leaves the others as they are, so each is chained only for inputs not met before.
    """
    listed = list(rules)
    heads = {rule.head for rule in listed}
    part = {rule.head: i for i, rule in enumerate(listed)}
    for rule in listed:
        for name in rule.names:
            if name in heads and part[name] != part[rule.head]:
                low, high = sorted((part[name], part[rule.head]))
                part = {head: low if number == high else number for head, number in part.items()}
    return tuple(Program(tuple(rule for rule in listed if part[rule.head] == number)) for number in dict.fromkeys(part.values()))


def steps_of(program: Program, truths: Mapping[str, Truth]) -> tuple[Step, ...]:
    """The steps of the heads that are true, each with what of its rule made it so."""
    return tuple(Step(rule.head, supports(rule, truths)) for rule in program.rules if truths[rule.head] is Truth.TRUE)


def supports(rule: Rule, truths: Mapping[str, Truth]) -> tuple[tuple[str, bool], ...]:
    """What makes a true head true: all of ``all``, those of ``any`` that hold, none of ``none``."""
    held = [(name, True) for name in rule.all]
    held += [(name, True) for name in rule.any if truths[name] is Truth.TRUE]
    return tuple(dict.fromkeys([*held, *((name, False) for name in rule.none)]))
