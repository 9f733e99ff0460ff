"""Why a rule does or does not match one record: the row-wise reading, part by part.

The verdict is that of the engine and of the alert builder: the same log types, variants and bridges
are asked, and the same conditions of the same names.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from tocsin.condition.changes import Changes, distance, smallest_changes
from tocsin.condition.closeness import Hint, Surroundings, closeness
from tocsin.condition.describe import in_one_line
from tocsin.condition.functions import Scalar, fold
from tocsin.condition.trace import Event, Node, trace
from tocsin.condition.tree import And, Call, Field, fields
from tocsin.engine.bridging import actions_sought, bridged_inputs
from tocsin.engine.plan import select, select_scope
from tocsin.engine.stages.compose import fields_of
from tocsin.jsontext import Json
from tocsin.logs.bridges import Bridge, bridge_names, load_bridge
from tocsin.logs.load import shipped_log_types
from tocsin.logs.logtype import EVERY_EVENT, PANTHER, LogType, Shape, Variant
from tocsin.logs.view import RecordView, identify
from tocsin.rules.model import Indices, Input, LogTypes, Rule, Scope
from tocsin.times import PLAIN_CLOCK, Clock


@dataclass(frozen=True, slots=True)
class Attempt:
    """A rule's input asked of a record under the names of one variant."""

    number: int
    """Which variant of the log source, from 1."""
    bridge: str | None
    gate: Node
    """Which events the variant is for, such as those of a channel."""
    condition: Node
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The fields that the rule's stage and suppression ask for, and their values."""

    @property
    def matches(self) -> bool:
        """Return whether the record is for the variant, and meets the rule's condition."""
        return self.gate.holds and self.condition.holds

    @property
    def distance(self) -> int:
        """Return how many predicates would have to change at least."""
        return distance(self.gate) + distance(self.condition)


@dataclass(frozen=True, slots=True)
class AskedInput:
    """One input of a rule, and what came of it; without attempts, the reasons say why."""

    input: Input
    attempts: tuple[Attempt, ...]
    reasons: tuple[str, ...]
    """Why the input, or a variant of its log source, was not asked."""


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A predicate that would have to change, and how close the record comes to that."""

    node: Node
    wanted: bool
    in_gate: bool
    hint: Hint


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a record was taken for, and what a rule made of it."""

    rule: Rule
    log_type: str | None
    shape: str | None
    time: datetime | None
    inputs: tuple[AskedInput, ...]
    reasons: tuple[str, ...]
    """Why the rule was not asked at all."""
    notes: tuple[str, ...]
    """What else a reader must know, such as that scans leave the rule out."""
    record: dict[str, Json]

    @property
    def matches(self) -> bool:
        """Return whether the rule matches the record."""
        return any(attempt.matches for attempt in self.attempts)

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """Return every attempt of every input, in order."""
        return tuple(attempt for one in self.inputs for attempt in one.attempts)

    @property
    def best(self) -> Attempt | None:
        """Return the attempt that matches, or the first of those that come nearest."""
        return min(self.attempts, key=lambda one: (not one.matches, one.distance), default=None)

    def near_misses(self, limit: int = 5) -> list[tuple[NearMiss, ...]]:
        """Return what would have to change for the rule to match: the smallest sets first."""
        best = self.best
        if best is None or best.matches:
            return []
        return _near_misses(best, Surroundings(self.record), limit)


def explain(
    rule: Rule,
    record: dict[str, Json],
    log_types: Sequence[LogType],
    bridges: Sequence[str] = (),
    clock: Clock = PLAIN_CLOCK,
) -> Explanation:
    """Explain what a rule makes of a record that may be one of some log types."""
    notes = () if rule.enabled else (f"scan leaves {rule.status} rules out: --include-disabled",)
    found = identify(record, log_types)
    if found is None:
        reasons = (*rule.reasons, _unidentified(rule, record, log_types))
        return Explanation(rule, None, None, None, (), reasons, notes, record)
    log_type, shape = found
    view = RecordView(record, shape, clock=clock)
    asked = tuple(_ask(rule, one, view, log_type, log_types, bridges) for one in rule.inputs)
    return Explanation(
        rule, log_type.name, shape.name, view.time(), asked, rule.reasons, notes, record
    )


def _ask(
    rule: Rule,
    one: Input,
    view: RecordView,
    log_type: LogType,
    log_types: Sequence[LogType],
    bridges: Sequence[str],
) -> AskedInput:
    kept = select(log_type, one)
    every = select_scope(log_type, one.scope)
    attempts = [
        _attempt(number, None, rule, one, variant, view)
        for number, variant in enumerate(every, start=1)
        if variant in kept
    ]
    bridged = list(_bridged(rule, one, log_type, log_types, bridges))
    attempts += [_attempt(1, name, rule, one, variant, view) for variant, name in bridged]
    reasons = [*_left_out(one, every), *([] if every else why_not(log_type, one.scope))]
    if not bridged and not any(attempt.matches for attempt in attempts):
        reasons += _bridges_to_try(one, log_type, log_types)
    return AskedInput(one, tuple(attempts), tuple(reasons))


def _attempt(
    number: int, bridge: str | None, rule: Rule, one: Input, variant: Variant, view: RecordView
) -> Attempt:
    gate = trace(variant.condition, view.through(one.vocabulary, EVERY_EVENT))
    seen = view.through(one.vocabulary, variant)
    values = {name: leaf_texts_of(seen, name) for name in fields_of(rule)}
    return Attempt(number, bridge, gate, trace(one.condition, seen), values)


def leaf_texts_of(view: RecordView, name: str) -> tuple[str, ...]:
    """Return the values of a field as stages compare them: the text of each."""
    path = tuple(re.split("[.:]", name)) if view.vocabulary == PANTHER else (name,)
    return tuple(str(text) for text in view.read(Field(path, _LEAVES)) or ())


_LEAVES = (Call("leaves"),)


def _bridged(
    rule: Rule,
    one: Input,
    log_type: LogType,
    log_types: Sequence[LogType],
    bridges: Sequence[str],
) -> Iterator[tuple[Variant, str]]:
    """Yield the variants under which bridges show the events of a log type to an input."""
    for bridge in map(load_bridge, bridges):
        target = _target(bridge, log_types)
        if bridge.source == log_type.name and target:
            for _, at, variant, name in bridged_inputs([rule], bridge, target):
                if rule.inputs[at] is one:
                    yield variant, name


def _bridges_to_try(one: Input, log_type: LogType, log_types: Sequence[LogType]) -> Iterator[str]:
    for bridge in map(load_bridge, bridge_names()):
        target = _target(bridge, log_types) if bridge.source == log_type.name else None
        if target and select(target, one) and actions_sought(one, bridge):
            yield (
                f"the rule looks for operations that {log_type.name} logs under other names: "
                f"--bridge {bridge.name} shows them to it"
            )


def _target(bridge: Bridge, log_types: Sequence[LogType]) -> LogType | None:
    known = {one.name: one for one in (*shipped_log_types(), *log_types)}
    return known.get(bridge.target)


def why_not(log_type: LogType, scope: Scope) -> list[str]:
    """Say why a scope does not select a log type; nothing if it does."""
    name = log_type.name
    if isinstance(scope, Indices):
        if select_scope(log_type, scope):
            return []
        held = "what it says itself" if log_type.documents else _some(log_type.indices) or "none"
        return [f"the rule is for {scope}; {name} is held in {held}"]
    if isinstance(scope, LogTypes):
        if select_scope(log_type, scope):
            return []
        known = _some(log_type.panther) or "none"
        return [f"the rule is for {scope}; to Panther {name} is {known}"]
    if scope.product is not None and fold(scope.product) not in log_type.products:
        products = ", ".join(log_type.products) or "none"
        return [f"the rule is for product {scope.product}; {name} is of product {products}"]
    if scope.product is None and scope.category is None and scope.service is None:
        return ["the rule's log source names no product, category or service"]
    parts = (
        ("category", scope.category, log_type.categories),
        ("service", scope.service, log_type.services),
    )
    return [
        f"the rule is for {part} {wanted}; {name} answers to {_some(known) or 'none'}"
        for part, wanted, known in parts
        if wanted is not None and fold(wanted) not in known
    ]


def _some(names: Iterable[str], shown: int = 6) -> str:
    listed = list(names)
    more = f" … {len(listed) - shown} more" if len(listed) > shown else ""
    return ", ".join(listed[:shown]) + more


def _left_out(one: Input, variants: Sequence[Variant]) -> Iterator[str]:
    """Say which variants have no counterpart for a name that the input uses."""
    names = {fold(field.path[0]): field.path[0] for field in _names(one)}
    for number, variant in enumerate(variants, start=1):
        missing = sorted(names[name] for name in variant.unmapped & names.keys())
        if missing:
            yield (
                f"variant {number} ({in_one_line(variant.condition)}) is left out: "
                f"it has no counterpart for {', '.join(missing)}"
            )


def _names(one: Input) -> list[Field]:
    return [field for field in fields(one.condition) if len(field.path) == 1]


class _Exact:
    """A record whose fields are all exact paths, as identification reads it."""

    def __init__(self, view: RecordView) -> None:
        self._view = view

    def read(self, field: Field) -> list[Scalar] | None:
        return self._view.exact(field)

    def locate(self, field: Field) -> tuple[str, ...]:
        return field.path

    def elements(self, _: tuple[str, ...]) -> Iterator[Event]:
        yield from ()


def _unidentified(rule: Rule, record: dict[str, Json], log_types: Sequence[LogType]) -> str:
    """Say which shape a record comes nearest to, of the log types that the rule is for."""
    wanted = [one for one in log_types if any(select(one, part) for part in rule.inputs)]
    tried = [
        (log_type, shape, trace(shape.identify, _Exact(RecordView(record, shape))))
        for log_type in wanted
        for shape in log_type.shapes
    ]
    text = "the record is of no known log type (--log-type says what it is)"
    if not tried:
        return text
    log_type, shape, node = min(tried, key=lambda one: distance(one[2]))
    missed = smallest_changes(node, lambda *_: 0)
    return f"{text}; {_shape_misses(log_type, shape, missed)}" if missed else text


def _shape_misses(log_type: LogType, shape: Shape, missed: Sequence[Changes]) -> str:
    said = [
        in_one_line(change.node.condition)
        if change.wanted
        else f"not {in_one_line(change.node.condition)}"
        for change in missed[0]
    ]
    return f"to be {log_type.name} / {shape.name} it lacks: {' and '.join(said)}"


def _near_misses(best: Attempt, around: Surroundings, limit: int) -> list[tuple[NearMiss, ...]]:
    whole = And((best.gate.condition, best.condition.condition))
    root = Node(whole, holds=False, children=(best.gate, best.condition))
    hints: dict[tuple[int, bool], Hint] = {}

    def hint(node: Node, wanted: bool) -> Hint:  # noqa: FBT001
        key = (id(node), wanted)
        if key not in hints:
            hints[key] = closeness(node, around, wanted=wanted)
        return hints[key]

    def weigh(node: Node, wanted: bool) -> int:  # noqa: FBT001
        return hint(node, wanted).closeness.rank

    in_gate = {id(node) for node in _nodes(best.gate)}
    return [
        tuple(
            NearMiss(one.node, one.wanted, id(one.node) in in_gate, hint(one.node, one.wanted))
            for one in changes
        )
        for changes in smallest_changes(root, weigh, limit=limit)
    ]


def _nodes(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from _nodes(child)
