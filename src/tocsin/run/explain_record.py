"""Explanations as records, for programs (`docs/records.md`)."""

from collections.abc import Iterable, Sequence

from tocsin.alerts.model import SCHEMA, plain, rule_record
from tocsin.condition.describe import value_text
from tocsin.condition.functions import Scalar
from tocsin.condition.trace import Node, Reading
from tocsin.condition.tree import And, AnyElement, Field, FieldsCompare, Not, Or, Predicate, Value
from tocsin.engine.explain import AskedInput, Attempt, Explanation, NearMiss
from tocsin.engine.stages.compose import stage_fields
from tocsin.rules.describe import describe_stage
from tocsin.run.explain import Explained
from tocsin.times import format_time

NEAR_MISSES = 5


def explain_record(events: Sequence[dict[str, object]], best: Explained) -> dict[str, object]:
    """Return the record of a whole call: a summary per event, and the best one explained."""
    explained = best.explanation
    return {
        "schema": SCHEMA,
        "events": events,
        "explained": None if explained is None else _explanation(best, explained),
    }


def summary_record(one: Explained) -> dict[str, object]:
    """Return what is said of every event."""
    found = one.explanation
    return {
        "source": one.given.source,
        "line": one.given.line,
        "rule": found.rule.id if found else None,
        "log_type": found.log_type if found else None,
        "shape": found.shape if found else None,
        "matches": one.matches,
        "changes": found.best.distance if found and found.best else None,
        "reasons": list(reasons(found)) if found else [one.given.problem],
    }


def reasons(found: Explanation) -> Iterable[str]:
    """Yield why a rule was not asked, or not in every way."""
    yield from found.reasons
    for one in found.inputs:
        yield from one.reasons


def _explanation(one: Explained, found: Explanation) -> dict[str, object]:
    return {
        "source": one.given.source,
        "line": one.given.line,
        "rule": rule_record(found.rule),
        "log_type": found.log_type,
        "shape": found.shape,
        "time": format_time(found.time) if found.time else None,
        "matches": found.matches,
        "reasons": found.reasons,
        "notes": found.notes,
        "near_misses": [
            {"changes": [_near_miss(change) for change in changes]}
            for changes in found.near_misses(NEAR_MISSES)
        ],
        "inputs": [_input(asked) for asked in found.inputs],
        "stage": _stage(one, found),
    }


def _stage(one: Explained, found: Explanation) -> dict[str, object] | None:
    """Return what a rule's stage makes of the event; None if it has none."""
    rule, best = found.rule, found.best
    if rule.stage is None or best is None:
        return None
    record: dict[str, object] = {
        "kind": rule.kind,
        "meaning": describe_stage(rule.stage),
        "values": [{"field": name, "values": best.values[name]} for name in stage_fields(rule)],
    }
    if one.knowledge:
        record["known"] = [
            {
                "values": [{"field": name, "value": value} for name, value in known.terms],
                "before": known.before,
                "last": format_time(known.last) if known.last else None,
                "distinct": known.distinct,
            }
            for known in one.knowledge.terms
        ]
        record["history"] = str(one.knowledge.history) if one.knowledge.history else None
    return record


def _near_miss(change: NearMiss) -> dict[str, object]:
    node = change.node
    return {
        **_leaf(node),
        "wanted": change.wanted,
        "of": "log_source" if change.in_gate else "condition",
        "closeness": change.hint.closeness.value,
        "hint": change.hint.text,
        "hint_path": change.hint.path,
        "hint_value": plain(change.hint.value),
    }


def _input(asked: AskedInput) -> dict[str, object]:
    return {
        "log_source": str(asked.input.scope),
        "vocabulary": asked.input.vocabulary,
        "reasons": asked.reasons,
        "variants": [_attempt(attempt) for attempt in asked.attempts],
    }


def _attempt(attempt: Attempt) -> dict[str, object]:
    return {
        "number": attempt.number,
        "bridge": attempt.bridge,
        "matches": attempt.matches,
        "changes": attempt.distance,
        "log_source": node_record(attempt.gate),
        "condition": node_record(attempt.condition),
    }


def node_record(node: Node) -> dict[str, object]:
    """Return a part of a condition, its truth, what it found, and its parts."""
    if isinstance(node.condition, Predicate | FieldsCompare):
        return _leaf(node)
    record: dict[str, object] = {"kind": _KINDS[type(node.condition)], "holds": node.holds}
    if isinstance(node.condition, AnyElement):
        record |= {"path": node.condition.path, **_found("found", node.reading)}
    return {**record, "parts": [node_record(child) for child in node.children]}


_KINDS: dict[type, str] = {And: "all", Or: "any", Not: "not", AnyElement: "element"}


def _leaf(node: Node) -> dict[str, object]:
    condition = node.condition
    base: dict[str, object] = {"kind": "predicate", "holds": node.holds}
    if isinstance(condition, FieldsCompare):
        return {
            **base,
            "field": _name(condition.left),
            "op": condition.op.value,
            "other_field": _name(condition.right),
            "case_matters": not condition.fold_case,
            "path": node.reading.path if node.reading else (),
            **_found("found", node.reading),
            **_found("other_found", node.other),
            "met": [plain(value) for value in node.met],
        }
    if not isinstance(condition, Predicate):
        return node_record(node)
    return {
        **base,
        "field": _name(condition.field),
        "op": condition.op.value,
        "values": [_operand(value) for value in condition.values],
        "case_matters": not condition.fold_case,
        "path": node.reading.path if node.reading else (),
        **_found("found", node.reading),
        "met": [plain(value) for value in node.met],
    }


def _found(key: str, reading: Reading | None) -> dict[str, object]:
    values: Sequence[Scalar] | None = reading.raw if reading else None
    return {key: None if values is None else [plain(value) for value in values]}


def _name(field: Field) -> str:
    return ".".join(field.path) or "any field"


def _operand(value: Value) -> object:
    return plain(value) if isinstance(value, str | int | bool) else value_text(value)
