"""A reader of charts: fills an abstraction sheet from a record, as a careful coordinator would.

Knows of the sheet only its columns and the names of its rows, and of the record what a person sees:
entries with their dates. What the sheet asks and the record has becomes a row; what the record lacks
becomes *not in chart*; what the record states to be absent becomes *no*.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from openpyxl import load_workbook

from eligibility.model.patient import Condition, Immunization, Medication, Observation, Patient, Procedure, Quantity
from eligibility.sources.sheet_layout import COLUMNS, FLAGS, LISTS
from eligibility.vocabulary.vocabulary import Stance, Vocabulary

Cells = dict[str, str]


class Abstractor:
    """Answers to the rows of a sheet, from one record."""

    def __init__(self, patient: Patient, vocabulary: Vocabulary) -> None:
        self.patient, self.vocabulary = patient, vocabulary

    def answers(self, rows: Iterable[str]) -> dict[str, Cells]:
        """What to write in each row named, with further rows where an item has more entries than rows."""
        rows = list(rows)
        asked: dict[tuple[str, str], list[str]] = {}
        told: dict[str, Cells] = {}
        for row in rows:
            family, _, concept = row.partition(":")
            if family in ("person", "list"):
                told[row] = self._fixed(family, concept)
            else:
                asked.setdefault((family, concept.partition("#")[0]), []).append(row)
        kinds = {concept for _, concept in asked}
        for (family, concept), names in asked.items():
            found = self._entries(family, concept, kinds)
            if self._may_be_more(family, concept):
                names = [*names, *([""] * (len(found) + 1 - len(names)))]
            for number in range(max(len(found), len(names))):
                name = f"{family}:{concept}" if number == 0 else f"{family}:{concept}#{number + 1}"
                told[name] = self._entry(family, concept, found[number]) if number < len(found) else self._nothing(family, concept)
            for absence in self.patient.absences:
                if (absence.family, absence.concept) == (family, concept) and absence.since is not None:
                    number = sum(name.partition("#")[0] == f"{family}:{concept}" for name in told) + 1
                    told[f"{family}:{concept}#{number}"] = {"answer": "no", "date": f"{absence.since}/{absence.as_of or ''}"}
        return told

    def _fixed(self, kind: str, what: str) -> Cells:
        patient = self.patient
        if kind == "person":
            return {
                "id": {"answer": patient.id},
                "birth-date": {"date": str(patient.birth_date[0])} if patient.birth_date else {},
                "sex": {"answer": patient.sex[0]} if patient.sex else {},
                "written": {"date": str(patient.written)} if patient.written else {},
                "deceased": {"answer": "yes", "date": str(patient.deceased)} if patient.deceased else {},
            }[what]
        for absence in patient.absences:
            if absence.family == what and absence.concept is None and absence.since is None:
                word = "stated complete" if absence.kind == "complete" else "none known"
                return {"answer": word, **({"date": str(absence.as_of)} if absence.as_of else {})}
        return {}

    def _entries(self, family: Any, concept: str, asked: set[str]) -> list[Any]:
        """The record's entries of a concept that no row about a narrower one takes."""
        narrower = (self.vocabulary.descendants(concept) - {concept}) & asked
        found = []
        for entry in self.patient.family(family):
            reading = self.vocabulary.read(family, entry)
            if self.vocabulary.stance(reading, concept) is Stance.IS and not any(
                self.vocabulary.stance(reading, one) is Stance.IS for one in narrower
            ):
                found.append(entry)
        return sorted(found, key=lambda entry: entry.start.lo if entry.start else 0, reverse=family == "observation")

    def _may_be_more(self, family: Any, concept: str) -> bool:
        """Whether an entry may be the concept and cannot be told to be: a careful reader then leaves a row empty."""
        readings = [self.vocabulary.read(family, entry) for entry in self.patient.family(family)]
        return any(self.vocabulary.stance(reading, concept) in (Stance.BROADER, Stance.MAY_BE) for reading in readings)

    def _nothing(self, family: str, concept: str) -> Cells:
        if self._may_be_more(family, concept):
            return {}
        for absence in self.patient.absences:
            if absence.family == family and absence.concept == concept and absence.since is None:
                return {"answer": "no", **({"date": str(absence.as_of)} if absence.as_of else {})}
        return {"answer": "not in chart"}

    def _entry(self, family: str, concept: str, entry: Any) -> Cells:
        cells: Cells = {"answer": "yes", "where found": entry.source or ""}
        if entry.start is not None:
            cells["date"] = str(entry.start)
        narrow = next(iter(self.vocabulary.read(family, entry).is_), concept)  # type: ignore[arg-type]
        if narrow != concept:
            cells["kind"] = self.vocabulary.concepts[narrow].label
        if isinstance(entry, Observation):
            cells.update(self._result(entry))
            marks = [entry.interpretation] if entry.interpretation in FLAGS else []
            marks += ["preliminary"] if entry.status in ("preliminary", "registered", "unknown") else []
            if marks:
                cells["outcome"] = ", ".join(marks)
        elif entry.end is not None:
            cells["until"] = str(entry.end)
        elif getattr(entry, "status", None) in ("active", "in-progress"):
            cells["until"] = "ongoing"
        if getattr(entry, "status", None) in ("unknown", "stopped", "on-hold") and isinstance(entry, Procedure | Immunization):
            cells["answer"] = "unsure"
        if isinstance(entry, Condition):
            if entry.verification in ("provisional", "differential", "unconfirmed"):
                cells["answer"] = "unsure"
            if entry.grade:
                cells["outcome"] = entry.grade
        if isinstance(entry, Medication):
            if entry.kind == "administration":
                cells["until"] = "single dose"
            if entry.dose is not None:
                often = f" every {round(24 / entry.per_day)} hours" if entry.per_day and entry.per_day >= 1 else ""
                cells["dose"] = f"{entry.dose.value:g} {entry.dose.unit}{often}"
            if entry.outcome:
                cells["outcome"] = ", ".join(entry.outcome)
        return cells

    @staticmethod
    def _result(entry: Observation) -> Cells:
        cells: Cells = {"answer": ""}
        value, unit = entry.value, entry.unit
        if isinstance(value, Quantity):
            unit = value.unit or unit
            cells["answer"] = f"{value.comparator or ''}{value.value:g}"
        elif isinstance(value, float | int):
            cells["answer"] = f"{value:g}"
        elif value is not None:
            cells["answer"] = str(value)
        elif entry.interpretation:
            cells["answer"] = entry.interpretation
        if unit:
            cells["unit"] = unit
        if entry.items:
            cells["kind"] = "; ".join(f"{name} {points:g}" for name, points in entry.items.items())
        if entry.range is not None and entry.range.high is not None:
            low = entry.range.low
            cells["range"] = f"{low:g}-{entry.range.high:g}" if low is not None else f"<={entry.range.high:g}"
        return cells


Edit = Callable[[Any, dict[str, int]], None]


def fill_workbook(path: Path, charts: list[dict[str, Cells]], edit: Edit | None = None) -> None:
    """Write answers into the patients' sheets of a workbook, as typed; ``edit`` then does to the last sheet what it wants."""
    book = load_workbook(path)
    sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"][1:]
    for sheet, chart in zip(sheets, charts, strict=False):
        lines = {str(cells[-1].value): cells[-1].row for cells in sheet.iter_rows(min_row=3, max_col=len(COLUMNS)) if cells[-1].value}
        for row, cells in chart.items():
            line = lines.get(row)
            if line is None:
                line = lines[row] = sheet.max_row + 1
                sheet.cell(line, len(COLUMNS), row)
            for column, text in cells.items():
                sheet.cell(line, COLUMNS.index(column) + 1, text)
        if edit is not None and chart is charts[-1]:
            edit(sheet, lines)
    assert LISTS in book.sheetnames
    book.save(path)


def rows_of(path: Path) -> list[str]:
    """The names of the rows of a workbook's first patient."""
    book = load_workbook(path, read_only=True)
    sheet = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"][1]
    names = [row[len(COLUMNS) - 1] for row in sheet.iter_rows(min_row=3, max_col=len(COLUMNS), values_only=True)]
    book.close()
    return [str(name) for name in names if name]


def fill_csv(text: str, charts: list[dict[str, Cells]], mark: str = ",") -> str:
    """The same for a sheet as CSV."""
    header, *rows = list(csv.reader(io.StringIO(text)))
    size = len(rows) // len(charts)
    written = [header]
    for number, chart in enumerate(charts):
        block = {row[-1]: list(row) for row in rows[number * size : (number + 1) * size]}
        for name, cells in chart.items():
            line = block.setdefault(name, [""] * (len(COLUMNS) - 1) + [name])
            for column, value in cells.items():
                line[COLUMNS.index(column)] = value
        written += block.values()
    out = io.StringIO()
    csv.writer(out, delimiter=mark, lineterminator="\n").writerows(written)
    return out.getvalue()
