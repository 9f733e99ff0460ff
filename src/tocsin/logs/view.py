"""One record seen through its log type: the row-wise reading of names, paths and time."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias

from tocsin.condition.evaluate import Read, holds
from tocsin.condition.functions import Scalar, apply, fold
from tocsin.condition.tree import Condition, Field
from tocsin.errors import RecordError
from tocsin.jsontext import Json, read_value
from tocsin.logs.logtype import ANY_KEY, PANTHER, LogType, Shape, Variant
from tocsin.logs.mapping import (
    All,
    Expr,
    First,
    Merged,
    Name,
    Path,
    Reader,
    Table,
    Via,
    When,
    is_filled,
    one_or_all,
    read,
)
from tocsin.logs.respelled import Respelled, find_respelled, read_respelled
from tocsin.logs.values import Values, find_path, look_up_once, walk
from tocsin.logs.whole import Whole, find_whole, read_whole
from tocsin.times import PLAIN_CLOCK, Clock, Moment, read_moment

NO_NAMES: Mapping[str, Expr] = {}
Cells: TypeAlias = tuple[tuple[str, ...], ...]
"""Paths of strings that hold JSON; see `Shape.json_cells`."""


class RecordView:
    """A record as the rules of one vocabulary see it."""

    def __init__(
        self,
        record: dict[str, Json],
        shape: Shape,
        vocabulary: str = "sigma",
        variant: Variant | None = None,
        clock: Clock = PLAIN_CLOCK,
    ) -> None:
        self._clock = clock
        opened = open_cells(record, shape.json_cells)
        self._given = record
        self.record = opened if isinstance(opened, dict) else record
        self.shape = shape
        self._vocabulary = vocabulary
        self._names = variant.names if variant else NO_NAMES
        self._reader = self._make_reader()
        self._values: dict[Field, list[Scalar] | None] = {}

    def through(self, vocabulary: str, variant: Variant) -> "RecordView":
        """Return the same record as another vocabulary or variant sees it."""
        view = copy(self)
        view._vocabulary = vocabulary
        view._names = variant.names
        view._values = {}
        view._reader = view._make_reader()
        return view

    def _make_reader(self) -> Reader:
        return Reader(self._path, self._name, self._respelled, self._whole, self._holds)

    @property
    def vocabulary(self) -> str:
        """Return whose names it is seen under."""
        return self._vocabulary

    def read(self, field: Field) -> list[Scalar] | None:
        """Return the values of a field after its functions; None if it is absent."""
        if field not in self._values:
            values = self.evaluate(self._expression(field))
            self._values[field] = None if values is None else apply(field.via, values)
        return self._values[field]

    def document(self) -> dict[str, Json]:
        """Return the document whose paths the fields of the vocabulary `panther` are."""
        found = self.evaluate(self.shape.field(PANTHER, ()))
        built: dict[str, Json] = {}
        for key, value in one_object(found).items():
            if fold(key) not in self._names:
                built[key] = value
                continue
            values = self.evaluate(name_in(self.shape, PANTHER, self._names, key))
            if values is not None:
                built[key] = one_or_all(values)
        return built

    def evaluate(self, expr: Expr) -> Values:
        """Return the values of an expression of the shape; None if it is absent."""
        return read(expr, self._reader)

    def locate(self, field: Field) -> tuple[str, ...]:
        """Return the keys in the record that a field is read from, as far as the first array."""
        return self._locate(self._expression(field))

    def time(self) -> datetime | None:
        """Return the event time in UTC; None if the record has none that can be read."""
        moment = self.moment()
        return moment.time if moment else None

    def moment(self) -> Moment | None:
        """Return the event time, and whether the zone had to be taken from the clock."""
        values = self.evaluate(self.shape.time) or ()
        moments = (read_moment(value, self._clock) for value in values)
        return next((moment for moment in moments if moment), None)

    def entities(self) -> Iterator[tuple[str, str]]:
        """Yield (type, value) of the users, addresses, hosts … that the record names, once each."""
        seen: set[tuple[str, str]] = set()
        for kind, exprs in self.shape.entities.items():
            for expr in exprs:
                for value in self.evaluate(expr) or ():
                    if not isinstance(value, str) or value.strip() in {"", "-"}:
                        continue
                    if (kind, value) not in seen:
                        seen.add((kind, value))
                        yield kind, value

    def elements(self, path: tuple[str, ...]) -> Iterator["Element"]:
        """Yield the objects of an array as the conditions of an `AnyElement` see them."""
        place = self.locate(Field(path))
        whole = self._vocabulary == PANTHER
        for at, value in enumerate(array_of(self.read(Field(path)), whole=whole)):
            if isinstance(value, dict):
                yield Element(value, (*place, str(at)), whole)

    def readers(self, path: tuple[str, ...]) -> Iterator[Read]:
        """Yield what reads each object of an array."""
        return (element.read for element in self.elements(path))

    def exact(self, field: Field) -> list[Scalar] | None:
        """Read a field whose path is exact, however short: for identification and `When`."""
        values = self._path(field.path)
        return None if values is None else apply(field.via, values)

    def _expression(self, field: Field) -> Expr:
        return field_in(self.shape, self._vocabulary, self._names, field.path)

    def _path(self, path: tuple[str, ...]) -> Values:
        return walk(self.record, path)

    def _name(self, name: str) -> Values:
        for ignore_case in (False, True):
            for start, _, segments in self._places(name):
                found = look_up_once(start, segments, ignore_case=ignore_case)
                if found is not None:
                    return found
        return None

    def _respelled(self, leaf: Respelled) -> Values:
        return read_respelled(self.record, leaf)

    def _whole(self, leaf: Whole) -> Values:
        return read_whole(self._given, leaf)

    def _places(self, name: str) -> Iterator[tuple[Json, tuple[str, ...], tuple[str, ...]]]:
        for base, segments in self.shape.candidates(name):
            for start, path in _bases(self.record, base):
                yield start, path, segments

    def _holds(self, condition: Condition) -> bool:
        return holds(condition, self.exact)

    def _locate(self, expr: Expr) -> tuple[str, ...]:
        match expr:
            case Path(path):
                return path
            case Name(name):
                located = (
                    (*path, *found)
                    for start, path, segments in self._places(name)
                    if (found := find_path(start, segments)) is not None
                )
                return next(located, ())
            case Respelled():
                known = expr.pattern is None and self.evaluate(expr) is not None
                return find_respelled(self.record, expr) if known else ()
            case Whole():
                return find_whole(self._given, expr)
            case Merged(outer):
                return self._locate(outer)
            case First(parts) | All(parts):
                present = [part for part in parts if self.evaluate(part) is not None]
                filled = [part for part in present if is_filled(self.evaluate(part) or ())]
                return self._locate((filled or present)[0]) if present else ()
            case Table(of) | Via(of):
                return self._locate(of)
            case When(condition, then, otherwise):
                chosen = then if self._holds(condition) else otherwise
                return self._locate(chosen) if chosen else ()
            case _:
                return ()


@dataclass(frozen=True, slots=True)
class Element:
    """One object of an array; fields inside it are exact paths from there."""

    value: dict[str, Json]
    place: tuple[str, ...]
    """Where it stands in the record: the array's keys, then its number."""
    whole: bool = False
    """Fields are read whole."""

    def read(self, field: Field) -> list[Scalar] | None:
        """Return the values of a field after its functions; None if it is absent."""
        return read_inside(self.value, field, whole=self.whole)

    def locate(self, field: Field) -> tuple[str, ...]:
        """Return the keys in the record that a field is read from."""
        return (*self.place, *field.path)

    def elements(self, _: tuple[str, ...]) -> Iterator["Element"]:
        """Yield nothing: a condition on elements holds no further one."""
        yield from ()


def one_object(values: Values) -> dict[str, Json]:
    """Return the object that is the only value; an empty one for anything else."""
    value = values[0] if values else None
    return value if isinstance(value, dict) else {}


def array_of(values: Sequence[Scalar] | None, *, whole: bool) -> Sequence[Scalar]:
    """Return the members of an array as a field of one of the two kinds reads it."""
    if not whole or values is None:
        return values or ()
    return [item for value in values if isinstance(value, list) for item in value]


def read_inside(value: Json, field: Field, *, whole: bool) -> list[Scalar] | None:
    """Read a field of an object of an array; None if it is absent."""
    values = read_whole(value, Whole((), field.path)) if whole else walk(value, field.path)
    return None if values is None else apply(field.via, values)


def field_in(
    shape: Shape, vocabulary: str, names: Mapping[str, Expr], path: tuple[str, ...]
) -> Expr:
    """Return what a field's path means in a shape, seen through a variant's own names."""
    if len(path) == 1 and fold(path[0]) in names:
        return name_in(shape, vocabulary, names, path[0])
    return shape.field(vocabulary, path)


def name_in(shape: Shape, vocabulary: str, names: Mapping[str, Expr], name: str) -> Expr:
    """Return what a name means in a shape, seen through a variant's own names."""
    own = names.get(fold(name))
    if own is None:
        return shape.field(vocabulary, (name,))
    return resolve_names(own, shape, vocabulary)


def resolve_names(expr: Expr, shape: Shape, vocabulary: str) -> Expr:
    """Replace the names that a variant's expression reads by what they mean in the shape."""
    match expr:
        case Name(name):
            return shape.field(vocabulary, (name,))
        case First(parts) | All(parts):
            resolved = tuple(resolve_names(part, shape, vocabulary) for part in parts)
            return replace(expr, parts=resolved)
        case Table(of) | Via(of):
            return replace(expr, of=resolve_names(of, shape, vocabulary))
        case When(then=then, otherwise=otherwise):
            return replace(
                expr,
                then=resolve_names(then, shape, vocabulary),
                otherwise=otherwise and resolve_names(otherwise, shape, vocabulary),
            )
        case _:
            return expr


def open_cells(value: Json, cells: Cells) -> Json:
    """Read every string that stands at the path of a cell, in objects, as what it holds."""
    if () in cells:
        value = parse_cell(value)
    if not any(cells) or not isinstance(value, dict):
        return value
    return {key: open_cells(item, cells_below(cells, (key,))) for key, item in value.items()}


def cells_below(cells: Cells, path: tuple[str, ...]) -> Cells:
    """Return the paths of cells as they are seen from a path; the empty one is a cell itself."""
    for key in path:
        cells = tuple(cell[1:] for cell in cells if cell and cell[0] in (key, ANY_KEY))
    return cells


def parse_cell(value: Json) -> Json:
    """Read one cell: text that starts like JSON and is, as what it holds."""
    if not isinstance(value, str) or value.lstrip()[:1] not in {"{", "["}:
        return value
    try:
        return read_value(value)[0]
    except RecordError:
        return value


def _bases(record: Json, base: tuple[str, ...]) -> list[tuple[Json, tuple[str, ...]]]:
    """Return what stands at a base path, with the keys that `*` stood for."""
    current: list[tuple[Json, tuple[str, ...]]] = [(record, ())]
    for key in base:
        following: list[tuple[Json, tuple[str, ...]]] = []
        for value, path in current:
            if isinstance(value, dict):
                chosen = tuple(value) if key == ANY_KEY else (key,)
                following += [(value[one], (*path, one)) for one in chosen if one in value]
        current = following
    return current


def identify(record: dict[str, Json], log_types: Iterable[LogType]) -> tuple[LogType, Shape] | None:
    """Return the first log type and shape that a record is; `log_types` in order of priority."""
    for log_type in log_types:
        for shape in log_type.shapes:
            if holds(shape.identify, RecordView(record, shape).exact):
                return log_type, shape
    return None
