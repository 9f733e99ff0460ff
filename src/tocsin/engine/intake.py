"""Take a batch of raw records in: refuse what holds no object, repair the rest, identify it."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from tocsin.condition.simplify import substitute
from tocsin.condition.tree import FALSE, TRUE, Condition, FieldsCompare, Leaf, Op, fields
from tocsin.engine.columns import Codes, Rows
from tocsin.engine.frame import Frame
from tocsin.engine.layout import ROOT
from tocsin.engine.project import JsonRecords, Projector
from tocsin.engine.records import Keys, Records
from tocsin.engine.tables import TableRecords
from tocsin.errors import RecordError
from tocsin.jsontext import MAX_BYTES, MAX_DEPTH, TOO_DEEP, TOO_LONG, compact, nested_too_deep, read
from tocsin.logs.formats.rows import Columns, has_objects, row_texts
from tocsin.logs.logtype import LogType, Shape
from tocsin.logs.mapping import Path
from tocsin.logs.view import Cells, identify

UNIDENTIFIED, REFUSED = -1, -2
MAX_REMEMBERED = 20_000

_BRACE = ord("{")
_BRACKET_TO_BRACE = np.uint8(ord("[") ^ ord("{"))
_TILE = 256 << 10
"""Bytes looked at in one go: few enough to stay in the processor's cache."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that holds no readable object."""

    row: int
    reason: str


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of a batch that are one shape of one log type, in order."""

    log_type: LogType
    shape: Shape
    rows: Rows


@dataclass(frozen=True, slots=True)
class Intake:
    """A batch, read: its records (repaired where needed), what was refused, and what is what."""

    records: Records
    refused: tuple[Refused, ...]
    repaired: int
    parts: tuple[Part, ...]
    unidentified: Rows


def take_in(batch: pa.Array | Columns, projector: Projector, identifier: "Identifier") -> Intake:
    """Read a batch: a string array of JSON texts that need not be valid, or rows of a table."""
    if isinstance(batch, pa.Array):
        return _take_in_texts(batch, projector, identifier)
    if has_objects(batch.schema):
        texts = pa.array(row_texts(batch.rows()), pa.string())
        return _take_in_texts(texts, projector, identifier)
    records = TableRecords.of(projector, batch)
    parts, unidentified = identifier.identify(records, set())
    return Intake(records, (), 0, parts, unidentified)


def _take_in_texts(raw: pa.Array, projector: Projector, identifier: "Identifier") -> Intake:
    texts, reasons, repaired = _repair_bytes(raw)
    _refuse_unfit(texts, reasons)
    keys = projector.signatures_of_batch(texts)
    fixed = _repair_json(texts, keys, reasons)
    if fixed:
        repaired += len(fixed)
        texts = _replace(texts, fixed)
    if reasons:
        texts = _replace(texts, dict.fromkeys(reasons, "{}"))
    if fixed or reasons:
        keys = projector.signatures_of_batch(texts)
    records = JsonRecords(projector, texts, keys)
    parts, unidentified = identifier.identify(records, set(reasons))
    refused = tuple(Refused(row, reasons[row]) for row in sorted(reasons))
    return Intake(records, refused, repaired, parts, unidentified)


def _repair_bytes(raw: pa.Array) -> tuple[pa.StringArray, dict[int, str], int]:
    """Turn invalid UTF-8 into U+FFFD in the rows that hold it."""
    try:
        raw.validate(full=True)
    except pa.ArrowInvalid:
        texts = [row.as_buffer().to_pybytes() for row in raw]
        valid = [text.decode(errors="replace") for text in texts]
        repaired = sum(text != whole.encode() for text, whole in zip(texts, valid, strict=True))
        return pa.array(valid, pa.string()), {}, repaired
    return raw, {}, 0


def _refuse_unfit(texts: pa.StringArray, reasons: dict[int, str]) -> None:
    """Refuse rows that are too long or nested too deep.

    Depth is counted exactly only in rows with more brackets than it allows.
    """
    _, offsets, data = texts.buffers()
    bounds = np.frombuffer(offsets, np.int32, len(texts) + 1, texts.offset * 4)
    if not len(texts) or bounds[0] == bounds[-1]:
        return
    for row in np.flatnonzero(np.diff(bounds) > MAX_BYTES).tolist():
        reasons[row] = TOO_LONG
    content = np.frombuffer(data, np.uint8)[bounds[0] : bounds[-1]]
    tiles = [
        np.flatnonzero((content[at : at + _TILE] | _BRACKET_TO_BRACE) == _BRACE) + at
        for at in range(0, len(content), _TILE)
    ]
    counts = np.diff(np.searchsorted(np.concatenate(tiles), bounds - bounds[0]))
    for row in np.flatnonzero(counts > MAX_DEPTH).tolist():
        if nested_too_deep(texts[row].as_py()):
            reasons.setdefault(row, TOO_DEEP)


def _repair_json(texts: pa.StringArray, keys: Keys, reasons: dict[int, str]) -> dict[int, str]:
    """Read what DuckDB could not, and rows without keys, one by one; return the rewritten rows."""
    doubtful = [
        at for at, found in enumerate(keys.signatures) if found is None or not found.of(ROOT)
    ]
    fixed: dict[int, str] = {}
    for row in np.flatnonzero(np.isin(keys.codes, doubtful)).tolist():
        if row in reasons:
            continue
        try:
            record = read(texts[row].as_py())
        except RecordError as error:
            reasons[row] = str(error)
            continue
        if record.value:
            fixed[row] = compact(record.value)
    return fixed


def _replace(texts: pa.StringArray, rows: dict[int, str]) -> pa.StringArray:
    replaced = texts.to_pylist()
    for row, text in rows.items():
        replaced[row] = text
    return pa.array(replaced, pa.string())


class Identifier:
    """Finds the log type and shape of every row: by its keys where they decide, else by values."""

    def __init__(self, projector: Projector, log_types: Sequence[LogType]) -> None:
        self._projector = projector
        self._log_types = log_types
        self._shapes = [(log_type, shape) for log_type in log_types for shape in log_type.shapes]
        self._numbers = {shape: at for at, (_, shape) in enumerate(self._shapes)}
        self._open: dict[tuple[str, ...], tuple[tuple[int, Condition], ...]] = {}

    def identify(self, records: Records, refused: set[int]) -> tuple[tuple[Part, ...], Rows]:
        """Split the rows of a batch by log type and shape; return the rows that are none, too."""
        keys = records.keys((ROOT,))
        chosen = np.full(records.count, UNIDENTIFIED, dtype=np.int32)
        by_values: dict[tuple[tuple[int, Condition], ...], list[int]] = {}
        for code, signature in enumerate(keys.signatures):
            top = (signature.of(ROOT) if signature else ()) or ()
            open_shapes = self._by_keys(top)
            if len(set(top)) < len(top):
                self._one_by_one(records, np.flatnonzero(keys.codes == code), chosen)
            elif open_shapes and open_shapes[0][1] == TRUE:
                chosen[keys.codes == code] = open_shapes[0][0]
            elif open_shapes:
                by_values.setdefault(open_shapes, []).append(code)
        for shapes, codes in by_values.items():
            rows = np.flatnonzero(np.isin(keys.codes, codes))
            self._by_values(records, shapes, rows, chosen)
        chosen[list(refused)] = REFUSED
        return self._parts(chosen), np.flatnonzero(chosen == UNIDENTIFIED)

    def _parts(self, chosen: Codes) -> tuple[Part, ...]:
        parts = []
        for number in np.unique(chosen[chosen >= 0]).tolist():
            log_type, shape = self._shapes[number]
            parts.append(Part(log_type, shape, np.flatnonzero(chosen == number)))
        return tuple(parts)

    def _by_keys(self, keys: tuple[str, ...]) -> tuple[tuple[int, Condition], ...]:
        """Return the shapes that a record with these keys can be, up to the first that it is."""
        if keys not in self._open:
            if len(self._open) >= MAX_REMEMBERED:
                self._open.clear()
            self._open[keys] = tuple(self._find_open(frozenset(keys)))
        return self._open[keys]

    def _find_open(self, keys: frozenset[str]) -> Iterator[tuple[int, Condition]]:
        for number, (_, shape) in enumerate(self._shapes):
            rest = substitute(shape.identify, lambda leaf: _known_from(keys, leaf))
            if rest != FALSE:
                yield number, rest
            if rest == TRUE:
                return

    def _by_values(
        self,
        records: Records,
        shapes: Sequence[tuple[int, Condition]],
        rows: Rows,
        chosen: Codes,
    ) -> None:
        part = records.take(rows)
        undecided = np.ones(len(rows), dtype=np.bool_)
        frames: dict[Cells, Frame] = {}
        for number, rest in shapes:
            shape = self._shapes[number][1]
            if shape.json_cells not in frames:
                frame = Frame(self._projector, part, shape)
                frame.prefetch(self._paths(shapes, json_cells=shape.json_cells))
                frames[shape.json_cells] = frame
            mask = frames[shape.json_cells].mask(rest) & undecided
            chosen[rows[mask]] = number
            undecided &= ~mask

    def _paths(
        self, shapes: Sequence[tuple[int, Condition]], *, json_cells: Cells
    ) -> Iterator[Path]:
        for number, rest in shapes:
            if self._shapes[number][1].json_cells == json_cells:
                yield from (Path(field.path) for field in fields(rest))

    def _one_by_one(self, records: Records, rows: Rows, chosen: Codes) -> None:
        for row, text in zip(rows.tolist(), records.take(rows).texts(), strict=True):
            found = identify(read(text).value, self._log_types)
            chosen[row] = self._numbers[found[1]] if found else UNIDENTIFIED


def possible_shapes(
    log_types: Sequence[LogType], columns: Collection[str]
) -> Iterator[tuple[LogType, Shape]]:
    """Yield the shapes that rows of a table with these columns can be."""

    def know(leaf: Leaf) -> Condition:
        absent = not isinstance(leaf, FieldsCompare) and leaf.field.path[0] not in columns
        return FALSE if absent else leaf

    for log_type in log_types:
        for shape in log_type.shapes:
            if substitute(shape.identify, know) != FALSE:
                yield log_type, shape


def _known_from(keys: frozenset[str], leaf: Leaf) -> Condition:
    """Decide a predicate on an exact path as far as the record's top-level keys can."""
    if isinstance(leaf, FieldsCompare):
        return leaf
    path = leaf.field.path
    if path[0] not in keys:
        return FALSE
    return TRUE if leaf.op is Op.EXISTS and len(path) == 1 else leaf
