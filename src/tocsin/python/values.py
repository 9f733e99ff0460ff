"""Values of records as Python has them, their kinds, and what conditions see of results."""

import math
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from tocsin.jsontext import Json, Number
from tocsin.python.views import MappingView, SequenceView, plain

ABSENT, NULL, BOOL, INT, FLOAT, TEXT, LIST, OBJECT, OTHER = (1 << at for at in range(9))
"""Kinds of values, as bits of a mask. `OTHER` is what JSON does not have."""
KINDS = {
    "null": NULL,
    "boolean": BOOL,
    "integer": INT,
    "float": FLOAT,
    "text": TEXT,
    "list": LIST,
    "object": OBJECT,
    "other": OTHER,
}
"""The names of kinds, as the function `kind` gives them."""
NUMBER = INT | FLOAT
PRESENT = NULL | BOOL | INT | FLOAT | TEXT | LIST | OBJECT
ANY = PRESENT | OTHER

_NAMES = {kind: name for name, kind in KINDS.items()}
_KIND_OF: Mapping[type, int] = {
    type(None): NULL,
    bool: BOOL,
    int: INT,
    float: FLOAT,
    str: TEXT,
    list: LIST,
    SequenceView: LIST,
    dict: OBJECT,
    MappingView: OBJECT,
}


def kind_of(value: Any) -> int:
    """Return the kind of a value of Python."""
    return _KIND_OF.get(type(value), OTHER)


def kind_name(value: Json) -> str:
    """Return the name of the kind of a value of a record."""
    if isinstance(value, Number):
        return "integer" if _is_integer(value.text) else "float"
    return _NAMES[kind_of(value)]


def _is_integer(text: str) -> bool:
    return text.lstrip("-").isdecimal()


_AS_THEY_ARE = {str, bool, type(None)}


def from_json(value: Json) -> Any:
    """Return a value of a record as Python's own reader of JSON gives it."""
    if value.__class__ in _AS_THEY_ARE:
        return value
    if isinstance(value, dict):
        return {
            key: item if item.__class__ in _AS_THEY_ARE else from_json(item)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [item if item.__class__ in _AS_THEY_ARE else from_json(item) for item in value]
    if isinstance(value, Number):
        return int(value.text) if _is_integer(value.text) else float(value.text)
    return value


def to_json(value: Any) -> Iterable[Any]:
    """Yield a result as conditions see it: floats are exact; what JSON does not have is nothing."""
    kind = kind_of(value)
    if kind == OTHER:
        return ()
    if kind == FLOAT:
        return () if math.isnan(value) else (Decimal(value),)
    return (plain(value),) if kind in (LIST, OBJECT) else (value,)


def number(value: Any) -> Iterable[int | Decimal]:
    """Yield what a value counts as where Python compares numbers: true is 1, floats are exact."""
    if isinstance(value, Number):
        value = from_json(value)
    if isinstance(value, bool):
        return (int(value),)
    if isinstance(value, float):
        return () if math.isnan(value) else (Decimal(value),)
    return (value,) if isinstance(value, int | Decimal) else ()


def same(value: Any) -> Iterable[str]:
    """Yield a text that equal values have in common, and no others.

    Nothing for NaN, and for what nests too deep for Python.
    """
    try:
        found = _same(from_json(value))
    except RecursionError:
        return ()
    return () if found is None else (found,)


def _same(value: Any) -> str | None:
    if isinstance(value, str):
        return f"s{len(value)}:{value}"
    if value is None:
        return "z"
    if isinstance(value, list):
        members = [_same(item) for item in value]
        return None if None in members else f"[{','.join(map(str, members))}]"
    if isinstance(value, dict):
        items = {key: _same(value[key]) for key in sorted(value)}
        if None in items.values():
            return None
        return "{" + ",".join(f"{_same(key)}={item}" for key, item in items.items()) + "}"
    for found in number(value):
        return f"n{Decimal(found).normalize()}"
    return None
