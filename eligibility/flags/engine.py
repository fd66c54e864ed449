"""Flags of a patient beside each trial: findings become facts, facts chain into flags (MEANING 10).

Statements are answered by the reference engine; what a trial's product is comes from its rule file;
flags that rest on flags are chained. Which chainer ran is told, and nothing else depends on it.

Three things keep a patient at a millisecond or two, and change no answer: a flag whose product test fails
is not asked of the record; a question about which the record has no entry at all is answered once for
all such records (:class:`_Silence`); and why a flag is or is not known is worked out when somebody asks.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal

from ..engine.outlook import Outlook
from ..engine.plan import Leaf, Plan, PlanCriterion, Selector, compile_plan, nested
from ..engine.reasons import LeafAnswer
from ..engine.record import Record, prepare
from ..engine.reference import Evaluation
from ..engine.settings import Settings
from ..language.flag_files import FlagLibrary, as_trial
from ..model.flag import Explained, FlagFile, FlagFinding, FlagLink, FlagRule, ProductFact
from ..model.patient import Family, Patient
from ..model.time import When
from ..model.trial import Definition, TrialFile
from ..model.truth import FALSE, NOT, PRESUMED_FALSE, TRUE, Truth
from ..vocabulary.vocabulary import Vocabulary
from . import durable_chainer, plain_chainer
from .durable_chainer import DurableChainer
from .plain_chainer import PlainChainer
from .product import least, product_facts
from .program import Chain, Program, Rule, parts, supports
from .scores import latest_of, score_of

Choice = Literal["auto", "durable-rules", "plain"]
OWN = "own:"
"""What stands before a derived flag's id to name what its own statement and product test say."""


@dataclass(frozen=True, slots=True)
class _Asks:
    """What a leaf looks at: concepts, and the families they are charted in."""

    leaf: Leaf
    concepts: tuple[tuple[str, tuple[Family, ...]], ...]
    families: frozenset[Family]

    def touched(self, record: Record) -> bool:
        """Whether the record holds anything that may bear on the leaf, other than by being silent."""
        for concept, families in self.concepts:
            if concept in record.by_concept or (record.absences and any(one.family in families for one in record.absences)):
                return True
            if any(family in record.unclear for family in families):
                may, presumed_not = record.may_be(concept, families)
                # an entry only presumed not to be this leaves what silence says as it is, unless that were strict
                if may or (presumed_not and self.leaf.documented):
                    return True
        return False


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A flag file's statements as a plan, the criterion of each flag that has one, and what its leaves look at."""

    file: FlagFile
    plan: Plan
    criteria: Mapping[str, PlanCriterion]
    asks: Mapping[str, tuple[_Asks, ...]]


@dataclass(frozen=True, slots=True)
class ProductAnswers:
    """What a trial's rule file answers of its product: the facts by flag, and their truth for each such flag."""

    trial: TrialFile
    facts: Mapping[str, tuple[ProductFact, ...]]
    truths: Mapping[str, Truth]


class FlagEngine:
    """The flags of a library compiled; build it once, then ask it of one patient after another.

    ``chainer`` ``auto`` takes durable-rules where it is there and the program fits it, else the plain
    one. Raises :class:`RuleFileError` for names that stand for nothing, and ``ImportError`` or
    :class:`~eligibility.flags.durable_chainer.TooLarge` where durable-rules is demanded and cannot be.
    """

    def __init__(
        self,
        flags: FlagLibrary,
        definitions: Mapping[str, Definition],
        vocabulary: Vocabulary,
        chainer: Choice = "auto",
    ) -> None:
        self.flags = flags
        self.compiled = tuple(_compile(text.file, definitions, vocabulary) for text in flags.files)
        self.holders = {rule.id: number for number, text in enumerate(flags.files) for rule in text.file.flags}
        self.scheduled = frozenset(name for compiled in self.compiled for name in compiled.plan.schedule)
        whole = Program(tuple(_rule(rule) for rule in flags.rules.values() if rule.derived))
        self.depths = whole.depths
        self.rests_on = {flag: tuple(name for name, _ in rule.rests_on) for flag, rule in flags.rules.items()}
        self.rules = {rule.head: rule for rule in whole.rules}
        self.programs = parts(whole.rules)
        self._inputs = tuple(tuple(sorted(program.inputs)) for program in self.programs)
        self.silence = _Silence(self.compiled, vocabulary)
        self._choice: Choice = chainer
        self._chainers: tuple[DurableChainer | PlainChainer, ...] = ()
        self.chainer = self._build()
        self._products: dict[int, ProductAnswers] = {}
        self._facts: dict[tuple[ProductFact, ...], tuple[ProductFact, ...]] = {}

    def _build(self) -> str:
        """Make the chainers of this process; the name of the one that runs."""
        self._pid = os.getpid()
        if self._choice != "plain" and (self._choice == "durable-rules" or durable_chainer.installed()):
            made: list[DurableChainer] = []
            try:
                for program in self.programs:
                    made.append(DurableChainer(program))
                self._chainers = tuple(made)
                return durable_chainer.NAME
            except (ImportError, durable_chainer.TooLarge):
                # not built for this Python, or more flags than its tables hold: the plain one gives the same
                for one in made:
                    one.close()
                if self._choice == "durable-rules":
                    raise
        self._chainers = tuple(PlainChainer(program) for program in self.programs)
        return plain_chainer.NAME

    def close(self) -> None:
        """Give back what the chainers hold."""
        for chainer in self._chainers:
            chainer.close()

    def chain(self, own: Mapping[str, Truth], known: dict[Any, dict[str, Truth]]) -> dict[str, Truth]:
        """Every derived flag from what the others, and its own words, say; ``known`` are answers of the same patient."""
        if self._pid != os.getpid():
            self._build()  # durable-rules does not outlive a fork
        found: dict[str, Truth] = {}
        for number, names in enumerate(self._inputs):
            facts = {name: own[name.removeprefix(OWN)] for name in names}
            key = (number, *facts.values())
            if key not in known:
                chain: Chain = self._chainers[number].chain(facts)
                known[key] = dict(chain.truths)
            found |= known[key]
        return found

    def product(self, trial: TrialFile) -> ProductAnswers:
        """What the flags ask of a trial's product, answered once a trial."""
        known = self._products.get(id(trial))
        if known is None:
            asked = {flag: product_facts(rule.product, trial) for flag, rule in self.flags.rules.items() if rule.product is not None}
            facts = {flag: self._facts.setdefault(found, found) for flag, found in asked.items()}
            # the trial is held, so that its id stays its own
            known = self._products[id(trial)] = ProductAnswers(trial, facts, {flag: least(found) for flag, found in facts.items()})
        return known

    def patient(self, record: Record, settings: Settings, details: bool = True) -> PatientFlags:
        """A patient's flags, to be asked for trial by trial. ``details`` adds what would settle the unknown ones."""
        return PatientFlags(self, record, settings, details)


def _rule(rule: FlagRule) -> Rule:
    own = (OWN + rule.id,) if rule.when is not None or rule.product is not None else ()
    return Rule(rule.id, (*own, *rule.all), rule.any, rule.none)


def _compile(file: FlagFile, definitions: Mapping[str, Definition], vocabulary: Vocabulary) -> _Compiled:
    plan = compile_plan(as_trial(file), definitions, vocabulary)
    criteria = {criterion.id: criterion for criterion in plan.criteria}
    return _Compiled(file, plan, criteria, {flag: tuple(_asks(criterion)) for flag, criterion in criteria.items()})


def _asks(criterion: PlanCriterion) -> Iterator[_Asks]:
    """What those leaves of a statement look at that a record can be silent about."""
    assert criterion.when is not None
    for leaf in criterion.when.leaves():
        # a dose is summed over a class, a derived value computed from others, a person's age is no entry
        if leaf.kind == "fact" and leaf.derived is None and leaf.question is None:
            concepts = dict.fromkeys((concept, one.families) for one in _selectors(leaf.selector) for concept in one.concepts)
            yield _Asks(leaf, tuple(concepts), frozenset(family for _, families in concepts for family in families))


def _selectors(selector: Selector | None) -> Iterator[Selector]:
    """A selector and every other that its facts are held against."""
    for one in nested(selector):
        yield one
        for other in (one.while_, one.around):
            if other is not None:
                yield other


class _Silence:
    """What silence says of each leaf: the answer for a record with no entry that bears on it.

    It depends on which families of the record are live, on the date, and on how silence is read; so it
    is asked once of an empty record with those families live, and never of a patient's.
    """

    def __init__(self, compiled: tuple[_Compiled, ...], vocabulary: Vocabulary) -> None:
        self._compiled = compiled
        self._vocabulary = vocabulary
        self._known: dict[tuple[Any, ...], Truth] = {}

    def of(self, number: int, asks: _Asks, settings: Settings, live: frozenset[Family]) -> Truth:
        """The truth of a leaf of a file where the record is silent about it."""
        key = (number, asks.leaf.index, settings.as_of, settings.absence, live & asks.families)
        truth = self._known.get(key)
        if truth is None:
            plan = self._compiled[number].plan
            empty = prepare(Patient(id=""), self._vocabulary, settings.as_of)
            record = replace(empty, live=key[4], first_of=dict.fromkeys(key[4], settings.as_of))
            bare = Settings(settings.as_of, settings.absence)
            evaluation = Evaluation(record, bare, plan.schedule, plan.horizon, plan.trial.id)
            truth = self._known[key] = evaluation.answer(asks.leaf, None).truth
        return truth


class _Why:
    """Why flags are raised or not known: what works it out when somebody asks, for one patient under one set of anchors.

    Every flag said holds it, and it holds none of them: flags and patient are gone as soon as they are let go of.
    """

    def __init__(self, engine: FlagEngine, record: Record, settings: Settings, details: bool, given: Mapping[str, When]) -> None:
        self.engine, self.record, self.settings, self.details, self.given = engine, record, settings, details, given
        self._full: dict[int, Evaluation] = {}
        self._outlooks: dict[int, Outlook] = {}
        self._explained: dict[tuple[str, bool], Explained] = {}

    def evaluation(self, number: int, brief: int | None = None) -> Evaluation:
        """A file's statements for this record; ``brief`` (a day) for truths without reasons."""
        plan = self.engine.compiled[number].plan
        anchors = {name: when for name, when in self.given.items() if name in plan.schedule}
        settings = Settings(self.settings.as_of, self.settings.absence, anchors, self.settings.site)
        return Evaluation(self.record, settings, plan.schedule, plan.horizon, plan.trial.id, brief)

    def explain(self, rule: FlagRule, raised: bool) -> Explained:
        """Why, as the reference engine says it."""
        if (rule.id, raised) in self._explained:
            return self._explained[rule.id, raised]
        number = self.engine.holders[rule.id]
        compiled = self.engine.compiled[number]
        if number not in self._full:
            self._full[number] = self.evaluation(number)
        evaluation = self._full[number]
        criterion = compiled.criteria.get(rule.id)
        finding = evaluation.find(criterion.when, criterion) if criterion is not None and criterion.when is not None else None
        if finding is not None and criterion is not None and finding.truth is not TRUE and not raised and self.details:
            if number not in self._outlooks:
                self._outlooks[number] = Outlook(self.record, compiled.plan, evaluation.settings, evaluation)
            finding = replace(finding, needs=self._outlooks[number].needs(criterion))
        score = rule.score
        derived = compiled.file.derived[score.value] if score is not None else None
        explained = self._explained[rule.id, raised] = Explained(
            finding,
            score_of(score, derived, evaluation, criterion) if score is not None and derived is not None else None,
            tuple(one for concept in rule.show for one in latest_of(concept, evaluation)),
        )
        return explained


@dataclass
class _Day:
    """What is known of one patient under one set of anchors.

    ``own`` is what the statement of each flag asked so far says, ``alone`` those that ask nothing of a
    product, ``chains`` what chaining gave for which inputs, ``made`` the flags said so far, so that one
    that is the same beside another trial is made once.
    """

    why: _Why
    own: dict[str, Truth] = field(default_factory=dict)
    alone: dict[str, Truth] = field(default_factory=dict)
    chains: dict[Any, dict[str, Truth]] = field(default_factory=dict)
    made: dict[Any, FlagFinding] = field(default_factory=dict)
    brief: dict[int, Evaluation] = field(default_factory=dict)


class PatientFlags:
    """The flags of one patient. Holds that patient's answers and no other's; throw it away with the patient."""

    def __init__(self, engine: FlagEngine, record: Record, settings: Settings, details: bool) -> None:
        self.engine = engine
        self.record = record
        self.settings = settings
        self.details = details
        self._days: dict[tuple[tuple[str, When], ...], _Day] = {}

    def of(self, trial: TrialFile, anchors: Mapping[str, When] | None = None) -> tuple[FlagFinding, ...]:
        """Raised and unknown flags beside a trial, in the order of the files; ``anchors`` are the days given for it."""
        day = self._day(anchors or {})
        answers = self.engine.product(trial)
        truths = self._truths(day, answers)
        return tuple(
            self._finding(day, rule, answers.facts.get(flag, ()), truths)
            for flag, rule in self.engine.flags.rules.items()
            if truths[flag] > PRESUMED_FALSE
        )

    def truths(self, trial: TrialFile, anchors: Mapping[str, When] | None = None) -> dict[str, Truth]:
        """The truth of every flag beside a trial, those not raised included."""
        truths = self._truths(self._day(anchors or {}), self.engine.product(trial))
        return {flag: truths[flag] for flag in self.engine.flags.rules}

    def _day(self, anchors: Mapping[str, When]) -> _Day:
        given = {name: anchors[name] for name in sorted(anchors) if name in self.engine.scheduled}
        key = tuple(given.items())
        if key not in self._days:
            self._days[key] = _Day(_Why(self.engine, self.record, self.settings, self.details, given))
        return self._days[key]

    # -- truths --------------------------------------------------------------------------------

    def _truths(self, day: _Day, answers: ProductAnswers) -> dict[str, Truth]:
        rules = self.engine.flags.rules
        if not day.alone:
            day.alone = {flag: self._statement(day, flag) for flag, rule in rules.items() if rule.product is None}
        own = dict(day.alone)
        for flag, product in answers.truths.items():
            own[flag] = product if product is FALSE or rules[flag].when is None else min(product, self._statement(day, flag))
        return own | self.engine.chain(own, day.chains)

    def _statement(self, day: _Day, flag: str) -> Truth:
        """What a flag's statement says, asked once a patient; true for a flag without one, which its other words decide."""
        if self.engine.flags.rules[flag].when is None:
            return TRUE
        truth = day.own.get(flag)
        if truth is None:
            number = self.engine.holders[flag]
            compiled = self.engine.compiled[number]
            if number not in day.brief:
                day.brief[number] = day.why.evaluation(number, self.settings.as_of)
            evaluation = day.brief[number]
            if not day.why.given and self.settings.site is None:
                for asks in compiled.asks[flag]:
                    if asks.leaf.index not in evaluation.leaf_answers and not asks.touched(self.record):
                        silent = self.engine.silence.of(number, asks, self.settings, self.record.live)
                        evaluation.leaf_answers[asks.leaf.index] = LeafAnswer(asks.leaf, silent)
            criterion = compiled.criteria[flag]
            assert criterion.when is not None
            truth = day.own[flag] = evaluation.truth(criterion.when, criterion)
        return truth

    # -- findings ------------------------------------------------------------------------------

    def _finding(self, day: _Day, rule: FlagRule, product: tuple[ProductFact, ...], truths: Mapping[str, Truth]) -> FlagFinding:
        """A raised or unknown flag; one that is the same beside another trial is made once."""
        truth = truths[rule.id]
        below = self.engine.rests_on[rule.id]
        key: Any = (rule.id, truth, id(product), *[truths[name] for name in below]) if product or below else rule.id
        known = day.made.get(key)
        if known is None:
            facts = tuple(fact for fact in product if truth is not TRUE or fact.truth is TRUE)
            explain = partial(day.why.explain, rule, truth is TRUE)
            depth = self.engine.depths.get(rule.id, 0)
            known = day.made[key] = FlagFinding(rule, truth, facts, self._links(rule, truth, truths), depth, explain)
        return known

    def _links(self, rule: FlagRule, truth: Truth, truths: Mapping[str, Truth]) -> tuple[FlagLink, ...]:
        """The flags that raise it; or those that hold it open."""
        if not self.engine.rests_on[rule.id]:
            return ()
        if truth is TRUE:
            held = supports(self.engine.rules[rule.id], {**truths, OWN + rule.id: TRUE})
            return tuple(self._link(name, holds, truths) for name, holds in held if not name.startswith(OWN))
        links = [self._link(name, not negated, truths) for name, negated in rule.rests_on]
        # an alternative that is ruled out holds nothing open
        return tuple(link for link in links if (link.truth if link.holds else NOT[link.truth]) not in (TRUE, FALSE, PRESUMED_FALSE))

    def _link(self, name: str, holds: bool, truths: Mapping[str, Truth]) -> FlagLink:
        return FlagLink(name, self.engine.flags.rules[name].title, holds, truths[name])
