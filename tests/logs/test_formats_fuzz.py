"""Broken logs of every format: nothing crashes, nothing hangs, nothing is lost in silence."""

from dataclasses import replace

import pytest
from bench.fuzz import Lost, fuzz, run_commands

from tocsin.logs.formats import delimited, documents
from tocsin.logs.formats.rowbounds import Bounds, find_rows

COUNT = 3_000


def test_every_record_of_broken_logs_is_read_or_named() -> None:
    report = fuzz(COUNT, seed=11)
    assert report.cases == COUNT
    assert sum(report.matched.values()) == report.records > COUNT
    assert min(report.unreadable, report.no_logs, report.damaged) > COUNT // 20
    assert report.marks > report.records // 2


def test_broken_logs_are_scanned_by_the_command_line() -> None:
    assert run_commands(6, seed=12) == 6


def without_bad_rows(*text: object, **options: bool) -> Bounds:
    return replace(find_rows(*text, **options), bad=[])


@pytest.mark.parametrize(
    ("module", "name", "faulty"),
    [
        (delimited, "find_rows", without_bad_rows),
        (documents._Cutter, "_refuse", lambda *_: None),
        (documents, "is_rest", lambda _: True),
    ],
)
def test_the_fuzzer_sees_what_is_passed_over_in_silence(
    module: object, name: str, faulty: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, name, faulty)
    with pytest.raises(Lost):
        fuzz(4 * COUNT, seed=11)
