"""What an atom answers: the words that choose and quantify, silence, and the reasons (MEANING 5 to 7).

Words that quantify (``any``, ``every``, ``count``, a day's dose) speak of all events, so silence bears on
one side of them. Words that choose (``latest``, ``earliest``, ``unchanged``, a first-to-last change) speak of
recorded results, and silence has no say. Every word is asked once per reading where the readings can
differ; else once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from ..model.criteria import Change, Count, Test
from ..model.finding import REASONS, Assumption, Basis, Reason, ReasonCode
from ..model.limits import Measure, NotGiven
from ..model.quantity import ANYTHING, Comparison, Interval, nine
from ..model.time import MINUTES, Duration, end_of, start_of
from ..model.truth import FALSE, NOT, PRESUMED, STRICT, TRUE, UNKNOWN, Truth, all_of, from_readings
from ..vocabulary.vocabulary import UnitProblem
from .derived import DayDose, derived_facts, dose_on, equivalent_drugs
from .plan import Leaf
from .record import Fact
from .selecting import BODY_WEIGHT, Candidate, Mode, Selecting
from .values import Why, dose_limit, read_value
from .windows import Window, compare_lengths


@dataclass(slots=True)
class LeafAnswer:
    """A leaf's answer with all that reasons, evidence, needs and margins are made from."""

    leaf: Leaf
    truth: Truth
    window: Window | None = None
    reasons: tuple[Reason, ...] = ()
    basis: Basis = "none"
    on_record: bool = False
    assumes: tuple[Assumption, ...] = ()
    candidates: list[Candidate] = field(default_factory=list)
    outside: list[Fact] = field(default_factory=list)
    unclear: list[Fact] = field(default_factory=list)
    presumed_not: list[Fact] = field(default_factory=list)
    deciding: list[Fact] = field(default_factory=list)
    silent: bool = False
    presumed_only: bool = False  # known by the facts, were it not for entries that are only presumed to be something else
    stated: bool = False
    missing_inputs: tuple[str, ...] = ()
    dose: DayDose | None = None


@dataclass(slots=True)
class _Scene:
    """One leaf in one reading: what the words below work on."""

    leaf: Leaf
    win: Window
    kept: list[Candidate]
    nearby: list[Fact]
    silence: Truth
    recorded_days: list[Candidate]

    @property
    def certain(self) -> list[Candidate]:
        return [candidate for candidate in self.kept if candidate.certain]


class Words:
    """Answers the fact leaves of a plan for one record on one day."""

    def __init__(self, selecting: Selecting, brief: bool = False) -> None:
        self.brief = brief  # the truth alone, without reasons
        self.selecting = selecting
        self.record = selecting.record
        self.day = selecting.day
        self.strict_only = selecting.settings.absence == "unknown"

    def answer(self, leaf: Leaf) -> LeafAnswer:
        """The answer of a fact leaf."""
        if leaf.kind == "dose":
            return self._dose_leaf(leaf)
        selector = leaf.selector
        assert selector is not None
        win = self.selecting.window(selector)
        plans = leaf.question is not None
        missing: tuple[str, ...] = ()
        facts = self.selecting.facts(selector.concepts, selector.families, plans=plans)
        if leaf.derived is not None:
            computed, missing = derived_facts(self.selecting, leaf.name, leaf.derived)
            reported_days = {fact.days() for fact, _ in facts}
            facts = facts + [(fact, sure) for fact, sure in computed if fact.days() not in reported_days]
        pool, outside = self.selecting.pool(leaf, win, facts)
        may, presumed_not = ([], []) if plans else self._unclear(leaf, win)
        if leaf.documented:
            presumed_named, presumed_not = presumed_not, []
        else:
            presumed_named = presumed_not
        stated = not plans and self.selecting.stated(selector, (win.l1, min(win.u2, 10**9)))
        answer = LeafAnswer(
            leaf, UNKNOWN, win, outside=outside, unclear=may, presumed_not=presumed_not, stated=stated, missing_inputs=missing
        )
        self._decide(answer, pool, may, presumed_not)
        if self.strict_only and answer.truth in (Truth.PRESUMED_FALSE, Truth.PRESUMED_TRUE):
            answer.truth, answer.silent = UNKNOWN, True
        self._finish(answer, presumed_named)
        return answer

    def _decide(self, answer: LeafAnswer, pool: list[Candidate], may: list[Fact], presumed_not: list[Fact]) -> None:
        leaf = answer.leaf
        assert leaf.selector is not None
        assert answer.window is not None
        scene = self._scene(answer, pool, may, "presumed", presumed_not)
        truth = self._word(scene)
        answer.candidates = scene.kept
        if presumed_not or leaf.selector.silent:
            # in the strict reading an entry only presumed not to be this may be it, and so may what silence hides
            strict = self._word(self._scene(answer, [*pool], [*may, *presumed_not], "strict", presumed_not))
            if leaf.selector.silent:
                answer.candidates = self._scene(answer, pool, may, "presumed", presumed_not).kept
            answer.presumed_only = truth in (TRUE, FALSE) and strict not in (TRUE, FALSE) and bool(presumed_not)
            truth = strict if strict in (TRUE, FALSE) else from_readings("unknown", PRESUMED[truth])
        answer.truth = truth

    def _scene(self, answer: LeafAnswer, pool: list[Candidate], nearby: list[Fact], mode: Mode, presumed_not: list[Fact]) -> _Scene:
        leaf, win = answer.leaf, answer.window
        assert win is not None
        if leaf.filters:
            kept = self.selecting.judge(pool, leaf, mode, win)
        else:
            kept = pool
            for candidate in pool:
                candidate.recorded = candidate.fact.certain and candidate.sure and candidate.placed
        recorded = [candidate for candidate in pool if candidate.recorded]
        return _Scene(leaf, win, kept, nearby, self._silence(answer, recorded, presumed_not), recorded)

    def _unclear(self, leaf: Leaf, win: Window) -> tuple[list[Fact], list[Fact]]:
        selector = leaf.selector
        assert selector is not None
        families = selector.unclear_families
        if not any(family in self.record.unclear for family in families):
            return [], []
        may: dict[int, Fact] = {}
        presumed: dict[int, Fact] = {}
        vocabulary = self.record.vocabulary
        for concept in selector.concepts:
            more, fewer = self.record.may_be(concept, families)
            if not more and not fewer:
                continue
            course = vocabulary.concepts[concept].course
            for found, into in ((more, may), (fewer, presumed)):
                for fact in found:
                    if self._reaches(fact, win, course):
                        into[fact.order] = fact
        sure = {fact.order for fact, _ in self.selecting.facts(selector.concepts, selector.families)}
        return (
            [may[order] for order in sorted(may) if order not in sure],
            [presumed[order] for order in sorted(presumed) if order not in may and order not in sure],
        )

    def _reaches(self, fact: Fact, win: Window, course: str) -> bool:
        """Whether an entry of unknown meaning can lie in the window, were it this concept."""
        lo = fact.s_lo // MINUTES
        if fact.family != "condition":
            end = self.selecting.ends(fact)[1] // MINUTES
        elif course == "event":
            end = fact.s_hi // MINUTES
        elif course == "lifelong" or fact.lifelong or fact.point:
            end = win.u2
        else:
            end = self.selecting.ends(fact)[1] // MINUTES
        return lo <= self.day and lo <= win.u2 and max(end, fact.s_hi // MINUTES) >= win.l1

    # -- silence -------------------------------------------------------------------------------

    def _silence(self, answer: LeafAnswer, recorded: list[Candidate], presumed_not: list[Fact]) -> Truth:
        leaf, win = answer.leaf, answer.window
        selector = leaf.selector
        assert selector is not None
        assert win is not None
        if leaf.question is not None:
            return UNKNOWN
        if answer.stated:
            return FALSE if not presumed_not else Truth.PRESUMED_FALSE
        live = selector.family in self.record.live
        if leaf.documented:
            return FALSE if live else UNKNOWN
        if leaf.never_presumed or win.l1 > self.day:
            return UNKNOWN
        if selector.family == "observation":
            return Truth.PRESUMED_FALSE if _different_days(recorded) >= leaf.results else UNKNOWN
        return Truth.PRESUMED_FALSE if live else UNKNOWN

    # -- the words -----------------------------------------------------------------------------

    def _word(self, scene: _Scene) -> Truth:
        leaf = scene.leaf
        match leaf.choice:
            case "any":
                return self._any(scene)
            case "every":
                return self._every(scene)
            case "latest" | "earliest":
                return self._chosen(scene)
            case "count":
                return self._count(scene)
            case "rise" | "fall":
                return self._change(scene)
            case "unchanged":
                return self._unchanged(scene)
        raise TypeError(f"no meaning for {leaf.choice}")

    def _any(self, scene: _Scene) -> Truth:
        if any(candidate.certain and candidate.answer[0] is True for candidate in scene.kept):
            return TRUE
        if scene.nearby or any(candidate.answer[0] is not False for candidate in scene.kept):
            return UNKNOWN
        return scene.silence

    def _every(self, scene: _Scene) -> Truth:
        if any(candidate.certain and candidate.answer[0] is False for candidate in scene.kept):
            return FALSE
        if scene.nearby or any(candidate.answer[0] is not True for candidate in scene.kept):
            return UNKNOWN
        if not scene.certain and (scene.kept or scene.leaf.selector is None or scene.leaf.selector.family == "observation"):
            return TRUE if scene.silence is FALSE and not scene.kept else UNKNOWN
        return NOT[scene.silence]

    def _chosen(self, scene: _Scene) -> Truth:
        contenders = self.contenders(scene.kept, scene.win, scene.leaf.choice)
        if contenders is None or self._late(scene, contenders):
            return UNKNOWN
        answers = {candidate.answer[0] for candidate in contenders}
        if answers == {True}:
            return TRUE
        return FALSE if answers == {False} else UNKNOWN

    def contenders(self, kept: list[Candidate], win: Window, choice: str) -> list[Candidate] | None:
        """The candidates that may be the latest (earliest); None where none is certainly there."""
        certain = [candidate for candidate in kept if candidate.certain]
        if not certain:
            return None
        if choice == "earliest":
            edge = min(candidate.fact.s_hi for candidate in certain)
            return [candidate for candidate in kept if candidate.fact.s_lo <= edge]
        edge = max(candidate.fact.s_lo for candidate in certain)
        last = min(self.selecting.today, end_of(win.u2))
        return [candidate for candidate in kept if min(candidate.fact.s_hi, last) >= edge]

    def _late(self, scene: _Scene, contenders: list[Candidate]) -> bool:
        """Whether an entry of unknown meaning may be the one chosen."""
        if not scene.nearby:
            return False
        if scene.leaf.choice == "earliest":
            edge = min(candidate.fact.s_hi for candidate in contenders if candidate.certain)
            return any(fact.s_lo <= edge for fact in scene.nearby)
        edge = max(candidate.fact.s_lo for candidate in contenders if candidate.certain)
        last = min(self.selecting.today, end_of(scene.win.u2))
        return any(min(fact.s_hi, last) >= edge for fact in scene.nearby)

    def _count(self, scene: _Scene) -> Truth:
        count = scene.leaf.test
        assert isinstance(count, Count)
        n = count.at_least if count.at_least is not None else (count.at_most or 0) + 1
        truth = self._entries_reach(scene, n) if scene.leaf.entries else self._days_reach(scene, count, n)
        return truth if count.at_least is not None else NOT[truth]

    def _days_reach(self, scene: _Scene, count: Count, n: int) -> Truth:
        last = min(self.selecting.today, end_of(scene.win.u2))
        matches = sorted((c for c in scene.certain if c.answer[0] is True), key=lambda c: (c.fact.s_hi, c.fact.s_lo))
        low = 0
        after: int | None = None
        told: set[str | None] = set()  # events the source numbers: each is one, however often it is told
        while True:
            following = [c.fact for c in matches if (after is None or c.fact.s_lo > after) and c.fact.entry.event not in told]
            if not following:
                break
            low += 1
            first = min(following, key=lambda fact: (fact.s_hi, fact.order))
            told |= {first.entry.event} - {None}
            after = self._next_after(min(first.s_hi, last), scene.leaf.episode, count.apart)
        if count.apart is None:
            # a source that numbers its events says itself which of one day are two
            low = max(low, len({c.fact.entry.event for c in matches if c.fact.entry.event is not None}))
        if low >= n:
            return TRUE
        if count.apart is not None and not scene.nearby and (most := self._most_apart(scene, count.apart)) is not None:
            return scene.silence if most < n else UNKNOWN
        maybe = [candidate.fact.entry.event for candidate in scene.kept if candidate.answer[0] is not False]
        numbered = {event for event in maybe if event is not None}
        high = len(numbered) + maybe.count(None) + len(scene.nearby)
        return scene.silence if high < n else UNKNOWN

    @staticmethod
    def _most_apart(scene: _Scene, apart: Duration) -> int | None:
        """The most facts so far apart, where all are dated to the day; None where a date may move."""
        facts = sorted((c.fact for c in scene.kept if c.answer[0] is not False), key=lambda fact: fact.s_lo)
        if any(fact.s_lo // MINUTES != fact.s_hi // MINUTES for fact in facts):
            return None
        most, free = 0, None
        for fact in facts:
            day = fact.s_lo // MINUTES
            if free is None or day >= free:
                most, free = most + 1, apart.on(day)
        return most

    @staticmethod
    def _next_after(end: int, episode: Duration | None, apart: Duration | None) -> int:
        """The last minute that still counts with an event of minute ``end``."""
        day = end // MINUTES
        after = end_of(day) if episode is None else end + (episode.on(day) - day) * MINUTES
        if apart is not None:
            after = max(after, start_of(apart.on(day)) - 1)
        return after

    def _entries_reach(self, scene: _Scene, n: int) -> Truth:
        reached = possible = 0
        index = self.record.by_concept
        selector = scene.leaf.selector
        unmeasured = selector is not None and selector.family == "observation" and scene.silence is not FALSE
        for entry in scene.leaf.entries:
            sure_of: dict[int, bool] = {}
            for concept in entry:
                for fact, sure in index.get(concept, ()):
                    sure_of[fact.order] = sure or sure_of.get(fact.order, False)
            certainly = maybe = False
            for candidate in scene.kept if sure_of else ():
                own = sure_of.get(candidate.fact.order)
                if own is None or candidate.answer[0] is False:
                    continue
                maybe = True
                certainly = certainly or (own and candidate.certain and candidate.answer[0] is True)
            if not maybe and unmeasured and not any(sure_of.get(candidate.fact.order) for candidate in scene.recorded_days):
                maybe = True  # results are never pooled: an entry never measured may be one that reaches it
            reached += certainly
            possible += maybe
        if reached >= n:
            return TRUE
        return scene.silence if possible + len(scene.nearby) < n else UNKNOWN

    # -- change --------------------------------------------------------------------------------

    def _change(self, scene: _Scene) -> Truth:
        change = scene.leaf.test
        assert isinstance(change, Change)
        if change.pair == "first-to-last":
            return self._first_to_last(scene, change)
        certain, kept = scene.certain, scene.kept
        for i in certain:
            for j in certain:
                if not i.fact.s_hi < j.fact.s_lo or self._apart(change, i, j) is not True:
                    continue
                held = change.sustained is None or self._held(scene, change, i, j)
                if held and self._changed(scene, change, i, j) is True:
                    return TRUE
        if not any(i.fact.s_hi < j.fact.s_lo for i in certain for j in certain):
            return UNKNOWN
        for i in kept:
            for j in kept:
                if i is j or i.fact.s_lo >= j.fact.s_hi:
                    continue
                if self._changed(scene, change, i, j) is False or self._apart(change, i, j) is False:
                    continue
                if change.sustained is None or self._may_hold(scene, change, i, j):
                    return UNKNOWN
        return scene.silence

    def _first_to_last(self, scene: _Scene, change: Change) -> Truth:
        firsts = self.contenders(scene.kept, scene.win, "earliest")
        lasts = self.contenders(scene.kept, scene.win, "latest")
        if firsts is None or lasts is None:
            return UNKNOWN
        answers: set[bool | None] = set()
        for i in firsts:
            for j in lasts:
                if not i.fact.s_hi < j.fact.s_lo:
                    return UNKNOWN
                met = self._changed(scene, change, i, j)
                apart = self._apart(change, i, j)
                answers.add(False if met is False or apart is False else True if met and apart else None)
        return TRUE if answers == {True} else FALSE if answers == {False} else UNKNOWN

    def _value(self, scene: _Scene, candidate: Candidate) -> Interval:
        value = self.selecting._score_part(candidate.fact, scene.leaf) or read_value(candidate.fact, self.record.vocabulary)
        if value.problem is not None or (value.number is None and value.span is None):
            return ANYTHING
        if value.number is not None:
            number: Interval = value.number
            return number
        lo, hi = value.span or (0, 0)
        return Interval(float(lo), float(hi))

    def _changed(self, scene: _Scene, change: Change, i: Candidate, j: Candidate) -> bool | None:
        """Whether the later result j differs from the earlier i by the amount, in the direction asked."""
        before, after = self._value(scene, i), self._value(scene, j)
        if scene.leaf.choice == "fall":
            before, after = _mirror(self._value(scene, i)), _mirror(self._value(scene, j))
        limit = change.at_least if change.at_least is not None else change.above
        if isinstance(limit, NotGiven) or not isinstance(limit, Measure):
            return None
        how: Comparison = "at_least" if change.at_least is not None else "above"
        difference = Interval(
            nine(after.lo - before.hi), nine(after.hi - before.lo), after.lo_open or before.hi_open, after.hi_open or before.lo_open
        )
        if limit.unit is not None and limit.unit.replace(" ", "") in ("%relative", "%"):
            base = self._value(scene, i)
            if base.lo <= 0:
                return None
            share = limit.value / 100
            return (
                difference.compare(how, Interval(nine(base.lo * share), nine(base.hi * share)))
                if base.exact
                else self._relative(how, before, after, share, fall=scene.leaf.choice == "fall")
            )
        return difference.compare(how, self._amount(i.fact, limit))

    @staticmethod
    def _relative(how: Any, before: Interval, after: Interval, share: float, *, fall: bool) -> bool | None:
        """A relative change with an inexact base: the base must be the same number on both sides."""
        if fall:
            target = _mirror(before).scale(1 - share)
            return _mirror(after).compare("at_most" if how == "at_least" else "below", target)
        return after.compare(how, before.scale(1 + share))

    def _amount(self, fact: Fact, limit: Measure) -> Interval:
        if limit.unit is None or limit.unit in ("points", "point", "class", "classes"):
            return Interval.exactly(limit.value)
        converted = self.record.vocabulary.quantity(fact.concept, Interval.exactly(limit.value), limit.unit)
        return ANYTHING if isinstance(converted, UnitProblem) else converted

    @staticmethod
    def _apart(change: Change, i: Candidate, j: Candidate) -> bool | None:
        if change.over is None:
            return True
        return compare_lengths(change.over, i.fact.days(), j.fact.days())

    def _held(self, scene: _Scene, change: Change, i: Candidate, j: Candidate) -> bool:
        """A certain result long enough after j holds the change, and none between may break it."""
        assert change.sustained is not None
        for k in scene.certain:
            if change.sustained.back(k.fact.s_lo // MINUTES) < j.fact.s_hi // MINUTES or k is j:
                continue
            between = [r for r in scene.kept if r is not i and r.fact.s_hi >= j.fact.s_lo and r.fact.s_lo <= k.fact.s_hi]
            if all(self._changed(scene, change, i, r) is True for r in [*between, k]):
                return True
        return False

    def _may_hold(self, scene: _Scene, change: Change, i: Candidate, j: Candidate) -> bool:
        assert change.sustained is not None
        return any(
            k is not j
            and change.sustained.back(k.fact.s_hi // MINUTES) >= j.fact.s_lo // MINUTES
            and self._changed(scene, change, i, k) is not False
            for k in scene.kept
        )

    # -- doses ---------------------------------------------------------------------------------

    def _unchanged(self, scene: _Scene) -> Truth:
        """Per ingredient: one known dose through the whole window, none at all included."""
        win = scene.win
        first, last = win.l1, min(win.u2, self.day)
        touching = [c for c in scene.kept if c.fact.s_lo // MINUTES <= last and self.selecting.ends(c.fact)[1] // MINUTES >= first]
        if scene.nearby:
            return UNKNOWN
        if not touching:
            return NOT[scene.silence]
        kinds = self.record.vocabulary.descendants
        if len(touching) > 1 and any(len(kinds(candidate.fact.concept)) > 1 for candidate in touching):
            return UNKNOWN  # a course charted as a class may be of any drug of it, the others' included
        drugs = {candidate.fact.concept for candidate in touching}
        each = [self._one_drug(scene, [c for c in touching if c.fact.concept == drug]) for drug in sorted(drugs)]
        assert scene.leaf.selector is not None
        if any(len(self.record.vocabulary.descendants(concept)) > 1 for concept in scene.leaf.selector.concepts):
            each.append(NOT[scene.silence])  # the other drugs of the class: none taken is a constant dose, by silence
        return all_of(each)

    def _one_drug(self, scene: _Scene, courses: list[Candidate]) -> Truth:
        """One drug's dose over the days of [A - d, min(A, S)], for every day A may be."""
        win = scene.win
        doses = [self.selecting.tests.daily_dose(c.fact, None, self.selecting.weight())[0] for c in courses]
        if not all(dose is not None and dose.exact for dose in doses):
            return UNKNOWN
        last = min(win.u2, self.day)
        if len({dose.lo for dose in doses if dose is not None}) == 1 and self._cover(courses, win.l1, last):
            return TRUE if win.l2 <= self.day else UNKNOWN
        if not all(c.fact.certain and c.sure and c.member[0] is True and _exact_days(c.fact, self.selecting) for c in courses):
            return UNKNOWN
        return self._steady(win, [c.fact for c in courses], lambda day: self._dose_of_day(courses, doses, day))

    def _turns(self, facts: Iterable[Fact], first: int, last: int) -> list[int]:
        """The days of a span on which a dose can be another than the day before; between them it stands still."""
        days = {first}
        for fact in facts:
            e_lo, e_hi = self.selecting.ends(fact)
            for edge in (fact.s_lo, fact.s_hi, e_lo, e_hi):
                days |= {edge // MINUTES, edge // MINUTES + 1}
        return sorted(day for day in days if first <= day <= last)

    def _steady(self, win: Window, facts: list[Fact], dose_of: Callable[[int], float]) -> Truth:
        """The same on every day a window may hold: true; changed on days every window holds: false."""
        last = min(win.u2, self.day)
        if len({dose_of(day) for day in self._turns(facts, win.l2, min(win.u1, self.day))}) > 1:
            return FALSE
        if win.l2 > self.day or len({dose_of(day) for day in self._turns(facts, win.l1, last)}) > 1:
            return UNKNOWN
        return TRUE

    def _cover(self, courses: list[Candidate], first: int, last: int) -> bool:
        reached = first - 1
        for candidate in sorted((c for c in courses if c.certain), key=lambda c: c.fact.s_hi):
            if candidate.fact.s_hi // MINUTES <= reached + 1:
                reached = max(reached, self.selecting.ends(candidate.fact)[0] // MINUTES)
        return reached >= last

    def _dose_of_day(self, courses: list[Candidate], doses: list[Interval | None], day: int) -> float:
        latest: tuple[int, float] | None = None
        for candidate, dose in zip(courses, doses, strict=True):
            fact = candidate.fact
            covers = fact.s_lo // MINUTES <= day <= self.selecting.ends(fact)[0] // MINUTES
            if covers and dose is not None and (latest is None or fact.s_lo >= latest[0]):
                latest = (fact.s_lo, dose.lo)
        return latest[1] if latest is not None else 0.0

    def _dose_leaf(self, leaf: Leaf) -> LeafAnswer:
        """The day's steroid dose in prednisone equivalents: ``latest`` is the dose on the anchor's day."""
        selector = leaf.selector
        assert selector is not None
        win = self.selecting.window(selector)
        reported = [
            (fact, sure)
            for fact, sure in self.selecting.facts(selector.concepts, selector.families)
            if fact.days() == (win.a1, win.a2) or fact.days() == (win.u1, win.u2)
        ]
        if reported and leaf.choice == "latest":
            pool, outside = self.selecting.pool(leaf, win, reported)
            answer = LeafAnswer(leaf, UNKNOWN, win, outside=outside)
            self._decide(answer, pool, [], [])
            self._finish(answer, [])
            return answer
        drug = "prednisone"
        drugs = equivalent_drugs(self.record.vocabulary, drug)
        first, last = (win.a1, win.a2) if leaf.choice == "latest" else (win.l1, min(win.u2, self.day))
        span = Window(first, first, last, last, win.a1, win.a2, win.assumes, names=win.names)
        may, presumed_not = self._unclear_drugs(drugs, span)
        total = dose_on(self.selecting, drug, first, last) if leaf.choice == "latest" else self._doses(drug, first, last)
        answer = LeafAnswer(leaf, UNKNOWN, span, unclear=may, presumed_not=presumed_not, dose=total, deciding=list(total.used))
        absence = [
            a for a in self.record.absences if a.family == "medication" and a.concept is None and a.start <= max(first, self.record.birth)
        ]
        answer.stated = any(a.end >= last for a in absence)
        silence = UNKNOWN
        if answer.stated:
            silence = FALSE
        elif "medication" in self.record.live and first <= self.day:
            silence = Truth.PRESUMED_FALSE
        truth = self._dose_truth(leaf, total, may, silence, win)
        if presumed_not and truth in (TRUE, FALSE):
            strict = self._dose_truth(leaf, total, [*may, *presumed_not], silence, win)
            truth = strict if strict in (TRUE, FALSE) else from_readings("unknown", PRESUMED[truth])
        if self.strict_only and STRICT[truth] == "unknown":
            truth = UNKNOWN
        answer.truth = truth
        self._finish(answer, presumed_not)
        return answer

    def _doses(self, drug: str, first: int, last: int) -> DayDose:
        """The doses of the days of a span, each day on its own, with all that keeps one from being a number."""
        why: dict[Any, None] = {}
        used: dict[int, Fact] = {}
        total = dose_on(self.selecting, drug, last, last)
        medications = [fact for fact in self.record.facts if fact.family == "medication"]
        for day in self._turns(medications, first, last):
            one = dose_on(self.selecting, drug, day, day)
            why.update(dict.fromkeys(one.why if not one.total.exact else ()))
            used.update({fact.order: fact for fact in one.used})
        return DayDose(total.total, tuple(why), tuple(used.values()), total.certain)

    def _unclear_drugs(self, drugs: tuple[str, ...], win: Window) -> tuple[list[Fact], list[Fact]]:
        may: dict[int, Fact] = {}
        presumed: dict[int, Fact] = {}
        for drug in drugs:
            more, fewer = self.record.may_be(drug, ("medication",))
            may |= {fact.order: fact for fact in more if self._reaches(fact, win, "state")}
            presumed |= {fact.order: fact for fact in fewer if self._reaches(fact, win, "state")}
        sure = {fact.order for fact in self.record.facts if fact.concept in drugs}
        return (
            [may[order] for order in sorted(may) if order not in sure],
            [presumed[order] for order in sorted(presumed) if order not in may and order not in sure],
        )

    def _dose_truth(self, leaf: Leaf, total: DayDose, nearby: list[Fact], silence: Truth, win: Window) -> Truth:
        if leaf.choice == "unchanged":
            return self._dose_unchanged(total, nearby, silence, win)
        test = leaf.test
        truths: list[Truth] = []
        for how, limit in test.bounds():
            if isinstance(limit, NotGiven):
                truths.append(UNKNOWN)
                continue
            edge, _ = dose_limit(limit, self.selecting.weight())
            if edge is None:
                truths.append(UNKNOWN)
                continue
            more: Comparison = "at_least" if how in ("at_least", "below") else "above"
            reached = total.total.compare(more, edge)
            truth = TRUE if reached is True else silence if reached is False and not nearby else UNKNOWN
            truths.append(truth if how in ("at_least", "above") else NOT[truth])
        return all_of(truths)

    def _dose_unchanged(self, total: DayDose, nearby: list[Fact], silence: Truth, win: Window) -> Truth:
        """``unchanged`` of the sum: the same on each day of the window."""
        if nearby:
            return UNKNOWN
        if not total.used:
            return NOT[silence]
        if total.why:
            return UNKNOWN
        return self._steady(win, list(total.used), lambda day: dose_on(self.selecting, "prednisone", day, day).total.lo)

    # -- reasons, basis, assumptions -----------------------------------------------------------

    def _finish(self, answer: LeafAnswer, presumed_not: list[Fact]) -> None:
        truth = answer.truth
        if self.brief:
            return
        win = answer.window
        assert win is not None
        answer.assumes = win.assumes
        self._name_deciding(answer)
        if truth in (TRUE, FALSE):
            rests_on_silence = not answer.deciding and not answer.stated
            answer.basis = "presumed_absent" if rests_on_silence else self._kind_of_basis(answer)
            answer.on_record = not rests_on_silence
            if rests_on_silence:
                answer.silent = True
        elif truth is not UNKNOWN:
            answer.basis, answer.silent = "presumed_absent", True
        if truth not in (TRUE, FALSE):
            answer.reasons = self._reasons(answer)
        if answer.silent:
            answer.assumes += self._silences(answer, presumed_not)
        if self.selecting.tests.used_site_range and any(f.concept in self.selecting.tests.used_site_range for f in answer.deciding):
            answer.assumes += (Assumption("site_range", answer.leaf.name),)

    def _kind_of_basis(self, answer: LeafAnswer) -> Basis:
        derived = (
            answer.dose is not None or any(fact.derived_from for fact in answer.deciding) or bool(getattr(answer.leaf.node, "only", None))
        )
        return "derived" if derived or getattr(answer.leaf.node, "without", None) else "recorded"

    def _name_deciding(self, answer: LeafAnswer) -> None:
        """The facts the answer rests on."""
        if answer.dose is not None:
            return
        kept, truth, choice = answer.candidates, answer.truth, answer.leaf.choice
        if choice in ("latest", "earliest"):
            assert answer.window is not None
            found = self.contenders(kept, answer.window, choice) or []
            answer.deciding = [candidate.fact for candidate in found] if truth is not UNKNOWN else []
        elif choice == "any" and truth is TRUE:
            answer.deciding = [c.fact for c in kept if c.certain and c.answer[0] is True]
        elif choice == "every" and truth is FALSE:
            answer.deciding = [c.fact for c in kept if c.certain and c.answer[0] is False]
        elif truth is not UNKNOWN:
            answer.deciding = [c.fact for c in kept if c.certain] if (choice not in ("any",) and truth in (TRUE, FALSE)) else []

    def _reasons(self, answer: LeafAnswer) -> tuple[Reason, ...]:
        name = answer.leaf.name
        if answer.truth is not UNKNOWN or (self.strict_only and answer.silent and not self._keepers(answer) and not answer.unclear):
            if answer.presumed_only:
                return tuple(Reason("not_understood", name, "code", fact.source) for fact in answer.presumed_not)
            code: ReasonCode = "not_recorded"
            win = answer.window
            assert win is not None
            assert answer.leaf.selector is not None
            if win.u2 > self.day and self.selecting.stated(answer.leaf.selector, (win.l1, self.day)):
                code = "future"
            return (Reason(code, name),)
        found: dict[tuple[ReasonCode, str, str | None, str], Reason] = {}

        def add(code: ReasonCode, item: str, detail: str, source: str | None) -> None:
            found.setdefault((code, item, source, detail), Reason(code, item, detail, source))

        if answer.dose is not None:
            for code, detail, fact in answer.dose.why:
                add(code, fact.concept, detail, fact.source)
            for _, limit in answer.leaf.test.bounds() if isinstance(answer.leaf.test, Test) else ():
                if dose_limit(limit, self.selecting.weight())[1] == "no_reference_range":
                    add("no_reference_range", BODY_WEIGHT, "input", None)
        for candidate in self._keepers(answer):
            fact = candidate.fact
            for code, attribute in candidate.marks:
                add(code, name, attribute, fact.source)
            for code, which in candidate.why_not_placed:
                add(code, name, which, fact.source)
            for why in (*candidate.member[1], *candidate.answer[1]):
                add(why.code, why.item or name, why.attribute, why.source or fact.source)
        for fact in answer.unclear:
            add("not_understood", name, "code", fact.source)
        for item in answer.missing_inputs:
            add("not_recorded", item, "input", None)
        self._disagreement(answer, add)
        self._one_or_several(answer, add)
        if not found:
            code = self._nothing(answer)
            add(code, answer.leaf.asks if code == "needs_judgement" else name, "", None)
        return tuple(sorted(found.values(), key=lambda reason: (_ORDER[reason.code], reason.item, reason.source or "")))

    def _keepers(self, answer: LeafAnswer) -> list[Candidate]:
        """The candidates that keep the answer from being known."""
        kept, choice = answer.candidates, answer.leaf.choice
        if choice in ("latest", "earliest"):
            assert answer.window is not None
            found = self.contenders(kept, answer.window, choice)
            pool = kept if found is None else found
            return [c for c in pool if not c.certain or c.answer[0] is None]
        if choice in ("rise", "fall", "unchanged"):
            return [c for c in kept if self._vague(answer, c) or not c.certain or c.answer[0] is None]
        return [c for c in kept if c.answer[0] is not False and not (c.certain and c.answer[0] is True)]

    def _vague(self, answer: LeafAnswer, candidate: Candidate) -> bool:
        if answer.leaf.choice == "unchanged":
            whys: tuple[Why, ...] = ()
            dose, why = self.selecting.tests.daily_dose(candidate.fact, None, self.selecting.weight())
            if dose is None or not dose.exact:
                whys += (Why(why if dose is None else "imprecise_value", "dose"),)
            if not _exact_days(candidate.fact, self.selecting):
                start = candidate.fact.s_lo // MINUTES != candidate.fact.s_hi // MINUTES
                whys += (Why("imprecise_date", "start" if start else "end"),)
            if whys:
                candidate.answer = (None, whys)
            return bool(whys)
        value = read_value(candidate.fact, self.record.vocabulary)
        if value.problem is not None:
            candidate.answer = (None, (Why(value.problem),))
            return True
        if value.number is not None and not value.number.exact:
            candidate.answer = (None, (Why("imprecise_value"),))
            return True
        if candidate.fact.s_lo // MINUTES != candidate.fact.s_hi // MINUTES:
            candidate.answer = (None, (Why("imprecise_date", "start"),))
            return True
        return False

    def _disagreement(self, answer: LeafAnswer, add: Any) -> None:
        """Contenders all certain and known that disagree: told differently, or their dates too vague."""
        if answer.leaf.choice not in ("latest", "earliest") or answer.window is None:
            return
        found = self.contenders(answer.candidates, answer.window, answer.leaf.choice)
        if not found or any(not c.certain or c.answer[0] is None for c in found):
            return
        if len({c.answer[0] for c in found}) < 2:
            return
        first = max(c.fact.s_lo // MINUTES for c in found)
        last = min(c.fact.s_hi // MINUTES for c in found)
        code: ReasonCode = "conflicting" if first <= last else "imprecise_date"
        for candidate in found:
            add(code, answer.leaf.name, "start", candidate.fact.source)

    def _one_or_several(self, answer: LeafAnswer, add: Any) -> None:
        """Facts enough for a count, were it known that none is another one told again."""
        test = answer.leaf.test
        if not isinstance(test, Count) or answer.leaf.entries or test.apart is not None:
            return
        matches = [c for c in answer.candidates if c.certain and c.answer[0] is True]
        wanted = test.at_least if test.at_least is not None else (test.at_most or 0) + 1
        if len({c.fact.entry.event or c.fact.order for c in matches}) >= wanted:
            for candidate in matches:
                add("unconfirmed", answer.leaf.name, "episode", candidate.fact.source)

    def _nothing(self, answer: LeafAnswer) -> ReasonCode:
        if answer.leaf.question is not None:
            return "needs_judgement"
        win = answer.window
        assert win is not None
        if win.l1 > self.day:
            return "future"
        if (answer.candidates or (answer.dose is not None and answer.dose.used)) and win.a2 > max(self.day, win.a1):
            return "future"
        return "out_of_window" if answer.outside and not answer.candidates else "not_recorded"

    def _silences(self, answer: LeafAnswer, presumed_not: list[Fact]) -> tuple[Assumption, ...]:
        selector, win = answer.leaf.selector, answer.window
        assert selector is not None
        assert win is not None
        family = selector.family
        assert family is not None
        if answer.leaf.kind == "dose":
            family = "medication"
        start = win.l1 if win.bounded else None
        said: tuple[Assumption, ...] = (
            Assumption("silence", answer.leaf.name, family, start, min(win.u2, self.day), self.record.first_of.get(family)),
        )
        if presumed_not:
            sources = tuple(fact.source or f"{fact.family} {fact.order}" for fact in presumed_not)
            said += (Assumption("presumed_not", answer.leaf.name, family, count=len(presumed_not), sources=sources),)
        if win.u2 > self.day:
            said += tuple(Assumption("before_anchor", name, start=self.day) for name in win.names)
        return said


_ORDER = {code: index for index, code in enumerate(REASONS)}


def _mirror(interval: Interval) -> Interval:
    return Interval(-interval.hi, -interval.lo, interval.hi_open, interval.lo_open)


def _different_days(candidates: list[Candidate]) -> int:
    """How many results are certainly on different days: the most with pairwise disjoint intervals."""
    count, reached = 0, None
    for lo, hi in sorted((candidate.fact.days() for candidate in candidates), key=lambda days: days[1]):
        if reached is None or lo > reached:
            count, reached = count + 1, hi
    return count


def _exact_days(fact: Fact, selecting: Selecting) -> bool:
    e_lo, e_hi = selecting.ends(fact)
    return fact.s_lo // MINUTES == fact.s_hi // MINUTES and (fact.ongoing or e_lo // MINUTES == e_hi // MINUTES)
