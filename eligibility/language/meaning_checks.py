"""Checks of what criteria mean together, and the questions an author must answer (LANGUAGE 9, MEANING 9)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from math import ceil, floor, inf
from typing import Any

from ..model.criteria import (
    AllOf,
    AnyOf,
    FactAtom,
    Limits,
    Meets,
    Node,
    NoneOf,
    NotPublished,
    Readings,
    SomeOf,
    Test,
)
from ..model.criteria import Ask as AskNode
from ..model.limits import Alternatives, ClassName, Limit, Measure, TimesLimit, Titre
from ..model.quantity import Interval
from ..model.truth import NOT, Truth, all_of, any_of, at_least, readings
from ..vocabulary.concept import Concept
from ..vocabulary.units import UnitProblem
from .scope import PREDNISONE_DOSE, Found, Loc, Owner, Scope, check_for, located

# -- criteria --------------------------------------------------------------------------------------


@check_for("unless-narrower", trial=True)
def unless_narrower(scope: Scope) -> Iterator[Found]:
    """An exception about a fact is ``except``: by ``unless`` a patient with that fact and another would pass."""
    for root in scope.roots:
        criterion = root.owner.criterion
        if root.part != "unless" or criterion is None or criterion.when is None:
            continue
        asked = [node for node in scope.through(criterion.when) if isinstance(node, FactAtom)]
        wide = {name: atom for atom in asked for entry in scope.entries(atom.subject) for name in entry}
        for loc, node in located(root.statement, root.loc):
            for below in scope.through(node) if isinstance(node, Meets) else [node]:
                if isinstance(below, FactAtom):
                    yield from _narrower(scope, below, wide, loc, root.owner, not isinstance(node, Meets))


def _narrower(scope: Scope, atom: FactAtom, wide: dict[str, FactAtom], loc: Loc, owner: Owner, own: bool) -> Iterator[Found]:
    for name in (name for entry in scope.entries(atom.subject) for name in entry):
        over = [one for one in wide if name in scope.below(one) and (one != name or atom.family != "observation")]
        if over:
            how = "is" if over[0] == name else "is a kind of"
            message = f"{name} {how} {over[0]}, of which this criterion asks: a patient with it and another {over[0]} would pass"
            yield scope.found("unless-narrower", message, (*loc, atom.family) if own else loc, owner)
            return


@check_for("no-question", "two-asks")
def questions_end(scope: Scope) -> Iterator[Found]:
    """A question has one question mark."""
    for loc, text, owner in scope.asks():
        marks = text.count("?")
        if marks == 0:
            yield scope.found("no-question", "a question without a question mark", loc, owner)
        elif marks > 1:
            yield scope.found("two-asks", "two questions in one: one yes cannot answer both", loc, owner)


@check_for("arm-diagnosis", trial=True)
def arm_diagnosis(scope: Scope) -> Iterator[Found]:
    """Arms that differ by disease each ask for their own, as a documented diagnosis."""
    trial = scope.trial
    if trial is None or len(trial.arms) < 2:
        return
    named = {arm.diseases for arm in trial.arms.values() if arm.diseases}
    if not (len(named) > 1 or (not named and len(trial.trial.diseases) > 1)):
        return
    for name, arm in trial.arms.items():
        if all(criterion.not_published is not None for criterion in arm.inclusion) and arm.inclusion:
            continue  # its list cannot be read, and says so
        stated = any(
            isinstance(node, FactAtom) and node.family == "condition" and node.documented
            for criterion in arm.inclusion
            if criterion.when is not None
            for node in scope.through(criterion.when)
        )
        if not stated:
            message = f"the arm {name} does not ask for its own diagnosis: a patient without the disease would be barred by nothing"
            yield scope.found("arm-diagnosis", message, ("arms", name), key=True)


@check_for("cannot-bar", trial=True)
def cannot_bar(scope: Scope) -> Iterator[Found]:
    """A file in which no record can bar anybody is metadata, and says so."""
    trial = scope.trial
    if trial is None or (trial.trial.record is not None and trial.trial.record.completeness == "metadata"):
        return
    for owner in scope.owners:
        criterion = owner.criterion
        if criterion is None or criterion.when is None:
            continue
        true, false = _can(scope, criterion.when, ())
        applies = criterion.applies_when is None or _can(scope, criterion.applies_when, ())[0]
        applies = applies and (criterion.unless is None or _can(scope, criterion.unless, ())[1])
        if applies and (false if owner.kind == "inclusion" else true):
            return
    yield scope.found("cannot-bar", "no record can bar anybody from this trial", ("trial",), key=True)


def _can(scope: Scope, node: Node, inside: tuple[str, ...]) -> tuple[bool, bool]:
    """Whether a record alone can make a statement true, and false."""
    match node:
        case AskNode() | NotPublished():
            return False, False
        case Meets(meets=name):
            definition = scope.definition(name)
            return _can(scope, definition.when, (*inside, name)) if definition is not None and name not in inside else (False, False)
        case AllOf(all_of=of):
            each = [_can(scope, one, inside) for one in of]
            return all(true for true, _ in each), any(false for _, false in each)
        case AnyOf(any_of=of):
            each = [_can(scope, one, inside) for one in of]
            return any(true for true, _ in each), all(false for _, false in each)
        case NoneOf(none_of=of):
            each = [_can(scope, one, inside) for one in of]
            return all(false for _, false in each), any(true for true, _ in each)
        case Readings(readings=of):
            each = [_can(scope, one, inside) for one in of]
            return all(true for true, _ in each), all(false for _, false in each)
        case SomeOf(of=of):
            each = [_can(scope, one, inside) for one in of]
            trues, falses = sum(true for true, _ in each), sum(false for _, false in each)
            if node.at_least is not None:
                return trues >= node.at_least, falses > len(of) - node.at_least
            most = node.at_most or 0
            return falses >= len(of) - most, trues > most
    return True, True


# -- questions -------------------------------------------------------------------------------------

_NEGATIVE = re.compile(r"\b(?:not|cannot|unable|unwilling|refus(?:e|es|ed|al)|never|\w+n['’]t)\b", re.IGNORECASE)


@check_for("negative-question")
def negative_question(scope: Scope) -> Iterator[Found]:
    """Yes means true: a question with a negation is easily answered the wrong way round."""
    for loc, text, owner in scope.asks():
        found = _NEGATIVE.search(text)
        if found:
            yield scope.found("negative-question", f"«{found.group()}» in a question: is yes still true?", loc, owner, question=True)


def _presumable(atom: FactAtom, concept: Concept) -> bool:
    """Whether silence about the concept may count as absence in this atom."""
    return atom.family != "observation" and not atom.planned and atom.if_not_recorded is None and concept.absence is None


@check_for("uncoded")
def uncoded(scope: Scope) -> Iterator[Found]:
    """Silence about what charts have no code for says little."""
    for asked, atom in scope.atoms():
        bare = [name for name in asked.concepts if _without_code(scope, atom, name)]
        if bare:
            have = "have" if len(bare) > 1 else "has"
            message = f"{', '.join(bare)} {have} no code in any system, and nothing recorded would be taken as absence"
            yield scope.found("uncoded", message, (*asked.loc, atom.family), asked.owner, question=True)


def _without_code(scope: Scope, atom: FactAtom, name: str) -> bool:
    concept = scope.concept(name)
    if concept is None or not _presumable(atom, concept):
        return False
    return not any(known.codes for one in scope.below(name) if (known := scope.concept(one)) is not None)


@check_for("assumed-basis", trial=True)
def assumed_basis(scope: Scope) -> Iterator[Found]:
    """What rests on an assumption of the file's author is listed."""
    if scope.trial is None:
        return
    for name, visit in scope.schedule.items():
        if visit.basis == "assumed":
            loc: Loc = ("schedule", name)
            users = _users(scope, lambda atom, of=name: of in (atom.at, atom.before, atom.after))
            owner = Owner(loc, f"visit {name}", visit.answered)
            many = f"{len(users)} criteria rest" if len(users) != 1 else "1 criterion rests"
            message = f"{many} on the visit {name}, whose width or day is assumed"
            yield scope.found("assumed-basis", message, (*loc, "basis"), owner, question=True, owners=(owner, *users))
    for name, derived in scope.derived.items():
        if derived.basis == "assumed":
            loc = ("derived", name)
            users = _users(scope, lambda atom, of=name: any(of in entry for entry in scope.entries(atom.subject)))
            owner = Owner(loc, f"derived value {name}", derived.answered)
            message = f"how {name} is computed is assumed"
            yield scope.found("assumed-basis", message, (*loc, "basis"), owner, question=True, owners=(owner, *users))


def _users(scope: Scope, uses: Any) -> list[Owner]:
    """The criteria with an atom of which ``uses`` holds."""
    found = {
        root.owner.loc: root.owner
        for root in scope.roots
        if root.owner.criterion is not None and any(isinstance(node, FactAtom) and uses(node) for node in scope.through(root.statement))
    }
    return list(found.values())


@check_for("presumed-barrier", trial=True)
def presumed_barrier(scope: Scope) -> Iterator[Found]:
    """Where silence would bar, the criterion is open for every thin chart: the author knows best what to say of it."""
    for owner in scope.owners:
        criterion = owner.criterion
        if criterion is None or criterion.when is None:
            continue
        truth = _silent(scope, criterion.when, ())
        barred = Truth.PRESUMED_FALSE if owner.kind == "inclusion" else Truth.PRESUMED_TRUE
        if truth == barred:
            message = "with nothing recorded this would bar; silence never does, so every chart that is silent leaves it open"
            yield scope.found("presumed-barrier", message, (*owner.loc, "when"), owner, key=True, question=True)


def _silent(scope: Scope, node: Node, inside: tuple[str, ...]) -> Truth:
    """The truth of a statement where nothing is recorded of anything it asks, and silence counts."""
    match node:
        case AllOf(all_of=of):
            return all_of(_silent(scope, one, inside) for one in of)
        case AnyOf(any_of=of):
            return any_of(_silent(scope, one, inside) for one in of)
        case NoneOf(none_of=of):
            return NOT[any_of(_silent(scope, one, inside) for one in of)]
        case Readings(readings=of):
            return readings(_silent(scope, one, inside) for one in of)
        case SomeOf(of=of):
            each = [_silent(scope, one, inside) for one in of]
            if node.at_least is not None:
                return at_least(node.at_least, each)
            return NOT[at_least((node.at_most or 0) + 1, each)]
        case Meets(meets=name):
            definition = scope.definition(name)
            known = definition is not None and name not in inside
            return _silent(scope, definition.when, (*inside, name)) if definition is not None and known else Truth.UNKNOWN
        case FactAtom():
            return _silent_atom(scope, node)
    return Truth.UNKNOWN


def _silent_atom(scope: Scope, atom: FactAtom) -> Truth:
    concepts = [scope.concept(name) for entry in scope.entries(atom.subject) for name in entry]
    if [concept.id for concept in concepts if concept is not None] == [PREDNISONE_DOSE] and atom.latest is not None:
        # a dose: nothing taken is below every limit
        words = {how for how, _ in atom.latest.bounds()}
        return Truth.PRESUMED_TRUE if words and words <= {"at_most", "below"} else Truth.PRESUMED_FALSE if words else Truth.UNKNOWN
    if atom.planned or atom.family == "observation" or atom.choice in ("latest", "earliest"):
        return Truth.UNKNOWN
    each = [_silent_one(atom, concept) for concept in concepts if concept is not None]
    if not each:
        return Truth.UNKNOWN
    if atom.choice == "count" and atom.count is not None:
        most = atom.count.at_most is not None
        return NOT[any_of(each)] if most else any_of(each)
    if atom.choice in ("every", "unchanged"):
        return all_of(NOT[one] for one in each)
    return any_of(each)


def _silent_one(atom: FactAtom, concept: Concept) -> Truth:
    """Whether there is such a fact, where nothing is recorded."""
    if atom.documented:
        return Truth.FALSE
    return Truth.PRESUMED_FALSE if _presumable(atom, concept) else Truth.UNKNOWN


@check_for("entries-overlap")
def entries_overlap(scope: Scope) -> Iterator[Found]:
    """One fact that is of two entries counts twice."""
    for asked, atom in scope.atoms():
        if atom.count is None or atom.count.distinct != "entry":
            continue
        for first, second in combinations(asked.entries, 2):
            pair = [(a, b) for a in first for b in second if scope.below(a) & scope.below(b)]
            if pair:
                narrow, wide = pair[0] if pair[0][0] in scope.below(pair[0][1]) else pair[0][::-1]
                message = f"{narrow} is of the entry {wide} too: one treatment would count as two"
                yield scope.found("entries-overlap", message, (*asked.loc, atom.family), asked.owner, question=True)
                break


# -- limits of one measurement in two criteria -------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Demand:
    """Values of one measurement that a criterion asks for, or bars."""

    key: tuple[Any, ...]
    values: Interval
    whole: bool
    loc: Loc
    owner: Owner


@check_for("limits-disagree", trial=True)
def limits_disagree(scope: Scope) -> Iterator[Found]:
    """Limits of one measurement in two criteria that leave a gap between them, or contradict."""
    demands = [demand for owner in scope.owners for demand in _demands(scope, owner)]
    for first, second in combinations(demands, 2):
        if first.key != second.key or first.owner.loc == second.owner.loc:
            continue
        if first.owner.arm is not None and second.owner.arm is not None and first.owner.arm != second.owner.arm:
            continue
        why = _disagreement(first, second)
        if why is not None:
            other = first.owner.where.removeprefix("criterion ")
            message = f"{first.key[0]}: {why} (see {other})"
            yield scope.found("limits-disagree", message, second.loc, second.owner, question=True, owners=(second.owner, first.owner))


def _demands(scope: Scope, owner: Owner) -> Iterator[_Demand]:
    """The values an inclusion certainly asks for, or an exclusion certainly bars."""
    criterion = owner.criterion
    if criterion is None or criterion.when is None or criterion.applies_when is not None or criterion.unless is not None:
        return
    joined = "all_of" if owner.kind == "inclusion" else "any_of"

    def parts(node: Node, loc: Loc) -> Iterator[tuple[Loc, FactAtom]]:
        if isinstance(node, FactAtom):
            yield loc, node
        elif isinstance(node, AllOf | AnyOf):
            for i, one in enumerate(getattr(node, joined, ())):
                yield from parts(one, (*loc, joined, i))

    for loc, atom in parts(criterion.when, (*owner.loc, "when")):
        entries = scope.entries(atom.subject)
        if atom.family != "observation" or atom.choice not in ("latest", "any", "every") or len(entries) != 1 or len(entries[0]) != 1:
            continue
        concept = scope.concept(entries[0][0])
        test: Test = getattr(atom, atom.choice)
        if concept is None or atom.except_ or atom.where is not None or test.all_of or test.any_of or test.none_of or test.is_ is not None:
            continue
        found = _interval(scope, concept, test)
        if found is not None:
            kind, values = found
            whole = concept.whole or kind == "class"
            yield _Demand((concept.id, kind, atom.only, atom.without), values, whole, (*loc, atom.choice), owner)


def _interval(scope: Scope, concept: Concept, test: Limits) -> tuple[str, Interval] | None:
    """The values that pass a test, and what they are measured in; None where that is not one interval."""
    low, high, low_open, high_open = -inf, inf, False, False
    kinds: set[str] = set()
    for how, limit in test.bounds():
        edge = _edge(scope, concept, how, limit)
        if edge is None:
            return None
        kind, value = edge
        kinds.add(kind)
        if how in ("at_least", "above"):
            low, low_open = value, how == "above"
        else:
            high, high_open = value, how == "below"
    if len(kinds) != 1 or low > high or (low == high and (low_open or high_open)):
        return None
    return kinds.pop(), Interval(low, high, low_open, high_open)


def _edge(scope: Scope, concept: Concept, how: str, limit: Limit) -> tuple[str, float] | None:
    match limit:
        case TimesLimit(factor, side):
            return side, factor
        case Titre(dilution):
            return "titre", dilution
        case Alternatives(of):
            return next((edge for one in of if (edge := _edge(scope, concept, how, one)) is not None), None)
    if concept.id not in scope.vocabulary.concepts:
        return None
    if isinstance(limit, ClassName) or (isinstance(limit, Measure) and limit.unit is None and concept.classes):
        span = scope.vocabulary.class_interval(concept.id, str(limit))
        return ("class", float(span[0] if how in ("at_least", "below") else span[1])) if span is not None else None
    if isinstance(limit, Measure):
        value = scope.vocabulary.quantity(concept.id, Interval.exactly(limit.value), limit.unit)
        return ("value", value.lo) if not isinstance(value, UnitProblem) and value.exact else None
    return None


def _disagreement(first: _Demand, second: _Demand) -> str | None:
    kinds = (first.owner.kind, second.owner.kind)
    a, b = first.values, second.values
    if kinds == ("inclusion", "inclusion"):
        return None if a.within(b) else "no value passes both"
    if kinds == ("exclusion", "exclusion"):
        below, above = (a, b) if a.lo < b.lo else (b, a)
        covered = below.lo == -inf and above.hi == inf and not _between(below, above, first.whole)
        return "every value is barred by one of the two" if covered and below.hi < inf and above.lo > -inf else None
    asked, barred = (a, b) if kinds[0] == "inclusion" else (b, a)
    if barred.within(asked):
        return "some values that the one asks for are barred by the other"
    below, above = (asked, barred) if asked.lo < barred.lo else (barred, asked)
    return "values between the two limits are neither asked for nor barred" if _between(below, above, first.whole) else None


def _between(below: Interval, above: Interval, whole: bool) -> bool:
    """Whether a value lies between two intervals of which the first is the lower."""
    if whole:
        first = floor(below.hi) + 1 if not (below.hi_open and below.hi == floor(below.hi)) else int(below.hi)
        last = ceil(above.lo) - 1 if not (above.lo_open and above.lo == ceil(above.lo)) else int(above.lo)
        return first <= last
    if below.hi < above.lo:
        return True
    return below.hi == above.lo and below.hi_open and above.lo_open
