"""Where a field's values come from in one shape of a log type, whatever name a rule has for it.

Names of several vocabularies that read the same keys of the record are one *place*, and a place has
one name: that of the Elastic Common Schema where it has one, else its keys.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache

from tocsin.condition.functions import fold
from tocsin.condition.tree import Call, Field
from tocsin.logs.logtype import EVERY_EVENT, PANTHER, Shape, Variant
from tocsin.logs.mapping import (
    ABSENT,
    All,
    Const,
    Expr,
    First,
    Merged,
    Name,
    Path,
    Table,
    Via,
    When,
    every_leaf,
)
from tocsin.logs.respelled import Respelled
from tocsin.logs.view import field_in, name_in
from tocsin.logs.whole import Whole

Key = tuple[str, ...]

FILLED = Call("filled")
_COSMETIC = frozenset({"filled", "text", "string", "leaves", "lower", "upper", "address", "ip"})
"""Functions that leave a value what it is, but for its letters' case or a port behind it."""
_ECS_SETS = re.compile(
    r"(event|process|file|source|destination|client|user|user_agent|cloud|host|url|http|dns|"
    r"registry|dll|network|service|rule|group)\."
)


def reduced(expr: Expr) -> Expr:
    """Return an expression without parts that never read anything and repeated functions."""
    match expr:
        case Via(of, calls):
            inner, before = opened(reduced(of))
            calls = before + tuple(call for call in calls if call.name != "filled")
            return Via(inner, calls) if calls and inner != ABSENT else inner
        case First(parts):
            kept = tuple(dict.fromkeys(one for part in parts if (one := reduced(part)) != ABSENT))
            return kept[0] if len(kept) == 1 else First(kept)
        case All(parts):
            kept = tuple(dict.fromkeys(one for part in parts if (one := reduced(part)) != ABSENT))
            return kept[0] if len(kept) == 1 else All(kept)
        case Table(of):
            return replace(expr, of=reduced(of))
        case _:
            return expr


def entered(expr: Expr) -> Expr:
    """Return an expression that reads keys of the record where one reads whole values."""
    match expr:
        case Whole(path, keys, spelling):
            return Path(path + keys) if spelling.is_plain else Respelled(path, keys, spelling)
        case First(parts) | All(parts):
            return replace(expr, parts=tuple(map(entered, parts)))
        case Via(of, (Call("at", rest),)) if isinstance(of, Path):
            return Path(of.path + tuple(map(str, rest)))
        case Table(of) | Via(of):
            return replace(expr, of=entered(of))
        case When(then=then, otherwise=otherwise):
            return replace(expr, then=entered(then), otherwise=otherwise and entered(otherwise))
        case Merged(outer, inner):
            return Merged(entered(outer), tuple((keys, entered(part)) for keys, part in inner))
        case _:
            return expr


def drops_empty(expr: Expr) -> bool:
    """Say whether nothing null or empty is ever read."""
    match expr:
        case Via(of, calls):
            return FILLED in calls or drops_empty(of)
        case First(parts) | All(parts):
            return all(drops_empty(part) for part in parts)
        case _:
            return False


def opened(expr: Expr) -> tuple[Expr, tuple[Call, ...]]:
    """Return what an expression reads and the functions that it sends this through."""
    return (expr.of, expr.calls) if isinstance(expr, Via) else (expr, ())


class Places:
    """The places of one shape, and their names."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self._raw: dict[Key, Key] = {}
        self._names: dict[Key, str] = {}
        self._loose: dict[tuple[Key, str], str] = {}
        self._exprs: dict[tuple[str, int, Key], Expr] = {}
        self._variants: dict[int, Variant] = {}
        self._several: dict[str, Expr] = {}
        self._paths: dict[str, Key] = {}
        self._learn()

    def _learn(self) -> None:
        """Take the spelling of keys, and names for places, from what the shape declares."""
        exact: dict[Key, list[str]] = {}
        named: dict[tuple[Key, str], list[str]] = {}
        for vocabulary in sorted(self.shape.names):
            spelled = self.shape.spellings.get(vocabulary, {})
            for name, expr in sorted(self.shape.names[vocabulary].items()):
                for leaf in every_leaf(expr):
                    if isinstance(leaf, Path):
                        self._raw.setdefault(normal(leaf.path), leaf.path)
                if vocabulary == "ecs":
                    name = spelled.get(name, name)
                    if key := self.one_key(expr):
                        exact.setdefault(key, []).append(name)
                    named.setdefault(_first_way(expr), []).append(name)
        self._names = {key: min(names, key=_rank) for key, names in exact.items()}
        self._loose = {way: min(names, key=_rank) for way, names in named.items()}

    def expression(self, vocabulary: str, field: Field, variant: Variant = EVERY_EVENT) -> Expr:
        """Return what a field of a rule reads, in its shortest form."""
        at = (vocabulary, id(variant), field.path)
        if at not in self._exprs:
            self._variants[id(variant)] = variant
            read = self._read(vocabulary, field.path, variant)
            expr = reduced(read)
            kept = drops_empty(read) and expr != ABSENT
            self._exprs[at] = Via(expr, (FILLED,)) if kept else expr
        return self._exprs[at]

    def _read(self, vocabulary: str, path: Key, variant: Variant) -> Expr:
        if vocabulary == PANTHER:
            return entered(field_in(self.shape, vocabulary, variant.names, path))
        if len(path) != 1:
            return Path(path)
        return name_in(self.shape, vocabulary, dict(variant.names), path[0])

    def one_key(self, expr: Expr) -> Key | None:
        """Return the normal keys of the only path that an expression reads as it stands."""
        expr = reduced(expr)
        if isinstance(expr, Via) and all(call.name in _COSMETIC for call in expr.calls):
            expr = expr.of
        if isinstance(expr, Path | Name) or (isinstance(expr, Respelled) and has_keys(expr)):
            return normal(self.raw_path(expr))
        return None

    def named(self, expr: Expr) -> str | None:
        """Return one name for all that reads a path first, tables and alternatives set aside.

        None for what reads nothing from a record.
        """
        key, via = _first_way(expr)
        if not key:
            return None
        name = self._loose.get((key, via))
        if name:
            return name
        bare = self._loose.get((key, "")) or self.spelled(key)
        return f"{bare} ({via})" if via else bare

    def exact_name(self, expr: Expr) -> str:
        """Return a name that nothing else of the shape has; the keys it stands for are kept."""
        key = self.one_key(expr)
        if key is not None:
            name = self._names.get(key) or self.spelled(key)
            self._paths[name] = self._raw.get(key, self.raw_path(expr))
            return name
        parts = dict.fromkeys(self.spelled(normal(path)) for path in leaf_paths(expr))
        name = " or ".join(parts) or "nothing"
        while self._several.setdefault(name, expr) != expr:
            name += "’"
        self._paths[name] = self.raw_path(expr)
        return name

    def path_of(self, name: str) -> Key:
        """Return the keys of the record behind an exact name, the first of several."""
        return self._paths.get(name) or (name,)

    def behind(self, name: str) -> Expr | None:
        """Return the expression behind an exact name that is more than one path."""
        return self._several.get(name)

    def spelled(self, key: Key) -> str:
        """Return keys as the log type spells them, or in their normal form."""
        return ".".join(self._raw.get(key, key))

    def raw_path(self, leaf: Expr) -> Key:
        """Return the keys of the record that a leaf reads."""
        path = next(leaf_paths(leaf), ())
        return self._raw.get(normal(path), path)


def _first_way(expr: Expr) -> tuple[Key, str]:
    """Return the normal keys that an expression reads first, and what it makes of the value."""
    calls: tuple[Call, ...] = ()
    while True:
        match expr:
            case Via(of, own):
                expr, calls = of, own + calls
            case First(parts) | All(parts):
                filled = [part for part in parts if reduced(part) != ABSENT]
                if not filled:
                    return (), ""
                expr = filled[0]
            case Table(of) | Merged(of):
                expr = of
            case When(_, then):
                expr = then
            case _:
                break
    telling = (_shown(call) for call in calls if call.name not in _COSMETIC | {"number"})
    return normal(next(leaf_paths(expr), ())), ", ".join(telling)


def _shown(call: Call) -> str:
    return " ".join((call.name, *map(str, call.args)))


def _rank(name: str) -> tuple[bool, bool, int, str]:
    """Order names for one place: those of ECS itself first, but clients are sources; then the
    shortest.
    """
    return not _ECS_SETS.match(name), name.startswith("client."), len(name), name


@lru_cache(maxsize=100_000)
def normal(path: Key) -> Key:
    """Return keys in one spelling, so that `resultType` and `result_type` are the same."""
    return tuple(fold(key).replace("_", "") for key in path)


def leaf_paths(expr: Expr) -> Iterator[Key]:
    """Yield the keys that an expression may read values from, in order."""
    match expr:
        case Path(path):
            yield path
        case Name(name):
            yield tuple(name.split("."))
        case Respelled():
            yield (*expr.path, *map(_unspelled(expr), expr.segments))
        case First(parts) | All(parts):
            for part in parts:
                yield from leaf_paths(part)
        case Table(of) | Via(of):
            yield from leaf_paths(of)
        case Merged(outer, inner):
            for part in (outer, *(part for _, part in inner)):
                yield from leaf_paths(part)
        case When(_, then, otherwise):
            yield from leaf_paths(then)
            if otherwise is not None:
                yield from leaf_paths(otherwise)
        case Const():
            return


def has_keys(leaf: Respelled) -> bool:
    """Say whether the keys are known that a name stands for."""
    if leaf.pattern is not None:
        return False
    key_of = _unspelled(leaf)
    return all(leaf.spelling.spell(key_of(segment)) == segment for segment in leaf.segments)


def _unspelled(leaf: Respelled) -> Callable[[str], str]:
    """Return what turns a segment of a name back into the record's key."""
    other = {spelled: key for key, spelled in leaf.spelling.other.items()}

    def key_of(segment: str) -> str:
        if segment in other:
            return other[segment]
        first, *rest = segment.split("_")
        camel = first + "".join(word[:1].upper() + word[1:] for word in rest)
        for key in (camel, camel[:1].upper() + camel[1:]):
            if leaf.spelling.spell(key) == segment:
                return key
        return segment

    return key_of
