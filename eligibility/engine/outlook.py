"""What goes with a finding: what would settle it, how near the limit is, and when it changes (MEANING 8)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from math import isfinite
from typing import Any

from ..model.criteria import AgeAtom, Count, Test
from ..model.finding import ChangesOn, CriterionResult, Margin, Need, Reason
from ..model.limits import ClassName, Extreme, ExtremeDuration, Measure, NotGiven, TimesLimit, Titre
from ..model.patient import Family, Observation
from ..model.quantity import Interval, nine
from ..model.time import FOREVER_DAY, MINUTES, NEVER_DAY, Duration, add_months, day_of
from ..model.truth import FALSE, NOT, TRUE, UNKNOWN, Truth
from .derived import FORMULAS
from .edges import AnchorsByDay, Edges
from .plan import Leaf, Plan, PlanCriterion, PlanNode
from .reasons import LeafAnswer
from .record import Fact, Record
from .reference import PASSES, Evaluation, criterion_truth, names
from .settings import Settings
from .values import read_value
from .windows import When_, Window, compile_time, window

MONTHS_AHEAD = 24


class Outlook:
    """Completes criterion results of one screening."""

    def __init__(self, record: Record, plan: Plan, settings: Settings, evaluation: Evaluation) -> None:
        self.record = record
        self.plan = plan
        self.settings = settings
        self.now = evaluation
        self.day = settings.as_of
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

    # -- what would settle it ------------------------------------------------------------------

    def needs(self, criterion: PlanCriterion) -> tuple[tuple[Need, ...], ...]:
        """All needed; each a tuple of alternatives."""
        bad = Truth.PRESUMED_FALSE if criterion.kind == "inclusion" else Truth.PRESUMED_TRUE
        return tuple(
            _each_once([self._node_needs(node, bad if wanted else NOT[bad], criterion) for node, wanted in self._parts(criterion)])
        )

    @staticmethod
    def _parts(criterion: PlanCriterion) -> Iterator[tuple[PlanNode, bool]]:
        """The statements of a criterion, each with whether it stands upright in the criterion's truth."""
        gate_upright = criterion.kind == "exclusion"
        if criterion.applies_when is not None:
            yield criterion.applies_when, gate_upright
        if criterion.unless is not None:
            yield criterion.unless, not gate_upright
        if criterion.when is not None:
            yield criterion.when, True

    def _node_needs(self, node: PlanNode, bad: Truth, criterion: PlanCriterion) -> list[tuple[Need, ...]]:
        truth = self.now.truth(node, criterion)
        if truth in (TRUE, FALSE) or truth == NOT[bad]:
            return []
        if node.leaf is not None:
            found: list[tuple[Need, ...]] = []
            for need in self._leaf_needs(node.leaf, bad, criterion):
                # two results wanted of one leaf are two needs; anything else is told once
                if need not in found or (len(need) == 1 and need[0].do == "record" and not need[0].absence):
                    found.append(need)
            return found
        below = NOT[bad] if node.op in ("none_of", "at_most") else bad
        if node.op == "readings" and any(reason.code == "two_readings" for reason in self.now.find(node, criterion).reasons):
            return [(Need("none", "the source", attribute="two_readings"),)]
        return _each_once([self._node_needs(operand, below, criterion) for operand in node.operands])

    def _leaf_needs(self, leaf: Leaf, bad: Truth, criterion: PlanCriterion) -> list[tuple[Need, ...]]:
        match leaf.kind:
            case "ask":
                return [(Need("attest", leaf.name),)]
            case "not_published":
                return [(Need("none", leaf.name, attribute="not_published"),)]
            case "age" | "sex" | "site":
                return [self._person_need(reason) for reason in self.now.find(_as_node(leaf), criterion).reasons]
        answer = self.now.answer(leaf, criterion)
        if leaf.question is not None:
            return [(Need("attest", leaf.asks),)]
        needs = self._told_needs(leaf, answer, bad) + self._presumed_needs(answer)
        return needs if leaf.derived is None else _of_inputs(needs, leaf)

    def _presumed_needs(self, answer: LeafAnswer) -> list[tuple[Need, ...]]:
        """Entries only presumed to be something else, where that presumption is what is left open."""
        family = self._family(answer.leaf)
        return [(Need("map", answer.leaf.name, family, "code", fact.source),) for fact in answer.presumed_not]

    def _told_needs(self, leaf: Leaf, answer: LeafAnswer, bad: Truth) -> list[tuple[Need, ...]]:
        if any(reason.code == "not_published" for reason in answer.reasons):
            return [(Need("none", leaf.name, attribute="not_published"),)]
        if leaf.kind == "dose" or leaf.choice == "unchanged":
            return self._of_entries(answer) + self._silence_needs(answer, bad, 0)
        if leaf.choice in ("latest", "earliest") or (leaf.choice in ("rise", "fall") and leaf.test.pair == "first-to-last"):
            return self._chosen_needs(answer) + self._related_needs(leaf)
        missing = 0
        if leaf.selector is not None and leaf.selector.family == "observation":
            recorded = [candidate for candidate in answer.candidates if candidate.recorded]
            missing = max(leaf.results - len(recorded), 0)
        return self._of_entries(answer) + self._silence_needs(answer, bad, missing) + self._related_needs(leaf)

    def _related_needs(self, leaf: Leaf) -> list[tuple[Need, ...]]:
        """Other facts the leaf's facts are held against: silence about them has to be told too."""
        needs: list[tuple[Need, ...]] = []
        for selector in leaf.selectors:
            for other in (selector.while_, selector.around):
                if other is None or self.now.selecting.stated(other, (self.record.birth, self.day)):
                    continue
                for concept in other.concepts:
                    needs.append((Need("record", concept, other.family, start=self.record.birth, end=self.day, absence=True),))
        return needs

    @staticmethod
    def _person_need(reason: Reason) -> tuple[Need, ...]:
        if reason.code == "future":
            return (Need("wait", reason.item),)
        return (
            Need("record", reason.item)
            if reason.code == "not_recorded"
            else Need("refine", reason.item, attribute=reason.detail or "value"),
        )

    def _of_entries(self, answer: LeafAnswer) -> list[tuple[Need, ...]]:
        """What of the entries that keep it open would have to be told, one need an attribute."""
        needs: list[tuple[Need, ...]] = []
        for reason in answer.reasons:
            need = self._entry_need(answer, reason)
            if need is not None:
                needs.append((need,))
        return needs

    def _undated(self, answer: LeafAnswer) -> str | None:
        """The visit without one day that an answer waits for: its window's, or one that its tests name."""
        assert answer.window is not None
        own = answer.window.names[:1]
        within = (when.anchor for when in self._whens(answer.leaf) if when.anchor is not None and when.anchor != "screening")
        return next((name for name in (*own, *within) if not self.now.anchors[name].dated), next(iter(own), None))

    def _entry_need(self, answer: LeafAnswer, reason: Reason) -> Need | None:
        family = self._family(answer.leaf)
        match reason.code:
            case "not_understood":
                return Need("map", reason.item, family, "code", reason.source)
            case "needs_judgement":
                return Need("attest", reason.detail or reason.item)
            case "future":
                assert answer.window is not None
                anchor = self._undated(answer)
                return Need("anchor", anchor) if anchor is not None else Need("wait", reason.item, family, start=answer.window.l1)
            case "out_of_window":
                return None
            case "not_recorded" if reason.detail == "input":
                return Need("record", reason.item, "observation", start=self._from(answer), end=self.day)
            case "no_reference_range" if reason.detail == "input":
                return Need("record", reason.item, "observation", start=self.record.birth, end=self.day)
            case "not_recorded" if reason.detail in ("event", "course"):
                return None  # told by _related_needs and _silence_needs
            case "not_recorded" if reason.source is None and not reason.detail:
                return None
        if reason.source is None and not reason.detail:
            return None
        return Need("refine", reason.item, family, reason.detail or "value", reason.source)

    def _silence_needs(self, answer: LeafAnswer, bad: Truth, missing: int) -> list[tuple[Need, ...]]:
        """What silence leaves to be said: results, the event itself, or that there is none."""
        leaf, win = answer.leaf, answer.window
        selector = leaf.selector
        assert selector is not None
        assert win is not None
        family: Family | None = "medication" if leaf.kind == "dose" else selector.family
        first, last = self._span(win)
        results: list[tuple[Need, ...]] = [(Need("record", leaf.name, family, start=first, end=last),)] * missing
        if leaf.documented and family in self.record.listed:
            return []  # silence in a list that lives is its answer
        if answer.stated:
            return results if leaf.choice in ("rise", "fall") else []
        ahead = (Need("anchor", win.names[0]) if win.names else Need("wait", leaf.name, family, start=win.l1),)
        if first > last:
            return [ahead]
        settles = self._silent_side(leaf) != bad and self.settings.absence != "unknown" and not leaf.never_presumed
        if win.u2 > self.day and not settles:
            return [ahead]  # what comes after the date is unseen, and here silence about it settles nothing
        # absence has to cover the window of every day the anchor may be
        since = max(win.l1, self.record.birth) if win.l1 > NEVER_DAY else self.record.birth
        absence = Need("record", leaf.name, family, start=since, end=min(win.u2, self.day), absence=True)
        if family == "observation":
            if leaf.choice not in ("rise", "fall") and not settles:
                results = []
            return results if settles else [*results, (absence,)]
        if settles and family in self.record.live:
            return []
        plain = not (selector.where or selector.excepts or selector.while_ or selector.around or leaf.test) and leaf.choice == "any"
        return [(Need("record", leaf.name, family, start=first, end=last), absence) if plain else (absence,)]

    @staticmethod
    def _silent_side(leaf: Leaf) -> Truth:
        """The presumed value silence gives this leaf."""
        negative = leaf.choice in ("every", "unchanged") or (isinstance(leaf.test, Count) and leaf.test.at_most is not None)
        if leaf.kind == "dose" and isinstance(leaf.test, Test):
            negative = all(how in ("at_most", "below") for how, _ in leaf.test.bounds())
        return Truth.PRESUMED_TRUE if negative else Truth.PRESUMED_FALSE

    def _chosen_needs(self, answer: LeafAnswer) -> list[tuple[Need, ...]]:
        """A newer result, or everything about each one that may be the one chosen."""
        leaf, win = answer.leaf, answer.window
        assert win is not None
        family = self._family(leaf)
        first, last = self._span(win)
        own = self._of_entries(answer)
        if first > last:
            return own or [(Need("anchor", win.names[0]) if win.names else Need("wait", leaf.name, family, start=win.l1),)]
        rivals = [*(candidate.fact for candidate in answer.candidates), *answer.unclear]
        if leaf.choice == "earliest":
            edge = min((fact.s_lo // MINUTES for fact in rivals), default=FOREVER_DAY) - 1
            new = Need("record", leaf.name, family, start=first, end=min(edge, last)) if min(edge, last) >= first else None
        else:
            edge = max((min(fact.s_hi // MINUTES, self.day) for fact in rivals), default=NEVER_DAY) + 1
            new = Need("record", leaf.name, family, start=max(first, edge), end=last) if max(first, edge) <= last else None
        if leaf.choice in ("rise", "fall"):
            new = None if own else new
        # which of several is the one chosen has to be told too, to the hour if need be
        order = [(Need("refine", leaf.name, family, "start", fact.source),) for fact in rivals] if len(rivals) > 1 else []
        told = [*own, *(need for need in order if need not in own)]
        if any(candidate.certain for candidate in answer.candidates):
            if new is not None and not told:
                return [(new,)]  # a change between results of which there is only one
            return [(*need, new) for need in told] if new is not None else told
        if new is not None:
            return [(new,), *([] if not answer.missing_inputs else own)]
        when = [(Need("refine", leaf.name, family, "start", fact.source),) for fact in rivals]
        return [*own, *(need for need in when if need not in own), (Need("record", leaf.name, family, start=first, end=last),)]

    def _span(self, win: Window) -> tuple[int, int]:
        """The days, up to the date, on which an event certainly lies in the window."""
        return max(win.l2, self.record.birth) if win.l2 > NEVER_DAY else self.record.birth, min(win.u1, self.day)

    def _from(self, answer: LeafAnswer) -> int:
        assert answer.window is not None
        return self._span(answer.window)[0]

    @staticmethod
    def _family(leaf: Leaf) -> Family | None:
        return leaf.selector.family if leaf.selector is not None else None

    # -- margin --------------------------------------------------------------------------------

    def margin(self, result: CriterionResult, criterion: PlanCriterion) -> Margin | None:
        """The distance of the one leaf that decides, None where several do or no number does."""
        if result.effect == "open" or result.not_applicable or criterion.when is None:
            return None
        if criterion.applies_when is not None and criterion.kind == "exclusion" and result.effect == "blocks":
            return None
        leaf = self._decider(criterion.when, criterion)
        if leaf is None:
            return None
        if leaf.kind == "age":
            return self._age_margin(leaf)
        if leaf.kind not in ("fact", "dose") or leaf.question is not None:
            return None
        return self._leaf_margin(self.now.answer(leaf, criterion))

    def _decider(self, node: PlanNode, criterion: PlanCriterion) -> Leaf | None:
        if node.leaf is not None:
            return node.leaf
        truth = self.now.truth(node, criterion)
        wanted = NOT[truth] if node.op in ("none_of", "at_most") else truth
        deciding = [operand for operand in node.operands if self.now.truth(operand, criterion) == wanted]
        if node.op in ("all_of", "any_of", "none_of", "meets") and len(deciding) == 1:
            return self._decider(deciding[0], criterion)
        return None

    def _age_margin(self, leaf: Leaf) -> Margin | None:
        atom = leaf.node
        assert isinstance(atom, AgeAtom)
        births = self.record.births
        if len(births) != 1 or births[0][0] != births[0][1]:
            return None
        anchor = self.now.anchors[atom.at or "screening"]
        finding = self.now.find(_as_node(leaf))
        distances = []
        for how, length in atom.age.bounds():
            if isinstance(length, ExtremeDuration):
                return None
            needed = length if how in ("at_least", "below") else Duration(length.count + 1, length.unit)
            distances.append(abs(needed.back(anchor.first) - births[0][0]))
        return Margin(float(min(distances)), "day", finding.truth is TRUE)

    def _leaf_margin(self, answer: LeafAnswer) -> Margin | None:
        leaf, truth = answer.leaf, answer.truth
        if truth is UNKNOWN:
            return None
        inside = truth in (TRUE, Truth.PRESUMED_TRUE)
        if answer.dose is not None:
            return self._dose_margin(answer, inside)
        if isinstance(leaf.test, Count):
            return self._count_margin(answer, inside)
        if isinstance(leaf.test, Test) and leaf.test.asks_value and answer.deciding:
            return self._value_margin(answer, inside)
        if leaf.test is None and answer.window is not None and answer.window.bounded:
            return self._date_margin(answer, inside)
        return None

    def _value_margin(self, answer: LeafAnswer, inside: bool) -> Margin | None:
        nearest: Margin | None = None
        for fact in answer.deciding:
            value = self.now.selecting._score_part(fact, answer.leaf) or read_value(fact, self.record.vocabulary)
            for how, limit in answer.leaf.test.bounds():
                margin = self._distance(fact, value, how, limit, inside)
                if margin is None:
                    continue
                if nearest is None or margin.amount < nearest.amount:
                    nearest = margin
        return nearest

    def _distance(self, fact: Fact, value: Any, how: str, limit: Any, inside: bool) -> Margin | None:
        number, scale = value.number, 1.0
        unit: str | None = None
        edge: Interval | None = None
        match limit:
            case Measure(value=written):
                unit = limit.unit
                edge = self.now.selecting.tests.convert(fact, limit)
                if edge is not None and written and edge.lo:
                    scale = written / edge.lo
            case Titre(dilution=dilution):
                edge = Interval.exactly(dilution)
            case TimesLimit():
                entry = fact.entry
                end = entry.range.high if isinstance(entry, Observation) and entry.range is not None and limit.side == "ULN" else None
                if isinstance(entry, Observation) and entry.range is not None and limit.side == "LLN":
                    end = entry.range.low
                edge = Interval.exactly(nine(end * limit.factor)) if end is not None else None
                number, unit = value.raw, value.raw_unit
            case ClassName() | NotGiven() | Extreme():
                return None
            case _:
                edge = self.now.selecting.tests.convert(fact, limit)
                unit = self.record.vocabulary.concepts[fact.concept].unit
        if edge is None or number is None:
            return None
        near = number.lo if how in ("at_least", "above") else number.hi
        if not inside:
            near = number.hi if how in ("at_least", "above") else number.lo
        return Margin(nine(abs(near - edge.lo) * scale), unit or "1", inside) if isfinite(near) else None

    def _dose_margin(self, answer: LeafAnswer, inside: bool) -> Margin | None:
        assert answer.dose is not None
        if not answer.dose.total.exact or not isinstance(answer.leaf.test, Test):
            return None
        distances = [abs(answer.dose.total.lo - limit.value) for _, limit in answer.leaf.test.bounds() if isinstance(limit, Measure)]
        return Margin(nine(min(distances)), "mg/day", inside) if distances else None

    @staticmethod
    def _count_margin(answer: LeafAnswer, inside: bool) -> Margin | None:
        test = answer.leaf.test
        limit = test.at_least if test.at_least is not None else test.at_most
        matches = [candidate for candidate in answer.candidates if candidate.certain and candidate.answer[0] is True]
        return Margin(float(abs(len(matches) - (limit or 0))), "count", inside) if not answer.leaf.entries else None

    def _date_margin(self, answer: LeafAnswer, inside: bool) -> Margin | None:
        win = answer.window
        assert win is not None
        if win.a1 != win.a2:
            return None
        distances = []
        for fact in answer.deciding if inside else answer.outside:
            if not fact.certain:
                continue
            first, last = fact.days()
            end = self.now.selecting.ends(fact)[1] // MINUTES
            if first != last:
                continue
            if inside and win.l1 > NEVER_DAY and end < FOREVER_DAY:
                distances.append(max(end - win.l1, 0))
            elif not inside and end < win.l1:
                distances.append(win.l1 - end)
            elif not inside and first > win.u2:
                distances.append(first - win.u2)
        return Margin(float(min(distances)), "day", inside) if distances else None

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
            selectors, tests, whens = leaf.selectors, list(_tests(leaf)), self._whens(leaf)
            cut = any(when.word in ("within", "ago") for when in whens)
            ahead = [when for when in whens if when.anchor is not None and (when.anchor != "screening" or when.direction != "back")]
            steady = not (
                any(one.around is not None or one.while_ is not None or one.question is not None for one in selectors)
                or any(test.ended is not None or test.dose is not None or (cut and test.lasting is not None) for test in tests)
                or any(when.per_drug for when in ahead)
            )
            self.plan.shared[key] = tuple(ahead) if steady else None
        found: tuple[When_, ...] | None = self.plan.shared[key]
        # given anchors stand still, and what was written after the date goes on past it: neither is among the days
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
        if not self.record.absences and self.now.quiet is not None and leaf.index in self.now.quiet.leaves and len(leaf.selectors) == 1:
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
        if not boundaries:
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

    def _whens(self, leaf: Leaf) -> tuple[When_, ...]:
        """The words of time whose windows a leaf compares dates with."""
        key = ("whens", leaf)
        known: tuple[When_, ...] | None = self.plan.shared.get(key)
        if known is None:
            found: list[When_ | None] = [one.when for one in leaf.selectors if one.around is None]
            for test in _tests(leaf):
                found += [compile_time(words) for words in (test.started, test.ended) if words is not None]
            known = self.plan.shared[key] = tuple([when for when in found if when is not None])
        return known

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


def _each_once(parts: Sequence[list[tuple[Need, ...]]]) -> list[tuple[Need, ...]]:
    """The needs of several parts: the same need of two of them is one; twice of one is two results."""
    if len(parts) == 1:
        return parts[0]
    found: list[tuple[Need, ...]] = []
    known: set[tuple[Need, ...]] = set()
    for part in parts:
        found += [need for need in part if need not in known]
        known.update(part)
    return found


def _of_inputs(needs: list[tuple[Need, ...]], leaf: Leaf) -> list[tuple[Need, ...]]:
    """A computed value is never recorded: its inputs are."""
    derived = leaf.derived
    assert derived is not None
    inputs = [part.observation for part in derived.ratio or ()] or [name for name, _ in FORMULAS[derived.formula or ""].inputs]
    told: list[tuple[Need, ...]] = []
    for need in needs:
        kept = tuple(one for one in need if not (one.do == "record" and one.item == leaf.name and not one.absence))
        if kept:
            told.append(kept)
            continue
        told += [(replace(need[0], item=name),) for name in dict.fromkeys(inputs)]
    days: dict[tuple[str, ...], tuple[Need, ...]] = {}
    for need in told:
        days.setdefault(tuple(f"{one.do} {one.item} {one.attribute} {one.source}" for one in need), need)
    return list(days.values())


def _as_node(leaf: Leaf) -> PlanNode:
    return PlanNode("leaf", leaf.node, leaf=leaf)


def _tests(leaf: Leaf) -> Iterator[Test]:
    for selector in leaf.selectors:
        if selector.where is not None:
            yield from _inside(selector.where)
    if isinstance(leaf.test, Test):
        yield from _inside(leaf.test)


def _inside(test: Test) -> Iterator[Test]:
    yield test
    for inner in (*(test.all_of or ()), *(test.any_of or ()), *(test.none_of or ())):
        yield from _inside(inner)


def _durations(leaf: Leaf) -> Iterator[Duration]:
    """Lengths that spans are held against."""
    for test in _tests(leaf):
        if test.lasting is not None:
            for _, length in test.lasting.bounds():
                yield from (part for part in (length.of if isinstance(length, ExtremeDuration) else (length,)) if part.unit != "half-life")
