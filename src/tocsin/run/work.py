"""The work on one block: match it, build its alerts, turn them into a part of the output.

The same function runs in the main process and in worker processes.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from tocsin.alerts.build import AlertBuilder, Disagreement
from tocsin.alerts.model import Alert
from tocsin.engine.bridging import bridged_inputs
from tocsin.engine.intake import Refused, possible_shapes
from tocsin.engine.interest import wanted_names
from tocsin.engine.match import BatchResult, Matcher
from tocsin.engine.plan import Plan, compile_plan
from tocsin.errors import InputError
from tocsin.jsontext import valid_text
from tocsin.logs.bridges import load_bridge
from tocsin.logs.formats.blocks import (
    KEPT_BYTES,
    Batch,
    Deferred,
    Lines,
    Records,
    Rows,
    Wanted,
    batches,
)
from tocsin.logs.load import shipped_log_types
from tocsin.logs.logtype import LogType, Shape
from tocsin.outputs.base import Output
from tocsin.rules.model import Rule
from tocsin.run.parts import Parts
from tocsin.run.quarantine import Quarantined
from tocsin.times import PLAIN_CLOCK, Clock


@dataclass(frozen=True, slots=True)
class Task:
    """A block of a source, or where in a plain file it is."""

    source: str
    block: "Lines | Records | Rows | Deferred"


@dataclass(frozen=True, slots=True)
class Range:
    """Whole lines of a plain file, for a worker to read itself."""

    path: Path
    first_line: int
    offset: int
    length: int

    def batches(self, rows: int | None, wanted: Wanted) -> Iterator[Batch]:
        """Read the lines; raises `InputError` if the file has gone since it was cut."""
        try:
            with self.path.open("rb") as file:
                file.seek(self.offset)
                lines = Lines(file.read(self.length), self.first_line, self.offset)
        except OSError as error:
            path = valid_text(str(self.path))
            raise InputError(f"{path}: cannot be read any more: {error.strerror}") from None
        yield from batches(lines, rows, wanted)


@dataclass(slots=True)
class Done:
    """What came of a block."""

    parts: Parts
    failed: str = ""
    """Why the block could not be read to its end, if so."""
    events: Counter[str] = field(default_factory=Counter)
    unidentified: int = 0
    repaired: int = 0
    alerts: Counter[str] = field(default_factory=Counter)
    """Alerts per severity."""
    undated: int = 0
    unzoned: int = 0
    """Alerts whose event has a time without zone."""
    outside: int = 0
    """Matches whose event is before `since` or not before `until`."""
    quarantined: list[Quarantined] = field(default_factory=list)
    disagreements: list[Disagreement] = field(default_factory=list)
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
        clock: Clock = PLAIN_CLOCK,
        spill: Path | None = None,
    ) -> None:
        self._clock = clock
        self._spill = spill
        self._rules = rules
        self._log_types = log_types
        self._output = output
        self._window = window or Window()
        self._rows = rows
        self._bridges = [load_bridge(name) for name in bridges]
        self._plans: dict[Shape, Plan] = {}
        self._matcher = Matcher(log_types, self._plan_for)

    def _plan_for(self, log_type: LogType, shape: Shape) -> Plan:
        if shape not in self._plans:
            self._plans[shape] = self._compile(log_type, shape)
        return self._plans[shape]

    def _compile(self, log_type: LogType, shape: Shape) -> Plan:
        known = (*shipped_log_types(), *self._log_types)
        targets = {log_type.name: log_type for log_type in known}
        bridged = [
            item
            for bridge in self._bridges
            if bridge.source == log_type.name and bridge.target in targets
            for item in bridged_inputs(self._rules, bridge, targets[bridge.target])
        ]
        return compile_plan(self._rules, log_type, shape, bridged)

    def run(self, task: Task) -> Done:
        """Match one block and build its part of the output; what is damaged ends it."""
        done = Done(Parts(self._output, self._spill), bytes=task.block.length)
        try:
            for batch in batches(task.block, self._rows, self._wanted):
                for alert in self._alerts(task.source, batch, done):
                    done.parts.add(alert)
        except InputError as error:
            done.failed = str(error)
        done.parts.flush()
        return done

    def _alerts(self, source: str, batch: Batch, done: Done) -> Iterator[Alert]:
        result = self._matcher.match(batch.raw)
        self._count(done, result, batch, source)
        builder = AlertBuilder(self._rules, source, self._clock)
        for item in builder.build(result, batch.lines.tolist()):
            if isinstance(item, Disagreement):
                done.disagreements.append(item)
                done.quarantined.append(_quarantined(source, batch, item, item.raw))
            elif self._window.holds(item.time):
                done.undated += item.time is None
                done.unzoned += item.zone_assumed
                done.alerts[item.rule.severity.value] += 1
                yield item
            else:
                done.outside += 1

    def _wanted(self, columns: Sequence[str]) -> frozenset[str] | None:
        """Return which columns of a table can be asked for, folded; None for all."""
        shapes = possible_shapes(self._log_types, set(columns))
        return wanted_names(self._plan_for(log_type, shape) for log_type, shape in shapes)

    def _count(self, done: Done, result: BatchResult, batch: Batch, source: str) -> None:
        done.events += result.events
        done.unidentified += len(result.unidentified)
        done.repaired += result.repaired
        for refused in result.refused:
            text = batch.text(refused.row)
            done.quarantined.append(_quarantined(source, batch, refused, text))


def _quarantined(source: str, batch: Batch, item: Refused | Disagreement, text: str) -> Quarantined:
    row = item.row
    line, offset = int(batch.lines[row]), int(batch.offsets[row])
    kept = text[:KEPT_BYTES]
    return Quarantined(source, line, offset, item.reason, kept, len(text.encode()))
