"""``rules``: the library's list, one trial in English, checks, test patients, schemas."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .options import EXISTING, OUT, choice_options, form_of, output_options, rule_options
from .output import in_colour, page_width, progress_bar, write

if TYPE_CHECKING:
    from ..language.library import RuleLibrary
    from ..workbench.cases import CasesReport

_DOCUMENTS = ("rules", "definitions", "flags", "concepts", "cases", "patient", "screening")


@click.group()
def rules() -> None:
    """List, show, check and test the rules.

    \b
    Example:
      eligibility rules list --disease mg
    """


def _library(rules: tuple[Path, ...], no_library: bool) -> RuleLibrary:
    from ..screening import load_rules

    return load_rules(rules, shipped=not no_library)


@rules.command("list")
@choice_options
@click.option("--flags", "flags", is_flag=True, help="List the flags by axis instead of the trials.")
@rule_options
@output_options("text", "json")
def list_(form: str | None, out: Path | None, rules: tuple[Path, ...], no_library: bool, flags: bool, **choice: Any) -> int:
    """List the trials by disease, with how much a record can answer.

    \b
    Example:
      eligibility rules list --recruiting
      eligibility rules list --flags
    """
    from ..report import rules as report
    from ..report.results import TrialSummary
    from ..report.text import Ink
    from ..screening import choose_trials, diseases_of

    library = _library(rules, no_library)
    if flags:
        from ..report import flag_rules

        if form_of(form, out, ("text", "json")) == "json":
            write(flag_rules.listing_json(library.flags), out)
        else:
            write(flag_rules.listing(library.flags, width=page_width(), ink=Ink(out is None and in_colour())), out)
        return 0
    chosen = choose_trials(library, **choice)
    summaries = [TrialSummary.of(trial, library.digest(trial.id), library.definitions) for trial in chosen]
    if form_of(form, out, ("text", "json")) == "json":
        write(report.listing_json(summaries, diseases_of), out)
    else:
        write(report.listing(summaries, diseases_of, width=page_width(), ink=Ink(out is None and in_colour())), out)
    return 0


@rules.command("show")
@click.argument("trial", metavar="ID")
@rule_options
@output_options("text", "json")
def show(trial: str, form: str | None, out: Path | None, rules: tuple[Path, ...], no_library: bool) -> int:
    """Show a trial: header, schedule, and every criterion in English.

    Each criterion stands as its paraphrase of the source, and below it the
    rule as the program reads it; definitions are written out at the end. A
    flag's id shows the flag: what raises it, by which source.

    \b
    Example:
      eligibility rules show NCT06193889
      eligibility rules show car-hematotox-high
    """
    from ..report import rules as report
    from ..report.results import TrialSummary
    from ..report.text import Ink
    from ..report.words import Words
    from ..screening import choose_trials

    library = _library(rules, no_library)
    if trial not in library.trials and trial.islower():  # ids of trials have capitals, ids of flags none
        return _show_flag(trial, library, form_of(form, out, ("text", "json")), out)
    (chosen,) = choose_trials(library, trials=[trial])
    summary = TrialSummary.of(chosen, library.digest(chosen.id), library.definitions)
    phrase = Words.of(library.vocabulary).phrase
    shared = dict(library.definitions)
    if form_of(form, out, ("text", "json")) == "json":
        write(report.shown_json(summary, phrase, shared), out)
    else:
        write(report.Shown(summary, phrase, shared, width=page_width(), ink=Ink(out is None and in_colour())).text(), out)
    return 0


def _show_flag(flag: str, library: RuleLibrary, form: str, out: Path | None) -> int:
    from ..errors import UsageError, did_you_mean
    from ..report import flag_rules
    from ..report.text import Ink
    from ..report.words import Words

    if flag not in library.flags.rules:
        near = did_you_mean(flag, library.flags.rules) or "rules list --flags has them all"
        raise UsageError(f"there is no flag {flag}; {near}")
    phrase = Words.of(library.vocabulary).phrase
    if form == "json":
        write(flag_rules.shown_json(flag, library.flags, phrase), out)
    else:
        write(flag_rules.shown(flag, library.flags, phrase, width=page_width(), ink=Ink(out is None and in_colour())), out)
    return 0


@rules.command("check")
@click.argument("paths", nargs=-1, type=EXISTING, metavar="[PATH]...")
@click.option("--no-library", is_flag=True, help="Leave out the shipped trials.")
@click.option("--strict", is_flag=True, help="Let a question that is not answered end with exit code 1.")
@output_options("text", "json")
def check(paths: tuple[Path, ...], no_library: bool, strict: bool, form: str | None, out: Path | None) -> int:
    """Check rule files: every mistake at once, each with its place.

    PATH is a rule file or a folder; without one the shipped library is checked.
    Mistakes end with exit code 4. Questions are told, until the file answers
    them with "answered"; with --strict they end with exit code 1.

    \b
    Example:
      eligibility rules check my-trial.yaml
    """
    import orjson

    from ..errors import Problem, RuleFileError
    from ..report.json import error
    from ..report.words import plural
    from ..workbench.checking import check_library

    problems: list[Problem] = []
    checked = 0
    try:
        library = _library(paths, no_library)
        problems += check_library(library, paths)
        files = [*library.files.values(), *(text.path for text in library.flags.files)]
        checked = sum(not paths or any(path == one or one in path.parents for one in paths) for path in files)
    except RuleFileError as found:
        problems += found.problems
    mistakes = sum(problem.severity == "error" for problem in problems)
    questions = len(problems) - mistakes
    if form_of(form, out, ("text", "json")) == "json":
        listed = [{**error(problem), "line": problem.line, "column": problem.column} for problem in problems]
        document = {"checked": checked, "mistakes": mistakes, "questions": questions, "problems": listed}
        write(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE), out)
    else:
        end = f"{plural(mistakes, 'mistake')}, {plural(questions, 'question')}"
        if checked:
            end = f"{plural(checked, 'rule file')} checked: {end}"
        write("".join(f"{problem}\n" for problem in problems) + f"{end}\n", out)
    return 4 if mistakes else 1 if questions and strict else 0


@rules.command("test")
@click.argument("paths", nargs=-1, type=EXISTING, metavar="[PATH]...")
@click.option("--trial", "trials", multiple=True, metavar="ID", help="Only the cases of this trial; may be repeated.")
@click.option("--coverage", is_flag=True, help="Also show which of true, false and unknown each criterion gave.")
@rule_options
@output_options("text", "json")
def test(
    paths: tuple[Path, ...],
    trials: tuple[str, ...],
    coverage: bool,
    form: str | None,
    out: Path | None,
    rules: tuple[Path, ...],
    no_library: bool,
) -> int:
    """Run test patients: what was expected of each criterion, and what came.

    PATH is a case file or a folder; without one the shipped cases are run.
    A wrong answer ends with exit code 1, a mistake in a case file with 4.

    \b
    Example:
      eligibility rules test --trial NCT06193889
    """
    from ..screening import choose_trials, rules_test
    from ..workbench import cases_report as report

    library = _library(rules, no_library)
    if trials:
        choose_trials(library, trials=trials)
    with progress_bar("Cases"):
        run: CasesReport = rules_test(paths, trials=trials, library=library)
    if form_of(form, out, ("text", "json")) == "json":
        write(report.dumps(run), out)
    else:
        write(report.text(run, coverage=coverage, width=page_width()), out)
    return run.exit_code


@rules.command("schema")
@click.argument("document", type=click.Choice(_DOCUMENTS), default="rules", metavar="|".join(_DOCUMENTS))
@click.option("--out", type=OUT, metavar="FILE", help="Write to a file, whole or not at all.")
def schema(document: str, out: Path | None) -> int:
    """Print a JSON Schema, of rule files if nothing else is named.

    \b
    Example:
      eligibility rules schema patient --out patient.schema.json
    """
    import orjson

    write(orjson.dumps(_schema(document), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE), out)
    return 0


def _schema(document: str) -> Any:
    match document:
        case "screening":
            from ..report.schema import screening_schema

            return screening_schema()
        case "cases":
            from ..workbench.cases_report import case_schema

            return case_schema()
        case _:
            from ..language import schema

            return {
                "rules": schema.rule_file_schema,
                "definitions": schema.definitions_schema,
                "flags": schema.flags_schema,
                "concepts": schema.concepts_schema,
                "patient": schema.patient_schema,
            }[document]()
