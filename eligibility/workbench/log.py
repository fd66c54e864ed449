"""The screening log: who was screened against what, when, by which rules, and what stood in the way.

One row a record and trial, appended to a CSV that a site keeps, as ICH E6(R2) 8.3.20 asks for (a *subject
screening log*). It holds study ids only: the list that ties ids to names (8.3.21) is the site's, elsewhere.
What was decided, by whom and why is left blank: a person fills it in.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from ..errors import UsageError
from ..model.finding import CriterionResult, Screening
from ..report.csv import table
from ..report.results import Results
from ..report.since import named
from ..report.words import STATUS, Words
from .appending import append

COLUMNS = (
    "screened_on",
    "subject",
    "trial",
    "trial_title",
    "criteria_version",
    "rules_digest",
    "program_version",
    "absence",
    "found",
    "barriers",
    "criteria_behind_barriers",
    "open",
    "questions_for_people",
    "without_public_detail",
    "decision",
    "decided_by_role",
    "decided_on",
    "reason",
)
"""The last four are blank when written."""


def rows(results: Results, words: Words) -> Iterator[list[str]]:
    """A row for each record and trial, in the order of the records."""
    envelope = results.envelope
    for report, screening in results.screenings():
        summary = results.trial(screening.trial)
        header = summary.trial.trial
        record_date = header.record.date.isoformat() if header.record is not None and header.record.date is not None else ""
        barriers = _barriers(screening)
        counts = screening.counts
        yield [
            envelope.as_of,
            report.patient,
            screening.trial,
            header.title,
            header.version or record_date,
            summary.digest,
            envelope.version,
            envelope.absence,
            STATUS[screening.status],
            str(len(barriers)),
            " | ".join(f"{name} {result.kind}: {words.paraphrase(result)}" for name, result in barriers),
            str(counts.open + sum(arm.counts.open - counts.open for arm in screening.arms if arm.open)),
            str(counts.ask + sum(arm.counts.ask - counts.ask for arm in screening.arms if arm.open)),
            str(counts.not_published + sum(arm.counts.not_published - counts.not_published for arm in screening.arms if arm.open)),
            *[""] * 4,
        ]


def _barriers(screening: Screening) -> list[tuple[str, CriterionResult]]:
    return [(name, result) for name, result in named(screening) if result.effect == "blocks"]


def append_to(path: Path, results: Results, words: Words) -> int:
    """Append the rows to a log, with a header where it is new; answers how many.

    :class:`UsageError` where the file is another table: nothing is written then.
    """
    listed = list(rows(results, words))
    head = table(COLUMNS, [])
    lines = table(COLUMNS, listed).removeprefix(head)

    def check(start: bytes) -> None:
        first = next(csv.reader(io.StringIO(start.decode("utf-8-sig", errors="replace"))), [])
        if tuple(cell.strip() for cell in first) != COLUMNS:
            raise UsageError(
                f"{path} is not a screening log of this program: its first line is another; "
                "give a new file, or save the log as CSV with commas and all its columns"
            )

    append(path, head.encode(), lines.encode(), check)
    return len(listed)
