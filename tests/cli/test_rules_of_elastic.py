"""`tocsin scan` with rules of Elastic: options for state, indicators, building blocks."""

from pathlib import Path

import pytest

from cli.calling import Result, jsonl, tocsin

RULE = """
[metadata]
maturity = "production"
[rule]
name = "{name}"
rule_id = "{name}"
type = "{kind}"
severity = "low"
risk_score = 21
index = ["logs-*"]
query = "event.action: read"
"""
NEW_TERMS = """
[rule.new_terms]
field = "new_terms_fields"
value = ["user.name"]
[[rule.new_terms.history_window_start]]
field = "history_window_start"
value = "now-7d"
"""
THREAT = """
threat_index = ["logs-ti_*"]
threat_query = "*:*"
[[rule.threat_mapping]]
[[rule.threat_mapping.entries]]
field = "user.name"
type = "mapping"
value = "threat.indicator.user"
"""


def write(folder: Path, name: str, kind: str = "query", more: str = "") -> None:
    (folder / f"{name}.toml").write_text(RULE.format(name=name, kind=kind) + more)


def events(*days_and_users: tuple[int, str]) -> bytes:
    return jsonl(
        {
            "@timestamp": f"2026-01-{day:02d}T00:00:00Z",
            "data_stream": {"dataset": "door.reads", "type": "logs", "namespace": "default"},
            "event": {"action": "read"},
            "user": {"name": user},
        }
        for day, user in days_and_users
    )


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    (tmp_path / "pack").mkdir()
    return tmp_path / "pack"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    (tmp_path / "log").write_bytes(events((1, "ann"), (9, "ann"), (10, "bob"), (11, "ann")))
    return tmp_path / "log"


def scan(log: Path, pack: Path, *options: object) -> Result:
    return tocsin("scan", log, "-r", pack, "-f", "ndjson", *options)


class TestNewTerms:
    @pytest.fixture(autouse=True)
    def rule(self, pack: Path) -> None:
        write(pack, "first", "new_terms", NEW_TERMS)

    def test_what_logs_are_too_short_for_is_one_line(self, log: Path, pack: Path) -> None:
        result = scan(log, pack)
        assert result.lines == [2, 3]
        assert (
            "first: 1 new with history incomplete (0 of 7 days) or less: "
            "--history LOGS adds to it, --cold-start alert shows them" in result.err
        )

    def test_or_alerts(self, log: Path, pack: Path) -> None:
        result = scan(log, pack, "--cold-start", "alert")
        assert result.lines == [1, 2, 3]
        notes = [record["stage"].get("history", {}).get("note") for record in result.records]
        assert notes == ["history incomplete (0 of 7 days)", None, None]

    def test_history_is_known(self, log: Path, pack: Path, tmp_path: Path) -> None:
        (tmp_path / "past").write_bytes(events((2, "zoe"), (5, "bob"), (8, "ann")))
        result = scan(log, pack, "--history", tmp_path / "past")
        assert result.lines == []
        assert "4 events in" in result.err

    def test_explain_says_what_was_known(self, log: Path, pack: Path) -> None:
        said = tocsin("explain", pack / "first.toml", f"{log}:4", "--history", log).text
        assert "ann: seen 1 times before, last at 2026-01-09T00:00:00.000Z, so it is known" in said
        said = tocsin("explain", pack / "first.toml", f"{log}:3", "--history", log).text
        assert "bob: not seen in the 7 days before, so it is new" in said
        said = tocsin("explain", pack / "first.toml", f"{log}:3").text
        assert "user.name: bob" in said
        assert "--history LOGS says what was known before" in said


def test_explain_counts_a_group(log: Path, pack: Path) -> None:
    threshold = '\n[rule.threshold]\nfield = ["user.name"]\nvalue = 2\n'
    write(pack, "many", "threshold", threshold)
    (pack / "many.toml").write_text(
        (pack / "many.toml").read_text().replace("[rule]", '[rule]\nfrom = "now-3d"')
    )
    said = tocsin("explain", pack / "many.toml", f"{log}:4", "--history", log).text
    assert "ann: 2 of 2 with this event, last at 2026-01-09T00:00:00.000Z" in said


class TestIndicators:
    @pytest.fixture(autouse=True)
    def rule(self, pack: Path) -> None:
        write(pack, "known_bad", "threat_match", THREAT)

    def test_without_them_the_rule_is_left_out(self, log: Path, pack: Path) -> None:
        result = scan(log, pack)
        assert result.lines == []
        assert "1 indicator match rules left out: --indicators FILE gives them" in result.err

    def test_with_them_events_are_compared(self, log: Path, pack: Path, tmp_path: Path) -> None:
        (tmp_path / "bad").write_bytes(jsonl([{"threat": {"indicator": {"user": "bob"}}}]))
        result = scan(log, pack, "--indicators", tmp_path / "bad")
        assert result.lines == [3]

    def test_a_missing_file_is_named(self, log: Path, pack: Path, tmp_path: Path) -> None:
        result = scan(log, pack, "--indicators", tmp_path / "none")
        assert f"indicators: {tmp_path / 'none'}: " in result.err


def test_building_blocks_run_if_asked_for(log: Path, pack: Path) -> None:
    write(pack, "plain")
    write(pack, "block", more='building_block_type = "default"\n')
    result = scan(log, pack)
    assert {record["title"] for record in result.records} == {"plain"}
    assert "1 building blocks, which are for other rules to read, left out" in result.err
    result = scan(log, pack, "--building-blocks")
    assert {record["title"] for record in result.records} == {"plain", "block"}


def test_alerts_beyond_the_limit_are_there_and_counted(log: Path, pack: Path) -> None:
    write(pack, "loud", more="max_signals = 3\n")
    result = scan(log, pack)
    assert result.lines == [1, 2, 3, 4]
    assert "1 rules raised more alerts than Elastic would write in one run" in result.err
    assert "loud: 4, limit 3" in result.err
