"""Rules in plain English, for the nurse who reads them beside the chart.

:func:`phrase` says a statement, or its exact negation: what it says is true of precisely the records
of which the statement is true (false). A negation turns the words round (*is from 3 to 6.5* becomes
*is below 3 or above 6.5*) and never merely puts *not* before a sentence. Nothing here advises.

>>> from eligibility.model.criteria import AgeAtom
>>> from eligibility.vocabulary.loader import shipped
>>> adult = AgeAtom.model_validate({"age": {"at_least": "18 years"}, "at": "consent"})
>>> phrase(adult, shipped())
'the age at consent is at least 18 years'
>>> phrase(adult, shipped(), negated=True)
'the age at consent is below 18 years'
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from ..model.criteria import (
    AgeAtom,
    AllOf,
    AnyOf,
    Ask,
    Change,
    Count,
    DoseTest,
    DurationLimits,
    Exemption,
    FactAtom,
    GradeTest,
    Limits,
    Meets,
    Node,
    NoneOf,
    NotPublished,
    Readings,
    Selection,
    SexAtom,
    SiteAtom,
    SomeOf,
    Subject,
    Test,
    TimeWords,
)
from ..model.limits import Alternatives, Extreme, ExtremeDuration, Limit, Measure, NotGiven, TimesLimit
from ..model.quantity import say
from ..model.time import Duration
from ..model.trial import Criterion, Definition, TrialFile, Visit
from ..vocabulary.vocabulary import Vocabulary

_OPPOSITE = {"at_least": "below", "above": "at_most", "at_most": "above", "below": "at_least"}
_WORDS = {"at_least": "at least", "above": "above", "at_most": "at most", "below": "below"}
_LONGER = {"at_least": "at least", "above": "more than", "at_most": "at most", "below": "less than"}
_OUTCOMES = {
    "response": "a response",
    "inadequate-response": "an inadequate response",
    "loss-of-response": "a loss of response",
    "intolerance": "intolerance",
}
_HAPPENS = {
    "medication": ("is being taken", "was taken"),
    "procedure": ("is under way", "was done"),
    "immunization": ("is being given", "was given"),
}
_RESULT = {"condition": "entry", "medication": "course", "procedure": "procedure", "immunization": "vaccination", "allergy": "entry"}


def phrase(
    statement: Node,
    vocabulary: Vocabulary,
    negated: bool = False,
    *,
    trial: TrialFile | None = None,
    definitions: Mapping[str, Definition] | None = None,
) -> str:
    """A statement, or its negation, as a clause without a full stop.

    ``trial`` lets it name the entries of the trial's lists and the width of its visits; ``definitions``
    are the shared ones, whose text is shown where a statement meets one.
    """
    return _Speaker(vocabulary, trial, definitions or {}).clause(statement, negated)


def phrase_criterion(
    criterion: Criterion,
    vocabulary: Vocabulary,
    *,
    kind: Literal["inclusion", "exclusion"] | None = None,
    trial: TrialFile | None = None,
    definitions: Mapping[str, Definition] | None = None,
) -> str:
    """A criterion as one or more sentences: when it applies, and what it asks or bars."""
    speaker = _Speaker(vocabulary, trial, definitions or {})
    body = criterion.statement
    if body is None:
        return f"Note: {criterion.note}"
    lead = {"inclusion": "Asked for", "exclusion": "A barrier", None: "Holds if"}[kind]
    sentences = [f"{lead}: {speaker.clause(body, False)}."]
    if criterion.applies_when is not None:
        sentences.append(f"Applies only where {speaker.clause(criterion.applies_when, False)}.")
    if criterion.unless is not None:
        sentences.append(f"Does not apply where {speaker.clause(criterion.unless, False)}.")
    return " ".join(sentences)


class _Speaker:
    """The words for one vocabulary and, if given, one trial."""

    def __init__(self, vocabulary: Vocabulary, trial: TrialFile | None, definitions: Mapping[str, Definition]) -> None:
        self.vocabulary = vocabulary
        self.lists: Mapping[str, tuple[Any, ...]] = trial.lists if trial is not None else {}
        self.schedule: Mapping[str, Visit] = trial.schedule if trial is not None else {}
        own = trial.definitions if trial is not None else {}
        self.definitions: Mapping[str, Definition] = {**definitions, **own}

    # -- logic -----------------------------------------------------------------------------------

    def clause(self, node: Node, negated: bool) -> str:
        """A statement or its negation; a comma that closed an insertion is dropped at the end."""
        return self._clause(node, negated).rstrip(",")

    def _clause(self, node: Node, negated: bool) -> str:
        match node:
            case AllOf(all_of=of):
                return self._join(of, negated, "or" if negated else "and")
            case AnyOf(any_of=of):
                return self._join(of, negated, "and" if negated else "or")
            case NoneOf(none_of=of):
                return self._join(of, not negated, "or" if negated else "and")
            case SomeOf(of=of, at_least=least, at_most=most):
                parts = "; ".join(self.clause(one, False) for one in of)
                if least is not None:
                    how = f"fewer than {least}" if negated else f"at least {least}"
                else:
                    how = f"more than {most}" if negated else f"at most {most}"
                return f"{how} of these hold: ({parts})"
            case Readings(readings=of):
                parts = "; or ".join(f"({i}) {self.clause(one, negated)}" for i, one in enumerate(of, 1))
                return f"in every reading of the source, which has {len(of)}: {parts}"
            case Meets(meets=name):
                return self._meets(name, negated)
            case Ask(ask=text, show=show, valid_for=valid_for):
                shown = f", shown beside it: {_and([self._label(one) for one in show])}" if show else ""
                lasts = f", the answer holding for {valid_for}" if valid_for is not None else ""
                return f"a person answers {'no' if negated else 'yes'} to «{text}»{shown}{lasts}"
            case NotPublished(not_published=text):
                return f"what the source asks and does not publish is {'not ' if negated else ''}met: «{text}»"
            case AgeAtom(age=age, at=at):
                where = f" at {at}" if at is not None else ""
                return f"the age{where} is {_lengths(age, negated, _WORDS)}"
            case SexAtom(sex=sex):
                return f"the recorded sex is {'not ' if negated else ''}{sex}"
            case SiteAtom(site=site, is_=names):
                return f"the {site} of the screening site is {_one_of(names, negated)}"
            case FactAtom():
                return self._atom(node, negated)
        raise TypeError(f"no words for {type(node).__name__}")

    def _join(self, of: Sequence[Node], negated: bool, word: Literal["and", "or"]) -> str:
        return _together([self.clause(one, negated) for one in of], word)

    def _meets(self, name: str, negated: bool) -> str:
        definition = self.definitions.get(name)
        label = name.replace("-", " ")
        said = f" ({definition.text})" if definition is not None else ""
        return f"the definition of «{label}» is {'not ' if negated else ''}met{said}"

    # -- facts -----------------------------------------------------------------------------------

    def _atom(self, atom: FactAtom, negated: bool) -> str:
        text = self._asked(atom, negated)
        if atom.if_not_recorded is not None:
            text += ", left open where nothing is recorded"
        return text

    def _asked(self, atom: FactAtom, negated: bool) -> str:
        noun = self._noun(atom)
        when = self._when(atom)
        rest = self._rest(atom)
        family = atom.family
        if atom.planned:
            return f"{'no ' if negated else ''}{noun}{rest} is planned{when}"
        choice = atom.choice
        test: Any = getattr(atom, choice)
        if choice == "count":
            return self._count(atom, test, negated, noun, when, rest)
        if choice in ("rise", "fall"):
            return self._change(choice, test, negated, noun, when, rest)
        if choice == "unchanged":
            return f"{self._dose_of(atom, noun, negated)}{rest} {'changed' if negated else 'did not change'}{when}"
        if choice in ("latest", "earliest"):
            kind = "" if family == "observation" else f"{_RESULT[family]} of "
            return f"the {choice} {kind}{noun}{when}{rest} {self._test(test, negated)}"
        if choice == "every":
            if negated:
                return f"at least one {self._record(atom, noun)}{when}{rest} {self._test(test, True)}"
            return f"every {self._record(atom, noun)}{when}{rest} {self._test(test, False)}"
        if family == "observation":
            if negated:
                return f"every {self._record(atom, noun)}{when}{rest} {self._test(test, True)}"
            return f"at least one {self._record(atom, noun)}{when}{rest} {self._test(test, False)}"
        that = f" that {self._test(test, False)}" if test is not None else ""
        documented = "documented " if atom.documented else ""
        no = "no " if negated else ""
        if atom.ever:
            return f"there is {no or 'a '}{documented}history of {noun}{that}{rest}"
        if family in _HAPPENS:
            verb = _HAPPENS[family][0 if atom.now else 1]
            return f"{no}{documented}{noun}{that}{rest} {verb}{when}"
        return f"there is {no}{documented}{noun}{when}{that}{rest}"

    def _record(self, atom: FactAtom, noun: str) -> str:
        return f"result of {noun}" if atom.family == "observation" else f"{_RESULT[atom.family]} of {noun}"

    def _dose_of(self, atom: FactAtom, noun: str, negated: bool) -> str:
        if atom.family != "medication":
            return f"the {noun}"
        drugs = self._names(atom.subject)
        if len(drugs) == 1:
            return f"the dose of {noun}"
        return f"the dose of {'at least one' if negated else 'each'} of {_and(drugs)}"

    def _count(self, atom: FactAtom, count: Count, negated: bool, noun: str, when: str, rest: str) -> str:
        if count.at_least is not None:
            many = f"fewer than {count.at_least}" if negated else f"at least {count.at_least}"
        else:
            many = f"more than {count.at_most}" if negated else f"at most {count.at_most}"
        if count.distinct == "entry":
            return f"{many} of these are recorded{when}: {noun}{rest}"
        apart = f", each at least {count.apart} from the next," if count.apart is not None else ""
        days = "day" if 1 in (count.at_least, count.at_most) else "days"
        what = f"{days} with {'a result of ' if atom.family == 'observation' else ''}{noun}"
        return f"there are {many} {what}{when}{apart}{rest}"

    def _change(self, word: str, change: Change, negated: bool, noun: str, when: str, rest: str) -> str:
        how, limit = ("at_least", change.at_least) if change.at_least is not None else ("above", change.above)
        assert limit is not None
        amount = _limit(limit)
        by = f"by {'at least' if how == 'at_least' else 'more than'} {amount}"
        pair = " from the first to the last result" if change.pair == "first-to-last" else " from an earlier to a later result"
        over = f" lying {_lengths(change.over, False, _LONGER)} apart" if change.over is not None else ""
        held = f", held for {change.sustained}" if change.sustained is not None else ""
        return f"there is {'no' if negated else 'a'} {word} of {noun}{rest} {by}{pair}{over}{when}{held}"

    # -- which facts -----------------------------------------------------------------------------

    def _noun(self, node: FactAtom | Selection | Exemption) -> str:
        noun = self._subject(node.subject, node)
        if node.family == "allergy":
            noun = f"allergy to {noun}"
        if isinstance(node, FactAtom):
            if node.only:
                noun += f" (only the items {_and([one.replace('-', ' ') for one in node.only])})"
            if node.without:
                noun += f" (without the items {_and([one.replace('-', ' ') for one in node.without])})"
        return noun

    def _subject(self, subject: Subject, node: FactAtom | Selection | Exemption) -> str:
        names = self._names(subject)
        counted = isinstance(node, FactAtom) and node.count is not None and node.count.distinct == "entry"
        return "; ".join(names) if counted else _or(names)

    def _names(self, subject: Subject) -> list[str]:
        if isinstance(subject, str):
            if subject in self.lists:
                return self._names(self.lists[subject])
            return [self._label(subject)]
        found: list[str] = []
        for one in subject:
            inner = self._names(one)
            found += inner if isinstance(one, str) else [f"{_or(inner)} (counted as one)" if len(inner) > 1 else inner[0]]
        return found

    def _label(self, name: str) -> str:
        concept = self.vocabulary.concepts.get(name)
        return concept.label if concept is not None else name.replace("-", " ")

    def _rest(self, atom: FactAtom) -> str:
        """What narrows the facts further: while, where, except."""
        text = ""
        if atom.while_ is not None:
            text += f" during {self._selected(atom.while_)}"
        if atom.where is not None:
            text += f" that {self._test(atom.where, False)}"
        return text + self._except(atom.except_)

    def _except(self, exemptions: Iterable[Exemption]) -> str:
        said = [self._exemption(one) for one in exemptions]
        return f", not counting {' nor '.join(said)}," if said else ""

    def _exemption(self, one: Exemption) -> str:
        noun = self._noun(one) if one.has_subject else "one"
        text = noun + self._when(one)
        if one.where is not None:
            text += f" that {self._test(one.where, False)}"
        if one.ask is not None:
            text += f" where a person answers yes to «{one.ask}»"
        return text

    def _selected(self, selection: Selection) -> str:
        pick = "the latest " if selection.latest else "the earliest " if selection.earliest else ""
        text = f"{pick}{self._noun(selection)}{self._when(selection)}"
        if selection.where is not None:
            text += f" that {self._test(selection.where, False)}"
        return text + self._except(selection.except_)

    # -- when ------------------------------------------------------------------------------------

    def _when(self, words: TimeWords) -> str:
        """The words of time with a space before them; nothing where none is said."""
        anchor = self._anchor(words)
        after = words.after is not None
        if words.ever:
            return " on or before screening"
        if words.now:
            return " on the day of screening"
        if words.at is not None:
            visit = self.schedule.get(words.at)
            if visit is not None and visit.looks_back is not None:
                return f" in {_length_of(visit.looks_back)} up to {words.at}"
            return f" at {words.at}"
        if words.within is not None:
            return f" in {_length_of(words.within)} {'after' if after else 'up to'} {anchor}"
        if words.ago is not None:
            return f" {_lengths(words.ago, False, _LONGER)} {'after' if after else 'before'} {anchor}"
        if words.after is not None:
            return f" from {anchor} on"
        return f" up to {anchor}" if words.before is not None else ""

    def _anchor(self, words: TimeWords) -> str:
        anchor: Any = words.before if words.before is not None else words.after
        if anchor is None:
            return "screening"
        return self._selected(anchor) if isinstance(anchor, Selection) else str(anchor)

    # -- tests -----------------------------------------------------------------------------------

    def _test(self, test: Test, negated: bool) -> str:
        """A test as what follows «that» or the result: «is below 3», «lasted at least 12 weeks»."""
        parts = self._parts(test, negated)
        return _together(parts, "or" if negated else "and")

    def _parts(self, test: Test, negated: bool) -> list[str]:
        parts: list[str] = []
        if test.asks_value:
            parts.append(f"is {_value(test, negated)}")
        if test.dose is not None:
            parts.append(self._dose(test.dose, negated))
        if test.route is not None:
            parts.append(f"was {'not ' if negated else ''}given by the {_or(test.route)} route")
        if test.outcome is not None:
            said = _or([_OUTCOMES[one] for one in test.outcome])
            parts.append(f"did not end with {said}" if negated else f"ended with {said}")
        if test.lasting is not None:
            parts.append(f"lasted {_lengths(test.lasting, negated, _LONGER)}")
        if test.started is not None:
            parts.append(f"{'did not start' if negated else 'started'}{self._when(test.started)}")
        if test.ended is not None:
            parts.append(f"{'did not end' if negated else 'ended'}{self._when(test.ended)}")
        if test.grade is not None:
            parts.append(self._grade(test.grade, negated))
        for of, inner, word in (
            (test.all_of, negated, "or" if negated else "and"),
            (test.any_of, negated, "and" if negated else "or"),
            (test.none_of, not negated, "or" if negated else "and"),
        ):
            if of is not None:
                parts.append(_together([self._test(one, inner) for one in of], word))
        return parts

    def _dose(self, dose: DoseTest, negated: bool) -> str:
        drug = f" as {self._label(dose.as_)}" if dose.as_ is not None else ""
        return f"has a daily dose{drug} that is {_value(dose, negated)}"

    def _grade(self, grade: GradeTest, negated: bool) -> str:
        scale = grade.scale.upper() if grade.scale == "ctcae" else grade.scale
        return f"has a {scale} grade that is {_value(grade, negated)}"


# -- limits ----------------------------------------------------------------------------------------


def _value(limits: Limits, negated: bool) -> str:
    if limits.is_ is not None:
        return _one_of(limits.is_, negated)
    if limits.from_ is not None and limits.to is not None:
        if negated:
            return f"below {_limit(limits.from_)} or above {_limit(limits.to)}"
        return f"from {_limit(limits.from_)} to {_limit(limits.to)}"
    parts = [f"{_WORDS[_OPPOSITE[how] if negated else how]} {_limit(limit)}" for how, limit in limits.bounds()]
    return f" {'or' if negated else 'and'} ".join(parts)


def _lengths(limits: DurationLimits, negated: bool, words: Mapping[str, str]) -> str:
    if limits.from_ is not None and limits.to is not None:
        if negated:
            return f"{words['below']} {_duration(limits.from_)} or {words['above']} {_duration(limits.to)}"
        return f"from {_duration(limits.from_)} to {_duration(limits.to)}"
    parts = [f"{words[_OPPOSITE[how] if negated else how]} {_duration(length)}" for how, length in limits.bounds()]
    return f" {'or' if negated else 'and'} ".join(parts)


def _limit(limit: Limit) -> str:
    match limit:
        case Measure(value, unit):
            text = f"{_number(value)}%" if unit == "%" else f"{_number(value)} {unit}" if unit else _number(value)
            return text.replace("% relative", "% of the earlier value")
        case TimesLimit(factor, side):
            name = {"ULN": "the upper limit of normal", "LLN": "the lower limit of normal"}[side]
            return name if factor == 1 else f"{say(factor)} times {name}"
        case NotGiven():
            return "a limit that the source does not publish"
        case Alternatives(of):
            return f"{_or([_limit(one) for one in of])}, whichever unit the result is in,"
        case Extreme(how, of):
            return f"the {'greater' if how == 'greater_of' else 'lesser'} of {_and([_limit(one) for one in of])}"
    return str(limit)


def _number(value: float) -> str:
    return f"{value:,.9g}" if abs(value) >= 10000 else say(value)


def _duration(length: Duration | ExtremeDuration) -> str:
    if isinstance(length, ExtremeDuration):
        return f"the {'longer' if length.how == 'greater_of' else 'shorter'} of {_and([str(one) for one in length.of])}"
    return str(length)


def _length_of(length: Duration | ExtremeDuration) -> str:
    if isinstance(length, ExtremeDuration):
        return _duration(length)
    return f"the {length.unit}" if length.count == 1 else f"the {length}"


def _one_of(names: Sequence[str], negated: bool) -> str:
    if negated:
        return f"not {names[0]}" if len(names) == 1 else f"none of {_and(names)}"
    return _or(names)


def _together(parts: Sequence[str], word: str) -> str:
    """Clauses joined by a word, those that join parts of their own in brackets."""
    if len(parts) == 1:
        return parts[0]
    return f" {word} ".join(f"({part})" if _joined(part) else part for part in parts)


def _or(names: Sequence[str]) -> str:
    return _listed(names, "or")


def _and(names: Sequence[str]) -> str:
    return _listed(names, "and")


def _listed(names: Sequence[str], word: str) -> str:
    if len(names) == 1:
        return names[0]
    return f"{', '.join(names[:-1])} {word} {names[-1]}"


def _joined(text: str) -> bool:
    """Whether a text joins parts of its own and needs brackets to stand inside another join."""
    spoken = re.sub("«[^»]*»", "", text)
    return " and " in spoken or " or " in spoken
