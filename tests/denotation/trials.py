"""Small trials around generated statements, screened by the engine, and records told more (MEANING 8)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from denotation.engine import settings_of, vocabulary
from denotation.strategies import DEFINITIONS, DERIVED, LISTS, SCHEDULE
from denotation.vocabulary import BY_ID
from denotation.worlds import DAY0, NUMBERS_BEYOND, OUTCOMES, ROUTES, STEROID_DOSE, Absent, Case, Told
from eligibility.engine.plan import Plan, compile_plan
from eligibility.engine.record import prepare
from eligibility.engine.trials import screen
from eligibility.model.finding import CriterionResult, Need, Screening
from eligibility.model.site import Attestation
from eligibility.model.time import date_of
from eligibility.model.trial import TrialFile


def trial_of(criteria: Sequence[tuple[str, Any]], **more: Any) -> TrialFile:
    """A rule file of (kind, statement) pairs, named I1, I2 ... and E1, E2 ... in their order."""
    lists: dict[str, list[dict[str, Any]]] = {"inclusion": [], "exclusion": []}
    for number, (kind, statement) in enumerate(criteria):
        lists[kind].append({"id": f"C{number}", "text": f"criterion {number}", "when": statement})
    return TrialFile.model_validate(
        {
            "trial": {"id": "T1", "title": "A tiny trial"},
            "schedule": SCHEDULE,
            "lists": LISTS,
            "definitions": DEFINITIONS,
            "derived": DERIVED,
            **lists,
            **more,
        }
    )


def plan_of(trial: TrialFile) -> Plan:
    return compile_plan(trial, {}, vocabulary())


def screened(plan: Plan, case: Case, details: bool = True, later: int = 0, answers: tuple[Attestation, ...] = ()) -> Screening:
    """The screening of a case, ``later`` days on."""
    settings = replace(settings_of(case, later=later), attestations=answers)
    return screen(prepare(case.patient(), vocabulary(), settings.as_of), plan, settings, details)


def only(screening: Screening) -> CriterionResult:
    (result,) = screening.criteria
    return result


# -- supplying what an open criterion asks for -----------------------------------------------------


def names_of(need: Need) -> list[str]:
    """The concepts a need is about: one, a list in line, or a named list."""
    named = need.item.removeprefix("the list ")
    if named not in LISTS:
        return [one.strip() for one in need.item.split(",")]
    return [one for entry in LISTS[named] for one in ((entry,) if isinstance(entry, str) else entry)]


@dataclass
class Supply:
    """A case told what its needs ask for, each precise and certain, whatever it turns out to be."""

    case: Case
    random: Random
    answers: list[Attestation] = field(default_factory=list)
    minutes: int = 0
    days: set[int] = field(default_factory=set)

    def minute(self) -> int:
        """A time of day no other supplied entry has."""
        self.minutes += 1
        return 60 + self.minutes * 7

    def give(self, need: Need, plan: Plan) -> None:
        match need.do:
            case "record" if need.absence:
                self.case = replace(self.case, absent=(*self.case.absent, *self.absences(need)))
            case "record" if need.family is None:
                self.person(need)
            case "record":
                self.record(need)
            case "refine" if need.source is None:
                self.person(need)
            case "refine" | "map":
                self.refine(need)
            case "anchor":
                lo, hi = self.case.anchor_days(need.item)
                day = self.random.randint(lo, hi)
                self.case = replace(self.case, anchors={**self.case.anchors, need.item: (day, day)}, given=(*self.case.given, need.item))
            case "attest":
                (criterion,) = plan.criteria
                number = next(q.number for q in criterion.questions if q.text == need.item)
                self.answers.append(
                    Attestation(
                        patient="p",
                        trial="T1",
                        criterion=criterion.id,
                        leaf=number,
                        answer=self.random.choice(["yes", "no"]),
                        role="physician",
                        date=date_of(DAY0 + self.case.today),
                        until=date_of(DAY0 + self.case.today) + dt.timedelta(30),
                        digest=criterion.digest,
                    )
                )
            case _:
                raise AssertionError(f"nothing to give for {need}")

    def absences(self, need: Need) -> list[Absent]:
        assert need.family is not None
        assert need.end is not None
        since = None if need.start is None or need.start < DAY0 - 400 else need.start - DAY0
        family = "medication" if need.item == STEROID_DOSE else need.family
        found = []
        for name in names_of(need):
            # of a measure that is computed, and of a day's dose, nothing of the family at all is stated
            concept = name if name in BY_ID and name != STEROID_DOSE else None
            found.append(Absent(family, concept, "complete", since, need.end - DAY0))
        return found

    def person(self, need: Need) -> None:
        if "sex" in need.item:
            self.case = replace(self.case, sex=(self.random.choice(["female", "male"]),))
        elif "birth" in need.item or "age" in need.item:
            lo, hi = self.random.choice(self.case.birth) if self.case.birth else (-15000, -14000)
            day = self.random.randint(lo, hi)
            self.case = replace(self.case, birth=((day, day),))
        else:
            answer = self.random.choice(["GB", "north", "elsewhere"])
            self.case = replace(self.case, site={**self.case.site, need.item.removeprefix("site "): answer})

    def record(self, need: Need) -> None:
        lo = max((need.start if need.start is not None else 0) - DAY0, -700)
        hi = (need.end if need.end is not None else DAY0 + self.case.today) - DAY0
        concept = self.random.choice(names_of(need))
        narrower = [one.id for one in BY_ID.values() if concept in one.broader]
        concept = self.random.choice(narrower or [concept])  # certain: coded as finely as can be
        # results on days of their own: two of one day may be one
        free = [one for one in range(max(lo, min(hi, -4)), hi + 1) if one not in self.days]
        day = self.random.choice(free or [hi])
        self.days.add(day)
        told = Told(concept, (day, day), minute=self.minute(), value=self.value(concept))
        self.case = replace(self.case, told=(*self.case.told, self.full(told)))

    def value(self, concept: str) -> tuple[str, Any]:
        kind = BY_ID[concept]
        if kind.results:
            return "name", self.random.choice([kind.results[0], kind.results[-1]])  # a borderline result settles nothing
        if kind.classes:
            return "class", self.random.choice(kind.classes)
        if kind.titre:
            return "titre", self.random.choice(["1:20", "1:40", "1:80", "1:160"])
        return "=", self.random.choice([n for n in NUMBERS_BEYOND if n > 0 or kind.unit == "1"]) if concept != "height" else 100.0

    def full(self, told: Told) -> Told:
        """An entry that leaves nothing open."""
        kind = BY_ID[told.concept]
        if kind.items:
            items = tuple((name, float(self.random.randint(0, int(item.most)))) for name, item in kind.items.items())
            items = ((items[0][0], 1.0), *items[1:])  # no share of nothing
            return replace(told, items=items, value=("=", sum(points for _, points in items)))
        if told.family == "medication":
            told = replace(told, dose=self.random.choice([1.0, 2.0]), route=self.random.choice(ROUTES))
            last = max(told.start[1] if told.start else 0, self.random.choice([0, self.case.today]))
            return replace(told, outcome=self.random.choice(OUTCOMES), ends="given", end=(last, last))
        if told.family == "observation":
            return replace(told, range=(1.0, 2.0) if told.concept == "enzyme" else None)
        told = replace(told, grade=told.grade or self.random.randint(1, 3))
        if told.family == "condition" and told.start is not None and not told.point and told.ends != "given":
            told = replace(told, ends="given", end=(max(told.start[1], self.case.today - 1),) * 2)
        return told

    def refine(self, need: Need) -> None:
        assert need.source is not None
        number = int(need.source.removeprefix("e"))
        told = self.case.told[number]
        more: Told | None
        attribute = "code" if need.do == "map" else need.attribute
        match attribute:
            case "code" | "entry":
                more = self.meaning(told)
            case "status":
                more = replace(told, sure=True) if self.random.random() < 0.5 else None
                if more is not None:
                    self.dismiss(number)
            case "start":
                lo, hi = self.case.starts(told)
                lo = max(lo, -700)
                day = self.random.choice([lo, hi, self.random.randint(lo, hi)])
                more = replace(told, start=(day, day), minute=told.minute if told.minute is not None and lo == hi else self.minute())
            case "end":
                lo, _ = self.case.starts(told)
                lo, hi = told.end if told.ends == "given" else (max(lo, -3), self.case.today + 3)
                day = self.random.randint(lo, max(lo, hi))
                more = replace(told, ends="given", end=(day, day))
            case "value" | "unit":
                fresh = replace(told, value=self.value(told.concept)) if told.value[0] in ("none", "no-unit", "beyond") else told
                more = replace(fresh, value=self.exact(fresh))
                if told.concept == "tally":
                    more = self.full(told)
                if told.value[0] == "none" and told.items is None and self.random.random() < 0.25:
                    more = None  # a result that never came
            case "episode":  # whether it is the event another entry tells of: by its number
                more = replace(told, event=self.random.choice(["7", str(50 + number)]))
            case "range":
                more = replace(told, range=self.random.choice([(1.0, 2.0), (0.5, 3.0)]))
            case "dose":
                more = replace(told, dose=self.random.choice([1.0, 2.0, 3.0]))
            case "route":
                more = replace(told, route=self.random.choice(ROUTES))
            case "outcome":
                more = replace(told, outcome=self.random.choice(OUTCOMES))
            case "grade":
                more = replace(told, grade=self.random.randint(1, 4))
            case _:
                raise AssertionError(f"no attribute {need}")
        self.put(number, more)

    def put(self, number: int, told: Told | None) -> None:
        """Another entry in the place of one; None: it is none of the concepts asked about after all."""
        was = self.case.told[number]
        gone = Told(f"bystander-{was.family}", was.start, value=("=", 1.0) if was.family == "observation" else ("none", None))
        self.case = replace(self.case, told=(*self.case.told[:number], told or gone, *self.case.told[number + 1 :]))

    def dismiss(self, number: int) -> None:
        """Where an entry is confirmed, those that speak against it are not so."""
        for other in range(len(self.case.told)):
            told = replace(self.case.told[number], sure=True)
            pair = replace(self.case, told=(told, self.case.told[other]))
            if other != number and pair.possible(told):
                self.put(other, None)

    def exact(self, told: Told) -> tuple[str, Any]:
        how, value = told.value
        if how in ("<", "<=", ">", ">="):
            least = 0.0 if BY_ID[told.concept].plausible is not None else -9.0
            meets = {"<": float.__lt__, "<=": float.__le__, ">": float.__gt__, ">=": float.__ge__}[how]
            return "=", self.random.choice([n for n in NUMBERS_BEYOND if n >= least and meets(n, float(value))])
        if how == "class" and value == "II":
            return "class", self.random.choice(["IIa", "IIb"])
        return how, value

    def meaning(self, told: Told) -> Told | None:
        """What an entry of unknown or of wider meaning is: any concept of its family that it may stand for."""
        if self.random.random() < 0.4:
            return None  # something else, or another kind of it that nobody asks about
        below = sorted(one.id for one in BY_ID.values() if told.concept in one.broader)
        known = replace(told, concept=self.random.choice(below or [told.concept]))
        if told.understood:
            return known
        # an entry that nobody understood is, once it is, told whole
        lo, hi = self.case.starts(told)
        day = self.random.randint(max(lo, -3), max(hi, -3))
        return self.full(replace(known, kind="fact", sure=True, start=(day, day), ends="open"))
