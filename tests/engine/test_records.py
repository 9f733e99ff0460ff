"""Texts to search for keywords, end to end with small letters."""

import numpy as np
import pyarrow as pa
import pytest

from tocsin.engine.records import SmallLetters

WHOLE = pa.array(["AAA", "Bb", None, "ÄC", "", "dD"])
MIDDLE = pa.Array.from_buffers(
    pa.string(),
    2,
    [None, pa.py_buffer(np.array([3, 5, 9], np.int32)), pa.py_buffer(b"AAABbCCCC")],
)
"""Texts that do not begin where their buffer does."""


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        pytest.param(WHOLE, ["aaa", "bb", "", "Äc", "", "dd"], id="a-null-is-an-empty-text"),
        pytest.param(WHOLE.slice(1, 3), ["bb", "", "Äc"], id="a-slice"),
        pytest.param(MIDDLE, ["bb", "cccc"], id="texts-from-the-middle-of-a-buffer"),
        pytest.param(WHOLE.slice(4, 1), [""], id="nothing-but-empty-texts"),
        pytest.param(WHOLE.slice(0, 0), [], id="no-texts"),
    ],
)
def test_letters_are_small_and_bounds_right(texts: pa.StringArray, expected: list[str]) -> None:
    found = SmallLetters.of(texts)
    pairs = zip(found.bounds[:-1].tolist(), found.bounds[1:].tolist(), strict=True)
    assert [bytes(found.data[start:end]).decode() for start, end in pairs] == expected
