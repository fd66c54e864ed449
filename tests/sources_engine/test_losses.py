"""What a sender leaves out never turns an answer into its opposite.

A code dropped, a date blurred to its month or year, a status blanked: of a criterion known without presuming
anything, the answer may become open, never the other one. Some losses say more than nothing and are not
tried: a refuted entry without its status is a confirmed one.

Two limits, each with a test: the latest *recorded* result speaks for the patient, so a result that lost its
code leaves the word to the one before it; and ``documented`` asks for a diagnosis on record by its name.

``ELIGIBILITY_LOSSES`` says how many charts are tried.
"""

from __future__ import annotations

import copy
import os
import random
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest
from pydantic import TypeAdapter

from eligibility.engine.reference import evaluate
from eligibility.engine.settings import Settings
from eligibility.model.criteria import Statement
from eligibility.model.patient import CONCEPT_SYSTEM, Patient
from eligibility.model.truth import Truth
from eligibility.screening import Screener

from .conftest import ROOT, criteria, patient_of

TRIES = int(os.environ.get("ELIGIBILITY_LOSSES", "160"))
CODED = {"Condition", "Procedure", "AllergyIntolerance", "MedicationRequest", "MedicationStatement", "Observation", "Immunization"}
CODED |= {"MedicationAdministration", "MedicationDispense"}
CODES = ("code", "medicationCodeableConcept", "vaccineCode")
DATES = ("onsetDateTime", "abatementDateTime", "performedDateTime", "effectiveDateTime", "authoredOn", "occurrenceDateTime", "recordedDate")
DATES += ("dateAsserted", "whenHandedOver", "issued")
PERIODS = ("onsetPeriod", "abatementPeriod", "performedPeriod", "effectivePeriod")
KNOWN = {Truth.TRUE, Truth.FALSE}
Json = dict[str, Any]


def entries(tree: Json) -> list[Json]:
    return [entry["resource"] for entry in tree["entry"] if entry.get("resource", {}).get("resourceType") in CODED]


def drop_code(resource: Json, dice: random.Random) -> bool:
    """The code and its words, or the codes alone where words are left."""
    for field in CODES:
        if field in resource:
            if dice.random() < 0.5 and isinstance(resource[field], dict) and "text" in resource[field]:
                resource[field].pop("coding", None)
            else:
                del resource[field]
            return True
    return False


def blur_date(resource: Json, dice: random.Random) -> bool:
    size = dice.choice((4, 7))
    hit = False
    for field in DATES:
        if isinstance(resource.get(field), str):
            resource[field] = resource[field][:size]
            hit = True
    for field in PERIODS:
        if isinstance(resource.get(field), dict):
            for end, when in resource[field].items():
                resource[field][end] = when[:size]
                hit = True
    return hit


def blank_status(resource: Json, dice: random.Random) -> bool:
    words = str(resource.get("verificationStatus")) + str(resource.get("status"))
    if "refuted" in words or "entered-in-error" in words:
        return False
    fields = [field for field in ("status", "clinicalStatus", "verificationStatus") if field in resource]
    if not fields:
        return False
    field = dice.choice(fields)
    if dice.random() < 0.5:
        del resource[field]
    else:
        resource[field] = "" if field == "status" else {}
    return True


LOSSES: tuple[Callable[[Json, random.Random], bool], ...] = (drop_code, blur_date, blank_status)


def answers(screener: Screener, patient: Patient) -> dict[tuple[str, str, str], Truth]:
    return {key: result.truth for key, result in criteria(screener.result(screener.prepare(patient)))}


def opposite(before: dict[Any, Truth], after: dict[Any, Truth]) -> set[tuple[str, str, str]]:
    return {key for key, truth in before.items() if truth in KNOWN and after[key] in KNOWN and after[key] is not truth}


def charts() -> Iterator[tuple[str, Json]]:
    for folder in ("fhir", "fhir-quirks"):
        for path in sorted((ROOT / "fixtures" / folder).glob("*.json")):
            tree = orjson.loads(path.read_bytes())
            if tree.get("resourceType") == "Bundle" and len(entries(tree)) > 1 and kinds(tree) == 1:
                yield path.stem, tree
    shared = ROOT.parent / "shared" / "data" / "fhir"
    for path in [*sorted((shared / "synthea-r4").glob("*.json"))[:3], *sorted((shared / "ips").glob("Bundle*.json"))]:
        yield path.stem, orjson.loads(path.read_bytes())


def kinds(tree: Json) -> int:
    return sum(entry.get("resource", {}).get("resourceType") == "Patient" for entry in tree["entry"])


@pytest.fixture(scope="module")
def known(screener: Screener) -> list[tuple[str, Json, dict[tuple[str, str, str], Truth]]]:
    found = []
    for name, tree in charts():
        found.append((name, tree, answers(screener, patient_of(tree))))
    return found


def test_losses_never_turn_an_answer(screener: Screener, known: list[Any]) -> None:
    lost = 0
    settled = 0
    for number in range(TRIES):
        dice = random.Random(number)
        name, tree, before = known[number % len(known)]
        spoilt = copy.deepcopy(tree)
        hit = dice.sample(entries(spoilt), k=min(len(entries(spoilt)), dice.randint(1, 4)))
        told = []
        for resource in hit:
            loss = dice.choice(LOSSES)
            if loss is drop_code and resource["resourceType"] == "Observation":
                continue  # see the test of the latest recorded result
            if loss(resource, dice):
                told.append(f"{loss.__name__} {resource['resourceType']}/{resource.get('id')}")
        if not told:
            continue
        after = answers(screener, patient_of(spoilt))
        assert opposite(before, after) == set(), (number, name, told)
        lost += len(told)
        settled += sum(truth in KNOWN for truth in before.values())
    assert lost > TRIES
    assert settled > 20 * TRIES


def test_a_result_that_lost_its_code_and_was_the_only_one_leaves_the_question_open(screener: Screener, known: list[Any]) -> None:
    tried = 0
    for name, tree, before in known:
        patient = patient_of(tree)
        for place, resource in enumerate(entries(tree)):
            if resource["resourceType"] != "Observation" or tried >= 60 or place % 3:
                continue
            pointer = f"Observation/{resource.get('id')}"
            mine = _concepts(screener, patient, pointer)
            if any(not mine.isdisjoint(_kin(screener, other)) for where, other in _results(screener, patient) if where != pointer):
                continue
            spoilt = copy.deepcopy(tree)
            if drop_code(entries(spoilt)[place], random.Random(0)):
                assert opposite(before, answers(screener, patient_of(spoilt))) == set(), (name, pointer)
                tried += 1
    assert tried > 30


def _results(screener: Screener, patient: Patient) -> Iterator[tuple[str, frozenset[str]]]:
    for entry in patient.observations:
        yield (entry.source or "").partition("#")[0], screener.vocabulary.read("observation", entry).is_


def _kin(screener: Screener, concepts: frozenset[str]) -> set[str]:
    """Concepts whose answers a result of these may bear on."""
    return {*concepts, *(above for one in concepts for above in screener.vocabulary.ancestors(one))}


def _concepts(screener: Screener, patient: Patient, pointer: str) -> set[str]:
    return {one for where, concepts in _results(screener, patient) if where == pointer for one in _kin(screener, concepts)}


PERSON = {"resourceType": "Patient", "id": "p", "birthDate": "1980-02-03", "gender": "female"}


def _bundle(*resources: Json) -> Json:
    whole = [PERSON, *({**one, "subject": {"reference": "Patient/p"}} for one in resources)]
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in whole]}


def _hemoglobin(name: str, day: str, value: float) -> Json:
    quantity = {"value": value, "unit": "g/dL", "code": "g/dL", "system": "http://unitsofmeasure.org"}
    code = {"coding": [{"system": "http://loinc.org", "code": "718-7"}]}
    return {"resourceType": "Observation", "id": name, "status": "final", "code": code, "effectiveDateTime": day, "valueQuantity": quantity}


def test_the_latest_recorded_result_speaks_and_one_without_a_code_is_no_result(screener: Screener) -> None:
    """The limit: not understood results are shown, and the word goes to the result before (MEANING 1, a convention)."""
    low, high = _hemoglobin("a", "2026-10-01", 7.0), _hemoglobin("b", "2026-10-20", 12.0)
    unread = {**high, "code": {"text": "Hb from the county laboratory, analyser 3"}}
    asked = {"observation": "hemoglobin", "within": "3 months", "latest": {"at_least": "8 g/dL"}}
    statement = TypeAdapter[Any](Statement).validate_python(asked)
    truths = []
    for newer in (high, unread):
        patient = patient_of(_bundle(low, newer))
        truths.append(evaluate(statement, patient, screener.vocabulary, Settings(screener.as_of)).truth)
        record = screener.prepare(patient)
    assert truths == [Truth.TRUE, Truth.FALSE]
    assert [source for source, _ in record.ledger.not_understood] == ["Observation/b"]


def _condition(name: str, code: Json) -> Json:
    active = {"coding": [{"code": "active"}]}
    return {"resourceType": "Condition", "id": name, "clinicalStatus": active, "code": code, "onsetDateTime": "2019"}


def test_a_diagnosis_whose_words_say_something_else_is_not_documented_and_is_named(screener: Screener) -> None:
    """The limit: in a live family a *presumed not* counts as *is not* for ``documented`` (MEANING 2), and the finding says which."""
    words = "seen at the county clinic on Mondays"
    icd = "http://hl7.org/fhir/sid/icd-10-cm"
    coded = _condition("a", {"coding": [{"system": icd, "code": "G70.00"}], "text": words})
    other = _condition("b", {"coding": [{"system": CONCEPT_SYSTEM, "code": "asthma"}]})
    statement = TypeAdapter[Any](Statement).validate_python({"condition": "myasthenia-gravis", "ever": "true", "documented": "true"})
    found = []
    for one in (coded, {**coded, "code": {"text": words}}, {**coded, "code": {}}):
        found.append(evaluate(statement, patient_of(_bundle(other, one)), screener.vocabulary, Settings(screener.as_of)))
    assert [finding.truth for finding in found] == [Truth.TRUE, Truth.FALSE, Truth.UNKNOWN]
    assert [source for one in found[1].assumes if one.kind == "presumed_not" for source in one.sources] == ["Condition/a"]
    assert [reason.source for reason in found[2].reasons] == ["Condition/a"]
