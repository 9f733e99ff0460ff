"""Zip archives: the members, each with its bytes or with the reason why it cannot be read.

Members are found by the archive's directory. Where that is missing or broken, as in an archive that
was cut off, they are found by their own headers.
"""

import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from tocsin.jsontext import valid_text
from tocsin.logs.formats.packing import Chunks, PackingError, inflated

ZIP = (b"PK\x03\x04", b"PK\x05\x06")
MOST_MEMBERS = 100_000

_HEADER = struct.Struct("<4sHHHHHIIIHH")
_STORED, _DEFLATED = 0, 8
_ENCRYPTED, _SIZES_FOLLOW, _UTF8 = 0x1, 0x8, 0x800
_METHODS = {9: "Deflate64", 12: "bzip2", 14: "LZMA", 93: "Zstandard", 95: "XZ", 98: "PPMd"}
_NO_DIRECTORY = (
    zipfile.BadZipFile,
    EOFError,
    IndexError,
    NotImplementedError,
    OSError,
    OverflowError,
    ValueError,
    struct.error,
)
_STEP = 256 << 10
_UNKNOWN = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an archive: its bytes, or why it has none."""

    name: str
    chunks: Chunks
    problem: str = ""


@dataclass(frozen=True, slots=True)
class _Entry:
    """What a directory, or a member's own header, says of a member."""

    name: str
    flags: int
    method: int
    start: int
    """Where its header stands."""
    packed: int | None
    """How long its data is; None if only the data itself says so."""
    checksum: int | None


def members(file: BinaryIO) -> Iterator[Member]:
    """Yield the files of an archive in its order; raise `PackingError` after them if it is damaged.

    Members whose data overlap, which no archiver writes, are refused.
    """
    entries = _directory(file)
    if entries is None:
        yield from _without_directory(file)
        raise PackingError("the archive's directory is missing, so there may have been more in it")
    taken = 0
    for entry in sorted(entries, key=lambda entry: entry.start):
        place = _data(file, entry)
        if isinstance(place, str) or place < taken:
            problem = place if isinstance(place, str) else "shares its bytes with another member"
            yield Member(entry.name, iter(()), problem)
            continue
        taken = place + (entry.packed or 0)
        yield _member(file, entry, place)


def _directory(file: BinaryIO) -> list[_Entry] | None:
    try:
        with zipfile.ZipFile(file) as archive:
            infos = [info for info in archive.infolist() if not info.filename.endswith("/")]
    except _NO_DIRECTORY:
        return None
    if len(infos) > MOST_MEMBERS:
        raise PackingError(f"has {len(infos):,} members, more than the {MOST_MEMBERS:,} allowed")
    return [
        _Entry(
            valid_text(info.filename),
            info.flag_bits,
            info.compress_type,
            info.header_offset,
            info.compress_size,
            info.CRC,
        )
        for info in infos
    ]


def _data(file: BinaryIO, entry: _Entry) -> int | str:
    """Return where a member's data begins, or why it has none."""
    file.seek(max(entry.start, 0))
    header = file.read(_HEADER.size)
    if entry.start < 0 or len(header) < _HEADER.size or not header.startswith(ZIP[0]):
        return "is not where the archive's directory says"
    *_, name, extra = _HEADER.unpack(header)
    return entry.start + _HEADER.size + int(name) + int(extra)


def _member(file: BinaryIO, entry: _Entry, place: int) -> Member:
    if entry.flags & _ENCRYPTED:
        return Member(entry.name, iter(()), "is encrypted; unpack it with its password first")
    if entry.method not in {_STORED, _DEFLATED}:
        method = _METHODS.get(entry.method, f"method {entry.method}")
        problem = f"is packed with {method}, which is not read; pack it again, with Deflate"
        return Member(entry.name, iter(()), problem)
    return Member(entry.name, _unpacked(file, entry, place))


def _unpacked(file: BinaryIO, entry: _Entry, place: int) -> Chunks:
    """Yield a member's bytes; raise `PackingError` where they end early or are not what they were.

    The data of one member is read before the next member is asked for.
    """
    data = _stretch(file, place, entry.packed)
    checksum = 0
    for chunk in data if entry.method == _STORED else _inflate(data):
        checksum = zlib.crc32(chunk, checksum)
        yield chunk
    if entry.checksum is not None and checksum != entry.checksum:
        raise PackingError("its checksum is wrong")


def _stretch(file: BinaryIO, place: int, length: int | None) -> Chunks:
    left = length
    while left is None or left > 0:
        file.seek(place)
        chunk = file.read(_STEP if left is None else min(left, _STEP))
        if not chunk:
            if left is not None:
                raise PackingError("the archive ends early")
            return
        place += len(chunk)
        left = None if left is None else left - len(chunk)
        yield chunk


def _inflate(chunks: Chunks) -> Chunks:
    member = zlib.decompressobj(wbits=-15)
    try:
        for data in chunks:
            while data and not member.eof:
                data = yield from inflated(member, data)
            if member.eof:
                return
    except zlib.error as error:
        raise PackingError(str(error)) from None
    yield member.flush()
    if not member.eof:
        raise PackingError("the compressed data ends early")


def _without_directory(file: BinaryIO) -> Iterator[Member]:
    """Yield the members that are found by their own headers, one after the other."""
    at = 0
    for _ in range(MOST_MEMBERS):
        found = _next_header(file, at)
        if found is None:
            return
        entry = _own_header(file, found)
        place = _data(file, entry)
        if isinstance(place, str):
            return
        if not entry.name.endswith("/"):
            yield _member(file, entry, place)
        at = place + (entry.packed or 0)


def _next_header(file: BinaryIO, at: int) -> int | None:
    overlap = len(ZIP[0]) - 1
    file.seek(at)
    data = file.read(_STEP)
    while len(data) > overlap:
        found = data.find(ZIP[0])
        if found >= 0:
            return at + found
        at += len(data) - overlap
        data = data[-overlap:] + file.read(_STEP)
    return None


def _own_header(file: BinaryIO, start: int) -> _Entry:
    file.seek(start)
    header = file.read(_HEADER.size).ljust(_HEADER.size, b"\0")
    _, _, flags, method, _, _, checksum, packed, _, length, _ = _HEADER.unpack(header)
    name = file.read(length).decode("utf-8" if flags & _UTF8 else "cp437", "replace")
    told = not flags & _SIZES_FOLLOW and packed != _UNKNOWN
    if not told and method == _STORED:
        method = -1
    return _Entry(name, flags, method, start, packed if told else None, checksum if told else None)
