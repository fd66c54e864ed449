"""The shipped library: it loads, every code was verified, the concepts that rules and flags need are there."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from eligibility.vocabulary.catalogue import catalogue, main
from eligibility.vocabulary.library import library_path
from eligibility.vocabulary.loader import load
from eligibility.vocabulary.vocabulary import Vocabulary

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"

needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared reference data is not beside this checkout")


def verified() -> set[tuple[str, str]]:
    """Codes marked verified in the terminology list, by our name of their system."""
    listed = yaml.safe_load((SHARED / "terminology" / "terminology.yaml").read_text(encoding="utf-8"))
    found = set()
    for section, entries in listed.items():
        if section == "_about":
            continue
        for entry in entries.values():
            for system, codes in entry.items():
                for code in codes if isinstance(codes, list) else ():
                    if isinstance(code, dict) and code.get("verified") is True:
                        found.add(("rxnorm" if system == "rxnorm_ingredient" else system, str(code["code"])))
    return found


def test_every_file_of_the_library_loads(vocabulary: Vocabulary) -> None:
    files = list((library_path() / "concepts").rglob("*.yaml"))
    assert len(files) > 20
    listed = {id_ for file in files for id_ in yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CBaseLoader)}
    assert listed == set(vocabulary.concepts)


@needs_shared
def test_no_code_ships_that_was_not_verified(vocabulary: Vocabulary) -> None:
    known = verified()
    for concept in vocabulary.concepts.values():
        for system, codes in concept.codes.items():
            for code in codes:
                # a branch ships on the strength of its header
                plain = code.code.removesuffix("*").removesuffix(".")
                assert (system, plain) in known, f"{concept.id}: {system} {code.code} is not verified"


@needs_shared
def test_every_verified_code_ships(vocabulary: Vocabulary) -> None:
    shipped = {(system, code.code) for concept in vocabulary.concepts.values() for system, codes in concept.codes.items() for code in codes}
    assert verified() - shipped == set()


@needs_shared
def test_molar_masses_are_those_of_the_named_loinc_part(vocabulary: Vocabulary) -> None:
    rows = (SHARED / "terminology" / "loinc_part_molecular_weights.csv").read_text(encoding="utf-8").splitlines()
    masses = {row.split(",")[0]: row for row in rows}
    checked = 0
    for concept in vocabulary.concepts.values():
        if concept.molar_mass is not None:
            part = concept.molar_mass.source.split()[2]
            assert f",{concept.molar_mass.low:g}," in masses[part] or f",{concept.molar_mass.low}," in masses[part]
            checked += 1
    assert checked >= 5


def test_snomed_and_atc_ship_as_identifiers_only(vocabulary: Vocabulary) -> None:
    for concept in vocabulary.concepts.values():
        assert all(code.meaning is None for code in concept.codes.get("snomed", ())), concept.id


def test_what_may_be_charted_in_words_can_be_recognised(vocabulary: Vocabulary) -> None:
    """A condition, drug, procedure, vaccine or allergy without stems would be presumed away by any other spelling."""
    wordless = [c.id for c in vocabulary.concepts.values() if c.family != "observation" and not c.mentions]
    # pure groups have the words of what they take in
    assert [id_ for id_ in wordless if len(vocabulary.descendants(id_)) == 1] == []


def test_scores_and_items_name_their_publication(vocabulary: Vocabulary) -> None:
    for concept in vocabulary.concepts.values():
        if concept.items:
            assert concept.source, concept.id
        if concept.plausible is not None:
            assert concept.source or "chosen by this project" in (concept.note or ""), concept.id
    sledai = vocabulary["sledai-2k"].items
    assert sum(item.most for item in sledai.values()) == 105
    assert sum(item.most for item in vocabulary["mg-adl"].items.values()) == 24
    assert {name for name, item in sledai.items() if "serology" in item.groups} == {"low-complement", "increased-dna-binding"}
    assert {name for name, item in vocabulary["mg-adl"].items.items() if "ocular" in item.groups} == {"ptosis", "diplopia"}


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [
        ("ms-primary-progressive", "multiple-sclerosis"),
        ("ocrelizumab", "anti-cd20-antibody"),
        ("kyv-101", "car-t-integrating"),
        ("descartes-08", "car-t-mrna"),
        ("car-t-mrna", "gene-therapy"),
        ("upcr-first-morning", "proteinuria"),
        ("urine-protein-24h", "proteinuria"),
        ("egfr-ckd-epi-2021", "egfr"),
        ("creatinine-clearance-cockcroft-gault", "creatinine-clearance"),
        ("lvef-echo", "lvef"),
        ("bilag-renal", "bilag-major-organs"),
        ("bilag-mucocutaneous", "bilag-all"),
        ("lupus-nephritis", "sle"),
        ("pulmonary-embolism", "thromboembolism"),
        ("cervix-carcinoma-in-situ", "cancer"),
        ("stem-cell-transplant-allogeneic", "transplant"),
        ("hashimoto-thyroiditis", "autoimmune-disease"),
    ],
)
def test_kinship(vocabulary: Vocabulary, narrow: str, wide: str) -> None:
    assert narrow in vocabulary.descendants(wide)
    assert wide in vocabulary.ancestors(narrow)


def test_a_history_of_cancer_is_no_present_cancer(vocabulary: Vocabulary) -> None:
    assert "cancer" not in vocabulary.ancestors("malignancy-history")
    assert "bilag-musculoskeletal" not in vocabulary.descendants("bilag-major-organs")
    assert "sle" not in vocabulary.ancestors("drug-induced-lupus")


def test_what_charts_seldom_hold_is_marked(vocabulary: Vocabulary) -> None:
    for id_ in ("ms-relapse", "mg-exacerbation", "menopause", "breastfeeding", "kyv-101", "descartes-08", "ytb323", "azer-cel"):
        assert vocabulary[id_].absence == "unknown", id_


@needs_shared
def test_names_of_the_examples_are_concepts(vocabulary: Vocabulary) -> None:
    families = {"condition", "observation", "medication", "procedure", "immunization", "allergy"}
    missing: set[str] = set()

    def walk(node: object, lists: set[str]) -> None:
        if isinstance(node, dict):
            for key, value in node.items():
                if key in families or key == "show":
                    names = value if isinstance(value, list) else [value]
                    missing.update(name for name in names if name not in vocabulary and name not in lists)
                walk(value, lists)
        elif isinstance(node, list):
            for item in node:
                walk(item, lists)

    for path in sorted((SHARED / "examples").glob("*.yaml")):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        walk(content, set(content.get("lists", {})))
        missing.update(
            name for names in content.get("lists", {}).values() for name in names if isinstance(name, str) and name not in vocabulary
        )
    assert missing == set()


def test_equivalents_and_half_lives_are_sane(vocabulary: Vocabulary) -> None:
    """Numbers from the sources, and no drug of one class without a word on why it has none."""
    factor = {id_: vocabulary[id_].equivalents["prednisone"].low for id_ in ("prednisolone", "methylprednisolone", "hydrocortisone")}
    assert factor == {"prednisolone": 1.0, "methylprednisolone": 1.25, "hydrocortisone": 0.25}
    for id_ in vocabulary.descendants("glucocorticoid") - {"glucocorticoid"}:
        concept = vocabulary[id_]
        assert concept.equivalents or "No equivalent" in (concept.note or ""), id_
    for concept in vocabulary.concepts.values():
        if concept.half_life is not None:
            assert 0 < concept.half_life.low <= concept.half_life.high
            assert concept.half_life.source


def test_the_page_of_concepts_is_current(vocabulary: Vocabulary, tmp_path: Path) -> None:
    committed = (ROOT / "docs" / "concepts.md").read_text(encoding="utf-8")
    assert committed == catalogue(vocabulary), "run python -m eligibility.vocabulary.catalogue docs/concepts.md"
    assert main([str(tmp_path / "page.md")]) == 0
    assert (tmp_path / "page.md").read_text(encoding="utf-8") == committed
    assert "no verified code" in committed.partition("### edss\n")[2].partition("###")[0]


def test_digest_says_what_was_read(vocabulary: Vocabulary) -> None:
    assert vocabulary.digest() == load().digest()
    assert vocabulary.digest().startswith("sha256:")
    assert len(vocabulary.digest()) == len("sha256:") + 64
