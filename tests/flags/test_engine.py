"""Flags of a patient: raised on a strict yes, unknown with what is missing, and the shortcuts that change nothing."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import pytest
from flags.conftest import AS_OF, KYV, flag_text, flags_of, needs_engine, product

from eligibility.engine.record import Record
from eligibility.engine.reference import Evaluation
from eligibility.engine.settings import Settings
from eligibility.flags import engine as module
from eligibility.flags.engine import FlagEngine
from eligibility.language.flag_files import FlagLibrary
from eligibility.language.library import RuleLibrary
from eligibility.model.flag import FlagFinding
from eligibility.model.time import When
from eligibility.model.truth import FALSE, PRESUMED_FALSE, PRESUMED_TRUE, TRUE, UNKNOWN, Truth, all_of, any_of, none_of
from eligibility.report.flags import missing
from eligibility.report.words import Words

Make = Callable[[Any], Record]

HEAD = "title: T, message: m, severity: s, population: oncology, evidence: e, source: {title: t}"


def own(library: RuleLibrary, when: str) -> FlagEngine:
    text = f"""
schedule: {{screening: {{looks_back: 28 days, basis: published}}}}
flags:
  - {{id: low, axis: risk, {HEAD}, when: {when}}}
  - {{id: not-low, axis: benefit, {HEAD}, all: [there], none: [low]}}
  - {{id: there, axis: risk, {HEAD}, product: {{cells: autologous}}}}
"""
    flags = FlagLibrary.of([flag_text(text)])
    return FlagEngine(flags, library.definitions, library.vocabulary, "plain")


@pytest.mark.parametrize(
    ("fields", "truth", "state"),
    [
        ({"conditions": [{"concept": "cancer", "start": "2020"}]}, TRUE, "raised"),
        ({"conditions": [{"concept": "hypertension", "start": "2020"}]}, PRESUMED_FALSE, "not_raised"),
        ({}, UNKNOWN, "unknown"),
        ({"conditions": [{"concept": "cancer", "start": "2020", "verification": "provisional"}]}, UNKNOWN, "unknown"),
        ({"absences": [{"family": "condition", "kind": "complete", "as_of": "2026-11-01"}]}, FALSE, "not_raised"),
    ],
)
def test_a_flag_is_raised_on_a_strict_yes_only(library: RuleLibrary, record: Make, fields: Any, truth: Truth, state: str) -> None:
    engine = own(library, "{condition: cancer, ever: true}")
    flags = flags_of(engine, record(fields))
    assert flags.truths(KYV)["low"] is truth
    found = {flag.id: flag.state for flag in flags.of(KYV)}
    assert found.get("low", "not_raised") == state


def test_what_holds_by_silence_alone_is_unknown_and_says_so(library: RuleLibrary, record: Make) -> None:
    engine = own(library, "{none_of: [{condition: cancer, ever: true}]}")
    flags = flags_of(engine, record({"conditions": [{"concept": "hypertension", "start": "2020"}]}))
    assert flags.truths(KYV)["low"] is PRESUMED_TRUE
    (low,) = [flag for flag in flags.of(KYV) if flag.id == "low"]
    assert low.state == "unknown"
    assert missing(low, Words.of(library.vocabulary)) == ["nothing recorded of Cancer"]
    assert low.finding is not None
    assert low.finding.needs


def test_none_of_an_unknown_flag_is_unknown(library: RuleLibrary, record: Make) -> None:
    engine = own(library, "{condition: cancer, ever: true}")
    assert flags_of(engine, record({})).truths(KYV)["not-low"] is UNKNOWN
    silent = flags_of(engine, record({"conditions": [{"concept": "hypertension", "start": "2020"}]}))
    assert silent.truths(KYV)["not-low"] is PRESUMED_TRUE
    ruled_out = flags_of(engine, record({"absences": [{"family": "condition", "kind": "complete", "as_of": "2026-11-01"}]}))
    assert ruled_out.truths(KYV)["not-low"] is TRUE


def test_links_of_a_raised_flag_say_what_is_there_and_what_is_ruled_out(library: RuleLibrary, record: Make) -> None:
    engine = own(library, "{condition: cancer, ever: true}")
    flags = flags_of(engine, record({"absences": [{"family": "condition", "kind": "complete", "as_of": "2026-11-01"}]}))
    (found,) = [flag for flag in flags.of(KYV) if flag.id == "not-low"]
    assert [(link.flag, link.holds, link.truth) for link in found.links] == [("there", True, TRUE), ("low", False, FALSE)]
    assert found.depth == 1


def test_silence_unknown_leaves_open_what_silence_would_have_ruled_out(library: RuleLibrary, record: Make) -> None:
    engine = own(library, "{condition: cancer, ever: true}")
    chart = record({"conditions": [{"concept": "hypertension", "start": "2020"}]})
    assert flags_of(engine, chart).truths(KYV)["low"] is PRESUMED_FALSE
    assert flags_of(engine, chart, absence="unknown").truths(KYV)["low"] is UNKNOWN


def test_an_anchor_given_for_a_trial_is_heeded(engine: FlagEngine, record: Make) -> None:
    chart = record({"medications": [{"concept": "mycophenolate", "start": "2024", "status": "active"}]})
    flags = flags_of(engine, chart)
    assert flags.truths(KYV)["washout-immunosuppressants"] is UNKNOWN
    assert flags.truths(KYV, {"leukapheresis": When.parse("2026-11-01")})["washout-immunosuppressants"] is TRUE
    assert flags.truths(KYV)["washout-immunosuppressants"] is UNKNOWN


@pytest.mark.parametrize(
    ("fields", "truth"),
    [
        ({"lymphodepletion": {"status": "required"}}, TRUE),
        ({"lymphodepletion": {"status": "none"}}, FALSE),
        ({"lymphodepletion": {"status": "by-arm"}}, UNKNOWN),
        ({"lymphodepletion": {"status": "unknown"}}, UNKNOWN),
        ({"cells": "autologous"}, UNKNOWN),
        ({}, UNKNOWN),
    ],
)
def test_what_a_trial_file_leaves_out_of_its_product_is_unknown(plain: FlagEngine, record: Make, fields: Any, truth: Truth) -> None:
    assert flags_of(plain, record({})).truths(product(**fields))["product-lymphodepletion"] is truth


def test_a_product_without_chemotherapy_drops_the_flags_of_lymphodepletion(plain: FlagEngine, record: Make) -> None:
    chart = record(
        {
            "birth_date": ["1960-01-01"],
            "sex": ["male"],
            "observations": [
                {"concept": "creatinine", "start": "2026-10-20", "value": 2.0, "unit": "mg/dL"},
                {"concept": "weight", "start": "2026-10-20", "value": 60.0, "unit": "kg"},
            ],
        }
    )
    mrna = product(cells="autologous", target=["BCMA"], design=["mrna"], lymphodepletion={"status": "none"}, leukapheresis="required")
    flags = flags_of(plain, chart)
    assert flags.truths(KYV)["renal-fludarabine-band"] is TRUE
    found = flags.truths(mrna)
    assert found["renal-fludarabine-band"] is found["car-hematotox-high"] is found["lymphodepletion-and-organ-reserve"] is FALSE
    assert found["renal-below-trial-floor"] is TRUE


# -- shortcuts change nothing ----------------------------------------------------------------------


def plainly(engine: FlagEngine, record: Record, settings: Settings, trial: Any) -> dict[str, Truth]:
    """Every flag by the book: each statement evaluated in full, each rule by the connectives."""
    said: dict[str, Truth] = {}
    for compiled in engine.compiled:
        plan = compiled.plan
        anchors = {name: when for name, when in settings.anchors.items() if name in plan.schedule}
        one = Settings(settings.as_of, settings.absence, anchors, settings.site)
        evaluation = Evaluation(record, one, plan.schedule, plan.horizon, plan.trial.id)
        for criterion in plan.criteria:
            assert criterion.when is not None
            said[criterion.id] = evaluation.find(criterion.when, criterion).truth
    product = engine.product(trial).truths
    truths: dict[str, Truth] = {}

    def settle(flag: str) -> Truth:
        if flag not in truths:
            rule = engine.flags.rules[flag]
            parts = [said.get(flag, TRUE), product.get(flag, TRUE), *(settle(name) for name in rule.all)]
            if rule.any:
                parts.append(any_of(settle(name) for name in rule.any))
            if rule.none:
                parts.append(none_of(settle(name) for name in rule.none))
            truths[flag] = all_of(parts)
        return truths[flag]

    return {flag: settle(flag) for flag in engine.flags.rules}


def test_every_flag_of_every_fixture_patient_is_what_the_book_says(
    engine: FlagEngine, library: RuleLibrary, patients: Any, record: Make
) -> None:
    trials = [*library.trials.values(), product()]
    seen: set[Truth] = set()
    for number, patient in enumerate(patients):
        chart = record(patient)
        for absence in ("presumed", "unknown"):
            settings = Settings(AS_OF, absence)  # type: ignore[arg-type]
            flags = engine.patient(chart, settings)
            for trial in (trials[number % len(trials)], trials[(number * 7 + 3) % len(trials)]):
                found = flags.truths(trial)
                assert found == plainly(engine, chart, settings, trial)
                seen |= set(found.values())
    assert seen == set(Truth)


def test_silence_is_answered_alike_for_every_mixture_of_families(plain: FlagEngine, record: Make) -> None:
    entries: dict[str, Any] = {
        "conditions": [{"concept": "hypertension", "start": "2020"}],
        "medications": [{"concept": "interferon-beta", "start": "2020", "status": "active"}],
        "procedures": [{"concept": "lumbar-puncture", "start": "2020", "status": "completed"}],
        "immunizations": [{"concept": "influenza-inactivated-vaccine", "start": "2020", "status": "completed"}],
        "observations": [{"concept": "sodium", "start": "2026-10-20", "value": 140.0, "unit": "mmol/L"}],
    }
    unclear: dict[str, Any] = {
        "conditions": [{"text": "seen by the county service"}],
        "medications": [{"text": "amlodipine 5 mg tablet", "status": "active"}],
        "procedures": [{"codes": [{"system": "http://example.org", "code": "x1"}], "status": "completed"}],
    }
    names = list(entries)
    for mask in range(2 ** len(names)):
        known = {name: entries[name] for i, name in enumerate(names) if mask >> i & 1}
        both = {name: [*known.get(name, []), *unclear.get(name, [])] for name in {**known, **unclear}}
        for chart in (record(known), record(both)):
            for absence in ("presumed", "unknown"):
                settings = Settings(AS_OF, absence)  # type: ignore[arg-type]
                assert plain.patient(chart, settings).truths(KYV) == plainly(plain, chart, settings, KYV)


def test_the_table_of_silence_holds_nothing_of_a_patient(library: RuleLibrary, record: Make, patients: Any) -> None:
    engine = FlagEngine(library.flags, library.definitions, library.vocabulary, "plain")
    for patient in patients:
        flags_of(engine, record(patient)).truths(KYV)
    for key, truth in engine.silence._known.items():
        assert isinstance(truth, Truth)
        number, index, day, absence, live = key
        assert (type(number), type(index), day, absence) == (int, int, AS_OF, "presumed")
        assert live <= {"condition", "observation", "medication", "procedure", "immunization", "allergy"}


@needs_engine
def test_which_chainer_ran_changes_no_flag(library: RuleLibrary, patients: Any, record: Make) -> None:
    made = {choice: FlagEngine(library.flags, library.definitions, library.vocabulary, choice) for choice in ("plain", "durable-rules")}  # type: ignore[arg-type]
    for patient in patients[::3]:
        chart = record(patient)
        for trial in library.trials.values():
            one, other = (flags_of(engine, chart).of(trial) for engine in made.values())
            assert one == other
        assert [flag.finding for flag in one] == [flag.finding for flag in other]
    made["durable-rules"].close()


# -- what a finding carries ------------------------------------------------------------------------


def test_a_finding_goes_to_another_process_with_its_explanation(plain: FlagEngine, record: Make, patients: Any) -> None:
    found = flags_of(plain, record(patients[0])).of(KYV)
    copied: tuple[FlagFinding, ...] = pickle.loads(pickle.dumps(found))
    assert copied == found
    assert [flag.finding for flag in copied] == [flag.finding for flag in found]
    assert [flag.shown for flag in copied] == [flag.shown for flag in found]


def test_an_explanation_agrees_with_the_truth_it_explains(plain: FlagEngine, library: RuleLibrary, patients: Any, record: Make) -> None:
    for patient in patients[::3]:
        flags = flags_of(plain, record(patient))
        for trial in library.trials.values():
            for flag in flags.of(trial):
                parts = [fact.truth for fact in flag.product] + ([flag.finding.truth] if flag.finding else [])
                if not flag.links:
                    assert min(parts) is flag.truth
                if flag.state == "raised":
                    assert set(parts) <= {TRUE}
                    assert all((link.truth is TRUE) if link.holds else (link.truth is FALSE) for link in flag.links)


def test_every_unknown_flag_says_what_is_missing(
    plain: FlagEngine, library: RuleLibrary, patients: Any, record: Make, words: Words
) -> None:
    for patient in patients[::3]:
        flags = flags_of(plain, record(patient))
        for trial in list(library.trials.values())[::4]:
            for flag in flags.of(trial):
                if flag.state == "unknown":
                    assert missing(flag, words), flag.id


def test_details_left_out_leave_out_what_would_settle_it(plain: FlagEngine, record: Make) -> None:
    chart = record({})
    full = {flag.id: flag for flag in plain.patient(chart, Settings(AS_OF)).of(KYV)}
    bare = {flag.id: flag for flag in plain.patient(chart, Settings(AS_OF), details=False).of(KYV)}
    assert full.keys() == bare.keys()
    first, second = full["lvef-reduced"].finding, bare["lvef-reduced"].finding
    assert first is not None
    assert second is not None
    assert first.needs
    assert not second.needs


def test_flags_of_one_patient_are_made_once_for_trials_that_are_alike(plain: FlagEngine, record: Make) -> None:
    flags = flags_of(plain, record({"birth_date": ["1950-01-01"]}))
    one = {flag.id: flag for flag in flags.of(product(cells="autologous"))}
    other = {flag.id: flag for flag in flags.of(product(cells="allogeneic"))}
    assert one["age-outside-range"] is other["age-outside-range"]
    assert "product-autologous" in one
    assert "product-autologous" not in other


def test_own_words_of_a_derived_flag_count(library: RuleLibrary, record: Make) -> None:
    text = f"""
flags:
  - {{id: base, axis: risk, {HEAD}, when: {{condition: cancer, ever: true}}}}
  - id: top
    axis: risk
    {HEAD.replace(", ", chr(10) + "    ")}
    when: {{age: {{at_least: 18 years}}}}
    product: {{cells: autologous}}
    all: [base]
"""
    engine = FlagEngine(FlagLibrary.of([flag_text(text)]), library.definitions, library.vocabulary, "plain")
    adult, child = ({"birth_date": [year], "conditions": [{"concept": "cancer", "start": "2020"}]} for year in ("1980", "2015"))
    assert flags_of(engine, record(adult)).truths(KYV)["top"] is TRUE
    assert flags_of(engine, record(child)).truths(KYV)["top"] is FALSE
    assert flags_of(engine, record(adult)).truths(product(cells="allogeneic"))["top"] is FALSE
    (top,) = [flag for flag in flags_of(engine, record(adult)).of(KYV) if flag.id == "top"]
    assert [link.flag for link in top.links] == ["base"]
    assert not any(name.startswith(module.OWN) for name in engine.flags.rules)
