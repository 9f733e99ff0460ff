"""Combine the outcomes of leaves into matches: row sets, narrowed step by step."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from tocsin.engine.columns import Mask, Rows
from tocsin.engine.plan import AllOf, AnyOf, Gated, Node, NoneOf, needed

_NOTHING: Rows = np.array([], dtype=np.int64)


class Outcome:
    """Where one leaf holds: a truth value per distinct cell and the codes, or one per row."""

    __slots__ = ("_codes", "_rows", "_table")

    def __init__(self, table: Mask, codes: npt.NDArray[np.int32] | None = None) -> None:
        self._table = table
        self._codes = codes
        self._rows: Rows | None = None

    def all_rows(self) -> Rows:
        """Return every row where the leaf holds."""
        if self._rows is None:
            mask = self._table if self._codes is None else self._table[self._codes]
            self._rows = np.flatnonzero(mask)
        return self._rows

    def among(self, rows: Rows) -> Rows:
        """Return those of some rows where the leaf holds."""
        at = rows if self._codes is None else self._codes[rows]
        chosen: Rows = rows[self._table[at]]
        return chosen


class Combiner:
    """The conditions of a gate, with what each needs at least precomputed."""

    def __init__(self, gated: Gated) -> None:
        self._conditions = gated.conditions
        self._leaves = np.array(gated.leaves, dtype=np.int64)
        position = {number: at for at, number in enumerate(gated.leaves)}
        clauses = [needed(condition) for condition in gated.conditions]
        self._members = np.array(
            [position[leaf] for of in clauses for clause in of for leaf in sorted(clause)],
            dtype=np.int64,
        )
        self._clause_sizes = np.array(
            [len(clause) for of in clauses for clause in of], dtype=np.int64
        )
        self._owners = np.array(
            [number for number, of in enumerate(clauses) for _ in of], dtype=np.int64
        )

    def matches(self, outcomes: Mapping[int, Outcome], rows: int) -> Iterator[tuple[int, Rows]]:
        """Yield (condition number, matching rows) for every condition with any match."""
        everything = np.arange(rows)
        for number in self._possible(outcomes):
            found = _evaluate(self._conditions[number], None, everything, outcomes)
            if len(found):
                yield number, found

    def _possible(self, outcomes: Mapping[int, Outcome]) -> Sequence[int]:
        """Return the conditions of which every needed clause has a leaf that holds somewhere."""
        holds = np.isin(self._leaves, np.fromiter(outcomes, np.int64, len(outcomes)))
        possible = np.ones(len(self._conditions), dtype=np.bool_)
        if len(self._clause_sizes):
            clause = np.repeat(np.arange(len(self._clause_sizes)), self._clause_sizes)
            satisfied = np.zeros(len(self._clause_sizes), dtype=np.bool_)
            satisfied[clause[holds[self._members]]] = True
            possible[self._owners[~satisfied]] = False
        found: list[int] = np.flatnonzero(possible).tolist()
        return found


def _evaluate(
    node: Node, rows: Rows | None, everything: Rows, outcomes: Mapping[int, Outcome]
) -> Rows:
    """Return those of `rows` (all, if None) where a condition holds, in order."""
    if isinstance(node, int):
        outcome = outcomes.get(node)
        if outcome is None:
            return _NOTHING
        return outcome.all_rows() if rows is None else outcome.among(rows)
    if isinstance(node, AllOf):
        for part in node.parts:
            rows = _evaluate(part, rows, everything, outcomes)
            if not len(rows):
                return _NOTHING
        return everything if rows is None else rows
    if isinstance(node, NoneOf):
        inside = everything if rows is None else rows
        found = _evaluate(node.part, rows, everything, outcomes)
        return np.setdiff1d(inside, found, assume_unique=True) if len(found) else inside
    found = [hit for part in node.parts if len(hit := _evaluate(part, rows, everything, outcomes))]
    if not found:
        return _NOTHING
    return found[0] if len(found) == 1 else np.unique(np.concatenate(found))


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
