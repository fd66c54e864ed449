"""What is different since last time, and what lapses before a visit."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from clinic.desk import DATE, P1, Clinic
from eligibility.errors import UsageError
from eligibility.report.schema import screening_schema
from eligibility.report.since import read_previous


def last(clinic: Clinic, *more: str) -> Path:
    out = clinic.path("last.json")
    assert clinic("screen", clinic.charts, "--as-of", "2026-10-15", "--out", str(out), *more).exit_code == 0
    return out


def now(clinic: Clinic, previous: Path, *more: str) -> dict[str, Any]:
    result = clinic("screen", clinic.charts, "--as-of", DATE, "--since", str(previous), "--format", "json", *more)
    assert result.exit_code == 0, result.stderr
    document: dict[str, Any] = json.loads(result.stdout)
    jsonschema.Draft202012Validator(screening_schema()).validate(document)
    return document


def turned(document: dict[str, Any], patient: str, trial: str = "CLINIC-1") -> dict[str, str]:
    for one in document["since"]["changes"]:
        if (one["patient"], one["trial"]) == (patient, trial):
            return {criterion["id"]: criterion["kind"] for criterion in one["criteria"]}
    return {}


def test_the_same_again_is_nothing_new(clinic: Clinic) -> None:
    out = clinic.path("last.json")
    clinic("screen", clinic.charts, "--as-of", DATE, "--out", str(out))
    since = now(clinic, out)["since"]
    assert since["changes"] == []
    assert since["unchanged"] == 6
    assert not any([*since["patients"].values(), *since["trials"].values(), since["settings_changed"]])


def test_opened_closed_barriers_found_and_lifted(clinic: Clinic) -> None:
    previous = last(clinic)
    chart = Path(clinic.charts, "p1.yaml")
    chart.write_text(
        P1.replace("  - {concept: alt,", "  - {concept: hemoglobin, date: 2026-10-28, value: 6.9, unit: g/dL}\n  - {concept: alt,").replace(
            "value: 61,", "value: 30,"
        ),
        encoding="utf-8",
    )
    kinds = turned(now(clinic, previous), "p1")
    assert kinds["I3"] == "barrier"
    assert kinds["I4"] == "closed"
    text = clinic("screen", clinic.charts, "--as-of", DATE, "--since", str(previous)).stdout
    assert text.index("Since 2026-10-15 (last.json)") < text.index("== p1")
    assert "barrier now: I3" in text


def test_a_result_that_has_grown_old_opens_its_criterion(clinic: Clinic) -> None:
    previous = last(clinic)
    result = clinic("screen", clinic.charts, "--as-of", "2026-12-20", "--since", str(previous), "--format", "json")
    assert turned(json.loads(result.stdout), "p2")["I2"] == "opened"


def test_records_and_trials_that_come_and_go(clinic: Clinic) -> None:
    previous = last(clinic, "--trial", "CLINIC-1")
    Path(clinic.charts, "p3.yaml").unlink()
    Path(clinic.charts, "p9.yaml").write_text(P1.replace("id: p1", "id: p9"), encoding="utf-8")
    since = now(clinic, previous)["since"]
    assert since["patients"] == {"new": ["p9"], "gone": ["p3"]}
    assert since["trials"]["new"] == ["CLINIC-2"]


def test_changed_rules_and_settings_are_told_apart_from_changed_records(clinic: Clinic) -> None:
    previous = last(clinic)
    rules = clinic.rules / "one.yaml"
    rules.write_text(rules.read_text(encoding="utf-8").replace('from: "3.0"', 'from: "4.0"'), encoding="utf-8")
    since = now(clinic, previous, "--absence", "unknown")["since"]
    assert since["trials"]["rules_changed"] == ["CLINIC-1"]
    assert since["settings_changed"] == ["absence"]


@pytest.mark.parametrize("text", ["{", "[]", '{"schema": "another/1"}', '{"schema": "eligibility/screening/1"}'])
def test_a_file_that_is_no_result_is_one_clear_error(clinic: Clinic, text: str) -> None:
    path = clinic.path("last.json")
    path.write_text(text, encoding="utf-8")
    result = clinic("screen", clinic.charts, "--as-of", DATE, "--since", str(path))
    assert result.exit_code == 2
    assert "last.json" in result.stderr
    assert "Traceback" not in result.stderr


def test_an_earlier_result_that_cannot_be_read() -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_previous(Path("no-such.json"))


def test_what_lapses_before_a_visit_and_what_ends(clinic: Clinic) -> None:
    result = clinic("screen", clinic.charts, "--as-of", DATE, "--visit", "2027-04-01", "--format", "json")
    visit = json.loads(result.stdout)["visit"]
    found = {(one["patient"], one["id"]): (one["effect"], one["date"], one["becomes"]) for one in visit["changes"]}
    # EDSS of 20 October may be 28 days old at screening; the wash-out of ocrelizumab depends on an undated visit
    assert found["p1", "I2"] == ("passes", "2026-11-18", "open")
    for _, date, _ in found.values():
        assert DATE < date <= "2027-04-01"
    early = json.loads(clinic("screen", clinic.charts, "--as-of", DATE, "--visit", "2026-11-17", "--format", "json").stdout)["visit"]
    assert ("p1", "I2") not in {(one["patient"], one["id"]) for one in early["changes"]}


def test_a_wash_out_ends_on_the_day_after_its_last_day(clinic: Clinic) -> None:
    anchor = ("--anchor", "leukapheresis=2026-11-15")
    text = clinic("screen", clinic.charts, "--as-of", DATE, "--visit", "2027-06-01", *anchor).stdout
    assert "Until the visit on 2027-06-01, with nothing new recorded" in text


@pytest.mark.parametrize("arguments", [("--visit", "2026-01-01"), ("--visit", "next week"), ("--visit", "2026-12-01", "--format", "csv")])
def test_a_visit_that_cannot_be_is_a_usage_error(clinic: Clinic, arguments: tuple[str, ...]) -> None:
    assert clinic("screen", clinic.charts, "--as-of", DATE, *arguments).exit_code == 2


def test_the_days_are_those_of_evaluating_again(clinic: Clinic) -> None:
    """What is said to lapse on a day has lapsed on that day and had not the day before."""
    visit = json.loads(clinic("screen", clinic.charts, "--as-of", DATE, "--visit", "2027-03-01", "--format", "json").stdout)["visit"]
    assert visit["changes"]
    for one in visit["changes"]:
        day = dt.date.fromisoformat(one["date"])
        for date, effect in ((day - dt.timedelta(days=1), one["effect"]), (day, one["becomes"])):
            document = json.loads(clinic("screen", clinic.charts, "--as-of", date.isoformat(), "--format", "json").stdout)
            (patient,) = [p for p in document["patients"] if p["patient"] == one["patient"]]
            (screening,) = [s for s in patient["screenings"] if s["trial"] == one["trial"]]
            named = {c["id"]: c["effect"] for c in screening["criteria"]}
            named |= {f"{arm['arm']}/{c['id']}": c["effect"] for arm in screening["arms"] for c in arm["criteria"]}
            assert named[one["id"]] == effect, (one, date)
