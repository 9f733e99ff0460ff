"""The command line: one module per command group, none with logic of its own."""

import sys

import click

from tocsin import __version__
from tocsin.errors import TocsinError

USAGE_STATUS = 2


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="tocsin")
def cli() -> None:
    """Run the world's open detection rules, unmodified, on your own logs."""


def main() -> None:
    """Run the command line; a mistake of the user ends in one sentence and exit status 2."""
    from tocsin.cli import demo, logs, rules, scan, test

    for module in (scan, test, rules, logs, demo):
        cli.add_command(module.command)
    try:
        cli.main(standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(USAGE_STATUS)
    except TocsinError as error:
        click.echo(f"tocsin: {error}", err=True)
        sys.exit(USAGE_STATUS)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
