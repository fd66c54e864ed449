"""The worksheet of local codes: what of a site's charts holds criteria open, to be filled in and read back.

One row a code, or a text where there is no code, with how many patients and criteria it holds open
and which concepts it might be. The first four columns are a code map (``--codes``); a row whose
``concept`` is still empty is passed over when it is read back.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from ..engine.record import Record
from ..model.finding import CriterionResult, PatientResult, Screening
from ..model.patient import FAMILIES, Entry, Family
from ..report.csv import table
from ..vocabulary.vocabulary import Reading, Vocabulary

COLUMNS = ("system", "code", "text", "concept", "display", "family", "patients", "criteria", "candidates")
_MOST_CANDIDATES = 6

Key = tuple[Family, str, str, str]


@dataclass(slots=True)
class _Row:
    display: str = ""
    patients: set[str] = field(default_factory=set)
    criteria: set[tuple[str, str]] = field(default_factory=set)
    candidates: dict[str, int] = field(default_factory=dict)


class Worksheet:
    """Collects the codes and texts that hold criteria open, patient by patient."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._rows: dict[Key, _Row] = {}

    def add(self, record: Record, result: PatientResult) -> None:
        """Take in one screened patient."""
        entries = {entry.source: (family, entry) for family in FAMILIES for entry in record.patient.family(family) if entry.source}
        for trial, criterion in _open(result):
            for item, source in _held_by(criterion):
                if source in entries:
                    self._hold(*entries[source], result.patient, (trial, criterion.id), [item])
        self._results_without_concept(record, result)

    def _results_without_concept(self, record: Record, result: PatientResult) -> None:
        """Results that no concept claims: no criterion names them, but one that lacks a result may lack just this."""
        lacking: dict[str, set[tuple[str, str]]] = {}
        for trial, criterion in _open(result):
            for reason in criterion.reasons:
                if reason.code in ("not_recorded", "out_of_window"):
                    lacking.setdefault(reason.item, set()).add((trial, criterion.id))
        for entry in record.patient.observations:
            reading = self._vocabulary.read("observation", entry)
            if reading.understood:
                continue
            near = [concept for concept in lacking if self._may_be(reading, concept)]
            self._hold("observation", entry, result.patient, None, near)
            for concept in near:
                for held in lacking[concept]:
                    self._hold("observation", entry, result.patient, held, [concept])

    def _may_be(self, reading: Reading, concept: str) -> bool:
        if concept not in self._vocabulary.concepts:
            return False
        return bool((reading.mentions | reading.named | reading.equal) & self._vocabulary.descendants(concept))

    def _hold(self, family: Family, entry: Entry, patient: str, criterion: tuple[str, str] | None, items: list[str]) -> None:
        for system, code, text in _names(entry):
            row = self._rows.setdefault((family, system, code, text), _Row())
            row.display = row.display or next((words for words in (*(c.display for c in entry.codes), entry.text) if words), "")
            row.patients.add(patient)
            if criterion is not None:
                row.criteria.add(criterion)
            for item in items:
                row.candidates[item] = row.candidates.get(item, 0) + 1

    def csv(self) -> str:
        """The worksheet as CSV, what holds most criteria of most patients first."""
        return table(COLUMNS, self.rows())

    def rows(self) -> list[list[str]]:
        """The rows under :data:`COLUMNS`."""
        ordered = sorted(self._rows.items(), key=lambda item: (-len(item[1].criteria), -len(item[1].patients), item[0]))
        return [
            [system, code, text, "", row.display, family, str(len(row.patients)), str(len(row.criteria)), " ".join(_best(row.candidates))]
            for (family, system, code, text), row in ordered
        ]


def _open(result: PatientResult) -> Iterator[tuple[str, CriterionResult]]:
    for screening in result.screenings:
        for criterion in _criteria(screening):
            if criterion.effect == "open":
                yield screening.trial, criterion


def _criteria(screening: Screening) -> Iterator[CriterionResult]:
    yield from screening.criteria
    for arm in screening.arms:
        yield from arm.criteria


def _held_by(criterion: CriterionResult) -> Iterator[tuple[str, str]]:
    """The entries whose meaning is asked for, with the concept that asks."""
    seen = {(reason.item, reason.source) for reason in criterion.reasons if reason.code == "not_understood"}
    for alternatives in criterion.settled_by:
        seen |= {(need.item, need.source) for need in alternatives if need.do == "map"}
    for item, source in sorted(seen, key=str):
        if source is not None:
            yield item, source


def _names(entry: Entry) -> Iterator[tuple[str, str, str]]:
    """How a map can name the entry: by each of its codes, or by its text where it has none."""
    coded = [(coding.system or "", coding.code, "") for coding in entry.codes if coding.code]
    if coded:
        yield from coded
        return
    text = entry.text or next((coding.display for coding in entry.codes if coding.display), None)
    if text:
        yield "", "", text


def _best(candidates: dict[str, int]) -> list[str]:
    return sorted(candidates, key=lambda item: (-candidates[item], item))[:_MOST_CANDIDATES]
