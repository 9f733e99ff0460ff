"""What a batch holds: by input, each finding once, and match by match in order."""

from collections import Counter

import numpy as np

from tocsin.engine.plan import PlannedInput
from tocsin.engine.result import BatchResult, Found, each_once
from tocsin.logs.load import load_log_types
from tocsin.logs.logtype import EVERY_EVENT

LOG_TYPE = load_log_types()[0]
SHAPE = LOG_TYPE.shapes[0]


def found(planned, *rows):
    return Found(SHAPE, planned, np.array(rows, np.int64))


def planned(rule, number=0):
    return PlannedInput(rule, number, EVERY_EVENT, LOG_TYPE)


def rows_of(found):
    return [(one.input.rule, one.input.number, one.rows.tolist()) for one in found]


def test_groups_of_one_input_are_joined_in_order():
    one = planned(4)
    assert rows_of(each_once([found(one, 5, 9), found(one, 1, 7)])) == [(4, 0, [1, 5, 7, 9])]


def test_variants_of_one_input_are_one_finding_and_the_first_has_it():
    first, second, third = planned(4), planned(4), planned(4)
    parts = [found(first, 1, 5), found(second, 5, 6), found(third, 1, 5, 6)]
    once = list(each_once(parts))
    assert rows_of(once) == [(4, 0, [1, 5]), (4, 0, [6])]
    assert [one.input for one in once] == [first, second]
    assert once[0].input is first


def test_inputs_of_one_rule_are_findings_of_their_own():
    parts = [found(planned(4, 0), 1), found(planned(4, 1), 1)]
    assert rows_of(each_once(parts)) == [(4, 0, [1]), (4, 1, [1])]


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
