"""Index patterns of Elastic: which of the indices of a log type they choose.

https://www.elastic.co/docs/reference/elasticsearch/rest-apis/api-conventions
"""

import re
from collections.abc import Iterable, Iterator
from fnmatch import translate
from functools import lru_cache

from tocsin.condition.simplify import simplify
from tocsin.condition.tree import FALSE, And, Condition, Field, Glob, Not, Op, Or, Predicate, Wild

STREAM = ("data_stream.type", "data_stream.dataset", "data_stream.namespace")
"""The fields of a document that make up the name of its data stream, with `-` between them."""
BEAT = "agent.type"
"""The field that begins the name of the index of a document that is in no data stream."""


def chosen(indices: Iterable[str], patterns: Iterable[str]) -> bool:
    """Say whether patterns choose any of some indices, which are given by whole names.

    A pattern behind `-` takes away what those on its left chose. The name of a cluster in front of
    `:` is read over: which cluster holds a log does not matter here.
    """
    left = set(indices)
    found: set[str] = set()
    for takes, pattern in _steps(patterns):
        if takes:
            found -= _matching(pattern, found)
        else:
            found |= _matching(pattern, left)
    return bool(found)


@lru_cache(maxsize=4096)
def chosen_documents(patterns: tuple[str, ...]) -> Condition:
    """Return which documents patterns choose, by what they say of their own index."""
    condition: Condition = FALSE
    for takes, pattern in _steps(patterns):
        own = _in_index(pattern)
        condition = And((condition, Not(own))) if takes else Or((condition, own))
    return simplify(condition)


def _steps(patterns: Iterable[str]) -> Iterator[tuple[bool, str]]:
    """Yield each pattern, and whether it takes away."""
    for number, pattern in enumerate(patterns):
        name = pattern.rpartition(":")[2]
        takes = number > 0 and pattern.startswith("-")
        yield takes, name.removeprefix("-") if takes else name


def _in_index(pattern: str) -> Condition:
    """Say of which documents the index matches a pattern.

    What follows the name of a beat is not known, so only a `*` can stand for it.
    """
    stream = Or(
        tuple(
            And(tuple(map(_matches, STREAM, (kind, *parts))))
            for kind, rest in _halves(pattern)
            for parts in _halves(rest)
        )
    )
    beats = tuple(_matches(BEAT, name) for name, rest in _halves(pattern) if "*" in rest)
    in_none = Not(Predicate(Field((STREAM[1],)), Op.EXISTS))
    return simplify(Or((stream, And((in_none, Or(beats))))))


def _halves(pattern: str) -> Iterator[tuple[str, str]]:
    """Yield the patterns of what can stand before and behind a `-` in what a pattern matches."""
    for at, letter in enumerate(pattern):
        if letter == "-":
            yield pattern[:at], pattern[at + 1 :]
        elif letter == "*":
            yield pattern[: at + 1], pattern[at:]


def _matches(name: str, pattern: str) -> Condition:
    pieces = re.split(r"(\*)", pattern)
    parts = tuple(Wild.ANY if piece == "*" else piece for piece in pieces if piece)
    return Predicate(Field((name,)), Op.GLOB, (Glob(parts),))


def _matching(pattern: str, names: Iterable[str]) -> set[str]:
    return {name for name in names if _compiled(pattern).fullmatch(name)}


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(translate(pattern.replace("[", "[[]").replace("?", "[?]")))
