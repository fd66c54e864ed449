"""The examples of docs/sources run."""

from __future__ import annotations

import re
from collections.abc import Callable

from .conftest import ROOT, Read


def test_every_patient_shown_in_the_docs_is_read_without_a_problem(reading_text: Callable[..., Read]) -> None:
    shown = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "sources" / "native.md").read_text(), re.DOTALL)
    assert shown
    for number, text in enumerate(shown):
        read = reading_text(text, f"{number}.yaml")
        assert not read.problems
        assert read.patient.family("observation")


def test_short_forms_of_the_table_are_read(reading_text: Callable[..., Read]) -> None:
    read = reading_text(
        """
id: p1
gender: F
dob: [1977-03, 1978-03]
conditions: [hypertension, {code: icd10cm|G35.C1|Active SPMS, from: 2023-11/2024-02}]
observations:
  - {concept: hemoglobin, date: 2024, value: 12.1 g/dL, range: 12-16 g/dL, flag: H}
  - {concept: crp, date: 2024, value: 3, range: <0.5}
medications: [{concept: prednisone, dose: 10 mg/day}]
absences: {allergies: none-known}
"""
    )
    assert not read.problems
    assert len(read.patient.birth_date) == 2
    assert str(read.patient.conditions[1].start) == "2023-11/2024-02"
    assert [one.family for one in read.patient.absences] == ["allergy"]
