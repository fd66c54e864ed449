"""The generated pages and schemas are current, and the README's Python runs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from eligibility.screening import Results

ROOT = Path(__file__).resolve().parents[2]


def test_generated_files_are_current() -> None:
    done = subprocess.run([sys.executable, "docs/generate.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "schema").glob("*.json")), ids=lambda path: path.name)
def test_schemas_are_schemas(path: Path) -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(path.read_text(encoding="utf-8")))


def test_the_python_of_the_readme_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", readme, re.M | re.S)
    assert blocks
    monkeypatch.chdir(ROOT)
    for block in blocks:
        names: dict[str, Any] = {}
        exec(compile(block, "README.md", "exec"), names)
        results = names["results"]
        assert isinstance(results, Results)
        assert results.patients


def _as_typed(path: Path) -> Any:
    return yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)


@pytest.mark.parametrize("name", ["rules", "definitions", "concepts"])
def test_what_ships_is_valid_by_the_committed_schema(name: str) -> None:
    """An editor that reads docs/schema underlines nothing in the shipped files."""
    files = {
        "rules": sorted((ROOT / "rules" / "trials").glob("*.yaml"))[:4],
        "definitions": sorted((ROOT / "rules" / "definitions").glob("*.yaml")),
        "concepts": [ROOT / "rules" / "concepts" / "observations" / "kidney.yaml"],
    }[name]
    schema = json.loads((ROOT / "docs" / "schema" / f"{name}.json").read_text(encoding="utf-8"))
    validator = jsonschema.Draft202012Validator(schema)
    assert files
    for path in files:
        data = _as_typed(path) if name != "concepts" else yaml.safe_load(path.read_text(encoding="utf-8"))
        assert [error.message[:200] for error in validator.iter_errors(data)] == [], path.name
