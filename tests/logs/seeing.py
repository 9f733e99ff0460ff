"""See records as their log types do, for tests of log types."""

import gzip
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from record_envelopes import Record

from tocsin.condition.evaluate import holds
from tocsin.jsontext import read
from tocsin.logs.load import shipped_log_types
from tocsin.logs.logtype import LogType, Shape
from tocsin.logs.view import RecordView


def parse(record: Record) -> Record:
    """Read a record, given as plain values, as the reader of JSON delivers it."""
    parsed: Record = read(json.dumps(record)).value
    return parsed


def accepting(parsed: Record) -> list[tuple[LogType, Shape]]:
    """Return every log type and shape whose identification takes a record.

    Log types for what has none of its own are asked last, and count where no other takes it.
    """
    found = [
        (log_type, shape)
        for log_type in shipped_log_types()
        for shape in log_type.shapes
        if holds(shape.identify, RecordView(parsed, shape).exact)
    ]
    first = min((log_type.priority for log_type, _ in found), default=0)
    return [(log_type, shape) for log_type, shape in found if log_type.priority == first]


def kinds(parsed: Record) -> list[str]:
    return [f"{log_type.name}/{shape.name}" for log_type, shape in accepting(parsed)]


def view(record: Record) -> RecordView:
    """Return a record as the one shape that accepts it sees it."""
    parsed = parse(record)
    ((_, shape),) = accepting(parsed)
    return RecordView(parsed, shape)


def records_of(path: Path, *, every: int = 1) -> Iterator[Record]:
    """Yield the records of a file of JSON lines, or every so many."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as lines:
        for line in islice(lines, 0, None, every):
            yield read(line).value
