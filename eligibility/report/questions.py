"""The questions of a trial that people answer, each with the id that answers are given by.

``I2`` where a criterion has one question, ``E3#2`` for the second of several, ``mg/I2`` in an arm: the same
on the day list and for ``attest``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..engine.plan import Plan, PlanCriterion
from ..model.time import Duration


@dataclass(frozen=True, slots=True)
class AskedOf:
    """A question: its id, the criterion it stands in, its number there, its words, how long an answer holds."""

    id: str
    criterion: PlanCriterion
    number: int
    text: str
    valid_for: Duration | None

    @property
    def place(self) -> str:
        """The criterion's name, ``arm/I1`` for one of an arm."""
        return place_of(self.criterion)


def place_of(criterion: PlanCriterion) -> str:
    """A criterion's name with its arm."""
    return criterion.id if criterion.arm is None else f"{criterion.arm}/{criterion.id}"


def questions_of(plan: Plan) -> Mapping[str, AskedOf]:
    """The questions of a trial by id, in the order of its file."""
    found: dict[str, AskedOf] = {}
    for criterion in plan.criteria:
        for question in criterion.questions:
            name = place_of(criterion)
            if len(criterion.questions) > 1:
                name += f"#{question.number}"
            found[name] = AskedOf(name, criterion, question.number, question.text, question.valid_for)
    return found
