"""KQL text → tree.

Written from the behaviour of the language: what it reads is described in `docs/kql.md`.
"""

import re
from functools import cache
from typing import cast

from lark import Lark, Token, Transformer, UnexpectedInput, UnexpectedToken, v_args

from tocsin.condition.tree import Wild
from tocsin.errors import Place, RuleError
from tocsin.jsontext import valid_text
from tocsin.rules.elastic.kql.tree import (
    ANYTHING,
    AllOf,
    And,
    AnyOf,
    Bare,
    Compare,
    Constant,
    Everything,
    Exists,
    FreeText,
    Name,
    Nested,
    NoneOf,
    Not,
    Or,
    Order,
    Query,
    Quoted,
    Range,
    Value,
    Values,
    walk,
)

MAX_NESTING = 100
_SHOWN = 30

CONSTANTS = {"true": True, "false": False, "null": None}
BLANKS = {"t": "\t", "r": "\r", "n": "\n"}
"""What the letter behind a backslash stands for."""

_QUOTED_ESCAPE = re.compile(r'\\(?:u([0-9a-fA-F]{4})|([\\"])|([trn]))')
_BARE_PART = re.compile(
    r"(\*)"
    r'|\\(?:(not)(?=[\s\\():<>"*{}]|\Z)|([trn])|u([0-9a-f]{4})|(or|and|[\\():<>"*{}]))'
    r"|([^\\*]+)",
    re.IGNORECASE,
)
_SPLIT_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")


class QueryError(RuleError):
    """A query that cannot be read; `place` counts lines and columns in the query."""

    def __init__(self, problem: str, place: Place, excerpt: str, hint: str) -> None:
        super().__init__(f"{problem} at `{excerpt}`: {hint}", place)
        self.problem = problem
        self.excerpt = excerpt
        self.hint = hint


def parse(text: str) -> Query:
    """Read a query; raise `QueryError` where it is none or nests deeper than `MAX_NESTING`."""
    try:
        query = _read(text)
    except UnexpectedInput as error:
        raise _explain(text, error) from None
    if max(depth for _, depth in walk(query)) > MAX_NESTING:
        problem = f"the query nests deeper than {MAX_NESTING}"
        raise QueryError(problem, Place(line=1, column=1), text[:_SHOWN], "write it flatter")
    return query


@v_args(inline=True)
class _Reader(Transformer[Token, Query]):
    def start(self, query: Query | None) -> Query:
        return query or Everything()

    def any_query(self, *parts: Query) -> Query:
        return Or(parts)

    def all_queries(self, *parts: Query) -> Query:
        return And(parts)

    def no_query(self, part: Query) -> Query:
        return Not(part)

    def nested(self, path: Name, query: Query) -> Query:
        return Nested(path, query)

    def compare(self, field: Name, values: Values) -> Query:
        return Exists(field) if values == ANYTHING else Compare(field, values)

    def range(self, field: Name, order: Token, bound: Value) -> Query:
        return Range(field, Order(str(order)), bound)

    def free_text(self, value: Value) -> Query:
        return FreeText(value)

    def any_value(self, *parts: Values) -> Values:
        return AnyOf(parts)

    def all_values(self, *parts: Values) -> Values:
        return AllOf(parts)

    def no_value(self, part: Values) -> Values:
        return NoneOf(part)

    def name(self, token: Token) -> Name:
        return _quoted(token) if token.type == "QUOTED" else _bare(token)

    def value(self, token: Token) -> Value:
        return Constant(CONSTANTS[token]) if str(token) in CONSTANTS else self.name(token)


@cache
def _parser() -> Lark:
    # The transformer runs while the text is read: afterwards it would recurse, as deep as the text.
    return Lark.open("grammar.lark", rel_to=__file__, parser="lalr", transformer=_Reader())


def _read(text: str) -> Query:
    return cast("Query", _parser().parse(text))


def _quoted(text: str) -> Quoted:
    def resolve(match: re.Match[str]) -> str:
        code, plain, blank = match.groups()
        return plain or (BLANKS[blank] if blank else chr(int(code, 16)))

    return Quoted(_joined(_QUOTED_ESCAPE.sub(resolve, text[1:-1])))


def _bare(text: str) -> Bare:
    parts: list[str | Wild] = []
    for match in _BARE_PART.finditer(text):
        wild, keyword, blank, code, plain, rest = match.groups()
        if wild:
            parts.append(Wild.ANY)
            continue
        piece = keyword or plain or rest or (chr(int(code, 16)) if code else BLANKS[blank])
        before = parts[-1] if parts else None
        if isinstance(before, str):
            parts[-1] = before + piece
        else:
            parts.append(piece)
    return Bare(tuple(_joined(part) if isinstance(part, str) else part for part in parts))


def _joined(text: str) -> str:
    """Make one character of two escapes that are the halves of one, and U+FFFD of a lone half."""
    whole = _SPLIT_PAIR.sub(lambda pair: _decode_pair(pair[0]), text)
    return valid_text(whole)


def _decode_pair(pair: str) -> str:
    return pair.encode("utf-16-le", "surrogatepass").decode("utf-16-le")


def _explain(text: str, error: UnexpectedInput) -> QueryError:
    at = error.pos_in_stream
    if isinstance(error, UnexpectedToken):
        at = error.token.start_pos
        if error.token.type == "$END":
            at = len(text)
    at = len(text) if at is None else at
    problem, hint = _diagnose(text, at)
    before = text[:at]
    place = Place(line=before.count("\n") + 1, column=at - before.rfind("\n"))
    return QueryError(problem, place, _excerpt(text, at), hint)


def _excerpt(text: str, at: int) -> str:
    """Return what stands around a place, on one line, with a mark in front of the place."""
    before, after = text[max(0, at - _SHOWN) : at], text[at : at + _SHOWN]
    return " ".join(f"{before}⟶{after}".split())


def _diagnose(text: str, at: int) -> tuple[str, str]:
    """Return what is wrong at a place of the text, and what to do."""
    before, rest = text[:at].rstrip(), text[at:]
    if re.match(r"not\s", rest, re.IGNORECASE):
        return _diagnose_not(before)
    if re.match(r"(and|or)\s", rest, re.IGNORECASE):
        word = rest.split(None, 1)[0]
        if text[at - 1 : at].strip():
            return f"there is no blank in front of `{word}`", "put one there"
        return f"`{word}` stands where a clause or a value must", "put one on both sides of it"
    if not rest:
        return "the query ends too early", "complete the last clause and close every ( and {"
    if _CLOSED.match(rest):
        return _TWO_CLAUSES
    return _OF_CHARACTER.get(rest[0], _TWO_CLAUSES)


def _diagnose_not(before: str) -> tuple[str, str]:
    if before.endswith(":"):
        return "a value cannot start with `not`", "write field: (not value)"
    if re.search(r"(^|[\s(])not$", before, re.IGNORECASE):
        return "`not` is doubled", "write not (not …)"
    return _TWO_CLAUSES


_TWO_CLAUSES = (
    "two clauses or values are not joined",
    "put `and` or `or` between them, with a blank on both sides",
)
_CLOSED = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_OF_CHARACTER = {
    '"': ("a quote is not closed", 'end it with "; \\" is a quote, \\\\ a backslash'),
    "\\": (
        "a backslash escapes nothing here",
        "write \\\\, or put the text in quotes",
    ),
    ":": ("`:` is not expected", "write \\: inside a value, or put the value in quotes"),
    "<": ("`<` is not expected", "write \\< inside a value, or put the value in quotes"),
    ">": ("`>` is not expected", "write \\> inside a value, or put the value in quotes"),
    "(": (
        "`(` is not expected",
        "put blanks around `and`, `or`, `not`, or write \\( in a value",
    ),
    ")": ("`)` is not expected", "close only what is open; ( ) needs a query or values in it"),
    "{": ("`{` is not expected", "write path: { query }, or \\{ in a value"),
    "}": ("`}` is not expected", "close only what is open; { } needs a query in it"),
}
