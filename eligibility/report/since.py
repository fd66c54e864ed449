"""What is different since an earlier result, and what lapses before a visit.

The earlier result is a screening's JSON (``eligibility/screening/1``) as this program wrote it. Only
effects are compared: a criterion that was open and passes is *closed*, whatever closed it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from ..errors import UsageError
from ..model.finding import CriterionResult, Screening
from ..model.time import day_of
from .json import SCHEMA
from .results import Results
from .text import PLAIN, WIDTH, Ink, clean, wrapped
from .words import EFFECT, STATUS, Words, day_text, plural

_MOST_IDS = 40


@dataclass(frozen=True, slots=True)
class Turned:
    """A criterion whose effect is another than it was; ``before`` is None where it was not there."""

    name: str
    before: str | None
    after: str | None
    result: CriterionResult | None


@dataclass(frozen=True, slots=True)
class Pair:
    """A record and a trial of both results, between which something changed."""

    patient: str
    trial: str
    before: str
    after: str
    turned: tuple[Turned, ...]

    def of(self, kind: str) -> list[Turned]:
        """Criteria that are ``barrier`` (found now), ``lifted``, ``opened`` or ``closed``."""
        return [one for one in self.turned if _kind(one) == kind]


@dataclass(frozen=True, slots=True)
class Since:
    """What is different since an earlier result."""

    file: str
    as_of: str
    new_patients: tuple[str, ...]
    gone_patients: tuple[str, ...]
    new_trials: tuple[str, ...]
    gone_trials: tuple[str, ...]
    changed_rules: tuple[str, ...]
    other_settings: tuple[str, ...]
    pairs: tuple[Pair, ...]
    unchanged: int


@dataclass(frozen=True, slots=True)
class Lapse:
    """A criterion whose effect time alone changes on or before the visit."""

    patient: str
    trial: str
    name: str
    result: CriterionResult


_WAS = {"passes": "passing", "blocks": "a barrier", "open": "open"}
KINDS = {"barrier": "barrier now", "lifted": "barrier no more", "opened": "open now", "closed": "closed"}


def _kind(one: Turned) -> str:
    if one.after == "blocks":
        return "barrier"
    if one.before == "blocks":
        return "lifted"
    return "opened" if one.after == "open" else "closed"


def read_previous(path: Path) -> dict[str, Any]:
    """An earlier result as this program wrote it; ``UsageError`` where the file is none."""
    try:
        document = orjson.loads(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path}: the earlier result cannot be read ({(error.strerror or 'unknown').lower()})") from None
    except orjson.JSONDecodeError:
        raise UsageError(f"{path}: this is not JSON; give what screen --format json wrote") from None
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise UsageError(f"{path}: this is no result of {SCHEMA}; give what screen --format json wrote")
    return document


def since(results: Results, previous: Mapping[str, Any], file: str) -> Since:
    """Compare results with an earlier document of :func:`read_previous`."""
    envelope = results.envelope
    earlier = previous.get("as_of")
    if isinstance(earlier, str) and earlier > envelope.as_of:
        raise UsageError(
            f"{file}: the earlier result is of a later day than this one ({envelope.as_of}); give an --as-of on or after its own"
        )
    try:
        return _compare(results, previous, file)
    except (KeyError, TypeError, AttributeError):
        raise UsageError(
            f"{file}: parts of the earlier result are missing; give what screen --format json of {envelope.version} wrote"
        ) from None


def _compare(results: Results, previous: Mapping[str, Any], file: str) -> Since:
    envelope = results.envelope
    then = {patient["patient"]: {one["trial"]: one for one in patient["screenings"]} for patient in previous["patients"]}
    now = [report.patient for report in results.patients]
    digests = {trial["id"]: trial["digest"] for trial in previous["trials"]}
    trials = [summary.id for summary in envelope.trials]
    pairs: list[Pair] = []
    unchanged = 0
    for report, screening in results.screenings():
        earlier = then.get(report.patient, {}).get(screening.trial)
        if earlier is None:
            continue
        turned = tuple(_turned(screening, earlier))
        if turned or earlier["status"] != screening.status:
            pairs.append(Pair(report.patient, screening.trial, earlier["status"], screening.status, turned))
        else:
            unchanged += 1
    settings = [
        name
        for name, before, after in (
            ("absence", previous["absence"], envelope.absence),
            ("anchors", previous["anchors"], dict(envelope.anchors)),
            ("site, code maps or attestations", previous["digests"], dict(envelope.digests)),
        )
        if before != after
    ]
    return Since(
        file,
        str(previous["as_of"]),
        tuple(name for name in now if name not in then),
        tuple(name for name in then if name not in now),
        tuple(name for name in trials if name not in digests),
        tuple(name for name in digests if name not in trials),
        tuple(summary.id for summary in envelope.trials if digests.get(summary.id, summary.digest) != summary.digest),
        tuple(settings),
        tuple(pairs),
        unchanged,
    )


def named(screening: Screening) -> Iterator[tuple[str, CriterionResult]]:
    """Every criterion of a screening with its name, ``arm/I1`` for those of arms."""
    for result in screening.criteria:
        yield result.id, result
    for arm in screening.arms:
        for result in arm.criteria:
            yield f"{arm.arm}/{result.id}", result


def _turned(screening: Screening, earlier: Mapping[str, Any]) -> Iterator[Turned]:
    before = {one["id"]: str(one["effect"]) for one in earlier["criteria"]}
    before |= {f"{arm['arm']}/{one['id']}": str(one["effect"]) for arm in earlier["arms"] for one in arm["criteria"]}
    for name, result in named(screening):
        was = before.pop(name, None)
        if was != result.effect:
            if was is None and result.effect == "passes":
                continue  # a criterion that is new and passes changes nothing for the reader
            yield Turned(name, was, result.effect, result)
    for name, was in before.items():
        if was != "passes":
            yield Turned(name, was, None, None)


def lapses(results: Results, visit: dt.date) -> tuple[Lapse, ...]:
    """What changes by time alone on or before a visit, in the order of the records.

    ``UsageError`` where the visit lies before the screening date.
    """
    if visit.isoformat() < results.envelope.as_of:
        raise UsageError(f"the visit ({visit.isoformat()}) lies before the screening date ({results.envelope.as_of})")
    last = day_of(visit)
    return tuple(
        Lapse(report.patient, screening.trial, name, result)
        for report, screening in results.screenings()
        for name, result in named(screening)
        if result.changes_on is not None and result.changes_on.day <= last
    )


# -- as text --------------------------------------------------------------------------------------


def since_lines(change: Since, words: Words, *, width: int = WIDTH, ink: Ink = PLAIN) -> list[str]:
    """What is different, as lines of the text report."""
    lines = ["", ink.bold(clean(f"Since {change.as_of} ({Path(change.file).name})"))]
    for text in since_notes(change):
        lines += wrapped(text, width, "  ", "    ")
    for pair in change.pairs:
        lines += wrapped(f"{pair.patient}  {pair.trial}: {status_change(pair)}", width, "  ", "    ")
        for kind, label in KINDS.items():
            for one in pair.of(kind):
                lines += wrapped(f"{one.name}: {turned_text(one, words)}", width, f"    {label}: ", "      ")
    if not change.pairs:
        lines += wrapped("Nothing else is different.", width, "  ")
    return lines


def since_notes(change: Since) -> list[str]:
    """What is new or gone as a whole, and what else may explain a difference."""
    said = []
    for names, what in (
        (change.new_patients, "Records that are new"),
        (change.gone_patients, "Records that are not there any more"),
        (change.new_trials, "Trials that are new"),
        (change.gone_trials, "Trials not screened any more"),
        (change.changed_rules, "Trials whose rules have changed since"),
        (change.other_settings, "Settings that are different"),
    ):
        if names:
            more = f" and {len(names) - _MOST_IDS} more" if len(names) > _MOST_IDS else ""
            said.append(f"{what}: {', '.join(names[:_MOST_IDS])}{more}.")
    if change.unchanged:
        said.append(f"{plural(change.unchanged, 'pair')} of record and trial stand as they did.")
    return said


def status_change(pair: Pair) -> str:
    """The status of both results in words."""
    before, after = STATUS.get(pair.before, pair.before), STATUS[pair.after]
    return after if before == after else f"{after} (it was {before})"


def turned_text(one: Turned, words: Words) -> str:
    """What became of a criterion, with what the record shows of it now."""
    was = _WAS.get(one.before or "", "not asked")
    if one.result is None:
        return f"not asked any more (it was {was})"
    quote = f'"{words.paraphrase(one.result)}"'
    shown = (
        dict.fromkeys(words.evidence(fact) for fact in one.result.evidence)
        if one.result.effect != "open"
        else dict.fromkeys(words.why(one.result))
    )
    because = "; ".join(list(shown)[:3])
    return f"{quote} (it was {was}){f': {because}' if because else ''}"


def lapse_lines(found: tuple[Lapse, ...], visit: dt.date, words: Words, *, width: int = WIDTH, ink: Ink = PLAIN) -> list[str]:
    """What lapses before a visit, as lines of the text report."""
    lines = ["", ink.bold(f"Until the visit on {visit.isoformat()}, with nothing new recorded")]
    pair = ("", "")
    for one in found:
        if (one.patient, one.trial) != pair:
            pair = (one.patient, one.trial)
            lines.append(clean(f"  {one.patient}  {one.trial}"))
        lines += wrapped(lapse_text(one, words), width, f"    {one.name}: ", "      ")
    if not found:
        lines += wrapped("Time alone changes no criterion until then.", width, "  ")
    return lines


def lapse_text(one: Lapse, words: Words) -> str:
    """When and how a criterion changes, and what it is now."""
    change = one.result.changes_on
    assert change is not None
    return f'{EFFECT[one.result.effect]} now, {EFFECT[change.effect]} from {day_text(change.day)}: "{words.paraphrase(one.result)}"'


# -- as JSON --------------------------------------------------------------------------------------


def since_json(change: Since) -> dict[str, Any]:
    """What is different, for ``screen --format json``."""
    return {
        "as_of": change.as_of,
        "patients": {"new": list(change.new_patients), "gone": list(change.gone_patients)},
        "trials": {"new": list(change.new_trials), "gone": list(change.gone_trials), "rules_changed": list(change.changed_rules)},
        "settings_changed": list(change.other_settings),
        "changes": [
            {
                "patient": pair.patient,
                "trial": pair.trial,
                "status": {"before": pair.before, "after": pair.after},
                "criteria": [{"id": one.name, "kind": _kind(one), "before": one.before, "after": one.after} for one in pair.turned],
            }
            for pair in change.pairs
        ],
        "unchanged": change.unchanged,
    }


def lapses_json(found: tuple[Lapse, ...], visit: dt.date) -> dict[str, Any]:
    """What lapses before a visit, for ``screen --format json``."""
    listed = []
    for one in found:
        change = one.result.changes_on
        assert change is not None
        listed.append(
            {
                "patient": one.patient,
                "trial": one.trial,
                "id": one.name,
                "effect": one.result.effect,
                "date": day_text(change.day),
                "becomes": change.effect,
            }
        )
    return {"date": visit.isoformat(), "changes": listed}
