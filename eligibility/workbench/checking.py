"""What ``rules check`` looks at beyond one file's words: does a record that says nothing stay undetermined?

A trial that answers *no barrier found* to an empty record is a broken rule file. The language cannot
show that of itself, so it is tried: on the empty record and on records with birth date and sex alone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

from ..engine.plan import Plan, compile_plan
from ..engine.record import prepare
from ..engine.settings import Settings
from ..engine.trials import screen
from ..errors import Problem
from ..language.checks import check
from ..language.flag_files import check_flag_file
from ..language.library import RuleLibrary, parse_trial
from ..language.reader import read_yaml_file
from ..model.finding import Screening
from ..model.patient import Patient
from ..model.time import When, day_of
from ..model.trial import TrialFile

TRIED_ON = day_of(dt.date(2026, 1, 1))
"""The day on which empty records are tried; any day would do, and a fixed one keeps answers the same."""

_BIRTHS = ("1950-06-15", "1985-06-15", "2005-06-15", "2014-06-15")


def check_library(library: RuleLibrary, only: tuple[Path, ...] = ()) -> Iterator[Problem]:
    """Everything wrong or questionable with the trials and flags of a library, or of those files and folders alone."""
    for trial_id, trial in library.trials.items():
        path = library.files.get(trial_id)
        if path is None or (only and not any(path == one or one in path.parents for one in only)):
            continue
        name = shown_name(library, trial_id)
        parsed = parse_trial(read_yaml_file(path, name))
        yield from check(trial, library, parsed.tree, dropped=parsed.dropped)
        yield from check_silence(trial, library, name)
    for text in library.flags.files:
        if not only or any(text.path == one or one in text.path.parents for one in only):
            yield from check_flag_file(text.path, library, library.flags, text.name)


def shown_name(library: RuleLibrary, trial_id: str) -> str:
    """The trial's file as problems name it."""
    for version in library.versions.get(trial_id, ()):
        if version.trial is library.trials[trial_id]:
            return version.name
    return str(library.files[trial_id])


def check_silence(trial: TrialFile, library: RuleLibrary, file: str) -> Iterator[Problem]:
    """Problems where a record that says nothing, or only birth date and sex, has no barrier found."""
    plan = compile_plan(trial, library.definitions, library.vocabulary)
    for what, patient in empty_records():
        screening = _screen(patient, plan, library)
        if screening.status == "no_barrier_found":
            carried = ", ".join(result.id for result in screening.criteria if result.on_record and result.effect == "passes")
            yield Problem(
                "empty-record",
                f"{what} has no barrier found; it rests on {carried or 'nothing'}",
                file,
                1,
                1,
                instead="a computable criterion is to ask for something that only a record can show",
            )
            return


def empty_records() -> Iterator[tuple[str, Patient]]:
    """The records that say nothing, in words and as patients."""
    yield "the empty record", Patient(id="empty")
    for birth in _BIRTHS:
        for sex in ("female", "male"):
            yield (
                f"a record of birth date and sex alone ({sex}, born {birth})",
                Patient(id="empty", birth_date=(When.parse(birth),), sex=(sex,)),
            )


def _screen(patient: Patient, plan: Plan, library: RuleLibrary) -> Screening:
    return screen(prepare(patient, library.vocabulary, TRIED_ON), plan, Settings(TRIED_ON), False)
