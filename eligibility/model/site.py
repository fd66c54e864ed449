"""What is neither trial nor patient: the screening site's own settings, and answers of people.

A site file is YAML or JSON in the shape of :class:`Site`; an attestation file holds a list of
:class:`Attestation`.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from .criteria import Names, Node
from .patient import Frozen, Number, Text
from .trial import Criterion, Visit


class SiteRange(Frozen):
    """The laboratory's reference range for a concept, for people of this sex and age if they say so."""

    low: Number | None = None
    high: Number | None = None
    unit: Text
    sex: Literal["female", "male"] | None = None
    age_from: Number | None = Field(None, description="Completed years, included.")
    age_to: Number | None = Field(None, description="Completed years, included.")


class Site(Node):
    """Facts, ranges and visit widths of a screening site.

    ``visits`` replaces visits of the trials' schedules, by name for every trial, or by
    ``trial id:name`` for one; ``codes`` are paths of code maps, relative to the site file.
    """

    name: str | None = None
    facts: dict[str, str] = Field({}, description="country: GB, centre: ... - what {site: country, is: GB} asks for.")
    ranges: dict[str, tuple[SiteRange, ...]] = {}
    visits: dict[str, Visit] = {}
    horizon: str | None = None
    codes: Names = ()


class Attestation(Frozen):
    """A person's answer to a question of a trial about a patient (MEANING 8).

    ``leaf`` counts the criterion's questions from 1, in the order of the file. ``digest`` is
    :func:`criterion_digest` of the criterion answered: when its sentence or rule changes, the answer lapses.
    """

    patient: Text
    trial: Text
    criterion: Text
    leaf: int = 1
    answer: Literal["yes", "no"]
    role: Text
    date: dt.date
    until: dt.date | None = None
    digest: Text


def criterion_digest(criterion: Criterion, definitions: Mapping[str, Any] | None = None) -> str:
    """Digest of a criterion's sentence and rule; changes when either does.

    >>> len(criterion_digest(Criterion(id="I1", text="Consent signed", ask="Was the consent form signed?")))
    16
    """
    body = criterion.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude={"answered", "source"})
    text = json.dumps([body, definitions or {}], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
