"""What a text says as a number; anyone may write anything into a field that a rule compares."""

from decimal import Decimal

import pytest

from tocsin.jsontext import parse_number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("5", 5),
        ("+5", 5),
        ("-05", -5),
        ("5.", 5),
        ("5.0", 5),
        ("5e2", 500),
        (".5", Decimal("0.5")),
        ("-.5", Decimal("-0.5")),
        (".5e1", 5),
        ("9007199254740993", 2**53 + 1),
        ("1" * 1001, int("1" * 1001)),
        ("1e999999", Decimal("1e999999")),
    ],
)
def test_a_number_is_exact_however_it_is_written(text, number):
    assert parse_number(text) == number
    assert type(parse_number(text)) is type(number)


@pytest.mark.parametrize("text", ["", ".", "-", "e5", ".e5", "0x5", "5 ", "1_000", "٣", "nan", "∞"])
def test_other_texts_are_no_numbers(text):
    assert parse_number(text) is None
