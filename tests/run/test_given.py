"""Events that are named by hand: which records an argument stands for."""

import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tocsin.errors import InputError
from tocsin.run.given import read_given


def places(argument: object) -> list[tuple[int, dict]]:
    return [(one.line, one.record) for one in read_given(str(argument))]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    file = tmp_path / "log.ndjson"
    file.write_text('{"a": "1"}\n\n{"records": [{"a": "2"}, {"a": "3"}]}\n{"a": "4"}\n')
    return file


def test_a_file_stands_for_all_its_records(log: Path) -> None:
    assert places(log) == [(1, {"a": "1"}), (3, {"a": "2"}), (3, {"a": "3"}), (4, {"a": "4"})]


def test_a_line_stands_for_the_records_on_it(log: Path) -> None:
    assert places(f"{log}:3") == [(3, {"a": "2"}), (3, {"a": "3"})]


@pytest.mark.parametrize("line", [0, 2, 5])
def test_a_line_without_records_is_an_error(line: int, log: Path) -> None:
    with pytest.raises(InputError, match=f"holds no record on line {line}"):
        places(f"{log}:{line}")


def test_a_line_is_found_without_reading_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tocsin.run import given

    read: list[str] = []
    honest = given._read
    monkeypatch.setattr(given, "_read", lambda text, *at: read.append(text) or honest(text, *at))
    log = tmp_path / "log"
    log.write_text('{"a": 1}\n' * 5000)
    assert len(places(f"{log}:3")) == 1
    assert len(read) == 4


def test_what_cannot_be_read_has_a_reason(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b'{"a": 1}\n[1]\nno\n{"b": "\xff"}\n')
    given = list(read_given(str(log)))
    assert [one.record is None for one in given] == [False, True, True, False]
    assert given[1].problem == "the top level is an array, not an object"
    assert given[2].problem.startswith("not JSON: ")
    assert given[3].record == {"b": "\ufffd"}
    assert given[3].place == f"{log}:4"


def test_standard_input_is_a_dash(monkeypatch: pytest.MonkeyPatch) -> None:
    typed = SimpleNamespace(buffer=io.BytesIO(b'{"a": "1"}\n'))
    monkeypatch.setattr(sys, "stdin", typed)
    assert places("-") == [(1, {"a": "1"})]


ALERT = {
    "schema": 1,
    "rule": {"id": "r1"},
    "matched": [],
    "context": {"bridge": "keyvault"},
    "events": [
        {"raw": {"a": "1"}, "source": "x.log", "line": 7, "log_type": "t"},
        {"raw": {"a": "2"}},
    ],
}


def test_an_alert_stands_for_its_events(tmp_path: Path) -> None:
    file = tmp_path / "alerts"
    file.write_text(json.dumps(ALERT))
    first, second = read_given(str(file))
    assert (first.place, first.record) == ("x.log:7", {"a": "1"})
    assert (first.alert.rule, first.alert.log_type, first.alert.bridge) == ("r1", "t", "keyvault")
    assert (second.place, second.record) == (f"{file}:1", {"a": "2"})
    assert second.alert.log_type is None


@pytest.mark.parametrize(
    "change",
    [{"schema": 2}, {"rule": "r1"}, {"rule": {}}, {"events": {}}, {"matched": None, "schema": "1"}],
)
def test_a_record_that_only_resembles_an_alert_is_an_event(change: dict, tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.write_text(json.dumps(ALERT | change))
    [given] = read_given(str(file))
    assert given.alert is None
    assert "events" in given.record
