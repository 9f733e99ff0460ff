"""The work on one block: match it, build its alerts, turn them into a part of the output.

The same function runs in the main process and in worker processes.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from tocsin.alerts.build import AlertBuilder, Disagreement
from tocsin.alerts.model import Alert
from tocsin.engine.bridging import bridged_inputs
from tocsin.engine.match import BatchResult, Matcher
from tocsin.engine.plan import Plan, compile_plan
from tocsin.logs.bridges import load_bridge
from tocsin.logs.formats.blocks import KEPT_BYTES, Batch, Lines, Records, batches
from tocsin.logs.logtype import LogType, Shape
from tocsin.outputs.base import Output
from tocsin.rules.model import Rule
from tocsin.run.quarantine import Quarantined


@dataclass(frozen=True, slots=True)
class Task:
    """A block, or where in a plain file it is: bytes `start` to `end`."""

    source: str
    block: Lines | Records | None = None
    path: Path | None = None
    start: int = 0
    end: int = 0

    def load(self) -> Lines | Records:
        """Return the block, read from its file if it was not sent along; its first line is 1."""
        if self.block is not None:
            return self.block
        assert self.path is not None
        with self.path.open("rb") as file:
            file.seek(self.start)
            return Lines(file.read(self.end - self.start), 1)


@dataclass(slots=True)
class Done:
    """What came of a block. Lines count from the block's start where its place was not known."""

    part: Any = None
    events: Counter[str] = field(default_factory=Counter)
    unidentified: int = 0
    repaired: int = 0
    alerts: Counter[str] = field(default_factory=Counter)
    """Alerts per severity."""
    undated: int = 0
    outside: int = 0
    """Matches whose event is before `since` or not before `until`."""
    quarantined: list[Quarantined] = field(default_factory=list)
    disagreements: list[Disagreement] = field(default_factory=list)
    lines: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Window:
    """Which event times count: from `since` on, before `until`."""

    since: datetime | None = None
    until: datetime | None = None

    def holds(self, time: datetime | None) -> bool:
        """Say whether an event counts; one without time does."""
        if time is None:
            return True
        return not ((self.since and time < self.since) or (self.until and time >= self.until))


class Worker:
    """Matches blocks with one set of rules and log types."""

    def __init__(
        self,
        rules: Sequence[Rule],
        log_types: Sequence[LogType],
        output: Output,
        *,
        bridges: Sequence[str] = (),
        window: Window | None = None,
        rows: int | None = None,
    ) -> None:
        self._rules = rules
        self._log_types = log_types
        self._output = output
        self._window = window or Window()
        self._rows = rows
        self._bridges = [load_bridge(name) for name in bridges]
        self._matcher = Matcher(log_types, self._plan_for)

    def _plan_for(self, log_type: LogType, shape: Shape) -> Plan:
        targets = {log_type.name: log_type for log_type in self._log_types}
        bridged = [
            item
            for bridge in self._bridges
            if bridge.source == log_type.name and bridge.target in targets
            for item in bridged_inputs(self._rules, bridge, targets[bridge.target])
        ]
        return compile_plan(self._rules, log_type, shape, bridged)

    def run(self, task: Task) -> Done:
        """Match one block and build its part of the output."""
        block = task.load()
        done = Done(bytes=len(block.data))
        alerts: list[Alert] = []
        for batch in batches(block, self._rows):
            result = self._matcher.match(batch.raw)
            self._count(done, result, batch, task.source)
            built = AlertBuilder(self._rules, task.source).build(result, batch.lines.tolist())
            for item in built:
                if isinstance(item, Disagreement):
                    done.disagreements.append(item)
                elif self._window.holds(item.time):
                    done.undated += item.time is None
                    done.alerts[item.rule.severity.value] += 1
                    alerts.append(item)
                else:
                    done.outside += 1
        done.part = self._output.part(alerts)
        done.lines = block.data.count(b"\n") if isinstance(block, Lines) else 0
        return done

    def _count(self, done: Done, result: BatchResult, batch: Batch, source: str) -> None:
        done.events += result.events
        done.unidentified += len(result.unidentified)
        done.repaired += result.repaired
        for refused in result.refused:
            data = batch.raw[refused.row].as_buffer().to_pybytes()
            done.quarantined.append(
                Quarantined(
                    source,
                    int(batch.lines[refused.row]),
                    refused.reason,
                    data[:KEPT_BYTES].decode(errors="replace"),
                    len(data),
                )
            )
