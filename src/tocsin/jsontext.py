"""The one reading of JSON that every part of Tocsin shares.

An attacker writes parts of most records, so a record is read whenever it can be:

* Strict JSON (RFC 8259) reads as such. Number text is kept (`Number`): `1.0`, `1e5` and integers
  of any length stay what they were.
* A key that occurs more than once reads as an array of its values, so any of them can match.
* `NaN`, `Infinity`, trailing commas, raw control characters, unknown escapes, lone surrogates and
  invalid UTF-8 are *repaired* (the last two to U+FFFD); `Record.repaired` says so.
* A record nested deeper than `MAX_DEPTH`, longer than `MAX_BYTES`, or whose top is not an object
  is refused with `RecordError`.

The projection (DuckDB) reads the text itself; what it cannot read is rewritten by `read` and
`compact` first. A differential test holds all readings together.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from tocsin.errors import RecordError

MAX_DEPTH = 512
MAX_BYTES = 16 * 1024 * 1024

TOO_LONG = f"longer than {MAX_BYTES >> 20} MiB"
TOO_DEEP = f"nested deeper than {MAX_DEPTH}"
REPLACEMENT = "\ufffd"


@dataclass(frozen=True, slots=True)
class Number:
    """A JSON number, kept as the text it was written in."""

    text: str

    def value(self) -> int | Decimal | None:
        """Return the exact value; None for NaN and the infinities."""
        return parse_number(self.text)


Json: TypeAlias = "bool | str | Number | list[Json] | dict[str, Json] | None"


@dataclass(frozen=True, slots=True)
class Record:
    """A record that could be read, and whether its text had to be repaired for that."""

    value: dict[str, Json]
    repaired: bool


def parse_number(text: str) -> int | Decimal | None:
    """Return the exact number a text stands for: an `int` where it is integral, else `Decimal`.

    None if it is no finite decimal number. Exponents beyond ±1000 stay `Decimal`, so a short text
    never becomes a huge integer.
    """
    match = _NUMBER.fullmatch(text)
    if not match:
        return None
    if match["rest"] == "" and len(text) <= 1000:
        return int(text)
    number = Decimal(text)
    if abs(number.adjusted()) <= 1000 and number == number.to_integral_value():
        return int(number)
    return number


_NUMBER = re.compile(
    r"[+-]?(?:\d+(?P<rest>\.?\d*(?:[eE][+-]?\d{1,6})?)|\.\d+(?:[eE][+-]?\d{1,6})?)", re.ASCII
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_TOKEN = re.compile(
    r'"(?:[^"\\]++|\\.)*+"'
    r"|,(?=\s*[}\]])"
    r"|(?<![\w.])[+-]?(?:nan|infinity|inf)(?![\w.])",
    re.DOTALL | re.IGNORECASE,
)
_BAD_ESCAPE = re.compile(r'(?:\\(?:u[0-9a-fA-F]{4}|["\\/bfnrt]))++|\\(.)', re.DOTALL)
_BRACKET = re.compile(r'"(?:[^"\\]++|\\.)*+"|[\[{]|[\]}]', re.DOTALL)


def read(text: bytes | str) -> Record:
    """Read one record: the top-level object of `text`; raise `RecordError` with the reason."""
    value, repaired = read_value(text)
    if not isinstance(value, dict):
        raise RecordError(f"the top level is {_kind(value)}, not an object")
    return Record(value, repaired)


def read_value(text: bytes | str) -> tuple[Json, bool]:
    """Read any JSON value; return it and whether the text had to be repaired."""
    if len(text) > MAX_BYTES:
        raise RecordError(TOO_LONG)
    repaired = False
    if isinstance(text, bytes):
        data = text
        try:
            text = data.decode()
        except UnicodeDecodeError:
            text, repaired = data.decode(errors="replace"), True
    if nested_too_deep(text):
        raise RecordError(TOO_DEEP)
    try:
        value: Json = _STRICT.decode(text)
    except ValueError:
        value, repaired = _read_tolerantly(text), True
    if "\\u" in text.lower() and _holds_surrogate(value):
        return _replace_surrogates(value), True
    return value, repaired


def _read_tolerantly(text: str) -> Json:
    try:
        value: Json = _TOLERANT.decode(_TOKEN.sub(_repair_token, text))
    except ValueError as error:
        raise RecordError(f"not JSON: {error}") from None
    return value


def _repair_token(match: re.Match[str]) -> str:
    token = match[0]
    if token == ",":
        return ""
    if token.startswith('"'):
        return _BAD_ESCAPE.sub(lambda escape: "\\" + escape[0] if escape[1] else escape[0], token)
    sign = "-" if token.startswith("-") else ""
    return "NaN" if "a" in token.lower() else f"{sign}Infinity"


def _merge_pairs(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    value = dict(pairs)
    if len(value) == len(pairs):
        return value
    value = {}
    repeated: set[str] = set()
    for key, item in pairs:
        if key not in value:
            value[key] = item
            continue
        seen = value[key]
        members = seen if key in repeated and isinstance(seen, list) else _members(seen)
        value[key] = [*members, *_members(item)]
        repeated.add(key)
    return value


def _members(value: Json) -> list[Json]:
    return value if isinstance(value, list) else [value]


def _refuse_constant(text: str) -> Json:
    raise ValueError(text)


def _integer(text: str) -> Number:
    """Keep an integer's text; that of minus zero is `0`, as every other reader has it."""
    return Number("0" if text == "-0" else text)


_STRICT = json.JSONDecoder(
    object_pairs_hook=_merge_pairs,
    parse_int=_integer,
    parse_float=Number,
    parse_constant=_refuse_constant,
)
_TOLERANT = json.JSONDecoder(
    object_pairs_hook=_merge_pairs,
    parse_int=_integer,
    parse_float=Number,
    parse_constant=Number,
    strict=False,
)


def nested_too_deep(text: str) -> bool:
    """Say whether arrays and objects in `text` nest deeper than `MAX_DEPTH`."""
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return False
    depth = 0
    for match in _BRACKET.finditer(text):
        if match[0] in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                return True
        elif match[0] in "]}":
            depth -= 1
    return False


def valid_text(text: str) -> str:
    """Return text that can be encoded: lone surrogates become U+FFFD."""
    return text if text.isascii() else _SURROGATE.sub(REPLACEMENT, text)


def _holds_surrogate(value: Json) -> bool:
    rest = [value]
    while rest:
        item = rest.pop()
        if isinstance(item, str):
            if not item.isascii() and _SURROGATE.search(item):
                return True
        elif isinstance(item, list):
            rest += item
        elif isinstance(item, dict):
            rest += [*item, *item.values()]
    return False


def _replace_surrogates(value: Json) -> Json:
    """Replace them by `map`: a comprehension would take two frames per level of the deepest."""
    if isinstance(value, str):
        return valid_text(value)
    if isinstance(value, list):
        return list(map(_replace_surrogates, value))
    if isinstance(value, dict):
        items = map(_replace_surrogates, value.values())
        return _merge_pairs(list(zip(map(valid_text, value), items, strict=True)))
    return value


def _kind(value: Json) -> str:
    if isinstance(value, list):
        return "an array"
    return "null" if value is None else f"a {type(value).__name__.lower().replace('str', 'string')}"


def standard(value: Json) -> Json:
    """Return a value that standard JSON can write: NaN and the infinities become text."""
    if isinstance(value, Number):
        return value.text if value.text in _NO_NUMBERS else value
    if isinstance(value, list):
        return [standard(item) for item in value]
    if isinstance(value, dict):
        return {key: standard(item) for key, item in value.items()}
    return value


_NO_NUMBERS = {"NaN", "Infinity", "-Infinity"}
_escape = json.encoder.encode_basestring


def compact(value: Json) -> str:
    """Write JSON without spaces, keys in document order, number text kept, UTF-8 unescaped."""
    return _write(value, _as_they_stand)


def canonical(value: Json) -> bytes:
    """Write JSON for a digest: as `compact`, with the keys of every object sorted."""
    return _write(value, sorted).encode()


def _as_they_stand(keys: Iterable[str]) -> Iterable[str]:
    return keys


def _write(value: Json, order: Callable[[Iterable[str]], Iterable[str]]) -> str:
    """Write a value in loops: comprehensions would take two frames per level of the deepest."""
    if isinstance(value, str):
        return _escape(value)
    if isinstance(value, Number):
        return value.text
    parts: list[str] = []
    if isinstance(value, dict):
        for key in order(value):
            item = value[key]
            text = _escape(item) if isinstance(item, str) else _write(item, order)
            parts.append(f"{_escape(key)}:{text}")
        return f"{{{','.join(parts)}}}"
    if isinstance(value, list):
        for item in value:
            parts.append(_write(item, order))  # noqa: PERF401
        return f"[{','.join(parts)}]"
    return "null" if value is None else "true" if value else "false"


def leaves(value: Json) -> Iterator[str | bool | Number]:
    """Yield every scalar below `value`, depth first; nulls and keys are left out."""
    if isinstance(value, dict):
        for item in value.values():
            yield from leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item)
    elif value is not None:
        yield value
