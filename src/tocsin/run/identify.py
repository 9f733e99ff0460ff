"""Identify: which log types and shapes records are."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tocsin.engine.intake import Identifier, take_in
from tocsin.engine.project import Projector
from tocsin.errors import InputError
from tocsin.logs.formats.blocks import Unreadable
from tocsin.logs.formats.open import NoLog, Source, open_sources
from tocsin.logs.logtype import LogType


@dataclass(slots=True)
class Identified:
    """How many records of a log are what; `shapes` counts by `log type / shape`."""

    name: str
    problem: str = ""
    """Why it could not be read, or not to its end."""
    shapes: Counter[str] = field(default_factory=Counter)
    unidentified: int = 0
    refused: int = 0


def identify_file(file: Path, log_types: Sequence[LogType]) -> Iterator[Identified]:
    """Count the records of each log in a file by log type and shape.

    Raises `InputError` if the file cannot be opened.
    """
    for source in open_sources(file):
        found = Identified(source.name)
        if isinstance(source, NoLog):
            found.problem = str(source)
        else:
            _count_all(source, log_types, found)
        yield found


def _count_all(source: Source, log_types: Sequence[LogType], found: Identified) -> None:
    try:
        _count(source, log_types, found)
    except InputError as error:
        found.problem = str(error)


def _count(source: Source, log_types: Sequence[LogType], found: Identified) -> None:
    projector = Projector()
    identifier = Identifier(projector, log_types)
    for batch in source.batches():
        if isinstance(batch, Unreadable):
            found.refused += 1
            continue
        intake = take_in(batch.raw, projector, identifier)
        for part in intake.parts:
            found.shapes[f"{part.log_type.name} / {part.shape.name}"] += len(part.rows)
        found.unidentified += len(intake.unidentified)
        found.refused += len(intake.refused)
