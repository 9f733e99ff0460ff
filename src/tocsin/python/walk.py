"""Reaching into objects and lists of events: what `deep_get` and `deep_walk` return."""

from collections.abc import Hashable, Mapping, Sequence
from copy import deepcopy
from typing import Any

from tocsin.python.views import SequenceView, frozen, plain

_OBJECTS = (dict, Mapping)
_LISTS = (list, tuple, SequenceView)


def deep_get(value: Any, keys: Sequence[Any], default: Any = None) -> Any:
    """Walk objects key by key; the default if the way ends, or ends at null."""
    found = value
    for key in keys:
        if not isinstance(found, _OBJECTS):
            return default
        found = found.get(key)
    return default if found is None else found


def deep_walk(value: Any, keys: Sequence[Any], default: Any = None, return_val: str = "all") -> Any:
    """Walk objects and the members of lists; several values come as a `list`, each once.

    What comes is no view but a copy. `return_val`: `all`, `first`, `last`.
    """
    return deepcopy(plain(_walk(value, keys, default, return_val)))


def _walk(value: Any, keys: Sequence[Any], default: Any, return_val: str) -> Any:
    if not keys:
        return default if _holds_nothing(value) else value
    if isinstance(value, _OBJECTS):
        inner = value.get(keys[0])
        return default if inner is None else _walk(inner, keys[1:], default, return_val)
    if not _is_list(value):
        return default
    found: dict[Hashable, Any] = {}
    for item in value:
        below = _walk(item, keys, default, return_val)
        if below is not None:
            for one in below if _is_list(below) else (below,):
                found.setdefault(frozen(plain(one)), one)
    values = list(found.values())
    if not values:
        return default
    if return_val in {"first", "last"}:
        return values[0] if return_val == "first" else values[-1]
    return values[0] if len(values) == 1 else values


def _holds_nothing(value: Any) -> bool:
    """Say whether a value is a list without anything in it, however deep."""
    return _is_list(value) and all(map(_holds_nothing, value))


def _is_list(value: Any) -> bool:
    return isinstance(value, _LISTS)
