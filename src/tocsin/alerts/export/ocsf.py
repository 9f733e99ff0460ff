"""Alerts as findings of the Open Cybersecurity Schema Framework (OCSF): class 2004.

https://schema.ocsf.io/1.8.0/classes/detection_finding
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import lru_cache

import orjson

from tocsin import __version__
from tocsin.alerts.attack import attack_places, attack_url
from tocsin.alerts.entities import name_of
from tocsin.alerts.export.elastic_rule import rule_version
from tocsin.alerts.export.source import is_ip
from tocsin.alerts.model import Alert, Event, to_record
from tocsin.content.attack import Name, load_attack
from tocsin.engine.capture import milliseconds
from tocsin.jsontext import compact, standard
from tocsin.rules.model import Rule, Severity, Technique
from tocsin.times import EPOCH, format_time

VERSION = "1.8.0"
"""The version of OCSF that findings are written in."""

SEVERITIES: Mapping[Severity, tuple[int, str]] = {
    Severity.INFORMATIONAL: (1, "Informational"),
    Severity.LOW: (2, "Low"),
    Severity.MEDIUM: (3, "Medium"),
    Severity.HIGH: (4, "High"),
    Severity.CRITICAL: (5, "Critical"),
}
"""OCSF's number and name of each severity."""

OBSERVABLES: Mapping[str, tuple[int, str]] = {
    "user": (4, "User Name"),
    "address": (2, "IP Address"),
    "host": (1, "Hostname"),
    "resource": (10, "Resource UID"),
    "tenant": (35, "Account Object: uid"),
}
"""OCSF's number and name of each type of entity; of all others the number is 99."""

_OTHER = 99
_UNMAPPED = ("rule", "group", "stage", "context", "entities", "matched")
"""Parts of the record of an alert that OCSF has no place for, or no place for all of them."""


def to_ocsf(alert: Alert) -> dict[str, object]:
    """Return an alert as a Detection Finding (`docs/records.md`)."""
    severity_id, severity = SEVERITIES[alert.severity]
    return {
        "activity_id": 1,
        "activity_name": "Create",
        "category_uid": 2,
        "category_name": "Findings",
        "class_uid": 2004,
        "class_name": "Detection Finding",
        "type_uid": 200401,
        "type_name": "Detection Finding: Create",
        "time": milliseconds(alert.time or EPOCH),
        "severity_id": severity_id,
        "severity": severity,
        "status_id": 1,
        "status": "New",
        "is_alert": not alert.rule.building_block,
        "message": alert.reason,
        "risk_score": alert.risk_score,
        "count": alert.count,
        **_times(start_time=alert.first, end_time=alert.last),
        "metadata": _metadata(alert),
        "finding_info": _finding(alert),
        "evidences": [_evidence(event) for event in alert.events],
        "observables": [_observable(*entity) for entity in alert.entities],
        "resources": [_resource(value) for kind, value in alert.entities if kind == "resource"],
        "enrichments": list(_enrichments(alert.context)),
        **_remediation(alert),
        "raw_data": alert.event.raw,
        "unmapped": _unmapped(alert),
    }


def _times(**times: datetime | None) -> dict[str, int]:
    return {name: milliseconds(when) for name, when in times.items() if when}


def _metadata(alert: Alert) -> dict[str, object]:
    event = alert.event
    return {
        "version": VERSION,
        "product": {"name": "Tocsin", "vendor_name": "Tocsin", "version": __version__},
        "profiles": [],
        "uid": alert.id,
        "log_provider": event.log_type,
        "log_name": event.source,
        "labels": alert.rule.tags,
        **({"original_time": format_time(alert.time)} if alert.time else {}),
    }


def _finding(alert: Alert) -> dict[str, object]:
    rule = alert.rule
    return {
        "uid": alert.id,
        "title": alert.title,
        "desc": rule.description,
        "types": [rule.kind],
        "analytic": _analytic(rule),
        "attacks": _attacks(rule.attack),
        **_times(created_time=alert.time, first_seen_time=alert.first, last_seen_time=alert.last),
        "data_sources": list(dict.fromkeys(event.log_type for event in alert.events)),
        "related_events": [_related(event) for event in alert.events],
        "related_events_count": alert.count,
    }


def _analytic(rule: Rule) -> dict[str, object]:
    version = rule_version(rule)
    return {
        "uid": rule.id,
        "name": rule.name,
        "type_id": 1,
        "type": "Rule",
        "category": rule.ecosystem,
        "version": rule.digest if version is None else str(version),
    }


@lru_cache(maxsize=10_000)
def _attacks(entries: tuple[Technique, ...]) -> list[dict[str, object]]:
    version = load_attack().version
    return [
        {"version": version, **({"tactic": _named(tactic)} if tactic else {}), **_levels(technique)}
        for tactic, technique in attack_places(entries)
    ]


def _levels(technique: Name | None) -> dict[str, object]:
    """Return a technique, or that which it is a part of with the part."""
    if technique is None:
        return {}
    above, part, _ = technique.id.partition(".")
    if not part:
        return {"technique": _named(technique)}
    return {"technique": _named(Name(above, technique.parent)), "sub_technique": _named(technique)}


def _named(name: Name) -> dict[str, str]:
    known = {"name": name.name} if name.name else {}
    return {"uid": name.id, **known, "src_url": attack_url(name)}


def _related(event: Event) -> dict[str, object]:
    times = _times(first_seen_time=event.time, last_seen_time=event.time)
    return {"uid": event.id, "type": event.log_type, **times}


def _evidence(event: Event) -> dict[str, object]:
    return {"uid": event.id, "name": event.log_type, "data": orjson.Fragment(event.raw)}


def _observable(kind: str, value: str) -> dict[str, object]:
    type_id, name = OBSERVABLES.get(kind, (_OTHER, kind))
    if kind == "address" and not is_ip(value):
        type_id, name = _OTHER, kind
    return {"type_id": type_id, "type": name, "value": value}


def _resource(value: str) -> dict[str, object]:
    return {"uid": value, "name": name_of(value)}


def _enrichments(context: Mapping[str, object]) -> Iterator[dict[str, object]]:
    """Yield the indicators that the event met."""
    threat = context.get("threat")
    for one in threat["enrichments"] if isinstance(threat, dict) else ():
        matched, provider = one["matched"], one["feed"].get("name")
        yield {
            "name": matched["field"],
            "value": matched["atomic"],
            "type": "threat.indicator",
            **({"provider": provider} if provider else {}),
            "data": orjson.Fragment(compact(standard(one))),
        }


def _remediation(alert: Alert) -> dict[str, object]:
    if not alert.guide:
        return {}
    return {"remediation": {"desc": alert.guide, "references": alert.rule.references}}


def _unmapped(alert: Alert) -> dict[str, object]:
    record = to_record(alert)
    context = {key: value for key, value in alert.context.items() if key != "threat"}
    return {**{name: record[name] for name in _UNMAPPED}, "context": context}
