"""The command line: arguments and printing, nothing else. Every command is a verb of the library.

Commands import what they need when they run, so that ``--help`` is quick.
"""

from __future__ import annotations


def main() -> None:
    """Run the program and exit with one of the codes of ``docs/cli.md``."""
    import gc

    from .app import app

    # a command makes hundreds of thousands of long-lived nodes and little garbage: looking for it costs a tenth of a cold start
    gc.set_threshold(200_000, 20, 100)
    app.main()
