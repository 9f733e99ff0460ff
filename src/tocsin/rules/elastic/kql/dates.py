"""Dates of queries: partial dates and date math, as milliseconds since 1970.

Semantics: Elasticsearch's date math and its range query
(https://www.elastic.co/docs/reference/elasticsearch/rest-apis/common-options), in UTC.
"""

import re
from calendar import monthrange
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from enum import Enum

_MATH = r"(?P<math>(?:[+-]\d{0,9}[yMwdhHms]|/[yMwdhHms])*)"
_DATE = (
    r"(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d)(?:T(?:(?P<hour>\d\d)(?::(?P<minute>\d\d)"
    r"(?::(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,9}))?)?)?"
    r"(?:(?P<utc>Z)|(?P<offset>[+-]\d\d:?\d\d))?)?)?)?)?"
)
_EXPRESSION = re.compile(
    rf"(?:now|(?:{_DATE}|(?P<millis>-?\d{{1,17}}))(?P<then>\|\|)?){_MATH}", re.ASCII
)
_STEP = re.compile(r"([+-]|/)(\d*)([yMwdhHms])")
_MILLISECOND = timedelta(milliseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STEPS: Mapping[str, timedelta] = {
    "w": timedelta(weeks=1),
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "H": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
}
_MONTHS = {"y": 12, "M": 1}
_MIDNIGHT = {"hour": 0, "minute": 0, "second": 0, "microsecond": 0}


class Rounding(Enum):
    """To which end of what a date leaves open it is taken."""

    DOWN = "down"
    UP = "up"


def resolve_date(text: str, now: datetime, rounding: Rounding) -> int | None:
    """Return the milliseconds that a date of a query stands for; None if it is no date.

    Rounding up ends a unit, as in `now/d`, a millisecond before the next. Of a date without time it
    takes 23:59:59.999; a missing month or day is the first, whichever way is rounded.
    """
    match = _EXPRESSION.fullmatch(text)
    if not match or (match["math"] and not match["then"] and not text.startswith("now")):
        return None
    fill = Rounding.DOWN if match["then"] else rounding
    try:
        when = now.astimezone(UTC) if text.startswith("now") else _anchor(match, fill)
        for sign, count, unit in _STEP.findall(match["math"]):
            when = _round(when, unit, rounding) if sign == "/" else _add(when, sign, count, unit)
    except (ValueError, OverflowError):
        return None
    return (when - EPOCH) // _MILLISECOND


def _anchor(match: re.Match[str], rounding: Rounding) -> datetime:
    if match["millis"]:
        return EPOCH + int(match["millis"]) * _MILLISECOND
    hour, minute, second = (23, 59, 59) if rounding is Rounding.UP else (0, 0, 0)
    fraction = match["fraction"] or ("999999" if rounding is Rounding.UP else "0")
    return datetime(
        int(match["year"]),
        int(match["month"] or 1),
        int(match["day"] or 1),
        int(match["hour"] or hour),
        int(match["minute"] or minute),
        int(match["second"] or second),
        int(fraction[:6].ljust(6, "0")),
        tzinfo=_zone(match["offset"]),
    ).astimezone(UTC)


def _zone(offset: str | None) -> timezone:
    if not offset:
        return UTC
    ahead = timedelta(hours=int(offset[1:3]), minutes=int(offset[-2:]))
    return timezone(-ahead if offset[0] == "-" else ahead)


def _add(when: datetime, sign: str, count: str, unit: str) -> datetime:
    number = int(count or 1) * (-1 if sign == "-" else 1)
    if unit in _STEPS:
        return when + number * _STEPS[unit]
    months = when.year * 12 + when.month - 1 + number * _MONTHS[unit]
    year, month = months // 12, months % 12 + 1
    return when.replace(year=year, month=month, day=min(when.day, monthrange(year, month)[1]))


def _round(when: datetime, unit: str, rounding: Rounding) -> datetime:
    start = _STARTS[unit](when)
    return start if rounding is Rounding.DOWN else _add(start, "+", "1", unit) - _MILLISECOND


_STARTS: Mapping[str, Callable[[datetime], datetime]] = {
    "y": lambda when: when.replace(month=1, day=1, **_MIDNIGHT),  # type: ignore[arg-type]
    "M": lambda when: when.replace(day=1, **_MIDNIGHT),  # type: ignore[arg-type]
    "w": lambda when: (when - timedelta(days=when.weekday())).replace(**_MIDNIGHT),  # type: ignore[arg-type]
    "d": lambda when: when.replace(**_MIDNIGHT),  # type: ignore[arg-type]
    "h": lambda when: when.replace(minute=0, second=0, microsecond=0),
    "H": lambda when: when.replace(minute=0, second=0, microsecond=0),
    "m": lambda when: when.replace(second=0, microsecond=0),
    "s": lambda when: when.replace(microsecond=0),
}
