"""A site's settings and people's answers, read from YAML or JSON with the place of every mistake."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from ..errors import Problem, RuleFileError, UsageError
from ..language.reader import Located, read_yaml_file
from ..model.site import Attestation, Site

_T = TypeVar("_T")


def load_site(path: str | Path) -> Site:
    """A site file in the shape of :class:`eligibility.model.site.Site`.

    Raises :class:`UsageError` with every mistake, each with its line.
    """
    tree = _read(path)
    return _validated(lambda data: Site.model_validate(numbers_of_ranges(data)), tree)


def load_attestations(path: str | Path) -> tuple[Attestation, ...]:
    """An attestation file: a list in the shape of :class:`eligibility.model.site.Attestation`.

    Raises :class:`UsageError` with every mistake, each with its line.
    """
    return _validated(TypeAdapter(tuple[Attestation, ...]).validate_python, _read(path))


def numbers_of_ranges(data: Any) -> Any:
    """The tree of a site file with the numbers of its ranges as numbers: the reader leaves all text as written."""
    ranges = data.get("ranges") if isinstance(data, dict) else None
    for entries in ranges.values() if isinstance(ranges, dict) else ():
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, dict):
                entry.update({key: _number(entry[key]) for key in ("low", "high", "age_from", "age_to") if key in entry})
    return data


def problems_of(error: ValidationError, tree: Located, under: tuple[str | int, ...] = ()) -> list[Problem]:
    """What is wrong with a part of a file, each with its place; never the value found there."""
    return [
        tree.problem(one["type"].replace("_", "-"), one["msg"], (*under, *one["loc"]))
        for one in error.errors(include_input=False, include_url=False)
    ]


def _read(path: str | Path) -> Located:
    try:
        return read_yaml_file(Path(path), str(path))
    except RuleFileError as error:  # not a rule file: the mistake is one of the call
        raise UsageError(str(error)) from None


def _validated(validate: Callable[[Any], _T], tree: Located) -> _T:
    try:
        return validate(tree.data)
    except ValidationError as error:
        raise UsageError("\n".join(map(str, problems_of(error, tree)))) from None


def _number(text: Any) -> Any:
    try:
        return float(text)
    except (TypeError, ValueError):
        return text
