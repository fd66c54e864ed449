"""Limits that criteria compare with, and how they are written (LANGUAGE 3.5).

A limit is text in a rule file: ``8 g/dL``, ``1.5 x ULN``, ``1:80``, ``IIa``, ``not_published``; a list
of them prints one limit in several units; ``greater_of`` and ``lesser_of`` take the more or less of
two. Durations are written alike. The classes are plain values; what a unit means is the vocabulary's affair.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from .time import Duration


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """How a field of a rule file is read, what a schema says it looks like, and how it is written back.

    It stands where PlainValidator, PlainSerializer and WithJsonSchema would, which build a model of
    the annotated type at each use to write values that are written by ``write``, or are JSON already.
    """

    read: Callable[[Any], Any]
    shape: dict[str, Any]
    write: Callable[[Any], Any] | None = None

    def __get_pydantic_core_schema__(self, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        written = core_schema.plain_serializer_function_ser_schema(self.write) if self.write is not None else None
        return core_schema.no_info_plain_validator_function(self.read, serialization=written)

    def __get_pydantic_json_schema__(self, _schema: CoreSchema, _handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return dict(self.shape)


@dataclass(frozen=True, slots=True)
class Measure:
    """A number with its unit, None where the measure has none."""

    value: float
    unit: str | None

    def __str__(self) -> str:
        return f"{self.value:g} {self.unit}" if self.unit else f"{self.value:g}"


@dataclass(frozen=True, slots=True)
class TimesLimit:
    """A multiple of the upper (ULN) or lower (LLN) limit of the laboratory's own range."""

    factor: float
    side: Literal["ULN", "LLN"]

    def __str__(self) -> str:
        return f"{self.factor:g} x {self.side}"


@dataclass(frozen=True, slots=True)
class Titre:
    """A dilution; 1:160 is more than 1:80."""

    dilution: float

    def __str__(self) -> str:
        return f"1:{self.dilution:g}"


@dataclass(frozen=True, slots=True)
class ClassName:
    """A class of an ordered scale (``IIa``, ``III``, ``A``, ``+``)."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class NotGiven:
    """The source names a limit and no public page gives its number."""

    def __str__(self) -> str:
        return "not_published"


@dataclass(frozen=True, slots=True)
class Alternatives:
    """One limit printed in several units or for alternative measures; a result's own unit picks."""

    of: tuple[Measure | TimesLimit, ...]

    def __str__(self) -> str:
        return " or ".join(map(str, self.of))


@dataclass(frozen=True, slots=True)
class Extreme:
    """The greater or the lesser of several limits: whichever is longer, whichever is lower."""

    how: Literal["greater_of", "lesser_of"]
    of: tuple[Measure | TimesLimit, ...]

    def __str__(self) -> str:
        word = "greater" if self.how == "greater_of" else "lesser"
        return f"the {word} of {' and '.join(map(str, self.of))}"


@dataclass(frozen=True, slots=True)
class ExtremeDuration:
    """The longer or the shorter of several durations (4 weeks or 5 half-lives, whichever is longer)."""

    how: Literal["greater_of", "lesser_of"]
    of: tuple[Duration, ...]

    def __str__(self) -> str:
        word = "longer" if self.how == "greater_of" else "shorter"
        return f"the {word} of {' and '.join(map(str, self.of))}"


Limit: TypeAlias = Measure | TimesLimit | Titre | ClassName | NotGiven | Alternatives | Extreme
DurationLimit: TypeAlias = Duration | ExtremeDuration

_NUMBER = re.compile(r"(?P<number>[+-]?(?:\d+(?:\.\d+)?|\.\d+))(?:\s*(?P<unit>[^\d\s.].*|10\s*[*^].*))?")
_TIMES = re.compile(r"(?P<factor>\d+(?:\.\d+)?)\s*[x×]\s*(?P<side>ULN|LLN)")
_TITRE = re.compile(r"1\s*:\s*(?P<dilution>\d+(?:\.\d+)?)")


def parse_limit(raw: object) -> Limit:
    """Read a limit as a rule file writes it; ``PydanticCustomError`` says what it takes instead."""
    if isinstance(raw, Measure | TimesLimit | Titre | ClassName | NotGiven | Alternatives | Extreme):
        return raw
    if isinstance(raw, dict):
        extreme: Extreme = _extreme(raw, _number_limit, Extreme)
        return extreme
    if isinstance(raw, list | tuple):
        if len(raw) < 2:
            raise PydanticCustomError("limit", "a list of limits names the same limit in two or more units")
        return Alternatives(tuple(_number_limit(part) for part in raw))
    text = _text(raw)
    if text == "not_published":
        return NotGiven()
    if match := _TIMES.fullmatch(text):
        return TimesLimit(float(match["factor"]), "ULN" if match["side"] == "ULN" else "LLN")
    if match := _TITRE.fullmatch(text):
        return Titre(float(match["dilution"]))
    if match := _NUMBER.fullmatch(text):
        return Measure(float(match["number"]), match["unit"].strip() if match["unit"] else None)
    if re.match(r"[<>=≤≥]", text):
        raise PydanticCustomError("limit", "write the comparison as a word: at_least, above, at_most, below")
    return ClassName(text)


def _number_limit(raw: object) -> Measure | TimesLimit:
    limit = parse_limit(raw)
    if not isinstance(limit, Measure | TimesLimit):
        raise PydanticCustomError("limit", "each limit here is a number with its unit, or a multiple of ULN or LLN")
    return limit


def parse_duration_limit(raw: object) -> DurationLimit:
    """Read a duration, or the greater or lesser of several."""
    if isinstance(raw, Duration | ExtremeDuration):
        return raw
    if isinstance(raw, dict):
        extreme: ExtremeDuration = _extreme(raw, _duration, ExtremeDuration)
        return extreme
    return _duration(raw)


def _duration(raw: object) -> Duration:
    try:
        return Duration.parse(_text(raw))
    except ValueError as problem:
        raise PydanticCustomError("duration", "{why}", {"why": str(problem)}) from None


def _extreme(raw: dict[Any, Any], part: Callable[[object], Any], make: Callable[..., Any]) -> Any:
    if len(raw) != 1 or next(iter(raw)) not in ("greater_of", "lesser_of"):
        raise PydanticCustomError("limit", "a limit is text, a list, or one of greater_of and lesser_of")
    how, parts = next(iter(raw.items()))
    if not isinstance(parts, list | tuple) or len(parts) < 2:
        raise PydanticCustomError("limit", "{how} takes a list of two or more limits", {"how": how})
    return make(how, tuple(part(one) for one in parts))


def _text(raw: object) -> str:
    if isinstance(raw, bool) or not isinstance(raw, str | int | float):
        raise PydanticCustomError("limit", "a limit is text, such as 8 g/dL, 1.5 x ULN, 1:80 or IIa")
    return str(raw).strip()


def _plain(limit: Any) -> Any:
    match limit:
        case Alternatives(of):
            return [str(one) for one in of]
        case Extreme(how, of) | ExtremeDuration(how, of):
            return {how: [str(one) for one in of]}
    return str(limit)


_TEXT_SCHEMA: dict[str, Any] = {"type": ["string", "number"]}
_EXTREME_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {word: {"type": "array", "items": _TEXT_SCHEMA, "minItems": 2} for word in ("greater_of", "lesser_of")},
    "additionalProperties": False,
    "maxProperties": 1,
    "minProperties": 1,
}
LimitField = Annotated[
    Limit,
    Read(
        parse_limit,
        {
            "anyOf": [_TEXT_SCHEMA, {"type": "array", "items": _TEXT_SCHEMA, "minItems": 2}, _EXTREME_SCHEMA],
            "examples": ["8 g/dL", "1.5 x ULN", "1:80", "IIa", "not_published"],
        },
        _plain,
    ),
]
DurationField = Annotated[
    DurationLimit,
    Read(
        parse_duration_limit,
        {"anyOf": [{"type": "string"}, _EXTREME_SCHEMA], "examples": ["6 months", {"greater_of": ["4 weeks", "5 half-lives"]}]},
        _plain,
    ),
]
