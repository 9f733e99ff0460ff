"""Names that several log types share: they follow from other names, whatever the shape."""

from collections.abc import Mapping
from dataclasses import replace

from tocsin.condition.functions import fold
from tocsin.logs.families import filled, of_family
from tocsin.logs.logtype import Shape
from tocsin.logs.mapping import Expr, First
from tocsin.logs.view import resolve_names

TIME = "@timestamp"


def with_common(shape: Shape, common: Mapping[str, Mapping[str, Expr]]) -> Shape:
    """Complete the vocabularies of a shape that have families.

    Shared names are read where the shape does not declare them itself. The time goes by the name of
    `TIME`. Nothing null or empty is a value. If the record's own keys are names, they go first.
    """
    for vocabulary in shape.families:
        shape = _completed(shape, vocabulary, common.get(vocabulary, {}))
    return shape


def _completed(shape: Shape, vocabulary: str, common: Mapping[str, Expr]) -> Shape:
    spelled = shape.spellings.get(vocabulary, {})
    own = {spelled[name]: expr for name, expr in shape.names.get(vocabulary, {}).items()}
    names: dict[str, Expr] = {}
    shape = _declaring(shape, vocabulary, names)
    for name, expr in {TIME: shape.time, **own}.items():
        names[name] = _completed_name(shape, vocabulary, name, expr)
    for name, expr in common.items():
        if name not in names:
            shape = _declaring(shape, vocabulary, names)
            derived = resolve_names(expr, shape, vocabulary)
            names[name] = _completed_name(shape, vocabulary, name, derived)
    return _declaring(shape, vocabulary, names)


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
