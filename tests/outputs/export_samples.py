"""Alerts of every kind, for the outputs that follow the schemas of others."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from outputs.making import START, alert, rule
from rules.elastic.making import QUERY, load_export, load_rule
from tocsin.alerts.model import Alert, Evidence, History, Said, StageData, Suppression
from tocsin.jsontext import Number
from tocsin.rules.model import Severity

THREAT = {
    "framework": "MITRE ATT&CK",
    "tactic": {"id": "TA0006", "name": "Credential Access", "reference": "https://example.com/a"},
    "technique": [{"id": "T1555", "name": "Stores", "reference": "https://example.com/b"}],
}
EVENT = {
    "@timestamp": "2026-01-02T03:04:05.000Z",
    "event": {"action": "delete", "dataset": "a.b", "kind": "event", "duration": 1.50},
    "ecs": {"version": "8.11.0"},
    "user": {"name": "anna"},
    "threat": {"enrichments": [{"matched": {"atomic": "old"}}]},
}
EXPORTED = load_export(
    {
        **QUERY,
        "id": "0f6f01d2-0000-4000-8000-000000000001",
        "version": 7,
        "immutable": True,
        "created_at": "2025-01-02T03:04:05.000Z",
        "created_by": "ada",
        "threat": [THREAT],
        "interval": "10m",
        "from": "now-19m",
        "max_signals": 33,
        "timestamp_override": "event.ingested",
        "exceptions_list": [{"id": "e", "list_id": "endpoint_list", "type": "endpoint"}],
        "license": "Elastic License v2",
        "author": ["Ada"],
        "note": "Ask {{user.name}}.",
    }
)[0]
BLOCK = load_rule(building_block_type="default", type="new_terms", history_window_start="now-7d")
THREATS = {
    "enrichments": [
        {
            "indicator": {"ip": "203.0.113.7", "port": Number("443"), "confidence": Number("NaN")},
            "feed": {"name": "ours"},
            "matched": {
                "atomic": "203.0.113.7",
                "field": "source.ip",
                "id": "ab",
                "index": "indicators.ndjson",
                "type": "indicator_match_rule",
            },
        }
    ]
}
ENTITIES = (
    ("user", "anna"),
    ("user", "ben"),
    ("address", "203.0.113.7"),
    ("address", "203.0.113.7:443"),
    ("address", "2001:db8::1"),
    ("host", "vm1"),
    ("application", "backup"),
    ("resource", "/subscriptions/1/resourceGroups/g/providers/Microsoft.KeyVault/vaults/v/secrets"),
    ("tenant", "t-1"),
)
HOSTILE = "\x00\x1b[2J\u202e\u2028</script>{{user.name}}=1+1" + "😀" * 20_000
EVIDENCE = Evidence("operationName", "equals", "SecretGet", ("operationName",), "SecretGet")
SIGMA = rule(
    "Secret Read",
    tags=("attack.credential-access", "attack.t1555.006", "attack.t1562.001", "attack.t9999"),
    author=("Ada", "Grace"),
    license="DRL-1.1",
    guide="Ask Ada.",
    references=("https://example.com/secrets",),
)


def _at(**seconds: float) -> dict[str, object]:
    return {name: START + timedelta(seconds=value) for name, value in seconds.items()}


def _staged(of: Alert, kind: str, **more: object) -> Alert:
    return replace(of, stage=StageData(kind, **more))  # type: ignore[arg-type]


def _many() -> Alert:
    first, last = alert(number=1), alert(at=60, number=2)
    events = (*first.events, *last.events)
    return _staged(
        replace(last, rule=replace(SIGMA, kind="threshold"), events=events),
        "threshold",
        terms=(("user.name", "anna"), ("source.ip", "203.0.113.7")),
        count=12,
        distinct=("host.name", 3),
        **_at(first=0, last=90),
    )


def _hostile() -> Alert:
    of = rule(
        HOSTILE,
        description=HOSTILE,
        author=(HOSTILE,),
        tags=(HOSTILE,),
        guide=HOSTILE,
        references=(HOSTILE,),
        false_positives=(HOSTILE,),
    )
    found = Evidence(HOSTILE, "equals", HOSTILE, (HOSTILE,), HOSTILE)
    kinds = ("user", "address", "host", "application", "resource", "tenant", HOSTILE)
    return alert(
        of,
        raw=json.dumps({HOSTILE: HOSTILE, "kibana.alert.uuid": "0", "event": "x"}),
        source=HOSTILE,
        matched=[found],
        entities=[(kind, HOSTILE) for kind in kinds],
    )


_ELASTIC = alert(EXPORTED, raw=json.dumps(EVENT), user="anna")
_SUPPRESSION = Suppression(
    (("user.name", "anna"), ("host.name", None)), 4, START + timedelta(minutes=3)
)

SAMPLES: Mapping[str, Alert] = {
    "plain": alert(SIGMA, matched=[EVIDENCE], entities=ENTITIES, raw='{"a": 1.50}'),
    "elastic": _ELASTIC,
    "overridden": replace(
        _ELASTIC, said=Said("Deleted by anna", Severity.CRITICAL, 99, "Ask anna.")
    ),
    "building-block": alert(BLOCK, raw=json.dumps(EVENT)),
    "new-terms": _staged(
        alert(replace(SIGMA, kind="new_terms")),
        "new_terms",
        terms=(("user.name", "anna"), ("host.name", "vm1")),
        history=History(timedelta(days=3), timedelta(days=14)),
    ),
    "threshold": _many(),
    "threat-match": replace(
        alert(replace(SIGMA, kind="threat_match"), raw=json.dumps(EVENT)),
        context={"threat": THREATS, "bridge": "keyvault"},
    ),
    "suppression": _staged(_ELASTIC, "none", suppression=_SUPPRESSION),
    "without-time": alert(at=None),
    "bare": alert(rule("", Severity.INFORMATIONAL, id="")),
    "hostile": _hostile(),
    "deep": alert(raw='{"@timestamp":"x","event":{},"a":' + '{"a":' * 500 + "1" + "}" * 501),
    "long-numbers": alert(raw='{"@timestamp":"x","event":{"n":1e999},"a":123456789012345678901}'),
}
"""By what is special about each."""
