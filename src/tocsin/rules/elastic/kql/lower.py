"""A KQL tree → a condition, with the types of the fields made explicit.

A field's name becomes a field of one name; what it reads from a record is the vocabulary's to say.
Keywords are compared as text, and case matters.
"""

from dataclasses import dataclass, field
from datetime import datetime

from tocsin.condition import tree as conditions
from tocsin.condition.simplify import simplify
from tocsin.condition.tree import TRUE, AnyElement, Condition, Wild
from tocsin.errors import RuleError
from tocsin.rules.elastic.kql.readings import READINGS, Asked, exists, text_of
from tocsin.rules.elastic.kql.tree import (
    AllOf,
    And,
    AnyOf,
    Bare,
    Compare,
    Constant,
    Everything,
    Exists,
    FreeText,
    Name,
    Nested,
    NoneOf,
    Not,
    Or,
    Query,
    Quoted,
    Range,
    Value,
    Values,
)
from tocsin.rules.elastic.kql.types import TypeOf

MAX_TEXT = 16 * 1024
"""The characters that a value may have."""


@dataclass(frozen=True, slots=True)
class Lowered:
    """What a query means, and what its reader should know."""

    condition: Condition
    warnings: tuple[str, ...]
    """Sentences on values that never match, or not as their author may think."""
    names: tuple[str, ...]
    """The fields that are read, in order of the query; those in a nested query with their path."""
    wildcard_fields: tuple[str, ...]
    """Of `names` those that are patterns: each `*` stands for any text.

    They stand in the condition as names; the vocabulary has to read all fields that match.
    """


def lower(query: Query, type_of: TypeOf, now: datetime | None) -> Lowered:
    """Lower a query; dates relative to `now` are fixed by it, or later (`relative.py`) if None.

    Raises `RuleError` for what cannot be said exactly: a value without a field, a nested query in
    another, wildcards in the names of a nested query, ranges of analysed text or booleans.
    """
    lowering = _Lowering(type_of, now)
    condition = simplify(lowering.query(query, ""))
    return Lowered(
        condition, tuple(lowering.warnings), tuple(lowering.names), tuple(lowering.patterns)
    )


@dataclass(slots=True)
class _Lowering:
    type_of: TypeOf
    now: datetime | None
    warnings: dict[str, None] = field(default_factory=dict)
    names: dict[str, None] = field(default_factory=dict)
    patterns: dict[str, None] = field(default_factory=dict)

    def query(self, query: Query, inside: str) -> Condition:
        """Lower a query; `inside` is the path of the nested query it is in, or empty."""
        match query:
            case Everything():
                return TRUE
            case And(parts):
                return conditions.And(tuple(self.query(part, inside) for part in parts))
            case Or(parts):
                return conditions.Or(tuple(self.query(part, inside) for part in parts))
            case Not(part):
                return conditions.Not(self.query(part, inside))
            case Compare(name, values):
                return self.values(self.ask(name, inside), values)
            case Exists(name):
                return TRUE if _is_everything(name) else exists(self.ask(name, inside))
            case Range(name, order, bound):
                asked = self.ask(name, inside)
                return READINGS[self.type_of(asked.name)].bound(asked, order, text_of(bound))
            case Nested(path, part):
                return self.nested(path, part, inside)
            case FreeText(value):
                reason = "a value without a field: which fields it searches is not known here"
                raise RuleError(f"{text_of(value)}: {reason}; write field: value")

    def nested(self, path: Name, query: Query, inside: str) -> Condition:
        """Lower a nested query to one on the elements of an array."""
        if inside:
            raise RuleError(f"{text_of(path)}: a nested query in another is not supported")
        asked = self.ask(path, "")
        if asked.name in self.patterns:
            raise RuleError(f"{asked.name}: wildcards in the path of a nested query")
        return AnyElement(asked.path, self.query(query, asked.name))

    def ask(self, name: Name, inside: str) -> Asked:
        """Return a field to be read, and note its name."""
        text = text_of(name)
        pattern = isinstance(name, Bare) and Wild.ANY in name.parts
        if _holds_asterisk(name):
            raise RuleError(f"{text}: an asterisk as part of a field's name is not supported")
        if pattern and inside:
            raise RuleError(f"{inside}: wildcards in field names of a nested query: {text}")
        full = f"{inside}.{text}" if inside else text
        self.names[full] = None
        if pattern:
            self.patterns[full] = None
        path = tuple(text.split(".")) if inside else (text,)
        return Asked(full, path, self.now, self.warn)

    def warn(self, sentence: str) -> None:
        """Note a warning."""
        self.warnings[sentence] = None

    def values(self, asked: Asked, values: Values) -> Condition:
        """Lower a list of values: each part is about any value of the field."""
        match values:
            case AllOf(parts):
                return conditions.And(tuple(self.values(asked, part) for part in parts))
            case AnyOf(parts):
                plain = [one for one in parts if isinstance(one, Quoted | Bare | Constant)]
                rest = [one for one in parts if not isinstance(one, Quoted | Bare | Constant)]
                listed = tuple(self.values(asked, part) for part in rest)
                return conditions.Or((self.any_of(asked, plain), *listed))
            case NoneOf(part):
                return conditions.Not(self.values(asked, part))
            case _:
                return self.any_of(asked, [values])

    def any_of(self, asked: Asked, values: list[Value]) -> Condition:
        """Lower alternative values; `*` among them asks for any value."""
        if any(len(text_of(value)) > MAX_TEXT for value in values):
            raise RuleError(f"{asked.name}: a value is longer than {MAX_TEXT:,} characters")
        compared = [value for value in values if not _is_everything(value)]
        present = (exists(asked),) if len(compared) < len(values) else ()
        reading = READINGS[self.type_of(asked.name)]
        return conditions.Or((*present, *((reading.any_of(asked, compared),) if compared else ())))


def _is_everything(value: Value) -> bool:
    return isinstance(value, Bare) and all(isinstance(part, Wild) for part in value.parts)


def _holds_asterisk(name: Name) -> bool:
    texts = name.parts if isinstance(name, Bare) else (name.text,)
    return any("*" in text for text in texts if isinstance(text, str))
