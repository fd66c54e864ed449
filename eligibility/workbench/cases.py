"""Test patients beside the rules: ``rules/cases/<trial>.yaml`` (issue 2, item 7).

A case is a patient in miniature, a date, and what the criteria of a trial are expected to answer::

    trial: NCT06193889
    cases:
      - name: mid-range patient, all lists read
        as_of: 2026-11-01
        anchors: {leukapheresis: 2026-12-01}
        patient: {id: a, birth_date: 1980-05-01, sex: female}
        expect:
          status: undetermined
          criteria:
            I1: true
            I2: unknown
            I3: {truth: unknown, reasons: [out_of_window], effect: open}
            I5: presumed_true
            E4: not_applicable

``true``, ``false`` and ``unknown`` are the truth that a result shows; ``presumed_true`` and
``presumed_false`` say besides that only silence answers; ``not_applicable`` that the criterion does
not apply. A criterion of an arm is named ``arm/I1``. ``absence``, ``site`` and ``attestations`` may
stand beside ``as_of``, and ``why`` for the author's reasoning, which a failure shows. A mistake in
the file is told apart from a wrong answer.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import ValidationError

from ..engine.plan import Plan, compile_plan
from ..engine.record import prepare
from ..engine.settings import Settings
from ..engine.trials import screen
from ..errors import Problem, RuleFileError, did_you_mean
from ..language.diagnostics import diagnose
from ..language.library import RuleLibrary
from ..language.reader import Located, read_yaml_file
from ..model.finding import REASONS, CriterionResult, Effect, Screening, Status
from ..model.patient import Patient
from ..model.site import Attestation, Site
from ..model.time import When, day_of
from ..model.trial import TrialFile
from ..report.json import read, reading_of
from ..report.words import Words
from ..sources.native import read_native
from .site_files import numbers_of_ranges

Word = Literal["true", "false", "unknown", "presumed_true", "presumed_false", "not_applicable"]
_WORDS: tuple[str, ...] = get_args(Word)
_CASE_KEYS = ("name", "as_of", "absence", "anchors", "site", "attestations", "patient", "expect", "why")
_EXPECT_KEYS = ("status", "arms", "criteria")
_CRITERION_KEYS = ("truth", "reasons", "effect")


@dataclass(frozen=True, slots=True)
class Expected:
    """What one criterion is expected to answer; None leaves a thing open."""

    criterion: str
    line: int
    truth: Word | None = None
    effect: Effect | None = None
    reasons: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """A test patient with settings and expectations, ready to run."""

    trial: str
    name: str
    file: str
    line: int
    patient: Patient
    settings: Settings
    status: tuple[Status, int] | None = None
    arms: tuple[tuple[str, Status, int], ...] = ()
    criteria: tuple[Expected, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """One answer that was not the expected one, with its place, the engine's reasons, and the author's."""

    file: str
    line: int
    case: str
    what: str
    expected: str
    got: str
    why: tuple[str, ...] = ()
    author: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.case}: {self.what}: expected {self.expected}, got {self.got}"


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What a case gave: its failures, and each criterion's word."""

    case: Case
    failures: tuple[Failure, ...]
    cells: Mapping[str, Word]


@dataclass(frozen=True, slots=True)
class CasesReport:
    """The run of all cases: what passed, what failed, and what is wrong with the case files themselves.

    ``errors`` counts cases that could not be run, ``problems`` says why with file and line.
    """

    results: tuple[CaseResult, ...]
    problems: tuple[Problem, ...]
    errors: int

    @property
    def failures(self) -> tuple[Failure, ...]:
        """Every wrong answer, in the order of the files."""
        return tuple(failure for result in self.results for failure in result.failures)

    @property
    def passed(self) -> int:
        """Cases without a wrong answer."""
        return sum(not result.failures for result in self.results)

    @property
    def failed(self) -> int:
        """Cases with a wrong answer."""
        return sum(bool(result.failures) for result in self.results)

    @property
    def exit_code(self) -> int:
        """4 where a case file is wrong, 1 where an answer is, else 0."""
        return 4 if self.problems else 1 if self.failed else 0

    def coverage(self) -> dict[str, dict[str, dict[str, int]]]:
        """How often each criterion of each trial answered true, false and unknown."""
        seen: dict[str, dict[str, dict[str, int]]] = {}
        for result in self.results:
            criteria = seen.setdefault(result.case.trial, {})
            for criterion, word in result.cells.items():
                row = criteria.setdefault(criterion, {"true": 0, "false": 0, "unknown": 0})
                if word != "not_applicable":
                    row[word.removeprefix("presumed_")] += 1
        return seen

    def known(self) -> dict[str, tuple[int, int]]:
        """Per trial how many cells (case by criterion) have a known answer, and how many there are."""
        shares: dict[str, tuple[int, int]] = {}
        for result in self.results:
            known, cells = shares.get(result.case.trial, (0, 0))
            words = result.cells.values()
            shares[result.case.trial] = (known + sum(word != "unknown" for word in words), cells + len(words))
        return shares


def run_cases(paths: Sequence[Path], library: RuleLibrary, trials: Sequence[str] = ()) -> CasesReport:
    """Run the cases of files and folders (default: the library's own), for the trials named or for all.

    Nothing raises for a mistake in a case file: it becomes a problem with its line.
    """
    problems: list[Problem] = []
    results: list[CaseResult] = []
    errors = 0
    plans = _Plans(library)
    words = Words.of(library.vocabulary)
    for file in case_files(paths, problems):
        reading = CaseFile(file, library, plans)
        if reading.of_flags():
            if not trials:
                from .flag_cases import run_flag_cases  # cases of trials alone need no flags

                ran, failed, wrong = run_flag_cases(file, library, words)
                results += ran
                errors += failed
                problems += wrong
            continue
        for case in reading.cases(trials):
            if case is None:
                errors += 1
                continue
            results.append(run_case(case, plans[case.trial], library, words))
        problems += reading.problems
    return CasesReport(tuple(results), tuple(problems), errors)


class _Plans(dict[str, Plan]):
    """Each trial's plan, compiled when first asked for."""

    def __init__(self, library: RuleLibrary) -> None:
        super().__init__()
        self._library = library

    def __missing__(self, trial: str) -> Plan:
        library = self._library
        plan = self[trial] = compile_plan(library.trials[trial], library.definitions, library.vocabulary)
        return plan


def case_files(paths: Sequence[Path], problems: list[Problem]) -> Iterator[Path]:
    """The YAML files of the paths, folders searched in the order of their names."""
    for path in paths:
        if path.is_dir():
            yield from sorted(path.rglob("*.yaml"))
        elif path.exists():
            yield path
        else:
            problems.append(Problem("no-such-file", "there is no such file or folder of cases", file=str(path)))


def run_case(case: Case, plan: Plan, library: RuleLibrary, words: Words) -> CaseResult:
    """Screen a case's patient and compare."""
    record = prepare(case.patient, library.vocabulary, case.settings.as_of)
    screening = screen(record, plan, case.settings, False)
    results = dict(_results(screening))
    failures = [*_status_failures(case, screening)]
    for expected in case.criteria:
        result = results[expected.criterion]
        failures += _failures(case, expected, result, words)
    cells = {name: word_of(result) for name, result in results.items() if getattr(result.criterion, "note", None) is None}
    cells.pop("record/death", None)
    return CaseResult(case, tuple(replace(failure, author=case.why) for failure in failures), cells)


def word_of(result: CriterionResult) -> Word:
    """A criterion's answer as the word a case file has for it."""
    if result.not_applicable:
        return "not_applicable"
    if result.presumed is not None:
        return "presumed_true" if result.presumed == "true" else "presumed_false"
    reading = read(result.truth, reading_of(result))
    return "true" if reading == "true" else "false" if reading == "false" else "unknown"


def _results(screening: Screening) -> Iterator[tuple[str, CriterionResult]]:
    for result in screening.criteria:
        yield result.id, result
    for arm in screening.arms:
        for result in arm.criteria:
            yield f"{arm.arm}/{result.id}", result


def _status_failures(case: Case, screening: Screening) -> Iterator[Failure]:
    if case.status is not None and screening.status != case.status[0]:
        blocking = tuple(result.id for _, result in _results(screening) if result.effect == "blocks")
        why = (f"barriers: {', '.join(blocking)}",) if blocking else ()
        yield Failure(case.file, case.status[1], case.name, "status", case.status[0], screening.status, why)
    by_arm = {arm.arm: arm.status for arm in screening.arms}
    for arm, status, line in case.arms:
        if by_arm[arm] != status:
            yield Failure(case.file, line, case.name, f"arm {arm}", status, by_arm[arm])


def _failures(case: Case, expected: Expected, result: CriterionResult, words: Words) -> Iterator[Failure]:
    why = tuple(words.why(result))
    where = (case.file, expected.line, case.name, expected.criterion)
    if expected.truth is not None and not _agrees(expected.truth, result):
        yield Failure(*where, expected.truth, word_of(result), why)
    if expected.effect is not None and expected.effect != result.effect:
        yield Failure(*where, f"effect {expected.effect}", f"effect {result.effect}", why)
    if expected.reasons is not None:
        got = dict.fromkeys(reason.code for reason in result.reasons)
        if set(got) != expected.reasons:
            wanted = ", ".join(code for code in REASONS if code in expected.reasons) or "none"
            yield Failure(*where, f"reasons {wanted}", f"reasons {', '.join(got) or 'none'}", why)


def _agrees(expected: Word, result: CriterionResult) -> bool:
    got = word_of(result)
    if expected in ("true", "false", "unknown") and not result.not_applicable:
        return expected == read(result.truth, reading_of(result))
    return expected == got


# -- reading -------------------------------------------------------------------------------------


class CaseFile:
    """One case file: its cases, and every mistake of it."""

    def __init__(self, path: Path, library: RuleLibrary, plans: Mapping[str, Plan]) -> None:
        self.path = path
        self.library = library
        self.plans = plans
        self.problems: list[Problem] = []
        self.tree: Located | None = None

    def of_flags(self) -> bool:
        """Whether the file says that its cases are of flags (``flag_cases``) rather than of a trial."""
        try:
            self.tree = read_yaml_file(self.path, str(self.path))
        except RuleFileError:
            return False
        return isinstance(self.tree.data, dict) and self.tree.data.get("of") == "flags"

    def cases(self, trials: Sequence[str]) -> Iterator[Case | None]:
        """The cases in order; None for one that cannot be run, whose problems are noted."""
        try:
            self.tree = read_yaml_file(self.path, str(self.path))
        except RuleFileError as error:
            self.problems += error.problems
            yield None
            return
        data = self.tree.data
        if not self._keys(data, (), ("trial", "cases"), "a case file is a mapping with the words trial and cases"):
            yield None
            return
        trial_id = data.get("trial")
        if trials and trial_id not in trials:
            return
        trial = self.library.trials.get(trial_id) if isinstance(trial_id, str) else None
        if trial is None:
            self._say("unknown-trial", "there are no rules for this trial", ("trial",), did_you_mean(str(trial_id), self.library.trials))
            yield None
            return
        cases = data.get("cases")
        if not isinstance(cases, list) or not cases:
            self._say("no-cases", "cases is a list of one case or more", ("cases",))
            yield None
            return
        for number in range(len(cases)):
            yield self._case(trial, cases[number], ("cases", number))

    def _case(self, trial: TrialFile, data: Any, at: tuple[str | int, ...]) -> Case | None:
        before = len(self.problems)
        if not self._keys(data, at, _CASE_KEYS, "a case is a mapping with name, as_of, patient and expect"):
            return None
        for needed in ("name", "as_of", "patient", "expect"):
            if needed not in data:
                self._say("missing", f"the case says no {needed}", at)
        as_of = self._date(data.get("as_of"), (*at, "as_of")) if "as_of" in data else None
        patient = self._patient(data["patient"], (*at, "patient")) if "patient" in data else None
        absence = data.get("absence", "presumed")
        if absence not in ("presumed", "unknown"):
            self._say("unknown-word", "absence is presumed or unknown", (*at, "absence"))
        anchors = self._anchors(trial, data.get("anchors", {}), (*at, "anchors"))
        site = self._validated(Site, numbers_of_ranges(data["site"]), (*at, "site")) if "site" in data else None
        status, arms, criteria = self._expect(trial, data.get("expect", {}), (*at, "expect"))
        answers = self._answers(trial, patient, data.get("attestations", []), (*at, "attestations"))
        if len(self.problems) > before or as_of is None or patient is None:
            return None
        settings = Settings(day_of(as_of), "unknown" if absence == "unknown" else "presumed", anchors, site, answers)
        why = str(data.get("why", ""))
        return Case(trial.id, str(data["name"]), str(self.path), self._line(at), patient, settings, status, arms, criteria, why)

    def _patient(self, data: Any, at: tuple[str | int, ...]) -> Patient | None:
        if not isinstance(data, dict):
            self._say("wrong-type", "the patient is a mapping, as in a native patient file", at)
            return None
        patient: Patient | None = None
        for came in read_native(data, str(self.path), "case"):
            problems = (came,) if isinstance(came, Problem) else came.problems
            patient = patient if isinstance(came, Problem) else came.patient
            self.problems += [replace(one, line=one.line or self._line(at), message=f"the patient: {one.message}") for one in problems]
        return patient

    def _anchors(self, trial: TrialFile, data: Any, at: tuple[str | int, ...]) -> dict[str, When]:
        anchors: dict[str, When] = {}
        if not isinstance(data, dict):
            self._say("wrong-type", "anchors is a mapping of names to dates", at)
            return anchors
        for name, date in data.items():
            if name not in trial.schedule:
                self._say("unknown-anchor", f"the trial schedules no {name}", (*at, name), did_you_mean(name, trial.schedule), key=True)
            try:
                anchors[name] = When.parse(date if isinstance(date, str) else "")
            except ValueError as problem:
                self._say("not-a-date", str(problem), (*at, name))
        return anchors

    def _answers(self, trial: TrialFile, patient: Patient | None, data: Any, at: tuple[str | int, ...]) -> tuple[Attestation, ...]:
        if not isinstance(data, list):
            self._say("wrong-type", "attestations is a list of answers", at)
            return ()
        by_id = {criterion.id: criterion for criterion in self.plans[trial.id].criteria} if data else {}
        answers: list[Attestation] = []
        for number, one in enumerate(data):
            here = (*at, number)
            criterion = by_id.get(one.get("criterion", "")) if isinstance(one, dict) else None
            if criterion is None:
                self._say("unknown-criterion", "an answer names a criterion of the trial", here)
                continue
            filled = {
                "patient": patient.id if patient else "",
                "trial": trial.id,
                "role": "test",
                "digest": criterion.digest,
                **one,
            }
            answer = self._validated(Attestation, filled, here)
            if answer is not None:
                answers.append(answer)
        return tuple(answers)

    def _expect(
        self, trial: TrialFile, data: Any, at: tuple[str | int, ...]
    ) -> tuple[tuple[Status, int] | None, tuple[tuple[str, Status, int], ...], tuple[Expected, ...]]:
        if not self._keys(data, at, _EXPECT_KEYS, "expect is a mapping with status and criteria"):
            return None, (), ()
        if not data:
            self._say("nothing-expected", "the case expects nothing", at)
        status = self._status(data["status"], (*at, "status")) if "status" in data else None
        arms: list[tuple[str, Status, int]] = []
        for name, wanted in self._mapping(data.get("arms", {}), (*at, "arms")):
            if name not in trial.arms:
                self._say("unknown-arm", f"the trial has no arm {name}", (*at, "arms", name), did_you_mean(name, trial.arms), key=True)
                continue
            said = self._status(wanted, (*at, "arms", name))
            if said is not None:
                arms.append((name, said, self._line((*at, "arms", name))))
        known = [f"{arm}/{criterion.id}" if arm else criterion.id for arm, _, criterion in trial.criteria()]
        expected: list[Expected] = []
        for name, wanted in self._mapping(data.get("criteria", {}), (*at, "criteria")):
            here = (*at, "criteria", name)
            if name not in known and name != "record/death":
                hint = did_you_mean(name, known) or f"known: {', '.join(known)}"
                self._say("unknown-criterion", f"the trial has no criterion {name}", here, hint, key=True)
                continue
            one = self._expected(name, wanted, here)
            if one is not None:
                expected.append(one)
        return (None if status is None else (status, self._line((*at, "status")))), tuple(arms), tuple(expected)

    def _status(self, word: Any, at: tuple[str | int, ...]) -> Status | None:
        for status in get_args(Status):
            if word == status:
                return status  # type: ignore[no-any-return]
        self._say("unknown-status", f"a status is one of {', '.join(get_args(Status))}", at, did_you_mean(str(word), get_args(Status)))
        return None

    def _expected(self, name: str, wanted: Any, at: tuple[str | int, ...]) -> Expected | None:
        line = self._line(at)
        if isinstance(wanted, str):
            truth = self._word(wanted, at)
            return None if truth is None else Expected(name, line, truth)
        shape = f"an answer is one of {', '.join(_WORDS)}, or a mapping with truth, effect, reasons"
        if not self._keys(wanted, at, _CRITERION_KEYS, shape):
            return None
        truth = self._word(wanted["truth"], (*at, "truth")) if "truth" in wanted else None
        effect = wanted.get("effect")
        if effect is not None and effect not in get_args(Effect):
            self._say("unknown-word", f"an effect is one of {', '.join(get_args(Effect))}", (*at, "effect"))
            return None
        reasons = wanted.get("reasons")
        if reasons is not None:
            if not isinstance(reasons, list):
                self._say("wrong-type", "reasons is a list", (*at, "reasons"))
                return None
            for number, code in enumerate(reasons):
                if code not in REASONS:
                    self._say("unknown-reason", "there is no such reason", (*at, "reasons", number), did_you_mean(str(code), REASONS))
                    return None
        return Expected(name, line, truth, effect, None if reasons is None else frozenset(reasons))

    def _word(self, word: Any, at: tuple[str | int, ...]) -> Word | None:
        if word in _WORDS:
            return word  # type: ignore[no-any-return]
        self._say("unknown-word", f"an answer is one of {', '.join(_WORDS)}", at, did_you_mean(str(word), _WORDS))
        return None

    # -- mistakes ------------------------------------------------------------------------------

    def _keys(self, data: Any, at: tuple[str | int, ...], allowed: Sequence[str], shape: str) -> bool:
        if not isinstance(data, dict):
            self._say("wrong-type", shape, at)
            return False
        for key in data:
            if key not in allowed:
                hint = did_you_mean(str(key), allowed) or f"the words here are {', '.join(allowed)}"
                self._say("unknown-key", f"there is no word {key} here", (*at, key), hint, key=True)
        return True

    def _mapping(self, data: Any, at: tuple[str | int, ...]) -> Iterator[tuple[str, Any]]:
        if isinstance(data, dict):
            yield from data.items()
        else:
            self._say("wrong-type", "a mapping is expected here", at)

    def _date(self, text: Any, at: tuple[str | int, ...]) -> dt.date | None:
        try:
            return dt.date.fromisoformat(text if isinstance(text, str) else "")
        except ValueError:
            self._say("not-a-date", "as_of is a whole day, such as 2026-11-01", at)
            return None

    def _validated(self, model: Any, data: Any, at: tuple[str | int, ...]) -> Any:
        assert self.tree is not None
        try:
            return model.model_validate(data)
        except ValidationError as error:
            self.problems += diagnose(error, self.tree, model, at)
            return None

    def _line(self, at: tuple[str | int, ...]) -> int:
        place = self.tree.place(at) if self.tree is not None else None
        return place[0] if place else 1

    def _say(self, code: str, message: str, at: tuple[str | int, ...], instead: str | None = None, key: bool = False) -> None:
        assert self.tree is not None
        self.problems.append(self.tree.problem(code, message, at, key=key, instead=instead))
