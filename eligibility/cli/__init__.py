"""The command line: arguments and printing, nothing else. Every command is a verb of the library.

Commands import what they need when they run, so that ``--help`` is quick.
"""

from __future__ import annotations


def main() -> None:
    """Run the program and exit with one of the codes of ``docs/cli.md``."""
    from .app import app

    app.main()
