"""When a rule runs and over which events: date math as spans of time.

https://www.elastic.co/docs/reference/elasticsearch/rest-apis/common-options#date-math
"""

import re
from collections.abc import Callable
from datetime import timedelta

from tocsin.errors import RuleError
from tocsin.rules.elastic.document import Document
from tocsin.rules.stages import Schedule

TIME_FIELD = "@timestamp"
_UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "H": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
    "M": timedelta(days=30),
    "y": timedelta(days=365),
}
_MATH = re.compile(r"now((?:[+-]\d{0,9}[smhHdwMy]|/[smhHdwMy])*)")
_STEP = re.compile(r"([+-]|/)(\d*)([smhHdwMy])")
_INTERVAL = re.compile(r"(\d{1,9})([smhd])")
_SHORTEST = timedelta(seconds=1)


def read_schedule(document: Document) -> Schedule:
    """Read when a rule runs; what it does not say is as in Kibana."""
    until = _before(document, "to", "now")
    window = _before(document, "from", "now-6m") - until
    if window <= timedelta(0):
        raise document.wrong("from", "is not before the end of the window")
    own = document.text("timestamp_override")
    falls_back = document.rule.get("timestamp_override_fallback_disabled") is not True
    names = (own, TIME_FIELD) if own and falls_back else (own or TIME_FIELD,)
    return Schedule(
        read_interval(document),
        window,
        until,
        tuple(dict.fromkeys(names)),
        document.number("max_signals") or 100,
    )


def read_interval(document: Document) -> timedelta:
    """Read how long after a run the next one starts."""
    text = document.text("interval") or "5m"
    return read_span(text, lambda problem: document.wrong("interval", problem))


def _before(document: Document, key: str, default: str) -> timedelta:
    text = document.text(key) or default
    return read_distance(text, lambda problem: document.wrong(key, problem))


def read_distance(text: str, wrong: Callable[[str], RuleError]) -> timedelta:
    """Return how long before now `now-7d` is: a month is 30 days, and rounding adds its unit."""
    match = _MATH.fullmatch(text)
    if not match:
        raise wrong(f"{text!r} is no time before now; write now-9m")
    try:
        return sum(map(_step, _STEP.findall(match[1])), timedelta(0))
    except OverflowError:
        raise wrong(f"{text!r} is too long ago") from None


def _step(step: tuple[str, str, str]) -> timedelta:
    sign, count, unit = step
    return _UNITS[unit] * int(count or 1) * (-1 if sign == "+" else 1)


def read_span(text: str, wrong: Callable[[str], RuleError]) -> timedelta:
    """Return how long `5m` is."""
    match = _INTERVAL.fullmatch(text)
    if not match:
        raise wrong(f"{text!r} is no span of time; write 5m, 1h or 1d")
    try:
        span = int(match[1]) * _UNITS[match[2]]
    except OverflowError:
        raise wrong(f"{text!r} is too long") from None
    if span < _SHORTEST:
        raise wrong(f"{text!r} is too short")
    return span
