"""Normalized records are what the rules of a vocabulary read."""

import json
from pathlib import Path

import pytest

from tocsin.condition.functions import fold
from tocsin.condition.tree import Field
from tocsin.content.demo import write_demo
from tocsin.errors import UsageError
from tocsin.jsontext import Number, read
from tocsin.logs.load import load_log_type, load_log_types
from tocsin.logs.logtype import generic
from tocsin.logs.view import RecordView, identify
from tocsin.run.given import Given
from tocsin.run.normalize import check_vocabulary, normalize, vocabularies
from tocsin.run.normalize_record import normalized_record

OWN = """
name: acme.door
priority: 1
products: [acme]
services: {door: {is: {Action: open}}}
categories:
  entry:
    - when: {is: {Action: open}}
      names: {Who: User, Verb: Action}
shapes:
  - name: json
    identify: {exists: door}
    time: at
    bases: [[data], [parts, "*"], []]
    names:
      sigma:
        User: data.user
        Action: {table: {of: act, rows: {"1": open}, default: shut}}
        Gone: nowhere
      ecs:
        user.name: data.user
    entities: {user: [data.user]}
"""
RECORD = {
    "door": 5,
    "at": "2026-01-02T03:04:05Z",
    "act": "1",
    "data": {"user": "ana", "USER": "no", "deep": {"er": [1.50, {"x": None}]}},
    "parts": {"a": {"inner": True}},
}


@pytest.fixture
def door():
    return load_log_type(OWN, "door.yaml")


def normalized(door, vocabulary: str = "sigma", record: dict = RECORD):
    return normalize(read(json.dumps(record)).value, vocabulary, [door])


def test_declared_names_come_first_spelled_as_the_log_type_spells_them(door) -> None:
    found = normalized(door)
    assert list(found.fields)[:2] == ["User", "Action"]
    assert found.fields["User"] == ["ana"]
    assert found.fields["Action"] == ["open"]
    assert "Gone" not in found.fields


def test_the_record_s_own_keys_follow_under_the_names_that_reach_them(door) -> None:
    fields = normalized(door).fields
    assert list(fields)[2:] == ["door", "at", "act", "deep.er", "deep.er.x", "inner"]
    assert fields["door"] == [Number("5")]
    assert fields["deep.er"][0] == Number("1.5")
    assert fields["deep.er.x"] == [None]
    assert fields["inner"] == [True]


def test_log_type_shape_time_and_entities_are_said(door) -> None:
    found = normalized(door)
    assert (found.log_type, found.shape) == ("acme.door", "json")
    assert found.time.isoformat() == "2026-01-02T03:04:05+00:00"
    assert found.entities == (("user", "ana"),)


def test_the_log_sources_that_it_answers_to_are_listed_with_their_own_names(door) -> None:
    assert normalized(door).log_sources == {
        "acme/*/door": {},
        "acme/entry/*": {"Who": ["ana"], "Verb": ["open"]},
    }
    assert normalized(door, record=RECORD | {"act": "2"}).log_sources == {}


def test_a_vocabulary_is_what_log_types_declare_names_of(door) -> None:
    assert vocabularies([door]) == ["ecs", "sigma", "raw"]
    assert "sigma" in vocabularies(load_log_types())
    assert next(iter(normalized(door, "ecs").fields.items())) == ("user.name", ["ana"])
    assert normalized(door, "ecs").log_sources == {}
    with pytest.raises(UsageError, match="no vocabulary 'nope'; known: ecs, sigma, raw"):
        check_vocabulary("nope", [door])


def test_raw_is_the_record_by_its_dotted_keys(door) -> None:
    fields = normalized(door, "raw").fields
    assert list(fields) == [
        "door", "at", "act", "data.user", "data.USER", "data.deep.er", "data.deep.er.x",
        "parts.a.inner",
    ]  # fmt: skip


def test_an_unknown_record_has_its_own_keys_and_no_log_type(door) -> None:
    found = normalized(door, record={"a": {"b": 1}})
    assert (found.log_type, found.shape, found.time) == (None, None, None)
    assert found.fields == {"a.b": [Number("1")]}


def test_what_is_shown_is_what_rules_read_and_nothing_that_they_read_is_missing(
    tmp_path: Path,
) -> None:
    write_demo(tmp_path)
    log_types = load_log_types()
    for file in sorted(tmp_path.iterdir()):
        for line in file.read_text().splitlines()[::97]:
            record = read(line).value
            _, shape = identify(record, log_types)
            view = RecordView(record, shape)
            found = normalize(record, "sigma", log_types).fields
            assert all(view.read(Field((name,))) == values for name, values in found.items())
            folded = set(map(fold, found))
            for name in (*shape.spellings["sigma"].values(), *record):
                if view.read(Field((name,))) is not None and not isinstance(record.get(name), dict):
                    assert fold(name) in folded, name


def test_the_record_written_keeps_numbers_and_objects(door) -> None:
    import orjson

    value = read('{"door": 1.50, "big": 1e400, "bad": NaN, "act": ["1", "2"], "o": {}}').value
    record = normalized_record(Given("x", 3, value), "sigma", [door])
    written = orjson.dumps(record)
    assert b'"door":1.50' in written
    assert b'"big":1e400' in written
    assert b'"bad":"NaN"' in written
    assert b'"Action":["open","shut"]' in written
    assert b'"o":{}' in written
    assert record["line"] == 3


def test_logs_without_log_type_answer_to_the_source_that_was_named() -> None:
    found = normalize({"a": "x"}, "sigma", [generic("acme", None, "web")])
    assert found.log_sources == {"acme/*/web": {}}
    assert found.fields == {"a": ["x"]}
