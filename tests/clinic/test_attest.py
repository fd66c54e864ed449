"""People's answers: listed with ids, kept with role and day, read back, and shown when they have lapsed."""

from __future__ import annotations

import json
import multiprocessing
import re
from pathlib import Path
from typing import Any

import pytest

from clinic.desk import DATE, Clinic
from eligibility.report.questions import questions_of
from eligibility.screening import Screener
from eligibility.workbench import attest
from eligibility.workbench.site_files import load_attestations


def add(
    clinic: Clinic, *answers: str, date: str = "2026-10-30", patient: str = "p1", trial: str = "CLINIC-1", until: str | None = None
) -> Any:
    arguments = ["attest", "--trial", trial, "--patient", patient, "--role", "investigator", "--date", date]
    arguments += [part for answer in answers for part in ("--answer", answer)]
    arguments += ["--until", until] if until else []
    return clinic(*arguments, "--out", str(clinic.path("answers.yaml")))


def effects(clinic: Clinic, as_of: str = DATE, patient: str = "p1") -> tuple[dict[str, str], list[str]]:
    attested = ["--attest", str(clinic.path("answers.yaml"))] if clinic.path("answers.yaml").exists() else []
    document = json.loads(clinic("screen", clinic.charts, "--as-of", as_of, "--format", "json", *attested).stdout)
    (one,) = [found for found in document["patients"] if found["patient"] == patient]
    named = {c["id"]: c["effect"] for s in one["screenings"] for c in s["criteria"] if s["trial"] == "CLINIC-1"}
    named |= {f"{a['arm']}/{c['id']}": c["effect"] for s in one["screenings"] for a in s["arms"] for c in a["criteria"]}
    return named, [notice["text"] for notice in one["notices"]]


def test_the_questions_are_listed_with_their_ids(clinic: Clinic) -> None:
    text = clinic("attest", "--trial", "CLINIC-1").stdout
    ids = re.findall(r"^  (\S+) +\S", text, re.MULTILINE)
    assert [name for name in ids if name in ("I6", "E2", "E3", "E5")] == ["I6", "E2", "E3", "E5"]
    assert "holds 4 weeks" in text
    assert "give --until" in text
    assert "ms/I4" in clinic("attest", "--trial", "CLINIC-2").stdout


def test_an_answer_is_read_back_and_fills_its_question(clinic: Clinic) -> None:
    before, _ = effects(clinic)
    assert {before[name] for name in ("I6", "E2", "E3", "E5")} == {"open"}
    result = add(clinic, "I6=yes", "E2=YES", "E3=no", "E5=no", until="2026-12-31")
    assert result.exit_code == 0, result.stderr
    assert "E3  Is the blood pressure out of control? NO (investigator, 2026-10-30, until 2026-12-31)" in result.stderr.replace(
        "\n    ", " "
    )
    after, notices = effects(clinic)
    assert {name: after[name] for name in ("I6", "E2", "E3", "E5")} == dict.fromkeys(("I6", "E2", "E3", "E5"), "passes")
    assert notices == []
    assert {key: value for key, value in after.items() if key not in ("I6", "E2", "E3", "E5")} == {
        key: value for key, value in before.items() if key not in ("I6", "E2", "E3", "E5")
    }


def test_a_yes_can_be_a_barrier_and_the_latest_answer_counts(clinic: Clinic) -> None:
    add(clinic, "E3=no", until="2026-12-31")
    add(clinic, "E3=yes", date="2026-10-31", until="2026-12-31")
    assert effects(clinic)[0]["E3"] == "blocks"
    assert effects(clinic, as_of="2026-10-30")[0]["E3"] == "passes"
    assert len(load_attestations(clinic.path("answers.yaml"))) == 2


def test_an_answer_in_an_arm_is_given_under_the_arms_name(clinic: Clinic) -> None:
    assert add(clinic, "ms/I4=no", trial="CLINIC-2", until="2026-12-31").exit_code == 0
    assert effects(clinic)[0]["ms/I4"] == "blocks"


def test_answers_lapse_and_the_lapsed_are_shown(clinic: Clinic) -> None:
    add(clinic, "I6=yes")  # four weeks, says the rule file
    assert effects(clinic, as_of="2026-11-27")[0]["I6"] == "passes"
    named, notices = effects(clinic, as_of="2026-11-28")
    assert named["I6"] == "open"
    assert any("no longer holds" in text and "I6" in text for text in notices)
    page = clinic("screen", clinic.charts, "--as-of", "2026-11-28", "--attest", str(clinic.path("answers.yaml")), "--format", "html").stdout
    assert "An answer given by a person no longer holds" in page


def test_a_changed_sentence_lapses_its_answer(clinic: Clinic) -> None:
    add(clinic, "I6=yes")
    rules = clinic.rules / "one.yaml"
    rules.write_text(rules.read_text(encoding="utf-8").replace("text: Consent", "text: Written consent"), encoding="utf-8")
    named, notices = effects(clinic)
    assert named["I6"] == "open"
    assert any("the sentence or the rule has changed" in text for text in notices)


@pytest.mark.parametrize(
    ("answers", "more", "said"),
    [
        (["I9=yes"], {}, "asks no question I9; it asks I6, E2, E3, E5"),
        (["I6=maybe"], {}, "is yes or no"),
        (["E3=yes"], {}, "give --until"),
        (["I6"], {}, "write ID=yes"),
        (["I6=yes", "I6=no"], {}, "answered twice"),
        (["I6=yes"], {"until": "2026-10-01"}, "before the day"),
        (["I6=yes"], {"trial": "CLINIC-9"}, "there are no rules for trial CLINIC-9; did you mean"),
        (["I6=yes"], {"patient": " "}, "study id"),
    ],
)
def test_a_wrong_answer_is_told_and_nothing_is_kept(clinic: Clinic, answers: list[str], more: dict[str, str], said: str) -> None:
    result = add(clinic, *answers, **more)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())
    assert not clinic.path("answers.yaml").exists()


def test_what_an_answer_lacks_is_named(clinic: Clinic) -> None:
    result = clinic("attest", "--trial", "CLINIC-1", "--answer", "I6=yes")
    assert result.exit_code == 2
    assert "--patient, --role, --out" in result.stderr


def test_a_file_of_another_kind_is_left_as_it_is(clinic: Clinic) -> None:
    path = clinic.path("answers.yaml")
    for text in ("[]\n", "name: Example clinic\n", "{\n"):
        path.write_text(text, encoding="utf-8")
        assert add(clinic, "I6=yes").exit_code == 2
        assert path.read_text(encoding="utf-8") == text


def test_texts_of_any_kind_come_back_as_they_went(screener: Screener, tmp_path: Path) -> None:
    import datetime as dt

    plan = screener.plans["CLINIC-1"]
    path = tmp_path / "answers.yaml"
    for name in ('p "1": {x}', "NO", "12", "Sjögren # 1", "- p"):
        given = attest.answered(plan, {"I6": "yes"}, patient=name, role="nurse: night", date=dt.date(2026, 10, 30))
        attest.append_to(path, given)
    assert [one.patient for one in load_attestations(path)] == ['p "1": {x}', "NO", "12", "Sjögren # 1", "- p"]


def test_the_boxes_of_the_day_list_have_the_ids_that_attest_takes(clinic: Clinic, screener: Screener) -> None:
    page = clinic("screen", clinic.charts, "--as-of", DATE, "--format", "html").stdout
    shown = set(re.findall(r'<span class="id">([^<]+)</span> [^<]*</span><br><span class="yesno"', page))
    known = {name for plan in screener.plans.values() for name in questions_of(plan)}
    assert {"I6", "E3", "ms/I4"} <= shown <= known


def _answer(path: str, screener_rules: str, number: int) -> None:
    import datetime as dt

    from eligibility.screening import Screener as Build

    plan = Build.build(as_of=DATE, rules=[screener_rules], shipped=False, flags=False).plans["CLINIC-1"]
    for one in range(20):
        attest.append_to(
            Path(path), attest.answered(plan, {"I6": "yes"}, patient=f"p{number}-{one}", role="nurse", date=dt.date(2026, 10, 30))
        )


def test_two_people_at_once_lose_nothing(clinic: Clinic) -> None:
    path = clinic.path("answers.yaml")
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_answer, args=(str(path), str(clinic.rules), number)) for number in (1, 2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert {one.patient for one in load_attestations(path)} == {f"p{number}-{one}" for number in (1, 2) for one in range(20)}
