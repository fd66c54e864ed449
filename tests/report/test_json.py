"""The JSON is DESIGN 4: held to its schema, the same bytes each time, and the reading that gave the effect."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import jsonschema
import pytest

from eligibility.model.finding import CriterionResult
from eligibility.model.trial import Criterion
from eligibility.model.truth import Truth
from eligibility.report import json as report
from eligibility.report.results import Results
from eligibility.report.schema import screening_schema
from eligibility.report.words import Words


def test_the_output_is_valid_and_the_schema_is_strict(results: Results, words: Words) -> None:
    schema = screening_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    document = json.loads(report.dumps(results, words))
    validator.validate(document)
    document["patients"][0]["screenings"][0]["criteria"][0]["verdict"] = "yes"
    assert not validator.is_valid(document)


def test_golden_json(results: Results, words: Words, golden: Callable[[str, str], None]) -> None:
    golden("screening.json", report.dumps(results, words).decode())


def test_same_results_same_bytes(results: Results, words: Words) -> None:
    again = replace(results, patients=tuple(results.patients))
    assert report.dumps(results, words) == report.dumps(again, words)
    assert report.dumps(results, words).endswith(b"}\n")


def test_the_fields_of_the_contract_stand_in_their_order(results: Results, words: Words) -> None:
    document = json.loads(report.dumps(results, words))
    assert list(document) == [
        "schema",
        "engine",
        "rules",
        "as_of",
        "absence",
        "anchors",
        "digests",
        "conventions",
        "trials",
        "patients",
        "errors",
    ]
    assert list(document["patients"][0]) == ["patient", "notices", "intake", "screenings"]
    assert list(document["patients"][0]["screenings"][0]) == ["trial", "status", "presumed", "counts", "arms", "criteria", "flags"]
    criterion = document["patients"][0]["screenings"][0]["criteria"][1]
    assert list(criterion) == (
        [
            "id",
            "kind",
            "text",
            "truth",
            "effect",
            "applies",
            "basis",
            "presumed",
            "assumes",
            "reasons",
            "evidence",
            "settled_by",
            "margin",
            "changes_on",
            "clauses",
        ]
    )
    assert len(document["conventions"]) == 5


def test_errors_name_file_place_and_message(results: Results, words: Words) -> None:
    (error,) = json.loads(report.dumps(results, words))["errors"]
    assert error == {
        "file": "charts/p2.json",
        "where": "line 3, column 1",
        "code": "not-json",
        "severity": "error",
        "message": "this is not JSON; look at the end of line 2",
    }


def test_an_open_end_is_null_and_marked_open(results: Results, words: Words) -> None:
    criterion = json.loads(report.dumps(results, words))["patients"][0]["screenings"][0]["criteria"][1]
    low = criterion["evidence"][1]
    assert (low["low"], low["high"], low["high_open"], low["value"]) == (None, 5.0, True, "<5")


@pytest.mark.parametrize(
    ("kind", "truth", "effect", "shown", "presumed"),
    [
        ("inclusion", Truth.TRUE, "passes", "true", None),
        ("inclusion", Truth.PRESUMED_TRUE, "passes", "true", "true"),
        ("inclusion", Truth.UNKNOWN, "open", "unknown", None),
        ("inclusion", Truth.PRESUMED_FALSE, "open", "unknown", "false"),
        ("inclusion", Truth.FALSE, "blocks", "false", None),
        ("exclusion", Truth.TRUE, "blocks", "true", None),
        ("exclusion", Truth.PRESUMED_TRUE, "open", "unknown", "true"),
        ("exclusion", Truth.UNKNOWN, "open", "unknown", None),
        ("exclusion", Truth.PRESUMED_FALSE, "passes", "false", "false"),
        ("exclusion", Truth.FALSE, "passes", "false", None),
    ],
)
def test_truth_is_the_reading_that_gave_the_effect(
    words: Words, kind: str, truth: Truth, effect: str, shown: str, presumed: str | None
) -> None:
    result = CriterionResult(
        id="I1",
        kind=kind,  # type: ignore[arg-type]
        criterion=Criterion(id="I1", text="A thing", note="n"),
        truth=truth,
        effect=effect,  # type: ignore[arg-type]
        applies=Truth.TRUE,
        not_applicable=False,
        finding=None,
        presumed=presumed,  # type: ignore[arg-type]
    )
    written = report.criterion(result, words)
    assert (written["truth"], written["presumed"]) == (shown, presumed)
