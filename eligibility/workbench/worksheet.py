"""The abstraction sheet: what chosen trials ask of a chart, as rows to fill in while reading one.

Only what some criterion asks has a row, and what settles most criteria stands first. The sheet is read
back by ``eligibility.sources.sheet``; questions that no chart answers are not in it: they are for the
day list and for ``attest``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..engine.derived import FORMULAS, equivalent_drugs
from ..engine.plan import PREDNISONE_DOSE, Leaf, Plan, PlanCriterion, Selector, nested
from ..engine.windows import Anchors, window
from ..model.criteria import FactAtom, Test
from ..model.limits import TimesLimit
from ..model.patient import FAMILIES, Family
from ..model.time import date_of
from ..report.csv import table
from ..report.words import day_text
from ..sources.sheet_layout import (
    COLUMNS,
    FAMILY_WORD,
    FLAGS,
    GUIDE,
    LIST_LABEL,
    LISTS,
    NO,
    NONE_KNOWN,
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
)
from ..sources.sheet_values import OUTCOMES, units_of
from ..vocabulary.concept import Concept
from ..vocabulary.vocabulary import Vocabulary

_MOST_ROWS_OF_ONE = 6
_MOST_KINDS = 60
_SPARE_ROWS = 12
_MOST_SAID = 3
_MOST_IDS = 6
_WIDTHS = (30, 16, 12, 14, 13, 13, 20, 16, 18, 24, 34, 28, 26)

_CHOICE = {
    "latest": "the latest",
    "earliest": "the first",
    "every": "every one",
    "any": "any",
    "rise": "the course",
    "fall": "the course",
    "unchanged": "the course",
}

Key = tuple[Family, str]


@dataclass(slots=True)
class Item:
    """One thing that trials ask of a chart.

    ``criteria`` are those that ask for it, ``alone`` how many of them rest on nothing else; ``rows``
    how many results or events the most demanding of them takes; ``counts`` says which and of when.
    """

    family: Family
    concept: Concept
    criteria: dict[tuple[str, str], None] = field(default_factory=dict)
    alone: int = 0
    rows: int = 1
    counts: dict[str, None] = field(default_factory=dict)
    wants: dict[str, None] = field(default_factory=dict)

    @property
    def trials(self) -> tuple[str, ...]:
        """The trials that ask for it."""
        return tuple(dict.fromkeys(trial for trial, _ in self.criteria))

    def rank(self) -> tuple[int, int, int, int, str]:
        """Most decisive first: criteria it settles by itself, criteria it is part of, trials."""
        return -self.alone, -len(self.criteria), -len(self.trials), FAMILIES.index(self.family), self.concept.label


def items_of(plans: Mapping[str, Plan], as_of: int) -> list[Item]:
    """What the criteria of compiled trials ask of a chart, most decisive first.

    ``as_of`` is the day that windows are counted from.
    """
    found: dict[Key, Item] = {}
    for trial, plan in plans.items():
        anchors = Anchors(as_of, plan.schedule, {}, plan.horizon, None, trial)
        for criterion in plan.criteria:
            asked: dict[Key, None] = {}
            others = False
            for leaf in _leaves(criterion):
                keys = dict.fromkeys(_asked_by(leaf, plan.vocabulary))
                others = others or not keys
                for key in keys:
                    item = found.setdefault(key, Item(key[0], plan.vocabulary.concepts[key[1]]))
                    _take_in(item, leaf, anchors, as_of)
                asked.update(keys)
            for key in asked:
                found[key].criteria[trial, _name(criterion)] = None
            if len(asked) == 1 and not others:
                found[next(iter(asked))].alone += 1
    return sorted(found.values(), key=Item.rank)


def _leaves(criterion: PlanCriterion) -> Iterator[Leaf]:
    for part in (criterion.applies_when, criterion.unless, criterion.when):
        if part is not None:
            yield from part.leaves()


def _name(criterion: PlanCriterion) -> str:
    return criterion.id if criterion.arm is None else f"{criterion.arm}/{criterion.id}"


def _asked_by(leaf: Leaf, vocabulary: Vocabulary) -> Iterator[Key]:
    """The entries of a chart that a leaf reads; none for the person, the site, and what a person judges."""
    if leaf.kind not in ("fact", "dose") or (isinstance(leaf.node, FactAtom) and leaf.node.planned):
        return
    for selector in nested(leaf.selector):
        if selector.family is None:
            continue
        for concept in selector.concepts:
            if concept in vocabulary.concepts:
                yield selector.family, concept
            if concept == PREDNISONE_DOSE:
                # a drug of the class without a published factor counts too, so the class is asked beside the drugs
                classes = vocabulary.concepts["prednisone"].broader
                yield from (("medication", drug) for drug in (*equivalent_drugs(vocabulary, "prednisone"), *classes))
    derived = leaf.derived
    if derived is not None:
        for part in derived.ratio or ():
            if part.observation in vocabulary.concepts:
                yield "observation", part.observation
        for name, _ in FORMULAS[derived.formula].inputs if derived.formula is not None else ():
            if name in vocabulary.concepts:
                yield "observation", name
    if "/kg" in str(leaf.test) + str(leaf.selector and leaf.selector.where) and "weight" in vocabulary.concepts:
        yield "observation", "weight"


# -- what counts -----------------------------------------------------------------------------------


def _take_in(item: Item, leaf: Leaf, anchors: Anchors, as_of: int) -> None:
    for selector in nested(leaf.selector):
        if selector.family != item.family or item.concept.id not in selector.concepts:
            continue
        main = selector is leaf.selector
        if main:
            item.rows = max(item.rows, min(leaf.results, _MOST_ROWS_OF_ONE))
        choice = leaf.choice if main and item.family == "observation" else ""
        item.counts[_time(selector, choice, leaf, anchors, as_of)] = None
        for test in (selector.where, leaf.test if main and isinstance(leaf.test, Test) else None):
            for want in _wants(test):
                item.wants[want] = None
        if selector.when is not None and selector.when.word == "now":
            item.wants["whether it goes on"] = None
    node = leaf.node
    if isinstance(node, FactAtom) and (node.only or node.without) and item.concept.items:
        item.wants["points of its items (column kind)"] = None


def _time(selector: Selector, choice: str, leaf: Leaf, anchors: Anchors, as_of: int) -> str:
    """Which results or events are asked about, and of when."""
    if choice == "count":
        which = f"{leaf.results} on different days"
    else:
        which = _CHOICE.get(choice, "")
    when = selector.when
    if when is None or when.selection is not None or when.per_drug:
        span = "all of the chart"
    elif when.word == "now":
        span = "today"
    else:
        win = window(when, anchors)
        first, last = day_text(win.l1), day_text(min(win.u2, as_of))
        if win.l1 > as_of:
            span = f"from {first} on"
        elif first and last:
            span = f"{first} to {last}"
        elif last == date_of(as_of).isoformat():
            span = "all of the chart"
        else:
            span = f"until {last}" if last else f"from {first} on"
    return f"{which}, {span}" if which else span


def _wants(test: Test | None) -> Iterator[str]:
    if test is None:
        return
    if test.dose is not None:
        yield "dose"
    if test.outcome is not None:
        yield "outcome"
    if test.grade is not None:
        yield "grade (column outcome)"
    if test.lasting is not None or test.ended is not None:
        yield "until when"
    if any(isinstance(part, TimesLimit) for _, limit in test.bounds() for part in getattr(limit, "of", (limit,))):
        yield "reference range"
    for inner in (*(test.all_of or ()), *(test.any_of or ()), *(test.none_of or ())):
        yield from _wants(inner)


# -- rows ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A row to fill in: what stands in it, the words offered for each column, columns that are not for it."""

    cells: Mapping[str, str]
    offers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    closed: frozenset[str] = frozenset()
    strict: bool = False
    text: bool = False


@dataclass(frozen=True, slots=True)
class Worksheet:
    """An abstraction sheet for some trials, for as many patients as asked for."""

    items: tuple[Item, ...]
    trials: tuple[tuple[str, str], ...]
    vocabulary: Vocabulary
    as_of: dt.date
    patients: int = 1

    @classmethod
    def of(cls, plans: Mapping[str, Plan], vocabulary: Vocabulary, as_of: dt.date, day: int, patients: int = 1) -> Worksheet:
        """The sheet of compiled trials; ``day`` is the number of ``as_of``."""
        trials = tuple((trial, plan.trial.trial.title) for trial, plan in plans.items())
        return cls(tuple(items_of(plans, day)), trials, vocabulary, as_of, patients)

    def rows(self) -> Iterator[SheetRow]:
        """The rows of one patient: the person, the chart's lists, then the items."""
        for name, label in PERSON_ROWS.items():
            yield _person_row(name, label)
        families = {item.family for item in self.items}
        for family, label in LIST_LABEL.items():
            if family in families:
                counts = "what the chart says of the whole list, and the day it says so"
                cells = {"item": label, "what counts": counts, "row": f"list:{family}"}
                offers = {"answer": (STATED_COMPLETE, NONE_KNOWN, NOT_IN_CHART)}
                yield SheetRow(cells, offers, frozenset(COLUMNS) - {"answer", "date", "where found", *_SAID}, strict=True)
        for item in self.items:
            for number in range(1, item.rows + 1):
                yield self._row(item, number)

    def _row(self, item: Item, number: int) -> SheetRow:
        concept, family = item.concept, item.family
        of_many = f" ({number} of {item.rows})" if item.rows > 1 else ""
        if self._has_kinds(item):
            of_many = f" - any other{of_many}"
        cells = {
            "item": f"{concept.label}{of_many}",
            "what counts": _counts(item),
            "asked by": _asked(item.criteria) if number == 1 else "",
            "row": str(RowName(family, concept.id, number)),
        }
        offers: dict[str, tuple[str, ...]] = {}
        closed: set[str] = set()
        if family == "observation":
            offers["answer"] = (*concept.results, *concept.classes, NOT_IN_CHART)
            offers["unit"] = units_of(concept, self.vocabulary)[:20]
            offers["outcome"] = (*FLAGS, PRELIMINARY)
            closed = {"until", "dose"}
            if not offers["unit"] and (concept.unit == "1" or concept.classes or concept.results):
                closed.add("unit")
            if concept.items:
                offers["kind"] = ()
        else:
            offers["answer"] = (YES, NO, UNSURE, NOT_IN_CHART)
            offers["until"] = (ONGOING, SINGLE_DOSE) if family == "medication" else (ONGOING,)
            closed = {"unit", "range", *(() if family == "medication" else ("dose",))}
            if family == "medication":
                offers["outcome"] = OUTCOMES
            elif "grade (column outcome)" not in item.wants:
                closed.add("outcome")
            if family == "immunization" or (family == "condition" and concept.course == "event"):
                closed.add("until")
        kinds = sorted(self.vocabulary.concepts[one].label for one in self.vocabulary.descendants(concept.id) - {concept.id})
        if kinds:
            offers["kind"] = tuple(kinds[:_MOST_KINDS])
        elif not concept.items:
            closed.add("kind")
        offers = {column: words for column, words in offers.items() if words and column not in closed}
        free = family == "observation" and (concept.titre or bool(concept.classes))
        return SheetRow(cells, offers, frozenset(closed), strict=family != "observation", text=free)

    def _has_kinds(self, item: Item) -> bool:
        """Whether kinds of it have rows of their own, so that its row is for what is left."""
        below = self.vocabulary.descendants(item.concept.id) - {item.concept.id}
        return any(other.family == item.family and other.concept.id in below for other in self.items)

    # -- as CSV ------------------------------------------------------------------------------------

    def csv(self) -> str:
        """The sheet as CSV: the rows of each patient under each other, each beginning with the study id."""
        rows = [[row.cells.get(column, "") for column in COLUMNS] for row in self.rows()]
        return table(COLUMNS, rows * self.patients)

    # -- as a workbook -----------------------------------------------------------------------------

    def xlsx(self) -> bytes:
        """The sheet as a workbook: how to fill in, then a sheet a patient, with lists to choose from."""
        from openpyxl import Workbook

        from ..report.workbooks import workbook_bytes

        book = Workbook()
        guide = book.active
        assert guide is not None
        self._guide(guide)
        rows = list(self.rows())
        lists = _Lists()
        for number in range(1, self.patients + 1):
            self._patient(book.create_sheet(f"patient {number}"), rows, lists)
        lists.write(book.create_sheet(LISTS))
        book[LISTS].sheet_state = "hidden"
        book.active = 1
        return workbook_bytes(book, self.as_of)

    def _guide(self, sheet: Any) -> None:
        from openpyxl.styles import Alignment, Font

        from ..report.workbooks import put

        sheet.title = GUIDE
        sheet.column_dimensions["A"].width = 100
        lines = [*_GUIDE, f"Times under what counts are seen from {self.as_of.isoformat()}.", "", "The trials that ask:"]
        lines += [f"{trial}: {title}" for trial, title in self.trials]
        for number, line in enumerate(lines, start=1):
            cell = put(sheet, number, 1, line)
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            if number == 1:
                cell.font = Font(bold=True, size=14)

    def _patient(self, sheet: Any, rows: Sequence[SheetRow], lists: _Lists) -> None:
        from openpyxl.styles import Alignment, Border, Font, PatternFill, Side

        from ..report.workbooks import head, put

        put(sheet, 1, 1, _HINT).font = Font(italic=True)
        head(sheet, 2, list(zip(COLUMNS, _WIDTHS, strict=True)))
        thin = Border(bottom=Side(style="hair"))
        grey = PatternFill("solid", fgColor="E4E4E4")
        labels = tuple(dict.fromkeys(row.cells["item"] for row in rows if ":" in row.cells["row"] and not _fixed(row)))
        spare = SheetRow({"what counts": "a further entry of an item above"}, {"item": labels})
        for number, row in enumerate([*rows, *[spare] * _SPARE_ROWS], start=3):
            for at, column in enumerate(COLUMNS, start=1):
                cell = put(sheet, number, at, row.cells.get(column, ""))
                cell.alignment = Alignment(wrap_text=True, vertical="top")
                cell.border = thin
                if column in row.closed:
                    cell.fill = grey
                elif column in ("date", "until"):
                    cell.number_format = "yyyy-mm-dd"
                elif column == "answer" and row.text:
                    cell.number_format = "@"  # else a spreadsheet reads 1:80 as a time of day
                elif column in ("item", "row"):
                    cell.font = Font(bold=column == "item", color="000000" if column == "item" else "595959")
                if words := row.offers.get(column):
                    lists.offer(sheet, cell.coordinate, words, strict=row.strict and column == "answer")
        lists.done()


_SAID = ("item", "what counts", "asked by", "row")
_HINT = (
    f"Answer: {YES}; {NO} (the chart says so); {NOT_IN_CHART} (looked, and nothing there); a result as the chart gives it; "
    "empty: not looked for yet."
)
_GUIDE = (
    "How to fill in",
    "One sheet is one patient, one row one question to the chart. Write a study id, no name.",
    f"answer: for a result its number or words. For all else {YES}, or {NO} where the chart itself says that there is none (date: "
    f"the day it says so), or {NOT_IN_CHART} where you looked and the chart says nothing, or {UNSURE} where the chart is not sure. "
    f"{NO} and {NOT_IN_CHART} are not the same: "
    "what a chart does not say is taken as absent at most until somebody says otherwise. An empty cell means that nobody has looked.",
    "unit: as the chart gives it. A number without its unit is not compared.",
    "range: the laboratory's own reference range, where the chart gives one: 3.5-5.0, or <40.",
    "date: year first, 2026-10-20; 2026-10 or 2026 where the chart says no more. For a drug or a disease the day it began.",
    f"A chart that says there was none for a while: answer {NO}, date from and to with a slash, 2024-11-01/2026-11-01.",
    f"until: the day it ended, or {ONGOING}; for one infusion {SINGLE_DOSE}.",
    'A row "any other" is for what has no row of its own.',
    "kind: the exact disease, drug or test where the row names a group. For a score its items with their points: alopecia 2; fever 1.",
    "dose: with its unit: 10 mg/day, or 5 mg twice daily.",
    "outcome: what the chart says of a treatment; a grade; the laboratory's mark of a result, or that it is preliminary.",
    "Numbers with a decimal point, 12.5. where found: the page or letter, for whoever checks.",
    "For a further result or course take a free row at the end and choose the item, or number a copied row: observation:edss#2.",
    "Half a sheet is fine: what is empty stays open. Keep the names of the columns, and the last column as it is.",
)


def _fixed(row: SheetRow) -> bool:
    return row.cells["row"].startswith(("person:", "list:"))


def _person_row(name: str, label: str) -> SheetRow:
    dated = name in ("person:birth-date", "person:written", "person:deceased")
    answered = name in ("person:id", "person:sex", "person:deceased")
    offers = {"person:sex": SEXES, "person:deceased": (YES, NO)}.get(name)
    counts = {
        "person:id": "the id of the study or of your list",
        "person:birth-date": "column date; year and month do",
        "person:written": "column date; what goes on is known up to it",
        "person:deceased": "the day in column date",
    }.get(name, "")
    opened = {*_SAID, "where found", *(("date",) if dated else ()), *(("answer",) if answered else ())}
    return SheetRow(
        {"item": label, "what counts": counts, "row": name},
        {"answer": offers} if offers else {},
        frozenset(COLUMNS) - opened,
        strict=offers is not None,
        text=name == "person:id",
    )


def _counts(item: Item) -> str:
    said = list(item.counts)
    text = "; ".join(said[:_MOST_SAID]) + ("; and more" if len(said) > _MOST_SAID else "")
    wants = ", ".join(item.wants)
    return f"{FAMILY_WORD[item.family]}: {text}{f'; with {wants}' if wants else ''}"


def _asked(criteria: Iterable[tuple[str, str]]) -> str:
    by_trial: dict[str, list[str]] = {}
    for trial, criterion in criteria:
        by_trial.setdefault(trial, []).append(criterion)
    said = []
    for trial, ids in by_trial.items():
        more = f" and {len(ids) - _MOST_IDS} more" if len(ids) > _MOST_IDS else ""
        said.append(f"{trial} {', '.join(ids[:_MOST_IDS])}{more}")
    return "; ".join(said)


class _Lists:
    """The words of all drop-downs, each list once, on a sheet of its own: a formula holds only 255 characters."""

    def __init__(self) -> None:
        self._columns: dict[tuple[str, ...], int] = {}
        self._open: dict[tuple[tuple[str, ...], bool], Any] = {}

    def offer(self, sheet: Any, cell: str, words: tuple[str, ...], *, strict: bool) -> None:
        """Let a cell choose among words; not ``strict``: others may be typed."""
        from openpyxl.utils import get_column_letter
        from openpyxl.worksheet.datavalidation import DataValidation

        known = self._open.get((words, strict))
        if known is None:
            letter = get_column_letter(self._columns.setdefault(words, len(self._columns) + 1))
            known = DataValidation("list", f"{LISTS}!${letter}$1:${letter}${len(words)}", allow_blank=True, showErrorMessage=strict)
            known.error = "Choose one of the list, or leave the cell empty."
            self._open[words, strict] = known
            sheet.add_data_validation(known)
        known.add(cell)

    def done(self) -> None:
        """End a sheet: the next has validations of its own."""
        self._open.clear()

    def write(self, sheet: Any) -> None:
        """Write the lists."""
        from ..report.workbooks import put

        for words, column in self._columns.items():
            for row, word in enumerate(words, start=1):
                put(sheet, row, column, word)
