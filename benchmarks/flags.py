"""Flags of one patient beside one trial and beside all trials, with either chainer: milliseconds, p50 and p99.

*with why* adds what the reports ask for: the reasons, needs and scores of every flag raised or not known.

Run: python benchmarks/flags.py [repetitions]
"""

from __future__ import annotations

import datetime as dt
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from eligibility.engine.record import Record, prepare
from eligibility.engine.settings import Settings
from eligibility.flags import durable_chainer
from eligibility.flags.engine import FlagEngine
from eligibility.language.library import load_library
from eligibility.model.time import day_of
from eligibility.model.trial import TrialFile
from eligibility.sources.intake import read

ROOT = Path(__file__).resolve().parent.parent
AS_OF = day_of(dt.date(2026, 11, 1))


def timed(run: Callable[[int], None], repetitions: int) -> tuple[float, float]:
    """Median and 99th percentile of a run, in milliseconds."""
    times = []
    for number in range(repetitions):
        begin = time.perf_counter()
        run(number)
        times.append((time.perf_counter() - begin) * 1000)
    return statistics.median(times), statistics.quantiles(times, n=100)[98]


def main(repetitions: int = 200) -> None:
    """Print the figures."""
    library = load_library()
    patients = [item.patient for item in read([ROOT / "fixtures" / "patients"]) if hasattr(item, "patient")]
    records: list[Record] = [prepare(patient, library.vocabulary, AS_OF) for patient in patients]
    trials: list[TrialFile] = list(library.trials.values())
    print(f"{len(library.flags.rules)} flags, {len(trials)} trials, {len(records)} patients")
    for choice in ("plain", *(["durable-rules"] if durable_chainer.installed() else [])):
        engine = FlagEngine(library.flags, library.definitions, library.vocabulary, choice)  # type: ignore[arg-type]

        def flags(number: int, chosen: list[TrialFile], why: bool, engine: FlagEngine = engine) -> None:
            own = engine.patient(records[number % len(records)], Settings(AS_OF))
            for trial in chosen:
                for flag in own.of(trial):
                    if why:
                        _ = (flag.finding, flag.score, flag.shown)

        for number in range(len(records)):
            flags(number, trials, False)
        for label, one, why in (
            ("one trial", True, False),
            ("one trial, with why", True, True),
            ("all trials", False, False),
            ("all trials, with why", False, True),
        ):

            def run(number: int, one: bool = one, why: bool = why) -> None:
                flags(number, [trials[number % len(trials)]] if one else trials, why)

            middle, worst = timed(run, repetitions)
            print(f"{engine.chainer:<14} {label:<21} p50 {middle:6.2f} ms  p99 {worst:6.2f} ms")
        engine.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
