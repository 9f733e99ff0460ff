"""Rows of a table as records: a column per top-level key, absent where a cell is null.

So Parquet and CSV files are matched as the columns they are, and never become JSON. Objects in
cells would have keys of their own; a table that has them is read as JSON texts.
"""

from collections.abc import Callable, Sequence
from itertools import compress

import numpy as np
import pyarrow as pa

from tocsin.engine.columns import Encoded, Mask, Rows, codes_of, decode_texts, held_codes
from tocsin.engine.layout import ROOT, KeyPath, Signature
from tocsin.engine.project import Projector
from tocsin.engine.records import Haystack, Keys
from tocsin.logs.formats.rows import Columns, encode_cells, is_text, may_hold_text, row_texts


class TableRecords:
    """Records held as rows of a table without objects; parts of it share what was encoded."""

    def __init__(self, projector: Projector, columns: Columns) -> None:
        self._projector = projector
        self._columns = columns
        self._rows: Rows = np.arange(columns.count)
        self._encoded: dict[str, _Column] = {}
        self._valid: dict[str, Mask] = {}
        self._present: tuple[Rows, list[tuple[str, ...]]] | None = None

    @property
    def count(self) -> int:
        """Return how many there are."""
        return len(self._rows)

    def take(self, rows: Rows) -> "TableRecords":
        """Return some of them."""
        part = TableRecords.__new__(TableRecords)
        part._projector, part._columns = self._projector, self._columns
        part._encoded, part._valid = self._encoded, self._valid
        part._present = self._keys_present()
        part._rows = self._rows[rows]
        return part

    def keys(self, containers: Sequence[KeyPath]) -> Keys:
        """Return the keys of these containers: the columns that are not null, and no others."""
        wanted = tuple(dict.fromkeys((ROOT, *containers)))
        codes, names = self._keys_present()
        self._projector.forget_if_many()
        signatures = [
            self._projector.remember((wanted, present), _signature(wanted, present))
            for present in names
        ]
        return Keys(wanted, codes[self._rows].astype(np.int32), signatures)

    def _keys_present(self) -> tuple[Rows, list[tuple[str, ...]]]:
        """Return a code per row of the table, and which columns are not null for each code."""
        if self._present is None:
            names = list(self._columns.ready)
            valid = np.array([self._is_valid(name) for name in names], dtype=np.bool_)
            self._present = _present(names, valid.reshape(len(names), self._columns.count))
        return self._present

    def columns(self, paths: Sequence[KeyPath]) -> list[Encoded]:
        """Return the columns at paths of one key."""
        return [self._column(name).values.take(self._rows) for (name,) in paths]

    def _column(self, name: str) -> "_Column":
        if name not in self._encoded:
            self._encoded[name] = _encode(self._columns.column(name))
        return self._encoded[name]

    def text(self, row: int) -> str:
        """Return one record as JSON text."""
        return row_texts(self._columns.rows([int(self._rows[row])]))[0]

    def texts(self) -> list[str]:
        """Return every record as JSON text."""
        return row_texts(self._columns.rows(self._rows.tolist()))

    def haystacks(self, *, numbers: bool) -> list[Haystack]:
        """Return the texts of each column that these records hold."""
        schema = self._columns.schema
        names = [one.name for one in schema if numbers or may_hold_text(one.type)]
        valid = np.array([self._is_valid(name) for name in names], dtype=np.bool_)
        valid = valid.reshape(len(names), self._columns.count)[:, self._rows]
        held = np.logical_or.reduce(valid, axis=1)
        return [self._haystack(name) for name in compress(names, held.tolist())]

    def _is_valid(self, name: str) -> Mask:
        """Return in which rows of the table a column is not null."""
        if name not in self._valid:
            self._valid[name] = self._columns.column(name).is_valid().to_numpy()
        return self._valid[name]

    def _haystack(self, name: str) -> Haystack:
        """Search distinct values where they are known, else every cell: that costs no hashing."""
        column = self._columns.column(name)
        searchable = _searchable(column.type)
        if name in self._encoded or not searchable:
            return self._distinct(self._column(name))
        cells = searchable(column.combine_chunks().take(pa.array(self._rows)))
        return Haystack.of(cells.fill_null(""), in_cells=True)

    def _distinct(self, column: "_Column") -> Haystack:
        held, codes = held_codes(column.values.codes[self._rows], len(column.texts))
        return Haystack.of(column.texts.take(pa.array(held)), codes, in_cells=True)


def _searchable(kind: pa.DataType) -> Callable[[pa.Array], pa.StringArray] | None:
    """Return what makes one text of each cell without encoding the column, if anything does."""
    if is_text(kind) and not pa.types.is_dictionary(kind):
        return lambda cells: cells.cast(pa.string())
    if pa.types.is_list(kind) and pa.types.is_string(kind.value_type):
        import pyarrow.compute as pc

        return lambda cells: pc.binary_join(cells, "\n")
    return None


class _Column:
    """A column of the table: its distinct values, and how they read as text."""

    def __init__(self, values: Encoded, texts: pa.StringArray) -> None:
        self.values = values
        self.texts = texts


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
    """Tell rows apart by which columns are not null."""
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
