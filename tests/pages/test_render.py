"""How values are written for people."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from tocsin.pages.collect import share
from tocsin.pages.render import indented, lasted, safe_text, size, web_address

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=15,
)


@given(JSON)
def test_an_indented_record_is_the_same_record(value: object) -> None:
    assert json.loads(indented(json.dumps(value))) == value


@given(JSON, st.integers(0, 80))
def test_a_record_that_was_cut_anywhere_loses_nothing_more(value: object, end: int) -> None:
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)[:end]
    assert "".join(indented(text).split()) == "".join(text.split())


def test_a_record_is_indented_and_its_numbers_stay_as_they_were() -> None:
    assert indented('{"a":[1.50,{}],"b":{"c":"x, {y}: z"},"d":[]}') == (
        '{\n  "a": [\n    1.50,\n    {}\n  ],\n  "b": {\n    "c": "x, {y}: z"\n  },\n  "d": []\n}'
    )


def test_a_deep_record_is_indented_so_far_only() -> None:
    text = indented("[" * 500 + "]" * 500)
    assert max(len(line) for line in text.splitlines()) < 40


@pytest.mark.parametrize(
    ("text", "expected"),
    [("https://a.example/b", True), ("HTTP://a.example", True), ("javascript:alert(1)", False),
     ("//a.example", False), ("http:///x", False), ("http://[", False), ("a book", False)],
)  # fmt: skip
def test_only_an_address_of_the_web_is_one(text: str, expected: bool) -> None:
    assert web_address(text) == (text if expected else "")


def test_what_misleads_a_reader_is_written_out_and_markup_stays() -> None:
    assert safe_text("a\nb\x1b\u202e") == "a\nb\\x1b\\u202e"
    assert safe_text(Markup("<b>")) == Markup("<b>")
    assert safe_text(None) == ""
    assert safe_text(7) == 7


def test_sizes_and_durations_are_for_people() -> None:
    assert [size(one) for one in (7, 1500, 4_900_000, 3_000_000_000)] == [
        "7 bytes", "1.5 KB", "4.9 MB", "3.0 GB",
    ]  # fmt: skip
    assert [lasted(one) for one in (0.44, 75.4)] == ["0.4 s", "1 min 15 s"]


@given(st.lists(st.integers(1, 3000), max_size=30), st.integers(30, 5000))
def test_shares_use_the_room_that_there_is(counts: list[int], room: int) -> None:
    each = share(counts, room, 1000)
    kept = sum(min(count, each) for count in counts)
    assert 1 <= each <= 1000
    assert kept <= room
    assert each == 1000 or kept + len(counts) > room


@given(st.lists(st.integers(1, 3000), min_size=1, max_size=30), st.integers(1, 500))
def test_a_share_never_grows_when_more_comes(counts: list[int], room: int) -> None:
    before = share(counts, room, 1000)
    assert share([*counts, 7], room, 1000) <= before
    assert share([counts[0] + 50, *counts[1:]], room, 1000) <= before
