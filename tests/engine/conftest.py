"""What the tests of the engine share: the shipped vocabulary and a statement asked of a small patient."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
import yaml
from pydantic import TypeAdapter

from eligibility.engine.plan import Plan, compile_plan
from eligibility.engine.record import Record, prepare
from eligibility.engine.reference import evaluate
from eligibility.engine.settings import Settings
from eligibility.errors import Problem
from eligibility.model.criteria import Statement
from eligibility.model.finding import Finding
from eligibility.model.patient import Patient
from eligibility.model.time import When, day_of
from eligibility.model.trial import TrialFile, Visit
from eligibility.sources.intake import read
from eligibility.vocabulary.loader import shipped
from eligibility.vocabulary.vocabulary import Vocabulary

AS_OF = day_of(dt.date(2026, 11, 1))
SCHEDULE = {
    "screening": Visit.model_validate({"looks_back": "28 days", "basis": "assumed"}),
    "consent": Visit.model_validate({}),
    "leukapheresis": Visit.model_validate({"looks_back": "7 days"}),
    "infusion": Visit.model_validate({}),
}
STATEMENT: TypeAdapter[Any] = TypeAdapter(Statement)


def patient_of(text: str = "{}", **fields: Any) -> Patient:
    """A patient typed in YAML."""
    data = {"id": "p", **yaml.load(text, Loader=yaml.BaseLoader), **fields}
    (came,) = read(["-"], stdin=BytesIO(yaml.safe_dump(data).encode()))
    assert not isinstance(came, Problem), str(came)
    assert not came.problems, [str(problem) for problem in came.problems]
    return came.patient


def statement_of(text: str) -> Any:
    """A statement typed in YAML."""
    return STATEMENT.validate_python(yaml.load(text, Loader=yaml.BaseLoader))


def trial_of(text: str) -> TrialFile:
    """A rule file typed in YAML."""
    return TrialFile.model_validate(yaml.load(text, Loader=yaml.BaseLoader))


@pytest.fixture(scope="session")
def vocabulary() -> Vocabulary:
    return shipped()


@pytest.fixture(scope="session")
def ask(vocabulary: Vocabulary) -> Callable[..., Finding]:
    """``ask(statement, patient, **anchors)``: the finding on 1 November 2026."""

    def asked(statement: str, patient: str = "{}", absence: Any = "presumed", **anchors: str) -> Finding:
        settings = Settings(AS_OF, absence=absence, anchors={name: When.parse(day) for name, day in anchors.items()})
        return evaluate(statement_of(statement), patient_of(patient), vocabulary, settings, schedule=SCHEDULE)

    return asked


@pytest.fixture(scope="session")
def plan_of(vocabulary: Vocabulary) -> Callable[[str], Plan]:
    return lambda text: compile_plan(trial_of(text), {}, vocabulary)


@pytest.fixture(scope="session")
def record_of(vocabulary: Vocabulary) -> Callable[..., Record]:
    return lambda text="{}", day=AS_OF: prepare(patient_of(text), vocabulary, day)
