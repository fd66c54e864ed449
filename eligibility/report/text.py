"""Results as text for a terminal, a pipe, or paper: 80 columns, no colour unless asked for.

``screening`` says the summary first and then, for each patient and trial, the barriers, what is
open and what would settle it, the questions for a person, and what passes. ``explanation`` says
everything of one trial, with the rule in English and the answers below each criterion.
"""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..model.finding import Counts, CriterionResult, Finding, PatientResult, Screening
from ..model.truth import Truth
from .flags import NO_FLAG, FlagPage
from .json import read, reading_of
from .results import Envelope, Intake, PatientReport, Results, TrialSummary
from .words import ABSENCE, BASIS, COMPLETENESS, CONVENTIONS, DECIDES, EFFECT, RECRUITMENT, STATUS, STATUS_MEANS, Words, plural

WIDTH = 80
_LABEL = 9
_SHORTEST_ID = 12
_MOST_NOTES = 20
_SILENCES = ("silence", "presumed_not")
IN_FULL = 3  # so many pairs of patient and trial are shown in full; beyond, only what decides is


@dataclass(frozen=True)
class Ink:
    """Emphasis for a terminal; the plain one adds nothing."""

    colour: bool = False

    def bold(self, text: str) -> str:
        """A heading."""
        return f"\x1b[1m{text}\x1b[0m" if self.colour else text

    def alert(self, text: str) -> str:
        """A barrier, or a notice to read first."""
        return f"\x1b[1;31m{text}\x1b[0m" if self.colour else text


PLAIN = Ink()


def screening(results: Results, words: Words, *, width: int = WIDTH, ink: Ink = PLAIN, changes: Sequence[str] = ()) -> str:
    """The results of ``screen`` as text, with a newline at the end.

    ``changes`` are lines to stand behind the summary: what is different since last time, what lapses.
    """
    page = _Page(words, max(width, 40), ink)
    page.header(results)
    page.summary(results)
    page.lines(changes)
    many = sum(len(report.result.screenings) for report in results.patients) > IN_FULL
    if many and any(screening.status == "barrier_found" for _, screening in results.screenings()):
        page.note("Beside a barrier the other criteria are named by id; explain shows them in full.")
    for report in results.patients:
        page.patient(report, results, many)
    page.footer(results)
    return page.text()


def explanation(results: Results, words: Words, *, criterion: str | None = None, width: int = WIDTH, ink: Ink = PLAIN) -> str:
    """Everything of each patient and trial, or of the one criterion named."""
    page = _Page(words, max(width, 40), ink)
    page.header(results)
    for report in results.patients:
        page.explained(report, results, criterion)
    page.footer(results, conventions=True)
    return page.text()


def clean(text: str) -> str:
    """Text of a chart or a file without control characters, which a terminal would obey.

    >>> clean("a\\x1b[2Jb\\nc")
    'a [2Jb c'
    """
    return "".join(" " if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp") else c for c in text)


_ASCII = {
    "≥": ">=",
    "≤": "<=",
    "×": "x",
    "–": "-",
    "—": "-",
    "‑": "-",
    "−": "-",
    "’": "'",
    "‘": "'",
    "“": '"',
    "”": '"',
    "«": '"',
    "»": '"',
    "…": "...",
    "µ": "u",
    "μ": "u",
    "°": " deg",
    "±": "+-",
    "α": "alpha",
    "β": "beta",
    "γ": "gamma",
    "κ": "kappa",
    "λ": "lambda",
    "ß": "ss",
    "ø": "o",
    "Ø": "O",
    "æ": "ae",
    "Æ": "AE",
}


def ascii_only(text: str) -> str:
    """Text for a stream that can carry only ASCII: signs spelt out, accents dropped, the rest marked.

    >>> ascii_only("Sjögren, ≥ 2 µmol")
    'Sjogren, >= 2 umol'
    """
    if text.isascii():
        return text
    spelt = "".join(_ASCII.get(character, character) for character in text)
    decomposed = "".join(c for c in unicodedata.normalize("NFKD", spelt) if not unicodedata.combining(c))
    return decomposed.encode("ascii", "replace").decode("ascii")


def columns(rows: Sequence[Sequence[str]], right: Iterable[int] = ()) -> list[str]:
    """Rows as columns wide enough for their cells; those numbered in ``right`` are set to the right."""
    to_right = set(right)
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [cell.rjust(widths[i]) if i in to_right else cell.ljust(widths[i]) for i, cell in enumerate(row)]
        lines.append("  ".join(cells).rstrip())
    return lines


def wrapped(text: str, width: int, first: str = "", then: str | None = None) -> list[str]:
    """One paragraph as lines; ``first`` begins the first of them and ``then`` (spaces of that length) the others."""
    rest = " " * len(first) if then is None else then
    return textwrap.wrap(clean(text), width, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)


class _Page:
    """Lines of one report, wrapped as they are written."""

    def __init__(self, words: Words, width: int, ink: Ink) -> None:
        self._words = words
        self._width = width
        self._ink = ink
        self._lines: list[str] = []

    def text(self) -> str:
        return "\n".join(self._lines).rstrip("\n") + "\n"

    # -- writing -------------------------------------------------------------------------------

    def _line(self, text: str = "") -> None:
        self._lines.append(text)

    def _wrap(self, text: str, first: str = "", then: str | None = None) -> None:
        """One paragraph; ``first`` begins its first line and ``then`` (spaces of that length) the others."""
        self._lines += wrapped(text, self._width, first, then) or [first.rstrip()]

    def _item(self, label: str, text: str, indent: int) -> None:
        self._wrap(text, f"{' ' * indent}{label:<{_LABEL}}")

    def _heading(self, text: str, alert: bool = False) -> None:
        self._line()
        self._line(self._ink.alert(text) if alert else self._ink.bold(text))

    # -- parts ---------------------------------------------------------------------------------

    def header(self, results: Results) -> None:
        envelope = results.envelope
        records, trials = plural(len(results.patients), "record"), plural(len(envelope.trials), "trial")
        self._line(self._ink.bold(f"Screening of {records} against {trials}, as of {envelope.as_of}"))
        self._wrap(ABSENCE[envelope.absence])
        for name, date in envelope.anchors.items():
            self._wrap(f"Date given: {name} on {date}.")

    def summary(self, results: Results) -> None:
        if not results.patients:
            return
        self._line()
        rows = [("patient", "trial", "status", "barriers", "open", "ask", "passes")]
        for report, screening in results.screenings():
            rows.append((clean(report.patient), screening.trial, STATUS[screening.status], *_summary_counts(screening.counts)))
            for arm in screening.arms:
                closed = "" if arm.open else " (closed)"
                rows.append(("", f"  {arm.arm}{closed}", STATUS[arm.status], *_summary_counts(arm.counts)))
        over = max(map(len, columns(rows))) - self._width
        if over > 0:  # long ids, such as UUIDs; the whole id stands above the details
            room = max(max(len(row[0]) for row in rows) - over, _SHORTEST_ID)
            rows = [(_middle(row[0], room), *row[1:]) for row in rows]
        first, *rest = columns(rows, right=range(3, 7))
        self._line(self._ink.bold(first))
        self._lines += rest
        failed = sum(problem.severity == "error" for problem in results.problems)
        if failed:
            self._wrap(f"{plural(failed, 'error')} in what came in; listed at the end.")
        if any(screening.arms for _, screening in results.screenings()):
            self._wrap("Arms are listed below their trial; their counts take in the criteria shared by all arms.")

    def note(self, text: str) -> None:
        self._wrap(text)

    def lines(self, lines: Sequence[str]) -> None:
        self._lines += lines

    def patient(self, report: PatientReport, results: Results, many: bool) -> None:
        self._patient_head(report)
        for screening in report.result.screenings:
            self._trial_head(results.trial(screening.trial))
            self._status(screening)
            shut = any(result.effect == "blocks" for result in screening.criteria)
            self._groups(screening.criteria, many, many and shut)
            for arm in screening.arms:
                self._heading(clean(f"  Arm {arm.arm}: {arm.title}"))
                closed = "" if arm.open else "; closed to entry, does not count"
                self._wrap(f"{STATUS[arm.status]} ({tally(arm.counts)}, shared criteria included{closed})", "  ")
                self._groups(arm.criteria, many, many and arm.status == "barrier_found")
            if results.envelope.chainer != "none":
                FlagPage(self._words, self._wrap, self._heading).short(screening.flags, not many)

    def explained(self, report: PatientReport, results: Results, criterion: str | None) -> None:
        self._patient_head(report)
        self._ledger(report.intake)
        for screening in report.result.screenings:
            self._trial_head(results.trial(screening.trial))
            self._status(screening)
            for result in screening.criteria:
                if criterion is None or result.id == criterion:
                    self._explain(result)
            for arm in screening.arms:
                chosen = [result for result in arm.criteria if criterion is None or result.id == criterion]
                if chosen:
                    self._heading(clean(f"Arm {arm.arm}: {arm.title}"))
                    self._wrap(f"{STATUS[arm.status]} ({tally(arm.counts)}, shared criteria included)")
                for result in chosen:
                    self._explain(result)
            if results.envelope.chainer != "none" and criterion is None:
                FlagPage(self._words, self._wrap, self._heading).full(screening.flags)

    def footer(self, results: Results, conventions: bool = False) -> None:
        envelope = results.envelope
        if envelope.trials:
            self._heading("What the published lists are")
            for summary in envelope.trials:
                self._published(summary)
        errors = [problem for problem in results.problems if problem.severity == "error"]
        if errors:
            self._heading("What could not be read", alert=True)
            for problem in errors:
                self._wrap(str(problem), "  ", "    ")
        notes = [problem for problem in results.problems if problem.severity != "error"]
        if notes:
            self._heading("Notes on what came in")
            for problem in notes[:_MOST_NOTES]:
                self._wrap(str(problem), "  ", "    ")
            if len(notes) > _MOST_NOTES:
                self._wrap(f"and {len(notes) - _MOST_NOTES} more, all of them in the JSON", "  ")
        self._heading("What every answer takes for granted")
        if conventions:
            for convention in CONVENTIONS:
                self._wrap(convention, "  - ", "    ")
        else:
            self._wrap(" ".join(CONVENTIONS), "  ")
        for means in dict.fromkeys(screening.status for _, screening in results.screenings()):
            self._wrap(f'"{STATUS[means]}": {STATUS_MEANS[means]}.', "  ")
        self._wrap(NO_FLAG if envelope.chainer != "none" else f"Flags were not looked at. {NO_FLAG}", "  ")
        self._wrap(DECIDES, "  ")
        self._line()
        self._wrap(provenance(envelope))

    # -- a patient -----------------------------------------------------------------------------

    def _patient_head(self, report: PatientReport) -> None:
        self._line()
        title = f"== {clean(report.patient)} "
        self._line(self._ink.bold(title + "=" * max(4, self._width - len(title))))
        for text in notices_of(report.result, self._words):
            self._wrap(text, "! ", "  ")
        self._wrap(ledger_line(report.intake))

    def _ledger(self, intake: Intake) -> None:
        for source, text in intake.not_understood:
            self._wrap(f"{text} [{source}]" if text else f"[{source}]", "  not understood: ", "    ")
        for source, why in intake.set_aside:
            self._wrap(f"{why} [{source}]", "  set aside: ", "    ")

    def _trial_head(self, summary: TrialSummary) -> None:
        header = summary.trial.trial
        self._line()
        lines = textwrap.wrap(f"{header.id}  {clean(header.title)}", self._width, subsequent_indent=" " * (len(header.id) + 2))
        self._lines += [self._ink.bold(line) for line in lines]

    def _status(self, screening: Screening) -> None:
        presumed = "; some criteria pass only because nothing is recorded" if screening.presumed else ""
        counted = tally(screening.counts)
        if screening.arms:
            counted = f"see its arms; shared by all of them: {counted}" if screening.criteria else "see its arms, which share no criterion"
        text = f"{STATUS[screening.status]} ({counted}{presumed})"
        self._wrap(text)

    # -- criteria ------------------------------------------------------------------------------

    def _groups(self, criteria: Sequence[CriterionResult], many: bool, brief: bool) -> None:
        """The criteria by what they come to; ``brief`` names by id what a barrier has made less pressing."""
        blocks = [result for result in criteria if result.effect == "blocks"]
        opened = [result for result in criteria if result.computable_open]
        asked = [result for result in criteria if result.effect == "open" and not result.computable_open]
        people = [result for result in asked if any(reason.code == "needs_judgement" for reason in result.reasons)]
        hidden = [result for result in asked if result not in people]
        absent = [result for result in criteria if result.not_applicable]
        passes = [result for result in criteria if result.effect == "passes" and not result.not_applicable]
        if blocks:
            self._heading("  Barriers", alert=True)
            for result in blocks:
                self._criterion(result)
                self._evidence(result)
                self._silence(result)
                self._time(result)
        if brief:
            self._line()
            self._ids("Also open", opened)
            self._ids("Questions for a person", people)
            self._ids("Without public detail", hidden)
        else:
            self._unanswered(opened, people, hidden)
        if passes and not many:
            self._passes(passes)
        elif passes:
            if not brief:
                self._line()
            for basis in dict.fromkeys(result.basis for result in passes):
                self._ids(f"Pass, {BASIS[basis]}", [result for result in passes if result.basis == basis])
        self._ids("Do not apply", absent)

    def _unanswered(self, opened: Sequence[CriterionResult], people: Sequence[CriterionResult], hidden: Sequence[CriterionResult]) -> None:
        if opened:
            self._heading("  Open: the record does not answer these")
            for result in opened:
                self._criterion(result)
                self._why(result)
                self._evidence(result)
                self._settle(result)
                self._time(result)
        if people:
            self._heading("  Questions for a person")
            for result in people:
                self._criterion(result)
                for text in _questions(result, self._words):
                    self._item("answer", text, 8)
                self._evidence(result)
        if hidden:
            self._heading("  Asked for, without public detail")
            for result in hidden:
                self._criterion(result)
                self._why(result)
                self._evidence(result)

    def _ids(self, what: str, results: Sequence[CriterionResult]) -> None:
        """One line for criteria that need no more than their ids here."""
        if results:
            self._wrap(", ".join(result.id for result in results), f"  {what} ({len(results)}): ", "    ")

    def _criterion(self, result: CriterionResult) -> None:
        self._wrap(f'{result.kind}: "{self._words.paraphrase(result)}"', _start(result), " " * 8)

    def _passes(self, passes: Sequence[CriterionResult]) -> None:
        self._heading("  Pass")
        for result in passes:
            rest = f"  ({self._short_basis(result)})"
            start = _start(result)
            room = self._width - len(start) - len(rest)
            text = textwrap.shorten(clean(self._words.paraphrase(result)), max(room, 20), placeholder=" ...")
            self._line(f"{start}{text}{rest}")

    def _short_basis(self, result: CriterionResult) -> str:
        return "taken as absent" if result.basis == "presumed_absent" else BASIS[result.basis]

    def _why(self, result: CriterionResult) -> None:
        for text in _unique(self._words.why(result)):
            self._item("why", text, 8)

    def _evidence(self, result: CriterionResult) -> None:
        for text in _unique(self._words.evidence(one) for one in result.evidence):
            self._item("record", text, 8)

    def _silence(self, result: CriterionResult) -> None:
        """What a barrier takes as absent: a diagnosis the source wants documented, and none is."""
        for text in _unique(self._words.assumption(one) for one in result.assumes if one.kind in _SILENCES):
            self._item("record", text, 8)

    def _settle(self, result: CriterionResult) -> None:
        for position, text in enumerate(self._words.settled_by(result)):
            self._item("settled" if not position else "and", ("by " if not position else "") + text, 8)

    def _time(self, result: CriterionResult) -> None:
        if result.margin is not None:
            self._item("margin", self._words.margin(result.margin), 8)
        if result.changes_on is not None:
            self._item("ahead", self._words.changes_on(result.changes_on), 8)

    def _explain(self, result: CriterionResult) -> None:
        words = self._words
        self._line()
        effect = "does not apply" if result.not_applicable else EFFECT[result.effect]
        head = f"{result.id}  {result.kind}: {effect}"
        self._line(self._ink.alert(head) if result.effect == "blocks" else self._ink.bold(head))
        self._item("source", f'"{words.paraphrase(result)}"', 4)
        self._rule(result)
        self._item("answer", _answer(result), 4)
        for text in _unique(words.why(result)):
            self._item("why", text, 4)
        for text in _unique(words.evidence(one) for one in result.evidence):
            self._item("record", text, 4)
        for text in _unique(words.assumption(one) for one in result.assumes):
            self._item("assumes", text, 4)
        for position, text in enumerate(words.settled_by(result)):
            self._item("settled" if not position else "and", ("by " if not position else "") + text, 4)
        if result.margin is not None:
            self._item("margin", words.margin(result.margin), 4)
        if result.changes_on is not None:
            self._item("ahead", words.changes_on(result.changes_on), 4)
        if result.finding is not None and result.finding.clauses:
            self._line("    answers below it:")
            for clause in result.finding.clauses:
                self._clause(clause, result, 6)

    def _rule(self, result: CriterionResult) -> None:
        criterion = result.criterion
        for label, name in (("rule", "when"), ("only if", "applies_when"), ("unless", "unless")):
            statement = getattr(criterion, name, None)
            if statement is not None:
                self._item(label, self._words.phrase(statement), 4)
        for label, name in (("asks", "ask"), ("demands", "not_published"), ("note", "note")):
            words = getattr(criterion, name, None)
            if words is not None:
                self._item(label, str(words), 4)

    def _clause(self, finding: Finding, result: CriterionResult, indent: int) -> None:
        words, space = self._words, " " * indent
        self._wrap(words.phrase(finding.node), f"{space}{_mark(finding.truth, result):<8} ")
        deeper = indent + 9
        if not finding.clauses:
            for text in _unique(words.why(finding)):
                self._wrap(text, f"{' ' * deeper}- ")
            silences = [one for one in finding.assumes if one.kind in _SILENCES]
            for text in _unique([*map(words.evidence, finding.evidence), *map(words.assumption, silences)]):
                self._wrap(text, f"{' ' * deeper}- ")
        for below in finding.clauses:
            self._clause(below, result, indent + 2)

    # -- the end -------------------------------------------------------------------------------

    def _published(self, summary: TrialSummary) -> None:
        self._wrap(published_line(summary), f"  {summary.id}  ", "    ")


def published_line(summary: TrialSummary) -> str:
    """What a trial's published list is, how old, and how much of it a record can answer."""
    record, recruitment = summary.trial.trial.record, summary.trial.trial.recruitment
    if record is None:
        text = "the rule file does not say which public record it was read from"
    else:
        read_on = f", record of {record.date}" if record.date else ", record without a date"
        text = f"{record.registry}{read_on}: {COMPLETENESS[record.completeness]}"
    if recruitment is not None:
        text += f"; {RECRUITMENT[recruitment.status]}" + (f" as of {recruitment.as_of}" if recruitment.as_of else "")
    parts = [_PUBLISHED_SHORT[kind].format(count) for kind, count in summary.published.items() if count]
    return f"{text}. Criteria: {', '.join(parts) or 'none'}."


_PUBLISHED_SHORT = {
    "computable": "{} answered from a record",
    "part": "{} in part",
    "ask": "{} for a person",
    "not_published": "{} without public detail",
    "note": "{} asking nothing",
}


def _middle(text: str, room: int) -> str:
    """A text with its middle left out where it is longer than the room."""
    return text if len(text) <= room else f"{text[: room - 6]}..{text[-4:]}"


def _start(result: CriterionResult) -> str:
    return f"  {result.id:<5} "


def _unique(texts: Iterable[str]) -> Iterator[str]:
    return iter(dict.fromkeys(texts))


def _summary_counts(counts: Counts) -> tuple[str, str, str, str]:
    return str(counts.blocks), str(counts.open), str(counts.ask + counts.not_published), str(counts.passes)


def tally(counts: Counts) -> str:
    """How the criteria stand, in words."""
    parts = [
        plural(counts.blocks, "barrier"),
        f"{counts.open} open",
        f"{plural(counts.ask, 'question')} for a person",
        f"{counts.passes} pass",
    ]
    if counts.not_published:
        parts.insert(3, f"{counts.not_published} without public detail")
    if counts.not_applicable:
        parts.append("1 does not apply" if counts.not_applicable == 1 else f"{counts.not_applicable} do not apply")
    return ", ".join(parts)


def notices_of(result: PatientResult, words: Words) -> list[str]:
    """The notices, a death first."""
    ordered = sorted(result.notices, key=lambda notice: notice.code != "deceased")
    return [words.notice(notice) for notice in ordered]


def ledger_line(intake: Intake) -> str:
    """Where the entries of a record went, in one line."""
    parts = [f"{intake.facts} understood"]
    if intake.not_understood:
        parts.append(f"{len(intake.not_understood)} not understood")
    if intake.set_aside:
        parts.append(f"{len(intake.set_aside)} set aside")
    return f"Record {intake.file}: {plural(intake.entries, 'entry', 'entries')}, {', '.join(parts)}."


def _questions(result: CriterionResult, words: Words) -> Iterator[str]:
    """What a person is asked: the questions themselves where the rule states them."""
    asked = [reason for reason in result.reasons if reason.code == "needs_judgement"]
    other = [reason for reason in result.reasons if reason.code != "needs_judgement"]
    yield from _unique([*(f'"{words.label(reason.item)}"' for reason in asked), *(words.reason(reason) for reason in other)])


_SAYS = {"true": "holds", "false": "does not hold", "unknown": "not known"}


def _answer(result: CriterionResult) -> str:
    if result.not_applicable:
        return "asks nothing of this patient"
    text = _SAYS[read(result.truth, reading_of(result))]
    if result.effect == "passes" and result.presumed is not None:
        return f"{text} ({BASIS['presumed_absent']})"
    if result.presumed is not None:
        return f"{text} (if what is not recorded is absent, it {_SAYS[result.presumed]}; silence makes no barrier)"
    if result.basis not in ("none", "recorded"):
        return f"{text} ({BASIS[result.basis]})"
    return text


def _mark(truth: Truth, result: CriterionResult) -> str:
    reading = read(truth, reading_of(result))
    return {"true": "yes", "false": "no", "unknown": "unknown"}[reading]


def provenance(envelope: Envelope) -> str:
    """What a report rests on, in one line."""
    return f"eligibility {envelope.version}, rules {envelope.rules[:19]}, date {envelope.as_of}, absence {envelope.absence}"
