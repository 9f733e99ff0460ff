"""ECS: alerts as Kibana's alert index holds them."""

import json
from pathlib import Path
from typing import Any

import pytest

from cli.calling import jsonl, scan
from outputs.export_samples import EVENT, EXPORTED, HOSTILE, SAMPLES, THREAT, THREATS
from outputs.making import alert, rule, written
from rules.elastic.making import load_rule, toml
from tocsin.alerts.export.elastic_rule import TYPES
from tocsin.alerts.export.source import is_ecs
from tocsin.rules.elastic.kinds import NOT_YET, STAGED
from tocsin.rules.model import Rule

OF_EVERY_ALERT = (
    "uuid status workflow_status workflow_tags workflow_assignee_ids depth ancestors original_time "
    "intended_timestamp reason severity risk_score"
)
OF_EVERY_RULE = (
    "uuid rule_id name type rule_type_id category consumer producer description author license "
    "note setup references tags false_positives severity risk_score threat enabled immutable "
    "indices severity_mapping risk_score_mapping exceptions_list actions parameters execution.type "
    "execution.uuid"
)


def document(of: str | Any) -> dict[str, Any]:
    (line,) = written("ecs", [SAMPLES[of] if isinstance(of, str) else of]).split("\n")[:-1]
    return json.loads(line)


def said(of: str | Any, prefix: str = "kibana.alert.") -> dict[str, Any]:
    """Return the fields of a document below a prefix, without it."""
    return {
        key.removeprefix(prefix): value
        for key, value in document(of).items()
        if key.startswith(prefix)
    }


@pytest.mark.parametrize("name", SAMPLES)
def test_what_kibana_asks_of_every_alert_is_there(name: str) -> None:
    one = document(name)
    assert one["event"]["kind"] == "signal"
    assert one["kibana.space_ids"] == ["default"]
    keys = [f"kibana.alert.{key}" for key in OF_EVERY_ALERT.split()]
    keys += [f"kibana.alert.rule.{key}" for key in OF_EVERY_RULE.split()]
    assert [key for key in keys if key not in one] == []
    assert one["kibana.alert.uuid"] == SAMPLES[name].id
    assert (one["kibana.alert.status"], one["kibana.alert.workflow_status"]) == ("active", "open")
    assert one["@timestamp"] == one["kibana.alert.intended_timestamp"]


@pytest.mark.parametrize("name", SAMPLES)
def test_no_field_is_there_both_nested_and_with_dots(name: str) -> None:
    keys = set(document(name))
    assert not {key for key in keys if key.partition(".")[0] in keys - {key}}


def test_an_event_in_ecs_is_copied() -> None:
    one = document("elastic")
    assert {key: one[key] for key in ("user", "ecs", "threat")} == {
        key: EVENT[key] for key in ("user", "ecs", "threat")
    }
    assert one["event"] == EVENT["event"] | {"kind": "signal"}
    assert said("elastic", "kibana.alert.original_event.") == EVENT["event"]
    assert one["kibana.alert.original_time"] == "2026-01-02T03:04:05.000Z"


def test_another_event_is_its_text_with_what_it_names() -> None:
    one = document("plain")
    assert one["event"] == {"original": '{"a": 1.50}', "kind": "signal"}
    assert one["log"] == {"file": {"path": "logs/a.ndjson"}}
    assert one["user"] == {"name": ["anna", "ben"]}
    assert one["source"] == {
        "address": ["203.0.113.7", "203.0.113.7:443", "2001:db8::1"],
        "ip": ["203.0.113.7", "2001:db8::1"],
    }
    assert one["host"] == {"name": "vm1"}
    assert one["cloud"] == {"account": {"id": "t-1"}}
    assert one["labels"]["application"] == "backup"
    assert one["related"]["hosts"] == ["vm1"]
    assert said("plain", "kibana.alert.original_event.") == {}


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        pytest.param({"@timestamp": "t", "event": {}}, True, id="an-event-object"),
        pytest.param({"@timestamp": "t", "data_stream.type": "logs"}, True, id="dotted-keys"),
        pytest.param({"@timestamp": "t", "ecs": {"version": "8"}}, True, id="a-version"),
        pytest.param({"@timestamp": "t", "message": "m"}, False, id="a-time-alone"),
        pytest.param({"event": {"action": "a"}}, False, id="no-time"),
        pytest.param({"@timestamp": "t", "event": "x", "ecs": {}}, False, id="event-is-a-text"),
    ],
)
def test_what_is_in_ecs(record: dict[str, Any], expected: bool) -> None:
    assert is_ecs(record) is expected


def test_what_another_alert_said_is_not_taken_over() -> None:
    before = {"kibana.alert.uuid": "0", "kibana": {}, "signal": {}, "_id": "1", "event.kind": "x"}
    one = document(alert(raw=json.dumps(EVENT | before)))
    assert one["kibana.alert.uuid"] == alert().id
    assert not set(one) & {"kibana", "signal", "_id", "event.kind"}
    assert one["kibana.alert.original_event.kind"] == "x"


def test_an_exported_rule_is_said_as_it_was_written() -> None:
    found = said("elastic", "kibana.alert.rule.")
    expected = {
        "uuid": "0f6f01d2-0000-4000-8000-000000000001",
        "rule_id": EXPORTED.id,
        "name": "Example",
        "type": "query",
        "version": 7,
        "immutable": True,
        "enabled": True,
        "created_at": "2025-01-02T03:04:05.000Z",
        "created_by": "ada",
        "threat": [THREAT],
        "interval": "10m",
        "from": "now-19m",
        "to": "now",
        "max_signals": 33,
        "indices": ["logs-a-*"],
        "timestamp_override": "event.ingested",
        "license": "Elastic License v2",
        "author": ["Ada"],
        "note": "Ask {{user.name}}.",
        "consumer": "siem",
        "producer": "siem",
        "category": "Custom Query Rule",
        "execution.type": "manual",
    }
    assert {key: found[key] for key in expected} == expected
    assert found["exceptions_list"][0]["list_id"] == "endpoint_list"
    assert found["parameters"]["query"] == "event.action: delete"
    assert not set(found["parameters"]) & {"note", "name", "tags"}


def test_a_rule_of_sigma_is_said_with_what_it_has() -> None:
    found = said("plain", "kibana.alert.rule.")
    assert (found["name"], found["type"], found["author"]) == (
        "Secret Read",
        "query",
        ["Ada", "Grace"],
    )
    assert not {"from", "interval", "version"} & set(found)
    assert found["parameters"]["ecosystem"] == "sigma"
    impairment, first = found["threat"]
    assert impairment["tactic"]["id"] == "TA0112"
    assert first["tactic"] == {
        "id": "TA0006",
        "name": "Credential Access",
        "reference": "https://attack.mitre.org/tactics/TA0006/",
    }
    (technique, unknown) = first["technique"]
    assert technique["id"] == "T1555"
    assert technique["name"] == "Credentials from Password Stores"
    assert [one["id"] for one in technique["subtechnique"]] == ["T1555.006"]
    assert unknown == {"id": "T9999", "reference": "https://attack.mitre.org/techniques/T9999/"}


@pytest.mark.parametrize("kind", [*STAGED, *NOT_YET])
def test_every_kind_of_elastic_has_its_type(kind: str) -> None:
    assert TYPES[kind].type == kind.removesuffix("_sequence")


def test_the_schedule_that_a_rule_leaves_out_is_the_usual_one() -> None:
    found = said(alert(load_rule()), "kibana.alert.rule.")
    assert [found[key] for key in ("from", "to", "interval", "max_signals")] == [
        "now-360s",
        "now",
        "300s",
        100,
    ]


def test_an_event_overrides_its_rule() -> None:
    found = said("overridden")
    assert (found["severity"], found["risk_score"]) == ("critical", 99)
    assert (found["rule.severity"], found["rule.risk_score"]) == ("medium", 47)
    assert (found["rule.name"], found["rule.note"]) == ("Deleted by anna", "Ask anna.")


def test_a_building_block_is_marked() -> None:
    assert said("building-block")["building_block_type"] == "default"
    assert "building_block_type" not in said("plain")


def test_new_terms_are_listed() -> None:
    assert said("new-terms")["new_terms"] == ["anna", "vm1"]
    assert said("new-terms")["rule.rule_type_id"] == "siem.newTermsRule"


def test_a_threshold_is_what_its_events_have_in_common() -> None:
    one = document("threshold")
    assert one["kibana.alert.threshold_result"] == {
        "terms": [
            {"field": "user.name", "value": "anna"},
            {"field": "source.ip", "value": "203.0.113.7"},
        ],
        "cardinality": [{"field": "host.name", "value": 3}],
        "count": 12,
        "from": "2026-01-02T03:04:05.000Z",
    }
    assert one["user"] == {"name": "anna"}
    assert one["source"] == {"ip": "203.0.113.7"}
    assert not {"log", "labels"} & set(one)
    assert one["kibana.alert.original_time"] == "2026-01-02T03:05:35.000Z"
    assert [each["depth"] for each in one["kibana.alert.ancestors"]] == [0, 0]


def test_indicators_are_added_to_those_of_the_event() -> None:
    old, new = document("threat-match")["threat"]["enrichments"]
    assert old == {"matched": {"atomic": "old"}}
    assert new["indicator"] == {"ip": "203.0.113.7", "port": 443, "confidence": "NaN"}
    assert new["matched"] == THREATS["enrichments"][0]["matched"]
    assert document("threat-match")["labels"] == {"bridge": "keyvault"}


def test_suppression_says_what_the_alert_stands_for() -> None:
    found = said("suppression", "kibana.alert.suppression.")
    assert found == {
        "terms": [
            {"field": "user.name", "value": ["anna"]},
            {"field": "host.name", "value": None},
        ],
        "start": "2026-01-02T03:04:05.000Z",
        "end": "2026-01-02T03:07:05.000Z",
        "docs_count": 4,
    }
    assert len(said("suppression")["instance.id"]) == 64


def test_kibana_has_no_severity_below_low() -> None:
    assert said("bare")["severity"] == "low"
    assert said("bare")["risk_score"] == 1


def test_an_alert_without_time_is_at_the_beginning_of_times() -> None:
    assert document("without-time")["@timestamp"] == "1970-01-01T00:00:00.000Z"


def test_numbers_and_depth_of_an_event_stay_what_they_were() -> None:
    (line,) = written("ecs", [SAMPLES["long-numbers"]]).splitlines()
    assert '"a":123456789012345678901' in line
    assert '"n":1e999' in line
    assert document("deep")["a"]["a"]["a"]


def test_long_and_hostile_texts_are_kept() -> None:
    one = document("hostile")
    assert one["kibana.alert.rule.name"] == HOSTILE
    assert json.loads(one["event"]["original"])[HOSTILE] == HOSTILE


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="no-document"),
        pytest.param("no JSON", id="no-json"),
        pytest.param("[]", id="a-list"),
        pytest.param('{"rule": []}', id="a-rule-that-is-a-list"),
        pytest.param('{"rule": {"threat": 1, "version": true, "id": [], "from": {}}}', id="types"),
    ],
)
def test_a_rule_whose_fields_are_of_other_types_is_said_without_them(text: str) -> None:
    of: Rule = rule("Secret Read", document=text)
    found = said(alert(of), "kibana.alert.rule.")
    assert found["threat"] == []
    assert not {"version", "from"} & set(found)


@pytest.mark.parametrize("sizes", [(1,), (2, 3), (1000,)])
def test_it_does_not_depend_on_how_the_input_was_cut(sizes: tuple[int, ...]) -> None:
    alerts = [alert(number=number) for number in range(20)]
    assert written("ecs", alerts, sizes=sizes) == written("ecs", alerts)


def test_a_scan_writes_what_kibana_would(tmp_path: Path) -> None:
    (tmp_path / "rule.toml").write_text(
        toml(index=["logs-azure.activitylogs-*"], timestamp_override="event.ingested")
    )
    event = {"@timestamp": "2026-01-02T03:04:05Z", "event": {"action": "delete"}}
    event |= {"data_stream": {"type": "logs", "dataset": "azure.activitylogs", "namespace": "a"}}
    (tmp_path / "log.ndjson").write_bytes(jsonl([event | {"azure": {"activitylogs": {}}}]))
    logs, rules = tmp_path / "log.ndjson", tmp_path / "rule.toml"
    result = scan(logs, rules=rules, log_type="", form="ecs")
    (one,) = result.records
    assert one["kibana.alert.rule.type"] == "query"
    assert one["data_stream"] == event["data_stream"]
    assert one["kibana.alert.original_event.action"] == "delete"
    assert scan(logs, rules=rules, log_type="", form="ecs", workers=2).out == result.out
