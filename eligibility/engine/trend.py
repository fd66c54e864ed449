"""``rise`` and ``fall``: change between results, held or not (MEANING 6)."""

from __future__ import annotations

from typing import Any

from ..model.criteria import Change
from ..model.limits import Measure, NotGiven
from ..model.quantity import ANYTHING, Comparison, Interval, nine
from ..model.time import MINUTES
from ..model.truth import FALSE, TRUE, UNKNOWN, Truth
from ..vocabulary.vocabulary import UnitProblem
from .reasons import Reasons, Scene
from .record import Fact
from .selecting import Candidate
from .values import read_value
from .windows import compare_lengths


class Trends(Reasons):
    """Answers about change between two results."""

    def _change(self, scene: Scene) -> Truth:
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

    def _first_to_last(self, scene: Scene, change: Change) -> Truth:
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

    def _value(self, scene: Scene, candidate: Candidate) -> Interval:
        value = self.selecting._score_part(candidate.fact, scene.leaf) or read_value(candidate.fact, self.record.vocabulary)
        if value.problem is not None or (value.number is None and value.span is None):
            return ANYTHING
        if value.number is not None:
            number: Interval = value.number
            return number
        lo, hi = value.span or (0, 0)
        return Interval(float(lo), float(hi))

    def _changed(self, scene: Scene, change: Change, i: Candidate, j: Candidate) -> bool | None:
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

    def _held(self, scene: Scene, change: Change, i: Candidate, j: Candidate) -> bool:
        """A certain result long enough after j holds the change, and none between may break it."""
        assert change.sustained is not None
        for k in scene.certain:
            if change.sustained.back(k.fact.s_lo // MINUTES) < j.fact.s_hi // MINUTES or k is j:
                continue
            between = [r for r in scene.kept if r is not i and r.fact.s_hi >= j.fact.s_lo and r.fact.s_lo <= k.fact.s_hi]
            if all(self._changed(scene, change, i, r) is True for r in [*between, k]):
                return True
        return False

    def _may_hold(self, scene: Scene, change: Change, i: Candidate, j: Candidate) -> bool:
        assert change.sustained is not None
        return any(
            k is not j
            and change.sustained.back(k.fact.s_hi // MINUTES) >= j.fact.s_lo // MINUTES
            and self._changed(scene, change, i, k) is not False
            for k in scene.kept
        )


def _mirror(interval: Interval) -> Interval:
    return Interval(-interval.hi, -interval.lo, interval.hi_open, interval.lo_open)
