"""Cut JSON documents that hold many records, `{"records": […]}` above all, without parsing them.

The structure is found with array operations on one block at a time: which quotes are real, which
brackets stand outside strings, how deep each of them is. So a document of any size streams.
"""

from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from tocsin.jsontext import MAX_BYTES, TOO_LONG
from tocsin.logs.formats.blocks import (
    BLOCK_BYTES,
    KEPT_BYTES,
    READ_BYTES,
    WRAPPER,
    Block,
    Records,
    Unreadable,
)

_BETWEEN = b" \t\r\n,"
_QUOTE, _COMMA = ord('"'), ord(",")
_STRUCTURE = np.zeros(256, dtype=np.int8)
_STRUCTURE[[ord("{"), ord("[")]] = 1
_STRUCTURE[[ord("}"), ord("]")]] = -1
_STRUCTURE[_COMMA] = 2

Positions = npt.NDArray[np.int64]


def document_blocks(stream: BinaryIO) -> Iterator[Block]:
    """Cut a stream of JSON documents into blocks of records."""
    splitter = DocumentSplitter()
    while data := stream.read(READ_BYTES):
        yield from splitter.feed(data)
    yield from splitter.finish()


class DocumentSplitter:
    """Finds the records of a stream of documents: members of wrappers, else whole documents."""

    def __init__(self, size: int = BLOCK_BYTES) -> None:
        self._size = size
        self._pending = b""
        self._line = 1
        self._offset = 0
        self._in_wrapper = False

    def feed(self, data: bytes) -> Iterator[Block]:
        """Take more bytes; yield the records that are complete, a block at a time."""
        self._pending += data
        if len(self._pending) < self._size:
            return
        yield from self._cut()
        if len(self._pending) > MAX_BYTES:
            yield self._unreadable(TOO_LONG)
            self._drop(len(self._pending))
            self._in_wrapper = False

    def finish(self) -> Iterator[Block]:
        """Yield the rest, and what was cut off at the end."""
        yield from self._cut()
        if self._in_wrapper:
            yield from self._cut_last_member()
        if self._in_wrapper or self._pending.strip(_BETWEEN):
            yield self._unreadable("cut off: the document does not end")
        self._pending = b""

    def _unreadable(self, reason: str) -> Unreadable:
        data = self._pending
        return Unreadable(self._line, self._offset, len(data), reason, data[:KEPT_BYTES])

    def _cut(self) -> Iterator[Block]:
        """Yield records until the pending bytes hold no complete one."""
        while True:
            before = len(self._pending)
            if self._in_wrapper:
                yield from self._cut_members()
            else:
                yield from self._cut_documents()
            if len(self._pending) == before:
                return

    def _cut_members(self) -> Iterator[Block]:
        """Cut the members of the array that the pending bytes continue."""
        positions, depths, kinds = _structure(self._pending)
        closing = positions[(depths == -1) & (kinds == -1)]
        end = int(closing[0]) if len(closing) else None
        separators = positions[(depths == 0) & (kinds == 2)]
        if end is not None:
            separators = np.append(separators[separators < end], end)
        if not len(separators):
            return
        starts = np.concatenate(([0], separators[:-1] + 1))
        yield from self._records(starts, separators)
        if end is None:
            self._drop(int(separators[-1]) + 1)
            return
        after = positions[(positions > end) & (kinds == -1) & (depths == -2)]
        if not len(after):
            self._drop(end)
            return
        self._drop(int(after[0]) + 1)
        self._in_wrapper = False

    def _cut_last_member(self) -> Iterator[Block]:
        """Cut a member that is complete although its array is not."""
        positions, depths, kinds = _structure(self._pending)
        closing = positions[(depths == 0) & (kinds == -1)]
        if len(closing):
            end = int(closing[0]) + 1
            yield from self._records(np.array([0]), np.array([end]))
            self._drop(end)

    def _cut_documents(self) -> Iterator[Block]:
        blank = len(self._pending) - len(self._pending.lstrip(b" \t\r\n"))
        self._drop(blank)
        if match := WRAPPER.match(self._pending):
            self._drop(match.end())
            self._in_wrapper = True
            return
        positions, depths, kinds = _structure(self._pending)
        closing = positions[(depths == 0) & (kinds == -1)]
        if not len(closing):
            return
        end = int(closing[0]) + 1
        yield from self._records(np.array([0]), np.array([end]))
        self._drop(end)

    def _records(self, starts: Positions, ends: Positions) -> Iterator[Records]:
        data = self._pending
        bounds, at, line, lines = [], 0, self._line, []
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            text = data[start:end]
            if not text.strip():
                continue
            begin = start + len(text) - len(text.lstrip())
            line += data.count(b"\n", at, begin)
            at = begin
            bounds.append((begin, end))
            lines.append(line)
        if bounds:
            whole = data[: bounds[-1][1]]
            yield Records(whole, np.array(bounds, np.int64), np.array(lines, np.int64))

    def _drop(self, length: int) -> None:
        self._line += self._pending.count(b"\n", 0, length)
        self._offset += length
        self._pending = self._pending[length:]


def _structure(data: bytes) -> tuple[Positions, npt.NDArray[np.int64], npt.NDArray[np.int8]]:
    """Return position, depth and kind of brackets and commas outside strings.

    Kind is 1 for an opening bracket, -1 for a closing one, 2 for a comma; depth is the number of
    brackets open after it, counted from 0 at the start of the data.
    """
    plain = data.replace(b"\\\\", b"__").replace(b'\\"', b"__")
    content = np.frombuffer(plain, np.uint8)
    quotes = np.flatnonzero(content == _QUOTE)
    positions = np.flatnonzero(_STRUCTURE[content])
    outside = np.searchsorted(quotes, positions) % 2 == 0
    positions = positions[outside]
    kinds = _STRUCTURE[content[positions]]
    depths = np.cumsum(np.where(kinds == 2, 0, kinds))
    return positions, depths, kinds
