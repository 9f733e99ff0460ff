"""Rules as plain JSON data and back, for the cache on disk; never pickle."""

from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeAlias

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
from tocsin.rules.model import Indices, Input, LogSource, Rule, Scope, Severity, Technique, Verdict

Data: TypeAlias = Any
"""What JSON can hold; its shape is known to this module only."""

_TEXTS = ("id", "name", "ecosystem", "kind", "pack", "path", "digest", "status", "description")
_OPTIONAL = ("license", "date", "modified", "guide")
_LISTS = ("author", "tags", "references", "false_positives", "reasons", "notes")


def encode_rule(rule: Rule) -> Data:
    """Turn a rule into JSON data."""
    return [
        [getattr(rule, name) for name in _TEXTS],
        [getattr(rule, name) for name in _OPTIONAL],
        [list(getattr(rule, name)) for name in _LISTS],
        rule.severity.value,
        rule.verdict.value,
        [[one.tactic, one.technique] for one in rule.attack],
        [_encode_input(one) for one in rule.inputs],
    ]


def decode_rule(data: Data) -> Rule:
    """Turn JSON data back into a rule."""
    texts, optional, lists, severity, verdict, attack, inputs = data
    plain: dict[str, Any] = {
        **dict(zip(_TEXTS, texts, strict=True)),
        **dict(zip(_OPTIONAL, optional, strict=True)),
        **dict(zip(_LISTS, map(tuple, lists), strict=True)),
    }
    return Rule(
        **plain,
        severity=Severity(severity),
        verdict=Verdict(verdict),
        attack=tuple(Technique(*one) for one in attack),
        inputs=tuple(map(_decode_input, inputs)),
    )


def _encode_input(one: Input) -> Data:
    return [_encode_scope(one.scope), one.vocabulary, encode_condition(one.condition)]


def _encode_scope(scope: Scope) -> Data:
    if isinstance(scope, Indices):
        return {"indices": list(scope.patterns)}
    return [scope.product, scope.category, scope.service]


def _decode_input(data: Data) -> Input:
    scope, vocabulary, condition = data
    return Input(decode_condition(condition), _decode_scope(scope), vocabulary)


def _decode_scope(data: Data) -> Scope:
    return Indices(tuple(data["indices"])) if isinstance(data, dict) else LogSource(*data)


def encode_condition(condition: Condition) -> Data:
    """Turn a condition into JSON data."""
    match condition:
        case Predicate(field, op, values, fold_case):
            return [
                "p",
                *_encode_field(field),
                op.value,
                fold_case,
                list(map(_encode_value, values)),
            ]
        case FieldsCompare(left, op, right, fold_case):
            return ["c", *_encode_field(left), op.value, fold_case, *_encode_field(right)]
        case And(parts):
            return ["a", *map(encode_condition, parts)]
        case Or(parts):
            return ["o", *map(encode_condition, parts)]
        case Not(part):
            return ["n", encode_condition(part)]
        case AnyElement(path, inner):
            return ["e", path, encode_condition(inner)]


def decode_condition(data: Data) -> Condition:
    """Turn JSON data back into a condition."""
    kind = data[0]
    if kind == "p":
        _, path, via, op, fold_case, values = data
        decoded = tuple(v if type(v) is str else _decode_value(v) for v in values)
        return Predicate(_decode_field(path, via), Op(op), decoded, fold_case)
    if kind == "c":
        _, path, via, op, fold_case, other_path, other_via = data
        left, right = _decode_field(path, via), _decode_field(other_path, other_via)
        return FieldsCompare(left, Op(op), right, fold_case)
    if kind == "n":
        return Not(decode_condition(data[1]))
    if kind == "e":
        return AnyElement(tuple(data[1]), decode_condition(data[2]))
    parts = tuple(map(decode_condition, data[1:]))
    return And(parts) if kind == "a" else Or(parts)


def _encode_field(field: Field) -> tuple[Data, Data]:
    return list(field.path), [[call.name, *call.args] for call in field.via]


def _decode_field(path: Sequence[str], via: Sequence[Sequence[str | int]]) -> Field:
    return _field(tuple(path), tuple(map(tuple, via)))


@lru_cache(maxsize=10_000)
def _field(path: tuple[str, ...], via: tuple[tuple[str | int, ...], ...]) -> Field:
    return Field(
        path, tuple(Call(str(name), args) for name, *args_ in via for args in [tuple(args_)])
    )


def _encode_value(value: Value) -> Data:
    match value:
        case bool() | str():
            return value
        case int():
            return ["i", str(value)]
        case Decimal():
            return ["d", str(value)]
        case Regex(pattern, flags):
            return ["r", pattern, flags]
        case Glob(parts):
            return ["g", *([p.name] if isinstance(p, Wild) else p for p in parts)]


def _decode_value(data: Data) -> Value:
    if isinstance(data, str | bool):
        return data
    kind, *rest = data
    if kind == "i":
        return int(rest[0])
    if kind == "d":
        return Decimal(rest[0])
    if kind == "r":
        return Regex(*rest)
    return Glob(tuple(p if isinstance(p, str) else Wild[p[0]] for p in rest))
