"""The document that rules of Panther see: which part of a record each of its keys is read from.

A shape's record is the document as it stands, unless the shape declares names and families of the
vocabulary `panther`. Their dots part the keys of nested objects. What is declared owns its key: no
other key of the record is seen in its place, ignoring case.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import TypeAlias

from tocsin.condition.tree import Call
from tocsin.logs.families import Family
from tocsin.logs.mapping import ABSENT, Expr, First, Merged, Via
from tocsin.logs.respelled import KEPT
from tocsin.logs.whole import Whole

Keys: TypeAlias = tuple[str, ...]

AS_IT_STANDS = Family("", (), KEPT, keeps_empty=True)
"""The record itself is the document."""


def whole_in(names: Mapping[str, Expr], families: Sequence[Family], keys: Keys) -> Expr:
    """Return what reads the value at a path of keys of the document; no keys read all of it.

    `names` are spelled as they are declared.
    """
    parts = [*_of_families(families), *((_keys(name), expr) for name, expr in names.items())]
    parts.sort(key=lambda part: len(part[0]))
    owners = [part for part in parts if _starts_with(keys, part[0])]
    inner = [part for part in parts if part not in owners and _starts_with(part[0], keys)]
    outer: Expr = ABSENT
    if owners:
        own, expr = owners[-1]
        outer = _inside(expr, keys[len(own) :])
    if not inner:
        return outer
    return Merged(outer, tuple((own[len(keys) :], expr) for own, expr in inner))


def _of_families(families: Sequence[Family]) -> Iterable[tuple[Keys, Expr]]:
    """Yield where families stand; of several with one prefix the first that is there counts."""
    for prefix, alike in groupby(families, lambda family: family.prefix):
        reads: list[Expr] = [Whole(family.path, (), family.spelling) for family in alike]
        yield _keys(prefix), reads[0] if len(reads) == 1 else First(tuple(reads))


def _keys(name: str) -> Keys:
    return tuple(name.split(".")) if name else ()


def _starts_with(keys: Keys, start: Keys) -> bool:
    own = tuple(key.lower() for key in keys[: len(start)])
    return own == tuple(key.lower() for key in start)


def _inside(expr: Expr, rest: Keys) -> Expr:
    if not rest:
        return expr
    if isinstance(expr, Whole):
        return Whole(expr.path, expr.keys + rest, expr.spelling)
    if isinstance(expr, First):
        return First(tuple(_inside(part, rest) for part in expr.parts))
    return Via(expr, (Call("at", rest),))
