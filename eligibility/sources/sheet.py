"""Abstraction sheets read back: each sheet one patient, each row one answer, each mistake its cell.

What a row says becomes what a chart would say: ``yes`` an entry, ``no`` a statement of absence up to
its date, ``not in chart`` silence. A row without an answer is none of the three: nobody has looked. It
is kept as an entry that may be what the row asks about, so that no silence is read into it, and so is
all that the sheet has no row for. A cell that cannot be read costs its row its certainty and nothing
else; the rest of the sheet is read.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from ..errors import Problem, did_you_mean
from ..model.patient import (
    DEATH_UNREAD,
    FAMILIES,
    Entry,
    Family,
    Misread,
    Patient,
    Quantity,
    StatedAbsence,
)
from ..model.quantity import Interval
from ..model.time import When
from ..vocabulary.concept import Concept
from ..vocabulary.vocabulary import UnitProblem, Vocabulary
from ..vocabulary.words import fold
from . import written
from .arrival import FIELD_OF, MODELS, PatientInput, build
from .sheet_cells import EMPTY, Cell, Grid, Header, blocks, header_of
from .sheet_gaps import Told, gaps
from .sheet_layout import (
    COLUMNS,
    FILLED,
    FLAGS,
    GUIDE,
    LIST_LABEL,
    NO,
    NONE_KNOWN,
    NOT_ASKED,
    NOT_FILLED_IN,
    NOT_IN_CHART,
    ONGOING,
    PERSON_ROWS,
    PRELIMINARY,
    SEXES,
    SINGLE_DOSE,
    STATED_COMPLETE,
    UNSURE,
    YES,
    RowName,
    looks_like_header,
)
from .sheet_values import OUTCOMES, BadCell, choice_of, dose_of, plain, range_of, result_of, units_of, when_of, word_of

_ITEM = re.compile(r"(?P<name>.*?)\s*[:=]?\s*(?P<points>\d+(?:\.\d+)?)")
_TAKES: dict[str, tuple[Family, ...]] = {
    "unit": ("observation",),
    "range": ("observation",),
    "until": ("condition", "medication", "procedure", "allergy"),
    "dose": ("medication",),
    "outcome": ("condition", "observation", "medication", "allergy"),
}
"""Columns that only some families have."""
_FIELD = {"unit": "unit", "range": "range", "date": "start", "until": "end", "kind": "concept", "dose": "dose", "outcome": "outcome"}

_DEAD = {word: {True: YES, False: NO, None: NOT_IN_CHART}[told] for word, told in written.DEATH_WORDS.items()}

Answer = Literal["yes", "no", "not in chart", "unsure", "value", "", "bad"]


@dataclass(slots=True)
class _Row:
    """A row about one item, with what was read of it."""

    name: RowName
    cells: dict[str, Cell]
    source: str
    answer: Answer = ""
    bad: list[str] = field(default_factory=list)

    def cell(self, column: str) -> Cell:
        return self.cells.get(column, EMPTY)

    def place(self, column: str) -> str:
        return self.cell(column).place or next((cell.place for cell in self.cells.values()), self.source)


def read_sheets(grids: Iterator[Grid], file: str, stem: str, vocabulary: Vocabulary) -> Iterator[PatientInput | Problem]:
    """The patients of a workbook's sheets, or of a CSV file's, and every mistake with its cell.

    ``stem`` names a patient whose sheet has no study id. Sheets that nobody has begun are passed over.
    """
    met: dict[str, str] = {}
    found = filled = False
    for grid in grids:
        if grid.title == GUIDE or all(cell.empty for row in grid.rows for cell in row):
            continue
        found = True
        at = next((index for index, row in enumerate(grid.rows[:15]) if looks_like_header([cell.text for cell in row])), None)
        if at is None:
            filled = True
            where = grid.title or None
            yield Problem(
                "no-header",
                "no row here is the header of a sheet",
                file=file,
                where=where,
                instead=f"the columns are {', '.join(COLUMNS)}; worksheet writes them",
            )
            continue
        header = header_of(grid.rows[at], file)
        yield from header.problems
        if not header.usable:
            filled = True
            continue
        told = blocks(grid.rows[at + 1 :], header)
        for number, rows in enumerate(told, start=1):
            name = f"{stem} {grid.title}".strip() if grid.title else f"{stem}-{number}" if len(told) > 1 else stem
            reader = _Sheet(grid.title, header, file, vocabulary)
            came = reader.patient(rows, name, met)
            if came is not None:
                filled = True
                yield came
    if not found:
        yield Problem("empty-file", "no sheet of the file holds anything", file=file)
    elif not filled:
        yield Problem("not-filled-in", "no sheet of the file is filled in", file=file, severity="note")


# -- one patient ----------------------------------------------------------------------------------


class _Sheet:
    """Reads the rows of one patient; collects problems."""

    def __init__(self, title: str, header: Header, file: str, vocabulary: Vocabulary) -> None:
        self.title, self.header, self.file, self.vocabulary = title, header, file, vocabulary
        self.problems: list[Problem] = []
        self.person: dict[str, Any] = {}
        self.entries: dict[Family, list[Entry]] = {family: [] for family in FAMILIES}
        self.absences: list[StatedAbsence] = []
        self.lost: list[Misread] = []
        self.none_known: set[Family] = set()
        self.denied: list[tuple[_Row, dict[str, Any]]] = []
        self.id_cell = ""

    def complain(self, place: str, code: str, message: str, instead: str | None = None, severity: str = "error") -> None:
        self.problems.append(Problem(code, message, file=self.file, where=place, instead=instead, severity=severity))

    def patient(self, rows: list[dict[str, Cell]], fallback: str, met: dict[str, str]) -> PatientInput | Problem | None:
        """The patient of the rows; None where nothing was filled in."""
        if not any(self._filled(cells) for cells in rows):
            return None
        items = self._sort(rows)
        for row in items:
            self._read(row)
        self._deny(items)
        rows_told = [
            Told(row.name.family, row.name.concept, row.answer, self._source(row.cells, f"({row.name}), {NOT_FILLED_IN}")) for row in items
        ]
        for family, entry in gaps(rows_told, self.title, self.none_known, self.vocabulary):
            self.entries[family].append(entry)
        name = self.person.pop("id", "")
        if not name:
            name = fallback
            place = self.id_cell or self.title or "row 1"
            self.complain(place, "no-id", "there is no study id; the name of the sheet stands for it", "write any name that is nobody's")
        if name in met:
            return Problem(
                "same-patient",
                f"this study id stands at {met[name]} too; this sheet was left out",
                file=self.file,
                where=self.id_cell or self.title,
                instead="give every patient an id of their own",
            )
        met[name] = self.id_cell or self.title
        families = {FIELD_OF[family]: tuple(entries) for family, entries in self.entries.items()}
        patient = Patient(id=name, **self.person, **families, absences=tuple(self.absences), misread=tuple(self.lost))
        return PatientInput(patient, self.file, tuple(self.problems))

    def _filled(self, cells: dict[str, Cell]) -> bool:
        return any(not cells.get(column, EMPTY).empty for column in FILLED if column != "unit")

    # -- which row is which ------------------------------------------------------------------------

    def _sort(self, rows: list[dict[str, Cell]]) -> list[_Row]:
        """Rows about items, each once; those about the person and the chart's lists are read on the way."""
        items: list[_Row] = []
        spare: list[dict[str, Cell]] = []
        first: dict[RowName, _Row] = {}
        for cells in rows:
            named = cells.get("row", EMPTY)
            text = named.text.lower()
            if text in PERSON_ROWS:
                self._person(text.removeprefix("person:"), cells)
            elif text.startswith("list:") and text.removeprefix("list:") in LIST_LABEL:
                self._list(text.removeprefix("list:"), cells)
            elif (name := RowName.parse(text)) is not None and name.concept in self.vocabulary:
                row = _Row(name, cells, self._source(cells))
                if name in first:
                    self._twice(first[name], row)
                first.setdefault(name, row)
                items.append(row)
            elif not text and not named.odd and self._filled(cells):
                spare.append(cells)
            elif self._filled(cells):
                self._unknown_row(named, cells)
        for cells in spare:
            row_of = self._by_label(cells, items)
            if row_of is not None:
                items.append(row_of)
        return items

    def _twice(self, first: _Row, second: _Row) -> None:
        self.complain(
            second.place("row"),
            "two-rows",
            f"this row stands twice, first at {first.place('row')}: neither is taken as certain",
            f"keep one of them, or write another number at the end: {second.name.family}:{second.name.concept}#{second.name.number + 1}",
        )
        first.bad.append("row")
        second.bad.append("row")

    def _by_label(self, cells: dict[str, Cell], items: list[_Row]) -> _Row | None:
        """A row that the sheet left free: its item is chosen by its label, and it takes the next number."""
        label = fold(cells.get("item", EMPTY).text)
        known = {fold(row.cell("item").text): row.name for row in items}
        name = known.get(label)
        if not label or name is None:
            cell = cells.get("item", EMPTY)
            self.complain(
                cell.place or self._source(cells),
                "unknown-item",
                "this row does not say which item it is about",
                did_you_mean(label, known) or "choose one of the sheet's items",
            )
            self.lost.append(Misread(source=self._source(cells), why="the row's item is not known"))
            return None
        taken = [row.name.number for row in items if (row.name.family, row.name.concept) == (name.family, name.concept)]
        return _Row(RowName(name.family, name.concept, max(taken) + 1), cells, self._source(cells))

    def _unknown_row(self, named: Cell, cells: dict[str, Cell]) -> None:
        if named.odd:
            self._odd(named)
        else:
            _, _, concept = named.text.partition(":")
            near = self.vocabulary.near(concept.partition("#")[0]) if concept else None
            self.complain(
                named.place,
                "unknown-row",
                "this names no item",
                near or "put the row's name back, such as observation:edss; worksheet writes it",
            )
        self.lost.append(Misread(source=self._source(cells), why="the row's item is not known"))

    def _source(self, cells: dict[str, Cell], end: str = "") -> str:
        """Where an entry stands, and where the person who filled it in found it."""
        line = next((cell.line for cell in cells.values() if cell.line), 0)
        place = f"{self.title} row {line}".strip()
        found = "" if end else written.clean(cells.get("where found", EMPTY).text)[:80].replace("#", "no. ").strip()
        if found.endswith((NOT_FILLED_IN, NOT_ASKED)):
            found += "."  # no reader's note is taken for a row without an answer
        return f"{place} {end}" if end else f"{place}: {found}" if found else place

    def _odd(self, cell: Cell) -> None:
        message, instead = {
            "merged": ("the cell is merged with others: which row it belongs to cannot be told", "unmerge the cells"),
            "formula": ("the cell holds a formula", "write what it comes to"),
            "error": ("the cell holds a spreadsheet's error", "write the value, or leave it empty"),
            "percent": ("the number is shown in per cent, and is a hundredth of what is seen", "write the number and the unit %"),
        }[cell.odd]
        self.complain(cell.place, f"{cell.odd}-cell", message, instead)

    # -- the person --------------------------------------------------------------------------------

    def _person(self, what: str, cells: dict[str, Cell]) -> None:
        answer, date = cells.get("answer", EMPTY), cells.get("date", EMPTY)
        at = answer
        try:
            for cell in (answer, date):
                at = cell
                if cell.odd:
                    self._odd(cell)
                    if what == "deceased" and (answer.odd or word_of(answer) not in (NO, NOT_IN_CHART)):
                        self.person["deceased"] = True if not answer.odd and word_of(answer) == YES else DEATH_UNREAD
                    return
            at = answer
            if what == "id":
                self.id_cell = answer.place
                self.person["id"] = self._identifier(answer)
            elif what == "sex" and not answer.empty and word_of(answer) != NOT_IN_CHART:
                self.person["sex"] = (choice_of(answer, (*SEXES, "unknown"), {"f": "female", "m": "male"}),)
            elif what in ("birth-date", "written"):
                at = date if not date.empty else answer
                if not at.empty and word_of(at) != NOT_IN_CHART:
                    when = when_of(at)
                    self.person.update({"birth_date": (when,)} if what == "birth-date" else {"written": when})
            elif what == "deceased":
                dated = not date.empty and word_of(date) != NOT_IN_CHART
                if dated or written.may_tell_of_death(answer.value):
                    self.person["deceased"] = DEATH_UNREAD  # until both cells are read
                said = choice_of(answer, (YES, NO, NOT_IN_CHART), _DEAD) if not answer.empty else ""
                if said in (NO, NOT_IN_CHART) and dated:
                    at = date
                    raise BadCell("answer-and-more", f"the answer is {said}, and there is a date of death", "empty it, or answer yes")
                if said in (NO, NOT_IN_CHART):
                    self.person.pop("deceased", None)
                elif said == YES:
                    self.person["deceased"] = True
                if dated and said in (YES, ""):
                    at = date
                    self.person["deceased"] = when_of(date)
        except BadCell as error:
            self.complain(at.place, error.code, error.message, error.instead)

    @staticmethod
    def _identifier(cell: Cell) -> str:
        value = cell.value
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, dt.date | dt.time | bool):
            raise BadCell("bad-id", "the spreadsheet has turned the id into a date", "set the cell to text and write it again")
        return written.clean(str(value))[:200] if value is not None else ""

    def _list(self, family_name: str, cells: dict[str, Cell]) -> None:
        """What the chart says of a whole list."""
        answer, date = cells.get("answer", EMPTY), cells.get("date", EMPTY)
        if answer.empty and date.empty:
            return
        family: Family = family_name  # type: ignore[assignment]
        at = answer
        try:
            if answer.odd or date.odd:
                self._odd(answer if answer.odd else date)
                return
            said = choice_of(answer, (STATED_COMPLETE, NONE_KNOWN, NOT_IN_CHART))
            if said == NOT_IN_CHART:
                return
            at = date
            as_of = None if date.empty else when_of(date)
        except BadCell as error:
            # a lost statement leaves more open, never less
            self.complain(at.place, error.code, error.message, error.instead)
            return
        kind: Literal["complete", "none-known"] = "complete" if said == STATED_COMPLETE else "none-known"
        if said == NONE_KNOWN:
            self.none_known.add(family)
        self.absences.append(StatedAbsence(family=family, kind=kind, as_of=as_of, source=self._source(cells)))

    # -- items -------------------------------------------------------------------------------------

    def _read(self, row: _Row) -> None:
        for column in FILLED:
            if row.cell(column).odd:
                self._odd(row.cell(column))
                row.bad.append("row" if row.cell(column).odd == "merged" else _FIELD.get(column, "value"))
        for column in self.header.missing:
            if row.name.family in _TAKES.get(column, ()) or (column == "kind" and len(self.vocabulary.descendants(row.name.concept)) > 1):
                row.bad.append(_FIELD[column])
        concept = self.vocabulary.concepts[row.name.concept]
        if row.name.family == "observation":
            self._result(row, concept)
            return
        row.answer = self._answer(row)
        if row.answer == "":
            return
        fields = self._fields(row)
        if row.answer == "not in chart" or row.answer == "bad":
            if row.answer == "bad":
                self._keep(row, {"concept": row.name.concept}, ["answer", *row.bad])
            return
        if row.answer == "no" and not row.bad:
            self.denied.append((row, fields))
            return
        self._keep(row, fields, row.bad)

    def _deny(self, items: list[_Row]) -> None:
        """The answers *no* as statements of absence: of a group with kinds that are there, of its other kinds."""
        below = self.vocabulary.descendants
        for row, fields in self.denied:
            family, concept = row.name.family, str(fields["concept"])
            there = {other.name.concept for other in items if other.name.family == family and other.answer in ("yes", "unsure", "bad")}
            since, as_of = _from_to(fields.get("start"))
            met = there & below(concept) if since is None else set()  # of a time of its own it is said of the whole group
            free = [one for one in sorted(below(concept)) if not any(below(one) & below(other) for other in met)]
            for one in [one for one in free if not any(one in below(other) - {other} for other in free)] if met else [concept]:
                text = f"no {self.vocabulary.concepts[one].label}"
                self.absences.append(StatedAbsence(family=family, concept=one, since=since, as_of=as_of, text=text, source=row.source))

    def _answer(self, row: _Row) -> Answer:
        cell = row.cell("answer")
        others = [column for column in FILLED if column not in ("answer", "where found") and not row.cell(column).empty]
        if cell.odd or "row" in row.bad:
            return "bad"
        if cell.empty:
            if others:
                self.complain(cell.place or row.place("row"), "no-answer", "the row has entries and no answer", f"write {YES} if it is so")
                return "bad"
            return ""
        try:
            said = choice_of(cell, (YES, NO, NOT_IN_CHART, UNSURE), {"suspected": UNSURE})
        except BadCell as error:
            self.complain(cell.place, error.code, error.message, error.instead)
            return "bad"
        against = others if said == NOT_IN_CHART else [column for column in others if column not in ("date", "kind")] if said == NO else []
        if against:
            self.complain(
                row.place(against[0]),
                "answer-and-more",
                f"the answer is {said}, and the column {against[0]} is filled in",
                f"empty it, or answer {YES}",
            )
            return "bad"
        return said  # type: ignore[return-value]

    def _fields(self, row: _Row) -> dict[str, Any]:
        """The fields of an entry from the cells of its row; what cannot be read is complained of and named in ``row.bad``."""
        family = row.name.family
        fields: dict[str, Any] = {"concept": row.name.concept}
        for column in ("date", "until", "kind", "dose", "outcome", "unit", "range"):
            cell = row.cell(column)
            if cell.empty or cell.odd:
                continue
            try:
                if family not in _TAKES.get(column, FAMILIES):
                    raise BadCell("not-here", f"the column {column} is not for this row", "empty the cell")
                match column:
                    case "date":
                        fields["start"] = when_of(cell)
                    case "until":
                        self._until(cell, family, fields)
                    case "kind":
                        fields["concept"] = self._kind(cell, row.name.concept)
                    case "dose":
                        quantity, often = dose_of(cell)
                        fields["dose"] = quantity
                        if often is not None:
                            fields["per_day"] = often
                    case "outcome":
                        fields.update(self._outcome(cell, family))
            except BadCell as error:
                self.complain(cell.place, error.code, error.message, error.instead)
                row.bad.append(_FIELD[column])
        start, end = fields.get("start"), fields.get("end")
        if start is not None and end is not None and end.hi < start.lo:
            self.complain(row.place("until"), "ends-before-it-begins", "the end lies before the date", "look at both dates")
        if row.answer == "unsure":
            fields.update({"verification": "unconfirmed"} if family in ("condition", "allergy") else {"status": "unknown"})
        if family in ("procedure", "immunization") and row.answer == "yes":
            fields.setdefault("status", "completed")
        return fields

    @staticmethod
    def _until(cell: Cell, family: Family, fields: dict[str, Any]) -> None:
        word = word_of(cell)
        if word == ONGOING:
            fields["status"] = "in-progress" if family == "procedure" else "active"
        elif word == SINGLE_DOSE and family == "medication":
            fields.update(kind="administration", status="completed")
        elif word == SINGLE_DOSE:
            raise BadCell("not-here", f"{word} is said of a drug", f"write the day it ended, or {ONGOING}")
        elif word != NOT_IN_CHART:
            fields["end"] = when_of(cell)
            fields["status"] = "resolved" if family in ("condition", "allergy") else "completed"

    def _kind(self, cell: Cell, concept: str) -> str:
        below = self.vocabulary.descendants(concept)
        spelt = {fold(name): one for one in sorted(below) for name in (one, self.vocabulary.concepts[one].label)}
        found = spelt.get(fold(cell.text)) if cell.text else None
        if found is None:
            near = did_you_mean(fold(cell.text), spelt)
            raise BadCell(
                "bad-kind", "this is no kind of the item that the library knows", near or "choose from the list, or leave it empty"
            )
        return found

    @staticmethod
    def _outcome(cell: Cell, family: Family) -> dict[str, Any]:
        if word_of(cell) == NOT_IN_CHART:
            return {}
        if family == "observation":
            said_of: dict[str, Any] = {}
            for word in cell.text.lower().split(","):
                one = choice_of(Cell("", word), (*FLAGS, PRELIMINARY, "final"))
                said_of["interpretation" if one in FLAGS else "status"] = one
            return said_of
        if family != "medication":
            value = cell.value
            text = written.clean(str(int(value) if isinstance(value, float) and value.is_integer() else value))
            return {"grade": text}
        said = tuple(part.strip().lower().replace(" ", "-") for part in cell.text.split(",") if part.strip())
        for one in said or ("",):
            if one not in OUTCOMES:
                near = did_you_mean(one, OUTCOMES) or f"one of {', '.join(OUTCOMES)}"
                raise BadCell("bad-outcome", "this outcome is not one of those read here", near)
        return {"outcome": said}

    # -- results -----------------------------------------------------------------------------------

    def _result(self, row: _Row, concept: Concept) -> None:
        cell = row.cell("answer")
        others = [column for column in FILLED if column not in ("answer", "where found", "unit") and not row.cell(column).empty]
        score_parts = bool(concept.items) and not row.cell("kind").empty
        if cell.empty and not others:
            return  # nobody has looked; no result is no silence either
        if word_of(cell) == NOT_IN_CHART:
            if others:
                message = f"the answer is {NOT_IN_CHART}, and the column {others[0]} is filled in"
                self.complain(row.place(others[0]), "answer-and-more", message, "empty it, or write the result")
                row.bad.append("value")
            else:
                return
        kind = row.cells.pop("kind", EMPTY)
        fields = self._fields(row)
        if score_parts:
            row.cells["kind"] = kind
            fields.update(self._parts(row, concept))
        elif not kind.empty and not kind.odd:
            try:
                fields["concept"] = self._kind(kind, concept.id)
            except BadCell as error:
                self.complain(kind.place, error.code, error.message, error.instead)
                row.bad.append("concept")
        if not row.cell("range").empty and not row.cell("range").odd:
            try:
                fields["range"] = range_of(row.cell("range"))
            except BadCell as error:
                self.complain(row.cell("range").place, error.code, error.message, error.instead)
                row.bad.append("range")
        if not cell.empty and not cell.odd and "value" not in row.bad:
            try:
                fields.update(self._value(row, self.vocabulary.concepts[fields["concept"]]))
            except BadCell as error:
                self.complain(cell.place, error.code, error.message, error.instead)
                row.bad.append("value")
        elif cell.empty and not score_parts:
            self.complain(cell.place or row.place("row"), "no-answer", "the row has entries and no result", "write the result")
            row.bad.append("value")
        self._keep(row, fields, row.bad)

    def _value(self, row: _Row, concept: Concept) -> dict[str, Any]:
        cell, unit = row.cell("answer"), row.cell("unit")
        value = result_of(cell)
        spelt = "" if unit.empty or unit.odd else written.clean(str(unit.value))
        if isinstance(value, Quantity) and value.unit is not None:
            if spelt and self.vocabulary.unit_name(spelt) != self.vocabulary.unit_name(value.unit):
                raise BadCell("two-units", "the result names one unit and the column unit another", "write the unit once")
            spelt = spelt or value.unit
        if isinstance(value, str):
            if not self._result_known(concept, value):
                known = ", ".join([*concept.results, *concept.classes])
                raise BadCell("bad-result", f"this is no result of {concept.label}", f"one of {known}" if known else "write a number")
            return {"value": value}
        if concept.classes and self.vocabulary.class_interval(concept.id, plain(value)) is not None:
            return {"value": plain(value)}
        self._check_unit(row, concept, value, spelt)
        if isinstance(value, Quantity):
            return {"value": value.model_copy(update={"unit": spelt or None})}
        return {"value": value, "unit": spelt or None}

    def _result_known(self, concept: Concept, text: str) -> bool:
        if self.vocabulary.result(concept.id, text) is not None or (concept.titre and self.vocabulary.titre(text) is not None):
            return True
        return bool(concept.classes) and self.vocabulary.class_interval(concept.id, text) is not None

    def _check_unit(self, row: _Row, concept: Concept, value: float | Quantity, unit: str) -> None:
        place = row.cell("unit").place or row.place("answer")
        accepted = f"such as {', '.join(units_of(concept, self.vocabulary)[:6])}" if concept.unit not in (None, "1") else None
        if unit and self.vocabulary.units.get(unit) is None:
            self.complain(place, "unknown-unit", "this unit is not known", accepted or did_you_mean(unit, self.vocabulary.units.names()))
            row.bad.append("unit")
            return
        if concept.unit is None or (concept.titre and not unit) or "unit" in row.bad:
            return  # a titre, or measured in the laboratory's own units: held against its own range alone
        number = value if isinstance(value, float) else value.value
        interval = Interval.parse_comparator(value.comparator if isinstance(value, Quantity) else None, number)
        converted = self.vocabulary.quantity(concept.id, interval, unit or None)
        if isinstance(converted, UnitProblem):
            message = f"{concept.label} is not measured in this unit" if unit else "the result has no unit"
            self.complain(place, "wrong-unit" if unit else "no-unit", message, accepted)
        elif not self.vocabulary.plausible(concept.id, converted):
            self.complain(
                row.place("answer"), "implausible", "this is more or less than a living person can have", "look at the unit too", "note"
            )

    def _parts(self, row: _Row, concept: Concept) -> dict[str, Any]:
        """Points of a score's items, ``alopecia 2; fever 1``; items not named are not known."""
        cell = row.cell("kind")
        items: dict[str, float] = {}
        if cell.odd:
            return {}
        names = {fold(name): name for name in concept.items}
        for part in filter(None, (part.strip() for part in re.split(r"[;\n]", cell.text))):
            match = _ITEM.fullmatch(part)
            name = names.get(fold(match["name"])) if match else None
            if match is None or name is None:
                near = did_you_mean(fold(match["name"]) if match else fold(part), names)
                instead = near or f"write them as {next(iter(concept.items))} 2; the items are {', '.join(list(concept.items)[:8])} ..."
                self.complain(cell.place, "bad-item", f"this is no item of {concept.label} with its points", instead)
                row.bad.append("items")
                continue
            items[name] = float(match["points"])
        return {"items": items}

    # -- what is kept ------------------------------------------------------------------------------

    def _keep(self, row: _Row, fields: dict[str, Any], bad: list[str]) -> None:
        family = row.name.family
        kept = {name: value for name, value in fields.items() if value is not None and value != "" and name in MODELS[family].model_fields}
        entry, refused = build(MODELS[family], {**kept, "source": row.source}, tuple(dict.fromkeys(bad)))
        for name in refused:
            self.complain(row.place("answer"), "bad-value", f"the {name} is not what belongs here")
        self.entries[family].append(entry)


def _from_to(when: When | None) -> tuple[When | None, When | None]:
    """The time that a *no* speaks of: up to its date, or within a range written with a slash."""
    if when is None or "/" not in when.text:
        return None, when
    first, _, last = when.text.partition("/")
    return When.parse(first) if first else None, When.parse(last) if last else None
