"""Cut a plain file into byte ranges of whole lines, so that workers read it themselves."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from tocsin.jsontext import MAX_BYTES, TOO_LONG
from tocsin.logs.formats.blocks import BLOCK_BYTES, KEPT_BYTES, Unreadable

_STEP = 64 << 10


@dataclass(frozen=True, slots=True)
class Range:
    """Bytes `start` to `end` of a file: whole lines."""

    start: int
    end: int


def file_ranges(path: Path, size: int = BLOCK_BYTES) -> Iterator[Range | Unreadable]:
    """Yield the ranges of a file in order; a line that is too long is a piece of its own.

    Its `line` is 0: which line it is shows only when the ranges before it were read.
    """
    length = path.stat().st_size
    with path.open("rb") as file:
        start = _after_bom(file)
        while start < length:
            if start + size >= length and length - start <= MAX_BYTES:
                yield Range(start, length)
                return
            end = _line_end(file, min(start + size, length), length)
            if end - (start + size) <= MAX_BYTES:
                yield Range(start, end)
            else:
                begin = _line_start(file, start, start + size)
                if begin > start:
                    yield Range(start, begin)
                file.seek(begin)
                yield Unreadable(0, begin, end - begin, TOO_LONG, file.read(KEPT_BYTES))
            start = end


def _after_bom(file: BinaryIO) -> int:
    return 3 if file.read(3) == b"\xef\xbb\xbf" else 0


def _line_end(file: BinaryIO, position: int, length: int) -> int:
    """Return where the line that `position - 1` belongs to ends, its newline included."""
    position = max(position - 1, 0)
    file.seek(position)
    while data := file.read(_STEP):
        end = data.find(b"\n") + 1
        if end:
            return position + end
        position += len(data)
    return length


def _line_start(file: BinaryIO, first: int, position: int) -> int:
    """Return where the line that `position` is in starts, not before `first`."""
    while position > first:
        begin = max(position - _STEP, first)
        file.seek(begin)
        at = file.read(position - begin).rfind(b"\n") + 1
        if at:
            return begin + at
        position = begin
    return first
