"""Functions of Python on values of records: what Python gives, or nothing where it raises."""

from decimal import Decimal

import pytest

from tocsin.condition.functions import apply
from tocsin.condition.pure import PURE
from tocsin.condition.tree import Call
from tocsin.jsontext import read_value
from tocsin.python.operations import METHODS, Missing, is_listed
from tocsin.python.program import NOTHING, run

IN_TEXTS = '[["g",0,[]],["c","a"],["c","b"],["q","list",[1,2]],["a","in",3,0]]'
IN_FROZEN_TEXTS = IN_TEXTS.replace("list", "frozenset")
IN_VALUES = '[["g",0,[]],["c","a"],["c",1],["q","list",[1,2]],["a","in",3,0]]'
ALIGNED = '[["g",0,[]],["c","ljust"],["c",3],["q","tuple",[]],["a","method",0,1,2,3]]'
TOO_WIDE = ALIGNED.replace("3]", "1000001]", 1)

LOOKED_UP_FIRST = (
    '[["g",0,["a"]],["c","startswith"],["g",0,["b"]],["q","tuple",[]],["a","method",0,1,2,3],'
    '["c","AttributeError"],["a","raises",4,5]]'
)

CASES = [
    ("str.lower", (), '"ÀΣ"', ["ÀΣ".lower()]),
    ("str.lower", (), "5", []),
    ("str.upper", (), '"straße"', ["STRASSE"]),
    ("str.strip", (), '"\\u00a0x "', ["x"]),
    ("str.removeprefix", ("a",), '"aab"', ["ab"]),
    ("str.part", ("/", -1), '"a/b"', ["b"]),
    ("str.part", ("/", 2), '"a/b"', []),
    ("len", (), "[1, [2]]", [2]),
    ("len", (), "null", []),
    ("members", (), '[1, [2], "x"]', ["1", [2], "x"]),
    ("members", (), '"x"', []),
    ("keys", (), '{"Ab": 1}', ["ab"]),
    ("has_key", ("AB",), '{"aB": null}', [True]),
    ("has_key", ("c",), '{"aB": null}', [False]),
    ("kind", (), "1.0", ["float"]),
    ("kind", (), "-7", ["integer"]),
    ("kind", (), "null", ["null"]),
    ("truth", (), "0.0", [False]),
    ("truth", (), "[0]", [True]),
    ("as_number", (), "true", [1]),
    ("as_number", (), "0.1", [Decimal.from_float(0.1)]),
    ("as_number", (), '"1"', []),
    ("python", ('[["g",0,["a"]],["a","len",0]]',), '{"A": "xyz"}', [3]),
    ("python", ('[["g",0,["a"]],["a","len",0]]',), '{"A": 1}', []),
    ("python", (IN_TEXTS,), '"b"', [True]),
    ("python", (IN_TEXTS,), '"B"', [False]),
    ("python", (IN_TEXTS,), "1", [False]),
    ("python", (IN_TEXTS,), "[1]", [False]),
    ("python", (IN_FROZEN_TEXTS,), '"b"', [True]),
    ("python", (IN_FROZEN_TEXTS,), '["b"]', [False]),
    ("python", (IN_VALUES,), "true", [True]),
    ("python", (ALIGNED,), '"b"', ["b  "]),
    ("python", (TOO_WIDE,), '"b"', []),
    ("python", (LOOKED_UP_FIRST,), '{"a": 1}', [True]),
    ("python", (LOOKED_UP_FIRST,), '{"a": "x"}', [False]),
    ("truth", (), "[" * 511 + "]" * 511, [True]),
    ("same", (), "[" * 511 + "]" * 511, []),
]


@pytest.mark.parametrize(("name", "args", "text", "wanted"), CASES)
def test_a_function_gives_what_python_gives(name, args, text, wanted):
    value, _ = read_value(text)
    found = apply((Call(name, args),), [value])
    shown = [getattr(one, "text", one) for one in found]
    shown = [
        [getattr(x, "value", lambda x=x: x)() for x in one] if isinstance(one, list) else one
        for one in shown
    ]
    assert shown == wanted
    assert list(map(type, shown)) == list(map(type, wanted))


def test_every_function_is_tried():
    tried = {name for name, *_ in CASES}
    assert set(PURE) - {f"str.{name}" for name in dir(str)} - {"same"} <= tried


SAME = ["1", "1.0", "true", "[1, 2.0]", "[true, 2]", '{"a": 1, "b": null}', '{"b": null, "a": 1.0}',
        '"1"', "null", "[]", "{}", '"z"', "0", "false", "[[1], 2]", "[1, [2]]"]  # fmt: skip


@pytest.mark.parametrize("one", SAME)
@pytest.mark.parametrize("other", SAME)
def test_values_have_the_same_text_if_python_has_them_equal(one, other):
    texts = [apply((Call("same"),), [read_value(text)[0]])[0] for text in (one, other)]
    import json

    assert (texts[0] == texts[1]) is (json.loads(one) == json.loads(other))


def test_what_can_be_called_is_listed_for_every_type_that_has_it():
    assert [name for _, names in METHODS for name in names if not is_listed(name)] == []
    assert not is_listed("__class__")
    assert not is_listed("timestamp")


@pytest.mark.parametrize("program", ['[["g",0,["a"]]]', '[["g",0,[]],["a","len",0]]'])
def test_a_program_on_nothing_raises(program):
    with pytest.raises((Missing, TypeError)):
        run(program, NOTHING)
