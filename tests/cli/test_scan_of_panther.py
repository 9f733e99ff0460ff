"""`tocsin scan` with rules of Panther: what the user must allow, and what he is told."""

import json
from pathlib import Path
from textwrap import dedent

import pytest

from cli.calling import tocsin

CODE = """
    from panther_detection_helpers.caching import get_counter

    def rule(event):
        return event["n"] > 1 + get_counter("none")

    def severity(event):
        return "critical"
"""


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    folder = tmp_path / "pack"
    folder.mkdir()
    (folder / "more.py").write_text(dedent(CODE))
    (folder / "more.yml").write_text(
        "AnalysisType: rule\nRuleID: More\nDisplayName: More Than One\nEnabled: true\n"
        "Filename: more.py\nLogTypes: [Sample.Log]\nSeverity: Low\n"
    )
    return folder


@pytest.fixture
def log(tmp_path: Path) -> Path:
    file = tmp_path / "log.ndjson"
    records = [{"time": f"2026-03-04T05:0{n}:00Z", **of} for n, of in enumerate(({"n": 2}, {}))]
    file.write_text("".join(json.dumps(record) + "\n" for record in records))
    return file


def scan(pack: Path, log: Path, *options: str):
    return tocsin("scan", log, "-r", pack, "--log-type", "panther:Sample.Log", *options)


def test_without_leave_the_user_is_told_how_to_give_it(pack: Path, log: Path) -> None:
    result = scan(pack, log)
    assert (result.status, "--allow-python runs those that are Python" in result.err) == (2, True)


def test_alerts_errors_and_costs_are_shown(pack: Path, log: Path) -> None:
    options = ("--allow-python", "--strict-errors", "--stats", "--fail-on", "critical")
    result = scan(pack, log, *options)
    assert result.status == 1
    for told in ("critical", "More Than One", "1 rules could not say whether an event matches"):
        assert told in result.text + result.err
    assert "1 events; first: rule() raised KeyError at" in result.err
    assert "µs each" in result.err


def test_other_rules_run_beside_those_that_are_left_out(pack: Path, log: Path) -> None:
    simple = "AnalysisType: rule\nRuleID: S\nEnabled: true\nLogTypes: [Sample.Log]\nSeverity: Low\n"
    (pack / "s.yml").write_text(f"{simple}Detection: [{{Key: n, Condition: Exists}}]\n")
    result = scan(pack, log)
    assert "1 rules are decided by their Python, which runs with --allow-python" in result.err
    assert result.status == 0
    assert scan(pack, log, "--strict").status == 3


@pytest.mark.parametrize(
    ("given", "says"),
    [("x", "write NAME=FILE"), ("x=y", "no lookup table of the rules; known: none")],
)
def test_a_table_that_is_unknown_is_refused(pack: Path, log: Path, given: str, says: str) -> None:
    result = scan(pack, log, "--allow-python", "--lookup", given)
    assert (result.status, says in result.err) == (2, True)


def test_signals_are_for_other_rules_unless_asked_for(pack: Path, log: Path) -> None:
    with (pack / "more.yml").open("a") as file:
        file.write("CreateAlert: false\n")
    options = ("--allow-python", "-f", "ndjson")
    assert "no rule is left" in scan(pack, log, *options).err
    assert len(scan(pack, log, *options, "--building-blocks").records) == 1
