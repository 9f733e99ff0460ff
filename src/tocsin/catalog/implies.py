"""Whether every event that meets one condition meets another, by reasoning alone.

Both are canonical (`canonical.py`). What is proved holds for arrays too: a predicate is about any
of a field's values, so that one predicate never excludes another. What is not proved may still be
so; `events.py` looks for an event that shows the contrary.
"""

import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as dataclass_field
from functools import lru_cache

import re2

from tocsin.catalog.canonical import ANY_TEXT, SOME_TEXT, TEXT_OPS, is_caseless
from tocsin.catalog.through import NUMBER, excludes, says_through
from tocsin.condition.evaluate import as_number, compile_test, regex_options
from tocsin.condition.functions import fold, number_of
from tocsin.condition.tree import (
    FALSE,
    TRUE,
    And,
    AnyElement,
    Call,
    Condition,
    FieldsCompare,
    Glob,
    Not,
    Op,
    Or,
    Predicate,
    Regex,
    Value,
    Wild,
    fields,
    leaves,
)

MAX_STEPS = 20_000
"""Steps of reasoning on one question; more is left undecided."""
_ANY, _ONE = "\ue000", "\ue001"
"""Letters that stand for wildcards; no value of a rule holds them."""
_ANCHORED = re.compile(r"[\^$]|\\[bBAzZ]")
_NUMBER = (Call("number"),)
_BOUNDS = {Op.LESS, Op.LESS_OR_EQUAL, Op.GREATER, Op.GREATER_OR_EQUAL}


class UndecidedError(Exception):
    """The question takes more steps than are allowed."""


def implies(
    one: Condition, other: Condition, steps: int = MAX_STEPS, *, single: bool = False
) -> bool:
    """Say whether it can be shown that `one` implies `other`; raise `UndecidedError`.

    With `single` a field has one value at most, so that one predicate can exclude another.
    """
    return _Proof(steps, single).shows((_positive(one),), _positive(other))


def _positive(condition: Condition) -> Condition:
    """Move negations inwards, so that they stand before predicates only."""
    match condition:
        case And(parts):
            return And(tuple(map(_positive, parts)))
        case Or(parts):
            return Or(tuple(map(_positive, parts)))
        case Not(And(parts)):
            return Or(tuple(_positive(Not(part)) for part in parts))
        case Not(Or(parts)):
            return And(tuple(_positive(Not(part)) for part in parts))
        case Not(Not(part)):
            return _positive(part)
        case _:
            return condition


@dataclass(slots=True)
class _Proof:
    """Shows that facts imply a goal; facts and goal hold negations of predicates only."""

    steps: int
    single: bool = False
    paths: dict[int, tuple[Condition, frozenset[tuple[str, ...]]]] = dataclass_field(
        default_factory=dict
    )

    def shows(self, facts: Sequence[Condition], goal: Condition) -> bool:
        self.steps -= 1
        if self.steps < 0:
            raise UndecidedError
        if isinstance(goal, And):
            return all(self.shows(facts, part) for part in goal.parts)
        known = list(_flat(facts))
        if FALSE in known:
            return True
        if any(self.directly(fact, goal) for fact in known):
            return True
        if isinstance(goal, Or) and any(self.shows(known, part) for part in goal.parts):
            return True
        return self.by_cases(known, goal)

    def directly(self, fact: Condition, goal: Condition) -> bool:
        if fact == goal:
            return True
        if isinstance(fact, Or):
            return False
        if isinstance(goal, Or):
            return any(self.directly(fact, part) for part in goal.parts)
        return leaf_implies(fact, goal, single=self.single)

    def by_cases(self, facts: list[Condition], goal: Condition) -> bool:
        """Show the goal for every alternative of one fact, the one with the fewest.

        An alternative that says nothing of the goal's fields cannot help: then the other facts have
        to do, and are tried without it.
        """
        wanted = self.fields(goal)
        choices: list[Condition] = [
            fact
            for fact in facts
            if isinstance(fact, Or)
            and all(not wanted.isdisjoint(self.fields(part)) for part in fact.parts)
        ]
        choices += [fact for fact in facts if _is_split(fact, goal)]
        if not choices:
            return False
        chosen = min(choices, key=lambda fact: len(_alternatives(fact)))
        rest = [fact for fact in facts if fact is not chosen]
        return all(self.shows([*rest, part], goal) for part in _alternatives(chosen))

    def fields(self, condition: Condition) -> frozenset[tuple[str, ...]]:
        """Return the paths of the fields that a condition asks."""
        known = self.paths.get(id(condition))
        if known is None:
            known = condition, frozenset(field.path for field in fields(condition))
            self.paths[id(condition)] = known
        return known[1]


def _flat(facts: Iterable[Condition]) -> Iterable[Condition]:
    for fact in facts:
        if isinstance(fact, And):
            yield from _flat(fact.parts)
        else:
            yield fact


def _is_split(fact: Condition, goal: Condition) -> bool:
    """Say whether each value of a predicate, by itself, says something that the goal asks."""
    if not (isinstance(fact, Predicate) and len(fact.values) > 1 and isinstance(goal, Or)):
        return False
    asked = [
        leaf
        for leaf in leaves(goal)
        if isinstance(leaf, Predicate) and leaf.field.path == fact.field.path
    ]
    return len(asked) > 1 and all(
        any(_predicates(one, leaf) for leaf in asked) for one in _each_value(fact)
    )


def _each_value(predicate: Predicate) -> list[Predicate]:
    return [replace(predicate, values=(value,)) for value in predicate.values]


def _alternatives(fact: Condition) -> Sequence[Condition]:
    if isinstance(fact, Predicate):
        return _each_value(fact)
    return fact.parts if isinstance(fact, Or) else ()


def may_imply(one: Condition, other: Condition) -> bool:
    """Say whether `implies` is worth asking: False only where it is False.

    What the other asks for in any case has to follow from something that the first asks for.
    """
    parts = other.parts if isinstance(other, And) else (other,)
    asked = (part for part in parts if isinstance(part, Predicate))
    return one == FALSE or all(_is_said(part, one) for part in asked)


def _is_said(goal: Predicate, condition: Condition) -> bool:
    """Say whether a predicate that is under no negation implies another, for one value at least."""
    match condition:
        case Predicate():
            if condition.field.path != goal.field.path:
                return False
            if not condition.values:
                return _predicates(condition, goal)
            if len(condition.values) > 1 and _predicates(condition, goal):
                return True
            return any(_predicates(one, goal) for one in _each_value(condition))
        case And(parts) | Or(parts):
            return any(_is_said(goal, part) for part in parts)
        case FieldsCompare() | AnyElement():
            return True
        case _:
            return False


def leaf_implies(one: Condition, other: Condition, *, single: bool = False) -> bool:
    """Say whether a predicate, or the negation of one, implies another."""
    if isinstance(one, Not) and isinstance(other, Not):
        return leaf_implies(other.part, one.part, single=single)
    if isinstance(one, Predicate) and isinstance(other, Predicate):
        return _predicates(one, other)
    if isinstance(one, AnyElement) and isinstance(other, AnyElement):
        return one.path == other.path and implies(
            one.condition, other.condition, 500, single=single
        )
    if single and isinstance(one, Predicate) and isinstance(other, Not):
        return isinstance(other.part, Predicate) and excludes(one, other.part)
    return one in (other, FALSE) or other == TRUE


def _predicates(one: Predicate, other: Predicate) -> bool:
    if one.field.path != other.field.path:
        return False
    if other.op is Op.EXISTS:
        return True
    if other.op is Op.IS_NULL or one.op in {Op.EXISTS, Op.IS_NULL}:
        return one.op == other.op
    return _implied(one, other, tuple(map(type, (*one.values, *other.values))))


@lru_cache(maxsize=300_000)
def _implied(one: Predicate, other: Predicate, _: tuple[type, ...]) -> bool:
    if other.field.via == (*one.field.via, NUMBER) and one.op in _BOUNDS:
        return _predicates(one, replace(other, field=one.field))
    if one.field.via != other.field.via:
        return _number_of_text(one, other) or says_through(one, other)
    if other.op is Op.GLOB and SOME_TEXT in other.values and one.op in {Op.REGEX, Op.CIDR}:
        return one.op is Op.CIDR
    if other.op is Op.GLOB and ANY_TEXT in other.values:
        return one.op in TEXT_OPS or one.op is Op.CIDR
    if one.op is Op.EQUALS and other.op is Op.EQUALS and one.fold_case <= other.fold_case:
        return _typed(one, fold_case=other.fold_case) <= _typed(other, fold_case=other.fold_case)
    return all(_value_implies(one.op, value, one.fold_case, other) for value in one.values)


def _typed(predicate: Predicate, *, fold_case: bool) -> set[tuple[type, Value]]:
    return {
        (type(value), fold(value) if fold_case and isinstance(value, str) else value)
        for value in predicate.values
    }


def _number_of_text(one: Predicate, other: Predicate) -> bool:
    """Say whether texts that are numbers imply a comparison of the number."""
    if one.field.via or other.field.via != _NUMBER or one.op is not Op.EQUALS:
        return False
    test = compile_test(other.op, other.values, other.fold_case)
    numbers = [list(number_of(value)) for value in one.values if isinstance(value, str | int)]
    return len(numbers) == len(one.values) and all(any(map(test, found)) for found in numbers)


def _value_implies(op: Op, value: Value, fold_case: bool, other: Predicate) -> bool:  # noqa: FBT001
    """Say whether one value of a predicate implies another predicate on the same field."""
    if op in _BOUNDS or (op is Op.EQUALS and as_number(value) is not None):
        return _number_implies(op, value, other)
    if op is Op.CIDR:
        return other.op is Op.CIDR and _inside(str(value), other)
    if op is Op.REGEX:
        return other.op is Op.REGEX and value in other.values
    if isinstance(value, bool):
        return other.op is Op.EQUALS and ("true" if value else "false") in other.values
    if other.op not in TEXT_OPS | {Op.CIDR}:
        return False
    if fold_case and not other.fold_case and not is_caseless(value):
        return other.op is Op.REGEX and _regexes(op, value, other, fold_case=True)
    if other.op is Op.CIDR:
        return op is Op.EQUALS and _inside(str(value), other)
    if other.op is Op.REGEX:
        return _regexes(op, value, other, fold_case=fold_case)
    return _text_implies(_with_wildcards(op, value), other)


def _number_implies(op: Op, value: Value, other: Predicate) -> bool:
    if op is Op.EQUALS:
        number = as_number(value)
        test = compile_test(other.op, other.values, other.fold_case)
        return other.op in _BOUNDS | {Op.EQUALS} and number is not None and test(number)
    bounds = [as_number(bound) for bound in other.values]
    return any(
        bound is not None and _tighter(op, as_number(value), other.op, bound) for bound in bounds
    )


def _tighter(op: Op, value: object, other: Op, bound: object) -> bool:
    """Say whether `x op value` implies `x other bound`."""
    below, same = {Op.LESS, Op.LESS_OR_EQUAL}, op.value.split("_")[0] == other.value.split("_")[0]
    if not same or value is None:
        return False
    if value == bound:
        return op == other or op in {Op.LESS, Op.GREATER}
    less: bool = value < bound  # type: ignore[operator]
    return less if op in below else not less


def _inside(text: str, other: Predicate) -> bool:
    try:
        inner = ipaddress.ip_network(text, strict=False)
        outer = [ipaddress.ip_network(str(one), strict=False) for one in other.values]
    except ValueError:
        return False
    return any(
        inner.version == one.version and inner.subnet_of(one)  # type: ignore[arg-type]
        for one in outer
    )


def _with_wildcards(op: Op, value: Value) -> str:
    """Return the pattern that a comparison is, as text with letters for wildcards."""
    if isinstance(value, Glob):
        letters = {Wild.ANY: _ANY, Wild.ONE: _ONE}
        return "".join(letters[p] if isinstance(p, Wild) else p for p in value.parts)
    before = _ANY if op in {Op.CONTAINS, Op.ENDSWITH} else ""
    after = _ANY if op in {Op.CONTAINS, Op.STARTSWITH} else ""
    return f"{before}{value}{after}"


def _text_implies(pattern: str, other: Predicate) -> bool:
    """Say whether all texts of a pattern meet a comparison of text."""
    text = fold(pattern) if other.fold_case else pattern
    if other.op is not Op.GLOB:
        return compile_test(other.op, other.values, other.fold_case)(text)
    return any(_pattern(glob, other.fold_case).fullmatch(text) for glob in other.values)


@lru_cache(maxsize=10_000)
def _pattern(value: Value, fold_case: bool) -> "re2._Regexp":  # noqa: FBT001
    parts = value.parts if isinstance(value, Glob) else (str(value),)
    wild = {Wild.ANY: ".*", Wild.ONE: f"[^{_ANY}]"}
    texts = (
        wild[p] if isinstance(p, Wild) else re2.escape(fold(p) if fold_case else p) for p in parts
    )
    return re2.compile("(?s)" + "".join(texts), regex_options())


def _regexes(op: Op, value: Value, other: Predicate, *, fold_case: bool) -> bool:
    """Say whether what is certain of a text is found by a regex of the other predicate."""
    whole = op is Op.EQUALS
    pieces = [str(value)] if op is not Op.GLOB else []
    if isinstance(value, Glob):
        pieces = [part for part in value.parts if isinstance(part, str)]
    for regex in other.values:
        if not isinstance(regex, Regex) or (fold_case and "i" not in regex.flags):
            continue
        if not whole and _ANCHORED.search(regex.pattern):
            continue
        test = compile_test(Op.REGEX, (regex,), False)  # noqa: FBT003
        if any(map(test, pieces)):
            return True
    return False
