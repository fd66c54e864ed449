"""Ten test patients of other measures whose diagnoses are refuted, entered in error, unconfirmed or over.

The measures count a diagnosis or do not. Here a refuted one and one entered in error are no diagnosis, and one
that nobody confirmed is an open question: never a yes, never a no.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from eligibility.model.patient import FAMILIES, StatedAbsence
from eligibility.model.time import When
from eligibility.model.truth import Truth
from eligibility.screening import Screener

from .conftest import charts, criteria
from .test_cms69 import LIBRARY

STATUS = ("data", "fhir", "ecqm-dev", "status-edge-cases", "input", "tests", "measure")
CASES = {
    "CMS142FHIR-v0.2.000-DENEXCEPPass-CommEdemaPresentNotDoneMR": ("retinopathy", Truth.TRUE, ()),
    "CMS142FHIR-v0.2.000-DENEXCEPPass-CommEdemaPresentNotDonePatientReason": ("retinopathy", Truth.TRUE, ()),
    "CMS142FHIR-v0.2.000-IPFail-RetinopathyDxUnconfirmed": ("retinopathy", Truth.UNKNOWN, ("unconfirmed",)),
    "CMS142FHIR-v0.2.000-IPFail-RetinopathyDxEnteredInError": ("retinopathy", Truth.FALSE, ()),
    "CMS142FHIR-v0.2.000-IPFail-RetinopathyDxRefuted": ("retinopathy", Truth.FALSE, ()),
    "CMS143FHIR-v0.2.000-IPPFail-GlaucomaDxEnteredInError": ("glaucoma", Truth.FALSE, ()),
    "CMS143FHIR-v0.2.000-IPPFail-GlaucomaDxRefuted": ("glaucoma", Truth.FALSE, ()),
    "CMS143FHIR-v0.2.000-IPPFail-GlaucomaDxUnconfirmed": ("glaucoma", Truth.UNKNOWN, ("unconfirmed",)),
    "CMS996FHIR-v1.4.001-DENEXCL6PASS-LongTermAnticoagulantUseIncludeseED": ("anticoagulant", Truth.UNKNOWN, ("unconfirmed",)),
    "CMS996FHIR-v1.4.001-DENEXCL11FAIL-HospiceProbDiagnosisEndsBeforeED": ("hospice", Truth.FALSE, ()),
}
WHOLE = tuple(StatedAbsence(family=family, kind="coverage", as_of=When.parse("2026-12-31")) for family in FAMILIES)


@pytest.fixture(scope="module")
def screener() -> Screener:
    return Screener.build(
        as_of="2026-12-31", library=LIBRARY, trials=["STATUS"], anchors={"encounter": "2026-10-09"}, absence="unknown", details=False
    )


def test_there_are_ten(shared: Callable[..., Path]) -> None:
    assert {path.stem for path in shared(*STATUS).glob("*/*/CMS*.json")} == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_the_status_of_a_diagnosis_is_honoured(shared: Callable[..., Path], screener: Screener, name: str) -> None:
    (path,) = shared(*STATUS).glob(f"*/*/{name}.json")
    (item,) = charts(path)
    wanted, truth, reasons = CASES[name]
    record = screener.prepare(item.patient.model_copy(update={"absences": WHOLE}))
    found = {key[2]: result for key, result in criteria(screener.result(record))}
    assert found[wanted].truth is truth
    assert tuple(reason.code for reason in found[wanted].reasons) == reasons
    others = {one for one in ("retinopathy", "glaucoma", "anticoagulant", "hospice") if one != wanted}
    assert {found[one].truth for one in others} == {Truth.FALSE}


def test_what_was_not_communicated_is_no_event(shared: Callable[..., Path], screener: Screener) -> None:
    for path in shared(*STATUS).glob("*/*/*NotDone*.json"):
        (item,) = charts(path)
        record = screener.prepare(item.patient)
        aside = {one.source for one in record.ledger.set_aside}
        assert sum(source.startswith("Communication/") for source in aside) == 2
        assert not any((fact.source or "").startswith("Communication/") for fact in record.facts)
