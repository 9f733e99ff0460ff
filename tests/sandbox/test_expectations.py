"""What tests expect of an alert beyond Panther's `ExpectedResult`."""

import pytest
from panther_jobs import HIT, MISS, run_here

from tocsin.sandbox.expectations import MAX_SHOWN

CODE = """
def rule(event): return event["p_log_type"] == "T"
def title(event): return "Ana reads"
def severity(event): return "high"
def dedup(event): return "ana"
def destinations(event): return ["mail", "chat"]
def alert_context(event): return {"user": {"name": "ana", "id": 7}, "path": ["a"], "no": None}
"""

MET = {
    "title": {"ExpectedTitle": "Ana reads"},
    "severity in any case": {"ExpectedSeverity": "High"},
    "dedup": {"ExpectedDedup": "ana"},
    "destinations in any order": {"ExpectedDestinations": ["chat", "mail"]},
    "context": {
        "ExpectedAlertContext": {"user": {"name": "ana", "id": 7}, "path": ["a"], "no": None}
    },
}


@pytest.mark.parametrize("name", MET)
def test_an_expectation_is_met(name):
    assert run_here(CODE, {**HIT, **MET[name]})[1] == ""


UNMET = {
    "title": (
        {"ExpectedTitle": "Bob reads"},
        'ExpectedTitle\n  expected  "Bob reads"\n  found     "Ana reads"',
    ),
    "severity": (
        {"ExpectedSeverity": "low"},
        'ExpectedSeverity\n  expected  "LOW"\n  found     "HIGH"',
    ),
    "dedup that is no text": (
        {"ExpectedDedup": 1},
        'ExpectedDedup\n  expected  1\n  found     "ana"',
    ),
    "no destinations": (
        {"ExpectedDestinations": []},
        'ExpectedDestinations\n  expected  ["SKIP"]\n  found     ["chat", "mail"]',
    ),
    "context": (
        {"ExpectedAlertContext": {"user": {"name": "bob", "id": 7}, "path": ["a"], "more": 1}},
        (
            'ExpectedAlertContext.user.name\n  expected  "bob"\n  found     "ana"\n'
            "ExpectedAlertContext.more\n  expected  1\n  found     (nothing)\n"
            "ExpectedAlertContext.no\n  expected  (nothing)\n  found     null"
        ),
    ),
    "context that is no object": (
        {"ExpectedAlertContext": None},
        (
            "ExpectedAlertContext\n  expected  null\n  found     "
            '{"user": {"name": "ana", "id": 7}, "path": ["a"], "no": null}'
        ),
    ),
    "a key that is not known": (
        {"ExpectedTitel": "Ana reads"},
        (
            "ExpectedTitel is not known; known: ExpectedResult, ExpectedTitle, ExpectedSeverity, "
            "ExpectedDedup, ExpectedAlertContext, ExpectedDestinations"
        ),
    ),
    "the result first": (
        {"ExpectedResult": False, "ExpectedTitle": "Bob reads"},
        "ExpectedResult\n  expected  false\n  found     true",
    ),
}


@pytest.mark.parametrize("name", UNMET)
def test_an_expectation_is_not_met(name):
    expected, told = UNMET[name]
    assert run_here(CODE, {**HIT, **expected})[1] == told


def test_without_an_alert_there_is_nothing_to_expect_of_it():
    quiet = {**MISS, "Log": {"p_log_type": "U"}, "ExpectedTitle": "Ana reads"}
    told = run_here(CODE, quiet)[1]
    assert told == "ExpectedTitle: the detection raises no alert here that has a title"


def test_a_signal_has_a_context_alone():
    assert run_here(CODE, {**HIT, **MET["context"]}, signal=True)[1] == ""
    assert "no alert here" in run_here(CODE, {**HIT, **MET["dedup"]}, signal=True)[1]


def test_a_policy_alerts_on_false():
    code = 'def policy(resource): return False\ndef title(resource): return "Open"'
    test = {"ExpectedResult": False, "Resource": {}, "ExpectedTitle": "Open"}
    assert run_here(code, test, kind="policy")[1] == ""


def test_a_function_that_fails_is_told_with_what_differs():
    told = run_here(CODE + "def title(event): return 1", {**HIT, "ExpectedTitle": "x"})[1]
    first, *rest = told.splitlines()
    assert first == "title() returned int 1, not a text"
    assert rest == ["ExpectedTitle", '  expected  "x"', '  found     "Some.Rule"']


def test_what_is_long_is_cut():
    told = run_here(CODE, {**HIT, "ExpectedDedup": "x" * 2 * MAX_SHOWN})[1]
    assert max(map(len, told.splitlines())) < MAX_SHOWN + 20
