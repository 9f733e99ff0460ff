"""What stages need to know of the matches in a batch, read column by column."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain

import numpy as np
import numpy.typing as npt
import orjson

from tocsin.condition.functions import Scalar
from tocsin.condition.tree import Call
from tocsin.engine.columns import Cells, Codes, Mask, Rows, combinations
from tocsin.engine.frame import Frame
from tocsin.engine.intake import Part
from tocsin.engine.plan import PlannedInput
from tocsin.engine.result import BatchResult, Found
from tocsin.engine.stages.compose import fields_of
from tocsin.logs.logtype import Shape
from tocsin.logs.mapping import Expr
from tocsin.logs.view import name_in
from tocsin.rules.model import Rule
from tocsin.times import EPOCH, Clock, in_milliseconds, read_moment

Times = npt.NDArray[np.int64]
UNDATED = np.iinfo(np.int64).min
"""The time of an event whose time cannot be read."""
_LEAVES = (Call("leaves"),)


@dataclass(frozen=True, slots=True)
class Caught:
    """The matches of one input in a batch."""

    planned: PlannedInput
    shape: Shape
    rows: Rows
    """Rows of the batch, in order."""
    times: Times
    """Milliseconds since 1970, or `UNDATED`."""
    keys: Sequence[str]
    """JSON texts, each distinct one once: a list of texts per field of the rule's stage."""
    codes: Codes
    """The key of each row."""
    identities: Sequence[str]
    """What makes the record of each row one; empty if nothing does."""

    def values(self) -> list[list[list[str]]]:
        """Return the values of each key, per field."""
        return [orjson.loads(key) for key in self.keys]

    def where(self, chosen: Mask) -> "Caught":
        """Return some of the matches."""
        which = np.flatnonzero(chosen).tolist()
        return replace(
            self,
            rows=self.rows[chosen],
            times=self.times[chosen],
            codes=self.codes[chosen],
            identities=[self.identities[at] for at in which],
        )


class Capturing:
    """Reads what stages need of matches."""

    def __init__(self, rules: Sequence[Rule], clock: Clock) -> None:
        self._rules = rules
        self._clock = clock
        self._exprs: dict[int, tuple[Expr, ...]] = {}

    def capture(self, result: BatchResult, found: Iterable[Found]) -> Iterable[Caught]:
        """Yield what some of the matches of a batch are to stages, by shape and input."""
        by_shape: dict[Shape, list[Found]] = {}
        for one in found:
            by_shape.setdefault(one.shape, []).append(one)
        for shape, of in by_shape.items():
            yield from self._of_shape(*result.frames[shape], of)

    def _of_shape(self, part: Part, frame: Frame, found: Sequence[Found]) -> Iterable[Caught]:
        wanted = np.unique(np.concatenate([one.rows for one in found]))
        frame = frame.take(np.searchsorted(part.rows, wanted))
        shape = frame.shape
        exprs = [self._exprs_of(one.input, shape) for one in found]
        frame.prefetch_for([shape.time, *shape.unique, *chain.from_iterable(exprs)])
        times, identities = event_times(frame, self._clock), _identities(frame)
        for one, own in zip(found, exprs, strict=True):
            at = np.searchsorted(wanted, one.rows)
            keys, codes = _keys([frame.cells(expr).via(_LEAVES) for expr in own], at)
            which = [identities[row] for row in at.tolist()]
            yield Caught(one.input, shape, one.rows, times[at], keys, codes, which)

    def _exprs_of(self, planned: PlannedInput, shape: Shape) -> tuple[Expr, ...]:
        key = id(planned)
        if key not in self._exprs:
            rule = self._rules[planned.rule]
            vocabulary = rule.inputs[planned.number].vocabulary
            self._exprs[key] = tuple(
                name_in(shape, vocabulary, planned.variant.names, name) for name in fields_of(rule)
            )
        return self._exprs[key]


def event_times(frame: Frame, clock: Clock) -> Times:
    """Return the event time of every row of a frame."""
    cells = frame.cells(frame.shape.time)
    table = np.array([*(_time(values, clock) for values in cells.values), UNDATED], np.int64)
    found: Times = table[cells.codes]
    return found


def earliest(frame: Frame, clock: Clock) -> int | None:
    """Return the earliest event time in a frame; None if no time can be read."""
    cells = frame.cells(frame.shape.time)
    texts = [value for values in cells.values for value in values[:1] if isinstance(value, str)]
    if len(texts) == len(cells.values) and all(map(_SORTABLE.match, texts)):
        values: Iterable[Sequence[Scalar]] = [[min(texts)]] if texts else ()
    else:
        values = cells.values
    times = [time for of in values if (time := _time(of, clock)) != UNDATED]
    return min(times, default=None)


_SORTABLE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$", re.ASCII)
"""Times that are in order, to the second, if their texts are."""


def _time(values: Sequence[Scalar], clock: Clock) -> int:
    moments = (read_moment(value, clock) for value in values)
    moment = next((one for one in moments if one), None)
    return milliseconds(moment.time) if moment else int(UNDATED)


def milliseconds(when: datetime) -> int:
    """Return a time as milliseconds since 1970, rounded down."""
    return in_milliseconds(when - EPOCH)


def when(time: int) -> datetime | None:
    """Return milliseconds since 1970 as a time; None for `UNDATED`."""
    return None if time == UNDATED else EPOCH + timedelta(milliseconds=time)


def _keys(columns: Sequence[Cells], rows: Rows) -> tuple[list[str], Codes]:
    """Return the distinct combinations of some columns' cells as JSON, and each row's."""
    if not columns:
        return ["[]"], np.zeros(len(rows), np.int32)
    distinct, codes = combinations([cells.codes[rows] for cells in columns])
    texts = [
        orjson.dumps(
            [
                list(cells.values[code]) if code >= 0 else []
                for cells, code in zip(columns, combination, strict=True)
            ]
        ).decode()
        for combination in distinct
    ]
    return texts, codes


def _identities(frame: Frame) -> list[str]:
    """Return what makes each record one: all the values of the shape's `unique`, if it has them."""
    columns = [frame.cells(expr) for expr in frame.shape.unique]
    if not columns:
        return [""] * frame.rows
    texts, codes = _keys([cells.via(_LEAVES) for cells in columns], np.arange(frame.rows))
    whole = np.logical_and.reduce([cells.codes >= 0 for cells in columns])
    return [texts[code] if code >= 0 else "" for code in np.where(whole, codes, -1).tolist()]
