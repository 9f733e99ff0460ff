"""Dates of rules: nothing that asks the clock or the time zone of this machine."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

CALENDAR: tuple[tuple[type, frozenset[str]], ...] = (
    (
        datetime,
        frozenset(
            {"isoformat", "strftime", "weekday", "isoweekday", "date", "utcoffset", "replace"}
        ),
    ),
    (date, frozenset({"isoformat", "strftime", "weekday", "isoweekday", "replace"})),
    (timedelta, frozenset({"total_seconds"})),
)
"""What can be called on dates."""

_MORE_DIGITS = re.compile(r"(\.\d{6})\d+")


def epoch(value: Any) -> float:
    """Return a time in seconds since 1970; 0 for what is none."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if not isinstance(value, str):
        return 0
    text = _MORE_DIGITS.sub(r"\1", value.strip().removesuffix(" UTC"))
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return 0
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
