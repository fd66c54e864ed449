"""The engine's answer to a case: the one place where these tests call it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from denotation.strategies import DEFINITIONS, DERIVED, LISTS, SCHEDULE, site_of
from denotation.vocabulary import CONCEPTS
from denotation.worlds import DAY0, Case
from eligibility.engine.reference import evaluate
from eligibility.engine.settings import Settings
from eligibility.model.finding import Finding
from eligibility.model.patient import Patient
from eligibility.model.time import When
from eligibility.vocabulary.loader import shipped
from eligibility.vocabulary.vocabulary import Vocabulary


@lru_cache(maxsize=1)
def vocabulary() -> Vocabulary:
    real = shipped()
    return Vocabulary(CONCEPTS, real.units, real.systems, real.words)


def settings_of(case: Case, absence: Any = "presumed", later: int = 0) -> Settings:
    """The settings of a case; ``later`` days on."""
    given = {name: days for name, days in case.anchors.items() if days is not None and name in case.given}
    anchors = {name: When.parse(case.text(*days)) for name, days in given.items()}
    return Settings(as_of=DAY0 + case.today + later, absence=absence, anchors=anchors, site=site_of(case))


def ask_engine(statement: Any, case: Case, absence: Any = "presumed", patient: Patient | None = None) -> Finding:
    """The finding of one statement for a case, or for another telling of it."""
    return evaluate(
        statement,
        patient or case.patient(),
        vocabulary(),
        settings_of(case, absence),
        schedule=SCHEDULE,
        definitions=DEFINITIONS,
        lists=LISTS,
        derived=DERIVED,
    )
