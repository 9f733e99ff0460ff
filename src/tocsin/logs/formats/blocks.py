"""Bytes → blocks of records, cut so that no record is split.

A block is what one worker matches at a time: some megabytes of lines, or of records that were found
inside a document. Lines are counted from 1 in the decompressed file.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tocsin.jsontext import MAX_BYTES, TOO_LONG

BLOCK_BYTES = 48 << 20
READ_BYTES = 4 << 20
KEPT_BYTES = 64 << 10
"""How much of a record that is too long is kept in quarantine."""

_NEWLINE = ord("\n")
_TILE = 256 << 10
"""Bytes looked at in one go: few enough to stay in the processor's cache."""
_BLANK = re.compile(rb"[ \t\r\n]*\Z")
_WRAPPER_START = rb"[ \t\r\n]*\{[ \t\r\n]*\"[Rr]ecords\"[ \t\r\n]*:[ \t\r\n]*\["
WRAPPER = re.compile(_WRAPPER_START)


@dataclass(frozen=True, slots=True)
class Lines:
    """Whole lines of a file, `first_line` the number of the first."""

    data: bytes
    first_line: int


@dataclass(frozen=True, slots=True)
class Records:
    """Records cut out of a document: `bounds[i]` is the start and end of record i in `data`."""

    data: bytes
    bounds: npt.NDArray[np.int64]
    lines: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Bytes that hold no record: where they are, why, and their beginning."""

    line: int
    offset: int
    length: int
    reason: str
    start: bytes


Block: TypeAlias = Lines | Records | Unreadable


@dataclass(frozen=True, slots=True)
class Batch:
    """Records as the engine takes them, with the line of each."""

    raw: pa.Array
    lines: npt.NDArray[np.int64]


def line_blocks(stream: BinaryIO, size: int = BLOCK_BYTES) -> Iterator[Lines | Unreadable]:
    """Cut a stream into blocks of whole lines; a line that is too long is passed over.

    Lines longer than `MAX_BYTES` come as `Unreadable`, and never stand in memory as a whole.
    """
    pending, line, offset = b"", 1, 0
    while data := _read(stream, max(size - len(pending), READ_BYTES)):
        pending += data
        end = pending.rfind(b"\n") + 1
        if end:
            yield Lines(pending[:end], line)
            line += pending.count(b"\n", 0, end)
            offset += end
            pending = pending[end:]
        if len(pending) > MAX_BYTES:
            skipped = _pass_over(stream, pending, line, offset)
            yield skipped[0]
            pending, line, offset = skipped[1], line + 1, offset + skipped[0].length
    if pending:
        yield Lines(pending, line)


def _read(stream: BinaryIO, size: int) -> bytes:
    """Read so many bytes, fewer only at the end: decompressors return what they have."""
    parts = []
    while size > 0 and (data := stream.read(size)):
        parts.append(data)
        size -= len(data)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _pass_over(
    stream: BinaryIO, pending: bytes, line: int, offset: int
) -> tuple[Unreadable, bytes]:
    """Read to the end of a line that is too long; return what it was and what follows it."""
    length, start = len(pending), pending[:KEPT_BYTES]
    rest = b""
    while data := stream.read(READ_BYTES):
        end = data.find(b"\n") + 1
        length += end or len(data)
        if end:
            rest = data[end:]
            break
    return Unreadable(line, offset, length, TOO_LONG, start), rest


def batches(block: Lines | Records, rows: int | None = None) -> Iterator[Batch]:
    """Turn a block into batches of at most `rows` records (all at once, if None)."""
    starts, ends, lines = _bounds(block)
    step = rows or max(len(starts), 1)
    for at in range(0, len(starts), step):
        chosen = slice(at, at + step)
        yield _unwrap(Batch(_strings(block.data, starts[chosen], ends[chosen]), lines[chosen]))


def _bounds(
    block: Lines | Records,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    if isinstance(block, Records):
        return block.bounds[:, 0], block.bounds[:, 1], block.lines
    ends = line_ends(block.data)
    starts = np.concatenate(([0], ends[:-1]))
    lines = block.first_line + np.arange(len(starts))
    filled = _not_blank(block.data, starts, ends)
    return starts[filled], ends[filled], lines[filled]


def line_ends(data: bytes) -> npt.NDArray[np.int64]:
    """Return where each line ends, its newline included; the last one may have none."""
    content = np.frombuffer(data, np.uint8)
    tiles = [
        np.flatnonzero(content[at : at + _TILE] == _NEWLINE) + (at + 1)
        for at in range(0, len(content), _TILE)
    ]
    ends = np.concatenate(tiles) if tiles else np.array([], np.int64)
    return ends if len(ends) and ends[-1] == len(content) else np.append(ends, len(content))


def _not_blank(
    data: bytes, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    filled = np.ones(len(starts), dtype=np.bool_)
    content = np.frombuffer(data, np.uint8)
    doubtful = np.flatnonzero(content[np.minimum(starts, len(content) - 1)] <= ord(" "))
    for at in doubtful.tolist():
        filled[at] = _BLANK.match(data, int(starts[at]), int(ends[at])) is None
    return filled


def _strings(
    data: bytes, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]
) -> pa.StringArray:
    """Make a string array over spans of a buffer; without a copy where they follow each other."""
    if len(starts) and (starts[1:] == ends[:-1]).all():
        offsets = np.append(starts, ends[-1]).astype(np.int32)
        buffers = [None, pa.py_buffer(offsets), pa.py_buffer(data)]
        return pa.StringArray.from_buffers(len(starts), *buffers[1:])
    spans = [data[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
    offsets = np.concatenate(([0], np.cumsum([len(span) for span in spans]))).astype(np.int32)
    return pa.StringArray.from_buffers(
        len(spans), pa.py_buffer(offsets), pa.py_buffer(b"".join(spans))
    )


def _unwrap(batch: Batch) -> Batch:
    """Replace every line that is a `{"records": […]}` wrapper by the records inside it."""
    import pyarrow.compute as pc

    try:
        wrapped = pc.match_substring_regex(batch.raw, "^" + _WRAPPER_START.decode())
    except pa.ArrowInvalid:
        return batch
    rows = np.flatnonzero(wrapped.to_numpy(zero_copy_only=False))
    if not len(rows):
        return batch
    texts: list[bytes] = []
    lines: list[int] = []
    for row, text in enumerate(batch.raw):
        data = text.as_buffer().to_pybytes()
        inside = [data]
        if wrapped[row].as_py():
            inside = list(_inside(data)) or inside
        texts += inside
        lines += [int(batch.lines[row])] * len(inside)
    offsets = np.concatenate(([0], np.cumsum([len(text) for text in texts]))).astype(np.int32)
    raw = pa.StringArray.from_buffers(
        len(texts), pa.py_buffer(offsets), pa.py_buffer(b"".join(texts))
    )
    return Batch(raw, np.array(lines, dtype=np.int64))


def _inside(data: bytes) -> Iterator[bytes]:
    from tocsin.logs.formats.documents import DocumentSplitter

    splitter = DocumentSplitter()
    for block in [*splitter.feed(data), *splitter.finish()]:
        if isinstance(block, Records):
            yield from (block.data[start:end] for start, end in block.bounds.tolist())
        elif isinstance(block, Unreadable):
            yield block.start
