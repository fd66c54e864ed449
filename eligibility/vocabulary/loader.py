"""Reads the vocabulary from ``rules/``: concepts, units, systems. Every mistake at once.

``load()`` gives the shipped vocabulary, read once a process. A concept file is a mapping of concept
ids to the fields of ``Concept``::

    myasthenia-gravis:
      family: condition
      label: Myasthenia gravis
      codes:
        icd10cm:
          - {code: G70.00, source: CDC tabular list}

Mistakes are reported with file, line and column, all of them, as one ``RuleFileError``.
"""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ..errors import Problem, RuleFileError, did_you_mean
from .checks import Entry, check_concepts
from .concept import Code, Concept, Plausible, ScoreItem, Sourced, SourcedDuration
from .library import library_path
from .results import ResultWords
from .systems import System, Systems
from .units import Unit, Units, fold_unit
from .vocabulary import Vocabulary
from .yamltext import Document, Plain, each, number, truth

_SOURCED = ("low", "high")
_KNOWN_KEYS: dict[str, tuple[str, ...]] = {
    "codes": tuple(Code.model_fields),
    "molar_mass": tuple(Sourced.model_fields),
    "half_life": tuple(Sourced.model_fields),
    "equivalents": tuple(Sourced.model_fields),
    "plausible": tuple(Plausible.model_fields),
    "items": tuple(ScoreItem.model_fields),
    "lasts_at_most": tuple(SourcedDuration.model_fields),
}
_FIELDS = tuple(name for name in Concept.model_fields if name != "id")


@lru_cache(maxsize=1)
def shipped() -> Vocabulary:
    """The shipped vocabulary, read once."""
    return load()


def load(root: Path | None = None, extra: Sequence[Path] = ()) -> Vocabulary:
    """Read the vocabulary of a library folder, and of further folders that add concepts to it.

    ``root`` holds ``concepts/``, ``units.yaml`` and ``systems.yaml`` (default: the shipped library);
    each folder of ``extra`` may hold a ``concepts/`` of its own. The same concept id twice is an
    error. Raises ``RuleFileError`` with every mistake found.
    """
    # tens of thousands of nodes are made and none is garbage: the collector would only look for it
    collecting = gc.isenabled()
    gc.disable()
    try:
        return _load(root if root is not None else library_path(), extra)
    finally:
        if collecting:
            gc.enable()


def _load(root: Path, extra: Sequence[Path]) -> Vocabulary:
    documents: list[tuple[str, Document]] = []

    def document(path: Path, folder: Path) -> Document:
        read = Document.read(path, str(path)) if path.is_file() else Document(str(path), "")
        documents.append((path.relative_to(folder).as_posix(), read))
        return read

    units, words = _units(document(root / "units.yaml", root))
    systems = _systems(document(root / "systems.yaml", root))
    entries: dict[str, Entry] = {}
    for folder in (root, *extra):
        for path in sorted((folder / "concepts").rglob("*.yaml")):
            _read(document(path, folder), entries)
    problems = [problem for _, read in documents for problem in read.problems]
    check_concepts(entries, units, systems, problems)
    if problems:
        raise RuleFileError(*sorted(problems, key=lambda p: (p.file or "", p.line or 0, p.column or 0, p.code)))
    digest = hashlib.sha256()
    for name, read in documents:
        digest.update(f"{name}\n{len(read.text)}\n{read.text}".encode())
    return Vocabulary((entry.concept for entry in entries.values()), units, systems, words, digest=digest.hexdigest())


def _read(document: Document, entries: dict[str, Entry]) -> None:
    for id_, raw in (document.content or {}).items():
        known = entries.get(id_)
        if known is not None:
            document.problems.append(
                document.problem(
                    (id_,),
                    "duplicate-id",
                    f"there is a concept {id_} already, in {known.document.name}",
                    "choose another id, or merge the two",
                    key=True,
                )
            )
            continue
        if not isinstance(raw, dict):
            document.problems.append(
                document.problem((id_,), "not-a-mapping", f"{id_} has no fields", "write family and label below it", key=True)
            )
            continue
        try:
            entries[id_] = Entry(Concept.model_validate(_typed(id_, raw)), document)
        except ValidationError as error:
            document.problems.extend(_explain(document, id_, error))


def _typed(id_: str, raw: Mapping[str, Plain]) -> dict[str, Any]:
    """The fields of a concept with numbers and truth values made of their texts."""
    fields: dict[str, Any] = dict(raw)
    if "id" in fields:
        fields["id "] = fields.pop("id")  # the key is the id: let the model refuse a second one
    fields["id"] = id_
    for name in ("molar_mass", "half_life", "plausible"):
        if name in fields:
            fields[name] = each(fields[name], number, _SOURCED)
    for name in ("whole", "titre", "tells_of_another"):
        if name in fields:
            fields[name] = truth(fields[name])
    if isinstance(fields.get("units"), dict):
        fields["units"] = {unit: number(factor) for unit, factor in fields["units"].items()}
    if isinstance(fields.get("equivalents"), dict):
        fields["equivalents"] = {drug: each(value, number, _SOURCED) for drug, value in fields["equivalents"].items()}
    if isinstance(fields.get("items"), dict):
        fields["items"] = {item: each(value, number, ("most",)) for item, value in fields["items"].items()}
    return fields


def _explain(document: Document, id_: str, error: ValidationError) -> Iterable[Problem]:
    for mistake in error.errors(include_url=False, include_context=False, include_input=False):
        loc = tuple(str(step).strip() if isinstance(step, str) else step for step in mistake["loc"])
        path = (id_, *loc)
        name = str(loc[-1])
        if mistake["type"] == "extra_forbidden":
            known = _FIELDS if len(loc) == 1 else _KNOWN_KEYS.get(str(loc[0]), ())
            near = did_you_mean(name, known) or f"the keys here are {', '.join(known)}"
            yield document.problem(path, "unknown-key", f"{id_} has no field {name}", near, key=True)
        elif mistake["type"] == "missing":
            code = "missing-source" if name == "source" else "missing-key"
            advice = "say where it was seen: nothing ships without a source" if name == "source" else f"add {name}:"
            yield document.problem(path[:-1], code, f"{name} is missing", advice, key=len(path) == 2)
        else:
            yield document.problem(path, "bad-value", f"{'.'.join(str(step) for step in loc)}: {_plainly(mistake['msg'])}")


def _plainly(message: str) -> str:
    """A validator's message as a sentence of this project."""
    plain = message.removeprefix("Value error, ")
    return f"this should be {plain.removeprefix('Input should be ')}" if plain.startswith("Input should be ") else plain


def _units(document: Document) -> tuple[Units, ResultWords]:
    units: list[Unit] = []
    spellings: dict[str, str] = {}
    content = document.content or {}
    for key in content:
        if key not in ("units", "results"):
            document.problems.append(
                document.problem((key,), "unknown-key", f"there is no {key} here", did_you_mean(key, ("units", "results")), key=True)
            )
    table = content.get("units")
    for name, raw in table.items() if isinstance(table, dict) else ():
        path = ("units", name)
        fields = each(raw, number, ("factor", "offset"))
        if (
            not isinstance(fields, dict)
            or not isinstance(fields.get("dimension"), str)
            or not isinstance(fields.get("factor"), float)
            or fields["factor"] <= 0
        ):
            document.problems.append(document.problem(path, "bad-unit", f"{name} needs a dimension and a positive factor", key=True))
            continue
        unit = Unit(name, fields["dimension"], fields["factor"], fields["offset"] if isinstance(fields.get("offset"), float) else 0.0)
        units.append(unit)
        also = fields.get("also")
        for place, spelling in enumerate([name, *(also if isinstance(also, list) else [])]):
            folded = fold_unit(str(spelling))
            other = spellings.setdefault(folded, name)
            if other != name:
                at = path if place == 0 else (*path, "also", place - 1)
                document.problems.append(
                    document.problem(at, "unit-twice", f"{spelling} is spelt like {other}", "one spelling belongs to one unit")
                )
    groups = content.get("results")
    words = (
        {group: [str(word) for word in spelt] for group, spelt in groups.items() if isinstance(spelt, list)}
        if isinstance(groups, dict)
        else {}
    )
    return Units(units, spellings), ResultWords(words)


def _systems(document: Document) -> Systems:
    systems: list[System] = []
    table = (document.content or {}).get("systems")
    for name, raw in table.items() if isinstance(table, dict) else ():
        if not isinstance(raw, dict) or not isinstance(raw.get("names", []), list):
            document.problems.append(
                document.problem(("systems", name), "bad-system", f"{name} needs a title and a list of names", key=True)
            )
            continue
        names = raw.get("names", [])
        systems.append(
            System(
                name=name,
                title=str(raw.get("title", name)),
                names=tuple(str(other) for other in names),
                hierarchical=truth(raw.get("hierarchical")) is True,
                dotless=truth(raw.get("dotless")) is True,
                shape=str(raw["shape"]) if "shape" in raw else None,
            )
        )
    return Systems(systems)
