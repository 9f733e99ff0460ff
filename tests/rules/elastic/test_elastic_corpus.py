"""Elastic's rules as they are published, and pages that quote them."""

import json
import re
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tocsin.rules.cache import load_rules_cached
from tocsin.rules.load import load_rules
from tocsin.rules.model import Indices, Severity, Technique, Verdict
from tocsin.rules.stages import IndicatorMatch, NewTerms

PRODUCTION = {
    ("eql", Verdict.CANNOT): 821,
    ("eql_sequence", Verdict.CANNOT): 201,
    ("esql", Verdict.CANNOT): 208,
    ("machine_learning", Verdict.CANNOT): 106,
    ("new_terms", Verdict.RUNS): 240,
    ("query", Verdict.RUNS): 454,
    ("threat_match", Verdict.RUNS): 6,
    ("threshold", Verdict.RUNS): 28,
}
HISTORY = {7: 100, 5: 87, 10: 35, 14: 11, 15: 2, 0.5: 1, 1: 1, 3: 1, 20: 1, 30: 1}


@pytest.fixture(scope="module")
def loaded(elastic_corpus):
    return load_rules([elastic_corpus])


@pytest.fixture(scope="module")
def rules(loaded):
    """Return the rules in production."""
    return [rule for rule in loaded if rule.enabled]


def test_every_file_is_a_rule(loaded, elastic_corpus):
    assert loaded.skipped == ()
    assert len(loaded) == len(list(elastic_corpus.rglob("*.toml"))) == 2188
    assert Counter(rule.status for rule in loaded) == {"production": 2064, "deprecated": 124}


def test_kinds_and_verdicts_are_these(rules):
    assert Counter((rule.kind, rule.verdict) for rule in rules) == PRODUCTION


def test_every_query_of_kql_runs(rules):
    running = [rule for rule in rules if rule.verdict is Verdict.RUNS]
    assert len(running) == 728
    assert all(len(rule.inputs) == 1 and not rule.reasons for rule in running)


def test_notes_are_few(rules):
    notes = [note for rule in rules for note in rule.notes]
    assert len(notes) <= 3
    assert all("compares them as text" in note for note in notes)


def test_facts_are_counted_as_they_are_in_the_files(rules):
    assert sum(rule.building_block for rule in rules) == 127
    assert sum(bool(rule.suppression) for rule in rules) == 23
    assert sum(bool(rule.overrides.severity) for rule in rules) == 28
    assert sum(bool(rule.overrides.risk_score) for rule in rules) == 20
    assert sum(bool(rule.overrides.name) for rule in rules) == 25
    assert all(rule.schedule for rule in rules)
    assert all(rule.own_risk_score is not None for rule in rules)
    days = Counter(
        rule.stage.window / timedelta(days=1) for rule in rules if isinstance(rule.stage, NewTerms)
    )
    assert days == HISTORY


def test_what_a_guide_refers_to_is_in_it_unless_it_is_not_in_the_file(loaded):
    for rule in loaded:
        transform = json.loads(rule.document).get("transform", {})
        for kind, number in re.findall(r"\$(osquery|investigate)_(\d+)", rule.guide):
            assert int(number) >= len(transform[kind]), rule.path


def test_rules_from_the_cache_are_the_same_and_soon_there(loaded, elastic_corpus):
    load_rules_cached([elastic_corpus])
    started = time.process_time()
    cached = load_rules_cached([elastic_corpus])
    assert time.process_time() - started < 2
    assert [undated(rule) for rule in cached] == [undated(rule) for rule in loaded]


def undated(rule):
    return replace(rule, stage=None) if isinstance(rule.stage, IndicatorMatch) else rule


def test_indicators_are_those_of_the_last_month(rules):
    now = datetime.now(UTC)
    stages = [rule.stage for rule in rules if isinstance(rule.stage, IndicatorMatch)]
    assert len(stages) == 6
    for stage in stages:
        (since,) = [
            value
            for part in stage.condition.parts
            if getattr(part, "field", None) and part.field.path == ("@timestamp",)
            for value in part.values
        ]
        assert 29 <= (now.timestamp() - since / 1000) / 86400 <= 32


@pytest.fixture(scope="module")
def seeds(shared):
    folder = shared / "seeds"
    if not folder.exists():
        pytest.skip("no data at seeds")
    return {path.name[:3]: path for path in folder.glob("*.txt")}


@pytest.mark.parametrize("seed", ["001", "003"])
def test_a_page_is_the_rule_that_it_quotes(seeds, seed):
    (rule,) = load_rules([seeds[seed]])
    assert (rule.verdict, rule.kind, rule.ecosystem) == (Verdict.RUNS, "query", "elastic")
    assert (rule.severity, rule.risk_score) == (Severity.MEDIUM, 47)
    assert rule.author == ("Elastic",)
    assert rule.license == "Elastic License v2"
    assert len(rule.references) == 3
    assert rule.attack == (Technique("TA0006", "T1552"), Technique("TA0006", "T1552.001"))
    (one,) = rule.inputs
    assert one.scope == Indices(("filebeat-*", "logs-azure*"))
    assert rule.schedule
    assert rule.schedule.window == timedelta(minutes=25)
    assert [part.field.path[0] for part in one.condition.parts] == [
        "event.dataset",
        "azure.activitylogs.operation_name",
        "event.outcome",
    ]


def test_two_pages_of_one_rule_ask_the_same(seeds):
    (one,) = load_rules([seeds["001"]])
    (other,) = load_rules([seeds["003"]])
    assert one.inputs == other.inputs
    assert one.name == other.name


def test_a_page_of_a_rule_on_new_terms(seeds):
    (rule,) = load_rules([seeds["004"]])
    assert rule.verdict is Verdict.RUNS
    assert rule.stage == NewTerms(
        ("azure.platformlogs.identity.claim.upn", "azure.platformlogs.properties.id"),
        timedelta(days=14),
    )
    assert rule.setup.startswith("#### ")
    assert "\n- Review" in rule.guide


def test_what_is_wrong_on_a_page_is_placed_on_it(seeds, tmp_path):
    text = seeds["004"].read_text("utf-8")
    page = tmp_path / "page.txt"
    page.write_text(text.replace('event.outcome: "success" and', 'event.outcome:: "success" and'))
    (rule,) = load_rules([page])
    lines = page.read_text("utf-8").split("\n")
    number = next(at for at, line in enumerate(lines, 1) if "event.outcome:: " in line)
    column = lines[number - 1].index(":: ") + 2
    assert rule.reasons[0].startswith(f"{page}:{number}:{column}: KQL: "), rule.reasons
