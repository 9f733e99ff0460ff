"""A tally: what the table says of the alerts of one group."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from tocsin.alerts.entities import short_name
from tocsin.alerts.model import Alert
from tocsin.condition.functions import fold
from tocsin.printable import printable
from tocsin.rules.model import Severity

MAX_ENTITIES = 1000
"""Distinct entities counted per group and type; those beyond are not listed anyway."""


@dataclass(frozen=True, slots=True)
class Label:
    """The name of a group: `key` tells it from others, `note` is said under it.

    Groups stand in the order of their `rank` first, then worst first.
    """

    key: str
    text: str
    note: str = ""
    rank: str = ""


@dataclass(slots=True)
class Tally:
    """What the table says of one group."""

    label: Label
    severities: Counter[Severity] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    first: datetime | None = None
    last: datetime | None = None
    entities: dict[str, Counter[str]] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """Return how many alerts there are."""
        return self.severities.total()

    @property
    def severity(self) -> Severity:
        """Return the worst severity there is."""
        return max(self.severities, key=lambda one: one.rank)

    def see(self, alert: Alert) -> None:
        """Count one alert."""
        self.severities[alert.severity] += 1
        self.rules[alert.rule.name] += 1
        if alert.time:
            self.first = min(self.first or alert.time, alert.time)
            self.last = max(self.last or alert.time, alert.time)
        for kind, value in _first_of_each_kind(alert.entities):
            self.entities.setdefault(kind, Counter())[value] += 1

    def merge(self, other: "Tally") -> None:
        """Add what the next part counted of the same group.

        The first `MAX_ENTITIES` of a type are kept, so the result depends on their order in the
        input alone, not on where it was cut into parts.
        """
        self.severities += other.severities
        self.rules += other.rules
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
        return _cut([most_frequent(counter) for _, counter in ranked], most)

    def top_rules(self, most: int = 2) -> list[str]:
        """Return the names of the rules with most alerts, and how many more there are."""
        ranked = sorted(self.rules.items(), key=lambda item: (-item[1], item[0]))
        return _cut([printable(name) for name, _ in ranked], most)

    def per_severity(self) -> list[str]:
        """Return how many alerts there are of each severity, worst first."""
        ranked = sorted(self.severities.items(), key=lambda item: -item[0].rank)
        return [f"{count:,} {severity.value}" for severity, count in ranked]


def _cut(names: list[str], most: int) -> list[str]:
    kept = names[:most]
    if more := len(names) - len(kept):
        kept[-1] += f" +{more}"
    return kept


def most_frequent(counter: Counter[str]) -> str:
    """Return the most frequent spelling; of several, the one with the fewest capitals."""
    return min(counter, key=lambda name: (-counter[name], name.swapcase()))


def _first_of_each_kind(entities: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    first: dict[str, str] = {}
    for kind, value in entities:
        first.setdefault(kind, value)
    yield from first.items()
