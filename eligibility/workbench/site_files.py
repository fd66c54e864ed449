"""A site's settings and people's answers, read from YAML or JSON with the place of every mistake."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from ..errors import RuleFileError, UsageError
from ..language.diagnostics import diagnose
from ..language.reader import Located, read_yaml_file
from ..model.site import Attestation, Site

_T = TypeVar("_T")
_SHOWN = "docs/cli.md shows one"
_ATTESTATIONS: TypeAdapter[tuple[Attestation, ...]] = TypeAdapter(tuple[Attestation, ...])


def load_site(path: str | Path) -> Site:
    """A site file in the shape of :class:`eligibility.model.site.Site`.

    Raises :class:`UsageError` with every mistake, each with its line.
    """
    tree = _read(path)
    if not isinstance(tree.data, dict) or (tree.data and Site.model_fields.keys().isdisjoint(tree.data)):
        words = ", ".join(Site.model_fields)
        raise UsageError(str(tree.problem("not-a-site-file", f"a site file has words of {words}; this has none", instead=_SHOWN)))
    return _validated(lambda data: Site.model_validate(numbers_of_ranges(data)), tree, Site)


def load_attestations(path: str | Path) -> tuple[Attestation, ...]:
    """An attestation file: a list in the shape of :class:`eligibility.model.site.Attestation`.

    Raises :class:`UsageError` with every mistake, each with its line.
    """
    tree = _read(path)
    if not isinstance(tree.data, list):
        raise UsageError(str(tree.problem("not-a-list", "an attestation file is a list of answers; this is none", instead=_SHOWN)))
    return _validated(_ATTESTATIONS.validate_python, tree, Attestation)


def numbers_of_ranges(data: Any) -> Any:
    """The tree of a site file with the numbers of its ranges as numbers: the reader leaves all text as written."""
    ranges = data.get("ranges") if isinstance(data, dict) else None
    for entries in ranges.values() if isinstance(ranges, dict) else ():
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, dict):
                entry.update({key: _number(entry[key]) for key in ("low", "high", "age_from", "age_to") if key in entry})
    return data


def _read(path: str | Path) -> Located:
    try:
        return read_yaml_file(Path(path), str(path))
    except RuleFileError as error:  # not a rule file: the mistake is one of the call
        raise UsageError(str(error)) from None


def _validated(validate: Callable[[Any], _T], tree: Located, model: type[BaseModel]) -> _T:
    try:
        return validate(tree.data)
    except ValidationError as error:
        found = diagnose(error, tree, model, quoting=False)
        told = (replace(one, instead=_SHOWN) if one.code == "wrong-type" else one for one in found)
        raise UsageError("\n".join(map(str, told))) from None


def _number(text: Any) -> Any:
    try:
        return float(text)
    except (TypeError, ValueError):
        return text
