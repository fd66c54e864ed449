"""docs/clinic.md: its commands run as written, and its table of mistakes is the program's."""

from __future__ import annotations

import ast
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from clinic.desk import FIXTURES
from eligibility import sources
from eligibility.cli.app import app
from eligibility.sources.sheet_layout import COLUMNS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "clinic.md").read_text(encoding="utf-8")


def test_the_commands_of_the_page_run_in_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "charts").mkdir()
    for name in ("ms-01", "ms-02", "mg-01"):
        (tmp_path / "charts" / f"{name}.yaml").symlink_to(FIXTURES / f"{name}.yaml")
    monkeypatch.chdir(tmp_path)
    lines = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]
    assert len(lines) >= 12
    for line in lines:
        program, script, *arguments = shlex.split(line)
        assert (program, script) == ("python", "cli.py")
        result = CliRunner().invoke(app, arguments, prog_name="eligibility")
        assert result.exit_code == 0, (line, result.stderr)
    written = {path.name for path in tmp_path.iterdir()}
    assert written >= {
        "monday.xlsx",
        "one.csv",
        "last.json",
        "monday.html",
        "missing.xlsx",
        "missing.csv",
        "answers.yaml",
        "screening-log.csv",
    }


def codes_of(module: str) -> set[str]:
    """The codes of the errors that a module of the sources can tell."""
    tree = ast.parse((Path(sources.__path__[0]) / module).read_text(encoding="utf-8"))
    found = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", None) or getattr(node.func, "attr", None)
        at = {"Problem": 0, "BadCell": 0, "complain": 1}.get(str(name))
        if at is None or len(node.args) <= at:
            continue
        found |= {one.value for one in ast.walk(node.args[at]) if isinstance(one, ast.Constant) and isinstance(one.value, str)}
    return found


def test_every_mistake_of_a_sheet_is_on_the_page_and_no_other() -> None:
    told = set().union(*(codes_of(module) for module in ("sheet.py", "sheet_cells.py", "sheet_values.py")))
    told |= {f"{odd}-cell" for odd in ("merged", "formula", "error", "percent")}
    told -= {"-cell", "empty-file", "not-filled-in", "implausible"}  # notes, and what is said of every source
    table = PAGE.partition("| code | what it is |")[2].partition("\n\n")[0]
    listed = set(re.findall(r"`([a-z-]+)`", "\n".join(row.split("|")[1] for row in table.splitlines() if row.count("|") > 2)))
    assert listed - {"not-a-sheet"} == told


def test_every_column_is_told() -> None:
    rows = re.findall(r"^\| ([a-z ]+) \|", PAGE.partition("| column | what goes in |")[2].partition("\n\n")[0], re.MULTILINE)
    assert tuple(rows) == COLUMNS
