"""Published scores: inputs, formula, value, cut-off, limits; unknown with the missing inputs named."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from flags.conftest import KYV, flags_of

from eligibility.engine.derived import FORMULAS
from eligibility.flags.engine import FlagEngine
from eligibility.model.flag import FlagFinding, Score
from eligibility.model.truth import FALSE, TRUE, UNKNOWN
from eligibility.report.flags import missing, score
from eligibility.report.words import Words


def result(concept: str, value: float | str, unit: str | None = None, start: str = "2026-10-20", **more: Any) -> dict[str, Any]:
    return {"concept": concept, "start": start, "value": value, "unit": unit, **more}


INPUTS = {
    "platelets": result("platelets", 100.0, "10*9/L"),
    "neutrophils": result("neutrophils", 1.1, "10*9/L"),
    "hemoglobin": result("hemoglobin", 85.0, "g/L"),
    "crp": result("crp", 45.0, "mg/L"),
    "ferritin": result("ferritin", 700.0, "ng/mL"),
}


def found(plain: FlagEngine, record: Any, observations: list[dict[str, Any]], flag: str) -> tuple[FlagFinding | None, Any]:
    flags = flags_of(plain, record({"observations": observations}))
    return next((one for one in flags.of(KYV) if one.id == flag), None), flags.truths(KYV)[flag]


def shown(flag: FlagFinding | None) -> Score:
    assert flag is not None
    assert flag.score is not None
    return flag.score


def test_car_hematotox_counts_its_points_in_any_unit(plain: FlagEngine, record: Any) -> None:
    flag, truth = found(plain, record, list(INPUTS.values()), "car-hematotox-high")
    assert truth is TRUE
    value = shown(flag).value
    assert value is not None
    assert (value.lo, value.hi) == (5.0, 5.0)
    assert shown(flag).missing == ()
    assert [one.concept for one in shown(flag).inputs] == list(INPUTS)
    assert all(len(one.evidence) == 1 for one in shown(flag).inputs)


@pytest.mark.parametrize("gone", [part for count in (1, 2, 5) for part in itertools.combinations(INPUTS, count)])
def test_car_hematotox_without_an_input_is_unknown_and_names_it(
    plain: FlagEngine, record: Any, words: Words, gone: tuple[str, ...]
) -> None:
    left = [value for name, value in INPUTS.items() if name not in gone]
    flag, truth = found(plain, record, left, "car-hematotox-high")
    assert truth is UNKNOWN
    assert shown(flag).missing == gone
    assert shown(flag).value is None
    assert flag is not None
    said = " ".join(missing(flag, words))
    for name in gone:
        assert words.label(name) in said


@pytest.mark.parametrize(
    ("values", "points"),
    [
        ((176, 1.21, 9.1, 2.9, 649), 0),
        ((175, 1.21, 9.1, 2.9, 649), 1),
        ((75, 1.21, 9.1, 2.9, 649), 1),
        ((74.9, 1.21, 9.1, 2.9, 649), 2),
        ((176, 1.2, 9.1, 2.9, 649), 1),
        ((176, 1.21, 9.0, 2.9, 649), 1),
        ((176, 1.21, 9.1, 3.0, 649), 1),
        ((176, 1.21, 9.1, 2.9, 650), 1),
        ((176, 1.21, 9.1, 2.9, 2000), 1),
        ((176, 1.21, 9.1, 2.9, 2001), 2),
        ((10, 0.1, 7, 20, 5000), 7),
    ],
)
def test_points_of_car_hematotox_on_and_beside_each_limit(values: tuple[float, ...], points: int) -> None:
    assert FORMULAS["car-hematotox"].compute(*values) == points


def test_every_score_is_monotone_in_each_input_so_that_corners_bound_it() -> None:
    steps = [1.0, 5.0, 50.0, 90.0, 175.0, 200.0, 650.0, 3000.0]
    for name, rising in {"easix": (1, 1, -1), "m-easix": (1, 1, -1), "car-hematotox": (-1, -1, -1, 1, 1)}.items():
        compute = FORMULAS[name].compute
        assert len(FORMULAS[name].inputs) == len(rising)
        for place, sign in enumerate(rising):
            for base in ([50.0] * len(rising), [2.0] * len(rising), [500.0] * len(rising)):
                values = [compute(*base[:place], step, *base[place + 1 :]) for step in steps]
                assert values == sorted(values, reverse=sign < 0)


def test_easix_is_ldh_times_creatinine_over_platelets(plain: FlagEngine, record: Any) -> None:
    observations = [
        result("ldh", 240.0, "U/L"),
        result("creatinine", 88.4, "umol/L"),
        result("crp", 20.0, "mg/L"),
        result("platelets", 120.0, "10*9/L"),
    ]
    flag, truth = found(plain, record, observations, "easix-value")
    value = shown(flag).value
    assert truth is TRUE
    assert value is not None
    assert value.lo == value.hi == pytest.approx(2.0, rel=1e-3)
    other, _ = found(plain, record, observations, "m-easix-value")
    value = shown(other).value
    assert value is not None
    assert value.lo == value.hi == pytest.approx(4.0, rel=1e-6)


def test_a_value_known_to_an_interval_gives_a_score_known_to_one(plain: FlagEngine, record: Any) -> None:
    observations = [
        {"concept": "ldh", "start": "2026-10-20", "value": {"value": 240.0, "unit": "U/L", "comparator": "<"}},
        result("creatinine", 1.0, "mg/dL"),
        result("platelets", 120.0, "10*9/L"),
    ]
    flag, _ = found(plain, record, observations, "easix-value")
    value = shown(flag).value
    assert value is not None
    assert (value.lo, value.hi) == (0.0, 2.0)


def test_a_straddling_score_is_unknown(plain: FlagEngine, record: Any) -> None:
    observations = [
        {**INPUTS["platelets"], "value": {"value": 80.0, "unit": "10*9/L", "comparator": "<"}},
        result("neutrophils", 2.0, "10*9/L"),
        result("hemoglobin", 12.0, "g/dL"),
        result("crp", 1.0, "mg/L"),
        result("ferritin", 100.0, "ng/mL"),
    ]
    _, truth = found(plain, record, observations, "car-hematotox-high")
    assert truth is UNKNOWN
    observations[0] = {**INPUTS["platelets"], "value": 80.0}
    assert found(plain, record, observations, "car-hematotox-high")[1] is FALSE


def test_a_reported_score_is_told_as_reported(plain: FlagEngine, record: Any, words: Words) -> None:
    flag, truth = found(plain, record, [result("car-hematotox", 3.0)], "car-hematotox-high")
    assert truth is TRUE
    assert shown(flag).reported
    assert shown(flag).missing == ()
    assert score(shown(flag), words)[0] == "CAR-HEMATOTOX score 3 (reported)"


def test_a_score_says_formula_cut_off_and_limits(plain: FlagEngine, record: Any, words: Words) -> None:
    flag, _ = found(plain, record, list(INPUTS.values()), "car-hematotox-high")
    said = score(shown(flag), words)
    assert said[0] == "CAR-HEMATOTOX score 5 (computed)"
    assert sum(text.startswith("input: ") for text in said) == 5
    assert any(text.startswith("formula: ") and "Rejeski" in text for text in said)
    assert any(text.startswith("cut-off: ") and "2 or more" in text for text in said)
    assert any(text.startswith("limits: ") and "not validated in autoimmune" in text for text in said)
