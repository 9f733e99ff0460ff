"""What the engine found in a batch: by input as columns, or match by match."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np

from tocsin.engine.columns import Rows
from tocsin.engine.frame import Frame
from tocsin.engine.intake import Part, Refused
from tocsin.engine.plan import PlannedInput
from tocsin.engine.records import Records
from tocsin.logs.logtype import Shape


class Match(NamedTuple):
    """A record for which an input's condition holds."""

    row: int
    shape: Shape
    input: PlannedInput


class Found(NamedTuple):
    """The records of one shape for which an input's condition holds."""

    shape: Shape
    input: PlannedInput
    rows: Rows
    """Rows of the batch, in order."""


@dataclass(frozen=True)
class BatchResult:
    """What a batch held."""

    records: Records
    found: tuple[Found, ...]
    refused: tuple[Refused, ...]
    repaired: int
    events: Counter[str] = field(default_factory=Counter)
    """Events per log type."""
    unidentified: Rows = field(default_factory=lambda: np.array([], dtype=np.int64))
    frames: Mapping[Shape, tuple[Part, Frame]] = field(default_factory=dict)
    """The rows of each shape, and their columns as far as they were read."""

    @cached_property
    def matches(self) -> tuple[Match, ...]:
        """Return the matches by row, rule and input."""
        return tuple(in_order(self.found))

    def texts(self, rows: Iterable[int]) -> Mapping[int, str]:
        """Return some rows as JSON texts, repaired where they had to be."""
        wanted = np.unique(np.fromiter(rows, np.int64))
        return dict(zip(wanted.tolist(), self.records.take(wanted).texts(), strict=True))


def each_once(
    shape: Shape, inputs: Sequence[PlannedInput], found: Iterable[tuple[PlannedInput, Rows]]
) -> Iterator[Found]:
    """Yield what was found of one shape, once per input, in the order of the plan's inputs.

    Several variants of an input that hold for a record are one finding: the first one's.
    """
    parts: dict[int, list[Rows]] = {}
    for planned, rows in found:
        parts.setdefault(id(planned), []).append(rows)
    seen: dict[tuple[int, int], Rows] = {}
    for planned in inputs if parts else ():
        if id(planned) not in parts:
            continue
        of = parts[id(planned)]
        rows = of[0] if len(of) == 1 else np.sort(np.concatenate(of))
        place = planned.rule, planned.number
        before = seen.get(place)
        if before is not None:
            rows = rows[~np.isin(rows, before)]
        seen[place] = rows if before is None else np.concatenate((before, rows))
        if len(rows):
            yield Found(shape, planned, rows)


def in_order(found: Sequence[Found]) -> Iterable[Match]:
    """Return matches by row, rule and input."""
    if not found:
        return ()
    found = sorted(found, key=lambda one: (one.input.rule, one.input.number))
    keys = np.concatenate([one.rows * len(found) + at for at, one in enumerate(found)])
    keys.sort()
    rows, of = np.divmod(keys, len(found))
    chosen = of.tolist()
    shapes, inputs, _ = zip(*found, strict=True)
    return map(
        Match, rows.tolist(), map(shapes.__getitem__, chosen), map(inputs.__getitem__, chosen)
    )
