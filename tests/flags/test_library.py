"""The shipped flags: all sourced entries are there, with source and population; each can fire, stay silent and be unknown."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from flags.conftest import ROOT

from eligibility.flags.engine import FlagEngine
from eligibility.language.flag_files import ADVICE, check_flag_file
from eligibility.language.library import RuleLibrary
from eligibility.model.flag import FlagRule
from eligibility.workbench.cases import CasesReport, run_cases

CASES = ROOT / "rules" / "cases" / "flags"


@pytest.fixture(scope="module")
def cases(library: RuleLibrary) -> CasesReport:
    return run_cases([CASES], library)


def test_every_case_holds(cases: CasesReport) -> None:
    assert not cases.problems, "\n".join(map(str, cases.problems))
    assert not cases.failures, "\n".join(map(str, cases.failures))
    assert cases.passed > 90


def expected(word: str) -> set[str]:
    """The flags that some case names as coming out so; the flags a case calls all-others are not named."""
    named: set[str] = set()
    for path in sorted(CASES.glob("*.yaml")):
        for case in yaml.safe_load(path.read_text(encoding="utf-8"))["cases"]:
            listed = case["expect"].get(word, [])
            named |= {name for name in (listed if isinstance(listed, list) else [listed]) if name != "all-others"}
    return named


def test_every_flag_fires_stays_silent_and_is_unknown_in_a_case(cases: CasesReport, library: RuleLibrary) -> None:
    every = set(library.flags.rules)
    seen: dict[str, set[str]] = {flag: set() for flag in every}
    for result in cases.results:
        for flag, word in result.cells.items():
            seen[flag].add({"true": "raised", "false": "silent", "presumed_false": "silent"}.get(word, "unknown"))
    assert {flag: states for flag, states in seen.items() if states != {"raised", "silent", "unknown"}} == {}
    assert expected("raised") == every


def test_all_entries_of_the_reference_are_flags_with_their_source(library: RuleLibrary, shared: Callable[..., Path]) -> None:
    entries = yaml.safe_load(shared("safety", "flags.yaml").read_text(encoding="utf-8"))["flags"]
    assert len(entries) == 60
    for entry in entries:
        rule = library.flags.rules[entry["id"].replace("_", "-")]
        assert rule.axis == entry["axis"]
        urls = {source.url for source in (rule.source, *rule.sources)}
        assert entry["source"]["url"] in urls, rule.id
        known = {source["url"]: source["year"] for source in [entry["source"], *entry.get("additional_sources", [])]}
        for source in (rule.source, *rule.sources):
            if source.url in known and source.year is not None and known[source.url] is not None:
                assert source.year == known[source.url], (rule.id, source.url)
        evidence = entry["evidence_basis"]
        if "oncology" in evidence:
            assert "oncology" in rule.population, rule.id
        if "HSCT" in evidence:
            assert "transplant" in rule.population, rule.id
        if "autoimmune" in evidence:
            assert "autoimmune" in rule.population, rule.id


def test_every_source_was_read_in_the_reference(library: RuleLibrary, shared: Callable[..., Path]) -> None:
    known = shared("safety", "flags.yaml").read_text(encoding="utf-8") + shared("safety", "platforms.yaml").read_text(encoding="utf-8")
    for rule in library.flags.rules.values():
        for source in (rule.source, *rule.sources):
            assert source.url is not None, rule.id
            assert source.url in known, (rule.id, source.url)


def test_platforms_are_flags_of_the_product(library: RuleLibrary, shared: Callable[..., Path]) -> None:
    platforms = yaml.safe_load(shared("safety", "platforms.yaml").read_text(encoding="utf-8"))["platforms"]
    urls = {source.url for rule in library.flags.rules.values() for source in (rule.source, *rule.sources)}
    for platform in platforms:
        assert {source["url"] for source in platform["fact_sources"]} & urls, platform["id"]
    alone = [rule for rule in library.flags.rules.values() if rule.product is not None and rule.when is None and not rule.derived]
    assert len(alone) >= 20


def test_flags_rest_on_flags_and_on_absent_ones(library: RuleLibrary, plain: FlagEngine) -> None:
    rules = library.flags.rules
    derived = [rule for rule in rules.values() if rule.derived]
    on_derived = [rule for rule in derived if any(rules[name].derived for name, _ in rule.rests_on)]
    negated = [rule for rule in derived if rule.none]
    assert len(derived) >= 15
    assert len(on_derived) >= 5
    assert len(negated) >= 3
    assert max(plain.depths.values()) >= 3
    assert {stratum for program in plain.programs for stratum in program.strata.values()} == {0, 1}


POINTS = {
    "benefit": ["severe-active-sle", "refractory-two-classes", "progressive-disease", "severe-refractory-or-progressive"],
    "risk": [
        "stable-disease-caution",
        "risk-infection",
        "risk-immune-suppression",
        "risk-neurotoxicity",
        "risk-cytokine-release",
        "risk-late-effects",
    ],
    "logistics": ["specialised-centre", "close-monitoring", "infection-prevention", "follow-up-for-years"],
}


@pytest.mark.parametrize(("axis", "flag"), [(axis, flag) for axis, listed in POINTS.items() for flag in listed])
def test_the_points_a_committee_goes_through_are_there(library: RuleLibrary, axis: str, flag: str) -> None:
    assert library.flags.rules[flag].axis == axis


def test_the_shipped_files_have_no_mistake_and_no_open_question(library: RuleLibrary) -> None:
    for text in library.flags.files:
        assert check_flag_file(text.path, library, library.flags, text.name) == []


def own_voice(rule: FlagRule) -> list[str]:
    said = [rule.title, rule.message, rule.severity, rule.caveat or ""]
    return said + ([rule.score.cutoff, rule.score.limits] if rule.score else [])


def test_no_message_gives_advice(library: RuleLibrary) -> None:
    advises = re.compile(
        r"\b(eligible|ineligible|recommend\w*|should|safe|safely|unsafe|contraindicat\w*|best match|approv\w*|reject\w*|qualif\w+)\b",
        re.IGNORECASE,
    )
    for rule in library.flags.rules.values():
        for text in own_voice(rule):
            assert not advises.search(text), (rule.id, text)
            assert "  " not in text
            assert text.isascii(), (rule.id, text)
    assert "advice" in ADVICE


def test_every_flag_names_its_source_population_and_grade(library: RuleLibrary) -> None:
    for rule in library.flags.rules.values():
        assert rule.population
        assert rule.severity
        assert rule.evidence
        assert rule.message[0].isupper()
        assert not rule.message.endswith(".")


def test_nothing_of_this_workplace_is_in_the_files() -> None:
    for folder in (ROOT / "rules" / "flags", CASES):
        for path in sorted(folder.glob("*.yaml")):
            assert not re.search(r"(?<![\w.:/])/(?:home|root|tmp|work)\b", path.read_text(encoding="utf-8"))
