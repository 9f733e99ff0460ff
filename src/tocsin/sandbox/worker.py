"""A worker process: isolates itself, then runs what it is asked to, one detection after the other.

It is started by `process.py` without the user's environment. Requests come on standard input,
answers go to standard output; rules see neither.
"""

import os
import site
import sys
import sysconfig
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tocsin.python.dates import epoch
from tocsin.sandbox.event import Event
from tocsin.sandbox.frames import Ended, receive, send
from tocsin.sandbox.keyvalues import KeyValues
from tocsin.sandbox.limits import Limits, isolate
from tocsin.sandbox.mark import NOWHERE, Mark
from tocsin.sandbox.models import load_models
from tocsin.sandbox.runner import Detection, LoadedDetection, Outcome, load_detection, unload
from tocsin.sandbox.shims import PackFinder, Source
from tocsin.sandbox.unit import run_test

_PART_SIZE = 4 << 20
"""Letters of alerts from which on an answer is sent in parts."""
_SYSTEM = (
    "/usr/lib", "/usr/lib64", "/lib", "/lib64", "/usr/share/zoneinfo", "/etc/ld.so.cache",
    "/etc/ssl/openssl.cnf", "/dev/null", "/dev/urandom",
)  # fmt: skip
"""What Python and its libraries read beside their own folders."""


def main() -> None:
    """Serve one pack until standard input ends."""
    requests, answers = _take_streams()
    mark = Mark(int(sys.argv[2]))
    try:
        opening = receive(requests)
        send(answers, {"layers": isolate(Limits(**opening["limits"]), readable())})
        _Server(answers, mark, opening).serve(requests)
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
    def __init__(self, answers: int, mark: Mark, opening: Mapping[str, Any]) -> None:
        self._answers = answers
        self._mark = mark
        self._loaded: dict[int, LoadedDetection] = {}
        self._memory = KeyValues()
        helpers = {name: Source(*source) for name, source in opening["helpers"].items()}
        PackFinder(helpers, self._memory).install()
        self._models = load_models(opening["models"])
        self._answering = {"tests": self._test, "events": self._see, "detections": self._load}

    def serve(self, requests: int) -> None:
        while True:
            request = receive(requests)
            (answers,) = (how for key, how in self._answering.items() if key in request)
            for answer in answers(request):
                send(self._answers, answer)

    def _load(self, request: Mapping[str, Any]) -> Iterator[Any]:
        """Load detections by their numbers, and what they remember; yield why some cannot be."""
        self._memory.restore(request["memory"])
        for number, detection, source in request["detections"]:
            self._mark.set(0, number)
            self._loaded[number] = load_detection(Detection(**detection), Source(*source))
        yield {number: one.error for number, one in self._loaded.items() if one.error}

    def _see(self, request: Mapping[str, Any]) -> Iterator[Any]:
        """Yield what detections say of events, in parts; silence is left out."""
        said: list[Any] = []
        cost: dict[int, list[int]] = {}
        size = 0
        for at, (data, log_type, numbers) in enumerate(request["events"]):
            event = Event(data, self._models.get(log_type))
            self._memory.now = epoch(event.get("p_event_time"))
            for number in numbers:
                self._mark.set(at, number)
                loaded = self._loaded[number]
                begun = time.perf_counter_ns()
                outcome = loaded.evaluate(data if loaded.detection.kind == "policy" else event)
                spent = cost.setdefault(number, [0, 0])
                spent[0] += 1
                spent[1] += time.perf_counter_ns() - begun
                if outcome.matched or outcome.error:
                    said.append([at, number, asdict(outcome)])
                    size += sum(map(len, map(str, outcome.alert.values())))
            if size > _PART_SIZE:
                yield {"said": said, "more": True}
                said, size = [], 0
        self._mark.set(*NOWHERE)
        yield {"said": said, "cost": cost, "memory": self._memory.take_changes()}

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
