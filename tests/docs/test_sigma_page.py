import pytest
from sigma.modifiers import modifier_mapping

from pages import DOCS, generator, rows

PAGE = DOCS / "sigma.md"
EXAMPLES = rows(PAGE, "rule", "event", "result")


def test_every_modifier_of_pysigma_is_described_and_no_other():
    assert set(generator().MODIFIERS) == set(modifier_mapping)
    assert [row[0] for row in rows(PAGE, *MODIFIER_HEADS)] == sorted(modifier_mapping)


MODIFIER_HEADS = ("modifier", "runs", "meaning", "item", "matches", "does not")


@pytest.mark.parametrize("name", sorted(modifier_mapping))
def test_a_modifier_does_on_its_examples_what_the_page_says(name):
    assert generator().runs(generator().MODIFIERS[name])


def test_every_value_type_of_pysigma_is_described_and_no_other():
    generate = generator()
    names = [kind.__name__ for kind in generate.value_types()]
    assert set(generate.VALUES) == set(names)
    assert [row[0] for row in rows(PAGE, "pySigma type", "runs", "meaning")] == names


def test_query_expressions_are_the_only_values_that_do_not_run():
    table = rows(PAGE, "pySigma type", "runs", "meaning")
    assert [name for name, runs, _ in table if runs != "yes"] == ["SigmaQueryExpression"]


@pytest.mark.parametrize(("item", "event", "result"), EXAMPLES, ids=map(" @ ".join, EXAMPLES))
def test_an_example_ends_as_the_page_says(item, event, result):
    condition = "not selection" if item.startswith("not ") else "selection"
    rule = generator().load_item(item.removeprefix("not "), condition)
    assert ended(rule, event) == result


def ended(rule, event):
    if rule.reasons:
        return "refused"
    return "matches" if generator().fires(rule, event) else "no match"
