"""Functions of Python's library that rules call: each an operation, or gone through here."""

import ast
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from tocsin.python.operations import EXCEPTIONS, TYPES, is_listed
from tocsin.rules.panther.lift import comprehensions
from tocsin.rules.panther.lift.machine import Machine
from tocsin.rules.panther.lift.nodes import (
    EVENT,
    FALSE,
    NO_ARGUMENTS,
    NONE,
    TRUE,
    Const,
    Get,
    Node,
    Seq,
    const,
    mapping,
    seq,
)
from tocsin.rules.panther.lift.things import (
    Choice,
    Class,
    Lazy,
    Lib,
    Ref,
    Thing,
    Value,
)

Named: TypeAlias = Mapping[str, Value]
Handler: TypeAlias = Callable[[Machine, Sequence[Value], Named], Value]

_PLAIN = frozenset(
    [
        "abs",
        "chr",
        "divmod",
        "float",
        "hex",
        "int",
        "len",
        "max",
        "min",
        "ord",
        "repr",
        "reversed",
        "round",
        "str",
        "sum",
        "tuple",
        "zip",
        "enumerate",
        "range",
    ]
)
"""Built-in functions that are operations of the same name."""
_CONTAINERS = frozenset({"list", "set", "dict", "sorted"})
"""Built-in functions that give a new container."""

_NAMES: Mapping[str, str] = {
    "fnmatch.fnmatch": "fnmatch",
    "fnmatch.fnmatchcase": "fnmatchcase",
    "ipaddress.ip_address": "ip_address",
    "ipaddress.IPv4Address": "IPv4Address",
    "ipaddress.IPv6Address": "IPv6Address",
    "shlex.split": "shlex.split",
    "base64.b64decode": "b64decode",
    "base64.b32decode": "b32decode",
    "urllib.parse.urlparse": "urlparse",
    "urllib.parse.parse_qs": "parse_qs",
    "urllib.parse.unquote": "unquote",
    "urllib.parse.quote": "quote",
    "re.escape": "re.escape",
    "datetime.datetime.fromisoformat": "fromisoformat",
    "datetime.datetime.strptime": "strptime",
    "json.loads": "json.loads",
    "frozenset": "frozenset",
}
"""Functions of the library that are operations, called with what they must be given only."""


def call(machine: Machine, name: str, values: Sequence[Value], named: Named) -> Value:
    """Return what a function of the library gives."""
    if name in FAR_REACHING:
        machine.give_up(f"{name}() may change anything")
        return NONE
    if name in _HANDLERS:
        return _HANDLERS[name](machine, values, named)
    if name in _PLAIN and not named:
        return machine.apply(name, *(listed(machine, one) for one in values))
    if name in _CONTAINERS and not named:
        return _container(machine, name, values)
    if name in _NAMES and not named:
        return machine.apply(_NAMES[name], *(listed(machine, one) for one in values))
    if name in EXCEPTIONS or (name.startswith("re.") and name[3:] in _REGEX):
        return _regex(machine, name[3:], values, named) if name.startswith("re.") else Lib(name)
    return unknown(machine, name, values, named)


FAR_REACHING = frozenset(
    {"exec", "eval", "setattr", "delattr", "globals", "locals", "vars", "__import__", "compile"}
)
"""Functions that may change names that they do not show."""


def unknown(machine: Machine, name: str, values: Sequence[Value], named: Named) -> Value:
    """Return that anything may come of a function."""
    from tocsin.rules.panther.lift.calls import lose

    lose(machine, f"{name}() is not followed", [*values, *named.values()])
    return machine.unknown(f"{name}() is not followed")


def listed(machine: Machine, value: Value) -> Node:
    """Return a value for an operation; what a generator yields as a list."""
    if isinstance(value, Lazy):
        return machine.pure(comprehensions.list_of_generator(machine, value))
    return machine.peek(value)


def _container(machine: Machine, name: str, values: Sequence[Value]) -> Value:
    if not values:
        empty = mapping(()) if name == "dict" else seq(name, ())
        return machine.allocate(empty)
    made = machine.apply(name, *(listed(machine, one) for one in values))
    return machine.allocate(made) if machine.alive is not FALSE else NONE


def _dict(machine: Machine, values: Sequence[Value], named: Named) -> Value:
    made = (
        machine.apply("dict", *(listed(machine, one) for one in values)) if values else mapping(())
    )
    if named:
        pairs = tuple((const(name), machine.pure(one)) for name, one in named.items())
        made = machine.apply("joined", made, mapping(pairs))
    return machine.allocate(made) if machine.alive is not FALSE else NONE


def _sorted(machine: Machine, values: Sequence[Value], named: Named) -> Value:
    if len(values) != 1 or {*named} - {"reverse"}:
        return unknown(machine, "sorted with a key", values, named)
    made = machine.apply("sorted", listed(machine, values[0]), *map(machine.pure, named.values()))
    return machine.allocate(made) if machine.alive is not FALSE else NONE


def _bool(machine: Machine, values: Sequence[Value], named: Named) -> Value:
    return machine.truth(values[0]) if len(values) == 1 and not named else FALSE


_REGEX = frozenset({"search", "match", "fullmatch", "findall", "sub", "split"})


def _regex(machine: Machine, name: str, values: Sequence[Value], named: Named) -> Value:
    """A function of `re`: compile its pattern, then call the method."""
    least = 3 if name == "sub" else 2
    if len(values) < least or {*named} - {"flags"} or len(values) > least + 1:
        return unknown(machine, f"re.{name}", values, named)
    pattern, *rest = (listed(machine, one) for one in values)
    flags = machine.pure(named.get("flags", const(0)))
    if len(rest) == least:
        if name in {"sub", "split"}:
            return unknown(machine, f"re.{name}", values, named)
        flags = rest.pop()
    compiled = _compiled(machine, pattern, flags)
    return machine.apply("method", compiled, const(name), *rest, NO_ARGUMENTS)


def _compiled(machine: Machine, pattern: Node, flags: Node) -> Node:
    if isinstance(pattern, Const) or not pattern.closed:
        return machine.apply("pattern", pattern, flags)
    return pattern


def _compile(machine: Machine, values: Sequence[Value], named: Named) -> Value:
    if not 1 <= len(values) <= 2 or {*named} - {"flags"}:
        return unknown(machine, "re.compile", values, named)
    flags = values[1] if len(values) == 2 else named.get("flags", const(0))
    return _compiled(machine, machine.peek(values[0]), machine.pure(flags))


def _dumps(machine: Machine, values: Sequence[Value], named: Named) -> Value:
    if len(values) != 1 or {*named} - {"indent", "sort_keys", "separators"}:
        return unknown(machine, "json.dumps", values, named)
    pairs = tuple(seq("tuple", (const(key), machine.pure(one))) for key, one in named.items())
    return machine.apply("json.dumps", listed(machine, values[0]), seq("tuple", pairs))


def _network(machine: Machine, values: Sequence[Value], named: Named) -> Value:
    if len(values) > 2 or {*named} - {"strict"}:
        return unknown(machine, "ip_network", values, named)
    return machine.apply("ip_network", *map(machine.peek, [*values, *named.values()]))


def _b64decode(machine: Machine, values: Sequence[Value], named: Named) -> Value:
    if len(values) != 1 or {*named} - {"validate"}:
        return unknown(machine, "b64decode", values, named)
    return machine.apply("b64decode", *map(machine.peek, [*values, *named.values()]))


def _timedelta(machine: Machine, values: Sequence[Value], named: Named) -> Value:
    if values:
        return unknown(machine, "timedelta", values, named)
    pairs = tuple(seq("tuple", (const(key), machine.pure(one))) for key, one in named.items())
    return machine.apply("timedelta", seq("tuple", pairs))


def _reduce(machine: Machine, values: Sequence[Value], named: Named) -> Value:
    from tocsin.rules.panther.lift.calls import call_value

    if not 2 <= len(values) <= 3 or named:
        return unknown(machine, "reduce", values, named)
    items = machine.peek(values[1])
    if not isinstance(items, Seq):
        return unknown(machine, "reduce over a list of the event", values, named)
    rest = list(items.items)
    made: Value = values[2] if len(values) == 3 else rest.pop(0)
    for item in rest:
        made = call_value(machine, values[0], [made, item], {})
    return made


def _nothing(_: Machine, __: Sequence[Value], ___: Named) -> Value:
    return NONE


def _type_names(types: Value) -> list[str] | None:
    if isinstance(types, Lib):
        return [types.name.rsplit(".", 1)[-1]]
    if isinstance(types, Class):
        return [f"class {id(types)}"]
    return None


def _is_instance(machine: Machine, value: Value, names: list[str]) -> Value:
    if isinstance(value, Choice):
        return machine.branch(
            value.condition,
            lambda: _is_instance(machine, value.then, names),
            lambda: _is_instance(machine, value.otherwise, names),
        )
    if isinstance(value, Ref) and value.of is not None:
        return TRUE if f"class {id(value.of)}" in names else machine.unknown("a class")
    if isinstance(value, Thing) and not isinstance(value, Ref):
        only_mocks = all(name in {"MagicMock", "Mock"} for name in names)
        return FALSE if only_mocks else machine.unknown("the type of a function")
    node = machine.peek(value)
    if machine.plain:
        names = [*names, *(_PLAIN_VIEWS[name] for name in names if name in _PLAIN_VIEWS)]
    elif node is EVENT and {"PantherEvent", "Mapping"} & {*names}:
        return TRUE
    known = [name for name in names if name in TYPES and not name.startswith("class ")]
    others = {*names} - {*known} - {"MagicMock", "Mock", "PantherEvent"}
    if any(not name.startswith("class ") for name in others):
        return machine.unknown("isinstance() with a type that is not known")
    if "PantherEvent" in names and not isinstance(node, Get) and not node.closed:
        return machine.unknown("isinstance() of what may be the event")
    return machine.apply("isinstance", node, *map(const, known)) if known else FALSE


_PLAIN_VIEWS = {"dict": "ImmutableCaseInsensitiveDict", "list": "ImmutableList"}


def _hasattr(machine: Machine, values: Sequence[Value], named: Named) -> Value:
    if len(values) != 2 or not isinstance(values[1], Const):
        return unknown(machine, "hasattr", values, named)
    name = values[1].value
    if isinstance(values[0], Thing) and not isinstance(values[0], Ref | Choice):
        return machine.unknown("hasattr() of a function")
    node = machine.peek(values[0])
    if not is_listed(str(name)) and node is not EVENT:
        return machine.unknown(f"hasattr() of {name}")
    if node is EVENT:
        from tocsin.rules.panther.lift.calls import METHOD_NAMES

        return TRUE if name in METHOD_NAMES else machine.unknown("hasattr() of the event")
    return machine.apply("hasattr", node, values[1])


# Calls that look at the code of their arguments


def _any(machine: Machine, node: ast.Call) -> Value:
    return comprehensions.quantify(machine, node.args[0], every=False)


def _all(machine: Machine, node: ast.Call) -> Value:
    return comprehensions.quantify(machine, node.args[0], every=True)


def _next(machine: Machine, node: ast.Call) -> Value:
    of = machine.evaluate(node.args[0])
    default = [machine.evaluate(one) for one in node.args[1:]]
    found = listed(machine, of)
    if isinstance(found, Seq) and not found.items and default:
        return default[0]
    return machine.apply("next", found, *map(machine.pure, default))


def _isinstance_call(machine: Machine, node: ast.Call) -> Value:
    """Read the types where they stand: a tuple or `|` of types is no value."""
    if len(node.args) != 2:
        return unknown(machine, "isinstance", [], {})
    value = machine.evaluate(node.args[0])
    names: list[str] = []
    for one in _types(node.args[1]):
        found = _type_names(machine.evaluate(one))
        if found is None:
            return machine.unknown("isinstance() with a type that is not known")
        names += found
    return _is_instance(machine, value, names)


def _types(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.Tuple):
        return [one for item in node.elts for one in _types(item)]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return [*_types(node.left), *_types(node.right)]
    return [node]


def _min_max(name: str) -> Callable[[Machine, ast.Call], Value]:
    def handler(machine: Machine, node: ast.Call) -> Value:
        values = [machine.evaluate(one) for one in node.args]
        if node.keywords:
            named = {str(one.arg): machine.evaluate(one.value) for one in node.keywords}
            return unknown(machine, f"{name} with a key", values, named)
        return machine.apply(name, *(listed(machine, one) for one in values))

    return handler


SPECIAL: Mapping[str, Callable[[Machine, ast.Call], Value]] = {
    "any": _any,
    "all": _all,
    "next": _next,
    "isinstance": _isinstance_call,
    "min": _min_max("min"),
    "max": _min_max("max"),
}
"""Functions that do not begin with the values of their arguments."""

_HANDLERS: Mapping[str, Handler] = {
    "bool": _bool,
    "dict": _dict,
    "sorted": _sorted,
    "hasattr": _hasattr,
    "print": _nothing,
    "object.__init__": _nothing,
    "re.compile": _compile,
    "json.dumps": _dumps,
    "ipaddress.ip_network": _network,
    "base64.b64decode": _b64decode,
    "datetime.timedelta": _timedelta,
    "functools.reduce": _reduce,
    "iter": lambda machine, values, _: machine.apply("iterable", values[0]),
}
