"""EVTX, the files of the Windows event log: records as the JSON that `evtx_dump` writes.

A file is a header and chunks of 64 KiB, each of which stands for itself. So a file streams, and a
chunk that is damaged costs no other. The line of a record is its number in the file. Records are
decoded by the package `evtx`, which is needed only here.
"""

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tocsin.errors import InputError
from tocsin.logs.formats.blocks import KEPT_BYTES, Block, Records, Unreadable
from tocsin.logs.formats.content import Content
from tocsin.logs.formats.packing import Chunks

if TYPE_CHECKING:
    from evtx import PyEvtxParser

MISSING = "is an EVTX file; to read those, install the package evtx: pip install 'tocsin[evtx]'"
CUT_OFF = "cut off: the chunk does not end"
MISSING_CHUNKS = "cut off: the file does not end"
NO_CHUNK = "not a chunk of event records"
NO_RECORD = "event records that are damaged"
NOT_DECODED = "an event record that cannot be decoded"

HEADER_BYTES, CHUNK_BYTES = 4096, 64 << 10
_BLOCK_CHUNKS = 64
_FILE, _CHUNK, _RECORD = b"ElfFile\0", b"ElfChnk\0", b"\x2a\x2a\0\0"
_FIRST_RECORD = 512
_LEAST_RECORD = 28
_RECORD_HEADER = struct.Struct("<4sIQ")
_FREE_SPACE, _LAST_ID = struct.Struct("<I"), struct.Struct("<Q")
_LAST_ID_AT, _FREE_SPACE_AT, _CHECKSUM_AT = 32, 48, 124
_CHUNKS_AT = 42
_TABLES = slice(128, _FIRST_RECORD)
_MOST_ZEROS = 3
"""So many bytes of the size that ends the last record may be zero."""
_NO_ID = 2**64 - 1


def recognise(head: bytes) -> bool:
    """Say whether this is the header of an event log, or a chunk stands where the first must."""
    return head.startswith((_FILE, _CHUNK)) or head.startswith(_CHUNK, HEADER_BYTES)


def blocks(content: Content) -> Iterator[Block]:
    """Yield the records of some chunks at a time, and what could not be read between them."""
    try:
        from evtx import PyEvtxParser
    except ImportError:
        raise InputError(MISSING) from None
    decoder = _Decoder(PyEvtxParser, 0 if content.head.startswith(_CHUNK) else HEADER_BYTES)
    number = 0
    for number, chunk in enumerate(_chunks(content.chunks(), decoder.offset), 1):
        yield from decoder.take(chunk, number)
        if number % _BLOCK_CHUNKS == 0:
            yield from decoder.flush()
    yield from decoder.flush()
    yield from decoder.missing(number, _chunks_told(content.head))


def _chunks_told(head: bytes) -> int:
    """Return how many chunks the header of a file speaks of; 0 if it is damaged."""
    (checksum,) = _FREE_SPACE.unpack_from(head.ljust(HEADER_BYTES, b"\0"), _CHECKSUM_AT)
    if not head.startswith(_FILE) or zlib.crc32(head[:120]) != checksum:
        return 0
    return int.from_bytes(head[_CHUNKS_AT : _CHUNKS_AT + 2], "little")


def _chunks(data: Chunks, skipped: int) -> Iterator[bytes]:
    """Cut a file behind its header into chunks; the last may be shorter."""
    held = b""
    for piece in data:
        held += piece
        whole = skipped + (len(held) - skipped) // CHUNK_BYTES * CHUNK_BYTES
        for at in range(skipped, whole, CHUNK_BYTES):
            yield held[at : at + CHUNK_BYTES]
        if whole > skipped:
            held, skipped = held[whole:], 0
    if len(held) > skipped:
        yield held[skipped:]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a record, or something that is none, stands in its chunk."""

    at: int
    size: int
    id: int | None


class _Decoder:
    """Decodes chunk after chunk; what it has found is taken by `flush`."""

    def __init__(self, parser: "type[PyEvtxParser]", offset: int) -> None:
        self.offset = offset
        """Where the next chunk starts."""
        self._parser = parser
        self._line = 1
        self._start = offset
        self._texts: list[bytes] = []
        self._lines: list[int] = []
        self._places: list[int] = []

    def take(self, chunk: bytes, number: int) -> Iterator[Unreadable]:
        """Decode a chunk; yield what in it cannot be read."""
        used, end = _used(chunk), len(chunk)
        places = _records(chunk)
        if not any(place.id is not None for place in places):
            if used:
                reason = NO_RECORD if chunk.startswith(_CHUNK) else NO_CHUNK
                yield self._unreadable(chunk, 0, min(used, end), reason, number)
            self.offset += end
            return
        for place, text in zip(places, self._decode(chunk, places), strict=True):
            if text is None and not chunk[place.at : place.at + place.size].strip(b"\0"):
                continue
            if text is None:
                reason = NO_RECORD if place.id is None else NOT_DECODED
                yield self._unreadable(chunk, place.at, place.at + place.size, reason, number)
            else:
                self._texts.append(text)
                self._lines.append(self._line)
                self._places.append(self.offset + place.at)
            self._line += 1
        if used > end:
            yield self._unreadable(chunk, end, end, CUT_OFF, number)
        self.offset += end

    def flush(self) -> Iterator[Records]:
        """Yield the records that were decoded since the last time."""
        if self._texts:
            ends = np.cumsum([len(text) for text in self._texts])
            bounds = np.stack((np.append(0, ends[:-1]), ends), axis=1)
            yield Records(
                b"".join(self._texts),
                bounds,
                np.array(self._lines, np.int64),
                self._start,
                np.array(self._places, np.int64),
                self.offset - self._start,
            )
        self._start = self.offset
        self._texts, self._lines, self._places = [], [], []

    def missing(self, seen: int, told: int) -> Iterator[Unreadable]:
        """Say that chunks are missing at the end, if the file's header speaks of more."""
        if seen < told:
            reason = f"{MISSING_CHUNKS}: {seen} of {told} chunks are there"
            yield Unreadable(self._line, self.offset, 0, reason, b"")

    def _unreadable(
        self, chunk: bytes, start: int, end: int, reason: str, number: int
    ) -> Unreadable:
        place = self.offset + start
        reason = f"{reason}: chunk {number} of the file, bytes {place} to {self.offset + end}"
        kept = chunk[start : min(end, start + KEPT_BYTES)]
        return Unreadable(self._line, place, end - start, reason, kept)

    def _decode(self, chunk: bytes, places: list[_Place]) -> list[bytes | None]:
        """Return the JSON of each record of a chunk; None of those that cannot be decoded."""
        chunk = _mended(chunk, places)
        decoded: list[tuple[int, bytes] | None] = []
        try:
            records = self._parser(
                io.BytesIO(_HEADER + chunk), number_of_threads=1, indent=False
            ).records_json()
            while len(decoded) < len(places):
                decoded.append(_next(records))
        except (StopIteration, RuntimeError, OSError):
            pass
        return _in_order(decoded, places)


def _next(records: "Iterator[object]") -> tuple[int, bytes] | None:
    """Return the id and the JSON of the next record; None if it cannot be decoded."""
    try:
        record = next(records)
    except (KeyboardInterrupt, StopIteration, SystemExit):
        raise
    except BaseException:  # a panic of the parser is no Exception
        return None
    if not isinstance(record, dict):
        return None
    return record["event_record_id"], record["data"].encode("utf-8", "replace")


def _in_order(decoded: list[tuple[int, bytes] | None], places: list[_Place]) -> list[bytes | None]:
    """Give each place what was decoded of it: both come in the order of the chunk."""
    left = [one for one in decoded if one is not None]
    texts: list[bytes | None] = []
    at = 0
    for place in places:
        same = (one for one in range(at, len(left)) if left[one][0] == place.id)
        found = next(same, None)
        texts.append(None if found is None else left[found][1])
        at = at if found is None else found + 1
    return texts


def _records(chunk: bytes) -> list[_Place]:
    """Walk the records of a chunk, without decoding; what stands between them is a place too."""
    at, used = _FIRST_RECORD, min(_used(chunk), len(chunk))
    found: list[_Place] = []
    while at < used:
        place = _record(chunk, at, used)
        if place is None:
            following = _next_record(chunk, at + 1, used)
            place = _Place(at, following - at, None)
        found.append(place)
        at += place.size
    return found


def _record(chunk: bytes, at: int, end: int) -> _Place | None:
    """Return the record at a position, if there is one; its size stands at its end once more."""
    if at + _LEAST_RECORD > end:
        return None
    magic, size, identifier = _RECORD_HEADER.unpack_from(chunk, at)
    if magic != _RECORD or size < _LEAST_RECORD or at + size > end:
        return None
    return _Place(at, size, identifier)


def _next_record(chunk: bytes, at: int, end: int) -> int:
    """Return where the next record begins from a position on, or the end."""
    while (at := chunk.find(_RECORD, at, end)) >= 0:
        place = _record(chunk, at, end)
        if place and chunk.endswith(chunk[at + 4 : at + 8], at, at + place.size):
            return at
        at += 1
    return end


def _mended(chunk: bytes, places: list[_Place]) -> bytes:
    """Return a whole chunk in which the parser passes over what is no record, as over a record.

    The tables of names and templates are emptied. The parser only follows their chains to read
    ahead, and a damaged chain may have no end.
    """
    mended = bytearray((_CHUNK + chunk[len(_CHUNK) :]).ljust(CHUNK_BYTES, b"\0"))
    mended[_TABLES] = bytes(_TABLES.stop - _TABLES.start)
    _LAST_ID.pack_into(mended, _LAST_ID_AT, _NO_ID - 1)
    _FREE_SPACE.pack_into(mended, _FREE_SPACE_AT, places[-1].at + places[-1].size)
    for place in places:
        if place.id is None and place.size >= _LEAST_RECORD:
            _RECORD_HEADER.pack_into(mended, place.at, _RECORD, place.size, _NO_ID)
    return bytes(mended)


def _used(chunk: bytes) -> int:
    """Return how many bytes of a chunk are in use: as it says, if its header is whole, or seems."""
    content = chunk.rstrip(b"\0")
    if not content:
        return 0
    if len(chunk) >= _FIRST_RECORD:
        (used,) = _FREE_SPACE.unpack_from(chunk, _FREE_SPACE_AT)
        if _FIRST_RECORD <= used <= CHUNK_BYTES and (_is_whole(chunk) or _ends_at(chunk, used)):
            return int(used)
    return min(len(content) + _MOST_ZEROS, len(chunk))


def _is_whole(chunk: bytes) -> bool:
    """Say whether the header of a chunk is as it was written."""
    (checksum,) = _FREE_SPACE.unpack_from(chunk, _CHECKSUM_AT)
    known = zlib.crc32(chunk[128:_FIRST_RECORD], zlib.crc32(chunk[:120]))
    return chunk.startswith(_CHUNK) and known == int(checksum)


def _ends_at(chunk: bytes, end: int) -> bool:
    """Say whether records follow one another up to just this end."""
    at = _FIRST_RECORD
    while at < end and (place := _record(chunk, at, min(end, len(chunk)))):
        at += place.size
    return at == end


def _header() -> bytes:
    """Make the header of a file of one chunk."""
    fields = struct.pack("<8sQQQIHHHH", _FILE, 0, 0, 1, 128, 1, 3, HEADER_BYTES, 1)
    checked = fields.ljust(120, b"\0")
    return (checked + struct.pack("<II", 0, zlib.crc32(checked))).ljust(HEADER_BYTES, b"\0")


_HEADER = _header()
