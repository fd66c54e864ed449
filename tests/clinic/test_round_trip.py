"""Worksheet, screen, worklist, worksheet: what the list says would settle a criterion, filled in, settles it."""

from __future__ import annotations

import csv
import datetime as dt
import io
from pathlib import Path

import pytest

from clinic.abstractor import Abstractor, Cells, fill_workbook, rows_of
from clinic.desk import DATE, FIXTURES, P1, P2, Clinic, Desk, of
from eligibility.model.patient import Patient
from eligibility.report import worklist
from eligibility.report.results import Results
from eligibility.screening import Screener, screen_with
from eligibility.sources.arrival import PatientInput
from eligibility.sources.intake import read
from eligibility.workbench.worksheet import Worksheet


def patient_of(text: str | Path, tmp_path: Path) -> Patient:
    path = text if isinstance(text, Path) else tmp_path / "chart.yaml"
    if isinstance(text, str):
        path.write_text(text, encoding="utf-8")
    (came,) = read([path])
    assert isinstance(came, PatientInput)
    return came.patient


def opened(results: Results) -> set[tuple[str, str]]:
    """Criteria that are open for something a record could hold."""
    (report,) = results.patients
    return {
        (screening.trial, name)
        for screening in report.result.screenings
        for name, result in worklist.open_criteria(screening, True)
        if result.computable_open
    }


def listed(results: Results, screener: Screener) -> list[dict[str, str]]:
    text = worklist.csv(worklist.worklist(results, screener.words(), barred_too=True))
    return [row for row in csv.DictReader(io.StringIO(text)) if row["patient"]]


@pytest.mark.parametrize("chart", [P1, P2], ids=["p1", "p2"])
def test_what_the_list_names_is_a_row_of_the_sheet_and_settles(chart: str, desk: Desk, tmp_path: Path) -> None:
    screener = desk.screener
    patient = patient_of(chart, tmp_path)
    answers = Abstractor(patient, screener.vocabulary).answers(desk.rows())
    # a first pass through the chart: who it is, and every third answer
    begun = {row: cells for number, (row, cells) in enumerate(answers.items()) if row.startswith(("person:", "list:")) or number % 3 == 0}
    first = desk.screen(begun)
    asked = listed(first, screener)
    rows = {row for one in asked if one["kind"] == "not understood" for row in one["sheet_row"].split()}
    rows |= {row for one in asked if one["kind"] == "not recorded" for row in one["sheet_row"].split()}
    assert rows & set(answers), "the list names rows of the sheet"
    # what each thing settles alone it settles: filled in, its criteria are not open for it any more
    second = desk.screen({**begun, **{row: cells for row, cells in answers.items() if row.partition("#")[0] in rows}})
    still = listed(second, screener)
    unanswered = [one for one in still if one["kind"] == "not understood"]
    assert unanswered == [], "no row that the list named is left without an answer"
    assert opened(second) < opened(first)
    whole = desk.screen(answers)
    assert opened(second) == opened(whole), "the list asked for all that the sheet could say"


def test_a_result_in_the_days_that_the_list_names_closes_the_criterion(desk: Desk) -> None:
    base: dict[str, Cells] = {"person:id": {"answer": "s1"}, "condition:multiple-sclerosis": {"answer": "yes", "date": "2015"}}
    first = desk.screen(base)
    (edss,) = [one for one in listed(first, desk.screener) if one["item"] == "edss" and one["missing"].startswith("a result")]
    assert edss["sheet_row"] == "observation:edss"
    assert "CLINIC-1 I2" in edss["criteria"]
    for day, effect in ((edss["from"], "passes"), (edss["to"], "passes"), (earlier(edss["from"]), "open")):
        results = desk.screen({**base, "observation:edss": {"answer": "4.5", "date": day}})
        assert of(results, "s1")["I2"].effect == effect, day


def earlier(day: str) -> str:
    return (dt.date.fromisoformat(day) - dt.timedelta(days=1)).isoformat()


def test_the_shipped_trials_make_the_round_too(tmp_path: Path) -> None:
    screener = Screener.build(as_of=DATE, trials=["NCT06675864"], flags=False)
    patient = patient_of(FIXTURES / "ms-01.yaml", tmp_path)
    path = tmp_path / "chart.xlsx"
    path.write_bytes(Worksheet.of(screener.plans, screener.vocabulary, dt.date.fromisoformat(DATE), screener.as_of).xlsx())
    answers = Abstractor(patient, screener.vocabulary).answers(rows_of(path))
    begun = {row: cells for row, cells in answers.items() if row.startswith(("person:", "list:")) or row == "condition:ms-progressive"}
    fill_workbook(path, [begun])
    first = screen_with(screener, [path])
    rows = {row for one in listed(first, screener) for row in one["sheet_row"].split()}
    fill_workbook(path, [{row: cells for row, cells in answers.items() if row.partition("#")[0] in rows}])
    second = screen_with(screener, [path])
    native = screen_with(screener, [patient])
    assert opened(second) == opened(native) < opened(first)


def test_the_commands_hand_over_to_each_other(clinic: Clinic) -> None:
    sheet, missing = str(clinic.path("monday.xlsx")), str(clinic.path("missing.csv"))
    assert clinic("worksheet", "--as-of", DATE, "--out", sheet).exit_code == 0
    base: dict[str, Cells] = {"person:id": {"answer": "s1"}, "condition:multiple-sclerosis": {"answer": "yes", "date": "2015"}}
    fill_workbook(Path(sheet), [base])
    assert clinic("worklist", sheet, "--as-of", DATE, "--out", missing).exit_code == 0
    rows = list(csv.DictReader(io.StringIO(Path(missing).read_text(encoding="utf-8"))))
    assert {"s1", ""} == {row["patient"] for row in rows}
    edss = next(row for row in rows if row["item"] == "edss" and row["patient"])
    fill_workbook(Path(sheet), [{edss["sheet_row"]: {"answer": "4.5", "date": edss["to"]}}])
    again = clinic("screen", sheet, "--as-of", DATE, "--format", "csv")
    assert again.exit_code == 0
    effects = {(row["trial"], row["criterion"]): row["effect"] for row in csv.DictReader(io.StringIO(again.stdout))}
    assert effects["CLINIC-1", "I2"] == "passes"
