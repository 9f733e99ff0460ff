"""Rules of Panther in scans: what their Python says decides, groups and describes."""

import json
from dataclasses import replace
from textwrap import dedent

import pytest
from panther_pack import FILES, write_pack

import tocsin
from tocsin.rules.load import LoadOptions, load_rules
from tocsin.sandbox.limits import Limits
from tocsin.sandbox.process import Options

LOG = "Sample.Log"


@pytest.fixture
def pack(tmp_path):
    """Write a pack of some rules, given as Python, with keys of their files."""

    def write(*, lift=False, **rules):
        for name, (code, keys) in rules.items():
            lines = {
                "AnalysisType": "rule",
                "RuleID": name,
                "DisplayName": f"The {name}",
                "Enabled": True,
                "Filename": f"{name}.py",
                "LogTypes": [LOG],
                "Severity": "Medium",
                **keys,
            }
            file = tmp_path / "pack" / f"{name}.yml"
            file.parent.mkdir(exist_ok=True)
            file.write_text(
                "\n".join(f"{key}: {json.dumps(value)}" for key, value in lines.items())
            )
            file.with_suffix(".py").write_text(dedent(code))
        return load_rules([tmp_path / "pack"], LoadOptions(lift=lift))

    return write


def at(minute, **fields):
    return {"time": f"2026-03-04T{minute // 60:02}:{minute % 60:02}:00Z", **fields}


def scan(rules, records, log_type=LOG, **more):
    named = log_type and f"panther:{log_type}"
    options = {"log_type": named, "allow_python": True} | more
    return tocsin.scan(records, rules, **options)


def told(result):
    return [
        (alert.title, [event.line - 1 for event in alert.events], alert.count) for alert in result
    ]


ALL = """
    def rule(event):
        return event.get("hit") is True
"""
BY_USER = (
    ALL
    + """
    def title(event):
        return f"by {event.get('user')}"
"""
)


DESCRIBED = """
    LIMITS = {"low": 1, "high": 5}

    def rule(event):
        return event.get("n", 0) > LIMITS["low"] and event.deep_get("who", "name") != "root"

    def title(event):
        return f"{event.deep_get('who', 'name', default='somebody')} did {event.get('n')}"

    def dedup(event):
        return event.deep_get("who", "name", default="")

    def severity(event):
        return "HIGH" if event.get("n") >= LIMITS["high"] else "DEFAULT"

    def alert_context(event):
        return {"n": event.get("n"), "who": event.get("who")}
"""


def test_no_python_runs_unless_it_is_allowed(pack, tmp_path):
    mark = tmp_path / "ran"
    rules = pack(spy=(f"open({str(mark)!r}, 'w')\ndef rule(event): return True", {}))
    result = scan(rules, [at(0)], allow_python=False)
    assert (len(result), mark.exists()) == (0, False)


def test_an_alert_says_what_the_functions_say(pack):
    rules = pack(
        talks=(
            BY_USER
            + """
    def severity(event): return "critical"
    def description(event): return "what it is"
    def reference(event): return "https://example.com"
    def runbook(event): return "what to do"
    def destinations(event): return ["one"]
    def alert_context(event): return {"who": event.get("user"), "n": [1, 2.5]}
    """,
            {},
        )
    )
    (alert,) = scan(rules, [at(0), at(1, hit=True, user="mira")])
    (record,) = scan(rules, [at(0), at(1, hit=True, user="mira")]).records()
    assert (alert.title, alert.severity.value, alert.guide) == ("by mira", "critical", "what to do")
    assert record["context"] == {"who": "mira", "n": [1, 2.5]}
    assert record["group"] == {"dedup": "by mira"}
    assert (record["description"], record["reference"], record["destinations"]) == (
        "what it is", "https://example.com", ["one"],
    )  # fmt: skip


def test_alerts_are_grouped_by_what_the_rule_says_for_as_long_as_it_says(pack):
    rules = pack(groups=(BY_USER, {"DedupPeriodMinutes": 10}))
    users = ["a", "b", "a", "a", "b", "a"]
    minutes = [0, 1, 9, 10, 12, 11]
    records = [at(m, hit=True, user=u) for m, u in zip(minutes, users, strict=True)]
    assert sorted(told(scan(rules, records))) == [
        ("by a", [0], 3), ("by a", [5], 1), ("by b", [1], 1), ("by b", [4], 1),
    ]  # fmt: skip


def test_the_order_of_records_and_the_number_of_workers_change_nothing(pack):
    rules = pack(groups=(BY_USER, {"DedupPeriodMinutes": 7, "Threshold": 2}))
    records = [at(n * 3 % 100, hit=n % 4 > 0, user="ab"[n % 2]) for n in range(100)]
    ids = {alert.id: alert.count for alert in scan(rules, records)}
    assert len(ids) > 5
    assert {one.id: one.count for one in scan(rules, records[::-1], workers=2)} == ids


def test_a_threshold_counts_within_the_window_of_the_first(pack):
    rules = pack(many=(BY_USER, {"DedupPeriodMinutes": 10, "Threshold": 3}))
    minutes = [0, 5, 11, 12, 20, 21, 22]
    result = scan(rules, [at(m, hit=True, user="a") for m in minutes])
    assert told(result) == [("by a", [2, 3, 4], 4)]


def test_unique_counts_different_values(pack):
    code = BY_USER + "\n    def unique(event): return event.get('from')\n"
    rules = pack(many=(code, {"Threshold": 3}))
    froms = ["x", "x", "y", "x", "z", "z"]
    result = scan(rules, [at(n, hit=True, user="a", **{"from": f}) for n, f in enumerate(froms)])
    assert [(alert.count, alert.stage.distinct) for alert in result] == [(6, ("unique", 3))]


def test_of_signals_only_the_context_is_asked(pack):
    rules = pack(quiet=(DESCRIBED, {"CreateAlert": False}))
    (alert,) = scan(rules, [at(0, n=9, who={"name": "ana"})])
    assert rules.rules[0].building_block
    assert (alert.title, alert.severity.value, alert.context["n"].text) == (
        "The quiet",
        "medium",
        "9",
    )


def test_an_event_without_time_is_an_alert_too(pack):
    result = scan(pack(any=(ALL, {})), [{"hit": True}, at(0, hit=True)])
    assert [alert.time is None for alert in result] == [True, False]


CACHED = """
    from panther_detection_helpers.caching import get_counter, increment_counter

    def rule(event):
        return increment_counter(event.get("user")) == 2

    def title(event):
        return f"{event.get('user')} {get_counter(event.get('user'))}"
"""


def test_what_is_kept_by_key_follows_the_times_of_events(pack):
    rules = pack(counts=(CACHED, {}), other=(ALL, {}))
    records = [at(n, user="ab"[n % 2]) for n in range(6)]
    for given in (records, records[::-1]):
        result = scan(rules, given, workers=2)
        assert [alert.title for alert in result] == ["a 2", "b 2"]
        assert [given[alert.event.line - 1]["time"][14:16] for alert in result] == ["02", "03"]


def test_history_is_known_and_silent(pack, tmp_path):
    past = tmp_path / "past.ndjson"
    past.write_text(json.dumps(at(0, user="a")) + "\n")
    result = scan(pack(counts=(CACHED, {})), [at(1, user="a"), at(2, user="a")], history=[past])
    assert told(result) == [("a 2", [0], 1)]


BAD = {
    "hangs": ("while True: pass", "did not end within"),
    "crashes": ("import ctypes; ctypes.string_at(0)", "signal 11"),
    "ends the process": ("import os; os._exit(3)", "exit status 3"),
    "wants to exit": ("import sys; sys.exit(3)", "SystemExit"),
    "takes all memory": ("[0] * 10**10", "MemoryError"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_rule_that_cannot_go_on_is_stopped_and_the_others_go_on(pack, monkeypatch, name):
    action, reason = BAD[name]
    code = f"def rule(event):\n    if event.get('n') == 30:\n        {action}\n    return True"
    rules = pack(bad=(code, {}), counts=(CACHED, {}), good=(BY_USER, {}))
    monkeypatch.setattr(tocsin.api, "_python", quick(tocsin.api._python))
    records = [at(n, n=n, user="a", hit=n in {10, 40}) for n in range(60)]
    result = scan(rules, records)
    ((number, told_reason),) = result.summary.asking.stopped.items()
    assert (rules.rules[number].id, reason in told_reason) == ("bad", True)
    assert [alert.rule.id for alert in result if alert.rule.id != "bad"] == ["counts", "good"]


def quick(make):
    def python(rules, workers):
        return replace(make(rules, workers), options=Options(Limits(seconds=1), workers))

    return python


def test_a_rule_that_does_not_load_is_stopped(pack):
    rules = pack(bad=("import nothing_of_this_name", {}), good=(ALL, {}))
    result = scan(rules, [at(0, hit=True)])
    assert [alert.rule.id for alert in result] == ["good"]
    assert "nothing_of_this_name" in result.summary.asking.stopped[0]


def test_errors_are_counted_and_their_events_raise_no_alert(pack):
    rules = pack(fails=("def rule(event): return event['a'] > 1", {}))
    result = scan(rules, [at(0), at(1, a=2), at(2, a="x"), at(3)])
    assert [alert.event.line for alert in result] == [2]
    errors = result.summary.asking.errors[0]
    assert (errors.count, "fails.py:1: 'a'" in errors.first) == (3, True)


def test_a_title_that_fails_is_the_id_and_the_alert_is_not_lost(pack):
    rules = pack(fails=(ALL + "\n    def title(event): return 1\n", {}))
    result = scan(rules, [at(0, hit=True)])
    assert [alert.title for alert in result] == ["fails"]
    assert result.summary.asking.faults[0].count == 1


def test_what_each_rule_cost_is_known(pack):
    result = scan(pack(one=(ALL, {}), two=(ALL, {})), [at(n) for n in range(10)])
    assert [cost.calls for cost in result.summary.asking.costs.values()] == [10, 10]


def test_policies_look_at_resources_and_scheduled_rules_at_rows(tmp_path):
    rules = tocsin.load_rules(write_pack(tmp_path))
    boxes = scan(
        rules, [{"open": True}, {"open": False}], "resource:Sample.Box", include_disabled=True
    )
    assert [(alert.rule.id, alert.event.line) for alert in boxes] == [("Sample.Open", 1)]
    rows = scan(rules, [{"n": "first"}, {"n": "second"}], "query:Sample.Query")
    assert [alert.title for alert in rows] == ["first", "second"]


def test_helpers_models_and_simple_detections_work_together(tmp_path):
    rules = tocsin.load_rules(write_pack(tmp_path))
    result = scan(rules, [{"user": "ana", "count": 4, "client": {"ip": "192.0.2.1"}}])
    assert sorted((alert.rule.id, alert.title) for alert in result) == [
        ("Sample.Admin", "ana from 192.0.2.1"), ("Sample.Simple", "Sample.Simple"),
    ]  # fmt: skip


ENRICHED = """
    def rule(event):
        return bool(event.deep_get("p_enrichment", "nets", "from"))

    def title(event):
        found = event.deep_get("p_enrichment", "nets", "from")
        rows = [found] if hasattr(found, "keys") else found
        return ", ".join(f"{row['p_match']} is {row['name']}" for row in rows)
"""


@pytest.mark.parametrize("lift", [False, True])
def test_lookup_tables_add_their_rows_to_events(pack, tmp_path, lift):
    folder = tmp_path / "pack"
    folder.mkdir()
    (folder / "nets.csv").write_text(
        "net,name\n192.0.2.0/24,office\n192.0.2.7,printer\n192.0.2.0/28,few\n2001:db8::/32,six\n"
    )
    (folder / "nets.yml").write_text(
        "AnalysisType: lookup_table\nLookupName: nets\nEnabled: true\nFilename: nets.csv\n"
        "LogTypeMap:\n  PrimaryKey: net\n  AssociatedLogTypes:\n"
        f"    - {{LogType: {LOG}, Selectors: [$.from]}}\n"
    )
    rules = pack(lift=lift, asks=(ENRICHED, {}))
    froms = ["192.0.2.200", "192.0.2.7", ["2001:db8::1", "192.0.2.3"], "198.51.100.1", 7, None]
    result = scan(rules, [at(n, **{"from": one}) for n, one in enumerate(froms)])
    assert [alert.title for alert in result] == [
        "192.0.2.200 is office", "192.0.2.7 is printer", "2001:db8::1 is six, 192.0.2.3 is few",
    ]  # fmt: skip
    assert result.summary.asking.problems == []


def test_records_that_panther_stored_say_what_they_are(tmp_path):
    rules = tocsin.load_rules(write_pack(tmp_path))
    records = [
        {"p_log_type": "Sample.Log", "p_event_time": "2026-03-04 05:06:07.000", "user": "ana"},
        {"p_log_type": "Other.Log", "p_event_time": "2026-03-04 05:06:07.000", "user": "ana"},
    ]
    result = scan(rules, records, log_type=None)
    assert [(alert.rule.id, alert.event.line) for alert in result] == [("Sample.Simple", 1)]


def test_a_resource_is_known_by_its_type(tmp_path):
    changed = {"policies/open.yml": FILES["policies/open.yml"].replace("Sample.Box", "AWS.Box")}
    rules = tocsin.load_rules(write_pack(tmp_path, **changed))
    kinds = ["AWS.Box", "AWS.Other", "AWS.Box"]
    records = [
        {"ResourceType": kind, "ResourceId": str(n), "open": n == 2} for n, kind in enumerate(kinds)
    ]
    result = scan(rules, records, log_type=None, include_disabled=True)
    assert [(alert.rule.id, alert.event.line) for alert in result] == [("Sample.Open", 3)]


def test_what_is_lifted_alerts_as_python_does_without_it(pack):
    rules = pack(lift=True, told=(DESCRIBED, {"Threshold": 2}))
    names = ["ana", "bob", "root", None]
    records = [at(n, n=n % 7, who={"name": names[n % 4]}) for n in range(40)]
    plain, asked = (
        scan(rules, records, allow_python=allowed).records() for allowed in (False, True)
    )
    assert plain == asked
    assert len(plain) > 2
    assert not rules.rules[0].confirm


def test_what_only_python_could_say_is_named_in_the_alert(pack):
    code = """
    import secrets

    def rule(event): return event.get("n") == 1
    def title(event): return secrets.token_hex()
    """
    rules = pack(lift=True, odd=(code, {}))
    (alert,) = scan(rules, [at(0, n=1)], allow_python=False)
    assert (alert.title, alert.context["not_told"]) == ("The odd", ["title"])


def test_conditions_spare_python_events_that_cannot_match(pack):
    code = """
    from panther_detection_helpers.caching import increment_counter

    def rule(event):
        if event.get("n") != 3:
            return False
        return increment_counter("seen") == 2
    """
    rules = pack(lift=True, few=(code, {}))
    result = scan(rules, [at(n, n=n % 5) for n in range(20)])
    assert [alert.event.line for alert in result] == [9]
    assert result.summary.asking.costs[0].calls == 4
    assert len(scan(rules, [at(0, n=3)], allow_python=False)) == 0


SIMPLE = """
    AnalysisType: rule
    RuleID: Simple
    Enabled: true
    LogTypes: [Sample.Log]
    Severity: Low
    Detection: [{Key: hit, Condition: Equals, Value: true}]
    AlertTitle: "{who.name} hit {what}"
    GroupBy: [{KeyPath: who.name}]
    AlertContext:
      - {KeyName: name, KeyValue: {KeyPath: who.name}}
      - {KeyName: what, KeyValue: {Key: what}}
    DynamicSeverities:
      - ChangeTo: Critical
        Conditions: [{Key: what, Condition: Equals, Value: root}]
"""


def test_a_simple_detection_says_what_its_file_says(tmp_path):
    (tmp_path / "simple.yml").write_text(dedent(SIMPLE))
    rules = tocsin.load_rules(tmp_path)
    ana = {"who": {"Name": "ana"}, "hit": True}
    records = [at(0, what="disk", **ana), at(1, what="root", **ana), at(2, what="root", hit=True)]
    found = scan(rules, records, allow_python=False).records()
    assert [(one["title"], one["severity"], one["count"], one["group"]) for one in found] == [
        ("ana hit disk", "low", 2, {"dedup": "ana"}),
        (" hit root", "critical", 1, {"dedup": "defaultDedupString:Simple"}),
    ]
    assert found[0]["context"] == {"name": "ana", "what": "disk"}


def test_summary_attributes_are_shown_with_the_alert(pack):
    rules = pack(sums=(ALL, {"SummaryAttributes": ["who.name", "who:id", "gone"]}))
    (alert,) = scan(rules, [at(0, hit=True, who={"name": "ana", "id": [1, 2]})])
    assert alert.context == {"who.name": "ana", "who:id": ["1", "2"]}


def test_texts_that_fail_without_python_are_counted_too(pack):
    code = """
    def rule(event): return event.get("hit") is True
    def title(event): return event["who"]["name"]
    """
    rules = pack(lift=True, fails=(code, {}))
    result = scan(rules, [at(0, hit=True)], allow_python=False)
    assert [alert.title for alert in result] == ["fails"]
    assert result.summary.asking.faults[0].count == 1


def test_a_pack_whose_data_model_hangs_is_stopped_as_a_whole(tmp_path, monkeypatch):
    changed = {"data_models/sample.py": "while True: pass"}
    write_pack(tmp_path, **changed)
    rules = load_rules([tmp_path], LoadOptions(lift=False))
    monkeypatch.setattr(tocsin.api, "_python", quick(tocsin.api._python))
    result = scan(rules, [{"user": "ana", "count": 4}])
    assert [alert.rule.id for alert in result] == ["Sample.Simple"]
    told_reasons = set(result.summary.asking.stopped.values())
    assert len(told_reasons) == 1
    assert "helpers or data models of its pack: did not end within" in told_reasons.pop()


FROM_TEXT = """
    def rule(event):
        return event.get("correlationId") == "c" and isinstance(event.get("callerIpAddress"), str)
"""
WITH_BOTH = """
    def rule(event):
        return event.get("first") == "a" and event.deep_get("second", "third") is not None
"""


def test_what_some_rules_read_late_is_not_all_that_others_see(pack):
    keys = {"LogTypes": ["Azure.MonitorActivity"]}
    rules = pack(lift=True, one=(FROM_TEXT, keys), other=(WITH_BOTH, keys))
    records = [
        {
            "eventTimestamp": f"2026-03-04T00:00:{at:02}Z",
            "operationName": {"value": "Microsoft.Compute/virtualMachines/write"},
            "httpRequest": {"clientIpAddress": "192.0.2.1"},
            "correlationId": "c" if at == 5 else str(at),
            "first": "a" if at == 9 else "b",
            "second": {"third": 3},
        }
        for at in range(30)
    ]
    result = scan(rules, records, log_type=None, allow_python=False)
    assert sorted((one.rule.id, one.event.line) for one in result) == [("one", 6), ("other", 10)]
