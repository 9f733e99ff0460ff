"""Cut JSON documents that hold many records, `{"records": […]}` above all, without parsing them.

The structure is found with array operations on one piece at a time: which quotes are real, which
brackets stand outside strings, how deep each of them is. So a document of any size streams.

Where a document is broken, reading begins anew at the next place that looks like the first: at a
wrapper at the start of a line, at an object at the start of a line if the objects before it stand
there, as deep in blanks as those.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tocsin.jsontext import MAX_BYTES, TOO_LONG
from tocsin.logs.formats.blocks import KEPT_BYTES, Block, Positions, Records, Unreadable
from tocsin.logs.formats.content import HEAD_BYTES, Content
from tocsin.logs.formats.wrappers import ARRAY, MORE_RECORDS, WRAPPER, is_rest

PIECE_BYTES = 8 << 20
CUT_OFF = "cut off: the document does not end"
NO_REST = "what stands behind the records is no JSON"

_BLANKS = re.compile(rb"[ \t\r\n]*")
_BETWEEN = re.compile(rb"(?:[ \t\r\n,]|\xef\xbb\xbf)*")
_FRESH_START = re.compile(
    rb"\n(?:\xef\xbb\xbf)?(?=\{[ \t\r\n]*\"[Rr]ecords\"[ \t\r\n]*:[ \t\r\n]*\[)"
)
_BACKSLASHES = re.compile(rb"\\*\Z")

_NEWLINE, _QUOTE, _COMMA, _ARRAY_END, _OBJECT_END = b'\n",]}'
_KINDS = np.zeros(256, dtype=np.int8)
_OPENS, _CLOSES, _IS_COMMA = 1, -1, 2
_KINDS[list(b"{[")] = _OPENS
_KINDS[list(b"}]")] = _CLOSES
_KINDS[_COMMA] = _IS_COMMA
_IS_BLANK = np.zeros(256, dtype=np.bool_)
_IS_BLANK[list(b" \t\r\n")] = True
_NO_SPANS = np.empty((0, 2), np.int64)


class _State(NamedTuple):
    """Where reading stands: how many brackets are open, and whether records are next."""

    depth: int
    members: bool


_DOCUMENTS, _REST = _State(0, members=False), _State(1, members=False)
_ARRAY, _WRAPPED = _State(1, members=True), _State(2, members=True)
_AFTER = {_ARRAY: _DOCUMENTS, _WRAPPED: _REST}
_OPENINGS = ((WRAPPER, _WRAPPED), (ARRAY, _ARRAY))

_MAX_STAND_IN = 1 << 20
_MANY_SPANS = 1 << 16
_FEW_BLANKS = 32


class Start(NamedTuple):
    """A place where reading may begin anew, and how it stands there."""

    at: int
    state: _State


def recognise(head: bytes) -> bool:
    """Say whether text begins as a document of records, or as objects that lines do not hold."""
    head = head.lstrip()[:HEAD_BYTES]
    if any(opening.match(head) for opening, _ in _OPENINGS):
        return True
    return head.startswith(b"{") and not _one_a_line(head)


def _one_a_line(head: bytes) -> bool:
    """Say whether half of the lines or more hold a whole object, and the first no second one.

    Of a beginning without a line's end, whether it is one object, or may be.
    """
    ends = _find_structure(head, [Start(0, _DOCUMENTS)]).listed(_CLOSES, 0)
    first = head.split(b"\n", 1)[0]
    if ends and ends[0] < len(first) and first[ends[0] + 1 :].lstrip(b", \t").startswith(b"{"):
        return False
    if b"\n" not in head:
        return bool(ends) or len(head) >= HEAD_BYTES
    lines = [line.strip() for line in head.splitlines() if line.strip()]
    whole = sum(line.startswith((b"{", b"[")) and line.endswith((b"}", b"]")) for line in lines)
    return whole * 2 >= len(lines)


def blocks(content: Content) -> Iterator[Block]:
    """Cut JSON documents into blocks of records."""
    return document_blocks(
        content.chunks(), offset=content.offset, layout=find_layout(content.head)
    )


@dataclass(frozen=True, slots=True)
class Layout:
    """Where documents or records begin in lines: patterns up to the place, and how it stands."""

    starts: tuple[tuple[re.Pattern[bytes], _State], ...]


_WRAPPERS = Layout(((_FRESH_START, _DOCUMENTS),))


def find_layout(head: bytes) -> Layout:
    """Return where records begin in the lines of a document, as its first record stands.

    Lines begin with one if all inside it is on its line, or deeper in blanks than it is.
    """
    state, at = _DOCUMENTS, 0
    for opening, inside in _OPENINGS:
        if found := opening.match(head):
            state, at = inside, found.end()
            break
    starts = () if state == _ARRAY else _WRAPPERS.starts
    blanks = _blanks_before_first(head, at)
    if blanks is None:
        return Layout(starts)
    pattern = re.compile(rb"\n" + re.escape(blanks) + rb"(?=\{)")
    return Layout((*starts, (pattern, state)))


def _blanks_before_first(head: bytes, at: int) -> bytes | None:
    """Return what stands before the first record in its line; None if others need not stand so."""
    first = _skip(_BLANKS, head, at, len(head))
    line = head.rfind(b"\n", at, first)
    if not head.startswith(b"{", first) or (line < 0 and (at or first)):
        return None
    blanks = head[line + 1 : first]
    lines = head[first:].split(b"\n", 2)
    stands = len(lines) > 1 and (_is_whole(lines[0]) or _is_deeper(lines, blanks))
    return blanks if stands else None


def _is_whole(line: bytes) -> bool:
    ends = _find_structure(line, [Start(0, _DOCUMENTS)]).listed(_CLOSES, 0)
    return bool(ends) and not line[ends[0] + 1 :].strip(b", \t\r")


def _is_deeper(lines: Sequence[bytes], blanks: bytes) -> bool:
    """Say whether the first line is a bracket alone, and the second begins with more blanks."""
    inside = lines[1][: len(lines[1]) - len(lines[1].lstrip(b" \t"))]
    return lines[0].strip() == b"{" and inside.startswith(blanks) and inside != blanks


def document_blocks(
    chunks: Iterable[bytes],
    size: int = PIECE_BYTES,
    *,
    offset: int = 0,
    layout: Layout = _WRAPPERS,
) -> Iterator[Block]:
    """Cut JSON documents into blocks of records: the members of wrappers, else whole documents.

    What is cut off, or longer than `MAX_BYTES`, comes as `Unreadable` in its place.
    """
    cutter = _Cutter(offset, layout)
    pieces: list[bytes] = []
    held = 0
    for chunk in chunks:
        pieces.append(chunk)
        held += len(chunk)
        if held >= size:
            yield from cutter.cut(b"".join(pieces), final=False)
            pieces, held = [], 0
    yield from cutter.cut(b"".join(pieces), final=True)


def cut_wrappers(data: bytes, begins: Sequence[int]) -> list[Block]:
    """Cut wrappers that begin at the places given, whatever is missing of the one before."""
    return _Cutter(begins=begins).cut(data, final=True)


class _Cutter:
    """Cuts pieces of a stream; what a piece leaves unfinished is put in front of the next one."""

    def __init__(
        self, offset: int = 0, layout: Layout = _WRAPPERS, begins: Sequence[int] = ()
    ) -> None:
        self._layout = layout
        self._begins = begins
        self._data = b""
        self._line = 1
        self._offset = offset
        self._state = _DOCUMENTS
        self._too_long: Unreadable | None = None
        """The unfinished record, if it is too long to be kept: brackets stand in for it."""
        self._spans: list[Positions] = []
        self._blocks: list[Block] = []

    def cut(self, data: bytes, *, final: bool) -> list[Block]:
        """Return the records that are complete, and what is unreadable between them."""
        self._data = data = self._data + data
        possible = [Start(0, self._state), *self._starts(data)]
        self._structure = structure = _find_structure(data, possible)
        self._newlines = _positions(np.frombuffer(data, np.uint8) == _NEWLINE)
        starts = [
            start
            for start, broken in zip(possible, structure.broken, strict=True)
            if broken or self._begins
        ]
        at = 0
        for start, end in pairwise([*starts, Start(len(data), _DOCUMENTS)]):
            self._state = start.state
            at = self._segment(start.at, end.at)
            if final or end.at < len(data):
                self._end_segment(at, end.at)
        self._flush()
        if not final:
            self._keep(at)
        blocks, self._blocks = self._blocks, []
        return blocks

    def _starts(self, data: bytes) -> list[Start]:
        """List the places where reading begins anew if what stands before is broken."""
        if self._begins:
            return [Start(at, _DOCUMENTS) for at in self._begins if at]
        found = {
            match.end(): state
            for pattern, state in self._layout.starts
            for match in pattern.finditer(data)
        }
        return [Start(at, found[at]) for at in sorted(found)]

    def _segment(self, at: int, end: int) -> int:
        """Cut the records between two positions; return where the unfinished rest begins."""
        closes = self._structure.listed(_CLOSES, 0)
        while True:
            if self._state.members:
                at = self._members(at, end)
                if self._state.members:
                    return at
            rest, at = at, _skip(_BETWEEN, self._data, at, end)
            if opened := self._opening(at, end):
                at, self._state = opened
                continue
            closed = _first(closes, at, end)
            if closed is None:
                return rest if self._state == _REST else at
            at = self._close(rest, at, closed)

    def _close(self, rest: int, at: int, closed: int) -> int:
        """Take what ends at a bracket: a document, or what stands behind records; return its end.

        What stands before a document is one of its own: it will be refused.
        """
        if self._state == _DOCUMENTS:
            opens = _first(self._structure.listed(_OPENS, 1), at, closed)
            end = opens if opens is not None and opens > at else closed + 1
            self._add(at, end)
            return end
        if self._too_long:
            self._refuse(at, closed + 1, TOO_LONG)
        elif self._data[closed] != _OBJECT_END or not is_rest(self._data[rest:closed]):
            self._refuse(rest, closed + 1, NO_REST)
        self._state = _DOCUMENTS
        return closed + 1

    def _opening(self, at: int, end: int) -> tuple[int, _State] | None:
        """Return where the records begin, if they do here."""
        openings = _OPENINGS if self._state == _DOCUMENTS else ((MORE_RECORDS, _WRAPPED),)
        for opening, state in openings:
            if found := opening.match(self._data, at, end):
                return found.end(), state
        return None

    def _members(self, at: int, end: int) -> int:
        """Cut the members of the array that is open."""
        depth, structure = self._state.depth, self._structure
        array_end = _first(structure.listed(_CLOSES, depth - 1), at, end)
        commas = structure.positions(_IS_COMMA, depth)
        ends = _within(commas, at, end if array_end is None else array_end)
        if array_end is not None:
            ends = np.append(ends, array_end)
            self._state = _AFTER[self._state]
        if not len(ends):
            return at
        starts, last = np.append(at, ends[:-1] + 1), int(ends[-1])
        if self._too_long:
            self._refuse(at, int(ends[0]), TOO_LONG)
            starts, ends = starts[1:], ends[1:]
        self._spans.append(_trimmed(self._data, np.stack((starts, ends), axis=1)))
        return last if last == array_end and self._data[last] != _ARRAY_END else last + 1

    def _end_segment(self, at: int, end: int) -> None:
        """Take what is complete of a document that was cut off; the rest is unreadable."""
        if self._state.members:
            closes = self._structure.positions(_CLOSES, self._state.depth)
            ends = _within(closes, at, end)
            if len(ends):
                self._add(at, int(ends[0]) + 1)
                at = int(ends[0]) + 1
        at = _skip(_BETWEEN, self._data, at, end)
        if at < end or self._state != _DOCUMENTS or self._too_long:
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
            stand_in = self._structure.stand_in(rest, self._state.depth)
        before = at if stand_in is rest else len(self._data)
        self._line += int(np.searchsorted(self._newlines, before))
        self._offset += len(self._data) - len(stand_in)
        self._data = stand_in


@dataclass(frozen=True, slots=True)
class _Structure:
    """Where the brackets and commas are that stand outside strings, and how deep each is.

    A closing bracket is as deep as what is around it.
    """

    found: Positions
    kinds: npt.NDArray[np.int8]
    depths: npt.NDArray[np.int32]
    broken: list[bool]
    """Of each start: whether what stands before it leads elsewhere; of the first, always."""
    depth: int
    """How many brackets are open at the end."""
    in_string: bool
    """Whether the end is inside a string."""
    _listed: dict[tuple[int, int], list[int]] = field(default_factory=dict)

    def positions(self, kind: int, depth: int) -> Positions:
        """Return the positions of one kind and depth."""
        found: Positions = self.found[(self.kinds == kind) & (self.depths == depth)]
        return found

    def listed(self, kind: int, depth: int) -> list[int]:
        """Return the same as a list, made once."""
        if (kind, depth) not in self._listed:
            self._listed[kind, depth] = self.positions(kind, depth).tolist()
        return self._listed[kind, depth]

    def stand_in(self, text: bytes, depth: int) -> bytes:
        """Return short text that leaves as much open as a text that begins at a depth."""
        brackets = b"[" * min(max(self.depth - depth, 0), _MAX_STAND_IN)
        backslashes = _BACKSLASHES.search(text, len(text) - 100)
        odd = backslashes is not None and len(backslashes[0]) % 2 == 1
        return brackets + b'"' * self.in_string + b"\\" * odd


def _find_structure(data: bytes, starts: Sequence[Start]) -> _Structure:
    """Find the structure of data, which begins anew at each start, in the state given there."""
    content = np.frombuffer(data.replace(b"\\\\", b"__").replace(b'\\"', b"__"), np.uint8)
    begins = np.array([start.at for start in starts], np.int64)
    levels = np.array([start.state.depth for start in starts], np.int32)
    quotes = _positions(content == _QUOTE)
    positions = _positions(_KINDS[content] != 0)
    quotes_before = np.searchsorted(quotes, begins)
    in_segments = np.searchsorted(begins, positions, "right") - 1 if len(starts) > 1 else 0
    opening = np.searchsorted(quotes, positions) - quotes_before[in_segments]
    positions = positions[opening % 2 == 0]
    kinds = _KINDS[content[positions]]
    depths = np.cumsum(np.where(kinds == _IS_COMMA, np.int8(0), kinds), dtype=np.int32)
    bounds = np.append(np.searchsorted(positions, begins), len(positions))
    totals = np.append(np.int32(0), depths)[bounds]
    depths += np.repeat(levels - totals[:-1], np.diff(bounds))
    ends = levels + np.diff(totals)
    quoted = np.diff(np.append(quotes_before, len(quotes))) % 2 == 1
    broken = [True, *((ends[:-1] != levels[1:]) | quoted[:-1]).tolist()]
    return _Structure(positions, kinds, depths, broken, int(ends[-1]), bool(quoted[-1]))


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
