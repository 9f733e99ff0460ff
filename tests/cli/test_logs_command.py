"""`tocsin logs`: the log types there are, and what files hold."""

import json
from pathlib import Path

import pytest

from cli.calling import jsonl, tocsin
from tocsin.logs.formats.formats import NO_FORMAT
from tocsin.logs.load import load_log_types

READ = {"category": "AuditEvent", "operationName": "SecretGet"}


def test_types_lists_each_with_its_shapes_and_sigma_sources() -> None:
    result = tocsin("logs", "types")
    assert result.status == 0
    lines = result.text.splitlines()
    for log_type in load_log_types():
        at = lines.index(f"{log_type.name:16} {log_type.title}")
        assert lines[at + 1].strip() == "shapes: " + ", ".join(s.name for s in log_type.shapes)
        assert lines[at + 2].strip().startswith(f"Sigma: {', '.join(log_type.products)}")


def test_identify_counts_the_records_of_each_file(tmp_path: Path) -> None:
    (tmp_path / "mixed").write_bytes(jsonl([READ, {"a": 1}, READ]) + b"[1]\nno json\n")
    (tmp_path / "wrapped").write_bytes(b'{"records": [' + jsonl([READ]) + b"]}")
    result = tocsin("logs", "identify", tmp_path / "mixed", tmp_path / "wrapped")
    assert result.status == 0
    assert result.text == (
        f"{tmp_path}/mixed\n"
        "         2  azure.keyvault / diagnostic\n"
        "         1  of no known log type\n"
        "         2  unreadable\n"
        f"{tmp_path}/wrapped\n"
        "         1  azure.keyvault / diagnostic\n"
    )


def test_identify_goes_on_after_what_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(bytes(range(256)))
    (tmp_path / "good").write_bytes(jsonl([READ]))
    result = tocsin(
        "logs", "identify", tmp_path / "missing", tmp_path / "binary", tmp_path / "good"
    )
    assert result.status == 2
    assert result.text.splitlines()[1:] == ["         1  azure.keyvault / diagnostic"]
    assert result.err.splitlines() == [
        f"{tmp_path}/missing: no such file or folder",
        f"{tmp_path}/binary: {NO_FORMAT}",
    ]


def test_identify_reads_a_folder_and_standard_input(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(jsonl([READ]))
    by_folder = tocsin("logs", "identify", tmp_path)
    assert by_folder.text.splitlines() == [
        f"{tmp_path}/log",
        "         1  azure.keyvault / diagnostic",
    ]
    by_stream = tocsin("logs", "identify", "-", stdin=jsonl([READ]))
    assert by_stream.text.splitlines() == ["-", "         1  azure.keyvault / diagnostic"]


SHUT = {**READ, "operationName": "KeyGet", "extra": {"n": 5}}
RULE = (
    "title: Reads\nlogsource: {product: azure, service: keyvault}\n"
    "detection: {s: {operationName: SecretGet, clientInfo|contains: curl}, condition: s}\n"
)


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    file = tmp_path / "vault.ndjson"
    file.write_bytes(jsonl([READ, SHUT, READ, {"a": 1}]) + b"no json\n")
    return file


def test_fields_lists_what_events_carry(vault: Path) -> None:
    result = tocsin("logs", "fields", vault)
    assert result.status == 0
    assert result.text == (
        "azure.keyvault / diagnostic: 3 events\n"
        "  field             events   share  values  types           example\n"
        '  category               3  100.0%       1  text            "AuditEvent"\n'
        '  operationName          3  100.0%       2  text            "SecretGet"\n'
        "  extra.n                1   33.3%       1  number          5\n"
        "\n"
        "of no known log type: 1 events\n"
        "  field     events   share  values  types           example\n"
        "  a              1  100.0%       1  number          1\n"
        "\n"
        "4 records in 1 files\n"
        "1 records could not be read\n"
    )


def test_fields_says_which_of_them_rules_read_and_which_they_want_in_vain(
    vault: Path, tmp_path: Path
) -> None:
    (tmp_path / "reads.yml").write_text(RULE)
    result = tocsin("logs", "fields", vault, "-r", tmp_path / "reads.yml")
    lines = result.text.splitlines()
    assert lines[1] == "  field             events   share  values  rules  types           example"
    assert [line.split()[:5:4] for line in lines[2:5]] == [
        ["category", "-"],
        ["operationName", "1"],
        ["extra.n", "-"],
    ]
    assert lines[-4:] == [
        "2 fields are read by no rule (- in the column rules)",
        "",
        "azure.keyvault: 1 fields that never arrive",
        "  clientInfo: Reads",
    ]


def test_fields_of_a_sample_says_so(vault: Path) -> None:
    result = tocsin("logs", "fields", vault, "--sample", 2)
    assert "azure.keyvault / diagnostic: 3 events, 2 of them looked at" in result.text
    assert "only every 2nd was looked at; counts are of those" in result.text
    record = json.loads(tocsin("logs", "fields", vault, "--sample", 2, "-f", "json").out)
    assert record["sample"] == 2
    assert record["shapes"][0]["looked_at"] == 2


def test_fields_as_json_is_one_record(vault: Path, tmp_path: Path) -> None:
    (tmp_path / "reads.yml").write_text(RULE)
    result = tocsin("logs", "fields", vault, "-r", tmp_path / "reads.yml", "-f", "json")
    record = json.loads(result.out)
    assert (record["files"], record["records"], record["unreadable"]) == (1, 4, 1)
    assert [(one["field"], one["rules"]) for one in record["shapes"][0]["fields"]] == [
        ("category", 0),
        ("operationName", 1),
        ("extra.n", 0),
    ]
    assert [one["field"] for one in record["never_seen"]] == ["clientInfo"]


def test_fields_reads_folders_and_names_what_it_cannot_read(vault: Path, tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(bytes(range(256)))
    whole = tocsin("logs", "fields", tmp_path)
    assert whole.status == 0
    assert whole.err.startswith(f"not read: {tmp_path}/binary: is of no known format")
    named = tocsin("logs", "fields", vault, tmp_path / "binary")
    assert named.status == 2
    assert "4 records in 1 files" in named.text
    assert tocsin("logs", "fields", tmp_path / "missing").status == 2


def test_fields_takes_records_for_what_log_type_says(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(jsonl([{"a": 1}]))
    result = tocsin("logs", "fields", tmp_path / "log", "--log-type", "acme//web")
    assert result.text.startswith("acme//web / record: 1 events\n")


def test_normalize_writes_a_record_per_line(vault: Path) -> None:
    result = tocsin("logs", "normalize", vault)
    assert result.status == 0
    first, second, _, last = result.records
    assert (first["line"], first["log_type"], first["shape"]) == (1, "azure.keyvault", "diagnostic")
    assert first["fields"]["properties.message"] == "SecretGet"
    assert first["log_sources"] == {"azure/*/keyvault": {}, "azure/*/auditevent": {}}
    assert second["fields"]["extra.n"] == 5
    assert (last["log_type"], last["fields"]) == (None, {"a": 1})
    assert result.err.startswith(f"not read: {vault}:5: not JSON: ")


def test_normalize_takes_a_line_a_folder_and_a_vocabulary(vault: Path, tmp_path: Path) -> None:
    (record,) = tocsin("logs", "normalize", f"{vault}:2", "--to", "raw").records
    assert record["vocabulary"] == "raw"
    assert record["fields"] == {
        "category": "AuditEvent", "operationName": "KeyGet", "extra.n": 5,
    }  # fmt: skip
    (tmp_path / "binary").write_bytes(bytes(range(256)))
    folder = tocsin("logs", "normalize", tmp_path)
    assert folder.status == 0
    assert len(folder.records) == 4
    assert tocsin("logs", "normalize", "-", stdin=jsonl([READ])).records[0]["source"] == "-"


def test_normalize_writes_documents_of_the_common_schema(vault: Path) -> None:
    (written,) = tocsin("logs", "normalize", f"{vault}:2", "--to", "ecs").records
    assert written["data_stream"]["dataset"] == "azure.platformlogs"
    assert written["event"]["action"] == written["azure"]["platformlogs"]["operation_name"]


def test_normalize_tells_wrong_use(vault: Path, tmp_path: Path) -> None:
    unknown = tocsin("logs", "normalize", vault, "--to", "ocsf")
    assert (unknown.status, unknown.text) == (2, "")
    assert "no vocabulary 'ocsf'; known: " in unknown.err
    missing = tocsin("logs", "normalize", tmp_path / "missing", vault)
    assert missing.status == 2
    assert len(missing.records) == 4
