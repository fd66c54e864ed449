"""What the engine says: one tree per criterion, from which every report is a view (MEANING 7 to 9).

Plain frozen values, no words: texts are made by ``eligibility.report`` from these, so that a
screening that nobody prints costs nothing for its prose.
"""

from __future__ import annotations

from dataclasses import MISSING, dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from .patient import Family
from .quantity import Interval
from .truth import Truth

if TYPE_CHECKING:
    from .flag import FlagFinding

ReasonCode = Literal[
    "conflicting",
    "two_readings",
    "unconfirmed",
    "not_understood",
    "imprecise_date",
    "imprecise_value",
    "unit",
    "implausible",
    "no_reference_range",
    "out_of_window",
    "not_recorded",
    "future",
    "needs_judgement",
    "not_published",
]
REASONS: tuple[ReasonCode, ...] = (
    "conflicting",
    "two_readings",
    "unconfirmed",
    "not_understood",
    "imprecise_date",
    "imprecise_value",
    "unit",
    "implausible",
    "no_reference_range",
    "out_of_window",
    "not_recorded",
    "future",
    "needs_judgement",
    "not_published",
)
"""The closed set of reasons in their fixed order, which is the bit order of masks."""

_T = TypeVar("_T")


def quick(cls: type[_T]) -> type[_T]:
    """A frozen dataclass with slots, made in half the time: a screening makes thousands.

    The ``__init__`` that dataclasses write for a frozen class looks every field's name up again; this one
    fills the same slots directly. Nothing else differs: signature, defaults, and that nothing can be changed after.
    """
    space: dict[str, Any] = {}
    said: list[str] = []
    for one in fields(cls):  # type: ignore[arg-type]
        assert one.default_factory is MISSING, "a default made anew is none of these values"
        space[f"_set_{one.name}"] = cls.__dict__[one.name].__set__
        space[f"_default_{one.name}"] = one.default
        said.append(one.name if one.default is MISSING else f"{one.name}=_default_{one.name}")
    body = "\n".join(f"    _set_{one.name}(self, {one.name})" for one in fields(cls))  # type: ignore[arg-type]
    exec(f"def __init__(self, {', '.join(said)}):\n{body}\n", space)
    made = space["__init__"]
    made.__qualname__, made.__annotations__ = f"{cls.__qualname__}.__init__", cls.__init__.__annotations__
    cls.__init__ = made  # type: ignore[method-assign]
    return cls


Basis = Literal["recorded", "presumed_absent", "attested", "derived", "none"]
Effect = Literal["passes", "blocks", "open"]
Kind = Literal["inclusion", "exclusion"]
Status = Literal["no_barrier_found", "undetermined", "barrier_found"]


@quick
@dataclass(frozen=True, slots=True)
class Reason:
    """Why an answer is not known: a code, what it is about, a word more, and the entry if one."""

    code: ReasonCode
    item: str
    detail: str = ""
    source: str | None = None


@quick
@dataclass(frozen=True, slots=True)
class Evidence:
    """One fact of the record that bears on the answer, as the chart shows it.

    ``start`` and ``end`` are the dates as written, ``low`` and ``high`` the value in the concept's
    unit. ``absence`` is set for a stated absence, which has no concept.
    """

    family: Family
    concept: str | None
    start: str | None
    end: str | None = None
    value: str | None = None
    unit: str | None = None
    interval: Interval | None = None
    status: str | None = None
    certain: bool = True
    source: str | None = None
    absence: str | None = None

    def __hash__(self) -> int:
        # the rest seldom tells two apart, and each is hashed once for every node above it
        return hash((self.concept, self.start, self.source))


@quick
@dataclass(frozen=True, slots=True)
class Assumption:
    """What an answer took for granted.

    ``silence``: nothing of ``item`` (family ``family``) from day ``start`` to ``end`` (None: open), the
    family's first entry being of day ``since``. ``presumed_not``: ``count`` entries whose words do not
    mention it are not it. ``before_anchor``: nothing new before the anchor ``item``. ``horizon``: the
    undated anchor ``item`` falls on a day from ``start`` to ``end``. ``scheduled``: the anchor ``item``
    falls on the days its schedule says. ``assumed_width``: how far the visit ``item`` looks back.
    """

    kind: Literal["silence", "presumed_not", "before_anchor", "horizon", "scheduled", "assumed_width", "site_range"]
    item: str
    family: Family | None = None
    start: int | None = None
    end: int | None = None
    since: int | None = None
    count: int = 0
    sources: tuple[str, ...] = ()

    def __hash__(self) -> int:
        return hash((self.kind, self.item, self.start))  # enough to tell nearly all apart


@quick
@dataclass(frozen=True, slots=True)
class Need:
    """One thing that would settle an open answer, or one alternative of it (MEANING 8).

    ``do``: record (a value or event dated from ``start`` to ``end``), refine (``attribute`` of entry
    ``source``), map (the meaning of entry ``source``), attest (a person's answer), anchor (the date of
    ``item``), wait (until ``start``), none (nothing recorded today settles it).
    """

    do: Literal["record", "refine", "map", "attest", "anchor", "wait", "none"]
    item: str
    family: Family | None = None
    attribute: str | None = None
    source: str | None = None
    start: int | None = None
    end: int | None = None
    absence: bool = False


@dataclass(frozen=True, slots=True)
class Margin:
    """How far the deciding value is from the limit: in the limit's unit, days, or facts counted."""

    amount: float
    unit: str
    inside: bool


@dataclass(frozen=True, slots=True)
class ChangesOn:
    """The first day, with nothing new recorded, on which the effect is another."""

    day: int
    effect: Effect


@quick
@dataclass(frozen=True, slots=True)
class Finding:
    """The answer of one node of a criterion, with the answers below it.

    ``node`` is the statement of the rule file (``eligibility.model.criteria``). ``truth`` is
    five-valued. ``reasons`` are those of MEANING 7, ordered; ``evidence`` the facts it rests on or
    that keep it open.
    """

    node: Any
    truth: Truth
    reasons: tuple[Reason, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    assumes: tuple[Assumption, ...] = ()
    basis: Basis = "none"
    on_record: bool = False
    clauses: tuple[Finding, ...] = ()
    needs: tuple[tuple[Need, ...], ...] = ()
    margin: Margin | None = None


@quick
@dataclass(frozen=True, slots=True)
class CriterionResult:
    """A criterion's effect on a patient.

    ``truth`` is of the whole criterion as MEANING 2 composes it (applies_when, unless and when);
    ``applies`` is five-valued too. ``presumed`` is what silence would have said, only for
    PRESUMED_TRUE and PRESUMED_FALSE.
    """

    id: str
    kind: Kind
    criterion: Any
    truth: Truth
    effect: Effect
    applies: Truth
    not_applicable: bool
    finding: Finding | None
    basis: Basis = "none"
    on_record: bool = False
    reasons: tuple[Reason, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    assumes: tuple[Assumption, ...] = ()
    settled_by: tuple[tuple[Need, ...], ...] = ()
    margin: Margin | None = None
    changes_on: ChangesOn | None = None
    presumed: Literal["true", "false"] | None = None

    @property
    def computable_open(self) -> bool:
        """Open for some reason other than a person's judgement or an unpublished demand."""
        if self.effect == "open":
            for reason in self.reasons:
                if reason.code not in ("needs_judgement", "not_published"):
                    return True
        return False


@dataclass(frozen=True, slots=True)
class Counts:
    """How the criteria stand; the six sum to their number. ``open`` are the computable ones."""

    passes: int = 0
    not_applicable: int = 0
    blocks: int = 0
    open: int = 0
    ask: int = 0
    not_published: int = 0


@dataclass(frozen=True, slots=True)
class ArmResult:
    """One arm with the shared lists taken in."""

    arm: str
    title: str
    open: bool
    status: Status
    counts: Counts
    criteria: tuple[CriterionResult, ...]


@dataclass(frozen=True, slots=True)
class Screening:
    """One patient against one trial. ``flags`` stand beside the criteria and change nothing of them."""

    trial: str
    status: Status
    presumed: bool
    counts: Counts
    criteria: tuple[CriterionResult, ...]
    arms: tuple[ArmResult, ...] = ()
    flags: tuple[FlagFinding, ...] = ()


@dataclass(frozen=True, slots=True)
class Notice:
    """Something about the record to show before anything else: deceased, repaired, attestation_lapsed."""

    code: Literal["deceased", "repaired", "attestation_lapsed"]
    detail: str
    date: str | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class PatientResult:
    """One patient against all chosen trials."""

    patient: str
    screenings: tuple[Screening, ...]
    notices: tuple[Notice, ...] = field(default=())
