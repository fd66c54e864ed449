"""``log``: the screening log."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .options import OUT, PATHS, choice_options, screening_options, stdin_of, to_call
from .output import progress_bar, tell


@click.command()
@PATHS
@choice_options
@screening_options
@click.option("--out", type=OUT, metavar="CSV", required=True, help="The log to append to.")
def log(paths: tuple[str, ...], out: Path, **options: Any) -> int:
    """Append a screening to a screening log.

    One row a record and trial: the date, the version of the rules, what was
    found, the criteria behind each barrier. What was decided, by whom and why is
    left blank for a person. Several programs may append to one log at a time.

    \b
    Example:
      eligibility log charts/ --disease ms --out screening-log.csv
    """
    from ..screening import Screener, screen_with
    from ..workbench.log import append_to

    call = to_call(options)
    reading = {name: call.pop(name) for name in ("patients", "strict_fhir")}
    screener = Screener.build(details=False, flags=False, **call)
    with progress_bar("Screening") as progress:
        results = screen_with(screener, list(paths), stdin=stdin_of(paths), progress=progress, **reading)
    written = append_to(out, results, screener.words())
    click.echo(f"{written} rows added to {out}, screened as of {results.envelope.as_of}.", err=True)
    tell(results.problems)
    return results.exit_code
