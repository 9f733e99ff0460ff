"""`tocsin explain`: how rules and events are named, what is printed, and how it ends."""

import gzip
import json
from pathlib import Path

import pytest

from cli.calling import PACKS, jsonl, rule, tocsin
from tocsin.logs.formats.formats import NO_FORMAT

READ = {
    "time": "2026-01-02T03:04:05Z",
    "category": "AuditEvent",
    "operationName": "SecretGet",
    "callerIpAddress": "10.0.0.1",
}
ID = "0c7a0cb2-64ae-4bd0-8c65-c05fa0bdd3a5"


def vault_rule(detection: str, title: str = "Read", **keys: object) -> str:
    text = rule(title, detection, **keys)
    return text.replace("acme", "azure").replace("web", "keyvault")


@pytest.fixture
def reads(tmp_path: Path) -> Path:
    """A rule file for reads of secrets from one address."""
    file = tmp_path / "reads.yml"
    detection = "{s: {operationName: SecretGet, callerIpAddress|cidr: 10.0.0.0/8}, condition: s}"
    file.write_text(vault_rule(detection, id=ID))
    return file


@pytest.fixture
def events(tmp_path: Path) -> Path:
    file = tmp_path / "events.ndjson"
    away = {**READ, "callerIpAddress": "192.0.2.1"}
    file.write_bytes(jsonl([{**away, "operationName": "KeyGet"}, away, READ, {"a": 1}]))
    return file


def test_an_event_that_matches_ends_with_0(reads: Path, events: Path) -> None:
    result = tocsin("explain", reads, f"{events}:3")
    assert result.status == 0
    assert result.text == (
        f"Read\n{reads}  {ID}\n"
        f"{events}:3  azure.keyvault / diagnostic  2026-01-02T03:04:05.000Z\n"
        "matches\n"
        "\n"
        "Log source azure/*/keyvault\n"
        "  yes every event\n"
        "\n"
        "Condition\n"
        "  yes all of\n"
        '    yes operationName is "SecretGet"   "SecretGet"\n'
        '    yes callerIpAddress is in network "10.0.0.0/8"   "10.0.0.1"\n'
    )


def test_an_event_that_does_not_match_ends_with_1_and_shows_near_misses_first(
    reads: Path, events: Path
) -> None:
    result = tocsin("explain", reads, f"{events}:2")
    assert result.status == 1
    assert result.text.splitlines()[3:8] == [
        "does not match: 1 part would have to change",
        "",
        "Near misses",
        '  callerIpAddress is in network "10.0.0.0/8"',
        '      "192.0.2.1" at callerIpAddress: differs',
    ]
    assert '    no  callerIpAddress is in network "10.0.0.0/8"   "192.0.2.1"' in result.text


def test_of_several_events_each_has_a_line_and_the_best_is_explained(
    reads: Path, events: Path
) -> None:
    result = tocsin("explain", reads, events)
    assert result.status == 0
    *lines, unknown = result.text.splitlines()[:4]
    assert lines == [
        f"{events}:1  does not match: 2 parts would have to change",
        f"{events}:2  does not match: 1 part would have to change",
        f"{events}:3  matches",
    ]
    assert unknown.startswith(f"{events}:4  does not match: the record is of no known log type")
    assert "; to be azure.keyvault / " in unknown
    assert result.text.splitlines()[4:6] == ["", "Read"]
    assert f"\n{events}:3  azure.keyvault / diagnostic" in result.text


def test_the_nearest_is_explained_if_none_matches(reads: Path, events: Path) -> None:
    lines = events.read_bytes().splitlines(keepends=True)
    events.write_bytes(lines[3] + lines[0] + lines[1])
    result = tocsin("explain", reads, events)
    assert result.status == 1
    assert f"\n{events}:3  azure.keyvault / diagnostic" in result.text


def test_events_come_from_standard_input_and_compressed_files(reads: Path, tmp_path: Path) -> None:
    assert tocsin("explain", reads, "-", stdin=jsonl([READ])).status == 0
    packed = tmp_path / "events.gz"
    packed.write_bytes(gzip.compress(jsonl([{"a": 1}, READ])))
    assert tocsin("explain", reads, f"{packed}:2").status == 0
    wrapped = tmp_path / "wrapped.json"
    wrapped.write_text(json.dumps({"records": [READ]}, indent=1))
    assert tocsin("explain", reads, wrapped).status == 0


def test_a_file_whose_name_ends_like_a_line_is_a_file(reads: Path, tmp_path: Path) -> None:
    odd = tmp_path / "log:2"
    odd.write_bytes(jsonl([READ]))
    assert tocsin("explain", reads, odd).status == 0
    assert tocsin("explain", reads, f"{odd}:1").status == 0


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    folder = tmp_path / "pack"
    folder.mkdir()
    (folder / "a.yml").write_text(
        vault_rule("{s: {operationName: SecretGet}, condition: s}", id=ID)
    )
    (folder / "b.yml").write_text(vault_rule("{s: {a: b}, condition: s}", "Other"))
    return folder


def test_a_rule_is_found_by_id_or_name(pack: Path, events: Path) -> None:
    event = f"{events}:3"
    for arguments in (
        (pack, event, "--id", ID), (pack, event, "--id", "read"), (ID.upper(), event, "-r", pack),
        ("Read", event, "-r", pack), (event, "--id", ID, "-r", pack),
    ):  # fmt: skip
        assert tocsin("explain", *arguments).text.startswith("Read\n"), arguments


def test_an_alert_brings_its_event_and_its_rule(tmp_path: Path) -> None:
    logs, alerts = tmp_path / "logs", tmp_path / "alerts.ndjson"
    assert tocsin("demo", "--keep", logs).status == 0
    scanned = tocsin("scan", logs, "-r", PACKS, "-f", "ndjson", "-o", alerts, "--quiet")
    assert scanned.status == 0
    for number, line in list(enumerate(alerts.read_text().splitlines(), start=1))[::9]:
        alert = json.loads(line)
        result = tocsin("explain", f"{alerts}:{number}", "-r", PACKS)
        assert result.status == 0
        if len(alert["events"]) > 1:
            continue
        (event,) = alert["events"]
        assert result.text.startswith(f"{alert['rule']['name']}\n")
        assert f"{event['source']}:{event['line']}  {event['log_type']} / " in result.text


def test_an_alert_over_a_bridge_and_of_a_named_log_type_is_confirmed(tmp_path: Path) -> None:
    action = "MICROSOFT.KEYVAULT/VAULTS/SECRETS/GETSECRET/ACTION"
    bridged, web, log = tmp_path / "bridged.yml", tmp_path / "web.yml", tmp_path / "log"
    text = rule("Bridged", f"{{s: {{operationName: {action}}}, condition: s}}")
    bridged.write_text(text.replace("acme", "azure").replace("web", "activitylogs"))
    web.write_text(rule())
    log.write_bytes(jsonl([READ]))
    over = tocsin("scan", log, "-r", bridged, "--bridge", "keyvault", "-f", "ndjson")
    log.write_bytes(jsonl([{"mark": "a needle"}]))
    named = tocsin("scan", log, "-r", web, "--log-type", "acme//web", "-f", "ndjson")
    for scanned, path in ((over, bridged), (named, web)):
        (tmp_path / "alert").write_bytes(scanned.out)
        assert scanned.out
        assert tocsin("explain", tmp_path / "alert", "-r", path).status == 0


def test_an_alert_of_an_unknown_log_type_or_bridge_is_identified_anew(
    tmp_path: Path, reads: Path
) -> None:
    alert = {
        "schema": 1,
        "rule": {"id": ID},
        "matched": [],
        "context": {"bridge": "of-others"},
        "events": [{"raw": READ, "log_type": "of.others"}],
    }
    (tmp_path / "alert").write_bytes(jsonl([alert]))
    result = tocsin("explain", tmp_path / "alert", "-r", reads)
    assert result.status == 0
    assert "azure.keyvault / diagnostic" in result.text


def test_a_record_is_taken_for_what_log_type_says(rules: Path, log: Path) -> None:
    needle = rules / "needle.yml"
    assert tocsin("explain", needle, f"{log}:1", "--log-type", "acme//web").status == 0
    unknown = tocsin("explain", needle, f"{log}:1")
    assert unknown.status == 1
    assert "of no known log type" in unknown.text


def test_a_bridge_shows_the_event_under_other_names(tmp_path: Path, events: Path) -> None:
    action = "MICROSOFT.KEYVAULT/VAULTS/SECRETS/GETSECRET/ACTION"
    text = rule("Bridged", f"{{s: {{operationName: {action}}}, condition: s}}")
    file = tmp_path / "bridged.yml"
    file.write_text(text.replace("acme", "azure").replace("web", "activitylogs"))
    without = tocsin("explain", file, f"{events}:3")
    assert without.status == 1
    assert "--bridge keyvault shows them to it" in without.text
    result = tocsin("explain", file, f"{events}:3", "--bridge", "keyvault")
    assert result.status == 0
    assert "  yes bridge keyvault: every event\n" in result.text


def test_placeholders_and_pipelines_are_applied(tmp_path: Path, events: Path) -> None:
    file, values = tmp_path / "r.yml", tmp_path / "values.yml"
    file.write_text(vault_rule("{s: {callerIpAddress|expand: '%ours%'}, condition: s}"))
    values.write_text("ours: [10.0.0.1]\n")
    assert tocsin("explain", file, f"{events}:3", "--placeholders", values).status == 0
    without = tocsin("explain", file, f"{events}:3")
    assert without.status == 1
    assert "needs placeholder ours (--placeholders FILE)" in without.text
    pipeline = tmp_path / "pipeline.yml"
    pipeline.write_text(
        "transformations: [{id: r, type: field_name_mapping, mapping: {who: callerIpAddress}}]\n"
    )
    file.write_text(vault_rule("{s: {who: 10.0.0.1}, condition: s}"))
    assert tocsin("explain", file, f"{events}:3").status == 1
    assert tocsin("explain", file, f"{events}:3", "--pipeline", pipeline).status == 0


def test_json_says_all_of_it(reads: Path, events: Path) -> None:
    result = tocsin("explain", reads, events, "-f", "json")
    assert result.status == 0
    record = json.loads(result.out)
    assert [(one["line"], one["matches"], one["changes"]) for one in record["events"]] == [
        (1, False, 2), (2, False, 1), (3, True, 0), (4, False, None),
    ]  # fmt: skip
    explained = record["explained"]
    assert (explained["line"], explained["matches"], explained["near_misses"]) == (3, True, [])
    [[variant]] = [one["variants"] for one in explained["inputs"]]
    first, second = variant["condition"]["parts"]
    assert first == {
        "kind": "predicate",
        "holds": True,
        "field": "operationName",
        "op": "equals",
        "values": ["SecretGet"],
        "case_matters": False,
        "path": ["operationName"],
        "found": ["SecretGet"],
        "met": ["SecretGet"],
    }
    assert (second["op"], second["found"]) == ("cidr", ["10.0.0.1"])


def test_json_of_a_near_miss(reads: Path, events: Path) -> None:
    record = json.loads(tocsin("explain", reads, f"{events}:2", "-f", "json").out)
    [miss] = record["explained"]["near_misses"]
    [change] = miss["changes"]
    assert {key: change[key] for key in ("field", "wanted", "of", "closeness", "hint_value")} == {
        "field": "callerIpAddress",
        "wanted": True,
        "of": "condition",
        "closeness": "different",
        "hint_value": "192.0.2.1",
    }


def test_a_record_that_cannot_be_read_is_said_and_the_others_go_on(
    reads: Path, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    log.write_bytes(b'{"broken": \n' + jsonl([READ]))
    result = tocsin("explain", reads, log)
    assert result.status == 0
    assert result.text.startswith(f"{log}:1  cannot be read: not JSON: ")
    assert tocsin("explain", reads, f"{log}:1").status == 2
    shown = json.loads(tocsin("explain", reads, f"{log}:1", "-f", "json").out)
    assert shown["explained"] is None
    assert shown["events"][0]["reasons"][0].startswith("not JSON: ")


def wrong(tmp_path: Path, *arguments: object) -> str:
    result = tocsin("explain", *arguments)
    assert result.status == 2
    assert result.text == ""
    assert "Traceback" not in result.err
    return result.err.replace(f"{tmp_path}/", "")


def test_wrong_use_is_told_how_to_do_it(
    tmp_path: Path, pack: Path, reads: Path, events: Path
) -> None:
    calls = {
        (events,): "tocsin: which rule? name a rule file, or rules with -r\n",
        (reads, events, events): "tocsin: one RULE and one EVENT: a file, FILE:LINE, or - for "
        "standard input\n",
        ("Read", events): "tocsin: Read: no such rule file or folder; an id needs -r RULES\n",
        ("Nope", events, "-r", pack): "tocsin: no rule 'Nope'; tocsin rules list PATH shows ids "
        "and names\n",
        ("Read", events, "-r", pack, "--id", ID): f"tocsin: RULE 'Read' and --id '{ID}' both name "
        "a rule\n",
        (reads, events, "-r", pack): "tocsin: RULE reads.yml and -r both name rules; leave one "
        "out\n",
        (pack, events): "tocsin: pack: holds many rules; say which one with --id\n",
        (reads, tmp_path / "missing"): "tocsin: missing: no such file or folder\n",
        (reads, f"{events}:9"): "tocsin: events.ndjson: holds no record on line 9\n",
        (reads, reads): f"tocsin: reads.yml: {NO_FORMAT}\n",
        (events, events): "tocsin: events.ndjson: no rule: is no export of rules"
        "; tocsin rules list PATH shows ids and names\n",
    }
    for arguments, message in calls.items():
        assert wrong(tmp_path, *arguments) == message


def test_a_name_that_several_rules_have_is_not_guessed(
    tmp_path: Path, pack: Path, events: Path
) -> None:
    (pack / "c.yml").write_text(vault_rule("{s: {a: b}, condition: s}", "Other"))
    assert wrong(tmp_path, "Other", events, "-r", pack).startswith(
        "tocsin: 2 rules are meant, say which one with --id: "
    )


def test_a_file_with_several_rules_needs_to_be_told_which(tmp_path: Path, events: Path) -> None:
    file = tmp_path / "two.yml"
    one, two = (vault_rule("{s: {operationName: SecretGet}, condition: s}", name) for name in "AB")
    file.write_text(f"{one}---\n{two}")
    assert "2 rules are meant" in wrong(tmp_path, file, events)
    assert tocsin("explain", file, f"{events}:3", "--id", "B").text.startswith("B\n")


def test_control_characters_of_events_and_rules_are_escaped(tmp_path: Path) -> None:
    file, log = tmp_path / "r.yml", tmp_path / "log"
    file.write_text(vault_rule('{s: {operationName|contains: "Get\\e[2J"}, condition: s}', "A"))
    log.write_bytes(jsonl([{**READ, "operationName": "Secret\x1b[2JGet"}]))
    result = tocsin("explain", file, log)
    assert result.status == 1
    assert "\x1b" not in result.text


def test_arrays_of_objects_keywords_and_negations_are_shown(tmp_path: Path) -> None:
    file, log = tmp_path / "r.yml", tmp_path / "log"
    detection = "{k: [needle], f: {callerIpAddress: 10.0.0.1}, condition: k and not f}"
    file.write_text(vault_rule(detection, "Keywords"))
    log.write_bytes(jsonl([{**READ, "properties": {"x": ["hay", "a needle"]}}]))
    lines = tocsin("explain", file, log).text.splitlines()
    assert lines[lines.index("Condition") :] == [
        "Condition",
        "  no  all of",
        '    yes any value contains "needle"   "a needle" at properties.x',
        "    no  not",
        '      yes callerIpAddress is "10.0.0.1"   "10.0.0.1"',
    ]
    assert lines[lines.index("Near misses") + 1 :][:2] == [
        '  not callerIpAddress is "10.0.0.1"',
        '      "10.0.0.1" at callerIpAddress: holds, and must not',
    ]


def test_of_long_values_the_part_that_counts_is_shown(tmp_path: Path) -> None:
    file, log = tmp_path / "r.yml", tmp_path / "log"
    file.write_text(vault_rule("{s: {operationName|contains: NEEDLE}, condition: s}"))
    log.write_bytes(jsonl([{**READ, "operationName": "x" * 3000 + "needle" + "y" * 3000}]))
    text = tocsin("explain", file, log).text
    assert "xxneedleyy" in text
    assert max(len(line) for line in text.splitlines() if "needle" in line) < 120
