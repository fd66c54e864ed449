"""The days that move with the date: where anchors and windows stand on a later day, and when they first get somewhere (MEANING 8).

Nothing of a patient is here but the days given for anchors; nothing here knows what a criterion asks. Nor does anything
here hold who asks: what holds each other in a circle waits for the garbage collector.
"""

from __future__ import annotations

from ..model.time import FOREVER_DAY, Duration
from .plan import Plan
from .settings import Settings
from .windows import Anchors, When_, window


class AnchorsByDay:
    """The anchors of one screening as they stand on any day."""

    def __init__(self, plan: Plan, settings: Settings) -> None:
        self._plan, self._settings = plan, settings
        self._known: dict[int, Anchors] = {}

    def __getitem__(self, day: int) -> Anchors:
        known = self._known.get(day)
        if known is None:
            plan, settings = self._plan, self._settings
            known = Anchors(day, plan.schedule, settings.anchors, plan.horizon, settings.site, plan.trial.id)
            self._known[day] = known
        return known


class Edges:
    """Every day that moves with the date and that a fact's dates are compared with, for some words of time.

    ``lengths`` are those that spans are held against, ``half_life`` is of the drug where a window is a drug's own.
    """

    def __init__(
        self,
        anchors: AnchorsByDay,
        whens: tuple[When_, ...],
        lengths: tuple[Duration, ...],
        half_life: tuple[float, float] | None,
        day: int,
        last: int,
    ) -> None:
        self._anchors, self._whens, self._lengths, self._half_life = anchors, whens, lengths, half_life
        self._day, self._last = day, last
        self._known: dict[int, tuple[int, ...]] = {}
        self._firsts: dict[tuple[int, int], int] = {}
        pairs = list(enumerate(zip(self.on(day), self.on(last), strict=True)))
        # edges that begin and end alike are one
        moved = {pair: index for index, pair in pairs if pair[0] != pair[1]}
        self.moved = tuple([(index, *pair) for pair, index in moved.items()])
        """Number, first and last place of each edge that moves at all."""
        self.standing = frozenset(pair[0] for _, pair in pairs if pair[0] == pair[1] and day <= pair[0] <= last)
        """Places ahead of the date of those that stand still."""

    def on(self, day: int) -> tuple[int, ...]:
        """Where every edge stands on a day."""
        known = self._known.get(day)
        if known is None:
            found: list[int] = [day]
            for when in self._whens:
                win = window(when, self._anchors[day], self._half_life)
                found += [win.l1, win.l2, win.u1, win.u2, win.a1, win.a2]
                found += [length.back(min(edge, FOREVER_DAY)) for length in self._lengths for edge in (win.u1, win.u2)]
            found += [length.back(day) for length in self._lengths]
            known = self._known[day] = tuple(found)
        return known

    def first(self, index: int, target: int) -> int:
        """The first day after the date on which an edge has reached a day; it has by the last."""
        known = self._firsts.get((index, target))
        if known is None:
            # an edge moves a day a day, but for the lengths of months: look where it should be, and step from there
            known = min(self._day + target - self.on(self._day)[index], self._last)
            while self.on(known)[index] < target:
                known += 1
            while known - 1 > self._day and self.on(known - 1)[index] >= target:
                known -= 1
            self._firsts[index, target] = known
        return known
