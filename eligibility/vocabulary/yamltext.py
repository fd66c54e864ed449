"""The vocabulary's files: YAML read as text, typed later by the model, with places on demand.

The tree is that of :mod:`eligibility.yaml_tree`. Anchors, aliases, tags, merges and duplicate keys
are refused; each mistake is a :class:`Problem` kept in the document, so that all are told at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from ..errors import Problem
from ..yaml_tree import DEEPEST, Finding, Kind, Mapping, find, parse

Plain: TypeAlias = "str | list[Plain] | dict[str, Plain]"

_QUOTE = "a text with : , ? # or brackets in it stands in quotes"
_WRITE_OUT = "write the value out; quote a text that begins with & * or !"
_SAID: dict[Kind, tuple[str, str, str]] = {
    "anchor": ("yaml-feature", "an anchor or alias is not read here", _WRITE_OUT),
    "alias": ("yaml-feature", "an anchor or alias is not read here", _WRITE_OUT),
    "tag": ("yaml-feature", "a tag is not read here", _WRITE_OUT),
    "merge": ("yaml-feature", "a merge (<<) is not read here", _WRITE_OUT),
    "character": ("control-character", "a character stands here that no text may hold", "delete it"),
    "deep": ("too-deep", f"lists and mappings stand more than {DEEPEST} deep", "no file of the vocabulary needs more than ten"),
    "document": ("yaml-syntax", "a second document begins here", "write one file for each"),
    "key": ("key", "a key is a name", "quote a text that has a comma or a bracket in it"),
}
"""Code, message and advice of what is refused; an empty value and a question mark in braces are the model's to judge."""

_LAST: tuple[Kind, ...] = ("document",)


class Document:
    """One file: its content as plain text values, and the place of any part of it.

    ``content`` is None where the file is empty or no mapping at the top. Problems met while reading
    are in ``problems``; what could be read is kept, so that the rest is checked too.
    """

    __slots__ = ("_root", "content", "name", "problems", "text")

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text
        read = parse(text, stop=_LAST)
        self.problems = [problem for found in read.findings if (problem := self._refused(found)) is not None]
        self._root = read.documents[0] if read.documents else None
        self.content: dict[str, Plain] | None = None
        if not read.whole:
            return
        if self._root is None:
            self.content = {}
        elif isinstance(self._root, Mapping):
            self.content = self._root
        else:
            self.problems.append(self._at(read.starts[0], "not-a-mapping", "the file is a mapping of names at its top"))

    @classmethod
    def read(cls, path: Path, name: str) -> Document:
        """Read a file; one that is not UTF-8 text is a problem, not an exception."""
        try:
            return cls(name, path.read_text(encoding="utf-8-sig"))
        except UnicodeDecodeError:
            document = cls(name, "")
            document.problems.append(Problem("encoding", "the file is not UTF-8 text", file=name, instead="save it as UTF-8"))
            return document

    def _refused(self, found: Finding) -> Problem | None:
        if found.kind in _SAID:
            return self._at(found.at, *_SAID[found.kind])
        if found.kind == "twice":
            again = f"{found.text} stands here a second time (first in line {found.first.line + 1})"
            return self._at(found.at, "duplicate-key", again, "keep one of them")
        if found.kind == "syntax":
            parts = (getattr(found.error, "context", None), getattr(found.error, "problem", None))
            return self._at(found.at, "yaml-syntax", " ".join(str(part) for part in parts if part) or "this is not YAML", _QUOTE)
        return None

    def _at(self, mark: Any, code: str, message: str, instead: str | None = None) -> Problem:
        line, column = (mark.line + 1, mark.column + 1) if mark is not None else (None, None)
        return Problem(code, message, self.name, line, column, instead=instead)

    def problem(self, path: Sequence[str | int], code: str, message: str, instead: str | None = None, *, key: bool = False) -> Problem:
        """A problem at a part of the file; ``key`` points at the key of the last step, not its value."""
        mark, _ = find(self._root, path, key)
        return Problem(code, message, self.name, 1, 1, instead=instead) if mark is None else self._at(mark, code, message, instead)


def number(text: Any) -> Any:
    """A float where the text is a plain decimal number, else what came in (for the model to refuse).

    >>> number("0.5"), number("1_000"), number("nan")
    (0.5, '1_000', 'nan')
    """
    return float(text) if isinstance(text, str) and _NUMBER.fullmatch(text) else text


_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")


def truth(text: Any) -> Any:
    """True or False where the text is ``true`` or ``false``, else what came in."""
    return {"true": True, "false": False}.get(text, text) if isinstance(text, str) else text


def each(value: Any, change: Callable[[Any], Any], keys: Iterable[str]) -> Any:
    """A mapping with some of its values changed; anything else unchanged."""
    if not isinstance(value, dict):
        return value
    changed = dict(value)
    for key in keys:
        if key in changed:
            changed[key] = change(changed[key])
    return changed
