# ruff: noqa: E501  (a table reads best with one case a line)
"""The denotation on cases worked by hand from MEANING and LANGUAGE, word by word.

Days are those of a little calendar: day 0 is 24 February 2024, day 5 the leap day. S is day 5 unless said.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from denotation.evaluate import Complete, Event, evaluate
from denotation.strategies import RULES, parse
from denotation.vocabulary import BY_ID
from denotation.worlds import BIRTH, DAY0

from eligibility.model.time import FOREVER, MINUTES


def at(day: int, minute: int = 720) -> int:
    return (DAY0 + day) * MINUTES + minute


def fact(concept: str, day: int, until: int | None = None, minute: int = 720, **more: Any) -> Event:
    start = at(day, minute)
    end = start if until is None else FOREVER if until < 0 else at(until, 1439)
    family = BY_ID[concept].family
    if "dose" not in more and family == "medication":
        more["dose"] = 1.0
    return Event(family, concept, start, end, **more)


def result(concept: str, day: int, value: Any, **more: Any) -> Event:
    return fact(concept, day, value=value, **more)


def ask(statement: Any, *events: Event, today: int = 5, **anchors: int) -> bool | None:
    days = {"screening": today, "consent": today, "apheresis": today + 1, "infusion": today + 2, "visit": today + 2, **anchors}
    record = Complete(
        events,
        birth=BIRTH,
        sex="female",
        anchors={name: DAY0 + day for name, day in days.items()},
        site={"country": "GB"},
        answers={"Is it so?": True, "Is it not?": False},
        half_life={"blocker-a": 1, "blocker-b": 3},
    )
    return evaluate(parse(statement), record, RULES)


RUNNING = -1

CASES: list[tuple[Any, tuple[Event, ...], bool | None]] = [
    # time: within is closed, ago says its strictness, the two are complements
    ({"procedure": "washing", "within": "2 days"}, (fact("washing", 3),), True),
    ({"procedure": "washing", "within": "2 days"}, (fact("washing", 2),), False),
    ({"procedure": "washing", "ago": {"below": "2 days"}}, (fact("washing", 3),), False),
    ({"procedure": "washing", "ago": {"at_least": "2 days"}}, (fact("washing", 3),), True),
    ({"procedure": "washing", "ago": {"above": "2 days"}}, (fact("washing", 3),), False),
    ({"procedure": "washing", "ago": {"above": "2 days"}}, (fact("washing", 2),), True),
    ({"procedure": "washing", "ago": {"from": "1 day", "to": "2 days"}}, (fact("washing", 5),), False),
    ({"procedure": "washing", "within": "1 month"}, (fact("washing", -26),), True),  # 29 February less a month: 29 January
    ({"procedure": "washing", "within": "1 month"}, (fact("washing", -27),), False),
    ({"procedure": "washing", "within": {"greater_of": ["1 day", "3 days"]}}, (fact("washing", 2),), True),
    ({"procedure": "washing", "within": {"lesser_of": ["1 day", "3 days"]}}, (fact("washing", 2),), False),
    ({"procedure": "washing", "ever": True}, (fact("washing", 6),), False),  # recorded after S: not yet seen
    ({"procedure": "washing", "within": "2 days", "before": "infusion"}, (fact("washing", 6, recorded=False),), True),
    ({"procedure": "washing", "within": "2 days", "after": "consent"}, (fact("washing", 6, recorded=False),), True),
    ({"procedure": "washing", "after": "apheresis"}, (fact("washing", 5),), False),
    ({"condition": "growth", "now": True}, (fact("growth", 1, 4),), False),
    ({"condition": "growth", "now": True}, (fact("growth-skin", 1, 5),), True),
    ({"condition": "growth-skin", "now": True}, (fact("growth", 1, 5),), False),
    ({"observation": "marker", "at": "screening", "latest": {"at_least": "2"}}, (result("marker", 3, 2.0),), True),
    ({"observation": "marker", "at": "screening", "latest": {"at_least": "2"}}, (result("marker", 2, 2.0),), None),
    # half-lives are each drug's own
    ({"medication": "blocker", "within": "2 half-lives"}, (fact("blocker-a", 2, 2),), False),
    ({"medication": "blocker", "within": "2 half-lives"}, (fact("blocker-b", 2, 2),), True),
    # anchors that are facts, and while
    ({"observation": "marker", "within": "1 day", "after": {"procedure": "washing"}, "any": {"above": "1"}}, (result("marker", 4, 2.0), fact("washing", 3)), True),
    ({"observation": "marker", "within": "1 day", "after": {"procedure": "washing"}, "any": {"above": "1"}}, (result("marker", 2, 2.0), fact("washing", 3)), False),
    ({"procedure": "removal", "before": {"procedure": "washing", "latest": True}}, (fact("removal", 3), fact("washing", 2), fact("washing", 4)), True),
    ({"procedure": "removal", "before": {"procedure": "washing", "earliest": True}}, (fact("removal", 3), fact("washing", 2), fact("washing", 4)), False),
    ({"condition": "flare", "ever": True, "while": {"medication": "blocker-a"}}, (fact("flare", 3), fact("blocker-a", 1, 3)), True),
    ({"condition": "flare", "ever": True, "while": {"medication": "blocker-a"}}, (fact("flare", 4), fact("blocker-a", 1, 3)), False),
    (
        {"condition": "flare", "ever": True, "while": {"medication": "blocker-a", "where": {"lasting": {"at_least": "3 days"}}}},
        (fact("flare", 3), fact("blocker-a", 1, 5)),
        False,  # lasting counts up to the day of the flare
    ),
    # quantifying
    ({"observation": "marker", "ever": True, "any": {"above": "1"}}, (result("marker", 1, 1.0), result("marker", 2, 2.0)), True),
    ({"observation": "marker", "ever": True, "every": {"above": "1"}}, (result("marker", 1, 1.0), result("marker", 2, 2.0)), False),
    ({"observation": "marker", "ever": True, "every": {"above": "1"}}, (), True),
    ({"condition": "growth", "ever": True, "documented": True}, (fact("growth", 1, recorded=False),), False),
    ({"condition": "growth", "ever": True, "except": [{"condition": "growth-skin"}]}, (fact("growth-skin", 1),), False),
    ({"condition": "growth", "ever": True, "except": [{"condition": "growth-skin", "ask": "Is it not?"}]}, (fact("growth-skin", 1),), True),
    ({"observation": "marker", "ever": True, "any": {"below": "1"}, "except": [{"within": "1 day", "after": {"procedure": "washing"}}]}, (result("marker", 3, 0.0), fact("washing", 2)), False),
    ({"procedure": "washing", "planned": True, "within": "2 days", "after": "screening"}, (fact("washing", 6, planned=True),), True),
    ({"procedure": "washing", "within": "2 days", "after": "screening"}, (fact("washing", 6, planned=True),), False),
    # counting
    ({"condition": "flare", "ever": True, "count": {"distinct": "day", "at_least": 2}}, (fact("flare", 1), fact("flare", 2)), True),
    ({"condition": "flare", "ever": True, "count": {"distinct": "day", "at_least": 2}}, (fact("flare", 1), fact("flare", 1, minute=900)), False),
    ({"condition": "flare", "ever": True, "count": {"distinct": "day", "at_least": 2}}, (fact("flare", 1, same=7), fact("flare", 2, same=7)), False),
    ({"condition": "flare", "ever": True, "count": {"distinct": "day", "at_least": 2, "apart": "3 days"}}, (fact("flare", 1), fact("flare", 3)), False),
    ({"condition": "flare", "ever": True, "count": {"distinct": "day", "at_most": 1}}, (fact("flare", 1), fact("flare", 3)), False),
    ({"medication": "agents", "ever": True, "count": {"distinct": "entry", "at_least": 2}}, (fact("prednisone", 1, 2), fact("dexa", 1, 2)), False),
    ({"medication": "agents", "ever": True, "count": {"distinct": "entry", "at_least": 2}}, (fact("prednisone", 1, 2), fact("blocker-a", 1, 2)), True),
    ({"observation": "marker", "ever": True, "where": {"above": "1"}, "count": {"distinct": "day", "at_least": 2}}, (result("marker", 1, 2.0), result("marker", 2, 1.0)), False),
    # choosing
    ({"observation": "marker", "ever": True, "latest": {"above": "1"}}, (result("marker", 1, 2.0), result("marker", 2, 1.0)), False),
    ({"observation": "marker", "ever": True, "earliest": {"above": "1"}}, (result("marker", 1, 2.0), result("marker", 2, 1.0)), True),
    ({"observation": "marker", "ever": True, "latest": {"above": "1"}}, (), None),
    ({"observation": "marker", "ever": True, "latest": {"above": "1"}}, (result("marker", 2, 2.0), result("marker", 2, 1.0)), None),
    ({"observation": "marker", "ever": True, "latest": {"above": "1"}}, (result("marker", 2, 2.0), result("marker", 2, 3.0)), True),
    ({"observation": "marker", "ever": True, "latest": {"above": "1"}}, (result("marker", 2, 2.0), result("marker", 4, 0.0, recorded=False)), True),
    ({"condition": "lifer", "ever": True, "earliest": {"started": {"ago": {"below": "3 days"}}}}, (fact("lifer", 1, RUNNING), fact("lifer", 4, RUNNING)), False),
    # change
    ({"observation": "marker", "ever": True, "rise": {"at_least": "1"}}, (result("marker", 1, 1.0), result("marker", 2, 2.0)), True),
    ({"observation": "marker", "ever": True, "fall": {"at_least": "1"}}, (result("marker", 1, 1.0), result("marker", 2, 2.0)), False),
    ({"observation": "marker", "ever": True, "rise": {"above": "1"}}, (result("marker", 1, 1.0), result("marker", 2, 2.0)), False),
    ({"observation": "marker", "ever": True, "rise": {"at_least": "50 % relative"}}, (result("marker", 1, 2.0), result("marker", 2, 3.0)), True),
    ({"observation": "marker", "ever": True, "rise": {"at_least": "50 % relative"}}, (result("marker", 1, 0.0), result("marker", 2, 3.0)), None),
    ({"observation": "marker", "ever": True, "rise": {"at_least": "1", "over": {"at_most": "1 day"}}}, (result("marker", 1, 1.0), result("marker", 3, 2.0)), False),
    ({"observation": "marker", "ever": True, "rise": {"at_least": "1", "sustained": "1 day"}}, (result("marker", 1, 1.0), result("marker", 2, 2.0)), False),
    ({"observation": "marker", "ever": True, "rise": {"at_least": "1", "sustained": "1 day"}}, (result("marker", 1, 1.0), result("marker", 2, 2.0), result("marker", 3, 2.0)), True),
    (
        {"observation": "marker", "ever": True, "rise": {"at_least": "1", "sustained": "2 days"}},
        (result("marker", 1, 1.0), result("marker", 2, 2.0), result("marker", 3, 1.0), result("marker", 4, 2.0)),
        False,
    ),
    ({"observation": "marker", "ever": True, "rise": {"at_least": "1", "pair": "first-to-last"}}, (result("marker", 1, 1.0), result("marker", 2, 3.0), result("marker", 3, 1.0)), False),
    ({"observation": "marker", "ever": True, "rise": {"at_least": "1", "pair": "first-to-last"}}, (result("marker", 1, 1.0),), None),
    # spans
    ({"medication": "blocker-b", "ever": True, "where": {"lasting": {"at_least": "3 days"}}}, (fact("blocker-b", 1, 4),), True),
    ({"medication": "blocker-b", "ever": True, "where": {"lasting": {"above": "3 days"}}}, (fact("blocker-b", 1, 4),), False),
    ({"medication": "blocker-b", "ever": True, "where": {"lasting": {"above": "4 days"}}}, (fact("blocker-b", 1, RUNNING),), False),  # up to S
    ({"medication": "blocker-a", "ever": True, "where": {"lasting": {"at_least": "4 days"}}}, (fact("blocker-a", 0, 1), fact("blocker-a", 3, 4)), True),  # gap 2
    ({"medication": "blocker-b", "ever": True, "where": {"lasting": {"at_least": "4 days"}}}, (fact("blocker-b", 0, 1), fact("blocker-b", 3, 4)), False),
    ({"medication": "blocker-b", "within": "2 days", "where": {"lasting": {"at_least": "3 days"}}}, (fact("blocker-b", 0, 4),), False),  # inside the window
    (
        {"medication": "blocker-a", "ever": True, "where": {"lasting": {"at_least": "4 days"}, "outcome": ["intolerance"]}},
        (fact("blocker-a", 0, 1), fact("blocker-a", 3, 4, outcome=frozenset({"intolerance"}))),
        True,
    ),
    ({"medication": "blocker-b", "ever": True, "where": {"ended": {"within": "2 days"}}}, (fact("blocker-b", 0, 3),), True),
    ({"medication": "blocker-b", "ever": True, "where": {"ended": {"within": "2 days"}}}, (fact("blocker-b", 0, RUNNING),), False),
    ({"medication": "blocker-b", "within": "2 days", "unchanged": True}, (fact("blocker-b", 0, RUNNING),), True),
    ({"medication": "blocker-b", "within": "2 days", "unchanged": True}, (fact("blocker-b", 4, RUNNING),), False),
    ({"medication": "blocker-b", "within": "2 days", "unchanged": True}, (fact("blocker-b", 0, 3, dose=2.0), fact("blocker-b", 4, RUNNING, dose=2.0)), True),
    ({"medication": "blocker-b", "within": "2 days", "unchanged": True}, (fact("blocker-b", 0, RUNNING, dose=2.0), fact("blocker-b", 4, RUNNING, dose=3.0)), False),
    ({"medication": "blocker-b", "within": "2 days", "unchanged": True}, (), True),
    ({"medication": "blocker-b", "within": "2 days", "unchanged": True}, (fact("blocker-b", 4, RUNNING, recorded=False),), False),
    ({"medication": "dexa", "ever": True, "where": {"dose": {"at_least": "4 mg/day", "as": "prednisone"}}}, (fact("dexa", 1, 2, dose=1.0),), True),
    ({"medication": "dexa", "ever": True, "where": {"route": "oral"}}, (fact("dexa", 1, 2, route="intravenous"),), False),
    # the day's dose
    ({"observation": "prednisone-equivalent-dose", "at": "screening", "latest": {"at_least": "6 mg/day"}}, (fact("prednisone", 1, RUNNING, dose=2.0), fact("dexa", 1, RUNNING, route="oral")), True),
    ({"observation": "prednisone-equivalent-dose", "at": "screening", "latest": {"above": "6 mg/day"}}, (fact("prednisone", 1, RUNNING, dose=2.0), fact("dexa", 1, RUNNING, route="oral")), False),
    ({"observation": "prednisone-equivalent-dose", "at": "screening", "latest": {"above": "1 mg/day"}}, (fact("prednisone", 1, 5), fact("prednisone", 1, 5)), True),
    ({"observation": "prednisone-equivalent-dose", "at": "screening", "latest": {"below": "1 mg/day"}}, (), True),
    ({"observation": "prednisone-equivalent-dose", "at": "screening", "latest": {"below": "1 mg/day"}}, (fact("dexa", 1, RUNNING, route="topical"),), True),
    ({"observation": "prednisone-equivalent-dose", "within": "1 day", "unchanged": True}, (fact("prednisone", 1, 4), fact("prednisone", 5, RUNNING, dose=2.0)), False),
    # values
    ({"observation": "enzyme", "ever": True, "latest": {"above": "1.5 x ULN"}}, (result("enzyme", 1, 3.5, high=2.0),), True),
    ({"observation": "enzyme", "ever": True, "latest": {"below": "1 x LLN"}}, (result("enzyme", 1, 0.5, low=1.0),), True),
    ({"observation": "enzyme", "ever": True, "latest": {"at_most": "0.002 kU/L"}}, (result("enzyme", 1, 2.0),), True),
    ({"observation": "enzyme", "ever": True, "latest": {"at_most": ["1 U/L", "0.002 kU/L"]}}, (result("enzyme", 1, 2.0, unit="kU/L"),), True),
    ({"observation": "enzyme", "ever": True, "latest": {"at_most": ["1 U/L", "0.002 kU/L"]}}, (result("enzyme", 1, 2.0, unit="U/L"),), False),
    ({"observation": "enzyme", "ever": True, "latest": {"above": {"lesser_of": ["3 U/L", "1 x ULN"]}}}, (result("enzyme", 1, 2.0, high=1.0),), True),
    ({"observation": "marker", "ever": True, "latest": {"at_least": "not_published"}}, (result("marker", 1, 2.0),), None),
    ({"observation": "swab", "ever": True, "latest": {"is": "positive"}}, (result("swab", 1, "borderline"),), None),
    ({"observation": "swab", "ever": True, "latest": {"is": ["positive", "borderline"]}}, (result("swab", 1, "borderline"),), True),
    ({"observation": "stage", "ever": True, "latest": {"at_most": "II"}}, (result("stage", 1, "IIb"),), True),
    ({"observation": "stage", "ever": True, "latest": {"at_least": "II"}}, (result("stage", 1, "IIa"),), True),
    ({"observation": "stage", "ever": True, "latest": {"is": "II"}}, (result("stage", 1, "IIa"),), True),
    ({"observation": "dilution", "ever": True, "latest": {"at_least": "1:80"}}, (result("dilution", 1, 40.0),), False),
    ({"observation": "tally", "only": ["skin"], "ever": True, "latest": {"at_least": "2"}}, (result("tally", 1, 3.0, items={"rash": 1, "ulcer": 1, "serum": 1}),), True),
    ({"observation": "tally", "without": ["skin"], "ever": True, "latest": {"at_least": "2"}}, (result("tally", 1, 3.0, items={"rash": 1, "ulcer": 1, "serum": 1}),), False),
    ({"observation": "skin-share", "ever": True, "latest": {"at_least": "50 %"}}, (result("tally", 1, 4.0, items={"rash": 1, "ulcer": 1, "serum": 2}),), True),
    ({"observation": "mass-index", "ever": True, "latest": {"at_least": "4 kg/m2"}}, (result("weight", 3, 4.0), result("height", 1, 100.0)), True),
    ({"observation": "mass-index", "ever": True, "latest": {"at_least": "4 kg/m2"}}, (result("weight", 4, 4.0), result("height", 1, 100.0)), None),
    ({"condition": "growth", "ever": True, "where": {"grade": {"scale": "ctcae", "at_least": "3"}}}, (fact("growth", 1, grade=3.0),), True),
    # the person, the site, people
    ({"age": {"at_least": "40 years"}}, (), True),  # born 29 February 1984, S 29 February 2024
    ({"age": {"above": "40 years"}}, (), False),
    ({"age": {"below": "480 months"}}, (), False),
    ({"sex": "female"}, (), True),
    ({"site": "country", "is": ["ES", "GB"]}, (), True),
    ({"site": "centre", "is": "north"}, (), None),
    ({"ask": "Is it so?"}, (), True),
    ({"not_published": "a limit"}, (), None),
    ({"meets": "grown"}, (fact("growth-lung", 1),), True),
    # logic
    ({"all_of": [{"sex": "male"}, {"not_published": "x"}]}, (), False),
    ({"any_of": [{"sex": "male"}, {"not_published": "x"}]}, (), None),
    ({"none_of": [{"sex": "male"}, {"ask": "Is it not?"}]}, (), True),
    ({"of": [{"sex": "female"}, {"sex": "male"}, {"not_published": "x"}], "at_least": 2}, (), None),
    ({"of": [{"sex": "female"}, {"sex": "male"}, {"not_published": "x"}], "at_most": 0}, (), False),
    ({"readings": [{"age": {"at_least": "40 years"}}, {"age": {"above": "40 years"}}]}, (), None),
    ({"readings": [{"sex": "female"}, {"age": {"at_least": "18 years"}}]}, (), True),
]  # fmt: skip


@pytest.mark.parametrize(("statement", "events", "expected"), CASES, ids=lambda value: str(value)[:60] if isinstance(value, dict) else "")
def test_by_hand(statement: Any, events: tuple[Event, ...], expected: bool | None) -> None:
    assert ask(statement, *events) is expected


def test_an_age_counts_completed_years_of_a_leap_birthday() -> None:
    assert ask({"age": {"at_least": "40 years"}}, today=4) is False
    assert ask({"age": {"at_least": "39 years"}}, today=4) is True


def test_the_order_of_events_says_nothing() -> None:
    events = (result("marker", 1, 2.0), result("marker", 2, 1.0), result("marker", 3, 3.0))
    for word in ("latest", "earliest", "any", "every"):
        statement = {"observation": "marker", "ever": True, word: {"above": "1"}}
        assert ask(statement, *events) is ask(statement, *reversed(events))


def test_an_event_told_twice_is_one_but_its_tests_are_asked_of_each_telling() -> None:
    once = replace(fact("flare", 1), same=3)
    again = replace(fact("flare", 2), same=3)
    assert ask({"condition": "flare", "within": "3 days"}, once, again) is True
