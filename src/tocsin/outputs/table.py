"""A table of rules that fired: how bad, how often, when, who, from where, on what."""

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from io import StringIO
from typing import BinaryIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tocsin.alerts.model import Alert
from tocsin.condition.functions import fold
from tocsin.printable import printable
from tocsin.rules.model import Severity
from tocsin.times import format_time

MAX_ENTITIES = 1000
"""Distinct entities counted per rule and type; those beyond are not listed anyway."""

WIDE = 140
"""From this many columns on, entities have columns of their own."""

PLAIN_WIDTH = 160
"""Columns where the output is no terminal and the environment names no number."""

LONGEST_VALUE = 60
"""A longer value is cut: it is in the alert."""

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
            self.entities.setdefault(kind, Counter())[value] += 1

    def merge(self, other: "Tally") -> None:
        """Add what the next part counted of the same rule.

        The first `MAX_ENTITIES` of a type are kept, so the result depends on their order in the
        input alone, not on where it was cut into parts.
        """
        self.count += other.count
        firsts = [time for time in (self.first, other.first) if time]
        lasts = [time for time in (self.last, other.last) if time]
        self.first, self.last = min(firsts, default=None), max(lasts, default=None)
        for kind, counts in other.entities.items():
            counter = self.entities.setdefault(kind, Counter())
            for value, count in counts.items():
                if value in counter or len(counter) < MAX_ENTITIES:
                    counter[value] += count

    def top(self, kind: str, most: int = 2) -> list[str]:
        """Return the most frequent entities of a type, and how many more there are.

        Names that differ in case alone are one; its most frequent spelling is shown.
        """
        spellings: dict[str, Counter[str]] = {}
        for value, count in self.entities.get(kind, Counter()).items():
            shown = short_name(value)
            spellings.setdefault(fold(shown), Counter())[shown] += count
        ranked = sorted(spellings.items(), key=lambda item: (-item[1].total(), item[0]))
        names = [_most_frequent(counter) for _, counter in ranked[:most]]
        if more := len(ranked[most:]):
            names[-1] += f" +{more}"
        return names


def _most_frequent(counter: Counter[str]) -> str:
    """Return the most frequent spelling; of several, the one with the fewest capitals."""
    return min(counter, key=lambda name: (-counter[name], name.swapcase()))


_AZURE_RESOURCE = re.compile(r"/subscriptions/.*?/providers/[^/]+/[^/]+/([^/]+)", re.IGNORECASE)


def short_name(value: str) -> str:
    """Shorten the path of a resource to its name, that of an Azure sub-resource to its parent's."""
    if value.startswith("/"):
        found = _AZURE_RESOURCE.match(value)
        value = found[1] if found else value.rstrip("/").rsplit("/", 1)[-1] or value
    text = printable(value)
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"


class TableOutput:
    """Collects a tally per rule and prints one table at the end."""

    def __init__(self, stream: BinaryIO | None = None, width: int | None = None) -> None:
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
            whole = self._tallies.setdefault(key, Tally(tally.name, tally.severity, tally.author))
            whole.merge(tally)

    def finish(self) -> None:
        """Print the table, worst first."""
        if not self._stream:
            return
        console = _console(self._stream, self._width)
        tallies = sorted(self._tallies.values(), key=_order)
        if not tallies:
            console.print("No alerts.")
        elif console.width >= WIDE:
            console.print(_table(tallies))
        else:
            for line in _compact(tallies, console):
                console.print(line, soft_wrap=True)
        assert isinstance(console.file, StringIO)
        lines = console.file.getvalue().splitlines()
        self._stream.write("".join(f"{line.rstrip()}\n" for line in lines).encode())
        self._stream.flush()


def _console(stream: BinaryIO, width: int | None) -> Console:
    """Make a console for text that goes to a stream: its colours, and its width or the user's."""
    terminal = stream.isatty()
    if width is None and not terminal and not os.environ.get("COLUMNS", "").isdigit():
        width = PLAIN_WIDTH
    return Console(file=StringIO(), force_terminal=terminal, width=width, highlight=False)


def _order(tally: Tally) -> tuple[int, int, str]:
    return -tally.severity.rank, -tally.count, tally.name


def _first_of_each_kind(entities: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    first: dict[str, str] = {}
    for kind, value in entities:
        first.setdefault(kind, value)
    return first.items()


def _table(tallies: Sequence[Tally]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("severity", no_wrap=True)
    table.add_column("count", justify="right", no_wrap=True)
    table.add_column("first, last", no_wrap=True)
    table.add_column("rule", min_width=40)
    for title in ("who", "from", "on"):
        table.add_column(title, overflow="fold")
    for tally in tallies:
        rule = Text(printable(tally.name))
        if tally.author:
            rule.append(f"\nby {printable(tally.author)}", style="dim")
        table.add_row(
            Text(tally.severity.value, style=STYLES[tally.severity]),
            Text(f"{tally.count:,}"),
            Text("\n".join(_times(tally))),
            rule,
            *(Text("\n".join(names)) for names in _entities(tally)),
        )
    return table


def _compact(tallies: Sequence[Tally], console: Console) -> Iterator[Text]:
    """Yield a few lines per rule: what fired, then when, who, from where and on what, by whom."""
    wide = max(len(tally.severity.value) for tally in tallies)
    counts = max(len(f"{tally.count:,}") for tally in tallies)
    margin = Text(" " * (wide + counts + 4))
    room = max(console.width - len(margin), 20)
    for tally in tallies:
        head = Text(f"{tally.severity.value:{wide}}", style=STYLES[tally.severity])
        head = Text.assemble(head, f"  {tally.count:>{counts},}  ")
        for line in Text(printable(tally.name), style="bold").wrap(console, room):
            yield head + line
            head = margin
        for text in _below(tally, room):
            for line in Text(text).wrap(console, room):
                yield margin + line


def _below(tally: Tally, room: int) -> Iterator[str]:
    when = " – ".join(_times(tally))
    about = " · ".join(", ".join(names) for names in _entities(tally) if names)
    if len(f"{when}  {about}") <= room:
        yield f"{when}  {about}"
    else:
        yield from (when, about)
    if tally.author:
        yield f"by {printable(tally.author)}"


def _entities(tally: Tally) -> tuple[list[str], list[str], list[str]]:
    """Return who did it, from where, and on what."""
    actors = _present(tally, "user", "application")
    things = [*_present(tally, "resource", "host"), *actors[1:]]
    return _first(actors), tally.top("address"), _first(things)


def _first(lists: list[list[str]]) -> list[str]:
    return lists[0] if lists else []


def _present(tally: Tally, *kinds: str) -> list[list[str]]:
    return [tally.top(kind) for kind in kinds if kind in tally.entities]


def _times(tally: Tally) -> list[str]:
    """Return the first and the last time, or the one that both are."""
    times = [format_time(time)[:19].replace("T", " ") for time in (tally.first, tally.last) if time]
    return list(dict.fromkeys(times)) or ["no time"]
