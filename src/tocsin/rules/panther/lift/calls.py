"""Calls: functions of the pack are gone through in place, all others are operations or unknown."""

import ast
from collections.abc import Callable, Mapping, Sequence

from tocsin.python.operations import METHODS, is_listed
from tocsin.rules.panther.lift import event, library, remember
from tocsin.rules.panther.lift.logic import Budget, TooLong, conj, negation
from tocsin.rules.panther.lift.machine import CALL_BUDGET, DEEPEST, UNBOUND, Ended, Exit, Machine
from tocsin.rules.panther.lift.nodes import (
    EVENT,
    FALSE,
    NONE,
    TRUE,
    App,
    Const,
    Get,
    Ite,
    Map,
    Node,
    Seq,
    Unknown,
    const,
    mapping,
    seq,
)
from tocsin.rules.panther.lift.things import (
    Bound,
    Choice,
    Class,
    Frame,
    Function,
    Lib,
    Ref,
    Super,
    Thing,
    Value,
)
from tocsin.rules.panther.lift.trees import walk

METHOD_NAMES = (
    frozenset(name for _, names in METHODS for name in names) | event.METHODS | {"format"}
)
MUTATING = frozenset(
    [
        "append",
        "extend",
        "insert",
        "pop",
        "remove",
        "clear",
        "update",
        "setdefault",
        "add",
        "discard",
        "sort",
        "reverse",
        "popitem",
        "difference_update",
        "intersection_update",
    ]
)


def make_function(machine: Machine, name: str, node: ast.FunctionDef | ast.Lambda) -> Function:
    """Return a function as it is where it is defined."""
    defaults = tuple(machine.evaluate(one) for one in node.args.defaults)
    named = {
        one.arg: machine.evaluate(value)
        for one, value in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
        if value is not None
    }
    outer = machine.frame if machine.depth else None
    return Function(name, node, machine.module, defaults, named, outer)


def call(machine: Machine, node: ast.Call) -> Value:
    """Return what a call gives."""
    if isinstance(node.func, ast.Name) and node.func.id == "super" and not node.args:
        return _super(machine)
    function = machine.evaluate(node.func)
    if isinstance(function, Lib) and (special := library.SPECIAL.get(function.name)):
        return special(machine, node)
    arguments = _arguments(machine, node)
    if arguments is None:
        return _unknown_call(machine, "what it is called with is not known", [])
    return call_value(machine, function, *arguments)


def _arguments(machine: Machine, node: ast.Call) -> tuple[list[Value], dict[str, Value]] | None:
    values: list[Value] = []
    for one in node.args:
        if not isinstance(one, ast.Starred):
            values.append(machine.evaluate(one))
            continue
        members = machine.apply("list", machine.peek(machine.evaluate(one.value)))
        if not isinstance(members, Seq):
            return None
        values += members.items
    named: dict[str, Value] = {}
    for keyword in node.keywords:
        value = machine.evaluate(keyword.value)
        if keyword.arg is not None:
            named[keyword.arg] = value
            continue
        pairs = machine.peek(value)
        if not isinstance(pairs, Map) or not all(isinstance(key, Const) for key, _ in pairs.pairs):
            return None
        named |= {str(key.value): item for key, item in pairs.pairs if isinstance(key, Const)}
    return values, named


def call_value(
    machine: Machine, function: Value, values: Sequence[Value], named: Mapping[str, Value]
) -> Value:
    """Return what a call of a value with these arguments gives."""
    if machine.alive is FALSE:
        return NONE
    match function:
        case Function():
            return call_function(machine, function, values, named)
        case Bound(function=Function() as inner):
            return call_function(machine, inner, [function.subject, *values], named)
        case Bound(function=str() as name):
            return call_method(machine, function.subject, name, values, named)
        case Class():
            return _instance(machine, function, values, named)
        case Lib():
            return library.call(machine, function.name, values, named)
        case Choice():
            return machine.branch(
                function.condition,
                lambda: call_value(machine, function.then, values, named),
                lambda: call_value(machine, function.otherwise, values, named),
            )
    return _unknown_call(machine, "what is called is not known", [*values, *named.values()])


def _unknown_call(machine: Machine, reason: str, values: Sequence[Value]) -> Value:
    """Return that anything may come of a call, and of the containers that it is given."""
    lose(machine, reason, values)
    return machine.unknown(reason)


def lose(machine: Machine, reason: str, values: Sequence[Value]) -> None:
    """Take into account that a call may raise, and change the containers that it is given."""
    if machine.caught:
        machine.fail(machine.unknown(reason), None)
    for value in values:
        _lose(machine, value, reason)


def _lose(machine: Machine, value: Value, reason: str) -> None:
    if isinstance(value, Ref):
        if value.of is not None or value.number in machine.escaped:
            machine.give_up(reason)
            return
        machine.store = {**machine.store, value.number: machine.unknown(reason)}
    elif isinstance(value, Choice):
        machine.give_up(reason)


# Functions of the pack


def call_function(
    machine: Machine, function: Function, values: Sequence[Value], named: Mapping[str, Value]
) -> Value:
    """Go through a function of the pack with these arguments."""
    if machine.depth >= DEEPEST or machine.active.count(function) >= _MOST_ACTIVE:
        return _unknown_call(machine, "calls are nested too deep", [*values, *named.values()])
    key = remember.key(machine, function, values, named)
    if key is not None and (known := machine.memory.get(key)) is not None:
        return remember.replay(machine, known)
    before = machine.store, dict(machine.written), len(machine.obstacles)
    ended = _within_budget(machine, function, values, named)
    if ended is None:
        return NONE
    if isinstance(ended, Thing | Node):
        return ended
    if isinstance(function.node, ast.FunctionDef) and _yields(function.node):
        return _unknown_call(machine, "a generator function", [*values, *named.values()])
    if key is not None:
        remember.keep(machine, key, ended, before)
    return returned(machine, ended.value, ended.alive, ended.store, ended.exits)


def _within_budget(
    machine: Machine, function: Function, values: Sequence[Value], named: Mapping[str, Value]
) -> "Ended | Value | None":
    """Go through a function; one that the rule itself calls is given up when it takes too long."""
    if len(machine.active) != 1:
        return go_through(machine, function, values, named)
    own = min(CALL_BUDGET, Budget.left * 2 // 3)
    rest = Budget.left - own
    Budget.left = own
    try:
        return go_through(machine, function, values, named)
    except TooLong:
        machine.lose_globals()
        reason = f"{function.name}() takes too much work"
        return _unknown_call(machine, reason, [*values, *named.values()])
    finally:
        Budget.left = rest + max(Budget.left, 0)


_MOST_ACTIVE = 3
"""Calls of a function inside of itself."""


def go_through(
    machine: Machine, function: Function, values: Sequence[Value], named: Mapping[str, Value]
) -> Ended | None:
    """Go through a function of the pack in a scope; None if it cannot be called like this."""
    names = _bind(machine, function, values, named)
    if names is None:
        return None
    body = function.node.body
    frame = Frame(names, globals_of(function.node), function.outer)
    before = machine.frame, machine.module, machine.line
    machine.frame, machine.module = frame, function.module
    machine.depth += 1
    machine.active.append(function)
    if function.owner is not None:
        frame.names = {**frame.names, "__class__": function.owner}

    def run() -> Value:
        if isinstance(body, ast.expr):
            return machine.evaluate(body)
        machine.execute(body)
        return NONE

    try:
        return machine.scope(run)
    finally:
        machine.frame, machine.module, machine.line = before
        machine.depth -= 1
        machine.active.pop()
        frame.active = False


def returned(
    machine: Machine, value: Value, alive: Node, store: Mapping[object, Value], exits: list[Exit]
) -> Value:
    """Go on behind a call."""
    returns = [one for one in exits if one.kind == "return"]
    if alive is not FALSE:
        returns.append(Exit("return", alive, value, store=store))
    others = [one for one in exits if one.kind != "return"]
    for one in others:
        one.names = machine.frame.names
    before = machine.alive
    machine.adopt(others, TRUE)
    if not returns:
        machine.alive = FALSE
        return NONE
    machine.alive = conj(before, *(negation(one.condition) for one in others))
    result, machine.store = machine.merge_exits(returns)
    return result


def globals_of(node: ast.FunctionDef | ast.Lambda) -> frozenset[str]:
    """Return the names that a function declares `global`."""
    return _facts(node)[0]


def _yields(node: ast.FunctionDef) -> bool:
    return _facts(node)[1]


def _facts(node: ast.FunctionDef | ast.Lambda) -> tuple[frozenset[str], bool]:
    """Return the names that a function declares `global`, and whether it is a generator."""
    found: tuple[frozenset[str], bool] | None = getattr(node, "_facts", None)
    if found is None:
        nodes = list(walk(node))
        names = frozenset(
            name for one in nodes if isinstance(one, ast.Global) for name in one.names
        )
        found = names, any(isinstance(one, ast.Yield | ast.YieldFrom | ast.Await) for one in nodes)
        node._facts = found  # type: ignore[union-attr]
    return found


def _bind(
    machine: Machine, function: Function, values: Sequence[Value], named: Mapping[str, Value]
) -> dict[str, Value] | None:
    """Return the names that a call begins with; None if it raises."""
    args = function.node.args
    positional = [one.arg for one in (*args.posonlyargs, *args.args)]
    names: dict[str, Value] = dict(zip(positional, values, strict=False))
    extra, given = list(values[len(positional) :]), dict(named)
    if extra and args.vararg is None:
        machine.fail(TRUE, "TypeError")
        return None
    if args.vararg is not None:
        names[args.vararg.arg] = seq("tuple", tuple(machine.pure(one) for one in extra))
    defaults = dict(
        zip(positional[len(positional) - len(function.defaults) :], function.defaults, strict=True)
    )
    for name in [*positional, *(one.arg for one in args.kwonlyargs)]:
        if name in given and name not in names:
            names[name] = given.pop(name)
        elif name not in names:
            default = defaults.get(name, function.keyword_defaults.get(name))
            if default is None or name in given:
                machine.fail(TRUE, "TypeError")
                return None
            names[name] = _default(machine, function, name, default)
    if args.kwarg is not None:
        pairs = ((const(name), machine.pure(value)) for name, value in given.items())
        names[args.kwarg.arg] = mapping(tuple(pairs))
    elif given:
        machine.fail(TRUE, "TypeError")
        return None
    return names


def _default(machine: Machine, function: Function, name: str, default: Value) -> Value:
    """Return a default value; one that is changed stays so from call to call."""
    if isinstance(default, Ref):
        return machine.unknown(f"the default of {name} in {function.name} can be changed")
    return default


# Classes of the pack


def _super(machine: Machine) -> Value:
    owner = machine.frame.names.get("__class__")
    subject = machine.frame.names.get("self")
    if isinstance(owner, Class) and isinstance(subject, Ref):
        return Super(owner, subject)
    return machine.unknown("super() outside of a method")


def _instance(
    machine: Machine, of: Class, values: Sequence[Value], named: Mapping[str, Value]
) -> Value:
    if _is_exception(of):
        return of
    if not all(isinstance(base, Class) or _is_object(base) for base in _ancestors(of)):
        return _unknown_call(machine, f"the class {of.name} has bases of others", values)
    ref = Ref(machine.number(), of)
    if (init := find_member(of, "__init__")) is not None:
        call_value(machine, _bind_member(init, ref), values, named)
    return ref


def _is_object(base: Value) -> bool:
    return isinstance(base, Lib) and base.name in {"object", "abc.ABC"}


def _is_exception(of: Class) -> bool:
    return any(
        isinstance(base, Lib) and base.name.endswith(("Error", "Exception"))
        for base in _ancestors(of)
    )


def _ancestors(of: Class) -> list[Value]:
    found: list[Value] = []
    for base in of.bases:
        found.append(base)
        if isinstance(base, Class):
            found += _ancestors(base)
    return found


def find_member(of: Class, name: str) -> Value | None:
    """Return what a class or one that it derives from has by a name."""
    if name in of.names:
        return of.names[name]
    for base in of.bases:
        if isinstance(base, Class) and (found := find_member(base, name)) is not None:
            return found
    return None


def _bind_member(member: Value, subject: Ref) -> Value:
    return Bound(member, subject) if isinstance(member, Function) else member


def read_member(machine: Machine, subject: Ref, name: str) -> Value:
    """Return an attribute of an instance."""
    found = machine.store.get((subject.number, name))
    if found is not None and found is not UNBOUND:
        return found
    assert subject.of is not None
    member = find_member(subject.of, name)
    if member is None:
        machine.fail(TRUE, "AttributeError")
        return NONE
    if isinstance(member, Node) and not isinstance(member, Const):
        return machine.unknown(f"{subject.of.name}.{name} may change")
    if isinstance(member, Function) and _is_property(subject.of, name):
        return call_function(machine, member, [subject], {})
    return _bind_member(member, subject)


def _is_property(of: Class, name: str) -> bool:
    if name in of.names:
        return name in of.properties
    return any(_is_property(base, name) for base in of.bases if isinstance(base, Class))


def read_super(machine: Machine, value: Super, name: str) -> Value:
    """Return a member of the classes above."""
    for base in value.owner.bases:
        if isinstance(base, Class) and (found := find_member(base, name)) is not None:
            return _bind_member(found, value.subject)
    if name == "__init__":
        return Lib("object.__init__")
    return machine.unknown(f"super().{name}")


# Methods of values


def call_method(
    machine: Machine,
    subject: Value,
    name: str,
    values: Sequence[Value],
    named: Mapping[str, Value],
) -> Value:
    """Return what a method of a value gives."""
    if isinstance(subject, Ref) and name in MUTATING:
        return _mutate(machine, subject, name, values, named)
    if name in MUTATING:
        return _mutate_other(machine, subject, name, values)
    node = machine.pure(subject) if name == "get" else machine.peek(subject)
    if isinstance(node, Unknown):
        return _unknown_call(machine, f"the method {name} of something unknown", values)
    if name in event.METHODS or node is EVENT:
        return _on_event(machine, node, name, values, named)
    return _plain_method(machine, node, name, values, named)


def _on_event(
    machine: Machine, node: Node, name: str, values: Sequence[Value], named: Mapping[str, Value]
) -> Value:
    if isinstance(node, Ite):
        return machine.branch(
            node.condition,
            lambda: _on_event(machine, node.then, name, values, named),
            lambda: _on_event(machine, node.otherwise, name, values, named),
        )
    if node is EVENT and name in event.METHODS:
        return event.call(machine, name, values, named)
    if name not in event.METHODS:
        return _plain_method(machine, node, name, values, named)
    if isinstance(node, App) and any(one is EVENT for one in node.args):
        return _unknown_call(machine, f"the method {name} of what may be the event", values)
    machine.fail(TRUE, "AttributeError")
    return NONE


def _plain_method(
    machine: Machine, node: Node, name: str, values: Sequence[Value], named: Mapping[str, Value]
) -> Value:
    if name == "format":
        args = seq("tuple", tuple(map(machine.pure, values)))
        pairs = tuple((const(key), machine.pure(one)) for key, one in named.items())
        return machine.apply("format_text", node, args, mapping(pairs))
    if name == "get" and isinstance(node, Get) and {*named} == {"default"} and len(values) == 1:
        values, named = [*values, named["default"]], {}
    if not is_listed(name):
        return _unknown_call(machine, f"the method {name} is not followed", values)
    known = [library.listed(machine, one) for one in values]
    given = tuple(seq("tuple", (const(key), machine.pure(one))) for key, one in named.items())
    return machine.apply("method", node, const(name), *known, seq("tuple", given))


def _mutate_other(machine: Machine, subject: Value, name: str, values: Sequence[Value]) -> Value:
    """What would change something that is no container made here."""
    if isinstance(subject, Choice):

        def on(one: Value) -> Callable[[], Value]:
            return lambda: call_method(machine, one, name, values, {})

        return machine.branch(subject.condition, on(subject.then), on(subject.otherwise))
    if isinstance(subject, Get) and not machine.plain:
        machine.fail(TRUE, "TypeError")
        return NONE
    machine.give_up(f"{name} changes a container that others may see")
    return NONE


def _mutate(
    machine: Machine, subject: Ref, name: str, values: Sequence[Value], named: Mapping[str, Value]
) -> Value:
    if subject.number in machine.escaped or name not in _CHANGES or subject.of is not None:
        machine.give_up(f"{name} changes a container that others may see")
        return NONE
    before = machine.peek(subject)
    change = _CHANGES[name]
    if named and name == "update":
        pairs = tuple((const(key), machine.pure(one)) for key, one in named.items())
        values = [*values, mapping(pairs)]
    if len(values) != 1 and change != "joined":
        machine.give_up(f"{name} with {len(values)} arguments")
        return NONE
    made = machine.apply(change, before, *(library.listed(machine, one) for one in values))
    if machine.alive is not FALSE:
        machine.store = {**machine.store, subject.number: made}
    return NONE


_CHANGES: Mapping[str, str] = {
    "append": "with_member",
    "add": "with_member",
    "extend": "joined",
    "update": "joined",
}


def set_item(machine: Machine, container: Value, key: Value, value: Value) -> None:
    """Run `container[key] = value`."""
    if isinstance(container, Choice):

        def on(one: Value) -> Callable[[], Value]:
            def action() -> Value:
                set_item(machine, one, key, value)
                return NONE

            return action

        machine.branch(container.condition, on(container.then), on(container.otherwise))
        return
    if isinstance(container, Get) and not machine.plain:
        machine.fail(TRUE, "TypeError")
        return
    if not isinstance(container, Ref) or container.number in machine.escaped or container.of:
        machine.give_up("an item of a container that others may see is set")
        return
    made = machine.apply("with_item", machine.peek(container), key, value)
    if machine.alive is not FALSE:
        machine.store = {**machine.store, container.number: made}
