"""Flags: what a published source lists as a risk, a benefit or a matter of logistics (MEANING 10, DESIGN 6).

A flag stands beside eligibility and never changes it. It rests on a statement of the rule language about
the patient, on what the trial's product is, and on other flags, by ``all``, ``any`` and ``none``. It is
three-valued and raised on a strict yes only: silence never raises a flag, and what is not known is
listed with what is missing. There is no score of our own; published ones are shown with their inputs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import Field, model_validator

from .criteria import Name, NamedList, Names, Node, Statement, Words, refuse
from .finding import Evidence, Finding
from .limits import Read
from .quantity import Interval
from .time import Duration
from .trial import Definition, Derived, Visit
from .truth import FALSE, PRESUMED_FALSE, TRUE, Truth

Axis = Literal["risk", "benefit", "logistics"]
AXES: tuple[Axis, ...] = get_args(Axis)

Population = Literal["autoimmune", "oncology", "transplant"]
POPULATIONS: tuple[Population, ...] = get_args(Population)
"""Whom the evidence is of; ``transplant`` is stem-cell transplantation, an analogue only."""

FLAG_ID = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")


def _populations(raw: object) -> tuple[str, ...]:
    said = [raw] if isinstance(raw, str) else list(raw) if isinstance(raw, list | tuple) else []
    if not said or any(one not in POPULATIONS for one in said):
        raise refuse("population", "the population of the evidence is one or more of autoimmune, oncology and transplant")
    return tuple(dict.fromkeys(said))


Populations = Annotated[
    tuple[str, ...],
    Read(
        _populations,
        {"anyOf": [{"enum": list(POPULATIONS)}, {"type": "array", "items": {"enum": list(POPULATIONS)}, "minItems": 1}]},
        list,
    ),
]


def _year(raw: object) -> int:
    text = str(raw).strip() if isinstance(raw, str | int) and not isinstance(raw, bool) else ""
    if not re.fullmatch(r"(?:19|20)\d\d", text):
        raise refuse("year", "a year is four digits, such as 2024; leave it out where the source shows none")
    return int(text)


Year = Annotated[int, Read(_year, {"type": "integer"})]


class FlagSource(Node):
    """A published source: its title, the year it shows, and where it was read."""

    title: Words
    year: Year | None = None
    url: Words | None = None


class ProductTest(Node):
    """What the trial's product is, as its rule file says: every word holds, by one of its values.

    ``{cells: allogeneic}``, ``{target: [CD19, BCMA]}``, ``{lymphodepletion: required, agents: fludarabine}``.
    """

    target: Names | None = None
    cells: Names | None = None
    engineering: Names | None = Field(None, description="What the text of the trial file begins with, such as lentiviral.")
    design: Names | None = None
    lymphodepletion: Names | None = None
    agents: Names | None = Field(None, description="Drugs of the lymphodepletion.")
    leukapheresis: Names | None = None
    disease: Names | None = Field(None, description="Short names of the trial's diseases, such as ms.")

    @model_validator(mode="after")
    def _asks(self) -> Self:
        if not self.asked():
            raise refuse("no-test", "an empty test of the product: every product would pass it")
        return self

    def asked(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The words said, each with its values."""
        return tuple((word, value) for word in PRODUCT_WORDS if (value := getattr(self, word)) is not None)


PRODUCT_WORDS = ("target", "cells", "engineering", "design", "lymphodepletion", "agents", "leukapheresis", "disease")

PRODUCT_VALUES: dict[str, tuple[str, ...]] = {
    "cells": ("autologous", "allogeneic", "in-vivo"),
    "lymphodepletion": ("required", "none"),
    "leukapheresis": ("required", "none"),
    "design": (
        "integrating",
        "mrna",
        "in-vivo",
        "dual-target",
        "switchable",
        "ipsc-derived",
        "gene-edited",
        "car-nk",
        "car-treg",
        "caar",
        "gamma-delta",
        "double-negative",
    ),
}
"""The values of those words that have a closed list."""


class ScoreShown(Node):
    """A published score shown beside a flag: which derived value of the file, its cut-off, and its limits."""

    value: Name = Field(description="The derived value of the file that computes it.")
    cutoff: Words = Field(description="The published cut-off, or that the source gives none.")
    limits: Words = Field(description="Where and how far the score was tested.")


class FlagRule(Node):
    """One flag. At least one of ``when``, ``product``, ``all`` and ``any`` says what raises it; all said must hold."""

    id: Name
    axis: Axis
    title: Words
    message: Words = Field(description="What the source lists, in words that advise nothing.")
    severity: Words = Field(description="How the source itself grades it.")
    population: Populations
    evidence: Words = Field(description="The kind of source: consensus, label, cohort, trial criterion ...")
    source: FlagSource
    sources: tuple[FlagSource, ...] = ()
    caveat: Words | None = None
    product: ProductTest | None = None
    when: Statement | None = None
    all: Names = ()
    any: Names = ()
    none: Names = ()
    show: Names = Field((), description="Concepts whose latest results are shown beside it.")
    score: ScoreShown | None = None
    answered: dict[str, str] = Field({}, description="Questions of rules check, by code, with the reason the file stays as it is.")

    @model_validator(mode="after")
    def _checked(self) -> Self:
        if not FLAG_ID.fullmatch(self.id):
            raise refuse("not-a-flag-id", "a flag id is small letters, digits and dashes, such as low-platelets")
        if self.when is None and self.product is None and not self.all and not self.any:
            raise refuse("nothing-raises", "nothing raises this flag: say when, product, all or any")
        twice = {*self.all} & {*self.none} | {*self.any} & {*self.none}
        if twice:
            raise refuse("both-ways", "{name} is asked for and asked to be absent", name=sorted(twice)[0])
        return self

    @property
    def rests_on(self) -> tuple[tuple[str, bool], ...]:
        """The flags it asks for, each with whether under ``none``."""
        return (*((name, False) for name in (*self.all, *self.any)), *((name, True) for name in self.none))

    @property
    def derived(self) -> bool:
        """Whether it rests on other flags."""
        return bool(self.rests_on)


class FlagFile(Node):
    """The whole of a flag file: flags, and what their statements rest on, as in a trial's file."""

    schedule: dict[str, Visit] = {}
    horizon: Duration = Duration(26, "week")
    lists: dict[str, NamedList] = {}
    derived: dict[str, Derived] = {}
    definitions: dict[str, Definition] = {}
    flags: tuple[FlagRule, ...]

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not self.flags:
            raise refuse("empty-list", "a flag file without flags says nothing")
        return self


# -- flags that rest on each other ---------------------------------------------------------------


def find_circle(rests_on: Mapping[str, Iterable[tuple[str, bool]]]) -> tuple[tuple[str, ...], bool] | None:
    """A way from a name back to itself and whether a negation lies on it; None where there is none.

    ``rests_on`` gives for each name those it asks for, each with whether under ``none``. Without
    recursion, since a file may chain flags as deep as it likes.

    >>> find_circle({"a": [("b", False)], "b": [("a", True)]})
    (('a', 'b', 'a'), True)
    """
    done: set[str] = set()
    for start in rests_on:
        way: list[tuple[str, bool]] = []
        on_way: dict[str, int] = {}
        stack: list[tuple[str, bool, bool]] = [(start, False, False)]
        while stack:
            name, negated, leaving = stack.pop()
            if leaving:
                way.pop()
                del on_way[name]
                done.add(name)
                continue
            if name in on_way:
                circle = [*way[on_way[name] :], (name, negated)]
                return tuple(one for one, _ in circle), any(no for _, no in circle[1:])
            if name in done or name not in rests_on:
                continue
            on_way[name] = len(way)
            way.append((name, negated))
            stack.append((name, negated, True))
            stack += [(one, no, False) for one, no in reversed(list(rests_on[name]))]
    return None


# -- what a screening says of a flag -------------------------------------------------------------


State = Literal["raised", "unknown", "not_raised"]


@dataclass(frozen=True, slots=True)
class ProductFact:
    """One thing a flag asks of the trial's product, and what the trial's rule file answers.

    ``said`` is the file's own words, None where it says nothing.
    """

    word: str
    wanted: tuple[str, ...]
    truth: Truth
    said: str | None


@dataclass(frozen=True, slots=True)
class FlagLink:
    """Another flag that this one rests on: that it is raised (``holds``), or that it is not."""

    flag: str
    title: str
    holds: bool
    truth: Truth


@dataclass(frozen=True, slots=True)
class ScoreInput:
    """An input of a published score: the entries it was read from, none where it is missing."""

    concept: str
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """A published score of a patient: formula, inputs, value as an interval, cut-off and limits.

    ``value`` is None where it cannot be computed; ``missing`` names the inputs that are not there.
    ``reported`` is set where the chart itself reports the score.
    """

    name: str
    formula: str
    source: str
    unit: str
    inputs: tuple[ScoreInput, ...]
    missing: tuple[str, ...]
    value: Interval | None
    reported: bool
    cutoff: str
    limits: str


@dataclass(frozen=True, slots=True)
class Explained:
    """What goes with a flag: the answer of its statement with what would settle it, its score, and results shown beside it."""

    finding: Finding | None = None
    score: Score | None = None
    shown: tuple[Evidence, ...] = ()

    def __call__(self) -> Explained:
        """Itself: an explanation already made."""
        return self


@dataclass(frozen=True)
class FlagFinding:
    """A flag for a patient and a trial: raised, or not known.

    ``product`` is what it asked of the trial's product, and ``links`` the flags that raise it or hold it
    open. ``depth`` is 0 for a flag that rests on none. The rest is worked out when first asked for, since
    most flags of most records are unknown and few readers ask why: ``finding`` is the answer of its
    statement (with its needs where it is not known), ``score`` a published score with its inputs,
    ``shown`` the newest results of what it shows.
    """

    rule: FlagRule
    truth: Truth
    product: tuple[ProductFact, ...] = ()
    links: tuple[FlagLink, ...] = ()
    depth: int = 0
    explain: Callable[[], Explained] = field(default=Explained(), compare=False, repr=False)

    @property
    def id(self) -> str:
        """The flag's id."""
        return self.rule.id

    @property
    def state(self) -> State:
        """Raised on a strict yes only; what silence or a gap leaves open is unknown."""
        return state_of(self.truth)

    @cached_property
    def _explained(self) -> Explained:
        return self.explain()

    @property
    def finding(self) -> Finding | None:
        """The answer of its statement; None for a flag without one."""
        return self._explained.finding

    @property
    def score(self) -> Score | None:
        """The published score it shows."""
        return self._explained.score

    @property
    def shown(self) -> tuple[Evidence, ...]:
        """The newest results of the concepts it shows."""
        return self._explained.shown

    def __reduce__(self) -> tuple[Any, ...]:
        # a worker's result goes to another process with its explanation, not with the record behind it
        return FlagFinding, (self.rule, self.truth, self.product, self.links, self.depth, self._explained)


def state_of(truth: Truth) -> State:
    """The state of a flag of this truth.

    >>> state_of(Truth.PRESUMED_TRUE)
    'unknown'
    """
    if truth is TRUE:
        return "raised"
    return "not_raised" if truth in (FALSE, PRESUMED_FALSE) else "unknown"


__all__ = [
    "AXES",
    "POPULATIONS",
    "PRODUCT_VALUES",
    "PRODUCT_WORDS",
    "Axis",
    "Explained",
    "FlagFile",
    "FlagFinding",
    "FlagLink",
    "FlagRule",
    "FlagSource",
    "ProductFact",
    "ProductTest",
    "Score",
    "ScoreInput",
    "ScoreShown",
    "State",
    "find_circle",
    "state_of",
]
