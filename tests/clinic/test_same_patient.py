"""One patient through the sheet, the native form and FHIR: the same findings as far as each carries the facts, never opposite ones."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

from clinic.abstractor import Abstractor, fill_csv, fill_workbook, rows_of
from clinic.desk import DATE, FIXTURES, criteria
from clinic.fhir import bundle
from eligibility.model.truth import PRESUMED, Truth
from eligibility.report.results import Results
from eligibility.screening import Screener, screen_with
from eligibility.sources.arrival import PatientInput
from eligibility.sources.intake import read
from eligibility.workbench.worksheet import Worksheet

CHARTS = sorted(FIXTURES.glob("*.yaml"))
OF = {"mg": "mg", "ms": "ms", "sle": "sle", "iim": "sle", "sps": "ms", "nmosd": "ms"}
"""The trials each chart is held against: those of its disease, where there are any."""


@pytest.fixture(scope="module")
def screeners() -> dict[str, Screener]:
    return {disease: Screener.build(as_of=DATE, diseases=[disease], details=False, flags=False) for disease in sorted(set(OF.values()))}


def truths(results: Results) -> dict[tuple[str, str], Truth]:
    (report,) = results.patients
    return {(screening.trial, name): one.truth for screening in report.result.screenings for name, one in criteria(screening).items()}


def held_against(known: dict[tuple[str, str], Truth], other: dict[tuple[str, str], Truth]) -> int:
    """No answer but the known one, or none; answers how many are the same."""
    assert known.keys() == other.keys()
    for place, truth in other.items():
        assert PRESUMED[truth] in ("unknown", PRESUMED[known[place]]), (place, known[place], truth)
    return sum(PRESUMED[truth] == PRESUMED[known[place]] for place, truth in other.items())


@pytest.mark.parametrize("chart", CHARTS, ids=lambda path: path.stem)
def test_sheet_native_and_fhir_never_contradict(chart: Path, screeners: dict[str, Screener], tmp_path: Path) -> None:
    screener = screeners[OF[chart.stem.partition("-")[0]]]
    (came,) = read([chart])
    assert isinstance(came, PatientInput)
    native = truths(screen_with(screener, [came.patient]))

    sheet = Worksheet.of(screener.plans, screener.vocabulary, dt.date.fromisoformat(DATE), screener.as_of)
    book = tmp_path / "chart.xlsx"
    book.write_bytes(sheet.xlsx())
    answers = Abstractor(came.patient, screener.vocabulary).answers(rows_of(book))
    fill_workbook(book, [answers])
    from_book = truths(screen_with(screener, [book]))
    same = held_against(native, from_book)
    assert same >= len(native) * 0.75, "a sheet carries most of what the trials ask"

    table = tmp_path / "chart.csv"
    table.write_text(fill_csv(sheet.csv(), [answers]), encoding="utf-8")
    assert truths(screen_with(screener, [table])) == from_book

    resources = tmp_path / "chart.json"
    resources.write_text(json.dumps(bundle(came.patient)), encoding="utf-8")
    from_fhir = truths(screen_with(screener, [resources]))
    assert held_against(native, from_fhir) >= len(native) * 0.6
    for place, truth in from_fhir.items():
        told = {PRESUMED[truth], PRESUMED[from_book[place]]} - {"unknown"}
        assert len(told) < 2, (place, truth, from_book[place])


def test_a_sheet_in_our_own_form_says_the_same(screeners: dict[str, Screener], tmp_path: Path) -> None:
    from eligibility.screening import as_native

    screener = screeners["ms"]
    (came,) = read([FIXTURES / "ms-01.yaml"])
    assert isinstance(came, PatientInput)
    book = tmp_path / "chart.xlsx"
    book.write_bytes(Worksheet.of(screener.plans, screener.vocabulary, dt.date.fromisoformat(DATE), screener.as_of).xlsx())
    answers = Abstractor(came.patient, screener.vocabulary).answers(rows_of(book))
    # half a sheet, so that rows without an answer have to survive the way as well
    fill_workbook(book, [dict(list(answers.items())[: len(answers) // 2])])
    (half,) = read([book])
    assert isinstance(half, PatientInput)
    converted = tmp_path / "chart.json"
    converted.write_bytes(as_native([half.patient]))
    assert truths(screen_with(screener, [converted])) == truths(screen_with(screener, [book]))
