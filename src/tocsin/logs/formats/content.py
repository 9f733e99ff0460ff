"""Content: the bytes of one log, unpacked and decoded, as formats read them.

Text is UTF-8, or what a byte order mark says it is. Places in decoded text are those in its UTF-8.
"""

import codecs
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from tocsin.logs.formats.packing import Chunks, PackingError

HEAD_BYTES = 64 << 10
MOST_HEAD_BYTES = 1 << 20
"""How far the beginning is read for the end of its first line."""

BYTE_ORDER_MARK = codecs.BOM_UTF8
_CODECS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_UNMARKED = {b"{\0": "utf-16-le", b"[\0": "utf-16-le", b"\0{": "utf-16-be", b"\0[": "utf-16-be"}


class Content:
    """The bytes of one log: their beginning, and all of them, once."""

    def __init__(self, chunks: Chunks, path: Path | None = None) -> None:
        self.damage: PackingError | None = None
        """What stopped the reading, once it has."""
        self.offset = 0
        """Where `head` begins: behind a byte order mark."""
        self.path = path
        """The file whose bytes these are, unless they were unpacked, decoded or come by a pipe."""
        self._chunks = self._until_damage(chunks)
        self.head = self._read_head()
        codec = _codec(self.head)
        if self.head.startswith(BYTE_ORDER_MARK):
            self.offset = len(BYTE_ORDER_MARK)
            self.head = self.head[self.offset :]
        elif codec:
            self.path = None
            self._chunks = _decoded(chain([self.head], self._chunks), codec)
            self.head = self._read_head().removeprefix(BYTE_ORDER_MARK)

    def chunks(self) -> Chunks:
        """Yield the bytes from `head` on."""
        return chain([self.head], self._chunks)

    def rest(self) -> Chunks:
        """Yield the bytes behind `head`."""
        return self._chunks

    @contextmanager
    def file(self) -> Iterator[BinaryIO]:
        """Open the bytes for reading at any place, for formats that need that."""
        if self.path:
            with self.path.open("rb") as stream:
                yield stream
            return
        with tempfile.TemporaryFile() as copy:
            copy.writelines(self.chunks())
            copy.seek(0)
            yield copy

    def _read_head(self) -> bytes:
        """Read the beginning, up to the end of its first line if that is not too far."""
        head = b""
        for chunk in self._chunks:
            head += chunk
            if len(head) >= MOST_HEAD_BYTES:
                break
            if len(head) >= HEAD_BYTES and b"\n" in head.strip():
                break
        return head

    def _until_damage(self, chunks: Chunks) -> Chunks:
        try:
            yield from chunks
        except PackingError as error:
            self.damage = error


def _codec(head: bytes) -> str | None:
    marked = (codec for mark, codec in _CODECS if head.startswith(mark))
    return next(marked, None) or _UNMARKED.get(head[:2])


def _decoded(chunks: Chunks, codec: str) -> Chunks:
    """Turn text into UTF-8; what the codec does not know becomes U+FFFD."""
    decoder = codecs.getincrementaldecoder(codec)("replace")
    for chunk in chunks:
        yield decoder.decode(chunk).encode("utf-8", "replace")
    yield decoder.decode(b"", final=True).encode("utf-8", "replace")
