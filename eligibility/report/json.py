"""Results as JSON, schema ``eligibility/screening/1`` (DESIGN 4).

The same results give the same bytes: nothing is sorted but by the order of the input, and no clock
is read. The JSON Schema of what is written here is in ``eligibility.report.schema``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import isfinite
from typing import Any, Literal

import orjson

from ..errors import Problem
from ..model.criteria import operands
from ..model.finding import Assumption, Counts, CriterionResult, Evidence, Finding, Margin, Need, Notice, Screening
from ..model.patient import DEATH_UNREAD
from ..model.truth import PRESUMED, STRICT, Truth
from .flags import FlagsJson
from .results import Envelope, PatientReport, Results, TrialSummary
from .words import CONVENTIONS, Words, day_text

SCHEMA = "eligibility/screening/1"

Reading = Literal["strict", "presumed"]


def dumps(results: Results, words: Words, *, indent: bool = True, more: Mapping[str, Any] | None = None) -> bytes:
    """The results as JSON bytes, with a newline at the end; ``more`` is ``since`` and ``visit`` where they were asked for."""
    option = orjson.OPT_APPEND_NEWLINE | (orjson.OPT_INDENT_2 if indent else 0)
    return orjson.dumps({**document(results, words), **(more or {})}, option=option)


def document(results: Results, words: Words) -> dict[str, Any]:
    """The results as plain values, in the shape of DESIGN 4."""
    return {
        **_envelope(results.envelope),
        "patients": [_patient(report, words, FlagsJson(words, _evidence, _needs)) for report in results.patients],
        "errors": [error(problem) for problem in results.problems],
    }


def _envelope(envelope: Envelope) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "engine": {"version": envelope.version, "chainer": envelope.chainer},
        "rules": envelope.rules,
        "as_of": envelope.as_of,
        "absence": envelope.absence,
        "anchors": dict(envelope.anchors),
        "digests": dict(envelope.digests),
        "conventions": list(CONVENTIONS),
        "trials": [trial_header(summary) for summary in envelope.trials],
    }


def trial_header(summary: TrialSummary) -> dict[str, Any]:
    """What a result says of a trial once."""
    header = summary.trial.trial
    recruitment, record = header.recruitment, header.record
    return {
        "id": header.id,
        "title": header.title,
        "recruitment": {
            "status": recruitment.status if recruitment else "unknown",
            "as_of": recruitment.as_of.isoformat() if recruitment and recruitment.as_of else None,
        },
        "record_date": record.date.isoformat() if record and record.date else None,
        "completeness": record.completeness if record else "metadata",
        "published": dict(summary.published),
        "digest": summary.digest,
    }


def _patient(report: PatientReport, words: Words, flags: FlagsJson) -> dict[str, Any]:
    intake = report.intake
    return {
        "patient": report.patient,
        "notices": [_notice(notice, words) for notice in report.result.notices],
        "intake": {
            "file": intake.file,
            "entries": intake.entries,
            "facts": intake.facts,
            "not_understood": [{"source": source, "text": text} for source, text in intake.not_understood],
            "set_aside": [{"source": source, "why": why} for source, why in intake.set_aside],
        },
        "screenings": [_screening(screening, words, flags) for screening in report.result.screenings],
    }


def _notice(notice: Notice, words: Words) -> dict[str, Any]:
    unread, text = words.death_unread(notice), words.notice(notice)
    return {
        "code": notice.code,
        "date": None if unread else notice.date,
        "detail": text if unread else notice.detail,
        "source": notice.source,
        "text": text,
    }


def _screening(screening: Screening, words: Words, flags: FlagsJson) -> dict[str, Any]:
    return {
        "trial": screening.trial,
        "status": screening.status,
        "presumed": screening.presumed,
        "counts": _counts(screening.counts),
        "arms": [
            {
                "arm": arm.arm,
                "title": arm.title,
                "open": arm.open,
                "status": arm.status,
                "counts": _counts(arm.counts),
                "criteria": [criterion(result, words) for result in arm.criteria],
            }
            for arm in screening.arms
        ],
        "criteria": [criterion(result, words) for result in screening.criteria],
        "flags": flags.of(screening.flags),
    }


def _counts(counts: Counts) -> dict[str, int]:
    return {
        "passes": counts.passes,
        "not_applicable": counts.not_applicable,
        "blocks": counts.blocks,
        "open": counts.open,
        "ask": counts.ask,
        "not_published": counts.not_published,
    }


def reading_of(result: CriterionResult) -> Reading:
    """The reading that gave the effect: silence counts where it let the criterion pass (MEANING 2)."""
    return "presumed" if result.effect == "passes" and result.presumed is not None else "strict"


def read(truth: Truth, reading: Reading) -> str:
    """A five-valued truth in one of the two readings."""
    return PRESUMED[truth] if reading == "presumed" else STRICT[truth]


def criterion(result: CriterionResult, words: Words) -> dict[str, Any]:
    """A criterion's answer with everything that goes with it."""
    reading = reading_of(result)
    return {
        "id": result.id,
        "kind": result.kind,
        "text": words.paraphrase(result),
        "truth": read(result.truth, reading),
        "effect": result.effect,
        "applies": "false" if result.not_applicable else read(result.applies, reading),
        "basis": result.basis,
        "presumed": result.presumed,
        "assumes": [_assumption(one, words) for one in result.assumes],
        "reasons": _reasons(result, words),
        "evidence": [_evidence(one) for one in result.evidence],
        "settled_by": _needs(result, result.settled_by, words),
        "margin": _margin(result.margin),
        "changes_on": None if result.changes_on is None else {"date": day_text(result.changes_on.day), "effect": result.changes_on.effect},
        "clauses": [] if result.finding is None else _clauses(result.finding, reading, words),
    }


def _clauses(finding: Finding, reading: Reading, words: Words) -> list[dict[str, Any]]:
    return [_clause(below, reading, words) for below in finding.clauses]


def _clause(finding: Finding, reading: Reading, words: Words) -> dict[str, Any]:
    return {
        "text": words.phrase(finding.node),
        "logic": _logic(finding.node),
        "truth": read(finding.truth, reading),
        "basis": finding.basis,
        "presumed": {Truth.PRESUMED_TRUE: "true", Truth.PRESUMED_FALSE: "false"}.get(finding.truth),
        "assumes": [_assumption(one, words) for one in finding.assumes],
        "reasons": _reasons(finding, words),
        "evidence": [_evidence(one) for one in finding.evidence],
        "settled_by": _needs(finding, finding.needs, words),
        "margin": _margin(finding.margin),
        "clauses": _clauses(finding, reading, words),
    }


def _logic(node: Any) -> str | None:
    """The logical word of a composite node, None for a leaf."""
    if not operands(node):
        return None
    for word in ("all_of", "any_of", "none_of", "readings"):
        if hasattr(node, word):
            return word
    return "of"


def _assumption(assumed: Assumption, words: Words) -> dict[str, Any]:
    return {
        "kind": assumed.kind,
        "item": assumed.item,
        "family": assumed.family,
        "from": day_text(assumed.start),
        "to": day_text(assumed.end),
        "since": day_text(assumed.since),
        "sources": list(assumed.sources),
        "text": words.assumption(assumed),
    }


def _reasons(answer: CriterionResult | Finding, words: Words) -> list[dict[str, Any]]:
    return [
        {"code": reason.code, "item": reason.item, "detail": said, "source": reason.source}
        for reason, said in zip(answer.reasons, words.why(answer), strict=True)
    ]


def _evidence(evidence: Evidence) -> dict[str, Any]:
    if evidence.absence is not None:
        return {
            "absence": evidence.absence,
            "family": evidence.family,
            "from": evidence.start,
            "to": evidence.end,
            "source": evidence.source,
        }
    interval = evidence.interval
    return {
        "family": evidence.family,
        "concept": evidence.concept,
        "date": None if evidence.concept == "death" and evidence.start == DEATH_UNREAD.text else evidence.start,
        "value": evidence.value,
        "unit": evidence.unit,
        "low": _finite(interval.lo) if interval else None,
        "high": _finite(interval.hi) if interval else None,
        "low_open": bool(interval and interval.lo_open),
        "high_open": bool(interval and interval.hi_open),
        "end": evidence.end,
        "status": evidence.status,
        "certain": evidence.certain,
        "source": evidence.source,
    }


def _margin(margin: Margin | None) -> dict[str, Any] | None:
    if margin is None:
        return None
    return {"amount": abs(margin.amount), "unit": margin.unit, "side": "inside" if margin.inside else "outside"}


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None


def _needs(answer: CriterionResult | Finding, needs: tuple[tuple[Need, ...], ...], words: Words) -> list[list[dict[str, Any]]]:
    return [
        [_need(need, said) for need, said in zip(alternatives, texts, strict=True)]
        for alternatives, texts in zip(needs, words.needs(answer), strict=True)
    ]


def _need(need: Need, said: str) -> dict[str, Any]:
    about_fact = need.do in ("record", "refine", "map")
    return {
        "do": need.do,
        "item": need.item,
        "family": need.family,
        "concept": need.item if about_fact and need.family is not None else None,
        "attribute": need.attribute,
        "source": need.source,
        "from": day_text(need.start),
        "to": day_text(need.end),
        "absence": need.absence,
        "text": said,
    }


def error(problem: Problem) -> dict[str, Any]:
    """A problem of an input: where, and what; never a patient's value."""
    message = f"{problem.message}; {problem.instead}" if problem.instead else problem.message
    place: Iterable[str | None] = (
        f"line {problem.line}" if problem.line is not None else None,
        f"column {problem.column}" if problem.line is not None and problem.column is not None else None,
        problem.where,
    )
    return {
        "file": problem.file,
        "where": ", ".join(part for part in place if part) or None,
        "code": problem.code,
        "severity": problem.severity,
        "message": message,
    }
