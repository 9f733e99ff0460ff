"""`tocsin rules overlap`: how rules relate, which say the same, what a pack would add."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
import orjson

from tocsin.cli.options import HELP, find, load, rule_options
from tocsin.errors import UsageError
from tocsin.printable import printable, printable_lines
from tocsin.rules.model import Rule, RuleSet

if TYPE_CHECKING:
    from tocsin.catalog.duplicates import Additions
    from tocsin.catalog.overlap import Comparison


@click.command("overlap", context_settings=HELP)
@click.argument("wanted", nargs=-1, required=True, metavar="RULE RULE | PATH…")
@click.option(
    "-r",
    "--rules",
    "paths",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Rules among which ids and names are looked up; repeats.",
)
@click.option(
    "--adds",
    type=click.Path(path_type=Path),
    help="A pack: say what it would add to the rules at PATH.",
)
@click.option("--within", is_flag=True, help="Compare rules of one pack with each other, too.")
@rule_options
@click.option(
    "-f", "--format", "form", default="text", type=click.Choice(["text", "json"]), show_default=True
)
def command(
    wanted: Sequence[str],
    paths: Sequence[Path],
    adds: Path | None,
    within: bool,
    pipelines: Sequence[Path],
    placeholders: Path | None,
    where: str,
    form: str,
) -> None:
    """Compare two rules by what they mean, or find the rules of several packs that say the same.

    RULE is a file, or an id or name among the rules of --rules. What is shown as equal or implied
    was tried on generated events.
    """
    from tocsin.catalog.duplicates import additions, duplicates
    from tocsin.catalog.overlap import compare

    def of(chosen: Sequence[Path]) -> RuleSet:
        return load(chosen, pipelines, placeholders, where)

    if adds:
        _print_additions(additions(of([Path(one) for one in wanted]).rules, of([adds]).rules), form)
        return
    pair = _pair(wanted, paths, pipelines, placeholders, where)
    if pair:
        _print_pair(compare(*pair), form)
        return
    _print_all(list(duplicates(of([Path(one) for one in wanted]).rules, within=within)), form)


def _pair(
    wanted: Sequence[str],
    paths: Sequence[Path],
    pipelines: Sequence[Path],
    placeholders: Path | None,
    where: str,
) -> tuple[Rule, Rule] | None:
    """Return the two rules that are meant; None if whole packs are."""
    if len(wanted) != 2 or any(Path(one).is_dir() for one in wanted):
        return None
    several = [_named(one, paths, pipelines, placeholders, where) for one in wanted]
    if wanted[0] == wanted[1] and len(several[0]) == 2:
        return several[0][0], several[0][1]
    if any(
        len(rules) > 1 and Path(one).is_file() for one, rules in zip(wanted, several, strict=True)
    ):
        return None
    for one, rules in zip(wanted, several, strict=True):
        if len(rules) > 1:
            packs = ", ".join(rule.pack for rule in rules)
            raise UsageError(f"{one}: there are {len(rules)} such rules, in {packs}; name a file")
    return several[0][0], several[1][0]


def _named(
    one: str,
    paths: Sequence[Path],
    pipelines: Sequence[Path],
    placeholders: Path | None,
    where: str,
) -> tuple[Rule, ...]:
    """Return the rules of a file, or of an id or name."""
    if Path(one).is_file():
        return load([Path(one)], pipelines, placeholders, where).rules
    if not paths:
        raise UsageError(f"{one}: no such file; an id or name needs --rules PATH")
    rules = find(one, paths, pipelines, placeholders, where)
    if not rules:
        raise UsageError(f"no rule {one!r} at {', '.join(map(str, paths))}")
    return rules


def _print_pair(found: "Comparison", form: str) -> None:
    from tocsin.catalog.overlap_text import comparison_lines, comparison_record

    if form == "json":
        click.echo(orjson.dumps(comparison_record(found), option=_INDENT, default=str).decode())
        return
    for line in comparison_lines(found):
        click.echo(printable_lines(line))


_INDENT = orjson.OPT_INDENT_2


def _print_all(found: Sequence["Comparison"], form: str) -> None:
    from tocsin.catalog.overlap_text import comparison_record, title

    if form == "json":
        records = [comparison_record(one) for one in found]
        click.echo(orjson.dumps(records, option=_INDENT, default=str).decode())
        return
    for one in found:
        click.echo(f"{one.relation.value:25} {printable(title(one.one))}")
        click.echo(f"{'':25} {printable(title(one.other))}")
    counts = Counter(one.relation.value for one in found)
    said = ", ".join(f"{count:,} {relation}" for relation, count in counts.items())
    click.echo(f"{len(found):,} pairs{': ' if said else ''}{said}", err=True)


def _print_additions(found: "Additions", form: str) -> None:
    from tocsin.catalog.overlap_text import comparison_record, title

    if form == "json":
        record = {
            "schema": 1,
            "new": [rule.key for rule in found.new],
            "wider": [comparison_record(one) for one in found.wider],
            "covered": [comparison_record(one) for one in found.covered],
            "unread": [rule.key for rule in found.unread],
        }
        click.echo(orjson.dumps(record, option=_INDENT, default=str).decode())
        return
    for rule in found.new:
        click.echo(f"new      {printable(rule.name)}")
    for one in found.wider:
        click.echo(f"wider    {printable(one.one.name)}, than {printable(title(one.other))}")
    for one in found.covered:
        click.echo(
            f"covered  {printable(one.one.name)}, {one.relation.value} "
            f"{printable(title(one.other))}"
        )
    click.echo(
        f"{len(found.new):,} new, {len(found.wider):,} wider, {len(found.covered):,} covered, "
        f"{len(found.unread):,} without a condition that is read",
        err=True,
    )
