"""Alerts as Elastic Security writes them to its alert index, one document each.

The fields of Kibana's alerts have dotted names, as Kibana writes them:
https://www.elastic.co/guide/en/security/current/alert-schema.html
"""

from collections.abc import Iterator, Mapping

import orjson

from tocsin.alerts.export.elastic_rule import rule_fields, rule_uuid, severity_name
from tocsin.alerts.export.source import event_document, nested
from tocsin.alerts.model import Alert, Event, StageData, Suppression
from tocsin.ids import digest
from tocsin.jsontext import Json, compact, standard
from tocsin.times import EPOCH, format_time

_OURS = ("kibana", "signal")
"""What a document of an alert says of the alert; that of its event is not taken over."""

_OF_THE_INDEX = {"@timestamp", "_id", "_index", "_routing", "_source", "_type", "_version"}


def to_ecs(alert: Alert) -> dict[str, object]:
    """Return an alert as a document that Elasticsearch can index (`docs/records.md`)."""
    source = _source(alert)
    event = source.pop("event", None)
    said = event if isinstance(event, dict) else {}
    return {
        "@timestamp": _time(alert),
        **{key: _written(value) for key, value in source.items() if key != "event.kind"},
        "event": {**{key: _written(value) for key, value in said.items()}, "kind": "signal"},
        "kibana.space_ids": ["default"],
        **{f"kibana.alert.{name}": value for name, value in _alert_fields(alert).items()},
        **{f"kibana.alert.original_event.{name}": value for name, value in _original(said, source)},
        **{f"kibana.alert.rule.{name}": value for name, value in rule_fields(alert).items()},
    }


def _written(value: Json) -> orjson.Fragment:
    """Write a value whose numbers keep their text, and which may be nested deep."""
    return orjson.Fragment(compact(value))


def _time(alert: Alert) -> str:
    return format_time(alert.time or EPOCH)


def _source(alert: Alert) -> dict[str, Json]:
    """Return the event; of a threshold the values alone that its events have in common."""
    if alert.stage and alert.stage.kind == "threshold":
        document = nested(dict(alert.stage.terms))
    else:
        document = event_document(alert.event, alert.entities)
    kept = {key: value for key, value in document.items() if _is_kept(key)}
    return _labelled(_enriched(kept, alert.context), alert.context)


def _is_kept(key: str) -> bool:
    return key not in _OF_THE_INDEX and key.partition(".")[0] not in _OURS


def _enriched(document: dict[str, Json], context: Mapping[str, object]) -> dict[str, Json]:
    """Add the indicators that the event met to those that it has."""
    found = context.get("threat")
    if not isinstance(found, dict):
        return document
    threat = document.get("threat")
    known = threat if isinstance(threat, dict) else {}
    before = known.get("enrichments")
    enrichments = [*(before if isinstance(before, list) else []), *found["enrichments"]]
    return {**document, "threat": standard({**known, "enrichments": enrichments})}


def _labelled(document: dict[str, Json], context: Mapping[str, object]) -> dict[str, Json]:
    """Add by which bridge the rule saw the event."""
    labels = document.get("labels", {})
    if "bridge" not in context or not isinstance(labels, dict):
        return document
    return {**document, "labels": {**labels, "bridge": str(context["bridge"])}}


def _original(event: Mapping[str, Json], rest: Mapping[str, Json]) -> Iterator[tuple[str, object]]:
    """Yield what the event says of itself below `event`; its text stands there already."""
    dotted = {key[6:]: value for key, value in rest.items() if key.startswith("event.")}
    for key, value in (dict(event) | dotted).items():
        if key != "original":
            yield key, _written(value)


def _alert_fields(alert: Alert) -> dict[str, object]:
    return {
        "uuid": alert.id,
        "status": "active",
        "workflow_status": "open",
        "workflow_tags": [],
        "workflow_assignee_ids": [],
        "depth": 1,
        "ancestors": [_ancestor(event) for event in alert.events],
        "original_time": format_time(alert.last or EPOCH),
        "intended_timestamp": _time(alert),
        "reason": alert.reason,
        "severity": severity_name(alert.severity),
        "risk_score": alert.risk_score,
        **({"building_block_type": "default"} if alert.rule.building_block else {}),
        **(dict(_stage_fields(alert, alert.stage)) if alert.stage else {}),
    }


def _ancestor(event: Event) -> dict[str, object]:
    return {"id": event.id, "type": "event", "index": event.source, "depth": 0}


def _stage_fields(alert: Alert, stage: StageData) -> Iterator[tuple[str, object]]:
    if stage.kind == "new_terms":
        yield "new_terms", [value for _, value in stage.terms]
    if stage.kind == "threshold":
        yield "threshold_result", _threshold(alert, stage)
    if stage.suppression:
        yield from _suppression(alert, stage.suppression)


def _threshold(alert: Alert, stage: StageData) -> dict[str, object]:
    distinct = [stage.distinct] if stage.distinct else []
    return {
        "terms": [{"field": name, "value": value} for name, value in stage.terms],
        "cardinality": [{"field": name, "value": count} for name, count in distinct],
        "count": stage.count,
        "from": format_time(alert.first or EPOCH),
    }


def _suppression(alert: Alert, suppression: Suppression) -> Iterator[tuple[str, object]]:
    group = orjson.dumps((rule_uuid(alert.rule), suppression.terms))
    yield "instance.id", digest(group)
    yield "suppression.terms", [_term(*term) for term in suppression.terms]
    yield "suppression.start", _time(alert)
    yield "suppression.end", format_time(suppression.end)
    yield "suppression.docs_count", suppression.count


def _term(field: str, value: str | None) -> dict[str, object]:
    return {"field": field, "value": None if value is None else [value]}
