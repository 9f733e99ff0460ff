"""Survey: read log files to the end and show every batch, as it was taken in, to visitors."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from tocsin.engine.intake import Identifier, Intake, take_in
from tocsin.engine.project import Projector
from tocsin.errors import InputError
from tocsin.logs.formats.blocks import Unreadable
from tocsin.logs.formats.open import NoLog, Source, log_files, open_sources, shown
from tocsin.logs.logtype import LogType


class Visitor(Protocol):
    """Looks at batches, one after the other."""

    def visit(self, intake: Intake, projector: Projector) -> None:
        """Look at a batch."""


@dataclass(slots=True)
class Surveyed:
    """What was read, and what could not be."""

    files: int = 0
    records: int = 0
    unreadable: int = 0
    skipped: list[str] = field(default_factory=list)
    """Files of a folder that hold no logs, each with the reason."""
    failed: list[str] = field(default_factory=list)
    """Files that could not be read to their end, each with the reason."""


def survey(
    paths: Sequence[Path], log_types: Sequence[LogType], visitors: Iterable[Visitor]
) -> Surveyed:
    """Read files and folders; what cannot be read is named, and the rest goes on."""
    done = Surveyed()
    reader = _Reader(log_types, list(visitors), done)
    for path in paths:
        try:
            files = log_files(path)
        except InputError as error:
            done.failed.append(str(error))
            continue
        for file in files:
            reader.read(file, named=file == path)
    return done


class _Reader:
    def __init__(
        self, log_types: Sequence[LogType], visitors: Sequence[Visitor], done: Surveyed
    ) -> None:
        self._projector = Projector()
        self._identifier = Identifier(self._projector, log_types)
        self._visitors = visitors
        self._done = done

    def read(self, file: Path, *, named: bool) -> None:
        try:
            for source in open_sources(file):
                if isinstance(source, NoLog):
                    self._leave_out(source, named=named and source.name == shown(file))
                else:
                    self._done.files += 1
                    self._visit(source)
        except InputError as error:
            self._done.failed.append(str(error))

    def _leave_out(self, source: NoLog, *, named: bool) -> None:
        failed = source.is_loss(named=named)
        (self._done.failed if failed else self._done.skipped).append(str(source))

    def _visit(self, source: Source) -> None:
        try:
            for batch in source.batches():
                if isinstance(batch, Unreadable):
                    self._done.unreadable += 1
                else:
                    self._visit_all(take_in(batch.raw, self._projector, self._identifier))
        except InputError as error:
            self._done.failed.append(str(error))

    def _visit_all(self, intake: Intake) -> None:
        self._done.records += intake.records.count - len(intake.refused)
        self._done.unreadable += len(intake.refused)
        for visitor in self._visitors:
            visitor.visit(intake, self._projector)
