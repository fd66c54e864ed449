"""A small invented vocabulary: of every kind of concept the language treats differently, one or two.

The names are no medicine, so nothing here is a claim; half-lives, factors and ranges are small round
numbers that a tiny world can be enumerated over. Prednisone alone keeps its name, since the language
knows the word.
"""

from __future__ import annotations

from typing import Any

from eligibility.model.patient import FAMILIES
from eligibility.model.time import Duration
from eligibility.vocabulary.concept import Concept, Plausible, ScoreItem, Sourced, SourcedDuration

SOURCE = "invented for the tests"


def _concept(name: str, family: str, **fields: Any) -> Concept:
    fields.setdefault("label", name.replace("-", " "))
    fields.setdefault("mentions", (f"q{name[::-1].replace('-', '')}q",))  # a stem no label holds
    return Concept(id=name, family=family, **fields)  # type: ignore[arg-type]


def _steroid(name: str, factor: float) -> Concept:
    equal = Sourced(low=factor, high=factor, source=SOURCE)
    systemic = SOURCE if name == "prednisone" else None  # the others have creams and drops too
    return _concept(name, "medication", broader=("glucocorticoid",), equivalents={"prednisone": equal}, systemic=systemic)


_ITEMS = {
    "rash": ScoreItem(most=2, groups=("skin",)),
    "ulcer": ScoreItem(most=1, groups=("skin",)),
    "serum": ScoreItem(most=2, groups=("lab",)),
}

CONCEPTS: tuple[Concept, ...] = (
    # conditions: a group with narrower ones, an event with an episode, a lifelong one, one that passes, one seldom charted
    _concept("growth", "condition"),
    _concept("growth-skin", "condition", broader=("growth",)),
    _concept("growth-lung", "condition", broader=("growth",)),
    _concept("flare", "condition", course="event", episode=Duration(2, "day")),
    _concept("spell", "condition", course="event", absence="unknown"),
    _concept("lifer", "condition", course="lifelong"),
    _concept("gravid", "condition", lasts_at_most=SourcedDuration(value=Duration(3, "day"), source=SOURCE)),
    # observations: a number with a narrower one, one with ranges and units, named results, classes, a titre, a score
    _concept("marker", "observation", unit="1"),
    _concept("marker-fasting", "observation", unit="1", broader=("marker",)),
    _concept("enzyme", "observation", unit="U/L", units={"kU/L": 1000.0}, plausible=Plausible(low=0, high=50)),
    _concept("swab", "observation", results=("negative", "borderline", "positive")),
    _concept("stage", "observation", classes=("I", "IIa", "IIb", "III"), spans={"II": ("IIa", "IIb")}),
    _concept("dilution", "observation", titre=True),
    _concept("tally", "observation", unit="1", items=_ITEMS),
    _concept("weight", "observation", unit="kg"),
    _concept("height", "observation", unit="cm"),
    _concept("prednisone-equivalent-dose", "observation", unit="mg/day"),
    # drugs: a class; one with a gap and a half-life, one with neither; two steroids
    _concept("blocker", "medication"),
    _concept("blocker-a", "medication", broader=("blocker",), gap=Duration(2, "day"), half_life=Sourced(low=1, high=1, source=SOURCE)),
    _concept("blocker-b", "medication", broader=("blocker",)),
    _concept("glucocorticoid", "medication"),
    _steroid("prednisone", 1),
    _steroid("dexa", 4),
    _steroid("strong-steroid", 20),
    _steroid("weak-steroid", 0.125),
    # the rest
    _concept("washing", "procedure"),
    _concept("removal", "procedure"),
    _concept("cell-product", "procedure", also=("medication",)),
    _concept("live-shot", "immunization"),
    _concept("nut-allergy", "allergy"),
    _concept("milk-allergy", "allergy"),
    # no question is about these: an entry of one keeps its family live
    *(_concept(f"bystander-{family}", family) for family in FAMILIES),
)

BY_ID = {concept.id: concept for concept in CONCEPTS}
NUMBERS = ("marker", "marker-fasting", "enzyme", "tally")
STEROIDS = ("prednisone", "dexa")


def is_point(concept: Concept) -> bool:
    """Whether facts of the concept have a day and no length."""
    return concept.family in ("observation", "immunization") or (concept.family == "condition" and concept.course == "event")
