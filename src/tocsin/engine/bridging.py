"""Which rules a bridge concerns: those that look for an action which its events stand for."""

from collections.abc import Sequence

from tocsin.condition.evaluate import holds
from tocsin.condition.functions import Scalar, apply, fold
from tocsin.condition.simplify import substitute
from tocsin.condition.tree import FALSE, TRUE, Condition, Field, Leaf, Op, Predicate, leaves
from tocsin.engine.plan import select
from tocsin.logs.bridges import Bridge
from tocsin.logs.logtype import LogType, Variant
from tocsin.rules.model import Input, Rule

_PRESENCE = {Op.EXISTS, Op.IS_NULL}


def actions_sought(one: Input, bridge: Bridge) -> list[str]:
    """Return the bridge's actions that an input looks for, in the table's order.

    It looks for an action if one of its predicates asks for it and the whole condition can hold for
    an event whose bridged names read so, whatever else the event says.
    """
    names = {fold(name) for name in bridge.names}
    read = [leaf for leaf in leaves(one.condition) if _reads(leaf, names)]
    asking = [leaf for leaf in read if leaf.op not in _PRESENCE]
    actions = dict.fromkeys(a for of in bridge.operations.values() for a in of) if asking else ()
    return [
        action
        for action in actions
        if any(_asks(leaf, action) for leaf in asking) and _can_hold(one.condition, names, action)
    ]


def _can_hold(condition: Condition, names: set[str], action: str) -> bool:
    """Say whether a condition is not false already because the names read an action."""

    def decide(leaf: Leaf) -> Condition:
        if not _reads(leaf, names):
            return leaf
        return TRUE if _asks(leaf, action) else FALSE

    return substitute(condition, decide) != FALSE


def _reads(leaf: Leaf, names: set[str]) -> bool:
    if not isinstance(leaf, Predicate) or len(leaf.field.path) != 1:
        return False
    return fold(leaf.field.path[0]) in names


def _asks(leaf: Leaf, action: str) -> bool:
    def read(field: Field) -> list[Scalar] | None:
        return apply(field.via, [action])

    return holds(leaf, read)


def bridged_inputs(
    rules: Sequence[Rule], bridge: Bridge, target: LogType
) -> list[tuple[int, int, Variant, str]]:
    """Return the inputs that a bridge shows its events to, as `compile_plan` takes them."""
    variant = Variant(TRUE, bridge.expressions())
    return [
        (number, at, variant, bridge.name)
        for number, rule in enumerate(rules)
        for at, one in enumerate(rule.inputs)
        if select(target, one) and actions_sought(one, bridge)
    ]
