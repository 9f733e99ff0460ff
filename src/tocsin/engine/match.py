"""The kernel: batches of raw records in, matches out. Pure: it reads no file and keeps no state
that changes a result, so it runs the same in a thread, a process or a cluster task.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from functools import cached_property, partial
from itertools import chain
from typing import TypeVar

import numpy as np
import pyarrow as pa

from tocsin.condition.evaluate import compile_test, holds, operands
from tocsin.condition.functions import Scalar
from tocsin.condition.tree import Call, Field, Predicate
from tocsin.engine.anchors import clause_cost, first_leaves, is_slow, leaf_costs
from tocsin.engine.choices import texts_around
from tocsin.engine.columns import ABSENT, Cells, Mask, Rows, combinations, held_codes, pick
from tocsin.engine.combine import Combiner, Outcome, order
from tocsin.engine.frame import Frame
from tocsin.engine.intake import Identifier, Intake, Part, take_in
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
from tocsin.engine.result import BatchResult, Found, each_once
from tocsin.jsontext import Json
from tocsin.logs.formats.rows import Columns
from tocsin.logs.logtype import LogType, Shape
from tocsin.logs.mapping import Expr, every_leaf
from tocsin.logs.view import array_of, read_inside
from tocsin.logs.whole import Whole

Asked = TypeVar("Asked")

PlanFor = Callable[[LogType, Shape], Plan]
"""Gives the plan of a shape; called once per shape that occurs."""

OWN_GROUP = 500
"""Rows of a batch from which on a group of the gate is matched by itself."""
MAX_GATES = 4096
"""How many distinct outcomes of a gate are remembered before they are compiled anew."""


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
        found = tuple(one for of in frames.values() for one in self._match_part(*of))
        events = Counter({part.log_type.name: 0 for part in intake.parts})
        for part in intake.parts:
            events[part.log_type.name] += len(part.rows)
        return BatchResult(
            intake.records,
            found,
            intake.refused,
            intake.repaired,
            events,
            intake.unidentified,
            frames,
        )

    def _frame(self, part: Part, intake: Intake) -> Frame:
        frame = Frame(self._projector, intake.records, part.shape)
        return frame.take(part.rows) if len(part.rows) < frame.rows else frame

    def _match_part(self, part: Part, frame: Frame) -> Iterable[Found]:
        if part.shape not in self._shapes:
            plan = self._plan_for(part.log_type, part.shape)
            self._shapes[part.shape] = _ShapeMatcher(plan)
        matcher = self._shapes[part.shape]
        for one in each_once(part.shape, matcher.plan.inputs, matcher.match(frame)):
            yield one._replace(rows=part.rows[one.rows])


class _ShapeMatcher:
    """The plan of one shape, split at its gate as batches show which outcomes occur.

    Rows are told apart by all columns of the gate where a batch holds many of a kind, else by the
    first column only: a group costs something however few its rows are.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        leaves = gate_leaves(plan)
        self._coarse = _GateLevel(
            plan, {at: of for at, of in leaves.items() if _is_first(plan, at)}
        )
        self._fine = _GateLevel(plan, leaves)

    def match(self, frame: Frame) -> Iterable[tuple[PlannedInput, Rows]]:
        """Yield (input, rows) for all that matches, group by group."""
        if not self.plan.inputs:
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
        costs = leaf_costs(gated, tests)
        cost_of = partial(clause_cost, costs=costs)
        clauses = [needed(condition, cost_of) for condition in gated.conditions]
        first = first_leaves(gated, clauses, costs)
        self._first = _by_column({at: leaf for at, leaf in tests.items() if at in first})
        second = {at: leaf for at, leaf in tests.items() if at not in first}
        self._second = _by_column({at: leaf for at, leaf in second.items() if not is_slow(leaf)})
        self._slow = _by_column({at: leaf for at, leaf in second.items() if is_slow(leaf)})
        asking = partial(_asking, self.gated.conditions)
        self._asking = asking(
            (*self._second, *self._slow), lambda at: [tests[at].column] if at in tests else []
        )
        self._others = {at: leaf for at, leaf in others.items() if at in first}
        self._slow_others = {at: leaf for at, leaf in others.items() if at not in first}
        self._open = {at for at, leaf in second.items() if is_slow(leaf)} | self._slow_others.keys()
        self._combiner = Combiner(self.gated.conditions, clauses, first, self._open)
        self._keyword_search = KeywordSearch(keywords) if keywords else None
        later = {number for number in gated.leaves if number not in first}
        self._exprs, late = _by_reading(plan, gated.leaves, later)
        self._late = asking(late, lambda at: [one.expr for one in columns_of(plan.leaves[at])])
        self._often: tuple[Expr, ...] = ()
        """What most rows of the last batch were asked for."""
        self._asking_others = asking(self._slow_others, lambda at: [at])

    def matches(self, frame: Frame, rows: Rows) -> Iterable[tuple[PlannedInput, Rows]]:
        """Yield (input, matching rows) among some rows of a frame."""
        if not self.gated.inputs:
            return
        for number, found in self._match(frame.take(rows)):
            yield self.gated.inputs[number], rows[found]

    def _match(self, frame: Frame) -> Iterable[tuple[int, Rows]]:
        frame.prefetch_for((*self._exprs, *self._often))
        outcomes: dict[int, Outcome] = {}
        for column, tests in self._first.items():
            outcomes.update(tests.outcomes(_column(frame, column)))
        outcomes.update(_outcomes_of(self._others, frame))
        if self._keyword_search:
            for number, mask in self._keyword_search.find(frame):
                outcomes[number] = Outcome(mask)
        candidates = self._combiner.candidates(outcomes, frame.rows)
        part = self._read_late(frame, candidates)
        outcomes.update(self._outcomes_in(part, self._second, candidates))
        if not self._open:
            return self._combiner.matches(candidates, outcomes)
        sure, candidates = self._combiner.decide(candidates, outcomes)
        outcomes.update(self._outcomes_in(part, self._slow, candidates))
        others = {
            number: leaf
            for number, leaf in self._slow_others.items()
            if not candidates.keys().isdisjoint(self._asking_others[number])
        }
        for number, outcome in _outcomes_of(others, part.frame):
            outcomes[number] = part.spread(outcome)
        return chain(sure.items(), self._combiner.matches(candidates, outcomes))

    def _read_late(self, frame: Frame, candidates: Mapping[int, Rows]) -> "_Part":
        """Read what candidates are asked for: of every row where most are, else of those alone."""
        asked = dict(_asked(self._late.items(), candidates, frame.rows))
        self._often = tuple(expr for expr, rows in asked.items() if _are_most(rows, frame))
        frame.prefetch_for(self._often)
        few = {expr: rows for expr, rows in asked.items() if expr not in self._often}
        asking = set(chain(*self._asking_others.values()))
        others = [rows for at, rows in candidates.items() if at in asking]
        return _Part(frame, _union([*few.values(), *others], frame.rows), few.keys())

    def _outcomes_in(
        self, part: "_Part", columns: "Mapping[Column, _Tests]", candidates: Mapping[int, Rows]
    ) -> Iterable[tuple[int, Outcome]]:
        """Yield the outcomes of some columns' tests where a condition can still hold."""
        asking = ((column, self._asking[column]) for column in columns)
        for column, rows in _asked(asking, candidates, part.all.rows):
            yield from columns[column].outcomes_among(part.cells(column), column.via, rows)


def _asked(
    asking: Iterable[tuple[Asked, Sequence[int]]], candidates: Mapping[int, Rows], size: int
) -> Iterable[tuple[Asked, Rows]]:
    """Yield what is asked of which rows, given the candidates of the conditions that ask it."""
    known: dict[tuple[int, ...], Rows] = {}
    for one, conditions in asking:
        at = tuple(number for number in conditions if number in candidates)
        if at and at not in known:
            known[at] = _union([candidates[number] for number in at], size)
        if at:
            yield one, known[at]


def _union(parts: Sequence[Rows], size: int) -> Rows:
    """Return the rows, of `size`, that are in any of some parts, in order."""
    held = np.zeros(size, dtype=np.bool_)
    for rows in parts:
        held[rows] = True
    return np.flatnonzero(held)


def _are_most(rows: Rows, frame: Frame) -> bool:
    return len(rows) * 2 >= frame.rows


class _Part:
    """Some rows of a frame, with columns that are read of these rows only."""

    def __init__(self, frame: Frame, rows: Rows, own: Set[Expr]) -> None:
        self.all = frame
        self.frame = frame if _are_most(rows, frame) else frame.take(rows)
        self.frame.prefetch_for(own)
        self._rows = rows
        self._own = own
        self._cells: dict[Expr, Cells] = {}

    def cells(self, column: Column) -> Cells:
        """Return a column without its functions; what is read of these rows only is absent else."""
        assert column.expr is not None
        if self.frame is self.all or column.expr not in self._own:
            return self.all.cells(column.expr)
        if column.expr not in self._cells:
            cells = self.frame.cells(column.expr)
            codes = np.full(self.all.rows, ABSENT, dtype=np.int32)
            codes[self._rows] = cells.codes
            self._cells[column.expr] = Cells(codes, cells.values)
        return self._cells[column.expr]

    def spread(self, outcome: Outcome) -> Outcome:
        """Return an outcome of these rows as one of all."""
        if self.frame is self.all:
            return outcome
        mask = np.zeros(self.all.rows, dtype=np.bool_)
        mask[self._rows] = outcome.mask()
        return Outcome(mask)


def _by_reading(
    plan: Plan, leaves: Sequence[int], later: Set[int]
) -> tuple[tuple[Expr, ...], tuple[Expr, ...]]:
    """Return the expressions to read of every row, and those to read of candidates alone.

    The latter are values of documents, of which there are many and each may be large, and what
    stands inside of texts, which have to be opened.
    """
    first: dict[Expr, None] = dict.fromkeys(plan.also)
    late: dict[Expr, None] = {}
    for number in leaves:
        for column in columns_of(plan.leaves[number]):
            if column.expr is None:
                continue
            costly = texts_around(column.expr, plan.shape.json_cells) or all(
                isinstance(one, Whole) for one in every_leaf(column.expr)
            )
            (late if costly and number in later else first)[column.expr] = None
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
    conditions: Sequence[Node], wanted: Iterable[Asked], asked_by: Callable[[int], Iterable[object]]
) -> dict[Asked, list[int]]:
    """Return, per thing that leaves ask of an event, the numbers of the conditions that ask it."""
    found: dict[Asked, list[int]] = {one: [] for one in wanted}
    for at, condition in enumerate(conditions if found else ()):
        asked = {one for number in leaf_numbers(condition) for one in asked_by(number)}
        for one in found.keys() & asked:
            found[one].append(at)
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
        chosen, _ = held_codes(cells.codes[rows], len(cells.values))
        if not len(chosen):
            return
        values = pick(cells.values, chosen.tolist())
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
    pairs, of = combinations((left.codes, right.codes))
    truth = [
        a >= 0 and b >= 0 and _any_pair(leaf, left.values[a], right.values[b]) for a, b in pairs
    ]
    mask: Mask = np.array(truth, dtype=np.bool_)[of]
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
