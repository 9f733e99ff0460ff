"""YAML of a rule of Panther whose indentation is lost: what belongs together is told by the keys.

Objects can be read in braces only. In a text of several lines, a line that begins with a key of
rules ends the text.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tocsin.errors import Place, RuleError
from tocsin.rules.panther.yaml12 import Yaml, read_yaml12

MAX_LINES = 1000
"""Lines of one object in braces."""

_LISTS = {"LogTypes", "Tags", "SummaryAttributes", "OutputIds", "Reference"}
_TOP = _LISTS | {
    "AnalysisType", "RuleID", "Filename", "DisplayName", "Enabled", "Severity", "Description",
    "Runbook", "Status", "CreateAlert", "DedupPeriodMinutes", "Threshold", "CreatedBy",
    "BaseVersion", "OnlyUseBaseRiskScore", "Reports", "Tests",
}  # fmt: skip
_OF_TEST = {"Name", "ExpectedResult", "LogType", "Log", "Mocks"}
_OF_MOCK = {"objectName", "returnValue"}
_IN_TEST = _TOP | _OF_TEST
_IN_MOCK = _IN_TEST | _OF_MOCK

_KEY = re.compile(r"(?P<key>[A-Za-z]+):(?:\s+(?P<rest>.*))?")
_FRAMEWORK = re.compile(r"(?P<name>[^\s-].*?):(?:\s+(?P<rest>.*))?")
_CLOSING = re.compile(r"[}\]\"']")
_BLOCK = re.compile(r"(?P<style>[>|])(?P<chomp>[+-]?)(?:\s+#.*)?")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a page, without blanks around it."""

    number: int
    text: str


def _begins(text: str, keys: set[str]) -> bool:
    key = _KEY.fullmatch(text)
    return bool(key and key["key"] in keys)


def _behind_hyphen(text: str) -> str:
    """Return what a member of a list is; empty if there is none."""
    return text[1:].strip() if text.startswith(("- ", "-\t")) else ""


class BodyReader:
    """Reads the lines of one rule; errors say at which line."""

    def __init__(self, path: Path, lines: Sequence[Line]) -> None:
        self._path = path
        self._lines = lines
        self._at = 0

    def read(self) -> dict[str, Yaml]:
        """Return what the rule says; raise `RuleError` for what cannot be told."""
        found: dict[str, Yaml] = {}
        while line := self._peek():
            self._add(found, line, _TOP, self._top)
        return found

    def _add(
        self,
        found: dict[str, Yaml],
        text: str,
        keys: set[str],
        read: Callable[[str, str], Yaml],
    ) -> None:
        """Read one key and its value."""
        key = _KEY.fullmatch(text)
        if not key or key["key"] not in keys:
            raise self._fail(f"{text!r:.60} is none of the keys that can stand here")
        if key["key"] in found:
            raise self._fail(f"the key {key['key']!r} stands twice")
        self._at += 1
        found[key["key"]] = read(key["key"], key["rest"] or "")

    def _top(self, key: str, rest: str) -> Yaml:
        if rest and not rest.startswith("#"):
            return self._value(rest, lambda text: _begins(text, _TOP))
        if key == "Tests":
            return self._tests()
        if key == "Reports":
            return self._reports()
        return self._list() if key in _LISTS else None

    def _list(self) -> list[Yaml]:
        found: list[Yaml] = []
        while item := _behind_hyphen(self._peek()):
            self._at += 1
            found.append(self._parsed(item))
        return found

    def _reports(self) -> Yaml:
        found: dict[str, Yaml] = {}
        while (line := self._peek()) and not _begins(line, _TOP):
            name = _FRAMEWORK.fullmatch(line)
            if not name:
                raise self._fail(f"{line!r:.60} is not the name of a framework")
            self._at += 1
            found[name["name"]] = self._parsed(name["rest"]) if name["rest"] else self._list()
        return found

    def _tests(self) -> Yaml:
        found: list[Yaml] = []
        while first := _behind_hyphen(self._peek()):
            found.append(self._member(first, _OF_TEST, _IN_TEST, self._of_test))
        return found

    def _member(
        self, first: str, keys: set[str], around: set[str], read: Callable[[str, str], Yaml]
    ) -> Yaml:
        """Read an object of a list, up to the next one or to a key of what is around."""
        found: dict[str, Yaml] = {}
        self._add(found, first, keys, read)
        while (line := self._peek()) and not line.startswith("-"):
            if _begins(line, around - keys):
                break
            self._add(found, line, keys, read)
        return found

    def _of_test(self, key: str, rest: str) -> Yaml:
        if key == "Mocks" and not rest:
            return self._mocks()
        if key == "Log" and not rest:
            rest = self._peek()
            self._at += 1
        if key == "Log" and not rest.startswith("{"):
            raise self._fail("the Log is not in braces, and its indentation is lost", self._at - 1)
        return self._value(rest, lambda text: text.startswith("-") or _begins(text, _IN_TEST))

    def _mocks(self) -> Yaml:
        found: list[Yaml] = []
        while _begins(first := _behind_hyphen(self._peek()), _OF_MOCK):
            found.append(self._member(first, _OF_MOCK, _IN_MOCK, self._of_mock))
        return found

    def _of_mock(self, _: str, rest: str) -> Yaml:
        return self._value(rest, lambda text: text.startswith("-") or _begins(text, _IN_MOCK))

    def _value(self, rest: str, ends: Callable[[str], bool]) -> Yaml:
        """Read a value that begins behind its key; a block of text goes on until a line ends it."""
        if rest[:1] in {"{", "[", '"', "'"}:
            return self._closed(rest)
        start, block = self._at, _BLOCK.fullmatch(rest)
        lines = self._take_until(ends if block else _ends_plain)
        if block:
            return _block(block, lines)
        return self._parsed(" ".join(filter(None, [rest, *lines])), start - 1)

    def _take_until(self, ends: Callable[[str], bool]) -> list[str]:
        start = self._at
        while self._at < len(self._lines) and not ends(self._lines[self._at].text):
            self._at += 1
        return [line.text for line in self._lines[start : self._at]]

    def _closed(self, rest: str) -> Yaml:
        """Read what stands in braces, brackets or quotes, up to the line that closes them."""
        start = self._at
        lines = [rest]
        while self._at < len(self._lines) and len(lines) <= MAX_LINES:
            if _CLOSING.search(lines[-1]) and _is_whole(lines):
                break
            lines.append(self._lines[self._at].text)
            self._at += 1
        return self._parsed("\n".join(lines), start - 1)

    def _parsed(self, text: str, at: int | None = None) -> Yaml:
        """Read a piece of YAML that begins at a line, or stands in the last one."""
        start = self._at - 1 if at is None else at
        try:
            value = read_yaml12(text, self._path).value
        except RuleError as error:
            inside = (error.place.line or 1) - 1 if text[0] in "{[" else 0
            raise self._fail(f"cannot be read: {error.reason}", start + inside) from None
        if isinstance(value, dict | list) and text[0] not in "{[":
            raise self._fail(f"{text!r:.60} is no text, and its indentation is lost", start)
        return value

    def _peek(self) -> str:
        """Go to the next line that is neither empty nor a comment; return it, empty at the end."""
        while self._at < len(self._lines) and self._lines[self._at].text[:1] in {"", "#"}:
            self._at += 1
        return self._lines[self._at].text if self._at < len(self._lines) else ""

    def _fail(self, reason: str, at: int | None = None) -> RuleError:
        place = min(self._at if at is None else at, len(self._lines) - 1)
        return RuleError(reason, Place(self._path, self._lines[place].number, 1))


def _ends_plain(text: str) -> bool:
    """Say whether a line is none that a text without quotes goes on with."""
    return text.startswith("-") or bool(_KEY.fullmatch(text))


def _is_whole(lines: list[str]) -> bool:
    """Say whether lines that begin with a brace are a value."""
    try:
        read_yaml12("\n".join(lines), Path())
    except RuleError:
        return False
    return True


def _block(block: re.Match[str], lines: list[str]) -> str:
    """Join the lines of a text as its style says: folded, or as they are."""
    text = "\n".join(lines).strip("\n")
    if block["style"] == ">":
        text = re.sub(r"(?<!\n)\n(?!\n)", " ", text).replace("\n\n", "\n")
    return text if block["chomp"] == "-" else f"{text}\n"
