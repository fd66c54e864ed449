"""A small trial and small charts, and the program as a user runs it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from eligibility.cli.app import app

TRIAL = """\
trial:
  id: TEST-1
  title: A trial for tests
  diseases: [ms]
  recruitment: {status: recruiting, as_of: 2026-08-22}
  record: {registry: an example registry, date: 2026-08-22, completeness: partial}
schedule:
  screening: {looks_back: 28 days, basis: published}
  leukapheresis: {basis: published}
inclusion:
  - id: I1
    text: EDSS from 3 to 6.5
    when: {observation: edss, at: screening, latest: {from: "3", to: "6.5"}}
  - id: I2
    text: Consent
    ask: Was the consent form signed?
    valid_for: 4 weeks
exclusion:
  - id: E1
    text: Ocrelizumab within 6 months before leukapheresis
    when: {medication: ocrelizumab, within: 6 months, before: leukapheresis}
"""

SECOND = """\
trial: {id: TEST-2, title: Another trial, diseases: [mg], record: {registry: an example registry, completeness: full}}
inclusion:
  - id: I1
    text: Adults
    when: {age: {at_least: 18 years}}
"""

CHART = """\
id: p1
birth_date: 1980-05-01
sex: female
written: 2026-11-01
conditions:
  - {concept: multiple-sclerosis, start: 2015, status: active}
  - {text: seen by the county service, start: 2020}
observations:
  - {concept: edss, date: 2026-10-20, value: 4.5}
medications:
  - {concept: ocrelizumab, start: 2021-04-01, end: 2026-09-10, status: stopped}
"""


@dataclass
class Program:
    """The program with a folder of its own: rules, charts."""

    folder: Path

    def __call__(self, *arguments: str, own: bool = True, **extra: str) -> Result:
        """Run it; with ``own`` on the folder's rules alone."""
        rules = ["--rules", str(self.folder / "rules"), "--no-library"] if own else []
        return CliRunner().invoke(app, [*arguments, *rules], prog_name="eligibility", env=extra)

    @property
    def chart(self) -> str:
        return str(self.folder / "p1.yaml")

    def path(self, name: str) -> Path:
        return self.folder / name


@pytest.fixture
def program(tmp_path: Path) -> Program:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "test-1.yaml").write_text(TRIAL, encoding="utf-8")
    (tmp_path / "rules" / "test-2.yaml").write_text(SECOND, encoding="utf-8")
    (tmp_path / "p1.yaml").write_text(CHART, encoding="utf-8")
    return Program(tmp_path)


Run = Callable[..., Result]
