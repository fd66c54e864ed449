"""The vocabulary: what an entry of a chart is to a concept, and what its value is in the concept's terms.

``read`` says once for each entry which concepts it certainly is and which its words mention;
``stance`` answers from that for any one concept (MEANING 5). ``quantity`` brings values and limits
into one unit. A vocabulary never changes once built; ``with_map`` gives another.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from math import inf
from types import MappingProxyType

from ..errors import did_you_mean
from ..model.patient import CONCEPT_SYSTEM, FAMILIES, Coding, Entry, Family
from ..model.quantity import Interval
from .concept import Concept
from .results import ResultWords, class_range
from .results import titre as read_titre
from .sitemap import SiteMap
from .systems import Systems
from .units import UnitProblem as UnitProblem
from .units import Units, molar
from .words import Found, NameIndex, fold, is_order, is_queried, names_several, untagged

_CACHE = 16384
_NAMED_ANYWHERE: frozenset[Family] = frozenset(("medication", "immunization"))
_ALLERGY = re.compile(
    r"^(?:(?:drug )?(?:allergy|allergic|intolerance|hypersensitivity|anaphylaxis|adverse reaction|sensitivity) (?:to )?)?"
    r"(.*?)(?: (?:allergy|intolerance|hypersensitivity))?$"
)


class Stance(IntEnum):
    """What an entry is to a concept.

    ``IS`` certainly; ``BROADER`` possibly, since it is something wider or overlapping; ``IS_NOT``
    certainly not; ``PRESUMED_NOT`` it has words and none points there; ``MAY_BE`` cannot be told.
    """

    IS = 0
    BROADER = 1
    IS_NOT = 2
    PRESUMED_NOT = 3
    MAY_BE = 4


@dataclass(frozen=True, slots=True)
class Reading:
    """What one entry says, before any concept is asked.

    ``is_`` are the concepts it certainly is, the finest known; ``mentions`` those of its family
    whose words it carries; ``named`` those whose whole name stands in its words; ``equal`` those
    whose name is the whole text although a code speaks against it; ``above`` those of whose codes
    it carries a header. ``exact``: told by concept name or the site's map, so that it is nothing
    else. ``queried``: its words name it with a question mark, or a minus before them: it is this, if it is at
    all. ``none``: the site's map says it is none of ours. ``systems``: systems of its codes.
    """

    family: Family
    is_: frozenset[str] = frozenset()
    mentions: frozenset[str] = frozenset()
    named: frozenset[str] = frozenset()
    equal: frozenset[str] = frozenset()
    above: frozenset[str] = frozenset()
    systems: frozenset[str] = frozenset()
    wordless: bool = False
    exact: bool = False
    none: bool = False
    queried: bool = False

    @property
    def understood(self) -> bool:
        """Whether anything certain is known of it, be it that it is none of ours."""
        return bool(self.is_) or self.none


_Signature = tuple[Family, str | None, tuple[tuple[str | None, str | None, str | None], ...], str | None]


class Vocabulary:
    """All concepts with their codes, words, units and kinship."""

    def __init__(
        self,
        concepts: Iterable[Concept],
        units: Units,
        systems: Systems,
        words: ResultWords,
        *,
        digest: str = "",
        site: SiteMap | None = None,
    ) -> None:
        self.concepts: Mapping[str, Concept] = MappingProxyType({concept.id: concept for concept in concepts})
        self.units = units
        self.systems = systems
        self.words = words
        self.site = site
        self._digest = digest
        self._above, self._below = _kinship(self.concepts)
        self._complete = self._completeness()
        self._codes, self._branches, self._headers = self._code_tables()
        self._families: dict[Family, frozenset[str]] = {
            family: frozenset(c.id for c in self.concepts.values() if family == c.family or family in c.also) for family in FAMILIES
        }
        self._indexes: dict[Family, NameIndex] = {}
        self._readings: dict[_Signature, Reading] = {}
        self._asked_by: dict[Reading, tuple[frozenset[str], frozenset[str]]] = {}

    # kinship

    def __contains__(self, concept: object) -> bool:
        return concept in self.concepts

    def __getitem__(self, concept: str) -> Concept:
        """A concept by id; ``KeyError`` with near names where there is none."""
        try:
            return self.concepts[concept]
        except KeyError:
            raise KeyError(f"there is no concept {concept}; {self.near(concept) or 'docs/concepts.md lists them'}") from None

    def descendants(self, concept: str) -> frozenset[str]:
        """The concept and everything that is a kind of it."""
        return self._below[concept]

    def ancestors(self, concept: str) -> frozenset[str]:
        """What the concept is a kind of; not itself."""
        return self._above[concept]

    def family(self, family: Family) -> frozenset[str]:
        """Concepts that may be charted in a family."""
        return self._families[family]

    def near(self, word: str) -> str | None:
        """A question with the ids nearest to a word, by id, label or synonym; None where nothing is near."""
        asked = fold(word)
        spelt: dict[str, str] = {}
        for concept in self.concepts.values():
            for name in (concept.id, concept.label, *concept.synonyms):
                spelt.setdefault(fold(name), concept.id)
        if asked in spelt:
            return f"did you mean {spelt[asked]}?"
        by_id = did_you_mean(word, self.concepts)
        if by_id is not None:
            return by_id
        found = did_you_mean(asked, spelt)
        if found is None:
            return None
        ids = dict.fromkeys(spelt[name] for name in found.removeprefix("did you mean ").removesuffix("?").split(" or ") if name in spelt)
        return f"did you mean {' or '.join(ids)}?"

    def digest(self) -> str:
        """A hash of everything the vocabulary was made of; equal digests read charts alike."""
        if self.site is None:
            return f"sha256:{self._digest}"
        return f"sha256:{hashlib.sha256(f'{self._digest} {self.site.digest()}'.encode()).hexdigest()}"

    def with_map(self, site: SiteMap | None) -> Vocabulary:
        """This vocabulary with a site's map in force, in place of any before it."""
        return Vocabulary(self.concepts.values(), self.units, self.systems, self.words, digest=self._digest, site=site)

    def system(self, name: str) -> str:
        """The short name of a code system given by URI, OID or name; the text itself where unknown."""
        return self.systems.name(name)

    # reading entries

    def read(self, family: Family, entry: Entry) -> Reading:
        """What an entry is. The same codes and words are read once."""
        signature = (family, entry.concept, tuple([(c.system, c.code, c.display) for c in entry.codes]), entry.text)
        reading = self._readings.get(signature)
        if reading is None:
            if len(self._readings) >= _CACHE:
                self._readings.pop(next(iter(self._readings)))
            reading = self._readings[signature] = self._read(family, entry)
        return reading

    def stance(self, reading: Reading, concept: str) -> Stance:
        """What the entry of a reading is to a concept of its family."""
        below = self._below[concept]
        if not reading.is_.isdisjoint(below):
            return Stance.IS
        if reading.none:
            return Stance.IS_NOT
        # wider than the concept, or wider than something that is also the concept
        if not reading.above.isdisjoint(below) or any(not self._below[known].isdisjoint(below) for known in reading.is_):
            return Stance.BROADER
        if reading.exact:
            return Stance.IS_NOT
        if not reading.systems.isdisjoint(self._complete[concept]) and reading.equal.isdisjoint(below):
            return Stance.IS_NOT
        wider = reading.mentions if reading.family == "medication" else reading.named  # "steroid taper" may be of any steroid
        if not reading.mentions.isdisjoint(below) or not wider.isdisjoint(self._above[concept]):
            return Stance.MAY_BE
        if reading.is_:
            # the finest concepts here are one thing and no other; a group may still hold more
            finest = all(len(self._below[known]) == 1 for known in reading.is_)
            return Stance.IS_NOT if finest else Stance.PRESUMED_NOT
        return Stance.MAY_BE if reading.wordless else Stance.PRESUMED_NOT

    def asked_by(self, reading: Reading) -> tuple[frozenset[str], frozenset[str]]:
        """The concepts that ask for an entry: those it certainly is, and those it may be since its code is a broader one.

        Equal readings are looked up once, whoever's entries they are of.
        """
        found = self._asked_by.get(reading)
        if found is None:
            sure = reading.is_.union(*(self._above[concept] for concept in reading.is_))
            # what it may be: anything that shares a narrower concept with it
            below = {under for concept in (*reading.is_, *reading.above) for under in self._below[concept]}
            below |= {above for under in below for above in self._above[under]}
            broader = frozenset(concept for concept in below - sure if self.stance(reading, concept) is Stance.BROADER)
            if len(self._asked_by) >= _CACHE:
                self._asked_by.pop(next(iter(self._asked_by)))
            found = self._asked_by[reading] = sure, broader
        return found

    def _read(self, family: Family, entry: Entry) -> Reading:
        codings = self._codings(entry.codes)
        texts = [fold(untagged(text)) for text in (entry.text, *(c.display for c in entry.codes)) if text]
        texts = [text for text in dict.fromkeys(texts) if text]
        mapped = self.site.lookup(codings, texts) if self.site is not None else None
        if mapped is not None:
            known = frozenset(id_ for id_ in mapped if id_ in self.concepts)
            return Reading(family, self._finest(known), exact=True, none=not known)
        ours = self._families[family]
        stated = {id_ for id_ in (entry.concept, *(code for system, code in codings if system == CONCEPT_SYSTEM)) if id_}
        if stated & ours:
            return Reading(family, self._finest(stated & ours), exact=True)
        texts.extend(fold(id_) for id_ in sorted(stated))

        systems = frozenset(system for system, code in codings if system != CONCEPT_SYSTEM and self.systems.shaped(system, code))
        coded, meanings, above = self._coded(codings, ours)
        words = texts or meanings
        index = self._index(family)
        found = [index.find(text) for text in words]
        terms = self._terms(entry.codes)
        asked = {fold(untagged(text)) for text in (entry.text, *(c.display for c in entry.codes)) if text and is_queried(text)}
        pairs = list(zip(texts, found, strict=True)) if texts else []
        said = self._said(family, index, [(text, one) for text, one in pairs if text not in asked], terms)
        queried = False
        if asked and not said and not coded:
            said = self._said(family, index, [(text, one) for text, one in pairs if text in asked], terms)
            queried = bool(said)
        if coded:
            # the code decides; words may only be finer than it
            certain = frozenset(coded).union(id_ for id_ in said if any(id_ in self._below[known] for known in coded))
            against = frozenset[str]()
        else:
            against = frozenset(id_ for id_ in said if self._contradicted(family, id_, systems))
            certain = said - against
        is_ = self._finest(certain)
        # what certainly is one thing is no other whose name its own name holds ("urinary tract infection" is not
        # every infection), unless its name is there to tell of the other ("history of cancer")
        if is_ and not any(self.concepts[id_].tells_of_another for id_ in is_):
            kin = is_.union(*(self._above[id_] for id_ in is_))
            found = [index.find(one.without(text, kin)) for one, text in zip(found, words, strict=True)]
        return Reading(
            family,
            is_=is_,
            mentions=frozenset().union(*(one.mentioned for one in found)) - is_,
            named=frozenset().union(*(one.named for one in found)) - is_,
            equal=against,
            above=above,
            systems=systems,
            wordless=not words,
            queried=bool(is_) and (queried or (bool(coded) and entry.text is not None and "?" in entry.text)),
        )

    def _terms(self, codes: tuple[Coding, ...]) -> frozenset[str]:
        """What code systems call the entry's codes, folded: a terminology names things, and denies none."""
        known = (c for c in codes if c.display and c.code and c.system and self.systems.name(c.system) in self.systems)
        return frozenset(fold(untagged(coding.display or "")) for coding in known)

    def _kin(self, one: str, other: str) -> bool:
        return one == other or one in self._above[other] or other in self._above[one]

    def _said(self, family: Family, index: NameIndex, texts: list[tuple[str, Found]], terms: frozenset[str]) -> frozenset[str]:
        """Concepts that an entry's words name outright: in the whole text, for drugs and vaccines also within an order of them."""
        said: set[str] = set()
        for text, one in texts:
            said |= index.equal(_ALLERGY.sub(r"\1", text) if family == "allergy" else text)
            if family not in _NAMED_ANYWHERE and family != "procedure":
                continue
            if text not in terms and not (is_order(text, one) and not names_several(text, one, self._kin)):
                continue
            if family in _NAMED_ANYWHERE:
                said |= one.named
            else:
                # product names of cell therapies, which are also charted as drugs
                said |= {id_ for id_ in one.named if "medication" in self.concepts[id_].also and len(self._below[id_]) == 1}
        return frozenset(said)

    def _codings(self, codes: tuple[Coding, ...]) -> list[tuple[str, str]]:
        found = []
        for coding in codes:
            if coding.code:
                system = self.systems.name(coding.system) if coding.system else ""
                found.append((system, coding.code.strip() if system == CONCEPT_SYSTEM else self.systems.code(system, coding.code)))
        return found

    def _coded(self, codings: list[tuple[str, str]], ours: frozenset[str]) -> tuple[set[str], list[str], frozenset[str]]:
        """Concepts of the codes, what the lists say the codes mean, and concepts whose header a code is."""
        coded: set[str] = set()
        meanings: list[str] = []
        above: set[str] = set()
        for system, code in codings:
            found = self._codes.get((system, code))
            branches = self._branches.get(system)
            if found is None and branches:
                # the longest branch is the most specific
                found = next((branches[code[:end]] for end in range(len(code) - 1, 0, -1) if code[:end] in branches), None)
            for id_, meaning in found or ():
                if id_ in ours:
                    coded.add(id_)
                    meanings.append(fold(meaning))
            above |= self._headers.get((system, code), frozenset()) & ours
        return coded, meanings, frozenset(above)

    def _contradicted(self, family: Family, concept: str, systems: frozenset[str]) -> bool:
        """Whether a code of the entry speaks against a name: it is of a system in which this concept has codes, and is none of them."""
        listed = self._complete[concept] if family != "observation" else self.concepts[concept].codes.keys()
        return not systems.isdisjoint(listed)

    def _finest(self, ids: Iterable[str]) -> frozenset[str]:
        known = frozenset(ids)
        if len(known) < 2:
            return known
        return frozenset(id_ for id_ in known if not any(id_ in self._above[other] for other in known))

    def _index(self, family: Family) -> NameIndex:
        index = self._indexes.get(family)
        if index is None:
            ours = [concept for concept in self.concepts.values() if concept.id in self._families[family]]
            index = self._indexes[family] = NameIndex(
                {concept.id: (concept.label, *concept.synonyms) for concept in ours}, {concept.id: concept.mentions for concept in ours}
            )
        return index

    def _completeness(self) -> dict[str, frozenset[str]]:
        """Systems in which a concept's codes are all listed: its own claim, or one of what it is a kind of."""
        own = {id_: frozenset(concept.complete) for id_, concept in self.concepts.items()}
        return {id_: own[id_].union(*(own[other] for other in self._above[id_])) for id_ in self.concepts}

    def _code_tables(self) -> tuple[_Codes, dict[str, dict[str, _Owners]], dict[tuple[str, str], frozenset[str]]]:
        codes: dict[tuple[str, str], list[tuple[str, str]]] = {}
        branches: dict[str, dict[str, list[tuple[str, str]]]] = {}
        headers: dict[tuple[str, str], set[str]] = {}
        for concept in self.concepts.values():
            for system, listed in concept.codes.items():
                for code in listed:
                    plain = self.systems.code(system, code.code)
                    owner = (concept.id, code.meaning or concept.label)
                    if plain.endswith("*"):
                        plain = plain.rstrip("*").rstrip(".")
                        branches.setdefault(system, {}).setdefault(plain, []).append(owner)
                        last = len(plain) + 1
                    else:
                        codes.setdefault((system, plain), []).append(owner)
                        last = len(plain)
                    if self.systems.hierarchical(system):
                        for end in range(1, last):
                            headers.setdefault((system, plain[:end]), set()).add(concept.id)
        return (
            {key: tuple(owners) for key, owners in codes.items()},
            {system: {code: tuple(owners) for code, owners in table.items()} for system, table in branches.items()},
            {key: frozenset(ids) for key, ids in headers.items()},
        )

    # values

    def quantity(self, concept: str, value: Interval, unit: str | None) -> Interval | UnitProblem:
        """A value in the concept's unit, to 9 significant digits; limits of rules go the same way.

        Converts within a dimension, between mass and moles where the concept has a molar mass, and
        by the concept's own factors. A missing unit is accepted only where the concept is measured
        in 1. Anything else is a ``UnitProblem``: no unit is inferred from a number.
        """
        known = self.concepts[concept]
        spelt = unit.strip() if unit is not None else ""
        if known.unit is None:
            if spelt and self.units.get(spelt) is not self.units.get("1"):
                return UnitProblem(f"{known.label} is given with a unit, and has none here")
            return value.scale(1.0)
        target = self.units.get(known.unit)
        if target is None:
            return UnitProblem(f"the unit of {known.label} is not in units.yaml")
        if not spelt:
            return value.scale(1.0) if known.unit == "1" else UnitProblem(f"no unit is given where {known.unit} or its like is needed")
        source = self.units.get(spelt)
        if source is None:
            return UnitProblem(f"the unit given is not one of units.yaml; {known.label} is compared in {known.unit}")
        converted = self.units.convert(value, source, target)
        if converted is None and source.name in known.units:
            converted = value.scale(known.units[source.name])
        if converted is None:
            # an accepted unit brings its whole dimension: with mg/mmol also g/mmol
            for name, factor in known.units.items():
                accepted = self.units.get(name)
                if accepted is not None and accepted.dimension == source.dimension:
                    converted = value.scale(source.factor / accepted.factor * factor)
                    break
        if converted is None and known.molar_mass is not None:
            converted = molar(value, source, target, known.molar_mass.low, known.molar_mass.high)
        return converted if converted is not None else UnitProblem(f"{source.name} cannot be turned into {known.unit} for {known.label}")

    def unit_name(self, text: str | None) -> str | None:
        """The one name of a unit however it is spelt, or None where the table has none like it."""
        unit = self.units.get(text)
        return unit.name if unit is not None else None

    def plausible(self, concept: str, value: Interval) -> bool:
        """False only if no number of the value can be a living person's result."""
        limits = self.concepts[concept].plausible
        if limits is None:
            return True
        outer = Interval(limits.low if limits.low is not None else -inf, limits.high if limits.high is not None else inf)
        return value.within(outer)

    def class_interval(self, concept: str, text: str) -> tuple[int, int] | None:
        """First and last place in the concept's ``classes`` of a class, or of a span such as II; None if it is neither."""
        known = self.concepts[concept]
        return class_range(text, known.classes, known.spans, (known.label, *known.synonyms))

    def result(self, concept: str, text: str) -> str | None:
        """The one of the concept's named results that a chart's word means, or None."""
        return self.words.read(text, self.concepts[concept].results)

    def titre(self, text: str) -> Interval | None:
        """A dilution as the interval of its denominator: ``1:80`` is 80, ``<1:40`` below 40."""
        return read_titre(text)


_Owners = tuple[tuple[str, str], ...]
_Codes = dict[tuple[str, str], _Owners]


def _kinship(concepts: Mapping[str, Concept]) -> tuple[dict[str, frozenset[str]], dict[str, frozenset[str]]]:
    """Strict ancestors, and descendants with the concept itself."""
    above: dict[str, frozenset[str]] = {}

    def visit(id_: str) -> frozenset[str]:
        if id_ not in above:
            found: set[str] = set()
            for parent in concepts[id_].broader:
                found.add(parent)
                found |= visit(parent)
            above[id_] = frozenset(found)
        return above[id_]

    below: dict[str, set[str]] = {id_: {id_} for id_ in concepts}
    for id_ in concepts:
        for ancestor in visit(id_):
            below[ancestor].add(id_)
    return above, {id_: frozenset(ids) for id_, ids in below.items()}
