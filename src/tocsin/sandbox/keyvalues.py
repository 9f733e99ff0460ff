"""What rules remember between events: counters, sets of texts and dictionaries, by key.

Keys expire by the time of events, not by the clock: the same events give the same results whenever
they are looked at.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, TypeVar

DAYS_KEPT = 90
"""How long a key is kept that says nothing else."""

T = TypeVar("T")


@dataclass(slots=True)
class _Kept:
    value: Any
    expires: float


@dataclass(slots=True)
class KeyValues:
    """The memory of one run. `now` is the time of the event that is looked at, in seconds."""

    now: float = 0
    _kept: dict[str, _Kept] = field(default_factory=dict)
    _changed: set[str] = field(default_factory=set)

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()
        self._changed.clear()

    def take_changes(self) -> dict[str, list[Any]]:
        """Return what changed since this was asked last: key → value, its kind, its expiry."""
        found = {key: _to_data(self._kept[key]) for key in sorted(self._changed)}
        self._changed.clear()
        return found

    def restore(self, entries: Mapping[str, Sequence[Any]]) -> None:
        """Keep what `take_changes` returned, here or elsewhere."""
        self._kept |= {key: _of_data(*entry) for key, entry in entries.items()}

    def get_counter(self, key: str, force_ttl_check: bool = False) -> int:  # noqa: ARG002, FBT001, FBT002
        """Return a counter; 0 if there is none."""
        return self._get(key, int)

    def increment_counter(self, key: str, val: int = 1, epoch_seconds: float | None = None) -> int:
        """Add to a counter and return it; the expiry changes only if one is given."""
        return self._put(key, self._get(key, int) + val, epoch_seconds, keep_expiry=True)

    def reset_counter(self, key: str) -> None:
        """Set a counter to 0."""
        self._put(key, 0, None)

    def set_key_expiration(self, key: str, epoch_seconds: float) -> None:
        """Set when a key is forgotten; a key that is not there becomes a counter of 0."""
        self._put(key, self._value(key, 0), epoch_seconds)

    def put_dictionary(self, key: str, val: Mapping[str, Any], epoch_seconds: Any = None) -> None:
        """Keep a dictionary, in place of what the key had."""
        if not isinstance(val, Mapping):
            raise TypeError(f"put_dictionary: {type(val).__name__} is no dictionary")
        self._put(key, dict(deepcopy(val)), epoch_seconds)

    def get_dictionary(self, key: str, force_ttl_check: bool = False) -> dict[str, Any]:  # noqa: ARG002, FBT001, FBT002
        """Return a copy of a dictionary; an empty one if there is none."""
        return deepcopy(self._get(key, dict))

    def put_string_set(self, key: str, val: Iterable[str], epoch_seconds: Any = None) -> None:
        """Keep a set of texts, in place of what the key had."""
        self._put(key, _texts(val), epoch_seconds)

    def get_string_set(self, key: str, force_ttl_check: bool = False) -> set[str]:  # noqa: ARG002, FBT001, FBT002
        """Return a copy of a set; an empty one if there is none."""
        return set(self._get(key, set))

    def add_to_string_set(self, key: str, val: str | Iterable[str]) -> set[str]:
        """Add one text or several to a set and return it."""
        return set(self._put(key, self._get(key, set) | _texts(val), None, keep_expiry=True))

    def remove_from_string_set(self, key: str, val: str | Iterable[str]) -> set[str]:
        """Take one text or several from a set and return it."""
        return set(self._put(key, self._get(key, set) - _texts(val), None, keep_expiry=True))

    def reset_string_set(self, key: str) -> None:
        """Empty a set."""
        self._put(key, set(), None)

    def evaluate_threshold(
        self, key: str, threshold: int = 10, expiry_seconds: float = 3600
    ) -> bool:
        """Count one more; on reaching the threshold say so and begin anew.

        A count is forgotten `expiry_seconds` after its first event.
        """
        expires = self.now + expiry_seconds if self.get_counter(key) == 0 else None
        if self.increment_counter(key, 1, expires) < threshold:
            return False
        self.reset_counter(key)
        return True

    def check_account_age(self, key: Any) -> bool:
        """Say whether an account or user is known as new: its key holds a set that is not empty."""
        return isinstance(key, str) and bool(self._value(key, None))

    def _value(self, key: str, default: Any) -> Any:
        kept = self._kept.get(str(key))
        return default if kept is None or kept.expires <= self.now else kept.value

    def _get(self, key: str, kind: Callable[[], T]) -> T:
        value = self._value(key, None)
        return value if isinstance(value, kind) else kind()  # type: ignore[arg-type]

    def _put(
        self, key: str, value: T, epoch_seconds: float | None, *, keep_expiry: bool = False
    ) -> T:
        kept = self._kept.get(str(key))
        expires = self.now + DAYS_KEPT * 86_400
        if epoch_seconds:
            expires = float(epoch_seconds)
        elif keep_expiry and kept is not None and kept.expires > self.now:
            expires = kept.expires
        self._kept[str(key)] = _Kept(value, expires)
        self._changed.add(str(key))
        return value


def _to_data(kept: _Kept) -> list[Any]:
    if isinstance(kept.value, set):
        return [sorted(kept.value), "set", kept.expires]
    return [kept.value, "", kept.expires]


def _of_data(value: Any, kind: str, expires: float) -> _Kept:
    return _Kept(set(value) if kind == "set" else value, expires)


def _texts(value: str | Iterable[str]) -> set[str]:
    return {value} if isinstance(value, str) else set(map(str, value))


FUNCTIONS = (
    "add_to_string_set",
    "check_account_age",
    "evaluate_threshold",
    "get_counter",
    "get_dictionary",
    "get_string_set",
    "increment_counter",
    "put_dictionary",
    "put_string_set",
    "remove_from_string_set",
    "reset_counter",
    "reset_string_set",
    "set_key_expiration",
)
"""What rules call, by the names that Panther documents."""
