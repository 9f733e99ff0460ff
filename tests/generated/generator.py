"""Make events that a Sigma rule must match and events that it must not, from pySigma's own tree.

The search decides which leaves are to be true and which false, and looks for values of the fields
that make them so. The oracle of `oracle.sigma_oracle` judges every value and every finished event.
Nothing here knows how Tocsin reads a rule; a `World` says what the events of a log source hold.
"""

import hashlib
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from random import Random

from sigma import conditions, types

from generated.corpus import CorpusRule
from generated.texts import PRESENT, altered, candidates, is_text
from oracle import sigma_oracle
from oracle.sigma_oracle import MISSING, fold

Values = dict[str, object]
"""Slot → JSON value. A slot is where a value stands, however many names a rule has for it."""

STEPS = 20_000
SOLUTIONS = 40
POSITIVE, EACH_VALUE = "positive", "another value"
TO_MATCH = {POSITIVE, EACH_VALUE}
ELSEWHERE = "an event of another log source"
VALUES, FILTERS, FILTERS_PER_NEGATION, EDITS_PER_SLOT = 25, 6, 3, 2


@dataclass(frozen=True)
class World:
    """What the events of a log source hold besides what a rule asks for."""

    slot: Callable[[str], str] = fold
    """Field name → slot."""
    gates: Sequence[Values] = ({},)
    """What makes an event one of the log source; several are alternatives."""
    recorded: Callable[[str], bool] = lambda _: True
    """Whether such an event can hold a slot at all."""
    defaults: Values = field(default_factory=dict)
    """What an event holds where a rule asks for nothing."""
    free: tuple[str, ...] = ("message",)
    """Slots for keywords."""
    always: frozenset[str] = frozenset()
    """Slots that cannot be missing, or whose value other slots tell as well."""
    elsewhere: Sequence[Values] = ()
    """What makes an event one of another log source."""
    lists: bool = False
    """Whether a slot may hold several values."""


@dataclass(frozen=True)
class Probe:
    """An event for a rule, and whether the rule must match it."""

    rule: CorpusRule
    kind: str
    values: Values
    expected: bool


@dataclass(frozen=True)
class Solution:
    """Values that make a rule true, and the slots that must hold nothing for that."""

    values: Values
    empty: frozenset[str]


@dataclass
class Slot:
    """What was decided about one slot so far, and a value that does it all."""

    wanted: tuple[types.SigmaType, ...] = ()
    unwanted: tuple[types.SigmaType, ...] = ()
    present: bool = False
    empty: bool = False
    value: object = MISSING


@dataclass
class State:
    """What was decided about one event so far."""

    slots: dict[str, Slot] = field(default_factory=dict)
    keywords: tuple[types.SigmaType, ...] = ()
    equal: tuple[tuple[str, str], ...] = ()
    different: tuple[tuple[str, str], ...] = ()

    def copy(self) -> "State":
        return replace(self, slots=dict(self.slots))


class Search:
    """Looks for events of one world that make one rule true.

    From turn 1 on, choices and wildcards are filled in oddly; nodes of `through` (by id) are chosen
    before others.
    """

    def __init__(
        self, rule: CorpusRule, world: World, turn: int = 0, through: Collection[int] = ()
    ) -> None:
        self.rule = rule
        self.world = world
        self.turn = turn
        self.through = through
        self.chance = Random(f"{rule.id}:{turn}")
        self.gate: Values = {}
        self.turned: Mapping[int, object] = {}
        self.steps = 0

    def solutions(self, turned: Mapping[int, object] | None = None) -> Iterator[Solution]:
        """Yield events; `turned` gives for negations (by id) a part that is to be true instead.

        With such parts the rule need not hold for the event.
        """
        self.turned = turned or {}
        for gate in rotated(self.world.gates, self.turn):
            for tree in self.rule.trees:
                self.gate, self.steps = gate, STEPS
                for state in islice(self.search([(tree, True)], State()), SOLUTIONS):
                    solution = self.finish(state)
                    if self.turned or self.holds(solution.values):
                        yield solution

    def holds(self, values: Values) -> bool:
        return self.rule.matches(flat_event(self.rule, self.world, values))

    def search(self, goals: list[tuple[object, bool]], state: State) -> Iterator[State]:
        """Decide what is certain, then try the parts of what leaves a choice, fewest first."""
        choices = []
        goals = goals[::-1]
        while goals:
            node, wanted = goals.pop()
            if isinstance(node, conditions.ConditionNOT):
                instead = self.turned.get(id(node))
                goals.append((instead, True) if instead else (node.args[0], not wanted))
            elif is_choice(node, wanted=wanted):
                choices.append((node, wanted))
            elif isinstance(node, conditions.ConditionAND | conditions.ConditionOR):
                goals.extend((part, wanted) for part in reversed(node.args))
            elif not self.decide(state, node, wanted=wanted):
                return
        if not choices:
            yield state
            return
        choices.sort(key=lambda choice: (not choice[1], len(parts_of(choice[0]))))
        (node, wanted), *rest = choices
        parts = rotated(parts_of(node), self.chance.random() if self.turn else 0)
        for part in sorted(parts, key=lambda part: id(part) not in self.through):
            self.steps -= 1
            if self.steps < 0:
                return
            yield from self.search([(part, wanted), *rest], state.copy())

    def decide(self, state: State, leaf: object, *, wanted: bool) -> bool:
        """Make a leaf true or false, if that can be done."""
        if isinstance(leaf, conditions.ConditionValueExpression):
            if wanted:
                state.keywords += (leaf.value,)
            return True
        name, value = self.world.slot(leaf.field), leaf.value
        fixed = self.gate.get(name, MISSING)
        if fixed is not MISSING or not self.world.recorded(name):
            return fits(fixed, value) == wanted
        if isinstance(value, types.SigmaFieldReference):
            pair = (name, self.world.slot(value.field))
            if wanted:
                state.equal += (pair,)
            else:
                state.different += (pair,)
            return True
        slot = self.add(state.slots.get(name, Slot()), value, wanted=wanted)
        if slot is None:
            return False
        state.slots[name] = slot
        return True

    def add(self, slot: Slot, value: types.SigmaType, *, wanted: bool) -> Slot | None:
        """Add what a leaf asks for to a slot; None if no value does it all."""
        if fits(MISSING, value):
            added = replace(slot, empty=True) if wanted else replace(slot, present=True)
        elif wanted:
            added = replace(slot, wanted=(*slot.wanted, value), present=True)
        else:
            added = replace(slot, unwanted=(*slot.unwanted, value))
        if added.empty and added.present:
            return None
        if added.present == is_there(slot) and fits(slot.value, value) == wanted:
            return added
        return self.with_value(added)

    def with_value(self, slot: Slot) -> Slot | None:
        """Look for a value that fits everything a slot is to be and nothing it is not to be."""
        if not slot.present:
            return replace(slot, value=MISSING)
        for candidate in candidates(slot.wanted, self.chance, odd=self.turn > 0):
            if all(fits(candidate, value) for value in slot.wanted) and not any(
                fits(candidate, value) for value in slot.unwanted
            ):
                return replace(slot, value=candidate)
        return None

    def finish(self, state: State) -> Solution:
        """Write down the values that a search has found."""
        values = {**self.world.defaults, **self.gate}
        values |= {name: slot.value for name, slot in state.slots.items() if is_there(slot)}
        for one, other in state.equal:
            shared = next((values[name] for name in (one, other) if name in values), PRESENT[0])
            values |= {one: shared, other: shared}
        for one, other in state.different:
            if one in values and values[one] == values.get(other):
                values[one] = f"{values[one]}x"
        self.place_keywords(state.keywords, values)
        empty = {name for name, slot in state.slots.items() if slot.empty}
        return Solution(values, frozenset(empty))

    def place_keywords(self, keywords: Sequence[types.SigmaType], values: Values) -> None:
        """Write keywords into the free slots, in one text or each into another."""
        texts = [next(keyword_texts(value, self.chance)) for value in keywords]
        free = self.world.free
        spread = len(free) if self.turn else 1
        for number, name in enumerate(free[:spread]):
            mine = texts[number::spread]
            if mine:
                values[name] = " ".join([*([str(values[name])] if name in values else []), *mine])


def some_of(items: Sequence, most: int) -> Sequence:
    """Take so many at most from all over a list."""
    return items[:: max(1, -(-len(items) // most))]


def is_choice(node: object, *, wanted: bool) -> bool:
    """Say whether one part of a node is enough."""
    if isinstance(getattr(node, "value", None), types.SigmaExpansion):
        return wanted
    return isinstance(node, conditions.ConditionOR if wanted else conditions.ConditionAND)


def parts_of(node: object) -> Sequence[object]:
    if hasattr(node, "args"):
        return node.args
    return [replace_value(node, value) for value in node.value.values]


def replace_value(leaf: object, value: types.SigmaType) -> object:
    if isinstance(leaf, conditions.ConditionValueExpression):
        return conditions.ConditionValueExpression(value)
    return conditions.ConditionFieldEqualsValueExpression(leaf.field, value)


def rotated(items: Sequence, turn: float) -> list:
    """Start a list at another item: a share of its length, or so many items later."""
    start = int(turn * len(items)) if isinstance(turn, float) else turn % max(len(items), 1)
    return [*items[start:], *items[:start]]


def is_there(slot: Slot) -> bool:
    return slot.value is not MISSING


def fits(found: object, value: types.SigmaType) -> bool:
    """Ask the oracle whether a value is what a leaf wants."""
    number = isinstance(found, int | float) and not isinstance(found, bool)
    return sigma_oracle.field_holds(sigma_oracle.Written(found) if number else found, value, {})


def keyword_texts(value: types.SigmaType, chance: Random) -> Iterator[str]:
    """Yield texts that hold a keyword."""
    if not is_text(value):
        yield str(value).lower()
    for text in candidates([value], chance):
        if sigma_oracle.is_keyword(text, value):
            yield text


def flat_event(rule: CorpusRule, world: World, values: Values) -> dict:
    """Return an event under the names that a rule uses, as the oracle reads JSON."""
    named = {name: values[slot] for name in rule.fields if (slot := world.slot(name)) in values}
    return sigma_oracle.parse_event(json.dumps({**values, **named}))


def share(text: str, parts: int) -> int:
    """Sort a text into one of so many parts, always the same one."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4]) % parts


def make_probes(rule: CorpusRule, world: World) -> list[Probe]:
    """Make the events for a rule; none at all if no event can match it."""
    found = next(Search(rule, world).solutions(), None)
    if found is None:
        return []
    made = {
        POSITIVE: [found.values],
        EACH_VALUE: list(with_each_value(rule, world)),
        "a field is missing": without_each(found, world),
        "a value differs": list(changed_each(rule, world, found)),
        "a field that must be empty is not": [{**found.values, one: "q7"} for one in found.empty],
        "a filter applies": list(filtered(rule, world)),
        "letters in other case": list(swapped(found, world)),
        "numbers as text": [as_text(found, world)],
        "values in lists": [in_lists(found, world)] if world.lists else [],
    }
    probes = {}
    for kind, events in made.items():
        for values in events:
            text = json.dumps(values, sort_keys=True)
            if text not in probes:
                expected = rule.matches(flat_event(rule, world, values))
                probes[text] = Probe(rule, kind, values, expected)
    moved = ({**found.values, **elsewhere} for elsewhere in world.elsewhere)
    return [*probes.values(), *(Probe(rule, ELSEWHERE, values, False) for values in moved)]


def with_each_value(rule: CorpusRule, world: World) -> Iterator[Values]:
    """Find an event for each value that the rule asks for, or for some of very many."""
    paths = [path for tree in rule.trees for path in paths_of(tree)]
    for turn, path in enumerate(some_of(paths, VALUES), 1):
        solution = next(Search(rule, world, turn, path).solutions(), None)
        if solution is not None:
            yield solution.values


def paths_of(node: object, path: frozenset[int] = frozenset()) -> Iterator[frozenset[int]]:
    """Yield for each leaf that is not under a negation the ids of the nodes that lead to it."""
    path |= {id(node)}
    if not hasattr(node, "args"):
        yield path
    elif not isinstance(node, conditions.ConditionNOT):
        for part in node.args:
            yield from paths_of(part, path)


def changeable(solution: Solution, world: World) -> list[str]:
    """List the slots that the rule chose: neither defaults nor what makes the log source."""
    gates = {name for gate in world.gates for name in gate}
    return [
        name
        for name, value in solution.values.items()
        if name not in gates and world.defaults.get(name, MISSING) != value
    ]


def without_each(solution: Solution, world: World) -> list[Values]:
    """Leave each slot out in turn, or put null there."""
    events = []
    for number, name in enumerate(changeable(solution, world)):
        if name not in world.always:
            events.append({key: one for key, one in solution.values.items() if key != name})
            if number == 0:
                events.append({**solution.values, name: None})
    return events


def changed_each(rule: CorpusRule, world: World, solution: Solution) -> Iterator[Values]:
    """Change each slot in turn, as little as makes the rule not match."""
    for name in changeable(solution, world):
        edited = ({**solution.values, name: one} for one in altered(solution.values[name]))
        missed = (one for one in edited if not rule.matches(flat_event(rule, world, one)))
        yield from islice(missed, EDITS_PER_SLOT)


def filtered(rule: CorpusRule, world: World) -> Iterator[Values]:
    """Find events that meet what a negation excludes, everything else being as the rule wants."""
    options = (option for tree in rule.trees for option in excluded(tree))
    for negation, part in islice(options, FILTERS):
        solution = next(Search(rule, world).solutions({id(negation): part}), None)
        if solution is not None:
            yield solution.values


def excluded(node: object) -> Iterator[tuple[object, object]]:
    """Yield negations, each with some of the parts that it excludes."""
    if isinstance(node, conditions.ConditionNOT):
        inner = node.args[0]
        parts = inner.args if isinstance(inner, conditions.ConditionOR) else [inner]
        yield from ((node, part) for part in some_of(parts, FILTERS_PER_NEGATION))
    elif hasattr(node, "args"):
        for part in node.args:
            yield from excluded(part)


def swapped(solution: Solution, world: World) -> Iterator[Values]:
    """Swap upper and lower case: everywhere at once, and in each slot alone."""
    texts = {
        name: solution.values[name].swapcase()
        for name in changeable(solution, world)
        if isinstance(solution.values[name], str)
    }
    yield {**solution.values, **texts}
    for name, text in texts.items():
        yield {**solution.values, name: text}


def as_text(solution: Solution, world: World) -> Values:
    """Write every number and truth value as text."""
    texts = {
        name: json.dumps(value)
        for name in changeable(solution, world)
        if isinstance(value := solution.values[name], bool | int | float)
    }
    return {**solution.values, **texts}


def in_lists(solution: Solution, world: World) -> Values:
    """Put every value into a list, beside another one."""
    lists = {name: ["q7", solution.values[name]] for name in changeable(solution, world)}
    return {**solution.values, **lists}
