"""A condition in words and lines, for people."""

from tocsin.condition.functions import quote
from tocsin.condition.tree import (
    And,
    AnyElement,
    Call,
    Condition,
    Field,
    FieldsCompare,
    Glob,
    Not,
    Op,
    Or,
    Predicate,
    Regex,
    Value,
    Wild,
)

MAX_VALUES = 30
"""Values shown per predicate; how many more there are is said."""

_WORDS = {
    Op.EXISTS: "is there",
    Op.IS_NULL: "is null",
    Op.EQUALS: "is",
    Op.CONTAINS: "contains",
    Op.STARTSWITH: "starts with",
    Op.ENDSWITH: "ends with",
    Op.GLOB: "is like",
    Op.REGEX: "matches regex",
    Op.CIDR: "is in network",
    Op.LESS: "<",
    Op.LESS_OR_EQUAL: "≤",
    Op.GREATER: ">",
    Op.GREATER_OR_EQUAL: "≥",
}
_IMPLIED = {Call("text"), Call("number"), Call("leaves")}
"""Functions that say how a language reads values; people need not see them."""


def words_of(op: Op) -> str:
    """Return how an operator is said."""
    return _WORDS[op]


def describe(condition: Condition, indent: str = "") -> str:
    """Render a condition, one predicate per line, nested parts indented."""
    return "\n".join(f"{indent}{line}" for line in _lines(condition))


def in_one_line(condition: Condition) -> str:
    """Render a condition as one phrase; for the short ones of log types."""
    match condition:
        case And(parts) | Or(parts) if parts:
            word = " and " if isinstance(condition, And) else " or "
            return word.join(_bracketed(part) for part in parts)
        case Not(part):
            return f"not {_bracketed(part)}"
        case AnyElement(path, inner):
            return f"one element of {'.'.join(path)}: {_bracketed(inner)}"
        case Predicate():
            return phrase(condition)
        case _:
            return _lines(condition)[0]


def _bracketed(condition: Condition) -> str:
    text = in_one_line(condition)
    nested = isinstance(condition, And | Or) and len(condition.parts) > 1
    return f"({text})" if nested else text


def phrase(predicate: Predicate, shown: int = MAX_VALUES) -> str:
    """Render a predicate in one line, with the first of its values."""
    start, *values = _predicate(predicate, shown)
    listed = ", ".join(value.strip() for value in values)
    return f"{start} {listed}".rstrip()


def _lines(condition: Condition) -> list[str]:
    match condition:
        case And(()):
            return ["always"]
        case Or(()):
            return ["never"]
        case And(parts):
            return _block("all of", parts)
        case Or(parts):
            return _block("any of", parts)
        case Not(part):
            return _block("not", (part,))
        case AnyElement(path, inner):
            return _block(f"one element of {'.'.join(path)}:", (inner,))
        case FieldsCompare(left, op, right):
            return [f"{field_name(left)} {_WORDS[op]} {field_name(right)}"]
        case Predicate():
            return _predicate(condition, MAX_VALUES)


def _block(title: str, parts: tuple[Condition, ...]) -> list[str]:
    return [title, *(f"  {line}" for part in parts for line in _lines(part))]


def _predicate(predicate: Predicate, limit: int) -> list[str]:
    start = f"{field_name(predicate.field)} {_WORDS[predicate.op]}"
    if not predicate.values:
        return [start]
    case = "" if predicate.fold_case or not _has_text(predicate) else " (case matters)"
    shown = [value_text(value) for value in predicate.values[:limit]]
    if len(predicate.values) == 1:
        return [f"{start} {shown[0]}{case}"]
    more = len(predicate.values) - len(shown)
    lines = [f"{start} any of{case}", *(f"  {text}" for text in shown)]
    return [*lines, f"  … {more} more"] if more else lines


def _has_text(predicate: Predicate) -> bool:
    return predicate.op is not Op.CIDR and any(
        isinstance(value, str | Glob | Regex) for value in predicate.values
    )


def field_name(field: Field) -> str:
    """Return a field as people write it, its functions in brackets behind it."""
    name = ".".join(field.path) or "any value"
    calls = [_call(call) for call in field.via if call not in _IMPLIED]
    return f"{name} ({', '.join(calls)})" if calls else name


def _call(call: Call) -> str:
    """Return a function with its arguments; what a program does is not shown."""
    args = () if call.name == "python" else call.args
    return " ".join((call.name, *(quote(a) if isinstance(a, str) else str(a) for a in args)))


def plain_value(value: Value) -> str:
    """Return a value of a predicate as text, without quotes and slashes around it."""
    if isinstance(value, Glob):
        return "".join(part.value if isinstance(part, Wild) else part for part in value.parts)
    if isinstance(value, Regex):
        return value.pattern
    return value if isinstance(value, str) else str(value).lower()


def value_text(value: Value) -> str:
    """Return a value of a predicate as people write it."""
    text = plain_value(value)
    if isinstance(value, Regex):
        return f"/{text}/{value.flags}"
    return quote(text) if isinstance(value, str | Glob) else text
