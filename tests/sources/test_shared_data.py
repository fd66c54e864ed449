"""Every record of the reference data: read without a fall, adding up, and the same as yesterday.

``ELIGIBILITY_GOLDEN=write`` rewrites the golden ledgers after a look at the difference.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from eligibility.errors import Problem
from eligibility.model.patient import FAMILIES
from eligibility.sources.arrival import PatientInput, entry_of, intake
from eligibility.sources.intake import read
from eligibility.sources.native import patient_to_native, read_native

GOLDEN = Path(__file__).resolve().parent / "golden" / "ledgers.json"


def resources(tree: Any) -> int:
    """Resources and empty entries of a file, bundles within bundles opened."""
    if isinstance(tree, dict) and tree.get("resourceType") == "Bundle":
        return sum(resources(entry["resource"]) if "resource" in entry else 1 for entry in tree.get("entry", ()))
    return 1


def test_every_fhir_file_is_read_and_adds_up(shared: Callable[..., Path]) -> None:
    files = sorted(shared("data", "fhir").rglob("*.json"))
    assert len(files) > 1200
    for path in files:
        tree = orjson.loads(path.read_bytes())
        if not isinstance(tree, dict) or "resourceType" not in tree:
            continue
        items = list(read([path]))
        assert "misread" not in {problem.code for item in items if isinstance(item, PatientInput) for problem in item.problems}, path.name
        told = [item.message for item in items if isinstance(item, Problem) and item.code == "no-patient"]
        nobody = sum(int(count) for message in told for count in re.findall(r"(\d+) (?:unreadable|[A-Z])", message))
        counted = sum(intake(item.patient).entries for item in items if isinstance(item, PatientInput))
        pages = sum(item.code == "missing-page" for item in items if isinstance(item, Problem))  # what may follow counts as an entry
        assert counted + nobody == resources(tree) + pages, path.name


def test_every_pointer_leads_back_to_one_resource(shared: Callable[..., Path]) -> None:
    for path in sorted(shared("data", "fhir", "synthea-r4").glob("*.json")):
        ids = Counter(
            f"{entry['resource']['resourceType']}/{entry['resource']['id']}" for entry in orjson.loads(path.read_bytes())["entry"]
        )
        for item in read([path]):
            assert isinstance(item, PatientInput)
            patient = item.patient
            sources = {entry_of(entry.source or "") for family in FAMILIES for entry in patient.family(family)}
            sources |= {one.source for one in patient.set_aside}
            assert sources <= set(ids)
            assert intake(patient).entries == sum(ids.values())


def test_written_in_our_own_form_every_record_is_the_same(shared: Callable[..., Path]) -> None:
    for item in read([shared("data", "fhir")]):
        if isinstance(item, PatientInput):
            tree = orjson.loads(orjson.dumps(patient_to_native(item.patient)))
            (again,) = read_native(tree, "f.json", "p")
            assert isinstance(again, PatientInput)
            assert again.patient == item.patient
            assert not again.problems


def ledger(item: PatientInput) -> dict[str, Any]:
    patient = item.patient
    counts = intake(patient)
    return {
        "entries": counts.entries,
        "read": counts.read,
        "misread": counts.misread,
        "set_aside": dict(sorted(Counter(one.why for one in patient.set_aside).items())),
        "families": {family: len(patient.family(family)) for family in FAMILIES if patient.family(family)},
        "absences": len(patient.absences),
        "values": sum(observation.value is not None for observation in patient.observations),
        "dated": sum(entry.start is not None for family in FAMILIES for entry in patient.family(family)),
        "problems": dict(sorted(Counter(problem.code for problem in item.problems).items())),
    }


def test_golden_ledgers(shared: Callable[..., Path]) -> None:
    root = shared("data", "fhir")
    folders = [
        root / "synthea-r4",
        root / "ips",
        root / "us-core",
        *sorted((root / "ecqm-dev" / "status-edge-cases").glob("input/tests/measure/*/*")),
    ]
    found = {}
    for folder in folders:
        for item in read([folder]):
            if isinstance(item, PatientInput):
                found[f"{folder.relative_to(root).as_posix().rpartition('/')[2]}: {item.patient.id}"] = ledger(item)
    text = json.dumps(found, indent=1, sort_keys=True) + "\n"
    if os.environ.get("ELIGIBILITY_GOLDEN") == "write":
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(text)
    assert json.loads(GOLDEN.read_text()) == found


def test_refuted_entered_in_error_and_not_done_are_honoured(shared: Callable[..., Path]) -> None:
    root = shared("data", "fhir", "ecqm-dev", "status-edge-cases", "input", "tests", "measure")
    seen = Counter[str]()
    for folder in sorted(root.glob("*/*")):
        name = next(path.name for path in folder.glob("CMS*.json"))
        for item in read([folder]):
            if not isinstance(item, PatientInput):
                continue
            patient = item.patient
            whys = Counter(one.why for one in patient.set_aside)
            verifications = {condition.verification for condition in patient.conditions}
            if "EnteredInError" in name:
                assert whys["entered in error"] == 1, name
                seen["error"] += 1
            if "Refuted" in name:
                assert "refuted" in verifications, name
                seen["refuted"] += 1
            if "Unconfirmed" in name:
                assert "unconfirmed" in verifications, name
                seen["unconfirmed"] += 1
            assert whys["a copy of an entry already read"] >= 1, "each case is there as a bundle and in single files"
    assert seen["error"] >= 2
    assert seen["refuted"] >= 2
    assert seen["unconfirmed"] >= 1
