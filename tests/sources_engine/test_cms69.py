"""The populations of CMS69 as a rule file, over the 62 test patients of the measure, against their expected reports.

Every disagreement stands in ``docs/sources/cms69.md``; the test holds that page to be the whole list.
The language has neither encounters nor reasons for what was (not) done, so :func:`as_chart` writes them into
the chart as procedures and conditions first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from eligibility.language.library import load_library
from eligibility.model.finding import CriterionResult
from eligibility.model.patient import CONCEPT_SYSTEM, FAMILIES, StatedAbsence
from eligibility.model.time import When
from eligibility.screening import Screener

from .conftest import ROOT, criteria, patient_of

HERE = Path(__file__).resolve().parent / "cms69"
PAGE = ROOT / "docs" / "sources" / "cms69.md"
POPULATIONS = ("initial-population", "denominator", "denominator-exclusion", "numerator", "denominator-exception")
PERIOD_END = "2026-12-31"
MEASURE = ("data", "fhir", "ecqm-dev", "cases", "input", "tests", "measure", "CMS69FHIRPCSBMIScreenAndFollowUp")
QUALIFYING = {"10197000", "185465003", "406547006", "108224003", "78318003"}


def as_chart(tree: dict[str, Any]) -> dict[str, Any]:
    """The bundle with what FHIR keeps elsewhere written as procedures and conditions.

    An Encounter in person is a procedure of its types, one at a distance a virtual encounter; where it was
    discharged to is a procedure on its last day. A ServiceRequest is a procedure of the day it was written.
    The reason of an order or procedure is a condition of that day. What was not done or not ordered, with a
    reason, is an event of that day. Nothing else is changed, and nothing is left out.
    """
    added = [more for entry in tree["entry"] for more in _more(entry["resource"])]
    return {**tree, "entry": [*tree["entry"], *({"resource": one} for one in added)]}


def _more(resource: dict[str, Any]) -> Iterator[dict[str, Any]]:
    kind = resource["resourceType"]
    subject = resource.get("subject")
    day = resource.get("authoredOn") or resource.get("effectiveDateTime") or resource.get("performedDateTime")
    day = day or resource.get("performedPeriod", {}).get("start")

    def procedure(code: Any, when: str, end: str | None = None) -> dict[str, Any]:
        number["n"] += 1
        period = {"performedPeriod": {"start": when, "end": end}} if end else {"performedDateTime": when}
        name = f"{resource['id']}-as-{number['n']}"
        return {"resourceType": "Procedure", "id": name, "status": "completed", "subject": subject, "code": code, **period}

    number = {"n": 0}
    refused = resource.get("doNotPerform") is True or _extension(resource, "notDoneReason")
    if kind == "Encounter" and resource["status"] == "finished":
        period = resource["period"]
        at_a_distance = resource["class"]["code"] == "VR"
        for code in resource["type"]:
            yield procedure(concept("m-virtual-encounter") if at_a_distance else code, period["start"], period["end"])
        if disposition := resource.get("hospitalization", {}).get("dischargeDisposition"):
            yield procedure(disposition, period["end"])
    elif kind in ("ServiceRequest", "MedicationRequest") and refused:
        if resource.get("reasonCode") or _extension(resource, "doNotPerformReason"):
            yield procedure(concept("m-follow-up-not-ordered-for-reason"), day)
    elif kind == "Observation" and refused:
        yield procedure(concept("m-bmi-not-done-for-reason"), day)
    elif kind == "ServiceRequest" and resource["status"] in ("active", "completed"):
        yield procedure(resource["code"], day)
    if kind in ("ServiceRequest", "MedicationRequest", "Procedure") and not refused:
        for reason in resource.get("reasonCode", ()):
            number["n"] += 1
            name = f"{resource['id']}-because-{number['n']}"
            yield {
                "resourceType": "Condition",
                "id": name,
                "subject": subject,
                "code": reason,
                "onsetDateTime": day,
                "abatementDateTime": day,
            }


def concept(name: str) -> dict[str, Any]:
    return {"coding": [{"system": CONCEPT_SYSTEM, "code": name}]}


def _extension(resource: dict[str, Any], ending: str) -> bool:
    return any(one["url"].endswith(ending) for one in resource.get("extension", ()))


def encounter_day(tree: dict[str, Any]) -> str | None:
    """The day of the first qualifying encounter in the period, on which the measure asks the age."""
    days = sorted(
        resource["period"]["start"][:10]
        for entry in tree["entry"]
        if (resource := entry["resource"])["resourceType"] == "Encounter"
        and any(coding["code"] in QUALIFYING for code in resource["type"] for coding in code["coding"])
    )
    return next((day for day in days if "2026-01-01" <= day <= PERIOD_END), None)


def answer(result: CriterionResult) -> bool | None:
    """A criterion's truth where silence is absence: the measure knows no other reading."""
    return {2: True, 1: True, 0: None, -1: False, -2: False}[int(result.truth)]


def populations(tree: dict[str, Any]) -> dict[str, bool | None]:
    """What the rule file says, with the rule of scoring: an excluded patient is in no numerator, a met one needs no exception."""
    # a measure takes the bundle for the whole truth; here that is a statement of the site's, and it is made
    whole = tuple(StatedAbsence(family=family, kind="coverage", as_of=When.parse(PERIOD_END)) for family in FAMILIES)
    patient = patient_of(as_chart(tree)).model_copy(update={"absences": whole})
    day = encounter_day(tree)
    screener = Screener.build(as_of=PERIOD_END, library=LIBRARY, anchors={"encounter": day} if day else {}, details=False)
    said = {key[2]: answer(result) for key, result in criteria(screener.result(screener.prepare(patient)))}
    initial, excluded = said["initial-population"], said["denominator-exclusion"]
    numerator = _both(initial, _both(_not(excluded), said["numerator"]))
    return {
        "initial-population": initial,
        "denominator": initial,
        "denominator-exclusion": _both(initial, excluded),
        "numerator": numerator,
        "denominator-exception": _both(initial, _both(_not(excluded), _both(_not(numerator), said["denominator-exception"]))),
    }


def _not(one: bool | None) -> bool | None:
    return None if one is None else not one


def _both(one: bool | None, other: bool | None) -> bool | None:
    if one is False or other is False:
        return False
    return None if one is None or other is None else True


def expected(tree: dict[str, Any]) -> dict[str, bool]:
    (report,) = [entry["resource"] for entry in tree["entry"] if entry["resource"]["resourceType"] == "MeasureReport"]
    assert report["period"] == {"start": "2026-01-01", "end": PERIOD_END}
    return {one["code"]["coding"][0]["code"]: bool(one["count"]) for group in report["group"] for one in group["population"]}


LIBRARY = load_library([HERE], shipped=False)


@pytest.fixture(scope="module")
def bundles(shared: Callable[..., Path]) -> dict[str, dict[str, Any]]:
    paths = sorted(shared(*MEASURE).glob("tests-*-bundle.json"))
    return {path.name[6:14]: orjson.loads(path.read_bytes()) for path in paths}


def explained() -> set[tuple[str, str, str]]:
    """The disagreements the page lists: patient, population, what the engine says."""
    rows = re.findall(r"^\| `(\w{8})` \| ([a-z-]+) \| (?:in|out) \| (in|out|open) \|", PAGE.read_text(), re.MULTILINE)
    return {(patient, population, said) for patient, population, said in rows}


def test_the_populations_are_those_expected_or_explained(bundles: dict[str, dict[str, Any]]) -> None:
    assert len(bundles) == 62
    differ: set[tuple[str, str, str]] = set()
    agree = 0
    for name, tree in bundles.items():
        wanted = expected(tree)
        found = populations(tree)
        assert set(found) == set(wanted) == set(POPULATIONS)
        for population in POPULATIONS:
            if found[population] is wanted[population]:
                agree += 1
            else:
                differ.add((name, population, {True: "in", False: "out", None: "open"}[found[population]]))
    assert differ == explained()
    assert agree + len(differ) == 62 * 5
