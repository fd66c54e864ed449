"""Each mistake a rule author can make: its code, its place, its words, and what to write instead.

``tests/broken/rules`` has one tiny file for each; ``EXPECTED.txt`` beside them is what is said of each,
line by line, as it is printed.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from eligibility import yaml_tree
from eligibility.errors import Problem, RuleFileError
from eligibility.language.checks import QUESTIONS, check_file, codes
from eligibility.language.diagnostics import INSTEAD
from eligibility.language.library import RuleLibrary, load_trial, parse_trial
from eligibility.language.reader import read_yaml_file
from eligibility.model.criteria import FactAtom
from eligibility.model.limits import Titre

ROOT = Path(__file__).resolve().parents[2]
BROKEN = ROOT / "tests" / "broken" / "rules"
FILES = sorted(BROKEN.glob("*.yaml"))
EXPECTED = (BROKEN / "EXPECTED.txt").read_text(encoding="utf-8").splitlines()
DOCUMENTED = set(re.findall(r"^\| `([a-z0-9-]+)` \|", (ROOT / "docs" / "language" / "checks.md").read_text(encoding="utf-8"), re.M))

# brought about by a test of their own: they need no file, several files, or a file too large to keep
ELSEWHERE = {"cannot-read", "too-large", "trial-twice", "version-order"}


def problems_of(file: Path, library: RuleLibrary) -> list[Problem]:
    return check_file(file, library, file.name)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_says_what_where_and_what_to_write(file: Path, library: RuleLibrary) -> None:
    expected = [line for line in EXPECTED if line.startswith(f"{file.name}:")]
    assert [str(problem) for problem in problems_of(file, library)] == expected
    assert bool(expected) == (file.stem != "reads-right")


def test_the_parser_in_python_says_the_same(library: RuleLibrary, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where PyYAML came without its C parser the rules read alike, only slower."""
    monkeypatch.setattr(yaml_tree, "_Parser", yaml.SafeLoader)
    assert [str(problem) for file in FILES for problem in problems_of(file, library)] == EXPECTED


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_place_is_where_the_text_stands(file: Path, library: RuleLibrary) -> None:
    lines = file.read_bytes().decode("utf-8", "replace").replace("\t", " ").split("\n")
    for problem in problems_of(file, library):
        assert problem.line is not None
        assert problem.column is not None
        at = lines[problem.line - 1][problem.column - 1 :]
        if problem.text and not problem.text.startswith(("U+", "\\t")):
            # what is shown begins at the place; a text in quotes begins one mark later
            shown = problem.text.removesuffix("...")
            assert at.lstrip("\"'").startswith(shown) or shown.split()[0].split(":")[0] in lines[problem.line - 1], str(problem)
        assert problem.instead, str(problem)


@pytest.mark.parametrize("file", [file for file in FILES if file.stem not in ("reads-right", "many-mistakes")], ids=lambda file: file.stem)
def test_one_mistake_is_one_problem(file: Path, library: RuleLibrary) -> None:
    found = problems_of(file, library)
    assert len(found) == 1
    assert (found[0].severity == "question") == (found[0].code in QUESTIONS)


def test_every_code_fires_and_has_its_line_in_the_docs(library: RuleLibrary) -> None:
    fired = {problem.code for file in FILES for problem in problems_of(file, library)}
    assert fired.isdisjoint(ELSEWHERE)
    assert fired | ELSEWHERE == DOCUMENTED
    assert codes() <= fired
    assert set(INSTEAD) <= fired


def test_all_mistakes_of_a_file_come_at_once(library: RuleLibrary) -> None:
    found = [problem.code for problem in problems_of(BROKEN / "many-mistakes.yaml", library)]
    # of shape (a broken criterion, a visit, an id that stands twice) and of meaning, in the order of the file
    assert found == ["duration", "unknown-key", "no-unit", "unknown-concept", "twice", "not-one-of", "missing-key"]


def test_an_error_of_loading_carries_them_all() -> None:
    with pytest.raises(RuleFileError) as caught:
        load_trial(BROKEN / "many-mistakes.yaml")
    assert [problem.code for problem in caught.value.problems] == ["duration", "unknown-key", "twice", "not-one-of", "missing-key"]
    assert "did you mean latest" in str(caught.value)
    assert caught.value.exit_code == 4


def test_what_yaml_would_twist_reads_right() -> None:
    trial = load_trial(BROKEN / "reads-right.yaml")
    assert (trial.trial.title, trial.trial.sponsor, trial.trial.phase, trial.trial.acronym) == ("010", "NO", "1_000", "12:30")
    assert trial.trial.notes == ("yes", "null", "~", "0x10", "1e3", "2026-01-01")
    first, second, third = trial.inclusion
    assert first.id == "010"
    assert first.text == "ANA at least 1:40, or more"
    assert isinstance(first.when, FactAtom)
    assert first.when.latest is not None
    assert first.when.latest.at_least == Titre(40)
    assert second.when is not None
    assert second.when.is_ == ("NO",)  # type: ignore[attr-defined]
    assert third.when.ask == "Is it so?"  # type: ignore[union-attr]


def test_a_broken_part_is_left_out_and_the_rest_stays() -> None:
    parsed = parse_trial(read_yaml_file(BROKEN / "many-mistakes.yaml"))
    assert parsed.trial is not None
    assert [criterion.id for criterion in parsed.trial.inclusion] == ["I2", "I3"]
    assert not parsed.trial.exclusion
    assert parsed.dropped == {"screening"}
    assert parsed.tree.place(("inclusion", 0, "text")) == (6, 20)
