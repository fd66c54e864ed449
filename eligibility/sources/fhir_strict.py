"""The optional strict check: what the models of fhir.resources (R4B) find wrong with a resource.

It reports and never refuses: the tolerant reading goes on as if it had not been asked. Messages name
the field and the kind of mistake, never what stood there. Needs the extra ``fhir-strict``.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from importlib import import_module
from typing import Any

from pydantic import ValidationError

from ..errors import Problem, UsageError

_WORDS = {
    "missing": "a required field is missing",
    "extra_forbidden": "FHIR R4 has no such field here",
    "string_type": "a text belongs here",
    "bool_type": "true or false belongs here",
    "bool_parsing": "true or false belongs here",
    "list_type": "a list belongs here",
    "dict_type": "an object belongs here",
    "decimal_parsing": "a number belongs here",
    "int_parsing": "a whole number belongs here",
    "string_pattern_mismatch": "the text is not of the form FHIR asks for",
    "literal_error": "the word is not one of those FHIR has here",
}


def require() -> None:
    """Raise :class:`eligibility.errors.UsageError` where fhir.resources is not installed."""
    try:
        import_module("fhir.resources.R4B")
    except ImportError:
        raise UsageError(
            "the strict check needs fhir.resources, which is not installed; "
            "run: pip install 'eligibility[fhir-strict]', or leave out --strict-fhir"
        ) from None


@lru_cache(maxsize=256)
def _model(kind: str) -> Any:
    try:
        module = import_module(f"fhir.resources.R4B.{kind.lower()}")
    except ImportError:
        return None
    return getattr(module, kind, None)


def violations(body: dict[str, Any], kind: str, file: str, where: str, line: int | None = None) -> Iterator[Problem]:
    """What is not R4 in one resource, each as a warning with its place."""
    model = _model(kind) if kind.isidentifier() else None
    if model is None:
        yield Problem("fhir-violation", "FHIR R4 has no such kind of resource", file=file, where=where, line=line, severity="warning")
        return
    try:
        model.model_validate(body)
    except ValidationError as error:
        seen = set()
        for one in error.errors(include_url=False, include_context=False, include_input=False):
            path = ".".join(str(part) for part in one["loc"])
            message = _WORDS.get(one["type"], "this is not as FHIR R4 has it")
            if (path, message) not in seen:
                seen.add((path, message))
                yield Problem(
                    "fhir-violation", message, file=file, where=f"{where}.{path}" if path else where, line=line, severity="warning"
                )
    except (TypeError, ValueError, AttributeError, KeyError, RecursionError):
        # the library's own checks may stumble over what they did not expect; that, too, is a violation
        yield Problem("fhir-violation", "this is not as FHIR R4 has it", file=file, where=where, line=line, severity="warning")
