"""YAML 1.2: what is a text, a number, a boolean; what is refused, and where."""

from pathlib import Path

import pytest

from tocsin.errors import RuleError
from tocsin.rules.panther.yaml12 import read_yaml12

SCALARS = {
    "on": "on", "off": "off", "yes": "yes", "n": "n",
    "true": True, "False": False, "tRUE": "tRUE",
    "~": None, "": None, "null": None, "Null": None,
    "10": 10, "010": 10, "+5": 5, "-3": -3, "0x1F": 31, "0o17": 15, "1_000": "1_000",
    "1.5": 1.5, ".5": 0.5, "-.5": -0.5, "1e3": 1000.0, "1.": 1.0, ".inf": float("inf"),
    "-.INF": float("-inf"), "1:30": "1:30", "2021-03-04": "2021-03-04",
    "2021-03-04T05:06:07Z": "2021-03-04T05:06:07Z", "1.2.3": "1.2.3", '"10"': "10",
    "=": "=", ".": ".",
}  # fmt: skip


def read(text):
    return read_yaml12(text, Path("x.yml"))


@pytest.mark.parametrize("text", SCALARS)
def test_a_scalar(text):
    found = read(f"key: {text}").value["key"]
    assert (type(found), found) == (type(SCALARS[text]), SCALARS[text])


def test_keys_are_texts_as_written():
    assert list(read("{On: 1, true: 2, 1: 3, ~: 4}").value) == ["On", "true", "1", "~"]


def test_a_key_that_stands_twice_is_told_and_the_last_counts():
    found = read("a: 1\nb:\n  c: 1\n  c: 2\n")
    assert (found.value, found.repeated) == ({"a": 1, "b": {"c": 2}}, (("c", 4),))


def test_merged_keys():
    assert read("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}").value["b"] == {"x": 1, "y": 3}


BAD = {
    "open list": ("a: [", "x.yml:2:1: no YAML: "),
    "tab": ("\ta: 1", "x.yml:1:1: no YAML: "),
    "two documents": ("a: 1\n---\nb: 2", "x.yml:2:1: no YAML: "),
    "a list as a key": ("? [a]\n: b", "x.yml:1:3: no YAML: a key is no text"),
    "a Python object": ("a: !!python/name:os.system", "x.yml:1:4: no YAML: "),
    "an alias inside itself": ("a: &x [*x]", "x.yml: an alias stands inside of what it names"),
    "a bomb": (
        "a0: &a0 [x]\n" + "".join(f"a{n + 1}: &a{n + 1} [*a{n}, *a{n}]\n" for n in range(60)),
        "x.yml: its aliases unfold to more than 1,000,000 values",
    ),
    "deep": ("[" * 5000, "x.yml"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_yaml_is_told_with_its_place(name):
    text, reason = BAD[name]
    with pytest.raises(RuleError) as raised:
        read(text)
    assert str(raised.value).startswith(reason)
