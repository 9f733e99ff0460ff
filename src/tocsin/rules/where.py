"""The syntax in which rules are asked for, on the command line and in the catalogue.

`ecosystem:elastic severity>=high "key vault" name:rundll*`: terms with blanks between them, all of
which must hold; `-` in front negates; a comma lists alternatives; quotes keep blanks and commas. A
backslash is a backslash.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass

from tocsin.errors import UsageError

_QUOTED = r"\"[^\"]*\"|'[^']*'"
_WORD = re.compile(rf"(?:{_QUOTED}|[^\s\"'])+")
_ITEM = re.compile(rf"(?:{_QUOTED}|[^,\"'])+")
_PART = re.compile(rf"{_QUOTED}|[^\"']+")
_TERM = re.compile(r"(?P<field>[a-z_]+)(?P<op>:|>=|<=|=|>|<)(?P<asked>.*)", re.DOTALL | re.I)


@dataclass(frozen=True, slots=True)
class Term:
    """One term: a field compared with any of some texts, or words to look for if it has none."""

    field: str
    op: str
    texts: tuple[str, ...]
    negated: bool = False
    exact: bool = False
    """The text stood in quotes: it is a phrase."""

    @property
    def text(self) -> str:
        """Return what is asked for, the alternatives with commas between them."""
        return ",".join(self.texts)


def parse_terms(text: str, fields: Collection[str]) -> tuple[Term, ...]:
    """Read an expression; raise `UsageError` if it means nothing.

    What is quoted as a whole is a phrase, unless a known field stands in front of its colon.
    """
    rest = _WORD.sub("", text).strip()
    if rest:
        raise UsageError(f"--where {text!r}: No closing quotation")
    return tuple(_term(word[0], fields) for word in _WORD.finditer(text))


def _term(word: str, fields: Collection[str]) -> Term:
    body = word[1:] if word.startswith("-") and len(word) > 1 else word
    negated = body is not word
    if found := _field(body, fields):
        name, op, asked = found
        texts = tuple(text for item in _ITEM.findall(asked) if (text := _unquoted(item).strip()))
        if not texts:
            raise UsageError(f"--where: {name}{op} asks for nothing; write {name}:VALUE")
        return Term(name, op, texts, negated, exact=asked[0] in "\"'")
    return Term("", ":", (_unquoted(body),), negated, exact=body[0] in "\"'")


def _field(body: str, fields: Collection[str]) -> tuple[str, str, str] | None:
    """Split a term at its operator; quotes around the whole are taken off, if a field is inside."""
    whole = body[0] in "\"'" and body[-1] == body[0] and body.count(body[0]) == 2
    match = _TERM.fullmatch(body[1:-1] if whole else body)
    if not match:
        return None
    name = match["field"].lower()
    if name not in fields:
        if whole:
            return None
        raise UsageError(f"--where: no field {name!r}; known: {', '.join(fields)}")
    asked = match["asked"]
    return name, match["op"], f'"{asked}"' if whole and '"' not in asked else asked


def _unquoted(text: str) -> str:
    parts = _PART.findall(text)
    return "".join(part[1:-1] if part[0] in "\"'" else part for part in parts)
