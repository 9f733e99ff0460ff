"""A condition as rows of a page: groups that open and close, and tests with their values."""

from collections.abc import Iterator
from dataclasses import dataclass

from tocsin.condition.describe import field_name, phrase, plain_value, value_text, words_of
from tocsin.condition.tree import (
    And,
    AnyElement,
    Condition,
    FieldsCompare,
    Not,
    Or,
    Predicate,
    Regex,
    Value,
)

MOST_VALUES = 60
LONGEST_VALUE = 300
DEEPEST = 40
"""Groups inside each other that are drawn as such; what is deeper stands in one line."""


@dataclass(frozen=True, slots=True)
class ValueView:
    """A value of a test, as it is shown, and the query for rules that have it."""

    text: str
    query: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a condition: `open` and `close` of a group, or a `test`."""

    kind: str
    label: str = ""
    """Of a group: what must hold of its parts; of a test: how it compares."""
    group: str = ""
    """Of a group: `all`, `any`, `not` or `element`."""
    field: str = ""
    values: tuple[ValueView, ...] = ()
    more: int = 0
    case: bool = False
    """Capital and small letters differ."""


def logic_rows(condition: Condition) -> list[Row]:
    """Return the rows of a condition; a single test is a row alone."""
    return list(_rows(condition, "", 0))


def _rows(condition: Condition, above: str, depth: int) -> Iterator[Row]:
    match condition:
        case And(()):
            yield Row("test", "every event")
        case Or(()):
            yield Row("test", "no event")
        case And(parts):
            yield from _group("all", "all of", parts, above, depth)
        case Or(parts):
            yield from _group("any", "any of", parts, above, depth)
        case Not(part):
            parts = part.parts if isinstance(part, Or) and part.parts else (part,)
            label = "none of" if len(parts) > 1 else "not"
            yield from _group("not", label, parts, above, depth)
        case AnyElement(path, inner):
            parts = inner.parts if isinstance(inner, And) and inner.parts else (inner,)
            name = f"{above}{'.'.join(path)}"
            yield from _group("element", f"one element of {name} with", parts, "", depth)
        case Predicate():
            yield _test(condition, above)
        case FieldsCompare(left, op, right):
            other = ValueView(above + field_name(right))
            yield Row("test", words_of(op), field=above + field_name(left), values=(other,))


def _group(
    group: str, label: str, parts: tuple[Condition, ...], above: str, depth: int
) -> Iterator[Row]:
    yield Row("open", label, group)
    if depth >= DEEPEST:
        yield Row("test", "more groups than can be drawn")
    else:
        for part in parts:
            yield from _rows(part, above, depth + 1)
    yield Row("close")


def _test(predicate: Predicate, above: str) -> Row:
    shown = predicate.values[:MOST_VALUES]
    return Row(
        "test",
        words_of(predicate.op),
        field=above + field_name(predicate.field),
        values=tuple(map(_value, shown)),
        more=len(predicate.values) - len(shown),
        case="case matters" in phrase(predicate, 1),
    )


def _value(value: Value) -> ValueView:
    text = value_text(value) if isinstance(value, Regex) else plain_value(value) or '""'
    if len(text) > LONGEST_VALUE:
        return ValueView(f"{text[:LONGEST_VALUE]}… {len(text) - LONGEST_VALUE:,} more characters")
    return ValueView(text, value_query(plain_value(value)))


def value_query(value: str) -> str:
    """Return the query for rules that test for a value, in any field; empty if none can say it."""
    quoted = quote(value)
    return f"value={quoted}" if quoted and "*" not in value else ""


def quote(text: str) -> str:
    """Quote a text for a query; empty for one that has both kinds of quotes, or is too long."""
    if not text or len(text) > LONGEST_VALUE:
        return ""
    mark = "'" if '"' in text else '"'
    return "" if mark in text else f"{mark}{text}{mark}"
