"""Detections of a pack that look at a stream of events, in workers that share them out.

A detection stays with one worker, so that what its module keeps is its own; those that remember
things by keys are all with the first. One that hangs, crashes its worker, takes all its memory or
wants to end the process is stopped, and says nothing more; the others go on in a new worker.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from tocsin.sandbox.frames import Ended, Late
from tocsin.sandbox.mark import NOWHERE
from tocsin.sandbox.process import Options, PackCode, WorkerProcess
from tocsin.sandbox.runner import Detection
from tocsin.sandbox.shims import Source


@dataclass(frozen=True, slots=True)
class Asked:
    """An event as JSON text, the log type that its data model is for, and whom to ask."""

    text: str
    log_type: str
    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a detection says of an event: an alert, or an error."""

    at: int
    """Which of the events."""
    number: int
    """Which detection."""
    alert: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""
    faults: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Cost:
    """What a detection cost."""

    calls: int = 0
    nanoseconds: int = 0


@dataclass(frozen=True, slots=True)
class Streamed:
    """A detection to load, and whether it remembers things by keys."""

    detection: Detection
    source: Source
    remembers: bool = False


class Stream:
    """Asks the detections of one pack; `stopped` says why some say nothing any more."""

    def __init__(
        self, pack: PackCode, detections: Mapping[int, Streamed], options: Options
    ) -> None:
        self.stopped: dict[int, str] = {}
        self.costs: dict[int, Cost] = {}
        shares = _share(detections, max(options.workers, 1))
        self._lines = [_Line(pack, share, options, self) for share in shares]

    def ask(self, events: Sequence[Asked]) -> list[Answer]:
        """Return what the detections say of some events; silence is left out."""
        asking = [line for line in self._lines if line.ask(events)]
        found = [answer for line in asking for answer in line.answers()]
        found.sort(key=lambda one: (one.at, one.number))
        return found

    def end(self) -> None:
        """End the workers."""
        for line in self._lines:
            line.end()


def _share(detections: Mapping[int, Streamed], workers: int) -> list[dict[int, Streamed]]:
    """Share detections out among workers, evenly, those that remember to the first."""
    shares: list[dict[int, Streamed]] = [{} for _ in range(workers)]
    for number, one in detections.items():
        if one.remembers:
            shares[0][number] = one
    for number, one in detections.items():
        if not one.remembers:
            min(shares, key=len)[number] = one
    return [share for share in shares if share]


class _Line:
    """The detections of one worker, and the workers that run them one after the other."""

    def __init__(
        self, pack: PackCode, detections: dict[int, Streamed], options: Options, stream: Stream
    ) -> None:
        self._pack = pack
        self._detections = detections
        self._options = options
        self._stream = stream
        self._memory: dict[str, Any] = {}
        self._worker: WorkerProcess | None = None
        self._asked: list[tuple[int, Asked]] = []
        self._failed: Ended | Late | None = None
        self._ready = False
        """Whether the worker has loaded the detections."""

    def ask(self, events: Sequence[Asked]) -> bool:
        """Send those of some events that are for detections here; say whether there are any."""
        self._asked = self._unstopped(enumerate(events))
        if self._asked:
            self._send()
        return bool(self._asked)

    def _unstopped(self, events: Iterable[tuple[int, Asked]]) -> list[tuple[int, Asked]]:
        """Return the events that detections here look at which are not stopped, and for whom."""
        own = self._detections.keys() - self._stream.stopped.keys()
        return [
            (at, replace(one, numbers=numbers))
            for at, one in events
            if (numbers := tuple(number for number in one.numbers if number in own))
        ]

    def answers(self) -> Iterator[Answer]:
        """Yield the answers; who ends the worker is stopped, and the rest is asked again."""
        while self._asked:
            answers: list[Answer] = []
            try:
                if self._failed:
                    raise self._failed
                self._receive(answers)
            except (Ended, Late) as problem:
                self._stop(problem)
                continue
            yield from answers
            return

    def _send(self) -> None:
        self._failed = None
        try:
            worker = self._started()
            worker.ask(f'{{"events":[{",".join(_written(one) for _, one in self._asked)}]}}')
        except (Ended, Late) as problem:
            self._failed = problem

    def _receive(self, answers: list[Answer]) -> None:
        assert self._worker
        while True:
            answer = self._worker.answer()
            try:
                for at, number, outcome in answer["said"]:
                    self._add(answers, self._asked[at][0], number, outcome)
                if answer.get("more"):
                    continue
                self._count(answer)
            except (KeyError, TypeError, IndexError, ValueError):
                raise Ended from None
            return

    def _add(self, answers: list[Answer], at: int, number: int, outcome: Mapping[str, Any]) -> None:
        if number in self._stream.stopped:
            return
        if outcome["fatal"]:
            self._stream.stopped[number] = outcome["error"]
        answers.append(Answer(at, number, outcome["alert"], outcome["error"], outcome["faults"]))

    def _count(self, answer: Mapping[str, Any]) -> None:
        self._memory |= answer["memory"]
        for number, (calls, nanoseconds) in answer["cost"].items():
            cost = self._stream.costs.setdefault(int(number), Cost())
            cost.calls += calls
            cost.nanoseconds += nanoseconds

    def _started(self) -> WorkerProcess:
        """Return the worker, a new one if need be."""
        if self._worker is None:
            self._ready = False
            self._worker = WorkerProcess(self._pack, self._options)
            own = [
                [number, asdict(one.detection), [one.source.path, one.source.text]]
                for number, one in self._detections.items()
                if number not in self._stream.stopped
            ]
            self._worker.ask({"detections": own, "memory": self._memory})
            errors = self._worker.answer()
            self._ready = True
            for number, error in errors.items():
                self._stream.stopped[int(number)] = error
        return self._worker

    def _stop(self, problem: Ended | Late) -> None:
        """Stop the detection that the worker was at, and send what is left to a new worker.

        Before any was loaded it was at what they share: then all of them are stopped.
        """
        assert self._worker
        at = self._worker.at()
        told = self._worker.told(problem)
        self._worker = None
        if at == NOWHERE and not self._ready:
            broken = f"the helpers or data models of its pack: {told}"
            self._stream.stopped |= dict.fromkeys(self._detections, broken)
        else:
            number = at[1] if at[1] in self._detections else self._asked[0][1].numbers[0]
            self._stream.stopped[number] = told
        self._asked = self._unstopped(self._asked)
        if self._asked:
            self._send()

    def end(self) -> None:
        """End the worker."""
        if self._worker is not None:
            self._worker.end()


def _written(one: Asked) -> str:
    return f"[{one.text},{json.dumps(one.log_type)},{list(one.numbers)}]"
