"""Learning more about what is recorded never flips an answer that was known, nor unsettles it (MEANING 1, Refinement)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from denotation.engine import ask_engine
from denotation.strategies import case_for, leaf, parse, statement
from denotation.vocabulary import BY_ID
from denotation.worlds import OUTCOMES, ROUTES, Absent, Case, Told
from hypothesis import given
from hypothesis import strategies as st

from eligibility.errors import UsageError
from eligibility.model.truth import FALSE, TRUE


def finer(case: Case, draw: Any) -> Iterator[Case]:
    """Cases that say one thing more than this one does."""
    for i, told in enumerate(case.told):

        def with_(i: int = i, **more: Any) -> Case:
            return replace(case, told=(*case.told[:i], replace(case.told[i], **more), *case.told[i + 1 :]))

        lo, hi = case.starts(told)
        if told.kind == "fact" and told.start is not None:
            if lo != hi:
                day = draw(st.integers(lo, hi))
                yield with_(start=(day, day))
                yield with_(start=(lo, day))
            elif told.minute is None:
                yield with_(minute=draw(st.sampled_from([0, 700, 1439])))
        if told.kind == "fact" and told.start is None:
            day = draw(st.integers(-1, case.w))
            yield with_(start=(day, day))
        if told.kind == "fact" and not told.sure:
            yield with_(sure=True)
            yield replace(case, told=(*case.told[:i], *case.told[i + 1 :]), live=(*case.live, told.family))
        if not told.understood:
            yield with_(kind="fact")
            yield replace(case, told=(*case.told[:i], *case.told[i + 1 :]))
        if told.ends == "given" and told.end[0] != told.end[1]:
            yield with_(end=(told.end[1], told.end[1]))
        yield from (with_(**more) for more in missing(told, draw))
    for name in case.given:
        if case.anchors.get(name) is None and name in case.anchors:
            lo, hi = case.anchor_days(name)
            day = draw(st.integers(lo, hi))
            yield replace(case, anchors={**case.anchors, name: (day, day)})
    family = draw(st.sampled_from(sorted({t.family for t in case.told} | {"procedure"})))
    yield replace(case, absent=(*case.absent, Absent(family, None, "complete", draw(st.sampled_from([None, 2])), case.today)))


def missing(told: Told, draw: Any) -> Iterator[dict[str, Any]]:
    """Attributes that the entry leaves out, and narrower values."""
    if told.kind != "fact":
        return
    if told.family == "medication":
        yield from ({"dose": draw(st.sampled_from([1.0, 2.0]))} for _ in range(told.dose is None))
        yield from ({"route": draw(st.sampled_from(ROUTES))} for _ in range(told.route is None))
        yield from ({"outcome": draw(st.sampled_from(OUTCOMES))} for _ in range(told.outcome is None))
    if told.family in ("condition", "allergy") and told.grade is None:
        yield {"grade": draw(st.sampled_from([1, 2, 3]))}
    how, value = told.value
    if how in ("<", "<=", ">", ">=") and BY_ID[told.concept].unit is not None:
        yield {"value": ("=", value + {"<": -0.5, "<=": 0.0, ">": 0.5, ">=": 0.0}[how])}
    if told.concept == "stage" and value == "II":
        yield {"value": ("class", draw(st.sampled_from(["IIa", "IIb"])))}
    if how == "no-unit":
        yield {"value": ("=", value)}
    if told.concept == "enzyme" and told.range is None:
        yield {"range": (1.0, 2.0)}


def contradicts(before: Case, after: Case) -> bool:
    """Whether what was added makes another entry doubtful, or voids a stated absence."""
    doubtful = [t.source if hasattr(t, "source") else t for t in before.told if before.possible(t)]
    newly = [t for t in after.told if after.possible(t) and t.sure and t not in doubtful]
    return bool(newly) or len(after.standing()) < len([a for a in after.absent if a in before.standing()])


@given(data=st.data())
def test_a_refinement_keeps_every_strict_answer(data: st.DataObject) -> None:
    raw = data.draw(st.one_of(leaf(), leaf(), statement(depth=1)))
    node = parse(raw)
    case = data.draw(case_for(node))
    case = replace(case, written=case.w)  # when it was written does not change by what is learnt
    before = ask_engine(node, case).truth
    if before not in (TRUE, FALSE):
        return
    for more in finer(case, data.draw):
        if contradicts(case, more) or ("documented" in str(raw) and mapped(case, more)):
            continue
        try:
            after = ask_engine(node, more)
        except UsageError:
            continue  # anchors out of their order
        assert after.truth is before, f"{raw}\n{case}\n{more}\n{before.name} became {after.truth.name}"


def mapped(before: Case, after: Case) -> bool:
    """Whether an entry presumed to be something else was told to be it: the one step that may flip a ``documented`` leaf."""
    return sum(not t.understood for t in before.told) > sum(not t.understood for t in after.told)
