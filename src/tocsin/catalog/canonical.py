"""A rule's condition as it is about one shape of a log type, under names that all rules share.

What a vocabulary says of a field is worked into the predicates: tables are looked up, constants
decided, functions that only change letters become a comparison that ignores case. So conditions of
several languages can be compared part by part. Values are taken to be single texts or numbers: how
a language reads objects and empty arrays is left out of account.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from tocsin.catalog.places import FILLED, Places, opened, reduced
from tocsin.condition.evaluate import compile_test, holds
from tocsin.condition.functions import apply, fold, parse_address
from tocsin.condition.simplify import simplify, substitute
from tocsin.condition.tree import (
    FALSE,
    TRUE,
    And,
    AnyElement,
    Call,
    Condition,
    Field,
    FieldsCompare,
    Glob,
    Leaf,
    Not,
    Op,
    Or,
    Predicate,
    Regex,
    Value,
    Wild,
)
from tocsin.logs.logtype import EVERY_EVENT, Variant
from tocsin.logs.mapping import All, Const, Expr, First, Table, Via

TEXT_OPS = frozenset({Op.EQUALS, Op.CONTAINS, Op.STARTSWITH, Op.ENDSWITH, Op.GLOB, Op.REGEX})
FOLDED_OPS = TEXT_OPS - {Op.REGEX}
ANY_TEXT = Glob((Wild.ANY,))
SOME_TEXT = Glob((Wild.ONE, Wild.ANY))
_READINGS = frozenset({"text", "string", "leaves", "filled"})
"""Functions that say how a language reads values, and leave single texts as they are."""

_CASES: Mapping[str, Callable[[str], str]] = {
    "lower": fold,
    "upper": str.upper,
    "str.lower": str.lower,
    "str.casefold": str.casefold,
    "str.upper": str.upper,
}
_STRIPS = (Call("str.strip"), Call("str.lstrip"), Call("str.rstrip"))


def canonical(
    condition: Condition, places: Places, vocabulary: str, variant: Variant = EVERY_EVENT
) -> Condition:
    """Return a condition of a vocabulary over the shared names of a shape."""
    return simplify(_Canonical(places, vocabulary, variant).condition(condition))


@dataclass(frozen=True, slots=True)
class _Canonical:
    places: Places
    vocabulary: str
    variant: Variant

    def condition(self, condition: Condition) -> Condition:
        match condition:
            case And(parts):
                return And(tuple(map(self.condition, parts)))
            case Or(parts):
                return Or(tuple(map(self.condition, parts)))
            case Not(part):
                return Not(self.condition(part))
            case Predicate(field):
                if not field.path:
                    return plain(condition)
                expr = self.places.expression(self.vocabulary, field, self.variant)
                return self.predicate(expr, field.via, condition)
            case FieldsCompare(left, op, right, fold_case):
                return FieldsCompare(self.field(left), op, self.field(right), fold_case)
            case AnyElement(path, inner):
                name = self.field(Field(path)).path
                return AnyElement(name, _inner(inner))

    def field(self, field: Field) -> Field:
        """Return a field that is compared with another one."""
        expr = self.places.expression(self.vocabulary, field, self.variant)
        expr, before = opened(expr)
        calls = tuple(call for call in before + field.via if call.name not in _READINGS)
        return Field((self.places.exact_name(expr),), calls)

    def predicate(self, expr: Expr, via: tuple[Call, ...], asked: Predicate) -> Condition:
        """Bring a predicate on an expression to predicates on what it reads."""
        match expr:
            case Via(of, calls):
                return self.predicate(of, calls + via, asked)
            case Const(value):
                found = apply(via, [value])
                return TRUE if holds(replace(asked, field=_HERE), lambda _: found) else FALSE
            case All(parts):
                return Or(tuple(self.predicate(reduced(part), via, asked) for part in parts))
            case Table() if (looked_up := _looked_up(expr, via, asked)) is not None:
                return Or(tuple(self.predicate(reduced(expr.of), (), one) for one in looked_up))
            case First(()):
                return FALSE
        name = self.places.exact_name(expr)
        return plain(replace(asked, field=Field((name,), via)))


_HERE = Field(())


def _inner(condition: Condition) -> Condition:
    """Bring the predicates on one element to their plain form; their fields start there."""
    match condition:
        case And(parts):
            return And(tuple(map(_inner, parts)))
        case Or(parts):
            return Or(tuple(map(_inner, parts)))
        case Not(part):
            return Not(_inner(part))
        case Predicate():
            return plain(condition)
        case _:
            return condition


def _looked_up(table: Table, via: tuple[Call, ...], asked: Predicate) -> list[Predicate] | None:
    """Return what a predicate on a table's results asks of the texts it is looked up by.

    None where that cannot be said as predicates.
    """
    if asked.op not in FOLDED_OPS:
        return None
    test = compile_test(asked.op, asked.values, asked.fold_case)
    rows = {fold(key): any(map(test, apply(via, results))) for key, results in table.rows}
    named = tuple(key for key, result in rows.items() if result)
    found = [Predicate(_HERE, Op.EQUALS, named, fold_case=True)] if named else []
    if table.default is not None:
        return None if any(map(test, apply(via, table.default))) else found
    rest = _outside(asked, rows.keys())
    if rest is None or any(call.name not in _READINGS for call in via):
        return None
    return found + rest


def _outside(asked: Predicate, keys: Iterable[str]) -> list[Predicate] | None:
    """Return what a predicate asks of texts that no row of a table names."""
    if asked.op is Op.EQUALS:
        values = tuple(v for v in asked.values if not (isinstance(v, str) and fold(v) in keys))
        return [replace(asked, field=_HERE, values=values)] if values else []
    return None if keys else [replace(asked, field=_HERE)]


@lru_cache(maxsize=200_000)
def _plain(predicate: Predicate, _: tuple[type, ...]) -> Condition:
    field, op = predicate.field, predicate.op
    if op in {Op.EXISTS, Op.IS_NULL}:
        return replace(predicate, field=Field(field.path), values=(), fold_case=False)
    via = tuple(call for call in field.via if call.name not in _READINGS)
    filled = FILLED in field.via
    if via and via[-1].name == "address" and _only_addresses(predicate):
        via = (*via[:-1], Call("ip"))
    if any(call.name == "ip" for call in via):
        via = tuple(call for call in via if call.name != "address")
    if op in TEXT_OPS and ANY_TEXT in predicate.values:
        return Predicate(Field(field.path, via), Op.GLOB, (SOME_TEXT if filled else ANY_TEXT,))
    if op is Op.EQUALS and filled and "" in predicate.values:
        predicate = replace(predicate, values=tuple(v for v in predicate.values if v != ""))
        if not predicate.values:
            return FALSE
    predicate = replace(predicate, field=Field(field.path, _case_last(via)))
    via = predicate.field.via
    if op in FOLDED_OPS and via and via[-1].name in _CASES and _is_plain_case(predicate):
        return _without_case(predicate)
    return _folded(predicate)


def _case_last(via: tuple[Call, ...]) -> tuple[Call, ...]:
    """Return functions with one that changes case behind those that cut off white space."""
    *before, last = via or (None,)
    if last not in _STRIPS or not before or before[-1] is None or before[-1].name not in _CASES:
        return via
    return (*_case_last((*before[:-1], last)), before[-1])


def _is_plain_case(predicate: Predicate) -> bool:
    """Say whether a change of case is as good as ignoring it: Python's own is for ASCII only."""
    texts = (
        part
        for value in predicate.values
        for part in (value.parts if isinstance(value, Glob) else (value,))
        if isinstance(part, str)
    )
    return not predicate.field.via[-1].name.startswith("str.") or all(map(str.isascii, texts))


def _only_addresses(predicate: Predicate) -> bool:
    """Say whether only an address can meet a comparison."""
    if predicate.op is not Op.EQUALS:
        return predicate.op is Op.CIDR
    return all(isinstance(v, str) and parse_address(v) is not None for v in predicate.values)


def plain(predicate: Predicate) -> Condition:
    """Return a predicate in the one form that all with its meaning have."""
    return _plain(predicate, tuple(map(type, predicate.values)))


def without_case(condition: Condition) -> Condition:
    """Return a canonical condition as if no comparison minded the case of letters."""
    return simplify(substitute(condition, _ignoring_case))


def _ignoring_case(leaf: Leaf) -> Condition:
    if isinstance(leaf, Predicate):
        return plain(replace(leaf, fold_case=True)) if leaf.op in FOLDED_OPS else leaf
    return replace(leaf, fold_case=True)


def _without_case(predicate: Predicate) -> Condition:
    """Turn a comparison of changed letters into one that ignores case."""
    *via, last = predicate.field.via
    change = _CASES[last.name]
    kept = (
        predicate.values
        if predicate.fold_case
        else tuple(value for value in predicate.values if _changed(value, change) == value)
    )
    if not kept:
        return FALSE
    bare = replace(predicate, field=Field(predicate.field.path, tuple(via)), values=kept)
    return plain(replace(bare, fold_case=True))


def _changed(value: Value, change: Callable[[str], str]) -> Value:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Glob):
        return Glob(tuple(p if isinstance(p, Wild) else change(p) for p in value.parts))
    return value


def _folded(predicate: Predicate) -> Condition:
    """Fold the values of a comparison that ignores case, and order all values."""
    values = predicate.values
    fold_case = predicate.fold_case and predicate.op in FOLDED_OPS
    if fold_case:
        values = tuple(_changed(value, fold) for value in values)
        fold_case = any(_has_case(value) for value in values)
    if predicate.op is Op.GLOB:
        return simplify(
            Or(
                tuple(
                    _glob(replace(predicate, values=tuple(some), fold_case=fold_case))
                    for some in _by_form(values)
                )
            )
        )
    return replace(predicate, values=_ordered(values), fold_case=fold_case)


def _by_form(values: Sequence[Value]) -> list[list[Value]]:
    forms: dict[Op, list[Value]] = {}
    for value in values:
        forms.setdefault(_form(value)[0], []).append(value)
    return list(forms.values())


def _glob(predicate: Predicate) -> Condition:
    op = _form(predicate.values[0])[0]
    values = tuple(_form(value)[1] for value in predicate.values)
    return replace(predicate, op=op, values=_ordered(values))


def _form(value: Value) -> tuple[Op, Value]:
    """Return the plainest operator for a pattern, and its value there."""
    match value:
        case Glob(()):
            return Op.EQUALS, ""
        case Glob((str(text),)):
            return Op.EQUALS, text
        case Glob((Wild.ANY, str(text), Wild.ANY)):
            return Op.CONTAINS, text
        case Glob((str(text), Wild.ANY)):
            return Op.STARTSWITH, text
        case Glob((Wild.ANY, str(text))):
            return Op.ENDSWITH, text
        case _:
            return Op.GLOB, value


def _ordered(values: Iterable[Value]) -> tuple[Value, ...]:
    distinct = {(type(value), value): value for value in values}
    return tuple(sorted(distinct.values(), key=lambda value: (type(value).__name__, repr(value))))


def _has_case(value: Value) -> bool:
    texts: Sequence[object] = value.parts if isinstance(value, Glob) else (value,)
    return any(isinstance(text, str) and text.upper() != fold(text) for text in texts)


def is_caseless(value: Value) -> bool:
    """Say whether a value holds no letter that has a case."""
    return not isinstance(value, Regex) and not _has_case(value)
