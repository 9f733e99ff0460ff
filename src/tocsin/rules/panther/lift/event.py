"""The methods of the event itself."""

from collections.abc import Callable, Mapping, Sequence

from tocsin.python.values import NULL, PRESENT
from tocsin.rules.panther.lift.logic import has, ite, kind
from tocsin.rules.panther.lift.machine import Machine
from tocsin.rules.panther.lift.nodes import (
    EVENT,
    NONE,
    TRUE,
    Const,
    const,
    get,
)
from tocsin.rules.panther.lift.things import Function, Value

METHODS = frozenset({"deep_get", "deep_walk", "udm", "udm_path", "event_time_epoch", "lookup"})
"""What the event can do that no object inside of it can."""


def call(machine: Machine, name: str, values: Sequence[Value], named: Mapping[str, Value]) -> Value:
    """Return what a method of the event gives."""
    handler = _HANDLERS.get(name)
    keys = [one.value for one in values if isinstance(one, Const) and isinstance(one.value, str)]
    if handler is None or len(keys) < len(values):
        return machine.unknown(f"{name}() of the event")
    return handler(machine, keys, named)


def _deep_get(machine: Machine, keys: list[str], named: Mapping[str, Value]) -> Value:
    if {*named} - {"default"}:
        machine.fail(TRUE, "TypeError")
        return NONE
    if not keys:
        return EVENT
    child = get(0, tuple(keys))
    return machine.choose(kind(child, PRESENT & ~NULL), child, named.get("default", NONE))


def _deep_walk(machine: Machine, keys: list[str], named: Mapping[str, Value]) -> Value:
    if {*named} - {"default", "return_val"} or not keys:
        return machine.unknown("deep_walk() of the event")
    default = machine.pure(named.get("default", NONE))
    return_val = machine.pure(named.get("return_val", const("all")))
    child = get(0, (keys[0],))
    below = machine.apply("deep_walk", child, default, return_val, *map(const, keys[1:]))
    return ite(kind(child, PRESENT & ~NULL), below, default)


def _udm(machine: Machine, keys: list[str], named: Mapping[str, Value]) -> Value:
    model = machine.model
    machine.asked_model = True
    default = named.get("default", NONE)
    if {*named} - {"default"}:
        machine.fail(TRUE, "TypeError")
        return NONE
    if model is not None and model.error:
        machine.fail(TRUE, "Exception")
        return NONE
    if model is not None and len(keys) == 1 and keys[0] in model.meanings:
        return _meant(machine, keys[0], default)
    below = _deep_get(machine, ["p_udm", *keys], {})
    direct = _deep_get(machine, keys, {})
    chosen = machine.choose(machine.truth(direct), direct, default)
    return machine.choose(machine.truth(below), below, chosen)


def _meant(machine: Machine, name: str, default: Value) -> Value:
    """Return what the data model says of a name."""
    from tocsin.rules.panther.lift.calls import call_value

    assert machine.model is not None
    meaning = machine.model.meanings[name]
    if meaning is None:
        return machine.unknown(f"the path of {name} in the data model")
    if isinstance(meaning, tuple):
        if not meaning:
            return EVENT
        child = get(0, meaning)
        return machine.choose(kind(child, PRESENT), child, default)
    module = machine.model.module
    method = module.names.get(meaning) if module else None
    if not isinstance(method, Function):
        return machine.unknown(f"the method {meaning} of the data model")
    return call_value(machine, method, [EVENT], {})


def _udm_path(machine: Machine, keys: list[str], named: Mapping[str, Value]) -> Value:
    machine.asked_model = True
    if machine.model is None:
        machine.fail(TRUE, "Exception")
        return NONE
    if len(keys) != 1 or named:
        machine.fail(TRUE, "TypeError")
        return NONE
    if keys[0] not in machine.model.meanings:
        return NONE
    meaning = machine.model.meanings[keys[0]]
    if meaning is None:
        return machine.unknown(f"the path of {keys[0]} in the data model")
    return const(meaning if isinstance(meaning, str) else ".".join(meaning))


def _event_time_epoch(machine: Machine, keys: list[str], named: Mapping[str, Value]) -> Value:
    if keys or named:
        machine.fail(TRUE, "TypeError")
        return NONE
    child = get(0, ("p_event_time",))
    found = machine.apply("epoch", child)
    return ite(has(child), found, const(0))


_HANDLERS: Mapping[str, Callable[[Machine, list[str], Mapping[str, Value]], Value]] = {
    "deep_get": _deep_get,
    "deep_walk": _deep_walk,
    "udm": _udm,
    "udm_path": _udm_path,
    "event_time_epoch": _event_time_epoch,
}
