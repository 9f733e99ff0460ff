"""A record as the rules of a vocabulary see it: one document of nested objects."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import groupby

import orjson

from tocsin.condition.functions import Scalar
from tocsin.condition.tree import Field
from tocsin.jsontext import Json, Number, compact, standard
from tocsin.logs.families import Family
from tocsin.logs.indicators import indicators
from tocsin.logs.logtype import LogType
from tocsin.logs.respelled import respell
from tocsin.logs.view import RecordView, identify
from tocsin.times import format_time

ECS = "ecs"
TIME = "@timestamp"


def document(record: dict[str, Json], log_types: Sequence[LogType]) -> dict[str, Json]:
    """Return a record under its names of the Elastic Common Schema; its own where it has no others.

    A name of several values has an array.
    """
    found = identify(record, log_types)
    if found is None or not found[1].families.get(ECS):
        return record
    shape = found[1]
    view = RecordView(record, shape, ECS)
    built: dict[str, Json] = {}
    by_prefix = groupby(reversed(shape.families[ECS]), lambda family: family.prefix)
    for prefix, alike in by_prefix:
        value = _of_families(list(alike)[::-1], view.record)
        if not prefix and isinstance(value, dict):
            built.update(value)
        elif value is not None:
            _put(built, prefix.split("."), value)
    for name in shape.spellings[ECS].values():
        values = view.read(Field((name,)))
        if values:
            _put(built, name.split("."), _one_or_all(values))
    time = view.time()
    return {TIME: format_time(time), **_without_time(built)} if time else built


def document_text(record: dict[str, Json], log_types: Sequence[LogType]) -> orjson.Fragment:
    """Return the document as JSON, numbers in the digits they were written in."""
    return orjson.Fragment(compact(standard(document(record, log_types))))


def panther_document(view: RecordView, log_type: str) -> dict[str, Json]:
    """Return a record as Panther delivers it to the rules of one of its log types.

    Fields of Panther's own that the record has already stay as they are.
    """
    document = view.document()
    time = view.time()
    own: dict[str, Json] = {"p_log_type": log_type}
    if time:
        own["p_event_time"] = f"{time:%Y-%m-%d %H:%M:%S.%f}000"
    for kind, values in indicators(document, view.shape.indicators).items():
        own[f"p_any_{kind}"] = list(values)
    return {**own, **document}


def _without_time(built: dict[str, Json]) -> dict[str, Json]:
    return {key: value for key, value in built.items() if key != TIME}


def _of_families(families: Sequence[Family], record: Json) -> Json:
    """Return what the first family reads; of another of the same object what it renames, too."""
    built: Json = None
    for family in families:
        value = _of_family(family, record)
        if family.path == families[0].path and isinstance(built, dict) and isinstance(value, dict):
            renamed = set(family.spelling.other.values())
            built = {**{key: one for key, one in value.items() if key in renamed}, **built}
        elif built is None:
            built = value
    return built


def _of_family(family: Family, record: Json) -> Json:
    for key in family.path:
        record = record.get(key) if isinstance(record, dict) else None
    value = respell(record, family.spelling)
    return value if family.keeps_empty else _filled(value)


def _filled(value: Json) -> Json:
    """Return a value without what is null or empty in it; None if nothing is left."""
    if isinstance(value, dict):
        kept: dict[str, Json] = {}
        for key, item in value.items():
            inner = _filled(item)
            if inner is not None:
                kept[key] = inner
        return kept or None
    if isinstance(value, list):
        return [inner for inner in map(_filled, value) if inner is not None] or None
    return None if value == "" else value


def _put(built: dict[str, Json], keys: Sequence[str], value: Json) -> None:
    """Put a value at a path in place of what is there, unless that is an object."""
    *outer, last = keys
    at: Json = built
    for key in outer:
        if not isinstance(at, dict):
            return
        at = at.setdefault(key, {})
    if isinstance(at, dict) and (isinstance(value, dict) or not isinstance(at.get(last), dict)):
        at[last] = value


def _one_or_all(values: Sequence[Scalar]) -> Json:
    known = [_json(value) for value in values]
    return known[0] if len(known) == 1 else known


def _json(value: Scalar) -> Json:
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return Number(str(value))
    return value
