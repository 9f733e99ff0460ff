"""Scan: log files and rules in, alerts out, in the order of the files, with any number of workers.

Files are cut into the same blocks whatever the number of workers, and parts of the output are
joined in the order of the blocks.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

from tocsin.alerts.build import Disagreement
from tocsin.engine.stages.hits import Hit
from tocsin.engine.stages.indicators import Indicators
from tocsin.errors import InputError
from tocsin.logs.formats.blocks import KEPT_BYTES, Block, Lines, Unreadable
from tocsin.logs.formats.open import (
    PACKED_SUFFIXES,
    STDIN,
    NoLog,
    Source,
    log_files,
    open_sources,
    shown,
)
from tocsin.logs.logtype import LogType
from tocsin.outputs.base import Output
from tocsin.outputs.ndjson import NdjsonOutput
from tocsin.rules.model import Rule
from tocsin.rules.stages import IndicatorMatch
from tocsin.run.confirm import Asking, Python
from tocsin.run.indicators import load_indicators
from tocsin.run.parts import Parts
from tocsin.run.pool import Pool, Run, in_process, settled_heap
from tocsin.run.quarantine import Quarantine, Quarantined
from tocsin.run.stages import Cold, StageRun
from tocsin.run.staging import StagedHits
from tocsin.run.work import Done, Range, Task, Window, Worker
from tocsin.times import PLAIN_CLOCK, Clock

Progress = Callable[[int, int | None], None]
"""Called with the bytes done and, where it is known, the bytes there are."""


@dataclass(frozen=True, slots=True)
class ScanOptions:
    """What to scan with; see `tocsin scan --help`."""

    rules: Sequence[Rule]
    log_types: Sequence[LogType]
    bridges: tuple[str, ...] = ()
    window: Window = field(default_factory=Window)
    workers: int = 1
    rows: int | None = None
    """At most so many records per batch; results do not depend on it."""
    writes: tuple[Path, ...] = ()
    """Files that the scan writes, left out where they stand among the logs."""
    clock: Clock = PLAIN_CLOCK
    geoip: Sequence[Path] = ()
    """Databases that say where addresses are."""
    indicators: Sequence[Path] = ()
    """Files with what indicator match rules compare events with."""
    history: Sequence[Path] = ()
    """Logs that fill the state of rules and raise no alert."""
    alert_cold: bool = False
    """Whether terms that are new while history is incomplete are alerts, not only counted."""
    python: Python | None = None
    """Set if the Python of rules may run."""


@dataclass(slots=True)
class ScanSummary:
    """What a scan saw, for the lines under its results."""

    files: int = 0
    skipped_files: list[str] = field(default_factory=list)
    """Files without logs, each with the reason."""
    failed_files: list[str] = field(default_factory=list)
    """Files that could not be read to their end, each with the reason."""
    bytes: int = 0
    events: Counter[str] = field(default_factory=Counter)
    unidentified: int = 0
    repaired: int = 0
    undated: int = 0
    unzoned: int = 0
    outside: int = 0
    alerts: Counter[str] = field(default_factory=Counter)
    fired: Counter[str] = field(default_factory=Counter)
    """Alerts per key of a rule."""
    disagreements: list[str] = field(default_factory=list)
    timeless: int = 0
    past: Counter[str] = field(default_factory=Counter)
    """Events of the history per log type."""
    begins: dict[str, int] = field(default_factory=dict)
    """The earliest time of log types that new terms are looked for in; milliseconds since 1970."""
    without_indicators: list[Rule] = field(default_factory=list)
    """Rules that were left out because there is nothing to compare events with."""
    problems: list[str] = field(default_factory=list)
    """What is wrong with indicators."""
    cold: list[tuple[Rule, Cold]] = field(default_factory=list)
    """Rules, and what was new to them while their history was incomplete."""
    asking: Asking = field(default_factory=Asking)
    """What became of asking the Python of rules."""

    def add(self, done: Done, *, past: bool) -> None:
        """Count one block."""
        self.bytes += done.bytes
        if past:
            self.past += done.events
        else:
            self.events += done.events
        self.timeless += done.timeless
        for name, begin in done.begins.items():
            self.begins[name] = min(begin, self.begins.get(name, begin))
        self.unidentified += done.unidentified
        self.repaired += done.repaired
        self.undated += done.undated
        self.unzoned += done.unzoned
        self.outside += done.outside
        self.alerts += done.alerts
        self.fired += done.fired


def scan(
    paths: Sequence[Path],
    options: ScanOptions,
    output: Output,
    quarantine: Quarantine,
    progress: Progress | None = None,
) -> ScanSummary:
    """Scan files and folders; alerts go to `output`, what cannot be read to `quarantine`.

    The caller finishes the output: he knows what else there is to say of the run.
    """
    summary = ScanSummary()
    scanner = _Scanner(options, output, quarantine, summary, progress)
    past = list(_files(options.history, options.writes, summary))
    known = {file.path.resolve() for file in past}
    files = [
        file
        for file in _files(paths, options.writes, summary)
        if file.path == STDIN or file.path.resolve() not in known
    ]
    scanner.run(past, files)
    return summary


def scan_blocks(
    name: str,
    blocks: Iterable[Block],
    options: ScanOptions,
    output: Output,
    quarantine: Quarantine,
) -> ScanSummary:
    """Scan records that are in no file; `name` stands for one."""
    summary = ScanSummary(files=1)
    scanner = _Scanner(options, output, quarantine, summary, None)
    past = list(_files(options.history, options.writes, summary))
    scanner.work(chain(scanner.past(past), (_item(name, block, None) for block in blocks)))
    return summary


@dataclass(frozen=True, slots=True)
class _File:
    """A file to scan, and whether the user named it, or only a folder above it."""

    path: Path
    named: bool


def _files(paths: Sequence[Path], writes: Sequence[Path], summary: ScanSummary) -> Iterator[_File]:
    """List the files that paths name, each once."""
    seen = {path.resolve() for path in writes}
    for path in paths:
        try:
            found = log_files(path)
        except InputError as error:
            summary.failed_files.append(str(error))
            continue
        for file in found:
            place = file if file == STDIN else file.resolve()
            if place not in seen:
                seen.add(place)
                yield _File(file, named=file == path)


def catch(
    paths: Sequence[Path], options: ScanOptions, take: Callable[[int, Hit], None]
) -> ScanSummary:
    """Show what the stages of rules would see in logs, in the order of event times.

    `take` is called with the number of a rule and a match.
    """
    summary = ScanSummary()
    scanner = _Scanner(options, NdjsonOutput(), Quarantine(), summary, None)

    def finish(staged: StagedHits, _: Worker) -> None:
        for one in staged:
            take(*one)

    scanner.finish = finish
    scanner.run([], list(_files(paths, (), summary)))
    return summary


class _Scanner:
    def __init__(
        self,
        options: ScanOptions,
        output: Output,
        quarantine: Quarantine,
        summary: ScanSummary,
        progress: Progress | None,
    ) -> None:
        self.finish: Callable[[StagedHits, Worker], None] = self._run_stages
        if options.python:
            options = replace(options, rules=options.python.prepared(options.rules))
        self._indicators = _indicators(options, summary)
        self._options = _with_indicators(options, self._indicators, summary)
        self._output = output
        self._quarantine = quarantine
        self._summary = summary
        self._progress = progress

    def run(self, past: Sequence[_File], files: Sequence[_File]) -> None:
        """Scan files one after the other, history first."""
        items = (item for file in files for item in self._items(file))
        self.work(chain(self.past(past), items), _total_bytes([*past, *files]))

    def past(self, files: Sequence[_File]) -> Iterator[Task | Quarantined]:
        """Yield what files hold as history."""
        return (_as_past(item) for file in files for item in self._items(file))

    def work(self, items: Iterable[Task | Quarantined], total: int | None = None) -> None:
        """Run tasks; `total` is how many bytes they stand for, where that is known."""
        with settled_heap(), TemporaryDirectory(prefix="tocsin-") as folder:
            make = _WorkerMaker(self._options, self._output, Path(folder), self._indicators)
            own = cache(make)
            staged = StagedHits(Path(folder))
            with self._pool(make, own) as run:
                for task, done in run(_numbered(items)):
                    if isinstance(task, Quarantined):
                        self._quarantine.add([task])
                    elif done:
                        self._take(task, done, staged)
                    if self._progress:
                        self._progress(self._summary.bytes, total)
            if staged:
                self.finish(staged, own())

    def _pool(self, make: "_WorkerMaker", own: Callable[[], Worker]) -> AbstractContextManager[Run]:
        """Return what runs tasks: processes, or the worker of this one."""
        workers = self._options.workers
        return Pool(make, workers) if workers > 1 else in_process(own)

    def _run_stages(self, staged: StagedHits, worker: Worker) -> None:
        """Run the rules that keep state over what all blocks gave."""
        rules, summary = self._options.rules, self._summary
        options = self._options
        run = StageRun(rules, worker, staged, summary.begins, options.alert_cold, options.python)
        parts = Parts(self._output)
        for item in run.run():
            if isinstance(item, Disagreement):
                self._quarantine.add([_unconfirmed(item)])
                summary.disagreements.append(_said(item))
                continue
            summary.undated += item.time is None
            summary.unzoned += item.zone_assumed
            summary.alerts[item.severity.value] += 1
            summary.fired[item.rule.key] += 1
            parts.add(item)
            for part in parts.take():
                self._output.add(part)
        parts.flush()
        for part in parts.take():
            self._output.add(part)
        summary.asking = run.asking
        summary.cold = [(rules[number], cold) for number, cold in sorted(run.cold.items())]

    def _take(self, task: Task, done: Done, staged: StagedHits) -> None:
        if done.staged:
            staged.add(task.number, done.staged)
        if done.failed:
            self._summary.failed_files.append(done.failed)
        for part in done.parts:
            self._output.add(part)
        self._summary.add(done, past=task.past)
        self._quarantine.add(done.quarantined)
        self._summary.disagreements += map(_said, done.disagreements)

    def _items(self, file: _File) -> Iterator[Task | Quarantined]:
        """Cut the logs in a file into tasks; what holds no record comes as in quarantine."""
        try:
            for source in open_sources(file.path):
                if isinstance(source, NoLog):
                    self._leave_out(source, named=file.named and source.name == shown(file.path))
                else:
                    self._summary.files += 1
                    yield from self._blocks(source)
        except InputError as error:
            self._summary.failed_files.append(str(error))

    def _leave_out(self, source: NoLog, *, named: bool) -> None:
        failed = source.is_loss(named=named)
        (self._summary.failed_files if failed else self._summary.skipped_files).append(str(source))

    def _blocks(self, source: Source) -> Iterator[Task | Quarantined]:
        """Yield what a log holds; where it is damaged, what stands before."""
        path = source.path if self._options.workers > 1 else None
        try:
            for block in source.blocks():
                yield _item(source.name, block, path)
        except InputError as error:
            self._summary.failed_files.append(str(error))


def _item(name: str, block: Block, path: Path | None) -> Task | Quarantined:
    """Return a block as a task: lines of a file that workers can read as where they are."""
    if isinstance(block, Unreadable):
        text = block.start.decode(errors="replace")
        return Quarantined(name, block.line, block.offset, block.reason, text, block.length)
    if path and isinstance(block, Lines):
        return Task(name, Range(path, block.first_line, block.offset, len(block.data)))
    return Task(name, block)


def _indicators(options: ScanOptions, summary: ScanSummary) -> Mapping[int, Indicators]:
    loaded = load_indicators(options.rules, options.indicators)
    summary.problems += loaded.problems
    return loaded.by_rule


def _with_indicators(
    options: ScanOptions, indicators: Mapping[int, Indicators], summary: ScanSummary
) -> ScanOptions:
    """Let rules that have nothing to compare events with wait for nothing."""
    rules = list(options.rules)
    for number, rule in enumerate(rules):
        if isinstance(rule.stage, IndicatorMatch) and number not in indicators:
            rules[number] = replace(rule, inputs=())
            summary.without_indicators.append(rule)
    return replace(options, rules=rules)


def _said(one: Disagreement) -> str:
    return f"{one.source}:{one.line}: {one.rule.key}: {one.reason}"


def _unconfirmed(one: Disagreement) -> Quarantined:
    """Return an event that waited for others, and whose place in its file is not known any more."""
    text, length = one.raw[:KEPT_BYTES], len(one.raw.encode())
    return Quarantined(one.source, one.line, None, one.reason, text, length)


def _numbered(items: Iterable[Task | Quarantined]) -> Iterator[Task | Quarantined]:
    for number, item in enumerate(items):
        yield replace(item, number=number) if isinstance(item, Task) else item


def _as_past(item: Task | Quarantined) -> Task | Quarantined:
    return replace(item, past=True) if isinstance(item, Task) else item


def _total_bytes(files: Sequence[_File]) -> int | None:
    """Return how many bytes there are to scan, unless a stream or compression hides it."""
    paths = [file.path for file in files]
    if any(path.suffix in PACKED_SUFFIXES or not path.is_file() for path in paths):
        return None
    return sum(path.stat().st_size for path in paths)


@dataclass(frozen=True, slots=True)
class _WorkerMaker:
    """Makes a worker; sent to worker processes once."""

    options: ScanOptions
    output: Output
    spill: Path
    indicators: Mapping[int, Indicators]

    def __call__(self) -> Worker:
        options = self.options
        return Worker(
            options.rules,
            options.log_types,
            self.output,
            bridges=options.bridges,
            window=options.window,
            rows=options.rows,
            clock=options.clock,
            spill=self.spill,
            indicators=self.indicators,
            geoip=options.geoip,
        )
