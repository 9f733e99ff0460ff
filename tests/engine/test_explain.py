"""Explanations: the verdict is that of the engine and of alerts, and the reasons are right."""

import gzip
import json
import random
from pathlib import Path

import pyarrow as pa
import pytest

from oracle.makers import ConditionMaker, SigmaMaker
from oracle.running import as_rule, load, matcher_of, matches_of
from tocsin.alerts.build import AlertBuilder
from tocsin.alerts.model import Alert
from tocsin.condition.closeness import Closeness
from tocsin.condition.tree import Predicate
from tocsin.content.demo import write_demo
from tocsin.engine.explain import Explanation, explain, why_not
from tocsin.engine.match import Matcher
from tocsin.engine.plan import compile_plan
from tocsin.jsontext import read
from tocsin.logs.load import load_log_types
from tocsin.logs.logtype import LogType, generic
from tocsin.outputs.ndjson import NdjsonOutput
from tocsin.rules.cache import load_rules_cached
from tocsin.rules.model import LogSource, Rule
from tocsin.run.work import Worker

ANY = generic("any", "any", "any")
PACK = Path(__file__).resolve().parents[2] / "src" / "tocsin" / "content" / "packs"


def sigma(detection: str, product: str = "", category: str = "", service: str = "") -> Rule:
    named = {"product": product, "category": category, "service": service}
    source = json.dumps({name: value for name, value in named.items() if value})
    return load(f"title: T\nlogsource: {source}\ndetection: {detection}\n")


def explained(rule: Rule, record: object, *bridges: str) -> Explanation:
    return explain(rule, read(json.dumps(record)).value, load_log_types(), bridges)


@pytest.mark.parametrize("seed", range(12))
def test_verdicts_on_random_conditions_are_those_of_the_engine(seed: int) -> None:
    maker = ConditionMaker(seed)
    rules = [as_rule(number, maker.condition()) for number in range(20)]
    lines = [json.dumps(maker.event()) for _ in range(20)]
    check_verdicts(rules, lines, ANY)


@pytest.mark.parametrize("seed", range(12))
def test_verdicts_on_random_sigma_rules_are_those_of_the_engine(seed: int) -> None:
    maker = SigmaMaker(seed)
    rules = [load(maker.rule(number)) for number in range(20)]
    lines = [json.dumps(maker.event()) for _ in range(20)]
    check_verdicts(rules, lines, ANY)


def check_verdicts(rules: list[Rule], lines: list[str], log_type: LogType) -> None:
    expected = matches_of(matcher_of(rules, log_type), lines)
    records = [read(line).value for line in lines]
    found = {
        (row, number)
        for row, record in enumerate(records)
        for number, rule in enumerate(rules)
        if explain(rule, record, [log_type]).matches
    }
    assert found == expected


@pytest.fixture(scope="module")
def windows_rules(sigma_corpus: Path) -> list[Rule]:
    loaded = load_rules_cached([sigma_corpus / "rules" / "windows"]).rules
    return [rule for rule in loaded if rule.inputs]


@pytest.fixture(scope="module")
def captured(windows_captures: list[Path]) -> list[str]:
    return [
        line
        for path in windows_captures
        for line in gzip.decompress(path.read_bytes()).decode().splitlines()
    ]


def test_verdicts_on_captures_are_those_of_the_engine_and_of_alerts(
    windows_rules: list[Rule], captured: list[str]
) -> None:
    """Every match is confirmed, and on some records no other rule matches."""
    log_types = load_log_types()
    matcher = Matcher(log_types, lambda found, shape: compile_plan(windows_rules, found, shape))
    result = matcher.match(pa.array(captured, pa.string()))
    builder = AlertBuilder(windows_rules, "capture")
    texts = result.texts(match.row for match in result.matches)
    alerts = list(builder.build(result.matches, texts, range(len(captured))))
    assert all(isinstance(alert, Alert) for alert in alerts)
    matched = {(match.row, match.input.rule) for match in result.matches}
    assert len(matched) == len(alerts) > 100
    for row, rule in matched:
        found = explain(windows_rules[rule], read(captured[row]).value, log_types)
        assert found.matches
        assert found.near_misses() == []
    chance = random.Random(7)
    for row in [*chance.sample(range(len(captured)), 4), min(matched)[0]]:
        record = read(captured[row]).value
        for number, rule in enumerate(windows_rules):
            matches = explain(rule, record, log_types).matches
            assert matches == ((row, number) in matched), rule.name


def test_verdicts_on_the_demo_are_those_of_a_scan_over_the_bridge(tmp_path: Path) -> None:
    write_demo(tmp_path)
    log_types = load_log_types()
    rules = [rule for rule in load_rules_cached([PACK]).rules if rule.inputs]
    detection = f"{{s: {{operationName: {GET_SECRET}}}, condition: s}}"
    rules.append(sigma(detection, "azure", service="activitylogs"))
    lines = [line for file in sorted(tmp_path.iterdir()) for line in file.read_bytes().splitlines()]
    lines = random.Random(3).sample(lines, 300)
    worker = Worker(rules, log_types, NdjsonOutput(), bridges=["keyvault"])
    result = worker._matcher.match(pa.array([line.decode() for line in lines]))
    matched = {(match.row, match.input.rule) for match in result.matches}
    found = {
        (row, number)
        for row, line in enumerate(lines)
        for number, rule in enumerate(rules)
        if explain(rule, read(line).value, log_types, ["keyvault"]).matches
    }
    assert found == matched
    assert any(number == len(rules) - 1 for _, number in found)


SYSMON = {
    "Channel": "Microsoft-Windows-Sysmon/Operational",
    "EventID": 1,
    "Hostname": "h",
    "SourceName": "Microsoft-Windows-Sysmon",
    "EventTime": "2026-01-02 03:04:05",
    "ProviderGuid": "{x}",
    "Image": "C:\\x\\cmd.exe",
    "CommandLine": "cmd /c Whoami",
}
READ = {"category": "AuditEvent", "operationName": "SecretGet", "time": "2026-01-02T03:04:05Z"}
GET_SECRET = "MICROSOFT.KEYVAULT/VAULTS/SECRETS/GETSECRET/ACTION"
WHOAMI = "{s: {CommandLine|contains: whoami}, condition: s}"


def test_the_log_type_the_shape_and_the_time_are_said() -> None:
    found = explained(sigma("{s: {operationName: SecretGet}, condition: s}", "azure"), READ)
    assert (found.log_type, found.shape) == ("azure.keyvault", "diagnostic")
    assert found.time.isoformat() == "2026-01-02T03:04:05+00:00"
    assert found.matches


def test_every_variant_of_a_category_is_tried() -> None:
    found = explained(sigma(WHOAMI, "windows", "process_creation"), SYSMON)
    assert [(one.number, one.gate.holds, one.matches) for one in found.attempts] == [
        (1, True, True),
        (2, False, False),
    ]
    assert found.best.number == 1


def test_names_are_read_as_the_variant_has_them() -> None:
    record = {**SYSMON, "Channel": "Security", "EventID": 4688, "NewProcessName": "C:\\whoami.exe"}
    rule = sigma("{s: {Image|endswith: whoami.exe}, condition: s}", "windows", "process_creation")
    best = explained(rule, record).best
    assert (best.number, best.matches) == (2, True)
    assert best.condition.reading.path == ("NewProcessName",)


def test_a_variant_without_a_counterpart_for_a_name_is_left_out_and_said_so() -> None:
    rule = sigma("{s: {EventType: SetValue}, condition: s}", "windows", "registry_event")
    (asked,) = explained(rule, SYSMON).inputs
    assert [one.number for one in asked.attempts] == [1]
    assert asked.reasons[0].startswith('variant 2 (Channel is "Security" and EventID is "4657"')
    assert asked.reasons[0].endswith("is left out: it has no counterpart for EventType")


def test_a_gate_that_does_not_hold_is_the_near_miss() -> None:
    rule = sigma(WHOAMI, "windows", "process_creation")
    found = explained(rule, {**SYSMON, "EventID": 3})
    assert not found.matches
    [[miss], *_] = found.near_misses()
    assert (miss.in_gate, miss.node.condition.values) == (True, ("1",))
    assert miss.hint.value.text == "3"


REASONS = {
    "another product": (
        ("aws", "", ""),
        "the rule is for product aws; windows is of product windows",
    ),
    "another category": (
        ("windows", "dns_query_log", ""),
        "the rule is for category dns_query_log; windows answers to process_creation,",
    ),
    "another service": (
        ("windows", "", "nope"),
        "the rule is for service nope; windows answers to application, ",
    ),
    "nothing": (("", "", ""), "the rule's log source names no product, category or service"),
}


@pytest.mark.parametrize("name", REASONS)
def test_the_reason_why_a_log_source_selects_nothing(name: str) -> None:
    (product, category, service), reason = REASONS[name]
    (windows,) = [one for one in load_log_types() if one.name == "windows"]
    scope = LogSource(product or None, category or None, service or None)
    assert windows.select(product or None, category or None, service or None) == ()
    assert why_not(windows, scope)[0].startswith(reason)


OF_PRODUCTS = [one for one in load_log_types() if one.products]


@pytest.mark.parametrize("log_type", OF_PRODUCTS, ids=lambda one: one.name)
def test_there_is_no_reason_where_a_log_source_selects(log_type: LogType) -> None:
    for category in [*log_type.categories, None]:
        for service in [*log_type.services, None]:
            scope = LogSource(next(iter(log_type.products)), category, service)
            selected = log_type.select(scope.product, category, service)
            assert bool(why_not(log_type, scope)) == (not selected)


def test_a_rule_for_another_log_type_was_not_asked() -> None:
    found = explained(sigma(WHOAMI, "windows", "process_creation"), READ)
    assert found.attempts == ()
    assert found.best is None
    assert found.inputs[0].reasons[0].startswith("the rule is for product windows; azure.keyvault")
    assert found.near_misses() == []


def test_an_unknown_record_is_told_what_it_lacks_to_be_of_the_log_type() -> None:
    rule = sigma("{s: {operationName: SecretGet}, condition: s}", "azure", service="keyvault")
    found = explained(rule, {"operationName": "SecretGet"})
    assert found.log_type is None
    [reason] = found.reasons
    assert reason.startswith("the record is of no known log type (--log-type says what it is)")
    assert 'to be azure.keyvault / diagnostic it lacks: category is "AuditEvent"' in reason


def test_a_bridge_that_would_help_is_named() -> None:
    detection = f"{{s: {{operationName: {GET_SECRET}}}, condition: s}}"
    rule = sigma(detection, "azure", service="activitylogs")
    without = explained(rule, READ)
    assert not without.matches
    assert any("--bridge keyvault shows them" in reason for reason in without.inputs[0].reasons)
    over = explained(rule, READ, "keyvault")
    assert [(one.bridge, one.matches) for one in over.attempts] == [("keyvault", True)]


def test_a_rule_that_cannot_run_says_why() -> None:
    from tocsin.rules.load import LoadOptions, RuleFile, RuleLoader

    file = RuleFile(Path("bad.yml"), "p", "bad.yml")
    text = "title: T\nlogsource: {product: azure}\ndetection: {s: {f|nope: x}, condition: s}\n"
    (rule,), _ = RuleLoader(LoadOptions()).load_text(text, file)
    found = explained(rule, READ)
    assert found.reasons == ("bad.yml:3:17: Unknown modifier 'nope'",)
    assert not found.matches


def test_a_rule_that_scans_leave_out_is_explained_with_a_note() -> None:
    rule = load("title: T\nstatus: deprecated\nlogsource: {product: azure}\n"
                "detection: {s: {operationName: SecretGet}, condition: s}\n")  # fmt: skip
    found = explained(rule, READ)
    assert found.matches
    assert found.notes == ("scan leaves deprecated rules out: --include-disabled",)


def test_near_misses_are_nearest_first() -> None:
    detection = (
        "{s: {operationName|cased: SECRETGET}, t: {callerIpAddress: 10.0.0.1}, condition: s or t}"
    )
    found = explained(sigma(detection, "azure"), READ)
    [[first], [second]] = found.near_misses()
    assert first.hint.closeness is Closeness.OTHER_CASE
    assert second.hint.closeness is Closeness.ABSENT
    assert isinstance(first.node.condition, Predicate)


def test_a_filter_that_excludes_an_event_is_a_near_miss() -> None:
    detection = "{s: {operationName: SecretGet}, f: {category: AuditEvent}, condition: s and not f}"
    [[miss]] = explained(sigma(detection, "azure"), READ).near_misses()
    assert (miss.wanted, miss.hint.closeness, miss.hint.value) == (False, "holds", "AuditEvent")
