"""The rules themselves as text and JSON: the library's list, and one trial in English beside its paraphrase."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import orjson

from ..model.criteria import Meets, Node, walk
from ..model.trial import Criterion, Definition, TrialFile
from .json import trial_header
from .results import TrialSummary
from .text import PLAIN, WIDTH, Ink, clean, columns
from .words import COMPLETENESS, RECRUITMENT, plural

NO_DISEASE = "no disease named"

_BASIS = {"published": "published", "assumed": "assumed, not published", "site": "set by the site"}


def listing(
    summaries: Sequence[TrialSummary], diseases: Callable[[TrialFile], Sequence[str]], *, width: int = WIDTH, ink: Ink = PLAIN
) -> str:
    """A table of trials under each disease: recruitment, the record's date, how complete it is, and how much a record answers."""
    by_disease: dict[str, list[TrialSummary]] = {}
    for summary in summaries:
        for disease in diseases(summary.trial) or (NO_DISEASE,):
            by_disease.setdefault(disease, []).append(summary)
    lines = [
        f"{plural(len(summaries), 'trial')}. Criteria: rec answered from a record, part in part, ask by a person,",
        "n/p asked for without public detail.",
    ]
    head = ("trial", "recruitment", "record", "list", "rec", "part", "ask", "n/p")
    for disease in sorted(by_disease, key=lambda name: (name == NO_DISEASE, name)):
        rows = [head, *(_row(summary) for summary in by_disease[disease])]
        first, *rest = columns(rows, right=range(4, 8))
        lines += ["", ink.bold(disease), ink.bold(f"  {first}")]
        for summary, row in zip(by_disease[disease], rest, strict=True):
            lines.append(f"  {row}")
            lines += textwrap.wrap(clean(summary.trial.trial.title), width, initial_indent="    ", subsequent_indent="    ")
    return "\n".join(lines) + "\n"


def listing_json(summaries: Sequence[TrialSummary], diseases: Callable[[TrialFile], Sequence[str]]) -> bytes:
    """The library's trials as JSON, each with its header as a screening has it."""
    trials = [
        {**trial_header(summary), "diseases": list(diseases(summary.trial)), "version": summary.trial.trial.version}
        for summary in summaries
    ]
    return orjson.dumps({"trials": trials}, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _row(summary: TrialSummary) -> tuple[str, ...]:
    header, counts = summary.trial.trial, summary.published
    record = header.record
    return (
        header.id,
        RECRUITMENT[header.recruitment.status] if header.recruitment else RECRUITMENT["unknown"],
        record.date.isoformat() if record and record.date else "no date",
        record.completeness if record else "unknown",
        *(str(counts[kind]) for kind in ("computable", "part", "ask", "not_published")),
    )


class Shown:
    """One trial as a clinician may read it beside the protocol."""

    def __init__(
        self,
        summary: TrialSummary,
        phrase: Callable[[Node], str],
        shared: dict[str, Definition] | None = None,
        *,
        width: int = WIDTH,
        ink: Ink = PLAIN,
    ) -> None:
        self._summary = summary
        self._phrase = phrase
        self._definitions = {**(shared or {}), **summary.trial.definitions}
        self._width = width
        self._ink = ink
        self._lines: list[str] = []

    def text(self) -> str:
        """Header, schedule, criteria with their English, and the definitions they meet, written out."""
        trial = self._summary.trial
        self._header(trial)
        self._schedule(trial)
        for kind, criteria in (("Inclusion", trial.inclusion), ("Exclusion", trial.exclusion)):
            self._criteria(kind, criteria)
        for name, arm in trial.arms.items():
            self._head(f"Arm {name}: {arm.title}{'' if arm.open else ' (closed to entry)'}")
            self._criteria("Inclusion", arm.inclusion)
            self._criteria("Exclusion", arm.exclusion)
        self._met(trial)
        return "\n".join(self._lines).rstrip() + "\n"

    def _head(self, text: str) -> None:
        self._lines += ["", self._ink.bold(clean(text))]

    def _item(self, label: str, text: str, indent: int = 2, column: int = 13) -> None:
        start = " " * indent + label.ljust(column)
        self._lines += textwrap.wrap(
            clean(text),
            self._width,
            initial_indent=start,
            subsequent_indent=" " * len(start),
            break_on_hyphens=False,
            break_long_words=False,
        ) or [start.rstrip()]

    def _header(self, trial: TrialFile) -> None:
        header = trial.trial
        title = textwrap.wrap(clean(f"{header.id}  {header.title}"), self._width, subsequent_indent=" " * (len(header.id) + 2))
        self._lines += [self._ink.bold(line) for line in title]
        for label, value in (("acronym", header.acronym), ("sponsor", header.sponsor), ("phase", header.phase)):
            if value:
                self._item(label, value)
        if header.diseases:
            self._item("diseases", ", ".join(header.diseases))
        if header.product is not None:
            product = header.product
            parts = [product.name, product.cells, *product.design]
            if product.target:
                parts.append(f"against {', '.join(product.target)}")
            if product.lymphodepletion is not None:
                agents = f" ({', '.join(product.lymphodepletion.agents)})" if product.lymphodepletion.agents else ""
                parts.append(f"lymphodepletion {product.lymphodepletion.status}{agents}")
            self._item("product", ", ".join(parts))
        if header.recruitment is not None:
            day = f" as of {header.recruitment.as_of}" if header.recruitment.as_of else ""
            self._item("recruitment", RECRUITMENT[header.recruitment.status] + day)
        if header.record is not None:
            day = f", {header.record.date}" if header.record.date else ""
            self._item("record", f"{header.record.registry}{day}: {COMPLETENESS[header.record.completeness]}")
        if header.version:
            self._item("version", header.version + (f", in force from {header.effective_from}" if header.effective_from else ""))
        review = header.review
        self._item(
            "review", "not stated" if review is None else " ".join(str(p) for p in (review.status, review.by_role, review.date) if p)
        )
        for source in header.sources:
            self._item("source", source)
        for note in header.notes:
            self._item("note", note)
        self._item("digest", self._summary.digest[:23])

    def _schedule(self, trial: TrialFile) -> None:
        if not trial.schedule:
            return
        self._head("Schedule")
        for name, visit in trial.schedule.items():
            parts = []
            offset = visit.offset()
            if offset is not None:
                least, most, after = offset
                between = f"{least}" if least == most else f"{least} to {most}"
                parts.append(f"{between} after {after}")
            if visit.looks_back is not None:
                parts.append(f"a result may be {visit.looks_back} old")
            parts.append(_BASIS[visit.basis])
            self._item(name, ", ".join(parts), column=max(15, len(name) + 1))
        self._item("undated", f"any day up to {trial.horizon} after screening", column=15)

    def _criteria(self, kind: str, criteria: Iterable[Criterion]) -> None:
        listed = list(criteria)
        if not listed:
            return
        self._head(kind)
        for criterion in listed:
            part = f"part of {criterion.part_of}: " if criterion.part_of else ""
            self._item(criterion.id, f'{part}"{criterion.text}"', column=7)
            for label, statement in (("only if", criterion.applies_when), ("rule", criterion.when), ("unless", criterion.unless)):
                if statement is not None:
                    self._item(label, self._phrase(statement), indent=9, column=9)
            for label, words in (("asks", criterion.ask), ("demands", criterion.not_published), ("note", criterion.note)):
                if words is not None:
                    self._item(label, words, indent=9, column=9)

    def _met(self, trial: TrialFile) -> None:
        met: dict[str, Definition] = {}

        def collect(statement: Node) -> None:
            for node in walk(statement):
                if isinstance(node, Meets) and node.meets in self._definitions and node.meets not in met:
                    met[node.meets] = self._definitions[node.meets]
                    collect(self._definitions[node.meets].when)

        for _, _, criterion in trial.criteria():
            for statement in (criterion.when, criterion.applies_when, criterion.unless):
                if statement is not None:
                    collect(statement)
        if not met:
            return
        self._head("Definitions met")
        for name, definition in met.items():
            own = " (this trial's own)" if name in trial.definitions else ""
            self._item(name, f'"{definition.text}"{own}', column=max(7, len(name) + 1))
            self._item("rule", self._phrase(definition.when), indent=9, column=9)
            if definition.source:
                self._item("source", definition.source, indent=9, column=9)


def shown_json(summary: TrialSummary, phrase: Callable[[Node], str], shared: dict[str, Definition]) -> bytes:
    """One trial as JSON: its header and, for each criterion, the paraphrase, the English, and the rule itself."""
    trial = summary.trial
    criteria: list[dict[str, Any]] = []
    for arm, kind, criterion in trial.criteria():
        criteria.append(
            {
                "id": criterion.id,
                "arm": arm,
                "kind": kind,
                "text": criterion.text,
                "source": criterion.source,
                "english": {
                    name: phrase(statement)
                    for name in ("applies_when", "when", "unless")
                    if (statement := getattr(criterion, name)) is not None
                },
                "rule": criterion.model_dump(
                    mode="json",
                    by_alias=True,
                    exclude_defaults=True,
                    include={"when", "applies_when", "unless", "ask", "not_published", "note"},
                ),
            }
        )
    document = {
        "trial": trial_header(summary),
        "schedule": {
            name: visit.model_dump(mode="json", exclude_defaults=True) | {"basis": visit.basis} for name, visit in trial.schedule.items()
        },
        "criteria": criteria,
        "definitions": {
            name: {"text": definition.text, "english": phrase(definition.when)}
            for name, definition in {**shared, **trial.definitions}.items()
        },
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
