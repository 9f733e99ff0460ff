"""A worker process: isolates itself, then runs what it is asked to, one detection after the other.

It is started by `pool.py` with an empty environment. Requests come on standard input, answers go
to standard output; rules see neither.
"""

import os
import site
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tocsin.sandbox.frames import Ended, receive, send
from tocsin.sandbox.keyvalues import KeyValues
from tocsin.sandbox.limits import Limits, isolate
from tocsin.sandbox.models import load_models
from tocsin.sandbox.runner import Detection, Outcome, load_detection, unload
from tocsin.sandbox.shims import PackFinder, Source
from tocsin.sandbox.unit import run_test

_SYSTEM = (
    "/usr/lib", "/usr/lib64", "/lib", "/lib64", "/usr/share/zoneinfo", "/etc/ld.so.cache",
    "/etc/ssl/openssl.cnf", "/dev/null", "/dev/urandom",
)  # fmt: skip
"""What Python and its libraries read beside their own folders."""


def main() -> None:
    """Serve one pack until standard input ends."""
    requests, answers = _take_streams()
    try:
        opening = receive(requests)
        send(answers, {"layers": isolate(Limits(**opening["limits"]), readable())})
        _Server(answers, opening).serve(requests)
    except Ended:
        return


def readable() -> list[str]:
    """List the paths that a worker may read: Python, its packages, Tocsin's, the system's."""
    python = [sys.prefix, sys.base_prefix, sys.exec_prefix, *sysconfig.get_paths().values()]
    packages = [*site.getsitepackages(), *(path for path in sys.path if "site-packages" in path)]
    return list(dict.fromkeys([*python, *packages, str(Path(__file__).parents[1]), *_SYSTEM]))


def _take_streams() -> tuple[int, int]:
    """Take standard input and output for messages, so that what a rule prints goes nowhere."""
    requests, answers = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(nothing, fd)
    return requests, answers


class _Server:
    def __init__(self, answers: int, opening: Mapping[str, Any]) -> None:
        self._answers = answers
        self._memory = KeyValues()
        helpers = {name: Source(*source) for name, source in opening["helpers"].items()}
        PackFinder(helpers, self._memory).install()
        self._models = load_models(opening["models"])

    def serve(self, requests: int) -> None:
        while True:
            for answer in self._test(receive(requests)):
                send(self._answers, answer)

    def _test(self, request: Mapping[str, Any]) -> Iterator[Any]:
        """Yield one answer when the detection is loaded, and one for each of its tests."""
        loaded = load_detection(Detection(**request["detection"]), Source(*request["source"]))
        yield {"loaded": loaded.error}
        for test in request["tests"]:
            outcome, failure = run_test(loaded, test, self._models, self._memory)
            yield _answer(outcome, failure)
        unload(loaded)


def _answer(outcome: Outcome, failure: str) -> dict[str, Any]:
    return {
        "failure": failure,
        "matched": outcome.matched,
        "output": outcome.output,
        "error": outcome.error,
        "alert": outcome.alert,
        "faults": outcome.faults,
    }
