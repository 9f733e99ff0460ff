"""Conditions of the engine, put together from parts."""

from collections.abc import Iterable
from decimal import Decimal

from tocsin.condition.tree import (
    FALSE as NEVER,
)
from tocsin.condition.tree import (
    TRUE as ALWAYS,
)
from tocsin.condition.tree import (
    And as AllOf,
)
from tocsin.condition.tree import (
    Call,
    Condition,
    Field,
    Glob,
    Predicate,
    Wild,
)
from tocsin.condition.tree import (
    Not as NoneOf,
)
from tocsin.condition.tree import (
    Or as AnyOf,
)


def via(field_: Field, *calls: Call) -> Field:
    """Return a field with more functions."""
    return Field(field_.path, (*field_.via, *calls))


def exact_number(value: float) -> int | Decimal | None:
    """Return a number of Python as conditions compare it; None if it is infinite or none."""
    if isinstance(value, int):
        return int(value)
    found = Decimal(value)
    if not found.is_finite():
        return None
    return int(found) if found == found.to_integral_value() else found


def glob_of(pattern: str) -> Glob:
    """Read a pattern of `fnmatch` without brackets."""
    parts: list[str | Wild] = []
    wild = {"*": Wild.ANY, "?": Wild.ONE}
    for char in pattern:
        if char in wild:
            parts.append(wild[char])
        elif parts and isinstance(parts[-1], str):
            parts[-1] += char
        else:
            parts.append(char)
    return Glob(tuple(parts))


def all_of(parts: Iterable[Condition]) -> Condition:
    """Join conditions that must all hold."""
    return _joined(AllOf, parts, ALWAYS, NEVER)


def any_of(parts: Iterable[Condition]) -> Condition:
    """Join conditions of which one must hold."""
    return _joined(AnyOf, parts, NEVER, ALWAYS)


def _joined(
    kind: type[AllOf] | type[AnyOf],
    parts: Iterable[Condition],
    neutral: Condition,
    absorbing: Condition,
) -> Condition:
    flat: dict[int, Condition] = {}
    for part in parts:
        if part is absorbing:
            return absorbing
        for one in part.parts if isinstance(part, kind) else (part,):
            flat[id(one)] = one
    found = list(flat.values()) if kind is AllOf else _merged(flat.values())
    return found[0] if len(found) == 1 else kind(tuple(found)) if found else neutral


def _merged(parts: Iterable[Condition]) -> list[Condition]:
    """Make one predicate of alternatives that differ in their values only."""
    merged: dict[object, Condition] = {}
    for part in parts:
        if not isinstance(part, Predicate) or not part.values:
            merged[id(part)] = part
            continue
        key = (part.field, part.op)
        seen = merged.get(key)
        values = seen.values if isinstance(seen, Predicate) else ()
        both = {(type(value), value): value for value in values + part.values}
        merged[key] = Predicate(part.field, part.op, tuple(both.values()))
    return list(merged.values())


def none_of(part: Condition) -> Condition:
    """Return the opposite of a condition."""
    if isinstance(part, NoneOf):
        return part.part
    if part == ALWAYS:
        return NEVER
    return ALWAYS if part == NEVER else NoneOf(part)


def parts_behind(condition: Condition, left: int) -> int:
    """Return how many of a number of parts are left behind those of a condition; negative: none."""
    left -= 1
    if isinstance(condition, AllOf | AnyOf):
        for part in condition.parts:
            if left < 0:
                break
            left = parts_behind(part, left)
    elif isinstance(condition, NoneOf):
        left = parts_behind(condition.part, left)
    return left
