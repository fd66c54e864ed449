"""What charts tell, and the complete records (worlds) that agree with it (MEANING 1, 3, 4, 5).

A :class:`Case` is a tiny record told in the tests' own words, with a date and anchors. It is written out
as a native patient for the engine (:meth:`Case.patient`), and its worlds are enumerated from the same
words here (:class:`Worlds`), so that the engine's intake is held to MEANING too and no code is shared.

Days are counted from ``DAY0``; the domain is days 0 to 8, values 0 to 3. What lies outside is stood for
by a day well before (``LONG_AGO``), and by the days up to the last anchor.
"""

from __future__ import annotations

import datetime as dt
import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from math import prod
from typing import Any

from denotation.evaluate import Complete, Event, Rules
from denotation.vocabulary import BY_ID, is_point
from eligibility.model import criteria as c
from eligibility.model.patient import Patient
from eligibility.model.time import FOREVER, MINUTES, Duration, date_of, day_of, end_of

DAY0 = day_of(dt.date(2024, 2, 24))  # so that the leap day is day 5
BIRTH = day_of(dt.date(1984, 2, 29))  # who is 40 on day 5
LONG_AGO = DAY0 - 700
BYSTANDER = day_of(dt.date(2001, 1, 1)) - DAY0
DAYS = range(9)
VALUES = (0.0, 1.0, 2.0, 3.0)
OUTCOMES = ("response", "inadequate-response", "loss-of-response", "intolerance")
ANY_OUTCOME = (frozenset(), *(frozenset({one}) for one in OUTCOMES))
STEROID_DOSE = "prednisone-equivalent-dose"
ROUTES = ("oral", "intravenous")
ORDER = ("consent", "apheresis", "infusion")  # of the visits that a run dates
ORDERED = ("latest=Test", "earliest=Test", "rise=Change", "fall=Change", "latest=True", "earliest=True")


@dataclass(frozen=True)
class Told:
    """One entry of the chart.

    ``start`` and ``end`` are day ranges (``start`` None: not said); ``minute`` the time of day, where
    told. ``ends`` says what the chart says of the end. ``sure`` False: a provisional, preliminary or
    unknown status. ``kind``: a fact; refuted (or not done); a plan; or an entry whose meaning is not
    known: ``code`` (a bare local code), ``words`` (that mention nothing), ``mention`` (of ``concept``).
    """

    concept: str
    start: tuple[int, int] | None
    minute: int | None = None
    ends: str = "open"  # open, given, over, ongoing, supply
    end: tuple[int, int] = (0, 0)
    sure: bool = True
    kind: str = "fact"
    value: tuple[str, Any] = ("none", None)  # =, <, <=, >, >=, name, class, titre, no-unit, kilo, none
    range: tuple[float, float] | None = None
    flag: str | None = None
    items: tuple[tuple[str, float], ...] | None = None
    dose: float | None = None
    route: str | None = None
    outcome: str | None = None
    grade: int | None = None
    recorded: int | None = None
    event: str | None = None
    administered: bool = False

    @property
    def family(self) -> str:
        return BY_ID[self.concept].family

    @property
    def understood(self) -> bool:
        return self.kind in ("fact", "refuted", "plan")

    @property
    def point(self) -> bool:
        concept = BY_ID[self.concept]
        return is_point(concept) or (concept.family == "procedure" and self.ends != "given") or (self.administered and self.ends != "given")


@dataclass(frozen=True)
class Absent:
    """A stated absence, of a family or one concept of it, from a day (None: birth) to a day (None: W)."""

    family: str
    concept: str | None = None
    kind: str = "none-known"
    since: int | None = None
    upto: int | None = None


@dataclass(frozen=True)
class Case:
    """A record, a date, anchors. Days count from ``DAY0``; an anchor without days is undated."""

    told: tuple[Told, ...] = ()
    absent: tuple[Absent, ...] = ()
    live: tuple[str, ...] = ()  # families with an understood entry that no question is about
    today: int = 5
    written: int | None = None
    birth: tuple[tuple[int, int], ...] = ((BIRTH - DAY0, BIRTH - DAY0),)
    sex: tuple[str, ...] = ("female",)
    horizon: int = 3
    anchors: dict[str, tuple[int, int] | None] = field(default_factory=dict)
    given: tuple[str, ...] = ("consent", "apheresis", "infusion")  # anchors dated by the run, not by the schedule
    site: dict[str, str] = field(default_factory=dict)

    @staticmethod
    def text(lo: int, hi: int) -> str:
        """A range of days as it is written."""
        return _range(lo, hi)

    # -- as the engine reads it ------------------------------------------------------------------

    def patient(self) -> Patient:
        families: dict[str, list[dict[str, Any]]] = {}
        for number, told in enumerate(self.told):
            families.setdefault(_PLURAL[told.family], []).append(_entry(told, f"e{number}"))
        for family in self.live:
            families.setdefault(_PLURAL[family], []).append(_bystander(family))
        absences = []
        for absent in self.absent:
            said: dict[str, Any] = {"family": absent.family, "kind": absent.kind}
            if absent.concept:
                said["concept"] = absent.concept
            if absent.since is not None:
                said["since"] = _date(absent.since)
            if absent.upto is not None:
                said["as_of"] = _date(absent.upto)
            absences.append(said)
        return Patient.model_validate(
            {
                "id": "p",
                "birth_date": [_range(*days) for days in self.birth],
                "sex": list(self.sex),
                **({"written": _date(self.written)} if self.written is not None else {}),
                **families,
                "absences": absences,
            }
        )

    # -- what follows from it --------------------------------------------------------------------

    @property
    def w(self) -> int:
        """W, when the record was written: as stated, else the later of S and its last dated fact."""
        if self.written is not None:
            return self.written
        return max([self.today, *(t.start[0] for t in self.told if t.start is not None and t.kind != "plan")])

    @property
    def born(self) -> int:
        return min((lo for lo, _ in self.birth), default=-(10**6))

    def alive(self) -> set[str]:
        """Families that are live: an understood entry that can be seen, or a stated absence, came from them."""
        return self.listed() | {a.family for a in self.standing()}

    def listed(self) -> set[str]:
        """Families whose list was sent: an understood entry that can be seen, or a word on the whole of it."""
        seen = {t.family for t in self.told if t.understood and (t.kind == "plan" or self.starts(t)[0] <= self.today)}
        return seen | {a.family for a in self.standing() if a.concept is None} | set(self.live)

    def standing(self) -> list[Absent]:
        """Stated absences that no entry can contradict."""
        found = [t for t in self.told if t.kind not in ("refuted", "plan")]
        found += [Told(f"bystander-{family}", (BYSTANDER, BYSTANDER)) for family in self.live]
        return [a for a in self.absent if not (a.kind == "none-known" and any(self.contradicts(t, a) for t in found))]

    def contradicts(self, told: Told, absent: Absent) -> bool:
        if told.family != absent.family:
            return False
        if absent.since is not None and self.last_day(told) < absent.since:
            return False  # over before the time it speaks of
        if self.starts(told)[0] > min(self.until(absent), self.today):
            return False  # later than the statement, or not yet seen
        if absent.concept is None or told.kind == "code":
            return True
        if told.kind == "mention":  # its words point to the concept or to a narrower one
            return told.concept in _below(absent.concept)
        return told.kind != "words" and _related(told.concept, absent.concept)

    def until(self, absent: Absent) -> int:
        return absent.upto if absent.upto is not None else self.w

    def anchor_days(self, name: str) -> tuple[int, int]:
        if name == "screening":
            return self.today, self.today
        if (days := self.anchors[name]) is not None:
            return days
        if name == "consent":  # it alone is S where nothing dates it
            return self.today, self.today
        first, last = self.today, self.today + self.horizon
        for earlier in ORDER[: ORDER.index(name)]:
            dated = self.anchors.get(earlier) if earlier in self.given else None
            if dated is not None:  # no visit comes before one it follows
                first = max(first, dated[0])
                last = max(last, dated[1] + self.horizon) if dated[1] > last else last
        return first, last

    def starts(self, told: Told) -> tuple[int, int]:
        """Days it may start on: as said or from birth to W, no later than recorded, nor than W once W is past."""
        lo, hi = told.start if told.start is not None else (self.born, self.w)
        if told.kind == "plan":
            return lo, hi
        bounds = [told.recorded] if told.recorded is not None else []
        bounds += [self.w] if self.w <= self.today else []
        bounds += [told.end[1]] if told.ends == "given" else []
        return lo, max(lo, min([hi, *(b for b in bounds if b >= lo)]))

    def possible(self, told: Told) -> bool:
        """Whether the fact may be no event at all."""
        if told.kind == "plan":
            return False
        if not told.sure or (told.family == "observation" and told.value[0] == "none" and told.items is None):
            return True
        for other in self.told:
            if other is told or other.family != told.family:
                continue
            # a confirmed fact stays certain only if certainly after every visible refutation
            # Reading: "not done" and "not taken" refute no other entry (refused in 2024, done in 2025)
            refuted = other.kind == "refuted" and told.family in ("condition", "allergy") and told.concept in _below(other.concept)
            if refuted and self.starts(other)[0] <= self.today and not self.first_minute(told) > self.last_minute(other):
                return True
            # one course told as ended by one source and as going on by another
            same = other.kind == "fact" and other.concept == told.concept and not told.point and other.sure
            numbered = told.event is not None and other.event is not None and told.event != other.event
            if same and BY_ID[told.concept].course != "lifelong" and not numbered:
                against = (self.over(told) and other.ends == "ongoing") or (self.over(other) and told.ends == "ongoing")
                meet = self.first_minute(told) <= self.last_minute(other) and self.first_minute(other) <= self.last_minute(told)
                if against and meet:
                    return True
        return False

    def last_day(self, told: Told) -> int:
        """The last day an entry may be going on."""
        if told.point and told.understood:
            return self.starts(told)[1]
        return {"given": told.end[1], "over": self.w}.get(told.ends, 10**6)

    def over(self, told: Told) -> bool:
        return told.ends == "over" or (told.ends == "given" and told.end[1] <= self.today)

    def first_minute(self, told: Told) -> int:
        return self.starts(told)[0] * MINUTES + (told.minute or 0)

    def last_minute(self, told: Told) -> int:
        return self.starts(told)[1] * MINUTES + (told.minute if told.minute is not None else MINUTES - 1)


# -- writing an entry out ------------------------------------------------------------------------

_PLURAL = {
    "condition": "conditions",
    "observation": "observations",
    "medication": "medications",
    "procedure": "procedures",
    "immunization": "immunizations",
    "allergy": "allergies",
}


def _date(day: int) -> str:
    return date_of(DAY0 + day).isoformat()


def _range(lo: int, hi: int) -> str:
    return _date(lo) if lo == hi else f"{_date(lo)}/{_date(hi)}"


def _bystander(family: str) -> dict[str, Any]:
    entry: dict[str, Any] = {"concept": f"bystander-{family}", "start": "2001-01-01", "source": f"bystander/{family}"}
    return {**entry, "value": 1, "status": "final"} if family == "observation" else entry


def _entry(t: Told, source: str) -> dict[str, Any]:
    e: dict[str, Any] = {"source": source}
    match t.kind:
        case "code":
            e["codes"] = [{"system": "local", "code": "77"}]
        case "words":
            e["text"] = "something written here"
        case "mention":
            e["text"] = f"seen: {BY_ID[t.concept].mentions[0]}"
        case _:
            e["concept"] = t.concept
    if t.start is not None:
        e["start"] = _range(*t.start) if t.minute is None else f"{_date(t.start[0])}T{t.minute // 60:02d}:{t.minute % 60:02d}"
    if t.ends == "given":
        e["end"] = _range(*t.end)
    if t.recorded is not None:
        e["recorded"] = _date(t.recorded)
    if t.event is not None:
        e["event"] = t.event
    if (status := _status(t)) is not None:
        e["status"] = status
    match t.family:
        case "condition" | "allergy":
            if t.kind == "refuted":
                e["verification"] = "refuted"
            elif not t.sure:
                e["verification"] = "provisional" if t.family == "condition" else "unconfirmed"
            if t.grade is not None:
                e["grade"] = str(t.grade)
        case "observation":
            e |= _reported(t)
        case "medication":
            if t.administered:
                e["kind"] = "administration"
            if t.ends == "supply":
                e["supply"] = t.end[0]
                e["kind"] = "order"
            if t.dose is not None:
                e["dose"] = {"value": t.dose, "unit": "mg/day"}
            if t.route is not None:
                e["route"] = t.route
            if t.outcome is not None:
                e["outcome"] = [t.outcome]
    if t.kind == "plan":
        e["planned"] = True
    return e


def _status(t: Told) -> str | None:
    ends = {"over": {"condition": "resolved", "medication": "stopped"}, "ongoing": {"condition": "active", "medication": "active"}}
    if t.kind == "plan":
        return None
    match t.family:
        case "observation":
            return "final" if t.sure else "preliminary"
        case "procedure" | "immunization":
            return "not-done" if t.kind == "refuted" else "completed" if t.sure else "unknown"
        case "medication":
            if t.kind == "refuted":
                return "not-taken"
            if not t.sure:
                return "unknown"
            return "completed" if t.administered else ends.get(t.ends, {}).get("medication")
        case "condition":
            return ends.get(t.ends, {}).get("condition")
    return ends.get(t.ends, {}).get("condition") if t.family == "allergy" else None


def _reported(t: Told) -> dict[str, Any]:
    how, value = t.value
    e: dict[str, Any] = {}
    unit = BY_ID[t.concept].unit
    match how:
        case "name" | "class" | "titre":
            e["value"] = str(value)
        case "=":
            e["value"], e["unit"] = value, unit
        case "kilo":
            e["value"], e["unit"] = value / 1000, "kU/L"
            if t.range is not None:
                t = replace(t, range=(t.range[0] / 1000, t.range[1] / 1000))
        case "no-unit":
            e["value"] = value
        case "<" | "<=" | ">" | ">=":
            e["value"] = {"value": value, "unit": unit, "comparator": how}
    if t.range is not None:
        e["range"] = {"low": t.range[0], "high": t.range[1]}  # in the result's own unit
    if t.flag is not None:
        e["interpretation"] = t.flag
    if t.items is not None:
        e["items"] = dict(t.items)
    return e


# -- what an entry may stand for -----------------------------------------------------------------


def _below(concept: str) -> set[str]:
    return set(Rules(BY_ID).below(concept))


def _related(one: str, other: str) -> bool:
    return one in _below(other) or other in _below(one)


def completions(case: Case, t: Told, minutes: tuple[int, ...], strict: bool, wanted: set[str], asked: set[str]) -> list[Event | None]:
    """The events one entry may be: one for each choice of what the chart leaves open; None for no event."""
    if t.kind == "refuted":
        return [None]
    concepts = sorted(_below(t.concept) & (wanted | {t.concept}))
    maybe = case.possible(t)
    if not t.understood:
        of_family = sorted(w for w in wanted if BY_ID[w].family == t.family)
        sure_not = "documented" in asked or not strict  # presumed not counts as is not
        if t.kind == "words" and sure_not:
            of_family = []
        elif t.kind == "mention" and sure_not:
            of_family = [w for w in of_family if w in _above(t.concept)]  # its words name it, or what is wider
        concepts, maybe = of_family, True
    found: list[Event | None] = [None] if maybe else []
    first, last = case.starts(t)
    days = _candidate_days(case, first, last)
    for concept, day in itertools.product(concepts, days):
        for minute in [t.minute] if t.minute is not None else minutes:
            start = (DAY0 + day) * MINUTES + minute
            for end in _ends(case, t, concept, start):
                base = Event(t.family, concept, start, end, planned=t.kind == "plan")
                # of an entry nobody understands, nothing is read
                read = t if t.understood else Told(concept, None)
                found += [replace(base, **more) for more in _attributes(read, concept, asked)]
    return found


def _above(concept: str) -> set[str]:
    return {one for one in BY_ID if concept in _below(one)}


def _candidate_days(case: Case, lo: int, hi: int) -> list[int]:
    inside = list(range(max(lo, -2), min(hi, case.today + case.horizon + 4) + 1))
    if lo < -2:
        inside = [max(lo, LONG_AGO - DAY0), *inside]
    return inside or [lo]


def _ends(case: Case, t: Told, concept: str, start: int) -> list[int]:
    """Minutes it may end on, given when it started (MEANING 3, Ends)."""
    kind = BY_ID[concept]
    if is_point(kind) or (t.point and t.family == BY_ID[t.concept].family):
        return [start]
    if kind.course == "lifelong":
        return [FOREVER]
    today, w = DAY0 + case.today, DAY0 + case.w
    day = start // MINUTES
    horizon = range(day, max(today, w, day) + case.horizon + 3)
    if t.ends == "given":
        ends = [end_of(DAY0 + d) for d in _candidate_days(case, *t.end)]
        return [e for e in ends if e >= start] or [start]
    if t.ends == "over":
        return sorted({max(start, end_of(d)) for d in range(max(day, DAY0 - 2), w + 1)} | ({start} if day < DAY0 - 2 else set())) or [start]
    if t.ends == "ongoing":
        longest = kind.lasts_at_most
        if longest is None or longest.value.on(day) >= today:
            return [*(end_of(d) for d in range(max(today, w, day), max(today, w, day) + case.horizon + 3)), FOREVER]
    if t.ends == "supply":
        return [start + t.end[0] * MINUTES]
    return [start, *(end_of(d) for d in horizon if d >= DAY0 - 1), FOREVER]


NUMBERS_BEYOND = (-1.0, 0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 40.0)


def _attributes(t: Told, concept: str, asked: set[str]) -> list[dict[str, Any]]:
    """Every way to fill in what the entry leaves out, as far as anything asks for it."""
    ways: list[list[dict[str, Any]]] = []
    kind = BY_ID[concept]

    def either(name: str, known: Any, otherwise: Any) -> None:
        if name in asked:
            ways.append([{name: one} for one in ([known] if known is not None else otherwise)])

    if kind.family == "observation":
        if t.value[0] == "no-unit" and t.range is not None and t.value[1] is not None:
            # whatever its unit is, the range is in it too: they keep their proportion
            scales = (0.1, 1.0, 2.0, 10.0)
            low, high = t.range
            ways.append([{"value": t.value[1] * n, "unit": kind.unit, "low": low * n, "high": high * n} for n in scales])
        elif "value" in asked:
            ways.append(_values(t, concept))
        if "range" in asked and not any("low" in way[0] for way in ways):
            ranges = [t.range] if t.range else [(1.0, 2.0), (0.001, 0.002), (2.5, 3.0), (40.0, 60.0)]
            ways.append([{"low": low, "high": high} for low, high in ranges])
    if kind.family == "medication":
        either("dose", t.dose, (0.0, 1.0, 2.0, 3.0, 100.0))
        either("route", t.route, (*ROUTES, "topical"))
        either("outcome", frozenset({t.outcome}) if t.outcome is not None else None, ANY_OUTCOME)
    if kind.family in ("condition", "allergy"):
        either("grade", float(t.grade) if t.grade is not None else None, (1.0, 2.0, 3.0, 4.0, 5.0))
    return [{k: v for way in chosen for k, v in way.items()} for chosen in itertools.product(*ways)]


def asked_of(statement: Any, rules: Rules) -> set[str]:
    """The attributes of facts that the statement asks for, and ``documented``."""
    text = repr(statement)
    found = {"value"} if "observation=" in text else set()
    words = {"dose": "dose=DoseTest", "route": "route=(", "outcome": "outcome=(", "grade": "grade=GradeTest", "range": "TimesLimit"}
    found |= {name for name, word in words.items() if word in text}
    if "unchanged=True" in text or STEROID_DOSE in text:
        found.add("dose")
    if STEROID_DOSE in text:
        found.add("route")
    if "documented=True" in text:
        found.add("documented")
    return found


def _values(t: Told, concept: str) -> list[dict[str, Any]]:
    kind = BY_ID[concept]
    how, value = t.value
    if kind.items:
        return [{"items": items, "value": sum(items.values())} for items in _scores(kind, t)]
    unit = kind.unit
    match how:
        case "=":
            return [{"value": value, "unit": unit}]
        case "kilo":
            return [{"value": value, "unit": "kU/L"}]
        case "name" if not kind.titre:
            return [{"value": value}]
        case "class":
            return [{"value": one} for one in kind.spans.get(value, (value,))]
        case "titre":
            return [{"value": float(str(value).partition(":")[2])}]
        case "<":
            numbers = [v for v in NUMBERS_BEYOND if v < value] + [value - 0.01]
        case "<=":
            numbers = [v for v in NUMBERS_BEYOND if v <= value]
        case ">":
            numbers = [v for v in NUMBERS_BEYOND if v > value] + [value + 0.01]
        case ">=":
            numbers = [v for v in NUMBERS_BEYOND if v >= value]
        case _:
            return any_value(concept)
    return [{"value": v, "unit": unit} for v in numbers]


def any_value(concept: str) -> list[dict[str, Any]]:
    """Every value a result of the concept may have, as far as a tiny world goes."""
    kind = BY_ID[concept]
    if kind.items:
        return [{"items": items, "value": sum(items.values())} for items in _scores(kind, None)]
    if kind.titre:
        return [{"value": v} for v in (0.0, 20.0, 40.0, 80.0, 160.0, 320.0)]
    names = kind.results or kind.classes
    if names:
        return [{"value": name} for name in names]
    return [{"value": v, "unit": kind.unit} for v in NUMBERS_BEYOND]


def _scores(kind: Any, t: Told | None) -> list[dict[str, float]]:
    fixed = dict(t.items) if t is not None and t.items is not None else {}
    choices = [[fixed[one]] if one in fixed else [float(p) for p in range(int(about.most) + 1)] for one, about in kind.items.items()]
    every = [dict(zip(kind.items, points, strict=True)) for points in itertools.product(*choices)]
    if t is None or t.value[0] == "none":
        return every
    test = {"=": float.__eq__, "<": float.__lt__, "<=": float.__le__, ">": float.__gt__, ">=": float.__ge__}[t.value[0]]
    return [items for items in every if test(float(sum(items.values())), float(t.value[1]))]


# -- worlds --------------------------------------------------------------------------------------


def mentioned(statement: Any, rules: Rules) -> tuple[set[str], set[str]]:
    """Concepts that the statement's own subjects cover, and those of selections inside it."""
    main: set[str] = set()
    inner: set[str] = set()
    for s in c.walk(statement):
        if isinstance(s, c.Meets):
            more, others = mentioned(rules.definitions[s.meets].when, rules)
            main, inner = main | more, inner | others
        if not isinstance(s, c.FactAtom):
            continue
        main |= subjects(s.subject, rules)
        inner |= {one for sel in selections(s) for one in subjects(sel.subject, rules)}
    return main, inner


def subjects(subject: Any, rules: Rules) -> set[str]:
    if isinstance(subject, str):
        if subject in rules.lists:
            return subjects(tuple(rules.lists[subject]), rules)
        if subject in rules.derived:
            parts = rules.derived[subject].ratio
            if parts is None:
                return {"weight", "height"}
            return {one for part in parts or () for one in rules.below(part.observation)}
        if subject == STEROID_DOSE:
            return {one for one in rules.concepts if "prednisone" in rules.concepts[one].equivalents}
        return set(rules.below(subject))
    return {one for part in subject for one in subjects(part, rules)}


def selections(node: Any) -> Iterator[c.Selection]:
    """Selections anywhere in an atom: in while, as an anchor, in tests and exceptions."""
    if isinstance(node, c.Selection):
        yield node
    if isinstance(node, c.Node):
        for name in type(node).model_fields:
            yield from selections(getattr(node, name))
    elif isinstance(node, tuple):
        for one in node:
            yield from selections(one)


def questions(node: Any) -> set[str]:
    found: set[str] = set()
    if isinstance(node, c.Ask):
        found.add(node.ask)
    if isinstance(node, c.Exemption) and node.ask is not None:
        found.add(node.ask)
    if isinstance(node, c.Node):
        for name in type(node).model_fields:
            found |= questions(getattr(node, name))
    elif isinstance(node, tuple):
        for one in node:
            found |= questions(one)
    return found


@dataclass
class Worlds:
    """The worlds of a case as far as a statement can tell them apart.

    ``extras`` are concepts of which unrecorded events may be added; the others are presumed absent.
    """

    case: Case
    statement: Any
    rules: Rules
    strict: bool
    extras: set[str]
    seed: int = 0

    def __post_init__(self) -> None:
        main, inner = mentioned(self.statement, self.rules)
        self.wanted = main | inner
        text = repr(self.statement)
        ordered = any(word in text for word in ORDERED)
        spans = any(t.start is None or t.start[0] != t.start[1] for t in self.case.told)
        minutes = (0, 720, 1439) if ordered else (720,)
        if ordered and len(self.case.told) < 2 and not spans:
            minutes = (0, 1439)
        self.asked = asked_of(self.statement, self.rules)
        self.options = [completions(self.case, t, minutes, self.strict, self.wanted, self.asked) for t in self.case.told]
        self.options = [self._told_apart(options) for options in self.options]
        self.anchors = sorted({"screening", *self.case.anchors})
        # what the statement does not name may stay as it is
        said = text + "".join(repr(rule.when) for name, rule in self.rules.definitions.items() if name in text)
        days = {name: self.case.anchor_days(name) for name in self.anchors}
        self.anchor_days = [range(lo, hi + 1) if f"'{name}'" in said else range(lo, lo + 1) for name, (lo, hi) in days.items()]
        born = self.case.birth or ((BIRTH - DAY0, BIRTH - DAY0), (-20, -20))
        self.births = [DAY0 + d for lo, hi in born for d in sorted({lo, (lo + hi) // 2, hi})]
        self.births = self.births if "age=" in said else self.births[:1]
        self.sexes = [s for s in self.case.sex if s != "unknown"] or ["female", "male", "other"]
        self.sexes = self.sexes if "sex=" in said else self.sexes[:1]
        self.questions = sorted(questions(self.statement))
        # Reading: an entry nobody understands may add to a day's dose; it stands in place of no order
        vague = any(not t.understood and t.family == "medication" for t in self.case.told)
        self.doses = (True, False) if STEROID_DOSE in text and not vague else (True,)
        self.added = self._additions()
        self.random = random.Random(self.seed)

    def _told_apart(self, options: list[Event | None]) -> list[Event | None]:
        """Drop completions of concepts the statement never asks about: they all count as no event."""
        kept = [e if e is not None and e.concept in self.wanted else None for e in options]
        return _unique(kept)

    @property
    def size(self) -> int:
        """How many worlds a full enumeration has (before entries are told to be one event)."""
        base = prod(len(o) for o in self.options) * prod(len(d) for d in self.anchor_days)
        return base * len(self.births) * len(self.sexes) * 2 ** len(self.questions) * len(self.doses) * len(self.added) * self._mergings()

    def _mergings(self) -> int:
        return 1 + sum(1 for _ in itertools.combinations(self.case.told, 2))

    def all(self) -> Iterator[Complete]:
        """Every world; only for cases whose ``size`` is small."""
        for events in itertools.product(*self.options):
            for told in self._told_twice(list(events)):
                for days in itertools.product(*self.anchor_days):
                    for birth, sex in itertools.product(self.births, self.sexes):
                        for answers in itertools.product((False, True), repeat=len(self.questions)):
                            for more, together in itertools.product(self.added, self.doses):
                                yield self._world(told, days, birth, sex, answers, more, together)

    def some(self, n: int) -> Iterator[Complete]:
        """``n`` worlds at random, the corners (all first, all last choices) among them."""
        pick = self.random.choice
        corners = [lambda o: o[0], lambda o: o[-1], lambda o: o[len(o) // 2]]
        for i in range(n):
            choose = corners[i] if i < len(corners) else pick
            events = list(self._told_twice([choose(o) for o in self.options]))
            yield self._world(
                pick(events),
                tuple(choose(d) for d in self.anchor_days),
                choose(self.births),
                choose(self.sexes),
                tuple(pick((False, True)) for _ in self.questions),
                self.added[0] if i < len(corners) else pick(self.added),
                pick(self.doses),
            )

    def _world(
        self, events: list[Event], days: Any, birth: int, sex: str, answers: Any, more: tuple[Event, ...], together: bool
    ) -> Complete:
        return Complete(
            events=(*events, *more),
            birth=birth,
            sex=sex,
            anchors={name: DAY0 + day for name, day in zip(self.anchors, days, strict=True)},
            site=self.case.site,
            answers=dict(zip(self.questions, answers, strict=True)),
            together=together,
            half_life={one: int(about.half_life.low) if about.half_life else 0 for one, about in BY_ID.items()},
        )

    def _told_twice(self, events: list[Event | None]) -> Iterator[list[Event]]:
        """Entries as events of their own, and each way in which two of them are one event told twice."""
        there = [(t, e) for t, e in zip(self.case.told, events, strict=True) if e is not None]
        numbered = [replace(e, same=_number_of(t, i)) for i, (t, e) in enumerate(there)]
        yield numbered
        for (i, (t, e)), (j, (u, f)) in itertools.combinations(enumerate(there), 2):
            if t.kind == "plan" or u.kind == "plan":
                continue
            if e.concept != f.concept or (t.event is not None and u.event is not None):
                continue
            episode = BY_ID[e.concept].episode or Duration(0, "day")
            near = abs(e.day - f.day) <= int(episode.count)
            if near and _agree(e, f):
                one = list(numbered)
                one[j] = replace(one[j], same=one[i].same)
                yield one

    # -- unrecorded events -----------------------------------------------------------------------

    def _additions(self) -> list[tuple[Event, ...]]:
        """Sets of unrecorded events: none; one of every kind on every day; one kind on every day; some pairs."""
        named = {name: days[-1] for name, days in zip(self.anchors, self.anchor_days, strict=True) if f"'{name}'" in repr(self.statement)}
        last = max([self.case.today, *named.values()])  # the last anchor the statement names
        if "after=" in repr(self.statement).replace("after=None", ""):
            last = max(last, 11)  # a window that has no end: beyond what any absence here speaks of
        days = [LONG_AGO - DAY0, *range(-3, max(last, self.case.today) + 1)]
        singles: list[Event] = []
        bulk: list[tuple[Event, ...]] = []
        for concept in sorted(self.extras & self.wanted):
            one_kind: dict[str, list[Event]] = {}
            for event in self._of(concept, days):
                if not self._denied(event):
                    singles.append(event)
                    same = (event.value, event.dose, event.grade, event.items, event.route, event.outcome)
                    one_kind.setdefault(repr(same), []).append(event)
            bulk += [tuple(events) for events in one_kind.values() if len(events) > 1]
        pairs: list[tuple[Event, ...]] = []
        if len(singles) > 1:
            shuffle = random.Random(self.seed + 1)
            pairs = [tuple(shuffle.sample(singles, 2)) for _ in range(60)]
            pairs += [tuple(shuffle.sample(singles, min(3, len(singles)))) for _ in range(40)]
        return [(), *bulk, *pairs, *((one,) for one in singles)]

    def _of(self, concept: str, days: list[int]) -> Iterator[Event]:
        kind = BY_ID[concept]
        fills = _attributes(Told(concept, None), concept, self.asked)
        # what is recorded in a family that was not sent at all is not known (an empty problem list leaves it open)
        unsent = "documented" in self.asked and kind.family not in self.case.listed()
        if len(fills) > 12:
            fills = [fills[0], fills[-1], *random.Random(0).sample(fills, 10)]
        for day in days:
            start = (DAY0 + day) * MINUTES + 1
            if is_point(kind) or kind.family == "procedure":
                ends = [start]
            elif kind.course == "lifelong":
                ends = [FOREVER]
            else:
                ends = [start, *(end_of(DAY0 + d) for d in days if d > day and (d - day) % 2), FOREVER]
            for end, more in itertools.product(ends, fills):
                yield replace(Event(kind.family, concept, start, end, recorded=unsent), **more)

    def _denied(self, event: Event) -> bool:
        """Whether the chart states that there is no such event."""
        case = self.case
        for absent in case.standing():
            if absent.family == event.family and (absent.concept is None or event.concept in _below(absent.concept)):
                since = absent.since if absent.since is not None else case.born
                if event.day <= DAY0 + case.until(absent) and event.last >= DAY0 + since:
                    return True
        for t in case.told:
            if t.kind == "refuted" and event.concept in _below(t.concept):
                lo, hi = case.starts(t)
                lifelong = BY_ID[t.concept].course == "lifelong"
                if (lo == hi or lifelong) and event.day <= DAY0 + lo and (lifelong or event.last >= DAY0 + lo):
                    return True
        return False


def _key(e: Event | None) -> str:
    return repr(e)


def _unique(events: list[Event | None]) -> list[Event | None]:
    seen: dict[str, Event | None] = {}
    for e in events:
        seen.setdefault(_key(e), e)
    return list(seen.values())


def _number_of(t: Told, i: int) -> int:
    return 100 + int(t.event) if t.event is not None and t.event.isdigit() else i


def _agree(e: Event, f: Event) -> bool:
    return (e.value, e.items, e.grade) == (f.value, f.items, f.grade)


def certain_in(case: Case, statement: c.FactAtom, ids: set[str], rules: Rules) -> list[tuple[int, int]]:
    """Start days of the facts that lie in the atom's window whatever the chart leaves open."""
    from denotation.evaluate import _World

    found = []
    # a fact of these may be the anchor; one that may turn out to be what is asked for would be taken for the fact itself
    others = tuple(t for t in case.told if not any(t.concept == one or _related(t.concept, one) for one in ids))
    for t in case.told:
        if t.kind != "fact" or t.concept not in ids or case.possible(t):
            continue
        worlds = Worlds(replace(case, told=(t, *others), written=case.w), statement, rules, True, set())
        sure = True
        for world in worlds.all() if worlds.size <= 1000 else worlds.some(300):
            view = _World(world, rules)
            mine = [e for e in world.events if e.concept in ids]
            if not mine or not all(view.visible(e) and view.placed(statement, e) for e in mine):
                sure = False
                break
        if sure:
            found.append(case.starts(t))
    return found


def certainly_apart(days: list[tuple[int, int]]) -> int:
    """The most of them that fall on different days whatever the chart leaves open."""
    for n in range(len(days), 0, -1):
        for some in itertools.combinations(sorted(days), n):
            if all(a[1] < b[0] for a, b in itertools.pairwise(some)):
                return n
    return 0


def presumes(case: Case, s: c.FactAtom, subject: Any, rules: Rules) -> bool:
    """Whether silence about one entry of the atom's subject is taken for absence (MEANING 5)."""
    if s.planned or s.if_not_recorded is not None:
        return False
    heads = [subject] if isinstance(subject, str) else list(subject)
    if any(isinstance(h, str) and h in BY_ID and BY_ID[h].absence for h in heads):
        return False
    if not _begins_by_today(case, s, rules):
        return False
    if s.family == "observation" and subject != STEROID_DOSE:
        change = s.rise or s.fall
        need = (3 if change.sustained else 2) if change else 1
        if s.count is not None and s.count.distinct == "day":
            need = s.count.at_least or (s.count.at_most or 0) + 1
        ids = subjects(subject, rules)
        return certainly_apart(certain_in(case, s, ids, rules)) >= need
    family = "medication" if s.family == "observation" else s.family
    return family in case.alive()


def _begins_by_today(case: Case, s: c.FactAtom, rules: Rules) -> bool:
    from denotation.evaluate import _World

    first = {name: DAY0 + case.anchor_days(name)[0] for name in {"screening", *case.anchors}}
    if isinstance(s.before, c.Selection) or isinstance(s.after, c.Selection):
        return True
    if s.subject == STEROID_DOSE and s.latest is not None:  # its window is the anchor's day
        return first[s.at or "screening"] <= DAY0 + case.today
    lives = {one: int(about.half_life.high) if about.half_life else 1000 for one, about in BY_ID.items()}  # unknown: any
    view = _World(Complete((), BIRTH, "female", first, half_life=lives), rules)
    probes = [Event(s.family, one, 0, 0) for one in subjects(s.subject, rules)]
    return any(lo <= DAY0 + case.today for probe in probes for lo, _ in view.windows(s, probe))


def presumed_extras(case: Case, s: c.FactAtom, rules: Rules) -> set[str]:
    """Concepts of which unrecorded events may be added even where silence is taken for absence."""
    entries: list[Any] = _entries(s.subject, rules)
    open_ = set()
    for entry in entries:
        if not presumes(case, s, entry, rules):
            open_ |= subjects(entry, rules)
    for sel in selections(s):
        for entry in _entries(sel.subject, rules):
            ids = subjects(entry, rules)
            silent = sel.family in case.alive() and not any(BY_ID[i].absence for i in ids)
            if sel.family == "observation":  # as for a question: one result is enough for the rest to be silence
                silent = any(t.concept in ids and t.kind == "fact" and not case.possible(t) for t in case.told)
            if not silent:
                open_ |= ids
    return open_


def _entries(subject: Any, rules: Rules) -> list[Any]:
    if isinstance(subject, str):
        return [e for one in rules.lists[subject] for e in _entries(one, rules)] if subject in rules.lists else [subject]
    return [e for one in subject for e in (_entries(one, rules) if isinstance(one, str) else [one])]
