"""A KQL tree → text that reads as the same tree."""

import re

from tocsin.condition.tree import Wild
from tocsin.rules.elastic.kql.parse import CONSTANTS
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

_WORDS = {value: word for word, value in CONSTANTS.items()}
_SPECIAL = re.compile(r'[\\():<>"*{}]|[^\S ]')
_KEYWORD = re.compile(r"(?<![^ ])(and|or|not)(?![^ ])", re.IGNORECASE)
_EDGE = re.compile(r"\A +| +\Z")


def render(query: Query) -> str:
    """Return the text of a query."""
    match query:
        case Everything():
            return ""
        case And(parts):
            return " and ".join(_part(part, (And, Or)) for part in parts)
        case Or(parts):
            return " or ".join(_part(part, (Or,)) for part in parts)
        case Not(part):
            return f"not {_part(part, (And, Or, Not))}"
        case Compare(field, values):
            return f"{_text(field)}: {_list(values)}"
        case Exists(field):
            return f"{_text(field)}: *"
        case Range(field, order, bound):
            return f"{_text(field)} {order} {_text(bound)}"
        case Nested(path, inner):
            return f"{_text(path)}: {{ {render(inner)} }}"
        case FreeText(value):
            return _text(value)


def _part(query: Query, grouped: tuple[type, ...]) -> str:
    return f"({render(query)})" if isinstance(query, grouped) else render(query)


def _list(values: Values) -> str:
    return _text(values) if isinstance(values, Quoted | Bare | Constant) else f"({_values(values)})"


def _values(values: Values) -> str:
    match values:
        case AllOf(parts):
            return " and ".join(_value(part, (AllOf, AnyOf)) for part in parts)
        case AnyOf(parts):
            return " or ".join(_value(part, (AnyOf,)) for part in parts)
        case NoneOf(part):
            return f"not {_value(part, (AllOf, AnyOf, NoneOf))}"
        case _:
            return _text(values)


def _value(values: Values, grouped: tuple[type, ...]) -> str:
    return f"({_values(values)})" if isinstance(values, grouped) else _values(values)


def _text(value: Value | Name) -> str:
    match value:
        case Constant(constant):
            return _WORDS[constant]
        case Quoted(text):
            return _quote(text)
        case Bare((str(only),)) if only in CONSTANTS:
            return _code(only[0]) + only[1:]
        case Bare(parts):
            return _bare("".join(map(_escape, parts)))


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _bare(text: str) -> str:
    """Escape what would be a keyword, and the blanks that would be trimmed."""
    text = _KEYWORD.sub(lambda word: f"\\{word[0]}", text)
    return _EDGE.sub(lambda blanks: _code(" ") * len(blanks[0]), text)


def _escape(part: str | Wild) -> str:
    return "*" if isinstance(part, Wild) else _SPECIAL.sub(lambda found: _plain(found[0]), part)


def _plain(character: str) -> str:
    return _code(character) if character.isspace() else f"\\{character}"


def _code(character: str) -> str:
    return f"\\u{ord(character):04x}"
