"""Shapes within others: the same record, standing under a key of what delivers it."""

from collections.abc import Iterable
from dataclasses import replace

from tocsin.condition.simplify import simplify, substitute
from tocsin.condition.tree import And, Condition, Field, FieldsCompare, Leaf
from tocsin.logs.logtype import PANTHER, Shape
from tocsin.logs.mapping import All, Expr, First, Merged, Path, Table, Via, When
from tocsin.logs.nested import AS_IT_STANDS
from tocsin.logs.respelled import Respelled
from tocsin.logs.whole import Whole

KeyPath = tuple[str, ...]


def moved(shape: Shape, name: str, *, at: KeyPath, condition: Condition) -> Shape:
    """Return the shape of records that stand at a path, as an object or as the text of one.

    `condition` is one more thing to ask of the whole record, over exact paths.
    """
    return Shape(
        name=name,
        identify=simplify(And((condition, _move_condition(shape.identify, at)))),
        time=_move(shape.time, at),
        names={
            vocabulary: {key: _move(expr, at) for key, expr in names.items()}
            for vocabulary, names in shape.names.items()
        },
        spellings=shape.spellings,
        families={
            vocabulary: tuple(replace(family, path=at + family.path) for family in families)
            for vocabulary, families in {PANTHER: (AS_IT_STANDS,), **shape.families}.items()
        },
        bases=tuple(at + base for base in shape.bases),
        strip=shape.strip,
        json_cells=(at, *(at + cell for cell in shape.json_cells)),
        entities={kind: _move_all(exprs, at) for kind, exprs in shape.entities.items()},
        unique=_move_all(shape.unique, at),
    )


def _move_all(exprs: Iterable[Expr], at: KeyPath) -> tuple[Expr, ...]:
    return tuple(_move(expr, at) for expr in exprs)


def _move(expr: Expr, at: KeyPath) -> Expr:
    match expr:
        case Path(path):
            return Path(at + path)
        case Respelled(path) | Whole(path):
            return replace(expr, path=at + path)
        case Merged(outer, inner):
            return Merged(_move(outer, at), tuple((keys, _move(part, at)) for keys, part in inner))
        case First(parts) | All(parts):
            return replace(expr, parts=_move_all(parts, at))
        case Table(of) | Via(of):
            return replace(expr, of=_move(of, at))
        case When(condition, then, otherwise):
            moved_otherwise = None if otherwise is None else _move(otherwise, at)
            return When(_move_condition(condition, at), _move(then, at), moved_otherwise)
        case _:
            return expr


def _move_condition(condition: Condition, at: KeyPath) -> Condition:
    return substitute(condition, lambda leaf: _move_leaf(leaf, at))


def _move_leaf(leaf: Leaf, at: KeyPath) -> Condition:
    if isinstance(leaf, FieldsCompare):
        return replace(leaf, left=_move_field(leaf.left, at), right=_move_field(leaf.right, at))
    return replace(leaf, field=_move_field(leaf.field, at))


def _move_field(field: Field, at: KeyPath) -> Field:
    return Field(at + field.path, field.via)
