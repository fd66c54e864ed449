"""The small trials screened, an empty sheet, the program in a folder of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from clinic.desk import ARMS, DATE, P1, P2, P3, TRIAL, Clinic, Desk
from eligibility.report.results import Results
from eligibility.screening import Screener, screen_with


@pytest.fixture
def clinic(tmp_path: Path) -> Clinic:
    for folder, files in {"rules": {"one": TRIAL, "two": ARMS}, "charts": {"p1": P1, "p2": P2, "p3": P3}}.items():
        (tmp_path / folder).mkdir()
        for name, text in files.items():
            (tmp_path / folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return Clinic(tmp_path)


@pytest.fixture(scope="session")
def screener(tmp_path_factory: pytest.TempPathFactory) -> Screener:
    folder = tmp_path_factory.mktemp("rules")
    (folder / "one.yaml").write_text(TRIAL, encoding="utf-8")
    (folder / "two.yaml").write_text(ARMS, encoding="utf-8")
    return Screener.build(as_of=DATE, rules=[folder], shipped=False, flags=False)


@pytest.fixture(scope="session")
def results(screener: Screener, tmp_path_factory: pytest.TempPathFactory) -> Results:
    """The three charts screened, with a fourth that cannot be read."""
    folder = tmp_path_factory.mktemp("monday") / "charts"
    folder.mkdir()
    for name, text in {"p1": P1, "p2": P2, "p3": P3, "p4": "{id: p4"}.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return screen_with(screener, [folder])


@pytest.fixture
def desk(screener: Screener, tmp_path: Path) -> Desk:
    return Desk(screener, tmp_path / "monday.xlsx")
