"""EVTX: the records of intact chunks are read; what is damaged is named with its bytes."""

import builtins
import json
import struct

import pytest
from bench.evtx_file import CHUNK_BYTES, FIRST_RECORD, HEADER_BYTES, write_evtx

from logs.reading import only, problem, read
from tocsin.logs.formats import evtx
from tocsin.logs.formats.blocks import Records, Unreadable, batches


def event(number: int) -> dict:
    return {
        "Event": {
            "#attributes": {"xmlns": "http://schemas.microsoft.com/win/2004/08/events/event"},
            "System": {
                "Provider": {"#attributes": {"Name": "Microsoft-Windows-Sysmon", "Guid": "{5770}"}},
                "EventID": "1",
                "TimeCreated": {"#attributes": {"SystemTime": "2026-01-02T03:04:05.678901Z"}},
                "Channel": "Microsoft-Windows-Sysmon/Operational",
                "Computer": "ws1.example",
            },
            "EventData": {"Image": r"C:\a & <b>\ü€.exe", "Number": str(number), "Empty": ""},
        }
    }


FILE = write_evtx(map(event, range(100)), per_chunk=40)
SECOND = HEADER_BYTES + CHUNK_BYTES


def numbers(data: bytes) -> list[int]:
    """Return the numbers of the events that can be read."""
    texts = [str(text) for _, text in read(data) if not str(text).startswith("!")]
    return [int(json.loads(text)["Event"]["EventData"]["Number"]) for text in texts]


def refused(data: bytes) -> list[str]:
    return [str(text) for _, text in read(data) if str(text).startswith("!")]


def changed(at: int, new: bytes) -> bytes:
    return FILE[:at] + new + FILE[at + len(new) :]


def record_at(number: int, chunk: int = HEADER_BYTES) -> tuple[int, int]:
    """Return where a record of a chunk starts, and its size."""
    at = chunk + FIRST_RECORD
    for _ in range(number):
        at += struct.unpack_from("<I", FILE, at + 4)[0]
    return at, struct.unpack_from("<I", FILE, at + 4)[0]


def test_records_become_the_events_that_were_written() -> None:
    found = read(FILE)
    assert [line for line, _ in found] == list(range(1, 101))
    assert [json.loads(str(text)) for _, text in found] == list(map(event, range(100)))


def test_each_record_knows_its_place_and_blocks_stand_for_the_whole_file() -> None:
    blocks = [block for block in only(FILE).blocks() if isinstance(block, Records)]
    assert sum(block.length for block in blocks) == len(FILE) - HEADER_BYTES
    for block in blocks:
        for batch in batches(block, 7):
            for offset in batch.offsets.tolist():
                assert FILE.startswith(b"**\0\0", offset)


@pytest.mark.parametrize("chunks", [0, 1, 3])
def test_a_file_of_no_records_holds_none(chunks: int) -> None:
    empty = write_evtx([])[:HEADER_BYTES] + bytes(chunks * CHUNK_BYTES)
    assert [text for _, text in read(empty)] == (
        [] if chunks else ["! cut off: the file does not end: 0 of 1 chunks are there"]
    )


@pytest.mark.parametrize("header", [bytes(HEADER_BYTES), b"junk" * 1024, b""])
def test_chunks_are_read_behind_any_header(header: bytes) -> None:
    assert numbers(header + FILE[HEADER_BYTES:]) == list(range(100))


def test_a_chunk_that_is_none_is_named_with_its_bytes_and_the_others_are_read() -> None:
    broken = changed(SECOND, b"U" * CHUNK_BYTES)
    assert numbers(broken) == [*range(40), *range(80, 100)]
    [bad] = [block for block in only(broken).blocks() if isinstance(block, Unreadable)]
    assert bad.reason == (
        f"not a chunk of event records: chunk 2 of the file, "
        f"bytes {SECOND} to {SECOND + CHUNK_BYTES}"
    )
    assert (bad.line, bad.offset, bad.length) == (41, SECOND, CHUNK_BYTES)
    assert bad.start == b"U" * CHUNK_BYTES


def test_a_chunk_that_lost_its_beginning_is_read_all_the_same() -> None:
    assert numbers(changed(SECOND, bytes(8))) == list(range(100))


@pytest.mark.parametrize("field", [48, 8, 44, 124])
def test_a_chunk_whose_header_is_wrong_is_read_by_its_records(field: int) -> None:
    assert numbers(changed(SECOND + field, b"\x07\x02\0\0")) == list(range(100))


@pytest.mark.parametrize(
    ("place", "new"),
    [(0, b"xx"), (4, b"\xff\xff\xff\x7f"), (4, bytes(4)), (24, b"\xee" * 60)],
    ids=["magic", "size too large", "size zero", "content"],
)
def test_a_damaged_record_is_named_and_those_around_it_are_read(place: int, new: bytes) -> None:
    at, size = record_at(10)
    broken = changed(at + place, new)
    assert numbers(broken) == [*range(10), *range(11, 100)]
    [said] = refused(broken)
    assert said.endswith(f"chunk 1 of the file, bytes {at} to {at + size}")


@pytest.mark.parametrize("kept", [0, 100, FIRST_RECORD, FIRST_RECORD + 5000])
def test_of_a_file_that_was_cut_off_the_rest_is_named(kept: int) -> None:
    cut = FILE[: SECOND + kept]
    found = numbers(cut)
    assert found == list(range(len(found)))
    assert len(found) >= 40
    whole = [record_at(number, SECOND) for number in range(40)]
    assert len(found) - 40 == sum(at + size <= len(cut) for at, size in whole)
    assert refused(cut)[-1].endswith(f"{1 + (kept > 0)} of 3 chunks are there")
    assert (len(refused(cut)) > 1) is (kept > 0)


def test_a_chunk_with_a_wrong_header_that_is_cut_off_is_read_as_far_as_it_goes() -> None:
    cut = changed(SECOND + 124, b"\1\2\3\4")[: SECOND + FIRST_RECORD + 5000]
    assert numbers(cut) == list(range(len(numbers(cut))))
    assert len(numbers(cut)) > 40


def test_names_that_lead_to_one_another_are_not_followed() -> None:
    """The table of names in a chunk's header holds chains, which the parser would read ahead."""
    first, second = struct.pack("<I", 60_000), struct.pack("<I", 60_100)
    name = bytes(2) + b"\1\0a\0\0\0"
    looped = bytearray(FILE)
    for place, new in ((60_000, second + name), (60_100, first + name), (128, first)):
        looped[HEADER_BYTES + place : HEADER_BYTES + place + len(new)] = new
    assert numbers(bytes(looped)) == list(range(100))


def test_without_the_package_the_message_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    honest = builtins.__import__

    def refuse(name: str, *more: object, **options: object) -> object:
        if name == "evtx":
            raise ImportError(name)
        return honest(name, *more, **options)

    monkeypatch.setattr(builtins, "__import__", refuse)
    assert read(FILE) == [f"log: {evtx.MISSING}"]
    assert problem(b'{"a": 1}') == ""
