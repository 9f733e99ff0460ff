"""Metadata files: what becomes of each key, which kinds there are, what is refused and where."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from tocsin.condition.tree import TRUE
from tocsin.engine.check import check
from tocsin.rules.load import LoadOptions, RuleFile, RuleLoader, combine
from tocsin.rules.model import PARTS, LogTypes, Severity, Technique, Verdict
from tocsin.rules.panther.kinds import NOT_YET, TYPES, WITH_PYTHON
from tocsin.rules.stages import Deduplication

RULE = """\
AnalysisType: rule
RuleID: "Some.Rule"
DisplayName: "A Rule"
Enabled: true
Filename: some_rule.py
LogTypes: [Okta.SystemLog]
Severity: High
Description: What it finds.
Runbook: What to do.
Reference: https://example.com
Tags: [Okta, Identity]
Reports:
  MITRE ATT&CK:
    - TA0006:T1552.001
    - TA0007
DedupPeriodMinutes: 15
Tests:
  - {Name: one, ExpectedResult: true, Log: {On: yes, day: 2026-01-02}}
"""


def load(text, name="pack/some_rule.yml"):
    found, skipped = RuleLoader(LoadOptions()).load_text(text, RuleFile(Path(name), "pack", name))
    assert skipped is None
    return found[0]


def test_a_rule_is_read_with_all_its_keys():
    rule = load(RULE)
    assert (rule.id, rule.name, rule.kind, rule.ecosystem) == (
        "Some.Rule", "A Rule", "python", "panther",
    )  # fmt: skip
    assert (rule.severity, rule.description, rule.guide) == (
        Severity.HIGH, "What it finds.", "What to do.",
    )  # fmt: skip
    assert (rule.tags, rule.references) == (("Okta", "Identity"), ("https://example.com",))
    assert rule.attack == (Technique("TA0006", "T1552.001"), Technique("TA0007"))
    document = json.loads(rule.document)
    assert document["DedupPeriodMinutes"] == 15
    assert document["Tests"][0]["Log"] == {"On": "yes", "day": "2026-01-02"}


def test_a_python_rule_waits_for_every_event_and_says_that_its_python_decides():
    rule = load(RULE)
    (waits,) = rule.inputs
    assert (rule.verdict, rule.confirm, waits.condition) == (Verdict.RUNS, True, TRUE)
    assert (waits.scope, waits.vocabulary) == (LogTypes(("Okta.SystemLog",)), "panther")
    assert rule.stage == Deduplication(1, timedelta(minutes=15))
    checked = check(rule, ())
    assert checked.verdict is Verdict.CANNOT
    assert "its Python decides, which scans run with --allow-python" in checked.reasons


@pytest.mark.parametrize(
    ("change", "status", "enabled"),
    [
        ("Enabled: true", "", True),
        ("Enabled: false", "disabled", False),
        ("Status: Experimental", "Experimental", True),
        ("Status: Deprecated", "Deprecated", True),
    ],
)
def test_what_runs_by_default(change, status, enabled):
    rule = load(RULE.replace("Enabled: true", change))
    assert (rule.status, rule.enabled) == (status, enabled)


@pytest.mark.parametrize("analysis", TYPES)
def test_every_analysis_type_is_known(analysis):
    known = TYPES[analysis]
    rule = load(RULE.replace("Type: rule", f"Type: {analysis}").replace("RuleID", known.id_key))
    assert (rule.id, rule.kind, rule.is_part) == ("Some.Rule", known.kind, known.kind in PARTS)
    not_yet = None if analysis == "lookup_table" else NOT_YET.get(rule.kind)
    assert rule.reasons == ((f"pack/some_rule.yml: {not_yet}",) if not_yet else ())
    loaded = combine([([rule], None)])
    assert len(loaded.parts if rule.is_part else loaded.rules) == 1


def test_a_rule_with_a_detection_is_simple_and_one_with_a_base_derived():
    assert load(RULE + "Detection: [{Key: a, Condition: Exists}]\n").kind == "simple"
    assert load(RULE + "BaseDetection: Other\n").kind == "derived"
    assert {"simple", "derived"} & WITH_PYTHON == set()


WRONG = {
    "type": (
        RULE.replace("Type: rule", "Type: rules"),
        "pack/some_rule.yml:1:1: AnalysisType: 'rules' is none of rule, scheduled_rule, ",
    ),
    "no id": (RULE.replace("RuleID", "Id"), "pack/some_rule.yml:1:1: RuleID: is missing"),
    "no file": (
        RULE.replace("Filename:", "File:"),
        "pack/some_rule.yml:1:1: Filename: names no Python file",
    ),
    "severity": (
        RULE.replace("High", "Bad"),
        "pack/some_rule.yml:7:1: Severity: 'Bad' is none of Info, Low, Medium, High, Critical",
    ),
    "no severity": (
        RULE.replace("Severity: High\n", ""),
        "pack/some_rule.yml:1:1: Severity: is missing",
    ),
    "no YAML": (RULE + "a: b: c\n", "pack/some_rule.yml:19:5: no YAML: mapping values"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_told_with_its_place(name):
    text, reason = WRONG[name]
    rule = load(text)
    assert rule.verdict is Verdict.CANNOT
    assert rule.reasons[0].startswith(reason)


def test_of_a_broken_file_is_said_what_can_be():
    rule = load(RULE + "a: b: c\n")
    assert (rule.id, rule.name, rule.kind) == ("Some.Rule", "A Rule", "python")


def test_a_template_is_no_rule():
    file = RuleFile(Path("pack/templates/rule.yml"), "pack", "pack/templates/rule.yml")
    rules, skipped = RuleLoader(LoadOptions()).load_text(RULE, file)
    assert (rules, skipped.reason) == ([], "no rule: a template for rules of Panther")


def test_a_repeated_key_is_noted():
    assert load(RULE + "Severity: Low\n").notes == (
        "line 19: the key 'Severity' stands twice; the last counts",
    )
