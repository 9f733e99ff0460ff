"""The state of a symbolic run: under which condition it goes on, and how parts of it have ended.

A run goes through all paths at once. `alive` is the condition under which the present statement is
reached, counted from the beginning of the present *scope* (a branch, a body); where a scope ends,
what happened in it is put under the condition of the scope around it.
"""

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from tocsin.rules.panther.lift.apply import apply
from tocsin.rules.panther.lift.logic import conj, disj, ite, negation, spend, truth
from tocsin.rules.panther.lift.nodes import (
    FALSE,
    NONE,
    TRUE,
    Node,
    Unknown,
    get,
)
from tocsin.rules.panther.lift.raising import Raise
from tocsin.rules.panther.lift.things import (
    Bound,
    Choice,
    Class,
    Frame,
    Function,
    Lib,
    Module,
    Ref,
    Thing,
    Value,
)

Evaluate: TypeAlias = "Callable[[Machine, ast.expr], Value]"
Execute: TypeAlias = "Callable[[Machine, Sequence[ast.stmt]], None]"
Store: TypeAlias = Mapping[object, Value]
"""What containers hold, by their number, and changed names of modules, by (module, name)."""

BUDGET = 40_000
"""Work after which a function is given up: steps, and parts of conditions that are joined."""
CALL_BUDGET = 20_000
"""Work after which what a function calls is given up."""
DEEPEST = 24
"""Calls inside of calls."""


@dataclass(slots=True)
class Exit:
    """A way out of a scope: `return`, `break`, `continue`, `raise` or `lost`."""

    kind: str
    condition: Node
    value: Value = NONE
    exception: Value | str | None = None
    """The exception where its name is known; `value` is what raises it."""
    store: Store = field(default_factory=dict)
    names: "Mapping[str, Value]" = field(default_factory=dict)


@dataclass(slots=True)
class Ended:
    """How a scope went: what it gave, where it goes on, and the state there."""

    value: Value
    alive: Node
    exits: list[Exit]
    store: Store
    names: "Mapping[str, Value]"


@dataclass(frozen=True, slots=True)
class Remembered:
    """What came of a call: its value, or what a new container holds; how it ended otherwise."""

    value: Node
    is_container: bool
    failed: tuple[Exit, ...]
    notes: tuple[tuple[str, int, str], ...]
    asked_model: bool


@dataclass(slots=True)
class Model:
    """The data model of the events: what its names mean, and the module of its methods."""

    meanings: Mapping[str, tuple[str, ...] | str | None]
    """A path, or the name of a method; None for what is not followed."""
    module: Module | None = None
    error: str = ""


class Machine:
    """The state of a run."""

    def __init__(self, evaluate: "Evaluate", execute: "Execute") -> None:
        self._evaluate, self._execute = evaluate, execute
        self.alive: Node = TRUE
        self.exits: list[Exit] = []
        self.store: Store = {}
        self.frame = Frame({})
        self.module = Module("")
        self.caught = 0
        """How many `try` statements are around."""
        self.depth = 0
        self.active: list[Function] = []
        """Functions that are being gone through."""
        self.memory: dict[object, Remembered] = {}
        """What calls gave that depend on their arguments only."""
        self.line = 0
        self.obstacles: dict[tuple[str, int, str], None] = {}
        self.escaped: set[int] = set()
        self.modules: dict[str, Module] = {}
        self.imports: Callable[[str], Value] = Lib
        self.model: Model | None = None
        self.asked_model = False
        self.plain = False
        """Whether the event is given as plain dictionaries and lists, as policies get it."""
        self.written: dict[tuple[str, str], None] = {}
        """Names of modules that functions have written."""
        self.may_write: frozenset[tuple[str, str]] = frozenset()
        """Names of modules that some function writes."""
        self._numbers = 1

    # Code

    def evaluate(self, node: ast.expr) -> Value:
        """Return what an expression gives."""
        return self._evaluate(self, node)

    def execute(self, body: Sequence[ast.stmt]) -> None:
        """Run statements."""
        self._execute(self, body)

    def truth(self, value: Value) -> Node:
        """Return when a value counts as true."""
        if isinstance(value, Choice):
            then, otherwise = self.truth(value.then), self.truth(value.otherwise)
            return ite(value.condition, then, otherwise)
        if isinstance(value, Ref) and value.of is None:
            return truth(self.peek(value))
        if isinstance(value, Function | Class | Module | Bound | Lib | Ref):
            return TRUE
        return truth(self.pure(value))

    def import_module(self, name: str) -> Value:
        """Return a module of the pack, or of others."""
        return self.imports(name)

    # Numbers and unknown values

    def number(self) -> int:
        """Return a number that nothing has yet."""
        self._numbers += 1
        return self._numbers

    def unknown(self, reason: str) -> Node:
        """Return a value that nothing is known of."""
        self.note(reason)
        return Unknown(self.number())

    def note(self, reason: str) -> None:
        """Keep why something could not be said, with its place."""
        if self.alive is not FALSE:
            self.obstacles[(self.module.name, self.line, reason)] = None

    def variable(self, *, of_event: bool) -> Node:
        """Return a new variable; whether it is a member of a list of the event."""
        number = self.number()
        while number % 2 == of_event:
            number = self.number()
        return get(number, ())

    def lose_globals(self) -> None:
        """Say that functions may have written any of the names that they write somewhere."""
        unknown: dict[object, Value] = {
            name: self.unknown(f"{name[1]} may be written") for name in self.may_write
        }
        self.store = {**self.store, **unknown}

    # How a run goes on and ends

    def leave(self, kind: str, value: Value = NONE) -> None:
        """Leave the scope here."""
        self._exit(Exit(kind, self.alive, value))
        self.alive = FALSE

    def give_up(self, reason: str) -> None:
        """Say that anything may happen from here on."""
        self.note(reason)
        self.leave("lost")

    def fail(self, condition: Node, exception: Value | str | None, of: Node | None = None) -> None:
        """Raise an exception where a condition holds, and go on where it does not."""
        reached = conj(self.alive, condition)
        if reached is FALSE:
            return
        self._exit(Exit("raise", reached, NONE if of is None else of, exception))
        self.alive = conj(self.alive, negation(condition))

    def _exit(self, one: Exit) -> None:
        if one.condition is not FALSE:
            one.store, one.names = self.store, self.frame.names
            self.exits.append(one)

    def record(self, raises: tuple[Raise, ...]) -> None:
        """Take over where an operation raises.

        Where nothing would catch it, an exception of a kind that is not known at sight is passed
        over: the rule then says nothing of the event, and so may the condition say anything.
        """
        for one in raises:
            if one.exception is not None or self.caught:
                self.fail(one.condition, one.exception, one.of)

    def apply(self, name: str, *args: Value) -> Node:
        """Apply an operation to values."""
        spend(4)
        value, raises = apply(name, *map(self.pure, args))
        if raises:
            self.record(raises)
        return value

    # Containers

    def allocate(self, value: Value) -> Ref:
        """Return a new container that holds a value."""
        ref = Ref(self.number())
        self.store = {**self.store, ref.number: value}
        return ref

    def pure(self, value: Value) -> Node:
        """Return a value as it is now; containers that are part of it must not change any more."""
        if isinstance(value, Node):
            return value
        if isinstance(value, Ref) and value.of is None:
            self.escaped.add(value.number)
            return self.pure(self.store[value.number])
        if isinstance(value, Choice):
            return ite(value.condition, self.pure(value.then), self.pure(value.otherwise))
        return self.unknown(f"a {type(value).__name__.lower()} is used as a value")

    def peek(self, value: Value) -> Node:
        """Return a value as it is now, for a result that does not hold it."""
        if isinstance(value, Ref) and value.of is None:
            return self.peek(self.store[value.number])
        return self.pure(value)

    # Scopes

    def scope(self, action: "Callable[[], Value]") -> Ended:
        """Run something in a scope of its own; the state is as before afterwards."""
        spend(8)
        before = self.alive, self.exits, self.store, self.frame.names
        self.alive, self.exits = TRUE, []
        try:
            value = action()
            return Ended(value, self.alive, self.exits, self.store, self.frame.names)
        finally:
            self.alive, self.exits, self.store, self.frame.names = before

    def branch(
        self, condition: Node, then: "Callable[[], Value]", otherwise: "Callable[[], Value]"
    ) -> Value:
        """Run one of two actions, each where it is reached, and return what they give."""
        if condition is TRUE:
            return then()
        if condition is FALSE:
            return otherwise()
        first, second = self.scope(then), self.scope(otherwise)
        return self.join(condition, first, second)

    def join(self, condition: Node, first: Ended, second: Ended) -> Value:
        """Go on after two scopes of which one was reached."""
        against = negation(condition)
        self.adopt(first.exits, condition)
        self.adopt(second.exits, against)
        if first.alive is FALSE or second.alive is FALSE:
            end = second if first.alive is FALSE else first
            self.store, self.frame.names = end.store, end.names
            reached = against if end is second else condition
            self.alive = conj(self.alive, reached, end.alive)
            return end.value
        self.store = self.merge(condition, first.store, second.store)
        self.frame.names = self.merge(condition, first.names, second.names)
        if first.alive is not TRUE or second.alive is not TRUE:
            alive = disj(conj(condition, first.alive), conj(against, second.alive))
            self.alive = conj(self.alive, alive)
        return self.choose(condition, first.value, second.value)

    def adopt(self, exits: list[Exit], condition: Node) -> None:
        """Take over how a scope under a condition has ended."""
        under = conj(self.alive, condition)
        for one in exits:
            reached = conj(under, one.condition)
            if reached is not FALSE:
                self.exits.append(replace(one, condition=reached))

    def choose(self, condition: Node, then: Value, otherwise: Value) -> Value:
        """Return one of two values."""
        if then is otherwise or condition is TRUE:
            return then
        if condition is FALSE:
            return otherwise
        if isinstance(then, Thing) or isinstance(otherwise, Thing):
            return Choice(condition, then, otherwise)
        return ite(condition, then, otherwise)

    def merge(self, condition: Node, first: Mapping, second: Mapping) -> Mapping:  # type: ignore[type-arg]
        """Return the state behind two scopes of which one was reached."""
        if first is second:
            return first
        merged = dict(second)
        for key in {**first, **second}:
            one, other = first.get(key), second.get(key)
            if one is not other:
                default = self.untouched(key, one or other)
                merged[key] = self.choose(condition, one or default, other or default)
        return merged

    def untouched(self, key: object, found: Value | None) -> Value:
        """Return what a name is where it was not given anything."""
        if isinstance(key, int) and found is not None:
            return found
        if isinstance(key, tuple) and isinstance(key[0], str):
            module = self.modules.get(key[0])
            return module.names.get(str(key[1]), UNBOUND) if module else UNBOUND
        return UNBOUND

    def merge_exits(self, exits: list[Exit]) -> tuple[Value, Store]:
        """Return value and store after one of some exits, of which one is taken."""
        *others, last = exits
        value, store = last.value, last.store
        for one in reversed(others):
            value = self.choose(one.condition, one.value, value)
            store = self.merge(one.condition, one.store, store)
        return value, store


class _Unbound(Thing):
    """The value of a name that has none on some paths."""


UNBOUND = _Unbound()
