"""The kernel: batches of raw records in, matches out. Pure: it reads no file and keeps no state
that changes a result, so it runs the same in a thread, a process or a cluster task.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property, partial

import numpy as np
import pyarrow as pa

from tocsin.condition.evaluate import compile_test, holds, operands
from tocsin.condition.functions import Scalar
from tocsin.condition.tree import Call, Field, Predicate
from tocsin.engine.anchors import first_leaves, is_slow
from tocsin.engine.columns import ABSENT, Cells, Mask, Rows
from tocsin.engine.combine import Combiner, Outcome, order
from tocsin.engine.frame import Frame
from tocsin.engine.intake import Identifier, Intake, Part, Refused, take_in
from tocsin.engine.keywords import Keyword, KeywordSearch
from tocsin.engine.plan import (
    Column,
    ColumnTest,
    Comparison,
    Elements,
    GateConditions,
    Gated,
    Node,
    Plan,
    PlannedInput,
    columns_of,
    gate_leaves,
    leaf_numbers,
    needed,
)
from tocsin.engine.predicates import ColumnTests, Tables
from tocsin.engine.project import Projector
from tocsin.engine.records import Records
from tocsin.jsontext import Json
from tocsin.logs.formats.rows import Columns
from tocsin.logs.logtype import LogType, Shape
from tocsin.logs.mapping import Expr, every_leaf
from tocsin.logs.view import array_of, read_inside
from tocsin.logs.whole import Whole

PlanFor = Callable[[LogType, Shape], Plan]
"""Gives the plan of a shape; called once per shape that occurs."""

OWN_GROUP = 500
"""Rows of a batch from which on a group of the gate is matched by itself."""
MAX_GATES = 4096
"""How many distinct outcomes of a gate are remembered before they are compiled anew."""


@dataclass(frozen=True, slots=True)
class Match:
    """A record for which an input's condition holds."""

    row: int
    shape: Shape
    input: PlannedInput


@dataclass(frozen=True)
class BatchResult:
    """What a batch held."""

    records: Records
    matches: tuple[Match, ...]
    refused: tuple[Refused, ...]
    repaired: int
    events: Counter[str] = field(default_factory=Counter)
    """Events per log type."""
    unidentified: Rows = field(default_factory=lambda: np.array([], dtype=np.int64))
    frames: Mapping[Shape, tuple[Part, Frame]] = field(default_factory=dict)
    """The rows of each shape, and their columns as far as they were read."""

    def texts(self, rows: Iterable[int]) -> Mapping[int, str]:
        """Return some rows as JSON texts, repaired where they had to be."""
        wanted = np.unique(np.fromiter(rows, np.int64))
        return dict(zip(wanted.tolist(), self.records.take(wanted).texts(), strict=True))


class Matcher:
    """Matches batches against the plans of the log types they hold."""

    def __init__(self, log_types: Sequence[LogType], plan_for: PlanFor) -> None:
        self._plan_for = plan_for
        self._projector = Projector()
        self._identifier = Identifier(self._projector, log_types)
        self._shapes: dict[Shape, _ShapeMatcher] = {}

    def match(self, batch: pa.Array | Columns) -> BatchResult:
        """Match one batch: JSON records, one per string, not necessarily valid; or table rows."""
        intake = take_in(batch, self._projector, self._identifier)
        frames = {part.shape: (part, self._frame(part, intake)) for part in intake.parts}
        matches = [match for of in frames.values() for match in self._match_part(*of)]
        matches.sort(key=lambda match: (match.row, match.input.rule, match.input.number))
        events = Counter({part.log_type.name: 0 for part in intake.parts})
        for part in intake.parts:
            events[part.log_type.name] += len(part.rows)
        return BatchResult(
            intake.records,
            tuple(_first_per_rule(matches)),
            intake.refused,
            intake.repaired,
            events,
            intake.unidentified,
            frames,
        )

    def _frame(self, part: Part, intake: Intake) -> Frame:
        frame = Frame(self._projector, intake.records, part.shape)
        return frame.take(part.rows) if len(part.rows) < frame.rows else frame

    def _match_part(self, part: Part, frame: Frame) -> Iterable[Match]:
        if part.shape not in self._shapes:
            plan = self._plan_for(part.log_type, part.shape)
            self._shapes[part.shape] = _ShapeMatcher(plan)
        for row, planned in self._shapes[part.shape].match(frame):
            yield Match(int(part.rows[row]), part.shape, planned)


def _first_per_rule(matches: Iterable[Match]) -> Iterable[Match]:
    """Keep one match per row and rule input: two variants of it are one finding."""
    seen: tuple[int, int, int] | None = None
    for match in matches:
        key = (match.row, match.input.rule, match.input.number)
        if key != seen:
            yield match
        seen = key


class _ShapeMatcher:
    """The plan of one shape, split at its gate as batches show which outcomes occur.

    Rows are told apart by all columns of the gate where a batch holds many of a kind, else by the
    first column only: a group costs something however few its rows are.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        leaves = gate_leaves(plan)
        self._coarse = _GateLevel(
            plan, {at: of for at, of in leaves.items() if _is_first(plan, at)}
        )
        self._fine = _GateLevel(plan, leaves)

    def match(self, frame: Frame) -> Iterable[tuple[int, PlannedInput]]:
        """Yield (row, input) for every match, group by group."""
        if not self._plan.inputs:
            return
        few: list[Rows] = []
        for outcome, rows in self._fine.groups(frame, np.arange(frame.rows)):
            if len(rows) < OWN_GROUP:
                few.append(rows)
            else:
                yield from self._fine.gate(outcome).matches(frame, rows)
        if few:
            for outcome, rows in self._coarse.groups(frame, np.sort(np.concatenate(few))):
                yield from self._coarse.gate(outcome).matches(frame, rows)


def _is_first(plan: Plan, column: Column) -> bool:
    return bool(plan.gate) and column.expr == plan.gate[0].expr


class _GateLevel:
    """Splits rows by which leaves of the gate hold, and compiles what is left of a plan."""

    def __init__(self, plan: Plan, leaves: Mapping[Column, Sequence[int]]) -> None:
        self._plan = plan
        known = [number for numbers in leaves.values() for number in numbers]
        self._conditions = GateConditions(plan, known)
        self._tests = {
            column: ColumnTests([(number, _predicate(plan, number)) for number in numbers])
            for column, numbers in leaves.items()
        }
        self._gates: dict[frozenset[int], _GateMatcher] = {}

    def groups(self, frame: Frame, rows: Rows) -> Iterable[tuple[frozenset[int], Rows]]:
        """Split some rows of a frame by which of the leaves hold."""
        frame.prefetch_for(column.expr for column in self._tests if column.expr)
        key = np.zeros(len(rows), dtype=np.int64)
        outcomes: list[frozenset[int]] = [frozenset()]
        for column, tests in self._tests.items():
            cells = _column(frame, column)
            distinct, of_cell = _outcomes_of_cells(tests.evaluate(cells), len(cells.values))
            key = key * len(distinct) + of_cell[cells.codes[rows]]
            outcomes = [before | one for before in outcomes for one in distinct]
        by_key = np.argsort(key, kind="stable")
        present, starts = np.unique(key[by_key], return_index=True)
        for at, group in zip(present.tolist(), np.split(rows[by_key], starts[1:]), strict=True):
            yield outcomes[at], group

    def gate(self, outcome: frozenset[int]) -> "_GateMatcher":
        """Return what is left of the plan where just these leaves hold."""
        if outcome not in self._gates:
            if len(self._gates) >= MAX_GATES:
                self._gates.clear()
            self._gates[outcome] = _GateMatcher(self._plan, self._conditions.reduce(outcome))
        return self._gates[outcome]


def _outcomes_of_cells(tables: Tables, cells: int) -> tuple[list[frozenset[int]], Rows]:
    """Return the distinct sets of leaves that hold for a cell, and which one each cell has."""
    if not tables:
        return [frozenset()], np.zeros(cells + 1, dtype=np.int64)
    numbers = np.array(list(tables))
    stacked = np.array(list(tables.values()))
    packed = np.ascontiguousarray(np.packbits(stacked, axis=0).T)
    keys = packed.view([("", packed.dtype)] * packed.shape[1]).reshape(-1)
    _, first, of_cell = np.unique(keys, return_index=True, return_inverse=True)
    return [frozenset(numbers[stacked[:, at]].tolist()) for at in first], of_cell.reshape(-1)


class _GateMatcher:
    """What is left of a plan behind one outcome of its gate, compiled."""

    def __init__(self, plan: Plan, gated: Gated) -> None:
        self.gated = Gated(tuple(map(order, gated.conditions)), gated.inputs, gated.leaves)
        self._plan = plan
        tests: dict[int, ColumnTest] = {}
        keywords: list[Keyword] = []
        others: dict[int, Comparison | Elements] = {}
        for number in gated.leaves:
            leaf = plan.leaves[number]
            if not isinstance(leaf, ColumnTest):
                others[number] = leaf
            elif leaf.column.expr is None:
                keywords.append((number, leaf.column.via, leaf.predicate))
            else:
                tests[number] = leaf
        clauses = [needed(condition) for condition in gated.conditions]
        first = first_leaves(gated, clauses, tests)
        self._combiner = Combiner(self.gated.conditions, clauses, first)
        self._first = _by_column({at: leaf for at, leaf in tests.items() if at in first})
        second = {at: leaf for at, leaf in tests.items() if at not in first}
        self._second = _by_column({at: leaf for at, leaf in second.items() if not is_slow(leaf)})
        self._slow = _by_column({at: leaf for at, leaf in second.items() if is_slow(leaf)})
        columns = (*self._second, *self._slow)
        self._asking = _asking(self.gated.conditions, columns, tests)
        self._others = {at: leaf for at, leaf in others.items() if at in first}
        self._slow_others = {at: leaf for at, leaf in others.items() if at not in first}
        self._open = {at for at, leaf in second.items() if is_slow(leaf)} | self._slow_others.keys()
        self._keyword_search = KeywordSearch(keywords) if keywords else None
        later = {number for number in gated.leaves if number not in first}
        self._exprs, self._late = _by_reading(plan, gated.leaves, later)
        self._waiting = {
            at
            for at, condition in enumerate(self.gated.conditions)
            if not later.isdisjoint(leaf_numbers(condition))
        }

    def matches(self, frame: Frame, rows: Rows) -> Iterable[tuple[int, PlannedInput]]:
        """Yield (row, input) for every match among some rows of a frame."""
        if not self.gated.inputs:
            return
        for number, found in self._match(frame.take(rows)):
            for row in rows[found].tolist():
                yield row, self.gated.inputs[number]

    def _match(self, frame: Frame) -> Iterable[tuple[int, Rows]]:
        frame.prefetch_for(self._exprs)
        outcomes: dict[int, Outcome] = {}
        for column, tests in self._first.items():
            outcomes.update(tests.outcomes(_column(frame, column)))
        outcomes.update(_outcomes_of(self._others, frame))
        if self._keyword_search:
            for number, mask in self._keyword_search.find(frame):
                outcomes[number] = Outcome(mask)
        candidates = self._combiner.candidates(outcomes, frame.rows)
        waiting = [rows for at, rows in candidates.items() if at in self._waiting]
        if waiting:
            part = _Part(frame, np.unique(np.concatenate(waiting)), self._late)
            outcomes.update(self._outcomes_in(part, self._second, candidates))
            if self._open:
                candidates = self._combiner.narrow(candidates, outcomes, self._open)
                outcomes.update(self._outcomes_in(part, self._slow, candidates))
                for number, outcome in _outcomes_of(self._slow_others, part.frame):
                    outcomes[number] = part.spread(outcome)
        return self._combiner.matches(candidates, outcomes)

    def _outcomes_in(
        self, part: "_Part", columns: "Mapping[Column, _Tests]", candidates: Mapping[int, Rows]
    ) -> Iterable[tuple[int, Outcome]]:
        """Yield the outcomes of some columns' tests where a condition can still hold."""
        for column, tests in columns.items():
            asking = [candidates[at] for at in self._asking[column] if at in candidates]
            if asking:
                rows = np.unique(np.concatenate(asking))
                yield from tests.outcomes_among(part.cells(column), column.via, rows)


class _Part:
    """Some rows of a frame, with columns that are read of these rows only."""

    def __init__(self, frame: Frame, rows: Rows, late: Sequence[Expr]) -> None:
        self.frame = frame
        self._rows = rows
        self._all = frame.rows
        if late and len(rows) * 2 < frame.rows:
            self.frame = frame.take(rows)
        self.frame.prefetch_for(late)

    @property
    def _is_whole(self) -> bool:
        return self.frame.rows == self._all

    def cells(self, column: Column) -> Cells:
        """Return a column without its functions, absent in the other rows."""
        assert column.expr is not None
        cells = self.frame.cells(column.expr)
        if self._is_whole:
            return cells
        codes = np.full(self._all, ABSENT, dtype=np.int32)
        codes[self._rows] = cells.codes
        return Cells(codes, cells.values)

    def spread(self, outcome: Outcome) -> Outcome:
        """Return an outcome of these rows as one of all."""
        if self._is_whole:
            return outcome
        mask = np.zeros(self._all, dtype=np.bool_)
        mask[self._rows] = outcome.mask()
        return Outcome(mask)


def _by_reading(
    plan: Plan, leaves: Sequence[int], later: Set[int]
) -> tuple[tuple[Expr, ...], tuple[Expr, ...]]:
    """Return the expressions to read of every row, and those to read of candidates alone.

    The latter are values of documents, of which there are many and each may be large.
    """
    first: dict[Expr, None] = dict.fromkeys(plan.also)
    late: dict[Expr, None] = {}
    for number in leaves:
        for column in columns_of(plan.leaves[number]):
            if column.expr is None:
                continue
            whole = all(isinstance(one, Whole) for one in every_leaf(column.expr))
            (late if whole and number in later else first)[column.expr] = None
    return tuple(first), tuple(expr for expr in late if expr not in first)


def _outcomes_of(
    leaves: "Mapping[int, Comparison | Elements]", frame: Frame
) -> Iterable[tuple[int, Outcome]]:
    for number, leaf in leaves.items():
        mask = _compare(frame, leaf) if isinstance(leaf, Comparison) else _any(frame, leaf)
        if mask.any():
            yield number, Outcome(mask)


def _by_column(tests: Mapping[int, ColumnTest]) -> "dict[Column, _Tests]":
    columns: dict[Column, _Tests] = {}
    for number, leaf in tests.items():
        columns.setdefault(leaf.column, _Tests()).predicates.append((number, leaf.predicate))
    return columns


def _asking(
    conditions: Sequence[Node], columns: Iterable[Column], tests: Mapping[int, ColumnTest]
) -> "dict[Column, list[int]]":
    """Return, per column, the numbers of the conditions that ask anything of it."""
    found: dict[Column, list[int]] = {column: [] for column in columns}
    for at, condition in enumerate(conditions):
        asked = {tests[number].column for number in leaf_numbers(condition) if number in tests}
        for column in asked & found.keys():
            found[column].append(at)
    return found


class _Tests:
    """The tests of one column, compiled when a batch first holds any of it."""

    def __init__(self) -> None:
        self.predicates: list[tuple[int, Predicate]] = []

    @cached_property
    def compiled(self) -> ColumnTests:
        """Return the tests in the form that evaluates them."""
        return ColumnTests(self.predicates)

    def outcomes(self, cells: Cells) -> Iterable[tuple[int, Outcome]]:
        """Yield (leaf number, outcome) for the tests that hold anywhere."""
        if len(cells.values):
            for number, table in self.compiled.evaluate(cells).items():
                yield number, Outcome(table, cells.codes)

    def outcomes_among(
        self, cells: Cells, via: tuple[Call, ...], rows: Rows
    ) -> Iterable[tuple[int, Outcome]]:
        """Yield the outcomes in some rows of a column whose functions have not run yet."""
        chosen = np.unique(cells.codes[rows]).astype(np.int64)
        chosen = chosen[chosen >= 0]
        if not len(chosen):
            return
        values = [cells.values[at] for at in chosen.tolist()]
        held = Cells(np.arange(len(chosen), dtype=np.int32), values).via(via)
        for number, table in self.compiled.evaluate(held).items():
            whole = np.zeros(len(cells.values) + 1, dtype=np.bool_)
            whole[chosen] = table[: len(chosen)]
            yield number, Outcome(whole, cells.codes)


def _predicate(plan: Plan, number: int) -> Predicate:
    leaf = plan.leaves[number]
    assert isinstance(leaf, ColumnTest)
    return leaf.predicate


def _column(frame: Frame, column: Column) -> Cells:
    assert column.expr is not None
    return frame.cells(column.expr).via(column.via)


def _compare(frame: Frame, leaf: Comparison) -> Mask:
    """Compare two columns on the distinct pairs of their cells."""
    left, right = _column(frame, leaf.left), _column(frame, leaf.right)
    pairs, inverse = np.unique(np.stack((left.codes, right.codes)), axis=1, return_inverse=True)
    truth = [
        a >= 0 and b >= 0 and _any_pair(leaf, left.values[a], right.values[b])
        for a, b in pairs.T.tolist()
    ]
    mask: Mask = np.array(truth, dtype=np.bool_)[inverse.reshape(-1)]
    return mask


def _any_pair(leaf: Comparison, left: Sequence[Scalar], right: Sequence[Scalar]) -> bool:
    wanted = tuple(operands(right))
    return bool(wanted) and any(map(compile_test(leaf.op, wanted, leaf.fold_case), left))


def _any(frame: Frame, leaf: Elements) -> Mask:
    """Evaluate a condition on the objects of each distinct array."""
    cells = _column(frame, leaf.column)
    truth = [
        any(
            holds(leaf.condition, partial(_read_element, item, leaf.whole))
            for item in array_of(values, whole=leaf.whole)
            if isinstance(item, dict)
        )
        for values in cells.values
    ]
    return cells.spread(np.array(truth, dtype=np.bool_))


def _read_element(element: Json, whole: bool, field: Field) -> list[Scalar] | None:  # noqa: FBT001
    return read_inside(element, field, whole=whole)
