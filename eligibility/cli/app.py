"""The program: its commands, and what becomes of every error.

Exit codes: 0 done; 1 done, and what was checked did not hold; 2 the command line is wrong; 3 some
input could not be read, and the rest was done; 4 a rule file is wrong; 70 a fault of the program.
"""

from __future__ import annotations

import errno
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import click

from .. import __version__
from ..errors import EligibilityError, UsageError, debugging, did_you_mean, place_of_fault
from .attest import attest
from .codes import codes
from .convert import convert
from .log import log
from .output import drop_output
from .rules import rules
from .screen import explain, screen
from .worklist import worklist
from .worksheet import worksheet

INTERNAL = 70


class App(click.Group):
    """The group of all commands; turns errors into short messages and exit codes."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> NoReturn:
        """Run, print errors to standard error without a traceback, and exit."""
        del standalone_mode  # errors are handled here, always
        sys.exit(self._run(args, prog_name or "eligibility", {"complete_var": complete_var, "standalone_mode": False, **extra}))

    def _run(self, args: Sequence[str] | None, prog_name: str, extra: dict[str, Any]) -> int:
        try:
            code = super().main(args, prog_name, **extra)
            if sys.stdout is not None:
                sys.stdout.flush()
            return code if isinstance(code, int) else 0
        except click.ClickException as error:
            error.show(sys.stderr)
            return error.exit_code
        except click.Abort:
            click.echo("Stopped.", err=True)
            return 130
        except EligibilityError as error:
            click.echo(f"Error: {error}", err=True)
            return error.exit_code
        except BrokenPipeError:
            drop_output()  # the reader (head, say) has seen enough
            return 0
        except Exception as error:
            if isinstance(error, OSError) and error.errno == errno.ENOSPC:  # help, say, sent to a full disk
                drop_output()
                click.echo(f"Error: {error.strerror}: what was written is not whole; write again where there is room", err=True)
                return UsageError.exit_code
            if debugging():
                raise
            click.echo(_fault(error), err=True)
            return INTERNAL

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does it, with near names for a command that is none."""
        name = args[0] if args else ""
        if name and not name.startswith("-") and self.get_command(ctx, name) is None:
            near = did_you_mean(name, self.list_commands(ctx)) or f"the commands are {', '.join(self.list_commands(ctx))}"
            ctx.fail(f"there is no command {name}; {near}")
        return super().resolve_command(ctx, args)


def _fault(error: Exception) -> str:
    """What to say of an unexpected error: its kind and place, never its message, which may hold a value."""
    return (
        f"Error: a fault of the program ({place_of_fault(error)}); nothing was written. "
        "Run again with ELIGIBILITY_DEBUG=1 for the traceback, which may show values of the record, and report it without them."
    )


@click.group(cls=App, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80})
@click.version_option(__version__, prog_name="eligibility")
def app() -> None:
    """Screen patient records against the published criteria of trials.

    Finds barriers and open questions in a record, criterion by criterion, with
    the reasons and what would settle them. A person decides.

    \b
    Example:
      eligibility screen fixtures/ --as-of 2026-11-01
    """


app.add_command(screen)
app.add_command(explain)
app.add_command(rules)
app.add_command(codes)
app.add_command(convert)
app.add_command(worksheet)
app.add_command(worklist)
app.add_command(attest)
app.add_command(log)
