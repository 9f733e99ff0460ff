"""Web pages that quote a rule of Elastic: its file with numbered lines, or its fields in prose."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tocsin.rules.elastic.document import Document, Written
from tocsin.rules.elastic.render import render_toml
from tocsin.rules.elastic.toml import read_toml

_FIRST = re.compile(r"^([ \t]*)1([ \t]*\[(?:metadata|rule|transform)\][ \t]*)$", re.MULTILINE)
_PROSE = re.compile(r"^\*\*Rule type\*\*: *\S", re.MULTILINE)
_TITLE = re.compile(r"^# (.+?)(?: *\[[^\]]*\])? *$", re.MULTILINE)
_LABEL = re.compile(r"^\*\*([^*\n]+)\*\*:?[ \t]*(.*)$", re.MULTILINE)
_ITEM = re.compile(r"^[ \t]*[*-][ \t]+(.*\S)[ \t]*$", re.MULTILINE)
_LINK = re.compile(r"\[([^\]]*)\]\(([^)]*)\)")
_HEADING = re.compile(r"^## ([^\n\[]+?)[ \t]*(?:\[[^\]\n]*\])?[ \t]*$", re.MULTILINE)
_CODE = re.compile(r"^(`{3,})[^\n]*\n(.*?)^\1[ \t]*$", re.MULTILINE | re.DOTALL)
_DATE_MATH = re.compile(r"now[^\s(\[]*")
_TEXTS = {
    "Rule type": "type",
    "Severity": "severity",
    "Runs every": "interval",
    "Rule license": "license",
    "Timestamp override": "timestamp_override",
}
_LISTS = {
    "Rule indices": "index",
    "References": "references",
    "Tags": "tags",
    "Rule authors": "author",
    "False positives": "false_positives",
    "False positive examples": "false_positives",
}
_NUMBERS = {
    "Risk score": "risk_score",
    "Maximum alerts per execution": "max_signals",
    "Version": "version",
}
_KQL = {"query", "new_terms", "threshold", "threat_match"}


def is_page(text: str) -> bool:
    """Say whether a text is a page that quotes a rule."""
    return bool(_FIRST.search(text) or _PROSE.search(text))


def read_page(text: str, path: Path) -> Document:
    """Read the rule that a page quotes; raise `RuleError` where it cannot be read."""
    first = _FIRST.search(text)
    return read_toml(_numbered(text, first, path)) if first else _read_prose(text, path)


def toml_of_page(text: str, path: Path) -> str:
    """Return the rule that a page quotes as a rule file; raise `RuleError` if it is no TOML."""
    document = read_page(text, path)
    if _FIRST.search(text):
        return document.written.text
    return render_toml({"metadata": {"maturity": "production"}, "rule": document.rule})


def _numbered(text: str, first: re.Match[str], path: Path) -> Written:
    """Return the text behind consecutive line numbers.

    Numbers are as wide as the last, with blanks in front, or as wide as they are.
    """
    width = len(first[1]) + 1
    lines = []
    for number, line in enumerate(text[first.start() :].split("\n"), start=1):
        shown = str(number)
        padded = shown.rjust(width) if first[1] else shown
        if not line.startswith(padded):
            break
        lines.append(line[len(padded) :])
    found = "\n".join((*lines, ""))
    return Written(path, found, text.count("\n", 0, first.start()) + 1, margin=width)


def _read_prose(text: str, path: Path) -> Document:
    title = _TITLE.search(text)
    start = title.end() if title else 0
    head, sections = _sections(text[start:])
    rule: dict[str, Any] = dict(_labelled(head))
    code = _CODE.search(sections.get("Rule query", ""))
    rule |= {
        "name": title[1] if title else path.stem,
        "description": _LABEL.split(head, maxsplit=1)[0].strip(),
        "note": sections.get("Investigation guide", "").strip(),
        "setup": sections.get("Setup", "").strip(),
        "query": code[2].strip() if code else "",
        "threat": list(_threats(text)),
    }
    if rule.get("type") in _KQL:
        rule["language"] = "kuery"
    return Document({key: value for key, value in rule.items() if value}, Written(path, text))


def _sections(text: str) -> tuple[str, dict[str, str]]:
    """Return what stands in front of the first heading, and the sections by their headings."""
    head, *rest = _HEADING.split(text)
    return head, dict(zip(rest[::2], rest[1::2], strict=True))


def _labelled(text: str) -> Iterator[tuple[str, Any]]:
    labels = list(_LABEL.finditer(text))
    ends = [one.start() for one in labels[1:]] + [len(text)]
    for label, end in zip(labels, ends, strict=True):
        name, value = label[1].rstrip(":").strip(), label[2].strip()
        if name in _TEXTS:
            yield _TEXTS[name], value
        elif name in _NUMBERS and value.isdigit():
            yield _NUMBERS[name], int(value)
        elif name in _LISTS:
            items = _ITEM.findall(text[label.end() : end])
            yield _LISTS[name], [_LINK.sub(_address, one) for one in items if one != "None"]
        elif name == "Searches indices from" and (start := _DATE_MATH.match(value)):
            yield "from", start[0]


def _address(link: re.Match[str]) -> str:
    return link[1] if link[1].startswith("http") else link[2]


def _threats(text: str) -> Iterator[dict[str, Any]]:
    """Yield the frameworks that a page lists: tactic, techniques and their parts."""
    for part in re.split(r"^\*\*Framework\*\*:[^\n]*$", text, flags=re.MULTILINE)[1:]:
        threat: dict[str, Any] = {"framework": "MITRE ATT&CK"}
        for kind, item in _named(_ITEM.findall(part)):
            if kind == "Tactic":
                threat["tactic"] = item
            elif kind == "Technique":
                threat.setdefault("technique", []).append(item)
            elif techniques := threat.get("technique"):
                techniques[-1].setdefault("subtechnique", []).append(item)
        yield threat


def _named(items: Iterable[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the kind of each item and the fields that follow it."""
    keys = {"Name": "name", "ID": "id", "Reference URL": "reference"}
    kind, found = "", dict[str, Any]()
    for item in items:
        name, _, value = item.partition(":")
        if name in keys:
            found[keys[name]] = _LINK.sub(_address, value.strip())
            continue
        if found:
            yield kind, found
        kind, found = name, {}
    if found:
        yield kind, found
