"""An allergy is another statement about a drug: never its taking, nor the taking an allergy."""

from __future__ import annotations

from collections.abc import Callable

from eligibility.model.finding import Finding
from eligibility.model.truth import TRUE, UNKNOWN, Truth


def test_an_allergy_is_no_exposure(ask: Callable[..., Finding]) -> None:
    allergic = "allergies: [{concept: rituximab, recorded: 2026-10-01}]"
    assert ask("{allergy: rituximab, ever: true}", allergic).truth is TRUE
    assert ask("{medication: rituximab, within: 12 weeks}", allergic).truth is UNKNOWN


def test_an_exposure_is_no_allergy(ask: Callable[..., Finding]) -> None:
    taken = """medications: [{concept: cyclophosphamide, start: 2020, status: completed}]
allergies: [{concept: rituximab, recorded: 2026-10-01}]"""
    assert ask("{allergy: cyclophosphamide, ever: true}", taken).truth is Truth.PRESUMED_FALSE


def test_a_transplant_is_found_where_it_is_charted(ask: Callable[..., Finding]) -> None:
    statement = "{procedure: car-t, ever: true}"
    assert ask(statement, "procedures: [{concept: car-t-mrna, date: 2025-01-01, status: completed}]").truth is TRUE
    assert ask(statement, "medications: [{concept: car-t-mrna, start: 2025-01-01, status: completed}]").truth is TRUE
