"""Which fields events carry: how many of them, of what types, with how many distinct values."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import orjson

from tocsin.condition.functions import members
from tocsin.engine.columns import Rows
from tocsin.engine.intake import Intake
from tocsin.engine.project import Projector
from tocsin.jsontext import Json, Number, read
from tocsin.logs.logtype import LogType, Shape
from tocsin.logs.view import RecordView

MAX_DISTINCT = 256
"""Distinct values that are counted; of more it is said that there are more."""
MAX_FIELDS = 10_000
"""Fields that are kept in all; events with random keys would else fill the memory."""
MAX_EXAMPLE = 200
"""Characters of an example that are kept."""

_TYPES: Mapping[type, str] = {
    str: "text",
    int: "number",
    float: "number",
    Number: "number",
    bool: "boolean",
    type(None): "null",
    dict: "object",
    list: "array",
}


@dataclass(slots=True)
class FieldFacts:
    """What is known of one field."""

    events: int = 0
    """How many of the events that were looked at carry it."""
    types: set[str] = field(default_factory=set)
    """Types of its values; `array` if they stood in one."""
    example: object = None
    hashes: set[int] | None = field(default_factory=set)
    """Of the distinct values; None once there are more than `MAX_DISTINCT`."""

    @property
    def distinct(self) -> int | None:
        """Return how many distinct values there were; None for more than `MAX_DISTINCT`."""
        return None if self.hashes is None else len(self.hashes)

    def add(self, value: object) -> None:
        """Take a scalar, an empty object or an empty array."""
        self.types.add(_TYPES[type(value)])
        if value is None or value == {} or value == []:
            return
        if self.example is None or self.example == "":
            self.example = value[:MAX_EXAMPLE] if isinstance(value, str) else value
        if self.hashes is not None:
            self.hashes.add(hash(value if isinstance(value, str) else f"{value!r}\0"))
            if len(self.hashes) > MAX_DISTINCT:
                self.hashes = None


class _Key:
    """One key below another: what was seen there, and the keys below it."""

    __slots__ = ("below", "facts", "last")

    def __init__(self) -> None:
        self.facts: FieldFacts | None = None
        self.last = 0
        """The event that was counted last."""
        self.below: dict[str, _Key] = {}

    def take(self, event: int, value: object) -> FieldFacts:
        """Take a scalar, an empty object or an empty array of an event; return what is known."""
        if self.facts is None:
            self.facts = FieldFacts()
        if self.last != event:
            self.last = event
            self.facts.events += 1
        self.facts.add(value)
        return self.facts


@dataclass(slots=True)
class ShapeFields:
    """The fields of the events of one shape."""

    log_type: LogType | None
    """None for records of no known log type."""
    shape: Shape | None
    events: int = 0
    looked_at: int = 0
    not_kept: int = 0
    """How often a field was met that was one too many to be kept."""
    root: _Key = field(default_factory=_Key)

    def fields(self) -> Iterator[tuple[tuple[str, ...], FieldFacts]]:
        """Yield every path that holds values, in the order in which they were met."""
        waiting: list[tuple[tuple[str, ...], _Key]] = [((), self.root)]
        while waiting:
            path, key = waiting.pop()
            if key.facts is not None:
                yield path, key.facts
            waiting += [((*path, name), child) for name, child in reversed(key.below.items())]


class FieldSurvey:
    """Collects the fields of events, of every event or of every so many."""

    def __init__(self, every: int = 1) -> None:
        self._every = every
        self._met = 0
        self._kept = 0
        self._shapes: dict[Shape | None, ShapeFields] = {}

    @property
    def shapes(self) -> list[ShapeFields]:
        """Return what was found per shape, most events first, unknown records last."""
        found = self._shapes.values()
        return sorted(found, key=lambda one: (one.log_type is None, -one.events))

    def visit(self, intake: Intake, projector: Projector) -> None:  # noqa: ARG002
        """Look at the events of a batch."""
        for part in intake.parts:
            self._look(intake, part.rows, part.log_type, part.shape)
        if len(intake.unidentified):
            self._look(intake, intake.unidentified, None, None)
        self._met += intake.records.count

    def _look(
        self, intake: Intake, rows: Rows, log_type: LogType | None, shape: Shape | None
    ) -> None:
        found = self._shapes.setdefault(shape, ShapeFields(log_type, shape))
        found.events += len(rows)
        chosen = rows[(rows + self._met) % self._every == 0]
        for text in intake.records.take(chosen).texts():
            found.looked_at += 1
            record = _read(text)
            opened = record if shape is None else RecordView(record, shape).record
            self._walk(found, opened)

    def _walk(self, found: ShapeFields, record: Mapping[str, object]) -> None:
        """Count the keys of one event, level by level: records may nest deep."""
        waiting = [(found.root, record)]
        while waiting:
            key, value = waiting.pop()
            for name, item in value.items():
                child = key.below.get(name) or self._add(found, key, name)
                if child is None:
                    continue
                if type(item) is dict and item:
                    waiting.append((child, item))
                elif type(item) is list and item:
                    waiting += self._members(found, child, item)
                else:
                    child.take(found.looked_at, item)

    def _add(self, found: ShapeFields, key: _Key, name: str) -> _Key | None:
        if self._kept >= MAX_FIELDS:
            found.not_kept += 1
            return None
        self._kept += 1
        child = key.below[name] = _Key()
        return child

    def _members(
        self, found: ShapeFields, key: _Key, array: list[Json]
    ) -> Iterator[tuple[_Key, dict[str, Json]]]:
        """Count the members of an array; its objects have their keys below the array's."""
        for member in members(array):
            if isinstance(member, dict) and member:
                yield key, member
            else:
                key.take(found.looked_at, member).types.add("array")


def _read(text: str) -> dict[str, Json]:
    """Read a record; what is no strict JSON by our own reader, which is slower."""
    try:
        record: dict[str, Json] = orjson.loads(text)
    except orjson.JSONDecodeError:
        return read(text).value
    return record
