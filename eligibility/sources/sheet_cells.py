"""Workbooks and CSV files as grids of cells, each with its place, and nothing interpreted.

A cell keeps what a spreadsheet hides: that it is merged with others, that it holds a formula or an
error, that a number is shown in per cent. Nothing here knows what a column means.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ..errors import Problem, did_you_mean
from . import written
from .raw import Unreadable
from .sheet_layout import COLUMNS, ESSENTIAL, FILLED, fold_header, looks_like_header

MOST_ROWS = 5_000
MOST_COLUMNS = 60
MOST_BYTES = 64 << 20
"""Unpacked bytes of a workbook that are read; a sheet of one patient has some fifty thousand."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: where it is, what it holds, and what is odd about it.

    ``value`` is text, a number, a date, or None for an empty cell. ``odd`` is ``merged``,
    ``formula``, ``error`` or ``percent``, or empty.
    """

    place: str
    value: Any = None
    odd: str = ""
    line: int | None = None

    @property
    def text(self) -> str:
        """The text of a cell that holds text; empty for all others."""
        return self.value.strip() if isinstance(self.value, str) else ""

    @property
    def empty(self) -> bool:
        """Whether nothing was written in it."""
        return (self.value is None or self.value == "" or (isinstance(self.value, str) and not self.value.strip())) and not self.odd


EMPTY = Cell("")


@dataclass(slots=True)
class Grid:
    """The cells of one sheet, row by row; ``title`` is empty for a CSV file, which has one sheet without a name."""

    title: str
    rows: list[list[Cell]] = field(default_factory=list)


def is_workbook(data: bytes) -> bool:
    """Whether the bytes are an Excel workbook, whole or cut short (a zip archive with a workbook's parts).

    >>> is_workbook(b"id: p1")
    False
    """
    return data[:4] == b"PK\x03\x04" and any(part in data for part in (b"xl/workbook.xml", b"xl/worksheets/", b"docProps/app.xml"))


def is_sheet_text(text: str) -> bool:
    """Whether a text is a sheet saved as CSV: one of its first lines is a sheet's header.

    >>> is_sheet_text("item,answer,unit,date,row\\nEDSS,4.5,,2026-10-20,observation:edss\\n")
    True
    """
    return next(_marks(text), None) is not None


def _marks(text: str) -> Iterator[str]:
    """What stands between the cells of a line that is a header."""
    for line in text[:20_000].splitlines()[:12]:
        for mark in ",;\t":
            if mark in line and looks_like_header(next(csv.reader([line], delimiter=mark), [])):
                yield mark


def workbook_grids(data: bytes, file: str) -> Iterator[Grid]:
    """The visible sheets of a workbook. Raises :class:`Unreadable` for one that is damaged or far too large."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size = sum(part.file_size for part in archive.infolist())
    except zipfile.BadZipFile:
        raise Unreadable(_damaged(file)) from None
    if size > MOST_BYTES:
        raise Unreadable(
            Problem("too-large", "the workbook is far larger than a sheet of charts", file=file, instead="save the filled sheets alone")
        )
    from openpyxl import load_workbook  # a second to import: only a run that reads a workbook pays for it

    try:
        book = load_workbook(io.BytesIO(data))
    except Exception:  # openpyxl raises whatever its parsers do; nothing of the file's content may be repeated
        raise Unreadable(_damaged(file)) from None
    for sheet in book.worksheets:
        if sheet.sheet_state == "visible":
            yield _grid(sheet, file)


def _damaged(file: str) -> Problem:
    return Problem("bad-workbook", "the workbook is damaged and cannot be opened", file=file, instead="open it in Excel and save it again")


def _grid(sheet: Any, file: str) -> Grid:
    if sheet.max_row > MOST_ROWS:
        raise Unreadable(
            Problem(
                "too-large",
                f"the sheet has more than {MOST_ROWS} rows",
                file=file,
                where=str(sheet.title),
                instead="delete what stands below the table",
            )
        )
    merged = {(row, column) for area in sheet.merged_cells.ranges for row, column in area.cells}
    grid = Grid(str(sheet.title))
    for cells in sheet.iter_rows(max_col=min(sheet.max_column, MOST_COLUMNS)):
        grid.rows.append([_cell(one, grid.title, (one.row, one.column) in merged) for one in cells])
    return grid


def _cell(cell: Any, title: str, merged: bool) -> Cell:
    place = f"{title}!{cell.coordinate}"
    kind = getattr(cell, "data_type", "n")  # the cells under a merged area have no type
    value = cell.value
    if merged:
        return Cell(place, None, "merged", cell.row)
    if kind == "f":
        return Cell(place, None, "formula", cell.row)
    if kind == "e":
        return Cell(place, None, "error", cell.row)
    if isinstance(value, int | float) and not isinstance(value, bool) and "%" in str(cell.number_format):
        return Cell(place, None, "percent", cell.row)
    if not isinstance(value, str | int | float | dt.date | dt.time | type(None)):
        value = str(value)  # rich text, durations
    return Cell(place, value, "", cell.row)


def text_grid(text: str, file: str) -> Grid:
    """A sheet saved as CSV, with comma, semicolon or tab between its cells, whichever its header has."""
    mark = next(_marks(text), ",")
    grid = Grid("")
    reader = csv.reader(io.StringIO(text), delimiter=mark)
    try:
        for number, cells in enumerate(reader, start=1):
            if number > MOST_ROWS:
                raise Unreadable(Problem("too-large", f"the sheet has more than {MOST_ROWS} rows", file=file))
            kept = enumerate(cells[:MOST_COLUMNS])
            grid.rows.append([Cell(f"row {number}, column {_letter(at)}", value, "", number) for at, value in kept])
    except csv.Error:
        raise Unreadable(
            Problem("bad-csv", "the table cannot be told into cells", file=file, line=reader.line_num, instead="save it as CSV again")
        ) from None
    return grid


def _letter(column: int) -> str:
    """The letters a spreadsheet puts over a column, from 0.

    >>> _letter(0), _letter(27)
    ('A', 'AB')
    """
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


# -- the header -----------------------------------------------------------------------------------


@dataclass(slots=True)
class Header:
    """Which column is where, and what is wrong with the header.

    ``missing`` are columns that are not there; without the essential ones the sheet cannot be read.
    """

    columns: dict[str, int]
    problems: list[Problem]
    missing: tuple[str, ...]

    @property
    def usable(self) -> bool:
        """Whether the answers of the sheet can be told."""
        return not set(ESSENTIAL) & set(self.missing)

    def cells(self, row: list[Cell]) -> dict[str, Cell]:
        """The cells of a row by the names of their columns."""
        return {name: row[index] for name, index in self.columns.items() if index < len(row)}


def header_of(row: list[Cell], file: str) -> Header:
    """The header that a row of cells is, with every column that is missing, renamed or there twice."""
    columns: dict[str, int] = {}
    problems: list[Problem] = []
    strange = []
    for index, cell in enumerate(row):
        name = fold_header(cell.text)
        if name in columns:
            problems.append(Problem("column-twice", f"the column {name} stands twice; only the first is read", file=file, where=cell.place))
        elif name in COLUMNS:
            columns[name] = index
        elif not cell.empty:
            strange.append(cell)
    missing = tuple(name for name in COLUMNS if name not in columns)
    for cell in strange:
        # one that stands where a column is missing has been renamed
        near = did_you_mean(fold_header(cell.text), missing) or f"the columns are {', '.join(COLUMNS)}"
        shown = written.clean(cell.text)[:40] or "?"
        problems.append(Problem("unknown-column", f"there is no column «{shown}»", file=file, where=cell.place, instead=near))
    for name in missing:
        if name in FILLED or name in ESSENTIAL:
            lost = "the sheet was not read" if name in ESSENTIAL else "what it would have held is read as not known"
            problems.append(
                Problem("missing-column", f"there is no column {name}: {lost}", file=file, where=row[0].place, instead="put its name back")
            )
    return Header(columns, problems, missing)


def blocks(rows: list[list[Cell]], header: Header) -> list[list[dict[str, Cell]]]:
    """The rows of each patient: a study id begins another where there is more than one."""
    told = [header.cells(row) for row in rows if not all(cell.empty for cell in row) and not looks_like_header([cell.text for cell in row])]
    begins = [index for index, cells in enumerate(told) if cells.get("row", EMPTY).text.lower() == "person:id"]
    if len(begins) < 2:
        return [told] if told else []
    ends = [*begins[1:], len(told)]
    return [told[0 if begin == begins[0] else begin : end] for begin, end in zip(begins, ends, strict=True)]
