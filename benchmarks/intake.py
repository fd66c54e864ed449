"""How fast records come in. Reported, not asserted.

    python benchmarks/intake.py            a 1 MB bundle, NDJSON, our own JSON
    python benchmarks/intake.py --large    also a 200 MB bundle, with the memory it took

Processor time of one process, the best of several runs; records are made up on the spot. Targets: a
1 MB bundle from bytes to patient in 40 ms; 50,000 NDJSON resources a second; 200 MB within 1 GB.
"""

from __future__ import annotations

import argparse
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from eligibility.sources import fhir
from eligibility.sources.intake import read
from eligibility.sources.native import patient_to_native, read_native
from eligibility.sources.raw import parse_json

UCUM = "http://unitsofmeasure.org"
CODES = [("718-7", "Hemoglobin [Mass/volume] in Blood", "g/dL"), ("2160-0", "Creatinine [Mass/volume] in Serum or Plasma", "mg/dL")]
CODES += [("777-3", "Platelets [#/volume] in Blood by Automated count", "10*3/uL"), ("29463-7", "Body weight", "kg")]


def resources(count: int, patient: str = "p", dice: random.Random | None = None) -> Iterator[dict[str, Any]]:
    """A patient and as many entries, about as large and as mixed as a hospital's."""
    dice = dice or random.Random(1)
    subject = {"reference": f"Patient/{patient}"}
    yield {"resourceType": "Patient", "id": patient, "gender": "female", "birthDate": "1980-05-17"}
    for number in range(count):
        day = f"20{dice.randint(10, 25)}-{dice.randint(1, 12):02}-{dice.randint(1, 28):02}"
        name = f"{patient}-{number}"
        meta = {"versionId": "1", "lastUpdated": f"{day}T10:15:00.000+01:00", "source": "#a1b2c3d4e5f6"}
        kind = dice.random()
        if kind < 0.65:
            code, display, unit = dice.choice(CODES)
            yield {
                "resourceType": "Observation",
                "id": name,
                "meta": meta,
                "status": "final",
                "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}]}],
                "code": {"coding": [{"system": "http://loinc.org", "code": code, "display": display}], "text": display},
                "subject": subject,
                "effectiveDateTime": f"{day}T09:30:00+01:00",
                "issued": f"{day}T11:00:00.000+01:00",
                "valueQuantity": {"value": round(dice.uniform(1, 200), 2), "unit": unit, "system": UCUM, "code": unit},
            }
        elif kind < 0.8:
            yield {
                "resourceType": "Condition",
                "id": name,
                "meta": meta,
                "clinicalStatus": {"coding": [{"code": "active"}]},
                "code": {"coding": [{"system": "http://snomed.info/sct", "code": "10509002", "display": "Acute bronchitis"}]},
                "subject": subject,
                "onsetDateTime": day,
                "recordedDate": day,
            }
        elif kind < 0.9:
            yield {
                "resourceType": "MedicationRequest",
                "id": name,
                "meta": meta,
                "status": "active",
                "intent": "order",
                "medicationCodeableConcept": {"text": "prednisone 5 MG Oral Tablet"},
                "subject": subject,
                "authoredOn": day,
                "dosageInstruction": [
                    {
                        "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}},
                        "doseAndRate": [{"doseQuantity": {"value": 5, "unit": "mg", "system": UCUM, "code": "mg"}}],
                    }
                ],
            }
        else:
            body = {"resourceType": "Encounter", "id": name, "meta": meta, "status": "finished"}
            yield {**body, "subject": subject, "period": {"start": day}}


def bundle(entries: list[dict[str, Any]]) -> bytes:
    listed = [{"fullUrl": f"urn:uuid:{one['id']}", "resource": one} for one in entries]
    return orjson.dumps({"resourceType": "Bundle", "type": "collection", "entry": listed})


def best(work: Callable[[], Any], runs: int = 7) -> float:
    """Seconds of processor time of the quickest run."""
    times = []
    for _ in range(runs):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def collect(data: bytes, lines: bool) -> int:
    collector = fhir.Collector()
    if lines:
        collector.add_lines(data, "f")
    else:
        collector.add(parse_json(data, "f"), "f")
    return sum(1 for _ in collector.patients())


def large(megabytes: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.json"
        with path.open("wb") as file:
            file.write(b'{"resourceType":"Bundle","type":"collection","entry":[')
            size = 0
            for number, one in enumerate(resources(10**9)):
                part = (b"," if number else b"") + orjson.dumps({"resource": one})
                size += file.write(part)
                if size > megabytes * 1_000_000:
                    break
            file.write(b"]}")
        start = time.process_time()
        facts = 0
        for item in read([path]):
            facts = len(item.patient.observations)  # type: ignore[union-attr]
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e3 if sys.platform != "darwin" else 1e6)
        print(f"{megabytes} MB bundle: {time.process_time() - start:.1f} s, {facts:,} results, peak memory {peak:,.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--large", action="store_true", help="also read a bundle of 200 MB")
    options = parser.parse_args()
    data = bundle(list(resources(1700)))
    seconds = best(lambda: collect(data, lines=False))
    print(f"bundle: {seconds * 1000 / (len(data) / 1e6):.1f} ms a megabyte ({len(data) / 1e6:.2f} MB)")
    many = [one for number in range(100) for one in resources(200, f"p{number}", random.Random(number))]
    lines = b"\n".join(orjson.dumps(one) for one in many)
    print(f"NDJSON: {len(many) / best(lambda: collect(lines, lines=True), 3):,.0f} resources a second ({len(many):,} of 100 patients)")
    collector = fhir.Collector()
    collector.add(parse_json(data, "f"), "f")
    patient = next(item.patient for item in collector.patients() if hasattr(item, "patient"))
    native = orjson.dumps(patient_to_native(patient))
    seconds = best(lambda: list(read_native(parse_json(native, "f"), "f", "p")))
    print(f"our own JSON: {seconds * 1000 / (len(native) / 1e6):.1f} ms a megabyte ({len(native) / 1e6:.2f} MB)")
    if options.large:
        large(200)


if __name__ == "__main__":
    main()
