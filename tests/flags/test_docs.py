"""docs/flags.md: its files are read, its cases hold, its Python runs, and its tables name what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flags.conftest import ROOT

from eligibility.language.flag_files import check_flag_file
from eligibility.language.library import RuleLibrary
from eligibility.model.flag import PRODUCT_WORDS, FlagRule
from eligibility.report.schema import screening_schema
from eligibility.workbench.cases import run_cases

PAGE = (ROOT / "docs" / "flags.md").read_text(encoding="utf-8")


def block(kind: str) -> str:
    found = re.search(rf"^```{kind}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    assert found is not None, kind
    return found.group(1)


def test_the_flag_file_of_the_page_has_no_mistake(library: RuleLibrary, tmp_path: Path) -> None:
    path = tmp_path / "page.yaml"
    path.write_text(block("yaml flags"), encoding="utf-8")
    assert check_flag_file(path, library, library.flags, "page.yaml") == []


def test_the_cases_of_the_page_hold(library: RuleLibrary, tmp_path: Path) -> None:
    path = tmp_path / "cases.yaml"
    path.write_text(block("yaml cases"), encoding="utf-8")
    report = run_cases([path], library)
    assert not report.problems
    assert not report.failures
    assert report.passed == 1


def test_the_python_of_the_page_runs() -> None:
    exec(compile(block("python"), "docs/flags.md", "exec"), {})


def test_the_page_names_every_word_and_every_field() -> None:
    for name in FlagRule.model_fields:
        if name != "answered":
            assert f"`{name}`" in PAGE, name
    for word in PRODUCT_WORDS:
        assert f"`{word}" in PAGE, word
    for name in screening_schema()["$defs"]["flag"]["properties"]:
        assert f"`{name}`" in PAGE, name


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)#]+)\)", PAGE))
def test_links_of_the_page_lead_somewhere(link: str) -> None:
    assert (ROOT / "docs" / link).exists()
