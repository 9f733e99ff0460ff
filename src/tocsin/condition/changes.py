"""What would have to be otherwise in an event for a condition to hold: near misses."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from tocsin.condition.trace import Node
from tocsin.condition.tree import And, AnyElement, Condition, Not, Or

KEPT = 8
"""Alternatives that are kept of every part: the nearest."""


@dataclass(frozen=True, slots=True)
class Change:
    """A predicate that would have to be true, or false, instead of what it is."""

    node: Node
    wanted: bool


Changes: TypeAlias = tuple[Change, ...]
Weigh: TypeAlias = Callable[[Node, bool], int]
"""Says how far a predicate is from a wanted truth; 0 is nearest."""

_Key: TypeAlias = tuple[tuple[str, ...], Condition]


def distance(node: Node, *, wanted: bool = True) -> int:
    """Count the predicates that would have to change at least, shared ones once per place."""
    if node.holds == wanted:
        return 0
    match node.condition:
        case Not():
            return distance(node.children[0], wanted=not wanted)
        case And() | Or() | AnyElement():
            counts = [distance(child, wanted=wanted) for child in node.children]
            if _all_must(node.condition, wanted=wanted):
                return sum(counts)
            return min(counts, default=1)
        case _:
            return 1


def smallest_changes(root: Node, weigh: Weigh, *, limit: int = KEPT) -> list[Changes]:
    """Return sets of predicates whose change makes a condition hold, the smallest sets first.

    Of sets of one size the ones go first whose predicates `weigh` least. Each set was tried: with
    it the condition holds. None is left if a condition contradicts itself.
    """
    found = _Search(weigh).flips(root, wanted=True)
    return [changes for changes in found if _truth(root, _assumed(changes))][:limit]


class _Search:
    """Finds sets of changes from the leaves up, each predicate weighed once."""

    def __init__(self, weigh: Weigh) -> None:
        self._weigh = weigh
        self._weights: dict[tuple[int, bool], int] = {}

    def flips(self, node: Node, *, wanted: bool) -> list[Changes]:
        if node.holds == wanted:
            return [()]
        match node.condition:
            case Not():
                return self.flips(node.children[0], wanted=not wanted)
            case And() | Or():
                return self._join(node, wanted=wanted)
            case AnyElement() if node.children:
                return self._join(node, wanted=wanted)
            case _:
                return [(Change(node, wanted),)]

    def _join(self, node: Node, *, wanted: bool) -> list[Changes]:
        alternatives = [self.flips(child, wanted=wanted) for child in node.children]
        if not _all_must(node.condition, wanted=wanted):
            return self._nearest(one for several in alternatives for one in several)
        joined: list[Changes] = [()]
        for several in alternatives:
            joined = self._nearest(_union(one, other) for one in joined for other in several)
        return joined

    def _nearest(self, sets: Iterable[Changes]) -> list[Changes]:
        distinct = {frozenset(_assumed(one).items()): one for one in sets}
        return sorted(distinct.values(), key=self._size)[:KEPT]

    def _size(self, changes: Changes) -> tuple[int, int]:
        return len(changes), sum(map(self._weight, changes))

    def _weight(self, change: Change) -> int:
        key = id(change.node), change.wanted
        if key not in self._weights:
            self._weights[key] = self._weigh(change.node, change.wanted)
        return self._weights[key]


def _all_must(condition: Condition, *, wanted: bool) -> bool:
    """Say whether every part must be as wanted, or one is enough."""
    return isinstance(condition, And) == wanted


def _key(node: Node) -> _Key:
    return node.scope, node.condition


def _assumed(changes: Changes) -> dict[_Key, bool]:
    return {_key(one.node): one.wanted for one in changes}


def _union(one: Changes, other: Changes) -> Changes:
    keys = {_key(change.node) for change in one}
    return (*one, *(change for change in other if _key(change.node) not in keys))


def _truth(node: Node, assumed: Mapping[_Key, bool]) -> bool:
    """Evaluate a condition anew with the changes made wherever their predicates stand."""
    match node.condition:
        case And():
            return all(_truth(child, assumed) for child in node.children)
        case Or():
            return any(_truth(child, assumed) for child in node.children)
        case Not():
            return not _truth(node.children[0], assumed)
        case AnyElement() if node.children:
            return any(_truth(child, assumed) for child in node.children)
        case _:
            return assumed.get(_key(node), node.holds)
