"""OCSF: every alert is a Detection Finding that the schema accepts, and says the same."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema, get_packaged_versions

from cli.calling import PACKS, scan
from outputs.export_samples import EVENT, HOSTILE, SAMPLES, THREATS
from outputs.making import alert, written
from tocsin import __version__
from tocsin.alerts.export import ocsf
from tocsin.content.demo import write_demo
from tocsin.rules.model import Severity


@cache
def schema() -> dict[str, Any]:
    return get_ocsf_schema(ocsf.VERSION)


@cache
def validator() -> Draft202012Validator:
    found = OcsfJsonSchemaEmbedded(schema()).get_class_schema("detection_finding")
    assert found["additionalProperties"] is False
    return Draft202012Validator(found)


def errors(finding: dict[str, Any]) -> list[str]:
    return [f"{one.json_path}: {one.message:.200}" for one in validator().iter_errors(finding)]


def finding(name: str) -> dict[str, Any]:
    (line,) = written("ocsf", [SAMPLES[name]]).split("\n")[:-1]
    return json.loads(line)


@pytest.mark.parametrize("name", SAMPLES)
def test_the_schema_accepts_it(name: str) -> None:
    assert errors(finding(name)) == []


def test_the_schema_accepts_what_the_demo_finds(tmp_path: Path) -> None:
    write_demo(tmp_path)
    result = scan(tmp_path, rules=PACKS, log_type="", form="ocsf")
    found = result.records
    assert len(found) > 50
    assert [errors(one) for one in found if errors(one)] == []
    assert scan(tmp_path, rules=PACKS, log_type="", form="ocsf", workers=2).out == result.out


def test_the_validator_refuses_what_is_not_in_the_schema() -> None:
    assert errors(finding("plain") | {"colour": "red"})
    assert errors(finding("plain") | {"severity_id": 7})


def test_the_version_is_the_newest_that_the_validator_knows() -> None:
    assert max(get_packaged_versions() - {"1.0.0-rc.2", "1.0.0-rc.3"}) == ocsf.VERSION


@pytest.mark.parametrize("severity", Severity)
def test_severities_have_the_numbers_of_the_schema(severity: Severity) -> None:
    known = schema()["classes"]["detection_finding"]["attributes"]["severity_id"]["enum"]
    number, name = ocsf.SEVERITIES[severity]
    assert known[str(number)]["caption"] == name
    assert name.lower() == severity


@pytest.mark.parametrize("kind", ocsf.OBSERVABLES)
def test_observables_have_the_numbers_of_the_schema(kind: str) -> None:
    known = schema()["objects"]["observable"]["attributes"]["type_id"]["enum"]
    number, name = ocsf.OBSERVABLES[kind]
    assert known[str(number)]["caption"] == name


def test_it_says_what_the_alert_says() -> None:
    one, of = finding("plain"), SAMPLES["plain"]
    assert one["time"] == one["start_time"] == one["end_time"] == 1767323045000
    assert one["message"] == "operationName is SecretGet"
    assert (one["risk_score"], one["count"]) == (73, 1)
    assert one["metadata"] == {
        "version": ocsf.VERSION,
        "product": {"name": "Tocsin", "vendor_name": "Tocsin", "version": __version__},
        "profiles": [],
        "uid": of.id,
        "log_provider": "azure.keyvault",
        "log_name": "logs/a.ndjson",
        "labels": list(of.rule.tags),
        "original_time": "2026-01-02T03:04:05.000Z",
    }
    info = one["finding_info"]
    assert (info["uid"], info["title"], info["types"]) == (of.id, "Secret Read", ["detection"])
    assert info["analytic"] | {"version": ""} == {
        "uid": "secret-read",
        "name": "Secret Read",
        "type_id": 1,
        "type": "Rule",
        "category": "sigma",
        "version": "",
    }
    assert info["related_events"][0]["uid"] == of.event.id
    assert one["evidences"][0]["data"] == {"a": 1.5}
    assert one["raw_data"] == '{"a": 1.50}'
    assert one["remediation"] == {
        "desc": "Ask Ada.",
        "references": ["https://example.com/secrets"],
    }
    assert one["unmapped"]["rule"]["author"] == ["Ada", "Grace"]
    assert one["unmapped"]["matched"][0]["value"] == "SecretGet"


def test_techniques_stand_under_their_tactic_and_parts_under_theirs() -> None:
    attacks = finding("plain")["finding_info"]["attacks"]
    assert [
        [one[key]["uid"] for key in ("tactic", "technique", "sub_technique") if key in one]
        for one in attacks
    ] == [["TA0112", "T1685"], ["TA0006", "T1555", "T1555.006"], ["TA0006", "T9999"]]
    part = attacks[1]["sub_technique"]
    assert part["name"] == "Cloud Secrets Management Stores"
    assert part["src_url"] == "https://attack.mitre.org/techniques/T1555/006/"
    assert attacks[1]["technique"]["name"] == "Credentials from Password Stores"


def test_entities_are_observables_of_their_types() -> None:
    found = [(one["type_id"], one["type"], one["value"]) for one in finding("plain")["observables"]]
    assert found[:7] == [
        (4, "User Name", "anna"),
        (4, "User Name", "ben"),
        (2, "IP Address", "203.0.113.7"),
        (99, "address", "203.0.113.7:443"),
        (2, "IP Address", "2001:db8::1"),
        (1, "Hostname", "vm1"),
        (99, "application", "backup"),
    ]
    assert [one["name"] for one in finding("plain")["resources"]] == ["v"]


def test_indicators_are_enrichments() -> None:
    (one,) = finding("threat-match")["enrichments"]
    assert one["data"]["indicator"] == {"ip": "203.0.113.7", "port": 443, "confidence": "NaN"}
    assert (one["name"], one["value"], one["provider"]) == ("source.ip", "203.0.113.7", "ours")
    assert THREATS["enrichments"][0]["matched"] == one["data"]["matched"]
    assert finding("threat-match")["unmapped"]["context"] == {"bridge": "keyvault"}


def test_many_events_have_their_number_and_times() -> None:
    one = finding("threshold")
    assert one["count"] == one["finding_info"]["related_events_count"] == 12
    assert [one[name] - one["start_time"] for name in ("time", "end_time")] == [60_000, 90_000]
    assert len(one["evidences"]) == 2
    assert one["unmapped"]["group"] == {"user.name": "anna", "source.ip": "203.0.113.7"}


def test_an_event_overrides_its_rule() -> None:
    one = finding("overridden")
    assert (one["severity"], one["risk_score"]) == ("Critical", 99)
    assert one["finding_info"]["title"] == "Deleted by anna"
    assert one["finding_info"]["analytic"]["name"] == "Example"
    assert one["finding_info"]["analytic"]["version"] == "7"
    assert one["evidences"][0]["data"] == EVENT


def test_a_building_block_is_no_alert() -> None:
    assert [finding(name)["is_alert"] for name in ("elastic", "building-block")] == [True, False]


def test_an_alert_without_time_is_at_the_beginning_of_times() -> None:
    one = finding("without-time")
    assert one["time"] == 0
    assert not {"start_time", "end_time"} & set(one)
    assert "original_time" not in one["metadata"]


def test_long_texts_are_kept() -> None:
    assert finding("hostile")["finding_info"]["title"] == HOSTILE


@pytest.mark.parametrize("sizes", [(1,), (2, 3), (1000,)])
def test_it_does_not_depend_on_how_the_input_was_cut(sizes: tuple[int, ...]) -> None:
    alerts = [alert(number=number) for number in range(20)]
    assert written("ocsf", alerts, sizes=sizes) == written("ocsf", alerts)
