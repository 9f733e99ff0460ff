"""Undo compression: what a stream is packed with is seen from its first bytes.

A packed stream gives all that stands before damage, then raises `PackingError`. What one file may
unpack to is limited, all its members and layers together (`Budget`).
"""

import zlib
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import suppress
from typing import TypeAlias

import pyarrow as pa

READ_BYTES = 4 << 20
FREE_BYTES = 1 << 30
"""What any file may unpack to."""
MOST_RATIO = 500
"""How many times its size a file may unpack to beyond that; logs reach some 10 to 200."""

GZIP = b"\x1f\x8b"
ZSTD = b"\x28\xb5\x2f\xfd"
_STEP = 256 << 10
_ZSTD_STEP = 16 << 10
"""So much at most is lost before the place where a zstd stream is damaged."""
_BROKEN = (EOFError, OSError, zlib.error, pa.ArrowException)

Chunks: TypeAlias = Iterator[bytes]


class PackingError(Exception):
    """A packed stream is damaged or is refused; what was given before it holds."""


class Budget:
    """Bounds what one file unpacks to by how much of it was read."""

    def __init__(self) -> None:
        self._read = 0
        self._unpacked = 0

    def reading(self, chunks: Chunks) -> Chunks:
        """Count the bytes of the file itself."""
        for chunk in chunks:
            self._read += len(chunk)
            yield chunk

    def reads_all(self, size: int) -> None:
        """Count a file that is read here and there as read whole."""
        self._read = max(self._read, size)

    def unpacking(self, chunks: Chunks) -> Chunks:
        """Count what was unpacked; raise `PackingError` where it is too much."""
        for chunk in chunks:
            self._unpacked += len(chunk)
            if self._unpacked > max(FREE_BYTES, MOST_RATIO * self._read):
                raise PackingError(
                    f"unpacks to more than {MOST_RATIO} times its size, as a file does that is "
                    "made to exhaust its reader; if it is none, unpack it first"
                )
            yield chunk


def unpacker(start: bytes) -> Callable[[Chunks], Chunks] | None:
    """Return what unpacks a stream that begins with these bytes; None if it is not compressed."""
    return next((unpack for magic, unpack in _UNPACKERS.items() if start.startswith(magic)), None)


def _named(unpack: Callable[[Chunks], Chunks]) -> Callable[[Chunks], Chunks]:
    """Turn whatever a library raises into `PackingError`."""

    def read(chunks: Chunks) -> Chunks:
        try:
            yield from unpack(chunks)
        except _BROKEN as error:
            raise PackingError(str(error)) from None

    return read


def _gunzip(chunks: Chunks) -> Chunks:
    """Yield what gzip members hold, all that can be had before damage; zeros may follow them."""
    member = zlib.decompressobj(wbits=31)
    for data in _steps(chunks):
        while data:
            if member.eof:
                data = data.lstrip(b"\0")
                member = zlib.decompressobj(wbits=31) if data else member
                continue
            data = yield from inflated(member, data)
    if not member.eof:
        yield member.flush()
    if not member.eof:
        raise EOFError("the compressed data ends early")


def inflated(member: "zlib._Decompress", data: bytes) -> Generator[bytes, None, bytes]:
    """Yield the next piece that data unpacks to; return the data that is left."""
    before = member.copy()
    try:
        yield member.decompress(data, READ_BYTES)
    except zlib.error:
        yield _until_error(before, data)
        raise
    return member.unused_data if member.eof else member.unconsumed_tail


def _until_error(member: "zlib._Decompress", data: bytes) -> bytes:
    """Return what stands before the byte that cannot be decompressed."""
    found: list[bytes] = []
    with suppress(zlib.error):
        found.extend(member.decompress(data[at : at + 1]) for at in range(len(data)))
    return b"".join(found)


def _steps(chunks: Chunks) -> Chunks:
    for chunk in chunks:
        yield from (chunk[at : at + _STEP] for at in range(0, len(chunk), _STEP))


def _unzstd(chunks: Chunks) -> Chunks:
    """Yield what zstd frames hold."""
    stream = pa.CompressedInputStream(pa.PythonFile(Reader(chunks), mode="r"), "zstd")
    steps: list[bytes] = []
    try:
        while step := stream.read(_ZSTD_STEP):
            steps.append(step)
            if len(steps) * _ZSTD_STEP >= READ_BYTES:
                yield b"".join(steps)
                steps = []
    except (*_BROKEN, PackingError):
        yield b"".join(steps)
        raise
    yield b"".join(steps)


class Reader:
    """Chunks as a stream to read from; who made the chunks closes what is behind them."""

    closed = False

    def __init__(self, chunks: Chunks) -> None:
        self._chunks = chunks
        self._rest = b""

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, at most `size` of them; none at the end."""
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return b""
            self._rest = chunk
        size = len(self._rest) if size < 0 else size
        data, self._rest = self._rest[:size], self._rest[size:]
        return data

    def readable(self) -> bool:
        """Say that this can be read."""
        return True

    def close(self) -> None:
        """Leave the stream open."""


_UNPACKERS: Mapping[bytes, Callable[[Chunks], Chunks]] = {
    GZIP: _named(_gunzip),
    ZSTD: _named(_unzstd),
}
