"""Objects whose keys a vocabulary spells otherwise: `userPrincipalName` as `user_principal_name`.

A `Respelled` reads a dotted name in such an object: what the name reads from the object with its
keys rewritten (`respell`), though nothing is rewritten for it.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from tocsin.condition.functions import members
from tocsin.errors import RecordError
from tocsin.jsontext import Json, read_value
from tocsin.logs.values import Values, gather, without_arrays

_COLUMN_TYPE = re.compile(r"_[sgdbt]\Z")
_SNAKE = re.compile(r"(?<=[a-zA-Z0-9])_([a-z0-9])")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def _snake(key: str) -> str:
    return _HUMP.sub("_", key).lower()


def _untyped(key: str) -> str:
    return _COLUMN_TYPE.sub("", key)


KEYS: Mapping[str, Callable[[str], str]] = {
    "kept": str,
    "snake": _snake,
    "uncapitalised": lambda key: key[:1].lower() + key[1:],
    "untyped": _untyped,
    "camel": lambda key: _SNAKE.sub(lambda found: found[1].upper(), key),
    "dotless": lambda key: key.replace(".", "_"),
}
MAX_DEPTH = 100
"""Objects that stand deeper keep their keys where a whole value is read."""
ARRAYS = ("kept", "numbered", "pairs", "listed")


@dataclass(frozen=True, slots=True, eq=False)
class Spelling:
    """How the keys below a path are spelled in a vocabulary."""

    keys: str = "kept"
    """One of `KEYS`."""
    other: Mapping[str, str] = field(default_factory=dict)
    """Keys, as they are or as `keys` would spell them, that have a spelling of their own."""
    without: frozenset[str] = frozenset()
    """Keys, as they are or as `keys` would spell them, that are left out."""
    arrays: str = "kept"
    """One of `ARRAYS`. `numbered`: objects with the keys 0, 1, …; `pairs`: objects of what members
    call `key` and `value`; `listed`: arrays in place of such numbered objects."""
    opens_texts: bool = False
    """A text that is a JSON object or array is read as text and as that."""

    @property
    def is_plain(self) -> bool:
        """Return whether every object and array is as the record has it."""
        renames = self.keys != "kept" or self.other or self.without
        return not renames and self.arrays == "kept" and not self.opens_texts

    def spell(self, key: str) -> str | None:
        """Return how a key is spelled; None if it is left out."""
        return _spell(self, key)


KEPT = Spelling()
"""The record's own keys."""


@lru_cache(maxsize=50_000)
def _spell(spelling: Spelling, key: str) -> str | None:
    spelled = KEYS[spelling.keys](key)
    if key in spelling.without or spelled in spelling.without:
        return None
    return spelling.other.get(key) or spelling.other.get(spelled, spelled)


@dataclass(frozen=True, slots=True)
class Respelled:
    """The values of a name below an exact path, as the keys there are respelled."""

    path: tuple[str, ...]
    segments: tuple[str, ...]
    spelling: Spelling
    pattern: str | None = None
    """Instead of one name, every name that a pattern matches: `*` stands for any text."""
    hidden: frozenset[str] = frozenset()
    """Names that a pattern does not find: they mean something else."""


def keys_spelled(
    keys: Iterable[str], segments: tuple[str, ...], spelling: Spelling
) -> list[tuple[str, tuple[str, ...]]]:
    """Return the keys that a name may go on in and what is left of it, the longest keys first."""
    spelled = [(key, spelling.spell(key)) for key in keys]
    return [
        (key, segments[length:])
        for length in range(len(segments), 0, -1)
        for key, own in spelled
        if own == ".".join(segments[:length])
    ]


def ways_on(keys: Iterable[str], leaf: Respelled) -> list[tuple[str, Respelled | None]]:
    """Return the keys in which a leaf may go on and what is left of it; None if that is not sure.

    The longest keys go first.
    """
    if leaf.pattern is None:
        found = keys_spelled(keys, leaf.segments, leaf.spelling)
        return [(key, replace(leaf, segments=rest)) for key, rest in found]
    head = leaf.pattern.partition("*")[0]
    starts = [(key, f"{own}.") for key in keys if (own := leaf.spelling.spell(key)) is not None]
    return [
        (key, _behind(leaf, start) if head.startswith(start) else None)
        for key, start in starts
        if head.startswith(start) or start.startswith(head)
    ]


def _behind(leaf: Respelled, start: str) -> Respelled:
    """Return what is left of a pattern behind a text that it begins with."""
    hidden = (name.removeprefix(start) for name in leaf.hidden if name.startswith(start))
    pattern = (leaf.pattern or "").removeprefix(start)
    return replace(leaf, pattern=pattern, hidden=frozenset(hidden))


def read_respelled(value: Json, leaf: Respelled) -> Values:
    """Read the values of a name; None if it leads nowhere. Arrays on the path lead nowhere."""
    for key in leaf.path:
        if not isinstance(value, dict) or key not in value:
            return None
        value = value[key]
    if leaf.pattern is not None:
        return _matching(value, leaf.pattern, leaf)
    return _look_up(value, leaf.segments, leaf.spelling)


def reads(leaf: Respelled, path: tuple[str, ...]) -> bool:
    """Say whether a leaf reads what stands at a path, or something above it; arrays read over."""
    if path[: len(leaf.path)] != leaf.path:
        return False
    spelled = [leaf.spelling.spell(key) for key in path[len(leaf.path) :]]
    if None in spelled:
        return False
    name = ".".join(map(str, spelled))
    if leaf.pattern is not None:
        return matches_name(leaf.pattern, name)
    wanted = ".".join(leaf.segments)
    if leaf.spelling.arrays == "numbered":
        wanted = ".".join(one for one in leaf.segments if not one.isdigit())
    return name == wanted or not wanted or name.startswith(f"{wanted}.")


def find_respelled(value: Json, leaf: Respelled) -> tuple[str, ...]:
    """Return the keys in the record that a name is read from, up to the first array or text."""
    path = leaf.path
    for key in path:
        value = value[key] if isinstance(value, dict) else None
    return (*path, *_find(value, leaf.segments, leaf.spelling))


def respell(value: Json, spelling: Spelling, depth: int = MAX_DEPTH) -> Json:
    """Return a value with the keys of its objects rewritten, those of inner objects too."""
    if spelling.is_plain:
        return value
    value = as_object(opened(value, spelling), spelling)
    if spelling.arrays == "listed" and isinstance(value, dict) and all(map(str.isdigit, value)):
        value = [value[key] for key in sorted(value, key=int)]
    if not depth or not isinstance(value, list | dict):
        return value
    if isinstance(value, list):
        items = value.copy()
        for at, item in enumerate(value):
            items[at] = respell(item, spelling, depth - 1)
        return items
    rewritten: dict[str, Json] = {}
    for key, item in value.items():
        own = spelling.spell(key)
        if own is not None:
            rewritten.setdefault(own, respell(item, spelling, depth - 1))
    return rewritten


def _look_up(value: Json, segments: tuple[str, ...], spelling: Spelling) -> Values:
    if not segments:
        return _whole(value, spelling)
    value = as_object(opened(value, spelling), spelling)
    if isinstance(value, list):
        return gather([_look_up(item, segments, spelling) for item in without_arrays(value)])
    if not isinstance(value, dict):
        return None
    for key, rest in keys_spelled(value, segments, spelling):
        found = _look_up(value[key], rest, spelling)
        if found is not None:
            return found
    return None


def _whole(value: Json, spelling: Spelling) -> list[Json]:
    """Return the members of a value; text that can be opened both as it is and opened."""
    inner = opened(value, spelling)
    rewritten = list(members(respell(inner, spelling)))
    return rewritten if inner is value else [value, *rewritten]


def _find(value: Json, segments: tuple[str, ...], spelling: Spelling) -> tuple[str, ...]:
    if not segments or not isinstance(value, dict):
        return segments
    for key, rest in keys_spelled(value, segments, spelling):
        if _look_up(value[key], rest, spelling) is not None:
            return (key, *_find(value[key], rest, spelling))
    return ()


def opened(value: Json, spelling: Spelling) -> Json:
    """Return what a text holds that is a JSON object or array, where those are opened."""
    if not spelling.opens_texts or not isinstance(value, str):
        return value
    if value.lstrip()[:1] not in {"{", "["}:
        return value
    try:
        return read_value(value)[0]
    except RecordError:
        return value


def as_object(value: Json, spelling: Spelling) -> Json:
    """Return the object that stands for an array, where there is one."""
    if not isinstance(value, list) or not value or spelling.arrays == "kept":
        return value
    objects = [item for item in value if isinstance(item, dict)]
    if not objects:
        return value
    if spelling.arrays == "numbered":
        return {str(at): item for at, item in enumerate(value)}
    named = ((item.get("key"), item.get("value")) for item in objects)
    return {key: item for key, item in named if isinstance(key, str)}


def _matching(value: Json, pattern: str, leaf: Respelled) -> Values:
    matches = _pattern(pattern).fullmatch
    named = _leaves(respell(value, leaf.spelling))
    return [one for name, one in named if matches(name) and name not in leaf.hidden] or None


def _leaves(value: Json) -> Iterator[tuple[str, Json]]:
    """Yield scalars, empty objects and empty arrays with their names."""
    waiting: list[tuple[str, Json]] = [("", value)]
    while waiting:
        name, item = waiting.pop()
        if isinstance(item, dict) and item:
            start = f"{name}." if name else ""
            waiting += [(f"{start}{key}", inner) for key, inner in reversed(item.items())]
        elif isinstance(item, list) and item:
            waiting += [(name, inner) for inner in reversed(list(members(item)))]
        else:
            yield name, item


@lru_cache(maxsize=4096)
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, pattern.split("*"))), re.DOTALL)


def matches_name(pattern: str, name: str) -> bool:
    """Say whether a pattern, in which `*` stands for any text, matches a whole name."""
    return _pattern(pattern).fullmatch(name) is not None
