"""The Python API gives what the command line gives, whatever form the logs are at hand in."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas
import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import tocsin
from cli.calling import PACKS, scan
from tocsin.content.demo import write_demo

RECORDS = [
    {"time": "2026-01-02T03:04:05Z", "cmd": "whoami /all", "code": 1, "user": "ana"},
    {"time": "2026-01-02T03:04:06Z", "cmd": "dir", "code": 0},
    {"time": "2026-01-03T00:00:00Z", "cmd": "WHOAMI", "code": 7, "user": "bo"},
]
RULE = """\
title: Asks who it is
id: 6f0a1d3e-6d0b-4b5e-9d53-3f9b6c1f0a11
author: An author
logsource: {product: acme, service: shell}
level: high
tags: [attack.t1033, attack.discovery]
detection:
  selection: {cmd|contains: whoami, code|gte: 1}
  condition: selection
"""


@pytest.fixture
def rules(tmp_path: Path) -> tocsin.RuleSet:
    (tmp_path / "rule.yml").write_text(RULE)
    return tocsin.load_rules(tmp_path / "rule.yml")


def found(logs: object, rules: tocsin.RuleSet, **options: object) -> list[tuple[int, str]]:
    result = tocsin.scan(logs, rules, log_type="acme//shell", **options)  # type: ignore[arg-type]
    return [(alert.events[0].line, alert.id) for alert in result]


FORMS = {
    "dicts": lambda records: records,
    "a generator": lambda records: iter(records),
    "JSON texts": lambda records: [json.dumps(record) for record in records],
    "JSON bytes": lambda records: [json.dumps(record).encode() for record in records],
    "an Arrow table": pa.Table.from_pylist,
    "an Arrow batch": pa.RecordBatch.from_pylist,
    "an Arrow reader": lambda records: pa.Table.from_pylist(records).to_reader(),
    "a polars frame": polars.DataFrame,
    "a pandas frame": pandas.DataFrame,
    "a pandas frame of mixed types": lambda records: pandas.DataFrame(records, dtype=object),
}


@pytest.mark.parametrize("form", FORMS)
def test_records_in_any_form_give_the_same_alerts(form: str, rules: tocsin.RuleSet) -> None:
    expected = found(RECORDS, rules)
    assert [line for line, _ in expected] == [1, 3]
    assert found(FORMS[form](RECORDS), rules) == expected


def test_files_give_the_same_alerts_as_records(rules: tocsin.RuleSet, tmp_path: Path) -> None:
    lines = tmp_path / "log.ndjson"
    lines.write_text("".join(json.dumps(record) + "\n" for record in RECORDS))
    pq.write_table(pa.Table.from_pylist(RECORDS), tmp_path / "log.parquet")
    expected = found(RECORDS, rules)
    assert found(str(lines), rules) == found([lines], rules, workers=2) == expected
    assert found(tmp_path / "log.parquet", rules) == expected


def test_one_record_may_be_given_alone(rules: tocsin.RuleSet) -> None:
    assert len(found(RECORDS[0], rules)) == 1


def test_times_limit_what_is_found(rules: tocsin.RuleSet) -> None:
    assert len(found(RECORDS, rules, since="2026-01-02T12:00:00Z")) == 1
    assert len(found(RECORDS, rules, until=datetime(2026, 1, 3, tzinfo=UTC))) == 1


def test_what_cannot_be_read_is_returned(rules: tocsin.RuleSet) -> None:
    result = tocsin.scan(["no json", *map(json.dumps, RECORDS)], rules, log_type="acme//shell")
    assert [(one.line, one.reason.split(":")[0]) for one in result.unreadable] == [(1, "not JSON")]
    assert [alert.events[0].line for alert in result] == [2, 4]


def test_numbers_beyond_64_bits_and_odd_values_are_taken(rules: tocsin.RuleSet) -> None:
    record = RECORDS[0] | {"big": 10**30, "when": datetime(2026, 1, 1, tzinfo=UTC), 7: {"a": None}}
    (alert,) = tocsin.scan([record], rules, log_type="acme//shell")
    assert '"big":1000000000000000000000000000000' in alert.events[0].raw.replace(" ", "")


def test_alerts_as_a_table(rules: tocsin.RuleSet) -> None:
    result = tocsin.scan(RECORDS, rules, log_type="acme//shell")
    table = result.to_arrow()
    assert table.num_rows == len(result) == 2
    row = table.to_pylist()[0]
    assert row["time"] == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert (row["severity"], row["techniques"], row["author"]) == ("high", ["T1033"], ["An author"])
    assert json.loads(row["raw"]) == RECORDS[0]
    assert tocsin.scan([], rules).to_arrow().schema == table.schema


@pytest.mark.parametrize("form", ["ndjson", "ecs", "ocsf"])
def test_records_are_those_of_the_command_line(
    form: Any, rules: tocsin.RuleSet, tmp_path: Path
) -> None:
    log = tmp_path / "log.ndjson"
    log.write_text(json.dumps(RECORDS[0]) + "\n")
    result = scan(log, rules=tmp_path / "rule.yml", log_type="acme//shell", form=form)
    found = tocsin.scan(log, rules, log_type="acme//shell")
    assert found.records(form) == [*result.records]
    assert form != "ndjson" or found.records() == found.records(form)


def test_records_of_an_unknown_form_are_an_error(rules: tocsin.RuleSet) -> None:
    with pytest.raises(tocsin.UsageError, match="no form 'csv'; known: ndjson, ecs, ocsf"):
        tocsin.scan([], rules).records("csv")  # type: ignore[arg-type]


def test_the_demo_is_found_from_python(tmp_path: Path) -> None:
    write_demo(tmp_path)
    rules = tocsin.load_rules(PACKS / "azure-keyvault", where="severity>=high")
    result = tocsin.scan(tmp_path, rules)
    assert result.summary.events.total() == 4161
    assert {alert.rule.severity for alert in result} <= {"high", "critical"}


def test_an_event_is_explained(rules: tocsin.RuleSet) -> None:
    (rule,) = rules
    yes, no = (tocsin.explain(rule, one, log_type="acme//shell") for one in RECORDS[:2])
    assert (yes.matches, no.matches) == (True, False)
    (missing,) = no.near_misses()
    asked = {miss.node.condition.field.path: miss.node.reading for miss in missing}  # type: ignore[union-attr]
    assert asked[("cmd",)].raw == ("dir",)  # type: ignore[union-attr]
    assert tocsin.explain(rule, json.dumps(RECORDS[2]), log_type="acme//shell").matches


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda rules: tocsin.scan(7, rules), "logs must be paths, dicts"),
        (lambda rules: tocsin.scan([7], rules), "a list with int"),
        (lambda rules: tocsin.scan([], rules, tz="Mars/North"), "is no time zone"),
        (lambda rules: tocsin.scan([], rules, since="soon"), "since 'soon' is no time"),
        (lambda rules: tocsin.scan([], rules, log_type="x"), "is no log type"),
        (lambda rules: tocsin.explain(rules.rules[0], "[]"), "the event cannot be read"),
        (lambda rules: tocsin.load_rules(), "at least one file or folder"),
        (lambda rules: tocsin.load_rules("/no/such"), "no such rule file"),
    ],
)
def test_a_wrong_call_is_said(call, sentence: str, rules: tocsin.RuleSet) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(tocsin.UsageError, match=sentence):
        call(rules)
