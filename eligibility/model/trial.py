"""A rule file: one trial, its criteria, and what they rest on (LANGUAGE 3.7, 3.8, 4, 6; DESIGN 5)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from .criteria import Ask, Name, NamedList, Names, Node, NotPublished, Statement, Words, refuse
from .limits import Read
from .time import Duration

TRIAL_ID = re.compile(r"[A-Z0-9][A-Za-z0-9._-]*")


def _date(raw: object) -> dt.date:
    if isinstance(raw, dt.date) and not isinstance(raw, dt.datetime):
        return raw
    try:
        return dt.date.fromisoformat(raw if isinstance(raw, str) else "")
    except ValueError:
        raise refuse("not-a-date", "a date here is a whole day, such as 2026-08-22") from None


Date = Annotated[dt.date, Read(_date, {"type": "string", "format": "date"}, dt.date.isoformat)]


class Lymphodepletion(Node):
    """Chemotherapy before the cells."""

    status: Literal["required", "none", "unknown", "by-arm"]
    agents: Names = ()


class Product(Node):
    """What is given."""

    name: Words
    synonyms: Names = ()
    target: Names = ()
    cells: Literal["autologous", "allogeneic", "in-vivo", "unknown"] = "unknown"
    engineering: Words | None = None
    design: Names = Field((), description="mrna, integrating, switchable, dual-target, in-vivo, ipsc-derived ...")
    lymphodepletion: Lymphodepletion | None = None
    leukapheresis: Literal["required", "none", "unknown"] = "unknown"


class Recruitment(Node):
    """The registry's status, and the day it was read."""

    status: Literal[
        "recruiting",
        "not-yet-recruiting",
        "active-not-recruiting",
        "enrolling-by-invitation",
        "suspended",
        "terminated",
        "completed",
        "withdrawn",
        "unknown",
    ]
    as_of: Date | None = None


class Record(Node):
    """The public record the criteria were read from."""

    registry: Words
    date: Date | None = None
    completeness: Literal["full", "partial", "metadata"]
    url: Words | None = None


class Review(Node):
    """Whether somebody who did not write the file has read it."""

    status: Literal["draft", "reviewed"]
    by_role: Words | None = None
    date: Date | None = None


class TrialHeader(Node):
    """Who runs what, and which version of the criteria this is."""

    id: Name
    title: Words
    acronym: Words | None = None
    sponsor: Words | None = None
    phase: Words | None = None
    diseases: Names = Field((), description="Short names for --disease: ms, mg, sle, ln, sps, nmosd, iim, ssc ...")
    product: Product | None = None
    recruitment: Recruitment | None = None
    record: Record | None = None
    sources: Names = ()
    notes: Names = ()
    version: Words | None = None
    effective_from: Date | None = None
    supersedes: Words | None = None
    review: Review | None = None

    @model_validator(mode="after")
    def _id(self) -> Self:
        if not TRIAL_ID.fullmatch(self.id):
            raise refuse("not-a-trial-id", "a trial id is letters, digits, dots and dashes, such as NCT06193889")
        return self


class Visit(Node):
    """An anchor of the schedule. Whatever rests on ``assumed`` says so in its finding."""

    looks_back: Duration | None = Field(None, description="How old a result may be and still count for this visit.")
    on: Words | None = Field(None, description="A fixed distance from another visit: 21 days after screening.")
    between: tuple[Duration, Duration] | None = Field(
        None, description="Earliest and latest distance after `after` (screening if not said)."
    )
    after: Name | None = None
    basis: Literal["published", "assumed", "site"] = "published"
    answered: dict[str, str] = Field({}, description="Questions of rules check about it, by code, with the reason it stays as it is.")

    @model_validator(mode="after")
    def _checked(self) -> Self:
        if self.on is not None and self.between is not None:
            raise refuse("two-times", "a visit is on a day or between two: say one")
        if self.on is not None and _ON.fullmatch(self.on) is None:
            raise refuse("schedule", "write on: 21 days after screening")
        if self.after is not None and self.between is None:
            raise refuse("schedule", "after goes with between")
        return self

    def offset(self) -> tuple[Duration, Duration, str] | None:
        """Least and most distance after the named visit, or None where the day is not scheduled."""
        if self.on is not None and (match := _ON.fullmatch(self.on)):
            distance = Duration.parse(match["distance"])
            return distance, distance, match["visit"]
        if self.between is not None:
            return self.between[0], self.between[1], self.after or "screening"
        return None


_ON = re.compile(r"(?P<distance>\d+ [a-z]+) after (?P<visit>[a-z0-9-]+)")


class RatioPart(Node):
    """One side of a ratio: a measure, or a score summed over some items."""

    observation: Name
    only: Names | None = None
    without: Names | None = None


class Derived(Node):
    """A measurement computed from measurements: a ratio, or a named formula of the code."""

    ratio: tuple[RatioPart, RatioPart] | None = None
    same: Literal["day"] | None = None
    unit: Words | None = None
    formula: Name | None = None
    inputs_within: Duration | None = None
    basis: Literal["published", "assumed", "site"] = "published"
    answered: dict[str, str] = Field({}, description="Questions of rules check about it, by code, with the reason it stays as it is.")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.ratio is None) == (self.formula is None):
            raise refuse("derived", "a derived value is a ratio or a formula, one of them")
        return self


class Definition(Node):
    """A named statement that criteria meet."""

    text: Words
    when: Statement
    source: Words | None = None
    replaces: Literal["shared"] | None = None
    answered: dict[str, str] = Field({}, description="Questions of rules check about it, by code, with the reason it stays as it is.")


class Criterion(Node):
    """One published item, or a part of one (``part_of``)."""

    id: Name
    text: Words
    source: Words | None = None
    part_of: Name | None = None
    when: Statement | None = None
    ask: Words | None = None
    not_published: Words | None = None
    note: Words | None = None
    show: Names = ()
    valid_for: Duration | None = None
    applies_when: Statement | None = None
    unless: Statement | None = None
    answered: dict[str, str] = Field({}, description="Questions of rules check, by code, with the reason the file stays as it is.")

    @model_validator(mode="after")
    def _one_body(self) -> Self:
        said = [word for word in ("when", "ask", "not_published", "note") if getattr(self, word) is not None]
        if len(said) != 1:
            raise refuse("one-body", "a criterion says exactly one of when, ask, not_published and note")
        if (self.show or self.valid_for) and self.ask is None:
            raise refuse("show", "show and valid_for go with ask")
        if self.note is not None and (self.applies_when or self.unless):
            raise refuse("note", "a note asks nothing: it takes no applies_when and no unless")
        return self

    @property
    def statement(self) -> Node | None:
        """What the criterion asks as one statement; None for a note."""
        if self.when is not None:
            return self.when
        if self.ask is not None:
            return Ask(ask=self.ask, valid_for=self.valid_for, **({"show": self.show} if self.show else {}))
        if self.not_published is not None:
            return NotPublished(not_published=self.not_published)
        return None


class Arm(Node):
    """A disease or treatment arm with criteria of its own."""

    title: Words
    open: bool = True
    diseases: Names = ()
    inclusion: tuple[Criterion, ...] = ()
    exclusion: tuple[Criterion, ...] = ()

    @model_validator(mode="after")
    def _has_entries(self) -> Self:
        if not self.inclusion and not self.exclusion:
            raise refuse("empty-arm", "an arm without criteria: write one not_published where its list cannot be read")
        return self


class TrialFile(Node):
    """The whole of a rule file."""

    trial: TrialHeader
    schedule: dict[str, Visit] = {}
    horizon: Duration = Duration(26, "week")
    lists: dict[str, NamedList] = {}
    derived: dict[str, Derived] = {}
    definitions: dict[str, Definition] = {}
    arms: dict[str, Arm] = {}
    inclusion: tuple[Criterion, ...] = ()
    exclusion: tuple[Criterion, ...] = ()

    @property
    def id(self) -> str:
        """The trial's id."""
        return self.trial.id

    def criteria(self) -> Iterator[tuple[str | None, Literal["inclusion", "exclusion"], Criterion]]:
        """Every criterion with its arm (None: shared) and kind, in the order of the file."""
        for criterion in self.inclusion:
            yield None, "inclusion", criterion
        for criterion in self.exclusion:
            yield None, "exclusion", criterion
        for name, arm in self.arms.items():
            for criterion in arm.inclusion:
                yield name, "inclusion", criterion
            for criterion in arm.exclusion:
                yield name, "exclusion", criterion

    @model_validator(mode="after")
    def _unique(self) -> Self:
        seen: set[tuple[str | None, str]] = set()
        for arm, _, criterion in self.criteria():
            for scope in {arm, None}:
                if (scope, criterion.id) in seen:
                    raise refuse("twice", "the criterion id {id} stands twice", id=criterion.id)
            seen.add((arm, criterion.id))
        return self
