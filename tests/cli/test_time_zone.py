"""`scan --tz`: in which zone times are that name none."""

from pathlib import Path

import pytest

from cli.calling import WEB, jsonl, scan, tocsin

WITHOUT = {"mark": "needle", "time": "2026-07-18 10:00:00"}
WITH = {"mark": "needle", "time": "2026-07-18T10:00:00Z"}
STRAW = {"mark": "straw", "time": "2026-07-18 10:00:00"}


@pytest.fixture
def log(tmp_path: Path) -> Path:
    (tmp_path / "log").write_bytes(jsonl([WITHOUT, WITH, STRAW, WITHOUT | {"time": "soon"}]))
    return tmp_path / "log"


def times(result: object) -> list[str | None]:
    return [record["time"] for record in result.records]


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(
    ("zone", "time"),
    [
        ("UTC", "2026-07-18T10:00:00.000Z"),
        ("Europe/Berlin", "2026-07-18T08:00:00.000Z"),
        ("-03:30", "2026-07-18T13:30:00.000Z"),
    ],
)
def test_a_time_without_zone_is_in_the_zone_that_is_given(
    zone: str, time: str, workers: int, rules: Path, log: Path
) -> None:
    result = scan(log, rules=rules, tz=zone, workers=workers)
    assert times(result) == [time, "2026-07-18T10:00:00.000Z", None]


def test_without_a_zone_it_is_utc_and_the_summary_says_so(rules: Path, log: Path) -> None:
    result = scan(log, rules=rules)
    assert times(result)[0] == "2026-07-18T10:00:00.000Z"
    assert "1 alerts have times without zone, read as UTC; --tz says otherwise" in result.err


def test_the_summary_names_the_zone_that_was_given(rules: Path, log: Path) -> None:
    for zone, shown in (("Europe/Berlin", "Europe/Berlin"), ("+02:00", "UTC+02:00")):
        assert f"without zone, read as {shown};" in scan(log, rules=rules, tz=zone).err


def test_nothing_is_said_where_every_time_has_a_zone(rules: Path, log: Path) -> None:
    log.write_bytes(jsonl([WITH, STRAW]))
    assert "zone" not in scan(log, rules=rules).err


def test_since_and_until_compare_with_the_time_in_its_zone(rules: Path, log: Path) -> None:
    log.write_bytes(jsonl([WITHOUT]))
    for zone, found in (("UTC", [1]), ("Europe/Berlin", [])):
        result = scan(log, rules=rules, tz=zone, since="2026-07-18T09:00:00Z")
        assert result.lines == found


def test_the_zone_in_a_header_goes_before_the_one_that_is_given(rules: Path, log: Path) -> None:
    log.write_text('time [UTC],mark\n"7/18/2026, 10:00:00.000 AM",needle\n')
    result = scan(log, rules=rules, tz="Europe/Berlin")
    assert times(result) == ["2026-07-18T10:00:00.000Z"]
    assert "without zone" not in result.err


def test_the_zone_does_not_change_ids(rules: Path, log: Path) -> None:
    berlin, utc = scan(log, rules=rules, tz="Europe/Berlin"), scan(log, rules=rules)
    assert [one["id"] for one in berlin.records] == [one["id"] for one in utc.records]


def test_explain_reads_times_in_the_zone_too(rules: Path, log: Path) -> None:
    arguments = ["explain", rules / "needle.yml", f"{log}:1", "--log-type", WEB]
    assert "2026-07-18T08:00:00.000Z" in tocsin(*arguments, "--tz", "Europe/Berlin").text
    assert "2026-07-18T10:00:00.000Z" in tocsin(*arguments).text
