"""How close an event comes to a predicate, said of the nearest way in which it does."""

import pytest

from tocsin.condition.closeness import Closeness, Surroundings, closeness
from tocsin.condition.trace import trace
from tocsin.condition.tree import (
    AnyElement,
    Call,
    Field,
    FieldsCompare,
    Glob,
    Op,
    Predicate,
    Regex,
    Wild,
)
from tocsin.jsontext import read
from tocsin.logs.logtype import generic
from tocsin.logs.view import RecordView

SHAPE = generic("any", "any", "any").shapes[0]
TEXT, NUMBER, RAW = (Call("text"),), (Call("number"),), ()


def hint_of(condition, text: str, *, wanted: bool = True):
    record = read(text).value
    node = trace(condition, RecordView(record, SHAPE))
    assert node.holds is not wanted
    return closeness(node, Surroundings(record), wanted=wanted)


def asks(op: Op, *values: object, fold_case: bool = True, via: tuple = TEXT, name: str = "field"):
    return Predicate(Field((name,), via), op, values, fold_case)


ABC = Glob(("abc", Wild.ANY, "xyz"))
CASES = {
    "equal in other case": (
        asks(Op.EQUALS, "Admin", fold_case=False),
        '{"field": "admin"}',
        "other_case",
    ),
    "contained in other case": (
        asks(Op.CONTAINS, "Admin", fold_case=False),
        '{"field": "an admin"}',
        "other_case",
    ),
    "blanks around": (asks(Op.EQUALS, "admin"), '{"field": " admin "}', "blanks"),
    "blanks asked for": (asks(Op.CONTAINS, " -enc "), '{"field": "powershell -enc"}', "blanks"),
    "a number for a text": (asks(Op.EQUALS, "5", via=RAW), '{"field": 5}', "other_type"),
    "a text for a number": (asks(Op.EQUALS, 5, via=RAW), '{"field": "5"}', "other_type"),
    "at another place": (
        asks(Op.STARTSWITH, "admin"),
        '{"field": "the admin"}',
        "elsewhere_in_value",
    ),
    "with more around it": (
        asks(Op.EQUALS, "cmd.exe"),
        '{"field": "C:\\\\cmd.exe"}',
        "elsewhere_in_value",
    ),
    "a letter is wrong": (asks(Op.EQUALS, "mimikatz"), '{"field": "mimlkatz"}', "similar"),
    "a part of what is asked": (
        asks(Op.ENDSWITH, "/vaults/secrets"),
        '{"field": "secrets"}',
        "part",
    ),
    "a pattern in other case": (
        Predicate(Field(("field",), TEXT), Op.GLOB, (ABC,)),
        '{"field": "ABC XYZ"}',
        "other_case",
    ),
    "a pattern fits inside": (asks(Op.GLOB, ABC), '{"field": "- abc xyz -"}', "elsewhere_in_value"),
    "a regex in other case": (asks(Op.REGEX, Regex("^ab+$")), '{"field": "ABB"}', "other_case"),
    "another key of that name": (
        asks(Op.EQUALS, "evil", name="ProcessName"),
        '{"process_name": "evil"}',
        "other_name",
    ),
    "the last of dotted keys": (
        asks(Op.EQUALS, "evil", name="a.image"),
        '{"b": {"image": "evil"}}',
        "other_name",
    ),
    "a key of that name with another value": (
        asks(Op.EQUALS, "evil", name="ProcessName"),
        '{"process_name": "good"}',
        "similar_name",
    ),
    "another field has it": (
        asks(Op.CONTAINS, "evil", name="Image"),
        '{"Other": "evil.exe"}',
        "other_field",
    ),
    "the field differs, another has it": (
        asks(Op.CONTAINS, "evil"),
        '{"field": "good", "x": "evil.exe"}',
        "other_field",
    ),
    "another number": (asks(Op.GREATER, 5, via=NUMBER), '{"field": 3}', "number"),
    "no number": (asks(Op.GREATER, 5, via=NUMBER), '{"field": "many"}', "no_value"),
    "null": (asks(Op.EQUALS, "x"), '{"field": null}', "empty"),
    "empty text": (asks(Op.CONTAINS, "x"), '{"field": ""}', "empty"),
    "an address elsewhere": (asks(Op.CIDR, "10.0.0.0/8"), '{"field": "192.0.2.1"}', "different"),
    "no address": (asks(Op.CIDR, "10.0.0.0/8"), '{"field": "host"}', "no_value"),
    "other text": (asks(Op.EQUALS, "alpha"), '{"field": "beta"}', "different"),
    "a value instead of null": (asks(Op.IS_NULL, via=RAW), '{"field": 1}', "different"),
    "absent": (asks(Op.EQUALS, "alpha"), '{"other": "beta"}', "absent"),
    "not there at all": (asks(Op.EXISTS, via=RAW), '{"other": "beta"}', "absent"),
    "a keyword": (
        Predicate(Field((), (Call("leaves"),)), Op.CONTAINS, ("x",), True),
        '{"a": "b"}',
        "absent",
    ),
    "an array without objects": (AnyElement(("a",), asks(Op.EQUALS, "x")), '{"a": [1]}', "empty"),
    "no array": (AnyElement(("a",), asks(Op.EQUALS, "x")), '{"b": [1]}', "absent"),
    "two fields in other case": (
        FieldsCompare(Field(("a",), TEXT), Op.EQUALS, Field(("b",), TEXT)),
        '{"a": "X", "b": "x"}',
        "other_case",
    ),
    "two fields that differ": (
        FieldsCompare(Field(("a",), TEXT), Op.EQUALS, Field(("b",), TEXT)),
        '{"a": "cat", "b": "dog"}',
        "different",
    ),
    "two fields, one absent": (
        FieldsCompare(Field(("a",), TEXT), Op.EQUALS, Field(("b",), TEXT)),
        '{"a": "cat"}',
        "absent",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_closeness_of(name: str) -> None:
    condition, text, expected = CASES[name]
    hint = hint_of(condition, text)
    assert hint.closeness == expected, hint
    assert hint.text


def test_every_closeness_has_a_case() -> None:
    shown = {expected for _, _, expected in CASES.values()} | {Closeness.HOLDS}
    assert shown == set(Closeness)


def test_what_holds_and_must_not_shows_the_value_that_does_it() -> None:
    hint = hint_of(asks(Op.CONTAINS, "x"), '{"field": ["y", "axb"]}', wanted=False)
    assert (hint.closeness, hint.value, hint.path) == (Closeness.HOLDS, "axb", ("field",))


def test_the_nearest_of_many_values_and_operands_counts() -> None:
    condition = asks(Op.EQUALS, "zebra", "Admin", fold_case=False)
    hint = hint_of(condition, '{"field": ["horse", "admin"]}')
    assert (hint.closeness, hint.value) == (Closeness.OTHER_CASE, "admin")


def test_short_texts_in_other_fields_are_no_hint() -> None:
    assert hint_of(asks(Op.EQUALS, "4"), '{"other": 4}').closeness is Closeness.ABSENT


def test_keys_that_share_only_their_parents_are_not_alike() -> None:
    condition = asks(Op.EQUALS, "x", name="identity.claim.upn")
    assert hint_of(condition, '{"identity": {"claim": {"appid": "y"}}}').closeness == "absent"


def test_hints_say_where_and_what() -> None:
    hint = hint_of(asks(Op.EQUALS, "evil", name="ProcessName"), '{"p": {"process_name": "evil"}}')
    assert hint.text == "there is no ProcessName, but p.process_name holds what was asked for"
    assert (hint.path, hint.value) == (("p", "process_name"), "evil")


@pytest.mark.parametrize("op", Op)
def test_any_operator_gets_a_hint_on_any_value(op: Op) -> None:
    order = op.value.startswith(("less", "greater"))
    special = {Op.GLOB: (ABC,), Op.REGEX: (Regex("abc"),), Op.CIDR: ("10.0.0.0/8",)}
    special |= {Op.EXISTS: (), Op.IS_NULL: ()}
    operands = special.get(op, (7,) if order else ("some text", 7, True))
    for text in ("null", "true", "1e400", "-0.5", '""', '"text"', "[]", "{}", '{"a": [1, "b"]}',
                 '["x", 5, null]', '"' + "long " * 2000 + '"'):  # fmt: skip
        for via in (RAW, TEXT, NUMBER):
            condition = Predicate(Field(("field",), via), op, operands, fold_case=True)
            record = read(f'{{"field": {text}}}').value
            node = trace(condition, RecordView(record, SHAPE))
            hint = closeness(node, Surroundings(record), wanted=not node.holds)
            assert (hint.closeness is Closeness.HOLDS) == node.holds
