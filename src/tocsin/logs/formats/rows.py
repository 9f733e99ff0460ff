"""Rows of a table as records: the JSON object that each row stands for.

A null cell is a key that the row does not have, in nested structs too: a table has a cell for every
key of every row. Times are ISO 8601, in UTC where they have a zone; bytes are text where they are
UTF-8, else hexadecimal; what no JSON number can hold (NaN, decimals of many digits) is text.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Protocol

import numpy as np
import orjson
import pyarrow as pa


class Columns(Protocol):
    """Rows as named columns that are read when they are asked for."""

    @property
    def count(self) -> int:
        """Return how many rows there are."""

    @property
    def schema(self) -> pa.Schema:
        """Return the names and types of all columns, in order."""

    @property
    def ready(self) -> Sequence[str]:
        """Return the columns that cost nothing to read: all that rules can ask for."""

    def column(self, name: str) -> pa.ChunkedArray:
        """Return one column."""

    def rows(self, numbers: Sequence[int] | None = None) -> pa.Table:
        """Return some rows with all columns, or every row."""


class TableColumns:
    """The columns of a table in memory."""

    def __init__(self, table: pa.Table) -> None:
        """Take a table."""
        self._table = _without_views(table)

    @property
    def count(self) -> int:
        """Return how many rows there are."""
        rows: int = self._table.num_rows
        return rows

    @property
    def schema(self) -> pa.Schema:
        """Return the names and types of the columns."""
        return self._table.schema

    @property
    def ready(self) -> Sequence[str]:
        """Return all columns."""
        names: list[str] = self._table.column_names
        return names

    def column(self, name: str) -> pa.ChunkedArray:
        """Return one column."""
        return self._table.column(name)

    def rows(self, numbers: Sequence[int] | None = None) -> pa.Table:
        """Return some rows, or all."""
        return self._table if numbers is None else self._table.take(pa.array(numbers, pa.int64()))


def _without_views(table: pa.Table) -> pa.Table:
    """Turn string views, which Arrow can do least with, into plain strings."""
    for at, one in enumerate(table.schema):
        if pa.types.is_string_view(one.type):
            table = table.set_column(at, one.name, table.column(at).cast(pa.string()))
    return table


def has_objects(schema: pa.Schema) -> bool:
    """Say whether cells hold objects: structs, or maps."""
    return any(pa.types.is_struct(kind) or pa.types.is_map(kind) for kind in schema.types)


def row_texts(table: pa.Table) -> list[str]:
    """Return each row of a table as the text of a JSON object, its keys in the table's order."""
    records: list[dict[str, Any]] = [{} for _ in range(table.num_rows)]
    for name, column in zip(table.column_names, _without_views(table).columns, strict=True):
        held = np.flatnonzero(column.is_valid().to_numpy()).tolist()
        for row, cell in zip(held, _cells(column.drop_null()) if held else (), strict=True):
            records[row][name] = cell
    return [orjson.dumps(record).decode() for record in records]


def cell_texts(column: pa.ChunkedArray) -> list[str | None]:
    """Return each cell of a column as JSON text, None where it is null."""
    return [None if cell is None else orjson.dumps(cell).decode() for cell in _cells(column)]


def whole(column: pa.ChunkedArray) -> pa.Array:
    """Return a column as one array; Arrow would copy the one that is there."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def encode_cells(column: pa.ChunkedArray) -> pa.DictionaryArray:
    """Encode the JSON texts of a column's cells."""
    if pa.types.is_nested(column.type):
        return pa.array(cell_texts(column), pa.string()).dictionary_encode()
    encoded = whole(column).dictionary_encode()
    texts = pa.array(cell_texts(encoded.dictionary), pa.string())
    return pa.DictionaryArray.from_arrays(encoded.indices, texts)


def is_text(kind: pa.DataType) -> bool:
    """Say whether a column's cells are strings, encoded or not."""
    if pa.types.is_dictionary(kind):
        return is_text(kind.value_type)
    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    return any(test(kind) for test in tests)


def may_hold_text(kind: pa.DataType) -> bool:
    """Say whether cells can hold other text than numbers and truth values read as."""
    tests = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_decimal)
    return not any(test(kind) for test in tests)


def _cells(column: pa.ChunkedArray) -> list[Any]:
    values: list[Any] = column.to_pylist()
    return values if _plain(column.type) else [_json(value) for value in values]


def _plain(kind: pa.DataType) -> bool:
    """Say whether values of a type are JSON as they are."""
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return _plain(kind.value_type)
    tests = (is_text, pa.types.is_integer, pa.types.is_boolean, pa.types.is_null)
    return any(test(kind) for test in tests)


def _json(value: Any) -> Any:
    """Return a cell as a value that `orjson` writes; nulls inside objects are left out."""
    if isinstance(value, Mapping):
        return {str(key): _json(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        if value and all(isinstance(item, tuple) and len(item) == 2 for item in value):
            return {str(key): _json(item) for key, item in value if item is not None}
        return [_json(item) for item in value]
    convert = _CONVERT.get(type(value))
    return convert(value) if convert else value


def _time(value: datetime) -> str:
    if value.tzinfo is None:
        return value.isoformat()
    return value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def _bytes(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.hex()


def _float(value: float) -> float | str:
    return value if value - value == 0 else str(value)


def _decimal(value: Decimal) -> int | str:
    return int(value) if value == value.to_integral_value() and abs(value) < 2**63 else str(value)


_CONVERT: Mapping[type, Callable[[Any], Any]] = {
    datetime: _time,
    date: date.isoformat,
    time: time.isoformat,
    timedelta: lambda value: value.total_seconds(),
    bytes: _bytes,
    float: _float,
    Decimal: _decimal,
}
