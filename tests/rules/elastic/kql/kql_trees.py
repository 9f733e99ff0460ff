"""Trees of KQL queries, for properties."""

from hypothesis import strategies as st

from tocsin.condition.tree import Wild
from tocsin.rules.elastic.kql import tree

_WORDS = st.sampled_from(
    ["or", "and", "not", "OR", "true", "null", " ", "  ", "\t", "\u00a0", "\\"]
)
_TEXTS = st.lists(_WORDS | st.text(max_size=4), min_size=1, max_size=4).map("".join)
_FILLED = _TEXTS.filter(bool)


@st.composite
def bare(draw):
    """Make text and wildcards in turn."""
    parts = draw(st.lists(_FILLED | st.just(Wild.ANY), min_size=1, max_size=5))
    kept = [
        part
        for at, part in enumerate(parts)
        if part is Wild.ANY or at == 0 or parts[at - 1] is Wild.ANY
    ]
    return tree.Bare(tuple(kept))


quoted = _TEXTS.map(tree.Quoted)
names = bare() | quoted
plain_values = bare() | quoted | st.sampled_from([True, False, None]).map(tree.Constant)


def _parts(below):
    return st.lists(below, min_size=2, max_size=3).map(tuple)


values = st.recursive(
    plain_values,
    lambda below: (
        _parts(below).map(tree.AllOf) | _parts(below).map(tree.AnyOf) | below.map(tree.NoneOf)
    ),
    max_leaves=6,
)


def _clauses():
    compares = st.builds(tree.Compare, names, values.filter(lambda one: one != tree.ANYTHING))
    ranges = st.builds(tree.Range, names, st.sampled_from(tree.Order), plain_values)
    return compares | ranges | names.map(tree.Exists) | plain_values.map(tree.FreeText)


def queries():
    """Make queries of every kind."""
    return st.just(tree.Everything()) | st.recursive(
        _clauses(),
        lambda below: (
            _parts(below).map(tree.And)
            | _parts(below).map(tree.Or)
            | below.map(tree.Not)
            | st.builds(tree.Nested, names, below)
        ),
        max_leaves=6,
    )
