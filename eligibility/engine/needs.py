"""What would settle an open criterion: needs, each a choice of alternatives (MEANING 8)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from ..model.criteria import Count, Test
from ..model.finding import Need, Reason
from ..model.patient import Family
from ..model.time import FOREVER_DAY, MINUTES, NEVER_DAY
from ..model.truth import FALSE, NOT, TRUE, Truth
from .derived import FORMULAS
from .plan import Leaf, Plan, PlanCriterion, PlanNode
from .reasons import LeafAnswer
from .record import Record
from .reference import Evaluation
from .settings import Settings
from .windows import When_, Window, compile_time


class Needs:
    """What would have to be told of one record, asked of its evaluation against a plan."""

    def __init__(self, record: Record, plan: Plan, settings: Settings, evaluation: Evaluation) -> None:
        self.record = record
        self.plan = plan
        self.settings = settings
        self.now = evaluation
        self.day = settings.as_of

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
                return [self._person_need(reason) for reason in self.now.find(as_node(leaf), criterion).reasons]
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

    def _whens(self, leaf: Leaf) -> tuple[When_, ...]:
        """The words of time whose windows a leaf compares dates with."""
        key = ("whens", leaf)
        known: tuple[When_, ...] | None = self.plan.shared.get(key)
        if known is None:
            found: list[When_ | None] = [one.when for one in leaf.selectors if one.around is None]
            for test in tests_of(leaf):
                found += [compile_time(words) for words in (test.started, test.ended) if words is not None]
            known = self.plan.shared[key] = tuple([when for when in found if when is not None])
        return known


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


def as_node(leaf: Leaf) -> PlanNode:
    """A leaf as a statement of its own."""
    return PlanNode("leaf", leaf.node, leaf=leaf)


def tests_of(leaf: Leaf) -> Iterator[Test]:
    """Every test of a leaf, its filters' and those within them too."""
    for selector in leaf.selectors:
        if selector.where is not None:
            yield from _inside(selector.where)
    if isinstance(leaf.test, Test):
        yield from _inside(leaf.test)


def _inside(test: Test) -> Iterator[Test]:
    yield test
    for inner in (*(test.all_of or ()), *(test.any_of or ()), *(test.none_of or ())):
        yield from _inside(inner)
