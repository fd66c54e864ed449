"""The reader: text to a tree with places, in bounded space and without recursion."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from eligibility.errors import RuleFileError
from eligibility.language.reader import MAX_CHARACTERS, MAX_DEPTH, Located, plain, read_yaml, read_yaml_file


def refused(text: str | bytes) -> list[tuple[str, int | None, int | None]]:
    with pytest.raises(RuleFileError) as caught:
        read_yaml(text, "t.yaml")
    return [(problem.code, problem.line, problem.column) for problem in caught.value.problems]


@pytest.mark.parametrize(
    "word", ["NO", "yes", "on", "1:40", "12:30", "1_000", "010", "0x1F", "1e3", ".inf", "~", "null", "2026-01-01", "<<", "="]
)
def test_every_scalar_stays_text(word: str) -> None:
    assert read_yaml(f"a: {word}\nb: [{word}]", "t.yaml").data == {"a": word, "b": [word]}


def test_a_key_stays_text_too() -> None:
    assert list(read_yaml("on: 1\nNO: 2\n010: 3", "t.yaml").data) == ["on", "NO", "010"]


def test_places_count_from_one() -> None:
    tree = read_yaml("a:\n  - b: c\n    d: {e: f, g: [h, i]}\n", "t.yaml")
    assert tree.place(()) == (1, 1)
    assert tree.place(("a",), key=True) == (1, 1)
    assert tree.place(("a", 0)) == (2, 5)
    assert tree.place(("a", 0, "d"), key=True) == (3, 5)
    assert tree.place(("a", 0, "d")) == (3, 8)
    assert tree.place(("a", 0, "d", "g", 1)) == (3, 22)


def test_what_is_not_there_is_passed_over() -> None:
    tree = read_yaml("a: {b: c}", "t.yaml")
    assert tree.place(("a", "<fact>", "b")) == (1, 8)
    assert tree.place(("a", "missing")) == (1, 4)
    assert tree.place(("a", 7)) == (1, 4)


def test_wide_characters_and_line_ends_are_counted_as_they_are_seen() -> None:
    assert read_yaml("ä: 'é' \r\nb: ü", "t.yaml").place(("b",)) == (2, 4)
    assert read_yaml("\ufeffa: 𝛼\nb: c", "t.yaml").place(("b",)) == (2, 4)


def test_nesting_is_refused_before_it_can_hurt() -> None:
    # where it stops is the parser's choice: newer C parsers look ahead and refuse before the first bracket is handed on
    code, line, column = refused("[" * 100_000)[0]
    assert (code, line) == ("too-deep", 1)
    assert column is not None
    assert MAX_DEPTH < column < 10 * MAX_DEPTH
    assert refused("- " * 100_000)[0][:2] == ("too-deep", 1)
    assert refused("\n".join(f"{'  ' * i}- a:" for i in range(2 * MAX_DEPTH)))[0][0] == "too-deep"
    deep = read_yaml("[" * MAX_DEPTH + "x" + "]" * MAX_DEPTH, "t.yaml").data
    for _ in range(MAX_DEPTH):
        (deep,) = deep
    assert deep == "x"


def test_size_is_bounded() -> None:
    assert refused("a: " + "x" * MAX_CHARACTERS)[0][0] == "too-large"


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(RuleFileError, match="No such file"):
        read_yaml_file(tmp_path / "none.yaml")
    with pytest.raises(RuleFileError) as caught:
        read_yaml_file(tmp_path)
    assert caught.value.problems[0].code == "cannot-read"


def test_bytes_that_are_no_text() -> None:
    assert refused(b"a: b\nc: \xff\xfe") == [("not-utf8", 2, 4)]
    assert refused("a: b".encode("utf-16")) == [("not-utf8", 1, 1)]
    assert refused("a: b\nc: d\x00") == [("control-character", 2, 5)]
    assert refused("a: \x1b[0m") == [("control-character", 1, 4)]


def test_several_mistakes_before_the_text_becomes_unreadable() -> None:
    found = refused("a: !x 1\nb: &y 2\nb: 3\nc: {d: e, f}\ng: [h\n")
    assert [code for code, *_ in found] == ["tag", "anchor", "duplicate-key", "flow-comma", "unclosed"]


def test_a_tab_is_the_mistake_and_not_what_follows_from_it() -> None:
    assert refused("a:\n\tb: c\n\td: e\n") == [("tab", 2, 1), ("tab", 3, 1)]


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("{text: ANA above 1:80, or anti-dsDNA}", '"ANA above 1:80, or anti-dsDNA"'),
        ("{a: x, text: one, two, b: y}", '"one, two"'),
        ("{ask: Is it so?}", '"Is it so?"'),
        ("a: b: c", '"b: c"'),
        ("a: @b c", '"@b c"'),
    ],
)
def test_the_quoted_form_is_shown(text: str, advice: str) -> None:
    with pytest.raises(RuleFileError) as caught:
        read_yaml(text, "t.yaml")
    assert advice in str(caught.value.problems[0].instead)


def test_a_question_mark_outside_braces_needs_no_quotes() -> None:
    assert read_yaml("ask: Is it so?\nx: [{ask: 'Is it?'}]", "t.yaml").data == {"ask": "Is it so?", "x": [{"ask": "Is it?"}]}


def test_quoted_emptiness_is_a_text() -> None:
    assert read_yaml("a: ''\nb: \"\"", "t.yaml").data == {"a": "", "b": ""}


texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=8)
trees = st.recursive(texts, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=8)


@given(st.dictionaries(texts.filter(lambda key: key != "<<"), trees, min_size=1, max_size=3))
def test_what_is_written_is_read(tree: dict[str, object]) -> None:
    written = yaml.safe_dump(tree, allow_unicode=True, default_style='"')
    # dumped in quotes, nothing is tagged and nothing twisted
    assert plain(read_yaml(written, "t.yaml").data) == tree


@given(st.text(max_size=200) | st.text("{}[]:,-?&*!#|>'\"% \n\tab", max_size=60))
def test_any_text_is_read_or_refused_with_a_place(text: str) -> None:
    try:
        tree = read_yaml(text, "t.yaml")
    except RuleFileError as error:
        for problem in error.problems:
            assert problem.line is not None
            assert problem.column is not None
            assert 1 <= problem.line <= len(text) + 2
            assert problem.message
    else:
        assert isinstance(tree, Located)


@given(st.binary(max_size=100))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    try:
        read_yaml(content, "t.yaml")
    except RuleFileError as error:
        said = error.problems
    else:
        said = ()
    assert all(problem.line is not None and problem.message for problem in said)
