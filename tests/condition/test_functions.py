"""What the functions on words, times and ranges give."""

import pytest

from tocsin.condition.functions import apply
from tocsin.condition.tree import Call
from tocsin.jsontext import read_value

GIVES = {
    "words fold and part at anything else": ("words", '"Get-Item  $A_b;C1"', [" get item a_b c1 "]),
    "words of other alphabets": ("words", '"Ärger über ΣΑΣ"', [" ärger über σασ "]),
    "words of nothing": ("words", '"-- "', []),
    "words of a number": ("words", "1.5", [" 1 5 "]),
    "words of each leaf": ("words", '{"a": "x y", "b": [true, null]}', [" x y ", " true "]),
    "no words": ("words", "null", []),
    "tokens": ("tokens", '"A b,A"', ["a", "b", "a"]),
    "tokens of an empty array": ("tokens", "[]", []),
    "a moment": ("moment", '"1970-01-01T00:00:01.9999Z"', [1999]),
    "a moment before 1970": ("moment", '"1969-12-31T23:59:59.9999Z"', [-1]),
    "a moment in a zone": ("moment", '"1970-01-01T01:00:00+01:00"', [0]),
    "a moment in seconds": ("moment", "1000000000", [10**12]),
    "a moment in milliseconds": ("moment", "1700000000001", [1700000000001]),
    "no moment": ("moment", '"soon"', []),
}


@pytest.mark.parametrize(("name", "value", "results"), GIVES.values(), ids=GIVES)
def test_gives(name, value, results):
    assert apply((Call(name),), [read_value(value)[0]]) == results


@pytest.mark.parametrize(
    ("value", "results"), [("1", [1]), ('"5"', [5]), ("0.9", []), ("5.1", []), ("true", [])]
)
def test_within_gives_numbers_between_two(value, results):
    assert apply((Call("within", (1, 5)),), [read_value(value)[0]]) == results
