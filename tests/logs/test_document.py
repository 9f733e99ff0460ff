"""A document of ECS holds what rules read, nested."""

import json

import orjson
import pytest

from tocsin.condition.tree import Call, Field
from tocsin.jsontext import read
from tocsin.logs.document import document, document_text
from tocsin.logs.load import load_log_type, load_log_types
from tocsin.logs.view import RecordView, identify

SIGN_IN = {
    "time": "2026-01-02T03:04:05.6789Z",
    "category": "SignInLogs",
    "operationName": "Sign-in activity",
    "resultType": "50126",
    "durationMs": "12",
    "callerIpAddress": "192.0.2.7:443",
    "properties": {
        "appId": "a1",
        "userPrincipalName": "ana@shop.example",
        "deviceDetail": {"deviceId": "", "isManaged": False},
        "authenticationProcessingDetails": [{"key": "Root Key", "value": "x"}],
        "status": {"errorCode": 50126},
        "riskLevel": None,
    },
}


def made(record: dict) -> dict:
    return json.loads(json.dumps(plain(document(read(json.dumps(record)).value, load_log_types()))))


def plain(value: object) -> object:
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value.text if hasattr(value, "text") else value


def test_names_are_nested_and_empty_values_left_out() -> None:
    found = made(SIGN_IN)
    assert next(iter(found)) == "@timestamp"
    assert found["@timestamp"] == "2026-01-02T03:04:05.678Z"
    assert found["event"]["duration"] == "12000000"
    assert found["event"]["outcome"] == "failure"
    assert found["source"] == {"address": "192.0.2.7", "port": "443", "ip": "192.0.2.7"}
    properties = found["azure"]["signinlogs"]["properties"]
    assert properties["device_detail"] == {"is_managed": False}
    assert properties["authentication_processing_details"] == {"Root Key": "x"}
    assert "risk_level" not in properties
    assert found["user"]["name"] == "ana"


def test_rules_read_the_document_as_they_read_the_record() -> None:
    record = read(json.dumps(SIGN_IN)).value
    log_types = load_log_types()
    built = document(record, log_types)
    seen = [RecordView(one, identify(one, log_types)[1], "ecs") for one in (record, built)]
    _, shape = identify(record, log_types)
    for name in shape.spellings["ecs"].values():
        if name == "@timestamp":
            continue
        field = Field((name,), (Call("text"),))
        assert seen[0].read(field) == seen[1].read(field), name


def test_numbers_keep_their_digits() -> None:
    record = {"@timestamp": "2026-01-02T03:04:05.000Z", "event": {"dataset": "x.y", "code": 1.50}}
    text = json.dumps(record).replace("1.5", "1.50")
    written = orjson.dumps(document_text(read(text).value, "ecs", load_log_types()))
    assert b'"event":{"dataset":"x.y","code":1.50' in written


def test_a_record_without_names_of_the_schema_is_written_as_it_is() -> None:
    assert made({"a": {"b": "x"}}) == {"a": {"b": "x"}}


FAMILIES = load_log_type(
    """
name: a
shapes:
  - name: r
    identify: {exists: t}
    time: t
    families:
      ecs:
        x: [{at: [], keys: snake}, {at: [], other: {oldName: name}}]
        x.inner: {at: inner}
""",
    "a.yaml",
)


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"t": "", "aB": "1"}, {"x": {"a_b": "1"}}),
        ({"t": "", "oldName": "1"}, {"x": {"old_name": "1", "name": "1"}}),
        ({"t": "", "inner": {"aB": "1"}}, {"x": {"inner": {"aB": "1"}}}),
    ],
    ids=["one-family", "another-adds-what-it-renames", "a-longer-prefix-takes-its-part"],
)
def test_families_are_written_together(record: dict, expected: dict) -> None:
    assert document(record, [FAMILIES]) == expected
