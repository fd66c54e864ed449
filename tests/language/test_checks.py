"""Checks where the line runs: what is refused, what is let through, what answers a question."""

from __future__ import annotations

import pytest

from eligibility.errors import Problem
from eligibility.language.checks import check, check_definitions
from eligibility.language.library import RuleLibrary, parse_definitions, parse_trial
from eligibility.language.reader import read_yaml

HEAD = "trial: {id: NCT1, title: A trial}\nschedule:\n  screening: {looks_back: 28 days}\n  infusion: {}\n"
USES = "{condition: infarction, within: 1 year, before: infusion}"


def problems(text: str, library: RuleLibrary) -> list[Problem]:
    parsed = parse_trial(read_yaml(text, "t.yaml"))
    assert parsed.trial is not None
    return [*parsed.problems, *check(parsed.trial, library, parsed.tree, parsed.dropped)]


def codes(library: RuleLibrary, inclusion: str = "{sex: female}", exclusion: str = USES, extra: str = "", more: str = "") -> list[str]:
    """The codes of a file with one inclusion and one exclusion beside one that uses the visit."""
    text = (
        f"{HEAD}{extra}inclusion:\n  - id: I1\n    text: a\n    when: {inclusion}\n{more}"
        f"exclusion:\n  - {{id: E1, text: b, when: {exclusion}}}\n  - {{id: E2, text: c, when: {USES}}}\n"
    )
    return [problem.code for problem in problems(text, library)]


def test_a_plain_file_is_silent(library: RuleLibrary) -> None:
    assert codes(library) == []


FINE = [
    # limits of each kind, on what has them
    "{observation: hemoglobin, at: screening, latest: {at_least: 80 g/L}}",
    "{observation: hemoglobin, at: screening, latest: {from: 8 g/dL, to: 200 g/L}}",
    "{observation: creatinine, at: screening, latest: {at_most: [221 umol/L, 2.5 mg/dL]}}",
    "{observation: hemoglobin, at: screening, latest: {at_least: 1 x LLN}}",
    "{observation: anti-dsdna, at: screening, any: {above: 1 x ULN}}",
    "{observation: ana, at: screening, any: {at_least: 1:80}}",
    "{observation: nyha-class, at: screening, latest: {at_most: III}}",
    "{observation: nyha-class, at: screening, latest: {is: [II, III]}}",
    "{observation: edss, at: screening, latest: {at_least: not_published}}",
    "{observation: edss, within: 2 years, rise: {at_least: 1.0, sustained: 6 months}}",
    "{observation: walk-time, within: 2 years, rise: {at_least: 20 % relative}}",
    "{observation: ocular-share, within: 2 years, fall: {at_least: 20 points}}",
    "{observation: prednisone-equivalent-dose, at: screening, latest: {at_most: {lesser_of: [7.5 mg/day, 0.15 mg/kg/day]}}}",
    # only one side of a range is idle, so the test can fail
    "{observation: edss, at: screening, latest: {from: 0, to: 6}}",
    # parts of scores
    "{observation: sledai, without: [skin, fever], at: screening, latest: {at_least: 4}}",
    # counts
    "{observation: lesions, within: 1 year, where: {above: 0}, count: {distinct: day, at_least: 2}}",
    "{condition: relapse, within: 1 year, count: {distinct: day, at_least: 2, apart: 30 days}}",
    "{medication: [methotrexate, azathioprine], ever: true, count: {distinct: entry, at_least: 2}, if_not_recorded: unknown}",
    # silence: documented, unknown, or a concept that charts seldom record
    "{condition: lupus, now: true, documented: true}",
    "{medication: methotrexate, ever: true, if_not_recorded: unknown}",
    "{condition: relapse, within: 1 year}",
    "{none_of: [{condition: cancer, ever: true}]}",
    "{medication: prednisone, within: 2 weeks, unchanged: true}",
    # the beginning of a disease is that of its earliest entry; of an event, of any
    "{condition: lupus, ever: true, earliest: {started: {ago: {below: 15 years}}}}",
    "{age: {from: 18 years, to: 65 years}, at: consent}",
]


@pytest.mark.parametrize("statement", FINE)
def test_what_criteria_need_is_let_through(statement: str, library: RuleLibrary) -> None:
    assert codes(library, inclusion=statement) == []


BARRING = [
    "{medication: rituximab, within: {greater_of: [4 weeks, 5 half-lives]}, before: infusion}",
    "{medication: rituximab, ago: {below: 5 half-lives}}",
    "{medication: glucocorticoid, now: true, where: {dose: {above: 20 mg/day, as: prednisone}, route: oral}}",
    "{medication: prednisone, now: true, where: {dose: {above: 0.25 mg/kg/day}}}",
    "{medication: car-t, ever: true}",  # charted as procedure and as medication
    "{procedure: car-t, ever: true}",
    "{condition: cancer, ever: true, where: {grade: {scale: ctcae, at_least: 3}}}",
    "{condition: infarction, ever: true, where: {started: {within: 6 months}}}",
    "{immunization: live-vaccine, planned: true, within: 8 weeks, after: screening}",
    "{condition: cancer, ever: true, except: [{condition: skin-cancer}, {where: {ended: {ago: {at_least: 5 years}}}}]}",
    "{condition: relapse, within: 1 year, while: {medication: rituximab, where: {lasting: {at_least: 6 months}}}}",
]


@pytest.mark.parametrize("statement", BARRING)
def test_what_barriers_need_is_let_through(statement: str, library: RuleLibrary) -> None:
    assert codes(library, exclusion=statement) == []


WRONG = [
    ("{observation: hemoglobin, at: screening, latest: {at_most: [8, 80 g/L]}}", "no-unit"),
    ("{observation: creatinine, at: screening, latest: {at_most: [221 umol/L, 2.5 mm]}}", "wrong-unit"),
    ("{observation: ana, at: screening, latest: {at_least: 80}}", "wrong-limit"),
    ("{observation: nyha-class, at: screening, latest: {at_most: 2 x ULN}}", "wrong-limit"),
    ("{observation: edss, at: screening, latest: {at_least: moderate}}", "unknown-class"),
    ("{observation: edss, at: screening, latest: {is: high}}", "unknown-result"),
    ("{observation: nyha-class, at: screening, latest: {at_least: I}}", "vacuous"),
    ("{observation: edss, at: screening, latest: {below: 0}}", "vacuous"),
    ("{observation: edss, at: screening, latest: {any_of: [{at_least: mild}]}}", "unknown-class"),
    ("{observation: edss, within: 2 years, rise: {at_least: 1:80}}", "wrong-limit"),
    ("{observation: hemoglobin, within: 2 years, fall: {at_least: 2}}", "no-unit"),
    ("{observation: [edss, sledai], within: 2 years, rise: {at_least: 1}}", "list-choice"),
    ("{observation: prednisone-equivalent-dose, at: infusion, latest: {at_most: 5 mg/day}}", "no-width"),
    ("{observation: edss, at: enrolment, latest: {at_least: 3}}", "unknown-visit"),
    ("{age: {at_least: 18 years}, at: enrolment}", "unknown-visit"),
    ("{condition: [lupus, cancr], now: true, documented: true}", "unknown-concept"),
    ("{ask: 'Is it so?', show: [cancr]}", "unknown-concept"),
    ("{all_of: [{sex: female}, {meets: postmenopausl}]}", "unknown-definition"),
    ("{condition: lupus, now: true, documented: true, where: {started: {after: enrolment}}}", "unknown-visit"),
]


@pytest.mark.parametrize(("statement", "code"), WRONG)
def test_what_is_refused_wherever_it_stands(statement: str, code: str, library: RuleLibrary) -> None:
    found = codes(library, inclusion=statement)
    assert code in found
    assert set(found) <= {code, "started-any-state"}


def test_only_beginnings_of_lasting_diseases_are_refused_by_any(library: RuleLibrary) -> None:
    started = "{started: {ago: {below: 15 years}}}"
    assert codes(library, inclusion=f"{{condition: lupus, ever: true, documented: true, where: {started}}}") == ["started-any-state"]
    assert codes(library, inclusion=f"{{condition: [lupus, infarction], ever: true, documented: true, any: {started}}}") == [
        "started-any-state"
    ]
    # which course of a drug began is a fair question
    assert codes(library, exclusion=f"{{medication: prednisone, ever: true, any: {started}}}") == []


# -- names -----------------------------------------------------------------------------------------


def test_lists_hold_lists_and_all_count_as_used(library: RuleLibrary) -> None:
    extra = "lists:\n  agents: [methotrexate, steroids]\n  steroids: [prednisone, [azathioprine, rituximab]]\n"
    statement = "{medication: agents, ever: true, if_not_recorded: unknown, count: {distinct: entry, at_least: 3}}"
    assert codes(library, inclusion=statement, extra=extra) == []
    assert codes(library, inclusion=statement.replace("at_least: 3", "at_least: 4"), extra=extra) == ["vacuous"]
    assert codes(library, extra=extra) == ["unused-list", "unused-list"]


def test_a_derived_value_is_a_measurement_of_the_file(library: RuleLibrary) -> None:
    extra = "derived:\n  share: {ratio: [{observation: sledai, only: [fever]}, {observation: sledai}], same: day, unit: '%'}\n"
    assert codes(library, inclusion="{observation: share, at: screening, latest: {below: 50 %}}", extra=extra) == []
    assert codes(library, inclusion="{observation: share, at: screening, latest: {below: 50 mm}}", extra=extra) == ["wrong-unit"]
    wrong = extra.replace("only: [fever]", "only: [fevre]")
    assert codes(library, inclusion="{observation: share, at: screening, latest: {below: 50 %}}", extra=wrong) == ["unknown-item"]


def test_a_definition_is_used_through_another(library: RuleLibrary) -> None:
    extra = "definitions:\n  a: {text: a, when: {meets: b}}\n  b: {text: b, when: {sex: male}}\n"
    assert codes(library, inclusion="{meets: a}", extra=extra) == []
    assert codes(library, inclusion="{meets: b}", extra=extra) == ["unused-definition"]


def test_a_shared_definition_brings_its_visits(library: RuleLibrary) -> None:
    assert codes(library, exclusion="{meets: at-baseline}") == ["unknown-visit"]
    assert codes(library, exclusion="{meets: at-baseline}", extra="  baseline: {}\n") == ["no-width"]
    assert codes(library, exclusion="{meets: at-baseline}", extra="  baseline: {looks_back: 7 days}\n") == []


def test_shared_definitions_are_checked_alone(library: RuleLibrary) -> None:
    text = (
        "a:\n  text: a\n  source: s\n  when: {observation: edss, at: screening, latest: {at_least: 3 mm}}\n"
        "b:\n  text: b\n  when: {meets: a}\n"
    )
    found, mistakes, tree = parse_definitions(read_yaml(text, "d.yaml"))
    assert not mistakes
    assert [(p.code, p.line) for p in check_definitions(found, library.definitions, library.vocabulary, tree)] == [
        ("wrong-unit", 4),
        ("no-source", 5),
    ]


# -- criteria --------------------------------------------------------------------------------------


def test_unless_about_another_matter_is_let_through(library: RuleLibrary) -> None:
    unless = "    unless: {condition: thyroiditis, ever: true}\n"
    assert codes(library, inclusion="{none_of: [{condition: cancer, ever: true}]}", more=unless) == []
    same = "    unless: {condition: cancer, ever: true, where: {ended: {ago: {at_least: 5 years}}}}\n"
    assert codes(library, inclusion="{none_of: [{condition: cancer, ever: true}]}", more=same) == ["unless-narrower"]
    hidden = "definitions:\n  treated: {text: a, when: {condition: skin-cancer, ever: true}}\n"
    through = "    unless: {meets: treated}\n"
    assert codes(library, inclusion="{none_of: [{condition: cancer, ever: true}]}", more=through, extra=hidden) == ["unless-narrower"]
    # two results of one test are two matters
    measured = "    unless: {observation: igg, ever: true, any: {above: 900 mg/dL}}\n"
    assert codes(library, inclusion="{observation: igg, at: screening, latest: {above: 400 mg/dL}}", more=measured) == []


@pytest.mark.parametrize(
    ("statement", "bars"),
    [
        ("{ask: 'Is it so?'}", False),
        ("{any_of: [{ask: 'Is it so?'}, {sex: female}]}", False),
        ("{all_of: [{ask: 'Is it so?'}, {sex: female}]}", True),
        ("{none_of: [{ask: 'Is it so?'}, {sex: female}]}", True),
        ("{not_published: adequate organs}", False),
        ("{readings: [{sex: female}, {ask: 'Is it so?'}]}", False),
        ("{at_least: 2, of: [{sex: female}, {ask: 'Is it so?'}, {sex: male}]}", True),
        ("{at_least: 1, of: [{sex: female}, {ask: 'Is it so?'}, {sex: male}]}", False),
        ("{at_most: 1, of: [{sex: female}, {ask: 'Is it so?'}, {sex: male}]}", True),
        ("{meets: relapsing}", True),
    ],
)
def test_a_file_in_which_nothing_can_bar(statement: str, bars: bool, library: RuleLibrary) -> None:
    text = f"trial: {{id: NCT1, title: A}}\ninclusion:\n  - id: I1\n    text: a\n    when: {statement}\n"
    assert [p.code for p in problems(text, library)] == ([] if bars else ["cannot-bar"])
    metadata = text.replace("title: A", "title: A, record: {registry: x, completeness: metadata}")
    assert problems(metadata, library) == []


def test_arms_of_one_disease_need_no_diagnosis_each(library: RuleLibrary) -> None:
    def arms(first: str, second: str, rest: str = "{sex: female}") -> list[str]:
        return codes(
            library,
            extra=(
                f"arms:\n  a:\n    title: A\n    diseases: [{first}]\n    inclusion: [{{id: A1, text: a, when: {rest}}}]\n"
                f"  b:\n    title: B\n    diseases: [{second}]\n    inclusion: [{{id: B1, text: b, not_published: all of it}}]\n"
            ),
        )

    assert arms("sle", "sle") == []
    # the second arm's list cannot be read, and says so
    assert arms("sle", "iim") == ["arm-diagnosis"]
    assert arms("sle", "iim", "{condition: lupus, now: true, documented: true}") == []


# -- questions -------------------------------------------------------------------------------------


def test_a_question_stays_until_it_is_answered(library: RuleLibrary) -> None:
    asked = "{medication: methotrexate, ever: true}"
    assert codes(library, inclusion=asked) == ["presumed-barrier"]
    assert codes(library, inclusion=asked, more="    answered: {presumed-barrier: the source asks for a record}\n") == []
    assert codes(library, inclusion=asked, more="    answered: {presumed-barrier: ' '}\n") == ["presumed-barrier", "stale-answer"]
    assert codes(library, more="    answered: {presumed-barrier: the source asks for a record}\n") == ["stale-answer"]
    assert codes(library, more="    answered: {presumed-barier: typed wrongly}\n") == ["stale-answer"]


def test_an_assumed_width_is_answered_where_it_stands_or_where_it_is_used(library: RuleLibrary) -> None:
    used = "{observation: edss, at: baseline, latest: {at_least: 3}}"
    extra = "  baseline: {looks_back: 7 days, basis: assumed}\n"
    assert codes(library, inclusion=used, extra=extra) == ["assumed-basis"]
    assert codes(library, inclusion=used, extra=extra.replace("assumed}", "assumed, answered: {assumed-basis: usual}}")) == []
    assert codes(library, inclusion=used, extra=extra, more="    answered: {assumed-basis: usual}\n") == []


@pytest.mark.parametrize(
    ("inclusion", "exclusion", "asked"),
    [
        # presence that silence makes false bars an inclusion, absence that it makes true an exclusion
        ("{medication: methotrexate, ever: true}", "{sex: male}", True),
        ("{none_of: [{medication: methotrexate, ever: true}]}", "{sex: male}", False),
        ("{sex: female}", "{none_of: [{medication: methotrexate, now: true}]}", True),
        ("{sex: female}", "{medication: methotrexate, now: true}", False),
        # a question beside it keeps it open, or does not
        ("{any_of: [{medication: methotrexate, ever: true}, {ask: 'Was it taken?'}]}", "{sex: male}", False),
        ("{all_of: [{medication: methotrexate, ever: true}, {ask: 'Did it fail?'}]}", "{sex: male}", True),
        ("{at_least: 1, of: [{medication: methotrexate, ever: true}, {sex: female}]}", "{sex: male}", False),
        ("{at_most: 1, of: [{medication: methotrexate, ever: true}, {condition: cancer, ever: true}]}", "{sex: male}", False),
        ("{medication: [methotrexate, azathioprine], ever: true, count: {distinct: entry, at_least: 2}}", "{sex: male}", True),
        ("{medication: [methotrexate, azathioprine], ever: true, count: {distinct: entry, at_most: 1}}", "{sex: male}", False),
        ("{medication: prednisone, now: true, every: {dose: {at_most: 20 mg/day}}}", "{sex: male}", False),
        ("{condition: relapse, within: 1 year}", "{sex: male}", False),
        ("{meets: postmenopausal}", "{sex: male}", True),
        # nobody's dose is nothing by record, but nothing recorded is below every limit
        ("{observation: prednisone-equivalent-dose, at: screening, latest: {at_most: 10 mg/day}}", "{sex: male}", False),
        ("{observation: prednisone-equivalent-dose, at: screening, latest: {at_least: 10 mg/day}}", "{sex: male}", True),
        ("{observation: edss, at: screening, latest: {at_least: 3}}", "{sex: male}", False),
    ],
)
def test_criteria_that_silence_would_bar(inclusion: str, exclusion: str, asked: bool, library: RuleLibrary) -> None:
    assert codes(library, inclusion=inclusion, exclusion=exclusion) == (["presumed-barrier"] if asked else [])


@pytest.mark.parametrize(
    ("inclusion", "exclusion", "asked"),
    [
        ("igg, at: screening, latest: {above: 600 mg/dL}", "igg, at: screening, latest: {below: 600 mg/dL}", True),
        ("igg, at: screening, latest: {above: 600 mg/dL}", "igg, at: screening, latest: {at_most: 600 mg/dL}", False),
        ("igg, at: screening, latest: {at_least: 6 g/L}", "igg, at: screening, latest: {below: 600 mg/dL}", False),
        ("igg, at: screening, latest: {at_least: 6 g/L}", "igg, at: screening, latest: {at_most: 600 mg/dL}", True),
        ("lesions, at: screening, latest: {at_most: 3}", "lesions, at: screening, latest: {at_least: 4}", False),
        ("lesions, at: screening, latest: {at_most: 3}", "lesions, at: screening, latest: {at_least: 5}", True),
        ("nyha-class, at: screening, latest: {at_most: II}", "nyha-class, at: screening, latest: {at_least: III}", False),
        ("nyha-class, at: screening, latest: {at_most: II}", "nyha-class, at: screening, latest: {at_least: II}", True),
        ("igg, at: screening, latest: {above: 1 x LLN}", "igg, at: screening, latest: {below: 600 mg/dL}", False),
        ("igg, at: screening, latest: {above: 1 x LLN}", "igg, at: screening, latest: {below: 0.8 x LLN}", True),
        ("igg, at: screening, latest: {above: 600 mg/dL}", "platelets, at: screening, latest: {below: 600 /uL}", False),
    ],
)
def test_limits_of_two_criteria_fit_each_other(inclusion: str, exclusion: str, asked: bool, library: RuleLibrary) -> None:
    found = codes(library, inclusion=f"{{observation: {inclusion}}}", exclusion=f"{{observation: {exclusion}}}")
    assert found == (["limits-disagree"] if asked else [])


def test_limits_under_a_condition_are_not_compared(library: RuleLibrary) -> None:
    text = (
        f"{HEAD}inclusion:\n  - {{id: I1, text: a, when: {{observation: igg, at: screening, latest: {{above: 600 mg/dL}}}}}}\n"
        "exclusion:\n  - id: E1\n    text: b\n    applies_when: {sex: female}\n"
        f"    when: {{observation: igg, at: screening, latest: {{below: 700 mg/dL}}}}\n  - {{id: E2, text: c, when: {USES}}}\n"
    )
    assert problems(text, library) == []


def test_two_inclusions_and_two_exclusions_can_contradict(library: RuleLibrary) -> None:
    def pair(kind: str, first: str, second: str) -> list[str]:
        listed = "".join(
            f"  - {{id: X{i}, text: a, when: {{observation: edss, at: screening, latest: {limit}}}}}\n"
            for i, limit in enumerate((first, second))
        )
        return [
            p.code
            for p in problems(f"trial: {{id: NCT1, title: A}}\nschedule:\n  screening: {{looks_back: 1 day}}\n{kind}:\n{listed}", library)
        ]

    assert pair("inclusion", "{at_least: 3}", "{below: 3}") == ["limits-disagree"]
    assert pair("inclusion", "{at_least: 3}", "{at_most: 3}") == []
    assert pair("exclusion", "{at_least: 3}", "{below: 3}") == ["limits-disagree"]
    assert pair("exclusion", "{at_least: 6}", "{below: 3}") == []


@pytest.mark.parametrize("word", ["not", "unable", "cannot", "refused", "Isn't", "never", "unwilling"])
def test_negations_in_questions(word: str, library: RuleLibrary) -> None:
    asked = f'{{any_of: [{{sex: female}}, {{ask: "Is the patient {word} there?"}}]}}'
    assert codes(library, inclusion=asked) == ["negative-question"]
    assert codes(library, inclusion=asked.replace(word, f"k{word}ted" if word != "Isn't" else "isnot")) == []


# -- without places --------------------------------------------------------------------------------


def test_without_a_file_problems_name_the_criterion(library: RuleLibrary) -> None:
    parsed = parse_trial(
        read_yaml(f"{HEAD}inclusion:\n  - {{id: I1, text: a, when: {USES}}}\n  - {{id: I2, text: b, ask: Why}}\n", "t.yaml")
    )
    assert parsed.trial is not None
    found = check(parsed.trial, library)
    (asked,) = [p for p in found if p.code == "no-question"]
    assert (asked.where, asked.line, asked.file) == ("criterion I2", None, "NCT1")
    assert str(asked).startswith("NCT1, criterion I2: no-question: ")


def test_of_a_file_in_parts_only_what_the_parts_can_tell_is_said(library: RuleLibrary) -> None:
    """A list whose one user is broken is not called unused; a whole file's unused list is."""
    whole = f"{HEAD}lists: {{agents: [methotrexate]}}\nexclusion:\n  - {{id: E1, text: a, when: {USES}}}\n"
    assert parse_trial(read_yaml(whole, "t.yaml")).dropped is None
    assert [p.code for p in problems(whole, library)] == ["unused-list"]
    broken = whole + "  - {id: E2, text: b, when: {medication: agents, nwo: true}}\n"
    assert [p.code for p in problems(broken, library)] == ["unknown-key"]
