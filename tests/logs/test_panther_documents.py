"""Records as Panther delivers them to its rules, in every shape that they are met in."""

import json
from pathlib import Path

import pytest
from azure_records import ACTIVITY, CHANGES, DETECTIONS, SAMPLES, SIGN_INS, vault_shapes
from seeing import parse

from tocsin.condition.tree import TRUE, Call, Field
from tocsin.jsontext import compact, standard
from tocsin.logs.bridges import load_bridge
from tocsin.logs.document import panther_document, panther_names
from tocsin.logs.indicators import indicators
from tocsin.logs.load import shipped_log_types
from tocsin.logs.logtype import EVERY_EVENT, PANTHER, Variant
from tocsin.logs.view import RecordView, identify
from tocsin.rules.panther.yaml12 import read_yaml12


def view_of(record, variant=EVERY_EVENT):
    parsed = parse(record)
    _, shape = identify(parsed, shipped_log_types())
    return RecordView(parsed, shape, PANTHER, variant)


def document_of(record, name="Any.Log"):
    return json.loads(compact(standard(panther_document(view_of(record), name))))


def at(document, path):
    for key in path:
        document = document.get(key) if isinstance(document, dict) else None
    return document


ALIKE = {
    "activity": (
        ACTIVITY,
        ["operationName", "category", "resultType", "callerIpAddress", "correlationId"],
    ),
    "sign-in": (
        SIGN_INS,
        [
            "operationName",
            "category",
            "properties.appId",
            "properties.userPrincipalName",
            "properties.riskLevelDuringSignIn",
            "properties.status.errorCode",
        ],
    ),
    "change in the directory": (
        CHANGES,
        ["operationName", "category", "properties.initiatedBy.user.userPrincipalName"],
    ),
    "risk detection": (
        DETECTIONS,
        ["category", "properties.riskEventType", "properties.userPrincipalName"],
    ),
    "read of a secret": (
        vault_shapes("SecretGet"),
        ["operationName", "category", "resultType", "correlationId", "properties.id"],
    ),
}
CASES = [
    pytest.param(shapes["diagnostic"], record, path, id=f"{kind}: {path} in {name}")
    for kind, (shapes, paths) in ALIKE.items()
    for name, record in shapes.items()
    for path in paths
    if "managed HSM" not in name or path != "properties.id"
]


@pytest.mark.parametrize(("exported", "record", "path"), CASES)
def test_a_shape_reads_as_the_export_does(exported, record, path):
    keys = path.split(".")
    wanted = at(document_of(exported), keys)
    assert wanted is not None
    assert str(at(document_of(record), keys)) == str(wanted)


def paths_below(value, path=()):
    if path:
        yield path, value
    if isinstance(value, dict):
        for key, item in value.items():
            yield from paths_below(item, (*path, key))


RECORDS = {
    f"{kind}, {name}": record
    for kind, (shapes, _) in SAMPLES.items()
    for name, record in shapes.items()
}


@pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS)
def test_a_condition_reads_what_the_document_holds(record):
    view = view_of(record)
    document = view.document()
    assert document
    for path, value in paths_below(document):
        assert view.read(Field(path)) == [value]
        swapped = tuple(key.swapcase() for key in path)
        assert view.read(Field(swapped)) is not None


def test_the_record_of_an_export_is_the_document_as_it_stands():
    record = {**ACTIVITY["diagnostic"], "odd": {"text": '{"a": 1}', "empty": [], "none": None}}
    document = document_of(record)
    assert {key: value for key, value in document.items() if not key.startswith("p_")} == record


def test_fields_of_panthers_own_stay_as_they_are():
    own = {"p_event_time": "2024-01-01 00:00:00.000000001", "p_any_usernames": [], "p_row_id": "1"}
    document = document_of({**ACTIVITY["diagnostic"], **own})
    assert {key: document[key] for key in own} == own
    assert document["p_log_type"] == "Any.Log"


def test_an_event_time_has_nine_digits():
    record = {**ACTIVITY["diagnostic"], "time": "2026-01-02T03:04:05.1234567Z"}
    assert document_of(record)["p_event_time"] == "2026-01-02 03:04:05.123456000"


NAMES = {
    "an audit event of AKS": (
        {"category": "kube-audit", "operationName": "x", "properties": {"log": '{"verb": "get",'
         ' "requestURI": "/api", "objectRef": {"resource": "pods"}}'}},
        ["Azure.MonitorActivity"],
    ),
    "an audit event of EKS": (
        {"kind": "Event", "verb": "get", "objectRef": {"resource": "pods"}},
        ["Amazon.EKS.Audit"],
    ),
    "a file of SharePoint": (
        {"Operation": "FileAccessed", "Workload": "OneDrive", "RecordType": 6},
        ["Microsoft365.Audit.SharePoint"],
    ),
    "a message of Teams": (
        {"Operation": "MessageSent", "Workload": "MicrosoftTeams", "RecordType": 25},
        ["Microsoft365.Audit.General"],
    ),
    "a row that Panther kept": (
        {"p_log_type": "Okta.SystemLog", "eventtype": "x"}, ["Okta.SystemLog"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("record", "names"), NAMES.values(), ids=NAMES)
def test_a_record_is_of_panthers_log_type(record, names):
    parsed = parse(record)
    log_type, shape = identify(parsed, shipped_log_types())
    assert panther_names(RecordView(parsed, shape), log_type) == names


def test_text_inside_a_record_of_aks_stays_text():
    log = '{"verb": "get", "requestURI": "/api", "objectRef": {"resource": "pods"}}'
    record = {"category": "kube-audit", "operationName": "x", "properties": {"log": log}}
    assert document_of(record)["properties"]["log"] == log


def test_an_activity_of_google_workspace_is_its_first_event():
    parameters = [{"name": "visibility", "value": "people"}, {"name": "owned", "boolValue": True}]
    document = document_of(
        {
            "kind": "admin#reports#activity",
            "id": {"applicationName": "drive", "uniqueQualifier": "1"},
            "events": [{"type": "access", "name": "edit", "parameters": parameters}],
        }
    )
    assert (document["name"], document["type"]) == ("edit", "access")
    assert document["parameters"] == {"visibility": "people", "owned": True}


@pytest.mark.parametrize("name", vault_shapes("SecretGet"))
def test_a_bridge_shows_a_read_of_a_secret_under_the_name_of_its_action(name):
    bridged = Variant(TRUE, load_bridge("keyvault").expressions())
    view = view_of(vault_shapes("SecretGet")[name], bridged)
    action = "Microsoft.KeyVault/vaults/secrets/getSecret/action"
    upper = Field(("OperationName",), (Call("upper"),))
    assert view.read(upper) == [action.upper()]
    assert panther_document(view, "Azure.MonitorActivity")["operationName"] == action


INDICATORS = {
    "an address, with its port": (
        {"ip": "10.0.0.1:443"}, {"ip_addresses": [("ip",)]}, {"ip_addresses": ["10.0.0.1"]},
    ),
    "an address anywhere": ({"a": {"b": ["::1"]}}, {}, {"ip_addresses": ["::1"]}),
    "no address": ({"ip": "AWS Internal"}, {"ip_addresses": [("ip",)]}, {}),
    "an ARN, and its account": (
        {"x": "arn:aws:iam::123456789012:user/ann"}, {},
        {"aws_arns": ["arn:aws:iam::123456789012:user/ann"], "aws_account_ids": ["123456789012"]},
    ),
    "a hash under a key that says so": (
        {"fileHash": "d41d8cd98f00b204e9800998ecf8427e", "id": "d41d8cd98f00b204e9800998ecf8427f"},
        {}, {"md5_hashes": ["d41d8cd98f00b204e9800998ecf8427e"]},
    ),
    "an address of mail": (
        {"who": "ABC:ann@example.com"}, {"emails": [("who",)]}, {"emails": ["ann@example.com"]},
    ),
    "no domain": (
        {"from": "10.0.0.1"}, {"domain_names": [("from",)]}, {"ip_addresses": ["10.0.0.1"]},
    ),
    "users in a list, each once": (
        {"who": ["b", "a", "b", "", None]}, {"usernames": [("who",)]}, {"usernames": ["a", "b"]},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("document", "paths", "found"), INDICATORS.values(), ids=INDICATORS)
def test_indicators(document, paths, found):
    assert indicators(document, paths) == found


def logs_of(checkout: Path):
    """Yield the log type and the log of each test of rules for one log type."""
    for file in sorted((checkout / "rules").rglob("*.yml")):
        data = read_yaml12(file.read_text("utf-8"), file).value
        if not isinstance(data, dict) or len(data.get("LogTypes") or ()) != 1:
            continue
        for test in data.get("Tests") or ():
            log = json.loads(test["Log"]) if isinstance(test.get("Log"), str) else test.get("Log")
            if isinstance(log, dict):
                yield data["LogTypes"][0], log


LEAST = {
    "AWS.CloudTrail": 0.97,
    "Amazon.EKS.Audit": 0.97,
    "Azure.MonitorActivity": 1.0,
    "Azure.Audit": 0.85,
    "GCP.AuditLog": 0.79,
    "GSuite.ActivityEvent": 0.9,
}
"""The share of logs that are recognised without what Panther adds; others are cut too short."""


@pytest.fixture(scope="module")
def logs(panther_analysis):
    return list(logs_of(panther_analysis))


@pytest.mark.parametrize("name", LEAST)
def test_logs_of_panthers_own_tests_are_documents_as_they_stand(name, logs):
    seen = 0
    mine = [log for log_type, log in logs if log_type == name]
    for log in mine:
        bare = {key: value for key, value in log.items() if not key.startswith("p_")}
        parsed = parse(bare)
        found = identify(parsed, shipped_log_types())
        if found is None or name not in found[0].panther:
            continue
        seen += 1
        if found[1].name != "api":
            assert RecordView(parsed, found[1], PANTHER).document() == parsed
    assert seen >= LEAST[name] * len(mine)
