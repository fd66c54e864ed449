"""The JSON Schemas are valid, the same bytes every time, and take what the readers take."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from eligibility.language.reader import plain, read_yaml
from eligibility.language.schema import SCHEMAS, schema_text

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"


def mistakes(name: str, document: Any) -> list[str]:
    validator = jsonschema.Draft202012Validator(json.loads(schema_text(name)))
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)]


def texts(path: Path) -> Any:
    return plain(read_yaml(path.read_text(encoding="utf-8"), path.name).data)


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_schemas_are_schemas_and_the_same_bytes(name: str) -> None:
    text = schema_text(name)
    jsonschema.Draft202012Validator.check_schema(json.loads(text))
    assert schema_text(name) == text
    assert text.endswith("\n")


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared examples are not beside this checkout")
def test_the_published_examples_are_valid() -> None:
    assert mistakes("rules", texts(SHARED / "examples" / "NCT06451159.yaml")) == []
    assert mistakes("definitions", texts(SHARED / "examples" / "definitions.yaml")) == []


@pytest.mark.parametrize("path", sorted((ROOT / "rules" / "trials").rglob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_trials_are_valid(path: Path) -> None:
    assert mistakes("rules", texts(path)) == []


@pytest.mark.parametrize("path", sorted((ROOT / "rules" / "definitions").rglob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_definitions_are_valid(path: Path) -> None:
    assert mistakes("definitions", texts(path)) == []


def test_shipped_concepts_are_valid() -> None:
    for path in sorted((ROOT / "rules" / "concepts").rglob("*.yaml")):
        # as an editor reads it: numbers are numbers there
        document = json.loads(json.dumps(yaml.safe_load(path.read_text(encoding="utf-8")), default=str))
        assert mistakes("concepts", document) == [], path.name


def test_a_wrong_word_is_no_valid_rule_file() -> None:
    good = {"trial": {"id": "NCT1", "title": "A"}, "inclusion": [{"id": "I1", "text": "a", "when": {"sex": "female"}}]}
    assert mistakes("rules", good) == []
    for wrong in ({"sxe": "female"}, {"sex": "femal"}, {"any_of": []}, {"condition": "lupus", "now": "NO"}, []):
        bad = {**good, "inclusion": [{**good["inclusion"][0], "when": wrong}]}  # type: ignore[dict-item]
        # an empty list is a matter of counting, which the reader does
        assert mistakes("rules", bad) or wrong == {"any_of": []}


def test_a_patient_typed_by_hand_is_valid() -> None:
    patient = yaml.safe_load(
        """
        id: p1
        birth_date: 1977-03
        sex: female
        written: "2026-11-01"
        conditions:
          - {concept: ms-secondary-progressive, start: 2019, status: active, codes: icd10cm|G35.C}
        observations:
          - {concept: edss, date: "2026-10-20", value: 5.5}
          - {concept: hemoglobin, date: "2026-10-20", value: 12.1, unit: g/dL}
        absences:
          - {family: allergy, kind: none-known, as_of: "2026-10-20"}
        """
    )
    assert mistakes("patient", patient) == []
    assert mistakes("patient", {**patient, "sex": ["female", "male"]}) == []
    assert mistakes("patient", {**patient, "sexx": "female"})
    assert mistakes("patient", {"birth_date": "1977"})


class _Typed(yaml.SafeLoader):
    """YAML as an editor reads it, but for dates, which stay text."""


_Typed.yaml_implicit_resolvers = {
    first: [resolver for resolver in resolvers if resolver[0] != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


@pytest.mark.parametrize("file", sorted((ROOT / "fixtures" / "patients").glob("*.yaml")), ids=lambda file: file.stem)
def test_an_editor_underlines_nothing_in_the_fixtures(file: Path) -> None:
    validator = jsonschema.Draft202012Validator(json.loads(schema_text("patient")))
    patient = yaml.load(file.read_text(encoding="utf-8"), Loader=_Typed)
    assert [f"{list(error.absolute_path)}: {error.message}" for error in validator.iter_errors(patient)] == []
