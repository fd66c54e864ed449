"""The rule language as a tree of frozen nodes, checked when built (LANGUAGE 1 to 6).

Every field is a word of the language, so the model *is* the schema of rule files: a file parses into
these nodes or is refused, and the engine never checks again. What needs the vocabulary (is there
such a concept, does it have a unit) is checked by ``eligibility.language.checks``.

One shape: *whose facts, when, which of them, how chosen, what is asked*::

    {observation: edss, at: screening, latest: {from: 3.0, to: 6.5}}
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    model_validator,
)
from pydantic_core import PydanticCustomError

from .limits import ClassName, DurationField, DurationLimit, Limit, LimitField, Measure, Read
from .patient import FAMILIES, Family, Outcome
from .time import Duration


class Node(BaseModel):
    """Base of the tree: frozen, no unknown words, the language's own names (``from``, ``is``)."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, defer_build=True)  # built once, by the first file read


def refuse(code: str, message: str, **context: Any) -> PydanticCustomError:
    """An error of the language with a stable code, for ``language/diagnostics.py`` to place."""
    return PydanticCustomError(code, message, context or None)


def _true(raw: object) -> bool:
    if raw is True or raw == "true":
        return True
    raise refuse("not-true", "this word is said or left out: write true")


Said = Annotated[bool, Read(_true, {"enum": ["true", True]})]


def _name(raw: object) -> str:
    if not isinstance(raw, str) or not raw.strip():
        raise refuse("not-a-name", "a name is expected here, such as edss")
    return raw.strip()


Name = Annotated[str, Read(_name, {"type": "string"})]


def _words(raw: object) -> str:
    if not isinstance(raw, str) or not raw.strip():
        raise refuse("not-a-text", "a text is expected here")
    return raw.strip()


Words = Annotated[str, Read(_words, {"type": "string"})]


def _names(raw: object) -> tuple[str, ...]:
    if isinstance(raw, list | tuple):
        if not raw:
            raise refuse("empty-list", "a list without entries asks nothing")
        return tuple(_name(one) for one in raw)
    return (_name(raw),)


Names = Annotated[
    tuple[str, ...],
    Read(_names, {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}, list),
]

Subject: TypeAlias = str | tuple["Subject", ...]
"""A concept or list name, or a list of entries; an entry may be a list that counts as one."""


def parse_subject(raw: object, depth: int = 0) -> Subject:
    """Read whose facts are asked for."""
    if isinstance(raw, list | tuple):
        if not raw:
            raise refuse("empty-list", "a list without entries asks nothing")
        if depth > 1:
            raise refuse("nested-list", "a list may hold lists, and those hold names only")
        return tuple(parse_subject(one, depth + 1) for one in raw)
    return _name(raw)


_SUBJECT_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": "string"},
        {"type": "array", "minItems": 1, "items": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}},
    ]
}
# Any, since pydantic cannot follow the recursive alias; parse_subject is what holds the type
SubjectField = Annotated[Any, Read(lambda raw: parse_subject(raw), _SUBJECT_SCHEMA)]


def _entries(raw: object) -> tuple[Subject, ...]:
    if not isinstance(raw, list | tuple):
        raise refuse("not-a-list", "a named list is a list of concepts")
    if not raw:
        raise refuse("empty-list", "a list without entries asks nothing")
    return tuple(parse_subject(one, 1) for one in raw)


# Any as above: a tuple of entries, each a name or a list of names
NamedList = Annotated[Any, Read(_entries, {"type": "array", "minItems": 1})]


def _count(raw: object) -> int:
    text = str(raw).strip() if isinstance(raw, str | int) and not isinstance(raw, bool) else ""
    if not text.isdigit():
        raise refuse("not-a-count", "a whole number is expected here, such as 2")
    return int(text)


Count_ = Annotated[int, Read(_count, {"type": "integer", "minimum": 0})]


# -- comparisons ---------------------------------------------------------------------------------


class Limits(Node):
    """``at_least``, ``above``, ``at_most``, ``below``, ``from`` with ``to``; ``is`` for named results."""

    at_least: LimitField | None = None
    above: LimitField | None = None
    at_most: LimitField | None = None
    below: LimitField | None = None
    from_: LimitField | None = Field(None, alias="from")
    to: LimitField | None = None
    is_: Names | None = Field(None, alias="is")

    @model_validator(mode="after")
    def _one_each_side(self) -> Self:
        _one_each_side(self)
        if self.is_ is not None and any(limit is not None for _, limit in self.bounds()):
            raise refuse("two-questions", "a test asks for named results (is) or compares with a limit, not both")
        return self

    def bounds(self) -> tuple[tuple[Literal["at_least", "above", "at_most", "below"], Limit], ...]:
        """The comparisons, ``from`` and ``to`` as at_least and at_most."""
        return self._comparisons

    @cached_property
    def _comparisons(self) -> tuple[tuple[Any, Any], ...]:
        return _bounds(self)

    @cached_property
    def asks_value(self) -> bool:
        """Whether the value of a fact is asked for at all."""
        return self.is_ is not None or bool(self._comparisons)


def _bounds(node: Any) -> tuple[tuple[Any, Any], ...]:
    # gathered once a node: engines ask for every fact and every day
    said = [(word, limit) for word in ("at_least", "above", "at_most", "below") if (limit := getattr(node, word)) is not None]
    if node.from_ is not None:
        said += [("at_least", node.from_), ("at_most", node.to)]
    return tuple(said)


def _one_each_side(node: Any) -> None:
    lower = [w for w in ("at_least", "above", "from_") if getattr(node, w) is not None]
    upper = [w for w in ("at_most", "below", "to") if getattr(node, w) is not None]
    if (node.from_ is None) != (node.to is None):
        raise refuse("from-without-to", "from and to are written together; for one limit write at_least or at_most")
    if len(lower) > 1 or len(upper) > 1:
        raise refuse("two-limits", "two lower or two upper limits: one of them has no effect")
    first, last = node.from_, node.to
    if isinstance(first, Measure) and isinstance(last, Measure) and first.unit == last.unit and first.value > last.value:
        raise refuse("empty-range", "from is greater than to: no value can pass")


class DurationLimits(Node):
    """The comparisons, of lengths of time."""

    at_least: DurationField | None = None
    above: DurationField | None = None
    at_most: DurationField | None = None
    below: DurationField | None = None
    from_: DurationField | None = Field(None, alias="from")
    to: DurationField | None = None

    @model_validator(mode="after")
    def _says_one(self) -> Self:
        _one_each_side(self)
        if not self.bounds():
            raise refuse("no-limit", "say how long: at_least, above, at_most, below, or from and to")
        return self

    def bounds(self) -> tuple[tuple[Literal["at_least", "above", "at_most", "below"], DurationLimit], ...]:
        """The comparisons, ``from`` and ``to`` as at_least and at_most."""
        return self._comparisons

    @cached_property
    def _comparisons(self) -> tuple[tuple[Any, Any], ...]:
        return _bounds(self)


# -- selections ----------------------------------------------------------------------------------


class TimeWords(Node):
    """When: exactly one of ``ever now at within ago``, or ``before``/``after`` alone, with an anchor."""

    ever: Said | None = None
    now: Said | None = None
    at: Name | None = None
    within: DurationField | None = None
    ago: DurationLimits | None = None
    before: Anchor | None = None
    after: Anchor | None = None

    def time_words(self) -> list[str]:
        """The words of time said here, ``before`` and ``after`` only if they stand alone."""
        said = [word for word in ("ever", "now", "at", "within", "ago") if getattr(self, word) is not None]
        return said or [word for word in ("before", "after") if getattr(self, word) is not None]

    def check_time(self, needed: bool) -> None:
        """Refuse two words of time, none where one is needed, an anchor on a word that takes none."""
        said = self.time_words()
        if len(said) > 1:
            raise refuse("two-times", "{words} are different questions: say one", words=" and ".join(said))
        if needed and not said:
            raise refuse(
                "no-time", "say when: ever, now, at, within, ago, before or after (silence would mean ever in one line and now in the next)"
            )
        if self.before is not None and self.after is not None:
            raise refuse("two-anchors", "before and after together: write two statements under all_of")
        if (self.before is not None or self.after is not None) and (self.ever or self.now or self.at):
            raise refuse("anchor-unused", "before and after go with within and ago, or stand alone")


class SubjectWords(Node):
    """Whose facts: one of the six families with a concept, a list, or a named list."""

    condition: SubjectField | None = None
    observation: SubjectField | None = None
    medication: SubjectField | None = None
    procedure: SubjectField | None = None
    immunization: SubjectField | None = None
    allergy: SubjectField | None = None

    @property
    def family(self) -> Family:
        """The family asked for."""
        return next(family for family in FAMILIES if getattr(self, family) is not None)

    @property
    def has_subject(self) -> bool:
        """Whether a subject is said (an exception may leave it out)."""
        return any(getattr(self, family) is not None for family in FAMILIES)

    @property
    def subject(self) -> Subject:
        """The concept, list or name asked for."""
        found: Subject = getattr(self, self.family)
        return found

    def check_subject(self, needed: bool) -> None:
        """Refuse no subject where one is needed, and two."""
        said = [family for family in FAMILIES if getattr(self, family) is not None]
        if len(said) > 1:
            raise refuse("two-subjects", "{words} in one statement: write two under any_of or all_of", words=" and ".join(said))
        if needed and not said:
            raise refuse("no-subject", "say whose facts: condition, observation, medication, procedure, immunization or allergy")


class DoseTest(Limits):
    """A daily dose, ``as`` another drug's equivalent where a class is asked for."""

    as_: Name | None = Field(None, alias="as")


class GradeTest(Limits):
    """A grade on a named ordered scale (ctcae, severity)."""

    scale: Name


class Test(Limits):
    """What is asked of one fact: its value, or its attributes; tests combine."""

    __test__ = False  # not one of pytest's

    dose: DoseTest | None = None
    route: Names | None = None
    outcome: tuple[Outcome, ...] | None = None
    lasting: DurationLimits | None = None
    started: TimeWords | None = None
    ended: TimeWords | None = None
    grade: GradeTest | None = None
    all_of: tuple[Test, ...] | None = None
    any_of: tuple[Test, ...] | None = None
    none_of: tuple[Test, ...] | None = None

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        for word in ("all_of", "any_of", "none_of", "outcome"):
            if getattr(self, word) == ():
                raise refuse("empty-list", "{word} without entries asks nothing", word=word)
        if not self.asks_value and not self.asks_attribute:
            raise refuse("no-test", "an empty test: every fact would pass it")
        for word in ("started", "ended"):
            if (words := getattr(self, word)) is not None:
                words.check_time(needed=True)
        return self

    @cached_property
    def asks_attribute(self) -> bool:
        """Whether anything but the value is asked for, tests inside it included."""
        return any(getattr(self, word) is not None for word in _ATTRIBUTES)

    @property
    def asks_value_anywhere(self) -> bool:
        """Whether it, or a test inside it, is about the value."""
        inner = [*(self.all_of or ()), *(self.any_of or ()), *(self.none_of or ())]
        return self.asks_value or any(test.asks_value_anywhere for test in inner)


_ATTRIBUTES = ("dose", "route", "outcome", "lasting", "started", "ended", "grade", "all_of", "any_of", "none_of")


class Exemption(SubjectWords, TimeWords):
    """An entry of ``except``: a fact that meets all it says is not counted."""

    where: Test | None = None
    ask: Words | None = None

    @model_validator(mode="after")
    def _checked(self) -> Self:
        self.check_subject(needed=False)
        self.check_time(needed=False)
        if not self.has_subject and not self.time_words() and self.where is None and self.ask is None:
            raise refuse("no-test", "an empty exception: every fact would meet it")
        return self


class Selection(SubjectWords, TimeWords):
    """Facts chosen to hang a time on: in ``while``, and as an anchor. One level deep."""

    where: Test | None = None
    except_: tuple[Exemption, ...] = Field((), alias="except")
    latest: Said | None = None
    earliest: Said | None = None

    @model_validator(mode="after")
    def _checked(self) -> Self:
        self.check_subject(needed=True)
        self.check_time(needed=False)
        for anchor in (self.before, self.after):
            if isinstance(anchor, Selection):
                raise refuse("deep-anchor", "an anchor inside an anchor: only one level can be read")
        return self


def _which_anchor(raw: object) -> str:
    return "<selection>" if isinstance(raw, dict | Selection) else "<name>"


Anchor: TypeAlias = Annotated[
    Annotated[Name, Tag("<name>")] | Annotated[Selection, Tag("<selection>")],
    Discriminator(_which_anchor),
]


class Count(Node):
    """How many: days of matching facts, or entries of the list that have one."""

    distinct: Literal["day", "entry"]
    at_least: Count_ | None = None
    at_most: Count_ | None = None
    apart: Duration | None = None

    @model_validator(mode="after")
    def _asks(self) -> Self:
        if (self.at_least is None) == (self.at_most is None):
            raise refuse("no-limit", "count says at_least or at_most, one of them")
        if self.at_least == 0:
            raise refuse("vacuous", "at_least 0 is always true")
        if self.apart is not None and self.distinct == "entry":
            raise refuse("apart-entries", "apart spaces days; entries are counted once each")
        return self


class Change(Node):
    """A rise or fall between two results of the window."""

    at_least: LimitField | None = None
    above: LimitField | None = None
    sustained: Duration | None = None
    over: DurationLimits | None = None
    pair: Literal["any", "first-to-last"] = "any"

    @model_validator(mode="after")
    def _asks(self) -> Self:
        if (self.at_least is None) == (self.above is None):
            raise refuse("no-limit", "a change says at_least or above, one of them")
        if self.sustained is not None and self.pair == "first-to-last":
            raise refuse("sustained-last", "nothing comes after the last result to show that the change was held")
        limit = self.at_least if self.at_least is not None else self.above
        if isinstance(limit, Measure) and limit.unit == "%":
            raise refuse("bare-percent", "write «% relative» (of the earlier value) or «points»: a bare % has two readings")
        if isinstance(limit, Measure) and limit.value <= 0:
            raise refuse("vacuous", "a change is a positive amount; rise and fall say its direction")
        if isinstance(limit, ClassName):
            raise refuse("limit", "a change is a number, such as 1.0, 5 points or 20 % relative")
        return self


CHOICES = ("any", "every", "latest", "earliest", "count", "rise", "fall", "unchanged")


class FactAtom(SubjectWords, TimeWords):
    """A question about the facts of a concept: the atom of the language."""

    only: Names | None = None
    without: Names | None = None
    while_: Selection | None = Field(None, alias="while")
    where: Test | None = None
    except_: tuple[Exemption, ...] = Field((), alias="except")
    documented: Said | None = None
    planned: Said | None = None
    any: Test | None = None
    every: Test | None = None
    latest: Test | None = None
    earliest: Test | None = None
    count: Count | None = None
    rise: Change | None = None
    fall: Change | None = None
    unchanged: Said | None = None
    if_not_recorded: Literal["unknown"] | None = None

    @model_validator(mode="after")
    def _checked(self) -> Self:
        self.check_subject(needed=True)
        self.check_time(needed=True)
        said = [word for word in CHOICES if getattr(self, word) is not None]
        if len(said) > 1:
            raise refuse("two-choices", "{words} in one statement: write two under all_of", words=" and ".join(said))
        if self.family == "observation":
            if not said:
                raise refuse("no-choice", "say which result: any, every, latest, earliest, count, rise or fall (unchanged for a dose)")
            if self.now:
                raise refuse("now-observation", "a result has a day, not a span: write at, within or ago")
            if self.documented:
                raise refuse("documented-observation", "documented asks for a recorded diagnosis or treatment, not a result")
        elif self.only or self.without:
            raise refuse("items", "only and without pick items of a score: they stand on an observation")
        if self.only and self.without:
            raise refuse("items", "only and without together: one of them says it")
        if self.where is not None and self.where.asks_value_anywhere and self.count is None:
            raise refuse("value-in-where", "a limit in where silently picks another result: ask it inside the choice word, or count")
        if self.planned and said:
            raise refuse("planned-choice", "a plan is there or not: planned takes no choice word")
        if self.planned and self.documented:
            raise refuse("planned-documented", "a plan is not a recorded diagnosis")
        return self

    @property
    def choice(self) -> str:
        """The choice word; ``any`` where none is said (families other than observation)."""
        return next((word for word in CHOICES if getattr(self, word) is not None), "any")


class AgeAtom(Node):
    """Completed years (or months) of age on a day."""

    age: DurationLimits
    at: Name | None = None


class SexAtom(Node):
    """The recorded sex."""

    sex: Literal["female", "male", "other"]


class SiteAtom(Node):
    """A property of the screening site, given with the run."""

    site: Name
    is_: Names = Field(alias="is")


# -- logic ---------------------------------------------------------------------------------------


class AllOf(Node):
    """All of the statements hold."""

    all_of: Statements


class AnyOf(Node):
    """At least one of the statements holds."""

    any_of: Statements


class NoneOf(Node):
    """None of the statements holds: the language's only negation."""

    none_of: Statements


class SomeOf(Node):
    """At least, or at most, k of the statements hold."""

    of: Statements
    at_least: Count_ | None = None
    at_most: Count_ | None = None

    @model_validator(mode="after")
    def _asks(self) -> Self:
        if (self.at_least is None) == (self.at_most is None):
            raise refuse("no-limit", "of says at_least or at_most, one of them")
        n = len(self.of)
        if (self.at_least is not None and not 1 <= self.at_least <= n) or (self.at_most is not None and not 0 <= self.at_most < n):
            raise refuse("vacuous", "with {n} statements this is always or never true", n=n)
        return self


class Readings(Node):
    """The source can be read in several ways, or its versions differ: known only where all agree."""

    readings: Statements


class Meets(Node):
    """The answer of a named definition."""

    meets: Name


class Ask(Node):
    """A question for a person: unknown until answered by an attestation. Yes always means true."""

    ask: Words
    show: Names = ()
    valid_for: Duration | None = None


class NotPublished(Node):
    """The source demands something it does not publish."""

    not_published: Words


_HEADS: tuple[tuple[str, str], ...] = (
    ("all_of", "<all_of>"),
    ("any_of", "<any_of>"),
    ("none_of", "<none_of>"),
    ("of", "<of>"),
    ("readings", "<readings>"),
    ("meets", "<meets>"),
    ("ask", "<ask>"),
    ("not_published", "<not_published>"),
    ("age", "<age>"),
    ("sex", "<sex>"),
    ("site", "<site>"),
)


def _not_empty(of: tuple[Any, ...]) -> tuple[Any, ...]:
    if not of:
        raise refuse("empty-list", "a list without entries asks nothing")
    return of


def _which_statement(raw: object) -> str:
    if isinstance(raw, dict):
        if any(family in raw for family in FAMILIES):
            return "<fact>"
        return next((tag for word, tag in _HEADS if word in raw), "<fact>")
    return _TAGS.get(type(raw), "<fact>")


Statement: TypeAlias = Annotated[
    Annotated[AllOf, Tag("<all_of>")]
    | Annotated[AnyOf, Tag("<any_of>")]
    | Annotated[NoneOf, Tag("<none_of>")]
    | Annotated[SomeOf, Tag("<of>")]
    | Annotated[Readings, Tag("<readings>")]
    | Annotated[Meets, Tag("<meets>")]
    | Annotated[Ask, Tag("<ask>")]
    | Annotated[NotPublished, Tag("<not_published>")]
    | Annotated[AgeAtom, Tag("<age>")]
    | Annotated[SexAtom, Tag("<sex>")]
    | Annotated[SiteAtom, Tag("<site>")]
    | Annotated[FactAtom, Tag("<fact>")],
    Discriminator(_which_statement),
]

Statements = Annotated[tuple[Statement, ...], AfterValidator(_not_empty)]

_TAGS: dict[type, str] = {
    AllOf: "<all_of>",
    AnyOf: "<any_of>",
    NoneOf: "<none_of>",
    SomeOf: "<of>",
    Readings: "<readings>",
    Meets: "<meets>",
    Ask: "<ask>",
    NotPublished: "<not_published>",
    AgeAtom: "<age>",
    SexAtom: "<sex>",
    SiteAtom: "<site>",
    FactAtom: "<fact>",
}


def operands(statement: Node) -> tuple[Node, ...]:
    """The statements directly below a logical node; none below a leaf."""
    match statement:
        case AllOf(all_of=of) | AnyOf(any_of=of) | NoneOf(none_of=of) | SomeOf(of=of) | Readings(readings=of):
            return of
    return ()


def walk(statement: Node) -> Iterator[Node]:
    """The statement and every statement below it, in the order of the file."""
    yield statement
    for below in operands(statement):
        yield from walk(below)
