"""Trials and definitions from files: versions, late lookup, digests, whole folders."""

from __future__ import annotations

import datetime as dt
import time
from pathlib import Path

import pytest

from eligibility.errors import RuleFileError
from eligibility.language.library import RuleLibrary, expand, load_definitions, load_library, load_trial
from eligibility.language.scope import FORMULAS, SCALES
from eligibility.model.criteria import AnyOf, FactAtom, Meets, NoneOf, SexAtom
from eligibility.model.trial import Definition
from eligibility.vocabulary.vocabulary import Vocabulary

SHARED = Path(__file__).resolve().parents[3] / "shared"


def trial_text(id: str = "NCT1", limit: str = "3.0", **header: str) -> str:
    said = "".join(f", {word}: {value}" for word, value in header.items())
    return (
        f"trial: {{id: {id}, title: A trial{said}}}\n"
        "schedule:\n  screening: {looks_back: 28 days}\n"
        f"inclusion:\n  - {{id: I1, text: EDSS, when: {{observation: edss, at: screening, latest: {{at_least: {limit}}}}}}}\n"
    )


def folder(tmp_path: Path, **files: str) -> Path:
    """A library folder: ``a__b`` is the file ``a/b.yaml``."""
    for name, text in files.items():
        path = tmp_path / f"{name.replace('__', '/')}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def load(root: Path, vocabulary: Vocabulary, *rules: Path, **options: object) -> RuleLibrary:
    return load_library(rules, vocabulary=vocabulary, root=root, **options)  # type: ignore[arg-type]


def codes_of(caught: pytest.ExceptionInfo[RuleFileError]) -> list[str]:
    return [problem.code for problem in caught.value.problems]


# -- one trial -------------------------------------------------------------------------------------


def test_a_trial_is_read_from_a_path_a_text_or_the_name_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "one.yaml"
    path.write_text(trial_text(), encoding="utf-8")
    assert load_trial(path) == load_trial(str(path)) == load_trial(trial_text())
    with pytest.raises(RuleFileError, match=r"mine\.yaml:1:1"):
        load_trial("a: b\n", file="mine.yaml")


def test_a_file_without_criteria_is_legal() -> None:
    assert not list(load_trial("trial: {id: NCT1, title: A trial, record: {registry: x, completeness: metadata}}").criteria())


def test_a_broken_header_does_not_hide_a_broken_criterion() -> None:
    with pytest.raises(RuleFileError) as caught:
        load_trial("trial: {title: A trial}\ninclusion:\n  - {id: I1, text: a, wen: b}\n")
    assert codes_of(caught) == ["missing-key", "unknown-key"]


def test_deep_statements_are_read() -> None:
    deep = "{none_of: [" * 90 + "{sex: male}" + "]}" * 90
    trial = load_trial(f"trial: {{id: NCT1, title: A}}\ninclusion:\n  - {{id: I1, text: a, when: {deep}}}\n")
    assert isinstance(trial.inclusion[0].when, NoneOf)


# -- definitions -----------------------------------------------------------------------------------

DEFINITIONS = """
able-to-conceive:
  text: Female, not past menopause
  source: made up
  when: {all_of: [{sex: female}, {none_of: [{meets: past-menopause}]}]}
past-menopause:
  text: Past menopause
  source: made up
  when: {condition: thyroiditis, now: true}
"""
OWN = """definitions:
  past-menopause: {replaces: shared, text: Older, when: {sex: male}}
"""


def test_lookup_is_late(tmp_path: Path, vocabulary: Vocabulary) -> None:
    """A trial that redefines a name changes what a shared definition that meets it means, in that trial alone."""
    meets = "  - {id: I2, text: b, when: {meets: able-to-conceive}}\n"
    root = folder(
        tmp_path,
        definitions__shared=DEFINITIONS,
        trials__plain=trial_text() + meets,
        trials__own=trial_text("NCT2") + meets + OWN,
    )
    library = load(root, vocabulary)
    plain, own = (library.expand(Meets(meets="able-to-conceive"), library.trials[id]) for id in ("NCT1", "NCT2"))
    assert isinstance(plain.all_of[1].none_of[0], FactAtom)  # type: ignore[attr-defined]
    assert isinstance(own.all_of[1].none_of[0], SexAtom)  # type: ignore[attr-defined]


def test_expanding_what_meets_itself_is_refused() -> None:
    one = Definition.model_validate({"text": "a", "when": {"meets": "b"}})
    two = Definition.model_validate({"text": "b", "when": {"any_of": [{"sex": "male"}, {"meets": "a"}]}})
    with pytest.raises(RuleFileError, match="a -> b -> a"):
        expand(AnyOf(any_of=(Meets(meets="a"),)), None, {"a": one, "b": two})
    with pytest.raises(RuleFileError, match="no definition"):
        expand(Meets(meets="c"), None, {"a": one})


def test_one_name_for_two_shared_definitions_is_refused(tmp_path: Path, vocabulary: Vocabulary) -> None:
    root = folder(tmp_path, definitions__a=DEFINITIONS, definitions__b=DEFINITIONS)
    with pytest.raises(RuleFileError) as caught:
        load(root, vocabulary)
    assert codes_of(caught) == ["twice", "twice"]


def test_definitions_can_be_given_with_the_rules(tmp_path: Path, vocabulary: Vocabulary) -> None:
    root = folder(tmp_path / "shipped", definitions__shared=DEFINITIONS)
    more = folder(tmp_path / "given", more="male:\n  text: Male\n  source: made up\n  when: {sex: male}\n")
    library = load(root, vocabulary, more)
    assert set(library.definitions) == {"able-to-conceive", "past-menopause", "male"}
    again = folder(tmp_path / "again", more="past-menopause:\n  text: Male\n  source: made up\n  when: {sex: male}\n")
    with pytest.raises(RuleFileError, match="replaces: shared"):
        load(root, vocabulary, again)


# -- versions --------------------------------------------------------------------------------------


def amended(tmp_path: Path) -> Path:
    return folder(
        tmp_path,
        trials__a=trial_text(limit="3.0", version="1"),
        trials__b=trial_text(limit="4.0", version="2", effective_from="2026-03-01", supersedes="1"),
        trials__c=trial_text(limit="5.0", version="3", effective_from="2026-06-01", supersedes="2"),
    )


@pytest.mark.parametrize(
    ("day", "version"),
    [(dt.date(2020, 1, 1), "1"), (dt.date(2026, 2, 28), "1"), (dt.date(2026, 3, 1), "2"), (dt.date(2026, 6, 1), "3"), (None, "3")],
)
def test_the_day_picks_the_version(tmp_path: Path, vocabulary: Vocabulary, day: dt.date | None, version: str) -> None:
    library = load(amended(tmp_path), vocabulary, as_of=day)
    assert library.trials["NCT1"].trial.version == version
    assert [file.trial.trial.version for file in library.versions["NCT1"]] == ["1", "2", "3"]
    assert library.files["NCT1"].name == {"1": "a.yaml", "2": "b.yaml", "3": "c.yaml"}[version]


def test_a_trial_that_has_not_begun_is_not_there(tmp_path: Path, vocabulary: Vocabulary) -> None:
    root = folder(tmp_path, trials__a=trial_text(version="1", effective_from="2026-03-01"))
    assert not load(root, vocabulary, as_of=dt.date(2026, 2, 28)).trials
    assert set(load(root, vocabulary, as_of=dt.date(2026, 3, 1)).trials) == {"NCT1"}


def test_of_two_versions_of_one_day_the_superseding_one_is_the_later(tmp_path: Path, vocabulary: Vocabulary) -> None:
    root = folder(tmp_path, trials__a=trial_text(version="2", supersedes="1"), trials__b=trial_text(version="1"))
    assert load(root, vocabulary).trials["NCT1"].trial.version == "2"


def test_the_same_id_and_version_twice_is_refused(tmp_path: Path, vocabulary: Vocabulary) -> None:
    root = folder(tmp_path / "shipped", trials__a=trial_text())
    more = folder(tmp_path / "given", a=trial_text(limit="4.0"))
    with pytest.raises(RuleFileError, match=r"NCT1 is already in rules/trials/a\.yaml") as caught:
        load(root, vocabulary, more)
    assert codes_of(caught) == ["trial-twice"]
    # without the shipped trials the id is free
    assert set(load(root, vocabulary, more, shipped=False).trials) == {"NCT1"}


def test_versions_without_an_order_are_refused(tmp_path: Path, vocabulary: Vocabulary) -> None:
    root = folder(tmp_path, trials__a=trial_text(version="1"), trials__b=trial_text(version="2"))
    with pytest.raises(RuleFileError) as caught:
        load(root, vocabulary)
    assert codes_of(caught) == ["version-order"]


# -- loading ---------------------------------------------------------------------------------------


def test_every_mistake_of_every_file_comes_at_once(tmp_path: Path, vocabulary: Vocabulary) -> None:
    root = folder(
        tmp_path,
        trials__a=trial_text().replace("edss", "edsss"),
        trials__b=trial_text("NCT2").replace("latest", "latestt"),
        trials__c="trial: {id: NCT3, title: x\n",
    )
    with pytest.raises(RuleFileError) as caught:
        load(root, vocabulary)
    found = [(problem.file, problem.code) for problem in caught.value.problems]
    assert found == [
        ("rules/trials/a.yaml", "unknown-concept"),
        ("rules/trials/b.yaml", "unknown-key"),
        ("rules/trials/c.yaml", "unclosed"),
    ]


def test_files_given_are_checked_in_full_and_shipped_ones_by_name(tmp_path: Path, vocabulary: Vocabulary) -> None:
    wrong = trial_text().replace("edss", "hemoglobin")  # a limit without its unit
    assert load(folder(tmp_path / "shipped", trials__a=wrong), vocabulary).trials
    with pytest.raises(RuleFileError) as caught:
        load(folder(tmp_path / "empty", definitions__a=DEFINITIONS), vocabulary, folder(tmp_path / "given", a=wrong))
    assert codes_of(caught) == ["no-unit"]
    assert caught.value.problems[0].file == str(tmp_path / "given" / "a.yaml")


def test_questions_stop_no_one(tmp_path: Path, vocabulary: Vocabulary) -> None:
    asking = trial_text() + "exclusion:\n  - {id: E1, text: a, when: {condition: gilbert, ever: true}}\n"
    assert load(folder(tmp_path / "e", definitions__a=DEFINITIONS), vocabulary, folder(tmp_path / "g", a=asking)).trials


def test_a_path_that_is_not_there(tmp_path: Path, vocabulary: Vocabulary) -> None:
    with pytest.raises(RuleFileError) as caught:
        load(folder(tmp_path, trials__a=trial_text()), vocabulary, tmp_path / "none.yaml")
    assert codes_of(caught) == ["cannot-read"]


def test_a_folder_in_the_librarys_shape_brings_trials_and_definitions(tmp_path: Path, vocabulary: Vocabulary) -> None:
    given = folder(
        tmp_path / "given",
        trials__a=trial_text() + "  - {id: I2, text: b, when: {meets: male}}\n",
        definitions__d="male:\n  text: Male\n  source: made up\n  when: {sex: male}\n",
        cases__c="anything: goes\n",
    )
    library = load(folder(tmp_path / "e", definitions__a=DEFINITIONS), vocabulary, given)
    assert set(library.trials) == {"NCT1"}
    assert "male" in library.definitions


# -- digests ---------------------------------------------------------------------------------------


def test_a_digest_changes_with_the_file_and_with_what_it_uses(tmp_path: Path, vocabulary: Vocabulary) -> None:
    meets = "  - {id: I2, text: b, when: {meets: able-to-conceive}}\n"

    def digests(definitions: str = DEFINITIONS, extra: str = "", name: str = "x") -> tuple[str, str, str]:
        root = folder(tmp_path / name, definitions__d=definitions, trials__a=trial_text() + extra, trials__b=trial_text("NCT2") + meets)
        library = load(root, vocabulary)
        return library.digest("NCT1"), library.digest("NCT2"), library.digest()

    first = digests()
    assert digests(name="copy") == first
    assert all(digest.startswith("sha256:") and len(digest) == 71 for digest in first)
    # a comment is a change of the file
    commented = digests(extra="# a comment\n", name="comment")
    assert [a == b for a, b in zip(first, commented, strict=True)] == [False, True, False]
    # a definition two steps away is used by the one and not by the other
    changed = digests(DEFINITIONS.replace("now: true", "ever: true"), name="changed")
    assert [a == b for a, b in zip(first, changed, strict=True)] == [True, False, False]


# -- what the engine knows is what the language names ------------------------------------------------


def test_closed_lists_are_those_of_the_engine() -> None:
    from eligibility.engine import derived, values

    assert {name: formula.unit for name, formula in derived.FORMULAS.items()} == FORMULAS
    assert dict(SCALES) == values.SCALES


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared examples are not beside this checkout")
def test_the_published_example_is_read_and_fast(vocabulary: Vocabulary, tmp_path: Path) -> None:
    example = (SHARED / "examples" / "NCT06451159.yaml").read_text(encoding="utf-8")
    assert len(list(load_trial(example).criteria())) == example.count("\n  - id:")
    definitions = load_definitions(SHARED / "examples" / "definitions.yaml")
    assert "able-to-conceive" in definitions
    began = time.perf_counter()
    for _ in range(20):
        load_trial(example)
    assert time.perf_counter() - began < 1.0  # 0.1 s on a quiet machine
