"""`tocsin attack`: the ATT&CK matrix with counts, for other programs, and a newer ATT&CK."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import click
import orjson

from tocsin.cli.catalog import shipped_packs
from tocsin.cli.options import HELP, load, rule_options
from tocsin.errors import InputError, UsageError
from tocsin.printable import printable
from tocsin.rules.model import Rule


@click.group("attack", context_settings=HELP)
def command() -> None:
    """Count rules or alerts per ATT&CK technique; take a newer ATT&CK."""


@command.command("layer", context_settings=HELP)
@click.option(
    "-r",
    "--rules",
    "packs",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Rule file or folder to count; repeats. Default: the packs that ship with Tocsin.",
)
@rule_options
@click.option(
    "--logs",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Log file or folder: count only rules that can run on what is in it; repeats.",
)
@click.option(
    "--alerts",
    type=click.Path(path_type=Path),
    help="Alerts as NDJSON (`scan -f ndjson`): count them in place of rules.",
)
@click.option(
    "-f",
    "--format",
    "form",
    default="navigator",
    type=click.Choice(["navigator", "csv"]),
    show_default=True,
)
@click.option(
    "-o", "--output", "file", type=click.Path(path_type=Path, dir_okay=False), help="File to write."
)
def write_layer(
    packs: Sequence[Path],
    pipelines: Sequence[Path],
    placeholders: Path | None,
    where: str,
    logs: Sequence[Path],
    alerts: Path | None,
    form: str,
    file: Path | None,
) -> None:
    """Write a layer for the ATT&CK Navigator (4.5), or all counts as CSV."""
    from tocsin.catalog.matrix import layer, make_matrix, matrix_csv
    from tocsin.catalog.named import named_alerts, named_rules

    if alerts and (packs or logs):
        raise UsageError("--alerts counts alerts; it goes with neither -r nor --logs")
    if alerts:
        items, what = list(named_alerts(alerts)), "alerts"
    else:
        rules = load(packs or shipped_packs(), pipelines, placeholders, where).rules
        chosen = list(_runnable(rules, logs)) if logs else rules
        items, what = list(named_rules(chosen)), "rules"
    matrix = make_matrix(items)
    if form == "csv":
        text = matrix_csv(matrix)
    else:
        name = f"Tocsin: {what}" + (" that can run on these logs" if logs else "")
        text = orjson.dumps(layer(matrix, name, what), option=orjson.OPT_INDENT_2).decode() + "\n"
    if file:
        file.write_text(text, "utf-8")
    else:
        click.echo(text, nl=False)
    counted = sum(item.weight for item in items)
    gaps = len(matrix.gaps)
    click.echo(f"{counted:,} {what}; {gaps:,} techniques have none", err=True)
    for name, count in matrix.unknown.items():
        click.echo(f"not in ATT&CK {matrix.version}: {printable(name)} ({count:,})", err=True)


def _runnable(rules: Sequence[Rule], logs: Sequence[Path]) -> Iterator[Rule]:
    """Yield the rules that run, for whose log types there are events, and whose fields come in."""
    from tocsin.run.runnable import runnable

    found = runnable(rules, logs)
    for problem in found.problems:
        click.echo(f"not read: {printable(problem)}", err=True)
    return iter(found.rules)


@command.command("update", context_settings=HELP)
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def update(file: Path) -> None:
    """Take ATT&CK from FILE, a STIX bundle of Enterprise as MITRE publishes it."""
    from tocsin.content.attack import own_file, update_attack

    try:
        attack = update_attack(file.read_bytes())
    except InputError as error:
        raise InputError(f"{file}: {error}") from None
    click.echo(
        f"ATT&CK {printable(attack.version)}: {len(attack.tactics)} tactics, "
        f"{len(attack.techniques):,} techniques"
    )
    click.echo(f"written to {own_file()}", err=True)
