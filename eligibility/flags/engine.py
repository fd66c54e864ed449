"""Flags of a patient beside each trial: findings become facts, facts chain into flags (MEANING 10).

Statements are answered once a patient by the reference engine; what a trial's product is comes from its
rule file; flags that rest on flags are chained, those that no product bears on once a patient and the
others once for each kind of product. Which chainer ran is told, and nothing else depends on it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ..engine.outlook import Outlook
from ..engine.plan import Plan, PlanCriterion, compile_plan
from ..engine.record import Record
from ..engine.reference import Evaluation
from ..engine.settings import Settings
from ..language.flag_files import FlagLibrary, as_trial
from ..model.finding import Finding, Need
from ..model.flag import FlagFile, FlagFinding, FlagLink, FlagRule, ProductFact, Score
from ..model.time import When
from ..model.trial import Definition, TrialFile
from ..model.truth import FALSE, NOT, PRESUMED_FALSE, TRUE, Truth
from ..vocabulary.vocabulary import Vocabulary
from . import durable_chainer, plain_chainer
from .durable_chainer import DurableChainer
from .plain_chainer import PlainChainer
from .product import least, product_facts
from .program import Chain, Program, Rule, supports
from .scores import latest_of, score_of

Choice = Literal["auto", "durable-rules", "plain"]
OWN = "own:"
"""What stands before a derived flag's id to name what its own statement and product test say."""


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A flag file's statements as a plan, and the criterion of each flag that has one."""

    file: FlagFile
    plan: Plan
    criteria: Mapping[str, PlanCriterion]


@dataclass(frozen=True, slots=True)
class ProductAnswers:
    """What a trial's rule file answers of its product: the facts by flag, and their truth for every flag they bear on."""

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
        self.compiled: list[_Compiled] = []
        for text in flags.files:
            plan = compile_plan(as_trial(text.file), definitions, vocabulary)
            self.compiled.append(_Compiled(text.file, plan, {criterion.id: criterion for criterion in plan.criteria}))
        self.holders = {rule.id: number for number, text in enumerate(flags.files) for rule in text.file.flags}
        self.by_product = _by_product(flags.rules)
        derived = [_rule(rule) for rule in flags.rules.values() if rule.derived]
        whole = Program(tuple(derived))
        self.depths = whole.depths
        self._programs = (
            Program(tuple(rule for rule in whole.rules if rule.head not in self.by_product)),
            Program(tuple(rule for rule in whole.rules if rule.head in self.by_product)),
        )
        self._inputs = tuple(tuple(sorted(program.inputs)) for program in self._programs)
        self._choice: Choice = chainer
        self._pid = -1
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
                for program in self._programs:
                    made.append(DurableChainer(program))
                self._chainers = tuple(made)
                return durable_chainer.NAME
            except (ImportError, durable_chainer.TooLarge):
                # not built for this Python, or more flags than its tables hold: the plain one gives the same
                for one in made:
                    one.close()
                if self._choice == "durable-rules":
                    raise
        self._chainers = tuple(PlainChainer(program) for program in self._programs)
        return plain_chainer.NAME

    def close(self) -> None:
        """Give back what the chainers hold."""
        for chainer in self._chainers:
            chainer.close()

    def chain(self, number: int, facts: Mapping[str, Truth]) -> dict[str, Truth]:
        """Chain the flags that no product bears on (0), or those that one does (1)."""
        if self._pid != os.getpid():
            self._build()  # durable-rules does not outlive a fork
        found: Chain = self._chainers[number].chain(facts)
        return dict(found.truths)

    def inputs(self, number: int) -> tuple[str, ...]:
        """The names the program of that number starts from, always in one order."""
        return self._inputs[number]

    def program_rule(self, flag: str) -> Rule:
        """A derived flag's rule."""
        return next(rule for program in self._programs for rule in program.rules if rule.head == flag)

    def product(self, trial: TrialFile) -> ProductAnswers:
        """What the flags ask of a trial's product, answered once a trial."""
        known = self._products.get(id(trial))
        if known is None:
            asked = {flag: product_facts(rule.product, trial) for flag, rule in self.flags.rules.items() if rule.product is not None}
            facts = {flag: self._facts.setdefault(found, found) for flag, found in asked.items()}
            truths = {flag: least(facts[flag]) if flag in facts else TRUE for flag in self.by_product}
            # the trial is held, so that its id stays its own
            known = self._products[id(trial)] = ProductAnswers(trial, facts, truths)
        return known

    def patient(self, record: Record, settings: Settings, details: bool = True) -> PatientFlags:
        """A patient's flags, to be asked for trial by trial. ``details`` adds what would settle the unknown ones."""
        return PatientFlags(self, record, settings, details)


def _rule(rule: FlagRule) -> Rule:
    own = (OWN + rule.id,) if rule.when is not None or rule.product is not None else ()
    return Rule(rule.id, (*own, *rule.all), rule.any, rule.none)


def _by_product(rules: Mapping[str, FlagRule]) -> frozenset[str]:
    """The flags that a product bears on, themselves or through a flag they rest on."""
    found = {flag for flag, rule in rules.items() if rule.product is not None}
    while True:
        more = {flag for flag, rule in rules.items() if flag not in found and any(name in found for name, _ in rule.rests_on)}
        if not more:
            return frozenset(found)
        found |= more


@dataclass
class _Day:
    """The statements of every flag answered for one patient under one set of anchors.

    ``own`` is what each flag's statement says, ``settled`` the truth of the flags that no product bears on.
    """

    evaluations: list[tuple[_Compiled, Evaluation, Settings]] = field(default_factory=list)
    own: dict[str, Truth] = field(default_factory=dict)
    settled: dict[str, Truth] = field(default_factory=dict)
    findings: dict[str, Finding] = field(default_factory=dict)
    needs: dict[str, tuple[tuple[Need, ...], ...]] = field(default_factory=dict)
    scores: dict[str, Score | None] = field(default_factory=dict)
    outlooks: dict[int, Outlook] = field(default_factory=dict)
    chains: dict[tuple[Truth, ...], dict[str, Truth]] = field(default_factory=dict)
    made: dict[tuple[Any, ...], FlagFinding] = field(default_factory=dict)


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

    # -- statements ----------------------------------------------------------------------------

    def _day(self, anchors: Mapping[str, When]) -> _Day:
        scheduled = {name for compiled in self.engine.compiled for name in compiled.plan.schedule}
        given = {name: when for name, when in anchors.items() if name in scheduled}
        key = tuple(sorted(given.items(), key=lambda item: item[0]))
        if key not in self._days:
            self._days[key] = self._answer(given)
        return self._days[key]

    def _answer(self, given: Mapping[str, When]) -> _Day:
        engine = self.engine
        day = _Day()
        for compiled in engine.compiled:
            plan = compiled.plan
            anchors = {name: when for name, when in given.items() if name in plan.schedule}
            settings = Settings(self.settings.as_of, self.settings.absence, anchors, self.settings.site)
            evaluation = Evaluation(self.record, settings, plan.schedule, plan.horizon, plan.trial.id)
            day.evaluations.append((compiled, evaluation, settings))
            for flag, criterion in compiled.criteria.items():
                if criterion.when is not None:
                    day.own[flag] = evaluation.truth(criterion.when, criterion)
        alone = {flag: day.own.get(flag, TRUE) for flag in engine.flags.rules if flag not in engine.by_product}
        day.settled = {**alone, **engine.chain(0, _inputs(engine.inputs(0), alone))}
        return day

    # -- chaining ------------------------------------------------------------------------------

    def _truths(self, day: _Day, answers: ProductAnswers) -> dict[str, Truth]:
        engine = self.engine
        own = {flag: min(day.own.get(flag, TRUE), truth) for flag, truth in answers.truths.items()}
        facts = _inputs(engine.inputs(1), {**day.settled, **own})
        key = tuple(facts.values())
        if key not in day.chains:
            day.chains[key] = engine.chain(1, facts)
        return {**day.settled, **own, **day.chains[key]}

    # -- findings ------------------------------------------------------------------------------

    def _finding(self, day: _Day, rule: FlagRule, product: tuple[ProductFact, ...], truths: Mapping[str, Truth]) -> FlagFinding:
        """A raised or unknown flag; one that is the same beside another trial is made once."""
        truth = truths[rule.id]
        key = (rule.id, truth, id(product), *(truths[name] for name, _ in rule.rests_on))
        known = day.made.get(key)
        if known is not None:
            return known
        own = day.own.get(rule.id)
        _, evaluation, _ = day.evaluations[self.engine.holders[rule.id]]
        found = day.made[key] = FlagFinding(
            rule=rule,
            truth=truth,
            finding=None if own is None else self._found(day, rule.id),
            product=tuple(fact for fact in product if truth is not TRUE or fact.truth is TRUE),
            links=self._links(rule, truth, truths),
            needs=self._needs(day, rule.id) if truth is not TRUE and own not in (None, TRUE) and self.details else (),
            score=self._score(day, rule),
            shown=tuple(one for concept in rule.show for one in latest_of(concept, evaluation)),
            depth=self.engine.depths.get(rule.id, 0),
        )
        return found

    def _links(self, rule: FlagRule, truth: Truth, truths: Mapping[str, Truth]) -> tuple[FlagLink, ...]:
        """The flags that raise it; or those that hold it open."""
        if not rule.derived:
            return ()
        if truth is TRUE:
            known = {**truths, OWN + rule.id: TRUE}
            held = supports(self.engine.program_rule(rule.id), known)
            return tuple(FlagLink(name, holds, truths[name]) for name, holds in held if not name.startswith(OWN))
        links = [FlagLink(name, not negated, truths[name]) for name, negated in rule.rests_on]
        # an alternative that is ruled out holds nothing open
        return tuple(link for link in links if (link.truth if link.holds else NOT[link.truth]) not in (TRUE, FALSE, PRESUMED_FALSE))

    def _found(self, day: _Day, flag: str) -> Finding:
        if flag not in day.findings:
            compiled, evaluation, _ = day.evaluations[self.engine.holders[flag]]
            criterion = compiled.criteria[flag]
            assert criterion.when is not None
            day.findings[flag] = evaluation.find(criterion.when, criterion)
        return day.findings[flag]

    def _needs(self, day: _Day, flag: str) -> tuple[tuple[Need, ...], ...]:
        if flag not in day.needs:
            number = self.engine.holders[flag]
            compiled, evaluation, settings = day.evaluations[number]
            if number not in day.outlooks:
                day.outlooks[number] = Outlook(self.record, compiled.plan, settings, evaluation)
            day.needs[flag] = day.outlooks[number].needs(compiled.criteria[flag])
        return day.needs[flag]

    def _score(self, day: _Day, rule: FlagRule) -> Score | None:
        if rule.score is None:
            return None
        if rule.id not in day.scores:
            compiled, evaluation, _ = day.evaluations[self.engine.holders[rule.id]]
            derived = compiled.file.derived[rule.score.value]
            day.scores[rule.id] = score_of(rule.score, derived, evaluation, compiled.criteria.get(rule.id))
        return day.scores[rule.id]


def _inputs(names: tuple[str, ...], truths: Mapping[str, Truth]) -> dict[str, Truth]:
    """The truth of what a program starts from: other flags, and what derived flags say of themselves."""
    return {name: truths[name.removeprefix(OWN)] for name in names}
