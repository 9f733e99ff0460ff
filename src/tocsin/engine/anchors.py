"""Which leaves of a gate are worth evaluating on every row.

Most conditions need something rare: a program's name, a long literal. It is their *anchor*; only
where all anchors of a condition hold are its other leaves of any interest. So columns of free text
are searched for thousands of short literals on few rows only. Results do not depend on the choice.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from tocsin.condition.pure import PURE
from tocsin.condition.tree import Glob, Op, Predicate, Regex, Value
from tocsin.engine.plan import Column, ColumnTest, Gated, leaf_numbers
from tocsin.logs.mapping import every_leaf
from tocsin.logs.whole import Whole

FREE_TEXT_LITERALS = 300
"""A column with more literals to find anywhere in it than this is free text, if they are most."""

_BROAD = 1.5
"""What a test costs that holds for most events."""
_SLOW = 2.0
"""What programs, lists and comparisons of two fields cost."""
_ANYWHERE = {Op.CONTAINS, Op.GLOB, Op.REGEX}


def leaf_costs(gated: Gated, tests: Mapping[int, ColumnTest]) -> dict[int, float]:
    """Return what it costs to evaluate leaves on every row; those that are not there cost nothing.

    It is a rank, not a time: the lower, the better an anchor.
    """
    free_text = _free_text(tests)
    costs = {at: _cost(leaf.predicate) for at, leaf in tests.items() if leaf.column in free_text}
    costs |= _costs_of_lifted(gated, tests)
    costs |= {at: _BROAD for at, leaf in tests.items() if _asks_for_kind(leaf)}
    return costs | {at: _SLOW for at, leaf in tests.items() if is_slow(leaf)}


def clause_cost(clause: Iterable[int], costs: Mapping[int, float]) -> float:
    """Return what it costs to evaluate a clause on every row."""
    return max(costs.get(number, 0.0) for number in clause)


def first_leaves(
    gated: Gated, clauses: Sequence[Sequence[frozenset[int]]], costs: Mapping[int, float]
) -> set[int]:
    """Return the leaves to evaluate on every row.

    `clauses` are those that each condition needs; one of each is made of the first leaves. Where
    that is none but of programs, the condition's other leaves are evaluated first: they may decide.
    """
    first = {number for number in gated.leaves if costs.get(number, 0.0) == 0.0}
    for condition, needed in zip(gated.conditions, clauses, strict=True):
        cheap = [clause for clause in needed if clause_cost(clause, costs) < _SLOW]
        if cheap:
            first |= min(cheap, key=lambda one: (clause_cost(one, costs), not one <= first))
        else:
            first.update(at for at in leaf_numbers(condition) if costs.get(at, 0.0) < _SLOW)
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


def _costs_of_lifted(gated: Gated, tests: Mapping[int, ColumnTest]) -> dict[int, float]:
    """Prefer what many conditions compare one value of a document with: others may hold much.

    What nearly every event has comes after that, lists and comparisons of two fields come last.
    """
    lifted = _lifted(gated, tests)
    equal = {at: leaf.column for at, leaf in lifted.items() if _is_equality(leaf)}
    asked = Counter(equal.values())
    costs = {at: 1.0 / (1 + asked[equal[at]]) if at in equal else 1.0 for at in lifted}
    costs |= {at: _BROAD for at, leaf in lifted.items() if _is_broad(leaf)}
    if lifted:
        costs |= {at: _SLOW for at in gated.leaves if at not in tests}
    return costs


def _lifted(gated: Gated, tests: Mapping[int, ColumnTest]) -> dict[int, ColumnTest]:
    """Return the tests of conditions of rules written in Python, which read whole documents."""
    signs = {at for at, leaf in tests.items() if _is_lifted(leaf.column)}
    found: dict[int, ColumnTest] = {}
    for condition in gated.conditions if signs else ():
        numbers = leaf_numbers(condition)
        if not signs.isdisjoint(numbers):
            found |= {at: tests[at] for at in numbers if at in tests}
    return found


def _is_lifted(column: Column) -> bool:
    if column.expr is None:
        return False
    whole = any(isinstance(one, Whole) for one in every_leaf(column.expr))
    return whole or any(call.name in PURE for call in column.via)


def _is_equality(leaf: ColumnTest) -> bool:
    return leaf.predicate.op is Op.EQUALS and not _is_broad(leaf)


def _is_broad(leaf: ColumnTest) -> bool:
    return leaf.predicate.op in {Op.EXISTS, Op.IS_NULL} or _asks_for_kind(leaf)


def _asks_for_kind(leaf: ColumnTest) -> bool:
    """Say whether a test asks for the kind of a value, which is the same in most events."""
    return any(call.name in {"kind", "truth"} for call in leaf.column.via)


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
