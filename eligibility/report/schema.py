"""The JSON Schema of ``eligibility/screening/1``: what ``eligibility.report.json`` writes, for programs that read it.

Written by hand beside the writer, since it is a contract: the tests hold every output to it, and a
change of it is a change of the schema's number.
"""

from __future__ import annotations

from typing import Any

from ..model.finding import REASONS
from ..model.flag import AXES
from .json import SCHEMA
from .results import PUBLISHED

_TEXT: dict[str, Any] = {"type": "string"}
_TEXT_OR_NULL: dict[str, Any] = {"type": ["string", "null"]}
_NUMBER_OR_NULL: dict[str, Any] = {"type": ["number", "null"]}
_COUNT: dict[str, Any] = {"type": "integer", "minimum": 0}
_FLAG: dict[str, Any] = {"type": "boolean"}
_DATE_OR_NULL: dict[str, Any] = {"type": ["string", "null"], "pattern": r"^\d{4}-\d{2}-\d{2}$"}
_TRUTH: dict[str, Any] = {"enum": ["true", "false", "unknown"]}
_FAMILY: dict[str, Any] = {"enum": ["condition", "observation", "medication", "procedure", "immunization", "allergy"]}
_FAMILY_OR_NULL: dict[str, Any] = {"enum": [*_FAMILY["enum"], None]}
_EFFECT: dict[str, Any] = {"enum": ["passes", "blocks", "open"]}
_STATUS: dict[str, Any] = {"enum": ["no_barrier_found", "undetermined", "barrier_found"]}


def _object(**properties: dict[str, Any]) -> dict[str, Any]:
    """An object with exactly these fields; a trailing underscore spares a Python word."""
    fields = {name.rstrip("_"): schema for name, schema in properties.items()}
    return {"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False}


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/$defs/{name}"}


def _definitions() -> dict[str, Any]:
    answer: dict[str, dict[str, Any]] = {
        "basis": {"enum": ["recorded", "presumed_absent", "attested", "derived", "none"]},
        "presumed": {"enum": ["true", "false", None]},
        "assumes": _list(_ref("assumption")),
        "reasons": _list(_ref("reason")),
        "evidence": _list({"anyOf": [_ref("fact"), _ref("absence")]}),
        "settled_by": _list({"type": "array", "items": _ref("need"), "minItems": 1}),
        "margin": {"anyOf": [_ref("margin"), {"type": "null"}]},
    }
    return {
        "counts": _object(**dict.fromkeys(("passes", "not_applicable", "blocks", "open", "ask", "not_published"), _COUNT)),
        "assumption": _object(
            kind={"enum": ["silence", "presumed_not", "before_anchor", "horizon", "scheduled", "assumed_width", "site_range"]},
            item=_TEXT,
            family=_FAMILY_OR_NULL,
            from_=_DATE_OR_NULL,
            to=_DATE_OR_NULL,
            since=_DATE_OR_NULL,
            sources=_list(_TEXT),
            text=_TEXT,
        ),
        "reason": _object(code={"enum": list(REASONS)}, item=_TEXT, detail=_TEXT, source=_TEXT_OR_NULL),
        "fact": _object(
            family=_FAMILY,
            concept=_TEXT_OR_NULL,
            date=_TEXT_OR_NULL,
            value=_TEXT_OR_NULL,
            unit=_TEXT_OR_NULL,
            low=_NUMBER_OR_NULL,
            high=_NUMBER_OR_NULL,
            low_open=_FLAG,
            high_open=_FLAG,
            end=_TEXT_OR_NULL,
            status=_TEXT_OR_NULL,
            certain=_FLAG,
            source=_TEXT_OR_NULL,
        ),
        "absence": _object(absence=_TEXT, family=_FAMILY, from_=_TEXT_OR_NULL, to=_TEXT_OR_NULL, source=_TEXT_OR_NULL),
        "need": _object(
            do={"enum": ["record", "refine", "map", "attest", "anchor", "wait", "none"]},
            item=_TEXT,
            family=_FAMILY_OR_NULL,
            concept=_TEXT_OR_NULL,
            attribute=_TEXT_OR_NULL,
            source=_TEXT_OR_NULL,
            from_=_DATE_OR_NULL,
            to=_DATE_OR_NULL,
            absence=_FLAG,
            text=_TEXT,
        ),
        "margin": _object(amount={"type": "number", "minimum": 0}, unit=_TEXT, side={"enum": ["inside", "outside"]}),
        "changes_on": _object(date=_DATE_OR_NULL, effect=_EFFECT),
        "clause": _object(
            text=_TEXT,
            logic={"enum": ["all_of", "any_of", "none_of", "of", "readings", None]},
            truth=_TRUTH,
            **answer,
            clauses=_list(_ref("clause")),
        ),
        "criterion": _object(
            id=_TEXT,
            kind={"enum": ["inclusion", "exclusion"]},
            text=_TEXT,
            truth=_TRUTH,
            effect=_EFFECT,
            applies=_TRUTH,
            **answer,
            changes_on={"anyOf": [_ref("changes_on"), {"type": "null"}]},
            clauses=_list(_ref("clause")),
        ),
        "arm": _object(arm=_TEXT, title=_TEXT, open=_FLAG, status=_STATUS, counts=_ref("counts"), criteria=_list(_ref("criterion"))),
        "flag_source": _object(title=_TEXT, year={"type": ["integer", "null"]}, url=_TEXT_OR_NULL),
        "score": _object(
            name=_TEXT,
            formula=_TEXT,
            formula_source=_TEXT,
            value={"anyOf": [_object(low=_NUMBER_OR_NULL, high=_NUMBER_OR_NULL, unit=_TEXT, text=_TEXT), {"type": "null"}]},
            reported=_FLAG,
            inputs=_list(_object(concept=_TEXT, evidence=_list(_ref("fact")))),
            missing=_list(_TEXT),
            cutoff=_TEXT,
            limits=_TEXT,
        ),
        "flag": _object(
            id=_TEXT,
            axis={"enum": list(AXES)},
            state={"enum": ["raised", "unknown"]},
            severity=_TEXT,
            title=_TEXT,
            message=_TEXT,
            because=_list(
                {
                    "anyOf": [
                        _object(fact=_TEXT, evidence={"anyOf": [_ref("fact"), _ref("absence")]}),
                        _object(product=_TEXT, says=_TEXT_OR_NULL),
                        _object(flag=_TEXT),
                        _object(**{"not": _TEXT}),
                    ]
                }
            ),
            depth=_COUNT,
            population=_TEXT,
            evidence=_TEXT,
            source=_ref("flag_source"),
            sources=_list(_ref("flag_source")),
            caveat=_TEXT_OR_NULL,
            missing=_list(_TEXT),
            settled_by=answer["settled_by"],
            score={"anyOf": [_ref("score"), {"type": "null"}]},
            shown=_list(_object(text=_TEXT, evidence=_ref("fact"))),
        ),
        "screening": _object(
            trial=_TEXT,
            status=_STATUS,
            presumed=_FLAG,
            counts=_ref("counts"),
            arms=_list(_ref("arm")),
            criteria=_list(_ref("criterion")),
            flags=_list(_ref("flag")),
        ),
        "notice": _object(
            code={"enum": ["deceased", "repaired", "attestation_lapsed"]},
            date=_TEXT_OR_NULL,
            detail=_TEXT,
            source=_TEXT_OR_NULL,
            text=_TEXT,
        ),
        "intake": _object(
            file=_TEXT,
            entries=_COUNT,
            facts=_COUNT,
            not_understood=_list(_object(source=_TEXT, text=_TEXT)),
            set_aside=_list(_object(source=_TEXT, why=_TEXT)),
        ),
        "patient": _object(patient=_TEXT, notices=_list(_ref("notice")), intake=_ref("intake"), screenings=_list(_ref("screening"))),
        "trial": _object(
            id=_TEXT,
            title=_TEXT,
            recruitment=_object(status=_TEXT, as_of=_DATE_OR_NULL),
            record_date=_DATE_OR_NULL,
            completeness={"enum": ["full", "partial", "metadata"]},
            published=_object(**dict.fromkeys(PUBLISHED, _COUNT)),
            digest=_TEXT,
        ),
        "error": _object(file=_TEXT_OR_NULL, where=_TEXT_OR_NULL, code=_TEXT, severity=_TEXT, message=_TEXT),
    }


def _since() -> dict[str, Any]:
    effect = {"enum": [*_EFFECT["enum"], None]}
    turned = _object(id=_TEXT, kind={"enum": ["barrier", "lifted", "opened", "closed"]}, before=effect, after=effect)
    return _object(
        as_of=_DATE_OR_NULL,
        patients=_object(new=_list(_TEXT), gone=_list(_TEXT)),
        trials=_object(new=_list(_TEXT), gone=_list(_TEXT), rules_changed=_list(_TEXT)),
        settings_changed=_list(_TEXT),
        changes=_list(_object(patient=_TEXT, trial=_TEXT, status=_object(before=_STATUS, after=_STATUS), criteria=_list(turned))),
        unchanged=_COUNT,
    )


def _visit() -> dict[str, Any]:
    change = _object(patient=_TEXT, trial=_TEXT, id=_TEXT, effect=_EFFECT, date=_DATE_OR_NULL, becomes=_EFFECT)
    return _object(date=_DATE_OR_NULL, changes=_list(change))


def screening_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a screening's JSON."""
    top = _object(
        schema={"const": SCHEMA},
        engine=_object(version=_TEXT, chainer=_TEXT),
        rules={"type": "string", "pattern": "^sha256:[0-9a-f]+$"},
        as_of={"type": "string", "pattern": _DATE_OR_NULL["pattern"]},
        absence={"enum": ["presumed", "unknown"]},
        anchors={"type": "object", "additionalProperties": _TEXT},
        digests={"type": "object"},
        conventions=_list(_TEXT),
        trials=_list(_ref("trial")),
        patients=_list(_ref("patient")),
        errors=_list(_ref("error")),
    )
    top["properties"] |= {"since": _since(), "visit": _visit()}  # only where --since and --visit ask for them
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Screening of records against published trial criteria",
        **top,
        "$defs": _definitions(),
    }
