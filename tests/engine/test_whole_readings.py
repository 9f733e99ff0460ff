"""Fields of the vocabulary `panther` read alike row by row and in columns, on whole JSON values."""

import json
from dataclasses import replace
from random import Random

import pyarrow as pa
import pytest
from damaged_records import KINDS, make, some_record

from tocsin.condition.evaluate import holds
from tocsin.condition.tree import AnyElement, Call, Field, FieldsCompare, Not, Op, Predicate
from tocsin.engine.match import Matcher
from tocsin.engine.plan import compile_plan
from tocsin.errors import RecordError
from tocsin.jsontext import read
from tocsin.logs.load import load_log_type
from tocsin.logs.view import RecordView
from tocsin.rules.model import Input, LogTypes, Rule

LOG_TYPE = """
name: any
panther: {Any.Log: }
shapes:
  - name: record
    identify: {not: {exists: no such key}}
    time: time
"""
EXTRA = {
    "as it stands": "",
    "within an object": "",
    "texts opened": "    json_cells: true\n",
    "renamed": """
    names:
      panther:
        operationName: {first: [Image, operationName]}
        properties.id: EventID
        properties.targets.x: tags
        whole: {of: properties, via: [{at: [targets]}]}
        made.of.parts: {const: text}
    families:
      panther:
        "": {at: [], keys: uncapitalised}
        identity: [{at: Identity, texts: json}, {at: identity, texts: json}]
        properties: {at: properties, other: {Status: state}}
""",
}
PATHS = """
CommandLine|commandline|EVENTID|User|tags|Signed|a b|key.with.dots|properties|PROPERTIES
properties/status|properties/Status|properties/targets|properties/targets/id|properties/empty
properties/|properties/*|properties/id|Properties/ID|identity/claims|identity/claims/aud
identity/CLAIMS/AUD|identity/claims/http://schemas.xmlsoap.org/ws/upn|*|x|q"uote|back\\slash
CommandLine/x|tags/x|operationName|properties/state|whole|made|made/of|made/of/parts|made/of/parts/x
properties/targets/x|x/x|x/x/x|Image
"""
FIELDS = [tuple(name.split("/")) for line in PATHS.split("\n") for name in line.split("|") if name]
TEXT, MEMBERS = (Call("text"),), (Call("members"),)


def conditions():
    """Make some conditions on every field."""
    for path in FIELDS:
        yield Predicate(Field(path), Op.EXISTS)
        yield Predicate(Field(path), Op.IS_NULL)
        yield Predicate(Field(path), Op.EQUALS, (True, 1, 9007199254740993, "x", "4711"))
        yield Predicate(Field(path, TEXT), Op.CONTAINS, ("x", "1", "\ufffd", "["))
        yield Predicate(Field(path, MEMBERS), Op.EQUALS, ("x", 2))
        yield Not(Predicate(Field(path, MEMBERS), Op.EXISTS))
        for inner in ("id", "N", "status"):
            yield AnyElement(path, Predicate(Field((inner,), TEXT), Op.CONTAINS, ("x", "1", "2")))
        yield FieldsCompare(Field(path), Op.EQUALS, Field(("properties", "id")))


CONDITIONS = list(conditions())


def log_type(name):
    loaded = load_log_type(LOG_TYPE + EXTRA[name], "test")
    if name != "within an object":
        return loaded
    return load_log_type(LOG_TYPE + "    within: {inner: in}\n", "test")


def one_shape(name):
    return log_type(name).shapes[-1]


def matcher_of(name, conditions):
    kind, shape = log_type(name), one_shape(name)
    inputs = [(Input(one, LogTypes(("Any.Log",)), "panther"),) for one in conditions]
    rules = [
        Rule(str(at), str(at), "panther", "python", "p", str(at), "", of)
        for at, of in enumerate(inputs)
    ]
    kind = replace(kind, shapes=(shape,))
    return Matcher([kind], lambda one, shape: compile_plan(rules, one, shape))


def swap_keys(chance, value):
    """Write some keys in another case, beside or in place of the one they had."""
    if not isinstance(value, dict):
        return [swap_keys(chance, one) for one in value] if isinstance(value, list) else value
    made = {}
    for key, item in value.items():
        for own in chance.choice(
            [[key], [key], [key.lower()], [key.upper(), key], [key, key.swapcase()]]
        ):
            made[own] = swap_keys(chance, item)
    return made


def in_other_case(chance):
    record = swap_keys(chance, some_record(chance))
    for key in list(record):
        if isinstance(record[key], dict | list) and chance.random() < 0.3:
            record[key] = json.dumps(record[key])
    return json.dumps(record)


def wrapped(name, text):
    return b'{"in": %s}' % text if name == "within an object" else text


def texts_of(kind):
    if kind != "in_other_case":
        return make(kind, 300)
    chance = Random(7)
    return [in_other_case(chance).encode() for _ in range(1500)]


def expected(view):
    def elements(path):
        return [element.read for element in view.elements(path)]

    return {at for at, one in enumerate(CONDITIONS) if holds(one, view.read, elements)}


def as_array(texts):
    """Make a string array of bytes, be they UTF-8 or not."""
    binary = pa.array(texts, pa.binary())
    return pa.Array.from_buffers(pa.string(), len(binary), binary.buffers())


@pytest.mark.parametrize("name", EXTRA)
@pytest.mark.parametrize("kind", [*KINDS, "in_other_case"])
def test_whole_values_read_alike(kind, name):
    shape, matcher = one_shape(name), matcher_of(name, CONDITIONS)
    texts = [wrapped(name, text) for text in texts_of(kind)]
    for start in range(0, len(texts), 100):
        batch = texts[start : start + 100]
        result = matcher.match(as_array(batch))
        found = [set() for _ in batch]
        for one in result.matches:
            found[one.row].add(one.input.rule)
        for row, text in enumerate(batch):
            try:
                view = RecordView(read(text).value, shape, "panther")
            except RecordError:
                assert not found[row]
                continue
            different = [CONDITIONS[number] for number in found[row] ^ expected(view)]
            assert not different, f"{text.decode()} {found[row] - expected(view)}"
