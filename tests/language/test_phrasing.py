"""Rules in English: every word has a phrase, and a negation says precisely the opposite."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from eligibility.language.library import load_trial
from eligibility.language.phrasing import phrase, phrase_criterion
from eligibility.model import criteria as c
from eligibility.model.criteria import FactAtom, Node, NoneOf
from eligibility.model.limits import Alternatives, ClassName, Extreme, Measure, NotGiven, TimesLimit, Titre
from eligibility.model.trial import Criterion, Definition, TrialFile
from eligibility.vocabulary.vocabulary import Vocabulary

STATEMENT: TypeAdapter[Node] = TypeAdapter(c.Statement)

# never in our own voice (MEANING 11)
ADVICE = re.compile(r"\b(?:in)?eligible\b|\brecommend|\bshould\b|\bsafe\b|contraindicated|best match|\bapprove|\breject", re.IGNORECASE)


def read(**words: Any) -> Node:
    """A statement; a word that Python keeps for itself is written with an underscore after it."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key.rstrip("_"): plain(one) for key, one in value.items()}
        return [plain(one) for one in value] if isinstance(value, list) else value

    return STATEMENT.validate_python(plain(words))


def trial_of(text: str) -> TrialFile:
    return load_trial(f"trial: {{id: NCT1, title: A}}\n{text}")


# -- what is said ----------------------------------------------------------------------------------

SAID: list[tuple[dict[str, Any], str, str]] = [
    (
        {"observation": "edss", "at": "screening", "latest": {"from": "3", "to": "6.5"}},
        "the latest edss at screening is from 3 to 6.5",
        "the latest edss at screening is below 3 or above 6.5",
    ),
    ({"condition": "cancer", "ever": True}, "there is a history of cancer", "there is no history of cancer"),
    (
        {"condition": "lupus", "now": True, "documented": True},
        "there is documented lupus on the day of screening",
        "there is no documented lupus on the day of screening",
    ),
    (
        {"medication": ["rituximab", "prednisone"], "within": "4 weeks", "before": "infusion"},
        "rituximab or prednisone was taken in the 4 weeks up to infusion",
        "no rituximab or prednisone was taken in the 4 weeks up to infusion",
    ),
    (
        {"medication": "prednisone", "now": True, "where": {"dose": {"above": "20 mg/day"}, "route": "oral"}},
        "prednisone that has a daily dose that is above 20 mg/day and was given by the oral route is being taken on the day of screening",
        "no prednisone that has a daily dose that is above 20 mg/day and was given by the oral route is being taken "
        "on the day of screening",
    ),
    (
        {"observation": ["anti-dsdna", "anti-sm"], "ever": True, "any": {"is": "positive"}},
        "at least one result of anti dsdna or anti sm on or before screening is positive",
        "every result of anti dsdna or anti sm on or before screening is not positive",
    ),
    (
        {"observation": "igg", "within": "1 year", "every": {"at_least": "6 g/L"}},
        "every result of igg in the year up to screening is at least 6 g/L",
        "at least one result of igg in the year up to screening is below 6 g/L",
    ),
    (
        {"medication": ["methotrexate", ["azathioprine", "rituximab"]], "ever": True, "count": {"distinct": "entry", "at_least": "2"}},
        "at least 2 of these are recorded on or before screening: methotrexate; azathioprine or rituximab (counted as one)",
        "fewer than 2 of these are recorded on or before screening: methotrexate; azathioprine or rituximab (counted as one)",
    ),
    (
        {"condition": "relapse", "within": "1 year", "count": {"distinct": "day", "at_most": "1", "apart": "30 days"}},
        "there are at most 1 day with relapse in the year up to screening, each at least 30 days from the next",
        "there are more than 1 day with relapse in the year up to screening, each at least 30 days from the next",
    ),
    (
        {"observation": "edss", "within": "2 years", "rise": {"at_least": "1", "sustained": "6 months", "over": {"at_most": "9 weeks"}}},
        "there is a rise of edss by at least 1 from an earlier to a later result "
        "lying at most 9 weeks apart in the 2 years up to screening, held for 6 months",
        "there is no rise of edss by at least 1 from an earlier to a later result "
        "lying at most 9 weeks apart in the 2 years up to screening, held for 6 months",
    ),
    (
        {"medication": ["methotrexate", "azathioprine"], "within": "2 months", "unchanged": True},
        "the dose of each of methotrexate and azathioprine did not change in the 2 months up to screening",
        "the dose of at least one of methotrexate and azathioprine changed in the 2 months up to screening",
    ),
    (
        {"condition": "lupus", "ever": True, "earliest": {"started": {"ago": {"below": "15 years"}}}},
        "the earliest entry of lupus on or before screening started less than 15 years before screening",
        "the earliest entry of lupus on or before screening did not start less than 15 years before screening",
    ),
    (
        {
            "observation": "hemoglobin",
            "at": "screening",
            "except": [{"within": "7 days", "after": {"procedure": "transfusion"}}],
            "latest": {"above": "8 g/dL"},
        },
        "the latest hemoglobin at screening, not counting one in the 7 days after transfusion, is above 8 g/dL",
        "the latest hemoglobin at screening, not counting one in the 7 days after transfusion, is at most 8 g/dL",
    ),
    (
        {"allergy": "penicillin", "ever": True},
        "there is a history of allergy to penicillin",
        "there is no history of allergy to penicillin",
    ),
    (
        {"immunization": "live-vaccine", "planned": True, "within": "8 weeks", "after": "screening"},
        "live vaccine is planned in the 8 weeks after screening",
        "no live vaccine is planned in the 8 weeks after screening",
    ),
    (
        {"age": {"from": "18 years", "to": "65 years"}, "at": "consent"},
        "the age at consent is from 18 years to 65 years",
        "the age at consent is below 18 years or above 65 years",
    ),
    ({"sex": "female"}, "the recorded sex is female", "the recorded sex is not female"),
    (
        {"site": "country", "is": ["GB", "ES"]},
        "the country of the screening site is GB or ES",
        "the country of the screening site is none of GB and ES",
    ),
    ({"ask": "Is it active?"}, "a person answers yes to «Is it active?»", "a person answers no to «Is it active?»"),
    (
        {"not_published": "adequate organs"},
        "what the source asks and does not publish is met: «adequate organs»",
        "what the source asks and does not publish is not met: «adequate organs»",
    ),
    (
        {"all_of": [{"sex": "female"}, {"any_of": [{"condition": "cancer", "ever": True}, {"condition": "lupus", "ever": True}]}]},
        "the recorded sex is female and (there is a history of cancer or there is a history of lupus)",
        "the recorded sex is not female or (there is no history of cancer and there is no history of lupus)",
    ),
    (
        {"at_least": "2", "of": [{"sex": "female"}, {"sex": "male"}, {"sex": "other"}]},
        "at least 2 of these hold: (the recorded sex is female; the recorded sex is male; the recorded sex is other)",
        "fewer than 2 of these hold: (the recorded sex is female; the recorded sex is male; the recorded sex is other)",
    ),
    (
        {"readings": [{"sex": "female"}, {"sex": "male"}]},
        "in every reading of the source, which has 2: (1) the recorded sex is female; or (2) the recorded sex is male",
        "in every reading of the source, which has 2: (1) the recorded sex is not female; or (2) the recorded sex is not male",
    ),
]


@pytest.mark.parametrize(("words", "positive", "negative"), SAID, ids=lambda value: str(value)[:40])
def test_statements_and_their_negations(words: dict[str, Any], positive: str, negative: str, vocabulary: Vocabulary) -> None:
    statement = STATEMENT.validate_python(words)
    assert phrase(statement, vocabulary) == positive
    assert phrase(statement, vocabulary, negated=True) == negative


def test_a_trial_lends_its_lists_widths_and_definitions(vocabulary: Vocabulary) -> None:
    trial = trial_of(
        "schedule:\n  screening: {looks_back: 28 days}\nlists: {agents: [methotrexate, azathioprine]}\n"
        "definitions: {older: {text: Past the change, when: {sex: female}}}\n"
    )
    shared = {"older": Definition.model_validate({"text": "shared", "when": {"sex": "male"}})}
    edss = read(observation="edss", at="screening", latest={"at_least": "3"})
    assert phrase(edss, vocabulary, trial=trial) == "the latest edss in the 28 days up to screening is at least 3"
    agents = read(medication="agents", now=True)
    assert phrase(agents, vocabulary, trial=trial) == "methotrexate or azathioprine is being taken on the day of screening"
    assert phrase(agents, vocabulary) == "agents is being taken on the day of screening"
    # the trial's own definition wins, as it does when it is evaluated
    older = read(meets="older")
    assert phrase(older, vocabulary, trial=trial, definitions=shared) == "the definition of «older» is met (Past the change)"
    assert phrase(older, vocabulary, negated=True, definitions=shared) == "the definition of «older» is not met (shared)"


def test_a_criterion_is_said_in_sentences(vocabulary: Vocabulary) -> None:
    criterion = Criterion.model_validate(
        {
            "id": "E1",
            "text": "a",
            "when": {"observation": "igg", "at": "screening", "latest": {"below": "6 g/L"}},
            "applies_when": {"sex": "female"},
            "unless": {"condition": "gilbert", "ever": True},
        }
    )
    assert phrase_criterion(criterion, vocabulary, kind="exclusion") == (
        "A barrier: the latest igg at screening is below 6 g/L. Applies only where the recorded sex is female. "
        "Does not apply where there is a history of gilbert."
    )
    note = Criterion.model_validate({"id": "I9", "text": "a", "note": "Vaccination is advised"})
    assert phrase_criterion(note, vocabulary) == "Note: Vaccination is advised"
    asked = Criterion.model_validate({"id": "I1", "text": "a", "ask": "Was it signed?"})
    assert phrase_criterion(asked, vocabulary, kind="inclusion") == "Asked for: a person answers yes to «Was it signed?»."


# -- every word has a phrase -----------------------------------------------------------------------

EDSS: dict[str, Any] = {"observation": "edss", "within": "1 year", "latest": {"at_least": "3"}}
DRUG: dict[str, Any] = {"medication": "methotrexate", "within": "1 year"}
DISEASE: dict[str, Any] = {"condition": "cancer", "within": "1 year"}


def _drug(test: dict[str, Any]) -> dict[str, Any]:
    return {**DRUG, "any": test}


def _exempt(words: dict[str, Any]) -> dict[str, Any]:
    return {**DISEASE, "except": [words]}


def _anchored(words: dict[str, Any]) -> dict[str, Any]:
    return {"condition": "relapse", "within": "1 year", "after": {"procedure": "transfusion", **words}}


def _timed(words: dict[str, Any]) -> dict[str, Any]:
    return {"condition": "cancer", **words}


_LASTING = {"lasting": {"at_least": "3 months"}}
_TIME: dict[str, dict[str, Any]] = {
    "ever": {"ever": True},
    "now": {"now": True},
    "at": {"at": "screening"},
    "within": {"within": "2 weeks"},
    "ago": {"ago": {"above": "2 weeks"}},
    "before": {"before": "infusion"},
    "after": {"after": "infusion"},
}
_FAMILIES = ("condition", "observation", "medication", "procedure", "immunization", "allergy")
_SUBJECTS = dict(zip(_FAMILIES, ("cancer", "igg", "rituximab", "car-t", "live-vaccine", "penicillin"), strict=True))


def _limit_pairs(make: Any, value: str, other: str) -> dict[str, tuple[Any, Any]]:
    one = {word: (make({word: value}), make({word: other})) for word in ("at_least", "above", "at_most", "below")}
    one["from_"] = (make({"from": value, "to": "90"}), make({"from": other, "to": "90"}))
    one["to"] = (make({"from": "0", "to": value}), make({"from": "0", "to": other}))
    return one


# For each field of each node two statements that differ in that field alone: what is said differs too.
COVERED: dict[type[Node], dict[str, tuple[Any, Any]]] = {
    c.FactAtom: {
        **{
            family: ({family: name, "ever": True, **({"any": {"at_least": "1"}} if family == "observation" else {})}, DISEASE)
            for family, name in _SUBJECTS.items()
        },
        **{word: (_timed(words), _timed({"within": "9 years"})) for word, words in _TIME.items()},
        "at": ({**EDSS, "within": None, "at": "screening"}, EDSS),
        "only": ({**EDSS, "only": ["fever"]}, EDSS),
        "without": ({**EDSS, "without": ["fever"]}, {**EDSS, "only": ["fever"]}),
        "while_": ({**DISEASE, "while": {"medication": "rituximab"}}, DISEASE),
        "where": ({**DISEASE, "where": _LASTING}, DISEASE),
        "except_": (_exempt({"condition": "skin-cancer"}), DISEASE),
        "documented": ({**DISEASE, "documented": True}, DISEASE),
        "planned": ({**DRUG, "planned": True}, DRUG),
        "any": ({**EDSS, "latest": None, "any": {"at_least": "3"}}, EDSS),
        "every": ({**EDSS, "latest": None, "every": {"at_least": "3"}}, EDSS),
        "latest": (EDSS, {**EDSS, "latest": {"at_least": "4"}}),
        "earliest": ({**EDSS, "latest": None, "earliest": {"at_least": "3"}}, EDSS),
        "count": ({**EDSS, "latest": None, "count": {"distinct": "day", "at_least": "2"}}, EDSS),
        "rise": ({**EDSS, "latest": None, "rise": {"at_least": "1"}}, EDSS),
        "fall": ({**EDSS, "latest": None, "fall": {"at_least": "1"}}, {**EDSS, "latest": None, "rise": {"at_least": "1"}}),
        "unchanged": ({**DRUG, "unchanged": True}, DRUG),
        "if_not_recorded": ({**DRUG, "if_not_recorded": "unknown"}, DRUG),
    },
    c.Selection: {
        **{family: ({"condition": "relapse", "within": "1 year", "after": {family: name}}, DISEASE) for family, name in _SUBJECTS.items()},
        **{word: (_anchored(words), _anchored({})) for word, words in _TIME.items()},
        "where": (_anchored({"where": _LASTING}), _anchored({})),
        "except_": (_anchored({"except": [{"procedure": "car-t"}]}), _anchored({})),
        "latest": (_anchored({"latest": True}), _anchored({})),
        "earliest": (_anchored({"earliest": True}), _anchored({"latest": True})),
    },
    c.Exemption: {
        **{family: (_exempt({family: name}), DISEASE) for family, name in _SUBJECTS.items()},
        **{word: (_exempt(words), _exempt({"within": "9 years"})) for word, words in _TIME.items()},
        "where": (_exempt({"where": _LASTING}), _exempt({"within": "9 years"})),
        "ask": (_exempt({"ask": "Was it treated?"}), _exempt({"ask": "Was it cured?"})),
    },
    c.TimeWords: {word: (_drug({"started": words}), _drug({"started": {"within": "9 years"}})) for word, words in _TIME.items()},
    c.Limits: {
        **_limit_pairs(lambda limits: {**EDSS, "latest": limits}, "3", "4"),
        "is_": ({**EDSS, "latest": {"is": "a"}}, {**EDSS, "latest": {"is": "b"}}),
    },
    c.DurationLimits: _limit_pairs(lambda limits: {"age": {word: f"{value} years" for word, value in limits.items()}}, "3", "4"),
    c.DoseTest: {
        **_limit_pairs(lambda limits: _drug({"dose": limits}), "3", "4"),
        "is_": (_drug({"dose": {"is": "low"}}), _drug({"dose": {"is": "high"}})),
        "as_": (_drug({"dose": {"above": "3", "as": "prednisone"}}), _drug({"dose": {"above": "3"}})),
    },
    c.GradeTest: {
        **_limit_pairs(lambda limits: {**DISEASE, "where": {"grade": {"scale": "ctcae", **limits}}}, "3", "4"),
        "is_": (
            {**DISEASE, "where": {"grade": {"scale": "ctcae", "is": "3"}}},
            {**DISEASE, "where": {"grade": {"scale": "ctcae", "is": "4"}}},
        ),
        "scale": (
            {**DISEASE, "where": {"grade": {"scale": "ctcae", "at_least": "3"}}},
            {**DISEASE, "where": {"grade": {"scale": "severity", "at_least": "3"}}},
        ),
    },
    c.Test: {
        **_limit_pairs(lambda limits: {**EDSS, "latest": limits}, "3", "4"),
        "is_": ({**EDSS, "latest": {"is": "a"}}, {**EDSS, "latest": {"is": "b"}}),
        "dose": (_drug({"dose": {"above": "3"}}), _drug({"dose": {"above": "4"}})),
        "route": (_drug({"route": "oral"}), _drug({"route": "topical"})),
        "outcome": (_drug({"outcome": ["intolerance"]}), _drug({"outcome": ["loss-of-response", "inadequate-response", "response"]})),
        "lasting": (_drug(_LASTING), _drug({"lasting": {"above": "3 months"}})),
        "started": (_drug({"started": {"within": "1 year"}}), _drug({"started": {"within": "2 years"}})),
        "ended": (_drug({"ended": {"within": "1 year"}}), _drug({"started": {"within": "1 year"}})),
        "grade": (_drug({"grade": {"scale": "ctcae", "above": "3"}}), _drug({"grade": {"scale": "ctcae", "above": "4"}})),
        "all_of": (_drug({"all_of": [{"route": "oral"}, _LASTING]}), _drug({"any_of": [{"route": "oral"}, _LASTING]})),
        "any_of": (_drug({"any_of": [{"route": "oral"}, _LASTING]}), _drug({"none_of": [{"route": "oral"}, _LASTING]})),
        "none_of": (_drug({"none_of": [{"route": "oral"}]}), _drug({"all_of": [{"route": "oral"}]})),
    },
    c.Count: {
        "distinct": (
            {**DISEASE, "count": {"distinct": "day", "at_least": "2"}},
            {**DISEASE, "count": {"distinct": "entry", "at_least": "2"}},
        ),
        "at_least": (
            {**DISEASE, "count": {"distinct": "day", "at_least": "2"}},
            {**DISEASE, "count": {"distinct": "day", "at_least": "3"}},
        ),
        "at_most": ({**DISEASE, "count": {"distinct": "day", "at_most": "2"}}, {**DISEASE, "count": {"distinct": "day", "at_least": "2"}}),
        "apart": (
            {**DISEASE, "count": {"distinct": "day", "at_least": "2", "apart": "3 days"}},
            {**DISEASE, "count": {"distinct": "day", "at_least": "2"}},
        ),
    },
    c.Change: {
        word: ({**EDSS, "latest": None, "rise": {"above": "1", **words}}, {**EDSS, "latest": None, "rise": {"above": "1"}})
        for word, words in {
            "at_least": {"above": None, "at_least": "1"},
            "above": {"above": "2"},
            "sustained": {"sustained": "6 months"},
            "over": {"over": {"below": "1 year"}},
            "pair": {"pair": "first-to-last"},
        }.items()
    },
    c.AgeAtom: {
        "age": ({"age": {"at_least": "18 years"}}, {"age": {"at_least": "12 years"}}),
        "at": ({"age": {"at_least": "18 years"}, "at": "consent"}, {"age": {"at_least": "18 years"}}),
    },
    c.SexAtom: {"sex": ({"sex": "female"}, {"sex": "male"})},
    c.SiteAtom: {
        "site": ({"site": "country", "is": "GB"}, {"site": "centre", "is": "GB"}),
        "is_": ({"site": "country", "is": "GB"}, {"site": "country", "is": "ES"}),
    },
    c.AllOf: {"all_of": ({"all_of": [DISEASE, DRUG]}, {"all_of": [DRUG, DISEASE]})},
    c.AnyOf: {"any_of": ({"any_of": [DISEASE, DRUG]}, {"all_of": [DISEASE, DRUG]})},
    c.NoneOf: {"none_of": ({"none_of": [DISEASE, DRUG]}, {"any_of": [DISEASE, DRUG]})},
    c.SomeOf: {
        "of": ({"at_least": "2", "of": [DISEASE, DRUG]}, {"at_least": "2", "of": [DRUG, DISEASE]}),
        "at_least": ({"at_least": "2", "of": [DISEASE, DRUG]}, {"at_least": "1", "of": [DISEASE, DRUG]}),
        "at_most": ({"at_most": "1", "of": [DISEASE, DRUG]}, {"at_least": "1", "of": [DISEASE, DRUG]}),
    },
    c.Readings: {"readings": ({"readings": [DISEASE, DRUG]}, {"any_of": [DISEASE, DRUG]})},
    c.Meets: {"meets": ({"meets": "a"}, {"meets": "b"})},
    c.Ask: {
        "ask": ({"ask": "A?"}, {"ask": "B?"}),
        "show": ({"ask": "A?", "show": ["cancer"]}, {"ask": "A?"}),
        "valid_for": ({"ask": "A?", "valid_for": "4 weeks"}, {"ask": "A?"}),
    },
    c.NotPublished: {"not_published": ({"not_published": "a"}, {"not_published": "b"})},
}


def _nodes() -> set[type[Node]]:
    """Every node a statement can be made of, but the bases that stand nowhere themselves."""
    found: set[type[Node]] = set()
    todo = [Node]
    while todo:
        for one in todo.pop().__subclasses__():
            if one.__module__ == c.__name__ and one is not c.SubjectWords:
                found.add(one)
            todo.append(one)
    return found


def test_every_word_of_every_node_is_covered() -> None:
    assert {node: set(words) for node, words in COVERED.items()} == {node: set(node.model_fields) for node in _nodes()}


def _built(words: dict[str, Any]) -> Node:
    return STATEMENT.validate_python(_without_none(words))


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_none(one) for key, one in value.items() if one is not None}
    return [_without_none(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    ("node", "word"),
    [(node, word) for node, words in COVERED.items() for word in words],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_every_word_changes_what_is_said(node: type[Node], word: str, vocabulary: Vocabulary) -> None:
    first, second = (_built(one) for one in COVERED[node][word])
    for negated in (False, True):
        assert phrase(first, vocabulary, negated) != phrase(second, vocabulary, negated)


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        (Measure(8, "g/dL"), "8 g/dL"),
        (Measure(50000, "/uL"), "50,000 /uL"),
        (Measure(40, "%"), "40%"),
        (TimesLimit(1.5, "ULN"), "1.5 times the upper limit of normal"),
        (TimesLimit(1, "LLN"), "the lower limit of normal"),
        (Titre(80), "1:80"),
        (ClassName("IIa"), "IIa"),
        (NotGiven(), "a limit that the source does not publish"),
        (Alternatives((Measure(34, "umol/L"), Measure(2, "mg/dL"))), "34 umol/L or 2 mg/dL, whichever unit the result is in"),
        (Extreme("lesser_of", (Measure(7.5, "mg/day"), Measure(0.15, "mg/kg/day"))), "the lesser of 7.5 mg/day and 0.15 mg/kg/day"),
    ],
)
def test_every_kind_of_limit_is_said(limit: Any, said: str, vocabulary: Vocabulary) -> None:
    assert (
        phrase(_built({**EDSS, "latest": {"below": limit}}), vocabulary) == f"the latest edss in the year up to screening is below {said}"
    )


def test_the_longer_of_two_windows(vocabulary: Vocabulary) -> None:
    statement = _built({"medication": "rituximab", "within": {"greater_of": ["4 weeks", "5 half-lives"]}})
    assert phrase(statement, vocabulary) == "rituximab was taken in the longer of 4 weeks and 5 half-lives up to screening"


# -- a negation is the opposite ----------------------------------------------------------------------


def meaning(text: str, value: float) -> bool:
    """What a reader takes «is …» of a number to say: read from the words, not from the rule."""
    said = text.split(" is ", 1)[1]
    return any(all(_clause(part, value) for part in alternative.split(" and ")) for alternative in said.split(" or "))


def _clause(part: str, value: float) -> bool:
    if match := re.fullmatch(r"from (\S+) to (\S+)", part):
        return float(match[1]) <= value <= float(match[2])
    match = re.fullmatch(r"(at least|above|at most|below) (\S+)", part)
    assert match, part
    limit = float(match[2])
    return {"at least": value >= limit, "above": value > limit, "at most": value <= limit, "below": value < limit}[match[1]]


LIMITS = [
    {"at_least": 3},
    {"above": 3},
    {"at_most": 3},
    {"below": 3},
    {"from": 3, "to": 6},
    {"at_least": 3, "below": 6},
    {"above": 3, "at_most": 6},
    {"from": 3, "to": 3},
]


@pytest.mark.parametrize("limits", LIMITS, ids=str)
@pytest.mark.parametrize("value", [2.5, 3, 3.5, 4, 6, 6.5])
def test_what_is_said_of_numbers_is_what_is_asked(limits: dict[str, int], value: float, vocabulary: Vocabulary) -> None:
    statement = _built({**EDSS, "latest": {word: str(limit) for word, limit in limits.items()}})
    lower = limits.get("at_least", limits.get("from"))
    upper = limits.get("at_most", limits.get("to"))
    passes = (
        (lower is None or value >= lower)
        and (upper is None or value <= upper)
        and ("above" not in limits or value > limits["above"])
        and ("below" not in limits or value < limits["below"])
    )
    assert meaning(phrase(statement, vocabulary), value) is passes
    assert meaning(phrase(statement, vocabulary, negated=True), value) is not passes


ATOMS = [_built(one) for words in COVERED.values() for pair in words.values() for one in pair if "at_least" not in str(one.get("of", ""))]
statements = st.recursive(
    st.sampled_from(ATOMS),
    lambda inner: st.one_of(
        st.builds(lambda of: c.AllOf(all_of=tuple(of)), st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda of: c.AnyOf(any_of=tuple(of)), st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda of: c.NoneOf(none_of=tuple(of)), st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda of: c.Readings(readings=tuple(of)), st.lists(inner, min_size=1, max_size=3)),
        st.builds(
            lambda of, k: c.SomeOf(of=tuple(of), at_least=min(k, len(of))), st.lists(inner, min_size=1, max_size=3), st.integers(1, 3)
        ),
    ),
    max_leaves=6,
)


@given(statements)
def test_none_of_one_says_its_negation(statement: Node) -> None:
    vocabulary = _small()
    assert phrase(NoneOf(none_of=(statement,)), vocabulary) == phrase(statement, vocabulary, negated=True)
    assert phrase(NoneOf(none_of=(statement,)), vocabulary, negated=True) == phrase(statement, vocabulary)
    assert phrase(statement, vocabulary) != phrase(statement, vocabulary, negated=True)


@given(statements, st.booleans())
def test_what_is_said_is_a_clause_and_no_advice(statement: Node, negated: bool) -> None:
    text = phrase(statement, _small(), negated)
    assert not ADVICE.search(text)
    assert "  " not in text
    assert not text.endswith((",", ".", " "))
    assert text.count("(") == text.count(")")
    assert phrase(statement, _small(), negated) == text


@given(st.lists(st.sampled_from([_built(DISEASE), _built(DRUG), _built(EDSS)]), min_size=2, max_size=3))
def test_and_and_or_change_places(of: list[Node]) -> None:
    vocabulary = _small()
    both, either = c.AllOf(all_of=tuple(of)), c.AnyOf(any_of=tuple(of))
    opposites = tuple(NoneOf(none_of=(one,)) for one in of)
    assert phrase(both, vocabulary, negated=True) == phrase(c.AnyOf(any_of=opposites), vocabulary)
    assert phrase(either, vocabulary, negated=True) == phrase(c.AllOf(all_of=opposites), vocabulary)
    assert phrase(c.NoneOf(none_of=tuple(of)), vocabulary) == phrase(either, vocabulary, negated=True)


def _small() -> Vocabulary:
    """A vocabulary without concepts: names are said as they stand."""
    from eligibility.vocabulary.loader import shipped

    real = shipped()
    return Vocabulary((), real.units, real.systems, real.words)


def test_labels_come_from_the_vocabulary(vocabulary: Vocabulary) -> None:
    assert isinstance(ATOMS[0], FactAtom)
    assert "anti cd20" in phrase(read(medication="anti-cd20", now=True), vocabulary)
