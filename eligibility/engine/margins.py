"""How near to the limit the one leaf that decides is (MEANING 8)."""

from __future__ import annotations

from math import isfinite
from typing import Any

from ..model.criteria import AgeAtom, Count, Test
from ..model.finding import CriterionResult, Margin
from ..model.limits import ClassName, Extreme, ExtremeDuration, Measure, NotGiven, TimesLimit, Titre
from ..model.patient import Observation
from ..model.quantity import Interval, nine
from ..model.time import FOREVER_DAY, MINUTES, NEVER_DAY, Duration
from ..model.truth import NOT, TRUE, UNKNOWN, Truth
from .needs import Needs, as_node
from .plan import Leaf, PlanCriterion, PlanNode
from .reasons import LeafAnswer
from .record import Fact
from .values import read_value


class Margins(Needs):
    """Distances from the limit, on top of what would settle it."""

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
        finding = self.now.find(as_node(leaf))
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
