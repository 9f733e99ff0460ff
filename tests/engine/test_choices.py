"""A choice of places is read as each record reads it, however many of them are inside of texts."""

import gc
from dataclasses import replace
from itertools import product
from weakref import ref

import numpy as np
import pyarrow as pa
import pytest

from tocsin.engine.choices import parts_ahead, texts_around
from tocsin.engine.frame import Frame
from tocsin.engine.project import JsonRecords, Projector
from tocsin.jsontext import compact, read
from tocsin.logs.logtype import generic
from tocsin.logs.mapping import First, Path
from tocsin.logs.view import RecordView
from tocsin.logs.whole import Whole

PLAIN, INSIDE, OTHER = Path(("name",)), Path(("more", "name")), Path(("other", "name"))
WHOLE = Whole(("more",), ("name",))
CHOICES = [
    First((PLAIN, INSIDE, OTHER)),
    First((INSIDE, PLAIN, OTHER)),
    First((PLAIN, WHOLE, PLAIN)),
    First((PLAIN, First((OTHER, INSIDE)))),
    First((PLAIN,)),
    First(()),
]
NOTHING = object()
CELLS = [NOTHING, None, "", '{"name": ""}', '{"name": "inner"}', "{no json", {"name": 5}, "[1]"]
SHAPE = replace(generic("any", None, None).shapes[0], json_cells=(("more",), ("other",)))


def records():
    for name, more, other in product([NOTHING, None, "", "outer"], CELLS, CELLS[::2]):
        pairs = {"name": name, "more": more, "other": other, "id": "x"}
        yield {key: value for key, value in pairs.items() if value is not NOTHING}


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("chosen", [slice(None), slice(0, None, 7), slice(3, 4)])
def test_columns_hold_what_records_do(choice, chosen):
    texts = [compact(record) for record in records()][chosen]
    frame = Frame(Projector(), JsonRecords(Projector(), pa.array(texts)), SHAPE)
    frame.prefetch_for([choice])
    cells = frame.cells(choice)
    found = [list(cells.values[code]) if code >= 0 else None for code in cells.codes]
    assert found == [RecordView(read(text).value, SHAPE).evaluate(choice) for text in texts]


def test_only_what_is_inside_of_more_texts_than_the_first_waits():
    cells = SHAPE.json_cells
    assert [texts_around(expr, cells) for expr in (PLAIN, INSIDE, WHOLE)] == [0, 1, 1]
    assert [parts_ahead(choice.parts, cells) for choice in CHOICES] == [1, 3, 1, 1, 1, 0]
    assert np.all([parts_ahead(choice.parts, ()) == len(choice.parts) for choice in CHOICES])


def test_frames_go_without_the_garbage_collector():
    texts = [compact(record) for record in records()]
    frame = Frame(Projector(), JsonRecords(Projector(), pa.array(texts)), SHAPE)
    frame.prefetch_for(CHOICES)
    part = frame.take(np.array([1, 2]))
    part.prefetch_for(CHOICES)
    gone = [ref(frame), ref(part)]
    gc.disable()
    try:
        del frame, part
        assert [one() for one in gone] == [None, None]
    finally:
        gc.enable()


def test_a_part_reads_for_itself_what_its_frame_does_not_have_any_more():
    texts = [compact(record) for record in records()]
    part = Frame(Projector(), JsonRecords(Projector(), pa.array(texts)), SHAPE).take(np.array([5]))
    cells = part.cells(CHOICES[0])
    found = list(cells.values[cells.codes[0]]) if cells.codes[0] >= 0 else None
    assert found == RecordView(read(texts[5]).value, SHAPE).evaluate(CHOICES[0])
