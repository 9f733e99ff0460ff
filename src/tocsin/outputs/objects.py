"""Alerts as objects, for programs, and as an Arrow table."""

from collections.abc import Iterable, Sequence
from typing import Any

import orjson
import pyarrow as pa

from tocsin.alerts.model import Alert, to_record
from tocsin.alerts.run import RunInfo

_TEXTS = pa.list_(pa.string())
_ENTITIES = pa.list_(pa.struct({"type": pa.string(), "value": pa.string()}))
_TIME = pa.timestamp("ms", "UTC")
ALERT_COLUMNS = pa.schema(
    {
        "id": pa.string(),
        "time": _TIME,
        "first": _TIME,
        "last": _TIME,
        "count": pa.int64(),
        "title": pa.string(),
        "reason": pa.string(),
        "severity": pa.string(),
        "risk_score": pa.int64(),
        "rule_id": pa.string(),
        "rule_name": pa.string(),
        "ecosystem": pa.string(),
        "pack": pa.string(),
        "author": _TEXTS,
        "license": pa.string(),
        "tactics": _TEXTS,
        "techniques": _TEXTS,
        "entities": _ENTITIES,
        "log_type": pa.string(),
        "source": pa.string(),
        "line": pa.int64(),
        "event_id": pa.string(),
        "matched": pa.string(),
        "raw": pa.string(),
    }
)


class ObjectsOutput:
    """Collects the alerts."""

    def __init__(self) -> None:
        self.alerts: list[Alert] = []

    def __reduce__(self) -> tuple[type["ObjectsOutput"], tuple[()]]:
        """Go to a worker process empty."""
        return ObjectsOutput, ()

    def part(self, alerts: Sequence[Alert]) -> Sequence[Alert]:
        """Return the alerts as they are."""
        return alerts

    def add(self, part: Iterable[Alert]) -> None:
        """Keep the alerts of a block."""
        self.alerts += part

    def finish(self, run: RunInfo) -> None:
        """Leave the alerts as they are."""


def to_arrow(alerts: Iterable[Alert]) -> pa.Table:
    """Return alerts as a table; `matched` is JSON, `raw` the text of the event."""
    return pa.Table.from_pylist([_row(alert) for alert in alerts], ALERT_COLUMNS)


def _row(alert: Alert) -> dict[str, Any]:
    record: dict[str, Any] = to_record(alert)
    rule, event = alert.rule, alert.event
    attack = rule.attack
    return {
        **{name: record[name] for name in ALERT_COLUMNS.names if name in record},
        "time": alert.time,
        "first": alert.first,
        "last": alert.last,
        "rule_id": rule.id,
        "rule_name": rule.name,
        "ecosystem": rule.ecosystem,
        "pack": rule.pack,
        "author": rule.author,
        "license": rule.license,
        "tactics": [one.tactic for one in attack if one.tactic],
        "techniques": [one.technique for one in attack if one.technique],
        "log_type": event.log_type,
        "source": event.source,
        "line": event.line,
        "event_id": event.id,
        "matched": orjson.dumps(record["matched"]).decode(),
        "raw": event.raw,
    }
