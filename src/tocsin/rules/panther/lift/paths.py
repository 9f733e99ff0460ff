"""Which parts of the event a value reads."""

from tocsin.rules.panther.lift.nodes import (
    And,
    App,
    Get,
    Ite,
    Kind,
    Lam,
    Map,
    Node,
    Not,
    Or,
    Seq,
    Truth,
)

_READS: dict[Node, frozenset[Get]] = {}


def forget_reads() -> None:
    """Forget what nodes read."""
    _READS.clear()


def children(node: Node) -> tuple[Node, ...]:
    """Return the values that a value is made of."""
    match node:
        case Seq():
            return node.items
        case Map():
            return tuple(one for pair in node.pairs for one in pair)
        case App():
            return node.args
        case Ite():
            return (node.condition, node.then, node.otherwise)
        case Lam():
            return (node.body,)
        case Kind() | Truth():
            return (node.of,)
        case And() | Or():
            return node.parts
        case Not():
            return (node.part,)
    return ()


def reads(node: Node) -> frozenset[Get]:
    """Return every place that a value reads."""
    if isinstance(node, Get):
        return frozenset((node,))
    if node.closed:
        return frozenset()
    found = _READS.get(node)
    if found is None:
        found = frozenset().union(*map(reads, children(node)))
        if isinstance(node, Lam):
            found = frozenset(one for one in found if one.base not in node.numbers)
        _READS[node] = found
    return found


def bases(node: Node) -> frozenset[int]:
    """Return what a value reads from: 0 is the event, other numbers are variables."""
    return frozenset(one.base for one in reads(node))


def common_path(node: Node) -> tuple[str, ...] | None:
    """Return the longest path that everything a value reads of the event is below."""
    paths = sorted(one.path for one in reads(node) if not one.base)
    if not paths:
        return None
    first, last = paths[0], paths[-1]
    size = next(
        (at for at, (a, b) in enumerate(zip(first, last, strict=False)) if a != b),
        min(len(first), len(last)),
    )
    return first[:size]
