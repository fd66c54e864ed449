"""Numbers, doses and ranges as people write them: one reading, or none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eligibility.model.patient import Quantity
from eligibility.sources import written


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5.5", 5.5),
        ("-1,5", -1.5),
        ("300,000", 300000.0),
        ("1,234,567.5", 1234567.5),
        ("<0.5", Quantity(value=0.5, comparator="<")),
        ("≥ 60 mL/min/1.73 m2", Quantity(value=60, unit="mL/min/1.73 m2", comparator=">=")),
        ("less than 5 U/L", Quantity(value=5, unit="U/L", comparator="<")),
        ("12.1 g/dL", Quantity(value=12.1, unit="g/dL")),
        ("210 x10^9/L", Quantity(value=210, unit="x10^9/L")),
        ("98 %", Quantity(value=98, unit="%")),
        ("1:80", "1:80"),
        ("IIIb", "IIIb"),
        ("2+", "2+"),
        ("5-10", "5-10"),
        ("3.1.2", "3.1.2"),
        ("2024-05-17", "2024-05-17"),
        ("neg", "neg"),
    ],
)
def test_results(text: str, value: object) -> None:
    assert written.measured(text) == value


@pytest.mark.parametrize("text", ["NaN", "1e999", "-inf", ".nan"])
def test_numbers_that_are_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"number"):
        written.measured(text)


@pytest.mark.parametrize(
    ("text", "value", "unit", "often"),
    [
        ("10 mg/day", 10, "mg/day", None),
        ("10 mg daily", 10, "mg/day", None),
        ("0.5 mg/kg/day", 0.5, "mg/kg/day", None),
        ("5 mg twice daily", 5, "mg", 2),
        ("500 mg bid", 500, "mg", 2),
        ("15 mg weekly", 15, "mg", 1 / 7),
        ("25 mg every 8 hours", 25, "mg", 3),
        ("600 mg", 600, "mg", None),
    ],
)
def test_doses(text: str, value: float, unit: str, often: float | None) -> None:
    assert written.dose(text) == (Quantity(value=value, unit=unit), pytest.approx(often) if often is not None else None)


@pytest.mark.parametrize("text", ["10", "10 mg as needed", "one tablet", "10-20 mg/day", "10 mg then 5 mg daily", "5 mg every 0 days"])
def test_doses_that_fix_nothing_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"dose|number"):
        written.dose(text)


@given(st.text(max_size=40))
def test_no_text_makes_the_readers_fall(text: str) -> None:
    cleaned = written.clean(text)
    assert cleaned == written.clean(cleaned)
    cleaned.encode()
    for reader in (written.measured, written.dose, written.number, written.coding):
        said = ""
        try:
            reader(cleaned)
        except ValueError as error:
            said = str(error)
        assert len(cleaned) < 4 or cleaned not in said
    written.reference_range(cleaned)
    written.per_day(cleaned)
