"""The timeline: exact counts, in steps that bound memory and what is shown."""

import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from tocsin.pages.chart import HEIGHT, WIDTH, draw
from tocsin.pages.timeline import MAX_BARS, MAX_STEPS, STEPS, Timeline
from tocsin.rules.model import Severity

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
RANGES = [0.5, 30, 3000, 86_400 * 3, 86_400 * 400, 86_400 * 365 * 300]


def seen(times: list[datetime | None]) -> Timeline:
    timeline = Timeline()
    for at, time in enumerate(times):
        timeline.see(time, list(Severity)[at % 5])
    return timeline


def spread(seconds: float, count: int = 500) -> list[datetime | None]:
    rnd = random.Random(seconds)
    return [START + timedelta(seconds=rnd.uniform(0, seconds)) for _ in range(count)]


@pytest.mark.parametrize("seconds", RANGES)
def test_no_alert_is_lost_however_times_are_spread(seconds: float) -> None:
    timeline = seen([*spread(seconds, 5000), None])
    assert len(timeline.counts) <= MAX_STEPS
    assert sum(counts.total() for counts in timeline.counts.values()) == 5000
    assert timeline.undated == 1
    chart = draw(timeline)
    assert sum(bar.total for bar in chart.bars) == 5000
    assert chart.undated == 1


@pytest.mark.parametrize("seconds", RANGES)
def test_bars_are_few_and_inside_the_picture(seconds: float) -> None:
    chart = draw(seen(spread(seconds)))
    assert 1 <= len(chart.bars) <= MAX_BARS
    for bar in chart.bars:
        assert bar.x >= 0
        assert bar.x + bar.width <= WIDTH + 0.1
        assert all(one.y >= -0.1 and one.height > 0 for one in bar.segments)
        assert sum(one.height for one in bar.segments) <= HEIGHT + 0.1
    assert chart.bars[0].start <= START + timedelta(seconds=seconds)
    assert max(bar.total for bar in chart.bars) == chart.top


@pytest.mark.parametrize("parts", [2, 3, 50])
@pytest.mark.parametrize("seconds", RANGES)
def test_a_timeline_does_not_depend_on_how_it_was_cut(seconds: float, parts: int) -> None:
    times = spread(seconds, 3000)
    whole, joined = Timeline(), Timeline()
    for time in times:
        whole.see(time, Severity.LOW)
    for part in range(parts):
        timeline = Timeline()
        for time in times[part::parts]:
            timeline.see(time, Severity.LOW)
        joined.merge(timeline)
    assert joined == whole


def test_every_step_is_a_multiple_of_those_before_it() -> None:
    steps = list(STEPS)
    assert all(b % a == 0 for a, b in pairwise(steps))


@pytest.mark.parametrize("year", [1, 1601, 1969, 9999])
def test_times_far_from_others_are_counted(year: int) -> None:
    chart = draw(seen([datetime(year, 1, 1, tzinfo=UTC), START]))
    assert [bar.total for bar in chart.bars] in ([1, 1], [2])


def test_all_times_that_there_are_have_few_bars() -> None:
    times = [datetime(year, 1, 1, tzinfo=UTC) for year in range(1, 10_000)]
    chart = draw(seen([*times, datetime.max.replace(tzinfo=UTC)]))
    assert len(chart.bars) <= MAX_BARS
    assert sum(bar.total for bar in chart.bars) == 10_000


def test_nothing_to_draw_is_no_bars() -> None:
    assert draw(seen([None])).bars == ()
