"""CSV: rows of cells behind a header; commas, semicolons, tabs or bars between them.

All cells are text. An empty cell without quotes is a key that the record does not have. A row may
span lines in a quoted cell; its line is the one it starts on. A row with another number of cells
than the header, or with a quote that is not doubled, is no record; the rows around it are read.
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from datetime import tzinfo

import numpy as np
import pyarrow as pa
from pyarrow import csv

from tocsin.errors import InputError
from tocsin.jsontext import MAX_BYTES, TOO_LONG
from tocsin.logs.formats.blocks import KEPT_BYTES, Block, Positions, Rows, Unreadable
from tocsin.logs.formats.content import Content
from tocsin.logs.formats.headers import Header, find_header
from tocsin.logs.formats.rowbounds import Bounds, find_rows
from tocsin.times import WITHOUT_ZONE, add_zone

CSV_BLOCK_BYTES = 16 << 20
NO_ROW = "no row of cells: a quote is not doubled or not closed, or a line ends in the middle"
OTHER_CELLS = "another number of cells than the header"

_NEWLINE = ord("\n")
_LINE_ENDS = b"\r\n"


def recognise(head: bytes) -> bool:
    """Say whether text begins like a header with rows of as many cells."""
    return find_header(head) is not None


def blocks(content: Content, size: int = CSV_BLOCK_BYTES) -> Iterator[Block]:
    """Yield rows as tables of text, and what is no row."""
    header = find_header(content.head)
    if header is None:
        return
    if header.problem:
        raise InputError(header.problem)
    start = header.start
    line = 1 + content.head.count(b"\n", 0, start)
    reader = _Reader(header, line, content.offset + start)
    held = [content.head[start:]]
    for chunk in content.rest():
        held.append(chunk)
        if sum(map(len, held)) >= size:
            yield from reader.take(b"".join(held), final=False)
            held = [reader.rest]
    yield from reader.take(b"".join(held), final=True)


class _Reader:
    """Reads pieces of a file; what a piece leaves unfinished is put in front of the next one."""

    def __init__(self, header: Header, line: int, offset: int) -> None:
        self._header = header
        self._names = [column.name for column in header.columns]
        self._line = line
        self._offset = offset
        self._too_long: Unreadable | None = None
        self.rest = b""

    def take(self, data: bytes, *, final: bool) -> Iterator[Block]:
        """Yield what a piece holds, its rows first."""
        if self._too_long:
            data = yield from self._pass_over(data, final=final)
        bounds = find_rows(data, self._header.grammar, final=final)
        if not final and len(data) - bounds.rest > MAX_BYTES:
            bounds = self._without_unfinished(data, bounds)
        yield from self._blocks(data, bounds)
        self._line += data.count(b"\n", 0, bounds.rest)
        self._offset += bounds.rest
        self.rest = data[bounds.rest :]

    def _without_unfinished(self, data: bytes, bounds: Bounds) -> Bounds:
        """Give up a row that does not end in the longest time: it is a line with an open quote."""
        end = data.find(b"\n", bounds.rest) + 1
        if end:
            return Bounds(bounds.rows, [*bounds.bad, (bounds.rest, end)], end)
        start, line = bounds.rest, self._line + data.count(b"\n", 0, bounds.rest)
        kept = data[start : start + KEPT_BYTES]
        length = len(data) - start
        self._too_long = Unreadable(line, self._offset + start, length, TOO_LONG, kept)
        return Bounds(bounds.rows, bounds.bad, len(data))

    def _pass_over(self, data: bytes, *, final: bool) -> Generator[Unreadable, None, bytes]:
        """Pass over the rest of a line that is too long; return what stands behind it."""
        long = self._too_long
        assert long is not None
        end = data.find(b"\n") + 1
        length = long.length + (end or len(data))
        long = Unreadable(long.line, long.offset, length, long.reason, long.start)
        self._too_long = None if end or final else long
        self._offset += end or len(data)
        self._line += bool(end)
        if end or final:
            yield long
        return data[end or len(data) :]

    def _blocks(self, data: bytes, bounds: Bounds) -> Iterator[Block]:
        lines = self._lines_of(data)
        rows = _filled(data, bounds.rows)
        long = rows[:, 1] - rows[:, 0] > MAX_BYTES
        bad = [_Bad(start, end, NO_ROW) for start, end in bounds.bad]
        bad += [_Bad(start, end, TOO_LONG) for start, end in rows[long].tolist()]
        rows = rows[~long]
        table, cells = _parse(data, rows, self._header)
        for row, found in cells.items():
            reason = f"{OTHER_CELLS}: {found} instead of {len(self._names)}"
            start, end = rows[row].tolist()
            bad.append(_Bad(start, end, reason))
        kept = np.delete(rows, list(cells), axis=0)
        if len(kept):
            table = table.rename_columns(self._names)
            starts = kept[:, 0]
            offset = self._offset + int(starts[0])
            yield Rows(table, lines(starts), offset, bounds.rest)
        for one in sorted(bad, key=lambda one: one.start):
            if text := data[one.start : one.end].strip():
                line = int(lines(np.array([one.start]))[0])
                yield _unreadable(one, line, self._offset, text)

    def _lines_of(self, data: bytes) -> "_Lines":
        newlines = np.flatnonzero(np.frombuffer(data, np.uint8) == _NEWLINE)
        return _Lines(self._line, newlines)


@dataclass(frozen=True, slots=True)
class _Lines:
    """Knows on which line a position is."""

    first: int
    newlines: Positions

    def __call__(self, positions: Positions) -> Positions:
        return self.first + np.searchsorted(self.newlines, positions)


@dataclass(frozen=True, slots=True)
class _Bad:
    """What stands where a row should, and why it is none."""

    start: int
    end: int
    reason: str


def _unreadable(one: _Bad, line: int, offset: int, text: bytes) -> Unreadable:
    return Unreadable(line, offset + one.start, one.end - one.start, one.reason, text[:KEPT_BYTES])


def _filled(data: bytes, rows: Positions) -> Positions:
    """Leave out lines that are empty; others of blanks are no rows either."""
    short = np.flatnonzero(rows[:, 1] - rows[:, 0] <= len(_LINE_ENDS))
    empty = [
        row for row in short.tolist() if not data[slice(*rows[row].tolist())].strip(_LINE_ENDS)
    ]
    return np.delete(rows, empty, axis=0)


def _parse(data: bytes, rows: Positions, header: Header) -> tuple[pa.Table, dict[int, int]]:
    """Read rows; return those of the right number of cells, and the numbers of the others' cells.

    Where the parser finds other rows than we do, halves are read until the row is found.
    """
    found = _read(_valid(_joined(data, rows)), header)
    if found and found[0].num_rows + len(found[1]) == len(rows):
        return found
    if len(rows) <= 1:
        empty = pa.table([pa.array([], pa.string())] * len(header.columns), _numbers(header))
        return empty, dict.fromkeys(range(len(rows)), 0)
    half = len(rows) // 2
    first, second = _parse(data, rows[:half], header), _parse(data, rows[half:], header)
    cells = first[1] | {row + half: count for row, count in second[1].items()}
    return pa.concat_tables([first[0], second[0]]), cells


def _joined(data: bytes, rows: Positions) -> bytes:
    """Return the text of rows; without a copy for each where they follow one another.

    The last one ends with its line: the parser takes an empty cell at the end of text for "".
    """
    if not len(rows):
        return b""
    gaps = np.flatnonzero(rows[1:, 0] != rows[:-1, 1])
    starts = rows[np.append(0, gaps + 1), 0].tolist()
    ends = rows[np.append(gaps, len(rows) - 1), 1].tolist()
    pieces = [data[start:end] for start, end in zip(starts, ends, strict=True)]
    return b"".join(pieces).removesuffix(b"\n") + b"\n"


def _valid(text: bytes) -> bytes:
    """Return text as UTF-8: what is none becomes U+FFFD."""
    if text.isascii():
        return text
    try:
        text.decode()
    except UnicodeDecodeError:
        return text.decode(errors="replace").encode()
    return text


def _read(text: bytes, header: Header) -> tuple[pa.Table, dict[int, int]] | None:
    """Parse text; None if the parser refuses it."""
    cells: dict[int, int] = {}

    def skip(row: csv.InvalidRow) -> str:
        cells[row.number - 1] = row.actual_columns
        return "skip"

    names = _numbers(header)
    try:
        table = csv.read_csv(
            pa.BufferReader(text),
            csv.ReadOptions(use_threads=False, block_size=len(text) + 1, column_names=names),
            csv.ParseOptions(
                delimiter=header.grammar.delimiter.decode(),
                newlines_in_values=True,
                invalid_row_handler=skip,
            ),
            csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid:
        return None
    return _zoned(table, header), cells


def _numbers(header: Header) -> list[str]:
    return [str(number) for number in range(len(header.columns))]


def _zoned(table: pa.Table, header: Header) -> pa.Table:
    """Write the zone that a header gives behind the times of its column."""
    for at, column in enumerate(header.columns):
        if column.zone:
            cells = _with_zone(table.column(at), column.zone)
            table = table.set_column(at, table.field(at), cells)
    return table


def _with_zone(cells: pa.ChunkedArray, zone: tzinfo) -> pa.ChunkedArray:
    if zone.utcoffset(None) is None:
        texts = [text if text is None else add_zone(text, zone) for text in cells.to_pylist()]
        return pa.chunked_array([pa.array(texts, pa.string())])
    import pyarrow.compute as pc

    suffix = add_zone(_ANY_TIME, zone).removeprefix(_ANY_TIME)
    longer = pc.binary_join_element_wise(cells, suffix, "")
    return pc.if_else(pc.match_substring_regex(cells, WITHOUT_ZONE), longer, cells)


_ANY_TIME = "2000-01-01"
