"""Rows of a table as records: a column per top-level key, absent where a cell is null.

So Parquet and CSV files are matched as the columns they are, and never become JSON. Objects in
cells would have keys of their own; a table that has them (`has_objects`) is read as JSON texts.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from tocsin.engine.columns import Encoded, Rows, codes_of, decode_texts
from tocsin.engine.layout import ROOT, KeyPath, Signature
from tocsin.engine.project import Projector
from tocsin.engine.records import Haystack, Keys
from tocsin.logs.formats.rows import cell_texts, row_texts

_TEXT = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)


def has_objects(schema: pa.Schema) -> bool:
    """Say whether cells hold objects: structs, or maps."""
    return any(pa.types.is_struct(kind) or pa.types.is_map(kind) for kind in schema.types)


class TableRecords:
    """Records held as rows of a table without objects; parts of it share what was encoded."""

    def __init__(self, projector: Projector, table: pa.Table) -> None:
        self._projector = projector
        self._table = table
        self._rows: Rows = np.arange(table.num_rows)
        self._encoded: dict[str, _Column] = {}
        self._present: tuple[Rows, list[tuple[str, ...]]] | None = None

    @property
    def count(self) -> int:
        """Return how many there are."""
        return len(self._rows)

    def take(self, rows: Rows) -> "TableRecords":
        """Return some of them."""
        part = TableRecords.__new__(TableRecords)
        part._projector, part._table = self._projector, self._table
        part._encoded, part._present = self._encoded, self._keys_present()
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
            self._present = _present_columns(self._table)
        return self._present

    def columns(self, paths: Sequence[KeyPath]) -> list[Encoded]:
        """Return the columns at paths of one key."""
        return [self._column(name).values.take(self._rows) for (name,) in paths]

    def _column(self, name: str) -> "_Column":
        if name not in self._encoded:
            self._encoded[name] = _encode(self._table.column(name))
        return self._encoded[name]

    def text(self, row: int) -> str:
        """Return one record as JSON text."""
        return row_texts(self._table.slice(int(self._rows[row]), 1))[0]

    def texts(self) -> list[str]:
        """Return every record as JSON text."""
        return row_texts(self._table.take(pa.array(self._rows)))

    def haystacks(self) -> list[Haystack]:
        """Return the distinct texts of each column."""
        columns = map(self._column, self._table.column_names)
        return [Haystack.of(one.texts, one.values.codes[self._rows]) for one in columns]


class _Column:
    """A column of the table: its distinct values, and how they read as text."""

    def __init__(self, values: Encoded, texts: pa.StringArray) -> None:
        self.values = values
        self.texts = texts


def _encode(column: pa.ChunkedArray) -> _Column:
    if any(test(column.type) for test in _TEXT):
        encoded = column.cast(pa.string()).combine_chunks().dictionary_encode()
        values = Encoded(codes_of(encoded), encoded.dictionary.to_pylist(), texts=True)
        return _Column(values, encoded.dictionary)
    encoded = pa.array(cell_texts(column), pa.string()).dictionary_encode()
    decoded = decode_texts(encoded.dictionary.to_pylist())
    texts = all(isinstance(value, str) for value in decoded)
    return _Column(Encoded(codes_of(encoded), decoded, texts), encoded.dictionary)


def _present_columns(table: pa.Table) -> tuple[Rows, list[tuple[str, ...]]]:
    names = np.array(table.column_names)
    valid = np.array(
        [column.is_valid().to_numpy() for column in table.columns], dtype=np.bool_
    ).reshape(len(names), table.num_rows)
    packed = np.ascontiguousarray(np.packbits(valid, axis=0).T)
    keys = packed.view([("", packed.dtype)] * packed.shape[1]).reshape(-1)
    _, first, codes = np.unique(keys, return_index=True, return_inverse=True)
    return codes.reshape(-1), [tuple(names[valid[:, at]].tolist()) for at in first.tolist()]


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
