"""Flags as rules: the list of them by axis, and one with all that raises it, in English beside its source."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import orjson

from ..language.flag_files import FlagLibrary
from ..model.criteria import Node
from ..model.flag import AXES, FlagRule
from .flags import AXIS, cited, population
from .text import PLAIN, WIDTH, Ink, clean
from .words import plural

_ASKED = {
    "target": "target",
    "cells": "cells",
    "engineering": "engineering begins with",
    "design": "design",
    "lymphodepletion": "lymphodepletion",
    "agents": "a drug of the lymphodepletion",
    "leukapheresis": "leukapheresis",
    "disease": "a disease of the trial",
}


def listing(flags: FlagLibrary, *, width: int = WIDTH, ink: Ink = PLAIN) -> str:
    """Every flag by axis with its title; those that rest on other flags are marked."""
    derived = sum(rule.derived for rule in flags.rules.values())
    lines = [f"{plural(len(flags.rules), 'flag')}, {derived} of them resting on other flags (marked *)."]
    for axis in AXES:
        rules = [rule for rule in flags.rules.values() if rule.axis == axis]
        if rules:
            lines += ["", ink.bold(AXIS[axis])]
        for rule in rules:
            start = f"  {'*' if rule.derived else ' '} {rule.id}"
            lines.append(start)
            lines += textwrap.wrap(clean(rule.title), width, initial_indent="      ", subsequent_indent="      ")
    return "\n".join(lines) + "\n"


def listing_json(flags: FlagLibrary) -> bytes:
    """The same as JSON."""
    listed = [
        {
            "id": rule.id,
            "axis": rule.axis,
            "title": rule.title,
            "severity": rule.severity,
            "population": list(rule.population),
            "derived": rule.derived,
            "source": _source(rule.source),
        }
        for rule in flags.rules.values()
    ]
    return orjson.dumps({"flags": listed}, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def shown(flag: str, flags: FlagLibrary, phrase: Callable[[Node], str], *, width: int = WIDTH, ink: Ink = PLAIN) -> str:
    """One flag: what it says, what raises it down to statements, by which sources, and what rests on it."""
    rule = flags.rules[flag]
    lines = [ink.bold(line) for line in textwrap.wrap(f"{rule.id}  {rule.title}", width)]

    def item(label: str, text: str, indent: int = 2) -> None:
        start = " " * indent + label.ljust(12)
        lines.extend(
            textwrap.wrap(
                clean(text),
                width,
                initial_indent=start,
                subsequent_indent=" " * len(start),
                break_on_hyphens=False,
                break_long_words=False,
            )
        )

    item("axis", AXIS[rule.axis])
    item("lists", rule.message)
    item("graded", rule.severity)
    item("evidence", f"{rule.evidence}, in {population(rule)}")
    for source in (rule.source, *rule.sources):
        item("source", cited(source) + (f" <{source.url}>" if source.url else ""))
    if rule.caveat:
        item("caveat", rule.caveat)
    if rule.score is not None:
        item("score", f"{rule.score.value}; {rule.score.cutoff}; {rule.score.limits}")
    if rule.show:
        item("shows", ", ".join(rule.show))
    lines += ["", ink.bold("Raised if")]
    for depth, label, text in _raises(rule, flags.rules, phrase):
        item(label, text, 2 + 2 * depth)
    above = [other.id for other in flags.rules.values() if any(name == flag for name, _ in other.rests_on)]
    if above:
        lines += ["", ink.bold("What rests on it")]
        item("flags", ", ".join(above))
    lines += ["", "A flag is raised only where all this is known to hold; silence raises nothing."]
    return "\n".join(lines) + "\n"


def _raises(rule: FlagRule, rules: Mapping[str, FlagRule], phrase: Callable[[Node], str]) -> Iterator[tuple[int, str, str]]:
    """What raises a flag, and below each flag it rests on what raises that; one met before is named only."""
    told: set[str] = set()

    def tell(one: FlagRule, depth: int) -> Iterator[tuple[int, str, str]]:
        told.add(one.id)
        if one.when is not None:
            yield depth, "record", phrase(one.when)
        for word, values in one.product.asked() if one.product is not None else ():
            yield depth, "product", f"{_ASKED[word]} {' or '.join(values)}"
        for label, names in (("all of", one.all), ("one of", one.any), ("none of", one.none)):
            for name in names:
                other = rules[name]
                yield depth, label, f"{name}: {other.title}"
                if name not in told:
                    yield from tell(other, depth + 1)

    yield from tell(rule, 0)


def shown_json(flag: str, flags: FlagLibrary, phrase: Callable[[Node], str]) -> bytes:
    """One flag as JSON: the rule itself, its English, and what rests on it."""
    rule = flags.rules[flag]
    document: dict[str, Any] = {
        "flag": rule.model_dump(mode="json", by_alias=True, exclude_defaults=True),
        "english": phrase(rule.when) if rule.when is not None else None,
        "file": flags.file_of(flag).name,
        "derived": rule.derived,
        "rests_on": [{"flag": name, "holds": not negated} for name, negated in rule.rests_on],
        "above": [other.id for other in flags.rules.values() if any(name == flag for name, _ in other.rests_on)],
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _source(source: Any) -> dict[str, Any]:
    return {"title": source.title, "year": source.year, "url": source.url}
