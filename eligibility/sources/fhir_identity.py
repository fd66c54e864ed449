"""Who a record is about, and which of several entries with one id holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from ..errors import Problem
from ..model.patient import DEATH_UNREAD, Sex
from ..model.time import When
from . import written
from .fhir_chart import Chart, Item, contained
from .fhir_resources import READERS
from .fhir_values import Resource

_SEXES: dict[str, Sex] = {"female": "female", "male": "male", "other": "other", "unknown": "unknown"}
_BIRTH_SEX = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex"


def identity(person: str, patients: list[Item], items: list[Item], chart: Chart) -> None:
    """Birth date, sex and death from the Patient resources; several that differ are kept as alternatives."""
    bodies = [(item, Resource(item.body)) for item in patients if isinstance(item.body, dict)]
    if not bodies and "#" in person:
        for item in items:
            body = orjson.loads(item.body) if isinstance(item.body, bytes) else item.body
            held = contained(body, person.rpartition("#")[2]) if isinstance(body, dict) else None
            if held is not None:
                bodies = [(item, Resource(held))]
                break
    if not bodies:
        chart.problems.append(
            Problem(
                "no-patient-resource",
                "the record has no Patient resource: birth date and sex are unknown",
                file=chart.file,
                severity="warning",
                instead="give the file with the Patient too",
            )
        )
    unread = False
    for item, resource in bodies:
        birth = resource.moment("birthDate")
        if birth is not None:
            chart.births.setdefault(birth.text, birth)
        sex = resource.word("gender")
        known = _SEXES.get(sex or "")
        if known is not None:
            chart.sexes[known] = None
        elif sex is not None:
            resource.fail("gender", "the gender is none of female, male, other, unknown", "bad-choice")
        for extension in resource.objects("extension"):
            if extension.get("url") == _BIRTH_SEX and extension.get("valueCode") in ("F", "M"):
                chart.sexes["female" if extension["valueCode"] == "F" else "male"] = None
        died = resource.moment("deceasedDateTime")
        if died is not None:
            chart.deceased = died
        elif resource.flag("deceasedBoolean") is True and not isinstance(chart.deceased, When):
            chart.deceased = True
        for path, code, message in resource.bad:
            chart.complain(item, path, code, message)
            unread = unread or (path.startswith("deceased") and written.may_tell_of_death(resource.raw[path]))
    if unread and not chart.deceased:
        chart.deceased = DEATH_UNREAD
    if len(chart.births) == 1:
        chart.birth = next(iter(chart.births.values()))


def older(those: list[Item]) -> Iterator[tuple[int, str]]:
    """Of entries with one id, those to set aside and why: copies, and older versions of one.

    Where it cannot be told which of them holds, none is set aside and all are marked doubtful.
    """
    bodies = [orjson.loads(item.body) if isinstance(item.body, bytes) else item.body for item in those]
    different: list[int] = []
    for index, body in enumerate(bodies):
        if any(body == bodies[other] for other in different):
            yield id(those[index]), "a copy of an entry already read"
        else:
            different.append(index)
    if len(different) < 2 or those[0].kind not in (*READERS, "Patient") or any(not isinstance(bodies[index], dict) for index in different):
        return
    stamps = [_stamp(bodies[index]) for index in different]
    if None not in stamps and len(set(stamps)) == len(stamps):
        newest = max(range(len(stamps)), key=lambda place: stamps[place])  # type: ignore[arg-type,return-value]
        for place, index in enumerate(different):
            if place != newest:
                yield id(those[index]), "an older version of an entry"
        return
    if those[0].kind == "Patient":
        return  # differing birth dates and sexes are kept as alternatives
    for index in different:
        those[index].doubtful = True


def _stamp(body: dict[str, Any]) -> tuple[int, str] | None:
    """What tells versions of one resource apart: the number of the version, then when it was written."""
    meta = body.get("meta")
    if not isinstance(meta, dict):
        return None
    version, updated = meta.get("versionId"), meta.get("lastUpdated")
    number = int(version) if isinstance(version, str) and version.isascii() and version.isdigit() and len(version) < 12 else -1
    if number < 0 and not isinstance(updated, str):
        return None
    return number, updated if isinstance(updated, str) else ""
