"""The screening log: what an auditor looks for, appended whole, by two writers at once, and left for a person to decide."""

from __future__ import annotations

import csv
import multiprocessing
import os
from pathlib import Path
from typing import Any

import pytest

from clinic.desk import DATE, Clinic
from eligibility.errors import UsageError
from eligibility.workbench import appending
from eligibility.workbench.log import COLUMNS


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def run(clinic: Clinic, as_of: str = DATE) -> Any:
    return clinic("log", clinic.charts, "--as-of", as_of, "--out", str(clinic.path("log.csv")))


def test_a_row_says_who_what_when_by_which_rules_and_why(clinic: Clinic) -> None:
    result = run(clinic)
    assert result.exit_code == 0, result.stderr
    assert "6 rows added" in result.stderr
    found = rows(clinic.path("log.csv"))
    assert tuple(found[0]) == COLUMNS
    assert [(row["subject"], row["trial"]) for row in found] == [(p, t) for p in ("p1", "p2", "p3") for t in ("CLINIC-1", "CLINIC-2")]
    row = found[4]
    assert (row["screened_on"], row["criteria_version"], row["found"]) == (DATE, "2026-08-22", "barrier found")
    assert row["criteria_behind_barriers"].startswith("record/death exclusion: Died on or before the screening date")
    assert row["rules_digest"].startswith("sha256:")
    for row in found:
        assert {row[name] for name in ("decision", "decided_by_role", "decided_on", "reason")} == {""}
        assert (row["barriers"] != "0") == bool(row["criteria_behind_barriers"])


def test_appending_keeps_what_people_wrote(clinic: Clinic) -> None:
    run(clinic)
    path = clinic.path("log.csv")
    filled = path.read_text(encoding="utf-8").replace(",,,,\n", ",screened further,investigator,2026-11-02,see note\n", 1).rstrip("\n")
    path.write_text("\ufeff" + filled, encoding="utf-8")  # as a spreadsheet saves it, the last line without its end
    run(clinic, "2026-11-08")
    after = path.read_text(encoding="utf-8")
    assert after.startswith("\ufeff" + filled)
    with path.open(encoding="utf-8-sig", newline="") as file:
        found = list(csv.DictReader(file))
    assert len(found) == 12
    assert found[0]["decision"] == "screened further"
    assert {row["screened_on"] for row in found[6:]} == {"2026-11-08"}


@pytest.mark.parametrize("text", ["name,phone\n", "screened_on;subject;trial\n", "\x00\x01binary", '{"a": 1}'])
def test_another_table_is_left_as_it_is(clinic: Clinic, text: str) -> None:
    path = clinic.path("log.csv")
    path.write_text(text, encoding="utf-8")
    result = run(clinic)
    assert result.exit_code == 2
    assert "is not a screening log" in result.stderr
    assert path.read_text(encoding="utf-8") == text


def test_no_cell_runs_in_a_spreadsheet(clinic: Clinic) -> None:
    chart = Path(clinic.charts, "p1.yaml")
    chart.write_text(chart.read_text(encoding="utf-8").replace("id: p1", 'id: "=1+1"'), encoding="utf-8")
    run(clinic)
    assert rows(clinic.path("log.csv"))[0]["subject"] == "'=1+1"


def test_a_record_that_cannot_be_read_is_told_and_the_rest_is_logged(clinic: Clinic) -> None:
    Path(clinic.charts, "p4.yaml").write_text("{id: p4", encoding="utf-8")
    result = run(clinic)
    assert result.exit_code == 3
    assert "p4.yaml" in result.stderr
    assert len(rows(clinic.path("log.csv"))) == 6


def _write(path: str, number: int, times: int) -> None:
    for one in range(times):
        lines = "".join(f"{number},{one},{line}\n" for line in range(7)).encode()
        appending.append(Path(path), b"writer,round,line\n", lines, lambda start: None)


def test_two_writers_lose_nothing_and_mix_no_lines(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_write, args=(str(path), number, 150)) for number in (1, 2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0, 0]
    head, *lines = path.read_text(encoding="utf-8").splitlines()
    assert head == "writer,round,line"
    assert len(lines) == 2 * 150 * 7
    blocks = [lines[at : at + 7] for at in range(0, len(lines), 7)]
    for block in blocks:  # what one call appended stands together
        writer, turn, _ = block[0].split(",")
        assert block == [f"{writer},{turn},{line}" for line in range(7)]
    assert {tuple(block[0].split(",")[:2]) for block in blocks} == {(str(w), str(t)) for w in (1, 2) for t in range(150)}


def test_a_disk_that_takes_a_part_keeps_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes(b"a,b\n1,2\n")
    whole = os.write
    monkeypatch.setattr(appending.os, "write", lambda handle, data: whole(handle, data[:3]))
    with pytest.raises(UsageError, match="nothing was added"):
        appending.append(path, b"a,b\n", b"3,4\n5,6\n", lambda start: None)
    assert path.read_bytes() == b"a,b\n1,2\n"


def test_a_folder_that_is_not_there_is_a_usage_error(clinic: Clinic) -> None:
    result = clinic("log", clinic.charts, "--as-of", DATE, "--out", str(clinic.path("nowhere") / "log.csv"))
    assert result.exit_code == 2
    assert "cannot be written" in result.stderr
