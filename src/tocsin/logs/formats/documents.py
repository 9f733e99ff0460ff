"""Cut JSON documents that hold many records, `{"records": […]}` above all, without parsing them.

The structure is found with array operations on one piece at a time: which quotes are real, which
brackets stand outside strings, how deep each of them is. So a document of any size streams. A
wrapper at the start of a line begins anew, whatever was broken before it.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from tocsin.jsontext import MAX_BYTES, TOO_LONG
from tocsin.logs.formats.blocks import (
    KEPT_BYTES,
    WRAPPER,
    Block,
    Positions,
    Records,
    Unreadable,
)

PIECE_BYTES = 8 << 20
CUT_OFF = "cut off: the document does not end"

_BLANKS = re.compile(rb"[ \t\r\n]*")
_BETWEEN = re.compile(rb"(?:[ \t\r\n,]|\xef\xbb\xbf)*")
_FRESH_START = re.compile(
    rb"\n(?:\xef\xbb\xbf)?(?=\{[ \t\r\n]*\"[Rr]ecords\"[ \t\r\n]*:[ \t\r\n]*\[)"
)
_BACKSLASHES = re.compile(rb"\\*\Z")

_NEWLINE, _QUOTE, _COMMA = b'\n",'
_KINDS = np.zeros(256, dtype=np.int8)
_KINDS[list(b"{[")] = 1
_KINDS[list(b"}]")] = -1
_IS_COMMA = 2
_KINDS[_COMMA] = _IS_COMMA
_IS_BLANK = np.zeros(256, dtype=np.bool_)
_IS_BLANK[list(b" \t\r\n")] = True
_NO_SPANS = np.empty((0, 2), np.int64)

_DOCUMENTS, _AFTER_MEMBERS, _MEMBERS = range(3)
"""Where reading stands: how many brackets are open there."""
_MAX_STAND_IN = 1 << 20
_MANY_SPANS = 1 << 16
_FEW_BLANKS = 32


def document_blocks(chunks: Iterable[bytes], size: int = PIECE_BYTES) -> Iterator[Block]:
    """Cut JSON documents into blocks of records: the members of wrappers, else whole documents.

    What is cut off, or longer than `MAX_BYTES`, comes as `Unreadable` in its place.
    """
    cutter = _Cutter()
    pieces: list[bytes] = []
    for chunk in chunks:
        pieces.append(chunk)
        if sum(map(len, pieces)) >= size:
            yield from cutter.cut(b"".join(pieces), final=False)
            pieces = []
    yield from cutter.cut(b"".join(pieces), final=True)


class _Cutter:
    """Cuts pieces of a stream; what a piece leaves unfinished is put in front of the next one."""

    def __init__(self) -> None:
        self._data = b""
        self._line = 1
        self._offset = 0
        self._level = _DOCUMENTS
        self._too_long: Unreadable | None = None
        """The unfinished record, if it is too long to be kept: brackets stand in for it."""
        self._spans: list[Positions] = []
        self._blocks: list[Block] = []

    def cut(self, data: bytes, *, final: bool) -> list[Block]:
        """Return the records that are complete, and what is unreadable between them."""
        self._data = data = self._data + data
        fresh = [match.end() for match in _FRESH_START.finditer(data)]
        starts = [0, *fresh]
        self._structure = _find_structure(data, starts, self._level)
        self._newlines = _positions(np.frombuffer(data, np.uint8) == _NEWLINE)
        at = 0
        for start, end in pairwise([*starts, len(data)]):
            self._level = self._level if start == 0 else _DOCUMENTS
            at = self._segment(start, end)
            if final or end < len(data):
                self._end_segment(at, end)
        self._flush()
        if not final:
            self._keep(at)
        blocks, self._blocks = self._blocks, []
        return blocks

    def _segment(self, at: int, end: int) -> int:
        """Cut the records between two positions; return where the unfinished rest begins."""
        structure = self._structure
        while True:
            if self._level == _MEMBERS:
                at = self._members(at, end)
                if self._level == _MEMBERS:
                    return at
            at = _skip(_BETWEEN, self._data, at, end)
            wrapper = self._level == _DOCUMENTS and WRAPPER.match(self._data, at, end)
            if wrapper:
                at, self._level = wrapper.end(), _MEMBERS
                continue
            closed = _first(structure.document_ends, at, end)
            if closed is None:
                return at
            if self._level == _DOCUMENTS:
                opened = _first(structure.document_starts, at, closed)
                if opened is not None and opened > at:
                    self._add(at, opened)
                    at = opened
                    continue
                self._add(at, closed + 1)
            elif self._too_long:
                self._refuse(at, closed + 1, TOO_LONG)
            at, self._level = closed + 1, _DOCUMENTS

    def _members(self, at: int, end: int) -> int:
        """Cut the members of the array that is open."""
        array_end = _first(self._structure.array_ends, at, end)
        ends = _within(self._structure.commas, at, end if array_end is None else array_end)
        if array_end is not None:
            ends = np.append(ends, array_end)
            self._level = _AFTER_MEMBERS
        if not len(ends):
            return at
        starts = np.append(at, ends[:-1] + 1)
        if self._too_long:
            self._refuse(at, int(ends[0]), TOO_LONG)
            starts, ends = starts[1:], ends[1:]
        self._spans.append(_trimmed(self._data, np.stack((starts, ends), axis=1)))
        return int(starts[-1] if not len(ends) else ends[-1]) + 1

    def _end_segment(self, at: int, end: int) -> None:
        """Take what is complete of a document that was cut off; the rest is unreadable."""
        if self._level == _MEMBERS:
            ends = _within(self._structure.member_ends, at, end)
            if len(ends):
                self._add(at, int(ends[0]) + 1)
                at = int(ends[0]) + 1
        at = _skip(_BETWEEN, self._data, at, end)
        if at < end or self._level != _DOCUMENTS or self._too_long:
            self._refuse(at, end, CUT_OFF)

    def _add(self, start: int, end: int) -> None:
        if self._too_long:
            self._refuse(start, end, TOO_LONG)
            return
        start = _skip(_BLANKS, self._data, start, end)
        if start < end:
            self._spans.append(np.array([[start, end]], np.int64))
        if len(self._spans) >= _MANY_SPANS:
            self._flush()

    def _refuse(self, start: int, end: int, reason: str) -> None:
        self._flush()
        kept = self._too_long or self._unreadable(start, end, reason)
        self._too_long = None
        length = self._offset + end - kept.offset
        self._blocks.append(Unreadable(kept.line, kept.offset, length, kept.reason, kept.start))

    def _unreadable(self, start: int, end: int, reason: str) -> Unreadable:
        line = self._line + int(np.searchsorted(self._newlines, start))
        data = self._data[start : min(end, start + KEPT_BYTES)]
        return Unreadable(line, self._offset + start, 0, reason, data)

    def _flush(self) -> None:
        """Turn the records that were found so far into a block."""
        bounds = np.concatenate([_NO_SPANS, *self._spans])
        self._spans = []
        if not len(bounds):
            return
        lines = self._line + np.searchsorted(self._newlines, bounds[:, 0])
        first, last = int(bounds[0, 0]), int(bounds[-1, 1])
        data, offset = self._data[first:last], self._offset + first
        self._blocks.append(Records(data, bounds - first, lines, offset))

    def _keep(self, at: int) -> None:
        """Keep the unfinished rest for the next piece, or brackets in its place if it is long."""
        at = _skip(_BLANKS, self._data, at, len(self._data))
        rest = self._data[at:]
        stand_in = rest
        if len(rest) > MAX_BYTES:
            self._too_long = self._too_long or self._unreadable(at, len(self._data), TOO_LONG)
            stand_in = self._structure.stand_in(rest, self._level)
        before = at if stand_in is rest else len(self._data)
        self._line += int(np.searchsorted(self._newlines, before))
        self._offset += len(self._data) - len(stand_in)
        self._data = stand_in


@dataclass(frozen=True, slots=True)
class _Structure:
    """Where the brackets and commas are that separate documents and members."""

    document_starts: list[int]
    document_ends: list[int]
    array_ends: list[int]
    commas: Positions
    member_ends: Positions
    depth: int
    """How many brackets are open at the end."""
    in_string: bool
    """Whether the end is inside a string."""

    def stand_in(self, text: bytes, level: int) -> bytes:
        """Return short text that leaves as much open as a text that begins at a level."""
        brackets = b"[" * min(max(self.depth - level, 0), _MAX_STAND_IN)
        backslashes = _BACKSLASHES.search(text, len(text) - 100)
        odd = backslashes is not None and len(backslashes[0]) % 2 == 1
        return brackets + b'"' * self.in_string + b"\\" * odd


def _find_structure(data: bytes, starts: Sequence[int], level: int) -> _Structure:
    """Find the structure of data; at each of `starts` it begins anew, at the first at a level."""
    content = np.frombuffer(data.replace(b"\\\\", b"__").replace(b'\\"', b"__"), np.uint8)
    quotes = _positions(content == _QUOTE)
    positions = _positions(_KINDS[content] != 0)
    quotes_before = np.searchsorted(quotes, starts)
    in_segments = np.searchsorted(starts, positions, "right") - 1 if len(starts) > 1 else 0
    opening = np.searchsorted(quotes, positions) - quotes_before[in_segments]
    positions = positions[opening % 2 == 0]
    kinds = _KINDS[content[positions]]
    depths = np.cumsum(np.where(kinds == _IS_COMMA, np.int8(0), kinds), dtype=np.int32)
    firsts = np.searchsorted(positions, starts)
    before = np.append(np.int32(0), depths)[firsts]
    before[0] -= level
    depths -= np.repeat(before, np.diff(np.append(firsts, len(positions))))

    def at(kind: int, depth: int) -> Positions:
        found: Positions = positions[(kinds == kind) & (depths == depth)]
        return found

    return _Structure(
        document_starts=at(1, _DOCUMENTS + 1).tolist(),
        document_ends=at(-1, _DOCUMENTS).tolist(),
        array_ends=at(-1, _AFTER_MEMBERS).tolist(),
        commas=at(_IS_COMMA, _MEMBERS),
        member_ends=at(-1, _MEMBERS),
        depth=int(depths[-1]) if firsts[-1] < len(positions) else level * (len(starts) == 1),
        in_string=bool((len(quotes) - quotes_before[-1]) % 2),
    )


def _positions(mask: npt.NDArray[np.bool_]) -> Positions:
    return np.flatnonzero(mask).astype(np.int32)


def _trimmed(data: bytes, spans: Positions) -> Positions:
    """Move the starts of spans past blanks; drop the spans that hold nothing else."""
    content = np.frombuffer(data, np.uint8)
    for _ in range(_FEW_BLANKS):
        spans = spans[spans[:, 0] < spans[:, 1]]
        blank = _IS_BLANK[content[spans[:, 0]]]
        if not blank.any():
            return spans
        spans[:, 0] += blank
    spans[:, 0] = [_skip(_BLANKS, data, start, end) for start, end in spans.tolist()]
    return spans[spans[:, 0] < spans[:, 1]]


def _first(positions: Sequence[int], start: int, end: int) -> int | None:
    """Return the first of sorted positions from `start` on, before `end`."""
    at = bisect_left(positions, start)
    return positions[at] if at < len(positions) and positions[at] < end else None


def _within(positions: Positions, start: int, end: int) -> Positions:
    first, last = np.searchsorted(positions, (start, end))
    return positions[first:last].astype(np.int64)


def _skip(blanks: re.Pattern[bytes], data: bytes, start: int, end: int) -> int:
    found = blanks.match(data, start, end)
    return found.end() if found else start
