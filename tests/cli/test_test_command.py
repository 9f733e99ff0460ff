"""`tocsin test`: case files pass, fail, or are named as broken."""

import json
from pathlib import Path
from textwrap import dedent
from xml.etree import ElementTree as Xml

import pytest

from cli.calling import PACKS, rule, tocsin
from run.panther_pack import FILES

EVENT = "{time: 2026-01-02T03:04:05Z, mark: needle}"


def write(folder: Path, cases: str, name: str = "needle") -> Path:
    """Write a rule and its cases; return the case file."""
    (folder / "needle.yml").write_text(rule(level="high"))
    file = folder / f"{name}.cases.yaml"
    file.write_text(cases)
    return file


def case(events: str, alerts: str, **keys: str) -> str:
    """Write one case as a line of YAML."""
    more = "".join(f", {key}: {value}" for key, value in keys.items())
    return f"  - {{name: one, log_type: acme//web, events: {events}, alerts: {alerts}{more}}}\n"


def outcome(file: Path) -> tuple[str, str]:
    """Return how the only case of a file ends, and why."""
    [test] = json.loads(tocsin("test", file, "-f", "json").out)["tests"]
    return test["result"], test["reason"]


def test_our_packs_pass() -> None:
    result = tocsin("test", PACKS, "-f", "json")
    report = json.loads(result.out)
    assert result.status == 0
    assert report["passed"] == len(report["tests"]) > 40
    assert report["failed"] == report["skipped"] == 0


@pytest.mark.parametrize(
    ("events", "alerts"),
    [
        (f"[{EVENT}]", "[{events: [0], severity: high, title: Needle, count: 1}]"),
        (f"[{EVENT}, {{}}, {EVENT}]", "[{events: [0]}, {events: [2]}]"),
        ("[{mark: straw}]", "[]"),
        ("[]", "[]"),
        (f"[{EVENT}]", "[{time: 2026-01-02T03:04:05.000Z, first: 2026-01-02T03:04:05.000Z}]"),
        ("""['{"mark": "needle",}']""", "[{events: [0]}]"),
        ("""['{"mark":  "x", "mark": "needle"}']""", "[{}]"),
        ("""['{"records": [{"mark": "needle"}, {"mark": "needle"}]}']""", "[{}, {events: [0]}]"),
        ("['', '{\"mark\": \"needle\"}']", "[{events: [1]}]"),
    ],
)
def test_a_case_passes(events: str, alerts: str, tmp_path: Path) -> None:
    file = write(tmp_path, f"rule: needle.yml\ncases:\n{case(events, alerts)}")
    assert outcome(file) == ("passed", "")
    assert tocsin("test", file).text == "1 passed, 0 failed, 0 skipped\n"


@pytest.mark.parametrize(
    ("events", "alerts", "reason"),
    [
        (f"[{EVENT}]", "[{severity: low}]",
         'alert 0: expected {"severity": "low"}, raised {"severity": "high"}'),
        (f"[{EVENT}, {EVENT}]", "[{}, {events: [0], title: Needle}]",
         'alert 1: expected {"events": [0]}, raised {"events": [1]}'),
        (f"[{EVENT}]", "[{nonsense: 1}]",
         'alert 0: expected {"nonsense": 1}, raised {"nonsense": null}'),
        ("[{mark: straw}]", "[{events: [0]}]", 'missing alert: {"events": [0]}'),
        (f"[{EVENT}]", "[]",
         ('unexpected alert: {"title": "Needle", "severity": "high", "events": [0], '
         '"reason": "mark contains needle"}')),
        ("['{broken']", "[]",
         ("event 0 cannot be read: not JSON: Expecting property name enclosed in double quotes: "
         "line 1 column 2 (char 1)")),
    ],
)  # fmt: skip
def test_a_case_fails_with_a_reason(events: str, alerts: str, reason: str, tmp_path: Path) -> None:
    file = write(tmp_path, f"rule: needle.yml\ncases:\n{case(events, alerts)}")
    assert outcome(file) == ("failed", reason)
    result = tocsin("test", file)
    assert result.status == 1
    assert result.text == f"FAILED  Needle: one\n    {reason}\n0 passed, 1 failed, 0 skipped\n"


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({"log_type": "nowhere"}, "'nowhere' is no log type"),
        ({"bridges": "[nowhere]"}, "'nowhere' is no bridge; known: keyvault"),
    ],
)
def test_a_case_that_asks_for_what_there_is_not_fails(
    keys: dict, reason: str, tmp_path: Path
) -> None:
    one = case("[]", "[]", **keys)
    if "log_type" in keys:
        one = one.replace("log_type: acme//web, ", "")
    result, why = outcome(write(tmp_path, f"rule: needle.yml\ncases:\n{one}"))
    assert result == "failed"
    assert reason in why


@pytest.mark.parametrize(
    "inline",
    [
        (
            "rule:\n  title: Inline\n  logsource: {product: acme}\n"
            "  detection: {s: {mark: needle}, condition: s}\n"
        ),
        (
            "rule:\n  ecosystem: sigma\n  text: |\n    title: Inline\n"
            "    logsource: {product: acme}\n    detection: {s: {mark: needle}, condition: s}\n"
        ),
    ],
    ids=["keys", "text"],
)
def test_a_rule_may_stand_in_the_file(inline: str, tmp_path: Path) -> None:
    cases = f"{inline}cases:\n{case(f'[{EVENT}]', '[{title: Inline}]')}"
    assert outcome(write(tmp_path, cases)) == ("passed", "")


def test_events_may_stand_in_a_file_of_raw_json_lines(tmp_path: Path) -> None:
    (tmp_path / "events.ndjson").write_bytes(
        b'{"mark":"needle","big":12345678901234567890123,"path":"\\/"}\r\n\r\n{"mark":"needle",}\n'
    )
    one = "  - {name: one, log_type: acme//web, events_file: events.ndjson, alerts: [{}, {}]}\n"
    assert outcome(write(tmp_path, f"rule: needle.yml\ncases:\n{one}")) == ("passed", "")


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        ("rule: [\n", "2:1", "not YAML"),
        ("- a\n", "1:1", "a case file has a `rule` and a list of `cases`"),
        ("rule: needle.yml\n", "1:1", "a case file has a `rule` and a list of `cases`"),
        ("rule: 7\ncases: []\n", "1:7", "`rule` names a file, or holds a rule"),
        ("rule: x\ncases: []\ncase: []\n", "3:7", "unknown key 'case'; known: rule, cases"),
        ("rule: x\ncases:\n  - events: []\n", "3:5", "every case has a `name`"),
        ("rule: x\ncases:\n  - name: a\n    events: []\n    alert: []\n", "5:12",
         "case 'a': unknown key 'alert'; known: alerts, bridges"),
        ("rule: x\ncases:\n  - name: a\n    events: []\n", "3:5",
         "case 'a': `alerts` is a list of mappings, [] for none"),
        ("rule: x\ncases:\n  - name: a\n    events: []\n    alerts: [1]\n", "5:13",
         "case 'a': `alerts` is a list of mappings, [] for none"),
        ("rule: x\ncases:\n  - name: a\n    alerts: []\n    events: {}\n", "5:13",
         "case 'a': `events` is a list"),
        ("rule: x\ncases:\n  - name: a\n    alerts: []\n    events_file: no\n", "5:18",
         "events_file"),
    ],
)  # fmt: skip
def test_a_broken_case_file_is_named_with_the_place(
    text: str, place: str, reason: str, tmp_path: Path
) -> None:
    file = write(tmp_path, text)
    result, why = outcome(file)
    assert result == "failed"
    assert why.startswith(f"{file}:{place}: ")
    assert reason in why


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("rule: nowhere.yml\ncases: []\n", "nowhere.yml: cannot be read: No such file"),
        ("rule: {title: x}\ncases: []\n", "(the rule in it): no rule: has no detection"),
        ("rule: {title: x, detection: {s: {a|b: c}, condition: s}}\ncases: []\n",
         "(the rule in it):"),
    ],
)  # fmt: skip
def test_a_rule_that_cannot_run_fails_its_file(text: str, reason: str, tmp_path: Path) -> None:
    result, why = outcome(write(tmp_path, text))
    assert result == "failed"
    assert reason in why


def test_one_broken_file_does_not_stop_the_others(tmp_path: Path) -> None:
    write(tmp_path, "rule: [\n", "a")
    write(tmp_path, f"rule: needle.yml\ncases:\n{case('[]', '[]')}", "b")
    report = json.loads(tocsin("test", tmp_path, "-f", "json").out)
    assert (report["passed"], report["failed"]) == (1, 1)


@pytest.mark.parametrize("suffix", ["yaml", "yml"])
def test_cases_are_found_beside_a_rule_and_below_a_folder(suffix: str, tmp_path: Path) -> None:
    file = write(tmp_path, f"rule: needle.yml\ncases:\n{case('[]', '[]')}")
    file = file.rename(tmp_path / f"needle.cases.{suffix}")
    for path in (file, tmp_path / "needle.yml", tmp_path):
        assert tocsin("test", path).text == "1 passed, 0 failed, 0 skipped\n"
    assert tocsin("test", tmp_path, file, file).text == "1 passed, 0 failed, 0 skipped\n"


def test_where_chooses_the_rules_that_are_tested(tmp_path: Path) -> None:
    write(tmp_path, f"rule: needle.yml\ncases:\n{case('[]', '[]')}")
    assert tocsin("test", tmp_path, "--where", "name:other").text.startswith("0 passed")
    assert tocsin("test", tmp_path, "--where", "severity:high").text.startswith("1 passed")


@pytest.mark.parametrize(
    ("where", "rules"),
    [
        ("", {"Needle", "Sample.Simple"}),
        ("ecosystem:sigma", {"Needle"}),
        ("ecosystem:panther", {"Sample.Simple"}),
        ("severity:high", {"Needle"}),
        ("severity:low kind:simple", {"Sample.Simple"}),
    ],
)
@pytest.mark.parametrize("form", ["json", "junit"])
def test_case_files_and_rules_of_panther_are_chosen_and_reported_alike(
    form: str, where: str, rules: set[str], tmp_path: Path
) -> None:
    write(tmp_path, f"rule: needle.yml\ncases:\n{case('[]', '[]')}")
    (tmp_path / "simple.yml").write_text(dedent(FILES["rules/simple.yml"]))
    text = tocsin("test", tmp_path, "--where", where, "-f", form).text
    if form == "json":
        found = {one["rule"] for one in json.loads(text)["tests"]}
    else:
        found = {str(one.get("classname")) for one in Xml.fromstring(text)}
    assert found == rules


def test_json_and_junit_say_the_same(tmp_path: Path) -> None:
    one = case("[]", "[]") + case("[{mark: straw}]", "[{}]").replace("one", '"<two>\\x07"')
    file = write(tmp_path, f"rule: needle.yml\ncases:\n{one}")
    as_json, as_junit = tocsin("test", file, "-f", "json"), tocsin("test", file, "-f", "junit")
    assert as_json.status == as_junit.status == 1
    report = json.loads(as_json.out)
    assert report == {
        "schema": 1,
        "passed": 1,
        "failed": 1,
        "skipped": 0,
        "tests": [
            {"rule": "Needle", "test": "one", "result": "passed", "reason": ""},
            {"rule": "Needle", "test": "<two>\x07", "result": "failed",
             "reason": "missing alert: {}"},
        ],
        "warnings": [],
    }  # fmt: skip
    suite = Xml.fromstring(as_junit.text)
    assert suite.attrib == {"name": "tocsin", "tests": "2", "failures": "1", "skipped": "0"}
    passed, failed = suite
    assert (passed.get("classname"), passed.get("name"), len(passed)) == ("Needle", "one", 0)
    assert failed.get("name") == "<two>\\x07"
    assert [(child.tag, child.get("message")) for child in failed] == [
        ("failure", "missing alert: {}")
    ]
