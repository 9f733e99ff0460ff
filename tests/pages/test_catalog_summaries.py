"""What lists of rules in the browser show of a description."""

import pytest

from tocsin.pages.catalog.browser import LONGEST_SUMMARY, _shortened

MOST = LONGEST_SUMMARY


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("two\n words ", "two words"),
        ("a" * MOST, "a" * MOST),
        ("a" * (MOST - 9) + " some words", "a" * (MOST - 9) + " some…"),
        ("a" * (MOST + 1), "a" * (MOST - 1) + "…"),
    ],
)
def test_a_description_is_cut_between_words(text, shown):
    assert _shortened(text) == shown
