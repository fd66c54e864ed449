"""How far two encodings of one trial agree, item by item of the published list.

    python benchmarks/agreement.py SHIPPED.yaml OTHER.yaml --dossier DOSSIER.yaml [--patients 2000] [--seed 1]

Each trial was encoded twice, by people who did not see each other's file. Both are run on the same
made-up patients, and what each says of every *dossier item* is compared: passes, blocks or open. An
item split into parts blocks if a part blocks, is open if a part is open and none blocks, and passes
else. An item that stands in several arms takes the best of them, each arm with the shared lists.

The patients are no sick people: they are drawn to hurt. Every concept that either file asks for is
drawn, its narrower and at times its broader ones; values lie on, just beside and far from the limits
of both files, days on and around the ends of both files' windows; some entries are suspected,
refuted, dated to the month or the year or not at all; some absences are stated; the trial's later
visits have a day in half of the patients. The seed decides everything: same files, same figures.

Questions for a person are worded by each author in his own way and cannot be matched, so nobody
answers them here: an item that one file asks and the other computes shows as open against known.

Printed, for each item: the share of patients with the same effect, the share with opposite ones
(passes against blocks), and the commonest kinds of disagreement with examples.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import random
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from eligibility.engine.plan import PREDNISONE_DOSE, Leaf, Plan, compile_plan, nested
from eligibility.engine.record import prepare
from eligibility.engine.settings import Settings
from eligibility.engine.trials import screen
from eligibility.language.library import load_library, load_trial
from eligibility.model.criteria import AgeAtom, Change, DoseTest, FactAtom, GradeTest, Limits, Test
from eligibility.model.finding import CriterionResult, Screening
from eligibility.model.limits import Alternatives, ClassName, Extreme, ExtremeDuration, Measure, TimesLimit, Titre
from eligibility.model.patient import (
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
    Quantity,
    ReferenceRange,
    StatedAbsence,
)
from eligibility.model.quantity import Interval
from eligibility.model.time import Duration, When, date_of, day_of
from eligibility.vocabulary.vocabulary import Vocabulary

AS_OF = day_of(dt.date(2026, 11, 1))
EFFECTS = ("passes", "open", "blocks")
WHERE = {(False, False): "in neither file", (True, False): "only in the first file", (False, True): "only in the second file"}
SEVERITY = {effect: rank for rank, effect in enumerate(EFFECTS)}
FIRST = ("screening", "consent")
RECENT = 28
"""Days that files let a visit look back where the record says nothing; most results are drawn inside."""


@dataclass
class Topic:
    """What both files ask about one concept: its limits, lengths of time and attributes."""

    family: Family
    concept: str
    limits: list[Any] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    lengths: list[Duration] = field(default_factory=list)
    doses: list[Measure] = field(default_factory=list)
    steps: list[Measure] = field(default_factory=list)
    outcomes: bool = False
    grades: list[tuple[str, str]] = field(default_factory=list)
    planned: bool = False
    documented: bool = False


def atoms(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every limit, length and name inside a piece of a rule, with the node that holds it."""
    if not isinstance(value, BaseModel):
        return
    for name in type(value).model_fields:
        inside = getattr(value, name)
        for one in inside if isinstance(inside, tuple) else (inside,):
            if isinstance(one, BaseModel):
                yield from atoms(one)
            elif isinstance(one, Alternatives | Extreme | ExtremeDuration):
                for part in one.of:
                    yield value, part
            elif one is not None:
                yield value, one


class Asked:
    """What two plans ask, gathered by concept, and who is old enough for them."""

    def __init__(self, plans: Sequence[Plan], vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.topics: dict[tuple[Family, str], Topic] = {}
        self.ages: set[int] = set()
        for plan in plans:
            widths = [visit.looks_back for visit in plan.schedule.values() if visit.looks_back is not None]
            for leaf in plan.leaves:
                self._gather(leaf, widths)

    def _gather(self, leaf: Leaf, widths: list[Duration]) -> None:
        if isinstance(leaf.node, AgeAtom):
            self.ages |= {int(limit.count) for _, limit in atoms(leaf.node) if isinstance(limit, Duration) and limit.unit == "year"}
        for ratio in (leaf.derived.ratio or ()) if leaf.derived is not None else ():
            self._topic("observation", ratio.observation)
        for selector in nested(leaf.selector):
            for concept in selector.concepts:
                if selector.family is None or concept not in self.vocabulary.concepts:
                    continue
                own = self.vocabulary.concepts[concept]
                topic = self._topic(selector.family if selector.family in (own.family, *own.also) else own.family, concept)
                if selector is leaf.selector:
                    _add(topic, leaf.node, widths)

    def _topic(self, family: Family, concept: str) -> Topic:
        if concept == PREDNISONE_DOSE:
            family, concept = "medication", "glucocorticoid"
        return self.topics.setdefault((family, concept), Topic(family, concept))


def _add(topic: Topic, node: Any, widths: list[Duration]) -> None:
    topic.lengths += widths
    if isinstance(node, FactAtom):
        topic.documented |= bool(node.documented)
        topic.planned |= bool(node.planned)
    for holder, value in atoms(node):
        if isinstance(value, Duration):
            topic.lengths.append(value)
        elif isinstance(holder, GradeTest) and isinstance(value, Measure | ClassName):
            topic.grades.append((holder.scale, str(value)))
        elif isinstance(holder, DoseTest) or (topic.family == "medication" and isinstance(value, Measure)):
            topic.doses += [value] if isinstance(value, Measure) else []
        elif isinstance(holder, Change):
            topic.steps += [value] if isinstance(value, Measure) and "relative" not in (value.unit or "") else []
        elif isinstance(value, Measure | TimesLimit | Titre | ClassName):
            topic.limits.append(value)
        elif isinstance(holder, Test) and holder.outcome and value in holder.outcome:
            topic.outcomes = True
        elif isinstance(holder, Limits) and holder.is_ and value in holder.is_:
            topic.names.append(value)


class Generator:
    """Draws patients for what two files ask. The same seed and number give the same patient."""

    RATES: Mapping[Family, tuple[float, float]] = {
        "observation": (0.75, 60),
        "condition": (0.3, 5),
        "medication": (0.3, 5),
        "procedure": (0.25, 3),
        "immunization": (0.3, 2),
        "allergy": (0.25, 2),
    }
    """For each family the chance that a concept is charted, and how many concepts a full chart has."""

    def __init__(self, asked: Asked, visits: Sequence[str], seed: int) -> None:
        self.asked = asked
        self.vocabulary = asked.vocabulary
        self.visits = visits
        self.seed = seed
        self.topics = [asked.topics[key] for key in sorted(asked.topics)]
        self.size = Counter(topic.family for topic in self.topics)

    def patient(self, number: int) -> tuple[Patient, dict[str, When]]:
        """Patient ``number`` with the days of the later visits, which half of the patients have."""
        draw = self.draw = random.Random(f"{self.seed}/{number}")
        fullness = draw.choice((0.25, 0.6, 1.0))
        charts: dict[Family, list[Any]] = {family: [] for family in FAMILIES}
        for topic in self.topics:
            rate, most = self.RATES[topic.family]
            chance = 0.85 if topic.documented else fullness * min(rate, most / self.size[topic.family])
            if topic.family == "observation":
                chance = rate if fullness > 0.5 else 0.5
            if draw.random() < chance:
                charts[topic.family] += self._facts(topic)
        if any("kg" in (m.unit or "") for topic in self.topics for m in topic.doses) and "weight" in self.vocabulary:
            charts["observation"].append(Observation(concept="weight", start=self._when(3), value=70.0, unit="kg", status="final"))
        if draw.random() < 0.05:
            charts["condition"].append(Condition(text="entry carried over, see letter", start=When.on(AS_OF - draw.randrange(900))))
        visit = When.on(AS_OF + draw.choice((0, 1, 7, 14, 21, 28, 42, 60)))
        anchors = dict.fromkeys(self.visits, visit) if draw.random() < 0.5 else {}
        patient = Patient(
            id=f"p{number}",
            birth_date=self._birth(),
            sex=() if draw.random() < 0.02 else (draw.choice(("female", "male")),),
            written=When.on(AS_OF),
            absences=self._absences(),
            conditions=tuple(charts["condition"]),
            observations=tuple(charts["observation"]),
            medications=tuple(charts["medication"]),
            procedures=tuple(charts["procedure"]),
            immunizations=tuple(charts["immunization"]),
            allergies=tuple(charts["allergy"]),
        )
        return patient, anchors

    # -- people --------------------------------------------------------------------------------

    def _birth(self) -> tuple[When, ...]:
        draw = self.draw
        if draw.random() < 0.02:
            return ()
        if self.asked.ages and draw.random() < 0.3:
            limit = draw.choice(sorted(self.asked.ages))
            day = Duration(limit, "year").back(AS_OF) + draw.choice((-366, -365, -1, 0, 1, 30))
        else:
            day = AS_OF - draw.randrange(19 * 365, 62 * 365)
        return (self._rough(day),)

    def _absences(self) -> tuple[StatedAbsence, ...]:
        draw = self.draw
        found = [
            StatedAbsence(family=family, kind="complete", as_of=When.on(AS_OF))
            for family in FAMILIES
            if family != "observation" and draw.random() < 0.2
        ]
        for topic in self.topics:
            if topic.family != "observation" and draw.random() < 0.04:
                found.append(StatedAbsence(family=topic.family, kind="none-known", concept=topic.concept, as_of=When.on(AS_OF)))
        return tuple(found)

    # -- days ----------------------------------------------------------------------------------

    def _rough(self, day: int) -> When:
        """A day as charts have it: mostly to the day, at times to the month or the year."""
        roll, text = self.draw.random(), date_of(day).isoformat()
        return When.parse(text[:4]) if roll < 0.03 else When.parse(text[:7]) if roll < 0.1 else When.on(day)

    def _back(self, topic: Topic) -> int:
        """Days before the screening date: around the ends of the windows, or anywhere in ten years."""
        draw = self.draw
        lengths = [one for one in topic.lengths if one.unit != "half-life"]
        roll = draw.random()
        if topic.family == "observation" and roll < 0.6:
            return draw.randrange(RECENT)
        if lengths and roll < 0.85:
            length = AS_OF - draw.choice(lengths).back(AS_OF)
            return max(0, draw.choice((length - 1, length, length + 1, length // 2, length * 3 // 2, length * 3 // 4)))
        return draw.randrange(1, draw.choice((60, 400, 3650)))

    def _when(self, back: int) -> When | None:
        return None if self.draw.random() < 0.02 else self._rough(AS_OF - back)

    # -- entries -------------------------------------------------------------------------------

    def _concept(self, topic: Topic) -> str:
        draw = self.draw
        narrower = sorted(self.vocabulary.descendants(topic.concept) - {topic.concept})
        broader = sorted(self.vocabulary.concepts[topic.concept].broader)
        if narrower and draw.random() < 0.6:
            return draw.choice(narrower)
        if broader and draw.random() < 0.06:
            return draw.choice(broader)
        return topic.concept

    def _facts(self, topic: Topic) -> list[Entry]:
        if topic.family == "observation":
            return self._results(topic)
        return [self._entry(topic) for _ in range(self.draw.choice((1, 1, 1, 2)))]

    def _entry(self, topic: Topic) -> Entry:
        draw = self.draw
        back = self._back(topic)
        common: dict[str, Any] = {"concept": self._concept(topic), "start": self._when(back)}
        running = topic.documented or draw.random() < 0.5
        if not running and back > 1:
            common["end"] = self._when(draw.choice((draw.randrange(back), back // 2, min(back - 1, self._back(topic)))))
        sure = draw.random()
        match topic.family:
            case "condition":
                if topic.grades:
                    common["grade"] = draw.choice(("1", "2", "3", "4", "5"))
                return Condition(
                    **common,
                    status="active" if running else "resolved",
                    verification="provisional" if sure < 0.05 else "refuted" if sure < 0.09 else "confirmed",
                )
            case "medication":
                return self._drug(topic, common, running)
            case "procedure":
                common.pop("end", None)
                planned = topic.planned and sure < 0.4
                return Procedure(**common, status="preparation" if planned else "not-done" if sure > 0.96 else "completed", planned=planned)
            case "immunization":
                common.pop("end", None)
                planned = topic.planned and sure < 0.4
                if planned:
                    common["start"] = When.on(AS_OF + draw.randrange(1, 90))
                return Immunization(**common, status=None if planned else "completed", planned=planned)
        common.pop("end", None)
        return Allergy(**common, status="active", verification="unconfirmed" if sure < 0.1 else "confirmed")

    def _drug(self, topic: Topic, common: dict[str, Any], running: bool) -> Medication:
        draw = self.draw
        own = self.vocabulary.concepts[common["concept"]]
        dose: Quantity | None = None
        if topic.doses and draw.random() < 0.9:
            limit = draw.choice(topic.doses)
            value = round(draw.choice((limit.value, limit.value * 0.5, limit.value * 1.5, limit.value + 1, limit.value * 0.9)), 2)
            dose = Quantity(value=value, unit=limit.unit)
        elif own.equivalents or draw.random() < 0.5:
            dose = Quantity(value=draw.choice((5.0, 10.0, 20.0, 40.0)), unit="mg/day")
        outcome: tuple[Any, ...] = ()
        if topic.outcomes and draw.random() < 0.7:
            outcome = (draw.choice(("inadequate-response", "inadequate-response", "loss-of-response", "intolerance", "response")),)
        status: Any = draw.choice(("active", "active", "active", None)) if running else draw.choice(("stopped", "completed"))
        return Medication(
            **common, status="not-taken" if draw.random() < 0.03 else status, dose=dose, outcome=outcome, route=draw.choice((None, "oral"))
        )

    # -- results -------------------------------------------------------------------------------

    def _results(self, topic: Topic) -> list[Entry]:
        draw = self.draw
        concept = self._concept(topic)
        found: list[Entry] = []
        base: float | None = None
        for _ in range(draw.choice((2, 3, 3, 4)) if topic.steps else draw.choice((1, 1, 2, 3))):
            if topic.planned and draw.random() < 0.2:
                continue
            said = self._value(topic, concept, base)
            if isinstance(said.get("value"), float):
                base = said["value"]
            status = "preliminary" if draw.random() < 0.03 else "final"
            found.append(Observation(concept=concept, start=self._when(self._back(topic)), status=status, **said))
        return found

    def _value(self, topic: Topic, concept: str, base: float | None) -> dict[str, Any]:
        draw = self.draw
        own = self.vocabulary.concepts[concept]
        if own.items and draw.random() < 0.4:
            items = {name: float(draw.randrange(int(item.most) + 1)) for name, item in own.items.items()}
            return {"items": items, "value": float(sum(items.values()))}
        if topic.steps and base is not None and draw.random() < 0.7:
            step = draw.choice(topic.steps).value * draw.choice((-2, -1, -0.5, 0, 0.5, 1, 1, 2))
            return self._within(own, base + step, own.unit)
        numbers = [limit for limit in topic.limits if isinstance(limit, Measure) and self._fits(concept, limit)]
        multiples = [limit for limit in topic.limits if isinstance(limit, TimesLimit)]
        titres = [limit for limit in topic.limits if isinstance(limit, Titre)]
        if multiples and own.unit and draw.random() < 0.6:
            high = 40.0
            value = draw.choice(multiples).factor * high * draw.choice((0.5, 0.9, 1.0, 1.02, 1.5))
            said: dict[str, Any] = {"value": round(value, 3), "unit": own.unit}
            return said if draw.random() < 0.15 else {**said, "range": ReferenceRange(low=10.0, high=high)}
        if titres and draw.random() < 0.8:
            return {"value": f"1:{draw.choice(titres).dilution * draw.choice((0.5, 1, 2)):g}"}
        if own.classes:
            return {"value": draw.choice((*own.classes, *own.spans))}
        if own.results and (not numbers or draw.random() < 0.6):
            return {"value": draw.choice(topic.names) if topic.names and draw.random() < 0.4 else draw.choice(own.results)}
        if numbers:
            limit = draw.choice(numbers)
            step = 1.0 if own.whole else 0.5 if own.unit in (None, "1") else max(abs(limit.value) * 0.01, 0.01)
            at = limit.value
            value = draw.choice((at, at - step, at + step, at * 0.5, at * 1.5, at * 1.1))
            said = self._within(own, value, limit.unit or own.unit)
            if draw.random() < 0.03:
                return {"value": Quantity(value=said["value"], unit=said["unit"], comparator=draw.choice(("<", ">")))}
            return said
        bounds = own.plausible
        low, high = (bounds.low or 0.0, bounds.high or 100.0) if bounds is not None else (0.0, 10.0)
        return self._within(own, low + (high - low) * draw.random() ** 2, own.unit)

    def _fits(self, concept: str, limit: Measure) -> bool:
        return isinstance(self.vocabulary.quantity(concept, Interval.exactly(limit.value), limit.unit), Interval)

    def _within(self, own: Any, value: float, unit: str | None) -> dict[str, Any]:
        value = float(round(value)) if own.whole else round(value * 2) / 2 if own.unit in (None, "1") else float(f"{value:.4g}")
        if own.plausible is not None and unit == own.unit:
            value = max(value, own.plausible.low or 0.0)
            value = min(value, own.plausible.high) if own.plausible.high is not None else value
        return {"value": max(value, 0.0), "unit": unit}


# -- comparing -------------------------------------------------------------------------------------


@dataclass
class Item:
    """How two files agree on one item of the dossier."""

    id: str
    paraphrase: str
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    kinds: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)
    examples: dict[tuple[str, str, str, str], list[str]] = field(default_factory=dict)

    @property
    def same(self) -> float:
        """Share of patients for whom both files say the same."""
        return sum(n for (one, other), n in self.counts.items() if one == other) / max(1, sum(self.counts.values()))

    @property
    def opposite(self) -> float:
        """Share of patients whom one file lets pass and the other bars."""
        return (self.counts["passes", "blocks"] + self.counts["blocks", "passes"]) / max(1, sum(self.counts.values()))


def item_of(result: CriterionResult) -> str:
    """The dossier item that a criterion is, or is a part of."""
    return str(result.criterion.part_of or result.id)


def effects(screening: Screening) -> dict[str, tuple[str, list[CriterionResult]]]:
    """The effect of every item and the parts that give it: the worst part of an arm, the best arm."""
    arms = [(*screening.criteria, *arm.criteria) for arm in screening.arms] or [screening.criteria]
    found: dict[str, tuple[str, list[CriterionResult]]] = {}
    for criteria in arms:
        of_arm: dict[str, tuple[str, list[CriterionResult]]] = {}
        for result in criteria:
            name = item_of(result)
            effect, parts = of_arm.get(name, ("passes", []))
            of_arm[name] = (max(effect, result.effect, key=SEVERITY.__getitem__), [*parts, result])
        for name, (effect, parts) in of_arm.items():
            if name not in found or SEVERITY[effect] < SEVERITY[found[name][0]]:
                found[name] = (effect, parts)
    return found


def reasons(effect: str, parts: list[CriterionResult]) -> str:
    """Which parts give the effect, and why the open ones are open."""
    if effect == "passes":
        return ""
    told = []
    for part in parts:
        if part.effect == effect:
            codes = sorted({reason.code for reason in part.reasons}) if effect == "open" else []
            told.append(f"{part.id}({', '.join(codes)})" if codes else part.id)
    return " ".join(told)


def describe(patient: Patient, anchors: Mapping[str, When], concepts: frozenset[str]) -> str:
    """The entries of a made-up patient about some concepts, one line each."""
    lines = [f"born {', '.join(map(str, patient.birth_date)) or '?'}, {', '.join(patient.sex) or '?'}"]
    lines[0] += "".join(f", {name} {when}" for name, when in anchors.items())
    for family in FAMILIES:
        for entry in patient.family(family):
            if entry.concept is not None and entry.concept in concepts:
                said = entry.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
                lines.append(f"{family}: " + ", ".join(f"{key}={value}" for key, value in said.items()))
    for absence in patient.absences:
        if absence.concept is None or absence.concept in concepts:
            lines.append(f"stated: {absence.kind} {absence.concept or absence.family}")
    return "\n        ".join(lines)


def related(plans: Sequence[Plan], item: str, vocabulary: Vocabulary) -> frozenset[str]:
    """The concepts that bear on an item in either file, with narrower and broader ones."""
    own = {c for plan in plans for one in plan.criteria if (one.criterion.part_of or one.id) == item for c in one.concepts}
    if PREDNISONE_DOSE in own:
        own.add("glucocorticoid")
    known = {c for c in own if c in vocabulary.concepts}
    return frozenset(known.union(*(vocabulary.descendants(c) | vocabulary.ancestors(c) for c in known)))


def compare(shipped: Path, other: Path, dossier: Path, patients: int, seed: int, examples: int) -> dict[str, Any]:
    """Run both files on ``patients`` made-up patients and compare what they say of each dossier item.

    Returns the figures that are printed, as plain values. Items that one file does not have are named
    and not counted; criteria that are no dossier item are left out.
    """
    library = load_library((), shipped=False)
    plans = [compile_plan(load_trial(path), library.definitions, library.vocabulary) for path in (shipped, other)]
    listed = yaml.safe_load(dossier.read_text(encoding="utf-8"))["criteria"] or []
    titles = {str(one["id"]): str(one["paraphrase"]) for one in listed}
    present = [{one.criterion.part_of or one.id for one in plan.criteria} for plan in plans]
    items = {name: Item(name, text) for name, text in titles.items() if name in present[0] and name in present[1]}
    undated = [{name for name, visit in plan.schedule.items() if name not in FIRST and visit.on is None} for plan in plans]
    generator = Generator(Asked(plans, library.vocabulary), sorted(undated[0] | undated[1]), seed)
    bearing = {name: related(plans, name, library.vocabulary) for name in items}
    for number in range(patients):
        patient, anchors = generator.patient(number)
        record = prepare(patient, library.vocabulary, AS_OF)
        answers = []
        for plan, names in zip(plans, undated, strict=True):
            given = {name: when for name, when in anchors.items() if name in names}
            answers.append(effects(screen(record, plan, Settings(AS_OF, anchors=given), details=False)))
        for name, item in items.items():
            (one, parts), (two, others) = answers[0][name], answers[1][name]
            item.counts[one, two] += 1
            if one != two:
                kind = (one, two, reasons(one, parts), reasons(two, others))
                item.kinds[kind] += 1
                told = item.examples.setdefault(kind, [])
                if len(told) < examples:
                    told.append(f"{patient.id}: {describe(patient, anchors, bearing[name])}")
    return _figures(items, [name for name in titles if name not in items], present, patients, seed)


def _figures(items: Mapping[str, Item], missing: list[str], present: list[set[str]], patients: int, seed: int) -> dict[str, Any]:
    pairs = max(1, sum(sum(item.counts.values()) for item in items.values()))
    equal = sum(item.same * sum(item.counts.values()) for item in items.values())
    opposed = sum(item.opposite * sum(item.counts.values()) for item in items.values())
    return {
        "patients": patients,
        "seed": seed,
        "items": len(items),
        "same": equal / pairs,
        "opposite": opposed / pairs,
        "not_compared": {name: WHERE[name in present[0], name in present[1]] for name in missing},
        "by_item": [
            {
                "id": item.id,
                "paraphrase": item.paraphrase,
                "same": item.same,
                "opposite": item.opposite,
                "table": {f"{one} / {two}": n for (one, two), n in sorted(item.counts.items())},
                "disagreements": [
                    {"effects": f"{one} / {two}", "by": f"{why or '-'} / {also or '-'}", "patients": n, "examples": item.examples[kind]}
                    for kind, n in sorted(item.kinds.items(), key=lambda pair: (_calm(pair[0]), -pair[1], pair[0]))
                    for one, two, why, also in [kind]
                ],
            }
            for item in items.values()
        ],
    }


def _calm(kind: tuple[str, str, str, str]) -> bool:
    """Opposite effects are shown first: they are the dangerous ones."""
    return "open" in kind[:2]


def show(figures: Mapping[str, Any], most: int) -> str:
    """The figures as text, the kinds of disagreement cut to the ``most`` commonest of each item."""
    shares = f"same {figures['same']:.1%}, opposite {figures['opposite']:.2%}" if figures["items"] else "nothing to compare"
    lines = [f"{figures['patients']} patients (seed {figures['seed']}), {figures['items']} items: {shares}"]
    lines += [f"  {name}: not compared, {why}" for name, why in figures["not_compared"].items()]
    for item in figures["by_item"]:
        mark = "  <-- OPPOSITE" if item["opposite"] else ""
        both = " ".join(f"{effect} {item['table'].get(f'{effect} / {effect}', 0)}" for effect in EFFECTS)
        lines.append(
            f"{item['id']:5} same {item['same']:6.1%} ({both})  opposite {item['opposite']:6.2%}{mark}   {item['paraphrase'][:80]}"
        )
        for kind in item["disagreements"][:most]:
            lines.append(f"    {kind['patients']:5} x {kind['effects']}   by {kind['by']}")
            lines += [f"      {example}" for example in kind["examples"]]
        if len(item["disagreements"]) > most:
            lines.append(f"          and {len(item['disagreements']) - most} rarer kinds")
    return "\n".join(lines)


def main() -> None:
    """Read the arguments and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shipped", type=Path, help="the rule file that ships")
    parser.add_argument("other", type=Path, help="the second encoding")
    parser.add_argument("--dossier", type=Path, required=True, help="the list of published items, which names what is compared")
    parser.add_argument("--patients", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--examples", type=int, default=2, help="examples of each kind of disagreement")
    parser.add_argument("--kinds", type=int, default=6, help="kinds of disagreement shown of each item")
    parser.add_argument("--json", action="store_true", help="everything as JSON")
    options = parser.parse_args()
    figures = compare(options.shipped, options.other, options.dossier, options.patients, options.seed, options.examples)
    print(json.dumps(figures, indent=2, ensure_ascii=False) if options.json else show(figures, options.kinds))


if __name__ == "__main__":
    main()
