import re

import pytest

from pages import DOCS
from tocsin.rules.panther.kinds import NOT_YET, TYPES
from tocsin.sandbox.event import Event
from tocsin.sandbox.limits import PROTECTIONS
from tocsin.sandbox.runner import AUXILIARY

LAYERS = sorted({name for names in PROTECTIONS.values() for name in names})
PAGE = (DOCS / "panther.md").read_text("utf-8")


@pytest.mark.parametrize("name", TYPES)
def test_an_analysis_type_stands_on_the_page(name):
    assert f"`{name}`" in PAGE


@pytest.mark.parametrize("kind", NOT_YET)
def test_a_kind_stands_on_the_page(kind):
    assert f"`{kind}`" in PAGE


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_of_isolation_stands_on_the_page(layer):
    assert re.search(layer, PAGE, re.IGNORECASE)


@pytest.mark.parametrize("name", [name for name in vars(Event) if not name.startswith("_")])
def test_a_method_of_events_stands_on_the_page(name):
    assert f"`{name}(" in PAGE


def test_the_order_of_functions_is_that_of_the_page():
    assert ", ".join(f"`{name}`" for name in AUXILIARY) in " ".join(PAGE.split())
