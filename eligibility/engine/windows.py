"""When: anchors as intervals of days, windows that move with them, and where a fact lies (MEANING 3).

All in day numbers. An anchor A falls on a day of [A1, A2]; a window is [l(A), u(A)], and neither end
ever falls as A grows, so the two ends of the anchor decide for all days between.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from ..errors import UsageError
from ..model.criteria import Selection, TimeWords
from ..model.finding import Assumption
from ..model.limits import DurationLimit, ExtremeDuration
from ..model.site import Site
from ..model.time import FOREVER_DAY, NEVER_DAY, Duration, When, date_of
from ..model.trial import Visit

Direction = Literal["back", "on"]


@dataclass(frozen=True, slots=True)
class Anchor:
    """An anchor's days and what was taken for granted about them."""

    name: str
    first: int
    last: int
    assumes: tuple[Assumption, ...] = ()

    @property
    def dated(self) -> bool:
        """Whether it is one day."""
        return self.first == self.last


class Anchors:
    """The anchors of a trial for a patient on a day, resolved by name and remembered."""

    def __init__(
        self, day: int, schedule: Mapping[str, Visit], given: Mapping[str, When], horizon: Duration, site: Site | None, trial: str
    ) -> None:
        self.day = day
        self.schedule = schedule
        self.given = given
        self.horizon = Duration.parse(site.horizon) if site is not None and site.horizon else horizon
        self.site = site
        self.trial = trial
        self._known: dict[str, Anchor] = {}

    def visit(self, name: str) -> Visit | None:
        """The visit as the site replaces it, else as the trial has it."""
        if self.site is not None:
            replaced = self.site.visits.get(f"{self.trial}:{name}") or self.site.visits.get(name)
            if replaced is not None:
                return replaced
        return self.schedule.get(name)

    def __getitem__(self, name: str) -> Anchor:
        if name not in self._known:
            self._known[name] = self._resolve(name, ())
        return self._known[name]

    def _resolve(self, name: str, seen: tuple[str, ...]) -> Anchor:
        if name in seen:
            raise UsageError(f"the schedule goes in a circle: {' after '.join([*seen, name])}")
        if (when := self.given.get(name)) is not None:
            first, last = when.days()
            return Anchor(name, first, last)
        if name == "screening":
            return Anchor(name, self.day, self.day)
        visit = self.visit(name)
        offset = visit.offset() if visit is not None else None
        if offset is not None:
            least, most, base = offset
            after = self._resolve(base, (*seen, name))
            first, last = least.on(after.first), most.on(after.last)
            assumed = Assumption("scheduled", name, start=first, end=last)
            return Anchor(name, first, last, (*after.assumes, assumed))
        if name == "consent":
            return Anchor(name, self.day, self.day)
        first, last = self._after_what_is_dated(name)
        return Anchor(name, first, last, (Assumption("horizon", name, start=first, end=last),))

    def _after_what_is_dated(self, name: str) -> tuple[int, int]:
        """The days of an undated visit: from S over the horizon, and not before a dated visit it follows."""
        first, last = self.day, self.horizon.on(self.day)
        for earlier in self.schedule if name in self.schedule else ():
            if earlier == name:
                break
            if (when := self.given.get(earlier)) is not None:
                begins, ends = when.days()
                first = max(first, begins)
                last = max(last, self.horizon.on(ends)) if ends > last else last
        return first, last

    def check_order(self) -> None:
        """Raise ``UsageError`` where anchors were given out of the order of the trial's schedule."""
        previous: tuple[str, int] | None = None
        for name in self.schedule:
            when = self.given.get(name)
            if when is None and name != "screening":
                continue
            first, last = when.days() if when is not None else (self.day, self.day)
            if previous is not None and last < previous[1]:
                raise UsageError(
                    f"the anchor {name} ({date_of(last).isoformat()}) lies before {previous[0]} "
                    f"({date_of(previous[1]).isoformat()}), against the order of {self.trial}'s schedule"
                )
            previous = (name, first)


@dataclass(slots=True)
class Window:
    """A window [l(A), u(A)] for an anchor in [A1, A2]: its four ends, as day numbers.

    ``l1`` and ``u1`` belong to A1, ``l2`` and ``u2`` to A2. Where the window's length depends on the
    fact (half-lives), ``long`` holds the words and the ends are worked out per fact.
    """

    l1: int
    l2: int
    u1: int
    u2: int
    a1: int
    a2: int
    assumes: tuple[Assumption, ...] = ()
    bounded: bool = True
    names: tuple[str, ...] = ()
    cuts: bool = False  # whether lengths count inside it alone: within and ago

    def holds(self, lo: int, hi: int, e_lo: int, e_hi: int) -> tuple[bool, bool]:
        """(possible, certain) for an event that begins in [lo, hi] and ends in [e_lo, e_hi]."""
        possible = lo <= self.u2 and e_hi >= self.l1
        certain = hi <= self.u1 and max(e_lo, lo) >= self.l2
        return possible, certain and possible


@dataclass(frozen=True, slots=True)
class When_:
    """The compiled words of time of an atom: what :func:`window` works from."""

    word: Literal["ever", "now", "at", "within", "ago", "side"]
    anchor: str | None
    direction: Direction
    visit: str | None = None
    lengths: tuple[tuple[str, DurationLimit], ...] = ()
    selection: Selection | None = None
    per_drug: bool = False


def compile_time(words: TimeWords) -> When_ | None:
    """The words of time of an atom, or None where it says none (inside a selection)."""
    anchor: Any = words.before if words.before is not None else words.after
    direction: Direction = "on" if words.after is not None else "back"
    selection = anchor if isinstance(anchor, Selection) else None
    name = anchor if isinstance(anchor, str) else "screening" if anchor is None else None
    if words.ever:
        return When_("ever", None, "back")
    if words.now:
        return When_("now", None, "back")
    if words.at is not None:
        return When_("at", words.at, "back", visit=words.at)
    if words.within is not None:
        lengths: tuple[tuple[str, DurationLimit], ...] = (("at_most", words.within),)
        return When_("within", name, direction, lengths=lengths, selection=selection, per_drug=_per_drug(lengths))
    if words.ago is not None:
        lengths = tuple(words.ago.bounds())
        return When_("ago", name, direction, lengths=lengths, selection=selection, per_drug=_per_drug(lengths))
    if anchor is not None:
        return When_("side", name, direction, selection=selection)
    return None


def _per_drug(lengths: tuple[tuple[str, DurationLimit], ...]) -> bool:
    durations = [part for _, length in lengths for part in (length.of if isinstance(length, ExtremeDuration) else (length,))]
    return any(part.unit == "half-life" for part in durations)


def window(when: When_, anchors: Anchors, half_life: tuple[float, float] | None = None) -> Window:
    """The window of the words of time around named anchors.

    ``half_life`` is the drug's, in days, low and high; None where unknown: then a length in
    half-lives may be anything from nothing to for ever.
    """
    day = anchors.day
    if when.word == "ever":
        return Window(NEVER_DAY, NEVER_DAY, day, day, day, day, bounded=False)
    if when.word == "now":
        return Window(day, day, day, day, day, day)
    assert when.anchor is not None
    anchor = anchors[when.anchor]
    a1, a2 = anchor.first, anchor.last
    if when.word == "at":
        visit = anchors.visit(when.anchor)
        back = visit.looks_back if visit is not None else None
        assumes = anchor.assumes
        if visit is not None and visit.basis == "assumed" and back is not None:
            assumes = (*assumes, Assumption("assumed_width", when.anchor))
        l1, l2 = (back.back(a1), back.back(a2)) if back is not None else (a1, a2)
        return Window(l1, l2, a1, a2, a1, a2, assumes, names=(when.anchor,))
    names = (when.anchor,) if when.anchor != "screening" else ()
    if when.word == "side":
        if when.direction == "back":
            return Window(NEVER_DAY, NEVER_DAY, a1, a2, a1, a2, anchor.assumes, bounded=False, names=names)
        return Window(a1, a2, FOREVER_DAY, FOREVER_DAY, a1, a2, anchor.assumes, names=names)
    (n1, f1), (n2, f2) = _distances(when, a1, half_life), _distances(when, a2, half_life)
    bounded = f1[0] > NEVER_DAY
    if when.direction == "back":
        return Window(f1[0], f2[1], n1[0], n2[1], a1, a2, anchor.assumes, bounded=bounded, names=names, cuts=True)
    return Window(n1[0], n2[1], f1[0], f2[1], a1, a2, anchor.assumes, names=names, cuts=True)


def _distances(when: When_, day: int, half_life: tuple[float, float] | None) -> tuple[tuple[int, int], tuple[int, int]]:
    """(nearest, farthest) day from ``day`` that the lengths allow, each as an interval (low, high)."""
    near = (day, day)
    far = (NEVER_DAY, NEVER_DAY) if when.direction == "back" else (FOREVER_DAY, FOREVER_DAY)
    one = 1 if when.direction == "back" else -1
    for how, length in when.lengths:
        at = _step(length, day, when.direction, half_life)
        match how:
            case "at_most":
                far = at
            case "below":
                far = (at[0] + one, at[1] + one)
            case "at_least":
                near = at
            case "above":
                near = (at[0] - one, at[1] - one)
    return near, far


def _step(length: DurationLimit, day: int, direction: Direction, half_life: tuple[float, float] | None) -> tuple[int, int]:
    if isinstance(length, ExtremeDuration):
        parts = [_step(part, day, direction, half_life) for part in length.of]
        farther = min if direction == "back" else max
        nearer = max if direction == "back" else min
        pick = farther if length.how == "greater_of" else nearer
        return pick(part[0] for part in parts), pick(part[1] for part in parts)
    if length.unit == "half-life":
        low, high = half_life if half_life is not None else (0.0, float("inf"))
        shortest = int(-(-(low * length.count) // 1))
        longest = FOREVER_DAY if high == float("inf") else int(-(-(high * length.count) // 1))
        if direction == "back":
            return max(day - longest, NEVER_DAY), day - shortest
        return day + shortest, min(day + longest, FOREVER_DAY)
    at = length.back(day) if direction == "back" else length.on(day)
    return at, at


def around(when: When_, starts: tuple[int, int], ends: tuple[int, int], half_life: tuple[float, float] | None = None) -> Window:
    """The window around a chosen fact, which may be any day of it: from its first day to its last."""
    (s_lo, s_hi), (e_lo, e_hi) = starts, ends
    e_lo = max(e_lo, s_lo)
    if when.word == "side":
        if when.direction == "back":
            return Window(NEVER_DAY, NEVER_DAY, e_lo, e_hi, s_lo, e_hi, bounded=False)
        return Window(s_lo, s_hi, FOREVER_DAY, FOREVER_DAY, s_lo, e_hi)
    if when.direction == "back":
        far_lo, far_hi = _distances(when, s_lo, half_life)[1][0], _distances(when, s_hi, half_life)[1][1]
        near_lo, near_hi = _distances(when, e_lo, half_life)[0][0], _distances(when, e_hi, half_life)[0][1]
        return Window(far_lo, far_hi, near_lo, near_hi, s_lo, e_hi)
    near_lo, near_hi = _distances(when, s_lo, half_life)[0][0], _distances(when, s_hi, half_life)[0][1]
    far_lo, far_hi = _distances(when, e_lo, half_life)[1][0], _distances(when, e_hi, half_life)[1][1]
    return Window(near_lo, near_hi, far_lo, far_hi, s_lo, e_hi)


def compare_lengths(limits: Any, start: tuple[int, int], end: tuple[int, int]) -> bool | None:
    """Whether the length from a day in ``start`` to a day in ``end`` meets duration limits.

    The length is counted back from the end by the calendar: at least 3 months means that the end less
    3 months is on or after the start.
    """
    answers = [_longer(how, length, start, end) for how, length in limits.bounds()]
    if any(answer is False for answer in answers):
        return False
    return None if any(answer is None for answer in answers) else True


def _longer(how: str, length: DurationLimit, start: tuple[int, int], end: tuple[int, int]) -> bool | None:
    if how in ("above", "at_most"):
        # longer than d: at least d is reached one day earlier
        reached = _reached(length, (start[0] + 1, start[1] + 1), end)
    else:
        reached = _reached(length, start, end)
    if how in ("at_least", "above"):
        return reached
    return None if reached is None else not reached


def _reached(length: DurationLimit, start: tuple[int, int], end: tuple[int, int]) -> bool | None:
    if _step(length, end[0], "back", None)[0] >= start[1]:
        return True
    if _step(length, end[1], "back", None)[1] < start[0]:
        return False
    return None


@lru_cache(maxsize=4096)
def years_before(day: int, years: int) -> int:
    """The day ``years`` years before ``day``."""
    return Duration(years, "year").back(day)
