"""What ``rules check`` refuses or questions in a rule file (LANGUAGE 9; MEANING 2, 9).

Shape is checked when a file is read (``reader``, ``diagnostics``); here it is asked what the words
mean in this vocabulary and in this trial. An *error* makes the file unusable. A *question* is a
choice that may be right: it stays until the criterion, definition, visit or derived value it is
about says ``answered: {code: why}``. Every code is in ``docs/language/checks.md``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..errors import Problem, RuleFileError, did_you_mean
from ..model.trial import Definition, TrialFile
from ..vocabulary.vocabulary import Vocabulary
from . import meaning_checks, name_checks, value_checks  # noqa: F401 - they register the checks
from .library import holds_definitions, parse_definitions, parse_trial
from .reader import Located, read_yaml_file
from .scope import CHECKS, Found, Loc, Names, Owner, Scope

# what cannot be told of a file parts of which could not be read
_NEEDS_ALL = frozenset(
    (
        "unused-list",
        "unused-definition",
        "unused-derived",
        "unused-visit",
        "cannot-bar",
        "arm-diagnosis",
        "replaces-nothing",
        "stale-answer",
        "no-width",
    )
)


QUESTIONS = frozenset(("negative-question", "uncoded", "assumed-basis", "limits-disagree", "presumed-barrier", "entries-overlap"))
"""Codes that warn until they are answered; every other code is an error."""


def codes() -> frozenset[str]:
    """Every code that a check may give."""
    return frozenset(code for check_ in CHECKS for code in check_.codes) | {"stale-answer"}


def check(trial: TrialFile, library: Names, located: Located | None = None, dropped: frozenset[str] | None = None) -> list[Problem]:
    """Everything wrong with a trial, and every question its author has not answered.

    ``located`` gives the places, and their order; without it a problem names its criterion. ``dropped`` is given where
    parts of the file could not be read, with the names they had: nothing is said of what hangs on them,
    nor of what only the whole file can tell.
    """
    scope = Scope(library, trial, located)
    kept, used = _answered([one for check_ in CHECKS for one in check_.run(scope)])
    kept += _stale(scope, used)
    return _ordered(_less(dropped, [one.problem for one in kept]))


def resolve(trial: TrialFile, library: Names, located: Located | None = None, dropped: frozenset[str] | None = None) -> list[Problem]:
    """The names of a trial that stand for nothing: what is asked of shipped files when they are loaded."""
    scope = Scope(library, trial, located)
    return _ordered(_less(dropped, [one.problem for check_ in CHECKS if check_.names for one in check_.run(scope)]))


def _less(dropped: frozenset[str] | None, problems: list[Problem]) -> list[Problem]:
    if dropped is None:
        return problems
    named = tuple(f"«{name}»" for name in dropped)
    return [one for one in problems if one.code not in _NEEDS_ALL and not any(name in one.message for name in named)]


def check_definitions(
    definitions: Mapping[str, Definition], shared: Mapping[str, Definition], vocabulary: Vocabulary, located: Located | None = None
) -> list[Problem]:
    """Everything wrong with shared definitions."""
    names = _SharedNames({**shared, **definitions}, vocabulary)
    scope = Scope(names, None, located, definitions)
    found = [one for check_ in CHECKS if not check_.trial for one in check_.run(scope)]
    kept, used = _answered(found)
    kept += _stale(scope, used)
    return _ordered([one.problem for one in kept])


def check_file(path: Path, library: Names, name: str | None = None) -> list[Problem]:
    """Everything wrong with a rule file or a file of definitions: YAML, shape, names, meaning, questions.

    Raises nothing: what cannot be read at all is in the list too.
    """
    try:
        tree = read_yaml_file(path, name)
    except RuleFileError as error:
        return list(error.problems)
    if holds_definitions(tree):
        definitions, mistakes, _ = parse_definitions(tree)
        return _ordered([*mistakes, *check_definitions(definitions, library.definitions, library.vocabulary, tree)])
    parsed = parse_trial(tree)
    problems = list(parsed.problems)
    if parsed.trial is not None:
        problems += check(parsed.trial, library, parsed.tree, parsed.dropped)
    return _ordered(problems)


@dataclass(frozen=True)
class _SharedNames:
    """Definitions under check together with those they may meet."""

    definitions: Mapping[str, Definition]
    vocabulary: Vocabulary


# -- answers ---------------------------------------------------------------------------------------


def _answered(found: Iterable[Found]) -> tuple[list[Found], set[tuple[Loc, str]]]:
    """What is left when answered questions are taken out, and the answers that were used."""
    kept: list[Found] = []
    used: set[tuple[Loc, str]] = set()
    for one in found:
        code = one.problem.code
        answers = {(owner.loc, code) for owner in one.owners if code in owner.answered and owner.answered[code].strip()}
        if one.problem.severity == "question" and answers:
            used |= answers
        else:
            kept.append(one)
    return kept, used


def _stale(scope: Scope, used: set[tuple[Loc, str]]) -> Iterator[Found]:
    """Answers to what is not asked: the file changed, and the reason given there holds for nothing."""
    for owner in _answering(scope):
        for code, why in owner.answered.items():
            loc: Loc = (*owner.loc, "answered", code)
            if code not in QUESTIONS:
                near = did_you_mean(code, QUESTIONS) or f"the questions are {', '.join(sorted(QUESTIONS))}"
                yield scope.found("stale-answer", f"«{code}» is no question that can be answered", loc, owner, key=True, instead=near)
            elif not why.strip():
                yield scope.found(
                    "stale-answer", f"the answer to {code} gives no reason", loc, owner, key=True, instead="write why it stays as it is"
                )
            elif (owner.loc, code) not in used:
                yield scope.found("stale-answer", f"{code} is answered here and not asked", loc, owner, key=True)


def _answering(scope: Scope) -> Iterator[Owner]:
    """Everything that may answer a question."""
    yield from scope.owners
    yield from (root.owner for root in scope.roots if root.owner.criterion is None)
    for name, visit in scope.schedule.items():
        yield Owner(("schedule", name), f"visit {name}", visit.answered)
    for name, derived in scope.derived.items():
        yield Owner(("derived", name), f"derived value {name}", derived.answered)


def _ordered(problems: Iterable[Problem]) -> list[Problem]:
    unique = dict.fromkeys(problems)
    return sorted(unique, key=lambda one: (one.line or 0, one.column or 0, one.severity, one.code, one.message))
