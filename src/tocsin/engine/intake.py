"""Take a batch of raw records in: refuse what holds no object, repair the rest, identify it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from tocsin.condition.simplify import substitute
from tocsin.condition.tree import FALSE, TRUE, Condition, FieldsCompare, Leaf, Op, Predicate, fields
from tocsin.engine.columns import Codes, Rows
from tocsin.engine.layout import ROOT, Signature
from tocsin.engine.project import Frame, Projector
from tocsin.errors import RecordError
from tocsin.jsontext import MAX_DEPTH, compact, nested_too_deep, read
from tocsin.logs.logtype import LogType, Shape
from tocsin.logs.mapping import Path
from tocsin.logs.view import identify

_BRACE = ord("{")
_BIT_BETWEEN_BRACKET_AND_BRACE = 0x20


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
    """A batch, read: its text (repaired where needed), what was refused, and what is what."""

    raw: pa.StringArray
    refused: tuple[Refused, ...]
    repaired: int
    parts: tuple[Part, ...]
    unidentified: Rows


def take_in(raw: pa.Array, projector: Projector, log_types: Sequence[LogType]) -> Intake:
    """Read a batch of JSON texts; `raw` is a string array that need not be valid UTF-8."""
    texts, reasons, repaired = _repair_bytes(raw)
    _refuse_deep(texts, reasons)
    codes, signatures = projector.signatures(texts, (ROOT,))
    fixed = _repair_json(texts, codes, signatures, reasons)
    if fixed:
        repaired += len(fixed)
        texts = _replace(texts, fixed)
    if reasons:
        texts = _replace(texts, dict.fromkeys(reasons, "{}"))
    if fixed or reasons:
        codes, signatures = projector.signatures(texts, (ROOT,))
    identifier = _Identifier(texts, projector, log_types)
    parts, unidentified = identifier.identify(codes, signatures, set(reasons))
    refused = tuple(Refused(row, reasons[row]) for row in sorted(reasons))
    return Intake(texts, refused, repaired, parts, unidentified)


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


def _refuse_deep(texts: pa.StringArray, reasons: dict[int, str]) -> None:
    """Find rows with more brackets than the depth allows, and count exactly only there."""
    _, offsets, data = texts.buffers()
    bounds = np.frombuffer(offsets, np.int32, len(texts) + 1, texts.offset * 4)
    if not len(texts) or bounds[0] == bounds[-1]:
        return
    content = np.frombuffer(data, np.uint8)[bounds[0] : bounds[-1]]
    opening = np.flatnonzero((content | _BIT_BETWEEN_BRACKET_AND_BRACE) == _BRACE)
    counts = np.diff(np.searchsorted(opening, bounds - bounds[0]))
    for row in np.flatnonzero(counts > MAX_DEPTH).tolist():
        if nested_too_deep(texts[row].as_py()):
            reasons[row] = f"nested deeper than {MAX_DEPTH}"


def _repair_json(
    texts: pa.StringArray,
    codes: Codes,
    signatures: Sequence[Signature | None],
    reasons: dict[int, str],
) -> dict[int, str]:
    """Read what DuckDB could not, and rows without keys, one by one; return the rewritten rows."""
    doubtful = [at for at, found in enumerate(signatures) if found is None or not found.of(ROOT)]
    fixed: dict[int, str] = {}
    for row in np.flatnonzero(np.isin(codes, doubtful)).tolist():
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


class _Identifier:
    """Finds the log type and shape of every row: by its keys where they decide, else by values."""

    def __init__(
        self, texts: pa.StringArray, projector: Projector, log_types: Sequence[LogType]
    ) -> None:
        self._texts = texts
        self._projector = projector
        self._log_types = log_types
        self._shapes = [(log_type, shape) for log_type in log_types for shape in log_type.shapes]
        self._numbers = {shape: at for at, (_, shape) in enumerate(self._shapes)}

    def identify(
        self, codes: Codes, signatures: Sequence[Signature | None], refused: set[int]
    ) -> tuple[tuple[Part, ...], Rows]:
        chosen = np.full(len(self._texts), -1, dtype=np.int32)
        by_values: dict[tuple[tuple[int, Condition], ...], list[int]] = {}
        for code, signature in enumerate(signatures):
            keys = (signature.of(ROOT) if signature else ()) or ()
            if len(set(keys)) < len(keys):
                self._one_by_one(np.flatnonzero(codes == code), chosen)
                continue
            open_shapes = self._by_keys(frozenset(keys))
            if open_shapes and open_shapes[0][1] == TRUE:
                chosen[codes == code] = open_shapes[0][0]
            elif open_shapes:
                by_values.setdefault(tuple(open_shapes), []).append(code)
        for shapes, of_codes in by_values.items():
            self._by_values(shapes, np.flatnonzero(np.isin(codes, of_codes)), chosen)
        chosen[list(refused)] = -2
        parts = [
            Part(*self._shapes[number], np.flatnonzero(chosen == number))
            for number in np.unique(chosen[chosen >= 0]).tolist()
        ]
        return tuple(parts), np.flatnonzero(chosen == -1)

    def _by_keys(self, keys: frozenset[str]) -> list[tuple[int, Condition]]:
        """Return the shapes that a record with these keys can be, up to the first that it is."""
        still_open: list[tuple[int, Condition]] = []
        for number, (_, shape) in enumerate(self._shapes):
            rest = substitute(shape.identify, lambda leaf: _known_from(keys, leaf))
            if rest != FALSE:
                still_open.append((number, rest))
            if rest == TRUE:
                break
        return still_open

    def _by_values(
        self, shapes: Sequence[tuple[int, Condition]], rows: Rows, chosen: Codes
    ) -> None:
        raw = self._texts.take(pa.array(rows))
        undecided = np.ones(len(rows), dtype=np.bool_)
        shared = {self._shapes[number][1].json_cells for number, _ in shapes}
        frames = {
            cells: Frame(self._projector, raw, _first_with(self._shapes, shapes, cells=cells))
            for cells in shared
        }
        for cells, frame in frames.items():
            frame.prefetch(
                Path(field.path)
                for number, rest in shapes
                if self._shapes[number][1].json_cells == cells
                for field in fields(rest)
            )
        for number, rest in shapes:
            mask = frames[self._shapes[number][1].json_cells].mask(rest) & undecided
            chosen[rows[mask]] = number
            undecided &= ~mask

    def _one_by_one(self, rows: Rows, chosen: Codes) -> None:
        for row in rows.tolist():
            found = identify(read(self._texts[row].as_py()).value, self._log_types)
            chosen[row] = self._numbers[found[1]] if found else -1


def _known_from(keys: frozenset[str], leaf: Leaf) -> Condition:
    """Decide a predicate on an exact path as far as the record's top-level keys can."""
    if isinstance(leaf, FieldsCompare):
        return leaf
    path = leaf.field.path
    if path[0] not in keys:
        return FALSE
    return TRUE if leaf.op is Op.EXISTS and len(path) == 1 else leaf


def _first_with(
    all_shapes: Sequence[tuple[LogType, Shape]],
    shapes: Sequence[tuple[int, Condition]],
    *,
    cells: bool,
) -> Shape:
    return next(
        all_shapes[number][1] for number, _ in shapes if all_shapes[number][1].json_cells == cells
    )


__all__ = ["Intake", "Part", "Predicate", "Refused", "take_in"]
