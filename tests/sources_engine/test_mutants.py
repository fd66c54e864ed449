"""Mutated bundles, screened: nothing falls over and every ledger adds up.

The mutations are those of the reader's own test; here the whole way is gone, from bytes to findings.
``ELIGIBILITY_MUTANTS`` says how many bundles are tried (200 in the suite, 1,000 in a stage of its own in CI).
"""

from __future__ import annotations

import json
import os
import random
from typing import Any

import orjson
from sources.test_fhir_mutants import mutate, seeds

from eligibility.errors import Problem
from eligibility.screening import Screener
from eligibility.sources import fhir
from eligibility.sources.arrival import PatientInput
from eligibility.sources.raw import Unreadable, parse_json

from .conftest import ROOT
from .test_shared_charts import EFFECTS, check_ledger

MUTANTS = int(os.environ.get("ELIGIBILITY_MUTANTS", "200"))


def trees() -> list[dict[str, Any]]:
    """The reader's own bundles, and patients whose entries the trials ask for."""
    fixtures = [orjson.loads(path.read_bytes()) for path in sorted((ROOT / "fixtures" / "fhir").glob("*.json"))]
    return [*fixtures, *seeds()]


def read(tree: Any) -> list[PatientInput | Problem]:
    try:
        data = orjson.dumps(tree)
    except TypeError:
        data = json.dumps(tree).encode("utf-8", "surrogatepass")
    collector = fhir.Collector()
    collector.add(parse_json(data, "m.json"), "m.json")
    return list(collector.patients(alone=False))


def test_mutated_bundles_are_screened(screener: Screener, explainer: Screener) -> None:
    grown = trees()
    screened = 0
    for number in range(MUTANTS):
        dice = random.Random(1_000_000 + number)
        tree = mutate(dice.choice(grown), dice)
        try:
            items = read(tree)
        except Unreadable:
            continue
        for item in items:
            if isinstance(item, Problem):
                continue
            try:
                record = screener.prepare(item.patient)
                check_ledger(record)
                result = (explainer if number % 20 == 0 else screener).result(record)
            except Exception as error:
                raise AssertionError(f"mutant {number} made the screening fall") from error
            assert {criterion.effect for screening in result.screenings for criterion in screening.criteria} <= EFFECTS
            screened += 1
    assert screened > MUTANTS / 2
