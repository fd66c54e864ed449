"""``codes --out`` and ``--codes``: what a site fills in closes what it fills in, on a real chart."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner

from eligibility.cli.app import app
from eligibility.screening import Screener, with_codes

from .conftest import DAY, charts, criteria

TRIAL = "NCT06193889"
FORMULA = ("=EDSS", "+EDSS", "-EDSS", "@EDSS")


def run(*args: str) -> str:
    result = CliRunner().invoke(app, list(args))
    assert result.exit_code == 0, result.output
    return result.stdout


def sheet(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))


def fill(path: Path, concept: Callable[[dict[str, str]], str]) -> list[dict[str, str]]:
    """The worksheet with the column ``concept`` filled in, as a person would in a spreadsheet."""
    rows = [{**row, "concept": concept(row)} for row in sheet(path)]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return rows


def held(screener: Screener, path: Path) -> set[str]:
    """The entries whose meaning some criterion asks for."""
    (item,) = charts(path)
    results = [result for _, result in criteria(screener.result(screener.prepare(item.patient)))]
    return {reason.source or "" for result in results for reason in result.reasons if reason.code == "not_understood"}


@pytest.fixture
def chart(shared: Callable[..., Path]) -> Path:
    """A made-up life with problems and prescriptions whose meaning some trial asks for."""
    (path,) = shared("data", "fhir", "synthea-r4").glob("Trent_Jaskolski_*.json")
    return path


def test_a_filled_in_worksheet_closes_what_it_maps(screener: Screener, chart: Path, tmp_path: Path) -> None:
    out = tmp_path / "map.csv"
    run("codes", str(chart), "--as-of", DAY, "--out", str(out))
    asked = sheet(out)
    assert len(asked) > 5
    fill(out, lambda row: "none")
    second = tmp_path / "second.csv"
    run("codes", str(chart), "--as-of", DAY, "--codes", str(out), "--out", str(second))
    mapped = {(row["system"], row["code"], row["text"]) for row in asked}
    assert not mapped & {(row["system"], row["code"], row["text"]) for row in sheet(second)}
    with_map = Screener.build(as_of=DAY, library=with_codes(screener.library, [out]), details=False)
    assert held(screener, chart)
    assert held(with_map, chart) == set()


def _with_local(chart: Path, path: Path) -> Path:
    """The chart with one more result for each code that a spreadsheet would run."""
    tree = orjson.loads(chart.read_bytes())
    person = next(one["resource"] for one in tree["entry"] if one["resource"]["resourceType"] == "Patient")
    for number, code in enumerate(FORMULA):
        resource: dict[str, Any] = {
            "resourceType": "Observation",
            "id": f"local-{number}",
            "status": "final",
            "subject": {"reference": f"Patient/{person['id']}"},
            "code": {"coding": [{"system": "http://hospital.example/labs", "code": code}]},
            "effectiveDateTime": f"2026-10-2{number}",
            "valueQuantity": {"value": 4.5},
        }
        tree["entry"].append({"resource": resource})
    path.write_bytes(orjson.dumps(tree))
    return path


def test_codes_that_look_like_formulas_survive_the_way_there_and_back(screener: Screener, chart: Path, tmp_path: Path) -> None:
    local = _with_local(chart, tmp_path / "chart.json")
    out = tmp_path / "map.csv"
    run("codes", str(local), "--as-of", DAY, "--out", str(out))
    rows = fill(out, lambda row: "edss" if row["system"] == "http://hospital.example/labs" else "")
    assert {row["code"] for row in rows if row["concept"]} == {f"'{code}" for code in FORMULA}, "harmless in a spreadsheet"
    with_map = Screener.build(as_of=DAY, library=with_codes(screener.library, [out]), trials=[TRIAL], details=False)
    (item,) = charts(local)
    record = with_map.prepare(item.patient)
    assert {fact.source for fact in record.facts if fact.concept == "edss"} == {f"Observation/local-{n}" for n in range(len(FORMULA))}


def test_a_text_that_begins_with_an_apostrophe_keeps_it(screener: Screener, tmp_path: Path) -> None:
    """Only the apostrophe that neutralises a formula is taken off again."""
    out = tmp_path / "map.csv"
    out.write_text("system,code,text,concept\n,,'n Test,edss\nhttp://hospital.example/labs,'=A1,,edss\n")
    site = with_codes(screener.library, [out]).vocabulary.site
    assert site is not None
    assert {(row.code, row.text) for row in site.rows} == {("=A1", ""), ("", _fold("'n Test"))}


def _fold(text: str) -> str:
    from eligibility.vocabulary.words import fold

    return fold(text)
