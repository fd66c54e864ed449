"""Rule files written out again: what a tool dumps is what it read."""

from __future__ import annotations

import warnings

import pytest

from eligibility.language.library import RuleLibrary, load_library
from eligibility.model.flag import FlagFile
from eligibility.model.trial import TrialFile


@pytest.fixture(scope="module")
def library() -> RuleLibrary:
    return load_library()


def test_a_trial_dumped_and_read_is_the_same_trial(library: RuleLibrary) -> None:
    assert library.trials
    for trial in library.trials.values():
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            dumped = trial.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        assert TrialFile.model_validate(dumped) == trial, trial.id


def test_a_flag_file_with_nested_lists_is_dumped_without_complaint() -> None:
    raw = {
        "lists": {"agents": ["azathioprine", ["methotrexate", "mycophenolate"]]},
        "flags": [
            {
                "id": "one",
                "axis": "risk",
                "title": "One",
                "message": "Source X lists it",
                "severity": "not graded",
                "population": "oncology",
                "evidence": "trial",
                "source": {"title": "X", "year": 2020, "url": "https://example.org/x"},
                "when": {"medication": "agents", "ever": True},
            }
        ],
    }
    file = FlagFile.model_validate(raw)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dumped = file.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    assert dumped["lists"] == raw["lists"]
    assert FlagFile.model_validate(dumped) == file
