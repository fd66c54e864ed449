"""An empty record, and one of birth date and sex alone, never has no barrier found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from eligibility.engine import trials
from eligibility.language.library import RuleLibrary, load_library
from eligibility.model.finding import Screening
from eligibility.workbench import checking


def test_the_empty_records_are_undetermined(library: RuleLibrary) -> None:
    assert list(checking.check_silence(library.trials["TEST-1"], library, "t.yaml")) == []


def test_a_trial_that_answers_an_empty_record_is_told(library: RuleLibrary, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_kind(*arguments: object) -> Screening:
        return replace(trials.screen(*arguments), status="no_barrier_found")  # type: ignore[arg-type]

    monkeypatch.setattr(checking, "screen", too_kind)
    (problem,) = checking.check_silence(library.trials["TEST-1"], library, "t.yaml")
    assert (problem.code, problem.file) == ("empty-record", "t.yaml")
    assert "the empty record" in problem.message


def test_only_the_paths_given_are_checked(tmp_path: Path, library: RuleLibrary) -> None:
    assert list(checking.check_library(library, (tmp_path,))) == []
    (path,) = library.files.values()
    assert {problem.file for problem in checking.check_library(library, (path.parent,))} <= {str(path)}


def test_every_shipped_trial_is_undetermined_for_records_that_say_nothing() -> None:
    shipped = load_library()
    assert shipped.trials
    for trial in shipped.trials.values():
        assert list(checking.check_silence(trial, shipped, trial.id)) == []
