"""Text that may hold rules of Elastic → Rules."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from tocsin.errors import RuleError
from tocsin.rules.elastic.build import build_rule
from tocsin.rules.elastic.document import Document, Written
from tocsin.rules.elastic.kibana import Broken, is_export, read_export
from tocsin.rules.elastic.page import is_page, read_page
from tocsin.rules.elastic.toml import RULE, read_toml
from tocsin.rules.model import Rule, Verdict

_SAID = '(?:^|[{{,])[ \t]*"?{}"?[ \t]*[=:][ \t]*["\']([^"\']+)["\']'


def reader_of(text: str) -> Callable[[str, str, Path], list[Rule]] | None:
    """Return what reads a text's rules, given the text, a pack and a path; None if it has none."""
    if is_export(text):
        return _read_export
    if quotes_rule(text):
        return _read_page
    return _read_toml if RULE.search(text) else None


def quotes_rule(text: str) -> bool:
    """Say whether a text is a page with a rule in it, and no rule file."""
    is_file = text.lstrip()[:1] in {"[", "#"} and RULE.search(text)
    return not is_file and is_page(text)


def _read_toml(text: str, pack: str, path: Path) -> list[Rule]:
    written = Written(path, text)
    return [_built(lambda: read_toml(written), written, pack)]


def _read_page(text: str, pack: str, path: Path) -> list[Rule]:
    return [_built(lambda: read_page(text, path), Written(path, text), pack)]


def _read_export(text: str, pack: str, path: Path) -> list[Rule]:
    return list(_exported(text, pack, path))


def _exported(text: str, pack: str, path: Path) -> Iterator[Rule]:
    for found in read_export(text, path):
        if isinstance(found, Broken):
            yield _broken(found.written, pack, found.error)
        else:
            yield build_rule(found, pack)


def _built(read: Callable[[], Document], written: Written, pack: str) -> Rule:
    try:
        return build_rule(read(), pack)
    except RuleError as error:
        return _broken(written, pack, error)


def _broken(written: Written, pack: str, error: RuleError) -> Rule:
    """Return what can be said of a rule that cannot be read."""
    said = {key: value for key in ("rule_id", "name", "type") if (value := _find(written, key))}
    rule = build_rule(Document(said, written), pack)
    return replace(
        rule, inputs=(), stage=None, verdict=Verdict.CANNOT, reasons=(str(error),), notes=()
    )


def _find(written: Written, key: str) -> str | None:
    match = re.search(_SAID.format(key), written.text, re.MULTILINE)
    return match[1] if match else None
