"""What a screening is told besides record and rules: the date, the anchors, the site, people's answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ..model.site import Attestation, Site
from ..model.time import When


@dataclass(frozen=True, slots=True)
class Settings:
    """One run's settings for one patient and one trial.

    ``as_of`` is the screening date S as a day number: always an argument, never the clock.
    ``absence`` ``unknown`` turns what only silence answers into unknown (MEANING 2).
    ``anchors`` are the days given for the trial's anchors, by name.
    """

    as_of: int
    absence: Literal["presumed", "unknown"] = "presumed"
    anchors: Mapping[str, When] = field(default_factory=dict)
    site: Site | None = None
    attestations: tuple[Attestation, ...] = ()
