"""``codes``: the worksheet of local codes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .options import OUT, PATHS, choice_options, screening_options, stdin_of, to_call
from .output import progress_bar, tell, write


@click.command()
@PATHS
@choice_options
@screening_options
@click.option("--out", type=OUT, metavar="CSV", required=True, help="Where to write the worksheet.")
def codes(paths: tuple[str, ...], out: Path, **options: Any) -> int:
    """List the codes and texts that hold criteria open, to be mapped.

    Writes a CSV with a row for each, how many patients and criteria it holds
    open, and concepts it might be. Fill in the column concept (a concept's id,
    several joined by |, or none) and read the file back with --codes.

    \b
    Example:
      eligibility codes charts/ --out map.csv
      eligibility screen charts/ --codes map.csv
    """
    from ..screening import Screener, codes_worksheet

    call = to_call(options)
    patients = call.pop("patients")
    call.pop("strict_fhir")
    screener = Screener.build(details=False, **call)
    with progress_bar("Screening") as progress:
        sheet, problems = codes_worksheet(screener, paths, patients=patients, stdin=stdin_of(paths), progress=progress)
    write(sheet.csv(), out)
    rows = sheet.rows()
    click.echo(f"{len(rows)} codes and texts written to {out}.", err=True)
    tell(problems)
    return 3 if any(problem.severity == "error" for problem in problems) else 0
