"""Test patients: what passes, what fails with its place and reasons, and mistakes of the case file told apart."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from eligibility.language.library import RuleLibrary
from eligibility.language.reader import plain, read_yaml
from eligibility.workbench import cases_report
from eligibility.workbench.cases import CasesReport, run_cases

PATIENT = """{id: a, birth_date: 1980-05-01, sex: female, written: 2026-11-01,
       conditions: [{concept: multiple-sclerosis, start: 2015, status: active}],
       observations: [{concept: edss, date: 2026-10-20, value: 4.5}],
       medications: [{concept: mycophenolate, start: 2020, status: active}]}"""

GOOD = f"""\
trial: TEST-1
cases:
  - name: all read
    as_of: 2026-11-01
    anchors: {{leukapheresis: 2026-11-20}}
    patient: {PATIENT}
    expect:
      status: no_barrier_found
      criteria:
        I1: true
        I2: {{truth: unknown, reasons: [needs_judgement], effect: open}}
        E1: presumed_false
        E2: false
  - name: silence counts for nothing
    as_of: 2026-11-01
    absence: unknown
    patient: {PATIENT}
    expect:
      criteria:
        E1: {{truth: unknown, reasons: [not_recorded], effect: open}}
  - name: consent given
    as_of: 2026-11-01
    attestations: [{{criterion: I2, answer: "yes", date: 2026-10-30}}]
    patient: {{id: b, sex: male}}
    expect:
      criteria: {{I2: true, E2: not_applicable}}
    why: the file says how long an answer holds
"""


def run(tmp_path: Path, library: RuleLibrary, text: str, trials: tuple[str, ...] = ()) -> CasesReport:
    (tmp_path / "case.yaml").write_text(text, encoding="utf-8")
    return run_cases([tmp_path], library, trials)


def test_right_answers_pass(tmp_path: Path, library: RuleLibrary) -> None:
    report = run(tmp_path, library, GOOD)
    assert [str(problem) for problem in report.problems] == []
    assert [str(failure) for failure in report.failures] == []
    assert (report.passed, report.failed, report.errors, report.exit_code) == (3, 0, 0, 0)
    assert report.coverage()["TEST-1"]["I1"] == {"true": 2, "false": 0, "unknown": 1}
    assert report.known() == {"TEST-1": (6, 12)}
    assert cases_report.text(report).endswith("3 passed, 0 failed, 0 cases could not be run\n")


def test_a_wrong_answer_fails_with_line_expected_got_and_why(tmp_path: Path, library: RuleLibrary) -> None:
    report = run(tmp_path, library, GOOD.replace("I1: true", "I1: false").replace("status: no_barrier_found", "status: undetermined"))
    assert (report.passed, report.failed, report.exit_code) == (2, 1, 1)
    status, edss = report.failures
    assert (status.line, status.what, status.expected, status.got) == (11, "status", "undetermined", "no_barrier_found")
    assert (edss.line, edss.what, edss.expected, edss.got) == (13, "I1", "false", "true")
    shown = cases_report.text(report)
    assert "case.yaml:13: all read: I1: expected false, got true" in shown
    assert shown.index("TEST-1") < shown.index("expected false") < shown.index("2 passed, 1 failed")


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        ("{truth: unknown, reasons: [future]}", "reasons needs_judgement"),
        ("{truth: unknown, reasons: []}", "reasons needs_judgement"),
        ("{effect: passes}", "effect open"),
        ("presumed_true", "unknown"),
        ("not_applicable", "unknown"),
    ],
)
def test_reasons_effect_and_strength_are_held_to(tmp_path: Path, library: RuleLibrary, expected: str, got: str) -> None:
    report = run(tmp_path, library, GOOD.replace("{truth: unknown, reasons: [needs_judgement], effect: open}", expected))
    (failure,) = report.failures
    assert failure.what == "I2"
    assert failure.got == got
    assert failure.why == ('a person has to answer: "Was the consent form signed?"',)


def test_a_failure_shows_the_authors_reasoning(tmp_path: Path, library: RuleLibrary) -> None:
    report = run(tmp_path, library, GOOD.replace("criteria: {I2: true, E2", "criteria: {I2: false, E2"))
    assert "author: the file says how long an answer holds" in cases_report.text(report)


@pytest.mark.parametrize(
    ("before", "after", "code", "line", "words"),
    [
        ("I1: true", "I9: true", "unknown-criterion", 13, "known: I1, I2"),
        ("I1: true", "I1: treu", "unknown-word", 13, "did you mean true"),
        ("status: no_barrier_found", "status: no_barier_found", "unknown-status", 11, "did you mean no_barrier_found"),
        ("[needs_judgement]", "[needs_judgment]", "unknown-reason", 14, "did you mean needs_judgement"),
        ("leukapheresis: 2026", "leukaferesis: 2026", "unknown-anchor", 5, "did you mean leukapheresis"),
        ("as_of: 2026-11-01", "as_of: 2026-11", "not-a-date", 4, "whole day"),
        ("    expect:\n      status", "    expected:\n      status", "unknown-key", 10, "did you mean expect"),
        ("value: 4.5", "valeu: 4.5", "unknown-field", 8, "did you mean value"),
        ("birth_date: 1980-05-01", "birth_date: 1980-13-01", "bad-date", 6, "no such month"),
        ("trial: TEST-1", "trial: TEST-2", "unknown-trial", 1, "did you mean TEST-1"),
        ("absence: unknown", "absence: never", "unknown-word", 19, "presumed or unknown"),
        ("criterion: I2, answer", "criterion: I7, answer", "unknown-criterion", 29, "names a criterion"),
        ('answer: "yes"', "answer: maybe", "not-one-of", 29, "yes, no"),
    ],
)
def test_a_mistake_of_the_case_file_is_an_error_with_its_place(
    tmp_path: Path, library: RuleLibrary, before: str, after: str, code: str, line: int, words: str
) -> None:
    report = run(tmp_path, library, GOOD.replace(before, after, 1))
    assert report.exit_code == 4
    assert report.errors >= 1
    problem = next(problem for problem in report.problems if problem.code == code)
    assert problem.line == line
    assert words in str(problem)
    assert report.failed == 0


def test_a_file_that_is_no_yaml_is_one_error_and_the_others_run(tmp_path: Path, library: RuleLibrary) -> None:
    (tmp_path / "aaa.yaml").write_text("trial: [", encoding="utf-8")
    report = run(tmp_path, library, GOOD)
    assert (report.passed, report.errors, report.exit_code) == (3, 1, 4)


def test_no_patient_value_is_repeated_in_an_error(tmp_path: Path, library: RuleLibrary) -> None:
    report = run(tmp_path, library, GOOD.replace("birth_date: 1980-05-01", "birth_date: SECRET77").replace("value: 4.5", "value: NaN"))
    assert report.problems
    assert "SECRET77" not in cases_report.text(report)


def test_only_the_trials_asked_for_run(tmp_path: Path, library: RuleLibrary) -> None:
    assert run(tmp_path, library, GOOD, ("OTHER",)).results == ()


def test_coverage_names_what_no_case_has_seen(tmp_path: Path, library: RuleLibrary) -> None:
    shown = cases_report.text(run(tmp_path, library, GOOD), coverage=True)
    row = next(line for line in shown.splitlines() if line.startswith("I1"))
    assert row.split() == ["I1", "2", "0", "1", "false"]


def test_the_run_as_json_and_the_schema_of_case_files(tmp_path: Path, library: RuleLibrary) -> None:
    document = json.loads(cases_report.dumps(run(tmp_path, library, GOOD.replace("I1: true", "I1: false"))))
    assert document["failed"] == 1
    assert document["failures"][0]["expected"] == "false"
    schema = cases_report.case_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    validator.validate(plain(read_yaml(GOOD, "case.yaml").data))
    assert not validator.is_valid(plain(read_yaml(GOOD.replace("    expect:", "    expects:"), "case.yaml").data))
