"""The event that a rule is given: a view of the record with methods that reach into it."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from tocsin.python.dates import epoch
from tocsin.python.views import MappingView
from tocsin.python.walk import deep_get, deep_walk
from tocsin.sandbox.datamodel import DataModel, ModelError

Lookup: TypeAlias = Callable[[str, Any], Any]
"""Finds the row of a lookup table for a key; None if there is none."""


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
        return deep_get(self, keys, default)

    def deep_walk(self, *keys: Any, default: Any = None, return_val: str = "all") -> Any:
        """Walk objects and the members of lists; several values come as a `list`, each once.

        What comes is no view but a copy. `return_val`: `all`, `first`, `last`.
        """
        return deep_walk(self, keys, default, return_val)

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
