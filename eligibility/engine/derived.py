"""Values computed from values: sub-scores, ratios, named formulas, the day's steroid dose (LANGUAGE 4, MEANING 6).

All of it is interval arithmetic: an input known to an interval gives a result known to an interval.
A derived result has a date of its own and is chosen and compared like any other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from math import inf, sqrt
from typing import TYPE_CHECKING, Any

from ..model.finding import ReasonCode
from ..model.patient import Medication, Observation
from ..model.quantity import ANYTHING, Interval, nine
from ..model.time import MINUTES, Duration, completed_years
from ..model.trial import Derived, RatioPart
from ..vocabulary.routes import SYSTEMIC, route_of
from ..vocabulary.vocabulary import UnitProblem, Vocabulary
from .record import Fact
from .values import Value, read_value

if TYPE_CHECKING:
    from .selecting import Selecting


# -- scores --------------------------------------------------------------------------------------


def part_of_score(fact: Fact, vocabulary: Vocabulary, only: tuple[str, ...] | None, without: tuple[str, ...] | None) -> Value:
    """The score summed over some items: exact where the items are recorded, else what the total leaves possible.

    With the total alone the part lies between the total less the most the other items can give, and
    the most its own items can give.
    """
    concept = vocabulary.concepts[fact.concept]
    entry = fact.entry
    if not isinstance(entry, Observation) or not concept.items:
        return Value(problem="not_recorded")
    named = set(only if only is not None else without or ())
    chosen = {name for name, item in concept.items.items() if name in named or named & set(item.groups)}
    if only is None:
        chosen = set(concept.items) - chosen
    inside = _sum(entry, concept.items, chosen)
    total = read_value(fact, vocabulary) if entry.value is not None else None
    if total is not None and total.problem is None and total.number is not None:
        rest = _sum(entry, concept.items, set(concept.items) - chosen)
        by_total = total.number - rest
        lo, hi = max(inside.lo, by_total.lo), min(inside.hi, by_total.hi)
        if lo > hi:
            return Value(problem="conflicting")
        inside = Interval(lo, hi)
    elif not chosen & set(entry.items):
        return Value(problem=total.problem if total is not None and total.problem else "not_recorded")
    return Value(number=inside, raw=inside, raw_unit=concept.unit)


def _sum(entry: Observation, items: Any, chosen: set[str]) -> Interval:
    lo = sum(entry.items.get(name, 0.0) for name in chosen)
    hi = sum(entry.items.get(name, items[name].most) for name in chosen)
    return Interval(nine(lo), nine(hi))


# -- formulas ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Formula:
    """A published formula: its inputs (the first dates the result), unit and source.

    ``compute`` takes one number per input, then age in completed years and whether female where the
    formula uses them, and is monotone in every number, so that corners bound it.
    """

    inputs: tuple[tuple[str, str], ...]
    unit: str
    source: str
    compute: Callable[..., float]
    person: bool = False


def _cockcroft_gault(creatinine: float, weight: float, age: int, female: bool) -> float:
    if creatinine <= 0:
        return inf
    return (140 - age) * weight * (0.85 if female else 1.0) / (72 * creatinine)


def _ckd_epi_2021(creatinine: float, age: int, female: bool) -> float:
    if creatinine <= 0:
        return inf
    kappa, alpha = (0.7, -0.241) if female else (0.9, -0.302)
    ratio = creatinine / kappa
    value: float = 142 * min(ratio, 1.0) ** alpha * max(ratio, 1.0) ** -1.200 * 0.9938**age
    return value * (1.012 if female else 1.0)


def _easix(ldh: float, creatinine: float, platelets: float) -> float:
    return ldh * creatinine / platelets if platelets > 0 else inf


def _car_hematotox(platelets: float, neutrophils: float, hemoglobin: float, crp: float, ferritin: float) -> float:
    """Points before lymphodepletion, 0 to 7; a count or haemoglobin exactly on its limit scores the point."""
    points = 2 if platelets < 75 else 1 if platelets <= 175 else 0
    points += neutrophils <= 1.2
    points += hemoglobin <= 9.0
    points += crp >= 3.0
    points += 2 if ferritin > 2000 else 1 if ferritin >= 650 else 0
    return float(points)


FORMULAS: dict[str, Formula] = {
    "cockcroft-gault": Formula(
        (("creatinine", "mg/dL"), ("weight", "kg")),
        "mL/min",
        "Cockcroft and Gault, Nephron 1976;16:31-41",
        _cockcroft_gault,
        person=True,
    ),
    "ckd-epi-2021": Formula(
        (("creatinine", "mg/dL"),),
        "mL/min/{1.73_m2}",
        "Inker et al., N Engl J Med 2021;385:1737-1749 (creatinine, without race)",
        _ckd_epi_2021,
        person=True,
    ),
    "body-mass-index": Formula(
        (("weight", "kg"), ("height", "cm")),
        "kg/m2",
        "Quetelet index: weight in kg over the square of height in m",
        lambda weight, height: weight / (height / 100) ** 2 if height > 0 else inf,
    ),
    "body-surface-area": Formula(
        (("weight", "kg"), ("height", "cm")),
        "m2",
        "Mosteller, N Engl J Med 1987;317:1098",
        lambda weight, height: sqrt(weight * height / 3600) if weight > 0 and height > 0 else 0.0,
    ),
    "easix": Formula(
        (("ldh", "U/L"), ("creatinine", "mg/dL"), ("platelets", "10*9/L")),
        "1",
        "EASIX = LDH x creatinine / platelets: Greenbaum et al., Blood Adv 2021;5:2799",
        _easix,
    ),
    "m-easix": Formula(
        (("ldh", "U/L"), ("crp", "mg/dL"), ("platelets", "10*9/L")),
        "1",
        "m-EASIX = LDH x CRP / platelets: Pennisi et al., Blood Adv 2021 (PMC8525234)",
        _easix,
    ),
    "car-hematotox": Formula(
        (("platelets", "10*9/L"), ("neutrophils", "10*9/L"), ("hemoglobin", "g/dL"), ("crp", "mg/dL"), ("ferritin", "ng/mL")),
        "1",
        "CAR-HEMATOTOX points: Rejeski et al., Blood 2021 (PMC8893508), item limits as a public specification that cites it gives them",
        _car_hematotox,
    ),
}
"""Formulas by name. No arithmetic is written in rule files."""


def derived_facts(selecting: Selecting, name: str, derived: Derived) -> tuple[list[tuple[Fact, bool]], tuple[str, ...]]:
    """Results of a derived measurement, and the inputs that were missing where there are none."""
    if derived.ratio is not None:
        return _ratios(selecting, name, derived)
    return _formula_results(selecting, name, derived)


def _formula_results(selecting: Selecting, name: str, derived: Derived) -> tuple[list[tuple[Fact, bool]], tuple[str, ...]]:
    formula = FORMULAS[derived.formula or ""]
    vocabulary = selecting.record.vocabulary
    (main, main_unit), *others = formula.inputs
    results: list[tuple[Fact, bool]] = []
    missing: list[str] = [] if selecting.facts((main,), ("observation",)) else [main]
    if formula.person and not selecting.record.births:
        missing.append("birth date")
    if formula.person and not selecting.record.patient.sex:
        missing.append("sex")
    missing += [other for other, _ in others if not selecting.facts((other,), ("observation",))]
    if missing:
        return [], tuple(missing)
    absent: list[str] = []
    computed = False
    for fact, sure in selecting.facts((main,), ("observation",)):
        value, certain, problem = _input(fact, sure, main, main_unit, vocabulary)
        intervals, parts = [value], [fact]
        beside = [(other, _beside(selecting, fact, other, unit, derived.inputs_within)) for other, unit in others]
        absent += [other for other, found in beside if found is None]
        computed = computed or all(found is not None for _, found in beside)
        for _, found in beside:
            # a newer main input without the others makes no result, and an older result no longer the latest of its inputs
            near, used, sure_other, unread = found or (Interval(0.0, inf), [], False, None)
            intervals.append(near)
            parts += used
            certain = certain and sure_other
            problem = problem or unread  # an input that cannot be read makes no number, not even an unbounded one
        interval = _corners(selecting, formula, fact, intervals)
        if interval.lo == inf:
            problem = problem or "implausible"  # divided by nought
        results.append((_result(name, fact, tuple(parts), interval, formula.unit, certain, problem, vocabulary), True))
    return (results, ()) if computed else ([], tuple(dict.fromkeys(absent)))


def _input(fact: Fact, sure: bool, concept: str, unit: str, vocabulary: Vocabulary) -> tuple[Interval, bool, ReasonCode | None]:
    value = read_value(fact, vocabulary)
    if value.number is None or value.problem is not None:
        return Interval(0.0, inf), fact.certain and sure, value.problem or "imprecise_value"
    factor = vocabulary.quantity(concept, Interval.exactly(1.0), unit)
    assert not isinstance(factor, UnitProblem)  # the formula's own unit is one of the concept's
    scaled = value.number.scale(1.0 / factor.lo)
    return Interval(max(scaled.lo, 0.0), max(scaled.hi, 0.0)), fact.certain and sure, None


def _beside(
    selecting: Selecting, fact: Fact, concept: str, unit: str, within: Duration | None
) -> tuple[Interval, list[Fact], bool, ReasonCode | None] | None:
    """The latest result of another input that lies close enough: the hull of those it may be, whether one certainly does,
    and why one of them cannot be read."""
    reach = within or Duration(0, "day")
    lo, hi = fact.days()
    near: list[tuple[Fact, Interval, ReasonCode | None]] = []
    edge: int | None = None
    certain = False
    for other, sure in selecting.facts((concept,), ("observation",)):
        o_lo, o_hi = other.days()
        if o_hi < reach.back(lo) or o_lo > reach.on(hi):
            continue
        value, sure_value, problem = _input(other, sure, concept, unit, selecting.record.vocabulary)
        close = o_lo >= reach.back(hi) and o_hi <= reach.on(lo)
        certain = certain or (close and sure_value and problem is None)
        if close and sure_value:
            edge = other.s_lo if edge is None else max(edge, other.s_lo)
        near.append((other, value, problem))
    near = [one for one in near if edge is None or one[0].s_hi >= edge]
    if not near:
        return None
    hull = Interval(min(value.lo for _, value, _ in near), max(value.hi for _, value, _ in near))
    return hull, [other for other, _, _ in near], certain, next((problem for _, _, problem in near if problem is not None), None)


def _corners(selecting: Selecting, formula: Formula, fact: Fact, intervals: list[Interval]) -> Interval:
    people: list[tuple[Any, ...]] = [()]
    if formula.person:
        births = selecting.record.births
        lo, hi = fact.days()
        ages = {completed_years(max(b for _, b in births), lo), completed_years(min(a for a, _ in births), hi)}
        sexes = {sex == "female" for sex in selecting.record.patient.sex if sex in ("female", "male")} or {True, False}
        people = [(max(age, 0), female) for age in sorted(ages) for female in sorted(sexes)]
    values: list[float] = []
    for ends in product(*({interval.lo, interval.hi} for interval in intervals)):
        for person in people:
            try:
                value = formula.compute(*ends, *person)
            except (OverflowError, ZeroDivisionError):
                value = inf
            values += [0.0, inf] if value != value else [value]
    return Interval(nine(min(values)), nine(max(values)))


def _result(
    name: str,
    fact: Fact,
    parts: tuple[Fact, ...],
    interval: Interval,
    unit: str,
    certain: bool,
    problem: ReasonCode | None,
    vocabulary: Vocabulary,
) -> Fact:
    lo, hi = max(part.s_lo for part in parts[:1]), max(part.s_hi for part in parts[:1])
    result = Fact(
        "observation", fact.entry, fact.order, fact.reading, name, (name,), lo, hi, lo, hi, certain=certain, point=True, derived_from=parts
    )
    result.mark = None if certain else next((part.mark for part in parts if part.mark), "unconfirmed")
    if name in vocabulary.concepts:
        converted = vocabulary.quantity(name, interval, unit)
        interval = converted if not isinstance(converted, UnitProblem) else ANYTHING
    result.memo["derived"] = interval
    result.memo["derived_unit"] = unit
    if problem is not None:
        result.memo["value"] = Value(problem=problem)
    return result


# -- ratios --------------------------------------------------------------------------------------


def _ratios(selecting: Selecting, name: str, derived: Derived) -> tuple[list[tuple[Fact, bool]], tuple[str, ...]]:
    assert derived.ratio is not None
    top, bottom = derived.ratio
    missing = tuple(part.observation for part in derived.ratio if not selecting.facts((part.observation,), ("observation",)))
    if missing:
        return [], missing
    vocabulary = selecting.record.vocabulary
    results: list[tuple[Fact, bool]] = []
    for over, sure_over in selecting.facts((top.observation,), ("observation",)):
        for under, sure_under in selecting.facts((bottom.observation,), ("observation",)):
            o, u = over.days(), under.days()
            if over is not under and (top.observation == bottom.observation or o[0] > u[1] or u[0] > o[1]):
                continue
            same_day = over is under or o == u == (o[0], o[0])
            upper, problem = _part(over, top, vocabulary)
            lower, other = _part(under, bottom, vocabulary)
            certain = same_day and over.certain and under.certain and sure_over and sure_under
            interval = _quotient(upper, lower).scale(100.0 if derived.unit == "%" else 1.0)
            if lower.lo <= 0 and problem is None:
                problem = "imprecise_value"
            unit = derived.unit or "1"
            results.append((_result(name, over, (over, under), interval, unit, certain, problem or other, vocabulary), True))
    return results, ()


def _part(fact: Fact, part: RatioPart, vocabulary: Vocabulary) -> tuple[Interval, ReasonCode | None]:
    value = part_of_score(fact, vocabulary, part.only, part.without) if part.only or part.without else read_value(fact, vocabulary)
    if value.number is None or value.problem is not None:
        return Interval(0.0, inf), value.problem or "imprecise_value"
    return Interval(max(value.number.lo, 0.0), max(value.number.hi, 0.0)), None


def _quotient(upper: Interval, lower: Interval) -> Interval:
    lo = 0.0 if lower.hi in (0.0, inf) else upper.lo / lower.hi
    hi = inf if lower.lo == 0 else upper.hi / lower.lo
    return Interval(nine(lo), nine(hi))


def latest_value(selecting: Selecting, concept: str) -> Interval | None:
    """The hull of the values that may be the latest on or before the day; None where none is certain."""
    if concept not in selecting.record.vocabulary.concepts:
        return None
    today = selecting.today
    facts = [(fact, sure) for fact, sure in selecting.facts((concept,), ("observation",)) if fact.s_lo <= today]
    edge = max((fact.s_lo for fact, sure in facts if fact.certain and sure and fact.s_hi <= today), default=None)
    if edge is None:
        return None
    values = [read_value(fact, selecting.record.vocabulary) for fact, _ in facts if min(fact.s_hi, today) >= edge]
    if any(value.number is None or value.problem is not None for value in values):
        return None
    numbers = [value.number for value in values if value.number is not None]
    return Interval(min(number.lo for number in numbers), max(number.hi for number in numbers))


# -- dose of a day -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DayDose:
    """The dose of a day or of every day of a span, in mg a day, with why it is not one number."""

    total: Interval
    why: tuple[tuple[ReasonCode, str, Fact], ...]
    used: tuple[Fact, ...]
    certain: bool


def dose_on(selecting: Selecting, drug: str, first: int, last: int) -> DayDose:
    """The sum over drugs with an equivalent in ``drug``, on whichever day of [first, last] is asked.

    A course certainly covering every one of the days gives its dose; several orders of one drug give
    from the least of them to their sum; one that may cover a day adds from 0 to its dose.
    """
    vocabulary = selecting.record.vocabulary
    relevant = _relevant(vocabulary, drug)
    by_drug: dict[str, list[tuple[Fact, bool]]] = {}
    for fact in selecting.record.facts:
        if fact.family != "medication":
            continue
        if fact.concept not in relevant:
            continue
        entry = fact.entry
        route = route_of(entry.route) if isinstance(entry, Medication) and entry.route else None
        if route is not None and route not in SYSTEMIC:
            continue
        e_lo, e_hi = selecting.ends(fact)
        lo, hi = fact.days()
        if lo > last or e_hi // MINUTES < first or lo > selecting.day:
            continue
        covers = hi <= min(first, selecting.day) and e_lo // MINUTES >= last and fact.certain and not _route_open(fact, vocabulary)
        by_drug.setdefault(fact.concept, []).append((fact, covers))
    kinds = vocabulary.descendants
    # an order charted as a class may be one more of the same drug, and then the least of them may be what is taken
    classes = {concept for concept in by_drug if len(kinds(concept)) > 1}
    of_classes = [
        dose.lo if dose is not None else 0.0
        for concept in classes
        for fact, _ in by_drug[concept]
        for dose in (selecting.tests.daily_dose(fact, drug, selecting.weight())[0],)
    ]
    total = Interval.exactly(0.0)
    why: list[tuple[ReasonCode, str, Fact]] = []
    used: list[Fact] = []
    certain = False
    for concept, courses in by_drug.items():
        lows: list[float] = []
        high = 0.0
        may_cover: list[float] = []
        for fact, covers in courses:
            dose, problem = selecting.tests.daily_dose(fact, drug, selecting.weight())
            used.append(fact)
            certain = certain or covers
            if dose is None:
                why.append((problem, "dose", fact))
                if concept in classes:
                    why.append(("unconfirmed", "code", fact))
                dose = Interval(0.0, inf)
            if covers:
                lows.append(dose.lo)
            else:
                own = fact.certain
                vague: list[tuple[ReasonCode, str, Fact]]
                may_cover.append(dose.lo)
                vague = [("imprecise_date", which, fact) for which in _open_edges(selecting, fact, first, last)]
                if not own:
                    why.append((fact.mark or "unconfirmed", "status", fact))
                route = _route_open(fact, vocabulary)
                if route is not None:
                    why.append((route, "route", fact))
                why += vague if vague or not own or route is not None else [("imprecise_date", "end", fact)]
            high += dose.hi
        if len(lows) > 1:
            why += [("conflicting", "dose", fact) for fact, covers in courses if covers]
        # of several orders of one day the least may be what is taken: a possible lower one too
        least = min([*lows, *may_cover, *(of_classes if concept not in classes else ())]) if lows else 0.0
        if concept in classes and len(by_drug) > 1:
            least = 0.0
        total = total + Interval(nine(least), nine(high))
    return DayDose(total, tuple(why), tuple(used), certain)


def _route_open(fact: Fact, vocabulary: Vocabulary) -> ReasonCode | None:
    """Why a steroid may be one that does not act on the whole body; None where its route, or the drug itself, says it does."""
    entry = fact.entry
    if isinstance(entry, Medication) and entry.route:
        return None if route_of(entry.route) is not None else "imprecise_value"
    concept = vocabulary.concepts.get(fact.concept)
    return None if concept is not None and concept.systemic is not None else "not_recorded"


def _open_edges(selecting: Selecting, fact: Fact, first: int, last: int) -> list[str]:
    """Which dates of a course, told to the day, would say whether it covers the days of a span."""
    e_lo, e_hi = selecting.ends(fact)
    lo, hi = fact.days()
    start = ["start"] if lo != hi and hi > min(first, selecting.day) else []
    return [*start, *(["end"] if e_lo // MINUTES != e_hi // MINUTES and e_lo // MINUTES < last else [])]


@lru_cache(maxsize=16)
def equivalent_drugs(vocabulary: Vocabulary, drug: str) -> tuple[str, ...]:
    """The drugs with an equivalent in ``drug``, itself included."""
    return tuple(concept.id for concept in vocabulary.concepts.values() if drug in concept.equivalents or concept.id == drug)


@lru_cache(maxsize=16)
def _relevant(vocabulary: Vocabulary, drug: str) -> frozenset[str]:
    """Those drugs and the classes they are in (a bare "glucocorticoid" may be any of them)."""
    drugs = set(equivalent_drugs(vocabulary, drug))
    known = vocabulary.concepts.get(drug)
    for parent in known.broader if known is not None else ():
        drugs |= vocabulary.descendants(parent)  # one without a published factor counts too, by an unknown amount
    return frozenset(drugs) | {above for one in drugs for above in vocabulary.ancestors(one)}
