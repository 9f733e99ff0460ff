"""Rows of a table as records: the JSON object that each row stands for.

A null cell is a key that the row does not have, in nested structs too: a table has a cell for every
key of every row. Times are ISO 8601, in UTC where they have a zone; bytes are text where they are
UTF-8, else hexadecimal; what no JSON number can hold (NaN, decimals of many digits) is kept as text
is written.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import orjson
import pyarrow as pa


def row_texts(table: pa.Table) -> list[str]:
    """Return each row of a table as the text of a JSON object, its keys in the table's order."""
    names = table.column_names
    columns = [_cells(table.column(at)) for at in range(len(names))]
    return [
        orjson.dumps(
            {name: cell for name, cell in zip(names, cells, strict=True) if cell is not None}
        ).decode()
        for cells in zip(*columns, strict=True)
    ]


def cell_texts(column: pa.ChunkedArray) -> list[str | None]:
    """Return each cell of a column as JSON text, None where it is null."""
    return [None if cell is None else orjson.dumps(cell).decode() for cell in _cells(column)]


def _cells(column: pa.ChunkedArray) -> list[Any]:
    values: list[Any] = column.to_pylist()
    if _plain(column.type):
        return values
    return [_json(value) for value in values]


def _plain(kind: pa.DataType) -> bool:
    """Say whether values of a type are JSON as they are."""
    if pa.types.is_dictionary(kind):
        return _plain(kind.value_type)
    tests: tuple[Callable[[pa.DataType], bool], ...] = (
        pa.types.is_string,
        pa.types.is_large_string,
        pa.types.is_string_view,
        pa.types.is_integer,
        pa.types.is_boolean,
        pa.types.is_null,
    )
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
