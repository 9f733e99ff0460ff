"""What alerts of Simple Detections say: templates and keys of their files."""

import re
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

from tocsin.errors import RuleError
from tocsin.rules.model import Rule
from tocsin.rules.panther.pack import read_document
from tocsin.rules.panther.simple import lower_expressions
from tocsin.run.match_expressions import holds_on
from tocsin.run.pack_code import detection_of
from tocsin.sandbox.event import Event
from tocsin.sandbox.runner import LoadedDetection

_PLACE = re.compile(r"\{([^{}]+)\}")


def simple_detection(rule: Rule) -> LoadedDetection:
    """Return a Simple Detection as what describes its alerts."""
    document = read_document(rule)
    functions = SimpleNamespace(**simple_functions(document))
    return LoadedDetection(detection_of(rule, document), functions)


def simple_functions(document: Mapping[str, Any]) -> dict[str, Callable[[Any], Any]]:
    """Return, by name, the functions that a Simple Detection has in place of Python."""
    made: dict[str, Callable[[Any], Any]] = {}
    if isinstance(title := document.get("AlertTitle"), str):
        made["title"] = lambda event: _PLACE.sub(lambda at: _text(_at(event, at[1])), title)
    if groups := _entries(document.get("GroupBy")):
        made["dedup"] = lambda event: ":".join(_text(_value(event, one)) for one in groups)
    if entries := _entries(document.get("AlertContext")):
        made["alert_context"] = lambda event: {
            str(one.get("KeyName")): _value(event, one.get("KeyValue")) for one in entries
        }
    if changes := _entries(document.get("DynamicSeverities")):
        made["severity"] = lambda event: _severity(event, changes)
    return made


def _entries(data: Any) -> list[Mapping[str, Any]]:
    return [one for one in data if isinstance(one, dict)] if isinstance(data, list) else []


def _severity(event: Any, changes: list[Mapping[str, Any]]) -> str:
    """Return the severity of the first entry whose conditions hold."""
    for one in changes:
        try:
            condition = lower_expressions(one.get("Conditions") or [])
        except RuleError:
            continue
        if holds_on(condition, event):
            return str(one.get("ChangeTo")).upper()
    return "DEFAULT"


def _value(event: Any, place: Any) -> Any:
    """Return what `Key`, `KeyPath` or `DeepKey` leads to, or a plain `Value`."""
    if not isinstance(place, dict):
        return place
    if isinstance(keys := place.get("DeepKey"), list):
        return Event(event).deep_get(*keys)
    path = place.get("KeyPath") or place.get("Key")
    return _at(event, str(path)) if path else place.get("Value")


def _at(event: Any, path: str) -> Any:
    return Event(event).deep_get(*path.split("."))


def _text(value: Any) -> str:
    return "" if value is None else str(value)
