"""A patient's record made ready for one screening date: facts with intervals, repaired, indexed.

Here the chart's words become MEANING's terms: how sure a fact is (section 4), when it begins and ends
(section 3), which entries may stand for what (section 5), what absence is stated. Contradictions are
repaired so that a world always exists (section 1), each repair shown as a notice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..model.finding import Notice, ReasonCode
from ..model.patient import (
    FAMILIES,
    Allergy,
    Condition,
    Entry,
    Family,
    Immunization,
    Medication,
    Observation,
    Patient,
    Procedure,
    SetAside,
    StatedAbsence,
)
from ..model.time import FOREVER, FOREVER_DAY, MINUTES, NEVER, NEVER_DAY, When, end_of, start_of
from ..vocabulary.vocabulary import Reading, Stance, Vocabulary


@dataclass(slots=True, eq=False)
class Fact:
    """One event of the chart as an interval of starts and of ends, in minutes.

    ``certain`` is False for a possible fact, ``mark`` then says why. ``ongoing`` facts are known to
    reach the day they are looked at. ``point`` facts have no length. ``concept`` is the narrowest
    concept the entry is. ``memo`` keeps values read from it, by what was asked.
    """

    family: Family
    entry: Entry
    order: int
    reading: Reading | None
    concept: str
    concepts: tuple[str, ...]
    s_lo: int
    s_hi: int
    e_lo: int
    e_hi: int
    certain: bool = True
    mark: ReasonCode | None = None
    ongoing: bool = False
    point: bool = False
    over: bool = False
    lifelong: bool = False
    planned: bool = False
    absent: bool = False
    derived_from: tuple[Fact, ...] = ()
    memo: dict[Any, Any] = field(default_factory=dict)

    @property
    def source(self) -> str | None:
        """Where in the record it stands."""
        return self.entry.source

    def days(self) -> tuple[int, int]:
        """First and last day it may begin."""
        return self.s_lo // MINUTES, self.s_hi // MINUTES


@dataclass(frozen=True, slots=True)
class Absence:
    """A stated absence in days, both ends included; ``concept`` None is the whole family."""

    family: Family
    concept: str | None
    start: int
    end: int
    stated: StatedAbsence | None = None
    entry: Entry | None = None


@dataclass(frozen=True, slots=True)
class Ledger:
    """Where every entry that came in went; the three kinds add up to ``entries``."""

    entries: int
    facts: int
    not_understood: tuple[tuple[str, str], ...]
    set_aside: tuple[SetAside, ...]


class _Ledger:
    """Counts entries as they are read. A pointer is the entry's own up to its ``#``: what one entry gave
    several facts (the components of a blood pressure) is counted once, as read if anything of it was.
    """

    def __init__(self) -> None:
        self._read: set[str] = set()
        self._unnamed = 0
        self._lost: dict[str, str] = {}

    def read(self, source: str | None) -> None:
        if source is None:
            self._unnamed += 1
        else:
            self._read.add(source.partition("#")[0])

    def lose(self, source: str, words: str) -> None:
        self._lost.setdefault(source.partition("#")[0], words)

    def closed(self, absences: Iterable[StatedAbsence], set_aside: Iterable[SetAside]) -> Ledger:
        for absence in absences:
            self.read(absence.source)
        lost = tuple((source, words) for source, words in self._lost.items() if source not in self._read)
        known = self._read | {source for source, _ in lost}
        aside: dict[str, SetAside] = {}
        for one in set_aside:
            aside.setdefault(one.source.partition("#")[0], one)
        left = tuple(one for source, one in aside.items() if source not in known)
        facts = len(self._read) + self._unnamed
        return Ledger(facts + len(lost) + len(left), facts, lost, left)


@dataclass(slots=True)
class Record:
    """A patient as of a day. Built by :func:`prepare`; never changed after."""

    patient: Patient
    vocabulary: Vocabulary
    as_of: int
    written: int
    births: tuple[tuple[int, int], ...]
    birth: int
    death: tuple[int, int] | None
    death_doubt: ReasonCode | None
    facts: list[Fact]
    plans: list[Fact]
    by_concept: dict[str, list[tuple[Fact, bool]]]
    plans_by_concept: dict[str, list[tuple[Fact, bool]]]
    unclear: dict[Family, list[Fact]]
    absences: list[Absence]
    live: frozenset[Family]
    listed: frozenset[Family]
    first_of: dict[Family, int]
    notices: tuple[Notice, ...]
    ledger: Ledger
    courses: dict[str, tuple[list[Fact], int, bool, int, int]] = field(default_factory=dict)
    of_lists: dict[Any, list[tuple[Fact, bool]]] = field(default_factory=dict)
    entries: dict[Any, list[dict[int, bool]]] = field(default_factory=dict)
    """What an engine gathers of it, the same on every day looked at: courses of a drug with what joins them, the facts of
    a list of concepts, and by leaf, for every entry it counts, its facts by number and whether each certainly is of it."""
    _may: dict[tuple[str, Family], tuple[list[Fact], list[Fact]]] = field(default_factory=dict)

    def may_be(self, concept: str, families: Iterable[Family]) -> tuple[list[Fact], list[Fact]]:
        """Entries that are not the concept for certain nor by a broader code, but may stand for it:
        those that may be (in both readings), and those only presumed not to be.
        """
        may: list[Fact] = []
        presumed: list[Fact] = []
        for family in families:
            if (key := (concept, family)) not in self._may:
                self._may[key] = self._sort_out(concept, family)
            more, fewer = self._may[key]
            may += more
            presumed += fewer
        return may, presumed

    def _sort_out(self, concept: str, family: Family) -> tuple[list[Fact], list[Fact]]:
        may: list[Fact] = []
        presumed: list[Fact] = []
        stance_of = self.vocabulary.stance
        for fact in self.unclear.get(family, ()):
            if fact.reading is None:
                may.append(fact)
                continue
            match stance_of(fact.reading, concept):
                case Stance.MAY_BE | Stance.BROADER:
                    may.append(fact)  # of the broader ones those that are facts are left out by the leaf
                case Stance.PRESUMED_NOT:
                    presumed.append(fact)
                case Stance.IS | Stance.IS_NOT:
                    pass
        return may, presumed


def prepare(patient: Patient, vocabulary: Vocabulary, as_of: int) -> Record:
    """Read a patient's chart as of a day (its number): nothing that certainly begins later is seen.

    Total: every patient has a record; contradictions become notices.
    """
    return _Preparation(patient, vocabulary, as_of).record()


_UNSURE_CONDITION = {"provisional", "differential", "unconfirmed", "presumed"}
_ENDED = {"resolved", "completed", "stopped"}
_NOT_GOING_ON = {*_ENDED, "on-hold", "inactive", "remission"}
_ONGOING = {"active", "recurrence", "relapse", "in-progress"}


class _Preparation:
    """The steps of :func:`prepare`, in order; a class only to share what they have in hand."""

    def __init__(self, patient: Patient, vocabulary: Vocabulary, as_of: int) -> None:
        self.patient = patient
        self.vocabulary = vocabulary
        self.as_of = as_of
        self.notices: list[Notice] = []
        self.births = tuple(when.days() for when in patient.birth_date)
        self.birth = min((lo for lo, _ in self.births), default=NEVER_DAY)
        self.written = self._written()
        self.refutations: list[Fact] = []
        self.absences: list[Absence] = []
        self.set_aside: list[SetAside] = list(patient.set_aside)
        self.order = 0

    def record(self) -> Record:
        patient = self.patient
        facts: list[Fact] = []
        plans: list[Fact] = []
        unclear: dict[Family, list[Fact]] = {}
        ledger = _Ledger()
        live: set[Family] = set()
        first_of: dict[Family, int] = {}
        for family in FAMILIES:
            for entry in patient.family(family):
                fact = self._fact(family, entry)
                if fact is None:
                    continue
                understood = fact.reading is not None and fact.reading.understood and not entry.misread
                if understood:
                    ledger.read(entry.source)
                else:
                    ledger.lose(entry.source or f"{family} {fact.order}", _words(entry))
                if understood and (fact.planned or fact.s_lo // MINUTES <= self.as_of):
                    live.add(family)
                if fact.planned:
                    plans.append(fact)
                    continue
                if fact.s_lo // MINUTES > self.as_of:
                    continue  # certainly later than the date: not yet seen
                if fact.concepts and fact.s_lo > NEVER and fact.s_lo // MINUTES > self.birth:
                    first_of[family] = min(first_of.get(family, FOREVER_DAY), fact.s_lo // MINUTES)
                if fact.absent:
                    continue
                if fact.concepts:
                    facts.append(fact)
                if family != "observation" and (fact.reading is None or not fact.reading.exact):
                    unclear.setdefault(family, []).append(fact)
        for misread in patient.misread:
            ledger.lose(misread.source, misread.text or misread.why)
            for family in FAMILIES if misread.family is None else (misread.family,):
                if family != "observation":
                    unclear.setdefault(family, []).append(self._unreadable(family, misread.source, misread.text))
        self._state_absences(facts, unclear)
        # a word on one concept shows no list: what is documented is asked of lists that are there
        listed = live | {absence.family for absence in self.absences if absence.stated is not None and absence.concept is None}
        live |= {absence.family for absence in self.absences if absence.stated is not None}
        self._refute(facts)
        self._two_tellings(facts)
        death, doubt = self._death(facts)
        facts_by = self._index(facts)
        return Record(
            patient=patient,
            vocabulary=self.vocabulary,
            as_of=self.as_of,
            written=self.written,
            births=self.births,
            birth=self.birth,
            death=death,
            death_doubt=doubt,
            facts=facts,
            plans=plans,
            by_concept=facts_by,
            plans_by_concept=self._index(plans),
            unclear=unclear,
            absences=self.absences,
            live=frozenset(live),
            listed=frozenset(listed),
            first_of=first_of,
            notices=tuple(self.notices),
            ledger=ledger.closed(patient.absences, self.set_aside),
        )

    # -- dates ---------------------------------------------------------------------------------

    def _written(self) -> int:
        if self.patient.written is not None:
            return self.patient.written.days()[1]
        latest = self.as_of
        for family in FAMILIES:
            for entry in self.patient.family(family):
                if entry.start is not None and not getattr(entry, "planned", False):
                    latest = max(latest, entry.start.days()[0])
        return latest

    def _start(self, entry: Entry, planned: bool) -> tuple[int, int]:
        if planned:
            # what is planned is not over: without a date it may be on any day from now on
            return (entry.start.lo, entry.start.hi) if entry.start else (start_of(self.as_of), FOREVER)
        lo = start_of(self.birth)
        hi = end_of(self.written)
        if entry.start is not None:
            lo, hi = max(entry.start.lo, NEVER), entry.start.hi
            if entry.start.lo <= NEVER:
                lo = start_of(self.birth)
        if entry.recorded is not None and entry.recorded.hi >= lo:
            hi = min(hi, entry.recorded.hi)
        if self.written <= self.as_of and end_of(self.written) >= lo:
            hi = min(hi, end_of(self.written))
        if entry.end is not None and lo <= entry.end.hi < hi:
            hi = entry.end.hi  # it begins on or before its end
        return lo, max(lo, hi)

    # -- one entry -----------------------------------------------------------------------------

    def _fact(self, family: Family, entry: Entry) -> Fact | None:
        """The fact an entry is; None where it is no event of this chart (entered in error, not done)."""
        status = self._status(family, entry)
        where = entry.source or f"{family} {self.order}"
        if status == "gone":
            self.set_aside.append(SetAside(source=where, why=self._why_gone(entry)))
            return None
        reading = self.vocabulary.read(family, entry)
        concepts = tuple(sorted(reading.is_))
        planned = status == "plan"
        lo, hi = self._start(entry, planned)
        fact = Fact(family, entry, self.order, reading, self._narrowest(concepts), concepts, lo, hi, lo, FOREVER, planned=planned)
        self.order += 1
        if status == "possible" or (reading.queried and status == "certain"):
            fact.certain, fact.mark = False, "unconfirmed"  # "?lymphoma" is a suspicion, whatever its status
        if entry.misread:
            fact.certain, fact.mark = False, "not_understood"
        self._end(fact)
        if status == "absent":
            self._recorded_absence(fact)
        return fact

    def _narrowest(self, concepts: tuple[str, ...]) -> str:
        if len(concepts) < 2:
            return concepts[0] if concepts else ""
        broad = {above for concept in concepts for above in self.vocabulary.ancestors(concept)}
        return next((concept for concept in concepts if concept not in broad), concepts[0])

    def _status(self, family: Family, entry: Entry) -> str:
        """certain, possible, absent, plan or gone: the table of MEANING 4."""
        match entry:
            case Condition(verification=verification) | Allergy(verification=verification):
                if verification == "entered-in-error":
                    return "gone"
                if verification == "refuted":
                    return "absent"
                return "possible" if verification in _UNSURE_CONDITION else "certain"
            case Observation(status=status, value=value, items=items):
                if status in ("cancelled", "entered-in-error"):
                    return "gone"
                if status in ("preliminary", "registered", "unknown") or (value is None and not items and entry.interpretation is None):
                    return "possible"
                return "certain"
            case Medication(status=status, planned=planned):
                if status in ("entered-in-error", "draft", "cancelled"):
                    return "gone"
                if planned or status == "intended":
                    return "plan"
                if status == "not-taken":
                    return "absent"
                return "possible" if status == "unknown" else "certain"
            case Procedure(status=status, planned=planned):
                if status == "entered-in-error":
                    return "gone"
                if planned or status == "preparation":
                    return "plan"
                if status == "not-done":
                    return "absent"
                return "possible" if status in ("stopped", "unknown", "on-hold") else "certain"
            case Immunization(status=status, planned=planned):
                if status == "entered-in-error":
                    return "gone"
                if planned:
                    return "plan"
                if status == "not-done":
                    return "absent"
                return "possible" if status == "unknown" else "certain"
        raise TypeError(f"no status rule for {family}")

    @staticmethod
    def _why_gone(entry: Entry) -> str:
        status = getattr(entry, "status", None)
        if "entered-in-error" in (status, getattr(entry, "verification", None)):
            return "entered in error"
        return f"status {status}: it did not take place"

    def _end(self, fact: Fact) -> None:
        entry = fact.entry
        concept = self.vocabulary.concepts.get(fact.concept)
        course = concept.course if concept is not None else "state"
        status = getattr(entry, "status", None)
        fact.lifelong = fact.family in ("condition", "allergy") and course == "lifelong"
        fact.point = (
            fact.family in ("observation", "immunization")
            or (fact.family == "condition" and course == "event")
            or (fact.family == "procedure" and entry.end is None and status != "in-progress")
            or (isinstance(entry, Medication) and entry.kind == "administration" and entry.end is None)
        )
        if entry.end is not None and entry.end.hi < fact.s_lo:
            self._unknown_dates(fact)
            if fact.lifelong:
                fact.e_lo = fact.e_hi = FOREVER
            return
        if fact.point:
            fact.e_lo, fact.e_hi = fact.s_lo, fact.s_hi
            return
        if fact.lifelong:
            fact.e_lo = fact.e_hi = FOREVER
            return
        if entry.end is not None:
            fact.e_lo, fact.e_hi = max(entry.end.lo, fact.s_lo), entry.end.hi
            if fact.e_hi > end_of(self.written) and status in _NOT_GOING_ON:
                # it is over, or rests, and its end lies after the record was written: the end is what was once planned
                fact.e_lo = fact.s_lo
                if status in _ENDED:
                    fact.e_hi, fact.over = max(fact.s_lo, end_of(self.written)), True
                return
            fact.over = entry.end.hi <= end_of(self.as_of)
            return
        if status in _ENDED:
            fact.e_lo, fact.e_hi, fact.over = fact.s_lo, max(fact.s_lo, end_of(self.written)), True
            return
        if status in _ONGOING and not self._outlasted(fact):
            fact.ongoing, fact.e_lo = True, end_of(max(self.as_of, self.written))
            return
        if isinstance(entry, Medication) and entry.supply is not None and status != "on-hold":
            supply = int(entry.supply) * MINUTES
            fact.e_lo = min(fact.s_lo + supply, FOREVER)
            fact.e_hi = min(fact.s_hi + supply, FOREVER)

    def _outlasted(self, fact: Fact) -> bool:
        concept = self.vocabulary.concepts.get(fact.concept)
        if concept is None or concept.lasts_at_most is None:
            return False
        return concept.lasts_at_most.value.on(fact.s_hi // MINUTES) < self.as_of

    def _unknown_dates(self, fact: Fact) -> None:
        fact.s_lo, fact.s_hi = start_of(self.birth), end_of(self.written)
        fact.e_lo, fact.e_hi = fact.s_lo, fact.s_hi
        self._repaired(fact, "it ends before it begins: both dates are read as unknown")

    def _repaired(self, fact: Fact, what: str) -> None:
        self.notices.append(Notice("repaired", f"{fact.family}: {what}", source=fact.source))

    def _unreadable(self, family: Family, source: str, text: str | None) -> Fact:
        entry = Entry(source=source, text=text, misread=("entry",))
        fact = Fact(family, entry, self.order, None, "", (), start_of(self.birth), end_of(self.written), start_of(self.birth), FOREVER)
        self.order += 1
        fact.certain, fact.mark = False, "not_understood"
        return fact

    # -- absence -------------------------------------------------------------------------------

    def _recorded_absence(self, fact: Fact) -> None:
        """Refuted or not done: absence on its own date, for lifelong concepts up to it."""
        first, last = fact.days()
        if isinstance(fact.entry, Condition | Allergy) or first == last:
            self.refutations.append(fact)
        for concept in fact.concepts:
            if first == last:
                start = self.birth if fact.lifelong else first
                self.absences.append(Absence(fact.family, concept, start, first, entry=fact.entry))
            elif fact.lifelong:
                self.absences.append(Absence(fact.family, concept, self.birth, first, entry=fact.entry))
        fact.absent = True

    def _state_absences(self, facts: list[Fact], unclear: Mapping[Family, list[Fact]]) -> None:
        for stated in self.patient.absences:
            start = stated.since.days()[1] if stated.since is not None else self.birth
            end = stated.as_of.days()[0] if stated.as_of is not None else self.written
            if start > end:
                continue
            if stated.kind == "none-known" and (by := self._contradiction(stated, (start, end), facts, unclear)) is not None:
                self.notices.append(
                    Notice(
                        "repaired",
                        f"{stated.family}: a statement that none is known stands beside an entry: the statement is not used",
                        source=by,
                    )
                )
                continue
            self.absences.append(Absence(stated.family, stated.concept, start, end, stated=stated))

    def _contradiction(
        self, stated: StatedAbsence, days: tuple[int, int], facts: list[Fact], unclear: Mapping[Family, list[Fact]]
    ) -> str | None:
        own = [fact for fact in facts if fact.family == stated.family]
        for fact in own if stated.family == "observation" else [*own, *unclear.get(stated.family, [])]:
            if fact.s_lo // MINUTES > days[1] or fact.e_hi // MINUTES < days[0]:
                continue  # it cannot lie in the time the statement speaks of
            if stated.concept is None or fact.reading is None:
                return fact.source or stated.family
            if stated.concept in self.vocabulary.concepts and self.vocabulary.stance(fact.reading, stated.concept) in (
                Stance.IS,
                Stance.BROADER,
                Stance.MAY_BE,
            ):
                return fact.source or stated.family
        return None

    # -- contradictions ------------------------------------------------------------------------

    def _refute(self, facts: list[Fact]) -> None:
        for refutation in self.refutations:
            if refutation.s_lo // MINUTES > self.as_of:
                continue
            for fact in facts:
                if fact.family != refutation.family or not fact.certain or fact.s_lo > refutation.s_hi:
                    continue
                if not isinstance(refutation.entry, Condition | Allergy) and fact.days() != refutation.days():
                    continue  # what was not done on a day may have been done on any other
                if any(concept in self.vocabulary.descendants(refuted) for refuted in refutation.concepts for concept in fact.concepts):
                    fact.certain, fact.mark = False, "conflicting"

    def _two_tellings(self, facts: list[Fact]) -> None:
        """The same course told as ended and as ongoing; and events outside the person's life."""
        spans: dict[tuple[Family, str], list[Fact]] = {}
        for fact in facts:
            if not fact.point and not fact.lifelong and fact.certain:
                spans.setdefault((fact.family, fact.concept), []).append(fact)
            if fact.s_hi // MINUTES < self.birth:
                fact.certain, fact.mark = False, "conflicting"
                self._repaired(fact, "it lies before birth: it is read as possible")
        for group in spans.values():
            for a in group:
                for b in group:
                    if a.over and b.ongoing and a.s_lo <= b.s_hi and b.s_lo <= a.s_hi and not self._two_events(a, b):
                        for fact in (a, b):
                            if fact.certain:
                                fact.certain, fact.mark = False, "conflicting"
                                self._repaired(fact, "one source says it ended, another that it goes on: it is read as possible")

    @staticmethod
    def _two_events(a: Fact, b: Fact) -> bool:
        return a.entry.event is not None and b.entry.event is not None and a.entry.event != b.entry.event

    def _death(self, facts: list[Fact]) -> tuple[tuple[int, int] | None, ReasonCode | None]:
        deceased = self.patient.deceased
        if deceased is None or deceased is False:
            return None, None
        if isinstance(deceased, When):
            death = deceased.days()
        else:
            death = (self.birth, self.written)
            later = [fact.s_lo // MINUTES for fact in facts if fact.certain]
            death = (max([death[0], *later]), death[1]) if later and max(later) <= death[1] else death
        if death[0] > self.as_of:
            return None, None
        doubt: ReasonCode | None = None
        if isinstance(deceased, When):
            for fact in facts:
                if fact.s_lo // MINUTES > death[1]:
                    fact.certain, fact.mark = False, "conflicting"
                    doubt = "conflicting"
                    self._repaired(fact, "it lies after the recorded death: it is read as possible")
        if doubt is None and death[1] > self.as_of:
            doubt = "imprecise_date"
        self.notices.insert(
            0, Notice("deceased", "the record says the person has died", date=str(deceased) if isinstance(deceased, When) else None)
        )
        return death, doubt

    # -- index ---------------------------------------------------------------------------------

    def _index(self, facts: list[Fact]) -> dict[str, list[tuple[Fact, bool]]]:
        """Facts by every concept asked for: certain for what they are and all above it, possible below."""
        index: dict[str, list[tuple[Fact, bool]]] = {}
        for fact in facts:
            if fact.reading is None:
                continue
            sure, broader = self.vocabulary.asked_by(fact.reading)
            for concept in sure:
                index.setdefault(concept, []).append((fact, True))
            for concept in broader:
                index.setdefault(concept, []).append((fact, False))
        return index


def _words(entry: Entry) -> str:
    """What a not understood entry says of itself, for the ledger: its words, else its codes."""
    if entry.text:
        return entry.text
    for coding in entry.codes:
        if coding.display:
            return coding.display
    return ", ".join(f"{coding.system or 'no system'} {coding.code or 'no code'}" for coding in entry.codes) or "nothing written"
