"""Where the leaves of expressions stand in records of one key signature.

Records with the same keys, in the same objects, are read alike: so names are resolved once per
signature, not once per record. A record whose keys need more than a look at them (a repeated key,
a name inside an array that could also be spelled otherwise) is read row by row instead.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import lru_cache
from typing import TypeAlias

from tocsin.condition.functions import fold
from tocsin.logs.logtype import ANY_KEY, Shape
from tocsin.logs.mapping import (
    Leaf,
    Path,
)
from tocsin.logs.respelled import Respelled, ways_on
from tocsin.logs.values import find_keys
from tocsin.logs.view import cells_below
from tocsin.logs.whole import Whole, key_of

KeyPath: TypeAlias = tuple[str, ...]

ROOT: KeyPath = ()


@dataclass(frozen=True, slots=True, eq=False)
class Signature:
    """The keys of some containers of a record: None for what is not there, else in order.

    What is there but is no object has no keys.
    """

    keys: Mapping[KeyPath, tuple[str, ...] | None]
    _folded: dict[KeyPath, frozenset[str]] = field(default_factory=dict)

    def may_hold(self, container: KeyPath, key: str) -> bool:
        """Say whether a container has a key that is this one ignoring case."""
        if container not in self._folded:
            self._folded[container] = frozenset(map(fold, self.of(container) or ()))
        return fold(key) in self._folded[container]

    def of(self, container: KeyPath) -> tuple[str, ...] | None:
        """Return the keys of a container; raise `Unseen` if it was not looked at."""
        if container not in self.keys:
            raise Unseen(container)
        return self.keys[container]


class Unseen(Exception):
    """The keys of this container have to be looked at first."""

    def __init__(self, container: KeyPath) -> None:
        super().__init__(container)
        self.container = container


class Undecided(Exception):
    """The keys alone do not say where a leaf stands: read the record itself."""


class Reading(Enum):
    """How what is left of a leaf is found inside a value."""

    PATH = "an exact path"
    NAME = "the segments of a name"
    IGNORING_CASE = "the segments of a name that led here ignoring case"


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A place to read: the JSON at `path`, and what is left to find inside it.

    Made by `source_at` only, so that equal sources are the same object.
    """

    path: KeyPath
    rest: KeyPath = ()
    reading: Reading = Reading.PATH
    """How to find `rest`."""
    leaf: Respelled | Whole | None = None
    """What is left to find where keys are read otherwise, seen from `path`; in place of `rest`."""

    @property
    def takes_strings(self) -> bool:
        """Return whether a string at `path` is what is read."""
        own = self.leaf
        if own is None:
            return not self.rest
        if isinstance(own, Whole):
            return own.is_entered and not (own.keys or own.spelling.opens_texts)
        return not (own.path or own.segments or own.pattern or own.spelling.opens_texts)

    @property
    def takes_all(self) -> bool:
        """Return whether what stands at `path` is what is read, whatever it is."""
        return isinstance(self.leaf, Whole) and self.takes_strings and self.leaf.spelling.is_plain


@lru_cache(maxsize=100_000)
def source_at(
    path: KeyPath,
    rest: KeyPath = (),
    reading: Reading = Reading.PATH,
    leaf: Respelled | Whole | None = None,
) -> Source:
    """Return the source at a path."""
    return Source(path, rest, reading, leaf)


NOWHERE = Source(())
"""The leaf is absent from every record of the signature."""

Layout: TypeAlias = tuple[Source, ...] | None
"""One source per leaf; None if the record has to be read row by row."""


def containers_of(leaves: Iterable[Leaf], shape: Shape) -> tuple[KeyPath, ...]:
    """Return the objects whose keys decide where leaves stand, the root first."""
    found: dict[KeyPath, None] = {ROOT: None}
    for leaf in leaves:
        if isinstance(leaf, Path):
            whole = [leaf.path]
        elif isinstance(leaf, Respelled):
            whole = [(*leaf.path, *leaf.segments[:1])]
        elif isinstance(leaf, Whole):
            whole = [leaf.path + (leaf.keys if leaf.spelling.is_plain else leaf.keys[:1])]
        else:
            candidates = shape.candidates(leaf.name)
            whole = [base + segments for base, segments in candidates if ANY_KEY not in base]
        for path in whole:
            ends = range(1, len(path))
            found.update((path[:end], None) for end in ends if all(map(_can_ask, path[:end])))
    return tuple(found)


def locate(leaf: Leaf, shape: Shape, signature: Signature) -> Source | None:
    """Return where a leaf stands in the records of a signature; None if only they can tell.

    Raises `Unseen` if the keys of another container are needed to say.
    """
    try:
        if isinstance(leaf, Path):
            return _locate_path(leaf.path, signature)
        if isinstance(leaf, Respelled):
            return _locate_respelled(leaf, signature)
        if isinstance(leaf, Whole):
            return _locate_whole(leaf, signature)
        return _locate_name(leaf.name, shape, signature)
    except Undecided:
        return None


def merge_layouts(layouts: Sequence[Layout]) -> tuple[list[Layout], list[int]]:
    """Join the layouts that do not contradict each other; return them, and which each one is in.

    A leaf that is absent from some records may be read from where it stands in others: there is
    nothing there.
    """
    merged: list[Layout] = []
    numbers: dict[Layout, int] = {}
    for layout in dict.fromkeys(layouts):
        for at, other in enumerate(merged):
            joined = _join(layout, other)
            if joined is not None:
                merged[at] = joined
                numbers[layout] = at
                break
        else:
            numbers[layout] = len(merged)
            merged.append(layout)
    return merged, [numbers[layout] for layout in layouts]


def _join(layout: Layout, other: Layout) -> Layout:
    if layout is None or other is None:
        return None
    joined = []
    for source, other_source in zip(layout, other, strict=True):
        if source is NOWHERE:
            joined.append(other_source)
        elif other_source is NOWHERE or source is other_source:
            joined.append(source)
        else:
            return None
    return tuple(joined)


def _locate_path(path: KeyPath, signature: Signature) -> Source:
    for end, key in enumerate(path):
        keys = signature.of(path[:end])
        if keys is None:
            return NOWHERE
        if not keys and end > 0:
            return source_at(path[:end], path[end:])
        if not _holds(keys, key):
            return NOWHERE
    return source_at(path)


def _locate_respelled(leaf: Respelled, signature: Signature) -> Source:
    for end, key in enumerate(leaf.path):
        keys = signature.of(leaf.path[:end])
        if keys is None:
            return NOWHERE
        if not keys and end > 0:
            return _inside_at(leaf.path[:end], replace(leaf, path=leaf.path[end:]))
        if not _holds(keys, key):
            return NOWHERE
    return _locate_inside(leaf.path, replace(leaf, path=()), signature)


def _locate_inside(container: KeyPath, leaf: Respelled, signature: Signature) -> Source:
    """Follow a name as far as the keys alone can decide."""
    if not leaf.segments and leaf.pattern is None:
        return _inside_at(container, leaf)
    keys = signature.of(container)
    if not keys:
        return _inside_at(container, leaf) if keys is not None and container else NOWHERE
    found = ways_on(keys, leaf)
    if not found:
        return NOWHERE
    key, rest = found[0]
    if len(found) > 1 or rest is None:
        return _inside_at(container, leaf)
    _holds(keys, key)  # or it is undecided
    return _locate_inside((*container, key), rest, signature)


def _locate_whole(leaf: Whole, signature: Signature) -> Source:
    """Follow the keys as far as containers are looked at; texts and arrays are read themselves.

    What is nowhere although another key would be the same ignoring case stays undecided: layouts
    are joined as if nothing could be read in its place.
    """
    found = _follow_whole(leaf, signature)
    if found is NOWHERE and _has_twins(leaf, signature):
        raise Undecided
    return found


def _has_twins(leaf: Whole, signature: Signature) -> bool:
    """Say whether a key on the way is there in more than one spelling."""
    containers = [ROOT]
    for name in leaf.path + leaf.keys:
        small = name.lower()
        containers = [
            (*at, key)
            for at in containers
            if at in signature.keys
            for key in signature.keys[at] or ()
            if (leaf.spelling.spell(key) or key).lower() == small
        ]
        if len(containers) > 1:
            return True
    return False


def _follow_whole(leaf: Whole, signature: Signature) -> Source:
    at: KeyPath = ROOT
    for end, name in enumerate(leaf.path + leaf.keys):
        keys = signature.of(at)
        if keys is None:
            return NOWHERE
        entered = end > len(leaf.path)
        if not keys and at:
            keys_left = leaf.keys[max(end - len(leaf.path), 0) :]
            rest = Whole(leaf.path[end:], keys_left, leaf.spelling, entered)
            return NOWHERE if entered and leaf.spelling.is_plain else _inside_at(at, rest)
        key = name if end < len(leaf.path) else key_of(keys, name, leaf.spelling)
        if key is None or not _holds(keys, key):
            return NOWHERE
        at = (*at, key)
    return _inside_at(at, Whole((), (), leaf.spelling, bool(leaf.keys)))


def _inside_at(path: KeyPath, leaf: Respelled | Whole) -> Source:
    """Read the rest from the JSON at a path; what stands nowhere but at the top, row by row."""
    if not path:
        raise Undecided
    return source_at(path, leaf=leaf)


def _locate_name(name: str, shape: Shape, signature: Signature) -> Source:
    """Take the first place a name can mean; where it depends on the record, it must be the only."""
    places = _places(name, shape, signature)
    first = next(places, NOWHERE)
    if first.rest and any((place.path, place.rest) != (first.path, first.rest) for place in places):
        raise Undecided
    return first


def _places(name: str, shape: Shape, signature: Signature) -> Iterator[Source]:
    for ignore_case in (False, True):
        for base, segments in _candidates(shape, name):
            for start in _starts(base, shape, signature):
                yield from _inside(start, segments, signature, ignore_case=ignore_case)


@lru_cache(maxsize=100_000)
def _candidates(shape: Shape, name: str) -> list[tuple[KeyPath, KeyPath]]:
    return shape.candidates(name)


def _starts(base: KeyPath, shape: Shape, signature: Signature) -> list[KeyPath]:
    """Return the base paths that exist in a record, `*` replaced by each key of its object.

    Where a base goes on inside a cell, that is text, only the record itself can tell.
    """
    starts: list[KeyPath] = [ROOT]
    for key in base:
        following: list[KeyPath] = []
        for start in starts:
            keys = signature.of(start) or ()
            if start and not keys and () in cells_below(shape.json_cells, start):
                raise Undecided
            chosen = keys if key == ANY_KEY else (key,)
            following += [(*start, one) for one in chosen if _holds(keys, one)]
        starts = following
    return starts


def _inside(
    container: KeyPath, segments: KeyPath, signature: Signature, *, ignore_case: bool
) -> Iterator[Source]:
    keys = signature.of(container)
    if not keys and container:
        reading = Reading.IGNORING_CASE if ignore_case else Reading.NAME
        yield source_at(container, segments, reading)
        return
    for length in range(len(segments), 0, -1):
        wanted, rest = ".".join(segments[:length]), segments[length:]
        if not signature.may_hold(container, wanted):
            continue
        for key in find_keys(keys or (), wanted, ignore_case=ignore_case):
            _holds(keys or (), key)  # or it is undecided
            path = (*container, key)
            if rest:
                yield from _inside(path, rest, signature, ignore_case=ignore_case)
            else:
                yield source_at(path)


def _holds(keys: tuple[str, ...], key: str) -> bool:
    """Say whether a key is there; one that is repeated or cannot be quoted leaves it open."""
    count = keys.count(key)
    if count and (count > 1 or not _can_ask(key)):
        raise Undecided
    return count == 1


def _can_ask(key: str) -> bool:
    """Say whether a path for DuckDB can hold a key: to it `*` is a wildcard, quoted or not."""
    return key not in {"", "*"} and '"' not in key and "\\" not in key
