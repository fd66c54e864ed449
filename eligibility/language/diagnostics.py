"""What pydantic says of a broken rule file, as problems a rule author can act on.

The model refuses with a stable code (``two-limits``) or one of pydantic's own kinds (an unknown key,
a wrong type). Here each gets its line and column, the words of this language, near names, and what
to write instead. ``INSTEAD`` holds the advice of every code that a rule file can meet;
``docs/language/checks.md`` has the same codes with an example each.
"""

from __future__ import annotations

import types
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ..errors import Problem, did_you_mean
from ..model.criteria import (
    AgeAtom,
    AllOf,
    AnyOf,
    Ask,
    FactAtom,
    Meets,
    NoneOf,
    NotPublished,
    Readings,
    Selection,
    SexAtom,
    SiteAtom,
    SomeOf,
)
from ..model.trial import Criterion
from ..yaml_tree import Mapping
from .reader import Located

_MEMBERS: dict[str, type[BaseModel]] = {
    "<all_of>": AllOf,
    "<any_of>": AnyOf,
    "<none_of>": NoneOf,
    "<of>": SomeOf,
    "<readings>": Readings,
    "<meets>": Meets,
    "<ask>": Ask,
    "<not_published>": NotPublished,
    "<age>": AgeAtom,
    "<sex>": SexAtom,
    "<site>": SiteAtom,
    "<fact>": FactAtom,
    "<selection>": Selection,
}
STATEMENTS = frozenset(set(_MEMBERS.values()) - {Selection})

LEFT_OUT: dict[str, str] = {
    "not": "write none_of: [...]",
    "and": "write all_of: [...]",
    "or": "write any_of: [...]",
    "all": "write all_of: [...] for statements, every: {...} for the facts of one",
    "highest": "write every: {at_most: ...} or any: {at_least: ...}",
    "lowest": "write every: {at_least: ...} or any: {at_most: ...}",
    "max": "write every: {at_most: ...}, or greater_of",
    "min": "write every: {at_least: ...}, or lesser_of",
    "change": "write rise or fall, which say the direction",
    "failed": "write where: {outcome: [inadequate-response, ...]}",
    "for_at_least": "write where: {lasting: {at_least: ...}}",
    "if": "write applies_when on the criterion",
    "then": "write applies_when on the criterion, and what must hold under when",
    "value": "write the comparison inside the choice word: latest: {at_least: ...}",
    "equals": "write is: for named results, from and to for numbers",
    "greater_than": "write above",
    "less_than": "write below",
    "min_count": "write count: {distinct: ..., at_least: ...}",
    "specimen": "name the narrower concept: specimens are concepts here",
    "method": "name the narrower concept: methods are concepts here",
    "since": "write after: with the name of a visit or of facts",
    "until": "write before: with the name of a visit or of facts",
}
"""Words of other rule languages that this one leaves out, and what says them (LANGUAGE 11)."""

INSTEAD: dict[str, str] = {
    # words and shapes
    "unknown-key": "see the words of the language in docs/language/",
    "missing-key": "write it",
    "wrong-type": "see the shape of this word in docs/language/",
    "not-one-of": "write one of them",
    "not-true": "write true, or leave the word out",
    "not-a-name": "write one name",
    "not-a-text": "write a text",
    "not-a-count": "write a whole number",
    "not-a-date": "write a day, such as 2026-08-22",
    "not-a-trial-id": "write the registry's number, such as NCT06193889",
    "not-a-list": "write a list: [one, two]",
    "empty-list": "write its entries, or leave the word out",
    "nested-list": "name the inner list under lists",
    "twice": "give each its own name",
    # statements
    "no-subject": "write condition, observation, medication, procedure, immunization or allergy with a concept",
    "two-subjects": "write one statement each, under any_of or all_of",
    "no-time": "write ever: true for the whole history, now: true for today",
    "two-times": "write one statement each, under all_of",
    "two-anchors": "write one statement each, under all_of",
    "anchor-unused": "write within or ago with the anchor",
    "deep-anchor": "anchor to a visit of the schedule, or to plain facts",
    "now-observation": "write at: screening, or within: with a length",
    "no-choice": "write latest: {...} for the newest result, any: {...} for one of them",
    "two-choices": "write one statement each, under all_of",
    "two-questions": "write two statements under all_of",
    "two-limits": "write one lower and one upper limit",
    "from-without-to": "write both, or at_least or at_most alone",
    "empty-range": "put the smaller one first",
    "no-limit": "write a limit",
    "no-test": "write what is asked, or leave the word out",
    "vacuous": "delete it, or correct the limit",
    "bare-percent": "write 20 % relative, or 20 points",
    "limit": "write a number with its unit, 1.5 x ULN, 1:80, or a class",
    "duration": "write a number and a unit, such as 6 months",
    "value-in-where": "write the limit inside latest, any or every; where: takes it only with count",
    "apart-entries": "leave apart out, or count distinct: day",
    "sustained-last": "leave pair or sustained out",
    "items": "write only: or without: on an observation that is a score",
    "documented-observation": "leave documented out",
    "planned-choice": "leave the choice word out",
    "planned-documented": "leave documented out",
    "documented-unknown": "keep documented, or if_not_recorded, not both",
    # criteria and file
    "one-body": "split the criterion, each part with part_of",
    "show": "write them beside ask",
    "note": "leave them out, or write when",
    "schedule": "write on: 21 days after screening, or between: [14 days, 60 days]",
    "derived": "write ratio: [..., ...] or formula: with a name",
    "empty-arm": "write its criteria, or one not_published",
    # names
    "unknown-concept": "add it to rules/concepts/, or correct the name",
    "unknown-definition": "define it under definitions, or correct the name",
    "unknown-visit": "add it to the schedule, or correct the name",
    "unknown-formula": "use a formula of the list",
    "unknown-scale": "use a scale of the list",
    "unknown-route": "use a route of the list",
    "unknown-item": "use an item or a group of items of that score",
    "unknown-result": "use a result of the concept, or add it to the concept",
    "unknown-class": "use a class of the scale",
    "wrong-family": "write the family the concept belongs to",
    "cycle": "write one of them out",
    "replaces-unsaid": "write replaces: shared, or choose another name",
    "replaces-nothing": "leave replaces out",
    "unused-list": "use it, or delete it",
    "unused-definition": "use it, or delete it",
    "unused-derived": "use it, or delete it",
    "unused-visit": "use it, or delete it",
    "no-source": "write where the meaning was read",
    # measures
    "no-unit": "write the unit the source prints",
    "wrong-unit": "write a unit that can be converted",
    "wrong-limit": "write a limit of the kind this concept has",
    "no-dose-equivalent": "write as: with the drug whose equivalent is meant",
    "no-width": "write looks_back in the schedule, with its basis",
    "age-unit": "write years or months",
    "half-life": "write days or weeks; half-lives are a length of a drug's window only",
    # which facts, how chosen
    "value-family": "test an attribute (outcome, dose, grade, lasting), or ask an observation",
    "attribute-family": "test an attribute this family has",
    "change-family": "ask an observation",
    "unchanged-family": "ask a medication, or prednisone-equivalent-dose",
    "now-point": "write ever, within or ago",
    "while-point": "hang it on a condition, medication or procedure, which have a span",
    "list-choice": "write one statement for each concept under any_of or all_of",
    "list-by-day": "count distinct: entry, or one concept",
    "treatment-by-day": "count distinct: entry over a list of treatments",
    "concept-by-entry": "count distinct: day, or name a list",
    "started-any-state": "write earliest: {started: ...}",
    # criteria
    "unless-narrower": "write it under except of that statement",
    "no-question": "end it with a question mark",
    "two-asks": "write two ask statements",
    "arm-diagnosis": "add an inclusion {condition: ..., documented: true} to the arm",
    "cannot-bar": "write what can be computed under when, or record: {completeness: metadata}",
    "stale-answer": "delete the answer",
    # questions
    "negative-question": "put it positively and negate with none_of, or answer why it stays",
    "uncoded": "add codes, or absence: unknown, to the concept, or answer why silence may count",
    "assumed-basis": "find the published width, or answer why the assumption is fair",
    "limits-disagree": "check both sentences against the source, then answer why they stand so",
    "presumed-barrier": "write documented: true or if_not_recorded: unknown, or answer why",
    "entries-overlap": "leave one out, or nest them so that they count as one, or answer why",
}
"""What to do, for each code of a rule file; the codes of YAML itself say it where they arise."""

# which word of a mapping a code is about, so that the place is the word and not the opening brace
_ABOUT: dict[str, tuple[str, ...]] = {
    "two-limits": ("at_least", "above", "from", "at_most", "below", "to"),
    "from-without-to": ("from", "to"),
    "empty-range": ("from",),
    "two-times": ("ever", "now", "at", "within", "ago", "on", "between"),
    "two-anchors": ("after",),
    "anchor-unused": ("before", "after"),
    "two-subjects": ("condition", "observation", "medication", "procedure", "immunization", "allergy"),
    "two-choices": ("any", "every", "latest", "earliest", "count", "rise", "fall", "unchanged"),
    "two-questions": ("is",),
    "now-observation": ("now",),
    "documented-observation": ("documented",),
    "planned-choice": ("any", "every", "latest", "earliest", "count", "rise", "fall", "unchanged"),
    "planned-documented": ("documented",),
    "items": ("only", "without"),
    "value-in-where": ("where",),
    "deep-anchor": ("before", "after"),
    "apart-entries": ("apart",),
    "sustained-last": ("sustained",),
    "bare-percent": ("at_least", "above"),
    "vacuous": ("at_least", "at_most", "above", "below"),
    "one-body": ("when", "ask", "not_published", "note"),
    "show": ("show", "valid_for"),
    "note": ("applies_when", "unless"),
    "schedule": ("on", "after"),
    "not-a-trial-id": ("id",),
    "derived": ("ratio", "formula"),
}
# codes whose mistake is the second of several words
_LAST = ("two-limits", "two-times", "two-anchors", "two-subjects", "two-choices", "one-body", "derived")

_SHAPES = {
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "dict_type": "a mapping",
    "tuple_type": "a list",
    "list_type": "a list",
    "string_type": "a text",
    "float_type": "a number",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
}


def diagnose(
    error: ValidationError, tree: Located, model: type[BaseModel], base: Sequence[str | int] = (), quoting: bool = True
) -> list[Problem]:
    """Every problem pydantic found when it read the part of ``tree`` at ``base`` as ``model``.

    Not ``quoting``, no value of the file is repeated: it may be a patient's.
    """
    found = [_problem(one, tree, model, tuple(base), quoting) for one in error.errors(include_url=False)]
    return sorted(found, key=lambda problem: (problem.line or 0, problem.column or 0, problem.code))


def _problem(one: ErrorDetails, tree: Located, model: type[BaseModel], base: tuple[str | int, ...], quoting: bool) -> Problem:
    kind, inner = one["type"], one["loc"]
    loc = (*base, *inner)
    where = criterion_at(tree, loc)
    if kind == "extra_forbidden":
        word = str(inner[-1])
        known = _known_words(model, inner[:-1])
        advice = _advice(word, known, model, inner[:-1])
        return tree.problem("unknown-key", f"there is no word «{word}» here", loc, key=True, where=where, instead=advice)
    if kind == "missing":
        if isinstance(inner[-1], int):
            return tree.problem(
                "wrong-type", "two entries are expected here", loc[:-1], where=where, instead="write the least and the most"
            )
        owner = _owner(tree, loc[:-1])
        return tree.problem("missing-key", f"«{inner[-1]}:» is missing{owner}", loc[:-1], where=where, instead=f"write {inner[-1]}:")
    if kind in _SHAPES:
        found = _shape(one["input"])
        named = f"after «{_last_word(inner)}:» " if _last_word(inner) else ""
        advice = _shape_advice(_SHAPES[kind], one["input"])
        return tree.problem("wrong-type", f"{_SHAPES[kind]} is expected {named}and {found} stands there", loc, where=where, instead=advice)
    if kind in ("literal_error", "enum"):
        expected = [part.strip().strip("'") for part in one["ctx"]["expected"].replace(" or ", ", ").split(", ")]
        near = did_you_mean(str(one["input"]), expected)
        instead = near or f"write {', '.join(expected)}"
        word = _quoted(one["input"]) if quoting else "this"
        return tree.problem("not-one-of", f"{word} is not one of {', '.join(expected)}", loc, where=where, instead=instead)
    if kind == "value_error":
        # the one plain ValueError of the model is that of a length of time
        message = one["msg"].removeprefix("Value error, ")
        return tree.problem("duration", message, loc, where=where, instead=INSTEAD["duration"])
    if kind.startswith("date"):
        return tree.problem("not-a-date", "a day is expected here", loc, where=where, instead=INSTEAD["not-a-date"])
    if kind in INSTEAD:
        return _placed(kind, one["msg"], tree, loc, where)
    return tree.problem("wrong-type", one["msg"], loc, where=where, instead=INSTEAD["wrong-type"])


def _placed(code: str, message: str, tree: Located, loc: tuple[str | int, ...], where: str | None) -> Problem:
    """A refusal of the model, at the word that it is about."""
    value = tree.value(loc)
    said = [word for word in _ABOUT.get(code, ()) if isinstance(value, Mapping) and word in value]
    if said:
        said.sort(key=lambda word: (value.keys_at[word].line, value.keys_at[word].column))
        word = said[-1] if code in _LAST else said[0]
        # where the word is right and what follows it is not, the place is what follows
        key = code not in ("not-a-trial-id", "schedule")
        return tree.problem(code, message, (*loc, word), key=key, where=where, instead=INSTEAD[code])
    return tree.problem(code, message, loc, where=where, instead=INSTEAD[code])


def criterion_at(tree: Located, loc: Sequence[str | int]) -> str | None:
    """The criterion, definition or arm that a place lies in, as a reader would name it."""
    for i, part in enumerate(loc):
        if part in ("inclusion", "exclusion", "flags") and i + 1 < len(loc):
            entry = tree.value(loc[: i + 2])
            name = entry.get("id") if isinstance(entry, Mapping) else None
            kind = "flag" if part == "flags" else "criterion"
            return f"{kind} {name}" if isinstance(name, str) else f"{part} {int(loc[i + 1]) + 1}"
    if len(loc) > 1 and loc[0] in ("definitions", "lists", "derived", "schedule", "arms"):
        singular = {"definitions": "definition", "lists": "list", "derived": "derived value", "schedule": "visit", "arms": "arm"}
        return f"{singular[str(loc[0])]} {loc[1]}"
    return None


# -- the words that are known at a place ----------------------------------------------------------


def words_of(model: type[BaseModel]) -> list[str]:
    """The words of a node, as rule files write them."""
    return [field.alias or name for name, field in model.model_fields.items()]


def _known_words(model: type[BaseModel], loc: Iterable[str | int]) -> list[str]:
    words: list[str] = []
    for one in _models_at(model, loc):
        words += words_of(one)
        if one is FactAtom:  # what is no other statement is read as one about facts
            words += [word for member in _MEMBERS.values() if member in STATEMENTS for word in words_of(member)]
    return list(dict.fromkeys(words))


def _advice(word: str, known: list[str], model: type[BaseModel], loc: Sequence[str | int]) -> str:
    near = did_you_mean(word, known)
    if near is not None and word not in LEFT_OUT:
        return near
    models = _models_at(model, loc)
    if word in words_of(Criterion) and any(one in STATEMENTS for one in models):
        return f"{word} stands on a criterion, not inside a statement"
    if word in LEFT_OUT:
        return LEFT_OUT[word]
    if any(word in words_of(one) for one in _MEMBERS.values()):
        return f"{word} stands in a statement; here: {_few(known)}"
    return f"known here: {_few(known)}"


def _few(words: list[str]) -> str:
    return ", ".join(words[:14]) + (", ..." if len(words) > 14 else "")


def _models_at(model: type[BaseModel], loc: Iterable[str | int]) -> tuple[type[BaseModel], ...]:
    """The nodes that can stand at a place: follow the words from the top."""
    here: tuple[type[BaseModel], ...] = (model,)
    for part in loc:
        if isinstance(part, str) and part in _MEMBERS:
            here = (_MEMBERS[part],)
        elif isinstance(part, str):
            below = tuple(dict.fromkeys(found for one in here for found in _field_models(one, part)))
            here = below or here  # a name of the file's own, such as an arm's, stays at the entry's node
    return here


@cache
def _field_models(model: type[BaseModel], word: str) -> tuple[type[BaseModel], ...]:
    for name, field in model.model_fields.items():
        if word in (name, field.alias):
            return tuple(dict.fromkeys(_nodes_in(field.annotation)))
    return ()


def _nodes_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) in (Union, types.UnionType, Annotated, tuple, list, dict):
        return [found for part in get_args(annotation) for found in _nodes_in(part)]
    return []


# -- words for shapes -----------------------------------------------------------------------------


def _shape(value: Any) -> str:
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return "a text"


def _shape_advice(expected: str, value: Any) -> str:
    if expected == "a mapping" and isinstance(value, list):
        return "write words with values; several statements go under all_of or any_of"
    if expected == "a mapping":
        return "write words with values, such as {condition: ..., now: true}"
    if expected == "a list":
        return "write a list: [one, two]"
    return f"write {expected}"


def _last_word(loc: Sequence[str | int]) -> str | None:
    return next((part for part in reversed(loc) if isinstance(part, str) and part not in _MEMBERS), None)


def _owner(tree: Located, loc: Sequence[str | int]) -> str:
    value = tree.value(loc)
    name = value.get("id") if isinstance(value, Mapping) else None
    return f" in {name}" if isinstance(name, str) else ""


def _quoted(value: Any) -> str:
    return f"«{value}»" if isinstance(value, str) and len(value) <= 60 else _shape(value)
