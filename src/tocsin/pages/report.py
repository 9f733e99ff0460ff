"""The report of a scan: what its page shows, in the order in which it shows it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from tocsin.alerts.attack import attack_names, attack_places
from tocsin.alerts.entities import cut, name_of
from tocsin.alerts.run import RunInfo
from tocsin.condition.functions import fold
from tocsin.content.attack import Name, load_attack
from tocsin.pages.chart import STACKED, Chart, draw
from tocsin.pages.collect import (
    MAX_DISTINCT,
    MAX_FOLLOWED,
    RECORD_LENGTH,
    Collected,
    EntityTally,
    Key,
    RuleTally,
    Shown,
    Span,
)
from tocsin.rules.model import Rule, Severity

MAX_ENTITIES = 100
"""Entities of a type that are shown."""

MAX_EVENTS_OF_ENTITY = 20
"""Links from an entity to events."""

MAX_TOP = 5
"""Entities of a type that are shown of a rule."""

MAX_NAMED = 3
"""Entities that an event or a rule is told by in one line, of the first types."""

LONGEST_NAME = 160
"""Characters of an entity's name that are shown in lists; its section shows all."""

MAX_SOURCES = 50

KINDS: Mapping[str, str] = {
    "user": "Users",
    "host": "Hosts",
    "address": "Addresses",
    "resource": "Resources",
    "application": "Applications",
    "tenant": "Tenants",
}
"""Types of entities and what they are called, in order; others follow under their own name."""


@dataclass(frozen=True, slots=True)
class Link:
    """A name, the section of the page that is about it, if there is one, and a count."""

    name: str
    anchor: str = ""
    count: int = 0
    title: str = ""


@dataclass(frozen=True, slots=True)
class EventView:
    """An event of a rule; `record` is its JSON, as much of it as is shown."""

    anchor: str
    shown: Shown
    entities: tuple[Link, ...]
    """In the order of their types."""
    record: str

    @property
    def who(self) -> tuple[Link, ...]:
        """Return the first entities, by which the event is told in one line."""
        return self.entities[:MAX_NAMED]

    @property
    def is_cut(self) -> bool:
        """Say whether the record is longer than what is shown of it."""
        return self.shown.length > RECORD_LENGTH


@dataclass(frozen=True, slots=True)
class RuleView:
    """A rule that fired."""

    anchor: str
    rule: Rule
    span: Span
    attack: tuple[Name, ...]
    log_types: tuple[Link, ...]
    top: tuple[tuple[str, tuple[Link, ...]], ...]
    """The most frequent entities of each type."""
    events: tuple[EventView, ...]
    """In the order of their times."""

    @property
    def more(self) -> int:
        """Return how many events are not shown."""
        return self.span.count - len(self.events)

    @property
    def who(self) -> tuple[Link, ...]:
        """Return the most frequent entity of each of the first types."""
        return tuple(links[0] for _, links in self.top[:MAX_NAMED])


@dataclass(frozen=True, slots=True)
class EntityView:
    """Something that alerts name, and the rules and events that name it."""

    anchor: str
    name: str
    values: tuple[str, ...]
    span: Span
    severities: tuple[tuple[Severity, int], ...]
    rules: tuple[Link, ...]
    events: tuple[Link, ...]

    @property
    def worst(self) -> Severity:
        """Return the severity of its worst alert."""
        return self.severities[0][0]


@dataclass(frozen=True, slots=True)
class KindView:
    """The entities of one type, worst and most frequent first."""

    anchor: str
    title: str
    total: str
    shown: tuple[EntityView, ...]
    more: bool
    first_only: int
    """How many were followed, if that is not all of them."""


@dataclass(frozen=True, slots=True)
class TechniqueView:
    """A technique in the matrix, or alerts of its tactic without one."""

    technique: Name | None
    count: int
    worst: Severity
    rules: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class TacticView:
    """A tactic in the matrix; None for techniques of which no tactic is known."""

    tactic: Name | None
    count: int
    techniques: tuple[TechniqueView, ...]


@dataclass(frozen=True, slots=True)
class AuthorView:
    """Whose rules fired, under which licences."""

    name: str
    licenses: tuple[str, ...]
    rules: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """All that the page shows."""

    run: RunInfo
    span: Span
    severities: tuple[tuple[Severity, int, int], ...]
    """Alerts and rules of each severity, worst first."""
    chart: Chart
    rules: tuple[RuleView, ...]
    kinds: tuple[KindView, ...]
    tactics: tuple[TacticView, ...]
    attack_version: str
    authors: tuple[AuthorView, ...]
    sources: tuple[Link, ...]
    more_sources: int

    @property
    def events(self) -> int:
        """Return how many events were scanned."""
        return sum(self.run.events.values())


def make_report(collected: Collected, run: RunInfo) -> Report:
    """Make the report of what was collected in a run."""
    makers = _Makers(collected)
    span = Span()
    for tally in makers.ranked:
        span.merge(tally.span)
    return Report(
        run=run,
        span=span,
        severities=tuple(_severities(makers.ranked)),
        chart=draw(collected.timeline),
        rules=makers.rules(),
        kinds=makers.kinds(),
        tactics=makers.tactics(),
        attack_version=load_attack().version,
        authors=makers.authors(),
        sources=tuple(
            Link(name, count=count) for name, count in _most(collected.sources)[:MAX_SOURCES]
        ),
        more_sources=max(len(collected.sources) - MAX_SOURCES, 0),
    )


def _severities(tallies: Sequence[RuleTally]) -> Iterator[tuple[Severity, int, int]]:
    for severity in STACKED:
        of_it = [tally for tally in tallies if tally.rule.severity is severity]
        yield severity, sum(tally.span.count for tally in of_it), len(of_it)


def _worst_first(tally: RuleTally) -> tuple[int, int, str, str]:
    rule = tally.rule
    return -rule.severity.rank, -tally.span.count, rule.name, rule.key


def _most(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


@dataclass(slots=True)
class _Place:
    """What is gathered for one cell of the matrix."""

    count: int = 0
    rules: list[RuleTally] = field(default_factory=list)


class _Makers:
    """Makes the parts of a report; rules and entities know each other's sections."""

    def __init__(self, collected: Collected) -> None:
        self.ranked = sorted(collected.rules.values(), key=_worst_first)
        self._collected = collected
        self._rule_links = {
            tally.rule.key: Link(tally.rule.name, f"rule-{number}")
            for number, tally in enumerate(self.ranked, 1)
        }
        self._order = {kind: at for at, kind in enumerate(KINDS)}
        self._shown = {kind: self._rank(kind) for kind in self._kinds()}
        self._entity_links = {
            key: Link(_named(entity), f"entity-{_slug(kind)}-{number}", title=_first(entity))
            for kind, ranked in self._shown.items()
            for number, (key, entity) in enumerate(ranked[:MAX_ENTITIES], 1)
        }
        self._events_of: dict[Key, list[Link]] = {}

    def _kinds(self) -> list[str]:
        found = {kind for kind, _ in self._collected.entities}
        return [*(kind for kind in KINDS if kind in found), *sorted(found - set(KINDS))]

    def _rank(self, kind: str) -> list[tuple[Key, EntityTally]]:
        own = [(key, one) for key, one in self._collected.entities.items() if key[0] == kind]
        return sorted(
            own,
            key=lambda item: (
                -max(one.rank for one in item[1].severities),
                -item[1].span.count,
                item[0],
            ),
        )

    def rules(self) -> tuple[RuleView, ...]:
        """Return the rules that fired, worst first."""
        return tuple(map(self._rule, self.ranked))

    def _rule(self, tally: RuleTally) -> RuleView:
        anchor = self._rule_links[tally.rule.key].anchor
        return RuleView(
            anchor=anchor,
            rule=tally.rule,
            span=tally.span,
            attack=tuple(attack_names(tally.rule.attack)),
            log_types=tuple(Link(name, count=count) for name, count in _most(tally.log_types)),
            top=tuple(self._top(tally)),
            events=tuple(self._events(tally, anchor)),
        )

    def _top(self, tally: RuleTally) -> Iterator[tuple[str, tuple[Link, ...]]]:
        ranked = sorted(tally.entities.items(), key=lambda item: (-item[1], item[0]))
        for kind in self._shown:
            of_kind = [(key, count) for key, count in ranked if key[0] == kind][:MAX_TOP]
            if of_kind:
                yield (
                    KINDS.get(kind, kind),
                    tuple(self._entity_link(key, key[1], count) for key, count in of_kind),
                )

    def _entity_link(self, key: Key, value: str, count: int = 0) -> Link:
        link = self._entity_links.get(key)
        if link:
            return Link(link.name, link.anchor, count, link.title)
        known = self._collected.entities.get(key)
        return Link(_named(known) if known else cut(name_of(value), LONGEST_NAME), "", count, value)

    def _events(self, tally: RuleTally, anchor: str) -> Iterator[EventView]:
        for number, at in enumerate(sorted(range(len(tally.events)), key=_when(tally.events)), 1):
            shown = tally.events[at]
            place = f"{anchor}-event-{number}"
            entities = sorted(shown.entities, key=lambda one: self._order.get(one[0], len(KINDS)))
            keys = [(kind, fold(name_of(value))) for kind, value in entities]
            self._point(keys, Link(tally.rule.name, place, title=_minute(shown.time)))
            yield EventView(
                anchor=place,
                shown=shown,
                entities=tuple(
                    self._entity_link(key, value)
                    for key, (_, value) in zip(keys, entities, strict=True)
                ),
                record=tally.records[at] if at < len(tally.records) else "",
            )

    def _point(self, keys: Iterable[Key], event: Link) -> None:
        """Keep a link to an event for the entities that it names."""
        for key in keys:
            if key in self._entity_links:
                links = self._events_of.setdefault(key, [])
                if len(links) < MAX_EVENTS_OF_ENTITY:
                    links.append(event)

    def kinds(self) -> tuple[KindView, ...]:
        """Return the entities of each type; after `rules`, which finds their events."""
        return tuple(self._kind(kind, ranked) for kind, ranked in self._shown.items())

    def _kind(self, kind: str, ranked: Sequence[tuple[Key, EntityTally]]) -> KindView:
        distinct = len(self._collected.distinct.get(kind, ()))
        return KindView(
            anchor=f"entities-{_slug(kind)}",
            title=KINDS.get(kind, kind.capitalize()),
            total=f"more than {MAX_DISTINCT:,}" if distinct > MAX_DISTINCT else f"{distinct:,}",
            shown=tuple(self._entity(key, one) for key, one in ranked[:MAX_ENTITIES]),
            more=distinct > MAX_ENTITIES,
            first_only=MAX_FOLLOWED if distinct > MAX_FOLLOWED else 0,
        )

    def _entity(self, key: Key, entity: EntityTally) -> EntityView:
        link = self._entity_links[key]
        ranked = sorted(entity.severities.items(), key=lambda item: -item[0].rank)
        rules = sorted(entity.rules, key=lambda rule: _worst_first(self._collected.rules[rule]))
        return EntityView(
            anchor=link.anchor,
            name=link.name,
            values=tuple(value for value in entity.values if value != link.name),
            span=entity.span,
            severities=tuple(ranked),
            rules=tuple(self._rule_link(rule, entity.rules[rule]) for rule in rules),
            events=tuple(self._events_of.get(key, ())),
        )

    def _rule_link(self, key: str, count: int) -> Link:
        link = self._rule_links[key]
        return Link(link.name, link.anchor, count)

    def tactics(self) -> tuple[TacticView, ...]:
        """Return the part of the matrix that rules reached, in its order."""
        places: dict[tuple[Name | None, Name | None], _Place] = {}
        for tally in self.ranked:
            for tactic, technique in attack_places(tally.rule.attack):
                known = _without_note(technique)
                place = places.setdefault((tactic, known), _Place())
                place.count += tally.span.count
                place.rules.append(tally)
        tactics = sorted({tactic for tactic, _ in places}, key=_in_order)
        return tuple(self._tactic(tactic, places) for tactic in tactics)

    def _tactic(
        self, tactic: Name | None, places: Mapping[tuple[Name | None, Name | None], _Place]
    ) -> TacticView:
        own = {technique: place for (one, technique), place in places.items() if one == tactic}
        fired = {tally.rule.key: tally.span.count for one in own.values() for tally in one.rules}
        return TacticView(
            tactic=tactic,
            count=sum(fired.values()),
            techniques=tuple(
                self._technique(technique, own[technique])
                for technique in sorted(own, key=lambda one: (one is None, one.id if one else ""))
            ),
        )

    def _technique(self, technique: Name | None, place: _Place) -> TechniqueView:
        return TechniqueView(
            technique=technique,
            count=place.count,
            worst=max((tally.rule.severity for tally in place.rules), key=lambda one: one.rank),
            rules=tuple(self._rule_link(one.rule.key, one.span.count) for one in place.rules),
        )

    def authors(self) -> tuple[AuthorView, ...]:
        """Return the authors of the rules that fired, by name."""
        by_author: dict[str, list[RuleTally]] = {}
        for tally in self.ranked:
            for name in tally.rule.author or ("",):
                by_author.setdefault(name, []).append(tally)
        return tuple(
            AuthorView(
                name=name,
                licenses=tuple(dict.fromkeys(one.rule.license or "" for one in tallies)),
                rules=tuple(self._rule_link(one.rule.key, one.span.count) for one in tallies),
            )
            for name, tallies in sorted(by_author.items(), key=lambda item: fold(item[0]))
        )


def _in_order(tactic: Name | None) -> tuple[bool, int, str]:
    """Put tactics in the order of the matrix, what has none last."""
    return (
        tactic is None,
        load_attack().rank(tactic.id) if tactic else 0,
        tactic.id if tactic else "",
    )


def _when(events: Sequence[Shown]) -> Callable[[int], tuple[bool, float]]:
    """Return what orders events by time; those without one come last."""
    times = [event.time.timestamp() if event.time else None for event in events]
    return lambda at: (times[at] is None, times[at] or 0)


def _named(entity: EntityTally) -> str:
    return cut(name_of(_first(entity)), LONGEST_NAME)


def _first(entity: EntityTally) -> str:
    return next(iter(entity.values))


def _slug(kind: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in kind)


def _minute(when: datetime | None) -> str:
    return f"{when:%Y-%m-%d %H:%M}" if when else "no time"


def _without_note(name: Name | None) -> Name | None:
    """Return a technique as it is today, whatever id a rule names it by."""
    return (
        Name(name.id, name.name, name.parent, note="" if name.name else name.note) if name else None
    )
