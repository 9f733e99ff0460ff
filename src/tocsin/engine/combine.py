"""Combine the outcomes of leaves into matches: row sets, narrowed step by step."""

from collections.abc import Iterator, Mapping, Sequence, Set
from itertools import chain

import numpy as np
import numpy.typing as npt

from tocsin.engine.columns import Mask, Rows, spread
from tocsin.engine.plan import AllOf, AnyOf, Node, NoneOf, leaf_numbers

_NOTHING: Rows = np.array([], dtype=np.int64)


class Outcome:
    """Where one leaf holds: a truth value per distinct cell and the codes, or one per row."""

    __slots__ = ("_codes", "_mask", "_table")

    def __init__(self, table: Mask, codes: npt.NDArray[np.int32] | None = None) -> None:
        self._table = table
        self._codes = codes
        self._mask: Mask | None = None

    def mask(self) -> Mask:
        """Return a truth value per row."""
        if self._mask is None:
            self._mask = self._table if self._codes is None else spread(self._table, self._codes)
        return self._mask

    @classmethod
    def together(cls, outcomes: Sequence["Outcome"]) -> Iterator["Outcome"]:
        """Yield where any of some leaves holds, as one outcome of those of one column."""
        columns: dict[int, list[Outcome]] = {}
        for one in outcomes:
            column = one if one._codes is None else one._codes
            columns.setdefault(id(column), []).append(one)
        for of in columns.values():
            tables = [one._table for one in of]
            yield cls(np.logical_or.reduce(tables), of[0]._codes) if len(of) > 1 else of[0]

    def among(self, rows: Rows) -> Rows:
        """Return those of some rows where the leaf holds."""
        at = rows if self._codes is None else self._codes[rows]
        chosen: Rows = rows[self._table.take(at, mode="wrap")]
        return chosen


class Combiner:
    """The conditions of a gate, with clauses that each of them needs.

    `first` are the leaves that are evaluated on every row. The clauses made of them narrow each
    condition to candidate rows; the other leaves need be right on candidates only, `open_leaves` on
    those that the others do not decide.
    """

    def __init__(
        self,
        conditions: Sequence[Node],
        needed: Sequence[Sequence[frozenset[int]]],
        first: Set[int],
        open_leaves: Set[int],
    ) -> None:
        self._open = open_leaves
        self._has_open = [
            bool(open_leaves) and not open_leaves.isdisjoint(leaf_numbers(one))
            for one in conditions
        ]
        clauses = [[clause for clause in of if clause <= first] for of in needed]
        self._conditions = [
            _beside(condition, set(of)) for condition, of in zip(conditions, clauses, strict=True)
        ]
        """What has to be asked of candidates still."""
        distinct = {clause: at for at, clause in enumerate(dict.fromkeys(chain(*clauses)))}
        self._clauses = [sorted(clause) for clause in distinct]
        self._needs = [[distinct[clause] for clause in of] for of in clauses]
        self._owners = np.repeat(np.arange(len(clauses)), [len(of) for of in clauses])
        self._needed = np.array(list(chain(*self._needs)), dtype=np.int64)
        self._members = np.array(list(chain(*self._clauses)), dtype=np.int64)
        self._member_of = np.repeat(np.arange(len(self._clauses)), list(map(len, self._clauses)))

    def candidates(self, outcomes: Mapping[int, Outcome], rows: int) -> dict[int, Rows]:
        """Return the conditions that can match anywhere, with the rows where they can."""
        masks: dict[int, Mask] = {}
        found: dict[int, Rows] = {}
        for number in self._possible(outcomes):
            mask = None
            for at in self._needs[number]:
                if at not in masks:
                    masks[at] = _union(self._clauses[at], outcomes)
                mask = masks[at] if mask is None else mask & masks[at]
            chosen = np.arange(rows) if mask is None else np.flatnonzero(mask)
            if len(chosen):
                found[number] = chosen
        return found

    def _possible(self, outcomes: Mapping[int, Outcome]) -> Sequence[int]:
        """Return the conditions of which every clause has a leaf that holds somewhere."""
        holds = np.isin(self._members, np.fromiter(outcomes, np.int64, len(outcomes)))
        satisfied = np.zeros(len(self._clauses), dtype=np.bool_)
        satisfied[self._member_of[holds]] = True
        possible = np.ones(len(self._conditions), dtype=np.bool_)
        possible[self._owners[~satisfied[self._needed]]] = False
        numbers: list[int] = np.flatnonzero(possible).tolist()
        return numbers

    def decide(
        self, candidates: Mapping[int, Rows], outcomes: Mapping[int, Outcome]
    ) -> tuple[dict[int, Rows], dict[int, Rows]]:
        """Return the candidates that match, and those that may, as leaves are open still."""
        sure: dict[int, Rows] = {}
        doubtful: dict[int, Rows] = {}
        for number, rows in candidates.items():
            condition = self._conditions[number]
            found = _evaluate(condition, rows, outcomes, self._open, most=False)
            if len(found):
                sure[number] = found
            if self._has_open[number]:
                rest = _without(rows, found)
                rest = _evaluate(condition, rest, outcomes, self._open)
                if len(rest):
                    doubtful[number] = rest
        return sure, doubtful

    def matches(
        self, candidates: Mapping[int, Rows], outcomes: Mapping[int, Outcome]
    ) -> Iterator[tuple[int, Rows]]:
        """Yield (condition number, matching rows) for every condition with any match."""
        for number, rows in candidates.items():
            found = _evaluate(self._conditions[number], rows, outcomes)
            if len(found):
                yield number, found


def _beside(condition: Node, clauses: Set[frozenset[int]]) -> Node:
    """Return a condition without the parts that are clauses of which a leaf is known to hold."""
    parts = condition.parts if isinstance(condition, AllOf) else (condition,)
    return AllOf(tuple(part for part in parts if _as_clause(part) not in clauses))


def _as_clause(node: Node) -> frozenset[int] | None:
    if isinstance(node, int):
        return frozenset((node,))
    if isinstance(node, AnyOf) and all(isinstance(part, int) for part in node.parts):
        return frozenset(leaf_numbers(node))
    return None


def _union(clause: Sequence[int], outcomes: Mapping[int, Outcome]) -> Mask:
    held = [outcomes[number] for number in clause if number in outcomes]
    if len(held) == 1:
        return held[0].mask()
    union: Mask = np.logical_or.reduce([one.mask() for one in Outcome.together(held)])
    return union


def _evaluate(
    node: Node,
    rows: Rows,
    outcomes: Mapping[int, Outcome],
    open_leaves: Set[int] = frozenset(),
    *,
    most: bool = True,
) -> Rows:
    """Return those of some rows where a condition holds, in order.

    Where leaves are open, these are all rows where it can hold, or those where it is sure to.
    """
    if isinstance(node, int):
        if node in open_leaves:
            return rows if most else _NOTHING
        outcome = outcomes.get(node)
        return _NOTHING if outcome is None else outcome.among(rows)
    if isinstance(node, AllOf):
        for part in node.parts:
            rows = _evaluate(part, rows, outcomes, open_leaves, most=most)
            if not len(rows):
                return _NOTHING
        return rows
    if isinstance(node, NoneOf):
        return _without(rows, _evaluate(node.part, rows, outcomes, open_leaves, most=not most))
    left = rows
    for part in node.parts:
        left = _without(left, _evaluate(part, left, outcomes, open_leaves, most=most))
        if not len(left):
            return rows
    return _without(rows, left)


def _without(rows: Rows, found: Rows) -> Rows:
    """Return the rows that are not among those found, which are some of them, in order."""
    if not len(found):
        return rows
    if len(found) == len(rows):
        return _NOTHING
    left = np.ones(len(rows), dtype=np.bool_)
    left[np.searchsorted(rows, found)] = False
    return rows[left]


def order(node: Node) -> Node:
    """Put the parts of every conjunction in the order that narrows fastest: plain leaves first."""
    if isinstance(node, int):
        return node
    if isinstance(node, NoneOf):
        return NoneOf(order(node.part))
    parts = tuple(order(part) for part in node.parts)
    if isinstance(node, AnyOf):
        return AnyOf(parts)
    return AllOf(tuple(sorted(parts, key=_cost)))


def _cost(node: Node) -> int:
    return 0 if isinstance(node, int) else 2 if isinstance(node, NoneOf) else 1
