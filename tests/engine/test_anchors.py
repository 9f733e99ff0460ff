"""Which leaves are evaluated on every row: rare ones, and never a program."""

import pytest

from tocsin.condition.tree import Call, Field, Op, Predicate
from tocsin.engine.anchors import first_leaves, leaf_costs
from tocsin.engine.plan import AllOf, AnyOf, Column, ColumnTest, Gated, NoneOf, leaf_numbers, needed
from tocsin.logs.mapping import Path
from tocsin.logs.whole import Whole


def a_test(*keys, via=(), op=Op.EQUALS, values=("x",)):
    return ColumnTest(Column(Whole((), keys), via), Predicate(Field(()), op, values))


NAME, SOURCE, KIND, THERE, PROGRAM, STATUS, OTHER_NAME = range(7)
LEAVES = {
    NAME: a_test("eventName"),
    SOURCE: a_test("eventSource"),
    KIND: a_test("sourceIPAddress", via=(Call("kind"),), values=("text",)),
    THERE: a_test("userIdentity", op=Op.EXISTS, values=()),
    STATUS: ColumnTest(Column(Path(("status",))), Predicate(Field(()), Op.EQUALS, ("ok",))),
    OTHER_NAME: a_test("eventName", values=("y",)),
    PROGRAM: a_test("userIdentity", via=(Call("python", ("[]",)),), values=(True,)),
}


def first_of(*conditions):
    leaves = sorted({at for one in conditions for at in leaf_numbers(one)})
    gated = Gated(conditions, (), tuple(leaves))
    costs = leaf_costs(gated, {at: LEAVES[at] for at in leaves})
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


def test_what_all_conditions_have_in_common_is_no_anchor_however_plainly_it_is_read():
    assert first_of(AllOf((STATUS, NAME)), AllOf((STATUS, OTHER_NAME))) == {NAME, OTHER_NAME}


def test_conditions_of_other_languages_have_all_of_their_plain_leaves_first():
    assert first_of(AllOf((STATUS,))) == {STATUS}
