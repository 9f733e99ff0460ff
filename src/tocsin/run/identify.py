"""Identify: which log types and shapes records are, found or as the user says."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tocsin.engine.intake import Identifier, take_in
from tocsin.engine.project import Projector
from tocsin.errors import InputError, UsageError
from tocsin.logs.formats.blocks import Unreadable, batches
from tocsin.logs.formats.open import Source, open_source, shown
from tocsin.logs.load import load_log_types
from tocsin.logs.logtype import LogType, generic


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


def choose_log_types(name: str | None) -> tuple[LogType, ...]:
    """Return the log types records may be: all, the one named, or one made for a Sigma source."""
    known = load_log_types()
    if name is None:
        return known
    found = tuple(one for one in known if one.name == name)
    if found:
        return found
    if "/" not in name:
        names = ", ".join(one.name for one in known)
        raise UsageError(
            f"{name!r} is no log type; known: {names}; "
            "or a Sigma log source as product/category/service, with empty parts"
        )
    parts = [None if part in {"", "*"} else part for part in name.split("/")]
    if len(parts) > 3 or not any(parts):
        raise UsageError(f"{name!r} is no log source; write product/category/service")
    product, category, service = (*parts, None, None)[:3]
    return (generic(product, category, service),)
