"""The timeline as bars: where each stands and how high it is, in a box of fixed size."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from tocsin.pages.timeline import STEPS, Timeline
from tocsin.rules.model import Severity

WIDTH, HEIGHT = 960, 160
LEAST = 2.5
"""The height of what would else be too low to be seen."""

STACKED = tuple(reversed(Severity))
"""Worst first, from the bottom up."""


@dataclass(frozen=True, slots=True)
class Segment:
    """The alerts of one severity in one step."""

    severity: Severity
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Bar:
    """One step in which there are alerts."""

    start: datetime
    x: float
    width: float
    segments: tuple[Segment, ...]
    counts: tuple[tuple[Severity, int], ...]
    """Of every severity, worst first."""

    @property
    def total(self) -> int:
        """Return how many alerts there are."""
        return sum(count for _, count in self.counts)


@dataclass(frozen=True, slots=True)
class Chart:
    """A histogram of the alerts that have a time; there are no bars if none has."""

    step: str
    bars: tuple[Bar, ...]
    top: int
    """What a bar of full height stands for."""
    labels: tuple[datetime, ...]
    """Times under the first, the middle and the last bar."""
    undated: int


def draw(timeline: Timeline) -> Chart:
    """Draw a timeline, in steps as fine as there is room for."""
    shown = timeline.shown()
    if not shown.counts:
        return Chart("", (), 0, (), shown.undated)
    first, last = min(shown.counts), max(shown.counts)
    top = max(counts.total() for counts in shown.counts.values())
    middle = (first + last) // 2
    return Chart(
        step=STEPS[shown.seconds],
        bars=tuple(_bars(shown, top)),
        top=top,
        labels=tuple(shown.start(step) for step in sorted({first, middle, last})),
        undated=shown.undated,
    )


def _bars(shown: Timeline, top: int) -> Iterator[Bar]:
    first, last = min(shown.counts), max(shown.counts)
    room = WIDTH / max(last - first + 1, 12)
    gap = min(room * 0.2, 4)
    for step, counts in sorted(shown.counts.items()):
        listed = tuple((severity, counts[severity]) for severity in STACKED)
        x = (step - first) * room + gap / 2
        yield Bar(
            start=shown.start(step),
            x=round(x, 2),
            width=round(room - gap, 2),
            segments=tuple(_segments(listed, top)),
            counts=listed,
        )


def _segments(counts: tuple[tuple[Severity, int], ...], top: int) -> Iterator[Segment]:
    heights = [(one, max(count / top * HEIGHT, LEAST)) for one, count in counts if count]
    scale = min(1, HEIGHT / sum(height for _, height in heights))
    bottom = float(HEIGHT)
    for severity, height in heights:
        bottom -= height * scale
        yield Segment(severity, round(bottom, 2), round(height * scale, 2))
