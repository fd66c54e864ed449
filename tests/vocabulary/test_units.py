"""Values and limits in one unit: spellings, factors, moles, missing units, plausible ranges."""

from __future__ import annotations

from math import inf, isclose

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from eligibility.model.quantity import Interval
from eligibility.vocabulary.units import UnitProblem, fold_unit
from eligibility.vocabulary.vocabulary import Vocabulary

exactly = Interval.exactly


@pytest.mark.parametrize(
    ("concept", "value", "unit", "expected"),
    [
        ("hemoglobin", 85, "g/L", 8.5),
        ("hemoglobin", 8, "gm/dL", 8),
        ("hemoglobin", 8, "G/DL", 8),
        ("platelets", 50000, "/uL", 50),
        ("platelets", 50000, "/cmm", 50),
        ("platelets", 50000, "cells/mcL", 50),
        ("platelets", 50, "K/uL", 50),
        ("platelets", 50, "thou/uL", 50),
        ("platelets", 50, "x10E9/L", 50),
        ("platelets", 50, "10^9/L", 50),
        ("platelets", 50, "10*3/uL", 50),
        ("platelets", 50, "10⁹/L", 50),
        ("platelets", 50, "x 10^3/µL", 50),
        ("lymphocytes", 500, "{cells}/uL", 0.5),
        ("creatinine", 113.1179, "umol/L", 1.27956593),
        ("igg", 6, "g/L", 600),
        ("crp", 3, "mg/dL", 30),
        ("alt", 40, "IU/L", 40),
        ("alt", 0.5, "µkat/L", 30),
        ("upcr", 1, "g/g", 1000),
        ("upcr", 1, "mg/mg", 1000),
        ("egfr", 45, "mL/min/1.73m2", 45),
        ("egfr", 45, "ml/min/1.73 m²", 45),
        ("egfr", 45, "mL/min/{1.73_m2}", 45),
        ("urine-protein-24h", 1500, "mg/24h", 1.5),
        ("urine-protein-24h", 1500, "mg/(24.h)", 1.5),
        ("prednisone-equivalent-dose", 40, "mg/day", 40),
        ("timed-25-foot-walk", 2, "min", 120),
        ("body-temperature", 98.6, "degF", 37),
        ("weight", 100, "lb", 45.359237),
        ("potassium", 4, "mEq/L", 4),
        ("edss", 4.5, None, 4.5),
        ("edss", 4.5, "", 4.5),
        ("mg-adl", 6, "points", 6),
        ("mg-adl", 6, "{score}", 6),
    ],
)  # fmt: skip
def test_known_spellings_convert(vocabulary: Vocabulary, concept: str, value: float, unit: str | None, expected: float) -> None:
    found = vocabulary.quantity(concept, exactly(value), unit)
    assert isinstance(found, Interval)
    assert found.exact
    assert isclose(found.lo, expected, rel_tol=1e-8)


@pytest.mark.parametrize(
    ("concept", "unit"),
    [
        ("hemoglobin", None),
        ("hemoglobin", ""),
        ("hemoglobin", "furlong"),
        ("egfr", "mL/min"),  # not per body surface: another quantity
        ("creatinine-clearance", "mL/min/1.73m2"),
        ("hbv-dna", "log10 IU/mL"),
        ("hbv-dna", "{log_IU}/mL"),
        ("anti-dsdna", "U/mL"),  # an assay's own units are no international units
        ("lvef", "1"),
        ("lvef", None),
        ("platelets", "g/L"),
        ("igg", "umol/L"),  # no molar mass is given for it
        ("mg-adl", "%"),
        ("d-dimer", "ug{FEU}/mL"),
    ],
)
def test_no_unit_is_guessed(vocabulary: Vocabulary, concept: str, unit: str | None) -> None:
    found = vocabulary.quantity(concept, exactly(123.25), unit)
    assert isinstance(found, UnitProblem)
    assert found.reason == "unit"
    assert "123" not in found.detail, "an error never holds a patient's value"


def test_limit_and_value_meet_exactly(vocabulary: Vocabulary) -> None:
    """A limit in one unit and a result in another compare equal where they are equal."""
    for concept, limit, unit, value, other in [
        ("platelets", 50000, "/uL", 50, "10*9/L"),
        ("hemoglobin", 8, "g/dL", 80, "g/L"),
        ("igg", 600, "mg/dL", 6, "g/L"),
        ("ferritin", 650, "ng/mL", 650, "ug/L"),
        ("crp", 3.0, "mg/dL", 30, "mg/L"),
        ("neutrophils", 1000, "/uL", 1.0, "10^9/L"),
    ]:
        found = vocabulary.quantity(concept, exactly(value), other)
        bound = vocabulary.quantity(concept, exactly(limit), unit)
        assert isinstance(found, Interval)
        assert isinstance(bound, Interval)
        assert found.compare("at_least", bound) is True
        assert found.compare("at_most", bound) is True


def test_open_ends_survive(vocabulary: Vocabulary) -> None:
    found = vocabulary.quantity("hemoglobin", Interval.parse_comparator("<", 80), "g/L")
    assert found == Interval(-inf, 8.0, hi_open=True)
    found = vocabulary.quantity("creatinine", Interval.parse_comparator(">", 100), "umol/L")
    assert isinstance(found, Interval)
    assert found.lo_open
    assert found.hi == inf


@given(data=st.data(), value=st.floats(min_value=1e-6, max_value=1e9))
def test_conversion_there_and_back(vocabulary: Vocabulary, data: st.DataObject, value: float) -> None:
    names = vocabulary.units.names()
    source = vocabulary.units.get(data.draw(st.sampled_from(names)))
    target = vocabulary.units.get(data.draw(st.sampled_from(names)))
    assert source is not None
    assert target is not None
    there = vocabulary.units.convert(exactly(value), source, target)
    if source.dimension != target.dimension:
        assert there is None
        return
    assert there is not None
    back = vocabulary.units.convert(there, target, source)
    assert back is not None
    tolerance = abs(source.offset - target.offset) / source.factor * 1e-7 if source.offset or target.offset else 0.0
    assert isclose(back.lo, value, rel_tol=1e-7, abs_tol=tolerance)


@given(value=st.floats(min_value=0.001, max_value=10000), other=st.floats(min_value=0.001, max_value=10000))
def test_conversion_keeps_order(vocabulary: Vocabulary, value: float, other: float) -> None:
    assume(not isclose(value, other, rel_tol=1e-6))
    for concept, unit in [("creatinine", "umol/L"), ("bilirubin-total", "umol/L"), ("upcr", "mg/mmol"), ("body-temperature", "degF")]:
        one, two = vocabulary.quantity(concept, exactly(value), unit), vocabulary.quantity(concept, exactly(other), unit)
        assert isinstance(one, Interval)
        assert isinstance(two, Interval)
        assert (one.lo < two.lo) == (value < other)


@given(text=st.text(max_size=30))
def test_any_text_is_a_unit_or_none(vocabulary: Vocabulary, text: str) -> None:
    unit = vocabulary.units.get(text)
    assert unit is None or unit.name in vocabulary.units
    assert fold_unit(fold_unit(text)) == fold_unit(fold_unit(fold_unit(text)))


def test_every_unit_reads_its_own_name(vocabulary: Vocabulary) -> None:
    for name in vocabulary.units.names():
        assert vocabulary.unit_name(name) == name
        assert vocabulary.unit_name(f" {name.upper()} ") in (name, None, vocabulary.unit_name(name.upper()))
    assert vocabulary.unit_name(None) is None


def test_plausible_only_when_wholly_outside(vocabulary: Vocabulary) -> None:
    assert vocabulary.plausible("edss", exactly(10))
    assert not vocabulary.plausible("edss", exactly(10.5))
    assert not vocabulary.plausible("hemoglobin", exactly(-1))
    assert vocabulary.plausible("edss", Interval(9, 40))
    assert vocabulary.plausible("edss", Interval.parse_comparator(">", 3))
    assert not vocabulary.plausible("edss", Interval.parse_comparator(">", 10))
    assert vocabulary.plausible("sle", exactly(10**9)), "no range, nothing implausible"
