"""The reference engine: one patient, one trial, plain Python, the whole tree of findings.

Short and obvious on purpose: it defines what the fast engine must agree with. Every operand is
evaluated, so that every clause has an answer to show; connectives know nothing of evidence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, Literal

from ..errors import UsageError
from ..model import truth as logic
from ..model.criteria import AgeAtom, Node, SexAtom, SiteAtom
from ..model.finding import (
    Assumption,
    Basis,
    CriterionResult,
    Effect,
    Evidence,
    Finding,
    Kind,
    Reason,
)
from ..model.limits import ExtremeDuration
from ..model.patient import Allergy, Condition, Observation, Patient, Quantity
from ..model.site import Attestation
from ..model.time import Duration, day_of
from ..model.trial import Definition, Derived, Visit
from ..model.truth import FALSE, NOT, PRESUMED, PRESUMED_FALSE, PRESUMED_TRUE, TRUE, UNKNOWN, Truth
from ..vocabulary.vocabulary import Vocabulary
from .plan import Leaf, PlanCriterion, PlanNode, compile_statement
from .reasons import LeafAnswer
from .record import Absence, Fact, Record, prepare
from .selecting import Selecting
from .settings import Settings
from .values import Answer, read_value
from .windows import Anchors
from .words import Words

PASSES: dict[tuple[Kind, Truth], Effect] = {
    ("inclusion", TRUE): "passes",
    ("inclusion", PRESUMED_TRUE): "passes",
    ("inclusion", UNKNOWN): "open",
    ("inclusion", PRESUMED_FALSE): "open",
    ("inclusion", FALSE): "blocks",
    ("exclusion", TRUE): "blocks",
    ("exclusion", PRESUMED_TRUE): "open",
    ("exclusion", UNKNOWN): "open",
    ("exclusion", PRESUMED_FALSE): "passes",
    ("exclusion", FALSE): "passes",
}
"""What each truth does on each list (MEANING 2): silence may let pass, it never makes a barrier."""

_SILENCE_SAYS: dict[Truth, Literal["true", "false"]] = {PRESUMED_TRUE: "true", PRESUMED_FALSE: "false"}


@dataclass(frozen=True, slots=True)
class Quiet:
    """The leaves and criteria of a plan, by number, that a chart has nothing on.

    What is known of them is in ``shared``, under ``stamp``: all it depends on but which families of the chart live.
    """

    leaves: Set[int]
    criteria: Set[int]
    stamp: tuple[Any, ...]
    shared: dict[Any, Any]


class Evaluation:
    """A record against a plan's leaves on one day. Answers are remembered by leaf."""

    def __init__(
        self,
        record: Record,
        settings: Settings,
        schedule: Mapping[str, Visit],
        horizon: Duration,
        trial: str = "",
        day: int | None = None,
    ) -> None:
        self.record = record
        self.settings = settings
        self.trial = trial
        self.day = settings.as_of if day is None else day
        self.anchors = Anchors(self.day, schedule, settings.anchors, horizon, settings.site, trial)
        self.selecting = Selecting(record, settings, self.anchors, self.day, brief=day is not None)
        self.words = Words(self.selecting, brief=day is not None)
        self.leaf_answers: dict[int, LeafAnswer] = {}
        self._findings: dict[int, Finding] = {}
        self._truths: dict[PlanNode, Truth] = {}
        self.quiet: Quiet | None = None

    # -- trees ---------------------------------------------------------------------------------

    def truth(self, node: PlanNode, criterion: PlanCriterion | None = None) -> Truth:
        """The truth alone, without a finding."""
        if node.op == "leaf":
            assert node.leaf is not None
            return self._leaf_truth(node.leaf, criterion)
        known = self._truths.get(node)
        if known is None:
            known = self._truths[node] = _connect(node, [self.truth(operand, criterion) for operand in node.operands])
        return known

    def find(self, node: PlanNode, criterion: PlanCriterion | None = None) -> Finding:
        """The finding of a statement with the findings below it."""
        if node.op == "leaf":
            assert node.leaf is not None
            return self._leaf(node.leaf, criterion)
        clauses = tuple(
            [self.find(one, criterion) if one.leaf is None else self._leaf(one.leaf, criterion) for one in node.operands],
        )
        truth = self._truths[node] = _connect(node, [clause.truth for clause in clauses])
        return compose(node.node, node.op, truth, clauses)

    def _leaf(self, leaf: Leaf, criterion: PlanCriterion | None) -> Finding:
        known = self._findings.get(leaf.index)
        if known is None:
            if self.quiet is not None and leaf.index in self.quiet.leaves:
                known = self._quiet_leaf(leaf, criterion, self.quiet)
            else:
                known = self._find_leaf(leaf, criterion)
            self._findings[leaf.index] = known
        return known

    def _quiet_leaf(self, leaf: Leaf, criterion: PlanCriterion | None, quiet: Quiet) -> Finding:
        """The finding of a leaf the chart has nothing on: one for all charts whose family of it lives, but for its first entry."""
        assert leaf.selector is not None
        family = leaf.selector.families[0]
        key = (quiet.stamp, leaf.index, family in self.record.live)
        common = quiet.shared.get(key)
        if common is None:
            answer = self.answer(leaf, criterion)
            finding = self._find_leaf(leaf, criterion)
            # what is shared holds nothing of this patient: not even since when the chart has anything of the family
            silence = next((replace(one, since=None) for one in finding.assumes if one.kind == "silence"), None)
            answer.assumes = tuple([silence if silence is not None and one.kind == "silence" else one for one in finding.assumes])
            common = quiet.shared[key] = replace(finding, assumes=answer.assumes), answer, silence
        finding, self.leaf_answers[leaf.index], silence = common
        since = self.record.first_of.get(family)
        if silence is None or since is None:
            return finding
        dated = Assumption("silence", silence.item, silence.family, silence.start, silence.end, since)
        assumes = tuple([dated if one is silence else one for one in finding.assumes])
        return Finding(finding.node, finding.truth, finding.reasons, finding.evidence, assumes, finding.basis, finding.on_record)

    def impersonal(self, criterion: PlanCriterion, result: CriterionResult) -> bool:
        """Whether a result about which the chart is silent holds of every such chart: no day in it is this patient's."""
        if any(one.start is not None for need in result.settled_by for one in need):
            return False
        return not any(one.kind == "silence" for index in criterion.leaves for one in self._findings[index].assumes)

    def _leaf_truth(self, leaf: Leaf, criterion: PlanCriterion | None) -> Truth:
        if leaf.kind in ("fact", "dose"):
            truth = self.answer(leaf, criterion).truth
            return truth if leaf.question is None else self._attested(leaf, criterion, truth)[0]
        return self._leaf(leaf, criterion).truth

    def answer(self, leaf: Leaf, criterion: PlanCriterion | None) -> LeafAnswer:
        """The full answer of a fact leaf."""
        known = self.leaf_answers.get(leaf.index)
        if known is None:
            self.selecting.answers = self._exemptions(leaf, criterion) if self.settings.attestations else {}
            known = self.leaf_answers[leaf.index] = self.words.answer(leaf)
        return known

    def _find_leaf(self, leaf: Leaf, criterion: PlanCriterion | None) -> Finding:
        match leaf.kind:
            case "ask" | "not_published":
                assert leaf.unanswered is not None
                finding = leaf.unanswered
                if leaf.shows:
                    finding = Finding(finding.node, UNKNOWN, finding.reasons, self._shown(leaf))
            case "age":
                return self._age(leaf)
            case "sex":
                return self._sex(leaf)
            case "site":
                return self._site(leaf)
            case _:
                answer = self.answer(leaf, criterion)
                finding = Finding(
                    leaf.node,
                    answer.truth,
                    answer.reasons,
                    self._evidence(answer),
                    answer.assumes,
                    answer.basis,
                    answer.on_record,
                )
        if leaf.question is None:
            return finding
        truth, by = self._attested(leaf, criterion, finding.truth)
        if by == "attested":
            return replace(finding, truth=truth, reasons=(), basis="attested", on_record=False)
        if by == "conflicting":
            return replace(finding, reasons=(Reason("conflicting", leaf.name, "attestation"),))
        return finding

    # -- people's answers ----------------------------------------------------------------------

    def _in_force(self, criterion: PlanCriterion, number: int) -> list[Attestation]:
        found = []
        for one in self.settings.attestations:
            if (one.patient, one.trial, one.leaf) != (self.record.patient.id, self.trial, number) or not names(one, criterion):
                continue
            if lapsed(one, criterion, self.day) is None:
                found.append(one)
        newest = max((one.date for one in found), default=None)
        return [one for one in found if one.date == newest]

    def _attested(self, leaf: Leaf, criterion: PlanCriterion | None, truth: Truth) -> tuple[Truth, str]:
        if leaf.question is None or criterion is None or truth is not UNKNOWN or not self.settings.attestations:
            return truth, ""
        answers = {one.answer for one in self._in_force(criterion, leaf.question)}
        if len(answers) != 1:
            return truth, "conflicting" if answers else ""
        return (TRUE if answers == {"yes"} else FALSE), "attested"

    def _exemptions(self, leaf: Leaf, criterion: PlanCriterion | None) -> dict[int, Answer]:
        """Attested answers to the questions inside a leaf's exceptions."""
        selector = leaf.selector
        if criterion is None or selector is None:
            return {}
        said: dict[int, Answer] = {}
        for exemption in selector.excepts:
            if exemption.question is None:
                continue
            answers = {one.answer for one in self._in_force(criterion, exemption.question)}
            if len(answers) == 1:
                said[exemption.question] = (answers == {"yes"}, ())
        return said

    # -- person and site -----------------------------------------------------------------------

    def _age(self, leaf: Leaf) -> Finding:
        atom = leaf.node
        assert isinstance(atom, AgeAtom)
        anchor = self.anchors[atom.at or "screening"]
        births = self.record.births
        if not births:
            return Finding(atom, UNKNOWN, (Reason("not_recorded", "birth date"),), assumes=anchor.assumes)
        if any(first > self.record.as_of for first, _ in births):
            return Finding(atom, UNKNOWN, (Reason("implausible", "birth date", "birth_date"),), assumes=anchor.assumes)
        answers = {_age_answer(atom, birth, anchor.first, anchor.last) for birth in births}
        evidence = tuple(Evidence("observation", "birth date", str(when)) for when in self.record.patient.birth_date)
        if len(answers) == 1 and None not in answers:
            return Finding(atom, TRUE if answers == {True} else FALSE, (), evidence, anchor.assumes, "recorded")
        code: Any = "imprecise_date"
        if len(births) > 1:
            code = "conflicting"
        elif births[0][0] == births[0][1]:
            code = "future"
        return Finding(atom, UNKNOWN, (Reason(code, "birth date", "birth_date"),), evidence, anchor.assumes)

    def _sex(self, leaf: Leaf) -> Finding:
        atom = leaf.node
        assert isinstance(atom, SexAtom)
        sexes = set(self.record.patient.sex) - {"unknown"}
        if not sexes:
            return Finding(atom, UNKNOWN, (Reason("not_recorded", "sex"),))
        evidence = tuple(Evidence("observation", "sex", None, value=sex) for sex in sorted(sexes))
        if len(sexes) > 1:
            return Finding(atom, UNKNOWN, (Reason("conflicting", "sex"),), evidence)
        return Finding(atom, TRUE if atom.sex in sexes else FALSE, (), evidence, basis="recorded")

    def _site(self, leaf: Leaf) -> Finding:
        atom = leaf.node
        assert isinstance(atom, SiteAtom)
        value = self.settings.site.facts.get(atom.site) if self.settings.site is not None else None
        if value is None:
            return Finding(atom, UNKNOWN, (Reason("not_recorded", f"site {atom.site}"),))
        met = value.casefold() in {name.casefold() for name in atom.is_}
        return Finding(atom, TRUE if met else FALSE, basis="recorded")

    # -- evidence ------------------------------------------------------------------------------

    def _shown(self, leaf: Leaf) -> tuple[Evidence, ...]:
        """The facts a question asks to see beside it."""
        shown: list[Evidence] = []
        for concept in leaf.shows:
            shown += [self.evidence(fact, fact.certain and sure) for fact, sure in self.record.by_concept.get(concept, ())]
        return tuple(shown)

    def _evidence(self, answer: LeafAnswer) -> tuple[Evidence, ...]:
        deciding = answer.deciding
        if deciding:
            return tuple(self.evidence(fact, fact.certain) for fact in deciding)
        shown = [self.evidence(candidate.fact, candidate.certain) for candidate in answer.candidates]
        shown += [self.evidence(fact, False) for fact in answer.unclear]
        if not shown and answer.outside:
            last = max(answer.outside, key=lambda fact: (fact.s_hi, fact.order))
            shown.append(self.evidence(last, last.certain))
        if answer.stated:
            selector = answer.leaf.selector
            assert selector is not None
            shown += [
                self._absence(absence)
                for absence in self.record.absences
                if absence.family in selector.families and absence.stated is not None
            ]
        return tuple(shown)

    def evidence(self, fact: Fact, certain: bool) -> Evidence:
        """A fact as the chart shows it."""
        key = "shown" if certain else "shown as possible"
        known = fact.memo.get(key)
        if known is not None:
            return known  # type: ignore[no-any-return]
        entry = fact.entry
        value = unit = interval = None
        if isinstance(entry, Observation) and not fact.derived_from:
            value, unit = _as_written(entry)
        if fact.family == "observation" and fact.concept:
            read = read_value(fact, self.record.vocabulary) if (fact.derived_from or isinstance(entry, Observation)) else None
            interval = read.number if read is not None else None
        status: Any = entry.verification if isinstance(entry, Condition | Allergy) else None
        if status is None:
            status = getattr(entry, "status", None)
        shown = Evidence(
            fact.family,
            fact.concept or None,
            str(entry.start) if entry.start is not None else None,
            str(entry.end) if entry.end is not None else None,
            value,
            unit,
            interval,
            status,
            certain,
            entry.source,
        )
        fact.memo[key] = shown
        return shown

    @staticmethod
    def _absence(absence: Absence) -> Evidence:
        stated = absence.stated
        assert stated is not None
        text = (
            stated.text
            or {"none-known": "none known", "complete": "the list is stated complete", "coverage": "covered by the site"}[stated.kind]
        )
        return Evidence(
            absence.family,
            stated.concept,
            str(stated.since) if stated.since else None,
            str(stated.as_of) if stated.as_of else None,
            source=stated.source,
            absence=text,
        )


def _as_written(entry: Observation) -> tuple[str | None, str | None]:
    value: Any = entry.value
    if isinstance(value, Quantity):
        return f"{value.comparator or ''}{value.value:g}", value.unit or entry.unit
    if isinstance(value, bool):
        return ("yes" if value else "no"), entry.unit
    if isinstance(value, float | int):
        return f"{value:g}", entry.unit
    return value if value is not None else entry.interpretation, entry.unit


def names(attestation: Attestation, criterion: PlanCriterion) -> bool:
    """Whether an attestation is about a criterion: by its id, or ``arm/id`` where it is an arm's."""
    return attestation.criterion in (criterion.id, f"{criterion.arm}/{criterion.id}")


def lapsed(attestation: Attestation, criterion: PlanCriterion, day: int) -> str | None:
    """Why an attestation does not count on a day, None where it does.

    Raises ``UsageError`` where neither it nor the rule file says how long it holds.
    """
    if attestation.digest != criterion.digest:
        return "the sentence or the rule has changed since"
    start = day_of(attestation.date)
    if attestation.until is not None:
        end = day_of(attestation.until)
    else:
        question = next((q for q in criterion.questions if q.number == attestation.leaf), None)
        if question is None:
            return "the criterion has no such question"
        if question.valid_for is None:
            raise UsageError(
                f"the attestation of {attestation.trial} {criterion.id} must say until when it holds: the rule file names no validity"
            )
        end = question.valid_for.on(start)
    if start > day:
        return f"it is dated after the screening date ({attestation.date.isoformat()})"
    return None if day <= end else "its validity has ended"


def _age_answer(atom: AgeAtom, birth: tuple[int, int], first: int, last: int) -> bool | None:
    answers = [_reached(how, length, birth, first, last) for how, length in atom.age.bounds()]
    if False in answers:
        return False
    return None if None in answers else True


def _reached(how: str, length: Duration | ExtremeDuration, birth: tuple[int, int], first: int, last: int) -> bool | None:
    """Ages are completed years: above 65 is 66 reached, at most 65 is 66 not reached."""
    assert isinstance(length, Duration)
    needed = length if how in ("at_least", "below") else Duration(length.count + 1, length.unit)
    reached: bool | None = None
    if needed.back(first) >= birth[1]:
        reached = True
    elif needed.back(last) < birth[0]:
        reached = False
    if reached is None or how in ("at_least", "above"):
        return reached
    return not reached


def _connect(node: PlanNode, truths: list[Truth]) -> Truth:
    match node.op:
        case "all_of":
            return logic.all_of(truths)
        case "any_of":
            return logic.any_of(truths)
        case "none_of":
            return logic.none_of(truths)
        case "at_least":
            return logic.at_least(node.k, truths)
        case "at_most":
            return NOT[logic.at_least(node.k + 1, truths)]
        case "readings":
            return logic.readings(truths)
        case "meets":
            return truths[0]
        case "leaf":
            raise TypeError("a leaf has no operands")


def compose(node: Node, op: str, truth: Truth, clauses: tuple[Finding, ...]) -> Finding:
    """A node's finding from its operands': reasons, basis and evidence of those that matter (MEANING 7)."""
    if len(clauses) == 1:
        one = clauses[0]
        return Finding(node, truth, one.reasons, one.evidence, one.assumes, one.basis, one.on_record, clauses)
    basis: Basis = "none"
    on_record = False
    reasons: tuple[Reason, ...] = ()
    deciding: Sequence[Finding] = clauses
    if truth is UNKNOWN:
        matter = [clause for clause in clauses if clause.truth is UNKNOWN]
        reasons = _once([clause.reasons for clause in matter])
        if op == "readings":
            known = {PRESUMED[clause.truth] for clause in clauses} - {"unknown"}
            if len(known) > 1:
                reasons = (Reason("two_readings", "the source"), *reasons)
        shown: Sequence[Finding] = matter or clauses
    else:
        same = NOT[truth] if op in ("none_of", "at_most") else truth
        deciding = [clause for clause in clauses if clause.truth is same] or clauses
        basis = _basis(deciding)
        on_record = any(clause.on_record for clause in deciding)
        if truth is not TRUE and truth is not FALSE:
            reasons = _once([clause.reasons for clause in clauses if clause.truth is not TRUE and clause.truth is not FALSE])
        shown = deciding
    return Finding(
        node,
        truth,
        reasons,
        _once([clause.evidence for clause in shown]),
        _once([clause.assumes for clause in deciding]),
        basis,
        on_record,
        clauses,
    )


def _once(parts: Sequence[tuple[Any, ...]]) -> tuple[Any, ...]:
    """All that is in the parts, each once, in the order first met."""
    filled = [part for part in parts if part]
    if not filled:
        return ()
    if len(filled) == 1 and len(filled[0]) == 1:
        return filled[0]
    return tuple(dict.fromkeys(chain.from_iterable(filled)))


def _basis(findings: Iterable[Finding]) -> Basis:
    kinds = {finding.basis for finding in findings}
    order: tuple[Basis, ...] = ("presumed_absent", "attested", "derived", "recorded")
    return next((kind for kind in order if kind in kinds), "none")


# -- criteria ------------------------------------------------------------------------------------


def criterion_truth(evaluation: Evaluation, criterion: PlanCriterion) -> Truth:
    """The truth of the whole criterion, ``applies_when`` and ``unless`` taken in."""
    if criterion.when is None:
        return TRUE if criterion.kind == "inclusion" else FALSE
    when = evaluation.truth(criterion.when, criterion)
    applies = _applies(criterion, lambda node: evaluation.truth(node, criterion))
    return _whole(criterion.kind, applies, when)


def _applies(criterion: PlanCriterion, truth: Any) -> Truth:
    applies = truth(criterion.applies_when) if criterion.applies_when is not None else TRUE
    if criterion.unless is not None:
        applies = logic.all_of((applies, NOT[truth(criterion.unless)]))
    return applies


def _whole(kind: Kind, applies: Truth, when: Truth) -> Truth:
    return logic.any_of((NOT[applies], when)) if kind == "inclusion" else logic.all_of((applies, when))


def evaluate_criterion(evaluation: Evaluation, criterion: PlanCriterion) -> CriterionResult:
    """A criterion's result, without what lies ahead (margin, needs, changes)."""
    if criterion.when is None:
        truth = TRUE if criterion.kind == "inclusion" else FALSE
        return CriterionResult(criterion.id, criterion.kind, criterion.criterion, truth, "passes", FALSE, True, None)
    when = evaluation.find(criterion.when, criterion)
    parts = [when]
    applies = TRUE
    if criterion.applies_when is not None or criterion.unless is not None:
        gates: dict[int, Finding] = {}

        def gate(node: PlanNode) -> Truth:
            gates[id(node)] = evaluation.find(node, criterion)
            return gates[id(node)].truth

        applies = _applies(criterion, gate)
        parts = [*gates.values(), when]
    truth = _whole(criterion.kind, applies, when.truth)
    finding = when if len(parts) == 1 else _gated(criterion, applies, when, parts[:-1], truth)
    effect = PASSES[criterion.kind, truth]
    return CriterionResult(
        id=criterion.id,
        kind=criterion.kind,
        criterion=criterion.criterion,
        truth=truth,
        effect=effect,
        applies=applies,
        not_applicable=applies is FALSE or applies is PRESUMED_FALSE,
        finding=finding,
        basis=finding.basis,
        on_record=finding.on_record,
        reasons=finding.reasons if effect == "open" else (),
        evidence=finding.evidence,
        assumes=finding.assumes,
        presumed=_SILENCE_SAYS.get(truth),
    )


def _gated(criterion: PlanCriterion, applies: Truth, when: Finding, gates: list[Finding], truth: Truth) -> Finding:
    """The finding of applies and when together: its parts decide as operands of one connective."""
    gate = compose(gates[0].node, "all_of", applies, tuple(gates))
    op = "all_of"
    if criterion.kind == "inclusion":
        op = "any_of"
        gate = Finding(gate.node, NOT[gate.truth], gate.reasons, gate.evidence, gate.assumes, gate.basis, gate.on_record, gate.clauses)
    whole = compose(when.node, op, truth, (gate, when))
    return Finding(whole.node, truth, whole.reasons, whole.evidence, whole.assumes, whole.basis, whole.on_record, (*gates, when))


def evaluate(
    statement: Node,
    patient: Patient,
    vocabulary: Vocabulary,
    settings: Settings,
    schedule: Mapping[str, Visit] | None = None,
    definitions: Mapping[str, Definition] | None = None,
    lists: Mapping[str, tuple[Any, ...]] | None = None,
    derived: Mapping[str, Derived] | None = None,
    horizon: Duration | None = None,
) -> Finding:
    """One statement about one patient: for tests, documentation pages, and a reader's curiosity."""
    node = compile_statement(statement, vocabulary, definitions, lists, derived, schedule)
    record = prepare(patient, vocabulary, settings.as_of)
    return Evaluation(record, settings, schedule or {}, horizon or Duration(26, "week")).find(node)
