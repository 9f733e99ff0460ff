"""`tocsin logs`: which log types there are, and what a file holds."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from tocsin.cli.options import HELP
from tocsin.errors import InputError
from tocsin.logs.formats.open import log_files
from tocsin.logs.load import load_log_types
from tocsin.logs.logtype import LogType
from tocsin.printable import printable
from tocsin.run.identify import Identified, identify_file

UNREADABLE = 2


@click.group("logs", context_settings=HELP)
def command() -> None:
    """Say what logs are."""


@command.command("types", context_settings=HELP)
def list_types() -> None:
    """List the log types and the shapes each is met in."""
    for log_type in load_log_types():
        click.echo(f"{log_type.name:16} {log_type.title}")
        click.echo(f"{'':16}   shapes: {', '.join(shape.name for shape in log_type.shapes)}")
        sources = [*log_type.services, *log_type.categories]
        shown = ", ".join(sources[:8]) + (f" … {len(sources) - 8} more" if len(sources) > 8 else "")
        products = ", ".join(log_type.products)
        click.echo(f"{'':16}   Sigma: {products}: {shown}")


@command.command("identify", context_settings=HELP)
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
def identify(paths: Sequence[Path]) -> None:
    """Say which log types the records of files are, and how many there are of each."""
    log_types = load_log_types()
    failed = False
    for path in paths:
        try:
            for file in log_files(path):
                failed |= not _identify(file, log_types)
        except InputError as error:
            click.echo(printable(str(error)), err=True)
            failed = True
    if failed:
        sys.exit(UNREADABLE)


def _identify(file: Path, log_types: Sequence[LogType]) -> bool:
    """Print what a file holds; say whether all of it could be read."""
    whole = True
    for found in identify_file(file, log_types):
        if found.problem:
            whole = False
            click.echo(printable(found.problem), err=True)
        if found.shapes or found.unidentified or found.refused or not found.problem:
            _print(found)
    return whole


def _print(found: Identified) -> None:
    click.echo(printable(found.name))
    for name, count in found.shapes.most_common():
        click.echo(f"  {count:8,}  {name}")
    for title, count in (
        ("of no known log type", found.unidentified),
        ("unreadable", found.refused),
    ):
        if count:
            click.echo(f"  {count:8,}  {title}")
