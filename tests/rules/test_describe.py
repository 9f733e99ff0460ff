"""Stages, suppression and schedules in words."""

from datetime import timedelta

import pytest

from tocsin.condition.tree import TRUE
from tocsin.rules.describe import describe_schedule, describe_stage, describe_suppression, span
from tocsin.rules.stages import (
    Comparison,
    IndicatorMatch,
    NewTerms,
    Schedule,
    Suppression,
    Threshold,
)

HOUR = timedelta(hours=1)
STAGES = {
    "values of a that are new within 7 days": NewTerms(("a",), timedelta(days=7)),
    "values of a, b and c together that are new within 1 hour": NewTerms(("a", "b", "c"), HOUR),
    "5 or more within 1 hour": Threshold((), 5, HOUR),
    "an indicator of x, y has a value in common: a is b and c is not d; or e is f": IndicatorMatch(
        ((Comparison("a", "b"), Comparison("c", "d", negated=True)), (Comparison("e", "f"),)),
        ("x", "y"),
        TRUE,
    ),
}


@pytest.mark.parametrize("words", STAGES)
def test_a_stage_is_said(words: str) -> None:
    assert describe_stage(STAGES[words]) == words


def test_a_suppression_without_fields_is_said() -> None:
    assert describe_suppression(Suppression((), HOUR)) == "one alert for all within 1 hour"


def test_a_schedule_that_ends_before_now_is_said() -> None:
    words = "every 1 hour over 2 hours, up to 1 hour before, by @timestamp; 100 alerts at most"
    assert describe_schedule(Schedule(HOUR, 2 * HOUR, HOUR)) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "no time"),
        (1, "1 second"),
        (90, "1 minute 30 seconds"),
        (86400 * 2 + 3600, "2 days 1 hour"),
    ],
)
def test_a_span_is_said(seconds: int, words: str) -> None:
    assert span(timedelta(seconds=seconds)) == words
