"""The alert record: its keys, their types, and the ids that name alerts and events."""

import hashlib
from pathlib import Path

import pytest

from cli.calling import Result, rule, scan

TEXT, NUMBER, OR_NONE = "text", "number", "text or null"

TREE = {
    "schema": NUMBER,
    "id": TEXT,
    "time": OR_NONE,
    "first": OR_NONE,
    "last": OR_NONE,
    "count": NUMBER,
    "title": TEXT,
    "reason": TEXT,
    "severity": TEXT,
    "risk_score": NUMBER,
    "rule": {
        "id": TEXT,
        "name": TEXT,
        "ecosystem": TEXT,
        "kind": TEXT,
        "pack": TEXT,
        "path": TEXT,
        "digest": TEXT,
        "author": [TEXT],
        "license": OR_NONE,
        "tags": [TEXT],
        "references": [TEXT],
        "false_positives": [TEXT],
    },
    "group": {},
    "stage": {"kind": TEXT, "steps": [], "values": []},
    "context": {},
    "entities": [{"type": TEXT, "value": TEXT}],
    "events": [
        {
            "id": TEXT,
            "log_type": TEXT,
            "time": OR_NONE,
            "source": TEXT,
            "line": NUMBER,
            "raw": object,
        }
    ],
    "events_total": NUMBER,
    "matched": [{"field": TEXT, "op": TEXT, "value": object, "path": [TEXT], "found": object}],
    "attack": [
        {
            "tactic": OR_NONE,
            "tactic_name": OR_NONE,
            "technique": OR_NONE,
            "technique_name": OR_NONE,
            "replaces": OR_NONE,
        }
    ],
    "guide": TEXT,
    "description": OR_NONE,
    "reference": OR_NONE,
    "destinations": object,
}

RULE = rule(
    "Secret Read",
    "{s: {operationName: SecretGet, n: 7}, condition: s}",
    id="0c7a0cb2-64ae-4bd0-8c65-c05fa0bdd3a5",
    level="high",
    author="Ada, Grace",
    license="MIT",
    tags="[attack.credential-access, attack.t1552.001, cloud.azure]",
    references="[https://example.com/a]",
    falsepositives="[Backups]",
).replace("product: acme, service: web", "product: azure, service: keyvault")

RECORD = (
    '{"time": "2026-01-02T03:04:05.6789Z", "category": "AuditEvent", "n": 7,'
    ' "operationName": "SecretGet", "callerIpAddress": "203.0.113.7",'
    ' "identity": {"claim": {"upn": "anna@corp.example"}},'
    ' "resourceId": "/SUBSCRIPTIONS/1/RESOURCEGROUPS/G/PROVIDERS/MICROSOFT.KEYVAULT/VAULTS/V"}'
)


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    folder = tmp_path / "our-pack"
    folder.mkdir()
    (folder / "read.yml").write_text(RULE)
    return folder


def fits(value: object, shape: object) -> bool:
    """Say whether a value has exactly the keys and types of a shape."""
    if isinstance(shape, dict):
        return (
            isinstance(value, dict)
            and list(value) == list(shape)
            and all(fits(value[key], shape[key]) for key in shape)
        )
    if isinstance(shape, list):
        return isinstance(value, list) and all(fits(item, one) for item in value for one in shape)
    kinds = {TEXT: str, NUMBER: int, OR_NONE: str | None}
    return isinstance(value, kinds.get(shape, object)) and not isinstance(value, bool)


def read_alert(pack: Path, data: str) -> Result:
    return scan("-", rules=pack, log_type="", stdin=data.encode())


def test_a_record_has_exactly_these_keys(pack: Path) -> None:
    [record] = read_alert(pack, RECORD).records
    assert fits(record, TREE)


def test_a_record_without_time_or_entities_has_the_same_keys(pack: Path) -> None:
    data = '{"category": "AuditEvent", "operationName": "SecretGet", "n": 7}'
    [record] = read_alert(pack, data).records
    assert fits(record, TREE)
    assert record["time"] is record["first"] is record["last"] is None


def test_a_record_says_all_that_is_known(pack: Path) -> None:
    [record] = read_alert(pack, RECORD).records
    event = record["events"][0]
    assert len(record["rule"].pop("digest")) == 64
    assert event["raw"].pop("n") == 7
    assert record == {
        "schema": 1,
        "id": "99b7a873bf6efca7c3d665c540eb51a2",
        "time": "2026-01-02T03:04:05.678Z",
        "first": "2026-01-02T03:04:05.678Z",
        "last": "2026-01-02T03:04:05.678Z",
        "count": 1,
        "title": "Secret Read",
        "reason": "operationName is SecretGet; n is 7",
        "severity": "high",
        "risk_score": 73,
        "rule": {
            "id": "0c7a0cb2-64ae-4bd0-8c65-c05fa0bdd3a5",
            "name": "Secret Read",
            "ecosystem": "sigma",
            "kind": "detection",
            "pack": "our-pack",
            "path": str(pack / "read.yml"),
            "author": ["Ada", "Grace"],
            "license": "MIT",
            "tags": ["attack.credential-access", "attack.t1552.001", "cloud.azure"],
            "references": ["https://example.com/a"],
            "false_positives": ["Backups"],
        },
        "group": {},
        "stage": {"kind": "none", "steps": [], "values": []},
        "context": {},
        "entities": record["entities"],
        "events": [
            {
                "id": "10d1ef1b5933e8987690695ef1313feb",
                "log_type": "azure.keyvault",
                "time": "2026-01-02T03:04:05.678Z",
                "source": "-",
                "line": 1,
                "raw": event["raw"],
            }
        ],
        "events_total": 1,
        "matched": [
            {
                "field": "operationName",
                "op": "equals",
                "value": "SecretGet",
                "path": ["operationName"],
                "found": "SecretGet",
            },
            {"field": "n", "op": "equals", "value": 7, "path": ["n"], "found": 7},
        ],
        "attack": [
            {
                "tactic": "TA0006",
                "tactic_name": "Credential Access",
                "technique": None,
                "technique_name": None,
                "replaces": None,
            },
            {
                "tactic": None,
                "tactic_name": None,
                "technique": "T1552.001",
                "technique_name": "Credentials In Files",
                "replaces": None,
            },
        ],
        "guide": "",
        "description": None,
        "reference": None,
        "destinations": None,
    }
    entities = {(entity["type"], entity["value"]) for entity in record["entities"]}
    assert ("user", "anna@corp.example") in entities
    assert ("address", "203.0.113.7") in entities


CANONICAL = (
    '{"a":{"list":[1.0,{"x":null,"y":true}],"text":"é / \\n \\" \\u0001"},'
    '"big":12345678901234567890123,"mark":"needle"}'
)
"""What the event id is a digest of: keys sorted, no spaces, number text kept, UTF-8."""

EVENT_ID = "eeaa373675ded4310fdc7845a7d33290"
ALERT_ID = "f0d3dcdd7f03ff108054236cd1ec3582"

SPELLINGS = {
    "as written": CANONICAL,
    "with spaces": '{ "a" : { "list" : [ 1.0 , {"x":null, "y":true} ] ,'
    ' "text":"é / \\n \\" \\u0001"},\t"big" : 12345678901234567890123, "mark":"needle" }  ',
    "keys in another order": '{"mark":"needle","big":12345678901234567890123,'
    '"a":{"text":"é / \\n \\" \\u0001","list":[1.0,{"y":true,"x":null}]}}',
    "other escapes": '{"a":{"list":[1.0,{"x":null,"y":true}],"text":"\\u00e9 \\/ \\u000A \\u0022'
    ' \\u0001"},"big":12345678901234567890123,"mark":"need\\u006ce"}',
    "in a wrapper": f'{{"records": [{CANONICAL}]}}',
    "in a wrapper over several lines": f'{{\n  "records": [\n    {CANONICAL}\n  ]\n}}\n',
    "after a byte order mark": f"\ufeff{CANONICAL}\r\n",
    "repaired": CANONICAL.replace("}]", "},]"),
}


@pytest.fixture
def needle(tmp_path: Path) -> Path:
    (tmp_path / "needle.yml").write_text(rule(id="1f6a4ad4-1d2f-4a0c-9f8e-0f1d9f6f4a5b"))
    return tmp_path / "needle.yml"


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_record_has_one_event_id_and_one_alert_id_however_it_is_written(
    spelling: str, needle: Path
) -> None:
    [record] = scan("-", rules=needle, stdin=SPELLINGS[spelling].encode()).records
    assert record["events"][0]["id"] == EVENT_ID
    assert record["id"] == ALERT_ID


def test_the_event_id_is_the_digest_of_the_canonical_record() -> None:
    assert hashlib.sha256(CANONICAL.encode()).hexdigest()[:32] == EVENT_ID


def test_the_alert_id_is_the_digest_of_version_rule_kind_group_and_anchor() -> None:
    parts = ("1", "needle:1f6a4ad4-1d2f-4a0c-9f8e-0f1d9f6f4a5b", "detection", "", EVENT_ID)
    assert hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32] == ALERT_ID


@pytest.mark.parametrize(
    "other",
    [
        CANONICAL.replace("1.0", "1"),
        CANONICAL.replace("1.0", "1.00"),
        CANONICAL.replace("null", "false"),
        CANONICAL.replace('"x":null,', ""),
        CANONICAL.replace("é", "e\u0301"),
    ],
)
def test_another_record_has_another_event_id(other: str, needle: Path) -> None:
    [record] = scan("-", rules=needle, stdin=other.encode()).records
    assert record["events"][0]["id"] != EVENT_ID


def test_an_alert_keeps_its_id_when_its_rule_is_revised(needle: Path) -> None:
    needle.write_text(needle.read_text().replace("title: Needle", "title: Revised\nlevel: low"))
    [record] = scan("-", rules=needle, stdin=CANONICAL.encode()).records
    assert record["title"] == "Revised"
    assert record["id"] == ALERT_ID


def test_a_record_that_occurs_twice_is_two_alerts_of_one_event_id(needle: Path) -> None:
    result = scan("-", rules=needle, stdin=f"{CANONICAL}\n{CANONICAL}\n".encode())
    assert result.lines == [1, 2]
    assert {record["id"] for record in result.records} == {ALERT_ID}
