"""Rule files: YAML text into a tree that knows its places, and every mistake of the text with its cure (LANGUAGE 10, DESIGN 5).

The tree is that of :mod:`eligibility.yaml_tree`, so every scalar is a text; it is validated as it
stands, and any mistake found later still has its place. This room says in a rule author's words what
may not stand in a file.

Refused, each with a code of its own: duplicate keys, tags, anchors, aliases, merge keys, several
documents, tabs, wrong indents, control characters, text that is not UTF-8, nesting beyond 200, and
the two traps of braces: a question mark in an unquoted text, and a comma that cuts a text in two.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Sequence as Loc
from pathlib import Path
from typing import Any

from ..errors import Problem, RuleFileError
from ..yaml_tree import DEEPEST, LINE_END, Finding, Kind, Mark, Place, find, mark_of, parse

MAX_DEPTH = DEEPEST
MAX_CHARACTERS = 2_000_000
MAX_PROBLEMS = 100


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
        mark, _ = find(self.data, loc, key)
        return None if mark is None else (mark.line + 1, mark.column + 1)

    def value(self, loc: Loc[str | int]) -> Any:
        """What stands at ``loc``, or the nearest thing around it."""
        return find(self.data, loc)[1]

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


def _decode(text: str | bytes, file: str) -> tuple[str, list[Problem]]:
    if isinstance(text, bytes):
        if text.startswith((b"\xff\xfe", b"\xfe\xff")):
            return "", [Problem("not-utf8", "the file is UTF-16", file, 1, 1, instead="save it as UTF-8")]
        try:
            text = text.decode("utf-8")
        except UnicodeDecodeError as problem:
            before = problem.object[: problem.start].decode("utf-8", "replace")
            at = mark_of(before, len(before))
            advice = "save the file as UTF-8"
            return "", [Problem("not-utf8", "a byte here is not UTF-8 text", file, at.line + 1, at.column + 1, instead=advice)]
    text = text.removeprefix("\ufeff")
    if len(text) > MAX_CHARACTERS:
        return "", [
            Problem("too-large", f"the file has more than {MAX_CHARACTERS:,} characters", file, instead="split it: one trial is one file")
        ]
    return text, []


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 60 else f"{text[:57]}..."


# -- what may not stand in a rule file --------------------------------------------------------------

_SAID: dict[Kind, tuple[str, str, str]] = {
    "anchor": ("anchor", "an anchor (&) names a part of the file for repeating", "name it under definitions or lists"),
    "alias": ("alias", "an alias (*) repeats another part of the file", "write it out, or name it under definitions or lists"),
    "tag": ("tag", "a tag (!) asks for a type; every text here gets its type from the word it follows", "delete the tag"),
    "merge": ("merge", "a merge key (<<) copies another part of the file", "write the words out, or name them under definitions"),
    "key": ("key-not-text", "a list or mapping stands where a key is expected", "write a word, a colon and its value"),
    "document": ("many-documents", "a second document begins here", "write one file for each"),
    "deep": ("too-deep", f"lists and mappings stand more than {MAX_DEPTH} deep", "split the statement with definitions"),
}
"""Code, message and advice of the findings that are said in the same words wherever they stand."""


class _Reader:
    """One text, and what a rule author is told of it."""

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
        read = parse(text, stop=("document", "key"))
        for found in read.findings:
            self._refuse(found)
        if read.whole and not read.documents:
            self.problems.append(Problem("empty-file", "the file is empty", self.file, 1, 1, instead="begin with trial:"))
        return read.documents[0] if read.documents else None

    def _say(self, code: str, message: str, mark: Any, text: str | None = None, instead: str | None = None) -> None:
        line, column = (mark.line + 1, mark.column + 1) if mark is not None else (None, None)
        shown = None if text is None else _short(text)
        self.problems.append(Problem(code, message, self.file, line, column, None, shown, instead))

    def _tabs(self) -> None:
        for number, line in enumerate(LINE_END.split(self.text), 1):
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

    def _refuse(self, found: Finding) -> None:
        if said := _SAID.get(found.kind):
            code, message, advice = said
            self._say(code, message, found.at, found.text or None, advice)
            return
        match found.kind:
            case "twice":
                message = f"«{_short(found.text)}» is already said in line {found.first.line + 1} of the same mapping"
                self._say("duplicate-key", message, found.at, found.text, "keep one of the two")
            case "character":
                self._say("control-character", f"the character {found.text} cannot stand in a text", found.at, found.text, "delete it")
            case "empty":
                self._empty(found.event, found.key, found.braces)
            case "question-mark":
                self._question_mark(found.at, found.text)
            case "syntax" if not self.tabs:
                # a tab that stood for an indent makes the structure unreadable: the tab is the mistake
                self._syntax(found.error)

    def _empty(self, event: Any, key: Any, flow: bool) -> None:
        """A plain scalar of no characters: a word without a value, or a text cut by a comma."""
        if key is None or not key.value:
            self._say("empty-value", "nothing is written here", event.start_mark, instead="write the entry, or delete its dash or comma")
            return
        between = self.text[key.end_mark.index : event.start_mark.index]
        if flow and ":" not in between and not key.style:
            if self.text[: key.start_mark.index].rstrip().endswith("?"):
                self._question_mark(key.start_mark, key.value)
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

    def _question_mark(self, at: Any, text: str) -> None:
        message = "inside braces a question mark ends an unquoted text"
        self._say("question-mark", message, at, text, f'quote the text: "{_short(text)}"')

    # -- what the parser itself refuses -----------------------------------------------------------

    def _syntax(self, problem: Any) -> None:
        mark = problem.problem_mark or problem.context_mark
        said = problem.problem or ""
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
            Mark(mark.line, start),
            before.strip(),
            "align it with the word above, or give that word no value",
        )

    def _flow(self, problem: Any, mark: Any, before: str, at: str) -> None:
        start = problem.context_mark or mark
        kind = "brace" if "mapping" in problem.context else "bracket"
        if at == "?" or before.rstrip().endswith("?"):
            # the Python parser, and older C ones, end the text here; newer C ones read on, and the finding says it
            begin = max(before.rfind(opening) + len(opening) for opening in (": ", ", ", "{", "["))
            whole = re.split(r"[,}\]]", self._line(mark.line)[begin:], maxsplit=1)[0].strip()
            self._say(
                "question-mark",
                "inside braces a question mark ends an unquoted text",
                Mark(mark.line, begin),
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
        lines = LINE_END.split(self.text)
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
