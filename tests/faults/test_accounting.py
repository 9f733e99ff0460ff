"""What goes in is scanned, or is kept in quarantine, or its file is named: in every format."""

import gzip
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from zlib import crc32

import pytest
from bench.evtx_file import CHUNK_BYTES, HEADER_BYTES, write_evtx

from cli.calling import jsonl, rule, scan
from tocsin.logs.formats import packing


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A rule that finds the word wherever a record holds it."""
    (tmp_path / "pack").mkdir()
    text = rule(detection="{keywords: ['needle'], condition: keywords}")
    (tmp_path / "pack" / "needle.yml").write_text(text)
    return tmp_path / "pack"


MANY = [{"mark": f"needle {at}", "text": "x" * (at % 50)} for at in range(200)]


def evtx() -> bytes:
    events = ({"Event": {"System": {"EventID": "1"}, "EventData": one}} for one in MANY)
    return write_evtx(events, per_chunk=50)


def table() -> bytes:
    rows = [f'{one["mark"]},"{one["text"]}"' for one in MANY]
    return "\n".join(["mark,text", *rows]).encode()


def archive(**members: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return packed.getvalue()


DIRECTORY = b"PK\x01\x02\x14\x03\x14\0"
"""How a member's entry in the directory begins; its flags come next."""


def second_chunk_lost(data: bytes) -> bytes:
    start = HEADER_BYTES + CHUNK_BYTES
    return data[:start] + b"?" * CHUNK_BYTES + data[start + CHUNK_BYTES :]


BROKEN: Mapping[str, tuple[bytes, int, int, str]] = {
    "lines, one broken": (jsonl(MANY).replace(b'"needle 7",', b"", 1), 200 - 1, 1, ""),
    "lines, cut off": (jsonl(MANY)[:-20], 199, 1, ""),
    "array, cut off": (json.dumps(MANY).encode()[:-20], 199, 1, ""),
    "array, no end": (json.dumps(MANY).encode()[:-1], 200, 1, ""),
    "array, one broken": (json.dumps(MANY).replace('"needle 7",', "{", 1).encode(), 7, 2, ""),
    "indented array, one broken": (
        json.dumps(MANY, indent=2).replace('"needle 7",', "{", 1).encode(), 199, 1, "",
    ),
    "indented objects, one cut off": (
        "\n".join(json.dumps(one, indent=2) for one in MANY)
        .replace('"needle 7",', "{", 1).encode(), 199, 1, "",
    ),
    "page, cut off": (
        json.dumps({"@odata.context": "c", "value": MANY}).encode()[:-200], 197, 1, "",
    ),
    "CSV, another number of cells": (table().replace(b"needle 7,", b"needle 7,,", 1), 199, 1, ""),
    "CSV, a quote too many": (table().replace(b'needle 7,"', b'"needle 7,"', 1), 199, 1, ""),
    "EVTX, a chunk lost": (second_chunk_lost(evtx()), 150, 1, ""),
    "EVTX, cut off in a chunk": (evtx()[: HEADER_BYTES + CHUNK_BYTES + 1200], 51, 3, ""),
    "EVTX, cut off behind one": (evtx()[: HEADER_BYTES + CHUNK_BYTES], 50, 1, ""),
    "gzip, cut off": (
        gzip.compress(jsonl(MANY))[:-60], -1, 1, "log: is damaged, what stands before was read",
    ),
    "zip, wrong checksum": (
        archive(a=jsonl(MANY)).replace(crc32(jsonl(MANY)).to_bytes(4, "little"), b"\0\0\0\0"),
        200, 0, "log!a: is damaged, what stands before was read: its checksum is wrong",
    ),
    "zip, encrypted": (
        archive(a=jsonl(MANY)).replace(DIRECTORY + b"\0", DIRECTORY + b"\1"), 0, 0,
        "log!a: is encrypted",
    ),
    "zip, no directory": (
        archive(a=jsonl(MANY))[:-30], 200, 0, "log: is damaged: the archive's directory is",
    ),
}  # fmt: skip


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("name", BROKEN)
def test_what_can_be_read_is_scanned_and_the_rest_is_named(
    name: str, workers: int, rules: Path, tmp_path: Path
) -> None:
    data, found, kept, says = BROKEN[name]
    (tmp_path / "log").write_bytes(data)
    quarantine = tmp_path / "quarantine"
    result = scan(tmp_path / "log", rules=rules, quarantine=quarantine, workers=workers)
    items = [json.loads(line) for line in quarantine.read_bytes().splitlines()]
    assert len(result.records) == found or (found < 0 and 50 < len(result.records) < 200)
    assert len(items) == kept
    assert all(item["reason"] and item["length"] >= 0 and item["line"] > 0 for item in items)
    assert (f"not scanned: {tmp_path}/{says}" in result.err) is bool(says)
    assert result.status == (2 if says else 0)
    if kept:
        assert f"{kept} records could not be read" in result.err


def test_a_bomb_is_read_up_to_its_limit_and_named(
    rules: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "FREE_BYTES", 1 << 20)
    monkeypatch.setattr(packing, "MOST_RATIO", 10)
    monkeypatch.setattr(packing, "READ_BYTES", 256 << 10)
    (tmp_path / "log").write_bytes(archive(a=jsonl([{"mark": "straw"}]) * 500_000, b=jsonl(MANY)))
    result = scan(tmp_path / "log", rules=rules)
    assert result.status == 2
    assert f"{tmp_path}/log!a: is damaged, what stands before was read: unpacks to" in result.err
    assert f"{tmp_path}/log!b" in result.err


def test_every_member_of_an_archive_is_a_source_with_lines_of_its_own(
    rules: Path, tmp_path: Path
) -> None:
    (tmp_path / "logs.zip").write_bytes(
        archive(**{"a.json": jsonl(MANY[:2]), "b/c.csv": table(), "d.evtx": evtx(), "e.txt": b"?"})
    )
    result = scan(tmp_path / "logs.zip", rules=rules, strict=True)
    places = [(one["events"][0]["source"], one["events"][0]["line"]) for one in result.records]
    name = f"{tmp_path}/logs.zip"
    assert places == [
        *((f"{name}!a.json", line) for line in (1, 2)),
        *((f"{name}!b/c.csv", line) for line in range(2, 202)),
        *((f"{name}!d.evtx", line) for line in range(1, 201)),
    ]
    assert f"not scanned: {name}!e.txt: is of no known format" in result.err
    assert "402 events in 3 files" in result.err
