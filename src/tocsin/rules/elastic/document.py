"""One rule as its file says it, by the field names of Elastic's rule schema, and where it says so.

TOML files, Kibana's exports and web pages all end in a `Document`; `build.py` goes on from there.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from tocsin.errors import Place, RuleError

Table: TypeAlias = Mapping[str, Any]
"""What a rule file can hold; `Document`'s methods say of what type a field is."""

EXCERPT = 80
_ESCAPED = re.compile(r"\\(?:u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)|.", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Written:
    """The text of one rule and where in a file it stands."""

    path: Path
    text: str
    line: int = 1
    """The line of the file that the text starts on."""
    start: int = 0
    """Characters in front of the text on that line."""
    margin: int = 0
    """How wide the line numbers are that a page has in front of the text, at least."""

    def place(self, offset: int) -> Place:
        """Return the place in the file of an offset in the text."""
        before = self.text[:offset]
        lines = before.count("\n")
        numbers = max(self.margin, len(str(lines + 1))) if self.margin else 0
        column = offset - before.rfind("\n") + numbers + (0 if lines else self.start)
        return Place(self.path, self.line + lines, column)

    def excerpt(self, offset: int) -> str:
        """Return the line of the text that an offset is on, cut to a length one can read."""
        start = self.text.rfind("\n", 0, offset) + 1
        line = self.text[start:].partition("\n")[0].strip()
        return line if len(line) <= EXCERPT else f"{line[: EXCERPT - 1]}…"

    def find(self, key: str) -> int:
        """Return the offset at which the value of a field starts, or where the rule does."""
        head = re.search(r"^\[rule\]", self.text, re.MULTILINE)
        begin = head.start() if head else 0
        camel = re.sub(r"_(.)", lambda letter: letter[1].upper(), key)
        names = f"(?:{re.escape(key)}|{re.escape(camel)})"
        form = rf"^[ \t]*{names}[ \t]*=[ \t]*|^\[+rule\.{names}[.\]]|\"{names}\"\s*:\s*"
        found = re.compile(form, re.MULTILINE).search(self.text, begin)
        return found.end() if found else begin

    def find_in(self, key: str, at: int) -> int:
        """Return the offset of a character of a text that is a field's value."""
        start = self.find(key)
        opening = re.compile(r"('''|\"\"\"|'|\")(?:(?<=...)\n)?").match(self.text, start)
        if not opening:
            return start
        if opening[1].startswith("'"):
            return opening.end() + at
        raw = opening.end()
        for character in _ESCAPED.finditer(self.text, raw):
            if at == 0:
                break
            raw, at = character.end(), at - 1
        return raw


@dataclass(frozen=True, slots=True)
class Document:
    """A rule's fields, what is said about its file, and the texts that its guide refers to."""

    rule: Table
    written: Written
    metadata: Table = field(default_factory=dict)
    transform: Table = field(default_factory=dict)
    exceptions: Sequence[Table] = ()
    """The items of the exception lists that it names, where the file holds them."""
    exported: bool = False
    """Whether Kibana wrote it, so that it says what is switched on."""

    def wrong(self, key: str, problem: str) -> RuleError:
        """Make the error about a field."""
        return RuleError(f"{key}: {problem}", self.written.place(self.written.find(key)))

    def text(self, key: str) -> str:
        """Return a text; empty if it is not given."""
        return self._typed(key, self.rule.get(key), str, "a text") or ""

    def texts(self, key: str) -> tuple[str, ...]:
        """Return texts, of which one may stand alone."""
        value = self.rule.get(key) or []
        found = [value] if isinstance(value, str) else value
        if isinstance(found, list) and all(isinstance(one, str) for one in found):
            return tuple(found)
        raise self.wrong(key, "is not a list of texts")

    def number(self, key: str) -> int | None:
        """Return a whole number; None if it is not given."""
        value: int | None = self._typed(key, self.rule.get(key), int, "a whole number")
        return value

    def table(self, key: str) -> Table:
        """Return a table; empty if it is not given."""
        return self._typed(key, self.rule.get(key), dict, "a table") or {}

    def tables(self, key: str) -> tuple[Table, ...]:
        """Return tables; none if they are not given."""
        value = self.rule.get(key) or []
        if isinstance(value, list) and all(isinstance(one, dict) for one in value):
            return tuple(value)
        raise self.wrong(key, "is not a list of tables")

    def _typed(self, key: str, value: Any, kind: type, shown: str) -> Any:
        if value is None or (isinstance(value, kind) and not isinstance(value, bool)):
            return value
        raise self.wrong(key, f"is not {shown}: {value!r:.60}")
