"""Flag files: read, checked as a whole, and gathered into a library (DESIGN 5, MEANING 10).

A flag file has the shape of a trial's file with ``flags:`` in place of criteria. Every mistake is
reported at once with its place: those of shape here and in ``diagnostics``, those of the statements by
the checks of rule files, and those of flags among each other here: names that stand for nothing, flags
that rest on themselves, words that advise.

>>> from eligibility.language.reader import read_yaml
>>> file = parse_flags(read_yaml("flags: [{id: a, axis: risk}]", "f.yaml"))
>>> file.flags, sorted({problem.code for problem in file.problems})
(None, ['missing-key'])
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ..errors import Problem, RuleFileError, did_you_mean
from ..model.flag import PRODUCT_VALUES, FlagFile, FlagRule, find_circle
from ..model.trial import TrialFile
from ..yaml_tree import Mapping as Tree
from ..yaml_tree import Sequence as Entries
from .diagnostics import diagnose
from .reader import Located, read_yaml_file
from .scope import Names

ADVICE = {
    "population": "write population: autoimmune, oncology, transplant, or a list of them",
    "year": "write year: 2024, or leave it out",
    "not-a-flag-id": "write small letters, digits and dashes",
    "nothing-raises": "write when: with a statement, product:, or all: and any: with flags",
    "both-ways": "leave it out of one of the two",
    "unknown-flag": "add the flag, or correct the name",
    "flag-circle": "leave one of them out",
    "flag-twice": "give each its own id",
    "unknown-product": "write one of the values this word has",
    "unknown-score": "name a derived value of this file, with a formula",
    "advice": "say what the source lists: «source X lists ... as ...»",
}
"""What to do about each code that only a flag file can meet."""

# MEANING 11, the words our own voice never says; titles of sources are quoted and may
_ADVISES = re.compile(
    r"\b(?:eligible|ineligible|qualif\w+|recommend\w*|should|must not|safe|safely|unsafe|contraindicat\w*|best match|approv\w*|reject\w*|"
    r"ought to|good candidate|low risk)\b",
    re.IGNORECASE,
)
_OWN_VOICE = ("title", "message", "severity", "caveat")

# questions about what silence would bar: of a flag silence raises nothing, and two flags may well overlap
_OF_CRITERIA = frozenset(("uncoded", "presumed-barrier", "limits-disagree"))

Part = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class ParsedFlags:
    """A flag file as far as it could be read: without the flags and entries in which ``problems`` stand."""

    flags: FlagFile | None
    tree: Located
    problems: tuple[Problem, ...] = ()
    dropped: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class FlagText:
    """A flag file in the library: where it was read, under which name, and its bytes' digest."""

    file: FlagFile
    tree: Located
    path: Path
    name: str
    sha256: str
    shipped: bool


@dataclass(frozen=True)
class FlagLibrary:
    """Every flag by id, in the order of the files, with the file each stands in."""

    files: tuple[FlagText, ...] = ()
    rules: Mapping[str, FlagRule] = field(default_factory=dict)

    @classmethod
    def of(cls, files: Sequence[FlagText]) -> FlagLibrary:
        """A library of files whose ids are known to differ."""
        return cls(tuple(files), {rule.id: rule for text in files for rule in text.file.flags})

    def file_of(self, flag: str) -> FlagText:
        """The file a flag stands in; ``KeyError`` where there is none."""
        for text in self.files:
            if any(rule.id == flag for rule in text.file.flags):
                return text
        raise KeyError(flag)

    def digest(self) -> str:
        """``sha256:`` over the files, in order."""
        body = "".join(f"{text.sha256}\n" for text in self.files)
        return f"sha256:{hashlib.sha256(body.encode()).hexdigest()}"


def holds_flags(tree: Located) -> bool:
    """Whether a file is one of flags rather than of a trial or of definitions."""
    return isinstance(tree.data, Tree) and "flags" in tree.data and "trial" not in tree.data


# -- shape ---------------------------------------------------------------------------------------


def parse_flags(tree: Located) -> ParsedFlags:
    """Read a tree as a flag file and find every mistake of shape in it."""
    if not isinstance(tree.data, Tree):
        return ParsedFlags(None, tree, (tree.problem("wrong-type", "a flag file is a mapping", instead="begin with flags:"),))
    try:
        return ParsedFlags(FlagFile.model_validate(tree.data), tree)
    except ValidationError as error:
        problems = _diagnosed(error, tree)
        broken = {loc[:2] if loc[:1] in _PARTS else loc[:1] for one in error.errors(include_url=False) for loc in [one["loc"]]}
    reduced, dropped = _without(tree, broken)
    try:
        return ParsedFlags(FlagFile.model_validate(reduced.data), reduced, _ordered(problems), dropped)
    except ValidationError:
        # nothing is hidden by this: what is still wrong stands in parts that were reported above
        return ParsedFlags(None, reduced, _ordered(problems), dropped)


_PARTS = (("flags",), ("schedule",), ("lists",), ("derived",), ("definitions",))


def _diagnosed(error: ValidationError, tree: Located) -> list[Problem]:
    own = {one["msg"]: one["type"] for one in error.errors(include_url=False) if one["type"] in ADVICE}
    found = []
    for problem in diagnose(error, tree, FlagFile):
        code = own.get(problem.message) if problem.code == "wrong-type" else None
        found.append(problem if code is None else replace(problem, code=code, instead=ADVICE[code]))
    return found


def _without(tree: Located, parts: Iterable[Part]) -> tuple[Located, frozenset[str]]:
    """The tree less some parts, every other thing at its place, and the names of what was left out."""
    gone = set(parts)
    dropped = {str(part[1]) for part in gone if len(part) == 2 and part[0] != "flags"}
    data = Tree(tree.data.at)
    for key, value in tree.data.items():
        if (key,) in gone:
            continue
        kept: Any = value
        if isinstance(value, Tree):
            kept = Tree(value.at)
            for name, below in value.items():
                if (key, name) not in gone:
                    kept[name], kept.keys_at[name], kept.values_at[name] = below, value.keys_at[name], value.values_at[name]
        elif isinstance(value, Entries):
            kept = Entries(value.at)
            for i, below in enumerate(value):
                if (key, i) in gone:
                    dropped |= {str(below["id"])} if isinstance(below, Tree) and isinstance(below.get("id"), str) else set()
                else:
                    kept.append(below)
                    kept.items_at.append(value.items_at[i])
        data[key], data.keys_at[key], data.values_at[key] = kept, tree.data.keys_at[key], tree.data.values_at[key]
    return Located(data, tree.file, tree.text), frozenset(dropped)


def _ordered(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    unique = dict.fromkeys(problems)
    return tuple(sorted(unique, key=lambda one: (one.file or "", one.line or 0, one.column or 0, one.severity, one.code)))


# -- as criteria ---------------------------------------------------------------------------------

AS_TRIAL = "FLAGS"
"""The id of the trial that a flag file's statements are compiled and checked as."""


def as_trial(file: FlagFile) -> TrialFile:
    """The statements of a flag file as the exclusion list of a trial, so that plans and checks take them as they are.

    Nothing is excluded by it: only the truth of each statement is asked. Flags without a statement are left out.
    """
    # handed over as the words of a file, so that one model is built for it and not three: that takes longer than all the reading
    return TrialFile.model_validate(
        {
            "trial": {"id": AS_TRIAL, "title": "flags", "record": {"registry": "flags", "completeness": "metadata"}},
            "schedule": file.schedule,
            "horizon": file.horizon,
            "lists": file.lists,
            "derived": file.derived,
            "definitions": file.definitions,
            "exclusion": [
                {"id": rule.id, "text": rule.title, "source": rule.source.title, "when": rule.when, "answered": rule.answered}
                for rule in file.flags
                if rule.when is not None
            ],
        }
    )


def _as_located(tree: Located) -> Located:
    """The tree as the trial of :func:`as_trial` has it, every thing at its place in the file."""
    data = Tree(tree.data.at)
    for key, value in tree.data.items():
        name, kept = key, value
        if key == "flags" and isinstance(value, Entries):
            name, kept = "exclusion", Entries(value.at)
            for below, mark in zip(value, value.items_at, strict=True):
                if isinstance(below, Tree) and "when" in below:
                    kept.append(below)
                    kept.items_at.append(mark)
        data[name], data.keys_at[name], data.values_at[name] = kept, tree.data.keys_at[key], tree.data.values_at[key]
    return Located(data, tree.file, tree.text)


# -- checks --------------------------------------------------------------------------------------


def check_flags(
    file: FlagFile, tree: Located, names: Names, known: Mapping[str, FlagRule], dropped: frozenset[str] | None = None
) -> list[Problem]:
    """Everything wrong with one flag file whose flags may rest on those of ``known``, and its open questions."""
    from .checks import check  # checks knows the library, which knows this module

    trial = as_trial(file)
    problems = [_of_flag(one) for one in check(trial, names, _as_located(tree), dropped) if one.code not in _OF_CRITERIA]
    problems += resolve_flags(file, tree, names, known, dropped)
    for i, rule in enumerate(file.flags):
        problems += _spoken(i, rule, tree)
    return list(_ordered(problems))


def resolve_flags(
    file: FlagFile, tree: Located, names: Names, known: Mapping[str, FlagRule], dropped: frozenset[str] | None = None
) -> list[Problem]:
    """The names of a flag file that stand for nothing: what is asked of shipped files when they are loaded."""
    from .checks import resolve

    problems = [_of_flag(one) for one in resolve(as_trial(file), names, _as_located(tree), dropped)]
    for i, rule in enumerate(file.flags):
        problems += _names(i, rule, file, tree, names, {**known, **dict.fromkeys(dropped or (), rule)})
    return list(_ordered(problems))


def _of_flag(problem: Problem) -> Problem:
    """A problem of a statement, told of its flag."""
    if problem.where is None:
        return problem
    return replace(problem, where=re.sub(r"^criterion ", "flag ", problem.where))


def _names(i: int, rule: FlagRule, file: FlagFile, tree: Located, names: Names, known: Mapping[str, FlagRule]) -> Iterator[Problem]:
    where = f"flag {rule.id}"
    for word in ("all", "any", "none"):
        for j, name in enumerate(getattr(rule, word)):
            if name not in known:
                near = did_you_mean(name, known) or ADVICE["unknown-flag"]
                yield tree.problem("unknown-flag", f"there is no flag «{name}»", ("flags", i, word, j), where=where, instead=near)
    for j, name in enumerate(rule.show):
        if name not in names.vocabulary.concepts:
            near = names.vocabulary.near(name) or "show names concepts of the vocabulary"
            yield tree.problem("unknown-concept", f"there is no concept «{name}»", ("flags", i, "show", j), where=where, instead=near)
    if rule.score is not None:
        derived = file.derived.get(rule.score.value)
        if derived is None or derived.formula is None:
            near = did_you_mean(rule.score.value, file.derived) or ADVICE["unknown-score"]
            message = f"«{rule.score.value}» is no formula of this file"
            yield tree.problem("unknown-score", message, ("flags", i, "score", "value"), where=where, instead=near)
    for word, values in rule.product.asked() if rule.product is not None else ():
        for j, value in enumerate(values):
            allowed = PRODUCT_VALUES.get(word)
            if allowed is not None and value not in allowed:
                near = did_you_mean(value, allowed) or f"{word} is one of {', '.join(allowed)}"
                message = f"«{value}» is nothing that {word} can be"
                yield tree.problem("unknown-product", message, ("flags", i, "product", word, j), where=where, instead=near)


def _spoken(i: int, rule: FlagRule, tree: Located) -> Iterator[Problem]:
    """Words by which a flag would advise in its own voice."""
    said = [(word, getattr(rule, word)) for word in _OWN_VOICE]
    said += [(f"score.{word}", getattr(rule.score, word)) for word in ("cutoff", "limits") if rule.score is not None]
    for word, text in said:
        found = _ADVISES.search(text or "")
        if found is not None:
            loc: Part = ("flags", i, *word.split("."))
            message = f"«{found.group()}» is advice, or a verdict"
            yield tree.problem("advice", message, loc, where=f"flag {rule.id}", instead=ADVICE["advice"])


def check_together(files: Sequence[FlagText | tuple[FlagFile, Located]]) -> list[Problem]:
    """Flags of one id, and flags that rest on themselves, over all files together."""
    problems: list[Problem] = []
    places: dict[str, tuple[Located, int]] = {}
    rules: dict[str, FlagRule] = {}
    for one in files:
        file, tree = (one.file, one.tree) if isinstance(one, FlagText) else one
        for i, rule in enumerate(file.flags):
            if rule.id in rules:
                first = places[rule.id][0].file
                message = f"the flag {rule.id} stands already in {first}"
                problems.append(tree.problem("flag-twice", message, ("flags", i, "id"), instead=ADVICE["flag-twice"]))
                continue
            rules[rule.id], places[rule.id] = rule, (tree, i)
    rests_on = {name: rule.rests_on for name, rule in rules.items()}
    while (circle := find_circle(rests_on)) is not None:
        way, negated = circle
        tree, i = places[way[0]]
        through = ", through what it asks to be absent" if negated else ""
        message = f"the flag {way[0]} rests on itself{through}: {' -> '.join(way)}"
        problems.append(tree.problem("flag-circle", message, ("flags", i, "id"), instead=ADVICE["flag-circle"]))
        del rests_on[way[-2]]  # the circle is told; others are still to be found
    return problems


# -- the library ---------------------------------------------------------------------------------


def load_flags(paths: Iterable[tuple[Path, str, bool]], names: Names) -> FlagLibrary:
    """The flags of files, each given as path, the name its problems carry, and whether it is shipped.

    Every name is resolved; all checks run on the files a user gave. Raises :class:`RuleFileError` with
    every mistake of every file.
    """
    problems: list[Problem] = []
    texts: list[FlagText] = []
    dropped: dict[str, frozenset[str]] = {}
    for path, name, shipped in paths:
        try:
            tree = read_yaml_file(path, name)
        except RuleFileError as error:
            problems += error.problems
            continue
        parsed = parse_flags(tree)
        problems += parsed.problems
        if parsed.flags is not None:
            texts.append(FlagText(parsed.flags, parsed.tree, path, name, hashlib.sha256(tree.text.encode()).hexdigest(), shipped))
            dropped[name] = parsed.dropped
    lost = frozenset(one for names_ in dropped.values() for one in names_)
    known = {rule.id: rule for text in texts for rule in text.file.flags}
    for text in texts:
        judge = resolve_flags if text.shipped else check_flags
        left_out = lost or None
        problems += [one for one in judge(text.file, text.tree, names, known, left_out) if one.severity == "error"]
    problems += check_together(texts)
    if problems:
        raise RuleFileError(*_ordered(problems))
    return FlagLibrary.of(texts)


def check_flag_file(path: Path, names: Names, others: FlagLibrary, name: str | None = None) -> list[Problem]:
    """Everything wrong or questionable with one flag file beside the flags of a library. Raises nothing."""
    try:
        tree = read_yaml_file(path, name)
    except RuleFileError as error:
        return list(error.problems)
    parsed = parse_flags(tree)
    problems = list(parsed.problems)
    if parsed.flags is not None:
        beside = [text for text in others.files if text.path.resolve() != path.resolve()]
        known = {rule.id: rule for text in beside for rule in text.file.flags} | {rule.id: rule for rule in parsed.flags.flags}
        problems += check_flags(parsed.flags, parsed.tree, names, known, parsed.dropped if parsed.problems else None)
        problems += check_together([*beside, (parsed.flags, parsed.tree)])
    return list(_ordered(problems))
