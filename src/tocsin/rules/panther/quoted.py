"""One line of a condition as pages write it → a match expression of Panther that ignores case."""

import json
import re
from typing import Any

from tocsin.errors import RuleError
from tocsin.rules.panther.yaml12 import Yaml

_CONDITIONS = {
    "==": "IEquals",
    "in": "IEquals",
    "contains": "IContains",
    "startswith": "IStartsWith",
    "starts_with": "IStartsWith",
    "endswith": "IEndsWith",
    "ends_with": "IEndsWith",
}
_LINE = re.compile(r"(?P<field>\w[\w-]*(?:\.\w[\w-]*)*)\s+(?P<op>==|[a-z_]+)\s+(?P<value>\S.*)")


def lower_line(text: str) -> Yaml:
    """Lower `FIELD in ["a", "b"]`, `FIELD == "a"` and their like; raise `RuleError` for others."""
    found = _LINE.fullmatch(text)
    if not found or found["op"] not in _CONDITIONS:
        known = ", ".join(_CONDITIONS)
        raise RuleError(f"{text!r:.80} is not FIELD OPERATOR VALUE with one of {known}")
    values = _values(found["op"], found["value"])
    expressions: list[Yaml] = [_expression(found["field"], found["op"], one) for one in values]
    return expressions[0] if len(expressions) == 1 else {"Any": expressions}


def _values(op: str, text: str) -> list[Any]:
    try:
        value = json.loads(text)
    except ValueError:
        raise RuleError(f"{text!r:.60} is neither a list, a text, a number nor a boolean") from None
    if isinstance(value, list) is not (op == "in") or value == []:
        raise RuleError(f"{op} takes {'a list' if op == 'in' else 'one value'}, not {text:.60}")
    return value if isinstance(value, list) else [value]


def _expression(field: str, op: str, value: Any) -> Yaml:
    condition = _CONDITIONS[op]
    if not isinstance(value, str):
        if condition != "IEquals" or not isinstance(value, int | float):
            raise RuleError(f"{op} takes a text, not {json.dumps(value):.60}")
        condition = "Equals"
    return {"KeyPath": field, "Condition": condition, "Value": value}
