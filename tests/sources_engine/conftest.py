"""What these tests share: all shipped trials compiled once, and the FHIR charts they screen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from eligibility.errors import Problem
from eligibility.model.finding import CriterionResult, PatientResult
from eligibility.model.patient import Patient
from eligibility.screening import Screener
from eligibility.sources import fhir
from eligibility.sources.arrival import PatientInput
from eligibility.sources.intake import read
from eligibility.sources.raw import parse_json

ROOT = Path(__file__).resolve().parents[2]
DAY = "2026-11-01"


@pytest.fixture(scope="session")
def screener() -> Screener:
    """Every shipped trial, without margins and needs."""
    return Screener.build(as_of=DAY, details=False)


@pytest.fixture(scope="session")
def explainer(screener: Screener) -> Screener:
    """Every shipped trial, with margins, needs and dates of change."""
    return Screener.build(as_of=DAY, library=screener.library)


def charts(*paths: Path) -> Iterator[PatientInput]:
    """The patients of files and folders."""
    for item in read(list(paths)):
        if isinstance(item, PatientInput):
            yield item


def from_tree(tree: Any) -> list[PatientInput | Problem]:
    """What the reader makes of a bundle in hand."""
    collector = fhir.Collector()
    collector.add(parse_json(orjson.dumps(tree), "b.json"), "b.json")
    return list(collector.patients())


def patient_of(tree: Any) -> Patient:
    """The one patient of a bundle."""
    (item,) = [item for item in from_tree(tree) if isinstance(item, PatientInput)]
    return item.patient


def criteria(result: PatientResult) -> Iterator[tuple[tuple[str, str, str], CriterionResult]]:
    """Every criterion by trial, arm and id."""
    for screening in result.screenings:
        for criterion in screening.criteria:
            yield (screening.trial, "", criterion.id), criterion
        for arm in screening.arms:
            for criterion in arm.criteria:
                yield (screening.trial, arm.arm, criterion.id), criterion


def resources(tree: Any) -> Iterator[dict[str, Any]]:
    """Every resource of a file, bundles within bundles opened."""
    if not isinstance(tree, dict):
        return
    if tree.get("resourceType") != "Bundle":
        yield tree
        return
    for entry in tree.get("entry", ()):
        yield from resources(entry.get("resource"))
