"""What the choice words answer on small charts: one line of MEANING 3 to 6 each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from eligibility.model.finding import Finding
from eligibility.model.truth import FALSE, TRUE, UNKNOWN, Truth

PT, PF = Truth.PRESUMED_TRUE, Truth.PRESUMED_FALSE
Ask = Callable[..., Finding]

EDSS = "observations: [{concept: edss, date: 2026-10-20, value: %s}]"
LIVE = "medications: [{concept: pyridostigmine, start: 2020-01-01, status: active}]"


@pytest.mark.parametrize(
    ("value", "expected"),
    [("3", TRUE), ("6.5", TRUE), ("2.5", FALSE), ("7", FALSE), ('"<3"', FALSE), ('"<=3"', UNKNOWN), ('">2"', UNKNOWN)],
)
def test_a_closed_range_includes_its_ends(ask: Ask, value: str, expected: Truth) -> None:
    finding = ask("{observation: edss, at: screening, latest: {from: 3.0, to: 6.5}}", EDSS % value)
    assert finding.truth == expected
    if expected is UNKNOWN:
        assert [reason.code for reason in finding.reasons] == ["imprecise_value"]


@pytest.mark.parametrize(
    ("day", "expected"),
    [("2026-08-09", TRUE), ("2026-08-08", PF), ("2026-08", UNKNOWN), ("2026-07", PF), ("2026-09", TRUE)],
)
def test_a_window_of_twelve_weeks_is_closed_and_exact_to_the_day(ask: Ask, day: str, expected: Truth) -> None:
    chart = f"medications: [{{concept: rituximab, kind: administration, start: {day}, status: completed}}]"
    assert ask("{medication: rituximab, within: 12 weeks}", chart).truth == expected


def test_less_than_twelve_months_ago_is_one_day_narrower_than_within(ask: Ask) -> None:
    chart = "procedures: [{concept: thymectomy, date: 2025-11-01, status: completed}]"
    assert ask("{procedure: thymectomy, within: 12 months}", chart).truth is TRUE
    assert ask("{procedure: thymectomy, ago: {below: 12 months}}", chart).truth is PF
    assert ask("{procedure: thymectomy, ago: {at_least: 12 months}}", chart).truth is TRUE


def test_silence_is_presumed_only_in_a_live_family(ask: Ask) -> None:
    assert ask("{medication: rituximab, ever: true}", LIVE).truth is PF
    assert ask("{medication: rituximab, ever: true}", "observations: [{concept: edss, date: 2026-10-01, value: 4}]").truth is UNKNOWN
    assert ask("{medication: rituximab, ever: true}", LIVE, absence="unknown").truth is UNKNOWN


def test_stated_absence_settles_only_up_to_its_own_date(ask: Ask) -> None:
    none_known = "absences: [{family: medication, kind: complete, as_of: %s}]"
    assert ask("{medication: rituximab, ever: true}", none_known % "2026-11-01").truth is FALSE
    assert ask("{medication: rituximab, ever: true}", none_known % "2026-06-01").truth is PF
    assert ask("{medication: rituximab, ago: {above: 6 months}}", none_known % "2026-06-01").truth is FALSE


def test_two_results_of_one_day_without_times_are_both_the_latest(ask: Ask) -> None:
    chart = "observations: [{concept: edss, date: 2026-10-20, value: 2}, {concept: edss, date: 2026-10-20, value: 4}]"
    finding = ask("{observation: edss, at: screening, latest: {at_least: 3.0}}", chart)
    assert finding.truth is UNKNOWN
    assert {reason.code for reason in finding.reasons} == {"conflicting"}


def test_a_newer_result_without_unit_is_not_passed_over(ask: Ask) -> None:
    chart = """observations:
  - {concept: hemoglobin, date: 2026-10-10, value: 12, unit: g/dL}
  - {concept: hemoglobin, date: 2026-10-20, value: 12}"""
    finding = ask("{observation: hemoglobin, at: screening, latest: {above: 8 g/dL}}", chart)
    assert finding.truth is UNKNOWN
    assert [reason.code for reason in finding.reasons] == ["unit"]


def test_g_per_litre_and_g_per_decilitre_compare_exactly(ask: Ask) -> None:
    chart = "observations: [{concept: hemoglobin, date: 2026-10-20, value: 80, unit: g/L}]"
    assert ask("{observation: hemoglobin, at: screening, latest: {above: 8 g/dL}}", chart).truth is FALSE
    assert ask("{observation: hemoglobin, at: screening, latest: {at_least: 8 g/dL}}", chart).truth is TRUE


def test_times_uln_uses_the_reported_range_and_nothing_else(ask: Ask) -> None:
    ranged = "observations: [{concept: alt, date: 2026-10-20, value: 61, unit: U/L, range: {high: 40}}]"
    bare = "observations: [{concept: alt, date: 2026-10-20, value: 61, unit: U/L}]"
    assert ask("{observation: alt, at: screening, latest: {at_most: 1.5 x ULN}}", ranged).truth is FALSE
    finding = ask("{observation: alt, at: screening, latest: {at_most: 1.5 x ULN}}", bare)
    assert [reason.code for reason in finding.reasons] == ["no_reference_range"]


def test_a_bare_positive_says_nothing_about_a_titre(ask: Ask) -> None:
    statement = "{observation: ana, at: screening, latest: {at_least: 1:80}}"
    assert ask(statement, "observations: [{concept: ana, date: 2026-10-20, value: '1:80'}]").truth is TRUE
    assert ask(statement, "observations: [{concept: ana, date: 2026-10-20, value: '1:40'}]").truth is FALSE
    assert ask(statement, "observations: [{concept: ana, date: 2026-10-20, value: positive}]").truth is UNKNOWN


def test_a_class_without_subclass_is_the_interval_of_its_subclasses(ask: Ask) -> None:
    statement = "{observation: mgfa-class, at: screening, latest: {from: IIa, to: IVa}}"
    assert ask(statement, "observations: [{concept: mgfa-class, date: 2026-10-20, value: III}]").truth is TRUE
    assert ask(statement, "observations: [{concept: mgfa-class, date: 2026-10-20, value: IV}]").truth is UNKNOWN
    assert ask(statement, "observations: [{concept: mgfa-class, date: 2026-10-20, value: IVb}]").truth is FALSE


def test_a_broader_code_makes_a_fact_possible_and_never_certain(ask: Ask) -> None:
    chart = "conditions: [{concept: multiple-sclerosis, start: 2019, status: active}]"
    finding = ask("{condition: ms-primary-progressive, now: true}", chart)
    assert finding.truth is UNKNOWN
    assert [reason.code for reason in finding.reasons] == ["unconfirmed"]


def test_documented_blocks_on_a_live_problem_list_and_not_on_an_empty_one(ask: Ask) -> None:
    statement = "{condition: sle, now: true, documented: true}"
    finding = ask(statement, "conditions: [{concept: myasthenia-gravis, start: 2019, status: active}]")
    assert (finding.truth, finding.basis) == (FALSE, "presumed_absent")
    assert ask(statement, "{}").truth is UNKNOWN


def test_an_undated_anchor_keeps_a_dose_in_its_window_open(ask: Ask) -> None:
    chart = "medications: [{concept: ivig, kind: administration, start: 2026-10-20, status: completed}]"
    statement = "{medication: ivig, within: 4 weeks, before: leukapheresis}"
    finding = ask(statement, chart)
    assert (finding.truth, [reason.code for reason in finding.reasons]) == (UNKNOWN, ["future"])
    assert ask(statement, chart, leukapheresis="2026-11-10").truth is TRUE
    ahead = ask(statement, chart, leukapheresis="2026-12-10")  # the window begins after the date: nothing seen of it yet
    assert (ahead.truth, [reason.code for reason in ahead.reasons]) == (UNKNOWN, ["future"])
    assert ask("{medication: ivig, within: 12 months, before: leukapheresis}", chart).truth is TRUE


def test_rise_sustained_needs_a_result_that_confirms_it(ask: Ask) -> None:
    statement = "{observation: edss, within: 2 years, rise: {at_least: 1.0, sustained: 6 months}}"
    risen = "{concept: edss, date: 2025-01-10, value: 4}, {concept: edss, date: 2025-09-10, value: 5}"
    assert ask(statement, f"observations: [{risen}, {{concept: edss, date: 2026-04-10, value: 5}}]").truth is TRUE
    assert ask(statement, f"observations: [{risen}, {{concept: edss, date: 2026-04-10, value: 4.5}}]").truth is PF
    assert ask(statement, f"observations: [{risen}]").truth is UNKNOWN


def test_the_days_steroid_dose_is_summed_in_prednisone(ask: Ask) -> None:
    chart = """medications:
  - {concept: prednisone, start: 2026-01-01, dose: 10 mg/day, status: active}
  - {concept: methylprednisolone, start: 2026-01-01, dose: 8 mg/day, route: oral, status: active}"""
    cap = "{observation: prednisone-equivalent-dose, at: screening, latest: {at_most: %s mg/day}}"
    assert ask(cap % 20, chart).truth is PT
    assert ask(cap % 19, chart).truth is FALSE
    assert ask(cap % 19, "medications: [{concept: prednisone, start: 2026-01-01, status: active}]").truth is UNKNOWN


def test_a_dose_changed_inside_the_window_is_not_unchanged(ask: Ask) -> None:
    statement = "{medication: azathioprine, within: 2 months, unchanged: true}"
    steady = "medications: [{concept: azathioprine, start: 2025-01-01, dose: 100 mg/day, status: active}]"
    changed = """medications:
  - {concept: azathioprine, start: 2025-01-01, end: 2026-09-30, dose: 100 mg/day, status: completed}
  - {concept: azathioprine, start: 2026-10-01, dose: 150 mg/day, status: active}"""
    assert ask(statement, steady).truth is TRUE
    assert ask(statement, changed).truth is FALSE
    assert ask(statement, LIVE).truth is PT


def test_treatments_are_counted_by_entry_and_two_prescriptions_are_one(ask: Ask) -> None:
    statement = """{medication: [cyclophosphamide, mycophenolate, [methotrexate, azathioprine]], ever: true,
      where: {outcome: [inadequate-response]}, count: {distinct: entry, at_least: 2}}"""
    failed = "{concept: %s, start: %s, status: stopped, outcome: [inadequate-response]}"
    twice = ", ".join(failed % pair for pair in [("mycophenolate", "2021"), ("mycophenolate", "2023")])
    both = ", ".join(failed % pair for pair in [("mycophenolate", "2021"), ("azathioprine", "2023")])
    grouped = ", ".join(failed % pair for pair in [("methotrexate", "2021"), ("azathioprine", "2023")])
    assert ask(statement, f"medications: [{both}]").truth is TRUE
    assert ask(statement, f"medications: [{twice}]").truth is PF
    assert ask(statement, f"medications: [{grouped}]").truth is PF


def test_an_exception_of_a_fact_leaves_the_other_fact(ask: Ask) -> None:
    statement = "{condition: cancer, ever: true, except: [{condition: basal-cell-carcinoma}]}"
    skin = "{concept: basal-cell-carcinoma, start: 2015, status: resolved}"
    assert ask(statement, f"conditions: [{skin}]").truth is PF
    assert ask(statement, f"conditions: [{skin}, {{concept: lymphoma, start: 2018, status: active}}]").truth is TRUE
    assert ask(statement, "conditions: [{concept: cancer, start: 2018, status: active}]").truth is UNKNOWN


def test_a_count_supported_by_transfusion_is_no_evidence(ask: Ask) -> None:
    statement = """{observation: platelets, at: screening, except: [{within: 7 days, after: {procedure: platelet-transfusion}}],
      latest: {above: 50000 /uL}}"""
    low = "observations: [{concept: platelets, date: 2026-10-20, value: 30000, unit: /uL}]\n"
    transfused = low + "procedures: [{concept: platelet-transfusion, date: 2026-10-15, status: completed}]"
    earlier = low + "procedures: [{concept: platelet-transfusion, date: 2026-10-01, status: completed}]"
    stated = low + "absences: [{family: procedure, kind: complete, as_of: 2026-11-01}]"
    assert ask(statement, transfused).truth is UNKNOWN
    assert ask(statement, earlier).truth is PF  # another transfusion may be unrecorded
    assert ask(statement, stated).truth is FALSE


def _age(ask: Ask, birth: str, statement: str) -> Any:
    return ask(statement, f"birth_date: {birth}").truth


def test_age_is_completed_years_and_a_partial_birth_date_stays_open_at_the_edge(ask: Ask) -> None:
    adult = "{age: {from: 18 years, to: 60 years}}"
    assert _age(ask, "2008-11-01", adult) is TRUE
    assert _age(ask, "2008-11-02", adult) is FALSE
    assert _age(ask, "2008", adult) is UNKNOWN
    assert _age(ask, "1965-11-02", adult) is TRUE
    assert _age(ask, "1965-11-01", adult) is FALSE
    assert _age(ask, "1980", adult) is TRUE
