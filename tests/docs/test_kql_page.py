"""The page on KQL names every type, and its words on form hold."""

import pytest

from pages import DOCS, rows
from tocsin.rules.elastic.kql.lower import MAX_TEXT
from tocsin.rules.elastic.kql.order import MAX_BOUND
from tocsin.rules.elastic.kql.parse import MAX_NESTING, parse
from tocsin.rules.elastic.kql.types import FieldType

PAGE = DOCS / "kql.md"
TYPES = rows(PAGE, "type", "value", "wildcards", "range")


def test_every_type_is_described_once():
    named = [name for row in TYPES for name in row[0].split(", ")]
    assert sorted(named) == sorted(FieldType)


@pytest.mark.parametrize(
    "query",
    [
        "field: value",
        'field: "a value"',
        "field: a*",
        "field: *",
        "field: (a or b)",
        "path: { a: 1 and b: 2 }",
        "a.*.b: value",
        "not (not a: 1)",
        "field: (not a)",
    ],
)
def test_a_query_of_the_page_is_read(query):
    assert f"`{query}`" in PAGE.read_text("utf-8")
    parse(query)


@pytest.mark.parametrize("limit", [MAX_NESTING, MAX_TEXT, MAX_BOUND])
def test_a_limit_is_on_the_page(limit):
    assert f"{limit:,}" in PAGE.read_text("utf-8")
