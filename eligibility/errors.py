"""The errors a user may meet, one short tree.

Every error says what is wrong, where, why, and what to do. None carries a patient's value: a
place (file, line, column, entry) and the *kind* of thing found there, never the thing itself.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with an input, with its place.

    ``code`` is stable (``unknown-key``), ``file`` as the user named it, ``line`` and ``column``
    count from 1 and are None where the place is an entry (``where``) rather than a line.

    >>> print(Problem("unknown-key", "there is no word «latestt»", file="t.yaml", line=3, column=7,
    ...               instead="did you mean latest?"))
    t.yaml:3:7: unknown-key: there is no word «latestt»; did you mean latest?
    """

    code: str
    message: str
    file: str | None = None
    line: int | None = None
    column: int | None = None
    where: str | None = None
    text: str | None = None
    instead: str | None = None
    severity: str = "error"

    def place(self) -> str:
        """``file:line:column`` or ``file, entry``: as much of it as is known."""
        parts = [self.file or "input"]
        if self.line is not None:
            parts.append(str(self.line))
            if self.column is not None:
                parts.append(str(self.column))
        place = ":".join(parts)
        return f"{place}, {self.where}" if self.where else place

    def __str__(self) -> str:
        kind = self.code if self.severity == "error" else f"{self.severity}: {self.code}"
        advice = f"; {self.instead}" if self.instead else ""
        return f"{self.place()}: {kind}: {self.message}{advice}"


class EligibilityError(Exception):
    """Base of all errors meant for a user's eyes; shown without a traceback."""

    exit_code = 2


class UsageError(EligibilityError):
    """The command line or the call is wrong (exit code 2)."""

    exit_code = 2


class InputError(EligibilityError):
    """A patient file cannot be read at all (exit code 3)."""

    exit_code = 3

    def __init__(self, *problems: Problem) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))


class RuleFileError(EligibilityError):
    """A rule or vocabulary file is wrong (exit code 4). Carries every mistake found, not the first."""

    exit_code = 4

    def __init__(self, *problems: Problem) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """Near names, worded as a question, or None where nothing is near. Capitals and small letters are alike.

    >>> did_you_mean("LATTEST", ["latest", "earliest"])
    'did you mean latest?'
    """
    by_small = {name.casefold(): name for name in known}
    same = word.casefold() in by_small
    near = [by_small[name] for name in get_close_matches(word.casefold(), list(by_small), n=1 if same else 3, cutoff=0.6)]
    return f"did you mean {' or '.join(near)}?" if near else None


def place_of_fault(error: BaseException) -> str:
    """The kind of an unexpected error and its place in the program; never its message, which may hold a value.

    >>> try:
    ...     {}["a patient's secret"]
    ... except KeyError as error:
    ...     print(place_of_fault(error).partition(" at ")[0])
    KeyError
    """
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if f"{os.sep}eligibility{os.sep}" in frame.filename] or list(frames)
    if not own:
        return type(error).__name__
    return f"{type(error).__name__} at {os.path.basename(own[-1].filename)}, line {own[-1].lineno}"


def fault(error: BaseException, file: str | None) -> Problem:
    """A fault of the program over one record, as a problem of its file: the others go on."""
    return Problem(
        "fault",
        f"a fault of the program over this record ({place_of_fault(error)}); it was left out",
        file=file,
        instead="report it with this place; ELIGIBILITY_DEBUG=1 ends the run with the traceback, which may show values of the record",
    )


def debugging() -> bool:
    """Whether faults of the program are to end the run with their traceback."""
    return os.environ.get("ELIGIBILITY_DEBUG") == "1"
