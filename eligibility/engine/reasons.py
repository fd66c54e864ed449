"""Why an answer is what it is: reasons, basis, assumptions of a leaf (MEANING 7, 8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..model.criteria import Count, Test
from ..model.finding import REASONS, Assumption, Basis, Reason, ReasonCode
from ..model.time import MINUTES, end_of
from ..model.truth import FALSE, TRUE, UNKNOWN, Truth
from .derived import DayDose
from .plan import Leaf
from .record import Fact
from .selecting import BODY_WEIGHT, Candidate, Selecting
from .values import Why, dose_limit, read_value
from .windows import Window


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
    candidates: Sequence[Candidate] = ()
    contenders: Sequence[Candidate] | None = None  # those of them that may be the one chosen
    outside: Sequence[Fact] = ()
    unclear: Sequence[Fact] = ()
    presumed_not: Sequence[Fact] = ()
    deciding: Sequence[Fact] = ()
    silent: bool = False
    presumed_only: bool = False  # known by the facts, were it not for entries that are only presumed to be something else
    stated: bool = False
    missing_inputs: tuple[str, ...] = ()
    dose: DayDose | None = None


@dataclass(slots=True)
class Scene:
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


class Reasons:
    """What a leaf's answer rests on, or waits for. The words that answer build on it."""

    def __init__(self, selecting: Selecting, brief: bool = False) -> None:
        self.brief = brief  # the truth alone, without reasons
        self.selecting = selecting
        self.record = selecting.record
        self.day = selecting.day
        self.strict_only = selecting.settings.absence == "unknown"

    def contenders(self, kept: Sequence[Candidate], win: Window, choice: str) -> list[Candidate] | None:
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
        derived = answer.dose is not None or answer.leaf.items is not None or any(fact.derived_from for fact in answer.deciding)
        return "derived" if derived else "recorded"

    def _name_deciding(self, answer: LeafAnswer) -> None:
        """The facts the answer rests on."""
        if answer.dose is not None:
            return
        kept, truth, choice = answer.candidates, answer.truth, answer.leaf.choice
        if choice in ("latest", "earliest"):
            assert answer.window is not None
            answer.contenders = self.contenders(kept, answer.window, choice)
            answer.deciding = [candidate.fact for candidate in answer.contenders or ()] if truth is not UNKNOWN else []
        elif choice == "any" and truth is TRUE:
            answer.deciding = [c.fact for c in kept if c.certain and c.answer[0] is True]
        elif choice == "every" and truth is FALSE:
            answer.deciding = [c.fact for c in kept if c.certain and c.answer[0] is False]
        elif truth is not UNKNOWN:
            answer.deciding = [c.fact for c in kept if c.certain] if choice != "any" and truth in (TRUE, FALSE) else []

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
        if len(found) == 1:
            return tuple(found.values())
        return tuple(sorted(found.values(), key=lambda reason: (_ORDER[reason.code], reason.item, reason.source or "")))

    def _keepers(self, answer: LeafAnswer) -> list[Candidate]:
        """The candidates that keep the answer from being known."""
        kept, choice = answer.candidates, answer.leaf.choice
        if choice in ("latest", "earliest"):
            pool = kept if answer.contenders is None else answer.contenders
            return [c for c in pool if not c.certain or c.answer[0] is None]
        if choice in ("rise", "fall", "unchanged"):
            return [c for c in kept if self._vague(answer, c) or not c.certain or c.answer[0] is None]
        if choice == "every":  # one that fails, and may yet be no such fact, keeps it open too
            return [c for c in kept if not (c.certain and c.answer[0] is not None)]
        return [c for c in kept if c.answer[0] is not False and not (c.certain and c.answer[0] is True)]

    def _vague(self, answer: LeafAnswer, candidate: Candidate) -> bool:
        if answer.leaf.choice == "unchanged":
            whys: tuple[Why, ...] = ()
            dose, why = self.selecting.tests.daily_dose(candidate.fact, None, self.selecting.weight())
            if dose is None or not dose.exact:
                whys += (Why(why if dose is None else "imprecise_value", "dose"),)
            if not exact_days(candidate.fact, self.selecting):
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
        found = answer.contenders
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


def exact_days(fact: Fact, selecting: Selecting) -> bool:
    e_lo, e_hi = selecting.ends(fact)
    return fact.s_lo // MINUTES == fact.s_hi // MINUTES and (fact.ongoing or e_lo // MINUTES == e_hi // MINUTES)
