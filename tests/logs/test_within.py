"""Records within others and JSON in cells: read alike from columns and from the record itself."""

import json
from random import Random

import pyarrow as pa
import pytest

from tocsin.engine.frame import Frame
from tocsin.engine.intake import Identifier, take_in
from tocsin.engine.project import JsonRecords, Projector
from tocsin.errors import LogTypeError
from tocsin.jsontext import read
from tocsin.logs.load import load_log_type
from tocsin.logs.mapping import Path
from tocsin.logs.view import RecordView, identify

LOG_TYPE = load_log_type(
    """
name: door.log
products: {door: , house: {is: {kind: front}}}
services:
  opened: {is: {what: opened}}
  asked:
    - when: {is: {what: asked}}
      names: {what: answer}
shapes:
  - name: record
    identify: {all: [exists: kind, exists: what]}
    within:
      letter: {at: envelope.letter, identify: {not: {exists: kind}}}
      line: message
    time: at
    bases: [[], [more]]
    json_cells: [more.text, "list.*"]
    names:
      sigma:
        who: {first: [guest.name, guest]}
        answer: {when: {condition: {is: {what: asked}}, then: more.text.answer, else: kind}}
        parts: {of: parts, via: [{named: [key, Size, value]}]}
        everything: {all: [kind, what, more]}
    entities: {user: [guest.name]}
    unique: [number]
""",
    "door.yaml",
)
NAMES = [
    "kind",
    "what",
    "WHAT",
    "who",
    "answer",
    "parts",
    "everything",
    "more",
    "more.text",
    "text",
]
NAMES += [
    "text.answer",
    "more.text.answer",
    "text.deep.deeper",
    "list",
    "list.a",
    "list.a.b",
    "guest",
]
NAMES += ["guest.name", "number", "nothing", "text.answer.x", "list.c.b"]

RECORD = {
    "kind": "front",
    "what": "asked",
    "at": "2026-03-04T05:06:07Z",
    "guest": {"name": "mira"},
    "number": 7,
    "parts": [{"key": "size", "value": [1, 2]}, {"key": "colour", "value": "red"}, "x"],
    "more": {"text": '{"answer": "no", "deep": {"deeper": 1.50}}', "other": '{"answer": 1}'},
    "list": {"a": '[{"b": 1}, {"b": "two"}]', "c": '{"b"', "d": [{"b": '{"x": 1}'}]},
}
CELLS = ["", "plain", "{", "[]", "{}", "null", '{"answer": null}', ' {"answer": [1, {"x": 2}]}']
CELLS += ['[{"answer": "yes"}, {"answer": "no"}]', '{"answer": 1, "answer": 2}', "[1, [2]]", '"x"']


def variants(chance):
    """Yield the record, and what is more or less like it."""
    yield RECORD
    for cell in CELLS:
        yield {**RECORD, "more": {"text": cell}}
        yield {**RECORD, "more": cell}
        yield {**RECORD, "list": {"a": cell, "c": [cell]}}
        yield {**RECORD, "guest": cell}
    for odd in (None, True, 5, [], {}, ["x"], [{"text": '{"answer": 1}'}]):
        yield {**RECORD, "more": odd}
        yield {**RECORD, "list": odd}
        yield {**RECORD, "parts": odd}
        yield {**RECORD, "guest": odd}
    for _ in range(60):
        keys = chance.sample(sorted(RECORD), chance.randint(3, 7))
        yield {key: RECORD[key] for key in keys}


def delivered(record):
    """Yield a record in every way it is met, and in some that only look so."""
    text = json.dumps(record)
    yield record
    for held in (record, text, f" {text}", text[:-3], [record], None):
        yield {"envelope": {"letter": held}}
        yield {"envelope": {"letter": held}, "kind": "other"}
        yield {"message": held, "number": 1}
    yield {"envelope": [{"letter": record}]}
    yield {"envelope": json.dumps({"letter": record})}


def lines():
    chance = Random(7)
    return [json.dumps(one) for record in variants(chance) for one in delivered(record)]


def test_columns_and_records_are_identified_alike():
    texts = lines()
    projector = Projector()
    intake = take_in(pa.array(texts), projector, Identifier(projector, [LOG_TYPE]))
    shapes = {row: part.shape.name for part in intake.parts for row in part.rows.tolist()}
    assert set(shapes.values()) == {"record", "letter", "line"}
    for row, text in enumerate(texts):
        found = identify(read(text).value, [LOG_TYPE])
        assert shapes.get(row) == (found and found[1].name), text


@pytest.mark.parametrize("name", ["record", "letter", "line"])
def test_columns_and_records_read_alike(name):
    (shape,) = (one for one in LOG_TYPE.shapes if one.name == name)
    texts = lines()
    projector = Projector()
    frame = Frame(projector, JsonRecords(projector, pa.array(texts)), shape)
    exprs = [shape.expression("sigma", one) for one in NAMES]
    exprs += [shape.time, *shape.unique, Path(("envelope",)), Path(("message", "more"))]
    frame.prefetch_for(exprs)
    views = [RecordView(read(text).value, shape) for text in texts]
    for expr in exprs:
        cells = frame.cells(expr)
        for row, (code, view) in enumerate(zip(cells.codes.tolist(), views, strict=True)):
            found = None if code < 0 else list(cells.values[code])
            assert found == view.evaluate(expr), (expr, texts[row])


@pytest.mark.parametrize(
    "delivered",
    [
        {"envelope": {"letter": RECORD}},
        {"envelope": {"letter": json.dumps(RECORD)}},
        {"message": RECORD},
        {"message": json.dumps(RECORD)},
    ],
    ids=["object", "text", "object in a line", "line"],
)
def test_a_record_reads_alike_wherever_it_stands(delivered):
    seen, alone = view_of(delivered), view_of(RECORD)
    assert values(seen, "answer") == ["no"]
    for name in NAMES:
        assert values(seen, name) == values(alone, name)
    assert list(seen.entities()) == [("user", "mira")]
    assert seen.time() == alone.time()


def view_of(record):
    parsed = read(json.dumps(record)).value
    found = identify(parsed, [LOG_TYPE])
    assert found
    return RecordView(parsed, found[1])


def values(seen, name):
    return seen.evaluate(seen.shape.expression("sigma", name))


def test_what_stands_beside_a_record_is_none_of_its_fields():
    seen = view_of({"message": json.dumps(RECORD), "nothing": "here", "number": 8})
    assert values(seen, "nothing") is None
    assert [str(one.text) for one in values(seen, "number")] == ["7"]


def test_a_service_says_which_events_and_what_names_mean_in_them():
    (asked,) = LOG_TYPE.select("door", None, "asked")
    assert list(asked.names) == ["what"]
    (asked_in_front,) = LOG_TYPE.select("house", None, "asked")
    assert asked_in_front.condition != asked.condition
    assert asked_in_front.names == asked.names
    assert LOG_TYPE.select("garden", None, "asked") == ()


@pytest.mark.parametrize(
    ("within", "message"),
    [
        ("{letter: {to: x}}", "'to' is not known"),
        ("{letter: {identify: {exists: x}}}", "within.letter: needs a list"),
        ("[letter]", "within: needs a mapping"),
    ],
)
def test_a_wrong_place_is_an_error_that_names_it(within, message):
    text = f"name: x\nshapes: [{{name: y, identify: {{exists: a}}, time: a, within: {within}}}]"
    with pytest.raises(LogTypeError, match=message):
        load_log_type(text, "x.yaml")
