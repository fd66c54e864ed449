"""Text that reads well at 80 columns, in a pipe, and with a chart that means harm."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from eligibility.report import csv, text
from eligibility.report.results import Results
from eligibility.report.words import Words


def test_golden_screening(results: Results, words: Words, golden: Callable[[str, str], None]) -> None:
    golden("screening.txt", text.screening(results, words))


def test_golden_explanation(results: Results, words: Words, golden: Callable[[str, str], None]) -> None:
    golden("explanation.txt", text.explanation(results, words))


def test_golden_csv(results: Results, words: Words, golden: Callable[[str, str], None]) -> None:
    golden("screening.csv", csv.dumps(results, words))


@pytest.mark.parametrize("width", [70, 80, 100])
def test_no_line_is_wider_than_the_page(results: Results, words: Words, width: int) -> None:
    for page in (text.screening(results, words, width=width), text.explanation(results, words, width=width)):
        assert max(map(len, page.splitlines())) <= width


def test_a_long_id_is_shortened_in_the_summary_and_whole_above_the_details(results: Results, words: Words) -> None:
    (report,) = results.patients
    name = "0f9b8e1c-aaaa-bbbb-cccc-1234567890ab" * 2
    page = text.screening(replace(results, patients=(replace(report, result=replace(report.result, patient=name)),)), words)
    summary, _, details = page.partition("== ")
    assert max(map(len, summary.splitlines())) <= 80
    assert "90ab" in summary
    assert details.startswith(name)


def test_plain_text_carries_no_escapes_even_from_the_chart(results: Results, words: Words) -> None:
    page = text.explanation(results, words)
    assert "\x1b" not in page
    assert "house drug" in page
    coloured = text.screening(results, words, ink=text.Ink(colour=True))
    assert "\x1b[1" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == text.screening(results, words)


def test_the_death_is_said_first(results: Results, words: Words) -> None:
    page = text.screening(results, words)
    assert page.index("has died") < page.index("contradicts itself") < page.index("Barriers")


def test_the_summary_stands_before_the_details(results: Results, words: Words) -> None:
    page = text.screening(results, words)
    assert page.index("patient  trial") < page.index("== p1")
    assert "as of 2026-11-01" in page.splitlines()[0]


def test_few_are_shown_in_full_and_of_many_what_decides(results: Results, words: Words) -> None:
    few = text.screening(results, words)
    assert "  Pass\n  E1    Progressive multifocal" in few
    assert "Was the consent form signed?" in few
    many = text.screening(replace(results, patients=results.patients * 4), words)
    assert "Beside a barrier the other criteria are named by id" in many
    assert many.count('E2    exclusion: "Ocrelizumab within 6 months"') == 4
    for line in (
        "  Also open (1): I2",
        "  Questions for a person (1): I1",
        "  Without public detail (1): E3",
        "  Pass, nothing recorded; taken as absent (1): E1",
        "  Do not apply (1): I3",
    ):
        assert f"\n{line}\n" in many
    assert "Was the consent form signed?" not in many


def test_explain_shows_the_one_criterion_asked_for(results: Results, words: Words) -> None:
    page = text.explanation(results, words, criterion="E2")
    assert "\nE2  exclusion: barrier" in page
    assert "\nI2  " not in page


def test_every_need_of_the_json_is_said_in_the_text(results: Results, words: Words) -> None:
    from eligibility.report import json as report

    flat = re.sub(r"\s+", " ", text.screening(results, words))
    document = json.loads(report.dumps(results, words))
    needs = [
        need["text"]
        for criterion in document["patients"][0]["screenings"][0]["criteria"]
        for alternatives in criterion["settled_by"]
        for need in alternatives
    ]
    assert needs
    for need in needs:
        assert need in flat


def test_ascii_only_spells_signs_out() -> None:
    assert text.ascii_only("≥ 5 µmol/L – Sjögren’s") == ">= 5 umol/L - Sjogren's"
    assert text.ascii_only("漢") == "?"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_cell_that_a_spreadsheet_would_run_is_neutralised(start: str) -> None:
    assert csv.harmless(f"{start}cmd") == f"'{start}cmd"
    assert csv.harmless("plain") == "plain"


def test_the_csv_has_a_row_for_each_criterion(results: Results, words: Words) -> None:
    import csv as reader
    import io

    rows = list(reader.DictReader(io.StringIO(csv.dumps(results, words))))
    assert len(rows) == 8
    assert {row["arm"] for row in rows} == {"", "a"}
    assert tuple(rows[0]) == csv.COLUMNS
