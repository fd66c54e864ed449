"""A native record as a FHIR R4 bundle: what each resource can carry, in the project's own code system."""

from __future__ import annotations

from typing import Any

from eligibility.model.patient import (
    CONCEPT_SYSTEM,
    Allergy,
    Condition,
    Entry,
    Immunization,
    Medication,
    Observation,
    Patient,
    Procedure,
    Quantity,
)

_CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
_VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
_LOINC_LISTS = {"condition": "11450-4", "medication": "10160-0", "allergy": "48765-2", "procedure": "47519-4", "immunization": "11369-6"}


def bundle(patient: Patient) -> dict[str, Any]:
    """The record as a collection bundle."""
    person: dict[str, Any] = {"resourceType": "Patient", "id": patient.id}
    if patient.birth_date:
        person["birthDate"] = str(patient.birth_date[0])
    if patient.sex:
        person["gender"] = patient.sex[0]
    if patient.deceased is True:
        person["deceasedBoolean"] = True
    elif patient.deceased:
        person["deceasedDateTime"] = str(patient.deceased)
    resources = [person]
    subject = {"reference": f"Patient/{patient.id}"}
    for family in ("condition", "observation", "medication", "procedure", "immunization", "allergy"):
        for number, entry in enumerate(patient.family(family)):  # type: ignore[arg-type]
            resource = _resource(entry)
            key = "patient" if family in ("immunization", "allergy") else "subject"
            resources.append({"id": f"{family}-{number}", **resource, key: subject})
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": resource} for resource in resources]}


def _code(entry: Entry) -> dict[str, Any]:
    coding = [{"system": one.system, "code": one.code, "display": one.display} for one in entry.codes]
    if entry.concept:
        coding.append({"system": CONCEPT_SYSTEM, "code": entry.concept, "display": None})
    said: dict[str, Any] = {"coding": [{key: value for key, value in one.items() if value} for one in coding]} if coding else {}
    if entry.text:
        said["text"] = entry.text
    return said


def _concept(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def _period(entry: Entry, start: str, end: str) -> dict[str, Any]:
    said = {}
    if entry.start is not None:
        said[start] = str(entry.start)
    if entry.end is not None:
        said[end] = str(entry.end)
    return said


def _resource(entry: Entry) -> dict[str, Any]:
    match entry:
        case Condition():
            said = {"resourceType": "Condition", "code": _code(entry), **_period(entry, "onsetDateTime", "abatementDateTime")}
            if entry.status:
                said["clinicalStatus"] = _concept(_CLINICAL, entry.status)
            if entry.verification:
                said["verificationStatus"] = _concept(_VERIFICATION, entry.verification)
            return said
        case Observation():
            return _observation(entry)
        case Medication():
            return _medication(entry)
        case Procedure():
            when = {"performedDateTime": str(entry.start)} if entry.start is not None and entry.end is None else {}
            period = _period(entry, "start", "end")
            if entry.end is not None or entry.status == "in-progress":
                when = {"performedPeriod": period}
            return {"resourceType": "Procedure", "status": entry.status or "completed", "code": _code(entry), **when}
        case Immunization():
            when = {"occurrenceDateTime": str(entry.start)} if entry.start is not None else {}
            return {"resourceType": "Immunization", "status": entry.status or "completed", "vaccineCode": _code(entry), **when}
        case Allergy():
            said = {"resourceType": "AllergyIntolerance", "code": _code(entry), **_period(entry, "onsetDateTime", "lastOccurrence")}
            system = "http://terminology.hl7.org/CodeSystem/allergyintolerance-"
            if entry.status:
                said["clinicalStatus"] = _concept(f"{system}clinical", entry.status)
            if entry.verification:
                said["verificationStatus"] = _concept(f"{system}verification", entry.verification)
            return said
    raise TypeError(type(entry).__name__)


def _observation(entry: Observation) -> dict[str, Any]:
    said: dict[str, Any] = {"resourceType": "Observation", "status": entry.status or "final", "code": _code(entry)}
    if entry.start is not None:
        said["effectiveDateTime"] = str(entry.start)
    value, unit = entry.value, entry.unit
    if isinstance(value, Quantity):
        said["valueQuantity"] = {"value": value.value, **({"comparator": value.comparator} if value.comparator else {})}
        unit = value.unit or unit
    elif isinstance(value, bool):
        said["valueBoolean"] = value
    elif isinstance(value, int | float):
        said["valueQuantity"] = {"value": value}
    elif value is not None:
        said["valueString"] = value
    if unit and "valueQuantity" in said:
        said["valueQuantity"]["unit"] = unit
    if entry.range is not None:
        ends = {"low": entry.range.low, "high": entry.range.high}
        said["referenceRange"] = [
            {name: {"value": end, **({"unit": unit} if unit else {})} for name, end in ends.items() if end is not None}
        ]
    if entry.interpretation:
        letter = {"positive": "POS", "negative": "NEG", "high": "H", "low": "L", "normal": "N", "abnormal": "A", "indeterminate": "IND"}
        system = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
        said["interpretation"] = [_concept(system, letter[entry.interpretation])]
    return said


def _medication(entry: Medication) -> dict[str, Any]:
    code = {"medicationCodeableConcept": _code(entry)}
    if entry.kind == "administration":
        when = (
            {"effectiveDateTime": str(entry.start)}
            if entry.start is not None and entry.end is None
            else {"effectivePeriod": _period(entry, "start", "end")}
        )
        return {"resourceType": "MedicationAdministration", "status": entry.status or "completed", **code, **when}
    said = {
        "resourceType": "MedicationStatement",
        "status": entry.status or "unknown",
        **code,
        "effectivePeriod": _period(entry, "start", "end"),
    }
    if entry.dose is not None and entry.dose.unit and entry.dose.unit.endswith("/day") and entry.dose.unit.count("/") == 1:
        unit = entry.dose.unit.removesuffix("/day")
        once = {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}
        said["dosage"] = [{"timing": once, "doseAndRate": [{"doseQuantity": {"value": entry.dose.value, "unit": unit}}]}]
    return said
