"""Where addresses are, and whose, from databases that a user names."""

import json
from pathlib import Path
from typing import Any

import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet

import tocsin
from cli.calling import tocsin as call
from logs.azure_records import Record, activity_shapes
from tocsin.errors import UsageError
from tocsin.rules.model import Rule

VAULT = (
    "/subscriptions/22222222-aaaa-4bbb-8ccc-000000000002/resourceGroups/rg"
    "/providers/Microsoft.KeyVault/vaults/orders"
)
RULE = """
[metadata]
maturity = "production"
[rule]
name = "From elsewhere"
rule_id = "elsewhere"
type = "query"
severity = "low"
risk_score = 21
index = ["logs-azure.activitylogs-*"]
query = '''{query}'''
"""


def database(path: Path, **networks: dict[str, Any]) -> Path:
    writer = MMDBWriter(ip_version=6, ipv4_compatible=True, database_type="Test")
    for network, record in networks.items():
        writer.insert_network(IPSet([network]), record)
    writer.to_db_file(str(path))
    return path


@pytest.fixture
def city(tmp_path: Path) -> Path:
    record = {
        "country": {"iso_code": "SE", "names": {"en": "Sweden", "de": "Schweden"}},
        "subdivisions": [{"names": {"en": "Uppsala"}}],
        "city": {"names": {"en": "Knivsta"}},
    }
    return database(tmp_path / "city.mmdb", **{"192.0.2.0/24": record})


@pytest.fixture
def asn(tmp_path: Path) -> Path:
    record = {"autonomous_system_number": 64496, "autonomous_system_organization": "Example"}
    return database(tmp_path / "asn.mmdb", **{"192.0.2.0/25": record})


@pytest.fixture
def record() -> Record:
    """A record from 192.0.2.7."""
    return activity_shapes("Microsoft.KeyVault/vaults/write", VAULT)["diagnostic"]


def rule(folder: Path, query: str) -> Rule:
    (folder / "rule.toml").write_text(RULE.format(query=query))
    (found,) = tocsin.load_rules(folder / "rule.toml")
    return found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("source.geo.country_name: Sweden", True),
        ("source.geo.country_iso_code: SE", True),
        ("source.geo.region_name: Uppsala", True),
        ("source.geo.city_name: Knivsta", True),
        ("source.as.number: 64496", True),
        ("source.as.organization.name: Example", True),
        ("source.geo.country_name: Norway", False),
        ("not source.as.number: *", False),
    ],
)
def test_what_is_known_of_an_address(
    query: str, found: bool, record: Record, city: Path, asn: Path, tmp_path: Path
) -> None:
    result = tocsin.scan([record], [rule(tmp_path, query)], geoip=[city, asn])
    assert bool(result.alerts) is found


def test_an_address_that_is_in_no_database_has_no_place(
    record: Record, city: Path, tmp_path: Path
) -> None:
    elsewhere = {**record, "callerIpAddress": "198.51.100.1"}
    asked = rule(tmp_path, "not source.geo.country_name: *")
    assert len(tocsin.scan([elsewhere, record], [asked], geoip=[city])) == 1


def test_without_databases_there_are_no_places(record: Record, city: Path, tmp_path: Path) -> None:
    asked = rule(tmp_path, "source.geo.country_name: *")
    assert len(tocsin.scan([record], [asked], geoip=[city])) == 1
    assert len(tocsin.scan([record], [asked])) == 0


@pytest.mark.parametrize("workers", [1, 2])
def test_the_command_line_takes_databases(
    workers: int, record: Record, city: Path, tmp_path: Path
) -> None:
    rule(tmp_path, "source.geo.country_name: Sweden")
    (tmp_path / "log").write_text(json.dumps(record))
    result = call(
        *("scan", tmp_path / "log", "-r", tmp_path / "rule.toml", "-f", "ndjson"),
        *("--geoip", city, "--workers", workers),
    )
    assert len(result.records) == 1


@pytest.mark.parametrize("content", [None, b"", b"no database"])
def test_what_is_no_database_is_refused(
    content: bytes | None, record: Record, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / "bad.mmdb").write_bytes(content)
    with pytest.raises(UsageError, match=r"bad\.mmdb: "):
        tocsin.scan([record], [rule(tmp_path, "event.action: *")], geoip=[tmp_path / "bad.mmdb"])
