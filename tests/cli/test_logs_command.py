"""`tocsin logs`: the log types there are, and what files hold."""

from pathlib import Path

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
