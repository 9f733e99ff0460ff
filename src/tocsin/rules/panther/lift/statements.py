"""What statements of a rule's code do."""

import ast
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from tocsin.python.operations import EXCEPTIONS
from tocsin.rules.panther.lift import calls, loops
from tocsin.rules.panther.lift.comprehensions import assign
from tocsin.rules.panther.lift.expressions import FLAGS, binary, compare, read_global
from tocsin.rules.panther.lift.logic import Budget, TooLong, conj, disj, negation
from tocsin.rules.panther.lift.machine import UNBOUND, Exit, Machine
from tocsin.rules.panther.lift.nodes import (
    FALSE,
    NONE,
    TRUE,
    Node,
    app,
    const,
    raw_truth,
)
from tocsin.rules.panther.lift.things import Choice, Class, Function, Lib, Module, Ref, Value
from tocsin.rules.panther.lift.trees import walk

Run: TypeAlias = Callable[[Machine, Any], None]


def execute(machine: Machine, body: Sequence[ast.stmt]) -> None:
    """Run statements where the run is."""
    for statement in body:
        if machine.alive is FALSE:
            return
        machine.line = statement.lineno
        handler = _HANDLERS.get(type(statement))
        if handler is None:
            machine.give_up(f"{type(statement).__name__} is not followed")
            return
        try:
            handler(machine, statement)
        except TooLong:
            if len(machine.active) > 1:
                raise
            Budget.left = 10_000
            machine.give_up("it takes too much work")


def _expression(machine: Machine, node: ast.Expr) -> None:
    machine.evaluate(node.value)


def _return(machine: Machine, node: ast.Return) -> None:
    value = NONE if node.value is None else machine.evaluate(node.value)
    machine.leave("return", value)


def _if(machine: Machine, node: ast.If) -> None:
    condition = machine.truth(machine.evaluate(node.test))

    def run(body: Sequence[ast.stmt]) -> Callable[[], Value]:
        def action() -> Value:
            machine.execute(body)
            return NONE

        return action

    machine.branch(condition, run(node.body), run(node.orelse))


def _assign(machine: Machine, node: ast.Assign) -> None:
    value = machine.evaluate(node.value)
    for target in node.targets:
        bind(machine, target, value)


def _annotated(machine: Machine, node: ast.AnnAssign) -> None:
    if node.value is not None:
        bind(machine, node.target, machine.evaluate(node.value))


def bind(machine: Machine, target: ast.expr, value: Value) -> None:
    """Bind a target: a name, names, an item, an attribute."""
    if machine.alive is FALSE:
        return
    match target:
        case ast.Name(id=name):
            _bind_name(machine, name, value)
        case ast.Subscript(value=container, slice=key) if not isinstance(key, ast.Slice):
            of = machine.evaluate(container)
            calls.set_item(machine, of, machine.evaluate(key), machine.pure(value))
        case ast.Attribute(value=container, attr=name):
            _set_attribute(machine, machine.evaluate(container), name, value)
        case _:
            _bind_parts(machine, target, value)


def _bind_parts(machine: Machine, target: ast.expr, value: Value) -> None:
    simple = isinstance(target, ast.Tuple | ast.List) and all(
        isinstance(one, ast.Name) for one in target.elts
    )
    if not simple or machine.frame.written:
        machine.give_up("a target that is not followed")
        return
    assign(machine, target, value)


def _bind_name(machine: Machine, name: str, value: Value) -> None:
    if name in machine.frame.written:
        machine.store = {**machine.store, (machine.module.name, name): value}
        machine.written[(machine.module.name, name)] = None
    else:
        machine.frame.names = {**machine.frame.names, name: value}


def _set_attribute(machine: Machine, of: Value, name: str, value: Value) -> None:
    if not isinstance(of, Ref) or of.of is None:
        machine.give_up(f"the attribute {name} of something is set")
        return
    machine.store = {**machine.store, (of.number, name): value}


def _augmented(machine: Machine, node: ast.AugAssign) -> None:
    target = node.target
    before = machine.evaluate(_loaded(target))
    value = machine.evaluate(node.value)
    if isinstance(before, Ref) and isinstance(node.op, ast.Add | ast.BitOr):
        calls.call_method(
            machine, before, "update" if isinstance(node.op, ast.BitOr) else "extend", [value], {}
        )
        return
    if isinstance(before, Ref | Choice):
        machine.give_up("a container is changed in place")
        return
    bind(machine, target, binary(machine, node.op, before, value))


def _loaded(target: ast.expr) -> ast.expr:
    match target:
        case ast.Name(id=name):
            made: ast.expr = ast.Name(name, ast.Load())
        case ast.Subscript(value=of, slice=key):
            made = ast.Subscript(of, key, ast.Load())
        case ast.Attribute(value=of, attr=name):
            made = ast.Attribute(of, name, ast.Load())
        case _:
            made = target
    return ast.copy_location(made, target)


def _function(machine: Machine, node: ast.FunctionDef) -> None:
    function = calls.make_function(machine, node.name, node)
    if node.decorator_list:
        _bind_name(machine, node.name, machine.unknown("a decorated function"))
        return
    _bind_name(machine, node.name, function)


def _class(machine: Machine, node: ast.ClassDef) -> None:
    bases = tuple(machine.evaluate(one) for one in node.bases)
    names: dict[str, Value] = {}
    properties: set[str] = set()
    made = Class(node.name, bases, names)
    for one in node.body:
        if isinstance(one, ast.FunctionDef):
            decorators = [ast.unparse(decorator) for decorator in one.decorator_list]
            member: Value = calls.make_function(machine, one.name, one)
            if isinstance(member, Function):
                member.owner = made
            if decorators == ["property"]:
                properties.add(one.name)
            elif decorators:
                member = machine.unknown("a decorated method")
            names[one.name] = member
        elif isinstance(one, ast.Assign) and isinstance(one.targets[0], ast.Name):
            names[one.targets[0].id] = machine.pure(machine.evaluate(one.value))
        elif not isinstance(one, ast.Expr | ast.Pass | ast.AnnAssign):
            machine.give_up("a class body that does more than define")
    made.properties = frozenset(properties)
    if node.decorator_list or node.keywords:
        _bind_name(machine, node.name, machine.unknown("a decorated class"))
        return
    _bind_name(machine, node.name, made)


def _import(machine: Machine, node: ast.Import) -> None:
    for one in node.names:
        name = one.name if one.asname else one.name.split(".")[0]
        _bind_name(machine, one.asname or name, machine.import_module(name))


def _import_from(machine: Machine, node: ast.ImportFrom) -> None:
    module = machine.import_module(node.module or "")
    for one in node.names:
        name = one.asname or one.name
        found: Value | None
        if isinstance(module, Module):
            found = read_global(machine, module, one.name)
        elif isinstance(module, Lib):
            found = Lib(f"{module.name}.{one.name}") if one.name != "*" else None
        else:
            found = machine.unknown(f"the module {node.module}")
        if found is None:
            machine.give_up("`import *`")
            return
        _bind_name(machine, name, _known_constant(found))


def _known_constant(found: Value) -> Value:
    return const(FLAGS[found.name]) if isinstance(found, Lib) and found.name in FLAGS else found


def _pass(_: Machine, __: ast.stmt) -> None:
    """Do nothing."""


def _leave(kind: str) -> Run:
    return lambda machine, _: machine.leave(kind)


def _raise(machine: Machine, node: ast.Raise) -> None:
    if node.exc is None:
        machine.fail(TRUE, None if machine.caught else "Exception")
        return
    raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
    if isinstance(node.exc, ast.Call):
        for one in node.exc.args:
            machine.evaluate(one)
    exception = machine.evaluate(raised)
    if isinstance(exception, Lib):
        name = exception.name.rsplit(".", 1)[-1]
        machine.fail(TRUE, name if name in EXCEPTIONS else None)
    else:
        machine.fail(TRUE, exception if isinstance(exception, Class) else None)


def _assert(machine: Machine, node: ast.Assert) -> None:
    condition = machine.truth(machine.evaluate(node.test))
    machine.fail(negation(condition), "AssertionError")


# try


def _try(machine: Machine, node: ast.Try) -> None:
    if node.finalbody:
        machine.give_up("try with finally is not followed")
        return
    machine.caught += 1

    def body() -> Value:
        machine.execute(node.body)
        return NONE

    try:
        ended = machine.scope(body)
    finally:
        machine.caught -= 1
    raises = [one for one in ended.exits if one.kind == "raise"]
    outer = machine.alive
    machine.adopt([one for one in ended.exits if one.kind != "raise"], TRUE)
    ways: list[tuple[Node, Mapping[object, Value], Mapping[str, Value]]] = []
    machine.alive = conj(outer, ended.alive)
    machine.store, machine.frame.names = ended.store, ended.names
    if machine.alive is not FALSE:
        machine.execute(node.orelse)
        ways.append((machine.alive, machine.store, machine.frame.names))
    for one in raises:
        ways += _handle(machine, node.handlers, one, outer)
    settle(machine, ways)


def _handle(
    machine: Machine, handlers: Sequence[ast.ExceptHandler], raised: Exit, outer: Node
) -> list[tuple[Node, Mapping[object, Value], Mapping[str, Value]]]:
    """Run the handler of an exception, on each path where one is raised."""
    ways = []
    open_ = conj(outer, raised.condition)
    for handler in handlers:
        machine.alive = open_
        machine.store, machine.frame.names = raised.store, raised.names
        matches = _matches(machine, handler.type, raised)
        machine.alive = conj(open_, matches)
        open_ = conj(open_, negation(matches))
        if machine.alive is FALSE:
            continue
        if handler.name:
            value = machine.unknown("a caught exception") if _uses(handler) else NONE
            machine.frame.names = {**machine.frame.names, handler.name: value}
        machine.execute(handler.body)
        if handler.name:
            machine.frame.names = {**machine.frame.names, handler.name: UNBOUND}
        ways.append((machine.alive, machine.store, machine.frame.names))
    if open_ is not FALSE:
        machine.exits.append(
            Exit("raise", open_, raised.value, raised.exception, raised.store, raised.names)
        )
    return ways


def _uses(handler: ast.ExceptHandler) -> bool:
    return any(
        isinstance(one, ast.Name) and one.id == handler.name
        for statement in handler.body
        for one in walk(statement)
    )


def _matches(machine: Machine, types: ast.expr | None, raised: Exit) -> Node:
    """Return when a handler takes an exception."""
    if types is None:
        return TRUE
    nodes = types.elts if isinstance(types, ast.Tuple) else [types]
    found = [_matches_one(machine, machine.evaluate(one), raised) for one in nodes]
    return disj(*found)


def _matches_one(machine: Machine, wanted: Value, raised: Exit) -> Node:
    if isinstance(raised.exception, Class):
        return _class_matches(machine, raised.exception, wanted)
    if not isinstance(wanted, Lib):
        return FALSE if isinstance(wanted, Class) else machine.unknown("an exception")
    name = _exception_name(wanted.name)
    if name is None:
        return machine.unknown(f"the exception {wanted.name}")
    if isinstance(raised.exception, str):
        return TRUE if issubclass(EXCEPTIONS[raised.exception], EXCEPTIONS[name]) else FALSE
    if isinstance(raised.value, Node) and raised.value is not NONE:
        if raised.value.unknown:
            return machine.unknown("what is raised")
        return raw_truth(app("raises", raised.value, const(name)))
    return machine.unknown("what is raised")


def _exception_name(name: str) -> str | None:
    if name in {"binascii.Error", "base64.binascii.Error"}:
        return "binascii.Error"
    last = name.rsplit(".", 1)[-1]
    return last if last in EXCEPTIONS else None


def _class_matches(machine: Machine, raised: Class, wanted: Value) -> Node:
    if isinstance(wanted, Class):
        return TRUE if wanted is raised or wanted in raised.bases else FALSE
    if not isinstance(wanted, Lib):
        return machine.unknown("an exception")
    bases = [one.name for one in raised.bases if isinstance(one, Lib)]
    name = _exception_name(wanted.name)
    if name is None or len(bases) < len(raised.bases) or any(b not in EXCEPTIONS for b in bases):
        return machine.unknown("an exception")
    matches = any(issubclass(EXCEPTIONS[base], EXCEPTIONS[name]) for base in bases)
    return TRUE if matches else FALSE


def settle(
    machine: Machine,
    ways: Sequence[tuple[Node, Mapping[object, Value], Mapping[str, Value]]],
) -> None:
    """Go on behind several ways of which one is taken."""
    open_ways = [way for way in ways if way[0] is not FALSE]
    machine.alive = disj(*(way[0] for way in open_ways))
    if not open_ways:
        return
    *others, (_, store, names) = open_ways
    for condition, other_store, other_names in reversed(others):
        store = machine.merge(condition, other_store, store)
        names = machine.merge(condition, other_names, names)
    machine.store, machine.frame.names = store, names


# match


def _match(machine: Machine, node: ast.Match) -> None:
    subject = machine.peek(machine.evaluate(node.subject))
    _cases(machine, subject, node.cases)


def _cases(machine: Machine, subject: Node, cases: Sequence[ast.match_case]) -> None:
    if not cases or machine.alive is FALSE:
        return
    first, *rest = cases
    condition = _fits(machine, subject, first)
    if condition is None:
        machine.give_up("a pattern that is not followed")
        return

    def then() -> Value:
        machine.execute(first.body)
        return NONE

    def otherwise() -> Value:
        _cases(machine, subject, rest)
        return NONE

    machine.branch(condition, then, otherwise)


def _fits(machine: Machine, subject: Node, case: ast.match_case) -> Node | None:
    if case.guard is not None:
        return None
    return _pattern(machine, subject, case.pattern)


def _pattern(machine: Machine, subject: Node, pattern: ast.pattern) -> Node | None:
    match pattern:
        case ast.MatchValue(value=value):
            found = compare(machine, ast.Eq(), subject, machine.evaluate(value))
            return machine.truth(found)
        case ast.MatchSingleton(value=value):
            return machine.truth(compare(machine, ast.Is(), subject, const(value)))
        case ast.MatchAs(pattern=None, name=None):
            return TRUE
        case ast.MatchOr(patterns=patterns):
            found_all = [_pattern(machine, subject, one) for one in patterns]
            known = [one for one in found_all if one is not None]
            return disj(*known) if len(known) == len(found_all) else None
    return None


_HANDLERS: Mapping[type[ast.stmt], Run] = {
    ast.Expr: _expression,
    ast.Return: _return,
    ast.If: _if,
    ast.Assign: _assign,
    ast.AnnAssign: _annotated,
    ast.AugAssign: _augmented,
    ast.FunctionDef: _function,
    ast.ClassDef: _class,
    ast.Import: _import,
    ast.ImportFrom: _import_from,
    ast.Pass: _pass,
    ast.Global: _pass,
    ast.Break: _leave("break"),
    ast.Continue: _leave("continue"),
    ast.Raise: _raise,
    ast.Assert: _assert,
    ast.Try: _try,
    ast.Match: _match,
    ast.For: loops.for_,
    ast.While: loops.while_,
}
