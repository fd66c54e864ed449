"""A site's map: what its local codes and texts mean, as a CSV file of four columns.

::

    system,code,text,concept
    http://hospital.example/labs,EDSS_T,,edss
    ,,MS chronic progressive,ms-primary-progressive|ms-secondary-progressive
    http://hospital.example/labs,QC01,,none

A row with a code speaks of that code, one with a text of that text, one with both of entries that
carry both. ``none`` says that it is nothing of this vocabulary. Several concepts stand with a bar
between them. The map has precedence over every code list and word.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError, Problem
from .systems import Systems
from .words import fold

COLUMNS = ("system", "code", "text", "concept")
NONE = "none"
_NEUTRALISED = re.compile(r"'(?=[=+\-@\t\r])")


def _cell(raw: object) -> str:
    """A cell without the apostrophe that the worksheet puts before what a spreadsheet would run as a formula."""
    return _NEUTRALISED.sub("", raw.strip(), count=1).strip() if isinstance(raw, str) else ""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a map: canonical system and code, folded text, concepts (empty for ``none``)."""

    system: str
    code: str
    text: str
    concepts: frozenset[str]


class SiteMap:
    """The rows of one or more map files. Immutable."""

    __slots__ = ("_both", "_codes", "_digest", "_texts", "rows")

    def __init__(self, rows: Iterable[Row]) -> None:
        self.rows = tuple(rows)
        self._codes: dict[tuple[str, str], frozenset[str]] = {}
        self._texts: dict[str, frozenset[str]] = {}
        self._both: dict[tuple[str, str, str], frozenset[str]] = {}
        for row in self.rows:
            if row.code and row.text:
                self._both[row.system, row.code, row.text] = row.concepts
            elif row.code:
                self._codes[row.system, row.code] = row.concepts
            else:
                self._texts[row.text] = row.concepts
        lines = sorted("\x1f".join((row.system, row.code, row.text, "|".join(sorted(row.concepts)))) for row in self.rows)
        self._digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def digest(self) -> str:
        """A hash of what the map says, whatever the order of its rows."""
        return self._digest

    def lookup(self, codings: Sequence[tuple[str, str]], texts: Sequence[str]) -> frozenset[str] | None:
        """Concepts of an entry with these canonical codes and folded texts; empty for ``none``; None where the map is silent.

        Rows of code and text come first, then codes, then texts; what several codes mean is joined.
        """
        both = (
            [self._both[key] for system, code in codings for text in texts if (key := (system, code, text)) in self._both]
            if self._both
            else []
        )
        found = (
            both
            or [self._codes[coding] for coding in codings if coding in self._codes]
            or [self._texts[text] for text in texts if text in self._texts]
        )
        return frozenset().union(*found) if found else None

    @classmethod
    def read(cls, paths: Iterable[Path], concepts: Collection[str], systems: Systems, near: Callable[[str], str | None]) -> SiteMap:
        """Read map files; raises ``InputError`` with every mistake at its file and line."""
        rows: list[tuple[Row, str, int]] = []
        problems: list[Problem] = []
        for path in paths:
            try:
                text = path.read_text(encoding="utf-8-sig")
            except (OSError, UnicodeDecodeError):
                problems.append(Problem("unreadable", "the code map cannot be read as UTF-8 text", file=str(path)))
                continue
            rows.extend(cls._rows(str(path), text, concepts, systems, near, problems))
        seen: dict[tuple[str, str, str], tuple[frozenset[str], str, int]] = {}
        for row, file, line in rows:
            said, other, at = seen.setdefault((row.system, row.code, row.text), (row.concepts, file, line))
            if said != row.concepts:
                before = f"line {at}" if other == file else f"{other}, line {at}"
                problems.append(
                    Problem(
                        "mapped-twice",
                        f"this row and {before} give one code or text different concepts",
                        file,
                        line,
                        instead="keep one, or join the concepts with |",
                    )
                )
        if problems:
            raise InputError(*problems)
        return cls([row for row, _, _ in rows])

    @staticmethod
    def _rows(
        file: str, text: str, concepts: Collection[str], systems: Systems, near: Callable[[str], str | None], problems: list[Problem]
    ) -> Iterable[tuple[Row, str, int]]:
        # as spreadsheets of other countries save it: what stands between the columns shows in the header
        header_cells = ((mark, {name.strip(' "\r') for name in text.partition("\n")[0].split(mark)}) for mark in (",", ";", "\t"))
        mark = next((mark for mark, names in header_cells if names.issuperset(COLUMNS)), ",")
        reader = csv.DictReader(io.StringIO(text, newline=""), strict=True, delimiter=mark)
        header = [name.strip() for name in reader.fieldnames or ()]
        missing = [column for column in COLUMNS if column not in header]
        if missing:
            problems.append(
                Problem(
                    "bad-header",
                    f"the code map has no column {', '.join(missing)}",
                    file,
                    1,
                    1,
                    instead=f"its first line is {','.join(COLUMNS)}",
                )
            )
            return
        reader.fieldnames = header
        try:
            for raw in reader:
                line = reader.line_num
                cells = {column: _cell(raw.get(column)) for column in COLUMNS}
                if not any(cells.values()) or not cells["concept"]:
                    continue  # an empty row, or one of the worksheet that nobody has filled in yet
                if not cells["code"] and not fold(cells["text"]):
                    problems.append(Problem("empty-row", "a row names a code, a text, or both", file, line, where="columns code and text"))
                    continue
                names = [name.strip() for name in cells["concept"].split("|") if name.strip()]
                unknown = [name for name in names if name != NONE and name not in concepts]
                for name in unknown:
                    problems.append(
                        Problem("unknown-concept", f"there is no concept {name}", file, line, where="column concept", instead=near(name))
                    )
                if NONE in names and len(names) > 1:
                    problems.append(Problem("none-and-more", "none stands alone", file, line, where="column concept"))
                    continue
                if unknown:
                    continue
                system = systems.name(cells["system"]) if cells["system"] else ""
                means = frozenset(name for name in names if name != NONE)
                yield Row(system, systems.code(system, cells["code"]), fold(cells["text"]), means), file, line
        except csv.Error as error:
            problems.append(Problem("bad-csv", f"this is not CSV: {error}", file, reader.line_num))
