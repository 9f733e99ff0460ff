"""Rule files of detection-rules: TOML with `[metadata]`, `[rule]` and `[transform]`."""

import re
import tomllib
from typing import Any

from tocsin.errors import Place, RuleError
from tocsin.rules.elastic.document import Document, Written

RULE = re.compile(r"^[ \t]*\[rule\]", re.MULTILINE)
_AT = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_HINTS = (
    (re.compile("Unclosed|Expected \"'|Unterminated", re.IGNORECASE), "close what is open"),
    (re.compile("overwrite|declare|defined|mutate", re.IGNORECASE), "say each field once"),
    (
        re.compile("escape|Illegal character", re.IGNORECASE),
        "write \\\\ for a backslash, or put the text in single quotes",
    ),
    (re.compile("Expected '='|Invalid statement"), "write FIELD = VALUE, or [TABLE]"),
    (re.compile("Invalid value"), "put texts in quotes"),
)


def read_toml(written: Written) -> Document:
    """Read a rule; raise `RuleError` with place, excerpt and hint where it is none."""
    try:
        data = tomllib.loads(written.text)
    except tomllib.TOMLDecodeError as error:
        raise _explain(written, str(error)) from None
    except RecursionError:
        raise RuleError("nests too deep", Place(written.path)) from None
    rule = _table(data, "rule")
    if not rule:
        raise RuleError("has no [rule]", Place(written.path))
    return Document(rule, written, _table(data, "metadata"), _table(data, "transform"))


def _table(data: dict[str, Any], key: str) -> dict[str, Any]:
    found = data.get(key)
    return found if isinstance(found, dict) else {}


def _explain(written: Written, message: str) -> RuleError:
    where = _AT.search(message)
    offset = len(written.text)
    if where and where[1]:
        lines = written.text.split("\n")[: int(where[1]) - 1]
        offset = sum(len(line) + 1 for line in lines) + int(where[2]) - 1
    problem = message[: where.start()] if where else message
    hint = next((hint for form, hint in _HINTS if form.search(problem)), "see https://toml.io")
    offset = min(offset, len(written.text.rstrip()) or offset)
    while offset and not written.excerpt(offset):
        offset -= 1
    reason = f"no TOML: {problem} at `{written.excerpt(offset)}`: {hint}"
    return RuleError(reason, written.place(offset))
