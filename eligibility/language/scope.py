"""A rule file laid out for checking: every statement with its place, every name looked up.

The checks of ``rules check`` ask of a :class:`Scope` what stands where and what it is about, and
answer with :class:`Found`. Each check is one function, registered with the codes it may give.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, Protocol

from ..errors import Problem
from ..model.criteria import (
    AllOf,
    AnyOf,
    Ask,
    Exemption,
    FactAtom,
    Meets,
    Node,
    NoneOf,
    Readings,
    Selection,
    SomeOf,
    Subject,
    Test,
    TimeWords,
    operands,
)
from ..model.patient import Family
from ..model.trial import Criterion, Definition, Derived, TrialFile, Visit
from ..vocabulary.concept import Concept
from ..vocabulary.vocabulary import Vocabulary
from .diagnostics import INSTEAD
from .reader import Located

FORMULAS = {
    "cockcroft-gault": "mL/min",
    "ckd-epi-2021": "mL/min/{1.73_m2}",
    "body-mass-index": "kg/m2",
    "body-surface-area": "m2",
    "easix": "1",
    "m-easix": "1",
    "car-hematotox": "1",
}
"""Formulas a derived value may name, with the unit of what they give; the engine computes them."""

SCALES: Mapping[str, tuple[str, ...]] = {"ctcae": ("1", "2", "3", "4", "5"), "severity": ("mild", "moderate", "severe")}
"""Scales of grades, each from least to greatest."""

ALWAYS = ("screening", "consent")
"""Visits every trial has, whether its schedule lists them or not."""

PREDNISONE_DOSE = "prednisone-equivalent-dose"

Loc = tuple[str | int, ...]


class Names(Protocol):
    """What checks need of a library: the shared definitions and the vocabulary."""

    @property
    def definitions(self) -> Mapping[str, Definition]: ...

    @property
    def vocabulary(self) -> Vocabulary: ...


@dataclass(frozen=True, slots=True)
class Owner:
    """What a problem belongs to: a criterion, a definition, a visit or a derived value, which may answer a question."""

    loc: Loc
    where: str
    answered: Mapping[str, str]
    criterion: Criterion | None = None
    kind: Literal["inclusion", "exclusion"] | None = None
    arm: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A problem and what may answer it where it is a question."""

    problem: Problem
    owners: tuple[Owner, ...] = ()


@dataclass(frozen=True, slots=True)
class Root:
    """A statement at the top: under when, applies_when or unless of a criterion, or a definition's."""

    loc: Loc
    statement: Node
    owner: Owner
    part: Literal["when", "applies_when", "unless"]


@dataclass(frozen=True, slots=True)
class Asked:
    """A selection of facts anywhere in the file: an atom, or what stands under while, except or an anchor.

    ``entries`` are the concepts asked for, those that count as one together; an exception without a
    subject of its own has that of its atom.
    """

    loc: Loc
    node: FactAtom | Selection | Exemption
    role: Literal["atom", "while", "anchor", "except"]
    family: Family
    entries: tuple[tuple[str, ...], ...]
    atom: FactAtom
    owner: Owner

    @property
    def concepts(self) -> tuple[str, ...]:
        """Every concept asked for, once each."""
        return tuple(dict.fromkeys(concept for entry in self.entries for concept in entry))

    @property
    def listed(self) -> bool:
        """Whether a list is asked for, in line or by name, rather than one concept."""
        return len(self.entries) > 1 or any(len(entry) > 1 for entry in self.entries)


@dataclass(frozen=True, slots=True)
class Tested:
    """A test anywhere in the file, those inside tests included; ``role`` is the word it stands under."""

    loc: Loc
    test: Test
    role: Literal["where", "any", "every", "latest", "earliest"]
    asked: Asked


class Scope:
    """A trial file, or a file of definitions, with its names and places."""

    def __init__(
        self,
        names: Names,
        trial: TrialFile | None,
        tree: Located | None = None,
        definitions: Mapping[str, Definition] | None = None,
    ) -> None:
        self.trial = trial
        self.tree = tree
        self.vocabulary = names.vocabulary
        self.shared = names.definitions
        self.own: Mapping[str, Definition] = trial.definitions if trial is not None else {}
        self.lists: Mapping[str, tuple[Subject, ...]] = trial.lists if trial is not None else {}
        self.derived: Mapping[str, Derived] = trial.derived if trial is not None else {}
        self.schedule: Mapping[str, Visit] = trial.schedule if trial is not None else {}
        self._definitions = definitions

    # -- answers ---------------------------------------------------------------------------------

    def found(
        self,
        code: str,
        message: str,
        loc: Loc,
        owner: Owner | None = None,
        *,
        key: bool = False,
        instead: str | None = None,
        question: bool = False,
        owners: tuple[Owner, ...] = (),
    ) -> Found:
        """A problem at a place; ``instead`` before the code's own advice."""
        advice = instead if instead is not None else INSTEAD[code]
        severity = "question" if question else "error"
        where = owner.where if owner is not None else None
        if self.tree is not None:
            problem = self.tree.problem(code, message, loc, key=key, where=where, instead=advice, severity=severity)
        else:
            file = self.trial.id if self.trial is not None else None
            problem = Problem(code, message, file, where=where, instead=advice, severity=severity)
        return Found(problem, owners or ((owner,) if owner is not None else ()))

    # -- what stands where -----------------------------------------------------------------------

    @cached_property
    def owners(self) -> tuple[Owner, ...]:
        """The criteria in the order of the file."""
        if self.trial is None:
            return ()
        found: list[Owner] = []
        for base, arm, holder in [((), None, self.trial), *((("arms", name), name, one) for name, one in self.trial.arms.items())]:
            listed: Any = holder
            kinds: tuple[Literal["inclusion", "exclusion"], ...] = ("inclusion", "exclusion")
            for kind in kinds:
                for i, criterion in enumerate(getattr(listed, kind)):
                    loc: Loc = (*base, kind, i)
                    found.append(Owner(loc, f"criterion {criterion.id}", criterion.answered, criterion, kind, arm))
        return tuple(found)

    @cached_property
    def roots(self) -> tuple[Root, ...]:
        """Every statement at the top, criteria first."""
        found: list[Root] = []
        for owner in self.owners:
            assert owner.criterion is not None
            for part in ("when", "applies_when", "unless"):
                statement = getattr(owner.criterion, part)
                if statement is not None:
                    found.append(Root((*owner.loc, part), statement, owner, part))
        definitions, base = (self.own, ("definitions",)) if self._definitions is None else (self._definitions, ())
        for name, definition in definitions.items():
            loc: Loc = (*base, name)
            owner = Owner(loc, f"definition {name}", definition.answered)
            found.append(Root((*loc, "when"), definition.when, owner, "when"))
        return tuple(found)

    @cached_property
    def statements(self) -> tuple[tuple[Loc, Node, Owner], ...]:
        """Every statement of the file, outer before inner."""
        return tuple((loc, node, root.owner) for root in self.roots for loc, node in located(root.statement, root.loc))

    @cached_property
    def asked(self) -> tuple[Asked, ...]:
        """Every selection of facts in the file."""
        return tuple(one for loc, node, owner in self.statements if isinstance(node, FactAtom) for one in self._asked(node, loc, owner))

    def atoms(self) -> Iterator[tuple[Asked, FactAtom]]:
        """The atoms alone."""
        for one in self.asked:
            if isinstance(one.node, FactAtom):
                yield one, one.node

    def _asked(self, atom: FactAtom, loc: Loc, owner: Owner) -> Iterator[Asked]:
        family, entries = atom.family, self.entries(atom.subject)
        yield Asked(loc, atom, "atom", family, entries, atom, owner)

        def below(node: FactAtom | Selection | Exemption, at: Loc, inherited: tuple[tuple[str, ...], ...], of: Family) -> Iterator[Asked]:
            for word in ("before", "after"):
                anchor = getattr(node, word)
                if isinstance(anchor, Selection):
                    yield from one(anchor, (*at, word), "anchor")
            for i, exemption in enumerate(() if isinstance(node, Exemption) else node.except_):
                place: Loc = (*at, "except", i)
                mine = self.entries(exemption.subject) if exemption.has_subject else inherited
                whose = exemption.family if exemption.has_subject else of
                yield Asked(place, exemption, "except", whose, mine, atom, owner)
                yield from below(exemption, place, mine, whose)

        def one(selection: Selection, at: Loc, role: Literal["while", "anchor"]) -> Iterator[Asked]:
            mine = self.entries(selection.subject)
            yield Asked(at, selection, role, selection.family, mine, atom, owner)
            yield from below(selection, at, mine, selection.family)

        yield from below(atom, loc, entries, family)
        if atom.while_ is not None:
            yield from one(atom.while_, (*loc, "while"), "while")

    @cached_property
    def tests(self) -> tuple[Tested, ...]:
        """Every test in the file, with the facts it is asked of."""
        found: list[Tested] = []
        for asked in self.asked:
            for word in ("where", "any", "every", "latest", "earliest"):
                # only an atom has choice words, and pydantic is slow to say that a name is none
                test = getattr(asked.node, word) if word == "where" or isinstance(asked.node, FactAtom) else None
                if isinstance(test, Test):
                    found += [Tested(loc, one, word, asked) for loc, one in _inner_tests(test, (*asked.loc, word))]
        return tuple(found)

    def asks(self) -> Iterator[tuple[Loc, str, Owner]]:
        """Every question put to a person, with its place."""
        for owner in self.owners:
            if owner.criterion is not None and owner.criterion.ask is not None:
                yield (*owner.loc, "ask"), owner.criterion.ask, owner
        for loc, node, owner in self.statements:
            if isinstance(node, Ask):
                yield (*loc, "ask"), node.ask, owner
        for asked in self.asked:
            if isinstance(asked.node, Exemption) and asked.node.ask is not None:
                yield (*asked.loc, "ask"), asked.node.ask, asked.owner

    def times(self) -> Iterator[tuple[Loc, TimeWords, Asked]]:
        """Every place with words of time: selections, and started and ended inside tests."""
        for asked in self.asked:
            yield asked.loc, asked.node, asked
        for tested in self.tests:
            for word in ("started", "ended"):
                words = getattr(tested.test, word)
                if words is not None:
                    yield (*tested.loc, word), words, tested.asked

    # -- names -----------------------------------------------------------------------------------

    def entries(self, subject: Subject, inside: tuple[str, ...] = ()) -> tuple[tuple[str, ...], ...]:
        """The entries of a subject, those of named lists in place of the name; names that stand for nothing are left out."""
        if isinstance(subject, str):
            if subject in self.lists and subject not in inside:
                return tuple(entry for one in self.lists[subject] for entry in self._entry(one, (*inside, subject)))
            return ((subject,),) if self.concept(subject) is not None else ()
        return tuple(entry for one in subject for entry in self._entry(one, inside))

    def _entry(self, one: Subject, inside: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
        if isinstance(one, str):
            return self.entries(one, inside)
        flat = tuple(concept for inner in one for entry in self.entries(inner, inside) for concept in entry)
        return (flat,) if flat else ()

    def concept(self, name: str) -> Concept | None:
        """A concept of the vocabulary, or the measurement a derived value of the file makes."""
        known = self.vocabulary.concepts.get(name)
        if known is None and name in self.derived:
            unit = self.derived[name].unit or FORMULAS.get(self.derived[name].formula or "", "1")
            return Concept(id=name, family="observation", label=name.replace("-", " "), unit=unit)
        return known

    def definition(self, name: str) -> Definition | None:
        """A definition by late lookup: the file's own before the shared one."""
        own = self.own.get(name)
        return own if own is not None else self.shared.get(name)

    def through(self, statement: Node, inside: tuple[str, ...] = ()) -> Iterator[Node]:
        """The statement and all below it, definitions followed."""
        yield statement
        if isinstance(statement, Meets) and statement.meets not in inside:
            definition = self.definition(statement.meets)
            if definition is not None:
                yield from self.through(definition.when, (*inside, statement.meets))
        for below in operands(statement):
            yield from self.through(below, inside)

    def through_criteria(self) -> Iterator[Node]:
        """Every statement that the criteria rest on, definitions followed."""
        for root in self.roots:
            if root.owner.criterion is not None:
                yield from self.through(root.statement)

    def below(self, concept: str) -> frozenset[str]:
        """The concept and its narrower ones; itself alone where the file made it."""
        return self.vocabulary.descendants(concept) if concept in self.vocabulary.concepts else frozenset((concept,))


_OPERANDS: Mapping[type, str] = {AllOf: "all_of", AnyOf: "any_of", NoneOf: "none_of", SomeOf: "of", Readings: "readings"}


def located(statement: Node, loc: Loc) -> Iterator[tuple[Loc, Node]]:
    """A statement and every statement below it, with places."""
    yield loc, statement
    word = _OPERANDS.get(type(statement))
    if word is not None:
        for i, below in enumerate(operands(statement)):
            yield from located(below, (*loc, word, i))


def _inner_tests(test: Test, loc: Loc) -> Iterator[tuple[Loc, Test]]:
    yield loc, test
    for word in ("all_of", "any_of", "none_of"):
        for i, below in enumerate(getattr(test, word) or ()):
            yield from _inner_tests(below, (*loc, word, i))


# -- the checks ----------------------------------------------------------------------------------

CheckFunction = Callable[[Scope], Iterable[Found]]


@dataclass(frozen=True, slots=True)
class Check:
    """A check: the codes it may give, and whether it is one of names (run whenever a file is loaded) or needs a trial."""

    codes: tuple[str, ...]
    run: CheckFunction
    names: bool
    trial: bool


CHECKS: list[Check] = []


def check_for(*codes: str, names: bool = False, trial: bool = False) -> Callable[[CheckFunction], CheckFunction]:
    """Register a check with its codes."""

    def register(function: CheckFunction) -> CheckFunction:
        CHECKS.append(Check(codes, function, names, trial))
        return function

    return register
