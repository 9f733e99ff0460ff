"""The event that a rule is given: a view of the record with methods that reach into it."""

import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any, TypeAlias

from tocsin.sandbox.datamodel import DataModel, ModelError
from tocsin.sandbox.views import MappingView, frozen

Lookup: TypeAlias = Callable[[str, Any], Any]
"""Finds the row of a lookup table for a key; None if there is none."""

_MORE_DIGITS = re.compile(r"(\.\d{6})\d+")


class Event(MappingView):
    """One event, with the data model of its log type if there is one."""

    __slots__ = ("_lookup", "_model")
    _shown_as = "PantherEvent"

    def __init__(
        self,
        data: Mapping[Any, Any] | None = None,
        data_model: DataModel | None = None,
        lookup: Lookup | None = None,
    ) -> None:
        super().__init__(data)
        self._model = data_model
        self._lookup = lookup

    def deep_get(self, *keys: Any, default: Any = None) -> Any:
        """Walk objects key by key; the default if the way ends, or ends at null."""
        found: Any = self
        for key in keys:
            if not isinstance(found, Mapping):
                return default
            found = found.get(key)
        return default if found is None else found

    def deep_walk(self, *keys: Any, default: Any = None, return_val: str = "all") -> Any:
        """Walk objects and the members of lists; several values come as a `list`, each once.

        Keys are found as they are written only. What comes is no view but a copy. `return_val`:
        `all`, `first`, `last`.
        """
        return deepcopy(_walk(self.data, keys, default, return_val))

    def udm(self, *keys: str, default: Any = None) -> Any:
        """Return the value of a field of the unified data model.

        One key that the data model maps is what the mapping gives, null too. Everything else is
        looked for below `p_udm`, then in the event; what is empty or false counts as not found.
        """
        if self._model is not None and self._model.error:
            raise ModelError(self._model.error)
        if len(keys) == 1 and self._model is not None and keys[0] in self._model.mappings:
            return self._model.value(self, keys[0], default)
        return self.deep_get("p_udm", *keys) or self.deep_get(*keys) or default

    def udm_path(self, key: str) -> str | None:
        """Return the path or the method that the data model has for a field; None for no field."""
        if self._model is None:
            raise ModelError("this event has no data model")
        mapping = self._model.mappings.get(key)
        return None if mapping is None else mapping.text

    def event_time_epoch(self) -> float:
        """Return `p_event_time`, read as UTC, in seconds since 1970; 0 if there is none."""
        return epoch(self.get("p_event_time"))

    def lookup(self, table: str, key: Any) -> Any:
        """Return the row of a lookup table for a key; None without such a table or row."""
        return self._lookup(table, key) if self._lookup else None


def epoch(value: Any) -> float:
    """Return a time in seconds since 1970; 0 for what is none."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if not isinstance(value, str):
        return 0
    text = _MORE_DIGITS.sub(r"\1", value.strip().removesuffix(" UTC"))
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return 0
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


def _walk(value: Any, keys: Sequence[Any], default: Any, return_val: str) -> Any:
    if not keys:
        return default if _holds_nothing(value) else value
    if isinstance(value, dict):
        inner = value.get(keys[0])
        return default if inner is None else _walk(inner, keys[1:], default, return_val)
    if not _is_list(value):
        return default
    found: dict[Hashable, Any] = {}
    for item in value:
        below = _walk(item, keys, default, return_val)
        if below is not None:
            for one in below if _is_list(below) else (below,):
                found.setdefault(frozen(one), one)
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
    return isinstance(value, list | tuple)
