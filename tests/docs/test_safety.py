"""docs/safety.md names the test that holds each property: the tests are there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_test_that_is_named_is_there() -> None:
    text = (ROOT / "docs" / "safety.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[A-Za-z0-9_/.]+)`", text)
    assert len(named) > 10
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_every_property_has_one() -> None:
    rows = [line for line in (ROOT / "docs" / "safety.md").read_text(encoding="utf-8").splitlines() if line.startswith("| **")]
    assert len(rows) >= 12
    assert [row for row in rows if "`tests/" not in row.split("|")[3]] == []
