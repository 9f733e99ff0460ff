"""The pure functions of `Field.via`: each maps one value to any number of values.

A value is what `tocsin.logs.values` yields: a string, bool, null, `Number`, an object, or `[]` for
an empty array. The engine runs a function once per distinct value.
"""

import ipaddress
import json
import re
from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import TypeAlias

from tocsin.condition.geoip import look_up
from tocsin.condition.places import resource_part, url_part
from tocsin.condition.pure import PURE
from tocsin.condition.tree import Call
from tocsin.errors import RecordError
from tocsin.jsontext import Json, Number, compact, leaves, parse_number, read_value
from tocsin.times import EPOCH, format_time, in_milliseconds, read_time

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_PORT = re.compile(r"(?:\[[^]]*\]|[^:]+):([0-9]{1,5})")
_WORD = re.compile(r"\w+")
_VOLUME = re.compile(r"\A\\device\\harddiskvolume[0-9]+(?=\\)", re.IGNORECASE)

Scalar: TypeAlias = "Json | int | Decimal"
Function: TypeAlias = Callable[..., Iterable[Scalar]]


def fold(text: str) -> str:
    """Lower a string character by character: the only case folding there is.

    `str.lower` on full Unicode but for its one context-dependent letter, the final sigma, which
    would make a substring fold differently from the text that holds it.
    """
    return text.lower() if text.isascii() else text.replace("Σ", "σ").lower()


def text_of(value: Scalar) -> Iterable[str]:
    """Yield how a value reads as text.

    Numbers as they were written, booleans as `true` and `false`, an object as its compact JSON and
    the text of each of its leaves, an empty array as `[]`. Null has no text.
    """
    if isinstance(value, str):
        return (value,)
    if value is None:
        return ()
    if isinstance(value, bool):
        return ("true" if value else "false",)
    if isinstance(value, Number):
        return (value.text,)
    if isinstance(value, int | Decimal):
        return (str(value),)
    return (compact(value), *leaf_texts(value))


def leaf_texts(value: Scalar) -> Iterable[str]:
    """Yield the text of every scalar below a value; keys are not among them."""
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return (str(value),)
    return (text for leaf in leaves(value) for text in text_of(leaf))


def number_of(value: Scalar) -> Iterable[int | Decimal]:
    """Yield the exact number that a value is or is written as; nothing for other text."""
    if isinstance(value, bool):
        return ()
    if isinstance(value, int | Decimal):
        return (value,)
    if isinstance(value, Number):
        value = value.text
    number = parse_number(value) if isinstance(value, str) else None
    return () if number is None else (number,)


def tokens_of(value: Scalar) -> Iterable[str]:
    """Yield the words of a value's text, folded: runs of letters, digits and underscores."""
    return (word for text in leaf_texts(value) for word in _WORD.findall(fold(text)))


def words_of(value: Scalar) -> Iterable[str]:
    """Yield the words of each text of a value as one string, a blank around every word.

    Words that follow each other are found in it as ` a b `.
    """
    for text in leaf_texts(value):
        words = " ".join(tokens_of(text))
        if words:
            yield f" {words} "


def moment_of(value: Scalar) -> Iterable[int]:
    """Yield the milliseconds since 1970 of a time, rounded down."""
    when = read_time(value)
    return (in_milliseconds(when - EPOCH),) if when else ()


def _within(value: Scalar, low: int, high: int) -> Iterable[Scalar]:
    """A number that lies between two, both included."""
    return [number for number in number_of(value) if low <= number <= high]


def _lower(value: Scalar) -> Iterable[Scalar]:
    return (fold(value),) if isinstance(value, str) else ()


def _upper(value: Scalar) -> Iterable[Scalar]:
    return (value.upper(),) if isinstance(value, str) else ()


def _strip(value: Scalar) -> Iterable[Scalar]:
    return (value.strip(),) if isinstance(value, str) else ()


def _length(value: Scalar) -> Iterable[Scalar]:
    return (len(value),) if isinstance(value, str | dict) else ()


def _split(value: Scalar, separator: str, index: int) -> Iterable[Scalar]:
    if not isinstance(value, str):
        return ()
    parts = value.split(separator)
    return (parts[index],) if -len(parts) <= index < len(parts) else ()


def _after(value: Scalar, marker: str) -> Iterable[Scalar]:
    """The part of a path that follows a word, whatever its case: `/vaults/NAME/…` → `NAME`."""
    if not isinstance(value, str):
        return ()
    at = value.lower().find(marker.lower())
    rest = value[at + len(marker) :].split("/", 1)[0] if at >= 0 else ""
    return (rest,) if rest else ()


def _named(value: Scalar, key: str, name: str, then: str) -> Iterable[Scalar]:
    """What an object holds beside a name: `{"Name": "a", "Value": "b"}` → `b` for `a`."""
    if not isinstance(value, dict) or then not in value:
        return ()
    found = value.get(key)
    is_it = isinstance(found, str) and fold(found) == fold(name)
    return members(value[then]) if is_it else ()


def find_key(keys: Collection[str], wanted: str) -> str | None:
    """Return the key that is meant: the same one, else the first that is it in small letters."""
    if wanted in keys:
        return wanted
    small = wanted.lower()
    return next((key for key in keys if key.lower() == small), None)


def _each(value: Scalar) -> Iterable[Scalar]:
    """The members of an array; an array among them stays one."""
    return value if isinstance(value, list) else (value,)


def _item(value: Scalar, at: int) -> Iterable[Scalar]:
    """The member of an array at a position."""
    return value[at : at + 1] if isinstance(value, list) else ()


def _by_name(value: Scalar) -> Iterable[Scalar]:
    """An object of what the members of an array call `name` and `value`, or `boolValue` …"""
    if not isinstance(value, list):
        return ()
    found: dict[str, Json] = {}
    for one in value:
        if isinstance(one, dict) and isinstance(name := one.get("name"), str):
            values = [item for key, item in one.items() if fold(key).endswith("value")]
            found[name] = values[0] if values else None
    return (found,)


def _at(value: Scalar, *keys: str) -> Iterable[Scalar]:
    """The whole value at a path of keys in objects."""
    for wanted in keys:
        key = find_key(value, wanted) if isinstance(value, dict) else None
        if key is None or not isinstance(value, dict):
            return ()
        value = value[key]
    return (value,)


def _parse_json(value: Scalar) -> Iterable[Scalar]:
    if not isinstance(value, str) or value[:1] not in "{[":
        return (value,)
    try:
        parsed, _ = read_value(value)
    except RecordError:
        return (value,)
    return members(parsed)


def _address(value: Scalar) -> Iterable[Scalar]:
    """The address of `address:port` and `[address]:port`."""
    if not isinstance(value, str):
        return ()
    text = value.strip()
    if text.startswith("["):
        text = text[1:].split("]", 1)[0]
    elif text.count(":") == 1:
        text = text.split(":", 1)[0]
    return (text,) if text else ()


def _ip(value: Scalar) -> Iterable[Scalar]:
    """The address, without its port; nothing for what is none."""
    return [text for text in _address(value) if parse_address(str(text)) is not None]


def _geoip(value: Scalar, path: str) -> Iterable[Scalar]:
    """What the databases that a user names hold of an address; nothing without them."""
    return look_up(value, path) if isinstance(value, str) else ()


def _port(value: Scalar) -> Iterable[Scalar]:
    """The port of `address:port` and `[address]:port`."""
    match = _PORT.fullmatch(value.strip()) if isinstance(value, str) else None
    return (int(match[1]),) if match and next(iter(_ip(value)), None) else ()


def _string(value: Scalar) -> Iterable[Scalar]:
    return (value,) if isinstance(value, str) else ()


def _filled(value: Scalar) -> Iterable[Scalar]:
    """The value, unless it is null or empty."""
    return () if value is None or value in ("", [], {}) else (value,)


def _times(value: Scalar, factor: int) -> Iterable[Scalar]:
    return [number * factor for number in number_of(value)]


def _pieces(value: Scalar, separators: str) -> Iterable[Scalar]:
    """The texts between any of some characters, empty ones left out."""
    if not isinstance(value, str):
        return ()
    return [piece for piece in re.split(f"[{re.escape(separators)}]", value) if piece]


def _without(value: Scalar, text: str) -> Iterable[Scalar]:
    return (value.replace(text, ""),) if isinstance(value, str) else ()


def _kebab(value: Scalar) -> Iterable[Scalar]:
    """The words of `oneName` as `one-name`."""
    return (_HUMP.sub("-", value).lower(),) if isinstance(value, str) else ()


def _braces(value: Scalar) -> Iterable[Scalar]:
    """An object as Java writes a map: `{name=ann, tags=[{key=a}]}`; other values as they are."""
    return (_braced(value),) if isinstance(value, dict | list) else (value,)


def _braced(value: Json) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={_braced(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_braced, value)) + "]"
    return "null" if value is None else next(iter(text_of(value)))


def _having(value: Scalar, part: str) -> Iterable[Scalar]:
    """The text, if some other one is part of it."""
    return (value,) if isinstance(value, str) and part in value else ()


def _append(value: Scalar, end: str) -> Iterable[Scalar]:
    return (value + end,) if isinstance(value, str) else ()


def _time(value: Scalar) -> Iterable[Scalar]:
    """A time in UTC with milliseconds."""
    when = read_time(value)
    return (format_time(when),) if when else ()


def _drive(value: Scalar) -> Iterable[Scalar]:
    """A path on a disk's volume as one on drive C:, whichever letter the volume had."""
    return (_VOLUME.sub("C:", value),) if isinstance(value, str) else ()


def _part_of_time(part: Callable[[datetime], int]) -> Function:
    def function(value: Scalar) -> Iterable[Scalar]:
        when = read_time(value)
        return (part(when),) if when else ()

    return function


def members(value: Json) -> Iterable[Json]:
    """Yield the members of an array, however deeply arrays nest; `[]` stands for an empty one."""
    if not isinstance(value, list) or not value:
        yield value
        return
    open_arrays = [iter(value)]
    while open_arrays:
        for item in open_arrays[-1]:
            if isinstance(item, list) and item:
                open_arrays.append(iter(item))
                break
            yield item
        else:
            open_arrays.pop()


def _texts(value: Scalar) -> Iterable[Scalar]:
    return text_of(value)


FUNCTIONS: dict[str, Function] = {
    "text": _texts,
    "leaves": leaf_texts,
    "number": number_of,
    "lower": _lower,
    "upper": _upper,
    "strip": _strip,
    "length": _length,
    "split": _split,
    "after": _after,
    "named": _named,
    "at": _at,
    "each": _each,
    "item": _item,
    "by_name": _by_name,
    "json": _parse_json,
    "address": _address,
    "ip": _ip,
    "port": _port,
    "url": url_part,
    "resource": resource_part,
    "string": _string,
    "filled": _filled,
    "times": _times,
    "pieces": _pieces,
    "without": _without,
    "kebab": _kebab,
    "braces": _braces,
    "having": _having,
    "append": _append,
    "time": _time,
    "drive": _drive,
    "words": words_of,
    "tokens": tokens_of,
    "moment": moment_of,
    "within": _within,
    "geoip": _geoip,
    "minute": _part_of_time(lambda when: when.minute),
    "hour": _part_of_time(lambda when: when.hour),
    "day": _part_of_time(lambda when: when.day),
    "week": _part_of_time(lambda when: when.isocalendar().week),
    "month": _part_of_time(lambda when: when.month),
    "year": _part_of_time(lambda when: when.year),
}


def apply(calls: tuple[Call, ...], values: Iterable[Scalar]) -> list[Scalar]:
    """Run a `via` chain over values; each function sees every value of the one before."""
    return chained(calls)(values)


@lru_cache(maxsize=20_000)
def chained(calls: tuple[Call, ...]) -> Callable[[Iterable[Scalar]], list[Scalar]]:
    """Return a `via` chain as one function of values.

    Beside `FUNCTIONS` there are those of Python (`pure.PURE`), which only lifted rules use.
    """
    functions = [_function(call) for call in calls]
    if len(functions) == 1:
        (function,) = functions
        return lambda values: [result for value in values for result in function(value)]

    def run(values: Iterable[Scalar]) -> list[Scalar]:
        current = list(values)
        for function in functions:
            current = [result for value in current for result in function(value)]
        return current

    return run


def _function(call: Call) -> Callable[[Scalar], Iterable[Scalar]]:
    function, args = FUNCTIONS.get(call.name) or PURE[call.name], call.args
    return (lambda value: function(value, *args)) if args else function


def parse_address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Read an IP address; an IPv4-mapped IPv6 address is the IPv4 address it stands for."""
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def parse_network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """Read a CIDR network; raise `ValueError` if host bits are set or it is none."""
    return ipaddress.ip_network(text.strip())


def quote(text: str) -> str:
    """Quote a string for people, JSON style."""
    return json.dumps(text, ensure_ascii=False)
