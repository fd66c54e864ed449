"""The command line: arguments and printing, nothing else. Every command is a verb of the library.

Commands import what they need when they run, so that ``--help`` is quick.
"""

from __future__ import annotations


def main() -> None:
    """Run the program and exit with one of the codes of ``docs/cli.md``."""
    import gc
    import os

    # a command makes hundreds of thousands of long-lived nodes and little garbage: looking for it costs a tenth of a cold start
    gc.set_threshold(200_000, 20, 100)
    # what other packages would plug into pydantic must not change how a record is read, and looking for it reads the
    # metadata of every package there is
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    from .app import app

    app.main()
