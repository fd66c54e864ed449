"""Checks of names: concepts, lists, definitions, visits, formulas, scales, items (LANGUAGE 3, 4, 6, 9)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ..errors import did_you_mean
from ..model.criteria import AgeAtom, Ask, FactAtom, Meets, Node, Subject, walk
from ..model.trial import Definition
from ..vocabulary.routes import ROUTES
from .scope import ALWAYS, FORMULAS, SCALES, Found, Loc, Owner, Scope, check_for


def _named(subject: Subject, loc: Loc) -> Iterator[tuple[Loc, str]]:
    if isinstance(subject, str):
        yield loc, subject
        return
    for i, one in enumerate(subject):
        yield from _named(one, (*loc, i))


@check_for("unknown-concept", names=True)
def unknown_concept(scope: Scope) -> Iterator[Found]:
    """Subjects, entries of lists, and what questions show are concepts of the vocabulary, or lists."""

    def judge(name: str, loc: Loc, owner: Owner | None) -> Iterator[Found]:
        if name in scope.lists or scope.concept(name) is not None:
            return
        near = scope.vocabulary.near(name) or did_you_mean(name, [*scope.lists, *scope.derived])
        yield scope.found("unknown-concept", f"there is no concept or list «{name}»", loc, owner, instead=near)

    for asked in scope.asked:
        if asked.node.has_subject:
            for loc, name in _named(asked.node.subject, (*asked.loc, asked.node.family)):
                yield from judge(name, loc, asked.owner)
    for list_name, entries in scope.lists.items():
        for loc, name in _named(entries, ("lists", list_name)):
            yield from judge(name, loc, None)
    for loc, node, owner in scope.statements:
        if isinstance(node, Ask):
            for i, name in enumerate(node.show):
                yield from judge(name, (*loc, "show", i), owner)
    for owner in scope.owners:
        for i, name in enumerate(owner.criterion.show if owner.criterion is not None else ()):
            yield from judge(name, (*owner.loc, "show", i), owner)
    for name, derived in scope.derived.items():
        for i, part in enumerate(derived.ratio or ()):
            yield from judge(part.observation, ("derived", name, "ratio", i, "observation"), None)
    for tested in scope.tests:
        if tested.test.dose is not None and tested.test.dose.as_ is not None:
            yield from judge(tested.test.dose.as_, (*tested.loc, "dose", "as"), tested.asked.owner)


@check_for("wrong-family")
def wrong_family(scope: Scope) -> Iterator[Found]:
    """The family a statement says is one the concept is charted in."""
    for asked in scope.asked:
        if not asked.node.has_subject:
            continue
        for name in asked.concepts:
            concept = scope.concept(name)
            if concept is None or asked.family == concept.family or asked.family in concept.also:
                continue
            families = [concept.family, *concept.also]
            yield scope.found(
                "wrong-family",
                f"{name} is no {asked.family}",
                (*asked.loc, asked.family),
                asked.owner,
                key=True,
                instead=f"write {' or '.join(f'{family}: {name}' for family in families)}",
            )


@check_for("unknown-definition", names=True)
def unknown_definition(scope: Scope) -> Iterator[Found]:
    """What ``meets`` names is defined, in the file or in rules/definitions/."""
    for loc, node, owner in scope.statements:
        if isinstance(node, Meets) and scope.definition(node.meets) is None:
            near = did_you_mean(node.meets, [*scope.own, *scope.shared])
            yield scope.found("unknown-definition", f"there is no definition «{node.meets}»", (*loc, "meets"), owner, instead=near)


@check_for("cycle", names=True)
def cycle(scope: Scope) -> Iterator[Found]:
    """No definition meets itself, no list holds itself, no visit follows itself; also not through others."""
    definitions = {str(root.owner.loc[-1]): root.owner for root in scope.roots if root.owner.criterion is None}
    for way in _circles(definitions, lambda one: _met(scope, one)):
        owner = definitions[way[0]]
        yield scope.found("cycle", f"the definition {way[0]} meets itself: {' -> '.join(way)}", owner.loc, owner, key=True)
    for way in _circles(scope.lists, lambda one: [inner for _, inner in _named(scope.lists.get(one, ()), ()) if inner in scope.lists]):
        yield scope.found("cycle", f"the list {way[0]} holds itself: {' -> '.join(way)}", ("lists", way[0]), key=True)
    for way in _circles(scope.schedule, lambda one: _follows(scope, one)):
        yield scope.found("cycle", f"the visit {way[0]} follows itself: {' -> '.join(way)}", ("schedule", way[0]), key=True)


def _circles(names: Iterable[str], below: Any) -> Iterator[list[str]]:
    """Ways from a name back to itself, each circle once, from the first of its names."""
    told: set[str] = set()
    for name in names:
        way = None if name in told else _way_back(name, below)
        if way is not None:
            told.update(way)
            yield way


def _met(scope: Scope, name: str) -> list[str]:
    definition = scope.definition(name)
    return [node.meets for node in walk(definition.when) if isinstance(node, Meets)] if definition is not None else []


def _follows(scope: Scope, name: str) -> list[str]:
    visit = scope.schedule.get(name)
    offset = visit.offset() if visit is not None else None
    return [offset[2]] if offset is not None else []


def _way_back(name: str, below: Any) -> list[str] | None:
    """A way from a name back to itself, or None."""
    ways = [[name]]
    seen: set[str] = set()
    while ways:
        way = ways.pop()
        for one in below(way[-1]):
            if one == name:
                return [*way, name]
            if one not in seen:
                seen.add(one)
                ways.append([*way, one])
    return None


@check_for("unknown-visit", names=True)
def unknown_visit(scope: Scope) -> Iterator[Found]:
    """Anchors are visits of the schedule; so are the visits that others follow."""
    known = {*scope.schedule, *ALWAYS}

    def judge(name: str, loc: Loc, owner: Owner | None) -> Iterator[Found]:
        if name not in known:
            near = did_you_mean(name, known)
            yield scope.found("unknown-visit", f"«{name}» is not in the schedule", loc, owner, instead=near)

    if scope.trial is None:  # shared definitions know no schedule but what every trial has
        for loc, name, owner in _visits_named(scope):
            yield from judge(name, loc, owner)
        return
    for loc, name, owner in _visits_named(scope):
        yield from judge(name, loc, owner)
    for name, visit in scope.schedule.items():
        offset = visit.offset()
        if offset is not None:
            word = "on" if visit.on is not None else "after" if visit.after is not None else "between"
            yield from judge(offset[2], ("schedule", name, word), None)
    for loc, node, owner in scope.statements:
        if isinstance(node, Meets) and node.meets not in scope.own and node.meets in scope.shared:
            for below in scope.through(node):
                for name in _anchors_of(below):
                    if name not in known:
                        message = f"the definition {node.meets} hangs on the visit «{name}», which is not in the schedule"
                        yield scope.found("unknown-visit", message, (*loc, "meets"), owner)


def _visits_named(scope: Scope) -> Iterator[tuple[Loc, str, Owner]]:
    for loc, words, asked in scope.times():
        for word in ("at", "before", "after"):
            value = getattr(words, word)
            if isinstance(value, str):
                yield (*loc, word), value, asked.owner
    for loc, node, owner in scope.statements:
        if isinstance(node, AgeAtom) and node.at is not None:
            yield (*loc, "at"), node.at, owner


def _anchors_of(node: Node) -> Iterator[str]:
    """Visits that a statement names, without its operands."""
    if isinstance(node, AgeAtom) and node.at is not None:
        yield node.at
    if isinstance(node, FactAtom):
        for word in ("at", "before", "after"):
            value = getattr(node, word)
            if isinstance(value, str):
                yield value


@check_for("no-width", trial=True)
def no_width(scope: Scope) -> Iterator[Found]:
    """``at`` a visit needs to be told how old a result may be."""

    def judge(name: str, loc: Loc, owner: Owner, through: str = "") -> Iterator[Found]:
        visit = scope.schedule.get(name)
        if (name in scope.schedule or name in ALWAYS) and (visit is None or visit.looks_back is None):
            yield scope.found("no-width", f"{through}the schedule does not say how far {name} looks back", loc, owner)

    for asked in scope.asked:
        if asked.node.at is not None:
            yield from judge(asked.node.at, (*asked.loc, "at"), asked.owner)
    for loc, node, owner in scope.statements:
        if isinstance(node, Meets) and node.meets not in scope.own and node.meets in scope.shared:
            visits = {below.at for below in scope.through(node) if isinstance(below, FactAtom) and below.at is not None}
            for name in sorted(visits):
                yield from judge(name, (*loc, "meets"), owner, f"the definition {node.meets} asks at {name}, and ")


@check_for("replaces-unsaid", "replaces-nothing", names=True, trial=True)
def replaces(scope: Scope) -> Iterator[Found]:
    """A shared meaning is changed only where the file says so."""
    for root in scope.roots:
        if root.owner.criterion is not None:
            continue
        name = str(root.owner.loc[-1])
        definition: Definition = scope.own[name]
        if name in scope.shared and definition.replaces is None:
            message = f"{name} is a shared definition, and this one would change what it means in this trial"
            yield scope.found("replaces-unsaid", message, root.owner.loc, root.owner, key=True)
        elif definition.replaces is not None and name not in scope.shared:
            near = did_you_mean(name, scope.shared)
            message = f"there is no shared definition {name} to replace"
            yield scope.found("replaces-nothing", message, (*root.owner.loc, "replaces"), root.owner, key=True, instead=near)


@check_for("unused-list", "unused-definition", "unused-derived", "unused-visit", trial=True)
def unused(scope: Scope) -> Iterator[Found]:
    """What the file names, it uses."""
    names = {name for asked in scope.asked if asked.node.has_subject for _, name in _named(asked.node.subject, ())}
    names |= {name for _, node, _ in scope.statements if isinstance(node, Ask) for name in node.show}
    names |= {name for owner in scope.owners if owner.criterion is not None for name in owner.criterion.show}
    for below in scope.through_criteria():
        if isinstance(below, FactAtom):
            names |= {name for _, name in _named(below.subject, ())}
    lists = _reached(names & set(scope.lists), lambda one: {inner for _, inner in _named(scope.lists[one], ()) if inner in scope.lists})
    for name in scope.lists:
        if name not in lists:
            yield scope.found("unused-list", f"the list {name} is not used", ("lists", name), key=True)
    inside = {inner for name in lists for _, inner in _named(scope.lists[name], ())}
    ratios = {part.observation for derived in scope.derived.values() for part in derived.ratio or ()}
    for name in scope.derived:
        if name not in names | inside | ratios:
            yield scope.found("unused-derived", f"the derived value {name} is not used", ("derived", name), key=True)
    met = {below.meets for below in scope.through_criteria() if isinstance(below, Meets)}
    for root in scope.roots:
        name = str(root.owner.loc[-1])
        if root.owner.criterion is None and name not in met:
            yield scope.found("unused-definition", f"the definition {name} is not used", root.owner.loc, key=True)
    visits = {name for _, name, _ in _visits_named(scope)} | {name for below in scope.through_criteria() for name in _anchors_of(below)}
    visits |= {followed for name in scope.schedule for followed in _follows(scope, name)}
    for name in scope.schedule:
        if name not in visits and name not in ALWAYS:
            yield scope.found("unused-visit", f"the visit {name} is not used", ("schedule", name), key=True)


def _reached(first: Iterable[str], below: Any) -> set[str]:
    found: set[str] = set()
    todo = list(first)
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo += below(name)
    return found


@check_for("unknown-formula", trial=True)
def unknown_formula(scope: Scope) -> Iterator[Found]:
    """Derived values name a formula of the code."""
    for name, derived in scope.derived.items():
        if derived.formula is not None and derived.formula not in FORMULAS:
            near = did_you_mean(derived.formula, FORMULAS) or f"the formulas are {', '.join(FORMULAS)}"
            yield scope.found("unknown-formula", f"there is no formula «{derived.formula}»", ("derived", name, "formula"), instead=near)


@check_for("unknown-scale", "unknown-route")
def unknown_scale(scope: Scope) -> Iterator[Found]:
    """Grades are of a known scale, routes are known routes."""
    for tested in scope.tests:
        grade = tested.test.grade
        if grade is not None and grade.scale not in SCALES:
            near = did_you_mean(grade.scale, SCALES) or f"the scales are {', '.join(SCALES)}"
            yield scope.found(
                "unknown-scale", f"there is no scale «{grade.scale}»", (*tested.loc, "grade", "scale"), tested.asked.owner, instead=near
            )
        for i, route in enumerate(tested.test.route or ()):
            if route not in ROUTES:
                near = did_you_mean(route, ROUTES) or f"the routes are {', '.join(ROUTES)}"
                yield scope.found(
                    "unknown-route", f"there is no route «{route}»", (*tested.loc, "route", i), tested.asked.owner, instead=near
                )


@check_for("unknown-item")
def unknown_item(scope: Scope) -> Iterator[Found]:
    """``only`` and ``without`` name items of the score, or groups of them."""

    def judge(name: str, concept_name: str, loc: Loc, owner: Owner | None) -> Iterator[Found]:
        concept = scope.concept(concept_name)
        if concept is None:
            return
        known = [*concept.items, *sorted({group for item in concept.items.values() for group in item.groups})]
        if name not in known:
            why = f"{concept_name} has no item or group of items «{name}»" if known else f"{concept_name} has no items in the vocabulary"
            near = did_you_mean(name, known) or (f"its groups and items: {', '.join(sorted(known)[:12])}" if known else None)
            yield scope.found("unknown-item", why, loc, owner, instead=near)

    for asked, atom in scope.atoms():
        for word in ("only", "without"):
            for i, name in enumerate(getattr(atom, word) or ()):
                for concept in asked.concepts:
                    yield from judge(name, concept, (*asked.loc, word, i), asked.owner)
    for name, derived in scope.derived.items():
        for part_index, part in enumerate(derived.ratio or ()):
            for word in ("only", "without"):
                for i, item in enumerate(getattr(part, word) or ()):
                    yield from judge(item, part.observation, ("derived", name, "ratio", part_index, word, i), None)


@check_for("unknown-result")
def unknown_result(scope: Scope) -> Iterator[Found]:
    """``is`` names results that the concept can have."""
    for tested in scope.tests:
        if tested.asked.family != "observation":
            continue
        for i, result in enumerate(tested.test.is_ or ()):
            for name in tested.asked.concepts:
                concept = scope.concept(name)
                if concept is None:
                    continue
                known = [*concept.results, *concept.classes, *concept.spans]
                if result not in known:
                    why = f"«{result}» is no result of {name}" if known else f"{name} has no named results"
                    near = did_you_mean(result, known) or (f"its results: {', '.join(known)}" if known else "compare with a limit")
                    yield scope.found("unknown-result", why, (*tested.loc, "is", i), tested.asked.owner, instead=near)


@check_for("no-source")
def no_source(scope: Scope) -> Iterator[Found]:
    """A shared definition ships with its source, or not at all."""
    if scope.trial is not None:
        return
    for root in scope.roots:
        definition = scope.definition(str(root.owner.loc[-1]))
        if definition is not None and definition.source is None:
            yield scope.found(
                "no-source", f"the shared definition {root.owner.loc[-1]} has no source", root.owner.loc, root.owner, key=True
            )
