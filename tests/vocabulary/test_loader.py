"""A broken vocabulary: every mistake at once, each at its line and column, with what to do."""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path

import pytest

from eligibility.errors import Problem, RuleFileError
from eligibility.model.patient import Coding, Condition
from eligibility.vocabulary.loader import load

GOOD = """\
good:
  family: condition
  label: Good
  codes:
    icd10cm:
      - {code: G35.A, source: a list}
"""


def problems(folder: Path) -> list[Problem]:
    with pytest.raises(RuleFileError) as caught:
        load(folder)
    return list(caught.value.problems)


@pytest.mark.parametrize(
    ("code", "line", "column", "text", "says"),
    [
        ("unknown-key", 4, 3, "a:\n  family: condition\n  label: A\n  synonims: [x]\n", "synonyms"),
        ("unknown-key", 6, 32, "a:\n  family: condition\n  label: A\n  codes:\n    icd10cm:\n      - {code: G35, source: s, meanin: t}\n", "meaning"),  # noqa: E501
        ("missing-key", 1, 1, "a:\n  family: condition\n", "label"),
        ("missing-source", 6, 9, "a:\n  family: condition\n  label: A\n  codes:\n    icd10cm:\n      - {code: G35}\n", "source"),
        ("missing-source", 1, 1, "a:\n  family: observation\n  label: A\n  items:\n    x: {most: 1}\n", "publication"),
        ("missing-source", 4, 14, "a:\n  family: medication\n  label: A\n  half_life: {low: 1, high: 2}\n", "source"),
        ("bad-value", 2, 11, "a:\n  family: disease\n  label: A\n", "condition"),
        ("bad-value", 4, 20, "a:\n  family: observation\n  label: A\n  plausible: {low: 1_000}\n", "number"),
        ("bad-value", 4, 14, "a:\n  family: observation\n  label: A\n  plausible: {low: 5, high: 1}\n", "before"),
        ("unknown-concept", 4, 13, "a:\n  family: condition\n  label: A\n  broader: [goood]\n", "good"),
        ("unknown-concept", 5, 5, "a:\n  family: medication\n  label: A\n  equivalents:\n    god: {low: 1, high: 1, source: s}\n", "good"),
        ("cycle", 8, 12, "a:\n  family: condition\n  label: A\n  broader: [b]\nb:\n  family: condition\n  label: B\n  broader: [a]\n", "circle"),  # noqa: E501
        ("cycle", 4, 12, "a:\n  family: condition\n  label: A\n  broader: [a]\n", "circle"),
        ("other-family", 4, 13, "a:\n  family: medication\n  label: A\n  broader: [good]\n", "also"),
        ("code-twice", 6, 9, "a:\n  family: condition\n  label: A\n  codes:\n    icd10cm:\n      - {code: G35A, source: s}\n", "good"),
        ("unknown-system", 5, 5, "a:\n  family: condition\n  label: A\n  codes:\n    icd10cmm:\n      - {code: G35, source: s}\n", "icd10cm"),  # noqa: E501
        ("nothing-complete", 4, 14, "a:\n  family: condition\n  label: A\n  complete: [icd10cm]\n", "list the codes"),
        ("name-twice", 4, 14, "a:\n  family: condition\n  label: A\n  synonyms: [GOOD]\n", "mentions"),
        ("empty-name", 4, 14, "a:\n  family: condition\n  label: A\n  synonyms: ['-']\n", "letters"),
        ("unknown-class", 5, 21, "a:\n  family: observation\n  label: A\n  classes: [I, IIa, IIb]\n  spans: {II: [IIa, IIc]}\n", "IIc"),
        ("span-is-class", 5, 11, "a:\n  family: observation\n  label: A\n  classes: [I, II]\n  spans: {I: [I, II]}\n", "already"),
        ("unknown-unit", 4, 9, "a:\n  family: observation\n  label: A\n  unit: g/dl\n", "g/dL"),
        ("unknown-unit", 5, 11, "a:\n  family: observation\n  label: A\n  unit: g/dL\n  units: {mg/cl: 1}\n", "mg/cl"),
        ("duplicate-key", 3, 3, "a:\n  family: condition\n  family: condition\n  label: A\n", "second time"),
        ("duplicate-key", 4, 1, "a:\n  family: condition\n  label: A\na:\n  family: condition\n  label: A\n", "second time"),
        ("duplicate-id", 1, 1, "good:\n  family: condition\n  label: Better\n", "already"),
        ("not-a-mapping", 1, 1, "a: A\n", "fields"),
        ("not-a-mapping", 1, 1, "- a\n", "mapping"),
        ("yaml-syntax", 2, 9, "a: [x\n  family: condition\n", "quotes"),
        ("yaml-feature", 2, 11, "a:\n  family: &f condition\n  label: A\n", "anchor"),
        ("yaml-feature", 2, 11, "a:\n  family: !!str condition\n  label: A\n", "tag"),
        ("yaml-feature", 3, 10, "a:\n  family: condition\n  label: *b\n", "alias"),
        ("yaml-feature", 2, 3, "a:\n  <<: {family: condition}\n  label: A\n", "merge"),
        ("yaml-syntax", 3, 1, "a:\n  family: condition\n---\nb: c\n", "second document"),
        ("control-character", 2, 11, "a:\n  family: \x07condition\n", "delete"),
        ("too-deep", 1, 203, "a: " + "[" * 200 + "]" * 200, "200"),
        ("key", 3, 3, "a:\n  family: condition\n  [label]: A\n", "name"),
    ],
)  # fmt: skip
def test_each_mistake_has_its_place(folder: Callable[..., Path], code: str, line: int, column: int, text: str, says: str) -> None:
    found = [problem for problem in problems(folder(good=GOOD, other=text)) if problem.code == code]
    assert found, "the mistake was not reported"
    assert (found[0].line, found[0].column) == (line, column), str(found[0])
    assert found[0].file is not None
    assert found[0].file.endswith("other.yaml")
    assert says in str(found[0])


def test_all_mistakes_at_once(folder: Callable[..., Path]) -> None:
    text = """\
one:
  family: condition
  label: One
  broader: [twoo]
  wide: yes
two:
  family: condition
  label: Two
  codes:
    icd10cm:
      - {code: G35.A, source: s}
three:
  label: Three
"""
    found = problems(folder(good=GOOD, other=text))
    # one has an unknown key, so that its other mistakes wait until it can be read; two and three are told as well
    assert [problem.code for problem in found] == ["unknown-key", "code-twice", "missing-key"]
    assert [problem.line for problem in found] == [5, 11, 12]


def test_nothing_is_typed_by_yaml(folder: Callable[..., Path]) -> None:
    text = """\
trap:
  family: observation
  label: NO
  synonyms: [yes, 1:40, 12:30, 1_000, 0x10, "null", 2024-01-01]
  results: [off, on]
"""
    concept = load(folder(other=text)).concepts["trap"]
    assert concept.label == "NO"
    assert concept.synonyms == ("yes", "1:40", "12:30", "1_000", "0x10", "null", "2024-01-01")
    assert concept.results == ("off", "on")


def test_a_narrower_concept_may_list_a_code_again(folder: Callable[..., Path]) -> None:
    text = GOOD.replace("good:", "wide:").replace("Good", "Wide") + GOOD.replace("label: Good", "label: Good\n  broader: [wide]")
    vocabulary = load(folder(other=text))
    reading = vocabulary.read("condition", Condition(codes=(Coding(system="icd10cm", code="G35.A"),)))
    assert reading.is_ == {"good"}, "the more specific wins"


def test_units_and_systems_are_checked_too(folder: Callable[..., Path]) -> None:
    root = folder(good=GOOD)
    (root / "units.yaml").write_text(
        "units:\n  g/L: {dimension: mass, factor: 1}\n  kg/L: {dimension: mass, factor: 0}\n  G/L: {dimension: n, factor: 2}\nunit: {}\n"
    )
    found = {problem.code: problem for problem in problems(root)}
    assert found["bad-unit"].line == 3
    assert found["unit-twice"].line == 4
    assert found["unknown-key"].line == 5


def test_a_file_that_is_no_text(folder: Callable[..., Path]) -> None:
    root = folder(good=GOOD)
    (root / "concepts" / "binary.yaml").write_bytes(b"\xff\xfe\x00a")
    assert [problem.code for problem in problems(root)] == ["encoding"]


def test_a_second_folder_adds_concepts(folder: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> None:
    more = tmp_path_factory.mktemp("site")
    (more / "concepts").mkdir()
    (more / "concepts" / "site.yaml").write_text("local:\n  family: condition\n  label: Local\n  broader: [good]\n")
    root = folder(good=GOOD)
    vocabulary = load(root, extra=[more])
    assert vocabulary.descendants("good") == {"good", "local"}
    assert vocabulary.digest() != load(root).digest()
    (more / "concepts" / "again.yaml").write_text(GOOD)
    with pytest.raises(RuleFileError) as caught:
        load(root, extra=[more])
    assert [problem.code for problem in caught.value.problems] == ["duplicate-id"]


def test_the_collector_is_left_as_it_was(folder: Callable[..., Path]) -> None:
    assert gc.isenabled()
    load(folder(good=GOOD))
    assert gc.isenabled()
