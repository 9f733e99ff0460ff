"""`tocsin scan`: run rules on log files."""

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import click

from tocsin.cli.options import HELP, load, parse_clock, parse_moment, rule_options, zone_option
from tocsin.cli.scan_report import Report, Stopwatch
from tocsin.condition.geoip import use as use_geoip
from tocsin.errors import UsageError
from tocsin.logs.bridges import bridge_names
from tocsin.logs.formats.open import STDIN
from tocsin.outputs import OUTPUTS, choose_output
from tocsin.outputs.groups import GROUPINGS
from tocsin.printable import printable
from tocsin.rules.load import NO_RULE
from tocsin.rules.model import Rule, RuleSet, Severity, Verdict
from tocsin.rules.select import parse_severity
from tocsin.run.confirm import Python
from tocsin.run.log_types import choose_log_types
from tocsin.run.quarantine import Quarantine
from tocsin.run.scan import Progress, ScanOptions, ScanSummary, scan
from tocsin.run.work import Window
from tocsin.sandbox.process import Options

UNREADABLE, FIRED, LEFT_OUT = 2, 1, 3


@click.command("scan", context_settings=HELP)
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-r",
    "--rules",
    "rule_paths",
    multiple=True,
    required=True,
    type=click.Path(path_type=Path),
    help="Rule file or folder; repeats. Each is one pack.",
)
@click.option(
    "--log-type",
    metavar="TYPE",
    help="What the logs are, instead of looking: a log type (tocsin logs types lists them) or a "
    "Sigma log source as product/category/service, with empty parts, or panther:NAME.",
)
@click.option("--severity", metavar="SEVERITY", help="Only rules of this severity and above.")
@click.option("--since", metavar="TIME", help="Only events from this time on.")
@click.option("--until", metavar="TIME", help="Only events before this time.")
@zone_option
@rule_options
@click.option(
    "--bridge",
    "bridges",
    multiple=True,
    metavar="NAME",
    help=f"Show events under the names that rules look for: {', '.join(bridge_names())}.",
)
@click.option(
    "-f", "--format", "form", default="table", type=click.Choice(sorted(OUTPUTS)), show_default=True
)
@click.option(
    "--group",
    metavar="NAME",
    help=f"What a line of the table stands for, instead of a rule: {', '.join(GROUPINGS)}.",
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Instead of stdout."
)
@click.option(
    "--fail-on", metavar="SEVERITY", help="Exit with 1 if an alert is of this severity or above."
)
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True)
@click.option(
    "--batch", "rows", type=click.IntRange(1), hidden=True, help="Records per batch, for tests."
)
@click.option(
    "--quarantine",
    "quarantine_path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Keep what could not be read, with place and reason, in this file.",
)
@click.option(
    "--geoip",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="MaxMind database that says where addresses are, and whose (tocsin[geoip]); repeats.",
)
@click.option(
    "--indicators",
    multiple=True,
    type=click.Path(path_type=Path),
    help="File or folder of indicators, documents in ECS, for rules that compare; repeats.",
)
@click.option(
    "--history",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Logs from before: what is in them is known, and raises no alert; repeats.",
)
@click.option(
    "--cold-start",
    type=click.Choice(["count", "alert"]),
    default="count",
    show_default=True,
    help="What to do with terms that are new while the logs are shorter than a rule's history.",
)
@click.option(
    "--lookup",
    "lookups",
    multiple=True,
    metavar="NAME=FILE",
    help="File with the rows of a lookup table of Panther, CSV or JSON; repeats.",
)
@click.option("--building-blocks", is_flag=True, help="Run rules that are for other rules to read.")
@click.option(
    "--allow-python",
    is_flag=True,
    help="Let the Python of Panther's rules run, in processes apart that can reach nothing.",
)
@click.option(
    "--strict-errors",
    is_flag=True,
    help="Ask it about every event, so that all on which it fails are counted.",
)
@click.option(
    "--without-isolation",
    is_flag=True,
    help="Let it run even where this system cannot keep it from your files.",
)
@click.option(
    "--include-disabled",
    is_flag=True,
    help="Run rules too that are deprecated, unsupported, switched off, or not in production.",
)
@click.option("--strict", is_flag=True, help="Exit with 3 if a rule or record was left out.")
@click.option("--stats", is_flag=True, help="Say what the Python of each rule cost.")
@click.option("--quiet", is_flag=True, help="No progress and no summary.")
def command(
    paths: Sequence[Path],
    rule_paths: Sequence[Path],
    log_type: str | None,
    severity: str | None,
    since: str | None,
    until: str | None,
    tz: str | None,
    pipelines: Sequence[Path],
    placeholders: Path | None,
    where: str,
    bridges: Sequence[str],
    form: str,
    group: str | None,
    output: Path | None,
    fail_on: str | None,
    workers: int,
    rows: int | None,
    quarantine_path: Path | None,
    geoip: Sequence[Path],
    indicators: Sequence[Path],
    history: Sequence[Path],
    cold_start: str,
    lookups: Sequence[str],
    building_blocks: bool,
    allow_python: bool,
    strict_errors: bool,
    without_isolation: bool,
    include_disabled: bool,
    strict: bool,
    stats: bool,
    quiet: bool,
) -> None:
    """Run rules on log files or folders (`-` is standard input) and print the alerts.

    Exit status: 2 wrong use or unreadable input, 1 alerts at or above --fail-on, 3 with --strict
    if rules or records were left out, else 0.
    """
    make_output = choose_output(form, group)
    window = _window(since, until)
    clock = parse_clock(tz)
    output = None if output == STDIN else output
    writes = tuple(path for path in (output, quarantine_path) if path)
    _refuse_overwriting([*paths, *history, *indicators, *geoip], writes)
    tables = dict(map(_table, lookups))
    limit = parse_severity(fail_on) if fail_on else None
    use_geoip(geoip)
    least = parse_severity(severity) if severity else Severity.INFORMATIONAL
    stopwatch = Stopwatch(datetime.now(UTC), time.monotonic())
    if strict_errors and not allow_python:
        raise UsageError("--strict-errors asks Python, which needs --allow-python")
    loaded = load(rule_paths, pipelines, placeholders, where, lift=not strict_errors)
    chosen = _Chosen(least, include_disabled, building_blocks, allow_python)
    rules = list(filter(chosen.runs, loaded.rules))
    if not rules:
        raise UsageError(_nothing_to_run(loaded))
    options = ScanOptions(
        tuple(rules),
        choose_log_types(log_type),
        tuple(bridges),
        window,
        workers,
        rows,
        writes,
        clock,
        tuple(geoip),
        tuple(indicators),
        tuple(history),
        cold_start == "alert",
        _python(loaded, workers, without_isolation, tables) if allow_python else None,
    )
    with _files(output, quarantine_path) as (stream, kept), _bar(quiet) as progress:
        quarantine = Quarantine(kept)
        made = make_output(stream)
        summary = scan(paths, options, made, quarantine, progress)
        report = Report(loaded, rules, options, summary, quarantine)
        made.finish(report.info(stopwatch))
    for problem in [*summary.failed_files, *summary.skipped_files]:
        click.echo(f"not scanned: {printable(problem)}", err=True)
    if not quiet:
        report.print(stopwatch.seconds)
    if stats:
        report.print_costs()
    sys.exit(_status(summary, quarantine, loaded, limit, strict=strict, python=allow_python))


def _window(since: str | None, until: str | None) -> Window:
    window = Window(parse_moment("--since", since), parse_moment("--until", until))
    if window.since and window.until and window.since >= window.until:
        raise UsageError(f"--since {since} is not before --until {until}: no event can be between")
    return window


def _refuse_overwriting(paths: Sequence[Path], writes: Sequence[Path]) -> None:
    """Refuse to write over what is read, and to write two things to one file."""
    taken = {path.resolve() for path in paths if path != STDIN}
    for path in writes:
        if path.resolve() in taken:
            raise UsageError(f"{path}: would be written over; choose another file to write to")
        taken.add(path.resolve())


@dataclass(frozen=True, slots=True)
class _Chosen:
    """Which rules run."""

    least: Severity
    include_disabled: bool
    building_blocks: bool
    allow_python: bool

    def runs(self, rule: Rule) -> bool:
        """Say whether a rule runs."""
        enabled = rule.enabled or self.include_disabled
        shown = self.building_blocks or not rule.building_block
        can = bool(rule.inputs) and (self.allow_python or not rule.confirm)
        return can and enabled and shown and rule.severity.rank >= self.least.rank


def _python(
    loaded: RuleSet, workers: int, without_isolation: bool, tables: Mapping[str, Path]
) -> Python:
    known = {part.id for part in loaded.parts if part.kind == "lookup_table"}
    if unknown := [name for name in tables if name not in known]:
        names = ", ".join(sorted(known)) or "none"
        raise UsageError(f"--lookup {unknown[0]}: no lookup table of the rules; known: {names}")
    options = Options(workers=workers, isolated=not without_isolation)
    return Python(loaded.parts, options, tables)


def _table(text: str) -> tuple[str, Path]:
    """Read NAME=FILE."""
    name, _, path = text.partition("=")
    if not name or not path:
        raise UsageError(f"--lookup {text!r}: write NAME=FILE")
    return name, Path(path)


def _nothing_to_run(loaded: RuleSet) -> str:
    broken = [reason for rule in loaded.rules for reason in rule.reasons]
    if broken:
        return f"no rule can run; the first of {len(broken)} reasons: {broken[0]}"
    if loaded.skipped:
        first = loaded.skipped[0]
        return f"no rules were found; {first.path}: {first.reason}"
    if any(rule.confirm for rule in loaded.rules):
        return "no rule is left; --allow-python runs those that are Python"
    return "no rule is left; loosen --where, --severity, or add --include-disabled"


def _status(
    summary: ScanSummary,
    quarantine: Quarantine,
    loaded: RuleSet,
    limit: Severity | None,
    *,
    strict: bool,
    python: bool,
) -> int:
    if summary.failed_files or not summary.files:
        return UNREADABLE
    fired = [Severity(name).rank for name, count in summary.alerts.items() if count]
    if limit and any(rank >= limit.rank for rank in fired):
        return FIRED
    records = quarantine.count or summary.unidentified
    rules = any(
        rule.verdict is Verdict.CANNOT or (rule.confirm and not python) for rule in loaded.rules
    )
    rules = rules or bool(summary.asking.stopped)
    files = any(skipped.reason != NO_RULE for skipped in loaded.skipped)
    return LEFT_OUT if strict and (records or rules or files) else 0


@contextmanager
def _files(
    output: Path | None, quarantine: Path | None
) -> Iterator[tuple[BinaryIO, BinaryIO | None]]:
    with ExitStack() as opened:
        try:
            stream = opened.enter_context(output.open("wb")) if output else sys.stdout.buffer
            kept = opened.enter_context(quarantine.open("wb")) if quarantine else None
        except OSError as error:
            raise UsageError(f"{error.filename}: cannot be written: {error.strerror}") from None
        yield stream, kept
        stream.flush()


@contextmanager
def _bar(quiet: bool) -> Iterator[Progress | None]:
    if quiet:
        yield None
        return
    if not sys.stderr.isatty():
        yield _plain_progress()
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TimeRemainingColumn, TransferSpeedColumn
    from rich.progress import Progress as Bar

    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("scan", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _plain_progress(every: float = 10.0) -> Progress:
    last = time.monotonic()

    def show(done: int, total: int | None) -> None:
        nonlocal last
        if time.monotonic() - last >= every:
            last = time.monotonic()
            of = f" of {total / 1e6:,.0f}" if total else ""
            click.echo(f"scanned {done / 1e6:,.0f}{of} MB", err=True)

    return show
