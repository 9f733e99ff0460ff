"""Run detections of a pack in worker processes; who hangs or crashes a worker is named and stopped.

One worker per processor is given the helpers and data models of the pack, then one detection with
its tests after the other.
"""

import os
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import Any

from tocsin.sandbox.frames import Ended, Late
from tocsin.sandbox.process import Options, PackCode, WorkerProcess
from tocsin.sandbox.runner import Detection
from tocsin.sandbox.shims import Source


@dataclass(frozen=True, slots=True)
class Job:
    """A detection and the tests to run on it, each as its file has it."""

    detection: Detection
    source: Source
    tests: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Tested:
    """How a test ended; `failure` is empty if it passed, `alert` what the alert says."""

    failure: str
    matched: bool = False
    output: bool | None = None
    error: str = ""
    alert: Mapping[str, Any] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)


def run_jobs(pack: PackCode, jobs: Sequence[Job], options: Options) -> list[list[Tested]]:
    """Run the tests of detections; return the results of each in the order of the jobs.

    Raises `UsageError` if workers cannot be isolated here.
    """
    waiting = deque(enumerate(jobs))
    results: list[list[Tested]] = [[] for _ in jobs]
    count = min(options.workers or os.cpu_count() or 1, len(jobs))
    lines = [_Line(pack, options, waiting, results) for _ in range(count)]
    if not lines:
        return results
    with ThreadPoolExecutor(len(lines)) as threads:
        try:
            for done in [threads.submit(line.run) for line in lines]:
                done.result()
        finally:
            waiting.clear()
    return results


def isolation(options: Options) -> dict[str, str]:
    """Return the layers of isolation of a worker started here: why each is missing, or empty."""
    worker = WorkerProcess(PackCode(), Options(options.limits, isolated=False))
    try:
        return worker.layers
    finally:
        worker.end()


class _Line:
    """Takes jobs one after the other to one worker, and to a new one if that ends."""

    def __init__(
        self,
        pack: PackCode,
        options: Options,
        waiting: deque[tuple[int, Job]],
        results: list[list[Tested]],
    ) -> None:
        self._pack = pack
        self._options = options
        self._waiting = waiting
        self._results = results
        self._worker: WorkerProcess | None = None

    def run(self) -> None:
        try:
            while True:
                try:
                    number, job = self._waiting.popleft()
                except IndexError:
                    return
                self._results[number] = self._tested(job)
        finally:
            if self._worker is not None:
                self._worker.end()

    def _tested(self, job: Job) -> list[Tested]:
        self._worker = self._worker or WorkerProcess(self._pack, self._options)
        found: list[Tested] = []
        try:
            _ask(self._worker, job, found)
        except (Ended, Late) as problem:
            found.append(Tested(self._worker.told(problem)))
            self._worker = None
        rest = len(job.tests) - len(found)
        return found + [Tested("not run: the detection was stopped before")] * rest


def _ask(worker: WorkerProcess, job: Job, found: list[Tested]) -> None:
    """Add the result of each test; raises `Ended` or `Late` behind the last there is."""
    worker.ask(
        {
            "detection": asdict(job.detection),
            "source": [job.source.path, job.source.text],
            "tests": job.tests,
        }
    )
    worker.answer()
    while len(found) < len(job.tests):
        found.append(_tested(worker.answer()))


def _tested(answer: Any) -> Tested:
    """Read what a worker says; raises `Ended` if that is no answer."""
    if not isinstance(answer, dict) or not isinstance(answer.get("failure"), str):
        raise Ended
    return Tested(**{key: answer[key] for key in Tested.__slots__ if key in answer})
