"""Exception lists of a Kibana export: events that a rule is not about.

https://www.elastic.co/docs/solutions/security/detect-and-alert/add-manage-exceptions
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tocsin.condition.tree import And, AnyElement, Condition, Not, Or
from tocsin.errors import RuleError
from tocsin.rules.elastic.document import Table
from tocsin.rules.elastic.filters import Filters, read_wildcard

ENDPOINT_LIST = "endpoint_list"
"""The list of Elastic Defend, which works on hosts; rules do not read it."""


@dataclass(frozen=True, slots=True)
class Excepted:
    """What exceptions mean, and how they are not quite what Kibana would do."""

    condition: Condition
    approximations: tuple[str, ...] = ()


def lists_of(rule: Table) -> tuple[str, ...]:
    """Return the ids of the exception lists that a rule reads."""
    lists = rule.get("exceptions_list")
    kept = (
        one
        for one in (lists if isinstance(lists, list) else ())
        if isinstance(one, dict) and one.get("type") != "endpoint"
    )
    ids = (str(one.get("list_id", "")) for one in kept)
    return tuple(one for one in ids if one and one != ENDPOINT_LIST)


def lower_exceptions(items: Sequence[Table], filters: Filters) -> Excepted:
    """Lower items: an event is excepted if any of them holds, and of that every entry."""
    parts = tuple(_item(item, filters) for item in items)
    dated = [item for item in items if item.get("expire_time")]
    notes = tuple(
        f"exception {item.get('name', item.get('item_id'))!r} ends at {item['expire_time']}; "
        "here it is applied to events of any time"
        for item in dated
    )
    return Excepted(Or(parts), notes)


def _item(item: Table, filters: Filters) -> Condition:
    entries = item.get("entries")
    if not isinstance(entries, list) or not entries:
        raise RuleError(f"exception {item.get('item_id')}: has no entries")
    return And(tuple(_entry(entry, filters) for entry in entries))


def _entry(entry: Any, filters: Filters) -> Condition:
    kind = str(entry.get("type")) if isinstance(entry, dict) else ""
    if kind not in ENTRIES:
        raise RuleError(f"an exception of type {kind!r} is not supported: {', '.join(ENTRIES)} are")
    try:
        found = ENTRIES[kind](entry, filters)
    except KeyError as error:
        raise RuleError(f"an exception of type {kind!r} has no {error}") from None
    return Not(found) if entry.get("operator") == "excluded" else found


def _nested(entry: Table, filters: Filters) -> Condition:
    path = str(entry["field"])
    inner: Iterable[Any] = entry.get("entries") or ()
    within = replace(filters, inside=path)
    return AnyElement((path,), And(tuple(_entry(one, within) for one in inner)))


ENTRIES: Mapping[str, Callable[[Table, Filters], Condition]] = {
    "match": lambda entry, filters: filters.values(entry["field"], [entry["value"]]),
    "match_any": lambda entry, filters: filters.values(entry["field"], entry["value"]),
    "exists": lambda entry, filters: filters.exists({"field": entry["field"]}),
    "wildcard": lambda entry, filters: filters.globs(
        entry["field"], [read_wildcard(entry["value"])]
    ),
    "nested": _nested,
}
