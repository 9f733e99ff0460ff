"""`tocsin rules`: what rules there are, what they say, and whether they run."""

import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click
import orjson

from tocsin.catalog.record import rule_record_of
from tocsin.cli.convert import command as convert
from tocsin.cli.diff import command as diff
from tocsin.cli.options import HELP, find, load, rule_options
from tocsin.cli.overlap import command as overlap
from tocsin.cli.packs import add, print_packs, update
from tocsin.cli.rule_text import rule_lines, whole_record_of
from tocsin.engine.check import Checked, check
from tocsin.errors import InputError, UsageError
from tocsin.logs.load import load_log_types
from tocsin.logs.logtype import LogType
from tocsin.printable import printable, printable_lines
from tocsin.rules.model import Rule, Verdict

if TYPE_CHECKING:
    from tocsin.run.lacking import Lacking

UNREADABLE, LEFT_OUT = 2, 3

_form = click.option(
    "-f", "--format", "form", default="text", type=click.Choice(["text", "json"]), show_default=True
)
_paths = click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))


@click.group("rules", context_settings=HELP)
def command() -> None:
    """List, show, check, compare, convert and add rules."""


@command.command("check", context_settings=HELP)
@_paths
@click.option(
    "--logs",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Log file or folder: name the fields of each rule that no event in it carries; repeats.",
)
@rule_options
@_form
@click.option("--strict", is_flag=True, help="Exit with 3 if a rule does not run exactly.")
def check_rules(
    paths: Sequence[Path],
    logs: Sequence[Path],
    pipelines: Sequence[Path],
    placeholders: Path | None,
    where: str,
    form: str,
    strict: bool,
) -> None:
    """Say for each rule whether it runs, on which log types, and why not."""
    loaded = load(paths, pipelines, placeholders, where)
    log_types = load_log_types()
    checked = [check(rule, log_types) for rule in loaded.rules]
    missing, unread = _never_seen(checked, logs, log_types)
    if form == "json":
        _print_json([_check_record(*one) for one in zip(checked, missing, strict=True)])
    else:
        _print_check(checked, missing)
    for skipped in loaded.skipped:
        click.echo(f"not taken  {printable(skipped.path)}: {skipped.reason}", err=form == "json")
    for reason in (reason for part in loaded.parts for reason in part.reasons):
        click.echo(f"not used  {printable(reason)}", err=form == "json")
    if unread:
        sys.exit(UNREADABLE)
    if strict and any(one.verdict is not Verdict.RUNS for one in checked):
        sys.exit(LEFT_OUT)


@dataclass(frozen=True, slots=True)
class _Missing:
    """The fields of a rule that logs do not carry, and whether they hold its log types at all."""

    fields: Sequence[str] = ()
    no_events_of: Sequence[str] = ()
    events: int = 0
    """How many events a rule with a stage is about."""
    without: Mapping[str, int] = field(default_factory=dict)
    """Field → how many of them lack it, and are left out."""

    def lines(self) -> Iterator[str]:
        if self.no_events_of:
            yield f"no event of {', '.join(self.no_events_of)} in these logs"
        elif self.fields:
            yield f"never seen in these logs: {', '.join(self.fields)}"
        if self.without:
            of = ", ".join(f"{count:,} have no {name}" for name, count in self.without.items())
            yield f"of {self.events:,} events that it is about {of}: left out"


def _never_seen(
    checked: Sequence[Checked], logs: Sequence[Path], log_types: Sequence[LogType]
) -> tuple[list[_Missing], bool]:
    """Say per rule which of its fields no event of logs carries, and whether a log failed."""
    if not logs:
        return [_Missing() for _ in checked], False
    from tocsin.run.lacking import count_lacking
    from tocsin.run.survey import survey
    from tocsin.run.wanted import Arrivals

    rules = [one.rule for one in checked]
    arrivals = Arrivals(rules, log_types)
    done = survey(logs, log_types, [arrivals])
    lacking = count_lacking(rules, logs, log_types)
    for problem in (*done.failed, *done.skipped):
        click.echo(f"not read: {printable(problem)}", err=True)
    if not done.files:
        raise InputError("--logs: no log could be read")
    missing = [
        _Missing(
            arrivals.never_seen_by(number, one.log_types),
            () if arrivals.met(one.log_types) else one.log_types,
            *_lacking(lacking.get(number)),
        )
        for number, one in enumerate(checked)
    ]
    return missing, bool(done.failed)


def _lacking(found: "Lacking | None") -> tuple[int, Mapping[str, int]]:
    return (found.events, found.without) if found else (0, {})


def _check_record(checked: Checked, missing: _Missing) -> dict[str, object]:
    rule = checked.rule
    return {
        "schema": 1,
        "id": rule.id,
        "name": rule.name,
        "ecosystem": rule.ecosystem,
        "kind": rule.kind,
        "path": rule.path,
        "verdict": checked.verdict.value,
        "reasons": checked.reasons,
        "log_types": checked.log_types,
        "fields_never_seen": missing.fields,
        "events_without": dict(missing.without),
        "notes": rule.notes,
    }


def _print_check(checked: Sequence[Checked], missing: Sequence[_Missing]) -> None:
    for one, lacking in zip(checked, missing, strict=True):
        seen = list(lacking.lines())
        if one.verdict is Verdict.RUNS and not one.rule.notes and not seen:
            continue
        _say(f"{one.verdict.value:11} {one.rule.name} ({one.rule.path})")
        for reason in (*one.reasons, *one.rule.notes, *seen):
            _say(f"            {reason}")
    counts = Counter(one.verdict for one in checked)
    verdicts = ", ".join(f"{counts[verdict]:,} {verdict.value}" for verdict in Verdict)
    click.echo(f"{len(checked):,} rules: {verdicts}")
    in_vain = sum(bool(one.fields) for one in missing)
    if in_vain:
        click.echo(f"{in_vain:,} rules want fields that were never seen in these logs")
    for name, count in sorted(_per_log_type(checked).items(), key=lambda item: (-item[1], item[0])):
        click.echo(f"  {count:6,}  {name}")


def _per_log_type(checked: Sequence[Checked]) -> Mapping[str, int]:
    counts: Counter[str] = Counter()
    for one in checked:
        counts.update(one.log_types or ("no log type yet",))
    return counts


@command.command("list", context_settings=HELP)
@_paths
@click.option("--packs", is_flag=True, help="List the packs that were added to folders at PATHS.")
@rule_options
@_form
def list_rules(
    paths: Sequence[Path],
    packs: bool,
    pipelines: Sequence[Path],
    placeholders: Path | None,
    where: str,
    form: str,
) -> None:
    """List rules, a line each."""
    if packs:
        print_packs(paths, form)
        return
    loaded = load(paths, pipelines, placeholders, where)
    if form == "json":
        _print_json([rule_record_of(rule) for rule in loaded.rules])
        return
    versions = Counter(rule.id for rule in loaded.rules)
    for rule in loaded.rules:
        version = f"  ({_version(rule)})" if versions[rule.id] > 1 else ""
        _say(f"{rule.severity.value:13} {rule.id:36}  {rule.name}{version}")
    click.echo(f"{len(loaded.rules):,} rules", err=True)


@command.command("show", context_settings=HELP)
@click.argument("wanted", metavar="RULE")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@rule_options
@_form
def show_rule(
    wanted: str,
    paths: Sequence[Path],
    pipelines: Sequence[Path],
    placeholders: Path | None,
    where: str,
    form: str,
) -> None:
    """Show one rule: RULE is a file, or an id or name among the rules at PATHS."""
    if paths:
        rules = find(wanted, paths, pipelines, placeholders, where)
    else:
        rules = load([Path(wanted)], pipelines, placeholders, where).rules
    if not rules:
        raise UsageError(f"no rule {wanted!r}; tocsin rules list PATH shows ids and names")
    if form == "json":
        _print_json([whole_record_of(rule) for rule in rules])
        return
    versions = Counter(rule.id for rule in rules)
    for rule in rules:
        if versions[rule.id] > 1:
            _say(f"One of {versions[rule.id]} versions: {_version(rule)}")
        for line in rule_lines(rule):
            _say(line)


def _version(rule: Rule) -> str:
    """Say which of several rules of the same id one is."""
    modified = rule.modified or rule.date
    return f"{rule.kind} of pack {rule.pack}" + (f", {modified}" if modified else "")


for _command in (add, convert, diff, overlap, update):
    command.add_command(_command)


def _say(text: str) -> None:
    click.echo(printable_lines(text))


def _print_json(items: Sequence[object]) -> None:
    click.echo(orjson.dumps(items, option=orjson.OPT_INDENT_2).decode())
