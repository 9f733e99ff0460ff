"""What calls of functions gave before: a call with equal arguments gives the same.

Only calls are remembered that read their arguments, constants and the event, and change nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from tocsin.rules.panther.lift.logic import conj, negation
from tocsin.rules.panther.lift.machine import Ended, Machine, Remembered, Store
from tocsin.rules.panther.lift.nodes import FALSE, Node
from tocsin.rules.panther.lift.things import Function, Ref, Value


def key(
    machine: Machine, function: Function, values: Sequence[Value], named: Mapping[str, Value]
) -> object | None:
    """Return what a call is remembered by; None if it cannot be."""
    if function.outer is not None or not all(isinstance(one, Node) for one in values):
        return None
    if not all(isinstance(one, Node) for one in named.values()):
        return None
    if any(isinstance(one, tuple) for one in machine.store):
        return None
    inside = len(machine.active) > 0, machine.plain
    model = id(machine.model)
    return (function, tuple(values), tuple(named.items()), model, machine.caught > 0, inside)


def keep(
    machine: Machine,
    key: object,
    ended: Ended,
    before: tuple[Store, Mapping[tuple[str, str], None], int],
) -> None:
    """Remember a call, if it changed nothing and gave a value or a new container."""
    store, written, notes = before
    returns = [one for one in ended.exits if one.kind == "return"]
    others = [one for one in ended.exits if one.kind != "return"]
    if any(one.kind != "raise" for one in others) or machine.written != written:
        return
    stores = [ended.store, *(one.store for one in ended.exits)]
    if any(one.get(number) is not held for one in stores for number, held in store.items()):
        return
    if any(isinstance(number, tuple) for one in stores for number in one):
        return
    ways = [(one.condition, one.value, one.store) for one in returns]
    if ended.alive is not FALSE:
        ways.append((ended.alive, ended.value, ended.store))
    containers = [isinstance(value, Ref) for _, value, _ in ways]
    if not ways or any(containers) != all(containers):
        return
    made: Node | None = None
    for condition, value, held in reversed(ways):
        node = held.get(value.number) if isinstance(value, Ref) else value
        if not isinstance(node, Node) or (isinstance(value, Ref) and _is_shared(machine, value)):
            return
        made = node if made is None else machine.pure(machine.choose(condition, node, made))
    if made is None:
        return
    noted = tuple(list(machine.obstacles)[notes:])
    machine.memory[key] = Remembered(
        made, all(containers), tuple(others), noted, machine.asked_model
    )


def _is_shared(machine: Machine, ref: Ref) -> bool:
    return ref.of is not None or ref.number in machine.escaped


def replay(machine: Machine, known: Remembered) -> Value:
    """Go on behind a call that is remembered."""
    before = machine.alive
    machine.asked_model |= known.asked_model
    for note in known.notes:
        machine.obstacles[note] = None
    failed = [replace(one, store=machine.store, names=machine.frame.names) for one in known.failed]
    for one in failed:
        reached = conj(before, one.condition)
        if reached is not FALSE:
            machine.exits.append(replace(one, condition=reached))
    machine.alive = conj(before, *(negation(one.condition) for one in failed))
    if machine.alive is FALSE:
        return known.value
    return machine.allocate(known.value) if known.is_container else known.value
