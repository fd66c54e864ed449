"""Routes of administration and how charts spell them."""

from __future__ import annotations

ROUTES: dict[str, tuple[str, ...]] = {
    "oral": ("oral", "po", "by mouth", "per os", "orally", "oral route", "oral use"),
    "intravenous": ("intravenous", "iv", "i.v.", "intravenous route", "intravenous use"),
    "subcutaneous": ("subcutaneous", "sc", "s.c.", "subq", "subcut", "subcutaneous route", "subcutaneous use"),
    "intramuscular": ("intramuscular", "im", "i.m.", "intramuscular route", "intramuscular use"),
    "topical": ("topical", "cutaneous", "topical route", "topical use"),
    "inhaled": ("inhaled", "inhalation", "respiratory tract", "inhalation use"),
    "ophthalmic": ("ophthalmic", "ocular", "eye", "ophthalmic route"),
    "intranasal": ("nasal", "intranasal", "nasal route"),
    "intrathecal": ("intrathecal", "intrathecal route"),
    "rectal": ("rectal", "pr", "per rectum", "rectal route"),
}
"""Routes of administration and the spellings charts use for them."""

SYSTEMIC = ("oral", "intravenous", "subcutaneous", "intramuscular")


def route_of(text: str) -> str | None:
    """The route a spelling means, None where it is none we know."""
    folded = text.strip().casefold()
    return next((route for route, names in ROUTES.items() if folded in names), None)
