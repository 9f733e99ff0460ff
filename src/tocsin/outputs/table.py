"""A table of rules that fired: how bad, how often, when, who, from where, on what."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TextIO

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from tocsin.alerts.model import Alert
from tocsin.rules.model import Severity
from tocsin.times import format_time

MAX_ENTITIES = 1000
"""Distinct entities counted per rule and type; those beyond are not listed anyway."""

STYLES = {
    Severity.CRITICAL: "bold white on red",
    Severity.HIGH: "bold red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "cyan",
    Severity.INFORMATIONAL: "dim",
}


@dataclass(slots=True)
class Tally:
    """What the table says of one rule."""

    name: str
    severity: Severity
    author: str
    count: int = 0
    first: datetime | None = None
    last: datetime | None = None
    entities: dict[str, Counter[str]] = field(default_factory=dict)

    def see(self, alert: Alert) -> None:
        """Count one alert."""
        self.count += 1
        if alert.time:
            self.first = min(self.first or alert.time, alert.time)
            self.last = max(self.last or alert.time, alert.time)
        for kind, value in alert.entities:
            self._count(kind, value, 1)

    def merge(self, other: "Tally") -> None:
        """Add what another part counted of the same rule."""
        self.count += other.count
        firsts = [time for time in (self.first, other.first) if time]
        lasts = [time for time in (self.last, other.last) if time]
        self.first, self.last = min(firsts, default=None), max(lasts, default=None)
        for kind, counts in other.entities.items():
            for value, count in counts.items():
                self._count(kind, value, count)

    def _count(self, kind: str, value: str, count: int) -> None:
        counter = self.entities.setdefault(kind, Counter())
        if value in counter or len(counter) < MAX_ENTITIES:
            counter[value] += count

    def top(self, kind: str, most: int = 2) -> str:
        """Return the most frequent entities of a type, and how many more there are."""
        counter = self.entities.get(kind, Counter())
        ranked = sorted(counter.items(), key=lambda item: (-item[1], item[0]))
        shown = ", ".join(value for value, _ in ranked[:most])
        more = len(ranked) - most
        return f"{shown} +{more}" if more > 0 else shown


class TableOutput:
    """Collects a tally per rule and prints one table at the end."""

    def __init__(self, stream: TextIO | None = None, width: int | None = None) -> None:
        self._stream = stream
        self._width = width
        self._tallies: dict[str, Tally] = {}

    def __reduce__(self) -> tuple[type["TableOutput"], tuple[()]]:
        """Go to a worker process without the stream; only the main process writes."""
        return TableOutput, ()

    def part(self, alerts: Sequence[Alert]) -> dict[str, Tally]:
        """Tally the alerts of one block by rule."""
        tallies: dict[str, Tally] = {}
        for alert in alerts:
            rule = alert.rule
            if rule.key not in tallies:
                tallies[rule.key] = Tally(rule.name, rule.severity, ", ".join(rule.author))
            tallies[rule.key].see(alert)
        return tallies

    def add(self, part: Mapping[str, Tally]) -> None:
        """Merge the tallies of a block."""
        for key, tally in part.items():
            if key in self._tallies:
                self._tallies[key].merge(tally)
            else:
                self._tallies[key] = tally

    def finish(self) -> None:
        """Print the table, worst first."""
        if not self._stream:
            return
        console = Console(file=self._stream, width=self._width, highlight=False)
        if not self._tallies:
            console.print("No alerts.")
            return
        console.print(self._table(console.width))

    def _table(self, width: int) -> Table:
        wide = width >= 110
        table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
        table.add_column("severity", no_wrap=True)
        table.add_column("rule", ratio=3, overflow="fold")
        table.add_column("count", justify="right", no_wrap=True)
        table.add_column("first", no_wrap=True)
        table.add_column("last", no_wrap=True)
        for title in ("who", "from", "on") if wide else ("who, from, on",):
            table.add_column(title, ratio=2, overflow="fold")
        order = sorted(
            self._tallies.items(),
            key=lambda item: (-item[1].severity.rank, -item[1].count, item[1].name, item[0]),
        )
        for _, tally in order:
            who, where, what = _entities(tally)
            shown = (who, where, what) if wide else (" · ".join(filter(None, (who, where, what))),)
            table.add_row(
                Text(tally.severity.value, style=STYLES[tally.severity]),
                _rule(tally),
                str(tally.count),
                _short(tally.first),
                _short(tally.last),
                *map(escape, shown),
            )
        return table


def _rule(tally: Tally) -> Text:
    text = Text(tally.name)
    if tally.author:
        text.append(f"\nby {tally.author}", style="dim")
    return text


def _entities(tally: Tally) -> tuple[str, str, str]:
    kinds = [kind for kind in ("resource", "host", "application") if kind in tally.entities]
    who = tally.top("user") or tally.top("application")
    what = tally.top(kinds[0]) if kinds else ""
    return who, tally.top("address"), what


def _short(time: datetime | None) -> str:
    return "no time" if time is None else format_time(time)[:19].replace("T", " ")
