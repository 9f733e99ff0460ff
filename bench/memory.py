"""Run a command and watch the memory of all its processes."""

import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

_MIB = 1024


def run_watched(
    command: Sequence[str], environment: Mapping[str, str], stdin: BinaryIO | None = None
) -> tuple[float, float]:
    """Run a command; return its wall time in seconds and its peak memory in MiB.

    Memory is the proportional set size summed over the process and all its descendants, sampled
    twenty times a second. Raises `CalledProcessError` if the command fails.
    """
    start = time.perf_counter()
    process = subprocess.Popen(command, env=dict(environment), stdin=stdin, stderr=subprocess.PIPE)
    peak = 0.0
    errors: list[bytes] = []
    reader = threading.Thread(target=lambda: errors.append(process.stderr.read()))  # type: ignore[union-attr]
    reader.start()
    while process.poll() is None:
        peak = max(peak, memory_of(process.pid))
        time.sleep(0.05)
    reader.join()
    seconds = time.perf_counter() - start
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, stderr=errors[0])
    return seconds, peak


def memory_of(process: int) -> float:
    """Return the memory of a process and its descendants now, in MiB."""
    return sum(map(_proportional_size, _family(process)))


def _family(root: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(status.parent.name))
    found = [root]
    for parent in found:
        found += children.get(parent, [])
    return found


def _proportional_size(process: int) -> float:
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / _MIB
