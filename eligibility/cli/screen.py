"""``screen`` and ``explain``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .options import PATHS, choice_options, form_of, output_options, screening_options, to_call
from .output import in_colour, page_width, progress_bar, tell, write

if TYPE_CHECKING:
    from ..report.results import Results
    from ..report.words import Words

_FORMATS = ("text", "json", "csv")


@click.command()
@PATHS
@choice_options
@screening_options
@output_options(*_FORMATS)
def screen(paths: tuple[str, ...], form: str | None, out: Path | None, **options: Any) -> int:
    """Screen records against trials: barriers, open questions, and why.

    PATH is a file (FHIR R4 JSON or NDJSON, or the project's own JSON or YAML),
    a folder of them, or - for standard input.

    \b
    Example:
      eligibility screen fixtures/ --disease ms --as-of 2026-11-01
      eligibility screen chart.json --trial NCT06193889 --format json --out r.json
    """
    from ..screening import Screener, screen_with

    form = form_of(form, out, _FORMATS)
    call = to_call(options)
    reading = {name: call.pop(name) for name in ("patients", "strict_fhir")}
    screener = Screener.build(**call)
    with progress_bar("Screening") as progress:
        results = screen_with(screener, _sources(paths), stdin=_stdin(paths), progress=progress, **reading)
    _show(results, screener.words(), form, out)
    return results.exit_code


@click.command()
@PATHS
@click.option("--trial", required=True, metavar="ID", help="The trial to explain.")
@click.option("--criterion", metavar="ID", help="Only this criterion, such as I2.")
@screening_options
@output_options("text", "json")
def explain(paths: tuple[str, ...], trial: str, criterion: str | None, form: str | None, out: Path | None, **options: Any) -> int:
    """Explain one trial in full: rules, answers, evidence.

    Shows every criterion with the statements below it, what each rests on, how
    far values are from limits, and when time alone changes the answer.

    \b
    Example:
      eligibility explain chart.json --trial NCT06193889 --criterion I2
    """
    from ..report import text
    from ..screening import Screener, check_criterion, screen_with

    form = form_of(form, out, ("text", "json"))
    call = to_call(options)
    reading = {name: call.pop(name) for name in ("patients", "strict_fhir")}
    screener = Screener.build(trials=[trial], **call)
    if criterion is not None:
        check_criterion(screener.envelope.trials[0].trial, criterion)
    with progress_bar("Screening") as progress:
        results = screen_with(screener, _sources(paths), stdin=_stdin(paths), progress=progress, **reading)
    if form == "json":
        _show(results, screener.words(), form, out)
        return results.exit_code
    ink = text.Ink(out is None and in_colour())
    write(text.explanation(results, screener.words(), criterion=criterion, width=page_width(), ink=ink), out)
    if out is not None:
        tell(results.problems)
    return results.exit_code


def _show(results: Results, words: Words, form: str, out: Path | None) -> None:
    content: str | bytes
    match form:
        case "json":
            from ..report import json

            content = json.dumps(results, words)
        case "csv":
            from ..report import csv

            content = csv.dumps(results, words)
        case _:
            from ..report import text

            content = text.screening(results, words, width=page_width(), ink=text.Ink(out is None and in_colour()))
    write(content, out)
    if form != "text" or out is not None:
        tell(results.problems)  # the text itself lists them


def _sources(paths: tuple[str, ...]) -> list[str]:
    return list(paths)


def _stdin(paths: tuple[str, ...]) -> Any:
    return sys.stdin.buffer if "-" in paths else None
