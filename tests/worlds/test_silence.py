"""Silence alone never reads as «no barrier found»: the empty record, birth date and sex, laboratory results alone (MEANING 9)."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from random import Random
from typing import Any

import pytest
from denotation.engine import vocabulary
from denotation.strategies import plain_leaf, statement
from denotation.trials import plan_of, screened, trial_of
from denotation.worlds import Case
from hypothesis import given, settings
from hypothesis import strategies as st

from eligibility.engine.plan import Plan, compile_plan
from eligibility.engine.record import prepare
from eligibility.engine.settings import Settings
from eligibility.engine.trials import screen
from eligibility.errors import UsageError
from eligibility.language.library import load_library
from eligibility.model.finding import Screening
from eligibility.model.patient import Patient
from eligibility.model.site import Attestation
from eligibility.model.time import day_of
from eligibility.vocabulary.concept import Concept
from eligibility.vocabulary.library import library_path
from eligibility.vocabulary.vocabulary import Vocabulary

S = dt.date(2026, 11, 1)


@lru_cache(maxsize=1)
def library() -> tuple[Vocabulary, dict[str, Plan]]:
    shipped = load_library()
    files = [file for versions in shipped.versions.values() for file in versions]  # amendments and what they replaced
    return shipped.vocabulary, {file.path.stem: compile_plan(file.trial, shipped.definitions, shipped.vocabulary) for file in files}


FILES = sorted(path.stem for path in (library_path() / "trials").rglob("*.yaml"))


def shipped_screening(plan: Plan, told: dict[str, Any], absence: Any = "presumed") -> Screening:
    patient = Patient.model_validate({"id": "p", **told})
    run = Settings(as_of=day_of(S), absence=absence)
    return screen(prepare(patient, library()[0], run.as_of), plan, run, details=False)


AGES = (6, 17, 18, 35, 64, 65, 66, 90)
PEOPLE: list[dict[str, Any]] = [
    {},
    {"written": S},
    *({"birth_date": [f"{S.year - age}-03-05"], "sex": [sex]} for age in AGES for sex in ("female", "male", "other")),
    {"birth_date": ["1990", "1994-02"], "sex": ["female", "male"]},
]


@pytest.mark.parametrize("file", FILES)
def test_who_is_only_born_is_undetermined(file: str) -> None:
    plan = library()[1][file]
    for person in PEOPLE:
        assert shipped_screening(plan, person).status != "no_barrier_found", person
        assert shipped_screening(plan, person, "unknown").status != "no_barrier_found", person


def result(concept: Concept, random: Random) -> dict[str, Any]:
    """A plausible recent result."""
    entry: dict[str, Any] = {"concept": concept.id, "start": (S - dt.timedelta(random.randint(0, 20))).isoformat(), "status": "final"}
    if concept.results:
        return {**entry, "value": random.choice([concept.results[0], concept.results[-1]])}
    if concept.classes:
        return {**entry, "value": random.choice(concept.classes)}
    if concept.titre:
        return {**entry, "value": random.choice(["1:40", "1:640"])}
    low = concept.plausible.low if concept.plausible is not None and concept.plausible.low is not None else 0.0
    high = concept.plausible.high if concept.plausible is not None and concept.plausible.high is not None else 100.0
    value = round(random.choice([low, high, low + (high - low) * random.random()]), 1)
    return {**entry, "value": float(value), "unit": concept.unit, "range": {"low": low, "high": high}}


@pytest.mark.parametrize("file", FILES)
def test_results_alone_are_undetermined(file: str) -> None:
    words, plans = library()
    measures = [one for one in words.concepts.values() if one.family == "observation" and one.unit != "mg/day"]
    person = {"birth_date": ["1986-05-04"], "sex": ["female"]}
    for seed in range(8):
        random = Random(seed)
        labs = [result(one, random) for one in measures for _ in range(random.randint(0, 2))]
        for told in ({"observations": labs}, {**person, "observations": labs}):
            assert shipped_screening(plans[file], told).status != "no_barrier_found"


QUESTIONS = st.lists(
    st.one_of(
        st.sampled_from([{"ask": "Is it so?"}, {"not_published": "a number nobody prints"}, {"none_of": [{"ask": "Is it otherwise?"}]}]),
        st.just({"all_of": [{"ask": "Is it so?"}, {"ask": "Is it otherwise?"}]}),
    ),
    min_size=1,
    max_size=4,
)


@given(raws=QUESTIONS, kinds=st.data())
def test_a_file_of_questions_is_undetermined_whatever_is_answered(raws: list[Any], kinds: st.DataObject) -> None:
    criteria = [(kinds.draw(st.sampled_from(["inclusion", "exclusion"])), raw) for raw in raws]
    plan = plan_of(trial_of(criteria))
    case = Case(live=kinds.draw(st.sampled_from([(), ("condition",), ("condition", "medication", "procedure")])))
    assert screened(plan, case).status == "undetermined"
    answers = tuple(
        Attestation(
            patient="p",
            trial="T1",
            criterion=criterion.id,
            leaf=question.number,
            answer=kinds.draw(st.sampled_from(["yes", "no"])),
            role="physician",
            date=dt.date(2024, 2, 1),
            until=dt.date(2025, 2, 1),
            digest=criterion.digest,
        )
        for criterion in plan.criteria
        for question in criterion.questions
    )
    assert screened(plan, case, answers=answers).status != "no_barrier_found"


@settings(max_examples=max(20, settings().max_examples // 2))
@given(data=st.data())
def test_the_empty_record_never_passes_a_generated_file(data: st.DataObject) -> None:
    raws = [data.draw(st.one_of(statement(depth=1), plain_leaf)) for _ in range(data.draw(st.integers(1, 3)))]
    plan = plan_of(trial_of([(data.draw(st.sampled_from(["inclusion", "exclusion"])), raw) for raw in raws]))
    bare = data.draw(st.sampled_from([Case(birth=(), sex=()), Case(), Case(sex=("male",), site={"country": "GB", "centre": "north"})]))
    bare = Case(birth=bare.birth, sex=bare.sex, site=bare.site, anchors=dict.fromkeys(("consent", "apheresis", "infusion")))
    try:
        found = screened(plan, bare)
    except UsageError:
        return
    assert found.status != "no_barrier_found"
    assert vocabulary() is plan.vocabulary
