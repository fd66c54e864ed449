"""A folder of charts: a summary first, the order given, a bar on a terminal only, and no record that ends the run."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

import eligibility.screening as verbs
from clinic.desk import DATE, P1, Clinic, of
from eligibility.cli import output
from eligibility.engine.record import prepare
from eligibility.errors import UsageError
from eligibility.model.patient import Patient
from eligibility.report import html, worklist
from eligibility.report.results import Results
from eligibility.screening import Screener, screen_with
from eligibility.sources import native


def test_the_summary_stands_first_and_counts_what_could_not_be_read(results: Results, screener: Screener) -> None:
    from eligibility.report import text

    page = text.screening(results, screener.words())
    assert page.index("patient  trial") < page.index("== p1") < page.index("== p2") < page.index("== p3")
    summary = page.partition("== p1")[0]
    assert "1 error in what came in; listed at the end." in summary


def test_records_come_in_the_order_given(clinic: Clinic) -> None:
    paths = [f"{clinic.charts}/{name}.yaml" for name in ("p3", "p1", "p2")]
    page = clinic("screen", *paths, "--as-of", DATE).stdout
    assert page.index("== p3") < page.index("== p1") < page.index("== p2")
    assert clinic("screen", *paths, "--as-of", DATE).stdout == page


SECRET = "Oberbruckner of 17 Mill Lane"


def test_a_fault_over_one_record_is_one_error_and_the_others_go_on(
    screener: Screener, clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fall(patient: Patient, *rest: object) -> object:
        if patient.id == "p2":
            raise KeyError(SECRET)
        return prepare(patient, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(verbs, "prepare", fall)
    results = screen_with(screener, [clinic.charts])
    assert [report.patient for report in results.patients] == ["p1", "p3"]
    (problem,) = results.problems
    assert problem.code == "fault"
    assert problem.file is not None
    assert problem.file.endswith("p2.yaml")
    assert "KeyError at screening.py, line " in problem.message
    assert SECRET not in str(problem)
    assert results.exit_code == 3
    result = clinic("screen", clinic.charts, "--as-of", DATE)
    assert result.exit_code == 3
    assert SECRET not in result.output
    assert "== p1" in result.stdout
    assert "== p3" in result.stdout
    for page in (html.page(results, screener.words(), screener.plans), worklist.text(worklist.worklist(results, screener.words()))):
        assert SECRET not in page
    monkeypatch.setenv("ELIGIBILITY_DEBUG", "1")
    with pytest.raises(KeyError):
        screen_with(screener, [clinic.charts])


def test_a_fault_in_reading_one_file_is_one_error_too(screener: Screener, clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = native._Reader.patient

    def fall(self: native._Reader, tree: dict[str, object], fallback: str) -> object:
        if tree["id"] == "p1":
            raise IndexError(SECRET)
        return whole(self, tree, fallback)

    monkeypatch.setattr(native._Reader, "patient", fall)
    results = screen_with(screener, [clinic.charts])
    assert [report.patient for report in results.patients] == ["p2", "p3"]
    assert [problem.code for problem in results.problems] == ["fault"]
    assert SECRET not in str(results.problems[0])


def test_a_mistake_of_the_call_still_ends_the_run(clinic: Clinic) -> None:
    with pytest.raises(UsageError, match="schedule"):
        verbs.screen(clinic.charts, as_of=DATE, rules=[clinic.rules], shipped=False, anchors={"leukapheresis": "2026-01-01"})


def test_the_bar_is_on_a_terminal_only(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    assert clinic("screen", clinic.charts, "--as-of", DATE).stderr == ""
    seen: list[tuple[int, int]] = []
    results = verbs.screen(
        clinic.charts, as_of=DATE, rules=[clinic.rules], shipped=False, progress=lambda done, total: seen.append((done, total))
    )
    assert len(results.patients) == 3
    assert seen == [(1, 3), (2, 3), (3, 3)]
    monkeypatch.setattr(output.sys.stderr, "isatty", lambda: True, raising=False)
    with output.progress_bar("Screening") as bar:
        assert bar is not None
        bar(1, 3)


def test_one_chart_still_reads_as_before(clinic: Clinic) -> None:
    page = clinic("screen", f"{clinic.charts}/p1.yaml", "--trial", "CLINIC-1", "--as-of", DATE)
    assert page.exit_code == 0
    assert "undetermined (0 barriers" in page.stdout
    assert of(verbs.screen(f"{clinic.charts}/p1.yaml", as_of=DATE, rules=[clinic.rules], shipped=False), "p1")["I4"].effect == "passes"
    assert P1.startswith("id: p1")


def test_golden_text_of_a_folder(clinic: Clinic, golden: Callable[[str, str], None]) -> None:
    last = str(clinic.path("last.json"))
    assert clinic("screen", clinic.charts, "--as-of", "2026-09-01", "--out", last).exit_code == 0
    page = clinic("screen", clinic.charts, "--as-of", DATE, "--since", last, "--visit", "2027-04-01").stdout
    assert max(map(len, page.splitlines())) <= 80
    page = page.replace(f"{clinic.charts}/", "")
    # the length of this folder's name wraps the line of the ledger, and the digest changes with every word of the library
    page = re.sub(r"Record\b[^=]*?(p\d\.yaml):\s+(\d+)\s+(entr\w+),\s+(\d+)\s+understood\.", r"Record \1: \2 \3, \4 understood.", page)
    golden("folder.txt", re.sub(r"sha256:[0-9a-f]+", "sha256:...", page))
