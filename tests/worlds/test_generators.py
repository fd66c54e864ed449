"""Every node of the language, and every word of every node, has a generator; and every word of a record too."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from denotation import strategies as made
from denotation.evaluate import evaluate
from denotation.worlds import Worlds, mentioned
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from eligibility.model import criteria as c

SEEN: Counter[tuple[str, str]] = Counter()


# the parts that few statements have, asked for by themselves
ABOUT = [
    made.exemption("condition").map(lambda one: {"condition": "growth", "ever": True, "except": [one]}),
    made.selection().map(lambda one: {"condition": "growth", "ever": True, "while": one}),
    *(
        made.attribute_test(family, concept).map(lambda test, f=family, c=concept: {f: c, "ever": True, "where": test})
        for family, concept in (("medication", "dexa"), ("condition", "growth"))
    ),
]


def note(node: Any) -> None:
    if isinstance(node, c.Node):
        for name in type(node).model_fields:
            value = getattr(node, name)
            if value is not None and value != () and value != type(node).model_fields[name].default:
                SEEN[type(node).__name__, name] += 1
            note(value)
    elif isinstance(node, tuple | list):
        for one in node:
            note(one)


@pytest.fixture(scope="module")
def seen() -> Counter[tuple[str, str]]:
    """What a good number of generated statements hold; the same whatever the profile."""

    @seed(1)
    @settings(max_examples=1000, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(st.data())
    def many(data: st.DataObject) -> None:
        note(made.parse(data.draw(st.one_of(made.statement(), *(made.leaf(choice) for choice in made.CHOICES), made.plain_leaf, *ABOUT))))

    SEEN.clear()
    many()
    return SEEN


def fields() -> list[tuple[str, str]]:
    """Every word of every class of the tree that a statement can hold."""
    bases = {c.Node, c.Limits, c.SubjectWords, c.TimeWords}
    found = set()
    for kind in vars(c).values():
        if isinstance(kind, type) and issubclass(kind, c.Node) and kind not in bases:
            found |= {(kind.__name__, name) for name in kind.model_fields}
    return sorted(found)


# words that no statement of the tiny domain can use, each with why
UNUSED = {
    ("Selection", "allergy"): "an allergy has no day to hang a time on",
    ("GradeTest", "is_"): "a grade is compared; is names results",
    ("DoseTest", "is_"): "a dose is a number",
    ("DoseTest", "from_"): "said as at_least and at_most",
    ("DoseTest", "to"): "said as at_least and at_most",
    ("Exemption", "procedure"): "a fact of one family is never one of another",
    ("Exemption", "immunization"): "a fact of one family is never one of another",
    ("Exemption", "allergy"): "a fact of one family is never one of another",
}


@pytest.mark.parametrize("word", fields(), ids=".".join)
def test_every_word_is_generated(word: tuple[str, str], seen: Counter[tuple[str, str]]) -> None:
    if word in UNUSED:
        return
    assert seen[word] > 0, f"no generator ever says {word[1]} of {word[0]}"


def test_what_is_called_unused_is_a_word(seen: Counter[tuple[str, str]]) -> None:
    assert set(UNUSED) <= set(fields())
    assert not {word for word in UNUSED if seen[word]}, "it is generated: take it off the list"


@settings(max_examples=60)
@given(data=st.data())
def test_every_record_has_a_world_and_every_world_an_answer(data: st.DataObject) -> None:
    statement = made.parse(data.draw(made.statement()))
    case = data.draw(made.case_for(statement))
    main, inner = mentioned(statement, made.RULES)
    for strict in (True, False):
        worlds = list(Worlds(case, statement, made.RULES, strict, main | inner).some(5))
        assert worlds
        assert {evaluate(statement, world, made.RULES) for world in worlds} <= {True, False, None}
