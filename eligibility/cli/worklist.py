"""``worklist``: what is missing from the records."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .options import PATHS, choice_options, form_of, output_options, screening_options, stdin_of, to_call
from .output import in_colour, page_width, progress_bar, tell, write

_FORMATS = ("text", "csv", "xlsx")


@click.command()
@PATHS
@choice_options
@screening_options
@click.option("--all", "barred_too", is_flag=True, help="Also for trials in which the record shows a barrier.")
@output_options(*_FORMATS)
def worklist(paths: tuple[str, ...], barred_too: bool, form: str | None, out: Path | None, **options: Any) -> int:
    """List what records lack to answer open criteria.

    Per record and overall: what is missing, the days between which a value
    would count, and how many open criteria and trials it would settle, the
    most settling first. Whether to fill a gap is for a person to decide.

    \b
    Example:
      eligibility worklist charts/ --disease ms --out missing.xlsx
    """
    from ..errors import UsageError
    from ..report import worklist as report
    from ..report.text import Ink
    from ..screening import Screener, screen_with

    form = form_of(form, out, _FORMATS)
    if form == "xlsx" and out is None:
        raise UsageError("a workbook is written to a file: give --out")
    call = to_call(options)
    reading = {name: call.pop(name) for name in ("patients", "strict_fhir")}
    screener = Screener.build(flags=False, **call)
    with progress_bar("Screening") as progress:
        results = screen_with(screener, list(paths), stdin=stdin_of(paths), progress=progress, **reading)
    listed = report.worklist(results, screener.words(), barred_too=barred_too)
    content: str | bytes
    if form == "xlsx":
        content = report.xlsx(listed)
    elif form == "csv":
        content = report.csv(listed)
    else:
        content = report.text(listed, width=page_width(), ink=Ink(out is None and in_colour()))
    write(content, out)
    tell(results.problems)
    return results.exit_code
