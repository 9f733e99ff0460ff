"""The event object, statement by statement."""

import json
from collections.abc import Mapping, Sequence

import pytest

from tocsin.sandbox.datamodel import DataModel, Meaning, ModelError, parse_path
from tocsin.sandbox.event import Event, epoch
from tocsin.sandbox.views import MappingView, SequenceView

RECORD = {
    "userName": "ana",
    "none": None,
    "zero": 0,
    "Nested": {"Inner": {"leaf": "x"}, "list": [1, {"Deep": 2}]},
    "users": [{"name": "a", "tags": ["t", "u"]}, {"name": "b", "tags": ["u"]}, {"name": "a"}],
    "one": [{"name": "a"}],
    "empty": [[], [[]]],
    "same": [{"o": {"x": [1]}}, {"o": {"x": 2}}, {"o": {"x": [1]}}],
    "p_udm": {"user": {"name": "from p_udm"}},
    "KEY": "upper",
    "key": "lower",
}


@pytest.fixture
def event():
    return Event(RECORD)


READ = {
    "as written": (lambda e: e["userName"], "ana"),
    "ignoring case": (lambda e: e["USERNAME"], "ana"),
    "ignoring case below": (lambda e: e["nested"]["INNER"]["Leaf"], "x"),
    "ignoring case in a list": (lambda e: e["nested"]["list"][1]["deep"], 2),
    "the exact key wins": (lambda e: (e["KEY"], e["key"]), ("upper", "lower")),
    "of a collision the first wins": (lambda e: e["kEy"], "upper"),
    "get of null is null": (lambda e: e.get("none", "default"), None),
    "get of nothing is the default": (lambda e: e.get("nothing", "default"), "default"),
    "contains": (lambda e: ("username" in e, "nothing" in e, 1 in e), (True, False, False)),
    "deep_get": (lambda e: e.deep_get("nested", "inner", "leaf"), "x"),
    "deep_get of null is the default": (lambda e: e.deep_get("none", default=1), 1),
    "deep_get does not enter lists": (lambda e: e.deep_get("users", "name", default=1), 1),
    "deep_get does not enter texts": (lambda e: e.deep_get("userName", "x", default=1), 1),
    "deep_get of zero is zero": (lambda e: e.deep_get("zero", default=1), 0),
    "deep_walk enters lists": (lambda e: e.deep_walk("users", "name"), ["a", "b"]),
    "deep_walk joins lists": (lambda e: e.deep_walk("users", "tags"), ["t", "u"]),
    "deep_walk first": (lambda e: e.deep_walk("users", "name", return_val="first"), "a"),
    "deep_walk last": (lambda e: e.deep_walk("users", "name", return_val="last"), "b"),
    "deep_walk of one value": (lambda e: e.deep_walk("one", "name"), "a"),
    "deep_walk of objects": (lambda e: e.deep_walk("same", "o"), [{"x": [1]}, {"x": 2}]),
    "deep_walk tells case": (lambda e: e.deep_walk("USERS", "name", default="d"), "d"),
    "deep_walk gives dictionaries": (lambda e: type(e.deep_walk("Nested", "Inner")), dict),
    "deep_walk of nothing": (lambda e: e.deep_walk("users", "x", default="d"), "d"),
    "deep_walk of empty lists": (lambda e: e.deep_walk("empty", default="d"), "d"),
    "deep_walk through a text": (lambda e: e.deep_walk("userName", "x", default="d"), "d"),
    "deep_walk that ends at a list": (lambda e: type(e.deep_walk("one")), list),
    "udm without a model looks below p_udm": (lambda e: e.udm("user", "name"), "from p_udm"),
    "udm without a model looks in the event": (lambda e: e.udm("userName"), "ana"),
    "udm falls through what is false": (lambda e: e.udm("zero", default="d"), "d"),
    "lookup without tables": (lambda e: e.lookup("table", "key"), None),
    "a list is equal to a list": (lambda e: e["Nested"]["list"] == [1, {"Deep": 2}], True),
    "a list is equal to a tuple": (lambda e: e["users"][0]["tags"] == ("t", "u"), True),
    "a list is equal to its own view": (lambda e: e["users"] == e["users"], True),
    "an object is equal to a dictionary": (lambda e: e["p_udm"]["user"], {"name": "from p_udm"}),
    "a slice is a tuple": (lambda e: e["users"][0]["tags"][:1], ("t",)),
    "a slice has no views": (lambda e: type(e["users"][:1][0]), dict),
    "lists are added": (lambda e: e["users"][0]["tags"] + ["x"], ["t", "u", "x"]),
    "lists are added from the left": (lambda e: ["x"] + e["users"][1]["tags"], ["x", "u"]),
    "text of a list": (lambda e: f"{e['users'][0]['tags']}", "ImmutableList(('t', 'u'))"),
    "text of an object": (
        lambda e: f"{e['p_udm']['user']}",
        "ImmutableCaseInsensitiveDict({'name': 'from p_udm'})",
    ),
    "text of a list that deep_walk gives": (lambda e: f"{e.deep_walk('one')}", "[{'name': 'a'}]"),
    "text of an event": (lambda e: f"{type(e)({'a': [1]})}", "PantherEvent({'a': [1]})"),
    "keys as written": (lambda e: list(e["Nested"]), ["Inner", "list"]),
    "no dictionary, no list": (
        lambda e: (isinstance(e["Nested"], dict), isinstance(e["users"], list)),
        (False, False),
    ),
    "a mapping, a sequence": (
        lambda e: (isinstance(e["Nested"], Mapping), isinstance(e["users"], Sequence)),
        (True, True),
    ),
    "views are hashable": (lambda e: len({e["one"][0], e["users"][2]}), 1),
}  # fmt: skip


@pytest.mark.parametrize("name", READ)
def test_reads(name, event):
    read, expected = READ[name]
    assert read(event) == expected


CHANGES = {
    "set": lambda e: e.__setitem__("a", 1),
    "delete": lambda e: e.__delitem__("userName"),
    "update": lambda e: e.update({"a": 1}),
    "pop": lambda e: e.pop("userName"),
    "append below": lambda e: e["users"].append(1),
    "set below": lambda e: e["Nested"].__setitem__("a", 1),
    "set in a list": lambda e: e["users"].__setitem__(0, 1),
}


@pytest.mark.parametrize("name", CHANGES)
def test_cannot_be_changed(name, event):
    with pytest.raises(TypeError, match="cannot be changed"):
        CHANGES[name](event)
    assert event == RECORD


@pytest.mark.parametrize("way", ["copy", "to_dict"])
def test_a_copy_is_deep_and_can_be_changed(way, event):
    copy = getattr(event, way)()
    copy["Nested"]["list"].append(3)
    assert json.loads(json.dumps(copy))["Nested"]["list"] == [1, {"Deep": 2}, 3]
    assert event["Nested"]["list"] == [1, {"Deep": 2}]


def test_missing_keys_raise(event):
    with pytest.raises(KeyError, match="nothing"):
        event["nothing"]


@pytest.mark.parametrize("kind", [MappingView, SequenceView])
def test_views_can_be_made_of_views(kind):
    assert kind(kind()) == kind()


TIMES = {
    "nanoseconds": ("2021-03-04 05:06:07.123456789", 1614834367.123456),
    "with a zone": ("2021-03-04T06:06:07+01:00", 1614834367),
    "Z": ("2021-03-04T05:06:07Z", 1614834367),
    "a number": (1614834367, 1614834367),
    "none": (None, 0),
    "no time": ("yesterday", 0),
    "true is no time": (True, 0),
}


@pytest.mark.parametrize("name", TIMES)
def test_event_time(name):
    text, expected = TIMES[name]
    assert epoch(text) == pytest.approx(expected)
    assert Event({"p_event_time": text}).event_time_epoch() == pytest.approx(expected)


def model(**meanings):
    return DataModel(
        "M",
        {
            name: Meaning("m", method=one) if callable(one) else Meaning(one, parse_path(one))
            for name, one in meanings.items()
        },
    )


UDM = {
    "a path": ("$.a.b", {"a": {"b": 1}}, 1),
    "a path in another case": ("$.a.b", {"A": {"b": 1}}, "default"),
    "a path to null": ("$.a.b", {"a": {"b": None}}, None),
    "a path without $": ("a.b", {"a": {"b": 1}}, 1),
    "a method": (lambda event: event.get("x") + 1, {"x": 1}, 2),
    "a mapping that finds nothing is the default": ("x", {"p_udm": {"f": 1}, "f": 2}, "default"),
    "a mapping that finds false is false": ("x", {"x": False}, False),
    "a method that returns none": (lambda event: None, {}, None),
    "an index": ("$.a[1].b", {"a": [{}, {"b": 1}]}, 1),
    "an index past the end": ("$.a[1]", {"a": [1]}, "default"),
    "one of all": ("$.a[*].b", {"a": [{}, {"b": 1}]}, 1),
    "quoted keys": ("$['a.b'].\"c d\"", {"a.b": {"c d": 1}}, 1),
}


@pytest.mark.parametrize("name", UDM)
def test_a_mapped_field(name):
    meaning, record, expected = UDM[name]
    assert Event(record, model(f=meaning)).udm("f", default="default") == expected


def test_several_values_of_a_path_are_an_error():
    with pytest.raises(ModelError, match="leads to 2 values"):
        Event({"a": [1, 2]}, model(f="a[*]")).udm("f")


def test_a_field_that_the_model_does_not_map_falls_through():
    assert Event({"g": 1}, model(f="x")).udm("g") == 1
    assert Event({"f": {"g": 1}}, model(f="x")).udm("f", "g") == 1


def test_paths_of_the_model():
    event = Event({}, model(f="a.b", g=lambda event: 1))
    assert (event.udm_path("f"), event.udm_path("g"), event.udm_path("h")) == ("a.b", "m", None)
    with pytest.raises(ModelError):
        Event({}).udm_path("f")


def test_a_broken_model_is_an_error_where_it_is_used():
    event = Event({"f": 1}, DataModel("M", {}, "data model M: is broken"))
    assert event.get("f") == 1
    with pytest.raises(ModelError, match="is broken"):
        event.udm("f")


@pytest.mark.parametrize("path", ["$..a", "$.a[?(@.b)]", "a[0:2]"])
def test_other_forms_of_jsonpath_are_refused(path):
    with pytest.raises(ModelError, match="not supported"):
        parse_path(path)


def test_lookups():
    event = Event({}, lookup=lambda table, key: {"t": {"k": 1}}[table].get(key))
    assert (event.lookup("t", "k"), event.lookup("t", "x")) == (1, None)
