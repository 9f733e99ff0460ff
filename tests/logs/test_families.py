"""Families of names: read alike from columns and from the record itself, whatever keys it has."""

import json
from random import Random

import pyarrow as pa
import pytest

from tocsin.condition.functions import apply
from tocsin.condition.tree import Call, Field
from tocsin.engine.frame import Frame
from tocsin.engine.project import JsonRecords, Projector
from tocsin.errors import LogTypeError
from tocsin.jsontext import read
from tocsin.logs.load import load_log_type
from tocsin.logs.mapping import ABSENT
from tocsin.logs.view import RecordView

LOG_TYPE = load_log_type(
    """
name: shop.order
shapes:
  - name: record
    identify: {exists: kind}
    within:
      letter: {at: letter}
    time: at
    json_cells: [cell]
    names:
      ecs:
        shop.kind: {of: kind, via: [upper]}
        shop.again: {first: [{name: extra.deep}, kind]}
    families:
      ecs:
        shop: {at: [], keys: snake, other: {orderId: number}, without: [secret]}
        shop.parts: {at: parts, keys: snake, arrays: numbered, empty: kept}
        shop.notes: {at: notes, arrays: pairs}
        shop.cell: {at: cell.inner, keys: dotless}
        shop.text: {at: text, texts: json}
        shop.either: [{at: either}, {at: eitherOld}]
""",
    "shop.yaml",
)
SHAPE, LETTER = LOG_TYPE.shapes
RECORD = {
    "kind": "order",
    "at": "2026-01-02T03:04:05Z",
    "orderId": 7,
    "secret": "x",
    "buyerName": {"firstName": "Ana", "USER": None, "e.mail": "a@b.example"},
    "empty": "",
    "parts": [
        {"partName": "a", "colours": [{"rgb": 1}, {"rgb": ""}]},
        {"partName": "b", "tags": ["x", "y"]},
    ],
    "notes": [{"key": "of the day", "value": "fine"}, {"key": "n", "value": {"m": 1}}],
    "cell": '{"inner": {"http://a.b/c": "claim"}}',
    "text": '{"log": "{\\"verb\\": \\"get\\"}"}',
    "eitherOld": {"a": "old"},
    "extra": {"deep": "down"},
}
READINGS = {
    "keys-are-spelled-in-snake-case": ("shop.buyer_name.first_name", ["Ana"]),
    "the-key-as-it-was-is-no-name": ("shop.buyerName.firstName", None),
    "case-matters": ("shop.Buyer_name.first_name", None),
    "a-key-may-hold-dots": ("shop.buyer_name.e.mail", ["a@b.example"]),
    "a-key-may-be-spelled-in-its-own-way": ("shop.number", ["7"]),
    "what-is-left-out-is-absent": ("shop.secret", None),
    "empty-text-is-no-value": ("shop.empty", None),
    "null-is-no-value": ("shop.buyer_name.user", None),
    "other-names-do-not-reach-the-record": ("kind", None),
    "declared-names-go-first": ("shop.kind", ["ORDER"]),
    "a-name-of-the-record-can-be-declared": ("shop.again", ["down"]),
    "arrays-are-objects-keyed-by-number": ("shop.parts.0.part_name", ["a"]),
    "inner-arrays-too": ("shop.parts.0.colours.0.rgb", ["1"]),
    "an-array-of-texts-stays-one": ("shop.parts.1.tags", ["x", "y"]),
    "numbers-are-needed": ("shop.parts.part_name", None),
    "a-number-too-high-is-absent": ("shop.parts.2.part_name", None),
    "empty-text-may-be-kept": ("shop.parts.0.colours.1.rgb", [""]),
    "a-star-stands-for-any-number": ("shop.parts.*.part_name", ["a", "b"]),
    "a-star-spans-dots": ("shop.parts.*rgb", ["1", ""]),
    "a-star-may-end-a-name": ("shop.either.*", ["old"]),
    "a-star-finds-declared-names": ("*.kind", ["ORDER"]),
    "a-star-that-fits-nothing-is-absent": ("shop.parts.*.nothing", None),
    "pairs-are-an-object": ("shop.notes.of the day", ["fine"]),
    "pairs-hold-objects": ("shop.notes.n.m", ["1"]),
    "dots-in-keys-become-underscores": ("shop.cell.http://a_b/c", ["claim"]),
    "texts-are-opened": ("shop.text.log.verb", ["get"]),
    "the-text-is-kept-too": ("shop.text.log", ['{"verb": "get"}', '{"verb":"get"}', "get"]),
    "the-next-path-is-asked": ("shop.either.a", ["old"]),
    "the-time-has-a-name": ("@timestamp", ["2026-01-02T03:04:05Z"]),
}
NAMES = [name for name, _ in READINGS.values()]
NAMES += ["shop", "shop.parts", "shop.notes", "shop.text", "shop.*", "*", "shop.buyer_name"]
NAMES += ["shop.cell", "shop.parts.0", "shop.parts.*.*", "s*.*_name", "shop.either", "other.x"]
TEXT = (Call("text"),)


def texts(values):
    return None if values is None else apply(TEXT, values)


@pytest.mark.parametrize(("name", "expected"), READINGS.values(), ids=READINGS)
def test_a_name_reads(name: str, expected: list[str] | None) -> None:
    view = RecordView(read(json.dumps(RECORD)).value, SHAPE, "ecs")
    assert texts(view.read(Field((name,)))) == expected
    whole = RecordView(read(json.dumps({"letter": RECORD})).value, LETTER, "ecs")
    assert texts(whole.read(Field((name,)))) == expected


def some_value(chance: Random, depth: int = 0):
    plain = ["x", "", None, 1, True, [], {}, '{"log": {"verb": "get"}}', "[1, {}]", "{"]
    if depth > 2 or chance.random() < 0.4:
        return chance.choice(plain)
    if chance.random() < 0.4:
        return [some_value(chance, depth + 1) for _ in range(chance.randint(0, 3))]
    keys = ["partName", "firstName", "part_name", "key", "value", "0", "log", "rgb", "a.b", "USER"]
    return {key: some_value(chance, depth + 1) for key in chance.sample(keys, 3)}


def some_record(chance: Random) -> str:
    record = {key: RECORD[key] for key in chance.sample(list(RECORD), chance.randint(3, 11))}
    for _ in range(chance.randint(0, 3)):
        keys = [*RECORD, "OrderId", "order_id", "Parts", "either", "shop", 'q"', "*", "buyer_name"]
        record[chance.choice(keys)] = some_value(chance)
    text = json.dumps(record)
    if chance.random() < 0.1:
        text = text.replace("{", '{"parts": "twice", ', 1)
    return text


@pytest.mark.parametrize("shape", [SHAPE, LETTER], ids=["record", "letter"])
def test_columns_and_records_read_alike(shape) -> None:
    chance = Random(7)
    lines = [some_record(chance) for _ in range(1500)]
    if shape is LETTER:
        lines = [
            json.dumps({"letter": json.loads(one)}) if chance.random() < 0.7 else
            json.dumps({"letter": one}) if chance.random() < 0.7 else one
            for one in lines
        ]  # fmt: skip
    views = [RecordView(read(line).value, shape, "ecs") for line in lines]
    projector = Projector()
    for start in range(0, len(lines), 300):
        raw = pa.array(lines[start : start + 300], pa.string())
        frame = Frame(projector, JsonRecords(projector, raw), shape)
        for name in NAMES:
            cells = frame.cells(shape.expression("ecs", name))
            for row, code in enumerate(cells.codes.tolist()):
                found = None if code < 0 else list(cells.values[code])
                expected = views[start + row].read(Field((name,)))
                assert found == expected, (name, lines[start + row])


def test_what_no_family_holds_is_absent() -> None:
    assert SHAPE.expression("ecs", "other.x") == ABSENT


def test_where_a_name_was_found_is_said() -> None:
    view = RecordView(read(json.dumps(RECORD)).value, SHAPE, "ecs")
    found = view.locate(Field(("shop.buyer_name.first_name",)))
    assert found == ("buyerName", "firstName")


@pytest.mark.parametrize(
    ("family", "problem"),
    [
        ("{at: a, keys: shout}", r"families.ecs.b.keys: 'shout' is not known; known: kept, snake"),
        ("{at: a, arrays: no}", r"families.ecs.b.arrays"),
        ("{keys: snake}", r"families.ecs.b.at"),
        ("{at: a, way: b}", r"'way' is not known"),
    ],
)
def test_a_wrong_family_is_an_error(family: str, problem: str) -> None:
    text = f"""
name: x
shapes:
  - {{name: y, identify: {{exists: z}}, time: t, families: {{ecs: {{b: {family}}}}}}}
"""
    with pytest.raises(LogTypeError, match=problem):
        load_log_type(text, "x.yaml")
