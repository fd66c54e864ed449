"""The one module that imports durable-rules, and the shell around it.

Used as its manual says, durable-rules mixes patients, drops facts silently and crashes the process.
What is left here cannot: each defect is kept out by construction, not by care.

* A program becomes definite rules over two kinds of fact: *holds* and *fails* of a name. ``none`` of a
  name asks that it fails, which is a fact like any other. So no pattern is negated (the engine does not
  withdraw a negation when its fact arrives late), and an unknown name is one with neither fact.
* Conditions are equal-tests of literals of our own alphabet; no joins, comparisons, arithmetic or
  expressions, and no text of a file or a chart ever reaches the engine.
* One live state with one constant id, deleted in ``finally``. Ids of facts differ in the 32-bit hash by
  which alone the engine tells them apart. No host is made, so there are no polling threads.
* Rules have no consequents: the loop below asks which rule fired, and the names derived go in as the
  next round's facts. Rules are definite and names finitely many, so rounds end.
* The two readings are two rounds of one state: what is known strictly first, then what only silence
  tells. Definite rules never take back, so what the first gave stays.
* What would pass a fixed size of the engine's C tables is refused when compiled (:class:`TooLarge`).

Importing this module does not import the engine; building a chainer does.
"""

from __future__ import annotations

import json
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import import_module
from importlib.util import find_spec
from itertools import count
from typing import Any

from ..model.truth import FALSE, TRUE, UNKNOWN, Truth
from .program import Chain, Facts, Program, Rule, Step

NAME = "durable-rules"

SID = "s"
# the engine's tables have fixed sizes without bounds checks: 512 conditions, 256 rules on a condition,
# 4096 rules, 16 patterns a rule; these stay well below
MAX_CONDITIONS = 400
MAX_RULES_A_CONDITION = 200
MAX_RULES = 2000
MAX_PATTERNS = 11

Literal_ = tuple[str, bool]
"""A name, and whether it holds or fails."""

Horn = tuple[Literal_, tuple[Literal_, ...]]
"""A definite rule: what follows, and from what."""


class TooLarge(ValueError):
    """The program does not fit the engine's tables."""


class Foreign(RuntimeError):
    """The chainer was built in another process; the engine does not survive a fork."""


def installed() -> bool:
    """Whether the engine is there to be imported, without importing it."""
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
        self._horn = tuple(horn(program))
        check_size(self._horn)
        names = sorted({name for head, body in self._horn for name, _ in (head, *body)})
        self._letters = {name: f"n{number}" for number, name in enumerate(names)}
        self._asked = frozenset(literal for _, body in self._horn for literal in body)
        self._opened = False
        literals = [(name, holds) for name in names for holds in (True, False)]
        # each fact is written once and for all: no text of a file or a chart ever reaches the engine
        self._facts = {
            literal: json.dumps({"sid": SID, "id": one, **self._tests(literal)})
            for literal, one in zip(literals, distinct_ids(len(literals)), strict=True)
        }
        self._core = import_module("durable_rules_engine")
        self._rules = self._open()

    # -- the engine ------------------------------------------------------------------------------

    def _open(self) -> Any:
        engine = import_module("durable.engine")  # untyped, and not always there
        definition: dict[str, Any] = {"warm": {"all": [{"p0": {"warm": 1}}], "run": _nothing}}
        for number, (_, body) in enumerate(self._horn):
            patterns = [{f"p{place}": self._tests(literal)} for place, literal in enumerate(body)]
            # dist 0: one fact may answer two patterns of a rule
            definition[str(number)] = {"all": patterns, "dist": 0, "run": _nothing}
        rules = engine.Ruleset("flags", None, definition)
        # the first use of a state's slot frees an unset pointer unless a rule fired in it
        state = self._assert(rules._handle, json.dumps({"sid": SID, "id": "w", "warm": 1}))
        fired = list(self._fire(rules._handle, state))
        self._core.delete_state(rules._handle, SID)
        if fired != ["warm"]:
            raise ImportError("durable-rules does not work here: a rule with a true condition did not fire")
        return rules

    def _assert(self, handle: Any, fact: str) -> Any:
        """Put a fact in; the state it is in, or an error where the engine leaves it out."""
        code, state = self._core.assert_fact(handle, fact)
        if code != 0:
            raise RuntimeError(f"durable-rules did not take a fact (code {code})")
        return state

    def _fire(self, handle: Any, state: Any) -> Iterator[str]:
        """The names of the rules that fire in a state, one after another.

        The engine's own loop makes a closure with a time limit for each rule, after which it silently
        leaves the rest out, and calls a consequent whose errors it swallows. This is that loop without them.
        """
        found = self._core.start_action_for_state(handle, state)
        message = found[1] if found else None
        while message:
            yield message[2 : message.index('"', 2)]  # {"name": what matched}
            self._core.update_state(handle, found[0])
            message = self._core.complete_and_start_action(handle, state)

    def _tests(self, literal: Literal_) -> dict[str, str]:
        name, holds = literal
        return {"t" if holds else "f": self._letters[name]}

    def close(self) -> None:
        """Give the engine's tables back. A chainer that was inherited by a fork leaves them alone."""
        with self._lock:
            rules, self._rules = self._rules, None
            if rules is not None and self._pid == os.getpid():
                self._core.delete_ruleset(rules._handle)

    # -- chaining --------------------------------------------------------------------------------

    def chain(self, facts: Facts, order: Callable[[Sequence[Literal_]], Iterable[Literal_]] = tuple) -> Chain:
        """The truth of every head, and the steps of those that are true.

        ``order`` arranges the facts before they go in; the answer does not depend on it. ``KeyError``
        for an input without a truth, :class:`Foreign` after a fork.
        """
        if os.getpid() != self._pid:
            raise Foreign("a chainer is built in each process that uses it")
        given = [(name, facts[name]) for name in sorted(self.program.inputs)]
        certain = [(name, truth is TRUE) for name, truth in given if truth in (TRUE, FALSE)]
        silent = [(name, truth > UNKNOWN) for name, truth in given if truth in (Truth.PRESUMED_TRUE, Truth.PRESUMED_FALSE)]
        with self._lock:
            if self._rules is None:
                raise ValueError("the chainer is closed")
            known: dict[Literal_, None] = {}
            self._opened = False
            try:
                fired = frozenset(self._rounds(order(certain), known))
                strict = frozenset(known)
                for _ in self._rounds(order(silent), known):
                    pass
            finally:
                # also after an error half way: a state left over would speak for the next patient
                if self._opened:
                    self._core.delete_state(self._rules._handle, SID)
        truths = {head: _truth(head, strict, known) for head in self.program.heads}
        steps = tuple(self._step(rule, fired) for rule in self.program.rules if truths[rule.head] is TRUE)
        return Chain(tuple(truths.items()), steps)

    def _rounds(self, literals: Iterable[Literal_], known: dict[Literal_, None]) -> Iterator[int]:
        """Put facts in, see which rules fire, put in what they derive, until nothing new comes; yields the rules fired."""
        handle = self._rules._handle
        new = [literal for literal in literals if literal not in known]
        while new:
            state: Any = None
            for literal in new:
                known[literal] = None
                if literal in self._asked:  # the engine takes a fact that no rule asks for as a mistake
                    state = self._assert(handle, self._facts[literal])
                    self._opened = True
            fired = [int(name) for name in self._fire(handle, state)] if state is not None else []
            yield from fired
            new = [head for head in dict.fromkeys(self._horn[number][0] for number in fired) if head not in known]

    def _step(self, rule: Rule, fired: frozenset[int]) -> Step:
        held = {literal for number in fired if self._horn[number][0] == (rule.head, True) for literal in self._horn[number][1]}
        inside = [*((name, True) for name in (*rule.all, *rule.any)), *((name, False) for name in rule.none)]
        return Step(rule.head, tuple(literal for literal in dict.fromkeys(inside) if literal in held))


def _nothing(_closure: Any) -> None:
    """The engine asks for a consequent; what fired is read by the loop instead."""


def _truth(head: str, strict: frozenset[Literal_], known: dict[Literal_, None]) -> Truth:
    if (head, True) in strict:
        return TRUE
    if (head, False) in strict:
        return FALSE
    if (head, True) in known:
        return Truth.PRESUMED_TRUE
    return Truth.PRESUMED_FALSE if (head, False) in known else UNKNOWN


# -- programs as definite rules ------------------------------------------------------------------


def horn(program: Program) -> Iterator[Horn]:
    """The definite rules of a program: when a head holds, and when it fails.

    >>> list(horn(Program((Rule("h", all=("a",), none=("b",)),))))
    [(('h', True), (('a', True), ('b', False))), (('h', False), (('a', False),)), (('h', False), (('b', True),))]
    """
    for rule in program.rules:
        both = dict.fromkeys([*((name, True) for name in rule.all), *((name, False) for name in rule.none)])
        for one in dict.fromkeys(rule.any) or (None,):
            yield (rule.head, True), tuple(both if one is None else dict.fromkeys([*both, (one, True)]))
        for name, holds in both:
            yield (rule.head, False), ((name, not holds),)
        if rule.any:
            yield (rule.head, False), tuple(dict.fromkeys((name, False) for name in rule.any))


def check_size(rules: Sequence[Horn]) -> None:
    """Raise :class:`TooLarge` where a table of the engine would be written past its end."""
    shared = Counter(literal for _, body in rules for literal in body)
    longest = max((len(body) for _, body in rules), default=0)
    if len(shared) > MAX_CONDITIONS or len(rules) > MAX_RULES or longest > MAX_PATTERNS:
        raise TooLarge(f"{len(shared)} conditions, {len(rules)} rules, {longest} conditions in a rule")
    if max(shared.values(), default=0) > MAX_RULES_A_CONDITION:
        raise TooLarge("one condition stands in too many rules")


def _fnv(text: str) -> int:
    value = 0x811C9DC5
    for byte in text.encode():
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return value


def distinct_ids(number: int) -> tuple[str, ...]:
    """Ids of facts no two of which have one hash, nor that of the ids the engine makes itself."""
    seen = {_fnv(f"sid-{SID}"), _fnv("$pulse"), _fnv("w")}
    found: list[str] = []
    for one in (f"f{i}" for i in count()):
        if len(found) == number:
            break
        if _fnv(one) not in seen:
            seen.add(_fnv(one))
            found.append(one)
    return tuple(found)
