"""One event through one detection: what decides, what describes the alert, what falls back."""

import sys

import pytest
from panther_jobs import HIT, MISS, run_here

from tocsin.sandbox.datamodel import DataModel, Meaning, parse_path

RULE = "def rule(event): return True\n"


def alert(code, **fields):
    outcome, _ = run_here(RULE + code, **fields)
    assert outcome.matched
    return outcome


@pytest.mark.parametrize("value", ["None", "1", "'yes'", "[]"])
def test_a_rule_that_returns_no_boolean_is_in_error(value):
    outcome, failure = run_here(f"def rule(event): return {value}", MISS)
    assert not outcome.matched
    assert "not True or False" in outcome.error
    assert failure == outcome.error


ERRORS = {
    "raises": ("def rule(e):\n    return e['x']", "rule() raised KeyError at Some.Rule.py:2: 'x'"),
    "exits": (
        "import sys\ndef rule(e): sys.exit(3)",
        "rule() raised SystemExit at Some.Rule.py:2: 3",
    ),
    "is not there": ("x = 1", "rule() is not defined in its Python"),
    "is no Python": ("def rule(e:", "its Python cannot be compiled: Some.Rule.py:1: "),
    "raises on import": ("import nothing_of_that_name", "its Python raised ModuleNotFoundError at"),
    "exits on import": ("raise SystemExit", "its Python raised SystemExit at Some.Rule.py:1"),
    "raises what has no text": (
        "class E(Exception):\n    def __str__(self): raise self\ndef rule(e): raise E",
        "rule() raised E at Some.Rule.py:3: (no message)",
    ),
}


@pytest.mark.parametrize("name", ERRORS)
@pytest.mark.parametrize("test", [HIT, MISS], ids=["hit", "miss"])
def test_a_rule_that(name, test):
    code, reason = ERRORS[name]
    outcome, failure = run_here(code, test)
    assert not outcome.matched
    assert failure.startswith(reason)


DEFAULTS = {
    "title": "A Rule", "description": "Text.", "reference": "https://a", "severity": "LOW",
    "runbook": "Do.", "destinations": None, "dedup": "defaultDedupString:Some.Rule",
    "alert_context": {}, "unique": None,
}  # fmt: skip
METADATA = {"severity": "LOW", "description": "Text.", "reference": "https://a", "runbook": "Do."}


def test_what_is_not_defined_is_what_the_metadata_says():
    outcome = alert("", **METADATA)
    assert (outcome.alert, outcome.faults) == (DEFAULTS, {})


FAILING = {
    "title": "Some.Rule",
    "dedup": "defaultDedupString:Some.Rule",
    "alert_context": {"_error": "ValueError('no')"},
    **{
        name: DEFAULTS[name]
        for name in ("description", "reference", "severity", "runbook", "destinations", "unique")
    },
}


@pytest.mark.parametrize("name", FAILING)
def test_a_function_that_raises_falls_back_and_is_told(name):
    outcome = alert(f"def {name}(event):\n    raise ValueError('no')", **METADATA)
    assert outcome.alert[name] == FAILING[name]
    assert outcome.faults == {name: f"{name}() raised ValueError at Some.Rule.py:3: no"}


WRONG = {
    "title": "1", "dedup": "1", "severity": "'TERRIBLE'", "description": "1", "reference": "1",
    "runbook": "1", "destinations": "'mail'", "alert_context": "[]", "unique": "1",
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_function_of_the_wrong_type_falls_back_and_is_told(name):
    outcome = alert(f"def {name}(event): return {WRONG[name]}")
    assert list(outcome.faults) == [name]


GIVEN = {
    "dedup falls back to the title": ("def title(e): return 'T'", "dedup", "T"),
    "an empty dedup is not the title": (
        "def title(e): return 'T'\ndef dedup(e): return ''",
        "dedup",
        "defaultDedupString:Some.Rule",
    ),
    "no dedup and an empty title": (
        "def title(e): return ''",
        "dedup",
        "defaultDedupString:Some.Rule",
    ),
    "an empty title": ("def title(e): return ''", "title", "A Rule"),
    "title default": ("def title(e): return 'DEFAULT'", "title", "A Rule"),
    "a dedup is as it is said": ("def dedup(e): return 'DEFAULT'", "dedup", "DEFAULT"),
    "severity in any case": ("def severity(e): return 'critical'", "severity", "CRITICAL"),
    "severity default": ("def severity(e): return 'Default'", "severity", "MEDIUM"),
    "no destinations": ("def destinations(e): return []", "destinations", ["SKIP"]),
    "a context of views": (
        "def alert_context(e): return {'e': e, 'l': [e.get('l')]}",
        "alert_context",
        {"e": {"p_log_type": "T"}, "l": [None]},
    ),
    "unique": ("def unique(e): return 'u'", "unique", "u"),
    "a long title is cut": (
        "def title(e): return 'x' * 2000",
        "title",
        "x" * 985 + "... (truncated)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", GIVEN)
def test_what_a_function_gives(name):
    code, key, expected = GIVEN[name]
    outcome = alert(code)
    assert (outcome.alert[key], outcome.faults) == (expected, {})


BAD_CONTEXTS = ["{'a': float('nan')}", "{'a': {1, 2}}", "{'a': 'x' * 300_000}"]


@pytest.mark.parametrize("context", BAD_CONTEXTS)
def test_a_context_that_cannot_be_kept(context):
    outcome = alert(f"def alert_context(e): return {context}")
    assert list(outcome.alert["alert_context"]) == ["_error"]


def test_functions_are_called_in_order_in_one_module():
    names = [*DEFAULTS]
    names.remove("alert_context")
    code = "seen = ['rule']\n" + "".join(
        f"def {name}(e):\n    seen.append('{name}')\n    return None\n" for name in names
    )
    outcome = alert(code + "def alert_context(e): return {'seen': seen}")
    assert outcome.alert["alert_context"]["seen"] == ["rule", *[n for n in names if n != "unique"]]


def test_state_of_rule_is_seen_by_title():
    code = "LAST = None\ndef rule(e):\n    global LAST\n    LAST = 'x'\n    return True\n"
    outcome, _ = run_here(code + "def title(e): return LAST")
    assert outcome.alert["title"] == "x"


def test_a_policy_alerts_on_false_and_sees_a_dictionary():
    code = "def policy(resource): return type(resource) is not dict"
    test = {"Name": "t", "ExpectedResult": False, "Resource": {"a": 1}}
    outcome, failure = run_here(code, test, kind="policy")
    assert (outcome.matched, failure) == (True, "")


def test_a_scheduled_rule_without_rule_takes_every_row():
    outcome, failure = run_here("", kind="scheduled")
    assert (outcome.matched, failure) == (True, "")


def test_a_signal_has_a_context_alone():
    outcome = alert("def title(e): raise ValueError\n", signal=True)
    assert (outcome.alert, outcome.faults) == ({"alert_context": {}}, {})


def test_helpers_and_shims_are_imported_by_name():
    code = """
        import helper_of_pack
        import panther_core.enriched_event
        from panther_core import PantherEvent
        from panther_core.immutable import ImmutableCaseInsensitiveDict, ImmutableList
        from panther_detection_helpers.caching import increment_counter

        def rule(event):
            return isinstance(event, PantherEvent) and helper_of_pack.knows(event)

        def title(event):
            return str([increment_counter("k"), increment_counter("k")])
    """
    helpers = {"helper_of_pack": "def knows(event): return 'P_LOG_TYPE' in event"}
    outcome, failure = run_here(code, helpers=helpers)
    assert (outcome.alert["title"], failure) == ("[1, 2]", "")
    assert not {"helper_of_pack", "panther_core"} & sys.modules.keys()


MODEL = DataModel("M", {"user": Meaning("who.name", parse_path("who.name"))})
USER = {"Name": "t", "ExpectedResult": True, "Log": {"p_log_type": "T", "who": {"name": "ana"}}}


@pytest.mark.parametrize(("kind", "found"), [("python", True), ("scheduled", False)])
def test_the_data_model_is_that_of_the_log_type(kind, found):
    code = "def rule(event): return event.udm('user') == 'ana'"
    outcome, _ = run_here(code, USER, models={"T": MODEL}, kind=kind)
    assert outcome.output is found


MOCKED = """
    LIMIT = 5
    def ask(key): raise OSError
    def rule(event): return ask("k") == LIMIT("x") == 3
"""


def test_mocks_replace_names_of_the_module():
    mocks = [{"objectName": "ask", "returnValue": 3}, {"objectName": "LIMIT", "returnValue": 3}]
    assert run_here(MOCKED, {**HIT, "Mocks": mocks})[1] == ""


def test_a_mock_of_a_name_that_is_not_there_fails():
    mocks = [{"objectName": "nobody", "returnValue": 3}]
    assert "a mock is for 'nobody'" in run_here(MOCKED, {**HIT, "Mocks": mocks})[1]


def test_lookup_rows_are_mocked():
    mocks = [{"objectName": "_mocked_lookup_data_", "returnValue": {"t": {"k": {"v": 1}}}}]
    code = "def rule(event): return event.lookup('t', 'k') == {'v': 1}"
    assert run_here(code, {**HIT, "Mocks": mocks})[1] == ""


NOT_EXPECTED = "ExpectedResult\n  expected  false\n  found     true"
TITLE_FAILS = "def rule(event): return True\ndef title(event): return event['x']"


@pytest.mark.parametrize(
    ("code", "test", "failure"),
    [
        pytest.param(RULE, HIT, "", id="a hit that is expected"),
        pytest.param(RULE, MISS, NOT_EXPECTED, id="one that is not"),
        pytest.param(TITLE_FAILS, HIT, "title() raised", id="a hit whose title fails"),
        pytest.param(TITLE_FAILS, MISS, NOT_EXPECTED, id="a title that does not matter"),
    ],
)
def test_the_verdict_of_a_test(code, test, failure):
    found = run_here(code, test)[1]
    assert found.startswith(failure)
    assert bool(found) == bool(failure)
