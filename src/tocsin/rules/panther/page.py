"""Web pages that quote a rule of Panther: its YAML without indentation, and its condition in words.

A page does not show the rule's Python. What becomes of it is a Simple Detection: the metadata and
tests of the YAML, and the condition that stands under "Detection logic", ignoring case.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml

from tocsin.errors import Place, RuleError
from tocsin.rules.panther.flattened import BodyReader, Line
from tocsin.rules.panther.kinds import METADATA
from tocsin.rules.panther.quoted import lower_line
from tocsin.rules.panther.yaml12 import Yaml, read_yaml12

_BODY = re.compile(r"^#*[ \t]*Rule body\b[^\n]*$", re.MULTILINE)
_LOGIC = "Detection logic"
_CONDITION = "Condition"
_ENDS = {"Indicators", "Output fields"}
"""Headings behind the condition."""
_ABOUT = """\
# Read from a page that quotes this rule without its Python. Detection is the condition that the
# page gives, ignoring case.
"""


def quotes_panther_rule(text: str) -> bool:
    """Say whether a text is a page with a rule of Panther in it."""
    body = _BODY.search(text)
    return bool(body and METADATA.search(text, body.end()))


def yaml_of_page(text: str, path: Path) -> str:
    """Return the rule that a page quotes as a file of Panther's that needs no Python.

    Raises `RuleError` with the line that cannot be read.
    """
    lines = [Line(number, line.strip()) for number, line in enumerate(text.splitlines(), 1)]
    start = next((at for at, line in enumerate(lines) if _BODY.fullmatch(line.text)), -1) + 1
    end = next((at for at in range(start, len(lines)) if _heading(lines[at]) == _LOGIC), None)
    if end is None:
        reason = f"has no {_LOGIC!r}: without it and the Python, nothing says what the rule finds"
        raise RuleError(reason, Place(path))
    data = BodyReader(path, lines[start:end]).read()
    if data.get("AnalysisType") != "rule":
        raise RuleError(f"AnalysisType {data.get('AnalysisType')!r:.40} is not rule", Place(path))
    conditions: list[Yaml] = [_lower(path, line) for line in _condition(lines[end + 1 :])]
    if not conditions:
        raise RuleError(f"{_LOGIC!r} holds no condition", Place(path, lines[end].number, 1))
    return _ABOUT + _write(_with_detection(data, conditions))


def _heading(line: Line) -> str:
    return line.text.lstrip("#").strip()


def _condition(lines: list[Line]) -> Iterator[Line]:
    """Yield the lines of the condition, all of which must hold."""
    inside = False
    for line in lines:
        name = _heading(line)
        if name in _ENDS:
            return
        if inside and name:
            yield line
        inside = inside or name == _CONDITION


def _lower(path: Path, line: Line) -> Yaml:
    try:
        return lower_line(line.text)
    except RuleError as error:
        raise RuleError(str(error), Place(path, line.number, 1)) from None


def _with_detection(data: Mapping[str, Yaml], conditions: list[Yaml]) -> dict[str, Yaml]:
    """Put the condition in the place of the Python, in front of the tests."""
    kept = {key: value for key, value in data.items() if key not in {"Filename", "Tests"}}
    tests = {"Tests": data["Tests"]} if "Tests" in data else {}
    return {**kept, "Detection": conditions, **tests}


class _Dumper(yaml.SafeDumper):
    """Writes what reads the same by YAML 1.1 and 1.2."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None if _reads_as_it_is(value) else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style)


def _reads_as_it_is(value: str) -> bool:
    try:
        return read_yaml12(value, Path()).value == value
    except RuleError:
        return True


_Dumper.add_representer(str, _text)


def _write(data: Mapping[str, Yaml]) -> str:
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1000)
