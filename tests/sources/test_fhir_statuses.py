"""The table of MEANING 4, word by word: what each status of each kind becomes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .conftest import Read

PATIENT = {"resourceType": "Patient", "id": "q", "birthDate": "1980"}
SUBJECT = {"reference": "Patient/q"}


def coded(word: str) -> dict[str, Any]:
    return {"coding": [{"code": word}]}


def resource(kind: str, **fields: Any) -> dict[str, Any]:
    body = {"resourceType": kind, "id": "x", ("patient" if kind in ("AllergyIntolerance", "Immunization") else "subject"): SUBJECT}
    code = {"MedicationRequest": "medicationCodeableConcept", "Immunization": "vaccineCode"}.get(kind, "code")
    if kind.startswith("Medication"):
        code = "medicationCodeableConcept"
    return {**body, code: {"text": "something"}, **fields}


def bundle(*resources: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in (PATIENT, *resources)]}


ABSENT, GONE = "absent", "gone"
PROBABLE = ("confirmed", "provisional", "differential", "unconfirmed", "refuted")
COURSE = ("active", "recurrence", "relapse", "inactive", "remission", "resolved")
TAKEN = ("active", "completed", "on-hold", "stopped", "unknown", "not-taken", "intended")
DONE = ("completed", "in-progress", "stopped", "unknown", "not-done", "on-hold")
RESULT = ("final", "amended", "corrected", "preliminary", "registered", "unknown")
CASES = [
    *(("Condition", {"verificationStatus": coded(word)}, "verification", word) for word in PROBABLE),
    ("Condition", {}, "verification", None),
    ("Condition", {"verificationStatus": coded("entered-in-error")}, GONE, "entered in error"),
    ("Condition", {"verificationStatus": "refuted"}, "verification", "refuted"),
    *(("Condition", {"clinicalStatus": coded(word)}, "status", word) for word in COURSE),
    *(
        ("AllergyIntolerance", {"verificationStatus": coded(word)}, "verification", word)
        for word in ("confirmed", "unconfirmed", "presumed", "refuted")
    ),
    ("AllergyIntolerance", {"verificationStatus": coded("entered-in-error")}, GONE, "entered in error"),
    *(("Observation", {"status": word}, "status", word) for word in RESULT),
    ("Observation", {"status": "cancelled"}, GONE, "cancelled"),
    ("Observation", {"status": "entered-in-error"}, GONE, "entered in error"),
    ("Observation", {}, "status", "unknown"),
    *(("MedicationStatement", {"status": word}, "status", word) for word in TAKEN),
    ("MedicationStatement", {"status": "entered-in-error"}, GONE, "entered in error"),
    *(("MedicationRequest", {"status": word}, "status", word) for word in ("active", "completed", "on-hold", "stopped", "unknown")),
    ("MedicationRequest", {"status": "draft"}, GONE, "a draft"),
    ("MedicationRequest", {"status": "cancelled"}, GONE, "cancelled"),
    ("MedicationRequest", {"status": "active", "doNotPerform": True}, "status", "not-taken"),
    ("MedicationRequest", {"status": "active", "intent": "proposal"}, "planned", True),
    ("MedicationRequest", {"status": "active", "intent": "plan"}, "planned", True),
    ("MedicationRequest", {"status": "active", "intent": "order"}, "planned", False),
    ("MedicationAdministration", {"status": "in-progress"}, "status", "active"),
    ("MedicationAdministration", {"status": "not-done"}, "status", "not-taken"),
    ("MedicationAdministration", {"status": "completed"}, "status", "completed"),
    ("MedicationDispense", {"status": "completed"}, "status", None),
    ("MedicationDispense", {"status": "declined"}, GONE, "declined: it was not dispensed"),
    ("MedicationDispense", {"status": "preparation"}, "planned", True),
    ("MedicationDispense", {"status": "cancelled"}, GONE, "cancelled"),
    *(("Procedure", {"status": word}, "status", word) for word in DONE),
    ("Procedure", {"status": "preparation"}, "planned", True),
    ("Procedure", {"status": "entered-in-error"}, GONE, "entered in error"),
    *(("Immunization", {"status": word}, "status", word) for word in ("completed", "not-done")),
    ("Immunization", {}, "status", "unknown"),
    ("Immunization", {"status": "entered-in-error"}, GONE, "entered in error"),
]


@pytest.mark.parametrize(("kind", "fields", "name", "expected"), CASES, ids=[f"{case[0]}-{case[1]}" for case in CASES])
def test_status(reading_text: Callable[..., Read], kind: str, fields: dict[str, Any], name: str, expected: Any) -> None:
    read = reading_text(bundle(resource(kind, **fields)))
    if name == GONE:
        assert read.aside()[f"{kind}/x"] == expected
        assert not read.entries()
    else:
        assert getattr(read.entries()[f"{kind}/x"], name) == expected
    assert not read.problems


@pytest.mark.parametrize("kind", ["Condition", "Observation", "MedicationRequest", "Procedure", "Immunization"])
@pytest.mark.parametrize("word", ["finsihed", 7, ["final"], {"code": "final"}, True])
def test_an_unknown_status_is_never_certain(reading_text: Callable[..., Read], kind: str, word: Any) -> None:
    name = "verificationStatus" if kind == "Condition" else "status"
    read = reading_text(bundle(resource(kind, **{name: word})))
    entry = read.entries()[f"{kind}/x"]
    assert entry.misread == ("verification" if kind == "Condition" else "status",)
    assert getattr(entry, "verification" if kind == "Condition" else "status") in ("unconfirmed", "unknown")
    assert len(read.problems) == 1


def test_near_words_are_offered_and_the_word_itself_is_not_repeated(reading_text: Callable[..., Read]) -> None:
    (problem,) = reading_text(bundle(resource("Observation", status="finall"))).problems
    assert "did you mean final" in problem.message
    assert "finall" not in str(problem)
