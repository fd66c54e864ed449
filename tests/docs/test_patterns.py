"""The 95 constructs of published criteria: each computable one with a record that is true, one false, one unknown."""

from __future__ import annotations

import datetime as dt
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from eligibility.language.library import load_library
from eligibility.model.finding import CriterionResult, Screening

ROOT = Path(__file__).resolve().parents[2]


def _generate() -> Any:
    """docs/generate.py, which reads the pattern files; it is a script and no package."""
    if "docs_generate" not in sys.modules:
        spec = importlib.util.spec_from_file_location("docs_generate", ROOT / "docs" / "generate.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules["docs_generate"] = module
        spec.loader.exec_module(module)
    return sys.modules["docs_generate"]


generate = _generate()
PATTERNS = {pattern.id: pattern for pattern in generate.read_patterns()}
CONSTRUCTS = [f"1.{n}" for n in range(1, 53)] + [f"2.{n}" for n in range(1, 44)]
NO_COMPUTATION = {"1.11", "1.12", "1.39", "1.46", "1.52", "2.27", "2.41", "2.42", "2.43"}
"""The only constructs that may be a question, a note or not published and nothing else."""


def results(screening: Screening) -> Iterator[tuple[str, CriterionResult]]:
    """Every criterion by its name, ``arm/criterion`` in an arm."""
    for result in screening.criteria:
        yield result.id, result
    for arm in screening.arms:
        for result in arm.criteria:
            yield f"{arm.arm}/{result.id}", result


def test_every_construct_has_a_pattern() -> None:
    assert list(PATTERNS) == CONSTRUCTS


def test_only_what_cannot_be_computed_is_left_to_people() -> None:
    assert {pattern.id for pattern in PATTERNS.values() if pattern.kind not in ("computable", "part")} <= NO_COMPUTATION


@pytest.mark.parametrize("name", CONSTRUCTS)
def test_a_computable_construct_is_shown_true_false_and_unknown(name: str) -> None:
    pattern = PATTERNS[name]
    shown = [{answer.removeprefix("presumed ").partition(":")[0] for answer in example.answers.values()} for example in pattern.examples]
    assert pattern.examples
    assert all(example.why for example in pattern.examples)
    if pattern.kind in ("computable", "part"):
        assert len(shown) == 3
        assert set().union(*shown) == {"true", "false", "unknown"}
        if not pattern.trials and not pattern.versions:
            assert shown == [{"true"}, {"false"}, {"unknown"}]


def _trials(name: str, desk: Any, example: Any, folder: Path) -> Iterator[tuple[str, Any]]:
    """The plans of a pattern by the prefix of its answers: none for one rule, the trial's id for several."""
    pattern = PATTERNS[name]
    if pattern.rule:
        yield "", desk.plan(pattern.words())
    for trial, text in pattern.trials.items():
        words = plain(text)
        words.setdefault("trial", {"id": trial, "title": pattern.title})
        yield f"{trial}/", desk.plan(words)
    if pattern.versions:
        for number, text in enumerate(pattern.versions):
            (folder / f"{number}.yaml").write_text(text, encoding="utf-8")
        library = load_library([folder], shipped=False, as_of=dt.date.fromisoformat(example.on), vocabulary=desk.library.vocabulary)
        for trial, file in library.trials.items():
            yield f"{trial}/", desk.plan(file.model_dump(mode="json", by_alias=True, exclude_defaults=True))


def plain(text: str) -> Any:
    return generate._plain(text)


@pytest.mark.parametrize(("name", "number"), [(pattern.id, n) for pattern in PATTERNS.values() for n in range(len(pattern.examples))])
def test_its_records_come_out_as_written(name: str, number: int, desk: Any, said: Any, expected: Any, tmp_path: Path) -> None:
    example = PATTERNS[name].examples[number]
    got: dict[str, Any] = {}
    status: dict[str, str] = {}
    for prefix, plan in _trials(name, desk, example, tmp_path):
        screening = desk.screen(
            plan,
            generate.flow(example.record),
            on=dt.date.fromisoformat(example.on) if example.on else dt.date(2026, 11, 1),
            anchors=example.anchors,
            site=example.site,
            answers=example.attested,
        )
        got.update({f"{prefix}{criterion}": said(result) for criterion, result in results(screening)})
        status[prefix.rstrip("/")] = screening.status
        status.update({f"{prefix}{arm.arm}": arm.status for arm in screening.arms})
    assert {key: got[key] for key in example.answers} == {key: expected(cell) for key, cell in example.answers.items()}
    assert {key: status[key] for key in example.status} == example.status


@pytest.mark.parametrize("name", CONSTRUCTS)
def test_rules_check_finds_nothing_wrong(name: str, desk: Any) -> None:
    pattern = PATTERNS[name]
    files = [pattern.words()] if pattern.rule else []
    files += [{"trial": {"id": trial, "title": pattern.title}, **plain(text)} for trial, text in pattern.trials.items()]
    files += [plain(text) for text in pattern.versions]
    for words in files:
        assert [str(one) for one in desk.mistakes(words)] == []
