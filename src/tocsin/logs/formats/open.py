"""Open a log file: what it is is found by its first bytes, not by its name."""

import gzip
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

import pyarrow as pa

from tocsin.errors import InputError
from tocsin.logs.formats.blocks import BLOCK_BYTES, WRAPPER, Block, line_blocks
from tocsin.logs.formats.documents import document_blocks

GZIP = b"\x1f\x8b"
ZSTD = b"\x28\xb5\x2f\xfd"
BOM = b"\xef\xbb\xbf"
STDIN = Path("-")
HEAD_BYTES = 64 << 10


class Source:
    """An opened log: its bytes after decompression, and what was seen of their beginning."""

    def __init__(self, path: Path) -> None:
        self.path = path
        raw = _open(path)
        magic = raw.read(4)
        rewound = _Ahead(magic, raw)
        self.plain = not magic.startswith((GZIP, ZSTD))
        stream = cast("BinaryIO", rewound) if self.plain else _decompress(rewound, magic)
        try:
            head = stream.read(HEAD_BYTES)
        except _BROKEN as error:
            raise InputError(f"{path}: cannot be decompressed: {error}") from None
        head = head.removeprefix(BOM)
        self.is_document = WRAPPER.match(head) is not None
        self.looks_like_json = head.lstrip()[:1] in {b"{", b"["} or not head.strip()
        self.is_empty = not head.strip()
        self.stream = cast("BinaryIO", _Ahead(head, stream))

    def blocks(self, size: int = BLOCK_BYTES) -> Iterator[Block]:
        """Yield blocks of records; raises `InputError` where the file turns out to be broken."""
        cut = document_blocks(self.stream) if self.is_document else line_blocks(self.stream, size)
        try:
            yield from cut
        except _BROKEN as error:
            raise InputError(f"{self.path}: ends early or is damaged: {error}") from None


_BROKEN = (EOFError, OSError, zlib.error, pa.ArrowInvalid)


def _open(path: Path) -> BinaryIO:
    if path == STDIN:
        return sys.stdin.buffer
    try:
        return path.open("rb")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file or folder") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None


def _decompress(stream: "_Ahead", magic: bytes) -> BinaryIO:
    if magic.startswith(GZIP):
        return cast("BinaryIO", gzip.GzipFile(fileobj=cast("BinaryIO", stream)))
    return cast("BinaryIO", pa.CompressedInputStream(pa.PythonFile(stream, mode="r"), "zstd"))


class _Ahead:
    """A stream with bytes in front that were read already."""

    def __init__(self, ahead: bytes, stream: BinaryIO) -> None:
        self._ahead = ahead
        self._stream = stream
        self.closed = False

    def read(self, size: int = -1) -> bytes:
        if not self._ahead:
            return self._stream.read(size)
        taken = self._ahead if size < 0 else self._ahead[:size]
        self._ahead = self._ahead[len(taken) :]
        if size < 0:
            return taken + self._stream.read()
        return taken

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self._stream.close()


def log_files(path: Path) -> list[Path]:
    """List the files that a path names: itself, or all below it but hidden ones, in order."""
    if path == STDIN or path.is_file():
        return [path]
    if not path.is_dir():
        raise InputError(f"{path}: no such file or folder")
    found = [file for file in path.rglob("*") if file.is_file() and not _is_hidden(file, path)]
    if not found:
        raise InputError(f"{path}: a folder without files; name one that holds logs")
    return sorted(found)


def _is_hidden(file: Path, root: Path) -> bool:
    return any(part.startswith(".") for part in file.relative_to(root).parts)
