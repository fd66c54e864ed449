"""Files and folders: formats by content, order, what belongs together, and what cannot be read."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from eligibility.errors import Problem, UsageError
from eligibility.sources import fhir_strict, raw
from eligibility.sources import intake as module
from eligibility.sources.arrival import PatientInput, intake
from eligibility.sources.intake import read

from .conftest import Read

PATIENT = {"resourceType": "Patient", "id": "q", "gender": "female", "birthDate": "1980-05-17"}
OBSERVATION = {
    "resourceType": "Observation",
    "id": "o1",
    "status": "final",
    "code": {"text": "haemoglobin"},
    "subject": {"reference": "Patient/q"},
    "effectiveDateTime": "2026-03-02",
    "valueQuantity": {"value": 12.1, "unit": "g/dL"},
}


def bundle(*resources: Any, **fields: Any) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "collection", **fields, "entry": [{"resource": one} for one in resources]}


def write(path: Path, content: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(
        content if isinstance(content, bytes) else content.encode() if isinstance(content, str) else json.dumps(content).encode()
    )
    return path


@pytest.mark.parametrize("name", ["b.json", "b.txt", "b.json.gz", "b.ndjson", "b.xyz", "list.json"])
def test_the_format_is_told_by_content(tmp_path: Path, reading: Callable[..., Read], name: str) -> None:
    content: Any = json.dumps(bundle(PATIENT, OBSERVATION))
    if name.endswith(".ndjson"):
        content = "\n".join(map(json.dumps, (PATIENT, OBSERVATION)))
    elif name == "list.json":
        content = [PATIENT, OBSERVATION]
    elif name.endswith(".gz"):
        content = gzip.compress(content.encode())
    got = reading(write(tmp_path / name, content))
    assert [one.value for one in got.patient.observations] == [12.1]
    assert not got.problems


def test_standard_input(reading: Callable[..., Read]) -> None:
    for data in (json.dumps(bundle(PATIENT, OBSERVATION)).encode(), gzip.compress(json.dumps({"id": "q"}).encode())):
        got = reading("-", stdin=io.BytesIO(data))
        assert got.patient.id == "q"
        assert got.inputs[0].file == "-"
    assert reading("-").codes() == {"no-input"}


def test_files_in_the_order_given_and_folders_by_name(tmp_path: Path, reading: Callable[..., Read]) -> None:
    for name in ("c.json", "a.json", "b/z.json", "b/y.yaml", ".hidden/x.json"):
        write(tmp_path / "f" / name, json.dumps({"id": name}))
    write(tmp_path / "f" / "notes.txt", "no patient")
    write(tmp_path / "one.json", {"id": "one"})
    got = reading(tmp_path / "one.json", tmp_path / "f")
    assert [item.patient.id for item in got.inputs] == ["one", "a.json", "b/y.yaml", "b/z.json", "c.json"]
    assert [(problem.code, problem.severity) for problem in got.problems] == [("other-files", "note")]
    assert reading(tmp_path / "nowhere").codes() == {"no-such-file"}
    (tmp_path / "bare").mkdir()
    assert reading(tmp_path / "bare").codes() == {"empty-folder"}


def test_one_bad_file_does_not_cost_the_others(tmp_path: Path, reading: Callable[..., Read]) -> None:
    write(tmp_path / "1.json", bundle(PATIENT, OBSERVATION))
    write(tmp_path / "2.json", '{"resourceType": "Bundle", "entry": [')
    write(tmp_path / "3.json", {"id": "third"})
    got = reading(tmp_path)
    assert [item.patient.id for item in got.inputs] == ["q", "third"]
    assert [(problem.code, Path(problem.file or "").name) for problem in got.problems] == [("truncated", "2.json")]


def test_progress_counts_files(tmp_path: Path) -> None:
    for number in range(5):
        write(tmp_path / f"{number}.json", {"id": str(number)})
    calls: list[tuple[int, int]] = []
    assert len(list(read([tmp_path], progress=lambda done, total: calls.append((done, total))))) == 5
    assert calls == [(1, 5), (2, 5), (3, 5), (4, 5), (5, 5)]


def test_only_the_patients_asked_for(tmp_path: Path, reading: Callable[..., Read]) -> None:
    other = {**PATIENT, "id": "r"}
    write(tmp_path / "b.json", bundle(PATIENT, other, OBSERVATION))
    write(tmp_path / "n.json", {"id": "s"})
    assert [item.patient.id for item in reading(tmp_path, patients=["r", "s"]).inputs] == ["r", "s"]
    assert reading(tmp_path, patients=[]).inputs == []


def test_split_bundles_are_joined_whatever_the_order(tmp_path: Path, reading: Callable[..., Read]) -> None:
    write(tmp_path / "1.json", bundle({**OBSERVATION, "id": "o2"}))
    write(tmp_path / "2.json", {"id": "between"})
    write(tmp_path / "3.json", bundle(PATIENT, OBSERVATION))
    got = reading(tmp_path)
    assert [(item.patient.id, len(item.patient.observations)) for item in got.inputs] == [("q", 2), ("between", 0)]
    alone = reading(tmp_path / "1.json")
    assert [(problem.code, problem.severity) for problem in alone.problems] == [("no-patient-resource", "warning")]
    backwards = reading(tmp_path / "3.json", tmp_path / "1.json")
    assert {entry.source for entry in backwards.patient.observations} == {"Observation/o1", "Observation/o2"}


def test_differing_birth_dates_and_sexes_are_alternatives(tmp_path: Path, reading: Callable[..., Read]) -> None:
    write(tmp_path / "1.json", bundle(PATIENT))
    write(tmp_path / "2.json", bundle({**PATIENT, "birthDate": "1981", "gender": "male"}))
    patient = reading(tmp_path).patient
    assert ([str(one) for one in patient.birth_date], patient.sex) == (["1980-05-17", "1981"], ("female", "male"))


def test_the_same_id_in_our_own_form_is_reported(tmp_path: Path, reading: Callable[..., Read]) -> None:
    write(tmp_path / "1.json", {"id": "q", "sex": "F"})
    write(tmp_path / "2.json", bundle(PATIENT, OBSERVATION))
    got = reading(tmp_path)
    assert got.codes() == {"same-patient"}
    assert not got.patient.observations


def test_a_large_bundle_is_read_entry_by_entry_and_says_the_same(
    tmp_path: Path, reading: Callable[..., Read], monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = bundle(
        PATIENT,
        OBSERVATION,
        {**OBSERVATION, "id": "o2", "effectiveDateTime": "2026-02-30"},
        {"resourceType": "Claim", "id": "x"},
        timestamp="2026-04-01",
    )
    tree["entry"] += ["a word", {"resource": {"resourceType": "MedicationRequest", "id": "m", "subject": {"reference": "Patient/q"}}}]
    small = reading(write(tmp_path / "b.json", tree))
    packed = write(tmp_path / "b.json.gz", gzip.compress(json.dumps(tree).encode()))
    monkeypatch.setattr(module, "LARGE", 64)
    for path in (tmp_path / "b.json", packed):
        large = reading(path)
        assert large.patient == small.patient
        assert [problem.code for problem in large.problems] == [problem.code for problem in small.problems]
    cut = reading(write(tmp_path / "cut.json", json.dumps(tree)[:-300]))
    assert cut.codes() == {"truncated"}
    assert not cut.inputs, "half a chart would look like a whole one"
    damaged = reading(write(tmp_path / "cut.json.gz", packed.read_bytes()[:-40]))
    assert damaged.codes() == {"bad-gzip"}
    assert not damaged.inputs
    two = reading(tmp_path / "b.json", write(tmp_path / "more.json", bundle({**OBSERVATION, "id": "o3"})))
    assert len(two.patient.observations) == 3


def test_a_bad_line_is_its_patients(broken: Callable[[str], Read]) -> None:
    read_ = broken("bad-line.ndjson")
    assert [(one.source, one.family) for one in read_.patient.misread] == [("unreadable@line 2", None)]
    assert [(problem.code, problem.line) for problem in read_.problems] == [("truncated", 2)]
    assert len(read_.patient.conditions) == 1


def test_bad_entries_cost_themselves(broken: Callable[[str], Read]) -> None:
    got = broken("bad-entries.json")
    assert [(one.source, one.misread) for one in got.patient.observations] == [
        ("Observation/nan", ("value",)),
        ("Observation/huge", ("value",)),
        ("Observation/good", ()),
    ]
    assert [(one.source, one.family) for one in got.patient.misread] == [
        ("Condition/twice", None),
        ("unreadable@entry[4]", None),
        ("unreadable@entry[5]", None),
    ]
    assert sorted(problem.code for problem in got.problems) == ["bad-value", "bad-value", "duplicate-key", "no-kind", "wrong-type"]
    assert all(problem.where and problem.where.startswith("entry[") for problem in got.problems)
    assert intake(got.patient).entries == 7


@pytest.mark.parametrize(("name", "code"), [("not-fhir-r4.json", "fhir-version"), ("truncated-bundle.json", "truncated")])
def test_bundles_that_cannot_be_read(broken: Callable[[str], Read], name: str, code: str) -> None:
    got = broken(name)
    assert (got.inputs, got.codes()) == ([], {code})


def test_entries_that_are_nobodys_are_told(tmp_path: Path, reading: Callable[..., Read]) -> None:
    stray = {key: value for key, value in OBSERVATION.items() if key != "subject"}
    got = reading(write(tmp_path / "b.json", bundle(PATIENT, {**PATIENT, "id": "r"}, stray, {"resourceType": "Organization", "id": "h"})))
    assert [(problem.code, problem.severity) for problem in got.problems] == [("no-subject", "error"), ("no-patient", "note")]
    assert "1 Observation, 1 Organization" in got.problems[1].message
    nobody = reading(write(tmp_path / "o.json", {"resourceType": "Organization", "id": "h"}))
    assert [(problem.code, problem.severity) for problem in nobody.problems] == [("no-patient", "error")]
    assert [(problem.code, problem.severity) for problem in reading(write(tmp_path / "e.json", bundle())).problems] == [
        ("no-patient", "error")
    ]


def test_nested_deleted_and_empty_entries(tmp_path: Path, reading: Callable[..., Read]) -> None:
    tree = bundle(PATIENT, OBSERVATION, bundle({**OBSERVATION, "id": "o2"}))
    tree["entry"] += [{"request": {"method": "DELETE", "url": "Observation/o1"}}, {"response": {"status": "200"}}]
    got = reading(write(tmp_path / "b.json", tree))
    assert set(got.entries()) == {"Observation/o2"}
    assert got.aside()["Observation/o1"] == "deleted by the source"
    assert got.aside()["Bundle@entry[3]"] == "an entry without a resource"
    assert intake(got.patient).entries == 5


def test_same_input_same_answer(reading: Callable[..., Read]) -> None:
    folder = Path(__file__).resolve().parents[2] / "fixtures" / "fhir-quirks"
    assert [str(item) for item in read([folder])] == [str(item) for item in read([folder])]


MEDICATION = {
    "resourceType": "MedicationStatement",
    "id": "m1",
    "status": "active",
    "medicationCodeableConcept": {"text": "azathioprine"},
    "subject": {"reference": "Patient/q"},
}


def lost(read: Read) -> list[tuple[str, str | None]]:
    return [(one.source, one.family) for one in read.patient.misread]


@pytest.mark.parametrize("content", [None, "garbage{", b"\x00\xff\x80", ""])
@pytest.mark.parametrize("listed", [True, False])
def test_a_part_of_an_export_that_is_not_there_is_no_silence(
    tmp_path: Path, reading: Callable[..., Read], content: str | bytes | None, listed: bool
) -> None:
    folder = tmp_path / "export"
    write(folder / "Patient.ndjson", PATIENT)
    write(folder / "MedicationStatement.ndjson", MEDICATION)
    kinds = ("Patient", "MedicationStatement", "MedicationRequest", "Encounter", "List")
    if listed:
        output = [{"type": kind, "url": f"https://ehr.example/{kind}.ndjson"} for kind in kinds]
        write(folder / "manifest.json", {"transactionTime": "2026-10-30", "output": output})
    if content is not None:
        write(folder / "MedicationRequest.ndjson", content)
    expected = [("MedicationRequest.ndjson", "medication")] if content is not None or listed else []
    assert lost(reading(folder)) == expected, "an encounter or a list that is missing leaves nothing out that would close a question"


def test_a_part_of_no_known_kind_may_be_anything(tmp_path: Path, reading: Callable[..., Read]) -> None:
    write(tmp_path / "a.json", bundle(PATIENT))
    write(tmp_path / "c.json", '{"resourceType": "Bundle", ')
    assert lost(reading(tmp_path)) == [], "a chart beside another's is nobody else's"
    write(tmp_path / "b.json", bundle(OBSERVATION))
    assert lost(reading(tmp_path)) == [("c.json", None)]
    assert lost(reading(tmp_path / "a.json", tmp_path / "b.json", tmp_path / "gone.json")) == [("gone.json", None)]


def test_a_part_that_breaks_off_while_it_is_read_is_no_silence(
    tmp_path: Path, reading: Callable[..., Read], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LARGE", 1000)
    write(tmp_path / "a.json", bundle(PATIENT))
    text = json.dumps(bundle(*({**OBSERVATION, "id": f"o{number}"} for number in range(20))))
    write(tmp_path / "b.json", text)
    assert lost(reading(tmp_path)) == []
    write(tmp_path / "b.json", text[:-10])  # it names the patient, and half of it is lost
    assert lost(reading(tmp_path)) == [("b.json", None)]


def test_the_page_after_a_page_of_a_search_is_no_silence(tmp_path: Path, reading: Callable[..., Read]) -> None:
    def page(name: str, resource: Any, itself: str | None, following: str | None) -> Path:
        links = [{"relation": kind, "url": url} for kind, url in (("self", itself), ("next", following)) if url is not None]
        return write(tmp_path / name, bundle(resource, type="searchset", link=links))

    first = page("1.json", PATIENT, "https://ehr.example?p=1", "https://ehr.example?p=2")
    read = reading(first)
    assert lost(read) == [("after 1.json", None)]
    assert [(problem.code, problem.severity) for problem in read.problems] == [("missing-page", "error")]
    third = page("3.json", MEDICATION, "https://ehr.example?p=3", None)
    assert lost(reading(first, third)) == [("after 1.json", None)]
    second = page("2.json", OBSERVATION, "https://ehr.example?p=2", "https://ehr.example?p=3")
    whole = reading(first, second, third)
    assert (lost(whole), whole.problems) == ([], [])
    unnamed = page("3.json", MEDICATION, None, None)
    assert lost(reading(first, unnamed)) == [], "a page that does not say its address may be the one that comes next"


def test_an_answer_that_is_not_whole_is_no_silence(reading_text: Callable[..., Read]) -> None:
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "timeout"}]}
    read = reading_text(bundle(PATIENT, OBSERVATION, outcome, type="searchset"))
    assert [one.family for one in read.patient.misread] == [None]
    assert [problem.code for problem in read.problems] == ["not-whole"]
    remark = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "informational"}]}
    assert reading_text(bundle(PATIENT, OBSERVATION, remark, type="searchset")).patient.misread == ()


def test_a_search_that_counts_more_than_it_holds_is_no_silence(tmp_path: Path, reading: Callable[..., Read]) -> None:
    one = write(tmp_path / "1.json", bundle(PATIENT, MEDICATION, type="searchset", total=5))
    assert lost(reading(one)) == [("after 1.json", None)]
    more = [{**OBSERVATION, "id": f"o{number}"} for number in range(3)]
    two = write(tmp_path / "2.json", bundle(*more, type="searchset", total=5))
    assert lost(reading(one, two)) == []


def test_an_entry_without_a_resource_is_no_silence(reading_text: Callable[..., Read]) -> None:
    whole = bundle(PATIENT, OBSERVATION)
    whole["entry"].append({"fullUrl": "urn:uuid:1"})
    read = reading_text(whole)
    assert [(one.family, one.why) for one in read.patient.misread] == [(None, "an entry without a resource")]
    assert [problem.code for problem in read.problems] == ["no-resource"]


def test_a_kind_that_fhir_does_not_have_is_not_set_aside(reading_text: Callable[..., Read]) -> None:
    read = reading_text(bundle(PATIENT, {**MEDICATION, "resourceType": "MedicationStatements"}))
    assert [(one.family, one.why) for one in read.patient.misread] == [(None, "of a kind that FHIR R4 does not have")]
    (problem,) = read.problems
    assert (problem.code, problem.where) == ("no-kind", "entry[1]")
    assert "MedicationStatement" in str(problem.instead)
    older = reading_text(bundle(PATIENT, {**MEDICATION, "resourceType": "MedicationOrder"}))
    assert [(one.family, one.why) for one in older.patient.misread] == [("medication", "of FHIR DSTU2, not R4")]
    assert reading_text(bundle(PATIENT, {"resourceType": "ImagingStudy", "subject": MEDICATION["subject"]})).patient.misread == ()


def test_what_is_packed_is_read_up_to_a_size(reading_text: Callable[..., Read], monkeypatch: pytest.MonkeyPatch) -> None:
    packed = gzip.compress(json.dumps(PATIENT).encode())
    assert reading_text(packed, "p.json.gz").patient.id == "q"
    monkeypatch.setattr(raw, "MOST_UNPACKED", 50)
    assert [problem.code for problem in reading_text(packed, "p.json.gz").problems] == ["too-large"]


def test_the_strict_check_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(fhir_strict, "import_module", missing)
    with pytest.raises(UsageError, match="fhir-strict"):
        next(iter(read(["x.json"], strict_fhir=True)))


def test_the_strict_check_reports_and_the_record_is_read_all_the_same(tmp_path: Path, reading: Callable[..., Read]) -> None:
    pytest.importorskip("fhir.resources.R4B", reason="the extra fhir-strict is not installed")
    bad = {**OBSERVATION, "id": "o2", "code": None, "favouriteColour": "secretly blue"}
    path = write(tmp_path / "b.json", bundle(PATIENT, OBSERVATION, {key: value for key, value in bad.items() if value is not None}))
    plain, strict = reading(path), reading(path, strict_fhir=True)
    assert plain.patient == strict.patient
    assert [(problem.code, problem.severity) for problem in strict.problems] == [("fhir-violation", "warning")] * 2
    said = " ".join(map(str, strict.problems))
    assert "entry[2] (Observation/o2)" in said
    assert "favouriteColour" in said
    assert "secretly blue" not in said


def test_an_input_is_a_patient_or_a_problem(reading: Callable[..., Read], broken: Callable[[str], Read]) -> None:
    folder = Path(__file__).resolve().parents[1] / "broken" / "patients"
    got = reading(folder)
    assert all(isinstance(item, (PatientInput, Problem)) for item in got.items)
    assert len(got.problems) > 30
    assert all(problem.file and problem.code and problem.message for problem in got.problems)
