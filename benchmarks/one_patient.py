"""One patient of 60 facts against 200 criteria: milliseconds, p50 and p99, with and without the outlook.

Run: python benchmarks/one_patient.py [repetitions]
"""

from __future__ import annotations

import datetime as dt
import random
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from eligibility.engine.plan import Plan, compile_plan
from eligibility.engine.record import prepare
from eligibility.engine.settings import Settings
from eligibility.engine.trials import screen
from eligibility.language.library import load_library
from eligibility.model.patient import Condition, Medication, Observation, Patient, Procedure
from eligibility.model.time import When, day_of
from eligibility.vocabulary.vocabulary import Vocabulary

AS_OF = day_of(dt.date(2026, 11, 1))


def patient(vocabulary: Vocabulary, plans: list[Plan], seed: int) -> Patient:
    """A patient with 60 facts about concepts that the trials ask for."""
    draw = random.Random(seed)
    asked = sorted(
        {c for plan in plans for leaf in plan.leaves if leaf.selector for c in leaf.selector.concepts if c in vocabulary.concepts}
    )
    by_family: dict[str, list[str]] = {}
    for concept in asked:
        by_family.setdefault(vocabulary.concepts[concept].family, []).append(concept)

    def day() -> When:
        return When.on(AS_OF - draw.randrange(1, 1500))

    def value(concept: str) -> float | str:
        known = vocabulary.concepts[concept]
        if known.classes:
            return draw.choice(known.classes)
        if known.results:
            return draw.choice(known.results)
        bounds = known.plausible
        return round(draw.uniform(bounds.low or 0, bounds.high or 100), 1) if bounds else round(draw.uniform(1, 50), 1)

    observations = tuple(
        Observation(concept=c, start=day(), value=value(c), unit=vocabulary.concepts[c].unit, status="final")
        for c in draw.choices(by_family["observation"], k=36)
    )
    conditions = tuple(Condition(concept=c, start=day(), status="active") for c in draw.choices(by_family["condition"], k=8))
    medications = tuple(Medication(concept=c, start=day(), status="stopped") for c in draw.choices(by_family["medication"], k=12))
    procedures = tuple(Procedure(concept=c, start=day(), status="completed") for c in draw.choices(by_family["procedure"], k=4))
    return Patient(
        id=f"b{seed}",
        birth_date=(When.on(2400 + 37 * seed),),  # nobody shares it: what is known of one person is of no use for the next
        sex=("female",),
        observations=observations,
        conditions=conditions,
        medications=medications,
        procedures=procedures,
    )


def main(repetitions: int = 200) -> None:
    """Print the figures."""
    library = load_library()
    plans: list[Plan] = []
    for trial in library.trials.values():
        plans.append(compile_plan(trial, library.definitions, library.vocabulary))
        if sum(len(plan.criteria) for plan in plans) >= 200:
            break
    criteria = sum(len(plan.criteria) for plan in plans)
    people = [patient(library.vocabulary, plans, seed) for seed in range(repetitions)]
    for details in (False, True):
        times = []
        for i in range(repetitions):
            person = people[i]
            begin = time.perf_counter()
            record = prepare(person, library.vocabulary, AS_OF)
            for plan in plans:
                screen(record, plan, Settings(AS_OF), details=details)
            times.append((time.perf_counter() - begin) * 1000 * 200 / criteria)
        times = times[20:]
        cut = statistics.quantiles(times, n=100)
        label = "with margin, settled_by, changes_on" if details else "truth, reasons, evidence"
        print(f"{label}: p50 {statistics.median(times):.2f} ms, p99 {cut[98]:.2f} ms, scaled from {criteria} to 200 criteria")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
