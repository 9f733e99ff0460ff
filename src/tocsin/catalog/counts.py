"""All rules of a catalogue: what they have in common, and which of them belong together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tocsin.catalog.entries import Entry
from tocsin.catalog.indicators import Counts, Indicator, IndicatorIndex
from tocsin.catalog.operations import twins_of
from tocsin.catalog.related import RelatedIndex

MOST_RELATED = 24
"""Rules that are looked at for one."""
MOST_REASONS = 3
"""Reasons that are told of one."""
LEAST_SCORE = 3.0
"""Rules that have only a little in common with another are not told."""

VERSIONS, OPERATIONS, TWINS, TESTS, TECHNIQUES = (
    "Versions of this rule",
    "Same operation",
    "Same operation under its other name",
    "Rare tests in common",
    "Same technique in the same logs",
)
"""What related rules stand under; each under the first that holds."""

MOST_OF_A_KIND = 6


@dataclass(frozen=True, slots=True)
class Related:
    """Another rule, what it stands under, and why."""

    entry: Entry
    kind: str
    reasons: tuple[str, ...]


class Corpus:
    """All entries of a catalogue."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = entries
        rules = [entry.rule for entry in entries]
        self._by_rule = {id(rule): entry for rule, entry in zip(rules, entries, strict=True)}
        self._indicators = IndicatorIndex(rules)
        self._related = RelatedIndex(self._indicators)
        self._operations: dict[str, list[Entry]] = {}
        for entry in entries:
            for operation in entry.operations:
                name = operation.partition(": ")[2].lower()
                self._operations.setdefault(name, []).append(entry)

    def counts(self, entry: Entry) -> Iterator[tuple[Indicator, tuple[Counts, ...]]]:
        """Yield the indicators of an entry, and how many other rules share each value."""
        for one in entry.indicators:
            yield one, self._indicators.counts(entry.rule, one)

    def related(self, entry: Entry) -> list[Related]:
        """Return the rules that belong with an entry, with the reasons."""
        found: dict[int, Related] = {}
        kinds: dict[str, int] = {}
        for one in (*self._near(entry), *self._twins(entry)):
            if one.entry is not entry and id(one.entry) not in found:
                kinds[one.kind] = kinds.get(one.kind, 0) + 1
                if kinds[one.kind] <= MOST_OF_A_KIND:
                    found[id(one.entry)] = one
        return list(found.values())

    def _near(self, entry: Entry) -> Iterator[Related]:
        for one in self._related.related(entry.rule, MOST_RELATED):
            kind = _kind(one.reasons)
            if kind != TESTS or one.score >= LEAST_SCORE:
                other = self._by_rule[id(one.rule)]
                yield Related(other, kind, tuple(_few(one.reasons)))

    def _twins(self, entry: Entry) -> Iterator[Related]:
        """Yield the rules that name the twin of an operation in another log."""
        for operation in entry.operations:
            name = operation.partition(": ")[2]
            for twin in twins_of(name):
                for other in self._operations.get(twin.lower(), ()):
                    yield Related(other, TWINS, (f"{twin} stands for {name}",))


def _kind(reasons: Sequence[str]) -> str:
    starts = (
        (VERSIONS, "a version"),
        (OPERATIONS, "looks for the same operation"),
        (OPERATIONS, "the operations"),
        (TESTS, "looks for"),
    )
    for kind, start in starts:
        if any(reason.startswith(start) for reason in reasons):
            return kind
    return TECHNIQUES


def _few(reasons: Sequence[str], longest: int = 160) -> Iterator[str]:
    for reason in reasons[:MOST_REASONS]:
        yield reason if len(reason) <= longest else reason[: longest - 1] + "…"
    if len(reasons) > MOST_REASONS:
        yield f"and {len(reasons) - MOST_REASONS} more"
