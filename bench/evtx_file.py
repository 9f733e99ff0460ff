"""Write EVTX files: as small as the format allows, for tests and for the fuzzer.

A file is a header of 4 KiB and chunks of 64 KiB. A record holds its event as binary XML: tokens for
elements, attributes and texts. All values are texts, no templates are used, and every name is
written where it is used. Layout: [MS-EVEN6] 2.2.12 and the documentation of libevtx.
"""

import struct
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

HEADER_BYTES, CHUNK_BYTES = 4096, 64 << 10
FIRST_RECORD = 512

Event: TypeAlias = Mapping[str, object]

_RECORD = struct.Struct("<4sIQQ")
_NAMESPACE = "http://schemas.microsoft.com/win/2004/08/events/event"
_FILETIME = 133_800_000_000_000_000
"""Some time in 2024, in steps of 100 ns since 1601."""


@dataclass(frozen=True)
class Element:
    """An XML element with text or with elements inside it."""

    name: str
    attributes: Mapping[str, str]
    inside: "str | Sequence[Element]" = ()


def write_evtx(events: Iterable[Event], per_chunk: int = 1000) -> bytes:
    """Write events, each `{"Event": {"System": …, "EventData": …}}` with texts for values."""
    chunks: list[bytes] = []
    records: list[bytes] = []
    number, at = 1, FIRST_RECORD
    for event in events:
        record = _record(event, number, at)
        if at + len(record) > CHUNK_BYTES or len(records) == per_chunk:
            chunks.append(_chunk(records, number - len(records)))
            records, at = [], FIRST_RECORD
            record = _record(event, number, at)
        records.append(record)
        at += len(record)
        number += 1
    chunks.append(_chunk(records, number - len(records)))
    return _header(len(chunks), number) + b"".join(chunks)


def _header(chunks: int, following: int) -> bytes:
    fields = (b"ElfFile\0", 0, chunks - 1, following, 128, 1, 3, HEADER_BYTES, chunks)
    checked = struct.pack("<8sQQQIHHHH", *fields).ljust(120, b"\0")
    return (checked + struct.pack("<II", 0, zlib.crc32(checked))).ljust(HEADER_BYTES, b"\0")


def _chunk(records: Sequence[bytes], first: int) -> bytes:
    data = b"".join(records)
    last = first + len(records) - 1
    free = FIRST_RECORD + len(data)
    newest = free - len(records[-1]) if records else 0
    fields = (b"ElfChnk\0", first, last, first, last, 128, newest, free, zlib.crc32(data))
    start = struct.pack("<8sQQQQIIII", *fields).ljust(120, b"\0")
    tables = bytes(FIRST_RECORD - 128)
    checked = struct.pack("<II", 0, zlib.crc32(start + tables))
    return (start + checked + tables + data).ljust(CHUNK_BYTES, b"\0")


def _record(event: Event, number: int, at: int) -> bytes:
    body = b"\x0f\x01\x01\x00" + _element(_tree(event), at + _RECORD.size + 4) + b"\0"
    size = _RECORD.size + len(body) + 4
    return _RECORD.pack(b"\x2a\x2a\0\0", size, number, _FILETIME + number) + body + _u32(size)


def _tree(event: Event) -> Element:
    inside = event["Event"]
    assert isinstance(inside, Mapping)
    parts = [_branch(name, value) for name, value in inside.items() if name != "#attributes"]
    return Element(
        "Event", {"xmlns": "http://schemas.microsoft.com/win/2004/08/events/event"}, parts
    )


def _branch(name: str, value: object) -> Element:
    """Return a part of the event; the members of `EventData` are named by an attribute."""
    if not isinstance(value, Mapping):
        return Element(name, {}, "" if value is None else str(value))
    attributes = value.get("#attributes", {})
    if "#text" in value:
        return Element(name, attributes, str(value["#text"]))
    members = ((key, inner) for key, inner in value.items() if key != "#attributes")
    if name == "EventData":
        return Element(name, {}, [Element("Data", {"Name": key}, str(one)) for key, one in members])
    return Element(name, attributes, [_branch(key, inner) for key, inner in members])


def _element(element: Element, at: int) -> bytes:
    """Write an element that begins at a place in its chunk: names are found by their place."""
    start = b"\x41" if element.attributes else b"\x01"
    place = at + len(start) + 4
    name = _name(element.name, place)
    place += len(name)
    attributes = b""
    if element.attributes:
        place += 4
        attributes = _attributes(element.attributes, place)
        place += len(attributes)
        attributes = _u32(len(attributes)) + attributes
    inside = _inside(element, place)
    rest = name + attributes + inside
    return start + _u32(len(rest)) + rest


def _inside(element: Element, place: int) -> bytes:
    if not element.inside:
        return b"\x03"
    if isinstance(element.inside, str):
        return b"\x02" + _text(element.inside) + b"\x04"
    written = b"\x02"
    for one in element.inside:
        written += _element(one, place + len(written))
    return written + b"\x04"


def _attributes(attributes: Mapping[str, str], place: int) -> bytes:
    written = b""
    for left, (name, value) in zip(
        range(len(attributes) - 1, -1, -1), attributes.items(), strict=True
    ):
        token = b"\x46" if left else b"\x06"
        written += token + _name(name, place + len(written) + 1) + _text(value)
    return written


def _name(text: str, place: int) -> bytes:
    """Write a name that stands where its offset says it does."""
    code = 0
    for character in text:
        code = (code * 65599 + ord(character)) & 0xFFFFFFFF
    units = text.encode("utf-16-le")
    header = struct.pack("<IIHH", place + 4, 0, code & 0xFFFF, len(units) // 2)
    return header + units + b"\0\0"


def _text(text: str) -> bytes:
    units = text.encode("utf-16-le")
    return struct.pack("<BBH", 0x05, 0x01, len(units) // 2) + units


def _u32(number: int) -> bytes:
    return struct.pack("<I", number)
