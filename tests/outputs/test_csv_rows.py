"""CSV: RFC 4180, one row per alert, and nothing in it that a spreadsheet calculates."""

import csv
import io
from pathlib import Path

import pytest

from cli.calling import scan
from outputs.making import alert, rule, written
from tocsin.alerts.model import Evidence
from tocsin.outputs.csv import COLUMNS

EVIDENCE = Evidence("operationName", "equals", "SecretGet", ("operationName",), "SecretGet")


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def test_a_row_holds_what_the_alert_holds() -> None:
    of = rule(
        "Secret Read",
        author=("Ada", "Grace"),
        license="DRL-1.1",
        tags=("attack.credential-access", "attack.t1562.001"),
        guide="Ask Ada.",
    )
    one = alert(
        of,
        number=7,
        matched=[EVIDENCE],
        entities=[("user", "anna"), ("user", "ben"), ("address", "203.0.113.7")],
    )
    (row,) = read(written("csv", [one]))
    assert row == {
        "time": "2026-01-02T03:04:05.000Z",
        "first": "2026-01-02T03:04:05.000Z",
        "last": "2026-01-02T03:04:05.000Z",
        "count": "1",
        "severity": "high",
        "risk_score": "73",
        "title": "Secret Read",
        "reason": "operationName is SecretGet",
        "rule_id": "secret-read",
        "rule_name": "Secret Read",
        "rule_ecosystem": "sigma",
        "rule_kind": "detection",
        "rule_pack": "own",
        "rule_path": "own/Secret Read.yml",
        "rule_author": "Ada; Grace",
        "rule_license": "DRL-1.1",
        "rule_tags": "attack.credential-access; attack.t1562.001",
        "attack": "TA0006; T1685",
        "attack_names": "Credential Access; Disable or Modify Tools",
        "alert_id": one.id,
        "user": "anna; ben",
        "address": "203.0.113.7",
        "host": "",
        "application": "",
        "resource": "",
        "tenant": "",
        "log_type": "azure.keyvault",
        "source": "logs/a.ndjson",
        "line": "7",
        "event_id": one.events[0].id,
        "events_total": "1",
        "context": "",
        "guide": "Ask Ada.",
    }


def test_the_header_is_there_without_alerts_and_only_once_with_many() -> None:
    header = ",".join(f'"{name}"' for name in COLUMNS) + "\r\n"
    assert written("csv", []) == header
    text = written("csv", [alert(number=n) for n in range(50)], sizes=(7, 1))
    assert text.startswith(header)
    assert text.count('"time"') == 1
    assert [row["line"] for row in read(text)] == [str(n) for n in range(50)]


def test_rows_end_in_crlf_and_hold_no_other_line_break() -> None:
    text = written("csv", [alert(user="a\nb\r\nc", host='say "x", y')])
    assert text.count("\r\n") == 2
    assert text.replace("\r\n", "").isprintable()
    (row,) = read(text)
    assert (row["user"], row["host"]) == ("a\\x0ab\\x0d\\x0ac", 'say "x", y')


@pytest.mark.parametrize(
    "start", ["=", "+", "-", "@", "\t", "\r", "\n", " =", "＝", "\x0b+", "　@"]
)
@pytest.mark.parametrize("column", ["user", "source", "title", "rule_author", "reason"])
def test_no_cell_is_a_formula(start: str, column: str) -> None:
    evil = f"{start}HYPERLINK(A1)"
    of = rule(evil, author=(evil,)) if column in {"title", "rule_author"} else None
    where = Evidence(evil, "equals", "x", (), "x")
    one = alert(of, user=evil, source=evil, matched=[where])
    (row,) = read(written("csv", [one]))
    assert row[column].startswith("'")
    for text in row.values():
        assert not text.startswith(("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"))


def test_each_of_several_values_is_harmless_by_itself() -> None:
    (row,) = read(written("csv", [alert(entities=[("user", "anna"), ("user", "=1+1")])]))
    assert row["user"] == "anna; '=1+1"


def test_texts_that_are_no_formula_stay_as_they_are() -> None:
    texts = ["a=b", "1-2", "'x'", "ümlaut \U0001f514", "", " x"]
    rows = read(written("csv", [alert(host=text) for text in texts]))
    assert [row["host"] for row in rows] == texts


def test_what_cannot_be_encoded_is_written_as_an_escape() -> None:
    (row,) = read(written("csv", [alert(user="a\ud800\u202eb\x00")]))
    assert row["user"] == "a\\ud800\\u202eb\\x00"


def test_an_alert_without_time_has_empty_cells() -> None:
    (row,) = read(written("csv", [alert(at=None)]))
    assert (row["time"], row["first"], row["last"]) == ("", "", "")


def test_a_scan_writes_a_row_for_each_alert_with_any_number_of_workers(
    rules: Path, log: Path
) -> None:
    one = scan(log, rules=rules, form="csv")
    assert [row["line"] for row in read(one.text)] == ["1", "3"]
    assert scan(log, rules=rules, form="csv", workers=2).out == one.out
    assert read(scan(log, rules=rules, form="csv", until="2000-01-01").text) == read(one.text)
