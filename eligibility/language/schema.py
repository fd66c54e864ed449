"""JSON Schemas of what people write: rule files, definitions, concepts, patients.

Made from the models, so they cannot fall behind, and written with sorted keys, so that the same
version gives the same bytes. Editors read them to complete words and underline mistakes; what the
schemas cannot say (is there such a concept) ``rules check`` says.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

from pydantic import TypeAdapter

from ..model.flag import FlagFile
from ..model.patient import Patient
from ..model.trial import Definition, TrialFile
from ..vocabulary.concept import Concept

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def rule_file_schema() -> dict[str, Any]:
    """Of a rule file: one trial with its criteria."""
    return _finished(_as_text(TrialFile.model_json_schema(by_alias=True)), "Rule file of a trial")


def definitions_schema() -> dict[str, Any]:
    """Of a file of shared definitions: names with what they mean."""
    return _finished(_as_text(TypeAdapter(dict[str, Definition]).json_schema(by_alias=True)), "Shared definitions")


def flags_schema() -> dict[str, Any]:
    """Of a file of flags."""
    return _finished(_as_text(FlagFile.model_json_schema(by_alias=True)), "Flag file")


def concepts_schema() -> dict[str, Any]:
    """Of a file of concepts: ids with what the vocabulary says of them."""
    schema = TypeAdapter(dict[str, Concept]).json_schema(by_alias=True)
    concept = schema["$defs"]["Concept"]
    # a concept's id is its key in the file
    concept["properties"].pop("id")
    concept["required"] = [name for name in concept["required"] if name != "id"]
    return _finished(schema, "Concepts of the vocabulary")


def patient_schema() -> dict[str, Any]:
    """Of the native patient record in the shape of the model, with the short forms its docstring shows.

    One birth date, sex or code needs no list, ``date`` may stand for ``start``, and a year may be a
    number. The reader takes further short forms; these are the ones to write.
    """
    schema = Patient.model_json_schema(by_alias=True)
    _years(schema)
    for name in ("birth_date", "sex"):
        schema["properties"][name] = _one_or_more(schema["properties"][name])
    for entry in schema["$defs"].values():
        fields = entry.get("properties", {})
        if "recorded" in fields:
            fields["date"] = fields["start"]
        # a dose, a range and an outcome are most often typed as text: 12.5 mg/day, 10-40, intolerance
        for name, kind in (("dose", "string"), ("range", "string"), ("per_day", "string"), ("grade", "number")):
            if name in fields:
                fields[name] = {"anyOf": [*fields[name].get("anyOf", [fields[name]]), {"type": kind}], "title": name}
        if "outcome" in fields:
            fields["outcome"] = _one_or_more(fields["outcome"])
        if "codes" in fields:
            listed = fields["codes"]
            fields["codes"] = _one_or_more({**listed, "items": {"anyOf": [listed["items"], {"type": "string"}]}})
    return _finished(schema, "Patient record")


def _one_or_more(listed: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [listed["items"], {"type": "array", "items": listed["items"]}], "title": listed["title"]}


def _years(node: Any) -> None:
    """A date may be typed as a bare year, which YAML and JSON read as a number."""
    if isinstance(node, dict):
        if node.get("type") == "string" and "2023-11/2024-02" in node.get("examples", ()):
            node["type"] = ["string", "integer"]
        for below in node.values():
            _years(below)
    elif isinstance(node, list):
        for below in node:
            _years(below)


SCHEMAS: dict[str, Callable[[], dict[str, Any]]] = {
    "rules": rule_file_schema,
    "definitions": definitions_schema,
    "flags": flags_schema,
    "concepts": concepts_schema,
    "patient": patient_schema,
}
"""The schemas by the name ``rules schema`` takes."""


def schema_text(name: str = "rules") -> str:
    """A schema as JSON text, the same bytes for the same version. ``KeyError`` for a name there is not.

    >>> schema_text("patient").startswith('{\\n  "$defs"')
    True
    """
    return json.dumps(SCHEMAS[name](), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _finished(schema: dict[str, Any], title: str) -> dict[str, Any]:
    made = deepcopy(schema)
    made["$schema"], made["title"] = DIALECT, title
    _loosen(made)
    return made


def _as_text(schema: Any) -> Any:
    """Let every scalar be text, and every text what an editor's YAML reader makes of it.

    The rule reader takes ``version: 2``, ``is: NO`` and ``at_least: 2`` as the texts they are written
    as; a schema that insisted on one of text and number would underline them.
    """
    if isinstance(schema, dict):
        kind = schema.get("type")
        made = {key: _as_text(below) for key, below in schema.items()}
        if kind == "string" and not schema.keys() & {"enum", "const", "pattern", "format"}:
            made["type"] = ["string", "number", "boolean"]
        elif kind == "integer":
            made = {"anyOf": [made, {"type": "string", "pattern": "^[0-9]+$"}]}
        elif kind == "boolean":
            made = {"anyOf": [made, {"enum": ["true", "false"]}]}
        return made
    return [_as_text(below) for below in schema] if isinstance(schema, list) else schema


def _loosen(node: Any) -> None:
    """Defaults are the model's affair: leave them out where they are no JSON; docstrings lose their line breaks."""
    if isinstance(node, dict):
        default = node.get("default")
        if default is not None and not isinstance(default, str | int | float | bool | list | dict):
            del node["default"]
        if isinstance(node.get("description"), str):
            node["description"] = " ".join(node["description"].split())
        for below in node.values():
            _loosen(below)
    elif isinstance(node, list):
        for below in node:
            _loosen(below)
