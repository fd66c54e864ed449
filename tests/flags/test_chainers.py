"""durable-rules inside its shell against the plain chainer: same flags, same order, no state left, no patients mixed.

``ELIGIBILITY_CHAINS=20000`` runs the full difference test, ``ELIGIBILITY_SCREENINGS=50000`` the full test of memory.
"""

from __future__ import annotations

import ast
import multiprocessing
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from flags.conftest import AS_OF, KYV, needs_engine, setting
from flags.test_program import facts_for, generated

import eligibility
from eligibility.flags import durable_chainer, engine
from eligibility.flags.durable_chainer import DurableChainer, Foreign, TooLarge, check_size, distinct_ids, horn
from eligibility.flags.plain_chainer import PlainChainer
from eligibility.flags.program import Chain, Program, Rule
from eligibility.model.truth import FALSE, PRESUMED_TRUE, TRUE, UNKNOWN, Truth

PACKAGE = Path(eligibility.__file__).parent


@needs_engine
def test_the_two_chainers_agree_whatever_the_order_of_facts() -> None:
    draw = random.Random(20261101)
    raised = 0
    for _ in range(setting("ELIGIBILITY_CHAINS", 2000)):
        program = generated(draw)
        chainer, oracle = DurableChainer(program), PlainChainer(program)
        facts = facts_for(program, draw)
        expected = oracle.chain(facts)
        raised += len(expected.steps)
        assert chainer.chain(facts) == expected
        assert chainer.chain(facts, order=lambda literals: literals[::-1]) == expected
        chainer.close()
    assert raised > 500


@needs_engine
def test_one_chainer_says_the_same_again_and_after_any_other_facts() -> None:
    draw = random.Random(5)
    program = generated(draw)
    while len(program.rules) < 8:
        program = generated(draw)
    chainer, oracle = DurableChainer(program), PlainChainer(program)
    for _ in range(400):
        facts = facts_for(program, draw)
        assert chainer.chain(facts) == oracle.chain(facts)
    chainer.close()


MEETING = Program((Rule("both", all=("a", "b")),))
FIRST, SECOND = {"a": TRUE, "b": UNKNOWN}, {"a": UNKNOWN, "b": TRUE}


def meets(chainer: Any) -> bool:
    """Whether what is true of one patient and what is true of the next make a flag together."""
    first: Chain = chainer.chain(FIRST)
    second: Chain = chainer.chain(SECOND)
    return bool(first.steps or second.steps)


@needs_engine
def test_facts_of_two_patients_never_meet() -> None:
    chainer = DurableChainer(MEETING)
    assert not meets(chainer)
    chainer.close()


@needs_engine
def test_the_test_of_meeting_facts_would_see_them_meet() -> None:
    class Leaky:
        """The engine's functions, but states stay."""

        def __init__(self, core: Any) -> None:
            self._core = core

        def __getattr__(self, name: str) -> Any:
            return getattr(self._core, name)

        def delete_state(self, *_: Any) -> None:
            """Nothing is deleted."""

    chainer = DurableChainer(MEETING)
    core = chainer._core
    chainer._core = Leaky(core)
    assert meets(chainer)
    core.delete_state(chainer._rules._handle, durable_chainer.SID)
    chainer._core = core
    assert not meets(chainer)
    chainer.close()


@needs_engine
def test_an_error_half_way_leaves_no_state() -> None:
    class Failing:
        """The engine's functions, of which one fails once."""

        def __init__(self, core: Any) -> None:
            self._core = core

        def __getattr__(self, name: str) -> Any:
            return getattr(self._core, name)

        def start_action_for_state(self, *_: Any) -> Any:
            raise RuntimeError("the engine failed")

    chainer = DurableChainer(MEETING)
    core = chainer._core
    chainer._core = Failing(core)
    with pytest.raises(RuntimeError, match="the engine failed"):
        chainer.chain(FIRST)
    chainer._core = core
    assert chainer.chain(SECOND).steps == ()
    assert chainer.chain({"a": TRUE, "b": TRUE}).steps
    chainer.close()


@needs_engine
def test_a_closed_chainer_and_an_input_without_truth_are_errors() -> None:
    chainer = DurableChainer(MEETING)
    with pytest.raises(KeyError):
        chainer.chain({"a": TRUE})
    chainer.close()
    chainer.close()
    with pytest.raises(ValueError, match="closed"):
        chainer.chain(FIRST)


def _in_child(chainer: DurableChainer) -> str:
    try:
        chainer.chain(FIRST)
    except Foreign:
        return "foreign"
    return "chained"


@needs_engine
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_chainer_is_not_used_in_a_forked_process() -> None:
    chainer = DurableChainer(MEETING)
    queue: Any = multiprocessing.get_context("fork").SimpleQueue()
    child = multiprocessing.get_context("fork").Process(target=lambda: queue.put(_in_child(chainer)))
    child.start()
    assert queue.get() == "foreign"
    child.join()
    assert chainer.chain({"a": TRUE, "b": TRUE}).steps
    chainer.close()


def test_definite_rules_say_when_a_head_holds_and_when_it_fails() -> None:
    rules = list(horn(Program((Rule("h", all=("a",), any=("b", "c"), none=("d",)),))))
    assert rules == [
        (("h", True), (("a", True), ("d", False), ("b", True))),
        (("h", True), (("a", True), ("d", False), ("c", True))),
        (("h", False), (("a", False),)),
        (("h", False), (("d", True),)),
        (("h", False), (("b", False), ("c", False))),
    ]


def test_what_would_pass_a_table_of_the_engine_is_refused() -> None:
    wide = Program((Rule("h", all=tuple(f"n{i}" for i in range(12))),))
    many = Program(tuple(Rule(f"h{i}", all=(f"a{i}", f"b{i}")) for i in range(120)))
    shared = Program(tuple(Rule(f"h{i}", all=("one",)) for i in range(201)))
    for program in (wide, many, shared):
        with pytest.raises(TooLarge):
            check_size(tuple(horn(program)))
    check_size(tuple(horn(Program((Rule("h", all=tuple(f"n{i}" for i in range(11))),)))))


def test_ids_differ_in_the_hash_that_the_engine_compares() -> None:
    ids = distinct_ids(4000)
    hashes = {durable_chainer._fnv(one) for one in ids}
    assert len(ids) == len(hashes) == 4000
    assert not hashes & {durable_chainer._fnv(f"sid-{durable_chainer.SID}"), durable_chainer._fnv("w")}


# -- which one runs ------------------------------------------------------------------------------


def test_the_engine_is_imported_in_one_module_and_only_when_used() -> None:
    naming = []
    for file in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and not node.level}
        called = {
            argument.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "import_module"
            for argument in node.args
            if isinstance(argument, ast.Constant)
        }
        if any(str(name).startswith("durable") for name in imported | called):
            naming.append(file.relative_to(PACKAGE).as_posix())
    assert naming == ["flags/durable_chainer.py"]
    code = "import sys, eligibility.flags.engine, eligibility.screening; print(sorted(m for m in sys.modules if m.startswith('durable')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PACKAGE.parent)
    assert done.stdout.strip() == "[]"


def test_without_the_engine_the_plain_chainer_runs(library: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(durable_chainer, "installed", lambda: False)
    made = engine.FlagEngine(library.flags, library.definitions, library.vocabulary)
    assert made.chainer == "plain"


def test_an_engine_that_cannot_be_imported_is_passed_over(library: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def undefined_symbol(name: str) -> Any:
        raise ImportError(f"{name}: undefined symbol")  # what Python 3.13 says of the unpatched engine

    monkeypatch.setattr(durable_chainer, "installed", lambda: True)
    monkeypatch.setattr(durable_chainer, "import_module", undefined_symbol)
    made = engine.FlagEngine(library.flags, library.definitions, library.vocabulary)
    assert made.chainer == "plain"
    with pytest.raises(ImportError):
        engine.FlagEngine(library.flags, library.definitions, library.vocabulary, "durable-rules")


@needs_engine
def test_the_engine_fits_the_shipped_flags_and_is_named(library: Any) -> None:
    made = engine.FlagEngine(library.flags, library.definitions, library.vocabulary)
    assert made.chainer == "durable-rules"
    made.close()


def test_an_inherited_engine_makes_its_chainers_anew(plain: engine.FlagEngine, record: Any) -> None:
    before = plain._chainers
    plain._pid = -1
    plain.patient(record({"birth_date": ["1950"]}), engine.Settings(AS_OF)).truths(KYV)
    assert plain._pid == os.getpid()
    assert plain._chainers is not before


# -- no state survives ---------------------------------------------------------------------------


def resident() -> int:
    """Kilobytes of this process in memory now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="this system does not tell how much memory a process has")
def test_memory_stays_flat_over_many_screenings(engine: engine.FlagEngine, library: Any, patients: Any, record: Any) -> None:
    from eligibility.engine.settings import Settings

    trials = list(library.trials.values())
    records = [record(patient) for patient in patients]

    def screen(number: int) -> None:
        own = engine.patient(records[number % len(records)], Settings(AS_OF))
        own.of(trials[number % len(trials)])

    for number in range(600):
        screen(number)
    before = resident()
    for number in range(setting("ELIGIBILITY_SCREENINGS", 1500)):
        screen(number)
    # a session left alive is 0.8 MB and more: this many would be over a thousand MB; caches that fill up are a few
    assert resident() - before < 16_000


def test_presumed_and_strict_readings_do_not_mix() -> None:
    program = Program((Rule("h", all=("a", "b")), Rule("top", none=("h",))))
    chain = PlainChainer(program).chain({"a": PRESUMED_TRUE, "b": TRUE})
    assert chain.steps == ()
    assert dict(chain.truths) == {"h": PRESUMED_TRUE, "top": Truth.PRESUMED_FALSE}
    assert dict(PlainChainer(program).chain({"a": FALSE, "b": UNKNOWN}).truths)["top"] is TRUE
