"""Small expressions that say what a field name means in one shape of a log type.

Log-type files write them (`logs/types/*.yaml`, `docs/log-types.md`); `read` evaluates one on one
record, `engine/columns.py` on a batch, both with the same result.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from tocsin.condition.functions import apply, find_key, fold, text_of
from tocsin.condition.tree import Call, Condition, fields
from tocsin.jsontext import Json
from tocsin.logs.respelled import Respelled
from tocsin.logs.values import Values
from tocsin.logs.whole import Whole


@dataclass(frozen=True, slots=True)
class Path:
    """The values at an exact path."""

    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Name:
    """The values of a name that the log type does not declare: the record's own keys decide."""

    name: str


@dataclass(frozen=True, slots=True)
class First:
    """The first part that is there and neither null nor empty; else the first that is there."""

    parts: tuple["Expr", ...]


@dataclass(frozen=True, slots=True)
class All:
    """The values of every part together."""

    parts: tuple["Expr", ...]


@dataclass(frozen=True, slots=True)
class Const:
    """A fixed string."""

    value: str


@dataclass(frozen=True, slots=True)
class Table:
    """Look texts up, ignoring case; a text that is not listed gives `default`, or itself."""

    of: "Expr"
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    default: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class When:
    """One of two expressions, by a condition over exact paths."""

    condition: Condition
    then: "Expr"
    otherwise: "Expr | None" = None


@dataclass(frozen=True, slots=True)
class Via:
    """The values of an expression, sent through functions."""

    of: "Expr"
    calls: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class Merged:
    """The object that an expression reads, with values of others put at paths of keys in it.

    Where such a path leads, ignoring case, nothing else is.
    """

    outer: "Expr"
    inner: "tuple[tuple[tuple[str, ...], Expr], ...]"
    """The shortest paths first."""


Leaf: TypeAlias = Path | Name | Respelled | Whole
Expr: TypeAlias = Leaf | First | All | Const | Table | When | Via | Merged


ABSENT: Expr = First(())
"""What is never there."""


def every_leaf(expr: Expr) -> Iterator[Leaf]:
    """Yield every path and name that an expression can read, whatever the record."""
    match expr:
        case Path() | Name() | Respelled() | Whole():
            yield expr
        case First(parts) | All(parts):
            for part in parts:
                yield from every_leaf(part)
        case Table(of) | Via(of):
            yield from every_leaf(of)
        case When(condition, then, otherwise):
            yield from (Path(field.path) for field in fields(condition))
            yield from every_leaf(then)
            if otherwise is not None:
                yield from every_leaf(otherwise)
        case Merged(outer, inner):
            for part in (outer, *(part for _, part in inner)):
                yield from every_leaf(part)
        case Const():
            pass


@dataclass(frozen=True, slots=True)
class Reader:
    """How to read one record: paths, undeclared names and conditions over paths."""

    path: Callable[[tuple[str, ...]], Values]
    name: Callable[[str], Values]
    respelled: Callable[[Respelled], Values]
    whole: Callable[[Whole], Values]
    holds: Callable[[Condition], bool]


def read(expr: Expr, reader: Reader) -> Values:
    """Evaluate an expression on one record."""
    match expr:
        case Path(path):
            return reader.path(path)
        case Name(name):
            return reader.name(name)
        case Respelled():
            return reader.respelled(expr)
        case Whole():
            return reader.whole(expr)
        case Const(value):
            return [value]
        case First(parts):
            return first(read(part, reader) for part in parts)
        case All(parts):
            found = [values for part in parts if (values := read(part, reader)) is not None]
            return [value for values in found for value in values] if found else None
        case When(condition, then, otherwise):
            chosen = then if reader.holds(condition) else otherwise
            return None if chosen is None else read(chosen, reader)
        case Table(of):
            return translate(expr, read(of, reader))
        case Via(of, calls):
            return send_through(calls, read(of, reader))
        case Merged(outer, inner):
            return merge(read(outer, reader), [(keys, read(part, reader)) for keys, part in inner])


def first(alternatives: Iterable[Values]) -> Values:
    """Choose as `First` does."""
    fallback: Values = None
    for values in alternatives:
        if values is None:
            continue
        if is_filled(values):
            return values
        fallback = values if fallback is None else fallback
    return fallback


def is_filled(values: Sequence[object]) -> bool:
    """Say whether any value is neither null nor empty."""
    return any(value not in (None, "", [], {}) for value in values)


def translate(table: Table, values: Values) -> Values:
    """Look values up as `Table` does; nothing left reads as absent."""
    if values is None:
        return None
    rows = {fold(key): results for key, results in table.rows}
    found: list[Json] = []
    for value in values:
        for text in text_of(value):
            default = (text,) if table.default is None else table.default
            found.extend(rows.get(fold(text), default))
    return found or None


def send_through(calls: tuple[Call, ...], values: Values) -> Values:
    """Run functions over values; nothing left reads as absent."""
    if values is None:
        return None
    results: list[Json] = apply(calls, values)  # type: ignore[assignment]
    return results or None


def merge(outer: Values, inner: Iterable[tuple[tuple[str, ...], Values]]) -> Values:
    """Put values into an object as `Merged` does; nothing at all reads as absent."""
    value = None if outer is None else one_or_all(outer)
    present = outer is not None
    for keys, values in inner:
        if values is not None:
            present = True
        value = _put(value, keys, values)
    return [value] if present else None


def one_or_all(values: Sequence[Json]) -> Json:
    """Return a value as it is, several as a list."""
    return values[0] if len(values) == 1 else list(values)


def _put(value: Json, keys: tuple[str, ...], values: Values) -> Json:
    """Return an object with a value in it, and without what stood there."""
    if not keys:
        return None if values is None else one_or_all(values)
    if values is None and not isinstance(value, dict):
        return value
    known = value if isinstance(value, dict) else {}
    found = find_key(known, keys[0])
    below = _put(known.get(found) if found is not None else None, keys[1:], values)
    small = keys[0].lower()
    kept = {key: item for key, item in known.items() if key.lower() != small}
    if values is None and (len(keys) == 1 or found is None):
        return kept
    return {**kept, keys[0]: below}
