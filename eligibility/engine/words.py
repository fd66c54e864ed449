"""What an atom answers: the words that choose and quantify, silence, and the reasons (MEANING 5 to 7).

Words that quantify (``any``, ``every``, ``count``, a day's dose) speak of all events, so silence bears on
one side of them. Words that choose (``latest``, ``earliest``, ``unchanged``, a first-to-last change) speak of
recorded results, and silence has no say. Every word is asked once per reading where the readings can
differ; else once.
"""

from __future__ import annotations

from ..model.criteria import Count
from ..model.time import MINUTES, Duration, end_of, start_of
from ..model.truth import FALSE, NOT, PRESUMED, PRESUMED_FALSE, PRESUMED_TRUE, STRICT, TRUE, UNKNOWN, Truth, from_readings
from .derived import derived_facts, dose_on, equivalent_drugs
from .doses import Doses
from .plan import Leaf, Selector
from .reasons import LeafAnswer, Scene
from .record import Fact
from .selecting import Candidate, Mode
from .windows import Window


class Words(Doses):
    """Answers the fact leaves of a plan for one record on one day."""

    def answer(self, leaf: Leaf) -> LeafAnswer:
        """The answer of a fact leaf."""
        if leaf.kind == "dose":
            return self._dose_leaf(leaf)
        selector = leaf.selector
        assert selector is not None
        win = self.selecting.window(selector)
        plans = leaf.question is not None
        missing: tuple[str, ...] = ()
        facts = self.selecting.facts(selector.concepts, selector.families, plans=plans)
        if leaf.derived is not None:
            computed, missing = derived_facts(self.selecting, leaf.name, leaf.derived)
            reported_days = {fact.days() for fact, _ in facts}
            facts = facts + [(fact, sure) for fact, sure in computed if fact.days() not in reported_days]
        pool, outside = self.selecting.pool(leaf, win, facts)
        may, presumed_not = ([], []) if plans else self._unclear(leaf, win)
        if leaf.documented:
            presumed_named, presumed_not = presumed_not, []
        else:
            presumed_named = presumed_not
        stated = bool(self.record.absences) and not plans and self.selecting.stated(selector, (win.l1, min(win.u2, 10**9)))
        answer = LeafAnswer(
            leaf, UNKNOWN, win, outside=outside, unclear=may, presumed_not=presumed_not, stated=stated, missing_inputs=missing
        )
        self._decide(answer, pool, may, presumed_not)
        if self.strict_only and answer.truth in (PRESUMED_FALSE, PRESUMED_TRUE):
            answer.truth, answer.silent = UNKNOWN, True
        self._finish(answer, presumed_named)
        return answer

    def _decide(self, answer: LeafAnswer, pool: list[Candidate], may: list[Fact], presumed_not: list[Fact]) -> None:
        leaf = answer.leaf
        assert leaf.selector is not None
        assert answer.window is not None
        scene = self._scene(answer, pool, may, "presumed", presumed_not)
        truth = self._word(scene)
        answer.candidates = scene.kept
        if presumed_not or leaf.selector.silent:
            # in the strict reading an entry only presumed not to be this may be it, and so may what silence hides
            told = [(one, one.member, one.answer, one.certain, one.recorded) for one in pool]
            strict = self._word(self._scene(answer, [*pool], [*may, *presumed_not], "strict", presumed_not))
            if leaf.selector.silent:
                for one, member, said, certain, recorded in told:  # what is shown is what they say in the presumed reading
                    one.member, one.answer, one.certain, one.recorded = member, said, certain, recorded
            answer.presumed_only = truth in (TRUE, FALSE) and strict not in (TRUE, FALSE) and bool(presumed_not)
            truth = strict if strict in (TRUE, FALSE) else from_readings("unknown", PRESUMED[truth])
        answer.truth = truth

    def _scene(self, answer: LeafAnswer, pool: list[Candidate], nearby: list[Fact], mode: Mode, presumed_not: list[Fact]) -> Scene:
        leaf, win = answer.leaf, answer.window
        assert win is not None
        if leaf.filters:
            kept = self.selecting.judge(pool, leaf, mode, win)
        else:
            kept = pool
        recorded = [candidate for candidate in pool if candidate.recorded]
        # words that choose ask nothing of silence
        silence = UNKNOWN if leaf.choice in ("latest", "earliest") else self._silence(answer, recorded, presumed_not)
        return Scene(leaf, win, kept, nearby, silence, recorded)

    def _unclear(self, leaf: Leaf, win: Window) -> tuple[list[Fact], list[Fact]]:
        selector = leaf.selector
        assert selector is not None
        families = selector.unclear_families
        if not any(family in self.record.unclear for family in families):
            return [], []
        may: dict[int, Fact] = {}
        presumed: dict[int, Fact] = {}
        vocabulary = self.record.vocabulary
        for concept in selector.concepts:
            more, fewer = self.record.may_be(concept, families)
            if not more and not fewer:
                continue
            course = vocabulary.concepts[concept].course
            for found, into in ((more, may), (fewer, presumed)):
                for fact in found:
                    if self._reaches(fact, win, course):
                        into[fact.order] = fact
        sure = {fact.order for fact, _ in self.selecting.facts(selector.concepts, selector.families)}
        return (
            [may[order] for order in sorted(may) if order not in sure],
            [presumed[order] for order in sorted(presumed) if order not in may and order not in sure],
        )

    def _reaches(self, fact: Fact, win: Window, course: str) -> bool:
        """Whether an entry of unknown meaning can lie in the window, were it this concept."""
        lo = fact.s_lo // MINUTES
        if fact.family != "condition":
            end = self.selecting.ends(fact)[1] // MINUTES
        elif course == "event":
            end = fact.s_hi // MINUTES
        elif course == "lifelong" or fact.lifelong or fact.point:
            end = win.u2
        else:
            end = self.selecting.ends(fact)[1] // MINUTES
        return lo <= self.day and lo <= win.u2 and max(end, fact.s_hi // MINUTES) >= win.l1

    def _silence(self, answer: LeafAnswer, recorded: list[Candidate], presumed_not: list[Fact]) -> Truth:
        leaf, win = answer.leaf, answer.window
        selector = leaf.selector
        assert selector is not None
        assert win is not None
        if leaf.question is not None:
            return UNKNOWN
        if answer.stated:
            return FALSE if not presumed_not else PRESUMED_FALSE
        live = selector.family in self.record.live
        if leaf.documented:
            # only what is on record counts, so what a word on the concept has to cover ends with the date
            said = selector.family in self.record.listed or self.selecting.stated(selector, (win.l1, min(win.u2, self.day)))
            return FALSE if said else UNKNOWN
        if leaf.never_presumed or win.l1 > self.day:
            return UNKNOWN
        if selector.family == "observation":
            return PRESUMED_FALSE if _different_days(recorded) >= leaf.results else UNKNOWN
        return PRESUMED_FALSE if live else UNKNOWN

    def _word(self, scene: Scene) -> Truth:
        leaf = scene.leaf
        match leaf.choice:
            case "any":
                return self._any(scene)
            case "every":
                return self._every(scene)
            case "latest" | "earliest":
                return self._chosen(scene)
            case "count":
                return self._count(scene)
            case "rise" | "fall":
                return self._change(scene)
            case "unchanged":
                return self._unchanged(scene)
        raise TypeError(f"no meaning for {leaf.choice}")

    def _any(self, scene: Scene) -> Truth:
        open_ = bool(scene.nearby)
        for candidate in scene.kept:
            met = candidate.answer[0]
            if met is True and candidate.certain:
                return TRUE
            open_ = open_ or met is not False
        return UNKNOWN if open_ else scene.silence

    def _every(self, scene: Scene) -> Truth:
        if any(candidate.certain and candidate.answer[0] is False for candidate in scene.kept):
            return FALSE
        if scene.nearby or any(candidate.answer[0] is not True for candidate in scene.kept):
            return UNKNOWN
        if not scene.certain and (scene.kept or scene.leaf.selector is None or scene.leaf.selector.family == "observation"):
            return TRUE if scene.silence is FALSE and not scene.kept else UNKNOWN
        return NOT[scene.silence]

    def _chosen(self, scene: Scene) -> Truth:
        contenders = self.contenders(scene.kept, scene.win, scene.leaf.choice)
        if contenders is None or self._late(scene, contenders):
            return UNKNOWN
        answers = {candidate.answer[0] for candidate in contenders}
        if answers == {True}:
            return TRUE
        return FALSE if answers == {False} else UNKNOWN

    def _late(self, scene: Scene, contenders: list[Candidate]) -> bool:
        """Whether an entry of unknown meaning may be the one chosen."""
        if not scene.nearby:
            return False
        if scene.leaf.choice == "earliest":
            edge = min(candidate.fact.s_hi for candidate in contenders if candidate.certain)
            return any(fact.s_lo <= edge for fact in scene.nearby)
        edge = max(candidate.fact.s_lo for candidate in contenders if candidate.certain)
        last = min(self.selecting.today, end_of(scene.win.u2))
        return any(min(fact.s_hi, last) >= edge for fact in scene.nearby)

    def _count(self, scene: Scene) -> Truth:
        count = scene.leaf.test
        assert isinstance(count, Count)
        n = count.at_least if count.at_least is not None else (count.at_most or 0) + 1
        truth = self._entries_reach(scene, n) if scene.leaf.entries else self._days_reach(scene, count, n)
        return truth if count.at_least is not None else NOT[truth]

    def _days_reach(self, scene: Scene, count: Count, n: int) -> Truth:
        last = min(self.selecting.today, end_of(scene.win.u2))
        matches = sorted((c for c in scene.certain if c.answer[0] is True), key=lambda c: (c.fact.s_hi, c.fact.s_lo))
        low = 0
        after: int | None = None
        told: set[str | None] = set()  # events the source numbers: each is one, however often it is told
        while True:
            following = [c.fact for c in matches if (after is None or c.fact.s_lo > after) and c.fact.entry.event not in told]
            if not following:
                break
            low += 1
            first = min(following, key=lambda fact: (fact.s_hi, fact.order))
            told |= {first.entry.event} - {None}
            after = self._next_after(min(first.s_hi, last), scene.leaf.episode, count.apart)
        if count.apart is None:
            low = max(low, _numbered_occasions(matches))
        if low >= n:
            return TRUE
        if count.apart is not None and not scene.nearby and (most := self._most_apart(scene, count.apart)) is not None:
            return scene.silence if most < n else UNKNOWN
        maybe = [candidate.fact.entry.event for candidate in scene.kept if candidate.answer[0] is not False]
        numbered = {event for event in maybe if event is not None}
        high = len(numbered) + maybe.count(None) + len(scene.nearby)
        return scene.silence if high < n else UNKNOWN

    @staticmethod
    def _most_apart(scene: Scene, apart: Duration) -> int | None:
        """The most facts so far apart, where all are dated to the day; None where a date may move."""
        facts = sorted((c.fact for c in scene.kept if c.answer[0] is not False), key=lambda fact: fact.s_lo)
        if any(fact.s_lo // MINUTES != fact.s_hi // MINUTES for fact in facts):
            return None
        most, free = 0, None
        for fact in facts:
            day = fact.s_lo // MINUTES
            if free is None or day >= free:
                most, free = most + 1, _first_apart(apart, day)
        return most

    @staticmethod
    def _next_after(end: int, episode: Duration | None, apart: Duration | None) -> int:
        """The last minute that still counts with an event of minute ``end``."""
        day = end // MINUTES
        after = end_of(day) if episode is None else end + (episode.on(day) - day) * MINUTES
        if apart is not None:
            after = max(after, start_of(_first_apart(apart, day)) - 1)
        return after

    def _entries_reach(self, scene: Scene, n: int) -> Truth:
        reached = possible = 0
        selector = scene.leaf.selector
        unmeasured = selector is not None and selector.family == "observation" and scene.silence is not FALSE
        for sure_of in self._facts_of_entries(scene.leaf):
            certainly = maybe = False
            for candidate in scene.kept if sure_of else ():
                own = sure_of.get(candidate.fact.order)
                if own is None or candidate.answer[0] is False:
                    continue
                maybe = True
                certainly = certainly or (own and candidate.certain and candidate.answer[0] is True)
            if not maybe and unmeasured and not any(sure_of.get(candidate.fact.order) for candidate in scene.recorded_days):
                maybe = True  # results are never pooled: an entry never measured may be one that reaches it
            reached += certainly
            possible += maybe
        if reached >= n:
            return TRUE
        return scene.silence if possible + len(scene.nearby) < n else UNKNOWN

    def _facts_of_entries(self, leaf: Leaf) -> list[dict[int, bool]]:
        """By entry: the facts of it, by their number, and whether each certainly is."""
        known = self.record.entries.get(leaf)
        if known is None:
            known = self.record.entries[leaf] = []
            for entry in leaf.entries:
                sure_of: dict[int, bool] = {}
                for concept in entry:
                    for fact, sure in self.record.by_concept.get(concept, ()):
                        sure_of[fact.order] = sure or sure_of.get(fact.order, False)
                known.append(sure_of)
        return known

    def _dose_leaf(self, leaf: Leaf) -> LeafAnswer:
        """The day's steroid dose in prednisone equivalents: ``latest`` is the dose on the anchor's day."""
        selector = leaf.selector
        assert selector is not None
        win = self.selecting.window(selector)
        reported = [
            (fact, sure)
            for fact, sure in self.selecting.facts(selector.concepts, selector.families)
            if fact.days() == (win.a1, win.a2) or fact.days() == (win.u1, win.u2)
        ]
        if reported and leaf.choice == "latest":
            pool, outside = self.selecting.pool(leaf, win, reported)
            answer = LeafAnswer(leaf, UNKNOWN, win, outside=outside)
            self._decide(answer, pool, [], [])
            self._finish(answer, [])
            return answer
        drug = "prednisone"
        drugs = equivalent_drugs(self.record.vocabulary, drug)
        first, last = (win.a1, win.a2) if leaf.choice == "latest" else (win.l1, min(win.u2, self.day))
        span = Window(first, first, last, last, win.a1, win.a2, win.assumes, names=win.names)
        may, presumed_not = self._unclear_drugs(drugs, span)
        total = dose_on(self.selecting, drug, first, last) if leaf.choice == "latest" else self._doses(drug, first, last)
        answer = LeafAnswer(leaf, UNKNOWN, span, unclear=may, presumed_not=presumed_not, dose=total, deciding=list(total.used))
        answer.stated = self.selecting.stated(Selector("medication", ("medication",), drugs, None, None), (first, last))
        silence = UNKNOWN
        if answer.stated:
            silence = FALSE
        elif "medication" in self.record.live and first <= self.day:
            silence = PRESUMED_FALSE
        truth = self._dose_truth(leaf, total, may, silence, win)
        if presumed_not and truth in (TRUE, FALSE):
            strict = self._dose_truth(leaf, total, [*may, *presumed_not], silence, win)
            truth = strict if strict in (TRUE, FALSE) else from_readings("unknown", PRESUMED[truth])
        if self.strict_only and STRICT[truth] == "unknown":
            truth = UNKNOWN
        answer.truth = truth
        self._finish(answer, presumed_not)
        return answer

    def _unclear_drugs(self, drugs: tuple[str, ...], win: Window) -> tuple[list[Fact], list[Fact]]:
        may: dict[int, Fact] = {}
        presumed: dict[int, Fact] = {}
        for drug in drugs:
            more, fewer = self.record.may_be(drug, ("medication",))
            may |= {fact.order: fact for fact in more if self._reaches(fact, win, "state")}
            presumed |= {fact.order: fact for fact in fewer if self._reaches(fact, win, "state")}
        sure = {fact.order for fact in self.record.facts if fact.concept in drugs}
        return (
            [may[order] for order in sorted(may) if order not in sure],
            [presumed[order] for order in sorted(presumed) if order not in may and order not in sure],
        )


def _first_apart(apart: Duration, day: int) -> int:
    """The first day that is so long after ``day``, counted back from it as between any two facts (MEANING 3)."""
    first = apart.on(day)
    while apart.back(first) < day:  # a month on from 31 January is 28 February, a month back from it 28 January
        first += 1
    return first


def _numbered_occasions(matches: list[Candidate]) -> int:
    """Occasions of events that the source numbers, so that one episode's span does not make them one; days still do."""
    told: set[str] = set()
    after: int | None = None
    for fact in (candidate.fact for candidate in matches):
        event = fact.entry.event
        if event is None or event in told or (after is not None and fact.s_lo // MINUTES <= after):
            continue
        told.add(event)
        after = fact.s_hi // MINUTES
    return len(told)


def _different_days(candidates: list[Candidate]) -> int:
    """How many results are certainly on different days: the most with pairwise disjoint intervals."""
    if len(candidates) < 2:
        return len(candidates)
    count, reached = 0, None
    for lo, hi in sorted((candidate.fact.days() for candidate in candidates), key=lambda days: days[1]):
        if reached is None or lo > reached:
            count, reached = count + 1, hi
    return count
