"""`tocsin demo`: the intrusion is found, the weeks before it are quiet."""

from pathlib import Path

import pytest

from cli.calling import PACKS, jsonl, scan, tocsin
from tocsin.content.demo import intrusion_records, ordinary_records

PACK = PACKS / "azure-keyvault"


def alerts_of(records: list[dict]) -> list[dict]:
    result = scan("-", rules=PACK, log_type="", bridge="keyvault", stdin=jsonl(records))
    assert result.status == 0
    return result.records


def test_shows_the_alerts_and_what_to_do_next() -> None:
    result = tocsin("demo")
    assert result.status == 0
    assert "Key Vault" in result.text
    assert "19 rules" in result.err
    assert "What to try next:" in result.err


def test_keeps_its_logs_where_it_is_told(tmp_path: Path) -> None:
    result = tocsin("demo", "--keep", tmp_path / "new" / "logs")
    assert result.status == 0
    assert sorted(file.name for file in (tmp_path / "new" / "logs").iterdir()) == [
        "activity.ndjson",
        "keyvault-audit.ndjson",
    ]


def test_two_ordinary_weeks_are_quiet() -> None:
    alerts = alerts_of(list(ordinary_records()))
    assert len(alerts) <= 5, [alert["title"] for alert in alerts]


BY_COMMAND = "by a User With a Command-Line Tool"
STEPS = {
    "21:47 vaults are listed": f"Key Vaults Listed {BY_COMMAND}",
    "21:50 their contents are listed": f"Key Vault Contents Listed {BY_COMMAND}",
    "21:50 one vault refuses": "Access to Key Vault Contents Refused",
    "21:51 deleted ones are listed": "Deleted Key Vault Objects Listed or Brought Back by a User",
    "21:58 secrets are read": "Key Vault Secret Read by a User Outside an Application",
    "22:12 access policies change": "Access Policies of a Key Vault Changed",
    "22:12 in favour of who changes them": (
        "Identity Added Itself to the Access Policies of a Key Vault"
    ),
    "22:17 a role is assigned": "Role Assigned on a Key Vault",
    "22:21 the firewall is opened": "Firewall of a Key Vault Opened",
    "22:31 a key is backed up": "Key Vault Object Backed Up by a User",
    "22:58 a secret is written": "Key Vault Secret, Key or Certificate Written by a User",
    "22:59 a secret is deleted": "Key Vault Secret, Key or Certificate Deleted",
    "23:00 a secret is purged": "Deleted Key Vault or Key Vault Object Purged",
    "23:36 the log is switched off": "Diagnostic Settings of a Key Vault Deleted",
}


@pytest.fixture(scope="module")
def caught() -> set[tuple[str, str]]:
    return {
        (alert["time"][11:16], alert["title"]) for alert in alerts_of(list(intrusion_records()))
    }


@pytest.mark.parametrize("step", STEPS)
def test_every_step_of_the_intrusion_is_caught(step: str, caught: set[tuple[str, str]]) -> None:
    assert (step[:5], STEPS[step]) in caught


@pytest.mark.parametrize("category", ["AuditEvent", "Administrative"])
def test_the_intrusion_is_seen_in_each_log_by_itself(category: str) -> None:
    records = [record for record in intrusion_records() if record["category"] == category]
    assert alerts_of(records)
