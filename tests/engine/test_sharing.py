"""What a plan keeps from one screening to the next: what a chart is silent on, of nobody (docs/safety.md)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from eligibility.engine.plan import Plan, compile_plan
from eligibility.engine.record import prepare
from eligibility.engine.settings import Settings
from eligibility.engine.trials import screen
from eligibility.language.library import RuleLibrary, load_library
from eligibility.model.finding import Screening
from eligibility.model.patient import Patient
from eligibility.model.time import When
from eligibility.sources.arrival import PatientInput
from eligibility.sources.intake import read

from .conftest import AS_OF

FIXTURES = Path(__file__).parents[2] / "fixtures" / "patients"
TRIALS = ("NCT06193889", "NCT06675864", "NCT06581198", "NCT06451159")


@pytest.fixture(scope="module")
def library() -> RuleLibrary:
    return load_library()


@pytest.fixture(scope="module")
def people() -> tuple[Patient, ...]:
    return tuple(one.patient for one in read([FIXTURES]) if isinstance(one, PatientInput))


def plan_of(library: RuleLibrary, trial: str) -> Plan:
    return compile_plan(library.trials[trial], library.definitions, library.vocabulary)


def screened(patient: Patient, plan: Plan, library: RuleLibrary) -> Screening:
    return screen(prepare(patient, library.vocabulary, AS_OF), plan, Settings(AS_OF))


def born_on_other_days(people: tuple[Patient, ...], by: int) -> Iterator[Patient]:
    for number, one in enumerate(people):
        day = dt.date(1950, 1, 1) + dt.timedelta(days=by + 37 * number)
        yield one.model_copy(update={"id": f"person-{by}-{number}", "birth_date": (When.parse(day.isoformat()),)})


@pytest.mark.parametrize("trial", TRIALS)
def test_a_plan_that_met_others_says_of_each_what_a_new_plan_says(trial: str, library: RuleLibrary, people: tuple[Patient, ...]) -> None:
    used = plan_of(library, trial)
    crowd = [*people, *born_on_other_days(people, 1)]
    first = [screened(one, used, library) for one in crowd]
    again = [screened(one, used, library) for one in reversed(crowd)]
    assert first == again[::-1]
    for one, said in zip(crowd[::3], first[::3], strict=True):
        assert screened(one, plan_of(library, trial), library) == said, one.id


def test_what_is_kept_is_the_same_whoever_came(library: RuleLibrary, people: tuple[Patient, ...]) -> None:
    kept: list[dict[str, str]] = []
    for by in (1, 5000):
        plan = plan_of(library, "NCT06193889")
        for one in born_on_other_days(people, by):
            screened(one, plan, library)
        assert plan.shared
        # by content: the parts of a plan compare by identity
        kept.append({repr(key): repr(value) for key, value in plan.shared.items()})
    assert kept[0] == kept[1]
    assert "person-" not in repr(kept)


def test_what_is_kept_does_not_grow_with_the_people(library: RuleLibrary, people: tuple[Patient, ...]) -> None:
    plan = plan_of(library, "NCT06451159")
    sizes = []
    for by in range(6):
        for one in born_on_other_days(people, by):
            screened(one, plan, library)
        sizes.append(len(plan.shared))
    assert len(set(sizes[1:])) == 1, sizes


def test_a_changed_setting_is_another_question(library: RuleLibrary, people: tuple[Patient, ...]) -> None:
    plan = plan_of(library, "NCT06193889")
    record = prepare(people[0], library.vocabulary, AS_OF)
    presumed = screen(record, plan, Settings(AS_OF))
    strict = screen(record, plan, replace(Settings(AS_OF), absence="unknown"))
    assert screen(record, plan, Settings(AS_OF)) == presumed
    assert strict != presumed
