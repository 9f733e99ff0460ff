"""A condition on one event, part by part: what holds, what does not, and what each part found.

`evaluate.holds` says whether a condition is true; this says why. The truth of every part is the
same in both.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from tocsin.condition.evaluate import compile_test, operands
from tocsin.condition.functions import Scalar, apply
from tocsin.condition.tree import (
    And,
    AnyElement,
    Condition,
    Field,
    FieldsCompare,
    Leaf,
    Not,
    Op,
    Or,
    Predicate,
)


class Event(Protocol):
    """What a condition is asked of: a record, or one object of an array in it."""

    def read(self, field: Field) -> list[Scalar] | None:
        """Return the values of a field after its functions; None if it is absent."""

    def locate(self, field: Field) -> tuple[str, ...]:
        """Return the keys that a field is read from, as far as the first array."""

    def elements(self, path: tuple[str, ...]) -> Iterable["Event"]:
        """Yield the objects of an array."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a field of a predicate read from the event."""

    path: tuple[str, ...]
    """Where it stands, as far as the first array; empty if it is absent."""
    raw: tuple[Scalar, ...] | None
    """The values as the event has them; None if it is absent."""
    values: tuple[Scalar, ...] | None
    """The same after the field's functions: what the predicate compared."""


@dataclass(frozen=True, slots=True)
class Node:
    """One part of a condition, and whether it holds on the event."""

    condition: Condition
    holds: bool
    children: tuple["Node", ...] = ()
    """The parts; of an `AnyElement` its condition on each object of the array, in order."""
    reading: Reading | None = None
    """What a predicate read; of a comparison the left side, of an `AnyElement` the array."""
    other: Reading | None = None
    """The right side of a comparison."""
    met: tuple[Scalar, ...] = ()
    """The values that a predicate holds for; none where it asks only whether the field is there."""
    scope: tuple[str, ...] = ()
    """Which object of an array the part was asked of: its place in the event."""


def trace(condition: Condition, event: Event, scope: tuple[str, ...] = ()) -> Node:
    """Evaluate every part of a condition on an event, also those that cannot change the result."""
    match condition:
        case And(parts):
            children = tuple(trace(part, event, scope) for part in parts)
            return Node(condition, all(one.holds for one in children), children, scope=scope)
        case Or(parts):
            children = tuple(trace(part, event, scope) for part in parts)
            return Node(condition, any(one.holds for one in children), children, scope=scope)
        case Not(part):
            child = trace(part, event, scope)
            return Node(condition, not child.holds, (child,), scope=scope)
        case AnyElement(path, inner):
            children = tuple(
                trace(inner, element, element.locate(Field(()))) for element in event.elements(path)
            )
            reading = _read(Field(path), event)
            held = any(one.holds for one in children)
            return Node(condition, held, children, reading, scope=scope)
        case Predicate():
            return _trace_predicate(condition, event, scope)
        case FieldsCompare():
            return _trace_comparison(condition, event, scope)


def _trace_predicate(predicate: Predicate, event: Event, scope: tuple[str, ...]) -> Node:
    if not predicate.field.path and predicate.op is not Op.EXISTS:
        return _trace_keyword(predicate, event, scope)
    reading = _read(predicate.field, event)
    if predicate.op is Op.EXISTS:
        return Node(predicate, reading.values is not None, reading=reading, scope=scope)
    test = compile_test(predicate.op, predicate.values, predicate.fold_case)
    met = tuple(value for value in reading.values or () if test(value))
    return Node(predicate, bool(met), reading=reading, met=met, scope=scope)


def _trace_keyword(predicate: Predicate, event: Event, scope: tuple[str, ...]) -> Node:
    """Ask the whole event; what is reported as read is the first value that the predicate met."""
    test = compile_test(predicate.op, predicate.values, predicate.fold_case)
    met = [value for value in event.read(predicate.field) or () if test(value)][:1]
    if not met:
        return Node(predicate, holds=False, reading=Reading((), None, None), scope=scope)
    places = (
        path
        for whole in event.read(Field(())) or ()
        for path, leaf in leaf_paths(whole, event.locate(Field(())))
        if any(map(test, apply(predicate.field.via, [leaf])))
    )
    reading = Reading(next(places, ()), tuple(met), tuple(met))
    return Node(predicate, holds=True, reading=reading, met=tuple(met), scope=scope)


def _trace_comparison(compare: FieldsCompare, event: Event, scope: tuple[str, ...]) -> Node:
    left, right = _read(compare.left, event), _read(compare.right, event)
    tests = [
        compile_test(compare.op, (wanted,), compare.fold_case)
        for wanted in operands(right.values or ())
    ]
    met = tuple(value for value in left.values or () if any(test(value) for test in tests))
    return Node(compare, bool(met), reading=left, other=right, met=met, scope=scope)


def _read(field: Field, event: Event) -> Reading:
    values = event.read(field)
    if values is None:
        return Reading((), None, None)
    raw = event.read(Field(field.path)) if field.via else values
    return Reading(event.locate(field), tuple(raw or ()), tuple(values))


def leaf_paths(
    value: Scalar, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Scalar]]:
    """Yield every scalar below a value with its keys; members of an array have the array's."""
    waiting: list[tuple[tuple[str, ...], Scalar]] = [(path, value)]
    while waiting:
        at, one = waiting.pop()
        if isinstance(one, dict):
            waiting += [((*at, key), item) for key, item in reversed(one.items())]
        elif isinstance(one, list):
            waiting += [(at, item) for item in reversed(one)]
        else:
            yield at, one


def leaf_nodes(node: Node) -> Iterator[Node]:
    """Yield the predicates and comparisons below a node, in order."""
    if isinstance(node.condition, Leaf):
        yield node
    for child in node.children:
        yield from leaf_nodes(child)
