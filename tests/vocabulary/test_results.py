"""Named results, ordered classes and titres, as charts spell them."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eligibility.model.quantity import Interval
from eligibility.vocabulary.vocabulary import Vocabulary


@pytest.mark.parametrize(
    ("concept", "text", "expected"),
    [
        ("hbsag", "Non-Reactive", "negative"),
        ("hbsag", "NEG", "negative"),
        ("hbsag", "not detected", "negative"),
        ("hbsag", "Not​ Detected", "negative"),
        ("hbsag", "-", "negative"),
        ("hbsag", "reactive", "positive"),
        ("hbsag", "POS", "positive"),
        ("hbsag", "+", "positive"),
        ("hbsag", "equivocal", "borderline"),
        ("hbsag", "Indeterminate", "borderline"),
        ("hbsag", "haemolysed", None),
        ("hbsag", "", None),
        ("cd19-b-cells", "positive", "detected"),
        ("cd19-b-cells", "undetectable", "not-detected"),
        ("cd19-b-cells", "borderline", None),
        ("isn-rps-class", "Class III + V", "III+V"),
        ("isn-rps-class", "ISN/RPS class IV/V", "IV+V"),
        ("isn-rps-class", "iv", "IV"),
        ("isn-rps-class", "class III and V", "III+V"),
        ("isn-rps-class", "VII", None),
        ("bilag-renal", "a", "A"),
        ("bilag-renal", "Grade B", "B"),
        ("bilag-renal", "F", None),
        ("edss", "positive", None),
    ],
)
def test_named_results(vocabulary: Vocabulary, concept: str, text: str, expected: str | None) -> None:
    assert vocabulary.result(concept, text) == expected


def test_every_result_reads_itself(vocabulary: Vocabulary) -> None:
    for concept in vocabulary.concepts.values():
        for result in concept.results:
            assert vocabulary.result(concept.id, result.upper()) == result, concept.id


@pytest.mark.parametrize(
    ("concept", "text", "expected"),
    [
        ("mgfa-class", "IIIb", (4, 4)),
        ("mgfa-class", "Class IIIb", (4, 4)),
        ("mgfa-class", "MGFA class iiib", (4, 4)),
        ("mgfa-class", "III", (3, 4)),
        ("mgfa-class", "class 3", (3, 4)),
        ("mgfa-class", "grade 2a", (1, 1)),
        ("mgfa-class", "2", (1, 2)),
        ("mgfa-class", "V", (7, 7)),
        ("mgfa-class", "VI", None),
        ("mgfa-class", "IIc", None),
        ("mgfa-class", "none", None),
        ("nyha-class", "NYHA class III", (2, 2)),
        ("nyha-class", "NYHA functional class II", (1, 1)),
        ("nyha-class", "4", (3, 3)),
        ("ctcae-grade", "Grade 3", (2, 2)),
        ("ctcae-grade", "III", (2, 2)),
        ("child-pugh-class", "Child-Pugh B", (1, 1)),
        ("power-doppler", "0", (0, 0)),
    ],
)
def test_classes(vocabulary: Vocabulary, concept: str, text: str, expected: tuple[int, int] | None) -> None:
    assert vocabulary.class_interval(concept, text) == expected


def test_every_class_and_span_reads_itself(vocabulary: Vocabulary) -> None:
    for concept in vocabulary.concepts.values():
        for place, name in enumerate(concept.classes):
            assert vocabulary.class_interval(concept.id, name.lower()) == (place, place)
        for span, members in concept.spans.items():
            places = [concept.classes.index(member) for member in members]
            assert vocabulary.class_interval(concept.id, span) == (min(places), max(places))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1:80", Interval(80, 80)),
        ("1/80", Interval(80, 80)),
        ("1 : 80", Interval(80, 80)),
        ("Titer 1:320 homogeneous", Interval(320, 320)),
        ("<1:40", Interval(-inf, 40, hi_open=True)),
        ("< 1:40", Interval(-inf, 40, hi_open=True)),
        ("≤1:40", Interval(-inf, 40)),
        (">=1:1280", Interval(1280, inf)),
        (">1:1,280", Interval(1280, inf, lo_open=True)),
        ("1:>640", Interval(640, inf, lo_open=True)),
        ("80", None),
        ("positive", None),
        ("1:40 to 1:80", None),
        ("11:40", None),
        ("2:40", None),
        ("1:0", None),
        ("", None),
    ],
)
def test_titres(vocabulary: Vocabulary, text: str, expected: Interval | None) -> None:
    assert vocabulary.titre(text) == expected


@given(number=st.integers(min_value=1, max_value=10**7))
def test_a_titre_is_its_denominator(vocabulary: Vocabulary, number: int) -> None:
    assert vocabulary.titre(f"1:{number}") == Interval.exactly(float(number))


@given(text=st.text(max_size=40))
def test_no_text_breaks_a_reader(vocabulary: Vocabulary, text: str) -> None:
    vocabulary.titre(text)
    result = vocabulary.result("hbsag", text)
    assert result is None or result in vocabulary["hbsag"].results
    found = vocabulary.class_interval("mgfa-class", text)
    assert found is None or 0 <= found[0] <= found[1] < len(vocabulary["mgfa-class"].classes)
