"""The table of formats: what a log can be, in the order in which it is asked.

A format is a module with two functions. Nothing else knows it: not the name of a file, nor what
stands in the other files. `docs/formats.md` says how to add one.
"""

from collections.abc import Iterator
from typing import Protocol

from tocsin.logs.formats import delimited, documents, evtx, lines, parquet
from tocsin.logs.formats.blocks import Block
from tocsin.logs.formats.content import Content


class Format(Protocol):
    """One form in which logs are held."""

    def recognise(self, head: bytes) -> bool:
        """Say whether a log that begins so is of this form; `head` is 64 KiB or all of it."""

    def blocks(self, content: Content) -> Iterator[Block]:
        """Yield all that is in a log, in order; raises `InputError` with a reason if it cannot be.

        Every byte that is not blank, or structure around records, is in a block.
        """


FORMATS: tuple[Format, ...] = (evtx, parquet, documents, delimited, lines)

NO_FORMAT = (
    "is of no known format; logs are JSON (a record per line, an array, objects one after the "
    "other, or inside a document), CSV with a header, Parquet, or EVTX"
)


def find_format(head: bytes) -> Format | None:
    """Return the first format that recognises the beginning of a log."""
    return next((one for one in FORMATS if one.recognise(head)), None)
