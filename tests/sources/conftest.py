"""What the tests of the sources share: reading one file, and finding entries by their pointers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from eligibility.errors import Problem
from eligibility.model.patient import FAMILIES, Entry, Patient
from eligibility.sources.arrival import PatientInput
from eligibility.sources.intake import read

ROOT = Path(__file__).resolve().parents[2]


class Read:
    """The outcome of one reading."""

    def __init__(self, items: list[PatientInput | Problem]) -> None:
        self.items = items
        self.inputs = [item for item in items if isinstance(item, PatientInput)]
        self.loose = [item for item in items if isinstance(item, Problem)]
        self.problems = [*self.loose, *(problem for item in self.inputs for problem in item.problems)]

    @property
    def patient(self) -> Patient:
        assert len(self.inputs) == 1, [str(item) for item in self.items]
        return self.inputs[0].patient

    def entries(self) -> dict[str, Entry]:
        return {entry.source or "": entry for family in FAMILIES for entry in self.patient.family(family)}

    def aside(self) -> dict[str, str]:
        return {one.source: one.why for one in self.patient.set_aside}

    def codes(self) -> set[str]:
        return {problem.code for problem in self.problems}


@pytest.fixture(scope="session")
def reading() -> Callable[..., Read]:
    """Read paths; keyword arguments are those of ``intake.read``."""
    return lambda *paths, **options: Read(list(read(paths, **options)))


@pytest.fixture
def reading_text(tmp_path: Path) -> Callable[..., Read]:
    """Read a text, a tree or bytes as a file of this name."""

    def run(content: Any, name: str = "p.json", **options: Any) -> Read:
        data = content if isinstance(content, bytes) else content.encode() if isinstance(content, str) else orjson.dumps(content)
        path = tmp_path / name
        path.write_bytes(data)
        return Read(list(read([path], **options)))

    return run


@pytest.fixture(scope="session")
def quirk(reading: Callable[..., Read]) -> Callable[[str], Read]:
    """Read a fixture of ``fixtures/fhir-quirks``."""
    return lambda name: reading(ROOT / "fixtures" / "fhir-quirks" / name)


@pytest.fixture(scope="session")
def broken(reading: Callable[..., Read]) -> Callable[[str], Read]:
    """Read a file of ``tests/broken/patients``."""
    return lambda name: reading(ROOT / "tests" / "broken" / "patients" / name)
