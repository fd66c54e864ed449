"""Which facts an atom speaks of: placed in its window, filtered by where, except and while (MEANING 3, 4).

A fact comes out *certain* (in C), *possible* (in P), or not at all. Filters that look at other facts (an
anchor that is a fact, ``while``, an exception around a transfusion) rest on silence when those others
are not recorded, so membership is asked per reading, strict or presumed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from ..model.criteria import Test
from ..model.finding import ReasonCode
from ..model.patient import Medication, Observation
from ..model.quantity import Interval
from ..model.time import FOREVER, FOREVER_DAY, MINUTES, NEVER_DAY, end_of
from ..vocabulary.routes import route_of
from ..vocabulary.vocabulary import Stance
from .plan import Leaf, Selector
from .record import Fact, Record
from .settings import Settings
from .values import NO, YES, Answer, ValueTests, Why, conjunction, disjunction, negation, unknown
from .windows import Anchors, Window, around, compare_lengths, compile_time, window

Mode = Literal["strict", "presumed"]
BODY_WEIGHT = "weight"


class Candidate:
    """A fact in reach of a leaf. ``placed``: certainly in the window; ``member``: is it asked for; ``certain``: in C,
    that is certainly an event, in the window, of the concept, and asked for; ``recorded``: the same, whatever is asked.
    """

    __slots__ = ("answer", "certain", "fact", "member", "placed", "recorded", "sure", "why_not_placed")

    def __init__(self, fact: Fact, sure: bool, placed: bool, why_not_placed: tuple[tuple[ReasonCode, str], ...]) -> None:
        self.fact = fact
        self.sure = sure
        self.placed = placed
        self.why_not_placed = why_not_placed
        self.member: Answer = YES
        self.answer: Answer = YES
        self.certain = self.recorded = fact.certain and sure and placed

    @property
    def marks(self) -> tuple[tuple[ReasonCode, str], ...]:
        """Why the fact itself is only possible, and what of the entry would tell."""
        unsure: tuple[tuple[ReasonCode, str], ...] = () if self.sure else (("unconfirmed", "code"),)
        if self.fact.certain:
            return unsure
        mark = self.fact.mark or "unconfirmed"
        entry = self.fact.entry
        if isinstance(entry, Observation) and mark == "unconfirmed" and entry.status in ("final", "amended", "corrected", None):
            return ((mark, "value"), *unsure)  # a final result is only possible where it has no value
        return ((mark, "entry" if mark == "not_understood" else "status"), *unsure)


_Lengths = dict[tuple[int, ...], tuple[bool | None, Answer | None]]
_Run = tuple[tuple[int, int], tuple[int, int], list[Fact], list[Fact]]


class Selecting:
    """Facts of one record on one day, as atoms ask for them; ``brief`` where only truths are wanted, and no reasons."""

    def __init__(self, record: Record, settings: Settings, anchors: Anchors, day: int, brief: bool = False) -> None:
        self.record = record
        self.settings = settings
        self.anchors = anchors
        self.day = day
        self.today = end_of(day)
        self.answers: Mapping[int, Answer] = {}
        self.tests = ValueTests(record, settings.site)
        self._weight: Interval | Literal[False] | None = False
        self._windows: dict[int, Window] = {}
        self.brief = brief
        self._lengths: _Lengths = {}
        self.settled: _Lengths = {}
        """Lengths of runs that are over, which another day of the same screening may have."""
        self.mode: Mode = "presumed"

    # -- placing -------------------------------------------------------------------------------

    def ends(self, fact: Fact) -> tuple[int, int]:
        """Earliest and latest minute the fact ends, on the day looked at: what is ongoing goes on."""
        if fact.ongoing:
            return max(fact.e_lo, self.today), FOREVER
        return fact.e_lo, fact.e_hi

    def window(self, selector: Selector, fact: Fact | None = None) -> Window:
        """The window of a selector; the whole past where it says no time."""
        when = selector.when
        if when is None or selector.around is not None:
            # what comes after another fact may come after the date too: that part is unseen
            ahead = when is not None and when.direction == "on"
            last = around(when, (self.day, self.day), (self.day, self.day)).u2 if ahead and when is not None else self.day
            return Window(NEVER_DAY, NEVER_DAY, self.day, max(last, self.day), self.day, self.day, bounded=False)
        if when.per_drug:
            return window(when, self.anchors, self.half_life(fact))
        known = self._windows.get(id(when))
        if known is None:
            known = self._windows[id(when)] = window(when, self.anchors)
        return known

    def half_life(self, fact: Fact | None) -> tuple[float, float] | None:
        """Days, low and high, of the fact's drug; None where the vocabulary has none."""
        concept = self.record.vocabulary.concepts.get(fact.concept) if fact is not None else None
        return (concept.half_life.low, concept.half_life.high) if concept is not None and concept.half_life is not None else None

    def placement(self, fact: Fact, win: Window, *, plan: bool = False) -> tuple[bool, bool]:
        """(possible, certain) of a fact in a window, not yet asking whether it happened at all."""
        e_lo, e_hi = self.ends(fact)
        lo, hi = fact.s_lo // MINUTES, fact.s_hi // MINUTES
        possible, certain = win.holds(lo, hi, e_lo // MINUTES, e_hi // MINUTES)
        if plan:
            return possible, certain
        return possible and lo <= self.day, certain and hi <= self.day

    def why_not(self, fact: Fact, win: Window) -> tuple[tuple[ReasonCode, str], ...]:
        """Why a fact is only possibly in a window, and which of its dates would tell: its own, or the anchor's."""
        e_lo, e_hi = (end // MINUTES for end in self.ends(fact))
        lo, hi = fact.s_lo // MINUTES, fact.s_hi // MINUTES
        decided = True
        if hi > self.day:
            decided = False
        for left, right in ((win.l1, win.u1), (win.l2, win.u2)):
            inside = hi <= right and max(e_lo, lo) >= left
            # what goes on today may be over by a window that begins later: the anchor's day, not its own dates
            outside = lo > right or e_hi < left or (fact.ongoing and left > self.day)
            decided = decided and (inside or outside)
        if decided and win.a1 != win.a2:
            return (("future", "start"),)
        vague: list[str] = []
        if lo != hi and (hi > min(win.u1, self.day) or lo < win.l2):
            vague.append("start")
        if e_lo != e_hi and not fact.point and max(e_lo, lo) < win.l2:
            vague.append("end")  # a point has no end of its own: its day tells
        return tuple(("imprecise_date", which) for which in vague or ["start"])

    # -- candidates ----------------------------------------------------------------------------

    def pool(self, leaf: Leaf, win: Window, facts: list[tuple[Fact, bool]]) -> tuple[list[Candidate], list[Fact]]:
        """Facts that may be in the window, and those of the concept certainly outside it."""
        selector = leaf.selector
        assert selector is not None
        plan = leaf.question is not None
        per_drug = selector.when is not None and selector.when.per_drug
        inside: list[Candidate] = []
        outside: list[Fact] = []
        for fact, sure in facts:
            own = self.window(selector, fact) if per_drug else win
            possible, certain = self.placement(fact, own, plan=plan)
            if certain:
                inside.append(Candidate(fact, sure, True, ()))
            elif not possible:
                outside.append(fact)
            elif self.brief:
                inside.append(Candidate(fact, sure, False, ()))
            else:
                why = self.why_not(fact, own) if not per_drug or self.half_life(fact) is not None else (("unit", "start"),)
                inside.append(Candidate(fact, sure, False, why))
        return inside, outside

    def facts(self, concepts: tuple[str, ...], families: tuple[Any, ...], *, plans: bool = False) -> list[tuple[Fact, bool]]:
        """Facts of any of the concepts, each once, with whether its concept is certain."""
        index = self.record.plans_by_concept if plans else self.record.by_concept
        if len(concepts) == 1:
            found = index.get(concepts[0])
            return [pair for pair in found if pair[0].family in families] if found else []
        known = self.record.of_lists.get((concepts, families, plans))
        if known is None:
            best: dict[int, tuple[Fact, bool]] = {}
            for concept in concepts:
                for fact, sure in index.get(concept, ()):
                    if fact.family in families and (fact.order not in best or sure):
                        best[fact.order] = (fact, sure)
            known = self.record.of_lists[concepts, families, plans] = [best[order] for order in sorted(best)]
        return known

    def judge(self, candidates: list[Candidate], leaf: Leaf, mode: Mode, win: Window) -> list[Candidate]:
        """Membership and the test's answer of each candidate in a reading; those certainly not asked for drop out."""
        selector = leaf.selector
        assert selector is not None
        # where silence is never taken for absence, it is not taken to leave a run as it is either
        own: Mode = "strict" if leaf.never_presumed else mode
        self.mode = own
        where = selector.where
        inner = leaf.test if isinstance(leaf.test, Test) else None
        held = bool(selector.excepts) or selector.around is not None or selector.while_ is not None
        kept: list[Candidate] = []
        for candidate in candidates:
            fact = candidate.fact
            candidate.recorded = fact.certain and candidate.sure and candidate.placed
            if held:
                candidate.member = self._member(candidate, leaf, mode, win, own)
            elif where is not None:
                candidate.member = self.test(fact, where, win, leaf)
            met = candidate.member[0]
            candidate.certain = met is True and fact.certain and candidate.sure and candidate.placed
            if met is False:
                continue
            candidate.answer = self.test(fact, inner, win, leaf) if inner is not None else YES
            kept.append(candidate)
        return kept

    def _member(self, candidate: Candidate, leaf: Leaf, mode: Mode, win: Window, own: Mode) -> Answer:
        """Whether a fact is asked for where it is held against others, or exceptions are made."""
        fact, selector = candidate.fact, leaf.selector
        assert selector is not None
        excepted = disjunction(self.exempt(fact, one, mode) for one in selector.excepts) if selector.excepts else NO
        recorded = candidate.recorded and excepted[0] is False
        parts = [negation(excepted)]
        if selector.around is not None and selector.when is not None:
            parts.append(self.related(fact, selector, mode))
            recorded = recorded and parts[-1][0] is True
        if selector.while_ is not None:
            parts.append(self.during(fact, selector.while_, mode))
            recorded = recorded and parts[-1][0] is True
        candidate.recorded = recorded
        self.mode = own  # what was chosen to be held against has its own
        if selector.where is not None:
            parts.append(self.test(fact, selector.where, win, leaf))
        return conjunction(parts)

    # -- tests ---------------------------------------------------------------------------------

    def test(self, fact: Fact, test: Test, win: Window, leaf: Leaf | None = None) -> Answer:
        """What one fact answers to a test of its value and attributes."""
        if not test.asks_attribute:
            return self.tests.limits(fact, test, self._score_part(fact, leaf))
        parts: list[Answer] = []
        if test.asks_value:
            parts.append(self.tests.limits(fact, test, self._score_part(fact, leaf)))
        if test.dose is not None:
            parts.append(self.tests.dose(fact, test.dose, self.weight()))
        if test.route is not None:
            parts.append(_route(fact, test.route))
        if test.lasting is not None:
            parts.append(self._lasting(fact, test, win))
        elif test.outcome is not None:
            parts.append(_outcome(fact, test.outcome))
        if test.grade is not None:
            parts.append(self.tests.grade(fact.entry, test.grade))
        if test.started is not None:
            parts.append(self._edge(fact, test.started, "start"))
        if test.ended is not None:
            parts.append(self._edge(fact, test.ended, "end"))
        if test.all_of is not None:
            parts.append(conjunction(self.test(fact, one, win, leaf) for one in test.all_of))
        if test.any_of is not None:
            parts.append(disjunction(self.test(fact, one, win, leaf) for one in test.any_of))
        if test.none_of is not None:
            parts.append(negation(disjunction(self.test(fact, one, win, leaf) for one in test.none_of)))
        return parts[0] if len(parts) == 1 else conjunction(parts)

    def _score_part(self, fact: Fact, leaf: Leaf | None) -> Any:
        if leaf is None or leaf.items is None:
            return None
        from .derived import part_of_score

        return part_of_score(fact, self.record.vocabulary, *leaf.items)

    def _edge(self, fact: Fact, words: Any, which: Literal["start", "end"]) -> Answer:
        when = compile_time(words)
        assert when is not None
        win = window(when, self.anchors, self.half_life(fact))
        lo, hi = (fact.s_lo, fact.s_hi) if which == "start" else self.ends(fact)
        first, last = lo // MINUTES, hi // MINUTES
        if which == "end" and lo >= FOREVER:
            return NO  # it never ends
        endless = which == "end" and hi >= FOREVER
        if last <= win.u1 and first >= win.l2 and not endless:
            return YES
        if first > win.u2 or last < win.l1:
            return NO
        if win.a1 != win.a2 and first == last:
            return unknown("future", which)
        return unknown("imprecise_date" if which == "start" or fact.entry.end is not None else "not_recorded", which)

    def _lasting(self, fact: Fact, test: Test, win: Window) -> Answer:
        assert test.lasting is not None
        met, outcome = self._length(fact, test, win)
        joinable = self._may_be_joined(fact, win)
        # why is asked of a run whose length is not known, and only where somebody will be told
        answer: Answer = (met, () if met is not None or self.brief else self._why_length(fact, win))
        if joinable and met is not None:
            words = ("at_most", "below") if met else ("at_least", "above")
            if any(how in words for how, _ in test.lasting.bounds()):
                answer = (None, joinable)  # another one may make it longer
        if outcome is None:
            return answer
        if joinable and outcome[0] is False:
            outcome = unknown("not_recorded", "outcome")
        return conjunction((answer, outcome))

    def _length(self, fact: Fact, test: Test, win: Window) -> tuple[bool | None, Answer | None]:
        """Whether the run a fact is part of lasts as long as asked, and has the outcome if one is: the same in both readings."""
        _, _, _, begin, end = self._courses(fact)
        settled = not fact.planned and end <= min(self.today, end_of(win.u1)) and (not win.cuts or begin >= max(win.l1, win.l2) * MINUTES)
        # a run that is over and not cut stays as long as it was; any other is another on every day and in every window
        known = self.settled if settled else self._lengths
        key = (fact.order, id(test)) if settled else (fact.order, id(test), win.l1, win.l2, win.u1, win.u2)
        found = known.get(key)
        if found is None:
            low, high, members, sure = self.run(fact, win)
            assert test.lasting is not None
            met = compare_lengths(test.lasting, (high[0] // MINUTES, low[0] // MINUTES), (low[1] // MINUTES, high[1] // MINUTES))
            found = known[key] = met, None if test.outcome is None else _outcome_of_run(members, sure, test.outcome)
        return found

    def _may_be_joined(self, fact: Fact, win: Window) -> tuple[Why, ...]:
        """What may make the run longer, or give it its outcome: an entry that may be the drug, strictly one that nobody recorded."""
        if fact.family != "medication":
            return ()
        whys: list[Why] = []
        strict = self.mode != "presumed" or not self._presumed_absent(fact.concept)
        if self.record.unclear.get("medication"):
            may, presumed = self.record.may_be(fact.concept, ("medication",))
            near = [*may, *presumed] if strict else may
            if near:
                gap = (self._courses(fact)[1] + 1) * MINUTES
                members = self.run(fact, win)[2]
                first, last = min(one.s_lo for one in members) - gap, max(self.ends(one)[1] for one in members) + gap
                whys = [Why("not_understood", "code", source=one.source) for one in near if one.s_lo <= last and self.ends(one)[1] >= first]
        if strict and not (
            self.record.absences
            and self.stated(Selector("medication", ("medication",), (fact.concept,), None, None), (self.record.birth, self.day))
        ):
            whys.append(Why("not_recorded", "course"))
        return tuple(whys)

    def _why_length(self, fact: Fact, win: Window, until: tuple[int, int] | None = None) -> tuple[Why, ...]:
        """What of a run's courses keeps its length from being known: the start of its first, the end of its last."""
        if until is None and win.a1 != win.a2:
            return (Why("future", "end"),)
        low, high, members, sure = self.run(fact, win, until)
        whys: dict[Why, None] = {}
        first = min(members, key=lambda course: (course.s_lo, course.order))
        last = max(members, key=lambda course: (self.ends(course)[1], course.order))
        for course, differs, which in (
            (first, low[0] // MINUTES != high[0] // MINUTES, "start"),
            (last, low[1] // MINUTES != high[1] // MINUTES, "end"),
        ):
            if not differs:
                continue
            if course not in sure:
                # it may be no part of the run at all
                mark = "code" if course.certain else "entry" if course.mark == "not_understood" else "status"
                whys[Why(course.mark or "unconfirmed", mark, source=course.source)] = None
            lo, hi = (course.s_lo, course.s_hi) if which == "start" else self.ends(course)
            if lo // MINUTES != hi // MINUTES and not (which == "end" and course.ongoing):
                told = which == "start" or course.entry.end is not None or course.point
                part = "start" if course.point else which
                whys[Why("imprecise_date" if told else "not_recorded", part, source=course.source)] = None
        return tuple(whys) or (Why("imprecise_date", "start" if until is not None else "end"),)

    # -- runs ----------------------------------------------------------------------------------

    def run(self, fact: Fact, win: Window, until: tuple[int, int] | None = None) -> _Run:
        """The joined course a fact is part of: low run, high run, courses of the high and of the low, cut to the window."""
        cut_lo = min(self.today, end_of(win.u1)) if until is None else until[0]
        cut_hi = min(self.today, end_of(win.u2)) if until is None else until[1]
        low = high = None
        courses, gap_end, one_drug, _, _ = self._courses(fact)
        if len(courses) > 1:
            low = _joined(
                fact,
                [
                    (course.s_hi, min(self.ends(course)[0], cut_lo), course)
                    for course in courses
                    if course is fact or (course.certain and course.concept == fact.concept and one_drug)
                ],
                gap_end,
            )
            high = _joined(fact, [(course.s_lo, min(self.ends(course)[1], cut_hi), course) for course in courses], gap_end)
        low_start, low_end = (low[0], low[1]) if low else (fact.s_hi, min(self.ends(fact)[0], cut_lo))
        high_start, high_end = (high[0], high[1]) if high else (fact.s_lo, min(self.ends(fact)[1], cut_hi))
        if win.cuts:
            low_start = max(low_start, win.l2 * MINUTES) if win.l2 > NEVER_DAY else low_start
            high_start = max(high_start, win.l1 * MINUTES) if win.l1 > NEVER_DAY else high_start
        return (low_start, low_end), (high_start, high_end), (high[2] if high else [fact]), (low[2] if low else [fact])

    def _courses(self, fact: Fact) -> tuple[list[Fact], int, bool, int, int]:
        """The courses that may be one with a fact, the days they may lie apart, whether its concept is one drug alone, and
        the minutes from which and by which all of them are.
        """
        if fact.family != "medication":
            return [fact], 0, True, fact.s_lo, FOREVER if fact.ongoing else fact.e_hi
        known = self.record.courses.get(fact.concept)
        if known is None:
            courses = [other for other, _ in self.record.by_concept.get(fact.concept, ()) if other.family == "medication"]
            # a course charted as a class may be of any drug of it, and joins over that drug's gap
            concepts = self.record.vocabulary.concepts
            kinds = [concepts[kind] for kind in self.record.vocabulary.descendants(fact.concept)] if fact.concept in concepts else []
            gap = max((kind.gap.on(0) for kind in kinds if kind.gap is not None), default=0)
            begin = min((course.s_lo for course in courses), default=fact.s_lo)
            end = max((FOREVER if course.ongoing else course.e_hi for course in courses), default=FOREVER)
            known = self.record.courses[fact.concept] = courses, gap, len(kinds) < 2, begin, end
        return known

    # -- other facts ---------------------------------------------------------------------------

    def exempt(self, fact: Fact, exemption: Selector, mode: Mode) -> Answer:
        """Whether a fact meets an entry of ``except``."""
        parts: list[Answer] = []
        if exemption.concepts:
            parts.append(disjunction(self._is(fact, concept) for concept in exemption.concepts))
            if parts[0][0] is False:
                return NO
        if exemption.around is not None:
            parts.append(self.related(fact, exemption, mode))
        elif exemption.when is not None:
            win = self.window(exemption, fact)
            possible, certain = self.placement(fact, win)
            parts.append(
                YES if certain else NO if not possible else (None, tuple(Why(code, which) for code, which in self.why_not(fact, win)))
            )
        if exemption.where is not None:
            parts.append(self.test(fact, exemption.where, self.window(exemption, fact)))
        if exemption.question is not None:
            parts.append(self.answers.get(exemption.question) or unknown("needs_judgement", exemption.ask or ""))
        return conjunction(parts)

    def _is(self, fact: Fact, concept: str) -> Answer:
        vocabulary = self.record.vocabulary
        if concept not in vocabulary.concepts:
            return NO
        if any(own in vocabulary.descendants(concept) for own in fact.concepts):
            return YES
        if fact.reading is None:
            return unknown("not_understood", "code")
        stance = vocabulary.stance(fact.reading, concept)
        if stance in (Stance.BROADER, Stance.MAY_BE):
            return unknown("unconfirmed", "code")
        return NO

    def related(self, fact: Fact, selector: Selector, mode: Mode) -> Answer:
        """Whether a fact stands in the words of time to some chosen other fact."""
        chosen = selector.around
        when = selector.when
        assert chosen is not None
        assert when is not None
        e_lo, e_hi = (end // MINUTES for end in self.ends(fact))
        lo, hi = fact.days()

        def relate(other: Fact) -> tuple[bool, bool]:
            o_lo, o_hi = (end // MINUTES for end in self.ends(other))
            win = around(when, other.days(), (min(o_lo, self.day), min(o_hi, self.day)), self.half_life(fact))
            return win.holds(lo, hi, e_lo, e_hi)

        reach = (NEVER_DAY, self.day)
        if when.word == "within":
            far = around(when, (lo, hi), (lo, hi))
            # the other fact lies on the other side: before a fact that comes after it
            span = far.u2 - far.l1
            last = max(hi, e_hi)
            reach = (lo - span, last) if when.direction == "on" else (lo, min(last + span, FOREVER_DAY))
        return _own_day_too(self._some(chosen, relate, mode, reach), fact)

    def during(self, fact: Fact, chosen: Selector, mode: Mode) -> Answer:
        """Whether a fact's day lies in a span of some chosen other fact; lengths count up to that day."""
        lo, hi = fact.s_lo, fact.s_hi

        def relate(other: Fact) -> tuple[bool, bool]:
            o_lo, o_hi = self.ends(other)
            possible = lo // MINUTES <= o_hi // MINUTES and hi // MINUTES >= other.s_lo // MINUTES
            certain = lo // MINUTES >= other.s_hi // MINUTES and hi // MINUTES <= o_lo // MINUTES
            return possible, certain

        answer = self._some(chosen, relate, mode, fact.days(), until=(end_of(lo // MINUTES), end_of(hi // MINUTES)))
        return _own_day_too(answer, fact)

    def _some(
        self,
        chosen: Selector,
        relate: Any,
        mode: Mode,
        reach: tuple[int, int],
        until: tuple[int, int] | None = None,
    ) -> Answer:
        whys: list[Why] = []
        name = ", ".join(chosen.concepts)
        for other, certain, why in self._chosen(chosen, mode, until):
            possible, holds = relate(other)
            if holds and certain:
                return YES
            if possible:
                whys += why or (Why("imprecise_date", "start", name, other.source),)
        if whys:
            return None, tuple(whys)
        if self.stated(chosen, reach):
            return NO
        if mode == "presumed" and self.settings.absence == "presumed" and self._presumable(chosen):
            return NO
        return None, (Why("not_recorded", "event", name),)

    def _presumable(self, chosen: Selector) -> bool:
        if chosen.family == "observation":
            results = (one for concept in chosen.concepts for one in self.record.by_concept.get(concept, ()))
            return any(fact.certain and sure for fact, sure in results)  # as for a question: a result that is one for certain
        return chosen.family in self.record.live and all(self._presumed_absent(concept) for concept in chosen.concepts)

    def _presumed_absent(self, concept: str) -> bool:
        """Whether silence about a concept may be taken for its absence, as the vocabulary says."""
        known = self.record.vocabulary.concepts.get(concept)
        return known is None or known.absence != "unknown"

    def _unclear(self, selector: Selector) -> tuple[list[Fact], list[Fact]]:
        may: list[Fact] = []
        presumed: list[Fact] = []
        for concept in selector.concepts:
            more, fewer = self.record.may_be(concept, selector.unclear_families)
            may += [fact for fact in more if fact not in may]
            presumed += [fact for fact in fewer if fact not in presumed]
        known = {fact.order for fact, _ in self.facts(selector.concepts, selector.families)}
        may = [fact for fact in may if fact.order not in known]
        return may, [fact for fact in presumed if fact not in may and fact.order not in known]

    def _chosen(self, chosen: Selector, mode: Mode, until: tuple[int, int] | None) -> list[tuple[Fact, bool, tuple[Why, ...]]]:
        self.mode = mode
        win = self.window(chosen)
        found: list[tuple[Fact, bool, tuple[Why, ...]]] = []
        name = ", ".join(chosen.concepts)
        for fact, sure in self.facts(chosen.concepts, chosen.families):
            possible, placed = self.placement(fact, win)
            if not possible:
                continue
            parts: list[Answer] = [negation(disjunction(self.exempt(fact, one, mode) for one in chosen.excepts))]
            if chosen.where is not None:
                parts.append(self._test_until(fact, chosen.where, win, until))
            member, why = conjunction(parts)
            if member is False:
                continue
            certain = fact.certain and sure and placed and member is True
            whys = tuple(Why(one.code, one.attribute, one.item or name, one.source or fact.source) for one in why)
            if not certain and not whys:
                code: ReasonCode = fact.mark or "unconfirmed" if not (fact.certain and sure) else "imprecise_date"
                whys = (Why(code, "status" if code == "unconfirmed" else "start", name, fact.source),)
            found.append((fact, certain, whys))
        # entries that may stand for it are chosen among too: the latest may be one of them
        may, presumed = self._unclear(chosen)
        for entry in may if mode == "presumed" else [*may, *presumed]:
            if self.placement(entry, win)[0]:
                found.append((entry, False, (Why("not_understood", "code", name, entry.source),)))
        return _picked(found, chosen.pick) if chosen.pick else found

    def _test_until(self, fact: Fact, where: Test, win: Window, until: tuple[int, int] | None) -> Answer:
        if until is None or where.lasting is None:
            return self.test(fact, where, win)
        low, high, _, _ = self.run(fact, win, until)
        met = compare_lengths(where.lasting, (high[0] // MINUTES, low[0] // MINUTES), (low[1] // MINUTES, high[1] // MINUTES))
        if (
            met is not None
            and self._may_be_joined(fact, win)
            and not (met and all(how in ("at_least", "above") for how, _ in where.lasting.bounds()))
        ):
            met = None
        rest = where.model_copy(update={"lasting": None})
        others = [self.test(fact, rest, win)] if any(getattr(rest, name) is not None for name in type(rest).model_fields) else []
        return conjunction([(met, ()) if met is not None else (None, self._why_length(fact, win, until)), *others])

    # -- absence and weight --------------------------------------------------------------------

    def stated(self, selector: Selector, reach: tuple[int, int]) -> bool:
        """Whether stated absences cover every day from ``reach[0]`` to ``reach[1]`` for every concept."""
        if not self.record.absences:
            return False
        return bool(selector.concepts) and all(self._covered(selector, concept, reach) for concept in selector.concepts)

    def _covered(self, selector: Selector, concept: str, reach: tuple[int, int]) -> bool:
        descendants = self.record.vocabulary.descendants
        first = max(reach[0], self.record.birth)
        for family in selector.families:
            spans = sorted(
                (absence.start, absence.end)
                for absence in self.record.absences
                if absence.family == family and (absence.concept is None or concept in descendants(absence.concept))
            )
            covered = first - 1
            for start, end in spans:
                if start <= covered + 1:
                    covered = max(covered, end)
            if not spans or covered < reach[1]:
                return False
        return True

    def weight(self) -> Interval | None:
        """The body weight in kg: the latest recorded on or before the day, None where none is certain."""
        if self._weight is False:
            from .derived import latest_value

            self._weight = latest_value(self, BODY_WEIGHT)
        return self._weight


def _own_day_too(answer: Answer, fact: Fact) -> Answer:
    """Where dates keep two facts from being held against each other, a rough date of the fact itself is one of them."""
    met, whys = answer
    if met is not None or fact.s_lo // MINUTES == fact.s_hi // MINUTES or all(why.code != "imprecise_date" for why in whys):
        return answer
    return None, (*whys, Why("imprecise_date", "start", source=fact.source))


def _joined(fact: Fact, spans: list[tuple[int, int, Fact]], gap_days: int) -> tuple[int, int, list[Fact]] | None:
    """The run of joined spans that holds the fact: spans no more than the gap apart are one."""
    gap = (gap_days + 1) * MINUTES - 1
    runs: list[tuple[int, int, list[Fact]]] = []
    # a point dated to its day begins, at the latest, after it ends at the earliest: it is a course of that day all the same
    known = ((start, end, course) for start, end, course in spans if start // MINUTES <= end // MINUTES)
    for start, end, course in sorted(known, key=lambda span: (span[0], span[1], span[2].order)):
        if runs and start <= runs[-1][1] + gap:
            first, last, members = runs[-1]
            runs[-1] = (first, max(last, end), [*members, course])
        else:
            runs.append((start, end, [course]))
    return next((run for run in runs if fact in run[2]), None)


def _picked(found: list[tuple[Fact, bool, tuple[Why, ...]]], pick: str) -> list[tuple[Fact, bool, tuple[Why, ...]]]:
    certain = [fact for fact, sure, _ in found if sure]
    if pick == "latest":
        edge = max((fact.s_lo for fact in certain), default=None)
        kept = [one for one in found if edge is None or one[0].s_hi >= edge]
    else:
        edge = min((fact.s_hi for fact in certain), default=None)
        kept = [one for one in found if edge is None or one[0].s_lo <= edge]
    if len(kept) == 1:
        return kept
    return [(fact, False, why or (Why("imprecise_date", "start", fact.concept, fact.source),)) for fact, _, why in kept]


def _outcome_of_run(members: list[Fact], sure: list[Fact], wanted: tuple[str, ...]) -> Answer:
    """An outcome of a run is the outcome of one of its courses."""
    outcome = disjunction(_outcome(other, wanted) for other in members)
    if outcome[0] is True and not any(_outcome(other, wanted)[0] is True for other in sure):
        return unknown("unconfirmed", "code")  # the course that has it may be no part of the run
    return outcome


def _outcome(fact: Fact, wanted: tuple[str, ...]) -> Answer:
    entry = fact.entry
    if not isinstance(entry, Medication) or not entry.outcome:
        return unknown("not_recorded", "outcome")
    return (bool(set(entry.outcome) & set(wanted))), ()


def _route(fact: Fact, wanted: tuple[str, ...]) -> Answer:
    entry = fact.entry
    if not isinstance(entry, Medication) or entry.route is None:
        return unknown("not_recorded", "route")
    route = route_of(entry.route)
    if route is None:
        return unknown("imprecise_value", "route")
    return (route in wanted), ()
