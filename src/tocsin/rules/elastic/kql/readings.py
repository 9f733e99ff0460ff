"""What values and bounds mean on a field, by the type that it is mapped as.

A reading makes predicates of one field: `any_of` of alternative values, `bound` of one side of a
range. A value that a type can never hold gives `FALSE` and a warning.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TypeAlias

import re2

from tocsin.condition.evaluate import compile_glob
from tocsin.condition.functions import fold, tokens_of
from tocsin.condition.tree import (
    FALSE,
    Call,
    Condition,
    Field,
    Glob,
    Op,
    Or,
    Predicate,
    Wild,
)
from tocsin.condition.tree import Value as Operand
from tocsin.errors import RuleError
from tocsin.jsontext import parse_number
from tocsin.rules.elastic.kql.addresses import networks_beyond, networks_of
from tocsin.rules.elastic.kql.dates import EPOCH, Rounding, resolve_date
from tocsin.rules.elastic.kql.order import MAX_BOUND, order_regex
from tocsin.rules.elastic.kql.relative import MOMENT, ROUNDINGS, is_relative
from tocsin.rules.elastic.kql.tree import Bare, Constant, Order, Quoted, Value
from tocsin.rules.elastic.kql.types import FieldType

TEXT = (Call("text"),)
LEAVES = (Call("leaves"),)
NUMBER = (Call("number"),)
WORDS = (Call("words"),)
TOKENS = (Call("tokens"),)
EMPTY_ARRAY = "[]"
"""How an empty array reads as text; as a keyword it is no value."""

_OPS = {
    Order.LESS: Op.LESS,
    Order.LESS_OR_EQUAL: Op.LESS_OR_EQUAL,
    Order.GREATER: Op.GREATER,
    Order.GREATER_OR_EQUAL: Op.GREATER_OR_EQUAL,
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A field as a query names it, and what its reading depends on besides the values."""

    name: str
    path: tuple[str, ...]
    now: datetime | None
    """None keeps dates relative, as text; `fix_dates` fixes them."""
    warn: Callable[[str], None]
    """Takes a sentence on a value that never matches, or not as its author may think."""

    def predicate(
        self,
        via: tuple[Call, ...],
        op: Op,
        operands: Iterable[Operand],
        *,
        fold_case: bool = False,
    ) -> Condition:
        """Return a predicate on the field; `FALSE` if there is nothing to compare with."""
        values = tuple(operands)
        return Predicate(Field(self.path, via), op, values, fold_case) if values else FALSE

    def never(self, text: str, reason: str) -> None:
        """Warn that a value cannot match."""
        self.warn(f"{self.name}: {text} {reason}, so it never matches")


AnyOfValues: TypeAlias = Callable[[Asked, Sequence[Value]], Condition]
Bound: TypeAlias = Callable[[Asked, Order, str], Condition]


@dataclass(frozen=True, slots=True)
class Reading:
    """How values and bounds are read on fields of some types."""

    any_of: AnyOfValues
    bound: Bound


def exists(asked: Asked) -> Condition:
    """Return what says that a field has a value: one that is not null and no empty array."""
    return asked.predicate(LEAVES, Op.GLOB, [Glob((Wild.ANY,))])


def text_of(value: Value) -> str:
    """Return the text of a value, wildcards as `*`."""
    if isinstance(value, Quoted):
        return value.text
    if isinstance(value, Constant):
        return {True: "true", False: "false", None: "null"}[value.value]
    return "".join("*" if isinstance(part, Wild) else part for part in value.parts)


def is_wild(value: Value) -> bool:
    """Say whether a value holds a wildcard."""
    return isinstance(value, Bare) and Wild.ANY in value.parts


def _texts(values: Sequence[Value]) -> list[str]:
    return [text_of(value) for value in values if not is_wild(value)]


def _globs(asked: Asked, values: Sequence[Value]) -> list[Glob]:
    wild = [value for value in values if isinstance(value, Bare) and is_wild(value)]
    return [_glob(asked, value.parts) for value in wild]


def _glob(asked: Asked, parts: tuple[str | Wild, ...]) -> Glob:
    glob = Glob(parts)
    try:
        compile_glob(glob, False)  # noqa: FBT003
    except re2.error as error:
        raise RuleError(f"{asked.name}: RE2 cannot run a wildcard value: {error}") from None
    return glob


def _any_keyword(asked: Asked, values: Sequence[Value]) -> Condition:
    texts = _texts(values)
    return Or(
        (
            asked.predicate(TEXT, Op.EQUALS, [one for one in texts if one != EMPTY_ARRAY]),
            asked.predicate(LEAVES, Op.EQUALS, [one for one in texts if one == EMPTY_ARRAY]),
            keyword_globs(asked, _globs(asked, values)),
        )
    )


def keyword_globs(asked: Asked, globs: Sequence[Glob], *, fold_case: bool = False) -> Condition:
    """Return what says that a keyword matches one of some patterns as a whole."""
    special = [glob for glob in globs if compile_glob(glob, fold_case).fullmatch(EMPTY_ARRAY)]
    plain = [glob for glob in globs if glob not in special]
    return Or(
        (
            asked.predicate(TEXT, Op.GLOB, plain, fold_case=fold_case),
            asked.predicate(LEAVES, Op.GLOB, special, fold_case=fold_case),
        )
    )


def _any_leaf(asked: Asked, values: Sequence[Value]) -> Condition:
    return Or(
        (
            asked.predicate(LEAVES, Op.EQUALS, _texts(values)),
            asked.predicate(LEAVES, Op.GLOB, _globs(asked, values)),
        )
    )


def _keyword_bound(asked: Asked, order: Order, text: str) -> Condition:
    if len(text) > MAX_BOUND:
        raise RuleError(f"{asked.name}: the bound of a range has more than {MAX_BOUND} characters")
    if parse_number(text) is not None:
        asked.warn(f"{asked.name}: its values are text, so {order} {text} compares them as text")
    regex = order_regex(text, order)
    return asked.predicate(LEAVES, Op.REGEX, [regex] if regex else [])


def _any_text(asked: Asked, values: Sequence[Value]) -> Condition:
    phrases: list[str] = []
    tokens: list[str] = []
    globs: list[Glob] = []
    for value in values:
        words = list(tokens_of(text_of(value)))
        if is_wild(value):
            globs += _token_glob(asked, value)
        elif not words:
            asked.never(_shown(value), "holds no word")
        elif isinstance(value, Quoted):
            phrases.append(f" {' '.join(words)} ")
        else:
            tokens += words
    return Or(
        (
            asked.predicate(WORDS, Op.CONTAINS, phrases),
            asked.predicate(TOKENS, Op.EQUALS, tokens),
            asked.predicate(TOKENS, Op.GLOB, globs),
        )
    )


def _token_glob(asked: Asked, value: Value) -> list[Glob]:
    parts = value.parts if isinstance(value, Bare) else ()
    texts = [fold(part) for part in parts if isinstance(part, str)]
    if any(list(tokens_of(text)) != [text] for text in texts):
        asked.never(_shown(value), "is more than one word, and is compared with single ones")
        return []
    folded = tuple(fold(part) if isinstance(part, str) else part for part in parts)
    return [_glob(asked, folded)]


def _text_bound(asked: Asked, order: Order, text: str) -> Condition:
    raise RuleError(f"{asked.name} {order} {text}: a range of analysed text is not supported")


def _any_number(asked: Asked, values: Sequence[Value]) -> Condition:
    numbers = (_number(asked, value) for value in values)
    return asked.predicate(NUMBER, Op.EQUALS, [one for one in numbers if one is not None])


def _number(asked: Asked, value: Value) -> int | Decimal | None:
    number = None if is_wild(value) else parse_number(text_of(value))
    if number is None:
        asked.never(_shown(value), "is no number")
    return number


def _number_bound(asked: Asked, order: Order, text: str) -> Condition:
    number = _number(asked, Quoted(text))
    return asked.predicate(NUMBER, _OPS[order], [] if number is None else [number])


_BOOLEANS = {"true": ("true",), "false": ("false", ""), "": ("false", "")}
"""The texts that a boolean field takes for a value; the empty text is false."""


def _any_boolean(asked: Asked, values: Sequence[Value]) -> Condition:
    for value in values:
        if text_of(value) not in _BOOLEANS:
            asked.never(_shown(value), "is neither true nor false")
    texts = [one for value in values for one in _BOOLEANS.get(text_of(value), ())]
    return asked.predicate(TEXT, Op.EQUALS, texts)


def _boolean_bound(asked: Asked, order: Order, text: str) -> Condition:
    raise RuleError(f"{asked.name} {order} {text}: a range of booleans is not supported")


def _any_address(asked: Asked, values: Sequence[Value]) -> Condition:
    found: list[str] = []
    for value in values:
        networks = None if is_wild(value) else networks_of(text_of(value))
        if networks is None:
            asked.never(_shown(value), "is neither an address nor a network")
        found += networks or ()
    return asked.predicate((), Op.CIDR, found)


def _address_bound(asked: Asked, order: Order, text: str) -> Condition:
    networks = networks_beyond(text, order)
    if networks is None:
        asked.never(text, "is no address")
    return asked.predicate((), Op.CIDR, networks or ())


def _any_date(asked: Asked, values: Sequence[Value]) -> Condition:
    return Or(tuple(_date(asked, value) for value in values))


def _date(asked: Asked, value: Value) -> Condition:
    text = text_of(value)
    start = _moment(asked, text, Rounding.DOWN)
    end = _moment(asked, text, Rounding.UP)
    if start is None or end is None:
        asked.never(_shown(value), "is no date")
        return FALSE
    # One value has to lie between the two, not one above the first and another below the second.
    within = Call("within", (start, end))
    return asked.predicate((*MOMENT, within), Op.GREATER_OR_EQUAL, [start])


def _date_bound(asked: Asked, order: Order, text: str) -> Condition:
    when = _moment(asked, text, ROUNDINGS[_OPS[order]])
    if when is None:
        asked.never(text, "is no date")
    return asked.predicate(MOMENT, _OPS[order], [] if when is None else [when])


def _moment(asked: Asked, text: str, rounding: Rounding) -> int | str | None:
    if asked.now is None and is_relative(text):
        return text
    return resolve_date(text, asked.now or EPOCH, rounding)


def _shown(value: Value) -> str:
    return f'"{value.text}"' if isinstance(value, Quoted) else text_of(value)


_KEYWORD = Reading(_any_keyword, _keyword_bound)
_ANALYSED = Reading(_any_text, _text_bound)
_NUMERIC = Reading(_any_number, _number_bound)

READINGS: Mapping[FieldType, Reading] = {
    FieldType.KEYWORD: _KEYWORD,
    FieldType.CONSTANT_KEYWORD: _KEYWORD,
    FieldType.WILDCARD: _KEYWORD,
    FieldType.FLATTENED: Reading(_any_leaf, _keyword_bound),
    FieldType.TEXT: _ANALYSED,
    FieldType.MATCH_ONLY_TEXT: _ANALYSED,
    FieldType.LONG: _NUMERIC,
    FieldType.DOUBLE: _NUMERIC,
    FieldType.BOOLEAN: Reading(_any_boolean, _boolean_bound),
    FieldType.IP: Reading(_any_address, _address_bound),
    FieldType.DATE: Reading(_any_date, _date_bound),
}
