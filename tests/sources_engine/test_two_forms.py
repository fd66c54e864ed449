"""The same patient in FHIR and in our own form gives the same findings, against every shipped trial."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from eligibility.model.finding import CriterionResult
from eligibility.model.patient import Patient
from eligibility.model.truth import Truth
from eligibility.screening import Screener
from eligibility.sources.arrival import PatientInput
from eligibility.sources.native import patient_to_native, read_native

from .conftest import ROOT, charts, criteria

NAMES = sorted(path.stem for path in (ROOT / "fixtures" / "fhir").glob("*.json"))


def again(patient: Patient) -> Patient:
    """Written in our own form and read back."""
    (item,) = read_native(orjson.loads(orjson.dumps(patient_to_native(patient))), "p.json", "p")
    assert isinstance(item, PatientInput)
    assert not item.problems
    return item.patient


def findings(screener: Screener, patient: Patient) -> dict[Any, CriterionResult]:
    return dict(criteria(screener.result(screener.prepare(patient))))


def test_shared_charts_written_in_our_own_form_give_the_same_findings(shared: Callable[..., Path], explainer: Screener) -> None:
    root = shared("data", "fhir")
    paths = [*sorted((root / "synthea-r4").glob("*.json"))[:4], *sorted((root / "ips").glob("Bundle*.json"))]
    for path in paths:
        for item in charts(path):
            before, after = explainer.prepare(item.patient), explainer.prepare(again(item.patient))
            assert explainer.result(before) == explainer.result(after), path.name
            assert before.ledger == after.ledger


@pytest.mark.parametrize("name", NAMES)
def test_a_fixture_charted_in_fhir_never_answers_the_opposite(screener: Screener, name: str) -> None:
    """What a bundle leaves behind makes a known answer open; ``fixtures/README.md`` lists where that is so."""
    (own,) = charts(ROOT / "fixtures" / "patients" / f"{name}.yaml")
    (fhir,) = charts(ROOT / "fixtures" / "fhir" / f"{name}.json")
    ours, theirs = findings(screener, own.patient), findings(screener, fhir.patient)
    assert ours.keys() == theirs.keys()
    differ = {key: (one.truth, theirs[key].truth) for key, one in ours.items() if one.truth is not theirs[key].truth}
    assert {fhir for _, fhir in differ.values()} <= {Truth.UNKNOWN}
    assert len(differ) <= len(ours) // 20
