"""A small vocabulary and library of their own, so that these tests hold whatever the shipped ones grow into."""

from __future__ import annotations

import pytest

from eligibility.language.library import RuleLibrary
from eligibility.model.trial import Definition
from eligibility.vocabulary.concept import Concept
from eligibility.vocabulary.loader import shipped
from eligibility.vocabulary.vocabulary import Vocabulary

CODE = {"icd10cm": [{"code": "Z99.9", "source": "made up for tests"}]}


def concept(id: str, family: str = "condition", **fields: object) -> Concept:
    """A concept of the tests; codes are given where silence about it may count."""
    return Concept.model_validate({"id": id, "family": family, "label": id.replace("-", " "), "codes": CODE, **fields})


def observation(id: str, **fields: object) -> Concept:
    return concept(id, "observation", **{"codes": {}, **fields})


CONCEPTS = (
    concept("cancer"),
    concept("skin-cancer", broader=["cancer"]),
    concept("lupus", course="lifelong"),
    concept("myositis"),
    concept("heart-failure"),
    concept("infarction", course="event"),
    concept("relapse", course="event", absence="unknown"),
    concept("gilbert", codes={}),
    concept("thyroiditis"),
    concept("car-t", "procedure", also=["medication"]),
    concept("transfusion", "procedure"),
    concept("live-vaccine", "immunization"),
    concept("penicillin", "allergy"),
    concept("anti-cd20", "medication"),
    concept("rituximab", "medication", broader=["anti-cd20"], half_life={"low": 18, "high": 32, "source": "label"}),
    concept("ocrelizumab", "medication", broader=["anti-cd20"]),
    concept("glucocorticoid", "medication"),
    concept("prednisone", "medication", broader=["glucocorticoid"]),
    concept(
        "dexamethasone",
        "medication",
        broader=["glucocorticoid"],
        equivalents={"prednisone": {"low": 6.6, "high": 6.7, "source": "made up for tests"}},
    ),
    concept("methotrexate", "medication"),
    concept("azathioprine", "medication"),
    observation("edss", unit="1", plausible={"low": 0, "high": 10}),
    observation("hemoglobin", unit="g/dL", plausible={"low": 1, "high": 30}),
    observation("platelets", unit="/uL"),
    observation("igg", unit="mg/dL"),
    observation("lesions", unit="1", whole=True),
    observation("creatinine", unit="mg/dL", molar_mass={"low": 113.1, "high": 113.2, "source": "made up for tests"}),
    observation("walk-time", unit="s"),
    observation("ana", titre=True, results=["negative", "positive"]),
    observation("anti-dsdna", results=["negative", "borderline", "positive"]),
    observation("anti-sm", results=["negative", "positive"]),
    observation("nyha-class", classes=["I", "II", "III", "IV"]),
    observation("sledai", unit="1", items={"alopecia": {"most": 2, "groups": ["skin"]}, "fever": {"most": 1}}),
    observation("prednisone-equivalent-dose", unit="mg/d"),
    observation("ocular-share", unit="%"),
)

DEFINITIONS = {
    "postmenopausal": {
        "text": "Twelve months without a period",
        "source": "made up for tests",
        "when": {"condition": "thyroiditis", "now": "true"},
    },
    "relapsing": {
        "text": "A relapse in the year before screening",
        "source": "made up",
        "when": {"condition": "relapse", "within": "1 year"},
    },
    "at-baseline": {
        "text": "A low count at baseline",
        "source": "made up for tests",
        "when": {"observation": "platelets", "at": "baseline", "latest": {"below": "50000 /uL"}},
    },
}


@pytest.fixture(scope="session")
def vocabulary() -> Vocabulary:
    real = shipped()
    return Vocabulary(CONCEPTS, real.units, real.systems, real.words)


@pytest.fixture(scope="session")
def library(vocabulary: Vocabulary) -> RuleLibrary:
    return RuleLibrary({}, {name: Definition.model_validate(one) for name, one in DEFINITIONS.items()}, vocabulary)
