"""Open a log file: what it is is found by its first bytes, not by its name."""

import re
import sys
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from tocsin.errors import InputError
from tocsin.jsontext import valid_text
from tocsin.logs.formats.blocks import BYTE_ORDER_MARK, READ_BYTES, WRAPPER, Block, line_blocks
from tocsin.logs.formats.documents import document_blocks

STDIN = Path("-")
HEAD_BYTES = 64 << 10
COMPRESSED_SUFFIXES = {".gz", ".zst"}

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_ZIPPED_READ = 256 << 10
_ZSTD_STEP = 16 << 10
"""So much at most is lost before the place where a zstd stream is damaged."""
_OBJECT_LINE = re.compile(rb"^[ \t]*[{\[]", re.MULTILINE)

_BROKEN = (EOFError, OSError, zlib.error, pa.ArrowInvalid)


class Source:
    """An opened log: its bytes after decompression, and what was seen of their beginning."""

    def __init__(self, path: Path, raw: BinaryIO) -> None:
        self.path = path
        self._damage: Exception | None = None
        magic = raw.read(len(_ZSTD))
        self.plain = not magic.startswith((_GZIP, _ZSTD))
        self._chunks = self._until_damage(_chunks(magic, raw))
        head = b""
        for chunk in self._chunks:
            head += chunk
            if len(head) >= HEAD_BYTES:
                break
        self._offset = len(BYTE_ORDER_MARK) if head.startswith(BYTE_ORDER_MARK) else 0
        self._head = head[self._offset :]
        self.is_document = WRAPPER.match(self._head) is not None

    @property
    def is_empty(self) -> bool:
        """Return whether there is nothing but blanks, as far as the beginning shows."""
        return not self._head.strip()

    @property
    def damaged(self) -> bool:
        """Return whether the stream turned out to be damaged, as far as it was read."""
        return self._damage is not None

    @property
    def problem(self) -> str:
        """Return why this holds no logs, as far as its beginning shows; empty if it may."""
        if self._damage and not self._head:
            return f"cannot be decompressed: {self._damage}"
        if self.is_empty:
            return "is empty"
        if self._head.startswith(_UTF16):
            return "is UTF-16; convert it to UTF-8"
        if not _looks_like_json(self._head[:HEAD_BYTES]):
            return 'holds no JSON records; logs are JSON, a record per line or {"records": […]}'
        return ""

    def blocks(self) -> Iterator[Block]:
        """Yield blocks of records; raises `InputError` after them where the file is damaged."""
        chunks = chain([self._head], self._chunks)
        if self.is_document:
            yield from document_blocks(chunks)
        else:
            yield from line_blocks(chunks, offset=self._offset)
        if self._damage:
            reason = f"is damaged, what stands before was read: {self._damage}"
            raise InputError(f"{shown(self.path)}: {reason}")

    def _until_damage(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        try:
            yield from chunks
        except _BROKEN as error:
            self._damage = error


@contextmanager
def open_source(path: Path) -> Iterator[Source]:
    """Open a file, or standard input; raises `InputError` if that cannot be."""
    if path == STDIN:
        if sys.stdin is None:
            raise InputError(f"{path}: standard input is closed")
        yield Source(path, sys.stdin.buffer)
        return
    try:
        raw = path.open("rb")
    except FileNotFoundError:
        raise InputError(f"{shown(path)}: no such file or folder") from None
    except OSError as error:
        raise InputError(f"{shown(path)}: cannot be read: {error.strerror}") from None
    with closing(raw):
        yield Source(path, raw)


def _looks_like_json(head: bytes) -> bool:
    """Say whether text begins like JSON, or goes on as lines that mostly do."""
    if head.lstrip()[:1] in {b"{", b"["}:
        return True
    lines = sum(map(bool, map(bytes.strip, head.splitlines())))
    return len(_OBJECT_LINE.findall(head)) * 2 >= lines


def _chunks(start: bytes, raw: BinaryIO) -> Iterator[bytes]:
    """Yield a stream whose first bytes were read already, decompressed if it is compressed."""
    if start.startswith(_GZIP):
        yield from _gunzip(start, raw)
    elif start.startswith(_ZSTD):
        yield from _unzstd(start, raw)
    else:
        yield start + raw.read(READ_BYTES)
        while chunk := raw.read(READ_BYTES):
            yield chunk


def _gunzip(data: bytes, raw: BinaryIO) -> Iterator[bytes]:
    """Yield what gzip members hold, all that can be had before damage; zeros may follow them."""
    member = zlib.decompressobj(wbits=31)
    while data := data or raw.read(_ZIPPED_READ):
        if member.eof:
            data = data.lstrip(b"\0")
            member = zlib.decompressobj(wbits=31) if data else member
            continue
        before = member.copy()
        try:
            yield member.decompress(data, READ_BYTES)
        except zlib.error:
            yield _until_error(before, data)
            raise
        data = member.unused_data if member.eof else member.unconsumed_tail
    if not member.eof:
        yield member.flush()
    if not member.eof:
        raise EOFError("the compressed data ends early")


def _until_error(member: "zlib._Decompress", data: bytes) -> bytes:
    """Return what stands before the byte that cannot be decompressed."""
    found: list[bytes] = []
    with suppress(zlib.error):
        found.extend(member.decompress(data[at : at + 1]) for at in range(len(data)))
    return b"".join(found)


def _unzstd(start: bytes, raw: BinaryIO) -> Iterator[bytes]:
    """Yield what zstd frames hold."""
    stream = pa.CompressedInputStream(pa.PythonFile(_Ahead(start, raw), mode="r"), "zstd")
    steps: list[bytes] = []
    try:
        while step := stream.read(_ZSTD_STEP):
            steps.append(step)
            if len(steps) * _ZSTD_STEP >= READ_BYTES:
                yield b"".join(steps)
                steps = []
    except _BROKEN:
        yield b"".join(steps)
        raise
    yield b"".join(steps)


class _Ahead:
    """A stream with bytes in front that were read already; it is closed by who opened it."""

    closed = False

    def __init__(self, ahead: bytes, stream: BinaryIO) -> None:
        self._ahead = ahead
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        ahead, self._ahead = self._ahead, b""
        return ahead or self._stream.read(size)

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        """Leave the stream open."""


def shown(path: Path) -> str:
    """Return a path as text that every output can write, whatever bytes its name holds."""
    return valid_text(str(path))


def log_files(path: Path) -> list[Path]:
    """List the files that a path names: itself, or all below it but hidden ones, in order."""
    if path == STDIN:
        return [path]
    try:
        if path.is_dir():
            found = [one for one in path.rglob("*") if one.is_file() and not _is_hidden(one, path)]
        elif path.exists():
            return [path]
        else:
            raise InputError(f"{shown(path)}: no such file or folder")
    except OSError as error:
        raise InputError(f"{shown(path)}: cannot be read: {error.strerror}") from None
    if not found:
        raise InputError(f"{shown(path)}: a folder without files; name one that holds logs")
    return sorted(found)


def _is_hidden(file: Path, root: Path) -> bool:
    return any(part.startswith(".") for part in file.relative_to(root).parts)
