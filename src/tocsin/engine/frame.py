"""A batch of records of one shape as columns.

A `Frame` reads the leaves that a plan asks for, all records of one layout at once (`layout.py`),
evaluates expressions on them, and keeps what it read.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from weakref import ref

import numpy as np

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
from tocsin.engine.choices import leaves_of, open_choices, parts_ahead, rest_of
from tocsin.engine.columns import (
    Cells,
    Encoded,
    Mask,
    Rows,
    Texts,
    absent,
    choose,
    combine,
    constant,
    drop_absent,
    read_cells,
    read_opened,
    together,
)
from tocsin.engine.layout import (
    NOWHERE,
    KeyPath,
    Layout,
    Reading,
    Source,
    containers_of,
    merge_layouts,
)
from tocsin.engine.project import Projector
from tocsin.engine.records import Records
from tocsin.jsontext import Json, read
from tocsin.logs.families import FILLED
from tocsin.logs.logtype import Shape
from tocsin.logs.mapping import (
    All,
    Const,
    Expr,
    First,
    Leaf,
    Merged,
    Name,
    Path,
    Table,
    Via,
    When,
    is_filled,
    merge,
    send_through,
    translate,
)
from tocsin.logs.respelled import Respelled, read_respelled
from tocsin.logs.values import Values, look_up, look_up_once, walk
from tocsin.logs.view import RecordView, cells_below, open_cells
from tocsin.logs.whole import Whole, document_at, read_in_document, read_whole

MAX_CONTAINERS = 64
"""How many objects a signature looks at before what is left is read row by row."""

MOST = 0.5
"""If more of the rows are left of a choice, the rest of it is read of all, at once with others."""


class Frame:
    """Records of one shape as columns; columns are read when they are first asked for."""

    def __init__(self, projector: Projector, records: Records, shape: Shape) -> None:
        self.records = records
        self.shape = shape
        self.rows = records.count
        self._projector = projector
        self._cells: dict[Expr, Cells] = {}
        self._ahead: dict[First, tuple[list[Cells], list[Mask]]] = {}
        self._part_of: tuple[ref[Frame], Rows] | None = None
        self._parts: dict[bytes, Frame] = {}

    def take(self, rows: Rows) -> "Frame":
        """Return a frame of some rows, which has the columns that are read already.

        Of all rows, in order, it is the frame itself, which then has what is read of it.
        """
        if len(rows) == self.rows and (rows == np.arange(self.rows)).all():
            return self
        part = Frame(self._projector, self.records.take(rows), self.shape)
        part._part_of = ref(self), rows
        return part

    def _has(self, expr: Expr) -> bool:
        """Say whether a column is there; one of a frame that this is a part of is taken over."""
        if expr in self._cells:
            return True
        frame = self._part_of[0]() if self._part_of else None
        if self._part_of is None or frame is None or not frame._has(expr):
            return False
        self._cells[expr] = frame._cells[expr].take(self._part_of[1])
        return True

    def prefetch_for(self, exprs: Iterable[Expr]) -> None:
        """Read at once what some expressions need of every row, then what choices leave open."""
        cells = self.shape.json_cells
        wanted = [expr for expr in exprs if not self._has(expr)]
        self.prefetch(leaf for expr in wanted for leaf in leaves_of(expr, cells))
        choices = dict.fromkeys(one for expr in wanted for one in open_choices(expr, cells))
        most: list[First] = []
        few: dict[Frame, list[First]] = {}
        for choice in choices:
            left, rest = self._left(choice), rest_of(choice, cells)
            if left.mean() > MOST:
                most.append(rest)
            elif left.any():
                few.setdefault(self._where(left), []).append(rest)
        self.prefetch(leaf for rest in most for leaf in leaves_of(rest, cells))
        for part, rests in few.items():
            part.prefetch_for(rests)

    def prefetch(self, leaves: Iterable[Leaf]) -> None:
        """Read several leaves at once; reading them one by one costs a query each."""
        wanted = tuple(leaf for leaf in dict.fromkeys(leaves) if not self._has(leaf))
        if not wanted:
            return
        groups = self._layouts(wanted) if self.rows else []
        parts = [self._read_group(wanted, layout, rows) for layout, rows in groups]
        if len(parts) == 1:
            self._cells.update(zip(wanted, parts[0], strict=True))
            return
        for at, leaf in enumerate(wanted):
            placed = [
                _place(part[at], rows, self.rows)
                for part, (_, rows) in zip(parts, groups, strict=True)
            ]
            self._cells[leaf] = choose([(cells, cells.codes >= 0) for cells in placed], self.rows)

    def _layouts(self, leaves: tuple[Leaf, ...]) -> list[tuple[Layout, Rows]]:
        """Group the records by where their leaves stand."""
        needed = self._projector.needed.setdefault(self.shape, {})
        wanted = dict.fromkeys((*containers_of(leaves, self.shape), *needed))
        while True:
            keys = self.records.keys(tuple(wanted))
            present, codes = np.unique(keys.codes, return_inverse=True)
            signatures = [keys.signatures[at] for at in present.tolist()]
            layouts, unseen = self._projector.lay_out(signatures, leaves, self.shape)
            if not unseen or len(wanted) + len(unseen) > MAX_CONTAINERS:
                break
            wanted.update(unseen)
            if len(needed) < MAX_CONTAINERS // 2:
                needed.update(unseen)
        merged, numbers = merge_layouts(layouts)
        if len(merged) == 1:
            return [(merged[0], np.arange(self.rows))]
        group = np.array(numbers, dtype=np.int32)[codes]
        return [(layout, np.flatnonzero(group == at)) for at, layout in enumerate(merged)]

    def _read_group(self, leaves: Sequence[Leaf], layout: Layout, rows: Rows) -> list[Cells]:
        records = self.records if len(rows) == self.rows else self.records.take(rows)
        if layout is None:
            return self._read_rows(leaves, records.texts())
        by_path: dict[KeyPath, list[Source]] = {}
        for source in dict.fromkeys(layout):
            if source is not NOWHERE:
                by_path.setdefault(source.path, []).append(source)
        if not by_path:
            return [absent(len(rows)) for _ in leaves]
        columns = records.columns(list(by_path))
        decoded: dict[Source, Cells] = {NOWHERE: absent(len(rows))}
        for (path, sources), column in zip(by_path.items(), columns, strict=True):
            decoded.update(self._decode(column, path, sources))
        return [decoded[source] for source in layout]

    def _decode(
        self, column: Encoded, path: KeyPath, sources: Sequence[Source]
    ) -> Mapping[Source, Cells]:
        """Decode what several sources read of the JSON at one path."""
        cells = cells_below(self.shape.json_cells, path)
        opening = [source for source in sources if cells and not isinstance(source.leaf, Whole)]
        readers = [partial(_read_source, source) for source in opening]
        opened = read_opened(column, partial(open_cells, cells=cells), readers) if opening else []
        rest = [source for source in sources if source not in opening]
        inside = [
            source for source in rest if isinstance(source.leaf, Whole) and not source.takes_strings
        ]
        shared = inside if len(inside) > 1 else []
        return (
            dict(zip(opening, opened, strict=True))
            | _read_documents(column, shared)
            | {
                source: read_cells(
                    column,
                    partial(_read_source, source),
                    strings_as_they_are=source.takes_strings,
                    all_as_they_are=source.takes_all,
                )
                for source in rest
                if source not in shared
            }
        )

    def _read_rows(self, leaves: Sequence[Leaf], texts: Sequence[str]) -> list[Cells]:
        """Read leaves row by row, from the records themselves."""
        views = [RecordView(read(text).value, self.shape) for text in texts]
        codes = np.arange(len(texts), dtype=np.int32)
        return [drop_absent(codes, [view.evaluate(leaf) for view in views]) for leaf in leaves]

    def cells(self, expr: Expr) -> Cells:
        """Return the column of an expression."""
        if not self._has(expr):
            self._cells[expr] = self._evaluate(expr)
        return self._cells[expr]

    def _evaluate(self, expr: Expr) -> Cells:
        match expr:
            case Path() | Name() | Respelled() | Whole():
                self.prefetch([expr])
                return self._cells[expr]
            case Const(value):
                return constant(self.rows, value)
            case First():
                return self._first(expr)
            case All(parts):
                return together([self.cells(part) for part in parts], self.rows)
            case When(condition, then, otherwise):
                mask = self.mask(condition)
                branches = [(then, mask), (otherwise, ~mask)]
                return choose([(self._cells_where(e, m), m) for e, m in branches if e], self.rows)
            case Table(of):
                return self.cells(of).map(partial(translate, expr))
            case Via(of, calls):
                cells = self.cells(of)
                if calls == FILLED and isinstance(cells.values, Texts) and all(cells.values.texts):
                    return cells
                return cells.map(partial(send_through, calls))
            case Merged(outer, inner):
                columns = [self.cells(outer), *(self.cells(part) for _, part in inner)]
                return combine(columns, partial(_merge, [keys for keys, _ in inner]))

    def _cells_where(self, expr: Expr, mask: Mask) -> Cells:
        """Return a column that need be right where the mask holds only."""
        if not mask.any():
            return absent(self.rows)
        if self._has(expr):
            return self.cells(expr)
        return _place(self._where(mask).cells(expr), np.flatnonzero(mask), self.rows)

    def _where(self, mask: Mask) -> "Frame":
        """Return the frame of some rows, the same for all that ask for them."""
        if mask.all():
            return self
        key = mask.tobytes()
        if key not in self._parts:
            self._parts[key] = self.take(np.flatnonzero(mask))
        return self._parts[key]

    def _first(self, choice: First) -> Cells:
        """Take each row from the first place that says something, else from the first there is."""
        columns, filled = self._read_ahead(choice)
        rest = rest_of(choice, self.shape.json_cells)
        if rest.parts:
            if all(map(self._has, leaves_of(rest, self.shape.json_cells))):
                columns = [*columns, self.cells(rest)]
            else:
                columns = [*columns, self._cells_where(rest, self._left(choice))]
            filled = [*filled, _where_filled(columns[-1])]
        present = [cells.codes >= 0 for cells in columns]
        return choose(list(zip(columns * 2, filled + present, strict=True)), self.rows)

    def _left(self, choice: First) -> Mask:
        """Return the rows in which what is read ahead of a choice says nothing."""
        _, filled = self._read_ahead(choice)
        left: Mask = ~np.logical_or.reduce(filled)
        return left

    def _read_ahead(self, choice: First) -> tuple[list[Cells], list[Mask]]:
        if choice not in self._ahead:
            ahead = choice.parts[: parts_ahead(choice.parts, self.shape.json_cells)]
            columns = [self.cells(part) for part in ahead]
            self._ahead[choice] = columns, [_where_filled(cells) for cells in columns]
        return self._ahead[choice]

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


def _where_filled(cells: Cells) -> Mask:
    if isinstance(cells.values, Texts) and all(cells.values.texts):
        return cells.codes >= 0
    return cells.spread(np.array([is_filled(values) for values in cells.values], dtype=np.bool_))


def _read_documents(column: Encoded, sources: Sequence[Source]) -> dict[Source, Cells]:
    """Read what several sources read inside of documents, each document opened once."""
    documents: dict[tuple[KeyPath, bool], Encoded] = {}
    found: dict[Source, Cells] = {}
    for source in sources:
        leaf = source.leaf
        assert isinstance(leaf, Whole)
        at = leaf.path, leaf.is_entered
        if at not in documents:
            opened = [document_at(value, leaf) for value in column.values]
            documents[at] = Encoded(column.codes, opened, texts=False)
        found[source] = read_cells(
            documents[at], partial(read_in_document, leaf=leaf), strings_as_they_are=False
        )
    return found


def _read_source(source: Source, value: Json) -> Values:
    if isinstance(source.leaf, Respelled):
        return read_respelled(value, source.leaf)
    if source.leaf is not None:
        return read_whole(value, source.leaf)
    if source.reading is Reading.PATH:
        return walk(value, source.rest)
    if source.reading is Reading.NAME:
        return look_up(value, source.rest)
    return look_up_once(value, source.rest, ignore_case=True)


def _merge(keys: Sequence[KeyPath], values: Sequence[Values]) -> Values:
    return merge(values[0], zip(keys, values[1:], strict=True))


def _place(cells: Cells, rows: Rows, size: int) -> Cells:
    codes = np.full(size, -1, dtype=np.int32)
    codes[rows] = cells.codes
    return Cells(codes, cells.values)
