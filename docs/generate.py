"""Makes the pages and schemas that are generated, or checks that they are current.

Usage: ``python docs/generate.py`` writes them, ``python docs/generate.py --check`` names those that are stale and
exits with 1. Made are ``docs/concepts.md`` from the vocabulary, ``docs/language/patterns.md`` from
``tests/patterns/*.yaml``, ``docs/language/index.md`` from the pages beside it, and ``docs/schema/*.json`` from the models.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # run from a checkout, installed or not

from eligibility.language.phrasing import phrase_criterion  # noqa: E402
from eligibility.language.schema import SCHEMAS, schema_text  # noqa: E402
from eligibility.model.trial import Criterion, TrialFile  # noqa: E402
from eligibility.report.schema import screening_schema  # noqa: E402
from eligibility.vocabulary.catalogue import catalogue  # noqa: E402
from eligibility.vocabulary.loader import shipped  # noqa: E402
from eligibility.vocabulary.vocabulary import Vocabulary  # noqa: E402

PAGES = ROOT / "docs" / "language"
PATTERNS = ROOT / "tests" / "patterns"
KINDS = ("computable", "part", "question", "not_published", "note")
PARTS = {"part1.yaml": "Part 1: neurology", "part2.yaml": "Part 2: rheumatology"}
ANSWERS = ("true", "false", "unknown")


# -- patterns ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Example:
    """One executed record of a pattern: what it says, and what is to come out.

    ``answers`` are truths by criterion (``X`` where the pattern is one rule), ``trial id/criterion`` or
    ``trial id/arm/criterion`` where it is several; ``status`` is of a trial, or ``trial/arm``.
    """

    answers: Mapping[str, str]
    status: Mapping[str, str]
    record: Any
    why: str
    on: str | None
    anchors: Mapping[str, str]
    site: Mapping[str, Any] | None
    attested: tuple[Mapping[str, str], ...]
    given: str


@dataclass(frozen=True)
class Pattern:
    """A construct of published criteria, how the language says it, and records that show what that means."""

    id: str
    title: str
    seen: str
    kind: str
    rule: str
    criterion: str | None
    file: str
    trials: Mapping[str, str]
    versions: tuple[str, ...]
    examples: tuple[Example, ...]

    @property
    def number(self) -> tuple[int, int]:
        """Part and number, to sort by."""
        part, number = self.id.split(".")
        return int(part), int(number)

    def words(self) -> dict[str, Any]:
        """A pattern of one rule as the words of a rule file with the criterion ``X``."""
        body: Any = _plain(self.rule)
        if self.criterion is None:
            body = {"when": body} if not body.keys() & {"ask", "not_published", "note"} else body
        criterion = {"id": "X", "text": self.title, **body}
        return {**(_plain(self.file) or {}), self.criterion or "inclusion": [criterion]}


_KEYS = {"id", "title", "seen", "kind", "rule", "criterion", "file", "trials", "versions", "anchors", "records"}
_RECORD_KEYS = {"answer", "answers_by", "status", "record", "why", "on", "anchors", "site", "answers"}


def _plain(text: str) -> Any:
    return yaml.load(text, Loader=yaml.BaseLoader)


def read_patterns(folder: Path = PATTERNS) -> tuple[Pattern, ...]:
    """The patterns of the files of a folder, in the order of their numbers.

    Raises ``ValueError`` naming the pattern for a key that none has, and for a number given twice.
    """
    found: dict[str, Pattern] = {}
    for path in sorted(folder.glob("part*.yaml")):
        for entry in _plain(path.read_text(encoding="utf-8")):
            strange = set(entry) - _KEYS | {key for record in entry["records"] for key in set(record) - _RECORD_KEYS}
            if strange or entry["id"] in found or entry["kind"] not in KINDS:
                raise ValueError(f"pattern {entry['id']}: {', '.join(sorted(strange)) or 'number given twice, or a kind there is not'}")
            found[entry["id"]] = _pattern(entry)
    return tuple(sorted(found.values(), key=lambda pattern: pattern.number))


def _pattern(entry: Mapping[str, Any]) -> Pattern:
    return Pattern(
        entry["id"],
        entry["title"],
        entry["seen"],
        entry["kind"],
        entry.get("rule", ""),
        entry.get("criterion"),
        entry.get("file", ""),
        entry.get("trials", {}),
        tuple(entry.get("versions", ())),
        tuple(_example(record, entry.get("anchors", {})) for record in entry["records"]),
    )


def _example(record: Mapping[str, Any], anchors: Mapping[str, str]) -> Example:
    answers = {"X": record["answer"]} if "answer" in record else {}
    for trial, by in record.get("answers_by", {}).items():
        answers.update({f"{trial}/{criterion}": answer for criterion, answer in by.items()})
    own = record.get("anchors", anchors)
    given = [f"on {record['on']}"] if "on" in record else []
    given += [f"{name} {day}" for name, day in own.items()]
    given += [f"site {flow(record['site'])}"] if "site" in record else []
    given += [f"question {one.get('leaf', '1')} answered {one['answer']}" for one in record.get("answers", ())]
    return Example(
        answers,
        record.get("status", {}),
        record["record"],
        record["why"],
        record.get("on"),
        own,
        record.get("site"),
        tuple(record.get("answers", ())),
        ", ".join(given),
    )


_SAFE = re.compile(r"[A-Za-z0-9_.+/(-][^,\[\]{}#\"']*")


def flow(node: Any) -> str:
    """Data as YAML on one line, with quotes only where YAML needs them.

    >>> flow({"conditions": [{"concept": "sle", "start": "2018"}]})
    '{conditions: [{concept: sle, start: 2018}]}'
    """
    if isinstance(node, dict):
        return f"{{{', '.join(f'{key}: {flow(below)}' for key, below in node.items())}}}"
    if isinstance(node, list):
        return f"[{', '.join(flow(below) for below in node)}]"
    text = str(node)
    return text if _SAFE.fullmatch(text) and ": " not in text and not text.endswith((":", " ")) else json.dumps(text, ensure_ascii=False)


# -- the page of patterns ------------------------------------------------------------------------

_HEAD = """\
# The constructs of published criteria

This page is made from `tests/patterns/` by `python docs/generate.py`. Do not edit it.

Reading the eligibility lists of 79 trials gave 95 kinds of demand. Each has one row here: how the rule language says it, and
records for which it comes out true, false and unknown. Every record is executed by the tests, on the screening date 2026-11-01
unless the row says another. *Computable*: a record can answer it. *Part*: a record can answer some of it, the rest is for a
person. *Question*, *not published*, *note*: shown, and not answered by a record.

True and false are answers that every record in agreement with what is written would give. They are *presumed* where only
silence gives them: nothing is recorded, and it is taken as absent. Most records below state absence (a list said to be
complete), so that the strict answer is seen.

"""


def patterns_page(patterns: tuple[Pattern, ...], vocabulary: Vocabulary) -> str:
    """``docs/language/patterns.md``: a table with one row a construct, and below it each construct in full."""
    lines = [_HEAD + "| construct | | kind | executed records |", "|---|---|---|---|"]
    lines += [_row(pattern) for pattern in patterns]
    part = 0
    for pattern in patterns:
        if pattern.number[0] != part:
            part = pattern.number[0]
            lines += ["", f"## {list(PARTS.values())[part - 1]}"]
        lines += ["", *_section(pattern, vocabulary)]
    return "\n".join(lines) + "\n"


def _row(pattern: Pattern) -> str:
    anchor = f"{pattern.id.replace('.', '')}-{re.sub(r'[^a-z0-9 -]', '', pattern.title.lower()).replace(' ', '-')}"
    shown = "<br>".join(f"{_brief(example)}: {example.why}" for example in pattern.examples)
    return f"| [{pattern.id}](#{anchor}) | {pattern.title} | {pattern.kind.replace('_', ' ')} | {shown} |"


def _brief(example: Example) -> str:
    words = list(dict.fromkeys(answer.partition(":")[0] for answer in example.answers.values()))
    return f"**{', '.join(words)}**"


def _section(pattern: Pattern, vocabulary: Vocabulary) -> Iterator[str]:
    yield f"### {pattern.id} {pattern.title}"
    yield ""
    yield f"Seen in {pattern.seen}. {pattern.kind.replace('_', ' ').capitalize()}."
    yield ""
    blocks = [("", pattern.file), (f", {pattern.criterion}" if pattern.criterion else "", pattern.rule)]
    blocks += [(f", trial {name}", text) for name, text in pattern.trials.items()]
    blocks += [(f", version {number}", text) for number, text in enumerate(pattern.versions, 1)]
    for about, text in blocks:
        if text:
            yield f"```yaml{about and '  # ' + about[2:]}\n{text.rstrip()}\n```"
    if pattern.rule and not pattern.trials:
        trial = TrialFile.model_validate({"trial": {"id": "T1", "title": "An example"}, **pattern.words()})
        criterion: Criterion = (*trial.inclusion, *trial.exclusion)[0]
        kind: Any = pattern.criterion or "inclusion"
        sentence = phrase_criterion(criterion, vocabulary, kind=kind, trial=trial)
        yield ""
        yield f"In words: {sentence}"
    yield ""
    yield "| record | answer | why |"
    yield "|---|---|---|"
    for example in pattern.examples:
        record = f"`{_cell(flow(example.record))}`" + (f"<br>{_cell(example.given)}" if example.given else "")
        yield f"| {record} | {_answers(example)} | {_cell(example.why)} |"


def _answers(example: Example) -> str:
    said = [answer if name == "X" else f"{name} {answer}" for name, answer in example.answers.items()]
    said += [f"{name} *{status.replace('_', ' ')}*" for name, status in example.status.items()]
    return _cell("<br>".join(said))


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


# -- the index -----------------------------------------------------------------------------------

_INDEX = """\
# The rule language

This page is made from the pages beside it by `python docs/generate.py`. Do not edit it.

A rule file says each criterion of a trial as a statement about facts of a record. One shape does for nearly all of them:
*whose facts, when, which of them, how chosen, what is asked*. Start with [reading a rule](reading.md); every other page takes one
word, says why it is there, and shows it on small records. All examples are executed by the tests.

"""


ORDER = {
    "Begin here": "reading silence statuses patterns checks",
    "Whose facts": "subjects lists items age sex site",
    "When": "ever now at within ago before-after while fact-anchors",
    "Which of them": "where except documented planned if-not-recorded",
    "How chosen": "any every latest count rise-and-fall unchanged",
    "What is asked": "limits uln titres classes is outcome lasting started-ended dose route-and-grade",
    "Logic and questions": "logic at-least-of readings definitions ask not-published note attestations",
    "The criterion and the file": "applies-when arms schedule derived trial",
}
"""The pages in the order a newcomer reads them; a page that is not here stands at the end."""


def index_page(folder: Path = PAGES) -> str:
    """``docs/language/index.md``: every page with what it is about, and every word with its pages."""
    pages = {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.md")) if path.name != "index.md"}
    placed = {name for names in ORDER.values() for name in names.split()}
    groups = {**ORDER, "More": " ".join(name for name in pages if name not in placed)}
    lines = [_INDEX.rstrip()]
    for group, names in groups.items():
        there = [name for name in names.split() if name in pages]
        if there:
            lines += ["", f"## {group}", "", "| page | |", "|---|---|"]
            lines += [f"| [{_title(pages[name])}]({name}.md) | {_first(pages[name])} |" for name in there]
    lines += ["", "## Words", "", "| word | shown on |", "|---|---|"]
    words: dict[str, list[str]] = {}
    for name, text in pages.items():
        match = re.search(r"^Words: (?P<words>.+)$", text, re.M)
        for word in re.findall(r"`([^`]+)`", match["words"]) if match else ():
            words.setdefault(word, []).append(f"[{_title(text)}]({name}.md)")
    lines += [f"| `{word}` | {', '.join(words[word])} |" for word in sorted(words)]
    return "\n".join(lines) + "\n"


def _title(text: str) -> str:
    return text.split("\n", 1)[0].removeprefix("# ").strip()


def _first(text: str) -> str:
    """The first sentence of a page."""
    body = text.split("\n", 1)[1].strip()
    paragraph = next(part for part in body.split("\n\n") if not part.startswith(("Words:", "This page is made", "*", "#", "|")))
    return re.split(r"(?<=[.?])\s", " ".join(paragraph.split()), maxsplit=1)[0]


# -- all of it -----------------------------------------------------------------------------------


def generated() -> Iterator[tuple[Path, str]]:
    """Every generated file with what it is to hold. The index comes last: it reads the other pages."""
    vocabulary = shipped()
    yield ROOT / "docs" / "concepts.md", catalogue(vocabulary)
    yield PAGES / "patterns.md", patterns_page(read_patterns(), vocabulary)
    yield PAGES / "index.md", index_page()
    for name in SCHEMAS:
        yield ROOT / "docs" / "schema" / f"{name}.json", schema_text(name)
    screening = json.dumps(screening_schema(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    yield ROOT / "docs" / "schema" / "screening.json", screening


def stale() -> list[str]:
    """The generated files that are missing or hold something else, as paths from the root."""
    return [
        path.relative_to(ROOT).as_posix() for path, text in generated() if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]


def main(arguments: list[str]) -> int:
    """Write the generated files, or with ``--check`` name the stale ones; 2 for anything else."""
    if arguments == ["--check"]:
        found = stale()
        for name in found:
            print(f"{name} is stale: run python docs/generate.py")
        return 1 if found else 0
    if arguments:
        print("usage: python docs/generate.py [--check]", file=sys.stderr)
        return 2
    for path, text in generated():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
