"""What would settle it names all that keeps a criterion open, and nothing that an entry cannot have (MEANING 8)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from eligibility.engine.plan import Plan
from eligibility.engine.record import Record
from eligibility.engine.reference import PASSES, Evaluation, criterion_truth
from eligibility.engine.settings import Settings
from eligibility.engine.trials import screen
from eligibility.model.time import When, date_of

from .conftest import AS_OF

TRIAL = """
trial: {id: NCT00000001, title: One criterion}
schedule: {screening: {looks_back: 28 days, basis: assumed}, leukapheresis: {looks_back: 7 days}, infusion: {}}
inclusion: [{id: I1, text: the criterion, when: %s}]
"""


@pytest.fixture
def needs(plan_of: Callable[[str], Plan], record_of: Callable[..., Record]) -> Callable[[str, str], list[list[str]]]:
    """``needs(statement, patient)``: per need its alternatives, each as what to do, of what, and which part of it."""

    def asked(statement: str, patient: str) -> list[list[str]]:
        (result,) = screen(record_of(patient), plan_of(TRIAL % statement), Settings(AS_OF)).criteria
        assert result.effect == "open"
        return [[" ".join(filter(None, (need.do, need.item, need.attribute))) for need in one] for one in result.settled_by]

    return asked


Needs = Callable[[str, str], list[list[str]]]


def test_a_result_has_no_end_to_tell(needs: Needs) -> None:
    statement = "{observation: platelets, at: screening, count: {distinct: day, at_least: 1}}"
    told = needs(statement, "observations: [{concept: platelets, value: 90000, unit: /uL}]")
    assert ["refine platelets start"] in told
    assert not any("end" in alternative.split() for need in told for alternative in need)


def test_a_change_from_first_to_last_needs_a_second_result(needs: Needs) -> None:
    statement = "{observation: edss, ever: true, rise: {at_least: 1 point, pair: first-to-last}}"
    assert needs(statement, "observations: [{concept: edss, date: 2026-01-10, value: 4}]") == [["record edss"]]


def test_an_entry_doubtful_and_coded_with_a_class_is_asked_for_both(needs: Needs) -> None:
    chart = "conditions: [{concept: malignancy, start: 2024-05-01, verification: provisional}]"
    told = needs("{condition: breast-cancer, ever: true}", chart)
    assert ["refine breast-cancer status"] in told
    assert ["refine breast-cancer code"] in told


def test_a_course_of_unknown_status_is_asked_for_its_end_too(needs: Needs) -> None:
    statement = "{observation: prednisone-equivalent-dose, at: screening, latest: {at_least: 10 mg/day}}"
    told = needs(statement, "medications: [{concept: prednisone, start: 2026-05-01, dose: 20 mg/day, status: unknown}]")
    assert ["refine prednisone-equivalent-dose end"] in told or ["refine prednisone end"] in told
    assert ["refine prednisone-equivalent-dose status"] in told or ["refine prednisone status"] in told


def test_what_may_be_excepted_is_asked_about(needs: Needs) -> None:
    statement = """{medication: immunosuppressant, ever: true, every: {route: intravenous}, except: [{medication: azathioprine}],
      if_not_recorded: unknown, documented: true}"""
    chart = "medications: [{concept: immunosuppressant, start: 2026-05-01, end: 2026-05-01, route: oral, status: completed}]"
    assert any("code" in alternative.split() for need in needs(statement, chart) for alternative in need)


def test_the_anchor_of_a_test_is_named(needs: Needs) -> None:
    statement = "{procedure: plasma-exchange, ever: true, where: {started: {within: 10 days, before: infusion}}}"
    told = needs(statement, "procedures: [{concept: plasma-exchange, date: 2026-10-30, status: completed}]")
    assert ["anchor infusion"] in told


def test_what_was_written_after_the_date_surely_goes_on_until_then(
    plan_of: Callable[[str], Plan], record_of: Callable[..., Record]
) -> None:
    chart = "{written: 2027-08-10, medications: [{concept: azathioprine, start: 2026-01-01, status: active}]}"
    plan = plan_of(TRIAL % "{medication: azathioprine, at: infusion}")
    (result,) = screen(record_of(chart), plan, Settings(AS_OF)).criteria
    day = next(
        day for day in range(AS_OF + 1, AS_OF + 400) if screen_on(plan, record_of(chart), day) != screen_on(plan, record_of(chart), AS_OF)
    )
    assert result.changes_on is not None
    assert result.changes_on.day == day


def screen_on(plan: Plan, record: Record, day: int) -> str:
    """The effect of the one criterion, looked at on a later day."""
    evaluation = Evaluation(record, Settings(AS_OF), plan.schedule, plan.horizon, plan.trial.id, day=day)
    (criterion,) = plan.criteria
    return PASSES[criterion.kind, criterion_truth(evaluation, criterion)]


def test_the_date_comes_up_to_the_window_of_a_dated_visit(plan_of: Callable[[str], Plan], record_of: Callable[..., Record]) -> None:
    plan = plan_of(TRIAL.replace("inclusion", "exclusion") % "{medication: rituximab, within: 4 weeks, before: leukapheresis}")
    settings = Settings(AS_OF, anchors={"leukapheresis": When.parse("2027-08-01")})
    (result,) = screen(record_of("medications: [{concept: azathioprine, start: 2026-01-01, status: active}]"), plan, settings).criteria
    assert result.effect == "open"
    assert result.changes_on is not None
    assert (date_of(result.changes_on.day).isoformat(), result.changes_on.effect) == ("2027-07-04", "passes")


@pytest.mark.parametrize(("status", "sure"), [("inactive", False), ("remission", False), ("active", True)])
def test_an_end_ahead_of_a_disease_that_rests_is_no_going_on(
    status: str, sure: bool, plan_of: Callable[[str], Plan], record_of: Callable[..., Record]
) -> None:
    chart = f"conditions: [{{concept: hypertension, start: 2020, end: 2028, status: {status}}}]"
    (result,) = screen(record_of(chart), plan_of(TRIAL % "{condition: hypertension, now: true}"), Settings(AS_OF)).criteria
    assert (result.effect == "passes") is sure
