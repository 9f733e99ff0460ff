"""What a test expects of a detection and of the alert, and how that differs from what was said."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tocsin.sandbox.runner import Outcome

RESULT = "ExpectedResult"
OF_ALERT: Mapping[str, str] = {
    "ExpectedTitle": "title",
    "ExpectedSeverity": "severity",
    "ExpectedDedup": "dedup",
    "ExpectedAlertContext": "alert_context",
    "ExpectedDestinations": "destinations",
}
"""Keys of a test, and what each expects of an alert. Panther knows the last of them."""

MAX_SHOWN = 1000
_NOTHING = object()


def differences(test: Mapping[str, Any], outcome: Outcome) -> Iterator[str]:
    """Yield lines that say what a test expects and what was found instead; none if nothing is."""
    if outcome.output is not test.get(RESULT):
        yield from difference(RESULT, test.get(RESULT), outcome.output)
        return
    for key in expected_of_alert(test):
        name = OF_ALERT.get(key)
        if name is None:
            yield f"{key} is not known; known: {', '.join([RESULT, *OF_ALERT])}"
        elif name not in outcome.alert:
            yield f"{key}: the detection raises no alert here that has a {name}"
        else:
            yield from _between(key, *_READ.get(key, _as_is)(test[key], outcome.alert[name]))


def expected_of_alert(test: Mapping[str, Any]) -> list[str]:
    """Return the keys under which a test says what it expects beside the result."""
    return [key for key in test if key.startswith("Expected") and key != RESULT]


def difference(name: str, expected: Any, found: Any) -> Iterator[str]:
    """Yield three lines: what differs, what is expected, what was found."""
    yield name
    yield f"  expected  {_shown(expected)}"
    yield f"  found     {_shown(found)}"


def _as_is(expected: Any, found: Any) -> tuple[Any, Any]:
    return expected, found


def _severity(expected: Any, found: Any) -> tuple[Any, Any]:
    return str(expected).upper(), found


def _destinations(expected: Any, found: Any) -> tuple[Any, Any]:
    """Order is of no meaning; none expected is an alert that goes nowhere."""
    named = expected if isinstance(expected, list) else [expected]
    return sorted(map(str, named or ["SKIP"])), sorted(found or [])


_READ = {"ExpectedSeverity": _severity, "ExpectedDestinations": _destinations}


def _between(name: str, expected: Any, found: Any) -> Iterator[str]:
    """Compare objects key by key, so that only what differs is shown."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for key in dict.fromkeys([*expected, *found]):
            values = expected.get(key, _NOTHING), found.get(key, _NOTHING)
            yield from _between(f"{name}.{key}", *values)
    elif expected != found:
        yield from difference(name, expected, found)


def _shown(value: Any) -> str:
    if value is _NOTHING:
        return "(nothing)"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"
