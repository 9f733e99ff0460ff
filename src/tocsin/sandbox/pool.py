"""Run detections of a pack in worker processes; who hangs or crashes a worker is named and stopped.

One worker per processor is given the helpers and data models of the pack, then one detection with
its tests after the other.
"""

import os
import subprocess
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tocsin.errors import UsageError
from tocsin.sandbox.frames import Ended, Late, receive, send
from tocsin.sandbox.limits import Limits, unprotected
from tocsin.sandbox.runner import Detection
from tocsin.sandbox.shims import Source

_START = "import sys; sys.path.append(sys.argv[1]); from tocsin.sandbox.worker import main; main()"
_START_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Model:
    """A data model as its file declares it, and its Python."""

    id: str
    log_types: Sequence[str]
    mappings: Sequence[Mapping[str, Any]]
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class PackCode:
    """What the detections of a pack share: helper modules by name, and data models."""

    helpers: Mapping[str, Source] = field(default_factory=dict)
    models: Sequence[Model] = ()


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


@dataclass(frozen=True, slots=True)
class Options:
    """How workers run. Without `isolated`, they also do where layers of isolation are missing."""

    limits: Limits = field(default_factory=Limits)
    workers: int = 0
    """0: one per processor."""
    isolated: bool = True


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
    worker = _Worker(PackCode(), Options(options.limits, isolated=False))
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
        self._worker: _Worker | None = None

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
        self._worker = self._worker or _Worker(self._pack, self._options)
        found: list[Tested] = []
        try:
            self._worker.test(job, found)
        except (Ended, Late) as problem:
            ending = self._worker.end(grace=0 if isinstance(problem, Late) else 1)
            self._worker = None
            found.append(Tested(_told(problem, ending, self._options.limits)))
        rest = len(job.tests) - len(found)
        return found + [Tested("not run: the detection was stopped before")] * rest


def _told(problem: Ended | Late, ending: int, limits: Limits) -> str:
    if isinstance(problem, Late):
        return f"did not end within {limits.seconds:g} s: its worker was stopped"
    how = f"signal {-ending}" if ending < 0 else f"exit status {ending}"
    return f"ended its worker ({how})"


class _Worker:
    """One worker process."""

    def __init__(self, pack: PackCode, options: Options) -> None:
        self._seconds = options.limits.seconds
        root = str(Path(__file__).parents[2])
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-B", "-X", "utf8", "-c", _START, root],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},
            cwd="/",
            start_new_session=True,
        )
        self.layers = self._open(pack, options)

    def _open(self, pack: PackCode, options: Options) -> dict[str, str]:
        try:
            send(self._to, {"limits": asdict(options.limits), **_opening(pack)}, _START_SECONDS)
            layers: dict[str, str] = receive(self._from, _START_SECONDS)["layers"]
        except (Ended, Late):
            status = self.end(grace=1)
            raise UsageError(f"a worker for Python did not start (exit status {status})") from None
        if options.isolated and (open_to := unprotected(layers)):
            self.end()
            raise UsageError(
                "rules cannot be isolated here: nothing keeps them from "
                f"{'; from '.join(open_to)}; --without-isolation runs them anyway"
            )
        return layers

    @property
    def _to(self) -> int:
        assert self._process.stdin
        return self._process.stdin.fileno()

    @property
    def _from(self) -> int:
        assert self._process.stdout
        return self._process.stdout.fileno()

    def test(self, job: Job, found: list[Tested]) -> None:
        """Add the result of each test; raises `Ended` or `Late` behind the last there is."""
        request = {
            "detection": asdict(job.detection),
            "source": [job.source.path, job.source.text],
            "tests": job.tests,
        }
        send(self._to, request, self._seconds)
        receive(self._from, self._seconds)
        while len(found) < len(job.tests):
            found.append(_tested(receive(self._from, self._seconds)))

    def end(self, grace: float = 0) -> int:
        """End the process, which may do so itself for some seconds; return its exit status."""
        try:
            status = self._process.wait(grace)
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()
        return status


def _tested(answer: Any) -> Tested:
    """Read what a worker says; raises `Ended` if that is no answer."""
    if not isinstance(answer, dict) or not isinstance(answer.get("failure"), str):
        raise Ended
    return Tested(**{key: answer[key] for key in Tested.__slots__ if key in answer})


def _opening(pack: PackCode) -> dict[str, Any]:
    return {
        "helpers": {name: [one.path, one.text] for name, one in pack.helpers.items()},
        "models": [
            {
                "id": one.id,
                "log_types": list(one.log_types),
                "mappings": list(one.mappings),
                "source": [one.source.path, one.source.text] if one.source else None,
            }
            for one in pack.models
        ],
    }
