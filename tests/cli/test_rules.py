"""``rules list | show | check | test | schema``, ``codes`` and ``convert``."""

from __future__ import annotations

import csv
import io
import json

import jsonschema
import pytest

from .conftest import TRIAL, Program

DATE = ("--as-of", "2026-11-01")


def test_list_is_a_table_by_disease(program: Program) -> None:
    result = program("rules", "list")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines.index("mg") < lines.index("ms")
    row = next(line for line in lines if "TEST-1" in line)
    assert row.split() == ["TEST-1", "recruiting", "2026-08-22", "partial", "2", "0", "1", "0"]
    assert "TEST-1" not in program("rules", "list", "--disease", "mg").stdout
    listed = json.loads(program("rules", "list", "--format", "json").stdout)["trials"]
    assert [trial["id"] for trial in listed] == ["TEST-1", "TEST-2"]


def test_show_has_header_schedule_and_english_beside_the_paraphrase(program: Program) -> None:
    result = program("rules", "show", "TEST-1")
    assert result.exit_code == 0, result.output
    assert "recruiting as of 2026-08-22" in result.stdout
    assert "a result may be 28 days old, published" in result.stdout
    assert '"EDSS from 3 to 6.5"' in result.stdout
    assert "Was the consent form signed?" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80
    document = json.loads(program("rules", "show", "TEST-1", "--format", "json").stdout)
    assert document["criteria"][0]["english"]["when"]
    wrong = program("rules", "show", "TEST-9")
    assert wrong.exit_code == 2
    assert "did you mean TEST-" in wrong.stderr


def test_check_lists_every_mistake_and_ends_with_4(program: Program) -> None:
    bad = program.path("rules/bad.yaml")
    bad.write_text(
        "trial: {id: T3, title: t}\ninclusion:\n  - {id: I1, text: a, when: {observation: edsss, at: screening, lates: {at_least: 3}}}\n"
    )
    result = program("rules", "check", str(bad), own=False)
    assert result.exit_code == 4, result.output
    assert "bad.yaml:3" in result.stdout
    listed = json.loads(program("rules", "check", str(bad), "--format", "json", own=False).stdout)
    assert listed["mistakes"] >= 1
    assert listed["problems"][0]["line"] == 3


def test_check_tells_questions_and_only_strict_fails_for_them(program: Program) -> None:
    questioned = program.path("assumed.yaml")
    questioned.write_text(TRIAL.replace("TEST-1", "TEST-3").replace("28 days, basis: published", "28 days, basis: assumed"))
    told = program("rules", "check", str(questioned), "--no-library", own=False)
    assert told.exit_code == 0, told.output
    assert "assumed.yaml:8" in told.stdout
    assert "question: assumed-basis" in told.stdout
    assert "1 rule file checked: 0 mistakes" in told.stdout
    assert program("rules", "check", str(questioned), "--no-library", "--strict", own=False).exit_code == 1
    clean = program("rules", "check", str(program.path("rules/test-2.yaml")), "--no-library", "--strict", own=False)
    assert (clean.exit_code, clean.stdout) == (0, "1 rule file checked: 0 mistakes, 0 questions\n")


def test_test_runs_cases_and_its_exit_code_says_how_it_went(program: Program) -> None:
    case = program.path("case.yaml")
    text = (
        "trial: TEST-2\ncases:\n  - {name: grown up, as_of: 2026-11-01, patient: {id: a, birth_date: 1980-05-01}, "
        "expect: {criteria: {I1: true}}}\n"
    )
    case.write_text(text)
    assert program("rules", "test", str(case)).exit_code == 0
    case.write_text(text.replace("I1: true", "I1: false"))
    wrong = program("rules", "test", str(case), "--coverage")
    assert wrong.exit_code == 1
    assert "case.yaml:3: grown up: I1: expected false, got true" in wrong.stdout
    case.write_text(text.replace("I1: true", "I3: true"))
    broken = program("rules", "test", str(case), "--format", "json")
    assert broken.exit_code == 4
    assert json.loads(broken.stdout)["errors"] == 1


@pytest.mark.parametrize("document", ["rules", "definitions", "concepts", "cases", "patient", "screening"])
def test_schemas_are_schemas(program: Program, document: str) -> None:
    result = program("rules", "schema", document, own=False)
    assert result.exit_code == 0, result.output
    jsonschema.Draft202012Validator.check_schema(json.loads(result.stdout))


def test_codes_writes_what_holds_criteria_open_and_reads_back(program: Program) -> None:
    chart = program.path("p2.json")
    chart.write_text(
        json.dumps(
            {
                "id": "p2",
                "written": "2026-11-01",
                "medications": [
                    {"codes": [{"system": "http://hospital.example/drugs", "code": "=OCR"}], "start": "2026-09-01", "status": "active"},
                    {"concept": "mycophenolate", "start": "2020", "status": "active"},
                ],
            }
        )
    )
    before = program("screen", str(chart), "--trial", "TEST-1", *DATE, "--format", "json")
    assert json.loads(before.stdout)["patients"][0]["screenings"][0]["criteria"][2]["reasons"][0]["code"] == "not_understood"
    out = program.path("map.csv")
    result = program("codes", str(chart), "--trial", "TEST-1", *DATE, "--out", str(out))
    assert result.exit_code == 0, result.output
    (row,) = csv.DictReader(io.StringIO(out.read_text(encoding="utf-8")))
    assert (row["system"], row["patients"], row["criteria"], row["candidates"]) == (
        "http://hospital.example/drugs",
        "1",
        "1",
        "ocrelizumab",
    )
    assert row["code"] == "'=OCR"
    chart.write_text(chart.read_text().replace("=OCR", "OCR"))
    program("codes", str(chart), "--trial", "TEST-1", *DATE, "--out", str(out))
    rows = list(csv.DictReader(io.StringIO(out.read_text(encoding="utf-8"))))
    rows[0]["concept"] = "ocrelizumab"
    with out.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    after = program("screen", str(chart), "--trial", "TEST-1", *DATE, "--format", "json", "--codes", str(out))
    assert after.exit_code == 0, after.output
    criterion = json.loads(after.stdout)["patients"][0]["screenings"][0]["criteria"][2]
    assert criterion["evidence"][0]["concept"] == "ocrelizumab"
    assert json.loads(after.stdout)["digests"]["codes"]


def test_a_wrong_code_map_is_code_3_with_its_line(program: Program) -> None:
    out = program.path("map.csv")
    out.write_text("system,code,text,concept\n,X1,,ocrelizumabb\n")
    result = program("screen", program.chart, *DATE, "--codes", str(out))
    assert result.exit_code == 3
    assert "map.csv:2" in result.stderr
    assert "ocrelizumab" in result.stderr


def test_convert_writes_what_was_read_and_screens_the_same(program: Program) -> None:
    out = program.path("native.json")
    result = program("convert", program.chart, "--to", "native", "--out", str(out), own=False)
    assert result.exit_code == 0, result.output
    assert json.loads(out.read_text())["conditions"][0]["source"] == "conditions[0]"
    both = [
        json.loads(program("screen", path, *DATE, "--format", "json").stdout)["patients"][0]["screenings"]
        for path in (program.chart, str(out))
    ]
    assert both[0] == both[1]


def test_convert_needs_a_form(program: Program) -> None:
    result = program("convert", program.chart, own=False)
    assert result.exit_code == 2
    assert "--to" in result.stderr
