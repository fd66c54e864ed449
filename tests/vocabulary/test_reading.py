"""What an entry is to a concept (MEANING 5): is, broader, is not, presumed not, may be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eligibility.errors import InputError
from eligibility.model.patient import Entry
from eligibility.vocabulary.sitemap import SiteMap
from eligibility.vocabulary.vocabulary import Reading, Stance, Vocabulary
from eligibility.vocabulary.words import NameIndex, fold

ICD = "http://hl7.org/fhir/sid/icd-10-cm"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
LOINC = "http://loinc.org"
OURS = "urn:eligibility:concept"
IS, BROADER, IS_NOT, PRESUMED_NOT, MAY_BE = Stance


def stances(vocabulary: Vocabulary, family: str, one: Entry, *concepts: str) -> list[Stance]:
    reading = vocabulary.read(family, one)  # type: ignore[arg-type]
    return [vocabulary.stance(reading, concept) for concept in concepts]


# codes


def test_bare_header_is_the_disease_and_broader_than_its_courses(vocabulary: Vocabulary, entry: Callable[..., Entry]) -> None:
    one = entry("condition", (ICD, "G35"))
    assert vocabulary.read("condition", one).is_ == {"multiple-sclerosis"}
    assert stances(vocabulary, "condition", one, "multiple-sclerosis", "ms-primary-progressive", "ms-relapsing") == [IS, BROADER, BROADER]
    assert stances(vocabulary, "condition", one, "myasthenia-gravis", "sle") == [IS_NOT, IS_NOT], "their lists are complete"


@pytest.mark.parametrize("code", ["G35.B1", "G35B1", "g35.b1", " G35.B1 "])
@pytest.mark.parametrize("system", [ICD, "urn:oid:2.16.840.1.113883.6.90", "2.16.840.1.113883.6.90", "icd10cm", "ICD-10-CM"])
def test_a_code_with_and_without_dot_in_every_name_of_its_system(
    vocabulary: Vocabulary, entry: Callable[..., Entry], system: str, code: str
) -> None:
    one = entry("condition", (system, code))
    wanted = ["multiple-sclerosis", "ms-primary-progressive", "ms-active-progressive", "ms-secondary-progressive"]
    assert stances(vocabulary, "condition", one, *wanted) == [IS, IS, IS, IS_NOT]


def test_branches_match_below_the_header_only(vocabulary: Vocabulary, entry: Callable[..., Entry]) -> None:
    assert vocabulary.read("condition", entry("condition", (ICD, "G40.909"))).is_ == {"epilepsy"}
    assert vocabulary.read("condition", entry("condition", (ICD, "M05.79"))).is_ == {"rheumatoid-arthritis"}
    # Z94.84 is listed by a narrower concept than the branch that covers it
    assert vocabulary.read("condition", entry("condition", (ICD, "Z94.84"))).is_ == {"stem-cell-transplant"}
    kidney = entry("condition", (ICD, "Z94.0"))
    assert stances(vocabulary, "condition", kidney, "transplant", "solid-organ-transplant") == [IS, BROADER]


def test_a_coarser_code_is_broader_never_another_thing(vocabulary: Vocabulary, entry: Callable[..., Entry]) -> None:
    assert stances(vocabulary, "condition", entry("condition", (ICD, "G25")), "stiff-person-syndrome") == [BROADER]
    assert stances(vocabulary, "condition", entry("condition", (ICD, "G26")), "stiff-person-syndrome") == [IS_NOT]
    assert stances(vocabulary, "medication", entry("medication", ("atc", "L04AG")), "ocrelizumab", "prednisone") == [BROADER, MAY_BE]


def test_what_is_no_code_proves_nothing(vocabulary: Vocabulary, entry: Callable[..., Entry]) -> None:
    assert stances(vocabulary, "condition", entry("condition", (ICD, "n/a")), "multiple-sclerosis") == [MAY_BE]
    assert stances(vocabulary, "condition", entry("condition", (ICD, "I10")), "multiple-sclerosis") == [IS_NOT]
    assert stances(vocabulary, "condition", entry("condition", ("local", "I10")), "multiple-sclerosis") == [MAY_BE]


def test_an_incomplete_list_excludes_nothing(vocabulary: Vocabulary, entry: Callable[..., Entry]) -> None:
    # no malignant code could be verified, so a code elsewhere in ICD-10-CM does not rule cancer out
    assert stances(vocabulary, "condition", entry("condition", (ICD, "K29.70")), "cancer") == [MAY_BE]
    worded = entry("condition", (ICD, "K29.70", "Gastritis, unspecified, without bleeding"))
    assert stances(vocabulary, "condition", worded, "cancer") == [PRESUMED_NOT]


def test_completeness_holds_for_what_is_below(vocabulary: Vocabulary, entry: Callable[..., Entry]) -> None:
    """Not multiple sclerosis, so not a kind of it, listed or not."""
    assert stances(vocabulary, "condition", entry("condition", (ICD, "I10")), "ms-fulminant", "mg-generalized") == [IS_NOT, IS_NOT]


def test_the_finer_of_several_codes_counts(vocabulary: Vocabulary, entry: Callable[..., Entry]) -> None:
    one = entry("condition", ("snomed", "24700007"), (ICD, "G35.C1"))
    assert vocabulary.read("condition", one).is_ == {"ms-secondary-progressive-active"}


def test_a_code_without_words_speaks_by_its_meaning(vocabulary: Vocabulary, entry: Callable[..., Entry]) -> None:
    history = entry("condition", (ICD, "Z85.3"))
    assert stances(vocabulary, "condition", history, "malignancy-history", "cancer") == [IS, MAY_BE]
    rituximab = entry("medication", (RXNORM, "121191"))
    assert stances(vocabulary, "medication", rituximab, "anti-cd20-antibody", "cyclophosphamide", "glucocorticoid") == [IS, IS_NOT, IS_NOT]


def test_drug_induced_lupus_is_no_systemic_lupus(vocabulary: Vocabulary, entry: Callable[..., Entry]) -> None:
    one = entry("condition", (ICD, "M32.0"))
    assert stances(vocabulary, "condition", one, "drug-induced-lupus", "lupus-erythematosus", "sle") == [IS, IS, IS_NOT]


# the project's own names


def test_a_concept_by_name_is_that_and_nothing_else(vocabulary: Vocabulary, entry: Callable[..., Entry]) -> None:
    for one in (entry("condition", concept="ms-relapse"), entry("condition", (OURS, "ms-relapse", "Relapse of MS"))):
        assert stances(vocabulary, "condition", one, "ms-relapse", "multiple-sclerosis", "cancer") == [IS, IS_NOT, IS_NOT]


def test_two_kinds_that_can_be_one_thing_overlap(vocabulary: Vocabulary, entry: Callable[..., Entry]) -> None:
    one = entry("condition", concept="ms-primary-progressive")
    wanted = ["ms-active-progressive", "ms-primary-progressive-active", "ms-secondary-progressive", "ms-relapsing"]
    assert stances(vocabulary, "condition", one, *wanted) == [BROADER, BROADER, IS_NOT, IS_NOT]


def test_an_unknown_or_misplaced_name_is_only_words(vocabulary: Vocabulary, entry: Callable[..., Entry]) -> None:
    assert stances(vocabulary, "condition", entry("condition", concept="lymphoma-of-the-skin"), "cancer", "hiv") == [MAY_BE, PRESUMED_NOT]
    misplaced = vocabulary.read("condition", entry("condition", concept="edss"))
    assert not misplaced.understood
    assert vocabulary.read("condition", entry("condition", (OURS, "no-such-thing"))).is_ == frozenset()


def test_concepts_are_charted_in_their_other_families(vocabulary: Vocabulary, entry: Callable[..., Entry]) -> None:
    for family in ("procedure", "medication", "allergy"):
        assert vocabulary.read(family, entry(family, concept="kyv-101")).is_ == {"kyv-101"}  # type: ignore[arg-type]
    assert "kyv-101" not in vocabulary.family("condition")


# words


@pytest.mark.parametrize("text", ["Multiple sclerosis", "MULTIPLE  SCLEROSIS", "multiple​ sclerosis", "Multiple sclerosis (disorder)"])
def test_a_whole_name_is_the_concept(vocabulary: Vocabulary, entry: Callable[..., Entry], text: str) -> None:
    assert vocabulary.read("condition", entry("condition", text=text)).is_ == {"multiple-sclerosis"}


def test_a_condition_that_only_mentions_it_may_be(vocabulary: Vocabulary, entry: Callable[..., Entry]) -> None:
    one = entry("condition", text="Possible multiple sclerosis, to be confirmed")
    assert stances(vocabulary, "condition", one, "multiple-sclerosis", "ms-primary-progressive", "hiv") == [MAY_BE, MAY_BE, PRESUMED_NOT]
    assert not vocabulary.read("condition", one).understood


@pytest.mark.parametrize(
    "text",
    [
        "Adenocarcinoma of colon",
        "Diffuse large B-cell lymphoma",
        "Acute myeloid leukaemia",
        "Chronic lymphocytic leukemia",
        "Kaposi sarcoma",
        "Malignant melanoma of left arm",
        "Metastases to bone",
        "Brain tumour",
        "Glioblastoma",
        "Smouldering myeloma",
        "Neoplasm of uncertain behaviour",
        "Prostate Ca, s/p radiotherapy",
        "MDS",
    ],
)
def test_cancer_is_never_presumed_away(vocabulary: Vocabulary, entry: Callable[..., Entry], text: str) -> None:
    assert stances(vocabulary, "condition", entry("condition", text=text), "cancer")[0] in (IS, MAY_BE)


@pytest.mark.parametrize(
    ("family", "text", "concept"),
    [
        ("condition", "h/o CVA with left hemiparesis", "stroke"),
        ("condition", "Grand mal convulsions", "seizure-disorder"),
        ("condition", "HCV genotype 1", "hepatitis-c"),
        ("condition", "Pulmonary TB, treated 1999", "tuberculosis"),
        ("condition", "DVT left leg", "thromboembolism"),
        ("condition", "Gravida 2 para 1, 12 weeks of gestation", "pregnancy"),
        ("condition", "CHF, EF 30 percent", "heart-failure"),
        ("condition", "Suspected lupus", "sle"),
        ("condition", "Graves ophthalmopathy", "autoimmune-disease"),
        ("medication", "MTX 15 mg weekly", "methotrexate"),
        ("medication", "cortisone shot", "glucocorticoid"),
        ("medication", "blinded study drug", "investigational-agent"),
        ("medication", "Warfarin sodium 5 MG", "anticoagulant"),
        ("procedure", "Bone marrow transplantation 2011", "stem-cell-transplant"),
        ("procedure", "Renal allograft", "transplant"),
        ("procedure", "CD19 CAR-T infusion", "car-t"),
        ("immunization", "measles, mumps, rubella, and varicella virus vaccine", "live-vaccine"),
        ("immunization", "yellow fever", "live-vaccine"),
        ("allergy", "Rash after Bactrim", "antibacterial"),
    ],
)
def test_common_words_are_not_presumed_away(
    vocabulary: Vocabulary, entry: Callable[..., Entry], family: str, text: str, concept: str
) -> None:
    assert stances(vocabulary, family, entry(family, text=text), concept)[0] in (IS, BROADER, MAY_BE)


@pytest.mark.parametrize(
    ("family", "text", "concept"),
    [
        ("condition", "Thrombocytopenia", "thromboembolism"),
        ("condition", "Osteoarthritis of knee", "autoimmune-disease"),
        ("condition", "Atherosclerosis", "multiple-sclerosis"),
        ("condition", "Environmental allergy", "psychiatric-disease"),
        ("condition", "Normal delivery", "liver-disease"),
        ("condition", "Acute bronchitis", "hepatitis-b"),
        ("condition", "Cervical disc prolapse", "cancer"),
        ("medication", "Quetiapine fumarate 25 MG", "dimethyl-fumarate"),
        ("medication", "Omeprazole 20 MG", "systemic-anti-infective"),
        ("medication", "Cetirizine", "anti-cd20-antibody"),
        ("procedure", "Skin graft", "transplant"),
        ("immunization", "Influenza, seasonal, injectable, preservative free", "live-vaccine"),
    ],
)
def test_words_that_only_look_alike_mention_nothing(
    vocabulary: Vocabulary, entry: Callable[..., Entry], family: str, text: str, concept: str
) -> None:
    assert stances(vocabulary, family, entry(family, text=text), concept) == [PRESUMED_NOT]


def test_a_short_stem_is_a_whole_word(vocabulary: Vocabulary, entry: Callable[..., Entry]) -> None:
    assert stances(vocabulary, "condition", entry("condition", text="MS since 2009"), "multiple-sclerosis") == [MAY_BE]
    assert stances(vocabulary, "condition", entry("condition", text="Symptoms"), "multiple-sclerosis") == [PRESUMED_NOT]


def test_no_words_may_be_anything(vocabulary: Vocabulary, entry: Callable[..., Entry]) -> None:
    for one in (entry("condition"), entry("condition", ("local", "X1")), entry("condition", text=" - ")):
        reading = vocabulary.read("condition", one)
        assert reading.wordless
        assert vocabulary.stance(reading, "cancer") is MAY_BE


# drugs and vaccines: a name within the words


@pytest.mark.parametrize(
    ("family", "text", "concept"),
    [
        ("medication", "ocrelizumab 300 MG in 10 ML Injection", "ocrelizumab"),
        ("medication", "Ocrevus infusion", "ocrelizumab"),
        ("medication", "MabThera 500 mg concentrate for solution for infusion", "rituximab"),
        ("medication", "inj rituximab 1 g iv", "rituximab"),
        ("medication", "rituximab 500 mg powder for concentrate for solution for infusion, i.v.", "rituximab"),
        ("medication", "methotrexate 15 mg once weekly on Mondays, s/c", "methotrexate"),
        ("medication", "methylprednisolone 1 g IV daily for 3 days", "methylprednisolone"),
        ("medication", "azathioprine 50 mg; take one daily with food", "azathioprine"),
        ("medication", "prednisolone 5mg tablets (gastro-resistant)", "prednisolone"),
        ("medication", "T. Prednisolone 10mg OD", "prednisolone"),
        ("medication", "prednisone taper, as needed", "prednisone"),
        ("medication", "belimumab 200 mg/mL auto-injector subcutaneous weekly", "belimumab"),
        ("medication", "methylPREDNISolone 4 MG Oral Tablet [Medrol]", "methylprednisolone"),
        ("medication", "Rituximab-abbs 10 MG/ML", "rituximab"),
        ("medication", "interferon beta-1a 0.06 MG/ML Prefilled Syringe", "interferon-beta-1a"),
        ("medication", "peginterferon beta-1a pen", "peginterferon-beta-1a"),
        ("procedure", "Infusion of KYMRIAH", "tisagenlecleucel"),
        ("procedure", "Descartes-08, dose 3", "descartes-08"),
        ("immunization", "zoster vaccine recombinant, 50 mcg", "recombinant-zoster-vaccine"),
        ("allergy", "Allergy to cyclophosphamide", "cyclophosphamide"),
        ("allergy", "DMSO intolerance", "dimethyl-sulfoxide"),
        ("allergy", "Fludarabine", "fludarabine"),
    ],
)
def test_a_name_within_the_words(vocabulary: Vocabulary, entry: Callable[..., Entry], family: str, text: str, concept: str) -> None:
    assert vocabulary.read(family, entry(family, text=text)).is_ == {concept}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("family", "text", "concept"),
    [
        ("medication", text, "rituximab")
        for text in (
            "no rituximab", "Rituximab-naive", "rituximab declined", "switch from rituximab to ocrelizumab", "pre-medication for rituximab",
            "rituximab allergy", "prior to rituximab: acetaminophen", "anti-rituximab antibody test", "rituximab or ocrelizumab",
            "rituximab/ocrelizumab", "planned rituximab", "rituximab for consideration", "rituximab needed", "rituximab in 6 months",
            "rituximab: 0", "0 x rituximab", "on the day of rituximab", "use of rituximab", "rituximab as discussed", "never had rituximab",
        )
    ]
    + [
        ("medication", "Methotrexate injection not started", "methotrexate"),
        ("immunization", "live vaccine refused", "live-vaccine"),
        ("procedure", "assessed for Descartes-08", "descartes-08"),
    ],
)  # fmt: skip
def test_a_name_among_other_words_is_a_mention(
    vocabulary: Vocabulary, entry: Callable[..., Entry], family: str, text: str, concept: str
) -> None:
    one = entry(family, text=text)
    assert concept not in vocabulary.read(family, one).is_  # type: ignore[arg-type]
    assert stances(vocabulary, family, one, concept) == [MAY_BE]


@pytest.mark.parametrize(
    ("family", "text", "concept"),
    [
        *(("condition", text, "lymphoma") for text in ("?lymphoma", "lymphoma (?)", "lymphoma (-)", "lymphoma: -", "[ ] lymphoma")),
        *(("condition", text, "lymphoma") for text in ("☐ lymphoma", "lymphoma ✗", "¬lymphoma", "± lymphoma", "？lymphoma")),
        *(("medication", text, "rituximab") for text in ("rituximab?", "- rituximab", "rituximab -", "rituximab <1")),
    ],
)
def test_a_name_with_a_question_mark_is_a_suspicion(
    vocabulary: Vocabulary, entry: Callable[..., Entry], family: str, text: str, concept: str
) -> None:
    reading = vocabulary.read(family, entry(family, text=text))  # type: ignore[arg-type]
    assert (reading.is_, reading.queried) == ({concept}, True)


def test_what_a_terminology_calls_a_code_it_names(vocabulary: Vocabulary, entry: Callable[..., Entry]) -> None:
    one = entry("medication", ("rxnorm", "999999999", "Rituximab 10 MG/ML Injectable Solution [Brandname]"))
    assert vocabulary.read("medication", one).is_ == {"rituximab"}


def test_a_drug_name_says_nothing_of_another_drug(vocabulary: Vocabulary, entry: Callable[..., Entry]) -> None:
    one = entry("medication", text="methylprednisolone 4 MG Oral Tablet")
    assert stances(vocabulary, "medication", one, "prednisolone", "glucocorticoid", "rituximab") == [IS_NOT, IS, IS_NOT]
    both = entry("medication", text="Rituximab with MTX")  # a word beside it that no order has: what is said of it is open
    assert stances(vocabulary, "medication", both, "rituximab", "methotrexate", "azathioprine") == [MAY_BE, MAY_BE, PRESUMED_NOT]
    mix = entry("medication", text="cyclophosphamide and fludarabine")
    assert vocabulary.read("medication", mix).is_ == {"cyclophosphamide", "fludarabine"}


def test_a_class_by_name_is_broader_than_its_drugs(vocabulary: Vocabulary, entry: Callable[..., Entry]) -> None:
    one = entry("medication", text="Systemic corticosteroid")
    assert stances(vocabulary, "medication", one, "glucocorticoid", "prednisone", "rituximab") == [IS, BROADER, PRESUMED_NOT]


def test_a_procedure_that_mentions_car_t_is_not_yet_one(vocabulary: Vocabulary, entry: Callable[..., Entry]) -> None:
    assert stances(vocabulary, "procedure", entry("procedure", text="Consultation before CAR T"), "car-t") == [MAY_BE]
    product = entry("procedure", text="CAR-T")
    assert stances(vocabulary, "procedure", product, "car-t", "car-t-integrating", "car-t-mrna") == [IS, BROADER, BROADER]


# observations


def test_scores_are_found_by_name(vocabulary: Vocabulary, entry: Callable[..., Entry]) -> None:
    for text in ("EDSS", "Expanded Disability Status Scale", "edss score", "EDSS​"):
        assert vocabulary.read("observation", entry("observation", text=text)).is_ == {"edss"}
    assert vocabulary.read("observation", entry("observation", (LOINC, "89247-1"))).is_ == {"ecog"}
    assert vocabulary.read("observation", entry("observation", ("local", "x", "SLEDAI 2K"))).is_ == {"sledai-2k"}


def test_a_name_does_not_stand_against_the_code(vocabulary: Vocabulary, entry: Callable[..., Entry]) -> None:
    """Urine creatinine that a laboratory calls Creatinine: its LOINC code is none of serum creatinine's."""
    urine = entry("observation", (LOINC, "2161-8", "Creatinine"))
    assert vocabulary.read("observation", urine).is_ == frozenset()
    assert stances(vocabulary, "observation", urine, "creatinine") == [MAY_BE]
    serum = entry("observation", (LOINC, "2160-0", "Creatinine"))
    assert stances(vocabulary, "observation", serum, "creatinine") == [IS]
    # a problem whose text names the disease and whose code is another's: neither certain
    odd = entry("condition", (ICD, "G37.9"), text="Multiple sclerosis")
    assert stances(vocabulary, "condition", odd, "multiple-sclerosis") == [MAY_BE]


def test_words_may_only_narrow_a_code(vocabulary: Vocabulary, entry: Callable[..., Entry]) -> None:
    narrower = entry("observation", (LOINC, "2890-2"), text="UPCR first morning")
    assert vocabulary.read("observation", narrower).is_ == {"upcr-first-morning"}
    other = entry("observation", (LOINC, "1968-7"), text="Bilirubin")
    assert vocabulary.read("observation", other).is_ == {"bilirubin-direct"}


def test_a_value_without_method_is_broader(vocabulary: Vocabulary, entry: Callable[..., Entry]) -> None:
    assert stances(vocabulary, "observation", entry("observation", text="eGFR"), "egfr", "egfr-ckd-epi-2021") == [IS, BROADER]
    mdrd = entry("observation", (LOINC, "33914-3"))
    assert stances(vocabulary, "observation", mdrd, "egfr", "egfr-ckd-epi-2021") == [IS, IS_NOT]


# the order of precedence


@given(data=st.data())
def test_precedence(vocabulary: Vocabulary, data: st.DataObject) -> None:
    """The stances of a random reading follow from its sets, in the order of the specification."""
    ids = sorted(vocabulary.family("condition"))
    some = st.frozensets(st.sampled_from(ids), max_size=2)
    reading = Reading(
        "condition",
        is_=data.draw(some),
        mentions=data.draw(some),
        named=data.draw(some),
        systems=data.draw(st.frozensets(st.sampled_from(["icd10cm", "snomed"]))),
        wordless=data.draw(st.booleans()),
    )
    concept = data.draw(st.sampled_from(ids))
    below = vocabulary.descendants(concept)
    complete = {system for other in (concept, *vocabulary.ancestors(concept)) for system in vocabulary[other].complete}
    if reading.is_ & below:
        wanted = {IS}
    elif any(vocabulary.descendants(known) & below for known in reading.is_):
        wanted = {BROADER}
    elif reading.systems & complete:
        wanted = {IS_NOT}
    elif reading.mentions & below or reading.named & vocabulary.ancestors(concept):
        wanted = {MAY_BE}
    elif reading.is_:
        wanted = {IS_NOT, PRESUMED_NOT}
    else:
        wanted = {MAY_BE} if reading.wordless else {PRESUMED_NOT}
    assert vocabulary.stance(reading, concept) in wanted


@given(data=st.data())
def test_a_narrower_entry_is_never_less(vocabulary: Vocabulary, data: st.DataObject) -> None:
    """What is a concept is everything the concept is a kind of, and certainly not what is complete without it."""
    concept = data.draw(st.sampled_from(sorted(vocabulary.concepts)))
    family = vocabulary[concept].family
    reading = Reading(family, is_=frozenset({concept}), exact=True)
    for other in vocabulary.family(family):
        stance = vocabulary.stance(reading, other)
        assert (stance is IS) == (other in {concept, *vocabulary.ancestors(concept)})
        if other in vocabulary.descendants(concept) and other != concept:
            assert stance is BROADER
        assert stance in (IS, BROADER, IS_NOT)


@given(text=st.text(max_size=60))
def test_any_words_can_be_read(vocabulary: Vocabulary, entry: Callable[..., Entry], text: str) -> None:
    for family in ("condition", "medication", "allergy"):
        reading = vocabulary.read(family, entry(family, text=text))  # type: ignore[arg-type]
        assert reading.wordless == (not fold(text))
        assert not reading.is_ & reading.mentions


def test_same_words_same_reading(vocabulary: Vocabulary, entry: Callable[..., Entry]) -> None:
    one, two = entry("condition", text="Asthma"), entry("condition", text="Asthma")
    assert vocabulary.read("condition", one) is vocabulary.read("condition", two)
    assert vocabulary.read("condition", one) == vocabulary.read("condition", entry("condition", text="ASTHMA"))


def test_near_names(vocabulary: Vocabulary) -> None:
    assert vocabulary.near("haemoglobin") == "did you mean hemoglobin?"
    assert vocabulary.near("Tysabri") == "did you mean natalizumab?"
    assert "ocrelizumab" in (vocabulary.near("ocrelizumb") or "")
    assert vocabulary.near("zzzzzzzz") is None
    with pytest.raises(KeyError, match="multiple-sclerosis"):
        vocabulary["multiple-sclerose"]


# the site's map


def site_map(vocabulary: Vocabulary, tmp_path: Path, text: str) -> SiteMap:
    path = tmp_path / "map.csv"
    path.write_text(text, encoding="utf-8")
    return SiteMap.read([path], vocabulary.concepts, vocabulary.systems, vocabulary.near)


def test_the_map_comes_before_everything(vocabulary: Vocabulary, entry: Callable[..., Entry], tmp_path: Path) -> None:
    lines = [
        "system,code,text,concept",
        "http://hospital.example/labs,EDSS_T,,edss",
        ",,Chronic progressive MS,ms-primary-progressive|ms-secondary-progressive",
        "http://hospital.example/dx,QC,,none",
        "icd10cm,G35,,ms-relapsing-remitting",
        "http://hospital.example/dx,77,Old text,hiv",
        "http://hospital.example/dx,77,,cancer",
        ",,not filled in yet,",
    ]
    mapped = vocabulary.with_map(site_map(vocabulary, tmp_path, "\n".join(lines)))
    assert mapped.read("observation", entry("observation", ("http://hospital.example/labs", "EDSS_T"))).is_ == {"edss"}
    two = mapped.read("condition", entry("condition", text="chronic PROGRESSIVE ms"))
    assert two.is_ == {"ms-primary-progressive", "ms-secondary-progressive"}
    assert mapped.stance(two, "ms-relapsing-remitting") is IS_NOT
    nothing = mapped.read("condition", entry("condition", ("http://hospital.example/dx", "QC"), text="Lymphoma"))
    assert nothing.none
    assert nothing.understood
    assert mapped.stance(nothing, "cancer") is IS_NOT
    # over a code list, and over a concept's name
    assert mapped.read("condition", entry("condition", (ICD, "G35"))).is_ == {"ms-relapsing-remitting"}
    # a row of code and text before the row of the code
    assert mapped.read("condition", entry("condition", ("http://hospital.example/dx", "77"), text="old text")).is_ == {"hiv"}
    assert mapped.read("condition", entry("condition", ("http://hospital.example/dx", "77"), text="new text")).is_ == {"cancer"}
    assert not mapped.read("condition", entry("condition", text="not filled in yet")).understood
    # the vocabulary without the map is what it was
    assert vocabulary.read("condition", entry("condition", (ICD, "G35"))).is_ == {"multiple-sclerosis"}
    assert mapped.digest() != vocabulary.digest()
    assert mapped.with_map(None).digest() == vocabulary.digest()


@pytest.mark.parametrize(
    ("rows", "code", "line", "says"),
    [
        ("system,code,concept\n", "bad-header", 1, "text"),
        ("system,code,text,concept\nloinc,1-1,,edsss\n", "unknown-concept", 2, "edss"),
        ("system,code,text,concept\n,,x,edss\n,, - ,edss\n", "empty-row", 3, "code"),
        ("system,code,text,concept\nloinc,1-1,,none|edss\n", "none-and-more", 2, "alone"),
        ("system,code,text,concept\nloinc,1-1,,edss\nhttp://loinc.org,1-1,,qmg\n", "mapped-twice", 3, "line 2"),
    ],
)
def test_mistakes_of_a_map(vocabulary: Vocabulary, tmp_path: Path, rows: str, code: str, line: int | None, says: str) -> None:
    with pytest.raises(InputError) as caught:
        site_map(vocabulary, tmp_path, rows)
    problem = caught.value.problems[0]
    assert (problem.code, problem.line) == (code, line)
    assert says in str(problem)


def test_a_map_that_is_not_there(vocabulary: Vocabulary, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="unreadable"):
        SiteMap.read([tmp_path / "none.csv"], vocabulary.concepts, vocabulary.systems, vocabulary.near)


def test_the_digest_of_a_map_is_of_its_content(vocabulary: Vocabulary, tmp_path: Path) -> None:
    one = site_map(vocabulary, tmp_path, "system,code,text,concept\n,,a,edss\n,,b,qmg\n")
    two = site_map(vocabulary, tmp_path, "concept,text,code,system\nqmg,B,,\nedss,A,,\n")
    three = site_map(vocabulary, tmp_path, 'system;code;"text";concept\n;;a;edss\n;;b;qmg\n')
    assert one.digest() == two.digest() == three.digest()


def test_names_are_found_at_their_place() -> None:
    index = NameIndex({"long": ["methylprednisolone"], "short": ["Td"], "other": ["prednisolone"]}, {"stem": ["predniso"]})
    text = fold("std Td, methylprednisolone")
    found = index.find(text)
    assert found.named == {"long", "short"}
    assert found.mentioned == {"long", "short", "other", "stem"}
    rest = found.without(text, frozenset({"long", "short"}))
    assert rest == "std || " + "|" * len("methylprednisolone")
    assert index.find(rest).mentioned == frozenset()


def test_a_text_that_asks_makes_its_own_code_a_suspicion(vocabulary: Vocabulary, entry: Callable[..., Entry]) -> None:
    doubted = vocabulary.read("condition", entry("condition", (ICD, "G35"), text="?MS"))
    assert doubted.queried
    assert doubted.is_
    assert not vocabulary.read("condition", entry("condition", (ICD, "G35"), text="MS > 10 years")).queried
