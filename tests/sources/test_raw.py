"""Bytes to trees: depth before parsing, doubled keys, numbers that are none, large objects in parts."""

from __future__ import annotations

import io
import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eligibility.sources import raw
from eligibility.sources.raw import Unreadable, depth_exceeds, doubled_keys, elements, parse_json, unpack
from eligibility.yaml_tree import Mapping, Sequence

TREES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=20,
)


def depth(tree: Any) -> int:
    if isinstance(tree, dict):
        return 1 + max((depth(value) for value in tree.values()), default=0)
    if isinstance(tree, list):
        return 1 + max((depth(value) for value in tree), default=0)
    return 0


@given(TREES)
def test_depth_is_counted_exactly_on_the_bytes(tree: Any) -> None:
    data = orjson.dumps(tree)
    deep = depth(tree)
    assert not depth_exceeds(data, deep)
    if deep:
        assert depth_exceeds(data, deep - 1)


@pytest.mark.parametrize(
    "make", [lambda n: b"[" * n + b"]" * n, lambda n: b'[{"a":' * (n // 2) + b"1" + b"}]" * (n // 2), lambda n: b"[" * n]
)
def test_a_thousand_levels_are_refused_before_any_parser(make: Any) -> None:
    with pytest.raises(Unreadable) as refused:
        parse_json(make(1000), "deep.json")
    assert refused.value.problem.code == "too-deep"


def test_brackets_inside_strings_are_no_nesting() -> None:
    assert parse_json(orjson.dumps({"a": '"[' * 500, "b\\": "{" * 500}), "f") == {"a": '"[' * 500, "b\\": "{" * 500}


@given(TREES)
def test_any_json_is_read_as_the_standard_parser_reads_it(tree: Any) -> None:
    for text in (json.dumps(tree), json.dumps(tree, indent=2), json.dumps(tree, ensure_ascii=False, separators=(" , ", " : "))):
        assert parse_json(text.encode(), "f") == tree


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1, "b": {"c": 2, "c": 3}}',
        '{"a" : 1, "b" :{"c" : ":", "c": ":"}}',
        '[{"c": {}, "d": [1], "c": {}}]',
        '{"c":"x\\\\", "\\u0063":2}',
    ],
)
def test_a_doubled_key_is_found_however_it_is_written(text: str) -> None:
    tree = parse_json(text.encode(), "f")
    assert doubled_keys(tree) == ["c"]
    assert isinstance(tree, (Mapping, Sequence)), "the root says that something below is doubled"


def test_nan_and_huge_numbers_are_left_to_their_entry() -> None:
    tree = parse_json(b'{"a": NaN, "b": 1e999, "c": 12345678901234567890123, "d": 1}', "f")
    assert tree["d"] == 1
    assert tree["a"] != tree["a"]


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        (b'{"a": 1,\n "b": [1, 2', "truncated", 2, 12),
        (b'{"a": "unfinished', "truncated", 1, 7),
        (b'{"a": 1,\n "b": nope}', "not-json", 2, 7),
        (b'{"a": "\xff"}', "not-utf8", 1, 8),
        (b'{"n": ' + b"9" * 5000 + b"}", "not-json", 1, None),
    ],
)
def test_what_is_no_json_is_told_with_its_place(text: bytes, code: str, line: int, column: int | None) -> None:
    with pytest.raises(Unreadable) as refused:
        parse_json(text, "f.json")
    problem = refused.value.problem
    assert (problem.code, problem.line, problem.column) == (code, line, column)
    assert "unfinished" not in str(problem)
    assert "nope" not in str(problem)


def test_texts_in_other_dress_are_unpacked() -> None:
    assert unpack('{"a": "ü"}'.encode("utf-16"), "f") == '{"a": "ü"}'.encode()
    for data, code in ((b"PK\x03\x04...", "zip"), (b"PAR1...", "parquet"), (b" \n", "empty-file"), (b"\x1f\x8b\x08nonsense", "bad-gzip")):
        with pytest.raises(Unreadable) as refused:
            unpack(data, "f")
        assert refused.value.problem.code == code


@given(st.lists(TREES.filter(lambda tree: isinstance(tree, (dict, list))), max_size=6), st.integers(1, 200), st.booleans())
def test_a_large_object_comes_in_parts_whatever_the_chunks(items: list[Any], chunk: int, first: bool) -> None:
    shell = {"resourceType": "Bundle", "meta": {"entry": [1, {"x": "]"}]}, "note": 'a "quoted" ] brace }'}
    tree = {"entry": items, **shell} if first else {**shell, "entry": items}
    held = raw._CHUNK
    try:
        raw._CHUNK = chunk
        parts = [orjson.loads(part) for part in elements(io.BytesIO(orjson.dumps(tree)), "entry", "f")]
    finally:
        raw._CHUNK = held
    assert parts[:-1] == items
    assert parts[-1] == {**tree, "entry": []}


def test_a_large_object_cut_short_is_told() -> None:
    with pytest.raises(Unreadable):
        list(elements(io.BytesIO(b'{"entry": [{"a": 1}, {"b":'), "entry", "f"))


def test_bare_words_among_the_elements_are_not_lost() -> None:
    assert list(elements(io.BytesIO(b'{"entry": [1, {"a": 1}, "x" ]}'), "entry", "f"))[:-1] == [b"1", b'{"a": 1}', b'"x"']
