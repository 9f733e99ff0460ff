"""The fields of logs: what is counted is what a naive count gives, in bounded memory."""

import json
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from oracle.makers import ConditionMaker
from tocsin.jsontext import read
from tocsin.logs.load import load_log_types
from tocsin.logs.logtype import generic
from tocsin.logs.view import RecordView
from tocsin.rules.load import LoadOptions, RuleFile, RuleLoader
from tocsin.run import fields
from tocsin.run.fields import FieldSurvey
from tocsin.run.fields_report import FieldsReport, fields_record, report_fields
from tocsin.run.survey import survey
from tocsin.run.wanted import Arrivals, wants_of

ANY = (generic("any", "any", "any"),)
READ = {"category": "AuditEvent", "operationName": "SecretGet"}


def write(path: Path, records: list) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def rule_of(detection: str, source: str = "product: any"):
    text = f"title: T\nlogsource: {{{source}}}\ndetection: {detection}\n"
    (rule,), _ = RuleLoader(LoadOptions()).load_text(text, RuleFile(Path("r"), "p", "r"))
    assert not rule.reasons
    return rule


def rows_of(report: FieldsReport) -> dict:
    (shape,) = report.shapes
    return {row.path: row for row in shape.fields}


def naive(records: list) -> tuple[Counter, dict]:
    """Count, event by event, the paths of values and what types they have."""
    events, types = Counter(), defaultdict(set)
    names = {str: "text", int: "number", float: "number", bool: "boolean", type(None): "null"}

    def visit(path: tuple, value: object, seen: set, inside: bool) -> None:
        if isinstance(value, dict) and value:
            for key, item in value.items():
                visit((*path, key), item, seen, False)
        elif isinstance(value, list) and value:
            for item in value:
                visit(path, item, seen, True)
        else:
            seen.add(path)
            kind = "array" if value == [] else "object" if value == {} else names[type(value)]
            types[path] |= {kind, "array"} if inside else {kind}

    for record in records:
        seen: set = set()
        visit((), record, seen, False)
        events.update(seen)
    return events, types


@pytest.mark.parametrize("seed", range(8))
def test_counts_and_types_are_those_of_a_naive_count(seed: int, tmp_path: Path) -> None:
    maker = ConditionMaker(seed)
    records = [record for record in (maker.event() for _ in range(60)) if record]
    report = report_fields([write(tmp_path / "log", records)], ANY)
    events, types = naive(records)
    rows = rows_of(report)
    assert {path: row.facts.events for path, row in rows.items()} == events
    for path, row in rows.items():
        assert row.facts.types == types[path], path
        assert row.share == events[path] / len(records)


def test_distinct_values_are_counted_up_to_a_bound(tmp_path: Path) -> None:
    records = [
        {"few": at % 3, "many": f"v{at}", "mixed": [1, "1", True][at % 3]} for at in range(999)
    ]
    rows = rows_of(report_fields([write(tmp_path / "log", records)], ANY))
    assert {path[0]: row.facts.distinct for path, row in rows.items()} == {
        "few": 3,
        "many": None,
        "mixed": 3,
    }


def test_an_example_is_a_value_that_says_something(tmp_path: Path) -> None:
    records = [{"a": None, "b": ""}, {"a": [], "b": "x" * 999}, {"a": 5, "b": "y"}]
    rows = rows_of(report_fields([write(tmp_path / "log", records)], ANY))
    assert rows[("a",)].facts.example == 5
    assert rows[("b",)].facts.example == "x" * fields.MAX_EXAMPLE


def test_every_nth_record_is_looked_at_across_files_and_batches(tmp_path: Path) -> None:
    for name in "ab":
        write(tmp_path / name, [{"n": at} for at in range(50)])
    report = report_fields([tmp_path], ANY, every=7)
    (shape,) = report.shapes
    assert (shape.events, shape.looked_at, report.every) == (100, 15, 7)
    assert shape.fields[0].facts.events == 15


def test_events_with_random_keys_do_not_fill_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fields, "MAX_FIELDS", 20)
    records = [{"known": 1, f"k{at}": 1} for at in range(100)]
    report = report_fields([write(tmp_path / "log", records)], ANY)
    (shape,) = report.shapes
    assert len(shape.fields) == 20
    assert shape.not_kept == 81
    assert rows_of(report)[("known",)].facts.events == 100


def test_records_nested_as_deep_as_can_be_are_counted(tmp_path: Path) -> None:
    deep = '{"a":' * 500 + "1" + "}" * 500
    arrays = '{"a":' + "[" * 500 + "1" + "]" * 500 + "}"
    (tmp_path / "log").write_text(f"{deep}\n{arrays}\n")
    rows = rows_of(report_fields([tmp_path / "log"], ANY))
    assert rows[("a",) * 500].facts.events == 1
    assert rows[("a",)].facts.types == {"number", "array"}


def test_repaired_records_count_and_refused_ones_are_counted_apart(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b'{"a": NaN}\n{"a": "\xff"}\nno\n[1]\n{"a": 1,}\n')
    report = report_fields([tmp_path / "log"], ANY)
    assert (report.surveyed.records, report.surveyed.unreadable) == (3, 2)
    assert rows_of(report)[("a",)].facts.types == {"number", "text"}


def test_cells_that_hold_json_are_read_as_rules_read_them(tmp_path: Path) -> None:
    record = {**READ, "identity": '{"claim": {"upn": "ana"}}'}
    report = report_fields([write(tmp_path / "log", [record])], load_log_types())
    assert ("identity", "claim", "upn") in rows_of(report)


def test_files_that_hold_no_logs_are_named_and_the_others_go_on(tmp_path: Path) -> None:
    write(tmp_path / "good", [{"a": 1}])
    (tmp_path / "binary").write_bytes(bytes(range(256)))
    report = report_fields([tmp_path, tmp_path / "missing"], ANY)
    assert report.surveyed.files == 1
    assert report.surveyed.skipped[0].startswith(f"{tmp_path / 'binary'}: is of no known format")
    assert report.surveyed.failed == [f"{tmp_path / 'missing'}: no such file or folder"]


def test_shapes_are_listed_by_events_and_unknown_records_last(tmp_path: Path) -> None:
    log = write(tmp_path / "log", [{"x": 1}] * 9 + [READ] * 3)
    report = report_fields([log], load_log_types())
    assert [(one.log_type, one.shape, one.events) for one in report.shapes] == [
        ("azure.keyvault", "diagnostic", 3),
        (None, None, 9),
    ]


@pytest.mark.parametrize("seed", range(12))
def test_a_field_arrives_if_some_record_carries_it_as_the_row_wise_reading_says(
    seed: int, tmp_path: Path
) -> None:
    from oracle.running import as_rule

    maker = ConditionMaker(seed)
    records = [record for record in (maker.event() for _ in range(8)) if record]
    rules = [as_rule(number, maker.condition()) for number in range(15)]
    arrivals = Arrivals(rules, ANY)
    survey([write(tmp_path / "log", records)], ANY, [arrivals])
    views = [RecordView(read(json.dumps(record)).value, ANY[0].shapes[0]) for record in records]
    for number, rule in enumerate(rules):
        wanted = {want.field for want in wants_of(rule.inputs[0], ANY[0])}
        carried = {field for field in wanted if any(v.read(field) is not None for v in views)}
        missing = {".".join(field.path) for field in wanted - carried}
        missing -= {".".join(field.path) for field in carried}
        assert set(arrivals.never_seen_by(number, [ANY[0].name])) == missing


def test_names_are_seen_through_the_log_type_and_its_variants(tmp_path: Path) -> None:
    record = dict.fromkeys(("Hostname", "SourceName", "ProviderGuid", "NewProcessName"), "x")
    record |= {"Channel": "Security", "EventID": 4688, "EventTime": "2026-01-02 03:04:05"}
    rules = [
        rule_of("{s: {Image: x, CommandLine: y}, condition: s}",
                "product: windows, category: process_creation"),
        rule_of("{s: {Image: x}, condition: s}", "product: windows, service: security"),
        rule_of("{k: [needle], condition: k}", "product: windows"),
    ]  # fmt: skip
    report = report_fields([write(tmp_path / "log", [record])], load_log_types(), rules)
    missing = [(one.log_type, one.field, one.rules) for one in report.never_seen]
    assert missing == [("windows", "CommandLine", (0,)), ("windows", "Image", (1,))]
    assert report.searching == 1
    used = {path[0]: row.rules for path, row in rows_of(report).items()}
    assert used == {"Channel": 2, "EventID": 1, "Hostname": 0, "SourceName": 0,
                    "ProviderGuid": 0, "EventTime": 0, "NewProcessName": 1}  # fmt: skip


def test_log_types_without_an_event_want_nothing(tmp_path: Path) -> None:
    rules = [rule_of("{s: {Image: x}, condition: s}", "product: windows")]
    report = report_fields([write(tmp_path / "log", [READ])], load_log_types(), rules)
    assert report.never_seen == ()
    arrivals = Arrivals(rules, load_log_types())
    assert arrivals.never_seen_by(0, ["windows"]) == ["Image"]
    assert not arrivals.met(["windows"])


def test_the_record_of_a_report_is_plain_json(tmp_path: Path) -> None:
    (tmp_path / "log").write_text('{"a": [1.50, "x"], "big": 123456789012345678901234567890}\n')
    rules = [rule_of("{s: {a: 1, gone: 2}, condition: s}")]
    record = json.loads(json.dumps(fields_record(report_fields([tmp_path / "log"], ANY, rules))))
    (shape,) = record["shapes"]
    assert shape["fields"][0] == {
        "field": "a",
        "path": ["a"],
        "events": 1,
        "share": 1.0,
        "types": ["array", "number", "text"],
        "distinct": 2,
        "example": 1.5,
        "rules": 1,
    }
    assert record["never_seen"] == [
        {"log_type": "any/any/any", "field": "gone", "rules": [rules[0].id]}
    ]


def test_batches_of_a_survey_are_visited_in_order(tmp_path: Path) -> None:
    for name in "ba":
        write(tmp_path / name, [{"n": name}])
    found = FieldSurvey()
    seen: list[str] = []

    class Watch:
        def visit(self, intake, projector) -> None:
            seen.extend(json.loads(text)["n"] for text in intake.records.texts())

    done = survey([tmp_path / "b", tmp_path / "a"], ANY, [found, Watch()])
    assert seen == ["b", "a"]
    assert (done.files, done.records) == (2, 2)
