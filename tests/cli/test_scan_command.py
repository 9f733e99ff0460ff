"""`tocsin scan`: its options, and how it ends."""

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pytest

from cli.calling import PACKS, Result, jsonl, rule, scan, tocsin

DATED = jsonl(
    {"time": f"2026-01-0{day}T00:00:00Z", "mark": "needle", "day": day} for day in (1, 2, 3)
)


def days(result: Result) -> list[int]:
    return [record["events"][0]["raw"]["day"] for record in result.records]


def test_alerts_go_to_standard_output_and_messages_to_standard_error(
    rules: Path, log: Path
) -> None:
    result = scan(log, rules=rules)
    assert result.status == 0
    assert result.lines == [1, 3]
    assert "3 events in 1 files, 1 rules, 2 alerts" in result.err


def test_a_table_is_the_default_form(rules: Path, log: Path) -> None:
    result = tocsin("scan", log, "-r", rules, "--log-type", "acme//web")
    assert result.text.splitlines()[0].split() == [
        "severity",
        "count",
        "first,",
        "last",
        "rule",
        "who",
        "from",
        "on",
    ]
    assert "high" in result.text
    assert "Needle" in result.text


@pytest.mark.parametrize("form", ["ndjson", "ecs", "ocsf"])
def test_a_form_of_lines_has_one_for_each_alert(
    form: str, rules: Path, log: Path, tmp_path: Path
) -> None:
    out = tmp_path / "alerts"
    assert scan(log, rules=rules, form=form, output=out, fail_on="high").status == 1
    written = out.read_bytes()
    assert len([json.loads(line) for line in written.splitlines()]) == 2
    assert written == scan(log, rules=rules, form=form, workers=2).out
    assert scan(log, rules=rules, form=form, until="2000-01-01").out == written


def test_progress_is_plain_lines_where_there_is_no_terminal(
    rules: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tocsin.cli import scan as module

    every = module._plain_progress
    monkeypatch.setattr(module, "_plain_progress", lambda: every(0.0))
    result = scan(log, rules=rules)
    assert "scanned 0 of 0 MB\n" in result.err
    assert "\x1b" not in result.err
    assert result.lines == [1, 3]


def test_quiet_leaves_only_what_went_wrong(rules: Path, log: Path) -> None:
    assert scan(log, rules=rules, quiet=True).err == ""
    missing = scan(log, log.with_name("missing"), rules=rules, quiet=True)
    assert missing.err == f"not scanned: {log.with_name('missing')}: no such file or folder\n"
    assert missing.status == 2
    assert missing.lines == [1, 3]


def test_output_can_go_to_a_file(rules: Path, log: Path, tmp_path: Path) -> None:
    expected = scan(log, rules=rules).out
    to_file = scan(log, rules=rules, output=tmp_path / "alerts.ndjson")
    assert to_file.out == b""
    assert (tmp_path / "alerts.ndjson").read_bytes() == expected
    assert scan(log, rules=rules, output="-").out == expected


@pytest.mark.parametrize("option", ["output", "quarantine"])
def test_a_log_is_never_written_over(rules: Path, log: Path, option: str) -> None:
    before = log.read_bytes()
    result = scan(log, rules=rules, **{option: log})
    assert result.status == 2
    assert "would be written over" in result.err
    assert log.read_bytes() == before


def test_what_a_scan_writes_into_a_scanned_folder_is_not_scanned(rules: Path, log: Path) -> None:
    folder = log.parent / "logs"
    folder.mkdir()
    (folder / "a.ndjson").write_bytes(log.read_bytes())
    for _ in range(2):
        result = scan(folder, rules=rules, output=folder / "b.ndjson", strict=True)
        assert result.status == 0
    assert len((folder / "b.ndjson").read_bytes().splitlines()) == 2


class TestInput:
    def test_standard_input(self, rules: Path, log: Path) -> None:
        result = scan("-", rules=rules, stdin=log.read_bytes())
        assert result.lines == [1, 3]
        assert {record["events"][0]["source"] for record in result.records} == {"-"}

    def test_compressed_standard_input(self, rules: Path, log: Path) -> None:
        assert scan("-", rules=rules, stdin=gzip.compress(log.read_bytes())).lines == [1, 3]

    def test_a_folder_stands_for_the_files_below_it_in_order(
        self, rules: Path, tmp_path: Path
    ) -> None:
        for name in ("b/2.ndjson", "a/1.ndjson", "c.json", ".hidden/x.ndjson", "a/.x.ndjson"):
            file = tmp_path / "logs" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(jsonl([{"mark": "needle"}]))
        result = scan(tmp_path / "logs", rules=rules)
        sources = [record["events"][0]["source"] for record in result.records]
        assert sources == [
            str(tmp_path / "logs" / name) for name in ("a/1.ndjson", "b/2.ndjson", "c.json")
        ]

    def test_a_file_that_is_named_twice_is_scanned_once(self, rules: Path, log: Path) -> None:
        folder = log.parent / "logs"
        folder.mkdir()
        (folder / "link").symlink_to(log)
        for workers in (1, 2):
            assert scan(log, log, folder, rules=rules, workers=workers).lines == [1, 3]

    @pytest.mark.parametrize(
        "packed",
        [
            pytest.param(gzip.compress, id="gzip"),
            pytest.param(lambda data: pa.compress(data, "zstd", asbytes=True), id="zstd"),
        ],
    )
    def test_compressed_files_are_known_by_their_content(
        self, packed: object, rules: Path, log: Path
    ) -> None:
        one = packed(log.read_bytes())
        (log.parent / "packed").write_bytes(one)
        assert scan(log.parent / "packed", rules=rules).lines == [1, 3]
        (log.parent / "packed").write_bytes(one + one)
        assert scan(log.parent / "packed", rules=rules).lines == [1, 3, 4, 6]

    @pytest.mark.parametrize(
        ("change", "lines"),
        [
            pytest.param(lambda data: b"\xef\xbb\xbf" + data, [1, 3], id="byte order mark"),
            pytest.param(lambda data: data.replace(b"\n", b"\r\n"), [1, 3], id="CRLF"),
            pytest.param(lambda data: data.rstrip(b"\n"), [1, 3], id="no newline at the end"),
            pytest.param(
                lambda data: b"\n \n" + data.replace(b"\n", b"\n\r\n\t\n"), [3, 9], id="blanks"
            ),
        ],
    )
    @pytest.mark.parametrize("workers", [1, 2])
    def test_odd_lines(
        self, change: object, lines: list[int], workers: int, rules: Path, log: Path
    ) -> None:
        log.write_bytes(change(log.read_bytes()))
        result = scan(log, rules=rules, workers=workers, strict=True)
        assert result.lines == lines
        assert result.status == 0


class TestExitStatus:
    """2 before 1 before 3 before 0."""

    @pytest.mark.parametrize(
        ("logs", "options", "status"),
        [
            pytest.param(["good"], {}, 0, id="alerts alone"),
            pytest.param(["good"], {"fail_on": "high"}, 1, id="an alert at the limit"),
            pytest.param(["good"], {"fail_on": "low"}, 1, id="an alert above the limit"),
            pytest.param(["good"], {"fail_on": "critical"}, 0, id="all alerts below the limit"),
            pytest.param(["straw"], {"fail_on": "informational"}, 0, id="no alerts"),
            pytest.param(["broken"], {}, 0, id="a bad record"),
            pytest.param(["broken"], {"strict": True}, 3, id="a bad record, strict"),
            pytest.param(["good"], {"strict": True}, 0, id="nothing left out, strict"),
            pytest.param(["broken"], {"strict": True, "fail_on": "high"}, 1, id="1 before 3"),
            pytest.param(["good", "missing"], {}, 2, id="a missing file beside a good one"),
            pytest.param(
                ["broken", "missing"], {"strict": True, "fail_on": "high"}, 2, id="2 before 1 and 3"
            ),
            pytest.param(["empty"], {}, 2, id="nothing to scan"),
            pytest.param(["good", "empty"], {}, 0, id="an empty file beside a good one"),
            pytest.param(["binary"], {}, 2, id="no log"),
            pytest.param(["good", "binary"], {}, 2, id="no log, named beside a good one"),
            pytest.param(["folder"], {"strict": True}, 0, id="no log, found in a folder"),
            pytest.param(["damaged"], {"fail_on": "high"}, 2, id="a damaged file with alerts"),
        ],
    )
    def test_of_logs(
        self, logs: list[str], options: dict, status: int, rules: Path, log: Path
    ) -> None:
        folder = log.parent
        good = log.read_bytes()
        (folder / "folder").mkdir()
        for name, data in {
            "good": good,
            "straw": jsonl([{"mark": "straw"}]),
            "broken": good + b"{\n",
            "empty": b"",
            "binary": bytes(range(256)),
            "damaged": gzip.compress(good)[:-6],
            "folder/good": good,
            "folder/binary": bytes(range(256)),
        }.items():
            (folder / name).write_bytes(data)
        assert scan(*(folder / name for name in logs), rules=rules, **options).status == status

    @pytest.mark.parametrize(
        "broken",
        [
            pytest.param(("bad.yml", rule("Bad", "{s: {f|nope: x}, condition: s}")), id="broken"),
            pytest.param(("bad.yml", "title: [\ndetection: x\n"), id="no YAML"),
            pytest.param(("bad.yml", b"\xff\xfe"), id="no text"),
            pytest.param(("panther.yml", "AnalysisType: rule\n"), id="another language"),
        ],
    )
    def test_of_a_rule_that_is_left_out(
        self, broken: tuple[str, str | bytes], rules: Path, log: Path
    ) -> None:
        name, text = broken
        (rules / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        assert scan(log, rules=rules).status == 0
        strict = scan(log, rules=rules, strict=True)
        assert strict.status == 3
        assert strict.lines == [1, 3]
        assert name in strict.err

    def test_of_a_file_that_is_no_rule(self, rules: Path, log: Path) -> None:
        (rules / "notes.yml").write_text("about: these rules\n")
        assert scan(log, rules=rules, strict=True).status == 0

    def test_of_records_of_no_known_type(self, rules: Path, log: Path) -> None:
        assert scan(log, rules=rules, log_type="").status == 0
        assert scan(log, rules=rules, log_type="", strict=True).status == 3


class TestTime:
    @pytest.mark.parametrize(
        ("options", "expected"),
        [
            ({}, [1, 2, 3]),
            ({"since": "2026-01-02"}, [2, 3]),
            ({"since": "2026-01-02T00:00:00Z"}, [2, 3]),
            ({"since": "2026-01-02T00:00:00.001Z"}, [3]),
            ({"until": "2026-01-02"}, [1]),
            ({"until": "2026-01-02T00:00:01Z"}, [1, 2]),
            ({"since": "2026-01-02", "until": "2026-01-03"}, [2]),
            ({"since": "2026-01-02T01:00:00+01:00"}, [2, 3]),
        ],
    )
    def test_since_is_included_and_until_is_not(
        self, options: dict, expected: list[int], rules: Path
    ) -> None:
        assert days(scan("-", rules=rules, stdin=DATED, **options)) == expected

    def test_events_without_time_are_kept_and_counted(self, rules: Path) -> None:
        data = jsonl([{"mark": "needle", "day": 0}]) + DATED
        result = scan("-", rules=rules, stdin=data, since="2026-01-03")
        assert days(result) == [0, 3]
        assert "1 alerts are of events without a time" in result.err
        assert "2 matches are outside --since and --until" in result.err

    def test_an_empty_window_is_refused(self, rules: Path) -> None:
        result = scan("-", rules=rules, stdin=DATED, since="2026-01-02", until="2026-01-02")
        assert result.status == 2
        assert "no event can be between" in result.err


class TestChoosingRules:
    @pytest.fixture
    def several(self, tmp_path: Path) -> Path:
        folder = tmp_path / "several"
        folder.mkdir()
        for name, level, status, tags in (
            ("Low", "low", "test", "[attack.t1552.001, cloud.azure]"),
            ("High", "high", "stable", "[attack.t1098]"),
            ("Old", "high", "deprecated", "[]"),
            ("Odd", "medium", "unsupported", "[]"),
        ):
            text = rule(name, level=level, status=status, tags=tags)
            (folder / f"{name}.yml").write_text(text)
        return folder

    def titles(self, several: Path, **options: object) -> set[str]:
        result = scan("-", rules=several, stdin=b'{"mark": "needle"}\n', **options)
        return {record["title"] for record in result.records}

    @pytest.mark.parametrize(
        ("options", "expected"),
        [
            ({}, {"Low", "High"}),
            ({"include_disabled": True}, {"Low", "High", "Old", "Odd"}),
            ({"severity": "medium"}, {"High"}),
            ({"severity": "LOW"}, {"Low", "High"}),
            ({"severity": "medium", "include_disabled": True}, {"High", "Old", "Odd"}),
            ({"where": "severity>=medium"}, {"High"}),
            ({"where": "ecosystem:sigma tag:azure severity<medium"}, {"Low"}),
            ({"where": "-tag:azure"}, {"High"}),
            ({"where": "technique:T1552"}, {"Low"}),
            ({"where": "status:deprecated", "include_disabled": True}, {"Old"}),
        ],
    )
    def test_options(self, options: dict, expected: set[str], several: Path) -> None:
        assert self.titles(several, **options) == expected

    def test_the_summary_counts_the_disabled(self, several: Path, log: Path) -> None:
        result = scan(log, rules=several)
        assert "2 rules left out: 1 deprecated, 1 unsupported (--include-disabled)" in result.err
        assert "left out" not in scan(log, rules=several, include_disabled=True).err

    def test_nothing_left_is_said(self, several: Path, log: Path) -> None:
        result = scan(log, rules=several, where="name:Nobody")
        assert result.status == 2
        assert "no rule is left; loosen --where" in result.err

    def test_only_broken_rules_are_said(self, tmp_path: Path, log: Path) -> None:
        (tmp_path / "bad.yml").write_text(rule("Bad", "{s: {f|nope: x}, condition: s}"))
        result = scan(log, rules=tmp_path / "bad.yml")
        assert result.status == 2
        assert "no rule can run; the first of 1 reasons" in result.err
        assert "bad.yml:3:17: Unknown modifier 'nope'" in result.err


class TestLogType:
    @pytest.mark.parametrize(
        ("log_type", "source", "alerts"),
        [
            ("acme//web", "{product: acme, service: web}", 1),
            ("acme/*/web", "{product: acme, service: web}", 1),
            ("ACME//Web", "{product: acme, service: web}", 1),
            ("acme//", "{product: acme}", 1),
            ("acme//web", "{product: acme}", 1),
            ("acme//web", "{service: web}", 1),
            ("acme//web", "{product: acme, service: audit}", 0),
            ("acme//web", "{product: other, service: web}", 0),
            ("acme/proxy", "{category: proxy}", 1),
            ("/proxy/", "{category: proxy}", 1),
            ("acme/proxy/web", "{product: acme, category: proxy, service: web}", 1),
            ("acme/proxy", "{product: acme, category: proxy, service: web}", 0),
        ],
    )
    def test_a_sigma_source_names_what_logs_are(
        self, log_type: str, source: str, alerts: int, tmp_path: Path
    ) -> None:
        text = rule().replace("{product: acme, service: web}", source)
        (tmp_path / "one.yml").write_text(text)
        data = b'{"mark": "needle"}\n'
        result = scan("-", rules=tmp_path / "one.yml", log_type=log_type, stdin=data)
        assert len(result.records) == alerts

    def test_a_named_type_takes_every_record(self, tmp_path: Path) -> None:
        text = rule().replace("product: acme, service: web", "product: azure, service: keyvault")
        (tmp_path / "one.yml").write_text(text)
        data = b'{"mark": "needle", "category": "AuditEvent", "operationName": "SecretGet"}\n'
        for log_type in ("", "azure.keyvault"):
            result = scan("-", rules=tmp_path / "one.yml", log_type=log_type, stdin=data)
            assert [record["events"][0]["log_type"] for record in result.records] == [
                "azure.keyvault"
            ]

    def test_a_type_that_no_rule_is_for_is_said(self, rules: Path) -> None:
        data = b'{"category": "AuditEvent", "operationName": "SecretGet"}\n'
        result = scan("-", rules=rules, log_type="", stdin=data)
        assert "no rule addresses azure.keyvault: add rules for it with -r" in result.err
        assert result.status == 0


def test_a_bridge_shows_vault_reads_to_rules_for_the_activity_log(tmp_path: Path) -> None:
    (tmp_path / "get.yml").write_text(
        "title: Get\nlogsource: {product: azure, service: activitylogs}\n"
        "detection: {s: {operationName: MICROSOFT.KEYVAULT/VAULTS/SECRETS/GETSECRET/ACTION},"
        " condition: s}\n"
    )
    data = b'{"category": "AuditEvent", "operationName": "SecretGet"}\n'
    assert scan("-", rules=tmp_path, log_type="", stdin=data).records == []
    [alert] = scan("-", rules=tmp_path, log_type="", bridge="keyvault", stdin=data).records
    assert alert["context"] == {"bridge": "keyvault"}
    assert alert["events"][0]["log_type"] == "azure.keyvault"


def test_a_pipeline_renames_fields(tmp_path: Path) -> None:
    (tmp_path / "rule.yml").write_text(rule(detection="{s: {User: bob}, condition: s}"))
    (tmp_path / "pipeline.yml").write_text(
        "name: names\npriority: 10\ntransformations:\n"
        "  - id: rename\n    type: field_name_mapping\n    mapping: {User: actor.name}\n"
        "    rule_conditions:\n      - {type: logsource, product: acme}\n"
    )
    data = b'{"User": "bob", "actor": {"name": "eve"}}\n{"actor": {"name": "bob"}}\n'
    rules = tmp_path / "rule.yml"
    assert scan("-", rules=rules, stdin=data).lines == [1]
    piped = scan("-", rules=rules, stdin=data, pipeline=tmp_path / "pipeline.yml")
    assert piped.lines == [2]
    assert piped.records[0]["matched"][0]["path"] == ["actor", "name"]


def test_placeholders_are_filled_in_from_a_file(tmp_path: Path) -> None:
    rules = tmp_path / "rule.yml"
    rules.write_text(rule(detection="{s: {user|expand: 'adm-%who%'}, condition: s}"))
    (tmp_path / "values.yml").write_text("who: [bob, 7]\n")
    data = jsonl({"user": user} for user in ("adm-bob", "adm-eve", "adm-7", "adm-%who%"))
    refused = scan("-", rules=rules, stdin=data)
    assert refused.status == 2
    assert "rule.yml:3:17: user: needs placeholder who (--placeholders FILE)" in refused.err
    assert scan("-", rules=rules, stdin=data, placeholders=tmp_path / "values.yml").lines == [1, 3]


@pytest.mark.parametrize("empty", ["{}\n", "who: []\n", "other: [x]\n"])
def test_a_placeholder_without_value_is_no_placeholder_at_all(tmp_path: Path, empty: str) -> None:
    rules = tmp_path / "rule.yml"
    rules.write_text(rule(detection="{s: {user|expand: '%who%'}, condition: s}"))
    (tmp_path / "values.yml").write_text(empty)
    result = scan("-", rules=rules, stdin=b"{}", placeholders=tmp_path / "values.yml")
    assert result.status == 2
    assert "user: needs placeholder who" in result.err


class TestQuarantine:
    def test_keeps_what_could_not_be_read(self, rules: Path, log: Path, tmp_path: Path) -> None:
        log.write_bytes(b'{"mark": "needle"}\r\n\r\n{"mark": \r\n[1]\n' + log.read_bytes())
        result = scan(log, rules=rules, quarantine=tmp_path / "bad.ndjson")
        assert result.lines == [1, 5, 7]
        kept = [json.loads(line) for line in (tmp_path / "bad.ndjson").read_bytes().splitlines()]
        assert kept == [
            {
                "schema": 1,
                "source": str(log),
                "line": 3,
                "offset": 22,
                "length": 9,
                "reason": "not JSON: Expecting value: line 2 column 1 (char 11)",
                "raw": '{"mark": ',
            },
            {
                "schema": 1,
                "source": str(log),
                "line": 4,
                "offset": 33,
                "length": 3,
                "reason": "the top level is an array, not an object",
                "raw": "[1]",
            },
        ]
        assert "2 records could not be read (--quarantine FILE keeps them):" in result.err
        assert f"1 × the top level is an array, not an object, first at {log}:4" in result.err


def test_our_packs_scan_the_demo_alike_by_path_and_by_folder(tmp_path: Path) -> None:
    from tocsin.content.demo import write_demo

    logs = write_demo(tmp_path / "logs")
    options = {"rules": PACKS / "azure-keyvault", "bridge": "keyvault", "log_type": ""}
    by_path = scan(*sorted(logs), **options)
    assert by_path.out == scan(tmp_path / "logs", **options).out
    assert by_path.status == 0
    assert len(by_path.records) > 50
