"""Loops: over what is known turn by turn, over a list of the event as a quantifier or a fold."""

import ast
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from tocsin.rules.panther.lift.comprehensions import (
    MOST_ITEMS,
    assign,
    check_iterable,
    members,
    over_list,
    variable_for,
)
from tocsin.rules.panther.lift.logic import conj, disj, ite, negation
from tocsin.rules.panther.lift.machine import Ended, Exit, Machine
from tocsin.rules.panther.lift.nodes import (
    FALSE,
    NONE,
    TRUE,
    Get,
    Ite,
    Node,
    app,
    const,
    lam,
    seq,
)
from tocsin.rules.panther.lift.things import Value
from tocsin.rules.panther.lift.trees import walk

_MOST_TURNS = 64
"""Turns of a `while` loop."""


class _Way(NamedTuple):
    condition: Node
    store: Mapping[object, Value]
    names: Mapping[str, Value]


def for_(machine: Machine, node: ast.For) -> None:
    """Run a `for` loop."""
    _over(machine, node, machine.peek(machine.evaluate(node.iter)))


def _over(machine: Machine, node: ast.For, of: Node) -> None:
    if machine.alive is FALSE:
        return
    if isinstance(of, Ite):

        def on(leaf: Node) -> Callable[[], Value]:
            def action() -> Value:
                _over(machine, node, leaf)
                return NONE

            return action

        machine.branch(of.condition, on(of.then), on(of.otherwise))
        return
    known = members(of)
    if known is not None and len(known) <= MOST_ITEMS:
        turns = [_turn(machine, node, item) for item in known]
        _turn_by_turn(machine, turns, node.orelse)
        return
    check_iterable(machine, of)
    _over_list(machine, node, of)


def _turn(machine: Machine, node: ast.For, item: Node) -> Callable[[], Value]:
    def action() -> Value:
        assign(machine, node.target, item)
        machine.execute(node.body)
        return NONE

    return action


def _turn_by_turn(
    machine: Machine, turns: Sequence[Callable[[], Value]], orelse: Sequence[ast.stmt]
) -> None:
    broken: list[_Way] = []
    for turn in turns:
        if machine.alive is FALSE:
            break
        broken += _one_turn(machine, machine.scope(turn))
    machine.execute(orelse)
    _settle(machine, [_Way(machine.alive, machine.store, machine.frame.names), *broken])


def _one_turn(machine: Machine, ended: Ended) -> list[_Way]:
    """Go on behind one turn; return the ways out of the loop."""
    before = machine.alive
    ways = [_Way(conj(before, ended.alive), ended.store, ended.names)]
    broken: list[_Way] = []
    others = []
    for one in ended.exits:
        if one.kind not in {"break", "continue"}:
            others.append(one)
            continue
        way = _Way(conj(before, one.condition), one.store, one.names)
        (broken if one.kind == "break" else ways).append(way)
    machine.adopt(others, TRUE)
    _settle(machine, ways)
    return broken


def _settle(machine: Machine, ways: Sequence[_Way]) -> None:
    open_ways = [way for way in ways if way.condition is not FALSE]
    machine.alive = disj(*(way.condition for way in open_ways))
    if not open_ways:
        return
    *others, (_, store, names) = open_ways
    for condition, other_store, other_names in reversed(others):
        store = machine.merge(condition, other_store, store)
        names = machine.merge(condition, other_names, names)
    machine.store, machine.frame.names = store, names


def while_(machine: Machine, node: ast.While) -> None:
    """Run a `while` loop whose condition is known on every turn."""
    broken: list[_Way] = []

    def action() -> Value:
        machine.execute(node.body)
        return NONE

    for _ in range(_MOST_TURNS):
        condition = machine.truth(machine.evaluate(node.test))
        if machine.alive is FALSE or condition is FALSE:
            break
        if condition is not TRUE:
            machine.give_up("a while loop over the event")
            break
        broken += _one_turn(machine, machine.scope(action))
    else:
        machine.give_up("a while loop of many turns")
    machine.execute(node.orelse)
    _settle(machine, [_Way(machine.alive, machine.store, machine.frame.names), *broken])


# Over a list of the event


def _over_list(machine: Machine, node: ast.For, of: Node) -> None:
    one = variable_for(machine, of)
    ended = machine.scope(_turn(machine, node, one))
    if any(way.kind == "lost" for way in ended.exits):
        machine.give_up("a loop over the event that is not followed")
        return
    changed = _changed(machine, node.target, [ended])
    returns = [way for way in ended.exits if way.kind == "return"]
    breaks = any(way.kind == "break" for way in ended.exits)
    same = all(way.value is returns[0].value for way in returns)
    closed = not returns or _is_outside(returns[0].value, one)
    plain = not any(isinstance(key, str) and key in machine.frame.names for key in changed)
    if (
        same
        and closed
        and plain
        and not breaks
        and not _stored(changed)
        and not _raises(machine, ended)
    ):
        _search(machine, of, one, returns)
        _forget_names(machine, node, changed)
        machine.execute(node.orelse)
        return
    _fold(machine, node, of, one, changed)


def _raises(machine: Machine, ended: Ended) -> bool:
    return bool(machine.caught) and any(way.kind == "raise" for way in ended.exits)


def _stored(changed: Sequence[object]) -> bool:
    return any(not isinstance(key, str) for key in changed)


def _is_outside(value: Value, one: Node) -> bool:
    assert isinstance(one, Get)
    return isinstance(value, Node) and one.base not in value.variables


def _search(machine: Machine, of: Node, one: Node, returns: Sequence[Exit]) -> None:
    """Return where some member makes the body return; else nothing has happened."""
    if not returns:
        return
    found = over_list(of, one, disj(*(way.condition for way in returns)), every=False)
    before = machine.alive
    machine.alive = conj(before, found)
    machine.leave("return", returns[0].value)
    machine.alive = conj(before, negation(found))


def _changed(machine: Machine, target: ast.expr, ends: Sequence[Ended]) -> list[object]:
    """Return the names and containers that a turn leaves changed."""
    bound = {name.id for name in walk(target) if isinstance(name, ast.Name)}
    found: dict[object, None] = {}
    for ended in ends:
        states = [(ended.store, ended.names)] + [(way.store, way.names) for way in ended.exits]
        for store, names in states:
            found |= _differing(machine.store, store)
            found |= _differing(machine.frame.names, names)
    return [key for key in found if key not in bound]


def _differing(before: Mapping[Any, Value], after: Mapping[Any, Value]) -> dict[object, None]:
    return {key: None for key in after if before.get(key) is not after[key]}


def _forget_names(machine: Machine, node: ast.For, changed: Sequence[object]) -> None:
    """Names that turns of a loop have given are not known behind it."""
    bound = [name.id for name in walk(node.target) if isinstance(name, ast.Name)]
    lost = [*bound, *(key for key in changed if isinstance(key, str))]
    unknown = {name: machine.unknown(f"{name} behind a loop over the event") for name in lost}
    machine.frame.names = {**machine.frame.names, **unknown}


class _State(NamedTuple):
    """What turns of a fold hand on: names and containers, and the variable for their values."""

    keys: tuple[object, ...]
    variable: Node


def _fold(machine: Machine, node: ast.For, of: Node, one: Node, changed: Sequence[object]) -> None:
    """Run a loop over a list of the event as a fold, with what its turns change as the state."""
    keys = [key for key in changed if _before(machine, key) is not None]
    for _ in range(4):
        state = _State(tuple(keys), machine.variable(of_event=False))
        ended = _run_turn(machine, node, one, state)
        again = _changed_in(machine, node.target, state, ended)
        more = [key for key in again if key not in keys and _before(machine, key) is not None]
        if not more:
            break
        keys += more
    else:
        machine.give_up("a loop over the event that changes more and more")
        return
    if any(way.kind == "lost" for way in ended.exits):
        machine.give_up("a loop over the event that is not followed")
        return
    step = _step(machine, state, ended)
    start = _values(machine, state, machine.store, machine.frame.names)
    if step is None or start is None:
        machine.give_up("a loop over the event that hands on functions")
        return
    assert isinstance(state.variable, Get)
    assert isinstance(one, Get)
    fold = app("fold", of, start, lam((state.variable.base, one.base), step))
    if machine.caught and any(way.kind == "raise" for way in ended.exits):
        machine.fail(machine.unknown("a loop that raises inside of `try`"), None)
    _after_fold(machine, node, fold, state, ended)
    fresh = [key for key in again if isinstance(key, str) and key not in keys]
    _forget_names(machine, node, fresh)


def _before(machine: Machine, key: object) -> Value | None:
    if isinstance(key, str):
        return machine.frame.names.get(key)
    found = machine.store.get(key)
    return machine.untouched(key, None) if found is None and isinstance(key, tuple) else found


def _run_turn(machine: Machine, node: ast.For, one: Node, state: _State) -> Ended:
    turn = _turn(machine, node, one)

    def action() -> Value:
        for at, key in enumerate(state.keys):
            value = app("item", state.variable, const(at))
            if isinstance(key, str):
                machine.frame.names = {**machine.frame.names, key: value}
            else:
                machine.store = {**machine.store, key: value}
        return turn()

    return machine.scope(action)


def _changed_in(machine: Machine, target: ast.expr, state: _State, ended: Ended) -> list[object]:
    handed = {key: app("item", state.variable, const(at)) for at, key in enumerate(state.keys)}
    names = {**machine.frame.names, **{k: v for k, v in handed.items() if isinstance(k, str)}}
    store = {**machine.store, **{k: v for k, v in handed.items() if not isinstance(k, str)}}
    bound = {name.id for name in walk(target) if isinstance(name, ast.Name)}
    found: dict[object, None] = {}
    for after_store, after_names in [(ended.store, ended.names)] + [
        (way.store, way.names) for way in ended.exits
    ]:
        found |= _differing(store, after_store) | _differing(names, after_names)
    return [key for key in found if key not in bound and key not in state.keys]


def _values(
    machine: Machine, state: _State, store: Mapping[object, Value], names: Mapping[str, Value]
) -> Node | None:
    found = [names.get(key) if isinstance(key, str) else store.get(key) for key in state.keys]
    found = [
        _before(machine, key) if value is None else value
        for key, value in zip(state.keys, found, strict=True)
    ]
    if not all(isinstance(value, Node) for value in found):
        return None
    return seq("tuple", tuple(value for value in found if isinstance(value, Node)))


def _step(machine: Machine, state: _State, ended: Ended) -> Node | None:
    """Return what one turn gives: what follows, a result, and the state for the next."""
    exits = [way for way in ended.exits if way.kind != "raise"]
    if ended.alive is not FALSE or not exits:
        exits.append(Exit("continue", ended.alive, NONE, None, ended.store, ended.names))
    made: Node | None = None
    for way in reversed(exits):
        values = _values(machine, state, way.store, way.names)
        if values is None or not isinstance(way.value, Node):
            return None
        follows = {"return": 2, "break": 1}.get(way.kind, 0)
        result = way.value if way.kind == "return" else NONE
        triple = seq("tuple", (const(follows), result, values))
        made = triple if made is None else ite(way.condition, triple, made)
    return made


def _after_fold(machine: Machine, node: ast.For, fold: Node, state: _State, ended: Ended) -> None:
    """Go on behind a fold."""
    kinds = {way.kind for way in ended.exits}
    follows = app("item", fold, const(0))
    before = machine.alive
    final = app("item", fold, const(2))
    for at, key in enumerate(state.keys):
        value = app("item", final, const(at))
        if isinstance(key, str):
            machine.frame.names = {**machine.frame.names, key: value}
        else:
            machine.store = {**machine.store, key: value}
    if "return" in kinds:
        returned = machine.truth(machine.apply("eq", follows, const(2)))
        machine.alive = conj(before, returned)
        machine.leave("return", app("item", fold, const(1)))
        machine.alive = conj(before, negation(returned))
    if node.orelse:
        if "break" not in kinds:
            machine.execute(node.orelse)
            return
        broken = machine.truth(machine.apply("eq", follows, const(1)))

        def otherwise() -> Value:
            machine.execute(node.orelse)
            return NONE

        machine.branch(broken, lambda: NONE, otherwise)
