"""A first look at FHIR files: what kind they are and whom they speak of, before anything is read.

Large files are looked at by their bytes, so that a folder of them costs no memory.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import orjson

from ..model.time import When
from .fhir_kinds import R4_KINDS, kind_in
from .fhir_values import Resource
from .raw import Tree


@dataclass(frozen=True, slots=True)
class Manifest:
    """The manifest of a Bulk Data export: when it was taken, and the files it lists with the kind of resource each holds."""

    written: When | None
    files: dict[str, str | None]


def manifest(tree: Tree) -> Manifest | None:
    """The manifest a JSON tree is, or None."""
    if not isinstance(tree, dict) or not isinstance(tree.get("output"), list) or "transactionTime" not in tree:
        return None
    files: dict[str, str | None] = {}
    for one in tree["output"]:
        url = one.get("url") if isinstance(one, dict) else None
        if isinstance(url, str) and url.strip():
            name = PurePosixPath(url.partition("?")[0]).name
            files[name] = one["type"] if one.get("type") in R4_KINDS else kind_in(name)
    return Manifest(Resource(tree).moment("transactionTime"), files)


# a first look: whom a file speaks of


@dataclass(frozen=True, slots=True)
class People:
    """The patients a file names, and whether it holds drugs that other files may refer to."""

    ids: frozenset[str]
    shared: bool


PATIENT_REFERENCE = re.compile(rb'"(?:[^"\s]*/)?Patient/([A-Za-z0-9\-.]{1,64})[/"|]')
_PATIENT_KIND = re.compile(rb'"resourceType"\s*:\s*"Patient"')
_DRUG_KIND = re.compile(rb'"resourceType"\s*:\s*"Medication"')


def people_of_parts(parts: Iterable[bytes]) -> People:
    """Whom the resources or entries of a large file speak of, each given as bytes."""
    ids: set[str] = set()
    shared = False
    for part in parts:
        ids.update(name.decode() for name in PATIENT_REFERENCE.findall(part))
        shared = shared or _DRUG_KIND.search(part) is not None
        if _PATIENT_KIND.search(part):
            try:
                tree = orjson.loads(part)
            except orjson.JSONDecodeError:
                continue
            for one in (tree, tree.get("resource")) if isinstance(tree, dict) else ():
                if isinstance(one, dict) and one.get("resourceType") == "Patient" and isinstance(one.get("id"), str):
                    ids.add(one["id"])
    return People(frozenset(ids), shared)


def people_named(path: Path) -> People:
    """Whom the bytes of a file that cannot be read name, wherever they break off."""
    ids: set[str] = set()
    with path.open("rb") as stream:
        before = b""
        while chunk := stream.read(1 << 20):
            ids.update(name.decode() for name in PATIENT_REFERENCE.findall(before + chunk))
            before = chunk[-200:]  # a reference may lie across two chunks
    return People(frozenset(ids), shared=False)


@contextmanager
def unpacked(raw: BinaryIO) -> Iterator[BinaryIO]:
    """A stream of a file's text, unpacked if it is gzip."""
    packed = raw.read(2) == b"\x1f\x8b"
    raw.seek(0)
    if packed:
        with gzip.open(raw) as text:
            yield text  # type: ignore[misc]
    else:
        yield raw


_ENTRIES = re.compile(rb'\A\s*\{.*?"entry"\s*:\s*\[', re.DOTALL)


def is_bundle(stream: BinaryIO) -> bool:
    """Whether a stream begins as one object with a list of entries, so that it can be read entry by entry."""
    return _ENTRIES.match(stream.read(1 << 16)) is not None
