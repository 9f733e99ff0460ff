"""Every KQL query of Elastic's rules is read, written and lowered."""

import tomllib
from collections import Counter
from datetime import UTC, datetime

import pytest

from tocsin.condition.tree import FALSE, TRUE
from tocsin.rules.elastic.kql.lower import lower
from tocsin.rules.elastic.kql.parse import parse
from tocsin.rules.elastic.kql.render import render
from tocsin.rules.elastic.kql.tree import (
    ANYTHING,
    AllOf,
    And,
    AnyOf,
    Compare,
    Constant,
    Exists,
    FreeText,
    Nested,
    NoneOf,
    Not,
    Or,
    Range,
    walk,
)
from tocsin.rules.elastic.kql.types import ecs_type

COUNTS = {
    And: 895,
    Or: 177,
    Not: 353,
    AllOf: 163,
    AnyOf: 1034,
    NoneOf: 83,
    Compare: 3726,
    Range: 28,
    Nested: 1,
    Constant: 64,
    FreeText: 0,
}
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def queries(elastic_corpus):
    """Return the queries of all rules in production, and those for indicators."""
    found = []
    for path in sorted(elastic_corpus.rglob("*.toml")):
        content = tomllib.loads(path.read_text("utf-8"))
        if content.get("metadata", {}).get("maturity") != "production":
            continue
        rule = content["rule"]
        texts = [rule["query"]] if rule.get("language") == "kuery" else []
        texts += [rule["threat_query"]] if "threat_query" in rule else []
        found += [(path.name, parse(text)) for text in texts]
    return found


def test_every_query_is_read(queries):
    assert len(queries) == 734
    nodes = [node for _, query in queries for node, _ in walk(query)]
    counts = Counter(type(node) for node in nodes)
    assert {kind: counts[kind] for kind in COUNTS} == COUNTS
    assert counts[Exists] + nodes.count(ANYTHING) == 188


def test_every_query_survives_its_text(queries):
    for name, query in queries:
        assert parse(render(query)) == query, name


def test_every_query_is_lowered_to_something(queries):
    for name, query in queries:
        lowered = lower(query, ecs_type, NOW)
        assert lowered.condition not in (TRUE, FALSE), name
        assert lowered.names, name


def test_warnings_are_few_and_about_types_that_are_not_known(queries):
    warnings = {one for _, query in queries for one in lower(query, ecs_type, NOW).warnings}
    assert len(warnings) <= 3
    assert all("compares them as text" in one for one in warnings)
