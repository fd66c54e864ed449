"""Explanations of the fixture patients, whole and golden, and every output of them held to words and schema."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from eligibility.model.finding import CriterionResult
from eligibility.report import csv, text
from eligibility.report import json as report
from eligibility.report.results import Results
from eligibility.report.schema import screening_schema
from eligibility.report.words import Words
from eligibility.screening import explain, screen
from eligibility.vocabulary.loader import shipped

FIXTURES = Path(__file__).parents[2] / "fixtures" / "patients"
DATE = "2026-11-01"
ADVICE = re.compile(
    r"\b(eligible|ineligible|recommend\w*|should|safe|safely|unsafe|contraindicat\w*|best match|approv\w*|reject\w*)\b", re.IGNORECASE
)


@pytest.fixture(scope="module")
def everything() -> Results:
    return screen(FIXTURES, as_of=DATE)


@pytest.fixture(scope="module")
def said() -> Words:
    return Words.of(shipped())


def portable(page: str) -> str:
    """Without the folder of this checkout and without the digest, which changes with every word of the library."""
    return re.sub(r"sha256:[0-9a-f]+", "sha256:...", page.replace(f"{FIXTURES}/", ""))


@pytest.mark.parametrize(("patient", "trial"), [("mg-01", "NCT06193889"), ("ms-01", "NCT06675864"), ("sle-01", "NCT06581198")])
def test_golden_explanation(patient: str, trial: str, said: Words, golden: Callable[[str, str], None]) -> None:
    results = explain(FIXTURES / f"{patient}.yaml", trial=trial, as_of=DATE)
    page = text.explanation(results, said, width=200)  # wide, so that the length of this checkout's path wraps nothing
    golden(f"explain-{patient}-{trial}.txt", portable(page))


def test_the_json_of_every_fixture_is_valid_and_adds_up(everything: Results, said: Words) -> None:
    document = json.loads(report.dumps(everything, said))
    jsonschema.Draft202012Validator(screening_schema()).validate(document)
    assert document["patients"]
    for patient in document["patients"]:
        intake = patient["intake"]
        assert intake["entries"] == intake["facts"] + len(intake["not_understood"]) + len(intake["set_aside"])
        for screening in patient["screenings"]:
            assert sum(screening["counts"].values()) == len(screening["criteria"])


def test_what_is_open_says_why_and_what_would_settle_it(everything: Results, said: Words) -> None:
    for _, screening in everything.screenings():
        for result in screening.criteria:
            if result.effect == "open":
                assert said.why(result), (screening.trial, result.id)
                assert said.settled_by(result), (screening.trial, result.id)


def test_a_barrier_says_what_it_rests_on(everything: Results) -> None:
    barriers = [result for _, screening in everything.screenings() for result in screening.criteria if result.effect == "blocks"]
    assert barriers
    for result in barriers:
        assert result.evidence or result.assumes, result.id


def quoted(result: CriterionResult) -> set[str]:
    """What a report quotes of a rule file: the paraphrase, and the questions and demands of the source."""
    return {getattr(result.criterion, "text", ""), *(reason.item for reason in result.reasons)}


def test_no_page_gives_advice_in_our_own_voice(everything: Results, said: Words) -> None:
    results = [
        result
        for _, screening in everything.screenings()
        for result in (*screening.criteria, *(one for arm in screening.arms for one in arm.criteria))
    ]
    quotes = {quote for result in results for quote in quoted(result) if quote}
    for page in (text.screening(everything, said, width=10_000), csv.dumps(everything, said)):
        for quote in sorted(quotes, key=len, reverse=True):
            page = page.replace(quote, "")
        assert ADVICE.search(page) is None, ADVICE.search(page)
