"""What goes with a finding: needs that settle it, the day it changes, and what order does not matter (MEANING 8)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any

from denotation.engine import ask_engine
from denotation.strategies import case_for, leaf, one_of, parse, plain_leaf, statement
from denotation.trials import Supply, only, plan_of, screened, trial_of
from denotation.worlds import DAY0, Case, selections
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from eligibility.errors import UsageError
from eligibility.model import criteria as c
from eligibility.model.finding import CriterionResult
from eligibility.model.time import add_months
from eligibility.model.trial import TrialFile

KINDS = one_of(["inclusion", "exclusion"])
FEW = settings(max_examples=max(10, settings().max_examples // 4))


def tried(plan: Any, case: Case, **more: Any) -> CriterionResult:
    """The one result; anchors given out of their order are no case."""
    try:
        return only(screened(plan, case, **more))
    except UsageError:
        assume(False)
        raise


# -- settled_by ------------------------------------------------------------------------------------


def atoms(node: Any) -> Iterator[c.FactAtom]:
    return (one for one in c.walk(node) if isinstance(one, c.FactAtom))


def beside_others(atom: c.FactAtom) -> bool:
    """A question about facts held against other facts, or a word that needs a result beside words that may not let a
    new one count: what exactly is wanted of it cannot be said in one list. So with a window of half-lives of a drug
    that has none on record."""
    around = atom.while_ is not None or any(True for _ in selections(atom)) or "half-life" in repr(atom)
    needs_one = atom.family == "observation" or any(word is not None for word in (atom.latest, atom.earliest))
    return around or (needs_one and (bool(atom.except_) or atom.where is not None))


def outside(result: CriterionResult) -> bool:
    """What the law leaves out: what lies after S, what nobody published, sources that differ."""
    return any(need.do in ("wait", "none", "anchor") for alternatives in result.settled_by for need in alternatives)


@given(data=st.data())
def test_supplying_one_alternative_of_every_need_settles(data: st.DataObject) -> None:
    raw = data.draw(st.one_of(leaf(), leaf(), plain_leaf, statement(depth=1)))
    node = parse(raw)
    assume("not_published" not in str(raw) and not any(map(beside_others, atoms(node))))
    plan = plan_of(trial_of([(data.draw(KINDS), raw)]))
    case = data.draw(case_for(node))
    open_ = tried(plan, case)
    if open_.effect != "open":
        assert open_.settled_by == ()
        return
    assert open_.settled_by, f"open, and nothing is said to settle it:\n{raw}\n{case}\n{open_.reasons}"
    if outside(open_):
        return
    for n in range(6):
        supply = Supply(case, Random(n))
        for alternatives in open_.settled_by:
            supply.give(supply.random.choice(alternatives), plan)
        told = tried(plan, supply.case, answers=tuple(supply.answers))
        if told.effect == "open" and told.settled_by and outside(told):
            continue
        assert told.effect != "open", f"{raw}\n{case}\nneeds {open_.settled_by}\ngiven\n{supply.case}\nstill {told.reasons}"


@given(data=st.data())
def test_leaving_out_any_need_leaves_it_open_for_some_answers(data: st.DataObject) -> None:
    # a count is not here: where new results would reach it by themselves, its list names more than the least there is
    raw = data.draw(leaf(data.draw(one_of(["plain", "latest"])), exact=True))
    node = parse(raw)
    plan = plan_of(trial_of([(data.draw(KINDS), raw)]))
    case = data.draw(case_for(node, facts=2))
    open_ = tried(plan, case)
    if open_.effect != "open" or outside(open_):
        return
    # any entry of a family told what it is makes the family live, and then silence needs no more
    assume(node.family in case.alive() or ("documented" not in raw and all(t.understood for t in case.told)))
    # every value these tiny records are ever told is 0 or more: a limit of 0 asks nothing of it
    assume("'0'" not in repr(raw))
    # two things wanted of one entry: told the one, it may fail whatever the other is
    asked = [alternatives[0].source for alternatives in open_.settled_by if alternatives[0].source is not None]
    assume(len(asked) == len(set(asked)))
    for left_out in range(len(open_.settled_by)):
        answers = (given_but(plan, case, open_, left_out, n) for n in range(30))
        assert any(told.effect == "open" for told in answers), f"{raw}\n{case}\n{open_.settled_by[left_out]} is not needed"


def given_but(plan: Any, case: Case, open_: CriterionResult, left_out: int, n: int) -> CriterionResult:
    supply = Supply(case, Random(n))
    for number, alternatives in enumerate(open_.settled_by):
        if number != left_out:
            supply.give(supply.random.choice(alternatives), plan)
    return tried(plan, supply.case, answers=tuple(supply.answers))


# -- changes_on ------------------------------------------------------------------------------------

LONGER = {
    "1 day": "3 weeks",
    "2 days": "3 months",
    "3 days": "7 months",
    "4 days": "1 year",
    "5 days": "11 months",
    "1 week": "13 months",
    "1 month": "18 months",
}


def stretched(raw: Any) -> Any:
    """The same statement with lengths that matter over two years."""
    if isinstance(raw, dict):
        return {word: value if word == "apart" else stretched(value) for word, value in raw.items()}
    if isinstance(raw, list):
        return [stretched(one) for one in raw]
    return LONGER.get(raw, raw) if isinstance(raw, str) else raw


@FEW
@given(data=st.data())
def test_changes_on_is_what_a_scan_of_every_day_finds(data: st.DataObject) -> None:
    raw = data.draw(st.one_of(leaf(), leaf(), statement(depth=1), plain_leaf))
    raw = stretched(raw) if data.draw(st.booleans()) else raw
    node = parse(raw)
    case = data.draw(case_for(node))
    # held: what is visible on S, and when it was written; what is ongoing goes on, however long
    seen = tuple(t for t in case.told if t.concept != "gravid" and (t.start is None or t.start[0] <= case.today))
    case = replace(case, written=case.today, told=seen)
    assume("gravid" not in str(raw))
    plan = plan_of(trial_of([(data.draw(KINDS), raw)]))
    today = tried(plan, case)
    expected = None
    for days in range(1, add_months(DAY0 + case.today, 24) - (DAY0 + case.today) + 1):
        effect = tried(plan, case, details=False, later=days).effect
        if effect != today.effect:
            expected = (DAY0 + case.today + days, effect)
            break
    found = (today.changes_on.day, today.changes_on.effect) if today.changes_on is not None else None
    assert found == expected, f"{raw}\n{case}\n{today.effect}"


# -- order -----------------------------------------------------------------------------------------


@given(data=st.data())
def test_the_order_of_facts_does_not_matter(data: st.DataObject) -> None:
    raw = data.draw(statement(depth=1))
    node = parse(raw)
    case = data.draw(case_for(node))
    shuffled = data.draw(st.permutations(case.patient().conditions)), data.draw(st.permutations(case.patient().medications))
    before = ask_engine(node, case)
    other = case.patient().model_copy(
        update={
            "conditions": tuple(shuffled[0]),
            "medications": tuple(shuffled[1]),
            "observations": tuple(reversed(case.patient().observations)),
            "procedures": tuple(reversed(case.patient().procedures)),
            "absences": tuple(reversed(case.patient().absences)),
        }
    )
    after = ask_engine(node, case, patient=other)
    assert (after.truth, after.basis) == (before.truth, before.basis)
    assert {reason.code for reason in after.reasons} == {reason.code for reason in before.reasons}
    assert {(reason.item, reason.source) for reason in after.reasons} == {(reason.item, reason.source) for reason in before.reasons}


@FEW
@given(data=st.data())
def test_the_order_of_criteria_and_of_patients_does_not_matter(data: st.DataObject) -> None:
    """A plan may be used for many patients, and each result depends on its own patient and criterion alone."""
    raws = [data.draw(statement(depth=1)) for _ in range(3)]
    cases = [data.draw(case_for(parse(raw))) for raw in raws]
    trial = trial_of([(kind, raw) for kind, raw in zip(("inclusion", "exclusion", "inclusion"), raws, strict=True)])
    turned = TrialFile.model_validate({**dict(trial), "inclusion": trial.inclusion[::-1]})
    plan, other = plan_of(trial), plan_of(turned)
    try:
        fresh = [{one.id: one for one in screened(plan_of(trial), case).criteria} for case in cases]
        one_after_another = [{one.id: one for one in screened(plan, case).criteria} for case in cases]
        back = [{one.id: one for one in screened(other, case).criteria} for case in reversed(cases)][::-1]
    except UsageError:
        assume(False)
        raise
    assert one_after_another == fresh
    assert back == fresh
