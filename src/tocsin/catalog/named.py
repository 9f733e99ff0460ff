"""What is counted in the matrix: rules, and alerts of a file."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import orjson

from tocsin.catalog.matrix import Named
from tocsin.errors import InputError
from tocsin.rules.model import Rule, Technique


def named_rules(rules: Iterable[Rule]) -> Iterator[Named]:
    """Yield what rules name, by ecosystem."""
    return (Named(rule.attack, rule.ecosystem) for rule in rules)


def named_alerts(path: Path) -> Iterator[Named]:
    """Yield what alerts of an NDJSON file name, by severity, each as often as it was raised.

    Raises `InputError` for a file that holds anything else.
    """
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield _alert(line, f"{path}:{number}")
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None


def _alert(line: bytes, place: str) -> Named:
    try:
        alert = orjson.loads(line)
        count = alert.get("count", 1)
        entries = tuple(
            Technique(_text(one.get("tactic")), _text(one.get("technique")))
            for one in alert["attack"]
        )
        return Named(entries, str(alert["severity"]), count if isinstance(count, int) else 1)
    except (AttributeError, KeyError, TypeError, ValueError):
        raise InputError(f"{place}: no alert as `tocsin scan -f ndjson` writes them") from None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
