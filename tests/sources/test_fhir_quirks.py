"""One fixture for each quirk that real systems have: what it becomes, and what is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from eligibility.model.patient import DEATH_UNREAD, FAMILIES, Coding, Medication, Observation, Quantity
from eligibility.sources.arrival import entry_of, intake

from .conftest import ROOT, Read

QUIRKS = sorted(path.name for path in (ROOT / "fixtures" / "fhir-quirks").iterdir() if path.name != "README.md")


@pytest.mark.parametrize("name", QUIRKS)
def test_every_entry_of_a_fixture_is_in_exactly_one_place(quirk: Callable[[str], Read], name: str) -> None:
    for item in quirk(name).inputs:
        patient = item.patient
        places = [{entry_of(entry.source or "") for entry in patient.family(family)} for family in FAMILIES]
        places += [{entry_of(one.source or "") for one in patient.absences}]
        places += [{one.source for one in patient.set_aside}, {one.source for one in patient.misread}]
        every = [source for place in places for source in place]
        assert len(every) == len(set(every)), "an entry is in two places"
        assert intake(patient).entries == len(every)


def test_oids_and_local_codes_are_kept_as_written(quirk: Callable[[str], Read]) -> None:
    assert quirk("oid-code-systems.json").entries()["Condition/c1"].codes == (
        Coding(system="urn:oid:2.16.840.1.113883.6.90", code="G35.C1"),
    )
    local = quirk("local-codes.json").entries()["Observation/o1"]
    assert [(one.system, one.code) for one in local.codes] == [("urn:lab:st-elsewhere", "HB01"), ("http://loinc.org", "718-7")]
    assert local.text == "Haemoglobin"
    assert quirk("code-without-system.json").entries()["Condition/c1"].codes == (Coding(code="G35.C1"),)


def test_events_are_numbered_by_one_system(quirk: Callable[[str], Read]) -> None:
    entries = quirk("several-identifier-systems.json").entries()
    assert [entries[f"Condition/c{n}"].event for n in (1, 2, 3, 4)] == ["urn:national|900", "urn:national|900", "urn:national|901", None]


def test_a_blank_status_makes_nothing_certain(quirk: Callable[[str], Read]) -> None:
    patient = quirk("blank-status.json").patient
    assert (patient.conditions[0].verification, patient.conditions[0].status) == ("unconfirmed", None)
    assert patient.observations[0].status == "unknown"
    assert patient.medications[0].status == "unknown"


def test_numbers_in_text(quirk: Callable[[str], Read]) -> None:
    values = {name: entry.value for name, entry in quirk("numbers-in-text.json").entries().items() if isinstance(entry, Observation)}
    assert values == {
        "Observation/below": Quantity(value=0.5, comparator="<"),
        "Observation/titre": "1:80",
        "Observation/negative": "neg",
        "Observation/thousands": 300000.0,
        "Observation/unit": 12.1,
        "Observation/comma": 4.1,
        "Observation/class": "IIIb",
    }
    assert quirk("numbers-in-text.json").patient.observations[4].unit == "g/dL"


def test_units_come_as_printed(quirk: Callable[[str], Read]) -> None:
    assert [(one.value, one.unit) for one in quirk("units-free-spelling.json").patient.observations] == [
        (12.1, "gm/dl"),
        (210.0, "x10E3/uL"),
        (0.9, "mg/dl"),
    ]


def test_zero_width_spaces_are_gone(quirk: Callable[[str], Read]) -> None:
    condition = quirk("zero-width-spaces.json").patient.conditions[0]
    assert (condition.text, condition.codes[0].display) == ("Acute bronchitis", "Acute bronchitis")


def test_the_day_is_the_day_where_the_patient_was(quirk: Callable[[str], Read]) -> None:
    days = [one.start.days()[0] for one in quirk("time-zones.json").patient.observations if one.start]
    assert [day - days[1] for day in days] == [1, 0, 0]


def test_references_with_versions_and_servers(quirk: Callable[[str], Read]) -> None:
    read = quirk("versioned-references.json")
    assert read.patient.medications[0].text == "ocrelizumab 300 MG in 10 ML Injection"
    assert len(read.patient.observations) == 1


def test_a_bundle_split_over_files_is_one_record(quirk: Callable[[str], Read]) -> None:
    read = quirk("split-bundle")
    assert not read.problems
    assert set(read.entries()) == {"Condition/c1", "Observation/o1", "MedicationRequest/m1"}
    assert read.patient.medications[0].text == "ocrelizumab"


def test_a_bulk_export_with_its_manifest(quirk: Callable[[str], Read]) -> None:
    read = quirk("bulk-export")
    assert [one.patient.id for one in read.inputs] == ["quirk", "second"]
    assert {str(one.patient.written) for one in read.inputs} == {"2026-04-01T08:00:00Z"}
    assert read.inputs[0].patient.medications[0].text == "ocrelizumab"
    assert [(problem.code, problem.severity) for problem in read.problems] == [("no-patient", "note"), ("missing-file", "error")]
    assert "Condition.ndjson" in read.problems[1].message


def test_a_contained_drug_lends_its_strength_to_tablets(quirk: Callable[[str], Read]) -> None:
    (order,) = quirk("contained-medication.json").patient.medications
    assert (order.text, order.dose, order.per_day) == ("Prednisone 5 mg tablet", Quantity(value=10, unit="mg"), 2.0)


def test_two_patients_in_one_bundle(quirk: Callable[[str], Read]) -> None:
    read = quirk("two-patients.json")
    assert [(one.patient.id, [o.value for o in one.patient.observations]) for one in read.inputs] == [("quirk", [12.1]), ("other", [9.9])]


def test_an_entry_of_another_patient_is_set_aside_and_told(quirk: Callable[[str], Read]) -> None:
    read = quirk("another-patients-entry.json")
    assert read.aside()["Condition/c1"] == "another patient's"
    assert not read.patient.conditions
    assert [(problem.code, problem.where) for problem in read.problems] == [("another-patient", "entry[2] (Condition/c1)")]


def test_duplicate_ids(quirk: Callable[[str], Read]) -> None:
    read = quirk("duplicate-ids.json")
    entries = read.entries()
    assert entries["Observation/same"].misread == entries["Observation/same~2"].misread == ("id",)
    assert read.aside()["Observation/copy~2"] == "a copy of an entry already read"
    assert read.aside()["Observation/versioned"] == "an older version of an entry"
    newest = entries["Observation/versioned~2"]
    assert isinstance(newest, Observation)
    assert newest.value == 1.9
    assert read.codes() == {"duplicate-id"}


def test_an_impossible_date_costs_its_entry_its_date(quirk: Callable[[str], Read]) -> None:
    read = quirk("impossible-date.json")
    bad, good = read.patient.observations
    assert (bad.start, bad.misread, bad.value) == (None, ("start",), 12.1)
    assert good.misread == ()
    (problem,) = read.problems
    assert str(problem).endswith("entry[1] (Observation/bad.effectiveDateTime): bad-date: there is no such day in that month")


def test_a_drug_that_is_nowhere_may_be_any(quirk: Callable[[str], Read]) -> None:
    read = quirk("reference-to-nobody.json")
    unknown, named = read.patient.medications
    assert (unknown.misread, unknown.codes, unknown.text) == (("codes",), (), None)
    assert (named.text, named.misread) == ("rituximab", ())
    assert read.codes() == {"reference-to-nobody"}


def test_what_is_stated_absent(quirk: Callable[[str], Read]) -> None:
    absences = {one.family: one for one in quirk("none-known.json").patient.absences}
    assert set(absences) == {"allergy", "medication", "immunization"}
    assert absences["allergy"].since is None
    assert str(absences["allergy"].as_of) == "2026-02-01"
    # on no medicines now says nothing of the years before
    assert absences["medication"].since == absences["medication"].as_of
    document = quirk("document-none-known.json").patient
    assert [(one.family, one.source) for one in document.absences] == [("allergy", "Composition/doc#section[0]")]
    assert str(document.written) == "2026-02-01T10:00:00Z"


def test_no_information_is_no_absence(quirk: Callable[[str], Read]) -> None:
    read = quirk("no-information.json")
    assert not read.patient.absences
    assert not any(read.patient.family(family) for family in ("allergy", "condition", "medication"))
    assert read.aside()["AllergyIntolerance/a1"] == "says that there is no information"
    assert read.aside()["AllergyIntolerance/a2"] == "states absence of one kind only"
    assert read.aside()["Condition/c1"] == "states absence at a time it does not name"


def test_components_and_panels(quirk: Callable[[str], Read]) -> None:
    read = quirk("components.json")
    entries = read.entries()
    assert set(entries) == {
        "Observation/bp#component[0]",
        "Observation/bp#component[1]",
        "Observation/score",
        "Observation/member",
    }
    score = entries["Observation/score"]
    assert isinstance(score, Observation)
    assert (score.value, score.items) == (6.0, {"alopecia": 2.0, "low-complement": 2.0})
    assert "Observation/panel" in read.aside()
    assert intake(read.patient).read == 3, "a blood pressure with two components is one entry"


def test_reports_are_not_counted_twice(quirk: Callable[[str], Read]) -> None:
    read = quirk("reports.json")
    assert set(read.entries()) == {"Observation/o1", "DiagnosticReport/holding#result[0]", "DiagnosticReport/words"}
    assert read.aside()["DiagnosticReport/envelope"] == "a report: its results are entries of their own"


def test_ages_periods_ranges_and_words_as_dates(quirk: Callable[[str], Read]) -> None:
    conditions = {entry.source: entry for entry in quirk("ages-and-words.json").patient.conditions}
    starts = {name: str(entry.start) if entry.start else None for name, entry in conditions.items()}
    assert starts == {
        "Condition/age": "2011-05-17/2012-05-16",
        "Condition/range": "2010-05-17/2013-05-16",
        "Condition/period": "2019-02/2019-04",
        "Condition/words": "2012-11",
        "Condition/vague": None,
        "Condition/over": "2015",
        "Condition/recorded": None,
    }
    assert conditions["Condition/over"].status == "resolved"
    assert str(conditions["Condition/recorded"].recorded) == "2020-06-01"


def test_plans_refusals_and_drafts(quirk: Callable[[str], Read]) -> None:
    read = quirk("plans-and-refusals.json")
    patient = read.patient
    assert [(one.planned, one.status, one.start is None) for one in patient.medications] == [
        (True, "active", True),
        (False, "not-taken", False),
    ]
    assert [(one.planned, one.status) for one in patient.procedures] == [(True, "preparation"), (False, "not-done")]
    assert patient.immunizations[0].status == "not-done"
    assert read.aside()["MedicationRequest/draft"] == "a draft"


def test_doses(quirk: Callable[[str], Read]) -> None:
    entries = {name.rpartition("/")[2]: entry for name, entry in quirk("doses.json").entries().items() if isinstance(entry, Medication)}
    mg = {name: (entry.dose and (entry.dose.value, entry.dose.unit), entry.per_day) for name, entry in entries.items()}
    assert mg == {
        "daily": ((10.0, "mg"), 1.0),
        "every-12-hours": ((500.0, "mg"), 2.0),
        "weekly": ((15.0, "mg"), pytest.approx(1 / 7)),
        "as-needed": ((400.0, "mg"), None),
        "taper": (None, None),
        "together": ((15.0, "mg/day"), None),
        "in-words": ((100.0, "mg/day"), None),
        "fetched": (None, None),
        "given": ((600.0, "mg"), None),
        "stopped": (None, None),
    }
    assert (str(entries["daily"].start), str(entries["daily"].end), entries["daily"].route) == ("2026-01-12", "2026-02-12", "oral")
    assert (entries["fetched"].kind, entries["fetched"].supply, entries["fetched"].status) == ("dispense", 30.0, None)
    assert (entries["given"].kind, str(entries["given"].start)) == ("administration", "2026-01-05")
    assert (entries["stopped"].reason_stopped, str(entries["stopped"].end)) == ("no effect", "2021-06")


ORDER = {
    "resourceType": "MedicationRequest",
    "id": "m",
    "status": "active",
    "intent": "order",
    "subject": {"reference": "Patient/p"},
    "authoredOn": "2026-10-01",
    "medicationCodeableConcept": {"text": "prednisone"},
}


def ordered(reading_text: Callable[..., Read], timing: dict[str, Any], **more: Any) -> tuple[Medication, Read]:
    """An active order of 20 mg of prednisone, written on 1 October 2026, at these times."""
    order = {**ORDER, "dosageInstruction": [{"timing": timing, "doseAndRate": [{"doseQuantity": {"value": 20, "unit": "mg"}}], **more}]}
    read = reading_text([{"resourceType": "Patient", "id": "p"}, order])
    return read.patient.medications[0], read


DAILY = {"frequency": 1, "period": 1, "periodUnit": "d"}
WEEKLY = {"frequency": 1, "period": 1, "periodUnit": "wk"}


@pytest.mark.parametrize(
    ("timing", "often"),
    [
        ({"repeat": {**DAILY, "dayOfWeek": ["mon"]}}, None),
        ({"repeat": {**DAILY, "dayOfWeek": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]}}, 1.0),
        ({"repeat": {"timeOfDay": ["08:00:00"], "dayOfWeek": ["mon"]}}, None),
        ({"repeat": {**WEEKLY, "dayOfWeek": ["mon"]}}, 1 / 7),
        ({"repeat": {**WEEKLY, "dayOfWeek": ["mon", "fri"]}}, None),
        ({"repeat": {"dayOfWeek": ["mon", "fri"]}}, 2 / 7),
        ({"repeat": {"dayOfWeek": ["mon"], "period": 2, "periodUnit": "wk"}}, None),
        ({"repeat": {**DAILY, "timeOfDay": ["08:00:00", "20:00:00"]}}, None),
        ({"repeat": {**DAILY, "frequency": 2, "timeOfDay": ["08:00:00", "20:00:00"]}}, 2.0),
        ({"repeat": {**DAILY, "when": ["HS"]}}, 1.0),
        ({"repeat": {"when": ["PC"]}}, None),
        ({"repeat": {**DAILY, "duration": 10, "durationUnit": "d"}}, None),
        ({"repeat": {**DAILY, "duration": 1, "durationUnit": "h"}}, 1.0),
        ({"repeat": DAILY, "event": ["2026-10-01"]}, None),
    ],
)
def test_a_frequency_is_read_only_where_nothing_beside_it_says_another(
    reading_text: Callable[..., Read], timing: dict[str, Any], often: float | None
) -> None:
    order, read = ordered(reading_text, timing)
    assert order.per_day == (None if often is None else pytest.approx(often))
    assert order.dose == Quantity(value=20, unit="mg")
    assert not read.problems


def test_words_of_a_dose_do_not_outdo_the_days_it_is_given_on(reading_text: Callable[..., Read]) -> None:
    for repeat, dose in (({}, Quantity(value=20, unit="mg/day")), ({"dayOfWeek": ["mon"], "timeOfDay": ["08:00:00"]}, None)):
        order, _ = ordered(reading_text, {"repeat": repeat}, doseAndRate=[], text="20 mg daily")
        assert order.dose == dose


def days(value: float, code: str = "d", **more: str) -> dict[str, Any]:
    return {"value": value, "unit": code, "system": "http://unitsofmeasure.org", "code": code, **more}


@pytest.mark.parametrize(
    ("bounds", "end"),
    [
        ({"boundsDuration": days(10)}, "2026-10-10/2026-10-11"),
        ({"boundsDuration": days(1, "mo")}, "2026-10-31/2026-11-01"),
        ({"boundsDuration": days(36, "h")}, "2026-10-02/2026-10-03"),
        ({"boundsDuration": days(10, comparator="<")}, "2026-10-01/2026-10-11"),
        ({"boundsDuration": days(10, comparator=">=")}, "2026-10-10/"),
        ({"boundsRange": {"low": days(5), "high": days(10)}}, "2026-10-05/2026-10-11"),
        ({"boundsRange": {"low": days(5)}}, "2026-10-05/"),
    ],
)
def test_a_course_of_a_stated_length_ends(reading_text: Callable[..., Read], bounds: dict[str, Any], end: str) -> None:
    order, read = ordered(reading_text, {"repeat": {**DAILY, **bounds}})
    assert (str(order.start), str(order.end), order.per_day) == ("2026-10-01", end, 1.0)
    assert not read.problems


@pytest.mark.parametrize("said", [{"boundsDuration": {"value": 10}}, {"boundsDuration": "10 d"}, {"boundsRange": {}}])
def test_a_length_that_cannot_be_read_makes_the_order_possible(reading_text: Callable[..., Read], said: dict[str, Any]) -> None:
    order, read = ordered(reading_text, {"repeat": {**DAILY, **said}})
    assert order.end is None
    assert order.misread
    assert [problem.code for problem in read.problems] == ["bad-date"]


def test_answers_of_a_questionnaire(quirk: Callable[[str], Read]) -> None:
    edss, aid = quirk("questionnaire.json").patient.observations
    assert (edss.text, edss.value, str(edss.start), edss.source) == ("EDSS", 5.5, "2026-03-02", "QuestionnaireResponse/q1#item[0].item[0]")
    assert (aid.value, aid.codes[0]) == (1.0, Coding(system="http://loinc.org", code="75893-8"))


def test_results_of_every_kind(quirk: Callable[[str], Read]) -> None:
    read = quirk("results-of-every-kind.json")
    values = {
        name.rpartition("/")[2]: (entry.value, entry.unit) for name, entry in read.entries().items() if isinstance(entry, Observation)
    }
    assert values == {
        "comparator": (Quantity(value=60, unit="mL/min", comparator=">"), None),
        "range": ("5-10", "/[HPF]"),
        "titre": ("1:160", None),
        "per-day": (900.0, "mg/(24.h)"),
        "coded": ("Positive", None),
        "yes": (True, None),
        "absent": (None, None),
        "flagged": (80.0, "U/L"),
        "two-ranges": (80.0, "U/L"),
        "two-values": (None, None),
    }
    observations = {one.source: one for one in read.patient.observations}
    flagged, two = observations["Observation/flagged"], observations["Observation/two-ranges"]
    assert flagged.interpretation == "high"
    assert flagged.range is not None
    assert (flagged.range.low, flagged.range.high) == (5, 40)
    assert two.range is not None
    assert (two.range.low, two.range.high) == (None, None), "of two ranges none is picked"
    assert observations["Observation/two-values"].misread == ("value",)
    assert "focus" in read.aside()["Observation/of-the-donor"]


def test_what_is_about_others(quirk: Callable[[str], Read]) -> None:
    read = quirk("about-others.json")
    assert not read.entries()
    assert read.aside() == {
        "Patient/quirk": "the patient: birth date, sex and death are read from it",
        "FamilyMemberHistory/f1": "about a relative, not the patient",
        "Observation/group": "about a group, not a patient",
        "Encounter/e1": "a visit: its diagnoses and procedures are entries of their own",
        "Claim/x1": "a kind of entry that no rule reads (Claim)",
    }


def test_entries_of_other_versions_are_not_silence(quirk: Callable[[str], Read]) -> None:
    read = quirk("other-versions.json")
    assert [(one.source, one.family) for one in read.patient.misread] == [
        ("MedicationStatement/five", "medication"),
        ("Immunization/three", "immunization"),
    ]
    assert [problem.code for problem in read.problems] == ["fhir-version", "fhir-version"]
    assert len(read.patient.observations) == 1


@pytest.mark.parametrize(
    ("kind", "field", "version"),
    [
        ("MedicationStatement", "wasNotTaken", "DSTU2"),
        ("MedicationAdministration", "wasNotGiven", "DSTU2"),
        ("MedicationAdministration", "notGiven", "STU3"),
    ],
)
def test_a_denial_of_another_version_is_not_read_as_taken(reading_text: Callable[..., Read], kind: str, field: str, version: str) -> None:
    entry = {"resourceType": kind, "status": "active", "subject": {"reference": "Patient/p"}, field: True}
    read = reading_text([{"resourceType": "Patient", "id": "p"}, {**entry, "medicationCodeableConcept": {"text": "prednisone"}}])
    assert not read.patient.medications
    assert [(one.family, one.why) for one in read.patient.misread] == [("medication", f"of FHIR {version}, not R4")]
    assert [problem.code for problem in read.problems] == ["fhir-version"]


def test_a_value_beside_a_reason_for_having_none_is_no_value(reading_text: Callable[..., Read]) -> None:
    entry = {"resourceType": "Observation", "status": "final", "code": {"text": "EDSS"}, "subject": {"reference": "Patient/p"}}
    absent = {"dataAbsentReason": {"coding": [{"code": "unknown"}]}, "valueQuantity": {"value": 4.5}}
    read = reading_text([{"resourceType": "Patient", "id": "p"}, {**entry, **absent}])
    assert (read.patient.observations[0].value, read.patient.observations[0].misread) == (None, ("value",))
    assert [problem.code for problem in read.problems] == ["bad-value"]


def test_a_modifier_makes_an_entry_doubtful(quirk: Callable[[str], Read]) -> None:
    assert quirk("modifier.json").patient.conditions[0].misread == ("modifierExtension",)


def test_death(quirk: Callable[[str], Read]) -> None:
    assert str(quirk("deceased.json").patient.deceased) == "2026-10-30"


def test_a_misread_death_is_never_certain(reading_text: Callable[..., Read]) -> None:
    for name, value, told in (
        ("deceasedBoolean", "no", None),
        ("deceasedBoolean", 0, None),
        ("deceasedBoolean", "2026-10-30", DEATH_UNREAD),
        ("deceasedDateTime", "2026-13-45", DEATH_UNREAD),
        ("deceasedDateTime", False, None),
    ):
        read = reading_text({"resourceType": "Patient", "id": "p", name: value})
        assert read.patient.deceased == told, (name, value)
        (problem,) = read.problems
        assert (problem.where or "").endswith(name)
    both = reading_text({"resourceType": "Patient", "id": "p", "deceasedDateTime": "soon", "deceasedBoolean": True})
    assert both.patient.deceased is True


def test_entries_without_id_or_subject(quirk: Callable[[str], Read]) -> None:
    assert set(quirk("no-ids.json").entries()) == {"Observation@entry[1]", "Observation@entry[2]"}


def measured(reading_text: Callable[..., Read], **more: Any) -> Observation:
    """A haemoglobin with more fields, as it was read."""
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [
            {"resource": {"resourceType": "Patient", "id": "p"}},
            {
                "resource": {
                    "resourceType": "Observation",
                    "id": "o",
                    "status": "final",
                    "subject": {"reference": "Patient/p"},
                    "code": {"coding": [{"system": "http://loinc.org", "code": "718-7"}]},
                    "effectiveDateTime": "2026-10-20",
                    **more,
                }
            },
        ],
    }
    (one,) = reading_text(json.dumps(bundle), "b.json").patient.observations
    return one


@pytest.mark.parametrize(
    ("more", "read"),
    [
        ({}, True),
        ({"type": {"coding": [{"code": "normal"}]}}, True),
        ({"type": {"coding": [{"code": "therapeutic"}]}}, False),
        ({"appliesTo": [{"text": "male"}]}, False),
        ({"age": {"high": {"value": 10, "unit": "a"}}}, False),
        ({"low": {"value": 50, "unit": "g/dL"}}, False),
    ],
)
def test_a_range_counts_where_it_is_one_of_health_for_everybody(
    reading_text: Callable[..., Read], more: dict[str, Any], read: bool
) -> None:
    listed = {"low": {"value": 12, "unit": "g/dL"}, "high": {"value": 16, "unit": "g/dL"}, **more}
    one = measured(reading_text, valueQuantity={"value": 13, "unit": "g/dL"}, referenceRange=[listed])
    assert (one.range is not None and one.range.high == 16) is read


@pytest.mark.parametrize(
    ("printed", "code", "unit"),
    [("g/dL", "g/dL", "g/dL"), ("gm/dL", "g/dL", "g/dL"), ("g/dL", "g/L", "g/dL or g/L"), ("furlongs", "g/dL", "g/dL")],
)
def test_a_unit_that_contradicts_its_code_is_neither(reading_text: Callable[..., Read], printed: str, code: str, unit: str) -> None:
    value = {"value": 12, "unit": printed, "system": "http://unitsofmeasure.org", "code": code}
    one = measured(reading_text, valueQuantity=value)
    assert (one.value, one.unit) == (12.0, unit)


def test_an_intent_that_no_request_has_is_not_certain(reading_text: Callable[..., Read]) -> None:
    read = reading_text([{"resourceType": "Patient", "id": "p"}, {**ORDER, "intent": "directive"}])
    assert "intent" in read.patient.medications[0].misread
    assert any("intent" in str(problem) for problem in read.problems)
