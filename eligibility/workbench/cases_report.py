"""The run of test patients as text for authors and as JSON for machines."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, get_args

import orjson

from ..model.finding import REASONS, Effect, Status
from ..report.json import error
from ..report.text import columns
from ..report.words import plural
from .cases import CasesReport, Word

WIDTH = 80


def text(report: CasesReport, *, coverage: bool = False, width: int = WIDTH) -> str:
    """Counts, the share of known answers, and at the end every failure with its place and the engine's reasons."""
    lines: list[str] = []
    cases: dict[str, list[int]] = {}
    for result in report.results:
        row = cases.setdefault(result.case.trial, [0, 0])
        row[bool(result.failures)] += 1
    if cases:
        known = report.known()
        rows: list[tuple[str, ...]] = [("trial", "pass", "fail", "known answers")]
        for trial, (passed, failed) in cases.items():
            share, total = known[trial]
            rows.append((trial, str(passed), str(failed), f"{share} of {total}"))
        lines += columns(rows, right=(1, 2))
    if coverage:
        lines += _coverage(report)
    for problem in report.problems:
        lines += ["", str(problem)]  # never broken: editors and greps follow file:line
    for failure in report.failures:
        lines += ["", str(failure)]
        for label, why in (*(("engine", why) for why in failure.why), ("author", failure.author)):
            if why:
                lines += textwrap.wrap(why, width, initial_indent=f"    {label}: ", subsequent_indent=" " * 12, break_on_hyphens=False)
    counts = f"{report.passed} passed, {report.failed} failed, {plural(report.errors, 'case')} could not be run"
    lines += ["", counts]
    return "\n".join(lines) + "\n"


def _coverage(report: CasesReport) -> list[str]:
    lines: list[str] = []
    for trial, criteria in report.coverage().items():
        rows: list[tuple[str, ...]] = [("criterion", "true", "false", "unknown", "never seen")]
        for criterion, seen in criteria.items():
            missing = [word for word, count in seen.items() if not count]
            rows.append((criterion, *(str(seen[word]) for word in ("true", "false", "unknown")), ", ".join(missing)))
        lines += ["", f"{trial}: how often each criterion gave each answer", *columns(rows, right=(1, 2, 3))]
    return lines


def dumps(report: CasesReport) -> bytes:
    """The run as JSON."""
    document = {
        "passed": report.passed,
        "failed": report.failed,
        "errors": report.errors,
        "failures": [asdict(failure) for failure in report.failures],
        "problems": [{**error(problem), "line": problem.line, "column": problem.column} for problem in report.problems],
        "known": {trial: {"known": known, "cells": cells} for trial, (known, cells) in report.known().items()},
        "coverage": report.coverage(),
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def case_schema() -> dict[str, Any]:
    """The JSON Schema of case files, for editors; the patient's own is that of native patients."""
    word = {"enum": [*get_args(Word)]}
    status = {"enum": [*get_args(Status)]}
    date = {"type": "string", "examples": ["2026-11-01"]}
    answer = {
        "anyOf": [
            word,
            {"type": "boolean"},  # what editors read of a bare true or false
            _object(
                {
                    "truth": {"anyOf": [word, {"type": "boolean"}]},
                    "effect": {"enum": [*get_args(Effect)]},
                    "reasons": {"type": "array", "items": {"enum": list(REASONS)}},
                }
            ),
        ]
    }
    expect = _object({"status": status, "arms": _map(status), "criteria": _map(answer)})
    case = _object(
        {
            "name": {"type": "string"},
            "as_of": date,
            "absence": {"enum": ["presumed", "unknown"]},
            "anchors": _map(date),
            "site": {"type": "object"},
            "attestations": {"type": "array", "items": {"type": "object"}},
            "patient": {"type": "object"},
            "expect": expect,
            "why": {"type": "string"},
        },
        required=["name", "as_of", "patient", "expect"],
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Test patients of a trial",
        **_object({"trial": {"type": "string"}, "cases": {"type": "array", "items": case, "minItems": 1}}, required=["trial", "cases"]),
    }


def _object(properties: dict[str, Any], required: Sequence[str] = ()) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def _map(value: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": value}
