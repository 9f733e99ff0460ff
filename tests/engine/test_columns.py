"""Columns: what is said of distinct cells, as it is of rows."""

import numpy as np
import pyarrow as pa
import pytest

from tocsin.condition.tree import Call
from tocsin.engine.columns import Cells, Texts, combinations, encode_texts, read_cells, spread

KIND = (Call("kind"),)


@pytest.mark.parametrize("held", range(9))
def test_truth_of_cells_is_that_of_their_rows_however_few_hold(held):
    codes = np.array([0, 3, -1, 7, 3, 1, 8, -1, 2], np.int32)
    table = np.array([at < held for at in range(9)] + [False])
    assert spread(table, codes).tolist() == table[codes].tolist()


def test_a_table_that_holds_for_absent_rows_too_is_kept():
    assert spread(np.array([False, True]), np.array([0, -1], np.int32)).tolist() == [False, True]


def column(*texts):
    return encode_texts(pa.array(texts, pa.string()).dictionary_encode())


def read_all(encoded):
    return read_cells(encoded, None, strings_as_they_are=True, all_as_they_are=True)


def test_the_kind_of_a_document_is_known_before_it_is_read():
    cells = read_all(column('{"a":', "[", '"x"', "null", "1", "1.5", None)).via(KIND)
    kinds = [cells.values[code][0] if code >= 0 else None for code in cells.codes]
    assert kinds == ["object", "list", "text", "null", "integer", "float", None]


def test_the_kinds_of_some_cells_are_those_of_the_cells_taken():
    cells = read_all(column('{"a":', '"x"', "[", "1")).take(np.array([2, 1])).via(KIND)
    assert [cells.values[code] for code in cells.codes] == [["list"], ["text"]]


def test_texts_stay_texts_where_some_are_taken():
    cells = Cells(np.arange(3, dtype=np.int32), Texts(["a", "b", "c"])).take(np.array([2]))
    assert isinstance(cells.values, Texts)
    assert list(cells.values) == [["c"]]


@pytest.mark.parametrize("largest", [3, 2**31 - 1])
def test_combinations_of_codes_are_those_of_the_rows(largest):
    rng = np.random.default_rng(1)
    columns = [rng.choice([-1, 0, largest], 50).astype(np.int32) for _ in range(5)]
    found, numbers = combinations(columns)
    assert [found[number] for number in numbers] == list(
        zip(*(codes.tolist() for codes in columns), strict=True)
    )
    assert len(found) == len(set(found))
