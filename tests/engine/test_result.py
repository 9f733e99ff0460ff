"""What a batch holds: by input, each finding once, and match by match in order."""

from collections import Counter
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from tocsin.engine.plan import PlannedInput
from tocsin.engine.result import BatchResult, Found, each_once
from tocsin.logs.load import load_log_types
from tocsin.logs.logtype import EVERY_EVENT

LOG_TYPE = load_log_types()[0]
SHAPE = LOG_TYPE.shapes[0]


def rows(*numbers):
    return np.array(numbers, np.int64)


def planned(rule, number=0):
    return PlannedInput(rule, number, EVERY_EVENT, LOG_TYPE)


def found(planned, *numbers):
    return Found(SHAPE, planned, rows(*numbers))


def once(inputs, *parts):
    found = each_once(SHAPE, inputs, [(inputs[at], rows(*numbers)) for at, *numbers in parts])
    return [(inputs.index(one.input), one.rows.tolist()) for one in found]


def test_groups_of_one_input_are_joined_in_order():
    assert once([planned(4)], (0, 5, 9), (0, 1, 7)) == [(0, [1, 5, 7, 9])]


@pytest.mark.parametrize("parts", list(permutations([(0, 1, 5), (1, 6), (1, 5), (2, 1, 5, 6, 8)])))
def test_variants_of_one_input_are_one_finding_of_the_first_in_the_plan(parts):
    inputs = [replace(planned(4), bridge=name) for name in (None, "a", "b")]
    assert once(inputs, *parts) == [(0, [1, 5]), (1, [6]), (2, [8])]


def test_inputs_of_one_rule_are_findings_of_their_own():
    inputs = [planned(4, 0), planned(4, 1)]
    assert once(inputs, (1, 1), (0, 1)) == [(0, [1]), (1, [1])]


def test_matches_are_in_order_of_rows_rules_and_inputs():
    parts = (found(planned(2), 0, 3), found(planned(1, 1), 3), found(planned(1, 0), 2, 3))
    result = BatchResult(None, parts, (), 0, Counter())
    assert [(one.row, one.input.rule, one.input.number) for one in result.matches] == [
        (0, 2, 0),
        (2, 1, 0),
        (3, 1, 0),
        (3, 1, 1),
        (3, 2, 0),
    ]


def test_a_batch_without_matches_has_none():
    assert BatchResult(None, (), (), 0).matches == ()
