"""``screen`` and ``explain`` as a user runs them: output, options, errors, exit codes."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import eligibility
from eligibility.cli import options, screen
from eligibility.language.library import load_library
from eligibility.model.site import criterion_digest
from eligibility.report.schema import screening_schema

from .conftest import CHART, Program

DATE = ("--as-of", "2026-11-01")


def test_a_screening_says_barriers_open_criteria_and_what_would_settle_them(program: Program) -> None:
    result = program("screen", program.chart, "--trial", "TEST-1", *DATE)
    assert result.exit_code == 0, result.output
    page = result.stdout
    assert page.startswith("Screening of 1 record against 1 trial, as of 2026-11-01\n")
    assert 'E1    exclusion: "Ocrelizumab within 6 months before leukapheresis"' in page
    assert "2021-04-01 to 2026-09-10" in page
    assert "settled  by the date of leukapheresis" in page
    assert "Was the consent form signed?" in page
    assert "1 not understood" in page
    assert max(map(len, page.splitlines())) <= 80


def test_an_anchor_that_is_given_counts(program: Program) -> None:
    result = program("screen", program.chart, "--trial", "TEST-1", *DATE, "--anchor", "leukapheresis=2026-11-20")
    assert "barrier found" in result.stdout
    assert "Date given: leukapheresis on 2026-11-20." in result.stdout
    for given in ("TEST-1:leukapheresis", "p1:leukapheresis", "p1:TEST-1:leukapheresis"):
        result = program("screen", program.chart, "--trial", "TEST-1", *DATE, "--anchor", f"{given}=2026-11-20")
        assert "barrier found" in result.stdout, given
    result = program("screen", program.chart, "--trial", "TEST-1", *DATE, "--anchor", "p2:leukapheresis=2026-11-20")
    assert "barrier found" not in result.stdout


def test_json_is_valid_and_the_same_each_time(program: Program) -> None:
    first = program("screen", program.chart, *DATE, "--format", "json")
    assert first.exit_code == 0
    document = json.loads(first.stdout)
    jsonschema.Draft202012Validator(screening_schema()).validate(document)
    assert [trial["id"] for trial in document["trials"]] == ["TEST-1", "TEST-2"]
    for screening in document["patients"][0]["screenings"]:
        assert sum(screening["counts"].values()) == len(screening["criteria"])
    intake = document["patients"][0]["intake"]
    assert intake["entries"] == intake["facts"] + len(intake["not_understood"]) + len(intake["set_aside"])
    assert program("screen", program.chart, *DATE, "--format", "json").stdout == first.stdout


def test_csv_has_a_row_for_each_criterion(program: Program) -> None:
    rows = list(csv.DictReader(io.StringIO(program("screen", program.chart, *DATE, "--format", "csv").stdout)))
    assert [(row["trial"], row["criterion"]) for row in rows] == [("TEST-1", "I1"), ("TEST-1", "I2"), ("TEST-1", "E1"), ("TEST-2", "I1")]


def test_the_date_defaults_to_today_and_is_printed(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(options, "today", lambda: dt.date(2031, 2, 3))
    assert "as of 2031-02-03" in program("screen", program.chart).stdout


def test_silence_can_be_left_open(program: Program) -> None:
    chart = program.path("p3.yaml")
    chart.write_text(CHART.replace("ocrelizumab", "mycophenolate").replace("p1", "p3"), encoding="utf-8")
    presumed = program("screen", str(chart), "--trial", "TEST-1", *DATE, "--format", "json")
    unknown = program("screen", str(chart), "--trial", "TEST-1", *DATE, "--format", "json", "--absence", "unknown")
    effects = [json.loads(run.stdout)["patients"][0]["screenings"][0]["criteria"][2]["effect"] for run in (presumed, unknown)]
    assert effects == ["passes", "open"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--trial", "TEST-3"), "did you mean TEST-"),
        (("--disease", "mss"), "did you mean ms"),
        (("--disease", "mg", "--recruiting"), "no trial is left"),
        (("--anchor", "leukaferesis=2026-12-01"), "did you mean leukapheresis"),
        (("--anchor", "leukapheresis"), "NAME=DATE"),
        (("--anchor", "leukapheresis=soon"), "year-month-day"),
        (("--anchor", "leukapheresis=2026-12-01", "--anchor", "leukapheresis=2026-12-02"), "given twice"),
        (("--as-of", "yesterday"), "2026-11-01"),
        (("--as-off", "2026-11-01"), "--as-of"),
        (("--format", "pdf"), "'text', 'json', 'csv'"),
        (("--site", "no-such-site.yaml"), "does not exist"),
        (("--out", "no/such/folder/r.txt"), "folder that exists"),
    ],
)
def test_a_wrong_command_line_is_code_2_with_what_to_write(program: Program, arguments: tuple[str, ...], words: str) -> None:
    result = program("screen", program.chart, *arguments)
    assert result.exit_code == 2, result.output
    assert words in result.stderr
    assert "Traceback" not in result.output
    assert result.stdout == ""


def test_what_cannot_be_read_is_told_and_the_rest_is_done(program: Program) -> None:
    bad = program.path("bad.json")
    bad.write_text('{"id": "p9", "conditions": [', encoding="utf-8")
    result = program("screen", str(bad), program.chart, "missing.json", *DATE, "--format", "json")
    assert result.exit_code == 3
    document = json.loads(result.stdout)
    assert [patient["patient"] for patient in document["patients"]] == ["p1"]
    assert {error["file"] for error in document["errors"]} == {str(bad), "missing.json"}
    assert str(bad) in result.stderr
    text = program("screen", str(bad), program.chart, *DATE)
    assert text.exit_code == 3
    assert "What could not be read" in text.stdout


def test_a_patient_asked_for_and_not_there_is_told(program: Program) -> None:
    result = program("screen", program.chart, *DATE, "--patient", "p7")
    assert result.exit_code == 3
    assert "asked for by id" in result.stdout
    assert program("screen", program.chart, *DATE, "--patient", "p1").exit_code == 0


def test_a_wrong_rule_file_is_code_4_before_all(program: Program) -> None:
    program.path("rules/broken.yaml").write_text("trial: {id: T3, title: t}\ninclusions: []\n", encoding="utf-8")
    result = program("screen", program.chart, "missing.json", *DATE)
    assert result.exit_code == 4
    assert "broken.yaml:2:1" in result.stderr
    assert "did you mean inclusion" in result.stderr
    assert result.stdout == ""


def test_out_is_written_whole_and_its_ending_names_the_format(program: Program) -> None:
    out = program.path("r.json")
    result = program("screen", program.chart, *DATE, "--out", str(out))
    assert result.exit_code == 0
    assert result.stdout == ""
    assert json.loads(out.read_text(encoding="utf-8"))["schema"] == "eligibility/screening/1"
    assert [path.name for path in program.folder.iterdir() if ".part" in path.name] == []


def test_explain_shows_rule_answer_and_evidence_of_one_criterion(program: Program) -> None:
    result = program("explain", program.chart, "--trial", "TEST-1", "--criterion", "I1", *DATE)
    assert result.exit_code == 0, result.output
    assert "I1  inclusion: passes" in result.stdout
    assert "4.5 on 2026-10-20" in result.stdout
    assert "not understood: seen by the county service" in result.stdout
    assert "\nE1" not in result.stdout
    wrong = program("explain", program.chart, "--trial", "TEST-1", "--criterion", "I11", *DATE)
    assert wrong.exit_code == 2
    assert "did you mean" in wrong.stderr


ANSWER = '- {{patient: p1, trial: TEST-1, criterion: I2, answer: "yes", role: study nurse, date: 2026-10-30, digest: {digest}}}\n'


def consent(program: Program, answers: Path) -> dict[str, Any]:
    result = program("screen", program.chart, "--trial", "TEST-1", *DATE, "--attest", str(answers), "--format", "json")
    assert result.exit_code == 0, result.output
    patient = json.loads(result.stdout)["patients"][0]
    return {**patient["screenings"][0]["criteria"][1], "notices": [notice["code"] for notice in patient["notices"]]}


def test_an_answer_of_a_person_counts_while_the_criterion_is_the_same(program: Program, tmp_path: Path) -> None:
    trial = load_library([program.path("rules")], shipped=False).trials["TEST-1"]
    answers = tmp_path / "answers.yaml"
    answers.write_text(ANSWER.format(digest=criterion_digest(trial.inclusion[1])), encoding="utf-8")
    given = consent(program, answers)
    assert (given["effect"], given["basis"], given["notices"]) == ("passes", "attested", [])
    answers.write_text(ANSWER.format(digest="0123456789abcdef"), encoding="utf-8")
    lapsed = consent(program, answers)
    assert (lapsed["effect"], lapsed["notices"]) == ("open", ["attestation_lapsed"])


def test_a_wrong_attestation_file_is_code_2_with_its_line(program: Program, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("- {patient: p1, trial: TEST-1, criterion: I2, answer: perhaps}\n", encoding="utf-8")
    result = program("screen", program.chart, *DATE, "--attest", str(wrong))
    assert result.exit_code == 2
    assert "wrong.yaml:1" in result.stderr


def test_a_site_file_is_read_with_the_place_of_its_mistakes(program: Program, tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text(
        "name: clinic\nfacts: {country: NO}\nranges: {hemoglobin: [{low: 12, high: 16, unit: g/dL, sex: female}]}\n", encoding="utf-8"
    )
    result = program("screen", program.chart, *DATE, "--site", str(site), "--format", "json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["digests"]["site"].startswith("sha256:")
    site.write_text("name: clinic\nfact: {country: NO}\n", encoding="utf-8")
    result = program("screen", program.chart, *DATE, "--site", str(site))
    assert result.exit_code == 2
    assert "site.yaml:2" in result.stderr


def test_standard_input_is_a_record(program: Program) -> None:
    from click.testing import CliRunner

    from eligibility.cli.app import app

    rules = ["--rules", str(program.path("rules")), "--no-library"]
    result = CliRunner().invoke(app, ["screen", "-", *DATE, *rules], input=CHART, prog_name="eligibility")
    assert result.exit_code == 0, result.output
    assert "== p1 " in result.stdout


def test_a_fault_of_the_program_is_a_short_message_without_values(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise KeyError("SECRET-4711")

    monkeypatch.setattr(screen, "_show", fail)
    result = program("screen", program.chart, *DATE)
    assert result.exit_code == 70
    assert "KeyError" in result.stderr
    assert "SECRET-4711" not in result.output
    assert "Traceback" not in result.output
    loud = program("screen", program.chart, *DATE, ELIGIBILITY_DEBUG="1")
    assert isinstance(loud.exception, KeyError)


@pytest.mark.parametrize("command", ["screen", "worklist", "codes", "log", "convert"])
def test_an_empty_name_is_no_path_and_no_file(program: Program, command: str) -> None:
    out = ("--out", "") if command != "convert" else ("--to", "native", "--out", "")
    own = command != "convert"
    result = program(command, program.chart, *out, own=own)
    assert (result.exit_code, "the name is empty" in result.stderr) == (2, True), result.output
    result = program(command, "", *out[:-1], str(program.path("out.csv")), own=own)
    assert (result.exit_code, "a path is empty" in result.stderr) == (2, True), result.output
    assert not program.path("out.csv").exists()


def test_the_library_reads_no_folder_for_an_empty_name(program: Program) -> None:
    results = eligibility.screen("", as_of="2026-11-01", rules=[program.folder / "rules"], shipped=False)
    assert not results.patients
    assert [(problem.code, problem.message) for problem in results.problems] == [("no-such-file", "the name of a file is empty")]


def test_names_are_read_in_capitals_and_small_letters(program: Program) -> None:
    result = program("screen", program.chart, *DATE, "--disease", "MS", "--format", "csv")
    assert result.exit_code == 0, result.stderr
    assert {row["trial"] for row in csv.DictReader(io.StringIO(result.stdout))} == {"TEST-1"}
    result = program("screen", program.chart, *DATE, "--disease", "MMS")
    assert (result.exit_code, "did you mean ms?" in result.stderr) == (2, True), result.stderr
    result = program("screen", program.chart, *DATE, "--trial", "test-2")
    assert (result.exit_code, "did you mean TEST-2?" in result.stderr) == (2, True), result.stderr


@pytest.mark.parametrize("option", ["--site", "--attest"])
def test_a_chart_given_for_a_site_or_attestation_file_is_told_in_one_line(program: Program, option: str) -> None:
    result = program("screen", program.chart, *DATE, option, program.chart)
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert "docs/cli.md shows one" in line
    assert "Input should" not in line


@pytest.mark.parametrize(
    ("option", "text", "said"),
    [
        ("--site", "nmae: a clinic\nfacts: {}\n", "1:1: unknown-key: there is no word «nmae» here; did you mean name?"),
        ("--site", "ranges: {alt: [{low: seven, unit: U/L}]}\n", "1:22: wrong-type: a number is expected after «low:»"),
        ("--attest", "- {patient: p1, answer: secret}\n", "1:25: not-one-of: this is not one of yes, no"),
        ("--attest", "- {patient: p1, date: 30.10.2026}\n", "1:23: not-a-date: a day is expected here; write a day, such as 2026-08-22"),
        ("--attest", "- p1\n", "1:3: wrong-type: a mapping is expected and a text stands there"),
    ],
)
def test_mistakes_of_site_and_attestation_files_say_what_to_write(program: Program, option: str, text: str, said: str) -> None:
    program.path("f.yaml").write_text(text, encoding="utf-8")
    result = program("screen", program.chart, *DATE, option, str(program.path("f.yaml")))
    assert result.exit_code == 2
    assert said in result.stderr
    for raw in ("Input should", "Extra inputs", "valid", "secret"):
        assert raw not in result.stderr


def test_one_trial_is_explained_at_a_time(program: Program) -> None:
    once = program("explain", program.chart, "--trial", "TEST-1", "--trial", "TEST-1", *DATE)
    assert once.exit_code == 0, once.stderr
    twice = program("explain", program.chart, "--trial", "TEST-1", "--trial", "TEST-2", *DATE)
    assert (twice.exit_code, twice.stdout) == (2, "")
    assert "one trial is explained at a time" in twice.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ranges: {edsss: [{high: 3, unit: '1'}]}", "1:10: unknown-concept: there is no concept edsss; did you mean edss?"),
        ("ranges: {hypertension: [{high: 3, unit: '1'}]}", "unknown-concept: hypertension is no result, and has no range"),
        ("ranges: {ast: [{high: 3, unit: bananas}]}", "1:32: wrong-unit: Aspartate aminotransferase is not measured in this unit"),
        ("ranges: {ast: [{low: 50, high: 10, unit: U/L}]}", "1:22: empty-range: low is above high; write the smaller one first"),
        ("ranges: {ast: [{unit: U/L}]}", "no-range: the range has neither low nor high; write one of them"),
        ("horizon: soon", "1:10: duration: "),
    ],
)
def test_what_a_site_file_can_never_mean_is_a_mistake(program: Program, text: str, said: str) -> None:
    program.path("site.yaml").write_text(text, encoding="utf-8")
    result = program("screen", program.chart, *DATE, "--site", str(program.path("site.yaml")))
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


def test_visits_of_a_site_that_no_trial_has_are_noted(program: Program) -> None:
    width = "{looks_back: 14 days, basis: site}"
    names = ("screening", "TEST-1:screening", "TEST-2:screning", "leukaferesis", "TEST-9:screening")
    program.path("site.yaml").write_text("visits:\n" + "".join(f'  "{name}": {width}\n' for name in names), encoding="utf-8")
    result = program("screen", program.chart, *DATE, "--trial", "TEST-1", "--format", "csv", "--site", str(program.path("site.yaml")))
    assert result.exit_code == 0
    notes = [line.partition(": note: ")[::2] for line in result.stderr.splitlines()]
    assert [(place.rpartition("site.yaml:")[2], note) for place, note in notes] == [
        ("4:3", "unknown-visit: this trial has no such visit"),
        ("5:3", "unknown-visit: no trial has this visit; did you mean leukapheresis?"),
        ("6:3", "unknown-visit: there is no such trial; did you mean TEST-2 or TEST-1?"),
    ]


def test_an_earlier_result_is_earlier(program: Program) -> None:
    first = program.path("first.json")
    assert program("screen", program.chart, "--as-of", "2026-11-02", "--out", str(first)).exit_code == 0
    result = program("screen", program.chart, *DATE, "--since", str(first))
    assert (result.exit_code, result.stdout) == (2, "")
    assert "the earlier result is of a later day than this one (2026-11-01)" in result.stderr
    assert program("screen", program.chart, "--as-of", "2026-11-02", "--since", str(first)).exit_code == 0


def test_screening_is_on_the_screening_date(program: Program) -> None:
    result = program("screen", program.chart, *DATE, "--anchor", "screening=2026-12-01")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "screening is on the screening date, 2026-11-01; give another --as-of" in result.stderr
    assert program("screen", program.chart, *DATE, "--anchor", "screening=2026-11-01").exit_code == 0


def test_an_anchor_of_a_patient_who_did_not_come_in_is_told(program: Program) -> None:
    anchors = ("--anchor", "p2:leukapheresis=2026-12-01", "--anchor", "p1:leukapheresis=2026-12-01")
    result = program("screen", program.chart, *DATE, *anchors, "--format", "csv")
    assert result.exit_code == 0
    assert result.stderr.splitlines() == [
        "--anchor, p2:leukapheresis: note: no-such-patient: no record of the patient that an anchor names came in"
    ]
