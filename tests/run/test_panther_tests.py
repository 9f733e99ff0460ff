"""`tocsin test` on a pack of Panther: the tests that its detections carry."""

import json
from textwrap import dedent

import pytest

from cli.calling import tocsin
from run.panther_pack import FILES, RULE, write_pack
from tocsin.run import panther
from tocsin.sandbox.limits import LANDLOCK, NETWORK_NAMESPACE, RLIMITS, SECCOMP

PASSED = [
    ("Sample.Open", "closed"),
    ("Sample.Open", "open"),
    ("Sample.Rows", "a row"),
    ("Sample.Admin", "an admin is reported"),
    ("Sample.Admin", "a few are not"),
    ("Sample.Admin", "the limit is mocked"),
    ("Sample.Simple", "hers"),
    ("Sample.Simple", "not hers"),
]


NOT_FOUND = "ExpectedResult\n  expected  true\n  found     false"


def run(*arguments):
    result = tocsin("test", *arguments, "-f", "json", "--without-isolation")
    return result.status, json.loads(result.out)


def failures(report):
    return {
        (one["rule"], one["test"]): one["reason"]
        for one in report["tests"]
        if one["result"] == "failed"
    }


def test_every_kind_of_detection_is_tested(tmp_path):
    status, report = run(write_pack(tmp_path / "pack"))
    assert status == 0
    passed = [(one["rule"], one["test"]) for one in report["tests"] if one["result"] == "passed"]
    assert passed == PASSED
    (skipped,) = (one for one in report["tests"] if one["result"] == "skipped")
    assert skipped == {
        "rule": "Sample.Both",
        "test": "both",
        "result": "skipped",
        "reason": "correlation rules of Panther do not run yet",
    }


def test_filters_come_before_the_python(tmp_path):
    filters = "InlineFilters: [{Key: user, Condition: Equals, Value: bob}]\n"
    rule = dedent(FILES["rules/admin.yml"]).lstrip() + "\n" + filters
    _, report = run(write_pack(tmp_path / "pack", **{"rules/admin.yml": rule}), "--where", "id:*n")
    assert failures(report) == {("Sample.Admin", "an admin is reported"): NOT_FOUND}


def test_a_failure_shows_what_was_expected_and_what_was_found(tmp_path):
    rule = FILES["rules/admin.yml"].replace(
        "Log: {p_log_type: Sample.Log, user: ana, count: 4, client",
        "ExpectedTitle: Bob acts\n            "
        "Log: {p_log_type: Sample.Log, user: ana, count: 4, client",
    )
    simple = FILES["rules/simple.yml"].replace("Value: ana", "Value: eve")
    changed = {"rules/admin.yml": rule, "rules/simple.yml": simple}
    text = tocsin("test", write_pack(tmp_path / "pack", **changed), "--without-isolation").text
    assert text.splitlines()[:8] == [
        "FAILED  Sample.Admin: an admin is reported",
        "    ExpectedTitle",
        '      expected  "Bob acts"',
        '      found     "ana from 192.0.2.1"',
        "FAILED  Sample.Simple: hers",
        "    ExpectedResult",
        "      expected  true",
        "      found     false",
    ]


def test_what_a_simple_detection_says_can_be_expected(tmp_path):
    rule = FILES["rules/simple.yml"].replace(
        "Severity: Low", 'Severity: Low\n        AlertTitle: "by {user}"'
    )
    for title, expected in (("by ana", set()), ("by bob", {("Sample.Simple", "hers")})):
        simple = rule.replace("true, Log", f"true, ExpectedTitle: {title}, Log")
        pack = write_pack(tmp_path / title, **{"rules/simple.yml": simple})
        _, report = run(pack)
        assert failures(report).keys() == expected


@pytest.mark.parametrize("key", ["Detection", "InlineFilters"])
def test_an_expression_that_cannot_be_said_is_a_failure(key, tmp_path):
    rule = FILES["rules/simple.yml"] + f"    {key}: [{{Key: a, Condition: Resembles}}]\n"
    status, report = run(write_pack(tmp_path / "pack", **{"rules/simple.yml": rule}))
    assert status == 1
    assert f"{key}: 'Resembles' needs a Value" in failures(report)["Sample.Simple", "loads"]


def test_a_rule_without_a_test_that_expects_silence_is_warned_of(tmp_path):
    pack = write_pack(tmp_path / "pack")
    _, report = run(pack)
    reason = "no test expects it to stay silent"
    assert report["warnings"] == [{"rule": "Sample.Rows", "reason": reason}]
    assert f"warning: {reason}: 1 rules: Sample.Rows\n" in tocsin("test", pack).err


@pytest.mark.parametrize(("part", "passed"), [("rules", 5), ("rules/admin.yml", 3)])
def test_a_part_of_a_pack_finds_its_helpers(part, passed, tmp_path):
    status, report = run(write_pack(tmp_path / "pack") / part)
    assert (status, report["passed"]) == (0, passed)


def test_rules_are_chosen(tmp_path):
    pack = write_pack(tmp_path / "pack")
    _, report = run(pack, "--where", "kind:policy")
    assert {one["rule"] for one in report["tests"]} == {"Sample.Open"}
    assert report["warnings"] == []


def test_what_rules_are_not_kept_from_is_said(tmp_path, monkeypatch):
    pack = write_pack(tmp_path / "pack")
    layers = dict.fromkeys([RLIMITS, NETWORK_NAMESPACE, SECCOMP, LANDLOCK], "")
    monkeypatch.setattr(panther, "isolation", lambda options: {**layers, LANDLOCK: "not here"})
    done = tocsin("test", pack, "--without-isolation")
    assert "warning: nothing kept rules from reading your files (Landlock: not here)" in done.err
    assert "nothing kept" not in tocsin("test", pack, "--where", "kind:simple").err


def test_two_packs_are_kept_apart(tmp_path):
    one = write_pack(tmp_path / "one" / "pack")
    other = write_pack(
        tmp_path / "two" / "pack", **{"global_helpers/sample_helpers.py": "def is_admin(n): 1 / 0"}
    )
    status, report = run(one, other)
    assert status == 1
    assert report["passed"] == 2 * len(PASSED) - 2
    assert all("ZeroDivisionError" in reason for reason in failures(report).values())
    assert str(other) in next(iter(failures(report).values()))


BROKEN = {
    "no Python file": ({"rules/admin.yml": "{admin} nowhere.py"}, "nowhere.py: cannot be read"),
    "a file elsewhere": ({"rules/admin.yml": "{admin} ../x.py"}, "leads out of its folder"),
    "no id": ({"rules/admin.yml": "AnalysisType: rule\n"}, "RuleID: is missing"),
    "no YAML": ({"rules/admin.yml": "AnalysisType: rule\na: ["}, "no YAML"),
}
ADMIN = "AnalysisType: rule\nRuleID: Sample.Admin\nSeverity: Low\nFilename:"


@pytest.mark.parametrize("name", BROKEN)
def test_a_detection_that_cannot_be_loaded_fails(name, tmp_path):
    changed, reason = BROKEN[name]
    changed = {key: text.format(admin=ADMIN) for key, text in changed.items()}
    status, report = run(write_pack(tmp_path / "pack", **changed))
    assert status == 1
    ((test, told),) = failures(report).items()
    assert test[1] == "loads"
    assert reason in told


def test_a_failure_says_where_and_what(tmp_path):
    code = RULE.replace("event['count']", "event['nothing']").replace('event["count"]', "event[0]")
    pack = write_pack(tmp_path / "pack", **{"rules/admin.py": code})
    status, report = run(pack)
    assert status == 1
    told = failures(report)["Sample.Admin", "an admin is reported"]
    assert told == f"rule() raised KeyError at {pack}/rules/admin.py:13: 0"


def test_a_missing_package_says_how_to_install_it(tmp_path):
    code = "raise ModuleNotFoundError(\"No module named 'policyuniverse'\")"
    _, report = run(write_pack(tmp_path / "pack", **{"rules/admin.py": code}))
    told = failures(report)["Sample.Admin", "a few are not"]
    assert told.endswith("No module named 'policyuniverse': pip install 'tocsin[panther]'")


def test_text_and_junit_count_the_same(tmp_path):
    pack = write_pack(tmp_path / "pack")
    text = tocsin("test", pack, "--without-isolation").text
    assert text.splitlines() == [
        "SKIPPED  1 tests: correlation rules of Panther do not run yet",
        "8 passed, 0 failed, 1 skipped",
    ]
    junit = tocsin("test", pack, "--without-isolation", "-f", "junit").text
    assert 'tests="9" failures="0" skipped="1"' in junit


def test_parts_of_a_pack_that_are_of_no_use_are_listed(tmp_path):
    pack = write_pack(tmp_path / "pack")
    lines = tocsin("rules", "check", pack).text.splitlines()
    table, query = (line for line in lines if line.startswith("not used"))
    assert table.startswith(f"not used  {pack}/lookup_tables/sample.yml: its data is in no file")
    assert query == f"not used  {pack}/queries/query.yml: queries of a data warehouse do not run"


def test_a_folder_of_helpers_alone_has_no_tests(tmp_path):
    status, report = run(write_pack(tmp_path / "pack") / "global_helpers")
    assert (status, report["tests"]) == (0, [])
