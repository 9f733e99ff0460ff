"""Investigation guides: what a note refers to is written where it refers to it.

A rule file says `$osquery_0` and keeps the query elsewhere; an export has `!{osquery{…}}` in place.
`{{field}}` stays: it stands for a field of the event.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from tocsin.rules.elastic.document import Document, Table

_PLACEHOLDER = re.compile(r"\$(osquery|investigate)_(\d+)")
_PLUGIN = re.compile(r"!\{(osquery|investigate)(?=\{)")
_DECODER = json.JSONDecoder()


def render_guide(document: Document) -> str:
    """Return a rule's note as Markdown that stands alone."""
    note = document.rule.get("note")
    if not isinstance(note, str):
        return ""
    found = _PLACEHOLDER.sub(lambda match: _referred(match, document.transform), note)
    return _inline(found).strip()


def _referred(match: re.Match[str], transform: Table) -> str:
    items = transform.get(match[1])
    number = int(match[2])
    if isinstance(items, list) and number < len(items) and isinstance(items[number], dict):
        return _RENDERED[match[1]](items[number])
    return match[0]


def _inline(text: str) -> str:
    parts: list[str] = []
    at = 0
    for match in _PLUGIN.finditer(text):
        if match.start() < at:
            continue
        try:
            item, end = _DECODER.raw_decode(text, match.end())
        except ValueError:
            continue
        if text[end : end + 1] != "}":
            continue
        parts += [text[at : match.start()], _RENDERED[match[1]](item)]
        at = end + 1
    return "".join((*parts, text[at:]))


def _osquery(item: Table) -> str:
    query = " ".join(str(item.get("query", "")).split())
    return f"{item.get('label') or 'Osquery'}: {_code(query)}"


def _investigate(item: Table) -> str:
    """Write providers as the searches that they are: any list of which all must hold."""
    providers = item.get("providers")
    groups = providers if isinstance(providers, list) else []
    searches = " or ".join(_code(" and ".join(map(_provider, group))) for group in groups)
    description = str(item.get("description") or "").strip()
    lead = ": ".join(part for part in (str(item.get("label") or ""), description) if part)
    return f"{lead or 'Investigate'}: {searches}"


def _provider(one: Mapping[str, Any]) -> str:
    field, value = one.get("field", ""), one.get("value", "")
    kind = one.get("queryType")
    asked = f"{field}: *" if kind == "exists" else f'{field}: "{value}"'
    return f"not {asked}" if one.get("excluded") is True else asked


def _code(text: str) -> str:
    ticks = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
    return f"{ticks} {text} {ticks}" if len(ticks) > 1 else f"`{text}`"


_RENDERED = {"osquery": _osquery, "investigate": _investigate}
