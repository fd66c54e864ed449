"""Calendar steps over all pairs of days in four years, a leap year among them (MEANING 3)."""

from __future__ import annotations

import datetime as dt
from calendar import monthrange
from itertools import pairwise

import pytest

from eligibility.model.time import Duration, add_months, completed_months, completed_years, date_of, day_of

FIRST = day_of(dt.date(2021, 3, 1))
DAYS = range(FIRST, FIRST + 4 * 365 + 1)  # to 28 February 2025, with 29 February 2024


def clamped(date: dt.date, months: int) -> dt.date:
    """The same day of another month, or that month's last."""
    index = date.year * 12 + date.month - 1 + months
    year, month = index // 12, index % 12 + 1
    return dt.date(year, month, min(date.day, monthrange(year, month)[1]))


@pytest.mark.parametrize("months", [-48, -24, -13, -12, -6, -3, -1, 0, 1, 2, 6, 12, 18, 36])
def test_months_are_calendar_months_clamped(months: int) -> None:
    for day in DAYS:
        assert date_of(add_months(day, months)) == clamped(date_of(day), months)


@pytest.mark.parametrize("text", ["1 day", "9 days", "2 weeks", "1 month", "3 months", "12 months", "1 year", "2 years"])
def test_a_window_never_falls_back_as_its_anchor_moves_on(text: str) -> None:
    length = Duration.parse(text)
    for step in (length.back, length.on):
        edges = [step(day) for day in DAYS]
        assert all(before <= after for before, after in pairwise(edges))
    assert all(length.back(day) < day < length.on(day) for day in DAYS)


def test_days_and_weeks_are_exact() -> None:
    for day in DAYS:
        assert Duration(10, "day").back(day) == day - 10
        assert Duration(2, "week").on(day) == day + 14


def test_age_over_all_pairs_of_days() -> None:
    """n years are completed on A when A less n years is on or after the birth."""
    backs = {on: [clamped(date_of(on), -12 * n).toordinal() for n in range(6)] for on in DAYS}
    for birth in DAYS:
        born = date_of(birth).toordinal()
        for on in range(birth, DAYS.stop):
            reached = sum(back >= born for back in backs[on]) - 1
            assert completed_years(birth, on) == reached, (date_of(birth), date_of(on))


def test_months_of_age_over_all_pairs_of_days() -> None:
    backs = {on: [add_months(on, -n) for n in range(50)] for on in DAYS}
    for birth in DAYS[::7]:
        for on in range(birth, DAYS.stop):
            months = completed_months(birth, on)
            back = backs[on]
            assert back[months] >= birth > back[months + 1] or (months >= 48 and back[months] >= birth), (date_of(birth), date_of(on))


def test_who_is_born_on_a_leap_day_ages_on_the_first_of_march() -> None:
    born = day_of(dt.date(2020, 2, 29))
    assert completed_years(born, day_of(dt.date(2023, 2, 28))) == 2
    assert completed_years(born, day_of(dt.date(2023, 3, 1))) == 3
    assert completed_years(born, day_of(dt.date(2024, 2, 29))) == 4
