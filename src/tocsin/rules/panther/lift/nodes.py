"""What the executor computes with: constants, fields of the event, operations on them, conditions.

Equal nodes are one object, so a value that is used twice is one node in a graph without cycles, and
nodes are compared by identity. A condition is a value that is true or false.
"""

from typing import Any, Final, TypeAlias

from tocsin.python.values import ABSENT, ANY, BOOL, LIST, OBJECT, OTHER, PRESENT, kind_of

EVERY_KIND = ANY | ABSENT
_NONE: frozenset[int] = frozenset()


class Node:
    """A value.

    `variables` are those it reads; `closed`: it reads no event; `unknown`: not all is known.
    """

    __slots__ = ("closed", "negated", "unknown", "variables", "width")

    closed: bool
    negated: "Node | None"
    unknown: bool
    variables: frozenset[int]
    width: int

    def _take(self, *parts: "Node") -> None:
        closed, unknown, variables = True, False, _NONE
        for part in parts:
            closed = closed and part.closed
            unknown = unknown or part.unknown
            if part.variables:
                variables |= part.variables
        self.negated = None
        self.closed = closed
        self.unknown = unknown
        self.variables = variables
        self.width = 1


class Const(Node):
    """A constant that is no container."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self._take()
        self.value = value


class Seq(Node):
    """A list, tuple, set or frozenset of these items."""

    __slots__ = ("items", "type")

    def __init__(self, type_: str, items: tuple[Node, ...]) -> None:
        self._take(*items)
        self.type = type_
        self.items = items


class Map(Node):
    """A dictionary of these pairs; of equal keys the last counts."""

    __slots__ = ("pairs",)

    def __init__(self, pairs: tuple[tuple[Node, Node], ...]) -> None:
        self._take(*(one for pair in pairs for one in pair))
        self.pairs = pairs


class Get(Node):
    """What is at a path of the event (base 0) or of a variable; to be used only where it is.

    Variables with even numbers are members of lists of the event.
    """

    __slots__ = ("base", "path")

    def __init__(self, base: int, path: tuple[str, ...]) -> None:
        self._take()
        self.closed = False
        self.variables = frozenset((base,)) if base else frozenset()
        self.base = base
        self.path = path


class App(Node):
    """An operation (`tocsin.python`) on values."""

    __slots__ = ("args", "name")

    def __init__(self, name: str, args: tuple[Node, ...]) -> None:
        self._take(*args)
        self.name = name
        self.args = args


class Ite(Node):
    """One of two values."""

    __slots__ = ("condition", "otherwise", "then")

    def __init__(self, condition: Node, then: Node, otherwise: Node) -> None:
        self._take(condition, then, otherwise)
        self.condition = condition
        self.then = then
        self.otherwise = otherwise
        self.width = min(then.width + otherwise.width, 1_000_000)


class Lam(Node):
    """A function of some variables."""

    __slots__ = ("body", "numbers")

    def __init__(self, numbers: tuple[int, ...], body: Node) -> None:
        self._take(body)
        self.variables = body.variables - frozenset(numbers)
        self.numbers = numbers
        self.body = body


class Kind(Node):
    """Whether a value is of some kinds; of a `Get` also whether it is absent."""

    __slots__ = ("mask", "of")

    def __init__(self, of: Node, mask: int) -> None:
        self._take(of)
        self.of = of
        self.mask = mask


class Truth(Node):
    """Whether a value is there, can be computed, and is true."""

    __slots__ = ("of",)

    def __init__(self, of: Node) -> None:
        self._take(of)
        self.of = of


class And(Node):
    """All of some conditions."""

    __slots__ = ("parts",)

    def __init__(self, parts: tuple[Node, ...]) -> None:
        self._take(*parts)
        self.parts = parts


class Or(Node):
    """Any of some conditions."""

    __slots__ = ("parts",)

    def __init__(self, parts: tuple[Node, ...]) -> None:
        self._take(*parts)
        self.parts = parts


class Not(Node):
    """The opposite of a comparison."""

    __slots__ = ("part",)

    def __init__(self, part: Node) -> None:
        self._take(part)
        self.part = part


class Unknown(Node):
    """A value of which nothing is known; each has its own number."""

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self._take()
        self.closed = False
        self.unknown = True
        self.number = number


Key: TypeAlias = tuple[Any, ...]

_NODES: dict[Key, Node] = {}


def _one(kind: Any, *parts: Any, key: Key | None = None) -> Any:
    found = (kind, *(key or parts))
    node = _NODES.get(found)
    if node is None:
        node = _NODES[found] = kind(*parts)
    return node


def const(value: Any) -> Const:
    """Return the node of a text, number, boolean, None or bytes."""
    made: Const = _one(Const, value, key=(type(value), repr(value)))
    return made


TRUE: Final = const(value=True)
FALSE: Final = const(value=False)
NONE: Final = const(None)


def known() -> frozenset[Key]:
    """Return what names the nodes that there are."""
    return frozenset(_NODES)


def forget(kept: frozenset[Key]) -> None:
    """Forget every node but some: what modules keep as constants must stay the same node."""
    for key in _NODES.keys() - kept:
        del _NODES[key]


def seq(type_: str, items: tuple[Node, ...]) -> Seq:
    """Return a list, tuple or set."""
    made: Seq = _one(Seq, type_, items)
    return made


def mapping(pairs: tuple[tuple[Node, Node], ...]) -> Map:
    """Return a dictionary."""
    made: Map = _one(Map, tuple(dict(pairs).items()))
    return made


def get(base: int, path: tuple[str, ...]) -> Get:
    """Return what is at a path of the event or of a variable."""
    made: Get = _one(Get, base, path)
    return made


def app(name: str, *args: Node) -> App:
    """Return an operation."""
    made: App = _one(App, name, args)
    return made


def lam(numbers: tuple[int, ...], body: Node) -> Lam:
    """Return a function of variables."""
    made: Lam = _one(Lam, numbers, body)
    return made


def raw_ite(condition: Node, then: Node, otherwise: Node) -> Ite:
    """Return a choice as it stands."""
    made: Ite = _one(Ite, condition, then, otherwise)
    return made


def raw_kind(of: Node, mask: int) -> Kind:
    """Return a test of kinds as it stands."""
    made: Kind = _one(Kind, of, mask)
    return made


def raw_truth(of: Node) -> Truth:
    """Return a test of truth as it stands."""
    made: Truth = _one(Truth, of)
    return made


def raw_and(parts: tuple[Node, ...]) -> And:
    """Return a conjunction as it stands."""
    made: And = _one(And, parts)
    return made


def raw_or(parts: tuple[Node, ...]) -> Or:
    """Return a disjunction as it stands."""
    made: Or = _one(Or, parts)
    return made


def raw_not(part: Node) -> Not:
    """Return a negation as it stands."""
    made: Not = _one(Not, part)
    return made


EVENT: Final = get(0, ())
NO_ARGUMENTS: Final = seq("tuple", ())

CONDITIONS = (Kind, Truth, And, Or, Not)


def is_condition(node: Node) -> bool:
    """Say whether a node is true or false and nothing else."""
    return node is TRUE or node is FALSE or isinstance(node, CONDITIONS)


_RESULTS = {
    "str": 32, "repr": 32, "format": 32, "format_text": 32, "len": 8, "int": 8, "float": 16,
    "list": LIST, "sorted": LIST, "map": LIST, "flat": LIST, "enumerate": LIST, "zip": LIST,
    "range": LIST, "reversed": LIST, "dict": OBJECT, "tuple": OTHER, "set": OTHER,
    "frozenset": OTHER, "ip_address": OTHER, "ip_network": OTHER, "pattern": OTHER, "fold": OTHER,
    "unpack": OTHER, "eq": BOOL, "lt": BOOL, "le": BOOL, "gt": BOOL, "ge": BOOL, "is": BOOL,
    "in": BOOL, "bool": BOOL, "isinstance": BOOL, "hasattr": BOOL, "any": BOOL, "all": BOOL,
    "raises": BOOL, "fnmatch": BOOL, "fnmatchcase": BOOL, "shlex.split": LIST, "json.dumps": 32,
    "text": 32, "urlparse": OTHER, "parse_qs": OBJECT, "timedelta": OTHER,
    "fromisoformat": OTHER, "strptime": OTHER,
}  # fmt: skip
"""Kinds of what operations return, where only some are possible."""
_TEXTS = frozenset(
    [
        "capitalize",
        "casefold",
        "join",
        "lower",
        "lstrip",
        "removeprefix",
        "removesuffix",
        "replace",
        "rstrip",
        "strip",
        "swapcase",
        "title",
        "upper",
        "ljust",
        "rjust",
        "center",
        "zfill",
    ]
)
_FLAGS = frozenset(
    [
        "endswith",
        "isalnum",
        "isalpha",
        "isascii",
        "isdecimal",
        "isdigit",
        "islower",
        "isnumeric",
        "isprintable",
        "isspace",
        "istitle",
        "isupper",
        "startswith",
    ]
)


def kinds(node: Node) -> int:
    """Return the kinds that a value can be of, where it is used."""
    if isinstance(node, Const):
        return kind_of(node.value)
    if isinstance(node, Get):
        if node.base % 2:
            return ANY
        return PRESENT if node.path or node.base else OBJECT
    if isinstance(node, Ite):
        return kinds(node.then) | kinds(node.otherwise)
    if isinstance(node, Seq):
        return LIST if node.type == "list" else OTHER
    if isinstance(node, Map):
        return OBJECT
    if isinstance(node, App):
        return _kinds_of_result(node)
    return BOOL if is_condition(node) else ANY


def _kinds_of_result(node: App) -> int:
    if node.name == "method" and isinstance(node.args[1], Const):
        name = node.args[1].value
        if kinds(node.args[0]) & OTHER:
            return ANY
        if name in _TEXTS:
            return 32
        if name in {"split", "rsplit", "splitlines"}:
            return LIST
        return BOOL if name in _FLAGS else ANY
    if node.name == "slice":
        return kinds(node.args[0]) & (32 | LIST | OTHER)
    if node.name == "add":
        left, right = map(kinds, node.args)
        if left == 32 or right == 32:
            return 32
    return _RESULTS.get(node.name, ANY)
