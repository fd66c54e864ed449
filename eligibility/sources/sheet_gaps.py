"""What a sheet leaves unsaid, as entries that may be it: so that no silence is read into an empty cell.

An entry made here carries the names of the concepts it may be and nothing certain. It is one that
cannot be understood (MEANING 1): possible, never certain, and no sign that the chart was read for its
family. An answer about a kind still stands where its group was left empty.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ..model.patient import CONCEPT_SYSTEM, FAMILIES, Coding, Entry, Family
from ..vocabulary.vocabulary import Vocabulary
from .arrival import MODELS
from .sheet_layout import NO, NOT_ASKED, NOT_FILLED_IN, NOT_IN_CHART, UNSURE, YES

_ANSWERS = (YES, NO, NOT_IN_CHART, UNSURE)
_TAKEN = (YES, UNSURE, "bad")


@dataclass(frozen=True, slots=True)
class Told:
    """A row: what it asks about, what it answers (empty for nothing), and the pointer to it."""

    family: Family
    concept: str
    answer: str
    source: str


def gaps(rows: Sequence[Told], title: str, none_known: set[Family], vocabulary: Vocabulary) -> Iterator[tuple[Family, Entry]]:
    """For each row without an answer, and for all that has no row, an entry that may be what nobody looked for.

    Results need none: a result that is not there is never taken for silence. ``none_known`` are
    families of which the chart says as a whole that there is nothing; unless a row says otherwise,
    that answers their rows.
    """
    silent = none_known - {row.family for row in rows if row.answer in _TAKEN}
    # an allergy to a drug is another statement than its taking, and neither answers for the other
    asked: dict[bool, set[str]] = {True: set(), False: set()}
    answered: dict[bool, set[str]] = {True: set(), False: set()}
    for row in rows:
        below = vocabulary.descendants(row.concept)
        asked[row.family == "allergy"] |= below
        if row.answer in _ANSWERS:
            answered[row.family == "allergy"] |= below
    for row in rows:
        if row.answer == "" and row.family != "observation" and row.family not in silent:
            concepts = _left(row.concept, answered[row.family == "allergy"], vocabulary)
            yield row.family, _perhaps(row.family, concepts, row.source, f"{vocabulary.concepts[row.concept].label}: {NOT_FILLED_IN}")
    for family in FAMILIES:
        if family != "observation" and family not in silent:
            concepts = _rest(family, asked[family == "allergy"], vocabulary)
            if concepts:
                source = f"{title}, {NOT_ASKED}" if title else NOT_ASKED
                yield family, _perhaps(family, concepts, source, "all that the sheet has no row for")


def _left(concept: str, answered: set[str], vocabulary: Vocabulary) -> list[str]:
    """What of an empty row's concept no other row answers; the concept itself where that is nothing, or everything."""
    below = vocabulary.descendants(concept)
    if not below & answered:
        return [concept]
    return [one for one in sorted(below - answered) if not vocabulary.descendants(one) & answered] or [concept]


def _rest(family: Family, asked: set[str], vocabulary: Vocabulary) -> list[str]:
    """What of a family the sheet does not ask, and groups of which it asks every kind but not the group."""
    others = sorted(vocabulary.family(family) - asked)
    apart = {one for one in others if not vocabulary.descendants(one) & asked}
    return [one for one in others if one in apart or not vocabulary.descendants(one) & apart]


def _perhaps(family: Family, concepts: Sequence[str], source: str, text: str) -> Entry:
    fields: dict[str, Any] = {
        "codes": tuple(Coding(system=CONCEPT_SYSTEM, code=one) for one in concepts),
        "text": text,
        "source": source,
        "misread": ("answer",),
    }
    return MODELS[family].model_validate(fields)
