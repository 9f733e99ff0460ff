"""One record seen through its log type: the row-wise reading of names, paths and time."""

from collections.abc import Iterable
from datetime import datetime

from tocsin.condition.evaluate import Read, holds
from tocsin.condition.functions import Scalar, apply, members
from tocsin.condition.tree import Condition, Field
from tocsin.jsontext import Json
from tocsin.logs.logtype import ANY_KEY, LogType, Shape, Variant
from tocsin.logs.mapping import Expr, Name, Reader, Via, read
from tocsin.logs.values import Values, _look_up, walk
from tocsin.times import parse_time


class RecordView:
    """A record as rules of one vocabulary see it."""

    def __init__(
        self,
        record: dict[str, Json],
        shape: Shape,
        vocabulary: str = "sigma",
        variant: Variant | None = None,
    ) -> None:
        self.record = parse_cells(record) if shape.json_cells else record
        self.shape = shape
        self._vocabulary = vocabulary
        self._names = variant.names if variant else {}
        self._reader = Reader(self._path, self._name, self._holds)
        self._values: dict[Field, list[Scalar] | None] = {}

    def read(self, field: Field) -> list[Scalar] | None:
        """Return the values of a field after its functions; None if it is absent."""
        if field not in self._values:
            self._values[field] = self._read(field)
        return self._values[field]

    def _read(self, field: Field) -> list[Scalar] | None:
        if len(field.path) == 1:
            values = self.evaluate(self.expression(field.path[0]))
        else:
            values = self._path(field.path)
        if values is None or not field.via:
            return values  # type: ignore[return-value]
        return apply(field.via, values)

    def evaluate(self, expr: Expr) -> Values:
        """Evaluate an expression of the shape."""
        return read(expr, self._reader)

    def expression(self, name: str) -> Expr:
        """Return what a name means for this record, the variant's own names first."""
        return name_in(self.shape, self._vocabulary, self._names, name)

    def time(self) -> datetime | None:
        """Return the event time in UTC; None if the record has none that can be read."""
        times = (parse_time(value) for value in self.evaluate(self.shape.time) or ())
        return next((time for time in times if time), None)

    def entities(self) -> Iterable[tuple[str, str]]:
        """Yield (type, value) of the users, addresses, hosts … that the record names, once each."""
        seen: set[tuple[str, str]] = set()
        for kind, exprs in self.shape.entities.items():
            for expr in exprs:
                for value in self.evaluate(expr) or ():
                    entity = (kind, value) if isinstance(value, str) else None
                    if entity and value not in {"", "-"} and entity not in seen:
                        seen.add(entity)
                        yield entity

    def _path(self, path: tuple[str, ...]) -> Values:
        return walk(self.record, path)

    def _name(self, name: str) -> Values:
        candidates = self.shape.candidates(name)
        for ignore_case in (False, True):
            for base, segments in candidates:
                for start in _bases(self.record, base):
                    found = _look_up(start, segments, ignore_case=ignore_case)
                    if found is not None:
                        return found
        return None

    def _holds(self, condition: Condition) -> bool:
        return holds(condition, self.exact)

    def exact(self, field: Field) -> list[Scalar] | None:
        """Read a field whose path is exact, however short: for identification and `When`."""
        values = self._path(field.path)
        return None if values is None else apply(field.via, values)


def exact_reader(record: dict[str, Json], shape: Shape) -> Read:
    """Return the reading that a shape's identification uses."""
    return RecordView(record, shape).exact


def name_in(shape: Shape, vocabulary: str, names: object, name: str) -> Expr:
    """Return what a name means in a shape, seen through a variant's own names."""
    from tocsin.condition.functions import fold

    own = names.get(fold(name)) if isinstance(names, dict) else None
    if own is None:
        return shape.expression(vocabulary, name)
    return _resolve_names(own, shape, vocabulary)


def _resolve_names(expr: Expr, shape: Shape, vocabulary: str) -> Expr:
    """Replace the names a variant's expression reads by what they mean in the shape."""
    from dataclasses import replace

    from tocsin.logs.mapping import All, First, Table

    match expr:
        case Name(name):
            return shape.expression(vocabulary, name)
        case First(parts) | All(parts):
            resolved = tuple(_resolve_names(part, shape, vocabulary) for part in parts)
            return type(expr)(resolved)
        case Table(of) | Via(of):
            return replace(expr, of=_resolve_names(of, shape, vocabulary))
        case _:
            return expr


def parse_cells(record: dict[str, Json]) -> dict[str, Json]:
    """Read every top-level string that holds a JSON object or array as what it holds."""
    return {key: parse_cell(value) for key, value in record.items()}


def parse_cell(value: Json) -> Json:
    """Read one cell: text that starts like JSON and is, as what it holds."""
    from tocsin.errors import RecordError
    from tocsin.jsontext import read_value

    if not isinstance(value, str) or value.lstrip()[:1] not in {"{", "["}:
        return value
    try:
        return read_value(value)[0]
    except RecordError:
        return value


def _bases(record: Json, base: tuple[str, ...]) -> list[Json]:
    current: list[Json] = [record]
    for key in base:
        following: list[Json] = []
        for value in current:
            if not isinstance(value, dict):
                continue
            if key == ANY_KEY:
                following.extend(item for item in value.values() if isinstance(item, dict))
            elif key in value:
                following.append(value[key])
        current = following
    return current


def identify(record: dict[str, Json], log_types: Iterable[LogType]) -> tuple[LogType, Shape] | None:
    """Return the first log type and shape that a record is; `log_types` in order of priority."""
    for log_type in log_types:
        for shape in log_type.shapes:
            if holds(shape.identify, exact_reader(record, shape)):
                return log_type, shape
    return None


__all__ = ["RecordView", "exact_reader", "identify", "members", "name_in", "parse_cell"]
