"""What alerts of Elastic Security say of their rule: `kibana.alert.rule.*`."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import NAMESPACE_URL, uuid5

import orjson

from tocsin.alerts.attack import attack_places, attack_url
from tocsin.alerts.model import Alert
from tocsin.content.attack import Name
from tocsin.rules.model import Indices, Rule, Severity, Technique


class RuleType(NamedTuple):
    """A type of rule as Kibana names it."""

    type: str
    type_id: str
    category: str


TYPES: Mapping[str, RuleType] = {
    "query": RuleType("query", "siem.queryRule", "Custom Query Rule"),
    "new_terms": RuleType("new_terms", "siem.newTermsRule", "New Terms Rule"),
    "threshold": RuleType("threshold", "siem.thresholdRule", "Threshold Rule"),
    "threat_match": RuleType("threat_match", "siem.indicatorRule", "Indicator Match Rule"),
    "eql": RuleType("eql", "siem.eqlRule", "Event Correlation Rule"),
    "eql_sequence": RuleType("eql", "siem.eqlRule", "Event Correlation Rule"),
    "esql": RuleType("esql", "siem.esqlRule", "ES|QL Rule"),
    "machine_learning": RuleType("machine_learning", "siem.mlRule", "Machine Learning Rule"),
}
"""By kind of rule; all others are queries to Kibana, whose pages know these types alone."""

_ELSEWHERE = {"actions", "enabled", "id", "interval", "name", "note", "setup", "tags", "throttle"}
"""Fields of a rule that are no parameters of it."""

_LISTS = ("severity_mapping", "risk_score_mapping", "exceptions_list", "actions")
_TEXTS = (
    "rule_name_override",
    "timestamp_override",
    "timeline_id",
    "timeline_title",
    "created_at",
    "created_by",
    "updated_at",
    "updated_by",
)


def severity_name(severity: Severity) -> str:
    """Return a severity by Kibana's name; it has none below low."""
    return (Severity.LOW if severity is Severity.INFORMATIONAL else severity).value


def rule_uuid(rule: Rule) -> str:
    """Return the id that a rule has in Kibana if it was exported, else one made of its key."""
    own = _said(rule.document).get("id")
    return own if isinstance(own, str) else str(uuid5(NAMESPACE_URL, rule.key))


def rule_version(rule: Rule) -> int | None:
    """Return the version that a rule names; an exported one does, one of detection-rules not."""
    version = _said(rule.document).get("version")
    return version if type(version) is int else None


def rule_fields(alert: Alert) -> dict[str, object]:
    """Return the fields, without `kibana.alert.rule.` before them."""
    rule = alert.rule
    said = _said(rule.document)
    kind, version = TYPES.get(rule.kind, TYPES["query"]), rule_version(rule)
    return {
        "uuid": rule_uuid(rule),
        "rule_id": rule.id,
        "name": alert.title,
        "type": kind.type,
        "rule_type_id": kind.type_id,
        "category": kind.category,
        "consumer": "siem",
        "producer": "siem",
        "description": rule.description,
        "author": rule.author,
        "license": rule.license or "",
        "note": alert.guide,
        "setup": rule.setup,
        "references": rule.references,
        "tags": rule.tags,
        "false_positives": rule.false_positives,
        "severity": severity_name(rule.severity),
        "risk_score": rule.risk_score,
        "threat": _tables(said.get("threat")) or _threats(rule.attack),
        "enabled": rule.enabled,
        "immutable": said.get("immutable") is True,
        "indices": _indices(rule),
        **_times(rule, said),
        **{name: _tables(said.get(name)) for name in _LISTS},
        **{name: said[name] for name in _TEXTS if isinstance(said.get(name), str)},
        **({} if version is None else {"version": version}),
        "parameters": _parameters(rule, said),
        "execution.type": "manual",
        "execution.uuid": str(uuid5(NAMESPACE_URL, f"{rule.key}:{rule.digest}")),
    }


@lru_cache(maxsize=10_000)
def _said(document: str) -> Mapping[str, Any]:
    """Return the rule's fields in its file; Elastic's alone are under the key `rule`."""
    try:
        rule = orjson.loads(document).get("rule")
    except (orjson.JSONDecodeError, AttributeError):
        return {}
    return rule if isinstance(rule, dict) else {}


def _tables(value: object) -> list[Any]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _indices(rule: Rule) -> Sequence[str]:
    scopes = (one.scope for one in rule.inputs)
    return next((scope.patterns for scope in scopes if isinstance(scope, Indices)), ())


def _times(rule: Rule, said: Mapping[str, Any]) -> dict[str, object]:
    """Return when a rule runs, if it says: in its own words, or else in seconds."""
    schedule = rule.schedule
    if schedule is None:
        return {}
    until = int(schedule.until.total_seconds())
    known = {
        "from": f"now-{int(schedule.window.total_seconds()) + until}s",
        "to": f"now-{until}s" if until else "now",
        "interval": f"{int(schedule.every.total_seconds())}s",
    }
    written = {name: said[name] for name in known if isinstance(said.get(name), str)}
    return {**known, **written, "max_signals": schedule.max_alerts}


def _parameters(rule: Rule, said: Mapping[str, Any]) -> dict[str, object]:
    return {
        **{name: value for name, value in said.items() if name not in _ELSEWHERE},
        "ecosystem": rule.ecosystem,
        "kind": rule.kind,
        "pack": rule.pack,
        "path": rule.path,
        "digest": rule.digest,
    }


@lru_cache(maxsize=10_000)
def _threats(entries: tuple[Technique, ...]) -> list[dict[str, object]]:
    """Return tactics with their techniques, as Elastic's rules name them."""
    found: dict[str, dict[str, Any]] = {}
    for tactic, technique in attack_places(entries):
        key = tactic.id if tactic else ""
        threat = found.setdefault(key, {"framework": "MITRE ATT&CK"})
        if tactic:
            threat["tactic"] = _named(tactic)
        if technique:
            _add(threat.setdefault("technique", []), technique)
    return list(found.values())


def _add(techniques: list[dict[str, Any]], technique: Name) -> None:
    """Add a technique, one that is a part of another under that."""
    id_, part, _ = technique.id.partition(".")
    whole = Name(id_, technique.parent) if part else technique
    known = next((one for one in techniques if one["id"] == id_), None)
    if known is None:
        known = _named(whole)
        techniques.append(known)
    if part:
        known.setdefault("subtechnique", []).append(_named(technique))


def _named(name: Name) -> dict[str, Any]:
    return dict(_name_fields(name))


def _name_fields(name: Name) -> Iterator[tuple[str, str]]:
    yield "id", name.id
    if name.name:
        yield "name", name.name
    yield "reference", attack_url(name)
