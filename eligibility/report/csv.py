"""Results as CSV: one row for each patient, trial, arm and criterion, for a spreadsheet.

Cells that a spreadsheet would run as a formula are neutralised with a leading apostrophe, since
texts come from charts and rule files that somebody else wrote.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from ..model.finding import CriterionResult
from .json import read, reading_of
from .results import Results
from .words import Words

COLUMNS = (
    "patient",
    "trial",
    "arm",
    "trial_status",
    "criterion",
    "kind",
    "text",
    "effect",
    "truth",
    "presumed",
    "applies",
    "basis",
    "reasons",
    "why",
    "evidence",
    "assumes",
    "settled_by",
    "margin",
    "changes_on",
)

_STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def dumps(results: Results, words: Words) -> str:
    """The results as CSV text with a header row, lines ended by a newline."""
    return table(COLUMNS, _rows(results, words))


def table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A CSV of text cells, each made harmless to a spreadsheet."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(list(columns))
    writer.writerows([harmless(cell) for cell in row] for row in rows)
    return buffer.getvalue()


def harmless(cell: str) -> str:
    """A cell that no spreadsheet runs.

    >>> harmless("=1+1")
    "'=1+1"
    """
    text = cell.replace("\x00", "")
    return f"'{text}" if text.startswith(_STARTS_FORMULA) else text


def _rows(results: Results, words: Words) -> Iterator[list[str]]:
    for report, screening in results.screenings():
        start = [report.patient, screening.trial]
        for result in screening.criteria:
            yield [*start, "", screening.status, *_cells(result, words)]
        for arm in screening.arms:
            for result in arm.criteria:
                yield [*start, arm.arm, arm.status, *_cells(result, words)]


def _cells(result: CriterionResult, words: Words) -> list[str]:
    reading = reading_of(result)
    return [
        result.id,
        result.kind,
        words.paraphrase(result),
        result.effect,
        read(result.truth, reading),
        result.presumed or "",
        "false" if result.not_applicable else read(result.applies, reading),
        result.basis,
        " ".join(dict.fromkeys(reason.code for reason in result.reasons)),
        "; ".join(dict.fromkeys(words.why(result))),
        "; ".join(words.evidence(one) for one in result.evidence),
        "; ".join(words.assumption(one) for one in result.assumes),
        "; ".join(words.settled_by(result)),
        words.margin(result.margin) if result.margin else "",
        words.changes_on(result.changes_on) if result.changes_on else "",
    ]
