"""What a JSON value is as text, as a number and as a time, written again for the oracle."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache


@dataclass(frozen=True)
class Num:
    """A JSON number as it was written."""

    text: str


def parse(text):
    """Read JSON; a key that is repeated holds the values of all its occurrences."""
    return json.loads(text, parse_int=Num, parse_float=Num, object_pairs_hook=_merge)


def _merge(pairs):
    values = {}
    for key, value in pairs:
        values.setdefault(key, []).append(value)
    return {key: one[0] if len(one) == 1 else _concat(one) for key, one in values.items()}


def _concat(values):
    return [item for value in values for item in (value if isinstance(value, list) else [value])]


def flat(value):
    """List a value, or the members of an array however deep; an empty array is one value."""
    if not isinstance(value, list) or not value:
        return [value]
    return [one for item in value for one in flat(item)]


@lru_cache(maxsize=100_000)
def fold(text):
    return "".join(character.lower() for character in text)


def exact_number(value):
    """Return the number a value is; text and truth values are none."""
    if isinstance(value, Num):
        return next(iter(numbers(value.text)), None)
    return value if isinstance(value, int | Decimal) and not isinstance(value, bool) else None


def numbers(value):
    """List the number a value is or is written as."""
    if isinstance(value, str):
        plain = re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,6})?", value, re.ASCII)
        return [Decimal(value)] if plain else []
    number = exact_number(value)
    return [] if number is None else [number]


def texts(value):
    """List how a value reads as text: an object as its JSON, and as each scalar inside."""
    if isinstance(value, dict) or value == []:
        return [render(value), *leaves(value)]
    return leaves(value)


def leaves(value):
    """List the text of every scalar inside a value; null has none."""
    if isinstance(value, dict | list):
        items = value.values() if isinstance(value, dict) else value
        return [text for item in items for text in leaves(item)]
    if value is None:
        return []
    if isinstance(value, bool):
        return ["true" if value else "false"]
    return [value.text if isinstance(value, Num) else str(value)]


def render(value):
    """Write JSON without spaces."""
    if isinstance(value, dict):
        members = (f"{render(key)}:{render(item)}" for key, item in value.items())
        return "{" + ",".join(members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(render, value)) + "]"
    return value.text if isinstance(value, Num) else json.dumps(value, ensure_ascii=False)


def moment(value):
    """Read a time in its own zone: ISO 8601, or seconds since 1970 or thousandths of them."""
    if isinstance(value, Num):
        seconds = exact_number(value)
        while abs(seconds) >= 10**11:
            seconds /= 1000
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=int(seconds))
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def part_of_time(part):
    """Make a function that lists one part of a value that is a time."""

    def function(value):
        when = moment(value)
        return [] if when is None else [part(when)]

    return function


FUNCTIONS = {
    "text": texts,
    "leaves": leaves,
    "number": numbers,
    "lower": lambda value: [fold(value)] if isinstance(value, str) else [],
    "length": lambda value: [len(value)] if isinstance(value, str | dict) else [],
    "minute": part_of_time(lambda when: when.minute),
    "hour": part_of_time(lambda when: when.hour),
    "day": part_of_time(lambda when: when.day),
    "week": part_of_time(lambda when: when.isocalendar().week),
    "month": part_of_time(lambda when: when.month),
    "year": part_of_time(lambda when: when.year),
}
