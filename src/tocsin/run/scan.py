"""Scan: log files and rules in, alerts out, in the order of the files, with any number of workers.

Lines are counted per file in the main process, so that workers need not know what stands before
their block; parts of the output are joined in the order of the blocks.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tocsin.errors import InputError
from tocsin.logs.formats.blocks import Unreadable
from tocsin.logs.formats.open import STDIN, Source, log_files
from tocsin.logs.logtype import LogType
from tocsin.outputs.base import Output
from tocsin.rules.model import Rule
from tocsin.run.pool import Pool, in_process
from tocsin.run.quarantine import Quarantine, Quarantined
from tocsin.run.ranges import Range, file_ranges
from tocsin.run.work import Done, Task, Window, Worker

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
    outside: int = 0
    alerts: Counter[str] = field(default_factory=Counter)
    disagreements: list[str] = field(default_factory=list)

    def add(self, done: Done) -> None:
        """Count one block."""
        self.bytes += done.bytes
        self.events += done.events
        self.unidentified += done.unidentified
        self.repaired += done.repaired
        self.undated += done.undated
        self.outside += done.outside
        self.alerts += done.alerts


def scan(
    paths: Sequence[Path],
    options: ScanOptions,
    output: Output,
    quarantine: Quarantine,
    progress: Progress | None = None,
) -> ScanSummary:
    """Scan files and folders; alerts go to `output`, what cannot be read to `quarantine`."""
    summary = ScanSummary()
    scanner = _Scanner(options, output, quarantine, summary, progress)
    files = [file for path in paths for file in _files(path, summary)]
    scanner.run(files)
    output.finish()
    return summary


def _files(path: Path, summary: ScanSummary) -> list[Path]:
    try:
        return log_files(path)
    except InputError as error:
        summary.failed_files.append(str(error))
        return []


class _Scanner:
    def __init__(
        self,
        options: ScanOptions,
        output: Output,
        quarantine: Quarantine,
        summary: ScanSummary,
        progress: Progress | None,
    ) -> None:
        self._options = options
        self._output = output
        self._quarantine = quarantine
        self._summary = summary
        self._progress = progress
        self._lines_before: dict[str, int] = {}

    def run(self, files: Sequence[Path]) -> None:
        """Scan files one after the other."""
        total = _total_bytes(files)
        items = (item for file in files for item in self._items(file))
        make = _WorkerMaker(self._options, self._output)
        pool = in_process(make) if self._options.workers <= 1 else Pool(make, self._options.workers)
        with pool as run:
            for task, done in run(items):
                if isinstance(task, Quarantined):
                    self._quarantine.add([self._placed(task)])
                elif done:
                    self._take(task, done)
                if self._progress:
                    self._progress(self._summary.bytes, total)

    def _take(self, task: Task, done: Done) -> None:
        before = self._lines_before.get(task.source, 0) if task.path else 0
        if task.path:
            self._lines_before[task.source] = before + done.lines
        self._output.add(done.part)
        self._summary.add(done)
        self._quarantine.add(replace(item, line=item.line + before) for item in done.quarantined)
        for one in done.disagreements:
            place = f"{task.source}:{one.line + before}"
            self._summary.disagreements.append(f"{place}: {one.rule.key}: {one.reason}")
            self._quarantine.add(
                [Quarantined(task.source, one.line + before, one.reason, one.raw, len(one.raw))]
            )

    def _placed(self, item: Quarantined) -> Quarantined:
        before = self._lines_before.get(item.source, 0)
        if item.line:
            return item
        self._lines_before[item.source] = before + 1
        return replace(item, line=before + 1)

    def _items(self, file: Path) -> Iterator[Task | Quarantined]:
        """Cut a file into tasks; what holds no record comes as it will stand in quarantine."""
        name = str(file)
        try:
            source = Source(file)
            if source.is_empty or not source.looks_like_json:
                reason = "is empty" if source.is_empty else "holds no JSON records"
                self._summary.skipped_files.append(f"{name}: {reason}")
                return
            self._summary.files += 1
            splits = source.plain and not source.is_document and file != STDIN
            if self._options.workers > 1 and splits:
                yield from _range_tasks(file)
                return
            for block in source.blocks():
                if isinstance(block, Unreadable):
                    yield _unreadable(name, block)
                else:
                    yield Task(name, block)
        except InputError as error:
            self._summary.failed_files.append(str(error))


def _range_tasks(file: Path) -> Iterator[Task | Quarantined]:
    for one in file_ranges(file):
        if isinstance(one, Range):
            yield Task(str(file), path=file, start=one.start, end=one.end)
        else:
            yield _unreadable(str(file), one)


def _unreadable(source: str, block: Unreadable) -> Quarantined:
    text = block.start.decode(errors="replace")
    return Quarantined(source, block.line, block.reason, text, block.length, block.offset)


def _total_bytes(files: Sequence[Path]) -> int | None:
    if STDIN in files:
        return None
    return sum(file.stat().st_size for file in files if file.exists())


@dataclass(frozen=True, slots=True)
class _WorkerMaker:
    """Makes a worker; sent to worker processes once."""

    options: ScanOptions
    output: Output

    def __call__(self) -> Worker:
        options = self.options
        return Worker(
            options.rules,
            options.log_types,
            self.output,
            bridges=options.bridges,
            window=options.window,
            rows=options.rows,
        )
