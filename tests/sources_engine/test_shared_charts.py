"""Every chart of the reference data against every shipped trial: nothing falls, nothing is lost, what is coded is understood.

``ELIGIBILITY_REGENERATE=1`` rewrites the golden shares after a look at the difference.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from eligibility.engine.record import Record
from eligibility.model.patient import FAMILIES
from eligibility.model.quantity import Interval
from eligibility.screening import Screener
from eligibility.sources.arrival import PatientInput, entry_of, intake
from eligibility.sources.intake import read
from eligibility.vocabulary.units import UnitProblem

from .conftest import charts, resources

GOLDEN = Path(__file__).resolve().parent / "golden" / "understood.json"
EFFECTS = {"passes", "blocks", "open"}


def check_ledger(record: Record) -> None:
    """The three kinds add up, each entry stands in one of them, and the reader counted the same entries."""
    ledger, came = record.ledger, intake(record.patient)
    lost = [source for source, _ in ledger.not_understood]
    aside = [one.source for one in ledger.set_aside]
    assert ledger.entries == ledger.facts + len(lost) + len(aside)
    assert ledger.entries == came.entries
    assert len(set(map(entry_of, lost + aside))) == len(lost) + len(aside)
    # what nothing could be read of is not understood, what the reader set aside stays aside
    assert came.misread <= len(lost) <= came.misread + came.read
    assert came.set_aside <= len(aside)


def test_every_file_is_screened_against_every_trial(shared: Callable[..., Path], screener: Screener, explainer: Screener) -> None:
    patients = 0
    effects = Counter[str]()
    for number, path in enumerate(sorted(shared("data", "fhir").rglob("*.json"))):
        for item in charts(path):
            record = screener.prepare(item.patient)
            check_ledger(record)
            # margins, needs and dates of change take most of the time: for some of them
            result = (explainer if number % 12 == 0 else screener).result(record)
            assert [screening.trial for screening in result.screenings] == list(screener.plans)
            for screening in result.screenings:
                effects.update(criterion.effect for criterion in screening.criteria)
            patients += 1
    assert patients > 1000
    assert set(effects) == EFFECTS


def understood(record: Record) -> dict[str, str]:
    """Per family, how many entries have a concept of how many: a golden line."""
    shares: dict[str, str] = {}
    for family in FAMILIES:
        entries = record.patient.family(family)
        known = sum(record.vocabulary.read(family, entry).understood for entry in entries)
        if entries:
            shares[family] = f"{known}/{len(entries)}"
    ledger = record.ledger
    shares["ledger"] = f"{ledger.facts}+{len(ledger.not_understood)}+{len(ledger.set_aside)}={ledger.entries}"
    return shares


def test_shares_understood_are_golden(shared: Callable[..., Path], screener: Screener) -> None:
    root = shared("data", "fhir")
    cases = sorted((root / "ecqm-dev" / "status-edge-cases" / "input" / "tests" / "measure").glob("*/*"))
    found: dict[str, dict[str, str]] = {}
    for name, paths in {
        "synthea": sorted((root / "synthea-r4").glob("*.json")),
        "ips": sorted((root / "ips").glob("Bundle*.json")),
        "status": cases,
    }.items():
        for path in paths:
            for item in charts(path):
                found[f"{name} {item.patient.id}"] = understood(screener.prepare(item.patient))
    assert len(found) == 12 + 5 + 10
    lines = ",\n".join(f" {json.dumps(key)}: {json.dumps(shares)}" for key, shares in sorted(found.items()))
    if os.environ.get("ELIGIBILITY_REGENERATE") == "1":
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(f"{{\n{lines}\n}}\n")
    assert found == json.loads(GOLDEN.read_text())


def _loinc(concept: Any) -> list[str]:
    return [code.code for code in concept.codes.get("loinc", ())]


def _valued(resource: dict[str, Any]) -> list[tuple[str, list[str], dict[str, Any] | None]]:
    """Of an Observation and its components: pointer, LOINC codes, and the quantity, for those with a number."""
    pointer = f"Observation/{resource.get('id')}"
    found = []
    parts = [(pointer, resource), *((f"{pointer}#component[{i}]", part) for i, part in enumerate(resource.get("component", ())))]
    for where, part in parts:
        codes = [one["code"] for one in part.get("code", {}).get("coding", ()) if one.get("system") == "http://loinc.org" and "code" in one]
        quantity = part.get("valueQuantity", {})
        if codes and isinstance(quantity.get("value"), (int, float)):
            found.append((where, codes, quantity))
    return found


def test_every_coded_result_in_an_accepted_unit_is_a_fact(shared: Callable[..., Path], screener: Screener) -> None:
    vocabulary = screener.vocabulary
    of_code: dict[str, set[str]] = {}
    for concept in vocabulary.concepts.values():
        for code in _loinc(concept):
            of_code.setdefault(code, set()).add(concept.id)
    late = Screener.build(as_of="2030-01-01", library=screener.library, trials=["NCT06193889"], details=False)
    checked = Counter[str]()
    for path in sorted(shared("data", "fhir").rglob("*.json")):
        tree = orjson.loads(path.read_bytes())
        wanted = []
        for resource in resources(tree):
            if resource.get("resourceType") == "Observation" and resource.get("status") not in ("cancelled", "entered-in-error"):
                for where, codes, quantity in _valued(resource):
                    concepts = {id_ for code in codes for id_ in of_code.get(code, ())}
                    for concept in concepts:
                        for unit in {quantity.get("code"), quantity.get("unit")} - {None}:
                            if not isinstance(vocabulary.quantity(concept, Interval.exactly(float(quantity["value"])), unit), UnitProblem):
                                wanted.append((where, concept, float(quantity["value"])))
        if not wanted:
            continue
        facts: dict[str, list[Any]] = {}
        for item in read([path]):
            if isinstance(item, PatientInput):
                for fact in late.prepare(item.patient).facts:
                    facts.setdefault(fact.source or "", []).append(fact)
        for where, concept, value in wanted:
            assert where in facts, (path.name, where, concept)
            below = vocabulary.descendants(concept)
            told = [fact for fact in facts[where] if not below.isdisjoint(fact.concepts)]
            assert told, (path.name, where, concept)
            assert any(_number(fact.entry) == value for fact in told), (path.name, where)
            checked[concept] += 1
    assert checked.total() > 600
    assert len(checked) > 15


def _number(entry: Any) -> float | None:
    value = entry.value
    return float(getattr(value, "value", value)) if not isinstance(value, (str, bool)) and value is not None else None
