"""What is missing from the records: ranked by how many open criteria, and trials, each thing would settle.

Made from what the findings say would settle them (``settled_by``). It lists what a record lacks and
the days between which a value would count; it asks nobody to do anything. Trials in which the record
shows a barrier are left out unless asked for: no result opens them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..model.finding import CriterionResult, Need, Screening
from ..model.time import FOREVER_DAY, NEVER_DAY, day_of
from ..sources.sheet_layout import empty_row
from .csv import table
from .results import PatientReport, Results
from .text import PLAIN, WIDTH, Ink, clean, wrapped
from .words import DECIDES, Words, day_text, plural

COLUMNS = (
    "patient",
    "rank",
    "missing",
    "kind",
    "item",
    "sheet_row",
    "from",
    "to",
    "times",
    "settles_criteria",
    "settles_trials",
    "part_of_criteria",
    "trials",
    "criteria",
    "part_of",
    "source",
)

Place = tuple[str, str]
"""A trial and a criterion of it (``arm/I1`` for one of an arm)."""

_KINDS = {
    "record": "not recorded",
    "refine": "not exact enough",
    "map": "not understood",
    "attest": "question for a person",
    "anchor": "date of a visit",
}
_LIFELONG = 16 * 365
"""Days of a time that reaches back so far: no rule's window does, only a life."""

_Key = tuple[str, str, str, str | None, str | None, bool, int]


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing that is missing, and what it would settle.

    ``settles`` are open criteria that need nothing else, ``part_of`` those that need more besides;
    ``trials`` are those in which nothing a record can answer would then be left open. ``start`` and
    ``end`` are the first and last day a value would count for all of them. ``times``: results needed
    on as many days. ``or_none``: a statement that there was none
    would do as well. ``patients`` are those whose records lack it; ``concepts`` what it may be an entry of.
    """

    need: Need
    text: str
    patients: tuple[str, ...]
    concepts: tuple[str, ...] = ()
    settles: tuple[Place, ...] = ()
    part_of: tuple[Place, ...] = ()
    settled_trials: tuple[str, ...] = ()
    times: int = 1
    or_none: bool = False

    @property
    def trials(self) -> tuple[str, ...]:
        """Trials with a criterion that asks for it."""
        return tuple(dict.fromkeys(trial for trial, _ in (*self.settles, *self.part_of)))

    def rank(self) -> tuple[bool, int, int, int, int, str]:
        """What a record could hold before what a person judges, and most settling first."""
        return self.need.do == "attest", -len(self.settles), -len(self.settled_trials), -len(self.part_of), -len(self.patients), self.text


@dataclass(frozen=True, slots=True)
class Worklist:
    """What is missing from each record and from all of them.

    ``barred`` counts the pairs of record and trial that were left out for a barrier, ``waiting``
    open criteria that nothing recorded today settles.
    """

    as_of: str
    patients: tuple[tuple[str, tuple[Missing, ...]], ...]
    overall: tuple[Missing, ...]
    trials: int
    barred: int
    waiting: int


def worklist(results: Results, words: Words, *, barred_too: bool = False) -> Worklist:
    """What the screened records lack; ``barred_too`` takes in trials in which a barrier was found."""
    found = []
    lists = {summary.id: summary.trial.lists for summary in results.envelope.trials}
    barred = waiting = 0
    for report in results.patients:
        if not barred_too:
            barred += sum(screening.status == "barrier_found" for screening in report.result.screenings)
        own = _Patient(report, words, lists)
        for screening in report.result.screenings:
            if barred_too or screening.status != "barrier_found":
                own.take_in(screening, barred_too)
        waiting += own.waiting
        found.append((report.patient, tuple(sorted(own.missing(), key=Missing.rank))))
    every = (missing for _, listed in found for missing in listed)
    overall = sorted(_overall(every, words, day_of(dt.date.fromisoformat(results.envelope.as_of))), key=Missing.rank)
    return Worklist(results.envelope.as_of, tuple(found), tuple(overall), len(results.envelope.trials), barred, waiting)


def open_criteria(screening: Screening, barred_too: bool = False) -> Iterator[tuple[str, CriterionResult]]:
    """The open criteria of a trial with their names, those of arms that are closed or have a barrier left out."""
    for result in screening.criteria:
        if result.effect == "open":
            yield result.id, result
    for arm in screening.arms:
        if arm.open and (barred_too or arm.status != "barrier_found"):
            for result in arm.criteria:
                if result.effect == "open":
                    yield f"{arm.arm}/{result.id}", result


@dataclass(slots=True)
class _Cluster:
    """Needs of one thing that one value would meet, with the days they have in common."""

    need: Need
    text: str
    concepts: tuple[str, ...]
    start: int
    end: int
    places: dict[Place, int] = field(default_factory=dict)
    or_none: bool = True


class _Patient:
    """Collects what one record lacks."""

    def __init__(self, report: PatientReport, words: Words, lists: Mapping[str, Mapping[str, Any]]) -> None:
        self._name = report.patient
        self._lists = lists
        self._words = words
        self._needs: list[tuple[_Key, int, int, Need, str, tuple[str, ...], Place, int, bool]] = []
        self._groups: dict[Place, list[_Key | None]] = {}
        self._computable: dict[str, set[Place]] = {}
        self.waiting = 0

    def take_in(self, screening: Screening, barred_too: bool) -> None:
        """The needs of a trial's open criteria."""
        for name, result in open_criteria(screening, barred_too):
            place = (screening.trial, name)
            if result.computable_open:
                self._computable.setdefault(screening.trial, set()).add(place)
            groups = self._groups.setdefault(place, [])
            for alternatives, texts in zip(result.settled_by, self._words.needs(result), strict=True):
                at = next((i for i, one in enumerate(alternatives) if not one.absence), 0)
                need = alternatives[at]
                if need.do in ("wait", "none"):
                    groups.append(None)
                    continue
                times = result.settled_by.count(alternatives)  # three results over years are not one at a visit
                key: _Key = (need.do, need.family or "", need.item, need.attribute, need.source, need.absence, times)
                groups.append(key)
                start = NEVER_DAY if need.start is None else need.start
                end = FOREVER_DAY if need.end is None else need.end
                or_none = not need.absence and any(one.absence and one.item == need.item for one in alternatives)
                concepts = self._concepts(need, screening.trial, result)
                self._needs.append((key, start, end, need, texts[at], concepts, place, times, or_none))
            self.waiting += bool(groups) and all(key is None for key in groups)

    def missing(self) -> Iterator[Missing]:
        """One thing for each value that would meet needs; values of different times are different things."""
        clusters: dict[_Key, list[_Cluster]] = {}
        for key, start, end, need, text, concepts, place, times, or_none in sorted(self._needs, key=lambda one: (one[2], one[1])):
            known = clusters.setdefault(key, [])
            cluster = next((one for one in known if max(one.start, start) <= min(one.end, end)), None)
            if cluster is None:
                cluster = _Cluster(need, text, concepts, start, end)
                known.append(cluster)
            cluster.start, cluster.end = max(cluster.start, start), min(cluster.end, end)
            cluster.places[place] = max(cluster.places.get(place, 0), times)
            cluster.or_none = cluster.or_none and or_none
        used: dict[Place, int] = {}
        for known in clusters.values():
            for cluster in known:
                for place in cluster.places:
                    used[place] = used.get(place, 0) + 1
        for known in clusters.values():
            for cluster in known:
                yield self._one(cluster, used)

    def _one(self, cluster: _Cluster, used: dict[Place, int]) -> Missing:
        alone = tuple(place for place in cluster.places if used[place] == 1 and None not in self._groups[place])
        rest = tuple(place for place in cluster.places if place not in alone)
        settled = tuple(trial for trial, places in self._computable.items() if places and places <= set(alone))
        times = max(cluster.places.values())
        need = cluster.need
        if need.do == "record":
            start = None if cluster.start <= NEVER_DAY else cluster.start
            end = None if cluster.end >= FOREVER_DAY else cluster.end
            # a rule's list has a name of its own, which nobody reads in a chart: its entries say more
            item = ", ".join(cluster.concepts) if need.item.startswith("the list ") and cluster.concepts else need.item
            need = replace(need, item=item, start=start, end=end)
            text = _recorded(need, times, cluster.or_none, self._words)
        else:
            text = cluster.text
        return Missing(need, text, (self._name,), cluster.concepts, alone, rest, settled, times, cluster.or_none)

    def _concepts(self, need: Need, trial: str, result: CriterionResult) -> tuple[str, ...]:
        """What the thing may be an entry of: of an entry that is there what it is called, of a list all it names."""
        named = tuple(one.concept for one in result.evidence if need.source is not None and one.source == need.source and one.concept)
        if named:
            return named
        name = need.item.removeprefix("the list ")
        if name in self._lists[trial]:
            return tuple(_named(self._lists[trial][name], self._lists[trial]))
        return tuple(need.item.split(", ")) if need.family is not None else ()


def _named(entries: Any, lists: Mapping[str, Any]) -> Iterator[str]:
    """The concepts of a list, those of lists within it included."""
    for entry in entries:
        if not isinstance(entry, str):
            yield from _named(entry, lists)
        elif entry in lists:
            yield from _named(lists[entry], lists)
        else:
            yield entry


def _recorded(need: Need, times: int, or_none: bool, words: Words) -> str:
    text = words.need(need)
    if times > 1:
        text = f"{times} of these, on different days: {text}"
    return f"{text}, or a statement that there was none" if or_none else text


def _overall(listed: Iterable[Missing], words: Words, as_of: int) -> Iterator[Missing]:
    """The same thing missing from several records, once."""
    together: dict[tuple[str, ...], list[Missing]] = {}
    for one in listed:
        need = one.need
        if need.do == "record" and need.start is not None and as_of - need.start > _LIFELONG:
            # it may be of any time of a life, and lives begin on different days
            need = replace(need, start=None)
            one = replace(one, need=need, text=_recorded(need, one.times, one.or_none, words))
        if need.source is None:
            together.setdefault((need.do, one.text), []).append(one)
        else:  # the entry is one record's; what is the matter with it may be the same in many
            together.setdefault((need.do, need.item, need.attribute or ""), []).append(one)
    for alike in together.values():
        first = alike[0]
        text = first.text if first.need.source is None else first.text.replace(f" [{first.need.source}]", "")
        yield Missing(
            replace(first.need, source=None),
            text,
            tuple(dict.fromkeys(name for one in alike for name in one.patients)),
            first.concepts,
            tuple(place for one in alike for place in one.settles),
            tuple(place for one in alike for place in one.part_of),
            tuple(trial for one in alike for trial in one.settled_trials),
            max(one.times for one in alike),
        )


# -- as CSV ---------------------------------------------------------------------------------------


def csv(listed: Worklist) -> str:
    """The list as CSV: for each record, then for all of them under an empty patient."""
    rows = [_row(patient, rank, one) for patient, missing in listed.patients for rank, one in enumerate(missing, start=1)]
    rows += [_row("", rank, one) for rank, one in enumerate(listed.overall, start=1)]
    return table(COLUMNS, rows)


def _row(patient: str, rank: int, one: Missing) -> list[str]:
    need = one.need
    return [
        patient,
        str(rank),
        one.text,
        _KINDS[need.do],
        need.item,
        sheet_rows(one),
        day_text(need.start) or "",
        day_text(need.end) or "",
        str(one.times),
        str(len(one.settles)),
        str(len(one.settled_trials)),
        str(len(one.part_of)),
        str(len(one.trials)),
        criteria_text(one.settles),
        criteria_text(one.part_of),
        need.source or "",
    ]


def sheet_rows(missing: Missing) -> str:
    """The rows of an abstraction sheet in which an answer would stand; empty for what no chart answers."""
    need = missing.need
    if need.item in ("birth date", "sex", "death"):
        return {"birth date": "person:birth-date", "sex": "person:sex", "death": "person:deceased"}[need.item]
    if (row := empty_row(need.source)) is not None:
        return str(row)
    if need.family is None or need.do == "attest":
        return ""
    return " ".join(f"{need.family}:{concept}" for concept in missing.concepts)


def criteria_text(places: Iterable[Place]) -> str:
    """Criteria by trial: ``NCT06451159 I5, I6; NCT06675864 I4``."""
    by_trial: dict[str, dict[str, None]] = {}
    for trial, criterion in places:
        by_trial.setdefault(trial, {})[criterion] = None
    return "; ".join(f"{trial} {', '.join(ids)}" for trial, ids in by_trial.items())


# -- as text --------------------------------------------------------------------------------------

WHAT_IT_IS = (
    "What the records lack to answer criteria that are open, most settling first, with the days between which a value would count. "
    "A list of gaps: whether to fill one is for a person to decide."
)


def heading(listed: Worklist) -> str:
    """What the list is of."""
    return f"Missing from {plural(len(listed.patients), 'record')}, {plural(listed.trials, 'trial')}, as of {listed.as_of}"


def notes(listed: Worklist) -> list[str]:
    """What the list leaves out."""
    said = []
    if listed.barred:
        said.append(f"Left out: {plural(listed.barred, 'pair')} of record and trial with a barrier (--all takes them in).")
    if listed.waiting:
        said.append(
            f"Not listed: {plural(listed.waiting, 'open criterion', 'open criteria')} that nothing recorded today settles "
            "(the source publishes no detail, or the time lies ahead)."
        )
    return said


def what_it_settles(one: Missing) -> str:
    """How much a thing would settle, in words."""
    parts = []
    if one.settles:
        parts.append(f"settles {plural(len(one.settles), 'open criterion', 'open criteria')}")
    if one.settled_trials:
        parts.append(f"leaves nothing open for the record in {plural(len(one.settled_trials), 'trial')}")
    if one.part_of:
        parts.append(f"{'also ' if one.settles else ''}part of what {plural(len(one.part_of), 'other')} would take")
    return ", ".join(parts)


def text(listed: Worklist, *, width: int = WIDTH, ink: Ink = PLAIN) -> str:
    """The list as text: all records first where there are several, then each record."""
    lines = [ink.bold(heading(listed))]
    for note in (WHAT_IT_IS, *notes(listed)):
        lines += wrapped(note, width)
    if len(listed.patients) > 1:
        lines += ["", ink.bold("All records")]
        lines += _entries(listed.overall, width, ink, len(listed.patients))
    for patient, missing in listed.patients:
        title = f"== {clean(patient)} "
        lines += ["", ink.bold(title + "=" * max(4, width - len(title)))]
        lines += _entries(missing, width, ink, 0)
    lines += ["", *wrapped(DECIDES, width)]
    return "\n".join(lines) + "\n"


def _entries(listed: Iterable[Missing], width: int, ink: Ink, records: int) -> Iterator[str]:
    empty = True
    asks = False
    for rank, one in enumerate(listed, start=1):
        empty = False
        if one.need.do == "attest" and not asks:
            asks = True
            yield ink.bold("  Questions for a person")
        label = f"{rank:>3}. "
        first, *rest = wrapped(one.text, width, label, " " * len(label))
        yield first.replace(label, ink.bold(label), 1)
        yield from rest
        of = f" (missing from {len(one.patients)} of {plural(records, 'record')})" if records else ""
        yield from wrapped(f"{what_it_settles(one)}{of}", width, "     ")
        if not records:
            where = [criteria_text(one.settles)] if one.settles else []
            where += [f"with others {criteria_text(one.part_of)}"] if one.part_of else []
            yield from wrapped("; ".join(where), width, "     ")
    if empty:
        yield "     nothing that would answer an open criterion"


# -- as a workbook --------------------------------------------------------------------------------

_BOOK = (
    ("done", 7.0),
    ("missing from the record", 60.0),
    ("kind", 18.0),
    ("counts from", 13.0),
    ("counts to", 13.0),
    ("settles", 9.0),
    ("part of", 9.0),
    ("trials", 9.0),
    ("criteria it settles", 40.0),
    ("criteria it is part of", 40.0),
    ("row of the sheet", 32.0),
)


def xlsx(listed: Worklist) -> bytes:
    """The list as a workbook: all records, then a sheet a record, with a column to tick."""
    from openpyxl import Workbook

    from .workbooks import workbook_bytes

    book = Workbook()
    first = book.active
    assert first is not None
    first.title = "all records"
    _sheet(first, [heading(listed), WHAT_IT_IS, *notes(listed)], listed.overall, "records")
    taken = {"all records"}
    for patient, missing in listed.patients:
        _sheet(book.create_sheet(_title(patient, taken)), [f"Record {patient}, as of {listed.as_of}"], missing, "done")
    return workbook_bytes(book, dt.date.fromisoformat(listed.as_of))


def _sheet(page: Any, lines: list[str], listed: Iterable[Missing], first: str) -> None:
    from openpyxl.styles import Alignment, Font

    from .workbooks import head, put

    for number, line in enumerate(lines, start=1):
        put(page, number, 1, line).font = Font(bold=number == 1)
    begin = len(lines) + 1
    head(page, begin, [(first, 9.0), *_BOOK[1:]])
    for number, one in enumerate(listed, start=begin + 1):
        need = one.need
        cells: list[str | int] = [
            len(one.patients) if first == "records" else "",
            one.text,
            _KINDS[need.do],
            day_text(need.start) or "",
            day_text(need.end) or "",
            len(one.settles),
            len(one.part_of),
            len(one.trials),
            criteria_text(one.settles),
            criteria_text(one.part_of),
            sheet_rows(one),
        ]
        for at, value in enumerate(cells, start=1):
            put(page, number, at, value).alignment = Alignment(wrap_text=True, vertical="top")


def _title(patient: str, taken: set[str]) -> str:
    """A name for a sheet, which may not hold some signs nor be long, that no other has."""
    plain = "".join("-" if sign in "[]:*?/\\'" or not sign.isprintable() else sign for sign in patient)[:26].strip() or "record"
    title = plain
    number = 2
    while title.lower() in {one.lower() for one in taken}:
        title, number = f"{plain} {number}", number + 1
    taken.add(title)
    return title
