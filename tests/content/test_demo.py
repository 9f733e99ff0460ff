import hashlib
import json
from collections import Counter
from datetime import date, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
import yaml
from sigma.rule import SigmaRule

import tocsin
from tocsin import content
from tocsin.content.demo import intrusion_records, ordinary_records, write_demo
from tocsin.rules.load import load_rules
from tocsin.rules.model import Verdict
from tocsin.rules.panther.pack import read_document

FIRST_DAY = date(2026, 1, 5)
DAYS = [(FIRST_DAY + timedelta(days=number)).isoformat() for number in range(14)]
DOCUMENTATION = [ip_network(text) for text in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")]

PACK = Path(content.__path__[0]) / "packs" / "azure-keyvault"
PANTHER = sorted(path.with_suffix(".yml") for path in PACK.glob("*.py"))
"""Rules in Panther's language."""
RULES = sorted(set(PACK.glob("*.yml")) - set(PANTHER))
ELASTIC = sorted(PACK.glob("*.toml"))
"""Rules in Elastic's language."""


@pytest.fixture(scope="module")
def ordinary():
    return list(ordinary_records())


@pytest.fixture(scope="module")
def intrusion():
    return list(intrusion_records())


def test_two_runs_write_the_same_bytes(tmp_path):
    first, second = write_demo(tmp_path / "first"), write_demo(tmp_path / "second")
    assert [path.name for path in first] == ["keyvault-audit.ndjson", "activity.ndjson"]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_every_machine_writes_the_same_bytes(tmp_path):
    """Holds across Python versions too; a deliberate change of the scenario changes the digest."""
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in write_demo(tmp_path)))
    assert digest.hexdigest() == (
        "48b10e581bfcba2e3d6eefbe93d61114045bad103662e2de4eabbb44cde9524d"
    )


def test_files_hold_every_record_once_in_time_order(tmp_path, ordinary, intrusion):
    audit, activity = (
        [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        for path in write_demo(tmp_path)
    )
    assert {record["category"] for record in audit} == {"AuditEvent"}
    assert {record["category"] for record in activity} == {"Administrative"}
    for records in (audit, activity):
        assert is_sorted(records)
    written = Counter(map(json.dumps, audit + activity))
    assert written == Counter(map(json.dumps, ordinary + intrusion))
    assert set(written.values()) == {1}


def is_sorted(records):
    times = [record["time"] for record in records]
    return times == sorted(times)


def test_ordinary_traffic_lasts_fourteen_days(ordinary):
    assert is_sorted(ordinary)
    assert 3000 <= len(ordinary) <= 6000
    assert sorted({record["time"][:10] for record in ordinary}) == DAYS


def test_intrusion_falls_on_the_last_day(intrusion):
    assert is_sorted(intrusion)
    assert {record["time"][:10] for record in intrusion} == {DAYS[-1]}


@pytest.mark.parametrize(
    "operation",
    [
        "VaultList",
        "SecretList",
        "SecretListVersions",
        "SecretListDeleted",
        "SecretGet",
        "SecretSet",
        "SecretDelete",
        "SecretPurge",
        "KeyBackup",
        "VaultPatch",
        "MICROSOFT.KEYVAULT/VAULTS/ACCESSPOLICIES/WRITE",
        "MICROSOFT.KEYVAULT/VAULTS/WRITE",
        "MICROSOFT.AUTHORIZATION/ROLEASSIGNMENTS/WRITE",
        "MICROSOFT.INSIGHTS/DIAGNOSTICSETTINGS/DELETE",
    ],
)
def test_intrusion_has_the_step(intrusion, operation):
    assert operation in {record["operationName"] for record in intrusion}


def test_intruder_uses_a_known_identity_from_an_unknown_address(ordinary, intrusion):
    (intruder,) = {user_of(record) for record in intrusion}
    (address,) = {record["callerIpAddress"] for record in intrusion}
    assert intruder in {user_of(record) for record in ordinary}
    assert address not in {record["callerIpAddress"] for record in ordinary}


def user_of(record):
    identity = record["identity"]
    claims = identity["claims"] if "claims" in identity else identity["claim"]
    return next((claims[key] for key in claims if key.rpartition("/")[2] == "upn"), None)


def test_vaults_are_silent_once_their_log_is_off(ordinary, intrusion):
    ends = {
        record["resourceId"].partition("/PROVIDERS/MICROSOFT.INSIGHTS")[0]: record["time"]
        for record in intrusion
        if record["operationName"].endswith("DIAGNOSTICSETTINGS/DELETE")
    }
    assert len(ends) == 2
    late = [
        record
        for record in [*ordinary, *intrusion]
        if record["category"] == "AuditEvent"
        and record["time"] > ends.get(record["resourceId"], "9")
    ]
    assert late == []


def test_activity_comes_as_start_and_success(ordinary, intrusion):
    results = {}
    for record in [*ordinary, *intrusion]:
        if record["category"] == "Administrative":
            results.setdefault(record["correlationId"], []).append(record["resultType"])
    assert {tuple(types) for types in results.values()} == {("Start", "Success")}


def test_addresses_are_reserved_for_documentation(ordinary, intrusion):
    addresses = {ip_address(record["callerIpAddress"]) for record in [*ordinary, *intrusion]}
    assert all(any(address in network for network in DOCUMENTATION) for address in addresses)


@pytest.fixture(params=RULES, ids=lambda path: path.stem)
def rule_file(request):
    return request.param


def cases_of(rule_file):
    text = rule_file.with_name(f"{rule_file.stem}.cases.yaml").read_text("utf-8")
    return yaml.safe_load(text)


def test_rule_loads_without_errors(rule_file):
    rule = SigmaRule.from_yaml(rule_file.read_text("utf-8"), collect_errors=True)
    assert rule.errors == []
    assert [condition.parsed for condition in rule.detection.parsed_condition]
    assert (rule.author, rule.license) == ("Tocsin authors", "Apache-2.0")
    assert rule.logsource.service in {"keyvault", "activitylogs"}
    assert rule.level is not None
    assert rule.description
    assert rule.references
    assert rule.falsepositives
    assert any(tag.name.startswith("t1") for tag in rule.tags)


def test_rule_has_cases_that_match_and_cases_that_do_not(rule_file):
    document = cases_of(rule_file)
    assert document["rule"] == rule_file.name
    alerting = [bool(case["alerts"]) for case in document["cases"]]
    assert set(alerting) == {True, False}


def test_cases_are_well_formed(rule_file):
    rule = yaml.safe_load(rule_file.read_text("utf-8"))
    log_type = {"keyvault": "azure.keyvault", "activitylogs": "azure.activity"}
    cases = cases_of(rule_file)["cases"]
    assert len({case["name"] for case in cases}) == len(cases)
    for case in cases:
        assert case.keys() == {"name", "log_type", "events", "alerts"}
        assert case["log_type"] == log_type[rule["logsource"]["service"]]
        assert is_sorted(case["events"])
        for alert in case["alerts"]:
            assert alert["severity"] == rule["level"]
            assert all(0 <= index < len(case["events"]) for index in alert["events"])


def test_ids_and_titles_are_unique_and_references_known():
    rules = [yaml.safe_load(path.read_text("utf-8")) for path in RULES]
    ids = {rule["id"] for rule in rules}
    assert len(ids) == len({rule["title"] for rule in rules}) == len(RULES)
    assert {other["id"] for rule in rules for other in rule.get("related", [])} <= ids


def test_every_cases_file_has_its_rule():
    stems = {path.name.removesuffix(".cases.yaml") for path in PACK.glob("*.cases.yaml")}
    assert stems == {path.stem for path in (*RULES, *ELASTIC)}


@pytest.mark.parametrize("path", ELASTIC, ids=lambda path: path.stem)
def test_a_rule_in_the_language_of_elastic_says_all_that_people_need(path):
    (rule,) = load_rules([path]).rules
    assert (rule.verdict, rule.reasons, rule.notes) == (Verdict.RUNS, (), ())
    assert (rule.author, rule.license) == (("Tocsin authors",), "Apache-2.0")
    assert all((rule.description, rule.references, rule.false_positives, rule.guide, rule.attack))
    alerting = [bool(case["alerts"]) for case in cases_of(path)["cases"]]
    assert set(alerting) == {True, False}


@pytest.mark.parametrize("path", PANTHER, ids=lambda path: path.stem)
def test_a_rule_in_the_language_of_panther_says_all_that_people_need(path):
    (rule,) = load_rules([path]).rules
    assert rule.kind == "python"
    assert all((rule.description, rule.references, rule.guide, rule.attack, rule.tags))
    expected = [test["ExpectedResult"] for test in read_document(rule)["Tests"]]
    assert set(expected) == {True, False}


def test_rules_in_both_languages_alert_on_the_same_events(tmp_path):
    result = tocsin.scan(write_demo(tmp_path), tocsin.load_rules(PACK))
    by_event = {}
    for alert in result:
        by_event.setdefault(alert.event.id, set()).add(alert.rule.ecosystem)
    assert {"sigma", "elastic"} in by_event.values()
