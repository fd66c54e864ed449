"""Test patients of flags: ``rules/cases/flags/`` (issue 6).

A case is a patient in miniature, a date, the product of a trial, and which flags come out::

    of: flags
    as_of: 2026-11-01
    cases:
      - name: few platelets
        product: {cells: autologous, target: CD19, lymphodepletion: {status: required}}
        patient: {observations: [{concept: platelets, date: 2026-10-20, value: 40, unit: 10*9/L}]}
        expect: {raised: [preexisting-cytopenia], unknown: [car-hematotox-high], not_raised: [easix-value]}

``product`` is written as in a trial's file, with ``diseases`` beside it; ``trial`` names a trial of the
library instead. ``as_of``, ``product`` and ``diseases`` may stand at the top for all cases; ``anchors``,
``absence``, ``site`` and ``why`` are as in the cases of a trial. A flag that nothing is said of may be
anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..engine.record import prepare
from ..engine.settings import Settings
from ..errors import Problem, did_you_mean
from ..flags.engine import FlagEngine
from ..language.library import RuleLibrary
from ..model.flag import FlagFinding, state_of
from ..model.site import Site
from ..model.time import When, day_of
from ..model.trial import Product, TrialFile, TrialHeader
from ..model.truth import Truth
from ..report.flags import missing
from ..report.words import Words
from .cases import Case, CaseFile, CaseResult, Failure, Word
from .site_files import numbers_of_ranges

FLAGS = "flags"
"""What stands where other cases have their trial."""

_FILE_KEYS = ("of", "as_of", "product", "diseases", "cases")
_CASE_KEYS = ("name", "as_of", "absence", "anchors", "site", "trial", "product", "diseases", "patient", "expect", "why")
_STATES = ("raised", "unknown", "not_raised")
_WORD: dict[Truth, Word] = {
    Truth.TRUE: "true",
    Truth.PRESUMED_TRUE: "presumed_true",
    Truth.UNKNOWN: "unknown",
    Truth.PRESUMED_FALSE: "presumed_false",
    Truth.FALSE: "false",
}
_ID = "case"


def run_flag_cases(path: Path, library: RuleLibrary, words: Words) -> tuple[list[CaseResult], int, list[Problem]]:
    """Run a file of flag cases; the results, how many cases could not be run, and what is wrong with the file."""
    file = _FlagCases(path, library, {})
    engine = FlagEngine(library.flags, library.definitions, library.vocabulary)
    results: list[CaseResult] = []
    failed = 0
    for case in file.flag_cases():
        if case is None:
            failed += 1
        else:
            results.append(_run(*case, engine, library, words))
    engine.close()
    return results, failed, file.problems


_Ready = tuple[Case, TrialFile, dict[str, tuple[str, int]]]


def _run(
    case: Case, trial: TrialFile, expected: Mapping[str, tuple[str, int]], engine: FlagEngine, library: RuleLibrary, words: Words
) -> CaseResult:
    record = prepare(case.patient, library.vocabulary, case.settings.as_of)
    own = engine.patient(record, case.settings)
    truths = own.truths(trial, case.settings.anchors)
    found = {flag.id: flag for flag in own.of(trial, case.settings.anchors)}
    failures = []
    for flag, (wanted, line) in expected.items():
        got = state_of(truths[flag])
        if got != wanted:
            why = tuple(_why(found[flag], words)) if flag in found else ()
            failures.append(Failure(case.file, line, case.name, flag, wanted, got, why, case.why))
    return CaseResult(case, tuple(failures), {flag: _WORD[truth] for flag, truth in truths.items()})


def _why(flag: FlagFinding, words: Words) -> Iterator[str]:
    yield from missing(flag, words)
    if flag.finding is not None:
        yield from (words.evidence(one) for one in flag.finding.evidence)


class _FlagCases(CaseFile):
    """One file of flag cases, and every mistake of it."""

    def flag_cases(self) -> Iterator[_Ready | None]:
        """The cases in order; None for one that cannot be run."""
        if not self.of_flags() or self.tree is None:
            self.problems.append(Problem("wrong-type", "this is no file of flag cases", str(self.path), instead="begin with of: flags"))
            yield None
            return
        data = self.tree.data
        self._keys(data, (), _FILE_KEYS, "a file of flag cases is a mapping")
        listed = data.get("cases")
        if not isinstance(listed, list) or not listed:
            self._say("no-cases", "cases is a list of one case or more", ("cases",))
            yield None
            return
        for number, one in enumerate(listed):
            yield self._flag_case(data, one, ("cases", number))

    def _flag_case(self, top: Any, data: Any, at: tuple[str | int, ...]) -> _Ready | None:
        before = len(self.problems)
        if not self._keys(data, at, _CASE_KEYS, "a case is a mapping with name, patient and expect"):
            return None
        for needed in ("name", "patient", "expect"):
            if needed not in data:
                self._say("missing", f"the case says no {needed}", at)
        dated = data if "as_of" in data else top
        as_of = self._date(dated.get("as_of"), (*at, "as_of") if dated is data else ("as_of",))
        patient = self._patient(_named(data["patient"]), (*at, "patient")) if "patient" in data else None
        trial = self._product(top, data, at)
        absence = data.get("absence", "presumed")
        if absence not in ("presumed", "unknown"):
            self._say("unknown-word", "absence is presumed or unknown", (*at, "absence"))
        site = self._validated(Site, numbers_of_ranges(data["site"]), (*at, "site")) if "site" in data else None
        anchors = self._days(data.get("anchors", {}), (*at, "anchors"))
        expected = self._states(data.get("expect", {}), (*at, "expect"))
        if len(self.problems) > before or as_of is None or patient is None or trial is None:
            return None
        settings = Settings(day_of(as_of), "unknown" if absence == "unknown" else "presumed", anchors, site)
        case = Case(FLAGS, str(data["name"]), str(self.path), self._line(at), patient, settings, why=str(data.get("why", "")))
        return case, trial, expected

    def _product(self, top: Any, data: Any, at: tuple[str | int, ...]) -> TrialFile | None:
        if "trial" in data:
            trial = self.library.trials.get(data["trial"])
            if trial is None:
                near = did_you_mean(str(data["trial"]), self.library.trials)
                self._say("unknown-trial", "there are no rules for this trial", (*at, "trial"), near)
            return trial
        says = data if "product" in data else top
        product: Any = None
        if "product" in says:
            place = (*at, "product") if says is data else ("product",)
            product = self._validated(Product, {"name": "a product", **says["product"]}, place)
        diseases = (data if "diseases" in data else top).get("diseases", ())
        header = TrialHeader(id="CASE", title="a case", product=product, **({"diseases": diseases} if diseases else {}))
        return TrialFile(trial=header)

    def _days(self, data: Any, at: tuple[str | int, ...]) -> dict[str, When]:
        scheduled = {name for text in self.library.flags.files for name in text.file.schedule}
        anchors: dict[str, When] = {}
        for name, date in self._mapping(data, at):
            if name not in scheduled:
                self._say("unknown-anchor", f"no flag file schedules {name}", (*at, name), did_you_mean(name, scheduled), key=True)
            try:
                anchors[name] = When.parse(date if isinstance(date, str) else "")
            except ValueError as problem:
                self._say("not-a-date", str(problem), (*at, name))
        return anchors

    def _states(self, data: Any, at: tuple[str | int, ...]) -> dict[str, tuple[str, int]]:
        expected: dict[str, tuple[str, int]] = {}
        if not self._keys(data, at, _STATES, "expect is a mapping with raised, unknown and not_raised"):
            return expected
        if not data:
            self._say("nothing-expected", "the case expects nothing", at)
        rules = self.library.flags.rules
        for state, listed in data.items():
            names = listed if isinstance(listed, list) else [listed]
            for number, name in enumerate(names):
                here = (*at, state, number) if isinstance(listed, list) else (*at, state)
                if name == "all-others":
                    expected |= {flag: (state, self._line(here)) for flag in rules if flag not in expected}
                elif name not in rules:
                    self._say("unknown-flag", f"there is no flag {name}", here, did_you_mean(str(name), rules))
                elif name in expected:
                    self._say("twice", f"{name} stands twice", here)
                else:
                    expected[name] = (state, self._line(here))
        return expected


def _named(patient: Any) -> Any:
    """The patient with an id, which a case of flags may leave out."""
    if isinstance(patient, dict) and "id" not in patient:
        patient["id"] = _ID
        patient.keys_at["id"] = patient.values_at["id"] = patient.at  # type: ignore[attr-defined]
    return patient


__all__ = ["FLAGS", "run_flag_cases"]
