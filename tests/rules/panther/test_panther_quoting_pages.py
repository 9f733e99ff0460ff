"""Pages that quote a rule of Panther: what is rebuilt from lines without indentation."""

from pathlib import Path

import pytest

from cli.calling import tocsin
from tocsin.errors import RuleError
from tocsin.rules.panther.page import quotes_panther_rule, yaml_of_page
from tocsin.rules.panther.yaml12 import read_yaml12

BODY = """
AnalysisType: rule
Filename: door.py
RuleID: "House.Door"   # an id
DisplayName: 'Door Opened'
Enabled: true
LogTypes:
- House.Log
Severity: Low
DedupPeriodMinutes: 15
Description: >
Somebody opened
a door.

At night, too.
Reports:
MITRE ATT&CK:
- TA0001:T1078 # Initial Access
- TA0003
House rules:
- "7"
Tags: [doors, "no"]
Runbook: |-
# First
1. Ask who: it may be known.
2. Close it.
Reference: https://example.com/doors
a second line
SummaryAttributes:
- who
Tests:
- Name: open
ExpectedResult: true
Mocks:
- objectName: limit
returnValue: 3
- returnValue: {a: [1]}
objectName: table
Log:
{
"act": "Open", # {no}
"place": {"floor": [1, 2], "text": "a } brace"},
'on': yes
}

- Name: closed
and bolted
Log: {"act": "close"}
ExpectedResult: false
LogType: House.Log
"""
RULE = {
    "AnalysisType": "rule",
    "RuleID": "House.Door",
    "DisplayName": "Door Opened",
    "Enabled": True,
    "LogTypes": ["House.Log"],
    "Severity": "Low",
    "DedupPeriodMinutes": 15,
    "Description": "Somebody opened a door.\nAt night, too.\n",
    "Reports": {"MITRE ATT&CK": ["TA0001:T1078", "TA0003"], "House rules": ["7"]},
    "Tags": ["doors", "no"],
    "Runbook": "# First\n1. Ask who: it may be known.\n2. Close it.",
    "Reference": "https://example.com/doors a second line",
    "SummaryAttributes": ["who"],
    "Detection": [{"KeyPath": "act", "Condition": "IEquals", "Value": "OPEN"}],
    "Tests": [
        {
            "Name": "open",
            "ExpectedResult": True,
            "Mocks": [
                {"objectName": "limit", "returnValue": 3},
                {"returnValue": {"a": [1]}, "objectName": "table"},
            ],
            "Log": {
                "act": "Open",
                "place": {"floor": [1, 2], "text": "a } brace"},
                "on": "yes",
            },
        },
        {
            "Name": "closed and bolted",
            "Log": {"act": "close"},
            "ExpectedResult": False,
            "LogType": "House.Log",
        },
    ],
}
PAGE = """Rules
Door Opened
Rule body yaml{body}Detection logic
Condition
{logic}
Indicators
rest (
"""


def page(body=BODY, logic='act == "OPEN"'):
    return PAGE.format(body=body, logic=logic)


def read(text):
    return read_yaml12(yaml_of_page(text, Path("page.txt")), Path()).value


def test_a_rule_is_rebuilt():
    found = read(page())
    assert found == RULE
    assert list(found) == list(RULE)


def test_headings_of_markdown():
    marked = page().replace("Rule body", "## Rule body").replace("Detection l", "## Detection l")
    assert quotes_panther_rule(marked)
    assert read(marked.replace("Condition", "### Condition").replace("Ind", "## Ind")) == RULE


CONDITIONS = {
    "one of several": (
        'act in ["Open", "push"]',
        [
            {
                "Any": [
                    {"KeyPath": "act", "Condition": "IEquals", "Value": "Open"},
                    {"KeyPath": "act", "Condition": "IEquals", "Value": "push"},
                ]
            }
        ],
    ),
    "one of one": (
        'act in ["Open"]',
        [{"KeyPath": "act", "Condition": "IEquals", "Value": "Open"}],
    ),
    "lines are joined by and": (
        'act == "Open"\n\nplace.floor == 2\nalarm == true',
        [
            {"KeyPath": "act", "Condition": "IEquals", "Value": "Open"},
            {"KeyPath": "place.floor", "Condition": "Equals", "Value": 2},
            {"KeyPath": "alarm", "Condition": "Equals", "Value": True},
        ],
    ),
    "parts of a text": (
        'act contains "pe"\nact starts_with "o"\nact startswith "o"\nact ends_with "n"',
        [
            {"KeyPath": "act", "Condition": "IContains", "Value": "pe"},
            {"KeyPath": "act", "Condition": "IStartsWith", "Value": "o"},
            {"KeyPath": "act", "Condition": "IStartsWith", "Value": "o"},
            {"KeyPath": "act", "Condition": "IEndsWith", "Value": "n"},
        ],
    ),
}


@pytest.mark.parametrize("name", CONDITIONS)
def test_a_condition(name):
    logic, expected = CONDITIONS[name]
    assert read(page(logic=logic))["Detection"] == expected


NO_CONDITIONS = {
    "negation": 'not act == "a"',
    "other operators": 'act matches "a.*"',
    "a comparison that is not known": "floor >= 2",
    "or": 'act == "a" or act == "b"',
    "a text without quotes": "act == open",
    "a list where one value belongs": 'act == ["a"]',
    "one value where a list belongs": 'act in "a"',
    "an empty list": "act in []",
    "null": "act == null",
    "an object in a list": 'act in [{"a": 1}]',
    "a number as a part": "act contains 1",
    "members of lists": 'acts[0] == "a"',
    "a function": 'lower(act) == "a"',
    "a second condition": "Condition",
}


@pytest.mark.parametrize("name", NO_CONDITIONS)
def test_what_is_not_understood_is_refused_with_its_line(name):
    text = page(logic=f'act == "a"\n{NO_CONDITIONS[name]}')
    line = text.splitlines().index(NO_CONDITIONS[name], text.count("\n", 0, text.index("act ==")))
    with pytest.raises(RuleError) as error:
        yaml_of_page(text, Path("page.txt"))
    assert str(error.value).startswith(f"page.txt:{line + 1}:1: ")


def changed(old, new):
    assert old in BODY
    return page(body=BODY.replace(old, new, 1))


BROKEN = {
    "a key that rules do not have": (
        changed("Enabled: true", "Colour: red"),
        "page.txt:8:1: 'Colour: red' is none of the keys that can stand here",
    ),
    "a Detection of its own": (
        changed("Enabled: true", "Detection:\n- KeyPath: a"),
        "page.txt:8:1: 'Detection:' is none of the keys",
    ),
    "a line in a list": (changed("- House.Log", "House.Log"), "page.txt:10:1: 'House.Log' is none"),
    "an object in a list": (
        changed("- House.Log", "- a: b"),
        "page.txt:10:1: 'a: b' is no text, and its indentation is lost",
    ),
    "no name of a framework": (
        changed("MITRE ATT&CK:", "- MITRE"),
        "page.txt:19:1: '- MITRE' is not the name of a framework",
    ),
    "a key twice": (
        changed("Severity: Low", "Enabled: false"),
        "page.txt:11:1: the key 'Enabled' stands twice",
    ),
    "a Log without braces": (
        changed('Log: {"act": "close"}', 'Log:\n"act": "close"'),
        "page.txt:51:1: the Log is not in braces",
    ),
    "a Log that does not close": (
        changed("'on': yes\n}", "'on': yes"),
        "cannot be read: no YAML: ",
    ),
    "a mistake inside a Log": (
        changed('"act": "Open",', '"act": "Open" "x",'),
        "page.txt:43:1: cannot be read: no YAML: ",
    ),
    "a key that tests do not have": (
        changed("LogType: House.Log", "Colour: red"),
        "'Colour: red' is none of the keys",
    ),
    "a test that begins with no key": (
        changed("- Name: open", "- open"),
        "page.txt:34:1: 'open' is none of the keys",
    ),
    "no YAML": (
        changed("Enabled: true", 'Enabled: "true'),
        "page.txt:8:1: cannot be read: no YAML",
    ),
    "another type": (
        changed("AnalysisType: rule", "AnalysisType: policy"),
        "page.txt: AnalysisType 'policy' is not rule",
    ),
    "no logic": (page().replace("Detection logic", "Logic"), "page.txt: has no 'Detection logic'"),
    "no condition": (page(logic=""), "holds no condition"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_page_that_cannot_be_read_is_refused_with_the_line(name):
    text, reason = BROKEN[name]
    with pytest.raises(RuleError) as error:
        yaml_of_page(text, Path("page.txt"))
    assert reason in str(error.value)


TRAPS = [
    "on",
    "010",
    "0o17",
    "2024-01-01",
    "~",
    "a: b",
    "a #b",
    "1e5",
    "é",
    "- x",
    "a\nb",
    " a ",
    "",
]


@pytest.mark.parametrize("text", TRAPS)
def test_texts_are_written_so_that_they_stay_texts(text):
    import json

    assert read(page(logic=f"act == {json.dumps(text)}"))["Detection"][0]["Value"] == text


NO_PAGES = {
    "a rule file": "AnalysisType: rule\nRuleID: a\nDescription: |\n  Rule body\n",
    "a page of another language": "Rule body yaml\ntitle: x\nDetection logic\n",
}


@pytest.mark.parametrize("name", NO_PAGES)
def test_what_is_no_page(name):
    assert not quotes_panther_rule(NO_PAGES[name])


def test_a_page_is_added_as_a_rule_that_needs_no_python(tmp_path):
    file = tmp_path / "page.html.txt"
    file.write_text(page().replace("bolted", "bolted for good"))
    result = tocsin("rules", "add", file, "--to", tmp_path / "rules")
    assert result.status == 0
    assert result.text == f"{tmp_path}/rules/door_opened.yml\n"
    assert tocsin("test", tmp_path / "rules").text == "2 passed, 0 failed, 0 skipped\n"


def test_a_page_is_read_where_a_rule_file_is(tmp_path):
    file = tmp_path / "page.txt"
    file.write_text(page())
    assert tocsin("test", file).text == "2 passed, 0 failed, 0 skipped\n"
    assert "Door Opened" in tocsin("rules", "list", file).text


def test_a_page_that_cannot_be_read_says_why(tmp_path):
    file = tmp_path / "page.txt"
    file.write_text(page(logic="act >= 1"))
    result = tocsin("rules", "add", file, "--to", tmp_path / "rules")
    assert result.status == 2
    assert f"{file}:55:1: 'act >= 1' is not FIELD OPERATOR VALUE" in result.err
    assert not (tmp_path / "rules").exists()
    assert "55:1: 'act >= 1' is not" in tocsin("rules", "check", file).text
