"""What expressions of a rule's code give."""

import ast
import builtins
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from tocsin.python.operations import is_listed
from tocsin.rules.panther.lift import calls, comprehensions
from tocsin.rules.panther.lift.logic import negation, spend, truth
from tocsin.rules.panther.lift.machine import UNBOUND, Machine
from tocsin.rules.panther.lift.nodes import (
    EVENT,
    FALSE,
    NONE,
    TRUE,
    App,
    Const,
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
    Lazy,
    Lib,
    Module,
    Ref,
    Super,
    Thing,
    Value,
)

Evaluate: TypeAlias = Callable[[Machine, Any], Value]

BUILTINS = frozenset(dir(builtins))
FLAGS = {
    "re.IGNORECASE": 2, "re.I": 2, "re.MULTILINE": 8, "re.M": 8, "re.DOTALL": 16, "re.S": 16,
    "re.VERBOSE": 64, "re.X": 64, "re.ASCII": 256, "re.A": 256,
}  # fmt: skip


def evaluate(machine: Machine, node: ast.expr) -> Value:
    """Return what an expression gives where the run is."""
    if machine.alive is FALSE:
        return NONE
    spend(1)
    machine.line = getattr(node, "lineno", machine.line)
    handler = _HANDLERS.get(type(node))
    if handler is None:
        machine.give_up(f"{type(node).__name__} is not followed")
        return NONE
    return handler(machine, node)


def _constant(machine: Machine, node: ast.Constant) -> Value:
    if node.value is Ellipsis or isinstance(node.value, complex):
        return machine.unknown("a constant that JSON does not have")
    return const(node.value)


def _name(machine: Machine, node: ast.Name) -> Value:
    return read_name(machine, node.id)


def read_name(machine: Machine, name: str) -> Value:
    """Return what a name stands for."""
    frame: Frame | None = machine.frame
    while frame is not None:
        if name in frame.names and name not in frame.written:
            if frame is not machine.frame and not frame.active:
                return machine.unknown(f"{name}: a function outlives what it reads")
            return _bound(machine, name, frame.names[name])
        frame = frame.outer
    return read_global(machine, machine.module, name)


def read_global(machine: Machine, module: Module, name: str) -> Value:
    """Return what a name of a module stands for."""
    found = machine.store.get((module.name, name), module.names.get(name))
    if found is None and name in BUILTINS:
        return Lib(name)
    if found is None and name == "__name__":
        return const(module.name)
    if found is None:
        machine.fail(TRUE, "NameError")
        return NONE
    change = module.changed.get(name)
    if (
        change
        and (module.name, name) not in machine.store
        and is_touched(found, inner=change.inner)
    ):
        return machine.unknown(f"{name} is changed at line {change.line} of {module.name}")
    return _bound(machine, name, found)


def is_touched(value: Value, *, inner: bool) -> bool:
    """Say whether a change of a container, or only of what is in it, touches a value."""
    match value:
        case Const() | Function() | Class() | Lib():
            return False
        case Seq():
            fixed = inner or value.type in {"tuple", "frozenset"}
            return not fixed or any(is_touched(one, inner=False) for one in value.items)
        case Map():
            return not inner or any(is_touched(one, inner=False) for _, one in value.pairs)
        case App(name="pattern"):
            return False
        case Choice():
            return is_touched(value.then, inner=inner) or is_touched(value.otherwise, inner=inner)
    return True


def is_changeable(value: Value) -> bool:
    """Say whether what a class holds by a name may change."""
    return isinstance(value, Node) and is_touched(value, inner=False)


def _bound(machine: Machine, name: str, value: Value) -> Value:
    """Return a value; where the name has none, that raises."""
    if value is UNBOUND:
        machine.fail(TRUE, "NameError")
        return NONE
    if isinstance(value, Choice) and UNBOUND in (value.then, value.otherwise):
        against = negation(value.condition)
        missing = value.condition if value.then is UNBOUND else against
        machine.fail(missing, "NameError")
        return _bound(machine, name, value.otherwise if value.then is UNBOUND else value.then)
    return value


def _attribute(machine: Machine, node: ast.Attribute) -> Value:
    return read_attribute(machine, evaluate(machine, node.value), node.attr)


def read_attribute(machine: Machine, value: Value, name: str) -> Value:
    """Return an attribute of a value or thing."""
    match value:
        case Module():
            return read_global(machine, value, name)
        case Lib():
            full = f"{value.name}.{name}"
            return const(FLAGS[full]) if full in FLAGS else Lib(full)
        case Choice():
            return machine.branch(
                value.condition,
                lambda: read_attribute(machine, value.then, name),
                lambda: read_attribute(machine, value.otherwise, name),
            )
        case Ref(of=Class()):
            return calls.read_member(machine, value, name)
        case Class():
            found = calls.find_member(value, name)
            if found is None or is_changeable(found):
                return machine.unknown(f"{value.name}.{name}")
            return found
        case Super():
            return calls.read_super(machine, value, name)
        case Thing() if not isinstance(value, Ref):
            return machine.unknown(f"the attribute {name} of a {type(value).__name__.lower()}")
    node = machine.peek(value)
    if isinstance(node, Unknown):
        return machine.unknown(f"the attribute {name} of something unknown")
    if node is EVENT or isinstance(value, Ref) or name in calls.METHOD_NAMES:
        return Bound(name, value)
    if not is_listed(name):
        return machine.unknown(f"the attribute {name}")
    return machine.apply("attribute", node, const(name))


def _subscript(machine: Machine, node: ast.Subscript) -> Value:
    value = evaluate(machine, node.value)
    if isinstance(value, Lib):
        return value
    if isinstance(node.slice, ast.Slice):
        bounds = (node.slice.lower, node.slice.upper, node.slice.step)
        parts = [NONE if one is None else evaluate(machine, one) for one in bounds]
        return machine.apply("slice", machine.peek(value), *parts)
    key = evaluate(machine, node.slice)
    return machine.apply("item", value, machine.peek(key))


def _bool_op(machine: Machine, node: ast.BoolOp) -> Value:
    return _connect(machine, node.values, is_and=isinstance(node.op, ast.And))


def _connect(machine: Machine, parts: list[ast.expr], *, is_and: bool) -> Value:
    first = evaluate(machine, parts[0])
    if len(parts) == 1:
        return first
    condition = machine.truth(first)

    def rest() -> Value:
        return _connect(machine, parts[1:], is_and=is_and)

    if is_and:
        return machine.branch(condition, rest, lambda: first)
    return machine.branch(condition, lambda: first, rest)


def _unary(machine: Machine, node: ast.UnaryOp) -> Value:
    if isinstance(node.op, ast.Not):
        return negation(machine.truth(evaluate(machine, node.operand)))
    name = {ast.USub: "neg", ast.UAdd: "pos", ast.Invert: "invert"}[type(node.op)]
    return machine.apply(name, evaluate(machine, node.operand))


_BINARY: Mapping[type[ast.operator], str] = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.Div: "truediv",
    ast.FloorDiv: "floordiv",
    ast.Mod: "mod",
    ast.Pow: "pow",
    ast.LShift: "lshift",
    ast.RShift: "rshift",
    ast.BitOr: "or",
    ast.BitAnd: "and",
    ast.BitXor: "xor",
}


def _binary(machine: Machine, node: ast.BinOp) -> Value:
    return binary(machine, node.op, evaluate(machine, node.left), evaluate(machine, node.right))


def binary(machine: Machine, op: ast.operator, left: Value, right: Value) -> Value:
    """Return what an operator between two values gives."""
    name = _BINARY.get(type(op))
    if isinstance(left, Lib) or isinstance(right, Lib) or name is None:
        return machine.unknown("an operator between types")
    return machine.apply(name, machine.peek(left), machine.peek(right))


def _compare(machine: Machine, node: ast.Compare) -> Value:
    left = evaluate(machine, node.left)
    return _chain(machine, left, list(zip(node.ops, node.comparators, strict=True)))


def _chain(machine: Machine, left: Value, rest: list[tuple[ast.cmpop, ast.expr]]) -> Value:
    (op, node), *others = rest
    right = evaluate(machine, node)
    found = compare(machine, op, left, right)
    if not others:
        return found
    return machine.branch(
        machine.truth(found), lambda: _chain(machine, right, others), lambda: found
    )


_ORDER = {ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge"}


def compare(machine: Machine, op: ast.cmpop, left: Value, right: Value) -> Value:
    """Return what a comparison gives."""
    if isinstance(op, ast.Is | ast.IsNot) and not _tells_identity(left, right):
        return machine.unknown("`is` between values that may be one object")
    one, other = _operand(machine, left), _operand(machine, right)
    match op:
        case ast.Eq():
            return machine.apply("eq", one, other)
        case ast.NotEq():
            return negation(truth(machine.apply("eq", one, other)))
        case ast.In():
            return machine.apply("in", other, one)
        case ast.NotIn():
            return negation(truth(machine.apply("in", other, one)))
        case ast.Is():
            return machine.apply("is", one, other)
        case ast.IsNot():
            return negation(truth(machine.apply("is", one, other)))
        case _:
            return machine.apply(_ORDER[type(op)], one, other)


def _operand(machine: Machine, value: Value) -> Node:
    if isinstance(value, Thing) and not isinstance(value, Ref | Choice):
        return machine.unknown(f"a {type(value).__name__.lower()} is compared")
    return machine.peek(value)


def _tells_identity(left: Value, right: Value) -> bool:
    return any(one in (NONE, TRUE, FALSE) for one in (left, right))


def _if_exp(machine: Machine, node: ast.IfExp) -> Value:
    return machine.branch(
        machine.truth(evaluate(machine, node.test)),
        lambda: evaluate(machine, node.body),
        lambda: evaluate(machine, node.orelse),
    )


def _walrus(machine: Machine, node: ast.NamedExpr) -> Value:
    value = evaluate(machine, node.value)
    machine.frame.names = {**machine.frame.names, node.target.id: value}
    return value


def _joined(machine: Machine, node: ast.JoinedStr) -> Value:
    return machine.apply("text", *(evaluate(machine, part) for part in node.values))


def _formatted(machine: Machine, node: ast.FormattedValue) -> Value:
    value = machine.peek(evaluate(machine, node.value))
    spec = const("") if node.format_spec is None else evaluate(machine, node.format_spec)
    conversion = "" if node.conversion < 0 else chr(node.conversion)
    return machine.apply("format", value, spec, const(conversion))


def _items(machine: Machine, nodes: list[ast.expr]) -> list[Node] | None:
    """Return the items of a display; None if it holds what a value unpacks to."""
    found: list[Node] = []
    for node in nodes:
        if not isinstance(node, ast.Starred):
            found.append(machine.pure(evaluate(machine, node)))
            continue
        members = machine.apply("list", machine.peek(evaluate(machine, node.value)))
        if not hasattr(members, "items"):
            return None
        found += members.items
    return found


def _list(machine: Machine, node: ast.List) -> Value:
    items = _items(machine, node.elts)
    if items is None:
        return machine.allocate(_unpacked(machine, node.elts))
    return machine.allocate(seq("list", tuple(items)))


def _unpacked(machine: Machine, nodes: list[ast.expr]) -> Node:
    made: Node = seq("list", ())
    for node in nodes:
        of = node.value if isinstance(node, ast.Starred) else node
        value = machine.pure(evaluate(machine, of))
        more = value if isinstance(node, ast.Starred) else seq("list", (value,))
        made = machine.apply("joined", made, more)
    return made


def _tuple(machine: Machine, node: ast.Tuple) -> Value:
    items = _items(machine, node.elts)
    if items is None:
        return machine.apply("tuple", _unpacked(machine, node.elts))
    return seq("tuple", tuple(items))


def _set(machine: Machine, node: ast.Set) -> Value:
    items = _items(machine, node.elts)
    if items is None:
        return machine.allocate(machine.apply("set", _unpacked(machine, node.elts)))
    return machine.allocate(seq("set", tuple(dict.fromkeys(items))))


def _dict(machine: Machine, node: ast.Dict) -> Value:
    made: Node = mapping(())
    pairs: list[tuple[Node, Node]] = []
    for key, item in zip(node.keys, node.values, strict=True):
        value = machine.pure(evaluate(machine, item))
        if key is not None:
            pairs.append((machine.pure(evaluate(machine, key)), value))
            continue
        made = machine.apply("joined", made, mapping(tuple(pairs))) if pairs else made
        made, pairs = machine.apply("joined", made, value), []
    if made is mapping(()):
        return machine.allocate(mapping(tuple(pairs)))
    return machine.allocate(machine.apply("joined", made, mapping(tuple(pairs))) if pairs else made)


def _lambda(machine: Machine, node: ast.Lambda) -> Value:
    return calls.make_function(machine, "lambda", node)


def _generator(_: Machine, node: ast.GeneratorExp) -> Value:
    return Lazy(node)


_HANDLERS: Mapping[type[ast.expr], Evaluate] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.Subscript: _subscript,
    ast.BoolOp: _bool_op,
    ast.UnaryOp: _unary,
    ast.BinOp: _binary,
    ast.Compare: _compare,
    ast.IfExp: _if_exp,
    ast.NamedExpr: _walrus,
    ast.JoinedStr: _joined,
    ast.FormattedValue: _formatted,
    ast.List: _list,
    ast.Tuple: _tuple,
    ast.Set: _set,
    ast.Dict: _dict,
    ast.Lambda: _lambda,
    ast.Call: calls.call,
    ast.GeneratorExp: _generator,
    ast.ListComp: comprehensions.list_of,
    ast.SetComp: comprehensions.set_of,
    ast.DictComp: comprehensions.dict_of,
}
