"""Memory stays bounded, whatever one record or one document holds."""

import gzip
import subprocess
import sys
from pathlib import Path

import pytest

from cli.calling import rule

MEMORY = """
import sys
from tocsin.cli import main
try:
    main()
finally:
    with open("/proc/self/status") as status:
        print(*[line.split()[1] for line in status if line.startswith("VmHWM")], file=sys.stderr)
"""
LIMIT = 900
"""Megabytes, of which an idle process takes some 150."""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def megabytes(
    file: Path, rules: Path, workers: int, sentence: str = "longer than 16 MiB", *options: str
) -> int:
    """Scan a file in a process of its own; return the most memory that it took."""
    arguments = [
        "scan",
        file,
        "-r",
        rules,
        "--log-type",
        "acme//web",
        "--workers",
        workers,
        *options,
    ]
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert sentence in done.stderr
    return int(done.stderr.splitlines()[-1]) >> 10


@pytest.mark.parametrize(("name", "workers"), [("line", 1), ("packed", 2), ("document", 1)])
def test_a_record_of_200_megabytes_does_not_stand_in_memory(
    name: str, workers: int, rules: Path, tmp_path: Path
) -> None:
    start = b'{"records": [' if name == "document" else b""
    with (gzip.open if name == "packed" else open)(tmp_path / name, "wb") as file:
        file.write(start + b'{"x": "')
        for _ in range(200):
            file.write(b"x" * (1 << 20))
    assert megabytes(tmp_path / name, rules, workers) < LIMIT


@pytest.mark.parametrize("inside", ["x", "\\n", "\t", "[", "\\q"])
def test_a_long_record_is_repaired_in_little_memory(
    inside: str, rules: Path, tmp_path: Path
) -> None:
    text = inside * ((15 << 20) // len(inside))
    (tmp_path / "log").write_text(f'{{"x": "\t{text}",}}\n', "utf-8")
    sentence = "1 records were repaired"
    assert megabytes(tmp_path / "log", rules, 1, sentence) < LIMIT


@pytest.mark.parametrize("form", ["ndjson", "ecs"])
def test_rules_that_all_match_every_event_take_little_memory(form: str, tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    rules.mkdir()
    for number in range(20):
        (rules / f"{number}.yml").write_text(rule(f"Rule {number}"))
    line = f'{{"mark": "needle", "text": "{"x" * 8000}"}}\n'
    (tmp_path / "log").write_text(line * 4_000)
    options = ["-f", form, "-o", "/dev/null"]
    sentence = "80,000 alerts"
    assert megabytes(tmp_path / "log", rules, 1, sentence, *options) < LIMIT
