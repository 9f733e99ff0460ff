import re

import pytest

from pages import DOCS, generator
from tocsin.outputs import OUTPUTS
from tocsin.rules.select import FIELDS

PAGE = (DOCS / "cli.md").read_text("utf-8")
COMMANDS = dict(generator().commands())


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_and_its_options_stand_on_the_page(name):
    section = re.search(rf"^### `tocsin {name}`$(.*?)^##", PAGE, re.DOTALL | re.MULTILINE)
    for option in generator().options(COMMANDS[name]):
        for spelling in option.opts:
            assert f"`{spelling}" in section[1], spelling


def test_the_commands_are_those_of_the_program():
    assert {"demo", "logs identify", "logs types", "rules check", "scan", "test"} <= set(COMMANDS)


@pytest.mark.parametrize("name", OUTPUTS)
def test_a_form_of_results_stands_on_the_page(name):
    assert f"\n| `{name}` |" in PAGE


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_to_choose_rules_by_stands_on_the_page(name):
    assert f"`{name}`" in PAGE
