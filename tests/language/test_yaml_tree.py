"""The room where YAML is parsed: one tree whatever the parser, and no text that can end the process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from eligibility import yaml_tree
from eligibility.yaml_tree import DEEPEST, Finding, Mapping, Sequence, Text, find, parse

ROOT = Path(__file__).resolve().parents[2]
DEEP = {
    "brackets": "[" * 100_000,
    "braces": "{a: " * 100_000,
    "dashes": "- " * 100_000,
    "closed": "[" * 100_000 + "]" * 100_000,
    "mixed": "a:\n  b:\n    - " + "[{c: " * 50_000,
}
ROOMS = {
    "a rule file": """
from eligibility.language.reader import read_yaml
try: read_yaml(text, "f")
except Exception as error: said = error.problems
""",
    "the vocabulary": """
from eligibility.vocabulary.yamltext import Document
said = Document("f", text).problems
""",
    "a chart": """
from eligibility.sources.yaml_text import parse_yaml
try: parse_yaml(text, "f")
except Exception as error: said = [error.problem]
""",
}


@pytest.mark.parametrize("room", ROOMS)
def test_a_deep_file_is_a_mistake_and_not_the_end_of_the_process(room: str) -> None:
    # in a process of its own: what goes wrong here goes wrong without an exception
    body = f"import sys\ntext = sys.stdin.read()\nsaid = []\n{ROOMS[room]}\nprint([(one.code, one.line) for one in said])"
    for shape, text in DEEP.items():
        done = subprocess.run([sys.executable, "-c", body], input=text, capture_output=True, text=True, cwd=ROOT)
        line = 3 if shape == "mixed" else 1
        assert (done.returncode, done.stdout.strip()) == (0, f"[('too-deep', {line})]"), (shape, done.stderr[-300:])


@pytest.mark.parametrize("parser", ["C", "Python"])
@pytest.mark.parametrize(("begin", "end"), [("[", "]"), ("{a: ", "}"), ("- ", "")])
def test_depth_is_counted_exactly(parser: str, begin: str, end: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if parser == "Python":
        monkeypatch.setattr(yaml_tree, "_Parser", yaml.SafeLoader)
    assert parse(begin * DEEPEST + "x" + end * DEEPEST).whole
    refused = parse(begin * (DEEPEST + 1) + "x" + end * (DEEPEST + 1))
    assert [(found.kind, found.place()) for found in refused.findings] == [("deep", (1, DEEPEST * len(begin) + 1))]
    assert not refused.whole
    assert parse("? " * 100_000).findings[-1].kind == "deep"


def placed(tree: Any) -> Any:
    """A tree with every place in it, so that two can be compared."""
    if isinstance(tree, Mapping):
        marks = [(key, spot(tree.keys_at[key]), spot(tree.values_at[key]), placed(value)) for key, value in tree.items()]
        return spot(tree.at), marks, {key: [spot(mark) for mark in marks] for key, marks in tree.twice.items()}
    if isinstance(tree, Sequence):
        return spot(tree.at), [(spot(mark), placed(value)) for mark, value in zip(tree.items_at, tree, strict=True)]
    return tree


def spot(mark: Any) -> tuple[int, int]:
    return mark.line, mark.column


def seen(read: Text) -> Any:
    return read.whole, [placed(tree) for tree in read.documents], [spot(mark) for mark in read.starts], [told(one) for one in read.findings]


def told(found: Finding) -> Any:
    return found.kind, found.place(), found.text, found.braces


def both(text: str, **how: Any) -> tuple[Text, Text]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(yaml_tree, "_Parser", yaml.SafeLoader)
        slow = parse(text, **how)
    return parse(text, **how), slow


@pytest.mark.parametrize("file", sorted((ROOT / "rules").rglob("*.yaml"))[::4], ids=lambda file: file.stem)
def test_the_parser_without_libyaml_gives_the_same_tree(file: Path) -> None:
    quick, slow = both(file.read_text(encoding="utf-8"))
    assert quick.whole
    assert seen(quick) == seen(slow)


PIECES = [
    "a",
    "b: ",
    "a: ",
    "- ",
    "\n",
    "\n  ",
    "\n    ",
    "{",
    "}",
    "[",
    "]",
    ", ",
    "? ",
    "&x ",
    "*x ",
    "!t ",
    "! ",
    "<<: ",
    "'c'",
    '"d"',
    "~",
]
PIECES += ["# e", "null", "---\n", "...\n", "|\n  f", ">\n  g", "ü", "010", "is it?"]


@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
def test_whatever_both_parsers_read_they_read_alike(text: str) -> None:
    quick, slow = both(text, nothing=("", "~", "null"))
    # what is no YAML is told in the parser's words, parsers differ in a few forms that only one of them takes,
    # and in where they say that a value stands which is not there
    if quick.whole and slow.whole:
        assert quick.documents == slow.documents
        assert [(one.kind, one.text, one.braces) for one in quick.findings] == [(one.kind, one.text, one.braces) for one in slow.findings]


def test_a_key_said_again_is_told_with_all_its_places() -> None:
    read = parse("a: 1\nb: 2\na: 3\na: 4\n")
    (tree,) = read.documents
    assert tree == {"a": "4", "b": "2"}
    assert [mark.line for mark in tree.twice["a"]] == [0, 2, 3]
    assert [(found.kind, found.place(), found.first.line) for found in read.findings] == [("twice", (3, 1), 0), ("twice", (4, 1), 0)]


def test_a_list_where_a_key_belongs_costs_its_value_only() -> None:
    read = parse("a: 1\n[x]: 2\n{y: 3}: [4]\nb: 5\n")
    assert read.documents == [{"a": "1", "b": "5"}]
    assert [(found.kind, found.place()) for found in read.findings] == [("key", (2, 1)), ("key", (3, 1))]


def test_reading_ends_where_it_is_told_to() -> None:
    text = "a: &x 1\nb: !t 2\n--- \nc: 3"
    assert [found.kind for found in parse(text).findings] == ["anchor", "tag", "document"]
    assert parse(text).documents == [{"a": "1", "b": "2"}, {"c": "3"}]
    assert [found.kind for found in parse(text, stop=("tag",)).findings] == ["anchor", "tag"]


@pytest.mark.parametrize(
    ("text", "place"), [("a: b\nc: \x07", (2, 4)), ("a: \ufeffb", (1, 4)), ("a\r\nb\x85c\x7f", (3, 2)), ("\ud800", (1, 1))]
)
def test_a_character_that_no_text_may_hold_has_its_place(text: str, place: tuple[int, int]) -> None:
    assert [(found.kind, found.place()) for found in parse(text).findings] == [("character", place)]


def test_the_nearest_thing_stands_for_what_is_not_there() -> None:
    (tree,) = parse("a:\n  - b: c\n").documents
    assert spot(find(tree, ("a", 0, "nothing"))[0]) == (1, 4)
    assert spot(find(tree, ("a", 0, "b"), key=True)[0]) == (1, 4)
    assert find(tree, ("a", 0, "b"))[1] == "c"
    assert find("text", ("a",)) == (None, "text")
