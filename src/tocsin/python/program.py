"""Small pure programs over one value, as text: what the function `python` of conditions runs.

A program is a JSON list of nodes, each an operation on nodes before it; the last is the result.
What an operation does and raises is what Python does and raises (`operations.py`).

    c value · f float · y bytes        a constant
    q kind items · m pairs             a list, tuple, set or frozenset; a dictionary
    g base path                        what is at a path below the value (base 0) or a variable
    v number · l numbers body          a variable; a function of some variables
    a operation arguments              an operation
    ? condition then else              one of two
    k node mask · t node               whether it is of some kinds; whether it is true
    & nodes · | nodes · ! node         conditions combined
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

from tocsin.python.operations import (
    EXCEPTIONS,
    LARGEST,
    OPERATIONS,
    PADDING,
    Missing,
    TooLarge,
    method_of,
)
from tocsin.python.values import ABSENT, kind_of
from tocsin.python.views import MappingView, view

Step: TypeAlias = Callable[["Scope"], Any]

NOTHING = object()
"""The value that a program is run on where there is none."""


class Scope:
    """What a run of a program knows: the value it is about, variables, and what was computed."""

    __slots__ = ("memory", "variables")

    def __init__(self, value: Any) -> None:
        self.variables: dict[int, Any] = {0: value}
        self.memory: dict[int, Any] = {}


def run(program: str, value: Any) -> Any:
    """Run a program on a value of Python, raising what it raises."""
    return compile_program(program)(Scope(view(value)))


@lru_cache(maxsize=20_000)
def compile_program(program: str) -> Step:
    """Make functions of the nodes of a program and return the last one's."""
    nodes: list[list[Any]] = json.loads(program)
    uses = Counter(at for node in nodes for at in _operands(node))
    open_nodes = _depend_on_variables(nodes)
    steps: list[Step] = []
    for at, node in enumerate(nodes):
        step = _MAKERS[node[0]](node, steps)
        costly = node[0] in "a?" and uses[at] > 1 and not open_nodes[at]
        steps.append(_remember(at, step) if costly else step)
    return steps[-1]


def _operands(node: Sequence[Any]) -> Sequence[int]:
    kind = node[0]
    if kind in "cfygv":
        return ()
    if kind == "q":
        return tuple(node[2])
    if kind == "m":
        return tuple(at for pair in node[1] for at in pair)
    if kind == "k":
        return (node[1],)
    return tuple(node[2:] if kind in "al" else node[1:])


def _depend_on_variables(nodes: Sequence[Sequence[Any]]) -> list[bool]:
    """Say which nodes read a variable, be it bound inside of them or not."""
    found: list[bool] = []
    for node in nodes:
        reads = node[0] == "v" or (node[0] == "g" and node[1] != 0)
        found.append(reads or any(found[at] for at in _operands(node)))
    return found


def _remember(at: int, step: Step) -> Step:
    def remembered(scope: Scope) -> Any:
        if at not in scope.memory:
            scope.memory[at] = step(scope)
        return scope.memory[at]

    return remembered


@dataclass(frozen=True, slots=True)
class _Known:
    """A step whose value is known before it runs."""

    value: Any

    def __call__(self, _: Scope) -> Any:
        return self.value


@dataclass(frozen=True, slots=True)
class _Made:
    """A step that makes a new list or set of known members."""

    make: Callable[[list[Any]], Any]
    members: list[Any]

    def __call__(self, _: Scope) -> Any:
        return self.make(self.members)


def _constant(node: Sequence[Any], _: Sequence[Step]) -> Step:
    kind, value = node
    return _Known(
        float(value) if kind == "f" else value.encode("latin-1") if kind == "y" else value
    )


_SEQUENCES: Mapping[str, Callable[[list[Any]], Any]] = {
    "list": list,
    "tuple": tuple,
    "set": set,
    "frozenset": frozenset,
}


def _sequence(node: Sequence[Any], steps: Sequence[Step]) -> Step:
    name, parts = node[1], [steps[at] for at in node[2]]
    make = _SEQUENCES[name]
    if (known := _values(parts)) is not None:
        return _Known(tuple(known)) if name == "tuple" else _Made(make, known)
    return lambda scope: make([part(scope) for part in parts])


def _mapping(node: Sequence[Any], steps: Sequence[Step]) -> Step:
    pairs = [(steps[key], steps[item]) for key, item in node[1]]
    return lambda scope: {key(scope): item(scope) for key, item in pairs}


_OBJECTS = (dict, MappingView)


def reach(value: Any, path: Sequence[str]) -> Any:
    """Return what is at a path of keys, or `NOTHING`."""
    for key in path:
        if not isinstance(value, _OBJECTS):
            return NOTHING
        try:
            value = value[key]
        except KeyError:
            return NOTHING
    return value


def _get(node: Sequence[Any], _: Sequence[Step]) -> Step:
    _, base, path = node
    if not path:
        return lambda scope: _held(scope.variables[base])

    def get(scope: Scope) -> Any:
        found = reach(scope.variables[base], path)
        if found is NOTHING:
            raise Missing(".".join(path))
        return found

    return get


def _held(value: Any) -> Any:
    if value is NOTHING:
        raise Missing("")
    return value


def _variable(node: Sequence[Any], _: Sequence[Step]) -> Step:
    number = node[1]
    return lambda scope: scope.variables[number]


def _function(node: Sequence[Any], steps: Sequence[Step]) -> Step:
    numbers, body = node[1], steps[node[2]]

    def make(scope: Scope) -> Callable[..., Any]:
        def function(*values: Any) -> Any:
            scope.variables.update(zip(numbers, values, strict=True))
            return body(scope)

        return function

    return make


def _choose(node: Sequence[Any], steps: Sequence[Step]) -> Step:
    condition, then, otherwise = (steps[at] for at in node[1:])
    return lambda scope: then(scope) if condition(scope) else otherwise(scope)


def _kind(node: Sequence[Any], steps: Sequence[Step]) -> Step:
    step, mask = steps[node[1]], node[2]

    def is_of_kind(scope: Scope) -> bool:
        try:
            kind = kind_of(step(scope))
        except Missing:
            kind = ABSENT
        except Exception:
            return False
        return bool(kind & mask)

    return is_of_kind


def _is_true(node: Sequence[Any], steps: Sequence[Step]) -> Step:
    step = steps[node[1]]

    def is_true(scope: Scope) -> bool:
        try:
            return bool(step(scope))
        except Exception:
            return False

    return is_true


def _all_of(node: Sequence[Any], steps: Sequence[Step]) -> Step:
    parts = [steps[at] for at in node[1:]]
    return lambda scope: all(part(scope) for part in parts)


def _any_of(node: Sequence[Any], steps: Sequence[Step]) -> Step:
    parts = [steps[at] for at in node[1:]]
    return lambda scope: any(part(scope) for part in parts)


def _none_of(node: Sequence[Any], steps: Sequence[Step]) -> Step:
    part = steps[node[1]]
    return lambda scope: not part(scope)


def _apply(node: Sequence[Any], steps: Sequence[Step]) -> Step:
    name, parts = node[1], [steps[at] for at in node[2:]]
    if name in _LAZY:
        return _LAZY[name](parts)
    if name == "in" and (look_up := _in(*parts)):
        return look_up
    operation = OPERATIONS[name]
    if parts and (known := _values(parts[1:])) is not None:
        of = parts[0]
        return lambda scope: operation(of(scope), *known)
    return lambda scope: operation(*[part(scope) for part in parts])


def _values(steps: Sequence[Step]) -> list[Any] | None:
    """Return the values of some steps, if all are known before they run."""
    known = [one.value for one in steps if isinstance(one, _Known)]
    return known if len(known) == len(steps) else None


def _call(parts: Sequence[Step]) -> Step:
    """A method of a value: it is looked up before its arguments are computed."""
    of, called, *args, named = parts
    if isinstance(called, _Known) and isinstance(named, _Known) and not named.value:
        name = called.value
        known = _values(args)
        if name not in PADDING and known is not None:
            return lambda scope: method_of(of(scope), name)(*known)

    def call(scope: Scope) -> Any:
        name = called(scope)
        method = method_of(of(scope), name)
        plain = [one(scope) for one in args]
        if name in PADDING and plain and plain[0] > LARGEST:
            raise TooLarge(name)
        return method(*plain, **dict(named(scope)))

    return call


def _in(container: Step, item: Step) -> Step | None:
    """Return a look-up among known texts; None where members are others or are not known."""
    if isinstance(container, _Made):
        members = container.members
    elif isinstance(container, _Known) and isinstance(container.value, tuple):
        members = list(container.value)
    else:
        return None
    if not all(isinstance(one, str) for one in members):
        return None
    texts = frozenset(members)

    def is_in(scope: Scope) -> bool:
        found = item(scope)
        return found in texts if isinstance(found, str) else found in container(scope)

    return is_in


def _raises(parts: Sequence[Step]) -> Step:
    """Whether a node raises one of some exceptions; none are named: any."""
    step, *names = parts

    def raises(scope: Scope) -> bool:
        classes = tuple(EXCEPTIONS[name(scope)] for name in names) or (Exception,)
        try:
            step(scope)
        except classes:
            return True
        except Exception:
            return False
        return False

    return raises


def _raise(parts: Sequence[Step]) -> Step:
    def fail(scope: Scope) -> Any:
        raise EXCEPTIONS[parts[0](scope)]

    return fail


def _any(parts: Sequence[Step]) -> Step:
    of, function = parts
    return lambda scope: any(map(function(scope), of(scope)))


def _all(parts: Sequence[Step]) -> Step:
    of, function = parts
    return lambda scope: all(map(function(scope), of(scope)))


def _map(parts: Sequence[Step]) -> Step:
    """A list made of another one's members; those that a second function refuses are left out."""
    of, function, *keep = parts

    def made(scope: Scope) -> list[Any]:
        make = function(scope)
        kept = filter(keep[0](scope), of(scope)) if keep else of(scope)
        return [make(item) for item in kept]

    return made


def _flat(parts: Sequence[Step]) -> Step:
    return lambda scope: [item for part in parts[0](scope) for item in part]


def _fold(parts: Sequence[Step]) -> Step:
    """Go through a list with a state.

    The function of state and member gives (what follows, result, state): 0 goes on, 1 ends the
    loop, 2 returns. The fold is the last such triple.
    """
    of, start, function = parts

    def fold(scope: Scope) -> tuple[int, Any, Any]:
        step, state = function(scope), start(scope)
        for item in of(scope):
            follows, result, state = step(state, item)
            if follows:
                return follows, result, state
        return 0, None, state

    return fold


_LAZY: Mapping[str, Callable[[Sequence[Step]], Step]] = {
    "method": _call,
    "raises": _raises,
    "raise": _raise,
    "any": _any,
    "all": _all,
    "map": _map,
    "flat": _flat,
    "fold": _fold,
}
"""Operations that do not begin with the values of all arguments."""

_MAKERS: Mapping[str, Callable[[Sequence[Any], Sequence[Step]], Step]] = {
    "c": _constant,
    "f": _constant,
    "y": _constant,
    "q": _sequence,
    "m": _mapping,
    "g": _get,
    "v": _variable,
    "l": _function,
    "a": _apply,
    "?": _choose,
    "k": _kind,
    "t": _is_true,
    "&": _all_of,
    "|": _any_of,
    "!": _none_of,
}
