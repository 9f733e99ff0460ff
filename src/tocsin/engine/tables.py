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
import pyarrow.compute as pc

from tocsin.engine.columns import Codes, Encoded, Mask, Rows, codes_of, decode_texts, held_codes
from tocsin.engine.layout import ROOT, KeyPath, Signature
from tocsin.engine.project import Projector
from tocsin.engine.records import Haystack, Keys, SmallLetters, TextHaystack
from tocsin.logs.formats.rows import Columns, encode_cells, is_text, may_hold_text, row_texts, whole

SHORT = 64 * 1024
"""Bytes of the distinct values of a column that are searched for keywords with those of others."""


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
        """Return the texts of the columns: short ones of all rows together, others of these."""
        short = self._table.short_texts(numbers=numbers)
        others = set(self._table.searched(numbers=numbers)).difference(short.names)
        names = [name for name in self._table.columns.schema.names if name in others]
        held = np.logical_or.reduce(self._table.valid(names)[:, self._rows], axis=1)
        found = [self._haystack(name) for name in compress(names, held.tolist())]
        return [_ShortHaystack(self._table, short, self._rows), *found]

    def _haystack(self, name: str) -> Haystack:
        """Search distinct values where they are known, else every cell: that costs no hashing."""
        column = self._table.columns.column(name)
        searchable = _searchable(column.type)
        if searchable and not self._table.is_encoded(name):
            cells = searchable(whole(column).take(pa.array(self._rows)))
            return TextHaystack(SmallLetters.of(cells), in_cells=True)
        encoded = self._table.encoded(name)
        held, codes = held_codes(encoded.codes[self._rows], len(encoded.texts))
        texts = SmallLetters.of(encoded.texts.take(pa.array(held)))
        return TextHaystack(texts, in_cells=True, codes=codes)


@dataclass(frozen=True, slots=True)
class _ShortTexts:
    """The distinct values of several columns, one column after the other."""

    texts: SmallLetters
    names: Sequence[str]
    starts: Rows
    """The number of each column's first text."""


@dataclass(frozen=True, slots=True)
class _ShortHaystack:
    """Short texts of all rows of a table, searched for some of them."""

    table: "Table"
    short: _ShortTexts
    chosen: Rows
    in_cells: bool = True

    @property
    def data(self) -> memoryview:
        """Return the bytes."""
        return self.short.texts.data

    def rows(self, places: Rows) -> Rows:
        """Return which of the chosen rows hold the texts that some positions are in."""
        texts = self.short.texts.at(places)
        columns = np.searchsorted(self.short.starts, texts, side="right") - 1
        held = np.zeros(len(self.chosen), dtype=np.bool_)
        for column in np.unique(columns).tolist():
            encoded = self.table.encoded(self.short.names[column])
            wanted = texts[columns == column] - self.short.starts[column]
            held |= np.isin(encoded.codes[self.chosen], wanted)
        return np.flatnonzero(held)


class Table:
    """The columns of a table as far as they were asked for; all parts of its rows share it."""

    def __init__(self, columns: Columns) -> None:
        self.columns = columns
        self._encoded: dict[str, _Column] = {}
        self._valid: dict[str, Mask] = {}
        self._short: dict[bool, _ShortTexts] = {}

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
            self._encoded[name] = _Column(self.columns.column(name))
        return self._encoded[name]

    def searched(self, *, numbers: bool) -> list[str]:
        """Return the columns that keywords are looked for in."""
        return [one.name for one in self.columns.schema if numbers or may_hold_text(one.type)]

    def short_texts(self, *, numbers: bool) -> _ShortTexts:
        """Return the values of the columns that hold few and short ones."""
        if numbers not in self._short:
            self._short[numbers] = self._shorten(self.searched(numbers=numbers))
        return self._short[numbers]

    def _shorten(self, names: Sequence[str]) -> _ShortTexts:
        kinds = {name: self.columns.column(name).type for name in names}
        encoded = {name: self.encoded(name) for name in names if not _searchable(kinds[name])}
        short = {
            name: column.texts for name, column in encoded.items() if column.texts.nbytes <= SHORT
        }
        starts = np.cumsum([0, *map(len, short.values())])[:-1]
        texts = pa.concat_arrays([pa.array([], pa.string()), *short.values()])
        return _ShortTexts(SmallLetters.of(texts), list(short), starts)


def _searchable(kind: pa.DataType) -> Callable[[pa.Array], pa.StringArray] | None:
    """Return what makes one text of each cell without encoding the column, if anything does."""
    if is_text(kind) and not pa.types.is_dictionary(kind):
        return lambda cells: cells.cast(pa.string())
    if pa.types.is_list(kind) and is_text(kind.value_type):
        return lambda cells: pc.binary_join(cells.cast(pa.list_(pa.string())), "\n")
    return None


class _Column:
    """A column with each distinct value once.

    `texts` holds them as keywords are looked for in them; they are decoded when asked for.
    """

    def __init__(self, column: pa.ChunkedArray) -> None:
        self._strings = is_text(column.type)
        encoded = _encoded_texts(column) if self._strings else encode_cells(column)
        self._encoded = encoded
        self.texts: pa.StringArray = encoded.dictionary

    @cached_property
    def codes(self) -> Codes:
        """Return the number of each row's value."""
        return codes_of(self._encoded)

    @cached_property
    def values(self) -> Encoded:
        """Return the values, decoded."""
        values = self.texts.to_pylist()
        if not self._strings:
            values = decode_texts(values)
        texts = self._strings or all(isinstance(value, str) for value in values)
        return Encoded(self.codes, values, texts)


def _encoded_texts(column: pa.ChunkedArray) -> pa.DictionaryArray:
    kind = pa.dictionary(pa.int32(), pa.string())
    if not pa.types.is_dictionary(column.type):
        column = column.cast(pa.string()).dictionary_encode()
    return whole(column.cast(kind).unify_dictionaries())


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
