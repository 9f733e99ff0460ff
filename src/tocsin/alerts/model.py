"""An alert: what a rule found, with all that a person needs to act on it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import orjson

from tocsin.alerts.attack import attack_records
from tocsin.condition.functions import Scalar
from tocsin.jsontext import Number, compact
from tocsin.rules.model import Rule
from tocsin.times import format_time

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Event:
    """An event as an alert holds it; `raw` is its JSON text."""

    id: str
    log_type: str
    time: datetime | None
    source: str
    line: int
    raw: str
    zone_assumed: bool = False
    """Whether its time names no zone, and was read in the one that the reader said."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One predicate that held: what was asked of which field, and what stood there."""

    field: str
    op: str
    value: Scalar
    path: tuple[str, ...]
    found: Scalar


@dataclass(frozen=True, slots=True)
class Alert:
    """One finding of one rule."""

    id: str
    rule: Rule
    events: tuple[Event, ...]
    matched: tuple[Evidence, ...]
    entities: tuple[tuple[str, str], ...]
    context: Mapping[str, str] = field(default_factory=dict)

    @property
    def time(self) -> datetime | None:
        """Return the time of the event that the alert is anchored to."""
        return self.events[0].time

    @property
    def zone_assumed(self) -> bool:
        """Return whether that time names no zone."""
        return self.events[0].zone_assumed

    @property
    def reason(self) -> str:
        """Return one sentence that says what was found."""
        parts = [f"{one.field} {asked(one)}" for one in self.matched]
        text = "; ".join(dict.fromkeys(parts)) or "the event meets the rule's condition"
        return text if len(text) <= _REASON_LENGTH else text[: _REASON_LENGTH - 1] + "…"


_REASON_LENGTH = 400
_WORDS = {
    "equals": "is",
    "startswith": "starts with",
    "endswith": "ends with",
    "exists": "is there",
    "is_null": "is null",
    "less": "<",
    "less_or_equal": "≤",
    "greater": ">",
    "greater_or_equal": "≥",
    "glob": "matches",
    "regex": "matches",
    "cidr": "is in",
}


def asked(evidence: Evidence) -> str:
    """Return in words what was asked of the field, such as `starts with /etc`."""
    words = _WORDS.get(evidence.op, evidence.op)
    if evidence.op in {"exists", "is_null"}:
        return words
    return f"{words} {plain(evidence.value)}"


def plain(value: Scalar) -> object:
    """Return a value as JSON output writes it: numbers as numbers where they survive that."""
    if isinstance(value, Number):
        number = value.value()
        return number if isinstance(number, int) and abs(number) < 2**63 else value.text
    if isinstance(value, dict | list):
        return compact(value)
    if value is None or isinstance(value, str | bool):
        return value
    return value if isinstance(value, int) and abs(value) < 2**63 else str(value)


def to_record(alert: Alert) -> dict[str, object]:
    """Return an alert as the record that every JSON output writes (`docs/records.md`)."""
    rule = alert.rule
    when = format_time(alert.time) if alert.time else None
    return {
        "schema": SCHEMA,
        "id": alert.id,
        "time": when,
        "first": when,
        "last": when,
        "count": 1,
        "title": rule.name,
        "reason": alert.reason,
        "severity": rule.severity.value,
        "risk_score": rule.risk_score,
        "rule": rule_record(rule),
        "group": {},
        "stage": {"kind": "none", "steps": [], "values": []},
        "context": dict(alert.context),
        "entities": [{"type": kind, "value": value} for kind, value in alert.entities],
        "events": [_event_record(event) for event in alert.events],
        "events_total": len(alert.events),
        "matched": [_evidence_record(evidence) for evidence in alert.matched],
        "attack": attack_records(rule.attack),
        "guide": rule.guide,
    }


def rule_record(rule: Rule) -> dict[str, object]:
    """Return what an alert says of its rule; the author is always named."""
    return {
        "id": rule.id,
        "name": rule.name,
        "ecosystem": rule.ecosystem,
        "kind": rule.kind,
        "pack": rule.pack,
        "path": rule.path,
        "digest": rule.digest,
        "author": rule.author,
        "license": rule.license,
        "tags": rule.tags,
        "references": rule.references,
        "false_positives": rule.false_positives,
    }


def _event_record(event: Event) -> dict[str, object]:
    return {
        "id": event.id,
        "log_type": event.log_type,
        "time": format_time(event.time) if event.time else None,
        "source": event.source,
        "line": event.line,
        "raw": orjson.Fragment(event.raw),
    }


def _evidence_record(evidence: Evidence) -> dict[str, object]:
    return {
        "field": evidence.field,
        "op": evidence.op,
        "value": plain(evidence.value),
        "path": evidence.path,
        "found": plain(evidence.found),
    }
