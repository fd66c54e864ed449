"""YAML as people type a chart: every scalar stays text, every line is remembered, nothing is clever.

The tree is that of :mod:`eligibility.yaml_tree`: ``NO`` is not false, ``1:40`` is not 100. Anchors,
aliases, tags and merges are refused, for a chart has no use for them; of several documents each is a
patient; a key written twice is the native reader's to tell.
"""

from __future__ import annotations

from ..errors import Problem
from ..yaml_tree import DEEPEST, Finding, Kind, parse
from .raw import Tree, Unreadable

_NOTHING = ("", "~", "null", "Null", "NULL")
_ANCHOR = ("yaml-anchor", "anchors and aliases are not read in a chart; write the entry out", None)
_REFUSED: dict[Kind, tuple[str, str, str | None]] = {
    "alias": _ANCHOR,
    "anchor": _ANCHOR,
    "character": ("control-character", "a character stands here that no text may hold", "delete it"),
    "deep": ("too-deep", f"the entries nest more than {DEEPEST} deep; no chart does", None),
    "key": ("yaml-key", "a key is a word; a text with `: ` or a comma inside braces needs quotes", None),
    "merge": ("yaml-merge", "merges (<<) are not read in a chart; write the entry out", None),
    # the parser's own words may quote the line, so they are not passed on
    "syntax": (
        "not-yaml",
        "this is not YAML: the indent or the punctuation does not fit here",
        "write `key: value`, and put text that holds `: ` or ` #` in quotes",
    ),
    "tag": ("yaml-tag", "tags (!...) are not read in a chart", None),
}


def parse_yaml(text: str, file: str) -> list[Tree]:
    """The documents of a YAML text, an empty plain scalar being None.

    Raises :class:`Unreadable` with line and column where it is no YAML or uses what is refused.

    >>> parse_yaml("id: p1\\nsex: NO\\nwritten: ~", "p.yaml")
    [{'id': 'p1', 'sex': 'NO', 'written': None}]
    """
    read = parse(text, nothing=_NOTHING, stop=tuple(_REFUSED))
    for found in read.findings:
        if found.kind in _REFUSED:
            raise Unreadable(_problem(found, file))
    return read.documents


def _problem(found: Finding, file: str) -> Problem:
    code, message, advice = _REFUSED[found.kind]
    line, column = found.place()
    return Problem(code, message, file=file, line=line, column=column, instead=advice)
