"""The day list as a file: self-contained, accessible, in the words of the program, the same bytes each time."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from clinic import accessibility
from clinic.accessibility import Tree
from clinic.desk import DATE, FIXTURES, Clinic
from eligibility.report import html
from eligibility.report.results import Results
from eligibility.report.since import lapses
from eligibility.report.words import STATUS
from eligibility.screening import Screener, screen_with

ADVICE = re.compile(
    r"\b(eligible|ineligible|recommend\w*|should|safe|safely|unsafe|contraindicat\w*|best match|approv\w*|reject\w*)\b", re.IGNORECASE
)
VISIT = dt.date(2027, 4, 1)


@pytest.fixture(scope="module")
def page(results: Results, screener: Screener) -> str:
    return html.page(results, screener.words(), screener.plans, changes=html.Changes(None, VISIT, lapses(results, VISIT)))


def portable(page: str) -> str:
    """Without the folder of this run and the digest of the library; an element a line, so that a diff can be read."""
    page = re.sub(r"sha256:[0-9a-f]+", "sha256:...", page)
    page = re.sub(r"/[^\s<:]*/charts/", "charts/", page)
    page = re.sub(r"<style>.*?</style>", "<style>...</style>", page, flags=re.DOTALL)
    return re.sub(r"(</(?:p|li|ul|h\d|tr|section|div|header|nav|table|caption|thead)>)", r"\1\n", page)


def test_golden_page(page: str, golden: Callable[[str, str], None]) -> None:
    golden("day-list.html", portable(page))


def test_the_page_passes_every_accessibility_check(page: str) -> None:
    assert accessibility.problems(page) == []


def test_so_does_a_page_of_the_shipped_trials_and_one_of_nothing(results: Results, screener: Screener) -> None:
    shipped = Screener.build(as_of=DATE, diseases=["ms"])
    charts = [FIXTURES / f"{name}.yaml" for name in ("ms-01", "ms-02", "mg-01")]
    many = html.page(screen_with(shipped, charts), shipped.words(), shipped.plans)
    one = html.page(screen_with(Screener.build(as_of=DATE, trials=["NCT06675864"]), charts[:1]), shipped.words(), shipped.plans)
    none = html.page(replace(results, patients=(), problems=()), screener.words(), screener.plans)
    for found in (many, one, none):
        assert accessibility.problems(found) == []
    assert "Flags: what published sources list" in one
    assert '<b>source</b> <span>"' in one


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda page: page.replace(' lang="en"', ""), "language"),
        (lambda page: page.replace("<h3", "<h4", 1).replace("</h3>", "</h4>", 1), "follows"),
        (lambda page: re.sub(r'<label for="r1-1-I3">', "<label>", page), "no label"),
        (lambda page: re.sub(r"<caption>.*?</caption>", "", page), "caption"),
        (lambda page: page.replace(' scope="row"', "", 1), "scope"),
        (lambda page: page.replace('href="#r1-1"', 'href="#r9-9"', 1), "leads nowhere"),
        (lambda page: page.replace("color: #404040", "color: #999999", 1), "to 1"),
        (lambda page: page.replace('aria-label="Table of records and trials"', 'aria-labelledby="matrix"'), "two regions"),
        (lambda page: page.replace("</body>", "<script>1</script></body>"), "script"),
        (lambda page: page.replace("</main>", "<img src=x></main>"), "load"),
        (lambda page: page.replace('id="matrix"', 'id="since"', 1), "points at no element"),
    ],
)
def test_the_checks_find_what_is_wrong(page: str, harm: Callable[[str], str], said: str) -> None:
    harmed = harm(page)
    assert harmed != page
    assert any(said in one for one in accessibility.problems(harmed))


def test_nothing_is_loaded_and_nothing_runs(page: str) -> None:
    assert "default-src 'none'" in page
    assert not re.search(r"https?://|//|<script|javascript:|@import|url\(", re.sub(r"<!DOCTYPE html>", "", page).replace("&lt;", ""))


def test_the_matrix_comes_first_and_has_every_pair(page: str, results: Results) -> None:
    tree = Tree(page).root
    (table,) = tree.find("table")
    head, *rows = [[cell.text() for cell in row.children] for row in table.find("tr")]
    assert head == ["Record", "CLINIC-1", "CLINIC-2"]
    assert [row[0] for row in rows] == ["p1", "p2", "p3 (has died)"]
    for row, report in zip(rows, results.patients, strict=True):
        for cell, screening in zip(row[1:], report.result.screenings, strict=True):
            assert cell.startswith(STATUS[screening.status])
            assert re.search(r"\d+ open, \d+ for people", cell)
    assert page.index("<table") < page.index('class="patient"')


def test_a_record_has_a_sheet_of_its_own_with_everything_to_check(page: str) -> None:
    tree = Tree(page).root
    sections = [node for node in tree.find("section") if node.attributes.get("class") == "patient"]
    assert [node.find("h2")[0].text() for node in sections] == ["Record p1", "Record p2", "Record p3"]
    first = sections[0].text()
    # what a person looks for in the chart: date, value, unit, place; the days between which a value counts
    assert re.search(r"settled by a result of Hemoglobin dated between 2026-10-04 and 2026-11-01", first)
    assert 'I6 "Was the consent form signed?" yes no' in first
    assert "The published list: an example registry, record of 2026-08-22: the public record lists only some of the criteria" in first
    assert "ocrelizumab from 2026-09-10" in first
    assert "2026-11-18: I2 passes, then open" in first
    assert "The record says that this person has died" in sections[2].text()
    assert "Died on or before the screening date" in sections[2].text()


def test_every_open_criterion_of_a_trial_without_barrier_has_its_box(page: str, results: Results) -> None:
    tree = Tree(page).root
    boxes = {node.attributes["id"] for node in tree.find("input")}
    asked = 0
    for number, report in enumerate(results.patients, start=1):
        for at, screening in enumerate(report.result.screenings, start=1):
            shut = any(result.effect == "blocks" for result in screening.criteria)
            for result in screening.criteria:
                place = f"r{number}-{at}-{result.id}"
                has = place in boxes or any(box.startswith(place) and box.endswith("-yes") for box in boxes)
                assert has is (result.effect == "open" and not shut), (report.patient, screening.trial, result.id)
                asked += has
    assert asked > 10


def test_no_name_of_a_person_is_needed_and_ids_are_escaped(screener: Screener, results: Results) -> None:
    (first, *_) = results.patients
    evil = replace(first, result=replace(first.result, patient='<img src=x onerror=1> & "p1"'))
    page = html.page(replace(results, patients=(evil,)), screener.words(), screener.plans)
    assert "<img" not in page
    assert accessibility.problems(page) == []


def test_the_page_is_the_same_bytes_and_plain_words(page: str, results: Results, screener: Screener) -> None:
    assert html.page(results, screener.words(), screener.plans, changes=html.Changes(None, VISIT, lapses(results, VISIT))) == page
    text = Tree(re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)).root.text()
    assert ADVICE.search(text) is None
    assert "None" not in text.replace("None raised", "")


def test_the_shipped_trials_in_our_own_voice_give_no_advice() -> None:
    shipped = Screener.build(as_of=DATE, diseases=["ms"])
    found = screen_with(shipped, [FIXTURES / "ms-01.yaml", FIXTURES / "ms-02.yaml"])
    page = html.page(found, shipped.words(), shipped.plans)
    root = Tree(re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)).root
    # what is quoted is not ours: paraphrases of criteria, titles of trials and sources, questions of the rule files
    quotes = {node.text() for node in root.find("q", "h3")}
    quotes |= {one.text for plan in shipped.plans.values() for criterion in plan.criteria for one in criterion.questions}
    quotes |= {reason.item for _, screening in found.screenings() for result in screening.criteria for reason in result.reasons}
    quotes |= {flag.rule.title for _, screening in found.screenings() for flag in screening.flags}
    text = root.text()
    for quote in sorted(filter(None, quotes), key=len, reverse=True):
        text = text.replace(" ".join(quote.split()), "")
    assert ADVICE.search(text) is None, ADVICE.search(text)


def test_the_command_writes_it_by_format_and_by_ending(clinic: Clinic) -> None:
    out = clinic.path("monday.html")
    assert clinic("screen", clinic.charts, "--as-of", DATE, "--out", str(out)).exit_code == 0
    text = out.read_text(encoding="utf-8")
    assert text.startswith("<!DOCTYPE html>")
    assert clinic("screen", clinic.charts, "--as-of", DATE, "--format", "html").stdout == text


def test_what_is_different_and_what_lapses_stand_before_the_records(clinic: Clinic) -> None:
    last = clinic.path("last.json")
    clinic("screen", clinic.charts, "--as-of", "2026-09-01", "--out", str(last))
    page = clinic("screen", clinic.charts, "--as-of", DATE, "--since", str(last), "--visit", "2027-04-01", "--format", "html").stdout
    assert accessibility.problems(page) == []
    assert (
        page.index("<table") < page.index("Since 2026-09-01") < page.index("Until the visit on 2027-04-01") < page.index('class="patient"')
    )
    assert "closed" in page
