"""Our own patient files: comfortable to type, exact when written back, and clear about what is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eligibility.model.patient import DEATH_UNREAD, FAMILIES, Coding, Patient, Quantity, ReferenceRange
from eligibility.sources.arrival import PatientInput, intake
from eligibility.sources.native import patient_to_native, read_native

from .conftest import Read

TYPED = """
id: p1
born: 1977-03
sex: F
written: 2026-11-01
conditions:
  - {concept: ms-secondary-progressive, onset: 2019, status: active}
  - optic-neuritis
  - {code: icd10cm|G35.C1|Active SPMS, name: "NO, not this: 1:40", abatement: 2021-05}
observations:
  - {concept: edss, date: 2026-10-20, value: 5.5}
  - {concept: hemoglobin, date: 2026-10-20, value: 12.1 g/dL, range: 12.0-16.0 g/dL, flag: N}
  - {concept: crp, date: 2026-10-20, value: "<0.5", unit: mg/L}
  - {concept: ana, date: 2026-10-20, value: 1:40}
  - {concept: wheelchair, date: 2026-10-20, value: "NO"}
  - {concept: sledai-2k, date: 2026-10-20, value: 6, items: {alopecia: 2, fever: 1}}
medications:
  - {concept: prednisone, start: 2026-01-01, dose: 5 mg twice daily, status: ongoing}
  - {concept: ocrelizumab, start: 2021-04-01, end: 2025-12-10, status: stopped, outcome: inadequate-response}
  - {concept: rituximab, planned: yes, start: 2026-12-01}
absences:
  - allergy none known 2026-10-20
  - {family: procedures, kind: complete, as_of: 2026-10-20}
"""


def test_a_patient_typed_by_hand(reading_text: Callable[..., Read]) -> None:
    read = reading_text(TYPED, "p1.yaml")
    assert not read.problems
    patient = read.patient
    assert (patient.sex, patient.birth_date[0].text) == (("female",), "1977-03")
    first, second, third = patient.conditions
    assert (first.start and first.start.text, second.concept) == ("2019", "optic-neuritis")
    assert third.codes == (Coding(system="icd10cm", code="G35.C1", display="Active SPMS"),)
    assert third.text == "NO, not this: 1:40"
    values = [observation.value for observation in patient.observations]
    assert values == [
        5.5,
        Quantity(value=12.1, unit="g/dL"),
        Quantity(value=0.5, unit="mg/L", comparator="<"),
        "1:40",  # YAML 1.1 would have said 100
        "NO",  # and false
        6.0,
    ]
    assert patient.observations[1].range == ReferenceRange(low=12.0, high=16.0, unit="g/dL", text="12.0-16.0 g/dL")
    assert patient.observations[5].items == {"alopecia": 2.0, "fever": 1.0}
    prednisone, ocrelizumab, rituximab = patient.medications
    assert (prednisone.dose, prednisone.per_day, prednisone.status) == (Quantity(value=5, unit="mg"), 2.0, "active")
    assert ocrelizumab.outcome == ("inadequate-response",)
    assert rituximab.planned
    assert [(one.family, one.kind, one.as_of and one.as_of.text) for one in patient.absences] == [
        ("allergy", "none-known", "2026-10-20"),
        ("procedure", "complete", "2026-10-20"),
    ]
    assert [entry.source for entry in patient.conditions] == ["conditions[0]", "conditions[1]", "conditions[2]"]
    assert intake(patient).entries == 14


def test_written_back_it_is_the_same_patient(reading_text: Callable[..., Read]) -> None:
    patient = reading_text(TYPED, "p1.yaml").patient
    again = reading_text(patient_to_native(patient), "p1.json")
    assert again.patient == patient
    assert not again.problems


def test_every_format_says_the_same(reading_text: Callable[..., Read]) -> None:
    tree = {"id": "p1", "sex": "M", "observations": [{"concept": "edss", "date": "2026-10-20", "value": 5.5}]}
    lines = json.dumps(tree) + "\n" + json.dumps({**tree, "id": "p2"}) + "\n"
    braces = "{id: p1, sex: M, observations: [{concept: edss, date: 2026-10-20, value: 5.5}]}"
    for content, name, count in (
        (json.dumps(tree), "a.json", 1),
        (json.dumps(tree, indent=1), "a.txt", 1),
        ([tree, {**tree, "id": "p2"}], "b.json", 2),
        ({"patients": [tree, {**tree, "id": "p2"}]}, "c.json", 2),
        (lines, "d.jsonl", 2),
        (braces, "e.yaml", 1),
        (f"---\n{braces}\n---\n{braces.replace('p1', 'p2')}\n", "f.yaml", 2),
    ):
        read = reading_text(content, name)
        assert not read.problems, name
        assert [one.patient.id for one in read.inputs] == ["p1", "p2"][:count], name
        assert all(one.patient.observations[0].value == 5.5 for one in read.inputs), name


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        (
            "truncated.json",
            "truncated",
            "truncated.json:1:77: truncated: the JSON ends before it is complete; export or copy the file again",
        ),
        ("letter.txt", "not-a-patient", "there is no patient in it"),
        ("table.json", "not-a-patient", "there is no patient in it"),
        ("empty.json", "empty-file", "the file is empty"),
        ("numbers.json", "not-a-patient", "neither `resourceType` (FHIR) nor `id`"),
        ("no-patient.json", "not-a-patient", "docs/sources/native.md shows a patient in ten lines"),
        ("latin-1.json", "not-utf8", "latin-1.json:1:41: not-utf8: the text is not UTF-8 (byte 41); save it as UTF-8"),
        ("deep.yaml", "too-deep", "the entries nest more than 200 deep"),
        ("deep.json", "too-deep", "the brackets nest more than 200 deep"),
        ("damaged.json.gz", "bad-gzip", "the gzip file is damaged or cut short"),
        ("bad-indent.yaml", "not-yaml", "bad-indent.yaml:4:4: not-yaml: this is not YAML: the indent"),
        ("anchor.yaml", "yaml-anchor", "anchor.yaml:3:5: yaml-anchor: anchors and aliases are not read"),
        ("tag.yaml", "yaml-tag", "tag.yaml:1:5: yaml-tag: tags (!...) are not read"),
        ("merge.yaml", "yaml-merge", "merge.yaml:3:6: yaml-merge: merges (<<) are not read"),
        ("bundle.xml", "xml", "ask the source for FHIR as JSON"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_clear_error(broken: Callable[[str], Read], name: str, code: str, words: str) -> None:
    read = broken(name)
    assert not read.inputs
    assert [problem.code for problem in read.loose] == [code]
    assert words in str(read.loose[0])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "wrong-types.json",
            {
                ("conditions[0].concept", "wrong-type"),
                ("observations", "wrong-type"),
                ("medications[0]", "wrong-type"),
                ("medications[1].dose", "bad-dose"),
                ("medications[1].start", "bad-date"),
            },
        ),
        ("impossible-date.json", {("birth_date", "bad-date"), ("conditions[0].start", "bad-date")}),
        ("not-a-number.json", {("observations[0].value", "bad-number"), ("observations[1].value", "bad-number")}),
        (
            "unknown-fields.json",
            {("conditions[0].stauts", "unknown-field"), ("medicatons", "unknown-field"), ("shoe_size", "unknown-field")},
        ),
        (
            "bad-words.json",
            {("conditions[0].status", "bad-choice"), ("observations[0].unit", "two-units"), ("absences[0]", "bad-absence")},
        ),
        ("doubled-keys.json", {("conditions[0]", "duplicate-key"), ("observations", "duplicate-key")}),
        ("doubled-keys.yaml", {("conditions[0]", "duplicate-key")}),
        ("comma-in-braces.yaml", {("conditions[0].?", "unknown-field")}),
        ("no-id.json", {("id", "no-id")}),
        ("no-birth-no-sex.json", set()),
    ],
)
def test_a_bad_field_costs_that_field_and_is_told(broken: Callable[[str], Read], name: str, expected: set[tuple[str, str]]) -> None:
    read = broken(name)
    assert {(problem.where, problem.code) for problem in read.problems} == expected
    assert read.patient.id in ("p1", "no-id")


def test_the_entry_keeps_the_names_of_what_could_not_be_read(broken: Callable[[str], Read]) -> None:
    assert broken("impossible-date.json").patient.conditions[0].misread == ("start",)
    assert broken("impossible-date.json").patient.conditions[1].misread == ()
    assert [one.misread for one in broken("not-a-number.json").patient.observations] == [("value",), ("value",), ()]
    wrong = broken("wrong-types.json").patient
    assert wrong.medications[0].misread == ("dose", "start")
    assert [(one.source, one.family) for one in wrong.misread] == [("observations", "observation"), ("medications[0]", "medication")]


def test_a_misspelt_family_is_not_silence(broken: Callable[[str], Read]) -> None:
    patient = broken("unknown-fields.json").patient
    assert [(one.source, one.family) for one in patient.misread] == [("medicatons", None)]
    assert patient.conditions[0].misread == ("stauts",), "a misspelt status must not make an entry certain"


def test_near_names_are_offered(broken: Callable[[str], Read]) -> None:
    said = {
        problem.where: problem.instead or "" for problem in (*broken("unknown-fields.json").problems, *broken("bad-words.json").problems)
    }
    assert "medications" in said["medicatons"]
    assert "status" in said["conditions[0].stauts"]
    assert said["conditions[0].status"] == "did you mean resolved?"


def test_doubled_keys_are_told_with_both_lines(broken: Callable[[str], Read]) -> None:
    (problem,) = broken("doubled-keys.yaml").problems
    assert "lines 5 and 6" in problem.message
    assert [one.source for one in broken("doubled-keys.yaml").patient.misread] == ["conditions[0]"]


def test_a_death_is_read(broken: Callable[[str], Read], reading_text: Callable[..., Read]) -> None:
    deceased = broken("deceased.json").patient.deceased
    assert deceased is not None
    assert str(deceased) == "2026-01-05"
    words = {"yes": True, "died": True, "alive": False, "N": False, "unknown": None}
    for word, told in {True: True, False: False, **words}.items():
        read = reading_text({"id": "p", "died": word})
        assert read.patient.deceased is told, word
        assert not read.problems, word


def test_an_unreadable_death_is_told_and_never_certain(reading_text: Callable[..., Read]) -> None:
    may_be = ["2026-13-45", "last winter", "maybe", 1, ["2026-01-05"]]
    for value in (*may_be, "", 0, [], {}):
        read = reading_text({"id": "p", "deceased": value})
        assert read.patient.deceased == (DEATH_UNREAD if value in may_be else None), value
        (problem,) = read.problems
        assert (problem.where, problem.severity) == ("deceased", "error")
        back = reading_text(patient_to_native(read.patient), "back.json")
        assert back.patient == read.patient
        assert not back.problems


def test_words_of_a_chart_that_became_a_field_are_not_repeated(reading_text: Callable[..., Read]) -> None:
    secret = "Jane Doe has HIV"
    for tree in ({"id": "p", secret: 1}, {"id": "p", "conditions": [{"text": "a", secret: 1}]}, {"id": "p", "observations": [{secret: 1}]}):
        read = reading_text(tree)
        (problem,) = (one for one in read.problems if one.code == "unknown-field")
        assert "Jane" not in str(problem)
        assert "has no field `?`" in problem.message
        assert "Jane" not in read.patient.model_dump_json()
    (problem,) = reading_text({"id": "p", "observations": [{"concept": "edss", "valeu": 4}]}).problems
    assert (problem.message, problem.instead) == ("an observation has no field `valeu`", "did you mean value?")


def test_one_bad_line_costs_that_line(broken: Callable[[str], Read]) -> None:
    read = broken("one-bad-line.jsonl")
    assert [one.patient.id for one in read.inputs] == ["p1", "p3"]
    assert [(problem.line, problem.code) for problem in read.problems] == [(2, "truncated")]


def test_an_id_met_again_is_reported(broken: Callable[[str], Read]) -> None:
    read = broken("same-id-twice.json")
    assert [problem.code for problem in read.problems] == ["same-patient", "wrong-type"]
    assert read.patient.sex == ()


def test_entries_that_are_none_are_set_aside(reading_text: Callable[..., Read]) -> None:
    tree = {
        "id": "p",
        "conditions": [{"concept": "lupus", "verification": "entered-in-error"}],
        "medications": [{"concept": "a", "status": "draft"}, {"concept": "b", "status": "cancelled"}, {"concept": "c"}],
        "observations": [{"concept": "d", "status": "cancelled"}],
    }
    read = reading_text(tree)
    assert read.aside() == {
        "conditions[0]": "entered in error",
        "medications[0]": "a draft",
        "medications[1]": "cancelled",
        "observations[0]": "cancelled",
    }
    assert intake(read.patient).entries == 5


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["2024-05-17", "active", "F", "12.1 g/dL"])
)
FIELDS = st.sampled_from(
    [
        "concept",
        "codes",
        "text",
        "start",
        "date",
        "end",
        "status",
        "value",
        "unit",
        "range",
        "dose",
        "per_day",
        "planned",
        "outcome",
        "items",
        "verification",
        "misread",
        "kind",
        "source",
        "family",
        "as_of",
    ]
)
MESS = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS | st.text(max_size=5), inner, max_size=4), max_leaves=8
)
LISTS = ["conditions", "observations", "medications", "procedures", "immunizations", "allergies", "absences", "set_aside", "misread"]


@given(
    st.fixed_dictionaries(
        {"id": st.just("p")}, optional={name: MESS | st.lists(MESS, max_size=4) for name in [*LISTS, "sex", "birth_date", "deceased"]}
    )
)
def test_no_tree_makes_the_reader_fall_and_nothing_is_lost(tree: dict[str, Any]) -> None:
    items = list(read_native(tree, "f.json", "p"))
    (item,) = items
    assert isinstance(item, PatientInput)
    patient = item.patient
    for name in LISTS[:6]:
        given_entries = tree.get(name)
        if isinstance(given_entries, list):
            family = next(one for one in FAMILIES if name.startswith(one[:6]))
            ours = {f"{name}[{index}]" for index in range(len(given_entries))}
            custom = [entry for entry in given_entries if isinstance(entry, dict) and entry.get("source") is not None]
            kept = len(patient.family(family))
            lost = sum(one.source in ours or one.family == family for one in patient.misread)
            aside = len(patient.set_aside)
            assert kept + lost + aside >= len(given_entries) - len(custom)
    assert read_native(patient_to_native(patient), "f.json", "p")
    (again,) = read_native(patient_to_native(patient), "f.json", "p")
    assert isinstance(again, PatientInput)
    assert again.patient == patient


@given(st.text(alphabet=st.characters(blacklist_categories=("Cs",)), min_size=12, max_size=30).filter(lambda text: text.strip() == text))
def test_no_value_of_a_patient_reaches_a_message(secret: str) -> None:
    secret = "Zq" + secret
    tree = {
        "id": "p",
        "birth_date": secret,
        "sex": secret,
        "deceased": secret,
        "written": secret,
        "conditions": [{"start": secret, "status": secret, "codes": secret, "text": [secret], "verification": secret}],
        "observations": [{"value": {"value": secret}, "range": secret, "items": secret, "interpretation": secret, "start": secret}],
        "medications": [{"dose": secret, "per_day": secret, "outcome": secret, "planned": secret, "supply": secret}],
        "absences": [secret, {"family": secret}],
    }
    (item,) = read_native(tree, "f.json", "p")
    assert isinstance(item, PatientInput)
    assert len(item.problems) >= 17
    assert not any(secret in str(problem) for problem in item.problems)


def test_a_patient_of_nothing_is_a_patient() -> None:
    assert patient_to_native(Patient(id="p")) == {"id": "p"}


def test_a_key_written_twice_costs_its_patient_nothing_more(reading_text: Callable[..., Read]) -> None:
    # JSON tells no lines: the list of patients above the doubled key is read all the same
    read = reading_text('[{"id": "p1", "sex": "F", "sex": "M"}, {"id": "p2"}]', "twice.json")
    assert [one.patient.id for one in read.inputs] == ["p1", "p2"]
    assert [problem.code for problem in read.problems] == ["duplicate-key"]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("id: p1\nsex: \x07F\n", "c.yaml:2:6: control-character"),
        ("id: p1\n? [sex]\n: F\n", "c.yaml:2:3: yaml-key"),
        ("id: p1\n~: F\n", "c.yaml:2:1: yaml-key"),
        ("id: p1\nsex: *f\n", "c.yaml:2:6: yaml-anchor"),
    ],
)
def test_what_no_chart_says_is_told_with_its_place(reading_text: Callable[..., Read], text: str, place: str) -> None:
    read = reading_text(text, "c.yaml")
    assert not read.inputs
    assert [str(problem).rpartition("/")[2].startswith(place) for problem in read.loose] == [True], read.loose
