"""`make soak`: memory on inputs that are large in every way an input can be.

    python -m bench.soak [--gigabytes 20] [CASE …]

Each case streams its input into `tocsin scan -` and watches the memory of all processes. It fails
if a case needs more than 1 GiB.
"""

import argparse
import itertools
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from bench import inputs
from bench.memory import memory_of
from bench.run import SHARED

LIMIT_MIB = 1024
GIGABYTE = 1 << 30
MATCH_ALL = """\
title: Every event
id: 6f0a1d3e-6d0b-4b5e-9d53-3f9b6c1f0a11
logsource: {product: windows}
detection:
  selection: {EventID|exists: true}
  condition: selection
"""


def main() -> None:
    """Run the cases and exit with 1 if one needs too much memory."""
    parser = argparse.ArgumentParser()
    parser.add_argument("cases", nargs="*", default=list(CASES))
    parser.add_argument("--gigabytes", type=float, default=20)
    options = parser.parse_args()
    captures = inputs.read_captures(SHARED / "data" / "windows")
    failed = False
    for name in options.cases:
        with tempfile.TemporaryDirectory() as folder:
            rules = _rules(name, Path(folder))
            chunks = CASES[name](captures, int(options.gigabytes * GIGABYTE))
            size, seconds, peak = _scan(chunks, rules)
        failed |= peak > LIMIT_MIB
        rate = size / 1e6 / seconds
        print(f"{name:16} {size / 1e9:7.1f} GB {seconds:7.0f} s {rate:6.0f} MB/s {peak:6.0f} MiB")
    sys.exit(failed)


def _rules(case: str, folder: Path) -> Sequence[Path]:
    if case == "match-all":
        (folder / "every.yml").write_text(MATCH_ALL)
        return [folder]
    return [SHARED / "corpora" / "sigma" / "rules"]


def _scan(chunks: Iterator[bytes], rules: Sequence[Path]) -> tuple[int, float, float]:
    command = [sys.executable, "-m", "tocsin", "scan", "-", "-f", "ndjson", "-o", os.devnull]
    for path in rules:
        command += ["-r", str(path)]
    start = time.perf_counter()
    process = subprocess.Popen([*command, "--quiet"], stdin=subprocess.PIPE)
    written = [0]
    feeder = threading.Thread(target=_feed, args=(process, chunks, written))
    feeder.start()
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, memory_of(process.pid))
        time.sleep(0.1)
    feeder.join()
    if process.returncode:
        sys.exit(f"soak: the scan ended with {process.returncode}")
    return written[0], time.perf_counter() - start, peak


def _feed(process: "subprocess.Popen[bytes]", chunks: Iterator[bytes], written: list[int]) -> None:
    assert process.stdin is not None
    with process.stdin as stream:
        for chunk in chunks:
            stream.write(chunk)
            written[0] += len(chunk)


def _repeat(lines: Iterator[bytes], size: int) -> Iterator[bytes]:
    """Yield the same lines again and again until there are `size` bytes."""
    chunk = b"".join(lines)
    return itertools.repeat(chunk, max(1, size // len(chunk)))


def _stream(captures: list[inputs.Event], size: int) -> Iterator[bytes]:
    return _repeat(inputs.mix(captures, 20_000), size)


def _scripts(captures: list[inputs.Event], size: int) -> Iterator[bytes]:
    return _repeat(inputs.script_blocks(captures, 5_000), size // 10)


def _long_line(captures: list[inputs.Event], _: int) -> Iterator[bytes]:
    lines = b"".join(inputs.mix(captures, 5_000))
    return iter([lines, b'{"Channel":"Security","x":"', b"x" * (50 << 20), b'"}\n', lines])


def _document(captures: list[inputs.Event], size: int) -> Iterator[bytes]:
    members = b"".join(line.rstrip() + b",\n" for line in inputs.mix(captures, 20_000))
    yield b'{"records": [\n'
    yield from itertools.repeat(members, max(1, size // 10 // len(members)))
    yield b"{}]}\n"


CASES: Mapping[str, Callable[[list[inputs.Event], int], Iterator[bytes]]] = {
    "stream": _stream,
    "script-blocks": _scripts,
    "long-line": _long_line,
    "records-document": _document,
    "match-all": lambda captures, size: _stream(captures, size // 10),
}

if __name__ == "__main__":
    main()
