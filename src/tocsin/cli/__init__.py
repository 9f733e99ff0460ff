"""The command line: one module per command group, none with logic of its own."""

import io
import os
import sys
from importlib import import_module

import click

from tocsin import __version__
from tocsin.errors import TocsinError
from tocsin.printable import printable_lines

USAGE_STATUS = 2


COMMANDS = ("attack", "catalog", "demo", "explain", "logs", "rules", "scan", "test")
"""The modules below; one is imported when its command is called."""


class _Group(click.Group):
    """Imports only what is called; ends quietly when what reads our output has seen enough."""

    def list_commands(self, _: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted(COMMANDS)

    def get_command(self, _: click.Context, name: str) -> click.Command | None:
        """Return a command by its name."""
        if name not in COMMANDS:
            return None
        command: click.Command = import_module(f"{__name__}.{name}").command
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Run the command that was called."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(0)


@click.group(
    cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="tocsin")
def cli() -> None:
    """Run the world's open detection rules, unmodified, on your own logs."""


def main() -> None:
    """Run the command line; a mistake of the user ends in one sentence and exit status 2."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        cli.main(standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(USAGE_STATUS)
    except TocsinError as error:
        _end(str(error))
    except OSError as error:
        _end(f"{error.filename or 'the output cannot be written'}: {error.strerror}")


def _end(message: str) -> None:
    click.echo(f"tocsin: {printable_lines(message)}", err=True)
    sys.exit(USAGE_STATUS)
