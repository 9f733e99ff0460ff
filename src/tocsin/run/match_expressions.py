"""Evaluate match expressions of Panther on one log."""

import json
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from tocsin.condition.evaluate import Read, holds
from tocsin.condition.tree import Condition, Field
from tocsin.jsontext import Json, read
from tocsin.logs.view import array_of, read_inside


def holds_on(condition: Condition, log: Mapping[str, Any]) -> bool:
    """Say whether a condition that was lowered from match expressions is true on a log."""
    record = read(json.dumps(log)).value

    def elements(path: tuple[str, ...]) -> Iterator[Read]:
        found = array_of(_read(record, Field(path)), whole=True)
        return (partial(_read, value) for value in found if isinstance(value, dict))

    return holds(condition, partial(_read, record), elements)


def _read(value: Json, field: Field) -> Any:
    return read_inside(value, field, whole=True)
