"""Records of logs that have no log type: flat or nested objects under the names of the rules."""

import json
from collections.abc import Callable, Iterator

from generated.corpus import CorpusRule
from generated.generator import Values, World, fold, share
from oracle import sigma_oracle

WORLD = World(free=("message", "details"), lists=True)
TIME = "2026-03-04T05:06:07.891Z"


def make_record(rule: CorpusRule, values: Values) -> dict:
    """Write an event; a name with dots is a key of its own, or keys inside each other.

    Every third rule gets its keys in upper case.
    """
    spelled = {fold(name): name for name in rule.fields}
    named = {spelled.get(slot, slot): value for slot, value in values.items()}
    if share(rule.id, 3) == 0:
        named = {name.upper(): value for name, value in named.items()}
    nested = nest(named) if share(rule.id, 2) else None
    return {"@timestamp": TIME, **(nested or named)}


def nest(named: Values) -> dict | None:
    """Nest names at their dots; None where a name is both a value and a place for others."""
    record: dict = {}
    for name, value in named.items():
        *outer, last = name.split(".")
        at = record
        for key in outer:
            at = at.setdefault(key, {})
            if not isinstance(at, dict):
                return None
        if last in at:
            return None
        at[last] = value
    return record


def reader(record: dict) -> Callable[[CorpusRule], bool]:
    """Return what says of any rule whether it matches a record."""
    parsed = sigma_oracle.parse_event(json.dumps(dict(flattened(record, ""))))
    return lambda rule: rule.matches(parsed)


def flattened(record: dict, prefix: str) -> Iterator[tuple[str, object]]:
    for name, value in record.items():
        if isinstance(value, dict):
            yield from flattened(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value
