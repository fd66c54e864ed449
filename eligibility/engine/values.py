"""What a fact says of a value test: true, false, or unknown with the reason (MEANING 4, LANGUAGE 3.5).

A result is read once per fact into a :class:`Value`; limits are converted into the same unit by the
vocabulary, so that comparison is exact. Nothing is guessed: no unit from a number, no range from a
textbook, no implausible value clipped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from math import inf
from typing import Any

from ..model.criteria import DoseTest, GradeTest, Limits
from ..model.finding import ReasonCode, quick
from ..model.limits import Alternatives, ClassName, Extreme, Limit, Measure, NotGiven, TimesLimit, Titre
from ..model.patient import Medication, Observation, Quantity, ReferenceRange
from ..model.quantity import TWO_NUMBERS, Comparison, Interval, nine
from ..model.site import Site, SiteRange
from ..model.time import MINUTES, completed_years
from ..vocabulary.concept import Concept
from ..vocabulary.vocabulary import UnitProblem, Vocabulary
from .record import Fact, Record

Answer = tuple[bool | None, tuple["Why", ...]]
"""True, False or None (unknown), and why it is unknown."""


@quick
@dataclass(frozen=True, slots=True)
class Why:
    """A reason code with what exactly is missing of the entry, for words and needs."""

    code: ReasonCode
    attribute: str = "value"
    item: str | None = None
    source: str | None = None


YES: Answer = (True, ())
NO: Answer = (False, ())


@lru_cache(maxsize=4096)
def unknown(code: ReasonCode, attribute: str = "value") -> Answer:
    """Unknown for one reason."""
    return None, (Why(code, attribute),)


@dataclass(frozen=True, slots=True)
class Value:
    """A result as read: a number in the concept's unit, a span of classes, a named result, or a problem.

    ``raw`` and ``raw_unit`` are as reported, for comparing with a reported range in the same unit.
    """

    number: Interval | None = None
    span: tuple[int, int] | None = None
    result: str | None = None
    problem: ReasonCode | None = None
    raw: Interval | None = None
    raw_unit: str | None = None


NOTHING = Value(problem="not_recorded")
_NUMBER = re.compile(r"(?P<sign><=|>=|<|>|≤|≥)?\s*(?P<number>[+-]?\d+(?:,\d{3})*(?:\.\d+)?|[+-]?\.\d+)\s*(?P<unit>[^\d\s].*)?")
_SIGNS = {"≤": "<=", "≥": ">="}
_SAYS = ("positive", "negative", "indeterminate")
_POSITIVE = ("positive", "detected", "reactive", "present")


def read_value(fact: Fact, vocabulary: Vocabulary) -> Value:
    """The value of an observation, read once and remembered on the fact."""
    known = fact.memo.get("value")
    if known is None:
        known = fact.memo["value"] = _read(fact, vocabulary)
    value: Value = known
    return value


def _read(fact: Fact, vocabulary: Vocabulary) -> Value:
    entry = fact.entry
    derived = fact.memo.get("derived")
    if derived is not None:
        return Value(number=derived)
    if not isinstance(entry, Observation):
        return NOTHING
    concept = vocabulary.concepts[fact.concept]
    value: Any = entry.value
    if "value" in entry.misread or "unit" in entry.misread:
        return Value(problem="not_understood")
    if value is None:
        return _valueless(entry, concept)
    if isinstance(value, bool):
        return Value(result=_pole(concept, positive=value))
    if isinstance(value, Quantity):
        return _numeric(value.comparator, value.value, value.unit or entry.unit, concept, vocabulary)
    if isinstance(value, str):
        return _text_value(value, entry.unit, concept, vocabulary)
    if concept.classes and (span := vocabulary.class_interval(concept.id, f"{value:g}")) is not None:
        return Value(span=span)
    return _numeric(None, float(value), entry.unit, concept, vocabulary)


def _valueless(entry: Observation, concept: Concept) -> Value:
    if entry.items and concept.items and set(entry.items) >= set(concept.items):
        total = Interval.exactly(nine(sum(entry.items.values())))
        return Value(number=total, raw=total, raw_unit=concept.unit)
    if entry.interpretation in ("positive", "negative"):
        return Value(result=_pole(concept, positive=entry.interpretation == "positive"))
    if entry.interpretation == "indeterminate" and len(concept.results) > 2:
        return Value(result=concept.results[1])
    return NOTHING


def _pole(concept: Concept, *, positive: bool) -> str:
    if concept.results:
        return concept.results[-1 if positive else 0]
    return "positive" if positive else "negative"


def _text_value(text: str, unit: str | None, concept: Concept, vocabulary: Vocabulary) -> Value:
    if (named := vocabulary.result(concept.id, text)) is not None:
        return Value(result=named)
    if concept.classes and (span := vocabulary.class_interval(concept.id, text)) is not None:
        return Value(span=span)
    if concept.titre and (titre := vocabulary.titre(text)) is not None:
        return Value(number=titre, raw=titre)
    match = _NUMBER.fullmatch(text.strip())
    if match is not None:
        sign = match["sign"]
        unit = (match["unit"] or "").strip() or unit
        written = match["number"]
        numbers = [float(written.replace(",", ""))]
        if TWO_NUMBERS.fullmatch(written):
            numbers.append(float(written.replace(",", ".")))
        read = [_numeric(_SIGNS.get(sign, sign), number, unit, concept, vocabulary) for number in numbers]
        possible = [value for value in read if value.problem != "implausible"] or read[:1]
        return possible[0] if len(possible) == 1 else Value(problem="imprecise_value")
    return Value(problem="imprecise_value")


def _numeric(comparator: str | None, number: float, unit: str | None, concept: Concept, vocabulary: Vocabulary) -> Value:
    raw = Interval.parse_comparator(comparator, number)
    if concept.titre and unit in (None, "1", "{titer}", "titer", "titre"):
        return Value(number=raw, raw=raw, raw_unit=unit)
    if concept.classes and concept.unit is None:
        return Value(problem="imprecise_value", raw=raw, raw_unit=unit)
    if concept.unit is None:
        # measured in the laboratory's own units (most antibodies): comparable with its own range alone
        return Value(raw=raw, raw_unit=unit, problem="unit")
    converted = vocabulary.quantity(concept.id, raw, unit)
    if isinstance(converted, UnitProblem):
        return Value(problem="unit", raw=raw, raw_unit=unit)
    if not vocabulary.plausible(concept.id, converted):
        return Value(problem="implausible", raw=None)
    return Value(number=converted, raw=raw, raw_unit=unit)


class ValueTests:
    """Answers value tests about facts of one record, with a site's ranges."""

    def __init__(self, record: Record, site: Site | None) -> None:
        self.record = record
        self.vocabulary = record.vocabulary
        self.site = site
        self.used_site_range: set[str] = set()

    # -- values --------------------------------------------------------------------------------

    def limits(self, fact: Fact, test: Limits, value: Value | None = None) -> Answer:
        """Whether the fact's value meets every comparison of a test."""
        value = read_value(fact, self.vocabulary) if value is None else value
        if test.is_ is not None:
            return self._named(fact, value, test.is_)
        bounds = test.bounds()
        if len(bounds) == 1:
            return self._bound(fact, value, *bounds[0])
        return conjunction([self._bound(fact, value, how, limit) for how, limit in bounds])

    def _bound(self, fact: Fact, value: Value, how: Comparison, limit: Limit) -> Answer:
        match limit:
            case Measure():  # by far the commonest, so asked first
                concept = self.vocabulary.concepts.get(fact.concept)
                if concept is not None and concept.classes and concept.unit is None:
                    return self._class(fact, value, how, f"{limit.value:g}")
                return self._number(fact, value, how, limit)
            case NotGiven():
                return unknown("not_published")
            case TimesLimit():
                return self._times(fact, value, how, limit)
            case ClassName():
                return self._class(fact, value, how, limit.name)
            case Titre():
                return self._compare(value, how, Interval.exactly(limit.dilution))
            case Alternatives():
                if any(isinstance(part, TimesLimit) for part in limit.of):
                    return self._bound_parts(fact, value, how, limit)
                return self._number(fact, value, how, limit)
            case Extreme():
                # at least the greater of two is at least both: so each part is compared in its own unit
                both = (how in ("at_least", "above")) == (limit.how == "greater_of")
                answers = [self._bound(fact, value, how, part) for part in limit.of]
                return conjunction(answers) if both else disjunction(answers)

    def _number(self, fact: Fact, value: Value, how: Comparison, limit: Measure | Alternatives) -> Answer:
        if value.problem is not None:
            return unknown(value.problem)
        converted = self.convert(fact, limit)
        return unknown("unit") if converted is None else self._compare(value, how, converted)

    @staticmethod
    def _compare(value: Value, how: Comparison, limit: Interval) -> Answer:
        if value.problem is not None:
            return unknown(value.problem)
        if value.number is None:
            return unknown("imprecise_value")
        met = value.number.compare(how, limit)
        return unknown("imprecise_value") if met is None else (met, ())

    def convert(self, fact: Fact, limit: Measure | Alternatives) -> Interval | None:
        """A limit in the unit of the fact's concept; of several, the one in the result's own unit."""
        key = ("limit", limit)
        known = fact.memo.get(key, fact)  # None is an answer
        if known is fact:
            known = fact.memo[key] = self._convert(fact, limit)
        return known  # type: ignore[no-any-return]

    def _convert(self, fact: Fact, limit: Measure | Alternatives) -> Interval | None:
        parts: Iterable[Any] = limit.of if isinstance(limit, Alternatives) else (limit,)
        if (unit := fact.memo.get("derived_unit")) is not None and fact.concept not in self.vocabulary.concepts:
            return next((Interval.exactly(part.value) for part in parts if part.unit == unit), None)
        entry = fact.entry
        raw_unit = read_value(fact, self.vocabulary).raw_unit if isinstance(entry, Observation) else None
        first: Interval | None = None
        for part in parts:
            converted = self.vocabulary.quantity(fact.concept, Interval.exactly(part.value), part.unit)
            if isinstance(converted, UnitProblem):
                continue
            if part.unit == raw_unit:
                return converted
            first = first or converted
        return first

    def _bound_parts(self, fact: Fact, value: Value, how: Comparison, limit: Alternatives) -> Answer:
        measures = tuple(part for part in limit.of if isinstance(part, Measure))
        chosen: Limit = measures[0] if len(measures) == 1 else Alternatives(measures)
        answer = self._bound(fact, value, how, chosen) if measures else unknown("unit")
        if answer[0] is not None:
            return answer
        return self._bound(fact, value, how, next(part for part in limit.of if isinstance(part, TimesLimit)))

    # -- reference ranges ----------------------------------------------------------------------

    def _times(self, fact: Fact, value: Value, how: Comparison, limit: TimesLimit) -> Answer:
        entry = fact.entry
        if value.problem is not None and not (value.problem == "unit" and value.raw is not None):
            return unknown(value.problem)
        end, why = self._range_end(fact, value, limit)
        if end is not None:
            subject = value.number if why == "site" else value.raw
            if subject is None:
                return unknown("imprecise_value")
            if self._flagged_otherwise(fact, value, limit):
                return unknown("conflicting")
            met = subject.compare(how, end)
            return unknown("imprecise_value") if met is None else (met, ())
        if why != "no_reference_range":
            return unknown(why or "no_reference_range", "range")
        if isinstance(entry, Observation) and limit.factor == 1:
            flag = entry.interpretation
            if limit.side == "ULN" and flag in ("high", "normal", "low"):
                over = flag == "high"
                if how == "above" or (how == "at_most"):
                    return (over if how == "above" else not over), ()
            if limit.side == "LLN" and flag in ("high", "normal", "low"):
                under = flag == "low"
                if how == "below" or (how == "at_least"):
                    return (under if how == "below" else not under), ()
        return unknown("no_reference_range", "range")

    def _flagged_otherwise(self, fact: Fact, value: Value, limit: TimesLimit) -> bool:
        """Whether the laboratory's flag says other than the number and its range do (MEANING 4)."""
        flag = fact.entry.interpretation if isinstance(fact.entry, Observation) else None
        if flag not in ("high", "normal", "low"):
            return False
        end, why = self._range_end(fact, value, TimesLimit(1.0, limit.side))
        subject = value.number if why == "site" else value.raw
        if end is None or subject is None:
            return False
        beyond = subject.compare("above" if limit.side == "ULN" else "below", end)
        return beyond is not None and beyond != (flag == ("high" if limit.side == "ULN" else "low"))

    def _range_end(self, fact: Fact, value: Value, limit: TimesLimit) -> tuple[Interval | None, Any]:
        """k times the end of the range, in the result's own unit (or the concept's, then "site")."""
        entry = fact.entry
        reported: ReferenceRange | None = entry.range if isinstance(entry, Observation) else None
        end = None if reported is None else reported.high if limit.side == "ULN" else reported.low
        if reported is not None and end is not None:
            scaled = nine(end * limit.factor)
            if reported.unit is None or reported.unit == value.raw_unit:
                return Interval.exactly(scaled), None
            into = self.vocabulary.quantity(fact.concept, Interval.exactly(scaled), reported.unit)
            if isinstance(into, UnitProblem) or value.number is None:
                return None, "unit"
            return into, "site"
        if reported is not None and reported.text is not None and reported.low is None and reported.high is None:
            return None, "no_reference_range"  # it came with ranges that could not be told apart: no other stands in
        ends = self._site_ends(fact, limit)
        if len(ends) == 1:
            self.used_site_range.add(fact.concept)
            return Interval.exactly(ends.pop()), "site"
        return None, "no_reference_range"

    def _site_ends(self, fact: Fact, limit: TimesLimit) -> set[float]:
        """The ends of the site's ranges that may apply, in the concept's unit, times the factor."""
        if self.site is None or fact.concept not in self.site.ranges:
            return set()
        ends: set[float] = set()
        for row in self.site.ranges[fact.concept]:
            end = row.high if limit.side == "ULN" else row.low
            if end is None or not self._may_apply(row, fact):
                continue
            into = self.vocabulary.quantity(fact.concept, Interval.exactly(end), row.unit)
            if isinstance(into, UnitProblem):
                return set()
            ends.add(nine(into.lo * limit.factor))
        return ends

    def _may_apply(self, row: SiteRange, fact: Fact) -> bool:
        sexes = self.record.patient.sex
        if row.sex is not None and sexes and row.sex not in sexes and not {"other", "unknown"} & set(sexes):
            return False
        if (row.age_from is not None or row.age_to is not None) and self.record.births:
            oldest = completed_years(min(lo for lo, _ in self.record.births), fact.s_hi // MINUTES)
            youngest = completed_years(max(hi for _, hi in self.record.births), fact.s_lo // MINUTES)
            if row.age_from is not None and oldest < row.age_from:
                return False
            if row.age_to is not None and youngest > row.age_to:
                return False
        return True

    # -- classes and named results -------------------------------------------------------------

    def _class(self, fact: Fact, value: Value, how: Comparison, name: str) -> Answer:
        if value.problem is not None:
            return unknown(value.problem)
        if value.span is None:
            return unknown("imprecise_value")
        edge = self.vocabulary.class_interval(fact.concept, name)
        if edge is None:
            return unknown("imprecise_value")
        lo, hi = value.span
        match how:
            case "at_least":
                return YES if lo >= edge[0] else NO if hi < edge[0] else unknown("imprecise_value")
            case "above":
                return YES if lo > edge[1] else NO if hi <= edge[1] else unknown("imprecise_value")
            case "at_most":
                return YES if hi <= edge[1] else NO if lo > edge[1] else unknown("imprecise_value")
            case "below":
                return YES if hi < edge[0] else NO if lo >= edge[0] else unknown("imprecise_value")

    def _named(self, fact: Fact, value: Value, wanted: tuple[str, ...]) -> Answer:
        concept = self.vocabulary.concepts[fact.concept]
        if concept.classes:
            if value.problem is not None:
                return unknown(value.problem)
            spans = [span for name in wanted if (span := self.vocabulary.class_interval(concept.id, name)) is not None]
            members = {index for lo, hi in spans for index in range(lo, hi + 1)}
            if value.span is None:
                return unknown("imprecise_value")
            own = set(range(value.span[0], value.span[1] + 1))
            return YES if own <= members else NO if not own & members else unknown("imprecise_value")
        names = {self.vocabulary.result(concept.id, name) or name for name in wanted}
        if value.result is None and value.raw is not None and value.problem in (None, "unit"):
            return self._by_range(fact, value, concept, names)
        if value.problem is not None:
            return unknown(value.problem)
        if value.result is None:
            return unknown("imprecise_value")
        entry = fact.entry
        if isinstance(entry, Observation) and self._against(entry, value.result):
            return unknown("conflicting")
        if value.result in names:
            return YES
        if len(concept.results) > 2 and concept.results[-1] in _POSITIVE and value.result in concept.results[1:-1]:
            return unknown("imprecise_value")  # borderline is neither
        return NO

    @staticmethod
    def _against(entry: Observation, result: str) -> bool:
        flag = entry.interpretation
        return (flag == "positive" and result in ("negative", "not detected")) or (flag == "negative" and result in _POSITIVE)

    def _by_range(self, fact: Fact, value: Value, concept: Concept, names: set[str]) -> Answer:
        """A number is positive only by its laboratory's range; a flag may say so, and may not contradict it."""
        entry = fact.entry
        assert isinstance(entry, Observation)
        if concept.results and concept.results[-1] == "detected" and value.number is not None and entry.interpretation not in _SAYS:
            # detected is another word than positive: there at all, whatever is usual
            there = value.number.compare("above", Interval.exactly(0.0))
            if there is None:
                return unknown("imprecise_value")
            return YES if ("detected" in names) == there else NO
        over, whys = self._times(fact, value, "above", TimesLimit(1.0, "ULN"))
        flag = {"positive": True, "negative": False}.get(entry.interpretation or "")
        if entry.interpretation == "indeterminate":
            return unknown("imprecise_value")
        if over is not None and flag is not None and over != flag:
            return unknown("conflicting")
        positive = flag if over is None else over
        if positive is None:
            return None, whys
        poles = {_pole(concept, positive=True), *_POSITIVE} if positive else {_pole(concept, positive=False)}
        return YES if names & poles else NO

    # -- attributes ----------------------------------------------------------------------------

    def dose(self, fact: Fact, test: DoseTest, weight: Interval | None) -> Answer:
        """Whether the daily dose of a course meets the limits."""
        dose, why = self.daily_dose(fact, test.as_, weight)
        if dose is None:
            return unknown(why, "dose")
        answers: list[Answer] = []
        for how, limit in test.bounds():
            if isinstance(limit, NotGiven):
                answers.append(unknown("not_published", "dose"))
                continue
            edge, missing = dose_limit(limit, weight)
            if edge is None:
                answers.append(unknown(missing, "dose"))
                continue
            met = dose.compare(how, edge)
            if met is None and edge.hi == inf and missing == "no_reference_range":
                answers.append((None, (Why(missing, "input", "weight"),)))
                continue
            answers.append((met, ()) if met is not None else unknown(missing if edge.hi == inf else "imprecise_value", "dose"))
        return conjunction(answers)

    def daily_dose(self, fact: Fact, as_: str | None, weight: Interval | None) -> tuple[Interval | None, ReasonCode]:
        """Milligrams a day of a course, as another drug's equivalent if asked; None with the reason."""
        entry = fact.entry
        if not isinstance(entry, Medication) or entry.dose is None:
            return None, "not_recorded"
        per_day, kg, factor = _dose_unit(entry.dose.unit)
        if factor is None:
            return None, "unit"
        dose = Interval.parse_comparator(entry.dose.comparator, entry.dose.value).scale(factor)
        if not per_day:
            if entry.per_day is None:
                return None, "not_recorded"
            if entry.per_day <= 0:
                return None, "implausible"
            dose = dose.scale(entry.per_day)
        if kg:
            if weight is None:
                return None, "no_reference_range"
            dose = Interval(nine(dose.lo * weight.lo), nine(dose.hi * weight.hi))
        if as_ is not None and as_ != fact.concept:
            equivalent = self.vocabulary.concepts[fact.concept].equivalents.get(as_)
            if equivalent is None:
                return None, "unit"
            dose = Interval(nine(dose.lo * equivalent.low), nine(dose.hi * equivalent.high))
        return dose, "not_recorded"

    def grade(self, entry: Any, test: GradeTest) -> Answer:
        """Whether a grade on a named scale meets the limits."""
        scale = SCALES.get(test.scale, ())
        written = getattr(entry, "grade", None) or (getattr(entry, "severity", None) if test.scale == "severity" else None)
        if written is None:
            return unknown("not_recorded", "grade")
        at = _on_scale(written, scale)
        if at is None:
            return unknown("imprecise_value", "grade")
        wanted = test.is_
        if wanted is not None:
            return (at in {_on_scale(name, scale) for name in wanted}), ()
        answers: list[Answer] = []
        for how, limit in test.bounds():
            if isinstance(limit, NotGiven):
                answers.append(unknown("not_published", "grade"))
                continue
            edge = _on_scale(str(limit), scale)
            met = None if edge is None else Interval.exactly(at).compare(how, Interval.exactly(edge))
            answers.append((met, ()) if met is not None else unknown("imprecise_value", "grade"))
        return conjunction(answers)


SCALES: dict[str, tuple[str, ...]] = {
    "ctcae": ("1", "2", "3", "4", "5"),  # Common Terminology Criteria for Adverse Events v5.0, grades 1 to 5
    "severity": ("mild", "moderate", "severe"),  # HL7 FHIR R4 condition-severity value set
}
"""Ordered scales that grades of conditions and allergies are on."""


def _on_scale(text: str, scale: tuple[str, ...]) -> int | None:
    word = re.sub(r"^(ctcae|grade|severity)\s*", "", text.strip().casefold())
    word = re.sub(r"^(ctcae|grade)\s*", "", word)
    return scale.index(word) if word in scale else None


_DOSE_UNIT = re.compile(
    r"(?P<mass>mg|g|ug|mcg|µg|μg)\s*(?P<kg>/\s*kg)?\s*(?P<day>(?:/|per|a|each)?\s*(?:d|day|24\s*h)|daily|qd|od)?", re.IGNORECASE
)
_MASS = {"mg": 1.0, "g": 1000.0, "ug": 0.001, "mcg": 0.001, "µg": 0.001, "μg": 0.001}


def _dose_unit(unit: str | None) -> tuple[bool, bool, float | None]:
    """(per day, per kg, factor to mg) of a dose unit; factor None where it is no mass."""
    match = _DOSE_UNIT.fullmatch(unit.strip()) if unit else None
    if match is None:
        return False, False, None
    return match["day"] is not None, match["kg"] is not None, _MASS[match["mass"].lower()]


def dose_limit(limit: Limit, weight: Interval | None) -> tuple[Interval | None, ReasonCode]:
    """A limit of a dose in mg a day; an unknown body weight leaves [0, infinity)."""
    match limit:
        case Measure(value=value, unit=unit):
            _, kg, factor = _dose_unit(unit)
            if factor is None:
                return None, "unit"
            if kg:
                if weight is None:
                    return Interval(0.0, inf), "no_reference_range"
                return Interval(nine(value * factor * weight.lo), nine(value * factor * weight.hi)), "imprecise_value"
            return Interval.exactly(nine(value * factor)), "imprecise_value"
        case Extreme(how=how, of=of):
            parts = [dose_limit(part, weight) for part in of]
            if any(part is None for part, _ in parts):
                return None, "unit"
            ends = [part for part, _ in parts if part is not None]
            pick = min if how == "lesser_of" else max
            missing: ReasonCode = next((why for _, why in parts if why != "imprecise_value"), "imprecise_value")
            return Interval(pick(e.lo for e in ends), pick(e.hi for e in ends)), missing
        case Alternatives(of=of):
            return dose_limit(of[0], weight)
    return None, "unit"


def conjunction(answers: Iterable[Answer]) -> Answer:
    """All of them: false if one is false, unknown with every reason if one is unknown."""
    whys: tuple[Why, ...] = ()
    open_ = False
    for met, why in answers:
        if met is False:
            return NO
        if met is None:
            open_ = True
            whys += why
    return (None, whys) if open_ else YES


def disjunction(answers: Iterable[Answer]) -> Answer:
    """Any of them: true if one is true, unknown with every reason if one is unknown."""
    whys: tuple[Why, ...] = ()
    open_ = False
    for met, why in answers:
        if met is True:
            return YES
        if met is None:
            open_ = True
            whys += why
    return (None, whys) if open_ else NO


def negation(answer: Answer) -> Answer:
    """The other answer."""
    met, why = answer
    return (None, why) if met is None else (not met, ())
