"""What the documentation's examples are executed with: one desk that screens a typed record against typed rules."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

import pytest
import yaml

from eligibility.engine.plan import Plan, compile_plan
from eligibility.engine.record import prepare
from eligibility.engine.settings import Settings
from eligibility.engine.trials import screen
from eligibility.errors import Problem
from eligibility.language.checks import check
from eligibility.language.library import RuleLibrary, load_library, parse_trial
from eligibility.language.reader import read_yaml
from eligibility.model.finding import CriterionResult, Screening
from eligibility.model.patient import Patient
from eligibility.model.site import Attestation, Site
from eligibility.model.time import When, day_of
from eligibility.model.trial import TrialFile
from eligibility.model.truth import Truth
from eligibility.sources.intake import read

AS_OF = dt.date(2026, 11, 1)
WORDS = {
    Truth.TRUE: "true",
    Truth.PRESUMED_TRUE: "presumed true",
    Truth.UNKNOWN: "unknown",
    Truth.PRESUMED_FALSE: "presumed false",
    Truth.FALSE: "false",
}
SCHEDULE = """\
screening: {looks_back: 28 days, basis: assumed}
consent: {}
randomisation: {}
leukapheresis: {looks_back: 7 days}
lymphodepletion: {looks_back: 7 days}
baseline: {looks_back: 7 days}
infusion: {}
"""
"""The visits that examples may name; a page or pattern with visits of its own says them."""

TINY = {"unused-visit", "unused-list", "unused-definition", "unused-derived", "cannot-bar", "arm-diagnosis", "no-width"}
"""What only a whole file is held to."""


def plain(text: str) -> Any:
    """YAML with every scalar as the text it is."""
    return yaml.load(text, Loader=yaml.BaseLoader)


def said(result: CriterionResult) -> tuple[str, tuple[str, ...]]:
    """A criterion's truth in words, and the codes of the reasons where it is unknown."""
    codes: tuple[str, ...] = ()
    if result.truth is Truth.UNKNOWN and result.finding is not None:
        codes = tuple(sorted({reason.code for reason in result.finding.reasons}))
    return WORDS[result.truth], codes


def expected(cell: str) -> tuple[str, tuple[str, ...]]:
    """``unknown: imprecise_date, unit`` as :func:`said` says it."""
    word, _, reasons = cell.partition(":")
    word = word.strip()
    assert word in WORDS.values(), f"an answer is one of {', '.join(WORDS.values())}"
    assert bool(reasons.strip()) == (word == "unknown"), "unknown, and only unknown, has reasons"
    return word, tuple(sorted(code.strip() for code in reasons.split(",") if code.strip()))


class Desk:
    """Rules and records as pages and pattern files type them, and what the engine answers."""

    def __init__(self, library: RuleLibrary) -> None:
        self.library = library
        self._plans: dict[str, Plan] = {}

    def trial(self, words: Mapping[str, Any]) -> TrialFile:
        """A rule file from its words. Its visits are :data:`SCHEDULE` unless it has its own."""
        return TrialFile.model_validate({"trial": {"id": "T1", "title": "An example"}, "schedule": plain(SCHEDULE), **words})

    def plan(self, words: Mapping[str, Any]) -> Plan:
        """The compiled rule file; made once for the same words."""
        key = repr(words)
        if key not in self._plans:
            self._plans[key] = compile_plan(self.trial(words), self.library.definitions, self.library.vocabulary)
        return self._plans[key]

    def mistakes(self, words: Mapping[str, Any]) -> list[Problem]:
        """What ``rules check`` calls wrong in it, but for what only a whole file is held to."""
        found = check(self.trial(words), self.library)
        return [one for one in found if one.severity == "error" and one.code not in TINY]

    def questions(self, words: Mapping[str, Any]) -> set[str]:
        """What ``rules check`` asks about it."""
        return {one.code for one in check(self.trial(words), self.library) if one.severity == "question"}

    def refusals(self, text: str) -> set[str]:
        """Every code that ``rules check`` gives for a rule file as typed."""
        parsed = parse_trial(read_yaml(text, "example"))
        problems = list(parsed.problems)
        if parsed.trial is not None:
            problems += check(parsed.trial, self.library, parsed.tree, parsed.dropped if problems else None)
        return {one.code for one in problems}

    @staticmethod
    def patient(text: str) -> Patient:
        """A native record as typed; ``id`` may be left out."""
        text = text.strip() or "{}"
        if "id:" not in text.split("\n", 1)[0].split(",")[0]:
            text = f"{{id: p{', ' if text[1:].strip() != '}' else ''}{text[1:]}" if text.startswith("{") else f"id: p\n{text}"
        (came,) = read(["-"], stdin=BytesIO(text.encode()))
        assert not isinstance(came, Problem), str(came)
        assert not came.problems, [str(problem) for problem in came.problems]
        return came.patient

    def screen(
        self,
        plan: Plan,
        record: str,
        *,
        on: dt.date = AS_OF,
        anchors: Mapping[str, str] | None = None,
        site: Mapping[str, Any] | None = None,
        answers: Sequence[Mapping[str, str]] = (),
        absence: Any = "presumed",
    ) -> Screening:
        """One record against a plan. An answer says criterion, leaf and answer; the rest is filled in."""
        vocabulary = self.library.vocabulary
        patient = self.patient(record)
        digests = {criterion.id: criterion.digest for criterion in plan.criteria}
        common = {"patient": patient.id, "trial": plan.trial.id, "role": "investigator", "date": on.isoformat()}
        attestations = tuple(
            Attestation.model_validate({**common, "until": None, **one, "digest": one.get("digest") or digests[one["criterion"]]})
            for one in answers
        )
        settings = Settings(
            day_of(on),
            absence=absence,
            anchors={name: When.parse(day) for name, day in (anchors or {}).items()},
            site=Site.model_validate(site) if site is not None else None,
            attestations=attestations,
        )
        return screen(prepare(patient, vocabulary, day_of(on)), plan, settings)


@pytest.fixture(scope="session")
def desk() -> Desk:
    return Desk(load_library(shipped=False))


@pytest.fixture(name="said", scope="session")
def _said() -> Any:
    return said


@pytest.fixture(name="expected", scope="session")
def _expected() -> Any:
    return expected
