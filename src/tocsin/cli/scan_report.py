"""What there is to say of a scan, under its results and in outputs."""

import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

import click

from tocsin import __version__
from tocsin.alerts.run import LeftOut, Pack, RunInfo
from tocsin.ids import digest
from tocsin.printable import printable
from tocsin.rules.model import Rule, RuleSet, Verdict
from tocsin.run.quarantine import Quarantine
from tocsin.run.scan import ScanOptions, ScanSummary


@dataclass(frozen=True, slots=True)
class Stopwatch:
    """When the run began, for people and for measuring."""

    started: datetime
    at: float

    @property
    def seconds(self) -> float:
        """Return for how long it has run."""
        return time.monotonic() - self.at


class Report:
    """The lines under the results: what was scanned, what was left out and why."""

    def __init__(
        self,
        loaded: RuleSet,
        rules: Sequence[Rule],
        options: ScanOptions,
        summary: ScanSummary,
        quarantine: Quarantine,
    ) -> None:
        self._loaded = loaded
        self._rules = rules
        self._options = options
        self._summary = summary
        self._quarantine = quarantine

    def info(self, stopwatch: Stopwatch) -> RunInfo:
        """Return what outputs may say of the run."""
        summary = self._summary
        return RunInfo(
            version=__version__,
            command=("tocsin", *sys.argv[1:]),
            started=stopwatch.started,
            seconds=stopwatch.seconds,
            packs=_packs(self._rules),
            files=summary.files,
            bytes=summary.bytes,
            events=dict(summary.events),
            left_out=(*self._left_out_files(), *self._left_out()),
        )

    def print(self, seconds: float) -> None:
        """Print the summary to standard error."""
        for line in self._lines(seconds):
            click.echo(printable(line), err=True)

    def _lines(self, seconds: float) -> Iterator[str]:
        summary = self._summary
        events = sum(summary.events.values())
        alerts = sum(summary.alerts.values())
        rate = summary.bytes / 1e6 / seconds if seconds else 0
        yield (
            f"{events:,} events in {summary.files:,} files, {len(self._rules):,} rules, "
            f"{alerts:,} alerts in {seconds:.1f} s ({rate:,.0f} MB/s)"
        )
        kinds = [f"{name} {count:,}" for name, count in sorted(summary.events.items())]
        if kinds:
            yield f"log types: {', '.join(kinds)}"
        for one in self._left_out():
            yield from _said(one)

    def _left_out_files(self) -> Iterator[LeftOut]:
        """Yield the files that were not scanned; they are named as they are met, not below."""
        for files, what in (
            (self._summary.failed_files, "files could not be scanned to their end"),
            (self._summary.skipped_files, "files were passed over"),
        ):
            if files:
                yield _left_out(f"{len(files):,} {what}", files)

    def _left_out(self) -> Iterator[LeftOut]:
        yield from self._left_out_events()
        yield from self._left_out_rules()

    def _left_out_events(self) -> Iterator[LeftOut]:
        summary, quarantine = self._summary, self._quarantine
        if summary.unidentified:
            yield LeftOut(
                f"{summary.unidentified:,} records are of no known log type; "
                "say what they are with --log-type (tocsin logs types lists them)"
            )
        if quarantine.count:
            yield LeftOut(
                f"{quarantine.count:,} records could not be read (--quarantine FILE keeps them)",
                tuple(
                    f"{quarantine.reasons[kind]:,} × {item.reason}, "
                    f"first at {item.source}:{item.line}"
                    for kind, item in quarantine.examples.items()
                ),
            )
        if summary.repaired:
            yield LeftOut(f"{summary.repaired:,} records were repaired to be read, and matched")
        if summary.undated:
            yield LeftOut(
                f"{summary.undated:,} alerts are of events without a time that can be read"
            )
        if summary.unzoned:
            yield LeftOut(
                f"{summary.unzoned:,} alerts have times without zone, read as "
                f"{self._options.clock.zone}; --tz says otherwise"
            )
        if summary.timeless:
            yield LeftOut(
                f"{summary.timeless:,} matches of rules that keep state have no time that can be "
                "read, and were left out"
            )
        if summary.without_indicators:
            yield LeftOut(
                f"{len(summary.without_indicators):,} indicator match rules left out: "
                "--indicators FILE gives them something to compare with"
            )
        for problem in summary.problems:
            yield LeftOut(f"indicators: {problem}")
        for rule, cold in summary.cold:
            yield LeftOut(
                f"{rule.name}: {cold.count:,} new with {cold.longest} or less: --history LOGS adds "
                "to it, --cold-start alert shows them"
            )
        if summary.outside:
            yield LeftOut(f"{summary.outside:,} matches are outside --since and --until")
        for text in summary.disagreements[:5]:
            yield LeftOut(f"internal error, please report: {text}")

    def _left_out_rules(self) -> Iterator[LeftOut]:
        broken = [rule for rule in self._loaded.rules if rule.verdict is Verdict.CANNOT]
        if broken:
            reasons = [rule.reasons[0] for rule in broken]
            yield _left_out(f"{len(broken):,} rules cannot run", reasons, "tocsin rules check")
        disabled = [rule for rule in self._loaded.rules if rule.inputs and not rule.enabled]
        if disabled and not any(not rule.enabled for rule in self._rules):
            counts = Counter(rule.status for rule in disabled)
            named = ", ".join(f"{count:,} {status}" for status, count in sorted(counts.items()))
            yield LeftOut(f"{len(disabled):,} rules left out: {named} (--include-disabled)")
        blocks = sum(rule.building_block for rule in self._loaded.rules if rule.inputs)
        if blocks and not any(rule.building_block for rule in self._rules):
            yield LeftOut(
                f"{blocks:,} building blocks, which are for other rules to read, left out "
                "(--building-blocks)"
            )
        many = [
            f"{rule.name}: {fired:,}, limit {rule.schedule.max_alerts:,}"
            for rule in self._rules
            if rule.schedule and (fired := self._summary.fired[rule.key]) > rule.schedule.max_alerts
        ]
        if many:
            yield _left_out(
                f"{len(many):,} rules raised more alerts than Elastic would write in one run, none "
                "is left out here",
                many,
            )
        python = [rule for rule in self._loaded.rules if rule.confirm]
        if python and not self._options.python:
            yield LeftOut(
                f"{len(python):,} rules are decided by their Python, which runs with --allow-python"
            )
        yield from self._python_errors()
        if self._loaded.skipped:
            first = self._loaded.skipped[0]
            count = len(self._loaded.skipped)
            yield LeftOut(
                f"{count:,} files were not taken as rules; first {first.path}: {first.reason}"
            )
        yield from self._unaddressed()

    def _python_errors(self) -> Iterator[LeftOut]:
        asking = self._summary.asking
        for problem in asking.problems:
            yield LeftOut(f"lookup table {problem}")
        for number, reason in sorted(asking.stopped.items()):
            yield LeftOut(f"{self._rules[number].name}: stopped: {reason}")
        for errors, what in (
            (asking.errors, "could not say whether an event matches"),
            (asking.faults, "could not say all of their alerts"),
        ):
            if errors:
                said = [
                    f"{self._rules[number].name}: {one.count:,} events; first: {one.first}"
                    for number, one in sorted(errors.items())
                ]
                yield _left_out(f"{len(errors):,} rules {what}", said)

    def print_costs(self) -> None:
        """Print what the Python of each rule cost, the dearest first, to standard error."""
        asking = self._summary.asking
        by_cost = sorted(asking.costs.items(), key=lambda one: -one[1].nanoseconds)
        total = sum(cost.nanoseconds for _, cost in by_cost)
        click.echo(f"{'seconds':>9} {'events':>9} {'µs each':>9} {'errors':>7}  rule", err=True)
        for number, cost in by_cost:
            errors = asking.errors.get(number)
            click.echo(
                f"{cost.nanoseconds / 1e9:9.3f} {cost.calls:9,} "
                f"{cost.nanoseconds / 1e3 / max(cost.calls, 1):9.1f} "
                f"{errors.count if errors else 0:7,}  {printable(self._rules[number].name)}",
                err=True,
            )
        click.echo(f"{total / 1e9:9.3f} in all", err=True)

    def _unaddressed(self) -> Iterator[LeftOut]:
        """Say so of log types that were met and that no rule is for."""
        from tocsin.engine.check import addressed

        by_name = {one.name: one for one in self._options.log_types}
        for name in sorted(self._summary.events):
            if not addressed(by_name[name], self._rules, self._options.bridges):
                yield LeftOut(f"no rule addresses {name}: add rules for it with -r")


_EXAMPLES = 5
"""Examples that are printed of what a command lists."""

_KEPT = 1000
"""Examples that are kept for outputs."""


def _left_out(what: str, examples: Sequence[str], command: str = "") -> LeftOut:
    return LeftOut(what, tuple(examples[:_KEPT]), max(len(examples) - _KEPT, 0), command)


def _said(one: LeftOut) -> Iterator[str]:
    """Yield the lines that say what was left out; few examples of what a command lists."""
    yield f"{one.what}:" if one.examples else one.what
    shown = one.examples[:_EXAMPLES] if one.command else one.examples
    yield from (f"  {example}" for example in shown)
    if more := len(one.examples) - len(shown) + one.more:
        yield f"  … {more:,} more: {one.command}" if one.command else f"  … {more:,} more"


def _packs(rules: Sequence[Rule]) -> tuple[Pack, ...]:
    """Return the packs of rules; a pack's digest is that of the sorted digests of its rules."""
    by_pack = groupby(sorted(rules, key=lambda rule: rule.pack), lambda rule: rule.pack)
    digests = {name: sorted(rule.digest for rule in of_it) for name, of_it in by_pack}
    return tuple(
        Pack(name, len(of_it), digest("\n".join(of_it))) for name, of_it in digests.items()
    )
