"""A site's settings and people's answers, read from YAML or JSON with the place of every mistake."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from ..errors import Problem, RuleFileError, UsageError, did_you_mean
from ..language.diagnostics import diagnose
from ..language.reader import Located, read_yaml_file
from ..model.quantity import Interval
from ..model.site import Attestation, Site
from ..model.time import Duration
from ..vocabulary.vocabulary import UnitProblem, Vocabulary

_T = TypeVar("_T")
_SHOWN = "docs/cli.md shows one"


def load_site(path: str | Path) -> Site:
    """A site file in the shape of :class:`eligibility.model.site.Site`.

    Raises :class:`UsageError` with every mistake, each with its line.
    """
    tree = _read(path)
    if not isinstance(tree.data, dict) or (tree.data and Site.model_fields.keys().isdisjoint(tree.data)):
        words = ", ".join(Site.model_fields)
        raise UsageError(str(tree.problem("not-a-site-file", f"a site file has words of {words}; this has none", instead=_SHOWN)))
    return _validated(lambda data: Site.model_validate(numbers_of_ranges(data)), tree, Site)


def check_site(path: str | Path, site: Site, vocabulary: Vocabulary) -> None:
    """Hold a site file against the vocabulary: a range that can never be used is a mistake, not a silence.

    Raises :class:`UsageError` with every mistake, each with its line: a concept that is no known result,
    a unit that it is not measured in, ends in the wrong order, a horizon that is no length of time.
    """
    found = list(_mistakes(site, vocabulary, _read(path)))
    if found:
        raise UsageError("\n".join(map(str, found)))


def _mistakes(site: Site, vocabulary: Vocabulary, tree: Located) -> Iterator[Problem]:
    for name, rows in site.ranges.items():
        concept = vocabulary.concepts.get(name)
        if concept is None or concept.family != "observation":
            what = f"there is no concept {name}" if concept is None else f"{name} is no result, and has no range"
            near = vocabulary.near(name) if concept is None else "name what the laboratory measures"
            yield tree.problem("unknown-concept", what, ("ranges", name), key=True, instead=near)
            continue
        for number, row in enumerate(rows):
            at = ("ranges", name, number)
            unit = vocabulary.quantity(name, Interval.exactly(1.0), row.unit)
            if isinstance(unit, UnitProblem):
                accepted = did_you_mean(row.unit, vocabulary.units.names()) or f"it is compared in {concept.unit or 'no unit'}"
                yield tree.problem("wrong-unit", f"{concept.label} is not measured in this unit", (*at, "unit"), instead=accepted)
            for low, high in (("low", "high"), ("age_from", "age_to")):
                first, last = getattr(row, low), getattr(row, high)
                if first is not None and last is not None and first > last:
                    yield tree.problem("empty-range", f"{low} is above {high}", (*at, low), instead="write the smaller one first")
            if row.low is None and row.high is None:
                yield tree.problem("no-range", "the range has neither low nor high", at, instead="write one of them")
    if site.horizon is not None:
        try:
            Duration.parse(site.horizon)
        except ValueError as error:
            yield tree.problem("duration", str(error), ("horizon",))


def unknown_visits(path: str | Path, site: Site, schedules: Mapping[str, Collection[str]]) -> list[Problem]:
    """Notes of visits that no trial has, by trial id and the names of its schedule.

    No mistake: a version of a trial that is not in force may have them.
    """
    tree = _read(path)
    every = {visit for names in schedules.values() for visit in names}
    notes = []
    for name in site.visits:
        trial, colon, visit = name.rpartition(":")
        if visit in schedules[trial] if trial in schedules else not colon and name in every:
            continue
        near = did_you_mean(visit, schedules.get(trial, every)) if not colon or trial in schedules else did_you_mean(trial, schedules)
        what = (
            "no trial has this visit" if not colon else "this trial has no such visit" if trial in schedules else "there is no such trial"
        )
        notes.append(tree.problem("unknown-visit", what, ("visits", name), key=True, instead=near, severity="note"))
    return notes


def load_attestations(path: str | Path) -> tuple[Attestation, ...]:
    """An attestation file: a list in the shape of :class:`eligibility.model.site.Attestation`.

    Raises :class:`UsageError` with every mistake, each with its line.
    """
    tree = _read(path)
    if not isinstance(tree.data, list):
        raise UsageError(str(tree.problem("not-a-list", "an attestation file is a list of answers; this is none", instead=_SHOWN)))
    return _validated(TypeAdapter(tuple[Attestation, ...]).validate_python, tree, Attestation)


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
