"""The page on lifting says what the code has."""

import re

from pages import DOCS
from tocsin.condition.pure import PURE
from tocsin.rules.panther.lift import Tier

PAGE = (DOCS / "lifting.md").read_text("utf-8")


def test_every_function_is_described():
    described = set(re.findall(r"`([\w.]+)`", PAGE.split("## Functions")[1]))
    assert {name for name in PURE if not name.startswith("str.")} | {"str.part"} <= described


def test_every_tier_is_described():
    assert all(f"| {tier} |" in PAGE for tier in Tier)
