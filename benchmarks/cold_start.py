"""A cold ``python cli.py screen`` of one patient, beside a process that only imports what it stands on.

Run: python benchmarks/cold_start.py [repetitions]. Prints medians and their ratio; asserts nothing.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SCREEN = [sys.executable, "cli.py", "screen", "fixtures/patients/ms-01.yaml", "--as-of", "2026-11-01"]
RIVALS = {
    "screen, three trials": [*SCREEN, "--trial", "NCT06675864", "--trial", "NCT06193889", "--trial", "NCT06581198"],
    "screen, the whole library": SCREEN,
    "import pydantic, yaml, click, orjson and no more": [sys.executable, "-c", "import pydantic, yaml, click, orjson"],
    "python -c pass": [sys.executable, "-c", "pass"],
}


def main(repetitions: int = 9) -> None:
    """Time each command in turn, interleaved, and print medians."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    times: dict[str, list[float]] = {name: [] for name in RIVALS}
    for round_ in range(repetitions + 1):
        for name, command in RIVALS.items():
            begin = time.perf_counter()
            subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, check=True)
            if round_:  # the first writes the byte code
                times[name].append(time.perf_counter() - begin)
    base = statistics.median(times["import pydantic, yaml, click, orjson and no more"])
    for name, measured in times.items():
        median = statistics.median(measured)
        print(f"{name}: {median:.2f} s (best {min(measured):.2f}), {median / base:.1f} x the bare imports")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 9)
