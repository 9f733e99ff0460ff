"""`tocsin logs`: which log types there are, what files hold, and what rules see of it."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
import orjson

from tocsin.cli.options import HELP, load, rule_options
from tocsin.errors import InputError
from tocsin.logs.load import load_log_types
from tocsin.logs.logtype import LogType
from tocsin.printable import printable
from tocsin.run.log_types import choose_log_types

if TYPE_CHECKING:
    from tocsin.run.given import Given
    from tocsin.run.identify import Identified

UNREADABLE = 2

_log_type = click.option(
    "--log-type", metavar="TYPE", help="What the logs are, instead of looking; as for tocsin scan."
)


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
        click.echo(f"{'':16}   Sigma: {products or '–'}: {shown}")


@command.command("identify", context_settings=HELP)
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
def identify(paths: Sequence[Path]) -> None:
    """Say which log types the records of files are, and how many there are of each."""
    from tocsin.logs.formats.open import log_files

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
    from tocsin.run.identify import identify_file

    whole = True
    for found in identify_file(file, log_types):
        if found.problem:
            whole = False
            click.echo(printable(found.problem), err=True)
        if found.shapes or found.unidentified or found.refused or not found.problem:
            _print(found)
    return whole


def _print(found: "Identified") -> None:
    click.echo(printable(found.name))
    for name, count in found.shapes.most_common():
        click.echo(f"  {count:8,}  {name}")
    for title, count in (
        ("of no known log type", found.unidentified),
        ("unreadable", found.refused),
    ):
        if count:
            click.echo(f"  {count:8,}  {title}")


@command.command("fields", context_settings=HELP)
@click.argument(
    "paths", metavar="LOGS...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@click.option(
    "-r",
    "--rules",
    "rule_paths",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Rule file or folder: say which fields rules read, and which they want in vain; repeats.",
)
@_log_type
@click.option(
    "--sample",
    "every",
    metavar="N",
    type=click.IntRange(1),
    default=1,
    help="Look at every Nth record only. Default: all.",
)
@rule_options
@click.option(
    "-f", "--format", "form", default="text", type=click.Choice(["text", "json"]), show_default=True
)
def list_fields(
    paths: Sequence[Path],
    rule_paths: Sequence[Path],
    log_type: str | None,
    every: int,
    pipelines: Sequence[Path],
    placeholders: Path | None,
    where: str,
    form: str,
) -> None:
    """List the fields that events carry, per log type and shape: how often, of what type.

    With -r also how many rules read each, and which fields rules want that never arrive.
    """
    from tocsin.cli.fields_text import fields_lines
    from tocsin.run.fields_report import fields_record, report_fields

    rules = load(rule_paths, pipelines, placeholders, where).rules if rule_paths else None
    report = report_fields(paths, choose_log_types(log_type), rules, every)
    for problem in (*report.surveyed.failed, *report.surveyed.skipped):
        click.echo(f"not read: {printable(problem)}", err=True)
    if form == "json":
        _echo_json(fields_record(report), orjson.OPT_INDENT_2)
    else:
        for line in fields_lines(report):
            click.echo(line)
    if report.surveyed.failed or not report.surveyed.files:
        sys.exit(UNREADABLE)


@command.command("normalize", context_settings=HELP)
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option(
    "--to",
    "vocabulary",
    metavar="VOCABULARY",
    default="sigma",
    show_default=True,
    help="Whose names: those of a rule language, or raw, the record's own.",
)
@_log_type
@click.option("-f", "--format", "form", default="ndjson", type=click.Choice(["ndjson"]))
def normalize_records(
    files: Sequence[str],
    vocabulary: str,
    log_type: str | None,
    form: str,  # noqa: ARG001
) -> None:
    """Write each record under the names by which the rules of a vocabulary see it.

    FILE is a file, FILE:LINE, a folder, or `-`.
    """
    from tocsin.logs.document import DOCUMENTS, document_text
    from tocsin.run.normalize import check_vocabulary
    from tocsin.run.normalize_record import normalized_record

    log_types = choose_log_types(log_type)
    check_vocabulary(vocabulary, log_types)
    failed = False
    for file in files:
        try:
            for given in _given(file):
                if given.record is None:
                    text = f"not read: {given.place}: {given.problem}"
                    click.echo(printable(text), err=True)
                elif vocabulary in DOCUMENTS:
                    _echo_json(document_text(given.record, vocabulary, log_types))
                else:
                    _echo_json(normalized_record(given, vocabulary, log_types))
        except InputError as error:
            click.echo(printable(str(error)), err=True)
            failed = True
    if failed:
        sys.exit(UNREADABLE)


def _given(argument: str) -> "Iterator[Given]":
    """Yield the records that an argument names; in a folder, those of every file that holds any."""
    from tocsin.logs.formats.open import log_files
    from tocsin.run.given import read_given

    if not Path(argument).is_dir():
        yield from read_given(argument)
        return
    for path in log_files(Path(argument)):
        try:
            yield from read_given(str(path))
        except InputError as error:
            click.echo(f"not read: {printable(str(error))}", err=True)


def _echo_json(record: object, option: int = 0) -> None:
    click.echo(orjson.dumps(record, option=option).decode())
