"""What the vocabulary's tests share: the shipped vocabulary, and entries written in one line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from eligibility.model.patient import Allergy, Coding, Condition, Entry, Immunization, Medication, Observation, Procedure
from eligibility.vocabulary.loader import shipped
from eligibility.vocabulary.vocabulary import Vocabulary

MODELS: dict[str, type[Entry]] = {
    "condition": Condition,
    "observation": Observation,
    "medication": Medication,
    "procedure": Procedure,
    "immunization": Immunization,
    "allergy": Allergy,
}


@pytest.fixture(scope="session")
def vocabulary() -> Vocabulary:
    """The shipped vocabulary."""
    return shipped()


@pytest.fixture(scope="session")
def entry() -> Callable[..., Entry]:
    """``entry("condition", ("icd10cm", "G35"), text="…")``: an entry with codes (system, code[, display])."""

    def make(family: str, *codes: tuple[str | None, ...], **fields: Any) -> Entry:
        codings = tuple(Coding(system=c[0], code=c[1], display=c[2] if len(c) > 2 else None) for c in codes)
        return MODELS[family](codes=codings, **fields)

    return make


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    """A small library folder: concept files by name, with a few units and systems beside them."""

    def write(**files: str) -> Path:
        (tmp_path / "concepts").mkdir()
        (tmp_path / "units.yaml").write_text(UNITS, encoding="utf-8")
        (tmp_path / "systems.yaml").write_text(SYSTEMS, encoding="utf-8")
        for name, text in files.items():
            (tmp_path / "concepts" / f"{name}.yaml").write_text(text, encoding="utf-8")
        return tmp_path

    return write


UNITS = """\
units:
  "1": {dimension: number, factor: 1, also: [score]}
  g/L: {dimension: mass concentration, factor: 1}
  g/dL: {dimension: mass concentration, factor: 10, also: [gm/dl]}
results:
  negative: [negative, neg]
  positive: [positive, pos]
"""

SYSTEMS = """\
systems:
  icd10cm: {title: ICD-10-CM, names: [icd-10-cm], hierarchical: true, dotless: true}
  loinc: {title: LOINC, names: ["http://loinc.org"]}
"""
