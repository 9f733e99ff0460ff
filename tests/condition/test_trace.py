"""A traced condition says the same as `holds`, and of each part what it found."""

import json

import pytest

from oracle.makers import ConditionMaker
from tocsin.condition.changes import distance, smallest_changes
from tocsin.condition.evaluate import explain, holds
from tocsin.condition.trace import Node, leaf_nodes, trace
from tocsin.condition.tree import (
    FALSE,
    TRUE,
    And,
    AnyElement,
    Call,
    Field,
    FieldsCompare,
    Not,
    Op,
    Or,
    Predicate,
)
from tocsin.jsontext import read
from tocsin.logs.logtype import generic
from tocsin.logs.view import RecordView

SHAPE = generic("any", "any", "any").shapes[0]
TEXT = (Call("text"),)


def view(text: str) -> RecordView:
    return RecordView(read(text).value, SHAPE)


def asks(name: str, op: Op, *values: object, via: tuple = TEXT) -> Predicate:
    return Predicate(Field((name,), via), op, values, fold_case=True)


@pytest.mark.parametrize("seed", range(60))
def test_a_trace_is_true_where_the_condition_holds(seed: int) -> None:
    maker = ConditionMaker(seed)
    events = [view(json.dumps(maker.event())) for _ in range(12)]
    for _ in range(12):
        condition = maker.condition()
        for event in events:
            node = trace(condition, event)
            assert node.holds == holds(condition, event.read, readers_of(event))
            assert node.holds == (explain(condition, event.read, readers_of(event)) is not None)
            check_parts(node)
            check_changes(node)


def readers_of(event: RecordView):
    return lambda path: (one.read for one in event.elements(path))


def check_parts(node: Node) -> None:
    """Every node follows from its parts."""
    truths = [child.holds for child in node.children]
    match node.condition:
        case And():
            assert node.holds == all(truths)
        case Or() | AnyElement():
            assert node.holds == any(truths)
        case Not():
            assert [not node.holds] == truths
        case _:
            assert not truths
            assert node.reading is not None
            if isinstance(node.condition, FieldsCompare) or node.condition.op is not Op.EXISTS:
                assert node.holds == bool(node.met)
    for child in node.children:
        check_parts(child)


def check_changes(node: Node) -> None:
    """What would have to change is nothing, if the condition holds, else what makes it hold."""
    found = smallest_changes(node, lambda *_: 0)
    if node.holds:
        assert distance(node) == 0
        assert found == [()]
        return
    assert distance(node) > 0
    assert [len(changes) for changes in found] == sorted(len(changes) for changes in found)
    for changes in found:
        assumed = {(one.node.scope, one.node.condition): one.wanted for one in changes}
        assert len(assumed) == len(changes)
        assert all(one.node.holds != one.wanted for one in changes)
        assert assume(node, assumed)


def assume(node: Node, assumed: dict) -> bool:
    """Evaluate a traced condition with some truths given."""
    truths = [assume(child, assumed) for child in node.children]
    match node.condition:
        case And():
            return all(truths)
        case Or():
            return any(truths)
        case Not():
            return not truths[0]
        case AnyElement() if node.children:
            return any(truths)
        case _:
            return assumed.get((node.scope, node.condition), node.holds)


def test_a_predicate_says_what_was_found_and_where() -> None:
    [node] = leaf_nodes(trace(asks("b", Op.CONTAINS, "x"), view('{"a": 1, "B": ["y", "axb"]}')))
    assert node.holds
    assert node.met == ("axb",)
    assert node.reading.path == ("B",)
    assert node.reading.raw == ("y", "axb")


def test_an_absent_field_has_read_nothing() -> None:
    node = trace(asks("b", Op.EQUALS, "x"), view('{"a": 1}'))
    assert not node.holds
    assert node.reading.raw is None
    assert node.reading.path == ()


def test_values_are_shown_before_and_after_functions() -> None:
    number = (Call("number"),)
    node = trace(asks("a", Op.GREATER, 5, via=number), view('{"a": "7"}'))
    assert node.reading.raw == ("7",)
    assert node.reading.values == (7,)


def test_a_keyword_is_found_where_it_stands() -> None:
    keyword = Predicate(Field((), (Call("leaves"),)), Op.CONTAINS, ("needle",), fold_case=True)
    event = view('{"a": {"b": ["hay", {"c": "a Needle"}]}, "d": "needles"}')
    node = trace(keyword, event)
    assert (node.met, node.reading.path) == (("a Needle",), ("a", "b", "c"))
    assert trace(keyword, view('{"needle": "hay"}')).reading.path == ()


def test_a_comparison_shows_both_sides() -> None:
    compare = FieldsCompare(Field(("a",), TEXT), Op.EQUALS, Field(("b",), TEXT), fold_case=True)
    node = trace(compare, view('{"a": "X", "b": ["y", "x"]}'))
    assert node.met == ("X",)
    assert node.other.raw == ("y", "x")


def test_every_object_of_an_array_is_traced_by_itself() -> None:
    inner = And((asks("k", Op.EQUALS, "x"), asks("v", Op.EQUALS, "y")))
    event = view('{"p": [{"k": "x", "v": "n"}, 5, {"k": "x", "v": "y"}]}')
    node = trace(AnyElement(("p",), inner), event)
    assert [child.holds for child in node.children] == [False, True]
    places = [[leaf.reading.path for leaf in leaf_nodes(child)] for child in node.children]
    assert places == [[("p", "0", "k"), ("p", "0", "v")], [("p", "2", "k"), ("p", "2", "v")]]


def test_the_smallest_changes_come_first_and_the_lighter_of_equal_ones() -> None:
    a, b, c, d = (asks(name, Op.EQUALS, "x") for name in "abcd")
    node = trace(Or((And((a, b)), c, d)), view("{}"))
    weights = {c: 2, d: 1}
    found = smallest_changes(node, lambda one, _: weights.get(one.condition, 0))
    shown = [[one.node.condition for one in changes] for changes in found]
    assert shown == [[d], [c], [a, b]]


def test_what_must_not_hold_has_to_change_too() -> None:
    a, b = asks("a", Op.EQUALS, "x"), asks("b", Op.EQUALS, "x")
    node = trace(And((a, Not(b))), view('{"a": "x", "b": "x"}'))
    [[change]] = smallest_changes(node, lambda *_: 0)
    assert (change.node.condition, change.wanted) == (b, False)


def test_changes_that_contradict_each_other_are_no_way_out() -> None:
    a, b = asks("a", Op.EQUALS, "x"), asks("b", Op.EQUALS, "x")
    contradiction = And((a, Not(a)))
    assert smallest_changes(trace(contradiction, view("{}")), lambda *_: 0) == []
    either = Or((contradiction, b))
    [[change]] = smallest_changes(trace(either, view("{}")), lambda *_: 0)
    assert change.node.condition == b


def test_one_object_of_an_array_has_to_change_to_make_one_fit() -> None:
    inner = And((asks("k", Op.EQUALS, "x"), asks("v", Op.EQUALS, "y")))
    event = view('{"p": [{"k": "a", "v": "a"}, {"k": "x", "v": "n"}]}')
    [[change], *_] = smallest_changes(trace(AnyElement(("p",), inner), event), lambda *_: 0)
    assert change.node.scope == ("p", "1")
    absent = smallest_changes(trace(AnyElement(("q",), inner), event), lambda *_: 0)
    assert [type(one.node.condition) for [one] in absent] == [AnyElement]


@pytest.mark.parametrize("condition", [FALSE, Not(TRUE), Or((FALSE, Not(TRUE)))])
def test_no_change_leads_to_what_can_never_hold(condition) -> None:
    node = trace(condition, view("{}"))
    assert distance(node) > 0
    assert smallest_changes(node, lambda *_: 0) == []


def test_many_alternatives_are_bounded() -> None:
    parts = tuple(Or((asks(f"a{at}", Op.EQUALS, "x"), asks(f"b{at}", Op.EQUALS, "x")))
                  for at in range(40))  # fmt: skip
    found = smallest_changes(trace(And(parts), view("{}")), lambda *_: 0)
    assert {len(changes) for changes in found} == {40}
