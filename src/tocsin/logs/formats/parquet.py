"""Parquet files: row groups as blocks, of which only the columns are read that rules can ask for.

The other columns are read for the rows that an alert shows, and where keywords search them. A
file with the columns `raw` and `log_type`, as Tocsin stores events, is read by its raw texts.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
import pyarrow as pa

from tocsin.condition.functions import fold
from tocsin.errors import InputError
from tocsin.jsontext import valid_text
from tocsin.logs.formats.blocks import Batch, Rows, Wanted
from tocsin.logs.formats.content import Content

if TYPE_CHECKING:
    import pyarrow.parquet as pq

MAGIC = b"PAR1"
BATCH_ROWS = 20_000
BATCH_BYTES = 48 << 20
REPEATING = 4
"""Bytes per row below which a column's values repeat."""
STORED = ("raw", "log_type")
"""The columns by which a file of stored events is known; the first holds the records."""


@dataclass(frozen=True, slots=True)
class RowGroup:
    """One row group of a file, for a worker to read."""

    path: Path
    number: int
    first_row: int
    """Rows count from 1."""
    rows: int
    length: int
    """How many bytes of the file it takes."""

    def batches(self, rows: int | None, wanted: Wanted) -> Iterator[Batch]:
        """Read the group in batches; raises `InputError` that names its rows if it is damaged."""
        import pyarrow.parquet as pq

        with (
            self.naming_damage(),
            pq.ParquetFile(self.path, read_dictionary=self._repeating()) as file,
        ):
            size = rows or self._batch_rows(file)
            names = file.schema_arrow.names
            if set(STORED) <= set(names):
                yield from self._stored(file, size)
            else:
                yield from self._columns(file, size, wanted(names))

    @contextmanager
    def naming_damage(self) -> Iterator[None]:
        """Turn what Arrow says of damage into an `InputError` that names the rows."""
        try:
            yield
        except (OSError, pa.ArrowException) as error:
            rows = f"rows {self.first_row} to {self.first_row + self.rows - 1}"
            path = valid_text(str(self.path))
            raise InputError(f"{path}: cannot be read in {rows}: {error}") from None

    def _repeating(self) -> list[str]:
        """Return the columns that take so few bytes that their values must repeat."""
        import pyarrow.parquet as pq

        group = pq.read_metadata(self.path).row_group(self.number)
        columns = (group.column(at) for at in range(group.num_columns))
        return [
            one.path_in_schema
            for one in columns
            if one.total_uncompressed_size < REPEATING * self.rows
        ]

    def _batch_rows(self, file: "pq.ParquetFile") -> int:
        size: int = file.metadata.row_group(self.number).total_byte_size
        return max(1, min(BATCH_ROWS, BATCH_BYTES * self.rows // max(size, 1)))

    def _stored(self, file: "pq.ParquetFile", size: int) -> Iterator[Batch]:
        first = self.first_row
        for part in file.iter_batches(size, row_groups=[self.number], columns=[STORED[0]]):
            raw = part.column(0).cast(pa.string()).fill_null("")
            yield Batch(raw, np.arange(first, first + len(raw)), np.zeros(len(raw), np.int64))
            first += len(raw)

    def _columns(
        self, file: "pq.ParquetFile", size: int, wanted: frozenset[str] | None
    ) -> Iterator[Batch]:
        names = file.schema_arrow.names
        near = [name for name in names if wanted is None or fold(name) in wanted] or names[:1]
        far = [name for name in names if name not in set(near)]
        rest = _Rest(self, file.iter_batches(size, row_groups=[self.number], columns=far), far)
        first = self.first_row
        parts = file.iter_batches(size, row_groups=[self.number], columns=near)
        for number, part in enumerate(parts):
            columns = ParquetColumns(pa.Table.from_batches([part]), file.schema_arrow, rest, number)
            lines = np.arange(first, first + part.num_rows)
            yield Batch(columns, lines, np.zeros(part.num_rows, np.int64))
            first += part.num_rows


class _Rest:
    """The columns that are not read at once, batch by batch, as far as they are asked for."""

    def __init__(
        self, group: RowGroup, parts: Iterator[pa.RecordBatch], names: Sequence[str]
    ) -> None:
        self.names = frozenset(names)
        self._group = group
        self._parts = enumerate(parts)

    def batch(self, number: int) -> pa.Table:
        """Return the columns of a batch; batches may be left out, not asked for backwards.

        Raises `InputError` if they are damaged.
        """
        with self._group.naming_damage():
            part = next(part for at, part in self._parts if at == number)
        return pa.Table.from_batches([part])


class ParquetColumns:
    """The rows of one batch: some columns read, the others read when they are asked for."""

    def __init__(self, near: pa.Table, schema: pa.Schema, rest: _Rest, number: int) -> None:
        self.schema = schema
        self._near = near
        self._rest = rest
        self._number = number

    @property
    def count(self) -> int:
        """Return how many rows there are."""
        rows: int = self._near.num_rows
        return rows

    @property
    def ready(self) -> Sequence[str]:
        """Return the columns that were read."""
        names: list[str] = self._near.column_names
        return names

    def column(self, name: str) -> pa.ChunkedArray:
        """Return one column."""
        table = self._far if name in self._rest.names else self._near
        return table.column(name)

    def rows(self, numbers: Sequence[int] | None = None) -> pa.Table:
        """Return some rows with all columns, or every row."""
        columns = {name: self.column(name) for name in self.schema.names}
        table = pa.table(columns)
        return table if numbers is None else table.take(pa.array(numbers, pa.int64()))

    @cached_property
    def _far(self) -> pa.Table:
        return self._rest.batch(self._number)


def recognise(head: bytes) -> bool:
    """Say whether a log begins as Parquet files do."""
    return head.startswith(MAGIC)


def blocks(content: Content) -> Iterator[RowGroup | Rows]:
    """Yield the row groups of a file, or the rows of one that was packed.

    Raises `InputError` if there is no readable footer: without it nothing can be told apart.
    """
    if content.path:
        with content.path.open("rb") as stream, _opened(stream) as file:
            groups = _groups(content.path, file.metadata)
        yield from groups
        return
    with content.file() as copy, _opened(copy) as file:
        yield from _rows(file)


def _rows(file: "pq.ParquetFile") -> Iterator[Rows]:
    row = 1
    try:
        for part in file.iter_batches(BATCH_ROWS):
            table = pa.Table.from_batches([part])
            yield Rows(table, np.arange(row, row + part.num_rows), length=table.nbytes)
            row += part.num_rows
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"cannot be read from row {row} on: {error}") from None


@contextmanager
def _opened(stream: BinaryIO) -> Iterator["pq.ParquetFile"]:
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(stream)
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"is Parquet that cannot be read, nothing of it was: {error}") from None
    with file:
        names = file.schema_arrow.names
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise InputError(f"has several columns of the name {twice[0]!r}; rename them")
        yield file


def _groups(path: Path, metadata: "pq.FileMetaData") -> list[RowGroup]:
    found: list[RowGroup] = []
    row = 1
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        sizes = [group.column(at).total_compressed_size for at in range(group.num_columns)]
        found.append(RowGroup(path, number, row, group.num_rows, sum(sizes)))
        row += group.num_rows
    return found
