"""Answers of people to the questions of trials, written to a file that ``--attest`` reads (MEANING 8).

An answer names the patient, the trial, the question, the role of who answered (no name), the day, and the
day up to which it holds. With it goes the digest of the criterion's sentence and rule: when either
changes the answer holds no longer, and a screening says so.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..engine.plan import Plan
from ..errors import UsageError, did_you_mean
from ..model.site import Attestation
from ..model.time import date_of, day_of
from ..report.questions import AskedOf, questions_of
from ..report.text import WIDTH, wrapped
from .appending import append
from .site_files import load_attestations

_HEAD = b"# Answers of people, one a line; screen --attest reads them. Answers that changed stand below older ones.\n"


def answered(
    plan: Plan, given: Mapping[str, str], *, patient: str, role: str, date: dt.date, until: dt.date | None = None
) -> tuple[Attestation, ...]:
    """Answers to questions of a trial by their ids (``I2``, ``E3#2``, ``mg/I2``).

    Raises :class:`UsageError` for an id that no question has (with near ones), an answer other than yes
    and no, a role or patient that is empty, an end before the day, and where neither ``until`` nor the
    rule file says how long an answer holds.
    """
    if not patient.strip() or not role.strip():
        raise UsageError("an answer names the patient's study id and the role of who answers")
    if until is not None and until < date:
        raise UsageError(f"the answer would end ({until.isoformat()}) before the day it is given ({date.isoformat()})")
    known = questions_of(plan)
    answers = []
    for name, answer in given.items():
        question = known.get(name)
        if question is None:
            raise UsageError(f"trial {plan.trial.id} asks no question {name}; {_near(name, known)}")
        if answer not in ("yes", "no"):
            raise UsageError(f"the answer to {name} is yes or no; yes always means that what is asked is so")
        if until is None and question.valid_for is None:
            raise UsageError(f"how long the answer to {name} holds is not in the rule file; give --until")
        answers.append(
            Attestation(
                patient=patient,
                trial=plan.trial.id,
                criterion=question.criterion.id,
                leaf=question.number,
                answer="yes" if answer == "yes" else "no",
                role=role,
                date=date,
                until=until,
                digest=question.criterion.digest,
            )
        )
    return tuple(answers)


def _near(name: str, known: Mapping[str, AskedOf]) -> str:
    several = [one for one in known if one.startswith(f"{name}#")]
    if several:
        return f"it asks {', '.join(several)}"
    near = did_you_mean(name, known)
    listed = ", ".join(list(known)[:12])
    return near or (f"it asks {listed}{', ...' if len(known) > 12 else ''}" if known else "it asks none")


def append_to(path: Path, answers: Sequence[Attestation]) -> None:
    """Append answers to an attestation file, new or there already.

    :class:`UsageError` where what is there is no list of attestations that a line can be added to.
    """

    def check(start: bytes) -> None:
        load_attestations(path)
        body = [
            line for line in start.decode("utf-8-sig", errors="replace").splitlines() if line.strip() and not line.lstrip().startswith("#")
        ]
        if body and not body[0].startswith("- "):
            raise UsageError(f"{path}: its list does not begin with «- » at the start of a line; give a new file")

    append(path, _HEAD, "".join(_line(answer) for answer in answers).encode(), check)


def _line(answer: Attestation) -> str:
    """One answer as a line of YAML; texts are quoted as JSON does, which YAML reads alike."""
    fields: dict[str, str] = {
        "patient": json.dumps(answer.patient),
        "trial": json.dumps(answer.trial),
        "criterion": json.dumps(answer.criterion),
        "leaf": str(answer.leaf),
        "answer": json.dumps(answer.answer),
        "role": json.dumps(answer.role),
        "date": answer.date.isoformat(),
        **({"until": answer.until.isoformat()} if answer.until is not None else {}),
        "digest": json.dumps(answer.digest),
    }
    return f"- {{{', '.join(f'{name}: {value}' for name, value in fields.items())}}}\n"


def listing(plan: Plan, *, width: int = WIDTH) -> str:
    """The questions of a trial with their ids, and how long an answer to each holds."""
    known = questions_of(plan)
    lines = wrapped(f"{plan.trial.id}  {plan.trial.trial.title}: questions for people", width)
    if not known:
        lines.append("  none")
    place = ""
    for name, question in known.items():
        if question.place != place:
            place = question.place
            lines += ["", *wrapped(f'{question.criterion.kind} "{question.criterion.criterion.text}"', width, f"{place}  ")]
        holds = f"holds {question.valid_for}" if question.valid_for is not None else "give --until"
        lines += wrapped(f"{question.text} ({holds})", width, f"  {name:<8} ")
    return "\n".join(lines) + "\n"


def said(answers: Sequence[Attestation], plan: Plan, *, width: int = WIDTH) -> str:
    """What was written, question by question, for whoever gave the answers to read over."""
    known = {(one.criterion.digest, one.number): one for one in questions_of(plan).values()}
    lines: list[str] = []
    for answer in answers:
        question = known[answer.digest, answer.leaf]
        end = answer.until
        if end is None and question.valid_for is not None:
            end = date_of(question.valid_for.on(day_of(answer.date)))
        holds = f"until {end.isoformat()}" if end is not None else ""
        lines += wrapped(
            f"{question.text} {answer.answer.upper()} ({answer.role}, {answer.date.isoformat()}, {holds})", width, f"{question.id}  "
        )
    return "\n".join(lines) + "\n"
