"""What reasoning shows of two conditions is true of every event."""

import json

import pytest

from catalog.conditions import asks, like
from oracle.makers import ConditionMaker
from oracle.running import by_itself
from tocsin.catalog.canonical import canonical
from tocsin.catalog.implies import UndecidedError, implies, may_imply
from tocsin.catalog.places import Places
from tocsin.condition.simplify import simplify
from tocsin.condition.tree import (
    FALSE,
    TRUE,
    And,
    AnyElement,
    Call,
    Field,
    Not,
    Op,
    Or,
    Predicate,
    Regex,
)
from tocsin.logs.logtype import generic

X, Y = asks("x", Op.EQUALS, "a"), asks("y", Op.EQUALS, "b")
EQUALS, CONTAINS, GLOB = Op.EQUALS, Op.CONTAINS, Op.GLOB
STARTS, ENDS, REGEX, CIDR = Op.STARTSWITH, Op.ENDSWITH, Op.REGEX, Op.CIDR


def texts(op, *values, fold_case=True):
    return asks("x", op, *values, fold_case=fold_case)


CASES = {
    "itself": (X, X, True),
    "a part of a conjunction": (And((X, Y)), X, True),
    "not the whole of a conjunction": (X, And((X, Y)), False),
    "one of several": (X, Or((X, Y)), True),
    "not one of several alone": (Or((X, Y)), X, False),
    "every alternative for itself": (Or((And((X, Y)), And((Y, X)))), Y, True),
    "a filter that is there": (And((X, Not(Y))), Not(Y), True),
    "a wider filter": (Not(Or((X, Y))), Not(X), True),
    "a narrower filter": (Not(X), Not(Or((X, Y))), False),
    "fewer values": (texts(EQUALS, "a"), texts(EQUALS, "a", "b"), True),
    "more values": (texts(EQUALS, "a", "b"), texts(EQUALS, "a"), False),
    "equal is contained": (texts(EQUALS, "abc"), texts(CONTAINS, "b"), True),
    "contained is not equal": (texts(CONTAINS, "b"), texts(EQUALS, "b"), False),
    "contains more": (texts(CONTAINS, "abc"), texts(CONTAINS, "b"), True),
    "an end is contained": (texts(ENDS, "abc"), texts(CONTAINS, "bc"), True),
    "a longer end": (texts(ENDS, "abc"), texts(ENDS, "bc"), True),
    "a shorter end": (texts(ENDS, "bc"), texts(ENDS, "abc"), False),
    "a start is no end": (texts(STARTS, "abc"), texts(ENDS, "abc"), False),
    "a start is like": (texts(STARTS, "abc"), texts(GLOB, like("a*")), True),
    "one pattern in another": (texts(GLOB, like("ab*cd*e")), texts(GLOB, like("a*d*")), True),
    "one letter is not any": (texts(GLOB, like("a*")), texts(GLOB, like("a?")), False),
    "any is one letter": (texts(GLOB, like("a?")), texts(GLOB, like("a*")), True),
    "case that matters": (texts(EQUALS, "a", fold_case=False), texts(EQUALS, "a"), True),
    "case that does not": (texts(EQUALS, "a"), texts(EQUALS, "a", fold_case=False), False),
    "no letters, no case": (texts(EQUALS, "5"), texts(EQUALS, "5", fold_case=False), True),
    "a regex finds it": (texts(EQUALS, "ab5"), texts(REGEX, Regex(r"b\d$")), False),
    "a regex finds it without case": (texts(EQUALS, "ab5"), texts(REGEX, Regex(r"b\d", "i")), True),
    "an anchor is not certain": (texts(CONTAINS, "5"), texts(REGEX, Regex(r"^\d")), False),
    "a piece is certain": (texts(CONTAINS, "5"), texts(REGEX, Regex(r"\d")), True),
    "a network in another": (texts(CIDR, "10.1.0.0/16"), texts(CIDR, "10.0.0.0/8"), True),
    "an address in a network": (texts(EQUALS, "10.1.2.3"), texts(CIDR, "10.0.0.0/8"), True),
    "a network around": (texts(CIDR, "10.0.0.0/8"), texts(CIDR, "10.1.0.0/16"), False),
    "smaller": (texts(Op.LESS, 5), texts(Op.LESS_OR_EQUAL, 5), True),
    "not smaller": (texts(Op.LESS_OR_EQUAL, 5), texts(Op.LESS, 5), False),
    "far below": (texts(Op.LESS, 3), texts(Op.LESS, 5), True),
    "another side": (texts(Op.LESS, 3), texts(Op.GREATER, 1), False),
    "a number": (texts(EQUALS, 3), texts(Op.LESS, 5), True),
    "there": (X, asks("x", Op.EXISTS), True),
    "there in another field": (Y, asks("x", Op.EXISTS), False),
    "everything": (X, TRUE, True),
    "nothing": (FALSE, X, True),
    "values joined from alternatives": (
        texts(EQUALS, "ab", "cd"),
        Or((texts(STARTS, "a"), texts(CONTAINS, "d"))),
        True,
    ),
    "one element": (
        AnyElement(("e",), And((X, Y))),
        AnyElement(("e",), X),
        True,
    ),
    "two elements": (
        And((AnyElement(("e",), X), AnyElement(("e",), Y))),
        AnyElement(("e",), And((X, Y))),
        False,
    ),
    "one predicate never excludes another": (texts(EQUALS, "a"), Not(texts(EQUALS, "b")), False),
}


@pytest.mark.parametrize("case", CASES)
def test_a_condition_implies_another(case: str) -> None:
    one, other, expected = CASES[case]
    places = Places(generic("any", "any", "any").shapes[0])
    one, other = (canonical(part, places, "sigma") for part in (one, other))
    assert implies(one, other) == expected
    assert may_imply(one, other) or not expected


def test_a_question_that_is_too_large_is_left_undecided() -> None:
    def either(number: int):
        return Or((asks(f"x{number}", EQUALS, "a"), asks(f"x{number + 1}", EQUALS, "b")))

    facts = And(tuple(either(number) for number in range(30)))
    goal = And((Not(X), either(40), facts))
    with pytest.raises(UndecidedError):
        implies(facts, Or((goal, *(And((Y, either(n))) for n in range(30)))), 500)


class FlatMaker(ConditionMaker):
    """Makes conditions on three fields, and events with one or more values in each."""

    def field(self):
        return Field((self.pick("a", "b", "c"),), self.via())

    def via(self):
        return super().via() if self.chance.random() < 0.3 else ()

    def inner(self):
        return self.predicate(Field(("d",)))

    def event(self):
        return {key: self.values() for key in "abc" if self.chance.random() < 0.8}

    def values(self):
        if self.chance.random() < 0.7:
            return self.scalar()
        return [self.scalar() for _ in range(self.chance.randint(1, 3))]


def weaker(maker, condition):
    """Make a condition that has much in common with another."""
    other = maker.condition(2)
    return maker.pick(
        Or((condition, other)),
        condition.parts[0] if isinstance(condition, And) else Or((other, condition)),
        other,
        Not(And((Not(condition), other))),
    )


@pytest.mark.parametrize("seed", range(30))
def test_what_is_shown_holds_for_random_events(seed: int) -> None:
    maker = FlatMaker(seed)
    places = Places(generic("any", "any", "any").shapes[0])
    events = [by_itself(json.dumps(maker.event())) for _ in range(60)]
    shown = 0
    for _ in range(60):
        one = maker.condition()
        other = weaker(maker, one)
        said = [simplify(canonical(part, places, "sigma")) for part in (one, other)]
        try:
            if not implies(*said):
                continue
        except UndecidedError:
            continue
        shown += 1
        assert not any(event(one) and not event(other) for event in events), (one, other)
    assert shown > 5


@pytest.mark.parametrize("seed", range(30))
def test_the_canonical_form_of_plain_predicates_means_the_same(seed: int) -> None:
    maker = FlatMaker(seed + 1000)
    places = Places(generic("any", "any", "any").shapes[0])
    events = [by_itself(json.dumps(maker.event())) for _ in range(60)]
    for _ in range(60):
        condition = maker.predicate(Field((maker.pick("a", "b", "c"),)))
        said = simplify(canonical(condition, places, "sigma"))
        assert [event(condition) for event in events] == [event(said) for event in events]


def made(op, *values, via="", args=(), fold_case=False):
    calls = tuple(Call(name, args) for name in via.split())
    return Predicate(Field(("x",), calls), op, values, fold_case)


A, IS_TEXT = made(EQUALS, "a"), made(EQUALS, "text", via="kind")
IS_TRUE, IS_FALSE = made(EQUALS, True, via="truth"), made(EQUALS, False, via="truth")
IS_NULL, LISTS = made(Op.IS_NULL), made(EQUALS, "list", "object", via="kind")
THROUGH = {
    "upper case is any case": (made(EQUALS, "AB", via="str.upper"), texts(EQUALS, "ab"), True),
    "any case has an upper case": (texts(EQUALS, "ab"), made(EQUALS, "AB", via="str.upper"), True),
    "no upper case is lower": (made(EQUALS, "ab", via="str.upper"), FALSE, True),
    "other letters than ASCII": (made(EQUALS, "SS", via="str.upper"), texts(EQUALS, "ß"), False),
    "stripped as it stands": (A, made(EQUALS, "a", via="str.strip"), True),
    "stripped is not exact": (made(EQUALS, "a", via="str.strip"), A, False),
    "stripped, then upper": (
        made(EQUALS, "A", via="str.strip str.upper"),
        made(EQUALS, "a", via="str.lower str.strip"),
        True,
    ),
    "a text is a text": (A, IS_TEXT, True),
    "a text is not a list": (A, LISTS, False),
    "a text is true": (A, IS_TRUE, True),
    "an empty text is not true": (made(EQUALS, ""), IS_TRUE, False),
    "a start is a text": (made(STARTS, "a"), IS_TEXT, True),
    "a start is true": (made(STARTS, "a"), IS_TRUE, True),
    "what is made upper is a text": (made(STARTS, "ß", via="str.upper"), IS_TEXT, True),
    "a kind is no text": (IS_TEXT, A, False),
    "a number is none of a text": (made(Op.GREATER, 1), IS_TEXT, False),
    "a number counts as one": (made(Op.GREATER, 2), made(Op.GREATER, 1, via="as_number"), True),
    "a length": (A, made(EQUALS, 1, via="len"), True),
    "a text is not null": (A, Not(IS_NULL), True),
    "a text is no list": (A, Not(LISTS), True),
    "a true value is not false": (A, Not(IS_FALSE), True),
    "null is not true": (IS_NULL, Not(IS_TRUE), True),
    "nothing is not true": (Not(made(Op.EXISTS)), Not(IS_TRUE), True),
    "one text is not another": (A, Not(made(EQUALS, "b")), True),
    "in another case it may be": (texts(EQUALS, "a"), Not(made(EQUALS, "A")), False),
    "what a program does": (A, made(EQUALS, True, via="python", args=("[]",)), False),
}


@pytest.mark.parametrize("case", THROUGH)
def test_what_functions_make_of_single_values(case: str) -> None:
    places = Places(generic(None, None, None).shapes[0])
    one, other, expected = THROUGH[case]
    one, other = (canonical(part, places, "panther") for part in (one, other))
    assert implies(one, other, single=True) is expected


def test_several_values_do_not_exclude_each_other() -> None:
    assert not implies(A, Not(IS_NULL))
    assert not implies(A, Not(made(EQUALS, "b")))
