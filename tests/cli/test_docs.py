"""docs/cli.md says what the program says: every command, its own help word for word, an example in each."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import yaml
from click.testing import CliRunner

from eligibility.cli.app import app
from eligibility.model.site import Attestation, Site
from eligibility.workbench.site_files import load_attestations, load_site

DOCS = Path(__file__).parents[2] / "docs" / "cli.md"
_HELP = re.compile(r"<!-- help: ?(?P<command>[a-z ]*) -->\n(?P<body>.*?)<!-- end -->", re.DOTALL)


def commands(group: click.Group = app, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command with its words."""
    yield path, group
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


ALL = dict(commands())


def help_of(path: tuple[str, ...]) -> str:
    result = CliRunner().invoke(app, [*path, "--help"], prog_name="eligibility", terminal_width=80)
    assert result.exit_code == 0
    return "\n".join(line.rstrip() for line in result.output.strip().splitlines())


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_help_has_an_example_and_says_what_the_command_does(path: tuple[str, ...]) -> None:
    said = help_of(path)
    assert "Example" in said
    example = next(line for line in said.splitlines() if line.strip().startswith("eligibility "))
    assert example
    assert ALL[path].get_short_help_str(200)


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_the_example_is_a_command_line_that_parses(path: tuple[str, ...]) -> None:
    for line in help_of(path).splitlines():
        words = line.split()
        if words[:1] != ["eligibility"]:
            continue
        group: click.Command = app
        rest = words[1:]
        while isinstance(group, click.Group):
            group = group.commands[rest.pop(0)]
        known = {option for parameter in group.params for option in parameter.opts}
        assert {word for word in rest if word.startswith("--")} <= known, line


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_option_says_what_it_is_for(path: tuple[str, ...]) -> None:
    for parameter in ALL[path].params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name


def test_every_command_is_documented_with_its_own_help() -> None:
    text = DOCS.read_text(encoding="utf-8")
    fresh = _HELP.sub(_written, text)
    if os.environ.get("ELIGIBILITY_REGENERATE") == "1":
        DOCS.write_text(fresh, encoding="utf-8")
    assert fresh == DOCS.read_text(encoding="utf-8"), "run this test with ELIGIBILITY_REGENERATE=1 and read the diff"
    documented = {match["command"] for match in _HELP.finditer(text)}
    assert documented == {" ".join(path) for path in ALL}
    headings = set(re.findall(r"^## eligibility ?(.*)$", text, re.MULTILINE))
    assert headings == documented


def _written(match: re.Match[str]) -> str:
    said = help_of(tuple(match["command"].split()))
    return f"<!-- help: {match['command']}{' ' if match['command'] else ''}-->\n\n```text\n{said}\n```\n\n<!-- end -->"


def test_the_exit_codes_of_the_page_are_those_of_the_program() -> None:
    from eligibility.cli.app import INTERNAL
    from eligibility.errors import InputError, RuleFileError, UsageError

    codes = {int(code) for code in re.findall(r"^\| (\d+) \|", DOCS.read_text(encoding="utf-8"), re.MULTILINE)}
    assert codes == {0, 1, UsageError.exit_code, InputError.exit_code, RuleFileError.exit_code, INTERNAL}


def test_the_site_and_attestation_files_of_the_page_are_read(tmp_path: Path) -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    site, answers, _ = blocks
    (tmp_path / "site.yaml").write_text(site, encoding="utf-8")
    (tmp_path / "answers.yaml").write_text(answers, encoding="utf-8")
    read = load_site(tmp_path / "site.yaml")
    assert isinstance(read, Site)
    assert set(yaml.safe_load(site)) <= set(Site.model_fields)
    assert read.ranges["hemoglobin"][0].low == 12.0
    (answer,) = load_attestations(tmp_path / "answers.yaml")
    assert isinstance(answer, Attestation)
