"""What a rule can be found by: read from the rule alone, the same for every ecosystem."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from tocsin.condition.describe import plain_value
from tocsin.condition.tree import (
    TRUE,
    And,
    AnyElement,
    Condition,
    FieldsCompare,
    Not,
    Or,
    Predicate,
)
from tocsin.rules.model import Indices, LogSource, Rule

_DATE = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})")
_SYSTEM = re.compile(r"OS: (.+)")
_SOURCE = re.compile(r"Data Source: (.+)")

PLATFORMS: Mapping[str, str] = {
    "amazon": "aws",
    "gsuite": "google_workspace",
    "gws": "google_workspace",
    "entra": "azure",
    "azureactivedirectory": "azure",
    "microsoft365": "m365",
    "microsoftgraph": "azure",
    "o365": "m365",
    "microsoft": "m365",
    "osx": "macos",
    "google_cloud": "gcp",
}
"""Other names of platforms, as ecosystems write them, and the one that is used here."""


class Test(NamedTuple):
    """A predicate as people look for it: a field, how it compares, and with what, all as texts."""

    field: str
    op: str
    value: str
    negated: bool = False
    """It must not hold."""


def rule_tests(rule: Rule) -> list[Test]:
    """Return what a rule's inputs test, each once, in their order."""
    found = (test for one in rule.inputs for test in condition_tests(one.condition))
    return list(dict.fromkeys(found))


def condition_tests(
    condition: Condition, above: str = "", *, negated: bool = False
) -> Iterator[Test]:
    """Yield what a condition tests; fields of an array's objects have the array's name in front."""
    match condition:
        case Predicate(field, op, values):
            name = above + ".".join(field.path)
            for value in map(plain_value, values) if values else ("",):
                yield Test(name, op.value, value, negated)
        case FieldsCompare(left, op, right):
            name, other = (above + ".".join(one.path) for one in (left, right))
            yield Test(name, op.value, other, negated)
        case And(parts) | Or(parts):
            for part in parts:
                yield from condition_tests(part, above, negated=negated)
        case Not(part):
            yield from condition_tests(part, above, negated=not negated)
        case AnyElement(path, inner):
            inside = f"{above}{'.'.join(path)}."
            yield from condition_tests(inner, inside, negated=negated)


def platforms(rule: Rule) -> tuple[str, ...]:
    """Return the systems and services whose logs a rule reads, in lower case."""
    named = tuple(_tagged(rule, _SYSTEM)) or _products(rule)
    found = map(_platform, named)
    return tuple(dict.fromkeys(name for name in found if name))


def sources(rule: Rule) -> tuple[str, ...]:
    """Return where a rule's logs come from, in the words of its ecosystem."""
    scopes = (one.scope for one in rule.inputs)
    own = [str(scope) for scope in scopes if isinstance(scope, LogSource)]
    return tuple(dict.fromkeys((*own, *_tagged(rule, _SOURCE), *log_types_named(rule))))


def _products(rule: Rule) -> Iterator[str]:
    for one in rule.inputs:
        if isinstance(one.scope, LogSource):
            yield one.scope.product or ""
    integrations = part_of(rule, "metadata").get("integration")
    yield from texts(integrations)
    for name in log_types_named(rule):
        yield name.partition(".")[0]


def _tagged(rule: Rule, pattern: re.Pattern[str]) -> Iterator[str]:
    return (found[1] for tag in rule.tags if (found := pattern.fullmatch(tag)))


def _platform(name: str) -> str:
    lower = name.strip().lower().replace(" ", "_")
    return PLATFORMS.get(lower, lower)


def log_types_named(rule: Rule) -> tuple[str, ...]:
    """Return the log types that a rule of Panther names itself."""
    if rule.ecosystem != "panther":
        return ()
    own = document(rule)
    return texts(own.get("LogTypes") or own.get("ResourceTypes"))


def changed(rule: Rule) -> str:
    """Return the day a rule was last changed, or written, as `2025-01-31`; empty if unknown."""
    return day(rule.modified) or day(rule.date)


def day(text: str | None) -> str:
    """Return a date as ISO 8601 writes it; empty for what is none."""
    found = _DATE.match(text or "")
    return f"{found[1]}-{int(found[2]):02}-{int(found[3]):02}" if found else ""


def holdings(rule: Rule) -> tuple[str, ...]:
    """Return which of the parts that a rule may have this one has."""
    parts = {
        "attack": rule.attack,
        "author": rule.author,
        "false_positives": rule.false_positives,
        "guide": rule.guide,
        "logic": any(one.condition != TRUE for one in rule.inputs),
        "reference": rule.references,
        "setup": rule.setup,
        "stage": rule.stage,
        "suppression": rule.suppression,
        "test": tests_of(rule) or case_file(rule.path),
    }
    return tuple(name for name, part in parts.items() if part)


def tests_of(rule: Rule) -> list[Mapping[str, Any]]:
    """Return the tests that a rule of Panther carries."""
    found = document(rule).get("Tests") if rule.ecosystem == "panther" else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def case_file(path: str) -> Path | None:
    """Return the file of cases that stands beside a rule's file, if there is one."""
    place = Path(path)
    name = _case_files(str(place.parent)).get(f"{place.stem}.cases")
    return place.parent / name if name else None


@cache
def _case_files(folder: str) -> Mapping[str, str]:
    """Return the names of the case files of a folder, by the same without their ending."""
    try:
        return {one.stem: one.name for one in Path(folder).glob("*.cases.y*ml")}
    except OSError:
        return {}


def indices(rule: Rule) -> tuple[str, ...]:
    """Return the index patterns that a rule searches."""
    scopes = (one.scope for one in rule.inputs)
    found = (name for scope in scopes if isinstance(scope, Indices) for name in scope.patterns)
    return tuple(dict.fromkeys(found)) or texts(part_of(rule, "rule").get("index"))


def document(rule: Rule) -> Mapping[str, Any]:
    """Return all that a rule's file says, if that is kept."""
    return _parsed(rule.document) if rule.document else {}


@lru_cache(maxsize=8)
def _parsed(text: str) -> Mapping[str, Any]:
    found = json.loads(text)
    return found if isinstance(found, dict) else {}


def part_of(rule: Rule, part: str) -> Mapping[str, Any]:
    """Return one table of what a rule of Elastic says."""
    found = document(rule).get(part)
    return found if isinstance(found, dict) else {}


def texts(value: object) -> tuple[str, ...]:
    """Return a text or a list of texts as several."""
    items: Iterable[object] = value if isinstance(value, list) else (value,)
    return tuple(str(item) for item in items if isinstance(item, str | int | float) and item != "")
