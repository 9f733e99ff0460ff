import hashlib
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from outputs.export_samples import SAMPLES
from pages import DOCS, ROOT, blocks, rows, write_files
from tocsin.alerts.export.ecs import to_ecs
from tocsin.alerts.export.ocsf import OBSERVABLES, SEVERITIES, VERSION, to_ocsf
from tocsin.cli.explain import command as explain_command
from tocsin.cli.logs import command as logs_command
from tocsin.cli.rules import command as rules_command
from tocsin.cli.scan import command as scan_command
from tocsin.cli.test import command as cases_command
from tocsin.content.demo import write_demo
from tocsin.outputs.csv import COLUMNS

PACK = ROOT / "src/tocsin/content/packs/azure-keyvault"
PAGE = DOCS / "records.md"
SHOWN = {block.name: json.loads(block.text) for block in blocks(PAGE, "example")}


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("TOCSIN_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def alert(tmp_path):
    write_demo(tmp_path / "demo-logs")
    result = run(scan_command, tmp_path / "demo-logs", "-r", PACK, "-f", "ndjson", "--quiet")
    alerts = [json.loads(line) for line in result.splitlines()]
    return next(one for one in alerts if one["rule"]["name"] == SHOWN["alert"]["title"])


def run(command, *arguments):
    result = CliRunner().invoke(command, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def shape(value):
    """Reduce a record to its keys, at every level; of a list the first member counts."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items() if key != "raw"}
    return [shape(value[0])] if isinstance(value, list) and value else type(value) in (list,)


def test_an_alert_has_the_keys_that_are_shown(alert):
    assert shape(alert) == shape(SHOWN["alert"])


def test_the_alert_shown_is_the_one_that_is_raised(alert):
    shown = SHOWN["alert"]
    assert {key: alert[key] for key in ("id", "time", "severity", "risk_score")} == {
        key: shown[key] for key in ("id", "time", "severity", "risk_score")
    }
    assert alert["rule"]["digest"] == shown["rule"]["digest"]
    assert alert["attack"] == shown["attack"]
    for key in ("id", "line", "log_type"):
        assert alert["events"][0][key] == shown["events"][0][key]


def test_every_key_of_an_alert_is_described(alert):
    described = {
        name.strip("` ") for row in rows(PAGE, "key", "holds") for name in row[0].split(",")
    }
    assert set(alert) <= described


def test_the_columns_of_csv_are_those_that_are_described_in_their_order():
    described = [
        name.strip("` ") for row in rows(PAGE, "column", "holds") for name in row[0].split(",")
    ]
    assert described == list(COLUMNS)


@pytest.mark.parametrize("name", SAMPLES)
def test_the_fields_of_ecs_are_described(name):
    described = names("field", "value")
    fields = {key for key in to_ecs(SAMPLES[name]) if key.startswith("kibana.")}
    found = {key for key in fields if not key.startswith("kibana.alert.original_event.")}
    assert found <= described


@pytest.mark.parametrize("name", SAMPLES)
def test_the_attributes_of_ocsf_are_described(name):
    assert set(to_ocsf(SAMPLES[name])) <= names("attribute", "value")


def test_the_numbers_of_ocsf_are_those_that_are_written():
    shown = {row[0]: row[1] for row in rows(PAGE, "attribute", "value")}
    severities = ", ".join(f"{number} {name.lower()}" for number, name in SEVERITIES.values())
    assert shown["severity_id`, `severity"] == severities
    numbers = ", ".join(f"{kind} {number}" for kind, (number, _) in OBSERVABLES.items())
    assert shown["observables"].startswith(f"the entities: {numbers}, ")
    assert f"version {VERSION}." in PAGE.read_text("utf-8")


def names(*head):
    """Return the names in the first column of a table."""
    return {name.strip("` ") for row in rows(PAGE, *head) for name in row[0].split(",")}


def test_an_event_id_is_made_as_described(alert):
    event = alert["events"][0]
    text = json.dumps(event["raw"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert hashlib.sha256(text.encode()).hexdigest()[:32] == event["id"]


def test_an_alert_id_is_made_as_described(alert):
    rule = alert["rule"]
    parts = ("1", f"{rule['pack']}:{rule['id']}", rule["kind"], "", alert["events"][0]["id"])
    assert hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32] == alert["id"]


def test_the_digest_of_a_rule_is_that_of_its_file(alert):
    text = Path(alert["rule"]["path"]).read_bytes()
    assert hashlib.sha256(text).hexdigest() == alert["rule"]["digest"]


def test_a_quarantined_record_has_the_keys_that_are_shown(tmp_path):
    log, kept = tmp_path / "app.ndjson", tmp_path / "refused.ndjson"
    log.write_text('{"category": "AuditEvent"}\noops\n', "utf-8")
    run(scan_command, log, "-r", PACK, "--quarantine", kept, "--quiet")
    (record,) = [json.loads(line) for line in kept.read_text("utf-8").splitlines()]
    assert shape(record) == shape(SHOWN["quarantine"])
    assert (record["line"], record["raw"].strip()) == (2, "oops")


def test_a_checked_rule_has_the_keys_that_are_shown():
    (record,) = json.loads(run(rules_command, "check", PACK / "secret_read.yml", "-f", "json"))
    assert record | {"path": ""} == SHOWN["check"][0] | {"path": ""}


def test_a_listed_rule_has_the_keys_that_are_shown():
    (record,) = json.loads(run(rules_command, "list", PACK / "secret_read.yml", "-f", "json"))
    assert set(record) == set(SHOWN["rule"][0])
    assert record["pack"] == SHOWN["rule"][0]["pack"]
    assert record["attack"] == SHOWN["rule"][0]["attack"]


def test_test_results_have_the_keys_that_are_shown():
    record = json.loads(run(cases_command, PACK / "secret_read.yml", "-f", "json"))
    assert shape(record) == shape(SHOWN["test"])


@pytest.fixture
def vault(tmp_path, monkeypatch):
    """The files of the page on the command line, which the examples are made from."""
    write_files(DOCS / "cli.md", tmp_path)
    monkeypatch.chdir(tmp_path)


def test_the_explanation_shown_is_the_one_that_is_written(vault):
    arguments = ["secrets.yml", "vault.ndjson:1", "-f", "json"]
    result = CliRunner().invoke(explain_command, arguments)
    assert result.exit_code == 1, result.output
    record, shown = json.loads(result.stdout), SHOWN["explanation"]
    [variant] = record["explained"]["inputs"][0]["variants"]
    del variant["condition"]["parts"][1:]
    record["explained"]["rule"]["digest"] = "…"
    assert record == shown


def test_the_fields_shown_are_those_that_are_written(vault):
    record = json.loads(
        run(logs_command, "fields", "vault.ndjson", "-r", "secrets.yml", "-f", "json")
    )
    [shape] = record["shapes"]
    shape["fields"] = [one for one in shape["fields"] if one["field"] == "operationName"]
    assert record == SHOWN["fields"]


def test_the_normalized_record_shown_is_the_one_that_is_written(vault):
    record = json.loads(run(logs_command, "normalize", "vault.ndjson:2"))
    record["fields"] = {"operationName": record["fields"]["operationName"]}
    assert record == SHOWN["normalized"]


@pytest.mark.parametrize("name", ["explanation", "fields", "normalized"])
def test_every_key_of_a_record_stands_in_a_table_or_in_text(name):
    text = PAGE.read_text("utf-8")
    missing = {key for key in keys_of(SHOWN[name]) if f"`{key}`" not in text}
    assert missing <= set(SHOWN["alert"]["rule"]) | set(SHOWN["normalized"]["fields"]) | LOG_SOURCES


LOG_SOURCES = set(SHOWN["normalized"]["log_sources"])


def keys_of(value):
    if isinstance(value, dict):
        return set(value).union(*map(keys_of, value.values()))
    return set().union(*map(keys_of, value)) if isinstance(value, list) else set()
