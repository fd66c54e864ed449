"""What a trial's product is, as its rule file says, in five truths: what a flag may ask of it.

The rule file is read from a public record, so what it leaves out is unknown, not absent. What settles
a question is said word by word in :func:`_answer`; nothing is guessed from a product's name.
"""

from __future__ import annotations

from ..model.flag import ProductFact, ProductTest
from ..model.trial import Product, TrialFile
from ..model.truth import FALSE, TRUE, UNKNOWN, Truth

# the CAR gene is either put into the cells' own genome or carried by a message that fades: one excludes the other
_EXCLUDES = {"integrating": "mrna", "mrna": "integrating"}
# how a gene is put in, and whether donor cells are edited, is often so and not told; every other feature of a design
# is what a product is known by, so a record that tells of the product and not of it tells that it is not there
_UNTOLD = ("integrating", "mrna")
_NOT_SAID = ("unknown", "not ", "no ")
# ways to put a gene in that a record begins with: one of them told, the others are not it
_VECTORS = ("messenger rna", "mrna", "lentivir", "retrovir", "gammaretrovir", "gamma-retrovir", "transposon", "sleeping beauty", "crispr")


def product_facts(test: ProductTest, trial: TrialFile) -> tuple[ProductFact, ...]:
    """What a flag asks of the product, each word with the file's answer; the least of them is the test's."""
    product = trial.trial.product
    return tuple(ProductFact(word, wanted, *_answer(word, wanted, product, trial)) for word, wanted in test.asked())


def least(facts: tuple[ProductFact, ...]) -> Truth:
    """Whether every word holds."""
    return min((fact.truth for fact in facts), default=TRUE)


def _answer(word: str, wanted: tuple[str, ...], product: Product | None, trial: TrialFile) -> tuple[Truth, str | None]:
    """One word: the greatest of its values' answers, and what the file says."""
    if word == "disease":
        diseases = dict.fromkeys([*trial.trial.diseases, *(one for arm in trial.arms.values() for one in arm.diseases)])
        if not diseases:
            return UNKNOWN, None
        return _among(wanted, tuple(diseases)), ", ".join(diseases)
    if product is None:
        return UNKNOWN, None
    match word:
        case "cells":
            return (UNKNOWN, None) if product.cells == "unknown" else (_among(wanted, (product.cells,)), product.cells)
        case "leukapheresis":
            if product.leukapheresis == "unknown":
                return UNKNOWN, None
            return _among(wanted, (product.leukapheresis,)), product.leukapheresis
        case "target":
            return (_among(wanted, product.target), ", ".join(product.target)) if product.target else (UNKNOWN, None)
        case "lymphodepletion":
            given = product.lymphodepletion
            if given is None or given.status in ("unknown", "by-arm"):
                return UNKNOWN, "differs by arm" if given is not None and given.status == "by-arm" else None
            return _among(wanted, (given.status,)), given.status
        case "agents":
            given = product.lymphodepletion
            if given is not None and given.status == "none":
                return FALSE, "none"
            if given is None or not given.agents:
                return UNKNOWN, None
            answer = _among(wanted, given.agents)
            # where arms differ, an agent that is named may be of another arm
            return (UNKNOWN if given.status != "required" else answer), ", ".join(given.agents)
        case "engineering":
            text = product.engineering
            if text is None or text.casefold().startswith(_NOT_SAID):
                return UNKNOWN, None
            said = text.casefold()
            if said.startswith(tuple(one.casefold() for one in wanted)):
                return TRUE, text
            return (FALSE if said.startswith(_VECTORS) else UNKNOWN), text  # another vector, or none told
        case _:
            return max(_design(one, product) for one in wanted), ", ".join(product.design) or None


def _design(wanted: str, product: Product) -> Truth:
    """One feature of the design: listed, ruled out by what is listed, or not told."""
    listed = product.design
    if wanted in listed:
        return TRUE
    if _EXCLUDES.get(wanted) in listed:
        return FALSE
    if wanted == "in-vivo" and product.cells != "unknown":
        return TRUE if product.cells == "in-vivo" else FALSE
    if wanted == "dual-target" and product.target:
        return TRUE if len(product.target) > 1 else FALSE
    if wanted == "gene-edited" and product.cells in ("allogeneic", "unknown"):
        return UNKNOWN
    told = bool(listed or product.target or product.cells != "unknown")
    return FALSE if told and wanted not in _UNTOLD else UNKNOWN


def _among(wanted: tuple[str, ...], said: tuple[str, ...]) -> Truth:
    known = {one.casefold() for one in said}
    return TRUE if any(one.casefold() in known for one in wanted) else FALSE
