"""`tocsin explain`: why a rule does or does not match an event."""

import os
import sys
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path

import click
import orjson

from tocsin.cli.explain_text import summary_line, text_lines
from tocsin.cli.options import HELP, parse_clock, zone_option
from tocsin.errors import UsageError
from tocsin.logs.bridges import bridge_names
from tocsin.rules.load import LoadOptions
from tocsin.run.explain import Explained, RuleFinder, explain_all
from tocsin.run.given import read_given

NO_MATCH, UNREADABLE = 1, 2


@click.command("explain", context_settings=HELP)
@click.argument("arguments", nargs=-1, required=True, metavar="[RULE] EVENT")
@click.option(
    "-r",
    "--rules",
    "rule_paths",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Rule file or folder in which RULE, or the rule of an alert, is looked up; repeats.",
)
@click.option("--id", "rule_id", metavar="ID", help="Id or name of the rule in a file or folder.")
@click.option("--log-type", metavar="TYPE", help="What the event is, as for tocsin scan.")
@zone_option
@click.option(
    "--history",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Logs in which to look up what the rule knew before the event; repeats.",
)
@click.option(
    "--pipeline",
    "pipelines",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    multiple=True,
    help="pySigma processing pipeline to apply to Sigma rules; repeats.",
)
@click.option(
    "--placeholders",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="YAML file: values for the %placeholders% of Sigma's expand modifier.",
)
@click.option(
    "--bridge",
    "bridges",
    multiple=True,
    metavar="NAME",
    type=click.Choice(bridge_names()),
    help="Show the event under the names that rules look for.",
)
@click.option(
    "-f", "--format", "form", default="text", type=click.Choice(["text", "json"]), show_default=True
)
def command(
    arguments: Sequence[str],
    rule_paths: Sequence[Path],
    rule_id: str | None,
    log_type: str | None,
    tz: str | None,
    history: Sequence[Path],
    pipelines: Sequence[Path],
    placeholders: Path | None,
    bridges: Sequence[str],
    form: str,
) -> None:
    """Say why a rule does or does not match an event, part by part, nearest misses first.

    RULE is a rule file, a folder with --id, or an id or name among the rules given with -r. EVENT
    is FILE, FILE:LINE or `-`; of an alert that `tocsin scan -f ndjson` wrote its event is taken,
    and with -r its rule. Exit status: 0 if an event matches, 1 if none does, 2 wrong use or
    unreadable.
    """
    *wanted, event = arguments
    if len(wanted) > 1:
        raise UsageError("one RULE and one EVENT: a file, FILE:LINE, or - for standard input")
    options = LoadOptions(tuple(pipelines), placeholders)
    finder = RuleFinder(wanted[0] if wanted else None, rule_id, rule_paths, options)
    events = read_given(event)
    first = list(islice(events, 2))
    explained = explain_all(
        chain(first, events), finder, log_type, bridges, parse_clock(tz), history
    )
    if form == "json":
        best = _print_json(explained)
    else:
        best = _print_text(explained, several=len(first) > 1)
    sys.exit(_status(best))


def _status(best: Explained) -> int:
    if best.explanation is None:
        return UNREADABLE
    return 0 if best.matches else NO_MATCH


def _print_text(explained: Iterator[Explained], *, several: bool) -> Explained:
    best: Explained | None = None
    for one in explained:
        if several:
            _say(summary_line(one))
        best = _better(best, one)
    assert best is not None
    if several:
        _say("")
    for line in text_lines(best):
        _say(line)
    return best


def _print_json(explained: Iterator[Explained]) -> Explained:
    from tocsin.run.explain_record import explain_record, summary_record

    best: Explained | None = None
    summaries: list[dict[str, object]] = []
    for one in explained:
        summaries.append(summary_record(one))
        best = _better(best, one)
    assert best is not None
    record = explain_record(summaries, best)
    click.echo(orjson.dumps(record, option=orjson.OPT_INDENT_2).decode())
    return best


def _better(best: Explained | None, other: Explained) -> Explained:
    """Return the one to explain in full: of equals the first."""
    return other if best is None or other.nearness < best.nearness else best


def _say(line: str) -> None:
    click.echo(line, color=False if os.environ.get("NO_COLOR") else None)
