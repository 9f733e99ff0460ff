"""What of an expression is read of every record, and what only where a record comes to it."""

from collections.abc import Iterator
from functools import lru_cache

from tocsin.condition.tree import fields
from tocsin.logs.mapping import (
    All,
    Const,
    Expr,
    First,
    Leaf,
    Merged,
    Name,
    Path,
    Table,
    Via,
    When,
    every_leaf,
)
from tocsin.logs.respelled import Respelled
from tocsin.logs.view import Cells, cells_below
from tocsin.logs.whole import Whole


def leaves_of(expr: Expr, cells: Cells) -> list[Leaf]:
    """Return the leaves that are read of every record for an expression, in order.

    The branches of a `When` are not among them: most batches need one of the two only. Nor are the
    parts of a choice that few records come to (`parts_ahead`); `cells` are the shape's JSON cells.
    """
    match expr:
        case Path() | Name() | Respelled() | Whole():
            return [expr]
        case First(parts):
            ahead = parts[: parts_ahead(parts, cells)]
            return [leaf for part in ahead for leaf in leaves_of(part, cells)]
        case All(parts):
            return [leaf for part in parts for leaf in leaves_of(part, cells)]
        case Table(of) | Via(of):
            return leaves_of(of, cells)
        case When(condition):
            return [Path(field.path) for field in fields(condition)]
        case Merged(outer, inner):
            exprs = (outer, *(part for _, part in inner))
            return [leaf for one in exprs for leaf in leaves_of(one, cells)]
        case Const():
            return []


@lru_cache(maxsize=100_000)
def parts_ahead(parts: tuple[Expr, ...], cells: Cells) -> int:
    """Return how many parts of a choice to read of every record.

    What stands inside of more texts than the first part is read where those before say nothing:
    each text has to be opened. Once they are opened for the first, the others cost little.
    """
    texts = [texts_around(part, cells) for part in parts]
    return next((at for at, around in enumerate(texts) if around > texts[0]), len(parts))


def rest_of(choice: First, cells: Cells) -> First:
    """Return the parts of a choice that are not read of every record."""
    return First(choice.parts[parts_ahead(choice.parts, cells) :])


def open_choices(expr: Expr, cells: Cells) -> Iterator[First]:
    """Yield the choices in an expression of which some parts are not read of every record."""
    match expr:
        case First(parts):
            ahead = parts_ahead(parts, cells)
            for part in parts[:ahead]:
                yield from open_choices(part, cells)
            if ahead < len(parts):
                yield expr
        case All(parts):
            for part in parts:
                yield from open_choices(part, cells)
        case Table(of) | Via(of):
            yield from open_choices(of, cells)
        case Merged(outer, inner):
            for one in (outer, *(part for _, part in inner)):
                yield from open_choices(one, cells)


@lru_cache(maxsize=100_000)
def texts_around(expr: Expr, cells: Cells) -> int:
    """Return inside of how many texts an expression reads, at most."""
    return max((_texts_on_the_way(leaf, cells) for leaf in every_leaf(expr)), default=0)


def _texts_on_the_way(leaf: Leaf, cells: Cells) -> int:
    if isinstance(leaf, Name):
        return 0
    path = leaf.path + leaf.keys[:1] if isinstance(leaf, Whole) else leaf.path
    return sum(() in cells_below(cells, path[:end]) for end in range(1, len(path)))
