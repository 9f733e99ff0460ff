"""Rules that say the same: found among thousands by what is rare in them, then compared.

Two rules are worth a comparison if they share a word that few rules look for in the same field. Of
two that do, conditions are compared by reasoning first; only what that shows is tried on events.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import log

from tocsin.catalog.implies import UndecidedError, implies, may_imply
from tocsin.catalog.overlap import (
    EVENTS,
    Comparison,
    Relation,
    compare_readings,
    positive_leaves,
)
from tocsin.catalog.subject import Reading, readings
from tocsin.condition.describe import value_text
from tocsin.condition.functions import fold
from tocsin.condition.tree import Condition
from tocsin.rules.model import Rule

COMMON = 40
"""A word that more rules than this look for in the same field tells little."""
STEPS = 400
SAYING = (Relation.EQUAL, Relation.EQUAL_BUT_OUTCOME, Relation.IMPLIES, Relation.IMPLIED)
"""The relations that make two rules duplicates, in whole or in part."""
_WORD = re.compile(r"[^\W_]{3,}")
_MANY_VALUES = 200
Feature = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Read:
    """A rule with its readings and what it looks for, as pairs of field and word."""

    rule: Rule
    readings: Mapping[str, Reading]
    features: frozenset[Feature]


def read_rules(rules: Iterable[Rule]) -> list[Read]:
    """Read rules once for any number of comparisons; those without condition are left out."""
    found = ((rule, readings(rule)) for rule in rules if rule.inputs)
    return [Read(rule, known, frozenset(_features(known))) for rule, known in found if known]


def _features(known: Mapping[str, Reading]) -> Iterator[Feature]:
    for reading in known.values():
        for leaf in positive_leaves(reading.own):
            field = ".".join(leaf.field.path)
            for value in leaf.values[:_MANY_VALUES]:
                text = fold(value_text(value))
                yield from ((field, word) for word in _WORD.findall(text))
                yield field, text


class Candidates:
    """Finds pairs of rules that share something rare."""

    def __init__(self, read: Sequence[Read]) -> None:
        self.read = read
        self._holders: dict[Feature, list[int]] = {}
        for number, one in enumerate(read):
            for feature in one.features:
                self._holders.setdefault(feature, []).append(number)

    def weight(self, feature: Feature) -> float:
        """Return how much it says that two rules share a feature: more, the rarer it is."""
        return log(max(len(self.read), 2) / len(self._holders.get(feature, (0,))))

    def pairs(self, *, within: bool = False) -> list[tuple[int, int]]:
        """Return pairs of numbers, each once; those of one pack only with `within`."""
        found: set[tuple[int, int]] = set()
        for holders in self._holders.values():
            if 1 < len(holders) <= COMMON:
                found.update(combinations(holders, 2))
        found.update(self._of_one_id())
        return sorted(pair for pair in found if within or self._apart(*pair))

    def _of_one_id(self) -> Iterator[tuple[int, int]]:
        by_id: dict[str, list[int]] = {}
        for number, one in enumerate(self.read):
            by_id.setdefault(one.rule.id, []).append(number)
        for numbers in by_id.values():
            yield from combinations(numbers, 2)

    def _apart(self, one: int, other: int) -> bool:
        return self.read[one].rule.pack != self.read[other].rule.pack

    def near(self, number: int) -> dict[int, list[Feature]]:
        """Return the rules that share rare features with one, and which."""
        found: dict[int, list[Feature]] = {}
        for feature in self.read[number].features:
            holders = self._holders[feature]
            if len(holders) <= COMMON:
                for other in holders:
                    if other != number:
                        found.setdefault(other, []).append(feature)
        return found


def duplicates(
    rules: Iterable[Rule], *, within: bool = False, events: int = EVENTS
) -> Iterator[Comparison]:
    """Yield the pairs of rules of different packs of which one says what the other says.

    With `within` also those of one pack. Every relation is confirmed on events.
    """
    candidates = Candidates(read_rules(rules))
    for one, other in candidates.pairs(within=within):
        found = _compared(candidates.read[one], candidates.read[other], events)
        if found:
            yield found


def _compared(one: Read, other: Read, events: int) -> Comparison | None:
    if not may_relate(one.readings, other.readings):
        return None
    found = compare_readings(one.rule, one.readings, other.rule, other.readings, events=events)
    return found if found.relation in SAYING else None


def may_relate(one: Mapping[str, Reading], other: Mapping[str, Reading]) -> bool:
    """Say whether reasoning finds one rule in another on a log type, outcomes left out."""
    return any(
        _implies(mine.bare, theirs.bare) or _implies(theirs.bare, mine.bare)
        for name, mine in one.items()
        if (theirs := other.get(name))
    )


def _implies(one: Condition, other: Condition) -> bool:
    try:
        return may_imply(one, other) and implies(one, other, STEPS)
    except (UndecidedError, RecursionError):
        return False


@dataclass(frozen=True, slots=True)
class Additions:
    """What rules would add to those that are there."""

    new: tuple[Rule, ...]
    """Rules that say what none says so far."""
    wider: tuple[Comparison, ...]
    """Rules that match more than one that is there: they imply it, and so more."""
    covered: tuple[Comparison, ...]
    """Rules whose every match one that is there matches too."""
    unread: tuple[Rule, ...]
    """Rules without a condition that is read."""


def additions(there: Iterable[Rule], coming: Iterable[Rule], *, events: int = EVENTS) -> Additions:
    """Say what a pack's rules would add to the rules that are enabled."""
    known, added = read_rules(there), read_rules(coming)
    candidates = Candidates([*known, *added])
    near: dict[int, list[int]] = {}
    for one, other in candidates.pairs(within=True):
        if one < len(known) <= other:
            near.setdefault(other, []).append(one)
    new, wider, covered = [], [], []
    for number in range(len(known), len(candidates.read)):
        coming_one = candidates.read[number]
        found = [
            compared
            for other in near.get(number, ())
            if (compared := _compared(coming_one, candidates.read[other], events))
        ]
        covering = [pair for pair in found if pair.relation is not Relation.IMPLIED]
        if covering:
            covered.append(covering[0])
        elif found:
            wider.append(found[0])
        else:
            new.append(coming_one.rule)
    read = {one.rule.key for one in added}
    unread = tuple(rule for rule in coming if rule.key not in read)
    return Additions(tuple(new), tuple(wider), tuple(covered), unread)
