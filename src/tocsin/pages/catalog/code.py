"""Texts of rules with coloured words, one line at a time, so that each has an address."""

from collections.abc import Iterable, Mapping
from functools import cache

from markupsafe import Markup, escape
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import Token

from tocsin.printable import printable

LONGEST = 60_000
"""Characters of a text that are coloured; a longer one is shown plain."""
MOST_LINES = 5_000
LONGEST_LINE = 2_000

_CLASSES: Mapping[object, str] = {
    Token.Comment: "c",
    Token.Keyword: "k",
    Token.Name.Tag: "k",
    Token.Name.Attribute: "k",
    Token.Name.Function: "f",
    Token.Name.Class: "f",
    Token.Name.Decorator: "f",
    Token.Name.Builtin: "f",
    Token.Literal.Number: "m",
    Token.Literal.Date: "m",
    Token.Literal.String: "s",
}
"""Kinds of words and their classes; others have the colour of text."""


def code_lines(text: str, language: str) -> tuple[list[Markup], int]:
    """Return the lines of a text as HTML, and how many more there are than are shown."""
    lines = [_shown(line) for line in text.replace("\r\n", "\n").rstrip("\n").split("\n")]
    kept = lines[:MOST_LINES]
    plain = "\n".join(kept)
    if language == "text" or len(plain) > LONGEST:
        return [escape(line) for line in kept], len(lines) - len(kept)
    return _coloured(_lexer(language).get_tokens(plain)), len(lines) - len(kept)


def _coloured(tokens: Iterable[tuple[object, str]]) -> list[Markup]:
    lines: list[list[tuple[str, str]]] = [[]]
    for kind, text in tokens:
        for at, part in enumerate(text.split("\n")):
            if at:
                lines.append([])
            if part:
                _append(lines[-1], _class(kind), part)
    return [Markup("".join(_span(*part) for part in line)) for line in lines]


def _append(line: list[tuple[str, str]], name: str, text: str) -> None:
    """Add a part to a line; blanks, and what has the colour of the part before, go on with that."""
    if line and (text.isspace() or line[-1][0] == name):
        line[-1] = (line[-1][0], line[-1][1] + text)
    else:
        line.append((name, text))


def _span(name: str, text: str) -> str:
    shown = str(escape(text))
    return f'<span class="{name}">{shown}</span>' if name else shown


def numbered(lines: Iterable[Markup], prefix: str) -> Markup:
    """Return lines as items of a list, each with its address."""
    items = (
        f'<li id="{prefix}{number}"><a href="#{prefix}{number}" tabindex="-1" aria-hidden="true">'
        f"</a><code>{line}</code></li>"
        for number, line in enumerate(lines, 1)
    )
    return Markup("\n".join(items))


@cache
def _class(kind: object) -> str:
    return next((name for of, name in _CLASSES.items() if kind in of), "")  # type: ignore[operator]


def _shown(line: str) -> str:
    text = printable(line.expandtabs(4))
    if len(text) <= LONGEST_LINE:
        return text
    return f"{text[:LONGEST_LINE]}… {len(text) - LONGEST_LINE:,} more characters"


@cache
def _lexer(language: str) -> Lexer:
    return get_lexer_by_name(language, stripnl=False, ensurenl=False)
