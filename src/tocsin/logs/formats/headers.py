"""The header of a CSV file: which delimiter it has, what its columns are called, in which zone."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from tocsin.logs.formats.content import HEAD_BYTES
from tocsin.logs.formats.rowbounds import Grammar
from tocsin.times import read_zone

GRAMMARS = tuple(Grammar(delimiter) for delimiter in (b",", b";", b"\t", b"|"))
NO_HEADER = "has no header: its first row looks like data ({}); put the names of the columns there"

_SAMPLED_ROWS = 100
_LEAST_COLUMNS = 2
_POWERSHELL_TYPE = re.compile(rb"#TYPE [^\n]*\n")
_NAME = re.compile(r"[^\W\d][^=\"{}<>\x00-\x1f]{0,199}|[@#$%*(\[][\w][^=\"{}<>\x00-\x1f]{0,199}")
_ZONED = re.compile(r"(.*\S)\s*\[([^\[\]]+)\]")
_UNKNOWN_ZONE = "local time"


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name, and the zone of its times if the header says so."""

    name: str
    zone: tzinfo | None = None


@dataclass(frozen=True, slots=True)
class Header:
    """What the beginning of a CSV file says."""

    grammar: Grammar
    columns: tuple[Column, ...]
    start: int
    """Where the first row behind it begins."""
    problem: str = ""
    """Why the file cannot be read, if so."""


def find_header(head: bytes) -> Header | None:
    """Return the header of text that is CSV: two columns or more, and mostly as many in its rows.

    Of several delimiters that of the most columns holds.
    """
    if head.lstrip()[:1] in {b"{", b"["}:
        return None
    found = [header for grammar in GRAMMARS if (header := _header(head, grammar))]
    return max(found, key=lambda header: len(header.columns), default=None)


def _header(head: bytes, grammar: Grammar) -> Header | None:
    first = _POWERSHELL_TYPE.match(head)
    start = first.end() if first else 0
    while head[start : start + 1] in {b"\r", b"\n"}:
        start += 1
    rows = list(_rows(head, start, grammar))
    if not rows:
        return None
    (names, end), data = rows[0], [cells for cells, _ in rows[1:]]
    width = len(names)
    alike = sum(len(cells) == width for cells in data)
    if width < _LEAST_COLUMNS or alike * 2 < len(data):
        return None
    unlike = [name for name in names if name and not _is_name(name)]
    if not unlike and sum(map(bool, names)) * 2 > width:
        return Header(grammar, tuple(_columns(names)), end)
    if width > _LEAST_COLUMNS and data and alike == len(data):
        problem = NO_HEADER.format(repr(unlike[0][:80]) if unlike else "empty cells")
        return Header(grammar, (), end, problem)
    return None


def _rows(head: bytes, at: int, grammar: Grammar) -> Iterator[tuple[list[str], int]]:
    """Yield the first rows of text, as cells, each with its end."""
    limit = len(head) if len(head) < HEAD_BYTES else head.rfind(b"\n") + 1
    for _ in range(_SAMPLED_ROWS):
        row = grammar.row.match(head, at, limit) if at < limit else None
        if row is None:
            return
        at = row.end()
        if row[0].strip():
            yield _cells(row[0], grammar), at


def _cells(row: bytes, grammar: Grammar) -> list[str]:
    text = io.StringIO(row.decode(errors="replace").rstrip("\r\n"), newline="")
    try:
        return next(csv.reader(text, delimiter=grammar.delimiter.decode()), [])
    except csv.Error:
        return []


def _is_name(text: str) -> bool:
    """Say whether a cell may name a column: it begins with a letter, and is no sentence."""
    return bool(_NAME.fullmatch(text)) and text == text.lstrip() and ": " not in text


def _columns(names: Sequence[str]) -> Iterator[Column]:
    """Name the columns, each by a name of its own: by its number, or behind that of another."""
    taken: set[str] = set()
    for number, text in enumerate(names, 1):
        plain, zone = _without_zone(text.strip())
        plain = plain or f"column_{number}"
        name, count = plain, 1
        while name in taken:
            count += 1
            name = f"{plain}_{count}"
        taken.add(name)
        yield Column(name, zone)


def _without_zone(text: str) -> tuple[str, tzinfo | None]:
    """Split `TimeGenerated [UTC]` into the name and the zone of the times in the column."""
    found = _ZONED.fullmatch(text)
    if not found:
        return text, None
    if found[2].strip().lower() == _UNKNOWN_ZONE:
        return found[1], None
    zone = read_zone(found[2])
    return (found[1], zone) if zone else (text, None)
