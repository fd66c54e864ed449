"""Words of charts and words of concepts, folded alike, and a fast index to find one in the other.

``fold`` makes two spellings of one name equal: case, accents, apostrophes, hyphens, zero-width
spaces and punctuation do not matter. Letters, digits, ``+`` and ``%`` do.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

_KEPT = "+%"
_ASCII = {
    code: (chr(code).lower() if chr(code).isalnum() or chr(code) in _KEPT else None if chr(code) == "'" else " ") for code in range(128)
}
_GRAM = 3
_TAG = re.compile(
    r"\s*\((?:disorder|finding|procedure|situation|event|observable entity|morphologic abnormality|substance|product"
    r"|medicinal product|clinical drug|regime/therapy|person)\)\s*$"
)


def untagged(text: str) -> str:
    """A text without the bracket in which SNOMED CT says what kind of thing it names.

    >>> untagged("Multiple sclerosis (disorder)")
    'Multiple sclerosis'
    """
    return _TAG.sub("", text)


@lru_cache(maxsize=16384)
def fold(text: str) -> str:
    """A text as it is compared: lower case, plain letters, single spaces.

    >>> fold("Sjögren’s  syndrome"), fold("SLEDAI-2K​")
    ('sjogrens syndrome', 'sledai 2k')
    """
    if text.isascii():
        return " ".join(text.translate(_ASCII).split())
    kept: list[str] = []
    for character in unicodedata.normalize("NFKD", text).casefold():
        if character.isalnum() or character in _KEPT:
            kept.append(character)
        elif character in "'’‘ʼ`´" or unicodedata.category(character) in ("Mn", "Cf"):
            continue  # apostrophes, accents, zero-width spaces: nothing between two letters
        else:
            kept.append(" ")
    return " ".join("".join(kept).split())


@dataclass(frozen=True, slots=True)
class Found:
    """Concepts met in a text: by any of their words, and by a whole name of theirs, with its place."""

    mentioned: frozenset[str]
    named: frozenset[str]
    places: tuple[tuple[int, int, frozenset[str]], ...] = ()

    def without(self, folded: str, known: frozenset[str]) -> str:
        """The text with the names of some concepts taken out: what else do its words say?

        Only letters that no name of them covers are left, so *prednisolone* does not stay behind
        where *methylprednisolone* was the name.
        """
        left = list(folded)
        for start, end, ids in self.places:
            if ids & known:
                left[start:end] = "|" * (end - start)
        return "".join(left)


ORDER_WORDS = frozenset(
    """
    mg mcg ug g kg ml l iu u unit units mmol meq hr hour hours min dose doses cycle cycles course courses
    tablet tablets tab tabs t capsule capsules cap caps c pill pills injection injections inj infusion infusions inf injectable solution
    concentrate suspension syrup liquid powder cream ointment gel lotion foam drops drop spray inhaler inhalation patch suppository
    suppositories enema vial vials pen pens syringe syringes prefilled pre filled autoinjector auto injector ampoule ampoules bag kit
    pack film coated enteric gastro resistant chewable disintegrating orodispersible soluble extended delayed prolonged modified
    sustained controlled immediate release xl xr sr er dr mr cr la reconstituted lyophilized intravenously orally preservative free
    oral intravenous iv subcutaneous sc sq subcut intramuscular im topical ophthalmic otic nasal intranasal rectal inhaled transdermal
    intrathecal by mouth po vein eye ear skin
    daily weekly monthly yearly once twice thrice one two three four six eight half times per every each day days week weeks month
    months year years bid tid qid qd od bd tds qds qds qhs qam qpm qw prn hs am pm morning evening night bedtime noon fortnight
    fortnightly wk wkly alternate nocte breakfast lunch dinner mondays tuesdays wednesdays thursdays fridays saturdays sundays monday
    tuesday wednesday thursday friday saturday sunday take apply inject food meals meal water refill refills dispense
    a an and with plus x drip pulse pulses taper tapering tapered loading
    hydrochloride hcl acetate phosphate succinate hemisuccinate sodium potassium calcium magnesium sulfate sulphate mesylate besylate
    maleate fumarate tartrate citrate bromide chloride monohydrate anhydrous biosimilar generic human humanized recombinant
    treatment therapy maintenance started since ongoing continued restarted given received completed finished low last
    tabletten filmtabletten kapseln pf
    vaccine vaccination immunization booster shot first second third fourth fifth sixth adult pediatric high standard quadrivalent
    trivalent northern southern hemisphere
    abbs pvvr arrx bavi aazg anoh sztn aeeb aagh dyyb abda axxq qbtx cdon mwge fcab noli cwvz fnia xiiy
    """.split()  # noqa: SIM905 - so many words read better as text
)
"""Words an order or a product's name is made of, beside the drug: strength, form, route, salt, frequency, that it was given.

A drug's name among other words is no more than a mention (MEANING 4): "no rituximab", "switch from rituximab", "rituximab
allergy". A list of such words is never whole, so this is the list of those that leave a name what it says. Its last line are
the suffixes that the FDA gives to biologicals (Purple Book), which mean nothing.
"""
# words of a label that lead on to something else elsewhere: only in front of a form, or of the need, are they the label's
_FORMS = "concentrate|solution|infusion|injection|suspension|oral|intravenous|subcutaneous|reconstitution|inhalation"
_OF_A_LABEL = re.compile(
    rf"\b(?:i v|s c|p o|i m)\b|\bfor (?=(?:{_FORMS})\b)"
    r"|\b(?:for|over) (?=\d+ (?:min|hour|day|week|month|year|dose|cycle)s?\b)|\bon (?=(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b)"
    r"|\b(?:infusions?|injections?|doses?|courses?|cycles?|administration) of\b"
    r"|\b(?:as|when) (?:needed|required)\b|\bin (?=(?:[\d ]+ )?ml\b)|\b(?:at|in the) (?=(?:bedtime|night|noon|morning|evening)\b)"
)
_NONE_OF_IT = re.compile(r"(?:^|\s)0+(?!\s*\d)(?:\s|$)")  # a nought that begins no decimal
# what stands in a text beside letters and digits and says nothing of them; any other sign may deny what it stands at
_ORDINARY = frozenset(".,;:/'\"()[]{}+%*&@#_|\\®·°’‘“”„´`⁄×")
_NOTHING_WITHIN = re.compile(r"\(\s*\)|\[\s*\]|\{\s*\}")
_JOINED = frozenset(("and", "with", "plus", "+"))

NOTHING = Found(frozenset(), frozenset())


def is_order(folded: str, found: Found) -> bool:
    """Whether a text is the names met in it and the words of an order, and so tells that this was given.

    >>> index = NameIndex({"rituximab": ["rituximab"]}, {})
    >>> [is_order(text, index.find(text)) for text in ("rituximab 1000 mg iv", "no rituximab", "switch from rituximab")]
    [True, False, False]
    """
    left = list(folded)
    for start, end, _ in found.places:
        left[start:end] = " " * (end - start)
    rest = _OF_A_LABEL.sub("", "".join(left))
    if _NONE_OF_IT.search(rest):
        return False
    return all(word in ORDER_WORDS or any(character.isdigit() for character in word) for word in rest.split())


def is_queried(text: str) -> bool:
    """Whether a text carries a sign that asks or denies: a question mark, a minus before or behind, an empty box, a cross.

    Ordinary punctuation, and a hyphen or dash between two words, are none.

    >>> [is_queried(text) for text in ("?lymphoma", "lymphoma (-)", "[ ] lymphoma", "non-Hodgkin lymphoma (stage II)")]
    [True, True, True, False]
    """
    text = unicodedata.normalize("NFKC", text)
    for at, sign in enumerate(text):
        if sign.isalnum() or sign.isspace() or sign in _ORDINARY:
            continue
        kind = unicodedata.category(sign)
        if kind in ("Mn", "Mc", "Cf"):
            continue
        if kind == "Pd" or sign == "\u2212":
            before, after = text[:at].rstrip(), text[at + 1 :].lstrip()
            if before and after and before[-1] not in "([{" and after[0] not in ")]}.,;":
                continue
        return True
    return _NOTHING_WITHIN.search(text) is not None


def names_several(folded: str, found: Found, kin: Callable[[str, str], bool]) -> bool:
    """Whether a text names drugs that are no kin side by side, without a word that says both: it may be one or the other."""
    if not _JOINED.isdisjoint(folded.split(" ")):
        return False
    outer = [one for one in found.places if not any(o[0] <= one[0] and one[1] <= o[1] and o[:2] != one[:2] for o in found.places)]
    return any(not any(kin(a, b) for a in one[2] for b in other[2]) for one, other in combinations(outer, 2))


class NameIndex:
    """Names (labels and synonyms) and stems of concepts, found in texts.

    A name or stem of four characters and more is *mentioned* wherever it occurs, within a word too
    (``carcinom`` in ``adenocarcinoma``); a shorter one only as a whole word, since ``MS`` is in half of
    all words. A name is *named* where it stands as whole words.

    The index is by the first three characters, so that a text costs one look-up a character however
    many names there are; a regular expression of several thousand alternatives would be tried in
    full at each.
    """

    __slots__ = ("_exact", "_grams", "_short")

    def __init__(self, names: Mapping[str, Iterable[str]], stems: Mapping[str, Iterable[str]]) -> None:
        exact: dict[str, set[str]] = {}
        grams: dict[str, dict[str, tuple[set[str], set[str]]]] = {}
        short: dict[str, tuple[set[str], set[str]]] = {}
        for is_name, table in ((True, names), (False, stems)):
            for concept, texts in table.items():
                for text in texts:
                    word = fold(text)
                    if not word:
                        continue
                    if is_name:
                        exact.setdefault(word, set()).add(concept)
                    place = short if len(word) < _GRAM else grams.setdefault(word[:_GRAM], {})
                    place.setdefault(word, (set(), set()))[0 if is_name else 1].add(concept)
        self._exact = {word: frozenset(ids) for word, ids in exact.items()}
        self._short = {word: (frozenset(n | s), frozenset(n)) for word, (n, s) in short.items()}
        self._grams = {
            key: tuple((word, len(word) <= _GRAM, frozenset(n | s), frozenset(n)) for word, (n, s) in table.items())
            for key, table in grams.items()
        }

    def equal(self, folded: str) -> frozenset[str]:
        """Concepts of which the whole text is a name."""
        return self._exact.get(folded, frozenset())

    def find(self, folded: str) -> Found:
        """Concepts whose words occur in a folded text."""
        if not folded:
            return NOTHING
        mentioned: set[str] = set()
        named: set[str] = set()
        places: list[tuple[int, int, frozenset[str]]] = []
        grams = self._grams
        for start in range(len(folded) - _GRAM + 1):
            table = grams.get(folded[start : start + _GRAM])
            if table is None:
                continue
            begins = start == 0 or folded[start - 1] == " "
            for word, whole_only, any_ids, name_ids in table:
                if not folded.startswith(word, start):
                    continue
                end = start + len(word)
                whole = begins and (end == len(folded) or folded[end] == " ")
                if whole or not whole_only:
                    mentioned |= any_ids
                if whole and name_ids:
                    named |= name_ids
                    places.append((start, end, name_ids))
        start = 0
        for word in folded.split(" "):
            short = self._short.get(word)
            if short is not None:
                mentioned |= short[0]
                if short[1]:
                    named |= short[1]
                    places.append((start, start + len(word), short[1]))
            start += len(word) + 1
        return Found(frozenset(mentioned), frozenset(named), tuple(places))
