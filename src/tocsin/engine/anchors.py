"""Which leaves of a gate are worth evaluating on every row.

Most conditions need something rare: a program's name, a long literal. It is their *anchor*; only
where all anchors of a condition hold are its other leaves of any interest. So columns of free text
are searched for thousands of short literals on few rows only. Results do not depend on the choice.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from tocsin.condition.tree import Glob, Op, Predicate, Regex, Value
from tocsin.engine.plan import Column, ColumnTest, Gated, leaf_numbers
from tocsin.logs.whole import Whole

FREE_TEXT_LITERALS = 300
"""A column with more literals to find anywhere in it than this is free text, if they are most."""

_ANYWHERE = {Op.CONTAINS, Op.GLOB, Op.REGEX}


def first_leaves(
    gated: Gated, clauses: Sequence[Sequence[frozenset[int]]], tests: Mapping[int, ColumnTest]
) -> set[int]:
    """Return the leaves to evaluate on every row; each condition has a clause made of them.

    `clauses` are those that each condition needs.
    """
    free_text = _free_text(tests)
    costs = {
        number: _cost(leaf.predicate) if leaf.column in free_text else 0.0
        for number, leaf in tests.items()
    } | _costs_of_whole(gated, tests)
    first = {number for number in gated.leaves if costs.get(number, 0.0) == 0.0}
    for condition, needed in zip(gated.conditions, clauses, strict=True):
        if any(clause <= first for clause in needed):
            continue
        if needed:
            first |= min(needed, key=lambda clause: max(costs.get(n, 0.0) for n in clause))
        else:
            first.update(leaf_numbers(condition))
    return first


def _free_text(tests: Mapping[int, ColumnTest]) -> set[Column]:
    anywhere: Counter[Column] = Counter()
    total: Counter[Column] = Counter()
    for leaf in tests.values():
        count = len(leaf.predicate.values)
        total[leaf.column] += count
        if leaf.predicate.op in _ANYWHERE:
            anywhere[leaf.column] += count
    return {
        column
        for column, count in anywhere.items()
        if count > FREE_TEXT_LITERALS and count * 2 > total[column]
    }


def _costs_of_whole(gated: Gated, tests: Mapping[int, ColumnTest]) -> dict[int, float]:
    """Prefer what many conditions compare one key of a document with: other keys may hold much.

    Programs, lists and comparisons of two fields come last.
    """
    whole = {at: leaf for at, leaf in tests.items() if isinstance(leaf.column.expr, Whole)}
    equal = {at: leaf.column for at, leaf in whole.items() if leaf.predicate.op is Op.EQUALS}
    asked = Counter(equal.values())
    costs = {at: 1.0 / (1 + asked[equal[at]]) if at in equal else 1.0 for at in whole}
    costs |= {at: 2.0 for at, leaf in whole.items() if is_slow(leaf)}
    if whole:
        costs |= {at: 3.0 for at in gated.leaves if at not in tests}
    return costs


def is_slow(leaf: ColumnTest) -> bool:
    """Say whether a test runs a program for each value."""
    return any(call.name == "python" for call in leaf.column.via)


def _cost(predicate: Predicate) -> float:
    """Guess how often a predicate holds by accident: the shorter its literals, the more often."""
    lengths = [_length(value) for value in predicate.values]
    return 1.0 / (1 + min(lengths)) if lengths else 0.0


def _length(value: Value) -> int:
    if isinstance(value, Regex):
        return 0
    if isinstance(value, Glob):
        return max((len(part) for part in value.parts if isinstance(part, str)), default=0)
    return len(value) if isinstance(value, str) else 20
