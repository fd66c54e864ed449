"""Files in, patients out: which format each file has, in which order, and which files belong together.

The format is told by content, never by name. Files are read in the order given, folders by name.
FHIR files that speak of the same patients are read together: a bundle split over files is one
record. A file that cannot be read at all is one :class:`Problem`; the others go on.
"""

from __future__ import annotations

import gzip
import io
import stat
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeAlias

from ..errors import EligibilityError, Problem, debugging, fault
from . import fhir_look
from .arrival import PatientInput
from .fhir_parts import Page, cut_short, is_there, missing_parts, no_page, page_after, page_of, unfollowed, unreadable_part
from .native import looks_native, read_native
from .raw import Tree, Unreadable, damaged, elements, parse_json, unpack
from .sheet_cells import is_sheet_text, is_workbook, text_grid, workbook_grids
from .yaml_text import parse_yaml

if TYPE_CHECKING:
    from ..vocabulary.vocabulary import Vocabulary
    from .fhir import Collector

__all__ = ["PatientInput", "Progress", "read"]

Progress: TypeAlias = Callable[[int, int], None]
"""Called after each file with how many of how many are done."""

READ_SUFFIXES = (".json", ".ndjson", ".jsonl", ".yaml", ".yml", ".xlsx", ".xml")
"""What is read in a folder, with or without ``.gz``, and with them CSV files that hold a sheet; others are counted in a note."""

LARGE = 32 << 20
"""Bytes from which a bundle is read entry by entry and not as one tree."""

KEPT = 64 << 20
"""Bytes of FHIR files whose trees are kept from the first look to the reading; beyond, files are read twice."""

NOBODY = fhir_look.People(frozenset(), shared=False)


@dataclass(slots=True)
class _File:
    """One file: how it is named to the user, where its bytes are, and what a first look found."""

    name: str
    path: Path | None
    data: bytes | None = None
    kind: str = ""
    tree: Tree = None
    problem: Problem | None = None
    people: fhir_look.People = NOBODY
    lists: fhir_look.Manifest | None = None
    page: Page | None = None
    extra: list[Problem] = field(default_factory=list)

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """The file's text as a stream."""
        raw: BinaryIO = io.BytesIO(self.data or b"") if self.data is not None or self.path is None else self.path.open("rb")
        with raw, fhir_look.unpacked(raw) as stream:
            yield stream

    def large(self) -> bool:
        """Whether it is a bundle to be read entry by entry; packed text is taken for eight times its size."""
        size = len(self.data) if self.data is not None else self.path.stat().st_size if self.path is not None else 0
        if size <= LARGE // 8:
            return False
        with self.open() as stream:
            packed = isinstance(stream, gzip.GzipFile)
            return (packed or size > LARGE) and fhir_look.is_bundle(stream)

    def bytes(self) -> bytes:
        if self.data is not None:
            return self.data
        assert self.path is not None
        try:
            return self.path.read_bytes()
        except OSError as error:
            raise Unreadable(Problem("unreadable-file", f"the file cannot be opened ({_why(error)})", file=self.name)) from None


def read(
    paths: Sequence[str | Path],
    stdin: BinaryIO | None = None,
    patients: Sequence[str] | None = None,
    progress: Progress | None = None,
    strict_fhir: bool = False,
    vocabulary: Vocabulary | None = None,
) -> Iterator[PatientInput | Problem]:
    """Every patient of files, folders and ``-`` (standard input), and every problem that belongs to no patient.

    ``patients`` keeps those ids only. ``strict_fhir`` adds the violations that fhir.resources finds.
    ``vocabulary`` is what abstraction sheets name their rows by; the shipped one if not given.
    Nothing is raised for bad input; :class:`eligibility.errors.UsageError` where the strict check is
    asked for and not installed.

    >>> [item.code for item in read(['no-such-file.json'])]
    ['no-such-file']
    """
    if strict_fhir:
        from .fhir_strict import require

        require()
    wanted = None if patients is None else frozenset(patients)
    seen: dict[str, str] = {}
    files = list(_files(paths, stdin))
    total = len(files)
    done = 0
    held = 0
    for file in files:
        if file.problem is None:
            _look(file, keep=total == 1 or held < KEPT, alone=total == 1)
            held += len(file.data or b"") if file.kind == "fhir" else 0
    exports = {file.path.parent: file.lists for file in files if file.path is not None and file.lists is not None}
    unread = [(file.path, file.people.ids) for file in files if file.path is not None and _unread(file)]
    pages = [file.page for file in files if file.page is not None]
    following = unfollowed(pages)
    for group in _groups(files):
        if _is_fhir(group[0]):
            from .fhir import Collector  # a chart of our own form needs none of it

            collector = Collector(strict=strict_fhir)
            collector.missing += missing_parts([(file.path, file.people.ids) for file in group], unread, exports)
            for file in group:
                if file.page is not None and (file.page.following in following or cut_short(file.page, pages)):
                    collector.missing.append(page_after(file.name))
                    yield no_page(file.name)
            folder = group[0].path.parent if group[0].path is not None else None
            if folder in exports:
                collector.written = exports[folder].written
            items = _fhir(group, collector, wanted, alone=total == 1)
        else:
            items = _plain(group[0], vocabulary)
        for item in _unharmed(items, group[0].name):
            if isinstance(item, Problem):
                yield item
                continue
            name = item.patient.id
            if wanted is not None and name not in wanted:
                continue
            if name in seen:
                yield Problem(
                    "same-patient",
                    f"a patient of this id was read already, from {seen[name]}; this record was left out",
                    file=item.file,
                    instead="give every patient an id of their own, or put the two records into one file",
                )
                continue
            seen[name] = item.file
            yield item
        for file in group:
            file.data = file.tree = None  # a long folder must not pile up
        done += len(group)
        if progress is not None:
            progress(done, total)


def _unread(file: _File) -> bool:
    """Whether nothing can be told of what a file holds; words that are no mapping and no list pass for YAML."""
    return file.problem is not None or (file.kind == "native" and not isinstance(file.tree, dict | list))


def _unharmed(items: Iterator[PatientInput | Problem], name: str) -> Iterator[PatientInput | Problem]:
    """The items; a fault of the program over one file is told, and the other files go on."""
    try:
        yield from items
    except EligibilityError:
        raise
    except Exception as error:
        if debugging():
            raise
        yield fault(error, name)


def _why(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()


# which files


def _files(paths: Sequence[str | Path], stdin: BinaryIO | None) -> Iterator[_File]:
    for given in paths:
        name = str(given)
        if name == "-":
            if stdin is None:
                yield _File("-", None, problem=Problem("no-input", "there is no standard input to read", file="-"))
            else:
                try:
                    yield _File("-", None, data=stdin.read())
                except OSError as error:
                    yield _File("-", None, problem=Problem("no-input", f"it cannot be read ({_why(error)})", file="-"))
            continue
        if not name:
            yield _File(name, None, problem=Problem("no-such-file", "the name of a file is empty"))
            continue
        path = Path(given)
        try:
            mode = path.stat().st_mode
        except OSError as error:
            yield _File(name, path, problem=Problem("no-such-file", f"the file cannot be opened ({_why(error)})", file=name))
            continue
        if stat.S_ISDIR(mode):
            yield from _folder(path, name)
        else:
            yield _File(name, path)


def _folder(path: Path, name: str) -> Iterator[_File]:
    found = False
    other: dict[str, int] = {}
    for inner in sorted(path.rglob("*"), key=lambda one: one.relative_to(path).parts):
        relative = inner.relative_to(path)
        if any(part.startswith((".", "~$")) for part in relative.parts) or not inner.is_file():
            continue  # hidden, or the lock that a spreadsheet leaves beside an open workbook
        suffixes = [suffix.lower() for suffix in inner.suffixes if suffix.lower() != ".gz"]
        if suffixes and (suffixes[-1] in READ_SUFFIXES or (suffixes[-1] == ".csv" and _holds_sheet(inner))):
            found = True
            yield _File(str(Path(name) / relative), inner)
        else:
            kind = inner.suffix.lower() or "no suffix"
            other[kind] = other.get(kind, 0) + 1
    if not found:
        problem = Problem(
            "empty-folder", "there is no patient file in the folder", file=name, instead=f"files end in {', '.join(READ_SUFFIXES[:-1])}"
        )
        yield _File(name, None, problem=problem)
    elif other:
        what = ", ".join(f"{count} {kind}" for kind, count in sorted(other.items()))
        yield _File(name, None, problem=Problem("other-files", f"files of other kinds were left alone: {what}", file=name, severity="note"))


def _holds_sheet(path: Path) -> bool:
    """Whether a CSV file is an abstraction sheet, and not a code map or a log that lies beside the charts."""
    try:
        with path.open("rb") as raw, fhir_look.unpacked(raw) as stream:
            return is_sheet_text(unpack(stream.read(1 << 16), path.name).decode(errors="ignore"))
    except (OSError, EOFError, zlib.error, Unreadable):
        return False


# what a file is


def _look(file: _File, keep: bool, alone: bool) -> None:
    """Tell a file's format; for FHIR also whom it speaks of, unless it is alone."""
    try:
        if file.large():
            file.kind = "large"
            if not alone:
                with file.open() as stream:
                    file.people = fhir_look.people_of_parts(elements(stream, "entry", file.name))
            return
        packed = file.bytes()
        if is_workbook(packed):
            file.kind = "workbook"
            file.data = packed if keep else None
            return
        data = unpack(packed, file.name)
        file.kind, tree = _format(data, file)
        if file.kind == "ndjson":
            file.data = data if keep else None
            file.people = NOBODY if alone else fhir_look.people_of_parts(data.split(b"\n"))
        elif file.kind == "fhir":
            from .fhir import people_of

            file.page = page_of(tree)
            file.people = NOBODY if alone else people_of(tree)
        if keep or file.kind not in ("fhir", "ndjson"):
            file.data, file.tree = data, tree
    except Unreadable as error:
        file.problem = error.problem
        file.data = None
        if not alone and file.path is not None:
            with suppress(OSError):
                file.people = fhir_look.people_named(file.path)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        file.problem = damaged(file.name)
    except OSError as error:
        file.problem = Problem("unreadable-file", f"the file cannot be opened ({_why(error)})", file=file.name)


def _format(data: bytes, file: _File) -> tuple[str, Tree]:
    first = data.lstrip()[:1]
    if first == b"<":
        raise Unreadable(
            Problem("xml", "this is XML; charts are read as JSON", file=file.name, instead="ask the source for FHIR as JSON (_format=json)")
        )
    if first in (b"{", b"["):
        lines = _lines(data)
        if lines is not None:
            return lines
        tree = _json_or_yaml(data, file)
        if isinstance(tree, dict) and "resourceType" in tree:
            return "fhir", tree
        if isinstance(tree, list) and any(isinstance(item, dict) and "resourceType" in item for item in tree):
            return "fhir", tree
        manifest = fhir_look.manifest(tree)
        if manifest is not None:
            file.lists = manifest
            return "manifest", tree
        return "native", tree
    text = _text(data, file.name)
    if is_sheet_text(text):
        return "sheet", None
    if file.path is not None and file.path.suffix.lower() == ".csv":
        raise Unreadable(
            Problem(
                "not-a-sheet",
                "none of its first lines is the header of an abstraction sheet",
                file=file.name,
                instead="worksheet writes one; its columns keep their names",
            )
        )
    documents = parse_yaml(text, file.name)
    trees = [tree for tree in documents if tree is not None]
    return "native", trees[0] if len(trees) == 1 else trees


def _json_or_yaml(data: bytes, file: _File) -> Tree:
    try:
        return parse_json(data, file.name)
    except Unreadable as error:
        if error.problem.code != "not-json":
            raise
        # a patient typed in YAML braces, {id: p1, ...}, is no JSON: read as YAML before giving up
        try:
            trees = parse_yaml(_text(data, file.name), file.name)
        except Unreadable:
            raise error from None
        if len(trees) != 1 or not looks_native(trees[0]):
            raise
        return trees[0]


def _text(data: bytes, name: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise Unreadable(
            Problem("not-utf8", f"the text is not UTF-8 (byte {error.start + 1})", file=name, instead="save it as UTF-8")
        ) from None


def _lines(data: bytes) -> tuple[str, Tree] | None:
    """JSON lines: the first line is an object of its own and more follow."""
    start = data.lstrip()
    first, _, rest = start.partition(b"\n")
    first = first.strip()
    if not first.startswith(b"{") or not first.endswith(b"}") or not rest.strip().startswith(b"{"):
        return None
    try:
        tree = parse_json(first, "")
    except Unreadable:
        return None
    return ("ndjson" if "resourceType" in tree else "native-lines"), None


# which files belong together


def _groups(files: list[_File]) -> list[list[_File]]:
    """Files in order; FHIR files that share a patient, and those that describe shared things (drugs), together."""
    parent = list(range(len(files)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    owner: dict[str, int] = {}
    shared = [index for index, file in enumerate(files) if _is_fhir(file) and file.people.shared and not file.people.ids]
    somebody = [index for index, file in enumerate(files) if _is_fhir(file) and file.people.ids]
    for index in somebody:
        for person in sorted(files[index].people.ids):
            other = owner.setdefault(person, index)
            parent[max(root(index), root(other))] = min(root(index), root(other))
    # a file of drugs that names no patient (Medication.ndjson) may be needed by any of its folder
    folders: dict[Path | None, list[int]] = {}
    for index in somebody:
        path = files[index].path
        folders.setdefault(path.parent if path else None, []).append(index)
    for index in shared:
        path = files[index].path
        for other in folders.get(path.parent if path else None, ()):
            low, high = sorted((root(index), root(other)))
            parent[high] = low
    grouped: dict[int, list[_File]] = {}
    for index, file in enumerate(files):
        grouped.setdefault(root(index), []).append(file)
    return [grouped[index] for index in sorted(grouped)]


def _is_fhir(file: _File) -> bool:
    return file.problem is None and file.kind in ("fhir", "ndjson", "large")


# reading


def _plain(file: _File, vocabulary: Vocabulary | None) -> Iterator[PatientInput | Problem]:
    if file.problem is not None:
        yield file.problem
        return
    stem = file.path.name.split(".")[0] if file.path is not None else "patient"
    if file.kind in ("workbook", "sheet"):
        yield from _sheets(file, stem, vocabulary)
    elif file.kind == "manifest":
        yield from _check_manifest(file)
    elif file.kind == "native-lines":
        assert file.data is not None
        for number, line in enumerate(file.data.split(b"\n"), start=1):
            if not line.strip():
                continue
            try:
                tree = parse_json(line, file.name, first_line=number)
            except Unreadable as error:
                yield error.problem
                continue
            yield from _native(tree, file.name, f"{stem}-{number}", number)
    else:
        yield from _native(file.tree, file.name, stem, None)


def _sheets(file: _File, stem: str, vocabulary: Vocabulary | None) -> Iterator[PatientInput | Problem]:
    from ..vocabulary.loader import shipped
    from .sheet import read_sheets

    try:
        data = file.data if file.data is not None else file.bytes()
        grids = workbook_grids(data, file.name) if file.kind == "workbook" else iter([text_grid(_text(data, file.name), file.name)])
        yield from read_sheets(grids, file.name, stem, vocabulary if vocabulary is not None else shipped())
    except Unreadable as error:
        yield error.problem


def _native(tree: Tree, name: str, fallback_id: str, line: int | None) -> Iterator[PatientInput | Problem]:
    if looks_native(tree):
        yield from read_native(tree, name, fallback_id, line)
    else:
        yield Problem(
            "not-a-patient",
            "there is no patient in it: neither `resourceType` (FHIR) nor `id` and the families of our own form",
            file=name,
            line=line,
            instead="docs/sources/native.md shows a patient in ten lines",
        )


def _check_manifest(file: _File) -> Iterator[Problem]:
    assert file.lists is not None
    folder = file.path.parent if file.path is not None else None
    if folder is None:
        return
    for name in file.lists.files:
        if not is_there(folder, name):
            yield Problem(
                "missing-file",
                f"the manifest lists {name}, which is not in the folder: the export is not whole",
                file=file.name,
                instead="download the missing file",
            )


def _fhir(group: list[_File], collector: Collector, wanted: frozenset[str] | None, alone: bool) -> Iterator[PatientInput | Problem]:
    failed = False

    def lost(file: _File, problem: Problem) -> Problem:
        collector.missing += unreadable_part(file.name)
        return problem

    for file in group:
        if file.problem is not None:
            yield file.problem
            continue
        try:
            if file.kind == "large":
                with file.open() as stream:
                    collector.add_stream(stream, file.name)
                continue
            tree = file.tree
            data = file.data if file.data is not None else unpack(file.bytes(), file.name)
            if file.kind == "ndjson":
                collector.add_lines(data, file.name)
            else:
                collector.add(tree if tree is not None else parse_json(data, file.name), file.name)
        except Unreadable as error:
            failed = True
            yield lost(file, error.problem)
        except (EOFError, zlib.error, gzip.BadGzipFile):
            failed = True
            yield lost(file, damaged(file.name))
        except OSError as error:
            failed = True
            yield lost(file, Problem("unreadable-file", f"the file cannot be read ({_why(error)})", file=file.name))
        file.data = file.tree = None
    yield from collector.patients(wanted, alone and not failed)
