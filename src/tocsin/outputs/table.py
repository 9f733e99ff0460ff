"""A table of rules that fired: how bad, how often, when, who, from where, on what."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
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
        for kind, value in _first_of_each_kind(alert.entities):
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
        shown = ", ".join(_last_segment(value) for value, _ in ranked[:most])
        more = len(ranked) - most
        return f"{shown} +{more}" if more > 0 else shown


def _last_segment(value: str) -> str:
    """Shorten a resource id to its last name."""
    return value.rstrip("/").rsplit("/", 1)[-1] if value.startswith("/") else value


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
        wide = width >= WIDE
        table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
        table.add_column("severity", no_wrap=True)
        table.add_column("count", justify="right", no_wrap=True)
        table.add_column("first", no_wrap=True)
        table.add_column("last", no_wrap=True)
        table.add_column("rule", overflow="fold", ratio=2 if wide else None)
        for title in ("who", "from", "on") if wide else ():
            table.add_column(title, overflow="fold", ratio=1)
        for tally in sorted(self._tallies.values(), key=_order):
            table.add_row(
                Text(tally.severity.value, style=STYLES[tally.severity]),
                f"{tally.count:,}",
                _short(tally.first),
                _short(tally.last),
                _rule(tally, with_entities=not wide),
                *(map(escape, _entities(tally)) if wide else ()),
            )
        return table


WIDE = 150
"""From this many columns on, entities have columns of their own."""


def _order(tally: Tally) -> tuple[int, int, str]:
    return -tally.severity.rank, -tally.count, tally.name


def _first_of_each_kind(entities: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    first: dict[str, str] = {}
    for kind, value in entities:
        first.setdefault(kind, value)
    return first.items()


def _rule(tally: Tally, *, with_entities: bool) -> Text:
    text = Text(tally.name)
    if with_entities:
        for title, value in zip(("who", "from", "on"), _entities(tally), strict=True):
            if value:
                text.append(f"\n{title} ", style="dim").append(value)
    if tally.author:
        text.append(f"\nby {tally.author}", style="dim")
    return text


def _entities(tally: Tally) -> tuple[str, str, str]:
    """Return who did it, from where, and on what."""
    kinds = [kind for kind in ("resource", "host", "application") if kind in tally.entities]
    who = tally.top("user") or tally.top("application")
    return who, tally.top("address"), tally.top(kinds[0]) if kinds else ""


def _short(time: datetime | None) -> str:
    return "no time" if time is None else format_time(time)[:19].replace("T", " ")
