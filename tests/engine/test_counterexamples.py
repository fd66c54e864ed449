"""Small charts on which the engine, or the specification, was once wrong (docs/decisions/0002-meaning.md)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from eligibility.engine.reference import evaluate
from eligibility.engine.settings import Settings
from eligibility.model.finding import Finding
from eligibility.model.trial import Derived
from eligibility.model.truth import FALSE, TRUE, UNKNOWN, Truth
from eligibility.vocabulary.vocabulary import Vocabulary

from .conftest import AS_OF, patient_of, statement_of

Ask = Callable[..., Finding]


def test_the_least_of_several_orders_may_be_a_possible_one(ask: Ask) -> None:
    chart = """medications:
  - {concept: prednisone, start: 2026-01-01, dose: 20 mg/day, status: active}
  - {concept: prednisone, start: 2026-10-01, dose: 10 mg/day, status: unknown}"""
    assert ask("{observation: prednisone-equivalent-dose, at: screening, latest: {at_least: 20 mg/day}}", chart).truth is UNKNOWN
    assert ask("{observation: prednisone-equivalent-dose, at: screening, latest: {at_least: 10 mg/day}}", chart).truth is TRUE


def test_an_entry_never_measured_may_be_one_that_counts(ask: Ask) -> None:
    statement = "{observation: [edss, mg-adl], ever: true, where: {at_least: 3}, count: {distinct: entry, at_least: 2}}"
    one = "{concept: edss, date: 2026-10-01, value: 4}"
    assert ask(statement, f"observations: [{one}]").truth is UNKNOWN
    assert ask(statement, f"observations: [{one}, {{concept: mg-adl, date: 2026-10-01, value: 2}}]").truth is Truth.PRESUMED_FALSE
    assert ask(statement, f"observations: [{one}, {{concept: mg-adl, date: 2026-10-01, value: 5}}]").truth is TRUE


def test_now_is_a_day_to_look_at_and_no_window_of_one_day(ask: Ask) -> None:
    chart = "conditions: [{concept: menopause, start: %s, status: active}]"
    statement = "{condition: menopause, now: true, where: {lasting: {at_least: 24 months}}}"
    assert ask(statement, chart % "2024-11-01").truth is TRUE
    assert ask(statement, chart % "2024-11-02").truth is not TRUE


def test_what_goes_on_may_never_end(ask: Ask) -> None:
    statement = "{condition: hypertension, ever: true, where: {ended: {after: screening}}}"
    assert ask(statement, "conditions: [{concept: hypertension, start: 2019, status: active}]").truth is UNKNOWN


def test_none_known_since_a_day_is_not_voided_by_an_event_before_it(ask: Ask) -> None:
    chart = """conditions: [{concept: ms-relapse, start: 2025-10-31}]
absences: [{family: condition, kind: none-known, concept: ms-relapse, since: 2025-11-01, as_of: 2026-11-01}]"""
    assert ask("{condition: ms-relapse, within: 12 months}", chart).truth is FALSE
    assert ask("{condition: ms-relapse, within: 13 months}", chart).truth is TRUE


def test_a_dose_that_changed_is_changed_whatever_comes_before_the_anchor(ask: Ask) -> None:
    chart = """medications:
  - {concept: prednisone, start: 2026-01-01, end: 2026-10-15, dose: 35 mg/day, status: completed}
  - {concept: prednisone, start: 2026-10-16, dose: 40 mg/day, status: active}"""
    statement = "{observation: prednisone-equivalent-dose, within: 8 weeks, before: leukapheresis, unchanged: true}"
    assert ask(statement, chart, leukapheresis="2026-11-10").truth is FALSE
    assert [reason.code for reason in ask(statement, chart).reasons] == ["future"]


def test_the_latest_fact_to_hang_a_time_on_may_be_an_unreadable_one(ask: Ask) -> None:
    chart = """observations: [{concept: platelets, date: 2026-10-20, value: 80000, unit: /uL}]
procedures:
  - {concept: platelet-transfusion, date: 2026-10-18, status: completed}
  - {codes: ["local|77"], date: 2026-10-19, status: completed}"""
    statement = """{observation: platelets, at: screening, latest: {above: 50000 /uL},
      except: [{within: 1 day, after: {procedure: platelet-transfusion, latest: true}}]}"""
    assert ask(statement, chart).truth is UNKNOWN


def test_a_count_of_cells_flagged_low_is_detected(ask: Ask) -> None:
    statement = "{observation: cd19-b-cells, at: screening, latest: {is: detected}}"
    chart = """observations:
  - {concept: cd19-b-cells, date: 2026-10-22, value: %s, unit: 10*9/L, range: {low: 0.1, high: 0.5}, interpretation: %s}"""
    assert ask(statement, chart % (0.05, "low")).truth is TRUE
    assert ask(statement, chart % (0.3, "normal")).truth is TRUE
    assert ask(statement, chart % (0, "low")).truth is FALSE


def test_doses_run_together_over_the_drugs_gap(ask: Ask) -> None:
    chart = """medications:
  - {concept: azathioprine, start: 2026-01-01, end: 2026-09-20, dose: 100 mg/day, status: completed}
  - {concept: azathioprine, start: 2026-10-01, dose: 100 mg/day, status: active}"""
    assert ask("{medication: azathioprine, within: 2 months, unchanged: true}", chart).truth is TRUE


def test_where_silence_settles_nothing_it_leaves_no_course_as_it_is_either(ask: Ask) -> None:
    statement = "{medication: azathioprine, ever: true, where: {none_of: [{lasting: {at_least: 12 weeks}}]}%s}"
    chart = "medications: [{concept: azathioprine, start: 2026-08-01, end: 2026-08-20, status: completed}]"
    assert ask(statement % "", chart).truth is Truth.PRESUMED_TRUE
    assert ask(statement % ", if_not_recorded: unknown", chart).truth is UNKNOWN


def test_two_numbered_events_of_one_day_are_not_two_days(ask: Ask) -> None:
    statement = "{condition: ms-relapse, ever: true, count: {distinct: day, at_least: 2}}"
    chart = """conditions:
  - {concept: ms-relapse, start: 2026-05-01, event: first}
  - {concept: ms-relapse, start: %s, event: second}"""
    assert ask(statement, chart % "2026-05-01").truth is UNKNOWN
    assert ask(statement, chart % "2026-05-10").truth is TRUE  # within one episode, but the source numbers them


def test_a_steroid_counts_in_the_days_dose_by_its_route(ask: Ask) -> None:
    cap = "{observation: prednisone-equivalent-dose, at: screening, latest: {at_least: 20 mg/day}}"
    chart = "medications: [{concept: %s, start: 2026-01-01, dose: 100 mg/day, status: active%s}]"
    assert ask(cap, chart % ("hydrocortisone", ", route: oral")).truth is TRUE
    assert ask(cap, chart % ("hydrocortisone", "")).truth is UNKNOWN
    assert [reason.detail for reason in ask(cap, chart % ("hydrocortisone", "")).reasons] == ["route"]
    assert ask(cap, chart % ("hydrocortisone", ", route: into the left ear")).truth is UNKNOWN
    assert ask(cap, chart % ("hydrocortisone", ", route: topical")).truth is not TRUE
    assert ask(cap, chart % ("prednisone", "")).truth is TRUE  # every form of it acts on the whole body


def test_a_word_for_steroids_keeps_the_days_dose_open(ask: Ask) -> None:
    cap = "{observation: prednisone-equivalent-dose, at: screening, latest: {at_most: 10 mg/day}}"
    chart = "medications: [{text: %s, start: 2026-10-01, status: active}, {concept: azathioprine, start: 2020-01-01, status: active}]"
    assert ask(cap, chart % "steroid taper").truth is UNKNOWN
    assert ask("{medication: prednisone, now: true}", chart % "steroid taper").truth is UNKNOWN
    assert ask(cap, chart % "vitamin D").truth is Truth.PRESUMED_TRUE


def test_a_stated_absence_of_steroids_settles_the_days_dose(ask: Ask) -> None:
    cap = "{observation: prednisone-equivalent-dose, at: screening, latest: {at_most: 10 mg/day}}"
    chart = "absences: [{family: medication, kind: none-known, concept: glucocorticoid, as_of: 2026-11-01}]"
    assert ask(cap, chart).truth is TRUE


def test_an_end_before_the_start_leaves_no_date_of_an_event_either(ask: Ask) -> None:
    chart = "conditions: [{concept: %s, start: 2026-05-01, end: 2026-03-01}]"
    assert ask("{condition: ms-relapse, within: 7 months}", chart % "ms-relapse").truth is UNKNOWN
    started = "{condition: multiple-sclerosis, ever: true, earliest: {started: {ago: {below: 1 year}}}}"
    assert ask(started, chart % "multiple-sclerosis").truth is UNKNOWN


def test_months_apart_are_counted_back_from_the_later_event(ask: Ask) -> None:
    statement = "{procedure: plasma-exchange, within: 12 months, count: {distinct: day, at_least: 2, apart: 1 month}}"
    chart = """procedures: [{concept: plasma-exchange, date: 2026-01-31, status: completed},
  {concept: plasma-exchange, date: %s, status: completed}]
absences: [{family: procedure, kind: complete, as_of: 2026-11-01}]"""
    assert ask(statement, chart % "2026-02-28").truth is FALSE
    assert ask(statement, chart % "2026-03-01").truth is TRUE


@pytest.mark.parametrize(
    ("written", "truth"), [("1,250", UNKNOWN), ("300,000", TRUE), ("1,250,000", TRUE), ("12,5", FALSE), ("0,125", FALSE)]
)
def test_a_comma_that_may_be_either_makes_no_number(ask: Ask, written: str, truth: Truth) -> None:
    statement = "{observation: platelets, at: screening, latest: {above: 50 10*9/L}}"
    unit = "10*9/L" if len(written) < 6 else "/uL"
    assert ask(statement, f'observations: [{{concept: platelets, date: 2026-10-20, value: "{written}", unit: {unit}}}]').truth is truth


def test_a_flag_against_the_numbers_own_range_is_a_contradiction(ask: Ask) -> None:
    statement = "{observation: alt, at: screening, latest: {above: 1 x ULN}}"
    chart = "observations: [{concept: alt, date: 2026-10-20, value: 30 U/L, flag: %s, range: 0-40 U/L}]"
    assert [reason.code for reason in ask(statement, chart % "H").reasons] == ["conflicting"]
    assert ask(statement, chart % "N").truth is FALSE


def test_who_is_not_born_yet_has_no_age(ask: Ask) -> None:
    assert ask("{age: {below: 18 years}, at: screening}", "birth_date: 2030-01-01").truth is UNKNOWN


def test_what_begins_after_the_date_makes_no_list_live(ask: Ask) -> None:
    statement = "{condition: sle, ever: true, documented: true}"
    assert ask(statement, "conditions: [{concept: hypertension, start: 2027-03-01}]").truth is UNKNOWN
    assert ask(statement, "conditions: [{concept: hypertension, start: 2025-03-01}]").truth is FALSE


def test_a_queried_diagnosis_is_possible_and_no_more(ask: Ask) -> None:
    assert ask("{condition: cancer, ever: true}", 'conditions: [{text: "?lymphoma", start: 2024-05-01}]').truth is UNKNOWN
    assert ask("{condition: cancer, ever: true}", "conditions: [{text: lymphoma, start: 2024-05-01}]").truth is TRUE
    assert ask("{medication: rituximab, ever: true}", 'medications: [{text: "rituximab?", start: 2024-05-01}]').truth is UNKNOWN


@pytest.mark.parametrize(
    "course",
    [
        "medications: [{concept: rituximab, start: 2026-01-01, end: 2027-05-01, status: %s}]",
        "conditions: [{concept: hypertension, start: 2020, end: 2028, status: %s}]",
    ],
)
def test_what_is_over_is_not_going_on_because_its_end_was_once_planned(ask: Ask, course: str) -> None:
    family, concept, over = ("medication", "rituximab", "stopped") if "rituximab" in course else ("condition", "hypertension", "resolved")
    now = f"{{{family}: {concept}, now: true}}"
    assert ask(now, course % over).truth is not TRUE
    assert ask(now, course % "active").truth is TRUE
    if family == "medication":
        assert ask(now, course % "on-hold").truth is UNKNOWN


def test_an_undated_visit_does_not_come_before_a_dated_one_it_follows(ask: Ask) -> None:
    statement = "{medication: rituximab, within: 12 months, before: infusion}"
    chart = "medications: [{concept: rituximab, start: 2026-07-20, end: 2026-07-20, status: completed}]"
    assert ask(statement, chart).truth is TRUE
    assert ask(statement, chart, leukapheresis="2027-08-01").truth is not TRUE


def test_the_latest_weight_near_enough_is_the_one_computed_with(ask: Ask, vocabulary: Vocabulary) -> None:
    derived = {
        "creatinine-clearance-cockcroft-gault": Derived.model_validate(
            {"formula": "cockcroft-gault", "inputs_within": "90 days", "basis": "assumed"}
        )
    }
    statement = statement_of("{observation: creatinine-clearance-cockcroft-gault, within: 60 days, latest: {at_least: 60 mL/min}}")
    weights = "{concept: weight, date: 2026-10-01, value: 70 kg}, {concept: weight, date: %s, value: 40 kg}"
    chart = f"""birth_date: 1980-01-01
sex: female
observations: [{{concept: creatinine, date: 2026-10-20, value: 0.8 mg/dL}}, {weights}]"""
    asked = lambda text: evaluate(statement, patient_of(text), vocabulary, Settings(AS_OF), derived=derived)  # noqa: E731
    assert asked(chart % "2026-10-20").truth is FALSE
    assert asked(chart % "2026-09-20").truth is TRUE
    far = asked(chart.replace("2026-10-01", "2026-05-01") % "2026-05-02")
    assert [(reason.code, reason.item) for reason in far.reasons] == [("not_recorded", "weight")]


@pytest.mark.parametrize(
    ("course", "wanted"),
    [
        ("{concept: menopause, start: 2025-11, status: active}", ["start"]),
        ("{concept: menopause, start: 2025-03-20, end: 2026-03}", ["end"]),
        ("{concept: menopause, start: 2025-03, end: 2026-03}", ["start", "end"]),
    ],
)
def test_a_length_blames_the_date_that_is_rough(ask: Ask, course: str, wanted: list[str]) -> None:
    statement = "{condition: menopause, ever: true, where: {lasting: {at_least: 12 months}}}"
    assert [reason.detail for reason in ask(statement, f"conditions: [{course}]").reasons] == wanted


def test_a_word_on_one_disease_shows_no_problem_list(ask: Ask) -> None:
    statement = "{condition: sle, ever: true, documented: true}"
    one = "absences: [{family: condition, kind: none-known, concept: ms-relapse, as_of: 2026-11-01}]"
    assert ask(statement, one).truth is UNKNOWN
    assert ask(statement, "absences: [{family: condition, kind: none-known, as_of: 2026-11-01}]").truth is FALSE


def test_done_and_not_done_on_one_day_contradict(ask: Ask) -> None:
    statement = "{procedure: thymectomy, ever: true}"
    chart = "procedures: [{concept: thymectomy, date: 2024-03-01, status: completed}, {concept: thymectomy, date: %s, status: not-done}]"
    assert [reason.code for reason in ask(statement, chart % "2024-03-01").reasons] == ["conflicting"]
    assert ask(statement, chart % "2024-02-01").truth is TRUE


def test_where_of_a_share_of_a_score_speaks_of_the_share(ask: Ask) -> None:
    statement = "{observation: mg-adl, %sever: true, where: {at_least: 4}, count: {distinct: day, at_least: 1}}"
    chart = "observations: [{concept: mg-adl, date: 2026-10-20, items: {%s}}]"
    items = "talking: 3, chewing: 3, swallowing: 0, breathing: 0, brushing-teeth: 0, arising-from-chair: 0, diplopia: 1, ptosis: 1"
    assert ask(statement % "", chart % items).truth is TRUE
    assert ask(statement % "only: [ocular], ", chart % items).truth is not TRUE


def test_the_greater_of_a_number_and_a_multiple_of_the_limit_in_other_units(ask: Ask) -> None:
    statement = "{observation: creatinine, at: screening, latest: {%s: {%s: [1.5 mg/dL, 1 x ULN]}}}"
    chart = (
        "observations: [{concept: creatinine, date: 2026-10-20, value: 150, unit: umol/L, range: {low: 50, high: 120}}]"  # 1.7 mg/dL; 1.36
    )
    assert ask(statement % ("above", "greater_of"), chart).truth is TRUE
    assert ask(statement % ("at_most", "lesser_of"), chart).truth is FALSE
    chart = chart.replace("value: 150", "value: 125")  # 1.41 mg/dL: above the laboratory's limit and not above 1.5
    assert ask(statement % ("above", "greater_of"), chart).truth is FALSE
    assert ask(statement % ("above", "lesser_of"), chart).truth is TRUE
    assert ask(statement % ("at_most", "greater_of"), chart).truth is TRUE
    assert ask(statement % ("at_most", "lesser_of"), chart).truth is FALSE


def test_an_entry_that_may_be_the_drug_may_make_its_run_longer(ask: Ask) -> None:
    statement = "{medication: rituximab, ever: true, where: {lasting: {at_most: 4 weeks}}}"
    chart = "medications: [{concept: rituximab, start: 2026-05-01, end: 2026-05-15, status: completed}%s]"
    assert ask(statement, chart % "").truth is Truth.PRESUMED_TRUE
    beside = ', {codes: ["local|77"], start: 2026-05-10, end: 2026-09-30, status: completed}'
    found = ask(statement, chart % beside)
    assert found.truth is UNKNOWN
    assert "not_understood" in [reason.code for reason in found.reasons]
    far = ', {codes: ["local|77"], start: 2020-05-10, end: 2020-09-30, status: completed}'
    assert ask("{medication: rituximab, within: 1 year, where: {lasting: {at_most: 4 weeks}}}", chart % far).truth is Truth.PRESUMED_TRUE


def test_a_preliminary_result_does_not_show_that_there_was_no_other(ask: Ask) -> None:
    statement = "{medication: rituximab, ever: true, while: {observation: platelets, where: {below: 100 10*9/L}}}"
    chart = """medications: [{concept: rituximab, start: 2026-05-01, end: 2026-05-15, status: completed}]
observations: [{concept: platelets, date: 2026-04-01, value: 200, unit: 10*9/L, status: %s}]"""
    assert ask(statement, chart % "final").truth is Truth.PRESUMED_FALSE
    assert ask(statement, chart % "preliminary").truth is UNKNOWN
