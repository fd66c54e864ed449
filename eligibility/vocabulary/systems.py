"""Code systems: one short name for each, and how their codes are written.

A source names ICD-10-CM by a URI, an OID or a short name; ``Systems.name`` gives ``icd10cm`` for all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class System:
    """A code system. ``hierarchical``: a shorter code is the header of longer ones that begin with it.

    ``dotless``: G35.A and G35A are one code. ``shape``: what a code looks like; another is no code.
    """

    name: str
    title: str
    names: tuple[str, ...] = ()
    hierarchical: bool = False
    dotless: bool = False
    shape: str | None = None


class Systems:
    """The table of ``rules/systems.yaml``."""

    __slots__ = ("_names", "_shapes", "_systems")

    def __init__(self, systems: Iterable[System]) -> None:
        self._systems = {system.name: system for system in systems}
        self._names: dict[str, str] = {}
        for system in self._systems.values():
            for name in (system.name, system.title, *system.names):
                self._names[_plain(name)] = system.name
        self._shapes = {system.name: re.compile(system.shape) for system in self._systems.values() if system.shape}

    def __iter__(self) -> Iterator[System]:
        return iter(self._systems.values())

    def __contains__(self, name: object) -> bool:
        return name in self._systems

    def name(self, text: str) -> str:
        """The short name of a system, or the text itself where it is none of the table's."""
        return self._names.get(_plain(text), text)

    def title(self, name: str) -> str:
        """The system's name for people."""
        system = self._systems.get(name)
        return system.title if system else name

    def code(self, system: str, code: str) -> str:
        """A code as it is compared: without spaces, in capitals and without its dot where the system has them."""
        plain = code.strip()
        known = self._systems.get(system)
        if known is None:
            return plain
        if known.dotless:
            plain = plain.replace(".", "")
        return plain.upper() if known.hierarchical else plain

    def shaped(self, system: str, code: str) -> bool:
        """Whether a compared code looks like one of the system; a slip of the pen proves nothing."""
        shape = self._shapes.get(system)
        return bool(code) and (shape is None or shape.fullmatch(code) is not None)

    def hierarchical(self, system: str) -> bool:
        """Whether shorter codes of the system are headers of longer ones."""
        known = self._systems.get(system)
        return known is not None and known.hierarchical


def _plain(text: str) -> str:
    return text.strip().partition("|")[0].rstrip("/").casefold()
