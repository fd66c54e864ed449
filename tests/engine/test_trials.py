"""From criteria to trial: effects, arms, death, people's answers, anchors (MEANING 2, 8, 9)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from eligibility.engine.plan import Plan
from eligibility.engine.record import Record
from eligibility.engine.reference import PASSES
from eligibility.engine.settings import Settings
from eligibility.engine.trials import attestation_notices, screen
from eligibility.errors import UsageError
from eligibility.model.site import Attestation
from eligibility.model.time import When, date_of
from eligibility.model.truth import Truth

from .conftest import AS_OF

HEAD = "trial: {id: T1, title: A trial}\n"
SIMPLE = (
    HEAD
    + """
schedule:
  screening: {looks_back: 28 days}
  leukapheresis: {looks_back: 7 days}
  infusion: {}
inclusion:
  - {id: I1, text: EDSS at most 6.5, when: {observation: edss, at: screening, latest: {at_most: 6.5}}}
  - {id: I2, text: Consent, ask: "Was the consent form signed?", valid_for: 4 weeks}
exclusion:
  - {id: E1, text: Rituximab of late, when: {medication: rituximab, within: 6 months, before: leukapheresis}}
"""
)
GOOD = """birth_date: 1980-01-01
sex: female
observations: [{concept: edss, date: 2026-10-20, value: 4}]
medications: [{concept: pyridostigmine, start: 2020-01-01, status: active}]
"""
Plans = Callable[[str], Plan]
Records = Callable[..., Record]


def test_silence_may_let_pass_and_never_makes_a_barrier() -> None:
    silent = (Truth.PRESUMED_FALSE, Truth.PRESUMED_TRUE)
    assert all(effect != "blocks" for (_, truth), effect in PASSES.items() if truth in silent)
    assert PASSES["inclusion", Truth.PRESUMED_FALSE] == PASSES["exclusion", Truth.PRESUMED_TRUE] == "open"
    assert len(PASSES) == 10


def test_status_and_counts_add_up(plan_of: Plans, record_of: Records) -> None:
    screening = screen(record_of(GOOD), plan_of(SIMPLE), Settings(AS_OF))
    assert screening.status == "no_barrier_found"
    counts = screening.counts
    assert (counts.passes, counts.ask) == (2, 1)
    assert counts.passes + counts.not_applicable + counts.blocks + counts.open + counts.ask + counts.not_published == len(
        screening.criteria
    )
    assert screening.presumed


def test_death_is_the_first_barrier_of_every_trial(plan_of: Plans, record_of: Records) -> None:
    screening = screen(record_of(GOOD + "deceased: 2026-10-25"), plan_of(SIMPLE), Settings(AS_OF))
    assert (screening.status, screening.criteria[0].id, screening.criteria[0].effect) == ("barrier_found", "record/death", "blocks")


def test_death_contradicted_by_later_results_is_open(plan_of: Plans, record_of: Records) -> None:
    record = record_of(GOOD + "deceased: 2026-05-01")
    screening = screen(record, plan_of(SIMPLE), Settings(AS_OF))
    assert (screening.criteria[0].effect, [r.code for r in screening.criteria[0].reasons]) == ("open", ["conflicting"])
    assert {notice.code for notice in record.notices} == {"deceased", "repaired"}


def _attestation(plan: Plan, **changes: Any) -> Attestation:
    digest = next(criterion.digest for criterion in plan.criteria if criterion.id == "I2")
    base = Attestation(patient="p", trial="T1", criterion="I2", answer="yes", role="study nurse", date=dt.date(2026, 10, 20), digest=digest)
    return base.model_copy(update=changes)


def test_an_answer_counts_until_it_lapses(plan_of: Plans, record_of: Records) -> None:
    plan, record = plan_of(SIMPLE), record_of(GOOD)
    settings = Settings(AS_OF, attestations=(_attestation(plan),))
    result = screen(record, plan, settings).criteria[1]
    assert (result.effect, result.basis) == ("passes", "attested")
    assert result.changes_on is not None
    assert date_of(result.changes_on.day) == dt.date(2026, 11, 18)
    assert attestation_notices(record, plan, settings) == ()


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"date": dt.date(2026, 9, 1)}, "validity has ended"),
        ({"date": dt.date(2026, 11, 2)}, "after the screening date"),
        ({"digest": "0" * 16}, "has changed"),
    ],
)
def test_an_answer_that_does_not_count_is_shown(plan_of: Plans, record_of: Records, changes: dict[str, Any], why: str) -> None:
    plan, record = plan_of(SIMPLE), record_of(GOOD)
    settings = Settings(AS_OF, attestations=(_attestation(plan, **changes),))
    assert screen(record, plan, settings).criteria[1].effect == "open"
    (notice,) = attestation_notices(record, plan, settings)
    assert why in notice.detail


def test_two_different_answers_of_one_day_conflict_and_the_later_day_counts(plan_of: Plans, record_of: Records) -> None:
    plan, record = plan_of(SIMPLE), record_of(GOOD)
    yes = _attestation(plan)
    no = yes.model_copy(update={"answer": "no"})
    result = screen(record, plan, Settings(AS_OF, attestations=(yes, no))).criteria[1]
    assert (result.effect, [r.code for r in result.reasons]) == ("open", ["conflicting"])
    later = no.model_copy(update={"date": dt.date(2026, 10, 21)})
    assert screen(record, plan, Settings(AS_OF, attestations=(yes, later))).criteria[1].effect == "blocks"


def test_anchors_out_of_the_trials_order_are_refused(plan_of: Plans, record_of: Records) -> None:
    anchors = {"leukapheresis": When.parse("2026-12-20"), "infusion": When.parse("2026-12-01")}
    with pytest.raises(UsageError, match=r"infusion .* lies before leukapheresis"):
        screen(record_of(GOOD), plan_of(SIMPLE), Settings(AS_OF, anchors=anchors))


ARMS = (
    HEAD
    + """
inclusion:
  - {id: I1, text: Adult, when: {age: {at_least: 18 years}}}
arms:
  ms:
    title: Multiple sclerosis
    inclusion: [{id: M1, text: MS, when: {condition: multiple-sclerosis, now: true, documented: true}}]
  sle:
    title: Lupus
    open: %s
    inclusion: [{id: L1, text: SLE, when: {condition: sle, now: true, documented: true}}]
"""
)
LUPUS = "birth_date: 1980-01-01\nconditions: [{concept: sle, start: 2015, status: active}]"


def test_the_trial_takes_the_best_open_arm(plan_of: Plans, record_of: Records) -> None:
    screening = screen(record_of(LUPUS), plan_of(ARMS % "true"), Settings(AS_OF))
    assert [arm.status for arm in screening.arms] == ["barrier_found", "no_barrier_found"]
    assert screening.status == "no_barrier_found"


def test_an_arm_closed_to_entry_is_shown_and_does_not_count(plan_of: Plans, record_of: Records) -> None:
    screening = screen(record_of(LUPUS), plan_of(ARMS % "false"), Settings(AS_OF))
    assert (screening.status, screening.arms[1].status) == ("barrier_found", "no_barrier_found")


def test_metadata_alone_is_never_better_than_undetermined(plan_of: Plans, record_of: Records) -> None:
    plan = plan_of(SIMPLE.replace("title: A trial", "title: A trial, record: {registry: r, completeness: metadata}"))
    assert screen(record_of(GOOD), plan, Settings(AS_OF)).status == "undetermined"


def test_a_washout_changes_on_the_day_it_ends(plan_of: Plans, record_of: Records) -> None:
    text = HEAD + "exclusion: [{id: E1, text: Rituximab within 12 weeks, when: {medication: rituximab, within: 12 weeks}}]"
    record = record_of("medications: [{concept: rituximab, kind: administration, start: 2026-09-01, status: completed}]")
    plan = plan_of(text)
    result = screen(record, plan, Settings(AS_OF)).criteria[0]
    assert (result.effect, result.margin) == ("blocks", result.margin)
    assert result.margin is not None
    assert (result.margin.amount, result.margin.unit, result.margin.inside) == (23, "day", True)
    assert result.changes_on is not None
    assert (date_of(result.changes_on.day), result.changes_on.effect) == (dt.date(2026, 11, 25), "passes")


@pytest.mark.parametrize(
    "text", ["{}", "birth_date: 1980-01-01\nsex: female", "observations: [{concept: hemoglobin, date: 2026-10-20, value: 12, unit: g/dL}]"]
)
def test_a_record_that_says_nothing_is_never_without_barrier(plan_of: Plans, record_of: Records, text: str) -> None:
    questions = HEAD + 'inclusion: [{id: I1, text: Consent, ask: "Signed?"}, {id: I2, text: Adult, when: {age: {at_least: 18 years}}}]'
    for source in (SIMPLE, questions, HEAD, ARMS % "true"):
        assert screen(record_of(text), plan_of(source), Settings(AS_OF)).status != "no_barrier_found"


def test_the_clock_is_never_read() -> None:
    from pathlib import Path

    root = Path(__file__).resolve().parents[2] / "eligibility"
    words = ("date.today", "datetime.now", "time.time(", "utcnow")
    found = [
        f"{path.relative_to(root)}: {word}"
        for path in sorted(root.rglob("*.py"))
        if path.parent.name != "cli"
        for word in words
        if word in path.read_text()
    ]
    assert found == []


def test_effects_of_the_five_values_never_fall_as_truth_grows() -> None:
    rank = {"blocks": 0, "open": 1, "passes": 2}
    order = sorted(Truth)
    inclusion = [rank[PASSES["inclusion", truth]] for truth in order]
    exclusion = [rank[PASSES["exclusion", truth]] for truth in order]
    assert all(a <= b for a, b in pairwise(inclusion))
    assert all(a >= b for a, b in pairwise(exclusion))
