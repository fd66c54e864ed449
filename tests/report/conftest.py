"""Findings built by hand: every reason, need, assumption and notice, so that each sentence is seen."""

from __future__ import annotations

import datetime as dt
from typing import Any, get_args, get_type_hints

import pytest

from eligibility.errors import Problem
from eligibility.model.criteria import AllOf, FactAtom
from eligibility.model.finding import (
    REASONS,
    ArmResult,
    Assumption,
    ChangesOn,
    Counts,
    CriterionResult,
    Evidence,
    Finding,
    Margin,
    Need,
    Notice,
    PatientResult,
    Reason,
    Screening,
)
from eligibility.model.quantity import Interval
from eligibility.model.time import day_of
from eligibility.model.trial import TrialFile
from eligibility.model.truth import Truth
from eligibility.report.results import Envelope, Intake, PatientReport, Results, TrialSummary
from eligibility.report.words import Words

LABELS = {
    "edss": "EDSS",
    "hemoglobin": "haemoglobin",
    "pml": "progressive multifocal leukoencephalopathy",
    "ocrelizumab": "ocrelizumab",
    "live-vaccine": "live vaccine",
}


def day(text: str) -> int:
    return day_of(dt.date.fromisoformat(text))


@pytest.fixture(scope="session")
def words() -> Words:
    return Words(label=lambda item: LABELS.get(item, item), phrase=lambda node: f"{type(node).__name__} in English")


@pytest.fixture(scope="session")
def trial() -> TrialFile:
    return TrialFile.model_validate(
        {
            "trial": {
                "id": "T-1",
                "title": "Cells against plain text in relapsing examples, a first trial with a title longer than one line",
                "recruitment": {"status": "recruiting", "as_of": "2026-08-22"},
                "record": {"registry": "an example registry", "date": "2026-08-22", "completeness": "partial"},
            },
            "inclusion": [
                {"id": "I1", "text": "Consent signed", "ask": "Was the consent form signed?"},
                {
                    "id": "I2",
                    "text": "EDSS from 3.0 to 6.5, and haemoglobin over 8 g/dL with a paraphrase that is long enough to be wrapped",
                    "when": {
                        "all_of": [
                            {"observation": "edss", "within": "28 days", "latest": {"from": "3.0", "to": "6.5"}},
                            {"observation": "hemoglobin", "within": "28 days", "latest": {"above": "8 g/dL"}},
                        ]
                    },
                },
                {"id": "I3", "text": "Standing well", "note": "Advice only"},
            ],
            "exclusion": [
                {"id": "E1", "text": "Progressive multifocal leukoencephalopathy ever", "when": {"condition": "pml", "ever": "true"}},
                {"id": "E2", "text": "Ocrelizumab within 6 months", "when": {"medication": "ocrelizumab", "within": "6 months"}},
                {"id": "E3", "text": "Another bar", "not_published": "the list of barred drugs"},
            ],
        }
    )


def leaf(truth: Truth, concept: str, **more: Any) -> Finding:
    node = FactAtom.model_validate({"observation": concept, "ever": "true", "latest": {"above": "1"}})
    return Finding(node, truth, **more)


EDSS = Evidence(
    "observation", "edss", "2026-03-02", value="4.5", unit="1", interval=Interval.exactly(4.5), status="final", source="Observation/123"
)
LOW = Evidence(
    "observation",
    "hemoglobin",
    "2026-10-20T08:15",
    value="<5",
    unit="g/dL",
    interval=Interval.parse_comparator("<", 5.0),
    status="final",
    certain=False,
    source="Observation/9",
)
COURSE = Evidence("medication", "ocrelizumab", "2021-04-01", end="2026-07-10", status="stopped", source="MedicationRequest/4")
ABSENCE = Evidence("allergy", None, "2026-01-01", end="2026-10-01", absence="no known allergies", source="List/1")


def results_for(trial: TrialFile) -> Results:
    criteria = {criterion.id: criterion for _, _, criterion in trial.criteria()}

    def result(cid: str, truth: Truth, effect: Any, **more: Any) -> CriterionResult:
        values: dict[str, Any] = {"applies": Truth.TRUE, "not_applicable": False, "finding": None, **more}
        return CriterionResult(
            id=cid, kind="exclusion" if cid[0] in "Er" else "inclusion", criterion=criteria.get(cid), truth=truth, effect=effect, **values
        )

    open_edss = result(
        "I2",
        Truth.UNKNOWN,
        "open",
        reasons=(
            Reason("out_of_window", "edss", "", "Observation/123"),
            Reason("unconfirmed", "hemoglobin", "preliminary", "Observation/9"),
        ),
        evidence=(EDSS, LOW),
        settled_by=(
            (
                Need("record", "edss", "observation", start=day("2026-08-03"), end=day("2026-11-01")),
                Need("record", "edss", "observation", start=day("2026-08-03"), end=day("2026-11-01"), absence=True),
            ),
            (Need("refine", "hemoglobin", "observation", attribute="status", source="Observation/9"),),
        ),
        finding=Finding(
            criteria["I2"].when,
            Truth.UNKNOWN,
            clauses=(
                leaf(Truth.UNKNOWN, "edss", reasons=(Reason("out_of_window", "edss", "", "Observation/123"),), evidence=(EDSS,)),
                Finding(
                    AllOf.model_validate({"all_of": [criteria["E1"].when, criteria["E2"].when]}),
                    Truth.PRESUMED_TRUE,
                    basis="presumed_absent",
                    clauses=(leaf(Truth.TRUE, "hemoglobin", basis="recorded", margin=Margin(1.5, "g/dL", True)),),
                ),
            ),
        ),
    )
    blocked = result(
        "E2",
        Truth.TRUE,
        "blocks",
        basis="recorded",
        on_record=True,
        evidence=(COURSE,),
        margin=Margin(67, "day", True),
        changes_on=ChangesOn(day("2027-01-11"), "passes"),
    )
    silent = result(
        "E1",
        Truth.PRESUMED_FALSE,
        "passes",
        basis="presumed_absent",
        presumed="false",
        assumes=(
            Assumption("silence", "pml", "condition", start=day("1980-05-01"), end=day("2026-11-01"), since=day("2023-04-01")),
            Assumption("presumed_not", "pml", "condition", count=2, sources=("Condition/1", "Condition/2")),
        ),
        evidence=(ABSENCE,),
    )
    ask = result("I1", Truth.UNKNOWN, "open", reasons=(Reason("needs_judgement", "Was the consent form signed?"),))
    note = result("I3", Truth.FALSE, "passes", not_applicable=True)
    hidden = result("E3", Truth.UNKNOWN, "open", reasons=(Reason("not_published", "the list of barred drugs"),))
    death = result("record/death", Truth.FALSE, "passes", basis="recorded")
    screening = Screening(
        "T-1",
        "barrier_found",
        True,
        Counts(passes=2, not_applicable=1, blocks=1, open=1, ask=1, not_published=1),
        (ask, open_edss, note, silent, blocked, hidden, death),
        arms=(ArmResult("a", "Relapsing arm", False, "undetermined", Counts(open=1), (open_edss,)),),
    )
    report = PatientReport(
        PatientResult(
            "p1",
            (screening,),
            (
                Notice("repaired", "condition: it ends before it begins: both dates are read as unknown", source="Condition/3"),
                Notice("deceased", "the record says the person has died", date="2026-10-30"),
            ),
        ),
        Intake("charts/p1.json", 5, 3, (("MedicationRequest/9", "house drug \x1b[31m17"),), (("Observation/3", "entered in error"),)),
    )
    return Results(
        Envelope(
            "0.1.0",
            "sha256:" + "0" * 64,
            "2026-11-01",
            anchors={"leukapheresis": "2026-12-01"},
            trials=(TrialSummary.of(trial, "sha256:" + "1" * 64),),
        ),
        (report,),
        (Problem("not-json", "this is not JSON", file="charts/p2.json", line=3, column=1, instead="look at the end of line 2"),),
    )


@pytest.fixture(scope="session")
def results(trial: TrialFile) -> Results:
    return results_for(trial)


# what the engine names as the matter with an entry (eligibility/engine/values.py, selecting.py, words.py)
ATTRIBUTES = (
    "status",
    "start",
    "end",
    "code",
    "input",
    "event",
    "value",
    "range",
    "dose",
    "route",
    "outcome",
    "grade",
    "unit",
    "birth_date",
)


def every_finding() -> list[Any]:
    """One of each kind of thing that words are made for, with each code and each combination of fields."""
    a, b = day("2026-01-05"), day("2026-11-01")
    things: list[Any] = []
    for code in REASONS:
        things += [Reason(code, "edss"), Reason(code, ""), Reason(code, "edss", "a detail", "Observation/1")]
        things += [Reason(code, "edss", attribute, "Observation/1") for attribute in ATTRIBUTES]
    for do in get_args(get_type_hints(Need)["do"]):
        for start, end in ((None, None), (a, None), (None, b), (a, b), (a, a)):
            things += [
                Need(do, "edss", "observation", start=start, end=end),
                Need(do, "pml", "condition", "day", "Condition/1", start, end, True),
            ]
    for kind in get_args(get_type_hints(Assumption)["kind"]):
        things += [Assumption(kind, "pml"), Assumption(kind, "pml", "condition", a, b, a, 1, ("Condition/1",))]
    things += [EDSS, LOW, COURSE, ABSENCE, Evidence("condition", "pml", None), Evidence("condition", None, None, end="2020")]
    things += [Margin(0, "day", True), Margin(1, "day", False), Margin(-2, "day", False), Margin(0.5, "g/dL", True), Margin(1, "1", True)]
    things += [ChangesOn(b, effect) for effect in ("passes", "blocks", "open")]
    things += [Notice(code, "a detail", "2026-01-05", "Patient/1") for code in get_args(get_type_hints(Notice)["code"])]
    return things


def sentence(words: Words, thing: Any) -> str:
    """The words for one of the things of :func:`every_finding`."""
    match thing:
        case Reason():
            return words.reason(thing)
        case Need():
            return words.need(thing)
        case Assumption():
            return words.assumption(thing)
        case Evidence():
            return words.evidence(thing)
        case Margin():
            return words.margin(thing)
        case ChangesOn():
            return words.changes_on(thing)
        case Notice():
            return words.notice(thing)
    raise TypeError(type(thing).__name__)


@pytest.fixture(scope="session")
def sentences(words: Words) -> list[str]:
    return [sentence(words, thing) for thing in every_finding()]
