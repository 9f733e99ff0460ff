"""Compile inputs for one shape of a log type: names resolved, predicates numbered and shared.

A plan is plain data. Its conditions are trees of numbers into `tests` and `comparisons`; equal
predicates of different rules are one number and so evaluated once. Automata and regexes are made
from it when a matcher needs them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TypeAlias

from tocsin.condition.functions import fold
from tocsin.condition.tree import (
    TRUE,
    And,
    AnyElement,
    Call,
    Condition,
    Field,
    FieldsCompare,
    Not,
    Op,
    Or,
    Predicate,
    fields,
)
from tocsin.engine.constants import may_hold, outcome
from tocsin.logs.logtype import EVERY_EVENT, PANTHER, LogType, Shape, Variant
from tocsin.logs.mapping import Expr
from tocsin.logs.view import field_in, name_in
from tocsin.rules.model import Indices, Input, LogTypes, Rule, Scope


@dataclass(frozen=True, slots=True)
class PlannedInput:
    """One input of one rule as it runs on one shape; several variants make several of them."""

    rule: int
    """Index into the rules that the plan was made from."""
    number: int
    """Index into the rule's inputs."""
    variant: Variant
    log_type: LogType
    bridge: str | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """What is read from a batch: an expression of the shape, then functions.

    The whole event has no expression.
    """

    expr: Expr | None
    via: tuple[Call, ...] = ()


@dataclass(frozen=True, slots=True)
class ColumnTest:
    """A predicate on a column; the predicate's own field is not used any more."""

    column: Column
    predicate: Predicate


@dataclass(frozen=True, slots=True)
class Comparison:
    """A comparison of two columns of the same event."""

    left: Column
    right: Column
    op: Op
    fold_case: bool


@dataclass(frozen=True, slots=True)
class Elements:
    """An `AnyElement` over a column; evaluated on the distinct arrays of a batch."""

    column: Column
    condition: Condition
    whole: bool = False
    """The fields inside are read whole."""


Leaf: TypeAlias = ColumnTest | Comparison | Elements


@dataclass(frozen=True, slots=True)
class AllOf:
    """True where every part is."""

    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """True where any part is."""

    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class NoneOf:
    """True where the part is not."""

    part: "Node"


Node: TypeAlias = int | AllOf | AnyOf | NoneOf
"""A condition of a plan; a number is a leaf."""


@dataclass(frozen=True, slots=True)
class Plan:
    """All inputs for one shape, over one numbered list of leaves."""

    log_type: LogType
    shape: Shape
    leaves: tuple[Leaf, ...]
    conditions: tuple[Node, ...]
    inputs: tuple[PlannedInput, ...]
    gate: tuple[Column, ...]
    """The columns that decide first which inputs are worth a look."""
    also: tuple[Expr, ...] = ()
    """What is read of every event besides, for others."""

    @property
    def columns(self) -> tuple[Column, ...]:
        """Return every column that the inputs read, each once."""
        return tuple(dict.fromkeys(c for leaf in self.leaves for c in columns_of(leaf)))


def columns_of(leaf: Leaf) -> tuple[Column, ...]:
    """Return the columns a leaf reads."""
    return (leaf.left, leaf.right) if isinstance(leaf, Comparison) else (leaf.column,)


def compile_plan(
    rules: Sequence[Rule],
    log_type: LogType,
    shape: Shape,
    bridged: Iterable[tuple[int, int, Variant, str]] = (),
    also: tuple[Expr, ...] = (),
) -> Plan:
    """Compile the inputs whose scope selects a log type, for one of its shapes.

    `bridged` adds inputs of rules that are written for another log type: rule and input number, the
    variant whose names translate, and the bridge's name. `also` is read besides.
    """
    compiler = _Compiler(log_type, shape)
    for number, rule in enumerate(rules):
        for at, one in enumerate(rule.inputs):
            for variant in select(log_type, one):
                compiler.add(one, PlannedInput(number, at, variant, log_type))
    for number, at, variant, bridge in bridged:
        one = rules[number].inputs[at]
        compiler.add(one, PlannedInput(number, at, variant, log_type, bridge))
    return replace(compiler.plan(), also=also)


def select(log_type: LogType, one: Input) -> tuple[Variant, ...]:
    """Return the variants of a log type that an input's scope selects and its fields allow."""
    variants = select_scope(log_type, one.scope)
    if any(variant.unmapped for variant in variants):
        names = {fold(field.path[0]) for field in fields(one.condition) if len(field.path) == 1}
        variants = tuple(variant for variant in variants if not variant.unmapped & names)
    if isinstance(one.scope, Indices):
        return tuple(variant for variant in variants if may_hold(log_type, one, variant))
    return variants


@lru_cache(maxsize=20_000)
def select_scope(log_type: LogType, scope: Scope) -> tuple[Variant, ...]:
    """Return the variants of a log type that a scope selects."""
    if isinstance(scope, Indices):
        return log_type.select_indices(scope.patterns)
    if isinstance(scope, LogTypes):
        return log_type.select_panther(scope.names)
    return log_type.select(scope.product, scope.category, scope.service)


class _Compiler:
    def __init__(self, log_type: LogType, shape: Shape) -> None:
        self._log_type = log_type
        self._shape = shape
        self._numbers: dict[Leaf, int] = {}
        self._exprs: dict[tuple[int, str, tuple[str, ...]], Expr] = {}
        self._gates: dict[tuple[int, str], tuple[Node, ...]] = {}
        self._conditions: list[Node] = []
        self._inputs: list[PlannedInput] = []

    def add(self, one: Input, planned: PlannedInput) -> None:
        own = self._node(one.condition, one.vocabulary, planned.variant)
        if planned.variant.condition != TRUE:
            key = (id(planned.variant), one.vocabulary)
            if key not in self._gates:
                gate = self._node(planned.variant.condition, one.vocabulary, EVERY_EVENT)
                self._gates[key] = gate.parts if isinstance(gate, AllOf) else (gate,)
            parts = own.parts if isinstance(own, AllOf) else (own,)
            own = AllOf((*self._gates[key], *parts))
        reduced = _reduce(own, {})
        if reduced is not False:
            self._conditions.append(_EVERY if reduced is True else reduced)
            self._inputs.append(planned)

    def plan(self) -> Plan:
        gate = tuple(
            Column(name_in(self._shape, "sigma", {}, name), (Call("text"),))
            for name in self._log_type.gate
        )
        return Plan(
            self._log_type,
            self._shape,
            tuple(self._numbers),
            tuple(self._conditions),
            tuple(self._inputs),
            gate,
        )

    def _node(self, condition: Condition, vocabulary: str, variant: Variant) -> Node:
        match condition:
            case And(parts):
                return AllOf(tuple(self._node(part, vocabulary, variant) for part in parts))
            case Or(parts):
                return AnyOf(tuple(self._node(part, vocabulary, variant) for part in parts))
            case Not(part):
                return NoneOf(self._node(part, vocabulary, variant))
            case Predicate(field):
                column = self._column(field, vocabulary, variant)
                known = None if column.expr is None else outcome(column.expr, condition)
                if known is not None:
                    return _EVERY if known else _NONE
                return self._number(ColumnTest(column, replace(condition, field=_NO_FIELD)))
            case FieldsCompare(left, op, right, fold_case):
                return self._number(
                    Comparison(
                        self._column(left, vocabulary, variant),
                        self._column(right, vocabulary, variant),
                        op,
                        fold_case,
                    )
                )
            case AnyElement(path, inner):
                column = self._column(Field(path), vocabulary, variant)
                return self._number(Elements(column, inner, vocabulary == PANTHER))

    def _number(self, leaf: Leaf) -> int:
        return self._numbers.setdefault(leaf, len(self._numbers))

    def _column(self, field: Field, vocabulary: str, variant: Variant) -> Column:
        if not field.path:
            return Column(None, field.via)
        key = (id(variant), vocabulary, field.path)
        if key not in self._exprs:
            self._exprs[key] = field_in(self._shape, vocabulary, variant.names, field.path)
        return Column(self._exprs[key], field.via)


_NO_FIELD = Field(())
_EVERY, _NONE = AllOf(()), AnyOf(())
"""Conditions that hold on every event, and on none."""


@dataclass(frozen=True, slots=True)
class Gated:
    """What is left of a plan where the outcome of its gate's leaves is known."""

    conditions: tuple[Node, ...]
    inputs: tuple[PlannedInput, ...]
    leaves: tuple[int, ...]
    """The numbers of the leaves that the conditions still ask."""


def gate_leaves(plan: Plan) -> dict[Column, list[int]]:
    """Return, per gate expression as a column without functions, the numbers of its leaves."""
    exprs = {column.expr for column in plan.gate}
    found: dict[Column, list[int]] = {}
    for number, leaf in enumerate(plan.leaves):
        if isinstance(leaf, ColumnTest) and leaf.column.expr in exprs:
            found.setdefault(leaf.column, []).append(number)
    return found


class GateConditions:
    """A plan's conditions, prepared to be evaluated as far as some leaves of the gate can."""

    def __init__(self, plan: Plan, known: Iterable[int]) -> None:
        self._plan = plan
        self._known = frozenset(known)
        self._needed = [
            [clause for clause in needed(condition) if clause <= self._known]
            for condition in plan.conditions
        ]

    def reduce(self, holding: Set[int]) -> Gated:
        """Evaluate conditions, given which leaves hold; drop the inputs that are false."""
        outcome = {number: number in holding for number in self._known}
        plan = self._plan
        kept = [
            (rest, one)
            for condition, one, clauses in zip(
                plan.conditions, plan.inputs, self._needed, strict=True
            )
            if not any(clause.isdisjoint(holding) for clause in clauses)
            and (rest := _reduce(condition, outcome)) is not False
        ]
        conditions = tuple(AllOf(()) if rest is True else rest for rest, _ in kept)
        leaves = sorted({number for condition in conditions for number in leaf_numbers(condition)})
        return Gated(conditions, tuple(one for _, one in kept), tuple(leaves))


def _reduce(node: Node, known: Mapping[int, bool]) -> "Node | bool":
    if isinstance(node, int):
        return known.get(node, node)
    if isinstance(node, NoneOf):
        part = _reduce(node.part, known)
        return (not part) if isinstance(part, bool) else NoneOf(part)
    absorbing = isinstance(node, AnyOf)
    parts: list[Node] = []
    for part in node.parts:
        reduced = _reduce(part, known)
        if isinstance(reduced, bool):
            if reduced is absorbing:
                return absorbing
        else:
            parts.append(reduced)
    if not parts:
        return not absorbing
    return parts[0] if len(parts) == 1 else type(node)(tuple(parts))


def leaf_numbers(node: Node) -> list[int]:
    """Return the numbers of the leaves of a condition, in order."""
    if isinstance(node, int):
        return [node]
    if isinstance(node, NoneOf):
        return leaf_numbers(node.part)
    return [number for part in node.parts for number in leaf_numbers(part)]


def needed(node: Node, cost_of: Callable[[frozenset[int]], float] = len) -> list[frozenset[int]]:
    """Return clauses of which each must have a true leaf for the condition to hold.

    A disjunction gives one, of the clauses of its parts that cost least, and of these the shortest.
    """
    if isinstance(node, int):
        return [frozenset((node,))]
    if isinstance(node, AllOf):
        return [clause for part in node.parts for clause in needed(part, cost_of)]
    if isinstance(node, NoneOf):
        return []
    parts = [needed(part, cost_of) for part in node.parts]
    if not all(parts):
        return []
    best = (min(part, key=lambda clause: (cost_of(clause), len(clause))) for part in parts)
    return [frozenset().union(*best)]
