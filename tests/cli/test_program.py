"""The program as a process: speed of a cold start, what it imports, pipes, streams that know only ASCII."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import CHART, TRIAL

ROOT = Path(__file__).parents[2]
HEAVY = ("pandas", "numpy", "pyarrow", "openpyxl", "rich", "click")


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        check=False,
        timeout=60,
    )


def imported(code: str) -> set[str]:
    done = run("-c", f"{code}\nimport sys, json\nprint(json.dumps(sorted(sys.modules)))")
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_importing_the_package_imports_nothing_heavy() -> None:
    modules = imported("import eligibility")
    assert not modules & {*HEAVY, "pydantic", "yaml", "orjson"}


def test_the_public_names_are_there_and_few() -> None:
    import eligibility

    assert 8 <= len(eligibility.__all__) <= 16
    for name in eligibility.__all__:
        assert getattr(eligibility, name) is not None
        assert name in dir(eligibility)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        eligibility.nothing  # noqa: B018


def test_screening_one_patient_imports_no_tables() -> None:
    modules = imported(
        "import eligibility\n"
        "results = eligibility.screen(eligibility.Patient(id='p1'), as_of='2026-11-01')\n"
        "assert results.exit_code == 0\n"
    )
    assert not modules & set(HEAVY)


def test_help_imports_no_engine() -> None:
    modules = imported("import sys\nsys.argv = ['eligibility', '--help']\nimport eligibility.cli.app")
    assert not {name for name in modules if name.startswith(("eligibility.engine", "eligibility.language", "pydantic"))}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "t.yaml").write_text(TRIAL.replace("Consent\n", "Consent to Sjögren ≥ 2\n"), encoding="utf-8")
    (tmp_path / "p1.yaml").write_text(CHART, encoding="utf-8")
    return tmp_path


def screened(place: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    rules = ("--rules", str(place / "rules"), "--no-library")
    return run("cli.py", "screen", str(place / "p1.yaml"), "--as-of", "2026-11-01", *rules, **environment)


def test_the_checkouts_cli_and_the_module_are_the_same_program(place: Path) -> None:
    first = screened(place)
    assert first.returncode == 0, first.stderr
    rules = ("--rules", str(place / "rules"), "--no-library")
    second = run("-m", "eligibility", "screen", str(place / "p1.yaml"), "--as-of", "2026-11-01", *rules)
    assert second.stdout == first.stdout
    assert first.stderr == ""
    assert "\x1b" not in first.stdout


def test_a_stream_that_knows_only_ascii_gets_signs_spelt_out(place: Path) -> None:
    assert "Consent to Sjögren ≥ 2" in screened(place, PYTHONIOENCODING="utf-8").stdout
    done = screened(place, PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert "Consent to Sjogren >= 2" in done.stdout


def test_a_reader_that_stops_early_is_no_error(place: Path) -> None:
    arguments = f"screen {place / 'p1.yaml'} --as-of 2026-11-01 --format json --rules {place / 'rules'} --no-library"
    command = f"set -o pipefail; {sys.executable} cli.py {arguments} | head -c 1 >/dev/null"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=ROOT, check=False, timeout=60)
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr
    assert done.returncode in (0, 141)


def shell(place: Path, command: str) -> subprocess.CompletedProcess[str]:
    """A command line of a shell; ``$screen`` screens the chart of the place."""
    rules = f"--as-of 2026-11-01 --rules {place / 'rules'} --no-library"
    text = command.replace("$screen", f"{sys.executable} cli.py screen {rules}").replace("$log", f"{sys.executable} cli.py log {rules}")
    return subprocess.run(["bash", "-c", text], capture_output=True, text=True, cwd=ROOT, check=False, timeout=60)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("$screen {chart} > /dev/full", "standard output cannot be written: No space left on device"),
        ("$screen {chart} --format json > /dev/full", "standard output cannot be written: No space left on device"),
        ("$screen {chart} >&-", "standard output is closed"),
        ("$screen {chart} --out /dev/full", "/dev/full cannot be written: No space left on device"),
        ("$screen --help > /dev/full", "No space left on device"),
        ("$log {chart} --out /dev/null", "/dev/null cannot be added to"),
    ],
)
def test_what_cannot_be_written_is_told_and_is_no_fault(place: Path, command: str, said: str) -> None:
    done = shell(place, command.format(chart=place / "p1.yaml"))
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert "fault of the program" not in done.stderr


def test_a_closed_output_is_not_missed_where_the_result_goes_to_a_file(place: Path) -> None:
    done = shell(place, f"$screen {place / 'p1.yaml'} --out {place / 'r.txt'} >&-")
    assert done.returncode == 0, done.stderr
    assert (place / "r.txt").read_text(encoding="utf-8").startswith("Screening of 1 record")


@pytest.mark.parametrize("redirect", ["<&-", "0>/dev/null"])
def test_standard_input_that_cannot_be_read_is_input_that_is_not_there(place: Path, redirect: str) -> None:
    done = shell(place, f"$screen - {place / 'p1.yaml'} --format csv {redirect}")
    assert done.returncode == 3, done.stderr
    assert "no-input" in done.stderr
    assert "p1" in done.stdout


def test_a_device_or_a_pipe_to_write_to_stays_one(place: Path) -> None:
    os.mkfifo(place / "pipe")
    done = shell(place, f"head -n 1 {place / 'pipe'} & $screen {place / 'p1.yaml'} --out {place / 'pipe'} && wait")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Screening of 1 record")
    assert (place / "pipe").is_fifo()


def test_a_link_to_write_to_is_followed_and_permissions_are_kept(place: Path) -> None:
    (place / "real.txt").write_text("before", encoding="utf-8")
    (place / "real.txt").chmod(0o600)
    (place / "link.txt").symlink_to("real.txt")
    done = shell(place, f"$screen {place / 'p1.yaml'} --out {place / 'link.txt'}")
    assert done.returncode == 0, done.stderr
    assert (place / "link.txt").is_symlink()
    assert (place / "real.txt").read_text(encoding="utf-8").startswith("Screening of 1 record")
    assert (place / "real.txt").stat().st_mode & 0o777 == 0o600
