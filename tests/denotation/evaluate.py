"""The denotation: what a statement says of a *complete* record - true, false, or no answer.

A complete record leaves nothing open: exact minutes, exact values, every attribute, an exact day for
every anchor. This file is the definition that the engines are held to (MEANING 12), so it is written
to be read beside MEANING 1 to 6, one word of the language after the other, and shares nothing with
``eligibility/engine``. None means that the statement has no answer in this record: the latest of
nothing, two results in one minute that answer differently, readings that disagree.

Words that *quantify* (any, every, count, rise and fall of any pair, the dose of a day, lasting) speak of
all events. Words that *choose* (latest, earliest, a first-to-last pair, unchanged) speak of recorded ones.

Where MEANING leaves a choice, a comment beginning with «Reading:» says which one was taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from eligibility.model import criteria as c
from eligibility.model.limits import Alternatives, ClassName, Extreme, ExtremeDuration, Measure, NotGiven, TimesLimit, Titre
from eligibility.model.time import FOREVER, MINUTES, Duration, date_of, end_of, start_of
from eligibility.model.trial import Definition, Derived
from eligibility.vocabulary.concept import Concept

Answer = bool | None
FAR = 10**8  # a day beyond every other; minus this one, a day before
STEROIDS = "prednisone-equivalent-dose"
WHOLE_BODY = ("oral", "intravenous", "subcutaneous", "intramuscular")


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to the patient, whether or not somebody wrote it down.

    ``start`` and ``end`` are minutes (``end`` FOREVER: never). ``value`` is a number in the concept's
    unit, a dilution, a named result or a class. ``low`` and ``high`` are the laboratory's range.
    ``dose`` is mg a day. ``same`` numbers what happened: two events of one number are one, told twice.
    """

    family: str
    concept: str
    start: int
    end: int
    recorded: bool = True
    planned: bool = False
    value: float | str | None = None
    unit: str | None = None
    low: float = 0.0
    high: float = 1.0
    items: Mapping[str, float] = field(default_factory=dict)
    dose: float = 1.0
    route: str = ""
    outcome: frozenset[str] = frozenset()
    grade: float | str | None = None
    same: int = -1

    @property
    def day(self) -> int:
        """The day it started."""
        return self.start // MINUTES

    @property
    def last(self) -> int:
        """The last day of it."""
        return self.end // MINUTES


@dataclass(frozen=True, slots=True)
class Complete:
    """A complete record: events, birth day, sex, a day for every anchor (``screening`` is S), and the
    answers a person would give to every question. ``together``: several recorded orders of one drug on
    one day are all taken; else one stands for the others, and the least dose is taken."""

    events: tuple[Event, ...]
    birth: int
    sex: str
    anchors: Mapping[str, int]
    site: Mapping[str, str] = field(default_factory=dict)
    answers: Mapping[str, bool] = field(default_factory=dict)
    together: bool = True
    half_life: Mapping[str, int] = field(default_factory=dict)
    weight: float = 70.0

    @property
    def today(self) -> int:
        """S, the screening date."""
        return self.anchors["screening"]


@dataclass(frozen=True)
class Rules:
    """What the words of a statement refer to."""

    concepts: Mapping[str, Concept]
    looks_back: Mapping[str, Duration] = field(default_factory=dict)
    lists: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    definitions: Mapping[str, Definition] = field(default_factory=dict)
    derived: Mapping[str, Derived] = field(default_factory=dict)

    def below(self, concept: str) -> frozenset[str]:
        """The concept and everything narrower."""
        found = {concept}
        while more := {one.id for one in self.concepts.values() if found & set(one.broader)} - found:
            found |= more
        return frozenset(found)


def evaluate(statement: Any, record: Complete, rules: Rules) -> Answer:
    """True, False, or None where the statement has no answer in this complete record."""
    return _World(record, rules).holds(statement)


def _and(answers: Iterable[Answer]) -> Answer:
    given = list(answers)
    return False if False in given else None if None in given else True


def _or(answers: Iterable[Answer]) -> Answer:
    return _not(_and(_not(answer) for answer in answers))


def _not(answer: Answer) -> Answer:
    return None if answer is None else not answer


class _World:
    def __init__(self, record: Complete, rules: Rules) -> None:
        self.record, self.rules, self.today = record, rules, record.today
        self.written = False

    # -- logic -----------------------------------------------------------------------------------

    def holds(self, s: Any) -> Answer:
        match s:
            case c.AllOf(all_of=of):
                return _and(map(self.holds, of))
            case c.AnyOf(any_of=of):
                return _or(map(self.holds, of))
            case c.NoneOf(none_of=of):
                return _not(_or(map(self.holds, of)))
            case c.SomeOf():
                return self.some_of([self.holds(one) for one in s.of], s.at_least, s.at_most)
            case c.Readings(readings=of):
                answers = {self.holds(one) for one in of}
                return answers.pop() if len(answers) == 1 else None
            case c.Meets(meets=name):
                return self.holds(self.rules.definitions[name].when)
            case c.Ask(ask=question):
                return self.record.answers.get(question)
            case c.NotPublished():
                return None
            case c.AgeAtom():
                return self.age(s)
            case c.SexAtom(sex=sex):
                return self.record.sex == sex
            case c.SiteAtom(site=name, is_=values):
                return self.record.site[name] in values if name in self.record.site else None
            case c.FactAtom():
                return self.atom(s)
        raise TypeError(type(s))

    def some_of(self, answers: list[Answer], at_least: int | None, at_most: int | None) -> Answer:
        yes, maybe = answers.count(True), len(answers) - answers.count(False)
        k = at_least if at_least is not None else (at_most or 0) + 1
        reached = True if yes >= k else False if maybe < k else None
        return reached if at_least is not None else _not(reached)

    def age(self, s: c.AgeAtom) -> Answer:
        # age n is reached when A - n years >= birth; the comparisons are of completed years or months
        on = self.record.anchors[s.at or "screening"]

        def reached(limit: Duration, more: int = 0) -> bool:
            months = (int(limit.count) + more) * (12 if limit.unit == "year" else 1)
            born, now = _ymd(self.record.birth), _ymd(on)
            return (now[0] - born[0]) * 12 + now[1] - born[1] - (now[2] < born[2]) >= months

        ways = {
            "at_least": lambda n: reached(n),
            "below": lambda n: not reached(n),
            "above": lambda n: reached(n, 1),
            "at_most": lambda n: not reached(n, 1),
        }
        return all(ways[how](limit) for how, limit in c._bounds(s.age))

    # -- one question about facts ----------------------------------------------------------------

    def atom(self, s: c.FactAtom) -> Answer:
        # words that choose, and documented, speak of what is recorded: so do the runs asked about inside them
        self.written = any(word is not None for word in (s.documented, s.latest, s.earliest))
        entries = self.entries(s.subject)
        if s.count is not None and s.count.distinct == "entry":
            there = sum(bool(self.chosen(s, ids)) for ids in entries)
            return there >= s.count.at_least if s.count.at_least is not None else there <= (s.count.at_most or 0)
        # a list is one question per entry: every and unchanged are all_of, the others any_of
        if s.unchanged:
            if s.subject == STEROIDS:
                return self.unchanged(s, [self.steroids()])
            return _and(self.unchanged(s, [{one}]) for ids in entries for one in sorted(ids))
        answers = [self.one(s, ids) for ids in entries]
        return _and(answers) if s.every is not None else _or(answers)

    def one(self, s: c.FactAtom, ids: frozenset[str]) -> Answer:
        """The answer for one concept (``ids`` is it and everything narrower)."""
        if s.subject == STEROIDS and s.latest is not None:
            return self.dose_of_day(s, s.latest)
        facts = self.chosen(s, ids)
        if s.every is not None:
            return _and(self.test(s.every, f, s) for f in facts)  # of nothing: true
        if s.latest is not None or s.earliest is not None:
            return self.latest(s, [f for f in facts if f.recorded])
        if s.count is not None:
            reached = _occasions(facts, s.count.apart) >= (s.count.at_least or (s.count.at_most or 0) + 1)
            return reached if s.count.at_least is not None else not reached
        for change, sign in ((s.rise, 1), (s.fall, -1)):
            if change is not None:
                return self.change(s, change, sign, facts)
        return _or(True if s.any is None else self.test(s.any, f, s) for f in facts)

    def entries(self, subject: Any) -> list[frozenset[str]]:
        """The concepts of each entry of the subject; a nested list is one entry, a named list gives its entries."""
        if isinstance(subject, str):
            if subject in self.rules.lists:
                return self.entries(tuple(self.rules.lists[subject]))
            return [self.rules.below(subject)]
        found: list[frozenset[str]] = []
        for one in subject:
            inside = self.entries(one)
            found += inside if isinstance(one, str) else [frozenset().union(*inside)]
        return found

    def chosen(self, s: Any, ids: frozenset[str], upto: int | None = None) -> list[Event]:
        """The events that the words beside the subject select (``s`` an atom, or a selection in one)."""
        found = []
        for f in self.facts(s, ids):
            if getattr(s, "documented", None) and not f.recorded:
                continue
            if not self.placed(s, f):
                continue
            if getattr(s, "while_", None) is not None and not self.during(s.while_, f):
                continue
            if s.where is not None and not self.test(s.where, f, s, upto):
                continue
            if any(self.excepted(entry, f) for entry in s.except_):
                continue
            found.append(f)
        return found

    def facts(self, s: Any, ids: frozenset[str]) -> list[Event]:
        """Visible events of the concepts: those recorded count if they began on or before S; plans are no events."""
        planned = bool(getattr(s, "planned", None))
        if isinstance(s, c.FactAtom) and isinstance(s.subject, str) and s.subject in self.rules.derived:
            return self.derived(s)
        found = [f for f in self.record.events if f.concept in ids and f.planned == planned and (planned or self.visible(f))]
        if isinstance(s, c.FactAtom) and (s.only or s.without):
            return [_with_value(f, self.items(f, s.only, s.without)) for f in found]
        return found

    def visible(self, f: Event) -> bool:
        # the part of a window after S holds no recorded fact; what will happen there is unrecorded
        return not f.recorded or f.day <= self.today

    # -- time ------------------------------------------------------------------------------------

    def windows(self, t: c.TimeWords, f: Event | None = None) -> list[tuple[int, int]]:
        """First and last day of the window, one window for every day its anchor can stand on in this record."""
        if t.ever:
            return [(-FAR, self.today)]
        if t.now:
            return [(self.today, self.today)]
        if t.at is not None:
            on = self.record.anchors[t.at]
            return [(self.rules.looks_back[t.at].back(on), on)]
        if not t.time_words():  # a selection or an exception that says no time
            return [(-FAR, FAR)]
        anchor, after = (t.after, True) if t.after is not None else (t.before if t.before is not None else "screening", False)
        return [self.window(t, first, last, after, f) for first, last in self.anchor_days(anchor)]

    def window(self, t: c.TimeWords, first: int, last: int, after: bool, f: Event | None) -> tuple[int, int]:
        # steps go from the anchor; where it is a fact of several days, from any one of them
        sign, near, far = (1, first, last) if after else (-1, last, first)
        outer = sign * FAR
        bounds = [("at_most", t.within)] if t.within is not None else list(c._bounds(t.ago)) if t.ago is not None else []
        for how, n in bounds:
            if how in ("at_most", "below"):  # no farther than: [A - n, A] and (A - n, A]
                outer = self.step(n, far, sign, f) - sign * (how == "below")
            else:  # at least so far: up to A - n, with it or without
                near = self.step(n, near, sign, f) + sign * (how == "above")
        return (near, outer) if after else (outer, near)

    def step(self, n: Any, day: int, sign: int, f: Event | None) -> int:
        if isinstance(n, ExtremeDuration):
            days = [self.step(one, day, sign, f) for one in n.of]
            return max(days, key=lambda d: sign * d) if n.how == "greater_of" else min(days, key=lambda d: sign * d)
        if n.unit == "half-life":
            assert f is not None
            return day + sign * int(n.count * self.record.half_life[f.concept])
        return n.on(day) if sign > 0 else n.back(day)

    def anchor_days(self, anchor: Any) -> list[tuple[int, int]]:
        """The day of a named anchor; the first and last day of each fact of an anchoring selection."""
        if isinstance(anchor, str):
            return [(self.record.anchors[anchor],) * 2]
        # Reading: a fact anchor is "some such fact", and any day of it is the anchor (MEANING 3 places a fact by
        # any day of it): "within 7 days after" holds from its first day to 7 days after its last.
        # Only its days up to S are anchors: what it will be after S has not been.
        return [(g.day, min(g.last, self.today)) for g in self.selection(anchor) if g.day <= self.today]

    def selection(self, s: c.Selection, upto: int | None = None) -> list[Event]:
        found = [g for ids in self.entries(s.subject) for g in self.chosen(s, ids, upto)]
        if s.latest or s.earliest:  # choosing speaks of recorded ones
            found = [g for g in found if g.recorded]
            edge = (max if s.latest else min)((g.start for g in found), default=0)
            return [g for g in found if g.start == edge]
        return found

    def placed(self, t: c.TimeWords, f: Event, how: str = "any day") -> bool:
        first, last = {"any day": (f.start, f.end), "started": (f.start, f.start), "ended": (f.end, f.end)}[how]
        if how == "ended" and f.end >= FOREVER:
            return False
        return any(first <= end_of(hi) and last >= start_of(lo) for lo, hi in self.windows(t, f))

    def during(self, s: c.Selection, f: Event) -> bool:
        # Reading: "its day lies in a span of the other selection": the day f started; lasting counts up to it
        return any(g.day <= f.day <= g.last for g in self.selection(s, upto=f.day))

    def excepted(self, entry: c.Exemption, f: Event) -> bool:
        if entry.has_subject and not any(f.concept in ids for ids in self.entries(entry.subject)):
            return False
        if entry.time_words() and not self.placed(entry, f):
            return False
        if entry.where is not None and not self.test(entry.where, f, entry):
            return False
        return entry.ask is None or self.record.answers[entry.ask]

    # -- what is asked of one fact ---------------------------------------------------------------

    def test(self, t: c.Test, f: Event, s: Any, upto: int | None = None) -> Answer:
        parts: list[Answer] = []
        if t.asks_value:
            parts.append(self.value(t, f))
        if t.dose is not None:
            parts.append(self.dose(t.dose, f))
        if t.route is not None:
            parts.append(f.route in t.route)
        if t.lasting is not None:
            parts.append(self.lasting(t.lasting, f, s, upto))
        if t.outcome is not None:
            # an outcome holds of a run if it holds of one of its courses
            # Reading: a run is asked about where its length is asked for; else the course itself is
            parts.append(any(set(t.outcome) & g.outcome for g in (self.run(f) if t.lasting is not None else [f])))
        if t.started is not None:
            parts.append(self.placed(t.started, f, "started"))
        if t.ended is not None:
            parts.append(self.placed(t.ended, f, "ended"))
        if t.grade is not None:
            parts.append(all(_compare(how, _number(f.grade), _number(limit)) for how, limit in t.grade.bounds()))
        if t.all_of is not None:
            parts += [self.test(one, f, s, upto) for one in t.all_of]
        if t.any_of is not None:
            parts.append(_or(self.test(one, f, s, upto) for one in t.any_of))
        if t.none_of is not None:
            parts.append(_not(_or(self.test(one, f, s, upto) for one in t.none_of)))
        return _and(parts)

    def value(self, t: c.Limits, f: Event) -> Answer:
        concept = self.rules.concepts.get(f.concept)
        if t.is_ is not None:
            spans = concept.spans if concept else {}
            if any(f.value == name or f.value in spans.get(name, ()) for name in t.is_):
                return True
            between = concept.results[1:-1] if concept else ()
            return None if f.value in between else False  # a borderline result is neither of its neighbours
        return _and(self.against(how, limit, f, concept) for how, limit in t.bounds())

    def against(self, how: str, limit: Any, f: Event, concept: Concept | None) -> Answer:
        match limit:
            case NotGiven():
                return None
            case ClassName(name=name) if concept is not None:
                # a class stands for its whole span: "to IV" ends at IVb, "at least II" begins at IIa
                ranks = [concept.classes.index(one) for one in concept.spans.get(name, (name,))]
                edge = {"at_least": min(ranks), "below": min(ranks), "at_most": max(ranks), "above": max(ranks)}[how]
                return _compare(how, concept.classes.index(str(f.value)), edge)
            case Alternatives(of=of):
                own = next((one for one in of if isinstance(one, Measure) and one.unit == f.unit), of[0])
                return self.against(how, own, f, concept)
            case Extreme(how=which, of=of):
                pick = max if which == "greater_of" else min
                return _compare(how, f.value, pick(self.number(one, f, concept) for one in of))
        return _compare(how, f.value, self.number(limit, f, concept))

    def number(self, limit: Any, f: Event, concept: Concept | None) -> float:
        match limit:
            case Measure(value=value, unit=unit):
                factor = concept.units.get(unit, 1.0) if concept is not None and unit else 1.0
                return value * factor
            case TimesLimit(factor=factor, side=side):
                return factor * (f.high if side == "ULN" else f.low)
            case Titre(dilution=dilution):
                return dilution
        raise TypeError(type(limit))

    def items(self, f: Event, only: Sequence[str] | None, without: Sequence[str] | None) -> float:
        """The score summed over some of its items, which may be named by group."""
        items = self.rules.concepts[f.concept].items
        named = {one for one, about in items.items() if {one, *about.groups} & {*(only or ()), *(without or ())}}
        return sum(points for one, points in f.items.items() if (one in named) == bool(only))

    def dose(self, t: c.DoseTest, f: Event) -> Answer:
        amount = f.dose * (self.rules.concepts[f.concept].equivalents[t.as_].low if t.as_ and t.as_ != f.concept else 1.0)

        def mg(limit: Any) -> float:
            if isinstance(limit, Extreme):
                return (max if limit.how == "greater_of" else min)(mg(one) for one in limit.of)
            return limit.value * (self.record.weight if limit.unit == "mg/kg/day" else 1.0)

        return all(_compare(how, amount, mg(limit)) for how, limit in t.bounds())

    # -- runs ------------------------------------------------------------------------------------

    def run(self, f: Event) -> list[Event]:
        """The courses of the same drug joined with ``f`` over gaps no longer than its ``gap``."""
        if f.family != "medication":
            return [f]  # Reading: runs are courses of one drug; a condition told twice is two courses
        gap = self.rules.concepts[f.concept].gap
        run = [f]
        rest = [g for g in self.record.events if g is not f and g.concept == f.concept and not g.planned and self.visible(g)]
        rest = [g for g in rest if g.recorded or not self.written]
        while more := [g for g in rest if any(_joined(g, h, gap) for h in run)]:
            run += more
            rest = [g for g in rest if g not in more]
        return run

    def lasting(self, t: c.DurationLimits, f: Event, s: Any, upto: int | None) -> bool:
        """How long the run of ``f`` lasted: up to the anchor, and inside the window where within or ago sets one."""
        run = self.run(f)
        first, last = min(g.day for g in run), max(g.last for g in run)
        ways: list[bool] = []
        windows = self.windows(s, f) if s.time_words() else [(-FAR, FAR)]
        for lo, hi in windows:
            # Reading: within and ago give a window (LANGUAGE 3.3); ever, now, at and a lone before or after do not cut
            start = max(first, lo) if s.within is not None or s.ago is not None else first
            end = min(last, self.today, hi)
            if upto is not None:
                end = min(end, upto)
            ways.append(all(_as_long(how, n, start, max(start, end)) for how, n in c._bounds(t)))
        return any(ways)

    # -- choosing --------------------------------------------------------------------------------

    def latest(self, s: c.FactAtom, facts: list[Event]) -> Answer:
        test, edge = (s.latest, max) if s.latest is not None else (s.earliest, min)
        assert test is not None
        if not facts:
            return None
        last = edge(f.start for f in facts)
        answers = {self.test(test, f, s) for f in facts if f.start == last}
        return answers.pop() if len(answers) == 1 else None

    def change(self, s: c.FactAtom, t: c.Change, sign: int, facts: list[Event]) -> Answer:
        limit = t.at_least if t.at_least is not None else t.above
        how = "at_least" if t.at_least is not None else "above"
        assert isinstance(limit, Measure)

        def by(i: Event, j: Event) -> Answer:
            assert isinstance(i.value, float | int)
            assert isinstance(j.value, float | int)
            if limit.unit == "% relative":
                if i.value <= 0:
                    return None  # a share of nothing is no number
                return _compare(how, sign * (j.value - i.value) * 100, limit.value * i.value)
            return _compare(how, sign * (j.value - i.value), limit.value)

        def far(i: Event, j: Event) -> bool:
            return t.over is None or all(_as_long(way, n, i.day, j.day) for way, n in c._bounds(t.over))

        def held(i: Event, j: Event) -> Answer:
            if t.sustained is None:
                return True
            # Reading: what lies between and breaks it is a recorded result, as the T row of MEANING 6 has it
            found: list[Answer] = []
            for k in facts:
                if t.sustained.back(k.day) >= j.day and k.start > j.start:
                    between = [m for m in facts if m is not i and m is not j and (m is k or (m.recorded and j.start <= m.start <= k.start))]
                    found.append(_and(by(i, m) for m in between))
            return _or(found)

        if t.pair == "first-to-last":
            facts = [f for f in facts if f.recorded]
            first, last = (edge((f.start for f in facts), default=0) for edge in (min, max))
            if first == last:
                return None  # fewer than two results, or no order between them
            pairs = [(i, j) for i in facts for j in facts if i.start == first and j.start == last]
            answers = {_and([by(i, j), far(i, j), held(i, j)]) for i, j in pairs}
            return answers.pop() if len(answers) == 1 else None
        return _or(_and([by(i, j), far(i, j), held(i, j)]) for i in facts for j in facts if i.start < j.start)

    # -- doses -----------------------------------------------------------------------------------

    def steroids(self) -> set[str]:
        return {one.id for one in self.rules.concepts.values() if "prednisone" in one.equivalents}

    def sum_on(self, day: int, facts: list[Event]) -> float:
        """mg of prednisone a day: the courses of that day."""
        total = 0.0
        for drug in sorted({f.concept for f in facts}):
            systemic = self.rules.concepts[drug].systemic is not None
            orders = [
                f for f in facts if f.concept == drug and f.day <= day <= f.last and (systemic or f.route in WHOLE_BODY or not f.recorded)
            ]
            written = [f.dose for f in orders if f.recorded]
            taken = (sum(written) if self.record.together else min(written, default=0.0)) + sum(f.dose for f in orders if not f.recorded)
            total += taken * self.rules.concepts[drug].equivalents["prednisone"].low
        return total

    def dose_of_day(self, s: c.FactAtom, t: c.Test) -> Answer:
        (_, on), *_ = self.windows(s)
        ids = self.steroids()
        total = self.sum_on(on, [f for f in self.record.events if f.concept in ids and not f.planned and self.visible(f)])
        return all(_compare(how, total, limit.value) for how, limit in t.bounds())  # type: ignore[union-attr]

    def unchanged(self, s: c.FactAtom, drugs: list[set[str]]) -> Answer:
        (lo, hi), *_ = self.windows(s)
        days = range(lo, min(hi, self.today) + 1)
        answers: list[Answer] = []
        for ids in drugs:
            facts = [f for f in self.record.events if f.concept in ids and not f.planned and self.visible(f)]
            # Reading: recorded courses speak where there are any in the window; where there are none, an
            # unrecorded one would be a change ("none taken is a constant dose" only by silence)
            recorded = [f for f in facts if f.recorded]
            touching = [f for f in recorded if days and f.day <= days[-1] and f.last >= days[0]]
            used = recorded if touching else facts
            doses = [self.sum_on(day, used) if s.subject == STEROIDS else self.dose_on(day, used) for day in days]
            answers.append(None if None in doses else len(set(doses)) <= 1)
        return _and(answers)

    def dose_on(self, day: int, facts: list[Event]) -> float | None:
        """The dose of the latest-started course of the day; a gap that joins two courses belongs to the first."""
        on = [f for f in facts if f.day <= day <= f.last]
        if not on:
            gap = self.rules.concepts[facts[0].concept].gap if facts else None
            on = [f for f in facts if f.last < day and any(day < g.day and _joined(f, g, gap) for g in facts)]
        if not on:
            return 0.0
        last = max(f.start for f in on)
        doses = {f.dose for f in on if f.start == last}
        return doses.pop() if len(doses) == 1 else None

    # -- derived values --------------------------------------------------------------------------

    def derived(self, s: c.FactAtom) -> list[Event]:
        """A ratio is a measurement of its own, dated the day of both its parts; it is as recorded as they are."""
        rule = self.rules.derived[str(s.subject)]
        if rule.ratio is None:
            return self.body_mass_index(rule)
        above, under = rule.ratio
        factor = 100.0 if rule.unit == "%" else 1.0
        found = []
        for f in self.record.events:
            if f.concept in self.rules.below(above.observation) and not f.planned and self.visible(f):
                for g in [f] if above.observation == under.observation else self.record.events:
                    if g.concept in self.rules.below(under.observation) and g.day == f.day and g.recorded == f.recorded:
                        part = self.items(f, above.only, above.without) if above.only or above.without else _total(f)
                        whole = self.items(g, under.only, under.without) if under.only or under.without else _total(g)
                        if whole:
                            found.append(_with_value(f, factor * part / whole))
        return found

    def body_mass_index(self, rule: Derived) -> list[Event]:
        """Weight over the square of height, dated as the weight, with the latest height near enough."""
        assert rule.formula == "body-mass-index"
        reach = int(rule.inputs_within.count) if rule.inputs_within is not None else 0
        found = []
        seen = [f for f in self.record.events if self.visible(f) and not f.planned]
        for w in seen:
            near = [h for h in seen if h.concept == "height" and h.recorded == w.recorded and abs(h.day - w.day) <= reach]
            if w.concept == "weight" and near:
                height = max(near, key=lambda h: h.start).value
                if isinstance(height, float | int) and isinstance(w.value, float | int) and height > 0:
                    found.append(_with_value(w, w.value / (height / 100) ** 2))
        return found


# -- small words ---------------------------------------------------------------------------------


def _compare(how: str, value: Any, limit: Any) -> bool:
    match how:
        case "at_least":
            return bool(value >= limit)
        case "above":
            return bool(value > limit)
        case "at_most":
            return bool(value <= limit)
    return bool(value < limit)


def _as_long(how: str, n: Any, first: int, last: int) -> bool:
    """Whether from ``first`` to ``last`` is that long: steps go back from the later day."""
    if isinstance(n, ExtremeDuration):
        edges = [one.back(last) for one in n.of]
        edge = min(edges) if n.how == "greater_of" else max(edges)
    else:
        edge = n.back(last)
    return {"at_least": first <= edge, "above": first < edge, "at_most": first >= edge, "below": first > edge}[how]


def _joined(f: Event, g: Event, gap: Duration | None) -> bool:
    first, second = (f, g) if f.start <= g.start else (g, f)
    if first.end >= FOREVER:
        return True
    # Reading: a gap is the days between without the drug; none stated: courses of adjoining days are one
    return second.day <= first.last + 1 + (int(gap.count) if gap is not None else 0)


def _occasions(facts: list[Event], apart: Duration | None) -> int:
    """The most events of different numbers, each ``apart`` (default: another day) from the one before."""
    apart = apart or Duration(1, "day")
    tellings = [[f for f in facts if f.same == number] for number in {f.same for f in facts if f.same >= 0}]
    best = 0
    for once in product(*tellings):  # of an event told twice, one telling counts
        reached, last = 0, -FAR
        for f in sorted([*once, *(f for f in facts if f.same < 0)], key=lambda f: f.start):
            if not reached or apart.back(f.day) >= last:
                reached, last = reached + 1, f.day
        best = max(best, reached)
    return best


def _with_value(f: Event, value: float) -> Event:
    return Event(f.family, f.concept, f.start, f.end, f.recorded, f.planned, value, same=f.same)


def _total(f: Event) -> float:
    return float(sum(f.items.values())) if f.items else float(f.value or 0)


def _number(raw: Any) -> float:
    return float(getattr(raw, "value", getattr(raw, "name", raw)))


def _ymd(day: int) -> tuple[int, int, int]:
    date = date_of(day)
    return date.year, date.month, date.day
