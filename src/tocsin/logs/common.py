"""Names that several log types share: they follow from other names, whatever the shape."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import chain

from tocsin.condition.functions import fold
from tocsin.logs.families import Family, filled, in_order, of_family
from tocsin.logs.logtype import PANTHER, Shape
from tocsin.logs.mapping import Expr, First
from tocsin.logs.view import resolve_names

TIME = "@timestamp"


@dataclass(frozen=True, slots=True)
class Common:
    """Names and families by vocabulary, for every shape that asks for them."""

    declares: Mapping[str, Mapping[str, Expr]]
    """Names that read exact paths."""
    families: Mapping[str, tuple[Family, ...]]
    names: Mapping[str, Mapping[str, Expr]]
    """Names that read other names of the shape, those above them included."""


def with_common(shape: Shape, shared: Iterable[Common]) -> Shape:
    """Complete the vocabularies of a shape that have families.

    What is shared counts where what the shape says itself is absent; of several the first counts.
    The time goes by the name of `TIME`. Nothing null or empty is a value. If the record's own keys
    are names, they go before what is declared.
    """
    shared = tuple(shared)
    for one in shared:
        for vocabulary, families in one.families.items():
            shape = _with_families(shape, vocabulary, families)
    for vocabulary in shape.families.keys() - {PANTHER}:
        shape = _completed(shape, vocabulary, shared)
    return shape


def _with_families(shape: Shape, vocabulary: str, families: tuple[Family, ...]) -> Shape:
    own = shape.families.get(vocabulary, ())
    prefixes = {family.prefix for family in own}
    added = [family for family in families if family.prefix not in prefixes]
    return replace(shape, families={**shape.families, vocabulary: in_order((*own, *added))})


def _completed(shape: Shape, vocabulary: str, shared: Iterable[Common]) -> Shape:
    spelled = shape.spellings.get(vocabulary, {})
    own = {spelled[name]: expr for name, expr in shape.names.get(vocabulary, {}).items()}
    for one in shared:
        own = {**one.declares.get(vocabulary, {}), **own}
    names: dict[str, Expr] = {}
    shape = _declaring(shape, vocabulary, names)
    for name, expr in {TIME: shape.time, **own}.items():
        names[name] = _completed_name(shape, vocabulary, name, expr)
    for name, expr in chain.from_iterable(one.names.get(vocabulary, {}).items() for one in shared):
        shape = _declaring(shape, vocabulary, names)
        derived = filled(resolve_names(expr, shape, vocabulary))
        known = names.get(name)
        names[name] = (
            _either(known, derived) if known else _completed_name(shape, vocabulary, name, derived)
        )
    return _declaring(shape, vocabulary, names)


def _either(known: Expr, derived: Expr) -> Expr:
    return First((*known.parts, derived)) if isinstance(known, First) else First((known, derived))


def _completed_name(shape: Shape, vocabulary: str, name: str, expr: Expr) -> Expr:
    every_name = [family for family in shape.families[vocabulary] if not family.prefix]
    if not every_name:
        return filled(expr)
    return First((of_family(every_name, name), filled(expr)))


def _declaring(shape: Shape, vocabulary: str, names: Mapping[str, Expr]) -> Shape:
    folded = {fold(name): expr for name, expr in names.items()}
    spellings = {fold(name): name for name in names}
    return replace(
        shape,
        names={**shape.names, vocabulary: folded},
        spellings={**shape.spellings, vocabulary: spellings},
    )
