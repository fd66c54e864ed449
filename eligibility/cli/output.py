"""Writing results: to standard output as it can carry them, to a file whole or not at all."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from ..errors import Problem, UsageError

_MOST_PROBLEMS = 20


def write(content: str | bytes, out: Path | None) -> None:
    """Write a whole result. ``out`` None or ``-`` is standard output."""
    if out is not None and str(out) != "-":
        write_file(content.encode() if isinstance(content, str) else content, out)
        return
    if isinstance(content, str):
        sys.stdout.write(_as_carried(content))
        return
    sys.stdout.flush()
    stream = sys.stdout.buffer
    stream.write(content)
    stream.flush()


def write_file(content: bytes, out: Path) -> None:
    """Write a file whole or not at all: beside it first, then in its place."""
    try:
        handle, name = tempfile.mkstemp(dir=out.parent, prefix=f".{out.name}.", suffix=".part")
    except OSError as error:
        raise UsageError(f"{out} cannot be written: {error.strerror}; choose a folder that exists and may be written to") from None
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(name, 0o666 & ~mask)  # as an ordinary file would be: a temporary one is private
        os.replace(name, out)
    except BaseException:
        os.unlink(name)
        raise


def _as_carried(text: str) -> str:
    """The text as the stream can carry it; one that knows only ASCII gets signs spelt out."""
    encoding = getattr(sys.stdout, "encoding", None) or "ascii"
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        from ..report.text import ascii_only

        return ascii_only(text)
    return text


def page_width() -> int:
    """Columns to write in: those of the terminal between 60 and 100, 80 in a pipe or a file."""
    if not sys.stdout.isatty():
        return 80
    return min(max(shutil.get_terminal_size((80, 24)).columns, 60), 100)


def in_colour() -> bool:
    """Whether standard output is a terminal that has not asked for none."""
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def tell(problems: Iterable[Problem]) -> None:
    """Problems to standard error, a line each, the first twenty: errors before notes."""
    listed = sorted(problems, key=lambda problem: problem.severity != "error")
    for problem in listed[:_MOST_PROBLEMS]:
        click.echo(str(problem), err=True)
    if len(listed) > _MOST_PROBLEMS:
        click.echo(f"and {len(listed) - _MOST_PROBLEMS} more", err=True)


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[..., None] | None]:
    """A bar on standard error for long work, on a terminal only; yields what to call with (done, total)."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=None)

        def update(done: int, total: int | None = None, *_: Any) -> None:
            progress.update(task, completed=done, total=total)

        yield update
