import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from logs import reading
from pages import DOCS, blocks, generator, rows, write_files
from tocsin.condition.functions import FUNCTIONS
from tocsin.content.demo import intrusion_records, ordinary_records
from tocsin.engine.match import Matcher
from tocsin.engine.plan import compile_plan
from tocsin.logs import load
from tocsin.logs.formats import formats
from tocsin.logs.view import RecordView, identify
from tocsin.rules.load import load_rules
from tocsin.rules.model import Verdict

GUIDE = DOCS / "add-a-log-type.md"
LOG_TYPES = (DOCS / "log-types.md").read_text("utf-8")


@pytest.fixture
def folder(tmp_path):
    write_files(GUIDE, tmp_path)
    (tmp_path / "log-types").mkdir()
    (tmp_path / "caddy.access.yaml").rename(tmp_path / "log-types" / "caddy.access.yaml")
    return tmp_path


@pytest.fixture
def log_types(folder):
    return load.load_log_types(folder / "log-types")


@pytest.fixture
def samples(folder):
    return [json.loads(line) for line in (folder / "access.ndjson").read_text().splitlines()]


def test_records_of_the_new_log_type_are_its_own_and_no_other(log_types, samples):
    for record in samples:
        log_type, shape = identify(record, log_types)
        assert (log_type.name, shape.name) == ("caddy.access", "json")
        assert identify(record, load.shipped_log_types()) is None


def test_the_new_log_type_takes_no_records_of_others(log_types):
    for record in (next(ordinary_records()), next(intrusion_records())):
        assert identify(record, log_types)[0].name != "caddy.access"


def test_the_rule_of_the_guide_matches_the_first_record_only(folder, log_types):
    rules = load_rules([folder / "traversal.yml"]).rules
    matcher = Matcher(log_types, lambda *of: compile_plan(rules, *of))
    lines = (folder / "access.ndjson").read_text("utf-8").splitlines()
    assert [match.row for match in matcher.match(pa.array(lines)).matches] == [0]


def test_time_and_entities_are_read(log_types, samples):
    view = RecordView(samples[0], identify(samples[0], log_types)[1])
    assert dict(view.entities()) == {"address": "203.0.113.7", "host": "shop.example"}


def test_the_program_of_the_guide_prints_what_it_shows(folder):
    (shown,) = blocks(GUIDE, "output")
    done = subprocess.run(
        [sys.executable, "try.py"],
        cwd=folder,
        env=os.environ | {"TOCSIN_CACHE": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == shown.text


def test_the_language_of_the_guide_runs(tmp_path):
    write_files(DOCS / "add-a-rule-language.md", tmp_path)
    spec = importlib.util.spec_from_file_location("lines", tmp_path / "lines.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    records = [record for record in intrusion_records() if record["category"] == "AuditEvent"]
    matcher = Matcher(load.shipped_log_types(), lambda *of: compile_plan([module.rule], *of))
    found = matcher.match(pa.array([json.dumps(record) for record in records])).matches
    expected = [
        row
        for row, record in enumerate(records)
        if "203.0.113." in record["callerIpAddress"] and "get" in record["operationName"].lower()
    ]
    assert expected
    assert [match.row for match in found] == expected


def test_the_language_of_the_guide_refuses_with_a_place(tmp_path):
    write_files(DOCS / "add-a-rule-language.md", tmp_path)
    source = Path(tmp_path / "lines.py").read_text("utf-8")
    names = {}
    exec(source, names)
    assert names["broken"].verdict is Verdict.CANNOT
    assert names["broken"].reasons == ("<text>:1: write FIELD contains TEXT",)


def test_the_format_of_the_guide_reads_what_it_says(tmp_path, monkeypatch):
    write_files(DOCS / "formats.md", tmp_path)
    spec = importlib.util.spec_from_file_location("pairs", tmp_path / "pairs.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    log = b"time=2026-01-02T03:04:05Z user=ana\n\nno pairs\nuser=\xff mark=needle\r\n"
    assert reading.problem(log)
    monkeypatch.setattr(formats, "FORMATS", (*formats.FORMATS, module))
    assert reading.read(log) == [
        (3, "! no pairs of key and value"),
        (1, '{"time":"2026-01-02T03:04:05Z","user":"ana"}'),
        (4, '{"user":"\ufffd","mark":"needle"}'),
    ]


def test_every_format_is_described():
    table = rows(DOCS / "formats.md", "format", "is recognised by", "the line of a record")
    described = " ".join(row[0] for row in table)
    names = {"documents": "documents", "delimited": "CSV", "lines": "lines"}
    for module in formats.FORMATS:
        name = module.__name__.split(".")[-1]
        assert names.get(name, name).lower() in described.lower()


@pytest.mark.parametrize("key", sorted(load._LOG_TYPE_KEYS | load._SHAPE_KEYS))
def test_a_key_of_log_types_is_described(key):
    described = [row[0] for row in rows(DOCS / "log-types.md", "key", "holds", "if left out")]
    assert key in described


@pytest.mark.parametrize("name", load._COMPARISONS)
def test_a_comparison_of_log_types_is_described(name):
    assert f"`{name}: " in LOG_TYPES


def test_every_function_is_described_and_no_other():
    assert set(generator().FUNCTION_NOTES) == set(FUNCTIONS)
    table = rows(DOCS / "log-types.md", "function", "takes", "gives", "example")
    assert [row[0] for row in table] == list(FUNCTIONS)
