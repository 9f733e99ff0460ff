"""Bytes → blocks of records, cut so that no record is split.

A block is what one worker matches at a time: some megabytes of lines, or of records that were found
inside a document. Lines are counted from 1, offsets from 0, in the decompressed file.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tocsin.jsontext import MAX_BYTES, TOO_LONG
from tocsin.logs.formats.content import BYTE_ORDER_MARK
from tocsin.logs.formats.rows import Columns, TableColumns, row_texts
from tocsin.logs.formats.wrappers import ARRAY, FIRST_KEYS, WRAPPER

BLOCK_BYTES = 48 << 20
KEPT_BYTES = 64 << 10
"""How much of a record that is too long is kept in quarantine."""

_NEWLINE, _BRACE, _BRACKET, _QUOTE, _SPACE = b'\n{[" '
_TILE = 256 << 10
"""Bytes looked at in one go: few enough to stay in the processor's cache."""
_BLANK = re.compile(rb"[ \t\r\n]*\Z")
_BLANKS = re.compile(rb"[ \t\r\n]*")

Positions: TypeAlias = npt.NDArray[np.int64]
Wanted: TypeAlias = Callable[[Sequence[str]], frozenset[str] | None]
"""Gives, of a table with these columns, those that anything can ask for, folded; None for all."""


_NO_POSITIONS: Positions = np.array([], np.int64)


@dataclass(frozen=True, slots=True)
class Lines:
    """Whole lines of a file: the number of the first, and where it starts."""

    data: bytes
    first_line: int
    offset: int = 0

    @property
    def length(self) -> int:
        """Return how many bytes of the file the block stands for."""
        return len(self.data)


@dataclass(frozen=True, slots=True)
class Records:
    """Records cut out of a document: `bounds[i]` is the start and end of record i in `data`."""

    data: bytes
    bounds: Positions
    lines: Positions
    """The line that each record starts on, or its number in a file without lines; from 1."""
    offset: int = 0
    """Where `data` starts."""
    places: Positions | None = None
    """Where each record stands, if the file holds them in another form than `data` does."""
    size: int | None = None
    """How many bytes of the file the block stands for, if not those of `data`."""

    @property
    def length(self) -> int:
        """Return how many bytes of the file the block stands for."""
        return len(self.data) if self.size is None else self.size


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of a table: a column per top-level key, null where a row does not have that key.

    A text column that a log type reads as JSON is read as such later, as in any other format.
    """

    table: pa.Table
    lines: Positions
    """The line that each row starts on, or its number in a file without lines; from 1."""
    offset: int = 0
    """Where the first row starts, for messages; 0 where rows have no place in the bytes."""
    length: int = 0
    """How many bytes of the file the rows stand for."""

    def batches(self, rows: int | None, _: Wanted) -> Iterator["Batch"]:
        """Return the rows in batches, with every column."""
        step = rows or max(self.table.num_rows, 1)
        for at in range(0, self.table.num_rows, step):
            lines = self.lines[at : at + step]
            columns = TableColumns(self.table.slice(at, step))
            yield Batch(columns, lines, np.full(len(lines), self.offset))


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Bytes that hold no record: where they are, why, and their beginning."""

    line: int
    offset: int
    length: int
    reason: str
    start: bytes


class Deferred(Protocol):
    """A part of a file that a worker reads itself; it goes to one by pickle."""

    @property
    def length(self) -> int:
        """Return how many bytes of the file the block stands for."""

    def batches(self, rows: int | None, wanted: Wanted) -> Iterator["Batch"]:
        """Read it; raises `InputError` that names file and place where it is damaged.

        So may the columns of a batch, if they are read when they are asked for.
        """


Block: TypeAlias = Lines | Records | Rows | Deferred | Unreadable


@dataclass(frozen=True, slots=True)
class Batch:
    """Records as the engine takes them, with the line and the offset of each."""

    raw: pa.Array | Columns
    """JSON texts, or rows of a table."""
    lines: Positions
    offsets: Positions

    def text(self, row: int) -> str:
        """Return a record as it came, what is no UTF-8 replaced."""
        return next(self.texts([row]))

    def texts(self, rows: Sequence[int] | None = None) -> Iterator[str]:
        """Yield records as they came: some rows, or all."""
        if not isinstance(self.raw, pa.Array):
            yield from row_texts(self.raw.rows(rows))
            return
        for row in range(len(self.raw)) if rows is None else rows:
            data: bytes = self.raw[row].as_buffer().to_pybytes()
            yield data.decode(errors="replace").rstrip("\r\n")


def line_blocks(
    chunks: Iterable[bytes], size: int = BLOCK_BYTES, offset: int = 0
) -> Iterator[Lines | Unreadable]:
    """Cut the bytes of a file, from `offset` on, into blocks of whole lines.

    A line longer than `MAX_BYTES` that a block does not hold comes as `Unreadable`, and never
    stands in memory as a whole.
    """
    pending: list[bytes] = []
    held, line = 0, 1
    skipped: Unreadable | None = None
    for chunk in chunks:
        if skipped:
            end = chunk.find(b"\n") + 1
            skipped = _longer(skipped, end or len(chunk))
            if not end:
                continue
            yield skipped
            line, offset = line + 1, offset + skipped.length
            chunk, skipped = chunk[end:], None
        pending.append(chunk)
        held += len(chunk)
        if held < size:
            continue
        whole, pending = _split_at_last_newline(pending)
        if whole:
            yield Lines(whole, line, offset)
            line, offset = line + whole.count(b"\n"), offset + len(whole)
        held = sum(map(len, pending))
        if held > MAX_BYTES:
            start = b"".join(pending)[:KEPT_BYTES]
            skipped, pending, held = Unreadable(line, offset, held, TOO_LONG, start), [], 0
    if skipped:
        yield skipped
    elif data := b"".join(pending):
        yield Lines(data, line, offset)


def _longer(skipped: Unreadable, more: int) -> Unreadable:
    length = skipped.length + more
    return Unreadable(skipped.line, skipped.offset, length, skipped.reason, skipped.start)


def _split_at_last_newline(pieces: list[bytes]) -> tuple[bytes, list[bytes]]:
    """Return what stands up to the last newline, and the pieces after it."""
    for at in reversed(range(len(pieces))):
        end = pieces[at].rfind(b"\n") + 1
        if end:
            return b"".join([*pieces[:at], pieces[at][:end]]), [pieces[at][end:], *pieces[at + 1 :]]
    return b"", pieces


def every_column(_: Sequence[str]) -> frozenset[str] | None:
    """Want all columns of a table."""
    return None


def batches(
    block: Lines | Records | Rows | Deferred,
    rows: int | None = None,
    wanted: Wanted = every_column,
) -> Iterator[Batch]:
    """Turn a block into batches of at most `rows` records or lines (all at once, if None).

    A line that is a `{"records": […]}` wrapper, or an array, becomes the records inside it.
    """
    if not isinstance(block, Lines | Records):
        yield from block.batches(rows, wanted)
        return
    starts, ends, lines = _spans(block)
    places = block.places if isinstance(block, Records) else None
    step = rows or max(len(starts), 1)
    for at in range(0, len(starts), step):
        chosen = slice(at, at + step)
        spans = (starts[chosen], ends[chosen], lines[chosen])
        if places is not None:
            yield Batch(_strings(block.data, *spans[:2]), spans[2], places[chosen])
            continue
        begins, finishes, numbers = _unwrap(block.data, *spans)
        if len(begins):
            raw = _strings(block.data, begins, finishes)
            yield Batch(raw, numbers, begins + block.offset)


def _spans(block: Lines | Records) -> tuple[Positions, Positions, Positions]:
    if isinstance(block, Records):
        return block.bounds[:, 0], block.bounds[:, 1], block.lines
    if not block.data:
        return _NO_POSITIONS, _NO_POSITIONS, _NO_POSITIONS
    ends = line_ends(block.data)
    starts = _after_marks(block.data, np.concatenate(([0], ends[:-1])))
    lines = block.first_line + np.arange(len(starts))
    filled = (starts < ends) & _not_blank(block.data, starts, ends)
    return starts[filled], ends[filled], lines[filled]


def _after_marks(data: bytes, starts: Positions) -> Positions:
    """Move starts past byte order marks: files that have one may have been joined."""
    first = np.frombuffer(data, np.uint8)[np.minimum(starts, len(data) - 1)]
    for row in np.flatnonzero(first == BYTE_ORDER_MARK[0]).tolist():
        if data.startswith(BYTE_ORDER_MARK, starts[row]):
            starts[row] += len(BYTE_ORDER_MARK)
    return starts


def line_ends(data: bytes) -> Positions:
    """Return where each line ends, its newline included; the last one may have none."""
    content = np.frombuffer(data, np.uint8)
    tiles = [
        np.flatnonzero(content[at : at + _TILE] == _NEWLINE) + (at + 1)
        for at in range(0, len(content), _TILE)
    ]
    ends = np.concatenate(tiles) if tiles else np.array([], np.int64)
    return ends if len(ends) and ends[-1] == len(content) else np.append(ends, len(content))


def _not_blank(data: bytes, starts: Positions, ends: Positions) -> npt.NDArray[np.bool_]:
    filled = np.ones(len(starts), dtype=np.bool_)
    content = np.frombuffer(data, np.uint8)
    doubtful = np.flatnonzero(content[np.minimum(starts, len(content) - 1)] <= _SPACE)
    for at in doubtful.tolist():
        filled[at] = _BLANK.match(data, int(starts[at]), int(ends[at])) is None
    return filled


def _strings(data: bytes, starts: Positions, ends: Positions) -> pa.StringArray:
    """Make a string array over spans of a buffer; without a copy where they follow each other."""
    if (starts[1:] == ends[:-1]).all():
        offsets = np.append(starts, ends[-1]).astype(np.int32)
        buffers = [None, pa.py_buffer(offsets), pa.py_buffer(data)]
        return pa.StringArray.from_buffers(len(starts), *buffers[1:])
    spans = [data[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
    offsets = np.concatenate(([0], np.cumsum(ends - starts))).astype(np.int32)
    return pa.StringArray.from_buffers(
        len(spans), pa.py_buffer(offsets), pa.py_buffer(b"".join(spans))
    )


def _unwrap(
    data: bytes, starts: Positions, ends: Positions, lines: Positions
) -> tuple[Positions, Positions, Positions]:
    """Replace the spans that are wrappers of records by those of the records inside."""
    maybe = _maybe_wrappers(data, starts)
    wrapped = [row for row in maybe if _is_wrapper(data, int(starts[row]), int(ends[row]))]
    if not wrapped:
        return starts, ends, lines
    inside, rows = _inside([data[starts[row] : ends[row]].strip() for row in wrapped])
    begins = np.array([starts[row] + _blanks_before(data, starts[row]) for row in wrapped])
    spans = inside + begins[rows][:, np.newaxis]
    order = np.argsort(np.concatenate((np.delete(starts, wrapped), spans[:, 0])), kind="stable")
    merged = [
        np.concatenate((np.delete(whole, wrapped), parts))[order]
        for whole, parts in (
            (starts, spans[:, 0]),
            (ends, spans[:, 1]),
            (lines, lines[wrapped][rows]),
        )
    ]
    return merged[0], merged[1], merged[2]


def _maybe_wrappers(data: bytes, starts: Positions) -> list[int]:
    """Return the rows that do not start with a plain key that no wrapper starts with."""
    content = np.frombuffer(data, np.uint8)
    at = [content[np.minimum(starts + one, len(content) - 1)] for one in range(5)]
    wrapper = np.zeros(len(starts), dtype=np.bool_)
    for key in FIRST_KEYS:
        wrapper |= (at[2] == key[0]) & (at[3] == key[1]) & (at[4] == key[2])
    plain = (at[0] == _BRACE) & (at[1] == _QUOTE) & ~wrapper
    maybe = (at[0] <= _SPACE) | (at[0] == _BRACKET) | ((at[0] == _BRACE) & ~plain)
    return np.flatnonzero(maybe).tolist()


def _is_wrapper(data: bytes, start: int, end: int) -> bool:
    return bool(WRAPPER.match(data, start, end) or ARRAY.match(data, start, end))


def _blanks_before(data: bytes, start: int) -> int:
    found = _BLANKS.match(data, start)
    return found.end() - start if found else 0


def _inside(wrappers: list[bytes]) -> tuple[Positions, Positions]:
    """Return the spans of the records in wrappers, each from its start, and which one it is in.

    What was cut off at the end of a wrapper is a span too: it will be refused.
    """
    from tocsin.logs.formats.documents import cut_wrappers

    begins = np.cumsum([0, *(len(wrapper) + 1 for wrapper in wrappers)])
    spans: list[Positions] = [np.empty((0, 2), np.int64)]
    for block in cut_wrappers(b"\n".join(wrappers), begins[:-1].tolist()):
        if isinstance(block, Records):
            spans.append(block.bounds + block.offset)
        elif isinstance(block, Unreadable) and block.length:
            spans.append(np.array([[block.offset, block.offset + block.length]], np.int64))
    found = np.concatenate(spans)
    rows = np.searchsorted(begins, found[:, 0], "right") - 1
    return found - begins[rows][:, np.newaxis], rows
