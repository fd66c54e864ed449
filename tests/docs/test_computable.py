"""What ``docs/library.md`` says is not computable, held to the rule files and, where they are there, to the dossiers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from eligibility.language.library import load_definitions, load_trial
from eligibility.model.criteria import AgeAtom, Ask, Exemption, FactAtom, Meets, NotPublished, SexAtom
from eligibility.model.limits import NotGiven
from eligibility.model.trial import Criterion, Definition, TrialFile

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = (ROOT / "docs" / "library.md").read_text(encoding="utf-8")
SHARED = load_definitions(ROOT / "rules" / "definitions" / "shared.yaml")
TRIALS = {path.stem: load_trial(path) for path in sorted((ROOT / "rules" / "trials").glob("*.yaml"))}
REASONS = ("number not published: ", "ambiguous in the source: ", "not charted: ")
GOAL = 15
"""The most, in percent, of the items not marked as judgement that may be listed."""


def section(text: str, heading: str) -> str:
    """The text below a heading of the second level, up to the next one."""
    parts = text.split(f"\n## {heading}\n")
    assert len(parts) == 2, f"one heading «{heading}» is needed"
    return parts[1].split("\n## ")[0]


def tables(text: str) -> Iterator[tuple[list[str], list[list[str]]]]:
    """The head and the rows of each table, cell by cell."""
    for block in re.findall(r"(?:^\|.*\|\n)+", text + "\n", re.MULTILINE):
        head, rule, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in block.splitlines()]
        assert set("".join(rule)) <= {"-"}
        assert {len(row) for row in rows} == {len(head)}, head
        yield head, rows


(_, COUNTS), (_, LISTED) = tables(section(LIBRARY, "What is not computable, and why"))
TOTALS = {row[0]: row[1:] for row in COUNTS}
ROWS = [dict(zip(("trial", "item", "criteria", "asks", "reason", "computed"), row, strict=True)) for row in LISTED]


def listed(trial: str) -> set[tuple[str, str]]:
    """Item and criterion of each row of a trial."""
    return {(row["item"], one) for row in ROWS if row["trial"] == trial for one in row["criteria"].split(", ")}


# -- what a criterion rests on --------------------------------------------------------------------


def inside(part: Any, definitions: Mapping[str, Definition]) -> Iterator[Any]:
    """Everything that a piece of a rule holds, and what the definitions that it meets hold."""
    if isinstance(part, tuple):
        for one in part:
            yield from inside(one, definitions)
        return
    yield part
    if isinstance(part, Meets):
        yield from inside(definitions[part.meets].when, definitions)
    if isinstance(part, BaseModel):
        for name in type(part).model_fields:
            yield from inside(getattr(part, name), definitions)


@dataclass(frozen=True)
class Rests:
    """Whether the body of a criterion has an atom about the record, and what beside it no record answers."""

    record: bool
    unpublished: bool
    asked: bool

    @property
    def listed(self) -> bool:
        """Whether it belongs in the table."""
        return not self.record or self.unpublished


def rests(criterion: Criterion, trial: TrialFile) -> Rests:
    definitions = {**SHARED, **trial.definitions}
    body = list(inside(criterion.statement, definitions))
    # whom a criterion applies to does not answer it, so its atoms do not count; what nobody published does, wherever it stands
    whole = [*body, *inside((criterion.applies_when, criterion.unless), definitions)]
    return Rests(
        record=any(isinstance(one, FactAtom | AgeAtom | SexAtom) for one in body),
        unpublished=any(isinstance(one, NotPublished | NotGiven) for one in whole),
        # silence about a plan is a question, too
        asked=any(
            isinstance(one, Ask)
            or (isinstance(one, Exemption) and one.ask is not None)
            or (isinstance(one, FactAtom) and bool(one.planned))
            for one in whole
        ),
    )


def by_item(trial: TrialFile) -> dict[str, dict[str, Rests]]:
    """What each criterion rests on, by the item of the source and the criterion's id. One that stands in two arms is one if alike."""
    out: dict[str, dict[str, Rests]] = {}
    for _, _, criterion in trial.criteria():
        parts = out.setdefault(criterion.part_of or criterion.id, {})
        found = rests(criterion, trial)
        assert parts.setdefault(criterion.id, found) == found, f"{trial.id} {criterion.id}: its arms differ"
    return out


ITEMS = {name: by_item(trial) for name, trial in TRIALS.items()}


def share(part: int, of: int) -> str:
    return f"{100 * part / of:.1f} %" if of else "no item"


# -- the tables by themselves ---------------------------------------------------------------------


def test_every_trial_has_its_line_and_every_item_one_row() -> None:
    assert list(TOTALS) == [*TRIALS, "**all**"]
    keys = [(row["trial"], row["item"]) for row in ROWS]
    assert keys
    assert len(keys) == len(set(keys))
    assert {trial for trial, _ in keys} <= set(TRIALS)
    assert [row for row in ROWS if not row["asks"] or not row["reason"].startswith(REASONS)] == []


def test_the_counts_and_the_shares_are_right_and_within_the_goal() -> None:
    trials = {name: [int(cell) for cell in cells[:5]] for name, cells in TOTALS.items() if name in TRIALS}
    assert [int(cell) for cell in TOTALS["**all**"][:5]] == [sum(column) for column in zip(*trials.values(), strict=True)]
    for name, cells in TOTALS.items():
        items, open_to_facts, computed, questions, count = (int(cell) for cell in cells[:5])
        assert items >= open_to_facts == computed + questions + count, name
        assert cells[5] == share(count, open_to_facts), name
    assert {name: cells[4] for name, cells in trials.items()} == {name: sum(row["trial"] == name for row in ROWS) for name in TRIALS}
    assert 100 * len(ROWS) <= GOAL * sum(cells[1] for cells in trials.values())


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['trial']}-{row['item']}")
def test_what_is_listed_rests_on_no_fact_or_on_what_is_not_public(row: dict[str, str]) -> None:
    parts = ITEMS[row["trial"]][row["item"]]
    names = row["criteria"].split(", ")
    assert set(names) == {name for name, found in parts.items() if found.listed}
    computed = "other parts" if len(names) < len(parts) else "one answer" if any(parts[name].record for name in names) else "nothing"
    assert row["computed"] == computed


@pytest.mark.parametrize("name", TRIALS)
def test_the_page_of_the_trial_agrees(name: str) -> None:
    """A page may list what is ours beside the items of the dossier, and says so."""
    text = section((ROOT / "docs" / "library" / f"{name}.md").read_text(encoding="utf-8"), "Not computable")
    rows = [row for _, table in tables(text) for row in table if not row[0].endswith("(ours)")]
    expected = {one if one == item else f"{one}, a part of {item}": item for item, one in listed(name)}
    assert sorted(row[0] for row in rows) == sorted(expected)
    reasons = {row["item"]: row["reason"].split(":")[0] for row in ROWS if row["trial"] == name}
    assert {row[0]: row[1].split(":")[0] for row in rows} == {cell: reasons[item] for cell, item in expected.items()}


# -- the tables against the dossiers --------------------------------------------------------------


@pytest.mark.parametrize("name", TRIALS)
def test_nothing_that_the_dossier_leaves_to_facts_is_missing(name: str, shared: Callable[..., Path]) -> None:
    dossier = yaml.safe_load(shared("trials", f"{name}.yaml").read_text(encoding="utf-8"))
    items: list[dict[str, Any]] = dossier["criteria"]
    # marked is true, or a word on whose judgement it is; null and false mark nothing
    facts = [str(item["id"]) for item in items if not item["judgement"]]
    parts = {item: ITEMS[name][item] for item in facts}
    missing = {item: found for item, found in parts.items() if any(one.listed for one in found.values())}
    assert {(item, one) for item, found in missing.items() for one, rest in found.items() if rest.listed} == listed(name)
    questions = [item for item, found in parts.items() if item not in missing and any(one.asked for one in found.values())]
    computed = len(facts) - len(questions) - len(missing)
    assert TOTALS[name][:5] == [str(count) for count in (len(items), len(facts), computed, len(questions), len(missing))]
