"""Read fields as conditions on Panther's documents do, and run rules for comparison."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tocsin.condition.evaluate import Read, holds
from tocsin.condition.functions import apply
from tocsin.condition.tree import Condition, Field
from tocsin.jsontext import Json
from tocsin.jsontext import read as read_record
from tocsin.sandbox.event import Event
from tocsin.sandbox.keyvalues import KeyValues
from tocsin.sandbox.models import load_models
from tocsin.sandbox.runner import Detection, load_detection, unload
from tocsin.sandbox.shims import PackFinder, Source

ABSENT = object()


def whole(value: Json, path: tuple[str, ...]) -> Any:
    """Return the one value at a path: each key as it is written, else ignoring case."""
    for key in path:
        if not isinstance(value, dict):
            return ABSENT
        if key not in value:
            found = [other for other in value if other.lower() == key.lower()]
            if not found:
                return ABSENT
            key = found[0]
        value = value[key]
    return value


def reader(value: Json) -> Read:
    def values(field: Field) -> list[Any] | None:
        found = whole(value, field.path)
        return None if found is ABSENT else apply(field.via, [found])

    return values


def matches(condition: Condition, document: Json) -> bool:
    """Say whether a condition holds on a document (with numbers as `jsontext` has them)."""

    def elements(path: tuple[str, ...]) -> Iterator[Read]:
        found = whole(document, path)
        members = found if isinstance(found, list) else []
        return (reader(member) for member in members if isinstance(member, dict))

    return holds(condition, reader(document), elements)


def parse(log: Mapping[str, Any]) -> Json:
    return read_record(json.dumps(log)).value


class Pack:
    """Runs rules in this process with the helpers and data models of a pack."""

    def __init__(self, helpers: Mapping[str, str], models: list[Mapping[str, Any]] = ()) -> None:
        self.memory = KeyValues()
        sources = {name: Source(f"{name}.py", text) for name, text in helpers.items()}
        self.finder = PackFinder(sources, self.memory)
        self.finder.install()
        self.models = load_models(models)

    def close(self) -> None:
        self.finder.remove()

    def load(self, text: str, kind: str = "python") -> Any:
        detection = Detection("id", "name", kind)
        return load_detection(detection, Source("rule.py", text))

    def unload(self, loaded: Any) -> None:
        unload(loaded)

    def event(self, log: Mapping[str, Any], log_type: str | None) -> Event:
        return Event(log, self.models.get(log_type) if log_type else None, lambda *_: None)


def decide(loaded: Any, event: Any) -> tuple[bool, str]:
    """Return whether `rule()` is true, and what it raised or what was wrong with its result."""
    module, kind = loaded.module, loaded.detection.kind
    if module is None:
        return False, loaded.error
    function = getattr(module, loaded.detection.function, None)
    if function is None:
        return kind == "scheduled", "" if kind == "scheduled" else "none"
    try:
        found = function(event)
    except BaseException as error:
        return False, repr(error)
    if type(found) is not bool:
        return False, "no bool"
    return found is not (kind == "policy"), ""
