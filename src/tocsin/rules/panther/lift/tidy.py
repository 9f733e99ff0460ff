"""Leave out of a condition what the rest of it says already."""

from dataclasses import dataclass, field

from tocsin.python.values import ANY, BOOL, LIST, NULL, NUMBER, OBJECT, OTHER, TEXT
from tocsin.rules.panther.lift.logic import conj, negation
from tocsin.rules.panther.lift.nodes import (
    And,
    App,
    Const,
    Get,
    Ite,
    Kind,
    Lam,
    Map,
    Node,
    Or,
    Seq,
    Truth,
    get,
    kinds,
)
from tocsin.rules.panther.lift.paths import children


def tidy(node: Node) -> Node:
    """Return an equal condition without what is implied by comparisons beside it."""
    memory: dict[Node, Node] = {}

    def visit(one: Node) -> Node:
        if not isinstance(one, And | Or):
            return one
        if one not in memory:
            parts = [visit(part) for part in one.parts]
            if isinstance(one, And):
                memory[one] = _without_implied(parts)
            else:
                memory[one] = negation(_without_implied(list(map(negation, parts))))
        return memory[one]

    return visit(node)


@dataclass(slots=True)
class _Facts:
    """What is known where some comparisons hold: kinds of values, and what counts as true."""

    kinds: dict[Node, int] = field(default_factory=dict)
    true: dict[Node, Node] = field(default_factory=dict)
    """Values that count as true, and the comparison that says so."""

    def decide(self, part: Node) -> bool:
        """Say whether a condition follows."""
        if isinstance(part, Kind):
            known = self.kinds.get(part.of)
            return known is not None and not known & kinds(part.of) & ~part.mask
        if isinstance(part, Truth):
            return self.true.get(part.of, part) is not part
        return isinstance(part, Or) and any(map(self.decide, part.parts))


def _without_implied(parts: list[Node]) -> Node:
    facts = _Facts()
    for part in parts:
        if isinstance(part, Truth):
            _of_value(part.of, part, ANY, facts)
    return conj(*(part for part in parts if not facts.decide(part)))


def _of_value(node: Node, source: Node, mask: int, facts: _Facts) -> None:
    """Add what is known where a value is there and can be computed."""
    if isinstance(node, Ite | Lam | Kind | And | Or | Truth):
        return
    if isinstance(node, Get):
        facts.kinds[node] = facts.kinds.get(node, ANY) & mask
        if node.path and (node.base or len(node.path) > 1):
            above = get(node.base, node.path[:-1])
            facts.true.setdefault(above, source)
            _of_value(above, source, OBJECT, facts)
        return
    if isinstance(node, App):
        if mask != ANY:
            facts.kinds[node] = facts.kinds.get(node, ANY) & mask
        _of_operation(node, source, facts)
        return
    for one in children(node):
        _of_value(one, source, ANY, facts)


def _of_operation(node: App, source: Node, facts: _Facts) -> None:
    if node.name in {"raises", "fold", "map", "flat", "all"}:
        return
    masks = [ANY] * len(node.args)
    if node.name == "method" and isinstance(node.args[1], Const):
        masks[0] = _method(node, source, facts)
    elif node.name == "eq" and isinstance(node.args[1], Const) and _holds(node, source):
        masks[0] = _equal_to(node.args[1].value)
        if node.args[1].value:
            _is_true(node.args[0], source, facts)
    elif node.name == "is" and isinstance(node.args[1], Const) and _holds(node, source):
        masks[0] = BOOL
    elif node.name == "in":
        masks = _membership(node, source, facts)
    elif node.name in {"lt", "le", "gt", "ge"}:
        masks = _ordered(node)
    elif node.name in {"len", "any"}:
        masks[0] = TEXT | LIST | OBJECT | OTHER
        if node.name == "any" and _holds(node, source):
            _is_true(node.args[0], source, facts)
    elif node.name == "fnmatch":
        masks[0] = TEXT
    for one, mask in zip(node.args, masks, strict=True):
        _of_value(one, source, mask, facts)


def _holds(node: Node, source: Node) -> bool:
    """Say whether a comparison is the one that is known to hold, not a part of it."""
    return isinstance(source, Truth) and source.of is node


def _is_true(node: Node, source: Node, facts: _Facts) -> None:
    """Add that a value counts as true; a text made of another then says so of that one."""
    facts.true.setdefault(node, source)
    if not isinstance(node, App) or node.name != "method" or node.args[2:-1] != ():
        return
    if isinstance(node.args[1], Const) and node.args[1].value in _KEEPING:
        _is_true(node.args[0], source, facts)


def _method(node: App, source: Node, facts: _Facts) -> int:
    name, args = node.args[1], node.args[2:-1]
    assert isinstance(name, Const)
    if name.value in {"startswith", "endswith"} and len(args) == 1:
        texts = args[0].items if isinstance(args[0], Seq) else args
        known = all(isinstance(one, Const) and one.value for one in texts)
        if texts and known and _holds(node, source):
            _is_true(node.args[0], source, facts)
    return TEXT if name.value in _TEXTS else ANY


def _membership(node: App, source: Node, facts: _Facts) -> list[int]:
    container, item = node.args
    keys: tuple[Node, ...] | None = None
    if isinstance(container, Seq):
        keys = container.items
    elif isinstance(container, Map):
        keys = tuple(key for key, _ in container.pairs)
    holds = _holds(node, source)
    if keys is not None and all(isinstance(one, Const) for one in keys):
        mask = 0
        for one in keys:
            mask |= _equal_to(one.value) if isinstance(one, Const) else ANY
        if holds and all(isinstance(one, Const) and one.value for one in keys):
            _is_true(item, source, facts)
        return [ANY, mask if holds else ANY]
    if isinstance(item, Const) and isinstance(item.value, str) and item.value and holds:
        _is_true(container, source, facts)
    if isinstance(item, Const) and isinstance(container, Get):
        return [TEXT | LIST | OBJECT, ANY]
    return [ANY, ANY]


def _ordered(node: App) -> list[int]:
    masks = [ANY, ANY]
    for at, other in ((0, node.args[1]), (1, node.args[0])):
        if isinstance(other, Const) and isinstance(other.value, int | float):
            masks[at] = NUMBER | BOOL
    return masks


def _equal_to(value: object) -> int:
    if isinstance(value, str):
        return TEXT
    if isinstance(value, bool | int | float):
        return NUMBER | BOOL
    return NULL if value is None else ANY


_TEXTS = frozenset(
    [
        "lower",
        "upper",
        "strip",
        "lstrip",
        "rstrip",
        "split",
        "rsplit",
        "startswith",
        "endswith",
        "replace",
        "title",
        "splitlines",
        "removeprefix",
        "removesuffix",
        "capitalize",
        "casefold",
        "partition",
        "rpartition",
        "find",
        "rfind",
    ]
)
_KEEPING = frozenset(
    ["lower", "upper", "strip", "lstrip", "rstrip", "title", "capitalize", "casefold", "swapcase"]
)
"""Methods whose result is empty where the text is."""
