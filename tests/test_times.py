"""Times: the zone of those that name none is the reader's."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from tocsin.jsontext import Number
from tocsin.times import Clock, add_zone, format_time, parse_time, read_moment, read_zone

BERLIN = read_zone("Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("UTC", 0), ("utc", 0), ("Z", 0), ("GMT", 0), ("+02:00", 120), ("-05:30", -330),
        ("+2", 120), ("UTC+02:00", 120), ("GMT-3", -180), ("+0530", 330), (" UTC ", 0),
    ],
)  # fmt: skip
def test_a_zone_is_a_name_or_an_offset(text: str, offset: int) -> None:
    zone = read_zone(text)
    assert zone is not None
    assert zone.utcoffset(None) == timedelta(minutes=offset)


@pytest.mark.parametrize(
    "text", ["", "nowhere", "Mars/Base", "+25:00", "+01:99", "02:00", "../x", "/"]
)
def test_what_is_no_zone_is_none(text: str) -> None:
    assert read_zone(text) is None


@pytest.mark.parametrize(
    ("value", "expected", "assumed"),
    [
        ("2026-01-18 10:00:00", "2026-01-18T09:00:00.000Z", True),
        ("2026-07-18T10:00:00", "2026-07-18T08:00:00.000Z", True),
        ("1/18/2026, 10:00:00 PM", "2026-01-18T21:00:00.000Z", True),
        ("2026-01-18", "2026-01-17T23:00:00.000Z", True),
        ("2026-01-18T10:00:00Z", "2026-01-18T10:00:00.000Z", False),
        ("2026-01-18T10:00:00+02:00", "2026-01-18T08:00:00.000Z", False),
        ("1/18/2026 10:00:00 AM UTC", "2026-01-18T10:00:00.000Z", False),
        (Number("1768730400"), "2026-01-18T10:00:00.000Z", False),
    ],
)
def test_the_clock_says_the_zone_of_times_that_name_none(
    value: object, expected: str, assumed: bool
) -> None:
    assert BERLIN is not None
    moment = read_moment(value, Clock(BERLIN))
    assert moment is not None
    assert (format_time(moment.time), moment.assumed) == (expected, assumed)


@pytest.mark.parametrize(
    "value", ["", "soon", "2026-13-01", "2026-01-01T00:00:00+99:99", None, True, Number("1e99")]
)
def test_what_is_no_time_is_none(value: object) -> None:
    assert read_moment(value) is None
    assert parse_time(value) is None


def test_a_time_at_the_end_of_the_calendar_is_none_where_its_zone_leads_beyond() -> None:
    assert parse_time("0001-01-01 00:00", Clock(timezone(timedelta(hours=2)))) is None
    assert parse_time("0001-01-01 00:00") == datetime(1, 1, 1, tzinfo=UTC)


def test_a_zone_is_written_only_behind_a_time_that_names_none() -> None:
    assert BERLIN is not None
    assert add_zone("2026-07-18 10:00", BERLIN) == "2026-07-18 10:00 +02:00"
    assert add_zone("2026-07-18 10:00Z", BERLIN) == "2026-07-18 10:00Z"
    assert add_zone("x", BERLIN) == "x"
