"""The oracles say what the documents say, so that agreeing with them means something."""

from pathlib import Path

import pytest

from oracle import plain, sigma_oracle, tree_oracle
from oracle.cases import CASES, rule_text
from tocsin.condition.tree import (
    FALSE,
    TRUE,
    AnyElement,
    Call,
    Field,
    FieldsCompare,
    Not,
    Op,
    Or,
    Predicate,
)
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
    assert not sigma_oracle.matches(rule, {"f": "needle"}, {"g": "x"})


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


def is_x(*path):
    return Predicate(Field(path), Op.EQUALS, ("x",))


@pytest.mark.parametrize(
    ("condition", "event", "expected"),
    [
        pytest.param(TRUE, "{}", True, id="and-of-nothing"),
        pytest.param(FALSE, "{}", False, id="or-of-nothing"),
        pytest.param(is_x("a.b", "c"), '{"a": {"b": {"c": "x"}}}', False, id="paths-are-exact"),
        pytest.param(is_x("a", "b"), '{"a": [{"b": "y"}, {"b": "x"}]}', True, id="paths-fan-out"),
        pytest.param(is_x("A", "b"), '{"a": {"b": "x"}}', False, id="paths-mind-case"),
        pytest.param(
            AnyElement(("a",), Or((is_x("b"), Not(Predicate(Field(("c",)), Op.EXISTS))))),
            '{"a": [{"b": "y", "c": 1}, "x", [], null]}',
            False,
            id="only-objects-are-elements",
        ),
        pytest.param(
            AnyElement(("a",), Not(is_x("b"))),
            '{"a": [[{"b": "x"}], {"b": "y"}]}',
            True,
            id="one-element-is-enough",
        ),
        pytest.param(
            Predicate(Field(("a",)), Op.EQUALS, (1,)), '{"a": true}', False, id="one-is-not-true"
        ),
        pytest.param(
            Predicate(Field(("a",)), Op.EQUALS, (1,)), '{"a": "1"}', False, id="text-is-no-number"
        ),
        pytest.param(
            Predicate(Field(("a",)), Op.EQUALS, (1,)), '{"a": 1.0}', True, id="numbers-by-value"
        ),
        pytest.param(
            Predicate(Field(("a",)), Op.CONTAINS, ("1",)),
            '{"a": 1}',
            False,
            id="no-number-has-text",
        ),
        pytest.param(
            Predicate(Field(("a",), (Call("text"),)), Op.EQUALS, ('{"b":[1.50,"ß"]}',)),
            '{"a": {"b": [1.50, "ß"]}}',
            True,
            id="an-object-is-its-json",
        ),
        pytest.param(
            Predicate(Field(("a",), (Call("text"),)), Op.EQUALS, ("1.50",)),
            '{"a": {"b": [1.50, "ß"]}}',
            True,
            id="an-object-is-each-of-its-leaves",
        ),
        pytest.param(
            FieldsCompare(Field(("a",)), Op.LESS, Field(("b",))),
            '{"a": [9007199254740993, 3], "b": 9007199254740993}',
            True,
            id="fields-compare-as-numbers",
        ),
    ],
)
def test_tree_oracle_on_trees(condition, event, expected):
    assert tree_oracle.holds(condition, plain.parse(event)) == expected
