"""Read logs in tests: everything that is in some bytes, as the formats find it."""

import io
from collections.abc import Iterator

from tocsin.errors import InputError
from tocsin.logs.formats.blocks import Batch, Unreadable, batches
from tocsin.logs.formats.open import NoLog, Source, read_sources

Piece = tuple[int, object]
"""The line of a record and its text, or the reason why there is none."""


def only(data: bytes) -> Source:
    """Return the one log in some bytes."""
    [source] = read_sources("log", io.BytesIO(data))
    assert isinstance(source, Source)
    return source


def problem(data: bytes) -> str:
    """Say why there is no log in some bytes; nothing if there is one."""
    [source] = read_sources("log", io.BytesIO(data))
    return source.reason if isinstance(source, NoLog) else ""


def pieces(source: Source) -> Iterator[Piece | str]:
    """Yield the records of a log, what is none, and what stopped the reading."""
    try:
        for block in source.blocks():
            if isinstance(block, Unreadable):
                yield block.line, f"! {block.reason}"
                continue
            for batch in batches(block):
                yield from texts(batch)
    except InputError as error:
        yield str(error)


def texts(batch: Batch) -> Iterator[Piece]:
    for text, line in zip(batch.texts(), batch.lines.tolist(), strict=True):
        yield line, text.strip()


def read(data: bytes) -> list[Piece | str]:
    """Return all that is in the one log in some bytes."""
    return list(pieces(only(data)))


def read_all(data: bytes) -> dict[str, list[Piece | str] | str]:
    """Return what is in each log in some bytes, by name."""
    found: dict[str, list[Piece | str] | str] = {}
    for source in read_sources("log", io.BytesIO(data)):
        name = source.name.removeprefix("log")
        found[name] = source.reason if isinstance(source, NoLog) else list(pieces(source))
    return found
