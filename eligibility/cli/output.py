"""Writing results: to standard output as it can carry them, to a file whole or not at all."""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import click

from ..errors import Problem, UsageError

_MOST_PROBLEMS = 20


def write(content: str | bytes, out: Path | None) -> None:
    """Write a whole result. ``out`` None or ``-`` is standard output."""
    if out is not None and str(out) != "-":
        write_file(content.encode() if isinstance(content, str) else content, out)
        return
    if sys.stdout is None:
        raise UsageError("standard output is closed: the result has nowhere to go; leave it open, or give --out FILE")
    try:
        if isinstance(content, str):
            sys.stdout.write(_as_carried(content))
        else:
            sys.stdout.flush()
            sys.stdout.buffer.write(content)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        drop_output()
        raise UsageError(
            f"standard output cannot be written: {error.strerror}; what came of it is not whole: write again where there is room"
        ) from None


def drop_output() -> None:
    """Let nothing more be written to standard output: not what waits to be, either, when the program ends."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def write_file(content: bytes, out: Path) -> None:
    """Write a file whole or not at all: beside it first, then in its place, with its permissions.

    A link is followed; a device or a pipe is written to, and stays one. Raises :class:`UsageError` where
    nothing can be written.
    """
    try:
        found = out.stat() if out.exists() else None
        if found is not None and not stat.S_ISREG(found.st_mode):
            with out.open("wb") as stream:
                stream.write(content)
            return
        place = Path(os.path.realpath(out))
        handle, name = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}.", suffix=".part")
    except OSError as error:
        raise UsageError(
            f"{out} cannot be written: {error.strerror}; choose a folder that exists, has room and may be written to"
        ) from None
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        mask = os.umask(0)
        os.umask(mask)
        # as an ordinary file would be: a temporary one is private
        os.chmod(name, 0o666 & ~mask if found is None else stat.S_IMODE(found.st_mode))
        os.replace(name, place)
    except OSError as error:
        os.unlink(name)
        raise UsageError(f"{out} cannot be written: {error.strerror}; nothing was changed: choose a place with room") from None
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


def _terminal(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()  # a stream that was closed before the start is None


def page_width() -> int:
    """Columns to write in: those of the terminal between 60 and 100, 80 in a pipe or a file."""
    if not _terminal(sys.stdout):
        return 80
    return min(max(shutil.get_terminal_size((80, 24)).columns, 60), 100)


def in_colour() -> bool:
    """Whether standard output is a terminal that has not asked for none."""
    return _terminal(sys.stdout) and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


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
    if not _terminal(sys.stderr):
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
