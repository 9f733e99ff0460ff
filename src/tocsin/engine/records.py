"""The records of a batch, however they are held: as JSON texts, or as rows of a table.

The engine asks for the keys that records have and for the values at paths; it gets a code per
record and each distinct value once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa

from tocsin.engine.columns import Codes, Encoded, Rows
from tocsin.engine.layout import KeyPath, Signature


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys that records have: a code per record into distinct signatures.

    A signature is None for what is no JSON.
    """

    containers: tuple[KeyPath, ...]
    codes: Codes
    signatures: Sequence[Signature | None]

    def take(self, rows: Rows) -> "Keys":
        """Return the keys of some records."""
        return Keys(self.containers, self.codes[rows], self.signatures)


@dataclass(frozen=True, slots=True)
class Haystack:
    """Bytes to search for keywords: texts end to end."""

    data: bytes
    """ASCII letters are small."""
    bounds: Rows
    """Where each text starts, and where the last one ends."""
    codes: Codes | None
    """The text of each record, -1 for none; None where there is a text per record."""
    in_cells: bool
    """The texts are values, not records that escape them as JSON does."""

    @classmethod
    def of(cls, texts: pa.StringArray, codes: Codes | None = None, *, in_cells: bool) -> "Haystack":
        """Make a haystack of strings without nulls."""
        _, offsets, buffer = texts.buffers()
        bounds = np.frombuffer(offsets, np.int32, len(texts) + 1, texts.offset * 4)
        data = memoryview(buffer or b"")[bounds[0] : bounds[-1]].tobytes().lower()
        return cls(data, bounds - bounds[0], codes, in_cells)

    def rows(self, places: Rows) -> Rows:
        """Return the records that some positions in the bytes are in."""
        texts = np.unique(np.searchsorted(self.bounds, places, side="right") - 1)
        return texts if self.codes is None else np.flatnonzero(np.isin(self.codes, texts))


class Records(Protocol):
    """Records that can be read column by column."""

    @property
    def count(self) -> int:
        """Return how many there are."""

    def take(self, rows: Rows) -> "Records":
        """Return some of them."""

    def keys(self, containers: Sequence[KeyPath]) -> Keys:
        """Return the keys of at least these containers of every record."""

    def columns(self, paths: Sequence[KeyPath]) -> list[Encoded]:
        """Return what stands at each path."""

    def texts(self) -> list[str]:
        """Return every record as JSON text."""

    def haystacks(self, *, numbers: bool) -> list[Haystack]:
        """Return all that a keyword can stand in, numbers and truth values only if asked for."""
