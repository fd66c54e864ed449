"""The verbs, for users of the library: what the command line does, these functions do.

>>> from datetime import date
>>> from eligibility.model.patient import Patient
>>> results = screen(Patient(id="p1"), as_of=date(2026, 11, 1))
>>> {screening.status for _, screening in results.screenings()} <= {"undetermined"}
True

The date is an argument, never the clock: the same record, rules and settings give the same answer.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, TypeAlias

from . import __version__
from .engine.plan import Plan, compile_plan
from .engine.record import Record, prepare
from .engine.settings import Settings
from .engine.trials import attestation_notices
from .engine.trials import screen as screen_one
from .errors import EligibilityError, Problem, UsageError, debugging, did_you_mean, fault
from .flags.engine import FlagEngine
from .language.library import RuleLibrary, load_library
from .model.finding import Notice, PatientResult, Screening
from .model.patient import Patient
from .model.site import Attestation, Site
from .model.time import When, day_of
from .model.trial import TrialFile
from .report.results import Envelope, Intake, PatientReport, Results, TrialSummary
from .report.words import Words
from .vocabulary.vocabulary import Vocabulary
from .workbench.site_files import check_site, load_attestations, load_site, unknown_visits

if TYPE_CHECKING:
    from .workbench.cases import CasesReport
    from .workbench.codes import Worksheet

Absence: TypeAlias = Literal["presumed", "unknown"]
PathLike: TypeAlias = str | Path
Source: TypeAlias = PathLike | Patient
"""A file, a folder, ``-`` for standard input, or a patient already read."""


def load_rules(
    rules: Sequence[PathLike] = (),
    *,
    shipped: bool = True,
    as_of: dt.date | str | None = None,
    codes: Sequence[PathLike] = (),
    only: Collection[str] = (),
) -> RuleLibrary:
    """The rule library: the shipped one with ``rules`` (files or folders) added to it.

    ``only`` names trials beside which no other shipped one is read.

    ``as_of`` picks the version of each trial in force on that day; ``codes`` are a site's code maps.
    Raises :class:`RuleFileError` with every mistake found, and for an id that stands twice.
    """
    date = None if as_of is None else _date(as_of)
    library = load_library(tuple(Path(path) for path in rules), shipped=shipped, as_of=date, only=only)
    return with_codes(library, codes) if codes else library


def screen(
    source: Source | Iterable[Source],
    *,
    as_of: dt.date | str,
    trials: Sequence[str] = (),
    diseases: Sequence[str] = (),
    recruiting: bool = False,
    patients: Sequence[str] = (),
    absence: Absence = "presumed",
    anchors: Mapping[str, dt.date | str] | None = None,
    site: Site | PathLike | None = None,
    codes: Sequence[PathLike] = (),
    attestations: Sequence[Attestation | PathLike] = (),
    rules: Sequence[PathLike] = (),
    shipped: bool = True,
    library: RuleLibrary | None = None,
    details: bool = True,
    flags: bool = True,
    strict_fhir: bool = False,
    stdin: BinaryIO | None = None,
    progress: Callable[..., None] | None = None,
) -> Results:
    """Screen records against trials, on a date.

    ``source`` is a patient, a path, or several of them. ``trials``, ``diseases`` and ``recruiting``
    choose among the library's trials (all of them if none is given); ``patients`` among the records.
    ``anchors`` gives days to the trials' anchors by ``[PATIENT:][TRIAL:]NAME``. ``details`` False leaves
    out margins, needs and dates of change, which take most of the time; ``flags`` False the flags beside
    the trials.

    What cannot be read is listed in ``Results.problems`` and the rest is done. Raises
    :class:`UsageError` for a trial, disease or anchor that nobody knows (with near names) and
    :class:`RuleFileError` for a wrong rule file.
    """
    screener = Screener.build(
        as_of=as_of,
        trials=trials,
        diseases=diseases,
        recruiting=recruiting,
        absence=absence,
        anchors=anchors,
        site=site,
        codes=codes,
        attestations=attestations,
        rules=rules,
        shipped=shipped,
        library=library,
        details=details,
        flags=flags,
    )
    given = [source] if isinstance(source, str | Path | Patient) else list(source)
    return screen_with(screener, given, patients=patients, strict_fhir=strict_fhir, stdin=stdin, progress=progress)


def screen_with(
    screener: Screener,
    sources: Sequence[Source],
    *,
    patients: Sequence[str] = (),
    strict_fhir: bool = False,
    stdin: BinaryIO | None = None,
    progress: Callable[..., None] | None = None,
) -> Results:
    """Screen records with a screener already built; what cannot be read is listed and the rest is done."""
    reports: list[PatientReport] = []
    problems = list(screener.notes)
    read: dict[str, Any] = {"patients": patients, "strict_fhir": strict_fhir, "stdin": stdin, "progress": progress}
    for item in read_sources(sources, vocabulary=screener.vocabulary, **read):
        if isinstance(item, Problem):
            problems.append(item)
            continue
        patient, file, own = item
        problems += own
        try:
            reports.append(screener.screen(patient, file))
        except EligibilityError:
            raise
        except Exception as error:  # one record must not cost the others theirs
            if debugging():
                raise
            problems.append(fault(error, file or None))
    met = {report.patient for report in reports}
    for anchor in screener.anchors:
        if anchor.patient is not None and anchor.patient not in met and (not patients or anchor.patient in patients):
            message = "no record of the patient that an anchor names came in"
            problems.append(Problem("no-such-patient", message, file="--anchor", where=anchor.given, severity="note"))
    return Results(screener.envelope, tuple(reports), tuple(problems))


def explain(source: Source | Iterable[Source], *, trial: str, criterion: str | None = None, **options: Any) -> Results:
    """Screen against one trial, and check that it has the criterion asked about.

    Options are those of :func:`screen`. Raises :class:`UsageError` with near names where the trial
    has no such criterion.
    """
    results = screen(source, trials=[trial], **options)
    if criterion is not None:
        check_criterion(results.trial(trial).trial, criterion)
    return results


def check_criterion(trial: TrialFile, criterion: str) -> None:
    """Raise :class:`UsageError`, with near names, unless the trial has the criterion."""
    known = [*dict.fromkeys(one.id for _, _, one in trial.criteria()), "record/death"]
    if criterion not in known:
        raise UsageError(_unknown("criterion", criterion, known, f"trial {trial.id} has no criterion"))


def rules_test(
    paths: Sequence[PathLike] = (),
    *,
    trials: Sequence[str] = (),
    rules: Sequence[PathLike] = (),
    shipped: bool = True,
    library: RuleLibrary | None = None,
) -> CasesReport:
    """Run the test patients of ``rules/cases``, or of the files and folders given."""
    from .vocabulary.library import library_path
    from .workbench.cases import run_cases

    folders = [Path(path) for path in paths] or [library_path() / "cases"]
    return run_cases(folders, library=library or load_rules(rules, shipped=shipped), trials=trials)


def codes_worksheet(
    screener: Screener,
    sources: Sequence[Source],
    *,
    patients: Sequence[str] = (),
    stdin: BinaryIO | None = None,
    progress: Callable[..., None] | None = None,
) -> tuple[Worksheet, tuple[Problem, ...]]:
    """Every code and text of the records that holds a criterion open, as a code map to fill in."""
    from .workbench.codes import Worksheet

    sheet = Worksheet(screener.vocabulary)
    problems: list[Problem] = []
    for item in read_sources(sources, vocabulary=screener.vocabulary, patients=patients, stdin=stdin, progress=progress):
        if isinstance(item, Problem):
            problems.append(item)
            continue
        patient, _, own = item
        problems += own
        record = screener.prepare(patient)
        sheet.add(record, screener.result(record))
    return sheet, tuple(problems)


# -- one patient after another -------------------------------------------------------------------


@dataclass(frozen=True)
class Screener:
    """Rules compiled and settings read, ready for one patient after another.

    For services: build it once, then :meth:`screen` each patient in milliseconds.
    """

    library: RuleLibrary
    vocabulary: Vocabulary
    plans: Mapping[str, Plan]
    envelope: Envelope
    as_of: int
    absence: Absence = "presumed"
    anchors: tuple[GivenAnchor, ...] = ()
    site: Site | None = None
    attestations: tuple[Attestation, ...] = ()
    details: bool = True
    flags: FlagEngine | None = None
    notes: tuple[Problem, ...] = ()
    """What is odd about the settings, and wrong with none of them."""

    @classmethod
    def build(
        cls,
        *,
        as_of: dt.date | str,
        trials: Sequence[str] = (),
        diseases: Sequence[str] = (),
        recruiting: bool = False,
        absence: Absence = "presumed",
        anchors: Mapping[str, dt.date | str] | None = None,
        site: Site | PathLike | None = None,
        codes: Sequence[PathLike] = (),
        attestations: Sequence[Attestation | PathLike] = (),
        rules: Sequence[PathLike] = (),
        shipped: bool = True,
        library: RuleLibrary | None = None,
        details: bool = True,
        flags: bool = True,
    ) -> Screener:
        """Options are those of :func:`screen`."""
        date = _date(as_of)
        digests: dict[str, Any] = {}
        settings, site_codes = _site(site, digests)
        maps = [*site_codes, *codes]
        whole = library is not None
        library = library or load_rules(rules, shipped=shipped, as_of=date, only=trials if not diseases else ())
        if not whole and any(trial not in library.trials for trial in trials):
            library = load_rules(rules, shipped=shipped, as_of=date)  # to say what there is in place of a name nobody knows
        if maps:
            library = with_codes(library, maps)
            digests["codes"] = [_file_digest(path) for path in maps]
        chosen = choose_trials(library, trials=trials, diseases=diseases, recruiting=recruiting)
        notes: list[Problem] = []
        if settings is not None and not isinstance(site, Site | None):
            check_site(site, settings, library.vocabulary)
            notes = unknown_visits(site, settings, _schedules(library))
            if notes and not whole:  # the visits may be those of trials that were not read
                notes = unknown_visits(site, settings, _schedules(load_rules(rules, shipped=shipped, as_of=date)))
        given = read_anchors(anchors or {}, chosen, date)
        summaries = tuple(TrialSummary.of(trial, library.digest(trial.id), library.definitions) for trial in chosen)
        flagging = FlagEngine(library.flags, library.definitions, library.vocabulary) if flags and library.flags.rules else None
        envelope = Envelope(
            version=__version__,
            rules=_rules_digest(summaries, library.vocabulary, library.flags.digest() if flagging is not None else None),
            as_of=date.isoformat(),
            absence=absence,
            chainer=flagging.chainer if flagging is not None else "none",
            anchors={anchor.given: anchor.date.text for anchor in given},
            digests=digests,
            trials=summaries,
        )
        answers = tuple(_attestations(attestations, digests))
        plans = {trial.id: compile_plan(trial, library.definitions, library.vocabulary) for trial in chosen}
        day = day_of(date)
        return cls(library, library.vocabulary, plans, envelope, day, absence, given, settings, answers, details, flagging, tuple(notes))

    def screen(self, patient: Patient, file: str = "") -> PatientReport:
        """One patient against the chosen trials."""
        record = self.prepare(patient)
        ledger = record.ledger
        aside = tuple((entry.source, entry.why) for entry in ledger.set_aside)
        return PatientReport(self.result(record), Intake(file, ledger.entries, ledger.facts, ledger.not_understood, aside))

    def prepare(self, patient: Patient) -> Record:
        """The patient's record as of the screening date."""
        return prepare(patient, self.vocabulary, self.as_of)

    def result(self, record: Record) -> PatientResult:
        """The findings of a prepared record for every chosen trial."""
        screenings = tuple(self.screen_trial(record, trial) for trial in self.plans)
        if self.flags is not None:
            own = self.flags.patient(record, Settings(self.as_of, self.absence, {}, self.site), self.details)
            screenings = tuple(
                replace(one, flags=own.of(self.plans[one.trial].trial, self.settings(record.patient.id, one.trial).anchors))
                for one in screenings
            )
        lapsed: tuple[Notice, ...] = ()
        if self.attestations:
            for trial, plan in self.plans.items():
                lapsed += attestation_notices(record, plan, self.settings(record.patient.id, trial))
        return PatientResult(record.patient.id, screenings, (*record.notices, *lapsed))

    def words(self) -> Words:
        """What says these findings in English."""
        return Words.of(self.vocabulary)

    def screen_trial(self, record: Record, trial: str) -> Screening:
        """A prepared record against one of the chosen trials."""
        return screen_one(record, self.plans[trial], self.settings(record.patient.id, trial), self.details)

    def settings(self, patient: str, trial: str) -> Settings:
        """The run's settings as they are for one patient and one trial."""
        days = {anchor.name: anchor.date for anchor in self.anchors if anchor.applies(patient, trial, self.plans[trial].trial)}
        answers = tuple(one for one in self.attestations if one.patient == patient and one.trial == trial)
        return Settings(self.as_of, self.absence, days, self.site, answers)


# -- choosing ------------------------------------------------------------------------------------


def choose_trials(
    library: RuleLibrary, *, trials: Sequence[str] = (), diseases: Sequence[str] = (), recruiting: bool = False
) -> tuple[TrialFile, ...]:
    """The trials asked for, in the order asked for; all of the library where none is named.

    ``diseases`` and ``recruiting`` narrow the choice. Raises :class:`UsageError` for names that
    nothing has, and where no trial is left.
    """
    for trial_id in trials:
        if trial_id not in library.trials:
            raise UsageError(_unknown("trial", trial_id, library.trials, "there are no rules for trial"))
    chosen = [library.trials[trial_id] for trial_id in dict.fromkeys(trials)] if trials else list(library.trials.values())
    if diseases:
        known = sorted({disease for trial in library.trials.values() for disease in diseases_of(trial)})
        by_small = {disease.casefold(): disease for disease in known}  # SLE is sle
        for disease in diseases:
            if disease.casefold() not in by_small:
                raise UsageError(_unknown("disease", disease, known, "no trial is about"))
        wanted = {by_small[disease.casefold()] for disease in diseases}
        chosen = [trial for trial in chosen if wanted & set(diseases_of(trial))]
    if recruiting:
        chosen = [trial for trial in chosen if trial.trial.recruitment is not None and trial.trial.recruitment.status == "recruiting"]
    if not chosen:
        why = "no trial meets all of --trial, --disease and --recruiting" if library.trials else "the library is empty"
        raise UsageError(f"no trial is left: {why}")
    return tuple(chosen)


def diseases_of(trial: TrialFile) -> tuple[str, ...]:
    """The short names of the diseases a trial is about, its arms' included."""
    return tuple(dict.fromkeys([*trial.trial.diseases, *(disease for arm in trial.arms.values() for disease in arm.diseases)]))


def _unknown(kind: str, name: str, known: Iterable[str], sentence: str) -> str:
    names = list(known)
    near = did_you_mean(name, names)
    hint = near or (f"known: {', '.join(names[:12])}{', ...' if len(names) > 12 else ''}" if names else f"no {kind} is known")
    return f"{sentence} {name}; {hint}"


# -- anchors -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class GivenAnchor:
    """The day of an anchor as the run gives it: for one patient, one trial, both, or all."""

    given: str
    name: str
    date: When
    trial: str | None = None
    patient: str | None = None

    def applies(self, patient: str, trial_id: str, trial: TrialFile) -> bool:
        """Whether it is about this patient and trial."""
        return self.patient in (None, patient) and self.trial in (None, trial_id) and self.name in trial.schedule


def read_anchors(anchors: Mapping[str, dt.date | str], trials: Sequence[TrialFile], as_of: dt.date) -> tuple[GivenAnchor, ...]:
    """Anchors given as ``[PATIENT:][TRIAL:]NAME``; a single prefix that is a trial's id is the trial.

    The more specific come last, so that they win. Raises :class:`UsageError` for a name that no
    chosen trial schedules, with near names, for a text that is no date, and for ``screening`` on another
    day than the screening date, which it is by definition.
    """
    by_id = {trial.id: trial for trial in trials}
    read: list[GivenAnchor] = []
    for given, date in anchors.items():
        *prefix, name = given.rsplit(":", 1)
        rest = prefix[0] if prefix else ""
        patient: str | None = rest or None
        trial_id: str | None = None
        head, _, tail = rest.rpartition(":")
        if tail in by_id:
            trial_id, patient = tail, head or None
        scheduled = [visit for trial in trials if trial_id in (None, trial.id) for visit in trial.schedule]
        if name not in scheduled:
            raise UsageError(_unknown("anchor", name, dict.fromkeys(scheduled), "no chosen trial schedules the anchor"))
        try:
            when = When.on(day_of(date)) if isinstance(date, dt.date) else When.parse(date)
        except ValueError as problem:
            raise UsageError(f"anchor {given}: {problem}") from None
        if name == "screening" and when.days() != (day_of(as_of), day_of(as_of)):
            raise UsageError(f"anchor {given}: screening is on the screening date, {as_of.isoformat()}; give another --as-of to move it")
        read.append(GivenAnchor(given, name, when, trial_id, patient))
    return tuple(sorted(read, key=lambda anchor: (anchor.patient is not None, anchor.trial is not None)))


# -- what comes in -------------------------------------------------------------------------------


def read_sources(
    sources: Sequence[Source],
    *,
    patients: Sequence[str] = (),
    strict_fhir: bool = False,
    stdin: BinaryIO | None = None,
    progress: Callable[..., None] | None = None,
    vocabulary: Vocabulary | None = None,
) -> Iterator[Problem | tuple[Patient, str, tuple[Problem, ...]]]:
    """Patients with the file they came from and what of them could not be read, or a file's problem.

    ``vocabulary`` is what abstraction sheets name their rows by; the shipped one if not given. A
    patient asked for by id and not met is a problem at the end.
    """
    met: set[str] = set()
    for batch in _batches(sources):
        if isinstance(batch, Patient):
            if not patients or batch.id in patients:
                met.add(batch.id)
                yield batch, "", ()
            continue
        from .sources.intake import read  # a caller who brings patients needs no reader

        options: dict[str, Any] = {"progress": progress, "strict_fhir": strict_fhir, "vocabulary": vocabulary}
        for item in read(batch, stdin=stdin, patients=list(patients) or None, **options):
            if isinstance(item, Problem):
                yield item
                continue
            met.add(item.patient.id)
            yield item.patient, item.file, item.problems
    for patient in patients:
        if patient not in met:
            yield Problem("no-such-patient", "no record of a patient asked for by id was found", where="--patient")


def _batches(sources: Sequence[Source]) -> Iterator[Patient | list[PathLike]]:
    """Patients one by one, and the paths between them together: files that speak of one patient are one record."""
    paths: list[PathLike] = []
    for source in sources:
        if not isinstance(source, Patient):
            paths.append(source)
            continue
        if paths:
            yield paths
            paths = []
        yield source
    if paths:
        yield paths


def as_native(patients: Sequence[Patient]) -> bytes:
    """Patients in the project's own JSON form, with pointers to where each entry came from."""
    import orjson

    from .sources.native import patient_to_native

    trees = [patient_to_native(patient) for patient in patients]
    return orjson.dumps(trees[0] if len(trees) == 1 else {"patients": trees}, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def with_codes(library: RuleLibrary, codes: Sequence[PathLike]) -> RuleLibrary:
    """The library with a site's code maps over its vocabulary.

    Raises :class:`InputError` with every mistake of the maps, each with its line.
    """
    from .vocabulary.sitemap import SiteMap

    vocabulary = library.vocabulary
    site = SiteMap.read([Path(path) for path in codes], vocabulary.concepts, vocabulary.systems, vocabulary.near)
    return replace(library, vocabulary=vocabulary.with_map(site))


def _schedules(library: RuleLibrary) -> dict[str, Collection[str]]:
    return {trial.id: trial.schedule for trial in library.trials.values()}


def _site(site: Site | PathLike | None, digests: dict[str, Any]) -> tuple[Site | None, list[PathLike]]:
    if site is None or isinstance(site, Site):
        return site, []
    read = load_site(site)
    digests["site"] = _file_digest(site)
    return read, [Path(site).parent / code for code in read.codes]


def _attestations(given: Sequence[Attestation | PathLike], digests: dict[str, Any]) -> Iterator[Attestation]:
    for one in given:
        if isinstance(one, Attestation):
            yield one
            continue
        yield from load_attestations(one)
        digests.setdefault("attestations", []).append(_file_digest(one))


def _file_digest(path: PathLike) -> str:
    return f"sha256:{hashlib.sha256(Path(path).read_bytes()).hexdigest()}"


def _rules_digest(trials: Iterable[TrialSummary], vocabulary: Vocabulary, flags: str | None) -> str:
    """One digest of all that decides answers: every trial's rules, in order, what codes and words mean, and the flags."""
    body = "\n".join([*(f"{trial.id} {trial.digest}" for trial in trials), vocabulary.digest(), *([flags] if flags else [])])
    return f"sha256:{hashlib.sha256(body.encode()).hexdigest()}"


def _date(given: dt.date | str) -> dt.date:
    if isinstance(given, dt.datetime):
        return given.date()
    if isinstance(given, dt.date):
        return given
    try:
        return dt.date.fromisoformat(given)
    except ValueError:
        raise UsageError("the screening date is a whole day, such as 2026-11-01") from None
