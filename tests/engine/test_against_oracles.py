"""The engine finds what two evaluators find that were written apart from it."""

import json
from random import Random

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

TEXTS = ["", "x", "X", "xy", "x\ny", "x*y", "x?y", "xxyy", "5", "5.0", "05", "-5", "0x5", "200.0"]
TEXTS += ["true", "True", "null", "[]", "ix", "İx", "ß", "SS", "ΣΑΣ", "σας", "ς", "😀x", '"', "\\x"]
TEXTS += ["10.0.0.1", "10.0.1.255", "::ffff:10.0.0.1", "fe80::1", " 10.0.0.1", "10.0.0", "x/y"]
TEXTS += ["2024-02-29T05:59:59Z", "2024-12-30T23:05:00+05:00", "9007199254740993", "\0", "a\\nb"]
NUMBERS = [0, 1, 5, -5, 200, 1.5, 200.0, 2**53 - 1, 2**53 + 1, 2**64, 1709186399, 1709186399000]
KEYS = ["a", "A", "b", "a.b", "c", "B.c", "b.c", "a.b.c", "s p"]
NAMES = ["a", "b", "a.b", "A.b", "b.c", "a.b.c", "C", "S P"]
PATHS = [("a", "b"), ("b", "c"), ("a", "b", "c"), ("a.b", "c")]
GLOBS = [(Wild.ANY,), (Wild.ONE,), ("x", Wild.ANY, "y"), ("x", Wild.ONE, "y"), (Wild.ANY, "Y")]
GLOBS += [(Wild.ONE, Wild.ANY), ("x*", Wild.ANY), (Wild.ANY, "σ", Wild.ONE), (Wild.ONE, "x"), ()]
REGEXES = ["x", "^x", "y$", "^$", "x.y", r"\d+", r"^[5x]", "x|5", r"\bx\b", "[$x]$", "X"]
NETWORKS = ["10.0.0.0/24", "10.0.0.1/32", "fe80::/10", "0.0.0.0/0"]
TEXT_OPS = [Op.EQUALS, Op.CONTAINS, Op.STARTSWITH, Op.ENDSWITH]
ORDER = [Op.LESS, Op.LESS_OR_EQUAL, Op.GREATER, Op.GREATER_OR_EQUAL]
PARTS_OF_TIME = ["minute", "hour", "day", "week", "month", "year"]
VIAS = ["text", "text", "text", "number", "lower", "length", "leaves", *PARTS_OF_TIME]


class Maker:
    """Makes conditions and events out of the same few values, so that they often meet."""

    def __init__(self, seed):
        self.chance = Random(seed)
        self.texts = self.chance.sample(TEXTS, 8)
        self.numbers = self.chance.sample(NUMBERS, 4)

    def pick(self, *choices):
        return self.chance.choice(choices)

    def some(self, make, most):
        return tuple(make() for _ in range(self.chance.randint(1, most)))

    def event(self):
        return self.members(0)

    def members(self, depth):
        keys = self.chance.sample(KEYS, self.chance.randrange(len(KEYS) - 2))
        return {key: self.value(depth) for key in keys}

    def value(self, depth):
        kind = self.chance.random()
        if depth == 3 or kind < 0.6:
            return self.scalar()
        if kind < 0.8:
            return [self.value(depth + 1) for _ in range(self.chance.randrange(4))]
        return self.members(depth + 1)

    def scalar(self):
        return self.pick(*self.texts, *self.numbers, True, False, None)

    def condition(self, depth=0):
        kind = self.chance.random()
        if kind < 0.15 * depth + 0.4:
            return self.leaf()
        if kind < 0.7:
            return Not(self.condition(depth + 1))
        join = And if kind < 0.85 else Or
        return join(self.some(lambda: self.condition(depth + 1), 3))

    def leaf(self):
        kind = self.chance.random()
        if kind < 0.7:
            return self.predicate(self.field())
        if kind < 0.8:
            return self.text_predicate(Field((), (Call("leaves"),)))
        if kind < 0.9:
            op = self.pick(*TEXT_OPS, *ORDER)
            return FieldsCompare(self.field(), op, self.field(), self.pick(True, False))
        return AnyElement(self.pick(("a",), ("b",), ("a", "b")), self.inner())

    def inner(self):
        paths = [("a",), ("b",), ("b", "c")]
        parts = [self.predicate(Field(self.pick(*paths), self.via())) for _ in range(2)]
        return self.pick(parts[0], Not(parts[0]), And(tuple(parts)), Or((parts[0], Not(parts[1]))))

    def field(self):
        return Field((self.pick(*NAMES),) if self.chance.random() < 0.8 else self.pick(*PATHS), self.via())

    def via(self):
        return self.pick((), (Call(self.pick(*VIAS)),))

    def predicate(self, field):
        return self.pick(self.text_predicate, self.text_predicate, self.other_predicate)(field)

    def text_predicate(self, field):
        fold_case = self.pick(True, False)
        op = self.pick(*TEXT_OPS, Op.GLOB, Op.REGEX)
        if op is Op.GLOB:
            return Predicate(field, op, self.some(lambda: Glob(self.pick(*GLOBS)), 2), fold_case)
        if op is Op.REGEX:
            flags = self.pick("", "i", "ims")
            return Predicate(field, op, self.some(lambda: Regex(self.pick(*REGEXES), flags), 2))
        return Predicate(field, op, self.some(self.text, 3), fold_case)

    def text(self):
        text = self.pick(*self.texts)
        return self.pick(text, text.swapcase(), text[:1], text[1:])

    def other_predicate(self, field):
        op = self.pick(Op.EXISTS, Op.IS_NULL, Op.EQUALS, Op.EQUALS, Op.CIDR, *ORDER[:2])
        if op in {Op.EXISTS, Op.IS_NULL}:
            return Predicate(field, op)
        if op is Op.CIDR:
            return Predicate(field, op, self.some(lambda: self.pick(*NETWORKS), 2))
        if op is Op.EQUALS:
            return Predicate(field, op, self.some(self.operand, 3), self.pick(True, False))
        return Predicate(field, self.pick(*ORDER), (self.number(),))

    def operand(self):
        return self.pick(self.text(), self.number(), self.number(), True, False)

    def number(self):
        return self.pick(*(n for n in self.numbers if isinstance(n, int)), 0, 1, 5, 23, 59)


def as_rule(number, condition):
    name = f"rule {number}"
    scope = Scope("any", "any", "any")
    return Rule(name, name, "sigma", "detection", "test", name, "", (Input(condition, scope),))


def matches_of(rules, lines, log_type=None):
    """Return the (row, rule number) pairs that the engine finds."""
    log_type = log_type or generic("any", "any", "any")
    matcher = Matcher([log_type], lambda found, shape: compile_plan(rules, found, shape))
    result = matcher.match(pa.array(lines, pa.string()))
    assert not result.refused
    return {(match.row, match.input.rule) for match in result.matches}


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.integers(0, 2**32))
def test_random_conditions_on_random_events(seed):
    make = Maker(seed)
    conditions = [make.condition() for _ in range(10)]
    lines = [json.dumps(make.event(), ensure_ascii=make.pick(True, False)) for _ in range(40)]
    rules = [as_rule(number, condition) for number, condition in enumerate(conditions)]
    found = matches_of(rules, lines)
    for row, event in enumerate(map(parse, lines)):
        for number, condition in enumerate(conditions):
            assert ((row, number) in found) == holds(condition, event), (condition, lines[row])
