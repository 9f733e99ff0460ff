"""Events that two conditions are tried on: made to meet one or both, or to miss by little."""

from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import Any, TypeAlias

import orjson

from tocsin.catalog.places import Places
from tocsin.catalog.texts import FILLERS, before, wanted
from tocsin.condition.functions import fold
from tocsin.condition.tree import (
    And,
    AnyElement,
    Call,
    Condition,
    Field,
    FieldsCompare,
    Not,
    Op,
    Or,
    Predicate,
    leaves,
)

Event: TypeAlias = dict[str, Any]
KEYWORDS = ("text",)
"""Where a text stands that is looked for in the whole event."""
UNASKED = ("unasked",)
"""A key that no condition asks for."""
MAX_LEAVES = 2000
_Goal: TypeAlias = tuple[Condition, bool]


@dataclass(slots=True)
class EventMaker:
    """Makes events of one shape for conditions over its places."""

    places: Places
    chance: Random
    lists: bool = True
    """Lists are put where a single value is asked for, too."""

    def make(self, condition: Condition) -> Event:
        """Make an event that meets a condition, or nearly: negations are met by good luck."""
        goals = list(self._goals(condition, wanted=True))[:MAX_LEAVES]
        event: Event = {}
        by_field: dict[tuple[str, ...], list[Predicate]] = {}
        for leaf, is_wanted in goals:
            if isinstance(leaf, Predicate) and is_wanted:
                by_field.setdefault(leaf.field.path, []).append(leaf)
        for path, predicates in sorted(by_field.items(), key=self._depth):
            self._put(event, path, self._value(predicates))
        for leaf, is_wanted in goals:
            if isinstance(leaf, FieldsCompare) and is_wanted:
                self._equate(event, leaf)
            elif isinstance(leaf, AnyElement):
                inner = EventMaker(self.places, self.chance).make_element(leaf.condition)
                self._put(event, leaf.path, [inner] if is_wanted else [])
        return event

    def _depth(self, asked: tuple[tuple[str, ...], list[Predicate]]) -> int:
        return len(self.keys_of(asked[0]))

    def make_element(self, condition: Condition) -> Event:
        """Make an object of an array; the fields of its condition are keys in it."""
        element: Event = {}
        for leaf, is_wanted in self._goals(condition, wanted=True):
            if isinstance(leaf, Predicate) and is_wanted:
                put(element, leaf.field.path, self._value([leaf]))
        return element

    def _goals(self, condition: Condition, *, wanted: bool) -> Iterator[_Goal]:
        """Choose which predicates are to be true and which false."""
        match condition:
            case Not(part):
                yield from self._goals(part, wanted=not wanted)
            case And(parts) | Or(parts):
                if isinstance(condition, And) != wanted and parts:
                    parts = (self.chance.choice(parts),)
                for part in parts:
                    yield from self._goals(part, wanted=wanted)
            case _:
                yield condition, wanted

    def _value(self, predicates: list[Predicate]) -> object:
        """Choose a value for what is asked of one field."""
        by_via: dict[tuple[Any, ...], list[Predicate]] = {}
        for one in predicates:
            by_via.setdefault(one.field.via, []).append(one)
        if any(one.op is Op.IS_NULL for one in predicates):
            return None
        via = max(by_via, key=lambda via: (_tells(via), len(by_via[via]), -len(via)))
        value = wanted(by_via[via], self.chance).value(self.chance)
        if isinstance(value, str) and all(one.fold_case for one in by_via[via]):
            value = self._in_other_case(value)
        for call in reversed(via):
            value = before(call, value)
        return value

    def _in_other_case(self, text: str) -> str:
        way = self.chance.randrange(5)
        mixed = "".join(self.chance.choice((one.lower(), one.upper())) for one in text)
        other = (text, text.upper(), text.title(), text.swapcase(), mixed)[way]
        return other if fold(other) == fold(text) else text

    def _put(self, event: Event, field: tuple[str, ...], value: object) -> None:
        put(event, self.keys_of(field), value)

    def keys_of(self, field: tuple[str, ...]) -> tuple[str, ...]:
        """Return the keys at which a field of a canonical condition stands in an event."""
        return self.places.path_of(field[0]) if field else KEYWORDS

    def _equate(self, event: Event, compare: FieldsCompare) -> None:
        value = get(event, self.keys_of(compare.right.path))
        value = "same" if value is None else value
        self._put(event, compare.right.path, value)
        self._put(event, compare.left.path, value)

    def change(self, event: Event, asked: Mapping[tuple[str, ...], list[Predicate]]) -> Event:
        """Change one field of an event: leave it out, or give it a value that is near."""
        if not asked:
            return event
        changed = deepcopy(event)
        field = self.chance.choice(list(asked))
        keys = self.keys_of(field)
        value = get(changed, keys)
        way = self.chance.randrange(7)
        if way == 0:
            remove(changed, keys)
        elif way == 1 or value is None:
            put(changed, keys, self._value([self.chance.choice(asked[field])]))
        elif way == 2 and self.lists and not isinstance(value, list):
            put(changed, keys, [value, self._word()])
        elif way == 2 and not self.lists:
            put(changed, UNASKED, self._word())
        elif way == 3 and isinstance(value, str):
            put(changed, keys, value.swapcase())
        elif way == 4 and isinstance(value, str):
            put(changed, keys, value + self._word())
        elif way == 5 and isinstance(value, str):
            put(changed, keys, self._word() + value[1:])
        else:
            put(changed, keys, self.chance.choice((None, "", 0, self._word(), True)))
        return changed

    def _word(self) -> str:
        return f"{self.chance.choice(FILLERS)}{self.chance.randrange(10_000)}"


def _tells(via: tuple[Call, ...]) -> bool:
    """Say whether more can be told of a value than of what kind it is."""
    return not any(call.name in {"kind", "truth", "len", "has_key", "python"} for call in via)


def fields_asked(conditions: Iterable[Condition]) -> dict[tuple[str, ...], list[Predicate]]:
    """Return what conditions ask, by field."""
    asked: dict[tuple[str, ...], list[Predicate]] = {}
    for condition in conditions:
        for leaf in leaves(condition):
            if isinstance(leaf, Predicate):
                asked.setdefault(leaf.field.path, []).append(leaf)
            else:
                asked.setdefault(leaf.left.path, []).append(Predicate(Field(()), Op.EXISTS))
    return asked


def events_for(
    one: Condition, other: Condition, places: Places, seed: str, count: int, *, lists: bool = True
) -> Iterator[Event]:
    """Yield so many different events, or fewer if no more are found, that tell conditions apart."""
    maker = EventMaker(places, Random(seed), lists)
    asked = fields_asked((one, other))
    goals = (one, other, And((one, other)), And((one, Not(other))), And((other, Not(one))))
    seen: set[bytes] = set()
    turn = 0
    while len(seen) < count and turn < 12 * count:
        event = maker.make(goals[turn % len(goals)])
        for _ in range(turn // len(goals) % 4):
            event = maker.change(event, asked)
        turn += 1
        text = orjson.dumps(event, option=orjson.OPT_SORT_KEYS, default=str)
        if text not in seen:
            seen.add(text)
            yield event


def put(event: Event, keys: tuple[str, ...], value: object) -> None:
    """Put a value at keys; where something else stands in between it is replaced."""
    last = keys[-1]
    at: Any = event
    for key, following in pairwise(keys):
        if isinstance(at, list):
            at = at[0]
            continue
        inner = at.get(key)
        if not isinstance(inner, dict | list) or not inner:
            inner = [{}] if following.isdigit() else {}
            at[key] = inner
        at = inner
    if isinstance(at, list):
        at[0] = value
    else:
        at[last] = value


def get(event: Event, keys: tuple[str, ...]) -> object:
    """Return what stands at keys, or None."""
    at: object = event
    for key in keys:
        if isinstance(at, list) and at:
            at = at[0]
            if key.isdigit():
                continue
        at = at.get(key) if isinstance(at, dict) else None
    return at


def remove(event: Event, keys: tuple[str, ...]) -> None:
    """Leave out what stands at keys."""
    *outer, last = keys
    holder = get(event, tuple(outer)) if outer else event
    if isinstance(holder, dict):
        holder.pop(last, None)
