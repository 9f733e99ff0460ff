"""How two rules relate: which of the events that one matches the other matches too.

What is reasoned (`implies.py`) is tried on events made for both rules (`events.py`), which the
rules' own conditions judge; one event to the contrary refutes it. Rules are compared on the log
types that both are about.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import product

import orjson

from tocsin.catalog.canonical import ANY_TEXT, SOME_TEXT, without_case
from tocsin.catalog.events import Event, events_for, put
from tocsin.catalog.implies import UndecidedError, implies, leaf_implies
from tocsin.catalog.outcome import is_outcome, says_kind, without_outcome
from tocsin.catalog.subject import Reading, common_source, limiting_stage, readings, readings_of
from tocsin.condition.describe import phrase, value_text
from tocsin.condition.tree import (
    And,
    Condition,
    Leaf,
    Op,
    Or,
    Predicate,
    leaves,
)
from tocsin.jsontext import read_value
from tocsin.rules.describe import describe_stage
from tocsin.rules.model import Rule
from tocsin.rules.stages import Threshold

_ANY = frozenset((ANY_TEXT, SOME_TEXT))
EVENTS = 1000
"""Events on which a relation is tried."""


class Relation(StrEnum):
    """How the events that one rule matches lie to those that another matches."""

    EQUAL = "equal"
    EQUAL_BUT_OUTCOME = "equal but for the outcome"
    """They differ only in how they spell or choose the outcome of what was done."""
    IMPLIES = "implies"
    IMPLIED = "is implied by"
    OVERLAPS = "overlaps"
    """Some events meet both for a common reason, and neither implies the other."""
    APART = "apart"
    """No event was found that meets both for a common reason."""
    ELSEWHERE = "about different logs"
    UNKNOWN = "cannot be compared"

    @property
    def turned(self) -> "Relation":
        """Return the relation as the other rule sees it."""
        turned = {Relation.IMPLIES: Relation.IMPLIED, Relation.IMPLIED: Relation.IMPLIES}
        return turned.get(self, self)


@dataclass(frozen=True, slots=True)
class Trial:
    """How many generated events two rules matched, and one event of each kind."""

    events: int
    both: int
    one: int
    other: int
    example: Event | None = None
    only_one: Event | None = None
    only_other: Event | None = None


@dataclass(frozen=True, slots=True)
class Shared:
    """A field that both rules look at, and values that they have in common there."""

    field: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OnLogType:
    """How two rules relate on the events of one log type."""

    log_type: str
    shape: str
    relation: Relation
    one: Condition
    other: Condition
    shared: tuple[Shared, ...]
    trial: Trial
    reasons: tuple[str, ...] = ()
    single: bool = False
    """Lists are left out of account: one rule reads them whole."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """How two rules relate, and why."""

    one: Rule
    other: Rule
    relation: Relation
    """On the log types that both are about, documents of none in particular set aside."""
    everywhere: Relation
    """Taking into account the log types that only one of them is about."""
    on: tuple[OnLogType, ...] = ()
    only_one: tuple[str, ...] = ()
    """Log types that only the first is about."""
    only_other: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()


def compare(one: Rule, other: Rule, *, events: int = EVENTS) -> Comparison:
    """Compare two rules."""
    of_one, of_other = readings(one), readings(other)
    if of_one.keys().isdisjoint(of_other) and (source := common_source(one, other)):
        of_one, of_other = readings_of(one, source), readings_of(other, source)
    return compare_readings(one, of_one, other, of_other, events=events)


def compare_readings(
    one: Rule,
    of_one: Mapping[str, Reading],
    other: Rule,
    of_other: Mapping[str, Reading],
    *,
    events: int = EVENTS,
) -> Comparison:
    """Compare two rules whose readings are known."""
    for rule, known in ((one, of_one), (other, of_other)):
        if not known:
            reason = f"{rule.name}: {_unread(rule)}"
            return Comparison(one, other, Relation.UNKNOWN, Relation.UNKNOWN, reasons=(reason,))
    names = [name for name in of_one if name in of_other]
    only_one = tuple(name for name in of_one if name not in of_other)
    only_other = tuple(name for name in of_other if name not in of_one)
    if not names:
        away = Relation.ELSEWHERE
        return Comparison(one, other, away, away, (), only_one, only_other)
    seed = f"{one.key} {other.key}"
    on = tuple(_on(of_one[name], of_other[name], seed, events) for name in names)
    stages = _Stages(one, other)
    named = [part for name, part in zip(names, on, strict=True) if not of_one[name].is_rest]
    relation = stages.limited(_together([part.relation for part in named or on]))
    whole = stages.limited(_together([part.relation for part in on]))
    everywhere = _limited(whole, forth=not only_one, back=not only_other)
    return Comparison(
        one, other, relation, everywhere, on, only_one, only_other, tuple(stages.remarks())
    )


def _unread(rule: Rule) -> str:
    if not rule.inputs:
        return rule.reasons[0] if rule.reasons else "has no condition that is read"
    return "no event of a log type can meet it"


def _together(relations: Sequence[Relation]) -> Relation:
    """Return the relation on several log types from the one on each."""
    known = set(relations) - {Relation.APART} or {Relation.APART}
    if len(known) == 1:
        return known.pop()
    for way in (Relation.IMPLIES, Relation.IMPLIED):
        if known <= {Relation.EQUAL, way}:
            return way
    if known <= {Relation.EQUAL, Relation.EQUAL_BUT_OUTCOME}:
        return Relation.EQUAL_BUT_OUTCOME
    return Relation.OVERLAPS


def _limited(relation: Relation, *, forth: bool, back: bool) -> Relation:
    """Return what is left of a relation if one rule may match what the other cannot."""
    if relation not in {Relation.EQUAL, Relation.IMPLIES, Relation.IMPLIED}:
        return relation
    forth = forth and relation is not Relation.IMPLIED
    back = back and relation is not Relation.IMPLIES
    if forth and back:
        return Relation.EQUAL
    if forth:
        return Relation.IMPLIES
    return Relation.IMPLIED if back else Relation.OVERLAPS


@dataclass(frozen=True, slots=True)
class _Stages:
    """What two rules do with their matches, as far as it bears on how they relate."""

    one: Rule
    other: Rule

    def limited(self, relation: Relation) -> Relation:
        one, other = map(limiting_stage, (self.one, self.other))
        if self.one.confirm or self.other.confirm:
            forth = other is None and not self.other.confirm
            return _limited(relation, forth=forth, back=one is None and not self.one.confirm)
        if one == other:
            grows = one is None or isinstance(one, Threshold)
            return relation if grows or relation is Relation.EQUAL else _loose(relation)
        return _limited(relation, forth=other is None, back=one is None)

    def remarks(self) -> Iterator[str]:
        one, other = map(limiting_stage, (self.one, self.other))
        for rule, stage in ((self.one, one), (self.other, other)):
            if stage and one != other:
                only = describe_stage(stage)
                yield f"{rule.name} ({rule.ecosystem}) alerts only on: {only}"
            if rule.confirm:
                yield (
                    f"{rule.name} ({rule.ecosystem}) alerts only where its Python says so too: "
                    "what is compared must hold, but is not all that it asks"
                )


def _loose(relation: Relation) -> Relation:
    return _limited(relation, forth=False, back=False)


def _on(one: Reading, other: Reading, seed: str, events: int) -> OnLogType:
    reasons: list[str] = []
    forth, back = _shown(one, other, reasons), _shown(other, one, reasons)
    relation = _limited(Relation.EQUAL, forth=forth, back=back)
    shared = tuple(shared_values(one.own, other.own))
    pinned = None if forth and back else _pinned_outcome(one, other)
    trial = _try(one, other, seed, events)
    if relation is not Relation.OVERLAPS:
        relation = _confirmed(relation, trial, reasons)
    if pinned and _confirms_pinned(one, other, pinned, seed, events):
        relation = Relation.EQUAL_BUT_OUTCOME
        reasons += _outcomes(one.condition, other.condition)
    elif relation in {Relation.IMPLIES, Relation.IMPLIED}:
        reasons += _all_that_differs(one, other)
    elif relation is Relation.OVERLAPS and not (shared and trial.both):
        relation = Relation.APART
    name, shape = one.log_type.name, one.places.shape.name
    return OnLogType(
        name,
        shape,
        relation,
        one.condition,
        other.condition,
        shared,
        trial,
        tuple(reasons),
        _is_single(one, other),
    )


def _shown(one: Reading, other: Reading, reasons: list[str]) -> bool:
    try:
        return implies(one.condition, other.condition, single=_is_single(one, other))
    except (UndecidedError, RecursionError):
        reasons.append("the conditions are too large to be decided by reasoning")
        return False


def _is_single(one: Reading, other: Reading) -> bool:
    """Say whether lists are left out of account: one rule reads them whole."""
    return one.is_whole or other.is_whole


def _try(
    one: Reading,
    other: Reading,
    seed: str,
    events: int,
    pinned: "tuple[tuple[str, ...], object] | None" = None,
) -> Trial:
    counts = {(True, True): 0, (True, False): 0, (False, True): 0, (False, False): 0}
    examples: dict[tuple[bool, bool], Event] = {}
    lists = not _is_single(one, other) or one.is_whole == other.is_whole
    made = events_for(one.condition, other.condition, one.places, seed, events, lists=lists)
    for event in made:
        if pinned:
            put(event, *pinned)
        record = read_value(orjson.dumps(event, default=str))[0]
        if not isinstance(record, dict):
            continue
        found = one.matches(record), other.matches(record)
        counts[found] += 1
        examples.setdefault(found, event)
    return Trial(
        sum(counts.values()),
        counts[True, True],
        counts[True, False],
        counts[False, True],
        examples.get((True, True)),
        examples.get((True, False)),
        examples.get((False, True)),
    )


def _confirmed(relation: Relation, trial: Trial, reasons: list[str]) -> Relation:
    """Return a relation as far as no event contradicts it."""
    if not trial.both:
        reasons.append(
            f"by reasoning it {_by_reasoning(relation)}, but no event could be made that meets both"
        )
        return Relation.UNKNOWN
    forth = relation is not Relation.IMPLIED and not trial.one
    back = relation is not Relation.IMPLIES and not trial.other
    confirmed = _limited(relation, forth=forth, back=back)
    if confirmed is not relation:
        reasons.append(f"by reasoning it {_by_reasoning(relation)}, but an event refutes that")
    return confirmed


def _by_reasoning(relation: Relation) -> str:
    return "is equal" if relation is Relation.EQUAL else relation.value


def _all_that_differs(one: Reading, other: Reading) -> list[str]:
    """Say what little tells two conditions apart, if it is so little."""
    for said, change in _DIFFERENCES.items():
        if _same(change(one.condition), change(other.condition), single=_is_single(one, other)):
            return [f"they differ only in {said}"]
    return []


def _same(one: Condition, other: Condition, *, single: bool = False) -> bool:
    try:
        return implies(one, other, single=single) and implies(other, one, single=single)
    except (UndecidedError, RecursionError):
        return False


_DIFFERENCES: Mapping[str, Callable[[Condition], Condition]] = {
    "whether the case of letters matters": without_case,
    "what they ask of the outcome": without_outcome,
    "what they ask of the outcome, and whether the case of letters matters": (
        lambda condition: without_case(without_outcome(condition))
    ),
}


def shared_values(one: Condition, other: Condition) -> Iterator[Shared]:
    """Yield the fields that both conditions look at, with what they both look for there."""
    found: dict[str, dict[str, None]] = {}
    for mine in _asking(one):
        for theirs in _asking(other):
            if mine.field != theirs.field:
                continue
            for value in _common(mine, theirs):
                found.setdefault(".".join(mine.field.path) or "any value", {})[value] = None
    for field, values in found.items():
        yield Shared(field, tuple(values))


def _asking(condition: Condition) -> list[Predicate]:
    """Return the predicates that are to be true and say something of an event's content."""
    return [
        leaf
        for leaf in positive_leaves(condition)
        if leaf.op not in {Op.EXISTS, Op.IS_NULL}
        and not _ANY.intersection(leaf.values)
        and not says_kind(".".join(leaf.field.path))
    ]


def positive_leaves(condition: Condition) -> Iterator[Predicate]:
    """Yield the predicates that are under no negation, those on elements left out."""
    match condition:
        case Predicate():
            yield condition
        case And(parts) | Or(parts):
            for part in parts:
                yield from positive_leaves(part)
        case _:
            return


def _common(mine: Predicate, theirs: Predicate) -> Iterator[str]:
    for value in mine.values:
        if leaf_implies(replace(mine, values=(value,)), theirs):
            yield value_text(value)
    for value in theirs.values:
        if leaf_implies(replace(theirs, values=(value,)), mine):
            yield value_text(value)


def _pinned_outcome(first: Reading, second: Reading) -> tuple[str, object] | None:
    """Return a field and value of an outcome that both ask for, if they differ in nothing else."""
    one, other = first.condition, second.condition
    asked = [[leaf for leaf in leaves(part) if is_outcome(leaf)] for part in (one, other)]
    if not all(asked):
        return None
    bare_one, bare_other = (without_outcome(part) for part in (one, other))
    if not _same(bare_one, bare_other, single=_is_single(first, second)):
        return None
    return next(_agreed(asked[0], asked[1]), None)


def _agreed(mine: Iterable[Leaf], theirs: Iterable[Leaf]) -> Iterator[tuple[str, object]]:
    for one, other in product(mine, theirs):
        if isinstance(one, Predicate) and isinstance(other, Predicate) and one.field == other.field:
            for value in (*one.values, *other.values):
                exact = Predicate(one.field, Op.EQUALS, (value,))
                if leaf_implies(exact, one) and leaf_implies(exact, other):
                    yield one.field.path[0], value


def _confirms_pinned(
    one: Reading, other: Reading, pinned: tuple[str, object], seed: str, events: int
) -> bool:
    """Say whether two rules match the same events of those whose outcome both ask for."""
    field, value = pinned
    keys = one.places.path_of(field)
    trial = _try(one, other, f"{seed} pinned", events, (keys, value))
    return bool(trial.both) and not trial.one and not trial.other


def _outcomes(one: Condition, other: Condition) -> list[str]:
    said = []
    for word, condition in (("the first", one), ("the second", other)):
        asked = [
            phrase(leaf)
            for leaf in leaves(condition)
            if isinstance(leaf, Predicate) and is_outcome(leaf)
        ]
        said.append(f"of the outcome {word} asks: {'; '.join(dict.fromkeys(asked))}")
    return said
