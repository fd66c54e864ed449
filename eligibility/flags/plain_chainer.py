"""The plain chainer: rules in order, each settled from what is settled below it.

It is what the other chainer is tested against, takes over where that cannot be installed, and, run
with numpy's ``minimum`` and ``maximum`` over int8 columns in place of single values, chains a cohort.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

from ..model.truth import Truth
from .program import Chain, Facts, Program, Rule, steps_of

NAME = "plain"


class PlainChainer:
    """Chains one program; holds nothing between calls.

    >>> from .program import Program, Rule
    >>> chainer = PlainChainer(Program((Rule("frail", all=("old",), none=("fit",)),)))
    >>> chainer.chain({"old": Truth.TRUE, "fit": Truth.PRESUMED_FALSE}).truths
    (('frail', <Truth.PRESUMED_TRUE: 1>),)
    """

    name = NAME

    def __init__(self, program: Program) -> None:
        self.program = program

    def chain(self, facts: Facts) -> Chain:
        """The truth of every head from the truth of every input. ``KeyError`` for an input without one."""
        truths = {name: facts[name] for name in self.program.inputs}
        for rule in self.program.rules:
            truths[rule.head] = Truth(settle(rule, truths))
        return Chain(tuple((head, truths[head]) for head in self.program.heads), steps_of(self.program, truths))

    def close(self) -> None:
        """Nothing is held."""


def settle(
    rule: Rule,
    truths: Mapping[str, Any],
    least: Callable[[Any, Any], Any] = min,
    greatest: Callable[[Any, Any], Any] = max,
) -> Any:
    """A head from its rule: the minimum over all, the maximum over any, the mirror of none."""
    parts = [truths[name] for name in rule.all]
    if rule.any:
        parts.append(reduce(greatest, (truths[name] for name in rule.any)))
    parts += [-truths[name] for name in rule.none]
    return reduce(least, parts)


def chain_columns(
    program: Program,
    columns: Mapping[str, Any],
    least: Callable[[Any, Any], Any],
    greatest: Callable[[Any, Any], Any],
) -> dict[str, Any]:
    """Every head as a column of int8 truths, one row a patient; ``least`` and ``greatest`` are numpy's."""
    truths = {name: columns[name] for name in program.inputs}
    for rule in program.rules:
        truths[rule.head] = settle(rule, truths, least, greatest)
    return {head: truths[head] for head in program.heads}
