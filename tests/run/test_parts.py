"""Parts of an output come back in their order, once, whether they waited in memory or on disk."""

import pickle
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from cli.calling import scan
from tocsin.run.parts import ALERTS, IN_MEMORY, Parts


class Numbers:
    """An output whose parts are the numbers that stand for alerts."""

    def part(self, alerts: Sequence[int]) -> list[int]:
        return list(alerts)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("count", [0, 1, ALERTS, IN_MEMORY * ALERTS, (IN_MEMORY + 3) * ALERTS + 7])
@pytest.mark.parametrize("sent", [False, True])
def test_every_alert_comes_back_once_and_in_order(count: int, sent: bool, folder: Path) -> None:
    made = Parts(Numbers())  # type: ignore[arg-type]
    for number in range(count):
        made.add(number)  # type: ignore[arg-type]
    made.flush()
    given = pickle.loads(pickle.dumps(made)) if sent else made
    assert bool(list(folder.iterdir())) == (count > IN_MEMORY * ALERTS)
    assert [number for part in given for number in part] == list(range(count))
    assert not list(folder.iterdir())


def test_what_waited_on_disk_goes_even_if_the_output_fails(folder: Path) -> None:
    made = Parts(Numbers())  # type: ignore[arg-type]
    for number in range((IN_MEMORY + 3) * ALERTS):
        made.add(number)  # type: ignore[arg-type]
    reading = iter(made)
    for _ in range(IN_MEMORY + 1):
        next(reading)
    reading.close()  # type: ignore[attr-defined]
    assert not list(folder.iterdir())


@pytest.mark.parametrize("workers", [1, 2])
def test_a_scan_that_ends_early_leaves_nothing_behind(
    workers: int, rules: Path, folder: Path, tmp_path: Path
) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    for number in range(3):
        (logs / f"{number}").write_text('{"mark": "needle"}\n' * ((IN_MEMORY + 2) * ALERTS))
    before = set(folder.iterdir())
    done = scan(logs, rules=rules, output="/dev/full", workers=workers)
    assert done.status == 2
    assert set(folder.iterdir()) == before
