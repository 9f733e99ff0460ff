"""Parquet files give the alerts of the same records as JSON; what is damaged is named by rows."""

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cli.calling import Result, jsonl, rule, scan, tocsin

RECORDS = [
    {"mark": "needle" if n % 10 == 0 else "hay", "n": n, "blob": "x" * 50, "who": f"user{n % 7}"}
    for n in range(1000)
]
EXPECTED = [number + 1 for number in range(0, 1000, 10)]


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "needle.yml").write_text(rule())
    (folder / "word.yml").write_text(rule("Word", "{keywords: [user6], condition: keywords}"))
    return folder


def ids(result: Result) -> list[str]:
    return [record["id"] for record in result.records]


@pytest.mark.parametrize("group", [1000, 300, 1])
@pytest.mark.parametrize("compression", ["zstd", "snappy", "none"])
def test_the_alerts_are_those_of_the_same_records_as_json(
    group: int, compression: str, rules: Path, tmp_path: Path
) -> None:
    records = RECORDS if group > 1 else RECORDS[:60]
    (tmp_path / "log.ndjson").write_bytes(jsonl(records))
    pq.write_table(
        pa.Table.from_pylist(records),
        tmp_path / "log.parquet",
        compression=compression,
        row_group_size=group,
    )
    expected = scan(tmp_path / "log.ndjson", rules=rules)
    for workers in (1, 2):
        found = scan(tmp_path / "log.parquet", rules=rules, workers=workers)
        assert found.lines == expected.lines
        assert ids(found) == ids(expected)
    assert scan(tmp_path / "log.parquet", rules=rules, batch=7).lines == expected.lines


def test_a_packed_file_is_read_too(rules: Path, tmp_path: Path) -> None:
    import gzip

    pq.write_table(pa.Table.from_pylist(RECORDS), tmp_path / "log.parquet")
    packed = tmp_path / "log.gz"
    packed.write_bytes(gzip.compress((tmp_path / "log.parquet").read_bytes()))
    assert scan(packed, rules=rules / "needle.yml").lines == EXPECTED


def test_stored_events_are_read_by_their_raw_text(rules: Path, tmp_path: Path) -> None:
    texts = [json.dumps(record) for record in RECORDS[:20]]
    table = pa.table({"log_type": ["x"] * 21, "raw": [*texts, "no json"], "mark": ["needle"] * 21})
    pq.write_table(table, tmp_path / "log.parquet")
    found = scan(tmp_path / "log.parquet", rules=rules / "needle.yml")
    assert found.lines == [1, 11]
    assert "1 records could not be read" in found.err


def cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def no_footer(data: bytes) -> bytes:
    return data[:-8] + b"\0" * 8


@pytest.mark.parametrize("damage", [cut, no_footer])
def test_a_file_without_footer_is_named(
    damage: Callable[[bytes], bytes], rules: Path, tmp_path: Path
) -> None:
    path = tmp_path / "log.parquet"
    pq.write_table(pa.Table.from_pylist(RECORDS), path)
    path.write_bytes(damage(path.read_bytes()))
    found = scan(path, rules=rules)
    assert found.status == 2
    assert f"not scanned: {path}: is Parquet that cannot be read, nothing of it was" in found.err


def test_what_stands_in_other_groups_than_the_damaged_is_found(rules: Path, tmp_path: Path) -> None:
    path = tmp_path / "log.parquet"
    options = {"row_group_size": 500, "compression": "zstd", "write_page_checksum": False}
    pq.write_table(pa.Table.from_pylist(RECORDS), path, **options)
    group = pq.read_metadata(path).row_group(1).column(0)
    data = bytearray(path.read_bytes())
    start = group.dictionary_page_offset or group.data_page_offset
    data[start : start + group.total_compressed_size] = b"\xff" * group.total_compressed_size
    path.write_bytes(data)
    found = scan(path, rules=rules / "needle.yml")
    assert found.status == 2
    assert found.lines == [line for line in EXPECTED if line <= 500]
    assert "cannot be read in rows 501 to 1000" in found.err


def test_damage_in_a_column_that_only_alerts_show_is_named_too(rules: Path, tmp_path: Path) -> None:
    path = tmp_path / "log.parquet"
    options = {"row_group_size": 500, "compression": "zstd", "use_dictionary": False}
    pq.write_table(pa.Table.from_pylist(RECORDS), path, **options)
    (at,) = [at for at in range(4) if pq.read_metadata(path).schema.column(at).name == "blob"]
    group = pq.read_metadata(path).row_group(0).column(at)
    data = bytearray(path.read_bytes())
    start = group.data_page_offset
    data[start : start + group.total_compressed_size] = b"\xff" * group.total_compressed_size
    path.write_bytes(data)
    for workers in (1, 2):
        found = scan(path, rules=rules / "needle.yml", workers=workers)
        assert found.status == 2
        assert found.lines == [line for line in EXPECTED if line > 500]
        assert f"not scanned: {path}: cannot be read in rows 1 to 500" in found.err


def test_columns_of_one_name_are_refused(rules: Path, tmp_path: Path) -> None:
    path = tmp_path / "log.parquet"
    pq.write_table(pa.table([pa.array(["a"]), pa.array(["b"])], names=["mark", "mark"]), path)
    assert "has several columns of the name 'mark'; rename them" in scan(path, rules=rules).err


def test_an_odd_type_is_read_as_what_it_is(rules: Path, tmp_path: Path) -> None:
    path = tmp_path / "log.parquet"
    columns = {
        "mark": [{"deep": "a needle"}, {"deep": "hay"}],
        "Mark": pa.array([b"needle", b"\xff"]),
    }
    pq.write_table(pa.table(columns), path)
    assert scan(path, rules=rules / "needle.yml").lines == [1]


def test_rows_count_even_if_rules_ask_for_none_of_their_columns(
    rules: Path, tmp_path: Path
) -> None:
    path = tmp_path / "log.parquet"
    pq.write_table(pa.table({"x": [1, 2, 3], "y": ["a", "user6", None]}), path)
    absent = rule("No mark", "{s: {mark: null}, condition: s}")
    (rules / "absent.yml").write_text(absent)
    assert scan(path, rules=rules / "absent.yml").lines == [1, 2, 3]
    assert scan(path, rules=rules / "word.yml").lines == [2]


def test_logs_identify_counts_rows(tmp_path: Path) -> None:
    path = tmp_path / "log.parquet"
    record = {"Channel": "Security", "EventID": 4688, "Hostname": "h", "SourceName": "s"}
    pq.write_table(pa.Table.from_pylist([record] * 3), path)
    assert "3  windows / flat" in tocsin("logs", "identify", path).text
