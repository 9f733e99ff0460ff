"""Rows of a table as records: a column per top-level key, absent where a cell is null.

So Parquet and CSV files are matched as the columns they are, and never become JSON. Objects in
cells would have keys of their own; a table that has them is read as JSON texts.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import compress

import numpy as np
import pyarrow as pa

from tocsin.engine.columns import Encoded, Mask, Rows, codes_of, decode_texts, held_codes
from tocsin.engine.layout import ROOT, KeyPath, Signature
from tocsin.engine.project import Projector
from tocsin.engine.records import Haystack, Keys
from tocsin.logs.formats.rows import Columns, encode_cells, is_text, may_hold_text, row_texts


class TableRecords:
    """Records held as rows of a table without objects."""

    def __init__(self, projector: Projector, table: "Table", rows: Rows) -> None:
        self._projector = projector
        self._table = table
        self._rows = rows

    @classmethod
    def of(cls, projector: Projector, columns: Columns) -> "TableRecords":
        """Return all rows of a table as records."""
        return cls(projector, Table(columns), np.arange(columns.count))

    @property
    def count(self) -> int:
        """Return how many there are."""
        return len(self._rows)

    def take(self, rows: Rows) -> "TableRecords":
        """Return some of them."""
        return TableRecords(self._projector, self._table, self._rows[rows])

    def keys(self, containers: Sequence[KeyPath]) -> Keys:
        """Return the keys of these containers: the columns that are not null, and no others."""
        wanted = tuple(dict.fromkeys((ROOT, *containers)))
        codes, names = self._table.present
        self._projector.forget_if_many()
        signatures = [
            self._projector.remember((wanted, present), _signature(wanted, present))
            for present in names
        ]
        return Keys(wanted, codes[self._rows].astype(np.int32), signatures)

    def columns(self, paths: Sequence[KeyPath]) -> list[Encoded]:
        """Return the columns at paths of one key."""
        return [self._table.encoded(name).values.take(self._rows) for (name,) in paths]

    def texts(self) -> list[str]:
        """Return every record as JSON text."""
        return row_texts(self._table.columns.rows(self._rows.tolist()))

    def haystacks(self, *, numbers: bool) -> list[Haystack]:
        """Return the texts of each column that these records hold."""
        schema = self._table.columns.schema
        names = [one.name for one in schema if numbers or may_hold_text(one.type)]
        held = np.logical_or.reduce(self._table.valid(names)[:, self._rows], axis=1)
        return [self._haystack(name) for name in compress(names, held.tolist())]

    def _haystack(self, name: str) -> Haystack:
        """Search distinct values where they are known, else every cell: that costs no hashing."""
        column = self._table.columns.column(name)
        searchable = _searchable(column.type)
        if searchable and not self._table.is_encoded(name):
            cells = searchable(column.combine_chunks().take(pa.array(self._rows)))
            return Haystack.of(cells.fill_null(""), in_cells=True)
        encoded = self._table.encoded(name)
        held, codes = held_codes(encoded.values.codes[self._rows], len(encoded.texts))
        return Haystack.of(encoded.texts.take(pa.array(held)), codes, in_cells=True)


class Table:
    """The columns of a table as far as they were asked for; all parts of its rows share it."""

    def __init__(self, columns: Columns) -> None:
        self.columns = columns
        self._encoded: dict[str, _Column] = {}
        self._valid: dict[str, Mask] = {}

    @cached_property
    def present(self) -> tuple[Rows, list[tuple[str, ...]]]:
        """Return a code per row, and for each code which columns are not null."""
        names = list(self.columns.ready)
        return _present(names, self.valid(names))

    def valid(self, names: Sequence[str]) -> Mask:
        """Return in which rows columns are not null: a row of the mask per column."""
        for name in names:
            if name not in self._valid:
                self._valid[name] = self.columns.column(name).is_valid().to_numpy()
        valid = np.array([self._valid[name] for name in names], dtype=np.bool_)
        return valid.reshape(len(names), self.columns.count)

    def is_encoded(self, name: str) -> bool:
        """Say whether a column was encoded already."""
        return name in self._encoded

    def encoded(self, name: str) -> "_Column":
        """Return a column with each distinct value once."""
        if name not in self._encoded:
            self._encoded[name] = _encode(self.columns.column(name))
        return self._encoded[name]


def _searchable(kind: pa.DataType) -> Callable[[pa.Array], pa.StringArray] | None:
    """Return what makes one text of each cell without encoding the column, if anything does."""
    if is_text(kind) and not pa.types.is_dictionary(kind):
        return lambda cells: cells.cast(pa.string())
    if pa.types.is_list(kind) and pa.types.is_string(kind.value_type):
        import pyarrow.compute as pc

        return lambda cells: pc.binary_join(cells, "\n")
    return None


@dataclass(frozen=True, slots=True)
class _Column:
    """A column: its distinct values, and the text that keywords are looked for in, of each."""

    values: Encoded
    texts: pa.StringArray


def _encode(column: pa.ChunkedArray) -> _Column:
    if is_text(column.type):
        encoded = _encoded_texts(column)
        values = Encoded(codes_of(encoded), encoded.dictionary.to_pylist(), texts=True)
        return _Column(values, encoded.dictionary)
    encoded = encode_cells(column)
    decoded = decode_texts(encoded.dictionary.to_pylist())
    texts = all(isinstance(value, str) for value in decoded)
    return _Column(Encoded(codes_of(encoded), decoded, texts), encoded.dictionary)


def _encoded_texts(column: pa.ChunkedArray) -> pa.DictionaryArray:
    kind = pa.dictionary(pa.int32(), pa.string())
    if not pa.types.is_dictionary(column.type):
        column = column.cast(pa.string()).dictionary_encode()
    whole: pa.DictionaryArray = column.cast(kind).unify_dictionaries().combine_chunks()
    return whole


def _present(names: list[str], valid: Mask) -> tuple[Rows, list[tuple[str, ...]]]:
    """Tell rows apart by which columns are not null.

    By a hash of 64 bits, one to one up to 64 columns: comparing the bits as such sorts them.
    """
    packed = np.packbits(valid, axis=0)
    padded = np.zeros((-(-len(packed) // 8) * 8, valid.shape[1]), np.uint8)
    padded[: len(packed)] = packed
    words = np.ascontiguousarray(padded.T).view(np.uint64)
    keys = np.zeros(valid.shape[1], np.uint64)
    for word in words.T:
        keys = (keys ^ word) * _MIX
        keys ^= keys >> np.uint64(29)
    _, first, codes = np.unique(keys, return_index=True, return_inverse=True)
    present = [tuple(compress(names, valid[:, at])) for at in first.tolist()]
    return codes.reshape(-1), present


_MIX = np.uint64(0x9E3779B97F4A7C15)


def _signature(containers: Sequence[KeyPath], present: tuple[str, ...]) -> Signature:
    """Return the keys of a row: no cell holds an object, so what is there has no keys."""
    return Signature(
        {
            container: present
            if container == ROOT
            else ()
            if len(container) == 1 and container[0] in present
            else None
            for container in containers
        }
    )
