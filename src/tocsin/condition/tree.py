"""The condition tree: what every rule language is lowered to, and all that the engine knows.

The tree is two-valued: a predicate is true or false on every event, never unknown. What a language
says of nulls and types is lowered into the tree by that language's folder.

A `Field` reads zero or more *values* from an event (see `tocsin.logs.values`). A predicate on it is
true if it holds for at least one of them, so its negation says that it holds for none.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, StrEnum
from typing import TypeAlias


class Op(StrEnum):
    """How a predicate compares. String operators are false on values that are not strings."""

    EXISTS = "exists"
    """The field is there, be it null or an empty array; takes no values."""
    IS_NULL = "is_null"
    """The field is there and null; takes no values."""
    EQUALS = "equals"
    """Same type and same value; numbers compare by value, exactly."""
    CONTAINS = "contains"
    STARTSWITH = "startswith"
    ENDSWITH = "endswith"
    GLOB = "glob"
    """The whole string matches; see `Glob`."""
    REGEX = "regex"
    """An RE2 pattern is found anywhere in the string; see `Regex`."""
    CIDR = "cidr"
    """The string is an address inside the network."""
    LESS = "less"
    LESS_OR_EQUAL = "less_or_equal"
    GREATER = "greater"
    GREATER_OR_EQUAL = "greater_or_equal"


@dataclass(frozen=True, slots=True)
class Call:
    """One function of a `via` chain, by its registered name (`condition/functions.py`)."""

    name: str
    args: tuple[str | int, ...] = ()


@dataclass(frozen=True, slots=True)
class Field:
    """Where values come from: a path of keys, then pure functions on each value.

    A path of one key is a *name*: the log type and the record say what it means (`logs/`). Longer
    paths are read key by key. The empty path is the whole event.
    """

    path: tuple[str, ...]
    via: tuple[Call, ...] = ()


class Wild(Enum):
    """The two wildcards of a `Glob`; both match line breaks too."""

    ANY = "*"
    ONE = "?"


@dataclass(frozen=True, slots=True)
class Glob:
    """A pattern for whole strings: literal text and wildcards in order."""

    parts: tuple[str | Wild, ...]


@dataclass(frozen=True, slots=True)
class Regex:
    """An RE2 pattern and its flags, any of `i`, `m` and `s`."""

    pattern: str
    flags: str = ""


Value: TypeAlias = "str | int | Decimal | bool | Glob | Regex"


@dataclass(frozen=True, slots=True)
class Predicate:
    """True if any value of the field compares with any of `values`.

    `fold_case` compares strings after `functions.fold`. It does not touch regexes and networks.
    """

    field: Field
    op: Op
    values: tuple[Value, ...] = ()
    fold_case: bool = False

    def __eq__(self, other: object) -> bool:
        """Compare the types of the operands too: to Python 1 is true."""
        return isinstance(other, Predicate) and self._typed() == other._typed()

    def _typed(self) -> tuple[object, ...]:
        types = tuple(map(type, self.values))
        return self.field, self.op, self.values, self.fold_case, types


@dataclass(frozen=True, slots=True)
class FieldsCompare:
    """True if any value of `left` compares with any value of `right` of the same event."""

    left: Field
    op: Op
    right: Field
    fold_case: bool = False


@dataclass(frozen=True, slots=True)
class And:
    """True if every part is; `And(())` is true."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """True if any part is; `Or(())` is false."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """True if the part is not."""

    part: "Condition"


@dataclass(frozen=True, slots=True)
class AnyElement:
    """True if one object of the array at `path` meets `condition`, whose fields start there."""

    path: tuple[str, ...]
    condition: "Condition"


Leaf: TypeAlias = Predicate | FieldsCompare
Condition: TypeAlias = And | Or | Not | AnyElement | Predicate | FieldsCompare

TRUE = And(())
FALSE = Or(())


def leaves(condition: Condition) -> list[Leaf]:
    """Return every predicate of a condition in order, those inside `AnyElement` left out."""
    if isinstance(condition, Predicate | FieldsCompare):
        return [condition]
    if isinstance(condition, And | Or):
        return [leaf for part in condition.parts for leaf in leaves(part)]
    return leaves(condition.part) if isinstance(condition, Not) else []


def fields(condition: Condition) -> list[Field]:
    """Return every field a condition reads, with repeats; of an `AnyElement` its array."""
    if isinstance(condition, Predicate):
        return [condition.field]
    if isinstance(condition, FieldsCompare):
        return [condition.left, condition.right]
    if isinstance(condition, And | Or):
        return [field for part in condition.parts for field in fields(part)]
    return fields(condition.part) if isinstance(condition, Not) else [Field(condition.path)]
