"""Normalize: records as the rules of a vocabulary see them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from tocsin.condition.evaluate import holds
from tocsin.condition.functions import Scalar, fold, members
from tocsin.condition.tree import Field
from tocsin.errors import UsageError
from tocsin.jsontext import Json
from tocsin.logs.logtype import LogType, Shape, Variant, leads_to
from tocsin.logs.view import RecordView, identify

RAW = "raw"
"""The vocabulary of no names but the record's own."""


@dataclass(frozen=True, slots=True)
class Normalized:
    """A record under the names of a vocabulary."""

    log_type: str | None
    shape: str | None
    time: datetime | None
    entities: tuple[tuple[str, str], ...]
    fields: dict[str, list[Scalar]]
    """Every name that reads as anything, those that the log type declares first."""
    log_sources: dict[str, dict[str, list[Scalar]]]
    """The Sigma log sources that the record answers to, and names that mean something else there.

    Only of the vocabulary `sigma`.
    """


def vocabularies(log_types: Sequence[LogType]) -> list[str]:
    """Return the vocabularies that log types declare names of, and `raw`."""
    declared = {name for one in log_types for shape in one.shapes for name in shape.names}
    return [*sorted(declared), RAW]


def check_vocabulary(name: str, log_types: Sequence[LogType]) -> str:
    """Return the name of a vocabulary; raise `UsageError` that lists them."""
    known = vocabularies(log_types)
    if name not in known:
        raise UsageError(f"no vocabulary {name!r}; known: {', '.join(known)}")
    return name


def normalize(record: dict[str, Json], vocabulary: str, log_types: Sequence[LogType]) -> Normalized:
    """Read a record under the names of a vocabulary."""
    found = identify(record, log_types)
    if found is None:
        return Normalized(None, None, None, (), _own_fields(record), {})
    log_type, shape = found
    view = RecordView(record, shape, vocabulary)
    if vocabulary == RAW:
        fields, sources = _own_fields(view.record), {}
    else:
        fields = dict(_declared(view, shape, vocabulary)) | dict(
            _own_names(view, shape, vocabulary)
        )
        sources = dict(_log_sources(view, log_type, vocabulary)) if vocabulary == "sigma" else {}
    return Normalized(
        log_type.name, shape.name, view.time(), tuple(view.entities()), fields, sources
    )


def _declared(
    view: RecordView, shape: Shape, vocabulary: str
) -> Iterator[tuple[str, list[Scalar]]]:
    for name in shape.spellings.get(vocabulary, {}).values():
        values = view.read(Field((name,)))
        if values is not None:
            yield name, values


def _own_names(
    view: RecordView, shape: Shape, vocabulary: str
) -> Iterator[tuple[str, list[Scalar]]]:
    """Yield the names by which rules reach what the log type does not declare."""
    declared = shape.names.get(vocabulary, {})
    seen: set[str] = set()
    for path in _paths(view.record):
        name = _shortest_name(path, shape)
        if name is None or fold(name) in declared or fold(name) in seen:
            continue
        seen.add(fold(name))
        values = view.read(Field((name,)))
        if values is not None:
            yield name, values


def _shortest_name(path: tuple[str, ...], shape: Shape) -> str | None:
    names = [".".join(path[len(base) :]) for base in shape.bases if leads_to(base, path)]
    return min(names, key=len, default=None)


def _own_fields(record: dict[str, Json]) -> dict[str, list[Scalar]]:
    """Return the values of a record by their dotted keys."""
    found: dict[str, list[Scalar]] = {}
    for path, value in _leaves(record):
        found.setdefault(".".join(path), []).append(value)
    return found


def _paths(record: dict[str, Json]) -> Iterator[tuple[str, ...]]:
    yield from dict.fromkeys(path for path, _ in _leaves(record))


def _leaves(record: dict[str, Json]) -> Iterator[tuple[tuple[str, ...], Json]]:
    """Yield scalars, empty objects and empty arrays with their keys, in order."""
    waiting: list[tuple[tuple[str, ...], Json]] = [((), record)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, dict) and value:
            waiting += [((*path, key), item) for key, item in reversed(value.items())]
        elif isinstance(value, list) and value:
            waiting += [(path, item) for item in reversed(list(members(value)))]
        elif path:
            yield path, value


def _log_sources(
    view: RecordView, log_type: LogType, vocabulary: str
) -> Iterator[tuple[str, dict[str, list[Scalar]]]]:
    """Yield the log sources whose rules are asked, with the names of the variant that answers."""
    for source, variants in _sources(log_type):
        answering = [one for one in variants if holds(one.condition, view.read)]
        if answering:
            yield source, dict(_variant_names(answering, view, vocabulary))


@cache
def _sources(log_type: LogType) -> tuple[tuple[str, tuple[Variant, ...]], ...]:
    """Return the log sources of a service or category that a log type answers to."""
    asked: list[tuple[str | None, str | None]] = [(None, name) for name in log_type.services]
    asked += [(name, None) for name in log_type.categories]
    return tuple(
        (f"{product or '*'}/{category or '*'}/{service or '*'}", variants)
        for product in log_type.products or (None,)
        for category, service in asked
        if (variants := log_type.select(product, category, service))
    )


def _variant_names(
    variants: Sequence[Variant], view: RecordView, vocabulary: str
) -> Iterator[tuple[str, list[Scalar]]]:
    for variant in variants:
        seen = view.through(vocabulary, variant)
        for name in variant.spellings.values():
            values = seen.read(Field((name,)))
            if values is not None:
                yield name, values
