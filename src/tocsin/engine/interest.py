"""Which columns of a table plans can ask for, so that the others need no reading."""

from collections.abc import Iterable, Iterator

from tocsin.condition.functions import fold
from tocsin.condition.tree import fields
from tocsin.engine.layout import KeyPath
from tocsin.engine.plan import Plan
from tocsin.logs.logtype import ANY_KEY, Shape
from tocsin.logs.mapping import Expr, Path, every_leaf
from tocsin.logs.respelled import Respelled
from tocsin.logs.whole import Whole


def wanted_names(plans: Iterable[Plan]) -> frozenset[str] | None:
    """Return the folded names of columns that identification and plans ask for; None if any may be.

    A name may be a column, the first key of a path into one, or a dotted column: every beginning of
    it is among the names. Keywords and alerts read the other columns when they need them.
    """
    found: set[str] = set()
    for plan in plans:
        paths = [field.path for field in fields(plan.shape.identify)]
        columns = (*plan.columns, *plan.gate)
        paths += [path for one in columns if one.expr for path in _paths(one.expr, plan.shape)]
        found.update(name for path in paths for name in _beginnings(path))
    return None if any(name.split(".")[0] == ANY_KEY for name in found) else frozenset(found)


def _beginnings(path: KeyPath) -> Iterator[str]:
    return (fold(".".join(path[:end])) for end in range(1, len(path) + 1))


def _paths(expr: Expr, shape: Shape) -> Iterator[KeyPath]:
    for leaf in every_leaf(expr):
        if isinstance(leaf, Path):
            yield leaf.path
        elif isinstance(leaf, Respelled):
            yield leaf.path or (ANY_KEY,)
        elif isinstance(leaf, Whole):
            kept = leaf.spelling.is_plain or leaf.path
            yield leaf.path + leaf.keys if kept and (leaf.path or leaf.keys) else (ANY_KEY,)
        else:
            yield from (base + segments for base, segments in shape.candidates(leaf.name))
