"""A small trial of its own, so that these tests say what they mean whatever the shipped library holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from eligibility.language.library import RuleLibrary, load_library

TRIAL = """\
trial: {id: TEST-1, title: A trial for tests, diseases: [ms]}
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
  - id: I3
    text: A note
    note: Advice only
exclusion:
  - id: E1
    text: Ocrelizumab within 6 months before leukapheresis
    when: {medication: ocrelizumab, within: 6 months, before: leukapheresis}
  - id: E2
    text: Pregnant women
    applies_when: {sex: female}
    when: {condition: pregnancy, now: true}
"""


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> RuleLibrary:
    path: Path = tmp_path_factory.mktemp("rules") / "test-1.yaml"
    path.write_text(TRIAL, encoding="utf-8")
    return load_library([path], shipped=False)
