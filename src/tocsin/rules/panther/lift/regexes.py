r"""Patterns of Python's `re` as RE2 patterns that are found in exactly the same texts.

What RE2 does not have (looking around, references back) gives None. `\w` and `\d` are those of all
of Unicode; texts with characters that only one of the two libraries knows may differ.
"""

import re
from functools import lru_cache

import re2

from tocsin.condition.evaluate import compile_regex
from tocsin.condition.tree import Regex

_SPACE = (
    r"\t-\r\x1c-\x20\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}"
)
_CLASSES = {"d": r"\p{Nd}", "w": r"\p{L}\p{N}_", "s": _SPACE}
_ASCII_CLASSES = {"d": "0-9", "w": "0-9A-Za-z_", "s": r"\t-\r\x20"}
_PLAIN = {"n": r"\n", "t": r"\t", "r": r"\r", "f": r"\f", "v": r"\v", "a": r"\a"}
_DIGITS = {"x": 2, "u": 4, "U": 8}
_DOTTED = r"\x{130}\x{131}"
"""What Python's `re` takes for an i where case is ignored, beside i and I."""
_GROUP = re.compile(r"\?(?::|P<[A-Za-z_]\w*>)", re.ASCII)
_REPEAT = re.compile(r"\{(\d*)(,?)(\d*)\}")


class _Untold(Exception):
    """The pattern has something that RE2 does not have."""


@lru_cache(maxsize=10_000)
def to_re2(pattern: str, flags: int, how: str) -> Regex | None:
    """Translate a pattern; `how` is `search`, `match` or `fullmatch`."""
    if flags & ~(re.IGNORECASE | re.MULTILINE | re.DOTALL | re.ASCII | re.UNICODE):
        return None
    if flags & re.ASCII and flags & re.IGNORECASE:
        return None
    try:
        text = _Translator(pattern, flags).translate()
    except (_Untold, IndexError):
        return None
    if how == "match":
        text = rf"\A(?:{text})"
    elif how == "fullmatch":
        text = rf"\A(?:{text})\z"
    marks = [(re.IGNORECASE, "i"), (re.MULTILINE, "m"), (re.DOTALL, "s")]
    regex = Regex(text, "".join(mark for flag, mark in marks if flags & flag))
    try:
        compile_regex(regex)
    except re2.error:
        return None
    return regex


class _Translator:
    def __init__(self, pattern: str, flags: int) -> None:
        self._pattern = pattern
        self._at = 0
        self._multiline = bool(flags & re.MULTILINE)
        self._ignore_case = bool(flags & re.IGNORECASE)
        self._classes = _ASCII_CLASSES if flags & re.ASCII else _CLASSES

    def translate(self) -> str:
        parts: list[str] = []
        while self._at < len(self._pattern):
            parts.append(self._next())
        return "".join(parts)

    def _take(self) -> str:
        char = self._pattern[self._at]
        self._at += 1
        return char

    def _next(self) -> str:
        char = self._take()
        if char == "\\":
            return self._escape()
        if char == "[":
            return self._set()
        if char == "$":
            return self._end()
        if char == "(":
            return self._group()
        if char == "{":
            return self._repeat()
        if char in "*+?" and self._pattern[self._at : self._at + 1] == "+":
            raise _Untold
        return char if char in ".^*+?)|" else self._literal(char)

    def _literal(self, char: str) -> str:
        if self._ignore_case and not char.isascii():
            raise _Untold
        if self._ignore_case and char in "iI":
            return f"[i{_DOTTED}]"
        return re.escape(char) if char.isascii() else char

    def _end(self) -> str:
        if self._multiline:
            return "$"
        rest = self._pattern[self._at : self._at + 1]
        if rest and rest not in ")|":
            raise _Untold
        return r"(?:\n?\z)"

    def _group(self) -> str:
        if self._pattern[self._at : self._at + 1] != "?":
            return "("
        found = _GROUP.match(self._pattern, self._at)
        if not found:
            raise _Untold
        self._at = found.end()
        return "(?:" if found[0] == "?:" else f"({found[0]}"

    def _repeat(self) -> str:
        found = _REPEAT.match(self._pattern, self._at - 1)
        if not found or not (found[1] or found[3]):
            return r"\{"
        self._at = found.end()
        if self._pattern[self._at : self._at + 1] == "+":
            raise _Untold
        low = found[1] or "0"
        return f"{{{low}{found[2]}{found[3]}}}"

    def _escape(self) -> str:
        char = self._take()
        if char in self._classes:
            return f"[{self._classes[char]}]"
        if char.lower() in self._classes:
            return f"[^{self._classes[char.lower()]}]"
        if char in "AZ":
            return r"\A" if char == "A" else r"\z"
        return self._literal(self._code(char)) if char in _DIGITS else self._escaped(char)

    def _escaped(self, char: str) -> str:
        """Return one escaped character, in and outside of sets."""
        if char in _PLAIN:
            return _PLAIN[char]
        if char.isalnum() or not char.isascii():
            raise _Untold
        return re.escape(char)

    def _code(self, char: str) -> str:
        """Return the character that is written by its number."""
        digits = _DIGITS[char]
        code = self._pattern[self._at : self._at + digits]
        self._at += digits
        return chr(int(code, 16))

    def _set(self) -> str:
        parts = ["["]
        if self._pattern[self._at] == "^":
            parts.append(self._take())
        first = self._at
        while (char := self._take()) != "]" or self._at - 1 == first:
            parts.append(self._member(char))
        source = f"[{self._pattern[first : self._at]}"
        if self._ignore_case and re.match(source, "i", re.IGNORECASE):
            parts.append(_DOTTED)
        return self._checked("".join(parts) + "]")

    def _member(self, char: str) -> str:
        if char != "\\":
            if self._ignore_case and not char.isascii():
                raise _Untold
            if char == "-":
                return "-" if self._is_range() else r"\-"
            return re.escape(char) if char.isascii() else char
        inner = self._take()
        if inner in self._classes:
            return self._classes[inner]
        if inner.lower() in self._classes or inner in "AZbB":
            raise _Untold
        if inner in _DIGITS:
            code = self._code(inner)
            if self._ignore_case and not code.isascii():
                raise _Untold
            return f"\\x{{{ord(code):x}}}"
        return self._escaped(inner)

    def _is_range(self) -> bool:
        """Say whether a dash stands between the ends of a range."""
        before, after = self._pattern[: self._at - 1], self._pattern[self._at]
        opens = before.endswith(("[", "[^")) or before[-2:-1] == "\\"
        return not opens and after not in "]\\"

    def _checked(self, made: str) -> str:
        """Leave out what sets would have to be read by other rules for."""
        if re.search(r"&&|--|~~|\|\|", made):
            raise _Untold
        return made
