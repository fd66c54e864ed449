"""What goes with a finding: what would settle it, how near the limit is, and when it changes (MEANING 8)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from ..model.criteria import AgeAtom
from ..model.finding import ChangesOn, CriterionResult
from ..model.limits import ExtremeDuration
from ..model.time import FOREVER_DAY, MINUTES, NEVER_DAY, Duration, add_months, day_of
from .edges import AnchorsByDay, Edges
from .margins import Margins
from .needs import tests_of
from .plan import Leaf, Plan, PlanCriterion
from .record import Fact, Record
from .reference import PASSES, Evaluation, criterion_truth, names
from .settings import Settings
from .windows import When_, window

MONTHS_AHEAD = 24


class Outlook(Margins):
    """Completes criterion results of one screening."""

    def __init__(self, record: Record, plan: Plan, settings: Settings, evaluation: Evaluation) -> None:
        super().__init__(record, plan, settings, evaluation)
        self.last = add_months(self.day, MONTHS_AHEAD)
        self._later: dict[int, Evaluation] = {self.day: evaluation}
        self._days: dict[int, tuple[int, ...]] = {}
        self._anchors = AnchorsByDay(plan, settings)
        self._edges: dict[Any, Edges] = {}
        self._aheads: dict[tuple[When_, int], tuple[bool, ...]] = {}

    def complete(self, result: CriterionResult, criterion: PlanCriterion) -> CriterionResult:
        """The result with settled_by, margin and changes_on."""
        if criterion.when is None:
            return result
        needs = self.needs(criterion) if result.effect == "open" else ()
        margin = self.margin(result, criterion)
        changes = self.changes(result, criterion)
        if not needs and margin is None and changes is None:
            return result
        return replace(result, settled_by=needs, margin=margin, changes_on=changes)

    # -- when it changes -----------------------------------------------------------------------

    def changes(self, result: CriterionResult, criterion: PlanCriterion) -> ChangesOn | None:
        """The first later day, nothing new being recorded, on which the effect is another."""
        leaves = [self.plan.leaves[index] for index in criterion.leaves]
        days: set[int] = set(self._attestation_days(criterion))
        for leaf in leaves:
            days.update(self._leaf_days(leaf))
        for day in sorted(days):
            if not self.day < day <= self.last:
                continue
            later = self._on(day)
            for leaf in leaves:
                if leaf.index not in later.leaf_answers:
                    self._hold(leaf, later, criterion)
            effect = PASSES[criterion.kind, criterion_truth(later, criterion)]
            if effect != result.effect:
                return ChangesOn(day, effect)
        return None

    def _hold(self, leaf: Leaf, later: Evaluation, criterion: PlanCriterion) -> None:
        """Give a leaf on a day its answer of the last day on which it could change, if it has not moved since.

        The days a criterion is asked on are those of all its leaves; most leaves stand still on most of them.
        """
        moving = self._moving(leaf)
        if moving is None:
            return
        own = self._leaf_days(leaf)
        at = bisect_right(own, later.day)
        day = own[at - 1] if at else self.day
        # windows that lie partly ahead may, by the calendar, begin before the date on one day and after it on another
        if day != later.day and all(self._ahead(when, day) == self._ahead(when, later.day) for when in moving):
            later.leaf_answers[leaf.index] = self._on(day).answer(leaf, criterion)

    def _moving(self, leaf: Leaf) -> tuple[When_, ...] | None:
        """Words of time that a steady leaf is held against and that may lie ahead of the date; None where the leaf's own days
        (:meth:`_leaf_days`) are not all it depends on: other facts, the day's dose or weight, lengths cut by a window.
        """
        if leaf.kind != "fact" or leaf.choice == "unchanged":
            return None
        key = ("moving", leaf)
        if key not in self.plan.shared:
            selectors, tests, whens = leaf.selectors, list(tests_of(leaf)), self._whens(leaf)
            cut = any(when.word in ("within", "ago") for when in whens)
            ahead = [when for when in whens if when.anchor is not None and (when.anchor != "screening" or when.direction != "back")]
            steady = not (
                any(one.around is not None or one.while_ is not None or one.question is not None for one in selectors)
                or any(test.ended is not None or test.dose is not None or (cut and test.lasting is not None) for test in tests)
                or any(when.per_drug for when in ahead)
            )
            self.plan.shared[key] = tuple(ahead) if steady else None
        found: tuple[When_, ...] | None = self.plan.shared[key]
        # where visits are dated, or the record was written after the date, every leaf is asked anew on every day
        return None if self.settings.anchors or self.record.written > self.day else found

    def _ahead(self, when: When_, day: int) -> tuple[bool, ...]:
        """Where the date lies among the ends of a window on a day."""
        known = self._aheads.get((when, day))
        if known is None:
            win = window(when, self._anchors[day])
            ends = (win.l1, win.l2, win.u1, win.u2, win.a1, win.a2)
            known = self._aheads[when, day] = tuple([end > day for end in ends] + [end < day for end in ends])
        return known

    def _on(self, day: int) -> Evaluation:
        if day not in self._later:
            now = self.now
            later = Evaluation(self.record, self.settings, self.plan.schedule, self.plan.horizon, now.trial, day)
            later.selecting.settled = now.selecting.settled
            self._later[day] = later
        return self._later[day]

    def _attestation_days(self, criterion: PlanCriterion) -> Iterator[int]:
        for one in self.settings.attestations:
            if not names(one, criterion) or one.trial != self.plan.trial.id or one.patient != self.record.patient.id:
                continue
            start = day_of(one.date)
            yield start
            question = next((q for q in criterion.questions if q.number == one.leaf), None)
            if one.until is not None:
                yield day_of(one.until) + 1
            elif question is not None and question.valid_for is not None:
                yield question.valid_for.on(start) + 1

    def _leaf_days(self, leaf: Leaf) -> tuple[int, ...]:
        known = self._days.get(leaf.index)
        if known is None:
            known = self._days[leaf.index] = tuple(sorted(self._days_of(leaf)))
        return known

    def _days_of(self, leaf: Leaf) -> set[int]:
        """Days on which some boundary of a fact is crossed by some edge that moves with the date."""
        if leaf.kind == "age":
            return self._age_days(leaf)
        if leaf.selector is None:
            return set()
        quiet = self.now.quiet
        if not (self.record.absences or self.settings.anchors) and quiet and leaf.index in quiet.leaves and len(leaf.selectors) == 1:
            return set()  # nothing to cross
        lengths = self._lengths(leaf)
        boundaries: set[int] = set()
        drugs: list[Fact | None] = [None]
        for fact in self._facts_of(leaf):
            e_lo, e_hi = fact.e_lo, fact.e_hi
            own = {fact.s_lo // MINUTES, fact.s_hi // MINUTES}
            if not fact.ongoing:
                own |= {e_lo // MINUTES, e_hi // MINUTES}
            elif e_lo // MINUTES > self.day:
                own.add(e_lo // MINUTES)  # written after the date: until then it surely goes on
            own = {day for day in own if NEVER_DAY < day < FOREVER_DAY}
            boundaries |= own | {length.back(day) for day in own for length in lengths}
            if leaf.selector.when is not None and leaf.selector.when.per_drug:
                drugs.append(fact)
        for absence in self.record.absences:
            if absence.family in leaf.selector.families or leaf.kind == "dose":
                boundaries |= {absence.start, absence.end, absence.end + 1}
        if self.record.absences and self.record.birth > NEVER_DAY:
            boundaries.add(self.record.birth)
        days: set[int] = set()
        for drug in drugs:
            days |= self._crossings(leaf, boundaries, lengths, drug)
        return days

    def _facts_of(self, leaf: Leaf) -> list[Fact]:
        if leaf.kind == "dose":
            return [fact for fact in self.record.facts if fact.family == "medication"]
        found: dict[int, Fact] = {}
        for selector in leaf.selectors:
            for concept in selector.concepts:
                for fact, _ in self.record.by_concept.get(concept, ()):
                    found[fact.order] = fact
                if leaf.question is not None:
                    for fact, _ in self.record.plans_by_concept.get(concept, ()):
                        found[fact.order] = fact
                if self.record.unclear:
                    may, presumed = self.record.may_be(concept, selector.unclear_families)
                    found |= {fact.order: fact for fact in (*may, *presumed)}
        if leaf.derived is not None:
            for fact in self.record.facts:
                if fact.family == "observation":
                    found[fact.order] = fact
        return list(found.values())

    def _crossings(self, leaf: Leaf, boundaries: set[int], lengths: tuple[Duration, ...], drug: Fact | None) -> set[int]:
        if not boundaries and not self.settings.anchors:
            return set()
        whens = self._whens(leaf)
        targets = boundaries | {boundary + 1 for boundary in boundaries}
        if not lengths and all(when.word in ("ever", "now") for when in whens):
            return {target for target in targets if self.day < target <= self.last}  # the only edge is the date itself
        half_life = self.now.selecting.half_life(drug)
        # leaves with the same words of time share their edges
        key = (tuple([id(when) for when in whens]), lengths, half_life)
        edges = self._edges.get(key)
        if edges is None:
            edges = self._edges[key] = Edges(self._anchors, whens, lengths, half_life, self.day, self.last)
        # the windows of a dated visit stand still, and the date comes up to them
        targets |= {at + more for at in edges.standing for more in (0, 1)}
        return {edges.first(index, target) for index, before, after in edges.moved for target in targets if before < target <= after}

    def _first(self, reached: Callable[[int], bool]) -> int:
        low, high = self.day, self.last
        while high - low > 1:
            middle = (low + high) // 2
            if reached(middle):
                high = middle
            else:
                low = middle
        return high

    def _lengths(self, leaf: Leaf) -> tuple[Duration, ...]:
        """The lengths that a leaf holds spans against."""
        key = ("lengths", leaf)
        known: tuple[Duration, ...] | None = self.plan.shared.get(key)
        if known is None:
            known = self.plan.shared[key] = tuple(_durations(leaf))
        return known

    def _age_days(self, leaf: Leaf) -> set[int]:
        atom = leaf.node
        assert isinstance(atom, AgeAtom)
        name = atom.at or "screening"
        days: set[int] = set()
        for how, length in atom.age.bounds():
            if isinstance(length, ExtremeDuration):
                continue
            needed = length if how in ("at_least", "below") else Duration(length.count + 1, length.unit)
            for birth in {day for pair in self.record.births for day in pair}:
                for end in ("first", "last"):
                    reached = partial(self._aged, name, end, needed, birth)
                    if not reached(self.day) and reached(self.last):
                        days.add(self._first(reached))
        return days

    def _aged(self, visit: str, end: str, needed: Duration, birth: int, day: int) -> bool:
        """Whether an age is reached at one end of a visit's days, seen from a day."""
        anchor = self._anchors[day][visit]
        return needed.back(anchor.first if end == "first" else anchor.last) >= birth


def _durations(leaf: Leaf) -> Iterator[Duration]:
    """Lengths that spans are held against."""
    for test in tests_of(leaf):
        if test.lasting is not None:
            for _, length in test.lasting.bounds():
                yield from (part for part in (length.of if isinstance(length, ExtremeDuration) else (length,)) if part.unit != "half-life")
