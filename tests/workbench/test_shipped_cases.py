"""The test patients that ship with the rules: all right, and the share of known answers is golden.

An engine that says *unknown* more often than before shows here, even where every expectation holds.
After a deliberate change run with ``ELIGIBILITY_REGENERATE=1`` and read the diff.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from eligibility.language.library import load_library
from eligibility.screening import rules_test
from eligibility.workbench.cases import CasesReport

GOLDEN = Path(__file__).parent / "golden" / "known.json"


@pytest.fixture(scope="module")
def report() -> CasesReport:
    return rules_test()


def test_every_shipped_case_is_right(report: CasesReport) -> None:
    assert [str(problem) for problem in report.problems] == []
    assert [str(failure) for failure in report.failures] == []
    assert report.passed > 0


def test_every_shipped_trial_has_cases(report: CasesReport) -> None:
    assert {result.case.trial for result in report.results} - {"flags"} == set(load_library().trials)


def test_the_share_of_known_answers_is_golden(report: CasesReport) -> None:
    share = {trial: {"known": known, "cells": cells} for trial, (known, cells) in report.known().items()}
    if os.environ.get("ELIGIBILITY_REGENERATE") == "1":
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(json.dumps(share, indent=2) + "\n", encoding="utf-8")
    assert share == json.loads(GOLDEN.read_text(encoding="utf-8"))
