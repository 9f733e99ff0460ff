"""Simplify a condition without changing what it means."""

from collections.abc import Callable

from tocsin.condition.tree import (
    FALSE,
    TRUE,
    And,
    AnyElement,
    Condition,
    FieldsCompare,
    Leaf,
    Not,
    Op,
    Or,
    Predicate,
    Value,
)


def simplify(condition: Condition) -> Condition:
    """Flatten nested And/Or, drop repeats and constants, merge like predicates under Or."""
    return substitute(condition, lambda leaf: leaf)


def substitute(condition: Condition, replace: Callable[[Leaf], Condition]) -> Condition:
    """Replace every predicate and simplify what comes out: partial evaluation with known leaves."""
    if isinstance(condition, Predicate | FieldsCompare):
        return replace(condition)
    if isinstance(condition, Not):
        return _negate(substitute(condition.part, replace))
    if isinstance(condition, AnyElement):
        inner = simplify(condition.condition)
        return FALSE if inner == FALSE else AnyElement(condition.path, inner)
    parts = [substitute(part, replace) for part in condition.parts]
    if isinstance(condition, And):
        return _join(And, parts, neutral=TRUE, absorbing=FALSE)
    return _merge(_join(Or, parts, neutral=FALSE, absorbing=TRUE))


def _negate(part: Condition) -> Condition:
    if isinstance(part, Not):
        return part.part
    if part == TRUE:
        return FALSE
    return TRUE if part == FALSE else Not(part)


def _join(
    kind: type[And] | type[Or],
    parts: list[Condition],
    *,
    neutral: Condition,
    absorbing: Condition,
) -> Condition:
    flat: dict[Condition, None] = {}
    for part in parts:
        if part == absorbing:
            return absorbing
        if isinstance(part, kind):
            flat.update(dict.fromkeys(part.parts))
        else:
            flat[part] = None
    if len(flat) == 1:
        return next(iter(flat))
    return kind(tuple(flat)) if flat else neutral


def _merge(condition: Condition) -> Condition:
    """Make one predicate of those under an Or that differ in their values only."""
    if not isinstance(condition, Or):
        return condition
    merged: dict[object, Condition] = {}
    for part in condition.parts:
        if not isinstance(part, Predicate) or part.op in {Op.EXISTS, Op.IS_NULL}:
            merged[part] = part
            continue
        key = (part.field, part.op, part.fold_case)
        seen = merged.get(key)
        values: tuple[Value, ...] = seen.values if isinstance(seen, Predicate) else ()
        both = tuple({_typed(value): value for value in values + part.values}.values())
        merged[key] = Predicate(part.field, part.op, both, part.fold_case)
    if len(merged) == 1:
        return next(iter(merged.values()))
    return Or(tuple(merged.values()))


def _typed(value: Value) -> tuple[bool, Value]:
    return isinstance(value, bool), value
