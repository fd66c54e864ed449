"""Checks of what is asked: limits and units, attributes, choice words, counts (LANGUAGE 3.3 to 3.5, 9)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import inf
from typing import Any, Literal

from ..errors import did_you_mean
from ..model.criteria import AgeAtom, Count, DurationLimits, FactAtom, Limits, Readings, Selection, Test
from ..model.limits import Alternatives, ClassName, Extreme, ExtremeDuration, Limit, Measure, NotGiven, TimesLimit, Titre
from ..model.quantity import Interval
from ..model.time import Duration
from ..vocabulary.concept import Concept
from ..vocabulary.units import UnitProblem
from .scope import PREDNISONE_DOSE, SCALES, Asked, Found, Loc, Owner, Scope, Tested, check_for

_PER_KG = re.compile(r"(?P<mass>\S+?)\s*/\s*kg\s*/\s*(?P<day>d|day)")


# -- limits and units ------------------------------------------------------------------------------


@check_for("no-unit", "wrong-unit", "wrong-limit", "unknown-class")
def limits(scope: Scope) -> Iterator[Found]:
    """Limits are of the kind their concept has, in a unit that can be converted."""
    for tested in scope.tests:
        if tested.asked.family == "observation":
            for name in tested.asked.concepts:
                for loc, limit in _written(tested.test, tested.loc):
                    yield from _judge(scope, name, limit, loc, tested.asked.owner)
        yield from _dose(scope, tested)
        yield from _grade(scope, tested)
    for asked, atom in scope.atoms():
        for word in ("rise", "fall") if asked.family == "observation" else ():
            change = getattr(atom, word)
            for side in ("at_least", "above"):
                step: Limit | None = getattr(change, side) if change is not None else None
                if step is None:
                    continue
                for name in asked.concepts:
                    yield from _judge_change(scope, name, step, (*asked.loc, word, side), asked.owner)


def _written(test: Limits, loc: Loc) -> Iterator[tuple[Loc, Limit]]:
    """The limits of a test with the words they stand under."""
    for word, field in (("at_least",) * 2, ("above",) * 2, ("at_most",) * 2, ("below",) * 2, ("from", "from_"), ("to",) * 2):
        limit = getattr(test, field)
        if limit is not None:
            yield (*loc, word), limit


def _judge(scope: Scope, name: str, limit: Limit, loc: Loc, owner: Owner) -> Iterator[Found]:
    match limit:
        case Alternatives(of):
            for i, one in enumerate(of):
                yield from _judge(scope, name, one, (*loc, i), owner)
            return
        case Extreme(how, of):
            for i, one in enumerate(of):
                yield from _judge(scope, name, one, (*loc, how, i), owner)
            return
        case NotGiven():
            return
    family = [concept for one in _self_first(scope, name) if (concept := scope.concept(one)) is not None]
    verdicts = [_verdict(scope, concept, limit) for concept in family]
    if None not in verdicts and verdicts:
        code, message, advice = verdicts[0]  # type: ignore[misc]
        yield scope.found(code, message, loc, owner, instead=advice)


def _self_first(scope: Scope, name: str) -> list[str]:
    return [name, *sorted(scope.below(name) - {name})]


_Verdict = tuple[str, str, str | None] | None


def _verdict(scope: Scope, concept: Concept, limit: Limit) -> _Verdict:
    """What is wrong with a limit on a concept: code, message, advice; None where nothing is."""
    classed = bool(concept.classes)
    match limit:
        case Titre():
            if concept.titre:
                return None
            return "wrong-limit", f"{concept.id} is not reported as a titre", _kind(concept)
        case TimesLimit():
            if (concept.titre or classed) and concept.unit is None:
                return "wrong-limit", f"{concept.id} has no laboratory range to multiply", _kind(concept)
            return None
        case ClassName(text):
            if scope.vocabulary.concepts.get(concept.id) is not None and scope.vocabulary.class_interval(concept.id, text) is not None:
                return None
            if classed:
                near = did_you_mean(text, concept.classes) or f"its classes: {', '.join(concept.classes)}"
                return "unknown-class", f"«{text}» is no class of {concept.id}", near
            return "unknown-class", f"{concept.id} has no classes, and «{text}» is no number", _kind(concept)
        case Measure(value, unit):
            if unit is None and classed and scope.vocabulary.class_interval(concept.id, f"{value:g}") is not None:
                return None
            if concept.unit is None:
                return "wrong-limit", f"{concept.id} is not measured in numbers", _kind(concept)
            if unit is None and concept.unit != "1":
                return (
                    "no-unit",
                    f"a limit of {concept.id} needs its unit",
                    f"write {value:g} {concept.unit}, or the unit the source prints",
                )
            if isinstance(_number(scope, concept, limit), UnitProblem):
                return (
                    "wrong-unit",
                    f"{unit} cannot be converted to {concept.unit}, in which {concept.id} is measured",
                    f"write {concept.unit} or its like",
                )
    return None


def _kind(concept: Concept) -> str:
    """The kind of limit a concept takes."""
    kinds = []
    if concept.titre:
        kinds.append("a titre, such as 1:80")
    if concept.classes:
        kinds.append(f"a class: {', '.join(concept.classes)}")
    if concept.unit is not None:
        kinds.append(f"a number in {concept.unit}" if concept.unit != "1" else "a number")
    if concept.results:
        kinds.append(f"is: with one of {', '.join(concept.results)}")
    return f"write {' or '.join(kinds)}" if kinds else "give the concept a unit, classes or results in rules/concepts/"


def _number(scope: Scope, concept: Concept, limit: Measure) -> Interval | UnitProblem:
    """A limit in the concept's unit; a dose by body weight as the dose it becomes once the weight is known."""
    unit = limit.unit
    by_weight = _PER_KG.fullmatch(unit) if unit is not None else None
    if by_weight is not None and concept.id == PREDNISONE_DOSE:
        unit = f"{by_weight['mass']}/{by_weight['day']}"
    value = Interval.exactly(limit.value)
    if concept.id in scope.vocabulary.concepts:
        return scope.vocabulary.quantity(concept.id, value, unit)
    # a derived value of the file: its unit is the file's, and only the same one will do
    same = unit is None or scope.vocabulary.unit_name(unit) == scope.vocabulary.unit_name(concept.unit)
    return value if same else UnitProblem("another unit than the derived value's")


def _judge_change(scope: Scope, name: str, limit: Limit, loc: Loc, owner: Owner) -> Iterator[Found]:
    concept = scope.concept(name)
    if concept is None or isinstance(limit, NotGiven):
        return
    if not isinstance(limit, Measure):
        yield scope.found("wrong-limit", "a change is one amount, in the measure's unit or relative to the earlier value", loc, owner)
    elif limit.unit not in ("% relative", "points", "point"):
        yield from _judge(scope, name, limit, loc, owner)


def _dose(scope: Scope, tested: Tested) -> Iterator[Found]:
    if tested.test.dose is None or tested.asked.family != "medication":
        return
    for loc, limit in _written(tested.test.dose, (*tested.loc, "dose")):
        parts = limit.of if isinstance(limit, Alternatives | Extreme) else (limit,)
        for part in parts:
            if isinstance(part, NotGiven):
                continue
            if not isinstance(part, Measure):
                yield scope.found("wrong-limit", "a dose is an amount a day", loc, tested.asked.owner, instead="write 15 mg/day")
            elif part.unit is None:
                yield scope.found(
                    "no-unit",
                    "a dose needs its unit",
                    loc,
                    tested.asked.owner,
                    instead=f"write {part.value:g} mg/day, as the source prints it",
                )
            elif not _daily(scope, part.unit):
                yield scope.found(
                    "wrong-unit", f"{part.unit} is no amount of a drug a day", loc, tested.asked.owner, instead="write mg/day or mg/kg/day"
                )


def _daily(scope: Scope, unit: str) -> bool:
    by_weight = _PER_KG.fullmatch(unit)
    units = scope.vocabulary.units
    known, wanted = units.get(f"{by_weight['mass']}/{by_weight['day']}" if by_weight else unit), units.get("mg/d")
    return known is not None and wanted is not None and known.dimension == wanted.dimension


def _grade(scope: Scope, tested: Tested) -> Iterator[Found]:
    grade = tested.test.grade
    if grade is None or grade.scale not in SCALES:
        return
    known = SCALES[grade.scale]
    asked = [(loc, str(limit)) for loc, limit in _written(grade, (*tested.loc, "grade")) if not isinstance(limit, NotGiven)]
    asked += [((*tested.loc, "grade", "is", i), name) for i, name in enumerate(grade.is_ or ())]
    for loc, name in asked:
        if name not in known:
            near = did_you_mean(name, known) or f"its grades: {', '.join(known)}"
            yield scope.found("unknown-class", f"«{name}» is no grade of the scale {grade.scale}", loc, tested.asked.owner, instead=near)


@check_for("no-dose-equivalent")
def dose_equivalent(scope: Scope) -> Iterator[Found]:
    """A dose of a class is a dose of one drug, the one it is said ``as``."""
    for tested in scope.tests:
        dose = tested.test.dose
        if dose is None or tested.asked.family != "medication":
            continue
        drugs = sorted({drug for name in tested.asked.concepts for drug in scope.below(name) if scope.below(drug) == {drug}})
        classes = [name for name in tested.asked.concepts if len(scope.below(name)) > 1]
        if dose.as_ is None and classes:
            message = f"{classes[0]} is a class: its drugs are dosed differently"
            yield scope.found("no-dose-equivalent", message, (*tested.loc, "dose"), tested.asked.owner, key=True)
        elif dose.as_ is not None and dose.as_ in scope.vocabulary.concepts:
            known = [drug for drug in drugs if drug == dose.as_ or ((c := scope.concept(drug)) is not None and dose.as_ in c.equivalents)]
            if drugs and not known:
                message = f"the vocabulary has no dose of {dose.as_} that equals one of {' or '.join(tested.asked.concepts)}"
                yield scope.found(
                    "no-dose-equivalent",
                    message,
                    (*tested.loc, "dose", "as"),
                    tested.asked.owner,
                    instead="name another drug, or add the factor with its source",
                )


# -- tests that no value can fail ------------------------------------------------------------------


@check_for("vacuous")
def vacuous(scope: Scope) -> Iterator[Found]:
    """A test that every value passes, or none, asks nothing; nor does a count that cannot be missed."""
    for tested in scope.tests:
        for name in tested.asked.concepts if tested.asked.family == "observation" else ():
            concept = scope.concept(name)
            verdict = _always(scope, concept, tested.test) if concept is not None else None
            if verdict is not None:
                number = "no value" if verdict == "fail" else "not one value"
                loc = next(iter(_written(tested.test, tested.loc)), ((*tested.loc, "is"), None))[0]
                yield scope.found("vacuous", f"{number} of {name} can {verdict} this test", loc, tested.asked.owner)
                break
    for asked, atom in scope.atoms():
        if atom.count is not None and atom.count.distinct == "entry" and asked.entries:
            n = len(asked.entries)
            if (atom.count.at_least or 0) > n:
                message = f"the list has {n} entries: it never holds that at least {atom.count.at_least} do"
                yield scope.found("vacuous", message, (*asked.loc, "count", "at_least"), asked.owner)
            if atom.count.at_most is not None and atom.count.at_most >= n:
                message = f"the list has {n} entries: it always holds that at most {atom.count.at_most} do"
                yield scope.found("vacuous", message, (*asked.loc, "count", "at_most"), asked.owner)
    for loc, node, owner in scope.statements:
        if isinstance(node, AgeAtom) and all(
            how == "at_least" and isinstance(d, Duration) and d.count == 0 for how, d in node.age.bounds()
        ):
            yield scope.found("vacuous", "everybody is at least that old", (*loc, "age"), owner)
        if isinstance(node, Readings) and len(node.readings) == 1:
            yield scope.found(
                "vacuous", "one reading is no choice of readings", (*loc, "readings"), owner, key=True, instead="write the statement alone"
            )


def _always(scope: Scope, concept: Concept, test: Test) -> Literal["fail", "pass"] | None:
    """What no value of the concept can do: fail the test, or pass it; None where it depends on the value."""
    if test.is_ is not None:
        return "fail" if concept.results and set(concept.results) <= set(test.is_) else None
    answers = [_answer(scope, concept, how, limit) for how, limit in test.bounds()]
    if not answers or any(getattr(test, word) is not None for word in ("all_of", "any_of", "none_of")):
        return None
    if any(answer is False for answer in answers):
        return "pass"
    return "fail" if all(answer is True for answer in answers) else None


def _answer(scope: Scope, concept: Concept, how: Any, limit: Limit) -> bool | None:
    """Whether every value a person can have meets the limit, none does (False), or it depends (None)."""
    if concept.classes and isinstance(limit, ClassName | Measure) and concept.id in scope.vocabulary.concepts:
        text = limit.name if isinstance(limit, ClassName) else f"{limit.value:g}"
        span = scope.vocabulary.class_interval(concept.id, text)
        return Interval(0, len(concept.classes) - 1).compare(how, _edge(how, span)) if span is not None else None
    if not isinstance(limit, Measure) or concept.plausible is None:
        return None
    edge = _number(scope, concept, limit)
    if isinstance(edge, UnitProblem):
        return None
    low, high = concept.plausible.low, concept.plausible.high
    values = Interval(low if low is not None else -inf, high if high is not None else inf)
    return values.compare(how, edge)


def _edge(how: str, span: tuple[int, int]) -> Interval:
    # a class stands for its whole span: at least II from its first, at most II up to its last
    first, last = span
    return Interval.exactly(first if how in ("at_least", "below") else last)


# -- attributes ------------------------------------------------------------------------------------

_ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "dose": ("medication",),
    "route": ("medication",),
    "outcome": ("medication",),
    "lasting": ("condition", "medication", "procedure"),
    "ended": ("condition", "medication", "procedure", "allergy"),
    "started": ("condition", "medication", "procedure", "allergy", "immunization"),
    "grade": ("condition", "allergy"),
}


def _all_events(scope: Scope, asked: Asked) -> bool:
    concepts = [scope.concept(name) for name in asked.concepts]
    return bool(concepts) and all(concept is not None and concept.course == "event" for concept in concepts)


@check_for("value-family", "attribute-family")
def attributes(scope: Scope) -> Iterator[Found]:
    """Values are asked of observations, attributes of the families that have them."""
    for tested in scope.tests:
        family, test = tested.asked.family, tested.test
        if test.asks_value and family != "observation":
            word = "is" if test.is_ is not None else str(next(iter(_written(test, ())))[0][-1])
            yield scope.found("value-family", f"a {family} has no value to compare", (*tested.loc, word), tested.asked.owner, key=True)
        for word, families in _ATTRIBUTES.items():
            if getattr(test, word) is None:
                continue
            event = family == "condition" and word in ("lasting", "ended") and _all_events(scope, tested.asked)
            if family in families and not event:
                continue
            why = (
                f"{' and '.join(tested.asked.concepts)} is an event, of one day"
                if event
                else f"a record of {_plural(family)} has no «{word}»"
            )
            advice = (
                "ask when it was, with within or ago" if event else f"{word} is asked of {' and '.join(_plural(one) for one in families)}"
            )
            yield scope.found("attribute-family", why, (*tested.loc, word), tested.asked.owner, key=True, instead=advice)


def _plural(family: str) -> str:
    return "allergies" if family == "allergy" else f"{family}s"


@check_for("now-point", "while-point")
def points(scope: Scope) -> Iterator[Found]:
    """What has one day is not going on."""
    for asked in scope.asked:
        point = asked.family == "immunization" or (asked.family == "condition" and _all_events(scope, asked))
        if asked.node.now and asked.node.has_subject and point:
            yield scope.found(
                "now-point", f"{' and '.join(asked.concepts)} has a day, not a span", (*asked.loc, "now"), asked.owner, key=True
            )
        if asked.role == "while" and (point or asked.family == "observation"):
            message = f"{' and '.join(asked.concepts)} has a day, not a span to lie in"
            yield scope.found("while-point", message, asked.loc, asked.owner)


# -- choice words ----------------------------------------------------------------------------------


@check_for("list-choice", "change-family", "unchanged-family", "documented-unknown", "two-choices")
def choices(scope: Scope) -> Iterator[Found]:
    """Choice words that need one concept, and those that need results or doses."""
    for asked, atom in scope.atoms():
        choice, owner = atom.choice, asked.owner
        if choice in ("latest", "earliest", "rise", "fall") and asked.listed:
            message = f"{choice} of a list: results of different tests are not one series"
            yield scope.found("list-choice", message, (*asked.loc, choice), owner, key=True)
        if choice in ("rise", "fall") and asked.family != "observation":
            yield scope.found("change-family", f"a {asked.family} does not rise or fall", (*asked.loc, choice), owner, key=True)
        dose = asked.family == "medication" or asked.concepts == (PREDNISONE_DOSE,)
        if choice == "unchanged" and not dose and asked.concepts:
            yield scope.found("unchanged-family", "only a dose can be unchanged", (*asked.loc, choice), owner, key=True)
        if atom.documented and atom.if_not_recorded is not None:
            message = "documented says that nothing recorded is false, if_not_recorded that it is unknown"
            yield scope.found("documented-unknown", message, (*asked.loc, "if_not_recorded"), owner, key=True)
    for asked in scope.asked:
        if isinstance(asked.node, Selection) and asked.node.latest and asked.node.earliest:
            yield scope.found("two-choices", "latest and earliest in one selection", (*asked.loc, "earliest"), asked.owner, key=True)


@check_for("list-by-day", "treatment-by-day", "concept-by-entry")
def counts(scope: Scope) -> Iterator[Found]:
    """Days of one concept are counted, or entries of a list; prescriptions are not treatments."""
    for asked, atom in scope.atoms():
        if not isinstance(atom.count, Count):
            continue
        loc: Loc = (*asked.loc, "count", "distinct")
        if atom.count.distinct == "entry":
            named = isinstance(asked.node.subject, str) and asked.node.subject not in scope.lists
            if named and asked.concepts:
                yield scope.found("concept-by-entry", f"{asked.node.subject} is one concept, not a list with entries", loc, asked.owner)
        elif asked.family == "medication":
            yield scope.found("treatment-by-day", "days of prescriptions are no count of treatments", loc, asked.owner)
        elif asked.listed:
            yield scope.found("list-by-day", "days of a list: one day with two of its entries would count once", loc, asked.owner)


@check_for("started-any-state")
def started_any(scope: Scope) -> Iterator[Found]:
    """Any entry of a lasting disease can be a recoding: its beginning is that of the earliest."""
    for tested in scope.tests:
        atom = tested.asked.node
        if not isinstance(atom, FactAtom) or tested.test.started is None or tested.asked.family != "condition":
            continue
        any_word = tested.role == "any" or (tested.role == "where" and atom.choice == "any")
        if any_word and not _all_events(scope, tested.asked) and tested.asked.concepts:
            message = f"any entry of {' or '.join(tested.asked.concepts)} may be an old disease entered anew"
            yield scope.found("started-any-state", message, (*tested.loc, "started"), tested.asked.owner, key=True)


# -- lengths ---------------------------------------------------------------------------------------


@check_for("half-life", "age-unit", "empty-range")
def lengths(scope: Scope) -> Iterator[Found]:
    """Half-lives measure windows of drugs only; ages are in years or months."""
    for loc, length, asked, window in _lengths(scope):
        allowed = window and asked is not None and asked.family == "medication"
        if not allowed and any(part.unit == "half-life" for part in _parts(length)):
            why = "a half-life is a length only for a drug's window, under within or ago"
            yield scope.found("half-life", why, loc, asked.owner if asked is not None else None)
    for loc, node, owner in scope.statements:
        if not isinstance(node, AgeAtom):
            continue
        for word, length in _limit_words(node.age):
            if any(part.unit not in ("year", "month") for part in _parts(length)):
                yield scope.found("age-unit", "an age is completed years or months", (*loc, "age", word), owner)
    for name, visit in scope.schedule.items():
        if visit.between is not None and visit.between[0].unit == visit.between[1].unit and visit.between[0].count > visit.between[1].count:
            yield scope.found("empty-range", f"{visit.between[0]} is more than {visit.between[1]}", ("schedule", name, "between"))


def _parts(length: Duration | ExtremeDuration) -> tuple[Duration, ...]:
    return length.of if isinstance(length, ExtremeDuration) else (length,)


def _limit_words(limits_: DurationLimits) -> Iterator[tuple[str, Duration | ExtremeDuration]]:
    for word, field in (("at_least",) * 2, ("above",) * 2, ("at_most",) * 2, ("below",) * 2, ("from", "from_"), ("to",) * 2):
        length = getattr(limits_, field)
        if length is not None:
            yield word, length


def _lengths(scope: Scope) -> Iterator[tuple[Loc, Duration | ExtremeDuration, Asked | None, bool]]:
    """Every length of time in the file, whose it is, and whether it is the window of a selection of facts."""
    for loc, words, asked in scope.times():
        window = loc == asked.loc
        if words.within is not None:
            yield (*loc, "within"), words.within, asked, window
        if words.ago is not None:
            for word, length in _limit_words(words.ago):
                yield (*loc, "ago", word), length, asked, window
    for tested in scope.tests:
        if tested.test.lasting is not None:
            for word, length in _limit_words(tested.test.lasting):
                yield (*tested.loc, "lasting", word), length, tested.asked, False
    for asked, atom in scope.atoms():
        if atom.count is not None and atom.count.apart is not None:
            yield (*asked.loc, "count", "apart"), atom.count.apart, asked, False
        for choice in ("rise", "fall"):
            change = getattr(atom, choice)
            if change is not None and change.sustained is not None:
                yield (*asked.loc, choice, "sustained"), change.sustained, asked, False
            for word, length in _limit_words(change.over) if change is not None and change.over is not None else ():
                yield (*asked.loc, choice, "over", word), length, asked, False
    for name, visit in scope.schedule.items():
        if visit.looks_back is not None:
            yield ("schedule", name, "looks_back"), visit.looks_back, None, False
        for i, length in enumerate(visit.between or ()):
            yield ("schedule", name, "between", i), length, None, False
    for name, derived in scope.derived.items():
        if derived.inputs_within is not None:
            yield ("derived", name, "inputs_within"), derived.inputs_within, None, False
    if scope.trial is not None:
        yield ("horizon",), scope.trial.horizon, None, False
