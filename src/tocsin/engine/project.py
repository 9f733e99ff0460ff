"""Project a batch of raw JSON records into columns, with DuckDB reading the JSON.

A `Frame` is a batch of records of one shape. It reads the leaves that a plan asks for in one query
per layout (see `layout.py`), evaluates expressions on them, and keeps what it read.
"""

from collections.abc import Iterable, Sequence
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
    ReadCell,
    Rows,
    absent,
    choose,
    constant,
    decode,
    drop_absent,
    together,
)
from tocsin.engine.layout import (
    NOWHERE,
    KeyPath,
    Layout,
    Leaf,
    Signature,
    Source,
    Unseen,
    containers_of,
    lay_out,
    leaves_of,
)
from tocsin.jsontext import Json, read
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
from tocsin.logs.values import Values, look_up, walk
from tocsin.logs.view import RecordView, parse_cell

MAX_CONTAINERS = 64
"""How many objects a signature looks at before what is left is read row by row."""
MAX_REMEMBERED = 20_000


class Projector:
    """Reads JSON with DuckDB, and remembers the key signatures it has seen."""

    def __init__(self) -> None:
        self._database = duckdb.connect(":memory:", config={"threads": 1})
        self._signatures: dict[tuple[tuple[KeyPath, ...], int], Signature | None] = {}
        self._layouts: dict[tuple[object, ...], Layout] = {}
        self._wanted: dict[tuple[Shape, tuple[Leaf, ...]], tuple[KeyPath, ...]] = {}

    def signatures(
        self, raw: pa.StringArray, containers: tuple[KeyPath, ...]
    ) -> tuple[Codes, list[Signature | None]]:
        """Return each record's signature, as a code into a list; None for what is no JSON."""
        if len(self._signatures) > MAX_REMEMBERED:
            self._signatures.clear()
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
        return codes.astype(np.int32), known

    def extract(self, raw: pa.StringArray, paths: Sequence[KeyPath]) -> list[pa.Array]:
        """Return the JSON text at each path, one array per path, null where it is absent."""
        wanted = ", ".join(map(_quote_path, paths))
        table = self._query(raw, f"select json_extract(raw, [{wanted}]) as found from batch")
        flat = table.column(0).combine_chunks().flatten()
        step = len(paths)
        return [flat.take(pa.array(np.arange(at, len(flat), step))) for at in range(step)]

    def layouts(
        self, raw: pa.StringArray, leaves: tuple[Leaf, ...], shape: Shape
    ) -> list[tuple[Layout, Rows]]:
        """Group the records by where their leaves stand."""
        containers = self._wanted.get((shape, leaves)) or containers_of(leaves, shape)
        while True:
            codes, signatures = self.signatures(raw, containers)
            layouts, unseen = self._lay_out_all(signatures, leaves, shape, containers)
            if not unseen or len(containers) + len(unseen) > MAX_CONTAINERS:
                break
            containers = (*containers, *unseen)
        self._wanted[shape, leaves] = containers
        distinct = list(dict.fromkeys(layouts))
        if len(distinct) == 1:
            return [(distinct[0], np.arange(len(raw)))]
        group = np.array([distinct.index(layout) for layout in layouts], dtype=np.int32)[codes]
        return [(layout, np.flatnonzero(group == at)) for at, layout in enumerate(distinct)]

    def _lay_out_all(
        self,
        signatures: Sequence[Signature | None],
        leaves: tuple[Leaf, ...],
        shape: Shape,
        containers: tuple[KeyPath, ...],
    ) -> tuple[list[Layout], dict[KeyPath, None]]:
        layouts: list[Layout] = []
        unseen: dict[KeyPath, None] = {}
        for signature in signatures:
            try:
                layouts.append(lay_out(leaves, shape, signature) if signature else None)
            except Unseen as missing:
                unseen[missing.container] = None
                layouts.append(None)
        return layouts, unseen

    def _query(self, raw: pa.StringArray, sql: str) -> pa.Table:
        self._database.register("batch", pa.table({"raw": raw}))
        try:
            return self._database.sql(sql).to_arrow_table()
        finally:
            self._database.unregister("batch")


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
        self, projector: Projector, raw: pa.StringArray, shape: Shape, vocabulary: str = "sigma"
    ) -> None:
        self.raw = raw
        self.shape = shape
        self.rows = len(raw)
        self._projector = projector
        self._vocabulary = vocabulary
        self._leaves: dict[Leaf, Cells] = {}
        self._cells: dict[Expr, Cells] = {}

    def take(self, rows: Rows) -> "Frame":
        """Return a frame of some rows, with the columns that are read already."""
        part = Frame(self._projector, self.raw.take(pa.array(rows)), self.shape, self._vocabulary)
        part._leaves = {leaf: cells.take(rows) for leaf, cells in self._leaves.items()}
        part._cells = {expr: cells.take(rows) for expr, cells in self._cells.items()}
        return part

    def prefetch(self, leaves: Iterable[Leaf]) -> None:
        """Read several leaves at once; reading them one by one costs a query each."""
        wanted = tuple(leaf for leaf in dict.fromkeys(leaves) if leaf not in self._leaves)
        if not wanted:
            return
        if not self.rows:
            self._leaves.update((leaf, absent(0)) for leaf in wanted)
            return
        groups = self._projector.layouts(self.raw, wanted, self.shape)
        parts = [self._read_group(wanted, layout, rows) for layout, rows in groups]
        if len(parts) == 1:
            self._leaves.update(zip(wanted, parts[0], strict=True))
            return
        masks = [_mask(rows, self.rows) for _, rows in groups]
        for at, leaf in enumerate(wanted):
            placed = [
                (_place(part[at], rows, self.rows), mask)
                for part, (_, rows), mask in zip(parts, groups, masks, strict=True)
            ]
            self._leaves[leaf] = choose(placed, self.rows)

    def _read_group(self, leaves: Sequence[Leaf], layout: Layout, rows: Rows) -> list[Cells]:
        raw = self.raw if len(rows) == self.rows else self.raw.take(pa.array(rows))
        if layout is None:
            return self._read_rows(leaves, raw.to_pylist())
        paths = list(dict.fromkeys(source.path for source in layout if source is not NOWHERE))
        if not paths:
            return [absent(len(rows)) for _ in leaves]
        found = dict(zip(paths, self._projector.extract(raw, paths), strict=True))
        decoded: dict[Source, Cells] = {NOWHERE: absent(len(rows))}
        for source in layout:
            if source not in decoded:
                decoded[source] = self._decode(found[source.path], source)
        return [decoded[source] for source in layout]

    def _decode(self, column: pa.Array, source: Source) -> Cells:
        in_cell = self.shape.json_cells and len(source.path) == 1
        read_cell: ReadCell = partial(_read_source, source)
        if in_cell:
            return decode(
                column,
                lambda value: _read_source(source, parse_cell(value)),
                strings_as_they_are=False,
            )
        return decode(column, read_cell, strings_as_they_are=not source.rest)

    def _read_rows(self, leaves: Sequence[Leaf], texts: Sequence[str]) -> list[Cells]:
        """Read leaves row by row, from the records themselves."""
        views = [RecordView(read(text).value, self.shape, self._vocabulary) for text in texts]
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
                other = self.cells(otherwise) if otherwise else absent(self.rows)
                return choose([(self.cells(then), mask), (other, ~mask)], self.rows)
            case Table(of):
                return self.cells(of).map(partial(translate, expr))
            case Via(of, calls):
                return self.cells(of).map(partial(send_through, calls))

    def _first(self, parts: Sequence[Cells]) -> Cells:
        filled = [
            (part, part.spread(np.array([is_filled(v) for v in part.values], dtype=np.bool_)))
            for part in parts
        ]
        present = [(part, part.codes >= 0) for part in parts]
        return choose([*filled, *present], self.rows)

    def prefetch_for(self, exprs: Iterable[Expr]) -> None:
        """Read at once all that some expressions need."""
        self.prefetch(leaf for expr in exprs if expr not in self._cells for leaf in leaves_of(expr))

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


def _read_source(source: Source, value: Json) -> Values:
    return walk(value, source.rest) if source.exact else look_up(value, source.rest)


def _mask(rows: Rows, size: int) -> Mask:
    mask = np.zeros(size, dtype=np.bool_)
    mask[rows] = True
    return mask


def _place(cells: Cells, rows: Rows, size: int) -> Cells:
    codes = np.full(size, -1, dtype=np.int32)
    codes[rows] = cells.codes
    return Cells(codes, cells.values)
