"""Holding the engine's answers to the worlds: soundness and tightness of one statement on one case."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from denotation.engine import ask_engine
from denotation.evaluate import Complete, evaluate
from denotation.strategies import RULES, parse
from denotation.worlds import Case, Worlds, mentioned, presumed_extras
from eligibility.model.criteria import FactAtom
from eligibility.model.truth import PRESUMED, STRICT, Truth

READINGS = (("strict", STRICT), ("presumed", PRESUMED))


@dataclass(frozen=True)
class Against:
    """A world that a known answer is not true of, or (``world`` None) an unknown one that all worlds agree on."""

    statement: Any
    case: Case
    reading: str
    said: Truth
    world: Complete | None
    there: bool | None

    def __str__(self) -> str:
        events = "\n  ".join(map(repr, self.world.events)) if self.world is not None else "all worlds"
        return (
            f"{self.statement}\n{self.case.patient().model_dump(mode='json', exclude_defaults=True)}\n"
            f"S is day {self.case.today}; engine {self.said.name}, {self.reading}: there it is {self.there}\n  {events}"
        )


def worlds_of(statement: Any, case: Case, reading: str) -> Worlds:
    """The worlds of a reading. Strict: anything may have gone unrecorded. Presumed: nothing, but for a
    single question what its own silence does not speak of."""
    main, inner = mentioned(statement, RULES)
    strict = reading == "strict"
    extras = (main | inner) if strict else presumed_extras(case, statement, RULES) if isinstance(statement, FactAtom) else set()
    return Worlds(case, statement, RULES, strict, extras)


def unsound(raw: Any, case: Case, tries: int) -> Against | None:
    """A world that contradicts a known answer of the engine, or None where none was found."""
    statement = parse(raw)
    truth = ask_engine(statement, case).truth
    for reading, table in READINGS:
        if table[truth] == "unknown":
            continue
        expected = table[truth] == "true"
        worlds = worlds_of(statement, case, reading)
        for world in worlds.all() if worlds.size <= tries else worlds.some(tries):
            answer = evaluate(statement, world, RULES)
            if answer is not expected:
                return Against(raw, case, reading, truth, world, answer)
    return None


def untight(raw: Any, case: Case, cap: int) -> Against | None:
    """Whether the engine says unknown where every world has the same answer; None where it does not, or
    where there are more than ``cap`` worlds to look at."""
    statement = parse(raw)
    truth = ask_engine(statement, case).truth
    for reading, table in READINGS:
        if table[truth] != "unknown":
            continue
        worlds = worlds_of(statement, case, reading)
        seen: set[bool | None] = set()

        def open_(world: Complete, seen: set[bool | None] = seen) -> bool:
            seen.add(evaluate(statement, world, RULES))
            return None in seen or len(seen) > 1

        if any(map(open_, worlds.some(60))) or worlds.size > cap:
            continue
        if not any(map(open_, worlds.all())):
            return Against(raw, case, reading, truth, None, seen.pop())
    return None
