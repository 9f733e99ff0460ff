"""Deciding in two steps, with leaves left open at first, finds what deciding at once finds."""

import numpy as np
import pytest

from tocsin.engine.combine import Combiner, Outcome
from tocsin.engine.plan import AllOf, AnyOf, NoneOf, needed

LEAVES, ROWS, CELLS = 6, 40, 12


def some_node(rng, depth=3):
    kind = rng.integers(4) if depth else 0
    if kind == 0:
        return int(rng.integers(LEAVES))
    if kind == 1:
        return NoneOf(some_node(rng, depth - 1))
    parts = tuple(some_node(rng, depth - 1) for _ in range(rng.integers(1, 4)))
    return AllOf(parts) if kind == 2 else AnyOf(parts)


def holds(node, values):
    if isinstance(node, int):
        return values[node]
    if isinstance(node, NoneOf):
        return ~holds(node.part, values)
    joined = np.logical_and if isinstance(node, AllOf) else np.logical_or
    return joined.reduce([holds(part, values) for part in node.parts])


def as_lists(found):
    return {number: rows.tolist() for number, rows in found}


@pytest.mark.parametrize("seed", range(200))
def test_what_is_sure_and_what_is_doubtful_are_all_that_matches(seed):
    rng = np.random.default_rng(seed)
    conditions = [some_node(rng) for _ in range(5)]
    values = rng.random((LEAVES, CELLS + 1)) < rng.random()
    values[:, CELLS] = False  # absent
    codes = rng.integers(-1, CELLS, ROWS).astype(np.int32)
    tables, values = values, values[:, codes]
    outcomes = {
        at: Outcome(tables[at], codes) if at % 3 else Outcome(values[at])
        for at in range(LEAVES)
        if values[at].any()
    }
    open_leaves = set(np.flatnonzero(rng.random(LEAVES) < 0.4).tolist())
    first = set(range(LEAVES)) - open_leaves
    combiner = Combiner(conditions, [needed(one) for one in conditions], first, open_leaves)
    closed = {at: outcome for at, outcome in outcomes.items() if at in first}

    candidates = combiner.candidates(closed, ROWS)
    sure, doubtful = combiner.decide(candidates, closed)
    late = as_lists(combiner.matches(doubtful, outcomes))
    found = {
        at: sorted([*sure.get(at, np.array([], int)).tolist(), *late.get(at, [])])
        for at in range(len(conditions))
    }
    assert found == {
        at: np.flatnonzero(holds(one, values)).tolist() for at, one in enumerate(conditions)
    }
    assert all(set(sure.get(at, ())).isdisjoint(doubtful.get(at, ())) for at in found)


def test_what_other_leaves_decide_is_not_doubtful():
    condition = AnyOf((0, AllOf((1, 2))))
    combiner = Combiner([condition], [needed(condition)], {0, 1}, {2})
    outcomes = {
        0: Outcome(np.array([True, False, False])), 1: Outcome(np.array([True, True, False])),
    }  # fmt: skip
    sure, doubtful = combiner.decide({0: np.arange(3)}, outcomes)
    assert (as_lists(sure.items()), as_lists(doubtful.items())) == ({0: [0]}, {0: [1]})
