"""Project a batch of raw JSON records into columns, with DuckDB reading the JSON.

A `Frame` is a batch of records of one shape. It reads the leaves that a plan asks for in one query
per layout (see `layout.py`), evaluates expressions on them, and keeps what it read.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tocsin.condition.evaluate import compile_test
from tocsin.condition.tree import (
    And,
    AnyElement,
    Condition,
    FieldsCompare,
    Not,
    Op,
    Or,
    Predicate,
)
from tocsin.engine.columns import (
    Cells,
    Codes,
    Mask,
    Rows,
    absent,
    choose,
    constant,
    decode,
    decode_opened,
    drop_absent,
    together,
)
from tocsin.engine.layout import (
    NOWHERE,
    KeyPath,
    Layout,
    Leaf,
    Reading,
    Signature,
    Source,
    Unseen,
    containers_of,
    leaves_of,
    locate,
    merge_layouts,
)
from tocsin.jsontext import Json, compact, read
from tocsin.logs.logtype import Shape
from tocsin.logs.mapping import (
    All,
    Const,
    Expr,
    First,
    Name,
    Path,
    Table,
    Via,
    When,
    is_filled,
    send_through,
    translate,
)
from tocsin.logs.values import Values, look_up, look_up_once, walk
from tocsin.logs.view import RecordView, cells_below, open_cells

MAX_CONTAINERS = 64
"""How many objects a signature looks at before what is left is read row by row."""
MAX_REMEMBERED = 20_000


class Projector:
    """Reads JSON with DuckDB, and remembers the key signatures it has seen."""

    def __init__(self) -> None:
        self._database = duckdb.connect(":memory:", config={"threads": 1})
        self._signatures: dict[tuple[tuple[KeyPath, ...], int], Signature | None] = {}
        self._sources: dict[tuple[Shape, Signature], dict[Leaf, Source | None]] = {}

    def signatures(self, raw: pa.StringArray, containers: tuple[KeyPath, ...]) -> "Keys":
        """Return the keys of some containers of each record."""
        if len(self._signatures) > MAX_REMEMBERED:
            self._signatures.clear()
            self._sources.clear()
        keys = f"try(json_keys(raw, [{', '.join(map(_quote_path, containers))}]))"
        hashed = self._query(raw, f"select hash(keys) as h from (select {keys} as keys from batch)")
        hashes: npt.NDArray[np.uint64] = hashed.column(0).to_numpy()
        distinct, first, codes = np.unique(hashes, return_index=True, return_inverse=True)
        fresh = [
            (int(value), int(row))
            for value, row in zip(distinct, first, strict=True)
            if (containers, int(value)) not in self._signatures
        ]
        if fresh:
            sample = raw.take(pa.array([row for _, row in fresh]))
            found = self._query(sample, f"select {keys} as keys from batch").column(0).to_pylist()
            for (value, _), lists in zip(fresh, found, strict=True):
                self._signatures[containers, value] = _signature(containers, lists)
        known = [self._signatures[containers, int(value)] for value in distinct]
        return Keys(containers, codes.astype(np.int32), known)

    def extract(self, raw: pa.StringArray, paths: Sequence[KeyPath]) -> list[pa.Array]:
        """Return the JSON text at each path, one array per path, null where it is absent."""
        wanted = ", ".join(map(_quote_path, paths))
        table = self._query(raw, f"select json_extract(raw, [{wanted}]) as found from batch")
        flat = table.column(0).combine_chunks().flatten()
        step = len(paths)
        return [flat.take(pa.array(np.arange(at, len(flat), step))) for at in range(step)]

    def lay_out(
        self, signatures: Iterable[Signature | None], leaves: tuple[Leaf, ...], shape: Shape
    ) -> tuple[list[Layout], dict[KeyPath, None]]:
        """Return a layout per signature, and the containers that have to be looked at first."""
        unseen: dict[KeyPath, None] = {}
        layouts = [
            self._layout(signature, leaves, shape, unseen) if signature else None
            for signature in signatures
        ]
        return layouts, unseen

    def _layout(
        self,
        signature: Signature,
        leaves: tuple[Leaf, ...],
        shape: Shape,
        unseen: dict[KeyPath, None],
    ) -> Layout:
        known = self._sources.setdefault((shape, signature), {})
        sources: list[Source] = []
        for leaf in leaves:
            if leaf not in known:
                try:
                    known[leaf] = locate(leaf, shape, signature)
                except Unseen as missing:
                    unseen[missing.container] = None
                    return None
            source = known[leaf]
            if source is None:
                return None
            sources.append(source)
        return tuple(sources)

    def _query(self, raw: pa.StringArray, sql: str) -> pa.Table:
        self._database.register("batch", pa.table({"raw": raw}))
        try:
            return self._database.sql(sql).to_arrow_table()
        finally:
            self._database.unregister("batch")


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


def _quote_path(path: KeyPath) -> str:
    text = "$" + "".join(f'."{key}"' for key in path)
    return "'" + text.replace("'", "''") + "'"


def _signature(
    containers: tuple[KeyPath, ...], lists: list[list[str] | None] | None
) -> Signature | None:
    if lists is None:
        return None
    return Signature(
        {
            container: None if keys is None else tuple(keys)
            for container, keys in zip(containers, lists, strict=True)
        }
    )


class Frame:
    """Records of one shape as columns; columns are read when they are first asked for."""

    def __init__(
        self, projector: Projector, raw: pa.StringArray, shape: Shape, keys: Keys | None = None
    ) -> None:
        self.raw = raw
        self.shape = shape
        self.rows = len(raw)
        self._projector = projector
        self._keys = keys
        self._leaves: dict[Leaf, Cells] = {}
        self._cells: dict[Expr, Cells] = {}

    def take(self, rows: Rows) -> "Frame":
        """Return a frame of some rows, with the columns that are read already."""
        raw = self.raw.take(pa.array(rows))
        keys = self._keys.take(rows) if self._keys else None
        part = Frame(self._projector, raw, self.shape, keys)
        part._leaves = {leaf: cells.take(rows) for leaf, cells in self._leaves.items()}
        part._cells = {expr: cells.take(rows) for expr, cells in self._cells.items()}
        return part

    def prefetch_for(self, exprs: Iterable[Expr]) -> None:
        """Read at once all that some expressions are sure to need."""
        self.prefetch(leaf for expr in exprs if expr not in self._cells for leaf in leaves_of(expr))

    def prefetch(self, leaves: Iterable[Leaf]) -> None:
        """Read several leaves at once; reading them one by one costs a query each."""
        wanted = tuple(leaf for leaf in dict.fromkeys(leaves) if leaf not in self._leaves)
        if not wanted:
            return
        groups = self._layouts(wanted) if self.rows else []
        parts = [self._read_group(wanted, layout, rows) for layout, rows in groups]
        if len(parts) == 1:
            self._leaves.update(zip(wanted, parts[0], strict=True))
            return
        for at, leaf in enumerate(wanted):
            placed = [
                _place(part[at], rows, self.rows)
                for part, (_, rows) in zip(parts, groups, strict=True)
            ]
            self._leaves[leaf] = choose([(cells, cells.codes >= 0) for cells in placed], self.rows)

    def _layouts(self, leaves: tuple[Leaf, ...]) -> list[tuple[Layout, Rows]]:
        """Group the records by where their leaves stand."""
        wanted = dict.fromkeys(containers_of(leaves, self.shape))
        while True:
            keys = self._look_at(wanted)
            present, codes = np.unique(keys.codes, return_inverse=True)
            signatures = [keys.signatures[at] for at in present.tolist()]
            layouts, unseen = self._projector.lay_out(signatures, leaves, self.shape)
            if not unseen or len(wanted) + len(unseen) > MAX_CONTAINERS:
                break
            wanted.update(unseen)
        merged, numbers = merge_layouts(layouts)
        if len(merged) == 1:
            return [(merged[0], np.arange(self.rows))]
        group = np.array(numbers, dtype=np.int32)[codes]
        return [(layout, np.flatnonzero(group == at)) for at, layout in enumerate(merged)]

    def _look_at(self, containers: Mapping[KeyPath, None]) -> Keys:
        """Return the keys of at least these containers of every record."""
        if self._keys is None or not containers.keys() <= set(self._keys.containers):
            seen = dict.fromkeys(self._keys.containers) if self._keys else {}
            self._keys = self._projector.signatures(self.raw, tuple({**seen, **containers}))
        return self._keys

    def _read_group(self, leaves: Sequence[Leaf], layout: Layout, rows: Rows) -> list[Cells]:
        raw = self.raw if len(rows) == self.rows else self.raw.take(pa.array(rows))
        if layout is None:
            return self._read_rows(leaves, raw.to_pylist())
        by_path: dict[KeyPath, list[Source]] = {}
        for source in dict.fromkeys(layout):
            if source is not NOWHERE:
                by_path.setdefault(source.path, []).append(source)
        if not by_path:
            return [absent(len(rows)) for _ in leaves]
        columns = self._projector.extract(raw, list(by_path))
        decoded: dict[Source, Cells] = {NOWHERE: absent(len(rows))}
        for (path, sources), column in zip(by_path.items(), columns, strict=True):
            decoded.update(self._decode(_as_written(raw, path, column), path, sources))
        return [decoded[source] for source in layout]

    def _decode(
        self, column: pa.DictionaryArray, path: KeyPath, sources: Sequence[Source]
    ) -> Mapping[Source, Cells]:
        """Decode what several sources read of the JSON at one path."""
        cells = cells_below(self.shape.json_cells, path)
        if cells:
            readers = [partial(_read_source, source) for source in sources]
            opened = decode_opened(column, partial(open_cells, cells=cells), readers)
            return dict(zip(sources, opened, strict=True))
        return {
            source: decode(
                column, partial(_read_source, source), strings_as_they_are=not source.rest
            )
            for source in sources
        }

    def _read_rows(self, leaves: Sequence[Leaf], texts: Sequence[str]) -> list[Cells]:
        """Read leaves row by row, from the records themselves."""
        views = [RecordView(read(text).value, self.shape) for text in texts]
        codes = np.arange(len(texts), dtype=np.int32)
        return [drop_absent(codes, [view.evaluate(leaf) for view in views]) for leaf in leaves]

    def cells(self, expr: Expr) -> Cells:
        """Return the column of an expression."""
        if expr not in self._cells:
            self._cells[expr] = self._evaluate(expr)
        return self._cells[expr]

    def _evaluate(self, expr: Expr) -> Cells:
        match expr:
            case Path() | Name():
                if expr not in self._leaves:
                    self.prefetch([expr])
                return self._leaves[expr]
            case Const(value):
                return constant(self.rows, value)
            case First(parts):
                return self._first([self.cells(part) for part in parts])
            case All(parts):
                return together([self.cells(part) for part in parts], self.rows)
            case When(condition, then, otherwise):
                mask = self.mask(condition)
                branches = [(then, mask), (otherwise, ~mask)]
                return choose([(self._cells_where(e, m), m) for e, m in branches if e], self.rows)
            case Table(of):
                return self.cells(of).map(partial(translate, expr))
            case Via(of, calls):
                return self.cells(of).map(partial(send_through, calls))

    def _cells_where(self, expr: Expr, mask: Mask) -> Cells:
        """Return a column that need be right where the mask holds only."""
        rows = np.flatnonzero(mask)
        if not len(rows):
            return absent(self.rows)
        if expr in self._cells or len(rows) == self.rows:
            return self.cells(expr)
        return _place(self.take(rows).cells(expr), rows, self.rows)

    def _first(self, parts: Sequence[Cells]) -> Cells:
        filled = [
            (part, part.spread(np.array([is_filled(v) for v in part.values], dtype=np.bool_)))
            for part in parts
        ]
        present = [(part, part.codes >= 0) for part in parts]
        return choose([*filled, *present], self.rows)

    def mask(self, condition: Condition) -> Mask:
        """Evaluate a condition over exact paths; for identification and `When`, not for rules."""
        match condition:
            case Predicate(field, op, values, fold_case):
                cells = self.cells(Path(field.path))
                if op is Op.EXISTS:
                    return cells.codes >= 0
                test = compile_test(op, values, fold_case)
                hits = [any(map(test, entry)) for entry in cells.via(field.via).values]
                return cells.spread(np.array(hits, dtype=np.bool_))
            case And(parts):
                masks = [self.mask(part) for part in parts]
                return np.logical_and.reduce(masks) if masks else np.ones(self.rows, np.bool_)
            case Or(parts):
                masks = [self.mask(part) for part in parts]
                return np.logical_or.reduce(masks) if masks else np.zeros(self.rows, np.bool_)
            case Not(part):
                return ~self.mask(part)
            case FieldsCompare() | AnyElement():
                raise NotImplementedError("log types compare fields with constants only")


_REWRITTEN = re.compile(r"(?:^|[:\[,])-?\d+[.eE]")


def _as_written(raw: pa.StringArray, path: KeyPath, column: pa.Array) -> pa.DictionaryArray:
    """Encode a column, with the numbers that DuckDB writes in its own way as they were written."""
    encoded = column.dictionary_encode()
    texts = encoded.dictionary.to_pylist()
    odd = [at for at, text in enumerate(texts) if text[0] != '"' and _REWRITTEN.search(text)]
    if not odd:
        return encoded
    written = column.to_pylist()
    for row in np.flatnonzero(np.isin(encoded.indices.fill_null(-1), odd)).tolist():
        value: Json = read(raw[row].as_py()).value
        for key in path:
            assert isinstance(value, dict)
            value = value[key]
        written[row] = compact(value)
    return pa.array(written, pa.string()).dictionary_encode()


def _read_source(source: Source, value: Json) -> Values:
    if source.reading is Reading.PATH:
        return walk(value, source.rest)
    if source.reading is Reading.NAME:
        return look_up(value, source.rest)
    return look_up_once(value, source.rest, ignore_case=True)


def _place(cells: Cells, rows: Rows, size: int) -> Cells:
    codes = np.full(size, -1, dtype=np.int32)
    codes[rows] = cells.codes
    return Cells(codes, cells.values)
