"""A record against a whole trial: its criteria, arms, status and counts (MEANING 9)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..model.finding import ArmResult, Counts, CriterionResult, Evidence, Finding, Need, Notice, Reason, Screening, Status
from ..model.truth import FALSE, TRUE, UNKNOWN
from .plan import Plan
from .record import Record
from .reference import PASSES, Evaluation, Quiet, evaluate_criterion, lapsed, names
from .settings import Settings

DEATH = "record/death"


def screen(record: Record, plan: Plan, settings: Settings, details: bool = True) -> Screening:
    """A record against a trial. ``details`` adds margin, settled_by and changes_on.

    Raises ``UsageError`` for anchors out of the trial's order.
    """
    evaluation = Evaluation(record, settings, plan.schedule, plan.horizon, plan.trial.id)
    evaluation.anchors.check_order()
    outlook = None
    if details:
        from .outlook import Outlook

        outlook = Outlook(record, plan, settings, evaluation)
    quiet = evaluation.quiet = _quiet(record, plan, settings)
    results: list[tuple[str | None, CriterionResult]] = []
    for number, criterion in enumerate(plan.criteria):
        key: tuple[Any, ...] | None = None
        result: CriterionResult | None = None
        if quiet is not None and number in quiet.criteria:
            key = quiet.stamp, criterion, details, tuple([family in record.live for family in criterion.families])
            result = plan.shared.get(key)
        if result is None:
            result = evaluate_criterion(evaluation, criterion)
            if outlook is not None:
                result = outlook.complete(result, criterion)
            if key is not None and evaluation.impersonal(criterion, result):
                plan.shared[key] = result
        results.append((criterion.arm, result))
    shared = [result for arm, result in results if arm is None]
    if record.death is not None:
        shared.insert(0, _death(record))
    header = plan.trial.trial
    metadata = header.record is not None and header.record.completeness == "metadata"
    arms = []
    for name, arm in plan.trial.arms.items():
        own = tuple(result for of, result in results if of == name)
        together = (*shared, *own)
        arms.append(ArmResult(name, arm.title, arm.open, _status(together, metadata), count(together), own))
    status = _status(shared, metadata) if not arms else _best(shared, arms)
    everything = [*shared, *(result for one in arms for result in one.criteria)]
    presumed = any(result.effect == "passes" and not result.not_applicable and result.presumed is not None for result in everything)
    return Screening(plan.trial.id, status, presumed, count(shared), tuple(shared), tuple(arms))


_SHARED = 20_000


def _quiet(record: Record, plan: Plan, settings: Settings) -> Quiet | None:
    """What of a plan the chart has nothing on; None where more than entries bears on an answer."""
    if record.absences or settings.attestations or settings.site is not None:
        return None
    if len(plan.shared) >= _SHARED:
        plan.shared.clear()
    anchors = tuple([(name, when.lo, when.hi) for name, when in settings.anchors.items()])
    leaves, criteria = plan.silent_on(record.by_concept.keys(), record.plans_by_concept.keys(), record.unclear)
    return Quiet(leaves, criteria, (settings.as_of, settings.absence, anchors, record.as_of), plan.shared)


def _death(record: Record) -> CriterionResult:
    death = record.death
    assert death is not None
    when = record.patient.deceased
    evidence = (Evidence("condition", "death", str(when) if when is not True else None, certain=not record.death_doubt),)
    truth = UNKNOWN if record.death_doubt else TRUE
    reasons = (Reason(record.death_doubt, "death", "deceased"),) if record.death_doubt else ()
    finding = Finding(None, truth, reasons, evidence, basis="recorded" if truth is TRUE else "none", on_record=True)
    return CriterionResult(
        DEATH,
        "exclusion",
        None,
        truth,
        PASSES["exclusion", truth],
        TRUE,
        False,
        finding,
        finding.basis,
        True,
        reasons,
        evidence,
        settled_by=((Need("refine", "death", None, "deceased"),),) if record.death_doubt else (),
    )


def _status(results: Iterable[CriterionResult], metadata: bool) -> Status:
    results = tuple(results)
    if any(result.effect == "blocks" for result in results):
        return "barrier_found"
    rests = any(
        result.effect == "passes"
        and not result.not_applicable
        and result.truth in (TRUE, FALSE)
        and result.basis in ("recorded", "derived")
        and result.on_record
        for result in results
    )
    if metadata or not rests or any(result.computable_open for result in results):
        return "undetermined"
    return "no_barrier_found"


def _best(shared: list[CriterionResult], arms: list[ArmResult]) -> Status:
    if any(result.effect == "blocks" for result in shared):
        return "barrier_found"
    order: tuple[Status, ...] = ("no_barrier_found", "undetermined", "barrier_found")
    open_arms = [arm.status for arm in arms if arm.open]
    return min(open_arms, key=order.index) if open_arms else "undetermined"


def count(results: Iterable[CriterionResult]) -> Counts:
    """How the criteria stand."""
    tally = {"passes": 0, "not_applicable": 0, "blocks": 0, "open": 0, "ask": 0, "not_published": 0}
    for result in results:
        if result.not_applicable:
            tally["not_applicable"] += 1
        elif result.effect != "open":
            tally[result.effect] += 1
        elif result.computable_open:
            tally["open"] += 1
        else:
            tally["ask" if any(reason.code == "needs_judgement" for reason in result.reasons) else "not_published"] += 1
    return Counts(**tally)


def attestation_notices(record: Record, plan: Plan, settings: Settings) -> tuple[Notice, ...]:
    """Attestations about this patient and trial that do not count, each with its reason."""
    notices = []
    for one in settings.attestations:
        if one.patient != record.patient.id or one.trial != plan.trial.id:
            continue
        # the same id may stand in two arms: it counts where its digest says what was answered
        reasons = [lapsed(one, criterion, settings.as_of) for criterion in plan.criteria if names(one, criterion)]
        why = next((reason for reason in reasons if reason is not None), None) if reasons else "there is no such criterion"
        if why is not None and None not in reasons:
            notices.append(Notice("attestation_lapsed", f"{one.trial} {one.criterion}: {why}", one.date.isoformat()))
    return tuple(notices)
