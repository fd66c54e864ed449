"""Bytes to trees: unpacking, the checks that come before any parser, and JSON that hides nothing.

Three things may not slip through: nesting so deep that recursive code would fall over (counted on
the bytes, before any parser), a key written twice in one object (a parser keeps the last and says
nothing), and numbers that JSON does not have (``NaN``, ``1e999``: one such number costs its entry,
not the file).

The fast parser is tried first. Where it refuses, or where the text has more keys than the tree it
made, the standard parser reads the text again, and the objects concerned say which keys (:class:`Mapping`).
"""

from __future__ import annotations

import gzip
import io
import json
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from typing import Any, BinaryIO, TypeAlias

import orjson

from ..errors import Problem
from ..yaml_tree import DEEPEST, Mapping, Sequence

Tree: TypeAlias = Any
"""What JSON or YAML holds: dict, list, str, int, float, bool or None, of any make."""


MOST_UNPACKED = 1 << 30
"""Bytes of a gzip file's text that are read: a few kilobytes may hold more than the memory does."""


class Unreadable(Exception):
    """A file that cannot be read at all; carries the one :class:`Problem` to show."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(str(problem))


def unpack(data: bytes, file: str) -> bytes:
    """The text of a file: gzip unpacked, byte order mark removed, UTF-16 rewritten; :class:`Unreadable` if it is none.

    >>> unpack(b'\\xef\\xbb\\xbf{}', 'p.json')
    b'{}'
    """
    if data[:2] == b"\x1f\x8b":
        try:
            with gzip.open(io.BytesIO(data)) as stream:
                data = stream.read(MOST_UNPACKED + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise Unreadable(damaged(file)) from error
        if len(data) > MOST_UNPACKED:
            raise Unreadable(
                Problem(
                    "too-large", "what is packed in it is larger than any chart", file=file, instead="unpack it, and split it by patient"
                )
            )
    if data[:4] == b"PK\x03\x04":
        raise Unreadable(Problem("zip", "this is a zip archive", file=file, instead="unpack it and give the folder"))
    if data[:4] == b"PAR1":
        raise Unreadable(
            Problem("parquet", "this is a Parquet file, a cohort and not a chart", file=file, instead="use the cohort command")
        )
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        try:
            return data.decode("utf-16").encode()
        except (UnicodeDecodeError, UnicodeEncodeError) as error:
            raise Unreadable(
                Problem("not-utf8", "the file begins as UTF-16 and does not go on so", file=file, instead="save it as UTF-8")
            ) from error
    if data[:3] == b"\xef\xbb\xbf":
        data = data[3:]
    if not data.strip():
        raise Unreadable(Problem("empty-file", "the file is empty", file=file, instead="export it again, or leave it out"))
    return data


def damaged(file: str) -> Problem:
    """The problem of a gzip file that cannot be unpacked."""
    return Problem("bad-gzip", "the gzip file is damaged or cut short", file=file, instead="copy or export it again")


def place_of(data: bytes, byte: int) -> tuple[int, int]:
    """Line and column, from 1, of a byte."""
    before = data[:byte]
    return before.count(b"\n") + 1, byte - (before.rfind(b"\n") + 1) + 1


_NOT_BRACKETS = bytes(byte for byte in range(256) if byte not in b'[]{}"')
_ONE_KIND = bytes.maketrans(b"[]", b"{}")
_STRING = re.compile(rb'"[^"]*"')


def depth_exceeds(data: bytes, limit: int = DEEPEST) -> bool:
    """Whether brackets nest deeper than ``limit``, told from the bytes without parsing.

    >>> depth_exceeds(b'[' * 201 + b']' * 201), depth_exceeds(b'[[]]')
    (True, False)
    """
    if b"\\" in data:  # escaped quotes would end strings early
        if b"\\\\" in data:
            data = data.replace(b"\\\\", b"")
        data = data.replace(b'\\"', b"")
    rest = _STRING.sub(b"", data.translate(_ONE_KIND, _NOT_BRACKETS).replace(b'""', b""))
    for _ in range(limit):  # each pass takes off the innermost level
        shorter = rest.replace(b"{}", b"")
        if len(shorter) == len(rest):
            break
        rest = shorter
    return b"{}" in rest or rest.count(b"{") > limit


def parse_json(data: bytes, file: str, where: str | None = None, first_line: int = 1) -> Tree:
    """JSON to a tree; objects with a key written twice come back as :class:`Mapping`, and so does the root above them.

    Raises :class:`Unreadable` with line and column where it is no JSON, is cut short or nests too
    deep. ``first_line`` is the line of the file on which ``data`` begins.
    """
    if data.count(b"[") + data.count(b"{") > DEEPEST and depth_exceeds(data):
        raise Unreadable(
            Problem("too-deep", f"the brackets nest more than {DEEPEST} deep; no chart does", file=file, line=first_line, where=where)
        )
    try:
        tree = orjson.loads(data)
        again = orjson.dumps(tree)
        # every key has its colon, and colons inside strings are in both: fewer in the tree means a key was lost
        if again == data or again.count(b":") == data.count(b":"):
            return tree
    except (orjson.JSONDecodeError, orjson.JSONEncodeError, TypeError):
        pass  # the standard parser has the last word: it knows NaN and 1e999, and says where it stops
    return _parse_slowly(data, file, where, first_line)


def _parse_slowly(data: bytes, file: str, where: str | None, first_line: int) -> Tree:
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line, column = place_of(data, error.start)
        raise Unreadable(
            Problem(
                "not-utf8",
                f"the text is not UTF-8 (byte {error.start + 1})",
                file=file,
                line=line + first_line - 1,
                column=column,
                where=where,
                instead="save it as UTF-8",
            )
        ) from None
    doubled: list[Mapping] = []

    def make(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        plain = dict(pairs)
        if len(plain) == len(pairs):
            return plain
        marked = Mapping()
        marked.update(plain)
        marked.twice = {key: [] for key, count in Counter(key for key, _ in pairs).items() if count > 1}
        doubled.append(marked)
        return marked

    try:
        tree = json.loads(text, object_pairs_hook=make)
        if doubled and not isinstance(tree, Mapping):
            root: Mapping | Sequence = Mapping() if isinstance(tree, dict) else Sequence()
            root.update(tree) if isinstance(root, Mapping) else root.extend(tree)
            return root
        return tree
    except json.JSONDecodeError as error:
        cut = error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string")
        message = "the JSON ends before it is complete" if cut else f"this is not JSON: {error.msg[0].lower()}{error.msg[1:]}"
        raise Unreadable(
            Problem(
                "truncated" if cut else "not-json",
                message,
                file=file,
                line=error.lineno + first_line - 1,
                column=error.colno,
                where=where,
                instead="export or copy the file again" if cut else None,
            )
        ) from None
    except (ValueError, RecursionError):
        # an integer of thousands of digits, or brackets the byte scan and the parser count differently
        raise Unreadable(Problem("not-json", "this is not JSON that a chart can hold", file=file, line=first_line, where=where)) from None


def doubled_keys(tree: Tree) -> list[str]:
    """Keys written twice anywhere in a tree, in the order met."""
    found: list[str] = []
    stack = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            if isinstance(node, Mapping):
                found.extend(node.twice)
            stack.extend(reversed(node.values()))
        elif isinstance(node, list):
            stack.extend(reversed(node))
    return found


_TOKEN = re.compile(rb'(?:[^"\[\]{}]++|"(?:[^"\\]++|\\.)*+")*+([\[\]{}])', re.DOTALL)
_CHUNK = 1 << 20


def elements(stream: BinaryIO, key: str, file: str) -> Iterator[bytes]:
    """The elements of the top-level list ``key`` of one large JSON object, each as bytes, without holding the file.

    The last thing yielded is the object itself with the list emptied, so that its other fields can be
    read. Raises :class:`Unreadable` where the text ends before the object does.
    """
    wanted = re.compile(rb'"' + re.escape(key.encode()) + rb'"\s*:\s*$')
    shell = bytearray()
    buffer = bytearray()
    position = 0  # just behind the last bracket seen
    mark = 0  # just behind the last byte that was yielded or put into the shell
    begin = -1  # where the element being read begins
    depth = 0
    inside = False
    while True:
        match = _TOKEN.match(buffer, position)
        if match is None:
            if not inside:
                shell += buffer[mark:position]
                mark = position
            chunk = stream.read(_CHUNK)
            if not chunk:
                break
            del buffer[:mark]
            position -= mark
            begin -= mark
            mark = 0
            buffer += chunk
            continue
        position = match.end()
        at = position - 1
        if buffer[at] in b"[{":
            if inside and depth == 2:
                begin = at
                between = bytes(buffer[mark:at].strip(b" \t\r\n,"))
                if between:  # a bare word or number where an object belongs
                    yield between
            elif not inside and depth == 1 and wanted.search(buffer, mark, at):
                inside = True
                shell += buffer[mark:position]
                mark = position
            depth += 1
        else:
            depth -= 1
            if inside and depth == 2:
                yield bytes(buffer[begin:position])
                mark = position
            elif inside and depth == 1:
                between = bytes(buffer[mark:at].strip(b" \t\r\n,"))
                if between:
                    yield between
                inside = False
                mark = at
    if depth != 0:
        raise Unreadable(Problem("truncated", "the JSON ends before it is complete", file=file, instead="export or copy the file again"))
    yield bytes(shell + buffer[mark:])
