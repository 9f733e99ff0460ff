"""The tree of a KQL query: what was written, before types say what it means.

Trees are canonical: text that reads the same gives equal trees, and `render` gives text that reads
as the tree. `And` and `Or` have two parts or more; a group in parentheses is a node of its own.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from tocsin.condition.tree import Wild


@dataclass(frozen=True, slots=True)
class Quoted:
    """Text in quotes, its escapes resolved; an asterisk in it is an asterisk."""

    text: str


@dataclass(frozen=True, slots=True)
class Bare:
    """Text without quotes: literal text, never empty, and `Wild.ANY` in order.

    No two texts follow each other. The whole has no blanks around it but escaped ones.
    """

    parts: tuple[str | Wild, ...]


@dataclass(frozen=True, slots=True)
class Constant:
    """An unquoted `true`, `false` or `null` as a value."""

    value: bool | None


Name: TypeAlias = Quoted | Bare
"""The name of a field; a bare one may hold wildcards."""

Value: TypeAlias = Quoted | Bare | Constant


@dataclass(frozen=True, slots=True)
class AllOf:
    """Values joined by `and`."""

    parts: tuple["Values", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Values joined by `or`."""

    parts: tuple["Values", ...]


@dataclass(frozen=True, slots=True)
class NoneOf:
    """A value, or a list of values, behind `not`."""

    part: "Values"


Values: TypeAlias = Value | AllOf | AnyOf | NoneOf


class Order(StrEnum):
    """How a range compares."""

    LESS = "<"
    LESS_OR_EQUAL = "<="
    GREATER = ">"
    GREATER_OR_EQUAL = ">="


@dataclass(frozen=True, slots=True)
class Everything:
    """The empty query."""


@dataclass(frozen=True, slots=True)
class Compare:
    """A field and what its values are compared with: `field: value`, `field: (a or b)`."""

    field: Name
    values: Values


@dataclass(frozen=True, slots=True)
class Exists:
    """A field that has a value: `field: *`."""

    field: Name


@dataclass(frozen=True, slots=True)
class Range:
    """A field and a bound: `field >= 5`."""

    field: Name
    order: Order
    bound: Value


@dataclass(frozen=True, slots=True)
class Nested:
    """A query on one element of an array of objects: `path: { query }`."""

    path: Name
    query: "Query"


@dataclass(frozen=True, slots=True)
class FreeText:
    """A value without a field."""

    value: Value


@dataclass(frozen=True, slots=True)
class And:
    """Queries joined by `and`."""

    parts: tuple["Query", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Queries joined by `or`."""

    parts: tuple["Query", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """A query behind `not`."""

    part: "Query"


Query: TypeAlias = Everything | Compare | Exists | Range | Nested | FreeText | And | Or | Not
Node: TypeAlias = Query | Values

ANYTHING = Bare((Wild.ANY,))
"""The value `*`."""


def below(node: Node) -> tuple[Node, ...]:
    """Return the nodes right below a node."""
    match node:
        case And(parts) | Or(parts) | AllOf(parts) | AnyOf(parts):
            return parts
        case Not(part) | NoneOf(part):
            return (part,)
        case Nested(_, query):
            return (query,)
        case Compare(_, values):
            return (values,)
        case _:
            return ()


def walk(query: Query) -> Iterator[tuple[Node, int]]:
    """Yield every node with its depth, the query's being 1, in no order that means anything."""
    waiting: list[tuple[Node, int]] = [(query, 1)]
    while waiting:
        node, depth = waiting.pop()
        yield node, depth
        waiting += [(one, depth + 1) for one in below(node)]
