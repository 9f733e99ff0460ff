"""Read-only views of JSON data as rules see it: keys ignore case, what is nested is a view too."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any, TypeAlias, overload

Plain: TypeAlias = Any
"""JSON data, or what a rule made of it."""


def view(value: Plain) -> Plain:
    """Wrap a dictionary or list; everything else stays as it is."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return MappingView(value)
    if isinstance(value, (list, tuple)):  # a union would be made anew each time
        return SequenceView(value)
    return value


def plain(value: Plain) -> Plain:
    """Return a value without views, as deep as dictionaries and lists go; it shares their data."""
    if isinstance(value, MappingView | SequenceView):
        return value.data
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, tuple):
        return tuple(plain(item) for item in value)
    return value


def frozen(value: Plain) -> Hashable:
    """Return what equal values have in common, and which can be a key."""
    if isinstance(value, dict):
        return frozenset((key, frozen(item)) for key, item in value.items())
    if isinstance(value, list | tuple):
        return tuple(map(frozen, value))
    hash(value)
    return value  # type: ignore[no-any-return]


def _refuse(*_: object, **__: object) -> None:
    raise TypeError("an event cannot be changed; copy() gives a copy that can")


class MappingView(Mapping[Any, Any]):
    """An object of an event. A key is found as it is written, else ignoring case."""

    __slots__ = ("_folded", "data")
    _shown_as = "ImmutableCaseInsensitiveDict"
    """What the text of one begins with: titles of alerts have Panther's names in them."""

    def __init__(self, data: Mapping[Any, Any] | None = None) -> None:
        own = data.data if isinstance(data, MappingView) else data
        self.data: dict[Any, Any] = own if isinstance(own, dict) else dict(own or {})
        self._folded: dict[Any, Any] | None = None

    def _key(self, key: object) -> Any:
        """Return the key as the data spells it; raise `KeyError` if there is none."""
        if key in self.data:
            return key
        if not isinstance(key, str):
            raise KeyError(key)
        if self._folded is None:
            self._folded = {}
            for one in self.data:
                self._folded.setdefault(one.lower() if isinstance(one, str) else one, one)
        try:
            return self._folded[key.lower()]
        except KeyError:
            raise KeyError(key) from None

    def __getitem__(self, key: object) -> Any:
        return view(self.data[self._key(key)])

    def __contains__(self, key: object) -> bool:
        try:
            self._key(key)
        except KeyError:
            return False
        return True

    def __iter__(self) -> Iterator[Any]:
        return iter(self.data)

    def __len__(self) -> int:
        return len(self.data)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Mapping):
            return NotImplemented
        return bool(self.data == plain(other))

    def __hash__(self) -> int:
        return hash(frozen(self.data))

    def __repr__(self) -> str:
        return f"{self._shown_as}({self.data!r})"

    def copy(self) -> dict[Any, Any]:
        """Return a deep copy as a dictionary."""
        return deepcopy(self.data)

    to_dict = copy

    def raw_view(self) -> dict[Any, Any]:
        """Return the data itself; who changes it changes the event."""
        return self.data

    __copy__ = copy
    __setitem__ = __delitem__ = _refuse
    pop = popitem = clear = update = setdefault = _refuse

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[Any, Any]:
        return deepcopy(self.data, memo)


class SequenceView(Sequence[Any]):
    """A list of an event; equal to a list or tuple of the same members, but no `list`.

    A slice is a tuple that shares nothing with the event.
    """

    __slots__ = ("data",)

    def __init__(self, data: Sequence[Any] = ()) -> None:
        self.data: Sequence[Any] = data.data if isinstance(data, SequenceView) else data

    @overload
    def __getitem__(self, at: int) -> Any: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[Any, ...]: ...
    def __getitem__(self, at: int | slice) -> Any:
        found = self.data[at]
        return deepcopy(tuple(found)) if isinstance(at, slice) else view(found)

    def __len__(self) -> int:
        return len(self.data)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, list | tuple | SequenceView):
            return NotImplemented
        return list(self.data) == list(plain(other))

    def __hash__(self) -> int:
        return hash(frozen(self.data))

    def __repr__(self) -> str:
        return f"ImmutableList({tuple(self.data)!r})"

    def __add__(self, other: Sequence[Any]) -> list[Any]:
        return [*self, *other]

    def __radd__(self, other: Sequence[Any]) -> list[Any]:
        return [*other, *self]

    def copy(self) -> list[Any]:
        """Return a deep copy as a list."""
        return deepcopy(list(self.data))

    __copy__ = copy
    __setitem__ = __delitem__ = _refuse
    append = extend = insert = pop = remove = sort = reverse = clear = _refuse

    def __deepcopy__(self, memo: dict[int, Any]) -> list[Any]:
        return deepcopy(list(self.data), memo)
