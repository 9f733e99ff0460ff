"""The records of a batch, however they are held: as JSON texts, or as rows of a table.

The engine asks for the keys that records have and for the values at paths; it gets a code per
record and each distinct value once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

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


class Haystack(Protocol):
    """Bytes to search for keywords: texts end to end, their ASCII letters small."""

    @property
    def data(self) -> memoryview:
        """Return the bytes."""

    @property
    def in_cells(self) -> bool:
        """Say whether the texts are values, not records that escape them as JSON does."""

    def rows(self, places: Rows) -> Rows:
        """Return the records that some positions in the bytes are in."""


@dataclass(frozen=True, slots=True)
class SmallLetters:
    """Texts end to end, their ASCII letters small."""

    data: memoryview
    bounds: Codes
    """Where each text starts, and where the last one ends."""

    @classmethod
    def of(cls, texts: pa.StringArray) -> "SmallLetters":
        """Take strings; a null is an empty one."""
        texts = texts.fill_null("")
        _, offsets, data = texts.buffers()
        bounds = np.frombuffer(offsets, np.int32, len(texts) + 1, texts.offset * 4)
        start, size = int(bounds[0]), int(bounds[-1] - bounds[0])
        return cls(_lowered(data.slice(start, size)) if size else memoryview(b""), bounds - start)

    def at(self, places: Rows) -> Rows:
        """Return the numbers of the texts that some positions are in, each once."""
        return np.unique(np.searchsorted(self.bounds, places, side="right") - 1)


def _lowered(data: pa.Buffer) -> memoryview:
    """Return text with small ASCII letters.

    Arrow lowers it as one text: of texts that do not begin where their buffer does it makes wrong
    bounds (pyarrow 26).
    """
    bounds = pa.py_buffer(np.array([0, data.size], np.int32))
    whole = pa.Array.from_buffers(pa.string(), 1, [None, bounds, data])
    lowered = memoryview(pc.ascii_lower(whole).buffers()[2])
    return lowered.cast("B")


@dataclass(frozen=True, slots=True)
class TextHaystack:
    """A text per record; or distinct texts, and the one of each record, -1 for none."""

    texts: SmallLetters
    in_cells: bool
    codes: Codes | None = None

    @property
    def data(self) -> memoryview:
        """Return the bytes."""
        return self.texts.data

    def rows(self, places: Rows) -> Rows:
        """Return the records that some positions in the bytes are in."""
        texts = self.texts.at(places)
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
