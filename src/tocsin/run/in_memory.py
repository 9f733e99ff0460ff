"""Records that a program has at hand, as blocks: dicts, JSON texts, Arrow tables, frames."""

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

import numpy as np
import orjson
import pyarrow as pa

from tocsin.errors import UsageError
from tocsin.logs.formats.blocks import Block, Records, Rows

GIVEN = "<records>"
"""The name of the source; the line of a record is its number, from 1."""
ROWS = 20_000

_EXPECTED = (
    "logs must be paths, dicts, JSON texts, an Arrow table, a pandas or a polars frame, not {}"
)


def given_blocks(records: object) -> Iterator[Block]:
    """Yield blocks of records; raises `UsageError` if they are nothing that holds any."""
    if isinstance(records, Mapping):
        yield from _texts([records])
    elif (table := _table(records)) is not None:
        yield from _rows(table)
    elif isinstance(records, Iterable) and not isinstance(records, str | bytes):
        yield from _texts(records)
    else:
        raise UsageError(_EXPECTED.format(type(records).__name__))


def _table(records: object) -> "pa.Table | pa.RecordBatchReader | None":
    """Return what Arrow makes of a table or frame; None if it is none, or of mixed types."""
    if isinstance(records, pa.RecordBatch):
        return pa.Table.from_batches([records])
    if isinstance(records, pa.Table | pa.RecordBatchReader):
        return records
    try:
        if hasattr(records, "__dataframe__") and hasattr(records, "iloc"):
            return pa.Table.from_pandas(records, preserve_index=False)
        if hasattr(records, "__arrow_c_stream__"):
            return pa.table(records)
    except (pa.ArrowException, TypeError, ValueError):
        return None
    return None


def _rows(table: "pa.Table | pa.RecordBatchReader") -> Iterator[Rows]:
    first = 1
    batches = table.to_batches(ROWS) if isinstance(table, pa.Table) else table
    for batch in batches:
        part = pa.Table.from_batches([batch])
        yield Rows(part, np.arange(first, first + part.num_rows), length=part.nbytes)
        first += part.num_rows


def _texts(records: Iterable[Any]) -> Iterator[Records]:
    if hasattr(records, "to_dict"):
        records = records.to_dict("records")
    left, first = iter(records), 1
    while texts := [record_text(record) for record in islice(left, ROWS)]:
        ends = np.cumsum([len(text) for text in texts])
        bounds = np.stack((ends - [len(text) for text in texts], ends), axis=1)
        yield Records(b"".join(texts), bounds, np.arange(first, first + len(texts)))
        first += len(texts)


def record_text(record: object) -> bytes:
    """Return a record that is a dict, or JSON text already, as JSON text."""
    if isinstance(record, bytes):
        return record
    if isinstance(record, str):
        return record.encode("utf-8", "surrogatepass")
    if not isinstance(record, Mapping):
        raise UsageError(_EXPECTED.format(f"a list with {type(record).__name__}"))
    try:
        return orjson.dumps(record, default=str, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:
        return json.dumps(dict(record), default=str).encode()
