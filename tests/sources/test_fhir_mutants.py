"""Mutated bundles: fields dropped, types swapped, values perturbed, nesting added.

Whatever a sender gets wrong, nothing falls over, nothing is lost, nothing of the patient is repeated
in a message, and what was understood is written and read back unchanged. ``ELIGIBILITY_MUTANTS``
says how many bundles are tried (2,000 in the suite; 20,000 in a stage of its own in CI).
"""

from __future__ import annotations

import copy
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from eligibility.errors import Problem
from eligibility.sources import fhir
from eligibility.sources.arrival import PatientInput, intake
from eligibility.sources.native import patient_to_native, read_native
from eligibility.sources.raw import Unreadable, parse_json

from .conftest import ROOT

MUTANTS = int(os.environ.get("ELIGIBILITY_MUTANTS", "2000"))
SECRET = "Zq7x-of-the-patient"
JUNK: list[Any] = [
    None,
    "",
    " ",
    SECRET,
    0,
    -1,
    7.5,
    10**30,
    True,
    False,
    [],
    {},
    [[]],
    [{}],
    [None],
    {"coding": SECRET},
    {"coding": [SECRET]},
    {"coding": [{"code": 7, "system": []}]},
    {"reference": "Patient/nobody"},
    {"reference": 5},
    {"reference": "#gone"},
    {"value": SECRET},
    {"value": [1]},
    {"start": "2024-13"},
    {"start": "2025", "end": "2024"},
    "2024-02-30",
    "2024",
    "0000",
    "9999-12-31",
    "1:80",
    "<0.5",
    "1e999",
    "NaN",
    "final",
    "entered-in-error",
    "Patient",
    "\ud800",
    "\x00\u200b",
    "x" * 30_000,
]


def seeds() -> list[dict[str, Any]]:
    trees = [orjson.loads(path.read_bytes()) for path in sorted((ROOT / "fixtures" / "fhir-quirks").glob("*.json"))]
    shared = ROOT.parent / "shared" / "data" / "fhir"
    for path in [*sorted((shared / "ips").glob("Bundle*.json")), *sorted((shared / "synthea-r4").glob("*.json"))[:2]]:
        tree = orjson.loads(path.read_bytes())
        tree["entry"] = tree["entry"][:25]
        trees.append(tree)
    return trees


def places(tree: Any) -> list[tuple[Any, Any]]:
    """Every container with one of its keys."""
    found: list[tuple[Any, Any]] = []
    stack = [tree]
    while stack:
        node = stack.pop()
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        for key in keys:
            found.append((node, key))
            if isinstance(node[key], (dict, list)):
                stack.append(node[key])
    return found


def mutate(tree: Any, dice: random.Random) -> Any:
    tree = copy.deepcopy(tree)
    for _ in range(dice.randint(1, 8)):
        spots = places(tree)
        if not spots:
            break
        node, key = dice.choice(spots)
        match dice.randrange(8):
            case 0:
                del node[key]
            case 1 | 2:
                node[key] = copy.deepcopy(dice.choice(JUNK))
            case 3:
                other, name = dice.choice(spots)
                if name in (other if isinstance(other, dict) else range(len(other))):
                    node[key] = copy.deepcopy(other[name])
            case 4:
                node[key] = [node[key]] if dice.random() < 0.5 else {"value": node[key]}
            case 5:
                if isinstance(node, list):
                    node.insert(0, copy.deepcopy(node[key]))
                else:
                    node[
                        dice.choice(["valueString", "status", "modifierExtension", "focus", "component", "identifier", "resourceType"])
                    ] = node[key]
            case 6:
                deep: Any = node[key]
                for _ in range(dice.randint(1, 40)):
                    deep = {"item": [deep]}
                node[key] = deep
            case 7:
                if isinstance(node[key], str):
                    text = node[key]
                    at = dice.randrange(len(text) + 1)
                    node[key] = text[:at] + dice.choice(["", "9", "-", "\u200b", "T25:00", "/"]) + text[at + dice.randrange(2) :]
                elif isinstance(node[key], (int, float)):
                    node[key] = dice.choice([-1, 1e6, 0.001]) * node[key]
    return tree


def resources(tree: Any) -> int:
    """How many resources a tree holds, told independently of the reader."""
    if not isinstance(tree, dict) or tree.get("resourceType") != "Bundle":
        return 1
    entries = tree.get("entry")
    if entries is None:
        return 0
    if isinstance(entries, dict):
        entries = [entries]
    if not isinstance(entries, list):
        return 1
    total = 0
    for entry in entries:
        body = entry.get("resource") if isinstance(entry, dict) else None
        total += resources(body) if isinstance(body, dict) else 1
    return total


def read(data: bytes) -> list[PatientInput | Problem]:
    collector = fhir.Collector()
    collector.add(parse_json(data, "m.json"), "m.json")
    return list(collector.patients(alone=False))


@pytest.fixture(scope="module")
def bundles() -> Callable[[int], tuple[Any, bytes]]:
    grown = seeds()

    def make(number: int) -> tuple[Any, bytes]:
        dice = random.Random(number)
        tree = mutate(dice.choice(grown), dice)
        try:
            return tree, orjson.dumps(tree)
        except (TypeError, orjson.JSONEncodeError):
            import json

            return tree, json.dumps(tree).encode("utf-8", "surrogatepass")

    return make


def test_mutated_bundles(bundles: Callable[[int], tuple[Any, bytes]]) -> None:
    kept = 0
    refusals: set[str] = set()
    for number in range(MUTANTS):
        tree, data = bundles(number)
        try:
            items = read(data)
        except Unreadable as refused:
            refusals.add(refused.problem.code)
            continue
        except Exception as error:
            raise AssertionError(f"mutant {number} made the reader fall") from error
        nobodys = 0
        counted = 0
        for item in items:
            problems = [item] if isinstance(item, Problem) else item.problems
            for problem in problems:
                assert problem.code != "misread", f"mutant {number}: a reader raised ({problem})"
                # an entry's own id is how it is found again; it stands in the place and nowhere else
                assert SECRET not in f"{problem.message} {problem.instead} {problem.text}", f"mutant {number}: a value in a message"
            if isinstance(item, Problem):
                if item.code == "no-patient":
                    nobodys += sum(int(part.split()[0]) for part in item.message.partition(": ")[2].split(", "))
                continue
            kept += 1
            counts = intake(item.patient)
            assert counts.entries == counts.read + counts.misread + counts.set_aside
            counted += counts.entries
            (again,) = read_native(orjson.loads(orjson.dumps(patient_to_native(item.patient))), "f", "p")
            assert isinstance(again, PatientInput)
            assert again.patient == item.patient, f"mutant {number}"
        assert counted + nobodys == resources(tree), f"mutant {number}: an entry was lost or counted twice"
    assert kept > MUTANTS / 2
    assert refusals <= {"too-deep"}


def test_bytes_cut_and_flipped(tmp_path: Path) -> None:
    from eligibility.sources.intake import read as read_files

    path = tmp_path / "m.json"
    whole = (ROOT / "fixtures" / "fhir-quirks" / "results-of-every-kind.json").read_bytes()
    for number in range(MUTANTS // 10):
        dice = random.Random(number)
        data = bytearray(whole)
        for _ in range(dice.randint(1, 4)):
            data[dice.randrange(len(data))] = dice.randrange(256)
        path.write_bytes(bytes(data[: dice.randrange(len(data))]) if dice.random() < 0.3 else bytes(data))
        assert list(read_files([path]))
