"""Evaluate match expressions of Panther on one log, with keys found as its event object does."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tocsin.condition.evaluate import Read, holds
from tocsin.condition.functions import Scalar, apply
from tocsin.condition.tree import Condition, Field
from tocsin.jsontext import Json, read
from tocsin.logs.values import look_up


def holds_on(condition: Condition, log: Mapping[str, Any]) -> bool:
    """Say whether a condition that was lowered from match expressions is true on a log."""
    record = read(json.dumps(log)).value

    def elements(path: tuple[str, ...]) -> Iterator[Read]:
        found = look_up(record, path) or ()
        return (_reader(value) for value in found if isinstance(value, dict))

    return holds(condition, _reader(record), elements)


def _reader(value: Json) -> Read:
    def values(field: Field) -> list[Scalar] | None:
        found = look_up(value, field.path)
        return None if found is None else apply(field.via, found)

    return values
