"""The indicators of rules: each field, operator and value, and how many rules look for the same."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from tocsin.catalog.logtypes import common_names, comparable_log_types
from tocsin.catalog.places import Places, normal
from tocsin.catalog.subject import places_of
from tocsin.condition.describe import field_name
from tocsin.condition.functions import fold
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
from tocsin.engine.plan import select, select_scope
from tocsin.logs.logtype import EVERY_EVENT, PANTHER, LogType, Variant
from tocsin.rules.model import Indices, Input, Rule, Scope
from tocsin.rules.stages import IndicatorMatch, NewTerms, Threshold

Known = Sequence[tuple[Places, Variant]]


@dataclass(frozen=True, slots=True)
class Indicator:
    """One thing that a rule looks for, or that must not be there."""

    field: str
    """As the rule writes it, functions in brackets behind; within an element the array in front."""
    vocabulary: str
    canonical: str
    """The name that all rules share which read the same from an event."""
    op: str
    values: tuple[str, ...]
    """Patterns with `*` and `?`, regexes between slashes; of another field its name."""
    negated: bool = False
    case_matters: bool = False
    input: int = 0


@dataclass(frozen=True, slots=True)
class StageField:
    """A field by which a rule groups, counts or compares its matches."""

    field: str
    canonical: str
    role: str


def indicators(rule: Rule) -> tuple[Indicator, ...]:
    """Return the indicators of a rule in the order of its conditions, each once."""
    found = (
        indicator
        for number, one in enumerate(rule.inputs)
        for indicator in _of(one.condition, _Names(one), number, negated=False)
    )
    return tuple(dict.fromkeys(found))


def stage_fields(rule: Rule) -> tuple[StageField, ...]:
    """Return the fields of a rule's stage and suppression."""
    if not rule.inputs:
        return ()
    names = _Names(rule.inputs[0])
    return tuple(
        StageField(name, names.canonical(Field((name,))), role) for name, role in _staged(rule)
    )


def _staged(rule: Rule) -> Iterator[tuple[str, str]]:
    match rule.stage:
        case NewTerms(fields):
            yield from ((name, "new value") for name in fields)
        case Threshold(fields, _, _, distinct):
            yield from ((name, "group") for name in fields)
            if distinct:
                yield distinct.field, "different values"
        case IndicatorMatch(any_of):
            names = dict.fromkeys(one.field for all_of in any_of for one in all_of)
            yield from ((name, "indicator") for name in names)
    if rule.suppression:
        yield from ((name, "suppression") for name in rule.suppression.fields)


class _Names:
    """Finds the shared names of one input's fields.

    A log type of Panther may hold several of ours: what most of them call a field counts.
    """

    def __init__(self, one: Input) -> None:
        self.vocabulary = one.vocabulary
        self._known = _log_types(one)

    def canonical(self, field: Field) -> str:
        if not field.path:
            return "any value"
        found = Counter(self._found(field))
        if found and self.vocabulary != PANTHER:
            return next(iter(found))
        undeclared = ".".join(normal(field.path))
        if found:
            return max(found, key=lambda name: (name != undeclared, found[name]))
        name = ".".join(field.path)
        return common_names().get(fold(name), name if self.vocabulary == "ecs" else fold(name))

    def _found(self, field: Field) -> Iterator[str]:
        for places, variant in self._known:
            if name := places.named(places.expression(self.vocabulary, field, variant)):
                yield name


def _log_types(one: Input) -> Known:
    if not isinstance(one.scope, Indices):
        return _of_scope(one.scope)
    return [
        (places_of(log_type), EVERY_EVENT)
        for log_type in comparable_log_types()
        if not log_type.documents and select(log_type, one)
    ]


@lru_cache(maxsize=4096)
def _of_scope(scope: Scope) -> Known:
    return [
        (places_of(log_type), variants[0])
        for log_type in comparable_log_types()
        if (variants := _selected(log_type, scope))
    ]


def _selected(log_type: LogType, scope: Scope) -> tuple[Variant, ...]:
    return select_scope(log_type, scope)


def _of(condition: Condition, names: _Names, number: int, *, negated: bool) -> Iterator[Indicator]:
    match condition:
        case And(parts) | Or(parts):
            for part in parts:
                yield from _of(part, names, number, negated=negated)
        case Not(part):
            yield from _of(part, names, number, negated=not negated)
        case Predicate(field):
            written = field_name(field)
            yield from _told(condition, written, names, names.canonical(field), number, negated)
        case FieldsCompare(left, op, right):
            shared, other = names.canonical(left), (field_name(right),)
            op_text = f"{op.value} field"
            yield Indicator(
                field_name(left),
                names.vocabulary,
                shared,
                op_text,
                other,
                negated=negated,
                input=number,
            )
        case AnyElement(path, inner):
            yield from _of_element(path, inner, names, number, negated=negated)


def _of_element(
    path: tuple[str, ...], condition: Condition, names: _Names, number: int, *, negated: bool
) -> Iterator[Indicator]:
    """Yield the indicators on one element of an array."""
    array = ".".join(path)
    shared = names.canonical(Field(path))
    for inner in _of(condition, _Inside(names, shared), number, negated=negated):
        yield Indicator(
            f"{array}.{inner.field}",
            inner.vocabulary,
            inner.canonical,
            inner.op,
            inner.values,
            inner.negated,
            inner.case_matters,
            number,
        )


class _Inside(_Names):
    """Finds the shared names of the fields of an array's elements."""

    def __init__(self, names: _Names, array: str) -> None:
        self.vocabulary = names.vocabulary
        self._array = array

    def canonical(self, field: Field) -> str:
        return ".".join((self._array, *normal(field.path)))


def _told(
    predicate: Predicate,
    written: str,
    names: _Names,
    shared: str,
    number: int,
    negated: bool,  # noqa: FBT001
) -> Iterator[Indicator]:
    """Yield a predicate as indicators, patterns under their plainest operator."""
    by_op: dict[str, list[str]] = {}
    for value in predicate.values:
        op, text = plainest(predicate.op, value)
        by_op.setdefault(op, []).append(text)
    case = not predicate.fold_case and any(isinstance(v, str | Glob) for v in predicate.values)
    for op, texts in (by_op or {predicate.op.value: []}).items():
        yield Indicator(written, names.vocabulary, shared, op, tuple(texts), negated, case, number)


@lru_cache(maxsize=200_000)
def _plainest(op: Op, value: Value, _: str) -> tuple[str, str]:
    if isinstance(value, Regex):
        return op.value, f"/{value.pattern}/{value.flags}"
    if not isinstance(value, Glob):
        return op.value, str(value).lower() if isinstance(value, bool) else str(value)
    match value.parts:
        case (Wild.ANY,):
            return "has a value", "*"
        case (Wild.ANY, str(text), Wild.ANY):
            return Op.CONTAINS.value, text
        case (str(text), Wild.ANY):
            return Op.STARTSWITH.value, text
        case (Wild.ANY, str(text)):
            return Op.ENDSWITH.value, text
        case (str(text),):
            return Op.EQUALS.value, text
    return op.value, "".join(p.value if isinstance(p, Wild) else p for p in value.parts)


def plainest(op: Op, value: Value) -> tuple[str, str]:
    """Return the plainest operator that says the same of a value, and the value's text there."""
    return _plainest(op, value, type(value).__name__)


PerEcosystem = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Counts:
    """How many other rules look for one value of an indicator, by ecosystem."""

    value: str
    same: PerEcosystem
    """By the same field as written, operator and value."""
    same_canonical: PerEcosystem
    """By the same canonical field and the same value, whatever the operator."""
    same_value: PerEcosystem
    """By the same value, in any field."""


class IndicatorIndex:
    """Which rules look for what. Letters' case is left out of account; made once for many rules."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules = tuple(rules)
        self.numbers = {rule.key: number for number, rule in enumerate(self.rules)}
        self.indicators = [indicators(rule) for rule in self.rules]
        self._same: dict[tuple[str, str, str], list[int]] = {}
        self._canonical: dict[tuple[str, str], list[int]] = {}
        self._value: dict[str, list[int]] = {}
        for number, found in enumerate(self.indicators):
            self._add(number, found)

    def _add(self, number: int, found: Sequence[Indicator]) -> None:
        same, canonical, value = set(), set(), set()
        for one in found:
            for text in map(fold, one.values or ("",)):
                same.add((fold(one.field), one.op, text))
                canonical.add((one.canonical, text))
                if text:
                    value.add(text)
        for triple in same:
            self._same.setdefault(triple, []).append(number)
        for pair in canonical:
            self._canonical.setdefault(pair, []).append(number)
        for text in value:
            self._value.setdefault(text, []).append(number)

    def with_triple(self, field: str, op: str, value: str) -> tuple[Rule, ...]:
        """Return the rules with a field as written, operator and value."""
        return self._rules(self._same.get((fold(field), op, fold(value)), ()))

    def with_canonical(self, canonical: str, value: str) -> tuple[Rule, ...]:
        """Return the rules that look for a value in what a canonical field reads."""
        return self._rules(self._canonical.get((canonical, fold(value)), ()))

    def with_value(self, value: str) -> tuple[Rule, ...]:
        """Return the rules that look for a value anywhere."""
        return self._rules(self._value.get(fold(value), ()))

    def _rules(self, numbers: Iterable[int]) -> tuple[Rule, ...]:
        return tuple(self.rules[number] for number in numbers)

    def counts(self, rule: Rule, indicator: Indicator) -> tuple[Counts, ...]:
        """Return for each value of a rule's indicator how many other rules look for it."""
        own = self.numbers.get(rule.key, -1)
        return tuple(
            Counts(
                value,
                self._by_ecosystem(
                    self._same.get((fold(indicator.field), indicator.op, fold(value)), ()), own
                ),
                self._by_ecosystem(
                    self._canonical.get((indicator.canonical, fold(value)), ()), own
                ),
                self._by_ecosystem(self._value.get(fold(value), ()), own),
            )
            for value in indicator.values or ("",)
        )

    def _by_ecosystem(self, numbers: Iterable[int], own: int) -> PerEcosystem:
        found = Counter(self.rules[number].ecosystem for number in numbers if number != own)
        return dict(sorted(found.items()))
