"""YAML read as text: every scalar a string, typed later by the model, with places on demand.

YAML 1.1 would make ``NO`` false, ``1:40`` a hundred and ``1_000`` a thousand; here a scalar is what
was written. Anchors, aliases, tags, merges and duplicate keys are refused. libyaml composes the
nodes (fast); their positions are looked up only when there is a mistake to report.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from ..errors import Problem

try:
    from yaml._yaml import CParser as _Parser
except ImportError:  # PyYAML built without libyaml: the same nodes, slower
    _Parser = None  # type: ignore[assignment,misc]

Plain: TypeAlias = "str | list[Plain] | dict[str, Plain]"
_TAG = "t"
# an anchor, alias or tag can only stand where a node begins
_FEATURE = re.compile(r"(?:^|[\s\[,{(])([&*!])[A-Za-z!<]", re.MULTILINE)


if _Parser is not None:

    class _Composer(_Parser):
        """Nodes without tag resolution: nothing here asks what type YAML would have made of a scalar."""

        def resolve(self, *_: object) -> str:
            return _TAG

        def descend_resolver(self, *_: object) -> None:
            pass

        def ascend_resolver(self) -> None:
            pass

    def _compose(text: str) -> Node | None:
        return _Composer(text).get_single_node()

else:

    def _compose(text: str) -> Node | None:
        return yaml.compose(text, Loader=yaml.BaseLoader)


class Document:
    """One file: its content as plain text values, and the place of any part of it.

    ``content`` is None where the file is empty or no mapping at the top. Problems met while reading
    are in ``problems``; what could be read is kept, so that the rest is checked too.
    """

    __slots__ = ("_root", "content", "name", "problems", "text")

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text
        self.problems: list[Problem] = []
        self.content: dict[str, Plain] | None = None
        self._root: Node | None = None
        try:
            self._root = _compose(text)
        except yaml.YAMLError as error:
            self.problems.append(self._syntax(error))
            return
        if _FEATURE.search(text):
            self._features()
        if self._root is None:
            self.content = {}
        elif isinstance(self._root, MappingNode):
            self.content = self._plain(self._root)  # type: ignore[assignment]
        else:
            self.problems.append(self.problem((), "not-a-mapping", "the file is a mapping of names at its top"))

    @classmethod
    def read(cls, path: Path, name: str) -> Document:
        """Read a file; one that is not UTF-8 text is a problem, not an exception."""
        try:
            return cls(name, path.read_text(encoding="utf-8-sig"))
        except UnicodeDecodeError:
            document = cls(name, "")
            document.problems.append(Problem("encoding", "the file is not UTF-8 text", file=name, instead="save it as UTF-8"))
            return document

    def _plain(self, node: Node) -> Plain:
        kind = node.__class__
        if kind is ScalarNode:
            return node.value  # type: ignore[no-any-return]
        if kind is MappingNode:
            plain = {key.value if key.__class__ is ScalarNode else self._no_scalar(key): self._plain(value) for key, value in node.value}
            if len(plain) != len(node.value):
                self._duplicates(node)
            return plain
        return [self._plain(item) for item in node.value]

    def _no_scalar(self, key: Node) -> str:
        self.problems.append(self._at(key, "key", "a key is a name", "quote a text that has a comma or a bracket in it"))
        return "?"

    def _duplicates(self, node: Node) -> None:
        seen: dict[str, Node] = {}
        for key, _ in node.value:
            if key.__class__ is not ScalarNode:
                continue
            first = seen.setdefault(key.value, key)
            if first is not key:
                again = f"{key.value} stands here a second time (first in line {first.start_mark.line + 1})"
                self.problems.append(self._at(key, "duplicate-key", again, "keep one of them"))

    def _features(self) -> None:
        for event in yaml.parse(self.text):
            anchored = getattr(event, "anchor", None)
            tagged = getattr(event, "tag", None)
            if anchored or tagged:
                message = f"{'an anchor or alias' if anchored else 'a tag'} is not read here"
                line, column = _place(event.start_mark)
                advice = "write the value out; quote a text that begins with & * or !"
                self.problems.append(Problem("yaml-feature", message, self.name, line, column, instead=advice))

    def _syntax(self, error: yaml.YAMLError) -> Problem:
        line, column = _place(getattr(error, "problem_mark", None) or getattr(error, "context_mark", None))
        parts = (getattr(error, "context", None), getattr(error, "problem", None))
        message = " ".join(str(part) for part in parts if part) or "this is not YAML"
        advice = "a text with : , ? # or brackets in it stands in quotes"
        return Problem("yaml-syntax", message, self.name, line, column, instead=advice)

    def _at(self, node: Node, code: str, message: str, instead: str | None = None) -> Problem:
        return Problem(code, message, self.name, node.start_mark.line + 1, node.start_mark.column + 1, instead=instead)

    def problem(self, path: Sequence[str | int], code: str, message: str, instead: str | None = None, *, key: bool = False) -> Problem:
        """A problem at a part of the file; ``key`` points at the key of the last step, not its value."""
        node: Node | None = self._root
        for depth, step in enumerate(path):
            below = _below(node, step, key and depth == len(path) - 1)
            if below is None:
                break
            node = below
        if node is None:
            return Problem(code, message, self.name, 1, 1, instead=instead)
        return self._at(node, code, message, instead)


def _place(mark: Any) -> tuple[int | None, int | None]:
    """Line and column of a mark, counted from 1."""
    return (mark.line + 1, mark.column + 1) if mark is not None else (None, None)


def _below(node: Node | None, step: str | int, key: bool) -> Node | None:
    if isinstance(node, MappingNode):
        for name, value in node.value:
            if isinstance(name, ScalarNode) and name.value == step:
                return name if key else value
    elif isinstance(node, SequenceNode) and isinstance(step, int) and 0 <= step < len(node.value):
        return node.value[step]  # type: ignore[no-any-return]
    return None


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
