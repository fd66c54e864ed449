"""The errors a user may meet, one short tree.

Every error says what is wrong, where, why, and what to do. None carries a patient's value: a
place (file, line, column, entry) and the *kind* of thing found there, never the thing itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from collections.abc import Iterable


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
    """Near names, worded as a question, or None where nothing is near.

    >>> did_you_mean("lattest", ["latest", "earliest"])
    'did you mean latest?'
    """
    near = get_close_matches(word, list(known), n=3, cutoff=0.6)
    return f"did you mean {' or '.join(near)}?" if near else None
