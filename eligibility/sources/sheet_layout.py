"""How an abstraction sheet is laid out: its columns, its rows' names, the words of its answers.

The one place that the writer (``eligibility.workbench.worksheet``) and the reader
(``eligibility.sources.sheet``) share. One sheet is one patient, one row is one question to the chart:
*is this in it, and if so when, how much, and where was it found*. The last column names the row:
``observation:edss#2`` is the second result of EDSS, ``person:sex`` the sex, ``list:medication`` what the
chart says of its medication list as a whole.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..model.patient import FAMILIES, Family

COLUMNS = (
    "item",
    "answer",
    "unit",
    "range",
    "date",
    "until",
    "kind",
    "dose",
    "outcome",
    "where found",
    "what counts",
    "asked by",
    "row",
)
"""The header of every sheet, in order."""

ESSENTIAL = ("answer", "date", "row")
"""Columns without which no answer of a sheet can be told from another."""

FILLED = ("answer", "unit", "range", "date", "until", "kind", "dose", "outcome", "where found")
"""Columns that people fill in; the others say what is asked."""

YES, NO, NOT_IN_CHART, UNSURE = "yes", "no", "not in chart", "unsure"
"""``no`` is what the chart states; ``not in chart`` is its silence after a look; an empty cell is neither.
``unsure``: the chart says so and is not sure (a suspected disease, a treatment perhaps given)."""

ONGOING, SINGLE_DOSE = "ongoing", "single dose"
PRELIMINARY = "preliminary"
FLAGS = ("high", "low", "normal")
"""How a laboratory marks a result, beside which it may be preliminary: both in the column outcome."""
STATED_COMPLETE, NONE_KNOWN = "stated complete", "none known"
SEXES = ("female", "male", "other")

GUIDE = "How to fill in"
"""The title of the sheet that explains; it holds no patient."""

LISTS = "lists"
"""The hidden sheet that the drop-downs take their words from."""

NOT_FILLED_IN = "no answer"
NOT_ASKED = "no row"
"""How the pointers of entries end that stand for a row without an answer, and for all that has no row."""

PERSON_ROWS = {
    "person:id": "Study id (no name)",
    "person:birth-date": "Birth date",
    "person:sex": "Sex",
    "person:written": "Chart read on",
    "person:deceased": "Died",
}

LIST_LABEL = {
    "condition": "Problem list",
    "medication": "Medication list",
    "procedure": "List of procedures",
    "immunization": "Vaccination list",
    "allergy": "Allergy list",
}

FAMILY_WORD: dict[Family, str] = {
    "condition": "condition",
    "observation": "result",
    "medication": "medicine",
    "procedure": "procedure",
    "immunization": "vaccine",
    "allergy": "allergy",
}


@dataclass(frozen=True, slots=True)
class RowName:
    """The name of a row: what it is about, and which of several entries of it.

    >>> RowName.parse("observation:edss#2")
    RowName(family='observation', concept='edss', number=2)
    """

    family: Family
    concept: str
    number: int = 1

    @classmethod
    def parse(cls, text: str) -> RowName | None:
        """The name as a cell holds it; None where it is none (nor is a person's row, or a list's)."""
        match = _ROW.fullmatch(text.strip().lower())
        family = next((family for family in FAMILIES if match is not None and family == match["family"]), None)
        if match is None or family is None:
            return None
        return cls(family, match["concept"], int(match["number"] or 1))

    def __str__(self) -> str:
        name = f"{self.family}:{self.concept}"
        return name if self.number == 1 else f"{name}#{self.number}"


_ROW = re.compile(r"(?P<family>[a-z]+):(?P<concept>[a-z0-9][a-z0-9._-]*)(?:#(?P<number>[1-9]\d{0,2}))?")


def fold_header(text: str) -> str:
    """A column's name as it is compared: small letters, single spaces.

    >>> fold_header("  Where  FOUND ")
    'where found'
    """
    return " ".join(text.strip().lower().replace("_", " ").split())


def looks_like_header(cells: list[str]) -> bool:
    """Whether a row of texts is the header of a sheet: at least four of the columns, among them two of the essential.

    A renamed column is thus still told as one, where the others are there.

    >>> looks_like_header(["Item", "Answer", "Unit", "Date", "Row"]), looks_like_header(["id", "date"])
    (True, False)
    """
    names = {fold_header(cell) for cell in cells}
    return len(names & set(COLUMNS)) >= 4 and len(names & {"item", *ESSENTIAL}) >= 2


def empty_row(source: str | None) -> RowName | None:
    """The row that a pointer says has no answer; None for all other pointers.

    >>> empty_row(f"patient 1 row 22 (condition:cancer), {NOT_FILLED_IN}")
    RowName(family='condition', concept='cancer', number=1)
    """
    if source is None or not source.endswith(f"), {NOT_FILLED_IN}"):
        return None
    return RowName.parse(source.removesuffix(f"), {NOT_FILLED_IN}").rpartition("(")[2])
