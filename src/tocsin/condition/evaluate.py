"""Evaluate a condition on one event: the reading behind identification, `explain` and alerts.

The engine evaluates the same conditions on columns; a differential test holds the two together.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import TypeAlias

import re2

from tocsin.condition.functions import Scalar, fold, parse_address, parse_network
from tocsin.condition.tree import (
    And,
    AnyElement,
    Condition,
    Field,
    FieldsCompare,
    Glob,
    Not,
    Op,
    Or,
    Predicate,
    Regex,
    Value,
    Wild,
)
from tocsin.jsontext import Number

Read: TypeAlias = Callable[[Field], "list[Scalar] | None"]
"""Reads a field, `via` included: its values, or None if it is absent."""

Elements: TypeAlias = Callable[[tuple[str, ...]], Iterable[Read]]
"""Reads an array of objects: one reader per object."""

Test: TypeAlias = Callable[[Scalar], bool]


@dataclass(frozen=True, slots=True)
class Found:
    """A predicate that holds, and the value it holds for (None where it asks for absence)."""

    predicate: Predicate | FieldsCompare
    value: Scalar


def no_elements(_: tuple[str, ...]) -> Iterable[Read]:
    """Stand in where no condition can hold an `AnyElement`."""
    return ()


def holds(condition: Condition, read: Read, elements: Elements = no_elements) -> bool:
    """Say whether a condition is true on one event."""
    match condition:
        case Predicate():
            return bool(find(condition, read))
        case FieldsCompare():
            return bool(_find_pair(condition, read))
        case And(parts):
            return all(holds(part, read, elements) for part in parts)
        case Or(parts):
            return any(holds(part, read, elements) for part in parts)
        case Not(part):
            return not holds(part, read, elements)
        case AnyElement(path, inner):
            return any(holds(inner, element) for element in elements(path))


def explain(
    condition: Condition, read: Read, elements: Elements = no_elements
) -> list[Found] | None:
    """Return the predicates that make a condition true, with what each found; None if it is not."""
    match condition:
        case Predicate():
            return find(condition, read) or None
        case FieldsCompare():
            return _find_pair(condition, read) or None
        case And(parts):
            found: list[Found] = []
            for part in parts:
                of_part = explain(part, read, elements)
                if of_part is None:
                    return None
                found += of_part
            return found
        case Or(parts):
            alternatives = [explain(part, read, elements) for part in parts]
            held = [one for one in alternatives if one is not None]
            return [one for of in held for one in of] if held else None
        case Not() | AnyElement():
            return [] if holds(condition, read, elements) else None


def find(predicate: Predicate, read: Read) -> list[Found]:
    """Return the first value a predicate holds for, or nothing."""
    values = read(predicate.field)
    if values is None:
        return []
    if predicate.op is Op.EXISTS:
        return [Found(predicate, values[0] if values else None)]
    test = compile_test(predicate.op, predicate.values, predicate.fold_case)
    return next(([Found(predicate, value)] for value in values if test(value)), [])


def _find_pair(compare: FieldsCompare, read: Read) -> list[Found]:
    left, right = read(compare.left), read(compare.right)
    for wanted in operands(right or ()):
        test = compile_test(compare.op, (wanted,), compare.fold_case)
        for value in left or ():
            if test(value):
                return [Found(compare, value)]
    return []


def operands(values: Iterable[Scalar]) -> Iterator[str | bool | int | Decimal]:
    """Yield the values that another field can be compared with, numbers by what they are."""
    for value in values:
        number = as_number(value)
        if number is not None:
            yield number
        elif isinstance(value, str | bool):
            yield value


def compile_test(op: Op, values: tuple[Value, ...], fold_case: bool) -> Test:  # noqa: FBT001
    """Make the test of an operator with these operands for one value."""
    return _compile_test(op, values, fold_case, tuple(map(type, values)))


@lru_cache(maxsize=100_000)
def _compile_test(
    op: Op,
    values: tuple[Value, ...],
    fold_case: bool,  # noqa: FBT001
    _: tuple[type, ...],
) -> Test:
    """Compile a test; the types are there so that the cache tells 1 from true."""
    if op is Op.IS_NULL:
        return lambda value: value is None
    if op is Op.EQUALS:
        return _equality(values, fold_case=fold_case)
    if op in _ORDER:
        compare = _ORDER[op]
        bounds = [bound for value in values if (bound := as_number(value)) is not None]
        return lambda value: (
            (number := as_number(value)) is not None
            and any(compare(number, bound) for bound in bounds)
        )
    if op is Op.CIDR:
        networks = [parse_network(str(value)) for value in values]
        return lambda value: (
            isinstance(value, str)
            and (address := parse_address(value)) is not None
            and any(address in network for network in networks)
        )
    if op is Op.REGEX:
        patterns = [compile_regex(value) for value in values if isinstance(value, Regex)]
        return lambda value: isinstance(value, str) and any(p.search(value) for p in patterns)
    return _text_test(op, values, fold_case=fold_case)


def _text_test(op: Op, values: tuple[Value, ...], *, fold_case: bool) -> Test:
    if op is Op.GLOB:
        globs = [compile_glob(value, fold_case) for value in values if isinstance(value, Glob)]
        return lambda value: (
            isinstance(value, str)
            and any(glob.fullmatch(fold(value) if fold_case else value) for glob in globs)
        )
    texts = tuple(fold(value) if fold_case else value for value in values if isinstance(value, str))
    if op is Op.STARTSWITH:
        return lambda value: isinstance(value, str) and _cased(value, fold_case).startswith(texts)
    if op is Op.ENDSWITH:
        return lambda value: isinstance(value, str) and _cased(value, fold_case).endswith(texts)

    def contains(value: Scalar) -> bool:
        if not isinstance(value, str):
            return False
        cased = _cased(value, fold_case)
        return any(text in cased for text in texts)

    return contains


def _cased(text: str, fold_case: bool) -> str:  # noqa: FBT001
    return fold(text) if fold_case else text


def _equality(values: tuple[Value, ...], *, fold_case: bool) -> Test:
    texts = {_cased(value, fold_case) for value in values if isinstance(value, str)}
    booleans = {value for value in values if isinstance(value, bool)}
    numbers = {number for value in values if (number := as_number(value)) is not None}

    def equals(value: Scalar) -> bool:
        if isinstance(value, str):
            return _cased(value, fold_case) in texts
        if isinstance(value, bool):
            return value in booleans
        return as_number(value) in numbers

    return equals


def as_number(value: "Scalar | Value") -> int | Decimal | None:
    """Return the number a value is; None for text, booleans and everything else."""
    if isinstance(value, Number):
        return value.value()
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return value
    return None


_ORDER: dict[Op, Callable[[int | Decimal, int | Decimal], bool]] = {
    Op.LESS: lambda a, b: a < b,
    Op.LESS_OR_EQUAL: lambda a, b: a <= b,
    Op.GREATER: lambda a, b: a > b,
    Op.GREATER_OR_EQUAL: lambda a, b: a >= b,
}


def regex_text(regex: Regex) -> str:
    """Return the RE2 text of a regex with its flags inline."""
    return f"(?{regex.flags}){regex.pattern}" if regex.flags else regex.pattern


def glob_text(glob: Glob) -> str:
    r"""Return the RE2 text that finds a glob; anchor it by `fullmatch` or `\A…\z`."""
    wild = {Wild.ANY: ".*", Wild.ONE: "."}
    parts = [wild[p] if isinstance(p, Wild) else re2.escape(p) for p in glob.parts]
    return "(?s)" + "".join(parts)


@lru_cache(maxsize=10_000)
def compile_regex(regex: Regex) -> "re2._Regexp":
    """Compile a regex; raises `re2.error` if RE2 cannot."""
    return re2.compile(regex_text(regex), regex_options())


@lru_cache(maxsize=10_000)
def compile_glob(glob: Glob, fold_case: bool) -> "re2._Regexp":  # noqa: FBT001
    """Compile a glob; with `fold_case` it is to be matched against folded text."""
    parts = tuple(
        fold(part) if fold_case and not isinstance(part, Wild) else part for part in glob.parts
    )
    return re2.compile(glob_text(Glob(parts)), regex_options())


def regex_options() -> "re2.Options":
    """Return RE2 options that keep quiet: errors are ours to report."""
    options = re2.Options()
    options.log_errors = False
    return options
