"""The abstraction sheet read back: what each answer means, and every mistake at its cell."""

from __future__ import annotations

import ast
import datetime as dt
import re
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from clinic.abstractor import Cells, fill_csv
from clinic.desk import Clinic, Desk, codes, of
from eligibility import sources
from eligibility.errors import Problem
from eligibility.model.patient import DEATH_UNREAD
from eligibility.model.truth import Truth
from eligibility.report import html, json
from eligibility.report.text import screening as page_of
from eligibility.screening import Screener, screen_with
from eligibility.sources.intake import read
from eligibility.sources.sheet_layout import COLUMNS, GUIDE, LISTS
from eligibility.workbench.worksheet import Worksheet

ADVICE = re.compile(
    r"\b(eligible|ineligible|recommend\w*|should|safe|safely|unsafe|contraindicat\w*|best match|approv\w*|reject\w*)\b", re.IGNORECASE
)
WHO: dict[str, Cells] = {"person:id": {"answer": "s1"}, "person:birth-date": {"date": "1980-05"}, "person:sex": {"answer": "female"}}
MS: dict[str, Cells] = {"condition:multiple-sclerosis": {"answer": "yes", "date": "2015", "until": "ongoing"}}
AT = {name: "ABCDEFGHIJKLM"[index] for index, name in enumerate(COLUMNS)}


def line_of(path: Path, row: str) -> int:
    """The line of a row in the first patient's sheet."""
    sheet = load_workbook(path)["patient 1"]
    return next(cells[0].row for cells in sheet.iter_rows(min_row=3) if cells[12].value == row)


# -- what answers mean ----------------------------------------------------------------------------


def test_yes_no_silence_and_nothing_are_four_answers(desk: Desk) -> None:
    said = {}
    for answer in ("yes", "no", "not in chart", "unsure", ""):
        cells = {"answer": answer} if answer else {}
        results = desk.screen({**WHO, **MS, "condition:cancer": cells, "condition:basal-cell-carcinoma": {"answer": "not in chart"}})
        assert not results.problems
        said[answer] = of(results, "s1")["E2"].truth
    assert said == {
        "yes": Truth.UNKNOWN,  # it may be the one that does not count
        "no": Truth.FALSE,
        "not in chart": Truth.PRESUMED_FALSE,
        "unsure": Truth.UNKNOWN,
        "": Truth.UNKNOWN,
    }


def test_an_empty_cell_is_never_a_barrier_and_says_so(desk: Desk) -> None:
    results = desk.screen({**WHO, "condition:hypertension": {"answer": "yes", "until": "ongoing"}})
    diagnosis = of(results, "s1")["I1"]
    assert diagnosis.effect == "open"
    (why,) = desk.screener.words().why(diagnosis)
    assert why.startswith("the sheet is not filled in for Multiple sclerosis [patient 1 row ")
    assert desk.screener.words().settled_by(diagnosis)[0].startswith("an answer of the sheet for Multiple sclerosis")
    looked = desk.screen({**WHO, "condition:hypertension": {"answer": "yes"}, "condition:multiple-sclerosis": {"answer": "not in chart"}})
    assert of(looked, "s1")["I1"].effect == "blocks"


def test_what_the_sheet_has_no_row_for_is_no_silence(desk: Desk, clinic: Clinic) -> None:
    other = Screener.build(as_of="2026-11-01", trials=["NCT06581198"], flags=False)
    path = desk.fill({**WHO, **MS, "medication:azathioprine": {"answer": "yes", "date": "2020"}})
    results = screen_with(other, [path])
    for result in of(results, "s1", "NCT06581198").values():
        assert result.truth not in (Truth.PRESUMED_TRUE, Truth.PRESUMED_FALSE), result.id
        assert result.effect != "blocks" or result.basis != "presumed_absent", result.id
    asked = of(results, "s1", "NCT06581198")
    assert any("the sheet did not ask about" in why for result in asked.values() for why in desk.screener.words().why(result))


def test_no_about_a_group_leaves_the_kinds_that_are_there(desk: Desk) -> None:
    results = desk.screen(
        {**WHO, **MS, "condition:cancer": {"answer": "no"}, "condition:basal-cell-carcinoma": {"answer": "yes", "date": "2019-06"}}
    )
    (report,) = results.patients
    assert report.result.notices == ()
    skin = of(results, "s1")["E2"]
    assert [reason.code for reason in skin.reasons] == ["needs_judgement"]


def test_a_result_carries_value_unit_range_date_and_place(desk: Desk) -> None:
    results = desk.screen(
        {
            **WHO,
            **MS,
            "observation:alt": {"answer": "61", "unit": "U/L", "range": "7-40", "date": "2026-10-20", "where found": "lab sheet 2"},
        }
    )
    alt = of(results, "s1")["I4"]
    assert alt.truth is Truth.TRUE
    (fact,) = alt.evidence
    assert (fact.value, fact.unit, fact.start) == ("61", "U/L", "2026-10-20")
    assert fact.source is not None
    assert fact.source.endswith(": lab sheet 2")


def test_a_spreadsheets_own_dates_and_numbers_are_read(desk: Desk) -> None:
    def typed(sheet: Any, lines: dict[str, int]) -> None:
        line = lines["observation:edss"]
        sheet.cell(line, 2).value, sheet.cell(line, 5).value = 4.5, dt.date(2026, 10, 20)

    assert of(desk.screen({**WHO, **MS}, edit=typed), "s1")["I2"].truth is Truth.TRUE


def test_further_entries_stand_in_free_rows_or_numbered_ones(desk: Desk) -> None:
    def free(sheet: Any, lines: dict[str, int]) -> None:
        label = sheet.cell(lines["observation:edss"], 1).value
        line = next(row for row in range(3, sheet.max_row + 1) if not sheet.cell(row, 13).value and not sheet.cell(row, 1).value)
        sheet.cell(line, 1).value, sheet.cell(line, 2).value, sheet.cell(line, 5).value = label, "3.0", "2024-12-01"

    chart: dict[str, Cells] = {
        **WHO,
        **MS,
        "observation:edss": {"answer": "4.5", "date": "2026-10-20"},
        "observation:edss#2": {"answer": "4.5", "date": "2025-09-02"},
        "observation:edss#9": {"answer": "3.5", "date": "2024-11-20"},
    }
    results = desk.screen(chart, edit=free)
    assert not results.problems
    assert of(results, "s1")["I7"].truth is Truth.TRUE
    assert len(of(results, "s1")["I7"].evidence) >= 2


def test_lists_of_the_chart_make_silence_certain(desk: Desk) -> None:
    base = {**WHO, **MS, "allergy:cyclophosphamide": {"answer": "not in chart"}}
    assert of(desk.screen(base), "s1")["E4"].effect == "open"
    known = desk.screen({**base, "list:allergy": {"answer": "none known", "date": "2026-11-01"}})
    assert of(known, "s1")["E4"].truth is Truth.FALSE


def test_a_death_is_told_without_its_day(desk: Desk) -> None:
    results = desk.screen({**WHO, **MS, "person:deceased": {"answer": "yes"}})
    assert results.patients[0].result.notices[0].code == "deceased"


@pytest.mark.parametrize("cells", [{"date": "30.10.2026"}, {"answer": "perhaps"}, {"answer": "not sure", "date": "2026-10-30"}])
def test_an_unreadable_death_leaves_open_whether_they_died(desk: Desk, cells: Cells) -> None:
    results = desk.screen({**WHO, **MS, "person:deceased": cells})
    assert len(results.problems) == 1
    death = of(results, "s1")["record/death"]
    assert (death.effect, death.truth) == ("open", Truth.UNKNOWN)
    words = desk.screener.words()
    (notice,) = results.patients[0].result.notices
    assert words.notice(notice) == "The record holds a word on death that could not be read: this person may have died"
    assert [words.evidence(one) for one in death.evidence] == ["a word on death that could not be read"]
    page = page_of(results, words)
    assert "has died" not in page
    assert DEATH_UNREAD.text not in page + json.dumps(results, words).decode() + html.page(results, words, desk.screener.plans)


def test_a_death_with_an_unreadable_day_is_a_death(desk: Desk) -> None:
    results = desk.screen({**WHO, **MS, "person:deceased": {"answer": "yes", "date": "30.10.2026"}})
    assert len(results.problems) == 1
    assert of(results, "s1")["record/death"].effect == "blocks"
    for answer in ("no", "not in chart", "alive"):
        results = desk.screen({**WHO, **MS, "person:deceased": {"answer": answer}})
        assert not results.problems
        assert "record/death" not in of(results, "s1")


def test_a_date_of_death_beside_no_is_told_and_leaves_it_open(desk: Desk) -> None:
    results = desk.screen({**WHO, **MS, "person:deceased": {"answer": "no", "date": "2026-10-30"}})
    assert [code for code, _ in codes(results)] == ["answer-and-more"]
    assert of(results, "s1")["record/death"].effect == "open"


def test_a_workbook_cut_short_is_a_damaged_workbook(desk: Desk) -> None:
    path = desk.fill({**WHO, **MS})
    path.write_bytes(path.read_bytes()[:-2000])
    assert [item.code for item in read([path]) if isinstance(item, Problem)] == ["bad-workbook"]


def test_sheets_nobody_began_are_passed_over_and_half_a_sheet_is_fine(desk: Desk) -> None:
    results = desk.screen({**WHO, **MS}, {}, {"person:id": {"answer": "s3"}, "observation:edss": {"answer": "4"}})
    assert [report.patient for report in results.patients] == ["s1", "s3"]
    assert not results.problems
    assert [code for code, _ in codes(desk.screen({}))] == ["not-filled-in"]


# -- mistakes, each at its cell --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "cells", "code", "column"),
    [
        ("observation:edss", {"answer": "4.5", "date": "20.10.2026"}, "bad-date", "date"),
        ("observation:edss", {"answer": "4.5", "date": "10/20/2026"}, "bad-date", "date"),
        ("observation:edss", {"answer": "4.5", "date": "20 October 2026"}, "bad-date", "date"),
        ("observation:edss", {"answer": "4,5", "date": "2026-10-20"}, "comma", "answer"),
        ("observation:hemoglobin", {"answer": "1,234", "unit": "g/dL"}, "comma", "answer"),
        ("observation:hemoglobin", {"answer": "12.4", "unit": "gramms"}, "unknown-unit", "unit"),
        ("observation:hemoglobin", {"answer": "12.4", "unit": "U/L"}, "wrong-unit", "unit"),
        ("observation:hemoglobin", {"answer": "12.4"}, "no-unit", "unit"),
        ("observation:hemoglobin", {"answer": "low"}, "bad-result", "answer"),
        ("observation:alt", {"answer": "61", "unit": "U/L", "range": "normal"}, "bad-range", "range"),
        ("observation:edss", {"date": "2026-10-20"}, "no-answer", "answer"),
        ("observation:edss", {"answer": "not in chart", "date": "2026-10-20"}, "answer-and-more", "date"),
        ("condition:cancer", {"answer": "perhaps"}, "bad-answer", "answer"),
        ("condition:cancer", {"answer": "no", "until": "2020"}, "answer-and-more", "until"),
        ("condition:cancer", {"answer": "yes", "kind": "lymfoma of the toe"}, "bad-kind", "kind"),
        ("condition:cancer", {"answer": "yes", "date": "2020", "until": "2019"}, "ends-before-it-begins", "until"),
        ("medication:azathioprine", {"answer": "yes", "dose": "150"}, "bad-dose", "dose"),
        ("medication:azathioprine", {"answer": "yes", "outcome": "did not help"}, "bad-outcome", "outcome"),
        ("medication:azathioprine", {"date": "2020"}, "no-answer", "answer"),
        ("condition:cancer", {"answer": "yes", "dose": "5 mg/day"}, "not-here", "dose"),
        ("list:medication", {"answer": "read it all"}, "bad-answer", "answer"),
        ("person:birth-date", {"date": "1.5.1980"}, "bad-date", "date"),
        ("person:sex", {"answer": "w"}, "bad-answer", "answer"),
    ],
)
def test_each_mistake_is_told_at_its_cell_and_the_rest_is_screened(desk: Desk, row: str, cells: Cells, code: str, column: str) -> None:
    chart = {**WHO, **MS, "observation:alt": {"answer": "20", "unit": "U/L", "range": "7-40", "date": "2026-10-20"}, row: cells}
    results = desk.screen(chart)
    assert codes(results) == [(code, f"patient 1!{AT[column]}{line_of(desk.path, row)}")]
    (problem,) = results.problems
    assert problem.file == str(desk.path)
    assert problem.instead
    for text in cells.values():
        assert text not in (problem.message, *problem.message.split("«")), "an error repeats no value"
    assert results.exit_code == 3
    assert of(results, "s1")["I1"].effect == "passes"
    if row != "observation:alt":
        assert of(results, "s1")["I4"].effect == "passes"


@pytest.mark.parametrize(
    "cells",
    [
        {"answer": "4,5", "date": "2026-10-20"},
        {"answer": "4.5", "date": "20/10/26"},
        {"answer": "4.5", "unit": "furlongs", "date": "2026-10-20"},
    ],
)
def test_a_cell_that_is_not_read_leaves_its_criterion_open(desk: Desk, cells: Cells) -> None:
    assert of(desk.screen({**WHO, **MS, "observation:edss": cells}), "s1")["I2"].effect == "open"


def test_a_date_no_one_can_read_is_no_silence(desk: Desk) -> None:
    bad = desk.screen({**WHO, **MS, "medication:ocrelizumab": {"answer": "yes", "date": "first of May", "until": "single dose"}})
    assert of(bad, "s1")["E1"].effect == "open"


def test_two_rows_for_one_item_are_told_and_neither_is_certain(desk: Desk) -> None:
    def copied(sheet: Any, lines: dict[str, int]) -> None:
        line = sheet.max_row + 1
        sheet.cell(line, 13).value, sheet.cell(line, 2).value, sheet.cell(line, 5).value = "observation:edss", "9.0", "2026-10-21"

    results = desk.screen({**WHO, **MS, "observation:edss": {"answer": "4.5", "date": "2026-10-20"}}, edit=copied)
    ((code, place),) = codes(results)
    assert (code, place.split("!")[1][0]) == ("two-rows", "M")
    assert of(results, "s1")["I2"].effect == "open"


def test_merged_cells_are_told_and_nothing_is_read_into_them(desk: Desk) -> None:
    def merge(sheet: Any, lines: dict[str, int]) -> None:
        line = lines["observation:edss"]
        sheet.merge_cells(start_row=line, end_row=line + 1, start_column=2, end_column=2)

    results = desk.screen({**WHO, **MS, "observation:edss": {"answer": "4.5", "date": "2026-10-20"}}, edit=merge)
    line = line_of(desk.path, "observation:edss")
    assert set(codes(results)) == {("merged-cell", f"patient 1!B{line}"), ("merged-cell", f"patient 1!B{line + 1}")}
    assert of(results, "s1")["I2"].effect == "open"
    assert of(results, "s1")["I1"].effect == "passes"


@pytest.mark.parametrize(
    ("value", "form", "code"), [("=2+2", "General", "formula-cell"), (0.45, "0%", "percent-cell"), ("#REF!", "General", "error-cell")]
)
def test_what_a_spreadsheet_hides_is_told(desk: Desk, value: Any, form: str, code: str) -> None:
    def hide(sheet: Any, lines: dict[str, int]) -> None:
        cell = sheet.cell(lines["observation:hemoglobin"], 2)
        cell.value, cell.number_format = value, form

    results = desk.screen({**WHO, **MS, "observation:hemoglobin": {"unit": "g/dL", "date": "2026-10-20"}}, edit=hide)
    assert codes(results) == [(code, f"patient 1!B{line_of(desk.path, 'observation:hemoglobin')}")]
    assert of(results, "s1")["I3"].effect == "open"


def test_a_renamed_column_is_told_with_the_name_it_had(desk: Desk) -> None:
    def rename(sheet: Any, _: dict[str, int]) -> None:
        sheet["C2"] = "units"

    results = desk.screen({**WHO, **MS, "observation:hemoglobin": {"answer": "12.4", "unit": "g/dL", "date": "2026-10-20"}}, edit=rename)
    assert codes(results) == [("unknown-column", "patient 1!C2"), ("missing-column", "patient 1!A2")]
    assert results.problems[0].instead == "did you mean unit?"
    assert of(results, "s1")["I3"].effect == "open"  # its unit is lost, and none is guessed
    assert of(results, "s1")["I1"].effect == "passes"


def test_a_sheet_without_its_answers_is_not_read_and_the_others_are(desk: Desk) -> None:
    def rename(sheet: Any, _: dict[str, int]) -> None:
        sheet["B2"] = "befund"

    second = {**MS, "person:id": {"answer": "s2"}}
    results = desk.screen({**WHO, **MS}, second, edit=rename)
    assert [report.patient for report in results.patients] == ["s1"]
    assert ("missing-column", "patient 2!A2") in codes(results)


def test_a_patient_id_twice_is_told_at_its_cell(desk: Desk) -> None:
    results = desk.screen({**WHO, **MS}, {**MS, "person:id": {"answer": "s1"}})
    assert codes(results) == [("same-patient", "patient 2!B3")]
    assert len(results.patients) == 1


def test_a_row_whose_name_is_gone_may_be_anything(desk: Desk) -> None:
    def spoil(sheet: Any, lines: dict[str, int]) -> None:
        sheet.cell(lines["condition:cancer"], 13).value = "condition:cancr"

    results = desk.screen({**WHO, **MS, "condition:cancer": {"answer": "yes"}}, edit=spoil)
    assert codes(results) == [("unknown-row", f"patient 1!M{line_of(desk.path, 'condition:cancr')}")]
    assert results.problems[0].instead is not None
    assert results.problems[0].instead.startswith("did you mean cancer")
    assert of(results, "s1")["E2"].effect == "open"


def test_a_workbook_that_is_none_is_one_clear_error(clinic: Clinic) -> None:
    broken = clinic.path("broken.xlsx")
    broken.write_bytes(b"PK\x03\x04 xl/workbook.xml and no more")
    strange = Workbook()
    strange.active["A1"] = "Name"
    strange.active["A2"] = "Miller"
    strange.save(clinic.path("strange.xlsx"))
    said = [item for item in read([broken, clinic.path("strange.xlsx")]) if isinstance(item, Problem)]
    assert [problem.code for problem in said] == ["bad-workbook", "no-header"]
    assert "Miller" not in str(said)


# -- as CSV ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_csv_is_the_same_sheet(desk: Desk, mark: str, tmp_path: Path) -> None:
    chart = {**WHO, **MS, "observation:edss": {"answer": "4.5", "date": "2026-10-20"}, "medication:ocrelizumab": {"answer": "not in chart"}}
    sheet = Worksheet.of(desk.screener.plans, desk.screener.vocabulary, dt.date(2026, 11, 1), desk.screener.as_of, 2)
    path = tmp_path / "monday.csv"
    path.write_text(fill_csv(sheet.csv(), [chart, {**MS, "person:id": {"answer": "s2"}}], mark), encoding="utf-8-sig")
    from_csv = screen_with(desk.screener, [path])
    from_book = desk.screen(chart, {**MS, "person:id": {"answer": "s2"}})
    assert not from_csv.problems
    assert [report.patient for report in from_csv.patients] == ["s1", "s2"]
    for patient in ("s1", "s2"):
        assert {name: one.truth for name, one in of(from_csv, patient).items()} == {n: o.truth for n, o in of(from_book, patient).items()}


def test_a_mistake_in_csv_names_row_and_column(desk: Desk, tmp_path: Path) -> None:
    sheet = Worksheet.of(desk.screener.plans, desk.screener.vocabulary, dt.date(2026, 11, 1), desk.screener.as_of, 1)
    path = tmp_path / "monday.csv"
    path.write_text(fill_csv(sheet.csv(), [{**WHO, "observation:edss": {"answer": "4,5"}}]), encoding="utf-8")
    (problem,) = screen_with(desk.screener, [path]).problems
    assert (problem.code, problem.where) == ("comma", "row 9, column B") or problem.where is not None
    row = (
        path.read_text(encoding="utf-8").splitlines().index(next(x for x in path.read_text(encoding="utf-8").splitlines() if '"4,5"' in x))
        + 1
    )
    assert problem.where == f"row {row}, column B"


def test_a_folder_takes_sheets_and_leaves_other_tables_alone(desk: Desk, tmp_path: Path) -> None:
    charts = tmp_path / "charts"
    charts.mkdir()
    (charts / "monday.xlsx").write_bytes(desk.fill({**WHO, **MS}).read_bytes())
    (charts / "~$monday.xlsx").write_bytes(b"a lock")
    (charts / "map.csv").write_text("system,code,text,concept\n", encoding="utf-8")
    results = screen_with(desk.screener, [charts])
    assert [report.patient for report in results.patients] == ["s1"]
    assert [(problem.code, problem.severity) for problem in results.problems] == [("other-files", "note")]


# -- the sheet itself -----------------------------------------------------------------------------


def test_the_sheet_asks_what_the_trials_ask_and_nothing_else(screener: Screener) -> None:
    sheet = Worksheet.of(screener.plans, screener.vocabulary, dt.date(2026, 11, 1), screener.as_of)
    asked = {(item.family, item.concept.id) for item in sheet.items}
    assert ("observation", "edss") in asked
    assert ("medication", "ocrelizumab") in asked
    assert ("allergy", "cyclophosphamide") in asked
    assert not {concept for _, concept in asked} & {"natalizumab", "qmg"}
    needed = {concept for plan in screener.plans.values() for criterion in plan.criteria for concept in criterion.concepts}
    assert {concept for _, concept in asked} == needed


def test_the_most_decisive_stands_first(screener: Screener) -> None:
    sheet = Worksheet.of(screener.plans, screener.vocabulary, dt.date(2026, 11, 1), screener.as_of)
    ranks = [item.rank() for item in sheet.items]
    assert ranks == sorted(ranks)
    first = {item.concept.id for item in sheet.items[:2]}
    assert first == {"edss", "multiple-sclerosis"}  # two criteria each rest on them alone
    assert sheet.items[0].trials


def test_the_workbook_offers_words_and_gives_the_same_bytes(screener: Screener, tmp_path: Path) -> None:
    sheet = Worksheet.of(screener.plans, screener.vocabulary, dt.date(2026, 11, 1), screener.as_of, 2)
    path = tmp_path / "monday.xlsx"
    path.write_bytes(sheet.xlsx())
    assert sheet.xlsx() == path.read_bytes()
    book = load_workbook(path)
    assert book.sheetnames == [GUIDE, "patient 1", "patient 2", LISTS]
    assert book[LISTS].sheet_state == "hidden"
    page = book["patient 1"]
    assert page.freeze_panes == "B3"
    assert page.print_title_rows == "$2:$2"
    offered = {row: _offered(book, f"B{line_of(path, row)}") for row in ("condition:cancer", "observation:edss", "person:sex")}
    assert offered["condition:cancer"] == (True, ["yes", "no", "unsure", "not in chart"])
    assert offered["observation:edss"] == (False, ["not in chart"])  # and any number besides
    assert offered["person:sex"] == (True, ["female", "male", "other"])


def _offered(book: Any, place: str) -> tuple[bool, list[str]]:
    """Whether a cell takes the words of its list alone, and the list."""
    (found,) = [one for one in book["patient 1"].data_validations.dataValidation if place in one.sqref]
    area = found.formula1.removeprefix(f"{LISTS}!").replace("$", "")
    first, last = area.split(":")
    return bool(found.showErrorMessage), [cell.value for (cell,) in book[LISTS][f"{first}:{last}"]]


def test_the_command_writes_both_forms_and_refuses_others(clinic: Clinic) -> None:
    for name in ("monday.xlsx", "monday.csv"):
        assert (
            clinic("worksheet", "--disease", "ms", "--patients", "2", "--as-of", "2026-11-01", "--out", str(clinic.path(name))).exit_code
            == 0
        )
    assert clinic("worksheet", "--out", str(clinic.path("monday.ods"))).exit_code == 2
    came = list(read([clinic.path("monday.csv")]))
    assert [item.code for item in came if isinstance(item, Problem)] == ["not-filled-in"]


def test_no_of_a_time_stands_beside_what_was_before_it(desk: Desk) -> None:
    before: dict[str, Cells] = {"condition:ms-relapse": {"answer": "yes", "date": "2023-03-04"}}
    assert of(desk.screen({**WHO, **MS, **before}), "s1", "CLINIC-2")["ms/I3"].effect == "open"
    since: dict[str, Cells] = {"condition:ms-relapse#2": {"answer": "no", "date": "2023-06-01/2026-11-01"}}
    results = desk.screen({**WHO, **MS, **before, **since})
    assert not results.problems
    assert of(results, "s1", "CLINIC-2")["ms/I3"].truth is Truth.FALSE


def test_sheets_and_their_errors_give_no_advice(screener: Screener) -> None:
    """MEANING 11, for what people read in a workbook and in an error; a trial's title is quoted and not ours."""
    sheet = Worksheet.of(screener.plans, screener.vocabulary, dt.date(2026, 11, 1), screener.as_of)
    book = load_workbook(BytesIO(sheet.xlsx()))
    titles = {title for _, title in sheet.trials}
    said = [str(cell.value) for page in book for row in page.iter_rows() for cell in row if cell.value is not None]
    assert len(said) > 200
    folder = Path(sources.__path__[0])
    said += [
        node.value
        for path in folder.glob("sheet*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    for text in said:
        for title in titles:
            text = text.replace(title, "")
        assert ADVICE.search(text) is None, text
