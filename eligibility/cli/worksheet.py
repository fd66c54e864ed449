"""``worksheet``: the abstraction sheet."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import click

from .options import OUT, Day, choice_options, rule_options, today
from .output import write

_MOST_PATIENTS = 200


@click.command()
@choice_options
@click.option(
    "--patients", type=click.IntRange(1, _MOST_PATIENTS), default=1, show_default=True, metavar="N", help="Sheets for so many patients."
)
@click.option("--as-of", type=Day(), help="The day that times are counted from; today if not given.")
@rule_options
@click.option("--out", type=OUT, metavar="XLSX", required=True, help="Where to write it: .xlsx, or .csv.")
def worksheet(
    trials: tuple[str, ...],
    diseases: tuple[str, ...],
    recruiting: bool,
    patients: int,
    as_of: dt.date | None,
    rules: tuple[Path, ...],
    no_library: bool,
    out: Path,
) -> int:
    """Write a sheet that asks of a chart what trials need.

    One row a question, what settles most criteria first, one sheet a patient.
    Fill in what the chart says, and give the file to screen. Half a sheet is
    fine: what is empty stays open.

    \b
    Example:
      eligibility worksheet --disease ms --patients 15 --out monday.xlsx
      eligibility screen monday.xlsx --disease ms
    """
    from ..errors import UsageError
    from ..screening import Screener
    from ..workbench.worksheet import Worksheet

    kind = out.suffix.lower()
    if kind not in (".xlsx", ".csv"):
        raise UsageError(f"{out.name}: a sheet is written as .xlsx or .csv")
    date = as_of or today()
    screener = Screener.build(
        as_of=date, trials=trials, diseases=diseases, recruiting=recruiting, rules=rules, shipped=not no_library, details=False, flags=False
    )
    sheet = Worksheet.of(screener.plans, screener.vocabulary, date, screener.as_of, patients)
    write(sheet.csv() if kind == ".csv" else sheet.xlsx(), out)
    click.echo(f"{len(sheet.items)} items of {len(screener.plans)} trials written to {out}, as of {date.isoformat()}.", err=True)
    return 0
