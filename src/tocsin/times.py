"""Event times: what logs write, and the one form that Tocsin writes."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tocsin.jsontext import Number

_ZONE = r"(Z|UTC|[+-]\d\d:?\d\d)"
_ISO_TEXT = r"(\d{4})-(\d\d?)-(\d\d?)(?:[T ]+(\d\d?):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?)?"
_US_TEXT = r"(\d\d?)/(\d\d?)/(\d{4}),?\s+(\d\d?):(\d\d)(?::(\d\d)(?:\.(\d+))?)?\s*([AP]M)?"
_ISO = re.compile(rf"{_ISO_TEXT}\s*{_ZONE}?", re.IGNORECASE | re.ASCII)
_US = re.compile(rf"{_US_TEXT}\s*{_ZONE}?", re.IGNORECASE | re.ASCII)
WITHOUT_ZONE = rf"(?i)^\s*(?:{_ISO_TEXT}|{_US_TEXT})\s*$"
"""What a time that names no zone looks like, for RE2."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_OFFSET = re.compile(r"(?:UTC|GMT)?([+-]?)(\d\d?)(?::?(\d\d))?", re.IGNORECASE | re.ASCII)
_UTC_NAMES = {"UTC", "GMT", "Z"}


@dataclass(frozen=True, slots=True)
class Clock:
    """How times are read: in which zone those are that name none."""

    zone: tzinfo = UTC


@dataclass(frozen=True, slots=True)
class Moment:
    """A time in UTC, and whether its zone had to be assumed."""

    time: datetime
    assumed: bool


PLAIN_CLOCK = Clock()


def in_milliseconds(span: timedelta) -> int:
    """Return how many whole milliseconds a span has."""
    return span // timedelta(milliseconds=1)


def read_zone(text: str) -> tzinfo | None:
    """Read a zone: a name of the IANA database, `UTC`, or an offset as `+02:00`; None for none."""
    text = text.strip()
    if text.upper() in _UTC_NAMES:
        return UTC
    if offset := _OFFSET.fullmatch(text):
        sign, hours, minutes = offset.groups()
        if not sign or int(hours) > 14 or int(minutes or 0) > 59:
            return None
        ahead = timedelta(hours=int(hours), minutes=int(minutes or 0))
        return timezone(-ahead if sign == "-" else ahead)
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


_UNITS: tuple[tuple[int, int], ...] = ((10**17, 10**9), (10**14, 10**6), (10**11, 10**3))


def parse_time(value: object, clock: Clock = PLAIN_CLOCK) -> datetime | None:
    """Read an event time, as `read_time`, and turn it to UTC."""
    moment = read_moment(value, clock)
    return moment.time if moment else None


def read_moment(value: object, clock: Clock = PLAIN_CLOCK) -> Moment | None:
    """Read an event time and turn it to UTC; say whether the clock's zone was needed for that."""
    when, assumed = _read(value, clock)
    try:
        return Moment(when.astimezone(UTC), assumed) if when else None
    except OverflowError:
        return None


def read_time(value: object) -> datetime | None:
    """Read a time in the zone it was written in: ISO 8601, US dates, or seconds since 1970.

    A time without zone is UTC. Numbers above 1e11 are milliseconds, above 1e14 microseconds, above
    1e17 nanoseconds. None if it is no time.
    """
    return _read(value, PLAIN_CLOCK)[0]


def _read(value: object, clock: Clock) -> tuple[datetime | None, bool]:
    """Return a time, and whether it named no zone."""
    if isinstance(value, Number):
        return _from_epoch(value.value()), False
    if not isinstance(value, str):
        return None, False
    text = value.strip()
    if match := _ISO.fullmatch(text):
        year, month, day, hour, minute, second, fraction, zone = match.groups()
    elif match := _US.fullmatch(text):
        month, day, year, hour, minute, second, fraction, half, zone = match.groups()
        if half:
            hour = str(int(hour) % 12 + (12 if half.upper() == "PM" else 0))
    else:
        return None, False
    try:
        known = _zone(zone) if zone else clock.zone
        return _build((year, month, day), (hour, minute, second), fraction, known), not zone
    except ValueError:
        return None, False


def add_zone(text: str, zone: tzinfo) -> str:
    """Write the zone behind a time that names none; other texts stay as they are."""
    when, unzoned = _read(text, Clock(zone))
    offset = when.utcoffset() if when and unzoned else None
    if offset is None:
        return text
    minutes = int(offset.total_seconds()) // 60
    if not minutes:
        return f"{text} UTC"
    sign = "-" if minutes < 0 else "+"
    return f"{text} {sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


def _from_epoch(number: int | Decimal | None) -> datetime | None:
    if number is None:
        return None
    seconds = Decimal(number)
    for limit, divisor in _UNITS:
        if abs(seconds) >= limit:
            seconds /= divisor
            break
    try:
        return EPOCH + timedelta(microseconds=int(seconds * 1_000_000))
    except (OverflowError, ValueError):
        return None


def _build(
    date: tuple[str, str, str],
    time: tuple[str | None, str | None, str | None],
    fraction: str | None,
    zone: tzinfo,
) -> datetime:
    year, month, day = map(int, date)
    hour, minute, second = (int(part or 0) for part in time)
    micros = int((fraction or "0")[:6].ljust(6, "0"))
    return datetime(year, month, day, hour, minute, min(second, 59), micros, tzinfo=zone)


def _zone(text: str) -> timezone:
    if text.upper() in _UTC_NAMES:
        return UTC
    sign = -1 if text[0] == "-" else 1
    digits = text[1:].replace(":", "")
    return timezone(sign * timedelta(hours=int(digits[:2]), minutes=int(digits[2:])))


def format_time(when: datetime) -> str:
    """Write a time as `2026-01-02T03:04:05.678Z`: UTC, truncated to milliseconds."""
    when = when.astimezone(UTC)
    return f"{when:%Y-%m-%dT%H:%M:%S}.{when.microsecond // 1000:03d}Z"
