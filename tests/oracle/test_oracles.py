"""The oracles say what the documents say, so that agreeing with them means something."""

from pathlib import Path

import pytest

from oracle import plain, sigma_oracle, tree_oracle
from oracle.cases import CASES, TREES, rule_text
from tocsin.condition.tree import Field
from tocsin.rules.sigma.build import Origin, load_sigma


@pytest.mark.parametrize("name", CASES)
def test_sigma_oracle(name):
    detection, event, expected = CASES[name]
    rule = sigma_oracle.parse_rule(rule_text(detection))
    assert sigma_oracle.matches(rule, sigma_oracle.parse_event(event)) == expected


@pytest.mark.parametrize("name", CASES)
def test_tree_oracle_on_what_sigma_is_lowered_to(name):
    detection, event, expected = CASES[name]
    (rule,) = load_sigma(rule_text(detection), Origin("test", Path("rule.yml"), "rule.yml"))
    assert tree_oracle.holds(rule.inputs[0].condition, plain.parse(event)) == expected


def test_sigma_oracle_searches_keywords_elsewhere_if_told():
    rule = sigma_oracle.parse_rule(rule_text(["needle"]))
    assert not sigma_oracle.matches(rule, {"f": "needle"}, ["x"])


@pytest.mark.parametrize(
    ("name", "event", "values"),
    [
        ("a", '{"a": 1}', [plain.Num("1")]),
        ("a", "{}", None),
        ("a", '{"a": null}', [None]),
        ("a", '{"a": []}', [[]]),
        ("a", '{"a": [["x"], [[]], "y"]}', ["x", [], "y"]),
        ("a", '{"a": "x", "a": ["y", "z"]}', ["x", "y", "z"]),
        ("a.b", '{"a": {"b": "x"}}', ["x"]),
        ("a.b", '{"a": {"b": "x"}, "a.b": "y"}', ["y"]),
        ("a.b.c", '{"a": {"b.c": "x", "b": {"c": "y"}}}', ["x"]),
        ("a.b.c", '{"a": {"b.c": "x"}, "a.b": {"c": "y"}}', ["y"]),
        ("a.b.c", '{"a": {"b.c": "x"}, "a.b": {"d": "y"}}', ["x"]),
        ("a.b", '{"a": [{"b": "x"}, 1, {"c": "y"}, {"b": ["z"]}]}', ["x", "z"]),
        ("a.b", '{"a": []}', None),
        ("a.b", '{"a": "x"}', None),
        ("A.B", '{"a": {"b": "x"}}', ["x"]),
        ("A.B", '{"A": {"b": "x"}, "a": {"B": "y"}}', ["x"]),
        ("A.B", '{"a.b": "x", "A": {"B": "y"}}', ["y"]),
        ("A.b", '{"A": {"c": "x"}, "a": {"b": "y"}}', ["y"]),
        ("a", '{"A": "x", "Α": "y"}', ["x"]),
    ],
)
def test_tree_oracle_reads_names(name, event, values):
    assert tree_oracle.read(Field((name,)), plain.parse(event)) == values


@pytest.mark.parametrize("name", TREES)
def test_tree_oracle_on_trees(name):
    condition, event, expected = TREES[name]
    assert tree_oracle.holds(condition, plain.parse(event)) == expected
