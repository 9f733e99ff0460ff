"""`tocsin rules`: check, list, show, add."""

import json
from pathlib import Path

import pytest

from cli.calling import PACKS, jsonl, rule, tocsin

RECORD = {
    "schema": int,
    "id": str,
    "name": str,
    "ecosystem": str,
    "kind": str,
    "path": str,
    "verdict": str,
    "reasons": list,
    "log_types": list,
    "fields_never_seen": list,
    "events_without": dict,
    "notes": list,
}


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    folder = tmp_path / "pack"
    folder.mkdir()
    for name, text in {
        "a_runs.yml": rule("Runs", id="0c7a0cb2-64ae-4bd0-8c65-c05fa0bdd3a5", author="Ada")
        .replace("acme", "azure").replace("web", "keyvault"),
        "b_bridged.yml": rule("Bridged", "{s: {operationName: MICROSOFT.KEYVAULT/VAULTS/SECRETS/"
                              "GETSECRET/ACTION}, condition: s}")
        .replace("acme", "azure").replace("web", "activitylogs"),
        "c_no_log_type.yml": rule("No Log Type"),
        "d_broken.yml": rule("Broken", "{s: {f|nope: x}, condition: s}"),
        "e_correlation.yml": "title: Many\ncorrelation: {type: event_count, rules: [x],"
                             " timespan: 5m, condition: {gte: 5}}\n",
        "f_filter.yml": "title: Not Bob\nlogsource: {product: azure}\n"
                        "filter: {rules: any, s: {user: bob}, condition: not s}\n",
        "g_notes.yml": rule("Twice", level="low") + "level: high\n",
        "h_no_rule.yml": "about: nothing\n",
    }.items():  # fmt: skip
        (folder / name).write_text(text)
    return folder


def test_check_writes_one_record_per_rule(pack: Path) -> None:
    result = tocsin("rules", "check", pack, "-f", "json")
    records = json.loads(result.out)
    assert result.status == 0
    for record in records:
        assert {key: type(value) for key, value in record.items()} == RECORD
        assert record["schema"] == 1
    shown = {
        Path(record["path"]).name: (record["kind"], record["verdict"], record["log_types"])
        for record in records
    }
    assert shown == {
        "a_runs.yml": ("detection", "runs", ["azure.keyvault"]),
        "b_bridged.yml": ("detection", "approximate", ["azure.activity"]),
        "c_no_log_type.yml": ("detection", "runs", []),
        "d_broken.yml": ("detection", "cannot", []),
        "e_correlation.yml": ("correlation", "cannot", []),
        "f_filter.yml": ("filter", "cannot", []),
        "g_notes.yml": ("detection", "runs", []),
    }
    assert f"not taken  {pack / 'h_no_rule.yml'}: no rule" in result.err


def test_check_says_why(pack: Path) -> None:
    records = json.loads(tocsin("rules", "check", pack, "-f", "json").out)
    reasons = {Path(record["path"]).name: record["reasons"] for record in records}
    assert reasons["a_runs.yml"] == []
    assert "azure.keyvault logs it as SecretGet" in reasons["b_bridged.yml"][0]
    assert "(--bridge keyvault)" in reasons["b_bridged.yml"][0]
    assert reasons["c_no_log_type.yml"][0].startswith("no log type yet for acme/*/web")
    assert reasons["d_broken.yml"] == [f"{pack}/d_broken.yml:3:17: Unknown modifier 'nope'"]
    assert reasons["e_correlation.yml"] == [
        f"{pack}/e_correlation.yml:1:1: correlation rules do not run yet"
    ]
    assert reasons["f_filter.yml"] == [f"{pack}/f_filter.yml:1:1: filters do not run yet"]
    assert records[-1]["notes"] == ["line 5: the key 'level' stands twice; the last counts"]


def test_check_as_text_names_what_does_not_run_and_counts(pack: Path) -> None:
    result = tocsin("rules", "check", pack)
    lines = result.text.splitlines()
    assert f"cannot      Broken ({pack}/d_broken.yml)" in lines
    assert f"            {pack}/d_broken.yml:3:17: Unknown modifier 'nope'" in lines
    assert "7 rules: 3 runs, 1 approximate, 3 cannot" in lines
    assert "       5  no log type yet" in lines
    assert not any("a_runs.yml" in line for line in lines)


@pytest.mark.parametrize(
    ("where", "status"), [("", 3), ("name:Runs", 0), ("name:Bridged", 3), ("name:Broken", 3)]
)
def test_check_strict_ends_with_3_if_a_rule_does_not_run_exactly(
    where: str, status: int, pack: Path
) -> None:
    assert tocsin("rules", "check", pack, "--strict", "--where", where).status == status


def test_list_shows_a_line_per_rule_in_the_order_of_paths(pack: Path) -> None:
    result = tocsin("rules", "list", pack)
    assert result.text.splitlines()[0] == (
        "medium        0c7a0cb2-64ae-4bd0-8c65-c05fa0bdd3a5  Runs"
    )
    assert [line.split("  ")[-1] for line in result.text.splitlines()] == [
        "Runs", "Bridged", "No Log Type", "Broken", "Many", "Not Bob", "Twice",
    ]  # fmt: skip
    assert "7 rules" in result.err


def test_list_as_json_is_one_array(pack: Path) -> None:
    records = json.loads(tocsin("rules", "list", pack, "-f", "json", "--where", "author:ada").out)
    [record] = records
    assert record["schema"] == 1
    assert record["author"] == ["Ada"]
    assert record["severity"] == "medium"
    assert record["verdict"] == "runs"


@pytest.mark.parametrize("wanted", ["Runs", "runs", "0C7A0CB2-64ae-4bd0-8c65-c05fa0bdd3a5"])
def test_show_finds_a_rule_by_name_or_id(wanted: str, pack: Path) -> None:
    result = tocsin("rules", "show", wanted, pack)
    assert result.status == 0
    assert result.text.startswith("Runs\n====\n")
    assert 'mark contains "needle"' in result.text
    assert "log types    azure.keyvault" in result.text


def test_show_takes_a_file(pack: Path) -> None:
    [record] = json.loads(tocsin("rules", "show", pack / "d_broken.yml", "-f", "json").out)
    assert record["name"] == "Broken"
    assert record["verdict"] == "cannot"


def test_show_tells_all_that_a_rule_says(tmp_path: Path) -> None:
    (tmp_path / "full.yml").write_text(
        rule(
            "Full",
            id="d0f6fd8a-9a62-4bd1-9cf2-11e4cbe11f8e",
            status="test",
            level="high",
            author="Ada, Grace",
            license="MIT",
            date="2026-01-02",
            modified="2026-01-03",
            description="|\n    First line.\n    Second line.",
            references="[https://example.com/a]",
            falsepositives="[Backups]",
            tags="[attack.credential-access, attack.t1552.001]",
        )
    )
    text = tocsin("rules", "show", tmp_path / "full.yml").text
    for part in (
        "id           d0f6fd8a-9a62-4bd1-9cf2-11e4cbe11f8e\n",
        "severity     high\n",
        "status       test\n",
        "author       Ada, Grace\n",
        "license      MIT\n",
        "date         2026-01-02\n",
        "modified     2026-01-03\n",
        "ATT&CK       TA0006 Credential Access, T1552.001 Unsecured Credentials",
        ": Credentials In Files\n",
        "\nFirst line.\nSecond line.\n",
        '\nWaits for, in acme/*/web:\n  mark contains "needle"\n',
        "\nFalse positives:\n  Backups\n",
        "\nReferences:\n  https://example.com/a\n",
    ):
        assert part in text


def test_rules_cannot_move_the_cursor(tmp_path: Path) -> None:
    (tmp_path / "evil.yml").write_text(rule('"\\e[2J Evil"', description='"\\e]0;x\\a"'))
    for command in ("check", "list", "show"):
        result = tocsin("rules", command, tmp_path / "evil.yml")
        assert "\x1b" not in result.text
        assert command == "check" or "\\x1b[2J Evil" in result.text


def test_our_packs_run_exactly() -> None:
    result = tocsin("rules", "check", *PACKS.iterdir(), "--strict", "--where", "-kind:python")
    assert result.status == 0, result.text


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    folder.mkdir()
    event = {"category": "AuditEvent", "operationName": "SecretGet", "mark": None}
    (folder / "vault.ndjson").write_bytes(jsonl([event, {"other": 1}]))
    return folder


def wants(folder: Path, name: str, detection: str, service: str = "keyvault") -> None:
    text = rule(name, detection)
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.yml").write_text(text.replace("acme", "azure").replace("web", service))


def test_check_names_the_fields_that_logs_never_carry(tmp_path: Path, logs: Path) -> None:
    pack = tmp_path / "wanting"
    wants(pack, "all", "{s: {operationName: x, MARK: y}, condition: s}")
    wants(pack, "some", "{s: {operationName: x, other: y, Gone|exists: false}, condition: s}")
    wants(pack, "words", "{k: [word], condition: k}")
    wants(pack, "elsewhere", "{s: {operationName: x}, condition: s}", "activitylogs")
    wants(pack, "nowhere", "{s: {operationName: x}, condition: s}", "unknown")
    result = tocsin("rules", "check", pack, "--logs", logs, "-f", "json")
    assert result.status == 0
    seen = {one["name"]: one["fields_never_seen"] for one in json.loads(result.out)}
    assert seen == {
        "all": [],
        "some": ["other", "Gone"],
        "words": [],
        "elsewhere": ["operationName"],
        "nowhere": [],
    }
    text = tocsin("rules", "check", pack, "--logs", logs).text.splitlines()
    at = text.index(f"runs        some ({pack}/some.yml)")
    assert text[at + 1] == "            never seen in these logs: other, Gone"
    at = text.index(f"runs        elsewhere ({pack}/elsewhere.yml)")
    assert text[at + 1] == "            no event of azure.activity in these logs"
    assert "2 rules want fields that were never seen in these logs" in text
    assert not any("all.yml" in line for line in text)


def test_check_without_logs_names_no_fields(tmp_path: Path) -> None:
    pack = tmp_path / "wanting"
    wants(pack, "some", "{s: {gone: x}, condition: s}")
    [record] = json.loads(tocsin("rules", "check", pack, "-f", "json").out)
    assert record["fields_never_seen"] == []


def test_check_goes_on_without_logs_that_cannot_be_read(tmp_path: Path, logs: Path) -> None:
    pack = tmp_path / "wanting"
    wants(pack, "some", "{s: {gone: x}, condition: s}")
    result = tocsin("rules", "check", pack, "--logs", logs, "--logs", tmp_path / "missing")
    assert result.status == 2
    assert f"not read: {tmp_path}/missing: no such file or folder" in result.err
    assert "never seen in these logs: gone" in result.text
    none = tocsin("rules", "check", pack, "--logs", tmp_path / "missing")
    assert (none.status, none.text) == (2, "")


def test_show_finds_no_more_than_where_allows(pack: Path) -> None:
    assert tocsin("rules", "show", "Runs", pack, "--where", "author:ada").status == 0
    nothing = tocsin("rules", "show", "Runs", pack, "--where", "author:grace")
    assert nothing.status == 2
    assert "no rule 'Runs'; tocsin rules list PATH shows ids and names" in nothing.err


ELASTIC = """
[metadata]
creation_date = "2026/01/02"
integration = ["azure"]
maturity = "production"

[rule]
rule_id = "5f0c1b52-3c40-4a2e-9c10-0a4a4f0f6f01"
name = "Many Reads"
type = "threshold"
language = "kuery"
query = "event.action: read"
index = ["logs-a-*"]
from = "now-1h"
interval = "15m"
max_signals = 1000
risk_score = 12
severity = "low"
timestamp_override = "event.ingested"
building_block_type = "default"
timeline_title = "T"
rule_name_override = "message"
note = "Look at $osquery_0"
setup = "Switch it on."

[rule.threshold]
field = ["user.name", "host.name"]
value = 10
cardinality = [{ field = "file.path", value = 3 }]

[rule.alert_suppression]
duration = { value = 2, unit = "h" }
missing_fields_strategy = "doNotSuppress"

[rule.investigation_fields]
field_names = ["user.name"]

[[rule.severity_mapping]]
field = "event.severity"
operator = "equals"
severity = "high"
value = "73"

[[rule.risk_score_mapping]]
field = "event.risk_score"
operator = "equals"
value = ""

[[transform.osquery]]
label = "Ports"
query = "SELECT 1"
"""


@pytest.fixture
def elastic(tmp_path: Path) -> Path:
    path = tmp_path / "many.toml"
    path.write_text(ELASTIC)
    return path


def test_show_says_what_a_rule_of_elastic_does_with_its_matches(elastic: Path) -> None:
    text = tocsin("rules", "show", elastic).text
    for part in (
        "severity     low, risk score 12\n",
        "status       production\n",
        "ecosystem    elastic, threshold\n",
        "date         2026-01-02\n",
        (
            "stage        10 or more with the same user.name and host.name within 1 hour, "
            "among them 3 values of file.path\n"
        ),
        (
            "suppression  one alert for all with the same user.name and host.name within 2 hours; "
            "one without them stands for itself\n"
        ),
        (
            "schedule     every 15 minutes over 1 hour, by event.ingested, else @timestamp; "
            "1,000 alerts at most\n"
        ),
        "alerts       for other rules to read (building block)\n",
        (
            "overrides    name from message; high if event.severity is 73; "
            "risk score from event.risk_score\n"
        ),
        'integration  ["azure"]\n',
        "timeline_title T\n",
        "\nWaits for, in logs-a-*:\n",
        "\nLook at:\n  user.name\n",
        "\nSetup:\n\nSwitch it on.\n",
        "\nGuide:\n\nLook at Ports: `SELECT 1`\n",
    ):
        assert part in text, part


def test_show_as_json_has_all_that_the_file_says(elastic: Path) -> None:
    [record] = json.loads(tocsin("rules", "show", elastic, "-f", "json").out)
    assert record["document"]["metadata"]["integration"] == ["azure"]
    assert record["document"]["rule"]["timeline_title"] == "T"
    assert record["stage"].startswith("10 or more")
    assert (record["risk_score"], record["building_block"]) == (12, True)


def test_check_of_a_rule_of_elastic(elastic: Path) -> None:
    [record] = json.loads(tocsin("rules", "check", elastic, "-f", "json").out)
    assert {key: type(value) for key, value in record.items()} == RECORD
    assert (record["ecosystem"], record["kind"]) == ("elastic", "threshold")
    assert (record["verdict"], record["log_types"]) == ("runs", ["ecs"])
    assert record["reasons"] == []


def test_show_of_a_rule_that_does_not_run_has_its_query(elastic: Path) -> None:
    elastic.write_text(
        ELASTIC.replace('"threshold"', '"eql"').replace("event.action: read", "any where true")
    )
    text = tocsin("rules", "show", elastic).text
    assert f"verdict      cannot: {elastic}:10:8: EQL rules do not run yet\n" in text
    assert "\nQuery:\n  any where true\n" in text


def test_add_takes_a_rule_into_a_folder(elastic: Path, tmp_path: Path) -> None:
    result = tocsin("rules", "add", elastic, "--to", tmp_path / "mine")
    assert (result.status, result.text) == (0, f"{tmp_path}/mine/many.toml\n")
    assert "added Many Reads (elastic, threshold)" in result.err
    assert (tmp_path / "mine" / "many.toml").read_text() == ELASTIC


def test_add_refuses_what_is_no_rule(tmp_path: Path) -> None:
    (tmp_path / "page.txt").write_text("Nothing to see.\n")
    result = tocsin("rules", "add", tmp_path / "page.txt", "--to", tmp_path / "mine")
    assert result.status == 2
    assert "no rule" in result.err


def test_rules_of_one_id_in_two_packs_are_shown_as_versions(tmp_path: Path) -> None:
    for pack, level in (("old", "low"), ("new", "high")):
        (tmp_path / pack).mkdir()
        text = rule(id="7d0f3b52-3a14-4f0e-9d3c-6a1f7e2b9c10", level=level, modified="2026-01-02")
        (tmp_path / pack / "needle.yml").write_text(text)
    packs = tmp_path / "old", tmp_path / "new"
    listed = tocsin("rules", "list", *packs).text.splitlines()
    assert [line.split("  ")[-1] for line in listed] == [
        "(detection of pack old, 2026-01-02)",
        "(detection of pack new, 2026-01-02)",
    ]
    shown = tocsin("rules", "show", "7d0f3b52-3a14-4f0e-9d3c-6a1f7e2b9c10", *packs).text
    assert shown.count("One of 2 versions: detection of pack ") == 2
