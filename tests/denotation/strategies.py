"""Generators: statements worked backwards from the node wanted, and tiny records to ask them of.

A statement is generated as a rule file would write it (plain mappings) and parsed, so the language's
own refusals apply. ``leaf`` makes the questions about facts; ``statement`` builds logic over leaves.
``case_for`` makes a record that is about what the statement asks.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st
from pydantic import TypeAdapter

from denotation.evaluate import Rules
from denotation.vocabulary import BY_ID, NUMBERS, STEROIDS, is_point
from denotation.worlds import BIRTH, DAY0, OUTCOMES, ROUTES, Absent, Case, Told, mentioned
from eligibility.model.criteria import Statement
from eligibility.model.site import Site
from eligibility.model.trial import Definition, Derived, Visit

STATEMENT: TypeAdapter[Any] = TypeAdapter(Statement)

SCHEDULE = {
    "consent": Visit.model_validate({"looks_back": "1 day"}),
    "screening": Visit.model_validate({"looks_back": "2 days"}),
    "apheresis": Visit.model_validate({"looks_back": "3 days"}),
    "infusion": Visit.model_validate({"looks_back": "1 day"}),
    "visit": Visit.model_validate({"on": "2 days after screening", "looks_back": "2 days"}),
    "later-visit": Visit.model_validate({"between": ["1 day", "3 days"], "looks_back": "4 days"}),
}
SCHEDULED = {"visit": (2, 2), "later-visit": (1, 3)}
LISTS: dict[str, tuple[Any, ...]] = {"agents": ("blocker-a", ("prednisone", "dexa")), "growths": ("growth-skin", "growth-lung")}
DEFINITIONS = {
    "grown": Definition.model_validate({"text": "has a growth", "when": {"condition": "growth", "ever": True}}),
    "ripe": Definition.model_validate({"text": "is of age", "when": {"age": {"at_least": "40 years"}}}),
}
DERIVED = {
    "skin-share": Derived.model_validate(
        {"ratio": [{"observation": "tally", "only": ["skin"]}, {"observation": "tally"}], "same": "day", "unit": "%"}
    ),
    "mass-index": Derived.model_validate({"formula": "body-mass-index", "inputs_within": "2 days"}),
}
RULES = Rules(
    BY_ID,
    looks_back={name: visit.looks_back for name, visit in SCHEDULE.items() if visit.looks_back is not None},
    lists=LISTS,
    definitions=DEFINITIONS,
    derived=DERIVED,
)

one_of = st.sampled_from
BORN = BIRTH - DAY0


def parse(raw: Any) -> Any:
    """A statement as a rule file writes it, as a node."""
    return STATEMENT.validate_python(raw)


# -- words of time -------------------------------------------------------------------------------

lengths = one_of(["1 day", "2 days", "3 days", "4 days", "1 week", "1 month"])
either = one_of(["greater_of", "lesser_of"])
any_length = st.one_of(lengths, st.builds(lambda how, a, b: {how: [a, b]}, either, lengths, lengths))
drug_length = st.one_of(one_of(["2 half-lives", "3 half-lives"]), st.builds(lambda how: {how: ["2 days", "3 half-lives"]}, either))
anchors = one_of(["screening", "consent", "apheresis", "infusion", "visit", "later-visit"])


@st.composite
def duration_limits(draw: st.DrawFn, length: st.SearchStrategy[Any] = lengths) -> dict[str, Any]:
    kind = draw(one_of(["at_least", "above", "at_most", "below", "range", "from"]))
    if kind == "from":
        few = draw(st.integers(0, 3))
        return {"from": f"{few} days", "to": f"{few + draw(st.integers(0, 3))} days"}
    if kind == "range":
        few = draw(st.integers(0, 2))
        return {draw(one_of(["at_least", "above"])): f"{few} days", draw(one_of(["at_most", "below"])): f"{few + 2} days"}
    return {kind: draw(length)}


@st.composite
def time_words(draw: st.DrawFn, spans: bool, fact_anchor: bool = False, drug: bool = False) -> dict[str, Any]:
    """One word of time, with its anchor where it takes one."""
    words = ["ever", "at", "within", "within", "ago", "side", *(["now", "now"] if spans else [])]
    word = draw(one_of(words))
    if word in ("ever", "now"):
        return {word: True}
    if word == "at":
        return {"at": draw(anchors)}
    anchor: Any = draw(selection()) if fact_anchor and draw(st.booleans()) else draw(anchors)
    direction = "before" if drug else draw(one_of(["before", "after"]))
    if word == "side":
        return {direction: anchor}
    length = drug_length if drug else any_length
    said = {"within": draw(length)} if word == "within" else {"ago": draw(duration_limits(length))}
    return said if draw(st.booleans()) and isinstance(anchor, str) else {**said, direction: anchor}


@st.composite
def selection(draw: st.DrawFn) -> dict[str, Any]:
    """Facts to hang a time on: an anchor, or a span in ``while``."""
    concept = draw(one_of(["washing", "removal", "blocker-a", "flare", "growth", "live-shot", "marker"]))
    words: dict[str, Any] = {BY_ID[concept].family: concept}
    if draw(st.booleans()):
        words |= draw(time_words(spans=concept in ("blocker-a", "growth")))
    if BY_ID[concept].family == "medication" and draw(st.booleans()):
        words["where"] = draw(one_of([{"route": "oral"}, {"dose": {"at_least": "2 mg/day"}}, {"lasting": {"at_least": "2 days"}}]))
    if draw(st.booleans()):
        words[draw(one_of(["latest", "earliest"]))] = True
    if concept == "growth" and draw(st.booleans()):
        words["except"] = [{"condition": "growth-skin"}]
    return words


# -- tests of one fact ---------------------------------------------------------------------------

half = st.integers(0, 6).map(lambda n: f"{n / 2:g}")


@st.composite
def comparison(draw: st.DrawFn, limit: st.SearchStrategy[Any], ordered: bool = True) -> dict[str, Any]:
    kind = draw(one_of(["at_least", "above", "at_most", "below", "from"]))
    if kind == "from" and ordered:
        low, high = sorted([draw(limit), draw(limit)], key=lambda text: float(text.split()[0]))
        return {"from": low, "to": high}
    return {kind if kind != "from" else "at_least": draw(limit)}


@st.composite
def value_test(draw: st.DrawFn, concept: str, simple: bool = False) -> dict[str, Any]:
    if concept in ("marker", "marker-fasting", "tally"):
        if not simple and draw(st.integers(0, 9)) == 0:
            return {"at_least": "not_published"}
        # in an exact leaf no limit that every score meets, or none
        return draw(comparison(one_of(["0.5", "1", "1.5"]) if simple and concept == "tally" else half))
    if concept == "enzyme":
        units = half.map(lambda n: f"{n} U/L")
        times = one_of(["1 x ULN", "2 x ULN", "1 x LLN", "1.5 x ULN"])
        kind = draw(one_of(["unit", "times", "kilo", "either", "extreme"]))
        if kind == "unit":
            return draw(comparison(units))
        if kind == "times":
            return draw(comparison(times, ordered=False))
        if kind == "kilo":
            return draw(comparison(one_of(["0.001 kU/L", "0.002 kU/L"])))
        low = draw(units)
        if kind == "either":
            return {"at_most": [low, "0.002 kU/L"]}
        return {draw(one_of(["at_least", "below"])): {draw(one_of(["greater_of", "lesser_of"])): [low, draw(st.one_of(units, times))]}}
    if concept == "swab":
        return {"is": draw(one_of(["positive", "negative", "borderline", ["positive", "borderline"]]))}
    if concept == "stage":
        names = one_of(["I", "IIa", "IIb", "II", "III"])
        inner = one_of(["IIa", "IIb", "II"])  # of the ends, a comparison no class or every class meets
        return draw(st.one_of(comparison(inner, ordered=False), st.builds(lambda name: {"is": name}, names)))
    if concept == "dilution":
        return draw(comparison(one_of(["1:20", "1:40", "1:80", "1:160"]), ordered=False))
    if concept == "skin-share":
        return draw(comparison(one_of(["25 %", "50 %", "75 %"]), ordered=False))
    if concept == "mass-index":
        return draw(comparison(one_of(["1 kg/m2", "2 kg/m2", "4 kg/m2"]), ordered=False))
    raise KeyError(concept)


dose_test = st.one_of(
    comparison(one_of(["1 mg/day", "2 mg/day", "3 mg/day"]), ordered=False),
    st.just({"at_most": {"lesser_of": ["2 mg/day", "3 mg/day"]}}),
)


@st.composite
def attribute_test(draw: st.DrawFn, family: str, concept: str, simple: bool = False, depth: int = 1) -> dict[str, Any]:
    """A test of anything but the value."""
    point = is_point(BY_ID[concept]) if concept in BY_ID else True
    kinds = ["started"]
    if family == "medication":
        kinds += ["dose", "route", "outcome", "lasting", "ended", "both"]
    if family == "condition" and not point:
        kinds += ["grade", "lasting", "ended"]
    if family == "allergy":
        kinds += ["grade"]
    if depth and not simple:
        kinds += ["all_of", "any_of", "none_of"]
    if simple:
        kinds = [kind for kind in kinds if kind in ("dose", "route", "outcome", "grade")]
    kind = draw(one_of(kinds))
    match kind:
        case "dose":
            if concept in STEROIDS and draw(st.booleans()):
                return {"dose": {**draw(dose_test), "as": "prednisone"}}
            return {"dose": draw(dose_test)}
        case "route":
            return {"route": draw(one_of([*ROUTES, list(ROUTES)]))}
        case "outcome":
            return {"outcome": draw(one_of([["response"], ["inadequate-response", "loss-of-response"], ["intolerance"]]))}
        case "both":
            return {"outcome": ["inadequate-response"], "lasting": draw(duration_limits())}
        case "grade":
            return {"grade": {"scale": "ctcae", **draw(comparison(one_of(["2", "3"] if simple else ["1", "2", "3", "4"])))}}
        case "lasting":
            return {"lasting": draw(duration_limits())}
        case "started" | "ended":
            return {kind: draw(time_words(spans=False))}
    return {kind: [draw(attribute_test(family, concept, depth=0)) for _ in range(draw(st.integers(1, 2)))]}


# -- questions about facts -----------------------------------------------------------------------

CONDITIONS = ("growth", "growth-skin", "flare", "spell", "lifer", "gravid")
OBSERVATIONS = ("marker", "marker-fasting", "enzyme", "swab", "stage", "dilution", "tally")
DRUGS = ("blocker", "blocker-a", "blocker-b", "prednisone", "dexa")
OTHERS = ("washing", "removal", "live-shot", "nut-allergy")


CHOICES = ("plain", "any", "every", "latest", "earliest", "count", "entries", "rise", "fall", "unchanged", "dose")


@st.composite
def leaf(draw: st.DrawFn, choice: str | None = None, exact: bool = False) -> dict[str, Any]:
    """A question about facts, of one choice word or of any; ``exact``: of the kind MEANING 6 calls exact."""
    choice = choice or draw(one_of(CHOICES))
    match choice:
        case "rise" | "fall":
            return draw(change(choice))
        case "unchanged":
            return draw(unchanged())
        case "dose":
            return {
                "observation": "prednisone-equivalent-dose",
                "at": draw(anchors),
                "latest": draw(comparison(one_of(["1 mg/day", "2 mg/day", "4 mg/day", "6 mg/day"]), ordered=not exact)),
            }
        case "entries":
            return draw(entries())
    facts = one_of([*CONDITIONS, *DRUGS, *OTHERS])
    observed = one_of([*OBSERVATIONS, *(() if exact or choice == "count" else ("skin-share", "mass-index"))])
    results_only = choice in ("latest", "any") and draw(st.booleans())
    if exact and choice != "plain":  # with an attribute of its own to ask for: a date beside a window is two questions
        facts = one_of(["growth", "growth-skin", "lifer", *DRUGS, "nut-allergy"])
    concept = draw(facts if choice == "plain" else observed if results_only else st.one_of(facts, observed))
    family = BY_ID[concept].family if concept in BY_ID else "observation"
    words = draw(_subject(family, concept, choice, exact))
    words |= draw(_when(family, concept, exact))
    if family == "observation" and choice != "count":
        words[choice] = draw(value_test(concept, exact))
    elif choice in ("any", "every"):
        words[choice] = draw(attribute_test(family, concept, exact))
    elif choice in ("latest", "earliest"):
        words[choice] = draw(attribute_test(family, concept, exact) if exact or draw(st.booleans()) else started())
    elif choice == "count":
        words["count"] = draw(count_of_days())
        if family == "observation" and draw(st.booleans()):
            words["where"] = draw(value_test(concept))
    if not exact and "where" not in words and family != "observation" and draw(st.integers(0, 2)) == 0:
        words["where"] = draw(attribute_test(family, concept))
    if not exact:
        words |= draw(_filters(family, concept, choice))
    elif choice == "plain" and draw(st.integers(0, 3)) == 0:
        words["documented"] = True
    return words


def started() -> st.SearchStrategy[dict[str, Any]]:
    return time_words(spans=False).map(lambda words: {"started": words})


@st.composite
def _subject(draw: st.DrawFn, family: str, concept: str, choice: str, exact: bool) -> dict[str, Any]:
    if concept == "tally" and draw(st.booleans()):
        return {family: concept, draw(one_of(["only", "without"])): draw(one_of([["skin"], ["lab"], ["rash"], ["rash", "lab"]]))}
    if choice in ("plain", "any", "every") and not exact and draw(st.integers(0, 4)) == 0:
        if family == "condition":
            return {family: draw(one_of(["growths", ["growth-skin", "flare"]]))} if choice == "plain" else {family: concept}
        if family == "medication":
            return {family: draw(one_of(["agents", ["blocker-b", "dexa"]]))} if choice == "plain" else {family: concept}
        if concept == "marker" and choice != "plain":
            return {family: ["marker", "tally"]}
    return {family: concept}


@st.composite
def _when(draw: st.DrawFn, family: str, concept: str, exact: bool) -> dict[str, Any]:
    spans = family in ("condition", "medication", "procedure", "allergy")
    drug = family == "medication" and not exact and draw(st.integers(0, 3)) == 0
    return draw(time_words(spans=spans, fact_anchor=not exact and draw(st.integers(0, 3)) == 0, drug=drug))


@st.composite
def _filters(draw: st.DrawFn, family: str, concept: str, choice: str) -> dict[str, Any]:
    words: dict[str, Any] = {}
    if draw(st.integers(0, 4)) == 0:
        words["except"] = [draw(exemption(family))]
    if draw(st.integers(0, 7)) == 0:
        words["while"] = draw(selection())
    if draw(st.integers(0, 7)) == 0:
        words["if_not_recorded"] = "unknown"
    if family != "observation" and draw(st.integers(0, 5)) == 0:
        words["documented"] = True
    elif choice == "plain" and family in ("medication", "procedure", "immunization") and draw(st.integers(0, 4)) == 0:
        words["planned"] = True
    return words


@st.composite
def exemption(draw: st.DrawFn, family: str) -> dict[str, Any]:
    kind = draw(one_of(["concept", "when", "fact", "where", "ask"]))
    narrower = {"condition": "growth-skin", "medication": "blocker-a", "observation": "marker-fasting"}
    words: dict[str, Any] = {}
    if kind in ("concept", "where", "ask") and family in narrower:
        words[family] = narrower[family]
    if kind == "when":
        words |= draw(time_words(spans=family in ("condition", "medication")))
    if kind == "fact":
        words |= {"within": draw(lengths), draw(one_of(["before", "after"])): {"procedure": draw(one_of(["washing", "removal"]))}}
    if kind == "where" and family != "observation":
        words["where"] = draw(attribute_test(family, narrower.get(family, "washing"), depth=0))
    if kind == "ask" or not words:
        words["ask"] = "Was it treated with intent to cure?"
    return words


@st.composite
def count_of_days(draw: st.DrawFn) -> dict[str, Any]:
    words: dict[str, Any] = {"distinct": "day"}
    words |= draw(one_of([{"at_least": 1}, {"at_least": 2}, {"at_least": 3}, {"at_most": 0}, {"at_most": 1}, {"at_most": 2}]))
    if draw(st.booleans()):
        words["apart"] = draw(one_of(["2 days", "3 days"]))
    return words


@st.composite
def entries(draw: st.DrawFn) -> dict[str, Any]:
    family, subject = draw(
        one_of(
            [
                ("medication", "agents"),
                ("medication", ["blocker-a", "prednisone"]),
                ("condition", ["growth-skin", "flare", "lifer"]),
                ("observation", ["marker", "tally"]),
            ]
        )
    )
    words: dict[str, Any] = {family: subject, **draw(time_words(spans=family != "observation"))}
    if family == "observation":
        words["where"] = draw(value_test("marker"))
    elif draw(st.booleans()):
        words["where"] = draw(attribute_test(family, "blocker-a" if family == "medication" else "growth-skin"))
    words["count"] = {"distinct": "entry", **draw(one_of([{"at_least": 1}, {"at_least": 2}, {"at_most": 1}]))}
    return words


@st.composite
def change(draw: st.DrawFn, word: str) -> dict[str, Any]:
    concept = draw(one_of(NUMBERS))
    unit = BY_ID[concept].unit
    own = " U/L" if unit == "U/L" else ""
    by = draw(one_of([f"1{own}", f"0.5{own}", f"2{own}", "50 % relative", *([] if own else ["1 points"])]))
    asked: dict[str, Any] = {draw(one_of(["at_least", "above"])): by}
    if draw(st.integers(0, 2)) == 0:
        asked["sustained"] = draw(one_of(["1 day", "2 days"]))
    if draw(st.integers(0, 3)) == 0:
        asked["over"] = draw(duration_limits())
    if "sustained" not in asked and draw(st.integers(0, 3)) == 0:
        asked["pair"] = "first-to-last"  # nothing comes after the last that could sustain it
    return {"observation": concept, **draw(time_words(spans=False)), word: asked}


@st.composite
def unchanged(draw: st.DrawFn) -> dict[str, Any]:
    drug = {"medication": draw(one_of(["blocker-a", "blocker-b", "prednisone", "blocker"]))}
    words = draw(one_of([drug, drug, {"observation": "prednisone-equivalent-dose"}]))
    anchor = draw(one_of([{}, {"before": "apheresis"}]))
    return {**words, "within": draw(one_of(["1 day", "2 days", "3 days"])), **anchor, "unchanged": True}


# -- the rest of the leaves, and logic -----------------------------------------------------------


@st.composite
def age(draw: st.DrawFn) -> dict[str, Any]:
    # born on 29 February 1984: 40 years and 480 months are completed on day 5 of the domain
    years = one_of(["39 years", "40 years", "41 years", "479 months", "480 months"])
    kind = draw(one_of(["at_least", "above", "at_most", "below", "from"]))
    low, high = draw(one_of(["18 years", "40 years"])), draw(one_of(["40 years", "65 years"]))
    limits = {"from": low, "to": high} if kind == "from" else {kind: draw(years)}
    return {"age": limits, **draw(one_of([{}, {"at": "consent"}, {"at": "infusion"}]))}


plain_leaf = st.one_of(
    age(),
    one_of([{"sex": "female"}, {"sex": "male"}, {"sex": "other"}]),
    one_of([{"site": "country", "is": "GB"}, {"site": "country", "is": ["ES", "GB"]}, {"site": "centre", "is": "north"}]),
    one_of([{"ask": "Is it so?"}, {"ask": "Is it otherwise?", "show": ["growth"], "valid_for": "2 days"}]),
    st.just({"not_published": "a number nobody prints"}),
    one_of([{"meets": "grown"}, {"meets": "ripe"}]),
)


@st.composite
def statement(draw: st.DrawFn, depth: int = 2) -> dict[str, Any]:
    """A leaf, or logic over leaves."""
    if depth == 0 or draw(st.integers(0, 2)) == 0:
        return draw(st.one_of(leaf(), leaf(), leaf(), plain_leaf))
    op = draw(one_of(["all_of", "any_of", "none_of", "of", "readings"]))
    below = [draw(statement(depth=depth - 1)) for _ in range(draw(st.integers(2, 3) if op in ("of", "readings") else st.integers(1, 3)))]
    if op == "of":
        return {"of": below, **draw(one_of([{"at_least": 1}, {"at_least": 2}, {"at_most": 0}, {"at_most": 1}]))}
    return {op: below}


# -- records -------------------------------------------------------------------------------------


@st.composite
def told(draw: st.DrawFn, concept: str, today: int, precise: bool = False) -> Told:
    """One entry about a concept, a broader one, or one whose meaning is not known."""
    family = BY_ID[concept].family
    broader = BY_ID[concept].broader
    if broader and draw(st.integers(0, 3)) == 0:
        concept = broader[0]
    kinds = ["fact"] * 9
    if family != "observation":
        kinds += ["refuted", "code", "words", "mention"]
    if family in ("medication", "procedure", "immunization"):
        kinds += ["plan"]
    kind = draw(one_of(kinds))
    day = draw(st.integers(0, today)) if draw(st.integers(0, 5)) else draw(st.integers(0, 8))
    width = 0 if precise else draw(one_of([0, 0, 0, 1, 3, 8]))
    start: tuple[int, int] | None = (day, min(day + width, 9))
    if not precise and draw(st.integers(0, 11)) == 0:
        start = None
    minute = draw(one_of([None, None, 480, 720])) if start is not None and width == 0 else None
    ends, end = "open", (0, 0)
    if family in ("condition", "medication") and start is not None:
        ends = draw(one_of(["open", "given", "given", "over", "ongoing", *(["supply"] if family == "medication" else [])]))
    if ends == "given" and start is not None:
        last = draw(st.integers(start[1], 9))
        end = (last, min(last + draw(one_of([0, 0, 2])), 9)) if not precise else (last, last)
    if ends == "supply":
        end = (draw(st.integers(1, 4)), 0)
    entry = Told(
        concept=concept,
        start=start,
        minute=minute,
        ends=ends,
        end=end,
        kind=kind,
        sure=draw(st.integers(0, 5)) < 5,
        recorded=draw(one_of([None, None, None, min(start[0] + 1, 8) if start is not None else today])),
        event=draw(one_of([None, None, None, None, "1", "2"])),
    )
    if family == "observation":
        return draw(_result(entry))
    if family == "medication":
        return replace(
            entry,
            dose=draw(one_of([None, 1.0, 2.0, 2.0, 3.0])),
            route=draw(one_of([None, *ROUTES])),
            outcome=draw(one_of([None, *OUTCOMES])),
            administered=ends == "open" and draw(st.booleans()),
        )
    if family in ("condition", "allergy"):
        return replace(entry, grade=draw(one_of([None, 1, 2, 3])))
    return entry


@st.composite
def _result(draw: st.DrawFn, t: Told) -> Told:
    if t.concept == "swab":
        return replace(t, value=draw(one_of([("name", "positive"), ("name", "negative"), ("name", "borderline"), ("none", None)])))
    if t.concept == "stage":
        return replace(t, value=draw(one_of([("class", name) for name in ("I", "IIa", "IIb", "II", "III")])))
    if t.concept == "dilution":
        return replace(t, value=draw(one_of([("titre", text) for text in ("1:20", "1:40", "1:80", "1:160")])))
    number = float(draw(st.integers(0, 3)))
    how = draw(one_of(["=", "=", "=", "=", "<", "<=", ">", ">=", "none"]))
    if t.concept == "tally":
        number = float(draw(st.integers(0, 5)))
        items = draw(st.booleans())
        points = tuple((name, float(draw(st.integers(0, int(item.most))))) for name, item in BY_ID["tally"].items.items())
        if items:
            return replace(t, items=points, value=("=", sum(p for _, p in points)))
        return replace(t, value=("=", number))
    if t.concept in ("weight", "height"):
        return replace(t, value=("=", draw(one_of([1.0, 2.0, 4.0])) if t.concept == "weight" else 100.0))
    if t.concept == "enzyme":
        how = draw(one_of([how, "kilo", "no-unit", "beyond"]))
        if how == "beyond":
            return replace(t, value=("beyond", 99.0))
        lab = draw(one_of([None, (1.0, 2.0), (0.5, 3.0)]))
        return replace(t, value=(how, number or 0.5), range=lab)
    if how == "<" and number == 0:
        how = "<="
    return replace(t, value=(how, number))


@st.composite
def case_for(draw: st.DrawFn, statement: Any, facts: int = 3, precise: bool = False, quiet: bool = False) -> Case:
    """A tiny record about what the statement asks. ``quiet``: no undated anchors, nothing odd."""
    main, inner = mentioned(statement, RULES)
    today = draw(one_of([5, 3, 4, 6]))
    subjects = sorted(main | inner) or ["growth"]
    precise = precise or draw(st.integers(0, 2)) == 0
    some = draw(st.integers(0, facts)) if draw(st.integers(0, 3)) == 0 else facts
    entries_ = tuple(draw(told(draw(one_of(subjects)), today, precise)) for _ in range(some))
    written = draw(one_of([None, None, None, today, 8, max(0, today - 1)]))
    if written is not None and any(t.start is not None and t.start[0] > written for t in entries_):
        written = None
    families = sorted({BY_ID[one].family for one in subjects})
    absences: list[Absent] = []
    for _ in range(draw(one_of([0, 0, 1, 1, 2]))):
        concept = draw(one_of([None, *subjects]))
        family = BY_ID[concept].family if concept is not None else draw(one_of(families))
        since = draw(one_of([None, None, None, 0, 2]))
        upto = draw(one_of([None, today, max(today - 1, 2), 8]))
        absences.append(Absent(family, concept, draw(one_of(["none-known", "complete", "coverage"])), since, upto))
    dated: dict[str, tuple[int, int] | None] = dict.fromkeys(("consent", "apheresis", "infusion"))
    if quiet or draw(st.booleans()):
        for name, base in (("consent", 0), ("apheresis", 1), ("infusion", 2)):
            day = (today + base, today + base)
            dated[name] = day if quiet else draw(one_of([None, day, (today, today + 2), (today - 1, today - 1)]))
        if dated["consent"] is not None and dated["consent"][0] > today:
            dated["consent"] = (today, today)
    placed: dict[str, tuple[int, int] | None] = {**dated, **{name: (today + lo, today + hi) for name, (lo, hi) in SCHEDULED.items()}}
    return Case(
        told=entries_,
        absent=tuple(absences),
        live=tuple(f for f in families if draw(st.booleans())),
        today=today,
        written=written,
        birth=draw(one_of([((BORN, BORN),), ((BORN, BORN),), ((BORN - 59, BORN + 306),), ((BORN - 28, BORN),), ()])),
        sex=draw(one_of([("female",), ("male",), ("unknown",), ("female", "male"), ()])),
        anchors=placed,
        site=draw(one_of([{}, {"country": "GB"}, {"country": "FR", "centre": "north"}])),
    )


def site_of(case: Case) -> Site:
    """The site's settings of a case: its facts, and the tiny horizon."""
    return Site.model_validate({"facts": case.site, "horizon": f"{case.horizon} days"})
