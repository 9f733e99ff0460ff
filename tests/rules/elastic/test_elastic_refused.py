"""What cannot run says where and why; what can still be said of it is."""

import pytest

from rules.elastic.making import QUERY, load_all, load_one, load_rule, toml
from tocsin.rules.model import Severity, Verdict

NOT_YET = {
    "eql": ({"type": "eql", "language": "eql", "query": "any where true"}, "EQL rules do not run"),
    "eql_sequence": (
        {"type": "eql", "language": "eql", "query": "sequence [any where true]"},
        "EQL rules do not run",
    ),
    "esql": ({"type": "esql", "language": "esql", "query": "from a"}, "ES|QL rules do not run"),
    "machine_learning": (
        {"type": "machine_learning", "query": None, "anomaly_threshold": 50},
        "machine learning rules do not run",
    ),
    "query": ({"language": "lucene", "query": "a:b"}, "'lucene' queries do not run"),
    "threshold": (
        {"type": "threshold", "language": "lucene", "threshold": {"field": "a", "value": 2}},
        "'lucene' queries do not run",
    ),
}


@pytest.mark.parametrize("kind", NOT_YET)
def test_a_kind_that_does_not_run_is_loaded_whole(kind):
    fields, reason = NOT_YET[kind]
    rule = load_rule(**fields, tags=["t"], note="n", building_block_type="default")
    assert (rule.kind, rule.verdict, rule.inputs) == (kind, Verdict.CANNOT, ())
    assert any(reason in one for one in rule.reasons)
    assert all(one.startswith("rule.toml:") for one in rule.reasons)
    assert (rule.tags, rule.guide, rule.building_block) == (("t",), "n", True)
    assert rule.schedule


WRONG = {
    "a severity": ({"severity": "awful"}, "severity: 'awful' is none of informational, low"),
    "a risk score": ({"risk_score": 101}, "risk_score: 101 is not between 0 and 100"),
    "a risk score as text": ({"risk_score": "high"}, "risk_score: is not a whole number: 'high'"),
    "an interval": ({"interval": "often"}, "interval: 'often' is no span of time; write 5m"),
    "a window": ({"from": "yesterday"}, "from: 'yesterday' is no time before now"),
    "a window that ends too early": ({"from": "now"}, "from: is not before the end of the window"),
    "tags": ({"tags": [1]}, "tags: is not a list of texts"),
    "an index": ({"index": {"a": 1}}, "index: is not a list of texts"),
    "new terms": ({"type": "new_terms"}, "new_terms: names no fields"),
    "a history": (
        {"type": "new_terms", "new_terms_fields": ["a"], "history_window_start": "7d"},
        "history_window_start: '7d' is no time before now",
    ),
    "a threshold": (
        {"type": "threshold", "threshold": {"field": "a", "value": 0}},
        "threshold: its value is not a number of events",
    ),
    "a mapping": ({"type": "threat_match"}, "threat_mapping: says no fields to compare"),
    "a filter": (
        {"filters": [{"query": {"script": {"source": "x"}}}]},
        "filters: 'script' of the query DSL is not supported; supported: bool, exists",
    ),
    "a suppression": (
        {"alert_suppression": {"group_by": ["a"], "duration": {"value": 5, "unit": "parsecs"}}},
        "alert_suppression: '5parsecs' is no span of time",
    ),
    "a severity from a field": (
        {"severity_mapping": [{"field": "a", "value": "b", "severity": "c"}]},
        "severity_mapping: 'c' is no severity",
    ),
    "a type": ({"type": "hunch"}, "type: 'hunch' is no type of rules that is known"),
    "a saved query": (
        {"type": "saved_query", "query": None, "saved_id": "s"},
        "saved_id: a saved query is not in the rule's file",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_field_is_named_with_its_line(name):
    fields, problem = WRONG[name]
    text = toml(**fields)
    rule = load_one(text)
    assert (rule.verdict, rule.inputs) == (Verdict.CANNOT, ())
    (reason,) = [one for one in rule.reasons if problem in one]
    key = problem.split(":")[0]
    line = int(reason.split(":")[1])
    shown = text.split("\n")[line - 1]
    assert key in shown or key not in QUERY | fields, shown


HEAD = '[metadata]\nmaturity = "production"\n\n[rule]\nname = "N"\ntype = "query"\n'
QUERIES = {
    "in a literal text of lines": (f"{HEAD}query = '''\na: b and\n  c:: 1\n'''\n", "9:5"),
    "in a literal text": (f"{HEAD}query = 'a b:: 1'\n", "7:14"),
    "in a text": (f'{HEAD}query = "a b:: 1"\n', "7:14"),
    "behind escapes": (f'{HEAD}query = "a: \\"x\\" b: 1"\n', "7:19"),
    "in a text of lines": (f'{HEAD}query = """\na: b and\n  c:: 1\n"""\n', "9:5"),
    "behind blanks and in front of tables": (
        f"{HEAD}query   =  'a:: 1'\n[rule.meta]\nquery = 'b: 1'\n",
        "7:15",
    ),
}


@pytest.mark.parametrize("name", QUERIES)
def test_a_wrong_query_is_placed_in_the_file(name):
    text, place = QUERIES[name]
    rule = load_one(text)
    (reason,) = rule.reasons
    assert reason.startswith(f"rule.toml:{place}: KQL: "), reason
    assert "⟶" in reason
    assert "put " in reason or "write " in reason


def test_what_cannot_be_said_is_placed_at_the_query():
    (reason,) = load_one(f"{HEAD}query = 'word'\n").reasons
    assert reason.startswith("rule.toml:7:9: KQL: word: a value without a field")


BROKEN = {
    "a line that says nothing": (f"{HEAD}nonsense\n", "7:9", "`nonsense`", "write FIELD = VALUE"),
    "a value without quotes": (f"{HEAD}query = a: b\n", "7:9", "`query = a: b`", "in quotes"),
    "an open text": (f"{HEAD}query = 'a: b\n", "7:14", "`query = 'a: b`", "close"),
    "a field that is said twice": (f'{HEAD}name = "M"\n', "7:11", '`name = "M"`', "once"),
    "a backslash": (f'{HEAD}query = "C:\\q"\n', "7:1", "`query", "backslash"),
    "an open text of lines": (f"{HEAD}query = '''\na: b\n", "8:5", "`a: b`", "close"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_toml_is_placed_and_explained(name):
    text, place, excerpt, hint = BROKEN[name]
    rule = load_one(text)
    assert (rule.name, rule.kind, rule.verdict) == ("N", "query", Verdict.CANNOT)
    (reason,) = rule.reasons
    assert reason.startswith(f"rule.toml:{place}"), reason
    assert ": no TOML: " in reason
    assert excerpt in reason, reason
    assert hint in reason, reason


def test_a_wrong_field_does_not_hide_the_others():
    rule = load_rule(severity="awful", interval="often", setup="s", from_=None)
    assert len(rule.reasons) == 2
    assert rule.severity is Severity.MEDIUM


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("pyproject.toml", "[project]\nname = 'x'\n", "no rule: has no [rule]"),
        ("broken.toml", "= nothing", "no rule: has no [rule]"),
        ("package.json", '{"name": "x"}', "no rule: is no export of rules"),
        ("events.ndjson", '{"a": 1}\n', "no rule: is no export of rules"),
    ],
)
def test_a_file_without_a_rule_is_named(name, text, reason):
    rules, skipped = load_all(text, name)
    assert rules == []
    assert skipped is not None
    assert (skipped.path, skipped.reason) == (name, reason)
