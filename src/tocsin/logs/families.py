"""Families of names: what a vocabulary calls all that stands below a path of the record."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from tocsin.condition.tree import Call
from tocsin.logs.mapping import ABSENT, Const, Expr, First, Via
from tocsin.logs.respelled import Respelled, Spelling, matches_name

FILLED = (Call("filled"),)


@dataclass(frozen=True, slots=True)
class Family:
    """Names that begin alike, and where the rest of them is looked up."""

    prefix: str
    """Without the dot behind it; empty for every name."""
    path: tuple[str, ...]
    spelling: Spelling
    keeps_empty: bool = False
    """Null and empty texts, objects and arrays are values."""

    @property
    def start(self) -> str:
        """Return how the names begin."""
        return f"{self.prefix}." if self.prefix else ""

    def read(self, segments: tuple[str, ...]) -> Expr:
        """Return what reads a name, given without the prefix."""
        return self._filled(Respelled(self.path, segments, self.spelling))

    def read_all(self, pattern: str, declared: Iterable[str]) -> Expr:
        """Return what reads every name that a pattern matches, given without the prefix.

        Names that are declared one by one are not among them.
        """
        start = self.start
        hidden = frozenset(name[len(start) :] for name in declared if name.startswith(start))
        return self._filled(Respelled(self.path, (), self.spelling, pattern, hidden))

    def _filled(self, found: Expr) -> Expr:
        return found if self.keeps_empty else filled(found)


def filled(expr: Expr) -> Expr:
    """Return an expression without what is null or empty."""
    if isinstance(expr, Const):
        return expr
    return Via(expr.of, expr.calls + FILLED) if isinstance(expr, Via) else Via(expr, FILLED)


def in_order(families: Iterable[Family]) -> tuple[Family, ...]:
    """Sort families as names are looked up: the longest prefixes first."""
    return tuple(sorted(families, key=lambda family: -len(family.prefix)))


def of_family(families: Sequence[Family], name: str) -> Expr:
    """Return what a name means in the families with the longest prefix; absent if in none.

    Of several with that prefix the first in which the name is filled decides.
    """
    for prefix, alike in groupby(families, lambda family: family.prefix):
        start = f"{prefix}." if prefix else ""
        if name == prefix or name.startswith(start):
            rest = name[len(start) :]
            segments = tuple(rest.split(".")) if rest else ()
            parts = tuple(family.read(segments) for family in alike)
            return parts[0] if len(parts) == 1 else First(parts)
    return ABSENT


def matching(families: Sequence[Family], pattern: str, declared: Sequence[str]) -> Iterator[Expr]:
    """Yield what reads the names of families that a pattern matches and that are not declared."""
    head = pattern.partition("*")[0]
    for _, group in groupby(families, lambda family: family.prefix):
        alike = list(group)
        start = alike[0].start
        if head.startswith(start):
            yield from (family.read_all(pattern[len(start) :], declared) for family in alike)
            return
        for family in alike:
            if matches_name(pattern, family.prefix):
                yield family.read(())
            yield from (family.read_all(rest, declared) for rest in _behind(pattern, start))


def _behind(pattern: str, start: str) -> Iterator[str]:
    """Yield what is left of a pattern where what stands before it matches a text."""
    for at, letter in enumerate(pattern):
        before = pattern[: at + 1] if letter == "*" else pattern[:at]
        if before and matches_name(before, start):
            yield pattern[at:]
