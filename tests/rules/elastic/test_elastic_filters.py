"""What Kibana's filters and exceptions mean on events, and what of them is refused."""

import json

import pytest

from oracle.running import by_itself
from tocsin.condition.tree import Glob, Wild
from tocsin.errors import RuleError
from tocsin.rules.elastic.exceptions import lower_exceptions
from tocsin.rules.elastic.filters import Filters, read_wildcard
from tocsin.rules.elastic.kql.types import FieldType

TYPES = {
    "n": FieldType.LONG,
    "d": FieldType.DATE,
    "i": FieldType.IP,
    "b": FieldType.BOOLEAN,
    "t": FieldType.TEXT,
    "f": FieldType.FLATTENED,
    "list.n": FieldType.LONG,
}
WILDCARD = {"value": "?:\\\\a*", "case_insensitive": True}


def filters():
    return Filters(
        lambda name: TYPES.get(name, FieldType.KEYWORD), lambda _: None
    )  # fmt: skip


def query(body):
    return {"query": body}


MEANS = {
    "a value exists": (
        query({"exists": {"field": "k"}}),
        [{"k": "x"}, {"k": ""}, {"k": 0}],
        [{}, {"k": None}, {"k": []}],
    ),
    "an older filter has its clause beside its meta": (
        {"meta": {"negate": False}, "exists": {"field": "k"}},
        [{"k": "x"}],
        [{}],
    ),
    "a phrase is a whole keyword": (
        query({"match_phrase": {"k": "a b"}}),
        [{"k": "a b"}, {"k": ["c", "a b"]}],
        [{"k": "A b"}, {"k": "a b c"}, {}],
    ),
    "a phrase may be an object": (
        query({"match_phrase": {"k": {"query": "a"}}}),
        [{"k": "a"}],
        [{"k": "b"}],
    ),
    "a phrase is words in order in text": (
        query({"match_phrase": {"t": "B c"}}),
        [{"t": "a b C d"}],
        [{"t": "c b"}],
    ),
    "a phrase is an address": (
        query({"match_phrase": {"i": "10.0.0.0/8"}}),
        [{"i": "10.1.2.3"}],
        [{"i": "11.1.2.3"}],
    ),
    "a match is any word of text": (
        query({"match": {"t": "b x"}}),
        [{"t": "a B"}],
        [{"t": "a c"}],
    ),
    "a match of the type phrase is a phrase": (
        query({"match": {"t": {"query": "a b", "type": "phrase"}}}),
        [{"t": "a b"}],
        [{"t": "b a"}],
    ),
    "a term is a whole value": (query({"term": {"k": "a"}}), [{"k": "a"}], [{"k": "ab"}]),
    "a term is a number": (query({"term": {"n": 5}}), [{"n": 5}, {"n": "5"}], [{"n": 6}]),
    "a term is true": (query({"term": {"b": True}}), [{"b": True}], [{"b": False}]),
    "a term may ignore case": (
        query({"term": {"k": {"value": "aB", "case_insensitive": True}}}),
        [{"k": "Ab"}],
        [{"k": "abc"}],
    ),
    "a term of text is one word as it is": (
        query({"term": {"t": "ab"}}),
        [{"t": "AB c"}],
        [{"t": "abc"}],
    ),
    "terms are alternatives": (
        query({"terms": {"k": ["a", "b"], "boost": 1}}),
        [{"k": "a"}, {"k": "b"}],
        [{"k": "c"}],
    ),
    "a range has bounds": (
        query({"range": {"n": {"gte": 3, "lt": 5}}}),
        [{"n": 3}, {"n": 4.5}],
        [{"n": 5}, {"n": 2}, {}],
    ),
    "an older range is beside its meta": (
        {"meta": {"type": "range"}, "range": {"n": {"gt": 3}}},
        [{"n": 4}],
        [{"n": 3}],
    ),
    "a range of dates is in UTC": (
        query({"range": {"d": {"gte": "2026-01-02", "format": "strict_date"}}}),
        [{"d": "2026-01-02T00:00:00Z"}],
        [{"d": "2026-01-01T23:59:59Z"}],
    ),
    "a pattern covers the whole value": (
        query({"wildcard": {"k": "a*b?"}}),
        [{"k": "abc"}, {"k": "axxbc"}],
        [{"k": "ab"}, {"k": "xabc"}, {"k": "Abc"}],
    ),
    "a pattern may ignore case": (
        query({"wildcard": {"k": WILDCARD}}),
        [{"k": "C:\\Ax"}, {"k": "c:\\a"}],
        [{"k": "CC:\\a"}, {"k": "C:a"}],
    ),
    "a pattern may be called wildcard": (
        query({"wildcard": {"k": {"wildcard": "a*"}}}),
        [{"k": "ab"}],
        [{"k": "b"}],
    ),
    "a pattern of text covers a word": (
        query({"wildcard": {"t": {"value": "B*", "case_insensitive": True}}}),
        [{"t": "a bc"}],
        [{"t": "abc"}],
    ),
    "a pattern covers any value of a flattened field": (
        query({"wildcard": {"f": "x*"}}),
        [{"f": {"a": {"b": "xy"}}}],
        [{"f": {"x": "y"}}],
    ),
    "a pattern never covers a number": (query({"wildcard": {"n": "5*"}}), [], [{"n": 5}]),
    "clauses must hold": (
        query({"bool": {"must": {"term": {"k": "a"}}, "filter": [{"term": {"n": 1}}]}}),
        [{"k": "a", "n": 1}],
        [{"k": "a"}, {"n": 1}],
    ),
    "of clauses that should hold one must, if nothing else must": (
        query({"bool": {"should": [{"term": {"k": "a"}}, {"term": {"n": 1}}]}}),
        [{"k": "a"}, {"n": 1}],
        [{}],
    ),
    "beside others they need not": (
        query({"bool": {"must": [{"term": {"k": "a"}}], "should": [{"term": {"n": 1}}]}}),
        [{"k": "a"}],
        [{"n": 1}],
    ),
    "unless it is said": (
        query(
            {
                "bool": {
                    "filter": [{"term": {"k": "a"}}],
                    "should": [{"term": {"n": 1}}],
                    "minimum_should_match": 1,
                }
            }
        ),
        [{"k": "a", "n": 1}],
        [{"k": "a"}],
    ),
    "clauses must not hold": (
        query({"bool": {"must_not": [{"term": {"k": "a"}}, {"term": {"n": 1}}]}}),
        [{}, {"k": "b"}],
        [{"k": "a"}, {"n": 1}],
    ),
    "everything matches": (query({"match_all": {}}), [{}], []),
    "a filter may be negated": (
        {"meta": {"negate": True}, "query": {"term": {"k": "a"}}},
        [{}, {"k": "b"}],
        [{"k": "a"}],
    ),
    "a filter may be disabled": (
        {"meta": {"disabled": True, "negate": True}, "query": {"term": {"k": "a"}}},
        [{}, {"k": "a"}],
        [],
    ),
    "filters may be combined": (
        {
            "meta": {
                "type": "combined",
                "relation": "OR",
                "params": [query({"term": {"k": "a"}}), query({"term": {"n": 1}})],
            }
        },
        [{"k": "a"}, {"n": 1}],
        [{}],
    ),
}


@pytest.mark.parametrize("name", MEANS)
def test_a_filter_means(name):
    one, hits, misses = MEANS[name]
    condition = filters().all([one])
    events = [*hits, *misses]
    assert [by_itself(json.dumps(one))(condition) for one in events] == [
        one in hits for one in events
    ]


REFUSED = {
    "a script": (query({"script": {}}), "'script' of the query DSL is not supported"),
    "a text": ("k: a", "a filter is no object"),
    "nothing": ({"meta": {}}, "a query has one clause, not 0"),
    "two clauses": (query({"term": {}, "terms": {}}), "a query has one clause, not 2"),
    "two fields": (query({"term": {"a": 1, "b": 2}}), "term: names 2 fields, and needs one"),
    "a comparison with nothing": (query({"term": {"a": {}}}), "a is compared with nothing"),
    "a comparison with null": (query({"term": {"a": None}}), "a value is a text or a number"),
    "another bound": (query({"range": {"n": {"from": 1}}}), "range: 'from' is not supported"),
    "another part": (query({"bool": {"could": []}}), "bool: 'could' is not supported"),
    "a share": (
        query({"bool": {"should": [], "minimum_should_match": "75%"}}),
        "minimum_should_match of 75% is not supported",
    ),
    "terms of another document": (query({"terms": {"k": {"index": "x"}}}), "another document"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_filter_that_cannot_be_said_is_refused(name):
    one, reason = REFUSED[name]
    with pytest.raises(RuleError) as caught:
        filters().all([one])
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a?b*", ("a", Wild.ONE, "b", Wild.ANY)),
        ("a\\*b", ("a*b",)),
        ("a\\?", ("a?",)),
        ("a\\\\*", ("a\\", Wild.ANY)),
        ("\\q", ("q",)),
        ("end\\", ("end\\",)),
        ("", ()),
    ],
)
def test_a_pattern_of_the_dsl_is_read(text, parts):
    assert read_wildcard(text) == Glob(parts)


def item(*entries, **more):
    return {"item_id": "i", "list_id": "l", "name": "N", "entries": list(entries), **more}


def entry(kind, field="k", operator="included", **more):
    return {"type": kind, "field": field, "operator": operator, **more}


EXCEPTED = {
    "a value": ([item(entry("match", value="a"))], [{"k": "a"}], [{"k": "A"}, {}]),
    "another value": (
        [item(entry("match", operator="excluded", value="a"))],
        [{"k": "b"}, {}],
        [{"k": "a"}],
    ),
    "one of some values": (
        [item(entry("match_any", value=["a", "b"]))],
        [{"k": "b"}],
        [{"k": "c"}],
    ),
    "a field": ([item(entry("exists"))], [{"k": "a"}], [{}]),
    "no field": ([item(entry("exists", operator="excluded"))], [{}], [{"k": "a"}]),
    "a pattern": ([item(entry("wildcard", value="a?"))], [{"k": "ab"}], [{"k": "a"}]),
    "all entries of an item": (
        [item(entry("match", value="a"), entry("match", field="n", value="1"))],
        [{"k": "a", "n": 1}],
        [{"k": "a"}],
    ),
    "any item": (
        [item(entry("match", value="a")), item(entry("match", value="b"))],
        [{"k": "a"}, {"k": "b"}],
        [{"k": "c"}],
    ),
    "one object of an array": (
        [
            item(
                {
                    "type": "nested",
                    "field": "list",
                    "entries": [entry("match", value="a"), entry("match", field="n", value="1")],
                }
            )
        ],
        [{"list": [{"k": "b"}, {"k": "a", "n": 1}]}],
        [{"list": [{"k": "a"}, {"n": 1}]}],
    ),
}


@pytest.mark.parametrize("name", EXCEPTED)
def test_an_exception_leaves_out(name):
    items, hits, misses = EXCEPTED[name]
    condition = lower_exceptions(items, filters()).condition
    events = [*hits, *misses]
    assert [by_itself(json.dumps(one))(condition) for one in events] == [
        one in hits for one in events
    ]


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (item(entry("list", list={"id": "x"})), "an exception of type 'list' is not supported"),
        (item(), "exception i: has no entries"),
        (item(entry("match")), "an exception of type 'match' has no 'value'"),
        (item("text"), "an exception of type '' is not supported"),
    ],
)
def test_an_exception_that_cannot_be_said_is_refused(one, reason):
    with pytest.raises(RuleError) as caught:
        lower_exceptions([one], filters())
    assert reason in str(caught.value)


def test_an_exception_that_ends_is_an_approximation():
    ends = item(entry("exists"), expire_time="2026-01-01T00:00:00Z")
    assert "ends at 2026-01-01" in lower_exceptions([ends], filters()).approximations[0]
