"""A known answer holds in every world; an unknown one, at the leaves MEANING calls exact, in not all alike (MEANING 1, 12)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from denotation.judge import unsound, untight
from denotation.strategies import CHOICES, RULES, case_for, leaf, parse, plain_leaf, statement
from denotation.worlds import STEROID_DOSE, Absent, Case, Told, certain_in, subjects
from hypothesis import given, settings
from hypothesis import strategies as st

from eligibility.model.criteria import FactAtom

NIGHTLY = settings().max_examples >= 1000
TRIES = 400 if NIGHTLY else 150
CAP = 40_000 if NIGHTLY else 8_000
EXACT = ("plain", "any", "every", "latest", "earliest", "dose")


def share(part: float) -> settings:
    return settings(max_examples=max(10, int(settings().max_examples * part)))


@pytest.mark.parametrize("choice", CHOICES)
@share(1)
@given(data=st.data())
def test_a_question_about_facts_is_sound(choice: str, data: st.DataObject) -> None:
    raw = data.draw(leaf(choice))
    case = data.draw(case_for(parse(raw)))
    assert (found := unsound(raw, case, TRIES)) is None, str(found)


@share(0.5)
@given(data=st.data())
def test_a_question_about_the_person_the_site_or_for_people_is_sound(data: st.DataObject) -> None:
    raw = data.draw(plain_leaf)
    case = data.draw(case_for(parse(raw), facts=1))
    assert (found := unsound(raw, case, TRIES)) is None, str(found)


@share(1)
@given(data=st.data())
def test_logic_is_sound(data: st.DataObject) -> None:
    raw = data.draw(statement())
    case = data.draw(case_for(parse(raw)))
    assert (found := unsound(raw, case, TRIES)) is None, str(found)


@pytest.mark.parametrize("choice", EXACT)
@share(0.5)
@given(data=st.data())
def test_an_exact_leaf_is_tight(choice: str, data: st.DataObject) -> None:
    raw = data.draw(leaf(choice, exact=True))
    atom = parse(raw)
    case = data.draw(case_for(atom, facts=2))
    # an absence stated from a later day on says of what never ends that it never was; MEANING 5 asks no such thing
    case = replace(case, absent=tuple(replace(absent, since=None) for absent in case.absent))
    if excused(atom, case):
        return
    assert (found := untight(raw, case, CAP)) is None, str(found)


def excused(atom: Any, case: Case) -> bool:
    """Where the tables of MEANING 6 say unknown of their own accord, though all worlds agree.

    ``every`` with no certain fact and a possible one: of no fact at all it would hold, yet the table has U. A
    steroid coded only with its class has no factor, and is anything from 0 up, whatever drug of the class it is.
    """
    if not isinstance(atom, FactAtom):
        return False
    if atom.subject == STEROID_DOSE:
        return any(t.concept == "glucocorticoid" for t in case.told)
    ids = subjects(atom.subject, RULES)
    there = any(RULES.below(t.concept) & ids or not t.understood for t in case.told)
    return atom.every is not None and there and not certain_in(case, atom, ids, RULES)


# -- tiny domains, enumerated whole ----------------------------------------------------------------

POINTS = [{"procedure": "washing", **words} for words in ({"ever": True}, {"within": "2 days"}, {"ago": {"at_least": "2 days"}})]
WORDS = ("any", "every", "latest", "earliest")
RESULTS = [{"observation": "marker-fasting", "within": "3 days", word: {"at_least": "2"}} for word in WORDS]
WHENS: list[dict[str, Any]] = [{"now": True}, {"within": "2 days"}, {"ago": {"above": "1 day"}, "after": "consent"}]
SPANS = [{"medication": "blocker-b", **words} for words in WHENS]


def records(concept: str, kind: str) -> list[tuple[Told, ...]]:
    starts = [(d, d) for d in (1, 3, 5)] + [(2, 4), (4, 7)]
    one: list[Told] = []
    for start in starts:
        for sure in (True, False):
            if kind == "point":
                one.append(Told(concept, start, sure=sure))
            if kind == "result":
                one += [Told(concept, start, sure=sure, value=value) for value in (("=", 1.0), ("=", 2.0), ("<", 3.0))]
            if kind == "span" and start[1] <= 5:
                one += [Told(concept, start, sure=sure, ends="given", end=(start[1], 5)), Told(concept, start, sure=sure, ends="ongoing")]
    pairs = [(a, b) for a in one[::3] for b in one[1::4]]
    return [(), *((t,) for t in one), *pairs]


WHOLE = [
    *((raw, told) for raw in POINTS for told in records("washing", "point")),
    *((raw, told) for raw in RESULTS for told in records("marker-fasting", "result")),
    *((raw, told) for raw in SPANS for told in records("blocker-b", "span")),
]


@pytest.mark.parametrize("absent", [(), "family"], ids=["silence", "stated-absence"])
@pytest.mark.parametrize("part", range(4))
def test_tiny_domains_are_sound_and_tight(part: int, absent: str) -> None:
    for raw, told in WHOLE[part::4]:
        atom = parse(raw)
        stated = (Absent(atom.family, None, "complete"),) if absent else ()
        case = Case(told=told, absent=stated, anchors={"consent": None})
        assert (found := unsound(raw, case, 2_000)) is None, str(found)
        if not excused(atom, case):
            assert (found := untight(raw, case, CAP)) is None, str(found)
