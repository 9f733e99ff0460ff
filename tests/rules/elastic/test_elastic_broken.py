"""A rule that says anything else than it should ends in a verdict, never in an exception."""

import copy
import json
import random

import pytest

from rules.elastic.making import QUERY, load_all, toml
from tocsin.rules.codec import decode_rule, encode_rule
from tocsin.rules.model import Verdict

RULES = [
    {
        **QUERY,
        "severity_mapping": [{"field": "a", "operator": "equals", "value": "1", "severity": "low"}],
        "risk_score_mapping": [{"field": "a", "value": "x", "risk_score": 5}],
        "alert_suppression": {"group_by": ["a"], "duration": {"value": 1, "unit": "h"}},
        "filters": [
            {"meta": {"negate": True}, "query": {"wildcard": {"k": {"value": "a*"}}}},
            {"query": {"bool": {"should": [{"terms": {"a": ["b"]}}, {"range": {"n": {"gt": 1}}}]}}},
        ],
        "exceptions_list": [{"list_id": "l", "type": "detection"}],
        "threat": [
            {
                "framework": "MITRE ATT&CK",
                "tactic": {"id": "TA1"},
                "technique": [{"id": "T1", "subtechnique": [{"id": "T1.1"}]}],
            }
        ],
        "note": "$osquery_0",
        "from": "now-1h",
        "interval": "5m",
        "max_signals": 5,
    },
    {**QUERY, "type": "threshold", "threshold": {
        "field": ["a"], "value": 2, "cardinality": [{"field": "b", "value": 3}]}},
    {**QUERY, "type": "new_terms", "new_terms": {"value": ["a"], "history_window_start": [
        {"field": "history_window_start", "value": "now-7d"}]}},
    {**QUERY, "type": "threat_match", "threat_query": "a: b", "threat_index": ["x"],
     "threat_mapping": [{"entries": [{"field": "a", "value": "b"}]}]},
]  # fmt: skip
ITEM = {
    "item_id": "i",
    "list_id": "l",
    "entries": [
        {"type": "match_any", "field": "a", "operator": "included", "value": ["b"]},
        {"type": "nested", "field": "n", "entries": [{"type": "exists", "field": "c"}]},
    ],
}
OTHERS = [None, True, 0, -1, 1e300, "", "x", "now-99999999999999d", [], [None], ["x"], {}, {"a": 1}]


def places(value, path=()):
    """Yield the path to each part of a value."""
    yield path
    if isinstance(value, dict | list):
        for key, one in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(one, (*path, key))


def changed(value, path, other):
    """Return a value in which something else stands at a path."""
    value = copy.deepcopy(value)
    at = value
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = other
    return value


@pytest.mark.parametrize("number", range(len(RULES)), ids=[rule["type"] for rule in RULES])
def test_a_field_of_another_kind_gives_a_verdict(number):
    for path in list(places(RULES[number]))[1:]:
        for other in OTHERS:
            text = "\n".join(map(json.dumps, (changed(RULES[number], path, other), ITEM)))
            rules, _ = load_all(text, "rules.ndjson")
            for rule in rules:
                assert rule.verdict is not Verdict.CANNOT or rule.reasons
                assert decode_rule(json.loads(json.dumps(encode_rule(rule)))) == rule


def test_an_exception_of_another_kind_gives_a_verdict():
    for path in list(places(ITEM))[1:]:
        for other in OTHERS:
            text = "\n".join(map(json.dumps, (RULES[0], changed(ITEM, path, other))))
            (rule,), _ = load_all(text, "rules.ndjson")
            assert rule.reasons or rule.verdict is Verdict.RUNS


@pytest.mark.parametrize("seed", range(5))
def test_damaged_text_gives_a_verdict(seed):
    dice = random.Random(seed)
    whole = toml(**RULES[0])
    for _ in range(100):
        at, length = dice.randrange(len(whole)), dice.randrange(1, 30)
        text = whole[:at] + dice.choice(["", "'", '"', "\\", "[", "\n", "é"]) + whole[at + length :]
        rules, skipped = load_all(text)
        assert skipped or all(rule.reasons or rule.inputs for rule in rules)
