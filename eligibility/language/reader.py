"""YAML text into a tree that knows its places, every scalar as text (LANGUAGE 10, DESIGN 5).

YAML 1.1 reads ``NO`` as false, ``1:40`` as 100, ``010`` as 8 and ``1_000`` as 1000. Here nothing is
guessed: a scalar stays the text that was written and the model gives it its type. The tree is made
of :class:`Mapping` and :class:`Sequence`, which are a ``dict`` and a ``list`` that remember line and
column, so it is validated as it stands and any mistake found later still has its place.

Refused, each with a code of its own: duplicate keys, tags, anchors, aliases, merge keys, several
documents, tabs, wrong indents, control characters, text that is not UTF-8, nesting beyond 200, and
the two traps of braces: a question mark in an unquoted text, and a comma that cuts a text in two.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Sequence as Loc
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import yaml

from ..errors import Problem, RuleFileError

MAX_DEPTH = 200
MAX_CHARACTERS = 2_000_000
MAX_PROBLEMS = 100

# The C parser reads 20 rule files in the time the Python one reads one; both give the same events.
_Parser: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Place: TypeAlias = tuple[int, int]
"""Line and column, both from 1."""


class Mapping(dict[str, Any]):
    """A mapping of the file; ``at`` is its place, ``keys_at`` and ``values_at`` those of its entries."""

    __slots__ = ("at", "keys_at", "values_at")

    def __init__(self, at: Any) -> None:
        super().__init__()
        self.at = at
        self.keys_at: dict[str, Any] = {}
        self.values_at: dict[str, Any] = {}


class Sequence(list[Any]):
    """A list of the file; ``at`` is its place, ``items_at`` those of its entries."""

    __slots__ = ("at", "items_at")

    def __init__(self, at: Any) -> None:
        super().__init__()
        self.at = at
        self.items_at: list[Any] = []


class Located:
    """A file that was read: ``data`` (mappings, lists, texts), its name, and where everything stands.

    >>> tree = read_yaml("trial:\\n  id: NCT1\\n  title: 010\\n", "t.yaml")
    >>> tree.data["trial"]["title"], tree.place(("trial", "title"))
    ('010', (3, 10))
    >>> tree.place(("trial", "title"), key=True)
    (3, 3)
    """

    __slots__ = ("data", "file", "text")

    def __init__(self, data: Any, file: str, text: str) -> None:
        self.data = data
        self.file = file
        self.text = text

    def place(self, loc: Loc[str | int], key: bool = False) -> Place | None:
        """Line and column of the value at ``loc``, or of its key; of the nearest thing that stands there.

        Parts of ``loc`` that are not in the file (a missing key, the tags by which pydantic names
        the members of a union) are passed over.
        """
        mark, _ = self._find(loc, key)
        return None if mark is None else (mark.line + 1, mark.column + 1)

    def value(self, loc: Loc[str | int]) -> Any:
        """What stands at ``loc``, or the nearest thing around it."""
        return self._find(loc, False)[1]

    def _find(self, loc: Loc[str | int], key: bool) -> tuple[Any, Any]:
        here: Any = self.data
        mark = getattr(here, "at", None)
        last = len(loc) - 1
        for i, part in enumerate(loc):
            if isinstance(here, Mapping) and part in here:
                name = str(part)
                mark = here.keys_at[name] if key and i == last else here.values_at[name]
                here = here[name]
            elif isinstance(here, Sequence) and isinstance(part, int) and part < len(here):
                mark, here = here.items_at[part], here[part]
        return mark, here

    def problem(
        self,
        code: str,
        message: str,
        loc: Loc[str | int] = (),
        *,
        key: bool = False,
        where: str | None = None,
        instead: str | None = None,
        severity: str = "error",
    ) -> Problem:
        """A problem placed at ``loc``, with the offending text where that is a word or a text."""
        place = self.place(loc, key)
        value = loc[-1] if key and loc else self.value(loc)
        text = _short(value) if isinstance(value, str) else None
        line, column = place if place is not None else (None, None)
        return Problem(code, message, self.file, line, column, where, text, instead, severity)


def read_yaml(text: str | bytes, file: str) -> Located:
    """Read one document.

    Raises :class:`RuleFileError` with every problem that could be told apart before the first one
    that makes the rest of the text unreadable.

    >>> read_yaml("country: NO", "t.yaml").data
    {'country': 'NO'}
    """
    decoded, problems = _decode(text, file)
    if problems:
        raise RuleFileError(*problems)
    reader = _Reader(decoded, file)
    data = reader.read()
    if reader.problems:
        raise RuleFileError(*sorted(reader.problems, key=lambda p: (p.line or 0, p.column or 0))[:MAX_PROBLEMS])
    return Located(data, file, decoded)


def read_yaml_file(path: Path, name: str | None = None) -> Located:
    """Read a file, named in its problems as ``name`` or else as the path was given."""
    name = name or str(path)
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_CHARACTERS * 4 + 1)
    except OSError as problem:
        why = problem.strerror or "cannot be read"
        raise RuleFileError(
            Problem("cannot-read", f"the file cannot be read: {why}", name, instead="check the path and its permissions")
        ) from None
    return read_yaml(content, name)


# -- before parsing ------------------------------------------------------------------------------

# what YAML calls printable, and the line breaks; tabs have a cause of their own
_CONTROL = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LINES = re.compile("\r\n|[\n\r\x85\u2028\u2029]")


def _decode(text: str | bytes, file: str) -> tuple[str, list[Problem]]:
    if isinstance(text, bytes):
        if text.startswith((b"\xff\xfe", b"\xfe\xff")):
            return "", [Problem("not-utf8", "the file is UTF-16", file, 1, 1, instead="save it as UTF-8")]
        try:
            text = text.decode("utf-8")
        except UnicodeDecodeError as problem:
            line, column = _line_column(problem.object[: problem.start].decode("utf-8", "replace"))
            return "", [Problem("not-utf8", "a byte here is not UTF-8 text", file, line, column, instead="save the file as UTF-8")]
    text = text.removeprefix("\ufeff")
    if len(text) > MAX_CHARACTERS:
        return "", [
            Problem("too-large", f"the file has more than {MAX_CHARACTERS:,} characters", file, instead="split it: one trial is one file")
        ]
    if found := _CONTROL.search(text):
        line, column = _line_column(text[: found.start()])
        shown = f"U+{ord(found.group()):04X}"
        return "", [
            Problem(
                "control-character", f"the character {shown} cannot stand in a text", file, line, column, text=shown, instead="delete it"
            )
        ]
    return text, []


def _line_column(before: str) -> Place:
    lines = _LINES.split(before)
    return len(lines), len(lines[-1]) + 1


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 60 else f"{text[:57]}..."


# -- parsing -------------------------------------------------------------------------------------


class _At(NamedTuple):
    """A place of the text that the parser gave no mark for."""

    line: int
    column: int


class _Stop(Exception):
    """Nothing after this can be read."""


class _Reader:
    """One pass over the events of the parser with a stack of its own, so depth is a count, not a recursion."""

    def __init__(self, text: str, file: str) -> None:
        self.file = file
        self.text = text
        self.problems: list[Problem] = []
        self.tabs: set[int] = set()

    def read(self) -> Any:
        text = self.text
        if "\t" in text:
            self._tabs()
            text = text.replace("\t", " ")  # one for one, so that places hold and other mistakes are still found
        try:
            return self._build(_Parser(text))
        except _Stop:
            return None
        except yaml.MarkedYAMLError as problem:
            # a tab that stood for an indent makes the structure unreadable: the tab is the mistake
            if not self.tabs:
                self._syntax(problem)
            return None
        except yaml.YAMLError as problem:  # pragma: no cover - the checks before parsing leave none known
            self._say("syntax", f"not YAML: {problem}", None)
            return None

    def _say(self, code: str, message: str, mark: Any, text: str | None = None, instead: str | None = None) -> None:
        line, column = (mark.line + 1, mark.column + 1) if mark is not None else (None, None)
        shown = None if text is None else _short(text)
        self.problems.append(Problem(code, message, self.file, line, column, None, shown, instead))

    def _tabs(self) -> None:
        for number, line in enumerate(_LINES.split(self.text), 1):
            if "\t" in line:
                self.tabs.add(number)
                self.problems.append(
                    Problem(
                        "tab",
                        "a tab: YAML cannot tell how far it indents",
                        self.file,
                        number,
                        line.index("\t") + 1,
                        text="\\t",
                        instead="write spaces",
                    )
                )

    def _build(self, parser: Any) -> Any:
        # The stack holds what is open. A mapping's pending key is kept in `keys`, one per open container.
        root: Any = None
        stack: list[Any] = []
        keys: list[Any] = []  # per container: the key event that waits for its value, or None
        documents = 0
        flow_from = 0  # how deep the stack was when braces or brackets began; 0 outside them
        next_event = parser.get_event
        scalar, mapping_start, sequence_start = yaml.ScalarEvent, yaml.MappingStartEvent, yaml.SequenceStartEvent
        mapping_end, sequence_end = yaml.MappingEndEvent, yaml.SequenceEndEvent
        while True:
            event = next_event()
            kind = type(event)
            if kind is scalar:
                if event.tag is not None or event.anchor is not None:
                    self._refuse_marks(event)
                value: Any = event.value
                if stack and type(stack[-1]) is Mapping and keys[-1] is None:
                    keys[-1] = event
                    continue
                if not event.style:
                    if not value:
                        self._empty(event, keys[-1] if stack else None, flow_from > 0)
                    elif flow_from and "?" in value:
                        # newer versions of the C parser read it, older ones and other readers do not
                        self._question_mark(event)
            elif kind is mapping_start or kind is sequence_start:
                if event.tag is not None or event.anchor is not None:
                    self._refuse_marks(event)
                if len(stack) >= MAX_DEPTH:
                    self._too_deep(event.start_mark)
                    raise _Stop
                if stack and type(stack[-1]) is Mapping and keys[-1] is None:
                    self._say(
                        "key-not-text",
                        "a list or mapping stands where a key is expected",
                        event.start_mark,
                        instead="write a word, a colon and its value",
                    )
                    raise _Stop
                value = Mapping(event.start_mark) if kind is mapping_start else Sequence(event.start_mark)
                self._add(stack, keys, value, event)
                if not stack and root is None:
                    root = value
                stack.append(value)
                keys.append(None)
                if event.flow_style and not flow_from:
                    flow_from = len(stack)
                continue
            elif kind is mapping_end or kind is sequence_end:
                if len(stack) == flow_from:
                    flow_from = 0
                stack.pop()
                keys.pop()
                continue
            elif kind is yaml.DocumentStartEvent:
                documents += 1
                if documents > 1:
                    self._say("many-documents", "a second document begins here", event.start_mark, "---", "write one file for each")
                    raise _Stop
                continue
            elif kind is yaml.AliasEvent:
                self._say(
                    "alias",
                    "an alias (*) repeats another part of the file",
                    event.start_mark,
                    f"*{event.anchor}",
                    "write it out, or name it under definitions or lists",
                )
                value = ""
                if stack and type(stack[-1]) is Mapping and keys[-1] is None:
                    keys[-1] = event
                    event.value = f"*{event.anchor}"
                    continue
            elif kind is yaml.StreamEndEvent:
                break
            else:
                continue
            if not stack:
                root = value
            self._add(stack, keys, value, event)
        if documents == 0:
            self.problems.append(Problem("empty-file", "the file is empty", self.file, 1, 1, instead="begin with trial:"))
        return root

    def _add(self, stack: list[Any], keys: list[Any], value: Any, event: Any) -> None:
        if not stack:
            return
        holder = stack[-1]
        if type(holder) is Sequence:
            holder.append(value)
            holder.items_at.append(event.start_mark)
            return
        key = keys[-1]
        keys[-1] = None
        name = key.value
        if name in holder:
            first = holder.keys_at[name].line + 1
            self._say(
                "duplicate-key",
                f"«{_short(name)}» is already said in line {first} of the same mapping",
                key.start_mark,
                name,
                "keep one of the two",
            )
            return
        if name == "<<" and not key.style:
            self._say(
                "merge",
                "a merge key (<<) copies another part of the file",
                key.start_mark,
                "<<",
                "write the words out, or name them under definitions",
            )
            return
        holder[name] = value
        holder.keys_at[name] = key.start_mark
        holder.values_at[name] = event.start_mark

    def _refuse_marks(self, event: Any) -> None:
        if event.anchor is not None:
            self._say(
                "anchor",
                "an anchor (&) names a part of the file for repeating",
                event.start_mark,
                f"&{event.anchor}",
                "name it under definitions or lists",
            )
        # the parser gives "!" to a quoted scalar only when it is written
        if event.tag is not None:
            written = event.tag.replace("tag:yaml.org,2002:", "!!")
            self._say(
                "tag",
                "a tag (!) asks for a type; every text here gets its type from the word it follows",
                event.start_mark,
                written,
                "delete the tag",
            )

    def _empty(self, event: Any, key: Any, flow: bool) -> None:
        """A plain scalar of no characters: a word without a value, or a text cut by a comma."""
        if key is None or not key.value:
            self._say("empty-value", "nothing is written here", event.start_mark, instead="write the entry, or delete its dash or comma")
            return
        between = self.text[key.end_mark.index : event.start_mark.index]
        if flow and ":" not in between and not key.style:
            if self.text[: key.start_mark.index].rstrip().endswith("?"):
                self._question_mark(key)
                return
            quoted = self._cut_text(key)
            self._say(
                "flow-comma",
                f"inside braces a comma ends a text, so «{_short(key.value)}» became a word of its own",
                key.start_mark,
                key.value,
                f'quote the whole text: "{_short(quoted)}"' if quoted else "put the whole text in double quotes",
            )
            return
        self._say(
            "empty-value",
            f"nothing is written after «{_short(key.value)}:»",
            key.start_mark,
            key.value,
            "write its value, or delete the word",
        )

    def _cut_text(self, key: Any) -> str | None:
        """The whole text that a comma cut, as it was meant, from the colon before to the end of the key."""
        before = self.text[: key.start_mark.index]
        comma = before.rfind(",")
        colon = max(before.rfind(": ", 0, comma), before.rfind(":\n", 0, comma))
        if comma < 0 or colon < 0 or any(mark in before[colon + 1 : comma] for mark in "{}[]\"'"):
            return None
        return " ".join(f"{before[colon + 1 : comma].strip()}, {key.value}".split())

    def _question_mark(self, event: Any) -> None:
        self._say(
            "question-mark",
            "inside braces a question mark ends an unquoted text",
            event.start_mark,
            event.value,
            f'quote the text: "{_short(event.value)}"',
        )

    # -- what the parser itself refuses -----------------------------------------------------------

    def _too_deep(self, mark: Any) -> None:
        message = f"lists and mappings stand more than {MAX_DEPTH} deep"
        self._say("too-deep", message, mark, instead="split the statement with definitions")

    def _syntax(self, problem: Any) -> None:
        mark = problem.problem_mark or problem.context_mark
        said = problem.problem or ""
        if "nesting" in said:
            # newer C parsers count depth themselves, and look ahead of the events that _build counts
            self._too_deep(mark)
            return
        line = self._line(mark.line)
        before, at = line[: mark.column], line[mark.column : mark.column + 1]
        if "<document start>" in said or (at and at in "}]" and "flow" not in (problem.context or "")):
            self._say(
                "syntax",
                "the text goes on after its end, with a closing brace too many or a line that is no part of it",
                mark,
                at,
                "delete it",
            )
        elif at and "cannot start" in said:
            self._say("syntax", f"a text cannot begin with {at}", mark, at, f'quote it: "{_short(line[mark.column :])}"')
        elif "mapping values" in said:
            self._colon(mark, before)
        elif "quoted scalar" in (problem.context or ""):
            start = problem.context_mark or mark
            self._say(
                "unclosed", "this quote is never closed", start, self._line(start.line)[start.column :], "close it with the same quote"
            )
        elif "flow" in (problem.context or ""):
            self._flow(problem, mark, before, at)
        elif before.rstrip().endswith(("'", '"')):
            self._say(
                "syntax", "the text goes on after its closing quote", mark, line[mark.column :], "put all of the text between the quotes"
            )
        elif not before.strip() and at:
            self._say(
                "indent",
                "this line is indented like no line above it",
                mark,
                line.strip(),
                "align it with the words, or the dashes, of the same list or mapping",
            )
        else:
            self._say(
                "syntax",
                f"this cannot be read as YAML ({said})",
                mark,
                line[mark.column :] or line.strip(),
                "quote the text, or put the word on its own line",
            )

    def _colon(self, mark: Any, before: str) -> None:
        key = before.lstrip(" -")
        if ": " in key:
            text = self._line(mark.line)[len(before) - len(key) :].split(": ", 1)[1]
            self._say("colon-in-text", "a colon and a space inside a text begin a new word", mark, key, f'quote the text: "{_short(text)}"')
            return
        start = len(before) - len(before.lstrip())
        self._say(
            "indent",
            "this line is indented deeper than the words it belongs to",
            _At(mark.line, start),
            before.strip(),
            "align it with the word above, or give that word no value",
        )

    def _flow(self, problem: Any, mark: Any, before: str, at: str) -> None:
        start = problem.context_mark or mark
        kind = "brace" if "mapping" in problem.context else "bracket"
        if at == "?" or before.rstrip().endswith("?"):
            # the Python parser, and older C ones, end the text here; newer C ones read on, and _build refuses it
            begin = max(before.rfind(opening) + len(opening) for opening in (": ", ", ", "{", "["))
            whole = re.split(r"[,}\]]", self._line(mark.line)[begin:], maxsplit=1)[0].strip()
            self._say(
                "question-mark",
                "inside braces a question mark ends an unquoted text",
                _At(mark.line, begin),
                whole,
                f'quote the text: "{_short(whole)}"',
            )
        elif at == ":":
            text = before.rsplit(": ", 1)[-1]
            self._say(
                "colon-in-text", "a colon and a space inside a text begin a new word", mark, text, "put the whole text in double quotes"
            )
        else:
            closing = "}" if kind == "brace" else "]"
            self._say(
                "unclosed",
                f"the {kind} opened here is not closed, or a comma is missing before line {mark.line + 1}, column {mark.column + 1}",
                start,
                self._line(start.line)[start.column :],
                f"write the comma or the {closing}",
            )

    def _line(self, number: int) -> str:
        lines = _LINES.split(self.text)
        return lines[number] if number < len(lines) else ""


def plain(value: Any) -> Any:
    """The tree as ordinary dicts and lists, for comparing and for writing."""
    if isinstance(value, dict):
        return {key: plain(below) for key, below in value.items()}
    return [plain(below) for below in value] if isinstance(value, list) else value


def entries(value: Any) -> Iterator[tuple[str | int, Any]]:
    """Keys or positions with what stands there; nothing for a text."""
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        yield from enumerate(value)
