"""Where rows of CSV begin and end.

A cell in quotes may hold anything, its own quotes doubled; a quote inside another cell is a
character like any other. Well-formed rows are found with array operations. On a row that these
leave open a regular expression decides; it says what a row is.
"""

import re
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from tocsin.logs.formats.blocks import Positions

_NEWLINE, _RETURN, _QUOTE = b'\n\r"'
_LEAST_WINDOW, _MOST_WINDOW = 4 << 10, 1 << 20
_MOST_RUN = 4096
"""So many rows at most are read one by one before arrays are tried again."""
_NO_ROWS = np.empty((0, 2), np.int64)


class Grammar:
    """What a row is, with a delimiter between cells."""

    def __init__(self, delimiter: bytes) -> None:
        self.delimiter = delimiter
        mark = re.escape(delimiter)
        quoted = rb'"(?:[^"]|"")*+'
        plain = rb'[^"\r\n' + mark + rb"][^\r\n" + mark + rb"]*+"
        cell = rb"(?:" + quoted + rb'"|' + plain + rb"|)"
        cells = rb"(?:" + cell + mark + rb")*+"
        self.row = re.compile(cells + cell + rb"\r?(?:\n|\Z)")
        self.begun = re.compile(cells + rb"(?:" + quoted + rb'"?|' + plain + rb")?\r?\Z")
        """A row as far as there is one."""


@dataclass(slots=True)
class Bounds:
    """What rows a text holds: their starts and ends, lines that are none, and the unfinished."""

    rows: Positions = field(default_factory=lambda: _NO_ROWS)
    bad: list[tuple[int, int]] = field(default_factory=list)
    rest: int = 0
    """Where the last row begins that is not finished, or the end."""


def find_rows(data: bytes, grammar: Grammar, *, final: bool) -> Bounds:
    """Find the rows of a text that begins with one; the last one ends with it if it is `final`."""
    return _Finder(data, grammar, final=final).find()


class _Finder:
    """Finds rows from one position on, by arrays where these suffice."""

    def __init__(self, data: bytes, grammar: Grammar, *, final: bool) -> None:
        self._data = data
        self._content = np.frombuffer(data, np.uint8)
        self._grammar = grammar
        self._final = final
        self._at = 0
        self._parts: list[Positions] = [_NO_ROWS]
        self._bad: list[tuple[int, int]] = []

    def find(self) -> Bounds:
        """Return all that is found."""
        window, run, end = _MOST_WINDOW, 1, len(self._data)
        while self._at < end:
            stop = min(self._at + window, end)
            moved, clear = self._by_arrays(stop)
            if clear and (moved or stop < end):
                window = min(window * 2, _MOST_WINDOW) if moved else window * 4
                run = 1
                continue
            if (clear and not self._final) or not self._one_by_one(run):
                break
            window, run = _LEAST_WINDOW, min(run * 2, _MOST_RUN)
        return Bounds(np.concatenate(self._parts), self._bad, self._at)

    def _by_arrays(self, stop: int) -> tuple[bool, bool]:
        """Take the rows before a place that are clear; say if there were any, and if all are."""
        at = self._at
        ends, clear = _plain_ends(self._content[at:stop], self._grammar.delimiter[0])
        if len(ends):
            ends += at
            self._parts.append(np.stack((np.append(at, ends[:-1]), ends), axis=1))
            self._at = int(ends[-1])
        return len(ends) > 0, clear

    def _one_by_one(self, count: int) -> bool:
        """Take so many rows as the grammar has them; say whether there may be more."""
        rows: list[tuple[int, int]] = []
        for _ in range(count):
            at = self._at
            row_end = self._row_end()
            if row_end is None or at >= len(self._data):
                break
            self._at = row_end or self._data.find(b"\n", at) + 1 or len(self._data)
            (rows if row_end else self._bad).append((at, self._at))
        else:
            at = -1
        self._parts.append(np.array(rows, np.int64).reshape(-1, 2))
        return at < 0

    def _row_end(self) -> int | None:
        """Return where the row here ends; 0 if there is none, None if it is unfinished."""
        data, at = self._data, self._at
        found = self._grammar.row.match(data, at)
        if found and (self._final or data[found.end() - 1 : found.end()] == b"\n"):
            return found.end()
        return None if not self._final and self._grammar.begun.match(data, at) else 0


def _plain_ends(content: npt.NDArray[np.uint8], mark: int) -> tuple[Positions, bool]:
    """Return the ends of the rows up to the first that is doubtful, and whether there is none."""
    newlines = np.flatnonzero(content == _NEWLINE)
    quotes = np.flatnonzero(content == _QUOTE)
    doubtful = _lone_returns(content, quotes)
    if len(quotes):
        doubtful = min(doubtful, _odd_quotes(content, quotes, mark))
        newlines = newlines[np.searchsorted(quotes, newlines) % 2 == 0]
    ends: Positions = (newlines + 1)[: np.searchsorted(newlines, doubtful)]
    return ends, doubtful >= len(content)


def _lone_returns(content: npt.NDArray[np.uint8], quotes: Positions) -> int:
    """Return where the first carriage return stands that ends no line and is not in quotes."""
    returns = np.flatnonzero(content[:-1] == _RETURN)
    returns = returns[content[returns + 1] != _NEWLINE]
    outside = returns[np.searchsorted(quotes, returns) % 2 == 0]
    return int(outside[0]) if len(outside) else len(content)


def _odd_quotes(content: npt.NDArray[np.uint8], quotes: Positions, mark: int) -> int:
    """Return where the first quote stands that neither begins a cell, nor ends one, nor is doubled.

    Quotes open and close in turns; so a doubled one closes and opens again.
    """
    opens, closes = quotes[::2], quotes[1::2]
    before = content[np.maximum(opens - 1, 0)]
    begins = (before == mark) | (before == _NEWLINE) | (before == _QUOTE) | (opens == 0)
    after = content[np.minimum(closes + 1, len(content) - 1)]
    ends = (after == mark) | (after == _NEWLINE) | (after == _QUOTE) | (after == _RETURN)
    wrong = np.append(opens[~begins], closes[~(ends | (closes == len(content) - 1))])
    return int(wrong.min()) if len(wrong) else len(content)
