"""What is missing: ranked by what it would settle, dated, never worded as an order."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import replace

import pytest
from openpyxl import load_workbook

from clinic.desk import DATE, Clinic
from eligibility.report import worklist
from eligibility.report.results import Results
from eligibility.screening import Screener

ORDERS = ("please", "must", "need to", "obtain", "request", "order ", "repeat", "perform", "test the")


@pytest.fixture(scope="module")
def listed(results: Results, screener: Screener) -> worklist.Worklist:
    return worklist.worklist(results, screener.words(), barred_too=True)


def test_golden_text_and_csv(listed: worklist.Worklist, golden: Callable[[str, str], None]) -> None:
    golden("worklist.txt", worklist.text(listed))
    golden("worklist.csv", worklist.csv(listed))


def test_the_most_settling_stands_first(listed: worklist.Worklist) -> None:
    for _, missing in [("", listed.overall), *listed.patients]:
        assert [one.rank() for one in missing] == sorted(one.rank() for one in missing)
        asks = [one.need.do == "attest" for one in missing]
        assert asks == sorted(asks), "questions for people after what a record could hold"


def test_every_open_criterion_is_in_the_list_of_its_record(results: Results, listed: worklist.Worklist) -> None:
    lists = dict(listed.patients)
    for report in results.patients:
        named = {place for one in lists[report.patient] for place in (*one.settles, *one.part_of)}
        for screening in report.result.screenings:
            for name, result in worklist.open_criteria(screening, True):
                waits = all(need.do in ("wait", "none") for alternatives in result.settled_by for need in alternatives)
                assert ((screening.trial, name) in named) is not waits, (report.patient, screening.trial, name)


def test_a_thing_settles_a_criterion_only_if_it_is_all_that_is_needed(results: Results, listed: worklist.Worklist) -> None:
    lists = dict(listed.patients)
    for report in results.patients:
        for screening in report.result.screenings:
            for name, result in worklist.open_criteria(screening, True):
                alone = [one for one in lists[report.patient] if (screening.trial, name) in one.settles]
                assert len(alone) == (len(set(result.settled_by)) == 1 and result.settled_by[0][0].do not in ("wait", "none"))


def test_a_barrier_leaves_its_trial_out_unless_asked_for(results: Results, screener: Screener, listed: worklist.Worklist) -> None:
    short = worklist.worklist(results, screener.words())
    barred = {
        (report.patient, screening.trial)
        for report in results.patients
        for screening in report.result.screenings
        if screening.status == "barrier_found"
    }
    assert barred
    assert short.barred == len(barred)
    for patient, missing in short.patients:
        assert not {(patient, trial) for one in missing for trial in one.trials} & barred
    assert "Left out: " in worklist.text(short)
    assert listed.barred == 0


def test_an_arm_that_is_barred_or_closed_asks_nothing(results: Results, screener: Screener) -> None:
    short = worklist.worklist(results, screener.words())
    places = {place for _, missing in short.patients for one in missing for place in (*one.settles, *one.part_of)}
    assert ("CLINIC-2", "ms/I4") in places
    assert not any(name.startswith("mg/") for _, name in places)


def test_the_list_is_worded_as_missing_and_never_as_an_order(listed: worklist.Worklist) -> None:
    text = worklist.text(listed)
    assert text.startswith("Missing from 3 records")
    for one in listed.overall:
        quoted = one.text.partition("person's answer: ")[0].lower()
        assert not any(order in quoted for order in ORDERS), one.text
        assert one.text[0].islower() or one.text[0].isdigit()


def test_the_same_thing_of_several_records_is_one_thing_overall(listed: worklist.Worklist) -> None:
    texts = [one.text for one in listed.overall]
    assert len(texts) == len(set(texts))
    consent = next(one for one in listed.overall if "consent form" in one.text)
    assert consent.patients == ("p1", "p2", "p3")
    assert len(consent.settles) == 3


def test_nothing_missing_is_said(results: Results, screener: Screener) -> None:
    none = worklist.worklist(replace(results, patients=()), screener.words())
    assert "Missing from 0 records" in worklist.text(none)


def test_the_workbook_has_a_sheet_a_record_and_runs_no_formula(listed: worklist.Worklist) -> None:
    first = worklist.xlsx(listed)
    assert worklist.xlsx(listed) == first
    book = load_workbook(io.BytesIO(first))
    assert book.sheetnames == ["all records", "p1", "p2", "p3"]
    assert all(cell.data_type != "f" for sheet in book for row in sheet.iter_rows() for cell in row)
    evil = replace(listed, patients=(("=cmd|x", listed.patients[0][1]), ("=CMD|x", listed.patients[1][1])))
    titles = load_workbook(io.BytesIO(worklist.xlsx(evil))).sheetnames
    assert len({title.lower() for title in titles}) == 3


@pytest.mark.parametrize("ending", ["txt", "csv", "xlsx"])
def test_the_command_writes_each_form(clinic: Clinic, ending: str) -> None:
    out = clinic.path(f"missing.{ending}")
    result = clinic("worklist", clinic.charts, "--as-of", DATE, "--out", str(out))
    assert result.exit_code == 0, result.stderr
    assert out.stat().st_size > 500
    if ending == "csv":
        rows = list(csv.DictReader(io.StringIO(out.read_text(encoding="utf-8"))))
        assert rows[0]["rank"] == "1"
        assert rows[0].keys() == set(worklist.COLUMNS)
    assert clinic("worklist", clinic.charts, "--format", "xlsx").exit_code == 2
