"""Options that commands share, each said once."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


def _paths(_ctx: click.Context, _param: click.Parameter, paths: tuple[str, ...]) -> tuple[str, ...]:
    if "" in paths:  # the name of nothing is the current folder to the system, with everybody's charts in it
        raise click.BadParameter("a path is empty (a variable of the shell that is not set?); for this folder write .")
    return paths


PATHS = click.argument("paths", nargs=-1, required=True, callback=_paths, metavar="PATH...")

EXISTING = click.Path(exists=True, path_type=Path)
EXISTING_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


class _Out(click.Path):
    """A file to write: no folder, and not the empty name."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            self.fail("the name is empty (a variable of the shell that is not set?); write the name of a file", param, ctx)
        return super().convert(value, param, ctx)


OUT = _Out(dir_okay=False, path_type=Path)


def stdin_of(paths: Iterable[str]) -> BinaryIO | None:
    """Standard input where a path asks for it; None also where it is closed, which is then told as input that is not there."""
    return sys.stdin.buffer if "-" in paths and sys.stdin is not None else None


class Day(click.ParamType[dt.date]):
    """A whole day, 2026-11-01."""

    name = "DATE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dt.date:
        """The date, or a usage error that shows the form."""
        if isinstance(value, dt.date):
            return value
        try:
            return dt.date.fromisoformat(value)
        except ValueError:
            self.fail("a date is a whole day, written 2026-11-01", param, ctx)


def today() -> dt.date:
    """The local date. Only the command line reads the clock, and it prints what it read."""
    return dt.datetime.now().astimezone().date()


def _anchors(_ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    anchors: dict[str, str] = {}
    for value in values:
        name, equals, date = value.rpartition("=")
        if not equals or not name or not date:
            raise click.BadParameter("write [PATIENT:][TRIAL:]NAME=DATE, such as leukapheresis=2026-12-01")
        if name in anchors:
            raise click.BadParameter(f"{name} is given twice")
        anchors[name] = date
    return anchors


_RULES = (
    click.option("--rules", type=EXISTING, multiple=True, metavar="PATH", help="Rule files or folders to add to the shipped library."),
    click.option("--no-library", is_flag=True, help="Leave out the shipped trials; use --rules alone."),
)

_CHOICE = (
    click.option("--disease", "diseases", multiple=True, metavar="NAME", help="Only trials about a disease, such as ms, mg or sle."),
    click.option("--recruiting", is_flag=True, help="Only trials whose record says that they recruit."),
)

_SCREENING = (
    click.option("--patient", "patients", multiple=True, metavar="ID", help="Only the record of this patient."),
    click.option("--as-of", type=Day(), help="The screening date; today if not given."),
    click.option(
        "--absence",
        type=click.Choice(["presumed", "unknown"]),
        default="presumed",
        show_default=True,
        help="Whether what a record does not name is taken as absent (it can let a criterion pass, never make a barrier) or left open.",
    ),
    click.option(
        "--anchor",
        "anchors",
        multiple=True,
        callback=_anchors,
        metavar="NAME=DATE",
        help="The date of a visit, written [PATIENT:][TRIAL:]NAME=DATE, such as leukapheresis=2026-12-01.",
    ),
    click.option("--site", type=EXISTING_FILE, metavar="FILE", help="The site's reference ranges, visit widths, country and code maps."),
    click.option("--codes", type=EXISTING_FILE, multiple=True, metavar="CSV", help="A code map: what local codes and texts mean."),
    click.option("--attest", "attestations", type=EXISTING_FILE, multiple=True, metavar="FILE", help="Answers given by people."),
    click.option("--strict-fhir", is_flag=True, help="Also report where FHIR input breaks the standard; it is screened all the same."),
    *_RULES,
)


def _apply(options: tuple[Callable[[Any], Any], ...], command: Command) -> Command:
    for option in reversed(options):
        command = option(command)
    return command


def rule_options(command: Command) -> Command:
    """Which rules: ``--rules`` and ``--no-library``."""
    return _apply(_RULES, command)


def choice_options(command: Command) -> Command:
    """Which of several trials: ``--trial``, ``--disease``, ``--recruiting``."""
    trial = click.option("--trial", "trials", multiple=True, metavar="ID", help="Only this trial; may be repeated.")
    return _apply((trial, *_CHOICE), command)


def screening_options(command: Command) -> Command:
    """Everything a screening may be told besides its trials."""
    return _apply(_SCREENING, command)


def output_options(*formats: str) -> Callable[[Command], Command]:
    """``--format`` (one of ``formats``, the first by default) and ``--out``."""

    def decorate(command: Command) -> Command:
        chosen = click.option(
            "--format", "form", type=click.Choice(formats), help=f"How to write it: {formats[0]} unless --out ends in another's name."
        )
        out = click.option("--out", type=OUT, metavar="FILE", help="Write to a file, whole or not at all.")
        return _apply((chosen, out), command)

    return decorate


def form_of(form: str | None, out: Path | None, formats: tuple[str, ...]) -> str:
    """The format asked for, else the one that the name of ``--out`` ends in, else the first."""
    if form is not None:
        return form
    ending = out.suffix.lstrip(".").lower() if out is not None else ""
    return ending if ending in formats else formats[0]


def to_call(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options of the command line as arguments of :func:`eligibility.screen`."""
    call = dict(options)
    call["as_of"] = call.get("as_of") or today()
    call["shipped"] = not call.pop("no_library", False)
    return call
