"""The engine reads damaged JSON as `jsontext` does, or refuses it with a reason."""

import pyarrow as pa
import pytest
from damaged_records import KINDS, make

from tocsin.condition.evaluate import holds
from tocsin.condition.tree import Call, Field, Glob, Not, Op, Predicate, Wild
from tocsin.engine.match import Matcher
from tocsin.engine.plan import compile_plan
from tocsin.errors import RecordError
from tocsin.jsontext import read
from tocsin.logs.logtype import generic
from tocsin.logs.view import RecordView
from tocsin.rules.model import Input, LogSource, Rule

LOG_TYPE = generic("any", None, None)
TEXT, NUMBER = (Call("text"),), (Call("number"),)

NAMES = ["CommandLine", "commandline", "EventID", "Keywords", "ProcessId", "User", "Hashes", "tags"]
NAMES += ["Signed", "a b", "key.with.dots", "identity.claims.http://schemas.xmlsoap.org/ws/upn"]
NAMES += ["properties", "properties.status", "properties.targets.id", "properties.targets.n"]
NAMES += ["properties.id", "properties.empty", "properties.", "properties.*", "*", "", "tags.x"]
NAMES += ["identity.claims.aud", 'q"uote', "back\\slash", "properties.targets", "Image.x", "\ufffd"]
NAMES += ['q"uote.x', "back\\slash.x", "*.x", ".x", "x."]
PATHS = [("properties", "targets", "n"), ("properties", "*"), ("properties", ""), ("identity", "x")]


def conditions():
    """Make a handful of conditions on every field."""
    for path in [(name,) for name in NAMES] + PATHS:
        yield Predicate(Field(path), Op.EXISTS)
        yield Predicate(Field(path), Op.IS_NULL)
        yield Predicate(Field(path), Op.EQUALS, (True, 1, 9007199254740993))
        yield Predicate(Field(path, TEXT), Op.EQUALS, ("", "x", "y", "4711", "[]", "{}"), True)
        yield Predicate(Field(path, TEXT), Op.CONTAINS, ("x", "\ufffd", "1", "\n"))
        for text in ["0.0", "E", "e+", ".", "inf", "nan", "NaN", "Infinity", "-"]:
            yield Predicate(Field(path, TEXT), Op.CONTAINS, (text,))
        yield Predicate(Field(path, TEXT), Op.GLOB, (Glob(("M", Wild.ANY, "e")),), True)
        yield Not(Predicate(Field(path, NUMBER), Op.GREATER, (3,)))


CONDITIONS = list(conditions())
KEYWORDS = [
    "x",
    "straße",
    "İX",
    "ix",
    "ΣΑΣ",
    "😀",
    "\n",
    "4711",
    '"',
    "\\",
    "\ufffd",
    "\0",
    "κ",
    "K",
]
KEYWORDS += ["9007199254740993", "cmd.exe", "C:\\Windows", "x@y.z", "-", "true", "upn", "a", "/ws/"]


def rules_of(conditions):
    inputs = [(Input(one, LogSource("any")),) for one in conditions]
    keys = [f"rule {number}" for number in range(len(inputs))]
    named = zip(keys, inputs, strict=True)
    return [Rule(key, key, "sigma", "detection", "p", key, "", of) for key, of in named]


def as_array(texts):
    """Make a string array of bytes, be they UTF-8 or not."""
    binary = pa.array(texts, pa.binary())
    return pa.Array.from_buffers(pa.string(), len(binary), binary.buffers())


def matcher_of(conditions):
    rules = rules_of(conditions)
    return Matcher([LOG_TYPE], lambda log_type, shape: compile_plan(rules, log_type, shape))


def expected(text, conditions):
    """Read a record by itself: why it is refused, and the numbers of the conditions that hold."""
    try:
        view = RecordView(read(text).value, LOG_TYPE.shapes[0])
    except RecordError as error:
        return str(error), set()
    return None, {number for number, one in enumerate(conditions) if holds(one, view.read)}


def assert_read_alike(texts, conditions, matcher):
    result = matcher.match(as_array(texts))
    reasons = {refused.row: refused.reason for refused in result.refused}
    found = [set() for _ in texts]
    for one in result.matches:
        found[one.row].add(one.input.rule)
    for row, text in enumerate(texts):
        reason, wanted = expected(text, conditions)
        assert reasons.get(row) == reason, text
        different = [conditions[number] for number in found[row] ^ wanted]
        assert not different, (text, different)
    assert sum(result.events.values()) + len(result.unidentified) + len(reasons) == len(texts)


@pytest.mark.parametrize("name", KINDS)
def test_damaged_records_read_alike(name):
    texts = make(name, 10_000 // len(KINDS) + 1)
    matcher = matcher_of(CONDITIONS)
    for start in range(0, len(texts), 250):
        assert_read_alike(texts[start : start + 250], CONDITIONS, matcher)


@pytest.mark.parametrize("keyword", KEYWORDS)
def test_keywords_are_found_in_damaged_records(keyword):
    search = Predicate(Field((), (Call("leaves"),)), Op.CONTAINS, (keyword,), True)
    texts = [text for name in KINDS for text in make(name, 40)]
    assert_read_alike(texts, [search], matcher_of([search]))
