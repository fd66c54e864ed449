"""``unchanged`` and the dose of a day (MEANING 6)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..model.limits import NotGiven
from ..model.quantity import Comparison, Interval
from ..model.time import MINUTES
from ..model.truth import FALSE, NOT, TRUE, UNKNOWN, Truth, all_of
from .derived import DayDose, dose_on
from .plan import Leaf
from .reasons import Scene, exact_days
from .record import Fact
from .selecting import Candidate
from .trend import Trends
from .values import dose_limit
from .windows import Window


class Doses(Trends):
    """Answers about doses over days."""

    def _unchanged(self, scene: Scene) -> Truth:
        """Per ingredient: one known dose through the whole window, none at all included."""
        win = scene.win
        first, last = win.l1, min(win.u2, self.day)
        touching = [c for c in scene.kept if c.fact.s_lo // MINUTES <= last and self.selecting.ends(c.fact)[1] // MINUTES >= first]
        if scene.nearby:
            return UNKNOWN
        if not touching:
            return NOT[scene.silence]
        kinds = self.record.vocabulary.descendants
        by_drug: dict[str, list[Candidate]] = {}
        for candidate in touching:
            by_drug.setdefault(candidate.fact.concept, []).append(candidate)
        each: list[Truth] = []
        for drug, courses in sorted(by_drug.items()):
            # a course charted as a class may be of any drug of it, also of one charted beside it
            within_class = any(other != drug and (drug in kinds(other) or other in kinds(drug)) for other in by_drug)
            several = len(kinds(drug)) > 1 and len(courses) > 1
            each.append(UNKNOWN if within_class or several else self._one_drug(scene, courses))
        assert scene.leaf.selector is not None
        if any(len(self.record.vocabulary.descendants(concept)) > 1 for concept in scene.leaf.selector.concepts):
            each.append(NOT[scene.silence])  # the other drugs of the class: none taken is a constant dose, by silence
        return all_of(each)

    def _one_drug(self, scene: Scene, courses: list[Candidate]) -> Truth:
        """One drug's dose over the days of [A - d, min(A, S)], for every day A may be."""
        win = scene.win
        gap = self._gap(courses[0].fact)
        courses = [*courses, *self._run_together(courses, gap, win)]
        doses = [self.selecting.tests.daily_dose(c.fact, None, self.selecting.weight())[0] for c in courses]
        if not all(dose is not None and dose.exact for dose in doses):
            return UNKNOWN
        amounts: dict[int, set[float]] = {}
        for candidate, dose in zip(courses, doses, strict=True):
            amounts.setdefault(candidate.fact.s_lo // MINUTES, set()).add(dose.lo if dose is not None else -1.0)
        if any(len(of_day) > 1 for of_day in amounts.values()):
            return UNKNOWN  # two courses begun on one day: which is the latest-started cannot be told
        last = min(win.u2, self.day)
        if len({dose.lo for dose in doses if dose is not None}) == 1 and self._cover(courses, gap, win.l1, last):
            return TRUE if win.l2 <= self.day else UNKNOWN
        if not all(c.fact.certain and c.sure and c.member[0] is True and exact_days(c.fact, self.selecting) for c in courses):
            return UNKNOWN
        return self._steady(win, [c.fact for c in courses], lambda day: self._dose_of_day(courses, doses, gap, day))

    def _gap(self, fact: Fact) -> int:
        """Days that courses of a drug may lie apart and still be one."""
        concept = self.record.vocabulary.concepts.get(fact.concept)
        return concept.gap.on(0) if concept is not None and concept.gap is not None else 0

    def _run_together(self, courses: list[Candidate], gap: int, win: Window) -> list[Candidate]:
        """Courses outside the window that may be one with a course in it, over the drug's gap."""
        known = {candidate.fact.order for candidate in courses}
        found: list[Candidate] = []
        for fact, sure in self.record.by_concept.get(courses[0].fact.concept, ()):
            if fact.family != "medication" or fact.order in known:
                continue
            begins, ends = fact.s_lo // MINUTES, self.selecting.ends(fact)[1] // MINUTES
            if begins - gap - 1 <= min(win.u2, self.day) and ends + gap + 1 >= win.l1:
                found.append(Candidate(fact, sure, True, ()))
        return found

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

    def _cover(self, courses: list[Candidate], gap: int, first: int, last: int) -> bool:
        """Whether certain courses, run together over the gap, reach from the first day to the last."""
        reached: int | None = None
        for candidate in sorted((c for c in courses if c.certain), key=lambda c: c.fact.s_hi):
            begins, ends = candidate.fact.s_hi // MINUTES, self.selecting.ends(candidate.fact)[0] // MINUTES
            if begins <= first or (reached is not None and begins <= reached + gap + 1):
                reached = max(reached if reached is not None else ends, ends)
        return reached is not None and reached >= last

    def _dose_of_day(self, courses: list[Candidate], doses: list[Interval | None], gap: int, day: int) -> float:
        """The dose of the latest-started course of a day; over a gap that is bridged, of the course before it."""
        starts = sorted(candidate.fact.s_lo // MINUTES for candidate in courses)
        latest: tuple[int, float] | None = None
        for candidate, dose in zip(courses, doses, strict=True):
            fact = candidate.fact
            ends = self.selecting.ends(fact)[0] // MINUTES
            bridged = any(day < start <= ends + gap + 1 for start in starts)
            covers = fact.s_lo // MINUTES <= day and (day <= ends or bridged)
            if covers and dose is not None and (latest is None or fact.s_lo >= latest[0]):
                latest = (fact.s_lo, dose.lo)
        return latest[1] if latest is not None else 0.0

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
