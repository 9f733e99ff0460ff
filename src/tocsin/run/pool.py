"""Run tasks in this process or in several, results always in the order of the tasks."""

import atexit
import gc
import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import TypeAlias

from tocsin.errors import InternalError
from tocsin.run.quarantine import Quarantined
from tocsin.run.work import Done, Task, Worker

Item: TypeAlias = Task | Quarantined
Run: TypeAlias = Callable[[Iterable[Item]], Iterator[tuple[Item, Done | None]]]
"""Runs tasks; items that are no tasks pass through in their place."""

AHEAD = 1
"""Tasks per worker that wait beside the one that runs: enough to keep it busy, few in memory."""


@contextmanager
def in_process(make: Callable[[], Worker]) -> Iterator[Run]:
    """Run tasks here, one after the other."""
    worker: list[Worker] = []

    def run(items: Iterable[Item]) -> Iterator[tuple[Item, Done | None]]:
        for item in items:
            if isinstance(item, Quarantined):
                yield item, None
                continue
            if not worker:
                worker.append(make())
            yield item, worker[0].run(item)

    yield run


class Pool:
    """Runs tasks in worker processes, each with a worker of its own."""

    def __init__(self, make: Callable[[], Worker], workers: int) -> None:
        self._ahead = workers * (1 + AHEAD)
        self._executor = ProcessPoolExecutor(
            workers,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_start,
            initargs=(make,),
        )

    def __enter__(self) -> Run:
        return self._run

    def __exit__(self, *_: object) -> None:
        self._executor.shutdown(cancel_futures=True)

    def _run(self, items: Iterable[Item]) -> Iterator[tuple[Item, Done | None]]:
        waiting: deque[tuple[Item, Future[Done] | None]] = deque()
        for item in items:
            future = None if isinstance(item, Quarantined) else self._executor.submit(_work, item)
            waiting.append((item, future))
            while sum(future is not None for _, future in waiting) >= self._ahead:
                yield _finish(*waiting.popleft())
        while waiting:
            yield _finish(*waiting.popleft())


def _finish(item: Item, future: "Future[Done] | None") -> tuple[Item, Done | None]:
    try:
        return item, future.result() if future else None
    except BrokenProcessPool:
        reason = "a worker process was ended from outside; if for want of memory, use fewer"
        raise InternalError(f"{reason} --workers") from None


ALLOCATIONS = 100_000
"""After so many the garbage collector looks for cycles; what batches hold has hardly any."""


@contextmanager
def settled_heap() -> Iterator[None]:
    """Keep the garbage collector off what is there now: rules are many objects that stay."""
    before = gc.get_threshold()
    _settle_heap()
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def _settle_heap() -> None:
    gc.freeze()
    gc.set_threshold(ALLOCATIONS)


_worker: Worker | None = None


def _start(make: Callable[[], Worker]) -> None:
    global _worker
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _worker = make()
    _settle_heap()
    atexit.register(gc.unfreeze)


def _work(task: Task) -> Done:
    assert _worker is not None
    return _worker.run(task)
