"""The page that lists every concept, ``docs/concepts.md``, made from the vocabulary.

Run ``python -m eligibility.vocabulary.catalogue docs/concepts.md`` after a change of
``rules/concepts/``; a test holds the committed page to it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from ..model.patient import FAMILIES, Family
from ..model.quantity import say
from .concept import Concept, Sourced
from .loader import load
from .vocabulary import Vocabulary

_TITLES: dict[Family, str] = {
    "condition": "Conditions",
    "observation": "Observations",
    "medication": "Medications",
    "procedure": "Procedures",
    "immunization": "Immunizations",
    "allergy": "Allergies",
}

_HEAD = """\
# Concepts

This page is made from `rules/concepts/` by `python -m eligibility.vocabulary.catalogue docs/concepts.md`. Do not edit it.

A concept is what a rule asks for and what an entry of a chart is read into. An entry *is* a concept by a code of its list, by
its name (for drugs and vaccines a name within the words), by the site's map, or because the chart already uses the
concept's name as a code of `urn:eligibility:concept`. A star names a whole branch: `G35.*` is every code below G35. *Complete* means
that the codes listed here and in narrower concepts are all the codes there are in that system, so that another code of the system
is certainly something else. Words listed under *may be said with* do not make an entry the concept: they keep it from being
presumed absent.

Only codes that were read with this meaning in the source named beside them are listed. LOINC codes and names are
used under the LOINC licence (loinc.org/license), copyright Regenstrief Institute. SNOMED CT and ATC codes are given as
identifiers only. No concept is a medical opinion; plausible bounds only catch slips of the pen.

Courses of one drug with a gap of up to 30 days between them are taken as one treatment, as in the drug eras of the OMOP Common Data
Model. Drugs given at longer intervals have a longer gap: the usual interval and a margin, a choice of this project.

## Concepts without a code

{codeless} of {all} concepts have no verified code in any system: no source read for this project named one. They are found by name, and a
site can map its own codes and texts to them. A code map is a CSV file with one line for each code or text:

```csv
system,code,text,concept
http://hospital.example/codes,EDSS_TOTAL,,edss
,,EDSS (Kurtzke) total,edss
http://hospital.example/codes,QC_BLANK,,none
```

`none` says that the code is nothing of this vocabulary. Several concepts are joined with `|`. `eligibility codes` writes such a file
with every code and text that holds a criterion open, `--codes map.csv` reads it back.
"""

_EXAMPLE = """\
```yaml
myasthenia-gravis:
  family: condition
  label: Myasthenia gravis
  mentions: [myasthen, MG]
  broader: [neurological-autoimmune-disease]
  codes:
    icd10cm:
      - {code: G70.0, meaning: Myasthenia gravis, source: CDC tabular list}
      - {code: G70.*, meaning: a whole branch, source: CDC tabular list}
  complete: [icd10cm]
  course: lifelong
mgfa-class:
  family: observation
  label: MGFA clinical classification
  classes: [I, IIa, IIb, IIIa, IIIb, IVa, IVb, V]
  spans: {II: [IIa, IIb]}
  source: the publication of the scale
```
"""


def catalogue(vocabulary: Vocabulary) -> str:
    """The page as Markdown; the same vocabulary gives the same bytes."""
    codeless = sum(not concept.codes for concept in vocabulary.concepts.values())
    lines = [_HEAD.format(codeless=codeless, all=len(vocabulary.concepts)), *_fields()]
    for family in FAMILIES:
        concepts = sorted((c for c in vocabulary.concepts.values() if c.family == family), key=lambda concept: concept.id)
        if concepts:
            lines.append(f"## {_TITLES[family]}\n")
        for concept in concepts:
            lines.append(f"### {concept.id}\n")
            lines.extend(f"- {line}" for line in _facts(concept, vocabulary))
            lines.append("")
    return "\n".join(lines).rstrip("\n") + "\n"


def _fields() -> Iterator[str]:
    """The fields of a concept file, from the schema."""
    yield "## Fields of a concept file\n"
    yield "A file of `rules/concepts/` is a mapping of ids to these fields; `family` and `label` must be there.\n"
    yield "| field | meaning |"
    yield "|---|---|"
    for name, field in Concept.model_fields.items():
        if name != "id":
            yield f"| `{name}` | {field.description or ''} |"
    yield ""
    yield _EXAMPLE


def _facts(concept: Concept, vocabulary: Vocabulary) -> Iterator[str]:
    yield f"**{concept.label}**" + (f", also charted as {_words(concept.also)}" if concept.also else "")
    if concept.synonyms:
        yield f"also called {_words(concept.synonyms)}"
    if concept.broader:
        yield f"a kind of {_names(concept.broader)}"
    narrower = sorted(other.id for other in vocabulary.concepts.values() if concept.id in other.broader)
    if narrower:
        yield f"takes in {_names(narrower)}"
    if concept.mentions:
        yield f"may be said with {_words(concept.mentions)}"
    for system, codes in concept.codes.items():
        whole = " (complete)" if system in concept.complete else ""
        for code in codes:
            meaning = f": {code.meaning}" if code.meaning else ""
            yield f"{vocabulary.systems.title(system)} `{code.code}`{whole}{meaning} [{code.source}]"
    for system in concept.complete:
        if system not in concept.codes:
            yield f"complete in {vocabulary.systems.title(system)} together with the codes of what it takes in"
    if not concept.codes:
        yield "no verified code; found by name, or by a site's code map"
    yield from _values(concept)
    yield from _behaviour(concept)
    if concept.source is not None:
        yield f"source: {concept.source}"
    if concept.note is not None:
        yield f"note: {concept.note}"


def _values(concept: Concept) -> Iterator[str]:
    if concept.unit is not None:
        accepted = f"; also accepted {_words(tuple(concept.units))}" if concept.units else ""
        yield f"measured in `{concept.unit}`{', whole numbers' if concept.whole else ''}{accepted}"
    if concept.molar_mass is not None:
        yield f"molar mass {_number(concept.molar_mass)} g/mol [{concept.molar_mass.source}]"
    if concept.plausible is not None:
        low, high = concept.plausible.low, concept.plausible.high
        yield f"plausible from {say(low) if low is not None else 'any'} to {say(high) if high is not None else 'any'}"
    if concept.titre:
        yield "reported as a titre"
    if concept.results:
        yield f"results {_words(concept.results)}"
    if concept.classes:
        spans = "; ".join(f"{name} spans {_words(members)}" for name, members in concept.spans.items())
        yield f"classes from least to greatest {_words(concept.classes)}" + (f"; {spans}" if spans else "")
    if concept.items:
        items = ", ".join(f"{name} {say(item.most)} ({' '.join(item.groups)})" for name, item in concept.items.items())
        yield f"items with most points and groups: {items}"


def _behaviour(concept: Concept) -> Iterator[str]:
    if concept.course == "event":
        yield "an event: its day is the onset"
    elif concept.course == "lifelong":
        yield "lifelong: it never ends"
    if concept.lasts_at_most is not None:
        yield f"lasts at most {concept.lasts_at_most.value} [{concept.lasts_at_most.source}]"
    if concept.episode is not None:
        yield f"reports within {concept.episode} may be one event"
    if concept.gap is not None:
        yield f"courses with a gap of up to {concept.gap} are one treatment"
    if concept.absence is not None:
        yield "seldom charted: silence says nothing"
    if concept.half_life is not None:
        yield f"half-life {_number(concept.half_life)} days [{concept.half_life.source}]"
    for drug, factor in concept.equivalents.items():
        yield f"1 mg equals {_number(factor)} mg of {drug} [{factor.source}]"


def _number(value: Sourced) -> str:
    return say(value.low) if value.low == value.high else f"{say(value.low)} to {say(value.high)}"


def _words(words: tuple[str, ...]) -> str:
    return ", ".join(words)


def _names(ids: tuple[str, ...] | list[str]) -> str:
    return ", ".join(f"[{id_}](#{id_})" for id_ in ids)


def main(arguments: list[str]) -> int:
    """Write the page to the file named, or to standard output."""
    page = catalogue(load())
    if arguments:
        Path(arguments[0]).write_text(page, encoding="utf-8", newline="\n")
    else:
        sys.stdout.write(page)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
