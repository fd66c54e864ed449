"""Flags in the reports: JSON by its schema, chains printed, words held to MEANING 11, and that no flag is not no risk."""

from __future__ import annotations

import json as stdlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flags.conftest import KYV, ROOT, flags_of, needs_engine

from eligibility.cli.app import app
from eligibility.flags.engine import FlagEngine
from eligibility.language.library import RuleLibrary
from eligibility.model.flag import FlagFinding
from eligibility.model.quantity import Interval
from eligibility.report import flag_rules, json, text
from eligibility.report.flags import NO_FLAG, FlagPage, by_axis, chain, counted, missing, number
from eligibility.report.schema import screening_schema
from eligibility.report.words import Words
from eligibility.screening import Screener, screen_with

ADVICE = re.compile(
    r"\b(eligible|ineligible|recommend\w*|should|safe|safely|unsafe|contraindicat\w*|best match|approv\w*|reject\w*)\b", re.IGNORECASE
)
QUOTED = re.compile(r'"[^"]*"')
LINK = re.compile(r"<\S+>|https?://\S+")


TRIALS = ["NCT06193889", "NCT06799247", "NCT06308978", "NCT06801119", "NCT06675864"]
"""One of each kind of product: own cells and a vector, own cells and mRNA, donor cells, in the body, and one little told of."""


@pytest.fixture(scope="module")
def results(library: RuleLibrary) -> Any:
    screener = Screener.build(as_of="2026-11-01", library=library, trials=TRIALS)
    return screen_with(screener, [ROOT / "fixtures" / "patients" / f"{name}.yaml" for name in ("mg-01", "ms-03", "sle-02", "iim-03")])


@pytest.fixture(scope="module")
def document(results: Any, words: Words) -> dict[str, Any]:
    found: dict[str, Any] = stdlib.loads(json.dumps(results, words))
    return found


def flags_in(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [flag for patient in document["patients"] for screening in patient["screenings"] for flag in screening["flags"]]


def test_json_holds_to_its_schema_and_has_the_shape_of_the_design(document: dict[str, Any]) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft202012Validator(screening_schema()).validate(document)
    every = flags_in(document)
    assert {flag["state"] for flag in every} == {"raised", "unknown"}
    assert {flag["axis"] for flag in every} == {"risk", "benefit", "logistics"}
    for flag in every:
        assert {"id", "axis", "severity", "message", "because", "population", "source", "missing", "state"} <= set(flag)
        assert set(flag["source"]) == {"title", "year", "url"}
        assert bool(flag["because"]) == (flag["state"] == "raised"), flag["id"]
        if flag["state"] == "unknown":
            assert flag["missing"], flag["id"]


def test_because_leads_to_flags_that_are_raised_and_down_to_entries(document: dict[str, Any]) -> None:
    deep = 0
    for patient in document["patients"]:
        for screening in patient["screenings"]:
            raised = {flag["id"]: flag for flag in screening["flags"] if flag["state"] == "raised"}
            every = {flag["id"] for flag in screening["flags"]}
            for flag in raised.values():
                for because in flag["because"]:
                    if "flag" in because:
                        below = raised[because["flag"]]
                        assert below["depth"] < flag["depth"]
                        deep += flag["depth"] > 1
                    if "not" in because:
                        assert because["not"] not in every
                    if "fact" in because and because["evidence"].get("source"):
                        assert because["evidence"]["source"] in because["fact"]
    assert deep > 3


def test_the_envelope_names_the_chainer_and_nothing_else_differs(library: RuleLibrary, results: Any, words: Words) -> None:
    import eligibility.flags.durable_chainer as shell

    said = stdlib.loads(json.dumps(results, words))
    assert said["engine"]["chainer"] in ("durable-rules", "plain")
    patch = pytest.MonkeyPatch()
    patch.setattr(shell, "installed", lambda: False)
    screener = Screener.build(as_of="2026-11-01", library=library, trials=TRIALS)
    patch.undo()
    names = ("mg-01", "ms-03", "sle-02", "iim-03")
    other = screen_with(screener, [ROOT / "fixtures" / "patients" / f"{name}.yaml" for name in names])
    plain = json.dumps(other, words)
    assert stdlib.loads(plain)["engine"]["chainer"] == "plain"
    assert plain.replace(b'"chainer": "plain"', b"") == json.dumps(results, words).replace(
        b'"chainer": "%s"' % said["engine"]["chainer"].encode(), b""
    )
    assert text.screening(other, words) == text.screening(results, words)


@needs_engine
def test_durable_rules_is_what_the_envelope_names_where_it_is_installed(results: Any) -> None:
    assert results.envelope.chainer == "durable-rules"


def test_flags_left_out_are_told(library: RuleLibrary, words: Words) -> None:
    screener = Screener.build(as_of="2026-11-01", library=library, trials=["NCT06193889"], flags=False)
    assert screener.envelope.chainer == "none"
    results = screen_with(screener, [ROOT / "fixtures" / "patients" / "mg-01.yaml"])
    assert all(screening.flags == () for _, screening in results.screenings())
    page = " ".join(text.screening(results, words).split())
    assert f"Flags were not looked at. {NO_FLAG}" in page
    with_flags = Screener.build(as_of="2026-11-01", library=library, trials=["NCT06193889"])
    assert with_flags.envelope.rules != screener.envelope.rules


def test_flags_change_no_status_and_no_criterion(library: RuleLibrary) -> None:
    names = [ROOT / "fixtures" / "patients" / f"{name}.yaml" for name in ("mg-01", "sle-02")]
    with_flags, without = (screen_with(Screener.build(as_of="2026-11-01", library=library, flags=flags), names) for flags in (True, False))
    for (_, one), (_, other) in zip(with_flags.screenings(), without.screenings(), strict=True):
        assert one.flags
        assert (one.status, one.counts, one.criteria, one.arms) == (other.status, other.counts, other.criteria, other.arms)


def test_every_report_says_that_no_flag_is_not_no_risk(results: Any, words: Words) -> None:
    for page in (text.screening(results, words), text.explanation(results, words)):
        assert "No flag raised does not mean no risk" in " ".join(page.split())


def unquoted(page: str) -> str:
    """A page without what it quotes: titles of sources, paraphrases, links."""
    return QUOTED.sub("", LINK.sub("", " ".join(page.split())))


def test_no_rendered_flag_gives_advice(results: Any, words: Words) -> None:
    lines: list[str] = []
    page = FlagPage(words, lambda said, start: lines.append(start + said), lines.append)
    for _, screening in results.screenings():
        page.short(screening.flags, True)
        page.short(screening.flags, False)
        page.full(screening.flags)
    said = "\n".join(dict.fromkeys(lines))
    assert len(said) > 20_000
    found = ADVICE.search(unquoted(said))
    assert found is None, unquoted(said)[max(0, found.start() - 80) : found.end() + 80]
    assert said.isascii()
    assert "{" not in said.replace("{1.73_m2}", "")
    assert "None" not in said


def test_no_flag_in_json_gives_advice(document: dict[str, Any]) -> None:
    for flag in flags_in(document):
        own = {name: value for name, value in flag.items() if name not in ("source", "sources", "score")}
        assert not ADVICE.search(unquoted(stdlib.dumps(own).replace('"', " "))), flag["id"]


def test_no_rule_page_gives_advice(library: RuleLibrary, words: Words) -> None:
    assert not ADVICE.search(unquoted(flag_rules.listing(library.flags)))
    for flag in library.flags.rules:
        page = flag_rules.shown(flag, library.flags, words.phrase)
        assert not ADVICE.search(unquoted(page)), flag
        assert "silence raises nothing" in page
        shown = stdlib.loads(flag_rules.shown_json(flag, library.flags, words.phrase))
        assert shown["flag"]["id"] == flag
        assert shown["file"].startswith("rules/flags/")
    assert len(stdlib.loads(flag_rules.listing_json(library.flags))["flags"]) == len(library.flags.rules)


def test_a_chain_is_printed_down_to_the_entries(plain: FlagEngine, record: Callable[[Any], Any], words: Words) -> None:
    chart = record(
        {
            "conditions": [{"concept": "pneumonia", "start": "2026-10-25", "source": "Condition/1"}],
            "observations": [{"concept": "igg", "start": "2026-10-20", "value": 300.0, "unit": "mg/dL", "source": "Observation/2"}],
        }
    )
    found = {flag.id: flag for flag in flags_of(plain, chart).of(KYV)}
    said = list(chain(found["infection-and-immune-suppression"], found, words))
    assert [depth for depth, _ in said] == [0, 1, 2, 0, 1, 2]
    assert said[0][1].startswith("flag risk-infection: ")
    assert said[1][1].startswith("flag active-infection: ")
    assert said[2][1].startswith("record: ")
    assert "Condition/1" in said[2][1]
    assert "300 mg/dL" in said[5][1]


def test_a_ruled_out_flag_is_told_in_the_chain(plain: FlagEngine, record: Callable[[Any], Any], words: Words) -> None:
    from flags.conftest import product

    donor = product(cells="allogeneic", target=["CD19"], leukapheresis="none")
    chart = record({"medications": [{"concept": "mycophenolate", "start": "2024", "status": "active"}]})
    found = {flag.id: flag for flag in flags_of(plain, chart).of(donor)}
    said = [line for _, line in chain(found["immunosuppressant-without-collection"], found, words)]
    assert said[-1] == "flag product-leukapheresis is ruled out: Cells are collected from the patient"


def test_what_is_missing_names_record_product_and_flags(plain: FlagEngine, record: Callable[[Any], Any], words: Words) -> None:
    from flags.conftest import product

    found: dict[str, FlagFinding] = {flag.id: flag for flag in flags_of(plain, record({})).of(product(cells="autologous"))}
    assert missing(found["lvef-reduced"], words) == ["nothing recorded of Left ventricular ejection fraction"]
    assert missing(found["product-lymphodepletion"], words) == ["the trial's rule file does not say this of its product: lymphodepletion"]
    assert "flag risk-infection is not known: Infection, present, latent or recurrent" in missing(found["infection-prevention"], words)
    assert missing(found["centre-and-icu"], words)[0] == "the site's intensive-care (a fact of the site file) is not given"


def test_flags_are_counted_by_axis(plain: FlagEngine, record: Callable[[Any], Any]) -> None:
    found = flags_of(plain, record({"birth_date": ["1950-01-01"]})).of(KYV)
    said = counted(found)
    assert re.match(r"\d+ flags raised \(\d+ risk, .*logistics\), \d+ not known", said)
    assert [axis for axis, _ in by_axis(found, "raised")] == ["risk", "logistics"]


@pytest.mark.parametrize(
    ("interval", "said"), [(Interval(2, 2), "2"), (Interval(0, 2.5), "0 to 2.5"), (Interval(1, float("inf")), "1 to inf")]
)
def test_a_number_is_said_as_its_interval(interval: Interval, said: str) -> None:
    assert number(interval).startswith(said[:4].rstrip())


def test_the_same_input_gives_the_same_bytes(library: RuleLibrary, results: Any, words: Words) -> None:
    again = screen_with(
        Screener.build(as_of="2026-11-01", library=library, trials=TRIALS),
        [ROOT / "fixtures" / "patients" / f"{name}.yaml" for name in ("mg-01", "ms-03", "sle-02", "iim-03")],
    )
    assert json.dumps(again, words) == json.dumps(results, words)
    assert text.explanation(again, words) == text.explanation(results, words)


# -- command line --------------------------------------------------------------------------------


def run(*arguments: str) -> tuple[int, str, str]:
    """The program as a user runs it: exit code, output, errors."""
    done = CliRunner().invoke(app, list(arguments))
    return done.exit_code, done.stdout, done.stderr


def test_rules_list_and_show_cover_flags(library: RuleLibrary) -> None:
    code, said, _ = run("rules", "list", "--flags")
    assert code == 0
    assert all(flag in said for flag in library.flags.rules)
    code, said, _ = run("rules", "list", "--flags", "--format", "json")
    assert len(stdlib.loads(said)["flags"]) == len(library.flags.rules)
    code, said, _ = run("rules", "show", "risk-late-effects")
    assert code == 0
    assert "tcell-malignancy-class-warning" in said
    code, said, errors = run("rules", "show", "risk-late-effect")
    assert code == 2
    assert "did you mean risk-late-effects" in errors


def test_rules_check_and_test_cover_flags(tmp_path: Path) -> None:
    broken = tmp_path / "flags.yaml"
    broken.write_text("flags: [{id: a, axis: risk, title: t, message: You should wait, severity: s, population: mice, evidence: e}]")
    code, said, _ = run("rules", "check", str(broken))
    assert code == 4
    assert "population" in said
    assert "source" in said
    code, said, _ = run("rules", "check", str(ROOT / "rules" / "flags" / "chains.yaml"), "--no-library")
    assert code == 4
    assert "flag-twice" in said
    cases = tmp_path / "cases.yaml"
    cases.write_text("of: flags\nas_of: 2026-11-01\ncases: [{name: n, patient: {}, expect: {raised: lvef-reduced}}]")
    code, said, _ = run("rules", "test", str(cases))
    assert code == 1
    assert "expected raised, got unknown" in said
    cases.write_text("of: flags\ncases: [{name: n, patient: {}, expect: {raised: lvef-reducd}}]")
    code, said, _ = run("rules", "test", str(cases))
    assert code == 4
    assert "did you mean lvef-reduced" in said
    assert "as_of" in said


def test_screen_and_explain_show_flags_beside_the_criteria() -> None:
    chart = str(ROOT / "fixtures" / "patients" / "mg-01.yaml")
    code, said, _ = run("screen", chart, "--trial", "NCT06193889", "--as-of", "2026-11-01")
    assert code == 0
    assert "mg-high-burden" in said
    code, said, _ = run("explain", chart, "--trial", "NCT06193889", "--as-of", "2026-11-01")
    assert "Flags raised: benefit" in said
    assert "Flags not known, and what is missing: risk" in said
    assert "evidence of" not in said
    code, said, _ = run("explain", chart, "--trial", "NCT06193889", "--as-of", "2026-11-01", "--criterion", "I2")
    assert "Flags raised" not in said


def test_the_schema_of_flag_files_is_written() -> None:
    code, said, _ = run("rules", "schema", "flags")
    assert code == 0
    schema = stdlib.loads(said)
    assert schema["title"] == "Flag file"
    assert "flags" in schema["properties"]
