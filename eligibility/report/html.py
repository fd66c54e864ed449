"""The day list: one page for a screen and for paper, first a matrix of records and trials, then a record a sheet.

Each open criterion has a box to tick, each question for a person a *yes* and a *no* with the id that
``attest`` takes. It says what the text report says, in the same words.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ..engine.plan import Plan
from ..model.finding import ArmResult, Counts, CriterionResult, Screening
from ..model.flag import FlagFinding
from .flags import NO_FLAG, by_axis, chain, cited, population
from .markup import STYLE, Html, document, el, join, listed
from .questions import AskedOf, questions_of
from .results import PatientReport, Results, TrialSummary
from .since import KINDS, Lapse, Since, lapse_text, since_notes, status_change, turned_text
from .text import IN_FULL, ledger_line, notices_of, provenance, published_line, tally
from .words import ABSENCE, CONVENTIONS, DECIDES, EFFECT, STATUS, STATUS_MEANS, Words, day_text, plural

_SILENCES = ("silence", "presumed_not")
_MOST_NOTES = 30


@dataclass(frozen=True)
class Changes:
    """What is different since last time, and what lapses before a visit, where they were asked for."""

    since: Since | None = None
    visit: dt.date | None = None
    lapses: tuple[Lapse, ...] = ()


@dataclass
class _Page:
    """The state of one page: the words, what trials ask of people, and ids already given."""

    words: Words
    results: Results
    asked: Mapping[str, Mapping[str, AskedOf]]
    many: bool = False
    used: set[str] = field(default_factory=set)

    def anchor(self, *parts: str) -> str:
        """An id that no other element has."""
        plain = "-".join(
            "".join(sign if sign.isascii() and (sign.isalnum() or sign == "-") else "_" for sign in part) for part in parts if part
        )
        name, number = plain, 2
        while name in self.used:
            name, number = f"{plain}-{number}", number + 1
        self.used.add(name)
        return name


def page(results: Results, words: Words, plans: Mapping[str, Plan], *, changes: Changes | None = None) -> str:
    """The results as one self-contained HTML page; ``plans`` are the compiled trials, for the ids of their questions."""
    changes = changes or Changes()
    envelope = results.envelope
    many = sum(len(report.result.screenings) for report in results.patients) > IN_FULL
    on = _Page(words, results, {trial: questions_of(plan) for trial, plan in plans.items()}, many)
    title = (
        f"Screening of {plural(len(results.patients), 'record')} against {plural(len(envelope.trials), 'trial')}, as of {envelope.as_of}"
    )
    places = {report.patient: f"r{number}" for number, report in enumerate(results.patients, start=1)}
    header = el(
        "header",
        el("h1", title),
        el("p", DECIDES),
        el("p", ABSENCE[envelope.absence], class_="note"),
        *(el("p", f"Date given: {name} on {date}.", class_="note") for name, date in envelope.anchors.items()),
    )
    links = [el("a", report.patient, href=f"#{places[report.patient]}") for report in results.patients]
    nav = el("nav", listed(links), aria_label="Records") if links else None
    main = el(
        "main",
        _matrix(on, places),
        _since(changes.since, words) if changes.since is not None else None,
        _lapses(changes, words) if changes.visit is not None else None,
        _problems(results),
        *(_patient(on, report, places[report.patient]) for report in results.patients),
        id="main",
    )
    skip = el("a", "To the records and trials", href="#main", class_="skip")
    return document(title, STYLE, skip, header, nav, main, _footer(results))


# -- the matrix ------------------------------------------------------------------------------------


def _matrix(on: _Page, places: Mapping[str, str]) -> Html:
    results = on.results
    if not results.patients:
        return el("section", el("h2", "Records and trials", id="matrix"), el("p", "No record was read."), aria_labelledby="matrix")
    trials = results.envelope.trials
    head = el("tr", el("th", "Record", scope="col"), *(el("th", one.id, scope="col") for one in trials))
    rows = []
    for report in results.patients:
        by_trial = {screening.trial: screening for screening in report.result.screenings}
        told = [notice for notice in report.result.notices if notice.code == "deceased"]
        dead = "" if not told else " (may have died)" if on.words.death_unread(told[0]) else " (has died)"
        first = el("th", el("a", report.patient, href=f"#{places[report.patient]}"), dead, scope="row")
        cells = [_cell(by_trial[one.id], f"{places[report.patient]}-{number}") for number, one in enumerate(trials, start=1)]
        rows.append(el("tr", first, *cells))
    caption = "For each record and trial what was found, and how many criteria are open to the record and to people."
    table = el("table", el("caption", caption), el("thead", head), el("tbody", *rows))
    return el(
        "section",
        el("h2", "Records and trials", id="matrix"),
        el("div", table, class_="wide", tabindex="0", role="region", aria_label="Table of records and trials"),
        class_="matrix",
        aria_labelledby="matrix",
    )


_CELL = {"barrier_found": "barrier", "undetermined": "undecided", "no_barrier_found": "clear"}


def _cell(screening: Screening, place: str) -> Html:
    blocks, opened, asked = _totals(screening)
    parts = [STATUS[screening.status] + (f" ({blocks})" if blocks else "")]
    parts.append(f"{opened} open, {asked} for people")
    return el("td", el("a", parts[0], el("br"), parts[1], href=f"#{place}"), class_=_CELL[screening.status])


def _totals(screening: Screening) -> tuple[int, int, int]:
    """Barriers, open and for people; of a trial with arms in the arm that decides its status."""
    counts: Counts = screening.counts
    arms = [arm for arm in screening.arms if arm.open] or list(screening.arms)
    deciding = next((arm for arm in arms if arm.status == screening.status), None)
    if deciding is not None:
        counts = deciding.counts
    return counts.blocks, counts.open, counts.ask + counts.not_published


# -- what is different ------------------------------------------------------------------------------


def _since(change: Since, words: Words) -> Html:
    items = []
    for pair in change.pairs:
        turned = [join(el("b", label), f" {one.name}: {turned_text(one, words)}") for kind, label in KINDS.items() for one in pair.of(kind)]
        items.append(join(el("span", f"{pair.patient}, {pair.trial}", class_="id"), f": {status_change(pair)}", listed(turned)))
    return el(
        "section",
        el("h2", f"Since {change.as_of}", id="since"),
        *(el("p", note) for note in since_notes(change)),
        listed(items) or el("p", "Nothing else is different."),
        aria_labelledby="since",
    )


def _lapses(changes: Changes, words: Words) -> Html:
    assert changes.visit is not None
    items = [
        join(el("span", f"{one.patient}, {one.trial} {one.name}", class_="id"), f": {lapse_text(one, words)}") for one in changes.lapses
    ]
    return el(
        "section",
        el("h2", f"Until the visit on {changes.visit.isoformat()}, with nothing new recorded", id="visit"),
        listed(items) or el("p", "Time alone changes no criterion until then."),
        aria_labelledby="visit",
    )


def _problems(results: Results) -> Html:
    errors = [problem for problem in results.problems if problem.severity == "error"]
    notes = [problem for problem in results.problems if problem.severity != "error"]
    if not errors and not notes:
        return Html("")
    more = f"and {len(notes) - _MOST_NOTES} more, all of them in the JSON" if len(notes) > _MOST_NOTES else None
    return el(
        "section",
        el("h2", "What could not be read" if errors else "Notes on what came in", id="problems"),
        listed([join(str(problem)) for problem in errors]),
        el("h3", "Notes on what came in") if errors and notes else None,
        listed([join(str(problem)) for problem in notes[:_MOST_NOTES]]),
        el("p", more) if more else None,
        aria_labelledby="problems",
    )


# -- a record ---------------------------------------------------------------------------------------


def _patient(on: _Page, report: PatientReport, place: str) -> Html:
    on.used.add(place)
    notices = notices_of(report.result, on.words)
    trials = []
    for number, screening in enumerate(report.result.screenings, start=1):
        trials.append(_trial(on, report, screening, on.results.trial(screening.trial), f"{place}-{number}"))
    return el(
        "section",
        el("h2", f"Record {report.patient}", id=place),
        el("div", *(el("p", text) for text in notices), class_="notice", role="note", aria_label="To know first") if notices else None,
        el("p", ledger_line(report.intake), class_="note"),
        *trials,
        el("p", "Checked against the chart by (role): ______________________   Date: ______________", class_="sign"),
        class_="patient",
        aria_labelledby=place,
    )


def _trial(on: _Page, report: PatientReport, screening: Screening, summary: TrialSummary, place: str) -> Html:
    on.used.add(place)
    shut = any(result.effect == "blocks" for result in screening.criteria)
    head = tally(screening.counts)
    if screening.arms:
        head = f"see its arms; shared by all of them: {head}" if screening.criteria else "see its arms, which share no criterion"
    parts: list[Html | None] = [
        el("h3", f"{report.patient} and {screening.trial}: {summary.trial.trial.title}", id=place),
        el("p", f"{STATUS[screening.status]} ({head})", class_="status"),
        _criteria(on, place, screening.trial, screening.criteria, "", shut),
    ]
    for arm in screening.arms:
        parts.append(_arm(on, place, screening.trial, arm, shut))
    parts.append(_flags(on, screening.flags))
    parts.append(el("p", f"The published list: {published_line(summary)}", class_="note"))
    return el("section", *parts, class_="trial", aria_labelledby=place)


def _arm(on: _Page, place: str, trial: str, arm: ArmResult, shut: bool) -> Html:
    closed = "; closed to entry, does not count" if not arm.open else ""
    name = on.anchor(place, arm.arm)
    return el(
        "div",
        el("h4", f"Arm {arm.arm}: {arm.title}", id=name),
        el("p", f"{STATUS[arm.status]} ({tally(arm.counts)}, shared criteria included{closed})", class_="status"),
        _criteria(on, place, trial, arm.criteria, arm.arm, shut or arm.status == "barrier_found", level="h5"),
    )


def _criteria(on: _Page, place: str, trial: str, criteria: Sequence[CriterionResult], arm: str, shut: bool, level: str = "h4") -> Html:
    """The criteria of a list by what they come to; beside a barrier only the barriers are told in full."""
    blocks = [result for result in criteria if result.effect == "blocks"]
    opened = [result for result in criteria if result.computable_open]
    others = [result for result in criteria if result.effect == "open" and not result.computable_open]
    people = [result for result in others if any(reason.code == "needs_judgement" for reason in result.reasons)]
    hidden = [result for result in others if result not in people]
    parts: list[Html | None] = []
    if blocks:
        parts += [el(level, "Barriers"), listed([_barrier(on, result) for result in blocks])]
    if shut:
        parts += [_ids("Also open", opened), _ids("Questions for a person", people), _ids("Without public detail", hidden)]
    else:
        parts += [
            _boxes("Open: the record does not answer these", [_open(on, place, trial, result, arm) for result in opened], level),
            _boxes("Questions for a person", [_asked(on, place, trial, result, arm) for result in people], level),
            _boxes("Asked for, without public detail", [_asked(on, place, trial, result, arm) for result in hidden], level),
        ]
    parts += [_ahead(criteria, level), _passes(criteria)]
    return join(*parts)


def _boxes(title: str, items: list[Html], level: str) -> Html:
    return join(el(level, title), listed(items, "boxes")) if items else Html("")


def _ids(what: str, results: Sequence[CriterionResult]) -> Html:
    return el("p", f"{what} ({len(results)}): {', '.join(result.id for result in results)}") if results else Html("")


def _head(on: _Page, result: CriterionResult) -> Html:
    return join(el("span", result.id, class_="id"), f" {result.kind}: ", el("q", on.words.paraphrase(result)))


def _facts(pairs: Iterable[tuple[str, str]]) -> Html:
    return listed([join(el("b", label), " ", el("span", text)) for label, text in dict.fromkeys(pairs)], "facts")


def _barrier(on: _Page, result: CriterionResult) -> Html:
    words = on.words
    pairs = [("record", words.evidence(one)) for one in result.evidence]
    pairs += [("record", words.assumption(one)) for one in result.assumes if one.kind in _SILENCES]
    if result.margin is not None:
        pairs.append(("margin", words.margin(result.margin)))
    if result.changes_on is not None:
        pairs.append(("ahead", words.changes_on(result.changes_on)))
    return join(_head(on, result), _facts(pairs))


def _open(on: _Page, place: str, trial: str, result: CriterionResult, arm: str) -> Html:
    words = on.words
    name = on.anchor(place, arm, result.id)
    pairs = [("why", text) for text in words.why(result)]
    pairs += [("record", words.evidence(one)) for one in result.evidence]
    pairs += [("settled by" if not at else "and", text) for at, text in enumerate(words.settled_by(result))]
    box = el("input", type="checkbox", id=name)
    return join(box, el("label", _head(on, result), for_=name), _facts(pairs), _yes_no(on, place, trial, result, arm))


def _asked(on: _Page, place: str, trial: str, result: CriterionResult, arm: str) -> Html:
    words = on.words
    pairs = [("record", words.evidence(one)) for one in result.evidence]
    questions = _yes_no(on, place, trial, result, arm)
    if not questions:
        pairs = [("why", text) for text in words.why(result)] + pairs
    return join(_head(on, result), questions, _facts(pairs))


def _yes_no(on: _Page, place: str, trial: str, result: CriterionResult, arm: str) -> Html:
    """The questions of a criterion that are still open, each with a yes and a no under the id that attest takes."""
    needed = {need.item for alternatives in result.settled_by for need in alternatives if need.do in ("attest", "none")}
    needed |= {reason.item for reason in result.reasons if reason.code in ("needs_judgement", "not_published")}
    name = f"{arm}/{result.id}" if arm else result.id
    said = []
    for question in on.asked.get(trial, {}).values():
        if question.place != name or question.text not in needed:
            continue
        label = on.anchor(place, question.id)
        boxes = []
        for answer in ("yes", "no"):
            one = on.anchor(place, question.id, answer)
            box = el("input", type="checkbox", id=one, aria_describedby=label)
            boxes.append(el("label", box, answer, for_=one))
        text = el("span", el("span", question.id, class_="id"), f' "{question.text}"', id=label)
        said.append(el("div", text, el("br"), el("span", *boxes, class_="yesno", role="group", aria_labelledby=label), class_="question"))
    return join(*said)


def _ahead(criteria: Sequence[CriterionResult], level: str) -> Html:
    """What time alone will change, the nearest first; barriers say theirs themselves."""
    found = [(result.changes_on, result) for result in criteria if result.changes_on is not None and result.effect != "blocks"]
    found.sort(key=lambda one: one[0].day if one[0] is not None else 0)
    items = []
    for change, result in found:
        assert change is not None
        items.append(
            join(f"{day_text(change.day)}: ", el("span", result.id, class_="id"), f" {EFFECT[result.effect]}, then {EFFECT[change.effect]}")
        )
    return join(el(level, "Ahead, with nothing new recorded"), listed(items)) if items else Html("")


def _passes(criteria: Sequence[CriterionResult]) -> Html:
    passes = [result for result in criteria if result.effect == "passes" and not result.not_applicable]
    silent = [result for result in passes if result.presumed is not None]
    rest = [result for result in passes if result.presumed is None]
    absent = [result for result in criteria if result.not_applicable]
    return join(_ids("Pass", rest), _ids("Pass because nothing is recorded; taken as absent", silent), _ids("Do not apply", absent))


def _flags(on: _Page, flags: Sequence[FlagFinding]) -> Html:
    """Flags raised, each with why and by which source; what is not known by name."""
    if on.results.envelope.chainer == "none":
        return Html("")
    by_id = {flag.id: flag for flag in flags}
    parts: list[Html] = [el("h4", "Flags: what published sources list")]
    raised = False
    for axis, listing in by_axis(flags, "raised"):
        raised = True
        if on.many:
            parts.append(el("p", f"{axis}: {'; '.join(flag.rule.title for flag in listing)}"))
            continue
        items = []
        for flag in listing:
            because = [("because", text) for depth, text in chain(flag, by_id, on.words) if not depth]
            because.append(("source", f"{cited(flag.rule.source)}; evidence in {population(flag.rule)}"))
            items.append(join(el("span", flag.rule.title, class_="id"), f" ({flag.id})", _facts(because)))
        parts.append(join(el("p", axis), listed(items)))
    if not raised:
        parts.append(el("p", "None raised."))
    unknown = [flag.id for flag in flags if flag.state == "unknown"]
    if unknown:
        named = "explain says why they are raised, and what is missing" if on.many else ", ".join(unknown)
        parts.append(el("p", f"Not known: {len(unknown)} ({named})", class_="note"))
    return el("div", *parts)


# -- the end ----------------------------------------------------------------------------------------


def _footer(results: Results) -> Html:
    statuses = dict.fromkeys(screening.status for _, screening in results.screenings())
    return el(
        "footer",
        el("h2", "What every answer takes for granted", id="conventions"),
        listed([join(text) for text in CONVENTIONS]),
        *(el("p", f'"{STATUS[one]}": {STATUS_MEANS[one]}.') for one in statuses),
        el("p", DECIDES),
        el("p", NO_FLAG if results.envelope.chainer != "none" else f"Flags were not looked at. {NO_FLAG}"),
        el("p", "A box ticked here is written nowhere: a person's answers are kept with attest, under the ids printed beside the boxes."),
        el("p", provenance(results.envelope), class_="note"),
    )
