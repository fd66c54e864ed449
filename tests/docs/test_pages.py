"""The pages of docs/language say what the engine does: every example on every page is executed.

A page is Markdown. Fenced blocks with these words after the backticks are read, in order:

``yaml file``       words of a rule file (schedule, lists, definitions, derived) that the rules after it stand in
``yaml statement``  a statement; it is asked as the only inclusion criterion
``yaml inclusion``  or ``exclusion``: the body of a criterion of that list
``yaml trial``      a whole rule file, its header perhaps left out
``yaml patient``    a record, followed by an ``answer`` block
``yaml refused C``  a statement, criterion or file for which ``rules check`` gives the error C
``yaml asked C``    one for which it asks the question C

A table whose head names fields of a record (``observations``, ``medications``, ``birth_date`` ..., or ``record`` for all of it)
holds one example a row for the rule above it. Its other columns are the settings ``on``, ``anchors``, ``site``, ``absence`` and
``answered``; what is expected, ``answer``, ``effect``, ``status`` or a criterion's name; and ``why``, which is for readers.
"""

from __future__ import annotations

import ast
import datetime as dt
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from eligibility.model import criteria, trial
from eligibility.model.criteria import Node
from eligibility.model.finding import CriterionResult, Screening
from eligibility.model.patient import Patient
from eligibility.model.trial import TrialFile

ROOT = Path(__file__).resolve().parents[2]
PAGES = ROOT / "docs" / "language"
NOT_PAGES = {"index.md", "patterns.md", "checks.md"}
"""Made from the pages, run by test_patterns.py, run by tests/language."""

AS_OF = dt.date(2026, 11, 1)
FIELDS = {name for name in Patient.model_fields if name != "id"}
LISTS = {name for name in FIELDS if name.endswith("s") and name not in ("births",)}
EFFECTS = {"passes", "blocks", "open", "not applicable"}


@dataclass
class Example:
    """One record for one rule, what is set, and what is expected by column."""

    page: str
    line: int
    words: dict[str, Any]
    record: str
    settings: dict[str, str] = field(default_factory=dict)
    expected: dict[str, str] = field(default_factory=dict)


@dataclass
class Refusal:
    """A rule as typed, and the code that ``rules check`` is to give for it."""

    page: str
    line: int
    text: str
    kind: str
    code: str


def plain(text: str) -> Any:
    return yaml.load(text, Loader=yaml.BaseLoader)


def criterion_of(text: str, kind: str) -> dict[str, Any]:
    """The words of a rule file with the one criterion X."""
    body = plain(text)
    if kind == "statement":
        body = {"when": body} if not body.keys() & {"ask", "not_published"} else body
        kind = "inclusion"
    return {kind: [{"id": "X", "text": "An example", **body}]}


class Reader:
    """Reads one page into examples."""

    def __init__(self, path: Path) -> None:
        self.page = path.name
        self.lines = path.read_text(encoding="utf-8").split("\n")
        self.file: dict[str, Any] = {}
        self.rule: dict[str, Any] | None = None
        self.patient: str | None = None
        self.examples: list[Example] = []
        self.refusals: list[Refusal] = []
        self.rules: list[dict[str, Any]] = []

    def read(self) -> Reader:
        at = 0
        while at < len(self.lines):
            line = self.lines[at]
            if line.startswith("```"):
                end = next(n for n in range(at + 1, len(self.lines)) if self.lines[n].startswith("```"))
                self.block(line.removeprefix("```").strip(), "\n".join(self.lines[at + 1 : end]), at + 1)
                at = end
            elif line.startswith("|") and self.lines[at + 1].startswith("|--"):
                head = cells(line)
                body = at + 2
                while body < len(self.lines) and self.lines[body].startswith("|"):
                    if FIELDS & set(head) or "record" in head:
                        self.row(head, cells(self.lines[body]), body + 1)
                    body += 1
                at = body
            at += 1
        return self

    def block(self, info: str, text: str, line: int) -> None:
        match info.split():
            case ["yaml", "file"]:
                self.file = plain(text)
            case ["yaml", ("statement" | "inclusion" | "exclusion") as kind]:
                self.say({**self.file, **criterion_of(text, kind)})
            case ["yaml", "trial"]:
                self.say(plain(text))
            case ["yaml", "patient"]:
                self.patient = text
            case ["answer"]:
                assert self.patient is not None
                self.add(line, self.patient, {}, {"answer": text.strip()})
                self.patient = None
            case ["yaml", ("refused" | "asked"), code]:
                self.refusals.append(Refusal(self.page, line, text, info.split()[1], code))
            case ["yaml", *_]:
                raise AssertionError(f"{self.page}:{line}: a block of YAML that nothing executes: {info}")

    def say(self, words: dict[str, Any]) -> None:
        self.rule = words
        self.rules.append(words)

    def row(self, head: list[str], row: list[str], line: int) -> None:
        assert len(head) == len(row), f"{self.page}:{line}: {len(row)} cells under {len(head)} heads"
        record: list[str] = []
        settings: dict[str, str] = {}
        wanted: dict[str, str] = {}
        whole = "{}"
        for name, cell in zip(head, row, strict=True):
            text = cell.strip("`")
            if name == "record":
                whole = text or "{}"
            elif name in FIELDS:
                record += [f"{name}: [{text}]" if name in LISTS else f"{name}: {text}"] if text else []
            elif name in ("on", "anchors", "site", "absence", "answered"):
                settings.update({name: text} if text else {})
            elif name not in ("why", ""):
                wanted.update({name: text} if text else {})
        self.add(line, f"{{{', '.join(record)}}}" if record else whole, settings, wanted)

    def add(self, line: int, record: str, settings: dict[str, str], wanted: dict[str, str]) -> None:
        assert self.rule is not None, f"{self.page}:{line}: a record before any rule"
        assert wanted, f"{self.page}:{line}: nothing is expected"
        self.examples.append(Example(self.page, line, self.rule, record, settings, wanted))


def cells(line: str) -> list[str]:
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]


READ = [Reader(path).read() for path in sorted(PAGES.glob("*.md")) if path.name not in NOT_PAGES]
EXAMPLES = [example for page in READ for example in page.examples]
REFUSALS = [refusal for page in READ for refusal in page.refusals]
RULES = [(page.page, number, words) for page in READ for number, words in enumerate(page.rules)]


def test_every_page_has_examples_and_says_its_words() -> None:
    assert len(READ) >= 25
    for page in READ:
        assert page.examples or page.refusals, page.page
        text = "\n".join(page.lines)
        assert text.startswith("# "), page.page
        assert re.search(r"^Words: `", text, re.M), f"{page.page} does not say which words it is about"


def effect_of(result: CriterionResult) -> str:
    return "not applicable" if result.not_applicable else result.effect


def answers(given: str) -> list[dict[str, str]]:
    """``yes``, ``2 no`` or ``I3 1 yes until 2026-12-01``, several with commas, as attestations."""
    found = []
    for one in given.split(","):
        words, _, until = one.strip().partition(" until ")
        *names, answer = words.split()
        criterion = next((name for name in names if not name.isdigit()), "X")
        leaf = next((name for name in names if name.isdigit()), "1")
        found.append({"criterion": criterion, "leaf": leaf, "answer": answer, "until": until or "2027-01-01"})
    return found


def outcomes(screening: Screening) -> dict[str, CriterionResult]:
    found = {result.id: result for result in screening.criteria}
    for arm in screening.arms:
        found.update({f"{arm.arm}/{result.id}": result for result in arm.criteria})
    return found


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: f"{example.page}:{example.line}")
def test_the_example_comes_out_as_the_page_says(example: Example, desk: Any, said: Any, expected: Any) -> None:
    settings = example.settings
    plan = desk.plan({"trial": {"id": "T1", "title": "An example"}, **example.words})
    screening = desk.screen(
        plan,
        example.record,
        on=dt.date.fromisoformat(settings.get("on", AS_OF.isoformat())),
        anchors=dict(one.split() for one in settings.get("anchors", "").split(",") if one),
        site=yaml.safe_load(settings["site"]) if "site" in settings else None,
        answers=answers(settings["answered"]) if "answered" in settings else (),
        absence=settings.get("absence", "presumed"),
    )
    found = outcomes(screening)
    only = found.get("X")
    for name, cell in example.expected.items():
        where = f"{example.page}:{example.line}, {name}"
        if name == "status" or name.endswith(" status"):
            arm = name.removesuffix("status").strip()
            status = next(one.status for one in screening.arms if one.arm == arm) if arm else screening.status
            assert status.replace("_", " ") == cell, where
        elif name == "effect":
            assert only is not None
            assert effect_of(only) == cell, where
        else:
            result = only if name == "answer" else found[name]
            assert result is not None
            if cell in EFFECTS:
                assert effect_of(result) == cell, where
            else:
                assert said(result) == expected(cell), where


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: f"{refusal.page}:{refusal.line}")
def test_what_a_page_says_is_refused_is_refused(refusal: Refusal, desk: Any) -> None:
    body = plain(refusal.text)
    text = refusal.text
    if "trial" not in body:
        criterion = isinstance(body, dict) and body.keys() & {"when", "ask", "note", "not_published", "applies_when"}
        lines = [] if criterion else ["when:"]
        lines += [("" if criterion else "  ") + line for line in refusal.text.split("\n")]
        head = "trial: {id: T1, title: An example}\nschedule:\n  screening: {looks_back: 28 days}\n"
        head += "inclusion:\n  - id: X\n    text: An example\n"
        text = head + "".join(f"    {line}\n" for line in lines)
    codes = desk.refusals(text)
    assert refusal.code in codes, f"{refusal.page}:{refusal.line}: rules check says {sorted(codes)}"


@pytest.mark.parametrize(("page", "number", "words"), RULES, ids=lambda value: str(value) if not isinstance(value, dict) else "")
def test_rules_check_finds_nothing_wrong(page: str, number: int, words: dict[str, Any], desk: Any) -> None:
    assert [str(one) for one in desk.mistakes({"trial": {"id": "T1", "title": "An example"}, **words})] == []


# -- no word without an example ------------------------------------------------------------------


def said_by(node: Any) -> Iterator[tuple[str, str]]:
    """Every (class, field) that a tree of the language says, the class being the one that has the field of its own."""
    if isinstance(node, Node):
        for name in node.model_fields_set:
            owner = next(cls for cls in type(node).__mro__ if name in inspect.get_annotations(cls))
            yield owner.__name__, name
            yield from said_by(getattr(node, name))
    elif isinstance(node, BaseModel | str | bytes):
        return
    elif isinstance(node, dict):
        for below in node.values():
            yield from said_by(below)
    elif isinstance(node, list | tuple):
        for below in node:
            yield from said_by(below)


def words_of_the_language() -> set[tuple[str, str]]:
    """Every field of every node of the language."""
    nodes = [
        cls
        for module in (criteria, trial)
        for cls in vars(module).values()
        if inspect.isclass(cls) and issubclass(cls, Node) and cls.__module__ == module.__name__
    ]
    return {(cls.__name__, name) for cls in nodes for name in inspect.get_annotations(cls) if name in cls.model_fields}


def test_every_word_of_the_language_is_on_a_page(desk: Any) -> None:
    shown: set[tuple[str, str]] = set()
    for _, _, words in RULES:
        shown |= set(said_by(TrialFile.model_validate({"trial": {"id": "T1", "title": "An example"}, **words})))
    missing = words_of_the_language() - shown
    assert not missing, f"no page shows {sorted(missing)}"


def test_this_module_says_how_pages_are_written() -> None:
    # the form of pages is told once, at the top of this file; the fences it names are those that are read
    told = set(re.findall(r"^``yaml (\w+)", ast.get_docstring(ast.parse(Path(__file__).read_text(encoding="utf-8"))) or "", re.M))
    assert told >= {"file", "statement", "inclusion", "trial", "patient", "refused", "asked"}
