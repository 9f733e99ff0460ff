"""Rows of a table are matched as the JSON objects are that they stand for."""

import json
from dataclasses import replace

import pyarrow as pa
import pytest

from oracle.makers import KEYS, TEXTS, ConditionMaker
from oracle.running import as_rule
from tocsin.engine.match import Matcher
from tocsin.engine.plan import compile_plan
from tocsin.logs.formats.rows import TableColumns, row_texts
from tocsin.logs.logtype import ANY_KEY, generic

PLAIN = generic("any", "any", "any")
CELLS = replace(PLAIN, shapes=(replace(PLAIN.shapes[0], json_cells=((ANY_KEY,),)),))
TYPES = {
    "text": (pa.string(), lambda make: make.pick(*TEXTS)),
    "text view": (pa.string_view(), lambda make: make.pick(*TEXTS)),
    "encoded": (pa.dictionary(pa.int8(), pa.string()), lambda make: make.pick(*TEXTS)),
    "whole": (pa.int64(), lambda make: make.pick(0, 1, 5, -5, 200, 2**53 + 1)),
    "float": (pa.float64(), lambda make: make.pick(1.5, 200.0, float("nan"), 1e300)),
    "truth": (pa.bool_(), lambda make: make.pick(True, False)),
    "list": (pa.list_(pa.string()), lambda make: make.some(lambda: make.pick(*TEXTS), 3)),
    "empty": (pa.null(), lambda make: None),
    "JSON": (pa.string(), lambda make: json.dumps(make.event(depth=1))),
}
OBJECTS = {
    "struct": (
        pa.struct({"b": pa.string(), "c": pa.int64()}),
        lambda make: {"b": make.pick(*TEXTS, None), "c": make.pick(1, 5, None)},
    ),
}


def table_of(make: ConditionMaker, types: dict, rows: int = 40) -> pa.Table:
    chosen = make.chance.sample(KEYS, make.chance.randint(1, len(KEYS)))
    columns = {}
    for key in chosen:
        kind, value = types[make.pick(*types)]
        values = [value(make) if make.chance.random() < 0.7 else None for _ in range(rows)]
        columns[key] = pa.array(values, kind)
    return pa.table(columns)


def found(matcher: Matcher, batch: object) -> set[tuple[int, int]]:
    result = matcher.match(batch)
    assert not result.refused
    return {(match.row, match.input.rule) for match in result.matches}


@pytest.mark.parametrize("log_type", [PLAIN, CELLS], ids=["plain", "json-cells"])
@pytest.mark.parametrize("types", [TYPES, TYPES | OBJECTS], ids=["flat", "with-objects"])
@pytest.mark.parametrize("seed", range(25))
def test_a_table_matches_as_its_rows_do(seed: int, types: dict, log_type: object) -> None:
    make = ConditionMaker(seed)
    table = table_of(make, types)
    rules = [as_rule(number, make.condition()) for number in range(40)]
    matcher = Matcher([log_type], lambda one, shape: compile_plan(rules, one, shape))
    expected = found(matcher, pa.array(row_texts(table), pa.string()))
    assert found(matcher, TableColumns(table)) == expected
    parts = [TableColumns(table.slice(at, 7)) for at in range(0, table.num_rows, 7)]
    split = [{(row + 7 * at, n) for row, n in found(matcher, p)} for at, p in enumerate(parts)]
    assert set().union(*split) == expected


def test_a_row_is_the_object_of_its_cells_that_are_not_null() -> None:
    table = pa.table(
        {
            "text": ["x", None],
            "none": pa.nulls(2),
            "big": [2**63 - 1, None],
            "nan": [float("nan"), 1.0],
            "bytes": [b"ok", b"\xff\x00"],
            "when": pa.array([0, None], pa.timestamp("ms", "UTC")),
            "naive": pa.array([0, None], pa.timestamp("s")),
            "map": pa.array([[("k", 1)], None], pa.map_(pa.string(), pa.int64())),
            "struct": [{"a": None, "b": [1]}, None],
        }
    )
    first, second = map(json.loads, row_texts(table))
    assert first == {
        "text": "x",
        "big": 2**63 - 1,
        "nan": "nan",
        "bytes": "ok",
        "when": "1970-01-01T00:00:00Z",
        "naive": "1970-01-01T00:00:00",
        "map": {"k": 1},
        "struct": {"b": [1]},
    }
    assert second == {"nan": 1.0, "bytes": "ff00"}
    assert row_texts(pa.table({"a": pa.nulls(2)})) == ["{}", "{}"]
