"""Kibana's exports of rules: objects line by line, in an array, or as saved objects.

What a list of exceptions holds stands in the export beside the rules that name the list.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tocsin.errors import RuleError
from tocsin.jsontext import valid_text
from tocsin.rules.elastic.document import Document, Table, Written
from tocsin.rules.elastic.exceptions import lists_of
from tocsin.rules.elastic.kinds import NOT_YET, STAGED

TYPES = {*STAGED, *NOT_YET, "saved_query"}
_EXPORTED = re.compile(r'"(?:rule_id|ruleId|exported_count|exported_rules_count)"\s*:')
_BETWEEN = re.compile(r"[\s,\[\]]*")
_NEXT_LINE = re.compile(r"\n\s*\{")
_DECODER = json.JSONDecoder()
_KEPT_AS_THEY_ARE = {"filters", "threatFilters", "meta"}


def is_export(text: str) -> bool:
    """Say whether a text may be an export of rules."""
    return text.lstrip()[:1] in {"{", "["} and bool(_EXPORTED.search(text))


@dataclass(frozen=True, slots=True)
class Broken:
    """A part of an export that is not JSON."""

    error: RuleError
    written: Written


def read_export(text: str, path: Path) -> Iterator[Document | Broken]:
    """Yield the rules of an export, and its parts that cannot be read, in order."""
    found = list(_objects(text, path))
    items = [value for value, _ in found if isinstance(value, dict) and "item_id" in value]
    for value, written in found:
        if isinstance(value, RuleError):
            yield Broken(value, written)
            continue
        rule = _rule(value)
        if rule is not None:
            excepted = tuple(_excepted(rule, items))
            yield Document(rule, written, exceptions=excepted, exported=True)


def _excepted(rule: Table, items: Iterable[Table]) -> Iterator[Table]:
    lists = lists_of(rule)
    yield from (item for item in items if item.get("list_id") in lists)


def _rule(value: object) -> Table | None:
    """Return the fields of an object that is a rule."""
    if not isinstance(value, dict):
        return None
    attributes = value.get("attributes")
    if isinstance(attributes, dict) and isinstance(attributes.get("params"), dict):
        return _from_saved_object(attributes)
    typed = "name" in value and str(value.get("type")) in TYPES
    return value if typed or "rule_id" in value else None


def _from_saved_object(attributes: Table) -> Table:
    """Return the fields of a rule that is kept as an alerting rule with parameters."""
    params = {
        _snake(key): value if key in _KEPT_AS_THEY_ARE else _snake_all(value)
        for key, value in attributes["params"].items()
    }
    schedule = attributes.get("schedule") or {}
    beside = {key: attributes[key] for key in ("name", "tags", "enabled") if key in attributes}
    interval = {"interval": schedule["interval"]} if "interval" in schedule else {}
    return {**params, **interval, **beside}


def _snake_all(value: Any) -> Any:
    if isinstance(value, dict):
        return {_snake(key): _snake_all(item) for key, item in value.items()}
    return [_snake_all(item) for item in value] if isinstance(value, list) else value


def _snake(key: str) -> str:
    return re.sub(r"(?<=[a-z])([A-Z])", lambda letter: f"_{letter[1].lower()}", key)


def _objects(text: str, path: Path) -> Iterator[tuple[object, Written]]:
    """Yield what stands in an export with its place; what is no JSON as the error that it is."""
    at, line, line_start, counted = _skip(text, 0), 1, 0, 0
    while at < len(text):
        line += text.count("\n", counted, at)
        line_start = max(line_start, text.rfind("\n", counted, at) + 1)
        value, end, following = _object(text, at, path)
        yield value, Written(path, text[at:end], line, at - line_start)
        at, counted = _skip(text, following), at


def _object(text: str, at: int, path: Path) -> tuple[object, int, int]:
    """Return the object at a place, where it ends, and where to look for the next."""
    try:
        value, end = _DECODER.raw_decode(text, at)
    except json.JSONDecodeError as error:
        line_end = text.find("\n", at)
        following = _NEXT_LINE.search(text, max(at, error.pos - 1))
        return (
            _broken(path, error),
            len(text) if line_end < 0 else line_end,
            following.end() - 1 if following else len(text),
        )
    except RecursionError:
        return RuleError("nests too deep", Written(path, text).place(at)), len(text), len(text)
    return _encodable(value), end, end


def _encodable(value: Any) -> Any:
    """Return a value whose texts can be encoded: escapes can hide halves of characters."""
    if isinstance(value, str):
        return valid_text(value)
    if isinstance(value, dict):
        return {valid_text(key): _encodable(item) for key, item in value.items()}
    return [_encodable(item) for item in value] if isinstance(value, list) else value


def _skip(text: str, at: int) -> int:
    between = _BETWEEN.match(text, at)
    return between.end() if between else at


def _broken(path: Path, error: json.JSONDecodeError) -> RuleError:
    whole = Written(path, error.doc)
    excerpt = whole.excerpt(error.pos)
    reason = f"no JSON: {error.msg} at `{excerpt}`: write one object per line, or an array"
    return RuleError(reason, whole.place(error.pos))
