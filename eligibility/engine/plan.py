"""The compiled form of a trial that engines read: definitions expanded, lists resolved, leaves numbered.

A plan holds no patient. Equal leaves of a trial are one leaf; a list under ``any`` becomes one leaf an
entry, so that results are never pooled; every question that a person may answer has a number.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from ..errors import Problem, RuleFileError, did_you_mean
from ..model.criteria import (
    AgeAtom,
    AllOf,
    AnyOf,
    Ask,
    Count,
    Exemption,
    FactAtom,
    Meets,
    Node,
    NoneOf,
    NotPublished,
    Readings,
    Selection,
    SexAtom,
    SiteAtom,
    SomeOf,
    Subject,
    Test,
)
from ..model.finding import Finding, Kind, Reason
from ..model.patient import Family
from ..model.site import criterion_digest
from ..model.time import Duration
from ..model.trial import Criterion, Definition, Derived, TrialFile, Visit
from ..model.truth import UNKNOWN
from ..vocabulary.vocabulary import Vocabulary
from .windows import When_, compile_time

PREDNISONE_DOSE = "prednisone-equivalent-dose"

Op = Literal["leaf", "all_of", "any_of", "none_of", "at_least", "at_most", "readings", "meets"]


@dataclass(frozen=True, slots=True)
class Selector:
    """Whose facts, when, which: what an atom, a selection and an exception have in common."""

    family: Family | None
    families: tuple[Family, ...]
    concepts: tuple[str, ...]
    when: When_ | None
    where: Test | None
    excepts: tuple[Selector, ...] = ()
    while_: Selector | None = None
    around: Selector | None = None
    pick: Literal["latest", "earliest"] | None = None
    question: int | None = None
    ask: str | None = None
    silent: bool = False
    unclear_families: tuple[Family, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Leaf:
    """One atomic question, with its number in the plan.

    ``entries`` are the alternatives that ``count: {distinct: entry}`` counts. ``results`` is how many
    results on different days silence about an observation needs (MEANING 5). ``question`` is the
    number of the question a person may answer instead. ``selectors`` are its own and those inside it.
    """

    index: int
    node: Node
    kind: Literal["fact", "dose", "age", "sex", "site", "ask", "not_published"]
    selector: Selector | None = None
    selectors: tuple[Selector, ...] = ()
    choice: str = "any"
    test: Any = None
    entries: tuple[tuple[str, ...], ...] = ()
    results: int = 1
    derived: Derived | None = None
    name: str = ""
    episode: Duration | None = None
    never_presumed: bool = False
    question: int | None = None
    criterion: str | None = None
    filters: bool = False
    documented: bool = False
    asks: str = ""
    shows: tuple[str, ...] = ()
    items: tuple[tuple[str, ...] | None, tuple[str, ...] | None] | None = None
    """``only`` and ``without`` of a score, None where the whole of it is asked for."""
    unanswered: Finding | None = None
    """The finding of a question that nobody has answered, the same for everyone."""


@dataclass(frozen=True, slots=True, eq=False)
class PlanNode:
    """A logical node over leaves."""

    op: Op
    node: Node
    operands: tuple[PlanNode, ...] = ()
    k: int = 0
    leaf: Leaf | None = None

    def leaves(self) -> Iterator[Leaf]:
        """Its leaves in the order of the rule file."""
        if self.leaf is not None:
            yield self.leaf
        for operand in self.operands:
            yield from operand.leaves()


@dataclass(frozen=True, slots=True)
class Question:
    """A question a person may answer: its number in the criterion, its words, what to show beside it."""

    number: int
    text: str
    show: tuple[str, ...] = ()
    valid_for: Duration | None = None


@dataclass(frozen=True, slots=True, eq=False)
class PlanCriterion:
    """A criterion compiled: its statement, whether it applies, its questions."""

    id: str
    kind: Kind
    arm: str | None
    criterion: Criterion
    when: PlanNode | None
    applies_when: PlanNode | None
    unless: PlanNode | None
    questions: tuple[Question, ...]
    definitions: tuple[tuple[str, Definition], ...]
    leaves: tuple[int, ...] = ()
    concepts: frozenset[str] = frozenset()
    families: tuple[Family, ...] = ()
    person_free: bool = False
    """No leaf asks about the person, the site or a computed value: where a chart has nothing of its
    ``concepts``, all such charts get one and the same result."""

    @property
    def digest(self) -> str:
        """Digest of the sentence and the rule, the definitions it meets included: an answer holds for it alone."""
        used = {
            name: found.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude={"answered"})
            for name, found in self.definitions
        }
        return criterion_digest(self.criterion, used)

    @property
    def published(self) -> Literal["computable", "part", "ask", "not_published", "note"]:
        """How much of it a record can answer."""
        if self.when is None:
            return "note"
        kinds = [leaf.kind for part in (self.when, self.applies_when, self.unless) if part is not None for leaf in part.leaves()]
        asked = "ask" in kinds or any(
            exemption.ask is not None for leaf in self.when.leaves() if leaf.selector is not None for exemption in leaf.selector.excepts
        )
        own = [leaf.kind for leaf in self.when.leaves()]
        if all(kind == "not_published" for kind in own):
            return "not_published"
        if all(kind in ("ask", "not_published") for kind in own):
            return "ask"
        return "part" if asked or "not_published" in kinds else "computable"


@dataclass(frozen=True, slots=True)
class Asked:
    """Which leaves and criteria ask about a concept or a family, of those that a chart can be silent on."""

    leaves: frozenset[int]
    criteria: frozenset[int]
    concepts: frozenset[str]
    leaves_on: Mapping[str, Sequence[int]]
    criteria_on: Mapping[str, Sequence[int]]
    leaves_in: Mapping[Family, Sequence[int]]
    criteria_in: Mapping[Family, Sequence[int]]

    @classmethod
    def of(cls, all_leaves: Iterable[Leaf], all_criteria: Iterable[PlanCriterion]) -> Asked:
        """Gathered once a plan."""
        leaves_on: dict[str, list[int]] = {}
        leaves_in: dict[Family, list[int]] = {}
        criteria_on: dict[str, list[int]] = {}
        criteria_in: dict[Family, list[int]] = {}
        plain = [leaf for leaf in all_leaves if leaf.kind == "fact" and leaf.derived is None and leaf.question is None]
        for leaf in plain:
            assert leaf.selector is not None
            for concept in leaf.selector.concepts:
                leaves_on.setdefault(concept, []).append(leaf.index)
            for family in leaf.selector.unclear_families:
                leaves_in.setdefault(family, []).append(leaf.index)
        free = [(number, one) for number, one in enumerate(all_criteria) if one.person_free and one.when is not None]
        for number, criterion in free:
            for concept in criterion.concepts:
                criteria_on.setdefault(concept, []).append(number)
            for family in criterion.families:
                criteria_in.setdefault(family, []).append(number)
        return cls(
            frozenset(leaf.index for leaf in plain),
            frozenset(number for number, _ in free),
            frozenset(leaves_on) | frozenset(criteria_on),
            leaves_on,
            criteria_on,
            leaves_in,
            criteria_in,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """A trial ready to be evaluated against records read with the same vocabulary."""

    trial: TrialFile
    vocabulary: Vocabulary
    criteria: tuple[PlanCriterion, ...]
    leaves: tuple[Leaf, ...]
    schedule: Mapping[str, Visit]
    horizon: Duration
    asked: Asked
    shared: dict[Any, Any] = field(default_factory=dict)
    """Results that do not depend on who the patient is, by what they do depend on. Values are frozen."""

    def silent_on(self, recorded: Set[str], planned: Set[str], unclear: Collection[Family]) -> tuple[Set[int], Set[int]]:
        """The numbers of the leaves, and of the criteria, that a chart with entries of these concepts has nothing on.

        ``unclear`` are the families with entries that may be anything.
        """
        asked = self.asked
        leaves, criteria = set(asked.leaves), set(asked.criteria)
        for family in unclear:
            leaves.difference_update(asked.leaves_in.get(family, ()))
            criteria.difference_update(asked.criteria_in.get(family, ()))
        for concept in asked.concepts & recorded:
            leaves.difference_update(asked.leaves_on.get(concept, ()))
            criteria.difference_update(asked.criteria_on.get(concept, ()))
        for concept in asked.concepts & planned:
            criteria.difference_update(asked.criteria_on.get(concept, ()))
        return leaves, criteria

    def arm(self, name: str | None) -> tuple[PlanCriterion, ...]:
        """The criteria of an arm; of the shared lists for None."""
        return tuple(criterion for criterion in self.criteria if criterion.arm == name)


def compile_plan(trial: TrialFile, definitions: Mapping[str, Definition], vocabulary: Vocabulary) -> Plan:
    """Compile a trial against shared definitions and a vocabulary.

    Raises :class:`RuleFileError` with every name that stands for nothing.
    """
    compiler = _Compiler(vocabulary, definitions, trial.definitions, trial.lists, trial.derived, trial.schedule)
    criteria = tuple(compiler.criterion(arm, kind, criterion) for arm, kind, criterion in trial.criteria())
    if compiler.problems:
        raise RuleFileError(*(Problem(code, message, file=trial.id, instead=hint) for code, message, hint in compiler.problems))
    leaves = tuple(compiler.leaves)
    return Plan(trial, vocabulary, criteria, leaves, trial.schedule, trial.horizon, Asked.of(leaves, criteria))


def compile_statement(
    statement: Node,
    vocabulary: Vocabulary,
    definitions: Mapping[str, Definition] | None = None,
    lists: Mapping[str, tuple[Any, ...]] | None = None,
    derived: Mapping[str, Derived] | None = None,
    schedule: Mapping[str, Visit] | None = None,
) -> PlanNode:
    """Compile one statement on its own (tests, documentation pages, flags)."""
    compiler = _Compiler(vocabulary, definitions or {}, {}, lists or {}, derived or {}, schedule or {})
    compiler.start("statement")
    node = compiler.statement(statement)
    if compiler.problems:
        raise RuleFileError(*(Problem(code, message, instead=hint) for code, message, hint in compiler.problems))
    return node


@dataclass
class _Compiler:
    vocabulary: Vocabulary
    shared: Mapping[str, Definition]
    own: Mapping[str, Definition]
    lists: Mapping[str, tuple[Any, ...]]
    derived: Mapping[str, Derived]
    schedule: Mapping[str, Visit]
    leaves: list[Leaf] = field(default_factory=list)
    problems: list[tuple[str, str, str | None]] = field(default_factory=list)
    _known: dict[Any, Leaf] = field(default_factory=dict)
    _whens: dict[When_, When_] = field(default_factory=dict)
    _criterion: str = ""
    _questions: list[Question] = field(default_factory=list)
    _inside: tuple[str, ...] = ()

    def start(self, criterion: str) -> None:
        """Begin a criterion: its questions are numbered from 1."""
        self._criterion, self._questions = criterion, []

    def criterion(self, arm: str | None, kind: Kind, criterion: Criterion) -> PlanCriterion:
        self.start(criterion.id)
        body = criterion.statement
        when = self.statement(body) if body is not None else None
        applies = self.statement(criterion.applies_when) if criterion.applies_when is not None else None
        unless = self.statement(criterion.unless) if criterion.unless is not None else None
        named = {name: self._find(name) for part in (when, applies, unless) if part is not None for name in _names_met(part)}
        leaves = [leaf for part in (when, applies, unless) if part is not None for leaf in part.leaves()]
        selectors = [inner for leaf in leaves for inner in nested(leaf.selector)]
        return PlanCriterion(
            criterion.id,
            kind,
            arm,
            criterion,
            when,
            applies,
            unless,
            tuple(self._questions),
            tuple((name, found) for name, found in named.items() if found is not None),
            leaves=tuple(dict.fromkeys(leaf.index for leaf in leaves)),
            concepts=frozenset(concept for selector in selectors for concept in selector.concepts),
            families=tuple(sorted({family for selector in selectors for family in selector.families})),
            person_free=all(leaf.kind in ("fact", "ask", "not_published") and leaf.derived is None and not leaf.shows for leaf in leaves),
        )

    def _find(self, name: str) -> Definition | None:
        return self.own.get(name) or self.shared.get(name)

    # -- logic ---------------------------------------------------------------------------------

    def statement(self, node: Node) -> PlanNode:
        match node:
            case AllOf(all_of=of):
                return PlanNode("all_of", node, tuple(self.statement(one) for one in of))
            case AnyOf(any_of=of):
                return PlanNode("any_of", node, tuple(self.statement(one) for one in of))
            case NoneOf(none_of=of):
                return PlanNode("none_of", node, tuple(self.statement(one) for one in of))
            case SomeOf(of=of, at_least=k) if k is not None:
                return PlanNode("at_least", node, tuple(self.statement(one) for one in of), k)
            case SomeOf(of=of, at_most=k):
                return PlanNode("at_most", node, tuple(self.statement(one) for one in of), k or 0)
            case Readings(readings=of):
                return PlanNode("readings", node, tuple(self.statement(one) for one in of))
            case Meets(meets=name):
                return self._definition(node, name)
            case FactAtom():
                return self._atom(node)
            case AgeAtom(at=at):
                self._visit(at)
                return self._leaf(node, kind="age")
            case SexAtom():
                return self._leaf(node, kind="sex")
            case SiteAtom():
                return self._leaf(node, kind="site")
            case Ask(ask=text, show=show, valid_for=valid_for):
                shows = tuple(concept for name in show for entry in self._entries(name, "observation") for concept in entry)
                number = self._question(text, shows, valid_for)
                nobody = Finding(node, UNKNOWN, (Reason("needs_judgement", text),))
                return self._leaf(node, kind="ask", question=number, name=text, criterion=self._criterion, shows=shows, unanswered=nobody)
            case NotPublished(not_published=text):
                number = self._question(text, (), None)
                nobody = Finding(node, UNKNOWN, (Reason("not_published", text),))
                return self._leaf(node, kind="not_published", question=number, name=text, criterion=self._criterion, unanswered=nobody)
        raise TypeError(f"no plan for {type(node).__name__}")

    def _definition(self, node: Node, name: str) -> PlanNode:
        definition = self._find(name)
        if definition is None:
            known = [*self.own, *self.shared]
            self.problems.append(("unknown-definition", f"there is no definition «{name}»", did_you_mean(name, known)))
            return PlanNode("meets", node)
        if name in self._inside:
            self.problems.append(("cycle", f"the definition «{name}» meets itself: {' -> '.join([*self._inside, name])}", None))
            return PlanNode("meets", node)
        outer, self._inside = self._inside, (*self._inside, name)
        below = self.statement(definition.when)
        self._inside = outer
        return PlanNode("meets", node, (below,))

    def _question(self, text: str, show: tuple[str, ...], valid_for: Duration | None) -> int:
        self._questions.append(Question(len(self._questions) + 1, text, show, valid_for))
        return len(self._questions)

    def _leaf(self, node: Node, key: Any = None, **fields: Any) -> PlanNode:
        key = (node, key, fields.get("question"), fields.get("criterion"))
        leaf = self._known.get(key)
        if leaf is None:
            leaf = self._known[key] = Leaf(len(self.leaves), node, **fields)
            self.leaves.append(leaf)
        return PlanNode("leaf", node, leaf=leaf)

    # -- atoms ---------------------------------------------------------------------------------

    def _atom(self, atom: FactAtom) -> PlanNode:
        entries = self._entries(atom.subject, atom.family)
        if not entries:
            return PlanNode("any_of", atom)
        counted = atom.count is not None and atom.count.distinct == "entry"
        if counted:
            return self._fact(atom, atom, tuple(concept for entry in entries for concept in entry), entries)
        single = [(concept,) for entry in entries for concept in entry]
        if len(single) == 1:
            return self._fact(atom, atom, single[0], ())
        if atom.choice in ("latest", "earliest", "rise", "fall", "count"):
            return self._fact(atom, atom, tuple(concept for (concept,) in single), ())
        op: Op = "all_of" if atom.choice in ("every", "unchanged") else "any_of"
        parts = []
        for (concept,) in single:
            one = atom.model_copy(update={atom.family: concept})
            parts.append(self._fact(one, one, (concept,), ()))
        return PlanNode(op, atom, tuple(parts))

    def _fact(self, node: FactAtom, atom: FactAtom, concepts: tuple[str, ...], entries: tuple[tuple[str, ...], ...]) -> PlanNode:
        selector = self._selector(atom, concepts, atom.while_, None)
        concept = self.vocabulary.concepts.get(concepts[0])
        choice = atom.choice
        test: Any = getattr(atom, choice, None)
        results = 1
        if isinstance(test, Count):
            # at most n is not at least n + 1, and so needs one result more to be told from silence
            results = test.at_least if test.at_least is not None else (test.at_most or 0) + 1
            results = 1 if test.distinct == "entry" else results
        elif choice in ("rise", "fall"):
            results = 3 if test.sustained is not None else 2
        asks = f"Is this planned: {concept.label if concept else concepts[0]}?"
        question = self._question(asks, (), None) if atom.planned else None
        criterion = (
            self._criterion if question is not None or selector.question is not None or any(e.question for e in selector.excepts) else None
        )
        derived = self.derived.get(concepts[0]) if atom.family == "observation" else None
        return self._leaf(
            node,
            key=concepts,
            kind="dose" if concepts == (PREDNISONE_DOSE,) and choice in ("latest", "unchanged") else "fact",
            selector=selector,
            selectors=tuple(nested(selector)),
            choice=choice,
            test=test,
            entries=entries,
            results=results,
            derived=derived,
            name=f"the list {atom.subject}" if atom.subject in self.lists else ", ".join(concepts),
            episode=concept.episode if concept else None,
            never_presumed=bool(atom.planned)
            or atom.if_not_recorded == "unknown"
            or any(self.vocabulary.concepts[c].absence == "unknown" for c in concepts if c in self.vocabulary.concepts),
            question=question,
            criterion=criterion,
            filters=bool(isinstance(test, Test) or selector.where or selector.excepts or selector.while_ or selector.around),
            documented=bool(atom.documented),
            asks=asks if question is not None else "",
            items=(atom.only, atom.without) if atom.only is not None or atom.without is not None else None,
        )

    def _selector(
        self, words: FactAtom | Selection | Exemption, concepts: tuple[str, ...], while_: Selection | None, number: int | None
    ) -> Selector:
        compiled = compile_time(words)
        # equal words of time are one object, so that an engine may remember their window
        when = self._whens.setdefault(compiled, compiled) if compiled is not None and compiled.selection is None else compiled
        around = None
        if when is not None and when.selection is not None:
            around = self._selection(when.selection)
        if isinstance(words, FactAtom) and when is not None and when.anchor is not None:
            self._visit(when.anchor)
        excepts = tuple(self._exemption(one) for one in getattr(words, "except_", ()))
        during = self._selection(while_) if while_ is not None else None
        where = words.where
        family: Family | None = words.family if words.has_subject else None
        families: tuple[Family, ...] = ()
        if family is not None:
            charted = {family}
            for concept in concepts:
                known = self.vocabulary.concepts.get(concept)
                charted |= {known.family, *known.also} if known is not None else set()
            # an allergy is another statement about a drug: never its taking, nor the taking an allergy
            charted = {family} if family == "allergy" else charted - {"allergy"}
            families = (family, *sorted(charted - {family}))
        return Selector(
            family=family,
            families=families,
            concepts=concepts,
            when=when,
            where=where,
            excepts=excepts,
            while_=during,
            around=around,
            question=number,
            ask=getattr(words, "ask", None),
            unclear_families=tuple(one for one in families if one != "observation"),
            silent=_courses_joined(words, family)
            or during is not None
            or around is not None
            or any(e.around is not None or e.while_ is not None for e in excepts),
        )

    def _selection(self, selection: Selection) -> Selector:
        concepts = tuple(concept for entry in self._entries(selection.subject, selection.family) for concept in entry)
        selector = self._selector(selection, concepts, None, None)
        pick: Any = "latest" if selection.latest else "earliest" if selection.earliest else None
        return replace(selector, pick=pick)

    def _exemption(self, exemption: Exemption) -> Selector:
        concepts: tuple[str, ...] = ()
        if exemption.has_subject:
            concepts = tuple(concept for entry in self._entries(exemption.subject, exemption.family) for concept in entry)
        number = self._question(exemption.ask, (), None) if exemption.ask is not None else None
        return self._selector(exemption, concepts, None, number)

    # -- names ---------------------------------------------------------------------------------

    def _entries(self, subject: Subject, family: Family) -> tuple[tuple[str, ...], ...]:
        """The entries of a subject, each a tuple of concepts that count as one."""
        if isinstance(subject, str):
            if subject in self.lists:
                return tuple(entry for one in self.lists[subject] for entry in self._entry(one, family))
            return ((subject,),) if self._resolve(subject) else ()
        return tuple(entry for one in subject for entry in self._entry(one, family))

    def _entry(self, one: Subject, family: Family) -> tuple[tuple[str, ...], ...]:
        if isinstance(one, str):
            return self._entries(one, family)  # a named list inside gives its entries
        return (tuple(concept for inner in one for entry in self._entries(inner, family) for concept in entry),)

    def _resolve(self, name: str) -> bool:
        if name in self.vocabulary.concepts or name in self.derived:
            return True
        hint = self.vocabulary.near(name) or did_you_mean(name, self.lists)
        self.problems.append(("unknown-concept", f"criterion {self._criterion}: there is no concept or list «{name}»", hint))
        return False

    def _visit(self, name: str | None) -> None:
        if name is not None and name not in ("screening", "consent") and name not in self.schedule:
            self.problems.append(
                ("unknown-visit", f"criterion {self._criterion}: «{name}» is not in the schedule", did_you_mean(name, self.schedule))
            )


def _courses_joined(words: FactAtom | Selection | Exemption, family: Family | None) -> bool:
    """Whether lengths of courses are asked for: a course nobody recorded may join one that is."""
    tests = [words.where, getattr(words, getattr(words, "choice", "where"), None)]
    return family in ("medication", None) and any(isinstance(test, Test) and _asks_lasting(test) for test in tests)


def _asks_lasting(test: Test) -> bool:
    inner = [*(test.all_of or ()), *(test.any_of or ()), *(test.none_of or ())]
    return test.lasting is not None or any(_asks_lasting(one) for one in inner)


def nested(selector: Selector | None) -> Iterator[Selector]:
    """A selector and those inside it."""
    if selector is None:
        return
    yield selector
    for inner in (selector.while_, selector.around, *selector.excepts):
        yield from nested(inner)


def _names_met(node: PlanNode) -> Iterator[str]:
    if isinstance(node.node, Meets):
        yield node.node.meets
    for below in node.operands:
        yield from _names_met(below)
