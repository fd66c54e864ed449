"""Rule files into trials and shared definitions, versions of trials, names that look each other up.

A trial file is read once, validated as a whole, and reported as a whole: one broken criterion hides
no mistake of another. :func:`load_library` gathers the shipped trials and those of ``--rules``, picks
the version of each that is in force on a day, and resolves every name, so that what it returns runs.
"""

from __future__ import annotations

import datetime as dt
import gc
import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from ..errors import Problem, RuleFileError
from ..model.criteria import AllOf, AnyOf, Meets, Node, NoneOf, Readings, SomeOf, walk
from ..model.trial import Definition, TrialFile
from ..vocabulary.library import library_path
from ..vocabulary.loader import load as load_vocabulary
from ..vocabulary.loader import shipped as shipped_vocabulary
from ..vocabulary.vocabulary import Vocabulary
from ..yaml_tree import Mapping as Tree
from ..yaml_tree import Sequence as Entries
from .diagnostics import INSTEAD, diagnose
from .reader import Located, read_yaml, read_yaml_file

if TYPE_CHECKING:
    from .flag_files import FlagLibrary

_N = TypeVar("_N", bound=Node)
_SUFFIXES = (".yaml", ".yml")


# -- one trial file ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Parsed:
    """A rule file as far as it could be read.

    ``trial`` is the file, without the parts in which ``problems`` stand, so that the rest can be
    checked too; None where nothing can be made of it. ``tree`` has the places of what ``trial`` holds.
    ``dropped`` are the names of the parts left out, None where nothing was.
    """

    trial: TrialFile | None
    tree: Located
    problems: tuple[Problem, ...] = ()
    dropped: frozenset[str] | None = None


def parse_trial(tree: Located) -> Parsed:
    """Read a tree as a trial file and find every mistake of shape in it."""
    if not isinstance(tree.data, Tree):
        return Parsed(None, tree, (tree.problem("wrong-type", "a rule file is a mapping", instead="begin with trial:"),))
    try:
        return Parsed(TrialFile.model_validate(tree.data), tree)
    except ValidationError as error:
        problems = [one for one in diagnose(error, tree, TrialFile) if one.code != "twice"]
        broken = {_part(one["loc"]) for one in error.errors(include_url=False, include_input=False)}
    twice, second = _twice(tree)
    problems += twice
    reduced, dropped = _without(tree, broken | second)
    try:
        trial = TrialFile.model_validate(reduced.data)
    except ValidationError:
        # nothing is hidden by this: what is still wrong stands in parts that were reported above
        return Parsed(None, tree, _sorted(problems), dropped)
    return Parsed(trial, reduced, _sorted(problems), dropped)


def load_trial(source: Path | str, file: str | None = None) -> TrialFile:
    """Read one trial from a file, or from its text.

    ``file`` is the name that problems carry. Raises :class:`RuleFileError` with every problem found.

    >>> load_trial("trial: {id: NCT1, title: A trial}").id
    'NCT1'
    """
    parsed = parse_trial(_tree(source, file))
    if parsed.problems or parsed.trial is None:
        raise RuleFileError(*parsed.problems)
    return parsed.trial


def _tree(source: Path | str, file: str | None) -> Located:
    if isinstance(source, Path):
        return read_yaml_file(source, file)
    if "\n" not in source and source.endswith(_SUFFIXES):
        return read_yaml_file(Path(source), file)
    return read_yaml(source, file or "text")


Part = tuple[str | int, ...]


def _part(loc: tuple[str | int, ...]) -> Part:
    """The smallest part of a file that can be left out for a mistake at ``loc``."""
    if loc[:1] in (("inclusion",), ("exclusion",)):
        return loc[:2]
    if loc[:1] == ("arms",) and len(loc) > 2 and loc[2] in ("inclusion", "exclusion"):
        return loc[:4]
    return loc[:2] if loc[:1] in (("schedule",), ("lists",), ("derived",), ("definitions",), ("arms",)) else loc[:1]


def _without(tree: Located, parts: Iterable[Part]) -> tuple[Located, frozenset[str]]:
    """The tree less some parts, every other thing at its place."""
    gone = {part for part in parts if part}
    dropped = {str(part[1]) for part in gone if len(part) == 2 and part[0] in ("schedule", "lists", "derived", "definitions")}

    def copy(value: Any, at: Part) -> Any:
        if len(at) > 4:
            return value
        if isinstance(value, Tree):
            made = Tree(value.at)
            for key, below in value.items():
                if (*at, key) not in gone:
                    made[key] = copy(below, (*at, key))
                    made.keys_at[key], made.values_at[key] = value.keys_at[key], value.values_at[key]
            return made
        if isinstance(value, Entries):
            listed = Entries(value.at)
            for i, below in enumerate(value):
                if (*at, i) not in gone:
                    listed.append(copy(below, (*at, i)))
                    listed.items_at.append(value.items_at[i])
            return listed
        return value

    data = copy(tree.data, ())
    if ("trial",) in gone or "trial" not in data:
        header = Tree(tree.data.at)
        for key, text in (("id", "UNREAD"), ("title", "unread")):
            header[key], header.keys_at[key], header.values_at[key] = text, tree.data.at, tree.data.at
        data["trial"], data.keys_at["trial"], data.values_at["trial"] = header, tree.data.at, tree.data.at
    for name, arm in [*data["arms"].items()] if isinstance(data.get("arms"), Tree) else ():
        # an arm of which every criterion was left out is no arm without criteria
        if isinstance(arm, Tree) and not arm.get("inclusion") and not arm.get("exclusion"):
            del data["arms"][name]
    return Located(data, tree.file, tree.text), frozenset(dropped)


def _twice(tree: Located) -> tuple[list[Problem], set[Part]]:
    """Criterion ids that stand twice, in an arm and the shared lists together."""
    problems: list[Problem] = []
    second: set[Part] = set()
    seen: dict[str, dict[str, int]] = {"": {}}

    def look(holder: Any, base: Part, scope: str) -> None:
        for kind in ("inclusion", "exclusion"):
            listed = holder.get(kind) if isinstance(holder, Tree) else None
            for i, entry in enumerate(listed if isinstance(listed, Entries) else ()):
                name = entry.get("id") if isinstance(entry, Tree) else None
                if not isinstance(name, str):
                    continue
                loc = (*base, kind, i)
                first = seen[""].get(name) or seen.setdefault(scope, {}).get(name)
                if first is not None:
                    problems.append(
                        tree.problem(
                            "twice", f"the criterion id {name} stands already in line {first}", (*loc, "id"), instead=INSTEAD["twice"]
                        )
                    )
                    second.add(loc)
                else:
                    seen[scope][name] = (tree.place((*loc, "id")) or (0, 0))[0]

    look(tree.data, (), "")
    arms = tree.data.get("arms")
    for name, arm in arms.items() if isinstance(arms, Tree) else ():
        look(arm, ("arms", name), f"arm {name}")
    return problems, second


def _sorted(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    return tuple(sorted(problems, key=lambda one: (one.line or 0, one.column or 0, one.code)))


# -- definitions ---------------------------------------------------------------------------------


def load_definitions(path: Path, name: str | None = None) -> dict[str, Definition]:
    """Read a file of shared definitions. Raises :class:`RuleFileError` with every problem found."""
    definitions, problems, _ = parse_definitions(read_yaml_file(path, name))
    if problems:
        raise RuleFileError(*problems)
    return definitions


def parse_definitions(tree: Located) -> tuple[dict[str, Definition], tuple[Problem, ...], Located]:
    """The definitions of a tree, and every mistake of shape among them."""
    if not isinstance(tree.data, Tree):
        return (
            {},
            (tree.problem("wrong-type", "a file of definitions is a mapping", instead="write name: {text: ..., source: ..., when: ...}"),),
            tree,
        )
    found: dict[str, Definition] = {}
    problems: list[Problem] = []
    for name, raw in tree.data.items():
        try:
            found[name] = Definition.model_validate(raw)
        except ValidationError as error:
            problems += diagnose(error, tree, Definition, (name,))
    return found, _sorted(problems), tree


def holds_definitions(tree: Located) -> bool:
    """Whether a file is one of shared definitions rather than of a trial."""
    data = tree.data
    return (
        isinstance(data, Tree)
        and "trial" not in data
        and bool(data)
        and all(isinstance(one, Tree) and "when" in one for one in data.values())
    )


def definition_of(name: str, trial: TrialFile | None, shared: Mapping[str, Definition]) -> Definition | None:
    """Late lookup: the trial's own definition before the shared one."""
    own = trial.definitions.get(name) if trial is not None else None
    return own if own is not None else shared.get(name)


def definitions_used(trial: TrialFile, shared: Mapping[str, Definition]) -> dict[str, Definition]:
    """Every definition a trial's criteria meet, directly or through another, in the order met."""
    used: dict[str, Definition] = {}

    def look(statement: Node) -> None:
        for node in walk(statement):
            if isinstance(node, Meets) and node.meets not in used:
                definition = definition_of(node.meets, trial, shared)
                if definition is not None:
                    used[node.meets] = definition
                    look(definition.when)

    for _, _, criterion in trial.criteria():
        for part in (criterion.when, criterion.applies_when, criterion.unless):
            if part is not None:
                look(part)
    return used


def expand(statement: _N, trial: TrialFile | None, shared: Mapping[str, Definition]) -> Node:
    """The statement with every definition written out.

    Raises :class:`RuleFileError` for a name that stands for nothing and for a definition that meets itself.
    """

    def written(node: Any, inside: tuple[str, ...]) -> Node:
        match node:
            case Meets(meets=name):
                definition = definition_of(name, trial, shared)
                if definition is None:
                    raise RuleFileError(
                        Problem("unknown-definition", f"there is no definition «{name}»", instead=INSTEAD["unknown-definition"])
                    )
                if name in inside:
                    raise RuleFileError(
                        Problem("cycle", f"a definition meets itself: {' -> '.join([*inside, name])}", instead=INSTEAD["cycle"])
                    )
                return written(definition.when, (*inside, name))
            case AllOf(all_of=of):
                return AllOf(all_of=tuple(written(one, inside) for one in of))
            case AnyOf(any_of=of):
                return AnyOf(any_of=tuple(written(one, inside) for one in of))
            case NoneOf(none_of=of):
                return NoneOf(none_of=tuple(written(one, inside) for one in of))
            case Readings(readings=of):
                return Readings(readings=tuple(written(one, inside) for one in of))
            case SomeOf(of=of):
                return node.model_copy(update={"of": tuple(written(one, inside) for one in of)})
        found: Node = node
        return found

    return written(statement, ())


# -- the library ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RuleFile:
    """One version of a trial: the file it was read from, and its bytes' digest."""

    trial: TrialFile
    path: Path
    name: str
    sha256: str
    shipped: bool = False


@dataclass(frozen=True)
class RuleLibrary:
    """The trials in force on a day, with what they rest on.

    ``trials`` by id in alphabetical order; ``definitions`` the shared ones; ``files`` where each trial
    was read; ``versions`` every version of each trial, oldest first, those not in force included.
    ``flag_files`` are the files of flags, each as path, the name its problems carry, and whether shipped.
    """

    trials: Mapping[str, TrialFile]
    definitions: Mapping[str, Definition]
    vocabulary: Vocabulary
    files: Mapping[str, Path] = field(default_factory=dict)
    versions: Mapping[str, tuple[RuleFile, ...]] = field(default_factory=dict)
    flag_files: tuple[tuple[Path, str, bool], ...] = ()
    _flags: dict[str, FlagLibrary] = field(default_factory=dict, repr=False, compare=False)
    _digests: dict[str | None, str] = field(default_factory=dict, repr=False, compare=False)

    @property
    def flags(self) -> FlagLibrary:
        """The flags, read when first asked for. Raises :class:`RuleFileError` with every mistake of their files."""
        if "" not in self._flags:
            from .flag_files import load_flags  # who asks for no flags reads none

            with _without_collecting():
                self._flags[""] = load_flags(self.flag_files, self)
        return self._flags[""]

    def digest(self, trial_id: str | None = None) -> str:
        """``sha256:`` of a trial's file and the shared definitions it uses; of the whole library without an id.

        The library's digest takes in the vocabulary, since what a code means decides answers too.
        """
        key = None if trial_id is None else trial_id
        if key not in self._digests:
            self._digests[key] = self._digest(trial_id)
        return self._digests[key]

    def _digest(self, trial_id: str | None) -> str:
        total = hashlib.sha256()
        if trial_id is None:
            for one in self.trials:
                total.update(f"{one} {self.digest(one)}\n".encode())
            for name in sorted(self.definitions):
                total.update(_definition_text(name, self.definitions[name]))
            total.update(f"vocabulary {self.vocabulary.digest()}\n".encode())
        else:
            trial = self.trials[trial_id]
            file = next((one for one in self.versions.get(trial_id, ()) if one.trial is trial), None)
            own = file.sha256 if file is not None else hashlib.sha256(trial.model_dump_json(by_alias=True).encode()).hexdigest()
            total.update(f"{own}\n".encode())
            used = definitions_used(trial, self.definitions)
            for name in sorted(used):
                if name not in trial.definitions:
                    total.update(_definition_text(name, used[name]))
        return f"sha256:{total.hexdigest()}"

    def expand(self, statement: Node, trial: TrialFile | None = None) -> Node:
        """A statement of a trial with every definition written out (what ``rules show`` prints)."""
        return expand(statement, trial, self.definitions)


def _definition_text(name: str, definition: Definition) -> bytes:
    body = definition.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return f"{name} {json.dumps(body, sort_keys=True, ensure_ascii=False)}\n".encode()


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Reading makes many thousand small objects and no garbage: looking for some takes a third of the time."""
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()


@_without_collecting()
def load_library(
    rules: Sequence[Path] = (),
    shipped: bool = True,
    as_of: dt.date | None = None,
    vocabulary: Vocabulary | None = None,
    root: Path | None = None,
    only: Collection[str] = (),
) -> RuleLibrary:
    """The shipped library with the files and folders of ``rules`` added to it.

    A folder may hold ``trials/``, ``definitions/``, ``flags/`` and ``concepts/``, or rule files as they come.
    Without ``shipped`` no shipped trial is taken; the shared definitions and the vocabulary stay, since
    rules are written in them, and so do the flags, which stand beside any trial. ``as_of`` picks the
    latest version of each trial in force on that day; a file without ``effective_from`` always was.
    ``root`` is another library folder than the shipped one. With ``only``, shipped files that name none of these
    trial ids are not read at all.

    Every name is resolved. All checks run on the files of ``rules``; the shipped ones were checked
    before they shipped. Raises :class:`RuleFileError` with every mistake of every file.
    """
    from .checks import check, check_definitions, resolve  # checks knows this module's names
    from .flag_files import holds_flags

    root = root if root is not None else library_path()
    problems: list[Problem] = []
    given = [*_given(rules, problems)]
    if vocabulary is None:
        extra = [path for path in dict.fromkeys(rules) if path.is_dir() and (path / "concepts").is_dir()]
        vocabulary = load_vocabulary(root, extra) if extra or root != library_path() else shipped_vocabulary()
    definitions: dict[str, Definition] = {}
    trees: dict[str, Located] = {}
    for path in _yaml_files(root / "definitions"):
        _add_definitions(_read(path, _shown(path, root), problems), definitions, problems, trees)
    flag_files = [(path, _shown(path, root), True) for path in _yaml_files(root / "flags")]
    parsed: list[tuple[Parsed, RuleFile]] = []
    wanted = [name.encode() for name in only]
    for path in _yaml_files(root / "trials") if shipped else ():
        if wanted and not any(name in path.read_bytes() for name in wanted):
            continue
        _add_trial(path, _shown(path, root), True, parsed, problems)
    for path in given:
        tree = _read(path, str(path), problems)
        if tree is None:
            continue
        if holds_flags(tree):
            flag_files.append((path, str(path), False))
        elif holds_definitions(tree):
            before = dict(definitions)
            _add_definitions(tree, definitions, problems, trees, given=True)
            added = {name: one for name, one in definitions.items() if before.get(name) is not one}
            problems += _errors(check_definitions(added, definitions, vocabulary, tree))
        else:
            _add_trial(path, str(path), False, parsed, problems, tree)
    versions = _versions([file for _, file in parsed], problems)
    trials: dict[str, TrialFile] = {}
    files: dict[str, Path] = {}
    for trial_id in sorted(versions):
        chosen = _in_force(versions[trial_id], as_of)
        if chosen is not None:
            trials[trial_id], files[trial_id] = chosen.trial, chosen.path
    library = RuleLibrary(trials, definitions, vocabulary, files, versions, tuple(flag_files))
    for one, file in parsed:
        if one.trial is None:
            continue
        judge = resolve if file.shipped else check
        problems += _errors(judge(one.trial, library, one.tree, one.dropped))
    if problems:
        raise RuleFileError(*sorted(problems, key=lambda p: (p.file or "", p.line or 0, p.column or 0, p.code)))
    return library


def _errors(problems: Iterable[Problem]) -> list[Problem]:
    return [one for one in problems if one.severity == "error"]


def _given(rules: Sequence[Path], problems: list[Problem]) -> Iterator[Path]:
    """The rule files of the paths a user gave, each once."""
    seen: set[Path] = set()
    for path in rules:
        if not path.exists():
            problems.append(Problem("cannot-read", "there is no such file or folder", str(path), instead="check the path"))
        if path.is_dir():
            # a folder in the library's own shape, or rule files as they come
            shaped = any((path / name).is_dir() for name in ("trials", "definitions", "concepts", "flags"))
            folders = [path / "trials", path / "definitions", path / "flags"] if shaped else [path]
            files = [file for folder in folders for file in _yaml_files(folder)]
        else:
            files = [path]
        for file in files:
            if file.exists() and file.resolve() not in seen:
                seen.add(file.resolve())
                yield file


def _yaml_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix in _SUFFIXES and path.is_file()) if folder.is_dir() else []


def _shown(path: Path, root: Path) -> str:
    return f"rules/{path.relative_to(root).as_posix()}"


def _read(path: Path, name: str, problems: list[Problem]) -> Located | None:
    try:
        return read_yaml_file(path, name)
    except RuleFileError as error:
        problems += error.problems
        return None


def _add_trial(
    path: Path, name: str, shipped: bool, parsed: list[tuple[Parsed, RuleFile]], problems: list[Problem], tree: Located | None = None
) -> None:
    tree = tree if tree is not None else _read(path, name, problems)
    if tree is None:
        return
    one = parse_trial(tree)
    problems += one.problems
    if one.trial is not None:
        digest = hashlib.sha256(tree.text.encode()).hexdigest()
        parsed.append((one, RuleFile(one.trial, path, name, digest, shipped)))


def _add_definitions(
    tree: Located | None, definitions: dict[str, Definition], problems: list[Problem], trees: dict[str, Located], given: bool = False
) -> None:
    if tree is None:
        return
    found, mistakes, _ = parse_definitions(tree)
    problems += mistakes
    for name, definition in found.items():
        if name in definitions and not (given and definition.replaces == "shared"):
            code = "replaces-unsaid" if given else "twice"
            message = f"the definition {name} stands already in {trees[name].file}"
            problems.append(tree.problem(code, message, (name,), key=True, instead=INSTEAD[code]))
            continue
        definitions[name] = definition
        trees[name] = tree


# -- versions ------------------------------------------------------------------------------------


def _versions(files: Sequence[RuleFile], problems: list[Problem]) -> dict[str, tuple[RuleFile, ...]]:
    """The versions of each trial, oldest first; two that nothing tells apart or puts in order are a mistake."""
    by_id: dict[str, list[RuleFile]] = {}
    for file in files:
        by_id.setdefault(file.trial.id, []).append(file)
    for trial_id, versions in by_id.items():
        for i, later in enumerate(versions):
            for earlier in versions[:i]:
                if earlier.trial.trial.version == later.trial.trial.version:
                    said = f"version {later.trial.trial.version} of " if later.trial.trial.version else ""
                    problems.append(
                        Problem(
                            "trial-twice",
                            f"{said}{trial_id} is already in {earlier.name}",
                            later.name,
                            1,
                            1,
                            instead="give an amendment its own version and effective_from, or leave one file out",
                        )
                    )
                elif _start(earlier) == _start(later) and not (_supersedes(later, earlier) or _supersedes(earlier, later)):
                    problems.append(
                        Problem(
                            "version-order",
                            f"nothing says which of the two versions of {trial_id} is the later: this one, or that of {earlier.name}",
                            later.name,
                            1,
                            1,
                            instead="write effective_from, or supersedes: with the earlier version",
                        )
                    )
        # within one day the version that supersedes comes after the one superseded
        versions.sort(key=lambda file: (_start(file), _depth(file, versions), file.trial.trial.version or ""))
    return {trial_id: tuple(versions) for trial_id, versions in by_id.items()}


def _start(file: RuleFile) -> dt.date:
    return file.trial.trial.effective_from or dt.date.min


def _supersedes(later: RuleFile, earlier: RuleFile) -> bool:
    named = later.trial.trial.supersedes
    return named is not None and named == earlier.trial.trial.version


def _depth(file: RuleFile, versions: Sequence[RuleFile]) -> int:
    """How many versions this one supersedes, directly or through another."""
    depth, here, seen = 0, file, {id(file)}
    while (before := next((one for one in versions if _supersedes(here, one) and id(one) not in seen), None)) is not None:
        depth, here = depth + 1, before
        seen.add(id(before))
    return depth


def _in_force(versions: Sequence[RuleFile], as_of: dt.date | None) -> RuleFile | None:
    """The latest version that has begun by ``as_of``; the latest of all without a day; None where none has begun."""
    begun = [file for file in versions if as_of is None or _start(file) <= as_of]
    return begun[-1] if begun else None
