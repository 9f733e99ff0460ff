"""`tocsin rules convert`: a rule's condition in another language."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
import orjson

from tocsin.cli.options import HELP, find, load, rule_options
from tocsin.errors import UsageError
from tocsin.printable import printable, printable_lines
from tocsin.rules.model import Rule

if TYPE_CHECKING:
    from tocsin.catalog.convert import Conversion

LEFT_OUT = 3
LANGUAGES = ("sigma", "kql", "sql")


@click.command("convert", context_settings=HELP)
@click.argument("wanted", metavar="RULE")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--to", "language", required=True, type=click.Choice(LANGUAGES), help="The other language."
)
@click.option(
    "--log-type",
    metavar="TYPE",
    help="For which of its log types; default: the one that has words for most of its names.",
)
@rule_options
@click.option(
    "-f", "--format", "form", default="text", type=click.Choice(["text", "json"]), show_default=True
)
def command(
    wanted: str,
    paths: Sequence[Path],
    language: str,
    log_type: str | None,
    pipelines: Sequence[Path],
    placeholders: Path | None,
    where: str,
    form: str,
) -> None:
    """Say a rule in Sigma, KQL or SQL of DuckDB, where that can be done exactly.

    RULE is a file, or an id or name among the rules at PATHS. What cannot be said is named, and
    nothing is written then: the exit status is 3.
    """
    if paths:
        rules = find(wanted, paths, pipelines, placeholders, where)
    else:
        rules = load([Path(wanted)], pipelines, placeholders, where).rules
    if not rules:
        raise UsageError(f"no rule {wanted!r}; tocsin rules list PATH shows ids and names")
    found = [_converted(rule, language, log_type) for rule in rules]
    if form == "json":
        records = [_record(rule, one) for rule, one in zip(rules, found, strict=True)]
        click.echo(orjson.dumps(records, option=orjson.OPT_INDENT_2).decode())
    else:
        for rule, one in zip(rules, found, strict=True):
            _print(rule, one)
    if any(one.text is None for one in found):
        sys.exit(LEFT_OUT)


def _converted(rule: Rule, language: str, log_type: str | None) -> "Conversion":
    from tocsin.catalog.convert import Conversion, convert
    from tocsin.catalog.translate import CannotSay

    try:
        return convert(rule, language, log_type)
    except CannotSay as part:
        return Conversion(language, log_type or "", None, (part,))


def _print(rule: Rule, found: "Conversion") -> None:
    if found.text is not None:
        click.echo(printable_lines(found.text.rstrip("\n")))
    for note in found.notes:
        click.echo(f"note: {printable(note)}", err=True)
    for one in found.lost:
        text = f"{rule.name}: cannot say {one.part}: {one.reason}"
        click.echo(printable(text), err=True)
    for lost in found.beside:
        click.echo(f"{printable(rule.name)}: lost: {printable(lost)}", err=True)


def _record(rule: Rule, found: "Conversion") -> dict[str, object]:
    return {
        "schema": 1,
        "id": rule.id,
        "name": rule.name,
        "language": found.language,
        "log_type": found.log_type,
        "text": found.text,
        "cannot_say": [{"part": one.part, "reason": one.reason} for one in found.lost],
        "lost": found.beside,
        "notes": found.notes,
    }
