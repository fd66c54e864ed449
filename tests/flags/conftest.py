"""The shipped flags compiled once for each chainer, patients that touch them, and products."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from eligibility.engine.record import Record, prepare
from eligibility.engine.settings import Settings
from eligibility.flags import durable_chainer
from eligibility.flags.engine import Choice, FlagEngine, PatientFlags
from eligibility.language.flag_files import FlagText, check_together, parse_flags
from eligibility.language.library import RuleLibrary, load_library
from eligibility.language.reader import read_yaml
from eligibility.model.patient import Patient
from eligibility.model.time import day_of
from eligibility.model.trial import TrialFile
from eligibility.report.words import Words
from eligibility.sources.intake import read

ROOT = Path(__file__).resolve().parents[2]
AS_OF = day_of(dt.date(2026, 11, 1))

needs_engine = pytest.mark.skipif(not durable_chainer.installed(), reason="durable-rules is not installed here")


def setting(name: str, default: int) -> int:
    """A number the environment may raise: how much a long test does."""
    return int(os.environ.get(name, default))


@pytest.fixture(scope="session")
def library() -> RuleLibrary:
    return load_library()


@pytest.fixture(scope="session", params=["plain", pytest.param("durable-rules", marks=needs_engine)])
def engine(request: pytest.FixtureRequest, library: RuleLibrary) -> Iterator[FlagEngine]:
    choice: Choice = request.param
    made = FlagEngine(library.flags, library.definitions, library.vocabulary, choice)
    yield made
    made.close()


@pytest.fixture(scope="session")
def plain(library: RuleLibrary) -> FlagEngine:
    return FlagEngine(library.flags, library.definitions, library.vocabulary, "plain")


@pytest.fixture(scope="session")
def words(library: RuleLibrary) -> Words:
    return Words.of(library.vocabulary)


@pytest.fixture(scope="session")
def patients() -> tuple[Patient, ...]:
    return tuple(item.patient for item in read([ROOT / "fixtures" / "patients"]) if hasattr(item, "patient"))


@pytest.fixture(scope="session")
def record(library: RuleLibrary) -> Callable[[Any], Record]:
    """A record of a patient, or of the fields of one."""

    def make(patient: Any) -> Record:
        if not isinstance(patient, Patient):
            patient = Patient.model_validate({"id": "p", **patient})
        return prepare(patient, library.vocabulary, AS_OF)

    return make


def product(diseases: tuple[str, ...] = (), **fields: Any) -> TrialFile:
    """A trial that is nothing but its product."""
    header: dict[str, Any] = {"id": "CASE", "title": "a case"}
    if fields:
        header["product"] = {"name": "a product", **fields}
    if diseases:
        header["diseases"] = list(diseases)
    return TrialFile.model_validate({"trial": header})


KYV = product(
    cells="autologous",
    target=["CD19"],
    design=["integrating"],
    lymphodepletion={"status": "required", "agents": ["cyclophosphamide", "fludarabine"]},
    leukapheresis="required",
)


def flags_of(engine: FlagEngine, record: Record, **settings: Any) -> PatientFlags:
    return engine.patient(record, Settings(AS_OF, **settings))


def flag_text(text: str, name: str = "f.yaml") -> FlagText:
    """A flag file from its text; raises where it has a mistake of shape or rests on itself."""
    parsed = parse_flags(read_yaml(text, name))
    assert parsed.flags is not None, parsed.problems
    assert not parsed.problems
    made = FlagText(parsed.flags, parsed.tree, Path(name), name, "0" * 64, False)
    assert not check_together([made])
    return made
