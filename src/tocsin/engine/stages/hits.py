"""What goes into stages and what comes out of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any, Protocol, TypeAlias

Place: TypeAlias = tuple[int, int]
"""Which event it is: numbers that whoever runs stages gives out, in the order of the input."""
Terms: TypeAlias = tuple[str | None, ...]
"""One value per field; None where the event has none."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A match as a stage sees it."""

    time: int
    """Milliseconds since 1970."""
    place: Place
    values: tuple[tuple[str, ...], ...]
    """The values of each field that the rule's stage and suppression name, in `fields_of`'s
    order."""
    identity: str = ""
    """What makes the record one, wherever else it is delivered again; empty if nothing does."""
    past: bool = False
    """Whether it only is to be known: it raises no alert."""
    said: Mapping[str, Any] | None = None
    """What the rule's own code says of it."""


@dataclass(slots=True)
class Finding:
    """What a stage lets through: an alert, unless suppression takes it in."""

    anchor: Hit
    """The match that made it."""
    terms: Terms = ()
    hits: list[Hit] = field(default_factory=list)
    """The first matches that it is about, in the order of time."""
    count: int = 1
    last: int = 0
    """When the last match was that it is about."""
    distinct: int | None = None
    """How many values of the counted field there were when the threshold was reached."""
    absorbed: int = 0
    """How many other findings it stands for."""
    absorbed_until: int = 0
    suppressed_by: Terms | None = None

    @property
    def first(self) -> int:
        """Return when the first match was that it is about."""
        return min(hit.time for hit in self.hits) if self.hits else self.anchor.time

    @classmethod
    def of(cls, hit: Hit, terms: Terms = ()) -> "Finding":
        """Return a finding about one match."""
        return cls(hit, terms, [hit], 1, hit.time)


class Stage(Protocol):
    """Turns matches of one rule into findings; matches come in the order of their times."""

    def see(self, hit: Hit) -> Iterator[Finding]:
        """Take a match; yield the findings that are complete with it."""

    def finish(self) -> Iterator[Finding]:
        """Yield the findings that were still open."""


class TermsState(Protocol):
    """When terms were seen last."""

    def see(self, key: bytes, time: int) -> int | None:
        """Note that a key is seen; return when it was seen last before."""


class MemoryTerms:
    """Terms in memory."""

    def __init__(self) -> None:
        self._last: dict[bytes, int] = {}

    def see(self, key: bytes, time: int) -> int | None:
        """Note that a key is seen; return when it was seen last before."""
        last = self._last.get(key)
        if last is None or last < time:
            self._last[key] = time
        return last


def combinations(values: Sequence[Sequence[str]]) -> Iterator[tuple[str, ...]]:
    """Yield every combination of one value per field; none if a field has no value."""
    if all(len(of_field) == 1 for of_field in values):
        return iter([tuple(of_field[0] for of_field in values)])
    return product(*(dict.fromkeys(of_field) for of_field in values))
