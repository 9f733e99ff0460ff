"""Which leaves are evaluated on every row: rare ones, and never a program."""

import pytest

from tocsin.condition.tree import Call, Field, Op, Predicate
from tocsin.engine.anchors import first_leaves, leaf_costs
from tocsin.engine.plan import AllOf, AnyOf, Column, ColumnTest, Gated, NoneOf, needed
from tocsin.logs.whole import Whole


def a_test(*keys, via=(), op=Op.EQUALS, values=("x",)):
    return ColumnTest(Column(Whole((), keys), via), Predicate(Field(()), op, values))


NAME, SOURCE, KIND, THERE, PROGRAM = range(5)
LEAVES = {
    NAME: a_test("eventName"),
    SOURCE: a_test("eventSource"),
    KIND: a_test("sourceIPAddress", via=(Call("kind"),), values=("text",)),
    THERE: a_test("userIdentity", op=Op.EXISTS, values=()),
    PROGRAM: a_test("userIdentity", via=(Call("python", ("[]",)),), values=(True,)),
}


def first_of(*conditions):
    gated = Gated(conditions, (), tuple(LEAVES))
    costs = leaf_costs(gated, LEAVES)
    clauses = [needed(one, lambda clause: max(costs.get(at, 0.0) for at in clause))
               for one in conditions]  # fmt: skip
    return first_leaves(gated, clauses, costs)


@pytest.mark.parametrize(
    ("condition", "first"),
    [
        (AllOf((KIND, NAME)), {NAME}),
        (AllOf((THERE, PROGRAM, NAME)), {NAME}),
        (AllOf((PROGRAM, KIND)), {KIND}),
        (AnyOf((AllOf((THERE, NAME)), AllOf((KIND, SOURCE)))), {NAME, SOURCE}),
        (AllOf((PROGRAM, NoneOf(THERE))), {THERE}),
        (PROGRAM, set()),
    ],
)
def test_the_rarest_that_a_condition_needs_is_first(condition, first):
    assert first_of(condition) == first


def test_each_condition_has_its_own():
    assert first_of(AllOf((NAME, KIND)), AllOf((SOURCE, KIND))) == {NAME, SOURCE}
