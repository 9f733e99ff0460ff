"""What a report keeps of alerts while they come: counts of all, and a bounded number of events.

What is kept depends on the order of the alerts in the input, never on how it was cut into parts: of
everything that is bounded, the first are kept, and bounds only ever get tighter.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import blake2b
from typing import NamedTuple

import orjson

from tocsin.alerts.entities import name_of
from tocsin.alerts.model import Alert, Evidence, asked, plain
from tocsin.condition.functions import fold
from tocsin.pages.timeline import Timeline
from tocsin.rules.model import Rule, Severity

MAX_PER_RULE = 1000
"""Events that are shown of one rule."""

MAX_EVENTS = 20_000
"""Events that are shown in all; where there are more, every rule has the same share of them."""

MAX_RECORDS = 2000
"""Events that are shown with their whole record, shared out likewise."""

RECORD_LENGTH = 4096
"""Characters of a record that are shown."""

MAX_FOLLOWED = 5000
"""Entities of a type that are followed; of those beyond it is known how many there are."""

MAX_DISTINCT = 100_000
"""Entities of a type that are counted; beyond there are "more than" so many."""

MAX_NAMES = 1000
"""Entities of a type that are counted per rule, and files that alerts are counted for."""

MAX_VALUES = 10
"""Values that are kept of one entity, such as a resource and its parts."""

LONGEST_TEXT = 400

Key = tuple[str, str]
"""The type and folded value of an entity."""


class Held(NamedTuple):
    """A predicate that held, in words, and the value that was found.

    A tuple, as `Shown`: there are many of them, and pickles of dataclasses are slow.
    """

    field: str
    asked: str
    found: str


class Shown(NamedTuple):
    """An event of an alert as a report shows it."""

    alert: str
    event: str
    time: datetime | None
    log_type: str
    source: str
    line: int
    entities: tuple[Key, ...]
    """Types and values."""
    held: tuple[Held, ...]
    context: tuple[tuple[str, str], ...]
    length: int
    """Of the whole record."""


@dataclass(slots=True)
class Span:
    """How many alerts, and from when to when."""

    count: int = 0
    first: datetime | None = None
    last: datetime | None = None

    def see(self, time: datetime | None) -> None:
        """Count one alert."""
        self.count += 1
        self._stretch(time, time)

    def merge(self, other: "Span") -> None:
        """Add another span."""
        self.count += other.count
        self._stretch(other.first, other.last)

    def _stretch(self, first: datetime | None, last: datetime | None) -> None:
        if first and (self.first is None or first < self.first):
            self.first = first
        if last and (self.last is None or last > self.last):
            self.last = last


@dataclass(slots=True)
class RuleTally:
    """What is kept of one rule; `records` are those of the first of its `events`."""

    rule: Rule
    span: Span = field(default_factory=Span)
    log_types: Counter[str] = field(default_factory=Counter)
    entities: dict[Key, int] = field(default_factory=dict)
    kinds: Counter[str] = field(default_factory=Counter)
    """How many distinct entities of each type are counted."""
    events: list[Shown] = field(default_factory=list)
    records: list[str] = field(default_factory=list)

    def meet(self, key: Key, count: int) -> None:
        """Count an entity that the rule's alerts name."""
        if key not in self.entities:
            if self.kinds[key[0]] >= MAX_NAMES:
                return
            self.kinds[key[0]] += 1
        self.entities[key] = self.entities.get(key, 0) + count

    def trim(self, events: int, records: int) -> None:
        """Keep so many events and records."""
        del self.events[events:], self.records[records:]


@dataclass(slots=True)
class EntityTally:
    """What is kept of one entity; `values` are the first ones that are found for it."""

    kind: str
    values: dict[str, None] = field(default_factory=dict)
    span: Span = field(default_factory=Span)
    severities: Counter[Severity] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    """Alerts by the key of their rule."""

    def merge(self, other: "EntityTally") -> None:
        """Add what another part counted."""
        for value in other.values:
            if len(self.values) < MAX_VALUES:
                self.values[value] = None
        self.span.merge(other.span)
        self.severities.update(other.severities)
        self.rules.update(other.rules)


@dataclass(slots=True)
class Collected:
    """What is kept of a part of the input, or of all of it."""

    rules: dict[str, RuleTally] = field(default_factory=dict)
    entities: dict[Key, EntityTally] = field(default_factory=dict)
    followed: Counter[str] = field(default_factory=Counter)
    distinct: dict[str, set[int]] = field(default_factory=dict)
    """Hashes of the entities of each type."""
    timeline: Timeline = field(default_factory=Timeline)
    sources: Counter[str] = field(default_factory=Counter)
    limits: tuple[int, int] = (MAX_PER_RULE, MAX_PER_RULE)
    """How many events and records of a rule are kept."""

    def merge(self, part: "Collected") -> None:
        """Add the next part."""
        for rule in part.rules.values():
            self._merge_rule(rule)
        for key, entity in part.entities.items():
            if self.follows(key):
                self._entity(key).merge(entity)
        for kind, found in part.distinct.items():
            self._count_distinct(kind, found)
        for source, count in part.sources.items():
            if source in self.sources or len(self.sources) < MAX_NAMES:
                self.sources[source] += count
        self.timeline.merge(part.timeline)
        self.trim()

    def follows(self, key: Key) -> bool:
        """Say whether an entity is followed, or has room to be."""
        return key in self.entities or self.followed[key[0]] < MAX_FOLLOWED

    def trim(self) -> None:
        """Keep no more events and records than there is room for."""
        counts = [tally.span.count for tally in self.rules.values()]
        events = share(counts, MAX_EVENTS, MAX_PER_RULE)
        limits = (events, min(events, share(counts, MAX_RECORDS, MAX_PER_RULE)))
        if limits != self.limits:
            self.limits = limits
            for tally in self.rules.values():
                tally.trim(*limits)

    def _merge_rule(self, other: RuleTally) -> None:
        tally = self.rules.setdefault(other.rule.key, RuleTally(other.rule))
        tally.span.merge(other.span)
        tally.log_types.update(other.log_types)
        for key, count in other.entities.items():
            tally.meet(key, count)
        room = self.limits[1] if len(tally.records) == len(tally.events) else 0
        tally.records += other.records[: max(room - len(tally.records), 0)]
        tally.events += other.events[: max(self.limits[0] - len(tally.events), 0)]

    def _entity(self, key: Key) -> EntityTally:
        if key not in self.entities:
            self.followed[key[0]] += 1
            self.entities[key] = EntityTally(key[0])
        return self.entities[key]

    def _count_distinct(self, kind: str, found: set[int]) -> None:
        mine = self.distinct.setdefault(kind, set())
        if len(mine) <= MAX_DISTINCT:
            mine |= found

    def see(self, alert: Alert) -> None:
        """Take one alert of a part; nothing is left out before parts are merged."""
        rule, time = alert.rule, alert.time
        tally = self.rules.get(rule.key)
        if tally is None:
            tally = self.rules[rule.key] = RuleTally(replace(rule, inputs=()))
        tally.span.see(time)
        self.timeline.see(time, rule.severity)
        event = alert.event
        tally.log_types[event.log_type] += 1
        self.sources[event.source] += 1
        for key, value in entity_keys(alert.entities).items():
            tally.entities[key] = tally.entities.get(key, 0) + 1
            self._see_entity(key, value, alert)
        if len(tally.events) < MAX_PER_RULE:
            tally.events.append(_shown(alert))
            tally.records.append(event.raw[:RECORD_LENGTH])

    def _see_entity(self, key: Key, value: str, alert: Alert) -> None:
        entity = self._entity(key)
        entity.values[value] = None
        entity.span.see(alert.time)
        entity.severities[alert.severity] += 1
        entity.rules[alert.rule.key] += 1
        self.distinct.setdefault(key[0], set()).add(_number(key[1]))


def collect(alerts: Iterable[Alert]) -> Collected:
    """Collect the alerts of one block."""
    collected = Collected()
    for alert in alerts:
        collected.see(alert)
    collected.trim()
    return collected


def share(counts: Sequence[int], room: int, most: int) -> int:
    """Return how many each may keep, at most `most`, so that all together keep `room` at most.

    Who has fewer leaves room to the others; everyone keeps one.
    """
    ordered = sorted(min(count, most) for count in counts)
    for at, count in enumerate(ordered):
        each = room // (len(ordered) - at)
        if count > each:
            return max(each, 1)
        room -= count
    return most


def entity_keys(entities: Iterable[tuple[str, str]]) -> dict[Key, str]:
    """Return the values of entities by their keys.

    Names that differ in case alone are one; so are an Azure resource, its parts, and its name.
    """
    keys: dict[Key, str] = {}
    for kind, value in entities:
        keys.setdefault((kind, fold(name_of(value))), value)
    return keys


def _number(text: str) -> int:
    """Return a number for a text, the same in every process."""
    digest = blake2b(text.encode(errors="surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big")


def _shown(alert: Alert) -> Shown:
    event = alert.event
    return Shown(
        alert=alert.id,
        event=event.id,
        time=event.time,
        log_type=event.log_type,
        source=event.source,
        line=event.line,
        entities=tuple((kind, value) for (kind, _), value in entity_keys(alert.entities).items()),
        held=tuple(map(_held, alert.matched)),
        context=tuple(alert.notes()),
        length=len(event.raw),
    )


def _held(evidence: Evidence) -> Held:
    found = plain(evidence.found)
    text = found if isinstance(found, str) else orjson.dumps(found).decode()
    return Held(_short(evidence.field), _short(asked(evidence)), _short(text))


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"
