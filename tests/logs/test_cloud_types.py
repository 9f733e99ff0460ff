"""One thing that happens in a cloud or a service, in every shape it is met in."""

import json
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml
from cloud_records import LOGS, WRITTEN, trail
from microsoft_records import HUNTED
from record_envelopes import ADDRESS, TIME, USER, Record
from seeing import accepting, kinds, parse, records_of, view

from tocsin.condition.evaluate import holds
from tocsin.engine.match import Matcher
from tocsin.engine.plan import compile_plan
from tocsin.logs.load import shipped_log_types
from tocsin.logs.logtype import PANTHER
from tocsin.logs.view import RecordView
from tocsin.rules.load import load_rules
from tocsin.rules.model import Rule, Verdict
from tocsin.times import format_time

RULES = yaml.safe_load((Path(__file__).parent / "cloud_rules.yaml").read_text("utf-8"))
WITHOUT_RULES = {"azure.storage", "gcp.logging", "m365.defender"}
"""Log types that no rule of Sigma is for."""


def each_record() -> list[Any]:
    return [
        pytest.param(log, name, shape, id=f"{log}/{shape}: {name}")
        for log, happens in LOGS.items()
        for name, shapes in happens.items()
        for shape in shapes
    ]


@pytest.mark.parametrize(("log", "name", "shape"), each_record())
def test_every_record_is_accepted_once(log, name, shape):
    assert kinds(parse(LOGS[log][name][shape])) == [f"{log}/{shape}"]


@pytest.mark.parametrize("log", LOGS)
def test_every_shape_has_a_record(log):
    (log_type,) = (one for one in shipped_log_types() if one.name == log)
    met = {shape for shapes in LOGS[log].values() for shape in shapes}
    assert met == {shape.name for shape in log_type.shapes} - {PANTHER}


@pytest.mark.parametrize(("log", "name", "shape"), each_record())
def test_every_record_says_when_and_who_and_which(log, name, shape):
    seen = view(LOGS[log][name][shape])
    when = seen.time()
    assert when
    assert format_time(when) == TIME
    entities = set(seen.entities())
    assert ("address", ADDRESS) in entities
    user = "mira" if log in {"aws.cloudtrail", "github.audit"} else USER
    assert ("user", user) in entities or log == "gcp.logging"
    assert seen.shape.unique
    assert all(seen.evaluate(expr) for expr in seen.shape.unique)


FOREIGN: dict[str, Record] = {
    "an event in another document": {"@timestamp": TIME, "event": trail("x", "y")["record"]},
    "a message without a time": {"message": trail("x", "y")["cloudwatch"]["message"]},
    "a message that is no record": {"timestamp": TIME, "message": "StopLogging"},
    "a message of text that is cut off": {"timestamp": TIME, "message": '{"eventName": "x", '},
    "an action elsewhere": {"action": "opened", "@timestamp": TIME, "actor": "mira"},
    "an operation elsewhere": {"Operation": "x", "RecordType": 1},
    "a payload of another kind": {"protoPayload": {"@type": "type.googleapis.com/other"}},
    "a request elsewhere": {"requestURI": "/index.html", "http": {"method": "GET"}},
    "nothing in an event": {"event": {}},
}


@pytest.mark.parametrize("record", FOREIGN.values(), ids=FOREIGN)
def test_other_records_are_not_taken(record):
    assert kinds(parse(record)) == []


def test_an_alert_with_a_record_is_the_record():
    inside = LOGS["m365.audit"]["mail is forwarded"]["record"]
    for held in (inside, json.dumps(inside)):
        assert kinds(parse({**HUNTED, "RawEventData": held})) == ["m365.audit/cloud_app_events"]


def test_an_entry_is_an_audit_log_by_its_name_too():
    named = {**WRITTEN, "logName": "projects/p/logs/cloudaudit.googleapis.com%2Fpolicy"}
    assert kinds(parse({**named, "protoPayload": {}})) == ["gcp.audit/entry"]


@cache
def rules() -> list[Rule]:
    return [load_one(number, entry) for number, entry in enumerate(RULES)]


def load_one(number: int, entry: dict[str, Any]) -> Rule:
    told = {key: value for key, value in entry.items() if key != "raised_by"}
    return load_text({**told, "id": f"7ed50000-aaaa-4bbb-8ccc-{number:012}", "level": "high"})


def load_text(rule: dict[str, Any]) -> Rule:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        path = Path(folder) / "rule.yml"
        path.write_text(yaml.safe_dump(rule), "utf-8")
        (loaded,) = load_rules([path]).rules
    assert loaded.verdict is Verdict.RUNS
    return loaded


@pytest.fixture(scope="module")
def raised() -> dict[tuple[str, str, str], set[str]]:
    """Match every record with every rule at once: titles of the rules that each one meets."""
    places = [one.values for one in each_record()]
    lines = [json.dumps(LOGS[log][name][shape]) for log, name, shape in places]
    matcher = Matcher(shipped_log_types(), lambda *of: compile_plan(rules(), *of))
    result = matcher.match(pa.array(lines))
    assert not len(result.unidentified)
    found: dict[tuple[str, str, str], set[str]] = {place: set() for place in places}
    for match in result.matches:
        found[places[match.row]].add(RULES[match.input.rule]["title"])
    return found


@pytest.mark.parametrize(("log", "name", "shape"), each_record())
def test_one_thing_raises_the_same_in_every_shape(raised, log, name, shape):
    expected = {rule["title"] for rule in RULES if name in rule["raised_by"].get(log, ())}
    assert raised[log, name, shape] == expected


def test_three_rules_are_for_each_log_and_each_meets_something():
    of_log = Counter(log for rule in RULES for log in rule["raised_by"])
    assert of_log.keys() == LOGS.keys() - WITHOUT_RULES
    assert min(of_log.values()) >= 3


@pytest.mark.parametrize(
    ("source", "names"),
    [
        (("aws", None, "cloudtrail"), {"aws.cloudtrail"}),
        (("gcp", None, "gcp.audit"), {"gcp.audit"}),
        (("gcp", None, "google_workspace.admin"), {"gcp.audit", "google.workspace"}),
        (("gcp", None, "google_workspace.login"), {"gcp.audit", "google.workspace"}),
        (("kubernetes", None, "audit"), {"gcp.audit", "kubernetes.audit"}),
        (("kubernetes", "application", "audit"), {"gcp.audit", "kubernetes.audit"}),
        (("okta", None, "okta"), {"okta.system"}),
        (("github", None, "audit"), {"github.audit"}),
        (("bitbucket", None, "audit"), set()),
        (("m365", None, "audit"), {"m365.audit"}),
        (("m365", None, "threat_management"), {"m365.audit"}),
        (("m365", None, None), {"m365.audit", "m365.defender"}),
        (("jvm", "application", None), set()),
    ],
)
def test_a_source_selects_its_log_types(source, names):
    assert {one.name for one in shipped_log_types() if one.select(*source)} == names


def test_only_clusters_of_google_are_clusters():
    (audit,) = (one for one in shipped_log_types() if one.name == "gcp.audit")
    (variant,) = audit.select("kubernetes", None, None)
    for name, shapes in LOGS["gcp.audit"].items():
        seen = view(shapes["entry"])
        assert holds(variant.condition, seen.read) == (name == "a shell is opened in a pod")


REAL = {
    "aws/invictus_cloudtrail_1000": {"aws.cloudtrail/record": 1000},
    "aws/otrf_ec2_proxy_s3_exfiltration": {"aws.cloudtrail/record": 103},
    "aws/plaso_aws_cloudtrail": {"aws.cloudtrail/lookup": 6},
    "aws/stratus_detonation_labelled": {"aws.cloudtrail/event": 310},
    "gcp/plaso_gcp_logging": {"gcp.audit/entry": 9, "gcp.logging/entry": 2},
    "gcp/stratus_doc_samples_GCP": {"gcp.audit/event": 11},
    "k8s/stratus_doc_samples_EKS": {"aws.cloudtrail/event": 2, "kubernetes.audit/event": 1},
    "k8s/stratus_doc_samples_kubernetes": {"kubernetes.audit/datadog_event": 5},
    "o365/otrf_Microsoft365DefenderEvents": {
        "m365.defender/row": 8,
        "m365.audit/cloud_app_events": 1,
    },
    "o365/otrf_OfficeActivityEvents": {"m365.audit/log_analytics": 1},
    "o365/plaso_microsoft_audit_log": {"m365.audit/record": 4},
    "o365/sentinel_training_office_activity": {"m365.audit/log_analytics": 266},
}


@pytest.mark.parametrize("name", REAL)
def test_real_records_are_what_their_source_says(shared, name):
    found = Counter(
        kind for record in records_of(shared / "data" / f"{name}.ndjson") for kind in kinds(record)
    )
    assert found == REAL[name]


def test_every_real_record_of_any_log_is_accepted_once(shared):
    paths = sorted((shared / "data").glob("*/*.ndjson*"))
    assert len(paths) > len(REAL)
    for path in paths:
        for record in records_of(path, every=25 if path.suffix == ".gz" else 1):
            assert len(kinds(record)) == 1, (path.name, kinds(record), record)


def test_a_real_operation_reads_alike_as_a_row_and_in_an_alert(shared):
    (row,) = records_of(shared / "data" / "o365" / "otrf_OfficeActivityEvents.ndjson")
    path = shared / "data" / "o365" / "otrf_Microsoft365DefenderEvents.ndjson"
    (inside,) = (one for one in records_of(path) if "m365.audit/cloud_app_events" in kinds(one))
    names = ("Operation", "Workload", "status", "UserType", "LogonType", "ClientIP", "Id", "UserId")
    seen, other = (RecordView(one, accepting(one)[0][1]) for one in (row, inside))
    for name in names:
        found = seen.evaluate(seen.shape.expression("sigma", name))
        assert found == other.evaluate(other.shape.expression("sigma", name))
        assert found
