"""What each field of a rule file becomes."""

import json
from datetime import timedelta

import pytest

from rules.elastic.making import load_one, load_rule, toml
from tocsin.condition.tree import TRUE, And, Field, Glob, Not, Op, Predicate
from tocsin.rules.elastic.build import DEFAULT_INDICES
from tocsin.rules.model import (
    Indices,
    Overrides,
    RiskFrom,
    Severity,
    SeverityFrom,
    Technique,
    Verdict,
)
from tocsin.rules.stages import (
    Comparison,
    Distinct,
    IndicatorMatch,
    NewTerms,
    Schedule,
    Suppression,
    Threshold,
)

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
TACTIC = {"id": "TA0001", "name": "n", "reference": "r"}
THREAT = {
    "framework": "MITRE ATT&CK",
    "tactic": TACTIC,
    "technique": [{"id": "T1", "subtechnique": [{"id": "T1.001"}]}, {"id": "T2"}],
}

FACTS = {
    "the id is the rule's": ({}, "id", "5f0c1b52-3c40-4a2e-9c10-0a4a4f0f6f01"),
    "a rule without id is known by its path": ({"rule_id": None}, "id", "rule.toml"),
    "the name is the rule's": ({"name": " N "}, "name", "N"),
    "the ecosystem is elastic": ({}, "ecosystem", "elastic"),
    "the kind is the type": ({"type": "esql"}, "kind", "esql"),
    "a sequence is a kind of its own": (
        {"type": "eql", "query": "// why\nsequence by a [any where true]"},
        "kind",
        "eql_sequence",
    ),
    "a sample is a sequence": ({"type": "eql", "query": "sample by a [x]"}, "kind", "eql_sequence"),
    "an event query is no sequence": (
        {"type": "eql", "query": "any where process.name == 'sequence'"},
        "kind",
        "eql",
    ),
    "severity": ({"severity": "critical"}, "severity", Severity.CRITICAL),
    "risk score": ({"risk_score": 0}, "risk_score", 0),
    "without risk score that of the severity": ({"risk_score": None}, "risk_score", 47),
    "the status is the maturity": ({}, "status", "production"),
    "description": ({"description": "\nText.\n"}, "description", "Text."),
    "authors": ({"author": ["A", "B"]}, "author", ("A", "B")),
    "license": ({"license": "L"}, "license", "L"),
    "tags": ({"tags": ["Domain: Cloud"]}, "tags", ("Domain: Cloud",)),
    "references": ({"references": ["https://a"]}, "references", ("https://a",)),
    "false positives": ({"false_positives": ["\n A\n"]}, "false_positives", ("A",)),
    "setup": ({"setup": "\n## Setup\n"}, "setup", "## Setup"),
    "a guide": ({"note": "## Triage {{host.name}}\n"}, "guide", "## Triage {{host.name}}"),
    "a building block": ({"building_block_type": "default"}, "building_block", True),
    "no building block": ({}, "building_block", False),
    "a tactic goes with each of its techniques": (
        {"threat": [THREAT]},
        "attack",
        (Technique("TA0001", "T1"), Technique("TA0001", "T1.001"), Technique("TA0001", "T2")),
    ),
    "a tactic may stand alone": (
        {"threat": [{"framework": "MITRE ATT&CK", "tactic": TACTIC}]},
        "attack",
        (Technique("TA0001"),),
    ),
    "another framework names no technique": (
        {"threat": [{**THREAT, "framework": "MITRE ATLAS"}]},
        "attack",
        (),
    ),
    "a severity from a field": (
        {
            "severity_mapping": [
                {"field": "s", "operator": "equals", "value": "7", "severity": "high"}
            ]
        },
        "overrides",
        Overrides(severity=(SeverityFrom("s", "7", Severity.HIGH),)),
    ),
    "a risk score that is a field's number": (
        {"risk_score_mapping": [{"field": "r", "operator": "equals", "value": ""}]},
        "overrides",
        Overrides(risk_score=(RiskFrom("r"),)),
    ),
    "a risk score for a value": (
        {"risk_score_mapping": [{"field": "r", "value": "bad", "risk_score": 99}]},
        "overrides",
        Overrides(risk_score=(RiskFrom("r", "bad", 99),)),
    ),
    "a name from a field": ({"rule_name_override": "message"}, "overrides", Overrides("message")),
}


@pytest.mark.parametrize("name", FACTS)
def test_a_field_becomes_what_people_see(name):
    fields, attribute, expected = FACTS[name]
    assert getattr(load_rule(**fields), attribute) == expected


SCHEDULES = {
    "absent fields are as in Kibana": ({}, Schedule(5 * MINUTE, 6 * MINUTE)),
    "a window is the span of from": ({"from": "now-9m"}, Schedule(5 * MINUTE, 9 * MINUTE)),
    "a window may end before now": (
        {"from": "now-2h", "to": "now-1h"},
        Schedule(5 * MINUTE, HOUR, HOUR),
    ),
    "units add up": ({"from": "now-1d-12h"}, Schedule(5 * MINUTE, DAY + 12 * HOUR)),
    "rounding adds its unit": ({"from": "now-1d/d"}, Schedule(5 * MINUTE, 2 * DAY)),
    "an interval": ({"interval": "12h"}, Schedule(12 * HOUR, 6 * MINUTE)),
    "a time that is overridden falls back": (
        {"timestamp_override": "event.ingested"},
        Schedule(5 * MINUTE, 6 * MINUTE, time_fields=("event.ingested", "@timestamp")),
    ),
    "unless the fallback is switched off": (
        {"timestamp_override": "event.ingested", "timestamp_override_fallback_disabled": True},
        Schedule(5 * MINUTE, 6 * MINUTE, time_fields=("event.ingested",)),
    ),
    "a number of alerts": ({"max_signals": 5}, Schedule(5 * MINUTE, 6 * MINUTE, max_alerts=5)),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_is_kept(name):
    fields, expected = SCHEDULES[name]
    assert load_rule(**fields).schedule == expected


SUPPRESSIONS = {
    "of groups for a duration": (
        {"group_by": ["a", "b"], "duration": {"value": 6, "unit": "h"}},
        Suppression(("a", "b"), 6 * HOUR),
    ),
    "what lacks a field is a group": (
        {"group_by": ["a"], "missing_fields_strategy": "suppress"},
        Suppression(("a",), 5 * MINUTE),
    ),
    "or stands for itself": (
        {"group_by": ["a"], "missing_fields_strategy": "doNotSuppress"},
        Suppression(("a",), 5 * MINUTE, missing_is_a_value=False),
    ),
}


@pytest.mark.parametrize("name", SUPPRESSIONS)
def test_a_suppression_is_kept(name):
    table, expected = SUPPRESSIONS[name]
    assert load_rule(alert_suppression=table).suppression == expected


def test_without_duration_suppression_lasts_one_interval():
    rule = load_rule(alert_suppression={"group_by": ["a"]}, interval="1h")
    assert rule.suppression == Suppression(("a",), HOUR)


def test_a_threshold_rule_suppresses_by_its_own_fields():
    rule = load_rule(
        type="threshold",
        threshold={"field": ["a"], "value": 2},
        alert_suppression={"duration": {"value": 1, "unit": "d"}},
    )
    assert rule.suppression == Suppression(("a",), DAY)


def new_terms(start="now-7d", *fields):
    history = [{"field": "history_window_start", "value": start}]
    return {"field": "new_terms_fields", "value": list(fields), "history_window_start": history}


STAGES = {
    "new terms of a field": (
        {"type": "new_terms", "new_terms": new_terms("now-7d", "a")},
        NewTerms(("a",), 7 * DAY),
    ),
    "new terms of fields together": (
        {"type": "new_terms", "new_terms": new_terms("now-12h", "a", "b")},
        NewTerms(("a", "b"), 12 * HOUR),
    ),
    "new terms as an export has them": (
        {"type": "new_terms", "new_terms_fields": ["a"], "history_window_start": "now-1d"},
        NewTerms(("a",), DAY),
    ),
    "a threshold within the span of from": (
        {"type": "threshold", "threshold": {"field": ["a"], "value": 5}, "from": "now-1h"},
        Threshold(("a",), 5, HOUR),
    ),
    "a threshold of one field": (
        {"type": "threshold", "threshold": {"field": "a", "value": 5}},
        Threshold(("a",), 5, 6 * MINUTE),
    ),
    "a threshold of all": (
        {"type": "threshold", "threshold": {"field": [], "value": 5}},
        Threshold((), 5, 6 * MINUTE),
    ),
    "only the first cardinality counts": (
        {
            "type": "threshold",
            "threshold": {
                "field": ["a"],
                "value": 1,
                "cardinality": [{"field": "b", "value": 3}, {"field": "c", "value": 9}],
            },
        },
        Threshold(("a",), 1, 6 * MINUTE, Distinct("b", 3)),
    ),
    "a plain query has none": ({}, None),
}


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_is_read(name):
    fields, expected = STAGES[name]
    rule = load_rule(**fields)
    assert rule.stage == expected
    assert rule.verdict is Verdict.RUNS


def entry(field, value, **more):
    return {"field": field, "type": "mapping", "value": value, **more}


def test_indicators_are_matched_by_any_item_and_all_of_its_entries():
    rule = load_rule(
        type="threat_match",
        threat_index=["logs-ti_*"],
        threat_query="a: 1",
        threat_filters=[{"query": {"match_phrase": {"b": "2"}}}],
        threat_mapping=[
            {"entries": [entry("x", "i.x"), entry("y", "i.y", negate=True)]},
            {"entries": [entry("z", "i.z")]},
        ],
    )
    stage = rule.stage
    assert isinstance(stage, IndicatorMatch)
    assert stage.any_of == (
        (Comparison("x", "i.x"), Comparison("y", "i.y", negated=True)),
        (Comparison("z", "i.z"),),
    )
    assert (stage.indices, stage.path) == (("logs-ti_*",), "threat.indicator")
    assert isinstance(stage.condition, And)
    assert [part.field.path for part in stage.condition.parts] == [("a",), ("b",)]


INDICES = {
    "patterns are kept as they are": ({"index": ["a-*", "-a-b"]}, ("a-*", "-a-b")),
    "without them Kibana's are searched": ({"index": None}, DEFAULT_INDICES),
}


@pytest.mark.parametrize("name", INDICES)
def test_the_scope_is_the_indices(name):
    fields, expected = INDICES[name]
    (one,) = load_rule(**fields).inputs
    assert (one.scope, one.vocabulary) == (Indices(expected), "ecs")


def test_a_data_view_cannot_be_known():
    rule = load_rule(index=None, data_view_id="security")
    assert rule.verdict is Verdict.APPROXIMATE
    assert "the data view security is not in this file" in rule.reasons[0]


def test_an_index_beside_a_data_view_is_searched():
    assert load_rule(data_view_id="security").verdict is Verdict.RUNS


def test_filters_must_hold_beside_the_query():
    pattern = {"wildcard": {"file.path": {"value": "?:\\\\x*", "case_insensitive": True}}}
    rule = load_rule(filters=[{"meta": {"negate": True}, "query": pattern}])
    (one,) = rule.inputs
    assert isinstance(one.condition, And)
    _, left_out = one.condition.parts
    assert isinstance(left_out, Not)
    assert isinstance(left_out.part, Predicate)
    assert left_out.part.fold_case
    assert isinstance(left_out.part.values[0], Glob)


def test_no_query_matches_everything():
    assert load_rule(query="").inputs[0].condition == TRUE


def test_a_field_of_an_integration_has_its_type():
    rule = load_rule(query="azure.signinlogs.properties.status.error_code: 50053")
    (one,) = rule.inputs
    assert isinstance(one.condition, Predicate)
    assert one.condition.op is Op.EQUALS
    assert one.condition.values == (50053,)


def test_a_pattern_of_names_stays_a_name():
    (one,) = load_rule(query="a.*.b: x").inputs
    assert isinstance(one.condition, Predicate)
    assert one.condition.field == Field(("a.*.b",), one.condition.field.via)


def test_a_value_against_its_type_is_noted():
    rule = load_rule(query="source.port: http or event.action: x")
    assert rule.verdict is Verdict.RUNS
    assert rule.notes == ("source.port: http is no number, so it never matches",)


def test_everything_that_is_said_is_kept():
    text = toml(
        metadata={"maturity": "production", "integration": ["azure"]},
        transform={"osquery": [{"label": "l", "query": "q"}]},
        timeline_id="t",
        investigation_fields={"field_names": ["a"]},
        own={"any": [1, "x", {"deep": True}]},
    )
    kept = json.loads(load_one(text).document)
    assert kept["metadata"]["integration"] == ["azure"]
    assert kept["transform"]["osquery"] == [{"label": "l", "query": "q"}]
    assert kept["rule"]["timeline_id"] == "t"
    assert kept["rule"]["own"] == {"any": [1, "x", {"deep": True}]}


def test_dates_are_those_of_the_file():
    dates = {"creation_date": "2024/01/02", "updated_date": "2025/03/04"}
    rule = load_one(toml(metadata=dates))
    assert (rule.date, rule.modified) == ("2024-01-02", "2025-03-04")


@pytest.mark.parametrize(
    ("maturity", "runs"),
    [("production", True), ("deprecated", False), ("development", False), (None, True)],
)
def test_only_production_runs_by_default(maturity, runs):
    metadata = {"maturity": maturity} if maturity else {"creation_date": "2024/01/02"}
    rule = load_one(toml(metadata=metadata))
    assert (rule.enabled, rule.verdict) == (runs, Verdict.RUNS)


def test_enabled_in_a_rule_file_is_only_what_is_shipped():
    assert load_rule(enabled=False).enabled
