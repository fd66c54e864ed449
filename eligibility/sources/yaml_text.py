"""YAML as people type it: every scalar stays text, every line is remembered, nothing is clever.

``NO`` is not false, ``1:40`` is not 100. Anchors, aliases, tags and merges are refused: a chart has
no use for them. The tree is built from the parser's events, without recursion, so that depth is
counted before it can hurt.
"""

from __future__ import annotations

from typing import Any

import yaml

from ..errors import Problem
from .raw import DEEPEST, Marked, MarkedList, Tree, Unreadable

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NOTHING = ("", "~", "null", "Null", "NULL")


def parse_yaml(text: str, file: str) -> list[Tree]:
    """The documents of a YAML text; mappings are :class:`Marked`, an empty plain scalar is None.

    Raises :class:`Unreadable` with line and column where it is no YAML or uses what is refused.
    """
    documents: list[Tree] = []
    stack: list[_Open] = []
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            at: Any = event.start_mark
            line, column = at.line + 1, at.column + 1
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                raise _refused("yaml-anchor", "anchors and aliases are not read in a chart; write the entry out", file, line, column)
            tag = getattr(event, "tag", None)
            if tag is not None and tag != "!":
                raise _refused("yaml-tag", "tags (!...) are not read in a chart", file, line, column)
            if isinstance(event, yaml.ScalarEvent):
                value = None if event.implicit[0] and event.value in _NOTHING else event.value
                _put(stack, documents, value, line, column, file)
            elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
                if len(stack) >= DEEPEST:
                    raise _too_deep(file, line, column)
                node: Marked | MarkedList = Marked() if isinstance(event, yaml.MappingStartEvent) else MarkedList()
                if isinstance(node, Marked):
                    node.line = line
                _put(stack, documents, node, line, column, file)
                stack.append(_Open(node))
            elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
                stack.pop()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        if mark and "nesting" in (getattr(error, "problem", None) or ""):
            # newer C parsers count depth themselves, ahead of the events that are counted above
            raise _too_deep(file, mark.line + 1, mark.column + 1) from None
        # the parser's own words may quote the line, so they are not passed on
        raise Unreadable(
            Problem(
                "not-yaml",
                "this is not YAML: the indent or the punctuation does not fit here",
                file=file,
                line=mark.line + 1 if mark else None,
                column=mark.column + 1 if mark else None,
                instead="write `key: value`, and put text that holds `: ` or ` #` in quotes",
            )
        ) from None
    return documents


class _Open:
    """A mapping or list still being filled."""

    __slots__ = ("has_key", "key", "node")

    def __init__(self, node: Marked | MarkedList) -> None:
        self.node = node
        self.key = ""
        self.has_key = False


def _put(stack: list[_Open], documents: list[Tree], value: Tree, line: int, column: int, file: str) -> None:
    if not stack:
        documents.append(value)
        return
    top = stack[-1]
    if isinstance(top.node, MarkedList):
        top.node.append(value)
        top.node.lines.append(line)
    elif not top.has_key:
        if not isinstance(value, str):
            raise _refused("yaml-key", "a key is a word; a text with `: ` or a comma inside braces needs quotes", file, line, column)
        if value == "<<":
            raise _refused("yaml-merge", "merges (<<) are not read in a chart; write the entry out", file, line, column)
        if value in top.node:
            earlier = top.node.twice.get(value) or (top.node.lines[value],)
            top.node.twice[value] = (*earlier, line)
        top.key, top.has_key = value, True
        top.node.lines[value] = line
    else:
        top.node[top.key] = value
        top.has_key = False


def _refused(code: str, message: str, file: str, line: int, column: int) -> Unreadable:
    return Unreadable(Problem(code, message, file=file, line=line, column=column))


def _too_deep(file: str, line: int, column: int) -> Unreadable:
    return _refused("too-deep", f"the entries nest more than {DEEPEST} deep; no chart does", file, line, column)
