"""Parts of a record that are not there: what they may hold is no silence.

A part is a file that the manifest of an export lists, a file named after a kind of resource, one
that names the patient or lies beside charts told over several files, and the page that a page of a search says comes next.
Where it is missing or cannot be read, each patient of the export gets an entry that may be anything
of the family the part holds, or of any family where that is not known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TypeAlias

from ..errors import Problem
from ..model.patient import Family
from .fhir_kinds import kind_in
from .fhir_look import Manifest
from .fhir_resources import READERS
from .raw import Tree

Lost: TypeAlias = tuple[str, Family | None, str]
"""The name of a part, the family whose entries it may hold (None for any), and why it is not read."""

_UNREAD = "a file that could not be read"


def missing_parts(
    charts: Sequence[tuple[Path | None, frozenset[str]]], unread: Iterable[tuple[Path, frozenset[str]]], exports: Mapping[Path, Manifest]
) -> Iterator[Lost]:
    """What is not there of charts that are told by some files, each given with the ids of patients that it names.

    ``unread`` are the files of the input that could not be read, ``exports`` the folders with a manifest.
    """
    folders = {path.parent for path, _ in charts if path is not None}
    people = frozenset(name for _, names in charts for name in names)
    for folder in sorted(folders & exports.keys()):
        for name, kind in exports[folder].files.items():
            if not is_there(folder, name):
                yield from _of_kind(name, kind, "listed in the manifest, and not in the folder")
    for path, names in unread:
        if path.parent not in folders and names.isdisjoint(people):
            continue
        listed = exports[path.parent].files if path.parent in exports else {}
        kind = listed.get(path.name) or listed.get(path.name.removesuffix(".gz")) or kind_in(path.name)
        if kind is not None or listed or len(charts) > 1 or not names.isdisjoint(people):
            yield from _of_kind(path.name, kind, _UNREAD)


def unreadable_part(name: str) -> list[Lost]:
    """What a file that turned out to be unreadable may have held."""
    part = PurePath(name).name
    return list(_of_kind(part, kind_in(part), _UNREAD))


def _of_kind(name: str, kind: str | None, why: str) -> Iterator[Lost]:
    if kind is None:
        yield name, None, why
    elif kind in READERS and READERS[kind][0] is not None:
        # lists and compositions are read for statements of absence: without them more is open, and not less
        yield name, READERS[kind][0], why


def is_there(folder: Path, name: str) -> bool:
    """Whether a file that a manifest lists is in its folder, packed or not."""
    return (folder / name).exists() or (folder / f"{name}.gz").exists()


# pages of a search


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a search: its own address, and that of the page after it."""

    itself: str | None
    following: str | None
    total: int | None = None
    matches: int = 0


def page_of(tree: Tree) -> Page | None:
    """The page of a search that a tree is, or None."""
    if not isinstance(tree, dict) or tree.get("resourceType") != "Bundle" or tree.get("type") != "searchset":
        return None
    links = tree.get("link")
    found: dict[str, str] = {}
    for one in links if isinstance(links, list) else ():
        if isinstance(one, dict) and isinstance(one.get("relation"), str) and isinstance(one.get("url"), str):
            found[one["relation"]] = one["url"]
    total, entries = tree.get("total"), tree.get("entry")
    matches = [one for one in entries if _is_match(one)] if isinstance(entries, list) else []
    return Page(found.get("self"), found.get("next"), total if type(total) is int else None, len(matches))


def _is_match(entry: Tree) -> bool:
    search = entry.get("search") if isinstance(entry, dict) else None
    return not isinstance(search, dict) or search.get("mode") in (None, "match")


def cut_short(page: Page, pages: Iterable[Page]) -> bool:
    """Whether a search counts more matches than all its pages here hold, and no page says that another follows it."""
    if page.total is None or page.following is not None:
        return False
    alike = [one for one in pages if one.total == page.total]
    return sum(one.matches for one in alike) < page.total and all(one.following is None for one in alike)


def failed(outcome: Mapping[str, Tree]) -> bool:
    """Whether an OperationOutcome tells of an error; information and warnings leave an answer whole."""
    issues = outcome.get("issue")
    return any(isinstance(one, dict) and one.get("severity") in ("error", "fatal") for one in (issues if isinstance(issues, list) else ()))


def unfollowed(pages: Iterable[Page]) -> set[str]:
    """Addresses of pages that another page says come after it, and that are not there.

    Where some pages do not say their address, a last page is taken for the end of all.
    """
    listed = list(pages)
    there = {one.itself for one in listed}
    if None in there and any(one.following is None for one in listed):
        return set()
    return {one.following for one in listed if one.following is not None and one.following not in there}


def page_after(name: str) -> Lost:
    """The page after a file's, as a part that is not there."""
    return f"after {PurePath(name).name}", None, "the next page of the search, which is not here"


def no_page(name: str) -> Problem:
    """The problem of a search whose next page is not there."""
    return Problem(
        "missing-page",
        "the search goes on with a page that is not here: what it may hold stays open",
        file=name,
        instead="fetch it too, and give all pages together",
    )
