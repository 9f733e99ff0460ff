"""Threshold: let a group of matches through once there are enough of them.

A group opens at the match that completes it, and takes in further matches of the group for as long
as its window is; then counting begins anew. So many failures are one alert, whose count grows.
"""

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tocsin.engine.stages.hits import Finding, Hit, combinations
from tocsin.rules.stages import Threshold
from tocsin.times import in_milliseconds

KEPT_HITS = 10
"""How many matches of a group an alert quotes."""


@dataclass(slots=True)
class _Group:
    """Matches of one group: those that wait to be enough, and the finding that they opened."""

    waiting: deque[Hit] = field(default_factory=deque)
    open: Finding | None = None
    seen: set[str] = field(default_factory=set)
    """Identities of the records in it: what is delivered twice counts once."""
    values: Counter[str] = field(default_factory=Counter)
    """Values of the counted field, and how many of the waiting matches have each."""


class ThresholdStage:
    """Runs the stage of one rule."""

    def __init__(self, stage: Threshold, at: Sequence[int], distinct_at: int | None) -> None:
        """Take the numbers of the stage's fields among the values of hits."""
        self._stage = stage
        self._window = in_milliseconds(stage.window)
        self._at = at
        self._distinct_at = distinct_at
        self._groups: dict[tuple[str, ...], _Group] = {}

    def see(self, hit: Hit) -> Iterator[Finding]:
        """Take a match; yield the findings whose window it shows to be over."""
        for terms in combinations([hit.values[at] for at in self._at]):
            group = self._groups.setdefault(terms, _Group())
            if group.open and hit.time - group.open.anchor.time > self._window:
                if not group.open.anchor.past:
                    yield group.open
                group.open = None
                group.seen.clear()
            if self._is_new(group, hit):
                self._add(group, terms, hit)

    def _is_new(self, group: _Group, hit: Hit) -> bool:
        if not hit.identity:
            return True
        if hit.identity in group.seen:
            return False
        group.seen.add(hit.identity)
        return True

    def _add(self, group: _Group, terms: tuple[str, ...], hit: Hit) -> None:
        if group.open:
            group.open.count += 1
            group.open.last = hit.time
            return
        waiting = group.waiting
        waiting.append(hit)
        group.values.update(self._counted(hit))
        while waiting[0].time < hit.time - self._window:
            self._drop(group, waiting.popleft())
        if len(waiting) < self._stage.count:
            return
        wanted = self._stage.distinct
        distinct = len(group.values) if wanted else None
        if wanted is None or len(group.values) >= wanted.count:
            kept = _kept(waiting)
            group.open = Finding(hit, terms, kept, len(waiting), hit.time, distinct)
            waiting.clear()
            group.values.clear()

    def _drop(self, group: _Group, hit: Hit) -> None:
        """Take the oldest match out of a group that is not complete."""
        group.seen.discard(hit.identity)
        for value in self._counted(hit):
            group.values[value] -= 1
            if not group.values[value]:
                del group.values[value]

    def _counted(self, hit: Hit) -> set[str]:
        """Return the values of the counted field, each once."""
        return set() if self._distinct_at is None else set(hit.values[self._distinct_at])

    def finish(self) -> Iterator[Finding]:
        """Yield the findings that were still open, in the order in which they opened."""
        found = [group.open for group in self._groups.values() if group.open]
        found.sort(key=lambda one: (one.anchor.time, one.anchor.place, one.terms))
        yield from (one for one in found if not one.anchor.past)


def _kept(hits: deque[Hit]) -> list[Hit]:
    """Return the first matches of a group and the one that completed it."""
    kept = [hits[at] for at in range(min(len(hits), KEPT_HITS))]
    return kept if kept[-1] is hits[-1] else [*kept[:-1], hits[-1]]
