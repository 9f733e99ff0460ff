"""Pure operations on values of Python, by name: what lifted expressions are made of.

Each raises what Python raises. None reads anything but its arguments, and what can be called on a
value is listed: whatever is not in a list cannot be reached.
"""

import base64
import fnmatch
import ipaddress
import json
import operator
import re
import shlex
import urllib.parse
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import cache, lru_cache
from itertools import chain
from string import Formatter
from typing import Any, TypeAlias

from tocsin.python.dates import CALENDAR, epoch
from tocsin.python.views import MappingView, SequenceView
from tocsin.python.walk import deep_get, deep_walk

Operation: TypeAlias = Callable[..., Any]

LARGEST = 1_000_000
"""Longer texts and lists than this are not made."""

TEXT_METHODS = frozenset(
    [
        "capitalize",
        "casefold",
        "count",
        "encode",
        "endswith",
        "find",
        "index",
        "isalnum",
        "isalpha",
        "isascii",
        "isdecimal",
        "isdigit",
        "islower",
        "isnumeric",
        "isprintable",
        "isspace",
        "istitle",
        "isupper",
        "join",
        "lower",
        "lstrip",
        "partition",
        "removeprefix",
        "removesuffix",
        "replace",
        "rfind",
        "rindex",
        "rpartition",
        "rsplit",
        "rstrip",
        "split",
        "splitlines",
        "startswith",
        "strip",
        "swapcase",
        "title",
        "upper",
        "ljust",
        "rjust",
        "center",
        "zfill",
    ]
)
MAPPING_METHODS = frozenset({"get", "keys", "values", "items", "copy"})
_SETS = frozenset(
    [
        "copy",
        "difference",
        "intersection",
        "isdisjoint",
        "issubset",
        "issuperset",
        "symmetric_difference",
        "union",
    ]
)
METHODS: tuple[tuple[type | tuple[type, ...], frozenset[str]], ...] = (
    (str, TEXT_METHODS),
    (bytes, frozenset(name for name in TEXT_METHODS if hasattr(bytes, name)) | {"decode"}),
    (MappingView, MAPPING_METHODS | {"to_dict"}),
    (dict, MAPPING_METHODS),
    (SequenceView, frozenset({"index", "count", "copy"})),
    (list, frozenset({"index", "count", "copy"})),
    (tuple, frozenset({"index", "count"})),
    ((set, frozenset), _SETS),
    (re.Pattern, frozenset({"search", "match", "fullmatch", "findall", "sub", "split"})),
    (re.Match, frozenset({"group", "groups", "groupdict", "start", "end", "span"})),
    (urllib.parse.ParseResult, frozenset({"encode", "geturl"})),
    ((int, float), frozenset({"is_integer", "bit_length"})),
    *CALENDAR,
)
"""What can be called on values of a type; of a subclass as of its class."""

ADDRESS = [
    "is_global",
    "is_link_local",
    "is_loopback",
    "is_multicast",
    "is_private",
    "is_reserved",
    "is_unspecified",
    "version",
    "packed",
    "exploded",
    "compressed",
]
NETWORK = (*ADDRESS, "prefixlen", "num_addresses")
ATTRIBUTES: tuple[tuple[type | tuple[type, ...], frozenset[str]], ...] = (
    (re.Pattern, frozenset({"pattern", "flags", "groups"})),
    (re.Match, frozenset({"string", "lastindex"})),
    ((ipaddress.IPv4Address, ipaddress.IPv6Address), frozenset(ADDRESS)),
    ((ipaddress.IPv4Network, ipaddress.IPv6Network), frozenset(NETWORK)),
    (
        urllib.parse.ParseResult,
        frozenset(
            ["scheme", "netloc", "path", "params", "query", "fragment", "hostname", "username"]
        ),
    ),
    (datetime, frozenset(["year", "month", "day", "hour", "minute", "second", "microsecond"])),
    (date, frozenset({"year", "month", "day"})),
    (timedelta, frozenset({"days", "seconds", "microseconds"})),
)

EXCEPTIONS: Mapping[str, type[BaseException]] = {
    one.__name__: one
    for one in (
        ArithmeticError, AssertionError, AttributeError, BaseException, Exception, IndexError,
        ImportError, KeyError, LookupError, ModuleNotFoundError, NameError, NotImplementedError,
        OverflowError, RuntimeError, StopIteration, TypeError, UnicodeDecodeError,
        UnicodeEncodeError, UnicodeError, ValueError, ZeroDivisionError, OSError,
    )
} | {"JSONDecodeError": json.JSONDecodeError, "binascii.Error": base64.binascii.Error}  # type: ignore[attr-defined]  # fmt: skip


class Missing(Exception):
    """A field is read that is not there; conditions that ask for it are false."""


class TooLarge(Exception):
    """A value would be larger than any that is made here."""


PADDING = frozenset({"ljust", "rjust", "center", "zfill"})
"""Methods that make texts as long as they are asked to."""


def method_of(value: Any, name: str) -> Callable[..., Any]:
    """Return a listed method of a value; raise `AttributeError` if it has none of this name."""
    if name not in _methods_of(value.__class__):
        raise AttributeError(f"{type(value).__name__!r} object has no attribute {name!r}")
    method: Callable[..., Any] = getattr(value, name)
    return method


def _attribute(value: Any, name: str) -> Any:
    if name in _attributes_of(value.__class__):
        return getattr(value, name)
    raise AttributeError(f"{type(value).__name__!r} object has no attribute {name!r}")


@cache
def _methods_of(kind: Any) -> frozenset[str]:
    found = [names for types, names in METHODS if issubclass(kind, types)]
    return frozenset(chain(*found))


@cache
def _attributes_of(kind: Any) -> frozenset[str]:
    found = [names for types, names in ATTRIBUTES if issubclass(kind, types)]
    return frozenset(chain(*found))


_VALUES = (
    str, bytes, bool, int, float, type(None), MappingView, dict, SequenceView, list, tuple, set,
    frozenset, re.Pattern, re.Match, ipaddress.IPv4Address, ipaddress.IPv6Address,
    ipaddress.IPv4Network, ipaddress.IPv6Network, urllib.parse.ParseResult, datetime, date,
    timedelta,
)  # fmt: skip
"""Types of the values that operations give."""


@cache
def is_listed(name: str) -> bool:
    """Say whether a method or attribute is listed for every type that has one of this name."""
    found = [one for one in _VALUES if hasattr(one, name)]
    listed = [
        frozenset().union(
            *(names for types, names in (*METHODS, *ATTRIBUTES) if issubclass(one, types))
        )
        for one in found
    ]
    return bool(found) and all(name in names for names in listed)


def _has_attribute(value: Any, name: str) -> bool:
    return name in _methods_of(value.__class__) or name in _attributes_of(value.__class__)


TYPES: Mapping[str, type | tuple[type, ...]] = {
    "str": str,
    "bytes": bytes,
    "bool": bool,
    "int": int,
    "float": float,
    "list": list,
    "dict": dict,
    "tuple": tuple,
    "set": set,
    "frozenset": frozenset,
    "Mapping": Mapping,
    "Sequence": Sequence,
    "Iterable": Iterable,
    "ImmutableCaseInsensitiveDict": MappingView,
    "ImmutableList": SequenceView,
    "NoneType": type(None),
    "IPv4Address": ipaddress.IPv4Address,
    "IPv6Address": ipaddress.IPv6Address,
    "datetime": datetime,
    "timedelta": timedelta,
}
"""Types that a value can be asked for, by the names that are imported."""


def _is_instance(value: Any, *names: str) -> bool:
    return isinstance(value, tuple(TYPES[name] for name in names))


def _contains(container: Any, item: Any) -> Any:
    return item in container


def _multiply(left: Any, right: Any) -> Any:
    for one, times in ((left, right), (right, left)):
        if isinstance(one, str | bytes | list | tuple) and len(one) * max(times, 1) > LARGEST:
            raise TooLarge("a repeated text or list")
    return left * right


def _power(left: Any, right: Any) -> Any:
    if abs(right) > 64 or abs(left) > 1 << 64:
        raise TooLarge("a power")
    return left**right


def _shift(left: Any, right: Any) -> Any:
    if right > 1024:
        raise TooLarge("a shift")
    return left << right


def _modulo(left: Any, right: Any) -> Any:
    if isinstance(left, str | bytes) and re.search(r"%[^a-z%]*[\d*]{4}", str(left)):
        raise TooLarge("a format")
    return left % right


def _slice(value: Any, start: Any, stop: Any, step: Any) -> Any:
    return value[start:stop:step]


def _unpack(value: Any, count: int) -> tuple[Any, ...]:
    found = tuple(value)
    if len(found) != count:
        raise ValueError(f"{len(found)} values to unpack, expected {count}")
    return found


def _format(value: Any, spec: str, conversion: str) -> str:
    if re.search(r"\d{4}", spec):
        raise TooLarge("a format")
    shown = _CONVERSIONS[conversion](value) if conversion else value
    return format(shown, spec)


_CONVERSIONS: Mapping[str, Callable[[Any], str]] = {"r": repr, "s": str, "a": ascii}


def _format_text(template: str, args: Sequence[Any], named: Mapping[str, Any]) -> str:
    if not isinstance(template, str):
        raise AttributeError("format")
    for _, name, spec, _ in Formatter().parse(template):
        if re.search(r"[.\[]", name or "") or re.search(r"\d{4}|\{", spec or ""):
            raise TooLarge("a format that reaches into its values")
    return template.format(*args, **named)


def _with_item(container: Any, key: Any, value: Any) -> Any:
    changed = container.copy() if isinstance(container, dict | list) else None
    if changed is None:
        raise TypeError(f"{type(container).__name__!r} object does not support item assignment")
    changed[key] = value
    return changed


def _joined(container: Any, *others: Any) -> Any:
    """What `update` and `extend` leave."""
    if isinstance(container, dict):
        changed = container.copy()
        for other in others:
            changed.update(other)
        return changed
    if isinstance(container, set):
        return container.union(*others)
    if isinstance(container, list):
        return [*container, *(item for other in others for item in other)]
    raise AttributeError(type(container).__name__)


def _with_member(container: Any, item: Any) -> Any:
    """What `append` and `add` leave."""
    if isinstance(container, list):
        return [*container, item]
    if isinstance(container, set):
        return container | {item}
    raise AttributeError(type(container).__name__)


def _pattern(text: str, flags: int) -> re.Pattern[str]:
    return re.compile(text, flags)


def _sorted(value: Any, reverse: bool = False) -> list[Any]:  # noqa: FBT001, FBT002
    return sorted(value, reverse=reverse)


def _next(value: Any, *default: Any) -> Any:
    return next(iter(value), *default)


def _iterable(value: Any) -> Any:
    iter(value)
    return value


def _unique_walk(value: Any, default: Any, return_val: str, *keys: Any) -> Any:
    return deep_walk(value, keys, default, return_val)


def _sum(value: Any, *start: Any) -> Any:
    return sum(value, *start)


_loads = lru_cache(maxsize=1_000, typed=True)(json.loads)
_address = lru_cache(maxsize=20_000, typed=True)(ipaddress.ip_address)
"""What several programs read of one text is read once; none can change it."""
_LONG = 10_000
"""Characters of a text of JSON from which on it is read anew each time."""


def _read_json(text: Any) -> Any:
    return _loads(text) if isinstance(text, str) and len(text) < _LONG else json.loads(text)


OPERATIONS: dict[str, Operation] = {
    "attribute": _attribute,
    "hasattr": _has_attribute,
    "isinstance": _is_instance,
    "eq": operator.eq,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
    "is": operator.is_,
    "in": _contains,
    "bool": bool,
    "item": operator.getitem,
    "slice": _slice,
    "unpack": _unpack,
    "add": operator.add,
    "sub": operator.sub,
    "mul": _multiply,
    "truediv": operator.truediv,
    "floordiv": operator.floordiv,
    "mod": _modulo,
    "pow": _power,
    "lshift": _shift,
    "rshift": operator.rshift,
    "and": operator.and_,
    "or": operator.or_,
    "xor": operator.xor,
    "neg": operator.neg,
    "pos": operator.pos,
    "invert": operator.invert,
    "format": _format,
    "format_text": _format_text,
    "with_item": _with_item,
    "joined": _joined,
    "with_member": _with_member,
    "deep_get": lambda value, default, *keys: deep_get(value, keys, default),
    "deep_walk": _unique_walk,
    "text": lambda *parts: "".join(parts),
    "len": len,
    "str": str,
    "repr": repr,
    "int": int,
    "float": float,
    "abs": abs,
    "round": round,
    "list": list,
    "tuple": tuple,
    "set": set,
    "frozenset": frozenset,
    "dict": dict,
    "sorted": _sorted,
    "reversed": lambda value: list(reversed(value)),
    "enumerate": lambda value, *start: list(enumerate(value, *start)),
    "zip": lambda *values: list(zip(*values, strict=False)),
    "range": lambda *bounds: _range(*bounds),
    "min": min,
    "max": max,
    "sum": _sum,
    "ord": ord,
    "chr": chr,
    "hex": hex,
    "divmod": divmod,
    "next": _next,
    "iterable": _iterable,
    "pattern": _pattern,
    "json.loads": _read_json,
    "json.dumps": lambda value, *named: json.dumps(value, **dict(*named)),
    "ip_address": _address,
    "IPv4Address": ipaddress.IPv4Address,
    "IPv6Address": ipaddress.IPv6Address,
    "ip_network": lambda value, strict=True: ipaddress.ip_network(value, strict=strict),
    "fnmatch": fnmatch.fnmatch,
    "fnmatchcase": fnmatch.fnmatchcase,
    "shlex.split": shlex.split,
    "b64decode": lambda value, validate=False: base64.b64decode(value, validate=validate),
    "b32decode": base64.b32decode,
    "urlparse": urllib.parse.urlparse,
    "parse_qs": urllib.parse.parse_qs,
    "unquote": urllib.parse.unquote,
    "quote": urllib.parse.quote,
    "re.escape": re.escape,
    "epoch": epoch,
    "fromisoformat": datetime.fromisoformat,
    "strptime": datetime.strptime,
    "timedelta": lambda named: timedelta(**dict(named)),
}


def _range(*bounds: int) -> list[int]:
    found = range(*bounds)
    if len(found) > LARGEST:
        raise TooLarge("a range")
    return list(found)
