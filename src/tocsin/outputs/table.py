"""A table of what fired, by rule or another group: how bad, how often, when, who, from where."""

import os
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from typing import BinaryIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tocsin.alerts.model import Alert
from tocsin.alerts.run import RunInfo
from tocsin.outputs.groups import GROUPINGS
from tocsin.outputs.tally import Label, Tally
from tocsin.printable import printable
from tocsin.rules.model import Severity
from tocsin.times import format_time

BY_RULE = "rule"

MAX_GROUPS = 1000
"""Groups that are listed if they are not rules, the first that are met; the rest is counted."""

WIDE = 140
"""From this many columns on, entities have columns of their own."""

PLAIN_WIDTH = 160
"""Columns where the output is no terminal and the environment names no number."""

STYLES = {
    Severity.CRITICAL: "bold white on red",
    Severity.HIGH: "bold red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "cyan",
    Severity.INFORMATIONAL: "dim",
}


class TableOutput:
    """Collects a tally per group and prints one table at the end."""

    def __init__(
        self, stream: BinaryIO | None = None, width: int | None = None, group: str = BY_RULE
    ) -> None:
        self._stream = stream
        self._width = width
        self._group = group
        self._tallies: dict[str, Tally] = {}
        self._unlisted = 0

    def __reduce__(self) -> tuple[type["TableOutput"], tuple[None, None, str]]:
        """Go to a worker process without the stream; only the main process writes."""
        return TableOutput, (None, None, self._group)

    def part(self, alerts: Sequence[Alert]) -> dict[str, Tally]:
        """Tally the alerts of one block by group."""
        labels = GROUPINGS[self._group].labels
        tallies: dict[str, Tally] = {}
        for alert in alerts:
            for label in labels(alert):
                if label.key not in tallies:
                    tallies[label.key] = Tally(label)
                tallies[label.key].see(alert)
        return tallies

    def add(self, part: Mapping[str, Tally]) -> None:
        """Merge the tallies of a block."""
        for key, tally in part.items():
            if key not in self._tallies:
                if self._group != BY_RULE and len(self._tallies) >= MAX_GROUPS:
                    self._unlisted += tally.count
                    continue
                self._tallies[key] = Tally(tally.label)
            self._tallies[key].merge(tally)

    def finish(self, run: RunInfo) -> None:  # noqa: ARG002 - the table says nothing of the run
        """Print the table, worst first."""
        if not self._stream:
            return
        console = _console(self._stream, self._width)
        tallies = sorted(self._tallies.values(), key=_order)
        if not tallies:
            console.print("No alerts.")
        elif console.width >= WIDE:
            console.print(_table(tallies, self._group))
        else:
            for line in _compact(tallies, self._group, console):
                console.print(line, soft_wrap=True)
        if self._unlisted:
            title = GROUPINGS[self._group].title
            console.print(f"{self._unlisted:,} alerts more, of values of {title} not listed here.")
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


def _order(tally: Tally) -> tuple[str, int, int, str]:
    return tally.label.rank, -tally.severity.rank, -tally.count, tally.label.text


def _table(tallies: Sequence[Tally], group: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("severity", no_wrap=True)
    table.add_column("count", justify="right", no_wrap=True)
    table.add_column("first, last", no_wrap=True)
    table.add_column(GROUPINGS[group].title, min_width=40 if group == BY_RULE else 20)
    columns = _columns(group)
    for title in columns:
        table.add_column(title, overflow="fold")
    for tally in tallies:
        table.add_row(
            _severities(tally, group),
            Text(f"{tally.count:,}"),
            Text("\n".join(_times(tally))),
            _label(tally.label),
            *(Text("\n".join(names)) for names in _beside(tally, columns)),
        )
    return table


def _severities(tally: Tally, group: str) -> Text:
    """Return the severity of a rule; of other groups, how many alerts there are of each."""
    ranked = sorted(tally.severities, key=lambda one: -one.rank)
    if group in {BY_RULE, "severity"}:
        return Text(tally.severity.value, style=STYLES[tally.severity])
    counts = zip(tally.per_severity(), ranked, strict=True)
    return Text("\n").join(Text(text, style=STYLES[one]) for text, one in counts)


def _label(label: Label) -> Text:
    text = Text(printable(label.text))
    if label.note:
        text.append(f"\nby {printable(label.note)}", style="dim")
    return text


def _compact(tallies: Sequence[Tally], group: str, console: Console) -> Iterator[Text]:
    """Yield a few lines per group: what fired, then when, who, from where and on what, by whom."""
    wide = max(len(tally.severity.value) for tally in tallies)
    counts = max(len(f"{tally.count:,}") for tally in tallies)
    margin = Text(" " * (wide + counts + 4))
    room = max(console.width - len(margin), 20)
    for tally in tallies:
        head = Text(f"{tally.severity.value:{wide}}", style=STYLES[tally.severity])
        head = Text.assemble(head, f"  {tally.count:>{counts},}  ")
        for line in Text(printable(tally.label.text), style="bold").wrap(console, room):
            yield head + line
            head = margin
        for text in _below(tally, group, room):
            for line in Text(text).wrap(console, room):
                yield margin + line


def _below(tally: Tally, group: str, room: int) -> Iterator[str]:
    when = " – ".join(_times(tally))
    columns = [title for title in _columns(group) if title != "rules"]
    about = " · ".join(", ".join(names) for names in _beside(tally, columns) if names)
    if len(f"{when}  {about}") <= room:
        yield f"{when}  {about}"
    else:
        yield from (when, about)
    if tally.label.note:
        yield f"by {printable(tally.label.note)}"
    if group != BY_RULE:
        yield ", ".join(tally.per_severity())
        yield f"rules: {', '.join(tally.top_rules())}"


_BESIDE: Mapping[str, frozenset[str]] = {
    "rules": frozenset({BY_RULE}),
    "who": frozenset({"user", "application"}),
    "from": frozenset({"address"}),
    "on": frozenset({"resource", "host"}),
}
"""The columns beside a group, and the groups that they would say again."""


def _columns(group: str) -> list[str]:
    return [title for title, same in _BESIDE.items() if group not in same]


def _beside(tally: Tally, columns: Sequence[str]) -> list[list[str]]:
    """Return what stands beside a group: rules, who did it, from where, and on what."""
    actors = _present(tally, "user", "application")
    things = [*_present(tally, "resource", "host"), *actors[1:]]
    known = {
        "rules": tally.top_rules(),
        "who": _first(actors),
        "from": tally.top("address"),
        "on": _first(things),
    }
    return [known[title] for title in columns]


def _first(lists: list[list[str]]) -> list[str]:
    return lists[0] if lists else []


def _present(tally: Tally, *kinds: str) -> list[list[str]]:
    return [tally.top(kind) for kind in kinds if kind in tally.entities]


def _times(tally: Tally) -> list[str]:
    """Return the first and the last time, or the one that both are."""
    times = [format_time(time)[:19].replace("T", " ") for time in (tally.first, tally.last) if time]
    return list(dict.fromkeys(times)) or ["no time"]
