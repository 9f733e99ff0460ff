"""Deduplication: matches that the rule says are the same are one alert for a while.

A group begins with a match and is over a fixed time later; it becomes an alert with the match that
makes it large enough, and takes in what comes until it is over.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from tocsin.engine.stages.hits import Finding, Hit
from tocsin.rules.stages import Deduplication
from tocsin.times import in_milliseconds

KEPT_HITS = 10
"""How many matches of a group an alert quotes."""


@dataclass(slots=True)
class _Group:
    first: Hit
    kept: list[Hit] = field(default_factory=list)
    count: int = 0
    seen: set[str] = field(default_factory=set)
    """Identities of the records in it: what is delivered twice counts once."""
    values: set[str] = field(default_factory=set)
    """The different values, where only they count."""
    open: Finding | None = None


class GroupStage:
    """Runs the stage of one rule; of a hit the first value is its group, the second what counts."""

    def __init__(self, stage: Deduplication) -> None:
        self._stage = stage
        self._window = in_milliseconds(stage.window)
        self._groups: dict[str, _Group] = {}
        self._ends: deque[tuple[int, str]] = deque()

    def see(self, hit: Hit) -> Iterator[Finding]:
        """Take a match; yield the findings whose window it shows to be over."""
        while self._ends and self._ends[0][0] < hit.time:
            _, over = self._ends.popleft()
            yield from self._finding(self._groups.pop(over))
        (name,), counted = hit.values
        group = self._groups.get(name)
        if group is None:
            group = self._groups[name] = _Group(hit)
            self._ends.append((hit.time + self._window, name))
        if hit.identity and hit.identity in group.seen:
            return
        group.seen.add(hit.identity)
        self._add(group, name, hit, counted)

    def _add(self, group: _Group, name: str, hit: Hit, counted: tuple[str, ...]) -> None:
        group.count += 1
        group.values.update(counted)
        if group.open:
            group.open.count += 1
            group.open.last = hit.time
            return
        enough = (len(group.values) if group.values else group.count) >= self._stage.count
        if len(group.kept) < KEPT_HITS or enough:
            group.kept = [*group.kept[: KEPT_HITS - 1], hit]
        if enough:
            distinct = len(group.values) or None
            group.open = Finding(hit, (name,), group.kept, group.count, hit.time, distinct)

    def finish(self) -> Iterator[Finding]:
        """Yield the findings that were still open, in the order in which they began."""
        for _, name in self._ends:
            yield from self._finding(self._groups[name])

    def _finding(self, group: _Group) -> Iterator[Finding]:
        if group.open and not group.open.anchor.past:
            yield group.open
