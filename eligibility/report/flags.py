"""Flags in words and as JSON: why, by which chain, by which source, of whom, and what was missing (MEANING 10, 11).

A flag says what a source lists and what the record shows. Its message, severity and caveat come from the
flag file, which may not advise; titles of sources are quoted. Flags that are raised come before those
not known, and a report says that no flag is not no risk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ..model.finding import Evidence, Finding
from ..model.flag import AXES, FlagFinding, FlagLink, FlagRule, FlagSource, ProductFact, Score
from ..model.quantity import Interval, say
from ..model.truth import FALSE, PRESUMED_FALSE, PRESUMED_TRUE, TRUE, UNKNOWN
from .words import Words, plural

NO_FLAG = (
    "Flags say what published sources list and change nothing above. No flag raised does not mean no risk: "
    "sources are few, most evidence is of other diseases, and a record is silent on much."
)
"""Stands with every report of flags, above all with one that has none."""

AXIS = {"risk": "risk", "benefit": "benefit", "logistics": "logistics"}

POPULATION = {
    "autoimmune": "autoimmune disease",
    "oncology": "cancer",
    "transplant": "stem-cell transplantation, an analogue",
}

_PRODUCT = {
    "target": "target",
    "cells": "cells",
    "engineering": "engineering",
    "design": "design",
    "lymphodepletion": "lymphodepletion",
    "agents": "drugs of the lymphodepletion",
    "leukapheresis": "leukapheresis",
    "disease": "diseases",
}


_STANDS = {
    TRUE: "",
    PRESUMED_TRUE: "holds only if silence is absence",
    UNKNOWN: "is not known",
    PRESUMED_FALSE: "is ruled out by silence alone",
    FALSE: "is ruled out",
}


def population(rule: FlagRule) -> str:
    """Whom the evidence is of."""
    return " and ".join(POPULATION[one] for one in rule.population)


def cited(source: FlagSource) -> str:
    """A source, its title quoted since it is not our voice."""
    year = f", {source.year}" if source.year is not None else ""
    return f'"{source.title}"{year}'


def product(fact: ProductFact) -> str:
    """One thing asked of the trial's product, as its rule file answers it."""
    word = _PRODUCT[fact.word]
    if fact.said is None:
        return f"the trial's rule file does not say this of its product: {word}"
    if fact.truth is UNKNOWN:
        return f"the trial's rule file leaves open whether its {word} is {' or '.join(fact.wanted)}: {fact.said}"
    return f"the trial's rule file says of its product: {word} {fact.said}"


def link(one: FlagLink) -> str:
    """Another flag that it rests on."""
    return f"flag {one.flag} {_STANDS[one.truth]}: {one.title}".replace("  ", " ").replace(" :", ":")


def score(shown: Score, words: Words) -> list[str]:
    """A published score: value, inputs, cut-off, limits, or the inputs that are missing."""
    name = words.label(shown.name)
    said: list[str] = []
    if shown.value is not None:
        how = "reported" if shown.reported else "computed"
        said.append(f"{name} {number(shown.value)} ({how})")
    else:
        said.append(f"{name} cannot be computed")
    for one in shown.inputs:
        if one.concept not in shown.missing:
            said += [f"input: {words.evidence(evidence)}" for evidence in one.evidence]
    said += [f"missing input: {words.label(concept)}" for concept in shown.missing]
    said.append(f"formula: {shown.source}")
    said.append(f"cut-off: {shown.cutoff}")
    said.append(f"limits: {shown.limits}")
    return said


def number(value: Interval) -> str:
    """A value known to an interval.

    >>> number(Interval(1.0, 2.5))
    '1 to 2.5'
    """
    low, high = (f"{end:.4g}" if end not in (float("inf"), float("-inf")) else say(end) for end in (value.lo, value.hi))
    return low if low == high else f"{low} to {high}"


def missing(flag: FlagFinding, words: Words) -> list[str]:
    """What is not known: of the record, of the product, of other flags. Of a raised flag, what else is not."""
    said: dict[str, None] = {}
    if flag.finding is not None:
        if flag.state == "unknown":
            said |= dict.fromkeys(words.why(flag.finding))
        for leaf in _open_leaves(flag.finding):
            said |= dict.fromkeys(words.why(leaf))
    said |= dict.fromkeys(product(fact) for fact in flag.product if fact.truth is UNKNOWN)
    if flag.score is not None:
        said |= dict.fromkeys(f"nothing recorded in time of {words.label(concept)}" for concept in flag.score.missing)
    said |= dict.fromkeys(link(one) for one in flag.links if one.truth not in (TRUE, FALSE))
    return list(said)


def _open_leaves(finding: Finding) -> Iterator[Finding]:
    """The answers without operands below one that are not strictly known."""
    if finding.clauses:
        for below in finding.clauses:
            yield from _open_leaves(below)
    elif finding.truth not in (TRUE, FALSE):
        yield finding


def facts(flag: FlagFinding, words: Words) -> list[tuple[str, Evidence]]:
    """The entries that raise a flag, each as the chart shows it."""
    if flag.state != "raised" or flag.finding is None:
        return []
    return [(words.evidence(one), one) for one in flag.finding.evidence]


def by_axis(flags: Sequence[FlagFinding], state: str) -> Iterator[tuple[str, list[FlagFinding]]]:
    """The flags of a state by axis, each with those that rest on others after those they rest on."""
    for axis in AXES:
        listed = [flag for flag in flags if flag.rule.axis == axis and flag.state == state]
        if listed:
            yield axis, sorted(listed, key=lambda flag: flag.depth)


def chain(flag: FlagFinding, by_id: Mapping[str, FlagFinding], words: Words) -> Iterator[tuple[int, str]]:
    """Why a flag is raised, down to the entries of the record: lines with how deep each stands.

    A flag met before on the way is named and not told again.
    """
    told: set[str] = set()

    def tell(one: FlagFinding, depth: int) -> Iterator[tuple[int, str]]:
        told.add(one.id)
        for text, _ in facts(one, words):
            yield depth, f"record: {text}"
        for fact in one.product:
            yield depth, f"product: {product(fact)}"
        for other in one.links:
            yield depth, link(other)
            below = by_id.get(other.flag)
            if other.holds and below is not None and below.id not in told:
                yield from tell(below, depth + 1)

    yield from tell(flag, 0)


# -- JSON ----------------------------------------------------------------------------------------


class FlagsJson:
    """Flags as plain values; one that is the same beside another trial is made once."""

    def __init__(
        self,
        words: Words,
        evidence: Callable[[Evidence], dict[str, Any]],
        needs: Callable[[Any, Any, Words], list[Any]],
    ) -> None:
        self._words = words
        self._evidence = evidence
        self._needs = needs
        self._known: dict[int, tuple[FlagFinding, dict[str, Any]]] = {}

    def of(self, flags: Sequence[FlagFinding]) -> list[dict[str, Any]]:
        """The flags of one patient and trial, in the order of the files."""
        said = []
        for flag in flags:
            known = self._known.get(id(flag))
            if known is None:
                # the flag is held, so that its id stays its own
                known = self._known[id(flag)] = (flag, self._one(flag))
            said.append(known[1])
        return said

    def _one(self, flag: FlagFinding) -> dict[str, Any]:
        rule, words = flag.rule, self._words
        because: list[dict[str, Any]] = [{"fact": text, "evidence": self._evidence(one)} for text, one in facts(flag, words)]
        if flag.state == "raised":
            because += [{"product": fact.word, "says": fact.said} for fact in flag.product]
            because += [{"flag": one.flag} if one.holds else {"not": one.flag} for one in flag.links]
        return {
            "id": flag.id,
            "axis": rule.axis,
            "state": flag.state,
            "severity": rule.severity,
            "title": rule.title,
            "message": rule.message,
            "because": because,
            "depth": flag.depth,
            "population": ", ".join(rule.population),
            "evidence": rule.evidence,
            "source": _source(rule.source),
            "sources": [_source(one) for one in rule.sources],
            "caveat": rule.caveat,
            "missing": missing(flag, words),
            "settled_by": self._needs(flag.finding, flag.finding.needs, words) if flag.finding is not None else [],
            "score": None if flag.score is None else self._score(flag.score),
            "shown": [{"text": words.evidence(one), "evidence": self._evidence(one)} for one in flag.shown],
        }

    def _score(self, shown: Score) -> dict[str, Any]:
        value = shown.value
        return {
            "name": shown.name,
            "formula": shown.formula,
            "formula_source": shown.source,
            "value": None
            if value is None
            else {"low": _finite(value.lo), "high": _finite(value.hi), "unit": shown.unit, "text": number(value)},
            "reported": shown.reported,
            "inputs": [
                {"concept": one.concept, "evidence": [self._evidence(evidence) for evidence in one.evidence]} for one in shown.inputs
            ],
            "missing": list(shown.missing),
            "cutoff": shown.cutoff,
            "limits": shown.limits,
        }


def _source(source: FlagSource) -> dict[str, Any]:
    return {"title": source.title, "year": source.year, "url": source.url}


def _finite(value: float) -> float | None:
    return value if abs(value) != float("inf") else None


# -- text ----------------------------------------------------------------------------------------


def counted(flags: Sequence[FlagFinding]) -> str:
    """How many flags are raised on each axis and how many are not known.

    >>> counted(())
    'no flag raised'
    """
    raised = [f"{len(listed)} {axis}" for axis, listed in by_axis(flags, "raised")]
    unknown = sum(flag.state == "unknown" for flag in flags)
    said = f"{plural(sum(flag.state == 'raised' for flag in flags), 'flag')} raised ({', '.join(raised)})" if raised else "no flag raised"
    return said + (f", {unknown} not known" if unknown else "")


class FlagPage:
    """Flags as lines of text: ``write`` sets a paragraph with a beginning and an indent."""

    def __init__(self, words: Words, write: Callable[[str, str], None], head: Callable[[str], None]) -> None:
        self._words = words
        self._write = write
        self._head = head

    def short(self, flags: Sequence[FlagFinding], listed: bool) -> None:
        """What is raised, by axis, each with why and by which source; what is not known by name alone.

        Unless ``listed``, only which flags are raised.
        """
        self._head("  Flags: what published sources list")
        if not any(flag.state == "raised" for flag in flags):
            self._write("none raised", "    ")
        by_id = {flag.id: flag for flag in flags}
        for axis, raised in by_axis(flags, "raised"):
            if not listed:
                self._write(", ".join(flag.id for flag in raised), f"    {axis + ':':<11}")
                continue
            self._write(axis, "    ")
            alone = [flag for flag in raised if flag.finding is None and not flag.links]
            for flag in raised:
                if flag not in alone:
                    self._write(f"{flag.rule.title} ({flag.id})", "      + ")
                    self._because(flag, by_id, 10, deep=False)
                    self._write(f"{cited(flag.rule.source)}; evidence in {population(flag.rule)}", " " * 10 + "source   ")
            if alone:
                self._write(f"the product: {'; '.join(flag.rule.title for flag in alone)}", "      + ")
        unknown = [flag.id for flag in flags if flag.state == "unknown"]
        if unknown:
            named = f": {', '.join(unknown)}" if listed else " (explain says what is missing)"
            self._write(f"{len(unknown)} not known{named}", "    ")

    def full(self, flags: Sequence[FlagFinding]) -> None:
        """Everything of every flag that is raised or not known."""
        by_id = {flag.id: flag for flag in flags}
        for state, title in (("raised", "Flags raised"), ("unknown", "Flags not known, and what is missing")):
            for axis, listed in by_axis(flags, state):
                self._head(f"{title}: {axis}")
                for flag in listed:
                    self._flag(flag, by_id)

    def _flag(self, flag: FlagFinding, by_id: Mapping[str, FlagFinding]) -> None:
        rule, words = flag.rule, self._words
        self._head(f"{flag.id}: {rule.title}")
        if flag.state == "raised":
            self._write(rule.message, "    lists    ")
            self._write(rule.severity, "    graded   ")
            self._because(flag, by_id, 4, deep=True)
        for text in missing(flag, words):
            self._write(text, "    missing  ")
        if flag.score is not None:
            for text in score(flag.score, words):
                self._write(text, "    score    ")
        for one in flag.shown:
            self._write(words.evidence(one), "    shown    ")
        if flag.state == "raised":
            for source in (rule.source, *rule.sources):
                self._write(cited(source) + (f" <{source.url}>" if source.url else ""), "    source   ")
            if rule.caveat:
                self._write(rule.caveat, "    caveat   ")
        self._write(f"{rule.evidence}, in {population(rule)}", "    evidence ")

    def _because(self, flag: FlagFinding, by_id: Mapping[str, FlagFinding], indent: int, deep: bool) -> None:
        for depth, text in chain(flag, by_id, self._words):
            if deep or not depth:
                label = "because  " if not depth else "         "
                self._write(text, " " * indent + label + "  " * depth)


__all__ = [
    "AXIS",
    "NO_FLAG",
    "FlagPage",
    "FlagsJson",
    "by_axis",
    "chain",
    "cited",
    "counted",
    "facts",
    "link",
    "missing",
    "number",
    "population",
    "product",
    "score",
]
