"""A tree, written as text, reads as the same tree."""

import pytest
from hypothesis import given, settings
from kql_trees import queries

from tocsin.rules.elastic.kql.parse import parse
from tocsin.rules.elastic.kql.render import render

WRITTEN = {
    "precedence needs no parentheses": "a: 1 or b: 2 and not c: 3",
    "groups keep theirs": "(a: 1 or b: 2) and not (c: 3 and d: 4)",
    "a group of the same kind": "(a: 1 and b: 2) and c: 3",
    "not of not": "not (not a: 1)",
    "lists": "a: (x or (y and not (z or w)) or not \"v*\")",
    "nested": "p: { a: 1 and q: { b > 2 } }",
    "existence": "a.*.b: *",
    "free text": "x and \"y\"",
    "everything": "",
}  # fmt: skip


@pytest.mark.parametrize("text", WRITTEN.values(), ids=WRITTEN)
def test_what_reads_as_written_is_written_as_read(text):
    written = render(parse(text))
    assert parse(written) == parse(text)
    assert render(parse(written)) == written


@given(queries())
@settings(max_examples=300, deadline=None)
def test_every_tree_survives_its_text(tree):
    assert parse(render(tree)) == tree
