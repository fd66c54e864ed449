"""Flag files: every mistake at once with its place, near names, circles named, advice refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from flags.conftest import ROOT

from eligibility.errors import RuleFileError
from eligibility.language.flag_files import (
    ADVICE,
    FlagLibrary,
    check_flag_file,
    check_together,
    holds_flags,
    load_flags,
    parse_flags,
)
from eligibility.language.library import RuleLibrary, load_library
from eligibility.language.reader import read_yaml
from eligibility.model.flag import FlagFile, FlagRule, ProductTest

HEAD = "axis: risk, title: T, message: m, severity: s, population: oncology, evidence: e, source: {title: t}"


def checked(text: str, library: RuleLibrary, tmp_path: Path, others: FlagLibrary | None = None) -> list[tuple[str, int | None, str]]:
    path = tmp_path / "f.yaml"
    path.write_text(text, encoding="utf-8")
    found = check_flag_file(path, library, others or FlagLibrary(), "f.yaml")
    return [(problem.code, problem.line, problem.instead or "") for problem in found]


def test_every_mistake_is_told_at_once_with_its_place(library: RuleLibrary, tmp_path: Path) -> None:
    text = f"""schedule: {{screening: {{looks_back: 4 fortnights}}}}
flags:
  - {{id: Bad Name, {HEAD}, when: {{condition: cancer, ever: true}}}}
  - {{id: b, {HEAD}, when: {{condition: cancerr, ever: true}}}}
  - {{id: c, {HEAD}}}
  - {{id: d, {HEAD}, any: [bb]}}
  - {{id: e, {HEAD.replace("oncology", "mice")}, when: {{condition: cancer, ever: true}}}}
  - {{id: f, {HEAD}, product: {{cells: alogeneic}}}}
  - {{id: g, {HEAD}, all: [b], none: [b]}}
  - {{id: h, {HEAD.replace("{title: t}", "{title: t, year: 24}")}, when: {{condition: cancer, ever: true}}}}
  - {{id: i, {HEAD}, when: {{condition: cancer}}}}
  - {{id: j, {HEAD.replace("message: m", "message: This patient should wait")}, when: {{condition: cancer, ever: true}}}}
  - {{id: k, {HEAD}, whenn: {{condition: cancer, ever: true}}}}
  - {{id: l, {HEAD}, when: {{condition: cancer, ever: true}}, show: [platlets], score: {{value: easix, cutoff: c, limits: l}}}}
"""
    found = checked(text, library, tmp_path)
    assert {(line, code) for code, line, _ in found} == {
        (1, "duration"),
        (3, "not-a-flag-id"),
        (4, "unknown-concept"),
        (5, "nothing-raises"),
        (6, "unknown-flag"),
        (7, "population"),
        (8, "unknown-product"),
        (9, "both-ways"),
        (10, "year"),
        (11, "no-time"),
        (12, "advice"),
        (13, "unknown-key"),
        (14, "unknown-concept"),
        (14, "unknown-score"),
    }
    advice = {code: instead for code, _, instead in found}
    assert "cancer" in next(instead for code, line, instead in found if line == 4)
    assert "platelets" in next(instead for code, line, instead in found if code == "unknown-concept" and line == 14)
    assert "allogeneic" in advice["unknown-product"]
    assert "when" in advice["unknown-key"]


@pytest.mark.parametrize("code", sorted(ADVICE))
def test_every_code_of_flag_files_says_what_to_do(code: str) -> None:
    assert ADVICE[code]
    assert ADVICE[code][0].islower()


def test_a_circle_is_refused_with_its_way_named(library: RuleLibrary, tmp_path: Path) -> None:
    text = f"""flags:
  - {{id: a, {HEAD}, all: [b]}}
  - {{id: b, {HEAD}, any: [c], none: [d]}}
  - {{id: c, {HEAD}, when: {{condition: cancer, ever: true}}}}
  - {{id: d, {HEAD}, all: [a]}}
"""
    path = tmp_path / "f.yaml"
    path.write_text(text, encoding="utf-8")
    (problem,) = check_flag_file(path, library, FlagLibrary(), "f.yaml")
    assert problem.code == "flag-circle"
    assert "a -> b -> d -> a" in problem.message
    assert "absent" in problem.message
    assert problem.line == 2
    with pytest.raises(RuleFileError, match="a -> b -> d -> a"):
        load_flags([(path, "f.yaml", True)], library)


def test_two_circles_are_both_told(library: RuleLibrary) -> None:
    text = f"""flags:
  - {{id: a, {HEAD}, all: [b]}}
  - {{id: b, {HEAD}, all: [a]}}
  - {{id: c, {HEAD}, none: [c], when: {{condition: cancer, ever: true}}}}
"""
    parsed = parse_flags(read_yaml(text, "f.yaml"))
    assert parsed.flags is not None
    assert [problem.code for problem in check_together([(parsed.flags, parsed.tree)])] == ["flag-circle", "flag-circle"]


def test_one_id_in_two_files_is_refused_and_flags_may_rest_on_those_of_another(library: RuleLibrary, tmp_path: Path) -> None:
    one, two, three = (tmp_path / f"{name}.yaml" for name in ("one", "two", "three"))
    one.write_text(f"flags: [{{id: a, {HEAD}, when: {{condition: cancer, ever: true}}}}]", encoding="utf-8")
    two.write_text(f"flags: [{{id: b, {HEAD}, all: [a]}}]", encoding="utf-8")
    three.write_text(f"flags: [{{id: a, {HEAD}, when: {{condition: cancer, ever: true}}}}]", encoding="utf-8")
    loaded = load_flags([(one, "one.yaml", False), (two, "two.yaml", False)], library)
    assert list(loaded.rules) == ["a", "b"]
    assert loaded.file_of("b").name == "two.yaml"
    with pytest.raises(RuleFileError, match="flag-twice"):
        load_flags([(one, "one.yaml", False), (three, "three.yaml", False)], library)


def test_a_broken_flag_hides_no_other_and_takes_none_with_it(library: RuleLibrary, tmp_path: Path) -> None:
    text = f"""flags:
  - {{id: a, {HEAD}}}
  - {{id: b, {HEAD}, all: [a]}}
  - {{id: c, {HEAD}, when: {{condition: cancer, now: true, ever: true}}}}
"""
    assert [(code, line) for code, line, _ in checked(text, library, tmp_path)] == [("nothing-raises", 2), ("two-times", 4)]


@pytest.mark.parametrize("text", ["", "flags: []", "flags: {}", "[]", "flags: nonsense", "flags: [nonsense]", "flags: [{id: [a]}]"])
def test_what_is_no_flag_file_is_told_without_a_crash(text: str, library: RuleLibrary, tmp_path: Path) -> None:
    assert checked(text, library, tmp_path)


def test_a_given_folder_or_file_adds_its_flags(tmp_path: Path) -> None:
    (tmp_path / "flags").mkdir()
    path = tmp_path / "flags" / "own.yaml"
    path.write_text(f"flags: [{{id: own-flag, {HEAD}, any: [active-infection]}}]", encoding="utf-8")
    for given in (tmp_path, path):
        assert "own-flag" in load_library([given], shipped=False).flags.rules
    path.write_text(f"flags: [{{id: active-infection, {HEAD}, product: {{cells: autologous}}}}]", encoding="utf-8")
    with pytest.raises(RuleFileError, match="flag-twice"):
        _ = load_library([path]).flags


def test_flag_files_are_told_from_others() -> None:
    assert holds_flags(read_yaml("flags: []", "f.yaml"))
    assert not holds_flags(read_yaml("trial: {id: NCT1, title: t}", "f.yaml"))
    assert not holds_flags(read_yaml("adult: {text: t, when: {age: {at_least: 18 years}}}", "f.yaml"))


def test_the_model_says_a_flag_back_as_it_was_written() -> None:
    for path in sorted((ROOT / "rules" / "flags").glob("*.yaml")):
        for rule in FlagFile.model_validate(read_yaml(path.read_text(encoding="utf-8"), path.name).data).flags:
            said = rule.model_dump(mode="json", by_alias=True, exclude_defaults=True)
            assert FlagRule.model_validate(said) == rule
    rule = FlagRule.model_validate(
        {
            **dict.fromkeys(("title", "message", "severity", "evidence"), "t"),
            "id": "a",
            "axis": "risk",
            "population": ["oncology", "oncology"],
            "source": {"title": "t", "year": 2020},
            "product": {"target": "CD19"},
        }
    )
    assert rule.population == ("oncology",)
    assert rule.product == ProductTest(target=("CD19",))
