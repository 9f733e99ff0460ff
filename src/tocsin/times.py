"""Event times: what logs write, and the one form that Tocsin writes."""

import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

from tocsin.jsontext import Number

_ISO = re.compile(
    r"(\d{4})-(\d\d?)-(\d\d?)(?:[T ]+(\d\d?):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?)?"
    r"\s*(Z|UTC|[+-]\d\d:?\d\d)?",
    re.IGNORECASE | re.ASCII,
)
_US = re.compile(
    r"(\d\d?)/(\d\d?)/(\d{4}),?\s+(\d\d?):(\d\d)(?::(\d\d)(?:\.(\d+))?)?\s*([AP]M)?"
    r"\s*(Z|UTC|[+-]\d\d:?\d\d)?",
    re.IGNORECASE | re.ASCII,
)


_UNITS: tuple[tuple[int, int], ...] = ((10**17, 10**9), (10**14, 10**6), (10**11, 10**3))


def parse_time(value: object) -> datetime | None:
    """Read an event time, as `read_time`, and turn it to UTC."""
    when = read_time(value)
    try:
        return when.astimezone(UTC) if when else None
    except OverflowError:
        return None


def read_time(value: object) -> datetime | None:
    """Read a time in the zone it was written in: ISO 8601, US dates, or seconds since 1970.

    A time without zone is UTC. Numbers above 1e11 are milliseconds, above 1e14 microseconds, above
    1e17 nanoseconds. None if it is no time.
    """
    if isinstance(value, Number):
        return _from_epoch(value.value())
    if not isinstance(value, str):
        return None
    text = value.strip()
    if match := _ISO.fullmatch(text):
        year, month, day, hour, minute, second, fraction, zone = match.groups()
        return _build(year, month, day, hour, minute, second, fraction, zone)
    if match := _US.fullmatch(text):
        month, day, year, hour, minute, second, fraction, half, zone = match.groups()
        if half:
            hour = str(int(hour) % 12 + (12 if half.upper() == "PM" else 0))
        return _build(year, month, day, hour, minute, second, fraction, zone)
    return None


def _from_epoch(number: int | Decimal | None) -> datetime | None:
    if number is None:
        return None
    seconds = Decimal(number)
    for limit, divisor in _UNITS:
        if abs(seconds) >= limit:
            seconds /= divisor
            break
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(seconds * 1_000_000))
    except (OverflowError, ValueError):
        return None


def _build(
    year: str,
    month: str,
    day: str,
    hour: str | None,
    minute: str | None,
    second: str | None,
    fraction: str | None,
    zone: str | None,
) -> datetime | None:
    micros = int((fraction or "0")[:6].ljust(6, "0"))
    try:
        return datetime(
            int(year),
            int(month),
            int(day),
            int(hour or 0),
            int(minute or 0),
            min(int(second or 0), 59),
            micros,
            tzinfo=_zone(zone),
        )
    except ValueError:
        return None


def _zone(text: str | None) -> timezone:
    if not text or text.upper() in {"Z", "UTC"}:
        return UTC
    sign = -1 if text[0] == "-" else 1
    digits = text[1:].replace(":", "")
    return timezone(sign * timedelta(hours=int(digits[:2]), minutes=int(digits[2:])))


def format_time(when: datetime) -> str:
    """Write a time as `2026-01-02T03:04:05.678Z`: UTC, truncated to milliseconds."""
    when = when.astimezone(UTC)
    return f"{when:%Y-%m-%dT%H:%M:%S}.{when.microsecond // 1000:03d}Z"
