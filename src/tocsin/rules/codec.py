"""Rules as plain JSON data and back, for the cache on disk; never pickle."""

from collections.abc import Sequence
from datetime import timedelta
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
from tocsin.rules.model import (
    Indices,
    Input,
    LogSource,
    LogTypes,
    Overrides,
    RiskFrom,
    Rule,
    Scope,
    Severity,
    SeverityFrom,
    Technique,
    Verdict,
)
from tocsin.rules.stages import (
    Comparison,
    Deduplication,
    Distinct,
    IndicatorMatch,
    NewTerms,
    Schedule,
    Stage,
    Suppression,
    Threshold,
)

Data: TypeAlias = Any
"""What JSON can hold; its shape is known to this module only."""

_TEXTS = ("id", "name", "ecosystem", "kind", "pack", "path", "digest", "status", "description")
_OPTIONAL = (
    "license", "date", "modified", "guide", "setup", "document", "own_risk_score", "building_block",
    "confirm",
)  # fmt: skip
_LISTS = (
    "author",
    "tags",
    "references",
    "false_positives",
    "investigation_fields",
    "collections",
    "reasons",
    "notes",
)


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
        _encode_stage(rule.stage),
        _encode_suppression(rule.suppression),
        _encode_schedule(rule.schedule),
        None if rule.overrides == _NO_OVERRIDES else _encode_overrides(rule.overrides),
    ]


def decode_rule(data: Data) -> Rule:
    """Turn JSON data back into a rule."""
    texts, optional, lists, severity, verdict, attack, inputs, *behaviour = data
    stage, suppression, schedule, overrides = behaviour
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
        stage=_decode_stage(stage),
        suppression=_decode_suppression(suppression),
        schedule=_decode_schedule(schedule),
        overrides=_decode_overrides(overrides) if overrides else _NO_OVERRIDES,
    )


def _encode_input(one: Input) -> Data:
    return [_encode_scope(one.scope), one.vocabulary, encode_condition(one.condition)]


def _encode_scope(scope: Scope) -> Data:
    if isinstance(scope, Indices):
        return {"indices": scope.patterns}
    if isinstance(scope, LogTypes):
        return {"log_types": scope.names}
    return [scope.product, scope.category, scope.service]


def _decode_input(data: Data) -> Input:
    scope, vocabulary, condition = data
    return Input(decode_condition(condition), _decode_scope(scope), vocabulary)


def _decode_scope(data: Data) -> Scope:
    if not isinstance(data, dict):
        return LogSource(*data)
    if "indices" in data:
        return Indices(tuple(data["indices"]))
    return LogTypes(tuple(data["log_types"]))


def _encode_stage(stage: Stage | None) -> Data:
    match stage:
        case None:
            return None
        case NewTerms(fields, window):
            return ["new_terms", fields, _encode_span(window)]
        case Threshold(fields, count, window, distinct):
            of = [distinct.field, distinct.count] if distinct else None
            return ["threshold", fields, count, _encode_span(window), of]
        case Deduplication(count, window):
            return ["deduplication", count, _encode_span(window)]
        case IndicatorMatch(any_of, indices, condition, path):
            pairs = [
                [[one.field, one.indicator_field, one.negated] for one in all_of]
                for all_of in any_of
            ]
            return ["indicators", pairs, indices, encode_condition(condition), path]


def _decode_stage(data: Data) -> Stage | None:
    if data is None:
        return None
    kind, *rest = data
    if kind == "new_terms":
        fields, window = rest
        return NewTerms(tuple(fields), _decode_span(window))
    if kind == "threshold":
        fields, count, window, distinct = rest
        of = Distinct(*distinct) if distinct else None
        return Threshold(tuple(fields), count, _decode_span(window), of)
    if kind == "deduplication":
        count, window = rest
        return Deduplication(count, _decode_span(window))
    pairs, indices, condition, path = rest
    any_of = tuple(tuple(Comparison(*one) for one in all_of) for all_of in pairs)
    return IndicatorMatch(any_of, tuple(indices), decode_condition(condition), path)


def _encode_suppression(one: Suppression | None) -> Data:
    return one and [one.fields, _encode_span(one.duration), one.missing_is_a_value]


def _decode_suppression(data: Data) -> Suppression | None:
    return Suppression(tuple(data[0]), _decode_span(data[1]), data[2]) if data else None


def _encode_schedule(one: Schedule | None) -> Data:
    if one is None:
        return None
    spans = map(_encode_span, (one.every, one.window, one.until))
    return [*spans, one.time_fields, one.max_alerts]


def _decode_schedule(data: Data) -> Schedule | None:
    if data is None:
        return None
    *spans, time_fields, max_alerts = data
    every, window, until = map(_decode_span, spans)
    return Schedule(every, window, until, tuple(time_fields), max_alerts)


def _encode_overrides(one: Overrides) -> Data:
    severity = [[part.field, part.value, part.severity.value] for part in one.severity]
    risk_score = [[part.field, part.value, part.score] for part in one.risk_score]
    return [one.name, severity, risk_score]


def _decode_overrides(data: Data) -> Overrides:
    name, severity, risk_score = data
    return Overrides(
        name,
        tuple(SeverityFrom(field, value, Severity(level)) for field, value, level in severity),
        tuple(RiskFrom(*part) for part in risk_score),
    )


def _encode_span(span: timedelta) -> list[int]:
    return [span.days, span.seconds, span.microseconds]


def _decode_span(data: Sequence[int]) -> timedelta:
    return timedelta(*data)


_NO_OVERRIDES = Overrides()


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
