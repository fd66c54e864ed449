"""Every sentence the program says of a finding, at one place (MEANING 11).

A report says what the record shows and what the source lists, in words that a nurse can check
against the chart. It never says what to do with a person. A presumed answer is worded as silence:
*nothing recorded of ...; taken as absent*. A trial's title and a criterion's paraphrase are quoted,
and are not ours.

All of it is plain ASCII, so that it reads the same on any terminal; concept labels come from the
vocabulary as they are.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..model.finding import Assumption, ChangesOn, CriterionResult, Evidence, Finding, Margin, Need, Notice, Reason
from ..model.patient import DEATH_UNREAD
from ..model.quantity import say
from ..model.time import date_of, day_of
from ..sources.sheet_layout import NOT_ASKED, empty_row

if TYPE_CHECKING:
    from ..vocabulary.vocabulary import Vocabulary

CONVENTIONS = (
    "The record is of one person.",
    "Code lists declared complete, and the site's code map, are complete for the systems they name.",
    "An order with status active, completed, on hold or stopped was taken.",
    "What was ongoing when the record was written is ongoing on the screening date.",
    "The latest recorded result speaks for the patient.",
)
"""What every answer takes for granted, listed once in the header of every result (MEANING 1)."""

ABSENCE = {
    "presumed": "Where a record has entries of a family (conditions, medications, ...), what it does not name is taken as absent; "
    "such silence can let a criterion pass and never makes a barrier.",
    "unknown": "What a record does not name is left open: silence answers nothing.",
}

DECIDES = (
    "This finds barriers and open questions in a record. It does not say who can or cannot take part: a person decides, "
    "from the chart and the full protocol."
)

STATUS = {
    "barrier_found": "barrier found",
    "undetermined": "undetermined",
    "no_barrier_found": "no barrier found",
}

STATUS_MEANS = {
    "barrier_found": "the record shows something that the published list bars, or lacks by its own values something that it asks for",
    "undetermined": "nothing recorded stands in the way, and the record leaves criteria open",
    "no_barrier_found": "nothing recorded stands in the way of the criteria a record can answer; people still have theirs to answer",
}

COMPLETENESS = {
    "full": "the public record lists all its criteria; the protocol may hold more",
    "partial": "the public record lists only some of the criteria",
    "metadata": "the public record lists no criteria that can be screened",
}

RECRUITMENT = {
    "recruiting": "recruiting",
    "not-yet-recruiting": "not yet recruiting",
    "active-not-recruiting": "active, not recruiting",
    "enrolling-by-invitation": "enrolling by invitation",
    "suspended": "suspended",
    "terminated": "terminated",
    "completed": "completed",
    "withdrawn": "withdrawn",
    "unknown": "recruitment not known",
}

EFFECT = {"passes": "passes", "blocks": "barrier", "open": "open"}

PUBLISHED = {
    "computable": "answered from a record",
    "part": "answered in part from a record, in part by a person",
    "ask": "questions for a person",
    "not_published": "asked for, without public detail",
    "note": "notes that ask nothing",
}

BASIS = {
    "recorded": "recorded",
    "presumed_absent": "nothing recorded; taken as absent",
    "attested": "answered by a person",
    "derived": "computed from recorded values",
    "none": "not known",
}

_CHANGE = {
    "passes": "this criterion passes",
    "blocks": "this criterion becomes a barrier",
    "open": "this criterion becomes open",
}

# {item} is the label of the concept (or the question), {about} the same at the beginning of a sentence
_REASON = {
    "conflicting": "entries about {item} contradict each other",
    "two_readings": "the published wording can be read in more than one way, and the readings give different answers",
    "unconfirmed": "an entry may be {item} and is not certain to be",
    "not_understood": "an entry may stand for {item}, and its code or words do not say",
    "imprecise_date": "the date of {item} is not exact enough",
    "imprecise_value": "the value of {item} is not exact enough",
    "unit": "the unit of {item} is missing or is not one known for it",
    "implausible": "the value of {item} is outside what a living person can have",
    "no_reference_range": "there is no reference range (or no weight) to compare {item} with",
    "out_of_window": "{item} is recorded, but not in the time asked about",
    "not_recorded": "nothing recorded of {item}",
    "future": "the time asked about for {item} reaches past the screening date",
    "needs_judgement": "a person has to answer: {item}",
    "not_published": "the source asks for this without publishing the detail: {item}",
}

# where there is no concept or question to name
_REASON_PLAIN = {
    "conflicting": "entries contradict each other",
    "unconfirmed": "an entry is not certain",
    "not_understood": "an entry's code or words do not say what it is",
    "imprecise_date": "a date is not exact enough",
    "imprecise_value": "a value is not exact enough",
    "unit": "a unit is missing or not known",
    "implausible": "a value is outside what a living person can have",
    "no_reference_range": "there is no reference range to compare with",
    "out_of_window": "recorded, but not in the time asked about",
    "not_recorded": "nothing recorded",
    "future": "the time asked about reaches past the screening date",
    "needs_judgement": "a person has to answer",
    "not_published": "the source asks for this without publishing the detail",
}

# where the engine names what of the entry is the matter, other than what the code itself says
_REASON_ABOUT = {
    "conflicting": "entries contradict each other about {subject}",
    "two_readings": "the published wording can be read in more than one way about {subject}",
    "unconfirmed": "{subject} is not certain",
    "not_understood": "{subject} could not be read",
    "imprecise_date": "{subject} is not exact enough",
    "imprecise_value": "{subject} is not exact enough",
    "unit": "the unit of {subject} is missing or is not one known for it",
    "implausible": "{subject} is outside what a living person can have",
    "no_reference_range": "there is nothing to compare {subject} with: no reference range, or no body weight",
    "out_of_window": "{subject} is recorded, but not in the time asked about",
    "not_recorded": "{subject} is not recorded",
    "future": "{subject} reaches past the screening date",
    "needs_judgement": "a person has to answer about {subject}",
    "not_published": "the source publishes no limit for {item}",
}
_REASON_OF_ATTRIBUTE = {
    "input": "nothing recorded of {item}, from which the value is computed",
    "course": "nothing says that there was no other course of {item}",
    "event": "nothing recorded of {item}, from which the time is counted",
    "episode": "the entries of {item} may tell one event twice",
    "attestation": "people have answered differently on the same day: {item}",
}
_EXPECTED_DETAIL = {
    "conflicting": ("start", "value", "status", "birth_date", "deceased"),
    "unconfirmed": ("status", "start", "value"),
    "not_understood": ("code", "entry"),
    "imprecise_date": ("start", "day", "date", "birth_date", "deceased"),
    "imprecise_value": ("value",),
    "unit": ("value", "unit"),
    "implausible": ("value",),
    "no_reference_range": ("range", "value"),
    "future": ("start", "value", "birth_date"),
    "out_of_window": ("start", "value"),
}

_ATTRIBUTE = {
    "day": "day",
    "date": "date",
    "start": "start date",
    "end": "end date",
    "value": "value",
    "unit": "unit",
    "range": "reference range",
    "status": "status",
    "verification": "status",
    "dose": "dose",
    "per_day": "number of intakes a day",
    "frequency": "number of intakes a day",
    "route": "route",
    "outcome": "outcome",
    "grade": "grade",
    "severity": "severity",
    "weight": "body weight",
    "episode": "answer whether it is the same event as another entry",
    "concept": "exact kind",
    "code": "code",
    "entry": "entry",
    "input": "value",
    "event": "event",
    "course": "courses",
    "birth_date": "birth date",
    "deceased": "date of death",
    "attestation": "answer",
    "intake": "number of intakes a day",
}

FAMILY = {
    "condition": "conditions",
    "observation": "results",
    "medication": "medications",
    "procedure": "procedures",
    "immunization": "immunizations",
    "allergy": "allergies",
}

_ONE_OF_FAMILY = {
    "condition": "an entry",
    "observation": "a result",
    "medication": "an entry",
    "procedure": "an entry",
    "immunization": "an entry",
    "allergy": "an entry",
}

_NOTICE = {
    "deceased": "The record says that this person has died",
    "repaired": "The record contradicts itself",
    "attestation_lapsed": "An answer given by a person no longer holds",
}

_DEATH_UNREAD = "a word on death that could not be read"

# no chart is older or reaches further; what lies beyond is an end of time, or a day counted from one
_FIRST_DAY, _LAST_DAY = day_of(dt.date(1000, 1, 1)), day_of(dt.date(2999, 12, 31))

DEATH = "Died on or before the screening date"


def _same(text: str) -> str:
    return text


def _never(_: str) -> bool:
    return False


@dataclass(frozen=True)
class Words:
    """Turns findings into sentences; ``label`` says a concept's name, ``phrase`` a rule in English.

    ``is_event`` tells conditions that have a day and no course (a relapse, an infarction).

    >>> Words().reason(Reason("not_recorded", "edss"))
    'nothing recorded of edss'
    """

    label: Callable[[str], str] = _same
    phrase: Callable[[Any], str] = str
    is_event: Callable[[str], bool] = _never

    @classmethod
    def of(cls, vocabulary: Vocabulary) -> Words:
        """The words of a vocabulary's labels."""

        concepts = vocabulary.concepts

        def label(item: str) -> str:
            if item in concepts:
                return concepts[item].label
            parts = item.split(_LIST)
            if len(parts) > 1 and all(part in concepts for part in parts):
                return _listed([concepts[part].label for part in parts])
            return item

        def phrase(statement: Any) -> str:
            from ..language import phrasing  # only a report that shows rules in English pays for it

            return phrasing.phrase(statement, vocabulary)

        def is_event(item: str) -> bool:
            return item in concepts and concepts[item].course == "event"

        return cls(label, phrase, is_event)

    # -- days ----------------------------------------------------------------------------------

    def span(self, start: int | None, end: int | None) -> str:
        """A time between two days, in words; empty where both ends are open.

        >>> Words().span(20000, None)
        'on or after 2024-10-04'
        """
        first, last = day_text(start), day_text(end)
        if first and last:
            return f"on {first}" if first == last else f"between {first} and {last}"
        if first:
            return f"on or after {first}"
        return f"on or before {last}" if last else ""

    # -- answers -------------------------------------------------------------------------------

    def reason(self, reason: Reason, entry: str | None = None) -> str:
        """Why an answer is not known; ``entry`` is what the entry that the reason points at is called."""
        item = self.label(reason.item) if reason.item else ""
        if reason.code == "not_recorded" and reason.item.startswith(_SITE):
            return f"{_own(reason.item)} is not given"
        if reason.code == "not_understood" and (gap := self._gap(reason.source, item)):
            return gap + _pointer(reason.source)
        if entry is not None and reason.code not in ("unconfirmed", "not_understood"):
            item = entry
        if item and reason.detail in _ATTRIBUTE and reason.detail not in _EXPECTED_DETAIL.get(reason.code, ()):
            about = _REASON_OF_ATTRIBUTE.get(reason.detail) or _REASON_ABOUT[reason.code]
            return about.format(subject=f"the {_ATTRIBUTE[reason.detail]} of {item}", item=item) + _pointer(reason.source)
        known = _REASON[reason.code] if item else _REASON_PLAIN.get(reason.code, _REASON[reason.code])
        text = known.format(item=item)
        if reason.detail and reason.detail not in _ATTRIBUTE and reason.detail != reason.item:
            text += f": {reason.detail}" if ":" not in text else f" ({reason.detail})"
        return text + _pointer(reason.source)

    def why(self, answer: CriterionResult | Finding) -> list[str]:
        """A sentence for each reason of an answer, aware of what is recorded all the same."""
        recorded = {evidence.concept for evidence in answer.evidence if evidence.absence is None}
        entries = self._entries(answer.evidence)
        return [
            f"too little recorded of {self.label(reason.item)} to answer this"
            if reason.code == "not_recorded" and not reason.detail and reason.item in recorded
            else self.reason(reason, entries.get(reason.source or ""))
            for reason in answer.reasons
        ]

    def _entries(self, evidence: tuple[Evidence, ...]) -> dict[str, str]:
        """What the entries of the evidence are called, by their pointers."""
        return {one.source: self.label(one.concept) for one in evidence if one.source and one.concept}

    def need(self, need: Need, entry: str | None = None, beside: bool = False) -> str:
        """One thing that would settle an open answer, or one alternative of it. ``beside``: some such entry is on record."""
        item = self.label(need.item) if need.item else "it"
        span = self.span(need.start, need.end)
        if need.do in ("record", "refine") and (own := _own(need.item, exact=need.do == "refine")):
            return own
        match need.do:
            case "record":
                if need.absence:
                    when = f" {span}" if span else ""
                    if need.family == "observation":
                        return f"a statement that the results of {item}{when} are complete"
                    none = (
                        ("nothing else of" if beside else "nothing of") if item.startswith("the list ") else "no other" if beside else "no"
                    )
                    return f"a statement that there was {none} {item}{when}"
                one = _ONE_OF_FAMILY.get(need.family or "", "an entry")
                return f"{one} of {item} dated {span}" if span else f"{one} of {item}"
            case "refine":
                what = item if entry is None or need.attribute in ("status", "code", "concept") else entry
                return f"the {_attribute(need.attribute)} of {what}{_pointer(need.source)}"
            case "map" if self._gap(need.source, item):
                row = empty_row(need.source)
                return f"an answer of the sheet for {self.label(row.concept) if row else item}{_pointer(need.source)}"
            case "map":
                return f"what this entry means, and whether it is {item}{_pointer(need.source)}"
            case "attest":
                return f"a person's answer: {item}"
            case "anchor":
                return f"the date of {need.item}"
            case "wait":
                after = day_text(need.start)
                return f"time: {item} cannot be answered before {after}" if after else f"time: {item} lies after the screening date"
            case "none":
                return f"nothing recorded today settles this: {_UNSETTLED.get(need.attribute or '', item)}"

    def needs(self, answer: CriterionResult | Finding) -> list[list[str]]:
        """A sentence for each alternative of each need of an answer, in their shape."""
        entries = self._entries(answer.evidence)
        listed = answer.settled_by if isinstance(answer, CriterionResult) else answer.needs
        there = {one.family for one in answer.evidence if one.concept and not one.absence}
        return [[self.need(one, entries.get(one.source or ""), one.family in there) for one in alternatives] for alternatives in listed]

    def settled_by(self, answer: CriterionResult) -> list[str]:
        """Everything that is needed, its alternatives joined by *or*, each once.

        What is needed several times says how often, and a statement of absence that a wider one
        takes in is left out.
        """
        texts: dict[str, None] = {}
        for alternatives, said in zip(answer.settled_by, self.needs(answer), strict=True):
            if not said or any(_takes_in(other, alternatives) for other in answer.settled_by):
                continue
            text = ", or ".join(dict.fromkeys(said))
            times = answer.settled_by.count(alternatives)
            texts[text if times == 1 else f"{times} of these, on different days: {text}"] = None
        return list(texts)

    def assumption(self, assumed: Assumption) -> str:
        """What an answer took for granted."""
        item = self.label(assumed.item) if assumed.kind in ("silence", "presumed_not", "site_range") else assumed.item
        span = self.span(assumed.start, assumed.end)
        when = f" {span}" if span else ""
        match assumed.kind:
            case "silence":
                first = day_text(assumed.since)
                family = FAMILY.get(assumed.family or "", "entries")
                since = f" (the record's {family} begin {first})" if first else ""
                return f"nothing recorded of {item}{when}; taken as absent{since}"
            case "presumed_not":
                family = FAMILY.get(assumed.family or "", "entries")
                count = assumed.count or len(assumed.sources)
                listed = f" [{', '.join(assumed.sources[:5])}{', ...' if len(assumed.sources) > 5 else ''}]" if assumed.sources else ""
                entries = "1 entry" if count == 1 else f"{count} entries"
                return f"{entries} among {family} not coded as {item} and with no word of it; taken as something else{listed}"
            case "before_anchor":
                return f"nothing new between the screening date and {item}"
            case "horizon":
                return f"{item} has no date; read as any day {span}" if span else f"{item} has no date"
            case "scheduled":
                return f"{item} falls where the schedule puts it: {span}" if span else f"{item} falls where the schedule puts it"
            case "assumed_width":
                return f"how old a result may be at {item} is assumed in the rule file; the source does not say"
            case "site_range":
                return f"the reference range of {item} is the site's own"

    def evidence(self, evidence: Evidence) -> str:
        """One fact as the chart shows it, with its date, value and place."""
        dates = self._dates(evidence)
        if evidence.absence is not None:
            return f"the record states: {evidence.absence}{f' ({dates})' if dates else ''}{_pointer(evidence.source)}"
        if gap := self._gap(evidence.source, "this"):
            return gap + _pointer(evidence.source)
        if evidence.concept == "death" and evidence.start == DEATH_UNREAD.text:
            return _DEATH_UNREAD
        parts = [self.label(evidence.concept) if evidence.concept else FAMILY[evidence.family]]
        if evidence.value is not None:
            unit = f" {evidence.unit}" if evidence.unit and evidence.unit != "1" else ""
            parts.append(f"{evidence.value}{unit}")
        if dates:
            parts.append(dates)
        marks = [mark for mark in (evidence.status, None if evidence.certain else "not certain to count") if mark]
        if marks:
            parts.append(f"({', '.join(marks)})")
        return " ".join(parts) + _pointer(evidence.source)

    def _gap(self, source: str | None, item: str) -> str | None:
        """What an entry is that stands for an empty row of an abstraction sheet, or for all it has no row for.

        It may be any of many things, and its own name is none that was written down.
        """
        if (row := empty_row(source)) is not None:
            return f"the sheet is not filled in for {self.label(row.concept)}"
        return f"the sheet did not ask about {item}" if source is not None and source.endswith(NOT_ASKED) else None

    def _dates(self, evidence: Evidence) -> str:
        start, end = evidence.start, evidence.end
        if start and end:
            return f"on {start}" if start == end else f"{start} to {end}"
        if end:
            return f"until {end}"
        if not start or evidence.concept in _DATE_ALONE:
            return start or ""
        course = evidence.family in ("condition", "medication", "allergy") and not self.is_event(evidence.concept or "")
        return f"from {start}" if course or evidence.absence else f"on {start}"

    def margin(self, margin: Margin) -> str:
        """How far the deciding value is from the limit."""
        amount = abs(margin.amount)
        unit = "" if margin.unit in ("", "1") else margin.unit
        if unit in ("day", "fact", "entry") and amount != 1:
            unit = {"entry": "entries"}.get(unit, unit + "s")
        length = f"{say(amount)} {unit}".strip()
        return f"{length} {'inside' if margin.inside else 'outside'} what is asked about" if amount else "exactly at the limit"

    def changes_on(self, change: ChangesOn) -> str:
        """What the passage of time alone does to a criterion."""
        return f"on {day_text(change.day)}, with nothing new recorded, {_CHANGE[change.effect]}"

    def notice(self, notice: Notice) -> str:
        """Something to know of the record before anything else."""
        if self.death_unread(notice):
            return f"The record holds {_DEATH_UNREAD}: this person may have died"
        text = _NOTICE[notice.code]
        if notice.date:
            text += f" ({notice.date})"
        if notice.detail and notice.code != "deceased":
            text += f": {notice.detail}"
        return text + _pointer(notice.source)

    @staticmethod
    def death_unread(notice: Notice) -> bool:
        """Whether a notice of death rests on a word that could not be read: then the record does not say that they died."""
        return notice.code == "deceased" and notice.date == DEATH_UNREAD.text

    def paraphrase(self, result: CriterionResult) -> str:
        """The criterion as the rule file paraphrases it: quoted, not our voice."""
        text = getattr(result.criterion, "text", None)
        return str(text) if text else DEATH

    def basis(self, result: CriterionResult) -> str:
        """What a known answer rests on."""
        return BASIS[result.basis]


def day_text(day: int | None) -> str | None:
    """A day number as ISO date; None for an open end.

    >>> day_text(0)
    '1970-01-01'
    """
    if day is None or not _FIRST_DAY <= day <= _LAST_DAY:
        return None
    return date_of(day).isoformat()


def plural(count: int, one: str, many: str | None = None) -> str:
    """A count with its noun.

    >>> plural(2, "entry", "entries")
    '2 entries'
    """
    return f"{count} {one if count == 1 else many or one + 's'}"


_LIST = ", "
_MOST_LISTED = 4


def _listed(names: list[str]) -> str:
    """The entries of a rule's list: all of a short one, the first of a long one."""
    if len(names) <= _MOST_LISTED:
        return f"{', '.join(names[:-1])} or {names[-1]}"
    return f"{', '.join(names[: _MOST_LISTED - 1])} or another of the {len(names)} that the rule lists"


def _takes_in(wider: tuple[Need, ...], narrower: tuple[Need, ...]) -> bool:
    """Whether one statement of absence says all that another would, and more."""
    if len(wider) != 1 or len(narrower) != 1:
        return False
    (a,), (b,) = wider, narrower
    if not (a.absence and b.absence and a.family == b.family and a.do == b.do == "record"):
        return False
    return set(a.item.split(_LIST)) > set(b.item.split(_LIST)) and (a.start, a.end) == (b.start, b.end)


_SITE = "site "
_UNSETTLED = {
    "two_readings": "the published wording has more than one reading",
    "not_published": "the source publishes no detail of it",
}


def _own(item: str, exact: bool = False) -> str | None:
    """What is no entry of the chart but of the person or the site, as a noun; None for all else."""
    if item.startswith(_SITE):
        return f"the site's {item.removeprefix(_SITE)} (a fact of the site file)"
    if item in ("birth date", "sex"):
        return f"the {'exact ' if exact and item == 'birth date' else ''}{item}"
    return "the exact date of death" if item == "death" else None


# what of an entry would settle an answer, where that takes more words than its name
_NEEDED = {
    "day": "exact day",
    "date": "exact date",
    "start": "exact start date",
    "end": "exact end date",
    "status": "status (confirmed or not)",
    "verification": "status (confirmed or not)",
    "outcome": "outcome (response, no response, loss of response, intolerance)",
    "code": "meaning",
}


def _attribute(name: str | None) -> str:
    return _NEEDED.get(name or "") or _ATTRIBUTE.get(name or "", (name or "detail").replace("_", " "))


def _pointer(source: str | None) -> str:
    return f" [{source}]" if source else ""


# what a person has once in life: the date says it
_DATE_ALONE = ("birth date", "death")
