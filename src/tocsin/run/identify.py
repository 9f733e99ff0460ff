"""Identify: which log types and shapes records are."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tocsin.engine.intake import Identifier, take_in
from tocsin.engine.project import Projector
from tocsin.errors import InputError
from tocsin.logs.formats.blocks import Unreadable, batches
from tocsin.logs.formats.open import Source, open_source, shown
from tocsin.logs.logtype import LogType


@dataclass(slots=True)
class Identified:
    """How many records of a file are what; `shapes` counts by `log type / shape`."""

    shapes: Counter[str] = field(default_factory=Counter)
    unidentified: int = 0
    refused: int = 0


def identify_file(file: Path, log_types: Sequence[LogType]) -> Identified:
    """Count the records of a file by log type and shape; raises `InputError`."""
    found = Identified()
    with open_source(file) as source:
        if source.problem:
            raise InputError(f"{shown(file)}: {source.problem}")
        _count(source, log_types, found)
    return found


def _count(source: Source, log_types: Sequence[LogType], found: Identified) -> None:
    projector = Projector()
    identifier = Identifier(projector, log_types)
    for block in source.blocks():
        if isinstance(block, Unreadable):
            found.refused += 1
            continue
        for batch in batches(block):
            intake = take_in(batch.raw, projector, identifier)
            for part in intake.parts:
                found.shapes[f"{part.log_type.name} / {part.shape.name}"] += len(part.rows)
            found.unidentified += len(intake.unidentified)
            found.refused += len(intake.refused)
