"""Tasks run in this process or in several; results come in the order of the tasks."""

import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from tocsin.errors import InternalError
from tocsin.logs.formats.blocks import Lines
from tocsin.outputs.ndjson import NdjsonOutput
from tocsin.run.parts import Parts
from tocsin.run.pool import Pool, Run, in_process
from tocsin.run.quarantine import Quarantined
from tocsin.run.work import Done, Task


class Counting:
    """Says how many bytes a block holds; the first takes longest."""

    def run(self, task: Task) -> Done:
        block = task.block
        time.sleep(0.2 if block.length == 1 else 0)
        return Done(Parts(NdjsonOutput()), bytes=block.length)


class Dying:
    """Ends its process, as want of memory would."""

    def run(self, task: Task) -> Done:
        os._exit(9)


def two_workers(make: Callable[[], object]) -> AbstractContextManager[Run]:
    return Pool(make, 2)  # type: ignore[arg-type]


@pytest.mark.parametrize("runner", [in_process, two_workers])
def test_results_come_in_the_order_of_tasks_and_other_items_in_their_place(
    runner: Callable[[Callable[[], object]], AbstractContextManager[Run]],
) -> None:
    refused = Quarantined("log", 3, 9, "reason", "raw", 3)
    tasks = [Task("log", Lines(b"x" * size, 1)) for size in range(1, 6)]
    with runner(Counting) as run:
        found = list(run([refused, *tasks[:2], refused, *tasks[2:], refused]))
    assert [item for item, _ in found] == [
        refused, *tasks[:2], refused, *tasks[2:], refused,
    ]  # fmt: skip
    assert [done.bytes for _, done in found if done] == [1, 2, 3, 4, 5]


def test_a_worker_that_dies_is_said(capfd: pytest.CaptureFixture[str]) -> None:
    with two_workers(Dying) as run, pytest.raises(InternalError, match="use fewer --workers"):
        list(run([Task("log", Lines(b"x", 1))]))
