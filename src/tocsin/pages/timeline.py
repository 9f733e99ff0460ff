"""When alerts were: counts per step of time, in steps that are as fine as memory allows."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from tocsin.rules.model import Severity

DAY = 86_400
STEPS = {
    1: "second",
    10: "10 seconds",
    60: "minute",
    300: "5 minutes",
    900: "15 minutes",
    3600: "hour",
    4 * 3600: "4 hours",
    12 * 3600: "12 hours",
    DAY: "day",
    7 * DAY: "week",
    28 * DAY: "4 weeks",
    364 * DAY: "52 weeks",
    3640 * DAY: "10 years",
    36_400 * DAY: "100 years",
    364_000 * DAY: "1,000 years",
}
"""Seconds of each step and its name; every step is a multiple of those before it."""

MAX_STEPS = 2000
"""Steps that are kept before the next coarser ones take their place."""

MAX_BARS = 80
"""Steps that are shown."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class Timeline:
    """Counts per severity and step; the result depends on the times alone, not on their order."""

    seconds: int = 1
    counts: dict[int, Counter[Severity]] = field(default_factory=dict)
    """By the number of the step since 1970."""
    undated: int = 0

    def see(self, time: datetime | None, severity: Severity) -> None:
        """Count one alert."""
        if time is None:
            self.undated += 1
            return
        step = int((time - _EPOCH) // timedelta(seconds=self.seconds))
        if step not in self.counts:
            self.counts[step] = Counter()
        self.counts[step][severity] += 1
        self._bound(MAX_STEPS)

    def merge(self, other: "Timeline") -> None:
        """Add what another timeline counted."""
        self.undated += other.undated
        self._coarsen(max(self.seconds, other.seconds))
        for step, counts in other.counts.items():
            at = step * other.seconds // self.seconds
            self.counts[at] = self.counts.get(at, Counter()) + counts
        self._bound(MAX_STEPS)

    def shown(self) -> "Timeline":
        """Return the timeline in steps of which at most `MAX_BARS` lie between first and last."""
        shown = Timeline()
        shown.merge(self)
        for seconds in STEPS:
            if seconds >= shown.seconds:
                shown._coarsen(seconds)
                if max(shown.counts, default=0) - min(shown.counts, default=0) < MAX_BARS:
                    break
        return shown

    def start(self, step: int) -> datetime:
        """Return when a step begins, no earlier than there are dates."""
        seconds = max(step * self.seconds, (_FIRST - _EPOCH) // timedelta(seconds=1))
        return _EPOCH + timedelta(seconds=seconds)

    def _bound(self, most: int) -> None:
        steps = iter(STEPS)
        while len(self.counts) > most and self.seconds < max(STEPS):
            self._coarsen(next(step for step in steps if step > self.seconds))

    def _coarsen(self, seconds: int) -> None:
        if seconds == self.seconds:
            return
        counts: dict[int, Counter[Severity]] = {}
        for step, found in self.counts.items():
            counts.setdefault(step * self.seconds // seconds, Counter()).update(found)
        self.seconds, self.counts = seconds, counts
