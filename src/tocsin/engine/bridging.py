"""Which rules a bridge concerns: those that look for an action which its events stand for."""

from collections.abc import Sequence

from tocsin.condition.evaluate import compile_test
from tocsin.condition.functions import fold
from tocsin.condition.tree import TRUE, Op, Predicate, leaves
from tocsin.engine.plan import select
from tocsin.logs.bridges import Bridge
from tocsin.logs.logtype import LogType, Variant
from tocsin.rules.model import Input, Rule


def actions_sought(one: Input, bridge: Bridge) -> list[str]:
    """Return the bridge's actions that a predicate of an input asks for, in the table's order."""
    names = {fold(name) for name in bridge.names}
    predicates = [
        leaf
        for leaf in leaves(one.condition)
        if isinstance(leaf, Predicate)
        and len(leaf.field.path) == 1
        and fold(leaf.field.path[0]) in names
        and leaf.op not in {Op.EXISTS, Op.IS_NULL}
    ]
    tests = [compile_test(p.op, p.values, p.fold_case) for p in predicates]
    actions = dict.fromkeys(a for of in bridge.operations.values() for a in of)
    return [action for action in actions if any(test(action) for test in tests)]


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
