"""Every sentence the program says: plain, complete, and without a word of advice (MEANING 11)."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import eligibility
from eligibility.model.finding import Assumption, CriterionResult, Evidence, Need, Reason
from eligibility.model.time import FOREVER_DAY, NEVER_DAY
from eligibility.model.truth import Truth
from eligibility.report.words import Words, day_text
from eligibility.vocabulary.loader import shipped

PACKAGE = Path(eligibility.__file__).parent

# MEANING 11; "eligibility" is the program's name and no verdict
ADVICE = re.compile(
    r"\b(eligible|ineligible|recommend\w*|should|safe|safely|unsafe|contraindicat\w*|best match|approv\w*|reject\w*)\b", re.IGNORECASE
)


def strings(path: Path) -> list[tuple[int, str]]:
    """Every string constant of a module that it could say; docstrings of modules, classes and functions are for developers."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
        and not (isinstance(node, ast.FunctionDef) and path.parent.name == "cli")  # a command's docstring is its help
    }
    return [
        (node.lineno, node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings
    ]


@pytest.mark.parametrize("room", ["report", "cli", "workbench"])
def test_no_string_of_the_program_gives_advice(room: str) -> None:
    files = sorted((PACKAGE / room).glob("*.py"))
    assert files
    # unsafe-inline is a word of a page's security header, and nobody reads it
    said = [(file.name, line, text) for file in files for line, text in strings(file) if ADVICE.search(text.replace("unsafe-inline", ""))]
    assert said == []


def test_the_scan_finds_advice() -> None:
    assert ADVICE.search("this patient is eligible")
    assert ADVICE.search("It should be rejected.")
    assert not ADVICE.search("eligibility 0.1.0")


def test_no_sentence_gives_advice_or_leaves_a_gap(sentences: list[str]) -> None:
    assert len(sentences) > 100
    for sentence in sentences:
        assert not ADVICE.search(sentence), sentence
        assert "None" not in sentence, sentence
        assert "{" not in sentence, sentence
        assert "  " not in sentence, sentence
        assert sentence.isascii(), sentence
        assert sentence == sentence.strip()
        assert sentence


def test_every_sentence_of_the_reports_is_plain_ascii() -> None:
    for file in sorted((PACKAGE / "report").glob("*.py")):
        if file.name == "text.py":
            continue  # it holds the table of signs that it spells out
        for line, text in strings(file):
            assert text.isascii(), (file.name, line, text)


def test_a_presumed_answer_is_worded_as_silence(words: Words) -> None:
    said = words.assumption(Assumption("silence", "pml", "condition", start=20000, end=20100))
    assert said.startswith("nothing recorded of progressive multifocal leukoencephalopathy")
    assert "taken as absent" in said


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        (Reason("not_recorded", "edss"), "nothing recorded of EDSS"),
        (
            Reason("not_recorded", "ocrelizumab", "dose", "MedicationRequest/4"),
            "the dose of ocrelizumab is not recorded [MedicationRequest/4]",
        ),
        (
            Reason("unconfirmed", "pml", "status", "Condition/1"),
            "an entry may be progressive multifocal leukoencephalopathy and is not certain to be [Condition/1]",
        ),
        (Reason("imprecise_date", "ocrelizumab", "end", None), "the end date of ocrelizumab is not exact enough"),
        (Reason("not_published", "edss", "value"), "the source publishes no limit for EDSS"),
        (Reason("needs_judgement", "Is it uncontrolled?"), 'a person has to answer: "Is it uncontrolled?"'),
        (Reason("not_recorded", "hemoglobin", "input"), "nothing recorded of haemoglobin, from which the value is computed"),
    ],
)
def test_reasons_read_as_sentences(words: Words, reason: Reason, sentence: str) -> None:
    assert words.reason(reason) == sentence


def test_needs_name_what_a_nurse_can_look_for(words: Words) -> None:
    record = Need("record", "edss", "observation", start=20668, end=20758)
    assert words.need(record) == "a result of EDSS dated between 2026-08-03 and 2026-11-01"
    refine = Need("refine", "ocrelizumab", "medication", "end", "MedicationRequest/4")
    assert words.need(refine) == "the exact end date of ocrelizumab [MedicationRequest/4]"


def open_with(*settled_by: tuple[Need, ...], **more: Any) -> CriterionResult:
    values: dict[str, Any] = {"applies": Truth.TRUE, "not_applicable": False, "finding": None, **more}
    return CriterionResult("I1", "inclusion", None, Truth.UNKNOWN, "open", settled_by=settled_by, **values)


def test_what_settles_is_said_once_with_its_alternatives(words: Words) -> None:
    record = Need("record", "pml", "condition", start=20668, end=20758)
    none = replace(record, absence=True)
    said = words.settled_by(open_with((record, none), (record, record)))
    assert said == [
        "an entry of progressive multifocal leukoencephalopathy dated between 2026-08-03 and 2026-11-01, or "
        "a statement that there was no progressive multifocal leukoencephalopathy between 2026-08-03 and 2026-11-01",
        "an entry of progressive multifocal leukoencephalopathy dated between 2026-08-03 and 2026-11-01",
    ]
    assert words.settled_by(open_with((record,), (record,)))[0].startswith("2 of these, on different days: an entry of")


def test_an_absence_that_a_wider_one_takes_in_is_not_asked_twice(words: Words) -> None:
    wide = Need("record", "a, b, c", "medication", start=1, end=2, absence=True)
    narrow = replace(wide, item="a, c")
    other = replace(wide, item="a, d")
    assert words.settled_by(open_with((narrow,), (wide,), (other,))) == [words.need(wide), words.need(other)]


def test_an_entry_is_called_by_its_own_name_and_not_by_the_list_that_asks(words: Words) -> None:
    source = "MedicationRequest/4"
    evidence = (Evidence("medication", "ocrelizumab", "2021", source=source),)
    reason = Reason("not_recorded", "azathioprine, ocrelizumab", "outcome", source)
    need = Need("refine", "azathioprine, ocrelizumab", "medication", "outcome", source)
    result = open_with((need,), reasons=(reason,), evidence=evidence)
    assert words.why(result) == [f"the outcome of ocrelizumab is not recorded [{source}]"]
    assert words.settled_by(result) == [f"the outcome (response, no response, loss of response, intolerance) of ocrelizumab [{source}]"]


def test_a_list_is_called_by_its_entries_and_a_long_one_by_the_first() -> None:
    words = Words.of(shipped())
    assert words.label("ocrelizumab, rituximab") == "ocrelizumab or rituximab"
    drugs = "azathioprine, mycophenolate, methotrexate, cyclophosphamide, ocrelizumab"
    assert words.label(drugs) == "azathioprine, mycophenolate, methotrexate or another of the 5 that the rule lists"
    assert words.label("Is it new, and does it matter?") == "Is it new, and does it matter?"


def test_a_result_that_is_there_is_not_called_absent(words: Words) -> None:
    evidence = (Evidence("observation", "edss", "2026-10-20", value="4"),)
    result = open_with(reasons=(Reason("not_recorded", "edss"),), evidence=evidence)
    assert words.why(result) == ["too little recorded of EDSS to answer this"]


def test_evidence_shows_date_value_and_place(words: Words) -> None:
    assert (
        words.evidence(Evidence("condition", "pml", "2019", status="active"))
        == "progressive multifocal leukoencephalopathy from 2019 (active)"
    )
    assert words.evidence(Evidence("observation", "birth date", "1980-05-01")) == "birth date 1980-05-01"
    assert words.evidence(Evidence("observation", "sex", None, value="female")) == "sex female"


@pytest.mark.parametrize("day", [None, NEVER_DAY, NEVER_DAY + 20_000, FOREVER_DAY, FOREVER_DAY - 1])
def test_a_day_at_the_ends_of_time_is_no_date(day: int | None) -> None:
    assert day_text(day) is None
    assert Words().span(day, 0) == "on or before 1970-01-01"
