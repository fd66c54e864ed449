"""YAML text into a tree that knows its places, every scalar as text: the one room where YAML is parsed.

YAML 1.1 reads ``NO`` as false, ``1:40`` as 100, ``010`` as 8 and ``1_000`` as 1000. Here nothing is
guessed: a scalar stays the text that was written, and who asked for the tree gives it its type.

The tree is built from the parser's events with a stack of its own, so that depth is a count and no
recursion: composing nodes as PyYAML does ends the process, without a word, on a file of a hundred
thousand brackets. What a file may not hold is listed, not worded: rule files, the vocabulary and
charts each say it in their own words, and each say after which finding nothing more is worth reading.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from collections.abc import Sequence as Loc
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypeAlias

import yaml

_Parser: Any
try:
    from yaml._yaml import CParser as _Parser
except ImportError:  # PyYAML built without libyaml: the same events, twenty times slower
    _Parser = yaml.SafeLoader

DEEPEST = 200
"""Levels of lists and mappings inside each other that are read."""

Place: TypeAlias = tuple[int, int]
"""Line and column, both from 1."""


class Mark(NamedTuple):
    """A place of the text as the parser counts it: line and column from 0."""

    line: int
    column: int


_NEVER: dict[str, list[Any]] = {}


class Mapping(dict[str, Any]):
    """A mapping of a file; ``at`` is the mark of its place, ``keys_at`` and ``values_at`` those of its entries.

    ``twice`` names the keys that stand in it more than once, with the marks of all of them; what
    the last of them says is kept. Where the text told no places (JSON) the marks are missing.
    """

    __slots__ = ("at", "keys_at", "twice", "values_at")

    def __init__(self, at: Any = None) -> None:
        self.at = at
        self.keys_at: dict[str, Any] = {}
        self.values_at: dict[str, Any] = {}
        self.twice = _NEVER  # one for all mappings, and never written to: hardly any says a key again


class Sequence(list[Any]):
    """A list of a file; ``at`` is the mark of its place, ``items_at`` those of its entries, where the text told them."""

    __slots__ = ("at", "items_at")

    def __init__(self, at: Any = None) -> None:
        self.at = at
        self.items_at: list[Any] = []


Kind: TypeAlias = Literal[
    "alias", "anchor", "character", "deep", "document", "empty", "key", "merge", "question-mark", "syntax", "tag", "twice"
]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something of a text that its reader may refuse: what it is, its mark, and the text concerned.

    ``event`` and ``key`` are the parser's events of an empty value and of its key, ``first`` the mark
    of the key said ``twice``, ``error`` the parser's own words; ``braces``: inside ``{}`` or ``[]``.
    """

    kind: Kind
    at: Any
    text: str = ""
    event: Any = None
    key: Any = None
    first: Any = None
    braces: bool = False
    error: yaml.YAMLError | None = None

    def place(self) -> tuple[int | None, int | None]:
        """Line and column, from 1; None where the parser told no place."""
        return (None, None) if self.at is None else (self.at.line + 1, self.at.column + 1)


@dataclass(slots=True)
class Text:
    """A text that was read: its documents as trees, the marks of their roots, what was found, and whether it was read to its end."""

    documents: list[Any] = field(default_factory=list)
    starts: list[Any] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    whole: bool = False


# all that YAML does not call printable and that is no line break, listed: what is listed by what it is not takes long to
# compile; a byte order mark stands at the beginning or nowhere
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")
LINE_END = re.compile("\r\n|[\n\r\x85\u2028\u2029]")


def mark_of(text: str, index: int) -> Mark:
    """The mark of a character."""
    lines = LINE_END.split(text[:index])
    return Mark(len(lines) - 1, len(lines[-1]))


def parse(text: str, nothing: Collection[str] = (), stop: Collection[Kind] = ()) -> Text:
    """The documents of a text, and what in it a reader may refuse, in the order met.

    Plain scalars of ``nothing`` become None. After a finding of ``stop`` nothing more is read; after
    ``character``, ``deep`` and ``syntax`` nothing can be. Never raises.

    >>> read = parse("country: NO\\ndose: {low: 010}\\n")
    >>> read.documents, read.findings
    ([{'country': 'NO', 'dose': {'low': '010'}}], [])
    >>> [(found.kind, found.place()) for found in parse("a: &b [1]\\na: *b").findings]
    [('anchor', (1, 4)), ('alias', (2, 4)), ('twice', (2, 1))]
    """
    read = Text()
    if found := _CONTROL.search(text):
        # before parsing, because parsers differ in how much they hand on before they see it
        read.findings.append(Finding("character", mark_of(text, found.start()), f"U+{ord(found.group()):04X}"))
        return read
    try:
        _build(_Parser(text), read, nothing, stop)
        read.whole = True
    except _Stop:
        pass
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        # newer C parsers count depth themselves, and look ahead of the events that are counted here
        deep = "nesting" in (getattr(error, "problem", None) or "")
        read.findings.append(Finding("deep" if deep else "syntax", mark, error=error))
    return read


class _Stop(Exception):
    """Nothing after this is to be read."""


def _build(parser: Any, read: Text, nothing: Collection[str], stop: Collection[Kind]) -> None:
    def say(kind: Kind, at: Any, text: str = "", **more: Any) -> None:
        read.findings.append(Finding(kind, at, text, **more))
        if kind in stop:
            raise _Stop

    stack: list[tuple[Any, Any, bool]] = []  # what is open around the holder, with its pending key and whether in braces
    holder: Any = None  # the mapping or list being filled
    in_mapping = braces = False
    key: Any = None  # the event of the key that waits for its value
    next_event: Callable[[], Any] = parser.get_event
    scalar, mapping_start, sequence_start = yaml.ScalarEvent, yaml.MappingStartEvent, yaml.SequenceStartEvent
    mapping_end, sequence_end = yaml.MappingEndEvent, yaml.SequenceEndEvent
    while True:
        event = next_event()
        kind = type(event)
        opened = False
        if kind is scalar:
            if event.tag is not None or event.anchor is not None:
                _marks(event, say)
            value: Any = event.value
            if in_mapping and key is None:
                key = event
                if value == "<<" and not event.style:
                    say("merge", event.start_mark, value)
                elif value in nothing and not event.style:
                    say("key", event.start_mark)
                continue
            if not event.style:
                if not value:
                    say("empty", event.start_mark, key=key, event=event, braces=braces)
                elif braces and "?" in value:
                    # newer versions of the C parser read it, older ones and other readers do not
                    say("question-mark", event.start_mark, value)
                if value in nothing:
                    value = None
        elif kind is mapping_start or kind is sequence_start:
            if event.tag is not None or event.anchor is not None:
                _marks(event, say)
            if len(stack) >= DEEPEST:
                say("deep", event.start_mark)
                raise _Stop
            value = Mapping(event.start_mark) if kind is mapping_start else Sequence(event.start_mark)
            opened = True
        elif kind is mapping_end or kind is sequence_end:
            holder, key, braces = stack.pop()
            in_mapping = type(holder) is Mapping
            continue
        elif kind is yaml.AliasEvent:
            value = f"*{event.anchor}"
            event.value = value
            say("alias", event.start_mark, value)
            if in_mapping and key is None:
                key = event
                continue
        elif kind is yaml.DocumentStartEvent:
            if read.documents:
                say("document", event.start_mark, "---")
            continue
        elif kind is yaml.StreamEndEvent:
            return
        else:
            continue
        if in_mapping:
            if key is None:  # a list or mapping where a key belongs: it is read for its own mistakes, and what follows it is dropped
                say("key", event.start_mark)
                key = event
            elif type(key) is mapping_start or type(key) is sequence_start:
                key = None
            else:
                name = key.value
                if name in holder:
                    holder.twice = holder.twice or {}
                    marks = holder.twice.setdefault(name, [holder.keys_at[name]])
                    marks.append(key.start_mark)
                    say("twice", key.start_mark, name, first=marks[0])
                holder[name] = value
                holder.keys_at[name] = key.start_mark
                holder.values_at[name] = event.start_mark
                key = None
        elif holder is None:
            read.documents.append(value)
            read.starts.append(event.start_mark)
        else:
            holder.append(value)
            holder.items_at.append(event.start_mark)
        if opened:
            stack.append((holder, key, braces))
            holder, key, in_mapping = value, None, kind is mapping_start
            braces = braces or event.flow_style


def _marks(event: Any, say: Any) -> None:
    if event.anchor is not None:
        say("anchor", event.start_mark, f"&{event.anchor}")
    # the parser gives "!" to a quoted scalar only when it is written
    if event.tag is not None:
        say("tag", event.start_mark, event.tag.replace("tag:yaml.org,2002:", "!!"))


def find(tree: Any, loc: Loc[str | int], key: bool = False) -> tuple[Any, Any]:
    """The mark of the value at ``loc``, or of its key, and what stands there; of the nearest thing around it where it is missing.

    Parts of ``loc`` that are not in the file (a missing key, the tags by which pydantic names the
    members of a union) are passed over. The mark is None where the text told none.

    >>> mark, value = find(parse("trial:\\n  title: 010\\n").documents[0], ("trial", "title", "nothing"))
    >>> (mark.line, mark.column), value
    ((1, 9), '010')
    """
    here = tree
    mark = getattr(here, "at", None)
    last = len(loc) - 1
    for step, part in enumerate(loc):
        if isinstance(here, Mapping) and part in here:
            name = str(part)
            mark = here.keys_at[name] if key and step == last else here.values_at[name]
            here = here[name]
        elif isinstance(here, Sequence) and isinstance(part, int) and part < len(here):
            mark, here = here.items_at[part], here[part]
    return mark, here
