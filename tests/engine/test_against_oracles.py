"""The engine finds what two evaluators find that were written apart from it."""

import json

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle.plain import parse
from oracle.tree_oracle import holds

from tocsin.condition.tree import (
    And,
    AnyElement,
    Call,
    Field,
    FieldsCompare,
    Glob,
    Not,
    Op,
    Or,
    Predicate,
    Regex,
    Wild,
)
from tocsin.engine.match import Matcher
from tocsin.engine.plan import compile_plan
from tocsin.logs.logtype import generic
from tocsin.rules.model import Input, Rule, Scope

SCOPE = Scope("any", "any", "any")

# What events hold and conditions ask for: few values that meet each other often.

TEXTS = ["", "x", "X", "xy", "x\ny", "x*y", "x?y", "xxyy", "5", "5.0", "05", "-5", "0x5", "200.0"]
TEXTS += ["true", "True", "null", "[]", "ix", "İx", "ß", "SS", "ΣΑΣ", "σας", "ς", "😀x", '"', "\\x"]
TEXTS += ["10.0.0.1", "10.0.1.255", "::ffff:10.0.0.1", "fe80::1", " 10.0.0.1", "10.0.0", "x/y"]
TEXTS += ["2024-02-29T05:59:59Z", "2024-12-30T23:05:00+05:00", "9007199254740993"]
NUMBERS = [0, 1, 5, -5, 200, 1.5, 200.0, 2**53 - 1, 2**53 + 1, 2**64, 1709186399, 1709186399000]
KEYS = ["a", "A", "b", "a.b", "c", "B.c", "b.c", "a.b.c", "s p"]
NAMES = ["a", "b", "a.b", "A.b", "b.c", "a.b.c", "C", "s p"]
PATHS = [("a", "b"), ("b", "c"), ("a", "b", "c"), ("a.b", "c")]
GLOBS = [(Wild.ANY,), (Wild.ONE,), ("x", Wild.ANY, "y"), ("x", Wild.ONE, "y"), (Wild.ANY, "Y")]
GLOBS += [(Wild.ONE, Wild.ANY), ("x*", Wild.ANY), (Wild.ANY, "σ", Wild.ONE), (Wild.ONE, "x"), ()]
REGEXES = ["x", "^x", "y$", "^$", "x.y", r"\d+", r"^[5x]", "x|5", r"\bx\b", "[$x]$", "X"]
NETWORKS = ["10.0.0.0/24", "10.0.0.1/32", "fe80::/10", "0.0.0.0/0"]
TEXT_OPS = [Op.EQUALS, Op.CONTAINS, Op.STARTSWITH, Op.ENDSWITH]
ORDER = [Op.LESS, Op.LESS_OR_EQUAL, Op.GREATER, Op.GREATER_OR_EQUAL]
VIAS = ["text", "leaves", "number", "lower", "length", "minute", "hour", "day", "week", "year"]

scalars = st.one_of(
    st.sampled_from(TEXTS),
    st.sampled_from(TEXTS),
    st.sampled_from(NUMBERS),
    st.booleans(),
    st.none(),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(KEYS), inner, max_size=3)
    ),
    max_leaves=5,
)
events = st.dictionaries(st.sampled_from(KEYS), values, max_size=5)

vias = st.one_of(
    st.just(()), st.just((Call("text"),)), st.sampled_from(VIAS).map(lambda name: (Call(name),))
)
fields = st.one_of(
    st.builds(Field, st.sampled_from(NAMES).map(lambda name: (name,)), vias),
    st.builds(Field, st.sampled_from(PATHS), vias),
)
whole_event = st.just(Field((), (Call("leaves"),)))
texts = st.lists(st.sampled_from(TEXTS), min_size=1, max_size=3).map(tuple)
typed = st.lists(
    st.one_of(st.sampled_from(TEXTS), st.sampled_from([0, 1, 5, 2**53 + 1, 200]), st.booleans()),
    min_size=1,
    max_size=3,
).map(tuple)


def one_of_each(kind, choices, **more):
    return st.sampled_from(choices).map(lambda one: (kind(one, **more),))


def predicates(of):
    return st.one_of(
        st.builds(Predicate, of, st.just(Op.EQUALS), typed, st.booleans()),
        st.builds(Predicate, of, st.sampled_from(TEXT_OPS), texts, st.booleans()),
        st.builds(Predicate, of, st.just(Op.GLOB), one_of_each(Glob, GLOBS), st.booleans()),
        st.builds(Predicate, of, st.just(Op.REGEX), one_of_each(Regex, REGEXES)),
        st.builds(
            Predicate, of, st.just(Op.REGEX), one_of_each(Regex, ["^y$", "x.y"], flags="ims")
        ),
    )


others = st.one_of(
    st.builds(Predicate, fields, st.sampled_from([Op.EXISTS, Op.IS_NULL])),
    st.builds(Predicate, fields, st.just(Op.CIDR), one_of_each(str, NETWORKS)),
    st.builds(Predicate, fields, st.sampled_from(ORDER), one_of_each(int, [0, 5, 59, 2**53 + 1])),
)
comparisons = st.builds(
    FieldsCompare, fields, st.sampled_from(TEXT_OPS + ORDER), fields, st.booleans()
)
leaves = st.one_of(predicates(fields), others, predicates(fields), predicates(whole_event), comparisons)
inner_fields = st.builds(Field, st.sampled_from([("a",), ("b",), ("b", "c")]), vias)
elements = st.builds(
    AnyElement,
    st.sampled_from([("a",), ("b",), ("a", "b")]),
    st.recursive(
        predicates(inner_fields),
        lambda part: st.one_of(st.builds(Not, part), st.builds(And, st.tuples(part, part))),
        max_leaves=3,
    ),
)
conditions = st.recursive(
    st.one_of(leaves, leaves, leaves, elements),
    lambda part: st.one_of(
        st.builds(Not, part),
        st.builds(And, st.lists(part, min_size=1, max_size=3).map(tuple)),
        st.builds(Or, st.lists(part, min_size=1, max_size=3).map(tuple)),
    ),
    max_leaves=6,
)


def as_rule(number, condition):
    name = f"rule {number}"
    return Rule(name, name, "sigma", "detection", "test", name, "", (Input(condition, SCOPE),))


def matches_of(rules, lines, log_type=None):
    """Return the (row, rule number) pairs that the engine finds."""
    log_type = log_type or generic("any", "any", "any")
    matcher = Matcher([log_type], lambda found, shape: compile_plan(rules, found, shape))
    result = matcher.match(pa.array(lines, pa.string()))
    assert not result.refused
    return {(match.row, match.input.rule) for match in result.matches}


@settings(derandomize=False, max_examples=4000, deadline=None)
@given(st.lists(conditions, min_size=1, max_size=6), st.lists(events, min_size=1, max_size=12))
def test_random_conditions_on_random_events(conditions, events):
    lines = [json.dumps(event, ensure_ascii=False) for event in events]
    rules = [as_rule(number, condition) for number, condition in enumerate(conditions)]
    parsed = [parse(line) for line in lines]
    expected = {
        (row, number)
        for row, event in enumerate(parsed)
        for number, condition in enumerate(conditions)
        if holds(condition, event)
    }
    assert matches_of(rules, lines) == expected
