"""The engine finds what two evaluators find that were written apart from it."""

import gzip
import json
from collections import defaultdict
from itertools import batched
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import sigma_oracle, tree_oracle
from oracle.makers import ConditionMaker, SigmaMaker
from oracle.plain import parse

from tocsin.engine.match import Matcher
from tocsin.engine.plan import compile_plan
from tocsin.logs.logtype import generic
from tocsin.rules.model import Input, Rule, Scope
from tocsin.rules.sigma.build import Origin, load_sigma


def as_rule(number, condition):
    name = f"rule {number}"
    scope = Scope("any", "any", "any")
    return Rule(name, name, "sigma", "detection", "test", name, "", (Input(condition, scope),))


def load(text):
    (rule,) = load_sigma(text, Origin("test", Path("rule.yml"), "rule.yml"))
    assert not rule.reasons, (rule.reasons, text)
    return rule


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
    make = ConditionMaker(seed)
    conditions = [make.condition() for _ in range(10)]
    lines = [json.dumps(make.event(), ensure_ascii=make.pick(True, False)) for _ in range(40)]
    found = matches_of([as_rule(*one) for one in enumerate(conditions)], lines)
    for row, event in enumerate(map(parse, lines)):
        for number, condition in enumerate(conditions):
            expected = tree_oracle.holds(condition, event)
            assert ((row, number) in found) == expected, (condition, lines[row])


@pytest.mark.parametrize("seed", range(30))
def test_random_sigma_rules_on_random_events(seed):
    make = SigmaMaker(seed)
    rules = [make.rule(number) for number in range(30)]
    lines = [json.dumps(make.event(), ensure_ascii=make.pick(True, False)) for _ in range(40)]
    found = matches_of(list(map(load, rules)), lines)
    trees = list(map(sigma_oracle.parse_rule, rules))
    for row, event in enumerate(map(sigma_oracle.parse_event, lines)):
        for number, tree in enumerate(trees):
            expected = sigma_oracle.matches(tree, event)
            assert ((row, number) in found) == expected, (rules[number], lines[row])
