"""Lift a rule: its `rule` as a condition, what describes its alerts as programs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from tocsin.condition.tree import TRUE as ALWAYS
from tocsin.condition.tree import And as AllOf
from tocsin.condition.tree import Condition
from tocsin.rules.panther.lift.calls import go_through
from tocsin.rules.panther.lift.conditions import parts_behind
from tocsin.rules.panther.lift.encode import encode
from tocsin.rules.panther.lift.logic import Budget, TooLong, conj, disj, is_exactly, ite
from tocsin.rules.panther.lift.lower import COMPUTED, FLAT, LISTS, Lowering
from tocsin.rules.panther.lift.machine import BUDGET, Exit, Machine, Model, Store
from tocsin.rules.panther.lift.modules import OWN, DataModel, Library
from tocsin.rules.panther.lift.nodes import EVENT, FALSE, NONE, TRUE, Node, app, const
from tocsin.rules.panther.lift.things import Function, Module, Value
from tocsin.rules.panther.lift.tidy import tidy

UNLIMITED = 10**9
MOST_PARTS = 3_000
"""Parts of a condition: one that takes more is left to Python."""
TEXT_BUDGET = 25_000
TEXTS = (
    "title",
    "description",
    "reference",
    "severity",
    "runbook",
    "destinations",
    "dedup",
    "alert_context",
    "unique",
)
"""Functions that describe an alert, in the order in which Panther calls them."""


class Tier(StrEnum):
    """How far a rule is lifted."""

    FLAT = "A1"
    """Exactly, with comparisons of fields."""
    LISTS = "A2"
    """Exactly, with members of lists, parts of texts or two fields compared."""
    COMPUTED = "A3"
    """Exactly, with values that are computed: addresses, numbers, JSON in texts."""
    PREFILTER = "B"
    """Not exactly: the condition holds wherever the rule matches."""
    NOTHING = "C"
    """Not at all: the condition always holds."""


@dataclass(frozen=True, slots=True)
class Lifted:
    """What became of a rule for one log type.

    `condition` is in the vocabulary `panther`; where it is not `exact` it holds at least wherever
    the rule matches. `texts` are programs (`tocsin.python`) on the event for the functions that
    describe alerts and could be lifted; of the others, `untold` says why not.
    """

    condition: Condition
    exact: bool
    tier: Tier
    obstacles: tuple[str, ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict)
    untold: Mapping[str, str] = field(default_factory=dict)
    asks_model: bool = False
    """Whether any of it depends on the data model of the log type."""


def lift(
    source: str,
    helpers: Mapping[str, str] | Library,
    model: DataModel | None = None,
    *,
    function: str = "rule",
    texts: bool = True,
) -> Lifted:
    """Lift a rule from the text of its module, of the pack's helpers and of its data model.

    `function` is `policy` for policies, which match where theirs is false. Nothing is imported, run
    or opened.
    """
    library = helpers if isinstance(helpers, Library) else Library(helpers)
    try:
        module, written = library.own(source)
    except (SyntaxError, ValueError, RecursionError) as error:
        reason = f"line 1: no Python: {error}"
        return Lifted(ALWAYS, exact=False, tier=Tier.NOTHING, obstacles=(reason,))
    return _Lift(library, module, written, library.model(model), function).lift(texts=texts)


class _Lift:
    def __init__(
        self,
        library: Library,
        module: Module,
        written: frozenset[str],
        model: Model | None,
        function: str,
    ) -> None:
        self._library = library
        self._module = module
        self._written = written
        self._model = model
        self._function = function

    def lift(self, *, texts: bool) -> Lifted:
        unknown: frozenset[str] = frozenset()
        run = self._run(unknown, texts=texts)
        while run.written - unknown:
            unknown = self._written
            run = self._run(unknown, texts=texts)
        return run.lifted()

    def _run(self, unknown: frozenset[str], *, texts: bool) -> "_Run":
        """Go through the functions; names that some of them write are unknown to begin with."""
        machine = self._library.machine(self._model)
        machine.modules = {**self._library.modules, OWN: self._module}
        machine.module = self._module
        machine.plain = self._function == "policy"
        machine.may_write = self._library.may_write | {(OWN, name) for name in self._written}
        machine.obstacles.clear()
        machine.store = {
            (OWN, name): machine.unknown(f"{name} is written by a function") for name in unknown
        }
        run = _Run(machine, self._module, self._function, self._written)
        run.rule()
        if texts and not run.written - unknown:
            run.texts()
        Budget.left = UNLIMITED
        return run


class _Run:
    """One run of a rule's functions."""

    def __init__(
        self, machine: Machine, module: Module, function: str, written: frozenset[str]
    ) -> None:
        self._machine = machine
        self._module = module
        self._function = function
        self._globals = written
        self._lost_globals = False
        self._matches: Node = TRUE
        self._condition: Condition = ALWAYS
        self._lowering = Lowering()
        self._obstacles: dict[tuple[str, int, str], None] = {}
        self._texts: dict[str, str] = {}
        self._untold: dict[str, str] = {}

    @property
    def written(self) -> frozenset[str]:
        """Return the names of the module that a function of it writes, or may."""
        if self._lost_globals:
            return self._globals
        return frozenset(name for module, name in self._machine.written if module == OWN)

    def rule(self) -> None:
        decide = self._module.names.get(self._function)
        if decide is None and self._function == "rule":
            self._matches = TRUE
            return
        exits = self._call(decide)
        Budget.left = UNLIMITED
        wanted = self._function == "rule"
        returns = [one for one in exits if one.kind == "return"]
        found = disj(*(conj(one.condition, self._is(one, wanted=wanted)) for one in returns))
        lost = disj(*(one.condition for one in exits if one.kind == "lost"))
        if lost is FALSE and (not found.unknown):
            self._obstacles = {}
        else:
            self._obstacles = dict(self._machine.obstacles)
        unknown = self._machine.unknown("") if lost is not FALSE else FALSE
        self._matches = disj(found, conj(lost, unknown))
        Budget.left = UNLIMITED
        self._condition = self._without_large(self._lowering.lower(tidy(self._matches)))
        self._follow(returns)

    def _without_large(self, condition: Condition) -> Condition:
        """Leave to Python what takes more parts to say than it is worth; the rest is necessary."""
        parts = condition.parts if isinstance(condition, AllOf) else (condition,)
        kept = tuple(part for part in parts if parts_behind(part, MOST_PARTS) >= 0)
        if len(kept) == len(parts) or not kept:
            return condition
        self._lowering.left_out[f"a condition of more than {MOST_PARTS:,} parts"] = None
        return AllOf(kept)

    def _is(self, one: Exit, *, wanted: bool) -> Node:
        self._machine.store = one.store
        return is_exactly(self._machine.pure(one.value), wanted)

    def _call(self, function: Value | None, budget: int = BUDGET) -> list[Exit]:
        """Go through a function on the event; return how it ends."""
        machine = self._machine
        Budget.left = budget
        machine.alive, machine.exits = TRUE, []
        store = machine.store
        if not isinstance(function, Function):
            machine.give_up("it is no function of the file")
            return machine.exits

        try:
            ended = go_through(machine, function, [EVENT], {})
        except TooLong:
            machine.alive, machine.store, machine.depth, machine.caught = TRUE, store, 0, 0
            machine.exits = []
            machine.module = self._module
            machine.give_up("it takes too much work")
            self._lost_globals = True
            return machine.exits
        if ended is None:
            return machine.exits
        returned = Exit("return", ended.alive, ended.value, store=ended.store)
        if any(one.kind == "lost" for one in ended.exits):
            self._lost_globals = True
        return [*ended.exits, *([returned] if ended.alive is not FALSE else [])]

    def _follow(self, returns: list[Exit]) -> None:
        """Take the state behind the rule where it matches to what describes the alert."""
        machine = self._machine
        machine.alive, machine.exits = TRUE, []
        if returns:
            _, machine.store = machine.merge_exits(returns)

    def texts(self) -> None:
        for name in TEXTS:
            function = self._module.names.get(name)
            if function is None:
                continue
            self._machine.obstacles.clear()
            self._text(name, function)

    def _text(self, name: str, function: Value) -> None:
        store: Store = self._machine.store
        exits = self._call(function, TEXT_BUDGET)
        Budget.left = UNLIMITED
        made = self._made(exits)
        if made is None or made.unknown:
            reasons = [f"line {line}: {reason}" for _, line, reason in self._machine.obstacles]
            self._untold[name] = "; ".join(reasons[:3]) or "it is not known"
        else:
            self._texts[name] = encode(made)
        returns = [one for one in exits if one.kind == "return"]
        self._machine.alive, self._machine.exits = TRUE, []
        self._machine.store = self._machine.merge_exits(returns)[1] if returns else store

    def _made(self, exits: list[Exit]) -> Node | None:
        """Return what a function gives: a value, or what it raises."""
        if any(one.kind == "lost" for one in exits):
            return None
        made: Node | None = None
        for one in sorted(exits, key=lambda one: one.kind != "return"):
            value = self._value(one)
            made = value if made is None else ite(one.condition, value, made)
        return made

    def _value(self, one: Exit) -> Node:
        if one.kind == "return":
            self._machine.store = one.store
            return self._machine.pure(one.value)
        if isinstance(one.exception, str):
            return app("raise", const(one.exception))
        if isinstance(one.value, Node) and one.value is not NONE:
            return one.value
        return app("raise", const("Exception"))

    def lifted(self) -> Lifted:
        left_out = self._lowering.left_out
        exact = not left_out
        reasons = [
            f"{_where(module)}line {line}: {reason}" for module, line, reason in self._obstacles
        ]
        if not reasons:
            reasons = [f"line 1: {reason}" for reason in left_out]
        obstacles = tuple(dict.fromkeys(reasons)) if not exact else ()
        tier = self._tier(exact)
        return Lifted(
            self._condition,
            exact,
            tier,
            obstacles,
            self._texts,
            self._untold,
            self._machine.asked_model,
        )

    def _tier(self, exact: bool) -> Tier:  # noqa: FBT001
        if exact:
            return {FLAT: Tier.FLAT, LISTS: Tier.LISTS, COMPUTED: Tier.COMPUTED}[
                self._lowering.level
            ]
        return Tier.NOTHING if self._condition == ALWAYS else Tier.PREFILTER


def _where(module: str) -> str:
    return "" if module == OWN else f"{module}, "
