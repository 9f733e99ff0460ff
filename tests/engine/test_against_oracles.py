"""The engine finds what two evaluators find that were written apart from it."""

import gzip
import json
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oracle import plain, sigma_oracle, tree_oracle
from oracle.cases import CASES, TREES, rule_text
from oracle.makers import ConditionMaker, SigmaMaker
from oracle.running import as_rule, by_itself, load, matcher_of, matches_of
from oracle.windows_facts import as_named, variants_for, view
from tocsin.condition.tree import fields
from tocsin.logs.load import shipped_log_types
from tocsin.rules.load import load_rules


@pytest.mark.parametrize("name", CASES)
def test_golden_case(name):
    detection, event, expected = CASES[name]
    matcher = matcher_of([load(rule_text(detection))])
    assert bool(matches_of(matcher, [event])) == expected


@pytest.mark.parametrize("name", TREES)
def test_golden_tree(name):
    condition, event, expected = TREES[name]
    assert bool(matches_of(matcher_of([as_rule(0, condition)]), [event])) == expected
    assert by_itself(event)(condition) == expected


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.integers(0, 2**32))
def test_random_conditions_on_random_events(seed):
    make = ConditionMaker(seed)
    conditions = [make.condition() for _ in range(10)]
    lines = [json.dumps(make.event(), ensure_ascii=make.pick(True, False)) for _ in range(30)]
    rules = [as_rule(number, condition) for number, condition in enumerate(conditions)]
    matcher = matcher_of(rules)
    found = matches_of(matcher, lines)
    for row, line in enumerate(lines):
        event, alone = plain.parse(line), by_itself(line)
        for number, condition in enumerate(conditions):
            expected = tree_oracle.holds(condition, event)
            assert ((row, number) in found) == expected, (condition, line)
            assert alone(condition) == expected, (condition, line)
    assert matches_of(matcher, lines[:14], size=7) == {pair for pair in found if pair[0] < 14}


@pytest.mark.parametrize("seed", range(30))
def test_random_sigma_rules_on_random_events(seed):
    make = SigmaMaker(seed)
    rules = [make.rule(number) for number in range(30)]
    lines = [json.dumps(make.event(), ensure_ascii=make.pick(True, False)) for _ in range(40)]
    found = matches_of(matcher_of(list(map(load, rules))), lines)
    trees = list(map(sigma_oracle.parse_rule, rules))
    for row, event in enumerate(map(sigma_oracle.parse_event, lines)):
        for number, tree in enumerate(trees):
            expected = sigma_oracle.matches(tree, event)
            assert ((row, number) in found) == expected, (rules[number], lines[row])


@pytest.fixture(scope="module")
def rules(sigma_corpus):
    """Return the rules that may want a Windows record."""
    loaded = [rule for rule in load_rules([sigma_corpus]).rules if rule.inputs]
    return [rule for rule in loaded if rule.inputs[0].scope.product in {None, "windows"}]


@pytest.fixture(scope="module")
def lines(windows_captures):
    texts = [gzip.decompress(path.read_bytes()).decode() for path in windows_captures]
    return [line for text in texts for line in text.split("\n") if line]


@pytest.fixture(scope="module")
def matcher(rules):
    (windows,) = (one for one in shipped_log_types() if one.name == "windows")
    return matcher_of(rules, windows)


@pytest.fixture(scope="module")
def found(matcher, lines):
    return matches_of(matcher, lines)


class OfTrees:
    """What the oracle of our trees says of the rules."""

    parse = staticmethod(plain.parse)
    searched = staticmethod(lambda record: record)

    def __init__(self, rules):
        self.rules = rules

    def names(self, number):
        read = fields(self.rules[number].inputs[0].condition)
        return frozenset(field.path[0] if field.path else None for field in read)

    def holds(self, number, seen, searched):
        return tree_oracle.holds(self.rules[number].inputs[0].condition, seen, searched)


class OfSigma:
    """What the oracle of pySigma's trees says of the same rules, from their text."""

    parse = staticmethod(sigma_oracle.parse_event)
    searched = staticmethod(sigma_oracle.words_of)

    def __init__(self, rules):
        texts = [Path(rule.path).read_text("utf-8") for rule in rules]
        self.trees = list(map(sigma_oracle.parse_rule, texts))

    def names(self, number):
        return frozenset(name for tree in self.trees[number] for name in sigma_oracle.names(tree))

    def holds(self, number, seen, searched):
        return sigma_oracle.matches(self.trees[number], seen, searched)


def matches_by(oracle, rules, lines):
    """Return the pairs that an oracle finds; equal values of a rule's fields are asked once."""
    by_source = defaultdict(list)
    for number, rule in enumerate(rules):
        by_source[rule.inputs[0].scope].append((number, oracle.names(number)))
    known, found = {}, set()
    for row, line in enumerate(lines):
        record = oracle.parse(line)
        named, searched = as_named(record), oracle.searched(record)
        for source, numbers in by_source.items():
            for variant in variants_for(source, named):
                seen = view(named, variant)
                values = defaultdict(str)
                for key, value in seen.items():
                    values[key.lower()] += f"{key} {type(value)} {value}"
                for number, names in numbers:
                    if names & variant.without:
                        continue
                    asked = [row if name is None else values.get(name.lower()) for name in names]
                    key = (number, id(variant), *asked)
                    if key not in known:
                        known[key] = oracle.holds(number, seen, searched)
                    if known[key]:
                        found.add((row, number))
    return found


@pytest.mark.parametrize("oracle", [OfTrees, OfSigma])
def test_captures_match_the_same_rules(oracle, rules, lines, found):
    expected = matches_by(oracle(rules), rules, lines)
    assert len(expected) > 100
    wrong = [(row, rules[number].name) for row, number in sorted(found ^ expected)]
    assert not wrong, [(name, lines[row]) for row, name in wrong[:3]]


@pytest.mark.parametrize("size", [1, 7, 997])
def test_matches_do_not_depend_on_the_batch(size, matcher, lines, found):
    rows = sorted({row for row, _ in found} | set(range(0, len(lines), 1 if size > 99 else 60)))
    assert matches_of(matcher, [lines[row] for row in rows], size) == {
        (rows.index(row), number) for row, number in found
    }
