"""``screen`` and ``explain``."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .options import EXISTING_FILE, PATHS, Day, choice_options, form_of, output_options, screening_options, stdin_of, to_call
from .output import in_colour, page_width, progress_bar, tell, write

if TYPE_CHECKING:
    from ..report.html import Changes
    from ..report.results import Results
    from ..report.words import Words

_FORMATS = ("text", "json", "csv", "html")


@click.command()
@PATHS
@choice_options
@screening_options
@click.option("--since", type=EXISTING_FILE, metavar="JSON", help="An earlier result: also say what is different since.")
@click.option("--visit", type=Day(), help="The day of a visit: also say what lapses until then, with nothing new recorded.")
@output_options(*_FORMATS)
def screen(paths: tuple[str, ...], since: Path | None, visit: dt.date | None, form: str | None, out: Path | None, **options: Any) -> int:
    """Screen records against trials: barriers, open questions, and why.

    PATH is a file (FHIR R4 JSON or NDJSON, the project's own JSON or YAML, a
    filled-in worksheet), a folder of them, or - for standard input. With --format
    html it is a day list to print, with boxes to tick.

    \b
    Example:
      eligibility screen fixtures/ --disease ms --as-of 2026-11-01
      eligibility screen chart.json --trial NCT06193889 --format json --out r.json
      eligibility screen charts/ --since r.json --visit 2026-12-15 --out day.html
    """
    from ..errors import UsageError
    from ..report.since import read_previous
    from ..screening import Screener, screen_with

    form = form_of(form, out, _FORMATS)
    if form == "csv" and (since is not None or visit is not None):
        raise UsageError("--since and --visit are told in text, json and html; choose one of them")
    previous = read_previous(since) if since is not None else None
    call = to_call(options)
    reading = {name: call.pop(name) for name in ("patients", "strict_fhir")}
    screener = Screener.build(**call)
    with progress_bar("Screening") as progress:
        results = screen_with(screener, list(paths), stdin=stdin_of(paths), progress=progress, **reading)
    if form == "html":
        from ..report.html import page

        write(page(results, screener.words(), screener.plans, changes=_changes(results, previous, since, visit)), out)
        tell(results.problems)
    elif previous is not None or visit is not None:
        _show(results, screener.words(), form, out, _changes(results, previous, since, visit))
    else:
        _show(results, screener.words(), form, out)
    return results.exit_code


def _changes(results: Results, previous: dict[str, Any] | None, since: Path | None, visit: dt.date | None) -> Changes:
    """What is different since an earlier result and what lapses before a visit, as far as either was asked for."""
    from ..report import since as report
    from ..report.html import Changes

    change = report.since(results, previous, str(since)) if previous is not None else None
    return Changes(change, visit, report.lapses(results, visit) if visit is not None else ())


def _one(_ctx: click.Context, _param: click.Parameter, trials: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(trials)) > 1:
        raise click.BadParameter("one trial is explained at a time; screen takes several")
    return trials


@click.command()
@PATHS
@click.option("--trial", "trials", required=True, multiple=True, callback=_one, metavar="ID", help="The trial to explain.")
@click.option("--criterion", metavar="ID", help="Only this criterion, such as I2.")
@screening_options
@output_options("text", "json")
def explain(
    paths: tuple[str, ...], trials: tuple[str, ...], criterion: str | None, form: str | None, out: Path | None, **options: Any
) -> int:
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
    screener = Screener.build(trials=trials, **call)
    if criterion is not None:
        check_criterion(screener.envelope.trials[0].trial, criterion)
    with progress_bar("Screening") as progress:
        results = screen_with(screener, list(paths), stdin=stdin_of(paths), progress=progress, **reading)
    if form == "json":
        _show(results, screener.words(), form, out)
        return results.exit_code
    ink = text.Ink(out is None and in_colour())
    write(text.explanation(results, screener.words(), criterion=criterion, width=page_width(), ink=ink), out)
    if out is not None:
        tell(results.problems)
    return results.exit_code


def _show(results: Results, words: Words, form: str, out: Path | None, changes: Changes | None = None) -> None:
    content: str | bytes
    match form:
        case "json":
            from ..report import json

            content = json.dumps(results, words, more=_more(changes))
        case "csv":
            from ..report import csv

            content = csv.dumps(results, words)
        case _:
            from ..report import text

            ink = text.Ink(out is None and in_colour())
            content = text.screening(results, words, width=page_width(), ink=ink, changes=_lines(changes, words, page_width(), ink))
    write(content, out)
    if form != "text" or out is not None:
        tell(results.problems)  # the text itself lists them


def _more(changes: Changes | None) -> dict[str, Any]:
    """What changed, as fields of the JSON."""
    from ..report import since as report

    more: dict[str, Any] = {}
    if changes is not None and changes.since is not None:
        more["since"] = report.since_json(changes.since)
    if changes is not None and changes.visit is not None:
        more["visit"] = report.lapses_json(changes.lapses, changes.visit)
    return more


def _lines(changes: Changes | None, words: Words, width: int, ink: Any) -> list[str]:
    """What changed, as lines of the text."""
    from ..report import since as report

    lines: list[str] = []
    if changes is not None and changes.since is not None:
        lines += report.since_lines(changes.since, words, width=width, ink=ink)
    if changes is not None and changes.visit is not None:
        lines += report.lapse_lines(changes.lapses, changes.visit, words, width=width, ink=ink)
    return lines
