"""The text of a rule's file, as its author wrote it."""

from dataclasses import dataclass
from pathlib import Path

import orjson

from tocsin.errors import RuleError
from tocsin.rules.load import MAX_BYTES
from tocsin.rules.model import Rule
from tocsin.rules.traits import document

_LANGUAGES = {".toml": "toml", ".yml": "yaml", ".yaml": "yaml", ".json": "json", ".ndjson": "json"}


@dataclass(frozen=True, slots=True)
class RawText:
    """One file of a rule, or the part of a file that is about it."""

    name: str
    language: str
    text: str


def raw_texts(rule: Rule) -> list[RawText]:
    """Return the texts of a rule's files; none if they can no longer be read.

    Of an export that holds many rules it is the rule's own part.
    """
    path = Path(rule.path)
    language = _LANGUAGES.get(path.suffix.lower(), "text")
    if language == "json" and rule.document:
        text = orjson.dumps(document(rule), option=orjson.OPT_INDENT_2).decode()
        return [RawText(path.name, language, text)]
    found = [RawText(path.name, language, text) for text in _read(path)]
    if rule.ecosystem == "panther" and (name := str(document(rule).get("Filename") or "")):
        found += [RawText(Path(name).name, "python", text) for text in _python(rule)]
    return found


def _read(path: Path) -> list[str]:
    try:
        if path.stat().st_size > MAX_BYTES:
            return []
        return [path.read_text("utf-8-sig", errors="replace")]
    except OSError:
        return []


def _python(rule: Rule) -> list[str]:
    from tocsin.rules.panther.pack import read_python

    try:
        return [read_python(rule)]
    except RuleError:
        return []
