"""What a run of the screener yields: the findings and all that a report says around them.

Plain frozen values. ``eligibility.screening`` makes them, the renderers of this package show them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ..errors import Problem
from ..model.criteria import Ask, FactAtom, Meets, Node, NotPublished, operands
from ..model.finding import PatientResult, Screening
from ..model.limits import NotGiven
from ..model.trial import Criterion, Definition, TrialFile

PublishedKind = Literal["computable", "part", "ask", "not_published", "note"]
PUBLISHED: tuple[PublishedKind, ...] = ("computable", "part", "ask", "not_published", "note")

_Leaf = Literal["computable", "ask", "not_published"]


def leaf_kinds(statement: Node, definitions: Mapping[str, Definition]) -> Iterator[_Leaf]:
    """For each leaf whether the record, a person, or nobody outside the sponsor can answer it."""
    match statement:
        case Ask():
            yield "ask"
        case NotPublished():
            yield "not_published"
        case Meets(meets=name):
            if name in definitions:
                yield from leaf_kinds(definitions[name].when, definitions)
            else:
                yield "computable"
        case FactAtom():
            yield "not_published" if _limit_not_given(statement) else "computable"
            if any(exemption.ask is not None for exemption in statement.except_):
                yield "ask"
        case _:
            below = operands(statement)
            if not below:
                yield "computable"
            for one in below:
                yield from leaf_kinds(one, definitions)


def _limit_not_given(atom: FactAtom) -> bool:
    test = getattr(atom, atom.choice)
    bounds = getattr(test, "bounds", None)
    return bounds is not None and any(isinstance(limit, NotGiven) for _, limit in bounds())


def published_kind(criterion: Criterion, definitions: Mapping[str, Definition]) -> PublishedKind:
    """How much of a criterion a record can answer: all, a part, or none of it, and then who could.

    >>> published_kind(Criterion(id="I1", text="Consent", ask="Was consent given?"), {})
    'ask'
    """
    if criterion.note is not None:
        return "note"
    kinds: set[_Leaf] = {word for word in ("ask", "not_published") if getattr(criterion, word) is not None}
    for statement in (criterion.when, criterion.applies_when, criterion.unless):
        if statement is not None:
            kinds.update(leaf_kinds(statement, definitions))
    if kinds == {"computable"}:
        return "computable"
    if "computable" in kinds:
        return "part"
    return "not_published" if kinds == {"not_published"} else "ask"


def published_counts(trial: TrialFile, shared: Mapping[str, Definition] | None = None) -> dict[PublishedKind, int]:
    """How many criteria of a file are of each kind; arms are counted in."""
    definitions = {**(shared or {}), **trial.definitions}
    counts: dict[PublishedKind, int] = dict.fromkeys(PUBLISHED, 0)
    for _, _, criterion in trial.criteria():
        counts[published_kind(criterion, definitions)] += 1
    return counts


@dataclass(frozen=True, slots=True)
class TrialSummary:
    """A screened trial: its file, and what the header of a result says of it."""

    trial: TrialFile
    digest: str
    published: Mapping[PublishedKind, int]

    @classmethod
    def of(cls, trial: TrialFile, digest: str, shared: Mapping[str, Definition] | None = None) -> TrialSummary:
        """Summarise a trial; ``shared`` are the library's definitions, which its criteria may meet."""
        return cls(trial, digest, published_counts(trial, shared))

    @property
    def id(self) -> str:
        """The trial's id."""
        return self.trial.id


@dataclass(frozen=True, slots=True)
class Intake:
    """The ledger of one record: every entry that came in is in exactly one of three places (DESIGN 2)."""

    file: str
    entries: int
    facts: int
    not_understood: tuple[tuple[str, str], ...] = ()
    set_aside: tuple[tuple[str, str], ...] = ()

    @property
    def adds_up(self) -> bool:
        """Whether facts, not understood and set aside come to what came in."""
        return self.entries == self.facts + len(self.not_understood) + len(self.set_aside)


@dataclass(frozen=True, slots=True)
class PatientReport:
    """One patient's findings with the ledger of the record they rest on."""

    result: PatientResult
    intake: Intake

    @property
    def patient(self) -> str:
        """The patient's opaque id."""
        return self.result.patient


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a result rests on besides records: version, rules, date, settings, and their digests.

    ``as_of`` is the screening date as ISO text. ``anchors`` are as given on the command line or in
    the call; ``digests`` name the site file, code maps and attestation files by their content.
    """

    version: str
    rules: str
    as_of: str
    absence: Literal["presumed", "unknown"] = "presumed"
    chainer: str = "none"
    anchors: Mapping[str, str] = field(default_factory=dict)
    digests: Mapping[str, Any] = field(default_factory=dict)
    trials: tuple[TrialSummary, ...] = ()


@dataclass(frozen=True, slots=True)
class Results:
    """All that one screening of records against trials found.

    ``problems`` are inputs, or entries of them, that could not be read; the rest was done.
    """

    envelope: Envelope
    patients: tuple[PatientReport, ...]
    problems: tuple[Problem, ...] = ()

    @property
    def exit_code(self) -> int:
        """0 done, 3 where some input could not be read (DESIGN 3); a wrong rule file raises instead."""
        return 3 if any(problem.severity == "error" for problem in self.problems) else 0

    def screenings(self) -> Iterator[tuple[PatientReport, Screening]]:
        """Every patient with every trial, in the order given."""
        for report in self.patients:
            for screening in report.result.screenings:
                yield report, screening

    def trial(self, trial_id: str) -> TrialSummary:
        """The summary of a screened trial; ``KeyError`` if it was not screened."""
        for summary in self.envelope.trials:
            if summary.id == trial_id:
                return summary
        raise KeyError(trial_id)
