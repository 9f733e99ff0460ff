"""The functions of Python that rules of Panther call, as functions of conditions.

Each gives exactly what Python gives for a value as Panther's parser delivers it, or nothing where
Python raises.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tocsin.jsontext import Json
from tocsin.python.program import run
from tocsin.python.values import from_json, kind_name, number, same, to_json


def _text(method: Callable[..., str]) -> Callable[..., Iterable[str]]:
    def function(value: Any, *args: str) -> Iterable[str]:
        return (method(value, *args),) if isinstance(value, str) else ()

    return function


def _part(value: Any, separator: str, index: int) -> Iterable[str]:
    """The text between two separators: `value.split(separator)[index]`."""
    if not isinstance(value, str):
        return ()
    parts = value.split(separator)
    return (parts[index],) if -len(parts) <= index < len(parts) else ()


def _length(value: Any) -> Iterable[int]:
    return (len(value),) if isinstance(value, str | list | dict) else ()


def _members(value: Any) -> Iterable[Json]:
    """The members of a list, as they are: lists among them stay lists."""
    return value if isinstance(value, list) else ()


def _keys(value: Any) -> Iterable[str]:
    return (key.lower() for key in value) if isinstance(value, dict) else ()


def _has_key(value: Any, key: str) -> Iterable[bool]:
    """Whether an object has a key, ignoring case."""
    return (key.lower() in _keys(value),) if isinstance(value, dict) else ()


def _kind(value: Any) -> Iterable[str]:
    return (kind_name(value),)


def _truth(value: Any) -> Iterable[bool]:
    return (bool(value if isinstance(value, dict | list) else from_json(value)),)


_MOST_KEPT = 1_000
_as_python: dict[int, tuple[Json, Any]] = {}
"""Objects and lists by identity, as Python has them: several programs run on each."""


def _python_of(value: Json) -> Any:
    if isinstance(value, str):
        return value
    if not isinstance(value, dict | list):
        return from_json(value)
    kept = _as_python.get(id(value))
    if kept is None:
        if len(_as_python) >= _MOST_KEPT:
            _as_python.clear()
        kept = _as_python[id(value)] = value, from_json(value)
    return kept[1]


def _program(value: Any, program: str) -> Iterable[Any]:
    try:
        found = run(program, _python_of(value))
    except Exception:
        return ()
    return to_json(found)


PURE: Mapping[str, Callable[..., Iterable[Any]]] = {
    **{
        f"str.{name}": _text(getattr(str, name))
        for name in (
            "capitalize", "casefold", "lower", "lstrip", "removeprefix", "removesuffix", "replace",
            "rstrip", "strip", "swapcase", "title", "upper",
        )
    },
    "str.part": _part,
    "len": _length,
    "members": _members,
    "keys": _keys,
    "has_key": _has_key,
    "kind": _kind,
    "truth": _truth,
    "as_number": number,
    "same": same,
    "python": _program,
}  # fmt: skip
"""Functions by name; `python` runs a small program (`tocsin.python.program`)."""
