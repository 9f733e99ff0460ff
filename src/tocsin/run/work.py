"""The work on one block: match it, build its alerts, turn them into a part of the output.

The same function runs in the main process and in worker processes.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np

from tocsin.alerts.build import AlertBuilder, Disagreement
from tocsin.alerts.model import Alert
from tocsin.condition.geoip import use as use_geoip
from tocsin.engine.bridging import bridged_inputs
from tocsin.engine.capture import UNDATED, Capturing, Times, earliest, milliseconds
from tocsin.engine.columns import Mask
from tocsin.engine.intake import Refused, possible_shapes
from tocsin.engine.interest import wanted_names
from tocsin.engine.match import Matcher
from tocsin.engine.plan import Plan, compile_plan, select
from tocsin.engine.result import BatchResult, Found, in_order
from tocsin.engine.stages.compose import fields_of, keeps_state
from tocsin.engine.stages.indicators import Indicators
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
from tocsin.rules.stages import Deduplication, NewTerms
from tocsin.run.parts import Parts
from tocsin.run.quarantine import Quarantined
from tocsin.run.staging import Staged, Stager
from tocsin.times import PLAIN_CLOCK, Clock


@dataclass(frozen=True, slots=True)
class Task:
    """A block of a source, or where in a plain file it is."""

    source: str
    block: "Lines | Records | Rows | Deferred | Range"
    number: int = 0
    """Which block of the whole input it is."""
    past: bool = False
    """Whether it is history: only rules that keep state look at it, and it raises no alert."""


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
    staged: Staged | None = None
    """Matches that wait for those of other blocks."""
    begins: dict[str, int] = field(default_factory=dict)
    """The earliest event time of each log type that new terms are looked for in, in milliseconds
    since 1970."""
    timeless: int = 0
    """Matches that stages cannot place, for want of a time."""
    failed: str = ""
    """Why the block could not be read to its end, if so."""
    events: Counter[str] = field(default_factory=Counter)
    unidentified: int = 0
    repaired: int = 0
    alerts: Counter[str] = field(default_factory=Counter)
    """Alerts per severity."""
    fired: Counter[str] = field(default_factory=Counter)
    """Alerts per key of a rule."""
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

    def before(self, times: Times) -> Mask:
        """Say which times are before the window."""
        since = milliseconds(self.since) if self.since else UNDATED
        found: Mask = (times < since) & (times != UNDATED)
        return found

    def behind(self, times: Times) -> Mask:
        """Say which times are behind the window."""
        if not self.until:
            return np.zeros(len(times), np.bool_)
        found: Mask = times >= milliseconds(self.until)
        return found


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
        indicators: Mapping[int, Indicators] | None = None,
        geoip: Sequence[Path] = (),
    ) -> None:
        use_geoip(geoip)
        self.clock = clock
        self._spill = spill
        self._rules = rules
        self.log_types = log_types
        self._output = output
        self._window = window or Window()
        self._rows = rows
        self._bridges = [load_bridge(name) for name in bridges]
        self._plans: dict[Shape, Plan] = {}
        self._matcher = Matcher(log_types, self._plan_for)
        self._stateful = {number for number, rule in enumerate(rules) if keeps_state(rule)}
        self._capturing = Capturing(rules, clock)
        self.watched = watched(rules, log_types)
        self.indicators = indicators or {}

    def _plan_for(self, log_type: LogType, shape: Shape) -> Plan:
        if shape not in self._plans:
            self._plans[shape] = self._compile(log_type, shape)
        return self._plans[shape]

    def plan_of(self, log_type: str, shape: str) -> Plan:
        """Return the plan of a shape, both by name."""
        (found,) = (one for one in self.log_types if one.name == log_type)
        (of,) = (one for one in found.shapes if one.name == shape)
        return self._plan_for(found, of)

    def _compile(self, log_type: LogType, shape: Shape) -> Plan:
        known = (*shipped_log_types(), *self.log_types)
        targets = {log_type.name: log_type for log_type in known}
        bridged = [
            item
            for bridge in self._bridges
            if bridge.source == log_type.name and bridge.target in targets
            for item in bridged_inputs(self._rules, bridge, targets[bridge.target])
        ]
        also = (shape.time,) if log_type.name in self.watched else ()
        return compile_plan(self._rules, log_type, shape, bridged, also)

    def run(self, task: Task) -> Done:
        """Match one block and build its part of the output; what is damaged ends it."""
        done = Done(Parts(self._output, self._spill), bytes=task.block.length)
        stager = Stager(self._rules, self._spill, task.source, task.number, past=task.past)
        try:
            for batch in batches(task.block, self._rows, self._wanted):
                for alert in self._alerts(task, batch, stager, done):
                    done.parts.add(alert)
        except InputError as error:
            done.failed = str(error)
        done.parts.flush()
        done.staged = stager.close()
        return done

    def _alerts(self, task: Task, batch: Batch, stager: Stager, done: Done) -> Iterator[Alert]:
        result = self._matcher.match(batch.raw)
        self._count(done, result, batch, task.source)
        found = self._with_indicators(result)
        stateful = [one for one in found if one.input.rule in self._stateful]
        self._stage(result, stateful, batch, stager, done)
        if not task.past:
            direct = [one for one in found if one.input.rule not in self._stateful]
            yield from self._build(task.source, direct, result, batch, done)

    def _with_indicators(self, result: BatchResult) -> Sequence[Found]:
        """Leave out the matches that have no value in common with an indicator."""
        asked = [one for one in result.found if one.input.rule in self.indicators]
        met: list[Found] = []
        for caught in self._capturing.capture(result, asked):
            number = caught.planned.rule
            names, indicators = fields_of(self._rules[number]), self.indicators[number]
            meets = [indicators.meets(dict(zip(names, of, strict=True))) for of in caught.values()]
            rows = caught.rows[np.array(meets, np.bool_)[caught.codes]]
            if len(rows):
                met.append(Found(caught.shape, caught.planned, rows))
        return [*(one for one in result.found if one.input.rule not in self.indicators), *met]

    def _stage(
        self,
        result: BatchResult,
        found: Sequence[Found],
        batch: Batch,
        stager: Stager,
        done: Done,
    ) -> None:
        """Keep the matches of rules that need those of other blocks too."""
        for caught in self._capturing.capture(result, found):
            kept = caught
            if not isinstance(self._rules[caught.planned.rule].stage, Deduplication):
                kept = caught.where(caught.times != UNDATED)
                done.timeless += len(caught.rows) - len(kept.rows)
            kept = kept.where(~self._window.behind(kept.times))
            stager.catch(kept, self._window.before(kept.times))
        stager.keep(batch.lines, result.texts)
        for part, frame in result.frames.values():
            name = part.log_type.name
            begin = earliest(frame, self.clock) if name in self.watched else None
            if begin is not None:
                done.begins[name] = min(begin, done.begins.get(name, begin))

    def _build(
        self,
        source: str,
        found: Sequence[Found],
        result: BatchResult,
        batch: Batch,
        done: Done,
    ) -> Iterator[Alert]:
        builder = AlertBuilder(self._rules, source, self.clock, self.indicators)
        matches = tuple(in_order(found))
        texts = result.texts(match.row for match in matches)
        for item in builder.build(matches, texts, batch.lines.tolist()):
            if isinstance(item, Disagreement):
                done.disagreements.append(item)
                done.quarantined.append(_quarantined(source, batch, item, item.raw))
            elif self._window.holds(item.time):
                done.undated += item.time is None
                done.unzoned += item.zone_assumed
                done.alerts[item.severity.value] += 1
                done.fired[item.rule.key] += 1
                yield item
            else:
                done.outside += 1

    def _wanted(self, columns: Sequence[str]) -> frozenset[str] | None:
        """Return which columns of a table can be asked for, folded; None for all."""
        shapes = possible_shapes(self.log_types, set(columns))
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


def watched(rules: Sequence[Rule], log_types: Sequence[LogType]) -> dict[str, list[int]]:
    """Return, by the name of a log type, the rules that look for new terms in it."""
    found: dict[str, list[int]] = {}
    for number, rule in enumerate(rules):
        if isinstance(rule.stage, NewTerms):
            for log_type in log_types:
                if any(select(log_type, one) for one in rule.inputs):
                    found.setdefault(log_type.name, []).append(number)
    return found
