"""``attest``: answers of people to a trial's questions."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import click

from .options import OUT, Day, rule_options, today
from .output import page_width, write


def _answers(_ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    answers: dict[str, str] = {}
    for value in values:
        name, equals, answer = value.partition("=")
        if not equals or not name:
            raise click.BadParameter("write ID=yes or ID=no, such as I2=yes")
        if name in answers:
            raise click.BadParameter(f"{name} is answered twice")
        answers[name.strip()] = answer.strip().lower()
    return answers


@click.command()
@click.option("--trial", required=True, metavar="ID", help="The trial that asks.")
@click.option("--patient", metavar="ID", help="The study id of the patient.")
@click.option("--answer", "answers", multiple=True, callback=_answers, metavar="ID=yes|no", help="An answer; may be repeated.")
@click.option("--role", metavar="ROLE", help="The role of who answers, such as investigator; no name.")
@click.option("--date", type=Day(), help="The day of the answer; today if not given.")
@click.option("--until", type=Day(), help="The last day it holds; else as long as the rule file says.")
@rule_options
@click.option("--out", type=OUT, metavar="FILE", help="The file to add the answers to.")
def attest(
    trial: str,
    patient: str | None,
    answers: dict[str, str],
    role: str | None,
    date: dt.date | None,
    until: dt.date | None,
    rules: tuple[Path, ...],
    no_library: bool,
    out: Path | None,
) -> int:
    """List a trial's questions for people, or keep answers.

    Without --answer the questions are listed with their ids, which are those
    beside the boxes of the day list. Yes always means that what is asked is so.
    An answer holds until its end, or until the criterion changes.

    \b
    Example:
      eligibility attest --trial NCT06193889
      eligibility attest --trial NCT06193889 --patient p1 --answer I10=yes --role investigator --until 2026-12-31 --out answers.yaml
    """
    from ..engine.plan import compile_plan
    from ..errors import UsageError
    from ..screening import choose_trials, load_rules
    from ..workbench import attest as workbench

    day = date or today()
    library = load_rules(rules, shipped=not no_library, as_of=day)
    (chosen,) = choose_trials(library, trials=[trial])
    plan = compile_plan(chosen, library.definitions, library.vocabulary)
    if not answers:
        write(workbench.listing(plan, width=page_width()), out)
        return 0
    missing = [name for name, value in (("--patient", patient), ("--role", role), ("--out", out)) if not value]
    if missing or patient is None or role is None or out is None:
        raise UsageError(f"an answer needs {', '.join(missing)} too")
    given = workbench.answered(plan, answers, patient=patient, role=role, date=day, until=until)
    workbench.append_to(out, given)
    click.echo(workbench.said(given, plan, width=page_width()) + f"Added to {out}.", err=True)
    return 0
