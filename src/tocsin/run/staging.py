"""Matches of rules that keep state: they wait on disk, and are put in the order of their times.

A worker writes per block what stages need of each match, and the records that may become alerts.
When every block is done the main process sorts all of it, whatever the order of the files, and runs
the stages. Memory holds the state of the stages, not the matches.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import gettempdir

import duckdb
import numpy as np
import orjson
import pyarrow as pa

from tocsin.engine.capture import Caught
from tocsin.engine.columns import Mask, Rows
from tocsin.engine.stages.hits import Hit
from tocsin.rules.model import Rule
from tocsin.rules.stages import Deduplication, NewTerms, Threshold
from tocsin.times import in_milliseconds

_TEXT = pa.dictionary(pa.int32(), pa.string())
_HITS = pa.schema(
    {
        "rule": pa.int32(),
        "time": pa.int64(),
        "block": pa.int32(),
        "row": pa.int32(),
        "past": pa.bool_(),
        "keys": _TEXT,
        "identity": _TEXT,
    }
)
_RECORDS = pa.schema(
    {
        "row": pa.int32(),
        "line": pa.int64(),
        "source": _TEXT,
        "log_type": _TEXT,
        "shape": _TEXT,
        "text": pa.string(),
    }
)
_OPTIONS = pa.ipc.IpcWriteOptions(compression="lz4", unify_dictionaries=True)
KEPT_BLOCKS = 8
"""How many blocks' records are in memory while alerts are made."""
SORT_MEMORY = "128MB"
"""What sorting may take; beyond it, parts wait on disk."""


@dataclass(frozen=True, slots=True)
class Staged:
    """What one block gave: files that the main process reads, and removes with their folder."""

    hits: Path
    records: Path


class Stager:
    """Writes what one block gives; its records are numbered through its batches."""

    def __init__(
        self, rules: Sequence[Rule], folder: Path | None, source: str, block: int, *, past: bool
    ) -> None:
        """Take rules and a block: the name of its source, its number, whether it is history."""
        folder = folder or Path(gettempdir())
        self._rules = rules
        self._staged = Staged(folder / f"{block}.hits", folder / f"{block}.records")
        self._source = source
        self._block = block
        self._past = past
        self._first_row = 0
        self._kept: dict[int, Caught] = {}
        self._hits: list[pa.RecordBatch] = []
        self._records: list[pa.RecordBatch] = []

    def catch(self, caught: Caught, past: Mask) -> None:
        """Take what was caught of one input in a batch, and which matches are of the past."""
        past = past | self._past
        rule = self._rules[caught.planned.rule]
        self._hits.append(self._hit_batch(caught, past))
        # An alert on a group quotes matches of the past too.
        quoted = isinstance(rule.stage, Threshold | Deduplication)
        may_alert = _may_alert(rule, caught) & (~past | quoted)
        self._kept.update(dict.fromkeys(caught.rows[may_alert].tolist(), caught))

    def keep(self, lines: Rows, texts: Callable[[Iterable[int]], Mapping[int, str]]) -> None:
        """End a batch: keep the records that may become alerts. `texts` gives those of rows."""
        if self._kept:
            rows = sorted(self._kept)
            found = texts(rows)
            self._records.append(self._record_batch(rows, lines, [found[row] for row in rows]))
            self._kept = {}
        self._first_row += len(lines)

    def _hit_batch(self, caught: Caught, past: Mask) -> pa.RecordBatch:
        count = len(caught.rows)
        counts = isinstance(self._rules[caught.planned.rule].stage, Threshold | Deduplication)
        identities = caught.identities if counts else [""] * count
        columns = [
            pa.array(np.full(count, caught.planned.rule, np.int32)),
            pa.array(caught.times),
            pa.array(np.full(count, self._block, np.int32)),
            pa.array((caught.rows + self._first_row).astype(np.int32)),
            pa.array(past),
            pa.DictionaryArray.from_arrays(caught.codes, pa.array(caught.keys, pa.string())),
            pa.array(identities, pa.string()).dictionary_encode(),
        ]
        return pa.record_batch(columns, schema=_HITS)

    def close(self) -> Staged | None:
        """Write the files; None if there was nothing."""
        if not self._hits:
            return None
        _write(self._staged.hits, _HITS, self._hits)
        _write(self._staged.records, _RECORDS, self._records)
        return self._staged

    def _record_batch(
        self, rows: Sequence[int], lines: Rows, texts: Sequence[str]
    ) -> pa.RecordBatch:
        inputs = [self._kept[row] for row in rows]
        columns = [
            pa.array([self._first_row + row for row in rows], pa.int32()),
            pa.array(lines[np.array(rows)], pa.int64()),
            pa.array([self._source] * len(rows), pa.string()).dictionary_encode(),
            pa.array([one.planned.log_type.name for one in inputs]).dictionary_encode(),
            pa.array([one.shape.name for one in inputs]).dictionary_encode(),
            pa.array(texts, pa.string()),
        ]
        return pa.record_batch(columns, schema=_RECORDS)


def _write(path: Path, schema: pa.Schema, batches: Sequence[pa.RecordBatch]) -> None:
    table = pa.Table.from_batches(batches, schema).unify_dictionaries().combine_chunks()
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, schema, options=_OPTIONS) as out:
        out.write_table(table)


def _may_alert(rule: Rule, caught: Caught) -> Mask:
    """Say which matches may become alerts: of new terms those that the batch shows no older of."""
    if not isinstance(rule.stage, NewTerms) or rule.suppression:
        return np.ones(len(caught.rows), np.bool_)
    window = in_milliseconds(rule.stage.window)
    order = np.lexsort((caught.rows, caught.times, caught.codes))
    codes, times = caught.codes[order], caught.times[order]
    again = (codes[1:] == codes[:-1]) & (times[1:] - times[:-1] <= window)
    found = np.ones(len(order), np.bool_)
    found[order[1:]] = ~again
    return found


@dataclass(frozen=True, slots=True)
class StagedRecord:
    """A record that may become an alert, and where it is from."""

    source: str
    line: int
    log_type: str
    shape: str
    text: str


class StagedHits:
    """All that waits, in the order of event times."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._staged: dict[int, Staged] = {}
        self._open: OrderedDict[int, dict[int, StagedRecord]] = OrderedDict()

    def __bool__(self) -> bool:
        """Say whether anything waits."""
        return bool(self._staged)

    def add(self, block: int, staged: Staged) -> None:
        """Take what a block gave."""
        self._staged[block] = staged

    def __iter__(self) -> Iterator[tuple[int, Hit]]:
        """Yield the number of a rule and a match, by time, then in the order of the input."""
        if not self._staged:
            return
        settings = {"memory_limit": SORT_MEMORY, "threads": 1, "temp_directory": str(self._folder)}
        database = duckdb.connect(config=settings)
        database.register("hits", self._reader())
        found = database.sql(
            "SELECT rule, time, block, row, past, keys::VARCHAR, identity::VARCHAR FROM hits "
            "ORDER BY time, block, row, rule"
        ).to_arrow_reader(10_000)
        for batch in found:
            rules, times, blocks, rows, pasts, keys, identities = (
                column.to_pylist() for column in batch.columns
            )
            places = zip(blocks, rows, strict=True)
            yield from zip(
                rules, map(Hit, times, places, map(_values, keys), identities, pasts), strict=True
            )

    def _reader(self) -> pa.RecordBatchReader:
        def batches() -> Iterator[pa.RecordBatch]:
            for staged in self._staged.values():
                with pa.memory_map(str(staged.hits)) as file:
                    yield from pa.ipc.open_file(file).read_all().cast(_PLAIN_HITS).to_batches()

        return pa.RecordBatchReader.from_batches(_PLAIN_HITS, batches())

    def record(self, hit: Hit) -> StagedRecord:
        """Return the record of a match that may become an alert."""
        block, row = hit.place
        if block not in self._open:
            self._open[block] = _read_records(self._staged[block].records)
            if len(self._open) > KEPT_BLOCKS:
                self._open.popitem(last=False)
        self._open.move_to_end(block)
        return self._open[block][row]


_PLAIN_HITS = pa.schema(
    [field.with_type(pa.string()) if field.type == _TEXT else field for field in _HITS]
)


@lru_cache(maxsize=4096)
def _values(keys: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(of_field) for of_field in orjson.loads(keys))


def _read_records(path: Path) -> dict[int, StagedRecord]:
    with pa.memory_map(str(path)) as file:
        table = pa.ipc.open_file(file).read_all()
    rows, lines, sources, log_types, shapes, texts = (one.to_pylist() for one in table.columns)
    return dict(zip(rows, map(StagedRecord, sources, lines, log_types, shapes, texts), strict=True))
