"""The one module that imports durable-rules, and the shell around it.

Used as its manual says, durable-rules mixes patients, drops facts silently and crashes the process.
What is left here cannot: each defect is kept out by construction, not by care.

* A program becomes definite rules over two kinds of fact: *holds* and *fails* of a name. ``none`` of a
  name asks that it fails, which is a fact like any other. So no pattern is negated (a negation would not
  be withdrawn when its fact arrives late), and an unknown name is one with neither fact.
* Conditions are equal-tests of literals of our own alphabet; no joins, comparisons, arithmetic or
  expressions of the engine's.
* One live state with one constant id, on a host of our own without its two polling threads, deleted in
  ``finally``. Ids of facts differ in the 32-bit hash by which alone the engine tells them apart.
* Nothing is asserted inside a consequent: consequents note which rule fired, and the names derived go in
  as the next round's facts. Rules are definite and names finitely many, so rounds end.
* The two readings are two rounds of one state: what is known strictly first; then what only silence
  tells. Definite rules never take back, so what the first gave stays.
* What would pass a fixed size of the engine's C tables is refused when compiled (:class:`TooLarge`).

Importing this module does not import the engine; building a chainer does.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from importlib.util import find_spec
from typing import Any

from ..model.truth import FALSE, TRUE, UNKNOWN, Truth
from .program import Chain, Facts, Program, Rule, Step, supports

NAME = "durable-rules"

_SID = "s"
_RULESET = "flags"
# the engine's tables have fixed sizes without bounds checks: 512 conditions, 256 rules on a condition,
# 4096 rules, 16 patterns a rule; these stay well below
MAX_CONDITIONS = 400
MAX_RULES_A_CONDITION = 200
MAX_RULES = 2000
MAX_PATTERNS = 11

Literal_ = tuple[str, bool]
"""A name and whether it holds or fails."""


class TooLarge(ValueError):
    """The program does not fit the engine's tables."""


class Foreign(RuntimeError):
    """The chainer was built in another process; the engine does not survive a fork."""


def installed() -> bool:
    """Whether the engine can be imported at all, without importing it."""
    return find_spec("durable") is not None and find_spec("durable_rules_engine") is not None


class DurableChainer:
    """Chains one program by durable-rules. Build it in the process that uses it, and close it.

    Raises ``ImportError`` where the engine is not installed or not built for this Python, and
    :class:`TooLarge` for a program beyond its tables.
    """

    name = NAME

    def __init__(self, program: Program) -> None:
        self.program = program
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._horn = list(_horn(program))
        _fits(self._horn)
        self._asked = {literal for _, body in self._horn for literal in body}
        self._letters = {name: f"n{i}" for i, name in enumerate(sorted({n for (n, _), body in self._horn for n in (n, *_names(body))}))}
        self._fired: list[int] = []
        self._error: BaseException | None = None
        self._open()

    # -- the engine ------------------------------------------------------------------------------

    def _open(self) -> None:
        from durable import engine

        # the same clock, without a call that Python 3.12 warns of on every rule that fires
        engine._unix_now = time.time

        class QuietHost(engine.Host):  # type: ignore[misc, name-defined, unused-ignore]
            def _run(self) -> None:
                """No polling threads: they race with the caller and touch freed states."""

        definition: dict[str, Any] = {}
        for i, (_, body) in enumerate(self._horn):
            patterns = [{f"p{j}": self._condition(literal)} for j, literal in enumerate(body)]
            # dist 0: one fact may answer two patterns of a rule
            definition[f"r{i}"] = {"all": patterns, "dist": 0, "run": self._consequent(i)}
        definition["warm"] = {"all": [{"p0": {"warm": 1}}], "run": lambda c: None}
        self._host = QuietHost()
        self._host.set_rulesets({_RULESET: definition})
        self._rules = self._host.get_ruleset(_RULESET)
        # the first use of a state's slot frees an unset pointer unless an action ran in it
        state = self._rules.assert_fact({"sid": _SID, "id": "w", "warm": 1})
        self._act(state)
        self._rules.delete_state(_SID)
        self._ids = _distinct_ids(2 * len(self._letters))

    def _condition(self, literal: Literal_) -> dict[str, str]:
        name, holds = literal
        return {"t" if holds else "f": self._letters[name]}

    def _consequent(self, number: int) -> Callable[[Any], None]:
        def note(_closure: Any) -> None:
            try:
                self._fired.append(number)
            except BaseException as error:  # the engine would swallow it into the state
                self._error = self._error or error

        return note

    def _act(self, state: Any) -> None:
        errors: list[BaseException] = []
        self._rules.do_actions(state, lambda error, _state: errors.append(error) if error else None)
        if self._error is not None or errors:
            raise self._error or errors[0]

    def close(self) -> None:
        """Give the engine's tables back."""
        import durable_rules_engine

        with self._lock:
            if self._pid == os.getpid() and self._rules is not None:
                handle, self._rules = self._rules._handle, None
                self._host._ruleset_directory.clear()
                self._host._ruleset_list.clear()
                durable_rules_engine.delete_ruleset(handle)

    # -- chaining --------------------------------------------------------------------------------

    def chain(self, facts: Facts, order: Callable[[Sequence[Literal_]], Iterable[Literal_]] = tuple) -> Chain:
        """The truth of every head, and the steps of those that are true.

        ``order`` arranges the facts before they go in; the answer does not depend on it.
        """
        if os.getpid() != self._pid:
            raise Foreign("a chainer is built in each process that uses it")
        if self._rules is None:
            raise ValueError("the chainer is closed")
        inputs = [(name, facts[name]) for name in sorted(self.program.inputs)]
        strict = [(name, truth is TRUE) for name, truth in inputs if truth in (TRUE, FALSE)]
        presumed = [(name, truth > UNKNOWN) for name, truth in inputs if truth in (Truth.PRESUMED_TRUE, Truth.PRESUMED_FALSE)]
        with self._lock:
            self._fired, self._error = [], None
            known: dict[Literal_, None] = {}
            ids = iter(self._ids)
            try:
                self._rounds(order(strict), known, ids)
                certain, fired = frozenset(known), frozenset(self._fired)
                self._rounds(order(presumed), known, ids)
            finally:
                # also after an error half way: a state left over would speak for the next patient
                self._rules.delete_state(_SID)
                self._open_slot()
        truths = {name: truth for name, truth in inputs}
        truths |= {head: _truth(head, certain, known) for head in self.program.heads}
        steps = tuple(self._step(rule, fired, truths) for rule in self.program.rules if truths[rule.head] is TRUE)
        return Chain(tuple((head, truths[head]) for head in self.program.heads), steps)
