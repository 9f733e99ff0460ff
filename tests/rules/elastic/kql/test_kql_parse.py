"""What the text of a KQL query reads as."""

import pytest

from tocsin.condition.tree import Wild
from tocsin.rules.elastic.kql.parse import MAX_NESTING, QueryError, parse
from tocsin.rules.elastic.kql.tree import (
    AllOf,
    And,
    AnyOf,
    Bare,
    Compare,
    Constant,
    Everything,
    Exists,
    FreeText,
    Nested,
    NoneOf,
    Not,
    Or,
    Order,
    Quoted,
    Range,
)

ANY = Wild.ANY


def bare(*parts):
    return Bare(parts)


def is_(field, value):
    return Compare(bare(field), bare(value))


A, B, C = is_("a", "1"), is_("b", "2"), is_("c", "3")
X, Y, Z = bare("x"), bare("y"), bare("z")

READS = {
    "or binds loosest": ("a:1 or b:2 and c:3", Or((A, And((B, C))))),
    "and binds tighter than or on the left too": ("a:1 and b:2 or c:3", Or((And((A, B)), C))),
    "not binds tightest": ("not a:1 and b:2", And((Not(A), B))),
    "parentheses group": ("(a:1 or b:2) and c:3", And((Or((A, B)), C))),
    "a group of the same kind stays a group": ("(a:1 and b:2) and c:3", And((And((A, B)), C))),
    "not takes a group": ("not (a:1 or b:2)", Not(Or((A, B)))),
    "a doubled not needs parentheses": ("not (not a:1)", Not(Not(A))),
    "keywords ignore case": ("NOT a:1 AND b:2 Or c:3", Or((And((Not(A), B)), C))),
    "a keyword may follow a parenthesis and a blank": ("(a:1) and (b:2)", And((A, B))),
    "the empty query matches everything": ("", Everything()),
    "a query of blanks is empty": (" \n\u00a0", Everything()),
    "a non-breaking space is a blank": ("a\u00a0:\u00a01\u00a0and\u00a0b:2", And((A, B))),
    "a line break is a blank": ("a:1\n  and\n\tb : 2", And((A, B))),
    "a value of several words is one value": ("a: b  c d ", is_("a", "b  c d")),
    "a value ends at a keyword": ("a: b c and b:2", And((is_("a", "b c"), B))),
    "a keyword inside a word is text": (
        "a: border and b: notand",
        And((is_("a", "border"), is_("b", "notand"))),
    ),
    "not at the end of a word is text": ("a: cannot be", is_("a", "cannot be")),
    "a keyword at the end is text": ("a: b or", is_("a", "b or")),
    "not without a blank behind it is text": ("a: not", is_("a", "not")),
    "a keyword is text when escaped": (
        r"a: \or and b: x \and y and c: \not",
        And((is_("a", "or"), is_("b", "x and y"), is_("c", "not"))),
    ),
    "an escaped keyword keeps its case": (r"a: \OR", is_("a", "OR")),
    "special characters are text when escaped": (
        r"a: \\\(\)\:\<\>\"\*\{\}",
        is_("a", '\\():<>"*{}'),
    ),
    "blanks can be escaped without quotes": (r"a: b\tc\rd\ne", is_("a", "b\tc\rd\ne")),
    "an escaped blank is not trimmed": (r"a: \u0020b\u0020", is_("a", " b ")),
    "a character can be written as its code": (r"a: \u0041\u00e9", is_("a", "Aé")),
    "two codes make one character": (r"a: \ud83d\ude00", is_("a", "😀")),
    "half of a character is replaced": (r'a: "\ud83d"', Compare(bare("a"), Quoted("\ufffd"))),
    "quotes keep blanks and keywords": ('a: " b and c "', Compare(bare("a"), Quoted(" b and c "))),
    "quotes resolve their escapes": (
        r'a: "\t\r\n\u0041\\\""',
        Compare(bare("a"), Quoted('\t\r\nA\\"')),
    ),
    "any other backslash in quotes is a backslash": (
        r'a: "C:\Program \* \( \or"',
        Compare(bare("a"), Quoted(r"C:\Program \* \( \or")),
    ),
    "a path in quotes may hold an escape by accident": (
        r'a: "C:\temp"',
        Compare(bare("a"), Quoted("C:\temp")),
    ),
    "quotes may hold line breaks": ('a: "b\nc"', Compare(bare("a"), Quoted("b\nc"))),
    "an asterisk in quotes is an asterisk": ('a: "b*"', Compare(bare("a"), Quoted("b*"))),
    "an asterisk is a wildcard": ("a: b*c", Compare(bare("a"), bare("b", ANY, "c"))),
    "a wildcard value may hold blanks": ("a: *b c*", Compare(bare("a"), bare(ANY, "b c", ANY))),
    "a question mark is text": ("a: b?c", is_("a", "b?c")),
    "an asterisk alone asks for existence": ("a: *", Exists(bare("a"))),
    "an asterisk alone in parentheses too": ("a: (*)", Exists(bare("a"))),
    "a quoted asterisk does not": ('a: "*"', Compare(bare("a"), Quoted("*"))),
    "true, false and null are constants": (
        "a: (true or false or null)",
        Compare(bare("a"), AnyOf((Constant(True), Constant(False), Constant(None)))),
    ),
    "a quoted constant is text": ('a: "true"', Compare(bare("a"), Quoted("true"))),
    "constants are in lower case": ("a: True", is_("a", "True")),
    "an escaped constant is text": (r"a: \u0074rue", is_("a", "true")),
    "a number is text": ("a: 05.0", is_("a", "05.0")),
    "a list is about one field": (
        "a: (x or y and not z)",
        Compare(bare("a"), AnyOf((X, AllOf((Y, NoneOf(Z)))))),
    ),
    "lists nest": (
        "a: ((x or y) and not (y or z))",
        Compare(bare("a"), AllOf((AnyOf((X, Y)), NoneOf(AnyOf((Y, Z)))))),
    ),
    "a list may start with not": ("a: (not x)", Compare(bare("a"), NoneOf(X))),
    "a list may span lines": ("a: (x or\n  y)", Compare(bare("a"), AnyOf((X, Y)))),
    "ranges": (
        "a < 1 and b <= 2 or a > 1 and b>=2",
        Or(
            (
                And(
                    (
                        Range(bare("a"), Order.LESS, bare("1")),
                        Range(bare("b"), Order.LESS_OR_EQUAL, bare("2")),
                    )
                ),
                And(
                    (
                        Range(bare("a"), Order.GREATER, bare("1")),
                        Range(bare("b"), Order.GREATER_OR_EQUAL, bare("2")),
                    )
                ),
            )
        ),
    ),
    "a bound may be quoted": (
        'a > "now-1d/d"',
        Range(bare("a"), Order.GREATER, Quoted("now-1d/d")),
    ),
    "a nested query": ("p: { a:1 and b:2 }", Nested(bare("p"), And((A, B)))),
    "nested queries nest": ("p:{q:{a:1}}", Nested(bare("p"), Nested(bare("q"), A))),
    "a value alone is free text": ('x or "y z"', Or((FreeText(X), FreeText(Quoted("y z"))))),
    "a field name may be quoted": ('"a b": 1', Compare(Quoted("a b"), bare("1"))),
    "a field name may hold wildcards": ("a.*.b: 1", Compare(bare("a.", ANY, ".b"), bare("1"))),
    "a field may be named like a constant": ("true: 1", is_("true", "1")),
}


@pytest.mark.parametrize(("text", "tree"), READS.values(), ids=READS)
def test_reads(text, tree):
    assert parse(text) == tree


WRONG = {
    "not twice": ("not not a:1", 1, 5, "write not (not …)"),
    "not in front of a value": ("a: not b", 1, 4, "write field: (not value)"),
    "a clause missing": ("a:1 and\n  or b:2", 2, 3, "put one on both sides"),
    "a value missing": ("a: (x or  or y)", 1, 11, "put one on both sides"),
    "no blank around a keyword": ("(a:1)and b:2", 1, 6, "put one there"),
    "no blank behind a keyword": ("a:1 and(b:2)", 1, 8, "put blanks around"),
    "no keyword": ('a:"1"\nb:2', 2, 1, "put `and` or `or` between them"),
    "no keyword between values": ('a: x "y"', 1, 6, "put `and` or `or` between them"),
    "a colon in a value": ("a: b:c", 1, 5, r"write \: inside a value"),
    "a sign in a value": ("a: b>c", 1, 5, r"write \> inside a value"),
    "a backslash that escapes nothing": (r"a: C\x", 1, 5, r"write \\"),
    "a backslash at the end": ("a: b\\", 1, 5, r"write \\"),
    "a quote left open": ('a: "b', 1, 4, 'end it with "'),
    "a quote that a backslash left open": ('a: "C:\\"', 1, 4, 'end it with "'),
    "a parenthesis left open": ("(a:1\n", 2, 1, "close every"),
    "a parenthesis too many": ("a:1)", 1, 4, "close only what is open"),
    "an empty list": ("a: ()", 1, 5, "needs a query or values"),
    "an empty nested query": ("a: { }", 1, 6, "needs a query"),
    "a brace in a value": ("a: b{", 1, 5, r"\{ in a value"),
    "no value": ("a:", 1, 3, "complete the last clause"),
    "a clause inside a list": ("a: (b:1)", 1, 6, r"write \:"),
}


@pytest.mark.parametrize(("text", "line", "column", "hint"), WRONG.values(), ids=WRONG)
def test_a_wrong_query_is_refused_with_place_and_hint(text, line, column, hint):
    with pytest.raises(QueryError) as caught:
        parse(text)
    error = caught.value
    assert (error.place.line, error.place.column) == (line, column)
    assert hint in error.hint
    assert error.hint in str(error)
    assert error.excerpt in str(error)
    assert "⟶" in error.excerpt


def test_a_query_that_nests_too_deep_is_refused():
    deep = MAX_NESTING + 1
    assert parse(f"{'(' * 500}a:1{')' * 500}") == A
    with pytest.raises(QueryError, match="nests deeper"):
        parse("not (" * deep + "a:1" + ")" * deep)
    with pytest.raises(QueryError, match="nests deeper"):
        parse("p:{" * 5000 + "a:1" + "}" * 5000)


def test_a_long_list_reads_fast_and_flat():
    tree = parse(f"a: ({' or '.join(f'v{at}' for at in range(2000))})")
    assert isinstance(tree.values, AnyOf)
    assert len(tree.values.parts) == 2000
