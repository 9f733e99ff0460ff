"""Which rules make the same tests, and which of them belong together for it.

Everything is counted in rules: one that makes a test twice counts once, and never for itself.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from math import log

from tocsin.catalog.entries import Entry, Indicator
from tocsin.logs.load import shipped_log_types

MOST_RELATED = 6
"""Rules that are named for each reason."""
COMMON = 150
"""A test of more rules than this relates none of them."""
LEAST_WEIGHT = 0.6
"""Rules whose shared tests weigh less, of what one weighs that nobody else has, are not related."""

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shared:
    """How many other rules share an indicator, per ecosystem: three ways to be the same."""

    triple: Mapping[str, int]
    """Field as it is written, operator and value."""
    pair: Mapping[str, int]
    """Canonical field and value, however they are compared."""
    value: Mapping[str, int]
    """The value, in any field."""


@dataclass(frozen=True, slots=True)
class Related:
    """Another rule, and why it belongs with this one."""

    entry: Entry
    reason: str
    weight: float = 0.0


@dataclass(slots=True)
class _Postings:
    """Key → the numbers of the entries that have it."""

    entries: dict[Key, list[int]] = field(default_factory=lambda: defaultdict(list))
    ecosystems: dict[Key, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def add(self, number: int, ecosystem: str, keys: Iterable[Key]) -> None:
        for key in dict.fromkeys(keys):
            self.entries[key].append(number)
            self.ecosystems[key][ecosystem] += 1

    def others(self, key: Key, ecosystem: str) -> dict[str, int]:
        found = dict(self.ecosystems.get(key, {}))
        if found.get(ecosystem):
            found[ecosystem] -= 1
        return {name: count for name, count in sorted(found.items()) if count}


class Corpus:
    """All entries of a catalogue, and what they have in common."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = entries
        self._numbers = {id(entry): number for number, entry in enumerate(entries)}
        self._triples, self._pairs, self._values = _Postings(), _Postings(), _Postings()
        self._operations, self._topics = _Postings(), _Postings()
        self._versions: dict[str, list[int]] = defaultdict(list)
        for number, entry in enumerate(entries):
            ecosystem = entry.rule.ecosystem
            self._triples.add(number, ecosystem, ((one.triple,) for one in entry.indicators))
            self._pairs.add(number, ecosystem, (one.pair for one in entry.indicators if one.value))
            self._values.add(number, ecosystem, map(_value, filter(_has_value, entry.indicators)))
            self._operations.add(number, ecosystem, ((one.lower(),) for one in entry.operations))
            self._topics.add(number, ecosystem, _topics(entry))
            for name in _names(entry):
                self._versions[name].append(number)

    def shared(self, entry: Entry, one: Indicator) -> Shared:
        """Count the other rules that share an indicator of an entry."""
        own = entry.rule.ecosystem
        return Shared(
            self._triples.others((one.triple,), own),
            self._pairs.others(one.pair, own) if one.value else {},
            self._values.others(_value(one), own) if one.value else {},
        )

    def related(self, entry: Entry) -> list[Related]:
        """Return the rules that belong with an entry, each under the first reason that holds."""
        seen = {self._numbers[id(entry)]}
        found: list[Related] = []
        for reasons in (self._other_versions, self._by_tests, self._by_operation, self._by_topic):
            ranked = reasons(entry)
            for number, reason, weight in ranked:
                if number not in seen:
                    seen.add(number)
                    found.append(Related(self.entries[number], reason, weight))
        return found

    def _other_versions(self, entry: Entry) -> list[tuple[int, str, float]]:
        own = self._numbers[id(entry)]
        found: dict[int, str] = {}
        for name in _names(entry):
            kind = "same id" if name.startswith("id ") else "same name"
            for number in self._versions[name]:
                if number != own:
                    found.setdefault(number, f"version of this rule: {kind}")
        return [(number, reason, 100.0) for number, reason in found.items()][:MOST_RELATED]

    def _by_tests(self, entry: Entry) -> list[tuple[int, str, float]]:
        weights: Counter[int] = Counter()
        shared: dict[int, list[tuple[float, Indicator]]] = defaultdict(list)
        for one in {one.pair: one for one in entry.indicators if one.value}.values():
            holders = self._pairs.entries[one.pair]
            if not 1 < len(holders) <= COMMON:
                continue
            weight = log(len(self.entries) / len(holders))
            for number in holders:
                weights[number] += weight  # type: ignore[assignment]
                shared[number].append((weight, one))
        weights.pop(self._numbers[id(entry)], None)
        best = sorted(weights.items(), key=lambda item: (-item[1], item[0]))[:MOST_RELATED]
        return [
            (number, _said(shared[number]), float(weight))
            for number, weight in best
            if weight >= LEAST_WEIGHT * log(len(self.entries))
        ]

    def _by_operation(self, entry: Entry) -> list[tuple[int, str, float]]:
        found: dict[int, list[str]] = defaultdict(list)
        for operation in entry.operations:
            for name, number in self._watchers(operation):
                found[number].append(name)
        found.pop(self._numbers[id(entry)], None)
        best = sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))[:MOST_RELATED]
        return [(number, f"same operation: {_few(names)}", 0.0) for number, names in best]

    def _watchers(self, operation: str) -> Iterable[tuple[str, int]]:
        """Yield the rules that name an operation, or its twin in another log."""
        from tocsin.catalog.operations import twins_of

        service, _, name = operation.partition(": ")
        holders = self._operations.entries.get((operation.lower(),), [])
        if len(holders) <= COMMON:
            yield from ((name, number) for number in holders)
        for twin in twins_of(name):
            key = (f"{service}: {twin}".lower(),)
            for number in self._operations.entries.get(key, []):
                yield f"{twin}, which stands for {name}", number

    def _by_topic(self, entry: Entry) -> list[tuple[int, str, float]]:
        found: dict[int, list[str]] = defaultdict(list)
        for topic in _topics(entry):
            holders = self._topics.entries[topic]
            if len(holders) <= COMMON:
                for number in holders:
                    found[number].append(topic[0])
        found.pop(self._numbers[id(entry)], None)
        best = sorted(
            found.items(), key=lambda item: (-len(item[1]), self._far(entry, item[0]), item[0])
        )[:MOST_RELATED]
        return [
            (number, f"same technique and log type: {_few(list(dict.fromkeys(names)))}", 0.0)
            for number, names in best
        ]

    def _far(self, entry: Entry, number: int) -> int:
        """Prefer rules of other ecosystems: those of its own pack are found beside it anyway."""
        return int(self.entries[number].rule.ecosystem == entry.rule.ecosystem)


def _value(one: Indicator) -> Key:
    return (one.value.lower(),)


def _has_value(one: Indicator) -> bool:
    return bool(one.value)


def _topics(entry: Entry) -> list[Key]:
    """Return each technique with each log type, or log source where no log type takes it."""
    own = [name for name in entry.checked.log_types if name not in _any_source()]
    places = own or entry.traits["source"]
    return [(technique, place) for technique in entry.traits["technique"] for place in places]


@cache
def _any_source() -> frozenset[str]:
    """Return the log types of documents from anywhere: two rules of one need not be alike."""
    return frozenset(one.name for one in shipped_log_types() if one.documents)


def _names(entry: Entry) -> list[str]:
    rule = entry.rule
    return [f"id {rule.id.lower()}", f"name {rule.name.lower()}"]


def _said(shared: list[tuple[float, Indicator]]) -> str:
    rarest = sorted(shared, key=lambda item: -item[0])
    return f"shares {_few([f'{one.field} {one.value}' for _, one in rarest])}"


def _few(names: Sequence[str], shown: int = 2, longest: int = 60) -> str:
    cut = [name if len(name) <= longest else name[: longest - 1] + "…" for name in names[:shown]]
    more = len(names) - len(cut)
    return ", ".join(cut) + (f" and {more} more" if more > 0 else "")
