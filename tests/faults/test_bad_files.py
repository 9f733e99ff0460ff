"""A file that cannot be read is named with what to do, and the others are scanned."""

import gzip
import os
from pathlib import Path

import pyarrow as pa
import pytest

from cli.calling import jsonl, rule, scan, tocsin

GOOD = jsonl([{"mark": "needle"}])


def logs(folder: Path, **files: bytes) -> Path:
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is empty"),
        (bytes(range(256)), "is of no known format"),
        (b"plain text\n", "is of no known format"),
    ],
)
@pytest.mark.parametrize("workers", [1, 2])
def test_what_is_no_log_is_passed_over(
    data: bytes, says: str, workers: int, rules: Path, tmp_path: Path
) -> None:
    folder = logs(tmp_path / "logs", a=GOOD, b=data, c=GOOD)
    result = scan(folder, rules=rules, workers=workers)
    assert result.status == 0
    assert [record["events"][0]["source"][-1] for record in result.records] == ["a", "c"]
    assert f"not scanned: {folder}/b: {says}" in result.err


@pytest.mark.parametrize("workers", [1, 2])
def test_of_a_damaged_file_what_can_be_read_is_scanned(
    workers: int, rules: Path, tmp_path: Path
) -> None:
    many = jsonl({"mark": f"needle {os.urandom(8).hex()}"} for _ in range(5000))
    packed = gzip.compress(many)
    cut = packed[: len(packed) // 2]
    long = jsonl({"mark": f"needle {os.urandom(200).hex()}"} for _ in range(2000))
    zipped = pa.compress(long, "zstd", asbytes=True)
    folder = logs(
        tmp_path / "logs", a=cut, b=packed[:-8] + bytes(8), c=zipped[: len(zipped) // 2], d=GOOD
    )
    result = scan(folder, rules=rules, workers=workers)
    assert result.status == 2
    sources = [record["events"][0]["source"][-1] for record in result.records]
    assert sources.count("a") > 2000
    assert sources.count("b") == 5000
    assert 500 < sources.count("c") < 2000
    assert sources.count("d") == 1
    for name in "abc":
        assert (
            f"not scanned: {folder}/{name}: is damaged, what stands before was read" in result.err
        )


def test_a_file_that_cannot_be_opened_does_not_stop_the_others(
    rules: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = logs(tmp_path / "logs", a=GOOD, b=GOOD, c=GOOD)
    honest = Path.open

    def refuse(path: Path, *mode: str, **more: object) -> object:
        if path.name == "b":
            raise PermissionError(13, "Permission denied", str(path))
        return honest(path, *mode, **more)

    monkeypatch.setattr(Path, "open", refuse)
    result = scan(folder, rules=rules)
    assert result.status == 2
    assert len(result.records) == 2
    assert f"not scanned: {folder}/b: cannot be read: Permission denied" in result.err


def test_a_file_that_goes_away_while_it_is_scanned_is_named(
    rules: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With several workers a file is read a second time, by them."""
    from tocsin.run import scan as module

    folder = logs(tmp_path / "logs", a=GOOD, b=GOOD)
    honest = module.Range

    def vanish(path: Path, *place: int) -> object:
        return honest(path.with_name("gone") if path.name == "a" else path, *place)

    monkeypatch.setattr(module, "Range", vanish)
    result = scan(folder, rules=rules, workers=2)
    assert result.status == 2
    assert len(result.records) == 1
    assert f"{folder}/gone: cannot be read any more: No such file or directory" in result.err


@pytest.mark.parametrize("workers", [1, 2])
def test_a_file_name_that_is_no_text(workers: int, rules: Path, tmp_path: Path) -> None:
    name = os.fsdecode(b"\xff.ndjson")
    try:
        (tmp_path / name).write_bytes(GOOD + b"bad\n")
    except OSError:
        pytest.skip("the file system takes no such name")
    result = scan(tmp_path / name, rules=rules, workers=workers, quarantine=tmp_path / "quarantine")
    assert result.status == 0
    assert result.records[0]["events"][0]["source"] == f"{tmp_path}/\ufffd.ndjson"
    assert "\\ufffd.ndjson" in (tmp_path / "quarantine").read_text() or "\ufffd.ndjson" in (
        tmp_path / "quarantine"
    ).read_text("utf-8")


def test_a_rule_file_name_that_is_no_text(log: Path, tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"\xfe")
    try:
        folder.mkdir()
    except OSError:
        pytest.skip("the file system takes no such name")
    (folder / os.fsdecode(b"\xff.yml")).write_text(rule())
    (folder / os.fsdecode(b"\xff2.yml")).write_text("title: [\ndetection: x\n")
    for path in (folder, folder / os.fsdecode(b"\xff.yml")):
        result = scan(log, rules=path)
        assert result.lines == [1, 3]
        assert result.records[0]["rule"]["path"].endswith("\ufffd/\ufffd.yml")
        assert tocsin("rules", "check", path).status == 0


def test_a_pipe_is_read_as_a_file(rules: Path) -> None:
    ours, theirs = os.pipe()
    os.write(theirs, GOOD * 3)
    os.close(theirs)
    try:
        assert scan(f"/dev/fd/{ours}", rules=rules, workers=2).lines == [1, 2, 3]
    finally:
        os.close(ours)
