"""Normalized records, for programs (`docs/records.md`)."""

from collections.abc import Mapping, Sequence

import orjson

from tocsin.alerts.model import SCHEMA
from tocsin.condition.functions import Scalar
from tocsin.jsontext import compact, standard
from tocsin.logs.logtype import LogType
from tocsin.run.given import Given
from tocsin.run.normalize import normalize
from tocsin.times import format_time


def normalized_record(
    given: Given, vocabulary: str, log_types: Sequence[LogType]
) -> dict[str, object]:
    """Return a record as the rules of a vocabulary see it."""
    found = normalize(given.record or {}, vocabulary, log_types)
    return {
        "schema": SCHEMA,
        "source": given.source,
        "line": given.line,
        "log_type": found.log_type,
        "shape": found.shape,
        "time": format_time(found.time) if found.time else None,
        "vocabulary": vocabulary,
        "fields": _fields(found.fields),
        "log_sources": {name: _fields(own) for name, own in found.log_sources.items()},
        "entities": [{"type": kind, "value": value} for kind, value in found.entities],
    }


def _fields(found: Mapping[str, Sequence[Scalar]]) -> dict[str, object]:
    """Return the value of each name; an array where it has several, as any of them can match."""
    return {
        name: _json(values[0]) if len(values) == 1 else [_json(value) for value in values]
        for name, values in found.items()
    }


def _json(value: Scalar) -> object:
    """Return a value as the event has it, numbers in the digits they were written in."""
    return orjson.Fragment(compact(standard(value)))  # type: ignore[arg-type]
