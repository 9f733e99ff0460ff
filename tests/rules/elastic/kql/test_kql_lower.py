"""What a KQL query means on events, read one by one and by the engine."""

from datetime import UTC, datetime

import pytest

from oracle.running import as_rule, by_itself, matcher_of, matches_of
from tocsin.condition.tree import (
    TRUE,
    AnyElement,
    Call,
    Field,
    Glob,
    Op,
    Or,
    Predicate,
    Wild,
)
from tocsin.errors import RuleError
from tocsin.rules.elastic.kql.lower import lower
from tocsin.rules.elastic.kql.parse import parse
from tocsin.rules.elastic.kql.types import FieldType

NOW = datetime(2026, 3, 15, 12, 30, 45, 678000, tzinfo=UTC)
TYPES = {
    "n": FieldType.LONG,
    "x": FieldType.DOUBLE,
    "d": FieldType.DATE,
    "b": FieldType.BOOLEAN,
    "i": FieldType.IP,
    "t": FieldType.TEXT,
    "m": FieldType.MATCH_ONLY_TEXT,
    "f": FieldType.FLATTENED,
    "w": FieldType.WILDCARD,
    "c": FieldType.CONSTANT_KEYWORD,
    "p.n": FieldType.LONG,
}


def type_of(name):
    return TYPES.get(name, FieldType.KEYWORD)


def lowered(query):
    return lower(parse(query), type_of, NOW)


MEANS = {
    "a keyword is compared whole": ("k: a", ['{"k": "a"}'], ['{"k": "ab"}', '{"k": ""}', "{}"]),
    "case matters": ("k: Ab", ['{"k": "Ab"}'], ['{"k": "ab"}', '{"k": "AB"}']),
    "case matters in quotes": ('k: "Ab"', ['{"k": "Ab"}'], ['{"k": "ab"}']),
    "case matters with wildcards": ("k: A*", ['{"k": "Ab"}', '{"k": "A"}'], ['{"k": "ab"}']),
    "case matters on the wildcard type": ("w: A*", ['{"w": "Ab"}'], ['{"w": "ab"}']),
    "a constant keyword is exact": ("c: Ab", ['{"c": "Ab"}'], ['{"c": "ab"}']),
    "a value of several words is one value": (
        "k: a b",
        ['{"k": "a b"}'],
        ['{"k": "a"}', '{"k": "b"}'],
    ),
    "a wildcard value covers the whole text": (
        "k: *b*c",
        ['{"k": "abxc"}', '{"k": "bc"}'],
        ['{"k": "abcd"}'],
    ),
    "a wildcard covers line breaks": ("k: a*b", ['{"k": "a\\nb"}'], []),
    "a wildcard value may hold blanks": (
        "k: *b c*",
        ['{"k": "ab cd"}'],
        ['{"k": "b"}', '{"k": "c"}'],
    ),
    "an asterisk in quotes is no wildcard": ('k: "a*"', ['{"k": "a*"}'], ['{"k": "ab"}']),
    "an escaped asterisk is no wildcard": (r"k: a\**", ['{"k": "a*b"}'], ['{"k": "ab"}']),
    "a question mark is no wildcard": ("k: a?*", ['{"k": "a?b"}'], ['{"k": "abb"}']),
    "a keyword compares text": (
        "k: 200",
        ['{"k": 200}', '{"k": "200"}'],
        ['{"k": 200.0}', '{"k": "0200"}'],
    ),
    "a keyword true is text": ("k: true", ['{"k": true}', '{"k": "true"}'], ['{"k": "True"}']),
    "null is the text null": ("k: null", ['{"k": "null"}'], ['{"k": null}', "{}"]),
    "an empty text is a value": (
        'k: ""',
        ['{"k": ""}'],
        ['{"k": " "}', '{"k": null}', '{"k": []}'],
    ),
    "an empty array is no text": ('k: "[]"', ['{"k": "[]"}', '{"k": ["[]"]}'], ['{"k": []}']),
    "an empty array matches no wildcard": (
        "k: (*] or **)",
        ['{"k": "a]"}', '{"k": ""}'],
        ['{"k": []}', '{"k": null}'],
    ),
    "a field exists with a value": (
        "k: *",
        ['{"k": "a"}', '{"k": 0}', '{"k": false}', '{"k": [null, "a"]}'],
        ["{}"],
    ),
    "an empty text exists": ("k: *", ['{"k": ""}', '{"k": [""]}'], []),
    "null and empty arrays do not exist": (
        "k: *",
        [],
        ['{"k": null}', '{"k": []}', '{"k": [null]}', '{"k": [[]]}'],
    ),
    "an object exists with what is in it": (
        "k: *",
        ['{"k": {"a": 1}}'],
        ['{"k": {}}', '{"k": {"a": null}}'],
    ),
    "existence is asked of every type": (
        "n: * and t: * and i: *",
        ['{"n": 1, "t": "-", "i": "::1"}'],
        ['{"n": 1, "t": "a"}'],
    ),
    "existence in a list": (
        "k: (* and not a)",
        ['{"k": "b"}', '{"k": ""}'],
        ['{"k": "a"}', '{"k": []}', "{}"],
    ),
    "a quoted asterisk does not ask for existence": ('k: "*"', ['{"k": "*"}'], ['{"k": "a"}']),
    "not is true of what is absent": (
        "not k: a",
        ["{}", '{"k": null}', '{"k": []}', '{"k": "b"}'],
        ['{"k": "a"}'],
    ),
    "not means no element": ("not k: a", ['{"k": ["b", "c"]}'], ['{"k": ["b", "a"]}']),
    "not of an unknown field matches everything": ("not unknown: a", ["{}", '{"k": 1}'], []),
    "an unknown field matches nothing": (
        "unknown: (a or b*) or unknown: *",
        [],
        ["{}", '{"k": "a"}'],
    ),
    "some element is the value": ("k: a", ['{"k": ["b", "a"]}'], ['{"k": ["b"]}']),
    "some element is any of the values": (
        "k: (a or b)",
        ['{"k": ["c", "b"]}', '{"k": "a"}'],
        ['{"k": "c"}'],
    ),
    "all values are there, in different elements": (
        "k: (a and b)",
        ['{"k": ["a", "b"]}'],
        ['{"k": "a"}', '{"k": "ab"}'],
    ),
    "two wildcards may meet in one element": (
        "k: (a* and *b)",
        ['{"k": "ab"}', '{"k": ["ax", "xb"]}'],
        ['{"k": "a"}'],
    ),
    "some element is and no element is": (
        "k: (a* and not b*)",
        ['{"k": ["a1", "c"]}'],
        ['{"k": ["a1", "b1"]}', '{"k": "b"}'],
    ),
    "not in front of a list": ("k: (not (a or b))", ["{}", '{"k": "c"}'], ['{"k": ["c", "b"]}']),
    "and, or and not of clauses": (
        "k: a and not (n: 1 or n: 2)",
        ['{"k": "a", "n": 3}', '{"k": "a"}'],
        ['{"k": "a", "n": 2}'],
    ),
    "fields of objects in an array are independent": (
        "o.a: 1 and o.b: 2",
        ['{"o": [{"a": "1"}, {"b": "2"}]}'],
        ['{"o": [{"a": "1"}]}'],
    ),
    "the empty query matches everything": ("", ["{}"], []),
    "everything matches everything": ("*: *", ["{}"], []),
    "a keyword range is ordered by bytes": (
        "k >= b and k < c",
        ['{"k": "b"}', '{"k": "ba"}', '{"k": "bz"}'],
        ['{"k": "B"}', '{"k": "c"}', '{"k": "a"}'],
    ),
    "capitals come first": (
        "k < a",
        ['{"k": "Z"}', '{"k": ""}', '{"k": "9"}'],
        ['{"k": "a"}', '{"k": "aa"}', '{"k": "é"}'],
    ),
    "bytes go by code point": (
        "k > é",
        ['{"k": "é!"}', '{"k": "ê"}', '{"k": "😀"}'],
        ['{"k": "é"}', '{"k": "z"}'],
    ),
    "a keyword bound is included": (
        "k <= ab",
        ['{"k": "ab"}', '{"k": "a"}', '{"k": "aa"}'],
        ['{"k": "aba"}', '{"k": "b"}'],
    ),
    "numbers as keywords are text": (
        "k > 5",
        ['{"k": "6"}', '{"k": 50}'],
        ['{"k": 10}', '{"k": 5}'],
    ),
    "an empty array is in no range": (
        'k >= ""',
        ['{"k": ""}', '{"k": "a"}'],
        ['{"k": []}', '{"k": null}'],
    ),
    "numbers compare by value": (
        "n: 200",
        ['{"n": 200}', '{"n": "200"}', '{"n": 200.0}', '{"n": 2e2}'],
        ['{"n": 2000}', '{"n": true}'],
    ),
    "a quoted number is a number": ('n: "200"', ['{"n": 200}'], ['{"n": 20}']),
    "decimals compare exactly": (
        "x: 0.1",
        ['{"x": 0.1}', '{"x": 0.10}', '{"x": "1e-1"}'],
        ['{"x": 0.1000000000000000001}'],
    ),
    "numbers in a list": ("n: (1 or 2 or 3)", ['{"n": 2}', '{"n": [9, 3]}'], ['{"n": 4}']),
    "a range of numbers": (
        "n > 5 and n <= 10",
        ['{"n": 6}', '{"n": "10"}'],
        ['{"n": 5}', '{"n": 11}', '{"n": "a"}', "{}"],
    ),
    "some element is in the range": ("n > 5", ['{"n": [1, 6]}'], ['{"n": [1, 5]}', '{"n": []}']),
    "text is no number": (
        "n: abc or n > b or n: 1*",
        [],
        ['{"n": "abc"}', '{"n": 10}', '{"n": 1}'],
    ),
    "not text of a number matches": ("not n: abc", ['{"n": 5}', "{}"], []),
    "a boolean": (
        "b: true",
        ['{"b": true}', '{"b": "true"}', '{"b": [false, true]}'],
        ['{"b": false}', '{"b": 1}', "{}"],
    ),
    "a quoted boolean": (
        'b: "false"',
        ['{"b": false}', '{"b": "false"}', '{"b": ""}'],
        ['{"b": true}', '{"b": null}', '{"b": []}', "{}"],
    ),
    "other values are no booleans": ("b: (yes or null or T*)", [], ['{"b": true}', '{"b": "yes"}']),
    "an address": (
        "i: 10.0.0.5",
        ['{"i": "10.0.0.5"}', '{"i": ["::1", "10.0.0.5"]}'],
        ['{"i": "10.0.0.50"}', '{"i": "x"}'],
    ),
    "an address of many spellings": (
        r"i: 2001\:db8\:\:1",
        ['{"i": "2001:0DB8:0:0::1"}'],
        ['{"i": "2001:db8::2"}'],
    ),
    "an IPv4 address inside IPv6": (
        'i: "::ffff:10.0.0.5"',
        ['{"i": "10.0.0.5"}', '{"i": "::ffff:10.0.0.5"}'],
        ['{"i": "10.0.0.6"}'],
    ),
    "a network": (
        "i: 10.0.0.0/8",
        ['{"i": "10.1.2.3"}', '{"i": "::ffff:10.1.2.3"}'],
        ['{"i": "11.0.0.0"}', '{"i": "::1"}'],
    ),
    "a quoted network": (
        'i: ("192.168.0.0/16" or "fe80::/10")',
        ['{"i": "192.168.1.1"}', '{"i": "fe80::1"}'],
        ['{"i": "192.169.0.1"}', '{"i": "fc00::1"}'],
    ),
    "bits behind the prefix do not count": (
        "i: 10.1.2.3/8",
        ['{"i": "10.9.9.9"}'],
        ['{"i": "11.1.2.3"}'],
    ),
    "a network of mapped addresses": (
        'i: "::ffff:10.0.0.0/104"',
        ['{"i": "10.9.9.9"}'],
        ['{"i": "11.1.2.3"}', '{"i": "::1"}'],
    ),
    "a network around the mapped addresses": (
        'i: "::/1"',
        ['{"i": "10.9.9.9"}', '{"i": "2001:db8::1"}'],
        ['{"i": "fe80::1"}'],
    ),
    "not in a network": (
        "not i: 10.0.0.0/8",
        ['{"i": "11.0.0.1"}', "{}"],
        ['{"i": ["11.0.0.1", "10.0.0.1"]}'],
    ),
    "a range of addresses": (
        "i >= 10.0.0.5 and i < 10.0.1.0",
        ['{"i": "10.0.0.5"}', '{"i": "10.0.0.255"}'],
        ['{"i": "10.0.0.4"}', '{"i": "10.0.1.0"}', '{"i": "x"}'],
    ),
    "IPv6 lies on both sides of IPv4": (
        "i > 255.255.255.255",
        ['{"i": "2001:db8::1"}'],
        ['{"i": "255.255.255.255"}', '{"i": "::1"}'],
    ),
    "below the first address is nothing": ('i < "::"', [], ['{"i": "::"}', '{"i": "1.1.1.1"}']),
    "no address": (
        'i: (10.* or host or 10.0.0.0/99 or "fe80::1%eth0") or i > x',
        [],
        ['{"i": "10.0.0.1"}', '{"i": "host"}', '{"i": "fe80::1"}'],
    ),
    "a date range": (
        'd >= "2026-03-01" and d < "2026-03-02"',
        ['{"d": "2026-03-01T00:00:00Z"}', '{"d": "2026-03-02T01:30:00+02:00"}'],
        ['{"d": "2026-03-02T00:00:00Z"}', '{"d": "2026-02-28T23:59:59Z"}', '{"d": "x"}'],
    ),
    "date math counts from now": (
        'd >= "now-30d/d"',
        ['{"d": "2026-02-13T00:00:00Z"}', '{"d": "2027-01-01"}'],
        ['{"d": "2026-02-12T23:59:59.999Z"}'],
    ),
    "a date is the whole of what it leaves open": (
        'd: "2026-03-01"',
        ['{"d": "2026-03-01T00:00:00Z"}', '{"d": "2026-03-01T23:59:59.999Z"}'],
        ['{"d": "2026-03-02T00:00:00Z"}', '{"d": "2026-02-28T23:59:59.999Z"}'],
    ),
    "one value is in the whole, not two around it": (
        'd: "2026-03-01"',
        ['{"d": ["2026-01-01", "2026-03-01"]}'],
        ['{"d": ["2026-01-01", "2026-12-01"]}'],
    ),
    "a precise date is one millisecond": (
        'd: "2026-03-01T10:00:00.123Z"',
        ['{"d": "2026-03-01T10:00:00.123Z"}', '{"d": "2026-03-01T10:00:00.1239Z"}'],
        ['{"d": "2026-03-01T10:00:00.124Z"}'],
    ),
    "milliseconds are dates": (
        "d > 1772359200000",
        ['{"d": 1772359200001}', '{"d": "2026-03-01T10:00:00.001Z"}'],
        ['{"d": 1772359200000}'],
    ),
    "no date": (
        "d: (yesterday or 2026*) or d > then",
        [],
        ['{"d": "yesterday"}', '{"d": "2026-01-01"}'],
    ),
    "text is compared by words": (
        "t: Alpha",
        ['{"t": "an ALPHA, here"}', '{"t": ["x", "alpha"]}'],
        ['{"t": "alphabet"}', '{"t": "an"}'],
    ),
    "unquoted words are alternatives": (
        "t: alpha beta",
        ['{"t": "beta"}', '{"t": "alpha x"}'],
        ['{"t": "gamma"}'],
    ),
    "quoted words follow each other": (
        't: "Alpha Beta"',
        ['{"t": "x alpha-BETA y"}', '{"t": "alpha  beta"}'],
        [
            '{"t": "alpha x beta"}',
            '{"t": "beta alpha"}',
            '{"t": "alpha betas"}',
            '{"t": ["alpha", "beta"]}',
        ],
    ),
    "a word with a hyphen is a phrase": (
        't: "Get-Item"',
        ['{"t": "$(get-item .)"}'],
        ['{"t": "get-itemproperty"}', '{"t": "item-get"}'],
    ),
    "underscores join words": ('t: "a_b"', ['{"t": "x a_b"}'], ['{"t": "a b"}']),
    "wildcards are compared with single words": (
        "t: Al*",
        ['{"t": "x ALPHA y"}'],
        ['{"t": "xal"}'],
    ),
    "wildcards never span words": (
        "t: *alpha b*",
        [],
        ['{"t": "alpha beta"}', '{"t": "alpha"}', '{"t": "b"}'],
    ),
    "text that only matches is text": ("m: alpha", ['{"m": "The Alpha"}'], ['{"m": "The Beta"}']),
    "text without words never matches": ('t: ("--" or "")', [], ['{"t": "--"}', '{"t": ""}']),
    "a number in text is a word": (
        "t: 4104",
        ['{"t": "event 4104"}', '{"t": 4104}'],
        ['{"t": "41040"}'],
    ),
    "text: all words of a list": (
        "t: (alpha and beta and not gamma)",
        ['{"t": "beta alpha"}'],
        ['{"t": "alpha"}', '{"t": "alpha beta gamma"}'],
    ),
    "the root of a flattened field tests every leaf": (
        "f: 200",
        ['{"f": {"a": 200}}', '{"f": {"a": {"b": ["x", "200"]}}}'],
        ['{"f": {"200": "a"}}', '{"f": {"a": 2000}}'],
    ),
    "wildcards on a flattened root": (
        "f: A*",
        ['{"f": {"x": "Ab"}}'],
        ['{"f": {"x": "ab"}}', '{"f": {"A": "b"}}', '{"f": []}'],
    ),
    "a sub-field of a flattened field is a keyword": (
        "f.a: 200",
        ['{"f": {"a": 200}}'],
        ['{"f": {"b": 200}}'],
    ),
    "a flattened field exists with a leaf": ("f: *", ['{"f": {"a": ""}}'], ['{"f": {}}']),
    "nested clauses meet in one element": (
        "p: { a: 1 and b: 2 }",
        ['{"p": [{"a": "1", "b": "2"}]}'],
        ['{"p": [{"a": "1"}, {"b": "2"}]}', "{}"],
    ),
    "nested types go by the whole path": (
        "p: { n >= 5 }",
        ['{"p": [{"n": 1}, {"n": 10}]}'],
        ['{"p": [{"n": 1}]}', '{"n": 10}'],
    ),
    "nested negation asks for an element": (
        "p: { not a: 1 }",
        ['{"p": [{"a": "1"}, {"a": "2"}]}', '{"p": [{}]}'],
        ['{"p": [{"a": "1"}]}', '{"p": []}', "{}"],
    ),
    "nested fields have dotted names": (
        "p: { a.b: x* and a.c: * }",
        ['{"p": [{"a": {"b": "xy", "c": 1}}]}'],
        ['{"p": [{"a": {"b": "xy"}}]}'],
    ),
}


@pytest.mark.parametrize("name", MEANS)
def test_means(name):
    query, hits, misses = MEANS[name]
    condition = lowered(query).condition
    events = [*hits, *misses]
    assert [by_itself(event)(condition) for event in events] == [one in hits for one in events]


def test_the_engine_reads_every_query_the_same():
    for name, (query, hits, misses) in MEANS.items():
        matcher = matcher_of([as_rule(0, lowered(query).condition)])
        found = matches_of(matcher, [*hits, *misses])
        assert found == {(row, 0) for row in range(len(hits))}, name


TEXT = (Call("text"),)
K = Field(("k",), TEXT)


def glob(*parts):
    return Glob(parts)


def test_many_values_are_one_predicate_and_many_wildcards_another():
    query = lowered("k: (a or b* or c or (*d or e))")
    assert query.condition == Or((
        Predicate(K, Op.EQUALS, ("a", "c", "e")),
        Predicate(K, Op.GLOB, (glob("b", Wild.ANY), glob(Wild.ANY, "d"))),
    ))  # fmt: skip


def test_clauses_on_one_field_are_one_predicate():
    assert lowered("k: a or k: b").condition == Predicate(K, Op.EQUALS, ("a", "b"))


def test_many_phrases_are_one_predicate():
    words = Field(("t",), (Call("words"),))
    query = lowered('t: ("a b" or "c" or "d-e")')
    assert query.condition == Predicate(words, Op.CONTAINS, (" a b ", " c ", " d e "))


def test_a_dotted_name_is_one_name():
    assert lowered("a.b.c: x").condition.field.path == ("a.b.c",)


def test_names_are_listed_in_order_and_once():
    query = lowered("k: a and (n: 1 or not k: b) and p: { a.b: 1 } and x > 1")
    assert query.names == ("k", "n", "p", "p.a.b", "x")
    assert query.wildcard_fields == ()


def test_a_nested_query_is_about_an_element():
    condition = lowered("p.q: { a.b: 1 }").condition
    inner = Predicate(Field(("a", "b"), TEXT), Op.EQUALS, ("1",))
    assert condition == AnyElement(("p.q",), inner)


def test_a_pattern_of_names_is_a_name_and_listed():
    query = lowered("a.*.b: x and k: y and not h.*: *")
    assert query.wildcard_fields == ("a.*.b", "h.*")
    assert query.names == ("a.*.b", "k", "h.*")
    assert query.condition.parts[0] == Predicate(Field(("a.*.b",), TEXT), Op.EQUALS, ("x",))


def test_the_empty_query_is_true():
    assert lowered("").condition == TRUE


WARNS = {
    "n: abc": "n: abc is no number, so it never matches",
    "n: 1*": "n: 1* is no number, so it never matches",
    'n > "b"': 'n: "b" is no number, so it never matches',
    "b: yes": "b: yes is neither true nor false, so it never matches",
    "i: 10.*": "i: 10.* is neither an address nor a network, so it never matches",
    "i > x": "i: x is no address, so it never matches",
    "d: then": "d: then is no date, so it never matches",
    "d > 2026-13-01": "d: 2026-13-01 is no date, so it never matches",
    't: "--"': 't: "--" holds no word, so it never matches',
    "t: *a-b": "t: *a-b is more than one word, and is compared with single ones, "
    "so it never matches",
    "k > 5": "k: its values are text, so > 5 compares them as text",
}


@pytest.mark.parametrize(("query", "warning"), WARNS.items(), ids=WARNS)
def test_warns_of_what_cannot_match(query, warning):
    assert lowered(query).warnings == (warning,)
    assert lowered(f"not ({query})").warnings == (warning,)


def test_a_warning_takes_nothing_from_other_values():
    query = lowered("n: (1 or abc or 2)")
    assert query.condition == Predicate(Field(("n",), (Call("number"),)), Op.EQUALS, (1, 2))
    assert len(query.warnings) == 1


REFUSED = {
    "alpha": "alpha: a value without a field",
    'k: a or "b c"': "b c: a value without a field",
    "p: { q: { a: 1 } }": "q: a nested query in another",
    "p: { a.*: 1 }": "p: wildcards in field names of a nested query: a.*",
    "p.*: { a: 1 }": "p.*: wildcards in the path of a nested query",
    '"a*": 1': "a*: an asterisk as part of a field's name",
    "t > alpha": "t > alpha: a range of analysed text",
    "b > false": "b > false: a range of booleans",
    f"k: (a or {'a' * 16385})": "k: a value is longer than 16,384 characters",
    f"k > {'a' * 201}": "k: the bound of a range has more than 200 characters",
}


@pytest.mark.parametrize(("query", "reason"), REFUSED.items(), ids=lambda text: text[:20])
def test_refuses_what_cannot_be_said_exactly(query, reason):
    with pytest.raises(RuleError) as caught:
        lowered(query)
    assert caught.value.reason.startswith(reason)
