"""Columns of a batch, dictionary-encoded: one code per row, values once per distinct cell.

All work on field values is done per distinct cell and spread by the codes; that is where the
engine's speed comes from.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from tocsin.condition.functions import Scalar, chained
from tocsin.condition.tree import Call
from tocsin.errors import RecordError
from tocsin.jsontext import Json, Number, read_value
from tocsin.logs.values import Values
from tocsin.python.values import kind_name

Codes = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]

ABSENT = -1
"""The code of a row where the field is absent."""


class Texts(Sequence[Sequence[Scalar]]):
    """The values of cells that are one string each."""

    __slots__ = ("texts",)

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = texts

    def __len__(self) -> int:
        return len(self.texts)

    def __getitem__(self, at: Any) -> Any:
        found = self.texts[at]
        return [found] if isinstance(found, str) else Texts(found)


Made = TypeVar("Made")


class Lazy(Sequence[Made], Generic[Made]):
    """Values that are made one by one, each when it is first asked for.

    `kinds` names those that are known before: the kind of a JSON value, or of a cell's only one.
    """

    __slots__ = ("_made", "_make", "kinds")

    def __init__(
        self, size: int, make: Callable[[int], Made], kinds: Sequence[str | None] | None = None
    ) -> None:
        self._make = make
        self._made: list[tuple[Made] | None] = [None] * size
        self.kinds = kinds

    def __len__(self) -> int:
        return len(self._made)

    def __getitem__(self, at: Any) -> Any:
        made = self._made[at]
        if made is None:
            made = self._made[at] = (self._make(at),)
        return made[0]

    def some(self, chosen: Sequence[int]) -> "Lazy[Made]":
        """Return some of the values, in the order given."""
        kinds = self.kinds and [self.kinds[at] for at in chosen]
        return Lazy(len(chosen), lambda at: self[chosen[at]], kinds)


def pick(values: Sequence[Made], chosen: Sequence[int]) -> Sequence[Made]:
    """Return some of the values; what is made when it is asked for is not made for it."""
    if isinstance(values, Lazy):
        return values.some(chosen)
    if isinstance(values, Texts):
        texts = values.texts
        return Texts([texts[at] for at in chosen])  # type: ignore[return-value]
    return [values[at] for at in chosen]


@dataclass(frozen=True, slots=True)
class Cells:
    """A column: `codes[row]` indexes `values`, or is `ABSENT`.

    Each entry of `values` holds the values of one distinct cell; entries may repeat.
    """

    codes: Codes
    values: Sequence[Sequence[Scalar]]

    def spread(self, chosen: Mask) -> Mask:
        """Turn a truth value per distinct cell into one per row; absent rows are false."""
        return spread(np.append(chosen, False), self.codes)

    def via(self, calls: tuple[Call, ...]) -> "Cells":
        """Send every distinct cell through functions; rows stay present even if nothing is left."""
        if not calls or (isinstance(self.values, Texts) and calls == _AS_TEXT):
            return self
        own = self.values
        through = chained(calls)
        if calls == _AS_KIND and any(kinds := _kinds_of(own)):
            known = enumerate(kinds)
            return Cells(self.codes, [[kind] if kind else through(own[at]) for at, kind in known])
        if isinstance(own, Lazy):
            return Cells(self.codes, Lazy(len(own), lambda at: through(own[at])))
        if isinstance(own, Texts):
            return Cells(self.codes, [through((text,)) for text in own.texts])
        return Cells(self.codes, [through(values) for values in own])

    def take(self, rows: Rows) -> "Cells":
        """Return the column of some rows, without the distinct cells that they do not hold."""
        codes = self.codes[rows]
        if len(self.values) <= len(rows):
            return Cells(codes, self.values)
        held, codes = held_codes(codes, len(self.values))
        return Cells(codes, pick(self.values, held.tolist()))

    def map(self, function: Callable[[Values], Values]) -> "Cells":
        """Replace the values of every distinct cell; None makes its rows absent."""
        return drop_absent(self.codes, [function(list(values)) for values in self.values])  # type: ignore[arg-type]


FEW = 4
"""So many cells are looked for one by one faster than by a table."""


def spread(table: Mask, codes: Codes) -> Mask:
    """Return a truth value per row; the table's last one is for absent rows."""
    held = np.flatnonzero(table[:-1])
    if len(held) > FEW or table[-1]:
        return table.take(codes, mode="wrap")
    found = np.zeros(len(codes), dtype=np.bool_)
    for cell in held:
        found |= codes == cell
    return found


def held_codes(codes: Codes, size: int) -> tuple[Rows, Codes]:
    """Return which of `size` codes occur, and each row's number among them."""
    held = np.zeros(size + 1, dtype=np.bool_)
    held[codes] = True
    held[ABSENT] = False
    numbers: Codes = np.cumsum(held, dtype=np.int32) - np.int32(1)
    numbers[ABSENT] = ABSENT
    return np.flatnonzero(held), numbers.take(codes, mode="wrap")


_AS_TEXT = (Call("text"),)
_AS_KIND = (Call("kind"),)


def absent(rows: int) -> Cells:
    """Return a column that is absent in every row."""
    return Cells(np.full(rows, ABSENT, dtype=np.int32), [])


def constant(rows: int, value: str) -> Cells:
    """Return a column that reads the same in every row."""
    return Cells(np.zeros(rows, dtype=np.int32), [[value]])


def choose(parts: Sequence[tuple[Cells, Mask]], rows: int) -> Cells:
    """Take each row from the first part whose mask holds there; rows that none takes are absent."""
    for cells, mask in parts:
        if mask.all():
            return cells
        if mask.any():
            break
    codes = np.full(rows, ABSENT, dtype=np.int32)
    values: list[Sequence[Sequence[Scalar]]] = []
    open_rows = np.ones(rows, dtype=np.bool_)
    before = 0
    for cells, mask in parts:
        taken = open_rows & mask
        if not taken.any():
            continue
        codes[taken] = np.where(cells.codes >= 0, cells.codes + before, ABSENT)[taken]
        values.append(cells.values)
        before += len(cells.values)
        open_rows &= ~taken
    return Cells(codes, _end_to_end(values))


def _end_to_end(parts: Sequence[Sequence[Sequence[Scalar]]]) -> Sequence[Sequence[Scalar]]:
    if len(parts) == 1:
        return parts[0]
    if all(isinstance(part, Texts) for part in parts):
        return Texts([text for part in parts if isinstance(part, Texts) for text in part.texts])
    if any(isinstance(part, Lazy) for part in parts):
        places = [(part, at) for part in parts for at in range(len(part))]
        kinds = [kind for part in parts for kind in _kinds_of(part)]
        return Lazy(len(places), lambda at: places[at][0][places[at][1]], kinds)
    return [values for part in parts for values in part]


def _kinds_of(part: Sequence[Sequence[Scalar]]) -> Sequence[str | None]:
    if isinstance(part, Texts):
        return [kind_name("")] * len(part)
    return (part.kinds if isinstance(part, Lazy) else None) or [None] * len(part)


def together(parts: Sequence[Cells], rows: int) -> Cells:
    """Join the values of several columns row by row."""
    return combine(parts, _join) if parts else absent(rows)


def combine(parts: Sequence[Cells], function: Callable[[Sequence[Values]], Values]) -> Cells:
    """Make values of those that several columns have in a row, once per distinct combination."""
    found, codes = combinations([cells.codes for cells in parts])
    values = [
        function(
            [
                None if code == ABSENT else list(cells.values[code])  # type: ignore[arg-type]
                for cells, code in zip(parts, combination, strict=True)
            ]
        )
        for combination in found
    ]
    return drop_absent(codes, values)


def combinations(columns: Sequence[Codes]) -> tuple[list[tuple[int, ...]], Codes]:
    """Return the distinct combinations of codes that rows have in some columns, and each row's."""
    key, size = np.zeros(len(columns[0]), dtype=np.int64), 1
    for codes in columns:
        width = int(codes.max(initial=ABSENT)) + 2
        if size > _LARGEST // width:
            _, key = np.unique(key, return_inverse=True)
            size = len(key)
        key = key * width + codes + 1
        size *= width
    _, first, numbers = np.unique(key, return_index=True, return_inverse=True)
    found = zip(*(codes[first].tolist() for codes in columns), strict=True)
    return list(found), numbers.astype(np.int32)


_LARGEST = np.iinfo(np.int64).max


def _join(parts: Sequence[Values]) -> Values:
    return [value for values in parts if values is not None for value in values] or None


@dataclass(frozen=True, slots=True)
class Encoded:
    """What stands at one path: `codes[row]` indexes `values`, or is `ABSENT`."""

    codes: Codes
    values: Sequence[Json]
    texts: bool
    """All values are strings."""

    def take(self, rows: Rows) -> "Encoded":
        """Return the column of some rows, without the values that they do not hold."""
        codes = self.codes[rows]
        if len(self.values) <= len(rows):
            return Encoded(codes, self.values, self.texts)
        held, codes = held_codes(codes, len(self.values))
        return Encoded(codes, pick(self.values, held.tolist()), self.texts)


def encode_texts(column: pa.DictionaryArray) -> Encoded:
    """Decode a column of JSON texts, null where the path leads nowhere."""
    codes = codes_of(column)
    letters = pc.utf8_slice_codeunits(column.dictionary, 0, 1)
    firsts = letters.unique().to_pylist()
    if "{" in firsts or "[" in firsts:
        cells = column.dictionary
        kinds = list(map(_KINDS.get, letters.to_pylist()))
        made = Lazy(len(cells), lambda at: _decode_any(cells[at].as_py()), kinds)
        return Encoded(codes, made, texts=False)
    texts = column.dictionary.to_pylist()
    if firsts == ['"']:
        return Encoded(codes, orjson.loads(f"[{','.join(texts)}]"), texts=True)
    return Encoded(codes, decode_texts(texts), texts=not texts)


_KINDS = {'"': kind_name(""), "{": kind_name({}), "[": kind_name([]), "n": kind_name(None)}
"""The kinds of JSON texts by their first letter."""


def codes_of(column: pa.DictionaryArray) -> Codes:
    """Return the codes of an encoded column, `ABSENT` for null."""
    codes: Codes = column.indices.fill_null(ABSENT).to_numpy(zero_copy_only=False)
    return codes.astype(np.int32)


ReadCell: TypeAlias = Callable[[Json], Values]
"""Reads a field's values from the JSON of one cell."""


def read_cells(
    encoded: Encoded,
    read_cell: ReadCell,
    *,
    strings_as_they_are: bool,
    all_as_they_are: bool = False,
) -> Cells:
    """Read a field from every distinct value of a column.

    With `strings_as_they_are` a string is its own value and `read_cell` is not asked; nothing is
    absent then. With `all_as_they_are` any value that is made late is, too, and of a known kind.
    """
    own = encoded.values
    if all_as_they_are and isinstance(own, Lazy):
        return Cells(encoded.codes, Lazy(len(own), lambda at: [own[at]], own.kinds))
    if strings_as_they_are and encoded.texts:
        return Cells(encoded.codes, Texts(own))  # type: ignore[arg-type]
    if strings_as_they_are and isinstance(own, Lazy):
        return Cells(encoded.codes, Lazy(len(own), lambda at: _read_one(own[at], read_cell)))
    if strings_as_they_are:
        return drop_absent(encoded.codes, [_read_one(value, read_cell) for value in own])
    return drop_absent(encoded.codes, [read_cell(value) for value in own])


def _read_one(value: Json, read_cell: ReadCell) -> Any:
    return [value] if isinstance(value, str) else read_cell(value)


def read_opened(
    encoded: Encoded, open_cell: Callable[[Json], Json], readers: Sequence[ReadCell]
) -> list[Cells]:
    """Read what several readers see in the values of a column, each value opened once."""
    values: list[list[Values]] = [[] for _ in readers]
    for value in encoded.values:
        opened = open_cell(value)
        for read_cell, found in zip(readers, values, strict=True):
            found.append(read_cell(opened))
    return [drop_absent(encoded.codes, found) for found in values]


def drop_absent(codes: Codes, values: Sequence[Values]) -> Cells:
    """Make a column of values per code, where None makes its rows absent."""
    if None not in values:
        return Cells(codes, values)  # type: ignore[arg-type]
    keep = np.array([entry is not None for entry in values], dtype=np.bool_)
    numbers = np.append(np.where(keep, np.cumsum(keep) - 1, ABSENT), ABSENT).astype(np.int32)
    return Cells(numbers.take(codes, mode="wrap"), [entry for entry in values if entry is not None])


def decode_texts(texts: Sequence[str]) -> list[Json]:
    """Decode JSON texts, strings all at once."""
    strings = [text for text in texts if text.startswith('"')]
    decoded = iter(orjson.loads(f"[{','.join(strings)}]"))
    return [next(decoded) if text.startswith('"') else _decode(text) for text in texts]


def _decode_any(text: str) -> Json:
    value: Json = orjson.loads(text) if text[0] == '"' else _decode(text)
    return value


def _decode(text: str) -> Json:
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[-1].isdigit():
        return Number(text)
    try:
        return read_value(text)[0]
    except RecordError:
        return text


_CONSTANTS: dict[str, Json] = {"null": None, "true": True, "false": False}
