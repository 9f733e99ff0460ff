"""Dates that are relative to now, kept as they are written until a rule is to run.

In a condition such a date is a text where a fixed one is a number of milliseconds.
"""

from collections.abc import Mapping
from datetime import datetime

from tocsin.condition.tree import And, AnyElement, Call, Condition, Field, Not, Op, Or, Predicate
from tocsin.rules.elastic.kql.dates import EPOCH, Rounding, resolve_date

MOMENT = (Call("moment"),)

ROUNDINGS: Mapping[Op, Rounding] = {
    Op.LESS: Rounding.DOWN,
    Op.LESS_OR_EQUAL: Rounding.UP,
    Op.GREATER: Rounding.UP,
    Op.GREATER_OR_EQUAL: Rounding.DOWN,
}
"""To which end of its unit a bound is rounded, by how it compares."""


def is_relative(text: str) -> bool:
    """Say whether a text is a date relative to now."""
    return text.startswith("now") and resolve_date(text, EPOCH, Rounding.DOWN) is not None


def fix_dates(condition: Condition, now: datetime) -> Condition:
    """Return a condition with its relative dates fixed; the same one if it has none."""
    match condition:
        case Predicate(field) if field.via[:1] == MOMENT:
            return _fix(condition, now)
        case And(parts) | Or(parts):
            fixed = tuple(fix_dates(part, now) for part in parts)
            changed = any(one is not part for one, part in zip(fixed, parts, strict=True))
            return type(condition)(fixed) if changed else condition
        case Not(part):
            inner = fix_dates(part, now)
            return condition if inner is part else Not(inner)
        case AnyElement(path, part):
            inner = fix_dates(part, now)
            return condition if inner is part else AnyElement(path, inner)
        case _:
            return condition


def _fix(predicate: Predicate, now: datetime) -> Predicate:
    if not any(isinstance(value, str) for value in predicate.values):
        return predicate
    rounding = ROUNDINGS[predicate.op]
    values = tuple(
        _resolve(value, now, rounding) if isinstance(value, str) else value
        for value in predicate.values
    )
    field = Field(predicate.field.path, tuple(_fix_call(call, now) for call in predicate.field.via))
    return Predicate(field, predicate.op, values, predicate.fold_case)


def _fix_call(call: Call, now: datetime) -> Call:
    if call.name != "within":
        return call
    ends = zip(call.args, (Rounding.DOWN, Rounding.UP), strict=True)
    return Call("within", tuple(_resolve(str(arg), now, rounding) for arg, rounding in ends))


def _resolve(text: str, now: datetime, rounding: Rounding) -> int:
    found = resolve_date(text, now, rounding)
    assert found is not None
    return found
