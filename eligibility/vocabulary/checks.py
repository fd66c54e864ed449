"""What must hold between concepts: references, hierarchy, codes, names, classes, units.

Each check adds every mistake it finds to a list, with its place; none stops the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..errors import Problem, did_you_mean
from .concept import Concept
from .systems import Systems
from .units import Units
from .words import fold
from .yamltext import Document


@dataclass(frozen=True, slots=True)
class Entry:
    """A concept and the file it was read from."""

    concept: Concept
    document: Document

    def problem(self, path: tuple[str | int, ...], code: str, message: str, instead: str | None = None, *, key: bool = False) -> Problem:
        """A problem at a part of the concept."""
        return self.document.problem((self.concept.id, *path), code, message, instead, key=key)


def check_concepts(entries: Mapping[str, Entry], units: Units, systems: Systems, problems: list[Problem]) -> None:
    """Check all concepts together; adds what is wrong to ``problems``."""
    above = _ancestors(entries, problems)
    _codes(entries, above, systems, problems)
    _names(entries, above, problems)
    for entry in entries.values():
        _values(entry, units, problems)
        for drug in entry.concept.equivalents:
            if drug not in entries:
                problems.append(
                    entry.problem(
                        ("equivalents", drug), "unknown-concept", f"there is no concept {drug}", did_you_mean(drug, entries), key=True
                    )
                )


def _ancestors(entries: Mapping[str, Entry], problems: list[Problem]) -> dict[str, frozenset[str]]:
    """Strict ancestors of every concept; reports unknown ones, cycles and families that never meet."""
    parents: dict[str, list[str]] = {}
    for id_, entry in entries.items():
        parents[id_] = []
        families = {entry.concept.family, *entry.concept.also}
        for place, parent in enumerate(entry.concept.broader):
            other = entries.get(parent)
            if other is None:
                problems.append(
                    entry.problem(
                        ("broader", place),
                        "unknown-concept",
                        f"{id_} is said to be a kind of {parent}, which is no concept",
                        did_you_mean(parent, entries),
                    )
                )
            elif not families & {other.concept.family, *other.concept.also}:
                problems.append(
                    entry.problem(
                        ("broader", place),
                        "other-family",
                        f"{id_} and {parent} are charted in no common family",
                        "add a family under also:, or take it away",
                    )
                )
            else:
                parents[id_].append(parent)
    done: dict[str, frozenset[str]] = {}
    reported: set[str] = set()

    def visit(id_: str, path: tuple[str, ...]) -> frozenset[str]:
        if id_ in done:
            return done[id_]
        found: set[str] = set()
        for parent in parents[id_]:
            if parent == id_ or parent in path:
                circle = (*path[path.index(parent) :], id_) if parent in path else (id_,)
                if not reported & set(circle):
                    reported.update(circle)
                    entry = entries[id_]
                    problems.append(
                        entry.problem(
                            ("broader",),
                            "cycle",
                            f"{' > '.join((parent, *reversed(circle)))} goes round in a circle",
                            "a kind is never broader than itself",
                        )
                    )
                continue
            found.add(parent)
            found |= visit(parent, (*path, id_))
        found.discard(id_)
        result = frozenset(found)
        done[id_] = result
        return result

    for id_ in entries:
        visit(id_, ())
    return done


def _related(above: Mapping[str, frozenset[str]], one: str, other: str) -> bool:
    return one in above[other] or other in above[one]


def _codes(entries: Mapping[str, Entry], above: Mapping[str, frozenset[str]], systems: Systems, problems: list[Problem]) -> None:
    owners: dict[tuple[str, str], list[str]] = {}
    below: dict[str, set[str]] = {}
    for id_, entry in entries.items():
        for system, codes in entry.concept.codes.items():
            if system not in systems:
                names = [known.name for known in systems]
                problems.append(
                    entry.problem(
                        ("codes", system),
                        "unknown-system",
                        f"there is no code system {system}",
                        did_you_mean(system, names) or f"known are {', '.join(names)}",
                        key=True,
                    )
                )
                continue
            for ancestor in (id_, *above[id_]):
                below.setdefault(ancestor, set()).add(system)
            for place, code in enumerate(codes):
                key = (system, systems.code(system, code.code))
                for other in owners.setdefault(key, []):
                    if other == id_ or not _related(above, id_, other):
                        whose = "here already" if other == id_ else f"listed by {other} too, and neither is a kind of the other"
                        problems.append(
                            entry.problem(
                                ("codes", system, place),
                                "code-twice",
                                f"{system} {code.code} is {whose}",
                                "say under broader: which is the wider one, or list it once",
                            )
                        )
                owners[key].append(id_)
    for id_, entry in entries.items():
        for place, system in enumerate(entry.concept.complete):
            if system not in below.get(id_, ()):
                problems.append(
                    entry.problem(
                        ("complete", place),
                        "nothing-complete",
                        f"{id_} has no {system} code, so its list cannot be complete",
                        "list the codes, or take the claim away",
                    )
                )


def _names(entries: Mapping[str, Entry], above: Mapping[str, frozenset[str]], problems: list[Problem]) -> None:
    owners: dict[tuple[str, str], str] = {}
    for id_, entry in entries.items():
        concept = entry.concept
        names: list[tuple[tuple[str | int, ...], str]] = [(("label",), concept.label)]
        names.extend((("synonyms", place), name) for place, name in enumerate(concept.synonyms))
        for path, name in names:
            folded = fold(name)
            if not folded:
                problems.append(entry.problem(path, "empty-name", f"a name of {id_} has no letters"))
                continue
            for family in (concept.family, *concept.also):
                other = owners.setdefault((family, folded), id_)
                if other != id_ and not _related(above, id_, other):
                    problems.append(
                        entry.problem(
                            path,
                            "name-twice",
                            f"{name} is a name of {other} too, and neither is a kind of the other",
                            "an entry of that name could be either: put it under mentions:",
                        )
                    )
                    break


def _values(entry: Entry, units: Units, problems: list[Problem]) -> None:
    concept = entry.concept
    if concept.unit is not None and concept.unit not in units:
        problems.append(
            entry.problem(
                ("unit",),
                "unknown-unit",
                f"{concept.unit} is not in units.yaml",
                did_you_mean(concept.unit, units.names()) or "add it there with its dimension and factor",
            )
        )
    for unit in concept.units:
        if unit not in units:
            problems.append(
                entry.problem(("units", unit), "unknown-unit", f"{unit} is not in units.yaml", did_you_mean(unit, units.names()), key=True)
            )
    for name, members in concept.spans.items():
        if name in concept.classes:
            problems.append(entry.problem(("spans", name), "span-is-class", f"{name} is one of the classes already", key=True))
        for place, member in enumerate(members):
            if member not in concept.classes:
                problems.append(
                    entry.problem(
                        ("spans", name, place),
                        "unknown-class",
                        f"{name} spans {member}, which is no class of {concept.id}",
                        did_you_mean(member, concept.classes),
                    )
                )
        if not members:
            problems.append(entry.problem(("spans", name), "empty-span", f"{name} spans no class", key=True))
    if concept.items and concept.source is None:
        problems.append(
            entry.problem(
                (),
                "missing-source",
                f"the items of {concept.id} have no source",
                "name the publication of the scale under source:",
                key=True,
            )
        )
    if concept.plausible is not None and None not in (concept.plausible.low, concept.plausible.high):
        low, high = concept.plausible.low, concept.plausible.high
        if low is not None and high is not None and low > high:
            problems.append(entry.problem(("plausible",), "bad-value", "the plausible range ends before it begins"))
