"""An alert: what a rule found, with all that a person needs to act on it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import orjson

from tocsin.alerts.attack import attack_records
from tocsin.condition.functions import Scalar
from tocsin.jsontext import Json, Number, compact, standard
from tocsin.rules.model import Rule, Severity
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
class History:
    """How much of a history was known when a term was called new."""

    known: timedelta
    wanted: timedelta

    def __str__(self) -> str:
        known, unit = in_units(self.known, self.wanted)
        wanted, _ = in_units(self.wanted, self.wanted)
        return f"history incomplete ({known} of {wanted} {unit})"


def in_units(span: timedelta, like: timedelta) -> tuple[int, str]:
    """Return a span in whole units of the largest in which another is a whole number."""
    for name, length in _UNITS:
        if not like % length:
            return span // length, name
    return span // timedelta(seconds=1), "seconds"


_UNITS = (
    ("days", timedelta(days=1)),
    ("hours", timedelta(hours=1)),
    ("minutes", timedelta(minutes=1)),
)


@dataclass(frozen=True, slots=True)
class Suppression:
    """The alerts of the rule that one stands for."""

    terms: tuple[tuple[str, str | None], ...]
    """Field and value that they have in common; None where they have none."""
    count: int
    """How many others there were."""
    end: datetime
    """When the last of them was."""


@dataclass(frozen=True, slots=True)
class StageData:
    """What a rule's stage says of an alert."""

    kind: str
    """`new_terms`, `threshold`, `threat_match`, `deduplication`, or `none` where there is
    suppression alone."""
    terms: tuple[tuple[str, str], ...] = ()
    """Field and value: the new terms, or the group."""
    count: int = 1
    """How many events it is about."""
    first: datetime | None = None
    last: datetime | None = None
    distinct: tuple[str, int] | None = None
    """A field, and how many values of it there were."""
    history: History | None = None
    """Set where history was incomplete."""
    suppression: Suppression | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """What an alert says where it is not what its rule says."""

    title: str | None = None
    severity: Severity | None = None
    risk_score: int | None = None
    guide: str | None = None
    description: str | None = None
    reference: str | None = None
    destinations: tuple[str, ...] | None = None
    """Where the rule wants the alert to be sent, by id or name."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert of one rule."""

    id: str
    rule: Rule
    events: tuple[Event, ...]
    """In the order of their times; of many only the first and the one that raised the alert."""
    matched: tuple[Evidence, ...]
    entities: tuple[tuple[str, str], ...]
    context: Mapping[str, Json] = field(default_factory=dict)
    """What else helps to understand it."""
    said: Said = Said()
    stage: StageData | None = None

    @property
    def event(self) -> Event:
        """Return the event that raised the alert."""
        return self.events[-1]

    @property
    def time(self) -> datetime | None:
        """Return the time of the event that raised the alert."""
        return self.event.time

    @property
    def first(self) -> datetime | None:
        """Return the time of the first event that it is about."""
        return self.stage.first if self.stage and self.stage.first else self.time

    @property
    def last(self) -> datetime | None:
        """Return the time of the last event that it is about."""
        return self.stage.last if self.stage and self.stage.last else self.time

    @property
    def count(self) -> int:
        """Return how many events it is about."""
        return self.stage.count if self.stage else 1

    @property
    def title(self) -> str:
        """Return its title: the rule's name, unless the event's own field gives one."""
        return self.rule.name if self.said.title is None else self.said.title

    @property
    def severity(self) -> Severity:
        """Return how bad it is."""
        return self.said.severity or self.rule.severity

    @property
    def risk_score(self) -> int:
        """Return its risk score, 0 to 100."""
        if self.said.risk_score is not None:
            return self.said.risk_score
        stated = self.rule.own_risk_score
        return self.severity.risk_score if stated is None else stated

    @property
    def guide(self) -> str:
        """Return what to do about it, the fields of its event filled in."""
        return self.rule.guide if self.said.guide is None else self.said.guide

    @property
    def zone_assumed(self) -> bool:
        """Return whether its time names no zone."""
        return self.event.zone_assumed

    @property
    def reason(self) -> str:
        """Return one sentence that says what was found."""
        parts = [*self._of_stage(), *(f"{one.field} {asked(one)}" for one in self.matched)]
        whose = "code" if self.rule.confirm else "condition"
        text = "; ".join(dict.fromkeys(parts)) or f"the event meets the rule's {whose}"
        return text if len(text) <= _REASON_LENGTH else text[: _REASON_LENGTH - 1] + "…"

    def notes(self) -> Iterator[tuple[str, str]]:
        """Yield what stage and context say, as pairs of texts."""
        stage = "; ".join(self._of_stage())
        if stage:
            yield "stage", stage
        for key, value in self.context.items():
            yield key, value if isinstance(value, str) else compact(standard(value))

    def _of_stage(self) -> Iterator[str]:
        stage = self.stage
        if stage is None:
            return
        terms = ", ".join(f"{name} {value}" for name, value in stage.terms)
        if stage.kind == "new_terms":
            yield f"new: {terms}"
        elif stage.kind == "deduplication" and stage.count > 1:
            yield f"{stage.count:,} events in one group"
        elif stage.kind == "threshold":
            yield f"{stage.count:,} events" + (f" of {terms}" if terms else "")
            if stage.distinct:
                yield f"{stage.distinct[1]:,} values of {stage.distinct[0]}"
        if stage.history:
            yield str(stage.history)
        if stage.suppression:
            yield f"stands for {stage.suppression.count:,} more alerts"


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
    if evidence.op == "glob" and evidence.value == "*":
        return _WORDS["exists"]
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
    return {
        "schema": SCHEMA,
        "id": alert.id,
        "time": _time(alert.time),
        "first": _time(alert.first),
        "last": _time(alert.last),
        "count": alert.count,
        "title": alert.title,
        "reason": alert.reason,
        "severity": alert.severity.value,
        "risk_score": alert.risk_score,
        "rule": rule_record(alert.rule),
        "group": dict(alert.stage.terms) if alert.stage else {},
        "stage": _stage_record(alert.stage or _NO_STAGE),
        "context": {key: _written(value) for key, value in alert.context.items()},
        "entities": [{"type": kind, "value": value} for kind, value in alert.entities],
        "events": [_event_record(event) for event in alert.events],
        "events_total": alert.count,
        "matched": [_evidence_record(evidence) for evidence in alert.matched],
        "attack": attack_records(alert.rule.attack),
        "guide": alert.guide,
        "description": alert.said.description,
        "reference": alert.said.reference,
        "destinations": alert.said.destinations,
    }


def _written(value: Json) -> orjson.Fragment:
    """Write a value with its numbers as they were written."""
    return orjson.Fragment(compact(standard(value)))


_NO_STAGE = StageData("none")


def _time(when: datetime | None) -> str | None:
    return format_time(when) if when else None


def _stage_record(stage: StageData) -> dict[str, object]:
    record: dict[str, object] = {
        "kind": stage.kind,
        "steps": [],
        "values": [{"field": name, "value": value} for name, value in stage.terms],
    }
    if stage.distinct:
        record["distinct"] = {"field": stage.distinct[0], "count": stage.distinct[1]}
    if stage.history:
        record["history"] = {
            "known_seconds": int(stage.history.known.total_seconds()),
            "wanted_seconds": int(stage.history.wanted.total_seconds()),
            "note": str(stage.history),
        }
    if suppression := stage.suppression:
        record["suppression"] = {
            "values": [{"field": name, "value": value} for name, value in suppression.terms],
            "count": suppression.count,
            "end": format_time(suppression.end),
        }
    return record


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
        "time": _time(event.time),
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
