"""What one concept of the vocabulary says about itself: the schema of ``rules/concepts/``.

A concept is a name that rules ask for and charts are read into. It carries its codes with where
each was seen, the words charts use, how its values are measured, and how its facts behave in time.
The file format is this model; a concept's id is its key in the file.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ..model.patient import Family, Frozen, Number, Text
from ..model.time import Duration


class Code(Frozen):
    """A code, what it means in its system, and where it was seen with this meaning.

    ``code`` may name a whole branch with a star, ``G35.*`` (the header ``G35`` is then not in it).
    """

    code: Text
    meaning: Text | None = None
    source: Text


class Sourced(Frozen):
    """A number with its source; an interval where sources give one."""

    low: Number
    high: Number
    source: Text


class SourcedDuration(Frozen):
    """A length of time with its source."""

    value: Duration
    source: Text


class Plausible(Frozen):
    """Numbers a living person's result can take, in the concept's unit; beyond them is a mistake of the chart."""

    low: Number | None = None
    high: Number | None = None


class ScoreItem(Frozen):
    """One item of a score: the most points it can give and the groups it belongs to."""

    most: Number
    groups: tuple[Text, ...] = ()


class Concept(Frozen):
    """A concept. See ``docs/concepts.md`` for every field with an example."""

    id: Text = Field(description="Its name: the key in the file.")
    family: Family = Field(description="Where charts keep it: condition, observation, medication, procedure, immunization or allergy.")
    label: Text = Field(description="What people call it.")
    also: tuple[Family, ...] = Field((), description="Other families it is charted in (CAR T: procedure or medication).")
    synonyms: tuple[Text, ...] = Field((), description="Names that are this concept and nothing else; generic and brand names of a drug.")
    mentions: tuple[Text, ...] = Field((), description="Word stems that say an entry may be this concept (carcinom, lymphom).")
    tells_of_another: bool = Field(False, description="Its name tells of another condition: a history of cancer names cancer.")
    codes: dict[Text, tuple[Code, ...]] = Field(
        default_factory=dict, description="Codes by system (icd10cm, loinc, rxnorm, snomed, atc, cvx)."
    )
    complete: tuple[Text, ...] = Field((), description="Systems in which the codes listed here and below are all there are.")
    broader: tuple[Text, ...] = Field((), description="Concepts this one is a kind of; groups and drug classes are concepts too.")
    source: Text | None = Field(None, description="Where the definition or the scale was read, if not a code's source.")
    note: Text | None = Field(None, description="What a reader of the library must know about it.")

    # values of an observation
    unit: Text | None = Field(None, description="The unit limits are compared in (UCUM); '1' for scores and counts.")
    molar_mass: Sourced | None = Field(None, description="g/mol, for results in moles against limits in grams.")
    units: dict[Text, Number] = Field(
        default_factory=dict, description="Other accepted units beyond those of the same dimension: factor to `unit`."
    )
    plausible: Plausible | None = Field(None, description="Numbers a living person's result can take; beyond them is a slip of the pen.")
    whole: bool = Field(False, description="Only whole numbers occur (counts, most scores).")
    results: tuple[Text, ...] = Field((), description="Named results, such as negative, borderline, positive.")
    classes: tuple[Text, ...] = Field((), description="Ordered classes from least to greatest (IIa, IIb, IIIa ...).")
    spans: dict[Text, tuple[Text, ...]] = Field(
        default_factory=dict, description="A class without subclass and the subclasses it spans (II: [IIa, IIb])."
    )
    titre: bool = Field(False, description="Reported as a dilution, 1:80.")
    items: dict[Text, ScoreItem] = Field(default_factory=dict, description="Items of a score by name, for `only` and `without`.")

    # behaviour in time
    course: Literal["event", "state", "lifelong"] = Field("state", description="event: its day is the onset; lifelong: it never ends.")
    lasts_at_most: SourcedDuration | None = Field(None, description="A state open for longer is no longer known to go on.")
    episode: Duration | None = Field(None, description="Facts this close may be one event told twice (default: the same day).")
    gap: Duration | None = Field(None, description="Gap between courses of a drug that still is one treatment.")
    absence: Literal["unknown"] | None = Field(None, description="Charts seldom record it: silence says nothing.")

    # drugs
    half_life: Sourced | None = Field(None, description="Days, terminal elimination, as the label or review says.")
    systemic: Text | None = Field(None, description="Where it says that every form acts on the whole body: no route need be charted.")
    equivalents: dict[Text, Sourced] = Field(default_factory=dict, description="mg of the named drug that equal 1 mg of this one.")
