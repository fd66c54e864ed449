"""Published scores beside a flag: inputs, formula, value as an interval, cut-off and limits.

The value is the one the flag's own statement was answered from, so what is shown is what decided. Where
it cannot be computed, the inputs that are there are shown and those that are not are named.
"""

from __future__ import annotations

from ..engine.derived import FORMULAS, Formula
from ..engine.plan import Leaf, PlanCriterion, PlanNode
from ..engine.reasons import LeafAnswer
from ..engine.record import Fact
from ..engine.reference import Evaluation
from ..engine.values import read_value
from ..model.finding import Evidence
from ..model.flag import Score, ScoreInput, ScoreShown
from ..model.time import MINUTES
from ..model.trial import Derived


def score_of(shown: ScoreShown, derived: Derived, evaluation: Evaluation, criterion: PlanCriterion | None) -> Score:
    """A published score for the record of an evaluation, as the flag's statement reads it."""
    formula = FORMULAS[derived.formula or ""]
    leaf = _leaf(shown.value, criterion.when) if criterion is not None and criterion.when is not None else None
    answer = evaluation.answer(leaf, criterion) if leaf is not None else None
    chosen = _chosen(answer) if answer is not None else None
    inputs = tuple(ScoreInput(concept, _evidence(concept, chosen, evaluation, answer)) for concept, _ in formula.inputs)
    missing = tuple(one.concept for one in inputs if not one.evidence) if chosen is None or chosen.derived_from else ()
    if formula.person:
        missing += tuple(
            name for name, there in (("birth date", evaluation.record.births), ("sex", evaluation.record.patient.sex)) if not there
        )
    value = None
    if chosen is not None and not missing:
        read = read_value(chosen, evaluation.record.vocabulary)
        value = read.number if read.problem is None else None
    return Score(
        name=shown.value,
        formula=derived.formula or "",
        source=formula.source,
        unit=_unit(shown.value, formula, evaluation),
        inputs=inputs,
        missing=missing,
        value=value,
        reported=chosen is not None and not chosen.derived_from,
        cutoff=shown.cutoff,
        limits=shown.limits,
    )


def latest_of(concept: str, evaluation: Evaluation) -> tuple[Evidence, ...]:
    """The newest results of a concept on or before the day, which a flag shows beside it."""
    facts = [(fact, sure) for fact, sure in evaluation.record.by_concept.get(concept, ()) if fact.s_lo // MINUTES <= evaluation.day]
    newest = max((fact.s_hi for fact, _ in facts), default=None)
    return tuple(evaluation.evidence(fact, fact.certain and sure) for fact, sure in facts if fact.s_hi == newest)


def _leaf(name: str, node: PlanNode) -> Leaf | None:
    return next((leaf for leaf in node.leaves() if leaf.derived is not None and leaf.name == name), None)


def _chosen(answer: LeafAnswer) -> Fact | None:
    """The result that decided, else the newest that may have."""
    facts = answer.deciding or [candidate.fact for candidate in answer.candidates]
    return max(facts, key=lambda fact: (fact.s_hi, fact.order), default=None)


def _evidence(concept: str, chosen: Fact | None, evaluation: Evaluation, answer: LeafAnswer | None) -> tuple[Evidence, ...]:
    if chosen is not None and chosen.derived_from:
        below = evaluation.record.vocabulary.descendants(concept)
        return tuple(evaluation.evidence(fact, fact.certain) for fact in chosen.derived_from if fact.concept in below)
    if chosen is not None or answer is None:
        return ()
    window = answer.window
    found = latest_of(concept, evaluation)
    if not found or window is None:
        return found
    facts = [fact for fact, _ in evaluation.record.by_concept.get(concept, ())]
    inside = any(fact.days()[1] >= window.l1 and fact.days()[0] <= window.u2 for fact in facts)
    return found if inside else ()


def _unit(name: str, formula: Formula, evaluation: Evaluation) -> str:
    concept = evaluation.record.vocabulary.concepts.get(name)
    return (concept.unit if concept is not None else None) or formula.unit
