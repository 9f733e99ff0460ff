"""What a comparison of a value says of that which functions make of it.

Lifted rules ask for the kind and the truth of values (`condition/pure.py`); a value that is equal
to a text is a text. Programs (`python`) are left undecided.
"""

from collections.abc import Iterable

from tocsin.catalog.canonical import ANY_TEXT, SOME_TEXT, TEXT_OPS
from tocsin.condition.evaluate import compile_test
from tocsin.condition.functions import Scalar, apply
from tocsin.condition.tree import Call, Field, Glob, Op, Predicate, Value, Wild
from tocsin.jsontext import Number

KIND, TRUTH, NUMBER = Call("kind"), Call("truth"), Call("as_number")
_CASELESS = frozenset({KIND, TRUTH})
_BOUNDS = frozenset({Op.LESS, Op.LESS_OR_EQUAL, Op.GREATER, Op.GREATER_OR_EQUAL})
_NUMBERS = frozenset({"integer", "float"})


def says_through(one: Predicate, other: Predicate) -> bool:
    """Say whether a predicate implies one on what further functions make of the same values."""
    if (known := _before_text(one)) is not None and other.field.via in {(KIND,), (TRUTH,)}:
        one = known
    calls = _further(one, other)
    if calls is None:
        return False
    if one.op is Op.EQUALS and (not one.fold_case or _CASELESS.issuperset(calls)):
        return all(_meets(value, calls, other) for value in one.values)
    if other.op is Op.EQUALS and calls == (KIND,):
        return _kinds(one).issubset(other.values)
    return calls == (TRUTH,) and _is_true(one) and _asks_truth(other, truth=True)


def excludes(one: Predicate, other: Predicate) -> bool:
    """Say whether no single value meets both predicates."""
    if one.field.path != other.field.path or Op.EXISTS in {one.op, other.op}:
        return False
    if one.op is Op.IS_NULL or other.op is Op.IS_NULL:
        return _excludes_null(other if one.op is Op.IS_NULL else one)
    return _excludes(one, other) or _excludes(other, one)


def _excludes_null(predicate: Predicate) -> bool:
    if predicate.op is Op.IS_NULL or not _is_decided(predicate.field.via):
        return False
    test = compile_test(predicate.op, predicate.values, predicate.fold_case)
    return not any(map(test, apply(predicate.field.via, [None])))


def _excludes(one: Predicate, other: Predicate) -> bool:
    if (known := _before_text(one)) is not None and other.field.via in {(KIND,), (TRUTH,)}:
        one = known
    calls = () if one.field.via == other.field.via else _further(one, other)
    if calls is None:
        return False
    if one.op is Op.EQUALS and (
        not one.fold_case or other.fold_case or (calls and _CASELESS.issuperset(calls))
    ):
        return not any(_meets(value, calls, other) for value in one.values)
    if other.op is Op.EQUALS and calls == (KIND,):
        return _kinds(one).isdisjoint(other.values)
    return calls == (TRUTH,) and _is_true(one) and _asks_truth(other, truth=False)


def _further(one: Predicate, other: Predicate) -> tuple[Call, ...] | None:
    """Return the functions that one predicate's values go through after those of another."""
    own, calls = one.field.via, other.field.via
    rest = calls[len(own) :]
    return rest if rest and calls[: len(own)] == own and _is_decided(rest) else None


def _is_decided(calls: Iterable[Call]) -> bool:
    return all(call.name != "python" for call in calls)


def _meets(value: Value, calls: tuple[Call, ...], asked: Predicate) -> bool:
    test = compile_test(asked.op, asked.values, asked.fold_case)
    return any(map(test, apply(calls, [_scalar(value)])))


def _scalar(value: Value) -> Scalar:
    if isinstance(value, str | bool):
        return value
    return Number(str(value))


def _before_text(predicate: Predicate) -> Predicate | None:
    """Return what is known of the text that a function of texts was given."""
    via = predicate.field.via
    if not via or not via[0].name.startswith("str."):
        return None
    is_some = _is_true(predicate) and all(call.name != "str.replace" for call in via)
    value = SOME_TEXT if is_some else ANY_TEXT
    return Predicate(Field(predicate.field.path), Op.GLOB, (value,))


def _kinds(predicate: Predicate) -> frozenset[str]:
    """Return of which kinds a value can be that meets a comparison."""
    if predicate.op in TEXT_OPS - {Op.EQUALS} or predicate.op is Op.CIDR:
        return frozenset({"text"})
    if predicate.op in _BOUNDS:
        return _NUMBERS
    return frozenset(kind for value in predicate.values for kind in _kinds_of(value))


def _kinds_of(value: Value) -> Iterable[str]:
    if isinstance(value, bool):
        return ("boolean",)
    return ("text",) if isinstance(value, str) else _NUMBERS


def _is_true(predicate: Predicate) -> bool:
    """Say whether only what Python calls true meets a comparison."""
    if predicate.op is Op.CIDR:
        return True
    return predicate.op in TEXT_OPS - {Op.REGEX} and all(map(_is_some, predicate.values))


def _is_some(value: Value) -> bool:
    if isinstance(value, Glob):
        return any(part is not Wild.ANY for part in value.parts)
    return bool(value)


def _asks_truth(predicate: Predicate, *, truth: bool) -> bool:
    return predicate.op is Op.EQUALS and set(predicate.values) == {truth}
