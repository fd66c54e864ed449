"""``convert``: what was understood of records, in the project's own form."""

from __future__ import annotations

from pathlib import Path

import click

from .options import OUT, PATHS, stdin_of
from .output import progress_bar, tell, write


@click.command()
@PATHS
@click.option("--to", "target", type=click.Choice(["native"]), required=True, help="The form to write.")
@click.option("--patient", "patients", multiple=True, metavar="ID", help="Only the record of this patient.")
@click.option("--out", type=OUT, metavar="FILE", help="Write to a file, whole or not at all.")
def convert(paths: tuple[str, ...], target: str, patients: tuple[str, ...], out: Path | None) -> int:
    """Write records in the project's own JSON form, as they were read.

    Each entry keeps a pointer to where it came from; what was set aside or not
    read is listed with the reason. Screening the result gives the same findings.

    \b
    Example:
      eligibility convert bundle.json --to native --out patients.json
    """
    from ..errors import Problem
    from ..model.patient import Patient
    from ..screening import as_native, read_sources

    del target  # one form so far; the option says which
    found: list[Patient] = []
    problems: list[Problem] = []
    with progress_bar("Reading") as progress:
        for item in read_sources(paths, patients=patients, stdin=stdin_of(paths), progress=progress):
            if isinstance(item, tuple):
                found.append(item[0])
                problems += item[2]
            else:
                problems.append(item)
    write(as_native(found), out)
    tell(problems)
    return 3 if any(problem.severity == "error" for problem in problems) else 0
