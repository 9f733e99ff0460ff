"""Kibana's exports: which objects are rules, and where what is wrong with them stands."""

import json

import pytest

from rules.elastic.making import QUERY, load_all, load_export, ndjson
from tocsin.condition.tree import And, Not
from tocsin.rules.model import Indices, Verdict
from tocsin.rules.stages import NewTerms

LIST = {"list_id": "mine", "type": "detection", "name": "Mine"}
ITEM = {
    "item_id": "i",
    "list_id": "mine",
    "type": "simple",
    "name": "Backups",
    "entries": [{"type": "match", "field": "user.name", "operator": "included", "value": "bot"}],
}
SUMMARY = {"exported_count": 1, "exported_rules_count": 1}
NAMED = {"id": "1", "list_id": "mine", "type": "detection", "namespace_type": "single"}
ENDPOINT = {"id": "endpoint_list", "list_id": "endpoint_list", "type": "endpoint"}
SAVED = {
    "type": "alert",
    "attributes": {
        "name": "Saved",
        "tags": ["t"],
        "enabled": True,
        "alertTypeId": "siem.newTermsRule",
        "schedule": {"interval": "15m"},
        "params": {
            "ruleId": "saved",
            "type": "new_terms",
            "riskScore": 21,
            "severity": "low",
            "language": "kuery",
            "query": "event.action: x",
            "index": ["logs-a-*"],
            "from": "now-20m",
            "maxSignals": 7,
            "newTermsFields": ["user.name"],
            "historyWindowStart": "now-7d",
            "timestampOverride": "event.ingested",
            "falsePositives": ["f"],
            "exceptionsList": [{"listId": "mine"}],
            "filters": [{"query": {"exists": {"field": "aB.cD"}}}],
        },
    },
}


def test_a_rule_stands_on_each_line():
    rules = load_export(QUERY, {**QUERY, "rule_id": "other", "name": "Other"}, SUMMARY)
    assert [(rule.name, rule.verdict) for rule in rules] == [
        ("Example", Verdict.RUNS),
        ("Other", Verdict.RUNS),
    ]
    assert len({rule.digest for rule in rules}) == 2


@pytest.mark.parametrize("indent", [None, 2])
def test_rules_may_be_an_array(indent):
    rules, skipped = load_all(json.dumps([QUERY, QUERY], indent=indent), "rules.json")
    assert (len(rules), skipped) == (2, None)


def test_the_fields_are_those_of_rule_files():
    (rule,) = load_export({**QUERY, "version": 3, "created_at": "2026-01-02T03:04:05Z"})
    assert (rule.id, rule.date) == (QUERY["rule_id"], "2026-01-02")
    assert rule.inputs[0].scope == Indices(("logs-a-*",))
    assert json.loads(rule.document)["rule"]["version"] == 3


def test_a_saved_object_is_a_rule():
    (rule,) = load_export(SAVED)
    assert (rule.id, rule.name, rule.tags) == ("saved", "Saved", ("t",))
    assert isinstance(rule.stage, NewTerms)
    assert rule.schedule
    assert (rule.schedule.every.seconds, rule.schedule.max_alerts) == (900, 7)
    assert rule.schedule.time_fields == ("event.ingested", "@timestamp")
    assert rule.false_positives == ("f",)
    assert rule.verdict is Verdict.APPROXIMATE
    assert "exists" not in str(rule.reasons)


@pytest.mark.parametrize(("enabled", "runs"), [(True, True), (False, False), (None, True)])
def test_what_is_switched_off_does_not_run_by_default(enabled, runs):
    (rule,) = load_export({**QUERY, "enabled": enabled})
    assert rule.enabled is runs
    assert rule.verdict is Verdict.RUNS


def test_exceptions_of_the_file_are_left_out():
    (rule,) = load_export({**QUERY, "exceptions_list": [NAMED]}, LIST, ITEM, SUMMARY)
    assert rule.verdict is Verdict.RUNS
    (one,) = rule.inputs
    assert isinstance(one.condition, And)
    assert any(isinstance(part, Not) for part in one.condition.parts)
    assert json.loads(rule.document)["exceptions"] == [ITEM]


def test_exceptions_of_another_rule_are_not():
    with_list, without = load_export({**QUERY, "exceptions_list": [NAMED]}, QUERY, LIST, ITEM)
    assert with_list.inputs != without.inputs


def test_the_endpoint_list_is_passed_over():
    (rule,) = load_export({**QUERY, "exceptions_list": [ENDPOINT]})
    assert rule.verdict is Verdict.RUNS


def test_exceptions_that_are_not_in_the_file_are_named():
    (rule,) = load_export({**QUERY, "exceptions_list": [NAMED]})
    assert rule.verdict is Verdict.APPROXIMATE
    assert rule.reasons == ("the exceptions of the list mine are not in this file",)
    assert rule.inputs


def test_a_wrong_exception_stops_the_rule():
    wrong = {**ITEM, "entries": [{"type": "list", "field": "a"}]}
    (rule,) = load_export({**QUERY, "exceptions_list": [NAMED]}, wrong)
    assert rule.verdict is Verdict.CANNOT
    assert "an exception of type 'list' is not supported" in rule.reasons[0]


def test_a_wrong_query_is_placed_in_its_line():
    text = ndjson(QUERY, {**QUERY, "query": 'a: "x" b:: 1'})
    (_, rule), _ = load_all(text, "rules.ndjson")
    line = text.split("\n")[1]
    at = line.index("b:: 1") + 1
    assert rule.reasons[0].startswith(f"rules.ndjson:2:{at}: KQL: "), rule.reasons


def test_a_wrong_query_is_placed_in_an_array():
    text = json.dumps([QUERY, {**QUERY, "query": "a:\n b:: 1"}], indent=2)
    (_, rule), _ = load_all(text, "rules.json")
    lines = text.split("\n")
    number = next(at for at, line in enumerate(lines, 1) if "b:: 1" in line)
    at = lines[number - 1].index(":: 1") + 1
    assert rule.reasons[0].startswith(f"rules.json:{number}:{at}: KQL: "), rule.reasons


def test_a_broken_line_does_not_stop_the_others():
    text = ndjson(QUERY) + '{"rule_id": "b", "name": "Broken", }\n' + ndjson(QUERY)
    rules, _ = load_all(text, "rules.ndjson")
    assert [rule.verdict for rule in rules] == [Verdict.RUNS, Verdict.CANNOT, Verdict.RUNS]
    assert (rules[1].id, rules[1].name) == ("b", "Broken")
    (reason,) = rules[1].reasons
    assert reason.startswith("rules.ndjson:2:")
    assert "no JSON: " in reason
    assert "write one object per line" in reason


def test_a_guide_has_its_queries_in_place():
    note = 'Run !{osquery{"label":"L","query":"SELECT {{user.name}}\\n FROM a"}} and look.'
    (rule,) = load_export({**QUERY, "note": note})
    assert rule.guide == "Run L: `SELECT {{user.name}} FROM a` and look."


def test_half_a_character_in_a_text_is_replaced():
    (rule,) = load_export({**QUERY, "description": "a\ud800b"})
    assert rule.description == "a\ufffdb"
    assert json.loads(rule.document)["rule"]["description"] == "a\ufffdb"
